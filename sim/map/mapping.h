/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings: how one matrix item is cut into tiles over the chip's levels.
 *
 * Levels 0 .. on_chip-1 are the chip's on-chip levels, inner to outer. tile[l]
 * is the block of the problem that level l works on at a time; around it run
 * the loops of order[l], from one tile[l] to the next inside tile[l + 1] (or
 * inside the whole problem above the outermost on-chip level). The g loop is
 * outermost at every level. Loops of one trip vanish.
 *
 * Invariants of a valid mapping: tile[l] <= tile[l + 1] in every dimension,
 * tile[l + 1] is a multiple of tile[l] or the whole dimension; every level
 * holds its operands' tiles, depth times where they change, beside what is
 * resident there.
 */
#ifndef SY_MAP_MAPPING_H
#define SY_MAP_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/chip.h"
#include "workloads/lower.h"

enum { SY_MAX_BUFFERS = 64 }; /* buffers of one operand at one level */

enum sy_dim { SY_DIM_M, SY_DIM_K, SY_DIM_N, SY_DIM_G, SY_DIMS };

struct sy_mapping {
    uint8_t dataflow; /* index into chip->array.dataflow */
    uint32_t on_chip;
    uint64_t tile[SY_MAX_LEVELS][SY_DIMS];
    uint8_t order[SY_MAX_LEVELS][3]; /* enum sy_dim, outer to inner */
    bool c_resident_partials;        /* C tiles between two k steps all stay in their innermost level */
};

/* The problem a mapping is for. */
struct sy_problem {
    const struct sy_chip *chip;
    struct sy_matrix_item item;
    uint64_t size[SY_DIMS];
    uint32_t on_chip; /* number of on-chip levels */
    uint32_t chain[SY_OPERANDS][SY_MAX_LEVELS], chain_length[SY_OPERANDS];
    uint32_t home[SY_OPERANDS];         /* position in the chain where the whole operand lives (A, B) or goes (C) */
    uint64_t free_bytes[SY_MAX_LEVELS]; /* capacity left beside resident tensors */
    enum sy_dtype dtype[SY_OPERANDS];
    const struct sy_schedule *schedule; /* given by the trace, or NULL */
    uint32_t side_level;                /* where tensors of the epilogue (a residual) are brought, two tiles of them */
    uint64_t side_bits;                 /* bits of those an output element; 0 = none to bring */
    uint64_t cores;                     /* at work */
    enum sy_dim split;                  /* the dimension that cores share; SY_DIMS: none, there is one core */
    uint32_t exchange_level;            /* of a split of K: where cores meet, the innermost level of C that all see */
    uint8_t packed;                     /* bit an operand: A or B is stored tile by tile (weights), not row by row */
    bool beside;                        /* other work runs at the same time, which the estimate does not know */
    uint64_t vector_ops_per_output;     /* simple-equivalent lane cycles of the fused epilogue an output element */
};

enum sy_objective { SY_OBJECTIVE_CYCLES, SY_OBJECTIVE_ENERGY, SY_OBJECTIVE_EDP, SY_OBJECTIVE_TRAFFIC };

/* What the mapper asks of the array model and the energy table, which it does not know. */
struct sy_map_costs {
    void *context;
    /* Cycles of so many equal tiles in steady state, and beyond that of one alone; false when the array cannot run it.
     */
    bool (*array)(void *context, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n, uint64_t groups,
                  uint64_t *steady, uint64_t *alone);
    double pj_per_byte[SY_MAX_LEVELS]; /* one access of a level; 0 when unknown */
    double pj_per_mac;
    double static_w;
};

