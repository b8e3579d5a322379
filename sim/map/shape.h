/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mapper derives from a mapping again and again, kept so that trying
 * the next one costs only what differs: trips, the loops that turn, bytes of
 * tiles, fetches. Internal to sim/map; nothing here is allocated.
 *
 * A shape belongs to one problem. sy_shape_tiles after the tiles of `from` and
 * outer levels changed, then sy_shape_orders after that or after an order
 * changed, then sy_shape_sums after that or after c_resident_partials changed;
 * the rest reads what they left. Thread safe for a shape a thread.
 */
#ifndef SY_MAP_SHAPE_H
#define SY_MAP_SHAPE_H

#include "sim/map/mapping.h"

/* A loop of more than one trip. */
struct sy_turning {
    uint32_t level;
    enum sy_dim dim;
    uint64_t trips;
};

enum { SY_WINDOW_MEMO = 64 };

struct sy_shape {
    const struct sy_problem *problem;
    uint8_t indexes[SY_OPERANDS]; /* bit d: the operand's address depends on dimension d */
    uint64_t trips[SY_MAX_LEVELS][SY_DIMS];
    uint32_t loops;
    struct sy_turning loop[SY_MAX_LEVELS * SY_DIMS]; /* outer to inner */
    /* By operand and level, where the operand has a tile there: */
    uint64_t bytes[SY_OPERANDS][SY_MAX_LEVELS];   /* of a full tile, as sy_map_tile_bytes */
    uint64_t fetches[SY_OPERANDS][SY_MAX_LEVELS]; /* times a tile is brought in (C: partial sums brought back) */
    uint32_t changes[SY_OPERANDS][SY_MAX_LEVELS]; /* loops up to this many from outside change the tile */
    uint32_t tiles[SY_OPERANDS];                  /* positions of the operand's chain that have tiles */
    struct {
        uint64_t m, k, elements;
    } window[SY_WINDOW_MEMO]; /* of a convolution's input */
};

void sy_shape_init(struct sy_shape *shape, const struct sy_problem *problem);
void sy_shape_tiles(struct sy_shape *shape, const struct sy_mapping *mapping, uint32_t from);
void sy_shape_orders(struct sy_shape *shape, const struct sy_mapping *mapping);
void sy_shape_sums(struct sy_shape *shape, const struct sy_mapping *mapping);
/* As sy_map_fits. */
bool sy_shape_fits(const struct sy_shape *shape, const struct sy_mapping *mapping);
/* As sy_map_buffers. */
uint64_t sy_shape_buffers(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand,
                          uint32_t level);

/* As bus_bytes of an estimate; UINT64_MAX: too many. */
uint64_t sy_shape_bus_bytes(const struct sy_shape *shape, const struct sy_mapping *mapping);

/* ---- the estimate in two steps ---- */

/* Rates of the problem's chip in the estimate's own units: what never changes during a search. */
struct sy_level_rate {
    double share;                              /* cores at work that share the level evenly */
    double read, write, kept_read, kept_write; /* bytes a second; kept: what refresh leaves */
    double refresh;                            /* cycles grow by this factor; 1 = no refresh */
    double latency_ps, latency_cycles;
};
struct sy_rates {
    double hz; /* of the core clock */
    struct sy_level_rate level[SY_MAX_LEVELS];
    double port, pool, crossing_ps, crossing_cycles; /* the crossbar's bytes a second and latency; 0 = none */
    double cores;                                    /* at work */
};
/* What a change of an operand's tile moves over a link. */
struct sy_moved {
    enum sy_operand operand;
    uint32_t child, parent;
    double in, out;
    bool crosses; /* the crossbar */
    double once;  /* 1, or what a core's part of a read is that serves all of them */
};
struct sy_moves {
    uint32_t count;
    struct sy_moved move[SY_OPERANDS * SY_MAX_LEVELS];
    double crossed[2], entered[2]; /* bytes of a core over the crossbar, in and out, in all; of them as they enter */
};
/* Array cycles of all innermost tiles, and what the first and last take beyond. */
struct sy_array_sum {
    uint64_t cycles, ends;
};

void sy_rates_init(struct sy_rates *rates, const struct sy_problem *problem);
/* Everything but the steps' own pipeline: no mapping figure is above its final value. False as sy_map_estimate. */
bool sy_estimate_least(const struct sy_shape *shape, const struct sy_mapping *mapping, const struct sy_map_costs *costs,
                       const struct sy_rates *rates, const struct sy_array_sum *array, struct sy_moves *moves,
                       struct sy_estimate *estimate);
/* The rest: `cycles` and `energy_pj` grow to their final values. */
bool sy_estimate_finish(const struct sy_shape *shape, const struct sy_mapping *mapping,
                        const struct sy_map_costs *costs, const struct sy_rates *rates,
                        const struct sy_array_sum *array, const struct sy_moves *moves, struct sy_estimate *estimate);

#endif
