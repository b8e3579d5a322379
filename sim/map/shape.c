/* SPDX-License-Identifier: Apache-2.0 */
/* See shape.h. */
#include "sim/map/shape.h"

#include <string.h>

#include "sim/base/checked.h"

void sy_shape_init(struct sy_shape *shape, const struct sy_problem *problem)
{
    memset(shape, 0, sizeof *shape);
    shape->problem = problem;
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        for (int d = 0; d < SY_DIMS; d++)
            shape->indexes[operand] |=
                (uint8_t)(sy_map_indexes(problem, (enum sy_operand)operand, (enum sy_dim)d) << d);
        /* Partial sums have their place even where C stays as a whole. */
        shape->tiles[operand] = (uint32_t)sy_max(problem->home[operand], operand == SY_C);
        for (uint32_t level = problem->on_chip; level < SY_MAX_LEVELS; level++)
            shape->fetches[operand][level] = 1; /* no loops run out there */
    }
}

/* Elements of the box of a convolution's input that a tile reads, remembered: it takes long to count. */
static uint64_t window_elements(struct sy_shape *shape, const uint64_t tile[SY_DIMS])
{
    uint64_t m = tile[SY_DIM_M], k = tile[SY_DIM_K];
    uint64_t slot = ((m * UINT64_C(0x9E3779B97F4A7C15)) ^ (k * UINT64_C(0xC2B2AE3D27D4EB4F))) >> 58;
    if (shape->window[slot].m != m || shape->window[slot].k != k) {
        shape->window[slot].m = m;
        shape->window[slot].k = k;
        shape->window[slot].elements = sy_map_window_elements(shape->problem, m, k);
    }
    return shape->window[slot].elements;
}

static void tile_bytes(struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand,
                       uint32_t level)
{
    const struct sy_problem *problem = shape->problem;
    const uint64_t *tile = mapping->tile[level];
    bool boxed = operand == SY_A && problem->item.window.is_conv;
    shape->bytes[operand][level] = boxed
                                       ? sy_map_bytes_of(problem, mapping, operand, level, window_elements(shape, tile))
                                       : sy_map_tile_bytes(problem, mapping, operand, level);
}

void sy_shape_tiles(struct sy_shape *shape, const struct sy_mapping *mapping, uint32_t from)
{
    const struct sy_problem *problem = shape->problem;
    for (uint32_t level = from ? from - 1 : 0; level < mapping->on_chip; level++) {
        const uint64_t *outer = level + 1 < mapping->on_chip ? mapping->tile[level + 1] : problem->size;
        for (int d = 0; d < SY_DIMS; d++)
            shape->trips[level][d] =
                outer[d] == mapping->tile[level][d] ? 1 : sy_ceil_div(outer[d], mapping->tile[level][d]);
    }
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < shape->tiles[operand]; i++)
            if (problem->chain[operand][i] >= from)
                tile_bytes(shape, mapping, (enum sy_operand)operand, problem->chain[operand][i]);
}

void sy_shape_sums(struct sy_shape *shape, const struct sy_mapping *mapping)
{
    for (uint32_t i = 0; i < shape->tiles[SY_C]; i++)
        tile_bytes(shape, mapping, SY_C, shape->problem->chain[SY_C][i]);
}

void sy_shape_orders(struct sy_shape *shape, const struct sy_mapping *mapping)
{
    uint64_t product = 1, fetches[SY_OPERANDS] = {1, 1, 1};
    uint32_t changes[SY_OPERANDS] = {0};
    bool overflow = false;
    shape->loops = 0;
    for (uint32_t level = mapping->on_chip; level-- > 0;) {
        for (int i = -1; i < 3; i++) {
            enum sy_dim dim = i < 0 ? SY_DIM_G : (enum sy_dim)mapping->order[level][i];
            uint64_t trips = shape->trips[level][dim];
            if (trips == 1)
                continue;
            shape->loop[shape->loops++] = (struct sy_turning){level, dim, trips};
            overflow |= !sy_mul(product, trips, &product);
            for (int operand = 0; operand < SY_OPERANDS; operand++)
                if (shape->indexes[operand] >> dim & 1) {
                    fetches[operand] = product;
                    changes[operand] = shape->loops;
                }
        }
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            shape->fetches[operand][level] = overflow ? UINT64_MAX : fetches[operand];
            shape->changes[operand][level] = changes[operand];
        }
    }
}

