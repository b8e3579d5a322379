/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Estimate of a long stationary run from a window of it.
 *
 * A DMA phase repeats: after a whole number of loops its addresses fall on the
 * same banks again, rows shifted by a constant. The memory starts cold without
 * refresh, takes a warm-up, one forced refresh and some more requests, then a
 * window of whole periods is measured between smoothed acceptance times. The
 * refreshes inside the window are taken out at their analytic cost
 * c = tRFC + tRP + tRCD and put back at their rate over the whole run.
 * Runs shorter than the window are simulated whole.
 *
 * Not promised: phases that sit on an orbit which only a refresh changes may be
 * off by several percent whatever the window; the simulators themselves move as
 * much when tREFI changes by a few clocks.
 */
#ifndef SY_ENGINE_DRAM_WINDOW_H
#define SY_ENGINE_DRAM_WINDOW_H

#include "sim/engine/dram_system.h"

/* Bursts a channel. Chosen on patterns and devices as a whole by error against time, none for a row. */
struct sy_dram_window {
    uint64_t warmup;         /* before the forced refresh */
    uint64_t settle;         /* after it, not measured */
    uint64_t wanted;         /* measured: whole periods up to this */
    uint64_t longest_period; /* a longer period is not waited for */
    uint64_t random;         /* measured when the addresses are random */
    uint64_t conflict_share; /* more activates than one in so many bursts: half the window, each burst costs more */
};
extern const struct sy_dram_window sy_dram_window_default;

/* As sy_dram_memory_run, estimated. window NULL = default. Returns the number of bursts simulated. */
uint64_t sy_dram_memory_estimate(struct sy_dram_memory *memory, const struct sy_dram_source *source,
                                 const struct sy_dram_window *window, struct sy_dram_run *run);

/* Length of the measured window in bursts for a source (of one channel; for tests). */
uint64_t sy_dram_window_length(const struct sy_dram_memory *memory, const struct sy_dram_source *source,
                               const struct sy_dram_window *window);

#endif
