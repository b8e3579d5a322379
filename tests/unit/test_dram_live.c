/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory a request at a time: the same requests through it and through a run of the whole source, burst by
 * burst; time cut in any way; its times against the device's own figures.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/dram_memory.h"
#include "sim/engine/dram_pattern.h"
#include "sim/include/systole.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

static uint64_t random_state = 88172645463325252u;
static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static struct systole_context context(void)
{
    struct systole_context made = SYSTOLE_OPTIONS_INIT(struct systole_context);
    made.data_dir = root();
    return made;
}

static struct systole_dram *open_dram(const char *device, uint64_t channels, uint32_t requests)
{
    const struct systole_context own = context();
    struct systole_dram_options options = SYSTOLE_OPTIONS_INIT(struct systole_dram_options);
    struct systole_dram *dram = NULL;
    options.device = device;
    options.channels = channels;
    options.requests = requests;
    ck_assert_int_eq(systole_dram_open(&own, NULL, &options, &dram), SYSTOLE_OK);
    return dram;
}

static enum systole_status submit(struct systole_dram *dram, uint64_t time_ps, uint64_t address, uint64_t bytes,
                                  bool write, uint64_t tag, uint64_t *accepted)
{
    struct systole_dram_request request = SYSTOLE_OPTIONS_INIT(struct systole_dram_request);
    request.time_ps = time_ps;
    request.address = address;
    request.bytes = bytes;
    request.write = write;
    request.tag = tag;
    return systole_dram_submit(dram, &request, accepted);
}

static bool take(struct systole_dram *dram, struct systole_dram_completion *done)
{
    *done = SYSTOLE_OPTIONS_INIT(struct systole_dram_completion);
    return systole_dram_take(dram, done);
}

/* ---- against the burst model ---- */
enum { BURSTS = 3000 };
struct reference {
    int64_t accepted[BURSTS], back[BURSTS];
    bool write[BURSTS];
    uint64_t address[BURSTS];
    struct sy_dram_run run;
    uint64_t clock_fs;
    int64_t start;
};

static void on_back(void *target, uint16_t source, int64_t clock)
{
    ((struct reference *)target)->back[source] = clock;
}

/* The same cursor and entrance as sy_dram_memory_run, with every burst numbered; checked against that run below. */
static void make_reference(const char *device_name, const char *pattern, uint32_t channels, struct reference *out)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    struct sy_dram_memory *memory;
    struct sy_dram_source source;
    struct sy_dram_cursor cursor;
    const struct sy_dram_options options = {.channels = channels};
    uint64_t burst;
    bool write;
    ck_assert_int_eq(sy_dram_device_load(device_name, root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_pattern(pattern, device->org.burst_bytes, BURSTS, &source, NULL), SY_OK);
    sy_dram_memory_run(memory, &source, &out->run);
    sy_dram_memory_reset(memory);
    struct sy_dram_returns returns = {.on_read = on_back, .context = out};
    for (uint32_t c = 0; c < channels; c++)
        memory->channel[c].returns = &returns;
    sy_dram_cursor_start(&cursor, &source, memory->map.burst_shift);
    int64_t clock = memory->start, end;
    for (uint16_t i = 0; sy_dram_cursor_next(&cursor, &burst, &write); i++) {
        const sy_dram_place place = sy_dram_map_decode(&memory->map, burst);
        const struct sy_dram_request request = {
            .row = sy_dram_place_row(place), .bank = (uint8_t)sy_dram_place_bank(place), .source = i, .write = write};
        clock = sy_dram_accept(&memory->channel[sy_dram_place_channel(place)], &request, clock);
        out->accepted[i] = out->back[i] = clock;
        out->write[i] = write;
        out->address[i] = burst << memory->map.burst_shift;
    }
    end = sy_dram_memory_drain(memory);
    ck_assert_uint_eq((uint64_t)((end > clock ? end : clock) - memory->start) + 1, out->run.clocks);
    out->clock_fs = device->clock_fs;
    out->start = memory->start;
    sy_dram_memory_destroy(memory);
    sy_arena_destroy(arena);
}

static uint64_t ps_of(const struct reference *reference, int64_t clock)
{
    return (uint64_t)(clock - reference->start) * reference->clock_fs / 1000;
}

static uint32_t take_all(struct systole_dram *dram, const struct reference *reference, uint64_t *last)
{
    struct systole_dram_completion done;
    uint32_t taken = 0;
    while (take(dram, &done)) {
        ck_assert_uint_ge(done.done_ps, *last);
        ck_assert_uint_eq(done.accepted_ps, ps_of(reference, reference->accepted[done.tag]));
        ck_assert_uint_eq(done.done_ps, ps_of(reference, reference->back[done.tag]));
        ck_assert_int_eq(done.write, reference->write[done.tag]);
        *last = done.done_ps;
        taken++;
    }
    return taken;
}

