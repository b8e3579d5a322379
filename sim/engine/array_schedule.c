/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal tiles back to back under a testbench's schedule.
 *
 * Without a late feeder and a slow consumer every distance is the same and the
 * cost is constant. With them the tiles are walked one by one; a tile costs a
 * constant, because the misses inside it are counted, not visited.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/engine/array_fold.h"

/* Tiles walked one by one at most. */
enum { MAX_WALKED_TILES = 1 << 26 };

struct plan {
    const struct sy_array_timing *timing;
    const struct sy_array_schedule *schedule;
    struct sy_fold fold;
    bool swap;        /* the roles of two accumulators change beside the next tile */
    bool shift;       /* output registers are shifted out */
    uint64_t clear;   /* swap: idle periods between stream and change of roles */
    uint64_t release; /* last beat -> earliest lead of the next tile */
    uint64_t finish;  /* shift: last beat -> sum of the first PE in its output register */
    struct sy_calc calc;
    struct sy_array_cycles *out;
};

__attribute__((format(printf, 2, 3))) static enum sy_status refuse(struct sy_array_cycles *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->refusal, sizeof out->refusal, format, args);
    va_end(args);
    return SY_UNSUPPORTED;
}

static enum sy_status refuse_collision(struct plan *plan, uint64_t distance, uint64_t least)
{
    return refuse(plan->out,
                  "tiles finish %llu periods apart, but the output registers need %llu to empty: a finished sum would "
                  "meet an occupied register",
                  (unsigned long long)distance, (unsigned long long)least);
}

/* ---- no late beats, no slow consumer ---- */

static enum sy_status check_interval(struct plan *plan, struct sy_fold_interval needed, uint64_t *interval)
{
    uint64_t asked = plan->schedule->tile_interval;
    bool collides = plan->shift && plan->timing->output_collision == SY_COLLISION_REFUSE;
    uint64_t hold = plan->fold.hold;
    *interval = needed.total;
    if (collides && asked == 0) {
        asked = needed.total - needed.output;
    }
    if (asked == 0) {
        return SY_OK;
    }
    *interval = asked;
    if (asked >= needed.total) {
        return SY_OK;
    }
    if (plan->shift && asked < hold) {
        return refuse_collision(plan, asked, hold);
    }
    return refuse(plan->out, "tiles start %llu periods apart, but the design needs %llu", (unsigned long long)asked,
                  (unsigned long long)needed.total);
}

static enum sy_status steady(struct plan *plan)
{
    const struct sy_array_timing *t = plan->timing;
    const struct sy_array_schedule *s = plan->schedule;
    struct sy_calc *calc = &plan->calc;
    const struct sy_fold *fold = &plan->fold;
    bool several = s->tiles > 1;
    struct sy_fold_context middle = {.previous = fold, .next = fold, .continues = s->chain};
    uint64_t interval = 0, last_start = 0, opening = 0, closing = 0;
    if (several) {
        struct sy_fold_interval needed = sy_fold_interval(t, s->dataflow, fold, middle, calc);
        enum sy_status status = check_interval(plan, needed, &interval);
        if (status != SY_OK) {
            return status;
        }
        last_start = sy_calc_mul(calc, interval, s->tiles - 1);
    }
    if (plan->swap) {
        struct sy_fold_context open = {.next = several ? fold : NULL}, close = {.previous = several ? fold : NULL};
        opening = sy_max(sy_fold_interval(t, s->dataflow, fold, open, calc).total, several ? s->tile_interval : 0);
        closing = sy_fold_interval(t, s->dataflow, fold, close, calc).total;
        if (several) {
            last_start = sy_calc_add(calc, opening, sy_calc_mul(calc, interval, s->tiles - 2));
        }
    }
    uint64_t last = sy_calc_add(calc, sy_calc_add(calc, last_start, closing), fold->last);
    plan->out->cycles = sy_calc_add(calc, last, 1);
    plan->out->first_result_cycle = sy_calc_add(calc, sy_calc_add(calc, opening, fold->first), 1);
    return SY_OK;
}

/* ---- late beats and slow consumers: tile by tile ---- */

/* A tile in array time (periods in which the array is not frozen). */
struct tile_time {
    uint64_t start, last_beat;
    uint64_t missed;        /* late beats inside the tile, its first one not counted */
    uint64_t end;           /* first beat of the next tile; swap: the roles change */
    uint64_t previous_last; /* last beat of the tile before */
};

