/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crossbar of the executor: between each core and the memories the cores
 * share or that lie off the chip (arch/chip.h).
 *
 * Every core has a port, each way, which all its moves over the crossbar share;
 * all ports together may be bounded too. A moving phase first asks what its
 * memory would give it (its demand). Then the ports are filled: all phases of a
 * direction rise together until one has its demand, or the port, or the
 * crossbar, is full (max-min fair shares). Where a phase gets less than its
 * demand, its memory shares out anew what it leaves. A memory whose phases get
 * another limit by this, because a phase of another memory began or ended, is
 * woken and does the same at the same moment; its demands do not depend on the
 * limits, so one round settles it.
 *
 * What a phase lost is kept with it: the latency as far as its engine had
 * nothing to move meanwhile, and of the time it moved at rate r of demand d the
 * share (d - r) / d. A wait of the array for the phase is charged to the
 * crossbar up to that time.
 *
 * Under --memory ideal a phase has a port of its own, as it has the memory.
 * Under burst and target, where there are no rates, a phase ends no earlier
 * than its bytes can have passed the port, one phase after the other in the
 * order in which the memory was done with them.
 */
#include <string.h>

#include "sim/engine/executor_internal.h"

static const uint64_t ticks_per_second = UINT64_C(1000000000000000);

static uint64_t rate_of(double bytes_per_s)
{
    return bytes_per_s <= 0 || bytes_per_s >= 1e18 ? UINT64_MAX : sy_max((uint64_t)bytes_per_s, 1);
}

void sy_exec_crossbar_init(struct sy_executor *exec)
{
    const struct sy_interconnect *interconnect = &exec->chip->interconnect;
    struct sy_exec_crossbar *crossbar = &exec->crossbar;
    crossbar->on = interconnect->kind == SY_INTERCONNECT_CROSSBAR;
    crossbar->port = rate_of(interconnect->port_bytes_per_s);
    crossbar->pool = rate_of(interconnect->bytes_per_s);
    crossbar->latency = interconnect->latency_ps * 1000; /* at most a second */
}

/* As many of a phase enter the crossbar at once. */
static uint64_t entering(const struct sy_exec_phase *phase)
{
    return phase->cast ? 1 : phase->cores;
}

/* ---- bytes ---- */

void sy_exec_crossbar_enter(struct sy_executor *exec, const struct sy_exec_phase *phase)
{
    const struct sy_exec_unit *unit = phase->unit;
    if (!phase->crosses)
        return;
    exec->crossbar.in[phase->write] += phase->crossed_in;
    exec->crossbar.copied += phase->cast ? phase->crossed_in * (phase->cores - 1) : 0;
    exec->link_copied[unit->parent][unit->child][phase->operand] += phase->copied_bytes;
    sy_exec_layer_of(exec, phase->layer)->counters.crossed[phase->write] += phase->crossed_in;
}

void sy_exec_crossbar_leave(struct sy_executor *exec, const struct sy_exec_phase *phase)
{
    if (!phase->crosses)
        return;
    exec->crossbar.out[phase->write] += phase->crossed_out;
    sy_exec_layer_of(exec, phase->layer)->counters.crossed[!phase->write] += phase->crossed_out;
}

/* ---- rates ---- */

static bool moves(const struct sy_exec_phase *phase, bool write)
{
    return phase->active && phase->crosses && phase->write == write;
}

/* What is left to share out. */
struct filling {
    uint64_t port, pool, phases, entering;
};

static uint64_t fair_share(const struct filling *left)
{
    return sy_max(sy_min(left->port / left->phases, left->pool / left->entering), 1);
}

/* Phases that want no more than a fair share have what they want; false when there were none. */
static bool fill_small(struct sy_executor *exec, bool write, struct filling *left)
{
    const uint64_t fair = fair_share(left);
    bool some = false;
    for (uint32_t m = 0; m < exec->memories; m++)
        for (uint32_t i = 0; i < exec->memory[m].phases; i++) {
            struct sy_exec_phase *phase = &exec->memory[m].phase[i];
            if (!moves(phase, write) || phase->fill != SY_UNKNOWN || phase->demand > fair)
                continue;
            phase->fill = phase->demand;
            left->port -= sy_min(left->port, phase->fill);
            left->pool -= sy_min(left->pool, phase->fill * entering(phase));
            left->phases--;
            left->entering -= entering(phase);
            some = true;
        }
    return some && left->phases;
}

static void fill(struct sy_executor *exec, bool write)
{
    struct filling left = {.port = exec->crossbar.port, .pool = exec->crossbar.pool};
    for (uint32_t m = 0; m < exec->memories; m++)
        for (uint32_t i = 0; i < exec->memory[m].phases; i++) {
            struct sy_exec_phase *phase = &exec->memory[m].phase[i];
            if (!moves(phase, write))
                continue;
            phase->fill = SY_UNKNOWN;
            left.phases++;
            left.entering += entering(phase);
        }
    if (!left.phases)
        return;
    while (fill_small(exec, write, &left))
        continue;
    const uint64_t fair = left.phases ? fair_share(&left) : 0;
    for (uint32_t m = 0; m < exec->memories; m++)
        for (uint32_t i = 0; i < exec->memory[m].phases; i++) {
            struct sy_exec_phase *phase = &exec->memory[m].phase[i];
            if (moves(phase, write) && phase->fill == SY_UNKNOWN)
                phase->fill = fair;
        }
}

