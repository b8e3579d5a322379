/* SPDX-License-Identifier: Apache-2.0 */
/* What must lie in memory, against sums done by hand; and chips that hold less refuse it with the numbers. */
#include "tests/unit/engine_support.h"

static const struct sy_replay_options quick = {
    .fidelity = SY_FIDELITY_ANALYTIC, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};

#define GIB (UINT64_C(1) << 30)

/* 8 GiB of DRAM, 8 KiB + 32 KiB on chip. */
static struct sy_chip *chip_of(uint64_t cores)
{
    struct machine m = plain_machine();
    m.rows = m.cols = 16;
    m.cores = cores;
    return machine_chip(&m);
}

static uint64_t footprint(const char *text)
{
    struct sy_chip *chip = chip_of(1);
    struct sy_result *result = must_run(chip, "t", text, &quick);
    uint64_t bytes = result->footprint_bytes;
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    return bytes;
}

START_TEST(parameters_count_once_and_activations_of_the_largest_layer)
{
    /* Weights 30 x 20 + 20 x 50, activations 10 x 30 + 10 x 20 or 10 x 20 + 10 x 50. */
    ck_assert_uint_eq(footprint("systole-trace 1\ngemm a m=10 k=30 n=20 a=x:int8 b=w:int8:weight y=h:int8\n"
                                "gemm b m=10 k=20 n=50 a=h:int8 b=v:int8:weight y=y:int8\nend 2\n"),
                      600 + 1000 + 700);
    /* The second use of w is not stored again; 10 x 30 in and out. */
    ck_assert_uint_eq(footprint("systole-trace 1\ngemm a m=10 k=30 n=30 a=x:int8 b=w:int8:weight y=h:int8\n"
                                "gemm b m=10 k=30 n=30 a=h:int8 b=w:int8:weight y=y:int8\nend 2\n"),
                      900 + 600);
    /* A tensor that is changed in place lies there once. */
    ck_assert_uint_eq(footprint("systole-trace 1\ngemm a m=1 k=40 n=40 a=x:int8 b=w:int8:weight y=x:int8\nend 1\n"),
                      1600 + 40);
}
END_TEST

START_TEST(repeats_multiply_parameters_unless_shared)
{
    ck_assert_uint_eq(footprint("systole-trace 1\nrepeat 7 {\ngemm a m=10 k=30 n=20 a=x:int8 b=w:int8:weight y=h:int8\n"
                                "}\nend 3\n"),
                      7 * 600 + 500);
    ck_assert_uint_eq(footprint("systole-trace 1\nrepeat 7 {\n"
                                "gemm a m=10 k=30 n=20 a=x:int8 b=w:int8:weight:shared y=h:int8\n}\nend 3\n"),
                      600 + 500);
    ck_assert_uint_eq(footprint("systole-trace 1\nrepeat 3 {\nrepeat 5 {\n"
                                "gemm a m=10 k=30 n=20 a=x:int8 b=w:int8:weight y=h:int8\n}\n}\nend 5\n"),
                      15 * 600 + 500);
}
END_TEST

/* Products with a cached second operand: 4 groups of 30 x 20. */
START_TEST(cached_state_counts_in_every_layer)
{
    ck_assert_uint_eq(
        footprint("systole-trace 1\nrepeat 7 {\ngemm a m=10 k=30 n=20 g=4 a=x:int8 b=k:int8:state y=h:int8\n"
                  "}\nend 3\n"),
        7 * 4 * 600 + 4 * 500);
}
END_TEST

/* 32 layers of 2^28 bytes are 8 GiB to the byte, and 2 x 2^14 bytes of activations fit into the 40 KiB on chip. */
static const char *layers_of_256_mib(int layers, int m, char text[300])
{
    snprintf(text, 300,
             "systole-trace 1\nrepeat %d {\ngemm a m=%d k=16384 n=16384 a=x:int8 b=w:int8:weight y=h:int8\n}\nend 3\n",
             layers, m);
    return text;
}

START_TEST(a_workload_that_fits_to_the_byte_runs)
{
    char text[300];
    ck_assert_uint_eq(footprint(layers_of_256_mib(32, 1, text)), 8 * GIB + 32768);
}
END_TEST

