/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory servers on a TLM-2.0 target of the user's (`--memory tlm:FILE`): the
 * requests of all phases go to it one by one, each at its own time, and it says
 * when each is complete. Latency, bandwidth and contention are its own; of the
 * chip's level only the burst size, of the chip's DMA the bounds remain:
 *  - a row (or a contiguous phase) is cut at multiples of the request size
 *    (dma.request_bytes, or else a burst), partial bursts counted as whole;
 *  - an engine offers the requests of one phase after the other, no faster than
 *    its own rate, and has at most dma.outstanding_requests in flight: the n-th
 *    waits for the completion of the one so many before it;
 *  - of several engines that could ask at one tick the one served longest ago
 *    goes first.
 * A phase is done when all its requests are complete and its bytes have passed
 * the engine. The server sleeps until the next request or completion.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/executor_internal.h"

enum { DEFAULT_REQUEST = 64 /* bytes, of a level without bursts: a choice */, LONGEST_REQUEST = 65536 };
static const uint64_t ticks_per_second = UINT64_C(1000000000000000);

/* One engine. */
struct flow {
    uint64_t *done;       /* ring of the completions of its last requests */
    uint64_t asked;       /* requests so far */
    uint64_t base, paced; /* bytes since tick base, without a pause ... */
    uint64_t free;        /* ... have passed the engine at this tick */
    uint64_t turn;
};

/* What of a phase has been asked for. */
struct cursor {
    uint64_t rows, row, row_bytes, pitch;
    uint64_t at, end; /* of the row: next byte, and the end of its last burst */
    uint64_t done;    /* latest completion so far */
};

struct sy_memory_target {
    struct sck_target *port;
    uint64_t burst, request, outstanding; /* bytes, bytes, requests; 0 = no bound */
    uint64_t taken;                       /* bit p: place p holds a phase */
    uint64_t turns;
    bool busy;
    char *path;
    struct flow flow[SY_MAX_UNITS];
    struct cursor cursor[SY_EXEC_PHASES];
};

static enum sy_status complain(const struct sy_exec_memory *memory, enum sy_status status)
{
    const struct sy_executor *exec = memory->exec;
    const char *hint =
        status == SY_USAGE ? "run with --kernel systemc" : "docs/model-memory.md says what a memory target must do";
    (void)sy_error(exec->diag, SY_NOWHERE, hint, "memory target '%s' for memory.%s: %s", memory->target->path,
                   exec->chip->level[memory->level].name, sck_last_error(exec->sim));
    return status;
}

static void set_sizes(struct sy_memory_target *own, const struct sy_level *level, const struct sy_dma *dma)
{
    own->burst = sy_max(level->burst_bytes, 1);
    const uint64_t wanted = dma->request_bytes       ? dma->request_bytes
                            : level->burst_bytes > 1 ? level->burst_bytes
                                                     : DEFAULT_REQUEST;
    const uint64_t most = sy_max(sy_min(wanted, LONGEST_REQUEST), own->burst);
    own->request = most / own->burst * own->burst;
    own->outstanding = dma->outstanding_requests; /* at most 2^20: chip_schema.c */
}

static enum sy_status load(struct sy_exec_memory *memory, char *argument)
{
    struct sy_executor *exec = memory->exec;
    struct sy_memory_target *own = memory->target;
    const struct sy_level *level = &exec->chip->level[memory->level];
    struct sck_target_spec spec = {.path = own->path,
                                   .argument = argument,
                                   .name = level->name,
                                   .read_bytes_per_s = exec->level_rate[memory->level][0],
                                   .write_bytes_per_s = exec->level_rate[memory->level][1],
                                   .burst_bytes = level->burst_bytes,
                                   .longest_bytes = (uint32_t)own->request};
    if (!sy_mul(level->latency_ps, 1000, &spec.latency_fs))
        return SY_OVERFLOW;
    enum sy_status status = sck_target_open(exec->sim, &spec, &own->port);
    return status == SY_OK ? SY_OK : complain(memory, status);
}

