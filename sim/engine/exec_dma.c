/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DMA engines of the executor. An engine works on up to in_flight_limit
 * commands: while one moves its bytes the next waits out descriptor overhead
 * and memory latency, so latency is exposed only when the engine had nothing
 * to do. It takes up one descriptor a cycle. Bytes move in the memory server of
 * the outer level (exec_memory.c).
 */
#include "sim/engine/exec_dma.h"
#include "sim/engine/all_cores.h"
#include "sim/engine/executor_internal.h"
#include "sim/map/mapping.h"

static const uint32_t all_causes = (1u << SY_STALL_COUNT) - 1;

/* Commands an engine works on at once; the second hides its latency behind the first. A modelling choice
 * (double-buffered descriptors, as in the public Gemmini and NVDLA descriptions), confidence medium. */
enum { IN_FLIGHT_LIMIT = 2 };

bool sy_exec_bus_bytes(const struct sy_level *outer, const struct sy_command *command, uint64_t *bytes)
{
    const struct sy_rows rows = {command->u.move.address, command->u.move.rows, command->u.move.row_bytes,
                                 command->u.move.pitch_bytes, command->u.move.scatter != 0};
    return sy_map_bus_bytes(outer->burst_bytes, &rows, bytes);
}

/* The most bytes/s one engine can have in flight: its own width, and outstanding requests over the round trip. */
static uint64_t rate_cap(const struct sy_executor *exec, const struct sy_exec_unit *unit, bool write, bool crosses)
{
    const struct sy_dma *dma = &exec->chip->dma;
    uint64_t cap = UINT64_MAX;
    if (dma->bandwidth_bytes_per_s > 0)
        cap = (uint64_t)dma->bandwidth_bytes_per_s;
    uint64_t latency_ps = exec->chip->level[unit->parent].latency_ps;
    if (exec->memory[exec->memory_of[unit->parent]].target)
        latency_ps = 0; /* there the requests themselves are bounded */
    latency_ps += crosses ? exec->chip->interconnect.latency_ps : 0;
    if (dma->outstanding_requests && dma->request_bytes && latency_ps && !write) {
        uint64_t bytes = 0, rate = 0;
        if (sy_mul(dma->outstanding_requests, dma->request_bytes, &bytes) &&
            sy_mul_div(bytes, UINT64_C(1000000000000), latency_ps, &rate))
            cap = sy_min(cap, sy_max(rate, 1));
    }
    uint64_t inner = exec->level_rate[unit->child][write ? 0 : 1];
    return inner ? sy_min(cap, inner) : cap;
}

/* Who takes part, and what passes the crossbar. */
static enum sy_status start_crossing(struct sy_exec_phase *phase, const struct sy_issue *issue)
{
    struct sy_executor *exec = phase->unit->exec;
    struct sy_crossing crossing;
    if (!sy_issue_crossing(exec->chip, issue, phase->bytes, phase->all_bus_bytes, &crossing))
        return SY_OVERFLOW;
    if (crossing.cast && (phase->write || !crossing.crosses || !exec->chip->interconnect.multicast))
        return sy_error(exec->diag, SY_NOWHERE, "set interconnect.multicast of the chip, or leave allcast out",
                        "command %llu delivers what it reads to several cores, which chip '%s' cannot do",
                        (unsigned long long)phase->id, exec->chip->name);
    phase->cores = crossing.cores;
    phase->cast = crossing.cast;
    phase->crosses = crossing.crosses;
    phase->copied_bytes = crossing.copied_bytes;
    phase->crossed_in = crossing.in;
    phase->crossed_out = crossing.out;
    return SY_OK;
}

static enum sy_status start_move(struct sy_exec_unit *unit, uint64_t start, uint8_t cause)
{
    struct sy_executor *exec = unit->exec;
    struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_command *command = &entry->issue.command;
    const struct sy_level *outer = &exec->chip->level[unit->parent];
    struct sy_exec_phase phase = {.unit = unit,
                                  .id = entry->id,
                                  .layer = entry->issue.layer,
                                  .start_cycle = start,
                                  .cause = cause,
                                  .operand = command->operand,
                                  .write = command->kind == SY_CMD_STORE};
    struct sy_exec_memory *memory = &exec->memory[exec->memory_of[unit->parent]];
    uint64_t latency = phase.write ? 0 : sy_exec_read_latency(memory), ticks = 0, lead = 0;
    if (!sy_mul(command->u.move.row_bytes, command->u.move.rows, &phase.bytes) ||
        !sy_exec_bus_bytes(outer, command, &phase.bus_bytes) ||
        !sy_issue_move_of_all(exec->chip, &entry->issue, phase.bytes, phase.bus_bytes, &phase.all_bytes,
                              &phase.all_bus_bytes))
        return SY_OVERFLOW;
    phase.engine_free = start * SY_EXEC_FINE;
    phase.limit = UINT64_MAX;
    enum sy_status status = start_crossing(&phase, &entry->issue);
    if (status != SY_OK || !sy_add(latency, phase.crosses ? exec->crossbar.latency : 0, &latency))
        return status != SY_OK ? status : SY_OVERFLOW;
    phase.address = command->u.move.address;
    phase.rows = command->u.move.rows;
    phase.row_bytes = command->u.move.row_bytes;
    phase.pitch_bytes = command->u.move.pitch_bytes;
    phase.scatter = command->u.move.scatter;
    phase.cap = rate_cap(exec, unit, phase.write, phase.crosses);
    status = sy_exec_tlb_translate(&phase, &lead);
    if (status != SY_OK)
        return status;
    status = sy_exec_tick(exec, (start + exec->chip->dma.overhead_cycles + lead) * SY_EXEC_FINE, &ticks);
    if (status != SY_OK || !sy_add(ticks, latency, &phase.ready_tick))
        return status != SY_OK ? status : SY_OVERFLOW;
    status = sy_exec_tick(exec, sy_exec_fine(exec, phase.ready_tick), &phase.ready_tick);
    if (status != SY_OK)
        return status;
    unit->in_flight++;
    unit->next_take = start + 1;
    unit->stats.commands++;
    (void)sck_trace_u64(unit->wave, 1);
    sy_exec_pop(unit);
    return sy_exec_memory_add(memory, &phase);
}

/* Wakes on: a new head, a dependency known, a completion. Starts the head when all are met and a place is free. */
enum sy_status sy_exec_dma_method(void *context)
{
    struct sy_exec_unit *unit = context;
    struct sy_executor *exec = unit->exec;
    while (unit->count && unit->in_flight < IN_FLIGHT_LIMIT) {
        uint64_t now = sy_exec_now(exec);
        struct sy_exec_ready ready = sy_exec_head_ready(unit, all_causes);
        if (!ready.known)
            return SY_OK;
        uint64_t earliest = sy_max(ready.cycle, unit->next_take);
        if (earliest > now)
            return sy_exec_notify(exec, unit->event, earliest);
        enum sy_status status = start_move(unit, now, ready.cause);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}
