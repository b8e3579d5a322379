/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory: some channels of one device behind one address map, and sources
 * that feed them. Runs every burst. dram_window.h estimates long runs from a
 * part of them; dram_phase.h is what the engine uses.
 *
 * One source keeps its order: while its next request waits for a place in its
 * channel, nothing behind it moves. Channels get no input meanwhile, so each
 * keeps its own clock and is advanced only when it matters; the result is that
 * of a common clock. Not thread safe: one memory a thread.
 */
#ifndef SY_ENGINE_DRAM_SYSTEM_H
#define SY_ENGINE_DRAM_SYSTEM_H

#include "arch/dram_device.h"
#include "sim/engine/dram_channel.h"
#include "sim/engine/dram_map.h"
#include "sim/engine/dram_source.h"

struct sy_dram_options {
    uint32_t channels;
    const char *address_map;         /* NULL = the device's */
    uint64_t interleave_bytes;       /* 0 = where the map has the channel field */
    uint64_t fabric_bytes_per_clock; /* between a channel's PHY and the fabric, each direction in turn; 0 = no limit */
    bool hot;                        /* refresh twice as often (above 85 C) */
    uint64_t inline_ecc_bytes;       /* data bytes whose check bits fill one burst, in the same row; 0 = none */
    unsigned lanes;                  /* 0 = widest vectors of this machine; 4 = the portable ones */
};

/* What a run did. Times are clocks of the command bus from the first arrival. */
struct sy_dram_run {
    uint64_t bursts;                      /* of data */
    uint64_t reads_issued, writes_issued; /* with those of check bits */
    uint64_t clocks;                      /* until the last read data are back and the last write is accepted */
    uint64_t accepted_clock;              /* last acceptance */
    double read_latency_mean, source_latency_mean; /* clocks; from acceptance, from arrival */
    uint64_t read_latency_p50, read_latency_p99, read_latency_max;
    uint64_t read_latency_p90, read_latency_p95, read_latency_p999;
    struct sy_dram_counts counts; /* all channels */
};

struct sy_dram_memory;

/* Owns copies of what it needs; free with destroy. SY_INPUT for a map that does not fit the device. */
enum sy_status sy_dram_memory_create(const struct sy_dram_device *device, const struct sy_dram_controller *controller,
                                     const struct sy_dram_options *options, struct sy_dram_memory **memory,
                                     struct sy_diag *diag);
void sy_dram_memory_destroy(struct sy_dram_memory *memory);
/* All banks closed, clock 0, counters 0. */
void sy_dram_memory_reset(struct sy_dram_memory *memory);

/* Run one source to its end, from reset. */
void sy_dram_memory_run(struct sy_dram_memory *memory, const struct sy_dram_source *source, struct sy_dram_run *run);

#endif