/* An estimate: the analytic model of a layer, a max-plus bound over its pipelines. */
struct sy_estimate {
    uint64_t cycles; /* of the matrix item with its fused work */
    uint64_t array_cycles, vector_cycles, memory_cycles;
    uint64_t read_bytes[SY_OPERANDS], write_bytes; /* at the homes */
    uint64_t traffic_bytes;                        /* backing stores, ragged tiles taken for full ones */
    uint64_t bus_bytes; /* the same as the engine moves it: what is there, in whole bursts; of a convolution's input the
                           largest box for each tile. Without tensors of an epilogue and what cores exchange */
    uint64_t steps;     /* innermost tiles */
    double energy_pj;
    double memory_pj; /* of those, moving bytes */
    uint8_t bound;    /* 0 array, 1 memory, 2 vector */
};

void sy_problem_init(struct sy_problem *problem, const struct sy_chip *chip, const struct sy_matrix_item *item);

/* Trips of a loop: how often tile[l] fits into its surrounding block, rounded up. */
uint64_t sy_map_trips(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level,
                      enum sy_dim dim);
/* True when the operand's address depends on the dimension. */
bool sy_map_indexes(const struct sy_problem *problem, enum sy_operand operand, enum sy_dim dim);
/* True when all cores at work need the same tiles of the operand and the chip reads them once for all. */
bool sy_map_read_once(const struct sy_problem *problem, enum sy_operand operand);
/* Tiles of the operand that a level holds beside each other: one a core at work where the cores share it, unless it is
 * read once for all. */
uint64_t sy_map_copies(const struct sy_problem *problem, enum sy_operand operand, uint32_t level);
/* Bytes of the operand in a full tile of the level (bounding box of the window for a convolution). */
uint64_t sy_map_tile_bytes(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                           uint32_t level);
/* Elements of A in the box that a tile of m by k reads of a convolution's input; of those, or of any elements of an
 * operand's tile, the bytes at the level. The two parts of sy_map_tile_bytes. */
uint64_t sy_map_window_elements(const struct sy_problem *problem, uint64_t m, uint64_t k);
uint64_t sy_map_bytes_of(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                         uint32_t level, uint64_t elements);
/* Number of format of C at a level: accumulator where partial sums live, else the output's. */
enum sy_dtype sy_map_c_dtype(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level);
/* Buffers of the operand at the level: 1 when its tile never changes, else the level's depth. */
uint64_t sy_map_buffers(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                        uint32_t level);
/* Whether partial sums leave their innermost level and come back. */
bool sy_map_sums_travel(const struct sy_problem *problem, const struct sy_mapping *mapping);
/* Bytes of the epilogue's own operands at side_level. */
uint64_t sy_map_side_bytes(const struct sy_problem *problem, const struct sy_mapping *mapping);
/* Whether every level holds its tiles. */
bool sy_map_fits(const struct sy_problem *problem, const struct sy_mapping *mapping);

/* Rows of equal length in memory; scattered: also those that follow one another are apart. */
struct sy_rows {
    uint64_t address, rows, bytes, pitch;
    bool scattered;
};
/* Bytes of the whole bursts that they touch. False on overflow. */
bool sy_map_bus_bytes(uint64_t burst, const struct sy_rows *rows, uint64_t *bytes);

/* The array's own cycles over all innermost tiles, and what the first or last takes beyond its share (lead and tail).
 * False when a figure overflows or the array refuses the tile. */
bool sy_map_array_cycles(const struct sy_problem *problem, const struct sy_mapping *mapping,
                         const struct sy_map_costs *costs, uint64_t *cycles, uint64_t *ends);
/* False when a figure overflows or the array refuses the tile. */
bool sy_map_estimate(const struct sy_problem *problem, const struct sy_mapping *mapping,
                     const struct sy_map_costs *costs, struct sy_estimate *estimate);

/* The best mapping by the objective (ties: traffic, energy, fewer tiles). SY_UNSUPPORTED, with the level that is too
 * small named in `why`, when nothing fits. */
enum sy_status sy_map_search(const struct sy_problem *problem, const struct sy_map_costs *costs,
                             enum sy_objective objective, struct sy_mapping *mapping, struct sy_estimate *estimate,
                             char why[160]);

#endif
