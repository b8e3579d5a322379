/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of cycle fidelity: what it knows, and one go of the stepped array. */
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"
#include "sim/engine/array_gemm.h"
#include "sim/engine/array_judge_internal.h"

enum { MAX_ELEMENTS = 1 << 26 };

/* ---- what is known ---- */

void sy_judge_key_word(struct sy_judge_key *key, uint64_t word)
{
    key->word[key->words++] = word;
}

void sy_judge_key_start(struct sy_judge_key *key, enum sy_judge_kind kind, uint8_t dataflow,
                        const struct sy_judge_formats *formats)
{
    memset(key, 0, sizeof *key);
    sy_judge_key_word(key, (uint64_t)kind << 32 | (uint64_t)dataflow << 24 | (uint64_t)formats->a << 16 |
                               (uint64_t)formats->b << 8 | (uint64_t)formats->pe);
}

void sy_judge_key_tile(struct sy_judge_key *key, const struct sy_repeat_tile *tile)
{
    const uint64_t word[] = {tile->m,       tile->k, tile->n, tile->cut.head, tile->cut.segment, tile->cut.segments,
                             tile->cut.tail};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        sy_judge_key_word(key, word[i]);
}

static uint64_t bucket(const struct sy_judge_key *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < key->words; i++) {
        hash = (hash ^ key->word[i]) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash % SY_JUDGE_BUCKETS;
}

struct sy_known *sy_judge_find(const struct sy_judge *judge, const struct sy_judge_key *key)
{
    struct sy_known *known = judge->known[bucket(key)];
    while (known && memcmp(known->key.word, key->word, sizeof key->word) != 0)
        known = known->next;
    return known;
}

void sy_judge_forget(struct sy_judge *judge)
{
    for (uint32_t i = 0; i < SY_JUDGE_BUCKETS; i++)
        while (judge->known[i]) {
            struct sy_known *known = judge->known[i];
            judge->known[i] = known->next;
            free(known->stepped);
            free(known);
        }
    judge->knowns = 0;
}

struct sy_known *sy_judge_learn(struct sy_judge *judge, const struct sy_judge_key *key, struct sy_stepped *stepped)
{
    struct sy_known *known = calloc(1, sizeof *known);
    uint64_t at = bucket(key);
    if (!known) {
        free(stepped);
        return NULL;
    }
    *known = (struct sy_known){judge->known[at], *key, stepped};
    judge->known[at] = known;
    judge->knowns++;
    return known;
}

/* ---- operands ---- */

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

struct bench {
    struct sy_cycle_job job;
    union sy_number *numbers;
    struct sy_cycle_fold *fold;
};

static enum sy_status bench_folds(struct bench *bench, const struct sy_judge_go *go)
{
    struct sy_cycle_job *job = &bench->job;
    uint64_t n0 = 0;
    for (uint64_t i = 0; i < go->parts; i++) {
        const struct sy_judge_part *part = &go->part[i];
        struct sy_cycle_fold *fold = NULL;
        uint64_t folds = 0;
        enum sy_status status = sy_cycle_folds_of_cut(job->timing, job->dataflow, job->rows, job->cols, part->tile.m,
                                                      &part->tile.cut, part->tile.n, &fold, &folds);
        if (status != SY_OK)
            return status;
        struct sy_cycle_fold *grown = realloc(bench->fold, (job->folds + part->folds) * sizeof *grown);
        if (!grown || part->skip + part->folds > folds) {
            bench->fold = grown ? grown : bench->fold;
            free(fold);
            return grown ? SY_INTERNAL : SY_NOMEM;
        }
        bench->fold = grown;
        for (uint64_t f = part->skip; f < part->skip + part->folds; f++) {
            fold[f].n0 += n0;
            bench->fold[job->folds++] = fold[f];
        }
        n0 += part->tile.n;
        free(fold);
    }
    job->fold = bench->fold;
    return SY_OK;
}

static bool bench_size(struct sy_cycle_job *job, const struct sy_judge_go *go, uint64_t size[3])
{
    for (uint64_t i = 0; i < go->parts; i++) {
        const struct sy_repeat_tile *tile = &go->part[i].tile;
        job->m = sy_max(job->m, tile->m);
        job->k = sy_max(job->k, tile->k);
        if (!sy_add(job->n, tile->n, &job->n))
            return false;
    }
    return sy_mul(job->m, job->k, &size[0]) && sy_mul(job->k, job->n, &size[1]) && sy_mul(job->m, job->n, &size[2]) &&
           size[0] <= MAX_ELEMENTS && size[1] <= MAX_ELEMENTS && size[2] <= MAX_ELEMENTS;
}

static struct sy_stepped *make_looks(const struct sy_judge_go *go)
{
    uint64_t looks = 0, at = 0, fold = 0;
    for (uint64_t i = 0; i < go->parts; i++)
        looks += go->part[i].folds * go->part[i].looks;
    struct sy_stepped *stepped = calloc(1, sizeof *stepped + looks * sizeof *stepped->look);
    for (uint64_t i = 0; stepped && i < go->parts; i++)
        for (uint64_t f = 0; f < go->part[i].folds; f++, fold++)
            for (uint64_t look = 0; look < go->part[i].looks; look++) {
                struct sy_cycle_mark *mark = &stepped->look[at++];
                mark->fold = fold;
                mark->beat = look ? go->part[i].beats - SY_REPEAT_LOOKS + look : 0;
            }
    if (stepped)
        stepped->looks = looks;
    return stepped;
}

