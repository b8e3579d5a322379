/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensors between layers: where an input comes from, whether an output stays,
 * what has to leave for it (engine.md section 4).
 *
 * Rule: an output stays in the innermost level that stores whole tensors, when
 * a later layer uses it and it fits beside what is used sooner. Tensors with no
 * further use are dropped: one that was used already is dead; one never used
 * was stored when it was made.
 */
#include <string.h>

#include "sim/engine/schedule_internal.h"

static bool is_temporary(const struct sy_scheduler *s, uint64_t key)
{
    return key - s->temporary_key < SY_MAX_ITEMS;
}

uint64_t sy_tensor_next_use(const struct sy_scheduler *s, uint64_t key)
{
    if (!key)
        return UINT64_MAX;
    if (is_temporary(s, key))
        return s->current->ordinal;
    return s->options.liveness ? sy_liveness_next(s->options.liveness, key, s->current->ordinal) : UINT64_MAX;
}

/* A fixed pseudo-random place in the backing store: constant memory however long the trace is. Tensors begin at
 * multiples of a large page, skewed by their role (region_skew; its default is a third of any smaller power of two), so
 * that what streams move at once meets in banks in the same way in every layer. Choices of this model. */
enum { LARGE_PAGE = 1 << 26, SMALL_PAGE = 4096, LEAST_PAGES = 64 };

uint64_t sy_schedule_address(const struct sy_scheduler *s, uint64_t key, enum sy_operand role)
{
    const struct sy_level *level = &s->chip->level[s->chain[role][s->chain_length[role] - 1]];
    uint64_t span = level->capacity_bytes ? level->capacity_bytes : UINT64_C(1) << 36;
    uint64_t mixed = key ^ key >> 29;
    mixed *= UINT64_C(0xBF58476D1CE4E5B9);
    bool large = span / LARGE_PAGE >= LEAST_PAGES;
    uint64_t page = large ? LARGE_PAGE : SMALL_PAGE, skew = large ? (uint64_t)role * level->region_skew_bytes : 0;
    return (mixed ^ mixed >> 32) % sy_max(span / page, 1) * page + skew;
}

uint64_t sy_tensor_key(const struct sy_scheduler *s, int tensor, bool output)
{
    if (tensor >= 0)
        return s->current->input_key[tensor];
    if (tensor == SY_TENSOR_OUT)
        return s->current->output_key;
    if (tensor == SY_TENSOR_RUNNING) /* two in turn, beside the intermediates */
        return s->temporary_key + SY_MAX_ITEMS / 2 - 1 + ((s->key_block + !output) & 1) * SY_MAX_ITEMS / 2;
    /* An intermediate is what the item before made; of attention two blocks are alive. */
    return s->temporary_key + s->item - (output ? 0 : 1) + (s->chunk & 1) * SY_MAX_ITEMS / 2;
}

void sy_tensor_stored(struct sy_scheduler *s, uint64_t key, uint64_t stamp)
{
    if (!key || !stamp)
        return;
    s->stored[s->stored_next] = (struct sy_stored){key, stamp};
    s->stored_next = (s->stored_next + 1) % SY_STORED;
}

uint64_t sy_tensor_stamp(const struct sy_scheduler *s, uint64_t key)
{
    uint64_t stamp = 0;
    for (uint32_t i = 0; key && i < SY_STORED; i++)
        if (s->stored[i].key == key)
            stamp = sy_max(stamp, s->stored[i].stamp);
    return stamp;
}

void sy_move_fill(struct sy_issue *issue, enum sy_operand operand, uint32_t level, uint32_t parent, uint64_t bytes,
                  uint64_t address)
{
    issue->command.operand = (uint8_t)operand;
    issue->command.level = (uint8_t)level;
    issue->command.u.move.parent = (uint8_t)parent;
    issue->command.u.move.rows = 1;
    issue->command.u.move.row_bytes = issue->command.u.move.pitch_bytes = bytes;
    issue->command.u.move.address = address;
}

struct sy_source sy_tensor_source(struct sy_scheduler *s, uint64_t key, const struct sy_tensor *tensor,
                                  enum sy_operand role)
{
    struct sy_source source = {.key = key, .weight = tensor && tensor->flags & SY_TENSOR_WEIGHT};
    source.address = sy_schedule_address(s, key, role);
    for (uint32_t level = 0; key && level < s->on_chip; level++) {
        if (!(s->chip->level[level].holds >> role & 1) || !sy_space_find(&s->space[level], key))
            continue;
        source.on_chip = true;
        source.level = level;
        struct sy_resident *resident = sy_space_find(&s->space[level], key);
        source.producer = resident->producer;
        source.producer_class = resident->producer_class;
        return source;
    }
    source.producer = sy_tensor_stamp(s, key);
    source.producer_class = SY_USE_STORE;
    return source;
}

struct sy_resident *sy_tensor_resident(struct sy_scheduler *s, const struct sy_source *source)
{
    return source->on_chip ? sy_space_find(&s->space[source->level], source->key) : NULL;
}

