/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a matrix walk's operands: how many bytes, and how they lie in memory. */
#include "sim/engine/schedule_internal.h"

uint64_t sy_matrix_block_bytes(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS],
                               const uint64_t extent[SY_DIMS], enum sy_dtype dtype)
{
    uint64_t elements, bytes = 0, groups = sy_map_indexes(&w->problem, operand, SY_DIM_G) ? extent[SY_DIM_G] : 1;
    if (operand == SY_A)
        elements = w->problem.item.window.is_conv
                       ? sy_window_elements(&w->problem.item.window, start[SY_DIM_M], extent[SY_DIM_M], start[SY_DIM_K],
                                            extent[SY_DIM_K])
                       : extent[SY_DIM_M] * extent[SY_DIM_K];
    else
        elements = operand == SY_B
                       ? sy_extent_of_b(w, start, extent, SY_DIM_K) * sy_extent_of_b(w, start, extent, SY_DIM_N)
                       : extent[SY_DIM_M] * extent[SY_DIM_N];
    (void)sy_dtype_bytes(dtype, elements * groups, &bytes);
    return bytes;
}

/* Activations lie row by row in their tensor, weights are packed tile by tile. */
bool sy_matrix_shape_rows(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS],
                          const uint64_t extent[SY_DIMS], enum sy_dtype dtype, struct sy_command *command)
{
    uint64_t bits = sy_dtypes[dtype].bits, cols, width, rows;
    if (w->source[operand].weight || sy_dtypes[dtype].block || (operand == SY_A && w->problem.item.window.is_conv))
        return false;
    bool is_b = operand == SY_B;
    rows = is_b ? sy_extent_of_b(w, start, extent, SY_DIM_K) : extent[SY_DIM_M];
    cols = operand == SY_A ? extent[SY_DIM_K] : is_b ? sy_extent_of_b(w, start, extent, SY_DIM_N) : extent[SY_DIM_N];
    width = operand == SY_A ? w->problem.size[SY_DIM_K] : w->problem.size[SY_DIM_N];
    width -= is_b ? w->problem.item.pad_n : 0;
    uint64_t groups = sy_map_indexes(&w->problem, operand, SY_DIM_G) ? extent[SY_DIM_G] : 1;
    if (cols * bits % 8 || width * bits % 8)
        return false;
    command->u.move.rows = rows * groups;
    command->u.move.row_bytes = cols * bits / 8;
    command->u.move.pitch_bytes = width * bits / 8;
    return true;
}
