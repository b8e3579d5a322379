/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: many small allocations, one release. Objects built from input (a
 * chip, a workload, a result) own one arena; every pointer they hand out lives
 * until that arena is destroyed. Memory is zeroed. Not thread safe.
 */
#ifndef SY_BASE_ARENA_H
#define SY_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Allocator hooks; NULL members mean malloc/free. */
struct sy_allocator {
    void *(*alloc)(void *ctx, size_t size);
    void (*release)(void *ctx, void *pointer);
    void *ctx;
};

struct sy_arena;

/* hooks may be NULL; it is copied. limit_bytes bounds the arena (0 = 1 GiB).
 * NULL when out of memory. */
struct sy_arena *sy_arena_create(const struct sy_allocator *hooks, size_t limit_bytes);
void sy_arena_destroy(struct sy_arena *arena); /* NULL is fine */

/* Zeroed, aligned for any type. NULL when out of memory or over the limit. */
void *sy_arena_alloc(struct sy_arena *arena, size_t size);
/* count * size with the product checked. */
void *sy_arena_array(struct sy_arena *arena, size_t count, size_t size);
char *sy_arena_strdup(struct sy_arena *arena, const char *text);
char *sy_arena_strndup(struct sy_arena *arena, const char *text, size_t length);
char *sy_arena_printf(struct sy_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t sy_arena_used(const struct sy_arena *arena);

#endif
