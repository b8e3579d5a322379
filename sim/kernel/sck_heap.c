/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C backend: a 4-ary heap of timed notifications and a list of delta ones.
 *
 * Invariants: an event is in the heap (TIMED), in the list (DELTA) or in
 * neither, and `position` is its place there; a parent in the heap is not later
 * than its children. While `hole` is set, entry 0 of the heap is free (its tick
 * is 0, so that nothing rises past it): what came true was taken away and its
 * place waits for the notification that usually follows, so that the pair costs
 * one walk down the heap. Both arrays hold every event of the simulation, so
 * nothing is allocated after building.
 */
#include <string.h>

#include "sim/kernel/sck_backend.h"

#define ARY 4u
#define FIRST_CAPACITY 16u

struct entry {
    uint64_t tick;
    struct sck_event *event;
};

struct heap {
    struct entry *entries;
    struct sck_event **delta;
    uint32_t capacity; /* of both */
    uint32_t count;    /* of entries, the hole included */
    uint32_t delta_count;
    bool hole;
    bool started;
};

/* ---- the heap ---- */

static void place(struct heap *heap, uint32_t index, struct entry entry)
{
    heap->entries[index] = entry;
    entry.event->position = index;
}

static void rise(struct heap *heap, uint32_t index, struct entry entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / ARY;
        if (heap->entries[parent].tick <= entry.tick)
            break;
        place(heap, index, heap->entries[parent]);
        index = parent;
    }
    place(heap, index, entry);
}

static void sink(struct heap *heap, uint32_t index, struct entry entry)
{
    for (;;) {
        uint64_t child = (uint64_t)index * ARY + 1;
        if (child >= heap->count)
            break;
        uint64_t end = child + ARY < heap->count ? child + ARY : heap->count;
        uint64_t least = child;
        for (uint64_t other = child + 1; other < end; other++)
            if (heap->entries[other].tick < heap->entries[least].tick)
                least = other;
        if (entry.tick <= heap->entries[least].tick)
            break;
        place(heap, index, heap->entries[least]);
        index = (uint32_t)least;
    }
    place(heap, index, entry);
}

static void insert(struct heap *heap, struct entry entry)
{
    entry.event->pending = SCK_PENDING_TIMED;
    if (heap->hole) {
        heap->hole = false;
        sink(heap, 0, entry);
    } else {
        rise(heap, heap->count++, entry);
    }
}

static void fill_hole(struct heap *heap)
{
    if (!heap->hole)
        return;
    heap->hole = false;
    if (--heap->count > 0)
        sink(heap, 0, heap->entries[heap->count]);
}

static void remove_at(struct heap *heap, uint32_t index)
{
    struct entry last = heap->entries[--heap->count];
    if (index == heap->count)
        return;
    if (index > 0 && last.tick < heap->entries[(index - 1) / ARY].tick)
        rise(heap, index, last);
    else
        sink(heap, index, last);
}

/* ---- notifications ---- */

static void forget(struct heap *heap, struct sck_event *event)
{
    if (event->pending == SCK_PENDING_TIMED) {
        remove_at(heap, event->position);
    } else if (event->pending == SCK_PENDING_DELTA) {
        struct sck_event *last = heap->delta[--heap->delta_count];
        heap->delta[event->position] = last;
        last->position = event->position;
    }
    event->pending = SCK_PENDING_NONE;
}

static enum sy_status heap_notify_at(struct sck_event *event, uint64_t tick)
{
    struct heap *heap = event->sim->backend;
    struct entry entry = {.tick = tick, .event = event};
    if (event->pending == SCK_PENDING_NONE)
        insert(heap, entry);
    else if (event->pending == SCK_PENDING_TIMED && tick < heap->entries[event->position].tick)
        rise(heap, event->position, entry);
    return SY_OK;
}

static enum sy_status heap_notify_delta(struct sck_event *event)
{
    struct heap *heap = event->sim->backend;
    if (event->pending == SCK_PENDING_DELTA)
        return SY_OK;
    forget(heap, event);
    event->pending = SCK_PENDING_DELTA;
    event->position = heap->delta_count;
    heap->delta[heap->delta_count++] = event;
    return SY_OK;
}

static enum sy_status heap_cancel(struct sck_event *event)
{
    forget(event->sim->backend, event);
    return SY_OK;
}

