/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of one run: integer counters and what is computed from them.
 * Filled by the engine (counters) and sim/stats (ratios, energy); read by
 * reports. Owned by its arena.
 *
 * Invariants, checked by sy_result_check() in every run:
 *  - for each unit: cycles = busy + sum of its stall cycles;
 *  - for each level and operand: filled = released + resident bytes;
 *  - for each link: bytes read from the parent, times the cores that one read is delivered to, = bytes filled in the
 *    child; the crossbar likewise, each way;
 *  - the layers' cycles sum to the total; executed + skipped MACs = the layers' MACs;
 *  - energy total = sum of the rows.
 */
#ifndef SY_STATS_RESULT_H
#define SY_STATS_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/chip.h"
#include "arch/dram_device.h"
#include "arch/energy.h"
#include "sim/base/arena.h"
#include "sim/base/checked.h"
#include "sim/base/diag.h"
#include "workloads/layer.h"

enum { SY_MAX_UNITS = 40, SY_MAX_STALLS = 16 };

/* The names of stall causes are handed over by the engine so that stats need not know traces. */
struct sy_unit_stats {
    const char *name;   /* "array", "vector", "load.host>unified_buffer" */
    const char *domain; /* clock the cycles are counted in */
    uint64_t cycles;
    uint64_t busy;
    uint64_t stall[SY_MAX_STALLS];
    uint64_t commands;
    bool has_tlb; /* a DMA engine with a translation buffer */
    uint64_t tlb_misses;
};

/* Bytes of one operand kind in one level, over the run. */
struct sy_level_stats {
    const char *name;
    uint64_t filled_bytes[SY_OPERANDS], released_bytes[SY_OPERANDS], resident_bytes[SY_OPERANDS];
    uint64_t read_bytes, write_bytes; /* through the level's ports, array and vector accesses included */
    uint64_t peak_bytes;              /* most bytes allocated at once */
};

/* A path between a level and its parent for one operand. */
struct sy_link_stats {
    const char *name; /* "host>unified_buffer.A" */
    uint8_t parent, child, operand;
    uint64_t fill_bytes, filled_bytes;   /* parent read for fills; child filled */
    uint64_t copied_bytes;               /* of the filled ones: of reads that were delivered to several cores */
    uint64_t drain_bytes, drained_bytes; /* child read for stores; parent written */
};

/* Between the cores and what they share; bytes on the memories' buses, of all cores. */
struct sy_crossbar_stats {
    bool has;
    uint64_t in_bytes[2], out_bytes[2]; /* entered, left; [0] to the cores, [1] from them */
    uint64_t copied_bytes;              /* to the cores: delivered to more than one */
};

struct sy_dram_stats {
    const char *name; /* of the level */
    uint32_t channel;
    uint64_t read_bytes, write_bytes; /* on the data bus, whole bursts */
    uint64_t walk_bytes;              /* of the read ones: page tables */
    bool has_rows;                    /* the three below are modelled */
    uint64_t row_hits, row_misses, row_conflicts;
    uint64_t activates, precharges, refreshes;
    /* with a device: channel-nanoseconds with a row open, all closed, powered down; what its commands cost */
    uint64_t active_ns, standby_ns, power_down_ns, burst_bytes;
    const char *device;         /* NULL = none */
    struct sy_dram_power power; /* has = false: the device file gives no energies */
    uint64_t busy_ticks;        /* time with at least one transfer in progress, fs */
    uint64_t clocks;            /* every burst simulated: of the command bus, to the last data; else 0 */
};

/* Array work, for the utilization factors (DESIGN section 3). All in array-cycles summed over the arrays of one unit.
 */
struct sy_array_work {
    uint64_t macs;               /* useful, executed */
    uint64_t skipped_macs;       /* by structured sparsity; of attention by masks */
    uint64_t beats;              /* cycles in which operands stream */
    uint64_t active_cycles;      /* beats + fill, drain, preload of tiles in progress */
    uint64_t mapped_pe_beats;    /* sum over folds of PEs with work x beats, all arrays */
    uint64_t pe_beats;           /* beats x PEs, all arrays */
    uint64_t peak_num, peak_den; /* MACs a PE a beat of the precision used (last one) */
    double peak_mac_cycles;      /* sum over layers of cycles x peak MACs a cycle at that layer's precision */
};

struct sy_vector_work {
    uint64_t simple_ops, transcendental_ops, reduce_ops, elements;
};

struct sy_area;

/* Energies are added up as whole zeptojoules (1e-21 J = 1e-9 pJ): a price is rounded to one once, and then
 * count x price and their sum are exact. Kept in sy_u128: 3e17 J fit. */
