/* SPDX-License-Identifier: Apache-2.0 */
/* What the ranges of the inputs do to the answers. See cost_case.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/random.h"
#include "sim/stats/cost_case.h"

enum { MOST_SAMPLES = 1000000 };

void sy_cost_case_values(const struct sy_cost_case *cost, double in[SY_COST_ITEMS])
{
    for (int i = 0; i < SY_COST_ITEMS; i++)
        in[i] = cost->input[i].known ? cost->input[i].value : (double)NAN;
}

void sy_cost_with(const struct sy_cost_case *cost, enum sy_cost_item item, double value, double out[SY_COST_OUTPUTS])
{
    double in[SY_COST_ITEMS];
    sy_cost_case_values(cost, in);
    in[item] = value;
    sy_cost_evaluate(&cost->choice, in, out);
}

static bool differ(double a, double b)
{
    return isnan(a) != isnan(b) || a < b || a > b;
}

static bool has_range(const struct sy_cost_input *input)
{
    return input->known && input->low < input->high;
}

/* ---- one at a time ---- */

static double width(const struct sy_cost_swing *swing)
{
    double apart = fabs(swing->at_high - swing->at_low);
    return isnan(apart) ? 0 : apart;
}

static int by_width(const void *a, const void *b)
{
    const struct sy_cost_swing *x = a, *y = b;
    double first = width(x), second = width(y);
    return first > second ? -1 : first < second ? 1 : x->item < y->item ? -1 : x->item > y->item;
}

uint32_t sy_cost_tornado(const struct sy_cost_case *cost, enum sy_cost_output output,
                         struct sy_cost_swing swing[SY_COST_ITEMS])
{
    double out[SY_COST_OUTPUTS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        if (!has_range(&cost->input[i]))
            continue;
        struct sy_cost_swing *one = &swing[count];
        one->item = (enum sy_cost_item)i;
        sy_cost_with(cost, one->item, cost->input[i].low, out);
        one->at_low = out[output];
        sy_cost_with(cost, one->item, cost->input[i].high, out);
        one->at_high = out[output];
        count += differ(one->at_low, one->at_high);
    }
    qsort(swing, count, sizeof swing[0], by_width);
    return count;
}

/* ---- what depends on what ---- */

/* Another value that the item may have. */
static double moved(enum sy_cost_item item, double value)
{
    const struct sy_cost_item_info *info = &sy_cost_items[item];
    double step = info->flags & SY_COST_WHOLE ? 1 : value > 0 || value < 0 ? value / 64 : 1.0 / 64;
    return value + step <= info->most ? value + step : value - step;
}

void sy_cost_trace(const struct sy_cost_case *cost, struct sy_cost_links *links)
{
    double out[SY_COST_OUTPUTS];
    memset(links, 0, sizeof *links);
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        if (!cost->input[i].known)
            continue;
        sy_cost_with(cost, (enum sy_cost_item)i, moved((enum sy_cost_item)i, cost->input[i].value), out);
        for (int o = 0; o < SY_COST_OUTPUTS; o++)
            links->on[o][i] = differ(out[o], cost->out[o]);
    }
}

/* ---- late ---- */

uint32_t sy_cost_delays(const struct sy_cost_case *cost, struct sy_cost_delay delay[SY_COST_DELAYS])
{
    static const double months[SY_COST_DELAYS] = {0, 3, 6, 9, 12, 18, 24};
    double out[SY_COST_OUTPUTS];
    uint32_t count = 0;
    if (isnan(cost->out[SY_OUT_NPV]))
        return 0;
    while (count < SY_COST_DELAYS && months[count] < 12 * cost->input[SY_COST_SERVICE_YEARS].value) {
        sy_cost_with(cost, SY_COST_MONTHS_LATE, months[count], out);
        struct sy_cost_delay one = {months[count], out[SY_OUT_NPV], 0, out[SY_OUT_PAYBACK]};
        one.loss = count ? delay[0].npv - one.npv : 0;
        delay[count++] = one;
    }
    return count;
}

