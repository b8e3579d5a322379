/* SPDX-License-Identifier: Apache-2.0 */
/* The SCALE-Sim parity model against figures of the tool itself (tests/golden/scalesim.md). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/csv.h"
#include "sim/base/text.h"
#include "sim/engine/scalesim.h"
#include "sim/validate/scalesim_table.h"

static char *read_golden(const char *name, size_t *length)
{
    const char *root = getenv("SYSTOLE_DATA");
    char path[4096], *data;
    snprintf(path, sizeof path, "%s/tests/golden/%s", root ? root : ".", name);
    ck_assert_int_eq(sy_read_file(path, 64u << 20, &data, length, NULL), SY_OK);
    return data;
}

static void check_table(const char *name, enum sy_scalesim_table_kind expected, size_t rows)
{
    size_t length, bad = 0;
    char *data = read_golden(name, &length);
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv csv;
    enum sy_scalesim_table_kind kind;
    ck_assert_int_eq(sy_csv_parse(arena, data, length, name, &csv, NULL), SY_OK);
    ck_assert_int_eq(sy_scalesim_table_recognize(&csv, &kind, NULL), SY_OK);
    ck_assert_int_eq(kind, expected);
    ck_assert_uint_eq(csv.rows, rows + 1);
    for (size_t i = 1; i < csv.rows; i++) {
        struct sy_scalesim_check check;
        ck_assert_int_eq(sy_scalesim_table_check(&csv, kind, i, &check, NULL), SY_OK);
        if (!check.exact && bad++ < 20)
            fprintf(stderr, "%s line %u (%s): %s is %.17g, the model says %.17g\n", name, csv.row[i].line, check.group,
                    check.figure, check.expected, check.found);
    }
    ck_assert_uint_eq(bad, 0);
    sy_arena_destroy(arena);
    free(data);
}

START_TEST(every_calc_row_is_exact)
{
    check_table("scalesim_calc.csv", SY_SCALESIM_TABLE_RUNS, 1505);
}
END_TEST
START_TEST(every_user_row_is_exact)
{
    check_table("scalesim_user.csv", SY_SCALESIM_TABLE_RUNS, 397);
}
END_TEST
START_TEST(every_sparse_row_is_exact_or_refused_as_the_tool_does)
{
    check_table("scalesim_sparsity.csv", SY_SCALESIM_TABLE_SPARSE, 155);
}
END_TEST
START_TEST(every_v1_row_is_exact)
{
    check_table("scalesim_v1.csv", SY_SCALESIM_TABLE_V1, 102);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scalesim_golden");
    TCase *tables = tcase_create("tables");
    tcase_set_timeout(tables, 120);
    tcase_add_test(tables, every_calc_row_is_exact);
    tcase_add_test(tables, every_user_row_is_exact);
    tcase_add_test(tables, every_sparse_row_is_exact_or_refused_as_the_tool_does);
    tcase_add_test(tables, every_v1_row_is_exact);
    suite_add_tcase(suite, tables);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
