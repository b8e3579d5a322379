/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of cycle fidelity: a tile by itself, and tiles in a row.
 *
 * A row is stepped as a whole: of each tile as much as proves the rest. Of a
 * tile behind another (ws, is) even less is stepped (`joint`): the last folds
 * of the one in front, from a state that is the one it has there by itself, and
 * the first folds of the other, up to a state that is its own again.
 */
#include <stdlib.h>

#include "sim/base/checked.h"
#include "sim/engine/array_judge_internal.h"

#define MOST_SHOWN UINT64_C(1000000000) /* PE steps */

static enum sy_dataflow_kind kind_of(const struct sy_judge *judge, uint8_t dataflow)
{
    return judge->chip->array.dataflow[dataflow].kind;
}

static bool make_plan(const struct sy_judge *judge, const struct sy_judged *tile, struct sy_repeat_plan *plan)
{
    const struct sy_array *array = &judge->chip->array;
    enum sy_dataflow_kind kind = kind_of(judge, tile->dataflow);
    return sy_repeat_plan(&judge->timing, kind, array->rows, array->cols, &tile->tile, &judge->keep[kind], plan);
}

/* The closed form of what is stepped says, roughly, how long that takes; nothing else is taken from it. */
static enum sy_status run_of_less(const struct sy_judge *judge, const struct sy_judged *tile,
                                  const struct sy_repeat_plan *plan, struct sy_array_run *run)
{
    const struct sy_array *array = &judge->chip->array;
    return sy_array_run_of_cut(&judge->timing, kind_of(judge, tile->dataflow), array->rows, array->cols, plan->less.m,
                               &plan->less.cut, plan->less.n, run);
}

static struct sy_judge_part part_of(const struct sy_repeat_plan *plan, uint64_t skip, uint64_t folds)
{
    return (struct sy_judge_part){plan->less, skip, folds, sy_repeat_looks(plan), plan->beats};
}

/* A tile that was stepped alone: as much of it as proves the rest. */
struct view {
    struct sy_repeat_plan plan;
    const struct sy_stepped *stepped; /* NULL: counted only */
    struct sy_repeat_time *time;      /* of its looks; to be freed */
};
/* The loop did not prove itself: step more of it from now on. */
static void keep_more(struct sy_judge *judge, uint8_t dataflow, enum sy_repeat_loop loop)
{
    sy_repeat_more(&judge->keep[kind_of(judge, dataflow)], loop);
}

/* Times of what was stepped. SY_INPUT: *loop did not prove itself. */
static enum sy_status times_of(const struct sy_stepped *stepped, const struct sy_repeat_turns *turns, uint64_t count,
                               struct sy_repeat_time **time, struct sy_repeat_turns *unproven)
{
    uint64_t which = 0;
    *time = calloc(stepped->looks, sizeof **time);
    if (!*time)
        return SY_NOMEM;
    enum sy_status status = sy_repeat_times(stepped->look, stepped->looks, turns, count, *time, &which);
    if (status == SY_INPUT)
        *unproven = turns[which];
    if (status != SY_OK) {
        free(*time);
        *time = NULL;
    }
    return status;
}

/* Step a go unless it is known. *stepped NULL: only counted. */
static enum sy_status known_or_stepped(struct sy_judge *judge, const struct sy_judge_key *key,
                                       const struct sy_judge_go *go, const struct sy_stepped **out)
{
    struct sy_stepped *stepped = NULL;
    struct sy_known *known = sy_judge_find(judge, key);
    if (!known) {
        enum sy_status status = sy_judge_step(judge, go, &stepped);
        if (status != SY_OK)
            return status;
        known = sy_judge_learn(judge, key, stepped);
    }
    if (!known)
        return SY_NOMEM;
    *out = known->stepped;
    return SY_OK;
}

/* ---- a tile by itself ---- */

