/* SPDX-License-Identifier: Apache-2.0 */
/* Array timing: keys and files, and closed forms against measured cycles. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/csv.h"
#include "sim/engine/array_timing.h"
#include "sim/validate/suite.h"
#include "tests/unit/run_support.h"

static const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

struct sink {
    struct sy_diag diag;
    char text[4096];
};
static void collect(void *ctx, const struct sy_diag_msg *msg)
{
    struct sink *sink = ctx;
    size_t used = strlen(sink->text);
    (void)snprintf(sink->text + used, sizeof sink->text - used, "%s:%u:%u: %s%s%s\n",
                   msg->where.file ? msg->where.file : "", msg->where.line, msg->where.column, msg->message,
                   msg->hint ? "; " : "", msg->hint ? msg->hint : "");
}
static struct sink *new_sink(void)
{
    struct sink *sink = calloc(1, sizeof *sink);
    sink->diag = (struct sy_diag){.fn = collect, .ctx = sink};
    return sink;
}

static struct sy_array_timing load(const char *name)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sink *sink = new_sink();
    struct sy_array_file file;
    enum sy_status status = sy_array_file_load(arena, name, data_dir(), &file, &sink->diag);
    ck_assert_msg(status == SY_OK, "%s: %s", name, sink->text);
    struct sy_array_timing timing = file.timing;
    ck_assert_str_eq(file.name, name);
    sy_arena_destroy(arena);
    free(sink);
    return timing;
}

/* ---- keys and files ---- */

START_TEST(every_key_is_documented_unique_and_its_preset_is_in_range)
{
    struct sy_array_timing timing;
    sy_array_timing_init(&timing);
    ck_assert_uint_eq(sy_array_key_count * sizeof(uint64_t), sizeof timing);
    for (size_t i = 0; i < sy_array_key_count; i++) {
        const struct sy_array_key *key = &sy_array_keys[i];
        ck_assert_ptr_eq(sy_array_key_find(key->name), key);
        ck_assert_uint_gt(strlen(key->doc), 10);
        ck_assert(key->min <= key->preset && key->preset <= key->max);
        ck_assert_uint_eq(sy_array_key_get(&timing, key), key->preset);
        ck_assert_int_eq(key->kind == SY_ARRAY_ENUM, key->enum_names != NULL);
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(sy_array_keys[j].offset, key->offset);
        }
    }
    ck_assert_int_eq(sy_array_timing_check(&timing, SY_NOWHERE, NULL), SY_OK);
    ck_assert_ptr_null(sy_array_key_find("psum_hops"));
}
END_TEST

START_TEST(every_enumerator_is_reachable_by_its_name)
{
    for (size_t i = 0; i < sy_array_key_count; i++) {
        const struct sy_array_key *key = &sy_array_keys[i];
        uint64_t value = 0;
        for (; key->enum_names != NULL && key->enum_names[value] != NULL; value++) {
            struct sy_array_timing timing;
            sy_array_timing_init(&timing);
            ck_assert_int_eq(sy_array_key_set(&timing, key, key->enum_names[value], SY_NOWHERE, NULL), SY_OK);
            ck_assert_uint_eq(sy_array_key_get(&timing, key), value);
        }
        if (key->enum_names != NULL) {
            ck_assert_uint_eq(value, key->max + 1);
        }
    }
}
END_TEST

START_TEST(every_file_of_arch_arrays_loads)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/arch/arrays", data_dir());
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    unsigned files = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char name[256];
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            (void)snprintf(name, sizeof name, "%.*s", (int)(dot - entry->d_name), entry->d_name);
            (void)load(name);
            files++;
        }
    }
    (void)closedir(dir);
    ck_assert_uint_ge(files, 9);
}
END_TEST

static void expect_parse(const char *text, enum sy_status want, const char *part)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sink *sink = new_sink();
    struct sy_array_file file;
    enum sy_status status = sy_array_file_parse(arena, text, strlen(text), "x.yaml", &file, &sink->diag);
    ck_assert_msg(status == want, "%s gave %s: %s", text, sy_status_name(status), sink->text);
    ck_assert_msg(strstr(sink->text, part) != NULL, "'%s' is not in: %s", part, sink->text);
    sy_arena_destroy(arena);
    free(sink);
}

