/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycle fidelity of an array: every register of every PE is stepped, with real
 * numbers in it. It decides when words may enter from what is in the registers,
 * never from the closed forms (array_timing.h), and is the judge of those: its
 * cycle counts equal theirs, and its products equal a plain GEMM.
 *
 * Summation order (floats): os adds k ascending in the PE, starting from
 * zero; with a running sum the PE starts from what it held and the
 * reader subtracts the previous drain. ws and is start a fold from zero and add
 * its k ascending down the column; sums of K folds are then added in fold order,
 * or, when they re-enter at the top, each fold starts from the previous one's.
 *
 * Thread safe: a run owns its memory.
 */
#ifndef SY_ENGINE_ARRAY_CYCLE_H
#define SY_ENGINE_ARRAY_CYCLE_H

#include "arch/array_timing.h"
#include "sim/engine/array_number.h"
#include "sim/engine/array_timing.h"

/* A part of the GEMM that is on the array at once: rows m0 .. m0 + m - 1 and so on. */
struct sy_cycle_fold {
    uint64_t m0, m, k0, k, n0, n;
};

/* What an observer sees of one PE in the period just evaluated. */
struct sy_cycle_pe {
    bool operand_valid, sum_valid;
    union sy_number operand, stationary, sum; /* left operand; weight (ws, is) or vertical operand (os) */
};
struct sy_cycle_view;
struct sy_cycle_pe sy_cycle_view_pe(const struct sy_cycle_view *view, uint64_t row, uint64_t col);

/* A word on a port of the array. Period 0: the first word of the run is on its port. */
enum sy_cycle_port { SY_PORT_LEFT, SY_PORT_TOP, SY_PORT_WEIGHT, SY_PORT_BIAS, SY_PORT_RESULT };
struct sy_cycle_port_word {
    enum sy_cycle_port port;
    uint64_t period;
    uint64_t row, col; /* LEFT: row of the port; TOP, WEIGHT, BIAS, RESULT: column; RESULT, os: the PE it comes from */
    uint64_t fold;
    uint64_t index; /* LEFT, TOP: beat of the fold; WEIGHT, BIAS: row it is for; RESULT: beat (ws, is) or row (os) */
    bool last;      /* LEFT, TOP: the fold's last beat */
    union sy_number value; /* RESULT: of the fold, as it leaves */
};

/*
 * A look at a run in the period in which a beat enters, before anything of that
 * beat is in a register. `state` is a digest of all that decides when further
 * words move: every register's kind of word, its fold and beat (counted from
 * those of the mark), control and its clocks (counted from the mark's period).
 * Equal states and equal folds from there on are equal futures but for a shift
 * in time; for two marks of one fold, as long as beats are left. Values of
 * numbers are not part of it: none of them moves a word.
 */
struct sy_cycle_mark {
    uint64_t fold, beat;           /* which; marks in the order in which beats enter */
    uint64_t period;               /* out: of the beat on its port; only differences mean something */
    uint64_t state[2];             /* out */
    uint64_t first_port, end_port; /* out: results that leave the edge between this mark and the next are on the port
                                      from the one period until before the other; end_port 0 when none does */
};

struct sy_cycle_job {
    const struct sy_array_timing *timing; /* passed sy_array_timing_check() */
    enum sy_dataflow_kind dataflow;
    uint64_t rows, cols;
    enum sy_dtype format;
    uint64_t m, k, n;
    const union sy_number *a;         /* m x k, row major */
    const union sy_number *b;         /* k x n, row major */
    union sy_number *c;               /* m x n, row major, overwritten */
    const struct sy_cycle_fold *fold; /* in order; NULL: all folds of the GEMM in the timing's fold order */
    uint64_t folds;
    uint64_t *first_beat; /* NULL, or room for one figure a fold: period of its first beat on the port */
    /* the testbench */
    uint64_t tile_interval;                       /* first beats no closer than this; 0 = as close as possible */
    uint64_t feeder_gap_every, feeder_gap_cycles; /* after so many beats, so many periods are missed */
    uint64_t sink_low_cycles;                     /* consumer not ready so long after each accepted beat */
    struct sy_cycle_mark *mark; /* looks to take, or NULL; only without a testbench's gaps and early drive */
    uint64_t marks;
    bool early; /* drive following folds one period earlier than the registers allow: shows that a schedule is tight */
    /* called after every evaluated period; may be NULL */
    void (*observe)(void *ctx, uint64_t period, const struct sy_cycle_view *view);
    void *observe_ctx;
    /* called for every word when it is put on an input port, and for every result of the GEMM when it leaves; in no
     * order of periods; may be NULL */
    void (*port)(void *ctx, const struct sy_cycle_port_word *word);
    void *port_ctx;
};

struct sy_cycle_result {
    uint64_t cycles;      /* first beat -> last result on the port, inclusive (the design's convention) */
    uint64_t lead_cycles; /* first preloaded word -> first beat */
    uint64_t cycles_incl_preload;
    uint64_t first_result_cycle; /* first beat -> first result on the port, inclusive */
    uint64_t beats;              /* operand beats that entered, padding included */
    uint64_t frozen_cycles;      /* periods a refused result stopped the array */
    uint64_t periods;            /* evaluated */
    char problem[160];           /* what went wrong inside the array, or "" */
};

enum { SY_CYCLE_MAX_PES = 1 << 22, SY_CYCLE_MAX_FOLDS = 1 << 22 };

/* SY_UNSUPPORTED with `problem` when the design cannot run the job (two words
 * met in one register, results were lost, or it came to a halt); SY_USAGE for a
 * fold outside the GEMM or larger than the array, or too large an array. */
enum sy_status sy_array_cycle_run(const struct sy_cycle_job *job, struct sy_cycle_result *out);

/*
 * A testbench's schedule (array_timing.h) at cycle fidelity, with operands
 * drawn from the seed. *products_right: every element of C equals a plain GEMM
 * (integer formats only; others are not compared and count as right). Status
 * and figures as sy_array_schedule_cycles, except that a tile interval shorter
 * than the array allows is waited for, not refused.
 */
enum sy_status sy_array_schedule_step(const struct sy_array_timing *timing, const struct sy_array_schedule *schedule,
                                      enum sy_dtype format, uint64_t seed, struct sy_array_cycles *out,
                                      bool *products_right);

/* The folds of the GEMM in the timing's fold order. *fold is malloc'ed. */
enum sy_status sy_cycle_folds_of(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                 uint64_t cols, uint64_t m, uint64_t k, uint64_t n, struct sy_cycle_fold **fold,
                                 uint64_t *folds);
/* The same for k cut in segments (sy_array_run_of_cut). */
enum sy_status sy_cycle_folds_of_cut(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow,
                                     uint64_t rows, uint64_t cols, uint64_t m, const struct sy_array_cut *k, uint64_t n,
                                     struct sy_cycle_fold **fold, uint64_t *folds);

#endif
