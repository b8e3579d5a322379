/* SPDX-License-Identifier: Apache-2.0 */
/* Private to replay.c and the analytic fidelity: the state of one replay. */
#ifndef SY_ENGINE_REPLAY_INTERNAL_H
#define SY_ENGINE_REPLAY_INTERNAL_H

#include "sim/engine/array_judge.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/feed.h"
#include "sim/engine/footprint.h"
#include "sim/engine/replay.h"

enum {
    SY_COST_MEMO = 1024,
    SY_FLIGHTS = 2048,            /* layers between being begun and being done; more than the executor holds */
    SY_MAX_LAYER_ENTRIES = 16384, /* layer records reported one by one; further ones share the last entry */
    SY_RECENT_RECORDS = 4096      /* records of a repeat block that are matched to their first iteration */
};

struct sy_cost_memo {
    uint64_t m, k, n, steady, alone;
    struct sy_row_window window;
    enum sy_dtype a, b;
    uint8_t dataflow;
    uint64_t side; /* steady: of so many tiles side by side */
};
struct sy_layer_entry {
    uint64_t record;
    struct sy_layer_result result;
    enum sy_dtype precision_a, precision_b;
    struct sy_value_statistics values;
};
struct sy_flight {
    uint64_t entry;
    uint64_t link_bytes; /* a collective's, sent by this chip */
};

struct sy_replay {
    const struct sy_chip *chip;
    struct sy_replay_options options;
    struct sy_diag *diag;
    const char *path;
    struct sy_feed feed;
    struct sy_scheduler *scheduler;
    struct sy_trace_writer *emit;
    struct sy_judge *judge;     /* cycle fidelity */
    struct sy_executor *exec;   /* who asks for commands; NULL at the analytic fidelity */
    struct sy_forward *forward; /* NULL: everything is run */
    bool from_memory;           /* the layer was */
    struct sy_result *result;
    bool in_layer, own_commands, scheduled_any;
    uint64_t layer_index, layers_done, finish, expected_macs, skipped_macs, layer_macs_left;
    enum sy_dtype a, b;        /* operand formats of the layer being planned */
    struct sy_row_window rows; /* its convolution, or empty */
    struct sy_layer_entry *entry;
    uint64_t entries, entry_capacity;
    uint64_t fused_record[SY_MAX_FUSED_GROUPS]; /* of the result's fused groups */
    struct sy_flight flight[SY_FLIGHTS];
    struct sy_cost_memo cost[SY_COST_MEMO];
    struct sy_footprint footprint;
};

/* A replay before its first command; *out is closed also after an error. */
enum sy_status sy_replay_open(const struct sy_chip *chip, struct sy_trace_reader *reader,
                              const struct sy_replay_options *options, struct sy_replay **out, struct sy_diag *diag);
void sy_replay_close(struct sy_replay *replay); /* NULL is fine */
/* The scheduler; energy may be NULL. */
enum sy_status sy_replay_plan(struct sy_replay *replay, const struct sy_energy_table *energy);
/* A command source's next; context is the replay. */
enum sy_status sy_replay_next(void *context, struct sy_issue *issue, bool *more);
enum sy_status sy_replay_layer_done(void *replay, const struct sy_layer_counters *counters);

#endif
