/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: used <= limit; every chunk's fill <= its size; addresses handed
 * out are multiples of ALIGNMENT and never move.
 */
#include "sim/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"

#define ALIGNMENT ((size_t)alignof(max_align_t))
#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_CHUNK ((size_t)1 << 20)
#define DEFAULT_LIMIT ((size_t)1 << 30)

struct chunk {
    struct chunk *next;
    size_t size;
    size_t fill;
    alignas(max_align_t) unsigned char data[];
};

struct sy_arena {
    struct sy_allocator hooks;
    struct chunk *chunks; /* the head is the one being filled */
    size_t limit;
    size_t used;
    size_t next_chunk;
};

static void *default_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void default_release(void *ctx, void *pointer)
{
    (void)ctx;
    free(pointer);
}

struct sy_arena *sy_arena_create(const struct sy_allocator *hooks, size_t limit_bytes)
{
    struct sy_allocator own = {.alloc = default_alloc, .release = default_release, .ctx = NULL};
    if (hooks != NULL && hooks->alloc != NULL) {
        own.alloc = hooks->alloc;
        own.ctx = hooks->ctx;
    }
    if (hooks != NULL && hooks->release != NULL) {
        own.release = hooks->release;
        own.ctx = hooks->ctx;
    }
    struct sy_arena *arena = own.alloc(own.ctx, sizeof *arena);
    if (arena == NULL) {
        return NULL;
    }
    *arena = (struct sy_arena){
        .hooks = own, .limit = limit_bytes == 0 ? DEFAULT_LIMIT : limit_bytes, .next_chunk = FIRST_CHUNK};
    return arena;
}

void sy_arena_destroy(struct sy_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    struct sy_allocator hooks = arena->hooks;
    struct chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        hooks.release(hooks.ctx, chunk);
        chunk = next;
    }
    hooks.release(hooks.ctx, arena);
}

/* A chunk with room for size bytes. A request larger than a chunk gets one of
 * its own behind the head, so the head keeps filling. */
static struct chunk *grow(struct sy_arena *arena, size_t size)
{
    size_t capacity = size > arena->next_chunk / 2 ? size : arena->next_chunk;
    struct chunk *chunk = arena->hooks.alloc(arena->hooks.ctx, sizeof *chunk + capacity);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->size = capacity;
    chunk->fill = 0;
    if (capacity == size && arena->chunks != NULL) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
        return chunk;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    if (arena->next_chunk < LARGEST_CHUNK) {
        arena->next_chunk *= 2;
    }
    return chunk;
}

void *sy_arena_alloc(struct sy_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT - sizeof(struct chunk)) {
        return NULL;
    }
    size_t rounded = (size + (size == 0) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->limit - arena->used) {
        return NULL;
    }
    struct chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->fill < rounded) {
        chunk = grow(arena, rounded);
        if (chunk == NULL) {
            return NULL;
        }
    }
    void *pointer = chunk->data + chunk->fill;
    chunk->fill += rounded;
    arena->used += rounded;
    return memset(pointer, 0, rounded);
}

void *sy_arena_array(struct sy_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    return sy_arena_alloc(arena, total);
}

char *sy_arena_strndup(struct sy_arena *arena, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : sy_arena_alloc(arena, length + 1);
    if (copy != NULL && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *sy_arena_strdup(struct sy_arena *arena, const char *text)
{
    return sy_arena_strndup(arena, text, strlen(text));
}

char *sy_arena_printf(struct sy_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : sy_arena_alloc(arena, (size_t)length + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

size_t sy_arena_used(const struct sy_arena *arena)
{
    return arena->used;
}
