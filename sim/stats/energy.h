/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy: integer action counts times sourced rows (arch/energy.h), plus
 * leakage and clock power times time. Every term becomes one item of the
 * result with the row that priced it.
 */
#ifndef SY_STATS_ENERGY_H
#define SY_STATS_ENERGY_H

#include "arch/energy.h"
#include "sim/stats/result.h"

/* pJ of one byte through a level's ports or bus, mean of read and write; 0 when the table has no row for it. */
double sy_energy_pj_per_byte(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level);
double sy_energy_pj_per_mac(const struct sy_chip *chip, const struct sy_energy_table *table, enum sy_dtype a,
                            enum sy_dtype b);

/* Fill result->energy and the layers' and total energy. Missing rows become warnings, never zeros in silence. */
enum sy_status sy_energy_account(struct sy_result *result, const struct sy_chip *chip,
                                 const struct sy_energy_table *table);

/* Append a warning to the result (copied). */
void sy_result_warn(struct sy_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
