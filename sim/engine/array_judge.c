/* SPDX-License-Identifier: Apache-2.0 */
/* See array_judge.h. */
#include "sim/engine/array_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"
#include "sim/engine/array_gemm.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/array_wave.h"

enum { PAIRS = 1024, MAX_ELEMENTS = 1 << 26 };

/* A share of a tile as the array sees it: what decides its cycles. */
struct shape {
    uint64_t m, k, n;
    struct sy_array_cut cut; /* of k */
    uint8_t dataflow;
};

struct sy_judge {
    const struct sy_chip *chip;
    struct sy_diag *diag;
    struct sy_judge_options options;
    struct sy_judge_totals totals;
    struct sy_array_timing timing;
    struct sy_array_wave *wave;
    bool has_before;
    struct shape before;
    struct sy_array_run run_before; /* at the native rate */
    uint64_t pair[PAIRS];           /* neighbours that were judged lately, as hashes that are not 0 */
};

/* What is stepped in one go: parts side by side along N, each with its own B, all with the first rows and columns of
 * one A. */
struct bench {
    struct sy_cycle_job job;
    struct sy_cycle_result result;
    union sy_number *numbers;
    struct sy_cycle_fold *fold;
    uint64_t *first_beat, *first_fold; /* by fold; by part */
    uint64_t parts;
};

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

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = (*state += UINT64_C(0x9E3779B97F4A7C15));
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* A value of `from`, as a number of `format`; never 0, which would hide a wrong neighbour. */
static union sy_number draw(enum sy_dtype from, enum sy_dtype format, uint64_t *state)
{
    uint64_t random = next_random(state), bits = sy_dtypes[from].bits;
    int64_t whole = (int64_t)(random >> 11);
    double value;
    if (!sy_dtypes[from].is_float)
        value = (double)(whole % ((int64_t)1 << (bits - 1))) * (random & 1 ? 1 : -1);
    else if (bits <= 8) /* one of e2m1's values, which every narrow format has */
        value = (double)(1 + whole % 4) * (random & 1 ? 0.5 : -0.5);
    else /* 8 significant bits fit bf16 and fp16 */
        value = (double)(128 + whole % 128) / 128 * (random & 1 ? 1 : -1);
    return sy_number_from(format, value == 0 ? 1 : value);
}

/* ---- one go ---- */

static void bench_free(struct bench *bench)
{
    free(bench->numbers);
    free(bench->fold);
    free(bench->first_beat);
    free(bench->first_fold);
}

static enum sy_status bench_folds(struct bench *bench, const struct shape *part, uint64_t parts)
{
    struct sy_cycle_job *job = &bench->job;
    uint64_t n0 = 0;
    for (uint64_t i = 0; i < parts; i++) {
        struct sy_cycle_fold *fold = NULL;
        uint64_t folds = 0;
        enum sy_status status = sy_cycle_folds_of_cut(job->timing, job->dataflow, job->rows, job->cols, part[i].m,
                                                      &part[i].cut, part[i].n, &fold, &folds);
        if (status != SY_OK)
            return status;
        struct sy_cycle_fold *grown = realloc(bench->fold, (job->folds + folds) * sizeof *grown);
        if (!grown) {
            free(fold);
            return SY_NOMEM;
        }
        bench->fold = grown;
        bench->first_fold[i] = job->folds;
        for (uint64_t f = 0; f < folds; f++) {
            fold[f].n0 += n0;
            bench->fold[job->folds++] = fold[f];
        }
        n0 += part[i].n;
        free(fold);
    }
    job->fold = bench->fold;
    return SY_OK;
}

static bool bench_size(struct sy_cycle_job *job, const struct shape *part, uint64_t parts, uint64_t size[3])
{
    for (uint64_t i = 0; i < parts; i++) {
        job->m = sy_max(job->m, part[i].m);
        job->k = sy_max(job->k, part[i].k);
        if (!sy_add(job->n, part[i].n, &job->n))
            return false;
    }
    return sy_mul(job->m, job->k, &size[0]) && sy_mul(job->k, job->n, &size[1]) && sy_mul(job->m, job->n, &size[2]) &&
           size[0] <= MAX_ELEMENTS && size[1] <= MAX_ELEMENTS && size[2] <= MAX_ELEMENTS;
}

