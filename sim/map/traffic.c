/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that a mapping moves on the buses of the operands' homes, bursts
 * counted as the engine's moves touch them: rows of activations where their
 * tiles cut them, weights tile by tile, partial sums out and back.
 */
#include "sim/base/checked.h"
#include "sim/map/shape.h"

bool sy_map_bus_bytes(uint64_t burst, const struct sy_rows *rows, uint64_t *bytes)
{
    uint64_t row = rows->bytes, count = rows->rows, all = 0, part = 0, span = 0;
    if (burst <= 1)
        return sy_mul(row, count, bytes);
    if ((rows->pitch == row && !rows->scattered) || count == 1) { /* one contiguous piece */
        if (!sy_mul(row, count, &all))
            return false;
        row = all;
        count = 1;
        all = 0;
    }
    *bytes = 0;
    if (!row)
        return true;
    /* Rows are misaligned by address + r x pitch, which repeats. */
    uint64_t skew = rows->address % burst, period = burst / sy_gcd(burst, rows->pitch % burst);
    for (uint64_t r = 0; r < sy_min(period, count); r++) {
        uint64_t times = (count - r - 1) / period + 1;
        if (!sy_add(row, skew, &span) || !sy_mul(sy_ceil_div(span, burst) * burst, times, &part) ||
            !sy_add(all, part, &all))
            return false;
        skew = (skew + rows->pitch) % burst;
    }
    *bytes = all;
    return true;
}

/* An operand's tiles at the last level before its home. */
struct tiles {
    uint64_t burst, bits;
    uint64_t rows, cols, row_tile, col_tile; /* of a group */
    uint64_t groups, group_tile;
    bool overflow;
};

static void add_up(struct tiles *tiles, uint64_t *sum, uint64_t times, const struct sy_rows *rows)
{
    uint64_t bytes = 0;
    if (!sy_map_bus_bytes(tiles->burst, rows, &bytes) || !sy_mul(bytes, times, &bytes) || !sy_add(*sum, bytes, sum))
        tiles->overflow = true;
}

/* Each tile a piece of its own that begins with a burst. */
static uint64_t in_pieces(struct tiles *tiles)
{
    uint64_t sum = 0;
    for (int shape = 0; shape < 8; shape++) {
        const uint64_t size[3] = {tiles->rows, tiles->cols, tiles->groups},
                       tile[3] = {tiles->row_tile, tiles->col_tile, tiles->group_tile};
        uint64_t count = 1, bits = tiles->bits;
        for (int d = 0; d < 3; d++) {
            bool rest = shape >> d & 1;
            count *= rest ? size[d] % tile[d] != 0 : size[d] / tile[d];
            if (!sy_mul(bits, rest ? size[d] % tile[d] : tile[d], &bits))
                tiles->overflow = true;
        }
        if (count)
            add_up(tiles, &sum, count, &(struct sy_rows){.rows = 1, .bytes = sy_ceil_div(bits, 8)});
    }
    return sum;
}

/* Tiles along a dimension, those alike together: that begin at the same place in a burst and are as large. */
struct run {
    uint64_t count, tile, rest; /* the last one has `rest` */
    uint64_t period;            /* so many begin differently */
};

static struct run run_of(const struct tiles *tiles, uint64_t size, uint64_t tile, uint64_t bytes)
{
    struct run run = {.count = sy_ceil_div(size, tile), .tile = tile};
    run.rest = size - (run.count - 1) * tile;
    run.period = tiles->burst / sy_gcd(tiles->burst, tile * bytes % tiles->burst);
    return run;
}

/* Of kind i: as many, as large. The last tile is a kind of its own. */
static uint64_t kinds(const struct run *run)
{
    return sy_min(run->period, run->count - 1) + 1;
}
struct kind {
    uint64_t first, count, size;
};
static struct kind kind_of(const struct run *run, uint64_t i)
{
    if (i + 1 == kinds(run))
        return (struct kind){run->count - 1, 1, run->rest};
    return (struct kind){i, (run->count - 2 - i) / run->period + 1, run->tile};
}

/* Rows of tiles where they lie in the tensor, which is row by row. */
static uint64_t in_rows(struct tiles *tiles)
{
    uint64_t sum = 0, pitch = tiles->cols * tiles->bits / 8, wide = tiles->col_tile * tiles->bits / 8;
    const struct run across = run_of(tiles, pitch, wide, 1),
                     groups = run_of(tiles, tiles->groups, tiles->group_tile, tiles->rows * pitch);
    struct run down = run_of(tiles, tiles->rows, tiles->row_tile, pitch);
    bool one_by_one = across.count == 1 || tiles->group_tile > 1; /* else rows of all tiles follow one another */
    for (uint64_t g = 0; g < kinds(&groups); g++) {
        const struct kind group = kind_of(&groups, g);
        for (uint64_t r = 0; r < (one_by_one ? kinds(&down) : 1); r++) {
            const struct kind row = one_by_one ? kind_of(&down, r) : (struct kind){0, 1, tiles->rows};
            for (uint64_t c = 0; c < kinds(&across); c++) {
                const struct kind col = kind_of(&across, c);
                add_up(tiles, &sum, group.count * row.count * col.count,
                       &(struct sy_rows){(group.first * tiles->group_tile * tiles->rows + row.first * tiles->row_tile) *
                                                 pitch +
                                             col.first * wide,
                                         row.size * group.size, col.size, pitch, false});
            }
        }
    }
    return sum;
}

