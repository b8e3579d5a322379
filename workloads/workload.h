/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A workload in memory: an ordered list of records (layers, and repeat blocks
 * around them). Importers build one; the trace writer stores it. Replay reads
 * traces as a stream and does not need the whole list.
 */
#ifndef SY_WORKLOADS_WORKLOAD_H
#define SY_WORKLOADS_WORKLOAD_H

#include "sim/base/arena.h"
#include "workloads/layer.h"

enum sy_record_kind { SY_RECORD_LAYER, SY_RECORD_REPEAT, SY_RECORD_END_REPEAT };

struct sy_workload_record {
    enum sy_record_kind kind;
    uint64_t repeat;       /* REPEAT: how many times, >= 1 */
    struct sy_layer layer; /* LAYER */
    struct sy_workload_record *next;
};

/* An operator that could not be modelled and was let through by --allow-unmodelled. */
struct sy_unmodelled {
    const char *op;
    uint64_t count;
    uint64_t bytes;
    struct sy_unmodelled *next;
};

/* One pass of a language model, when the workload is one: what turns time into time to first token, time per output
 * token and tokens per second. */
struct sy_pass {
    const char *phase;  /* "prefill", "decode" or "train-step"; NULL = not a language model */
    uint64_t sequences; /* batch */
    uint64_t tokens;    /* processed in the pass, all sequences: batch x prompt, or batch x 1 in decode */
    uint64_t context;   /* tokens a sequence has behind it when the pass ends */
    uint64_t chips;     /* that run the pass together, of which the workload is one's part; 0 = 1 */
};

/* Weights that a model's file holds and no layer reads: parameters, as published counts have them, that cost no time.
 */
struct sy_unread {
    uint64_t elements, bytes;
};

struct sy_workload {
    struct sy_arena *arena; /* owns everything below */
    const char *name;
    struct sy_workload_record *first, *last;
    uint64_t records;
    uint32_t depth;                   /* repeat blocks open now */
    struct sy_unmodelled *unmodelled; /* in order of first appearance, one entry an operator name */
    struct sy_pass pass;
    struct sy_unread unread;
};

enum { SY_MAX_REPEAT_DEPTH = 16 };

enum sy_status sy_workload_create(const char *name, struct sy_workload **workload);
void sy_workload_destroy(struct sy_workload *workload);
/* Append a copy (strings are copied into the arena). Returns SY_NOMEM or SY_OK. The layer is not checked. */
enum sy_status sy_workload_add_layer(struct sy_workload *workload, const struct sy_layer *layer);
/* SY_INPUT when times is 0, SY_STATE when nested deeper than SY_MAX_REPEAT_DEPTH or when no block is open. */
enum sy_status sy_workload_add_repeat(struct sy_workload *workload, uint64_t times);
enum sy_status sy_workload_end_repeat(struct sy_workload *workload);
/* Count an operator that was let through; bytes = its inputs and outputs as far as they are known. */
enum sy_status sy_workload_add_unmodelled(struct sy_workload *workload, const char *op, uint64_t bytes);

/* Totals with repeats multiplied out; false on overflow, or when a repeat block is still open. parameters and
 * weight_bytes: weights inside a repeat block are distinct in each iteration unless marked SY_TENSOR_SHARED.
 * What no layer reads counts among both. activation_bytes: inputs that are no weights plus outputs, each layer. */
struct sy_workload_totals {
    uint64_t layers, macs, parameters, weight_bytes, activation_bytes;
};
bool sy_workload_totals(const struct sy_workload *workload, struct sy_workload_totals *totals);
/* Add one checked layer that runs `times` times to totals; false on overflow. For whoever has records but no list. */
bool sy_workload_count_layer(const struct sy_layer *layer, uint64_t times, struct sy_workload_totals *totals);
bool sy_workload_count_unread(const struct sy_unread *unread, struct sy_workload_totals *totals);

#endif
