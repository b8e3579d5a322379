/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front of the kernel: arguments, states, errors, and the order of calls.
 *
 * States of a simulation (enum sck_state):
 *     BUILDING --start--> RUNNING --idle, limit, pause--> STOPPED --start--> RUNNING
 *     RUNNING --failure--> BROKEN, the end
 * Invariants: failure != SY_OK exactly in state BROKEN, or in RUNNING between a
 * method's failure and the end of the run; the text of a failure is never
 * overwritten; sequence numbers of methods are unique, so (priority, sequence)
 * is a total order and the ranks are a permutation.
 */
#include "sim/kernel/sck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/kernel/sck_backend.h"

#define DEFAULT_ROUNDS_PER_TICK UINT64_C(1000000)

/* ---- errors ---- */

static void __attribute__((format(printf, 2, 0))) keep_text(struct sck_sim *sim, const char *format, va_list args)
{
    if (vsnprintf(sim->error, sizeof sim->error, format, args) < 0)
        sim->error[0] = '\0';
}

enum sy_status sck_error(struct sck_sim *sim, enum sy_status status, const char *format, ...)
{
    if (sim->failure == SY_OK) {
        va_list args;
        va_start(args, format);
        keep_text(sim, format, args);
        va_end(args);
        sim->noted = status;
    }
    return status;
}

enum sy_status sck_fail(struct sck_sim *sim, enum sy_status status, const char *format, ...)
{
    if (!sim)
        return SY_USAGE;
    if (status == SY_OK)
        status = SY_INTERNAL;
    if (sim->state != SCK_RUNNING)
        return sck_error(sim, SY_STATE, "only a method that runs can fail the simulation");
    if (sim->failure != SY_OK) /* the first failure counts */
        return sim->failure;
    va_list args;
    va_start(args, format);
    keep_text(sim, format, args);
    va_end(args);
    sim->failure = status;
    return status;
}

const char *sck_last_error(const struct sck_sim *sim)
{
    return sim ? sim->error : "";
}

/* ---- life ---- */

enum sy_status sck_sim_create(const struct sck_config *config, struct sck_sim **out)
{
    static const struct sck_config defaults;
    if (!out)
        return SY_USAGE;
    *out = NULL;
    if (!config)
        config = &defaults;
    if (config->backend != SCK_SYSTEMC && config->backend != SCK_HEAP)
        return SY_USAGE;
    if (config->tick_fs != 0 && !sck_tick_ok(config->tick_fs))
        return SY_USAGE;
    struct sy_arena *arena = sy_arena_create(config->allocator, 0);
    struct sck_sim *sim = arena ? sy_arena_alloc(arena, sizeof *sim) : NULL;
    if (!sim) {
        sy_arena_destroy(arena);
        return SY_NOMEM;
    }
    sim->arena = arena;
    sim->config = *config;
    sim->config.allocator = NULL; /* the arena has its own copy */
    if (sim->config.tick_fs == 0)
        sim->config.tick_fs = 1;
    if (sim->config.max_rounds_per_tick == 0)
        sim->config.max_rounds_per_tick = DEFAULT_ROUNDS_PER_TICK;
    sim->ops = config->backend == SCK_HEAP ? &sck_heap_ops : &sck_systemc_ops;
    enum sy_status status = sim->ops->create(sim);
    if (status != SY_OK) {
        sy_arena_destroy(arena);
        return status;
    }
    *out = sim;
    return SY_OK;
}

void sck_sim_destroy(struct sck_sim *sim)
{
    if (!sim || sim->state == SCK_RUNNING)
        return;
    sck_vcd_abort(sim);
    sim->ops->destroy(sim);
    sy_arena_destroy(sim->arena);
}

uint64_t sck_time(const struct sck_sim *sim)
{
    return sim->now;
}
uint64_t sck_tick_fs(const struct sck_sim *sim)
{
    return sim->config.tick_fs;
}

/* ---- memory targets ---- */

enum { LONGEST_TARGET_REQUEST = 1 << 20 };

enum sy_status sck_target_open(struct sck_sim *sim, const struct sck_target_spec *spec, struct sck_target **target)
{
    if (!sim || !spec || !target || !spec->path || !spec->path[0] || !spec->longest_bytes ||
        spec->longest_bytes > LONGEST_TARGET_REQUEST)
        return sim ? sck_error(sim, SY_USAGE, "a memory target needs a file and a longest request of 1 to %d bytes",
                               LONGEST_TARGET_REQUEST)
                   : SY_USAGE;
    *target = NULL;
    if (sim->state != SCK_BUILDING)
        return sck_error(sim, SY_STATE, "memory targets are made before the first start");
    if (!sim->ops->target_open)
        return sck_error(sim, SY_USAGE, "a TLM-2.0 target is a SystemC module, which the heap kernel cannot run");
    return sim->ops->target_open(sim, spec, target);
}

/* ---- events ---- */