/* All tiles once. Rows of less than whole bytes are packed. */
static uint64_t once_through(struct tiles *tiles, enum sy_dtype dtype, bool packed)
{
    uint64_t rest = tiles->cols % tiles->col_tile, bits = sy_dtypes[dtype].bits, sum = 0;
    tiles->bits = bits;
    if (packed || sy_dtypes[dtype].block || tiles->cols * bits % 8)
        return in_pieces(tiles);
    if (tiles->col_tile * bits % 8 == 0)
        return in_rows(tiles);
    if (!rest || rest * bits % 8)
        return in_pieces(tiles);
    struct tiles full = *tiles;
    full.cols -= rest;
    add_up(tiles, &sum, 1,
           &(struct sy_rows){full.cols * bits / 8, tiles->rows * tiles->groups, rest * bits / 8, tiles->cols * bits / 8,
                             false});
    return sum + in_pieces(&full);
}

static struct tiles tiles_of(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand)
{
    static const enum sy_dim dims[SY_OPERANDS][2] = {{SY_DIM_M, SY_DIM_K}, {SY_DIM_K, SY_DIM_N}, {SY_DIM_M, SY_DIM_N}};
    const struct sy_problem *problem = shape->problem;
    uint32_t child = problem->chain[operand][problem->home[operand] - 1];
    const uint64_t *tile = mapping->tile[child], *size = problem->size;
    bool grouped = shape->indexes[operand] >> SY_DIM_G & 1;
    return (struct tiles){
        .burst = sy_max(problem->chip->level[problem->chain[operand][problem->home[operand]]].burst_bytes, 1),
        .rows = size[dims[operand][0]],
        .cols = size[dims[operand][1]],
        .row_tile = tile[dims[operand][0]],
        .col_tile = tile[dims[operand][1]],
        .groups = grouped ? size[SY_DIM_G] : 1,
        .group_tile = grouped ? tile[SY_DIM_G] : 1};
}

/* How often the operand's tiles are brought in, as multiples of all of them. */
static uint64_t passes(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand)
{
    uint32_t child = shape->problem->chain[operand][shape->problem->home[operand] - 1];
    uint64_t distinct = 1;
    for (uint32_t l = child; l < mapping->on_chip; l++)
        for (int d = 0; d < SY_DIMS; d++)
            if (shape->indexes[operand] >> d & 1)
                distinct *= shape->trips[l][d];
    return shape->fetches[operand][child] / sy_max(distinct, 1);
}

static uint64_t operand_bytes(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand,
                              bool *overflow)
{
    const struct sy_problem *problem = shape->problem;
    struct tiles tiles = tiles_of(shape, mapping, operand);
    uint64_t all = 0, times = passes(shape, mapping, operand);
    if (!sy_mul3(tiles.rows, tiles.cols, tiles.groups, &all) || all > UINT64_MAX / 1024) { /* bits, and bursts */
        *overflow = true;
        return 0;
    }
    if (operand == SY_A && problem->item.window.is_conv) { /* windows overlap; each box taken for the largest */
        uint32_t child = problem->chain[operand][problem->home[operand] - 1];
        all = sy_ceil_div(shape->bytes[operand][child], tiles.burst) * tiles.burst;
        times = shape->fetches[operand][child];
    } else if (operand == SY_C) {
        bool stays = mapping->c_resident_partials && problem->home[SY_C] == 1;
        uint64_t sums = 2 * once_through(&tiles, problem->item.accumulator, false);
        all = once_through(&tiles, problem->item.c, false);
        *overflow |= !sy_mul(sums, stays ? 0 : times - 1, &sums) || !sy_add(all, sums, &all);
        times = 1;
    } else {
        all = once_through(&tiles, problem->dtype[operand], problem->packed >> operand & 1);
    }
    *overflow |= tiles.overflow || !sy_mul(all, times, &all);
    if (sy_map_read_once(problem, operand)) /* one core's part of a read that serves all */
        all = sy_ceil_div(all, sy_max(problem->cores, 1));
    return all;
}

uint64_t sy_shape_bus_bytes(const struct sy_shape *shape, const struct sy_mapping *mapping)
{
    const struct sy_problem *problem = shape->problem;
    uint64_t sum = 0;
    bool overflow = false;
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t home = problem->chain[operand][problem->home[operand]];
        if (problem->home[operand] > 0 && problem->chip->level[home].kind != SY_LEVEL_SRAM)
            overflow |= !sy_add(sum, operand_bytes(shape, mapping, (enum sy_operand)operand, &overflow), &sum);
    }
    return overflow ? UINT64_MAX : sum;
}
