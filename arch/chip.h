/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chip: an immutable description, loaded from YAML through one schema
 * table (arch/schema.c) that drives parsing, range checks, defaults, docs and
 * `systole show`. Nothing here knows a layer's shape or a cycle count.
 *
 * Invariants of a loaded chip: at least one array dimension and one memory
 * level; levels are ordered inner to outer; every operand A, B, C is held by
 * at least one level of kind DRAM or HOST (its backing store) and that is the
 * outermost level of its chain; every operand has an on-chip level; all
 * frequencies are > 0; every name is unique; all counts are in the ranges of
 * the schema table.
 */
#ifndef SY_ARCH_CHIP_H
#define SY_ARCH_CHIP_H

#include "arch/array_timing.h"
#include "arch/sram.h"
#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"
#include "workloads/dtype.h"

enum { SY_MAX_LEVELS = 8, SY_MAX_CLOCKS = 8, SY_MAX_DATAFLOWS = 8, SY_MAX_PRECISIONS = 16 };

enum sy_operand { SY_A, SY_B, SY_C, SY_OPERANDS };

/* An exact frequency, num / den Hz. */
struct sy_hz {
    uint64_t num, den;
};

struct sy_clock {
    const char *name;
    struct sy_hz frequency;
};

/* ---- dataflow: data, not code ----
 * Which GEMM dimensions are spread over the rows and the columns of the array, and which operand stays put. The named
 * instances os, ws, is, rs are files of arch/dataflows; a chip may write its own. */
enum sy_loop {
    SY_LOOP_M = 1,
    SY_LOOP_K = 2,
    SY_LOOP_N = 4,
    SY_LOOP_CIN = 8,
    SY_LOOP_FH = 16,
    SY_LOOP_FW = 32,
    SY_LOOP_OH = 64
};
struct sy_dataflow {
    const char *name;
    const char *description; /* NULL = none */
    uint32_t rows;           /* OR of enum sy_loop */
    uint32_t cols;
    enum sy_operand stationary;
    enum sy_dataflow_kind
        kind; /* the timing family: rs when rows of outputs lie over the columns, else by stationary */
};

/* How fast one array multiplies a pair of formats, relative to its native rate: macs_num / macs_den MACs a PE a cycle.
 */
struct sy_precision {
    enum sy_dtype a, b, accumulator;
    uint64_t macs_num, macs_den;
};

struct sy_array {
    uint64_t rows, cols;
    uint64_t count; /* equal arrays a core */
    uint32_t dataflows;
    struct sy_dataflow dataflow[SY_MAX_DATAFLOWS]; /* the mapper may choose among these */
    uint32_t precisions;
    struct sy_precision precision[SY_MAX_PRECISIONS];
    const char *timing_name; /* file of arch/arrays, or "inline" */
    struct sy_array_timing timing;
    bool zero_gating; /* a PE whose operand is zero does not multiply */
    bool pack_window; /* folds may hold channels of several places of a kernel (sy_chip_segment) */
};

struct sy_vector_unit {
    uint64_t lanes;         /* elements a cycle for one simple operation */
    uint64_t simple_cycles; /* cycles an operation a lane */
    uint64_t transcendental_cycles;
    uint64_t reduce_cycles;  /* cross-lane step */
    uint64_t startup_cycles; /* once a vector command */
    bool follows_array;      /* may start with the first results of a tile, else after the last */
    bool fuses_epilogue;     /* bias, activation ... applied on the way out of the accumulator */
};

/* How attention is cut: a choice of the kernel, not of the silicon. */
struct sy_attention_blocks {
    uint64_t queries; /* of a head at a time; 0 = chosen */
    uint64_t keys;    /* at a time, the last block padded; 0 = all keys of a query */
};

/* Address translation of a DMA engine; entries 0 = none. */
struct sy_tlb_config {
    uint64_t entries, ways; /* ways 0 = fully associative */
    uint64_t page_bytes;
    uint64_t walk_cycles; /* of a miss, core clock */
    uint64_t walk_reads;  /* page table entries a walk reads from memory */
};

struct sy_dma {
    uint64_t engines;              /* load engines between a level and its child; stores have as many */
    bool shared_load_store;        /* one engine does loads and stores */
    uint64_t overhead_cycles;      /* a descriptor, core clock */
    uint64_t outstanding_requests; /* in flight an engine; 0 = unlimited */
    uint64_t request_bytes;        /* largest request; rate <= outstanding x request / latency */
    uint64_t queue_depth;          /* commands the sequencer may queue on each unit */
    double bandwidth_bytes_per_s;  /* of one engine; 0 = unlimited */
    struct sy_tlb_config tlb;
};

enum sy_level_kind { SY_LEVEL_SRAM, SY_LEVEL_DRAM, SY_LEVEL_HOST };
/* What happens to a workload that needs more than the backing stores hold. */
enum sy_beyond_capacity { SY_BEYOND_ERROR, SY_BEYOND_WARN };

