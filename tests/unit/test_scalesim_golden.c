/* SPDX-License-Identifier: Apache-2.0 */
/* The SCALE-Sim parity model against figures of the tool itself (tests/golden/scalesim.md), through suite scalesim. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/validate/suite.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

static void scratch_name(char *path, size_t size)
{
    const char *scratch = getenv("TMPDIR");
    snprintf(path, size, "%s/scalesim_row_XXXXXX", scratch ? scratch : P_tmpdir);
}

static void validate(const char *data, struct sy_validation *validation)
{
    struct sy_validate_options options = {.data_dir = root(), .data = data};
    memset(validation, 0, sizeof *validation);
    ck_assert_int_eq(sy_validate_run("scalesim", &options, validation, NULL), SY_OK);
}

static void check_table(const char *name, uint64_t rows, uint64_t refused)
{
    struct sy_validation validation;
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s", root(), name);
    validate(path, &validation);
    for (uint64_t i = 0, shown = 0; i < validation.rows && shown < 20; i++)
        if (!validation.row[i].exact && ++shown)
            fprintf(stderr, "%s:%u %s: %s\n", name, validation.row[i].line, validation.row[i].group,
                    validation.row[i].note);
    ck_assert_uint_eq(validation.total.rows, rows);
    ck_assert_uint_eq(validation.total.exact, rows);
    ck_assert_uint_eq(validation.total.refused, refused);
    ck_assert_uint_eq(validation.total.measured, rows - refused);
    ck_assert(validation.total.max_ape == 0);
    sy_validation_free(&validation);
}

START_TEST(every_calc_row_is_exact)
{
    check_table("scalesim_calc.csv", 1505, 0);
}
END_TEST
START_TEST(every_user_row_is_exact)
{
    check_table("scalesim_user.csv", 397, 0);
}
END_TEST
START_TEST(every_sparse_row_is_exact_or_refused_where_the_tool_raised)
{
    check_table("scalesim_sparsity.csv", 155, 20);
}
END_TEST
START_TEST(every_v1_row_is_exact)
{
    check_table("scalesim_v1.csv", 102, 0);
}
END_TEST

/* Not of the suite's own tables: what no row of them shows (filter offset 0, SRAMs filled twice in a cycle). */
START_TEST(every_random_row_is_exact)
{
    check_table("scalesim_random.csv", 386, 1);
}
END_TEST
START_TEST(every_random_sparse_row_is_exact_or_refused_where_the_tool_raised)
{
    check_table("scalesim_random_sparse.csv", 318, 47);
}
END_TEST

START_TEST(every_random_layout_row_is_exact_or_refused_where_the_tool_raised)
{
    check_table("scalesim_random_layout.csv", 218, 21);
}
END_TEST

START_TEST(every_random_v1_row_is_exact)
{
    check_table("scalesim_random_v1.csv", 253, 0);
}
END_TEST

/* Write a one-row table and validate it. */
static void validate_row(const char *header, const char *row, struct sy_validation *validation)
{
    char path[256];
    scratch_name(path, sizeof path);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    fprintf(file, "%s\n%s\n", header, row);
    fclose(file);
    validate(path, validation);
    unlink(path);
    ck_assert_uint_eq(validation->rows, 1);
}

/* scalesim_calc.csv, row c12: the right total is 359, the right filter stop stamp 313. */
#define CALC_INPUTS "scale-sim-v3,32,32,os,CALC,15,9,2,2,7,16,1,64,1,64"
#define CALC_HEADER                                                                                                    \
    "tool,rows,cols,dataflow,bw_mode,ifmap_h,ifmap_w,filt_h,filt_w,channels,num_filt,stride,ifmap_kb,filter_kb,"       \
    "ofmap_kb,total_cycles,sram_filter_stop,overall_util,error"

START_TEST(a_wrong_figure_is_seen)
{
    static const struct {
        const char *figures;
        int exact;
        const char *note;
    } cases[] = {
        {"359,313,13.649025069637883,", 1, NULL},           {"359,313,,", 1, NULL},
        {"360,313,13.649025069637883,", 0, "total_cycles"}, {"359,312,13.649025069637883,", 0, "sram_filter_stop"},
        {"359,313,13.6490251,", 0, "overall_util"},         {",,,ZeroDivisionError", 0, "reference"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sy_validation validation;
        char row[256];
        snprintf(row, sizeof row, "%s,%s", CALC_INPUTS, cases[i].figures);
        validate_row(CALC_HEADER, row, &validation);
        ck_assert_int_eq(validation.row[0].exact, cases[i].exact);
        if (cases[i].note)
            ck_assert_ptr_nonnull(strstr(validation.row[0].note, cases[i].note));
        sy_validation_free(&validation);
    }
}
END_TEST

/* Rows of scalesim_crashes.csv: the tool raised, and says so. */
START_TEST(inputs_on_which_the_tool_raises_are_refused)
{
    struct sy_validation validation;
    char path[4096], *data, *line, *rest;
    size_t length, rows = 0;
    snprintf(path, sizeof path, "%s/tests/golden/scalesim_crashes.csv", root());
    ck_assert_int_eq(sy_read_file(path, 1u << 20, &data, &length, NULL), SY_OK);
    line = strtok_r(data, "\r\n", &rest);
    /* It has neither a bandwidth nor the main figure: add them. */
    char header[512], row[512];
    snprintf(header, sizeof header, "user_bw,total_cycles,%s", line);
    while ((line = strtok_r(NULL, "\r\n", &rest)) != NULL) {
        snprintf(row, sizeof row, "10,,%s", line);
        validate_row(header, row, &validation);
        ck_assert_int_eq(validation.row[0].refused, 1);
        ck_assert_int_eq(validation.row[0].exact, 1);
        sy_validation_free(&validation);
        rows++;
    }
    ck_assert_uint_eq(rows, 6);
    free(data);
}
END_TEST

START_TEST(a_table_without_its_columns_is_an_error)
{
    static const char *const headers[] = {"a,b,c", "tool,rows,cols", "tool,rows,cols,bw_mode"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct sy_validation validation = {0};
        char path[256];
        scratch_name(path, sizeof path);
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        FILE *file = fdopen(fd, "w");
        fprintf(file, "%s\n", headers[i]);
        fclose(file);
        struct sy_validate_options options = {.data_dir = root(), .data = path};
        struct sy_diag diag = {0};
        ck_assert_int_eq(sy_validate_run("scalesim", &options, &validation, &diag), SY_INPUT);
        ck_assert_uint_ge(diag.errors, 1);
        unlink(path);
        sy_validation_free(&validation);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scalesim_golden");
    TCase *tables = tcase_create("tables");
    tcase_set_timeout(tables, 120);
    tcase_add_test(tables, every_calc_row_is_exact);
    tcase_add_test(tables, every_user_row_is_exact);
    tcase_add_test(tables, every_sparse_row_is_exact_or_refused_where_the_tool_raised);
    tcase_add_test(tables, every_v1_row_is_exact);
    tcase_add_test(tables, every_random_row_is_exact);
    tcase_add_test(tables, every_random_sparse_row_is_exact_or_refused_where_the_tool_raised);
    tcase_add_test(tables, every_random_layout_row_is_exact_or_refused_where_the_tool_raised);
    tcase_add_test(tables, every_random_v1_row_is_exact);
    tcase_add_test(tables, a_wrong_figure_is_seen);
    tcase_add_test(tables, inputs_on_which_the_tool_raises_are_refused);
    tcase_add_test(tables, a_table_without_its_columns_is_an_error);
    suite_add_tcase(suite, tables);
    return run_suite(suite);
}
