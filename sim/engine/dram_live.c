/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_live.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_memory.h"

enum { NONE = UINT16_MAX, LOOK_CLOCKS = 64 };
static const uint64_t last_ps = UINT64_C(1000000000000000); /* 1000 s: a memory without requests refreshes, too */

struct entry {
    uint64_t tag, order;
    int64_t accepted, done; /* clocks */
    uint32_t left;          /* reads whose data are not on their way */
    uint32_t next;          /* free list */
    bool write, forget;
};

/* Reads of a channel in flight: the number a burst carries, and whose burst it is. */
struct slots {
    struct sy_dram_live *live;
    struct sy_dram_returns returns;
    uint32_t *owner;
    uint16_t *next, free;
    uint32_t last_left; /* of the request submitted last */
};

struct sy_dram_live {
    struct sy_dram_memory *memory;
    uint64_t clock_fs, orders;
    int64_t now, clock; /* the present, the last acceptance */
    uint32_t most, out; /* completions wanted and not taken */
    uint32_t free, last;
    struct entry *entry;
    uint32_t *heap, finished; /* complete and wanted, by (done, order) */
    struct slots *slots;
    struct sy_dram_channel *scratch;
    uint64_t check_block[2];
    int64_t last_done; /* clock, of what is known */
    uint64_t last_order;
    struct sy_dram_source source;
    struct sy_dram_cursor cursor;
};

/* ---- time ---- */
static bool to_clock(const struct sy_dram_live *live, uint64_t ps, int64_t *clock)
{
    uint64_t clocks = 0;
    if (ps > last_ps || !sy_mul_div_up(ps, 1000, live->clock_fs, &clocks))
        return false;
    *clock = live->memory->start + (int64_t)clocks;
    return true;
}

static uint64_t to_ps(const struct sy_dram_live *live, int64_t clock)
{
    uint64_t ps = 0;
    const uint64_t clocks = (uint64_t)(clock - live->memory->start);
    return sy_mul_div(clocks, live->clock_fs, 1000, &ps) ? ps : UINT64_MAX;
}

/* ---- completions ---- */
static bool is_before(const struct sy_dram_live *live, uint32_t a, uint32_t b)
{
    const struct entry *x = &live->entry[a], *y = &live->entry[b];
    return x->done != y->done ? x->done < y->done : x->order < y->order;
}

static void heap_push(struct sy_dram_live *live, uint32_t index)
{
    uint32_t i = live->finished++;
    for (uint32_t parent; i && (parent = (i - 1) / 2, is_before(live, index, live->heap[parent])); i = parent)
        live->heap[i] = live->heap[parent];
    live->heap[i] = index;
}

static uint32_t heap_pop(struct sy_dram_live *live)
{
    const uint32_t first = live->heap[0], moved = live->heap[--live->finished];
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < live->finished; i = child) {
        child += child + 1 < live->finished && is_before(live, live->heap[child + 1], live->heap[child]);
        if (!is_before(live, live->heap[child], moved))
            break;
        live->heap[i] = live->heap[child];
    }
    live->heap[i] = moved;
    return first;
}

static void release(struct sy_dram_live *live, uint32_t index)
{
    live->entry[index].next = live->free;
    live->free = index;
}

static void finish(struct sy_dram_live *live, uint32_t index)
{
    if (live->entry[index].forget)
        release(live, index);
    else
        heap_push(live, index);
}

static void on_read(void *context, uint16_t slot, int64_t clock)
{
    struct slots *slots = context;
    struct sy_dram_live *live = slots->live;
    const uint32_t index = slots->owner[slot];
    struct entry *entry = &live->entry[index];
    slots->next[slot] = slots->free;
    slots->free = slot;
    entry->done = clock > entry->done ? clock : entry->done;
    if (entry->order == live->last_order) {
        slots->last_left--;
        live->last_done = entry->done;
    }
    if (!--entry->left)
        finish(live, index);
}

/* ---- life ---- */

/* Reads that a channel can hold at once (its queue, its bank queues, one activated for in each bank) and one that is
 * to go in. */
static uint32_t reads_held(const struct sy_dram_plan *plan)
{
    return plan->queue_size[0] + plan->banks * (plan->bank_queue + 1) + 1;
}