/* Requests offered as soon as the one before is accepted; in between, time moves on in the given way. */
static void compare(const char *device, const char *pattern, uint32_t channels, int how)
{
    static struct reference reference;
    uint64_t accepted = 0, last = 0;
    uint32_t taken = 0;
    make_reference(device, pattern, channels, &reference);
    struct systole_dram *dram = open_dram(device, channels, BURSTS);
    struct systole_dram_info info = SYSTOLE_OPTIONS_INIT(struct systole_dram_info);
    ck_assert_int_eq(systole_dram_describe(dram, &info), SYSTOLE_OK);
    for (uint32_t i = 0; i < BURSTS; i++) {
        ck_assert_int_eq(submit(dram, accepted, reference.address[i] + (how ? random_below(info.burst_bytes) : 0), 1,
                                reference.write[i], i, &accepted),
                         SYSTOLE_OK);
        ck_assert_uint_eq(accepted, ps_of(&reference, reference.accepted[i]));
        if (how == 1) /* in steps, to the acceptance */
            for (uint64_t at = 0; at < 3; at++)
                ck_assert_int_eq(systole_dram_advance(dram, accepted > 2 - at ? accepted - (2 - at) : 0), SYSTOLE_OK);
        if (how == 2 && random_below(5) == 0) { /* from wake to wake */
            for (uint64_t wake; (wake = systole_dram_wake(dram)) < accepted;) {
                ck_assert_int_eq(systole_dram_advance(dram, wake), SYSTOLE_OK);
                taken += take_all(dram, &reference, &last);
            }
        }
        if (how == 3) { /* a forecast leaves no trace */
            uint64_t done = 0;
            ck_assert_int_eq(systole_dram_last_done(dram, &done), SYSTOLE_OK);
            ck_assert_uint_ge(done, accepted);
        }
        if (how)
            taken += take_all(dram, &reference, &last);
    }
    ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
    taken += take_all(dram, &reference, &last);
    ck_assert_uint_eq(taken, BURSTS);
    ck_assert_uint_eq(systole_dram_wake(dram), UINT64_MAX);
    struct systole_dram_counts counts = SYSTOLE_OPTIONS_INIT(struct systole_dram_counts);
    ck_assert_int_eq(systole_dram_count(dram, &counts), SYSTOLE_OK);
    if (how == 0) {
        ck_assert_uint_eq(counts.activates, reference.run.counts.activates);
        ck_assert_uint_eq(counts.reads, reference.run.counts.reads);
    }
    systole_dram_free(dram);
}

static const char *const devices[] = {"ddr4-2400-dramsim3", "hbm2-dramsim3", "ddr4-3200-ramulator2",
                                      "lpddr5-6400-ramulator2"};
static const char *const patterns[] = {"seq_rd", "tile:4096", "rand_mix", "stride_wr:16384:256"};

START_TEST(every_burst_is_back_at_the_clock_of_a_run_of_the_whole_source)
{
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        compare(devices[_i], patterns[p], 1, 0);
        compare(devices[_i], patterns[p], 1, 1);
        compare(devices[_i], patterns[p], 2, 2);
        compare(devices[_i], patterns[p], 1, 3);
    }
}
END_TEST

/* ---- against the device ---- */
START_TEST(a_read_of_an_idle_memory_takes_activate_and_read_and_a_row_hit_the_read_alone)
{
    /* DDR4-2400: tRCD 17, CL 17, 4 clocks of data of 0.83 ns; the controller's own clocks beside them */
    struct systole_dram *dram = open_dram("ddr4-2400-dramsim3", 1, 0);
    struct systole_dram_info info = SYSTOLE_OPTIONS_INIT(struct systole_dram_info);
    struct systole_dram_completion done;
    uint64_t accepted = 0;
    ck_assert_int_eq(systole_dram_describe(dram, &info), SYSTOLE_OK);
    ck_assert_uint_eq(info.clock_fs, 830000);
    ck_assert_uint_eq(info.burst_bytes, 64);
    ck_assert_double_eq_tol(info.peak_bytes_per_s, 64 / (4 * 0.83e-9), 1);
    ck_assert_uint_ge(info.idle_read_ps, (17 + 17 + 4) * 830);
    ck_assert_uint_le(info.idle_read_ps, (17 + 17 + 4 + 3) * 830);
    ck_assert_int_eq(submit(dram, 100, 0, 64, false, 7, &accepted), SYSTOLE_OK);
    ck_assert_uint_eq(accepted, 830); /* the edge after it */
    ck_assert(!take(dram, &done));
    ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
    ck_assert(take(dram, &done));
    ck_assert_uint_eq(done.tag, 7);
    ck_assert_uint_eq(done.done_ps, accepted + info.idle_read_ps);
    ck_assert_int_eq(submit(dram, done.done_ps, 256, 64, false, 8, &accepted), SYSTOLE_OK); /* 4 groups on */
    ck_assert_uint_eq(accepted, done.done_ps); /* what was returned is an edge */
    ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
    ck_assert(take(dram, &done));
    ck_assert_uint_eq(done.done_ps - done.accepted_ps, info.idle_read_ps - 17 * 830);
    systole_dram_free(dram);
}
END_TEST