static enum sy_status step_alone(struct sy_judge *judge, const struct sy_judged *tile,
                                 const struct sy_judge_formats *formats, const char *name, struct view *view)
{
    struct sy_judge_part part = part_of(&view->plan, 0, sy_repeat_folds(&view->plan));
    struct sy_judge_go go = {&part, 1, tile->dataflow, *formats, 0, NULL, name};
    struct sy_judge_key key;
    struct sy_array_run run;
    enum sy_status status = run_of_less(judge, tile, &view->plan, &run);
    if (status != SY_OK || !sy_add(run.lead_cycles, run.latency_cycles, &go.most_cycles))
        return status != SY_OK ? status : SY_OVERFLOW;
    sy_judge_key_start(&key, SY_JUDGE_ALONE, tile->dataflow, formats);
    sy_judge_key_word(&key, part.looks);
    sy_judge_key_tile(&key, &part.tile);
    return known_or_stepped(judge, &key, &go, &view->stepped);
}

static enum sy_status view_of(struct sy_judge *judge, const struct sy_judged *tile,
                              const struct sy_judge_formats *formats, const char *name, struct view *view)
{
    for (;;) {
        *view = (struct view){0};
        if (!make_plan(judge, tile, &view->plan))
            return SY_OVERFLOW;
        enum sy_status status = step_alone(judge, tile, formats, name, view);
        if (status != SY_OK || !view->stepped)
            return status;
        uint64_t folds = sy_repeat_folds(&view->plan);
        struct sy_repeat_turns *turns = calloc(2 * folds, sizeof *turns), unproven;
        uint64_t count = turns ? sy_repeat_turns(&view->plan, folds, 0, turns) : 0;
        status = turns ? times_of(view->stepped, turns, count, &view->time, &unproven) : SY_NOMEM;
        free(turns);
        if (status != SY_INPUT)
            return status;
        keep_more(judge, tile->dataflow, unproven.loop);
    }
}

/* The period after the last result on the port, of those behind looks [from, to), over all turns. */
static uint64_t end_of(const struct sy_repeat_time *time, uint64_t from, uint64_t to)
{
    uint64_t end = 0;
    for (uint64_t i = from; i < to; i++)
        if (time[i].end > 0)
            end = sy_max(end, time[i].end + time[i].later);
    return end;
}

static enum sy_status compare_alone(struct sy_judge *judge, const struct sy_judged *tile, const struct view *view,
                                    const char *name)
{
    const struct sy_array_run *run = &tile->run;
    const struct sy_repeat_time *time = view->time;
    uint64_t looks = view->stepped->looks, first = UINT64_MAX, beats, stream;
    uint64_t cycles = end_of(time, 0, looks) - time[0].at;
    for (uint64_t i = 0; i < looks; i++)
        if (time[i].end > 0)
            first = sy_min(first, time[i].first);
    first = judge->timing.first_result == SY_FIRST_AT_RUN_END ? cycles : first - time[0].at + 1;
    cycles -= judge->timing.cycle_count == SY_COUNT_LAST_INDEX;
    if (!sy_repeat_beats(&view->plan, &beats) || !sy_mul(beats, judge->timing.mac_initiation_interval, &stream))
        return SY_OVERFLOW;
    if (view->stepped->result.lead_cycles != run->lead_cycles)
        return sy_judge_differ(judge, name, "the lead", view->stepped->result.lead_cycles, run->lead_cycles);
    if (cycles != run->latency_cycles)
        return sy_judge_differ(judge, name, "the tile", cycles, run->latency_cycles);
    if (first != run->first_result_cycles)
        return sy_judge_differ(judge, name, "the first result", first, run->first_result_cycles);
    if (stream != run->beats)
        return sy_judge_differ(judge, name, "the stream", stream, run->beats);
    return SY_OK;
}

enum sy_status sy_judge_alone(struct sy_judge *judge, const struct sy_judged *tile,
                              const struct sy_judge_formats *formats, const char *name)
{
    struct view view;
    enum sy_status status = view_of(judge, tile, formats, name, &view);
    if (status == SY_OK && view.stepped)
        status = compare_alone(judge, tile, &view, name);
    free(view.time);
    return status;
}

