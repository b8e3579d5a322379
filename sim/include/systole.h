/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Systole: what would this chip do with this model?
 *
 * The one public header. Rules that hold for every call:
 *  - Functions return enum systole_status and write results through
 *    out-parameters, which are untouched on failure unless said otherwise.
 *  - Handles are opaque, made by _load/_run/..., released by _free (NULL is
 *    fine). A handle may be read from several threads, changed from one.
 *  - Nothing is printed, nothing exits, no input makes the library abort.
 *    Messages go to the options' diagnostics sink, on the calling thread.
 *  - Options structs begin with their own size: set it to sizeof the struct
 *    (SYSTOLE_OPTIONS_INIT does) so that later versions can append fields.
 *  - Strings returned live as long as the handle they came from; bytes
 *    returned through systole_text are the caller's, released by
 *    systole_text_free.
 *  - With the heap kernel several threads may run one simulation each; the
 *    SystemC kernel allows one running simulation in a process (SYSTOLE_STATE
 *    otherwise).
 * Not promised: the layout of handles, the order of diagnostics, equal figures
 * between different model revisions.
 */
#ifndef SYSTOLE_H
#define SYSTOLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYSTOLE_VERSION_MAJOR 0
#define SYSTOLE_VERSION_MINOR 1
#define SYSTOLE_VERSION_PATCH 0
#if defined(__GNUC__)
#define SYSTOLE_API __attribute__((visibility("default")))
#else
#define SYSTOLE_API
#endif

enum systole_status {
    SYSTOLE_OK,
    SYSTOLE_CHECK_FAILED, /* a checked figure is outside its tolerance */
    SYSTOLE_USAGE,        /* the call is not valid */
    SYSTOLE_INPUT,        /* an input is not valid; the sink says where and why */
    SYSTOLE_UNSUPPORTED,  /* the input asks for something not modelled */
    SYSTOLE_OVERFLOW,     /* a figure does not fit 64 bits */
    SYSTOLE_IO,
    SYSTOLE_NOMEM,
    SYSTOLE_INTERNAL, /* an invariant of the model does not hold: a bug */
    SYSTOLE_STATE,    /* not allowed now, for example a second SystemC run */
    SYSTOLE_INTERRUPTED
};
SYSTOLE_API const char *systole_status_text(enum systole_status status);
SYSTOLE_API int systole_exit_code(enum systole_status status); /* what a command should exit with */
SYSTOLE_API const char *systole_version(void);                 /* "0.1.0" */
/* Changes when any modelled figure may have changed; `check` compares it. */
SYSTOLE_API const char *systole_model_revision(void);

/* ---- diagnostics ---- */
enum systole_severity { SYSTOLE_ERROR, SYSTOLE_WARNING, SYSTOLE_NOTE };
struct systole_diagnostic {
    enum systole_severity severity;
    const char *file;      /* NULL: not about a file */
    uint32_t line, column; /* 1-based, 0 unknown */
    int has_offset;        /* byte_offset is set: compressed or binary input */
    uint64_t byte_offset;
    const char *message;
    const char *hint; /* NULL or what to do */
};
typedef void (*systole_diagnostic_fn)(void *context, const struct systole_diagnostic *diagnostic);

/* Options common to all calls that read or run. Zero members mean the default. */
struct systole_context {
    size_t struct_size;
    const char
        *data_dir; /* folder with arch/ and workloads/; NULL: SYSTOLE_DATA is not consulted, files by path only */
    systole_diagnostic_fn diagnose;
    void *diagnose_context;
    void *(*allocate)(void *context, size_t size); /* NULL: malloc */
    void (*release)(void *context, void *pointer);
    void *allocate_context;
};
#define SYSTOLE_OPTIONS_INIT(type) ((type){.struct_size = sizeof(type)})

/* Bytes handed to the caller. */
struct systole_text {
    char *data;
    size_t length;
};
SYSTOLE_API void systole_text_free(struct systole_text *text);

/* ---- chips ---- */
struct systole_chip;
/* name_or_path: a preset or a YAML file; set: "core.array.rows=128" overrides, NULL-terminated, or NULL. */
SYSTOLE_API enum systole_status systole_chip_load(const struct systole_context *context, const char *name_or_path,
                                                  const char *const *set, struct systole_chip **chip);
