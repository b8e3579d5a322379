/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of the event engine: rates of sets of phases, single phases, and the device files behind them. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dram_device.h"
#include "arch/tree.h"
#include "sim/engine/dram_memory.h"
#include "sim/engine/dram_phase.h"
#include "sim/engine/dram_set.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static struct sy_arena *arena;
static struct sy_dram_device *device;
static struct sy_dram_controller *controller;

static void open_device(const char *name)
{
    ck_assert_int_eq(sy_dram_device_load(name, root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
}
static struct sy_dram_ctx *open_ctx(uint32_t channels, uint32_t most)
{
    const struct sy_dram_ctx_options options = {.memory = {.channels = channels}, .most_channels = most};
    struct sy_dram_ctx *ctx;
    ck_assert_int_eq(sy_dram_ctx_create(device, controller, &options, &ctx, NULL), SY_OK);
    return ctx;
}
static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
}
static void teardown(void)
{
    sy_arena_destroy(arena);
}

static const char *const names[] = {"ddr4-3200-dramsim3", "ddr4-3200-ramulator2", "hbm2-2000-ramulator2",
                                    "lpddr5-6400-ramulator2", "hbm2-dramsim3"};

static uint32_t random_set(struct sy_dram_phase set[4])
{
    const uint32_t n = 1 + (uint32_t)random_below(4);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t row = random_below(3) ? UINT64_C(64) << random_below(9) : 64 * (1 + random_below(200));
        set[i] = (struct sy_dram_phase){.base = (uint64_t)i * (64 << 20) + random_below(64) * 4096,
                                        .rows = 1 + random_below(128),
                                        .row_bytes = row,
                                        .pitch_bytes = row * (1 + random_below(2) * random_below(16)),
                                        .is_write = random_below(3) == 0};
    }
    return n;
}

START_TEST(rates_do_not_depend_on_what_was_asked_before)
{
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *a = open_ctx(2, 0), *b = open_ctx(2, 0);
        struct sy_dram_phase set[12][4];
        struct sy_dram_rate first[12][4], again[4];
        uint32_t n[12];
        random_state = 0xABC + (uint64_t)d;
        for (int i = 0; i < 12; i++) {
            n[i] = random_set(set[i]);
            ck_assert_int_eq(sy_dram_rate(a, set[i], n[i], first[i]), SY_OK);
        }
        for (int i = 11; i >= 0; i--) {
            ck_assert_int_eq(sy_dram_rate(b, set[i], n[i], again), SY_OK);
            ck_assert_mem_eq(first[i], again, n[i] * sizeof again[0]);
            ck_assert_int_eq(sy_dram_rate(a, set[i], n[i], again), SY_OK); /* from memory */
            ck_assert_mem_eq(first[i], again, n[i] * sizeof again[0]);
        }
        uint64_t asked, simulated;
        sy_dram_ctx_statistics(a, &asked, &simulated);
        ck_assert_uint_eq(asked, 24);
        ck_assert_uint_le(simulated, 12);
        sy_dram_ctx_destroy(a);
        sy_dram_ctx_destroy(b);
    }
}
END_TEST

START_TEST(rates_respect_the_bus_and_the_caps)
{
    random_state = 0x1234;
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *ctx = open_ctx(1u << random_below(3), 0);
        const uint64_t peak = sy_dram_peak_bytes_per_s(ctx);
        for (int round = 0; round < 25; round++) {
            struct sy_dram_phase set[4];
            struct sy_dram_rate rate[4];
            const uint32_t n = random_set(set);
            for (uint32_t i = 0; i < n; i++)
                if (random_below(2))
                    set[i].max_bytes_per_s = peak / (2 + random_below(30));
            ck_assert_int_eq(sy_dram_rate(ctx, set, n, rate), SY_OK);
            uint64_t sum = 0;
            for (uint32_t i = 0; i < n; i++) {
                ck_assert_uint_ge(rate[i].bytes_per_s, 1);
                if (set[i].max_bytes_per_s)
                    ck_assert_uint_le(rate[i].bytes_per_s, set[i].max_bytes_per_s + set[i].max_bytes_per_s / 100);
                sum += rate[i].bytes_per_s;
                ck_assert_int_le(rate[i].per_million.activates, 1100000); /* beyond those of the addresses alone */
                ck_assert_int_ge(rate[i].per_million.activates, -1100000);
            }
            ck_assert_uint_le(sum, peak + peak / 50);
        }
        sy_dram_ctx_destroy(ctx);
    }
}
END_TEST

