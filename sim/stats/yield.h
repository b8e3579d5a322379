/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many dies a wafer has, and how many of them work.
 *
 * The four yield models are one: defects on a die are Poisson with a mean that
 * varies over wafers and lots, and the models differ in how it varies. For
 * L = area x defect density the share of dies without a defect is
 *   poisson            e^-L                    it does not vary
 *   murphy             ((1 - e^-L) / L)^2      triangular from 0 to 2L (Murphy 1964)
 *   seeds              1 / (1 + L)             exponential (Seeds 1967)
 *   negative-binomial  (1 + L/alpha)^-alpha    gamma of shape alpha (Stapper 1973)
 * Harvesting (a die with a bad core is sold with the core off) follows from the
 * same mixture. Pure functions, thread safe.
 */
#ifndef SY_STATS_YIELD_H
#define SY_STATS_YIELD_H

#include <stdint.h>

enum sy_yield_model { SY_YIELD_NEGATIVE_BINOMIAL, SY_YIELD_POISSON, SY_YIELD_MURPHY, SY_YIELD_SEEDS, SY_YIELD_MODELS };
extern const char *const sy_yield_names[SY_YIELD_MODELS];

/* Whole dies of `die_mm2` on a wafer: pi d^2 / 4A - pi d / sqrt(2A), d without the rim, A a square die with its saw
 * street. A mean, not a whole number; 0 when none fits. */
double sy_dies_per_wafer(double die_mm2, double wafer_mm, double edge_mm, double scribe_mm);
/* Share of dies without a defect. alpha is of the negative binomial. */
double sy_yield(enum sy_yield_model model, double defects, double alpha);
/* Share of dies with at least `needed` of `cores` good cores and no defect elsewhere; core_defects of one core,
 * rest_defects of what is no core. needed = cores is sy_yield of the sum. Quadrature over the mixture, all terms
 * positive; relative error below 1e-6 for a core share up to 100 defects. */
double sy_yield_harvested(enum sy_yield_model model, double core_defects, double rest_defects, uint32_t cores,
                          uint32_t needed, double alpha);

#endif
