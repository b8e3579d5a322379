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

struct sy_workload {
    struct sy_arena *arena; /* owns everything below */
    const char *name;
    struct sy_workload_record *first, *last;
    uint64_t records;
    struct sy_unmodelled *unmodelled;
};

enum sy_status sy_workload_create(const char *name, struct sy_workload **workload);
void sy_workload_destroy(struct sy_workload *workload);
/* Append a copy (strings are copied into the arena). Returns SY_NOMEM or SY_OK. */
enum sy_status sy_workload_add_layer(struct sy_workload *workload, const struct sy_layer *layer);
enum sy_status sy_workload_add_repeat(struct sy_workload *workload, uint64_t times);
enum sy_status sy_workload_end_repeat(struct sy_workload *workload);

/* Totals with repeats multiplied out; false on overflow. */
struct sy_workload_totals { uint64_t layers, macs, parameters, weight_bytes, activation_bytes; };
bool sy_workload_totals(const struct sy_workload *workload, struct sy_workload_totals *totals);

#endif
