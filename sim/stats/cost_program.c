/* SPDX-License-Identifier: Apache-2.0 */
/* A chip project over time. See cost_program.h. */
#include "sim/stats/cost_program.h"

#include <math.h>

static const double never = (double)INFINITY;
static const int halvings = 200; /* of an interval: far beyond the digits of a double */

/* ---- integrals ---- */

/* Of e^(a u) from 0 to x. */
static double integral_0(double a, double x)
{
    return fabs(a * x) < 1e-300 ? x : expm1(a * x) / a;
}

/* Of u e^(a u) from 0 to x: x^2 times a series where the closed form loses its digits. */
static double integral_1(double a, double x)
{
    double y = a * x;
    if (fabs(y) > 0.5)
        return (exp(y) * (y - 1) + 1) / (a * a);
    double term = 1, sum = 0;
    for (int n = 0; n < 24; n++) {
        sum += term / (n + 2);
        term *= y / (n + 1);
    }
    return x * x * sum;
}

double sy_ramp_integral(double rate, double start, double ramp, double t0, double t1)
{
    if (!(t1 > t0))
        return 0;
    double full = start + ramp, u0 = t0 - start, u1 = fmin(t1, full) - start, sum = 0;
    if (ramp > 0 && u1 > u0)
        sum = exp(rate * start) * (integral_1(rate, u1) - integral_1(rate, u0)) / ramp;
    double from = fmax(t0, full);
    if (t1 > from)
        sum += exp(rate * from) * integral_0(rate, t1 - from);
    return sum;
}

/* ---- the program ---- */

/* Years from today at which the incumbent becomes the cheaper one. */
static double overtaken(const struct sy_program *p, double own, double incumbent)
{
    double rate = p->decline + p->shift;
    if (!(incumbent > own))
        return -never;
    return own > 0 && rate > 0 ? log(incumbent / own) / rate : never;
}

static double class_savings(const struct sy_program *p, const struct sy_program_class *one, double years)
{
    double own = p->own * one->own, incumbent = p->incumbent * one->incumbent;
    double start = p->launch + p->late, end = fmin(start + years, p->launch + p->service);
    end = fmin(end, overtaken(p, own, incumbent));
    double rate = p->growth + one->growth - p->discount;
    return p->demand * one->share *
           (incumbent * sy_ramp_integral(rate - p->decline, start, p->ramp, start, end) -
            own * sy_ramp_integral(rate + p->shift, start, p->ramp, start, end));
}

static const struct sy_program_class all_work = {1, 0, 1, 1};

double sy_program_savings(const struct sy_program *p, double years)
{
    double sum = 0;
    if (!p->classes)
        return class_savings(p, &all_work, years);
    for (unsigned i = 0; i < p->classes; i++)
        sum += class_savings(p, &p->mix[i], years);
    return sum;
}

double sy_program_served(const struct sy_program *p, const struct sy_program_class *one)
{
    return overtaken(p, p->own * one->own, p->incumbent * one->incumbent);
}

double sy_program_cost(const struct sy_program *p)
{
    double nre = p->launch > 0 ? p->nre * integral_0(-p->discount, p->launch) / p->launch : p->nre;
    return nre + p->late_cost_year * exp(-p->discount * p->launch) * integral_0(-p->discount, p->late);
}

double sy_program_npv(const struct sy_program *p)
{
    return sy_program_savings(p, p->service) - sy_program_cost(p);
}

double sy_program_payback(const struct sy_program *p)
{
    double cost = sy_program_cost(p), low = 0, high = p->service;
    if (cost <= 0)
        return 0;
    if (sy_program_savings(p, high) < cost)
        return never;
    for (int i = 0; i < halvings && high > low; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (sy_program_savings(p, middle) < cost)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double sy_program_breakeven_factor(const struct sy_program *p)
{
    struct sy_program other = *p;
    double low = 0, high = 1;
    for (; high <= 1e6; high *= 2) {
        other.incumbent = p->incumbent * high;
        if (sy_program_npv(&other) >= 0)
            break;
        low = high;
    }
    if (high > 1e6)
        return never;
    for (int i = 0; i < halvings; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        other.incumbent = p->incumbent * middle;
        if (sy_program_npv(&other) < 0)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double sy_program_latest(const struct sy_program *p)
{
    struct sy_program other = *p;
    double low = 0, high = p->service;
    other.late = 0;
    if (!(sy_program_npv(&other) > 0))
        return (double)NAN;
    for (int i = 0; i < halvings; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        other.late = middle;
        if (sy_program_npv(&other) > 0)
            low = middle;
        else
            high = middle;
    }
    return high;
}