struct walk {
    struct plan *plan;
    uint64_t step, late_step; /* distance of two beats, without and with a miss */
    uint64_t low;             /* periods the consumer is not ready after a result beat */
    uint64_t out_last;        /* shift: last column of the previous tile accepted */
    uint64_t row_time;        /* freeze: array time of the last result row */
    uint64_t frozen;          /* periods frozen so far */
    uint64_t first_result;    /* period of the first result */
};

static uint64_t multiples(uint64_t every, uint64_t value)
{
    return every == 0 ? 0 : value / every;
}

/* Where the tile itself lets go: the earliest that its roles change or that something follows it. */
static uint64_t tile_end(struct walk *walk, const struct tile_time *tile, uint64_t index)
{
    struct plan *plan = walk->plan;
    const struct sy_array_timing *t = plan->timing;
    struct sy_calc *calc = &plan->calc;
    uint64_t end = sy_calc_add(calc, tile->last_beat, t->mac_initiation_interval + plan->clear);
    if (plan->swap && index > 0) {
        end = sy_max(end, sy_calc_add(calc, tile->start, plan->fold.drain));
    }
    if (plan->schedule->dataflow != SY_OS) {
        end = sy_max(end, sy_calc_add(calc, tile->start, t->accumulate_distance_cycles));
    }
    return end;
}

/* First beat of the tile that follows; its first beat is beat `first_beat` of the run. */
static uint64_t next_start(struct walk *walk, const struct tile_time *tile, uint64_t index, uint64_t first_beat)
{
    struct plan *plan = walk->plan;
    const struct sy_array_timing *t = plan->timing;
    const struct sy_array_schedule *s = plan->schedule;
    struct sy_calc *calc = &plan->calc;
    bool beside = s->dataflow == SY_OS ? plan->swap : t->weight_load == SY_LOAD_DOUBLE_BUFFERED;
    bool serial = t->fold_overlap == SY_OVERLAP_NONE;
    uint64_t start = tile_end(walk, tile, index);
    if (serial || !beside) {
        uint64_t loaded = sy_calc_add(calc, tile->last_beat, plan->release);
        start = sy_max(start, sy_calc_add(calc, loaded, plan->fold.lead));
    } else {
        start = sy_max(start, sy_calc_add(calc, tile->start, plan->fold.lead));
    }
    start = sy_max(start, sy_calc_add(calc, tile->start, s->tile_interval));
    if (s->chain && t->partial_sums == SY_SUMS_TOP_PORT) {
        start = sy_max(start, sy_calc_add(calc, tile->start, plan->fold.reentry));
    }
    if (s->dataflow == SY_OS && t->os_drain == SY_DRAIN_OPERAND_WIRES) {
        /* A tile's sums are selected a constant after its last beat, and no sooner than the wires are free. */
        uint64_t span = sy_calc_mul(calc, plan->fold.beats - 1, t->mac_initiation_interval);
        start = sy_max(start, sy_minus(sy_calc_add(calc, tile->last_beat, plan->fold.on_wires), span));
    }
    if (serial && plan->shift) {
        uint64_t left = sy_calc_add(calc, walk->row_time, 1 + t->accumulator_clear_cycles);
        start = sy_max(start, left);
    }
    bool late = s->feeder_gap_every != 0 && first_beat % s->feeder_gap_every == 0;
    uint64_t offered = sy_calc_add(calc, tile->last_beat, 1 + (late ? s->feeder_gap_cycles : 0));
    return sy_max(start, offered);
}

/* Results of a tile in shifted output registers; hold the last beat back, or refuse. */
static enum sy_status shift_out(struct walk *walk, struct tile_time *tile, uint64_t index)
{
    struct plan *plan = walk->plan;
    const struct sy_array_schedule *s = plan->schedule;
    struct sy_calc *calc = &plan->calc;
    uint64_t copied = sy_calc_add(calc, tile->last_beat, plan->finish);
    if (index > 0 && copied < walk->out_last + 1) {
        if (plan->timing->output_collision == SY_COLLISION_REFUSE) {
            uint64_t missing = walk->out_last + 1 - copied;
            uint64_t distance = tile->last_beat - tile->previous_last;
            return refuse_collision(plan, distance, distance + missing);
        }
        copied = walk->out_last + 1;
        tile->last_beat = copied - plan->finish;
    }
    uint64_t wave = plan->fold.hold - s->cols;
    uint64_t first = sy_calc_add(calc, copied, wave);
    if (index > 0) {
        first = sy_max(first, sy_calc_add(calc, walk->out_last, 1 + walk->low));
    } else {
        walk->first_result = first;
    }
    walk->out_last = sy_calc_add(calc, first, sy_calc_mul(calc, s->cols - 1, 1 + walk->low));
    uint64_t used = plan->fold.edge_last - (plan->fold.first - plan->timing->output_registers);
    walk->row_time = sy_calc_add(calc, first, sy_calc_mul(calc, used, 1 + walk->low));
    return SY_OK;
}