static enum sy_status compare_product(struct sy_judge *judge, const struct sy_judge_go *go, const struct bench *bench)
{
    struct sy_gemm_verdict verdict;
    enum sy_status status = sy_gemm_judge(&bench->job, &verdict);
    if (status != SY_OK || verdict.right) {
        judge->totals.outputs += status == SY_OK ? verdict.compared : 0;
        return status;
    }
    sy_error(judge->diag, SY_NOWHERE, "this is a defect of the array model: please report it",
             "%s: element (%llu, %llu) of the stepped product is %.9g, a plain GEMM gives %.9g (allowed %.3g)",
             go->name, (unsigned long long)verdict.m, (unsigned long long)verdict.n, verdict.stepped, verdict.expected,
             verdict.bound);
    return SY_INTERNAL;
}

static enum sy_status bench_run(struct sy_judge *judge, const struct sy_judge_go *go, struct bench *bench,
                                struct sy_stepped *stepped)
{
    struct sy_cycle_job *job = &bench->job;
    uint64_t size[3], state = judge->options.seed ^ judge->totals.goes * UINT64_C(0xD1B54A32D192ED03);
    if (!bench_size(job, go, size)) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event", "%s has more operands than the stepped array holds",
                 go->name);
        return SY_UNSUPPORTED;
    }
    enum sy_status status = bench_folds(bench, go);
    if (status != SY_OK)
        return status;
    bench->numbers = calloc(size[0] + size[1] + size[2], sizeof *bench->numbers);
    if (!bench->numbers)
        return SY_NOMEM;
    for (uint64_t i = 0; i < size[0] + size[1]; i++)
        bench->numbers[i] = draw(i >= size[0] ? go->formats.b : go->formats.a, job->format, &state);
    job->a = bench->numbers;
    job->b = bench->numbers + size[0];
    job->c = bench->numbers + size[0] + size[1];
    job->mark = stepped->look;
    job->marks = stepped->looks;
    status = sy_array_cycle_run(job, &stepped->result);
    if (status != SY_OK)
        return sy_error(judge->diag, SY_NOWHERE, NULL, "%s: the stepped array cannot run it: %s", go->name,
                        stepped->result.problem[0] ? stepped->result.problem : sy_status_text(status)),
               status;
    return compare_product(judge, go, bench);
}

static enum sy_status spend(struct sy_judge *judge, uint64_t cycles, const char *name)
{
    const struct sy_array *array = &judge->chip->array;
    uint64_t steps, total, limit = judge->options.max_pe_steps;
    if (!sy_mul3(cycles, array->rows, array->cols, &steps) || !sy_add(steps, judge->totals.pe_steps, &total))
        total = UINT64_MAX;
    if (total > limit) {
        sy_error(judge->diag, SY_NOWHERE, "use --fidelity event, or a smaller workload or array",
                 "%s would bring the run to %.3g PE steps, beyond %.3g, the bound of cycle fidelity", name,
                 (double)total, (double)limit);
        return SY_UNSUPPORTED;
    }
    judge->totals.pe_steps = total;
    return SY_OK;
}

enum sy_status sy_judge_step(struct sy_judge *judge, const struct sy_judge_go *go, struct sy_stepped **out)
{
    const struct sy_array *array = &judge->chip->array;
    struct bench bench = {0};
    *out = NULL;
    enum sy_status status = spend(judge, go->most_cycles, go->name);
    if (status != SY_OK || judge->options.count_only)
        return status;
    struct sy_stepped *stepped = make_looks(go);
    if (!stepped)
        return SY_NOMEM;
    bench.job = (struct sy_cycle_job){.timing = &judge->timing,
                                      .dataflow = array->dataflow[go->dataflow].kind,
                                      .rows = array->rows,
                                      .cols = array->cols,
                                      .format = go->formats.pe};
    if (go->shown && sy_array_wave_wants(judge->wave)) {
        bench.job.observe = sy_array_wave_observe;
        bench.job.observe_ctx = judge->wave;
        sy_array_wave_tile(judge->wave, go->shown->command, go->shown->cycle, go->formats.pe);
    }
    status = bench_run(judge, go, &bench, stepped);
    free(bench.numbers);
    free(bench.fold);
    judge->totals.goes++;
    if (status == SY_OK)
        judge->totals.pe_steps = judge->totals.pe_steps - go->most_cycles * array->rows * array->cols +
                                 stepped->result.periods * array->rows * array->cols;
    if (status == SY_OK)
        *out = stepped;
    else
        free(stepped);
    return status;
}

enum sy_status sy_judge_differ(struct sy_judge *judge, const char *name, const char *figure, uint64_t stepped,
                               uint64_t closed)
{
    sy_error(judge->diag, SY_NOWHERE, "this is a defect of the array model: please report it",
             "%s: %s is %llu cycles on the stepped array, %llu by the closed form", name, figure,
             (unsigned long long)stepped, (unsigned long long)closed);
    return SY_INTERNAL;
}
