/* SPDX-License-Identifier: Apache-2.0 */
/* Paged KV caches: one page is no paging; pages move the same bytes in pieces that lie anywhere, and their table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_support.h"
#include "traces/trace.h"
#include "workloads/import/importer.h"

struct shape {
    uint64_t batch, kv_heads, sharing, q, kv, causal, window, dim, page;
    const char *sequences;
};

static struct machine roomy_machine(void)
{
    struct machine m = plain_machine();
    m.rows = m.cols = 16;
    m.scratch_kib = 64;
    m.accumulator_kib = 64;
    m.middle_kib = 1024;
    m.keeps = true;
    m.lanes = 64;
    m.burst = 1; /* every byte counts */
    m.fuses = true;
    return m;
}

static const char *attention_text(const struct shape *s, struct sy_buf *text)
{
    sy_buf_clear(text);
    sy_buf_printf(text,
                  "systole-trace 1\nnet t\nattention l batch=%llu heads=%llu kv_heads=%llu q_len=%llu kv_len=%llu "
                  "head_dim=%llu value_dim=%llu causal=%s window=%llu kv_page=%llu q=q:int8 k=k:int8:state "
                  "v=v:int8:state y=o:int8%s%s\nend 1\n",
                  (unsigned long long)s->batch, (unsigned long long)(s->kv_heads * s->sharing),
                  (unsigned long long)s->kv_heads, (unsigned long long)s->q, (unsigned long long)s->kv,
                  (unsigned long long)s->dim, (unsigned long long)s->dim, s->causal ? "yes" : "no",
                  (unsigned long long)s->window, (unsigned long long)s->page, s->sequences ? " sequences=" : "",
                  s->sequences ? s->sequences : "");
    return text->data;
}

static struct sy_result *attend(const struct machine *m, const struct shape *shape,
                                const struct sy_replay_options *options)
{
    struct sy_buf text = {0};
    struct sy_chip *chip = machine_chip(m);
    struct sy_result *result = must_run(chip, "t", attention_text(shape, &text), options);
    sy_buf_free(&text);
    sy_chip_destroy(chip);
    return result;
}

static const struct sy_replay_options ideal = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};

static uint64_t bytes_read(const struct sy_result *result)
{
    return result->layer[0].level_read_bytes[3]; /* of the backing store behind accumulator, scratchpad, shared level */
}

static struct shape random_shape(uint64_t *seed)
{
    struct shape s = {.batch = draw(seed, 1, 4),
                      .kv_heads = draw(seed, 1, 3),
                      .sharing = draw(seed, 1, 4),
                      .q = 1,
                      .kv = draw(seed, 1, 400),
                      .dim = 16 * draw(seed, 1, 2)};
    if (draw(seed, 0, 2) == 0) {
        s.causal = 1;
        s.q = draw(seed, 1, 60);
        s.kv = s.q + draw(seed, 0, 200);
        s.window = draw(seed, 0, 1) ? draw(seed, 1, 100) : 0;
    }
    s.page = draw(seed, 1, 64);
    return s;
}

START_TEST(a_page_that_holds_the_sequence_changes_nothing)
{
    uint64_t seed = UINT64_C(0x9a6e0001);
    for (int i = 0; i < cases(20); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.burst = 64;
        shape.page = 0;
        struct sy_result *whole = attend(&m, &shape, &ideal);
        shape.page = shape.kv + draw(&seed, 0, 9);
        struct sy_result *page = attend(&m, &shape, &ideal);
        ck_assert_uint_eq(page->cycles, whole->cycles);
        ck_assert_uint_eq(page->kv_pages, 0);
        for (uint32_t level = 0; level < 4; level++) {
            ck_assert_uint_eq(page->layer[0].level_read_bytes[level], whole->layer[0].level_read_bytes[level]);
            ck_assert_uint_eq(page->layer[0].level_write_bytes[level], whole->layer[0].level_write_bytes[level]);
        }
        for (uint32_t unit = 0; unit < whole->units; unit++)
            ck_assert_uint_eq(page->unit[unit].busy, whole->unit[unit].busy);
        sy_result_destroy(whole);
        sy_result_destroy(page);
    }
}
END_TEST