/* Step the parts and compare the product. */
static enum sy_status bench_run(struct sy_judge *judge, struct bench *bench, const struct shape *part, uint64_t parts,
                                const enum sy_dtype dtype[2], const char *name)
{
    struct sy_cycle_job *job = &bench->job;
    const struct sy_array *array = &judge->chip->array;
    uint64_t size[3], state = judge->options.seed ^ judge->totals.tiles * UINT64_C(0xD1B54A32D192ED03);
    job->timing = &judge->timing;
    job->dataflow = array->dataflow[part[0].dataflow].kind;
    job->rows = array->rows;
    job->cols = array->cols;
    bench->parts = parts;
    bench->first_fold = calloc(parts, sizeof *bench->first_fold);
    if (!bench_size(job, part, parts, size)) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s has more operands than the stepped array holds",
                 name);
        return SY_UNSUPPORTED;
    }
    enum sy_status status = bench->first_fold ? bench_folds(bench, part, parts) : SY_NOMEM;
    if (status != SY_OK)
        return status;
    bench->numbers = calloc(size[0] + size[1] + size[2], sizeof *bench->numbers);
    bench->first_beat = calloc(job->folds, sizeof *bench->first_beat);
    if (!bench->numbers || !bench->first_beat)
        return SY_NOMEM;
    for (uint64_t i = 0; i < size[0] + size[1]; i++)
        bench->numbers[i] = draw(dtype[i >= size[0]], job->format, &state);
    job->a = bench->numbers;
    job->b = bench->numbers + size[0];
    job->c = bench->numbers + size[0] + size[1];
    job->first_beat = bench->first_beat;
    status = sy_array_cycle_run(job, &bench->result);
    if (status != SY_OK)
        return sy_error(judge->diag, SY_NOWHERE, NULL, "%s: the stepped array cannot run it: %s", name,
                        bench->result.problem[0] ? bench->result.problem : sy_status_text(status)),
               status;
    struct sy_gemm_verdict verdict;
    status = sy_gemm_judge(job, &verdict);
    if (status != SY_OK || verdict.right) {
        judge->totals.outputs += size[2];
        return status;
    }
    sy_error(judge->diag, SY_NOWHERE, "this is a defect of the array model: please report it",
             "%s: element (%llu, %llu) of the stepped product is %.9g, a plain GEMM gives %.9g (allowed %.3g)", name,
             (unsigned long long)verdict.m, (unsigned long long)verdict.n, verdict.stepped, verdict.expected,
             verdict.bound);
    return SY_INTERNAL;
}

/* ---- judgements ---- */

static enum sy_status differ(struct sy_judge *judge, const char *name, const char *figure, uint64_t stepped,
                             uint64_t closed)
{
    sy_error(judge->diag, SY_NOWHERE, "this is a defect of the array model: please report it",
             "%s: %s is %llu cycles on the stepped array, %llu by the closed form", name, figure,
             (unsigned long long)stepped, (unsigned long long)closed);
    return SY_INTERNAL;
}

static enum sy_status spend(struct sy_judge *judge, uint64_t cycles, const char *name)
{
    const struct sy_array *array = &judge->chip->array;
    uint64_t steps, total, limit = judge->options.max_pe_steps;
    if (!sy_mul3(cycles, array->rows, array->cols, &steps) || !sy_add(steps, judge->totals.pe_steps, &total) ||
        total > limit) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event, or a smaller workload or array",
                 "%s would bring the run beyond %llu PE steps, the bound of cycle fidelity", name,
                 (unsigned long long)limit);
        return SY_UNSUPPORTED;
    }
    judge->totals.pe_steps = total;
    return SY_OK;
}

/* Which distances of first beats the closed form states. Swapping accumulators give the first of several runs a longer
 * opening: it is not one run after another. Where a finished fold may meet full output registers, a fold's last beat
 * waits and not its first: there only the results count. */
static uint64_t first_stated(const struct bench *bench, const struct sy_array_timing *timing, uint64_t parts)
{
    if (bench->job.dataflow != SY_OS)
        return 0;
    return timing->os_drain == SY_DRAIN_SWAP ? 1 : timing->os_drain == SY_DRAIN_SHIFT_REGISTERS ? parts : 0;
}

static uint64_t distance(const struct bench *bench, uint64_t part)
{
    return bench->first_beat[bench->first_fold[part + 1]] - bench->first_beat[bench->first_fold[part]];
}