/* Without sharing: every phase has the port, and its part of the crossbar, to itself. */
static void fill_ideal(struct sy_exec_memory *memory)
{
    const struct sy_exec_crossbar *crossbar = &memory->exec->crossbar;
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        uint64_t most = sy_min(crossbar->port, sy_max(crossbar->pool / entering(phase), 1));
        if (phase->crosses)
            phase->fill = sy_min(phase->demand, most);
    }
}

/* Limits of the memory's phases by what they were filled with; true when they change. apply: they are set. */
static bool limits(struct sy_exec_memory *memory, bool apply, bool *limited)
{
    bool changed = false;
    *limited = false;
    for (uint32_t i = 0; i < memory->phases; i++) {
        const struct sy_exec_phase *phase = &memory->phase[i];
        *limited |= phase->active && phase->crosses && phase->fill < phase->demand;
    }
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        if (!phase->active || !phase->crosses)
            continue;
        uint64_t limit = *limited ? phase->fill : UINT64_MAX;
        changed |= phase->limit != limit;
        if (apply)
            phase->limit = limit;
    }
    return changed;
}

enum sy_status sy_exec_crossbar_limit(struct sy_exec_memory *memory, bool *limited)
{
    struct sy_executor *exec = memory->exec;
    bool ideal = exec->options.memory == SY_MEMORY_IDEAL, ignored;
    *limited = false;
    if (exec->crossbar.port == UINT64_MAX && exec->crossbar.pool == UINT64_MAX)
        return SY_OK;
    if (ideal) {
        fill_ideal(memory);
    } else {
        fill(exec, false);
        fill(exec, true);
    }
    (void)limits(memory, true, limited);
    for (uint32_t m = 0; m < exec->memories && !ideal; m++) {
        struct sy_exec_memory *other = &exec->memory[m];
        if (other == memory || other->bursts || other->target || !limits(other, false, &ignored))
            continue;
        other->rated = false;
        enum sy_status status = sck_event_notify_delta(other->event);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}

/* ---- what was lost ---- */

/* At a pace, up to now. What is lost is rounded here: only where the pace changes, whoever looks in between. */
static void keep_lost(struct sy_exec_phase *phase, const struct sy_exec_pace *pace, uint64_t now_fine)
{
    uint64_t lost = 0, elapsed = now_fine - phase->since;
    phase->since = now_fine;
    if (phase->crosses && pace->rate < pace->demand && elapsed < UINT64_MAX / SY_EXEC_HELD &&
        sy_mul_div(elapsed * SY_EXEC_HELD, pace->demand - pace->rate, pace->demand, &lost))
        phase->held += lost;
}

void sy_exec_crossbar_rated(struct sy_exec_memory *memory)
{
    const uint64_t now_fine = sy_exec_fine(memory->exec, memory->updated_tick);
    for (uint32_t i = 0; i < memory->phases; i++) {
        struct sy_exec_phase *phase = &memory->phase[i];
        if (phase->active && (phase->was.demand != phase->demand || phase->was.rate != phase->rate))
            keep_lost(phase, &phase->was, now_fine);
    }
}

uint64_t sy_exec_crossbar_held(struct sy_exec_phase *phase, uint64_t now_fine)
{
    const struct sy_exec_pace pace = {phase->demand, phase->rate};
    if (phase->active)
        keep_lost(phase, &pace, now_fine);
    return phase->held / SY_EXEC_HELD / SY_EXEC_FINE;
}

void sy_exec_crossbar_begun(const struct sy_executor *exec, struct sy_exec_phase *phase)
{
    uint64_t latency = sy_exec_fine(exec, exec->crossbar.latency) - exec->offset;
    uint64_t ready = sy_exec_fine(exec, phase->ready_tick);
    phase->since = sy_exec_fine(exec, sck_time(exec->sim));
    if (phase->crosses && ready > phase->engine_free)
        phase->held += sy_min(latency, ready - phase->engine_free) * SY_EXEC_HELD;
}

uint64_t sy_exec_crossbar_pass(struct sy_exec_memory *memory, struct sy_exec_phase *phase, uint64_t tick)
{
    struct sy_executor *exec = memory->exec;
    struct sy_exec_crossbar *crossbar = &exec->crossbar;
    uint64_t port = 0, pool = 0, entered = 0, from = sy_max(crossbar->port_free[phase->write], phase->ready_tick);
    if (!phase->crosses)
        return tick;
    sy_exec_crossbar_begun(exec, phase);
    if (crossbar->port == UINT64_MAX && crossbar->pool == UINT64_MAX)
        return tick;
    if (crossbar->port != UINT64_MAX)
        (void)sy_mul_div_up(phase->bus_bytes, ticks_per_second, crossbar->port, &port);
    if (crossbar->pool != UINT64_MAX && sy_mul(phase->bus_bytes, entering(phase), &entered))
        (void)sy_mul_div_up(entered, ticks_per_second, crossbar->pool, &pool);
    uint64_t end = tick;
    if (sy_add(from, sy_max(port, pool), &from))
        end = sy_max(tick, from);
    crossbar->port_free[phase->write] = end;
    phase->held += (sy_exec_fine(exec, end) - sy_exec_fine(exec, tick)) * SY_EXEC_HELD;
    return end;
}
