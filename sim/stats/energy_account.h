/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the energy accounting, shared by the files that add items. */
#ifndef SY_STATS_ENERGY_ACCOUNT_H
#define SY_STATS_ENERGY_ACCOUNT_H

#include "sim/stats/energy_price.h"

struct sy_energy_account {
    struct sy_result *result;
    const struct sy_chip *chip;
    const struct sy_energy_table *table;
};

/* One item of the result: count x price. A price that is not known becomes a warning. Nothing for a count of 0. */
void sy_energy_add_item(struct sy_energy_account *account, const char *component, const char *action, uint64_t count,
                        const struct sy_price *price);
/* The same joules in a layer. */
void sy_energy_to_layer(struct sy_layer_result *layer, uint64_t count, const struct sy_price *price);
/* Joules of the whole run, divided by the layers' shares of its cycles. */
void sy_energy_to_layers_by_time(struct sy_result *result, double joules);

/* What energy_setup.c lets energy_power.c work out: into table->setup. areas may be NULL. */
void sy_energy_set_conditions(struct sy_energy_table *table, const struct sy_chip *chip,
                              const struct sy_figure_table *areas);
void sy_energy_set_clocked(struct sy_energy_table *table, const struct sy_chip *chip,
                           const struct sy_figure_table *areas);
/* Leakage and clock of the run, and the power of the states without work. */
void sy_energy_base_items(struct sy_energy_account *account);

/* What was counted of a level with a DRAM model whose device gives energies; NULL: priced by the bit. */
const struct sy_dram_stats *sy_energy_dram_of(const struct sy_result *result, const char *level);
/* Commands, states and the interface of such a level. */
void sy_energy_dram_items(struct sy_energy_account *account, uint32_t level, const struct sy_dram_stats *dram);

#endif
