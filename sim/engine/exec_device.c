/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory servers on a DRAM device: the rates of the moving set come from the
 * channel model (dram_phase.h), measured over a window and memoized by the
 * set's signature. A chip file that gives less bandwidth than the device has is
 * a bus before the device; one that gives more runs the device faster: the
 * device then says what share of its own peak the set reaches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/dram_level.h"
#include "sim/engine/dram_phase.h"
#include "sim/engine/executor_internal.h"

/* Tiles of one operand that one engine moves. */
struct stream {
    uint64_t key;
    uint64_t address; /* of its last phase, modulo the rotation; 0 when all is closed */
    uint64_t layer;
    uint32_t closed; /* millionths of the rows it left open that others have closed since */
};
enum { MOST_STREAMS = SY_MAX_UNITS * SY_OPERANDS };
static const uint32_t million = 1000000;

struct sy_memory_device {
    struct sy_dram_ctx *ctx;
    struct stream stream[MOST_STREAMS]; /* in order of their first phase */
    uint32_t streams;
    uint64_t burst_bytes, peak;          /* of the device, bytes/s of all channels */
    uint64_t level_peak;                 /* what the device's peak stands for */
    struct sy_dram_commands per_million; /* of the set as rated last */
    sy_u128 bursts, misses, activates;   /* x 10^6 bursts x burst bytes x fine steps a second */
    sy_u128 opened;                      /* x 10^6: by the phases' own addresses */
    sy_u128 closed, reopened;            /* by refreshes, x 10^6 x refresh intervals */
    /* Time in fine steps. Of the present gap in the traffic as much as still matters: */
    uint64_t gap, interval, open_until, down_from; /* a refresh comes; rows are closed; the device is powered down */
    uint64_t moving, waiting, down;
    sy_u128 open;   /* x 2 x interval: with a row open in gaps */
    sy_u128 active; /* x 10^6: with a row open while data moved */
};

/* Sets are asked about by the score, and two sets that differ in their bases alone are rated within 2% of each other on
 * the shipped devices. What shorter windows and coarser distances cost in accuracy is tested against the bursts
 * (tests/unit/test_burst_memory.c). Pieces at random places (pages of a KV cache) repeat nothing and need longer: with
 * 1024 bursts a channel HBM2 was rated up to 18% too fast, with these within 2% (tests/unit/test_paged.c). */
static const struct sy_dram_window set_window = {
    .warmup = 128, .settle = 128, .wanted = 1536, .longest_period = 1536, .random = 8192};
enum { BASE_STEPS = 4 };

static enum sy_status open_rates(struct sy_exec_memory *memory, const struct sy_dram_part *part)
{
    struct sy_executor *exec = memory->exec;
    const struct sy_level *level = &exec->chip->level[memory->level];
    struct sy_memory_device *own = calloc(1, sizeof *own);
    if (!own)
        return SY_NOMEM;
    memory->device = own;
    struct sy_dram_ctx_options options = {.memory = part->options,
                                          .window = &set_window,
                                          .base_steps = BASE_STEPS,
                                          .bus_bytes_per_s = exec->level_rate[memory->level][0]};
    enum sy_status status = sy_dram_ctx_create(part->device, part->controller, &options, &own->ctx, exec->diag);
    if (status != SY_OK)
        return status;
    own->burst_bytes = part->device->org.burst_bytes;
    own->peak = sy_max(sy_dram_peak_bytes_per_s(own->ctx), 1);
    own->level_peak = sy_max(options.bus_bytes_per_s, own->peak); /* a narrower level is a bus before the device */
    uint64_t interval = 0; /* of refreshes, at the speed the device runs at here */
    if (!sy_mul_div(sy_dram_first_latency_fs(own->ctx), own->peak, own->level_peak, &memory->own_latency) ||
        !sy_mul_div(sy_dram_refresh_interval_fs(own->ctx), own->peak, own->level_peak, &interval))
        return SY_OVERFLOW;
    /* In a gap an open-page controller leaves its rows open until the next refresh. */
    own->down_from = level->power_down_ps ? sy_exec_fine(exec, level->power_down_ps * 1000) : SY_UNKNOWN;
    own->interval = interval ? sy_max(sy_exec_fine(exec, interval), 1) : 0;
    own->open_until = part->controller->page == SY_DRAM_PAGE_CLOSED ? 0 : interval ? own->interval : SY_UNKNOWN;
    own->open_until = sy_min(own->open_until, own->down_from);
    return SY_OK;
}