static bool used_by_current(const struct sy_scheduler *s, uint64_t key)
{
    for (uint32_t input = 0; input < s->current->layer.inputs; input++)
        if (s->current->input_key[input] == key)
            return true;
    return false;
}

void sy_tensor_drop(struct sy_scheduler *s, uint32_t level, struct sy_resident *resident)
{
    s->released[level][resident->books] += resident->bytes;
    sy_space_drop(&s->space[level], resident);
}

void sy_tensors_begin_layer(struct sy_scheduler *s)
{
    for (uint32_t level = 0; level < s->on_chip; level++) {
        struct sy_space *space = &s->space[level];
        for (uint32_t i = space->residents; i-- > 0;) {
            struct sy_resident *resident = &space->resident[i];
            bool now = used_by_current(s, resident->key);
            resident->next_use = now ? s->current->ordinal : sy_tensor_next_use(s, resident->key);
            if (resident->next_use == UINT64_MAX && !resident->pinned)
                sy_tensor_drop(s, level, resident);
        }
    }
}

/* A tensor is about to be written anew: an older version on chip is no longer it. What the running layer still reads of
 * the old one is found under another key until the next layer begins and drops it. */
void sy_tensors_retire(struct sy_scheduler *s, uint64_t key, struct sy_source *const *sources, uint32_t count)
{
    for (uint32_t level = 0; key && level < s->on_chip; level++) {
        struct sy_resident *resident = sy_space_find(&s->space[level], key);
        bool read = false;
        if (!resident)
            continue;
        for (uint32_t i = 0; i < count; i++) {
            if (!sources[i]->on_chip || sources[i]->key != key)
                continue;
            sources[i]->key = key ^ SY_OLD_VERSION;
            read = true;
        }
        if (read)
            resident->key = key ^ SY_OLD_VERSION;
        else
            sy_tensor_drop(s, level, resident);
    }
}

/* Write a dirty tensor back through the levels outside, then drop it. */
enum sy_status sy_tensors_evict(struct sy_scheduler *s, uint32_t level, struct sy_resident *victim)
{
    struct sy_users producers = {{0}};
    if (victim->producer)
        sy_users_note(&producers, victim->producer_class, victim->producer);
    uint32_t at = 0;
    while (at < s->chain_length[SY_C] && s->chain[SY_C][at] != level)
        at++;
    for (; victim->dirty && at + 1 < s->chain_length[SY_C]; at++) {
        uint64_t stamp;
        struct sy_issue *store = sy_schedule_emit(s, SY_CMD_STORE, &stamp);
        if (!store)
            return SY_INTERNAL;
        const struct sy_core_shares part = sy_core_shares(victim->bytes, sy_max(s->chip->cores, 1));
        sy_move_fill(store, SY_C, s->chain[SY_C][at], s->chain[SY_C][at + 1], part.share,
                     sy_schedule_address(s, victim->key, SY_C));
        sy_cores_contiguous(s, &part, part.share - 1, store);
        sy_schedule_after_producers(&store->command, &producers, SY_STALL_DEPENDENCY);
        memset(&producers, 0, sizeof producers);
        sy_users_note(&producers, SY_USE_STORE, stamp);
        sy_users_note(&victim->users, SY_USE_STORE, stamp);
        sy_tensor_stored(s, victim->key, stamp);
    }
    sy_tensor_drop(s, level, victim);
    return SY_OK;
}

/* The resident used latest from now, if later than `than`; not one the running layer reads. */
static struct sy_resident *farthest(struct sy_scheduler *s, uint32_t level, uint64_t than)
{
    struct sy_space *space = &s->space[level];
    struct sy_resident *best = NULL;
    for (uint32_t i = 0; i < space->residents; i++) {
        struct sy_resident *resident = &space->resident[i];
        if (resident->pinned || resident->next_use <= than || resident->next_use == s->current->ordinal)
            continue;
        if (!best || resident->next_use > best->next_use ||
            (resident->next_use == best->next_use && resident->bytes > best->bytes))
            best = resident;
    }
    return best;
}

struct sy_resident *sy_tensor_place(struct sy_scheduler *s, uint64_t key, uint64_t bytes, uint32_t level,
                                    uint64_t floor, uint64_t than, struct sy_users *before)
{
    for (;;) {
        struct sy_resident *resident = sy_space_keep(&s->space[level], key, bytes, floor, before);
        if (resident) {
            resident->books = SY_C;
            return resident;
        }
        struct sy_resident *victim = farthest(s, level, than);
        if (!victim || sy_tensors_evict(s, level, victim) != SY_OK)
            return NULL;
    }
}

struct sy_resident *sy_tensors_keep(struct sy_scheduler *s, uint64_t key, uint64_t bytes, uint32_t level,
                                    struct sy_users *before)
{
    uint64_t capacity = s->space[level].capacity, next_use = sy_tensor_next_use(s, key);
    if (bytes > capacity / 2) /* leave room for tiles */
        return NULL;
    struct sy_resident *resident = sy_tensor_place(s, key, bytes, level, capacity / 4, next_use, before);
    if (resident)
        resident->next_use = next_use;
    return resident;
}
