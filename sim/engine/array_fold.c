/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed forms of one fold. Symbols as in docs/model-array.md:
 *   i input registers, g column hop, v vertical operand hop, h partial-sum hop,
 *   p = multiply + accumulate stages, o output registers, q initiation interval.
 * Model: clock-period counts of registers on each path; the figures were
 * checked against RTL runs of four designs (tests/golden/rtl_cycles.csv).
 */
#include "sim/engine/array_fold.h"

static uint64_t round_up(struct sy_calc *calc, uint64_t value, uint64_t multiple)
{
    return sy_calc_mul(calc, sy_ceil_div(value, multiple), multiple);
}

/* hops - 1 hops of `cycles` each; hops >= 1. */
static uint64_t skew(struct sy_calc *calc, uint64_t hops, uint64_t cycles)
{
    return sy_calc_mul(calc, hops - 1, cycles);
}

/* What the fold costs, which is the whole array where ragged edges are padded. */
static struct sy_fold_shape effective(const struct sy_array_timing *t, uint64_t rows, uint64_t cols,
                                      struct sy_fold_shape shape)
{
    if (t->ragged == SY_RAGGED_PADDED) {
        shape.used_rows = rows;
        shape.used_cols = cols;
    }
    return shape;
}

/* Stationary words of one column before the first beat may enter. */
static uint64_t stationary_lead(const struct sy_array_timing *t, uint64_t rows, uint64_t used, struct sy_calc *calc)
{
    bool bottom = t->row_placement == SY_ROWS_BOTTOM;
    uint64_t words = t->preload_rows == SY_PRELOAD_FULL ? rows : used;
    if (t->weight_load == SY_LOAD_NONE) {
        return 0;
    }
    if (t->weight_load == SY_LOAD_SHARED_WIRES) {
        /* Words follow each other at the distance of the registers between two rows. */
        uint64_t spacing = t->psum_hop_cycles - t->accumulate_cycles;
        uint64_t lead = sy_calc_add(calc, skew(calc, bottom ? rows : words, spacing), 1);
        /* Adders above the used rows still hold words that passed, and send them down behind the select: the words of
         * the last accumulate_cycles / spacing rows, each an adder's depth after the other. */
        uint64_t residues = bottom ? sy_min(rows - used, t->accumulate_cycles / spacing) : 0;
        return sy_calc_add(calc, lead, sy_calc_mul(calc, residues, t->accumulate_cycles));
    }
    uint64_t periods = sy_ceil_div(words, t->preload_rows_per_cycle);
    if (!bottom) {
        return periods;
    }
    /* Words travel past the unused rows, the stream does not. */
    uint64_t past = sy_calc_mul(calc, rows - used, t->psum_hop_cycles);
    return sy_max(periods, sy_calc_add(calc, sy_ceil_div(used, t->preload_rows_per_cycle), past));
}

static void stationary_fold(const struct sy_array_timing *t, uint64_t rows, uint64_t cols, struct sy_fold_shape use,
                            struct sy_fold *fold, struct sy_calc *calc)
{
    bool own_wires = t->weight_load == SY_LOAD_SEPARATE_WIRES || t->weight_load == SY_LOAD_DOUBLE_BUFFERED;
    fold->lead = stationary_lead(t, rows, use.used_rows, calc);
    if (own_wires && t->preload_settle) {
        uint64_t words = t->preload_rows == SY_PRELOAD_FULL ? rows : use.used_rows;
        uint64_t settled =
            sy_calc_add(calc, sy_ceil_div(words, t->preload_rows_per_cycle), skew(calc, rows, t->psum_hop_cycles));
        fold->settle = sy_minus(settled, fold->lead);
    }

