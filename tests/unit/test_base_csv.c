/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/csv.h"

#include "tests/unit/base_support.h"

static struct sy_arena *arena;
static struct memory_sink sink;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
    sink_start(&sink);
}

static void teardown(void)
{
    sy_arena_destroy(arena);
}

static enum sy_status parse(const char *text, struct sy_csv *csv)
{
    return sy_csv_parse(arena, text, strlen(text), "t.csv", csv, &sink.diag);
}

START_TEST(rows_fields_lines_and_columns_are_kept)
{
    struct sy_csv csv;
    ck_assert_int_eq(parse("name,m,k\nconv 1, 3,\"a,\"\"b\"\"\"\r\n\nlast", &csv), SY_OK);
    ck_assert_uint_eq(csv.rows, 4);
    ck_assert_uint_eq(csv.row[0].fields, 3);
    ck_assert_str_eq(csv.row[1].field[0], "conv 1");
    ck_assert_str_eq(csv.row[1].field[1], " 3");
    ck_assert_str_eq(csv.row[1].field[2], "a,\"b\"");
    ck_assert_uint_eq(csv.row[1].line, 2);
    ck_assert_uint_eq(csv.row[1].column[0], 1);
    ck_assert_uint_eq(csv.row[1].column[1], 8);
    ck_assert_uint_eq(csv.row[1].column[2], 11);
    ck_assert_uint_eq(csv.row[2].fields, 1); /* a blank line is one empty field */
    ck_assert_str_eq(csv.row[2].field[0], "");
    ck_assert_uint_eq(csv.row[3].line, 4);
    ck_assert_str_eq(csv.row[3].field[0], "last");
    ck_assert_int_eq(sy_csv_column(&csv, "k"), 2);
    ck_assert_int_eq(sy_csv_column(&csv, "K"), -1);
}
END_TEST

START_TEST(line_ends_of_every_kind_and_a_missing_last_one)
{
    static const char *const texts[] = {"a,b\nc", "a,b\nc\n", "a,b\r\nc\r\n", "a,b\r\nc\r",
                                        "\xef\xbb\xbf"
                                        "a,b\nc\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sy_csv csv;
        ck_assert_int_eq(parse(texts[i], &csv), SY_OK);
        ck_assert_uint_eq(csv.rows, 2);
        ck_assert_uint_eq(csv.row[0].fields, 2);
        ck_assert_str_eq(csv.row[0].field[0], "a");
        ck_assert_str_eq(csv.row[0].field[1], "b");
        ck_assert_uint_eq(csv.row[1].fields, 1);
        ck_assert_str_eq(csv.row[1].field[0], "c");
    }
    struct sy_csv csv;
    ck_assert_int_eq(parse("", &csv), SY_OK);
    ck_assert_uint_eq(csv.rows, 0);
    ck_assert_int_eq(sy_csv_column(&csv, "a"), -1);
    ck_assert_int_eq(parse("a,", &csv), SY_OK);
    ck_assert_uint_eq(csv.row[0].fields, 2);
    ck_assert_str_eq(csv.row[0].field[1], "");
    ck_assert_int_eq(parse("\"a\nb\",c\nd", &csv), SY_OK);
    ck_assert_str_eq(csv.row[0].field[0], "a\nb");
    ck_assert_uint_eq(csv.row[1].line, 3);
}
END_TEST

START_TEST(broken_tables_are_refused_with_their_line)
{
    struct sy_csv csv;
    ck_assert_int_eq(parse("a\nb,\"open\nmore\n", &csv), SY_INPUT);
    ck_assert_uint_eq(sink.line, 2);
    ck_assert_uint_eq(sink.column, 3);
    ck_assert_int_eq(parse("a\n\"b\"c,d\n", &csv), SY_INPUT);
    ck_assert_uint_eq(sink.line, 2);
    ck_assert_uint_eq(sink.column, 4);
    ck_assert_int_eq(sy_csv_parse(arena, "a\nb\0c", 5, "t.csv", &csv, &sink.diag), SY_INPUT);
    ck_assert_uint_eq(sink.line, 2);
    ck_assert_uint_eq(sink.column, 2);
    ck_assert_uint_eq(csv.rows, 0);
}
END_TEST

/* Property: any table, written with sy_csv_put, is read back as it was. */
START_TEST(any_table_round_trips)
{
    static const char alphabet[] = "ab,\"\n\r \xc3\xa9";
    uint64_t seed = 10;
    for (int i = 0; i < 3000; i++) {
        struct sy_buf text = {0};
        char cells[8][8][12];
        size_t fields[8], rows = 1 + next_random(&seed) % 8;
        for (size_t r = 0; r < rows; r++) {
            fields[r] = 1 + next_random(&seed) % 8;
            for (size_t f = 0; f < fields[r]; f++) {
                size_t n = next_random(&seed) % 10;
                for (size_t k = 0; k < n; k++) {
                    cells[r][f][k] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
                }
                cells[r][f][n] = '\0';
                sy_buf_puts(&text, f == 0 ? "" : ",");
                sy_csv_put(&text, cells[r][f]);
            }
            sy_buf_puts(&text, i % 2 == 0 ? "\n" : "\r\n");
        }
        struct sy_csv csv;
        ck_assert_int_eq(sy_csv_parse(arena, text.data, text.length, NULL, &csv, NULL), SY_OK);
        ck_assert_uint_eq(csv.rows, rows);
        for (size_t r = 0; r < rows; r++) {
            ck_assert_uint_eq(csv.row[r].fields, fields[r]);
            for (size_t f = 0; f < fields[r]; f++) {
                ck_assert_str_eq(csv.row[r].field[f], cells[r][f]);
            }
        }
        sy_buf_free(&text);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_a_status)
{
    static char text[20000];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = i % 10 == 9 ? '\n' : i % 2 == 0 ? 'a' : ',';
    }
    int failures = 0;
    for (long left = 1; left < 40; left++) {
        struct failing state = {.left = left};
        struct sy_allocator hooks = {.alloc = failing_alloc, .release = failing_release, .ctx = &state};
        struct sy_arena *small = sy_arena_create(&hooks, 0);
        struct sy_csv csv;
        enum sy_status status = sy_csv_parse(small, text, strlen(text), "t", &csv, NULL);
        ck_assert(status == SY_OK || status == SY_NOMEM);
        ck_assert(status == SY_OK || csv.rows == 0);
        failures += status != SY_OK;
        sy_arena_destroy(small);
        ck_assert_int_eq(state.live, 0);
    }
    ck_assert_int_gt(failures, 3);
    ck_assert_int_lt(failures, 39);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("csv");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, rows_fields_lines_and_columns_are_kept);
    tcase_add_test(tcase, line_ends_of_every_kind_and_a_missing_last_one);
    tcase_add_test(tcase, broken_tables_are_refused_with_their_line);
    tcase_add_test(tcase, any_table_round_trips);
    tcase_add_test(tcase, running_out_of_memory_is_a_status);
    return run_case("base/csv", tcase);
}