SYSTOLE_API void systole_chip_free(struct systole_chip *chip);
SYSTOLE_API const char *systole_chip_name(const struct systole_chip *chip);
/* The resolved chip with units, sources and confidence of every figure, as text ("table"), "yaml" or "json". */
SYSTOLE_API enum systole_status systole_chip_show(const struct systole_context *context,
                                                  const struct systole_chip *chip, const char *format,
                                                  struct systole_text *text);

/* ---- workloads ---- */
struct systole_import_options {
    size_t struct_size;
    const char *format;                            /* importer name, NULL = recognise */
    const char *activation, *weight, *accumulator; /* number formats, NULL = the file's or int8/int8/int32 */
    uint64_t batch, context, new_tokens;           /* 0 = default */
    const char *phase;                             /* "prefill", "decode", "train-step" */
    const char *kind;                              /* SCALE-Sim: "conv", "gemm" */
    int allow_unmodelled;
    const char *const *dims; /* "name=value", NULL-terminated */
    const char *kv;          /* number format of the KV cache, NULL = that of activations */
    const char *routing;     /* mixture of experts: NULL or "uniform", "worst", or a file of one weight an expert */
    uint64_t kv_page;        /* tokens a page of the KV cache; 0 = not paged */
    const char *contexts; /* instead of batch and context: "128,4096", "32x128,4096", or a file of contexts; or NULL */
    /* groups of layers to run depth-first in strips, "FIRST..LAST:strip=ROWS[:halo=keep|recompute]" with names of
     * layers, NULL-terminated; also of traces, which are then not written again */
    const char *const *fuse;
    uint64_t tensor_parallel; /* language models: chips that share each layer; the workload is one chip's part. 0 = 1 */
};
/* A workload is named by a preset ("resnet50"), a trace or a model file. Traces are opened again at each run and
 * streamed; model files are imported here. */
struct systole_workload;
SYSTOLE_API enum systole_status systole_workload_load(const struct systole_context *context, const char *name_or_path,
                                                      const struct systole_import_options *options,
                                                      struct systole_workload **workload);
SYSTOLE_API void systole_workload_free(struct systole_workload *workload);
SYSTOLE_API const char *systole_workload_name(const struct systole_workload *workload);
/* Write as a layer trace; path "-" is standard output. plain: text without compression. */
SYSTOLE_API enum systole_status systole_workload_write(const struct systole_context *context,
                                                       const struct systole_workload *workload, const char *path,
                                                       int plain);

/* ---- traces ---- */
/* MACs, parameters, bytes and operators of a trace, of a shipped network by its name, or of a model file (imported as
 * it stands); format NULL or "table", or "json". *text is the caller's to free (systole_text_free). */
SYSTOLE_API enum systole_status systole_trace_info(const struct systole_context *context, const char *name_or_path,
                                                   const char *format, struct systole_text *text);
/* Decompressed records to `text` callback in pieces; stops when it returns non-zero. */
typedef int (*systole_write_fn)(void *context, const char *data, size_t length);
SYSTOLE_API enum systole_status systole_trace_cat(const struct systole_context *context, const char *path,
                                                  systole_write_fn write, void *write_context);
SYSTOLE_API enum systole_status systole_trace_verify(const struct systole_context *context, const char *path,
                                                     uint64_t *intact_records, uint64_t *intact_bytes);
SYSTOLE_API enum systole_status systole_trace_recover(const struct systole_context *context, const char *path,
                                                      const char *out_path, uint64_t *records);
/* Text or gzip in, block-compressed trace with an index out (or plain text). */
SYSTOLE_API enum systole_status systole_trace_pack(const struct systole_context *context, const char *path,
                                                   const char *out_path, int plain);