enum sy_status sy_exec_target_open(struct sy_executor *exec, struct sy_exec_memory *memory)
{
    const struct sy_level *level = &exec->chip->level[memory->level];
    if (exec->options.memory != SY_MEMORY_TARGET || level->kind != SY_LEVEL_DRAM)
        return SY_OK;
    if (exec->chip->cores > 1)
        return sy_error(exec->diag, SY_NOWHERE, "run one core: --set cores=1",
                        "a memory target sees the requests of one core, and chip '%s' has %llu that share its memory",
                        exec->chip->name, (unsigned long long)exec->chip->cores);
    struct sy_memory_target *own = calloc(1, sizeof *own);
    if (!own)
        return SY_NOMEM;
    memory->target = own;
    own->path = strdup(exec->options.target + strlen("tlm:"));
    if (!own->path)
        return SY_NOMEM;
    char *argument = strchr(own->path, ',');
    if (argument)
        *argument++ = '\0';
    set_sizes(own, level, &exec->chip->dma);
    if (own->request > LONGEST_REQUEST)
        return sy_error(exec->diag, SY_NOWHERE, "give the level smaller bursts",
                        "a burst of memory.%s is longer than a request to a memory target can be (%d bytes)",
                        level->name, LONGEST_REQUEST);
    for (uint32_t u = 0; own->outstanding && u < exec->units; u++) {
        if (exec->unit[u].kind < SY_UNIT_LOAD || exec->unit[u].parent != memory->level)
            continue;
        own->flow[u].done = calloc(own->outstanding, sizeof *own->flow[u].done);
        if (!own->flow[u].done)
            return SY_NOMEM;
    }
    exec->targeted = true;
    return load(memory, argument);
}

void sy_exec_target_close(struct sy_exec_memory *memory)
{
    if (!memory->target)
        return;
    for (uint32_t u = 0; u < SY_MAX_UNITS; u++)
        free(memory->target->flow[u].done);
    free(memory->target->path);
    free(memory->target);
}

/* ---- requests ---- */

/* False: beyond the range of addresses. */
static bool begin_row(const struct sy_memory_target *own, const struct sy_exec_phase *phase, struct cursor *cursor)
{
    uint64_t start = 0, end = 0;
    uint64_t row = cursor->row;
    if (phase->scatter) { /* a hash of move and row chooses among the places */
        uint64_t mixed = (phase->id + 1) * UINT64_C(0x9E3779B97F4A7C15) + row;
        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        row = (mixed ^ mixed >> 27) % (phase->scatter / cursor->pitch);
    }
    if (!sy_mul(row, cursor->pitch, &start) || !sy_add(start, phase->address, &start) ||
        !sy_add(start, cursor->row_bytes, &end) || !sy_add(end, own->burst - 1, &end))
        return false;
    cursor->at = start - start % own->burst;
    cursor->end = end - end % own->burst;
    return true;
}

enum sy_status sy_exec_target_add(struct sy_exec_memory *memory, struct sy_exec_phase *phase)
{
    struct sy_memory_target *own = memory->target;
    if (!~own->taken)
        return SY_INTERNAL; /* as many as the server has places for phases */
    phase->place = (uint8_t)__builtin_ctzll(~own->taken);
    own->taken |= UINT64_C(1) << phase->place;
    const bool apart = phase->scatter || (phase->rows > 1 && phase->pitch_bytes != phase->row_bytes);
    struct cursor *cursor = &own->cursor[phase->place];
    *cursor = (struct cursor){.rows = !phase->bytes ? 0
                                      : apart       ? phase->rows
                                                    : 1,
                              .row_bytes = apart ? phase->row_bytes : phase->bytes,
                              .pitch = phase->pitch_bytes};
    return cursor->rows && !begin_row(own, phase, cursor) ? SY_OVERFLOW : SY_OK;
}

static uint64_t next_ask(const struct sy_memory_target *own, const struct sy_exec_phase *phase)
{
    const struct flow *flow = &own->flow[phase->unit->index];
    uint64_t tick = sy_max(phase->ready_tick, flow->free);
    return own->outstanding ? sy_max(tick, flow->done[flow->asked % own->outstanding]) : tick;
}

