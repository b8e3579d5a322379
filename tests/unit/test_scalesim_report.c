/* SPDX-License-Identifier: Apache-2.0 */
/* The report files of SCALE-Sim runs, byte for byte as the projects' own goldens (tests/golden/scalesim_reports). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "sim/engine/scalesim.h"
#include "tests/unit/run_support.h"

static char *read_golden(const char *name, size_t *length)
{
    const char *root = getenv("SYSTOLE_DATA");
    char path[4096], *data;
    snprintf(path, sizeof path, "%s/tests/golden/scalesim_reports/%s", root ? root : ".", name);
    ck_assert_int_eq(sy_read_file(path, 1u << 20, &data, length, NULL), SY_OK);
    return data;
}

static struct sy_scalesim_config array_of(enum sy_scalesim_version version, enum sy_scalesim_dataflow dataflow,
                                          uint64_t side, uint64_t sram_kb)
{
    return (struct sy_scalesim_config){.version = version,
                                       .dataflow = dataflow,
                                       .rows = side,
                                       .cols = side,
                                       .sram_kb = {sram_kb, sram_kb, sram_kb},
                                       .filter_offset = 10000000};
}

static void set_user(struct sy_scalesim_config *config, uint64_t bandwidth)
{
    config->user_bandwidth = true;
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++)
        config->bandwidth[i] = bandwidth;
}

/* conv_nets/alexnet_part.csv and sparsity/alexnet_part.csv hold this one layer. */
static const struct sy_scalesim_layer alexnet = {224, 224, 11, 11, 3, 96, 4, 4, 1, 4};

static void check_reports(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                          const char *const *names)
{
    struct sy_scalesim_result result;
    ck_assert_int_eq(sy_scalesim_layer(config, layer, &result, NULL), SY_OK);
    for (int i = 0; i < SY_SCALESIM_REPORTS && names[i]; i++) {
        size_t length;
        char *golden = read_golden(names[i], &length);
        struct sy_buf text = {0};
        sy_scalesim_format_report((enum sy_scalesim_report)i, config, &result, 1, &text);
        ck_assert_str_eq(text.data, golden);
        ck_assert_uint_eq(text.length, length);
        sy_buf_free(&text);
        free(golden);
    }
}

START_TEST(v2_calc_reports_match)
{
    static const char *const names[] = {"v2_golden_trace_COMPUTE.csv", "v2_golden_trace_BANDWIDTH.csv",
                                        "v2_golden_trace_DETAILED_ACCESS.csv", NULL};
    struct sy_scalesim_config config = array_of(SY_SCALESIM_V2, SY_SCALESIM_WS, 32, 64);
    config.compensated_sums = true; /* written by Python 3.12 */
    check_reports(&config, &alexnet, names);
}
END_TEST

START_TEST(v3_calc_reports_match)
{
    static const char *const names[] = {"v3_golden_trace_calc_COMPUTE.csv", "v3_golden_trace_calc_BANDWIDTH.csv",
                                        "v3_golden_trace_calc_DETAILED_ACCESS.csv", NULL};
    struct sy_scalesim_config config = array_of(SY_SCALESIM_V3, SY_SCALESIM_WS, 32, 64);
    check_reports(&config, &alexnet, names);
}
END_TEST

START_TEST(v3_user_reports_match)
{
    static const char *const names[][SY_SCALESIM_REPORTS] = {
        {"v3_golden_trace_user_os_COMPUTE.csv", "v3_golden_trace_user_os_BANDWIDTH.csv",
         "v3_golden_trace_user_os_DETAILED_ACCESS.csv"},
        {"v3_golden_trace_user_ws_COMPUTE.csv", "v3_golden_trace_user_ws_BANDWIDTH.csv",
         "v3_golden_trace_user_ws_DETAILED_ACCESS.csv"},
        {"v3_golden_trace_user_is_COMPUTE.csv", "v3_golden_trace_user_is_BANDWIDTH.csv",
         "v3_golden_trace_user_is_DETAILED_ACCESS.csv"}};
    struct sy_scalesim_layer layer = sy_scalesim_gemm(256, 128, 256);
    struct sy_scalesim_config config = array_of(SY_SCALESIM_V3, (enum sy_scalesim_dataflow)_i, 32, 64);
    set_user(&config, 10);
    check_reports(&config, &layer, names[_i]);
}
END_TEST

