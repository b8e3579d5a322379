/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: what SCALE-Sim v1, v2 and v3 report for a layer, figure
 * by figure, defects included. It is a timing policy of its own, never used
 * by the other engines: who has SCALE-Sim numbers can check that a difference
 * to Systole's own model is the model and not the arithmetic.
 *
 * Source of the model: the public sources of SCALE-Sim v1 (bb76184), v2
 * (22f88b1) and v3 (1d62b68), read as a specification. Words are 1 byte, as
 * in the tool.
 *
 * Where the tool raises an exception the call returns SY_INPUT and says which
 * one. What the tool can do and this model cannot (Ramulator latencies, only
 * in USER mode; v1 beyond cycles and utilization), and layers beyond the limits
 * below, give SY_UNSUPPORTED.
 *
 * Everything here is pure: no state outlives a call. Thread safe.
 */
#ifndef SY_ENGINE_SCALESIM_H
#define SY_ENGINE_SCALESIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/diag.h"
#include "sim/base/text.h"

struct sy_arena;
struct sy_layer;
struct sy_scalesim_cfg;

enum sy_scalesim_version { SY_SCALESIM_V1 = 1, SY_SCALESIM_V2, SY_SCALESIM_V3 };
enum sy_scalesim_dataflow { SY_SCALESIM_OS, SY_SCALESIM_WS, SY_SCALESIM_IS };
enum sy_scalesim_storage { SY_SCALESIM_CSR, SY_SCALESIM_CSC, SY_SCALESIM_ELLPACK_BLOCK };
enum sy_scalesim_operand { SY_SCALESIM_IFMAP, SY_SCALESIM_FILTER, SY_SCALESIM_OFMAP, SY_SCALESIM_OPERANDS };

/* Text <-> value, spelled as in the tool ("os", "csr"). false: unknown. The name has static storage. */
bool sy_scalesim_parse_dataflow(const char *text, enum sy_scalesim_dataflow *dataflow);
bool sy_scalesim_parse_storage(const char *text, enum sy_scalesim_storage *storage);
const char *sy_scalesim_storage_name(enum sy_scalesim_storage storage);

/* A layout file (v3, -l), or rather the line of its first layer, which the tool uses for all: for the ifmap (3
 * dimensions: row, column, channel) and the filter (4: filter, channel, row, column) the factor each dimension is cut
 * by, and the axes from outermost to innermost (d = number of the piece along dimension d, dimensions + d = place in
 * it; negative: from the end, as in Python). What they mean and when they are refused: scalesim_layout.c. */
struct sy_scalesim_layout {
    bool given;
    struct sy_scalesim_layout_operand {
        int64_t factor[4], axis[8];
    } operand[2];
};
/* Parse the text of a layout file; errors with line and column. A file without lines gives `given` false. */
enum sy_status sy_scalesim_layout_parse(const char *text, size_t length, const char *path,
                                        struct sy_scalesim_layout *layout, struct sy_diag *diag);

/* One accelerator, as a .cfg file of the tool describes it. */
struct sy_scalesim_config {
    enum sy_scalesim_version version;
    enum sy_scalesim_dataflow dataflow;
    uint64_t rows, cols;                    /* PE array: ArrayHeight, ArrayWidth */
    uint64_t sram_kb[SY_SCALESIM_OPERANDS]; /* in units of 1024 words */
    uint64_t
        filter_offset; /* FilterOffset; matters at 0 in a sparse run (v3 takes address 0 for a zero), and in layouts */
    uint64_t ifmap_offset; /* IfmapOffset; matters in layouts only */
    bool user_bandwidth;   /* InterfaceBandwidth: USER (true) or CALC */
    /* USER: words a cycle of each interface. v2: all three are Bandwidth[0]; v3: ifmap and filter are the
     * ...SRAMBankBandwidth of [layout], ofmap is Bandwidth[0]. */
    uint64_t bandwidth[SY_SCALESIM_OPERANDS];
    uint64_t banks[2], ports[2]; /* USER, v3: ifmap and filter ...SRAMBankNum, ...SRAMBankPort; 0 = 1 */
    uint64_t line_words[2];      /* v3: ...SRAMBankBandwidth, also in CALC mode, where only a layout's check reads it */
    bool custom_layout[2];       /* IfmapCustomLayout, FilterCustomLayout */
    struct sy_scalesim_layout layout; /* for these */
    bool ramulator;                   /* UseRamulatorTrace: refused in USER mode; CALC ignores it, as the tool */
    bool sparse;                      /* v3 SparsitySupport */
    enum sy_scalesim_storage storage; /* SparseRep */
    bool row_wise;                    /* OptimizedMapping */
    uint64_t block, seed;             /* BlockSize, RandomNumberGeneratorSeed: row-wise only */
    /* Leave out the memory model: total cycles are the demand rows less one, only compute figures are filled. */
    bool compute_only;
    /* Python 3.12 and later add up floats with compensation, earlier ones do not. It decides the last digits of the
     * two mean efficiencies. */
    bool compensated_sums;
    /* Refuse a layer with more memory requests and demand rows than this; 0 = 2^32 (half a minute; the
     * tool would hold tens of GB). */
    uint64_t max_requests;
};

/* A layer as the tool sees it: no padding, batch, groups or dilation. A GEMM M, N, K is ifmap M x K, filter 1 x K,
 * 1 channel, N filters, stride 1. */
