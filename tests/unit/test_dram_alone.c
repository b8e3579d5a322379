/* SPDX-License-Identifier: Apache-2.0 */
/* Inline ECC against a plain enumeration of the bursts it must add, and a chip's own say about its memory. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/dram_alone.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_set.h"
#include "sim/engine/dram_window.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

static struct sy_arena *arena;
static struct sy_dram_device *device;
static struct sy_dram_controller *controller;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
    ck_assert_int_eq(sy_dram_device_load("ddr4-2400-dramsim3", root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
}
static void teardown(void)
{
    sy_arena_destroy(arena);
}

static struct sy_dram_memory *memory_with(uint64_t ecc_bytes)
{
    const struct sy_dram_options options = {.channels = 1, .inline_ecc_bytes = ecc_bytes};
    struct sy_dram_memory *memory;
    ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
    return memory;
}

/* Check bursts of a stream: one wherever it leaves the block of its last burst. */
START_TEST(every_block_a_stream_enters_costs_one_burst_of_check_bits)
{
    static const struct {
        const char *pattern;
        uint64_t bursts, checks, written;
    } cases[] = {
        {"seq_rd", 8000, 1000, 0}, /* eight data bursts a block */
        {"seq_wr", 8001, 1001, 8001 + 1001} /* a last block of one burst */,
        {"tile:1024", 4800, 600, 1600 + 200}, /* each stream keeps its own check bits */
        {"mix3", 2400, 300, 800 + 100},       /* even when they take turns burst by burst */
        {"stride:4096:256", 4000, 1000, 0},   /* four bursts of a block, then another line */
        {"rand_rd", 3000, 3000, 0},           /* hardly ever the same block twice in a row */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_dram_memory *memory = memory_with(512), *plain = memory_with(0);
        struct sy_dram_source source;
        struct sy_dram_run run, without, set_run;
        ck_assert_int_eq(sy_dram_pattern(cases[i].pattern, 64, cases[i].bursts, &source, NULL), SY_OK);
        sy_dram_memory_run(memory, &source, &run);
        sy_dram_memory_run(plain, &source, &without);
        ck_assert_uint_eq(run.bursts, cases[i].bursts);
        ck_assert_msg(run.reads_issued + run.writes_issued - run.bursts == cases[i].checks, "%s: %ju check bursts",
                      cases[i].pattern, (uintmax_t)(run.reads_issued + run.writes_issued - run.bursts));
        ck_assert_uint_eq(run.writes_issued, cases[i].written);
        ck_assert_uint_eq(without.reads_issued + without.writes_issued, cases[i].bursts);
        ck_assert_uint_gt(run.clocks, without.clocks);
        struct sy_dram_set *set = malloc(sizeof *set);
        ck_assert_ptr_nonnull(set);
        sy_dram_set_start(set, memory, &source, 1, 1);
        sy_dram_set_run(set, &set_run);
        ck_assert_uint_eq(set_run.bursts, run.bursts);
        ck_assert_uint_eq(set_run.reads_issued, run.reads_issued);
        ck_assert_uint_eq(set_run.writes_issued, run.writes_issued);
        free(set);
        sy_dram_memory_destroy(memory);
        sy_dram_memory_destroy(plain);
    }
}
END_TEST

START_TEST(a_sampled_stream_with_ecc_takes_what_the_whole_stream_takes)
{
    struct sy_dram_memory *memory = memory_with(512);
    struct sy_dram_source source;
    struct sy_dram_run whole, sampled;
    ck_assert_int_eq(sy_dram_pattern("tile:16384", 64, 200000, &source, NULL), SY_OK);
    sy_dram_memory_run(memory, &source, &whole);
    ck_assert_uint_lt(sy_dram_memory_estimate(memory, &source, NULL, &sampled), 20000);
    ck_assert_double_le((double)sampled.clocks, (double)whole.clocks * 1.02);
    ck_assert_double_ge((double)sampled.clocks, (double)whole.clocks * 0.98);
    ck_assert_double_le((double)sampled.reads_issued, (double)whole.reads_issued * 1.01);
    ck_assert_double_ge((double)sampled.reads_issued, (double)whole.reads_issued * 0.99);
    ck_assert_uint_eq(whole.reads_issued + whole.writes_issued, 200000 / 8 * 9);
    sy_dram_memory_destroy(memory);
}
END_TEST

/* A sampled run of reads is reads only, and every request is a command. */
START_TEST(sampled_counts_are_those_of_the_pattern)
{
    static const struct {
        const char *pattern;
        double written;
    } cases[] = {{"seq_rd", 0}, {"seq_wr", 1}, {"mix3", 1.0 / 3}, {"tile:4096", 1.0 / 3}, {"rand_mix", 1.0 / 3}};
    struct sy_dram_memory *memory = memory_with(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_dram_source source;
        struct sy_dram_run run;
        ck_assert_int_eq(sy_dram_pattern(cases[i].pattern, 64, 300000, &source, NULL), SY_OK);
        ck_assert_uint_lt(sy_dram_memory_estimate(memory, &source, NULL, &run), 20000);
        ck_assert_uint_eq(run.reads_issued + run.writes_issued, 300000);
        ck_assert_uint_eq(run.counts.reads, run.reads_issued);
        ck_assert_uint_eq(run.counts.writes, run.writes_issued);
        ck_assert_double_eq_tol((double)run.writes_issued / 300000, cases[i].written, 0.001);
    }
    sy_dram_memory_destroy(memory);
}
END_TEST

START_TEST(a_level_says_how_its_memory_differs_from_the_device)
{
    const struct sy_level level = {.name = "dram",
                                   .kind = SY_LEVEL_DRAM,
                                   .device = "ddr4-2400-dramsim3",
                                   .channels = 2,
                                   .interleave_bytes = 256,
                                   .controller = "ramulator2",
                                   .hot = true,
                                   .inline_ecc_bytes = 512,
                                   .fabric_bytes_per_s = 16e9 / 0.83};
    struct sy_dram_part part;
    ck_assert_int_eq(sy_dram_level_open(&level, root(), arena, &part, NULL), SY_OK);
    ck_assert_str_eq(part.controller->name, "ramulator2");
    ck_assert_uint_eq(part.options.channels, 2);
    ck_assert(part.options.hot);
    ck_assert_uint_eq(part.options.inline_ecc_bytes, 512);
    ck_assert_uint_eq(part.options.fabric_bytes_per_clock, 16); /* 16 B x 1 / 0.83 ns, not 15 */
    struct sy_level wrong = level;
    wrong.inline_ecc_bytes = 100;
    ck_assert_int_eq(sy_dram_level_open(&wrong, root(), arena, &part, NULL), SY_INPUT);
    wrong = level;
    wrong.channels = 4096;
    ck_assert_int_eq(sy_dram_level_open(&wrong, root(), arena, &part, NULL), SY_INPUT);
    wrong = level;
    wrong.controller = "nobody";
    ck_assert_int_eq(sy_dram_level_open(&wrong, root(), arena, &part, NULL), SY_INPUT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram alone");
    TCase *tests = tcase_create("alone");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_block_a_stream_enters_costs_one_burst_of_check_bits);
    tcase_add_test(tests, a_sampled_stream_with_ecc_takes_what_the_whole_stream_takes);
    tcase_add_test(tests, sampled_counts_are_those_of_the_pattern);
    tcase_add_test(tests, a_level_says_how_its_memory_differs_from_the_device);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
