/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial sums of a product whose K several cores share.
 *
 * When its share of K is done, every one of P cores has a partial sum of the
 * whole block of e outputs. Each owns ceil(e / P) or floor(e / P) of them: it
 * sends the others their parts and receives theirs of its own, at accumulator
 * width, through the innermost level of C's chain that the cores share (a global
 * buffer, else memory), hop by hop on the engines that also move the operands.
 * Its vector unit adds P - 1 partial sums to each of its own and goes on with
 * the epilogue of its part. All cores together send (P - 1) e and receive as
 * many: a reduce-scatter, which moves the fewest bytes whatever the topology
 * (Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication:
 * theory, practice, and experience", 2007; recalled).
 *
 * What is received takes the room of what was sent: a block is as large as
 * before. Cores are alike, so when a core has sent all have.
 */
#include "sim/engine/exec_dma.h"
#include "sim/engine/schedule_internal.h"

struct parts {
    uint64_t cores;            /* at work */
    uint64_t block;            /* outputs */
    struct sy_core_shares own; /* of the block */
    uint64_t send[2], take[2]; /* outputs, by cores with the larger part and with the smaller one */
};

static struct parts parts_of(const struct sy_matrix_walk *w)
{
    const uint64_t *extent = w->extent[w->problem.chain[SY_C][0]];
    struct parts p = {.cores = sy_cores_at_work(w), .block = extent[SY_DIM_M] * extent[SY_DIM_N] * extent[SY_DIM_G]};
    p.own = sy_core_shares(p.block, p.cores);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t own = p.own.share - sy_min(i, p.own.share);
        p.send[i] = p.block - own;
        p.take[i] = (p.cores - 1) * own;
    }
    return p;
}

/* What leaves a level's buffers, or comes into them. */
static void book(struct sy_scheduler *s, uint32_t level, bool out, uint64_t bytes)
{
    if (out)
        s->released[level][SY_C] += bytes;
    else
        s->filled[level][SY_C] += bytes;
}

/* One hop between position i of C's chain and the next. The core simulated has the larger part. */
static enum sy_status hop(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t i, bool out,
                          const struct parts *parts, struct sy_users *previous)
{
    const uint64_t *amount = out ? parts->send : parts->take;
    uint64_t bytes = 0, less = 0, all = 0, bus = 0, less_bus = 0, stamp;
    const enum sy_dtype dtype = w->problem.item.accumulator;
    uint32_t level = w->problem.chain[SY_C][i], outer = w->problem.chain[SY_C][i + 1];
    if (!sy_dtype_bytes(dtype, amount[0], &bytes) || !sy_dtype_bytes(dtype, amount[1], &less) ||
        !sy_dtype_bytes(dtype, (parts->cores - 1) * parts->block, &all))
        return SY_OVERFLOW;
    struct sy_issue *move = sy_schedule_emit(s, out ? SY_CMD_STORE : SY_CMD_LOAD, &stamp);
    if (!move)
        return SY_INTERNAL;
    /* Who owns less sends more: the exchange takes as long as the most that any core sends, and takes. */
    const uint64_t most = out && parts->own.less_cores ? less : bytes;
    sy_move_fill(move, SY_C, level, outer, most, w->source[SY_C].address);
    struct sy_command part[2] = {move->command, move->command};
    part[0].u.move.row_bytes = part[0].u.move.pitch_bytes = bytes;
    part[1].u.move.row_bytes = part[1].u.move.pitch_bytes = less;
    if (!sy_exec_bus_bytes(&s->chip->level[outer], &part[0], &bus) ||
        !sy_exec_bus_bytes(&s->chip->level[outer], &part[1], &less_bus))
        return SY_OVERFLOW;
    move->command.all.given = s->chip->cores > 1;
    move->command.all.u.move.bytes = all;
    move->command.all.u.move.cores = parts->cores < s->chip->cores ? parts->cores : 0;
    move->command.all.u.move.bus_bytes = bus * parts->own.cores + less_bus * parts->own.less_cores;
    sy_schedule_after_producers(&move->command, previous, SY_STALL_DEPENDENCY);
    *previous = (struct sy_users){{0}};
    sy_users_note(previous, out ? SY_USE_STORE : SY_USE_LOAD, stamp);
    book(s, level, out, all);
    if (i > 0) /* it only passes through the levels between */
        book(s, level, !out, all);
    return SY_OK;
}