/* Freeze caused by `pairs` result rows `distance` apart. */
static uint64_t freeze_of(struct walk *walk, uint64_t pairs, uint64_t distance)
{
    return sy_calc_mul(&walk->plan->calc, pairs, sy_minus(walk->low + 1, distance));
}

/* Result rows of a tile that leave through ports; a row not accepted freezes the array. */
static void rows_out(struct walk *walk, const struct tile_time *tile, uint64_t index)
{
    struct plan *plan = walk->plan;
    const struct sy_fold *fold = &plan->fold;
    struct sy_calc *calc = &plan->calc;
    uint64_t first, last;
    uint64_t span = sy_calc_mul(calc, fold->beats - 1, walk->step); /* of an unhindered stream */
    if (plan->swap) {
        first = sy_calc_add(calc, tile->end, fold->first);
        last = sy_calc_add(calc, tile->end, fold->last);
    } else if (plan->schedule->dataflow == SY_OS) {
        first = sy_calc_add(calc, tile->last_beat, fold->first - span);
        last = sy_calc_add(calc, tile->last_beat, fold->last - span);
    } else {
        first = sy_calc_add(calc, tile->start, fold->first);
        last = sy_calc_add(calc, tile->last_beat, fold->last - span);
    }
    if (index == 0) {
        walk->first_result = first;
    }
    if (walk->low > 0) {
        uint64_t before = index > 0 ? freeze_of(walk, 1, first - walk->row_time) : 0;
        uint64_t missed = plan->schedule->dataflow == SY_OS ? 0 : tile->missed;
        uint64_t inside = sy_calc_add(calc, freeze_of(walk, fold->result_rows - 1 - missed, fold->row_step),
                                      freeze_of(walk, missed, walk->late_step));
        walk->frozen = sy_calc_add(calc, walk->frozen, sy_calc_add(calc, before, inside));
    }
    walk->row_time = last;
}

static enum sy_status walk_tiles(struct plan *plan, uint64_t stream)
{
    const struct sy_array_schedule *s = plan->schedule;
    struct sy_calc *calc = &plan->calc;
    struct walk walk = {.plan = plan, .step = plan->timing->mac_initiation_interval, .low = s->sink_low_cycles};
    walk.late_step = sy_max(walk.step, 1 + s->feeder_gap_cycles);
    struct tile_time tile = {0};
    uint64_t beat = 0, late = walk.late_step - walk.step;
    uint64_t span = sy_calc_mul(calc, plan->fold.beats - 1, walk.step);
    enum sy_status status = SY_OK;
    for (uint64_t i = 0; i < s->tiles && !calc->overflow && status == SY_OK; i++) {
        uint64_t last = sy_calc_add(calc, beat, stream - 1);
        tile.previous_last = tile.last_beat;
        tile.missed = multiples(s->feeder_gap_every, last) - multiples(s->feeder_gap_every, beat);
        tile.last_beat = sy_calc_add(calc, sy_calc_add(calc, tile.start, span), sy_calc_mul(calc, tile.missed, late));
        beat = sy_calc_add(calc, last, 1);
        if (plan->shift) {
            status = shift_out(&walk, &tile, i);
        }
        bool closes = i + 1 == s->tiles;
        tile.end = closes ? tile_end(&walk, &tile, i) : next_start(&walk, &tile, i, beat);
        if (!plan->shift) {
            rows_out(&walk, &tile, i);
        }
        tile.start = tile.end;
    }
    plan->out->cycles = sy_calc_add(calc, sy_calc_add(calc, walk.row_time, walk.frozen), 1);
    plan->out->first_result_cycle = sy_calc_add(calc, walk.first_result, 1);
    return status;
}

/* ---- both ---- */

static bool is_walked(const struct sy_array_schedule *s)
{
    return s->feeder_gap_every > 0 || s->sink_low_cycles > 0;
}

/* One fold at most, and something of everything. */
static bool is_a_fold(const struct sy_array_schedule *s, struct sy_fold_shape shape)
{
    return s->tiles > 0 && shape.stream > 0 && shape.used_rows > 0 && shape.used_rows <= s->rows &&
           shape.used_cols > 0 && shape.used_cols <= s->cols;
}

