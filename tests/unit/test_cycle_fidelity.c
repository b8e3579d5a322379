/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycle fidelity of whole runs: on every array design and dataflow, in every
 * format, the stepped array takes the cycles the event engine schedules with
 * and gives the plain GEMM; and the judge does find what is wrong.
 */
#include "tests/unit/engine_support.h"

#include <dirent.h>

#include "sim/base/checked.h"
#include "sim/engine/array_gemm.h"
#include "sim/engine/array_judge.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/array_wave.h"

/* Formats of a and b, and the array's precisions that run them: at its native rate, faster, slower. */
struct pair {
    const char *a, *b, *accumulator;
};
static const struct pair pairs[] = {
    {"int8", "int8", "int32"},   {"int8", "int4", "int32"}, {"int16", "int16", "int32"},
    {"int32", "int32", "int32"}, {"bf16", "bf16", "fp32"},  {"fp16", "fp16", "fp32"},
    {"fp32", "fp32", "fp32"},    {"fp8", "fp8", "fp32"},    {"bf16", "int8", "fp32"},
};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };
static const char *const rates[] = {"1", "1", "2", "1/2", "4"};

static struct sy_replay_options options_of(enum sy_fidelity fidelity, uint64_t seed)
{
    return (struct sy_replay_options){
        .fidelity = fidelity, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP, .seed = seed};
}

static void small_workload(uint64_t *seed, const struct pair *pair, struct sy_buf *out, uint64_t layers)
{
    sy_buf_clear(out);
    sy_buf_puts(out, "systole-trace 1\nnet t\n");
    for (uint64_t i = 0; i < layers; i++) {
        uint64_t groups = draw(seed, 0, 3) ? 1 : draw(seed, 2, 5), f = draw(seed, 1, 3), c = draw(seed, 1, 5);
        if (draw(seed, 0, 2))
            sy_buf_printf(out, "gemm l%llu m=%llu k=%llu n=%llu g=%llu", (unsigned long long)i,
                          (unsigned long long)draw(seed, 1, 40), (unsigned long long)draw(seed, 1, 40),
                          (unsigned long long)draw(seed, 1, 40), (unsigned long long)groups);
        else
            sy_buf_printf(out, "conv l%llu h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu sh=1 sw=1 groups=%llu",
                          (unsigned long long)i, (unsigned long long)draw(seed, 4, 9),
                          (unsigned long long)draw(seed, 4, 9), (unsigned long long)(c * groups),
                          (unsigned long long)(groups * draw(seed, 1, 6)), (unsigned long long)f, (unsigned long long)f,
                          (unsigned long long)groups);
        sy_buf_printf(out, " a=t%llu:%s b=w%llu:%s:weight y=t%llu:%s\n", (unsigned long long)i, pair->a,
                      (unsigned long long)i, pair->b, (unsigned long long)i + 1, pair->a);
    }
    sy_buf_printf(out, "end %llu\n", (unsigned long long)layers);
}

static bool same_run(const struct sy_result *a, const struct sy_result *b)
{
    bool same = a->cycles == b->cycles && a->macs == b->macs && a->layers == b->layers && a->units == b->units;
    for (uint32_t i = 0; same && i < a->units; i++)
        same = a->unit[i].busy == b->unit[i].busy &&
               memcmp(a->unit[i].stall, b->unit[i].stall, sizeof a->unit[i].stall) == 0;
    for (uint64_t i = 0; same && i < a->layers; i++)
        same = a->layer[i].cycles == b->layer[i].cycles;
    return same;
}