/* The tile once more, whatever is known, for who watches its registers: all of it unless that is very much. */
enum sy_status sy_judge_show(struct sy_judge *judge, const struct sy_judged *tile,
                             const struct sy_judge_formats *formats, const struct sy_tile_start *start,
                             const char *name)
{
    const struct sy_array *array = &judge->chip->array;
    enum sy_dataflow_kind kind = kind_of(judge, tile->dataflow);
    struct sy_repeat_keep kept = judge->keep[kind];
    struct sy_repeat_plan plan;
    struct sy_array_run run;
    struct sy_stepped *stepped = NULL;
    uint64_t steps;
    if (sy_mul3(tile->run.latency_cycles, array->rows, array->cols, &steps) && steps <= MOST_SHOWN)
        judge->keep[kind] = sy_repeat_all();
    bool fits = make_plan(judge, tile, &plan);
    judge->keep[kind] = kept;
    enum sy_status status = fits ? run_of_less(judge, tile, &plan, &run) : SY_OVERFLOW;
    if (status != SY_OK)
        return status;
    struct sy_judge_part part = part_of(&plan, 0, sy_repeat_folds(&plan));
    struct sy_judge_go go = {&part, 1, tile->dataflow, *formats, run.lead_cycles + run.latency_cycles, start, name};
    status = sy_judge_step(judge, &go, &stepped);
    free(stepped);
    return status;
}

/* ---- a row ---- */

/* A row of tiles in one go. */
struct row {
    const struct sy_judged *const *tile;
    uint64_t tiles;
    struct sy_repeat_plan *plan;
    struct sy_judge_part *part;
    struct sy_repeat_turns *turns;
    uint64_t *first; /* look at each tile's first beat */
    const struct sy_stepped *stepped;
    struct sy_repeat_time *time;
};

static void row_free(struct row *row)
{
    free(row->plan);
    free(row->part);
    free(row->turns);
    free(row->first);
    free(row->time);
}

/* At most so many cycles; false on overflow. */
static enum sy_status row_cycles(const struct sy_judge *judge, const struct row *row, uint64_t *cycles)
{
    struct sy_array_run run, before = {0};
    *cycles = 0;
    for (uint64_t i = 0; i < row->tiles; i++) {
        enum sy_status status = run_of_less(judge, row->tile[i], &row->plan[i], &run);
        if (status != SY_OK)
            return status;
        struct sy_array_gap gap = sy_array_gap_between(i ? &before : NULL, &run);
        uint64_t own = sy_max(run.occupancy_cycles, run.latency_cycles);
        if (!sy_add(*cycles, own, cycles) ||
            !sy_add(*cycles, i ? gap.preload_cycles + gap.output_cycles : run.lead_cycles, cycles))
            return SY_OVERFLOW;
        before = run;
    }
    return SY_OK;
}

