/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several equal cores on one matrix item: what all of them do of a step, where
 * the commands are those of a core with the largest share (sim/map/cores.h).
 *
 * Shares differ by one at most, so a core with the smaller one does the same
 * steps but the last of the split dimension, whose tile is one shorter or none.
 *
 * A split of k leaves every core with a partial sum of the whole block of C.
 * Each core owns an equal part of the block: it sends the others their parts
 * and receives theirs of its own, at accumulator width, through the innermost
 * level of C's chain that the cores share; its vector unit adds them up, applies
 * the epilogue, and the part goes home. So P cores exchange (P - 1) x block in
 * each direction, whatever P.
 */
#include <string.h>

#include "sim/engine/exec_dma.h"
#include "sim/engine/schedule_internal.h"

/* The block of the cores with the smaller share; false when they have none of it. */
static bool less_block(const struct sy_matrix_walk *w, uint32_t level, uint64_t extent[SY_DIMS])
{
    enum sy_dim dim = w->problem.split;
    memcpy(extent, w->extent[level], SY_DIMS * sizeof *extent);
    if (w->start[level][dim] + extent[dim] == w->problem.size[dim])
        extent[dim]--;
    return extent[dim] > 0;
}

/* Cores that have work at all. */
uint64_t sy_cores_at_work(const struct sy_matrix_walk *w)
{
    bool all = w->problem.split < SY_DIMS && w->problem.size[w->problem.split] > 1;
    return w->shares.cores + (all ? w->shares.less_cores : 0);
}

/* Cores for which there is something of the block. */
static uint64_t cores_with_block(const struct sy_matrix_walk *w, uint32_t level)
{
    uint64_t less[SY_DIMS];
    return w->shares.cores + (w->shares.less_cores && less_block(w, level, less) ? w->shares.less_cores : 0);
}

/* Who takes part in a move: 0 stands for all cores of the chip. */
static uint64_t taking_part(const struct sy_scheduler *s, uint64_t cores)
{
    return cores < s->chip->cores ? cores : 0;
}

/* Whether all cores at work do alike with the operand: it is not cut along the split. */
static bool all_alike(const struct sy_matrix_walk *w, enum sy_operand operand)
{
    return !w->shares.less_cores || (operand == SY_C && w->problem.split == SY_DIM_K);
}

/* Whether the cores have a block in common, at a level that is common too. */
static bool one_for_all(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level)
{
    const struct sy_level *there = &w->problem.chip->level[level];
    return (there->shared || there->kind != SY_LEVEL_SRAM) && sy_map_read_once(&w->problem, operand);
}

uint64_t sy_cores_block_bytes(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level,
                              enum sy_dtype dtype)
{
    uint64_t less[SY_DIMS], own = sy_matrix_block_bytes(w, operand, w->start[level], w->extent[level], dtype);
    if (one_for_all(w, operand, level))
        return own;
    if (all_alike(w, operand))
        return own * sy_cores_at_work(w);
    bool some = less_block(w, level, less);
    return own * w->shares.cores +
           (some ? sy_matrix_block_bytes(w, operand, w->start[level], less, dtype) * w->shares.less_cores : 0);
}

/* A load of what several cores have in common: read once, and delivered to each, or once for all where they share the
 * level it goes to. The rest of `all` is complete. */
static bool read_once(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level, uint64_t bus,
                      struct sy_issue *issue)
{
    struct sy_all_cores *all = &issue->command.all;
    if (!one_for_all(w, operand, issue->command.u.move.parent) || issue->command.kind != SY_CMD_LOAD)
        return false;
    all->u.move.bus_bytes = bus;
    if (one_for_all(w, operand, level))
        all->u.move.cores = 1;
    else
        all->u.move.cast = all->u.move.cores != 1;
    return true;
}