/* One random chip of a design and one random workload at both fidelities; false when the chip cannot run it. */
static bool compare_fidelities(const char *timing, enum sy_dataflow_kind dataflow, uint64_t *seed)
{
    struct machine m = random_machine(seed);
    const struct pair *pair = &pairs[draw(seed, 0, PAIRS - 1)];
    char flows[16], precisions[120];
    struct sy_buf text = {0};
    struct log_sink said;
    m.rows = draw(seed, 1, 6);
    m.cols = draw(seed, 1, 6);
    m.arrays = draw(seed, 0, 3) ? 1 : draw(seed, 2, 3);
    m.timing = timing;
    snprintf(flows, sizeof flows, "[%s]", sy_dataflow_name(dataflow));
    snprintf(precisions, sizeof precisions, "[{a: %s, b: %s, accumulator: %s, rate: %s}]", pair->a, pair->b,
             pair->accumulator, rates[draw(seed, 0, sizeof rates / sizeof rates[0] - 1)]);
    m.dataflows = flows;
    m.precisions = precisions;
    struct sy_chip *chip = machine_chip(&m);
    small_workload(seed, pair, &text, draw(seed, 1, 3));
    struct sy_replay_options event = options_of(SY_FIDELITY_EVENT, 0), cycle = options_of(SY_FIDELITY_CYCLE, *seed);
    struct sy_result *fast = run_trace(chip, "t", text.data, &event, &said);
    log_end(&said);
    if (fast) {
        struct sy_result *stepped = run_trace(chip, "t", text.data, &cycle, &said);
        ck_assert_msg(stepped != NULL, "%s %s, %llu x %llu: %s%s", timing, flows, (unsigned long long)m.rows,
                      (unsigned long long)m.cols, log_text(&said), text.data);
        log_end(&said);
        ck_assert_str_eq(stepped->fidelity, "cycle");
        ck_assert_msg(same_run(fast, stepped), "%s %s: event %llu, cycle %llu cycles\n%s", timing, flows,
                      (unsigned long long)fast->cycles, (unsigned long long)stepped->cycles, text.data);
        sy_result_destroy(stepped);
        if (draw(seed, 0, 2) == 0) { /* every tile, every beat */
            cycle.no_fast_forward = true;
            stepped = run_trace(chip, "t", text.data, &cycle, &said);
            ck_assert_msg(stepped != NULL && same_run(fast, stepped), "%s %s: nothing left out: %s", timing, flows,
                          log_text(&said));
            log_end(&said);
            sy_result_destroy(stepped);
        }
    }
    bool ran = fast != NULL;
    sy_result_destroy(fast);
    sy_chip_destroy(chip);
    sy_buf_free(&text);
    return ran;
}

START_TEST(cycle_and_event_take_the_same_cycles_on_every_array_design)
{
    char path[600];
    uint64_t seed = 31337 + (uint64_t)_i, designs = 0;
    snprintf(path, sizeof path, "%s/arch/arrays", data_dir());
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[300];
        size_t length = strlen(entry->d_name);
        if (length < 6 || length >= sizeof name || strcmp(entry->d_name + length - 5, ".yaml") != 0)
            continue;
        memcpy(name, entry->d_name, length - 5);
        name[length - 5] = '\0';
        struct log_sink log;
        struct sy_arena *arena = sy_arena_create(NULL, 0);
        struct sy_array_file file;
        ck_assert_int_eq(sy_array_file_load(arena, name, data_dir(), &file, log_start(&log)), SY_OK);
        log_end(&log);
        for (int d = 0; d < SY_DATAFLOW_KINDS; d++) {
            uint64_t ran = 0;
            if (!sy_array_runs(&file.timing, (enum sy_dataflow_kind)d))
                continue;
            for (int round = 0; round < 10; round++)
                ran += compare_fidelities(name, (enum sy_dataflow_kind)d, &seed);
            ck_assert_msg(ran >= 4, "%s %s: only %llu of 10 ran", name, sy_dataflow_name((enum sy_dataflow_kind)d),
                          (unsigned long long)ran);
            designs++;
        }
        sy_arena_destroy(arena);
    }
    closedir(folder);
    ck_assert_uint_ge(designs, 9);
}
END_TEST

/* ---- the judge finds what is wrong ---- */

static struct sy_tile_start start_of(const struct sy_command *command, const struct sy_array_tile *tile)
{
    return (struct sy_tile_start){.command = 7, .layer = 0, .cycle = 100, .work = command, .tile = tile};
}

static struct sy_command matmul(uint64_t m, uint64_t k, uint64_t n)
{
    struct sy_command command = {.kind = SY_CMD_MATMUL};
    command.u.matmul.m = m;
    command.u.matmul.k = k;
    command.u.matmul.n = n;
    command.u.matmul.repeat = 1;
    command.u.matmul.a = command.u.matmul.b = SY_INT8;
    return command;
}

