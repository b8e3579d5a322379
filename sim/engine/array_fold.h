/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One fold on the array: the periods in which its words enter and its results
 * leave, relative to its first beat. Private to the closed forms.
 */
#ifndef SY_ENGINE_ARRAY_FOLD_H
#define SY_ENGINE_ARRAY_FOLD_H

#include "sim/base/checked.h"
#include "sim/engine/array_timing.h"

/* Arithmetic that remembers whether any step did not fit. */
struct sy_calc {
    bool overflow;
};

static inline uint64_t sy_calc_add(struct sy_calc *calc, uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    calc->overflow |= !sy_add(a, b, &sum);
    return sum;
}
static inline uint64_t sy_calc_mul(struct sy_calc *calc, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    calc->overflow |= !sy_mul(a, b, &product);
    return product;
}
static inline uint64_t sy_minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* A fold: PEs with work, and the streamed dimension. */
struct sy_fold_shape {
    uint64_t used_rows, used_cols, stream;
};

/* What a GEMM m x k x n spreads over rows and columns, and what it streams. */
static inline void sy_array_place(enum sy_dataflow_kind dataflow, uint64_t m, uint64_t k, uint64_t n,
                                  struct sy_fold_shape *shape)
{
    shape->used_rows = dataflow == SY_OS ? m : k;
    shape->used_cols = dataflow == SY_IS ? m : n;
    shape->stream = dataflow == SY_OS ? k : dataflow == SY_WS ? m : n;
}

/*
 * Periods counted from the fold's first beat (period 0), or from the end of its
 * interval where said (swap: results leave when the accumulators change roles).
 */
struct sy_fold {
    uint64_t beats;       /* streamed, padding included */
    uint64_t stream;      /* beats x initiation interval */
    uint64_t lead;        /* words loaded before the first beat */
    uint64_t settle;      /* further lead when nothing streams */
    uint64_t first;       /* first result on the port; swap: from the end of the interval */
    uint64_t last;        /* last result on the port; swap: from the end of the interval */
    uint64_t edge_last;   /* last result at the array's edge, before output registers and de-skew */
    uint64_t row_step;    /* periods between two result rows (freeze) */
    uint64_t result_rows; /* result rows a consumer takes (freeze) */
    uint64_t release;     /* first period in which the next fold's lead or beat may enter, holds and shadow aside */
    uint64_t hold;        /* two folds' last beats may be no closer (shift_registers) */
    uint64_t drain;       /* swap: shifts until all sums have left */
    uint64_t on_wires;    /* operand_wires: periods the sums are on the wires */
    uint64_t finish;      /* operand_wires: the period in which sums are selected */
    uint64_t descent;     /* ws, is: periods from the first used row's adder to the last row's */
    uint64_t reentry;     /* ws, is: a sum may re-enter beside a beat so many periods after its own beat */
};

/* Timing of one fold. shape must fit rows x cols and be non-zero. */
struct sy_fold sy_fold_timing(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                              uint64_t cols, struct sy_fold_shape shape, struct sy_calc *calc);

/* Distance of two first beats, and what it is made of:
 * total = stream + fill_drain + preload + output. */
struct sy_fold_interval {
    uint64_t total, fill_drain, preload, output;
};

/* What surrounds a fold in a run. */
struct sy_fold_context {
    const struct sy_fold *previous; /* NULL: nothing ran before */
    const struct sy_fold
        *next;      /* NULL: nothing follows; the interval then ends where a fold without a lead could start */
    bool continues; /* the next fold adds to this one's sums */
};
struct sy_fold_interval sy_fold_interval(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow,
                                         const struct sy_fold *fold, struct sy_fold_context context,
                                         struct sy_calc *calc);

#endif
