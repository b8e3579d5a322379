/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the SCALE-Sim parity model: from a layer to the addresses the tool's
 * demand matrices hold (plan, demand), and the three buffers that serve them.
 *
 * The tool builds, for ifmap, filter and ofmap, a matrix with one row a cycle
 * and one column an array row or column, and feeds it row by row to the
 * buffers. Here a row is computed when it is needed; nothing of that size is
 * ever stored. Addresses are relative to the operand's offset.
 */
#ifndef SY_ENGINE_SCALESIM_INTERNAL_H
#define SY_ENGINE_SCALESIM_INTERNAL_H

#include "sim/base/arena.h"
#include "sim/engine/scalesim.h"

#define SY_SS_NONE UINT32_MAX /* no address: the tool's -1 */

/* Shapes and address tables of one layer on one array. Read-only after sy_ss_plan_make; lives in the arena. */
struct sy_ss_plan {
    const struct sy_scalesim_config *config;
    const struct sy_scalesim_layer *layer;
    struct sy_arena *arena;
    uint64_t rows, cols; /* array */
    uint64_t out_h, out_w;
    uint64_t m, n, k;                   /* the layer as a dense GEMM */
    uint64_t keep, group;               /* N:M, 1:1 when the layer gives none */
    uint64_t ifmap_k, filter_k;         /* columns of the ifmap and rows of the filter operand after compression */
    uint64_t spread_rows;               /* operand index over array rows: m (os), k (ws, is) */
    uint64_t spread_cols;               /* over array columns: n (os, ws), m (is) */
    uint64_t stream;                    /* what streams through: k (os), m (ws), n (is) */
    uint64_t row_folds, col_folds;      /* of the demand matrices */
    uint64_t fold_rows;                 /* demand rows of one fold */
    uint64_t demand_rows;               /* of all */
    uint64_t ifmap_words, filter_words; /* sizes of the address spaces */
    uint64_t work;                      /* steps promised so far, see sy_ss_work */
    uint64_t widest_row;                /* most addresses in one demand row of ifmap or filter */

    /* ifmap: address of (pixel, window element) = pixel_base + window_offset, unless clipped away */
    uint32_t *pixel_base, *window_offset;
    bool clipped; /* some windows hang over the edge: the four below are filled */
    uint32_t *pixel_room_y, *pixel_room_x, *window_y, *window_x;

    /* sparse filter: dense row of each compressed row; NONE = no value */
    uint32_t *source;
    uint32_t *source_first; /* column 0, where v3 takes address 0 for a zero; holds addresses */
    uint32_t *slot;         /* row-wise: place of the compressed row in its block */
    uint32_t *nonzeros;     /* row-wise: non-zero values a block of each column */
};

