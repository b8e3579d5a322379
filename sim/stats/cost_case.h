/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question of cost: the inputs, each with its range, source and confidence
 * (prices by node, an incumbent, the chip's area and memory, what its runs
 * took), and the answers. Several runs are operating points (batch sizes) of
 * the same workload: each of the two chips works at its cheapest point that
 * meets the response time.
 */
#ifndef SY_STATS_COST_CASE_H
#define SY_STATS_COST_CASE_H

#include "sim/stats/cost.h"
#include "sim/stats/result.h"

enum { SY_COST_MAX_POINTS = 64, SY_COST_SAMPLED = 12 };

struct sy_cost_input {
    bool known;
    double value, low, high;
    const char *source, *confidence, *rule, *note; /* NULL: none */
};

struct sy_cost_point {
    const struct sy_result *result;
    double units, operations, bytes, kernels; /* of one pass */
    double measured;                          /* the incumbent's units a second, NaN = not measured */
    const struct sy_cost_measurement *measurement;
    double latency_s, incumbent_latency_s; /* of a pass; the latter NaN without an incumbent */
    double own_usd_m, incumbent_usd_m;
    bool meets, incumbent_meets; /* the response time */
};

struct sy_cost_case {
    struct sy_cost_choice choice;
    struct sy_cost_input input[SY_COST_ITEMS];
    double out[SY_COST_OUTPUTS];
    const char *chip, *workload, *phase, *incumbent, *incumbent_description; /* NULL: none */
    const char *unit;                                                        /* of work, one: "token" */
    double response_s;                                                       /* 0 = any */
    uint32_t points;
    struct sy_cost_point *point;
    uint32_t own_point, incumbent_point;
};

struct sy_cost_request {
    const struct sy_chip *chip;             /* NULL: a scenario without one */
    const struct sy_result *const *results; /* runs on it, at least one with a chip */
    uint32_t count;
    const char *yield_model; /* NULL = negative-binomial */
    const char *package;     /* "flip-chip" or "interposer"; NULL: an interposer for HBM */
    bool rent;               /* even when the incumbent has a price */
    double response_s;       /* 0 = any */
    double units_per_pass;   /* 0: tokens of a language model, else the batch asked for */
};

/* Everything lives in the arena and borrows from table, chip and results. SY_CHECK_FAILED when no run meets the
 * response time. */
enum sy_status sy_cost_case_make(struct sy_arena *arena, const struct sy_cost_table *table,
                                 const struct sy_cost_request *request, struct sy_cost_case **made,
                                 struct sy_diag *diag);
/* The nominal inputs, unknown ones NaN. */
void sy_cost_case_values(const struct sy_cost_case *cost, double in[SY_COST_ITEMS]);

/* ---- what the ranges do (cost_risk.c) ---- */

/* One input at either end of its range, all others nominal. */
struct sy_cost_swing {
    enum sy_cost_item item;
    double at_low, at_high; /* the output */
};
/* Largest swing first; inputs without a range or effect are left out. Returns how many. */
uint32_t sy_cost_tornado(const struct sy_cost_case *cost, enum sy_cost_output output,
                         struct sy_cost_swing swing[SY_COST_ITEMS]);

struct sy_cost_spread {
    enum sy_cost_output output;
    double mean, p10, p50, p90; /* nearest rank; mean of the finite ones */
    double share_finite;        /* of the samples: a payback may be never */
};
struct sy_cost_risk {
    uint64_t samples, seed;
    uint32_t spreads;
    struct sy_cost_spread spread[SY_COST_SAMPLED];
    double gain_share; /* of samples whose NPV is above 0; NaN when there is none */
};
/* All inputs with a range at once, independent, triangular from low over nominal to high. The same seed gives the same
 * risk. SY_USAGE for no or more than 1e6 samples. */
enum sy_status sy_cost_monte_carlo(const struct sy_cost_case *cost, uint64_t samples, uint64_t seed,
                                   struct sy_cost_risk *risk, struct sy_diag *diag);
/* The value below which a share u of a triangular distribution lies. */
double sy_triangular(double u, double low, double mode, double high);

/* The project so many months behind its plan. */
enum { SY_COST_DELAYS = 7 };
struct sy_cost_delay {
    double months, npv, loss, payback; /* loss: NPV in time - NPV */
};
/* 0 to 24 months; returns how many fit into the service life, 0 without an NPV. */
uint32_t sy_cost_delays(const struct sy_cost_case *cost, struct sy_cost_delay delay[SY_COST_DELAYS]);

/* Which inputs an output depends on, found by moving each. */
struct sy_cost_links {
    bool on[SY_COST_OUTPUTS][SY_COST_ITEMS];
};
void sy_cost_trace(const struct sy_cost_case *cost, struct sy_cost_links *links);
/* The answers with one input at another value. */
void sy_cost_with(const struct sy_cost_case *cost, enum sy_cost_item item, double value, double out[SY_COST_OUTPUTS]);

#endif