/* Pages of one sequence that hold a key that some query sees, counted one by one. */
static uint64_t pages_of(const struct shape *s, uint64_t q, uint64_t kv)
{
    uint64_t first = s->window && s->window + q - 1 < kv ? kv - (s->window + q - 1) : 0, pages = 0;
    for (uint64_t from = 0; from < kv; from += s->page)
        pages += from + s->page > first;
    return s->page < kv ? pages : 0;
}

START_TEST(pages_move_the_same_bytes_and_an_entry_each)
{
    uint64_t seed = UINT64_C(0x9a6e0002);
    for (int i = 0; i < cases(60); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        uint64_t page = shape.page;
        if (draw(&seed, 0, 1))
            m.key_block = draw(&seed, 16, 128);
        shape.page = 0;
        struct sy_result *whole = attend(&m, &shape, &ideal);
        shape.page = page;
        struct sy_result *paged = attend(&m, &shape, &ideal);
        uint64_t pages = shape.batch * pages_of(&shape, shape.q, shape.kv);
        ck_assert_uint_eq(paged->kv_pages, pages);
        ck_assert_msg(bytes_read(paged) == bytes_read(whole) + 4 * pages,
                      "page %llu of %llu keys: %llu bytes read, in one piece %llu and %llu pages",
                      (unsigned long long)page, (unsigned long long)shape.kv, (unsigned long long)bytes_read(paged),
                      (unsigned long long)bytes_read(whole), (unsigned long long)pages);
        ck_assert_uint_eq(paged->macs, whole->macs);
        sy_result_destroy(whole);
        sy_result_destroy(paged);
    }
}
END_TEST

START_TEST(sequences_of_a_ragged_batch_have_their_own_pages)
{
    struct shape shape = {.batch = 6,
                          .kv_heads = 2,
                          .sharing = 2,
                          .q = 1,
                          .kv = 300,
                          .dim = 16,
                          .page = 32,
                          .sequences = "3x1:300,2x1:100,1x1:20"};
    struct machine m = roomy_machine();
    struct sy_result *result = attend(&m, &shape, &ideal);
    ck_assert_uint_eq(result->kv_pages, 3 * 10 + 2 * 4); /* 20 keys are one page: no table */
    ck_assert_uint_eq(bytes_read(result), (3 * 300 + 2 * 100 + 20) * 2 * 2 * 16 + 6 * 4 * 16 + 4 * 38);
    sy_result_destroy(result);
}
END_TEST

/* The moves themselves: 300 keys in pages of 128 are two whole pages and one of 44, of each of two heads, for keys and
 * for values; and the schedule as written down runs the same. */
START_TEST(moves_are_pages_and_the_last_one_is_partial)
{
    struct shape shape = {.batch = 1, .kv_heads = 2, .sharing = 4, .q = 1, .kv = 300, .dim = 16, .page = 128};
    struct machine m = roomy_machine();
    struct scratch scratch;
    struct log_sink said;
    struct sy_replay_options options = ideal;
    struct sy_trace_reader *reader = NULL;
    struct sy_trace_record record;
    uint64_t keys = 0, pieces[2][3] = {{0}}; /* whole, partial at the end, other */
    scratch_start(&scratch);
    options.emit_schedule = scratch_file(&scratch, "schedule.slt.gz", "");
    m.scratch_kib = 256; /* all keys of a head in one tile */
    m.middle_kib = 4096;
    struct sy_result *result = attend(&m, &shape, &options);
    ck_assert_int_eq(sy_trace_open(options.emit_schedule, NULL, 0, &reader, log_start(&said)), SY_OK);
    do {
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        const struct sy_command *move = &record.command;
        if (record.kind != SY_TRACE_COMMAND || move->kind != SY_CMD_LOAD || !move->u.move.scatter)
            continue;
        ck_assert_uint_eq(move->operand, 1);
        ck_assert_uint_eq(move->u.move.pitch_bytes, 128 * 16);
        ck_assert_uint_eq(move->u.move.scatter, 3 * 2 * 128 * 16); /* the pool: three pages of two heads */
        bool values = keys == 2 * 300 * 16;
        uint64_t row = move->u.move.row_bytes, bytes = move->u.move.rows * row;
        keys += values ? 0 : bytes;
        pieces[values][row == 128 * 16 ? 0 : row == 44 * 16 ? 1 : 2] += move->u.move.rows;
    } while (record.kind != SY_TRACE_END);
    sy_trace_close(reader);
    for (int values = 0; values < 2; values++) {
        ck_assert_uint_eq(pieces[values][0], 4);
        ck_assert_uint_eq(pieces[values][1], 2);
        ck_assert_uint_eq(pieces[values][2], 0);
    }
    struct sy_chip *chip = machine_chip(&m);
    struct sy_result *replayed = must_run(chip, options.emit_schedule, NULL, &ideal);
    ck_assert_uint_eq(replayed->cycles, result->cycles);
    sy_result_destroy(replayed);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    log_end(&said);
    scratch_end(&scratch);
}
END_TEST

