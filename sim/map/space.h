/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On-chip space and residency (engine.md section 4).
 *
 * Space: each on-chip level is an address range. Whole tensors that stay
 * between layers lie at its top end (first fit from above), the tiles of the
 * running layer at its bottom. A hazard remembers who used a range last, so
 * that whoever takes the range next waits for it.
 *
 * Tensors: what is resident where, who made it, when it is used next. A name
 * inside `repeat` is a different tensor in each iteration unless shared; the
 * caller gives the key (a 64-bit hash of name and iteration).
 *
 * Invariants: resident tensors of a level never overlap and lie inside it;
 * allocation is deterministic; a dirty tensor leaves only by write-back.
 */
#ifndef SY_MAP_SPACE_H
#define SY_MAP_SPACE_H

#include <stdbool.h>
#include <stdint.h>

enum { SY_MAX_RESIDENT = 128, SY_MAX_HAZARDS = 256 };

/* Who used a range last: a class of user (the caller's numbering, below SY_USER_CLASSES) and its stamp; stamps of one
 * class complete in order. Stamp 0 = nobody. */
enum { SY_USER_CLASSES = 4 };
struct sy_users {
    uint64_t stamp[SY_USER_CLASSES];
};
static inline void sy_users_note(struct sy_users *users, int user_class, uint64_t stamp)
{
    if (stamp > users->stamp[user_class])
        users->stamp[user_class] = stamp;
}
static inline void sy_users_merge(struct sy_users *users, const struct sy_users *other)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        sy_users_note(users, i, other->stamp[i]);
}

struct sy_hazard {
    uint64_t low, high;
    struct sy_users users;
};

struct sy_resident {
    uint64_t key;
    uint64_t low, high; /* bytes [low, high) of the level */
    uint64_t bytes;     /* of the tensor itself */
    bool dirty;         /* not in the backing store */
    bool pinned;
    uint8_t books;     /* the operand in whose byte counts it is */
    uint8_t fused;     /* of a fused group: enum sy_fused (sim/engine/schedule_internal.h) */
    uint64_t next_use; /* layer index of the next use known; UINT64_MAX = none */
    uint64_t producer; /* stamp after which the data is there, 0 = from the start */
    uint8_t producer_class;
    struct sy_users users; /* readers and writers */
};

struct sy_space {
    uint64_t capacity, alignment;
    uint32_t residents;
    struct sy_resident resident[SY_MAX_RESIDENT]; /* ascending by low */
    uint32_t hazards;
    struct sy_hazard hazard[SY_MAX_HAZARDS]; /* ascending, so that what led to them leaves no trace in their order */
    uint64_t peak_bytes, peak_before;        /* lately; and before that */
};

void sy_space_init(struct sy_space *space, uint64_t capacity, uint64_t alignment);
/* Bytes from 0 up that no resident tensor occupies: what tiles may use. */
uint64_t sy_space_bottom(const struct sy_space *space);
struct sy_resident *sy_space_find(struct sy_space *space, uint64_t key);
/* Place a tensor above `floor`; NULL when no gap is large enough or the table is full. *before receives the users of
 * the range so far. */
struct sy_resident *sy_space_keep(struct sy_space *space, uint64_t key, uint64_t bytes, uint64_t floor,
                                  struct sy_users *before);
/* Forget a resident tensor; its range becomes a hazard with its users. */
void sy_space_drop(struct sy_space *space, struct sy_resident *resident);
/* Users of [low, high) so far; those ranges are taken over (their hazards end). */
void sy_space_take(struct sy_space *space, uint64_t low, uint64_t high, struct sy_users *users);
/* Record that the range was used last by these. */
void sy_space_leave(struct sy_space *space, uint64_t low, uint64_t high, const struct sy_users *users);

#endif