/* Rows of the smaller share lie closer together, as those of the larger one lie as close as they can. */
static uint64_t less_pitch(const struct sy_matrix_walk *w, enum sy_dim along, enum sy_dtype dtype)
{
    return (sy_max(w->problem.size[along], 1) - 1) * sy_dtypes[dtype].bits / 8;
}

void sy_cores_move(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                   uint32_t level, enum sy_dtype dtype, struct sy_issue *issue)
{
    struct sy_all_cores *all = &issue->command.all;
    struct sy_command less = issue->command;
    const struct sy_level *outer = &s->chip->level[less.u.move.parent];
    const enum sy_dim along = operand == SY_A ? SY_DIM_K : SY_DIM_N; /* how the rows lie */
    uint64_t extent[SY_DIMS], bus = 0, less_bus = 0;
    if (s->chip->cores <= 1 || !sy_exec_bus_bytes(outer, &issue->command, &bus))
        return; /* what overflows the executor refuses */
    all->given = true;
    all->u.move.bytes = sy_cores_block_bytes(w, operand, level, dtype);
    all->u.move.cores = taking_part(s, all_alike(w, operand) ? sy_cores_at_work(w) : cores_with_block(w, level));
    if (read_once(w, operand, level, bus, issue))
        return;
    if (all_alike(w, operand)) {
        all->u.move.bus_bytes = bus * sy_cores_at_work(w);
        return;
    }
    if (less_block(w, level, extent)) {
        bool rows = less.u.move.rows > 1 || less.u.move.pitch_bytes != less.u.move.row_bytes;
        if (!rows || !sy_matrix_shape_rows(w, operand, w->start[level], extent, dtype, &less)) {
            less.u.move.rows = 1;
            less.u.move.row_bytes = less.u.move.pitch_bytes =
                sy_matrix_block_bytes(w, operand, w->start[level], extent, dtype);
        }
        if (less.u.move.pitch_bytes == issue->command.u.move.pitch_bytes && w->problem.split == along)
            less.u.move.pitch_bytes = sy_min(less.u.move.pitch_bytes, less_pitch(w, along, dtype));
        (void)sy_exec_bus_bytes(outer, &less, &less_bus);
        less_bus = sy_min(less_bus, bus); /* where its shorter rows straddle more bursts: the model knows one core's */
    }
    all->u.move.bus_bytes = bus * w->shares.cores + less_bus * w->shares.less_cores;
}

uint64_t sy_cores_groups(const struct sy_matrix_walk *w, uint32_t level)
{
    uint64_t less[SY_DIMS], groups = w->extent[level][SY_DIM_G];
    if (one_for_all(w, SY_B, level))
        return groups;
    if (w->problem.split != SY_DIM_G || !w->shares.less_cores)
        return groups * sy_cores_at_work(w);
    return groups * w->shares.cores + (less_block(w, level, less) ? less[SY_DIM_G] * w->shares.less_cores : 0);
}

void sy_cores_pieces(const struct sy_scheduler *s, const struct sy_matrix_walk *w, uint32_t level,
                     struct sy_issue *issue)
{
    struct sy_all_cores *all = &issue->command.all;
    uint64_t bus = 0, groups = sy_max(w->extent[level][SY_DIM_G], 1), rows = issue->command.u.move.rows;
    if (s->chip->cores <= 1 || !sy_exec_bus_bytes(&s->chip->level[issue->command.u.move.parent], &issue->command, &bus))
        return;
    all->given = true;
    all->u.move.cores = taking_part(s, cores_with_block(w, level));
    all->u.move.bytes = rows / groups * sy_cores_groups(w, level) * issue->command.u.move.row_bytes;
    if (!read_once(w, SY_B, level, bus, issue))
        (void)sy_mul_div(bus, sy_cores_groups(w, level), groups, &all->u.move.bus_bytes);
}