START_TEST(light_loads_get_what_they_ask_for)
{
    random_state = 0x77;
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *ctx = open_ctx(2, 0);
        const uint64_t peak = sy_dram_peak_bytes_per_s(ctx);
        struct sy_dram_phase set[3];
        struct sy_dram_rate rate[3];
        for (uint32_t i = 0; i < 3; i++)
            set[i] = (struct sy_dram_phase){.base = (uint64_t)i << 26,
                                            .rows = 1,
                                            .row_bytes = 1 << 20,
                                            .pitch_bytes = 1 << 20,
                                            .is_write = i == 2,
                                            .max_bytes_per_s = peak / (10 + 10 * i)};
        ck_assert_int_eq(sy_dram_rate(ctx, set, 3, rate), SY_OK);
        for (uint32_t i = 0; i < 3; i++)
            ck_assert_double_le(fabs((double)rate[i].bytes_per_s / (double)set[i].max_bytes_per_s - 1), 0.01);
        sy_dram_ctx_destroy(ctx);
    }
}
END_TEST

/* The estimate of a set against a long run of the same sources with every burst. */
static double measured_rate(struct sy_dram_set *set, uint32_t index)
{
    const double seconds = (double)(set->clock - set->memory->start) * (double)device->clock_fs * 1e-15;
    return (double)(set->feeder[index].accepted * device->org.burst_bytes) / seconds;
}

START_TEST(rates_are_those_of_a_long_run)
{
    double error = 0;
    uint32_t phases = 0;
    random_state = 0xC0FFEE;
    struct sy_dram_set *run = malloc(sizeof *run);
    struct sy_dram_source *source = calloc(4, sizeof *source);
    for (int round = 0; round < 40; round++) {
        open_device(names[round % 5]);
        const uint32_t channels = 1u << random_below(3);
        struct sy_dram_ctx *ctx = open_ctx(channels, 0);
        struct sy_dram_phase set[4];
        struct sy_dram_rate rate[4];
        const uint32_t n = random_set(set);
        ck_assert_int_eq(sy_dram_rate(ctx, set, n, rate), SY_OK);
        for (uint32_t i = 0; i < n; i++) {
            source[i] = (struct sy_dram_source){.streams = 1, .bursts = UINT64_MAX, .clocks_den = 1};
            struct sy_dram_stream *stream = &source[i].stream[0];
            const uint64_t pitch = set[i].rows > 1 ? set[i].pitch_bytes : set[i].row_bytes;
            *stream = (struct sy_dram_stream){
                .base = set[i].base, .run_bytes = set[i].row_bytes, .is_write = set[i].is_write};
            stream->loop[0] = (struct sy_dram_loop){set[i].rows, pitch};
            stream->loop[1] = (struct sy_dram_loop){UINT64_MAX, pitch * set[i].rows};
        }
        struct sy_dram_memory *memory;
        const struct sy_dram_options options = {.channels = channels};
        ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
        sy_dram_set_start(run, memory, source, n, (uint32_t)(256 / device->org.burst_bytes));
        ck_assert(sy_dram_set_feed(run, 30000 * channels));
        for (uint32_t i = 0; i < n; i++, phases++)
            error += fabs((double)rate[i].bytes_per_s / measured_rate(run, i) - 1);
        sy_dram_memory_destroy(memory);
        sy_dram_ctx_destroy(ctx);
    }
    free(source);
    free(run);
    ck_assert_msg(error / phases <= 0.05, "mean error %.3f over %u phases", error / phases, phases);
}
END_TEST

