/* SPDX-License-Identifier: Apache-2.0 */
/* A chip project over time. See cost_program.h. */
#include "sim/stats/cost_program.h"

#include <math.h>
#include <stdbool.h>

static const double never = (double)INFINITY;
static const int most_steps = 200;

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
    if (fabs(y) > 0.1)
        return (expm1(y) * (y - 1) + y) / (a * a);
    double term = 1, sum = 0;
    for (int n = 0; n < 10; n++) {
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

/* ---- solving ---- */

/* A function that rises from at most 0 at low to at least 0 at high. */
struct rising {
    double (*at)(const struct sy_program *program, double x);
    const struct sy_program *program;
};

struct bracket {
    double low, high, at_low, at_high;
    bool was_below; /* the last step replaced low */
};

/* The secant, or the middle: now and then for what is no smooth curve (the end of a ramp, the day the incumbent is
 * cheaper), and where the secant leaves the bracket. */
static double guess(const struct bracket *b, int step)
{
    double x = b->high - b->at_high * ((b->high - b->low) / (b->at_high - b->at_low));
    return step % 4 != 3 && x > b->low && x < b->high ? x : b->low + (b->high - b->low) / 2;
}

/* Illinois: an end that stays twice counts half, so that both ends close in. */
static void shrink(struct bracket *b, double x, double now, bool first)
{
    bool below = now < 0;
    *(below ? &b->low : &b->high) = x;
    *(below ? &b->at_low : &b->at_high) = now;
    if (!first && below == b->was_below)
        *(below ? &b->at_high : &b->at_low) /= 2;
    b->was_below = below;
}

/* Where it is 0. */
static double solve(struct rising f, double low, double high)
{
    struct bracket b = {low, high, f.at(f.program, low), f.at(f.program, high), false};
    double best = high, least = fabs(b.at_high);
    if (b.at_low >= 0)
        return low;
    for (int i = 0; i < most_steps && least > 0 && b.high - b.low > 4e-16 * fabs(b.high); i++) {
        double x = guess(&b, i);
        if (x <= b.low || x >= b.high)
            break;
        double now = f.at(f.program, x);
        if (fabs(now) < least) {
            least = fabs(now);
            best = x;
        }
        shrink(&b, x, now, i == 0);
    }
    return best;
}

static double left_after(const struct sy_program *p, double years)
{
    return sy_program_savings(p, years) - sy_program_cost(p);
}

double sy_program_payback(const struct sy_program *p)
{
    double cost = sy_program_cost(p);
    if (cost <= 0)
        return 0;
    if (sy_program_savings(p, p->service) < cost)
        return never;
    return solve((struct rising){left_after, p}, 0, p->service);
}

static double npv_at_factor(const struct sy_program *p, double factor)
{
    struct sy_program other = *p;
    other.incumbent = p->incumbent * factor;
    return sy_program_npv(&other);
}

double sy_program_breakeven_factor(const struct sy_program *p)
{
    double low = 0, high = 1;
    while (high <= 1e6 && npv_at_factor(p, high) < 0) {
        low = high;
        high *= 2;
    }
    return high > 1e6 ? never : solve((struct rising){npv_at_factor, p}, low, high);
}

static double loss_when_late(const struct sy_program *p, double late)
{
    struct sy_program other = *p;
    other.late = late;
    return -sy_program_npv(&other);
}

double sy_program_latest(const struct sy_program *p)
{
    if (!(loss_when_late(p, 0) < 0))
        return (double)NAN;
    return solve((struct rising){loss_when_late, p}, 0, p->service);
}