/* One go of the row. SY_INPUT: more has to be stepped. */
static enum sy_status row_go(struct sy_judge *judge, struct row *row, const struct sy_judge_formats *formats,
                             const char *name)
{
    uint8_t dataflow = row->tile[0]->dataflow;
    struct sy_judge_go go = {row->part, row->tiles, dataflow, *formats, 0, NULL, name};
    struct sy_judge_key key;
    struct sy_repeat_turns unproven;
    uint64_t looks = 0, folds = 0, count = 0;
    sy_judge_key_start(&key, SY_JUDGE_ROW, dataflow, formats);
    sy_judge_key_word(&key, row->tiles);
    for (uint64_t i = 0; i < row->tiles; i++) {
        if (!make_plan(judge, row->tile[i], &row->plan[i]))
            return SY_OVERFLOW;
        row->part[i] = part_of(&row->plan[i], 0, sy_repeat_folds(&row->plan[i]));
        row->first[i] = looks;
        looks += row->part[i].folds * row->part[i].looks;
        folds += row->part[i].folds;
        if (i == 0 || i + 1 == row->tiles) { /* those between are like the first */
            sy_judge_key_tile(&key, &row->part[i].tile);
            sy_judge_key_word(&key, row->part[i].looks);
        }
    }
    enum sy_status status = row_cycles(judge, row, &go.most_cycles);
    if (status == SY_OK)
        status = known_or_stepped(judge, &key, &go, &row->stepped);
    if (status != SY_OK || !row->stepped)
        return status;
    row->turns = calloc(2 * folds, sizeof *row->turns);
    if (!row->turns)
        return SY_NOMEM;
    for (uint64_t i = 0; i < row->tiles; i++)
        count += sy_repeat_turns(&row->plan[i], row->part[i].folds, (uint32_t)row->first[i], row->turns + count);
    status = times_of(row->stepped, row->turns, count, &row->time, &unproven);
    if (status == SY_INPUT)
        keep_more(judge, dataflow, unproven.loop);
    return status;
}

static enum sy_status row_step(struct sy_judge *judge, const struct sy_judged *const *tile, uint64_t tiles,
                               const struct sy_judge_formats *formats, const char *name, struct row *row)
{
    enum sy_status status;
    do {
        *row = (struct row){.tile = tile, .tiles = tiles};
        row->plan = calloc(tiles, sizeof *row->plan);
        row->part = calloc(tiles, sizeof *row->part);
        row->first = calloc(tiles, sizeof *row->first);
        status = row->plan && row->part && row->first ? row_go(judge, row, formats, name) : SY_NOMEM;
        if (status != SY_OK)
            row_free(row);
    } while (status == SY_INPUT);
    return status;
}

/* Which distances of first beats the closed form states. Swapping accumulators give the first of several runs a longer
 * opening: it is not one run after another. Where a finished fold may meet full output registers, a fold's last beat
 * waits and not its first: there only the results count. */
static uint64_t first_stated(const struct sy_judge *judge, uint8_t dataflow, uint64_t parts)
{
    if (kind_of(judge, dataflow) != SY_OS)
        return 0;
    return judge->timing.os_drain == SY_DRAIN_SWAP ? 1 : judge->timing.os_drain == SY_DRAIN_SHIFT_REGISTERS ? parts : 0;
}

/* Each begins when the closed form says after the one in front. */
static enum sy_status row_compare(struct sy_judge *judge, const struct row *row, const char *name)
{
    uint8_t dataflow = row->tile[0]->dataflow;
    uint64_t begin = 0, end = 0, stated = first_stated(judge, dataflow, row->tiles);
    for (uint64_t i = 0; i < row->tiles; i++) {
        const struct sy_array_run *run = &row->tile[i]->run;
        end = sy_max(end, begin + run->latency_cycles); /* a narrow run may be over before a wide one in front of it */
        if (i + 1 == row->tiles)
            break;
        struct sy_array_gap gap = sy_array_gap_between(run, &row->tile[i + 1]->run);
        uint64_t want = run->occupancy_cycles + gap.preload_cycles + gap.output_cycles;
        uint64_t distance = row->time[row->first[i + 1]].at - row->time[row->first[i]].at;
        if (i >= stated && distance != want)
            return sy_judge_differ(judge, name, "the distance to the tile before", distance, want);
        begin += want;
    }
    bool swap = kind_of(judge, dataflow) == SY_OS && judge->timing.os_drain == SY_DRAIN_SWAP;
    uint64_t cycles = end_of(row->time, 0, row->stepped->looks) - row->time[0].at;
    cycles -= judge->timing.cycle_count == SY_COUNT_LAST_INDEX;
    return swap || cycles == end ? SY_OK : sy_judge_differ(judge, name, "the tile behind the one before", cycles, end);
}

/* ---- a tile behind another ---- */

