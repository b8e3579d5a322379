/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/kernel: random programs of events run on both backends and on a third,
 * naive evaluator in this file, which follows the text of sck.h and shares no
 * code with them; the three must make the same calls. Also heap simulations in
 * several threads.
 */
#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/checked.h"
#include "sim/kernel/sck.h"
#include "tests/unit/run_support.h"

/* ck_assert writes to a pipe each time; not for millions of checks, nor for threads. */
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg("not so: %s", #condition);                                                                    \
    } while (0)

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return next_random(state) % bound;
}

/* ---- a naive kernel: the semantics of sck.h by looking at everything, every time ---- */

#define MOST_EVENTS 80
#define MOST_METHODS 80
#define NOTHING UINT64_MAX

struct program;

struct naive {
    struct program *program;
    uint64_t now, rounds, calls;
    uint64_t due[MOST_EVENTS]; /* NOTHING, or the tick */
    bool delta[MOST_EVENTS];
    bool ready[MOST_METHODS];
    bool started, paused;
    enum sy_status failure;
};

/* ---- random programs ---- */

enum { ON_SYSTEMC, ON_HEAP, ON_NAIVE, WORLDS, ON_TARGET = WORLDS /* SystemC with a memory target */ };

#define LOG_SIZE 4096

struct log {
    uint64_t entries[LOG_SIZE];
    size_t length;
};

/* One program: methods that draw their actions from one generator in the order
 * in which they are called, so that one call out of order changes all that follows. */
struct program {
    uint64_t random;
    int world;
    unsigned events, methods;
    uint32_t priority[MOST_METHODS];
    bool at_start[MOST_METHODS];
    bool sensitive[MOST_METHODS][MOST_EVENTS];
    unsigned spread;     /* ticks ahead a notification may be: small = many ties */
    unsigned pause_rate; /* one in; 0 = never */
    unsigned fail_rate;
    unsigned budget; /* of actions, so that the program ends */
    struct log *log;
    struct sck_sim *sim;
    struct sck_target *target;
    struct sck_event *event[MOST_EVENTS];
    struct naive naive;
};

struct actor {
    struct program *program;
    unsigned number;
};

enum { TARGET_LATENCY = 5 };

static void open_target(struct program *program)
{
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    REQUIRE(length > 0);
    path[length] = '\0';
    char *name = strrchr(path, '/');
    REQUIRE(name != NULL);
    strcpy(name, "/../tlm/libideal.so");
    const struct sck_target_spec spec = {.path = path, .latency_fs = TARGET_LATENCY, .longest_bytes = 64};
    REQUIRE(sck_target_open(program->sim, &spec, &program->target) == SY_OK);
}

static void put(struct program *program, uint64_t what)
{
    REQUIRE(program->log->length < LOG_SIZE);
    program->log->entries[program->log->length++] = what;
}

static uint64_t now_of(const struct program *program)
{
    return program->world == ON_NAIVE ? program->naive.now : sck_time(program->sim);
}

static enum sy_status do_notify_delta(struct program *program, unsigned event)
{
    if (program->world != ON_NAIVE)
        return sck_event_notify_delta(program->event[event]);
    program->naive.delta[event] = true;
    program->naive.due[event] = NOTHING;
    return SY_OK;
}

static enum sy_status do_notify_at(struct program *program, unsigned event, uint64_t tick)
{
    struct naive *naive = &program->naive;
    if (program->world != ON_NAIVE)
        return sck_event_notify_at(program->event[event], tick);
    if (tick < naive->now)
        return SY_USAGE;
    if (tick == naive->now)
        return do_notify_delta(program, event);
    if (!naive->delta[event] && tick < naive->due[event])
        naive->due[event] = tick;
    return SY_OK;
}

static enum sy_status do_cancel(struct program *program, unsigned event)
{
    if (program->world != ON_NAIVE)
        return sck_event_cancel(program->event[event]);
    program->naive.delta[event] = false;
    program->naive.due[event] = NOTHING;
    return SY_OK;
}

static void act(struct program *program)
{
    if (program->budget == 0)
        return;
    program->budget--;
    unsigned event = (unsigned)below(&program->random, program->events);
    uint64_t ahead = below(&program->random, program->spread);
    uint64_t now = now_of(program);
    enum sy_status status;
    switch (below(&program->random, 8)) {
    case 0:
    case 1:
        status = do_notify_delta(program, event);
        break;
    case 2:
        status = do_cancel(program, event);
        break;
    case 3: /* sometimes the past */
        status = do_notify_at(program, event, now + ahead >= 1 ? now + ahead - 1 : 0);
        break;
    default:
        status = do_notify_at(program, event, now + ahead);
        break;
    }
    put(program, 0x1000000u + (unsigned)status);
}