/* Bytes on the bus are counted in the level's bursts, and the device moves its own. */
static enum sy_status check_burst(const struct sy_executor *exec, const struct sy_level *level,
                                  const struct sy_dram_device *device)
{
    const uint64_t burst = device->org.burst_bytes;
    char hint[160];
    if (level->burst_bytes >= burst && level->burst_bytes % burst == 0)
        return SY_OK;
    (void)snprintf(hint, sizeof hint,
                   "write burst: %llu B, or leave it to --memory ideal or shared, which use no device",
                   (unsigned long long)burst);
    return sy_error(exec->diag, level->burst_at, hint,
                    "memory.%s.burst: %llu B are not whole bursts of %llu B of the device '%s'", level->name,
                    (unsigned long long)level->burst_bytes, (unsigned long long)burst, device->name);
}

enum sy_status sy_exec_device_open(struct sy_executor *exec, struct sy_exec_memory *memory)
{
    const struct sy_level *level = &exec->chip->level[memory->level];
    bool wanted = exec->options.memory == SY_MEMORY_SAMPLED || exec->options.memory == SY_MEMORY_BURST;
    if (!wanted || level->kind != SY_LEVEL_DRAM || !level->device || !exec->level_rate[memory->level][0])
        return SY_OK;
    memory->arena = sy_arena_create(NULL, 0);
    if (!memory->arena)
        return SY_NOMEM;
    struct sy_dram_part part;
    enum sy_status status = sy_dram_level_open(level, exec->options.data_dir, memory->arena, &part, exec->diag);
    if (status != SY_OK)
        return status;
    if ((status = check_burst(exec, level, part.device)) != SY_OK)
        return status;
    memory->dram = part.device;
    return exec->options.memory == SY_MEMORY_BURST ? sy_exec_bursts_open(memory, &part) : open_rates(memory, &part);
}

void sy_exec_device_close(struct sy_exec_memory *memory)
{
    if (memory->device)
        sy_dram_ctx_destroy(memory->device->ctx);
    free(memory->device);
    sy_arena_destroy(memory->arena);
}

static struct sy_dram_phase phase_of(const struct sy_memory_device *own, const struct sy_exec_phase *phase,
                                     uint64_t copies)
{
    const bool apart = phase->scatter || (phase->rows > 1 && phase->pitch_bytes > phase->row_bytes);
    uint64_t cap = 0;
    if (sy_exec_phase_cap(phase) < own->level_peak / copies) /* in the device's own scale */
        (void)sy_mul_div(sy_exec_phase_cap(phase) * copies, own->peak, own->level_peak, &cap);
    return (struct sy_dram_phase){.base = phase->address,
                                  .rows = apart ? phase->rows : 1,
                                  .row_bytes = apart ? phase->row_bytes : sy_max(phase->bytes, 1),
                                  .pitch_bytes = apart ? phase->pitch_bytes : sy_max(phase->bytes, 1),
                                  .is_write = phase->write,
                                  .random_range = phase->scatter,
                                  .max_bytes_per_s = cap};
}

static struct stream *stream_of(struct sy_memory_device *own, const struct sy_exec_phase *phase)
{
    const uint64_t key = phase->unit->index * SY_OPERANDS + phase->operand;
    for (uint32_t i = 0; i < own->streams; i++)
        if (own->stream[i].key == key)
            return &own->stream[i];
    struct stream *fresh = &own->stream[own->streams++];
    *fresh = (struct stream){.key = key, .layer = UINT64_MAX, .closed = million};
    return fresh;
}

static bool moves(const struct sy_exec_memory *memory, uint64_t key)
{
    for (uint32_t i = 0; i < memory->phases; i++)
        if (memory->phase[i].active &&
            memory->phase[i].unit->index * (uint64_t)SY_OPERANDS + memory->phase[i].operand == key)
            return true;
    return false;
}

/* A phase opens its own rows, and what others closed of those that the one before it left open. What moves at the same
 * time is in the set's rates. */
void sy_exec_device_begin(struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    struct sy_memory_device *own = memory->device;
    if (!own || !phase->bus_bytes)
        return;
    const uint64_t rotation = sy_dram_rotation_bytes(own->ctx);
    if (own->gap && own->interval) /* a refresh in it closed all */
        for (uint32_t i = 0; i < own->streams; i++)
            own->stream[i].closed += (uint32_t)((sy_u128)(million - own->stream[i].closed) *
                                                sy_min(own->gap, own->interval) / own->interval);
    own->gap = 0;
    struct stream *stream = stream_of(own, phase);
    const struct sy_dram_phase shape = phase_of(own, phase, 1);
    uint64_t back =
        stream->closed < million && stream->layer == phase->layer ? (phase->address - stream->address) % rotation : 0;
    back = back > rotation / 2 ? back - rotation : back;
    const struct sy_dram_opened opens = sy_dram_phase_opens(own->ctx, &shape, back);
    const uint64_t again =
        stream->layer == phase->layer ? (uint64_t)((sy_u128)opens.closed * stream->closed / million) : opens.first;
    own->opened += (sy_u128)opens.warm + again;
    sy_exec_layer_of(memory->exec, phase->layer)->counters.rows_opened[memory->level] += opens.warm + again;
    stream->closed = 0;
    stream->layer = phase->layer;
    stream->address = phase->address % rotation;
    for (uint32_t i = 0; i < own->streams; i++) {
        struct stream *other = &own->stream[i];
        if (other == stream || moves(memory, other->key))
            continue;
        other->closed += (uint32_t)((million - other->closed) * opens.share / million);
        if (other->closed > million - million / 100) {
            other->closed = million;
            other->address = 0;
        }
    }
}

