/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs: every fold of an on-chip tile back to back, and runs after runs.
 *
 * Along a side a tile has whole folds and ragged ones: one a part of K that
 * folds do not cross, which are at most three sizes. So the sum over folds is a
 * sum over few kinds of neighbours, each counted.
 */
#include <string.h>

#include "sim/engine/array_fold.h"

/* A side has at most four fold shapes: whole ones, and the ragged last one of each part of the cut. */
enum { KINDS = 4, MOST_STEPS = 12 };

/* Folds that follow each other so often. */
struct step {
    int from, to;
    uint64_t count;
};

/* The folds of a tile along one array dimension, by shape and by neighbours. The steps are in order but for those
 * inside equal segments, all of whose shapes also stand in the last of these segments, behind them. */
struct axis {
    uint64_t folds;
    int kinds, first, last;
    uint64_t used[KINDS];  /* PEs in use: [0] whole folds */
    uint64_t count[KINDS]; /* how many folds of each */
    int steps;
    struct step step[MOST_STEPS];
};

static void add_step(struct axis *axis, int from, int to, uint64_t count)
{
    if (count > 0)
        axis->step[axis->steps++] = (struct step){from, to, count};
}

/* `times` segments of `size` lanes' work each. */
static void add_part(struct axis *axis, uint64_t size, uint64_t times, uint64_t lanes, struct sy_calc *calc)
{
    if (size == 0 || times == 0)
        return;
    uint64_t folds = sy_ceil_div(size, lanes), whole = folds - 1;
    int ragged = ++axis->kinds, first = whole ? 0 : ragged;
    axis->used[0] = sy_max(axis->used[0], sy_min(size, lanes));
    axis->used[ragged] = size - whole * lanes;
    axis->count[0] = sy_calc_add(calc, axis->count[0], sy_calc_mul(calc, whole, times));
    axis->count[ragged] = times;
    if (axis->folds > 0)
        add_step(axis, axis->last, first, 1);
    else
        axis->first = first;
    for (uint64_t n = times - 1, i = 0; i < 2; i++, n = 1) { /* all segments but the last, then the last */
        add_step(axis, 0, 0, whole ? sy_calc_mul(calc, n, whole - 1) : 0);
        add_step(axis, 0, ragged, whole ? n : 0);
        add_step(axis, ragged, first, i == 0 ? n : 0);
    }
    axis->last = ragged;
    axis->folds = sy_calc_add(calc, axis->folds, sy_calc_mul(calc, folds, times));
}