#define HEAD "name: a\ndoc: b\nsource: c\nconfidence: read\n"

START_TEST(a_bad_array_file_is_refused_with_its_place)
{
    expect_parse(HEAD "timing: {psum_hop_cycles: 2}\n", SY_OK, "");
    expect_parse(HEAD "timing: {psum_hop_cycle: 2}\n", SY_INPUT,
                 "x.yaml:5:10: unknown key 'psum_hop_cycle'; did you mean psum_hop_cycles?");
    expect_parse(HEAD "timing:\n  psum_hop_cycles: two\n", SY_INPUT,
                 "x.yaml:6:20: psum_hop_cycles is 'two'; expected a whole number");
    expect_parse(HEAD "timing:\n  psum_hop_cycles: 99999\n", SY_INPUT, "expected 0 to 1024");
    expect_parse(HEAD "timing:\n  psum_hop_cycles: -1\n", SY_INPUT, "expected a whole number");
    expect_parse(HEAD "timing:\n  weight_load: double\n", SY_INPUT, "expected one of: none, shared_wires");
    expect_parse(HEAD "timing:\n  weight_load: [none]\n", SY_INPUT, "not a single value");
    expect_parse(HEAD "timing:\n  output_deskew: yes\n", SY_INPUT, "expected one of: false, true");
    expect_parse(HEAD "timing:\n  psum_hop_cycles: 1\n  psum_hop_cycles: 2\n", SY_INPUT, "given twice");
    expect_parse(HEAD "timing: {}\nname: again\n", SY_INPUT, "x.yaml:6:1: key 'name' is given twice");
    expect_parse(HEAD "timing: {}\ncolour: red\n", SY_INPUT, "unknown key 'colour'");
    expect_parse("name: a\ntiming: {}\n", SY_INPUT, "key 'source' is missing");
    expect_parse(HEAD, SY_INPUT, "key 'timing' is missing");
    expect_parse(HEAD "timing: 3\n", SY_INPUT, "not a mapping");
    expect_parse("", SY_INPUT, "missing");
    expect_parse("- a\n- [b, {c: d}]\n", SY_INPUT, "one mapping");
    expect_parse(HEAD "timing: {psum_hop_cycles: 2\n", SY_INPUT, "not valid YAML");
    expect_parse("name: a\ndoc: b\nsource: c\nconfidence: sure\ntiming: {}\n", SY_INPUT, "confidence is 'sure'");
    expect_parse(HEAD "timing: {weight_load: shared_wires}\n", SY_INPUT, "hold no register");
    expect_parse(HEAD "timing: {accumulate_cycles: 3}\n", SY_INPUT, "before it is computed");
    expect_parse(HEAD "timing: {back_pressure: freeze}\n", SY_INPUT, "whole rows");
}
END_TEST

START_TEST(all_errors_of_a_file_are_reported)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sink *sink = new_sink();
    struct sy_array_file file;
    const char *text = HEAD "timing:\n  a: 1\n  b: {c: 2}\n  weight_load: x\n? [q]\n: z\n";
    ck_assert_int_eq(sy_array_file_parse(arena, text, strlen(text), "x", &file, &sink->diag), SY_INPUT);
    ck_assert_uint_eq(sink->diag.errors, 4);
    sy_arena_destroy(arena);
    free(sink);
}
END_TEST

/* ---- measured cycles ---- */

static void check_rtl(const char *table, uint64_t rows, uint64_t refused)
{
    struct sy_validation v;
    struct sy_validate_options options = {.data_dir = data_dir(), .data = table};
    struct sink *sink = new_sink();
    ck_assert_msg(sy_validate_run("rtl", &options, &v, &sink->diag) == SY_OK, "%s", sink->text);
    ck_assert_uint_eq(v.total.rows, rows);
    ck_assert_uint_eq(v.total.refused, refused);
    for (uint64_t i = 0; i < v.rows; i++) {
        ck_assert_msg(v.row[i].exact, "line %u: %s", v.row[i].line, v.row[i].note);
    }
    ck_assert_uint_eq(v.total.exact, v.total.rows);
    sy_validation_free(&v);
    free(sink);
}

