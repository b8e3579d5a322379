/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/kernel: the promises of sck.h one by one, each on both backends.
 */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "sim/kernel/sck.h"
#include "tests/unit/run_support.h"

#define BACKENDS 2 /* loop tests: _i is the backend */

static struct sck_sim *new_sim(int backend)
{
    struct sck_config config = {.backend = (enum sck_backend)backend};
    struct sck_sim *sim = NULL;
    ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
    return sim;
}

static struct sck_event *new_event(struct sck_sim *sim)
{
    struct sck_event *event = NULL;
    ck_assert_int_eq(sck_event_create(sim, "event", &event), SY_OK);
    return event;
}

/* Called on event; at the first start when event is NULL. */
static void spawn(struct sck_sim *sim, sck_method_fn fn, void *arg, uint32_t priority, struct sck_event *event)
{
    struct sck_method_spec spec = {.name = "unit",
                                   .fn = fn,
                                   .arg = arg,
                                   .priority = priority,
                                   .flags = event ? 0 : SCK_RUN_AT_START,
                                   .events = &event,
                                   .event_count = event != NULL};
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_OK);
}

/* A unit that writes its letter down and then does what `then` says. */
struct unit {
    struct sck_sim *sim;
    char letter;
    char *log; /* shared; "A@5 " a call */
    enum sy_status (*then)(struct unit *unit);
    struct sck_event *own, *other;
    unsigned calls;
};

static enum sy_status unit_called(void *arg)
{
    struct unit *unit = arg;
    sprintf(unit->log + strlen(unit->log), "%c@%" PRIu64 " ", unit->letter, sck_time(unit->sim));
    unit->calls++;
    return unit->then ? unit->then(unit) : SY_OK;
}

static struct unit new_unit(struct sck_sim *sim, char letter, char *log)
{
    return (struct unit){.sim = sim, .letter = letter, .log = log, .own = new_event(sim)};
}

static void check_start(struct sck_sim *sim, uint64_t limit, enum sck_reason reason, uint64_t end_tick)
{
    struct sck_outcome outcome;
    ck_assert_int_eq(sck_start(sim, limit, &outcome), SY_OK);
    ck_assert_int_eq(outcome.reason, reason);
    ck_assert_uint_eq(outcome.end_tick, end_tick);
    ck_assert_uint_eq(sck_time(sim), end_tick);
}

/* ---- order and notifications ---- */

START_TEST(methods_ready_at_one_tick_are_called_by_priority_then_spawn_order)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit units[5];
    static const uint32_t priority[5] = {2, 0, 1, 0, UINT32_MAX};
    for (int i = 0; i < 5; i++) {
        units[i] = new_unit(sim, (char)('A' + i), log);
        spawn(sim, unit_called, &units[i], priority[i], units[i].own);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(sck_event_notify_at(units[i].own, 7), SY_OK);
    check_start(sim, SCK_NEVER, SCK_IDLE, 7);
    ck_assert_str_eq(log, "B@7 D@7 C@7 A@7 E@7 ");
    sck_sim_destroy(sim);
}
END_TEST

START_TEST(an_event_keeps_the_earliest_notification)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log), c = new_unit(sim, 'C', log);
    spawn(sim, unit_called, &a, 0, a.own);
    spawn(sim, unit_called, &b, 0, b.own);
    spawn(sim, unit_called, &c, 0, c.own);
    sck_event_notify_at(a.own, 20);
    sck_event_notify_at(a.own, 10); /* earlier: replaces */
    sck_event_notify_at(a.own, 30); /* later: dropped */
    sck_event_notify_at(b.own, 5);
    sck_event_notify_delta(b.own); /* a delta is the earliest */
    sck_event_notify_at(b.own, 6);
    sck_event_notify_at(c.own, 8);
    sck_event_cancel(c.own);
    sck_event_notify_at(c.own, 40); /* free again */
    check_start(sim, SCK_NEVER, SCK_IDLE, 40);
    ck_assert_str_eq(log, "B@0 A@10 C@40 ");
    sck_sim_destroy(sim);
}
END_TEST

static enum sy_status notify_at_present(struct unit *unit)
{
    return unit->calls < 3 ? sck_event_notify_at(unit->own, sck_time(unit->sim)) : SY_OK;
}

