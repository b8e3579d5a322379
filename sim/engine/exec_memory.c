/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory servers of the executor: one a level that other levels load from.
 *
 * A phase (one DMA command) waits until its first byte may move, then moves
 * bytes at the rate granted. Whenever the set of moving phases changes, all of
 * it is re-rated as a set. Within one engine phases move one after the other;
 * across engines they share:
 *   ideal   every phase gets the level's whole rate in its direction;
 *   shared  equal shares of the level's rate, what a capped phase leaves goes
 *           to the others; DRAM has one bus for reads and writes, SRAM and host
 *           links a pool for each direction. DRAM loses tRFC every tREFI.
 * Amounts are integers (bytes x fine steps a second in 128 bits), so that the
 * result is the same on every machine. A server acts at fine steps, sixteenths
 * of a core cycle: what ends between two of them ends at the later one. So a
 * transfer takes at most 1/16 cycle longer than its bytes need, and a pipeline
 * bound by memory comes back to the same place within a core cycle after at
 * most 16 rounds, which is what lets it be fast-forwarded exactly. A choice of
 * this model.
 *
 * Phase: waiting -> moving -> done (its completion is the next core edge).
 */
#include <string.h>

#include "sim/engine/executor_internal.h"

static uint64_t after_refresh(const struct sy_level *level, uint64_t rate, enum sy_memory_mode mode)
{
    uint64_t kept = rate;
    if (mode != SY_MEMORY_IDEAL && level->refresh_interval_ps > level->refresh_time_ps && level->refresh_interval_ps)
        (void)sy_mul_div(rate, level->refresh_interval_ps - level->refresh_time_ps, level->refresh_interval_ps, &kept);
    return kept ? kept : UINT64_C(1000000000000000000); /* no figure: unlimited */
}

enum sy_status sy_exec_memory_init(struct sy_executor *exec)
{
    memset(exec->memory_of, 0xff, sizeof exec->memory_of);
    for (uint32_t u = 0; u < exec->units; u++) {
        uint8_t level = exec->unit[u].parent;
        if (exec->unit[u].kind < SY_UNIT_LOAD || exec->memory_of[level] != 0xff)
            continue;
        const struct sy_level *chip_level = &exec->chip->level[level];
        struct sy_exec_memory *memory = &exec->memory[exec->memories];
        memory->exec = exec;
        memory->level = level;
        memory->read_rate = after_refresh(chip_level, exec->level_rate[level][0], exec->options.memory);
        memory->write_rate = after_refresh(chip_level, exec->level_rate[level][1], exec->options.memory);
        memory->common = chip_level->shared || chip_level->kind != SY_LEVEL_SRAM;
        memory->shared_bus = chip_level->kind == SY_LEVEL_DRAM && exec->options.memory != SY_MEMORY_IDEAL;
        memory->burst_bytes = chip_level->burst_bytes;
        exec->memory_of[level] = (uint8_t)exec->memories++;
        enum sy_status status = sy_exec_device_open(exec, memory);
        if (status == SY_OK)
            status = sy_exec_target_open(exec, memory);
        if (status != SY_OK)
            return status;
        status = sck_event_create(exec->sim, chip_level->name, &memory->event);
        struct sck_method_spec spec = {.name = chip_level->name,
                                       .fn = memory->target   ? sy_exec_target_method
                                             : memory->bursts ? sy_exec_bursts_method
                                                              : sy_exec_memory_method,
                                       .arg = memory,
                                       .priority = 0,
                                       .events = &memory->event,
                                       .event_count = 1};
        if (status == SY_OK)
            status = sck_method_spawn(exec->sim, &spec, NULL);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}

/* All cores at work do the same at the same time: each has an equal part of what they share. */
uint64_t sy_exec_memory_copies(const struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    return memory->common && !phase->cast ? phase->cores : 1;
}

uint64_t sy_exec_read_latency(const struct sy_exec_memory *memory)
{
    uint64_t level = 0;
    if (memory->target)
        return 0; /* the target's own */
    if (!sy_mul(memory->exec->chip->level[memory->level].latency_ps, 1000, &level))
        return UINT64_MAX;
    return sy_max(level, memory->own_latency);
}

/* The server looks again when the new phase may begin to move. Behind an older phase of its engine that is when that
 * one ends, for which it has been notified. */
static enum sy_status await_phase(const struct sy_exec_memory *memory, const struct sy_exec_phase *mine)
{
    if (memory->bursts || memory->target || mine->ready_tick <= sck_time(memory->exec->sim))
        return sck_event_notify_delta(memory->event);
    for (const struct sy_exec_phase *older = memory->phase; older < mine; older++)
        if (older->unit == mine->unit)
            return SY_OK;
    return sck_event_notify_at(memory->event, mine->ready_tick);
}

enum sy_status sy_exec_memory_add(struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    if (memory->phases == SY_EXEC_PHASES)
        return SY_INTERNAL; /* two a unit, fewer units than places */
    struct sy_exec_phase *mine = &memory->phase[memory->phases++];
    *mine = *phase;
    sy_exec_crossbar_enter(memory->exec, mine);
    mine->remaining = ((sy_u128)phase->bus_bytes + phase->walk_bytes) * memory->exec->core_hz_num * SY_EXEC_FINE;
    if (memory->bursts && phase->bus_bytes) {
        enum sy_status status = sy_exec_bursts_add(memory, mine);
        if (status != SY_OK)
            return status;
    }
    if (memory->target) {
        enum sy_status status = sy_exec_target_add(memory, mine);
        if (status != SY_OK)
            return status;
    }
    return await_phase(memory, mine);
}

/* Move bytes from the last update to now. */
static void advance(struct sy_exec_memory *memory, uint64_t now)
{
    const struct sy_executor *exec = memory->exec;
    uint64_t elapsed = sy_exec_fine(exec, now) - sy_exec_fine(exec, memory->updated_tick);
    sy_u128 all = 0;
    bool any = false;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        if (!phase->active)
            continue;
        sy_u128 moved = (sy_u128)phase->rate * elapsed * exec->core_hz_den;
        all += moved < phase->remaining ? moved : phase->remaining;
        phase->remaining = moved >= phase->remaining ? 0 : phase->remaining - moved;
        any = true;
    }
    if (any)
        memory->busy_fine += elapsed;
    if (any && memory->device)
        sy_exec_device_moved(memory, all, elapsed);
    else if (memory->device)
        sy_exec_device_waited(memory, elapsed);
    memory->updated_tick = now;
}

