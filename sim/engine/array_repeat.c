/* SPDX-License-Identifier: Apache-2.0 */
/* See array_repeat.h. */
#include "sim/engine/array_repeat.h"

#include "sim/base/checked.h"

enum { LEAST_TURNS = 3, MOST_SEGMENTS = SY_REPEAT_AXIS_LOOPS - 4 };

/* ---- how much ---- */

/* Periods until nothing of an earlier fold is in the registers, near enough: more is tried when it was not. */
struct sy_repeat_keep sy_repeat_first(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow,
                                      uint64_t rows, uint64_t cols)
{
    struct sy_repeat_keep keep = {{LEAST_TURNS, LEAST_TURNS, LEAST_TURNS, 0}};
    bool os = dataflow == SY_OS, beside = !os && timing->weight_load == SY_LOAD_DOUBLE_BUFFERED;
    uint64_t down = rows * (os ? timing->operand_row_hop_cycles : timing->psum_hop_cycles);
    uint64_t periods = down + cols * timing->column_hop_cycles + timing->multiply_cycles + timing->accumulate_cycles +
                       timing->input_registers + timing->output_registers + timing->accumulate_distance_cycles;
    if (beside)
        periods += sy_ceil_div(rows, timing->preload_rows_per_cycle); /* words enter so long, then go down */
    if (os)
        periods += timing->os_drain == SY_DRAIN_SHIFT_REGISTERS ? cols : down;
    keep.most[SY_REPEAT_BEATS] = sy_ceil_div(periods, timing->mac_initiation_interval) + 4;
    return keep;
}