    uint64_t path = t->row_placement == SY_ROWS_BOTTOM ? use.used_rows : rows;
    uint64_t first = sy_calc_add(calc, t->input_registers + t->multiply_cycles + t->accumulate_cycles,
                                 skew(calc, path, t->psum_hop_cycles));
    uint64_t last_beat = skew(calc, fold->beats, t->mac_initiation_interval);
    fold->edge_last =
        sy_calc_add(calc, sy_calc_add(calc, first, last_beat), skew(calc, use.used_cols, t->column_hop_cycles));
    if (t->output_deskew) {
        first = sy_calc_add(calc, first, skew(calc, cols, t->column_hop_cycles));
        fold->last = sy_calc_add(calc, sy_calc_add(calc, first, last_beat), t->output_registers);
    } else {
        fold->last = sy_calc_add(calc, fold->edge_last, t->output_registers);
    }
    fold->first = sy_calc_add(calc, first, t->output_registers);
    fold->descent = skew(calc, path, t->psum_hop_cycles);
    fold->reentry = sy_calc_add(calc, fold->first, 1);
    fold->row_step = t->mac_initiation_interval;
    fold->result_rows = fold->beats;
    fold->release = fold->stream;
    if (t->weight_load == SY_LOAD_SHARED_WIRES) {
        /* A word may be in the input registers while the last result is on the port. */
        fold->release = sy_max(fold->stream, sy_minus(sy_calc_add(calc, fold->edge_last, 1), t->input_registers));
    }
}

/* Registers in front of the array, the transposer's included. */
static uint64_t os_input(const struct sy_array_timing *t, uint64_t rows, struct sy_calc *calc)
{
    return sy_calc_add(calc, sy_calc_mul(calc, t->transposer_cycles_per_row, rows), t->input_registers);
}

static void os_direct(const struct sy_array_timing *t, struct sy_fold_shape shape, uint64_t first_finish,
                      uint64_t finish, struct sy_fold *fold, struct sy_calc *calc)
{
    uint64_t saved = shape.used_rows == 1 || shape.used_cols == 1 ? t->single_line_saves_cycles : 0;
    fold->edge_last = sy_minus(finish, saved);
    fold->first = sy_calc_add(calc, sy_minus(first_finish, saved), t->output_registers);
    fold->release = sy_calc_add(calc, fold->stream, t->accumulator_clear_cycles);
}

static void os_operand_wires(const struct sy_array_timing *t, uint64_t rows, struct sy_fold_shape use, uint64_t finish,
                             struct sy_fold *fold, struct sy_calc *calc)
{
    bool bottom = t->row_placement == SY_ROWS_BOTTOM;
    uint64_t below = bottom ? 0 : sy_calc_mul(calc, rows - use.used_rows, t->operand_row_hop_cycles);
    uint64_t drain = skew(calc, bottom ? use.used_rows : rows, t->operand_row_hop_cycles);
    fold->first = sy_calc_add(calc, sy_calc_add(calc, finish, below), t->output_registers);
    fold->edge_last = sy_calc_add(calc, finish, drain);
    fold->on_wires = sy_calc_add(calc, drain, 1);
    fold->finish = finish;
    fold->row_step = t->operand_row_hop_cycles;
    if (t->os_restart == SY_RESTART_RUNNING_SUM) {
        /* The select takes one period; operands enter the first row right behind it. */
        uint64_t behind = sy_minus(sy_calc_add(calc, finish, 1), os_input(t, rows, calc));
        fold->release = sy_max(fold->stream, behind);
    } else {
        uint64_t drained = sy_calc_add(calc, fold->edge_last, 1 + t->accumulator_clear_cycles);
        fold->release = sy_max(fold->stream, drained);
    }
}