struct sy_scalesim_layer {
    uint64_t ifmap_h, ifmap_w, filter_h, filter_w, channels, filters, stride_h, stride_w;
    uint64_t sparsity_n, sparsity_m; /* v3, N:M of the topology file; 0:0 = 1:1 */
};
struct sy_scalesim_layer sy_scalesim_gemm(uint64_t m, uint64_t n, uint64_t k);
/* From a CONV or GEMM of a workload; SY_UNSUPPORTED with the reason when the tool has no such layer. A convolution in
 * groups stands for *copies layers of one group each, which is how the tool reads a depthwise layer; else *copies = 1.
 */
enum sy_status sy_scalesim_from_layer(const struct sy_layer *from, struct sy_scalesim_layer *layer, uint64_t *copies,
                                      struct sy_diag *diag);

/* Words and cycle stamps of one operand; reads for ifmap and filter, writes for ofmap. */
struct sy_scalesim_traffic {
    uint64_t sram_words, dram_words;
    int64_t sram_start, sram_stop, dram_start, dram_stop; /* negative: before the first demand row */
    double sram_bandwidth, dram_bandwidth;                /* mean words a cycle */
};
struct sy_scalesim_result {
    uint64_t total_cycles, stall_cycles;
    uint64_t cycles_with_prefetch; /* "Total Cycles (incl. prefetch)"; v3 prints it */
    double overall_utilization, mapping_efficiency, compute_utilization; /* percent; v1: overall_utilization only */
    struct sy_scalesim_traffic traffic[SY_SCALESIM_OPERANDS];
    /* The ifmap SRAM reads as reported: a real number with layer-wise sparsity and ws, where v3 multiplies by M/N;
     * else equal to traffic[SY_SCALESIM_IFMAP].sram_words. */
    double ifmap_sram_reads;
    bool ifmap_sram_reads_real;
    bool has_memory; /* the memory figures are filled */
    /* sparse runs: rows of the compressed filter matrix; words of the filter and of its metadata */
    uint64_t effective_k;
    double original_words, new_words, metadata_words, metadata_bandwidth;
};

/* Largest dimension, and bytes of working memory, of a layer that is not refused. */
#define SY_SCALESIM_MAX_DIMENSION ((uint64_t)1 << 31)
#define SY_SCALESIM_MAX_BYTES ((uint64_t)1 << 30)

/*
 * Run one layer. *result is filled on SY_OK only. Cost: a few ns a memory
 * request of the tool, nothing for operands that fit their SRAM.
 * SY_INPUT: the tool raises an exception on this input, or a member is out of
 * range. SY_UNSUPPORTED: see the head of this file. SY_NOMEM.
 */
enum sy_status sy_scalesim_layer(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                                 struct sy_scalesim_result *result, struct sy_diag *diag);

/* The tool's report files; the last only for sparse runs. */
enum sy_scalesim_report {
    SY_SCALESIM_COMPUTE_REPORT,
    SY_SCALESIM_BANDWIDTH_REPORT,
    SY_SCALESIM_DETAILED_ACCESS_REPORT,
    SY_SCALESIM_SPARSE_REPORT,
    SY_SCALESIM_REPORTS
};
extern const char *const sy_scalesim_report_files[SY_SCALESIM_REPORTS]; /* "COMPUTE_REPORT.csv", ... */
/* Append the text of one report, header first; results[i] is layer i. The same bytes as v2 and v3 write. */
void sy_scalesim_format_report(enum sy_scalesim_report report, const struct sy_scalesim_config *config,
                               const struct sy_scalesim_result *results, size_t count, struct sy_buf *out);
/*
 * Write the three (sparse: four) report files into a directory, which is
 * created when missing (its parent is not). Needs results with memory
 * figures. SY_IO when a file cannot be written; earlier ones may then exist.
 */
enum sy_status sy_scalesim_write_reports(const char *directory, const struct sy_scalesim_config *config,
                                         const struct sy_scalesim_result *results, size_t count, struct sy_diag *diag);

/* ---- whole runs, as the tool's command line makes them ---- */

/* The configuration of a .cfg file (arch/import_scalesim_cfg.h) for one version of the tool. A v3 run takes the read
 * bandwidths from [layout], and from Bandwidth when the file has no such section. */
enum sy_status sy_scalesim_configure(const struct sy_scalesim_cfg *cfg, enum sy_scalesim_version version,
                                     struct sy_scalesim_config *config, struct sy_diag *diag);

struct sy_scalesim_run_options {
    enum sy_scalesim_version version; /* V2 or V3 */
    const char *cfg;                  /* -c */
    const char *topology;             /* -t */
    const char *kind;                 /* -i: "conv" or "gemm"; NULL = conv, as the tool */
    const char *layout;               /* -l, NULL = none; read for v3 only */
    const char *directory;            /* -p: reports go to directory/run_name, made when missing; NULL = no files */
    uint64_t max_requests;            /* of one layer, as in struct sy_scalesim_config */
    /* Called after each layer; non-zero ends the run with SY_INTERRUPTED. NULL = none. */
    int (*progress)(void *context, size_t layers_done, size_t layers);
    void *progress_context;
};
/* Zero-initialise; release with sy_scalesim_run_free. Strings and arrays live in the arena. */
struct sy_scalesim_run {
    struct sy_arena *arena;
    struct sy_scalesim_config config;
    const char *run_name;
    size_t layers;
    const char **name; /* of each layer */
    struct sy_scalesim_result *result;
    size_t distinct; /* layers simulated; equal ones are taken over */
};
/* Read both files, run every layer, write the reports. A layer that is refused ends the run with its number and name;
 * then no report is written. */
enum sy_status sy_scalesim_run(const struct sy_scalesim_run_options *options, struct sy_scalesim_run *run,
                               struct sy_diag *diag);
void sy_scalesim_run_free(struct sy_scalesim_run *run);

#endif