static enum sy_status called(void *arg)
{
    struct actor *actor = arg;
    struct program *program = actor->program;
    put(program, now_of(program) << 8 | actor->number);
    if (program->target) {
        const struct sck_request request = {.address = 64u * actor->number, .bytes = 64};
        uint64_t done = 0;
        REQUIRE(sck_target_access(program->target, &request, &done) == SY_OK);
        REQUIRE(done >= now_of(program) + TARGET_LATENCY);
    }
    for (uint64_t actions = below(&program->random, 4); actions > 0; actions--)
        act(program);
    if (program->pause_rate && below(&program->random, program->pause_rate) == 0) {
        if (program->world == ON_NAIVE)
            program->naive.paused = true;
        else
            REQUIRE(sck_pause(program->sim) == SY_OK);
    }
    if (program->fail_rate && below(&program->random, program->fail_rate) == 0)
        return SY_CHECK_FAILED;
    return SY_OK;
}

static void naive_true(struct naive *naive, unsigned event)
{
    naive->due[event] = NOTHING;
    naive->delta[event] = false;
    for (unsigned m = 0; m < naive->program->methods; m++)
        if (naive->program->sensitive[m][event])
            naive->ready[m] = true;
}

static void naive_deltas(struct naive *naive)
{
    for (unsigned e = 0; e < naive->program->events; e++)
        if (naive->delta[e])
            naive_true(naive, e);
}

/* The ready method that is called next; methods when none is. */
static unsigned naive_next(const struct naive *naive)
{
    unsigned best = naive->program->methods;
    for (unsigned m = 0; m < naive->program->methods; m++)
        if (naive->ready[m] &&
            (best == naive->program->methods || naive->program->priority[m] < naive->program->priority[best]))
            best = m;
    return best;
}

static bool naive_round(struct naive *naive, struct actor *actors)
{
    unsigned next = naive_next(naive);
    if (next == naive->program->methods)
        return false;
    naive->rounds++;
    for (; next != naive->program->methods && naive->failure == SY_OK; next = naive_next(naive)) {
        naive->ready[next] = false;
        naive->calls++;
        naive->failure = called(&actors[next]);
    }
    naive_deltas(naive);
    return true;
}

/* Moves time on; false when nothing is due up to the limit. */
static bool naive_advance(struct naive *naive, uint64_t limit, enum sck_reason *reason)
{
    uint64_t first = NOTHING;
    for (unsigned e = 0; e < naive->program->events; e++)
        first = sy_min(first, naive->due[e]);
    *reason = first == NOTHING ? SCK_IDLE : SCK_LIMIT;
    if (first == NOTHING)
        return false;
    naive->now = sy_min(first, limit);
    if (first > limit)
        return false;
    for (unsigned e = 0; e < naive->program->events; e++)
        if (naive->due[e] == first)
            naive_true(naive, e);
    return true;
}

static enum sy_status naive_start(struct naive *naive, struct actor *actors, uint64_t limit,
                                  struct sck_outcome *outcome)
{
    naive->rounds = naive->calls = 0;
    naive->paused = false;
    for (unsigned m = 0; m < naive->program->methods && !naive->started; m++)
        naive->ready[m] = naive->program->at_start[m];
    naive->started = true;
    naive_deltas(naive);
    enum sck_reason reason;
    do {
        while (!naive->paused && naive->failure == SY_OK && naive_round(naive, actors))
            ;
        reason = naive->failure != SY_OK ? SCK_FAILED : SCK_PAUSED;
    } while (!naive->paused && naive->failure == SY_OK && naive_advance(naive, limit, &reason));
    *outcome =
        (struct sck_outcome){.reason = reason, .end_tick = naive->now, .rounds = naive->rounds, .calls = naive->calls};
    return naive->failure;
}

static void make_program(struct program *program, uint64_t seed, int world, struct log *log)
{
    memset(program, 0, sizeof *program);
    program->random = seed;
    program->world = world;
    program->log = log;
    log->length = 0;
    uint64_t *random = &program->random;
    bool large = below(random, 16) == 0; /* more than one word of ready bits */
    program->events = 1 + (unsigned)below(random, large ? MOST_EVENTS : 8);
    program->methods = 1 + (unsigned)below(random, large ? MOST_METHODS : 8);
    program->spread = 2 + (unsigned)below(random, below(random, 2) ? 4 : 40);
    program->pause_rate = below(random, 3) == 0 ? 2 + (unsigned)below(random, 20) : 0;
    program->fail_rate = below(random, 4) == 0 ? 30 : 0;
    program->budget = 300;
    for (unsigned m = 0; m < program->methods; m++) {
        program->priority[m] = (uint32_t)below(random, 3);
        unsigned count = (unsigned)below(random, 4);
        program->at_start[m] = count == 0 || below(random, 4) == 0;
        for (unsigned i = 0; i < count; i++)
            program->sensitive[m][below(random, program->events)] = true;
    }
    for (unsigned e = 0; e < program->events; e++)
        program->naive.due[e] = NOTHING;
    program->naive.program = program;
}