/* first, last and edge_last count from the end of the fold's interval: the roles change there. */
static void os_swap(const struct sy_array_timing *t, uint64_t rows, uint64_t cols, struct sy_fold_shape use,
                    struct sy_fold *fold, struct sy_calc *calc)
{
    bool bottom = t->row_placement == SY_ROWS_BOTTOM;
    fold->drain = bottom ? use.used_rows : rows;
    fold->lead = t->bias_preload ? rows : 0;
    uint64_t exit = sy_calc_add(calc, os_input(t, rows, calc), skew(calc, rows, t->operand_row_hop_cycles));
    exit = sy_calc_add(calc, exit, t->multiply_cycles + t->accumulate_cycles - 1);
    uint64_t deskew = t->output_deskew ? skew(calc, cols, t->column_hop_cycles) : 0;
    uint64_t across = skew(calc, use.used_cols, t->column_hop_cycles);
    fold->edge_last = sy_calc_add(calc, sy_calc_add(calc, exit, fold->drain - 1), across);
    fold->first = sy_calc_add(calc, exit + t->output_registers, (fold->drain - use.used_rows) + deskew);
    fold->last = sy_calc_add(calc, fold->first, (use.used_rows - 1) + (t->output_deskew ? 0 : across));
    fold->row_step = 1;
    fold->release = sy_calc_add(calc, fold->stream, t->accumulator_clear_cycles);
}

static void os_shift_registers(const struct sy_array_timing *t, uint64_t rows, uint64_t cols, struct sy_fold_shape use,
                               uint64_t first_finish, struct sy_fold *fold, struct sy_calc *calc)
{
    /* Shifting starts when the last PE of the array has copied, used or not. */
    uint64_t wave =
        sy_calc_add(calc, skew(calc, rows, t->operand_row_hop_cycles), skew(calc, cols, t->column_hop_cycles));
    fold->first = sy_calc_add(calc, sy_calc_add(calc, first_finish, wave), t->output_registers);
    fold->edge_last = sy_calc_add(calc, sy_calc_add(calc, first_finish, wave), use.used_cols - 1);
    fold->hold = sy_calc_add(calc, wave, cols);
    fold->row_step = 1;
    fold->release = sy_calc_add(calc, fold->stream, t->accumulator_clear_cycles);
}

static void os_fold(const struct sy_array_timing *t, uint64_t rows, uint64_t cols, struct sy_fold_shape shape,
                    struct sy_fold *fold, struct sy_calc *calc)
{
    struct sy_fold_shape use = effective(t, rows, cols, shape);
    bool bottom = t->row_placement == SY_ROWS_BOTTOM;
    /* PE (first row, first column) holds its sum from this period on. */
    uint64_t finish = sy_calc_add(calc, skew(calc, fold->beats, t->mac_initiation_interval),
                                  os_input(t, rows, calc) + t->multiply_cycles + t->accumulate_cycles);
    uint64_t across = skew(calc, use.used_cols, t->column_hop_cycles);
    uint64_t down = skew(calc, bottom ? rows : use.used_rows, t->operand_row_hop_cycles);
    uint64_t finish_last = sy_calc_add(calc, sy_calc_add(calc, finish, down), across);
    fold->result_rows = use.used_rows;
    if (t->os_drain == SY_DRAIN_SWAP) {
        os_swap(t, rows, cols, use, fold, calc);
        return;
    }
    if (t->os_drain == SY_DRAIN_OPERAND_WIRES) {
        os_operand_wires(t, rows, use, finish_last, fold, calc);
    } else if (t->os_drain == SY_DRAIN_SHIFT_REGISTERS) {
        os_shift_registers(t, rows, cols, use, finish, fold, calc);
    } else {
        uint64_t above = bottom ? sy_calc_mul(calc, rows - use.used_rows, t->operand_row_hop_cycles) : 0;
        os_direct(t, shape, sy_calc_add(calc, finish, above), finish_last, fold, calc);
    }
    fold->last = sy_calc_add(calc, fold->edge_last, t->output_registers);
}

/* Nothing of the next fold enters before the last result has left. */
static void serialize(const struct sy_array_timing *t, enum sy_dataflow_kind dataflow, struct sy_fold *fold,
                      struct sy_calc *calc)
{
    uint64_t clear = dataflow == SY_OS ? t->accumulator_clear_cycles : 0;
    if (dataflow == SY_OS && t->os_drain == SY_DRAIN_SWAP) {
        /* The roles change as soon as the stream ends: from here on everything counts from the first beat. */
        fold->first = sy_calc_add(calc, fold->first, fold->release);
        fold->last = sy_calc_add(calc, fold->last, fold->release);
        clear = 0;
    }
    fold->release = sy_calc_add(calc, fold->last, 1 + clear); /* of the lead; a beat also waits for the stream */
}

