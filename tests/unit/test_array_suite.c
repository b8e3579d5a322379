/* SPDX-License-Identifier: Apache-2.0 */
/* Suite rtl beyond its golden rows: documented closed forms on random shapes, users' files, statistics, and what an
 * observer of the stepped array sees. */
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/checked.h"
#include "sim/base/json.h"
#include "sim/engine/array_cycle.h"
#include "tests/unit/suite_support.h"

#define HEAD                                                                                                           \
    "design,dataflow,rows,cols,M,K,N,tiles,double_buffered,placement,mode,cycles,cycles_incl_preload,first_result_"    \
    "cycle\n"

static void refuse_table(const char *table, const char *part)
{
    struct sy_validation v;
    ck_assert_int_ne(validate_text("rtl", table, &v), SY_OK);
    ck_assert_msg(strstr(messages, part) != NULL, "'%s' is not in: %s", part, messages);
}

START_TEST(bad_tables_are_refused_with_their_place)
{
    refuse_table("", "1:0: the table is empty");
    refuse_table("a,b\n", "column 'mode' is missing");
    refuse_table(HEAD "axis_sb,OS,4,4,4,4,4,1,,,single,1,,\n", "2:1: no array file for design 'axis_sb'");
    refuse_table(HEAD "axis_sa,XS,4,4,4,4,4,1,,,single,1,,\n", "2:9: dataflow is 'XS'; expected os, ws or is");
    refuse_table(HEAD "axis_sa,OS,four,4,4,4,4,1,,,single,1,,\n",
                 "2:12: column 'rows' is 'four'; expected a whole number");
    refuse_table(HEAD "axis_sa,OS,4,4,4,4,4,3,,,single,1,,\n", "not a multiple of the 3 tiles");
    refuse_table(HEAD "axis_sa,OS,4,4,4,4,4,1,,,singel,1,,\n", "unknown word 'singel' in mode; single");
    refuse_table(HEAD "axis_sa,OS,4,4,4,4,4,1,,,LM=x,1,,\n", "followed by 'x'");
    refuse_table(HEAD "axis_sa,OS,4,4,4,4,4,1,,,os_drain=up,1,,\n", "expected one of");
    refuse_table(HEAD "axis_sa,OS,4,4,5,4,4,1,,,single,1,,\n", "a tile must be");
    refuse_table(HEAD "axis_sa,OS,4,4,4,4,4,1,,,single,x,,\n", "column 'cycles' is 'x'");
    struct sy_validation v;
    struct sy_diag diag = {.fn = collect};
    messages[0] = '\0';
    ck_assert_int_eq(sy_validate_run("rlt", NULL, &v, &diag), SY_USAGE);
    ck_assert_msg(strstr(messages, "there is no suite 'rlt'; did you mean rtl?") != NULL, "%s", messages);
}
END_TEST

