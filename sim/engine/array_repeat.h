/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of a tile has to be stepped (array_cycle.h) to know the whole.
 *
 * A tile is nested loops: a beat of the stream, a whole fold among its
 * neighbours, a segment of K, a sweep of folds. Of each loop a few turns are
 * stepped. Before a turn's first beat enters, the state of the array is looked
 * at; when it is the state at the turn before, the turns that were left out
 * would each have come back to it, every one a period later: they are repeated,
 * not stepped. When it is not, more turns are stepped, at last all of them.
 *
 * Nothing here uses a closed form. A repeated turn is the stepped one shifted
 * in time: periods between first beats, results on the ports and beats are
 * counted so often as it stands for.
 */
#ifndef SY_ENGINE_ARRAY_REPEAT_H
#define SY_ENGINE_ARRAY_REPEAT_H

#include "sim/engine/array_cycle.h"

/* What the loops of a tile are cut down to. */
enum sy_repeat_loop { SY_REPEAT_ROWS, SY_REPEAT_COLS, SY_REPEAT_SEGMENTS, SY_REPEAT_BEATS, SY_REPEAT_LOOPS };
struct sy_repeat_keep {
    uint64_t most[SY_REPEAT_LOOPS]; /* turns, at least 3 (whole folds on a side, segments); beats of the stream */
};

/* A share of a tile as the array sees it. */
struct sy_repeat_tile {
    uint64_t m, k, n;
    struct sy_array_cut cut; /* of k */
};

/* Between looks `from` and `to`, so many more turns than were stepped. */
struct sy_repeat_turns {
    uint32_t from, to; /* looks of the tile */
    enum sy_repeat_loop loop;
    uint64_t left_out;
};

enum { SY_REPEAT_AXIS_LOOPS = 40, SY_REPEAT_LOOKS = 3 };

/* Loops of folds along a side: turns begin at these folds. */
struct sy_repeat_axis {
    uint64_t folds; /* stepped */
    uint32_t loops;
    struct sy_repeat_turns loop[SY_REPEAT_AXIS_LOOPS];
};
struct sy_repeat_plan {
    struct sy_repeat_tile less; /* what is stepped */
    struct sy_repeat_axis inner, outer;
    uint64_t beats, beats_left_out; /* of each fold, padding included */
    bool looks_at_stream;           /* each fold is looked at three times: its first beat and its last two */
    bool whole;                     /* nothing is left out */
};

/* The first keep to try: what fills the array. */
struct sy_repeat_keep sy_repeat_first(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow,
                                      uint64_t rows, uint64_t cols);
/* Everything. */
struct sy_repeat_keep sy_repeat_all(void);
/* Twice as much of a loop. */
void sy_repeat_more(struct sy_repeat_keep *keep, enum sy_repeat_loop loop);
/* False when a figure does not fit 64 bits. */
bool sy_repeat_plan(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows, uint64_t cols,
                    const struct sy_repeat_tile *tile, const struct sy_repeat_keep *keep, struct sy_repeat_plan *plan);
/* Folds and looks of the stepped tile; looks of fold f begin at f x SY_REPEAT_LOOKS or, without looks at the stream, at
 * f. */
uint64_t sy_repeat_folds(const struct sy_repeat_plan *plan);
static inline uint64_t sy_repeat_looks(const struct sy_repeat_plan *plan)
{
    return plan->looks_at_stream ? SY_REPEAT_LOOKS : 1;
}

/* What was stepped and what it stands for. */
struct sy_repeat_time {
    uint64_t at;    /* first turn: when the beat of this look enters */
    uint64_t first; /* results after this look and before the next: first on the port, in the first turn */
    uint64_t end;   /* ... the period after the last is on the port, in the first turn; 0: none */
    uint64_t later; /* in the last turn all is so much later */
};
/*
 * Times of `looks` looks at parts of tiles behind each other, all turns
 * counted. turns: in the order of `to`, not crossing. SY_OK; SY_INPUT when the
 * states at a loop's turns differ, *unproven is then that loop's place in
 * `turns`; SY_OVERFLOW.
 */
enum sy_status sy_repeat_times(const struct sy_cycle_mark *look, uint64_t looks, const struct sy_repeat_turns *turns,
                               uint64_t count, struct sy_repeat_time *time, uint64_t *unproven);

/* All turns of a plan's loops in the order sy_repeat_times() takes, of the tile's folds [0, folds): looks are counted
 * from `base`. At most two a fold. */
uint64_t sy_repeat_turns(const struct sy_repeat_plan *plan, uint64_t folds, uint32_t base,
                         struct sy_repeat_turns *turns);
/* Beats of the whole tile, all of its folds; false on overflow. */
bool sy_repeat_beats(const struct sy_repeat_plan *plan, uint64_t *beats);

#endif