/* Phases lie in rows of their own: every one opens each of its rows, however far into the rotation it is ahead. */
START_TEST(phases_of_a_set_open_their_own_rows)
{
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *ctx = open_ctx(2, 0);
        const uint64_t rotation = sy_dram_rotation_bytes(ctx), rows = device->org.row_bytes / device->org.burst_bytes;
        for (uint64_t k = 1; k < 8; k++) {
            const uint64_t far = 8 * rotation, bytes = 1 << 24;
            struct sy_dram_phase set[3];
            struct sy_dram_rate rate[3];
            for (uint64_t i = 0; i < 3; i++)
                set[i] = (struct sy_dram_phase){.base = i * far + (i * k % 8) * rotation / 8,
                                                .rows = 1,
                                                .row_bytes = bytes,
                                                .pitch_bytes = bytes,
                                                .is_write = i == 1};
            ck_assert_int_eq(sy_dram_rate(ctx, set, 3, rate), SY_OK);
            ck_assert_msg((double)rate[0].per_million.activates >= 0.9e6 / (double)rows, "%s, %llu/8: %llu a million",
                          names[d], (unsigned long long)k, (unsigned long long)rate[0].per_million.activates);
        }
        sy_dram_ctx_destroy(ctx);
    }
}
END_TEST

START_TEST(folded_channels_answer_like_all_of_them)
{
    static const char *const devices[] = {"hbm2-2000-ramulator2", "ddr4-3200-dramsim3", "hbm3-6400-ramulator2"};
    for (int d = 0; d < 3; d++) {
        open_device(devices[d]);
        struct sy_dram_ctx *folded = open_ctx(16, 4), *whole = open_ctx(16, 16);
        double error = 0;
        for (int k = 0; k < 6; k++) {
            const uint64_t row = UINT64_C(16384) << k;
            const struct sy_dram_phase set[2] = {
                {.rows = 1, .row_bytes = row * 64, .pitch_bytes = row * 64},
                {.base = 1 << 26, .rows = 64, .row_bytes = row, .pitch_bytes = row * 2, .is_write = k & 1}};
            struct sy_dram_rate a[2], b[2];
            ck_assert_int_eq(sy_dram_rate(folded, set, 2, a), SY_OK);
            ck_assert_int_eq(sy_dram_rate(whole, set, 2, b), SY_OK);
            for (int i = 0; i < 2; i++)
                error += fabs((double)a[i].bytes_per_s / (double)b[i].bytes_per_s - 1) / 12;
        }
        ck_assert_msg(error <= 0.06, "%s: mean difference %.3f", devices[d], error);
        sy_dram_ctx_destroy(folded);
        sy_dram_ctx_destroy(whole);
    }
}
END_TEST

START_TEST(one_phase_sampled_is_near_one_phase_whole)
{
    random_state = 0x51;
    double error = 0;
    uint32_t count = 0;
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *ctx = open_ctx(1, 0);
        for (int round = 0; round < 20; round++) {
            struct sy_dram_phase set[4];
            struct sy_dram_run burst, sampled;
            (void)random_set(set);
            set[0].rows *= 1 + random_below(40);
            if (random_below(4) == 0)
                set[0].random_range = 64 << 20;
            ck_assert_int_eq(sy_dram_run_phase(ctx, &set[0], SY_DRAM_BURST, &burst), SY_OK);
            ck_assert_int_eq(sy_dram_run_phase(ctx, &set[0], SY_DRAM_SAMPLED, &sampled), SY_OK);
            ck_assert_uint_eq(burst.bursts, sampled.bursts);
            error += fabs((double)sampled.clocks / (double)burst.clocks - 1);
            count++;
        }
        sy_dram_ctx_destroy(ctx);
    }
    ck_assert_msg(error / count <= 0.01, "mean error %.4f", error / count);
}
END_TEST