START_TEST(notifying_at_the_present_tick_is_the_next_round)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log);
    a.then = notify_at_present;
    spawn(sim, unit_called, &a, 0, a.own);
    spawn(sim, unit_called, &b, 1, b.own);
    sck_event_notify_at(a.own, 3);
    sck_event_notify_at(b.own, 3);
    struct sck_outcome outcome;
    ck_assert_int_eq(sck_start(sim, SCK_NEVER, &outcome), SY_OK);
    ck_assert_str_eq(log, "A@3 B@3 A@3 A@3 ");
    ck_assert_uint_eq(outcome.rounds, 3);
    ck_assert_uint_eq(outcome.calls, 4);
    sck_sim_destroy(sim);
}
END_TEST

static enum sy_status cancel_other(struct unit *unit)
{
    return sck_event_cancel(unit->other);
}

START_TEST(cancel_does_not_undo_what_came_true)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log), c = new_unit(sim, 'C', log);
    a.then = cancel_other;
    a.other = b.own;
    c.then = cancel_other;
    c.other = a.own;
    spawn(sim, unit_called, &a, 0, a.own);
    spawn(sim, unit_called, &b, 1, b.own);
    spawn(sim, unit_called, &c, 2, c.own);
    sck_event_notify_at(a.own, 5);
    sck_event_notify_at(b.own, 5); /* true at 5 as well: A is too late */
    sck_event_notify_at(c.own, 6);
    ck_assert_int_eq(sck_event_cancel(c.own), SY_OK);
    ck_assert_int_eq(sck_event_cancel(c.own), SY_OK);
    check_start(sim, SCK_NEVER, SCK_IDLE, 5);
    ck_assert_str_eq(log, "A@5 B@5 ");
    sck_sim_destroy(sim);
}
END_TEST

START_TEST(a_method_of_several_events_is_called_once_a_round)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log);
    struct sck_event *events[3] = {a.own, new_event(sim), a.own};
    struct sck_method_spec spec = {
        .fn = unit_called, .arg = &a, .events = events, .event_count = 3, .flags = SCK_RUN_AT_START};
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_OK);
    sck_event_notify_delta(events[0]); /* joins the round at the start */
    check_start(sim, SCK_NEVER, SCK_IDLE, 0);
    sck_event_notify_at(events[0], 4);
    sck_event_notify_at(events[1], 4);
    check_start(sim, SCK_NEVER, SCK_IDLE, 4);
    sck_event_notify_at(events[1], 9);
    check_start(sim, SCK_NEVER, SCK_IDLE, 9);
    ck_assert_str_eq(log, "A@0 A@4 A@9 ");
    sck_sim_destroy(sim);
}
END_TEST

START_TEST(an_event_without_methods_moves_time_only)
{
    struct sck_sim *sim = new_sim(_i);
    struct sck_event *event = new_event(sim);
    check_start(sim, SCK_NEVER, SCK_IDLE, 0); /* nothing at all */
    sck_event_notify_at(event, 11);
    check_start(sim, SCK_NEVER, SCK_IDLE, 11);
    sck_sim_destroy(sim);
}
END_TEST

/* ---- limit, pause, failure ---- */

START_TEST(the_limit_is_inclusive_and_time_stands_there)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log);
    a.then = notify_at_present; /* three rounds at one tick */
    spawn(sim, unit_called, &a, 0, a.own);
    spawn(sim, unit_called, &b, 0, b.own);
    sck_event_notify_at(a.own, 100);
    sck_event_notify_at(b.own, 101);
    check_start(sim, 0, SCK_LIMIT, 0);
    check_start(sim, 99, SCK_LIMIT, 99);
    ck_assert_str_eq(log, "");
    check_start(sim, 100, SCK_LIMIT, 100);
    ck_assert_str_eq(log, "A@100 A@100 A@100 ");
    check_start(sim, 100, SCK_LIMIT, 100);
    ck_assert_int_eq(sck_start(sim, 99, NULL), SY_USAGE);
    ck_assert_str_eq(sck_last_error(sim), "the limit is tick 99, but it is 100 already");
    ck_assert_int_eq(sck_event_notify_at(b.own, 99), SY_USAGE);
    ck_assert_str_eq(sck_last_error(sim), "notified for tick 99, but it is 100 already");
    check_start(sim, 500, SCK_IDLE, 101);
    ck_assert_str_eq(log, "A@100 A@100 A@100 B@101 ");
    sck_sim_destroy(sim);
}
END_TEST

