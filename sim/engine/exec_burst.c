/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory servers that run every burst (`--memory burst`): the requests of all
 * phases, those that overlap too, go through the channel model one by one, in
 * one memory whose banks, queues and refreshes live as long as the run.
 *
 * A DMA engine offers the requests of one phase after the other; those of
 * several cores at the same phase are one source, one core's bytes behind the
 * other's. Of a read the
 * level's latency is what an idle memory takes, no less than the device's own:
 * the part that is not the device's passes before the first request. It is done when the last data
 * are back; a write when its last burst is accepted. The bound on requests in
 * flight counts whole round trips. A chip file that gives less bandwidth than
 * the device has is a bus before the device; one that gives more runs the
 * device faster (both as in `sampled`).
 *
 * The server sleeps until the earliest clock at which a phase can be done.
 */
#include <stdlib.h>

#include "arch/dram_device.h"
#include "sim/engine/dram_level.h"
#include "sim/engine/dram_memory.h"
#include "sim/engine/dram_set.h"
#include "sim/engine/executor_internal.h"

enum { GRAIN_BYTES = 256 /* as in dram_phase.h */, LONGEST_REQUEST = 4096 };
static const uint64_t ticks_per_second = UINT64_C(1000000000000000);

struct sy_memory_bursts {
    struct sy_dram_memory *memory;
    uint64_t period;                             /* ticks of a clock of the device as it runs here */
    uint64_t burst_bytes;                        /* of the device */
    uint64_t align_bytes;                        /* of a request: the level's burst */
    uint64_t first_latency;                      /* clocks of an idle read */
    uint64_t taken;                              /* bit p: place p holds a source */
    uint64_t power_down_after, power_down_ticks; /* into a gap without traffic, 0 = never; spent so in gaps */
    bool busy;                                   /* phases were there when the method ended */
    struct sy_dram_watch watch;
    struct sy_dram_set set;
    struct sy_dram_source source[SY_DRAM_SET_MAX];
};

static void put_request(void *context, uint64_t burst, bool is_write, int64_t offered)
{
    const struct sy_exec_memory *memory = context;
    const struct sy_dram_memory *dram = memory->bursts->memory;
    const struct sy_request request = {
        .address = burst << dram->map.burst_shift, .clock = (uint64_t)(offered - dram->start), .is_write = is_write};
    sy_dram_trace_put(memory->exec->options.requests, &request);
}

static enum sy_status watch(struct sy_exec_memory *memory)
{
    struct sy_executor *exec = memory->exec;
    if (!exec->options.requests)
        return SY_OK;
    if (exec->traced)
        return sy_error(exec->diag, SY_NOWHERE, "take the device away from one of them",
                        "a request trace is of one memory, and memory.%s is not the only one with a device",
                        exec->chip->level[memory->level].name);
    exec->traced = true;
    memory->bursts->watch = (struct sy_dram_watch){put_request, memory};
    memory->bursts->set.watch = &memory->bursts->watch;
    return SY_OK;
}

enum sy_status sy_exec_bursts_open(struct sy_exec_memory *memory, const struct sy_dram_part *part)
{
    struct sy_executor *exec = memory->exec;
    const struct sy_level *level = &exec->chip->level[memory->level];
    struct sy_memory_bursts *own = calloc(1, sizeof *own);
    if (!own)
        return SY_NOMEM;
    memory->bursts = own;
    enum sy_status status =
        sy_dram_memory_create(part->device, part->controller, &part->options, &own->memory, exec->diag);
    if (status != SY_OK)
        return status;
    own->burst_bytes = part->device->org.burst_bytes;
    own->align_bytes = level->burst_bytes & (level->burst_bytes - 1) ? 0 : sy_min(level->burst_bytes, LONGEST_REQUEST);
    own->power_down_after = level->power_down_ps * 1000;
    own->first_latency = (uint64_t)(own->memory->plan.act_read + own->memory->plan.read_return);
    const uint64_t rate = exec->level_rate[memory->level][0];
    uint64_t clocks = 0, burst_ticks = 0; /* of a burst on the data bus, and on the chip's */
    const uint64_t bytes = sy_dram_peak_bytes(part->device, &clocks) * part->options.channels;
    if (!clocks || !sy_mul_div(bytes, ticks_per_second, rate, &own->period) ||
        !sy_mul_div(own->burst_bytes, ticks_per_second, rate, &burst_ticks))
        return SY_OVERFLOW;
    own->period = sy_max((own->period + clocks / 2) / clocks, 1);
    sy_dram_set_open(&own->set, own->memory, (uint32_t)sy_max(1, GRAIN_BYTES / own->burst_bytes));
    if (own->period > part->device->clock_fs) {
        own->period = part->device->clock_fs;
        sy_dram_set_bus(&own->set, burst_ticks, own->period);
    }
    memory->own_latency = own->first_latency * own->period;
    return watch(memory);
}

