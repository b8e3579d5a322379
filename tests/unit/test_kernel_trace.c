/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/kernel: value change dumps. The expected text was written by hand from
 * IEEE 1364 section 18.
 */
#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "sim/kernel/sck.h"
#include "tests/unit/run_support.h"

#define BACKENDS 2

static char folder[] = P_tmpdir "/systole_trace_XXXXXX";
static char path[sizeof folder + 16];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trace.vcd", folder);
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* also: no temporary file is left */
}

struct traced {
    struct sck_sim *sim;
    struct sck_event *event;
    struct sck_trace_var *busy, *tiles, *wide;
    unsigned calls;
};

/* Ticks 0, 10, 10 (second round), 25, 40. */
static enum sy_status traced_called(void *arg)
{
    struct traced *traced = arg;
    switch (traced->calls++) {
    case 0:
        ck_assert_int_eq(sck_trace_u64(traced->busy, 0), SY_OK);
        return sck_event_notify_at(traced->event, 10);
    case 1:
        ck_assert_int_eq(sck_trace_u64(traced->busy, 1), SY_OK);
        ck_assert_int_eq(sck_trace_u64(traced->tiles, 200), SY_OK);
        return sck_event_notify_delta(traced->event);
    case 2:
        ck_assert_int_eq(sck_trace_u64(traced->tiles, 5), SY_OK); /* the last of the tick counts */
        ck_assert_int_eq(sck_trace_u64(traced->tiles, 256), SY_USAGE);
        return sck_event_notify_at(traced->event, 25);
    case 3:
        ck_assert_int_eq(sck_trace_u64(traced->busy, 0), SY_OK);
        ck_assert_int_eq(sck_trace_u64(traced->busy, 1), SY_OK); /* back within the tick: no change */
        return sck_event_notify_at(traced->event, 40);
    default:
        ck_assert_int_eq(sck_trace_u64(traced->wide, UINT64_MAX), SY_OK);
        return sck_trace_u64(NULL, 1);
    }
}

static void build(struct traced *traced, int backend, uint64_t tick_fs)
{
    struct sck_config config = {.backend = (enum sck_backend)backend, .tick_fs = tick_fs};
    *traced = (struct traced){0};
    ck_assert_int_eq(sck_sim_create(&config, &traced->sim), SY_OK);
    ck_assert_int_eq(sck_event_create(traced->sim, "unit", &traced->event), SY_OK);
    struct sck_method_spec spec = {
        .fn = traced_called, .arg = traced, .events = &traced->event, .event_count = 1, .flags = SCK_RUN_AT_START};
    ck_assert_int_eq(sck_method_spawn(traced->sim, &spec, NULL), SY_OK);
    ck_assert_int_eq(sck_trace_open(traced->sim, path, NULL), SY_OK);
    ck_assert_int_eq(sck_trace_var(traced->sim, "chip.core0.array.busy", 1, &traced->busy), SY_OK);
    ck_assert_int_eq(sck_trace_var(traced->sim, "chip.dram", 64, &traced->wide), SY_OK);
    ck_assert_int_eq(sck_trace_var(traced->sim, "chip.core0.tiles", 8, &traced->tiles), SY_OK);
}

static const char expected[] = "$version Systole $end\n"
                               "$timescale 10 ps $end\n"
                               "$scope module chip $end\n"
                               "$scope module core0 $end\n"
                               "$scope module array $end\n"
                               "$var wire 1 ! busy $end\n"
                               "$upscope $end\n"
                               "$var wire 8 # tiles $end\n"
                               "$upscope $end\n"
                               "$var wire 64 \" dram $end\n"
                               "$upscope $end\n"
                               "$enddefinitions $end\n"
                               "#0\n"
                               "$dumpvars\n"
                               "x!\n"
                               "bx #\n"
                               "bx \"\n"
                               "$end\n"
                               "0!\n"
                               "#10\n"
                               "1!\n"
                               "b101 #\n"
                               "#40\n"
                               "b1111111111111111111111111111111111111111111111111111111111111111 \"\n"
                               "#50\n";

START_TEST(both_backends_write_the_same_dump)
{
    struct traced traced;
    char *text = NULL;
    size_t length;
    make_folder();
    build(&traced, _i, 10000);
    ck_assert_int_eq(sck_start(traced.sim, 20, NULL), SY_OK); /* a stop in between does not show */
    ck_assert_int_eq(sck_start(traced.sim, SCK_NEVER, NULL), SY_OK);
    sck_event_notify_at(traced.event, 60);
    ck_assert_int_eq(sck_start(traced.sim, 50, NULL), SY_OK);
    ck_assert_int_ne(access(path, F_OK), 0); /* appears only when complete */
    ck_assert_int_eq(sck_trace_close(traced.sim, NULL), SY_OK);
    ck_assert_int_eq(sck_trace_close(traced.sim, NULL), SY_OK);
    ck_assert_int_eq(sck_trace_u64(traced.busy, 0), SY_OK); /* after the end: nothing */
    sck_sim_destroy(traced.sim);
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_str_eq(text, expected);
    free(text);
    remove_folder();
}
END_TEST

START_TEST(a_destroyed_simulation_leaves_no_file)
{
    struct traced traced;
    make_folder();
    build(&traced, _i, 1);
    ck_assert_int_eq(sck_start(traced.sim, SCK_NEVER, NULL), SY_OK);
    sck_sim_destroy(traced.sim);
    remove_folder();
}
END_TEST