START_TEST(every_rtl_row_is_met_exactly)
{
    check_rtl(NULL, 249, 16);
}
END_TEST

/* Shapes and intervals drawn at random, run on the RTL after the model was finished. */
START_TEST(every_random_rtl_row_is_met_exactly)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/golden/rtl_random.csv", data_dir());
    check_rtl(path, 521, 56);
}
END_TEST

static uint64_t cell(const struct sy_csv *csv, size_t row, const char *name)
{
    uint64_t value = 0;
    const char *text = csv->row[row].field[sy_csv_column(csv, name)];
    ck_assert_msg(sy_text_to_u64(text, strlen(text), &value), "%s", text);
    return value;
}

START_TEST(every_full_bandwidth_stonne_row_is_met_exactly)
{
    struct sy_array_timing timing = load("stonne-os");
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char path[512], *text;
    size_t length, met = 0;
    struct sy_csv csv;
    (void)snprintf(path, sizeof path, "%s/tests/golden/stonne.csv", data_dir());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, path, &csv, NULL), SY_OK);
    for (size_t i = 1; i < csv.rows; i++) {
        uint64_t rows = cell(&csv, i, "array_rows"), cols = cell(&csv, i, "array_cols");
        if (cell(&csv, i, "dn_bw_elems_per_cycle") < 2 * rows || cell(&csv, i, "rn_bw_elems_per_cycle") < rows * cols) {
            continue;
        }
        struct sy_array_run run;
        ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_OS, rows, cols, cell(&csv, i, "M"), cell(&csv, i, "K"),
                                              cell(&csv, i, "N"), &run),
                         SY_OK);
        ck_assert_uint_eq(run.latency_cycles, cell(&csv, i, "cycles"));
        met++;
    }
    ck_assert_uint_eq(met, 20);
    sy_arena_destroy(arena);
    free(text);
}
END_TEST

/* ONNXim's SystolicWS: latency H + W - 2 + max(n, 4), distance max(n, 4, H) with a preload, 2H - 1 first. */
START_TEST(onnxim_instruction_timing_is_met_exactly)
{
    struct sy_array_timing timing = load("onnxim-ws");
    for (uint64_t d = 4; d <= 128; d *= 2) {
        for (uint64_t n = 1; n <= 300; n += 7) {
            for (uint64_t k_folds = 1; k_folds <= 3; k_folds++) {
                struct sy_array_run run;
                uint64_t instructions = k_folds * 2, stream = sy_max(n, 4), distance = sy_max(stream, d);
                ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_WS, d, d, n, k_folds * d, 2 * d, &run), SY_OK);
                ck_assert_uint_eq(run.lead_cycles, 2 * d - 1);
                ck_assert_uint_eq(run.latency_cycles, (instructions - 1) * distance + 2 * d - 2 + stream);
                uint64_t next;
                ck_assert_int_eq(sy_array_first_beat_after(&run, 100, &run, 0, &next), SY_OK);
                ck_assert_uint_eq(next, 100 + instructions * distance);
            }
        }
    }
    /* golden/onnxim.csv: steady state of 256^3 on 8x8 is 262,144 of the 264,315 cycles measured with memory. */
    struct sy_array_run run;
    ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_WS, 8, 8, 256, 256, 256, &run), SY_OK);
    ck_assert_uint_eq(run.beats, 262144);
    ck_assert_uint_eq(run.occupancy_cycles, 262144);
}
END_TEST