void sy_exec_memory_settle(struct sy_exec_memory *memory)
{
    if (!memory->bursts && !memory->target)
        advance(memory, sck_time(memory->exec->sim));
}

uint64_t sy_exec_address_modulus(const struct sy_executor *exec, uint32_t level)
{
    const struct sy_exec_memory *memory = &exec->memory[exec->memory_of[level]];
    return memory->device ? sy_exec_device_rotation(memory) : sy_max(memory->burst_bytes, 1);
}

/* Only the oldest phase of an engine may move, once its latency is over. */
static void admit(struct sy_exec_memory *memory, uint64_t now)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        uint64_t bit = UINT64_C(1) << phase->unit->index;
        if (!(seen & bit) && !phase->active && phase->ready_tick <= now) {
            phase->active = true;
            memory->rated = false;
            sy_exec_crossbar_begun(memory->exec, phase);
            sy_exec_device_begin(memory, phase);
        }
        seen |= bit;
    }
}

/* Fair shares with caps: the smallest caps are served first, the rest is shared again. */
static bool takes_part(const struct sy_exec_phase *phase, int direction)
{
    return phase->active && (direction < 0 || phase->write == (direction == 1));
}

/* Serve the phases that can take no more than a fair share; false when there are none. */
static bool serve_capped(struct sy_exec_memory *memory, int direction, uint64_t fair, uint64_t *pool, uint64_t *count)
{
    bool capped = false;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        if (!takes_part(phase, direction) || phase->rate || sy_exec_phase_cap(phase) > fair)
            continue;
        const uint64_t copies = sy_exec_memory_copies(memory, phase);
        phase->rate = sy_exec_phase_cap(phase);
        *pool -= phase->rate * copies; /* which together take no more than fair shares */
        *count -= copies;
        capped = true;
    }
    return capped;
}

static void share_pool(struct sy_exec_memory *memory, uint64_t pool, int direction)
{
    uint64_t count = 0, fair = 0;
    for (uint32_t i = 0; i < memory->phases; i++) {
        if (!takes_part(&memory->phase[i], direction))
            continue;
        memory->phase[i].rate = 0;
        count += sy_exec_memory_copies(memory, &memory->phase[i]);
    }
    do {
        if (!count)
            return;
        fair = sy_max(pool / count, 1);
    } while (serve_capped(memory, direction, fair, &pool, &count));
    for (uint32_t i = 0; i < memory->phases; i++)
        if (takes_part(&memory->phase[i], direction) && !memory->phase[i].rate)
            memory->phase[i].rate = fair;
}