START_TEST(a_phase_takes_at_least_its_bytes_and_its_first_latency)
{
    random_state = 0x99;
    for (int d = 0; d < 5; d++) {
        open_device(names[d]);
        struct sy_dram_ctx *ctx = open_ctx(2, 0);
        const double peak = (double)sy_dram_peak_bytes_per_s(ctx), clock = (double)sy_dram_clock_fs(ctx) * 1e-15;
        for (int round = 0; round < 60; round++) {
            struct sy_dram_phase set[4];
            struct sy_dram_run run;
            (void)random_set(set);
            set[0].is_write = false;
            set[0].base += random_below(64);
            ck_assert_int_eq(sy_dram_run_phase(ctx, &set[0], SY_DRAM_SAMPLED, &run), SY_OK);
            const double bytes = (double)(run.bursts * device->org.burst_bytes);
            ck_assert_double_ge(bytes, (double)(set[0].rows * set[0].row_bytes));
            ck_assert_double_ge((double)run.clocks * clock, bytes / peak);
            ck_assert_uint_ge(run.clocks * sy_dram_clock_fs(ctx), sy_dram_first_latency_fs(ctx));
        }
        sy_dram_ctx_destroy(ctx);
    }
}
END_TEST

START_TEST(wrong_questions_are_refused)
{
    open_device(names[0]);
    struct sy_dram_ctx *ctx = open_ctx(1, 0);
    struct sy_dram_rate rate[1];
    struct sy_dram_run run;
    const struct sy_dram_phase wrong[] = {
        {.rows = 0, .row_bytes = 64},
        {.rows = 1, .row_bytes = 0},
        {.rows = UINT64_C(1) << 40, .row_bytes = UINT64_C(1) << 40},
        {.rows = UINT64_C(1) << 40, .row_bytes = 64, .pitch_bytes = UINT64_C(1) << 40},
        {.rows = 2, .row_bytes = 64, .pitch_bytes = 4096, .random_range = 100}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(sy_dram_rate(ctx, &wrong[i], 1, rate), SY_USAGE);
        ck_assert_int_eq(sy_dram_run_phase(ctx, &wrong[i], SY_DRAM_SAMPLED, &run), SY_USAGE);
        ck_assert_int_eq(sy_dram_run_phase(ctx, &wrong[i], SY_DRAM_BURST, &run), SY_USAGE);
    }
    ck_assert_int_eq(sy_dram_rate(ctx, wrong, 0, rate), SY_USAGE);
    sy_dram_ctx_destroy(ctx);
    sy_dram_ctx_destroy(NULL);
}
END_TEST

/* ---- files ---- */
START_TEST(every_device_file_loads_and_names_its_sources)
{
    const char *const *list;
    uint32_t count;
    ck_assert_int_eq(sy_tree_list(arena, root(), "arch/dram", &list, &count), SY_OK);
    ck_assert_uint_ge(count, 17);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_diag diag = {0};
        ck_assert_msg(sy_dram_device_load(list[i], root(), arena, &device, &diag) == SY_OK, "%s", list[i]);
        ck_assert_str_eq(device->name, list[i]);
        ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, &diag), SY_OK);
        ck_assert_uint_eq(diag.errors + diag.warnings, 0);
        for (const struct sy_figure *figure = device->figures; figure; figure = figure->next)
            if (!figure->is_default && !figure->descriptive)
                ck_assert_msg(figure->source && figure->confidence, "%s: %s has no source", list[i], figure->path);
        struct sy_dram_ctx *ctx = open_ctx(4, 0);
        const struct sy_dram_phase stream = {.rows = 1, .row_bytes = 1 << 22, .pitch_bytes = 1 << 22};
        struct sy_dram_rate rate;
        ck_assert_int_eq(sy_dram_rate(ctx, &stream, 1, &rate), SY_OK);
        ck_assert_double_ge((double)rate.bytes_per_s, 0.45 * (double)sy_dram_peak_bytes_per_s(ctx));
        sy_dram_ctx_destroy(ctx);
    }
}
END_TEST