void sy_exec_bursts_close(struct sy_exec_memory *memory)
{
    if (!memory->bursts)
        return;
    sy_dram_memory_destroy(memory->bursts->memory);
    free(memory->bursts);
}

static int64_t clock_at(const struct sy_memory_bursts *own, uint64_t tick)
{
    return (int64_t)(tick / own->period) + own->memory->start;
}

/* Bytes/s to clocks between bursts. A write goes into a queue: no faster than the bus could move it. */
static void set_pace(const struct sy_memory_bursts *own, const struct sy_exec_phase *phase, uint64_t copies,
                     struct sy_dram_source *source)
{
    const uint64_t cap = phase->cap && phase->cap < UINT64_MAX / 2 / copies ? phase->cap * copies : 0;
    const uint64_t buses = (uint64_t)own->memory->channels * own->memory->pseudochannels;
    uint64_t ticks = 0;
    source->clocks_num = phase->write ? own->memory->burst_clocks : 0;
    source->clocks_den = buses;
    if (cap && sy_mul_div(own->burst_bytes, ticks_per_second, cap, &ticks) &&
        ticks / own->period * buses + buses > own->memory->burst_clocks) {
        source->clocks_num = sy_max(ticks, 1);
        source->clocks_den = own->period;
    }
}

/* The last phase of the same engine that has not offered all its requests. */
static uint32_t predecessor(const struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    for (uint32_t i = memory->phases; i-- > 0;) {
        const struct sy_exec_phase *other = &memory->phase[i];
        if (other != phase && other->unit == phase->unit && other->bus_bytes)
            return other->place;
    }
    return SY_DRAM_NOBODY;
}

/* Where the bursts of a phase lie, those of `copies` cores behind one another, each core's as this one's do. */
static bool lay_out(const struct sy_memory_bursts *own, const struct sy_exec_phase *phase, uint64_t copies,
                    struct sy_dram_stream *stream)
{
    const bool apart = phase->scatter || (phase->rows > 1 && phase->pitch_bytes != phase->row_bytes);
    uint64_t span = 0;
    *stream = (struct sy_dram_stream){.base = phase->address,
                                      .run_bytes = apart ? phase->row_bytes : phase->bytes,
                                      .is_write = phase->write,
                                      .align_bytes = own->align_bytes};
    if (apart)
        stream->loop[0] = (struct sy_dram_loop){phase->rows, phase->scatter ? 0 : phase->pitch_bytes};
    if (copies > 1) {
        if (!sy_mul(phase->rows, apart ? phase->pitch_bytes : 0, &span) ||
            !sy_add(sy_max(span, phase->bus_bytes), own->burst_bytes - 1, &span))
            return false;
        span = phase->scatter ? 0 : span / own->burst_bytes * own->burst_bytes;
        stream->loop[1] = (struct sy_dram_loop){copies, span};
    }
    if (phase->scatter) {
        stream->random_range = phase->scatter;
        stream->random_align = phase->pitch_bytes;
        stream->random_seed = (phase->id + 1) * UINT64_C(0x9E3779B97F4A7C15); /* other places for every move */
    }
    return true;
}

enum sy_status sy_exec_bursts_add(struct sy_exec_memory *memory, struct sy_exec_phase *phase)
{
    struct sy_memory_bursts *own = memory->bursts;
    const struct sy_dma *dma = &memory->exec->chip->dma;
    const uint64_t ahead = memory->own_latency, copies = sy_exec_memory_copies(memory, phase);
    if (!~own->taken)
        return SY_INTERNAL; /* as many as the server has places for phases */
    phase->place = (uint8_t)__builtin_ctzll(~own->taken);
    own->taken |= UINT64_C(1) << phase->place;
    struct sy_dram_source *source = &own->source[phase->place];
    *source = (struct sy_dram_source){.streams = 1, .bursts = UINT64_MAX, .clocks_den = 1};
    if (!lay_out(own, phase, copies, &source->stream[0]))
        return SY_OVERFLOW;
    if (!phase->write && dma->outstanding_requests && dma->request_bytes &&
        sy_mul_div(dma->outstanding_requests, dma->request_bytes, own->burst_bytes, &source->outstanding) &&
        !sy_mul(source->outstanding, copies, &source->outstanding))
        source->outstanding = 0; /* more than there are bursts */
    set_pace(own, phase, copies, source);
    /* what the level's latency has beyond the device's passes on the way there and back */
    const uint64_t latency = sy_exec_read_latency(memory) + (phase->crosses ? memory->exec->crossbar.latency : 0);
    const uint64_t way = (latency - ahead) / own->period;
    const uint64_t asked = phase->ready_tick - (phase->write ? 0 : ahead);
    const int64_t from = clock_at(own, asked), now = own->set.clock;
    sy_dram_set_add(&own->set, phase->place, source, sy_dram_source_bursts(source, own->memory->map.burst_shift),
                    from > now ? from : now, predecessor(memory, phase), (int64_t)way);
    return SY_OK;
}