static enum sy_status rate_by_memory(struct sy_exec_memory *memory)
{
    if (memory->device)
        return sy_exec_device_rate(memory);
    if (memory->exec->options.memory == SY_MEMORY_IDEAL) {
        for (uint32_t i = 0; i < memory->phases; i++) {
            struct sy_exec_phase *phase = &memory->phase[i];
            uint64_t rate = phase->write ? memory->write_rate : memory->read_rate;
            phase->rate = sy_min(sy_exec_phase_cap(phase), sy_max(rate / sy_exec_memory_copies(memory, phase), 1));
        }
        return SY_OK;
    }
    if (memory->shared_bus) {
        share_pool(memory, memory->read_rate, -1);
        return SY_OK;
    }
    share_pool(memory, memory->read_rate, 0);
    share_pool(memory, memory->write_rate, 1);
    return SY_OK;
}

static enum sy_status rate_set(struct sy_exec_memory *memory)
{
    bool limited = false;
    for (uint32_t i = 0; i < memory->phases; i++) {
        memory->phase[i].was = (struct sy_exec_pace){memory->phase[i].demand, memory->phase[i].rate};
        memory->phase[i].limit = UINT64_MAX;
    }
    enum sy_status status = rate_by_memory(memory);
    if (status != SY_OK || !memory->exec->crossbar.on)
        return status;
    for (uint32_t i = 0; i < memory->phases; i++)
        memory->phase[i].demand = memory->phase[i].active ? memory->phase[i].rate : 0;
    status = sy_exec_crossbar_limit(memory, &limited);
    if (status == SY_OK && limited)
        status = rate_by_memory(memory);
    sy_exec_crossbar_rated(memory);
    return status;
}

/* Walks read page tables, which go to no level; cores with equal work have as many. */
static void count_walks(struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    uint64_t all = 0;
    if (!phase->walk_bytes || !sy_mul_div(phase->walk_bytes, phase->all_bus_bytes, phase->bus_bytes, &all))
        return;
    memory->exec->level_read[memory->level] += all;
    sy_exec_layer_of(memory->exec, phase->layer)->counters.level_read_bytes[memory->level] += all;
    memory->read_bytes += all;
    memory->walk_bytes += all;
}

static void count_move(struct sy_exec_memory *memory, const struct sy_exec_phase *phase)
{
    struct sy_executor *exec = memory->exec;
    uint8_t parent = phase->unit->parent, child = phase->unit->child;
    struct sy_layer_counters *counters = &sy_exec_layer_of(exec, phase->layer)->counters;
    uint64_t(*link)[2] = phase->write ? &exec->link_drain[parent][child][phase->operand]
                                      : &exec->link_fill[parent][child][phase->operand];
    sy_exec_crossbar_leave(exec, phase);
    (*link)[0] += phase->all_bytes - phase->copied_bytes; /* left one side ... */
    (*link)[1] += phase->all_bytes;                       /* ... and reached the other, whole, at completion */
    uint8_t from = phase->write ? child : parent, to = phase->write ? parent : child;
    uint64_t out = from == memory->level ? phase->all_bus_bytes : phase->all_bytes;
    uint64_t in = to == memory->level ? phase->all_bus_bytes : phase->all_bytes;
    exec->level_read[from] += out;
    exec->level_write[to] += in;
    counters->level_read_bytes[from] += out;
    counters->level_write_bytes[to] += in;
    *(phase->write ? &memory->write_bytes : &memory->read_bytes) += phase->all_bus_bytes;
    count_walks(memory, phase);
    memory->own_bytes +=
        (phase->bus_bytes + phase->walk_bytes) * (memory->bursts ? sy_exec_memory_copies(memory, phase) : 1);
}

uint64_t sy_exec_memory_for_all(const struct sy_exec_memory *memory, uint64_t count)
{
    uint64_t all = 0;
    if (!memory->own_bytes || !sy_mul_div(count, memory->read_bytes + memory->write_bytes, memory->own_bytes, &all))
        return count;
    return all;
}