/* ---- runs ---- */
struct systole_run_options {
    size_t struct_size;
    const char *fidelity; /* "analytic", "event" (default), "cycle" */
    /* "ideal", "shared", "sampled" (default), "burst", or "tlm:FILE[,ARGUMENT]": the DRAM is a TLM-2.0 target in a
     * shared object, which is loaded into the process and stays there; kernel "systemc" only (docs/model-memory.md) */
    const char *memory;
    const char *objective;     /* "cycles" (default), "energy", "edp", "traffic" */
    const char *kernel;        /* "systemc" (default), "heap" */
    const char *emit_schedule; /* write the schedule as a trace to this path */
    const char *timeline;      /* Chrome trace JSON path */
    const char *vcd;           /* value change dump path */
    const char *energy_table;  /* overrides the chip's */
    uint64_t seed;
    volatile const int *cancel; /* run ends with SYSTOLE_INTERRUPTED soon after *cancel becomes non-zero */
    void (*progress)(void *context, uint64_t layers_done, uint64_t cycles);
    void *progress_context;
    const char *ert;               /* Accelergy ERT and ART (YAML) whose figures replace ours */
    const char *const *set_energy; /* "COMPONENT.ACTION=PJ" as the energy rows name them, NULL-terminated; before ert */
    const char *sram_macros;       /* CSV of a memory compiler's macros, columns of arch/sram/cacti.csv */
    const char *area_table;        /* NULL: "default" */
    int power_limited;             /* lower the core clock until the estimate of peak power fits the chip's power.tdp */
    /* "FORMAT:FILE" or FILE: the requests of the DRAM in the order it accepted them, for another simulator
     * (docs/formats.md). memory is then "burst" when left out. */
    const char *dram_trace;
    int no_fast_forward; /* not 0: event runs every tile and layer anew; the result is the same */
    int aligned_too;     /* not 0: one more run with region_skew 0 in every memory; figure "aligned_cycles" */
};
struct systole_result;
SYSTOLE_API enum systole_status systole_run(const struct systole_context *context, const struct systole_chip *chip,
                                            const struct systole_workload *workload,
                                            const struct systole_run_options *options, struct systole_result **result);
SYSTOLE_API void systole_result_free(struct systole_result *result);
/* format: a report format's name ("table", "csv", "json"). details: 0 totals only, 1 with layers. */
SYSTOLE_API enum systole_status systole_result_format(const struct systole_context *context,
                                                      const struct systole_result *result, const char *format,
                                                      int details, struct systole_text *text);
/* How a report looks. Zero members mean the default. */
struct systole_format_options {
    size_t struct_size;
    const char *format; /* "table" (default), "csv", "json" */
    int details;        /* 0: totals only; 1: units and layers too; 2: and every energy row with its source */
    int color, unicode; /* table: the terminal shows ANSI colours, UTF-8 */
    uint32_t width;     /* table: columns of the terminal, 0 = 100 */
};
SYSTOLE_API enum systole_status systole_result_write(const struct systole_context *context,
                                                     const struct systole_result *result,
                                                     const struct systole_format_options *options,
                                                     struct systole_text *text);
/* One figure by its JSON name in totals ("cycles", "utilization", "energy_j"); SYSTOLE_UNSUPPORTED when it does not
 * apply. */
SYSTOLE_API enum systole_status systole_result_figure(const struct systole_result *result, const char *name,
                                                      double *value);
/* Name of the i-th figure of totals, NULL past the end. Static storage. */
SYSTOLE_API const char *systole_result_figure_name(size_t index);
/* The same exactly, for figures that count; SYSTOLE_USAGE for one that does not. */
SYSTOLE_API enum systole_status systole_result_count(const struct systole_result *result, const char *name,
                                                     uint64_t *value);
struct systole_figure_info {
    size_t struct_size;
    const char *name, *unit, *doc; /* static storage */
    int integer;                   /* systole_result_count has it */
    int better;                    /* -1 lower, 1 higher, 0 neither */
};
/* The i-th figure of totals; SYSTOLE_USAGE past the end. */
SYSTOLE_API enum systole_status systole_figure_describe(size_t index, struct systole_figure_info *info);
/* Exact counters. */
SYSTOLE_API uint64_t systole_result_cycles(const struct systole_result *result);
SYSTOLE_API uint64_t systole_result_macs(const struct systole_result *result);

/* ---- SCALE-Sim's own figures ---- */
struct systole_scalesim_options {
    size_t struct_size;
    const char *version;        /* "scalesim-v2" or "scalesim-v3" */
    const char *cfg, *topology; /* its -c and -t */
    const char *kind;           /* its -i: "conv" (default) or "gemm" */
    const char *layout;         /* its -l, NULL = none */
    const char *directory;      /* its -p: the reports go to directory/RUN_NAME; NULL = no files */
    volatile const int *cancel;
    void (*progress)(void *context, uint64_t done, uint64_t total); /* layers */
    void *progress_context;
};
/* What SCALE-Sim v2 or v3 reports for a configuration and a topology, to its report files; text is a summary table.
 * This is that tool's timing with its peculiarities, not Systole's model. No file is written when a layer is refused.
 */
