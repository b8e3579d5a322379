/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back from states without work. Inside of the energy accounting. */
#ifndef SY_STATS_ENERGY_STATES_H
#define SY_STATS_ENERGY_STATES_H

#include "sim/stats/energy.h"

/* Figures of table->setup->wake; after sy_energy_set_clocked. areas may be NULL: nothing is known then. */
void sy_energy_set_wake(struct sy_energy_table *table, const struct sy_chip *chip, const struct sy_figure_table *areas);
/* Of the state with gated clocks and of that with gated supplies. Pure. */
void sy_energy_sleep(const struct sy_chip *chip, const struct sy_energy_table *table, const struct sy_base_power *base,
                     struct sy_sleep *gated, struct sy_sleep *off);

#endif