enum sy_status sy_exec_device_rate(struct sy_exec_memory *memory)
{
    struct sy_memory_device *own = memory->device;
    struct sy_dram_phase set[SY_EXEC_PHASES];
    struct sy_dram_rate rate[SY_EXEC_PHASES];
    struct sy_exec_phase *moving[SY_EXEC_PHASES];
    uint64_t copies[SY_EXEC_PHASES]; /* the cores' phases of one kind are a stream that many times as fast */
    uint32_t count = 0;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        if (!phase->active)
            continue;
        copies[count] = sy_exec_memory_copies(memory, phase);
        set[count] = phase_of(own, phase, copies[count]);
        moving[count++] = phase;
    }
    if (!count)
        return SY_OK;
    enum sy_status status = sy_dram_rate(own->ctx, set, count, rate);
    for (uint32_t i = 0; status == SY_OK && i < count; i++) {
        uint64_t granted = 0;
        (void)sy_mul_div(rate[i].bytes_per_s, own->level_peak, own->peak, &granted);
        moving[i]->rate = sy_max(sy_min(granted / copies[i], sy_exec_phase_cap(moving[i])), 1);
    }
    own->per_million = rate[0].per_million;
    return status;
}

/* How much of [from, to) lies in [low, high). */
static uint64_t overlap(uint64_t from, uint64_t to, uint64_t low, uint64_t high)
{
    uint64_t start = sy_max(from, low), end = sy_min(to, high);
    return end > start ? end - start : 0;
}

/* A gap without traffic: the first refresh in it closes the rows; it may come at any time. Then the device is powered
 * down. */
void sy_exec_device_waited(struct sy_exec_memory *memory, uint64_t elapsed)
{
    struct sy_memory_device *own = memory->device;
    const uint64_t from = own->gap, to = from + elapsed;
    const uint64_t open = overlap(from, to, 0, own->open_until), before = overlap(from, to, 0, own->interval);
    if (own->interval) /* still open at t with 1 - t / interval */
        own->open += (sy_u128)open * (2 * own->interval - from - (from + open));
    else
        own->open += 2 * (sy_u128)open;
    own->closed += (sy_u128)own->per_million.closed * before;
    own->waiting += elapsed;
    own->down += overlap(from, to, own->down_from, SY_UNKNOWN);
    own->gap = sy_min(to, own->down_from == SY_UNKNOWN ? own->interval : sy_max(own->interval, own->down_from));
}

void sy_exec_device_moved(struct sy_exec_memory *memory, sy_u128 bytes, uint64_t elapsed)
{
    struct sy_memory_device *own = memory->device;
    if (elapsed)
        own->gap = 0;
    own->moving += elapsed;
    own->active += (sy_u128)own->per_million.active * elapsed;
    own->bursts += (sy_u128)million * bytes;
    own->misses += (sy_u128)own->per_million.row_misses * bytes;
    own->activates += (sy_u128)((__int128)own->per_million.activates * (__int128)bytes);
    own->closed += (sy_u128)own->per_million.closed * elapsed;
    own->reopened += (sy_u128)own->per_million.reopened * elapsed;
}

/* Nanoseconds of all channels. */
static uint64_t channel_ns(const struct sy_exec_memory *memory, uint64_t fine)
{
    uint64_t tick = 0, ns = 0, channels = sy_max(memory->exec->chip->level[memory->level].channels, 1);
    return sck_edge(memory->exec->fine_clock, fine, &tick) == SY_OK && sy_mul_div(tick, channels, 1000000, &ns)
               ? ns
               : UINT64_MAX;
}

static void copy_states(struct sy_memory_device *own, struct sy_exec_memory *memory, uint64_t end,
                        struct sy_dram_stats *stats)
{
    uint64_t updated = sy_exec_fine(memory->exec, memory->updated_tick);
    if (end * SY_EXEC_FINE > updated)
        sy_exec_device_waited(memory, end * SY_EXEC_FINE - updated);
    const uint64_t active = (uint64_t)(own->active / 1000000 + own->open / (2 * sy_max(own->interval, 1)));
    const uint64_t rest = own->moving + own->waiting - own->down;
    stats->active_ns = channel_ns(memory, sy_min(active, rest));
    stats->standby_ns = channel_ns(memory, rest - sy_min(active, rest));
    stats->power_down_ns = channel_ns(memory, own->down);
}

