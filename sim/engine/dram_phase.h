/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the event engine asks of the memory: how fast a set of DMA phases moves
 * while nothing starts or ends, and what one phase takes from start to end.
 *
 * A phase walks `rows` rows of `row_bytes`, `pitch_bytes` apart, in order, in
 * whole bursts. In a set every phase is taken as one of many like it (its
 * tiles follow one another), each has its own queue head, and they take turns
 * for the controller's places. Rates are of bytes on the bus, refresh included.
 *
 * Sets are asked about as shapes: phases go on without end, contiguous ones are
 * alike, row lengths and pitches count by their leading bits (a pitch also by
 * its lowest one), bases by the distance from the first one modulo the bank
 * rotation, in `base_steps` steps; every phase has rows of its own. Answers are memoized by shape; the same question
 * gives the same answer, whatever was asked before.
 *
 * Time is integer clocks of the command bus (`sy_dram_clock_fs`). Not thread
 * safe: one context a thread.
 */
#ifndef SY_ENGINE_DRAM_PHASE_H
#define SY_ENGINE_DRAM_PHASE_H

#include "sim/engine/dram_window.h"

enum { SY_DRAM_PHASES_MAX = 64 };

struct sy_dram_phase {
    uint64_t base;
    uint64_t rows, row_bytes, pitch_bytes;
    bool is_write;
    uint64_t random_range;       /* not 0: rows lie at random multiples of pitch_bytes in [base, base + range) */
    uint64_t max_bytes_per_s;    /* what the engine can take; 0 = unlimited */
    uint64_t outstanding_bursts; /* reads in flight; 0 = unlimited, at most 1023 */
};

/* Commands of a set, for counters and energy, in millionths. */
struct sy_dram_commands {
    /* a burst of the set, without what refreshes cause; of activates, those that the phases would not make one by one,
     * each by its own addresses (fewer, where the controller brings requests to a row together) */
    int64_t activates;
    uint64_t row_misses;
    /* a refresh interval, all channels: rows closed by its refreshes; of these, opened again */
    uint64_t closed, reopened;
    uint64_t active; /* of the channels' time: a row is open */
};

struct sy_dram_rate {
    uint64_t bytes_per_s;                /* of this phase, on the bus */
    uint64_t bursts, clocks;             /* the same as an exact ratio, measured */
    struct sy_dram_commands per_million; /* the set's */
};

struct sy_dram_ctx;
struct sy_dram_ctx_options {
    struct sy_dram_options memory;
    uint32_t grain_bytes;     /* a DMA engine keeps its turn this long; 0 = 256 B, a choice of this model */
    uint32_t most_channels;   /* more equal channels than this are folded: see sy_dram_ctx_create; 0 = 4 */
    uint64_t bus_bytes_per_s; /* all phases share a bus of this rate; 0 = none, or no narrower than the channels */
    uint32_t base_steps;      /* distances of bases told apart; 1 = none, 0 = 8. More: sharper, fewer repeats */
    const struct sy_dram_window *window; /* NULL = default; shorter windows answer faster, with more error */
};

/* device and controller are copied. Folding: with 2^k times more channels than most_channels and the channel bits at
 * the low end of the map, phases whose sizes divide are simulated on most_channels channels at 1/2^k of their size, or
 * on half as many (no fewer than 2) at half of that; the rest keep all channels and shorten the window. */
enum sy_status sy_dram_ctx_create(const struct sy_dram_device *device, const struct sy_dram_controller *controller,
                                  const struct sy_dram_ctx_options *options, struct sy_dram_ctx **ctx,
                                  struct sy_diag *diag);
void sy_dram_ctx_destroy(struct sy_dram_ctx *ctx); /* NULL is fine */

/* Rates of n phases that are active together; out has n entries. SY_USAGE for n of 0 or above SY_DRAM_PHASES_MAX, or a
 * phase without bytes. */
enum sy_status sy_dram_rate(struct sy_dram_ctx *ctx, const struct sy_dram_phase *set, uint32_t n,
                            struct sy_dram_rate *out);

/* Rows one phase opens by its own addresses, in millionths: when nothing else moves and the phase of the same stream
 * before it, `back` bytes behind it, left its rows open; how many more when all banks were closed in between, or when
 * it is the first of its tensor. Share: how much of all banks it passes over. A contiguous phase is one of many that
 * follow one another. All zero where rows follow from single requests: random places, controllers that close rows. */
struct sy_dram_opened {
    uint64_t warm, closed, first, share;
};
struct sy_dram_opened sy_dram_phase_opens(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, uint64_t back);

enum sy_dram_mode { SY_DRAM_BURST, SY_DRAM_SAMPLED };
/* One phase alone, from closed banks, on all channels. Sampled answers are memoized. */
enum sy_status sy_dram_run_phase(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, enum sy_dram_mode mode,
                                 struct sy_dram_run *run);

uint64_t sy_dram_clock_fs(const struct sy_dram_ctx *ctx);
/* After how many bytes of address the channels and banks come round again: rates depend on bases modulo this. */
uint64_t sy_dram_rotation_bytes(const struct sy_dram_ctx *ctx);
/* Idle memory, closed row: activate, read, data at the requester. */
uint64_t sy_dram_first_latency_fs(const struct sy_dram_ctx *ctx);
/* Refresh commands of all channels in a span of the device's own time. */
uint64_t sy_dram_refreshes(const struct sy_dram_ctx *ctx, uint64_t span_fs);
uint64_t sy_dram_refresh_interval_fs(const struct sy_dram_ctx *ctx); /* 0 = none */
/* Activates count hits and misses (queues with buffers by age): what a refresh closed is then a miss. */
bool sy_dram_counts_misses(const struct sy_dram_ctx *ctx);
/* Bytes/s of all channels' data buses. */
uint64_t sy_dram_peak_bytes_per_s(const struct sy_dram_ctx *ctx);
/* How many questions were asked, and how many of them had to be simulated. */
void sy_dram_ctx_statistics(const struct sy_dram_ctx *ctx, uint64_t *asked, uint64_t *simulated);

#endif