enum sy_status sck_event_create(struct sck_sim *sim, const char *name, struct sck_event **out)
{
    if (!sim)
        return SY_USAGE;
    if (!out)
        return sck_error(sim, SY_USAGE, "an event needs a place for its address");
    if (sim->state != SCK_BUILDING)
        return sck_error(sim, SY_STATE, "events are created before the first start");
    struct sck_event *event = sy_arena_alloc(sim->arena, sizeof *event);
    if (!event || sim->event_count == UINT32_MAX)
        return sck_error(sim, SY_NOMEM, "no memory for an event");
    event->sim = sim;
    enum sy_status status = sim->ops->event_create(event, name);
    if (status != SY_OK)
        return status;
    event->next = sim->events;
    sim->events = event;
    sim->event_count++;
    *out = event;
    return SY_OK;
}

static enum sy_status broken(struct sck_sim *sim)
{
    return sck_error(sim, SY_STATE, "the simulation has failed; it can only be read and destroyed");
}

enum sy_status sck_event_notify_at(struct sck_event *event, uint64_t tick)
{
    if (!event)
        return SY_USAGE;
    struct sck_sim *sim = event->sim;
    if (sim->failure != SY_OK)
        return broken(sim);
    if (tick < sim->now)
        return sck_error(sim, SY_USAGE, "notified for tick %" PRIu64 ", but it is %" PRIu64 " already", tick, sim->now);
    if (tick == SCK_NEVER)
        return sck_error(sim, SY_OVERFLOW, "notified beyond the range of time (tick %" PRIu64 ")", tick);
    return tick == sim->now ? sim->ops->notify_delta(event) : sim->ops->notify_at(event, tick);
}

enum sy_status sck_event_notify_cycle(struct sck_event *event, const struct sck_clock *clock, uint64_t cycle)
{
    uint64_t tick;
    if (!event)
        return SY_USAGE;
    if (!clock || clock->tick_fs != event->sim->config.tick_fs)
        return sck_error(event->sim, SY_USAGE, "the clock has another tick than the simulation");
    if (sck_edge(clock, cycle, &tick) != SY_OK)
        return sck_error(event->sim, SY_OVERFLOW,
                         "cycle %" PRIu64 " lies beyond the range of time; choose a coarser tick", cycle);
    return sck_event_notify_at(event, tick);
}

enum sy_status sck_event_notify_delta(struct sck_event *event)
{
    if (!event)
        return SY_USAGE;
    if (event->sim->failure != SY_OK)
        return broken(event->sim);
    return event->sim->ops->notify_delta(event);
}

enum sy_status sck_event_cancel(struct sck_event *event)
{
    if (!event)
        return SY_USAGE;
    if (event->sim->failure != SY_OK)
        return broken(event->sim);
    return event->sim->ops->cancel(event);
}

/* ---- methods ---- */

static enum sy_status check_spec(struct sck_sim *sim, const struct sck_method_spec *spec)
{
    if (!spec || !spec->fn)
        return sck_error(sim, SY_USAGE, "a method needs a function");
    if (spec->flags & ~SCK_RUN_AT_START)
        return sck_error(sim, SY_USAGE, "unknown method flags 0x%x", spec->flags);
    if (sim->state != SCK_BUILDING)
        return sck_error(sim, SY_STATE, "methods are spawned before the first start");
    if (spec->event_count == 0 && !(spec->flags & SCK_RUN_AT_START))
        return sck_error(sim, SY_USAGE, "a method without events would never be called");
    if (spec->event_count != 0 && !spec->events)
        return sck_error(sim, SY_USAGE, "%zu events announced, none given", spec->event_count);
    for (size_t i = 0; i < spec->event_count; i++)
        if (!spec->events[i] || spec->events[i]->sim != sim)
            return sck_error(sim, SY_USAGE, "event %zu of a method is not one of this simulation", i);
    return SY_OK;
}

enum sy_status sck_method_spawn(struct sck_sim *sim, const struct sck_method_spec *spec, struct sck_method **out)
{
    if (!sim)
        return SY_USAGE;
    enum sy_status status = check_spec(sim, spec);
    if (status != SY_OK)
        return status;
    struct sck_method *method = sy_arena_alloc(sim->arena, sizeof *method);
    struct sck_link *links = spec->event_count ? sy_arena_array(sim->arena, spec->event_count, sizeof *links) : NULL;
    const char *name = spec->name ? sy_arena_strdup(sim->arena, spec->name) : NULL;
    if (!method || (spec->event_count && !links) || (spec->name && !name) || sim->method_count == UINT32_MAX)
        return sck_error(sim, SY_NOMEM, "no memory for a method");
    *method = (struct sck_method){.sim = sim,
                                  .fn = spec->fn,
                                  .arg = spec->arg,
                                  .priority = spec->priority,
                                  .sequence = sim->method_count,
                                  .flags = spec->flags,
                                  .name = name};
    status = sim->ops->method_spawn(method, spec);
    if (status != SY_OK)
        return status;
    for (size_t i = 0; i < spec->event_count; i++) {
        links[i] = (struct sck_link){.method = method, .next = spec->events[i]->wakes};
        spec->events[i]->wakes = &links[i];
    }
    method->next = sim->methods;
    sim->methods = method;
    sim->method_count++;
    if (out)
        *out = method;
    return SY_OK;
}

