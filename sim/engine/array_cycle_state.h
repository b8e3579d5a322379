/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the array at cycle fidelity. Private to array_cycle*.c.
 *
 * Time is array time: periods in which the array is not frozen. The input
 * registers of all ports are equally long, so control is evaluated at the
 * array's edge: a word that reaches the edge in period t was on its port in
 * t - input. A chain of n registers is a ring of n slots that is read and then
 * written once a period; with n = 0 the value passes through.
 */
#ifndef SY_ENGINE_ARRAY_CYCLE_STATE_H
#define SY_ENGINE_ARRAY_CYCLE_STATE_H

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"

enum sy_word_kind {
    SY_WORD_EMPTY,
    SY_WORD_OPERAND,
    SY_WORD_SUM,
    SY_WORD_WEIGHT,
    SY_WORD_BIAS,
    SY_WORD_PAD /* a loader's zero for a row without work */
};

/* What one register holds. index: beat of an operand or of a ws/is sum, row of
 * a weight, a bias or an os sum. */
struct sy_word {
    union sy_number value;
    int32_t fold;
    uint32_t index : 28;
    uint32_t kind : 4; /* enum sy_word_kind */
};
enum { SY_INDEX_MASK = (1 << 28) - 1, SY_MAX_BEATS = 1 << 27 };

/* `count` register chains of `length` each. */
struct sy_chains {
    struct sy_word *slot;
    uint64_t count, length;
    uint64_t at; /* slot of this period */
};

struct sy_pe {
    struct sy_word active; /* ws, is: weight in use; os: accumulator */
    struct sy_word shadow; /* ws, is: next weight; os swap: the accumulator that shifts */
    uint64_t next_operand; /* earliest period of the next operand (initiation interval) */
    uint64_t shifts_left;  /* os swap */
};

/* os: the rest of a PE. */
struct sy_os_pe {
    struct sy_word copy;     /* output register, or the finished sum waiting for the select */
    struct sy_word pending;  /* written to it at the end of the period */
    union sy_number drained; /* running sum: what the reader saw last */
};

/* A fold as control sees it. used_* and base include padding of ragged edges. */
struct sy_cycle_control {
    uint64_t real_beats, beats;
    uint64_t real_rows, real_cols;
    uint64_t used_rows, used_cols, base_row;
    uint64_t words;  /* stationary words a column is sent */
    uint64_t start;  /* first beat at the edge */
    uint64_t window; /* os swap: shifts after its first beat */
    uint64_t last_word, results_left, edge_last, port_last;
    bool started, loaded, continues, single_line;
};

/* A sum that has left and may re-enter at the top. */
struct sy_reenter {
    uint64_t port; /* period in which it was on the output port */
    int32_t fold;
};

struct sy_cycle_sim {
    const struct sy_cycle_job *job;
    const struct sy_array_timing *timing;
    struct sy_arena *arena;
    const struct sy_cycle_fold *fold;
    struct sy_cycle_control *control;
    uint64_t folds, rows, cols;
    bool os, swap, shift, wires, serial, own_wires;
    uint64_t input; /* registers in front of the edge */
    uint64_t output;
    /* registers */
    struct sy_pe *pe;
    struct sy_os_pe *os_pe;
    struct sy_cycle_pe *seen; /* NULL without an observer */
    uint64_t weights_until;   /* weights are on the wires before this period */
    struct sy_chains hop, multiply, accumulate, link, drain, weight, copy;
    struct sy_chains left, top, bias; /* skew registers: words by the period in which they reach the edge */
    struct sy_word *below, *drain_below, *weight_below;
    uint64_t *quiet_from; /* ws, is: the chains of a PE are empty from this period on, unless a word comes in */
    uint64_t chain_periods;
    uint64_t *port_due; /* results on the port, by period */
    uint64_t port_ring;
    struct sy_reenter *reenter; /* by beat and column; NULL when sums meet in an accumulator */
    /* control */
    uint64_t now;
    uint64_t stream_fold, beat, last_beat, real_beats_sent;
    uint64_t load_fold, word, load_begin;
    bool loading, pass, latch;
    uint64_t first_word, progress;
    int64_t phase_fold; /* os swap: fold whose first beat opened the phase; -1 the opening bias */
    uint64_t phase_start, phase_window;
    bool phase_open;
    uint64_t finished, select_at; /* os wires */
    bool select, selected;
    uint64_t chain_copied, chain_left, chain_last; /* os shift */
    int64_t chain_fold;
    bool chain_active;
    /* consumer */
    uint64_t ready_at, frozen, first_port, last_port, results_left;
    bool any_result;
    uint64_t marks_taken, oldest; /* marks; a fold of which results may still be to come, none before it */
    struct sy_cycle_result *out;
};

