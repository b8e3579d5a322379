/* SPDX-License-Identifier: Apache-2.0 */
/* The event engine composes units as the RTL of tests/rtl does: every recorded run, cycle by cycle, on both kernels. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite_support.h"

START_TEST(every_recorded_run_is_met_cycle_by_cycle)
{
    struct sy_validation v;
    ck_assert_msg(validate_file("machine", NULL, &v) == SY_OK, "%s", messages);
    ck_assert_uint_ge(v.total.rows, 200);
    for (uint64_t i = 0; i < v.rows; i++)
        ck_assert_msg(v.row[i].exact, "line %u, %s: %s", v.row[i].line, v.row[i].group, v.row[i].note);
    ck_assert_uint_eq(v.groups, 10); /* two arrays x five scenarios */
    for (uint64_t i = 0; i < v.groups; i++)
        ck_assert_uint_ge(v.group[i].stats.rows, 12);
    sy_validation_free(&v);
}
END_TEST

#define HEAD                                                                                                           \
    "scenario,dataflow,rows,cols,m,k,n,queue_depth,overhead,latency,burst,memory,bytes,gap,engine_bytes,engines,"      \
    "vector_startup,vector_lanes,cycles,busy_array,commands,start,streamed,done\n"
#define COMMANDS                                                                                                       \
    "load A level=1 parent=2 rows=8 bytes=4;load B level=1 parent=2 bytes=16;matmul m=8 k=4 n=4 <2.load_a <1.load_b;"  \
    "store C level=0 parent=2 bytes=128 <1"

/* By hand. A: taken up in 0, first byte 3 + 9 cycles later, 32 bytes at 16 a cycle: there in 14. B: taken up in 1,
 * behind A: there in 15. Four words, so first beat in 19, eight beats: operands read in 27; the last beat enters in 26,
 * passes 4 rows and 3 columns: in 33 on the port, usable in 34. Store: 3 cycles, then 128 bytes: 45. */
#define BY_HAND "0 1 19 34,14 15 27 45,14 15 34 45"

START_TEST(a_run_worked_out_by_hand_and_one_that_is_off)
{
    struct sy_validation v;
    const char *machine = "one,ws,4,4,8,4,4,8,3,9,16,bus,16,1,0,1,0,1,";
    char table[4096];
    (void)snprintf(table, sizeof table,
                   HEAD "%s45,8," COMMANDS "," BY_HAND "\n"
                        "%s45,8," COMMANDS ",0 1 19 34,14 15 27 45,14 15 35 45\n"
                        "%s46,8," COMMANDS ",,,\n",
                   machine, machine, machine);
    ck_assert_msg(validate_text("machine", table, &v) == SY_OK, "%s", messages);
    ck_assert_uint_eq(v.rows, 3);
    ck_assert_msg(v.row[0].exact, "%s", v.row[0].note);
    ck_assert(!v.row[1].exact);
    ck_assert_str_eq(v.row[1].note, "first difference: command 2, done in cycle 35, modelled 34");
    ck_assert_str_eq(v.row[2].note, "cycles is 46, modelled 45");
    ck_assert_uint_eq(v.total.exact, 1);
    sy_validation_free(&v);
}
END_TEST

static void refuse(const char *table, const char *part)
{
    struct sy_validation v;
    ck_assert_int_ne(validate_text("machine", table, &v), SY_OK);
    ck_assert_msg(strstr(messages, part) != NULL, "'%s' is not in: %s", part, messages);
}

START_TEST(bad_rows_are_refused_with_their_place)
{
    refuse("scenario\n", "column 'memory' is missing");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,16,tape,16,1,0,1,0,1,46,8," COMMANDS ",,,\n", "2:27: memory is 'tape'");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,16,bus,16,3,0,1,0,1,46,8," COMMANDS ",,,\n", "gap is 3");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,16,bus,16,1,0,1,0,1,46,8," COMMANDS ",0 1 2 3 4,,\n",
           "needs a cycle for each of the 4");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,16,bus,16,1,0,1,0,1,46,8," COMMANDS ",0 x,,\n", "'x' is none");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,16,bus,16,1,0,1,0,1,46,8,jump,,,\n", "2:1: the row's machine could not be run");
    refuse(HEAD "one,ws,4,4,8,4,4,8,3,9,0,bus,16,1,0,1,0,1,46,8," COMMANDS ",,,\n",
           "2:1: the row's machine could not be run");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine_suite");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_recorded_run_is_met_cycle_by_cycle);
    tcase_add_test(tc, a_run_worked_out_by_hand_and_one_that_is_off);
    tcase_add_test(tc, bad_rows_are_refused_with_their_place);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