START_TEST(v3_sparse_reports_match)
{
    static const char *const names[] = {"v3_sparsity_COMPUTE_REPORT.csv", "v3_sparsity_BANDWIDTH_REPORT.csv",
                                        "v3_sparsity_DETAILED_ACCESS_REPORT.csv", "v3_sparsity_SPARSE_REPORT.csv"};
    struct sy_scalesim_config config = array_of(SY_SCALESIM_V3, SY_SCALESIM_WS, 128, 256);
    config.filter_offset = 100;
    config.sparse = config.row_wise = true;
    config.storage = SY_SCALESIM_ELLPACK_BLOCK;
    config.block = 8;
    config.seed = 40;
    set_user(&config, 50);
    check_reports(&config, &alexnet, names);
}
END_TEST

/* What Python 3 prints for these values, written down from its documented rule (repr of a float). */
START_TEST(reals_print_as_python_prints_them)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {100, "100.0"},
                 {-3243, "-3243.0"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {2.0 / 3, "0.6666666666666666"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {1.5e-7, "1.5e-07"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {1e15, "1000000000000000.0"},
                 {1e16, "1e+16"},
                 {9007199254740993.0, "9007199254740992.0"},
                 {5e-324, "5e-324"},
                 {29.338590881967885, "29.338590881967885"}};
    struct sy_scalesim_config config = {.version = SY_SCALESIM_V2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sy_scalesim_result result = {.overall_utilization = cases[i].value};
        struct sy_buf text = {0};
        char expected[128];
        snprintf(expected, sizeof expected, "\n0, 0, 0, %s, 0.0, 0.0,\n", cases[i].text);
        sy_scalesim_format_report(SY_SCALESIM_COMPUTE_REPORT, &config, &result, 1, &text);
        ck_assert_str_eq(strchr(text.data, '\n'), expected);
        sy_buf_free(&text);
    }
}
END_TEST

START_TEST(reports_are_written_into_a_new_directory)
{
    char base[128], directory[160], path[256], *data;
    const char *scratch = getenv("TMPDIR");
    snprintf(base, sizeof base, "%s/scalesim_report_XXXXXX", scratch ? scratch : P_tmpdir);
    struct sy_scalesim_config config = array_of(SY_SCALESIM_V3, SY_SCALESIM_OS, 8, 64);
    struct sy_scalesim_layer layer = sy_scalesim_gemm(20, 20, 20);
    struct sy_scalesim_result result;
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &result, NULL), SY_OK);
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(directory, sizeof directory, "%s/run", base);
    ck_assert_int_eq(sy_scalesim_write_reports(directory, &config, &result, 1, NULL), SY_OK);
    ck_assert_int_eq(sy_scalesim_write_reports(directory, &config, &result, 1, NULL), SY_OK); /* again: overwritten */
    for (int i = 0; i < SY_SCALESIM_SPARSE_REPORT; i++) {
        struct sy_buf text = {0};
        size_t length;
        snprintf(path, sizeof path, "%s/%s", directory, sy_scalesim_report_files[i]);
        ck_assert_int_eq(sy_read_file(path, 1u << 20, &data, &length, NULL), SY_OK);
        sy_scalesim_format_report((enum sy_scalesim_report)i, &config, &result, 1, &text);
        ck_assert_str_eq(data, text.data);
        ck_assert_int_eq(unlink(path), 0);
        sy_buf_free(&text);
        free(data);
    }
    ck_assert_int_eq(rmdir(directory), 0); /* nothing else was left: no SPARSE_REPORT, no temporary files */
    ck_assert_int_eq(rmdir(base), 0);
    snprintf(directory, sizeof directory, "%s/run", base); /* the parent is gone now */
    ck_assert_int_eq(sy_scalesim_write_reports(directory, &config, &result, 1, NULL), SY_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scalesim_report");
    TCase *reports = tcase_create("reports");
    tcase_add_test(reports, v2_calc_reports_match);
    tcase_add_test(reports, v3_calc_reports_match);
    tcase_add_loop_test(reports, v3_user_reports_match, 0, 3);
    tcase_add_test(reports, v3_sparse_reports_match);
    tcase_add_test(reports, reals_print_as_python_prints_them);
    tcase_add_test(reports, reports_are_written_into_a_new_directory);
    suite_add_tcase(suite, reports);
    return run_suite(suite);
}
