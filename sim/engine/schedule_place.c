/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a tile lies in its tensor. Activations lie row by row. What is packed (weights, formats in blocks) lies tile by
 * tile: blocks of columns of B one after the other, in each the blocks of rows; A and C with rows and columns
 * exchanged. Each tile begins at a whole burst and at the alignment of the memory, so that it moves the same bytes
 * wherever it lies; a choice of this model, as a compiler lays out what it packs. A convolution's input lies pixel by
 * pixel, channels innermost, and a tile is taken to begin at its first row of pixels, at the burst it begins in.
 */
#include <string.h>

#include "sim/engine/executor_internal.h"
#include "sim/engine/schedule_internal.h"

static bool in_pages(const struct sy_matrix_walk *w, enum sy_operand operand)
{
    return operand == SY_B && w->page;
}

bool sy_place_packed(const struct sy_matrix_walk *w, enum sy_operand operand)
{
    return w->source[operand].weight || in_pages(w, operand) || (operand == SY_A && w->problem.item.window.is_conv);
}

/* ---- packed tiles ---- */

/* Blocks of `across` side by side, each of blocks of `along`. */
struct grid {
    enum sy_dim across, along;
    uint64_t across_size, along_size, across_tile, along_tile;
    uint64_t burst, alignment; /* of the memory */
    enum sy_dtype dtype;
};

static struct grid grid_of(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                           uint32_t level, uint32_t outer, enum sy_dtype dtype)
{
    const struct sy_matrix_item *item = &w->problem.item;
    struct grid grid = {.across = operand == SY_B ? SY_DIM_N : SY_DIM_M,
                        .along = operand == SY_C ? SY_DIM_N : SY_DIM_K,
                        .burst = sy_max(s->chip->level[outer].burst_bytes, 1),
                        .alignment = sy_max(s->chip->level[outer].alignment_bytes, 1),
                        .dtype = dtype};
    grid.across_size = w->problem.size[grid.across] - (operand == SY_B ? item->pad_n : 0);
    grid.along_size = w->problem.size[grid.along] - (operand == SY_B ? item->pad_k : 0);
    grid.across_tile = w->mapping.tile[level][grid.across];
    grid.along_tile = w->mapping.tile[level][grid.along];
    return grid;
}

static uint64_t place_bytes(const struct grid *grid, uint64_t across, uint64_t along)
{
    uint64_t bytes = 0;
    (void)sy_dtype_bytes(grid->dtype, across * along, &bytes);
    bytes = sy_ceil_div(bytes, grid->burst) * grid->burst;
    return sy_ceil_div(bytes, grid->alignment) * grid->alignment;
}

static uint64_t column_bytes(const struct grid *grid, uint64_t across)
{
    const uint64_t rest = grid->along_size % grid->along_tile;
    return grid->along_size / grid->along_tile * place_bytes(grid, across, grid->along_tile) +
           (rest ? place_bytes(grid, across, rest) : 0);
}

static uint64_t group_bytes(const struct grid *grid)
{
    const uint64_t rest = grid->across_size % grid->across_tile;
    return grid->across_size / grid->across_tile * column_bytes(grid, grid->across_tile) +
           (rest ? column_bytes(grid, rest) : 0);
}

static uint64_t tile_ahead(const struct grid *grid, const uint64_t start[SY_DIMS], uint64_t group)
{
    const uint64_t at = sy_min(start[grid->across], grid->across_size);
    const uint64_t width = sy_min(grid->across_tile, grid->across_size - at);
    uint64_t ahead = sy_ceil_div(start[grid->along], grid->along_tile);
    ahead = ahead ? ahead * place_bytes(grid, width, grid->along_tile) : 0;
    if (at)
        ahead += sy_ceil_div(at, grid->across_tile) * column_bytes(grid, grid->across_tile);
    return group ? ahead + group * group_bytes(grid) : ahead;
}

/* ---- convolutions ---- */