START_TEST(a_long_request_is_complete_with_its_last_burst)
{
    struct systole_dram *one = open_dram("ddr4-3200-dramsim3", 2, 0), *many = open_dram("ddr4-3200-dramsim3", 2, 0);
    struct systole_dram_completion whole, last = {0}, done;
    uint64_t accepted = 0, at = 0;
    ck_assert_int_eq(submit(one, 0, 100, 4096, false, 0, &at), SYSTOLE_OK); /* from 64 to 4224: 65 bursts */
    for (uint64_t b = 0; b < 65; b++)
        ck_assert_int_eq(submit(many, accepted, 64 + b * 64, 64, false, b, &accepted), SYSTOLE_OK);
    ck_assert_uint_eq(at, accepted);
    ck_assert_int_eq(systole_dram_drain(one), SYSTOLE_OK);
    ck_assert_int_eq(systole_dram_drain(many), SYSTOLE_OK);
    ck_assert(take(one, &whole));
    ck_assert(!take(one, &done));
    while (take(many, &done))
        last = done;
    ck_assert_uint_eq(whole.done_ps, last.done_ps);
    struct systole_dram_counts counts = SYSTOLE_OPTIONS_INIT(struct systole_dram_counts);
    ck_assert_int_eq(systole_dram_count(one, &counts), SYSTOLE_OK);
    ck_assert_uint_eq(counts.reads, 65);
    systole_dram_free(one);
    systole_dram_free(many);
}
END_TEST

/* A forecast is what happens when nothing else comes. */
START_TEST(a_forecast_holds_when_no_other_request_comes)
{
    for (int round = 0; round < 40; round++) {
        struct systole_dram *dram = open_dram(devices[round % 4], 1 + (uint64_t)(round % 3), 200);
        struct systole_dram_completion done;
        uint64_t accepted = 0, forecast = 0, actual = 0;
        const uint64_t requests = 1 + random_below(150);
        for (uint64_t r = 0; r < requests; r++)
            ck_assert_int_eq(submit(dram, accepted + random_below(2) * random_below(20000), random_below(1 << 22),
                                    1 + random_below(300), random_below(3) == 0, r, &accepted),
                             SYSTOLE_OK);
        ck_assert_int_eq(systole_dram_last_done(dram, &forecast), SYSTOLE_OK);
        ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
        while (take(dram, &done))
            actual = done.tag == requests - 1 ? done.done_ps : actual;
        ck_assert_uint_eq(forecast, actual);
        systole_dram_free(dram);
    }
}
END_TEST

/* ---- the contract ---- */
START_TEST(what_cannot_be_done_is_refused_and_changes_nothing)
{
    const struct systole_context own = context();
    struct systole_dram_options options = SYSTOLE_OPTIONS_INIT(struct systole_dram_options);
    struct systole_dram *none = NULL;
    uint64_t accepted = 0;
    ck_assert_int_eq(systole_dram_open(&own, NULL, &options, &none), SYSTOLE_USAGE);
    options.device = "no-such-device";
    ck_assert_int_ne(systole_dram_open(&own, NULL, &options, &none), SYSTOLE_OK);
    options.device = devices[0];
    options.address_map = "row bank";
    ck_assert_int_eq(systole_dram_open(&own, NULL, &options, &none), SYSTOLE_INPUT);
    options.address_map = NULL;
    options.channels = 1000;
    ck_assert_int_eq(systole_dram_open(&own, NULL, &options, &none), SYSTOLE_INPUT);
    options.channels = 1;
    options.requests = 1u << 21;
    ck_assert_int_eq(systole_dram_open(&own, NULL, &options, &none), SYSTOLE_USAGE);
    ck_assert_ptr_null(none);

    struct systole_dram *dram = open_dram(devices[0], 1, 2);
    struct systole_dram_completion done;
    ck_assert_int_eq(systole_dram_last_done(dram, &accepted), SYSTOLE_STATE);
    ck_assert_int_eq(submit(dram, 0, 0, 0, false, 0, &accepted), SYSTOLE_USAGE);
    ck_assert_int_eq(submit(dram, 0, 0, (1 << 20) + 1, false, 0, &accepted), SYSTOLE_USAGE);
    ck_assert_int_eq(submit(dram, 0, UINT64_MAX, 64, false, 0, &accepted), SYSTOLE_OVERFLOW);
    ck_assert_int_eq(submit(dram, UINT64_MAX, 0, 64, false, 0, &accepted), SYSTOLE_OVERFLOW);
    ck_assert_int_eq(systole_dram_advance(dram, UINT64_MAX), SYSTOLE_OVERFLOW);
    ck_assert_uint_eq(systole_dram_wake(dram), UINT64_MAX);
    ck_assert_int_eq(systole_dram_advance(dram, 50000), SYSTOLE_OK);
    ck_assert_int_eq(submit(dram, 49000, 0, 64, false, 0, &accepted), SYSTOLE_STATE);
    ck_assert_int_eq(submit(dram, 50000, 0, 64, false, 1, &accepted), SYSTOLE_OK);
    ck_assert_int_eq(submit(dram, 50000, 0, 64, true, 2, &accepted), SYSTOLE_OK);
    ck_assert_int_eq(submit(dram, 50000, 0, 64, true, 3, &accepted), SYSTOLE_STATE); /* two are out */
    ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
    ck_assert_int_eq(submit(dram, 60000000, 0, 64, false, 4, &accepted), SYSTOLE_STATE); /* and not taken */
    ck_assert(take(dram, &done));
    ck_assert_uint_eq(done.tag, 2); /* a write is complete when it is accepted */
    ck_assert(take(dram, &done));
    ck_assert_uint_eq(done.tag, 1);
    ck_assert(!take(dram, &done));
    ck_assert_int_eq(submit(dram, 60000000, 0, 64, false, 5, &accepted), SYSTOLE_OK);
    systole_dram_free(dram);
    systole_dram_free(NULL);
}
END_TEST