START_TEST(rows_of_users_are_judged_and_measured)
{
    struct sy_validation v;
    /* right, wrong by 1 of 10, rightly refused, wrongly refused, wrongly run, own parameters by KEY=VALUE */
    const char *table = HEAD "scalesim-rtl,WS,2,2,11,2,2,1,no,top,single,16,18,5\n"
                             "scalesim-rtl,OS,2,2,2,5,2,1,,top,single,9,,9\n"
                             "axis-sa,OS,2,2,2,2,6,3,,,FAIL back_to_back II=3,,,\n"
                             "axis-sa,OS,2,2,2,2,6,3,,,back_to_back II=3,14,,\n"
                             "axis-sa,OS,2,2,2,8,6,3,,,FAIL back_to_back,,,\n"
                             "\n"
                             "dropin-ws-mesh,WS,4,4,6,4,4,1,yes,top,psum_hop_cycles=3 input_registers=2,21,25,\n";
    ck_assert_msg(validate_text("rtl", table, &v) == SY_OK, "%s", messages);
    ck_assert_uint_eq(v.total.rows, 6);
    ck_assert_uint_eq(v.total.exact, 3);
    ck_assert_uint_eq(v.total.refused, 2);
    ck_assert_uint_eq(v.total.measured, 3);
    ck_assert_str_eq(v.row[1].note, "cycles is 9, modelled 10");
    ck_assert_double_eq_tol(v.total.max_ape, 100.0 / 9, 1e-9);
    ck_assert_double_eq_tol(v.total.mape, 100.0 / 27, 1e-9);
    ck_assert_double_eq_tol(v.total.median_ape, 0, 1e-9);
    ck_assert_double_eq_tol(v.total.p90_ape, 100.0 / 9 * 0.8, 1e-9);
    ck_assert_double_eq_tol(v.total.r2, 1 - 1 / (218.0 / 3), 1e-9);
    ck_assert_uint_eq(v.groups, 4);
    ck_assert(!v.row[3].exact && v.row[3].refused && strstr(v.row[3].note, "occupied register"));
    ck_assert(!v.row[4].exact && strstr(v.row[4].note, "could not run"));
    struct sy_buf json = {0};
    sy_validation_put_json(&v, &json);
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_json *root;
    ck_assert_int_eq(sy_json_parse(arena, json.data, json.length, "x", &root, NULL), SY_OK);
    ck_assert_str_eq(sy_json_get(root, "schema")->string, "systole.validation/1");
    ck_assert_str_eq(sy_json_get(root, "suite")->string, "rtl");
    uint64_t exact;
    ck_assert(sy_json_u64(sy_json_get(sy_json_get(sy_json_get(root, "groups"), "axis-sa os"), "exact"), &exact));
    ck_assert_uint_eq(exact, 1);
    ck_assert_ptr_null(sy_json_get(sy_json_get(sy_json_get(root, "groups"), "scalesim-rtl ws"), "r2"));
    sy_arena_destroy(arena);
    sy_buf_free(&json);
    sy_validation_free(&v);
}
END_TEST

/* ---- the closed forms as documented, on shapes not in the golden rows ---- */

struct forms {
    char *table;
    size_t used, size;
    unsigned rows;
};
__attribute__((format(printf, 2, 3))) static void add(struct forms *forms, const char *format, ...)
{
    va_list args;
    if (forms->size - forms->used < 512) {
        forms->size += 1 << 16;
        forms->table = realloc(forms->table, forms->size);
    }
    va_start(args, format);
    forms->used += (size_t)vsnprintf(forms->table + forms->used, 512, format, args);
    va_end(args);
    forms->rows++;
}

static void add_stationary_forms(struct forms *f, unsigned r, unsigned c, unsigned s, unsigned t, unsigned k,
                                 unsigned u)
{
    unsigned top = s + 2 * r + u - 1, bottom = 2 * k + s + u - 1, interval = s > r ? s : r;
    add(f, "scalesim-rtl,WS,%u,%u,%u,%u,%u,1,no,top,single,%u,%u,%u\n", r, c, s, k, u, top, top + k, 2 * r + 1);
    add(f, "scalesim-rtl,WS,%u,%u,%u,%u,%u,1,no,bottom,single,%u,%u,%u\n", r, c, s, k, u, bottom, bottom + r + (k < r),
        2 * k + 1);
    add(f, "scalesim-rtl,IS,%u,%u,%u,%u,%u,1,no,top,single,%u,%u,%u\n", r, c, u, k, s, top, top + k, 2 * r + 1);
    add(f, "scalesim-rtl,WS,%u,%u,%u,%u,%u,%u,no,top,back_to_back,%u,%u,%u\n", r, c, s, r, c * t, t,
        t * (3 * r + s + c - 2) + 1 - r, t * (3 * r + s + c - 2) + 1, 2 * r + 1);
    add(f, "scalesim-rtl,WS,%u,%u,%u,%u,%u,%u,no,top,chain_psum_from_top,%u,%u,\n", r, c, s, r * t, c, t,
        t * (3 * r + s + c - 2) + 1 - r, t * (3 * r + s + c - 2) + 1);
    add(f, "dropin-ws-mesh,WS,%u,%u,%u,%u,%u,%u,yes,top,back_to_back,%u,%u,%u\n", r, c, s, r, c * t, t,
        (t - 1) * interval + s + r + c - 1, r + (t - 1) * interval + s + r + c - 1, r + 1);
    add(f, "dropin-ws-mesh,WS,%u,%u,%u,%u,%u,%u,no (shadow not used),top,back_to_back,%u,%u,\n", r, c, s, r, c * t, t,
        t * (s + r) + c - 1, t * (s + r) + r + c - 1);
}