enum sy_status sy_exchange(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t matmul, struct sy_users *ready)
{
    const struct parts parts = parts_of(w);
    struct sy_users previous = {{0}};
    enum sy_status status = SY_OK;
    uint32_t hops = 0;
    if (w->problem.split != SY_DIM_K || parts.cores <= 1)
        return SY_OK;
    while (w->problem.chain[SY_C][hops] != w->problem.exchange_level)
        hops++;
    sy_users_note(&previous, SY_USE_MATMUL, matmul);
    for (uint32_t i = 0; i < hops && status == SY_OK; i++)
        status = hop(s, w, i, true, &parts, &previous);
    for (uint32_t i = hops; i-- > 0 && status == SY_OK;)
        status = hop(s, w, i, false, &parts, &previous);
    sy_users_merge(ready, &previous);
    return status;
}

void sy_exchange_add(const struct sy_matrix_walk *w, struct sy_issue *vector)
{
    const struct parts parts = parts_of(w);
    uint64_t bytes = 0, all = (parts.cores - 1) * parts.block;
    if (w->problem.split != SY_DIM_K)
        return;
    (void)sy_dtype_bytes(w->problem.item.accumulator, parts.take[0], &bytes);
    vector->command.u.vector.elements += parts.take[0];
    vector->command.u.vector.simple_ops += parts.take[0];
    vector->command.u.vector.bytes_in += bytes;
    (void)sy_dtype_bytes(w->problem.item.accumulator, all, &bytes);
    vector->command.all.u.vector.elements += all;
    vector->command.all.u.vector.simple_ops += all;
    vector->command.all.u.vector.bytes_in += bytes;
}

void sy_exchange_store(const struct sy_scheduler *s, const struct sy_matrix_walk *w, uint64_t block_bytes,
                       struct sy_issue *store)
{
    struct sy_command *command = &store->command;
    const struct sy_level *outer = &s->chip->level[command->u.move.parent];
    uint64_t cores = sy_cores_at_work(w), bus = 0, own = 0;
    if (!sy_exec_bus_bytes(outer, command, &bus))
        return; /* what overflows the executor refuses */
    if (command->u.move.rows >= cores)
        command->u.move.rows = sy_ceil_div(command->u.move.rows, cores);
    else if (command->u.move.rows > 1)
        command->u.move.row_bytes = sy_ceil_div(command->u.move.row_bytes, cores);
    else
        command->u.move.row_bytes = command->u.move.pitch_bytes = sy_ceil_div(command->u.move.row_bytes, cores);
    (void)sy_exec_bus_bytes(outer, command, &own);
    command->all.u.move.bytes = block_bytes;
    command->all.u.move.bus_bytes = sy_min(bus, own * cores);
}

bool sy_exchange_bytes(const struct sy_matrix_walk *w, uint64_t *bytes)
{
    const uint64_t *size = w->problem.size;
    uint64_t outputs = 0;
    return sy_mul3(size[SY_DIM_M], size[SY_DIM_N], size[SY_DIM_G], &outputs) &&
           sy_mul(outputs, sy_cores_at_work(w) - 1, &outputs) &&
           sy_dtype_bytes(w->problem.item.accumulator, outputs, bytes);
}

double sy_exchange_cycles(const struct sy_scheduler *s, const struct sy_problem *problem, uint64_t cores)
{
    const struct sy_level *level = &s->chip->level[problem->exchange_level];
    const uint64_t *size = problem->size;
    double outputs = (double)size[SY_DIM_M] * (double)size[SY_DIM_N] * (double)size[SY_DIM_G];
    double bytes = (double)(cores - 1) * outputs * sy_dtypes[problem->item.accumulator].bits / 8;
    double hz = (double)s->chip->clock[0].frequency.num / (double)s->chip->clock[0].frequency.den, cycles = 0;
    if (problem->exchange_level > problem->chain[SY_C][0]) {
        const struct sy_interconnect *crossbar = &s->chip->interconnect; /* each way */
        double port = crossbar->port_bytes_per_s > 0 ? bytes / (double)cores * hz / crossbar->port_bytes_per_s : 0;
        double pool = crossbar->bytes_per_s > 0 ? bytes * hz / crossbar->bytes_per_s : 0;
        double crossing = port > pool ? port : pool;
        double write = level->write_bytes_per_s > 0 ? bytes * hz / level->write_bytes_per_s : 0;
        double read = level->read_bytes_per_s > 0 ? bytes * hz / level->read_bytes_per_s : 0;
        cycles += (write > crossing ? write : crossing) + (read > crossing ? read : crossing);
        cycles += 2.0 * (double)s->chip->dma.overhead_cycles +
                  ((double)level->latency_ps + 2.0 * (double)crossbar->latency_ps) * 1e-12 * hz;
    }
    double adds = outputs * (double)(cores - 1) / (double)sy_max(cores, 1) / (double)sy_max(s->chip->vector.lanes, 1);
    return cycles + adds * (double)s->chip->vector.simple_cycles;
}