/* ---- the order of calls ---- */

static int by_priority_then_sequence(const void *left, const void *right)
{
    const struct sck_method *a = *(struct sck_method *const *)left, *b = *(struct sck_method *const *)right;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return a->sequence < b->sequence ? -1 : 1;
}

/* The numbers of events and methods are final: rank the methods. */
static enum sy_status finish_building(struct sck_sim *sim)
{
    size_t words = (size_t)sim->method_count / 64 + 1;
    struct sck_method **by_rank = sy_arena_array(sim->arena, (size_t)sim->method_count + 1, sizeof *by_rank);
    uint64_t *ready = sy_arena_array(sim->arena, words, sizeof *ready);
    if (!by_rank || !ready)
        return sck_error(sim, SY_NOMEM, "no memory for the order of methods");
    uint32_t count = 0;
    for (struct sck_method *method = sim->methods; method; method = method->next)
        by_rank[count++] = method;
    qsort(by_rank, count, sizeof *by_rank, by_priority_then_sequence);
    for (uint32_t rank = 0; rank < count; rank++)
        by_rank[rank]->rank = rank;
    sim->by_rank = by_rank;
    sim->ready = ready;
    return SY_OK;
}

static void call_failed(struct sck_sim *sim, const struct sck_method *method, enum sy_status status)
{
    if (sim->failure != SY_OK) /* by sck_fail */
        return;
    if (sim->noted != status) {
        if (method->name)
            sck_error(sim, status, "method %s failed: %s", method->name, sy_status_text(status));
        else
            sck_error(sim, status, "method %" PRIu32 " failed: %s", method->sequence, sy_status_text(status));
    }
    sim->failure = status;
}

/* False, with the failure set, when rounds at one tick do not end. */
static bool count_round(struct sck_sim *sim)
{
    sim->rounds++;
    if (sim->now != sim->last_tick) {
        sim->last_tick = sim->now;
        sim->rounds_here = 0;
    }
    if (++sim->rounds_here <= sim->config.max_rounds_per_tick)
        return true;
    sck_fail(sim, SY_INTERNAL,
             "more than %" PRIu64 " rounds at tick %" PRIu64 ": an endless loop of delta notifications",
             sim->config.max_rounds_per_tick, sim->now);
    return false;
}

void sck_dispatch(struct sck_sim *sim)
{
    uint32_t word = sim->ready_first;
    bool ok = count_round(sim);
    while (ok && sim->ready_count != 0) {
        uint64_t bits = sim->ready[word];
        if (bits == 0) {
            word++;
            continue;
        }
        struct sck_method *method = sim->by_rank[word * 64 + (uint32_t)__builtin_ctzll(bits)];
        sim->ready[word] = bits & (bits - 1);
        sim->ready_count--;
        sim->noted = SY_OK;
        sim->calls++;
        enum sy_status status = method->fn(method->arg);
        if (status != SY_OK)
            call_failed(sim, method, status);
        ok = sim->failure == SY_OK;
    }
    if (!ok) { /* what is left ready does not matter any more */
        sim->stop = true;
        sim->ops->stopping(sim);
    }
}

/* ---- running ---- */

static enum sy_status check_start(struct sck_sim *sim, uint64_t limit)
{
    if (sim->state == SCK_RUNNING)
        return sck_error(sim, SY_STATE, "the simulation runs already");
    if (sim->state == SCK_BROKEN)
        return broken(sim);
    if (limit < sim->now)
        return sck_error(sim, SY_USAGE, "the limit is tick %" PRIu64 ", but it is %" PRIu64 " already", limit,
                         sim->now);
    return sim->state == SCK_BUILDING ? finish_building(sim) : SY_OK;
}

enum sy_status sck_start(struct sck_sim *sim, uint64_t limit, struct sck_outcome *outcome)
{
    if (!sim)
        return SY_USAGE;
    enum sy_status status = check_start(sim, limit);
    if (status != SY_OK)
        return status;
    enum sck_reason reason = SCK_IDLE;
    sim->rounds = sim->calls = sim->rounds_here = 0;
    sim->stop = false;
    sim->state = SCK_RUNNING;
    status = sim->ops->run(sim, limit, &reason);
    if (status != SY_OK && sim->failure == SY_OK) /* the kernel's own; its text is there */
        sim->failure = status;
    sim->state = sim->failure == SY_OK ? SCK_STOPPED : SCK_BROKEN;
    if (sim->failure != SY_OK)
        reason = SCK_FAILED;
    else if (sim->stop)
        reason = SCK_PAUSED;
    if (outcome)
        *outcome =
            (struct sck_outcome){.reason = reason, .end_tick = sim->now, .rounds = sim->rounds, .calls = sim->calls};
    return sim->failure;
}

enum sy_status sck_pause(struct sck_sim *sim)
{
    if (!sim)
        return SY_USAGE;
    if (sim->state != SCK_RUNNING)
        return sck_error(sim, SY_STATE, "only a simulation that runs can be paused");
    sim->stop = true;
    sim->ops->stopping(sim);
    return SY_OK;
}