extern const struct sy_word sy_no_word;

/* Through chain i: out comes what went in `length` periods ago. */
static inline struct sy_word sy_chain_pass(struct sy_chains *chains, uint64_t i, struct sy_word in)
{
    if (chains->length == 0) {
        return in;
    }
    struct sy_word *slot = &chains->slot[i * chains->length + chains->at];
    struct sy_word out = *slot;
    *slot = in;
    return out;
}
/* Put a word where chain i is read `delay` periods from now (delay < length). */
static inline void sy_chain_put(struct sy_chains *chains, uint64_t i, uint64_t delay, struct sy_word word)
{
    uint64_t at = chains->at + delay;
    at = at >= chains->length ? at - chains->length : at;
    chains->slot[i * chains->length + at] = word;
}
static inline struct sy_word sy_chain_take(struct sy_chains *chains, uint64_t i)
{
    struct sy_word *slot = &chains->slot[i * chains->length + chains->at];
    struct sy_word out = *slot;
    *slot = sy_no_word;
    return out;
}

static inline void sy_cycle_see(struct sy_cycle_pe *seen, const struct sy_word *operand,
                                const struct sy_word *stationary, const struct sy_word *sum)
{
    seen->operand_valid = operand->kind == SY_WORD_OPERAND;
    seen->sum_valid = sum->kind == SY_WORD_SUM;
    seen->operand = operand->value;
    seen->stationary = stationary->value;
    seen->sum = sum->value;
}

/* Tell the job's listener of a word that reaches the edge `delay` periods from now. */
void sy_cycle_note(const struct sy_cycle_sim *sim, enum sy_cycle_port port, uint64_t lane, uint64_t delay,
                   const struct sy_word *word);

/* The first problem is kept. */
void sy_cycle_problem(struct sy_cycle_sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool sy_cycle_failed(const struct sy_cycle_sim *sim)
{
    return sim->out->problem[0] != '\0';
}

/* A result leaves the array's edge: `index` beat (ws, is) or row of the fold (os). */
void sy_cycle_emit(struct sy_cycle_sim *sim, const struct sy_word *sum, uint64_t col);

/* The beat that is about to enter is marked, perhaps. Called by control when it is certain to enter. */
void sy_cycle_take_mark(struct sy_cycle_sim *sim);
static inline void sy_cycle_beat_comes(struct sy_cycle_sim *sim)
{
    if (sim->marks_taken < sim->job->marks) {
        sy_cycle_take_mark(sim);
    }
}

/* Which words enter this period, then one period of every PE. */
void sy_cycle_stationary_control(struct sy_cycle_sim *sim);
void sy_cycle_stationary_step(struct sy_cycle_sim *sim);
void sy_cycle_os_control(struct sy_cycle_sim *sim);
void sy_cycle_os_step(struct sy_cycle_sim *sim);

/* Whether the feeder offers the next beat and the PEs can take it (all but the fold's own conditions). */
bool sy_cycle_beat_offered(const struct sy_cycle_sim *sim);
/* Book the beat that was just put on the edge. */
void sy_cycle_beat_sent(struct sy_cycle_sim *sim);

#endif
