/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sources at once (DMA engines of several cores and operands) on one
 * memory. Each source keeps its own order. Every channel has one port: sources
 * whose next request goes there take turns at it, `grain` bursts each, and the
 * one at the port waits until it is accepted, read or write. So writes cannot
 * starve reads, as they would with a port each in front of controllers that
 * drain writes first. Channels step together wherever one could still
 * influence another; the outcome is that of a common clock.
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
struct sy_dram_port {
    uint32_t turn; /* source that may go next, or first after the one at the port */
    uint32_t left; /* acceptances left in its turn */
    bool taken;    /* source `turn` stands at the port */
};
struct sy_dram_set {
    struct sy_dram_memory *memory;
    uint32_t sources, grain;
    int64_t clock; /* of the last acceptance */
    uint64_t accepted;
    struct sy_dram_returns returns;
    struct sy_dram_port port[SY_DRAM_MAX_CHANNELS];
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
