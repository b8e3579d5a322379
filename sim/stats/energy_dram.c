/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DRAM from its commands. A level whose memory model counts commands
 * (--memory sampled or burst) and whose device file gives energies:
 *
 *   E = activates x e_act + read bursts x e_rd + write bursts x e_wr + refreshes x e_ref
 *     + P_active x t_active + P_standby x t_standby + P_down x t_down + bytes x e_interface
 *
 * The first two lines are DRAMsim3's own (Micron's power calculation from IDD
 * currents; tests/unit/test_dram_golden.c recomputes that tool's energies from its
 * counts with these figures); they end at the device's pins. The interface
 * (drivers, termination, PHY) has its own sourced row a kind of memory.
 */
#include <string.h>

#include "sim/base/checked.h"
#include "sim/stats/energy_account.h"

const struct sy_dram_stats *sy_energy_dram_of(const struct sy_result *result, const char *level)
{
    for (uint32_t i = 0; i < result->drams; i++)
        if (result->dram[i].device && !strcmp(result->dram[i].name, level))
            return &result->dram[i];
    return NULL;
}

struct sy_price sy_price_dram(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index,
                              const struct sy_dram_stats *dram, enum sy_level_action action)
{
    const struct sy_level *level = &chip->level[index];
    const struct sy_dram_power *power = &dram->power;
    double down = power->power_down_mw > 0 ? power->power_down_mw : power->precharge_standby_mw;
    const double each[SY_LEVEL_ACTIONS] = {[SY_ACTIVATE] = power->activate_pj,
                                           [SY_READ_BURST] = power->read_pj,
                                           [SY_WRITE_BURST] = power->write_pj,
                                           [SY_REFRESH] = power->refresh_pj,
                                           [SY_ACTIVE_NS] = power->active_standby_mw,
                                           [SY_STANDBY_NS] = power->precharge_standby_mw,
                                           [SY_DOWN_NS] = down}; /* mW = pJ a nanosecond */
    struct sy_price price = {true,
                             each[action],
                             each[action] * table->idd_low,
                             each[action] * table->idd_high,
                             power->source,
                             power->confidence,
                             "IDD currents x voltage x time",
                             NULL,
                             false,
                             NULL};
    if (action == SY_INTERFACE_BYTE)
        price = sy_price_row(table, level->energy_component ? level->energy_component : "dram", "interface", 0,
                             (double)chip->process_nm, 8);
    return sy_price_overridden(table, level->name, sy_level_action_names[action], price);
}

/* A layer's part of a command count: by its bytes. Of time: by its cycles. */
static void to_layers(struct sy_result *result, uint32_t level, enum sy_level_action action, double joules)
{
    bool reads = action != SY_WRITE_BURST, writes = action != SY_READ_BURST;
    double all =
        (reads ? (double)result->level[level].read_bytes : 0) + (writes ? (double)result->level[level].write_bytes : 0);
    if (action == SY_REFRESH || (action >= SY_ACTIVE_NS && action <= SY_DOWN_NS) || all <= 0) {
        sy_energy_to_layers_by_time(result, joules);
        return;
    }
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_layer_result *layer = &result->layer[i];
        double part = (reads ? (double)layer->level_read_bytes[level] : 0) +
                      (writes ? (double)layer->level_write_bytes[level] : 0);
        result->layer[i].energy_j += joules * part / all;
    }
}

void sy_energy_dram_items(struct sy_energy_account *account, uint32_t level, const struct sy_dram_stats *dram)
{
    struct sy_result *result = account->result;
    uint64_t burst = sy_max(dram->burst_bytes, 1);
    const uint64_t count[SY_LEVEL_ACTIONS] = {[SY_ACTIVATE] = dram->activates,
                                              [SY_READ_BURST] = sy_ceil_div(dram->read_bytes, burst),
                                              [SY_WRITE_BURST] = sy_ceil_div(dram->write_bytes, burst),
                                              [SY_REFRESH] = dram->refreshes,
                                              [SY_ACTIVE_NS] = dram->active_ns,
                                              [SY_STANDBY_NS] = dram->standby_ns,
                                              [SY_DOWN_NS] = dram->power_down_ns,
                                              [SY_INTERFACE_BYTE] = dram->read_bytes + dram->write_bytes};
    for (int a = SY_ACTIVATE; a < SY_LEVEL_ACTIONS; a++) {
        struct sy_price price = sy_price_dram(account->chip, account->table, level, dram, a);
        sy_energy_add_item(account, account->chip->level[level].name, sy_level_action_names[a], count[a], &price);
        if (price.known)
            to_layers(result, level, a, (double)count[a] * price.pj * 1e-12);
    }
}
