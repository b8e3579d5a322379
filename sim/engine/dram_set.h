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

#include "sim/base/checked.h"
#include "sim/engine/dram_system.h"

enum { SY_DRAM_SET_MAX = 64, SY_DRAM_OUTSTANDING_MAX = 1024 };
#define SY_DRAM_NOBODY UINT32_MAX

/* Called for every acceptance, in order: the burst, and the clock from which it was offered. */
struct sy_dram_watch {
    void (*accepted)(void *context, uint64_t burst, bool is_write, int64_t offered);
    void *context;
};

struct sy_dram_feeder {
    struct sy_dram_cursor cursor;
    struct sy_dram_request request; /* taken from the cursor, not accepted yet */
    uint64_t burst;
    uint32_t channel;
    bool has_request;
    int64_t from; /* clock of its first arrival */
    int64_t arrival;
    uint32_t behind; /* begins when this feeder has no more requests; SY_DRAM_NOBODY = free to go */
    uint64_t accepted, reads;
    uint64_t total, reads_back;            /* of a source that came later; reads whose data are back or on the way */
    int64_t last_accepted, last_back;      /* clocks */
    int64_t trip;                          /* clocks from the data at the controller to a free place in the bound */
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
    int64_t clock; /* of the last acceptance, or where sy_dram_set_advance got to */
    int64_t limit; /* no event at or after it */
    uint64_t accepted;
    /* one bus in front of all channels, on which a burst takes num / den clocks; num 0 = none */
    uint64_t bus_num, bus_den;
    sy_u128 bus_free;                  /* clock x den */
    uint32_t bus_turn, bus_left;       /* the source that is asked first, for so many bursts */
    const struct sy_dram_watch *watch; /* NULL when a set starts; may be set then */
    int64_t last_done;                 /* clock of the last data back, or behind the last write accepted */
    struct sy_dram_returns returns;
    struct sy_dram_port port[SY_DRAM_MAX_CHANNELS];
    struct sy_dram_feeder feeder[SY_DRAM_SET_MAX];
};

/* Reset the memory and begin. sources live as long as the set; grain_bursts 0 = 1. */
void sy_dram_set_start(struct sy_dram_set *set, struct sy_dram_memory *memory, const struct sy_dram_source *source,
                       uint32_t sources, uint32_t grain_bursts);
/* Accept `bursts` more; false when all sources ended before. */
bool sy_dram_set_feed(struct sy_dram_set *set, uint64_t bursts);
/* Right after the start: all sources share a bus on which a burst takes num / den clocks, den not 0. */
void sy_dram_set_bus(struct sy_dram_set *set, uint64_t num, uint64_t den);

/* ---- sources that come and go ----
 * The same memory, with sources added while it runs. Time moves only with sy_dram_set_advance; requests of one clock
 * that are all there before it compete as in a set that began together. */
void sy_dram_set_open(struct sy_dram_set *set, struct sy_dram_memory *memory, uint32_t grain_bursts);
/* Put a finite source of `bursts` bursts (not 0) in a place that is free, from a clock on (not before the present one),
 * after the last request of feeder `behind` or SY_DRAM_NOBODY. source lives until it is done. */
void sy_dram_set_add(struct sy_dram_set *set, uint32_t index, const struct sy_dram_source *source, uint64_t bursts,
                     int64_t from, uint32_t behind, int64_t trip);
/* Everything before `until` happens. */
void sy_dram_set_advance(struct sy_dram_set *set, int64_t until);
/* Whether a source has all its read data back on the way and all its writes accepted; *clock is then when the last of
 * it is done, otherwise a clock before which it cannot be. */
bool sy_dram_set_done(const struct sy_dram_set *set, uint32_t index, int64_t *clock);

/* Until all sources end; fills the run (no latency percentiles of single sources). */
void sy_dram_set_run(struct sy_dram_set *set, struct sy_dram_run *run);

#endif