struct sy_repeat_keep sy_repeat_all(void)
{
    return (struct sy_repeat_keep){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
}

void sy_repeat_more(struct sy_repeat_keep *keep, enum sy_repeat_loop loop)
{
    uint64_t most = keep->most[loop];
    keep->most[loop] = most > UINT64_MAX / 4 ? UINT64_MAX : loop == SY_REPEAT_BEATS ? 2 * most : 2 * most - 1;
}

/* ---- a plan ---- */

static uint64_t padded(const struct sy_array_timing *t, bool os, uint64_t rows, uint64_t stream)
{
    uint64_t beats = sy_ceil_div(stream, t->stream_multiple_beats) * t->stream_multiple_beats;
    beats = sy_max(beats, t->min_stream_beats);
    return os && t->os_stream_whole_rows ? sy_ceil_div(beats, rows) * rows : beats;
}

/* Lengths that are padded alike are so far apart. */
static uint64_t padding_step(const struct sy_array_timing *t, bool os, uint64_t rows)
{
    uint64_t a = t->stream_multiple_beats, b = os && t->os_stream_whole_rows ? rows : 1, product = a * b;
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return product / a;
}

static uint64_t shorter_stream(const struct sy_array_timing *t, bool os, uint64_t rows, uint64_t stream, uint64_t most)
{
    uint64_t step = padding_step(t, os, rows), least = sy_max(most, t->min_stream_beats);
    return stream <= least ? stream : least + (stream - least) % step;
}

static void add_loop(struct sy_repeat_axis *axis, uint64_t from, uint64_t to, enum sy_repeat_loop loop,
                     uint64_t left_out)
{
    if (left_out > 0)
        axis->loop[axis->loops++] = (struct sy_repeat_turns){(uint32_t)from, (uint32_t)to, loop, left_out};
}

/* `length` lanes' work, cut into folds: whole ones beyond the most are left out. */
static uint64_t shorter_part(struct sy_repeat_axis *axis, uint64_t length, uint64_t lanes, uint64_t most,
                             enum sy_repeat_loop loop)
{
    uint64_t whole = length / lanes, turns = sy_min(whole, most), rest = length % lanes;
    if (turns >= LEAST_TURNS)
        add_loop(axis, axis->folds + turns - 2, axis->folds + turns - 1, loop, whole - turns);
    else
        turns = whole;
    axis->folds += turns + (rest > 0);
    return turns * lanes + rest;
}

static void shorter_cut(struct sy_repeat_axis *axis, struct sy_array_cut *cut, uint64_t lanes,
                        const struct sy_repeat_keep *keep)
{
    uint64_t most = keep->most[SY_REPEAT_ROWS], segments = sy_min(cut->segments, keep->most[SY_REPEAT_SEGMENTS]);
    uint64_t segment = cut->segment;
    if (segments < LEAST_TURNS)
        segments = cut->segments;
    cut->head = shorter_part(axis, cut->head, lanes, most, SY_REPEAT_ROWS);
    for (uint64_t i = 0; segment > 0 && i < segments; i++) {
        uint64_t before = axis->folds;
        cut->segment = shorter_part(axis, segment, lanes, segments > MOST_SEGMENTS ? UINT64_MAX : most, SY_REPEAT_ROWS);
        if (i + 1 == segments && segments >= LEAST_TURNS)
            add_loop(axis, before - (axis->folds - before), before, SY_REPEAT_SEGMENTS, cut->segments - segments);
    }
    cut->segments = segments;
    cut->tail = shorter_part(axis, cut->tail, lanes, most, SY_REPEAT_ROWS);
}

static bool steps_of(const struct sy_array_cut *cut, uint64_t *steps)
{
    return sy_mul(cut->segment, cut->segments, steps) && sy_add(*steps, cut->head, steps) &&
           sy_add(*steps, cut->tail, steps);
}

static bool in_order(const struct sy_repeat_axis *axis)
{
    for (uint32_t i = 1; i < axis->loops; i++)
        if (axis->loop[i].to < axis->loop[i - 1].to)
            return false;
    return true;
}

/* A segment's own loop ends inside it, the loop over segments where it begins. */
static void put_in_order(struct sy_repeat_axis *axis)
{
    while (!in_order(axis))
        for (uint32_t i = 1; i < axis->loops; i++)
            if (axis->loop[i].to < axis->loop[i - 1].to) {
                struct sy_repeat_turns later = axis->loop[i - 1];
                axis->loop[i - 1] = axis->loop[i];
                axis->loop[i] = later;
            }
}

static uint64_t stream_of(enum sy_dataflow_kind dataflow, const struct sy_repeat_tile *tile)
{
    return dataflow == SY_OS ? tile->k : dataflow == SY_WS ? tile->m : tile->n;
}

bool sy_repeat_plan(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows, uint64_t cols,
                    const struct sy_repeat_tile *tile, const struct sy_repeat_keep *keep, struct sy_repeat_plan *plan)
{
    bool os = dataflow == SY_OS, columns_outer = timing->fold_order == SY_FOLDS_COLUMNS_OUTER;
    struct sy_repeat_axis over_rows = {0}, over_cols = {0};
    struct sy_array_cut along = tile->cut;
    uint64_t columns = dataflow == SY_IS ? tile->m : tile->n, span, stream = stream_of(dataflow, tile);
    if (os)
        along = (struct sy_array_cut){.tail = tile->m};
    uint64_t shorter = shorter_stream(timing, os, rows, stream, keep->most[SY_REPEAT_BEATS]);
    *plan = (struct sy_repeat_plan){.less = *tile};
    if (stream > UINT64_MAX / 4 || !steps_of(&along, &span))
        return false;
    shorter_cut(&over_rows, &along, rows, keep);
    put_in_order(&over_rows);
    columns = shorter_part(&over_cols, columns, cols, keep->most[SY_REPEAT_COLS], SY_REPEAT_COLS);
    (void)steps_of(&along, &span);
    plan->inner = columns_outer ? over_rows : over_cols;
    plan->outer = columns_outer ? over_cols : over_rows;
    plan->less = (struct sy_repeat_tile){dataflow == SY_WS ? shorter : columns, span,
                                         dataflow == SY_IS ? shorter : columns, along};
    if (os)
        plan->less = (struct sy_repeat_tile){span, shorter, columns, {.tail = shorter}};
    plan->beats = padded(timing, os, rows, shorter);
    plan->beats_left_out = padded(timing, os, rows, stream) - plan->beats;
    plan->looks_at_stream = shorter >= keep->most[SY_REPEAT_BEATS] && plan->beats >= 4;
    plan->whole = plan->beats_left_out == 0 && over_rows.loops == 0 && over_cols.loops == 0;
    return true;
}

uint64_t sy_repeat_folds(const struct sy_repeat_plan *plan)
{
    return plan->inner.folds * plan->outer.folds;
}

uint64_t sy_repeat_turns(const struct sy_repeat_plan *plan, uint64_t folds, uint32_t base,
                         struct sy_repeat_turns *turns)
{
    uint32_t looks = (uint32_t)sy_repeat_looks(plan), inner = (uint32_t)plan->inner.folds;
    uint64_t count = 0;
    for (uint32_t fold = 0; fold < folds; fold++) {
        const struct sy_repeat_axis *axis = fold % inner ? &plan->inner : &plan->outer;
        uint32_t first = fold % inner ? fold - fold % inner : 0, step = fold % inner ? 1 : inner;
        for (uint32_t i = 0; i < axis->loops; i++) {
            struct sy_repeat_turns turn = axis->loop[i];
            if (first + turn.to * step != fold)
                continue;
            turn.from = base + (first + turn.from * step) * looks;
            turn.to = base + fold * looks;
            turns[count++] = turn;
        }
        uint32_t look = base + fold * looks;
        if (plan->beats_left_out > 0)
            turns[count++] = (struct sy_repeat_turns){look + 1, look + 2, SY_REPEAT_BEATS, plan->beats_left_out};
    }
    return count;
}

/* Folds an axis stands for. */
static bool all_folds(const struct sy_repeat_axis *axis, uint64_t *folds)
{
    uint64_t weight[4096], left = 0; /* of the stepped folds */
    *folds = axis->folds;
    if (axis->folds > sizeof weight / sizeof weight[0])
        return axis->loops == 0;
    for (uint64_t i = 0; i < axis->folds; i++)
        weight[i] = 1;
    for (uint32_t l = 0; l < axis->loops; l++)
        for (uint64_t i = axis->loop[l].from; i < axis->loop[l].to; i++)
            if (!sy_mul(weight[i], axis->loop[l].left_out, &left) || !sy_add(*folds, left, folds) ||
                !sy_add(weight[i], left, &weight[i]))
                return false;
    return true;
}

bool sy_repeat_beats(const struct sy_repeat_plan *plan, uint64_t *beats)
{
    uint64_t inner, outer, each;
    return all_folds(&plan->inner, &inner) && all_folds(&plan->outer, &outer) &&
           sy_add(plan->beats, plan->beats_left_out, &each) && sy_mul3(inner, outer, each, beats);
}

/* ---- times ---- */

static bool same(const struct sy_cycle_mark *a, const struct sy_cycle_mark *b)
{
    return a->state[0] == b->state[0] && a->state[1] == b->state[1];
}

enum sy_status sy_repeat_times(const struct sy_cycle_mark *look, uint64_t looks, const struct sy_repeat_turns *turns,
                               uint64_t count, struct sy_repeat_time *time, uint64_t *unproven)
{
    uint64_t added = 0, next = 0; /* periods of the turns before this look that were not stepped */
    for (uint64_t i = 0; i < looks; i++) {
        struct sy_repeat_time *t = &time[i];
        *t = (struct sy_repeat_time){0};
        if (!sy_add(look[i].period, added, &t->at))
            return SY_OVERFLOW;
        for (; next < count && turns[next].to == i; next++) {
            const struct sy_repeat_turns *turn = &turns[next];
            uint64_t more;
            *unproven = next;
            if (!same(&look[turn->from], &look[i]))
                return SY_INPUT;
            if (!sy_mul(t->at - time[turn->from].at, turn->left_out, &more) || !sy_add(added, more, &added) ||
                !sy_add(t->at, more, &t->at))
                return SY_OVERFLOW;
            for (uint64_t j = turn->from; j < i; j++)
                time[j].later += more; /* at most `added` in all turns */
        }
        if (look[i].end_port > 0 &&
            (!sy_add(look[i].first_port, added, &t->first) || !sy_add(look[i].end_port, added, &t->end)))
            return SY_OVERFLOW;
    }
    return SY_OK;
}