/* The command's groups: equal tiles, back to back. The first alone gives what one tile takes. */
static enum sy_status judge_alone(struct sy_judge *judge, const struct sy_tile_start *start, const struct shape *shape,
                                  const struct sy_array_run *run, enum sy_dtype format, const enum sy_dtype dtype[2],
                                  const char *name)
{
    struct bench bench = {.job = {.format = format}};
    uint64_t cycles = 0;
    enum sy_status status = sy_add(run->lead_cycles, run->latency_cycles, &cycles) ? SY_OK : SY_OVERFLOW;
    if (status == SY_OK)
        status = spend(judge, cycles, name);
    if (status != SY_OK || judge->options.count_only)
        return status;
    if (sy_array_wave_wants(judge->wave)) {
        bench.job.observe = sy_array_wave_observe;
        bench.job.observe_ctx = judge->wave;
        sy_array_wave_tile(judge->wave, start->command, start->cycle, format);
    }
    status = bench_run(judge, &bench, shape, 1, dtype, name);
    if (status == SY_OK) {
        const struct sy_cycle_result *got = &bench.result;
        judge->totals.tiles++;
        if (got->lead_cycles != run->lead_cycles)
            status = differ(judge, name, "the lead", got->lead_cycles, run->lead_cycles);
        else if (got->cycles != run->latency_cycles)
            status = differ(judge, name, "the tile", got->cycles, run->latency_cycles);
        else if (got->first_result_cycle != run->first_result_cycles)
            status = differ(judge, name, "the first result", got->first_result_cycle, run->first_result_cycles);
        else if (got->beats * judge->timing.mac_initiation_interval != run->beats)
            status = differ(judge, name, "the stream", got->beats * judge->timing.mac_initiation_interval, run->beats);
    }
    bench_free(&bench);
    return status;
}

/* At most so many cycles for runs in a row; false on overflow. */
static bool row_cycles(const struct sy_array_run *run, uint64_t parts, uint64_t *cycles)
{
    *cycles = run[0].lead_cycles;
    for (uint64_t i = 0; i < parts; i++) {
        struct sy_array_gap gap = sy_array_gap_between(i ? &run[i - 1] : NULL, &run[i]);
        uint64_t own = sy_max(run[i].occupancy_cycles, run[i].latency_cycles);
        if (!sy_add(*cycles, own, cycles) || !sy_add(*cycles, gap.preload_cycles + gap.output_cycles, cycles))
            return false;
    }
    return true;
}

/* `parts` runs behind each other: each begins when the closed form says after the one in front. */
static enum sy_status judge_row(struct sy_judge *judge, const struct shape *part, const struct sy_array_run *run,
                                uint64_t parts, enum sy_dtype format, const enum sy_dtype dtype[2], const char *name)
{
    struct bench bench = {.job = {.format = format}};
    uint64_t cycles;
    if (!row_cycles(run, parts, &cycles))
        return SY_OVERFLOW;
    enum sy_status status = spend(judge, cycles, name);
    if (status != SY_OK || judge->options.count_only)
        return status;
    status = bench_run(judge, &bench, part, parts, dtype, name);
    uint64_t first = 0, end = 0;
    for (uint64_t i = 0; status == SY_OK && i < parts; i++) {
        end =
            sy_max(end, first + run[i].latency_cycles); /* a narrow run may be over before a wide one in front of it */
        if (i + 1 == parts)
            break;
        struct sy_array_gap gap = sy_array_gap_between(&run[i], &run[i + 1]);
        uint64_t want = run[i].occupancy_cycles + gap.preload_cycles + gap.output_cycles;
        if (i >= first_stated(&bench, &judge->timing, parts) && distance(&bench, i) != want)
            status = differ(judge, name, "the distance to the tile before", distance(&bench, i), want);
        first += want;
    }
    bool swap = bench.job.dataflow == SY_OS && judge->timing.os_drain == SY_DRAIN_SWAP;
    if (status == SY_OK && !swap && bench.result.cycles != end)
        status = differ(judge, name, "the tile behind the one before", bench.result.cycles, end);
    bench_free(&bench);
    return status;
}

static enum sy_status judge_repeats(struct sy_judge *judge, const struct shape *shape, const struct sy_array_run *run,
                                    uint64_t repeat, enum sy_dtype format, const enum sy_dtype dtype[2],
                                    const char *name)
{
    struct shape *part = calloc(repeat, sizeof *part);
    struct sy_array_run *runs = calloc(repeat, sizeof *runs);
    enum sy_status status = part && runs ? SY_OK : SY_NOMEM;
    for (uint64_t i = 0; status == SY_OK && i < repeat; i++) {
        part[i] = *shape;
        runs[i] = *run;
    }
    if (status == SY_OK)
        status = judge_row(judge, part, runs, repeat, format, dtype, name);
    if (status == SY_OK)
        judge->totals.tiles += repeat - 1;
    free(part);
    free(runs);
    return status;
}

