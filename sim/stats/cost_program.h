/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip project over time, in years from today: one-off cost until launch,
 * then savings that ramp up, grow with the workload, shrink as the incumbent
 * gets cheaper and the models move away from what the chip was made for, end
 * with the service life. All rates are continuous, so everything has a closed
 * form. Own chips serve only while they are the cheaper ones. Pure functions.
 */
#ifndef SY_STATS_COST_PROGRAM_H
#define SY_STATS_COST_PROGRAM_H

struct sy_program_class {
    double share;          /* of today's units */
    double growth;         /* continuous, beside that of all work */
    double own, incumbent; /* cost of a unit over that in the program */
};
struct sy_program {
    double demand;         /* units a year, today */
    double own, incumbent; /* cost of a unit, today */
    double nre;            /* spent evenly from today to the planned launch */
    double late_cost_year; /* spending a year from the planned launch to the real one */
    double launch;         /* planned, years from today */
    double late;           /* years */
    double service;        /* years from the planned launch to the end */
    double ramp;           /* years from the real launch to the whole volume */
    double discount;       /* continuous rates a year: ln(1 + share) */
    double growth;         /* of the workload */
    double decline, shift; /* of the incumbent's cost, downwards; of the own cost, upwards */
    unsigned classes;      /* kinds of work; 0: one */
    const struct sy_program_class *mix;
};

/* Integral of min((t - start) / ramp, 1) e^(rate t) from t0 to t1, start <= t0; 0 when t1 <= t0. */
double sy_ramp_integral(double rate, double start, double ramp, double t0, double t1);
/* Discounted savings from the real launch to so many years after it, within the service life. */
double sy_program_savings(const struct sy_program *program, double years);
/* Years from today until which the chip is the cheaper one for a kind of work; negative: never, infinite: always. */
double sy_program_served(const struct sy_program *program, const struct sy_program_class *one);
/* Discounted one-off cost and cost of being late. */
double sy_program_cost(const struct sy_program *program);
/* Savings to the end - cost. */
double sy_program_npv(const struct sy_program *program);
/* Years from the real launch until savings = cost; 0 when there is no cost, infinite when never. */
double sy_program_payback(const struct sy_program *program);
/* The factor on the incumbent's cost at which NPV is 0; infinite when none up to 1e6 is. */
double sy_program_breakeven_factor(const struct sy_program *program);
/* Years late at which NPV is 0, NaN when it is not above 0 in time either. */
double sy_program_latest(const struct sy_program *program);

#endif