struct sy_fold sy_fold_timing(const struct sy_array_timing *t, enum sy_dataflow_kind dataflow, uint64_t rows,
                              uint64_t cols, struct sy_fold_shape shape, struct sy_calc *calc)
{
    struct sy_fold fold = {0};
    fold.beats = sy_max(t->min_stream_beats, round_up(calc, shape.stream, t->stream_multiple_beats));
    if (dataflow == SY_OS && t->os_stream_whole_rows) {
        fold.beats = round_up(calc, fold.beats, rows);
    }
    fold.stream = sy_calc_mul(calc, fold.beats, t->mac_initiation_interval);
    if (dataflow == SY_OS) {
        os_fold(t, rows, cols, shape, &fold, calc);
    } else {
        stationary_fold(t, rows, cols, effective(t, rows, cols, shape), &fold, calc);
    }
    if (t->fold_overlap == SY_OVERLAP_NONE) {
        serialize(t, dataflow, &fold, calc);
    }
    return fold;
}

/* Raise the interval to `least` and book the difference. */
static void raise_to(struct sy_fold_interval *interval, uint64_t least, uint64_t *part)
{
    if (interval->total < least) {
        *part += least - interval->total;
        interval->total = least;
    }
}

/* What the fold's sums ask of the fold behind it. */
static void respect_sums(const struct sy_array_timing *t, enum sy_dataflow_kind dataflow, const struct sy_fold *fold,
                         struct sy_fold_context context, struct sy_fold_interval *interval, struct sy_calc *calc)
{
    const struct sy_fold *next = context.next;
    if (fold->hold > 0) {
        /* Last beats keep their distance, whatever the two streams' lengths. */
        uint64_t least = sy_minus(sy_calc_add(calc, fold->hold, fold->stream), next->stream);
        raise_to(interval, least, &interval->output);
    }
    if (fold->on_wires > 0) {
        /* The next sums are selected when these have left the wires. */
        uint64_t least = sy_minus(sy_calc_add(calc, fold->finish, fold->on_wires), next->finish);
        raise_to(interval, least, &interval->output);
    }
    if (dataflow != SY_OS) {
        /* A stream that enters further down must not overtake what is still above it. */
        uint64_t above = sy_minus(fold->descent, next->descent);
        raise_to(interval, sy_calc_add(calc, fold->stream, above), &interval->fill_drain);
        raise_to(interval, t->accumulate_distance_cycles, &interval->output);
        if (context.continues && t->partial_sums == SY_SUMS_TOP_PORT) {
            raise_to(interval, fold->reentry, &interval->output);
        }
    }
}

struct sy_fold_interval sy_fold_interval(const struct sy_array_timing *t, enum sy_dataflow_kind dataflow,
                                         const struct sy_fold *fold, struct sy_fold_context context,
                                         struct sy_calc *calc)
{
    struct sy_fold_interval interval = {.total = fold->release, .fill_drain = sy_minus(fold->release, fold->stream)};
    bool serial = t->fold_overlap == SY_OVERLAP_NONE;
    bool swap = !serial && dataflow == SY_OS && t->os_drain == SY_DRAIN_SWAP;
    bool beside = swap || (!serial && dataflow != SY_OS && t->weight_load == SY_LOAD_DOUBLE_BUFFERED);
    uint64_t lead = context.next ? context.next->lead : 0;
    if (swap && context.previous) {
        raise_to(&interval, context.previous->drain, &interval.output);
    }
    if (beside) {
        raise_to(&interval, lead, &interval.preload);
    } else {
        interval.total = sy_max(fold->stream, sy_calc_add(calc, fold->release, lead));
        interval.preload = interval.total - fold->stream - interval.fill_drain;
    }
    if (context.next) {
        respect_sums(t, dataflow, fold, context, &interval, calc);
    }
    return interval;
}
