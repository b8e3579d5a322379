/* SPDX-License-Identifier: Apache-2.0 */
/* Uses of tensors ahead: a ring of uses, and a hash of the tensors with the first and last of theirs. See liveness.h.
 */
#include "sim/engine/liveness.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

void sy_liveness_open(struct sy_liveness *liveness)
{
    memset(liveness, 0, sizeof *liveness);
}

void sy_liveness_close(struct sy_liveness *liveness)
{
    free(liveness->use);
    free(liveness->slot);
    memset(liveness, 0, sizeof *liveness);
}

static struct sy_use *use_at(const struct sy_liveness *l, uint64_t number)
{
    return &l->use[number & (l->capacity - 1)];
}

static uint64_t home_of(const struct sy_liveness *l, uint64_t key)
{
    return (key * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (l->capacity * 2 - 1);
}

/* The tensor's slot, or the free one where it belongs; slots are at most half full. */
static struct sy_used *find(const struct sy_liveness *l, uint64_t key)
{
    uint64_t mask = l->capacity * 2 - 1, i = home_of(l, key);
    while (l->slot[i].key && l->slot[i].key != key)
        i = (i + 1) & mask;
    return &l->slot[i];
}

/* Close the gap, so that searches that went past the slot still find what they look for. */
static void vacate(struct sy_liveness *l, struct sy_used *used)
{
    uint64_t mask = l->capacity * 2 - 1, gap = (uint64_t)(used - l->slot);
    for (uint64_t i = (gap + 1) & mask; l->slot[i].key; i = (i + 1) & mask) {
        uint64_t wanted = home_of(l, l->slot[i].key);
        if (((i - wanted) & mask) < ((i - gap) & mask))
            continue; /* it lies between the gap and its own place */
        l->slot[gap] = l->slot[i];
        gap = i;
    }
    l->slot[gap] = (struct sy_used){0};
}

static enum sy_status grow(struct sy_liveness *l)
{
    struct sy_liveness old = *l;
    uint64_t capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    if (capacity > SIZE_MAX / 4 / sizeof *l->slot)
        return SY_NOMEM;
    struct sy_use *use = malloc((size_t)capacity * sizeof *use);
    struct sy_used *slot = calloc((size_t)capacity * 2, sizeof *slot);
    if (!use || !slot) {
        free(use);
        free(slot);
        return SY_NOMEM;
    }
    l->use = use;
    l->slot = slot;
    l->capacity = capacity;
    for (uint64_t i = old.from; i < old.to; i++)
        *use_at(l, i) = *use_at(&old, i);
    for (uint64_t i = 0; i < old.capacity * 2; i++)
        if (old.slot[i].key)
            *find(l, old.slot[i].key) = old.slot[i];
    free(old.use);
    free(old.slot);
    return SY_OK;
}

enum sy_status sy_liveness_add(struct sy_liveness *l, uint64_t layer, uint64_t key)
{
    if (!key)
        return SY_OK;
    if (l->to - l->from == l->capacity) {
        enum sy_status status = grow(l);
        if (status != SY_OK)
            return status;
    }
    uint64_t number = l->to++;
    *use_at(l, number) = (struct sy_use){key, layer, UINT64_MAX};
    struct sy_used *used = find(l, key);
    if (used->key)
        use_at(l, used->last)->next = number;
    else
        *used = (struct sy_used){key, number, number};
    used->last = number;
    return SY_OK;
}

void sy_liveness_pass(struct sy_liveness *l, uint64_t layer)
{
    for (; l->from < l->to && use_at(l, l->from)->layer <= layer; l->from++) {
        const struct sy_use *use = use_at(l, l->from);
        struct sy_used *used = find(l, use->key);
        if (use->next == UINT64_MAX)
            vacate(l, used);
        else
            used->first = use->next;
    }
}

uint64_t sy_liveness_next(const struct sy_liveness *l, uint64_t key, uint64_t layer)
{
    const struct sy_used *used = l->capacity && key ? find(l, key) : NULL;
    uint64_t number = used && used->key ? used->first : UINT64_MAX;
    while (number != UINT64_MAX && use_at(l, number)->layer <= layer)
        number = use_at(l, number)->next;
    return number == UINT64_MAX ? UINT64_MAX : use_at(l, number)->layer;
}
