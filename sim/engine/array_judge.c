/* SPDX-License-Identifier: Apache-2.0 */
/* See array_judge.h. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/base/checked.h"
#include "sim/engine/array_judge_internal.h"
#include "sim/engine/array_tile.h"

/* ---- formats ---- */

/* Whether every value of `from` is one of `format`; block formats count as their elements. */
static bool holds(enum sy_dtype format, enum sy_dtype from)
{
    const struct sy_dtype_info *wide = &sy_dtypes[format], *narrow = &sy_dtypes[from];
    if (format == from)
        return true;
    if (!wide->is_float)
        return !narrow->is_float && narrow->bits <= wide->bits;
    return narrow->bits <= 8 || (format == SY_FP32 && narrow->bits <= 16);
}

/* The format PEs compute a by b in; false when none holds both. */
static bool common_format(enum sy_dtype a, enum sy_dtype b, enum sy_dtype *format)
{
    static const enum sy_dtype order[] = {SY_INT4, SY_INT8, SY_INT16, SY_INT32, SY_FP16, SY_BF16, SY_FP32};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        *format = order[i];
        if (holds(*format, a) && holds(*format, b))
            return true;
    }
    return false;
}

/* ---- a tile ---- */

/* What was found right was this closed form. */
static void add_run(struct sy_judge_key *key, const struct sy_array_run *run)
{
    sy_judge_key_word(key, run->occupancy_cycles);
    sy_judge_key_word(key, run->latency_cycles);
}

/* The run at the native rate, which is what is stepped; the executor's may hold each beat longer. */
static enum sy_status native_run(const struct sy_judge *judge, const struct sy_array_tile *tile,
                                 struct sy_judged *judged)
{
    const struct sy_array *array = &judge->chip->array;
    struct sy_array_run *run = &judged->run;
    enum sy_status status = sy_array_run_of_cut(&array->timing, array->dataflow[judged->dataflow].kind, array->rows,
                                                array->cols, judged->tile.m, &judged->tile.cut, judged->tile.n, run);
    bool equal = run->latency_cycles + tile->held_cycles == tile->run.latency_cycles &&
                 run->occupancy_cycles + tile->held_cycles == tile->run.occupancy_cycles &&
                 run->lead_cycles == tile->run.lead_cycles;
    return status == SY_OK && !equal ? SY_INTERNAL : status;
}

static enum sy_status judge_one(struct sy_judge *judge, const struct sy_tile_start *start,
                                const struct sy_judged *judged, const struct sy_judge_formats *formats,
                                const char *name)
{
    struct sy_judge_key key;
    uint64_t repeat = sy_array_rounds(start->tile, start->work->u.matmul.repeat); /* of groups side by side */
    sy_judge_key_start(&key, SY_JUDGE_TILE, judged->dataflow, formats);
    sy_judge_key_word(&key, repeat);
    sy_judge_key_word(&key, start->tile->held_cycles);
    sy_judge_key_tile(&key, &judged->tile);
    add_run(&key, &judged->run);
    sy_judge_key_word(&key, judged->run.lead_cycles);
    sy_judge_key_word(&key, judged->run.first_result_cycles);
    enum sy_status status = SY_OK;
    if (sy_array_wave_wants(judge->wave))
        status = sy_judge_show(judge, judged, formats, start, name);
    if (status != SY_OK || sy_judge_find(judge, &key))
        return status;
    status = sy_judge_alone(judge, judged, formats, name);
    if (status == SY_OK && repeat > 1)
        status = sy_judge_repeats(judge, judged, repeat, formats, name);
    if (status != SY_OK)
        return status;
    judge->totals.tiles++;
    return sy_judge_learn(judge, &key, NULL) ? SY_OK : SY_NOMEM;
}

/* Two shapes that follow each other. */
static enum sy_status judge_two(struct sy_judge *judge, const struct sy_judged *judged,
                                const struct sy_judge_formats *formats, const char *name)
{
    struct sy_judge_key key;
    if (!judge->has_before || judge->before.dataflow != judged->dataflow)
        return SY_OK; /* the closed form knows no mixed pairs either: it takes the first run's own hold */
    sy_judge_key_start(&key, SY_JUDGE_FOLLOW, judged->dataflow, formats);
    sy_judge_key_tile(&key, &judge->before.tile);
    sy_judge_key_tile(&key, &judged->tile);
    add_run(&key, &judge->before.run);
    add_run(&key, &judged->run);
    if (sy_judge_find(judge, &key))
        return SY_OK;
    enum sy_status status = sy_judge_follow(judge, &judge->before, judged, formats, name);
    if (status != SY_OK)
        return status;
    judge->totals.follows++;
    return sy_judge_learn(judge, &key, NULL) ? SY_OK : SY_NOMEM;
}