START_TEST(a_chip_gives_its_level_and_options_lie_over_it)
{
    const struct systole_context own = context();
    struct systole_dram_options options = SYSTOLE_OPTIONS_INIT(struct systole_dram_options);
    struct systole_dram_info info = SYSTOLE_OPTIONS_INIT(struct systole_dram_info);
    struct systole_chip *chip = NULL;
    struct systole_dram *dram = NULL;
    ck_assert_int_eq(systole_chip_load(&own, "gemmini", NULL, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_dram_open(&own, chip, NULL, &dram), SYSTOLE_OK);
    ck_assert_int_eq(systole_dram_describe(dram, &info), SYSTOLE_OK);
    ck_assert_str_eq(info.device, "ddr4-2400-dramsim3");
    systole_dram_free(dram);
    options.channels = 4;
    options.controller = "ramulator2";
    ck_assert_int_eq(systole_dram_open(&own, chip, &options, &dram), SYSTOLE_OK);
    ck_assert_int_eq(systole_dram_describe(dram, &info), SYSTOLE_OK);
    ck_assert_uint_eq(info.channels, 4);
    ck_assert_str_eq(info.device, "ddr4-2400-dramsim3");
    ck_assert_str_eq(info.controller, "ramulator2");
    systole_dram_free(dram);
    options.level = "nowhere";
    ck_assert_int_eq(systole_dram_open(&own, chip, &options, &dram), SYSTOLE_INPUT);
    systole_chip_free(chip);
}
END_TEST

/* Requests that nobody waits for never run out. */
START_TEST(forgotten_requests_need_no_taking)
{
    struct systole_dram *dram = open_dram(devices[0], 1, 1);
    struct systole_dram_request request = SYSTOLE_OPTIONS_INIT(struct systole_dram_request);
    struct systole_dram_completion done;
    uint64_t accepted = 0;
    request.bytes = 64;
    request.forget = 1;
    for (uint64_t r = 0; r < 5000; r++) {
        request.address = random_below(1 << 26);
        request.write = random_below(2) == 0;
        ck_assert_int_eq(systole_dram_submit(dram, &request, &accepted), SYSTOLE_OK);
    }
    ck_assert_int_eq(submit(dram, 0, 0, 64, false, 9, &accepted), SYSTOLE_OK);
    ck_assert_int_eq(systole_dram_drain(dram), SYSTOLE_OK);
    ck_assert(take(dram, &done));
    ck_assert_uint_eq(done.tag, 9);
    ck_assert(!take(dram, &done));
    systole_dram_free(dram);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_burst_is_back_at_the_clock_of_a_run_of_the_whole_source, 0,
                        sizeof devices / sizeof devices[0]);
    tcase_add_test(tests, a_read_of_an_idle_memory_takes_activate_and_read_and_a_row_hit_the_read_alone);
    tcase_add_test(tests, a_long_request_is_complete_with_its_last_burst);
    tcase_add_test(tests, a_forecast_holds_when_no_other_request_comes);
    tcase_add_test(tests, what_cannot_be_done_is_refused_and_changes_nothing);
    tcase_add_test(tests, a_chip_gives_its_level_and_options_lie_over_it);
    tcase_add_test(tests, forgotten_requests_need_no_taking);
    return run_case("dram_live", tests);
}