SYSTOLE_API enum systole_status systole_scalesim(const struct systole_context *context,
                                                 const struct systole_scalesim_options *options,
                                                 struct systole_text *text);

/* ---- for hardware ---- */
struct systole_rtl_kit_options {
    size_t struct_size;
    const char *memory; /* "shared" (default) or "ideal" */
    uint64_t seed;      /* of the operands */
    uint64_t tiles;     /* the first so many tiles word by word, 0 = 64 */
};
/* Write into the directory what is on the array's ports in every cycle of a run, and a harness that checks RTL with it
 * (its README.md says how). SYSTOLE_UNSUPPORTED for a chip with several arrays. */
SYSTOLE_API enum systole_status systole_rtl_kit(const struct systole_context *context, const struct systole_chip *chip,
                                                const struct systole_workload *workload,
                                                const struct systole_rtl_kit_options *options, const char *directory);

/* ---- cost ---- */
/* Zero members mean the default. Lists end with NULL. Items and files: docs/formats-cost.md. */
struct systole_cost_options {
    size_t struct_size;
    const char *const *prices; /* tables laid over the shipped prices, later ones win */
    const char *example;       /* a shipped scenario, or a file, over those */
    const char *incumbent;     /* a shipped record, or a file; NULL = none */
    const char *const *set;    /* "ITEM=VALUE" or "ITEM=LOW:VALUE:HIGH", over everything */
    const char *yield_model;   /* "negative-binomial" (default), "poisson", "murphy", "seeds" */
    const char *package;       /* "flip-chip", "interposer"; NULL: an interposer for HBM */
    int rent;                  /* rent the incumbent even when it has a price */
    double response_s;         /* longest time of a pass; 0 = any */
    double units_per_pass;     /* work of a pass; 0: tokens of a language model, else the batch asked for */
    uint64_t samples, seed;    /* Monte-Carlo over the ranges; 0 samples = none, at most 1000000 */
    const struct systole_format_options *format; /* "table" (default), "csv", "json" */
};
/*
 * What the chip costs, what a unit of its work costs against an incumbent's, and when the one-off cost is paid back.
 * results: runs of one workload on the chip, ended by NULL, each an operating point (a batch size): either chip works
 * at the cheapest that meets the response time. chip and results are NULL for a scenario that states the saving.
 * Prices, most of them not public, are inputs with ranges; the report marks what was recalled or assumed. Not promised:
 * that a decision follows. SYSTOLE_CHECK_FAILED when no run meets the response time. Docs and sources:
 * docs/model-cost.md. Thread safe.
 */
SYSTOLE_API enum systole_status systole_cost(const struct systole_context *context, const struct systole_chip *chip,
                                             const struct systole_result *const *results,
                                             const struct systole_cost_options *options, struct systole_text *text);

/* ---- lists ---- */
/* what: chips workloads drams dataflows arrays energy prices incumbents scenarios formats importers suites figures. One
 * "name\tsentence" a line. */
SYSTOLE_API enum systole_status systole_list(const struct systole_context *context, const char *what,
                                             struct systole_text *text);

/* ---- validation ---- */
struct systole_validate_options {
    size_t struct_size;
    const char *data;   /* a CSV with the suite's columns; NULL = the shipped one */
    const char *memory; /* dram: "burst" or "sampled" */
    double max_error;   /* percent of the main figure's mean error; < 0 = no bound */
    int rows;           /* table: also every row that is not exact */
};
/* format "table" or "json" (DESIGN section 7). SYSTOLE_CHECK_FAILED beyond max_error. */
SYSTOLE_API enum systole_status systole_validate(const struct systole_context *context, const char *suite,
                                                 const struct systole_validate_options *options, const char *format,
                                                 struct systole_text *text);

/* ---- the memory alone ---- */
struct systole_pattern_options {
    size_t struct_size;
    const char *memory;       /* "sampled" (default): a window of a long pattern is simulated; "burst": every request */
    const char *energy_table; /* NULL: the chip's */
    const struct systole_format_options *format; /* "table" (default), "csv", "json" */
};
/* Drive a DRAM level of the chip with a named address pattern and nothing else, in order, each request as soon as the
 * one before it is accepted: bandwidth, read latencies, row hits, commands, energy.
 * pattern: NAME[:N[:N]][,requests=N][,rate=SHARE][,level=NAME], docs/model-memory.md has the names. SYSTOLE_INPUT with
 * a message that lists them, or when the chip has no DRAM with a device. */