/* Two shapes that follow each other, once for each such pair. */
static enum sy_status judge_follow(struct sy_judge *judge, const struct shape *shape, const struct sy_array_run *run,
                                   enum sy_dtype format, const enum sy_dtype dtype[2], const char *name)
{
    const struct shape *before = &judge->before;
    const struct sy_array_cut *cut[2] = {&before->cut, &shape->cut};
    const uint64_t key[] = {before->m,    before->k,       before->n,    shape->m,     shape->k,
                            shape->n,     shape->dataflow, cut[0]->head, cut[1]->head, cut[0]->segment,
                            cut[0]->tail, cut[1]->segment, cut[1]->tail};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (!judge->has_before || before->dataflow != shape->dataflow)
        return SY_OK; /* the closed form knows no mixed pairs either: it takes the first run's own hold */
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x100000001b3), hash ^= hash >> 29;
    uint64_t *known = &judge->pair[hash % PAIRS];
    if (*known == hash)
        return SY_OK;
    /* Swapping accumulators show the steady distance only behind a first run. */
    uint64_t skip = judge->chip->array.dataflow[shape->dataflow].kind != SY_OS;
    const struct shape part[3] = {*before, *before, *shape};
    const struct sy_array_run runs[3] = {judge->run_before, judge->run_before, *run};
    enum sy_status status = judge_row(judge, part + skip, runs + skip, 3 - skip, format, dtype, name);
    if (status == SY_OK) {
        *known = hash;
        judge->totals.follows++;
    }
    return status;
}

/* The run at the native rate, which is what is stepped; the executor's may hold each beat longer. */
static enum sy_status native_run(const struct sy_judge *judge, const struct sy_array_tile *tile,
                                 const struct shape *shape, struct sy_array_run *run)
{
    const struct sy_array *array = &judge->chip->array;
    enum sy_status status = sy_array_run_of_cut(&array->timing, array->dataflow[shape->dataflow].kind, array->rows,
                                                array->cols, shape->m, &shape->cut, shape->n, run);
    bool equal = run->latency_cycles + tile->held_cycles == tile->run.latency_cycles &&
                 run->occupancy_cycles + tile->held_cycles == tile->run.occupancy_cycles &&
                 run->lead_cycles == tile->run.lead_cycles;
    return status == SY_OK && !equal ? SY_INTERNAL : status;
}

enum sy_status sy_judge_tile(struct sy_judge *judge, const struct sy_tile_start *start, const char *layer)
{
    const struct sy_command *work = start->work;
    const struct sy_array_tile *tile = start->tile;
    const struct shape shape = {tile->share_m, tile->packed_k, tile->share_n, tile->cut, work->u.matmul.dataflow};
    const enum sy_dtype dtype[2] = {(enum sy_dtype)work->u.matmul.a, (enum sy_dtype)work->u.matmul.b};
    char name[200];
    snprintf(name, sizeof name, "tile %llu x %llu x %llu of layer %.80s (command %llu)",
             (unsigned long long)work->u.matmul.m, (unsigned long long)work->u.matmul.k,
             (unsigned long long)work->u.matmul.n, layer ? layer : "?", (unsigned long long)start->command);
    enum sy_dtype format;
    if (judge->chip->array.dataflow[shape.dataflow].kind >= SY_DATAFLOW_KINDS) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s: there is no register model of dataflow %s", name,
                 judge->chip->array.dataflow[shape.dataflow].name);
        return SY_UNSUPPORTED;
    }
    if (!common_format(dtype[0], dtype[1], &format)) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s: the stepped array does not multiply %s by %s",
                 name, sy_dtypes[dtype[0]].name, sy_dtypes[dtype[1]].name);
        return SY_UNSUPPORTED;
    }
    struct sy_array_run run;
    enum sy_status status = native_run(judge, tile, &shape, &run);
    if (status != SY_OK) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event",
                 "%s: the executor's cycles are not those of a run of %s on this array", name,
                 judge->chip->array.dataflow[shape.dataflow].name);
        return status;
    }
    status = judge_alone(judge, start, &shape, &run, format, dtype, name);
    const uint64_t rounds = sy_array_rounds(tile, work->u.matmul.repeat);
    if (status == SY_OK && rounds > 1)
        status = judge_repeats(judge, &shape, &run, rounds, format, dtype, name);
    if (status == SY_OK)
        status = judge_follow(judge, &shape, &run, format, dtype, name);
    judge->before = shape;
    judge->run_before = run;
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
    free(judge);
    return status;
}

void sy_judge_abandon(struct sy_judge *judge)
{
    if (judge)
        sy_array_wave_abandon(judge->wave);
    free(judge);
}
