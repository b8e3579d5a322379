/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed forms of an array's cycles: what a design (arch/array_timing.h) costs
 * for a tile, for folds back to back, and between runs.
 *
 * Cycles are inclusive clock periods: a result that is on the output port r
 * periods after the period of the first operand gives r + 1. "First beat" is
 * the period in which row 0 / column 0 of the first streamed beat is on its
 * input port; a preload runs before it. Derivations: docs/model-array.md.
 *
 * All functions are pure, thread safe, allocate nothing, and check every
 * product: SY_OVERFLOW when a figure does not fit 64 bits.
 */
#ifndef SY_ENGINE_ARRAY_TIMING_H
#define SY_ENGINE_ARRAY_TIMING_H

#include "arch/array_timing.h"
#include "sim/base/status.h"

/* ---- what the event engine schedules: a run ---- */

/*
 * All folds of one on-chip GEMM tile, back to back. Within the run
 *   occupancy_cycles = beats + preload_exposed_cycles + output_bound_cycles + fill_drain_cycles.
 */
struct sy_array_run {
    uint64_t folds, row_folds;       /* row_folds: of them along the rows, each over all columns */
    uint64_t lead_cycles;            /* preload before the first beat when nothing hides it, settling included */
    uint64_t lead_settle_cycles;     /* the part of it that only a run behind nothing pays */
    uint64_t lead_hidden_cycles;     /* how much of the next run's lead can pass under this run's last stream */
    uint64_t hidden_settle_cycles;   /* the part of it that stands for settling */
    uint64_t occupancy_cycles;       /* first beat -> earliest first beat of a following run that has no lead */
    uint64_t latency_cycles;         /* first beat -> last result on the port, inclusive */
    uint64_t first_result_cycles;    /* first beat -> first result on the port, inclusive */
    uint64_t beats;                  /* periods in which a beat holds the input: beats x initiation interval */
    uint64_t preload_exposed_cycles; /* waits for the stationary operand or the bias between folds */
    uint64_t output_bound_cycles;    /* waits for results to leave or for the accumulator */
    uint64_t fill_drain_cycles;      /* skew, latency and clearing that the design does not overlap */
    /* what a following run must respect; sy_array_gap_between() reads these */
    uint64_t next_beat_hold_cycles;                     /* after our occupancy, its first beat */
    uint64_t output_hold_cycles;                        /* after our occupancy, the completion of its first fold */
    uint64_t first_completion_cycles;                   /* first beat -> completion of the first fold */
    uint64_t first_descent_cycles, last_descent_cycles; /* rows sums pass in the first and last fold */
    uint64_t useful_macs;                               /* m * k * n */
    uint64_t mapped_pe_beats; /* sum over folds of used PEs x beats streamed, padding beats included */
    uint64_t pe_beats;        /* sum over folds of all PEs x beats streamed */
};

/*
 * The run of a GEMM tile m x k x n held on chip, on rows x cols PEs. Ragged
 * edges are real; K folds accumulate on chip. At most four fold shapes exist,
 * so the cost is constant. SY_UNSUPPORTED when the design does not run the
 * dataflow, SY_INPUT when a dimension is 0.
 */
enum sy_status sy_array_run_of_tile(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                    uint64_t cols, uint64_t m, uint64_t k, uint64_t n, struct sy_array_run *out);

/*
 * The k steps of a tile, in rows, where folds do not cross the ends of segments
 * (a convolution's channels at one place of the kernel, on arrays that do not
 * pack its window): the rest of a segment that an earlier tile began, equal
 * whole segments, the beginning of one more. A plain tile is one such part.
 */
struct sy_array_cut {
    uint64_t head, segment, segments, tail;
};
/* k steps of which the first is `into` steps into a segment; segment 0: nothing is cut. */
struct sy_array_cut sy_array_cut_of(uint64_t k, uint64_t segment, uint64_t into);

/* The run of a tile whose k is so cut, for ws and is; os streams k and does not see the cut. Statuses as above. At most
 * eight fold shapes exist, so the cost is constant. */
enum sy_status sy_array_run_of_cut(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                   uint64_t cols, uint64_t m, const struct sy_array_cut *k, uint64_t n,
                                   struct sy_array_run *out);

/* What lies between two runs, beyond the first one's occupancy, when the second is ready in time; the parts add up. */
struct sy_array_gap {
    uint64_t preload_cycles; /* lead that the previous run could not hide */
    uint64_t output_cycles;  /* further wait, on top of it, for the previous run's sums to get out of the way */
};
struct sy_array_gap sy_array_gap_between(const struct sy_array_run *previous, const struct sy_array_run *run);

/*
 * First beat of `run`: max(ready, previous_first_beat + occupancy + gap).
 * previous NULL: nothing ran before, and the lead starts at `ready`, so
 * ready + lead_cycles. `ready` is when operands (stationary ones included) are
 * in the buffers.
 */
enum sy_status sy_array_first_beat_after(const struct sy_array_run *previous, uint64_t previous_first_beat,
                                         const struct sy_array_run *run, uint64_t ready, uint64_t *first_beat);

/* ---- a measured run: equal tiles under a given schedule ---- */

/* T equal tiles back to back, each of at most one fold, as a testbench drives
 * an array. */
struct sy_array_schedule {
    enum sy_dataflow_kind dataflow;
    uint64_t rows, cols;
    uint64_t m, k, n; /* of one tile */
    uint64_t tiles;
    bool chain;                 /* the tiles are K folds of one result (ws, is) */
    uint64_t tile_interval;     /* periods between first beats asked for; 0 = as the streams allow */
    uint64_t feeder_gap_every;  /* after so many beats the feeder misses ...; 0 = never */
    uint64_t feeder_gap_cycles; /* ... so many periods */
    uint64_t sink_low_cycles;   /* periods the consumer is not ready after each accepted result beat */
};
struct sy_array_cycles {
    uint64_t cycles;              /* first beat -> last result, inclusive (design's count convention) */
    uint64_t lead_cycles;         /* preload before the first beat */
    uint64_t cycles_incl_preload; /* lead_cycles + cycles */
    uint64_t first_result_cycle;  /* first beat -> first result, inclusive */
    char refusal[160];            /* why the design cannot run the schedule, or "" */
};

/* SY_UNSUPPORTED with `refusal` filled in when the design cannot run the
 * schedule as asked (nothing else in *out is then meaningful). */
enum sy_status sy_array_schedule_cycles(const struct sy_array_timing *timing, const struct sy_array_schedule *schedule,
                                        struct sy_array_cycles *out);

#endif