static enum sy_status pause_and_notify_other(struct unit *unit)
{
    ck_assert_int_eq(sck_event_notify_delta(unit->other), SY_OK);
    return unit->calls == 1 ? sck_pause(unit->sim) : SY_OK;
}

START_TEST(a_pause_ends_the_round_and_the_next_start_goes_on)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log), c = new_unit(sim, 'C', log),
                d = new_unit(sim, 'D', log);
    a.then = pause_and_notify_other;
    a.other = c.own;
    spawn(sim, unit_called, &a, 0, a.own);
    spawn(sim, unit_called, &b, 1, b.own);
    spawn(sim, unit_called, &c, 2, c.own);
    spawn(sim, unit_called, &d, 1, d.own);
    ck_assert_int_eq(sck_pause(sim), SY_STATE);
    sck_event_notify_at(a.own, 8);
    sck_event_notify_at(b.own, 8);
    check_start(sim, SCK_NEVER, SCK_PAUSED, 8);
    ck_assert_str_eq(log, "A@8 B@8 ");
    sck_event_cancel(c.own);       /* has come true: not undone */
    sck_event_notify_delta(d.own); /* joins the coming round */
    check_start(sim, SCK_NEVER, SCK_IDLE, 8);
    ck_assert_str_eq(log, "A@8 B@8 D@8 C@8 ");
    sck_sim_destroy(sim);
}
END_TEST

static enum sy_status fail_with_text(struct unit *unit)
{
    sck_fail(unit->sim, SY_INPUT, "tile %d does not fit", 17);
    sck_fail(unit->sim, SY_IO, "a second failure does not count");
    ck_assert_int_eq(sck_event_notify_delta(unit->own), SY_STATE);
    return SY_OK;
}
static enum sy_status fail_by_return(struct unit *unit)
{
    (void)unit;
    return SY_OVERFLOW;
}
static enum sy_status fail_in_kernel(struct unit *unit)
{
    return sck_event_notify_at(unit->own, 1);
}

START_TEST(a_failing_method_ends_the_start_with_its_status_and_text)
{
    static const struct {
        enum sy_status (*then)(struct unit *unit);
        enum sy_status status;
        const char *text;
    } rows[] = {
        {fail_with_text, SY_INPUT, "tile 17 does not fit"},
        {fail_by_return, SY_OVERFLOW, "method unit failed: a figure does not fit 64 bits"},
        {fail_in_kernel, SY_USAGE, "notified for tick 1, but it is 5 already"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct sck_sim *sim = new_sim(_i);
        char log[256] = "";
        struct unit a = new_unit(sim, 'A', log), b = new_unit(sim, 'B', log);
        a.then = rows[row].then;
        spawn(sim, unit_called, &a, 0, a.own);
        spawn(sim, unit_called, &b, 1, b.own);
        sck_event_notify_at(a.own, 5);
        sck_event_notify_at(b.own, 5);
        struct sck_outcome outcome;
        ck_assert_int_eq(sck_start(sim, SCK_NEVER, &outcome), rows[row].status);
        ck_assert_int_eq(outcome.reason, SCK_FAILED);
        ck_assert_uint_eq(outcome.end_tick, 5);
        ck_assert_str_eq(log, "A@5 "); /* the rest of the round is skipped */
        ck_assert_int_eq(sck_start(sim, SCK_NEVER, NULL), SY_STATE);
        ck_assert_int_eq(sck_event_notify_at(b.own, 9), SY_STATE);
        ck_assert_int_eq(sck_event_notify_delta(b.own), SY_STATE);
        ck_assert_int_eq(sck_event_cancel(b.own), SY_STATE);
        ck_assert_str_eq(sck_last_error(sim), rows[row].text);
        sck_sim_destroy(sim);
        check_start(sim = new_sim(_i), SCK_NEVER, SCK_IDLE, 0); /* a fresh one works */
        sck_sim_destroy(sim);
    }
}
END_TEST

static enum sy_status notify_forever(struct unit *unit)
{
    return sck_event_notify_delta(unit->own);
}

START_TEST(an_endless_loop_of_deltas_is_an_error)
{
    struct sck_config config = {.backend = (enum sck_backend)_i, .max_rounds_per_tick = 10};
    struct sck_sim *sim;
    ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log);
    a.then = notify_forever;
    spawn(sim, unit_called, &a, 0, a.own);
    sck_event_notify_at(a.own, 2);
    ck_assert_int_eq(sck_start(sim, SCK_NEVER, NULL), SY_INTERNAL);
    ck_assert_str_eq(sck_last_error(sim), "more than 10 rounds at tick 2: an endless loop of delta notifications");
    ck_assert_uint_eq(a.calls, 10);
    sck_sim_destroy(sim);
}
END_TEST

