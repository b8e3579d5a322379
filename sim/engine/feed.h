/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed: unrolls a trace's repeat blocks into one sequence of layers and
 * keeps a window of the next ones, so that residency can look ahead. Constant
 * memory: the window's layers, and one mark a nesting level.
 *
 * Tensor keys: a hash of the name, mixed with the iteration counters of the
 * repeat blocks around it unless the tensor is marked shared.
 */
#ifndef SY_ENGINE_FEED_H
#define SY_ENGINE_FEED_H

#include "sim/engine/schedule.h"
#include "traces/trace.h"

enum { SY_FEED_NESTING = 8, SY_FEED_SLOTS = SY_LOOKAHEAD + 1 };

struct sy_feed_slot {
    struct sy_upcoming upcoming;
    uint64_t record;     /* place of the layer record in the trace */
    uint64_t iterations; /* how often that record runs in all */
    bool first;          /* its first iteration */
    char *names;         /* owned text of the layer's strings */
    size_t names_capacity;
};

struct sy_feed {
    struct sy_trace_reader *reader;
    const char *path;
    struct sy_diag *diag;
    struct sy_feed_slot slot[SY_FEED_SLOTS];
    uint32_t head, count;
    bool ended;         /* the trace's end was read */
    bool command_waits; /* the record read last is a command of the window's last layer */
    struct sy_trace_record record;
    struct {
        struct sy_trace_mark mark;
        uint64_t times, iteration;
    } nest[SY_FEED_NESTING];
    uint32_t depth;
    struct {
        const char *op;
        uint64_t count, bytes;
    } unmodelled[32];
    struct sy_pass pass; /* what step of a language model the trace is; phase NULL = none */
    char phase[16];
    uint32_t unmodelled_kinds;
    char unmodelled_names[32][64];
};

void sy_feed_open(struct sy_feed *feed, struct sy_trace_reader *reader, const char *path, struct sy_diag *diag);
void sy_feed_close(struct sy_feed *feed);
/* Fill the window; stops at the end, at a full window, or behind a layer that brings its own commands. */
enum sy_status sy_feed_fill(struct sy_feed *feed);
/* The next layer, NULL at the end. */
struct sy_feed_slot *sy_feed_head(struct sy_feed *feed);
/* The window from the head on as the scheduler wants it. */
uint32_t sy_feed_window(struct sy_feed *feed, const struct sy_upcoming *window[SY_FEED_SLOTS]);
/* True when the head layer's own commands follow in the trace. */
bool sy_feed_has_commands(const struct sy_feed *feed);
/* The next command of the head layer; more = false when there is no further one. */
enum sy_status sy_feed_command(struct sy_feed *feed, struct sy_command *command, bool *more);
void sy_feed_pop(struct sy_feed *feed);

#endif
