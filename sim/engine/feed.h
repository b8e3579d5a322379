/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed: unrolls a trace's repeat blocks into one sequence of layers, and
 * reads ahead which tensors the next SY_FEED_AHEAD of them use, so that
 * residency knows what is used again. Constant memory: two layers, one mark a
 * nesting level, and the uses ahead (liveness.h), at most some 50 MiB.
 *
 * Tensor keys: a hash of the name, mixed with the iteration counters of the
 * repeat blocks around it unless the tensor is marked shared.
 */
#ifndef SY_ENGINE_FEED_H
#define SY_ENGINE_FEED_H

#include "sim/engine/schedule.h"
#include "traces/trace.h"
#include "workloads/fuse_choice.h"

enum { SY_FEED_NESTING = 8, SY_FEED_SLOTS = 2, SY_FEED_AHEAD = 1 << 18 };

struct sy_feed_slot {
    struct sy_upcoming upcoming;
    struct sy_fuse_part part; /* when upcoming.part is not NULL */
    uint64_t record;          /* place of the layer record in the trace */
    uint64_t iterations;      /* how often that record runs in all */
    bool first;               /* its first iteration; of a fused group, its first strip */
    char *names;              /* owned text of the layer's strings */
    size_t names_capacity;
};

/* Where the layers are taken from: the trace, and the repeat blocks around the place. */
struct sy_feed_place {
    struct {
        struct sy_trace_mark mark;
        uint64_t times, iteration;
    } nest[SY_FEED_NESTING];
    uint32_t depth;
    bool ended;       /* the trace's end was read */
    uint64_t ordinal; /* of the next layer */
};

/* A fused group: gathered whole, then handed out strip by strip. */
struct sy_feed_group {
    uint32_t wanted;  /* layers; UINT32_MAX: up to `last`; 0 = none is gathered */
    const char *last; /* name of its last layer, when asked for by name */
    bool running;     /* strips are left to hand out */
    uint32_t handed;  /* layers that were handed out and are not done */
    uint64_t image, strip;
    uint32_t layer;
    uint64_t brought; /* tensors brought for this strip, a bit each */
    struct sy_fuse_rows rows;
    struct sy_fuse_plan plan;
    struct sy_feed_slot member[SY_FUSE_LAYERS];
};

struct sy_feed {
    struct sy_trace_reader *reader;
    const char *path;
    struct sy_diag *diag;
    struct sy_feed_slot slot[SY_FEED_SLOTS];
    uint32_t head, count;
    const struct sy_fuse_choice *choice; /* groups asked for by name; borrowed */
    uint32_t choices;
    uint64_t found; /* of those, a bit each */
    struct sy_feed_group group;
    bool command_waits; /* the record read last is a command of the window's last layer */
    struct sy_trace_record record;
    struct sy_feed_place place;
    struct sy_liveness uses;     /* of the layers from the head on */
    uint64_t reach;              /* layers that are looked ahead; SY_FEED_AHEAD when opened */
    struct sy_feed_place ahead;  /* up to where uses were read */
    struct sy_trace_mark resume; /* of ahead */
    bool resume_known;
    struct {
        const char *op;
        uint64_t count, bytes;
    } unmodelled[32];
    struct sy_pass pass; /* what step of a language model the trace is; phase NULL = none */
    char phase[16];
    uint32_t unmodelled_kinds;
    char unmodelled_names[32][64];
};

/* choice: at most SY_FUSE_CHOICES groups asked for by name; borrowed. */
void sy_feed_open(struct sy_feed *feed, struct sy_trace_reader *reader, const char *path,
                  const struct sy_fuse_choice *choice, uint32_t choices, struct sy_diag *diag);
void sy_feed_close(struct sy_feed *feed);
/* Have the next layer and the record behind it; stops at the end, or behind a layer that brings its own commands. */
enum sy_status sy_feed_fill(struct sy_feed *feed);
/* The next layer, NULL at the end. */
struct sy_feed_slot *sy_feed_head(struct sy_feed *feed);
/* Know the uses of tensors by at least reach / 2 layers from the head on. For traces without commands. */
enum sy_status sy_feed_look_ahead(struct sy_feed *feed);
/* True when the head layer's own commands follow in the trace. */
bool sy_feed_has_commands(const struct sy_feed *feed);
/* The next command of the head layer; more = false when there is no further one. */
enum sy_status sy_feed_command(struct sy_feed *feed, struct sy_command *command, bool *more);
void sy_feed_pop(struct sy_feed *feed);

/* feed_fuse.c: fused groups */
/* Whether the layer just read belongs to one: it begins one, or one is gathered. */
bool sy_feed_fuses(struct sy_feed *feed, const struct sy_layer *layer);
/* The place of the group's next layer; then, when it is filled, go on. */
struct sy_feed_slot *sy_feed_group_slot(struct sy_feed *feed);
enum sy_status sy_feed_group_add(struct sy_feed *feed);
/* The next layer of the next strip. */
void sy_feed_group_next(struct sy_feed *feed, struct sy_feed_slot *slot);
/* An error when a group is gathered that `what` cuts. */
enum sy_status sy_feed_group_cut(struct sy_feed *feed, const char *what);
/* At the end of the trace: an error when one that was asked for by name was not there. */
enum sy_status sy_feed_group_end(struct sy_feed *feed);

#endif