static enum sy_status use_running(struct unit *unit)
{
    struct sck_event *event = NULL;
    ck_assert_int_eq(sck_start(unit->sim, SCK_NEVER, NULL), SY_STATE);
    ck_assert_int_eq(sck_event_create(unit->sim, "late", &event), SY_STATE);
    ck_assert_ptr_null(event);
    sck_sim_destroy(unit->sim); /* does nothing */
    return SY_OK;
}

START_TEST(misuse_is_a_status)
{
    struct sck_sim *sim = new_sim(_i), *other = new_sim(SCK_HEAP), *none = NULL;
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log);
    a.then = use_running;
    struct sck_event *foreign = new_event(other);
    struct sck_method_spec spec = {.fn = unit_called, .arg = &a};
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_USAGE); /* would never be called */
    spec.flags = 2;
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_USAGE);
    spec.flags = 0;
    spec.event_count = 1;
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_USAGE);
    spec.events = &foreign;
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_USAGE);
    spec.events = &a.own;
    spec.fn = NULL;
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_USAGE);
    ck_assert_int_eq(sck_event_create(sim, "x", NULL), SY_USAGE);
    ck_assert_int_eq(sck_event_create(NULL, "x", &foreign), SY_USAGE);
    ck_assert_int_eq(sck_event_notify_at(NULL, 1), SY_USAGE);
    ck_assert_int_eq(sck_event_notify_delta(NULL), SY_USAGE);
    ck_assert_int_eq(sck_event_cancel(NULL), SY_USAGE);
    ck_assert_int_eq(sck_fail(sim, SY_INPUT, "outside"), SY_STATE);
    ck_assert_int_eq(sck_start(NULL, 0, NULL), SY_USAGE);
    ck_assert_int_eq(sck_sim_create(&(struct sck_config){.tick_fs = 7}, &none), SY_USAGE);
    ck_assert_int_eq(sck_sim_create(&(struct sck_config){.backend = (enum sck_backend)9}, &none), SY_USAGE);
    ck_assert_int_eq(sck_sim_create(NULL, NULL), SY_USAGE);
    ck_assert_ptr_null(none);
    spawn(sim, unit_called, &a, 0, a.own);
    sck_event_notify_delta(a.own);
    check_start(sim, SCK_NEVER, SCK_IDLE, 0);
    ck_assert_str_eq(log, "A@0 ");
    spec.fn = unit_called;
    ck_assert_int_eq(sck_method_spawn(sim, &spec, NULL), SY_STATE);
    sck_sim_destroy(sim);
    sck_sim_destroy(other);
    sck_sim_destroy(NULL);
}
END_TEST

START_TEST(one_systemc_simulation_lives_at_a_time_heap_ones_as_many_as_you_like)
{
    struct sck_sim *first = new_sim(SCK_SYSTEMC), *second = NULL, *heaps[8];
    struct sck_config config = {.backend = SCK_SYSTEMC};
    for (int i = 0; i < 8; i++)
        heaps[i] = new_sim(SCK_HEAP);
    ck_assert_int_eq(sck_sim_create(&config, &second), SY_STATE);
    ck_assert_ptr_null(second);
    check_start(first, SCK_NEVER, SCK_IDLE, 0);
    sck_sim_destroy(first);
    ck_assert_int_eq(sck_sim_create(&config, &second), SY_OK);
    sck_sim_destroy(second);
    for (int i = 0; i < 8; i++)
        sck_sim_destroy(heaps[i]);
}
END_TEST

/* ---- range of time ---- */

