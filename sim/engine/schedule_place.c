/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a packed tile lies in its tensor. How banks meet a contiguous tile does not depend on it, so without address
 * translation all tiles of a packed tensor are moved from its start, and loops repeat exactly. A translation buffer
 * remembers pages: with one (core.dma.tlb) every tile has its own place.
 *
 * Packed: blocks of columns of B one after the other, in each the blocks of rows; A and C with rows and columns
 * exchanged. A convolution's input lies pixel by pixel, channels innermost, and a tile is taken to begin at its first
 * row of pixels.
 */
#include "sim/engine/schedule_internal.h"

static uint64_t window_start(const struct sy_window *window, uint64_t m, uint64_t k, uint64_t channels)
{
    const uint64_t outputs = window->oh * window->ow, per_row = window->c * window->fw;
    const uint64_t below = m % outputs / window->ow * window->sh + (per_row ? k / per_row * window->dh : 0);
    const uint64_t row = below > window->pt ? sy_min(below - window->pt, window->h - 1) : 0;
    return (m / outputs * window->h + row) * window->w * channels + (window->c ? k % window->c : 0);
}

uint64_t sy_place_ahead(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level, enum sy_dtype dtype)
{
    const uint64_t *start = w->start[level], *extent = w->extent[level], *size = w->problem.size;
    const struct sy_window *window = &w->problem.item.window;
    const uint64_t group = sy_map_indexes(&w->problem, operand, SY_DIM_G) ? start[SY_DIM_G] : 0;
    uint64_t elements, bytes = 0;
    if (operand == SY_A && window->is_conv)
        elements =
            window_start(window, start[SY_DIM_M], start[SY_DIM_K], window->c * size[SY_DIM_G]) + group * window->c;
    else if (operand == SY_A)
        elements = (group * size[SY_DIM_M] + start[SY_DIM_M]) * size[SY_DIM_K] + start[SY_DIM_K] * extent[SY_DIM_M];
    else if (operand == SY_B)
        elements = (group * size[SY_DIM_N] + start[SY_DIM_N]) * size[SY_DIM_K] +
                   start[SY_DIM_K] * sy_extent_of_b(w, start, extent, SY_DIM_N);
    else
        elements = (group * size[SY_DIM_M] + start[SY_DIM_M]) * size[SY_DIM_N] + start[SY_DIM_N] * extent[SY_DIM_M];
    (void)sy_dtype_bytes(dtype, elements, &bytes);
    return bytes;
}
