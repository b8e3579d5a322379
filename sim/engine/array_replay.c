/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schedules of equal tiles on the register-stepping array, operands included.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"

/* Elements of A, B and C together at most. */
enum { MAX_ELEMENTS = 1 << 26 };

/* Operands that are never 0, so that no wrong weight hides: splitmix64 (public domain, Vigna). */
static union sy_number draw(enum sy_dtype format, uint64_t *state)
{
    uint64_t x = (*state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    int64_t small = (int64_t)(x % 253) - 126;
    return sy_number_from(format, (double)(small == 0 ? 127 : small));
}

static bool is_integer(enum sy_dtype format)
{
    return !sy_dtypes[format].is_float;
}

static bool product_right(const struct sy_cycle_job *job)
{
    for (uint64_t m = 0; m < job->m; m++) {
        for (uint64_t n = 0; n < job->n; n++) {
            union sy_number sum = {0};
            for (uint64_t k = 0; k < job->k; k++) {
                union sy_number product =
                    sy_number_product(job->format, job->a[m * job->k + k], job->b[k * job->n + n]);
                sum = sy_number_sum(job->format, sum, product);
            }
            if (!sy_number_same(job->format, sum, job->c[m * job->n + n])) {
                return false;
            }
        }
    }
    return true;
}

static enum sy_status run(struct sy_cycle_job *job, struct sy_array_cycles *out, bool *products_right)
{
    struct sy_cycle_result result;
    enum sy_status status = sy_array_cycle_run(job, &result);
    memset(out, 0, sizeof *out);
    *products_right = true;
    if (status == SY_OK) {
        out->cycles = result.cycles;
        out->lead_cycles = result.lead_cycles;
        out->cycles_incl_preload = result.cycles_incl_preload;
        out->first_result_cycle = result.first_result_cycle;
        *products_right = !is_integer(job->format) || product_right(job);
    } else {
        _Static_assert(sizeof out->refusal == sizeof result.problem, "one fits the other");
        memcpy(out->refusal, result.problem, sizeof out->refusal);
    }
    return status;
}

/* Numbers of A, B and C; false when the run is too large. */
static bool sizes(const struct sy_array_schedule *s, uint64_t m, uint64_t k, uint64_t n, uint64_t size[3])
{
    bool known = sy_mul(m, k, &size[0]) && sy_mul(k, n, &size[1]) && sy_mul(m, n, &size[2]);
    for (int i = 0; i < 3 && known; i++) {
        known = size[i] <= MAX_ELEMENTS;
    }
    return known && s->tiles > 0 && s->tiles <= SY_CYCLE_MAX_FOLDS;
}

enum sy_status sy_array_schedule_step(const struct sy_array_timing *timing, const struct sy_array_schedule *schedule,
                                      enum sy_dtype format, uint64_t seed, struct sy_array_cycles *out,
                                      bool *products_right)
{
    const struct sy_array_schedule *s = schedule;
    uint64_t m = s->m, k = s->k, n = s->n, size[3], *grows = s->chain ? &k : &n;
    if (!sy_number_supported(format) || !sy_mul(*grows, s->tiles, grows) || !sizes(s, m, k, n, size)) {
        return SY_USAGE;
    }
    union sy_number *numbers = calloc(size[0] + size[1] + size[2], sizeof *numbers);
    struct sy_cycle_fold *fold = calloc(s->tiles, sizeof *fold);
    enum sy_status status = SY_NOMEM;
    if (numbers != NULL && fold != NULL) {
        for (uint64_t i = 0; i < size[0] + size[1]; i++) {
            numbers[i] = draw(format, &seed);
        }
        for (uint64_t i = 0; i < s->tiles; i++) {
            uint64_t k0 = s->chain ? i * s->k : 0, n0 = s->chain ? 0 : i * s->n;
            fold[i] = (struct sy_cycle_fold){0, s->m, k0, s->k, n0, s->n};
        }
        struct sy_cycle_job job = {.timing = timing, .dataflow = s->dataflow, .format = format, .folds = s->tiles};
        job.rows = s->rows;
        job.cols = s->cols;
        job.m = m;
        job.k = k;
        job.n = n;
        job.a = numbers;
        job.b = numbers + size[0];
        job.c = numbers + size[0] + size[1];
        job.fold = fold;
        job.tile_interval = s->tile_interval;
        job.feeder_gap_every = s->feeder_gap_every;
        job.feeder_gap_cycles = s->feeder_gap_cycles;
        job.sink_low_cycles = s->sink_low_cycles;
        status = run(&job, out, products_right);
    }
    free(numbers);
    free(fold);
    return status;
}