/* The oldest phase of an engine whose last burst is done; otherwise when one can be, in ticks. */
static bool find_done(struct sy_exec_memory *memory, uint64_t now, uint32_t *index, uint64_t *next)
{
    const struct sy_memory_bursts *own = memory->bursts;
    uint64_t seen = 0;
    *next = SY_UNKNOWN;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        const uint64_t bit = UINT64_C(1) << phase->unit->index;
        uint64_t tick = phase->ready_tick;
        if (seen & bit)
            continue;
        seen |= bit;
        bool done = true;
        if (phase->bus_bytes) {
            int64_t clock;
            done = sy_dram_set_done(&own->set, phase->place, &clock);
            tick = (uint64_t)(clock - own->memory->start) * own->period;
        }
        *index = i;
        if (done && phase->crosses) {
            phase->pass_tick = phase->pass_tick ? phase->pass_tick : sy_exec_crossbar_pass(memory, phase, tick);
            tick = phase->pass_tick;
        }
        if (done && tick <= now)
            return true;
        *next = sy_min(*next, sy_max(tick, now + 1));
    }
    return false;
}

enum sy_status sy_exec_bursts_method(void *context)
{
    struct sy_exec_memory *memory = context;
    struct sy_memory_bursts *own = memory->bursts;
    const uint64_t now = sck_time(memory->exec->sim);
    const uint64_t elapsed = now - memory->updated_tick;
    if (own->busy)
        memory->busy_ticks += elapsed;
    else if (own->power_down_after && elapsed > own->power_down_after)
        own->power_down_ticks += elapsed - own->power_down_after;
    memory->updated_tick = now;
    sy_dram_set_advance(&own->set, clock_at(own, now));
    uint32_t index = 0;
    uint64_t next = 0;
    while (find_done(memory, now, &index, &next)) {
        if (memory->phase[index].bus_bytes)
            own->taken &= ~(UINT64_C(1) << memory->phase[index].place);
        enum sy_status status = sy_exec_memory_complete(memory, index, now);
        if (status != SY_OK)
            return status;
    }
    own->busy = memory->phases > 0;
    if (!own->busy)
        return SY_OK;
    (void)sck_event_cancel(memory->event);
    return sck_event_notify_at(memory->event, next);
}

/* Channel-nanoseconds in each state; a device without traffic powers down. */
static void copy_states(const struct sy_exec_memory *memory, const struct sy_dram_counts *counts, uint64_t end_tick,
                        struct sy_dram_stats *stats)
{
    const struct sy_memory_bursts *own = memory->bursts;
    const uint64_t channels = own->memory->channels;
    uint64_t all = UINT64_MAX, down = 0, active = 0;
    (void)sy_mul_div(end_tick, channels, 1000000, &all);
    uint64_t down_ticks = own->power_down_ticks;
    if (own->power_down_after && end_tick > memory->updated_tick)
        down_ticks += end_tick - memory->updated_tick - sy_min(end_tick - memory->updated_tick, own->power_down_after);
    (void)sy_mul_div(down_ticks, channels, 1000000, &down);
    (void)sy_mul_div(counts->active_clocks, own->period, 1000000, &active);
    stats->power_down_ns = sy_min(down, all);
    stats->active_ns = sy_min(active, all - stats->power_down_ns);
    stats->standby_ns = all - stats->power_down_ns - stats->active_ns;
}

void sy_exec_bursts_copy(const struct sy_exec_memory *memory, uint64_t end_tick, struct sy_dram_stats *stats,
                         struct sy_arena *arena)
{
    const struct sy_memory_bursts *own = memory->bursts;
    const struct sy_dram_counts counts = sy_dram_memory_counts(own->memory);
    const struct sy_dram_plan *plan = &own->memory->plan;
    sy_exec_device_describe(memory, stats, arena);
    stats->row_hits = sy_exec_memory_for_all(memory, counts.row_hits);
    stats->row_misses = sy_exec_memory_for_all(memory, counts.row_misses);
    stats->row_conflicts = sy_exec_memory_for_all(memory, counts.row_conflicts);
    stats->activates = sy_exec_memory_for_all(memory, counts.activates);
    stats->precharges = sy_exec_memory_for_all(memory, counts.precharges);
    if (plan->refresh_on) /* of the whole run, the time after the last phase included */
        stats->refreshes = end_tick / own->period / (uint64_t)plan->refresh_interval * own->memory->channels *
                           (plan->refresh_staggered ? 1 : plan->nodes);
    stats->clocks = (uint64_t)(own->set.last_done - own->memory->start);
    copy_states(memory, &counts, end_tick, stats);
}
