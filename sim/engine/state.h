/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States as words: what fast-forwarding compares, keeps and restores.
 *
 * One visitor of an object writes its state as words, or sets it from them.
 * Times and command numbers go in relative to a base, so that two moments of a
 * run that differ only by a shift give the same words. Soft words are restored
 * like the others; whether they take part in comparisons is the caller's choice.
 */
#ifndef SY_ENGINE_STATE_H
#define SY_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/checked.h"

struct sy_words {
    uint64_t *word;
    size_t count, capacity;
};
struct sy_state {
    struct sy_words hard, soft;
    bool loading, failed; /* failed: out of memory, or words that do not fit the object */
    size_t hard_at, soft_at;
};

void sy_state_free(struct sy_state *state);
/* Begin to write, or to read from the start. */
void sy_state_begin(struct sy_state *state, bool loading);
/* Room for more words; false when out of memory. */
bool sy_words_grow(struct sy_words *words, size_t more);
bool sy_words_equal(const struct sy_words *a, const struct sy_words *b);
uint64_t sy_words_hash(const struct sy_words *words, uint64_t hash);
/* b becomes a copy of a; false when out of memory. */
bool sy_words_copy(struct sy_words *b, const struct sy_words *a);

static inline uint64_t sy_state_pass(struct sy_state *state, struct sy_words *words, size_t *at, uint64_t value)
{
    if (state->loading) {
        if (*at < words->count)
            return words->word[(*at)++];
        state->failed = true;
        return value;
    }
    if (words->count == words->capacity && !sy_words_grow(words, 1)) {
        state->failed = true;
        return value;
    }
    words->word[words->count++] = value;
    return value;
}
/* The value, or when loading what was written in its place. */
static inline uint64_t sy_state_value(struct sy_state *state, uint64_t value)
{
    return sy_state_pass(state, &state->hard, &state->hard_at, value);
}
static inline uint64_t sy_state_soft(struct sy_state *state, uint64_t value)
{
    return sy_state_pass(state, &state->soft, &state->soft_at, value);
}
/* The same relative to a base (which may lie after the value). */
static inline uint64_t sy_state_relative(struct sy_state *state, uint64_t value, uint64_t base)
{
    return sy_state_pass(state, &state->hard, &state->hard_at, value - base) + base;
}
static inline void sy_state_u64(struct sy_state *state, uint64_t *value)
{
    *value = sy_state_value(state, *value);
}

/* Counters, in a fixed order: gathered into words, or grown by a multiple of a difference. */
struct sy_tally {
    struct sy_words now;              /* gathered */
    const struct sy_words *from, *to; /* adding: times x (to - from); from NULL: 0 */
    uint64_t times;
    bool adding, failed;
    size_t at;
};
void sy_tally_u64(struct sy_tally *tally, uint64_t *counter);
void sy_tally_u128(struct sy_tally *tally, sy_u128 *counter);
void sy_tally_gather(struct sy_tally *tally);
void sy_tally_add(struct sy_tally *tally, uint64_t times, const struct sy_words *from, const struct sy_words *to);

#endif