static void come_true(struct sck_event *event)
{
    event->pending = SCK_PENDING_NONE;
    for (const struct sck_link *link = event->wakes; link; link = link->next)
        sck_ready(link->method);
}

/* ---- running ---- */

static void delta_phase(struct heap *heap)
{
    for (uint32_t i = 0; i < heap->delta_count; i++)
        come_true(heap->delta[i]);
    heap->delta_count = 0;
}

/* Whether an entry below the root is at tick; the least of them is a child of the root. */
static bool child_due(const struct heap *heap, uint64_t tick)
{
    for (uint32_t child = 1; child <= ARY && child < heap->count; child++)
        if (heap->entries[child].tick == tick)
            return true;
    return false;
}

/* Everything at the tick of the root comes true. The root is no hole before, and is one after. */
static void timed_phase(struct heap *heap, uint64_t tick)
{
    for (;;) {
        struct sck_event *event = heap->entries[0].event;
        heap->entries[0] = (struct entry){0};
        heap->hole = true;
        come_true(event);
        if (!child_due(heap, tick))
            return;
        fill_hole(heap);
    }
}

static void first_round(struct sck_sim *sim, struct heap *heap)
{
    if (heap->started)
        return;
    heap->started = true;
    for (struct sck_method *method = sim->methods; method; method = method->next)
        if (method->flags & SCK_RUN_AT_START)
            sck_ready(method);
}

static enum sy_status heap_run(struct sck_sim *sim, uint64_t limit, enum sck_reason *reason)
{
    struct heap *heap = sim->backend;
    first_round(sim, heap);
    delta_phase(heap);
    for (;;) {
        while (sim->ready_count != 0) {
            sck_dispatch(sim);
            delta_phase(heap);
            if (sim->stop)
                return SY_OK;
        }
        fill_hole(heap);
        if (heap->count == 0) {
            *reason = SCK_IDLE;
            return SY_OK;
        }
        uint64_t tick = heap->entries[0].tick;
        if (tick > limit) {
            sim->now = limit;
            *reason = SCK_LIMIT;
            return SY_OK;
        }
        sim->now = tick;
        timed_phase(heap, tick);
    }
}

static void heap_stopping(struct sck_sim *sim)
{
    (void)sim; /* run looks at sim->stop */
}

/* ---- building ---- */

static enum sy_status heap_create(struct sck_sim *sim)
{
    sim->backend = sy_arena_alloc(sim->arena, sizeof(struct heap));
    return sim->backend ? SY_OK : SY_NOMEM;
}

static void heap_destroy(struct sck_sim *sim)
{
    sim->backend = NULL; /* the arena owns everything */
}

/* Room for one more event. What the arena keeps of outgrown arrays is less than the last ones. */
static enum sy_status heap_event_create(struct sck_event *event, const char *name)
{
    struct sck_sim *sim = event->sim;
    struct heap *heap = sim->backend;
    (void)name;
    if (sim->event_count < heap->capacity)
        return SY_OK;
    uint64_t capacity = heap->capacity ? (uint64_t)heap->capacity * 2 : FIRST_CAPACITY;
    struct entry *entries = sy_arena_array(sim->arena, capacity, sizeof *entries);
    struct sck_event **delta = sy_arena_array(sim->arena, capacity, sizeof *delta);
    if (!entries || !delta || capacity > UINT32_MAX)
        return sck_error(sim, SY_NOMEM, "no memory for an event");
    if (heap->count)
        memcpy(entries, heap->entries, heap->count * sizeof *entries);
    if (heap->delta_count)
        memcpy(delta, heap->delta, heap->delta_count * sizeof *delta);
    heap->entries = entries;
    heap->delta = delta;
    heap->capacity = (uint32_t)capacity;
    return SY_OK;
}

static enum sy_status heap_method_spawn(struct sck_method *method, const struct sck_method_spec *spec)
{
    (void)method;
    (void)spec;
    return SY_OK;
}

const struct sck_ops sck_heap_ops = {
    .create = heap_create,
    .destroy = heap_destroy,
    .event_create = heap_event_create,
    .method_spawn = heap_method_spawn,
    .notify_at = heap_notify_at,
    .notify_delta = heap_notify_delta,
    .cancel = heap_cancel,
    .run = heap_run,
    .stopping = heap_stopping,
};