void sy_exec_device_describe(const struct sy_exec_memory *memory, struct sy_dram_stats *stats, struct sy_arena *arena)
{
    const struct sy_dram_device *dram = memory->dram;
    stats->has_rows = true;
    stats->burst_bytes = dram->org.burst_bytes;
    stats->power = dram->power;
    stats->power.source = sy_arena_strdup(arena, dram->power.source ? dram->power.source : "");
    stats->power.confidence = sy_arena_strdup(arena, dram->power.confidence ? dram->power.confidence : "");
    stats->device = sy_arena_strdup(arena, dram->name);
}

uint64_t sy_exec_device_rotation(const struct sy_exec_memory *memory)
{
    return sy_max(sy_dram_rotation_bytes(memory->device->ctx), memory->burst_bytes);
}

/* What the set moving now was rated with follows from the set; after a load it is asked anew. */
void sy_exec_device_visit(struct sy_exec_memory *memory, struct sy_state *state, uint64_t layer)
{
    struct sy_memory_device *own = memory->device;
    uint64_t closed = own->per_million.closed;
    sy_state_u64(state, &own->gap);
    own->streams = (uint32_t)sy_min(sy_state_value(state, own->streams), MOST_STREAMS);
    for (uint32_t i = 0; i < own->streams; i++) {
        sy_state_u64(state, &own->stream[i].key);
        sy_state_u64(state, &own->stream[i].address);
        own->stream[i].layer = sy_state_relative(state, own->stream[i].layer, layer);
        own->stream[i].closed = (uint32_t)sy_state_value(state, own->stream[i].closed);
    }
    if (own->gap >= own->interval) /* no refresh closes them any more */
        closed = 0;
    own->per_million.closed = sy_state_value(state, closed);
    if (state->loading && sy_exec_device_rate(memory) != SY_OK)
        state->failed = true;
}

void sy_exec_device_tally(struct sy_exec_memory *memory, struct sy_tally *tally)
{
    struct sy_memory_device *own = memory->device;
    if (!own)
        return;
    sy_u128 *const counts[] = {&own->bursts, &own->misses,   &own->activates, &own->opened,
                               &own->closed, &own->reopened, &own->open,      &own->active};
    uint64_t *const times[] = {&own->moving, &own->waiting, &own->down};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        sy_tally_u64(tally, times[i]);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        sy_tally_u128(tally, counts[i]);
}

static uint64_t of_refreshes(const struct sy_memory_device *own, sy_u128 sum)
{
    return own->interval ? (uint64_t)(sum / ((sy_u128)1000000 * own->interval)) : 0;
}

void sy_exec_device_copy(struct sy_exec_memory *memory, uint64_t end, struct sy_dram_stats *stats,
                         struct sy_arena *arena)
{
    struct sy_memory_device *own = memory->device;
    const sy_u128 scale = (sy_u128)1000000 * own->burst_bytes * memory->exec->core_hz_num * SY_EXEC_FINE;
    uint64_t end_tick = 0, own_ticks = 0;
    sy_exec_device_describe(memory, stats, arena);
    copy_states(own, memory, end, stats);
    const uint64_t again = of_refreshes(own, own->reopened), closed = of_refreshes(own, own->closed);
    const __int128 more = (__int128)own->activates / (__int128)scale + (__int128)(own->opened / million);
    const uint64_t bursts = (uint64_t)(own->bursts / scale);
    const uint64_t activates = sy_min(bursts, (more > 0 ? (uint64_t)more : 0) + again);
    stats->row_hits = sy_exec_memory_for_all(memory, bursts - activates);
    stats->activates = stats->precharges = sy_exec_memory_for_all(memory, activates);
    /* A queue a bank counts the rows that were closed for others, buffers by age their requests. */
    if (sy_dram_counts_misses(own->ctx)) {
        const uint64_t misses = (uint64_t)(own->misses / scale) + again;
        stats->row_misses = sy_exec_memory_for_all(memory, misses);
        stats->row_conflicts = sy_exec_memory_for_all(memory, activates - sy_min(activates, misses));
    } else {
        stats->row_conflicts = sy_exec_memory_for_all(memory, activates - sy_min(activates, closed));
    }
    if (sck_edge(memory->exec->clock, end, &end_tick) == SY_OK &&
        sy_mul_div(end_tick, own->level_peak, own->peak, &own_ticks))
        stats->refreshes = sy_dram_refreshes(own->ctx, own_ticks);
}