/* A device sees pieces: the smaller the page the more rows it opens, and the longer it takes. */
START_TEST(smaller_pages_open_more_rows)
{
    static const uint64_t page[] = {512, 128, 32, 8};
    struct shape shape = {.batch = 4, .kv_heads = 4, .sharing = 1, .q = 1, .kv = 1000, .dim = 32};
    struct machine m = roomy_machine();
    struct sy_replay_options options = ideal;
    uint64_t opened = 0, cycles = 0;
    m.device = "ddr4-2400-dramsim3";
    m.burst = 64;
    m.dram_gbs = 19.2;
    options.memory = SY_MEMORY_BURST;
    options.data_dir = data_dir();
    for (size_t i = 0; i < sizeof page / sizeof page[0]; i++) {
        shape.page = page[i];
        struct sy_result *result = attend(&m, &shape, &options);
        ck_assert_msg(result->dram[0].activates > opened && result->cycles > cycles,
                      "page %llu: %llu rows opened, %llu cycles; larger pages %llu and %llu",
                      (unsigned long long)page[i], (unsigned long long)result->dram[0].activates,
                      (unsigned long long)result->cycles, (unsigned long long)opened, (unsigned long long)cycles);
        opened = result->dram[0].activates;
        cycles = result->cycles;
        sy_result_destroy(result);
    }
}
END_TEST

/* The rate that a window of scattered pieces measures is that of all of them, burst by burst: 4096 pages of so many
 * bytes out of a pool of 64 MiB, moved at once. */
