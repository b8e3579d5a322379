/* SPDX-License-Identifier: Apache-2.0 */
/* Power over time and heat. See power_time.h. */
#include "sim/stats/power_time.h"

#include <math.h>

static const double MOST_SLOWDOWN = 1000;
static const int STEPS = 60, ROUNDS = 200;

static void divide_layers(struct sy_result *result)
{
    double step = result->seconds / SY_POWER_INTERVALS, start = 0;
    for (uint32_t i = 0; i < SY_POWER_INTERVALS; i++)
        result->power_interval[i] = (struct sy_power_interval){.start_s = i * step, .seconds = step, .slowdown = 1};
    for (uint64_t l = 0; l < result->layers; l++) {
        const struct sy_layer_result *layer = &result->layer[l];
        double seconds = result->seconds * (double)layer->cycles / (double)result->cycles;
        uint32_t first = (uint32_t)(start / step);
        for (uint32_t i = first; i < SY_POWER_INTERVALS && i * step < start + seconds; i++) {
            double from = fmax(start, i * step), to = fmin(start + seconds, (i + 1) * step);
            if (to > from)
                result->power_interval[i].power_w += layer->energy_j * (to - from) / seconds / step;
        }
        start += seconds;
    }
}

/* Temperature after `seconds` at a power. */
static double after(const struct sy_power *power, double from_c, double watts, double seconds)
{
    double settles_c = power->ambient_c + watts * power->thermal_k_per_w;
    return settles_c + (from_c - settles_c) * exp(-seconds / (power->thermal_k_per_w * power->thermal_j_per_k));
}

static double after_slowed(const struct sy_power *power, double from_c, const struct sy_power_interval *interval,
                           double unclocked_w, double slowdown)
{
    double clocked = interval->power_w > unclocked_w ? interval->power_w - unclocked_w : 0;
    double rest = interval->power_w - clocked;
    return after(power, from_c, rest + clocked / slowdown, interval->seconds * slowdown);
}

/* The least slowdown that keeps the limit, by halving; false when none does. */
static bool throttle(const struct sy_power *power, double from_c, double unclocked_w,
                     struct sy_power_interval *interval)
{
    double low = 1, high = MOST_SLOWDOWN;
    interval->slowdown = 1;
    if (after_slowed(power, from_c, interval, unclocked_w, 1) <= power->limit_c)
        return true;
    if (after_slowed(power, from_c, interval, unclocked_w, high) > power->limit_c) {
        interval->slowdown = high;
        return false;
    }
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (after_slowed(power, from_c, interval, unclocked_w, middle) > power->limit_c)
            low = middle;
        else
            high = middle;
    }
    interval->slowdown = high;
    return true;
}

/* One run from a temperature; returns the one it ends with. */
static double heat(struct sy_result *result, const struct sy_power *power, double unclocked_w, double from_c)
{
    result->peak_temperature_c = from_c;
    result->throttled_s = 0;
    result->overheats = false;
    for (uint32_t i = 0; i < result->power_intervals; i++) {
        struct sy_power_interval *interval = &result->power_interval[i];
        if (!throttle(power, from_c, unclocked_w, interval))
            result->overheats = true;
        from_c = after_slowed(power, from_c, interval, unclocked_w, interval->slowdown);
        interval->temperature_c = from_c;
        result->peak_temperature_c = fmax(result->peak_temperature_c, from_c);
        result->throttled_s += interval->seconds * interval->slowdown;
    }
    return from_c;
}

enum sy_status sy_power_over_time(struct sy_result *result, const struct sy_power *power, double unclocked_w)
{
    if (!(result->seconds > 0) || !result->layers || !result->cycles)
        return SY_OK;
    result->power_interval = sy_arena_array(result->arena, SY_POWER_INTERVALS, sizeof *result->power_interval);
    if (!result->power_interval)
        return SY_NOMEM;
    result->power_intervals = SY_POWER_INTERVALS;
    divide_layers(result);
    if (!(power->thermal_k_per_w > 0))
        return SY_OK;
    result->has_thermal = true;
    /* Where the mean power would settle, but no hotter than the limit; then to where a round ends as it began. */
    double from_c =
        fmin(power->limit_c, power->ambient_c + power->thermal_k_per_w * result->energy_j / result->seconds);
    for (int round = 0; round < ROUNDS; round++) {
        double end_c = heat(result, power, unclocked_w, from_c);
        if (fabs(end_c - from_c) < 1e-6)
            break;
        from_c = end_c;
    }
    return SY_OK;
}