static bool make_slots(struct sy_dram_live *live, uint32_t held)
{
    struct sy_dram_memory *memory = live->memory;
    live->slots = calloc(memory->channels, sizeof *live->slots);
    for (uint32_t c = 0; live->slots && c < memory->channels; c++) {
        struct slots *slots = &live->slots[c];
        *slots = (struct slots){.live = live, .returns = {.on_read = on_read, .context = slots}};
        slots->owner = calloc(held, sizeof *slots->owner);
        slots->next = calloc(held, sizeof *slots->next);
        if (!slots->owner || !slots->next)
            return false;
        for (uint32_t i = 0; i < held; i++)
            slots->next[i] = (uint16_t)(i + 1 < held ? i + 1 : NONE);
        memory->channel[c].returns = &slots->returns;
        memory->channel[c].latency = NULL; /* each request's own is what the caller gets */
    }
    return live->slots != NULL;
}

enum sy_status sy_dram_live_open(const struct sy_dram_part *part, uint32_t most, struct sy_dram_live **out,
                                 struct sy_diag *diag)
{
    struct sy_dram_live *live = calloc(1, sizeof *live);
    if (!live)
        return SY_NOMEM;
    enum sy_status status = sy_dram_memory_create(part->device, part->controller, &part->options, &live->memory, diag);
    if (status != SY_OK) {
        sy_dram_live_close(live);
        return status;
    }
    const uint32_t held = reads_held(&live->memory->plan), entries = most + held * live->memory->channels + 1;
    live->clock_fs = part->device->clock_fs;
    live->most = most;
    live->now = live->clock = live->last_done = live->memory->start;
    live->entry = calloc(entries, sizeof *live->entry);
    live->heap = calloc(entries, sizeof *live->heap);
    live->scratch = aligned_alloc(64, sizeof *live->scratch);
    if (!live->entry || !live->heap || !live->scratch || !make_slots(live, held)) {
        sy_dram_live_close(live);
        return SY_NOMEM;
    }
    for (uint32_t i = 0; i < entries; i++)
        live->entry[i].next = i + 1;
    *out = live;
    return SY_OK;
}

void sy_dram_live_close(struct sy_dram_live *live)
{
    if (!live)
        return;
    for (uint32_t c = 0; live->slots && c < live->memory->channels; c++) {
        free(live->slots[c].owner);
        free(live->slots[c].next);
    }
    free(live->slots);
    free(live->scratch);
    free(live->entry);
    free(live->heap);
    sy_dram_memory_destroy(live->memory);
    free(live);
}

const struct sy_dram_memory *sy_dram_live_memory(const struct sy_dram_live *live)
{
    return live->memory;
}

/* ---- requests ---- */
static void put_burst(struct sy_dram_live *live, uint64_t burst, bool write, uint32_t index)
{
    const sy_dram_place place = sy_dram_map_decode(&live->memory->map, burst);
    const uint32_t c = sy_dram_place_channel(place);
    struct sy_dram_channel *channel = &live->memory->channel[c];
    struct slots *slots = &live->slots[c];
    struct sy_dram_request request = {
        .row = sy_dram_place_row(place), .bank = (uint8_t)sy_dram_place_bank(place), .write = write};
    if (!write) {
        request.source = slots->free; /* there is one more than the channel holds */
        slots->owner[slots->free] = index;
        slots->free = slots->next[slots->free];
        live->entry[index].left++;
        slots->last_left++;
    }
    live->clock = sy_dram_accept(channel, &request, live->clock);
}

enum sy_status sy_dram_live_submit(struct sy_dram_live *live, const struct sy_dram_live_request *request,
                                   uint64_t *accepted_ps)
{
    int64_t clock = 0;
    uint64_t end = 0, burst = 0;
    bool write = false;
    if (!request->bytes || request->bytes > SY_DRAM_LIVE_MOST_BYTES)
        return SY_USAGE;
    if (!to_clock(live, request->time_ps, &clock) || !sy_add(request->address, request->bytes, &end))
        return SY_OVERFLOW;
    if (clock < live->now || (!request->forget && live->out == live->most))
        return SY_STATE;
    const uint32_t index = live->free;
    struct entry *entry = &live->entry[index];
    live->free = entry->next;
    live->clock = clock > live->clock ? clock : live->clock;
    *entry = (struct entry){.tag = request->tag,
                            .order = ++live->orders,
                            .left = 1, /* until all bursts are in */
                            .write = request->write,
                            .forget = request->forget};
    live->last = index;
    live->last_order = entry->order;
    for (uint32_t c = 0; c < live->memory->channels; c++)
        live->slots[c].last_left = 0;
    live->source = (struct sy_dram_source){.streams = 1, .bursts = UINT64_MAX, .clocks_den = 1};
    live->source.stream[0] =
        (struct sy_dram_stream){.base = request->address, .run_bytes = request->bytes, .is_write = request->write};
    sy_dram_cursor_start(&live->cursor, &live->source, live->memory->map.burst_shift);
    live->cursor.check_bursts = live->memory->check_bursts;
    live->cursor.walk[0].check_block = live->check_block[request->write];
    while (sy_dram_cursor_next(&live->cursor, &burst, &write))
        put_burst(live, burst, write, index);
    live->check_block[request->write] = live->cursor.walk[0].check_block;
    entry->accepted = live->clock;
    entry->done = request->write ? live->clock : entry->done;
    live->last_done = entry->done;
    live->out += !request->forget;
    *accepted_ps = to_ps(live, live->clock);
    if (!--entry->left)
        finish(live, index);
    return SY_OK;
}