struct said {
    char text[2000];
};
static void hear(void *context, const struct sy_diag_msg *msg)
{
    struct said *said = context;
    char line[300];
    snprintf(line, sizeof line, "%u:%u %s%s%s\n", msg->where.line, msg->where.column, msg->message,
             msg->hint ? " | " : "", msg->hint ? msg->hint : "");
    strncat(said->text, line, sizeof said->text - strlen(said->text) - 1);
}

START_TEST(mistakes_in_a_device_are_reported_where_they_stand)
{
    char path[4096], *text, *edited;
    size_t length;
    snprintf(path, sizeof path, "%s/arch/dram/ddr4-3200-dramsim3.yaml", root());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    static const struct {
        const char *from, *to, *said;
    } edits[] = {
        {"tRP: 22 cycles", "tRP: 22", "tRP"},
        {"tRP: 22 cycles", "tRQ: 22 cycles", "tRQ"},
        {"tRP: 22 cycles", "tRP: -1 cycles", "tRP"},
        {"tRP: 22 cycles", "tRP: 22 cycles\n  tRP: 23 cycles", "tRP"},
        {"bankgroups: 4", "bankgroups: 3", "power of two"},
        {"bankgroups: 4\n  banks_per_group: 4", "bankgroups: 16\n  banks_per_group: 16", "banks a channel"},
        {"row: 8 KiB", "row: 8192", "row"},
        {"tRAS: 52 cycles", "tRAS: 520 cycles", "tRAS"},
        {"burst: 4 cycles", "burst: 0 cycles", "burst"},
        {"controller: dramsim3", "controller: nowhere", "nowhere"},
        {"0.63 ns", "0.63 GHz", "clock"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *at = strstr(text, edits[i].from);
        ck_assert_msg(at != NULL, "%s", edits[i].from);
        edited = malloc(length + 200);
        snprintf(edited, length + 200, "%.*s%s%s", (int)(at - text), text, edits[i].to, at + strlen(edits[i].from));
        struct said said = {{0}};
        struct sy_diag diag = {.fn = hear, .ctx = &said};
        struct sy_dram_device *made;
        const enum sy_status status =
            sy_dram_device_parse(edited, strlen(edited), "edited.yaml", root(), arena, &made, &diag);
        if (strcmp(edits[i].said, "nowhere")) {
            ck_assert_msg(status == SY_INPUT, "%s: %d", edits[i].to, (int)status);
            ck_assert_ptr_null(made);
            ck_assert_uint_ge(diag.errors, 1);
            ck_assert_msg(strstr(said.text, edits[i].said) != NULL, "%s: %s", edits[i].to, said.text);
        } else {
            ck_assert_int_ne(sy_dram_controller_load("nowhere", root(), arena, &controller, NULL), SY_OK);
        }
        free(edited);
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram_phase");
    TCase *phases = tcase_create("phases");
    tcase_set_timeout(phases, 120);
    tcase_add_checked_fixture(phases, setup, teardown);
    tcase_add_test(phases, rates_do_not_depend_on_what_was_asked_before);
    tcase_add_test(phases, rates_respect_the_bus_and_the_caps);
    tcase_add_test(phases, light_loads_get_what_they_ask_for);
    tcase_add_test(phases, rates_are_those_of_a_long_run);
    tcase_add_test(phases, phases_of_a_set_open_their_own_rows);
    tcase_add_test(phases, folded_channels_answer_like_all_of_them);
    tcase_add_test(phases, one_phase_sampled_is_near_one_phase_whole);
    tcase_add_test(phases, a_phase_takes_at_least_its_bytes_and_its_first_latency);
    tcase_add_test(phases, wrong_questions_are_refused);
    tcase_add_test(phases, every_device_file_loads_and_names_its_sources);
    tcase_add_test(phases, mistakes_in_a_device_are_reported_where_they_stand);
    suite_add_tcase(suite, phases);
    return run_suite(suite);
}
