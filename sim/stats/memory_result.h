/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a memory did with an address pattern and nothing else on it. Filled by
 * sim/engine/dram_alone.c and sim/stats/memory_result.c, written down by
 * sim/report/memory.c. Strings are borrowed and outlive the struct.
 */
#ifndef SY_STATS_MEMORY_RESULT_H
#define SY_STATS_MEMORY_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/chip.h"
#include "arch/energy.h"
#include "sim/base/diag.h"

enum { SY_MEMORY_ENERGIES = 8, SY_MEMORY_PERCENTILES = 5 };
extern const double sy_memory_percentile[SY_MEMORY_PERCENTILES]; /* 50, 90, 95, 99, 99.9 */

struct sy_memory_energy {
    const char *action; /* "access": a bit by the energy table; the others by the device file */
    const char *unit;   /* of count: "bit", "command", "ns" */
    uint64_t count;
    double pj, low_pj, high_pj; /* of one; low and high only for access */
    const char *source, *confidence;
};

struct sy_memory_result {
    /* what was run */
    const char *chip, *level, *device, *controller, *address_map, *pattern;
    const char *memory; /* "burst", "sampled" */
    uint64_t channels, pseudochannels, burst_bytes, requests;
    double rate; /* share of the peak at which requests arrive; 0 = as fast as accepted */
    double clock_ns;
    /* what came out */
    uint64_t clocks;                      /* of the command bus, to the last read data and the last accepted write */
    uint64_t simulated;                   /* requests that were simulated; the rest follows from them */
    uint64_t reads, writes, check_bursts; /* requests; bursts of inline ECC beside them */
    double seconds, bandwidth_bytes_per_s, peak_bytes_per_s, chip_bytes_per_s;
    double latency_mean_ns, latency_max_ns, latency_ns[SY_MEMORY_PERCENTILES]; /* reads, from acceptance */
    double source_latency_mean_ns;                                             /* from arrival */
    uint64_t activates, precharges, read_commands, write_commands, refreshes;
    uint64_t row_hits, row_misses, row_conflicts;
    double active_share; /* of the time with a row open, mean over the channels */
    uint32_t energies;   /* [0] is "access"; more when the device file has energies of commands */
    struct sy_memory_energy energy[SY_MEMORY_ENERGIES];
};

/* Joules of the access row (index 0), or of all rows of the device file; 0 when there are none. */
double sy_memory_access_j(const struct sy_memory_result *result);
double sy_memory_commands_j(const struct sy_memory_result *result);

/* Fill the access row from the table for the level's component. SY_INPUT when the table has none. */
enum sy_status sy_memory_price(struct sy_memory_result *result, const struct sy_chip *chip,
                               const struct sy_level *level, const struct sy_energy_table *table, struct sy_diag *diag);

#endif