static enum sy_status check_schedule(const struct sy_array_timing *t, const struct sy_array_schedule *s,
                                     struct sy_array_cycles *out)
{
    bool os = s->dataflow == SY_OS;
    bool shift = os && t->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    if (!sy_array_runs(t, s->dataflow)) {
        return refuse(out, "the design does not run %s", sy_dataflow_name(s->dataflow));
    }
    if (s->chain && os) {
        return refuse(out, "a chain of K folds is ws or is; os keeps all of K in the PEs");
    }
    enum sy_back_pressure handled = shift ? SY_PRESSURE_DECOUPLED : SY_PRESSURE_FREEZE;
    if (s->sink_low_cycles > 0 && t->back_pressure != handled) {
        return refuse(out, "the design cannot hold back results from a consumer that is not ready");
    }
    if (is_walked(s) && s->tiles > MAX_WALKED_TILES) {
        return refuse(out, "more than %d tiles with a late feeder or a slow consumer", (int)MAX_WALKED_TILES);
    }
    bool apart = t->weight_load == SY_LOAD_SHARED_WIRES || t->fold_overlap == SY_OVERLAP_NONE;
    bool reenters = s->chain && t->partial_sums == SY_SUMS_TOP_PORT;
    if (s->feeder_gap_every > 0 && reenters && !apart) {
        return refuse(out, "late beats while partial sums of overlapping folds re-enter at the top port");
    }
    return SY_OK;
}

static void make_plan(struct plan *plan, struct sy_fold_shape shape)
{
    const struct sy_array_timing *t = plan->timing;
    const struct sy_array_schedule *s = plan->schedule;
    bool os = s->dataflow == SY_OS, serial = t->fold_overlap == SY_OVERLAP_NONE;
    plan->fold = sy_fold_timing(t, s->dataflow, s->rows, s->cols, shape, &plan->calc);
    plan->swap = os && !serial && t->os_drain == SY_DRAIN_SWAP;
    plan->shift = os && t->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    plan->clear = plan->swap ? t->accumulator_clear_cycles : 0;
    uint64_t last_beat = plan->fold.stream - t->mac_initiation_interval;
    plan->release = sy_minus(plan->fold.release, last_beat);
    if (plan->shift) {
        plan->finish = plan->fold.first - (plan->fold.hold - s->cols) - last_beat;
    }
}

/* In the design's convention of counting. */
static void report(struct plan *plan)
{
    struct sy_array_cycles *out = plan->out;
    struct sy_calc *calc = &plan->calc;
    if (plan->timing->first_result == SY_FIRST_AT_RUN_END) {
        out->first_result_cycle = out->cycles;
    }
    if (plan->timing->cycle_count == SY_COUNT_LAST_INDEX) {
        out->cycles = sy_minus(out->cycles, 1);
    }
    out->lead_cycles = sy_calc_add(calc, plan->fold.lead, plan->fold.settle);
    out->cycles_incl_preload = sy_calc_add(calc, out->lead_cycles, out->cycles);
}

enum sy_status sy_array_schedule_cycles(const struct sy_array_timing *timing, const struct sy_array_schedule *schedule,
                                        struct sy_array_cycles *out)
{
    const struct sy_array_schedule *s = schedule;
    if (timing == NULL || s == NULL || out == NULL || (unsigned)s->dataflow >= SY_DATAFLOW_KINDS) {
        return SY_USAGE;
    }
    memset(out, 0, sizeof *out);
    struct sy_fold_shape shape;
    sy_array_place(s->dataflow, s->m, s->k, s->n, &shape);
    if (!is_a_fold(s, shape)) {
        (void)refuse(out, "a tile must be 1 to the array's rows and columns, and stream at least one beat");
        return SY_INPUT;
    }
    enum sy_status status = check_schedule(timing, s, out);
    if (status != SY_OK) {
        return status;
    }
    struct plan plan = {.timing = timing, .schedule = s, .out = out};
    make_plan(&plan, shape);
    if (!is_walked(s) || s->tile_interval > 0) {
        status = steady(&plan);
    }
    if (is_walked(s) && status == SY_OK) {
        status = walk_tiles(&plan, shape.stream);
    }
    if (status != SY_OK) {
        return status;
    }
    report(&plan);
    return plan.calc.overflow ? SY_OVERFLOW : SY_OK;
}