void sy_cores_matmul(const struct sy_scheduler *s, const struct sy_matrix_walk *w, struct sy_issue *issue)
{
    struct sy_all_cores *all = &issue->command.all;
    uint64_t less[SY_DIMS];
    if (s->chip->cores <= 1)
        return;
    all->given = true;
    all->u.matmul.cores = w->shares.cores;
    if (!w->shares.less_cores || !less_block(w, 0, less))
        return;
    if (!memcmp(less, w->extent[0], sizeof less)) {
        all->u.matmul.cores += w->shares.less_cores;
        return;
    }
    all->u.matmul.less_cores = w->shares.less_cores;
    all->u.matmul.m = less[SY_DIM_M];
    all->u.matmul.k = less[SY_DIM_K];
    all->u.matmul.n = less[SY_DIM_N];
    all->u.matmul.repeat = less[SY_DIM_G];
}

struct sy_core_shares sy_cores_outputs(const struct sy_matrix_walk *w, uint32_t level, uint64_t *less)
{
    const uint64_t *extent = w->extent[level];
    struct sy_core_shares own = w->shares;
    uint64_t block[SY_DIMS];
    own.share = extent[SY_DIM_M] * extent[SY_DIM_N] * extent[SY_DIM_G];
    *less = own.share;
    if (w->problem.split == SY_DIM_K) { /* each owns a part of the block */
        own = sy_core_shares(own.share, sy_cores_at_work(w));
        *less = own.less_cores ? own.share - 1 : 0;
    } else if (own.less_cores) {
        *less = less_block(w, level, block) ? block[SY_DIM_M] * block[SY_DIM_N] * block[SY_DIM_G] : 0;
    }
    return own;
}

/* A contiguous move of so many bytes by the larger and the smaller cores. */
void sy_cores_contiguous(const struct sy_scheduler *s, const struct sy_core_shares *cores, uint64_t less_bytes,
                         struct sy_issue *issue)
{
    struct sy_all_cores *all = &issue->command.all;
    struct sy_command less = issue->command;
    const struct sy_level *outer = &s->chip->level[less.u.move.parent];
    uint64_t bus = 0, less_bus = 0;
    if (s->chip->cores <= 1 || !sy_exec_bus_bytes(outer, &issue->command, &bus))
        return;
    less.u.move.row_bytes = less.u.move.pitch_bytes = less_bytes;
    (void)sy_exec_bus_bytes(outer, &less, &less_bus);
    all->given = true;
    all->u.move.cores = taking_part(s, cores->cores + (less_bytes ? cores->less_cores : 0));
    all->u.move.bytes = issue->command.u.move.row_bytes * cores->cores + less_bytes * cores->less_cores;
    all->u.move.bus_bytes = bus * cores->cores + less_bus * cores->less_cores;
}

void sy_cores_vector(const struct sy_scheduler *s, const struct sy_matrix_walk *w, const struct sy_core_shares *cores,
                     uint64_t less, struct sy_issue *issue)
{
    struct sy_command other = {.kind = SY_CMD_VECTOR};
    if (s->chip->cores <= 1)
        return;
    if (less)
        sy_matrix_fill_vector(w, &other, less);
    issue->command.all.given = true;
    const uint64_t more = cores->cores, fewer = cores->less_cores;
    issue->command.all.u.vector.elements = issue->command.u.vector.elements * more + other.u.vector.elements * fewer;
    issue->command.all.u.vector.simple_ops =
        issue->command.u.vector.simple_ops * more + other.u.vector.simple_ops * fewer;
    issue->command.all.u.vector.transcendental_ops =
        issue->command.u.vector.transcendental_ops * more + other.u.vector.transcendental_ops * fewer;
    issue->command.all.u.vector.reduce_ops =
        issue->command.u.vector.reduce_ops * more + other.u.vector.reduce_ops * fewer;
    issue->command.all.u.vector.bytes_in = issue->command.u.vector.bytes_in * more + other.u.vector.bytes_in * fewer;
    issue->command.all.u.vector.bytes_out = issue->command.u.vector.bytes_out * more + other.u.vector.bytes_out * fewer;
}