struct run_sum {
    const struct sy_array_timing *timing;
    enum sy_dataflow_kind dataflow;
    bool swap;
    bool rows_inner;
    struct sy_fold fold[KINDS][KINDS]; /* [row kind][column kind] */
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

/* Fold of (inner kind, outer kind). */
static const struct sy_fold *fold_at(const struct run_sum *run, int inner, int outer)
{
    return run->rows_inner ? &run->fold[inner][outer] : &run->fold[outer][inner];
}

static bool k_inner(const struct run_sum *run)
{
    return run->dataflow != SY_OS && run->rows_inner;
}

static struct sy_fold_interval inner_interval(struct run_sum *run, const struct step *step, int outer)
{
    return pair_interval(run, fold_at(run, step->from, outer), fold_at(run, step->to, outer), k_inner(run));
}

static struct sy_fold_interval outer_interval(struct run_sum *run, const struct step *step, const struct axis *inner)
{
    return pair_interval(run, fold_at(run, inner->last, step->from), fold_at(run, inner->first, step->to), false);
}

static void add_pairs(struct run_sum *run, const struct axis *inner, const struct axis *outer)
{
    for (int o = 0; o <= outer->kinds; o++)
        for (int i = 0; i < inner->steps && outer->count[o] > 0; i++)
            add_interval(run, inner_interval(run, &inner->step[i], o),
                         sy_calc_mul(&run->calc, inner->step[i].count, outer->count[o]));
    for (int i = 0; i < outer->steps; i++)
        add_interval(run, outer_interval(run, &outer->step[i], inner), outer->step[i].count);
}

/* How far back from the last fold a walk is, and what the next step is shorter by than between two folds. */
struct walk {
    uint64_t back, trim, result;
};

/* Back through a sweep from its last fold: note the last result of the last fold of each shape. */
static void sweep_back(struct run_sum *run, const struct axis *inner, int outer, uint64_t at, struct walk *walk)
{
    struct sy_calc *calc = &run->calc;
    bool seen[KINDS] = {false};
    seen[inner->last] = true;
    walk->result = sy_max(walk->result, sy_calc_add(calc, at - walk->back, fold_at(run, inner->last, outer)->last));
    for (int i = inner->steps; i-- > 0 && !calc->overflow;) {
        const struct step *step = &inner->step[i];
        uint64_t interval = inner_interval(run, step, outer).total;
        uint64_t nearest = sy_calc_add(calc, walk->back, interval - walk->trim);
        if (!seen[step->from])
            walk->result = sy_max(walk->result, sy_calc_add(calc, at - nearest, fold_at(run, step->from, outer)->last));
        seen[step->from] = true;
        walk->back = sy_calc_add(calc, nearest, sy_calc_mul(calc, interval, step->count - 1));
        walk->trim = 0;
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
    struct walk walk = {.trim = trim};
    bool seen[KINDS] = {false};
    uint64_t sweep[KINDS] = {0}; /* first beat of the first fold of a sweep to that of its last */
    if (calc->overflow)
        return 0;
    for (int o = 0; o <= outer->kinds && outer->steps > 0; o++)
        for (int i = 0; i < inner->steps && outer->count[o] > 0; i++)
            sweep[o] = sy_calc_add(
                calc, sweep[o], sy_calc_mul(calc, inner_interval(run, &inner->step[i], o).total, inner->step[i].count));
    seen[outer->last] = true;
    sweep_back(run, inner, outer->last, at, &walk); /* to the first fold of the last sweep */
    for (int i = outer->steps; i-- > 0 && !calc->overflow;) {
        const struct step *step = &outer->step[i];
        uint64_t interval = outer_interval(run, step, inner).total;
        uint64_t most = sy_calc_mul(calc, sy_calc_add(calc, interval, sweep[step->from]), step->count - 1);
        walk.back = sy_calc_add(calc, walk.back, interval - walk.trim);
        walk.trim = 0;
        if (seen[step->from]) {
            walk.back = sy_calc_add(calc, walk.back, sweep[step->from]);
        } else {
            sweep_back(run, inner, step->from, at, &walk);
        }
        seen[step->from] = true;
        walk.back = sy_calc_add(calc, walk.back, most);
    }
    return walk.result;
}

static void fill_swap_run(struct run_sum *run, const struct axis *inner, const struct axis *outer,
                          const struct sy_fold *first, struct sy_array_run *out)
{
    struct sy_calc *calc = &run->calc;
    const struct sy_array_timing *t = run->timing;
    const struct sy_fold *last = fold_at(run, inner->last, outer->last), *before = NULL;
    bool alone = out->folds == 1;
    if (inner->steps > 0)
        before = fold_at(run, inner->step[inner->steps - 1].from, outer->last);
    else if (outer->steps > 0)
        before = fold_at(run, inner->last, outer->step[outer->steps - 1].from);
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
    add_interval(run, pair_interval(run, last, first, false), 1);
}

static void fill_run(struct run_sum *run, const struct axis *inner, const struct axis *outer,
                     const struct sy_fold *first, struct sy_array_run *out)
{
    struct sy_calc *calc = &run->calc;
    const struct sy_array_timing *t = run->timing;
    const struct sy_fold *last = fold_at(run, inner->last, outer->last);
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
    const struct sy_fold *first = fold_at(run, inner->first, outer->first);
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

struct sy_array_cut sy_array_cut_of(uint64_t k, uint64_t segment, uint64_t into)
{
    struct sy_array_cut cut = {.tail = k};
    uint64_t left = segment > 0 ? segment - into % segment : k; /* of the segment it begins in */
    if (k <= left)
        return cut;
    cut.head = left < segment ? left : 0;
    cut.segments = (k - cut.head) / segment;
    cut.segment = cut.segments ? segment : 0;
    cut.tail = (k - cut.head) % segment;
    return cut;
}

static uint64_t cut_steps(const struct sy_array_cut *cut, struct sy_calc *calc)
{
    uint64_t whole = sy_calc_mul(calc, cut->segment, cut->segments);
    return sy_calc_add(calc, sy_calc_add(calc, cut->head, whole), cut->tail);
}

/* The folds there are. A ragged one that is as large as a whole one is like it. */
static void time_folds(struct run_sum *run, uint64_t rows, uint64_t cols, const struct axis *row_axis,
                       const struct axis *col_axis, uint64_t stream)
{
    for (int r = row_axis->count[0] > 0 ? 0 : 1; r <= row_axis->kinds; r++) {
        int like_r = row_axis->count[0] > 0 && row_axis->used[r] == row_axis->used[0] ? 0 : r;
        for (int c = col_axis->count[0] > 0 ? 0 : 1; c <= col_axis->kinds; c++) {
            int like_c = col_axis->count[0] > 0 && col_axis->used[c] == col_axis->used[0] ? 0 : c;
            struct sy_fold_shape shape = {row_axis->used[r], col_axis->used[c], stream};
            run->fold[r][c] = like_r < r || like_c < c
                                  ? run->fold[like_r][like_c]
                                  : sy_fold_timing(run->timing, run->dataflow, rows, cols, shape, &run->calc);
        }
    }
}

enum sy_status sy_array_run_of_cut(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                   uint64_t cols, uint64_t m, const struct sy_array_cut *k, uint64_t n,
                                   struct sy_array_run *out)
{
    if (timing == NULL || out == NULL || (unsigned)dataflow >= SY_DATAFLOW_KINDS) {
        return SY_USAGE;
    }
    memset(out, 0, sizeof *out);
    struct run_sum run; /* without its folds, most of which are never there */
    run.timing = timing;
    run.dataflow = dataflow;
    run.calc = (struct sy_calc){0};
    run.sum = (struct sy_fold_interval){0};
    struct sy_calc *calc = &run.calc;
    uint64_t steps = cut_steps(k, calc);
    struct sy_fold_shape all;
    sy_array_place(dataflow, m, steps, n, &all);
    enum sy_status status = check_tile(timing, dataflow, rows, cols, all);
    if (status != SY_OK) {
        return status;
    }
    struct axis row_axis = {0}, col_axis = {0};
    if (dataflow == SY_OS) {
        add_part(&row_axis, m, 1, rows, calc);
    } else {
        add_part(&row_axis, k->head, 1, rows, calc);
        add_part(&row_axis, k->segment, k->segments, rows, calc);
        add_part(&row_axis, k->tail, 1, rows, calc);
    }
    add_part(&col_axis, all.used_cols, 1, cols, calc);
    run.swap = dataflow == SY_OS && timing->os_drain == SY_DRAIN_SWAP && timing->fold_overlap != SY_OVERLAP_NONE;
    run.rows_inner = timing->fold_order == SY_FOLDS_COLUMNS_OUTER;
    time_folds(&run, rows, cols, &row_axis, &col_axis, all.stream);
    out->row_folds = row_axis.folds;
    out->folds = sy_calc_mul(calc, row_axis.folds, col_axis.folds);
    sum_folds(&run, run.rows_inner ? &row_axis : &col_axis, run.rows_inner ? &col_axis : &row_axis, out);
    uint64_t pes = sy_calc_mul(calc, all.used_rows, all.used_cols);
    uint64_t beats = run.fold[1][1].beats;
    out->useful_macs = sy_calc_mul(calc, pes, all.stream);
    out->mapped_pe_beats = sy_calc_mul(calc, pes, beats);
    out->pe_beats = sy_calc_mul(calc, sy_calc_mul(calc, sy_calc_mul(calc, rows, cols), out->folds), beats);
    return calc->overflow ? SY_OVERFLOW : SY_OK;
}

enum sy_status sy_array_run_of_tile(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                    uint64_t cols, uint64_t m, uint64_t k, uint64_t n, struct sy_array_run *out)
{
    const struct sy_array_cut whole = {.tail = k};
    return sy_array_run_of_cut(timing, dataflow, rows, cols, m, &whole, n, out);
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
