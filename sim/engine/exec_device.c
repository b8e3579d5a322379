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

struct sy_memory_device {
    struct sy_dram_ctx *ctx;
    uint64_t burst_bytes, peak;                             /* of the device, bytes/s of all channels */
    uint64_t level_peak;                                    /* what the device's peak stands for */
    struct sy_dram_commands per_million;                    /* of the set as rated last */
    sy_u128 hits, misses, conflicts, activates, precharges; /* x 10^6 bursts x burst bytes x fine steps a second */
    /* Time in fine steps. Of the present gap in the traffic as much as still matters: */
    uint64_t gap, open_until, down_from; /* rows stay open until; the device is powered down from */
    uint64_t moving, open, standby, down;
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
    /* In a gap an open-page controller leaves its rows open until the next refresh: half an interval in the mean. */
    uint64_t open_fs = part->controller->page == SY_DRAM_PAGE_CLOSED
                           ? 0
                           : (uint64_t)part->device->timing.tREFI * part->device->clock_fs / 2;
    own->down_from = level->power_down_ps ? sy_exec_fine(exec, level->power_down_ps * 1000) : SY_UNKNOWN;
    own->open_until = sy_min(sy_exec_fine(exec, open_fs), own->down_from);
    own->peak = sy_max(sy_dram_peak_bytes_per_s(own->ctx), 1);
    own->level_peak = sy_max(options.bus_bytes_per_s, own->peak); /* a narrower level is a bus before the device */
    if (!sy_mul_div(sy_dram_first_latency_fs(own->ctx), own->peak, own->level_peak, &memory->own_latency))
        return SY_OVERFLOW;
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
        bool apart = phase->scatter || (phase->rows > 1 && phase->pitch_bytes > phase->row_bytes);
        uint64_t cap = 0;
        copies[count] = sy_exec_memory_copies(memory, phase);
        if (sy_exec_phase_cap(phase) < own->level_peak / copies[count])
            (void)sy_mul_div(sy_exec_phase_cap(phase) * copies[count], own->peak, own->level_peak,
                             &cap); /* in the device's scale */
        set[count] = (struct sy_dram_phase){.base = phase->address,
                                            .rows = apart ? phase->rows : 1,
                                            .row_bytes = apart ? phase->row_bytes : sy_max(phase->bytes, 1),
                                            .pitch_bytes = apart ? phase->pitch_bytes : sy_max(phase->bytes, 1),
                                            .is_write = phase->write,
                                            .random_range = phase->scatter,
                                            .max_bytes_per_s = cap};
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

/* A gap without traffic: first its rows are open, then closed, then the device is powered down. */
void sy_exec_device_waited(struct sy_exec_memory *memory, uint64_t elapsed)
{
    struct sy_memory_device *own = memory->device;
    uint64_t from = own->gap, to = from + elapsed;
    own->open += overlap(from, to, 0, own->open_until);
    own->standby += overlap(from, to, own->open_until, own->down_from);
    own->down += overlap(from, to, own->down_from, SY_UNKNOWN);
    own->gap = sy_min(to, own->down_from == SY_UNKNOWN ? own->open_until : own->down_from);
}

void sy_exec_device_moved(struct sy_exec_memory *memory, sy_u128 bytes, uint64_t elapsed)
{
    struct sy_memory_device *own = memory->device;
    if (elapsed)
        own->gap = 0;
    own->moving += elapsed;
    own->active += (sy_u128)sy_min(own->per_million.active, 1000000) * elapsed;
    own->hits += (sy_u128)own->per_million.row_hits * bytes;
    own->misses += (sy_u128)own->per_million.row_misses * bytes;
    own->conflicts += (sy_u128)own->per_million.row_conflicts * bytes;
    own->activates += (sy_u128)own->per_million.activates * bytes;
    own->precharges += (sy_u128)own->per_million.precharges * bytes;
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
    uint64_t active = (uint64_t)(own->active / 1000000);
    stats->active_ns = channel_ns(memory, active + own->open);
    stats->standby_ns = channel_ns(memory, own->moving - active + own->standby);
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
void sy_exec_device_visit(struct sy_exec_memory *memory, struct sy_state *state)
{
    sy_state_u64(state, &memory->device->gap);
    if (state->loading && sy_exec_device_rate(memory) != SY_OK)
        state->failed = true;
}

void sy_exec_device_tally(struct sy_exec_memory *memory, struct sy_tally *tally)
{
    struct sy_memory_device *own = memory->device;
    if (!own)
        return;
    sy_u128 *const counts[] = {&own->hits,      &own->misses,     &own->conflicts,
                               &own->activates, &own->precharges, &own->active};
    uint64_t *const times[] = {&own->moving, &own->open, &own->standby, &own->down};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        sy_tally_u64(tally, times[i]);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        sy_tally_u128(tally, counts[i]);
}

void sy_exec_device_copy(struct sy_exec_memory *memory, uint64_t end, struct sy_dram_stats *stats,
                         struct sy_arena *arena)
{
    struct sy_memory_device *own = memory->device;
    const sy_u128 scale = (sy_u128)1000000 * own->burst_bytes * memory->exec->core_hz_num * SY_EXEC_FINE;
    uint64_t end_tick = 0;
    sy_exec_device_describe(memory, stats, arena);
    stats->row_hits = sy_exec_memory_for_all(memory, (uint64_t)(own->hits / scale));
    stats->row_misses = sy_exec_memory_for_all(memory, (uint64_t)(own->misses / scale));
    stats->row_conflicts = sy_exec_memory_for_all(memory, (uint64_t)(own->conflicts / scale));
    stats->activates = sy_exec_memory_for_all(memory, (uint64_t)(own->activates / scale));
    stats->precharges = sy_exec_memory_for_all(memory, (uint64_t)(own->precharges / scale));
    if (sck_edge(memory->exec->clock, end, &end_tick) == SY_OK)
        stats->refreshes = sy_dram_refreshes(own->ctx, end_tick);
    copy_states(own, memory, end, stats);
}
