/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor: work items 0 ... count-1, each a call that turns its number
 * into bytes, by this process or by forked workers.
 *
 * Workers are forked before anything runs and are handed one number at a time
 * over a socket; their replies come back over it. An item whose worker dies is
 * reported as lost and the worker is replaced, so one crash costs one item.
 *
 * Invariants: every item is collected exactly once, unless the call fails or
 * is cancelled; no process outlives the call.
 */
#ifndef SY_EXPLORE_EXECUTOR_H
#define SY_EXPLORE_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include "sim/base/diag.h"
#include "sim/base/text.h"

enum { SY_MAX_WORKERS = 256 };

struct sy_executor_work {
    uint64_t count;
    uint32_t workers; /* 0 = this process; at most SY_MAX_WORKERS are used */
    /* Appends the item's reply. Runs in a worker: what else it changes is lost. */
    void (*work)(void *context, uint64_t item, struct sy_buf *reply);
    /* Takes one reply, in the calling process, in any order. reply NULL: lost, `why` says how the worker ended. */
    enum sy_status (*collect)(void *context, uint64_t item, const char *reply, size_t length, const char *why);
    void *context; /* of both */
    volatile const int *cancel;
    void (*progress)(void *context, uint64_t done, uint64_t total); /* may be NULL */
    void *progress_context;
};

/* SY_INTERRUPTED after a cancel, SY_IO when no worker can be started, the status of collect when it fails. */
enum sy_status sy_executor_run(const struct sy_executor_work *work, struct sy_diag *diag);

#endif