/* ---- all at once ---- */

double sy_triangular(double u, double low, double mode, double high)
{
    double range = high - low, below = mode - low;
    if (!(range > 0))
        return mode;
    if (u * range < below)
        return low + sqrt(u * range * below);
    return high - sqrt((1 - u) * range * (high - mode));
}

static void sample(const struct sy_cost_case *cost, struct sy_random *random, double in[SY_COST_ITEMS])
{
    sy_cost_case_values(cost, in);
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        const struct sy_cost_input *input = &cost->input[i];
        if (!has_range(input))
            continue;
        in[i] = sy_triangular(sy_random_unit(random), input->low, input->value, input->high);
        if (sy_cost_items[i].flags & SY_COST_WHOLE)
            in[i] = floor(in[i] + 0.5);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_rank(const double *sorted, uint64_t count, double share)
{
    double rank = ceil(share * (double)count);
    return sorted[rank < 1 ? 0 : (uint64_t)rank - 1];
}

static void put_spread(struct sy_cost_spread *spread, double *value, uint64_t count)
{
    double sum = 0;
    uint64_t finite = 0;
    qsort(value, count, sizeof *value, by_value);
    for (uint64_t i = 0; i < count; i++)
        if (isfinite(value[i])) {
            sum += value[i];
            finite++;
        }
    spread->mean = finite ? sum / (double)finite : (double)NAN;
    spread->share_finite = (double)finite / (double)count;
    spread->p10 = at_rank(value, count, 0.1);
    spread->p50 = at_rank(value, count, 0.5);
    spread->p90 = at_rank(value, count, 0.9);
}

enum sy_status sy_cost_monte_carlo(const struct sy_cost_case *cost, uint64_t samples, uint64_t seed,
                                   struct sy_cost_risk *risk, struct sy_diag *diag)
{
    static const enum sy_cost_output wanted[SY_COST_SAMPLED] = {
        SY_OUT_DIE_USD,   SY_OUT_CHIP_USD,          SY_OUT_OWN_TCO_M,
        SY_OUT_INC_TCO_M, SY_OUT_SAVING_SHARE,      SY_OUT_SAVING_YEAR,
        SY_OUT_NRE,       SY_OUT_DEVELOPMENT,       SY_OUT_PAYBACK,
        SY_OUT_NPV,       SY_OUT_NEGOTIATION_SHARE, SY_OUT_NEGOTIATION_USD};
    struct sy_random random;
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    if (!samples || samples > MOST_SAMPLES) {
        sy_error(diag, SY_NOWHERE, NULL, "Monte-Carlo takes 1 to %d samples", MOST_SAMPLES);
        return SY_USAGE;
    }
    *risk = (struct sy_cost_risk){.samples = samples, .seed = seed, .gain_share = (double)NAN};
    for (int i = 0; i < SY_COST_SAMPLED; i++)
        if (!isnan(cost->out[wanted[i]]))
            risk->spread[risk->spreads++].output = wanted[i];
    double *value = malloc(samples * SY_COST_SAMPLED * sizeof *value);
    if (!value)
        return SY_NOMEM;
    uint64_t gains = 0;
    sy_random_seed(&random, seed);
    for (uint64_t s = 0; s < samples; s++) {
        sample(cost, &random, in);
        sy_cost_evaluate(&cost->choice, in, out);
        gains += out[SY_OUT_NPV] > 0;
        for (uint32_t i = 0; i < risk->spreads; i++)
            value[i * samples + s] = out[risk->spread[i].output];
    }
    for (uint32_t i = 0; i < risk->spreads; i++)
        put_spread(&risk->spread[i], value + i * samples, samples);
    if (!isnan(cost->out[SY_OUT_NPV]))
        risk->gain_share = (double)gains / (double)samples;
    free(value);
    return SY_OK;
}
