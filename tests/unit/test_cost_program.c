/* SPDX-License-Identifier: Apache-2.0 */
/* A chip project over time against closed forms of simple cases and against plain summation of small steps. */
#include "sim/stats/cost_program.h"

#include <math.h>
#include <stdbool.h>

#include "sim/base/random.h"
#include "tests/unit/base_support.h"

static struct sy_random random_numbers;

static double between(double low, double high)
{
    return low + (high - low) * sy_random_unit(&random_numbers);
}

static void setup(void)
{
    sy_random_seed(&random_numbers, 42);
}

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

/* The billion: 1e9 a year, 20% saved, 2e8 of one-off cost. */
static const struct sy_program billion = {.demand = 1e9, .own = 0.8, .incumbent = 1, .nre = 2e8, .service = 4};

START_TEST(a_billion_with_a_fifth_saved_pays_two_hundred_million_in_a_year)
{
    struct sy_program p = billion;
    ck_assert(near(sy_program_payback(&p), 1, 1e-14));
    ck_assert(near(sy_program_npv(&p), 4 * 2e8 - 2e8, 1e-14));
    ck_assert(near(sy_program_latest(&p), 4 - 1, 1e-14));
    p.own = 0.9;
    ck_assert(near(sy_program_payback(&p), 2, 1e-14));
    p.own = 0.96; /* 5 years: longer than the service */
    ck_assert(isinf(sy_program_payback(&p)));
    ck_assert(isnan(sy_program_latest(&p)));
    p.own = 1.1; /* dearer: nobody uses it */
    ck_assert_double_eq(sy_program_npv(&p), -2e8);
    p.nre = 0;
    ck_assert_double_eq(sy_program_payback(&p), 0);
}
END_TEST

START_TEST(payback_has_the_closed_form_of_a_ramp_and_of_an_annuity)
{
    for (int i = 0; i < 200; i++) {
        struct sy_program p = billion;
        double saving = between(1e8, 4e8), years = between(0.05, 3);
        p.own = 1 - saving / 1e9;
        p.nre = saving * years;
        p.service = 50;
        p.ramp = between(0.1, 4);
        double want = years >= p.ramp / 2 ? years + p.ramp / 2 : sqrt(2 * p.ramp * years);
        ck_assert(near(sy_program_payback(&p), want, 1e-9));
        p.ramp = 0;
        p.discount = between(0.001, 0.2);
        ck_assert(near(sy_program_payback(&p), -log(1 - p.discount * years) / p.discount, 1e-9));
        ck_assert(near(sy_program_savings(&p, 7), saving * (1 - exp(-7 * p.discount)) / p.discount, 1e-9));
        /* Growth is a negative discount when nothing comes before. */
        struct sy_program grown = p;
        grown.growth = between(0, 0.5);
        struct sy_program same = grown;
        same.growth = 0;
        same.discount = grown.discount - grown.growth;
        ck_assert(near(sy_program_savings(&grown, 9), sy_program_savings(&same, 9), 1e-9));
    }
}
END_TEST

START_TEST(the_breakeven_factor_has_its_closed_form_without_change)
{
    for (int i = 0; i < 200; i++) {
        struct sy_program p = billion;
        p.own = between(0.1, 2);
        p.nre = between(1e6, 3e9);
        p.service = between(1, 8);
        double want = p.own + p.nre / (p.demand * p.service);
        ck_assert(near(sy_program_breakeven_factor(&p), want, 1e-12));
    }
}
END_TEST

static double ramp_at(double t, double start, double ramp)
{
    return ramp > 0 && t < start + ramp ? (t - start) / ramp : 1;
}

/* Simpson's rule on either side of the end of the ramp. */
static double summed(double rate, double start, double ramp, double from, double to)
{
    enum { STEPS = 2000 };
    double sum = 0, step = (to - from) / STEPS;
    if (to <= from)
        return 0;
    for (int i = 0; i <= STEPS; i++) {
        double t = from + i * step, weight = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
        sum += weight * fmin(ramp_at(t, start, ramp), 1) * exp(rate * t);
    }
    return sum * step / 3;
}

START_TEST(the_integral_is_that_of_small_steps)
{
    for (int i = 0; i < 500; i++) {
        double start = between(0, 5), ramp = i % 5 ? between(0, 3) : 0, from = start + between(0, 2);
        double to = from + between(0, 6), full = fmin(fmax(start + ramp, from), to);
        double rate = i % 7 == 0 ? 0 : i % 7 == 1 ? between(-1e-9, 1e-9) : between(-2, 2);
        double want = summed(rate, start, ramp, from, full) + summed(rate, start, ramp, full, to);
        ck_assert_msg(near(sy_ramp_integral(rate, start, ramp, from, to), want, 1e-9), "%d", i);
        ck_assert_double_eq(sy_ramp_integral(rate, start, ramp, to, from), 0);
    }
}
END_TEST

static struct sy_program any_program(void)
{
    return (struct sy_program){.demand = between(1, 1e12),
                               .own = between(0.2, 1.2),
                               .incumbent = 1,
                               .nre = between(1e6, 1e9),
                               .late_cost_year = between(0, 1e8),
                               .launch = between(0, 4),
                               .late = between(0, 1.5),
                               .service = between(2, 6),
                               .ramp = between(0, 2),
                               .discount = between(0, 0.2),
                               .growth = between(-0.1, 0.7),
                               .decline = between(0, 0.4),
                               .shift = between(0, 0.2)};
}