/* The judge keeps the timing it was made with; the closed form is then asked for an array with a slower hop. */
START_TEST(a_closed_form_of_another_array_is_found_and_named)
{
    struct machine m = plain_machine();
    struct sy_chip *chip = machine_chip(&m);
    struct sy_judge_options options = {.seed = 1};
    struct log_sink log;
    struct sy_diag *diag = log_start(&log);
    struct sy_judge *judge = NULL;
    struct sy_array_tile tile;
    struct sy_command command = matmul(20, 20, 20);
    ck_assert_int_eq(sy_judge_create(chip, &options, diag, &judge), SY_OK);
    ck_assert_int_eq(sy_array_tile_of(chip, 0, 20, 20, 20, SY_INT8, SY_INT8, false, &tile), SY_OK);
    struct sy_tile_start start = start_of(&command, &tile);
    ck_assert_int_eq(sy_judge_tile(judge, &start, "good"), SY_OK);
    ck_assert_uint_eq(sy_judge_totals(judge).tiles, 1);
    ck_assert_uint_eq(sy_judge_totals(judge).outputs, 20 * 20);
    chip->array.timing.psum_hop_cycles++;
    ck_assert_int_eq(sy_array_tile_of(chip, 0, 20, 20, 20, SY_INT8, SY_INT8, false, &tile), SY_OK);
    ck_assert_int_eq(sy_judge_tile(judge, &start, "bad"), SY_INTERNAL);
    ck_assert_ptr_nonnull(strstr(log_text(&log), "tile 20 x 20 x 20 of layer bad (command 7)"));
    sy_judge_abandon(judge);
    log_end(&log);
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(one_wrong_element_of_a_product_is_found)
{
    static const enum sy_dtype formats[] = {SY_INT8, SY_INT32, SY_BF16, SY_FP32};
    uint64_t seed = 3;
    for (int round = 0; round < 200; round++) {
        struct sy_array_timing timing;
        union sy_number a[64], b[64], c[64];
        struct sy_cycle_fold *fold = NULL;
        struct sy_gemm_verdict verdict;
        struct sy_cycle_result result;
        sy_array_timing_init(&timing);
        timing.weight_stationary = 1;
        struct sy_cycle_job job = {.timing = &timing, .dataflow = SY_WS, .rows = 3, .cols = 2, .a = a, .b = b, .c = c};
        job.format = formats[round % 4];
        job.m = draw(&seed, 1, 8);
        job.k = draw(&seed, 1, 8);
        job.n = draw(&seed, 1, 8);
        for (int i = 0; i < 64; i++) {
            a[i] = sy_number_from(job.format, (double)draw(&seed, 1, 100) / 8 + 1);
            b[i] = sy_number_from(job.format, (double)draw(&seed, 1, 100) / 8 + 1);
        }
        ck_assert_int_eq(
            sy_cycle_folds_of(&timing, job.dataflow, job.rows, job.cols, job.m, job.k, job.n, &fold, &job.folds),
            SY_OK);
        job.fold = fold;
        ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_OK);
        ck_assert_int_eq(sy_gemm_judge(&job, &verdict), SY_OK);
        ck_assert_msg(verdict.right, "round %d", round);
        uint64_t at = draw(&seed, 0, job.m * job.n - 1);
        if (sy_dtypes[job.format].is_float)
            c[at].real *= 1.0f + 0x1p-22f;
        else
            c[at].integer ^= 1;
        ck_assert_int_eq(sy_gemm_judge(&job, &verdict), SY_OK);
        ck_assert(!verdict.right && verdict.m == at / job.n && verdict.n == at % job.n);
        free(fold);
    }
}
END_TEST

START_TEST(a_run_stops_at_its_bound_of_pe_steps_with_a_message)
{
    struct machine m = plain_machine();
    struct sy_chip *chip = machine_chip(&m);
    struct log_sink log;
    struct sy_diag *diag = log_start(&log);
    struct sy_array_tile tile;
    struct sy_command command = matmul(16, 8, 8);
    ck_assert_int_eq(sy_array_tile_of(chip, 0, 16, 8, 8, SY_INT8, SY_INT8, false, &tile), SY_OK);
    struct sy_tile_start start = start_of(&command, &tile);
    uint64_t steps = (tile.run.lead_cycles + tile.run.latency_cycles) * m.rows * m.cols;
    for (int i = 0; i < 2; i++) {
        struct sy_judge_options options = {.max_pe_steps = steps - (uint64_t)i};
        struct sy_judge *judge = NULL;
        ck_assert_int_eq(sy_judge_create(chip, &options, diag, &judge), SY_OK);
        ck_assert_int_eq(sy_judge_tile(judge, &start, "l"), i ? SY_UNSUPPORTED : SY_OK);
        ck_assert_uint_eq(sy_judge_totals(judge).pe_steps,
                          i ? 0 : steps - chip->array.timing.input_registers * m.rows * m.cols);
        sy_judge_abandon(judge);
    }
    ck_assert_ptr_nonnull(strstr(log_text(&log), "PE steps"));
    /* Counting alone finds the same bound. */
    struct sy_judge_options options = {.max_pe_steps = steps - 1, .count_only = true};
    struct sy_judge *judge = NULL;
    ck_assert_int_eq(sy_judge_create(chip, &options, diag, &judge), SY_OK);
    ck_assert_int_eq(sy_judge_tile(judge, &start, "l"), SY_UNSUPPORTED);
    sy_judge_abandon(judge);
    log_end(&log);
    sy_chip_destroy(chip);
}
END_TEST