static void add_output_forms(struct forms *f, unsigned r, unsigned c, unsigned k, unsigned t, unsigned m, unsigned n)
{
    unsigned ii = r + 2 * c - 2, interval = k > ii ? k : ii, flip = t > 1 ? (k > r ? k : r) : k;
    unsigned lm = 1 + k % 3, la = 1 + m % 3, axis = k + r + 2 * c - 2 + lm + la, every = 1 + n % 7;
    add(f, "scalesim-rtl,OS,%u,%u,%u,%u,%u,1,,top,single,%u,,%u\n", r, c, m, k, n, k + m + n + r - 1,
        k + m + n + r - 1 - (m - 1));
    add(f, "scalesim-rtl,OS,%u,%u,%u,%u,%u,%u,,top,rst,%u,,\n", r, c, r, k, c * t, t, t * (k + 2 * r + c - 1) + t - 1);
    add(f, "scalesim-rtl,OS,%u,%u,%u,%u,%u,%u,,top,runsum,%u,,\n", r, c, r, k, c * t, t, t * (k + r + c - 1) + r);
    add(f, "gemmini-os-mesh,OS,%u,%u,%u,%u,%u,%u,,,back_to_back,%u,%u,\n", r, c, r, k, c * t, t, t * flip + 2 * r + c,
        t * flip + 3 * r + c);
    add(f, "axis-sa,OS,%u,%u,%u,%u,%u,%u,,,LM=%u LA=%u II=%u,%u,,%u\n", r, c, r, k, c * t, t, lm, la, interval,
        (t - 1) * interval + axis, k + r + c - 1 + lm + la);
    add(f, "axis-sa,OS,%u,%u,%u,%u,%u,1,,,LM=%u LA=%u feeder_gap_every_%u,%u,,\n", r, c, r, k, c, lm, la, every,
        axis + (k - 1) / every);
    unsigned deep = k + r + 3 * c; /* K long enough for the stalled drain of the tile before */
    add(f, "axis-sa,OS,%u,%u,%u,%u,%u,%u,,,LM=1 LA=1 m_ready_low_every_other,%u,,\n", r, c, r, deep, c * t, t,
        (t - 1) * deep + deep + r + 2 * c + (c - 1));
    if (k < ii && t > 1) {
        add(f, "axis-sa,OS,%u,%u,%u,%u,%u,%u,,,FAIL back_to_back II=%u,,,\n", r, c, r, k, c * t, t,
            ii - 1 > k ? ii - 1 : k);
    }
}

START_TEST(documented_closed_forms_hold_on_any_shape)
{
    struct forms forms = {0};
    uint64_t state = 5;
    add(&forms, HEAD);
    for (int i = 0; i < 150; i++) {
        unsigned v[6];
        for (int j = 0; j < 6; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            v[j] = (unsigned)(state >> 33);
        }
        unsigned r = 1 + v[0] % 9, c = 1 + v[1] % 9, s = 1 + v[2] % 20, t = 1 + v[3] % 4;
        add_stationary_forms(&forms, r, c, s, t, 1 + v[4] % r, 1 + v[5] % c);
        add_output_forms(&forms, r, c, s, t, 1 + v[4] % r, 1 + v[5] % c);
    }
    struct sy_validation v;
    ck_assert_msg(validate_text("rtl", forms.table, &v) == SY_OK, "%s", messages);
    ck_assert_uint_eq(v.total.rows, forms.rows - 1);
    for (uint64_t i = 0; i < v.rows; i++) {
        ck_assert_msg(v.row[i].exact, "line %u, %s: %s", v.row[i].line, v.row[i].group, v.row[i].note);
    }
    ck_assert_uint_gt(v.total.refused, 30);
    sy_validation_free(&v);
    free(forms.table);
}
END_TEST