/* Day by day, with the decision of every day: own chips serve while they are cheaper. */
static double npv_by_day(const struct sy_program *p)
{
    const double day = 1 / 2000.0;
    double npv = 0, start = p->launch + p->late;
    for (double t = day / 2; t < p->launch + p->service; t += day) {
        double own = p->own * exp(p->shift * t), incumbent = p->incumbent * exp(-p->decline * t), flow = 0;
        if (t < p->launch)
            flow -= p->nre / p->launch;
        else if (t < start)
            flow -= p->late_cost_year;
        if (t > start && incumbent > own)
            flow += p->demand * exp(p->growth * t) * ramp_at(t, start, p->ramp) * (incumbent - own);
        npv += flow * exp(-p->discount * t) * day;
    }
    return npv;
}

START_TEST(npv_is_the_sum_over_the_days)
{
    for (int i = 0; i < 60; i++) {
        struct sy_program p = any_program();
        p.demand = between(1e7, 1e9);
        double want = npv_by_day(&p), got = sy_program_npv(&p);
        double scale = sy_program_cost(&p) + sy_program_savings(&p, p.service);
        ck_assert_msg(fabs(got - want) <= 2e-3 * scale, "%d: %g, by day %g", i, got, want);
    }
}
END_TEST

START_TEST(what_is_solved_for_makes_the_npv_zero)
{
    uint32_t found[3] = {0};
    for (int i = 0; i < 400; i++) {
        struct sy_program p = any_program(), q = p;
        double cost = sy_program_cost(&p), years = sy_program_payback(&p);
        if (isfinite(years)) {
            ck_assert(near(sy_program_savings(&p, years), cost, 1e-9));
            found[0]++;
        }
        q.incumbent = p.incumbent * sy_program_breakeven_factor(&p);
        if (isfinite(q.incumbent)) {
            ck_assert_double_lt(fabs(sy_program_npv(&q)), 1e-6 * cost);
            found[1]++;
        }
        q = p;
        q.late = sy_program_latest(&p);
        if (!isnan(q.late)) {
            ck_assert_double_lt(fabs(sy_program_npv(&q)), 1e-6 * (cost + p.late_cost_year * 10));
            found[2]++;
        }
    }
    for (int i = 0; i < 3; i++)
        ck_assert_uint_gt(found[i], 50);
}
END_TEST

START_TEST(every_month_late_costs_and_every_improvement_of_the_incumbent_too)
{
    for (int i = 0; i < 100; i++) {
        struct sy_program p = any_program(), q = p;
        double last = INFINITY;
        for (q.late = 0; q.late < p.service; q.late += 0.25) {
            double now = sy_program_npv(&q);
            ck_assert_double_le(now, last);
            last = now;
        }
        q = p;
        q.decline += 0.1;
        ck_assert_double_le(sy_program_npv(&q), sy_program_npv(&p));
        q = p;
        q.shift += 0.1;
        ck_assert_double_le(sy_program_npv(&q), sy_program_npv(&p));
        q = p;
        q.growth += 0.1;
        ck_assert_double_ge(sy_program_npv(&q), sy_program_npv(&p));
    }
}
END_TEST

START_TEST(kinds_of_work_are_projects_side_by_side)
{
    for (int i = 0; i < 200; i++) {
        struct sy_program p = any_program(), alone = p;
        struct sy_program_class mix[3];
        double sum = 0, share = between(0, 0.5), last = INFINITY;
        for (int c = 0; c < 3; c++) {
            mix[c] = (struct sy_program_class){c < 2 ? share : 1 - 2 * share, between(-0.5, 1), between(0.5, 2),
                                               between(0.5, 2)};
            alone.demand = p.demand * mix[c].share;
            alone.own = p.own * mix[c].own;
            alone.incumbent = p.incumbent * mix[c].incumbent;
            alone.growth = p.growth + mix[c].growth;
            sum += sy_program_savings(&alone, 3);
        }
        p.classes = 3;
        p.mix = mix;
        ck_assert(near(sy_program_savings(&p, 3), sum, 1e-12) || sum < 1e-9);
        /* While it is served, and no longer. */
        double until = sy_program_served(&p, &mix[0]);
        if (isfinite(until))
            ck_assert(near(p.own * mix[0].own * exp(p.shift * until),
                           p.incumbent * mix[0].incumbent * exp(-p.decline * until), 1e-9));
        /* Work that moves to a kind that suits the chip less saves less. */
        p.own = 0.5 * p.incumbent;
        for (mix[0].own = mix[0].incumbent = mix[1].own = mix[1].incumbent = mix[2].incumbent = 1, mix[2].own = 1;
             mix[2].own < 3; mix[2].own += 0.5) {
            double now = sy_program_savings(&p, 3);
            ck_assert_double_le(now, last);
            last = now;
        }
    }
}
END_TEST

START_TEST(equal_kinds_of_work_are_one)
{
    for (int i = 0; i < 100; i++) {
        struct sy_program p = any_program(), q = p;
        const struct sy_program_class mix[2] = {{0.3, 0, 1, 1}, {0.7, 0, 1, 1}};
        q.classes = 2;
        q.mix = mix;
        ck_assert(near(sy_program_savings(&p, 2), sy_program_savings(&q, 2), 1e-12));
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("program");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_billion_with_a_fifth_saved_pays_two_hundred_million_in_a_year);
    tcase_add_test(tcase, payback_has_the_closed_form_of_a_ramp_and_of_an_annuity);
    tcase_add_test(tcase, the_breakeven_factor_has_its_closed_form_without_change);
    tcase_add_test(tcase, the_integral_is_that_of_small_steps);
    tcase_add_test(tcase, npv_is_the_sum_over_the_days);
    tcase_add_test(tcase, what_is_solved_for_makes_the_npv_zero);
    tcase_add_test(tcase, every_month_late_costs_and_every_improvement_of_the_incumbent_too);
    tcase_add_test(tcase, kinds_of_work_are_projects_side_by_side);
    tcase_add_test(tcase, equal_kinds_of_work_are_one);
    return run_case("cost program", tcase);
}
