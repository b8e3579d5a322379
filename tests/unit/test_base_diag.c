/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "tests/unit/base_support.h"

START_TEST(every_status_has_a_name_a_sentence_and_a_documented_exit_code)
{
    static const int documented[] = {0, 1, 2, 3, 4, 5, 130};
    for (int s = 0; s < SY_STATUS_COUNT; s++) {
        const char *name = sy_status_name((enum sy_status)s);
        for (int t = 0; t < s; t++) {
            ck_assert_str_ne(name, sy_status_name((enum sy_status)t));
        }
        for (const char *p = name; *p != '\0'; p++) {
            ck_assert(islower((unsigned char)*p) || *p == '_');
        }
        ck_assert_uint_gt(strlen(sy_status_text((enum sy_status)s)), 3);
        int known = 0;
        for (size_t i = 0; i < sizeof documented / sizeof documented[0]; i++) {
            known += sy_status_exit_code((enum sy_status)s) == documented[i];
        }
        ck_assert_int_eq(known, 1);
        ck_assert_int_eq(sy_status_exit_code((enum sy_status)s) == 0, s == SY_OK);
    }
    ck_assert_str_eq(sy_status_name(SY_INPUT), "input");
    ck_assert_str_eq(sy_status_name(SY_CHECK_FAILED), "check_failed");
    ck_assert_str_eq(sy_status_name((enum sy_status)999), "unknown");
    ck_assert_int_eq(sy_status_exit_code((enum sy_status)999), 5);
}
END_TEST

/* The names are written by hand beside the list; this holds the two together. */
START_TEST(status_names_are_the_list_in_lower_case)
{
    int at = 0;
#define COMPARE(name, exit_code, text)                                                                                 \
    do {                                                                                                               \
        const char *want = #name, *got = sy_status_name((enum sy_status)at);                                           \
        ck_assert_uint_eq(strlen(want), strlen(got));                                                                  \
        for (size_t i = 0; want[i] != '\0'; i++) {                                                                     \
            ck_assert_int_eq(tolower((unsigned char)want[i]), got[i]);                                                 \
        }                                                                                                              \
        ck_assert_str_eq(sy_status_text((enum sy_status)at), text);                                                    \
        ck_assert_int_eq(sy_status_exit_code((enum sy_status)at), exit_code);                                          \
        at++;                                                                                                          \
    } while (0);
    SY_STATUS_MAP(COMPARE)
#undef COMPARE
}
END_TEST

START_TEST(errors_are_delivered_up_to_the_limit_and_all_counted)
{
    struct memory_sink sink;
    struct sy_diag *diag = sink_start(&sink);
    diag->max_errors = 3;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sy_error(diag, SY_NOWHERE, "fix it", "error %d", i), SY_INPUT);
    }
    ck_assert_int_eq(sink.calls, 3);
    ck_assert_uint_eq(diag->errors, 10);
    ck_assert_str_eq(sink.message, "error 2");
    ck_assert_str_eq(sink.hint, "fix it");
    sy_warn(diag, SY_NOWHERE, NULL, "w");
    ck_assert_uint_eq(diag->warnings, 1);
    ck_assert_uint_eq(diag->errors, 10);
    ck_assert_int_eq(sy_diag_report(diag, SY_SEV_NOTE, SY_NOWHERE, NULL, "n"), SY_OK);
    ck_assert_int_eq(sink.calls, 5);
    diag = sink_start(&sink);
    for (int i = 0; i < 150; i++) {
        (void)sy_error(diag, SY_NOWHERE, NULL, "e");
    }
    ck_assert_int_eq(sink.calls, 100);
    ck_assert_uint_eq(diag->errors, 150);
}
END_TEST

START_TEST(no_sink_and_a_counting_sink_are_fine)
{
    struct sy_diag counting = {0};
    ck_assert_int_eq(sy_error(NULL, SY_NOWHERE, NULL, "x"), SY_INPUT);
    ck_assert_int_eq(sy_error(&counting, SY_NOWHERE, NULL, "x"), SY_INPUT);
    ck_assert_uint_eq(counting.errors, 1);
}
END_TEST

START_TEST(hostile_text_cannot_reach_the_terminal)
{
    struct memory_sink sink;
    struct sy_diag *diag = sink_start(&sink);
    (void)sy_error(diag, SY_NOWHERE, NULL, "found '%s'",
                   "\x1b[31mred\n\r\x7f"
                   "caf\xc3\xa9");
    ck_assert_str_eq(sink.message, "found '?[31mred ??caf\xc3\xa9'");
    (void)sy_error(diag, SY_NOWHERE, NULL, "%*d", 100000, 1);
    ck_assert_uint_lt(strlen(sink.message), 1100);
    ck_assert_str_eq(sink.message + strlen(sink.message) - 3, "...");
}
END_TEST

START_TEST(nearest_finds_likely_typos_only)
{
    static const char *const keys[] = {"array", "rows", "cols", "frequency", "bandwidth", "capacity"};
    ck_assert_str_eq(sy_nearest("row", keys, 6), "rows");
    ck_assert_str_eq(sy_nearest("freqency", keys, 6), "frequency");
    ck_assert_str_eq(sy_nearest("BandWidth", keys, 6), "bandwidth");
    ck_assert_str_eq(sy_nearest("bandwitdh", keys, 6), "bandwidth"); /* swapped neighbours */
    ck_assert_str_eq(sy_nearest("capcaity", keys, 6), "capacity");
    ck_assert_ptr_null(sy_nearest("dram", keys, 6));
    ck_assert_ptr_null(sy_nearest("", keys, 6));
    ck_assert_ptr_null(sy_nearest("x", keys, 6));
    ck_assert_ptr_null(sy_nearest(NULL, keys, 6));
    ck_assert_ptr_null(sy_nearest("rows", keys, 0));
    char huge[500];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    ck_assert_ptr_null(sy_nearest(huge, keys, 6));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("diag");
    tcase_add_test(tcase, every_status_has_a_name_a_sentence_and_a_documented_exit_code);
    tcase_add_test(tcase, status_names_are_the_list_in_lower_case);
    tcase_add_test(tcase, errors_are_delivered_up_to_the_limit_and_all_counted);
    tcase_add_test(tcase, no_sink_and_a_counting_sink_are_fine);
    tcase_add_test(tcase, hostile_text_cannot_reach_the_terminal);
    tcase_add_test(tcase, nearest_finds_likely_typos_only);
    return run_case("base/diag", tcase);
}
