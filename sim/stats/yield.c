/* SPDX-License-Identifier: Apache-2.0 */
/* Dies per wafer and yield. See yield.h. */
#include "sim/stats/yield.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

const char *const sy_yield_names[SY_YIELD_MODELS] = {"negative-binomial", "poisson", "murphy", "seeds"};

double sy_dies_per_wafer(double die_mm2, double wafer_mm, double edge_mm, double scribe_mm)
{
    double side = sqrt(die_mm2) + scribe_mm, area = side * side, diameter = wafer_mm - 2 * edge_mm;
    if (diameter <= 0 || area <= 0)
        return 0;
    double dies = pi * diameter * diameter / (4 * area) - pi * diameter / sqrt(2 * area);
    return dies < 0 ? 0 : dies;
}

double sy_yield(enum sy_yield_model model, double defects, double alpha)
{
    double share = 1;
    if (defects <= 0)
        return 1;
    switch (model) {
    case SY_YIELD_POISSON:
        return exp(-defects);
    case SY_YIELD_MURPHY:
        share = -expm1(-defects) / defects;
        return share * share;
    case SY_YIELD_SEEDS:
        return 1 / (1 + defects);
    case SY_YIELD_NEGATIVE_BINOMIAL:
    case SY_YIELD_MODELS:
        break;
    }
    return exp(-alpha * log1p(defects / alpha));
}

/* ---- harvesting ---- */

struct die {
    double core, rest; /* mean defects */
    uint32_t cores, needed;
};

/* The share that can be sold where the density is x times its mean. Terms of the binomial from all cores good down;
 * each follows from the one before, in logarithms where the first would underflow. */
static double sold_at(const struct die *die, double x)
{
    double bad = -expm1(-die->core * x), sum = 0;
    if (bad <= 0)
        return exp(-die->rest * x);
    double log_ratio = log(bad) + die->core * x; /* of bad to good */
    double term = -die->core * x * (double)die->cores - die->rest * x;
    for (uint32_t i = die->cores;; i--) {
        sum += exp(term);
        if (i == die->needed)
            return sum;
        term += log((double)i / (double)(die->cores - i + 1)) + log_ratio;
    }
}

/* Gamma of shape and mean 1: x = e^s / shape, where the trapezoid rule converges faster than any power of its step. */
static double over_gamma(const struct die *die, double shape)
{
    double wide = 12 / sqrt(shape), step = fmin(0.125, 0.5 / sqrt(shape));
    double first = log(shape) - 40 / shape - wide, last = log(shape + 60 + 12 * sqrt(shape));
    double sum = 0, weights = 0, peak = shape * log(shape) - shape;
    for (uint32_t i = 0; first + i * step <= last; i++) {
        double s = first + i * step, weight = exp(shape * s - exp(s) - peak);
        weights += weight;
        sum += weight * sold_at(die, exp(s) / shape);
    }
    return sum / weights;
}

/* Triangle from 0 to 2, by Gauss-Legendre of five points on panels. */
static double over_triangle(const struct die *die)
{
    static const double at[5] = {0, 0.538469310105683, -0.538469310105683, 0.906179845938664, -0.906179845938664};
    static const double weight[5] = {0.568888888888889, 0.478628670499366, 0.478628670499366, 0.236926885056189,
                                     0.236926885056189};
    enum { PANELS = 64 };
    double sum = 0, half = 1.0 / PANELS;
    for (int panel = 0; panel < PANELS; panel++)
        for (int i = 0; i < 5; i++) {
            double x = half * (2 * panel + 1 + at[i]);
            sum += half * weight[i] * (x < 1 ? x : 2 - x) * sold_at(die, x);
        }
    return sum;
}

double sy_yield_harvested(enum sy_yield_model model, double core_defects, double rest_defects, uint32_t cores,
                          uint32_t needed, double alpha)
{
    struct die die = {core_defects, rest_defects, cores, needed};
    if (needed >= cores)
        return sy_yield(model, core_defects * cores + rest_defects, alpha);
    switch (model) {
    case SY_YIELD_POISSON:
        return sold_at(&die, 1);
    case SY_YIELD_MURPHY:
        return over_triangle(&die);
    case SY_YIELD_SEEDS:
        return over_gamma(&die, 1);
    case SY_YIELD_NEGATIVE_BINOMIAL:
    case SY_YIELD_MODELS:
        break;
    }
    return over_gamma(&die, alpha);
}
