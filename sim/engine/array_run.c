/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs: every fold of an on-chip tile back to back, and runs after runs.
 *
 * A tile has at most four fold shapes (whole or ragged rows x whole or ragged
 * columns), so the sum over folds is a sum over at most eight kinds of
 * neighbours, each counted.
 */
#include <string.h>

#include "sim/engine/array_fold.h"

/* The folds of a tile along one array dimension. */
struct axis {
    uint64_t folds;
    uint64_t used[2];  /* PEs in use: [0] every fold but the last, [1] the last */
    uint64_t count[2]; /* how many folds of each */
};

static struct axis split(uint64_t size, uint64_t lanes)
{
    struct axis axis = {.folds = sy_ceil_div(size, lanes)};
    axis.used[0] = sy_min(size, lanes);
    axis.used[1] = size - (axis.folds - 1) * lanes;
    axis.count[0] = axis.folds - 1;
    axis.count[1] = 1;
    return axis;
}

struct run_sum {
    const struct sy_array_timing *timing;
    enum sy_dataflow_kind dataflow;
    bool swap;
    bool rows_inner;
    struct sy_fold fold[2][2]; /* [row kind][column kind] */
    struct sy_calc calc;
    struct sy_fold_interval sum;
};

static void add_interval(struct run_sum *run, struct sy_fold_interval interval, uint64_t count)
{
    struct sy_calc *calc = &run->calc;
    run->sum.total = sy_calc_add(calc, run->sum.total, sy_calc_mul(calc, interval.total, count));
    run->sum.fill_drain = sy_calc_add(calc, run->sum.fill_drain, sy_calc_mul(calc, interval.fill_drain, count));
    run->sum.preload = sy_calc_add(calc, run->sum.preload, sy_calc_mul(calc, interval.preload, count));
    run->sum.output = sy_calc_add(calc, run->sum.output, sy_calc_mul(calc, interval.output, count));
}

/* From fold a to fold b right behind it: distance of their first beats, or when accumulators swap of the ends of their
 * intervals (what surrounds b then sets b's interval). */
static struct sy_fold_interval pair_interval(struct run_sum *run, const struct sy_fold *a, const struct sy_fold *b,
                                             bool continues)
{
    struct sy_fold_context context = {.next = b, .continues = continues};
    const struct sy_fold *fold = a;
    if (run->swap) {
        context = (struct sy_fold_context){.previous = a, .next = b};
        fold = b;
    }
    return sy_fold_interval(run->timing, run->dataflow, fold, context, &run->calc);
}

static void add_pair(struct run_sum *run, const struct sy_fold *a, const struct sy_fold *b, bool continues,
                     uint64_t count)
{
    if (count > 0) {
        add_interval(run, pair_interval(run, a, b, continues), count);
    }
}

/* Fold of (inner kind, outer kind). */
static const struct sy_fold *fold_at(const struct run_sum *run, int inner, int outer)
{
    return run->rows_inner ? &run->fold[inner][outer] : &run->fold[outer][inner];
}

static bool k_inner(const struct run_sum *run)
{
    return run->dataflow != SY_OS && run->rows_inner;
}

static void add_pairs(struct run_sum *run, const struct axis *inner, const struct axis *outer)
{
    int first_inner = inner->folds > 1 ? 0 : 1;
    for (int o = 0; o < 2; o++) {
        uint64_t sweeps = outer->count[o];
        uint64_t steps = inner->folds > 1 ? inner->folds - 2 : 0;
        uint64_t last_steps = inner->folds > 1 ? 1 : 0;
        bool continues = k_inner(run);
        add_pair(run, fold_at(run, 0, o), fold_at(run, 0, o), continues, sy_calc_mul(&run->calc, sweeps, steps));
        add_pair(run, fold_at(run, 0, o), fold_at(run, 1, o), continues, sy_calc_mul(&run->calc, sweeps, last_steps));
    }
    if (outer->folds > 1) {
        add_pair(run, fold_at(run, 1, 0), fold_at(run, first_inner, 0), false, outer->folds - 2);
        add_pair(run, fold_at(run, 1, 0), fold_at(run, first_inner, 1), false, 1);
    }
}

/*
 * Period of the last result. A whole fold has a longer way out than the ragged
 * ones behind it, so the last of each shape is looked at. `at` is the last
 * fold's first beat (swap: the end of its interval); `trim` is what the last
 * interval is shorter than between two folds.
 */