static enum sy_status ask(struct sy_exec_memory *memory, const struct sy_exec_phase *phase, uint64_t now)
{
    struct sy_memory_target *own = memory->target;
    struct flow *flow = &own->flow[phase->unit->index];
    struct cursor *cursor = &own->cursor[phase->place];
    const uint64_t room = own->request - cursor->at % own->request;
    const struct sck_request request = {.address = cursor->at,
                                        .bytes = (uint32_t)sy_min(room, cursor->end - cursor->at),
                                        .initiator = phase->unit->index,
                                        .write = phase->write};
    uint64_t done = 0, passed = 0;
    enum sy_status status = sck_target_access(own->port, &request, &done);
    if (status != SY_OK)
        return complain(memory, status);
    if (own->outstanding)
        flow->done[flow->asked % own->outstanding] = done;
    flow->asked++;
    flow->turn = ++own->turns;
    if (now > flow->free) {
        flow->base = now;
        flow->paced = 0;
    }
    flow->paced += request.bytes;
    if (phase->cap < UINT64_MAX / 2 && !sy_mul_div(flow->paced, ticks_per_second, phase->cap, &passed))
        return SY_OVERFLOW;
    if (!sy_add(flow->base, passed, &flow->free))
        return SY_OVERFLOW;
    cursor->done = sy_max(cursor->done, sy_max(done, flow->free));
    cursor->at += request.bytes;
    if (cursor->at == cursor->end && ++cursor->row < cursor->rows && !begin_row(own, phase, cursor))
        return SY_OVERFLOW;
    return SY_OK;
}

/* The phase that can ask first, and when; NULL: all is asked for. */
static const struct sy_exec_phase *first_to_ask(const struct sy_exec_memory *memory, uint64_t *tick)
{
    const struct sy_memory_target *own = memory->target;
    const struct sy_exec_phase *first = NULL;
    uint64_t seen = 0;
    *tick = SY_UNKNOWN;
    for (uint32_t i = 0; i < memory->phases; i++) {
        const struct sy_exec_phase *phase = &memory->phase[i];
        const struct cursor *cursor = &own->cursor[phase->place];
        const uint64_t bit = UINT64_C(1) << phase->unit->index;
        if ((seen & bit) || cursor->row == cursor->rows)
            continue;
        seen |= bit;
        const uint64_t at = next_ask(own, phase);
        if (first &&
            (at > *tick || (at == *tick && own->flow[phase->unit->index].turn >= own->flow[first->unit->index].turn)))
            continue;
        first = phase;
        *tick = at;
    }
    return first;
}

/* The oldest phase of an engine that is done; otherwise when one will be, as far as that is known. */
static bool find_done(const struct sy_exec_memory *memory, uint64_t now, uint32_t *index, uint64_t *next)
{
    const struct sy_memory_target *own = memory->target;
    uint64_t seen = 0;
    *next = SY_UNKNOWN;
    for (uint32_t i = 0; i < memory->phases; i++) {
        const struct sy_exec_phase *phase = &memory->phase[i];
        const struct cursor *cursor = &own->cursor[phase->place];
        const uint64_t bit = UINT64_C(1) << phase->unit->index;
        if (seen & bit)
            continue;
        seen |= bit;
        if (cursor->row < cursor->rows)
            continue;
        *index = i;
        const uint64_t tick = sy_max(phase->ready_tick, cursor->done);
        if (tick <= now)
            return true;
        *next = sy_min(*next, tick);
    }
    return false;
}

enum sy_status sy_exec_target_method(void *context)
{
    struct sy_exec_memory *memory = context;
    struct sy_memory_target *own = memory->target;
    const uint64_t now = sck_time(memory->exec->sim);
    const struct sy_exec_phase *phase;
    uint64_t asks = 0, ends = 0;
    uint32_t index = 0;
    if (own->busy)
        memory->busy_ticks += now - memory->updated_tick;
    memory->updated_tick = now;
    while ((phase = first_to_ask(memory, &asks)) && asks <= now) {
        enum sy_status status = ask(memory, phase, now);
        if (status != SY_OK)
            return status;
    }
    while (find_done(memory, now, &index, &ends)) {
        own->taken &= ~(UINT64_C(1) << memory->phase[index].place);
        enum sy_status status = sy_exec_memory_complete(memory, index, now);
        if (status != SY_OK)
            return status;
    }
    own->busy = memory->phases > 0;
    if (!own->busy)
        return SY_OK;
    (void)sck_event_cancel(memory->event);
    return sck_event_notify_at(memory->event, sy_min(asks, ends));
}
