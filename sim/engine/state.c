/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/state.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"

void sy_state_free(struct sy_state *state)
{
    free(state->hard.word);
    free(state->soft.word);
    memset(state, 0, sizeof *state);
}

void sy_state_begin(struct sy_state *state, bool loading)
{
    state->loading = loading;
    state->failed = false;
    state->hard_at = state->soft_at = 0;
    if (!loading)
        state->hard.count = state->soft.count = 0;
}

bool sy_words_grow(struct sy_words *words, size_t more)
{
    size_t wanted = words->capacity ? words->capacity : 256;
    if (more <= words->capacity - words->count)
        return true;
    while (wanted - words->count < more) {
        if (wanted > SIZE_MAX / 2 / sizeof *words->word)
            return false;
        wanted *= 2;
    }
    uint64_t *grown = realloc(words->word, wanted * sizeof *grown);
    if (!grown)
        return false;
    words->word = grown;
    words->capacity = wanted;
    return true;
}

bool sy_words_equal(const struct sy_words *a, const struct sy_words *b)
{
    return a->count == b->count && (!a->count || !memcmp(a->word, b->word, a->count * sizeof *a->word));
}

uint64_t sy_words_hash(const struct sy_words *words, uint64_t hash)
{
    for (size_t i = 0; i < words->count; i++) {
        hash = (hash ^ words->word[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return hash;
}

bool sy_words_copy(struct sy_words *b, const struct sy_words *a)
{
    if (b->capacity < a->count) {
        b->count = 0;
        if (!sy_words_grow(b, a->count))
            return false;
    }
    b->count = a->count;
    if (a->count)
        memcpy(b->word, a->word, a->count * sizeof *a->word);
    return true;
}

void sy_tally_u64(struct sy_tally *tally, uint64_t *counter)
{
    size_t at = tally->at++;
    if (!tally->adding) {
        if (tally->now.count == tally->now.capacity && !sy_words_grow(&tally->now, 1)) {
            tally->failed = true;
            return;
        }
        tally->now.word[tally->now.count++] = *counter;
        return;
    }
    uint64_t more = 0;
    if (at >= tally->to->count || (tally->from && at >= tally->from->count) ||
        !sy_mul(tally->to->word[at] - (tally->from ? tally->from->word[at] : 0), tally->times, &more) ||
        !sy_add(*counter, more, counter))
        tally->failed = true;
}

void sy_tally_u128(struct sy_tally *tally, sy_u128 *counter)
{
    size_t at = tally->at;
    uint64_t low = (uint64_t)*counter, high = (uint64_t)(*counter >> 64);
    if (!tally->adding) {
        sy_tally_u64(tally, &low);
        sy_tally_u64(tally, &high);
        return;
    }
    tally->at += 2;
    static const uint64_t nothing[2];
    if (at + 1 >= tally->to->count || (tally->from && at + 1 >= tally->from->count)) {
        tally->failed = true;
        return;
    }
    const uint64_t *from = tally->from ? &tally->from->word[at] : nothing, *to = &tally->to->word[at];
    sy_u128 more = ((sy_u128)to[1] << 64 | to[0]) - ((sy_u128)from[1] << 64 | from[0]);
    *counter += more * tally->times;
}

void sy_tally_gather(struct sy_tally *tally)
{
    tally->adding = tally->failed = false;
    tally->at = tally->now.count = 0;
}

void sy_tally_add(struct sy_tally *tally, uint64_t times, const struct sy_words *from, const struct sy_words *to)
{
    tally->adding = true;
    tally->failed = false;
    tally->at = 0;
    tally->times = times;
    tally->from = from;
    tally->to = to;
}
