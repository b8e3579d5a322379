/* SPDX-License-Identifier: Apache-2.0 */
/* What stays awake without work: PHYs, off-chip memory, links. Inside of the energy accounting. */
#ifndef SY_STATS_ENERGY_STANDBY_H
#define SY_STATS_ENERGY_STANDBY_H

#include "sim/stats/energy_account.h"

/* Watts, with every row nominal, low and high. */
struct sy_standby_power {
    struct sy_range phy, memory, link;
    double asleep_w; /* of the memory, powered down and refreshed */
};
struct sy_standby_power sy_energy_standby(const struct sy_chip *chip, const struct sy_energy_table *table);

/* Standing power of the DRAM devices, from their files, into table->setup. SY_INPUT and SY_IO as sy_dram_device_load.
 */
enum sy_status sy_energy_set_standby(struct sy_energy_table *table, const struct sy_chip *chip, const char *data_dir,
                                     struct sy_diag *diag);
/* Items of a run. */
void sy_energy_standby_items(struct sy_energy_account *account);

#endif