static void refused(uint64_t cores, const char *text, const char *const *says)
{
    static const enum sy_fidelity each[] = {SY_FIDELITY_ANALYTIC, SY_FIDELITY_EVENT, SY_FIDELITY_CYCLE};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct log_sink said;
        struct sy_chip *chip = chip_of(cores);
        struct sy_replay_options options = quick;
        struct sy_trace_reader *reader = NULL;
        struct sy_result *result = NULL;
        struct sy_diag *diag = log_start(&said);
        options.fidelity = each[i];
        options.count_only = each[i] == SY_FIDELITY_CYCLE; /* as the library asks before it steps */
        ck_assert_int_eq(sy_trace_open("t", text, strlen(text), &reader, diag), SY_OK);
        ck_assert_int_eq(sy_replay(chip, reader, NULL, &options, &result, diag), SY_INPUT);
        for (size_t k = 0; says[k]; k++)
            ck_assert_msg(strstr(log_text(&said), says[k]) != NULL, "no '%s' in: %s", says[k], log_text(&said));
        sy_trace_close(reader);
        sy_chip_destroy(chip);
        log_end(&said);
    }
}

START_TEST(a_workload_that_exceeds_the_memory_is_refused_with_the_numbers)
{
    char text[300];
    /* One layer too many, and the layers behind the refusal are in the sum: 40 x 2^28 = 10737418240. */
    static const char *const parameters[] = {"at least 10737418240 bytes in dram",
                                             "which holds 8589934592",
                                             "parameters 10737418240",
                                             "cached state 0",
                                             "memory.dram.beyond_capacity=warn",
                                             NULL};
    refused(1, layers_of_256_mib(40, 1, text), parameters);
    /* Two rows of activations, 65536 bytes, are 24576 more than 40 KiB. */
    static const char *const activations[] = {"at least 8589959168 bytes in dram", "on-chip levels 24576", NULL};
    refused(1, layers_of_256_mib(32, 2, text), activations);
    /* Layers with their names apart: the second alone would fit. */
    static const char *const sum[] = {"parameters 8858370048", "cached state 268435456", NULL};
    refused(1,
            "systole-trace 1\nrepeat 33 {\ngemm a m=1 k=16384 n=16384 a=x:int8 b=w:int8:weight y=h:int8\n}\n"
            "gemm b m=1 k=16384 n=16384 a=q:int8 b=k:int8:state y=y:int8\nend 4\n",
            sum);
}
END_TEST

START_TEST(a_memory_of_each_core_counts_once_a_core)
{
    char text[300];
    struct sy_chip *two = chip_of(2);
    sy_result_destroy(must_run(two, "t", layers_of_256_mib(64, 1, text), &quick));
    sy_chip_destroy(two);
    static const char *const says[] = {"which holds 17179869184", "parameters 17448304640", NULL};
    refused(2, layers_of_256_mib(65, 1, text), says);
}
END_TEST

START_TEST(a_chip_that_states_no_capacity_refuses_nothing)
{
    struct log_sink log;
    struct sy_chip *chip = NULL;
    static const char *const set[] = {"memory.hbm.capacity=unlimited", NULL};
    struct sy_chip_options options = {.data_dir = data_dir(), .set = set};
    char text[300];
    if (sy_chip_load("tpu-v4i", &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s", log_text(&log));
    log_end(&log);
    struct sy_result *result = must_run(chip, "t", layers_of_256_mib(600, 1, text), &quick);
    ck_assert_uint_eq(result->footprint_bytes, 150 * GIB + 32768);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(a_store_that_warns_runs_everything_and_says_so)
{
    char text[300];
    struct sy_chip *chip = chip_of(1);
    chip->level[chip->levels - 1].beyond_capacity = SY_BEYOND_WARN;
    struct sy_result *result = must_run(chip, "t", layers_of_256_mib(40, 1, text), &quick);
    bool said = false;
    for (uint32_t i = 0; i < result->warnings; i++)
        said |= strstr(result->warning[i], "at least 10737418240 bytes in dram of chip") &&
                strstr(result->warning[i], "which holds 8589934592: parameters 10737418240, cached state 0");
    ck_assert(said);
    ck_assert_uint_eq(result->macs, UINT64_C(40) << 28);
    ck_assert_uint_eq(result->footprint_bytes, 10 * GIB + 32768);
    sy_result_destroy(result);
    result = must_run(chip, "t", layers_of_256_mib(32, 1, text), &quick);
    for (uint32_t i = 0; i < result->warnings; i++)
        ck_assert_msg(!strstr(result->warning[i], "needs at least"), "%s", result->warning[i]);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("footprint");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, parameters_count_once_and_activations_of_the_largest_layer);
    tcase_add_test(tcase, repeats_multiply_parameters_unless_shared);
    tcase_add_test(tcase, cached_state_counts_in_every_layer);
    tcase_add_test(tcase, a_workload_that_fits_to_the_byte_runs);
    tcase_add_test(tcase, a_workload_that_exceeds_the_memory_is_refused_with_the_numbers);
    tcase_add_test(tcase, a_memory_of_each_core_counts_once_a_core);
    tcase_add_test(tcase, a_chip_that_states_no_capacity_refuses_nothing);
    tcase_add_test(tcase, a_store_that_warns_runs_everything_and_says_so);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