static void run_to(struct sy_dram_live *live, int64_t clock)
{
    for (uint32_t c = 0; c < live->memory->channels; c++)
        if (sy_dram_channel_now(&live->memory->channel[c]) < clock)
            sy_dram_channel_run(&live->memory->channel[c], clock, 0);
    live->now = clock > live->now ? clock : live->now;
    live->clock = clock > live->clock ? clock : live->clock;
}

enum sy_status sy_dram_live_advance(struct sy_dram_live *live, uint64_t until_ps)
{
    int64_t clock = 0;
    if (!to_clock(live, until_ps, &clock))
        return SY_OVERFLOW;
    run_to(live, clock);
    return SY_OK;
}

enum sy_status sy_dram_live_drain(struct sy_dram_live *live)
{
    const int64_t end = sy_dram_memory_drain(live->memory);
    const int64_t clock = end > live->clock ? end : live->clock;
    if (to_ps(live, clock) > last_ps)
        return SY_OVERFLOW;
    run_to(live, clock);
    return SY_OK;
}

bool sy_dram_live_take(struct sy_dram_live *live, struct sy_dram_live_done *done)
{
    if (!live->finished || live->entry[live->heap[0]].done > live->now)
        return false;
    const uint32_t index = heap_pop(live);
    const struct entry *entry = &live->entry[index];
    *done = (struct sy_dram_live_done){.tag = entry->tag,
                                       .accepted_ps = to_ps(live, entry->accepted),
                                       .done_ps = to_ps(live, entry->done),
                                       .write = entry->write};
    live->out--;
    release(live, index);
    return true;
}

uint64_t sy_dram_live_wake(const struct sy_dram_live *live)
{
    int64_t wake = live->finished ? live->entry[live->heap[0]].done : INT64_MAX;
    for (uint32_t c = 0; c < live->memory->channels; c++) {
        const struct sy_dram_channel *channel = &live->memory->channel[c];
        if (!channel->waiting_reads)
            continue;
        const int32_t next = channel->next_event > channel->now ? channel->next_event : channel->now;
        const int64_t back = channel->base + next + live->memory->plan.read_return;
        wake = back < wake ? back : wake;
    }
    return wake == INT64_MAX ? UINT64_MAX : to_ps(live, wake);
}

/* ---- looking ahead ---- */
struct look {
    const struct slots *slots;
    uint32_t last, left;
    int64_t done;
};

static void on_look(void *context, uint16_t slot, int64_t clock)
{
    struct look *look = context;
    if (look->slots->owner[slot] != look->last)
        return;
    look->left--;
    look->done = clock > look->done ? clock : look->done;
}

enum sy_status sy_dram_live_last_done(struct sy_dram_live *live, uint64_t *done_ps)
{
    struct look look = {.last = live->last, .done = live->last_done};
    if (!live->orders)
        return SY_STATE;
    for (uint32_t c = 0; c < live->memory->channels; c++) {
        struct sy_dram_channel *copy = live->scratch;
        struct sy_dram_returns returns = {.on_read = on_look, .context = &look};
        look.slots = &live->slots[c];
        look.left = look.slots->last_left;
        if (!look.left)
            continue;
        *copy = live->memory->channel[c];
        copy->returns = &returns;
        while (look.left && copy->waiting_reads)
            sy_dram_channel_run(copy, sy_dram_channel_now(copy) + LOOK_CLOCKS, SY_STOP_DRAINED);
        if (look.left)
            return SY_INTERNAL;
    }
    *done_ps = to_ps(live, look.done);
    return SY_OK;
}