struct joint {
    const struct sy_judged *tile[2];
    struct view view[2];
    uint64_t folds[2]; /* stepped: the last of the one in front, the first of the other */
    struct sy_repeat_time *time;
    const struct sy_stepped *stepped;
};

static uint64_t looks_of(const struct joint *joint, int which)
{
    return sy_repeat_looks(&joint->view[which].plan);
}

/* The look at fold `fold` of the one in front or behind, by itself. */
static uint64_t own_look(const struct joint *joint, int which, uint64_t fold)
{
    return fold * looks_of(joint, which);
}

static uint64_t last_fold(const struct joint *joint)
{
    return sy_repeat_folds(&joint->view[0].plan) - 1;
}

/* In the go: the look at the last fold in front, and at the first and last fold behind. */
static uint64_t look_at_last(const struct joint *joint)
{
    return (joint->folds[0] - 1) * looks_of(joint, 0);
}
static uint64_t look_behind(const struct joint *joint, uint64_t fold)
{
    return joint->folds[0] * looks_of(joint, 0) + fold * looks_of(joint, 1);
}

static bool all_behind(const struct joint *joint)
{
    return joint->folds[1] == sy_repeat_folds(&joint->view[1].plan);
}

static bool same_state(const struct sy_cycle_mark *a, const struct sy_cycle_mark *b)
{
    return a->state[0] == b->state[0] && a->state[1] == b->state[1];
}

/* Each side as many folds as may do, on average as long as its own. */
static enum sy_status joint_cycles(const struct sy_judge *judge, const struct joint *joint, uint64_t *cycles)
{
    *cycles = 0;
    for (int i = 0; i < 2; i++) {
        struct sy_array_run run;
        const struct sy_repeat_plan *plan = &joint->view[i].plan;
        enum sy_status status = run_of_less(judge, joint->tile[i], plan, &run);
        uint64_t own, ends = i ? run.latency_cycles - sy_min(run.latency_cycles, run.occupancy_cycles) : 0;
        if (status != SY_OK)
            return status;
        if (!sy_mul_div_up(run.occupancy_cycles, joint->folds[i], sy_repeat_folds(plan), &own) ||
            !sy_add(*cycles, own, cycles) || !sy_add(*cycles, run.lead_cycles + ends, cycles))
            return SY_OVERFLOW;
    }
    return SY_OK;
}

/* What was stepped in this state need not be stepped again. */
static void joint_key(const struct joint *joint, const struct sy_judge_formats *formats, struct sy_judge_key *key)
{
    const struct view *front = &joint->view[0], *behind = &joint->view[1];
    sy_judge_key_start(key, SY_JUDGE_JOINT, joint->tile[0]->dataflow, formats);
    sy_judge_key_word(key, joint->folds[0] << 32 | joint->folds[1]);
    sy_judge_key_word(key, looks_of(joint, 0) << 32 | looks_of(joint, 1));
    sy_judge_key_tile(key, &front->plan.less);
    sy_judge_key_tile(key, &behind->plan.less);
}

/* Turns of the last fold in front and of the folds behind, to the last one's first beat unless all are stepped. */
static uint64_t joint_turns(const struct joint *joint, struct sy_repeat_turns *turns)
{
    const struct sy_repeat_plan *front = &joint->view[0].plan;
    uint32_t at = (uint32_t)look_at_last(joint), behind = (uint32_t)look_behind(joint, 0);
    uint64_t count = 0;
    if (front->beats_left_out > 0)
        turns[count++] = (struct sy_repeat_turns){at + 1, at + 2, SY_REPEAT_BEATS, front->beats_left_out};
    return count + sy_repeat_turns(&joint->view[1].plan, joint->folds[1], behind, turns + count);
}