/* Equal tiles, equal neighbours and the middle of a tile are stepped once; asked to, the judge steps everything. */
START_TEST(work_follows_what_differs)
{
    struct machine m = plain_machine();
    struct sy_chip *chip = machine_chip(&m);
    struct log_sink log;
    struct sy_judge_totals totals[2];
    const struct sy_command command = matmul(2000, 8 * m.rows, 9 * m.cols);
    struct sy_array_tile tile;
    const struct sy_tile_start start = start_of(&command, &tile);
    ck_assert_int_eq(sy_array_tile_of(chip, 0, 2000, 8 * m.rows, 9 * m.cols, SY_INT8, SY_INT8, false, &tile), SY_OK);
    for (int all = 0; all < 2; all++) {
        struct sy_judge_options options = {.step_all = all == 1};
        struct sy_judge *judge = NULL;
        ck_assert_int_eq(sy_judge_create(chip, &options, log_start(&log), &judge), SY_OK);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(sy_judge_tile(judge, &start, "l"), SY_OK);
        totals[all] = sy_judge_totals(judge);
        sy_judge_abandon(judge);
        log_end(&log);
    }
    uint64_t once = (tile.run.lead_cycles + tile.run.latency_cycles) * m.rows * m.cols;
    ck_assert_uint_eq(totals[0].commands, 3);
    ck_assert_uint_eq(totals[0].tiles, 1);
    ck_assert_uint_eq(totals[0].follows, 1);
    ck_assert_uint_lt(totals[0].pe_steps, once / 50);
    ck_assert_uint_eq(totals[1].tiles, 3);
    ck_assert_uint_gt(totals[1].pe_steps, 6 * once);
    ck_assert_uint_eq(totals[1].outputs, (3 + 2 * 2) * 2000 * 9 * m.cols);
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(waveforms_show_every_pe_of_the_first_tiles_and_stay_bounded)
{
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "w.vcd", "");
    struct machine m = plain_machine();
    m.rows = m.cols = 3;
    struct sy_chip *chip = machine_chip(&m);
    struct sy_replay_options options = options_of(SY_FIDELITY_CYCLE, 9);
    options.vcd = path;
    const char *text = "systole-trace 1\ngemm l m=4000 k=30 n=30 a=x:int8 b=w:int8:weight y=y:int32\nend 1\n";
    struct sy_result *result = must_run(chip, "t", text, &options);
    char *data = NULL;
    size_t length = 0;
    struct log_sink log;
    ck_assert_int_eq(sy_read_file(path, 1 << 28, &data, &length, log_start(&log)), SY_OK);
    log_end(&log);
    ck_assert_ptr_nonnull(strstr(data, "$scope module pe_2_2 $end"));
    ck_assert_ptr_null(strstr(data, "pe_3_0"));
    uint64_t periods = 0, last = 0;
    for (const char *line = data; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line != '#')
            continue;
        uint64_t time = strtoull(line + 1, NULL, 10);
        ck_assert(periods == 0 || time > last);
        last = time;
        periods++;
    }
    ck_assert_uint_gt(periods, 1000);
    ck_assert_uint_le(last, SY_WAVE_PERIODS);
    free(data);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    scratch_end(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cycle_fidelity");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, cycle_and_event_take_the_same_cycles_on_every_array_design, 0, 4);
    tcase_add_test(tcase, a_closed_form_of_another_array_is_found_and_named);
    tcase_add_test(tcase, one_wrong_element_of_a_product_is_found);
    tcase_add_test(tcase, a_run_stops_at_its_bound_of_pe_steps_with_a_message);
    tcase_add_test(tcase, work_follows_what_differs);
    tcase_add_test(tcase, waveforms_show_every_pe_of_the_first_tiles_and_stay_bounded);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
