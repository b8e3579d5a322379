/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and bars: aligned, within the width, nothing lost but where it says so. */
#include "sim/base/grid.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/base_support.h"

static struct sy_buf out;

static void teardown(void)
{
    sy_buf_free(&out);
}

START_TEST(columns_are_aligned_and_lines_end_without_blanks)
{
    struct sy_grid grid;
    sy_grid_begin(&grid, "name|count>|", 0, "  ");
    sy_grid_cell(&grid, "a");
    sy_grid_cell(&grid, "1");
    sy_grid_cell(&grid, "");
    sy_grid_cell(&grid, "longer");
    sy_grid_cellf(&grid, "%d,%03d", 12, 5);
    sy_grid_cell(&grid, "x");
    sy_grid_put(&grid, &out);
    ck_assert_str_eq(out.data, "  name     count\n"
                               "  a            1\n"
                               "  longer  12,005  x\n");
}
END_TEST

START_TEST(a_table_without_heads_has_no_head_line)
{
    struct sy_grid grid;
    sy_grid_begin(&grid, "|>", 0, "");
    sy_grid_cell(&grid, "a");
    sy_grid_cell(&grid, "b");
    sy_grid_put(&grid, &out);
    ck_assert_str_eq(out.data, "a  b\n");
}
END_TEST

START_TEST(only_marked_columns_are_shortened_in_the_middle_or_at_the_end)
{
    struct sy_grid grid;
    sy_grid_begin(&grid, "name~|list$|kept", 40, "");
    sy_grid_cell(&grid, "model.layers.17.self_attn.o_proj");
    sy_grid_cell(&grid, "one, two, three, four, five, six");
    sy_grid_cell(&grid, "untouched");
    sy_grid_put(&grid, &out);
    char *second = strchr(out.data, '\n') + 1;
    ck_assert_uint_eq(strcspn(second, "\n"), 40);
    ck_assert_ptr_nonnull(strstr(second, "_proj"));
    ck_assert_int_eq(strncmp(second, "model", 5), 0);
    ck_assert_ptr_nonnull(strstr(second, "one, t"));
    ck_assert_ptr_null(strstr(second, "six"));
    ck_assert_ptr_nonnull(strstr(second, "untouched\n"));
}
END_TEST

START_TEST(letters_of_several_bytes_count_as_one_column)
{
    struct sy_grid grid;
    ck_assert_uint_eq(sy_text_columns("\u00e9t\u00e9"), 3);
    ck_assert_uint_eq(sy_text_columns("a\xffz"), 3);
    sy_grid_begin(&grid, "|", 0, "");
    sy_grid_cell(&grid, "\u00e9t\u00e9");
    sy_grid_cell(&grid, "1");
    sy_grid_cell(&grid, "name");
    sy_grid_cell(&grid, "2");
    sy_grid_put(&grid, &out);
    ck_assert_str_eq(out.data, "\u00e9t\u00e9   1\nname  2\n");
}
END_TEST

/* Random tables: every line has at most the width, unless what may not be shortened is wider. */
START_TEST(random_tables_stay_within_their_width)
{
    uint64_t seed = 20261124;
    for (int round = 0; round < 2000; round++) {
        struct sy_grid grid;
        struct sy_buf text = {0};
        uint32_t width = (uint32_t)(30 + next_random(&seed) % 80), kept = 0;
        sy_grid_begin(&grid, "a~|b>|c$", width, "");
        for (int row = 0; row < 5; row++) {
            char cell[64] = "";
            for (int c = 0; c < 3; c++) {
                size_t length = (size_t)(next_random(&seed) % (c == 1 ? 12 : 60));
                memset(cell, 'x', length);
                cell[length] = '\0';
                kept = c == 1 && length > kept ? (uint32_t)length : kept;
                sy_grid_cell(&grid, cell);
            }
        }
        sy_grid_put(&grid, &text);
        uint32_t least = SY_GRID_SHORTEST * 2 + kept + 4;
        for (char *line = text.data; *line; line = strchr(line, '\n') + 1)
            EXPECT(strcspn(line, "\n") <= (least > width ? least : width));
        sy_buf_free(&text);
    }
}
END_TEST

START_TEST(bars_fill_in_proportion_and_never_more_than_whole)
{
    char bar[SY_BAR_BYTES];
    ck_assert_str_eq(sy_bar(bar, 0, 4, false), "....");
    ck_assert_str_eq(sy_bar(bar, 0.5, 4, false), "##..");
    ck_assert_str_eq(sy_bar(bar, 1, 4, false), "####");
    ck_assert_str_eq(sy_bar(bar, 7, 4, false), "####");
    ck_assert_str_eq(sy_bar(bar, -1, 4, false), "....");
    ck_assert_str_eq(sy_bar(bar, 0.375, 2, true), "\u258a\u00b7");
    ck_assert_uint_eq(sy_text_columns(sy_bar(bar, 0.3, 400, true)), 40);
}
END_TEST

START_TEST(percents_never_round_something_to_nothing)
{
    char text[32];
    ck_assert_str_eq(sy_format_percent(text, 0), "0.0 %");
    ck_assert_str_eq(sy_format_percent(text, 0.00001), "<0.1 %");
    ck_assert_str_eq(sy_format_percent(text, 0.1234), "12.3 %");
    ck_assert_str_eq(sy_format_percent(text, 1), "100.0 %");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("grid");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, columns_are_aligned_and_lines_end_without_blanks);
    tcase_add_test(tcase, a_table_without_heads_has_no_head_line);
    tcase_add_test(tcase, only_marked_columns_are_shortened_in_the_middle_or_at_the_end);
    tcase_add_test(tcase, letters_of_several_bytes_count_as_one_column);
    tcase_add_test(tcase, random_tables_stay_within_their_width);
    tcase_add_test(tcase, bars_fill_in_proportion_and_never_more_than_whole);
    tcase_add_test(tcase, percents_never_round_something_to_nothing);
    return run_case("grid", tcase);
}