uint64_t sy_shape_buffers(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand,
                          uint32_t level)
{
    if (shape->fetches[operand][level] == 1)
        return 1;
    const struct sy_level *chip_level = &shape->problem->chip->level[level];
    uint64_t own = chip_level->depth_of[operand] ? chip_level->depth_of[operand] : chip_level->depth;
    uint64_t buffers = sy_max(own, 1);
    if (operand == SY_C && mapping->c_resident_partials && level == shape->problem->chain[SY_C][0]) {
        /* All C tiles that live between two k steps stay: those of the m and n loops inside the k loop. */
        uint64_t tiles = 1;
        for (int i = 2; i >= 0 && mapping->order[level][i] != SY_DIM_K; i--)
            tiles *= shape->trips[level][mapping->order[level][i]];
        buffers = sy_max(buffers, tiles);
    }
    return buffers;
}

/* Do partial sums leave their innermost level and come back? */
static bool sums_travel(const struct sy_shape *shape, const struct sy_mapping *mapping)
{
    uint32_t inner = shape->problem->chain[SY_C][0];
    if (mapping->c_resident_partials)
        return false;
    uint64_t visits = shape->fetches[SY_C][inner], tiles = 1;
    for (uint32_t i = 0; i < shape->loops; i++)
        if (shape->loop[i].level >= inner && shape->indexes[SY_C] >> shape->loop[i].dim & 1)
            tiles *= shape->loop[i].trips;
    return visits > tiles;
}

/* The cores' partial sums of one tile meet in the level they share. */
static bool room_to_exchange(const struct sy_shape *shape, uint64_t used[SY_MAX_LEVELS])
{
    const struct sy_problem *problem = shape->problem;
    uint32_t inner = problem->chain[SY_C][0], level = problem->exchange_level;
    uint64_t all = 0;
    if (problem->split != SY_DIM_K || level == inner || level >= problem->on_chip)
        return true;
    return sy_mul(shape->bytes[SY_C][inner], problem->chip->cores, &all) && sy_add(used[level], all, &used[level]);
}

bool sy_shape_fits(const struct sy_shape *shape, const struct sy_mapping *mapping)
{
    const struct sy_problem *problem = shape->problem;
    uint64_t used[SY_MAX_LEVELS] = {0};
    uint32_t home = problem->chain[SY_C][problem->home[SY_C]];
    if (home < problem->on_chip && sums_travel(shape, mapping)) /* C that stays on chip has room for results only */
        return false;
    if (problem->side_bits && !sy_mul(sy_map_side_bytes(problem, mapping),
                                      sy_map_copies(problem, SY_C, problem->side_level), &used[problem->side_level]))
        return false;
    if (!room_to_exchange(shape, used))
        return false;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < shape->tiles[operand]; i++) {
            uint32_t level = problem->chain[operand][i];
            if (level >= mapping->on_chip)
                break;
            uint64_t buffers = sy_shape_buffers(shape, mapping, (enum sy_operand)operand, level), all = 0;
            uint64_t fixed = problem->chip->level[level].operand_bytes[operand];
            uint64_t copies = sy_map_copies(problem, (enum sy_operand)operand, level);
            if (buffers > SY_MAX_BUFFERS || !sy_mul3(shape->bytes[operand][level], buffers, copies, &all))
                return false;
            if (fixed ? all > fixed : !sy_add(used[level], all, &used[level]))
                return false;
        }
    for (uint32_t level = 0; level < mapping->on_chip; level++)
        if (used[level] > problem->free_bytes[level])
            return false;
    return true;
}

static void shape_of(struct sy_shape *shape, const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    sy_shape_init(shape, problem);
    sy_shape_tiles(shape, mapping, 0);
    sy_shape_orders(shape, mapping);
}

bool sy_map_fits(const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    struct sy_shape shape;
    shape_of(&shape, problem, mapping);
    return sy_shape_fits(&shape, mapping);
}

bool sy_map_sums_travel(const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    struct sy_shape shape;
    shape_of(&shape, problem, mapping);
    return sums_travel(&shape, mapping);
}

uint64_t sy_map_buffers(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                        uint32_t level)
{
    struct sy_shape shape;
    shape_of(&shape, problem, mapping);
    return sy_shape_buffers(&shape, mapping, operand, level);
}