/* ---- observer ---- */

struct seen {
    uint64_t periods, operands, last_period;
    int64_t weight;
};
static void observe(void *ctx, uint64_t period, const struct sy_cycle_view *view)
{
    struct seen *seen = ctx;
    seen->periods++;
    seen->last_period = period;
    for (uint64_t r = 0; r < 3; r++) {
        for (uint64_t c = 0; c < 2; c++) {
            struct sy_cycle_pe pe = sy_cycle_view_pe(view, r, c);
            seen->operands += pe.operand_valid;
            if (r == 2 && c == 1 && pe.operand_valid) {
                seen->weight = pe.stationary.integer;
            }
        }
    }
    ck_assert(!sy_cycle_view_pe(view, 3, 0).operand_valid);
}

START_TEST(an_observer_sees_every_period_and_register)
{
    struct sy_array_timing timing;
    sy_array_timing_init(&timing);
    union sy_number a[5 * 3], b[3 * 2], c[5 * 2];
    for (int i = 0; i < 15; i++) {
        a[i].integer = i + 1;
    }
    for (int i = 0; i < 6; i++) {
        b[i].integer = 10 + i;
    }
    struct seen seen = {0};
    struct sy_cycle_job job = {.timing = &timing, .dataflow = SY_WS, .rows = 3, .cols = 2, .format = SY_INT8};
    job.m = 5;
    job.k = 3;
    job.n = 2;
    job.a = a;
    job.b = b;
    job.c = c;
    job.observe = observe;
    job.observe_ctx = &seen;
    struct sy_cycle_result result;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_OK);
    ck_assert_uint_eq(seen.operands, 5 * 3 * 2);
    ck_assert_int_eq(seen.weight, 15);
    ck_assert_uint_eq(seen.last_period + 1, result.cycles_incl_preload);
    ck_assert_uint_eq(seen.periods, result.cycles_incl_preload);
}
END_TEST

START_TEST(jobs_that_make_no_sense_are_refused)
{
    struct sy_array_timing timing;
    sy_array_timing_init(&timing);
    union sy_number one[4] = {{0}}, c[4];
    struct sy_cycle_fold outside = {1, 1, 0, 1, 0, 1}, wide = {0, 1, 0, 2, 0, 1};
    struct sy_cycle_job job = {.timing = &timing, .dataflow = SY_WS, .rows = 1, .cols = 1, .format = SY_INT8};
    struct sy_cycle_result result;
    job.m = job.n = 1;
    job.k = 2;
    job.a = job.b = one;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_USAGE); /* no C */
    job.c = c;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_OK);
    job.fold = &outside;
    job.folds = 1;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_USAGE);
    job.fold = &wide;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_USAGE);
    job.fold = NULL;
    job.format = SY_MXFP8;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_USAGE);
    job.format = SY_INT8;
    job.rows = (uint64_t)1 << 40;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_USAGE);
    job.rows = 1;
    job.sink_low_cycles = 1;
    ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_UNSUPPORTED);
    ck_assert_uint_gt(strlen(result.problem), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_suite");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, bad_tables_are_refused_with_their_place);
    tcase_add_test(tc, rows_of_users_are_judged_and_measured);
    tcase_add_test(tc, documented_closed_forms_hold_on_any_shape);
    tcase_add_test(tc, an_observer_sees_every_period_and_register);
    tcase_add_test(tc, jobs_that_make_no_sense_are_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
