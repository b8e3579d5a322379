/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tile on a core's arrays: how it is shared among them, the run of the
 * largest share, and what the ports of the on-chip levels move for it.
 * Used alike by the executor and by the mapper's cost, so that they agree.
 */
#ifndef SY_ENGINE_ARRAY_TILE_H
#define SY_ENGINE_ARRAY_TILE_H

#include "arch/chip.h"
#include "sim/engine/array_rs.h"
#include "sim/engine/array_timing.h"
#include "sim/stats/result.h"

struct sy_array_tile {
    struct sy_array_run run;                  /* of the largest share */
    struct sy_array_gap gap;                  /* between two equal tiles */
    uint64_t side, arrays;                    /* tiles that run side by side, and arrays that each of them has */
    uint64_t share_m, share_n;                /* the largest share */
    uint64_t packed_k;                        /* steps of k: fewer where a faster pair of formats packs several */
    struct sy_array_cut cut;                  /* ... as folds cut them; not used by rs */
    uint64_t held_cycles;                     /* a slower pair of formats holds the beats of the run so much longer */
    uint64_t level_read_bytes[SY_MAX_LEVELS]; /* one tile, all arrays */
    uint64_t level_write_bytes[SY_MAX_LEVELS];
    uint64_t port_cycles;   /* core cycles the slowest port needs; the stationary operand's own level
                               has the preload's time and does not count */
    uint64_t layout_stalls; /* cycles in which banks read the lines of one more step (array_layout.h) */
};

/* Of `groups` equal tiles, tile->side of which run side by side: so many times. */
static inline uint64_t sy_array_rounds(const struct sy_array_tile *tile, uint64_t groups)
{
    return (groups + tile->side - 1) / tile->side;
}

/* a, b: formats of the operands. accumulate: adds to sums that are already there. Rules for several arrays: contiguous
 * column (N) folds each; when there are fewer folds than arrays, contiguous shares of M each. Statuses as
 * sy_array_run_of_tile. Pure, thread safe. */
enum sy_status sy_array_tile_of(const struct sy_chip *chip, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n,
                                enum sy_dtype a, enum sy_dtype b, bool accumulate, struct sy_array_tile *tile);
/* The same for a tile of a convolution, whose window row-stationary arrays see and whose k others may not pack; window
 * NULL or empty: a plain matrix. */
enum sy_status sy_array_tile_in_window(const struct sy_chip *chip, uint8_t dataflow, const struct sy_row_window *window,
                                       uint64_t m, uint64_t k, uint64_t n, enum sy_dtype a, enum sy_dtype b,
                                       bool accumulate, struct sy_array_tile *tile);
/* The same for one of so many equal tiles. */
enum sy_status sy_array_tile_of_groups(const struct sy_chip *chip, uint8_t dataflow, const struct sy_row_window *window,
                                       uint64_t m, uint64_t k, uint64_t n, uint64_t groups, enum sy_dtype a,
                                       enum sy_dtype b, bool accumulate, struct sy_array_tile *tile);

/* How the rows take up the window of the item's convolution. Pure, thread safe. */
struct sy_window_use sy_array_window_use(const struct sy_chip *chip, uint8_t dataflow,
                                         const struct sy_matrix_item *item);

#endif
