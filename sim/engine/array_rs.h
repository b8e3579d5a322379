/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row stationary: the time of a convolution tile on an array whose PEs each
 * slide one row of a filter along one row of the input and so make one row of
 * partial sums, which add up down the column.
 *
 * A PE set is filter rows x output rows. A filter taller than the array is
 * folded, output rows beyond the columns make further strips; where sets are
 * smaller than the array, several work beside each other on other strips,
 * channels or filters. What a PE holds at once (its scratchpads) cuts the work
 * into passes. A plain GEMM is a 1 x 1 convolution whose M pixels are shared
 * evenly by the columns. Formulas: docs/model-array.md.
 *
 * Source of the mapping: Chen et al., Eyeriss (ISCA 2016, JSSC 2017), recalled.
 * Not promised: register-level exactness; there is no stepped model of it.
 */
#ifndef SY_ENGINE_ARRAY_RS_H
#define SY_ENGINE_ARRAY_RS_H

#include "arch/chip.h"
#include "sim/engine/array_timing.h"
#include "workloads/lower.h"

/* How a GEMM tile lies in its convolution (structured sparsity thins its channels evenly); out_row 0: a plain matrix.
 */
struct sy_row_window {
    uint64_t out_row;    /* pixels of an output row: rows of A that follow each other in it */
    uint64_t filter_row; /* taps x channels: columns of A that belong to one filter row */
    uint64_t taps;       /* width of the filter */
    uint64_t stride_y, stride_x;
    uint64_t channels, filter_rows; /* k steps at one place of the filter; its height */
    uint64_t into;                  /* k steps of the tile's first segment (sy_chip_segment) that earlier tiles took */
};
struct sy_row_window sy_row_window_of(const struct sy_matrix_item *item);
/* Of the layer's first matrix item that is one. Statuses of sy_lower. */
enum sy_status sy_row_window_of_layer(const struct sy_layer *layer, struct sy_row_window *window);
/* k steps of a segment on this array, 0 when k is not cut. */
uint64_t sy_row_window_segment(const struct sy_row_window *window, const struct sy_array *array,
                               const struct sy_dataflow *dataflow);

/* Where a tile lies on the array. */
struct sy_rs_mapping {
    uint64_t filter_rows, strip;                    /* PEs a set: rows x columns */
    uint64_t folds, strips;                         /* of the filter's rows; of the output's rows */
    uint64_t sets;                                  /* that fit */
    uint64_t place_sets, channel_sets, filter_sets; /* what the sets share: places (fold x strip), channels, filters */
    uint64_t rounds;                                /* places after places */
    uint64_t channel_passes, filter_passes;         /* a round */
};

struct sy_rs_tile {
    struct sy_rs_mapping mapping;
    struct sy_array_run run;
    uint64_t a_reads, b_reads; /* elements read from the operands' inner level */
    uint64_t sum_writes;       /* times C is written there; the first needs no read */
};

/* macs_num / macs_den: MACs a PE a period. Statuses as sy_array_run_of_tile. Pure, thread safe; takes longer the more
 * sets fit, at most some thousand steps. */
enum sy_status sy_rs_tile_of(const struct sy_array_timing *timing, uint64_t rows, uint64_t cols,
                             const struct sy_row_window *window, uint64_t m, uint64_t k, uint64_t n, uint64_t macs_num,
                             uint64_t macs_den, struct sy_rs_tile *tile);

#endif