struct sy_energy_item {
    const char *component, *action;
    uint64_t count;             /* actions; of actions that end in _ns: nanoseconds */
    double pj, low_pj, high_pj; /* of one action; pj is exactly price_zj */
    uint64_t price_zj;
    sy_u128 total_zj; /* count x price_zj */
    double total_j, low_j, high_j;
    const char *source, *confidence, *rule;
    bool extrapolated;
};

enum { SY_BOUND_COMPUTE, SY_BOUND_MEMORY, SY_BOUND_VECTOR, SY_BOUND_LATENCY, SY_BOUND_COUNT };
extern const char *const sy_bound_names[SY_BOUND_COUNT];

/* How a convolution's kernel window lies on the array's rows; packed SY_WINDOW_NONE: it is all the same, since the rows
 * divide the channels, there is no window, or the rows do not carry k. */
enum sy_window_packing { SY_WINDOW_NONE, SY_WINDOW_NOT_PACKED, SY_WINDOW_PART_PACKED, SY_WINDOW_PACKED };
extern const char *const sy_window_packing_names[]; /* NULL, "no", "part", "whole" */
struct sy_window_use {
    enum sy_window_packing packed;
    uint64_t segment;    /* k steps that may share a fold */
    uint64_t array_rows; /* of the array */
    double rows;         /* in use: mean over the folds of a segment */
};

struct sy_layer_result {
    const char *name, *op;
    uint64_t m, k, n, groups; /* of the matrix item; 0 when there is none */
    uint64_t repeat;          /* iterations this entry stands for */
    uint64_t cycles;          /* finish - previous record's finish, all iterations */
    uint64_t macs;
    double utilization;
    uint8_t bound;
    uint64_t stall[SY_MAX_STALLS]; /* the array's, sums with busy to cycles */
    uint64_t busy;
    double energy_j;
    uint64_t dram_read_bytes, dram_write_bytes;
    const char *split; /* what the cores share of it: m, k, n or groups; NULL: nothing */
    uint64_t tile[3];  /* m, k, n at the innermost level; 0 = none */
    const char *dataflow, *order;
    const char *kept; /* tensor kept on chip after this layer, or NULL */
    struct sy_window_use window;
    struct sy_array_work work;
    struct sy_vector_work vector;
    uint64_t level_read_bytes[SY_MAX_LEVELS], level_write_bytes[SY_MAX_LEVELS];
    enum sy_dtype precision_a, precision_b; /* of the matrix item's operands */
    uint64_t link_bytes;                    /* sent to other chips */
    uint64_t crossed[2];                    /* bytes through the crossbar: at its shared side, at the cores' ports */
    struct sy_value_statistics values;      /* as the trace states them */
    uint64_t halo_macs;                     /* executed besides macs: of rows that a fused group computes again */
};

enum { SY_MAX_FUSED_GROUPS = 64 };
/* A group of layers that ran depth-first in strips (workloads/fuse.h). */
struct sy_fused_group {
    const char *first, *last, *halo; /* names of its layers; "keep" or "recompute" */
    uint64_t layers, strip_rows;
    uint64_t strips;                    /* of all images */
    uint64_t repeat;                    /* how often the group ran */
    uint64_t on_chip_bytes, halo_bytes; /* most that its tensors take at once; of them carried from strip to strip */
    bool keeps_weights;                 /* filters stay for all strips */
};

/* A part of the run, all equally long. */
struct sy_power_interval {
    double start_s, seconds;
    double power_w;
    double temperature_c; /* at its end; with a thermal model */
    double slowdown;      /* time it takes under the temperature limit over its time; 1 = not throttled */
};

struct sy_result_input {
    const char *role, *path;
    char sha256[65];
};

/* How to repeat the run, in the caller's words. NULL, 0 or false: not asked for. Lists end with NULL. */
struct sy_result_request {
    const char *chip, *workload; /* name or path */
    const char *const *set;      /* overrides of chip keys */
    const char *energy_table;
    uint64_t seed;
    const char *format, *activation, *weight, *accumulator, *phase, *kind, *kv, *routing, *contexts; /* of the import */
    uint64_t batch, context, new_tokens, kv_page, tensor_parallel;
    bool allow_unmodelled;
    const char *const *dims;
    const char *const *fuse;
};

/* A state without work: how long and how many joules waking up takes, and the least time without work for which the
 * state saves energy against idling with clocks on. */
struct sy_sleep {
    bool known;
    double wake_s, wake_j, break_even_s;
};