SYSTOLE_API enum systole_status systole_run_pattern(const struct systole_context *context,
                                                    const struct systole_chip *chip, const char *pattern,
                                                    const struct systole_pattern_options *options,
                                                    struct systole_text *text);

/* ---- the memory, a request at a time ---- */
/*
 * The DRAM channel model of `--memory burst` for a simulation that is not ours: submit requests, let time pass, take
 * completions. systole_tlm_dram.hpp makes a TLM-2.0 target of it.
 *
 * There is one entrance, first in first out. A request is cut into bursts, partial ones counted whole; it is accepted
 * when its last burst has a place in a queue of its channel, and what was submitted later goes in after it. A read is
 * complete when its last data are back, a write when it is accepted (it is posted). Reads and writes may pass each
 * other behind the entrance; nothing is stored, so their order is not promised. Latencies outside of controller and
 * device (a NoC, a PHY) are the caller's.
 *
 * Times are picoseconds since _open, at most 10^15. A time given means the first clock edge of the device not before
 * it; a time returned is that of an edge, rounded down, and means the same edge when it is given back.
 * A handle is for one thread at a time; several handles are independent. What a request costs does not depend on how
 * time is cut into calls of _advance, nor on which vectors the machine has.
 */
struct systole_dram;
struct systole_dram_options {
    size_t struct_size;
    const char *device;        /* a name of `systole list drams` or a YAML file; NULL = that of the chip's level */
    const char *controller;    /* a name or a YAML file; NULL = the level's, or else the device's */
    const char *address_map;   /* the text form of docs/model-memory.md; NULL likewise */
    uint64_t channels;         /* 0 = the level's, or 1 */
    uint64_t interleave_bytes; /* 0 likewise: where the address map has the channel field */
    const char *level;         /* which DRAM level of the chip; NULL = the innermost */
    uint32_t requests;         /* most submitted whose completions were not taken; 0 = 4096, at most 1048576 */
};
/* chip: whose level to take, less what the options say, or NULL when they name a device. SYSTOLE_INPUT with messages
 * when a file or the map is wrong or the chip has no DRAM with a device; SYSTOLE_USAGE with neither chip nor device. */
SYSTOLE_API enum systole_status systole_dram_open(const struct systole_context *context,
                                                  const struct systole_chip *chip,
                                                  const struct systole_dram_options *options,
                                                  struct systole_dram **dram);
SYSTOLE_API void systole_dram_free(struct systole_dram *dram);

struct systole_dram_info {
    size_t struct_size;
    const char *device, *controller, *address_map;
    uint64_t channels, burst_bytes, capacity_bytes; /* addresses beyond the capacity wrap */
    uint64_t clock_fs;                              /* period of the command bus clock */
    double peak_bytes_per_s;                        /* of all data buses */
    uint64_t idle_read_ps;                          /* of one burst from a closed bank: activate, read, return */
};
/* Set struct_size before. */
SYSTOLE_API enum systole_status systole_dram_describe(const struct systole_dram *dram, struct systole_dram_info *info);

struct systole_dram_request {
    size_t struct_size;
    uint64_t time_ps;        /* when it stands at the entrance; not before the present */
    uint64_t address, bytes; /* 1 to 1048576 bytes */
    int write;
    int forget;   /* not 0: its completion is not wanted, and it does not count among `requests` */
    uint64_t tag; /* comes back with the completion */
};
/* *accepted_ps is final. SYSTOLE_STATE: time_ps is before the present, or there are too many requests (take
 * completions). SYSTOLE_USAGE: the number of bytes. SYSTOLE_OVERFLOW: beyond the range of addresses or of time. A
 * request that is refused changes nothing. */
SYSTOLE_API enum systole_status systole_dram_submit(struct systole_dram *dram,
                                                    const struct systole_dram_request *request, uint64_t *accepted_ps);
/* The present moves to until_ps, never back: no request will come before it. Work grows with the time, which has
 * refreshes in it, even when there are no requests. */
