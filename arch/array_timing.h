/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Array timing: a real processing-element (PE) array design as data.
 *
 * A design is a set of values of the parameters below and nothing else: the
 * models in sim/engine never ask which design it is. Ready sets are the files
 * of arch/arrays; a chip names one and may override any key.
 *
 * Invariants: every member is a uint64_t (counts, enumerators, 0 or 1), so one
 * key table serves parsing, range checks, defaults and documentation. A struct
 * that passed sy_array_timing_check() describes a machine both the closed
 * forms and the register-stepping model can run.
 *
 * The array, rows x cols PEs, row 0 on top. Operands that move along a row
 * enter on the left; partial sums and weights (ws, is) or the second operand
 * (os) enter on top; results leave at the bottom, unless said otherwise. A beat
 * is one word for every row (ws, is), or for every row and column (os), of one
 * step of the streamed dimension. Row r of a beat enters r hops later than row
 * 0; that skew is part of every figure.
 */
#ifndef SY_ARCH_ARRAY_TIMING_H
#define SY_ARCH_ARRAY_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"

/* Which operand of the GEMM M x K x N stays in the PEs, and so what is spread
 * over rows x columns and what is streamed:
 *   os: rows M, columns N, streamed K     ws: rows K, columns N, streamed M
 *   is: rows K, columns M, streamed N */
enum sy_dataflow_kind {
    SY_OS,
    SY_WS,
    SY_IS,
    SY_DATAFLOW_KINDS, /* so many families of a systolic array, whose tiles are folds */
    SY_RS              /* row stationary: rows of filters over rows, rows of outputs over columns; no folds */
};

/* How the stationary operand gets into the PEs (ws, is). */
enum sy_weight_load {
    SY_LOAD_NONE,           /* it is in place at no cost */
    SY_LOAD_SHARED_WIRES,   /* through the partial-sum wires, one global select: never beside results */
    SY_LOAD_SEPARATE_WIRES, /* own wires, one register a PE: behind the last beat of the previous fold */
    SY_LOAD_DOUBLE_BUFFERED /* own wires and a shadow register a PE: beside the previous fold's stream */
};
/* How many words a column loads when a fold uses fewer rows than there are. */
enum sy_preload_rows { SY_PRELOAD_USED, SY_PRELOAD_FULL };
/* Where the used rows of such a fold lie. At the bottom partial sums travel
 * through used rows only, but weights travel past the unused ones. */
enum sy_row_placement { SY_ROWS_TOP, SY_ROWS_BOTTOM };

/* How results leave the PEs (os). */
enum sy_os_drain {
    SY_DRAIN_OPERAND_WIRES,   /* down the vertical operand wires, one global select */
    SY_DRAIN_SWAP,            /* two accumulators a PE change roles; one shifts down beside the next fold */
    SY_DRAIN_SHIFT_REGISTERS, /* copied into a register a PE, shifted out along the rows, a column a beat */
    SY_DRAIN_DIRECT           /* every PE has its own way out */
};
/* operand_wires: what a following fold does about the finished sums. */
enum sy_os_restart {
    SY_RESTART_CLEAR,      /* wait for the drain, clear, start */
    SY_RESTART_RUNNING_SUM /* start behind the drain; accumulators keep counting and the reader subtracts */
};
/* How close folds may follow each other. */
enum sy_fold_overlap {
    SY_OVERLAP_NONE,     /* a fold starts, preload included, after the previous one's last result has left */
    SY_OVERLAP_WAVEFRONT /* as soon as its first word meets a free register */
};
/* Where the sums of K folds meet. */
enum sy_partial_sums {
    SY_SUMS_ACCUMULATOR, /* in an accumulator behind the port */
    SY_SUMS_TOP_PORT     /* results re-enter at the top (ws, is) */
};
enum sy_ragged { SY_RAGGED_USED, SY_RAGGED_PADDED };
/* What happens when a finished fold meets occupied output registers. */
enum sy_output_collision {
    SY_COLLISION_REFUSE, /* the design hangs or corrupts: the schedule is not runnable */
    SY_COLLISION_WAIT    /* the last beat of the fold is held at the port until there is room */
};
/* What a consumer that is not ready does to the array. */
enum sy_back_pressure {
    SY_PRESSURE_NONE,     /* results cannot be refused: such a schedule is not runnable */
    SY_PRESSURE_FREEZE,   /* one enable stops every register */
    SY_PRESSURE_DECOUPLED /* only the output registers wait (shift_registers) */
};
enum sy_first_result { SY_FIRST_AT_PORT, SY_FIRST_AT_RUN_END };
enum sy_cycle_count { SY_COUNT_PERIODS, SY_COUNT_LAST_INDEX };
enum sy_fold_order { SY_FOLDS_COLUMNS_OUTER, SY_FOLDS_ROWS_OUTER };