/* Elements of the input before the first one that outputs from m on see from k on. */
static uint64_t window_ahead(const struct sy_window *window, uint64_t m, uint64_t k, uint64_t channels)
{
    const uint64_t outputs = window->oh * window->ow, per_row = window->c * window->fw;
    const uint64_t below = m % outputs / window->ow * window->sh + (per_row ? k / per_row * window->dh : 0);
    const uint64_t row = below > window->pt ? sy_min(below - window->pt, window->h - 1) : 0;
    return (m / outputs * window->h + row) * window->w * channels + (window->c ? k % window->c : 0);
}

/* ---- any tile ---- */

static uint64_t group_of(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS])
{
    return sy_map_indexes(&w->problem, operand, SY_DIM_G) ? start[SY_DIM_G] : 0;
}

/* Elements from one step of a dimension to the next in a tensor that lies row by row. */
static uint64_t row_step(const struct sy_matrix_walk *w, enum sy_operand operand, enum sy_dim dim)
{
    const enum sy_dim along = operand == SY_A ? SY_DIM_K : SY_DIM_N, down = operand == SY_B ? SY_DIM_K : SY_DIM_M;
    const uint64_t width = w->problem.size[along] - (operand == SY_B ? w->problem.item.pad_n : 0);
    if (dim == along)
        return 1;
    return dim == down ? width : width * (w->problem.size[down] - (operand == SY_B ? w->problem.item.pad_k : 0));
}

static uint64_t rows_ahead(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS])
{
    uint64_t elements = 0;
    for (int dim = 0; dim < SY_DIMS; dim++)
        if (sy_map_indexes(&w->problem, operand, (enum sy_dim)dim))
            elements += start[dim] * row_step(w, operand, (enum sy_dim)dim);
    return elements;
}

uint64_t sy_place_ahead(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                        uint32_t level, uint32_t outer, bool in_rows, enum sy_dtype dtype)
{
    const uint64_t *start = w->start[level], group = group_of(w, operand, start);
    const struct sy_window *window = &w->problem.item.window;
    uint64_t bytes = 0;
    if (in_rows)
        return rows_ahead(w, operand, start) * sy_dtypes[dtype].bits / 8;
    if (s->chip->level[outer].kind == SY_LEVEL_SRAM)
        return 0; /* of a tile that lies there already */
    const struct grid grid = grid_of(s, w, operand, level, outer, dtype);
    if (operand != SY_A || !window->is_conv)
        return tile_ahead(&grid, start, group);
    const uint64_t channels = window->c * w->problem.size[SY_DIM_G];
    (void)sy_dtype_bytes(dtype, window_ahead(window, start[SY_DIM_M], start[SY_DIM_K], channels) + group * window->c,
                         &bytes);
    return bytes / grid.burst * grid.burst;
}

/* ---- the same place again ---- */

/* Whether a loop's step brings all tiles of the grid to a multiple of `modulus` further. */
static bool grid_recurs(const struct grid *grid, enum sy_dim dim, uint64_t step, uint64_t modulus)
{
    const uint64_t rest = grid->across_size % grid->across_tile;
    uint64_t tiles = step;
    if (dim == grid->along) {
        tiles = step / grid->along_tile;
        return step % grid->along_tile == 0 &&
               tiles * place_bytes(grid, sy_min(grid->across_tile, grid->across_size), grid->along_tile) % modulus ==
                   0 &&
               (!rest || tiles * place_bytes(grid, rest, grid->along_tile) % modulus == 0);
    }
    if (dim != grid->across)
        return tiles * group_bytes(grid) % modulus == 0;
    tiles = step / grid->across_tile;
    return step % grid->across_tile == 0 && tiles * column_bytes(grid, grid->across_tile) % modulus == 0;
}