/* SY_INPUT: step more folds (already so noted), or more of a loop. */
static enum sy_status joint_prove(struct sy_judge *judge, struct joint *joint)
{
    const struct sy_cycle_mark *look = joint->stepped->look;
    struct sy_repeat_turns *turns, unproven;
    if (joint->folds[0] <= last_fold(joint) &&
        !same_state(&look[look_at_last(joint)], &joint->view[0].stepped->look[own_look(joint, 0, last_fold(joint))])) {
        joint->folds[0] *= 2;
        return SY_INPUT;
    }
    turns = calloc(2 * joint->folds[1] + 1, sizeof *turns);
    uint64_t count = turns ? joint_turns(joint, turns) : 0;
    enum sy_status status = turns ? times_of(joint->stepped, turns, count, &joint->time, &unproven) : SY_NOMEM;
    free(turns);
    if (status == SY_INPUT) {
        if (unproven.loop == SY_REPEAT_BEATS || all_behind(joint))
            keep_more(judge, joint->tile[0]->dataflow, unproven.loop);
        else
            joint->folds[1] *= 2;
    }
    if (status != SY_OK || all_behind(joint))
        return status;
    uint64_t last = joint->folds[1] - 1;
    if (same_state(&look[look_behind(joint, last)], &joint->view[1].stepped->look[own_look(joint, 1, last)]))
        return SY_OK;
    joint->folds[1] *= 2;
    return SY_INPUT;
}

/* One go. Counting stops where the states would have to be known. */
static enum sy_status joint_go(struct sy_judge *judge, struct joint *joint, const struct sy_judge_formats *formats,
                               const char *name)
{
    struct sy_judge_part part[2];
    struct sy_judge_go go = {part, 2, joint->tile[0]->dataflow, *formats, 0, NULL, name};
    struct sy_judge_key key;
    enum sy_status status = SY_OK;
    for (int i = 0; status == SY_OK && i < 2; i++) {
        status = view_of(judge, joint->tile[i], formats, name, &joint->view[i]);
        if (status != SY_OK)
            return status;
        uint64_t folds = sy_repeat_folds(&joint->view[i].plan);
        joint->folds[i] = sy_min(joint->folds[i], folds);
        part[i] = part_of(&joint->view[i].plan, i ? 0 : folds - joint->folds[0], joint->folds[i]);
    }
    status = joint_cycles(judge, joint, &go.most_cycles);
    joint_key(joint, formats, &key);
    if (status == SY_OK)
        status = known_or_stepped(judge, &key, &go, &joint->stepped);
    return status == SY_OK && joint->stepped ? joint_prove(judge, joint) : status;
}

static void joint_free(struct joint *joint)
{
    free(joint->view[0].time);
    free(joint->view[1].time);
    free(joint->time);
}

static enum sy_status joint_compare(struct sy_judge *judge, const struct joint *joint, const char *name)
{
    const struct sy_array_run *run[2] = {&joint->tile[0]->run, &joint->tile[1]->run};
    const struct sy_repeat_time *front = joint->view[0].time, *behind = joint->view[1].time, *time = joint->time;
    struct sy_array_gap gap = sy_array_gap_between(run[0], run[1]);
    uint64_t want = run[0]->occupancy_cycles + gap.preload_cycles + gap.output_cycles;
    uint64_t at = own_look(joint, 0, last_fold(joint)), last = joint->folds[1] - 1;
    uint64_t origin = time[look_at_last(joint)].at, moved = front[at].at - front[0].at; /* of the tile in front */
    uint64_t to = all_behind(joint) ? joint->stepped->looks : look_behind(joint, last);
    uint64_t distance = time[look_behind(joint, 0)].at - origin + moved;
    if (distance != want)
        return sy_judge_differ(judge, name, "the distance to the tile before", distance, want);
    uint64_t end = sy_max(end_of(time, look_at_last(joint), to), origin) - origin + moved;
    end = sy_max(end, sy_max(end_of(front, 0, at), front[0].at) - front[0].at);
    if (!all_behind(joint)) {
        uint64_t own = own_look(joint, 1, last), rest = end_of(behind, own, joint->view[1].stepped->looks);
        end = sy_max(end, rest - behind[own].at + time[to].at - origin + moved);
    }
    end -= judge->timing.cycle_count == SY_COUNT_LAST_INDEX;
    uint64_t closed = sy_max(run[0]->latency_cycles, want + run[1]->latency_cycles);
    return end == closed ? SY_OK : sy_judge_differ(judge, name, "the tile behind the one before", end, closed);
}

