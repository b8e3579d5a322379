/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/stats/memory_result.h"

const double sy_memory_percentile[SY_MEMORY_PERCENTILES] = {50, 90, 95, 99, 99.9};

static double joules(const struct sy_memory_result *result, uint32_t first, uint32_t end)
{
    double sum = 0;
    for (uint32_t i = first; i < end; i++)
        sum += (double)result->energy[i].count * result->energy[i].pj * 1e-12;
    return sum;
}

double sy_memory_access_j(const struct sy_memory_result *result)
{
    return joules(result, 0, result->energies ? 1 : 0);
}

double sy_memory_commands_j(const struct sy_memory_result *result)
{
    return joules(result, 1, result->energies);
}

enum sy_status sy_memory_price(struct sy_memory_result *result, const struct sy_chip *chip,
                               const struct sy_level *level, const struct sy_energy_table *table, struct sy_diag *diag)
{
    const char *component = level->energy_component ? level->energy_component : "dram";
    struct sy_energy_cost cost;
    if (sy_energy_lookup(table, component, "access", 0, (double)chip->process_nm, &cost) != SY_OK)
        return sy_error(diag, SY_NOWHERE, "add a row of action access, or set the level's energy to another component",
                        "energy table '%s' has no component '%s', which memory.%s names", table->name, component,
                        level->name);
    const double bits = (double)(cost.bits ? cost.bits : 1);
    result->energy[0] = (struct sy_memory_energy){.action = "access",
                                                  .unit = "bit",
                                                  .count = (result->reads + result->writes + result->check_bursts) *
                                                           result->burst_bytes * 8,
                                                  .pj = cost.pj / bits,
                                                  .low_pj = cost.low_pj / bits,
                                                  .high_pj = cost.high_pj / bits,
                                                  .source = cost.below->source,
                                                  .confidence = cost.below->confidence};
    result->energies = result->energies ? result->energies : 1;
    return SY_OK;
}