enum sy_status sy_exec_memory_complete(struct sy_exec_memory *memory, uint32_t index, uint64_t now_tick)
{
    struct sy_executor *exec = memory->exec;
    struct sy_exec_phase phase = memory->phase[index];
    const uint64_t now_fine = sy_exec_fine(exec, now_tick), done = sy_ceil_div(now_fine, SY_EXEC_FINE);
    const uint64_t held = sy_exec_crossbar_held(&phase, now_fine);
    memmove(&memory->phase[index], &memory->phase[index + 1], (memory->phases - index - 1) * sizeof phase);
    memory->phases--;
    memory->rated = false;
    struct sy_exec_unit *unit = phase.unit;
    for (uint32_t i = 0; i < memory->phases; i++)
        if (memory->phase[i].unit == unit)
            memory->phase[i].engine_free = now_fine;
    sy_exec_wait(unit, sy_max(phase.start_cycle, unit->accounted), phase.cause);
    if (phase.walk_cycles)
        sy_exec_wait(unit, sy_max(unit->accounted, sy_min(done, unit->accounted + phase.walk_cycles)), SY_STALL_TLB);
    if (held)
        sy_exec_wait(unit, sy_max(unit->accounted, sy_min(done, unit->accounted + held)), SY_STALL_CROSSBAR);
    sy_exec_busy(unit, sy_max(done, unit->accounted));
    sy_exec_slot_of(exec, phase.id)->held = held;
    unit->in_flight--;
    unit->last_done = done;
    if (!unit->in_flight)
        (void)sck_trace_u64(unit->wave, 0);
    count_move(memory, &phase);
    if (exec->options.span) {
        struct sy_span span = {
            unit->name, phase.start_cycle, done, phase.layer, phase.id, phase.write ? SY_CMD_STORE : SY_CMD_LOAD, done};
        exec->options.span(exec->options.span_context, &span);
    }
    enum sy_status status = sy_exec_notify(exec, unit->event, done);
    return status != SY_OK ? status : sy_exec_set_times(exec, phase.id, done, done, done);
}

/* Most amounts fit 64 bits, which divide faster. */
static sy_u128 ceil_div(sy_u128 amount, sy_u128 step)
{
    if (amount >> 64 == 0 && step >> 64 == 0)
        return sy_ceil_div((uint64_t)amount, (uint64_t)step);
    return (amount + step - 1) / step;
}

/* The next tick at which something changes: a phase may begin to move, or one ends. */
static uint64_t next_change(const struct sy_exec_memory *memory, uint64_t now)
{
    const struct sy_executor *exec = memory->exec;
    uint64_t next = SY_UNKNOWN, seen = 0, fine = sy_exec_fine(exec, now);
    for (uint32_t i = 0; i < memory->phases; i++) {
        const struct sy_exec_phase *phase = &memory->phase[i];
        uint64_t bit = UINT64_C(1) << phase->unit->index;
        if (phase->active) {
            uint64_t tick = 0;
            sy_u128 step = (sy_u128)phase->rate * exec->core_hz_den, steps = ceil_div(phase->remaining, step);
            if (steps < SY_UNKNOWN - fine && sy_exec_tick(exec, fine + (uint64_t)steps, &tick) == SY_OK)
                next = sy_min(next, tick);
        } else if (!(seen & bit)) {
            next = sy_min(next, phase->ready_tick);
        }
        seen |= bit;
    }
    return next;
}

enum sy_status sy_exec_memory_method(void *context)
{
    struct sy_exec_memory *memory = context;
    uint64_t now = sck_time(memory->exec->sim);
    advance(memory, now);
    bool changed;
    do {
        changed = false;
        admit(memory, now);
        for (uint32_t i = 0; i < memory->phases && !changed; i++) {
            if (!memory->phase[i].active || memory->phase[i].remaining)
                continue;
            enum sy_status status = sy_exec_memory_complete(memory, i, now);
            if (status != SY_OK)
                return status;
            changed = true;
        }
    } while (changed);
    if (!memory->rated) { /* the set that moves has changed */
        enum sy_status status = rate_set(memory);
        if (status != SY_OK)
            return status;
        memory->rated = true;
    }
    uint64_t next = next_change(memory, now);
    if (!memory->phases)
        return SY_OK;
    if (next == SY_UNKNOWN)
        return SY_OVERFLOW;
    (void)sck_event_cancel(memory->event);
    return sck_event_notify_at(memory->event, next);
}
