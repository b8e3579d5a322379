/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sources at once (DMA engines of several cores and operands) on one
 * memory. Each keeps its own order and waits alone; they take turns for the
 * places that fall free, `grain` bursts at a time. Channels step together
 * wherever one could still influence another, so the outcome is that of a
 * common clock.
 */
#ifndef SY_ENGINE_DRAM_SET_H
#define SY_ENGINE_DRAM_SET_H

#include "sim/engine/dram_system.h"

enum { SY_DRAM_SET_MAX = 64, SY_DRAM_OUTSTANDING_MAX = 1024 };

struct sy_dram_feeder {
    struct sy_dram_cursor cursor;
    struct sy_dram_request request; /* taken from the cursor, not accepted yet */
    uint32_t channel;
    bool has_request;
    int64_t arrival;
    uint64_t accepted, reads;
    uint32_t in_flight, outstanding;       /* reads; 0 = unlimited */
    int64_t back[SY_DRAM_OUTSTANDING_MAX]; /* heap of the clocks at which reads in flight come back */
    uint32_t scheduled;
};
struct sy_dram_set {
    struct sy_dram_memory *memory;
    uint32_t sources, turn, turn_left, grain;
    int64_t clock; /* of the last acceptance */
    uint64_t accepted;
    struct sy_dram_returns returns;
    struct sy_dram_feeder feeder[SY_DRAM_SET_MAX];
};

/* Reset the memory and begin. sources live as long as the set; grain_bursts 0 = 1. */
void sy_dram_set_start(struct sy_dram_set *set, struct sy_dram_memory *memory, const struct sy_dram_source *source,
                       uint32_t sources, uint32_t grain_bursts);
/* Accept `bursts` more; false when all sources ended before. */
bool sy_dram_set_feed(struct sy_dram_set *set, uint64_t bursts);
/* Until all sources end; fills the run (no latency percentiles of single sources). */
void sy_dram_set_run(struct sy_dram_set *set, struct sy_dram_run *run);

#endif
