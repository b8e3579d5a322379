/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register-stepping array against the closed forms (cycles) and a plain
 * GEMM (values), on seeded random designs, shapes and testbenches.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"
#include "sim/engine/array_timing.h"
#include "tests/unit/run_support.h"

/* ---- seeded choices ---- */

struct rng {
    uint64_t state;
};
static uint64_t draw(struct rng *rng)
{
    uint64_t x = (rng->state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
static uint64_t pick(struct rng *rng, uint64_t low, uint64_t high)
{
    return low + draw(rng) % (high - low + 1);
}
static bool chance(struct rng *rng, uint64_t percent)
{
    return draw(rng) % 100 < percent;
}

/* A random design that passes the checks. */
static struct sy_array_timing random_timing(struct rng *rng, enum sy_dataflow_kind dataflow)
{
    for (;;) {
        struct sy_array_timing t;
        sy_array_timing_init(&t);
        t.output_stationary = dataflow == SY_OS;
        t.weight_stationary = dataflow == SY_WS;
        t.input_stationary = dataflow == SY_IS;
        t.input_registers = pick(rng, 0, 3);
        t.column_hop_cycles = chance(rng, 70) ? 1 : pick(rng, 0, 3);
        t.operand_row_hop_cycles = chance(rng, 70) ? 1 : pick(rng, 0, 3);
        t.psum_hop_cycles = chance(rng, 50) ? 1 : pick(rng, 0, 4);
        t.multiply_cycles = pick(rng, 0, 2);
        t.accumulate_cycles = chance(rng, 60) ? 1 : pick(rng, 0, 3);
        t.mac_initiation_interval = chance(rng, 75) ? 1 : pick(rng, 2, 3);
        t.output_registers = pick(rng, 0, 2);
        t.output_deskew = chance(rng, 30);
        t.transposer_cycles_per_row = chance(rng, 10);
        t.weight_load = pick(rng, 0, 3);
        t.preload_rows_per_cycle = chance(rng, 80) ? 1 : pick(rng, 2, 3);
        t.preload_rows = pick(rng, 0, 1);
        t.preload_settle = chance(rng, 15);
        t.row_placement = chance(rng, 30);
        t.partial_sums = chance(rng, 30);
        t.os_drain = pick(rng, 0, 3);
        t.os_restart = pick(rng, 0, 1);
        t.accumulator_clear_cycles = chance(rng, 50) ? 0 : pick(rng, 1, 3);
        t.bias_preload = chance(rng, 50);
        t.output_collision = pick(rng, 0, 1);
        t.fold_overlap = chance(rng, 85);
        t.fold_order = pick(rng, 0, 1);
        t.accumulate_distance_cycles = chance(rng, 70) ? 0 : pick(rng, 1, 8);
        t.min_stream_beats = chance(rng, 80) ? 1 : pick(rng, 2, 6);
        t.stream_multiple_beats = chance(rng, 85) ? 1 : pick(rng, 2, 4);
        t.os_stream_whole_rows = chance(rng, 10);
        t.ragged = chance(rng, 15);
        t.single_line_saves_cycles = chance(rng, 10);
        t.back_pressure = pick(rng, 0, 2);
        t.first_result = chance(rng, 5);
        t.cycle_count = chance(rng, 5);
        if (sy_array_timing_check(&t, SY_NOWHERE, NULL) == SY_OK) {
            return t;
        }
    }
}

/* ---- operands and a plain GEMM ---- */

static const enum sy_dtype formats[] = {SY_INT8, SY_INT16, SY_INT32, SY_BF16, SY_FP16, SY_FP32};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static bool is_float(enum sy_dtype format)
{
    return format == SY_BF16 || format == SY_FP16 || format == SY_FP32;
}

static union sy_number *operands(struct rng *rng, enum sy_dtype format, uint64_t count)
{
    union sy_number *out = calloc(count, sizeof *out);
    for (uint64_t i = 0; i < count; i++) {
        double span = format == SY_INT8 ? 128 : format == SY_INT16 ? 32768 : format == SY_INT32 ? 2147483648.0 : 3;
        double value = ((double)(draw(rng) >> 11) / 4503599627370496.0 - 1) * span;
        out[i] = sy_number_from(format, value == 0 ? 1 : value);
        if (!is_float(format) && out[i].integer == 0) {
            out[i].integer = 1; /* a zero would hide a wrong weight */
        }
    }
    return out;
}

/* Independent arithmetic: sums modulo 2^32 or 2^64, floats rounded to fp32 a step. */
static union sy_number mac(enum sy_dtype format, union sy_number sum, union sy_number a, union sy_number b)
{
    union sy_number out = {0};
    if (is_float(format)) {
        volatile float product = a.real * b.real;
        volatile float total = sum.real + product;
        out.real = total;
    } else if (format == SY_INT8) {
        out.integer = (int32_t)((uint32_t)sum.integer + (uint32_t)a.integer * (uint32_t)b.integer);
    } else {
        out.integer = (int64_t)((uint64_t)sum.integer + (uint64_t)a.integer * (uint64_t)b.integer);
    }
    return out;
}
static union sy_number one(enum sy_dtype format)
{
    union sy_number number = {0};
    if (is_float(format)) {
        number.real = 1;
    } else {
        number.integer = 1;
    }
    return number;
}

/* C in the dataflow's documented order of summation. */
static union sy_number *plain_gemm(const struct sy_cycle_job *job)
{
    const struct sy_array_timing *t = job->timing;
    union sy_number *c = calloc(job->m * job->n, sizeof *c);
    union sy_number *held = calloc(job->rows * job->cols, sizeof *held);
    bool os = job->dataflow == SY_OS;
    bool running = os && t->os_drain == SY_DRAIN_OPERAND_WIRES && t->os_restart == SY_RESTART_RUNNING_SUM;
    for (uint64_t f = 0; f < job->folds; f++) {
        const struct sy_cycle_fold *fold = &job->fold[f];
        const struct sy_cycle_fold *before = f > 0 ? fold - 1 : NULL;
        bool continues = before && before->m0 == fold->m0 && before->n0 == fold->n0 && before->m == fold->m &&
                         before->n == fold->n && before->k0 + before->k == fold->k0;
        bool reenters = !os && t->partial_sums == SY_SUMS_TOP_PORT && continues;
        uint64_t base = t->row_placement == SY_ROWS_BOTTOM && t->ragged == SY_RAGGED_USED ? job->rows - fold->m : 0;
        for (uint64_t m = 0; m < fold->m; m++) {
            for (uint64_t n = 0; n < fold->n; n++) {
                union sy_number *out = &c[(fold->m0 + m) * job->n + fold->n0 + n];
                union sy_number *pe = os ? &held[(base + m) * job->cols + n] : NULL;
                union sy_number zero = {0}, sum = reenters ? *out : running ? *pe : zero;
                for (uint64_t k = 0; k < fold->k; k++) {
                    sum = mac(job->format, sum, job->a[(fold->m0 + m) * job->k + fold->k0 + k],
                              job->b[(fold->k0 + k) * job->n + fold->n0 + n]);
                }
                union sy_number result = sum;
                if (running) {
                    if (is_float(job->format)) {
                        result.real = sum.real - pe->real;
                    } else {
                        union sy_number minus = one(job->format), was = *pe;
                        minus.integer = -1;
                        result = mac(job->format, sum, was, minus);
                    }
                    *pe = sum;
                }
                *out = reenters ? result : mac(job->format, *out, result, one(job->format));
            }
        }
    }
    free(held);
    return c;
}

/* ---- one case ---- */

struct test_case {
    struct sy_array_timing timing;
    struct sy_cycle_job job;
    struct sy_cycle_result result;
    enum sy_status status;
    union sy_number *a, *b, *c;
    struct sy_cycle_fold *fold;
    uint64_t *first_beat;
};

static void print_timing(const struct sy_array_timing *t, char *out, size_t size)
{
    size_t used = 0;
    struct sy_array_timing preset;
    sy_array_timing_init(&preset);
    out[0] = '\0';
    for (size_t i = 0; i < sy_array_key_count && used < size; i++) {
        const struct sy_array_key *key = &sy_array_keys[i];
        uint64_t value = sy_array_key_get(t, key);
        if (value != sy_array_key_get(&preset, key)) {
            int n = key->kind == SY_ARRAY_ENUM
                        ? snprintf(out + used, size - used, " %s=%s", key->name, key->enum_names[value])
                        : snprintf(out + used, size - used, " %s=%llu", key->name, (unsigned long long)value);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static char *describe(const struct test_case *tc)
{
    static char text[2400];
    char keys[1800];
    const struct sy_cycle_job *job = &tc->job;
    print_timing(&tc->timing, keys, sizeof keys);
    (void)snprintf(text, sizeof text,
                   "%s %llux%llu GEMM %llux%llux%llu folds %llu interval %llu gap %llu/%llu sink %llu %s:%s; %s",
                   sy_dataflow_name(job->dataflow), (unsigned long long)job->rows, (unsigned long long)job->cols,
                   (unsigned long long)job->m, (unsigned long long)job->k, (unsigned long long)job->n,
                   (unsigned long long)job->folds, (unsigned long long)job->tile_interval,
                   (unsigned long long)job->feeder_gap_every, (unsigned long long)job->feeder_gap_cycles,
                   (unsigned long long)job->sink_low_cycles, sy_dtypes[job->format].name, keys, tc->result.problem);
    return text;
}

static void run_test_case(struct test_case *tc, struct rng *rng)
{
    struct sy_cycle_job *job = &tc->job;
    job->timing = &tc->timing;
    tc->a = operands(rng, job->format, job->m * job->k);
    tc->b = operands(rng, job->format, job->k * job->n);
    tc->c = calloc(job->m * job->n, sizeof *tc->c);
    tc->first_beat = calloc(job->folds, sizeof *tc->first_beat);
    job->a = tc->a;
    job->b = tc->b;
    job->c = tc->c;
    job->fold = tc->fold;
    job->first_beat = tc->first_beat;
    tc->status = sy_array_cycle_run(job, &tc->result);
}

static void free_case(struct test_case *tc)
{
    free(tc->a);
    free(tc->b);
    free(tc->c);
    free(tc->fold);
    free(tc->first_beat);
}

static bool values_right(const struct test_case *tc)
{
    union sy_number *want = plain_gemm(&tc->job);
    bool right = true;
    for (uint64_t i = 0; i < tc->job.m * tc->job.n && right; i++) {
        right = is_float(tc->job.format) ? memcmp(&want[i].real, &tc->c[i].real, sizeof(float)) == 0
                                         : want[i].integer == tc->c[i].integer;
    }
    free(want);
    return right;
}

/* Equal tiles under a testbench's schedule. */
static struct sy_array_schedule random_schedule(struct rng *rng, struct test_case *tc)
{
    struct sy_cycle_job *job = &tc->job;
    struct sy_array_schedule s = {.dataflow = job->dataflow};
    job->rows = s.rows = chance(rng, 80) ? pick(rng, 1, 6) : pick(rng, 1, 12);
    job->cols = s.cols = chance(rng, 80) ? pick(rng, 1, 6) : pick(rng, 1, 12);
    uint64_t used_rows = chance(rng, 60) ? s.rows : pick(rng, 1, s.rows);
    uint64_t used_cols = chance(rng, 60) ? s.cols : pick(rng, 1, s.cols);
    uint64_t stream = chance(rng, 50) ? pick(rng, 1, 8) : pick(rng, 1, 30);
    s.tiles = chance(rng, 25) ? 1 : pick(rng, 2, 5);
    s.m = s.dataflow == SY_OS ? used_rows : s.dataflow == SY_WS ? stream : used_cols;
    s.k = s.dataflow == SY_OS ? stream : used_rows;
    s.n = s.dataflow == SY_OS ? used_cols : s.dataflow == SY_WS ? used_cols : stream;
    s.chain = s.dataflow != SY_OS && chance(rng, 30);
    if (chance(rng, 25)) {
        s.feeder_gap_every = pick(rng, 1, 7);
        s.feeder_gap_cycles = pick(rng, 1, 4);
    }
    if (chance(rng, tc->timing.back_pressure == SY_PRESSURE_NONE ? 5 : 60)) {
        s.sink_low_cycles = pick(rng, 1, 4);
    }
    if (chance(rng, 10)) {
        s.tile_interval = pick(rng, 1, 60);
    }
    return s;
}

static void folds_of_schedule(struct test_case *tc, const struct sy_array_schedule *s)
{
    struct sy_cycle_job *job = &tc->job;
    job->m = s->m;
    job->k = s->chain ? s->k * s->tiles : s->k;
    job->n = s->chain ? s->n : s->n * s->tiles;
    job->folds = s->tiles;
    tc->fold = calloc(s->tiles, sizeof *tc->fold);
    for (uint64_t i = 0; i < s->tiles; i++) {
        tc->fold[i] = (struct sy_cycle_fold){0, s->m, s->chain ? i * s->k : 0, s->k, s->chain ? 0 : i * s->n, s->n};
    }
    job->tile_interval = s->tile_interval;
    job->feeder_gap_every = s->feeder_gap_every;
    job->feeder_gap_cycles = s->feeder_gap_cycles;
    job->sink_low_cycles = s->sink_low_cycles;
}

struct tally {
    unsigned ran, refused, late, slow, ragged, per_dataflow[SY_DATAFLOW_KINDS];
};

static void check_schedule(struct rng *rng, struct tally *tally)
{
    struct test_case tc = {0};
    enum sy_dataflow_kind dataflow = (enum sy_dataflow_kind)pick(rng, 0, SY_DATAFLOW_KINDS - 1);
    tc.timing = random_timing(rng, dataflow);
    tc.job.dataflow = dataflow;
    tc.job.format = formats[pick(rng, 0, FORMATS - 1)];
    struct sy_array_schedule s = random_schedule(rng, &tc);
    folds_of_schedule(&tc, &s);
    struct sy_array_cycles want;
    enum sy_status status = sy_array_schedule_cycles(&tc.timing, &s, &want);
    ck_assert_msg(status == SY_OK || status == SY_UNSUPPORTED, "%s", sy_status_name(status));
    if (status == SY_UNSUPPORTED) {
        ck_assert_uint_gt(strlen(want.refusal), 0);
    }
    run_test_case(&tc, rng);
    bool asked_too_close = status == SY_UNSUPPORTED && s.tile_interval > 0; /* the loader waits instead */
    bool reenters_late = status == SY_UNSUPPORTED && s.chain && s.feeder_gap_every > 0;
    if (status == SY_UNSUPPORTED && !asked_too_close && !reenters_late) {
        ck_assert_msg(tc.status == SY_UNSUPPORTED, "closed form refuses (%s), array ran: %s", want.refusal,
                      describe(&tc));
        tally->refused++;
    } else if (status == SY_OK) {
        ck_assert_msg(tc.status == SY_OK, "closed form %llu cycles, array: %s", (unsigned long long)want.cycles,
                      describe(&tc));
        ck_assert_msg(tc.result.cycles == want.cycles && tc.result.lead_cycles == want.lead_cycles &&
                          tc.result.cycles_incl_preload == want.cycles_incl_preload &&
                          tc.result.first_result_cycle == want.first_result_cycle,
                      "closed form %llu + %llu first %llu, array %llu + %llu first %llu: %s",
                      (unsigned long long)want.lead_cycles, (unsigned long long)want.cycles,
                      (unsigned long long)want.first_result_cycle, (unsigned long long)tc.result.lead_cycles,
                      (unsigned long long)tc.result.cycles, (unsigned long long)tc.result.first_result_cycle,
                      describe(&tc));
        ck_assert_msg(values_right(&tc), "wrong product: %s", describe(&tc));
        tally->ran++;
        tally->per_dataflow[dataflow]++;
        tally->late += s.feeder_gap_every > 0;
        tally->slow += s.sink_low_cycles > 0;
        tally->ragged += s.m < s.rows || s.n < s.cols;
    }
    free_case(&tc);
}

START_TEST(random_schedules_take_the_closed_forms_cycles_and_give_the_gemm)
{
    struct rng rng = {20240613u + (uint64_t)_i};
    struct tally tally = {0};
    for (int i = 0; i < 1000; i++) {
        check_schedule(&rng, &tally);
    }
    ck_assert_uint_gt(tally.ran, 700);
    ck_assert_uint_gt(tally.refused, 5);
    ck_assert_uint_gt(tally.late, 100);
    ck_assert_uint_gt(tally.slow, 30);
    ck_assert_uint_gt(tally.ragged, 200);
    for (int d = 0; d < SY_DATAFLOW_KINDS; d++) {
        ck_assert_uint_gt(tally.per_dataflow[d], 150);
    }
}
END_TEST

/* ---- whole tiles, and tiles after tiles ---- */

/* A part of the GEMM: n columns of C from the first k of K. segment > 0: on ws and is a fold ends wherever a multiple
 * of it is reached, and the part begins `into` steps behind one. */
struct part {
    uint64_t k, n, segment, into;
};

static void random_tile(struct rng *rng, struct test_case *tc, unsigned parts, struct part part[])
{
    struct sy_cycle_job *job = &tc->job;
    job->rows = pick(rng, 1, 6);
    job->cols = pick(rng, 1, 6);
    job->m = chance(rng, 30) ? pick(rng, 1, 3) : pick(rng, 1, 20);
    job->k = chance(rng, 30) ? pick(rng, 1, 3) : pick(rng, 1, 20);
    job->n = 0;
    bool corner = chance(rng, 20); /* a whole fold and slivers: the whole one is through last */
    if (corner) {
        job->m = job->rows + 1;
        job->k = pick(rng, 1, 2);
    }
    for (unsigned i = 0; i < parts; i++) {
        part[i].n = corner ? job->cols + 1 : chance(rng, 50) ? pick(rng, 1, 5) : pick(rng, 1, 16);
        part[i].k = parts == 1 ? job->k : pick(rng, 1, job->k);
        job->n += part[i].n;
        part[i].segment = chance(rng, 50) ? pick(rng, 1, part[i].k) : 0;
        part[i].into = chance(rng, 50) ? pick(rng, 0, 20) : 0;
    }
    job->format = formats[pick(rng, 0, FORMATS - 1)];
}

/* The folds of a part by the definition: the next one begins with the first step beyond the array's last row, or in
 * another segment. */
static struct sy_cycle_fold *folds_of_part(const struct test_case *tc, struct part part, uint64_t *folds)
{
    const struct sy_cycle_job *job = &tc->job;
    bool is = job->dataflow == SY_IS, columns_outer = tc->timing.fold_order == SY_FOLDS_COLUMNS_OUTER;
    uint64_t start[64], rows = 0, over = is ? job->m : part.n, columns = (over + job->cols - 1) / job->cols;
    for (uint64_t k = 0, begun = 0; k < part.k; k++) {
        if (k == 0 || k - begun == job->rows || (part.segment && (part.into + k) % part.segment == 0))
            start[rows++] = begun = k;
    }
    start[rows] = part.k;
    struct sy_cycle_fold *fold = calloc(rows * columns, sizeof *fold);
    for (uint64_t i = 0; i < rows * columns; i++) {
        uint64_t r = columns_outer ? i % rows : i / columns, c = (columns_outer ? i / rows : i % columns) * job->cols;
        uint64_t width = sy_min(job->cols, over - c);
        fold[i] = (struct sy_cycle_fold){is ? c : 0, is ? width : job->m, start[r], start[r + 1] - start[r],
                                         is ? 0 : c, is ? part.n : width};
    }
    *folds = rows * columns;
    return fold;
}

/* The folds of `parts` tiles side by side along N; where[i] = index of the first fold of part i. */
static void folds_of_parts(struct test_case *tc, unsigned parts, const struct part part[], uint64_t where[])
{
    struct sy_cycle_job *job = &tc->job;
    uint64_t n0 = 0;
    job->folds = 0;
    for (unsigned i = 0; i < parts; i++) {
        struct sy_cycle_fold *fold;
        uint64_t folds;
        if (job->dataflow == SY_OS)
            ck_assert_int_eq(sy_cycle_folds_of(&tc->timing, job->dataflow, job->rows, job->cols, job->m, part[i].k,
                                               part[i].n, &fold, &folds),
                             SY_OK);
        else
            fold = folds_of_part(tc, part[i], &folds);
        tc->fold = realloc(tc->fold, (job->folds + folds) * sizeof *tc->fold);
        where[i] = job->folds;
        for (uint64_t f = 0; f < folds; f++) {
            fold[f].n0 += n0;
            tc->fold[job->folds++] = fold[f];
        }
        n0 += part[i].n;
        free(fold);
    }
}

static struct sy_array_run run_of(const struct test_case *tc, struct part part)
{
    struct sy_array_run run;
    const struct sy_cycle_job *job = &tc->job;
    const struct sy_array_cut cut = sy_array_cut_of(part.k, part.segment, part.into);
    ck_assert_uint_eq(cut.head + cut.segment * cut.segments + cut.tail, part.k);
    ck_assert_int_eq(sy_array_run_of_cut(&tc->timing, job->dataflow, job->rows, job->cols, job->m, &cut, part.n, &run),
                     SY_OK);
    ck_assert_uint_eq(run.occupancy_cycles,
                      run.beats + run.preload_exposed_cycles + run.output_bound_cycles + run.fill_drain_cycles);
    ck_assert_uint_eq(run.useful_macs, job->m * part.k * part.n);
    ck_assert_uint_le(run.useful_macs, run.mapped_pe_beats);
    ck_assert_uint_le(run.mapped_pe_beats, run.pe_beats);
    return run;
}

/* A loader that knows the design spaces its folds: what the run of a tile assumes. */
static struct sy_array_timing spaced_timing(struct rng *rng, enum sy_dataflow_kind dataflow)
{
    struct sy_array_timing t = random_timing(rng, dataflow);
    t.output_collision = SY_COLLISION_WAIT;
    return t;
}

START_TEST(random_tiles_of_many_folds_take_the_runs_cycles_and_give_the_gemm)
{
    struct rng rng = {77001u + (uint64_t)_i};
    for (int i = 0; i < 400; i++) {
        struct test_case tc = {0};
        struct part part;
        uint64_t where;
        tc.job.dataflow = (enum sy_dataflow_kind)pick(&rng, 0, SY_DATAFLOW_KINDS - 1);
        tc.timing = spaced_timing(&rng, tc.job.dataflow);
        random_tile(&rng, &tc, 1, &part);
        folds_of_parts(&tc, 1, &part, &where);
        run_test_case(&tc, &rng);
        struct sy_array_run run = run_of(&tc, part);
        ck_assert_msg(tc.status == SY_OK, "%s", describe(&tc));
        ck_assert_msg(run.latency_cycles == tc.result.cycles && run.lead_cycles == tc.result.lead_cycles &&
                          run.first_result_cycles == tc.result.first_result_cycle,
                      "run %llu + %llu first %llu, array %llu + %llu first %llu: %s",
                      (unsigned long long)run.lead_cycles, (unsigned long long)run.latency_cycles,
                      (unsigned long long)run.first_result_cycles, (unsigned long long)tc.result.lead_cycles,
                      (unsigned long long)tc.result.cycles, (unsigned long long)tc.result.first_result_cycle,
                      describe(&tc));
        ck_assert_uint_eq(run.beats, tc.result.beats * tc.timing.mac_initiation_interval);
        ck_assert_msg(values_right(&tc), "wrong product: %s", describe(&tc));
        free_case(&tc);
    }
}
END_TEST

/* Three tiles: the third follows the second as the closed form says. */
START_TEST(runs_follow_runs_as_the_array_allows)
{
    struct rng rng = {88002u + (uint64_t)_i};
    for (int i = 0; i < 300; i++) {
        struct test_case tc = {0};
        struct part part[3];
        uint64_t where[3], start[3] = {0};
        tc.job.dataflow = (enum sy_dataflow_kind)pick(&rng, 0, SY_DATAFLOW_KINDS - 1);
        tc.timing = spaced_timing(&rng, tc.job.dataflow);
        tc.timing.first_result = SY_FIRST_AT_PORT;
        tc.timing.cycle_count = SY_COUNT_PERIODS;
        random_tile(&rng, &tc, 3, part);
        folds_of_parts(&tc, 3, part, where);
        run_test_case(&tc, &rng);
        ck_assert_msg(tc.status == SY_OK, "%s", describe(&tc));
        struct sy_array_run run[3] = {run_of(&tc, part[0]), run_of(&tc, part[1]), run_of(&tc, part[2])};
        for (int p = 0; p < 3; p++) {
            ck_assert_int_eq(
                sy_array_first_beat_after(p ? &run[p - 1] : NULL, p ? start[p - 1] : 0, &run[p], 0, &start[p]), SY_OK);
        }
        bool os = tc.job.dataflow == SY_OS;
        if (os && tc.timing.os_drain == SY_DRAIN_SWAP) {
            ck_assert_msg(start[2] - start[1] == tc.first_beat[where[2]] - tc.first_beat[where[1]],
                          "third run %llu after the second, array %llu: %s", (unsigned long long)(start[2] - start[1]),
                          (unsigned long long)(tc.first_beat[where[2]] - tc.first_beat[where[1]]), describe(&tc));
        } else {
            uint64_t end = 0; /* a narrow run may be over before a wide one in front of it */
            for (int p = 0; p < 3; p++) {
                end = sy_max(end, start[p] + run[p].latency_cycles);
            }
            uint64_t cycles = end - start[0];
            ck_assert_msg(cycles == tc.result.cycles, "runs %llu, array %llu: %s", (unsigned long long)cycles,
                          (unsigned long long)tc.result.cycles, describe(&tc));
        }
        ck_assert_msg(values_right(&tc), "wrong product: %s", describe(&tc));
        free_case(&tc);
    }
}
END_TEST

/* Schedules whose last period is a rule, not a collision: a clear; one row, whose wires carry nothing further down; one
 * weight a column, which needs no select; a sum that re-enters beside its operand and then waits for the multiplier;
 * and hops of several registers or beats with gaps, between which a word can slip. */
static bool is_slack(const struct test_case *tc, const struct sy_array_schedule *s)
{
    const struct sy_array_timing *t = &tc->timing;
    if (s->dataflow == SY_OS) {
        uint64_t used = t->ragged == SY_RAGGED_PADDED ? s->rows : s->m;
        return t->os_drain == SY_DRAIN_OPERAND_WIRES &&
               (t->os_restart == SY_RESTART_CLEAR || used == 1 || t->operand_row_hop_cycles > 1);
    }
    bool one_word = s->rows == 1 || (s->k == 1 && t->preload_rows == SY_PRELOAD_USED);
    bool reenters = s->chain && t->partial_sums == SY_SUMS_TOP_PORT && t->multiply_cycles > 0;
    bool shared = t->weight_load == SY_LOAD_SHARED_WIRES;
    bool roomy = t->column_hop_cycles > 1 || t->psum_hop_cycles - t->accumulate_cycles > 1 ||
                 t->mac_initiation_interval > 1 || s->feeder_gap_every > 0;
    return reenters || (shared && (one_word || roomy));
}

/* One period earlier, and something breaks: the schedules are not only enough but tight. */
START_TEST(no_fold_can_start_a_period_earlier)
{
    struct rng rng = {99003u + (uint64_t)_i};
    unsigned moved = 0;
    for (int i = 0; i < 300; i++) {
        struct test_case tc = {0}, early = {0};
        tc.job.dataflow = (enum sy_dataflow_kind)pick(&rng, 0, SY_DATAFLOW_KINDS - 1);
        tc.timing = spaced_timing(&rng, tc.job.dataflow);
        tc.timing.fold_overlap = SY_OVERLAP_WAVEFRONT;
        tc.job.format = SY_INT32;
        struct sy_array_schedule s = random_schedule(&rng, &tc);
        s.tile_interval = 0;
        s.sink_low_cycles = 0;
        folds_of_schedule(&tc, &s);
        early = tc;
        early.fold = calloc(s.tiles, sizeof *early.fold);
        memcpy(early.fold, tc.fold, s.tiles * sizeof *early.fold);
        early.job.early = true;
        struct rng again = rng;
        run_test_case(&tc, &rng);
        run_test_case(&early, &again);
        ck_assert_msg(tc.status == SY_OK, "%s", describe(&tc));
        bool same =
            early.status == SY_OK && memcmp(tc.first_beat, early.first_beat, s.tiles * sizeof *tc.first_beat) == 0;
        if (!same && !is_slack(&tc, &s)) {
            moved++;
            ck_assert_msg(early.status != SY_OK || !values_right(&early), "a period could be saved: %s", describe(&tc));
        }
        free_case(&tc);
        free_case(&early);
    }
    ck_assert_uint_gt(moved, 15);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_cycle");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, random_schedules_take_the_closed_forms_cycles_and_give_the_gemm, 0, 10);
    tcase_add_loop_test(tc, random_tiles_of_many_folds_take_the_runs_cycles_and_give_the_gemm, 0, 10);
    tcase_add_loop_test(tc, runs_follow_runs_as_the_array_allows, 0, 5);
    tcase_add_loop_test(tc, no_fold_can_start_a_period_earlier, 0, 5);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