static uint64_t last_result(struct run_sum *run, const struct axis *inner, const struct axis *outer, uint64_t at,
                            uint64_t trim)
{
    struct sy_calc *calc = &run->calc;
    const struct sy_fold *last = fold_at(run, 1, 1);
    uint64_t result = sy_calc_add(calc, at, last->last), sweep = 0;
    if (inner->folds > 1) {
        const struct sy_fold *before = fold_at(run, 0, 1);
        uint64_t step = pair_interval(run, before, last, k_inner(run)).total - trim;
        result = sy_max(result, sy_calc_add(calc, at - step, before->last));
        uint64_t steady = pair_interval(run, before, before, k_inner(run)).total;
        sweep = sy_calc_add(calc, step, sy_calc_mul(calc, steady, inner->folds - 2));
        trim = 0;
    }
    if (outer->folds > 1 && !calc->overflow) {
        const struct sy_fold *first = fold_at(run, inner->folds > 1 ? 0 : 1, 1), *before = fold_at(run, 1, 0);
        uint64_t back = sweep + pair_interval(run, before, first, false).total - trim;
        result = sy_max(result, sy_calc_add(calc, at - back, before->last));
        if (inner->folds > 1) {
            const struct sy_fold *whole = fold_at(run, 0, 0);
            back += pair_interval(run, whole, before, k_inner(run)).total;
            result = sy_max(result, sy_calc_add(calc, at - back, whole->last));
        }
    }
    return result;
}

static void fill_swap_run(struct run_sum *run, const struct axis *inner, const struct axis *outer,
                          const struct sy_fold *first, struct sy_array_run *out)
{
    struct sy_calc *calc = &run->calc;
    const struct sy_array_timing *t = run->timing;
    const struct sy_fold *last = fold_at(run, 1, 1);
    bool alone = out->folds == 1;
    const struct sy_fold *before = alone ? NULL : inner->folds > 1 ? fold_at(run, 0, 1) : fold_at(run, 1, 0);
    /* Latency: nothing before and nothing behind. Occupancy: other runs on both sides. */
    struct sy_fold_context opening = {.next = alone ? NULL : first}, closing = {.previous = before};
    uint64_t open = sy_fold_interval(t, run->dataflow, first, opening, calc).total;
    uint64_t close = sy_fold_interval(t, run->dataflow, last, closing, calc).total;
    uint64_t steady_last = pair_interval(run, alone ? last : before, last, false).total;
    uint64_t trim = alone ? 0 : steady_last - close;
    uint64_t end = alone ? open : sy_calc_add(calc, open, run->sum.total) - trim;
    out->latency_cycles = sy_calc_add(calc, last_result(run, inner, outer, end, trim), 1);
    out->first_result_cycles = sy_calc_add(calc, sy_calc_add(calc, open, first->first), 1);
    out->lead_hidden_cycles = steady_last;
    add_pair(run, last, first, false, 1);
}

static void fill_run(struct run_sum *run, const struct axis *inner, const struct axis *outer,
                     const struct sy_fold *first, struct sy_array_run *out)
{
    struct sy_calc *calc = &run->calc;
    const struct sy_array_timing *t = run->timing;
    const struct sy_fold *last = fold_at(run, 1, 1);
    out->latency_cycles = sy_calc_add(calc, last_result(run, inner, outer, run->sum.total, 0), 1);
    out->first_result_cycles = sy_calc_add(calc, first->first, 1);
    struct sy_fold_context end = {0};
    struct sy_fold_interval closing = sy_fold_interval(t, run->dataflow, last, end, calc);
    add_interval(run, closing, 1);
    out->first_completion_cycles = first->stream;
    uint64_t hold = sy_calc_add(calc, last->stream, last->hold);
    if (last->on_wires > 0) {
        out->first_completion_cycles = first->finish;
        hold = sy_calc_add(calc, last->finish, last->on_wires);
    }
    out->output_hold_cycles = sy_minus(hold, closing.total);
    if (run->dataflow != SY_OS) {
        out->next_beat_hold_cycles = sy_minus(t->accumulate_distance_cycles, closing.total);
    }
    bool overlap = run->dataflow != SY_OS && t->fold_overlap != SY_OVERLAP_NONE;
    if (overlap) {
        out->first_descent_cycles = first->descent;
        out->last_descent_cycles = sy_minus(last->descent, closing.total - last->stream);
    }
    bool beside = overlap && t->weight_load == SY_LOAD_DOUBLE_BUFFERED;
    out->lead_hidden_cycles = beside ? last->stream : sy_minus(last->stream, last->release);
    out->hidden_settle_cycles = last->settle;
    out->lead_hidden_cycles = sy_calc_add(calc, out->lead_hidden_cycles, last->settle);
}