/* Check config and layer and fill the plan. Errors as sy_scalesim_layer. */
enum sy_status sy_ss_plan_make(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                               struct sy_arena *arena, struct sy_ss_plan *plan, struct sy_diag *diag);
/* The sparse part of it: compressed shapes and tables. plan->m, n, k are set. */
enum sy_status sy_ss_compress(struct sy_ss_plan *plan, struct sy_diag *diag);
/* Storage figures of SPARSE_REPORT. */
void sy_ss_storage(const struct sy_ss_plan *plan, struct sy_scalesim_result *result);
/* The sizes of one address table: message and SY_NOMEM when the arena is exhausted. */
uint32_t *sy_ss_table(const struct sy_ss_plan *plan, uint64_t entries);
/* Report what the tool raises; returns SY_INPUT. */
enum sy_status sy_ss_raises(struct sy_diag *diag, const char *exception, const char *why);
/* Report a limit of this model; returns SY_UNSUPPORTED. */
enum sy_status sy_ss_refuse(struct sy_diag *diag, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add to the work of the layer; SY_UNSUPPORTED with a message when it passes the limit. Called before the work. */
enum sy_status sy_ss_work(struct sy_ss_plan *plan, uint64_t steps, struct sy_diag *diag);

/* One fold: the part of the operands that is on the array at once. */
struct sy_ss_fold {
    uint64_t row_start, row_count; /* over array rows */
    uint64_t col_start, col_count; /* over array columns */
};
/* Folds run over row folds first, then over column folds. index < row_folds * col_folds. */
struct sy_ss_fold sy_ss_fold_at(const struct sy_ss_plan *plan, uint64_t index);
/* Addresses of demand row t (< fold_rows) of a fold, left to right, without the empty places; out holds widest_row. */
uint32_t sy_ss_ifmap_row(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t, uint32_t *out);
uint32_t sy_ss_filter_row(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t, uint32_t *out);
/* Demand row of the n-th request (from 0) of an operand; dense layers without clipped windows only. */
uint64_t sy_ss_request_row(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t request);
/* Outputs written in that row. */
uint64_t sy_ss_ofmap_count(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t);
/* Address of one filter value, NONE when compression left the place empty. k < filter_k. */
uint32_t sy_ss_filter_address(const struct sy_ss_plan *plan, uint64_t k, uint64_t n);
uint32_t sy_ss_ifmap_address(const struct sy_ss_plan *plan, uint64_t pixel, uint64_t k);

/* The order in which USER mode fetches an operand: visit is called for every place, NONE for padding. */
typedef void (*sy_ss_visit)(void *context, uint32_t address);
void sy_ss_fetch_order(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, sy_ss_visit visit,
                       void *context);
/* How many places that are. */
uint64_t sy_ss_fetch_places(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand);

/* ---- the ifmap or filter buffer ---- */
enum sy_ss_reader_kind {
    SY_SS_RESIDENT_CALC, /* fits: nothing to simulate */
    SY_SS_RESIDENT_USER,
    SY_SS_STREAM_CALC, /* never hits: what matters is when the SRAM half is full for the last time */
    SY_SS_CALC,
    SY_SS_USER,
    SY_SS_LAYOUT
};
struct sy_ss_reader {
    enum sy_ss_reader_kind kind;
    int64_t dram_start, dram_stop;
    uint64_t dram_words;
    int64_t first_request; /* cycle of the first demand row with an address; set by the caller before touch */
    /* CALC: the set of addresses held; emptied when full */
    uint64_t item, capacity, held, fills;
    uint64_t *seen;  /* one bit an address */
    uint32_t *added; /* addresses in the set */
    int64_t span_start, span_stop;
    uint64_t last_fill_row; /* STREAM_CALC: demand row in which the last fill ends; the caller sets span_stop in it */
    bool zero_span;         /* the tool divides by zero */
    /* USER: a circular list of sets with a window of active ones */
    bool v3;
    uint64_t bandwidth;
    uint64_t sets, active_sets, prefetch_sets, begin;
    uint64_t prefetch_lines;
    int64_t last_prefetch;
    uint32_t *where;     /* address -> first entry in set_of; one more than the addresses */
    uint32_t *set_of;    /* sets that hold the address, rising; LAYOUT: address -> its set */
    uint32_t *last_seen; /* address -> set of the last hit */
    /* LAYOUT: a set is a line of the SRAM */
    uint32_t *column_of;   /* address -> its column in the line */
    uint64_t *wanted;      /* banks and lines of a demand row */
    uint64_t words, shift; /* addresses there are; what the demands are beside them */
    uint64_t ports, bank_words;
    bool never_ends; /* a demanded address is in no line */
};
/* Prepare for one operand (IFMAP or FILTER). sram_words: its requests, all of which will be touched unless resident. */
enum sy_status sy_ss_reader_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t sram_words,
                                 struct sy_ss_reader *reader, struct sy_diag *diag);
/* Serve one demand row at a cycle; returns the stall (v3 USER: may be negative). */
int64_t sy_ss_reader_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle);
/* After the last row. SY_INPUT where the tool divides by zero. */
enum sy_status sy_ss_reader_finish(struct sy_ss_reader *reader, struct sy_diag *diag);

/* Custom layouts (v3). Check those of the config: SY_INPUT where the tool raises. Then the parts of a reader: make
 * fills lines and columns and gives the places of the fetch order; touch serves a demand row and returns the stall. */
enum sy_status sy_ss_layout_check(const struct sy_ss_plan *plan, struct sy_diag *diag);
enum sy_status sy_ss_layout_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, struct sy_ss_reader *reader,
                                 uint64_t *places, struct sy_diag *diag);
int64_t sy_ss_layout_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle);

/* ---- the ofmap buffer ---- */
struct sy_ss_padded_line {
    uint64_t line, pad;
};
struct sy_ss_writer {
    uint64_t bandwidth;                     /* words a line; one line drains a cycle */
    int64_t total, drain_words, free_words; /* free_words can exceed total: padding is counted as drained data */
    uint64_t drain_lines;                   /* most lines of one drain */
    uint64_t lines, drained;                /* complete lines so far; lines already drained */
    uint64_t current;                       /* words in the line being filled */
    int64_t drain_end;                      /* last cycle of the drain in progress */
    struct sy_ss_padded_line *padded;       /* padded lines not drained yet, [head, tail) */
    uint64_t head, tail, capacity;
    uint64_t dram_words;
    int64_t dram_start, last_stop, max_stop;
    bool any, out_of_memory;
};
void sy_ss_writer_make(const struct sy_ss_plan *plan, struct sy_ss_writer *writer);
/* Write `count` words at a cycle; returns the stall. */
int64_t sy_ss_writer_put(struct sy_ss_writer *writer, uint64_t count, int64_t cycle);
/* Drain what is left, starting at a cycle. */
void sy_ss_writer_finish(struct sy_ss_writer *writer, int64_t cycle);
void sy_ss_writer_free(struct sy_ss_writer *writer);

/* mkdir, fine when it exists; SY_IO with a message. */
enum sy_status sy_ss_make_directory(const char *path, struct sy_diag *diag);

/* v1: cycles and utilization. */
enum sy_status sy_ss_v1(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                        struct sy_scalesim_result *result, struct sy_diag *diag);

#endif