static void build(struct program *program, struct actor *actors)
{
    for (unsigned m = 0; m < program->methods; m++)
        actors[m] = (struct actor){.program = program, .number = m};
    if (program->world == ON_NAIVE)
        return;
    struct sck_config config = {.backend = program->world == ON_HEAP ? SCK_HEAP : SCK_SYSTEMC};
    REQUIRE(sck_sim_create(&config, &program->sim) == SY_OK);
    if (program->world == ON_TARGET)
        open_target(program);
    for (unsigned e = 0; e < program->events; e++)
        REQUIRE(sck_event_create(program->sim, "event", &program->event[e]) == SY_OK);
    for (unsigned m = 0; m < program->methods; m++) {
        struct sck_event *events[MOST_EVENTS];
        struct sck_method_spec spec = {.fn = called,
                                       .arg = &actors[m],
                                       .priority = program->priority[m],
                                       .flags = program->at_start[m] ? SCK_RUN_AT_START : 0,
                                       .events = events};
        for (unsigned e = 0; e < program->events; e++)
            if (program->sensitive[m][e])
                events[spec.event_count++] = program->event[e];
        REQUIRE(sck_method_spawn(program->sim, &spec, NULL) == SY_OK);
    }
}

/* Starts with random limits and actions in between; everything observable goes to the log. */
static void run_program(uint64_t seed, int world, struct log *log)
{
    static _Thread_local struct program program;
    struct actor actors[MOST_METHODS];
    make_program(&program, seed, world, log);
    build(&program, actors);
    for (int start = 0; start < 12; start++) {
        for (uint64_t actions = below(&program.random, 5); actions > 0; actions--)
            act(&program);
        uint64_t limit = start == 11 || below(&program.random, 4) == 0
                             ? SCK_NEVER
                             : now_of(&program) + below(&program.random, program.spread * 2);
        struct sck_outcome outcome;
        enum sy_status status = world == ON_NAIVE ? naive_start(&program.naive, actors, limit, &outcome)
                                                  : sck_start(program.sim, limit, &outcome);
        put(&program, 0x2000000u + (unsigned)status);
        put(&program, 0x3000000u + (unsigned)outcome.reason);
        put(&program, outcome.end_tick);
        put(&program, outcome.rounds);
        put(&program, outcome.calls);
        put(&program, now_of(&program));
        if (status != SY_OK)
            break;
    }
    if (world != ON_NAIVE)
        sck_sim_destroy(program.sim);
}

START_TEST(random_programs_make_the_same_calls_everywhere)
{
    static struct log logs[WORLDS];
    size_t calls = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        for (int world = 0; world < WORLDS; world++) {
            run_program(seed * 7919, world, &logs[world]);
            if (logs[world].length != logs[0].length ||
                memcmp(logs[world].entries, logs[0].entries, logs[0].length * sizeof(uint64_t)) != 0)
                ck_abort_msg("seed %" PRIu64 ": world %d differs from SystemC", seed, world);
        }
        calls += logs[0].length;
    }
    ck_assert_uint_gt(calls, 20000 * 50); /* the programs did something */
}
END_TEST

START_TEST(a_memory_target_changes_no_call)
{
    static struct log with, naive;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        run_program(seed * 7919, ON_NAIVE, &naive);
        run_program(seed * 7919, ON_TARGET, &with);
        if (with.length != naive.length || memcmp(with.entries, naive.entries, naive.length * sizeof(uint64_t)) != 0)
            ck_abort_msg("seed %" PRIu64 ": differs with a target", seed);
    }
}
END_TEST

/* ---- threads ---- */

struct batch {
    uint64_t first_seed;
    uint64_t hash;
};

static void *run_batch(void *arg)
{
    struct batch *batch = arg;
    struct log *log = malloc(sizeof *log);
    batch->hash = 0;
    for (uint64_t seed = batch->first_seed; seed < batch->first_seed + 400; seed++) {
        run_program(seed, ON_HEAP, log);
        for (size_t i = 0; i < log->length; i++)
            batch->hash = (batch->hash ^ log->entries[i]) * 0x100000001b3u;
    }
    free(log);
    return NULL;
}

START_TEST(heap_simulations_run_in_several_threads)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct batch parallel[THREADS], serial[THREADS];
    for (int i = 0; i < THREADS; i++) {
        parallel[i].first_seed = serial[i].first_seed = 1000 * (uint64_t)i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_batch, &parallel[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        run_batch(&serial[i]);
        ck_assert_uint_eq(serial[i].hash, parallel[i].hash);
    }
}
END_TEST

static void *run_systemc(void *arg)
{
    run_program(5, ON_SYSTEMC, arg);
    return NULL;
}

START_TEST(systemc_simulations_run_in_one_thread_after_another)
{
    static struct log here, there;
    pthread_t thread;
    for (int i = 0; i < 20; i++) {
        run_systemc(&here);
        ck_assert_int_eq(pthread_create(&thread, NULL, run_systemc, &there), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(here.length, there.length);
        ck_assert_mem_eq(here.entries, there.entries, here.length * sizeof(uint64_t));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_random");
    TCase *tc = tcase_create("random");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, random_programs_make_the_same_calls_everywhere);
    tcase_add_test(tc, a_memory_target_changes_no_call);
    tcase_add_test(tc, heap_simulations_run_in_several_threads);
    tcase_add_test(tc, systemc_simulations_run_in_one_thread_after_another);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