START_TEST(the_whole_range_of_time_is_usable_and_nothing_wraps)
{
    struct sck_sim *sim = new_sim(_i);
    char log[256] = "";
    struct unit a = new_unit(sim, 'A', log);
    const struct sck_clock *clock = NULL;
    uint64_t tick;
    spawn(sim, unit_called, &a, 0, a.own);
    ck_assert_int_eq(sck_clock_domain(sim, "array", 700000000, 1, &clock), SY_OK);
    ck_assert_int_eq(sck_event_notify_at(a.own, SCK_NEVER), SY_OVERFLOW);
    ck_assert_int_eq(sck_event_notify_cycle(a.own, clock, UINT64_MAX), SY_OVERFLOW);
    uint64_t last = sck_cycle(clock, SCK_NEVER - 1);
    ck_assert_int_eq(sck_edge(clock, last, &tick), SY_OK);
    ck_assert_int_eq(sck_edge(clock, last + 1, &tick), SY_OVERFLOW);
    ck_assert_int_eq(sck_event_notify_cycle(a.own, clock, last), SY_OK);
    check_start(sim, SCK_NEVER, SCK_IDLE, tick);
    sck_event_notify_at(a.own, SCK_NEVER - 1);
    check_start(sim, SCK_NEVER, SCK_IDLE, SCK_NEVER - 1);
    ck_assert_uint_eq(a.calls, 2);
    sck_sim_destroy(sim);
}
END_TEST

START_TEST(a_coarser_tick_reaches_further)
{
    for (uint64_t tick_fs = 1; tick_fs <= 1000000000000000; tick_fs *= 10) {
        struct sck_config config = {.backend = (enum sck_backend)_i, .tick_fs = tick_fs};
        struct sck_sim *sim;
        ck_assert_int_eq(sck_sim_create(&config, &sim), SY_OK);
        ck_assert_uint_eq(sck_tick_fs(sim), tick_fs);
        const struct sck_clock *clock = NULL;
        char log[256] = "";
        struct unit a = new_unit(sim, 'A', log);
        spawn(sim, unit_called, &a, 0, a.own);
        ck_assert_int_eq(sck_clock_domain(sim, "one per kilosecond", 1, 1000, &clock), SY_OK);
        ck_assert_int_eq(sck_event_notify_cycle(a.own, clock, 18), SY_OK);
        check_start(sim, SCK_NEVER, SCK_IDLE, 18000 * (UINT64_C(1000000000000000) / tick_fs));
        ck_assert_int_eq(sck_event_notify_cycle(a.own, clock, 19), tick_fs == 1 ? SY_OVERFLOW : SY_OK);
        sck_sim_destroy(sim);
    }
}
END_TEST

/* ---- clocks ---- */

START_TEST(clock_errors_say_what_to_do)
{
    struct sck_sim *sim = new_sim(_i);
    const struct sck_clock *clock = NULL;
    ck_assert_int_eq(sck_clock_domain(sim, "array", 0, 1, &clock), SY_USAGE);
    ck_assert_int_eq(sck_clock_domain(sim, "array", 1, 0, &clock), SY_USAGE);
    ck_assert_int_eq(sck_clock_domain(sim, NULL, 1, 1, &clock), SY_USAGE);
    ck_assert_int_eq(sck_clock_domain(sim, "array", 1000000000000001, 1, &clock), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sck_last_error(sim), "clock array: a cycle is shorter than the tick of 1 fs"));
    ck_assert_int_eq(sck_clock_domain(sim, "array", 1, 18447, &clock), SY_OVERFLOW);
    ck_assert_int_eq(sck_clock_domain(sim, "array", 1000000000000000, 1, &clock), SY_OK);
    uint64_t tick = 0; /* one tick a cycle: the last edge is the last tick */
    ck_assert_int_eq(sck_edge(clock, SCK_NEVER - 1, &tick), SY_OK);
    ck_assert_uint_eq(tick, SCK_NEVER - 1);
    ck_assert_int_eq(sck_edge(clock, SCK_NEVER, &tick), SY_OVERFLOW);
    struct sck_clock coarse;
    ck_assert_int_eq(sck_clock_init(&coarse, 1, 1, 1000), SY_OK);
    ck_assert_int_eq(sck_event_notify_cycle(new_event(sim), &coarse, 1), SY_USAGE);
    ck_assert_int_eq(sck_clock_init(&coarse, 1, 1, 20), SY_USAGE);
    ck_assert_int_eq(sck_clock_init(&coarse, 1, 1, 0), SY_USAGE);
    sck_sim_destroy(sim);
}
END_TEST

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct wide {
    sy_u128 high; /* times 2^64 */
    uint64_t low;
};

static struct wide wide_product(sy_u128 a, uint64_t b)
{
    sy_u128 low = (sy_u128)(uint64_t)a * b;
    return (struct wide){.high = (a >> 64) * b + (low >> 64), .low = (uint64_t)low};
}

