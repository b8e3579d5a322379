/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sim/base share: a runner, a seeded generator, a sink that remembers, an allocator that fails. */
#ifndef TESTS_UNIT_BASE_SUPPORT_H
#define TESTS_UNIT_BASE_SUPPORT_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "tests/unit/run_support.h"

/* ck_assert reports every passed check to its parent process; in a loop of thousands that costs more than the test. */
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            ck_abort_msg("%s", #condition);                                                                            \
        }                                                                                                              \
    } while (0)

/* splitmix64: any seed is good, the sequence is the same everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Remembers the last message and where it was. */
struct memory_sink {
    struct sy_diag diag;
    int calls;
    char message[1200];
    char hint[200];
    uint32_t line, column;
    uint64_t offset;
};

static inline void remember(void *ctx, const struct sy_diag_msg *msg)
{
    struct memory_sink *sink = ctx;
    sink->calls++;
    snprintf(sink->message, sizeof sink->message, "%s", msg->message);
    snprintf(sink->hint, sizeof sink->hint, "%s", msg->hint == NULL ? "" : msg->hint);
    sink->line = msg->where.line;
    sink->column = msg->where.column;
    sink->offset = msg->where.byte_offset;
}

static inline struct sy_diag *sink_start(struct memory_sink *sink)
{
    memset(sink, 0, sizeof *sink);
    sink->diag.fn = remember;
    sink->diag.ctx = sink;
    return &sink->diag;
}

/* Fails once `left` allocations have succeeded; `live` counts what was not released. */
struct failing {
    long left;
    long live;
};

static inline void *failing_alloc(void *ctx, size_t size)
{
    struct failing *f = ctx;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    f->live++;
    return malloc(size);
}

static inline void failing_release(void *ctx, void *pointer)
{
    struct failing *f = ctx;
    f->live--;
    free(pointer);
}

#endif
