/* SPDX-License-Identifier: Apache-2.0 */
/* What a mapping needs: tile bytes, buffers, capacity, fetch counts. See mapping.h. */
#include "sim/map/mapping.h"

#include <string.h>

#include "sim/base/checked.h"

void sy_problem_init(struct sy_problem *problem, const struct sy_chip *chip, const struct sy_matrix_item *item)
{
    memset(problem, 0, sizeof *problem);
    problem->chip = chip;
    problem->item = *item;
    problem->split = SY_DIMS;
    problem->cores = sy_max(chip->cores, 1);
    problem->size[SY_DIM_M] = item->m;
    problem->size[SY_DIM_K] = item->k;
    problem->size[SY_DIM_N] = item->n;
    problem->size[SY_DIM_G] = item->groups;
    problem->dtype[SY_A] = item->a;
    problem->dtype[SY_B] = item->b;
    problem->dtype[SY_C] = item->c;
    while (problem->on_chip < chip->levels && chip->level[problem->on_chip].kind == SY_LEVEL_SRAM) {
        problem->free_bytes[problem->on_chip] = chip->level[problem->on_chip].capacity_bytes;
        problem->on_chip++;
    }
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        problem->chain_length[operand] = sy_chip_chain(chip, (enum sy_operand)operand, problem->chain[operand]);
        problem->home[operand] = problem->chain_length[operand] - 1;
    }
}

static uint64_t outer_size(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level,
                           enum sy_dim dim)
{
    return level + 1 < mapping->on_chip ? mapping->tile[level + 1][dim] : problem->size[dim];
}

uint64_t sy_map_trips(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level,
                      enum sy_dim dim)
{
    return sy_ceil_div(outer_size(problem, mapping, level, dim), mapping->tile[level][dim]);
}

bool sy_map_indexes(const struct sy_problem *problem, enum sy_operand operand, enum sy_dim dim)
{
    static const uint8_t uses[SY_OPERANDS] = {
        [SY_A] = 1 << SY_DIM_M | 1 << SY_DIM_K | 1 << SY_DIM_G,
        [SY_B] = 1 << SY_DIM_K | 1 << SY_DIM_N | 1 << SY_DIM_G,
        [SY_C] = 1 << SY_DIM_M | 1 << SY_DIM_N | 1 << SY_DIM_G,
    };
    if (operand == SY_B && dim == SY_DIM_G && problem->item.shared_b)
        return false;
    return uses[operand] >> dim & 1;
}

/* True when k is cut outside `level`, so that C there is a partial sum for a while. */
static bool k_is_cut(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level)
{
    return mapping->tile[level][SY_DIM_K] < problem->size[SY_DIM_K];
}

enum sy_dtype sy_map_c_dtype(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level)
{
    bool inner = problem->chain[SY_C][0] == level;
    if (problem->split == SY_DIM_K && level < problem->exchange_level)
        return problem->item.accumulator;
    if (problem->chip->level[level].accumulates || (inner && problem->chain_length[SY_C] == 1))
        return problem->item.accumulator;
    return k_is_cut(problem, mapping, level) && !mapping->c_resident_partials ? problem->item.accumulator
                                                                              : problem->item.c;
}

static uint64_t matrix_elements(const uint64_t *tile, enum sy_operand operand)
{
    switch (operand) {
    case SY_A:
        return tile[SY_DIM_M] * tile[SY_DIM_K];
    case SY_B:
        return tile[SY_DIM_K] * tile[SY_DIM_N];
    case SY_C:
    case SY_OPERANDS:
        break;
    }
    return tile[SY_DIM_M] * tile[SY_DIM_N];
}

bool sy_map_read_once(const struct sy_problem *problem, enum sy_operand operand)
{
    return problem->chip->interconnect.multicast && operand != SY_C && problem->split < SY_DIMS &&
           !sy_map_indexes(problem, operand, problem->split);
}

uint64_t sy_map_copies(const struct sy_problem *problem, enum sy_operand operand, uint32_t level)
{
    const struct sy_level *there = &problem->chip->level[level];
    bool common = there->shared || there->kind != SY_LEVEL_SRAM;
    return common && !sy_map_read_once(problem, operand) ? problem->cores : 1;
}

uint64_t sy_map_window_elements(const struct sy_problem *problem, uint64_t m, uint64_t k)
{
    /* The largest box of any tile: below the padding; where tiles straddle output rows, one that begins at the end of a
     * row and so spans most rows. */
    const struct sy_window *window = &problem->item.window;
    uint64_t m0 = 0;
    if (m < problem->size[SY_DIM_M]) {
        bool straddles = window->ow % m && m % window->ow;
        m0 = window->ow * sy_ceil_div(window->pt, window->sh) + (straddles ? window->ow - 1 : 0);
        m0 = sy_min(m0, problem->size[SY_DIM_M] - m);
    }
    return sy_window_elements(window, m0, m, 0, k);
}

uint64_t sy_map_bytes_of(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                         uint32_t level, uint64_t elements)
{
    enum sy_dtype dtype = operand == SY_C ? sy_map_c_dtype(problem, mapping, level) : problem->dtype[operand];
    uint64_t groups = sy_map_indexes(problem, operand, SY_DIM_G) ? mapping->tile[level][SY_DIM_G] : 1, bytes = 0;
    if (!sy_mul(elements, groups, &elements) || !sy_dtype_bytes(dtype, elements, &bytes))
        return UINT64_MAX;
    uint64_t align = sy_max(problem->chip->level[level].alignment_bytes, 1);
    return align > 1 ? sy_ceil_div(bytes, align) * align : bytes;
}

uint64_t sy_map_tile_bytes(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                           uint32_t level)
{
    const uint64_t *tile = mapping->tile[level];
    bool boxed = operand == SY_A && problem->item.window.is_conv;
    return sy_map_bytes_of(problem, mapping, operand, level,
                           boxed ? sy_map_window_elements(problem, tile[SY_DIM_M], tile[SY_DIM_K])
                                 : matrix_elements(tile, operand));
}

uint64_t sy_map_side_bytes(const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    uint64_t bits = problem->side_bits, elements = 0, all = 0;
    const uint64_t *tile = mapping->tile[problem->chain[SY_C][0]];
    if (!bits)
        return 0;
    if (!sy_mul3(tile[SY_DIM_M], tile[SY_DIM_N], tile[SY_DIM_G], &elements) || !sy_mul(elements, 2 * bits, &all))
        return UINT64_MAX;
    return sy_ceil_div(all, 8);
}