static bool wide_less(struct wide a, struct wide b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* The three checks below use the definitions, with 192-bit products: edge(n) = t
 * is t - 1 < n P / Q <= t, cycle(t) = n is n P / Q <= t < (n + 1) P / Q. */
static sy_u128 period_p(const struct sck_clock *clock)
{
    return (sy_u128)1000000000000000u * clock->den;
}

static bool edge_is_exact(const struct sck_clock *clock, uint64_t n, uint64_t *overflows)
{
    uint64_t q = clock->num_hz, tick = 0;
    struct wide at = wide_product(period_p(clock), n);
    enum sy_status status = sck_edge(clock, n, &tick);
    if (wide_less(wide_product(q, SCK_NEVER - 1), at)) {
        ++*overflows;
        return status == SY_OVERFLOW;
    }
    return status == SY_OK && !wide_less(wide_product(q, tick), at) &&
           (tick == 0 || wide_less(wide_product(q, tick - 1), at));
}

static bool cycle_is_exact(const struct sck_clock *clock, uint64_t t)
{
    uint64_t cycle = sck_cycle(clock, t);
    struct wide at = wide_product(clock->num_hz, t);
    return !wide_less(at, wide_product(period_p(clock), cycle)) &&
           (cycle == UINT64_MAX || wide_less(at, wide_product(period_p(clock), cycle + 1)));
}

static bool next_edge_is_exact(const struct sck_clock *clock, uint64_t t)
{
    uint64_t next = 0, edge = 0, again = 0, before = 0;
    enum sy_status status = sck_next_edge(clock, t, &next, &edge);
    if (status != sck_edge(clock, next, &again) || (status == SY_OK && (edge != again || edge < t)))
        return false;
    return next == 0 || (sck_edge(clock, next - 1, &before) == SY_OK && before < t);
}

START_TEST(edges_and_cycles_are_exact_for_any_clock)
{
    uint64_t random = 42, overflows = 0, clocks = 0;
    for (int i = 0; i < 100000; i++) {
        uint64_t num = next_random(&random) >> (14 + next_random(&random) % 49), den = 1;
        if (i % 2)
            den = next_random(&random) >> next_random(&random) % 64;
        struct sck_clock clock;
        if (sck_clock_init(&clock, num, den, 1) != SY_OK)
            continue;
        clocks++;
        uint64_t n = next_random(&random) >> next_random(&random) % 64;
        uint64_t t = next_random(&random) >> next_random(&random) % 64;
        if (!edge_is_exact(&clock, n, &overflows) || !cycle_is_exact(&clock, t) || !next_edge_is_exact(&clock, t))
            ck_abort_msg("clock %" PRIu64 "/%" PRIu64 " Hz, cycle %" PRIu64 ", tick %" PRIu64, num, den, n, t);
    }
    ck_assert_uint_gt(clocks, 20000);
    ck_assert_uint_gt(overflows, 1000);
}
END_TEST

/* One domain of the drift test: jumps ahead by random numbers of cycles. */
struct domain {
    struct sck_sim *sim;
    struct sck_event *event;
    const struct sck_clock *clock, *other;
    uint64_t cycle, last, random;
    uint64_t megahertz, other_megahertz;
    uint64_t calls, wrong;
};

static enum sy_status domain_called(void *arg)
{
    struct domain *domain = arg;
    uint64_t n = domain->cycle;
    /* n cycles of f MHz are n * 10^9 / f fs: in 64 bits up to 10^10 cycles, apart from the kernel's own way */
    uint64_t expected = (n * UINT64_C(1000000000) + domain->megahertz - 1) / domain->megahertz;
    uint64_t others = n * domain->other_megahertz / domain->megahertz;
    domain->calls++;
    domain->wrong += sck_time(domain->sim) != expected || sck_cycle(domain->clock, expected) != n ||
                     sck_cycle(domain->other, expected) != others;
    if (n == domain->last)
        return SY_OK;
    domain->cycle = sy_min(domain->last, n + 1 + next_random(&domain->random) % 100000);
    return sck_event_notify_cycle(domain->event, domain->clock, domain->cycle);
}

START_TEST(clocks_of_940_and_1200_mhz_do_not_drift_over_a_billion_cycles)
{
    struct sck_sim *sim = new_sim(_i);
    struct domain domains[2] = {{.megahertz = 940, .other_megahertz = 1200, .last = 940000000},
                                {.megahertz = 1200, .other_megahertz = 940, .last = 1200000000}};
    for (int i = 0; i < 2; i++) {
        domains[i].sim = sim;
        domains[i].random = 7 + (uint64_t)i;
        domains[i].event = new_event(sim);
        ck_assert_int_eq(sck_clock_domain(sim, "domain", domains[i].megahertz * 1000000, 1, &domains[i].clock), SY_OK);
        spawn(sim, domain_called, &domains[i], 0, domains[i].event);
        sck_event_notify_cycle(domains[i].event, domains[i].clock, 0);
    }
    domains[0].other = domains[1].clock;
    domains[1].other = domains[0].clock;
    struct sck_outcome outcome;
    ck_assert_int_eq(sck_start(sim, SCK_NEVER, &outcome), SY_OK);
    ck_assert_uint_eq(outcome.end_tick, UINT64_C(1000000000000000)); /* both meet at one second */
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(domains[i].cycle, domains[i].last);
        ck_assert_uint_gt(domains[i].calls, 15000);
        ck_assert_uint_eq(domains[i].wrong, 0);
    }
    sck_sim_destroy(sim);
}
END_TEST