START_TEST(sampled_pages_take_the_time_of_their_bursts)
{
    static const struct {
        const char *name;
        uint64_t channels;
    } devices[] = {{"ddr4-2400-dramsim3", 1}, {"ddr4-3200-ramulator2", 2}, {"hbm2-dramsim3", 8}};
    static const uint64_t page[] = {512, 4096, 16384};
    for (size_t d = 0; d < sizeof devices / sizeof devices[0]; d++) {
        struct machine m = roomy_machine();
        m.middle_kib = 0;
        m.device = devices[d].name;
        m.channels = devices[d].channels;
        m.burst = 64;
        m.dram_gbs = 1000;
        struct sy_chip *chip = machine_chip(&m);
        for (size_t i = 0; i < sizeof page / sizeof page[0]; i++) {
            struct sy_buf text = {0};
            struct sy_replay_options options = ideal;
            sy_buf_printf(&text,
                          "systole-trace 1\nnet t\nelementwise l elements=1 function=copy a=x:int8 y=y:int8\nload B "
                          "level=1 rows=4096 bytes=%llu scatter=67108864\nend 2\n",
                          (unsigned long long)page[i]);
            options.data_dir = data_dir();
            options.memory = SY_MEMORY_BURST;
            struct sy_result *burst = must_run(chip, "t", text.data, &options);
            options.memory = SY_MEMORY_SAMPLED;
            struct sy_result *sampled = must_run(chip, "t", text.data, &options);
            double gap = (double)sampled->cycles / (double)burst->cycles - 1;
            ck_assert_msg(gap > -0.02 && gap < 0.02, "%s, pages of %llu bytes: off by %.1f %%", devices[d].name,
                          (unsigned long long)page[i], 100 * gap);
            sy_result_destroy(burst);
            sy_result_destroy(sampled);
            sy_buf_free(&text);
        }
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(leaving_out_what_is_alike_changes_nothing)
{
    uint64_t seed = UINT64_C(0x9a6e0003);
    static const enum sy_memory_mode modes[] = {SY_MEMORY_IDEAL, SY_MEMORY_SHARED, SY_MEMORY_SAMPLED};
    for (int i = 0; i < cases(45); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        struct sy_replay_options options = ideal;
        m.burst = 64;
        m.middle_kib = draw(&seed, 0, 1) ? 1024 : 0;
        m.device = i % 3 == 2 ? "ddr4-2400-dramsim3" : NULL;
        options.memory = modes[i % 3];
        options.data_dir = data_dir();
        shape.batch = draw(&seed, 1, 12);
        struct sy_result *short_way = attend(&m, &shape, &options);
        options.no_fast_forward = true;
        struct sy_result *walked = attend(&m, &shape, &options);
        ck_assert_uint_eq(short_way->cycles, walked->cycles);
        ck_assert_uint_eq(short_way->dram_read_bytes, walked->dram_read_bytes);
        sy_result_destroy(short_way);
        sy_result_destroy(walked);
    }
}
END_TEST

/* ---- models ---- */

static enum sy_status import(const char *config, const char *phase, uint64_t page, struct sy_workload **workload)
{
    char path[1024];
    struct log_sink log;
    struct sy_import_options options = {.phase = phase, .batch = 2, .context = 100, .kv_page = page};
    snprintf(path, sizeof path, "%s/tests/golden/%s", data_dir(), config);
    enum sy_status status = sy_import_file(path, NULL, &options, workload, log_start(&log));
    log_end(&log);
    return status;
}

START_TEST(what_has_a_cache_is_paged_and_nothing_else)
{
    static const struct {
        const char *config, *phase;
        enum sy_status status;
    } rows[] = {
        {"hf_configs/qwen3-0.6b.json", "decode", SY_OK},    {"hf_configs/qwen3-0.6b.json", "prefill", SY_OK},
        {"hf_configs/deepseek-v3.json", "decode", SY_OK},   {"hf_configs/qwen3-0.6b.json", "train-step", SY_USAGE},
        {"hf_configs/bert-base.json", "prefill", SY_USAGE}, {"onnx/alexnet.onnx", NULL, SY_USAGE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_workload *workload = NULL;
        ck_assert_msg(import(rows[i].config, rows[i].phase, 16, &workload) == rows[i].status, "%s %s", rows[i].config,
                      rows[i].phase ? rows[i].phase : "");
        uint64_t attention = 0;
        for (const struct sy_workload_record *r = workload ? workload->first : NULL; r; r = r->next) {
            if (r->kind != SY_RECORD_LAYER || r->layer.op != SY_OP_ATTENTION)
                continue;
            attention++;
            ck_assert_uint_eq(r->layer.dim.attention.kv_page, 16);
        }
        ck_assert(rows[i].status != SY_OK || attention > 0);
        sy_workload_destroy(workload);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("paged");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_page_that_holds_the_sequence_changes_nothing);
    tcase_add_test(tcase, pages_move_the_same_bytes_and_an_entry_each);
    tcase_add_test(tcase, sequences_of_a_ragged_batch_have_their_own_pages);
    tcase_add_test(tcase, moves_are_pages_and_the_last_one_is_partial);
    tcase_add_test(tcase, smaller_pages_open_more_rows);
    tcase_add_test(tcase, sampled_pages_take_the_time_of_their_bursts);
    tcase_add_test(tcase, leaving_out_what_is_alike_changes_nothing);
    tcase_add_test(tcase, what_has_a_cache_is_paged_and_nothing_else);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