/* Where windows lie inside the tensor alone, which the caller has to look at. */
static bool window_recurs(const struct sy_matrix_walk *w, enum sy_dtype dtype, enum sy_dim dim, uint64_t step,
                          uint64_t modulus)
{
    const struct sy_window *window = &w->problem.item.window;
    const uint64_t outputs = window->oh * window->ow, per_row = window->c * window->fw;
    const uint64_t row = window->w * window->c * w->problem.size[SY_DIM_G];
    uint64_t elements, bytes = 0;
    if (dim == SY_DIM_M && step % outputs == 0)
        elements = step / outputs * window->h * row;
    else if (dim == SY_DIM_M && step % window->ow == 0)
        elements = step / window->ow * window->sh * row;
    else if (dim == SY_DIM_K && per_row && step % per_row == 0)
        elements = step / per_row * window->dh * row;
    else if (dim == SY_DIM_G)
        elements = step * window->c;
    else
        return false;
    return sy_dtypes[dtype].block == 0 && elements * sy_dtypes[dtype].bits % 8 == 0 &&
           sy_dtype_bytes(dtype, elements, &bytes) && bytes % modulus == 0;
}

static bool rows_recur(const struct sy_matrix_walk *w, enum sy_operand operand, enum sy_dtype dtype, enum sy_dim dim,
                       uint64_t step, uint64_t modulus)
{
    uint64_t bits = 0;
    return sy_mul3(step, row_step(w, operand, dim), sy_dtypes[dtype].bits, &bits) && bits % 8 == 0 &&
           bits / 8 % modulus == 0;
}

static bool tile_recurs(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                        uint32_t level, uint32_t outer, enum sy_dtype dtype, enum sy_dim dim, uint64_t step,
                        uint64_t modulus)
{
    const bool packed = sy_place_packed(w, operand) || sy_dtypes[dtype].block;
    if (!packed && !rows_recur(w, operand, dtype, dim, step, modulus))
        return false;
    if ((!packed && sy_dtypes[dtype].bits % 8 == 0) || s->chip->level[outer].kind == SY_LEVEL_SRAM)
        return true; /* rows of less than whole bytes may be packed after all */
    if (operand == SY_A && w->problem.item.window.is_conv)
        return window_recurs(w, dtype, dim, step, modulus);
    const struct grid grid = grid_of(s, w, operand, level, outer, dtype);
    return grid_recurs(&grid, dim, step, modulus);
}

/* What the epilogue reads lies as C's tiles do. */
static bool sides_recur(const struct sy_scheduler *s, const struct sy_executor *exec, const struct sy_matrix_walk *w,
                        enum sy_dim dim, uint64_t step)
{
    const uint32_t outer = s->chain[SY_A][s->chain_length[SY_A] - 1];
    for (uint32_t i = 0; i < w->sides; i++) {
        const struct grid grid = grid_of(s, w, SY_C, 0, outer, w->side_dtype[i]);
        if (!w->side[i].on_chip && !grid_recurs(&grid, dim, step, sy_exec_address_modulus(exec, outer)))
            return false;
    }
    return true;
}

bool sy_place_recurs(const struct sy_scheduler *s, const struct sy_executor *exec, enum sy_operand operand,
                     uint32_t loop_level, enum sy_dim dim, uint64_t step)
{
    const struct sy_matrix_walk *w = &s->matrix;
    const enum sy_dtype dtype[2] = {w->problem.dtype[operand],
                                    operand == SY_C ? w->problem.item.accumulator : w->problem.dtype[operand]};
    if (in_pages(w, operand)) /* they lie anywhere; what counts is where in a page a tile begins */
        return dim != w->page_dim || step % w->page == 0;
    if (!sy_map_indexes(&w->problem, operand, dim))
        return true;
    for (uint32_t i = 0; i < w->problem.home[operand]; i++) {
        const uint32_t level = w->problem.chain[operand][i], outer = w->problem.chain[operand][i + 1];
        const uint64_t modulus = sy_exec_address_modulus(exec, outer);
        for (int d = 0; level <= loop_level && d < 2; d++)
            if (!tile_recurs(s, w, operand, level, outer, dtype[d], dim, step, modulus))
                return false;
    }
    return operand != SY_C || sides_recur(s, exec, w, dim, step);
}