/* ---- life ---- */

static enum sy_status again_and_again(struct unit *unit)
{
    unit->log[0] = '\0';
    if (unit->other && unit->calls % 3 == 0)
        sck_event_cancel(unit->other);
    if (unit->other)
        sck_event_notify_at(unit->other, sck_time(unit->sim) + 1000 - unit->calls);
    return unit->calls < 50 ? sck_event_notify_at(unit->own, sck_time(unit->sim) + 3) : SY_OK;
}

/* A simulation that is destroyed idle, in mid-run with much pending, failed, or never started. */
static void one_life(int backend, int kind)
{
    struct sck_config config = {.backend = (enum sck_backend)backend};
    struct sck_sim *sim = NULL;
    struct unit units[12];
    char log[256] = "";
    if (sck_sim_create(&config, &sim) != SY_OK)
        ck_abort_msg("create failed");
    for (int i = 0; i < 12; i++) {
        units[i] = (struct unit){.sim = sim, .letter = 'A', .log = log, .then = again_and_again};
        struct sck_method_spec spec = {
            .fn = unit_called, .arg = &units[i], .events = &units[i].own, .event_count = 1, .flags = i == 0};
        if (sck_event_create(sim, "event", &units[i].own) != SY_OK || sck_method_spawn(sim, &spec, NULL) != SY_OK)
            ck_abort_msg("building failed");
        if (i % 2)
            units[i].other = units[i - 1].own;
        sck_event_notify_at(units[i].own, 5 + (uint64_t)i);
    }
    units[0].then = kind == 2 ? fail_by_return : again_and_again;
    if (kind != 3)
        sck_start(sim, kind == 1 ? 40 : SCK_NEVER, NULL);
    if (kind == 1)
        sck_event_notify_delta(units[3].own);
    sck_sim_destroy(sim);
}

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(thousands_of_lives_in_one_process_do_not_grow_it)
{
    for (int i = 0; i < 400; i++)
        one_life(_i, i % 4);
    size_t resident = resident_bytes(), heap = mallinfo2().uordblks;
    for (int i = 0; i < 4000; i++)
        one_life(_i, i % 4);
    size_t heap_after = mallinfo2().uordblks, resident_after = resident_bytes();
    ck_assert_uint_le(heap_after, heap + 1024);
#ifndef __SANITIZE_ADDRESS__ /* it keeps freed memory for a while; its leak check looks at the end instead */
    ck_assert_uint_le(resident_after, resident + 512 * 1024);
#else
    (void)resident, (void)resident_after;
#endif
}
END_TEST

struct counted {
    size_t live, left;
};

static void *counted_alloc(void *ctx, size_t size)
{
    struct counted *counted = ctx;
    if (counted->left == 0)
        return NULL;
    counted->left--;
    void *memory = malloc(size);
    counted->live += memory != NULL;
    return memory;
}

static void counted_release(void *ctx, void *pointer)
{
    struct counted *counted = ctx;
    counted->live -= pointer != NULL;
    free(pointer);
}