struct sy_result {
    struct sy_arena *arena;
    const char *chip, *workload, *fidelity, *memory, *objective;
    uint32_t inputs;
    struct sy_result_input input[4];
    struct sy_result_request request;
    /* totals */
    uint64_t cycles; /* core clock */
    struct sy_hz core_hz;
    double seconds;
    uint64_t macs, layers_run; /* layers unrolled */
    uint64_t expected_macs;    /* of the layers, dense: executed + skipped */
    bool has_bookkeeping;      /* the levels' filled and released bytes were kept by the scheduler */
    double utilization, active, streaming, mapping, padding; /* product of the last four = the first */
    double peak_macs_per_cycle;
    double energy_j, energy_low_j, energy_high_j, power_w, edp_js;
    sy_u128 energy_zj;              /* exactly the sum of the items */
    double base_w;                  /* what the chip draws without work while clocked: part of power_w; 0 = unknown */
    double idle_low_w, idle_high_w; /* idle_w with every row low, and high */
    struct sy_sleep gated, off;     /* of the two other states */
    double idle_w, gated_w, off_w;  /* estimated power clocked without work, with gated clocks, with gated supplies */
    const struct sy_area *area;     /* NULL: not estimated (sim/stats/area.h) */
    uint64_t dram_read_bytes, dram_write_bytes;
    double dram_utilization; /* bus bytes / (time x peak bytes/s), all backing stores */
    double dram_peak_bytes_per_s;
    double arithmetic_intensity; /* MACs a byte of backing-store traffic */
    double roofline_macs_per_s;  /* min(peak, intensity x bandwidth) */
    /* language models: what the pass was, and its compulsory bytes (weights and cached state, each read once) */
    const char *phase; /* "prefill", "decode", "train-step"; NULL = not a language model */
    uint64_t sequences, tokens, context, model_bytes;
    uint64_t kv_pages;       /* of the KV cache that attention reads, each once a layer; entries of the page tables */
    bool has_aligned;        /* the run was repeated with aligned regions of memory ... */
    uint64_t aligned_cycles; /* ... and took so many cycles of the core clock */
    uint64_t chips;          /* that run the pass together, of which this is one; 0 = 1 */
    uint64_t mean_steps;     /* decode steps in mean_step_s, at contexts growing by one; 0 = not asked for */
    double mean_step_s;
    uint64_t model_macs;       /* of all layers; of attention only the visible query-key pairs */
    uint64_t kept_bytes_saved; /* backing-store traffic avoided by residency */
    uint64_t halo_macs;        /* executed besides macs: of rows that fused groups compute again */
    uint64_t exchanged_bytes;  /* partial sums that cores with a share of K each send to one another */
    uint32_t fused_groups;     /* of the first SY_MAX_FUSED_GROUPS records that begin one */
    struct sy_fused_group fused[SY_MAX_FUSED_GROUPS];
    uint64_t footprint_bytes; /* parameters, cached state and the largest layer's activations (engine/footprint.h) */

    uint32_t stalls;
    const char *stall_name[SY_MAX_STALLS];
    uint32_t units;
    struct sy_unit_stats unit[SY_MAX_UNITS]; /* [0] is the array */
    uint32_t levels;
    struct sy_level_stats level[SY_MAX_LEVELS];
    uint32_t links;
    struct sy_link_stats link[SY_MAX_LEVELS * SY_OPERANDS * 2];
    struct sy_crossbar_stats crossbar;
    uint32_t drams;
    struct sy_dram_stats dram[SY_MAX_LEVELS];
    struct sy_array_work work;
    struct sy_vector_work vector;
    uint32_t energies;
    struct sy_energy_item *energy;
    uint64_t layers;
    struct sy_layer_result *layer;
    uint32_t warnings;
    const char **warning;
    uint32_t power_intervals;
    struct sy_power_interval *power_interval;
    bool has_thermal, overheats;            /* overheats: the limit cannot be kept at any clock */
    double peak_temperature_c, throttled_s; /* of the run repeated for ever; its time with throttling */
    uint32_t unmodelled_kinds;
    struct {
        const char *op;
        uint64_t count, bytes;
    } unmodelled[32];
};

/* Ratios, bounds and energy from the counters. The chip and table are only read. */
enum sy_status sy_result_finish(struct sy_result *result, const struct sy_chip *chip,
                                const struct sy_energy_table *table, struct sy_diag *diag);
/* The invariants above; SY_INTERNAL with a message that names the first broken one. */
enum sy_status sy_result_check(const struct sy_result *result, struct sy_diag *diag);
void sy_result_destroy(struct sy_result *result);

#endif