START_TEST(trace_errors_are_statuses)
{
    static const char *const bad_names[] = {"", ".a", "a.", "a..b", "a b", "a\n", "chip.dram"};
    struct traced traced;
    struct sck_trace_var *var = NULL;
    make_folder();
    build(&traced, _i, 1);
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++)
        ck_assert_int_eq(sck_trace_var(traced.sim, bad_names[i], 1, &var), SY_USAGE);
    ck_assert_int_eq(sck_trace_var(traced.sim, "w", 0, &var), SY_USAGE);
    ck_assert_int_eq(sck_trace_var(traced.sim, "w", 65, &var), SY_USAGE);
    ck_assert_ptr_null(var);
    ck_assert_int_eq(sck_trace_open(traced.sim, path, NULL), SY_STATE);
    ck_assert_int_eq(sck_start(traced.sim, 0, NULL), SY_OK);
    ck_assert_int_eq(sck_trace_var(traced.sim, "late", 1, &var), SY_STATE);
    sck_sim_destroy(traced.sim);

    struct sck_config config = {.backend = (enum sck_backend)_i};
    struct sck_sim *sim;
    ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
    ck_assert_int_eq(sck_trace_var(sim, "none", 1, &var), SY_STATE);
    ck_assert_int_eq(sck_trace_open(sim, "/nonexistent/folder/x.vcd", NULL), SY_IO);
    ck_assert_int_eq(sck_trace_close(sim, NULL), SY_OK);
    sck_sim_destroy(sim);
    remove_folder();
}
END_TEST

START_TEST(a_full_disk_is_an_error_at_close)
{
    struct sck_config config = {.backend = (enum sck_backend)_i};
    struct sck_sim *sim;
    struct sck_trace_var *var;
    struct stat status;
    if (stat("/dev/full", &status) != 0)
        return;
    ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
    int out = dup(1);
    fflush(stdout);
    ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
    ck_assert_int_eq(sck_trace_open(sim, "-", NULL), SY_OK);
    ck_assert_int_eq(sck_trace_var(sim, "v", 1, &var), SY_OK);
    enum sy_status closed = sck_trace_close(sim, NULL);
    dup2(out, 1);
    close(out);
    sck_sim_destroy(sim);
    ck_assert_int_eq(closed, SY_IO);
}
END_TEST

/* ---- a dump larger than one buffer, with codes longer than one character, read back by a small parser ---- */

enum { COUNT = 300, STEPS = 400 };

static uint64_t value_at(uint64_t step, int number)
{
    return step * (uint64_t)(number + 1) % 97;
}

static void write_large(int backend)
{
    static struct sck_trace_var *vars[COUNT];
    struct sck_config config = {.backend = (enum sck_backend)backend};
    struct sck_sim *sim;
    struct sck_event *event;
    ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
    ck_assert_int_eq(sck_event_create(sim, NULL, &event), SY_OK);
    ck_assert_int_eq(sck_trace_open(sim, path, NULL), SY_OK);
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "s%d.v%d", i % 7, i);
        if (sck_trace_var(sim, name, 32, &vars[i]) != SY_OK)
            ck_abort_msg("variable %d", i);
    }
    for (uint64_t step = 1; step <= STEPS; step++) {
        if (sck_event_notify_at(event, step) != SY_OK || sck_start(sim, step, NULL) != SY_OK)
            ck_abort_msg("step %" PRIu64, step);
        for (int i = 0; i < COUNT; i++)
            if (sck_trace_u64(vars[i], value_at(step, i)) != SY_OK)
                ck_abort_msg("value of %d", i);
    }
    ck_assert_int_eq(sck_trace_close(sim, NULL), SY_OK);
    sck_sim_destroy(sim);
}

struct dump {
    char codes[COUNT][8];
    uint64_t values[COUNT];
    uint64_t tick, wrong, changes;
};

static void read_line(struct dump *dump, const char *line)
{
    char code[8], bits[80];
    int number;
    if (sscanf(line, "$var wire 32 %7s v%d $end", code, &number) == 2)
        memcpy(dump->codes[number], code, sizeof code);
    if (line[0] == '#') {
        for (int i = 0; i < COUNT && dump->tick != 0; i++)
            dump->wrong += dump->values[i] != value_at(dump->tick, i);
        dump->tick = strtoull(line + 1, NULL, 10);
    }
    if (sscanf(line, "b%79[01] %7s", bits, code) == 2) {
        number = 0;
        while (number < COUNT && strcmp(dump->codes[number], code) != 0)
            number++;
        if (number == COUNT)
            ck_abort_msg("unknown code %s", code);
        dump->values[number] = strtoull(bits, NULL, 2);
        dump->changes++;
    }
}

START_TEST(many_variables_and_changes_read_back)
{
    static struct dump dump;
    char line[128];
    make_folder();
    write_large(_i);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        read_line(&dump, line);
    fclose(file);
    ck_assert_uint_eq(dump.tick, STEPS);
    ck_assert_uint_eq(dump.wrong, 0);
    ck_assert_uint_gt(dump.changes, COUNT * STEPS / 2);
    remove_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_trace");
    TCase *tc = tcase_create("both backends");
    tcase_add_loop_test(tc, both_backends_write_the_same_dump, 0, BACKENDS);
    tcase_add_loop_test(tc, a_destroyed_simulation_leaves_no_file, 0, BACKENDS);
    tcase_add_loop_test(tc, trace_errors_are_statuses, 0, BACKENDS);
    tcase_add_loop_test(tc, a_full_disk_is_an_error_at_close, 0, BACKENDS);
    tcase_add_loop_test(tc, many_variables_and_changes_read_back, 0, BACKENDS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