/* SCALE-Sim's closed forms: nf * F - 1 with F = R + C + K - 2 (os), 2R + C + S - 2 (ws, is). */
START_TEST(scalesim_policies_count_what_scalesim_counts)
{
    const char *const names[] = {"scalesim-v2", "scalesim-v3"};
    for (int v = 0; v < 2; v++) {
        struct sy_array_timing timing = load(names[v]);
        for (uint64_t seed = 1; seed < 2000; seed++) {
            uint64_t r = 1 + seed % 17, c = 1 + seed % 13, m = 1 + seed * 7 % 97, k = 1 + seed * 5 % 89,
                     n = 1 + seed * 3 % 101;
            struct sy_array_run run;
            ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_OS, r, c, m, k, n, &run), SY_OK);
            uint64_t folds = sy_ceil_div(m, r) * sy_ceil_div(n, c);
            ck_assert_uint_eq(run.lead_cycles + run.latency_cycles, folds * (r + c + k - 2) - 1);
            ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_WS, r, c, m, k, n, &run), SY_OK);
            folds = sy_ceil_div(k, r) * sy_ceil_div(n, c);
            ck_assert_uint_eq(run.lead_cycles + run.latency_cycles, folds * (2 * r + c + m - 2) - 1);
            ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_IS, r, c, m, k, n, &run), SY_OK);
            folds = sy_ceil_div(k, r) * sy_ceil_div(m, c);
            ck_assert_uint_eq(run.lead_cycles + run.latency_cycles, folds * (2 * r + c + n - 2) - 1);
        }
    }
}
END_TEST

/* Gemmini source: A row in -> C row out 34 periods inclusive on 16x16 at the defaults. */
START_TEST(gemmini_latency_is_that_of_its_source)
{
    struct sy_array_timing timing = load("gemmini-ws");
    struct sy_array_run run;
    ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_WS, 16, 16, 64, 16, 16, &run), SY_OK);
    ck_assert_uint_eq(run.first_result_cycles, 34);
    ck_assert_uint_eq(run.latency_cycles, 34 + 63);
    ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_WS, 16, 16, 1, 2 * 2, 16 * 3, &run), SY_OK);
    ck_assert_uint_eq(run.occupancy_cycles + run.next_beat_hold_cycles, 3 * 4); /* never closer than 4 */
}
END_TEST

START_TEST(figures_that_do_not_fit_are_refused)
{
    struct sy_array_timing timing;
    struct sy_array_run run;
    sy_array_timing_init(&timing);
    uint64_t big = UINT64_MAX;
    for (int d = 0; d < SY_DATAFLOW_KINDS; d++) {
        enum sy_dataflow_kind dataflow = (enum sy_dataflow_kind)d;
        ck_assert_int_eq(sy_array_run_of_tile(&timing, dataflow, 8, 8, big, big, big, &run), SY_OVERFLOW);
        ck_assert_int_eq(sy_array_run_of_tile(&timing, dataflow, big, big, big, 1, 1, &run), SY_OVERFLOW);
        ck_assert_int_eq(sy_array_run_of_tile(&timing, dataflow, 8, 8, 0, 1, 1, &run), SY_INPUT);
        ck_assert_int_eq(sy_array_run_of_tile(&timing, dataflow, 0, 8, 1, 1, 1, &run), SY_INPUT);
    }
    timing.input_stationary = 0;
    ck_assert_int_eq(sy_array_run_of_tile(&timing, SY_IS, 8, 8, 8, 8, 8, &run), SY_UNSUPPORTED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_timing");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, every_key_is_documented_unique_and_its_preset_is_in_range);
    tcase_add_test(tc, every_enumerator_is_reachable_by_its_name);
    tcase_add_test(tc, every_file_of_arch_arrays_loads);
    tcase_add_test(tc, a_bad_array_file_is_refused_with_its_place);
    tcase_add_test(tc, all_errors_of_a_file_are_reported);
    tcase_add_test(tc, every_rtl_row_is_met_exactly);
    tcase_add_test(tc, every_random_rtl_row_is_met_exactly);
    tcase_add_test(tc, every_full_bandwidth_stonne_row_is_met_exactly);
    tcase_add_test(tc, onnxim_instruction_timing_is_met_exactly);
    tcase_add_test(tc, scalesim_policies_count_what_scalesim_counts);
    tcase_add_test(tc, gemmini_latency_is_that_of_its_source);
    tcase_add_test(tc, figures_that_do_not_fit_are_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