/* One memory level. Inner levels first. */
/* How an operand's words lie in the lines of a scratchpad: a line is first x second words of its two dimensions (A: m,
 * k; B: k, n), in columns of which those of `inner` change fastest. 1 x 1: no layout, no conflicts. */
struct sy_layout {
    uint64_t first, second;
    uint32_t inner; /* 0: the first dimension, 1: the second */
};

struct sy_level {
    const char *name;
    enum sy_level_kind kind;
    uint32_t holds;                             /* bit i: operand i of enum sy_operand */
    bool shared;                                /* one for all cores, else one a core */
    uint64_t capacity_bytes;                    /* 0 = unlimited (DRAM, HOST) */
    enum sy_beyond_capacity beyond_capacity;    /* DRAM and HOST */
    uint64_t operand_bytes[SY_OPERANDS];        /* a fixed split; 0 = shares the rest */
    bool accumulates;                           /* holds C as partial sums at accumulator precision */
    uint64_t depth;                             /* buffers a tile operand: 2 = ping-pong */
    uint64_t depth_of[SY_OPERANDS];             /* an operand's own depth, 0 = depth */
    bool stores_whole_tensors;                  /* activations may stay here between layers */
    uint64_t alignment_bytes;                   /* of a tile or tensor in this level */
    uint64_t banks, ports, width_bytes;         /* width of one bank's port */
    struct sy_layout layout[SY_C];              /* of A and B */
    enum sy_sram_cell cell;                     /* of an SRAM's transistors */
    double read_bytes_per_s, write_bytes_per_s; /* sustained peak; for DRAM the data bus of all channels */
    uint64_t latency_ps;                        /* first byte */
    const char *clock;                          /* domain of SRAM ports; NULL = core clock */
    /* DRAM only */
    const char *device; /* file of arch/dram; NULL = bandwidth, latency and refresh only */
    uint64_t channels;
    uint64_t interleave_bytes;
    uint64_t burst_bytes;                          /* transfers are whole bursts */
    uint64_t refresh_interval_ps, refresh_time_ps; /* tREFI, tRFC; 0 = none */
    uint64_t power_down_ps; /* a device without traffic is powered down after this long; 0 = never */
    /* energy and area (DESIGN section 4): names of rows in the energy tables */
    const char *energy_component;
    bool interface_on_die; /* DRAM and host: its PHY and controller are on this die */
    /* DRAM with a device: how its controller and its surroundings differ from the device file's */
    const char *controller;     /* file of arch/dram/controllers; NULL = the device's */
    const char *address_map;    /* grammar of sim/engine/dram_map.h; NULL = the device's */
    bool hot;                   /* above 85 C: refreshed twice as often */
    uint64_t inline_ecc_bytes;  /* data bytes whose check bits fill one burst beside them; 0 = no inline ECC */
    double fabric_bytes_per_s;  /* between one channel's PHY and the fabric, read or write; 0 = no limit */
    struct sy_where burst_at;   /* where the description gives `burst`, or the level; for messages */
    uint64_t region_skew_bytes; /* tensors of B begin so far behind a large page, those of C twice as far */
};

/* To other chips, for collectives; sim/map/collective.h says how they are timed. */
struct sy_links {
    double bytes_per_s;  /* that a chip sends over all its links at once; 0 = it has none */
    uint64_t latency_ps; /* of one step to a neighbour, software included */
};

/* Between the cores and the memories they share or that lie off the chip. */
enum sy_interconnect_kind { SY_INTERCONNECT_NONE, SY_INTERCONNECT_CROSSBAR };
struct sy_interconnect {
    enum sy_interconnect_kind kind;
    double port_bytes_per_s; /* of one core, each way; 0 = unlimited */
    double bytes_per_s;      /* of all cores, each way, as they enter; 0 = unlimited */
    uint64_t latency_ps;     /* once a move */
    bool multicast;          /* what all cores need at once is read once */
};

enum sy_clock_gating { SY_GATE_NEVER, SY_GATE_IDLE };
struct sy_power {
    enum sy_clock_gating clock_gating;
    double static_w; /* leakage of the chip, when known as one figure */
    double clock_w;  /* clock tree while clocked */
    double tdp_w;
    double idle_w, busy_w; /* published, for information */
    /* lumped thermal model: junction to ambient; 0 = no such model */
    double thermal_k_per_w, thermal_j_per_k, ambient_c, limit_c;
};

/* By folds: groups, else N, else M when N has fewer folds than there are cores. Estimate: what the mapper finds
 * fastest.
 */
enum sy_core_split {
    SY_SPLIT_FOLDS,
    SY_SPLIT_ESTIMATE,
    SY_SPLIT_M,
    SY_SPLIT_N,
    SY_SPLIT_K, /* partial sums are exchanged */
    SY_SPLIT_GROUPS
};

