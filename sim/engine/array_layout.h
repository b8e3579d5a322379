/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bank conflicts of a scratchpad by the layout of its data.
 *
 * A line holds first x second words of an operand's two dimensions, spread over
 * all banks in equal runs of columns: column c of w lies in bank c * banks / w.
 * In cycle t lane r of the array's edge asks for step t - r of the stream (the
 * edge is skewed, as in SCALE-Sim's demands). The lanes are consecutive along
 * one dimension of the operand, the stream runs along the other; both begin at
 * the beginning of a line. A bank reads one line a port a cycle: a cycle in which
 * the busiest one must read n lines is followed by ceil(n / ports) - 1 stalls.
 * Source: the layout model of SCALE-Sim v3 (1d62b68), without its column order,
 * which there is that of a Python set.
 *
 * What changes fills and drains the edge once a fold; between them the pattern
 * repeats with the words of a line along the stream, so a fold costs the ends
 * and one period, however long. Pure, thread safe.
 */
#ifndef SY_ENGINE_ARRAY_LAYOUT_H
#define SY_ENGINE_ARRAY_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/chip.h"

enum { SY_LAYOUT_BANKS = 1024 }; /* more banks than this count as this many */

/* One operand at the edge. */
struct sy_edge {
    uint64_t lane_words, stream_words; /* of a line */
    bool lanes_inner;                  /* neighbouring columns lie along the lanes */
    uint64_t first_lane;               /* where the first lane lies in its line */
    uint64_t lanes;                    /* 0: the operand is not there */
    uint64_t banks, ports;
};

/* Stalls of one fold that streams `steps`; edges of one level share its banks, those of two have their own, and the
 * later one holds up both. */
uint64_t sy_layout_fold_stalls(const struct sy_edge edge[2], bool one_level, uint64_t steps);

/* Stalls of all folds of a tile on one array: its share m x k x n. 0 for row stationary and without layouts. */
uint64_t sy_layout_stalls(const struct sy_chip *chip, const struct sy_dataflow *dataflow, uint64_t m, uint64_t k,
                          uint64_t n);

#endif