START_TEST(running_out_of_memory_is_a_status_and_leaks_nothing)
{
    for (size_t allowed = 0; allowed < 12; allowed++) {
        struct counted counted = {.left = allowed};
        struct sy_allocator hooks = {counted_alloc, counted_release, &counted};
        struct sck_config config = {.backend = (enum sck_backend)_i, .allocator = &hooks};
        struct sck_sim *sim = NULL;
        enum sy_status status = sck_sim_create(&config, &sim);
        for (int i = 0; i < 4000 && status == SY_OK; i++) {
            struct sck_event *event;
            status = sck_event_create(sim, "event", &event);
            struct sck_method_spec spec = {.fn = unit_called, .events = &event, .event_count = 1};
            if (status == SY_OK)
                status = sck_method_spawn(sim, &spec, NULL);
        }
        if (status == SY_OK) /* no method was notified */
            status = sck_start(sim, SCK_NEVER, NULL);
        ck_assert(status == SY_OK || status == SY_NOMEM);
        ck_assert(status == SY_NOMEM || allowed > 3);
        sck_sim_destroy(sim);
        ck_assert_uint_eq(counted.live, 0);
    }
}
END_TEST

START_TEST(nothing_is_printed)
{
    char path[] = P_tmpdir "/systole_kernel_XXXXXX";
    int file = mkstemp(path), out = dup(1), err = dup(2);
    ck_assert_int_ge(file, 0);
    unlink(path);
    fflush(NULL);
    dup2(file, 1);
    dup2(file, 2);
    for (int kind = 0; kind < 4; kind++)
        one_life(_i, kind);
    struct sck_sim *sim = new_sim(_i);
    struct sck_event *event = NULL; /* names that SystemC does not like, and the same one twice */
    ck_assert_int_eq(sck_event_create(sim, "a b.c", &event), SY_OK);
    ck_assert_int_eq(sck_event_create(sim, "a b.c", &event), SY_OK);
    check_start(sim, 0, SCK_IDLE, 0);
    check_start(sim, 0, SCK_IDLE, 0); /* without activity */
    sck_sim_destroy(sim);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    ck_assert_int_eq(lseek(file, 0, SEEK_END), 0);
    close(file);
    close(out);
    close(err);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel");
    TCase *tc = tcase_create("both backends");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, methods_ready_at_one_tick_are_called_by_priority_then_spawn_order, 0, BACKENDS);
    tcase_add_loop_test(tc, an_event_keeps_the_earliest_notification, 0, BACKENDS);
    tcase_add_loop_test(tc, notifying_at_the_present_tick_is_the_next_round, 0, BACKENDS);
    tcase_add_loop_test(tc, cancel_does_not_undo_what_came_true, 0, BACKENDS);
    tcase_add_loop_test(tc, a_method_of_several_events_is_called_once_a_round, 0, BACKENDS);
    tcase_add_loop_test(tc, an_event_without_methods_moves_time_only, 0, BACKENDS);
    tcase_add_loop_test(tc, the_limit_is_inclusive_and_time_stands_there, 0, BACKENDS);
    tcase_add_loop_test(tc, a_pause_ends_the_round_and_the_next_start_goes_on, 0, BACKENDS);
    tcase_add_loop_test(tc, a_failing_method_ends_the_start_with_its_status_and_text, 0, BACKENDS);
    tcase_add_loop_test(tc, an_endless_loop_of_deltas_is_an_error, 0, BACKENDS);
    tcase_add_loop_test(tc, misuse_is_a_status, 0, BACKENDS);
    tcase_add_test(tc, one_systemc_simulation_lives_at_a_time_heap_ones_as_many_as_you_like);
    tcase_add_loop_test(tc, the_whole_range_of_time_is_usable_and_nothing_wraps, 0, BACKENDS);
    tcase_add_loop_test(tc, a_coarser_tick_reaches_further, 0, BACKENDS);
    tcase_add_loop_test(tc, clock_errors_say_what_to_do, 0, BACKENDS);
    tcase_add_test(tc, edges_and_cycles_are_exact_for_any_clock);
    tcase_add_loop_test(tc, clocks_of_940_and_1200_mhz_do_not_drift_over_a_billion_cycles, 0, BACKENDS);
    tcase_add_loop_test(tc, thousands_of_lives_in_one_process_do_not_grow_it, 0, BACKENDS);
    tcase_add_loop_test(tc, running_out_of_memory_is_a_status_and_leaks_nothing, 0, BACKENDS);
    tcase_add_loop_test(tc, nothing_is_printed, 0, BACKENDS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
