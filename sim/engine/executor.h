/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor: runs a stream of commands on the chip's units, on the kernel.
 *
 * It knows no layers and no mapping: whoever makes the commands (the mapper's
 * schedule generator, a trace with command records) decides what is done; the
 * executor decides when. Replaying emitted commands therefore gives equal cycles.
 *
 * Units: one kernel method each: the sequencer, the array, the vector unit, one
 * load and one store engine a link (parent level > child level) and engine
 * number, and one memory server a parent level.
 *
 * A command's life: issued (by the sequencer, in stream order, when its unit's
 * queue has room) -> head of its unit's queue -> started (unit free, all
 * dependencies reached) -> first result, operands streamed, done.
 *
 * Invariants:
 *  - dependencies point backwards in the stream, units are in order: the oldest
 *    unfinished command can always go on, so no schedule deadlocks;
 *  - all unit times are whole cycles of the core clock; memory works in ticks
 *    and its completions become the next core edge;
 *  - a unit's timeline is tiled without gap or overlap by busy spans and waits,
 *    each wait charged to the condition that became true last;
 *  - results never depend on the kernel's order of same-time calls: units read
 *    only times that are known, and a time once known never changes.
 */
#ifndef SY_ENGINE_EXECUTOR_H
#define SY_ENGINE_EXECUTOR_H

#include "arch/chip.h"
#include "sim/base/diag.h"
#include "sim/engine/array_rs.h"
#include "sim/engine/dram_trace.h"
#include "sim/kernel/sck.h"
#include "sim/stats/result.h"
#include "traces/command.h"

enum sy_memory_mode {
    SY_MEMORY_IDEAL,  /* every phase has its link's full rate; no sharing, no refresh */
    SY_MEMORY_SHARED, /* phases share the level's bandwidth; refresh takes its part */
    SY_MEMORY_SAMPLED,
    SY_MEMORY_BURST,
    SY_MEMORY_TARGET /* a TLM-2.0 target of the user's: see exec_target.c */
};

/* A command as the source hands it over. */
struct sy_issue {
    struct sy_command command;
    uint64_t layer;       /* index of the layer it belongs to; never decreases */
    uint64_t useful_macs; /* MATMUL: MACs of the layer in this tile */
    /* Marks of a sampled schedule (analytic fidelity), before this command: */
    uint8_t measure;             /* 1 + loop whose measured iterations begin here; 0 = none */
    uint8_t jump;                /* 1 + loop of which iterations were left out here; 0 = none */
    uint64_t skipped;            /* how many times the measured iterations those are */
    uint64_t skipped_macs;       /* MACs of the layer in them */
    struct sy_row_window window; /* MATMUL: the convolution it is a tile of, or empty */
};

struct sy_executor;

/* Commands, pulled one by one. more = false ends the stream. The layer of the first command must be 0 or larger. */
struct sy_command_source {
    void *context;
    enum sy_status (*next)(void *context, struct sy_issue *issue, bool *more);
    /* May be NULL. Told once who will ask, before the first command: for fast-forwarding (forward.h). */
    void (*attach)(void *context, struct sy_executor *exec);
};

/* What happened to one layer, delivered in layer order when its last command is done. */
struct sy_layer_counters {
    uint64_t layer;
    uint64_t finish_cycle;          /* >= that of the layer before */
    uint64_t busy;                  /* array, in the window (previous finish, finish] */
    uint64_t stall[SY_STALL_COUNT]; /* array; busy + sum = window */
    struct sy_array_work work;
    struct sy_vector_work vector;
    uint64_t level_read_bytes[SY_MAX_LEVELS], level_write_bytes[SY_MAX_LEVELS]; /* of all cores; bus bytes for DRAM */
    uint64_t rows_opened[SY_MAX_LEVELS]; /* of a DRAM under sampled: in millionths, by the addresses of its moves */
    uint64_t crossed[2];                 /* bytes through the crossbar: at its shared side, at the cores' ports */
    uint64_t commands;
};
typedef enum sy_status (*sy_layer_done_fn)(void *context, const struct sy_layer_counters *counters);

/* A span for timelines; all times in core cycles. */
struct sy_span {
    const char *unit;
    uint64_t start, end; /* MATMUL: first beat, operands read; else taken up, done */
    uint64_t layer, command;
    uint8_t kind;
    uint64_t done; /* MATMUL: the last result is there; else = end */
};

/* A MATMUL command as its stream starts. What it points to lives for the call. */
struct sy_array_tile;
struct sy_tile_start {
    uint64_t command, layer;
    uint64_t cycle; /* of its first beat */
    const struct sy_command *work;
    const struct sy_array_tile *tile; /* of each of its equal tiles */
};

/* Someone who watches the commands and whose figures grow with the executor's: what fast-forwarding must know of it. */
struct sy_tally;
struct sy_companion {
    void *context;
    void (*layer)(void *context, uint64_t index);         /* the layer begins */
    uint64_t (*pending)(void *context);                   /* 0: nothing is due but what `tally` lists */
    void (*tally)(void *context, struct sy_tally *tally); /* its figures, those of the present layer included */
};

struct sy_executor_options {
    enum sck_backend backend;
    enum sy_memory_mode memory;
    sy_layer_done_fn layer_done; /* may be NULL */
    void *layer_context;
    void (*span)(void *context, const struct sy_span *span); /* may be NULL */
    void *span_context;
    /* Called for every MATMUL, in order; its error ends the run. NULL: nothing is called. */
    enum sy_status (*judge)(void *context, const struct sy_tile_start *start);
    void *judge_context;
    const char *vcd_path; /* NULL: no waveform */
    volatile const int *cancel;
    const char *target;                   /* SY_MEMORY_TARGET: "tlm:FILE[,ARGUMENT]" */
    const char *data_dir;                 /* DRAM device files */
    struct sy_dram_trace *requests;       /* gets the requests of the DRAM level; SY_MEMORY_BURST only; NULL: none */
    const struct sy_companion *companion; /* then `span` is the companion's own and sees no command that is left out */
};

/* Run the whole stream. On success *end_cycle is the core cycle by which everything is done and the unit, link,
 * level and DRAM counters of result are filled (result->arena must exist). Diagnostics go to diag. Uses about 1 MB. */
enum sy_status sy_execute(const struct sy_chip *chip, const struct sy_executor_options *options,
                          const struct sy_command_source *source, struct sy_result *result, uint64_t *end_cycle,
                          struct sy_diag *diag);

#endif
