/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power over time, and a lumped thermal model on it.
 *
 * The run is cut into equal intervals; the power of an interval is the energy of
 * the layers in it by their share of time, so the intervals' energies sum to the
 * layers'. Inside a layer power is taken as even.
 *
 * Heat: one resistance to the ambient, one capacity (dT/dt = (P - (T - ambient) /
 * R) / C, solved exactly in each interval). The run is repeated for ever: it begins
 * at the temperature it ends with. Under a limit the clock slows down: what does
 * not go with the clock (leakage, links) is drawn longer, the rest of the
 * interval's energy is spent over the longer time.
 */
#ifndef SY_STATS_POWER_TIME_H
#define SY_STATS_POWER_TIME_H

#include "sim/stats/result.h"

enum { SY_POWER_INTERVALS = 64 };

/* Fill result->power_interval and what the thermal model says. unclocked_w: power that does not go with the clock. */
enum sy_status sy_power_over_time(struct sy_result *result, const struct sy_power *power, double unclocked_w);

#endif
