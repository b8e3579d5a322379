/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation of DMA engines (chip key core.dma.tlb; off when left out). Each engine that reaches off-chip
 * memory has a buffer of its own (tlb.h), which lives as long as the run. A miss is a walk: the engine issues nothing
 * for so many cycles, and reads the page table, whose bytes go over the memory's bus.
 *
 *  - a walk for the first page passes before the first request;
 *  - the others hold up the requests behind them, while those before them are served: a phase takes at least
 *    bytes / its rate + walks x latency after its first request.
 *
 * The latency holds the reads of the walk, so the bytes are traffic and bandwidth, not more latency. Where requests
 * are served one by one (burst, tlm) they are counted but take no slot.
 */
#include "sim/engine/executor_internal.h"

enum { ENTRY_BYTES = 8 /* of a page table: RISC-V Sv39/Sv48, x86-64, Arm VMSAv8-64; read */ };

enum sy_status sy_exec_tlb_open(struct sy_executor *exec)
{
    const struct sy_tlb_config *config = &exec->chip->dma.tlb;
    const struct sy_tlb_shape shape = {config->entries, config->ways, config->page_bytes};
    enum sy_status status = SY_OK;
    for (uint32_t u = 0; config->entries && status == SY_OK && u < exec->units; u++) {
        struct sy_exec_unit *unit = &exec->unit[u];
        if (unit->kind < SY_UNIT_LOAD || exec->chip->level[unit->parent].kind == SY_LEVEL_SRAM)
            continue;
        unit->stats.has_tlb = true;
        status = sy_tlb_create(&shape, &unit->tlb);
    }
    return status;
}

void sy_exec_tlb_close(struct sy_executor *exec)
{
    for (uint32_t u = 0; u < exec->units; u++)
        sy_tlb_destroy(exec->unit[u].tlb);
}

/* Bytes a second of a phase that walks hold up, what they read themselves included where that takes time on the bus:
 * it is in the latency of a walk, and so must not take longer. */
static uint64_t held_up(const struct sy_exec_phase *phase, uint64_t walk_cycles)
{
    const struct sy_executor *exec = phase->unit->exec;
    const struct sy_exec_memory *memory = &exec->memory[exec->memory_of[phase->unit->parent]];
    const double bytes = (double)phase->bus_bytes;
    const double walks = memory->bursts || memory->target ? 0 : (double)phase->walk_bytes;
    const double walking = (double)walk_cycles * (double)exec->core_hz_den / (double)exec->core_hz_num;
    const double rate = (bytes + walks) / (bytes / (double)phase->cap + walking);
    const uint64_t most = UINT64_C(9000000000000000000); /* no bound */
    return rate < 1 ? 1 : rate >= (double)most ? sy_max(phase->cap, most) : (uint64_t)rate;
}

enum sy_status sy_exec_tlb_translate(struct sy_exec_phase *phase, uint64_t *lead_cycles)
{
    struct sy_exec_unit *unit = phase->unit;
    const struct sy_executor *exec = unit->exec;
    const struct sy_tlb_config *config = &exec->chip->dma.tlb;
    const uint64_t burst = sy_max(exec->chip->level[unit->parent].burst_bytes, 1);
    *lead_cycles = 0;
    if (!unit->tlb || !phase->bus_bytes)
        return SY_OK;
    const struct sy_tlb_move move = {.address = phase->address,
                                     .rows = phase->rows,
                                     .row_bytes = phase->row_bytes,
                                     .pitch_bytes = phase->pitch_bytes,
                                     .scatter = phase->scatter,
                                     .seed = (phase->id + 1) * UINT64_C(0x9E3779B97F4A7C15)}; /* as in exec_burst.c */
    const struct sy_tlb_count count = sy_tlb_translate(unit->tlb, &move);
    uint64_t behind = 0;
    if (!sy_mul(count.misses, config->walk_cycles, &phase->walk_cycles) ||
        !sy_mul3(count.misses, config->walk_reads, sy_ceil_div(ENTRY_BYTES, burst) * burst, &phase->walk_bytes) ||
        !sy_add(unit->stats.tlb_misses, count.misses, &unit->stats.tlb_misses))
        return SY_OVERFLOW;
    *lead_cycles = count.first ? config->walk_cycles : 0;
    behind = phase->walk_cycles - *lead_cycles;
    if (count.misses)
        phase->cap = held_up(phase, behind);
    return SY_OK;
}
