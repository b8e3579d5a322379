/* SPDX-License-Identifier: Apache-2.0 */
/* Suite points: no row of the table goes missing, and nothing that was recalled gates anything. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/validate/suite.h"
#include "tests/unit/run_support.h"

static struct sy_validation v;
static char messages[4096];

static void note(void *unused, const struct sy_diag_msg *message)
{
    (void)unused;
    size_t used = strlen(messages);
    (void)snprintf(messages + used, sizeof messages - used, "%u:%u %s\n", message->where.line, message->where.column,
                   message->message);
}

static const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

static enum sy_status validate(const char *table)
{
    char path[] = "points-XXXXXX";
    struct sy_validate_options options = {.data_dir = data_dir()};
    struct sy_diag diag = {.fn = note};
    messages[0] = '\0';
    if (table) {
        FILE *file = fdopen(mkstemp(path), "w");
        ck_assert_ptr_nonnull(file);
        (void)fputs(table, file);
        ck_assert_int_eq(fclose(file), 0);
        options.data = path;
    }
    enum sy_status status = sy_validate_run("points", &options, &v, &diag);
    if (table)
        (void)remove(path);
    return status;
}

static void teardown(void)
{
    sy_validation_free(&v);
}

START_TEST(every_row_of_the_table_has_a_figure_or_a_reason)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv table = {0};
    char path[512], *text = NULL;
    size_t length = 0;
    (void)snprintf(path, sizeof path, "%s/tests/golden/validation_points.csv", data_dir());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, path, &table, NULL), SY_OK);
    ck_assert_int_eq(validate(NULL), SY_OK);
    ck_assert_uint_eq(v.rows, table.rows - 1);
    ck_assert_uint_ge(v.rows, 100);
    for (uint64_t i = 0; i < v.rows; i++) {
        const struct sy_validation_row *row = &v.row[i];
        ck_assert_uint_eq(row->line, table.row[i + 1].line);
        ck_assert_msg(row->measured || (row->refused && row->note && *row->note), "%s", row->label);
        ck_assert(row->measured != row->refused);
        ck_assert_msg(!row->measured || (isfinite(row->actual) && row->actual > 0), "%s", row->label);
        ck_assert(row->confidence && *row->confidence);
    }
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(a_recalled_figure_is_in_no_total_and_its_document_is_named)
{
    uint64_t gating = 0;
    struct sy_buf out = {0};
    ck_assert_int_eq(validate(NULL), SY_OK);
    for (uint64_t i = 0; i < v.rows; i++) {
        ck_assert(v.row[i].aside || strstr(v.row[i].confidence, "recalled") == NULL);
        gating += !v.row[i].aside;
    }
    ck_assert_uint_eq(v.total.rows, gating);
    sy_validation_put_table(&v, false, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "have to be checked against the document"));
    ck_assert_ptr_nonnull(strstr(out.data, "Jouppi et al. ISCA 2017: 22 rows"));
    sy_buf_clear(&out);
    sy_validation_put_json(&v, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\"points\""));
    sy_buf_free(&out);
}
END_TEST

#define HEAD "chip,node_nm,metric,value,unit,source,confidence,note\n"

START_TEST(what_the_model_cannot_say_is_refused_with_the_reason)
{
    ck_assert_int_eq(validate(HEAD "Cray-1,5000,die area,1,mm2,read: x,read,\n"
                                   "TPU v1,28,colour,1,,read: x,read,\n"
                                   "TPU v1,28,clock,1,furlong,read: x,read,\n"
                                   "TPU v1,28,die area,,mm2,read: x,read,withdrawn\n"
                                   "TPU v1,28,clock,1400,MHz,read: x,read,\n"
                                   "Eyeriss,90000,clock,200,MHz,read: x,read,\n"),
                     SY_OK);
    static const char *const reasons[] = {"no chip file", "no rule", "does not know the unit", "withdrawn"};
    ck_assert_uint_eq(v.rows, 6);
    ck_assert_ptr_nonnull(strstr(v.row[5].note, "no chip can be made"));
    for (int i = 0; i < 4; i++)
        ck_assert_msg(strstr(v.row[i].note, reasons[i]) != NULL, "%s", v.row[i].note);
    ck_assert(v.row[4].measured && !v.row[4].aside);
    ck_assert_double_eq_tol(v.row[4].ape, 50, 1e-9);
    ck_assert_uint_eq(v.total.rows, 1);
}
END_TEST

START_TEST(a_broken_table_is_an_error_with_its_place)
{
    ck_assert_int_eq(validate(HEAD "TPU v1,28,clock,fast,MHz,read: x,read,\n"), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(messages, "2:17"));
    ck_assert_int_eq(validate("chip,metric,value\nTPU v1,clock,1\n"), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(messages, "column 'source' is missing"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("points_suite");
    TCase *tests = tcase_create("points_suite");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_row_of_the_table_has_a_figure_or_a_reason);
    tcase_add_test(tests, a_recalled_figure_is_in_no_total_and_its_document_is_named);
    tcase_add_test(tests, what_the_model_cannot_say_is_refused_with_the_reason);
    tcase_add_test(tests, a_broken_table_is_an_error_with_its_place);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
