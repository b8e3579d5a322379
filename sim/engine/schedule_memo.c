/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings found before: the same problem on the same chip has the same answer. See schedule.h. */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/schedule_internal.h"

enum { SETS = 32, WAYS = 8 };

struct sy_map_memos {
    struct sy_map_memo memo[SETS][WAYS];
    uint8_t next[SETS]; /* the way that makes room next: the oldest */
};

struct sy_map_memos *sy_map_memos_create(void)
{
    return calloc(1, sizeof(struct sy_map_memos));
}

void sy_map_memos_destroy(struct sy_map_memos *memos)
{
    free(memos);
}

struct sy_map_memo *sy_map_memo_of(struct sy_map_memos *memos, const struct sy_problem *problem)
{
    const uint64_t *word = (const uint64_t *)(const void *)problem;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof *problem / sizeof *word; i++)
        hash = ((hash ^ hash >> 32) ^ word[i]) * UINT64_C(0x9E3779B97F4A7C15);
    const uint64_t set = (hash >> 40) % SETS;
    for (int i = 0; i < WAYS; i++) {
        struct sy_map_memo *memo = &memos->memo[set][i];
        if (memo->valid && memo->hash == hash && !problem->schedule &&
            !memcmp(&memo->problem, problem, sizeof *problem))
            return memo;
    }
    struct sy_map_memo *memo = &memos->memo[set][memos->next[set]];
    memos->next[set] = (uint8_t)((memos->next[set] + 1u) % WAYS);
    memo->valid = false;
    memo->hash = hash;
    memcpy(&memo->problem, problem, sizeof *problem);
    return memo;
}
