/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timelines: Chrome trace-event JSON, which chrome://tracing and Perfetto
 * show. One row a unit (more where a unit has several transfers in flight),
 * one event a command. Times are microseconds
 * of simulated time (cycles / core clock), not cycles called microseconds; the
 * cycles are in each event's arguments, the clock in `otherData`.
 *
 * Events are written as they come, in constant memory; the file appears when
 * the timeline is committed. One thread a timeline.
 */
#ifndef SY_REPORT_TIMELINE_H
#define SY_REPORT_TIMELINE_H

#include "sim/stats/result.h"

struct sy_timeline;

struct sy_timeline_event {
    const char *unit;    /* the row; rows appear in the order of their first events; lives as long as the timeline */
    const char *kind;    /* "load", "matmul", ... */
    const char *layer;   /* shown on the event; NULL = kind */
    uint64_t start, end; /* core cycles */
    uint64_t layer_index, command;
};

/* path "-" is standard output. */
enum sy_status sy_timeline_create(const char *path, const char *chip, const char *workload, struct sy_hz core,
                                  struct sy_timeline **timeline, struct sy_diag *diag);
/* A failed write is remembered and reported by commit. */
void sy_timeline_add(struct sy_timeline *timeline, const struct sy_timeline_event *event);
/* A value that holds from a time on, drawn as a curve. name lives for the call. */
void sy_timeline_counter(struct sy_timeline *timeline, const char *name, double seconds, const char *unit,
                         double value);
/* Both free the timeline; NULL is fine for abandon. */
enum sy_status sy_timeline_commit(struct sy_timeline *timeline, struct sy_diag *diag);
void sy_timeline_abandon(struct sy_timeline *timeline);

#endif