/* ---- who gets what ---- */

/* As said in docs/model-engine.md: groups, else N, else, when N has fewer folds than there are cores, M. */
static enum sy_dim split_by_folds(const struct sy_scheduler *s, const struct sy_matrix_item *item)
{
    const uint64_t cores = s->chip->cores, fold = s->chip->array.cols * s->chip->array.count;
    if (item->groups >= cores && !item->shared_b)
        return SY_DIM_G;
    return sy_ceil_div(item->n, fold) >= cores || item->m < cores ? SY_DIM_N : SY_DIM_M;
}

static void take_share(struct sy_matrix_walk *w, const struct sy_chip *chip, enum sy_dim dim)
{
    struct sy_problem *problem = &w->problem;
    struct sy_matrix_item *item = &problem->item;
    uint64_t *const size[SY_DIMS] = {&item->m, &item->k, &item->n, &item->groups};
    if (dim == SY_DIM_N) { /* what is no padding */
        item->n -= item->pad_n;
        item->pad_n = 0;
    } else if (dim == SY_DIM_K) {
        item->k -= item->pad_k;
        item->pad_k = 0;
    }
    w->shares = sy_core_shares(*size[dim], chip->cores);
    problem->size[dim] = *size[dim] = w->shares.share;
    problem->split = dim;
    problem->cores = sy_cores_at_work(w);
    for (uint32_t i = problem->chain_length[SY_C]; i-- > 0;) {
        const struct sy_level *level = &chip->level[problem->chain[SY_C][i]];
        if (level->shared || level->kind != SY_LEVEL_SRAM)
            problem->exchange_level = problem->chain[SY_C][i];
    }
}

/* The split with the least estimate; the first of the list where several have it. */
static enum sy_status split_by_estimate(struct sy_scheduler *s, struct sy_matrix_walk *w, enum sy_dim *best)
{
    const struct sy_problem whole = w->problem;
    const enum sy_dim order[] = {*best, SY_DIM_G, SY_DIM_N, SY_DIM_M, SY_DIM_K};
    double least = -1;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct sy_mapping mapping;
        struct sy_estimate estimate;
        char why[160];
        bool again = i > 0 && order[i] == order[0], shared = order[i] == SY_DIM_G && whole.item.shared_b;
        if (again || shared || (i > 0 && whole.size[order[i]] < 2))
            continue;
        take_share(w, s->chip, order[i]);
        sy_plan_free_bytes(s, &w->problem);
        enum sy_status status = sy_plan_map(s, w, &mapping, &estimate, why);
        double cycles = (double)estimate.cycles;
        if (status == SY_OK && order[i] == SY_DIM_K)
            cycles += sy_exchange_cycles(s, &w->problem, sy_cores_at_work(w));
        w->problem = whole;
        if (status != SY_OK && status != SY_UNSUPPORTED)
            return status;
        if (status == SY_OK && (least < 0 || cycles < least)) {
            least = cycles;
            *best = order[i];
        }
    }
    return SY_OK;
}

enum sy_status sy_cores_share(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    static const enum sy_dim fixed[] = {
        [SY_SPLIT_M] = SY_DIM_M, [SY_SPLIT_N] = SY_DIM_N, [SY_SPLIT_K] = SY_DIM_K, [SY_SPLIT_GROUPS] = SY_DIM_G};
    const enum sy_core_split wanted = s->chip->core_split;
    w->shares = (struct sy_core_shares){.cores = 1};
    if (s->chip->cores <= 1)
        return SY_OK;
    enum sy_dim dim = split_by_folds(s, &w->problem.item);
    if (wanted == SY_SPLIT_ESTIMATE) {
        enum sy_status status = split_by_estimate(s, w, &dim);
        if (status != SY_OK)
            return status;
    } else if (wanted != SY_SPLIT_FOLDS) {
        dim = fixed[wanted];
    }
    take_share(w, s->chip, dim);
    return SY_OK;
}