/* Meaning, range, default and documentation of each member: sy_array_keys. */
struct sy_array_timing {
    uint64_t output_stationary, weight_stationary, input_stationary, row_stationary; /* dataflows it can run */
    /* registers on the way */
    uint64_t input_registers;
    uint64_t column_hop_cycles;
    uint64_t operand_row_hop_cycles;
    uint64_t psum_hop_cycles;
    uint64_t multiply_cycles;
    uint64_t accumulate_cycles;
    uint64_t mac_initiation_interval;
    uint64_t output_registers;
    uint64_t output_deskew;
    uint64_t transposer_cycles_per_row;
    /* stationary operand */
    uint64_t weight_load; /* enum sy_weight_load */
    uint64_t preload_rows_per_cycle;
    uint64_t preload_rows;   /* enum sy_preload_rows */
    uint64_t preload_settle; /* bool */
    uint64_t row_placement;  /* enum sy_row_placement */
    uint64_t partial_sums;   /* enum sy_partial_sums */
    /* output stationary */
    uint64_t os_drain;   /* enum sy_os_drain */
    uint64_t os_restart; /* enum sy_os_restart */
    uint64_t accumulator_clear_cycles;
    uint64_t bias_preload;     /* bool */
    uint64_t output_collision; /* enum sy_output_collision */
    /* row stationary */
    uint64_t rs_ifmap_words, rs_filter_words, rs_sum_words; /* what a PE holds */
    uint64_t rs_filter_words_per_cycle;
    /* folds after folds */
    uint64_t fold_overlap; /* enum sy_fold_overlap */
    uint64_t fold_order;   /* enum sy_fold_order */
    uint64_t accumulate_distance_cycles;
    uint64_t min_stream_beats;
    uint64_t stream_multiple_beats;
    uint64_t os_stream_whole_rows;     /* bool */
    uint64_t ragged;                   /* enum sy_ragged */
    uint64_t single_line_saves_cycles; /* os, direct */
    uint64_t back_pressure;            /* enum sy_back_pressure */
    /* what is reported */
    uint64_t first_result; /* enum sy_first_result */
    uint64_t cycle_count;  /* enum sy_cycle_count */
};

enum sy_array_key_kind { SY_ARRAY_U64, SY_ARRAY_ENUM, SY_ARRAY_BOOL };

/* One key of a `timing:` mapping. enum_names is NULL-terminated and indexed by
 * the enumerators (NULL for the other kinds). Static storage. */
struct sy_array_key {
    const char *name;
    enum sy_array_key_kind kind;
    size_t offset; /* of a uint64_t member */
    uint64_t min, max, preset;
    const char *const *enum_names;
    const char *doc;
};
extern const struct sy_array_key sy_array_keys[];
extern const size_t sy_array_key_count;

/* All members to their presets. */
void sy_array_timing_init(struct sy_array_timing *timing);
/* The key of that name, or NULL. Thread safe. */
const struct sy_array_key *sy_array_key_find(const char *name);
uint64_t sy_array_key_get(const struct sy_array_timing *timing, const struct sy_array_key *key);
/* Set one member from its text (`2`, `double_buffered`, `true`). SY_INPUT with
 * one message at `where` that names the value, what was expected and the
 * nearest name when the text is not a value of the key; then nothing changes. */
enum sy_status sy_array_key_set(struct sy_array_timing *timing, const struct sy_array_key *key, const char *text,
                                struct sy_where where, struct sy_diag *diag);
/* Combinations no array can have (for example weights through wires that hold
 * no register). Every violation is reported; SY_INPUT when there is one. */
enum sy_status sy_array_timing_check(const struct sy_array_timing *timing, struct sy_where where, struct sy_diag *diag);
/* Whether the design runs that dataflow. */
bool sy_array_runs(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow);

/*
 * A file of arch/arrays:
 *   name, doc, source, confidence: texts (source: where the values come from;
 *   confidence: verified, read, derived or assumed), and
 *   timing: a flat mapping of keys of sy_array_keys to values.
 * Texts live in the arena given to the loader.
 */
struct sy_array_file {
    const char *name, *doc, *source, *confidence;
    struct sy_array_timing timing;
};
/* Load DATA_DIR/arch/arrays/NAME.yaml, or the file `name` when it holds a '/'
 * or ends in .yaml. Unknown, repeated and missing keys, bad values and
 * impossible combinations are all reported with line and column before
 * SY_INPUT is returned; SY_IO when the file cannot be read. */
enum sy_status sy_array_file_load(struct sy_arena *arena, const char *name, const char *data_dir,
                                  struct sy_array_file *out, struct sy_diag *diag);
enum sy_status sy_array_file_parse(struct sy_arena *arena, const char *text, size_t length, const char *path,
                                   struct sy_array_file *out, struct sy_diag *diag);

/* "os", "ws", "is"; false when text is none of them (any letter case). */
const char *sy_dataflow_name(enum sy_dataflow_kind dataflow);
bool sy_dataflow_parse(const char *text, enum sy_dataflow_kind *dataflow);

#endif