static void sum_folds(struct run_sum *run, const struct axis *inner, const struct axis *outer, struct sy_array_run *out)
{
    struct sy_calc *calc = &run->calc;
    add_pairs(run, inner, outer);
    const struct sy_fold *first = fold_at(run, inner->folds > 1 ? 0 : 1, outer->folds > 1 ? 0 : 1);
    if (run->swap) {
        fill_swap_run(run, inner, outer, first, out);
    } else {
        fill_run(run, inner, outer, first, out);
    }
    if (run->timing->first_result == SY_FIRST_AT_RUN_END) {
        out->first_result_cycles = out->latency_cycles;
    }
    if (run->timing->cycle_count == SY_COUNT_LAST_INDEX) {
        out->latency_cycles = sy_minus(out->latency_cycles, 1);
    }
    out->lead_cycles = sy_calc_add(calc, first->lead, first->settle);
    out->lead_settle_cycles = first->settle;
    out->occupancy_cycles = run->sum.total;
    out->preload_exposed_cycles = run->sum.preload;
    out->output_bound_cycles = run->sum.output;
    out->fill_drain_cycles = run->sum.fill_drain;
    out->beats = sy_calc_mul(calc, out->folds, first->stream);
}

static enum sy_status check_tile(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                 uint64_t cols, struct sy_fold_shape all)
{
    if (rows == 0 || cols == 0 || all.used_rows == 0 || all.used_cols == 0 || all.stream == 0) {
        return SY_INPUT;
    }
    return sy_array_runs(timing, dataflow) ? SY_OK : SY_UNSUPPORTED;
}

enum sy_status sy_array_run_of_tile(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                    uint64_t cols, uint64_t m, uint64_t k, uint64_t n, struct sy_array_run *out)
{
    if (timing == NULL || out == NULL || (unsigned)dataflow >= SY_DATAFLOW_KINDS) {
        return SY_USAGE;
    }
    memset(out, 0, sizeof *out);
    struct sy_fold_shape all;
    sy_array_place(dataflow, m, k, n, &all);
    enum sy_status status = check_tile(timing, dataflow, rows, cols, all);
    if (status != SY_OK) {
        return status;
    }
    struct axis row_axis = split(all.used_rows, rows), col_axis = split(all.used_cols, cols);
    struct run_sum run = {.timing = timing, .dataflow = dataflow};
    run.swap = dataflow == SY_OS && timing->os_drain == SY_DRAIN_SWAP && timing->fold_overlap != SY_OVERLAP_NONE;
    run.rows_inner = timing->fold_order == SY_FOLDS_COLUMNS_OUTER;
    struct sy_calc *calc = &run.calc;
    for (int i = 0; i < 4; i++) {
        struct sy_fold_shape shape = {row_axis.used[i / 2], col_axis.used[i % 2], all.stream};
        run.fold[i / 2][i % 2] = sy_fold_timing(timing, dataflow, rows, cols, shape, calc);
    }
    out->folds = sy_calc_mul(calc, row_axis.folds, col_axis.folds);
    sum_folds(&run, run.rows_inner ? &row_axis : &col_axis, run.rows_inner ? &col_axis : &row_axis, out);
    uint64_t pes = sy_calc_mul(calc, all.used_rows, all.used_cols);
    uint64_t beats = run.fold[1][1].beats;
    out->useful_macs = sy_calc_mul(calc, pes, all.stream);
    out->mapped_pe_beats = sy_calc_mul(calc, pes, beats);
    out->pe_beats = sy_calc_mul(calc, sy_calc_mul(calc, sy_calc_mul(calc, rows, cols), out->folds), beats);
    return calc->overflow ? SY_OVERFLOW : SY_OK;
}

struct sy_array_gap sy_array_gap_between(const struct sy_array_run *previous, const struct sy_array_run *run)
{
    struct sy_array_gap gap = {0};
    if (previous == NULL) {
        return gap;
    }
    gap.preload_cycles = sy_minus(run->lead_cycles - run->lead_settle_cycles,
                                  previous->lead_hidden_cycles - previous->hidden_settle_cycles);
    uint64_t hold = sy_minus(previous->output_hold_cycles, run->first_completion_cycles);
    hold = sy_max(hold, previous->next_beat_hold_cycles);
    hold = sy_max(hold, sy_minus(previous->last_descent_cycles, run->first_descent_cycles));
    gap.output_cycles = sy_minus(hold, gap.preload_cycles);
    return gap;
}

enum sy_status sy_array_first_beat_after(const struct sy_array_run *previous, uint64_t previous_first_beat,
                                         const struct sy_array_run *run, uint64_t ready, uint64_t *first_beat)
{
    if (previous == NULL) {
        return sy_add(ready, run->lead_cycles, first_beat) ? SY_OK : SY_OVERFLOW;
    }
    struct sy_array_gap gap = sy_array_gap_between(previous, run);
    uint64_t earliest;
    if (!sy_add(previous_first_beat, previous->occupancy_cycles, &earliest) ||
        !sy_add(earliest, gap.preload_cycles, &earliest) || !sy_add(earliest, gap.output_cycles, &earliest)) {
        return SY_OVERFLOW;
    }
    *first_beat = sy_max(ready, earliest);
    return SY_OK;
}