/* *settles: the tile behind comes to a state it has by itself, so that whatever follows it follows a tile alone. */
static enum sy_status judge_joint(struct sy_judge *judge, const struct sy_judged *before, const struct sy_judged *tile,
                                  const struct sy_judge_formats *formats, const char *name, bool *settles)
{
    struct joint joint = {.tile = {before, tile}, .folds = {2, 2}};
    enum sy_status status = joint_go(judge, &joint, formats, name);
    while (status == SY_INPUT) {
        joint_free(&joint);
        joint = (struct joint){.tile = {before, tile}, .folds = {joint.folds[0], joint.folds[1]}};
        status = joint_go(judge, &joint, formats, name);
    }
    if (status == SY_OK && joint.stepped)
        status = joint_compare(judge, &joint, name);
    *settles = status == SY_OK && !all_behind(&joint);
    joint_free(&joint);
    return status;
}

/* ---- what the run has ---- */

static bool streams_operands_only(const struct sy_judge *judge, uint8_t dataflow)
{
    return kind_of(judge, dataflow) != SY_OS;
}

/* Equal tiles in a row, until one is in the state of the one before; or all. */
static enum sy_status judge_row_of_equals(struct sy_judge *judge, const struct sy_judged *tile, uint64_t repeat,
                                          const struct sy_judge_formats *formats, const char *name)
{
    bool all = judge->options.step_all, proven = false;
    enum sy_status status = SY_OK;
    for (uint64_t tiles = all ? repeat : 4; status == SY_OK && !proven; tiles = 2 * tiles) {
        struct row row;
        tiles = sy_min(tiles, repeat);
        const struct sy_judged **part = calloc(tiles, sizeof *part);
        for (uint64_t i = 0; part && i < tiles; i++)
            part[i] = tile;
        status = part ? row_step(judge, part, tiles, formats, name, &row) : SY_NOMEM;
        if (status == SY_OK) {
            proven = tiles == repeat || !row.stepped ||
                     same_state(&row.stepped->look[row.first[tiles - 2]], &row.stepped->look[row.first[tiles - 1]]);
            status = row.stepped ? row_compare(judge, &row, name) : SY_OK;
            row_free(&row);
        }
        free(part);
    }
    return status;
}

enum sy_status sy_judge_repeats(struct sy_judge *judge, const struct sy_judged *tile, uint64_t repeat,
                                const struct sy_judge_formats *formats, const char *name)
{
    bool settles = false;
    enum sy_status status = SY_OK;
    if (streams_operands_only(judge, tile->dataflow) && !judge->options.step_all)
        status = judge_joint(judge, tile, tile, formats, name, &settles);
    return status == SY_OK && !settles ? judge_row_of_equals(judge, tile, repeat, formats, name) : status;
}

enum sy_status sy_judge_follow(struct sy_judge *judge, const struct sy_judged *before, const struct sy_judged *tile,
                               const struct sy_judge_formats *formats, const char *name)
{
    bool settles;
    bool joint = streams_operands_only(judge, tile->dataflow) && !judge->options.step_all;
    /* Swapping accumulators show the steady distance only behind a first run. */
    const struct sy_judged *part[3] = {before, before, tile};
    uint64_t skip = kind_of(judge, tile->dataflow) != SY_OS;
    struct row row;
    if (joint)
        return judge_joint(judge, before, tile, formats, name, &settles);
    enum sy_status status = row_step(judge, part + skip, 3 - skip, formats, name, &row);
    if (status == SY_OK && row.stepped)
        status = row_compare(judge, &row, name);
    if (status == SY_OK)
        row_free(&row);
    return status;
}