SYSTOLE_API enum systole_status systole_dram_advance(struct systole_dram *dram, uint64_t until_ps);
/* The present moves to the end of all that was submitted. */
SYSTOLE_API enum systole_status systole_dram_drain(struct systole_dram *dram);

struct systole_dram_completion {
    size_t struct_size;
    uint64_t tag, accepted_ps, done_ps;
    int write;
};
/* The next completion up to the present, in order of done_ps and then of submission: 1, or 0 when there is none. Set
 * struct_size before. */
SYSTOLE_API int systole_dram_take(struct systole_dram *dram, struct systole_dram_completion *completion);
/* No completion that was not taken yet is before this time, whatever is submitted from the present on: when to call
 * _advance next. UINT64_MAX: nothing is on its way. */
SYSTOLE_API uint64_t systole_dram_wake(const struct systole_dram *dram);
/* When the request submitted last will be complete if no other comes: a forecast on a copy of the memory, final for
 * writes. SYSTOLE_STATE before the first. For callers that cannot wait (b_transport from an SC_METHOD). */
SYSTOLE_API enum systole_status systole_dram_last_done(struct systole_dram *dram, uint64_t *done_ps);

struct systole_dram_counts {
    size_t struct_size;
    uint64_t reads, writes, activates, precharges, refreshes; /* commands issued */
    uint64_t row_hits, row_misses, row_conflicts;
};
/* Commands so far. A channel may be ahead of the present, up to the last acceptance. Set struct_size before. */
SYSTOLE_API enum systole_status systole_dram_count(const struct systole_dram *dram, struct systole_dram_counts *counts);

/* ---- exploring: many runs ---- */
/* A file that appears whole or not at all; path NULL or "-" is standard output. */
SYSTOLE_API enum systole_status systole_write_file(const struct systole_context *context, const char *path,
                                                   const char *data, size_t length);

/*
 * workers: 0 runs everything in the calling process; n forks n worker processes, which needs a process without other
 * threads. The result has the same bytes for any number of workers. A candidate that fails, even by a crash of its
 * worker, is reported in its place and does not stop the others.
 */
struct systole_explore_options {
    size_t struct_size;
    uint32_t workers;
    const struct systole_import_options *import; /* NULL = none; sweep: what the space does not say itself */
    const struct systole_run_options *run;       /* files to write (vcd, timeline, schedule) are not for many runs */
    const char *const *set;                      /* for every chip; NULL-terminated, or NULL */
    const struct systole_format_options *format; /* "table" (default), "csv", "json" */
    uint64_t shard, shards;                      /* sweep: the shard-th (from 1) of shards slices; 0, 0 = everything */
    volatile const int *cancel;
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *progress_context;
};
/* Every chip on every workload, side by side, ratios to the first chip, the best marked. The lists end with NULL. When
 * a run failed the others are still reported, and the first failure's status is returned with the text. */
SYSTOLE_API enum systole_status systole_compare(const struct systole_context *context, const char *const *chips,
                                                const char *const *workloads,
                                                const struct systole_explore_options *options,
                                                struct systole_text *text);
/* Every candidate of a space (docs/formats-sweep.md), one row each in the order of the space. SYSTOLE_INPUT when the
 * space is wrong or when every candidate failed. */
SYSTOLE_API enum systole_status systole_sweep(const struct systole_context *context, const char *space,
                                              const struct systole_explore_options *options, struct systole_text *text);

struct systole_check_options {
    size_t struct_size;
    uint32_t workers;                            /* as above */
    const char *const *tolerances;               /* "cycles=0.5" or "0.5" for every figure: percent; NULL = all exact */
    const struct systole_format_options *format; /* "table" (default; details 1 shows unmoved figures too) or "json" */
    volatile const int *cancel;
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *progress_context;
};
/*
 * Run again what result JSON files record and compare every figure of totals and every layer's cycles with them. Paths
 * in a baseline that do not exist are tried beside the baseline. junit (may be NULL) gets JUnit XML.
 * SYSTOLE_CHECK_FAILED when a figure moved beyond its tolerance; the status of the failure when a baseline could not
 * be run; both with text and junit filled.
 */
SYSTOLE_API enum systole_status systole_check(const struct systole_context *context, const char *const *baselines,
                                              const struct systole_check_options *options, struct systole_text *text,
                                              struct systole_text *junit);

#ifdef __cplusplus
}
#endif
#endif