static enum sy_status can_judge(struct sy_judge *judge, const struct sy_command *work, struct sy_judge_formats *formats,
                                const char *name)
{
    const struct sy_dataflow *dataflow = &judge->chip->array.dataflow[work->u.matmul.dataflow];
    *formats = (struct sy_judge_formats){.a = (enum sy_dtype)work->u.matmul.a, .b = (enum sy_dtype)work->u.matmul.b};
    if (dataflow->kind >= SY_DATAFLOW_KINDS) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s: there is no register model of dataflow %s", name,
                 dataflow->name);
        return SY_UNSUPPORTED;
    }
    if (!common_format(formats->a, formats->b, &formats->pe)) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s: the stepped array does not multiply %s by %s",
                 name, sy_dtypes[formats->a].name, sy_dtypes[formats->b].name);
        return SY_UNSUPPORTED;
    }
    return SY_OK;
}

enum sy_status sy_judge_tile(struct sy_judge *judge, const struct sy_tile_start *start, const char *layer)
{
    const struct sy_command *work = start->work;
    const struct sy_array_tile *tile = start->tile;
    struct sy_judged judged = {.tile = {tile->share_m, tile->packed_k, tile->share_n, tile->cut},
                               .dataflow = work->u.matmul.dataflow};
    struct sy_judge_formats formats;
    char name[200];
    snprintf(name, sizeof name, "tile %llu x %llu x %llu of layer %.80s (command %llu)",
             (unsigned long long)work->u.matmul.m, (unsigned long long)work->u.matmul.k,
             (unsigned long long)work->u.matmul.n, layer ? layer : "?", (unsigned long long)start->command);
    enum sy_status status = can_judge(judge, work, &formats, name);
    if (status != SY_OK)
        return status;
    status = native_run(judge, tile, &judged);
    if (status != SY_OK) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event",
                 "%s: the executor's cycles are not those of a run of %s on this array", name,
                 judge->chip->array.dataflow[judged.dataflow].name);
        return status;
    }
    if (judge->options.step_all || judge->knowns >= SY_JUDGE_MOST_KNOWN)
        sy_judge_forget(judge);
    judge->totals.commands++;
    status = judge_one(judge, start, &judged, &formats, name);
    if (status == SY_OK)
        status = judge_two(judge, &judged, &formats, name);
    judge->before = judged;
    judge->has_before = true;
    return status;
}

/* ---- life ---- */

enum sy_status sy_judge_create(const struct sy_chip *chip, const struct sy_judge_options *options, struct sy_diag *diag,
                               struct sy_judge **out)
{
    struct sy_judge *judge = calloc(1, sizeof *judge);
    if (!judge)
        return SY_NOMEM;
    judge->chip = chip;
    judge->diag = diag;
    judge->options = *options;
    if (!judge->options.max_pe_steps)
        judge->options.max_pe_steps = SY_JUDGE_MAX_PE_STEPS;
    judge->timing = chip->array.timing;
    judge->timing.output_collision = SY_COLLISION_WAIT; /* a run's folds are spaced as the design needs */
    for (int i = 0; i < SY_DATAFLOW_KINDS; i++)
        judge->keep[i] = options->step_all ? sy_repeat_all()
                                           : sy_repeat_first(&judge->timing, (enum sy_dataflow_kind)i, chip->array.rows,
                                                             chip->array.cols);
    enum sy_status status = SY_OK;
    if (options->vcd)
        status = sy_array_wave_open(options->vcd, chip->array.rows, chip->array.cols, &judge->wave, diag);
    if (status != SY_OK) {
        free(judge);
        return status;
    }
    *out = judge;
    return SY_OK;
}

struct sy_judge_totals sy_judge_totals(const struct sy_judge *judge)
{
    return judge->totals;
}

enum sy_status sy_judge_finish(struct sy_judge *judge)
{
    enum sy_status status = sy_array_wave_commit(judge->wave, judge->diag);
    judge->wave = NULL;
    sy_judge_abandon(judge);
    return status;
}

void sy_judge_abandon(struct sy_judge *judge)
{
    if (!judge)
        return;
    sy_array_wave_abandon(judge->wave);
    sy_judge_forget(judge);
    free(judge);
}