struct sy_figure;

struct sy_chip {
    struct sy_arena *arena;
    const char *name, *description, *source, *confidence;
    uint64_t process_nm;
    double voltage_v;     /* 0 = the voltage the energy table's rows are for */
    double temperature_c; /* of the die, for leakage */
    uint32_t clocks;
    struct sy_clock clock[SY_MAX_CLOCKS]; /* [0] is the core clock: array cycles are counted in it */
    uint64_t cores;
    enum sy_core_split core_split; /* how the cores share a matrix product */
    struct sy_array array;
    struct sy_vector_unit vector;
    struct sy_attention_blocks attention;
    struct sy_dma dma;
    uint32_t levels;
    struct sy_level level[SY_MAX_LEVELS]; /* inner to outer */
    uint64_t launch_cycles;               /* once a workload: host and launch overhead, core clock */
    uint64_t layer_overhead_cycles;       /* once a layer record */
    bool prefetch_across_layers;
    bool serialize; /* no overlap of load, compute, store: for study and tests */
    struct sy_power power;
    struct sy_links links;
    struct sy_interconnect interconnect;
    const char *energy_table; /* file of arch/energy */
    uint32_t overridden;      /* number of --set overrides applied on a calibrated preset */
    const char *text;         /* the resolved chip as YAML: every key with its value; parses back to the same chip */
    char sha256[65];          /* of text */
    const struct sy_figure *figures; /* each value with its source, in file order (arch/schema.h) */
};

struct sy_chip_options {
    const char *data_dir;   /* the folder that holds arch/ (a source tree or share/systole) */
    const char *const *set; /* "core.array.rows=128", NULL-terminated, or NULL */
};

/* name_or_path: a preset name ("tpu-v1") or a YAML file. Every error in the file is reported before it returns. */
enum sy_status sy_chip_load(const char *name_or_path, const struct sy_chip_options *options, struct sy_chip **chip,
                            struct sy_diag *diag);
/* The same from memory; path names it in messages and resolves `inherits`. */
enum sy_status sy_chip_parse(const char *text, size_t length, const char *path, const struct sy_chip_options *options,
                             struct sy_chip **chip, struct sy_diag *diag);
void sy_chip_destroy(struct sy_chip *chip);

/* The chip for people and scripts, every figure with its unit, source and confidence: an aligned table, YAML with the
 * sources as comments (loads back to the same chip), or JSON. SY_NOMEM when out failed. */
enum sy_chip_format { SY_CHIP_TABLE, SY_CHIP_YAML, SY_CHIP_JSON };
enum sy_status sy_chip_show(const struct sy_chip *chip, enum sy_chip_format format, struct sy_buf *out);

/* The reference of a chip file in Markdown: every key, how it is written, range, default and meaning. */
enum sy_status sy_chip_reference(struct sy_buf *out);

/* Levels that hold an operand, inner to outer; returns their number, the last is its backing store. */
uint32_t sy_chip_chain(const struct sy_chip *chip, enum sy_operand operand, uint32_t chain[SY_MAX_LEVELS]);
/* Of `groups` equal products that are tiles of n columns so many run side by side, on arrays of their own: where a tile
 * has fewer column folds than there are arrays. */
uint64_t sy_array_side(const struct sy_array *array, uint64_t n, uint64_t groups);
/* Whether moves between two levels pass the crossbar: from one that cores share, or one off the chip, to one of their
 * own. */
bool sy_chip_crosses(const struct sy_chip *chip, uint32_t parent, uint32_t child);
/* MACs a cycle of the whole chip (all cores and arrays) for a pair of formats as num / den; false when unsupported. */
bool sy_chip_peak_macs(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b, uint64_t *num, uint64_t *den);
/* The pair of formats the array runs a by b as: that pair itself, else the narrowest pair that holds both exactly (an
 * int16 array runs int8 operands), else for floats of 16 bits or more the widest pair of such floats, to which the
 * array rounds them on the way in (fp32 products run as bf16, as frameworks do on such chips by default); NULL when
 * there is none: integers and scaled blocks would have to be quantized. */
const struct sy_precision *sy_chip_precision(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b);
/* Whether a by b run as that pair loses digits. */
bool sy_precision_rounds(const struct sy_precision *pair, enum sy_dtype a, enum sy_dtype b);

/* How many k steps of a convolution may lie over the array's side beside each other, where k is the channels (of one
 * group) at each of fh x fw places of the kernel: all that the dataflow names of Cin, Fh and Fw, and the channels alone
 * on an array that does not pack the window. A fold holds steps of one such segment only. 0: of all, or the dataflow
 * does not spread k (os streams it; row-stationary arrays place the window their own way). Pure, thread safe. */
uint64_t sy_chip_segment(const struct sy_array *array, const struct sy_dataflow *dataflow, uint64_t channels,
                         uint64_t fh, uint64_t fw);

#endif
