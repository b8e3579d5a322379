/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay: a workload's trace runs through a chip. Reads the trace as a stream
 * with a bounded look-ahead, plans each layer (or takes the command records
 * that follow it), executes, and fills a result.
 */
#ifndef SY_ENGINE_REPLAY_H
#define SY_ENGINE_REPLAY_H

#include "arch/energy.h"
#include "sim/engine/feed.h"
#include "sim/engine/schedule.h"
#include "sim/stats/result.h"
#include "traces/trace.h"

enum sy_fidelity { SY_FIDELITY_ANALYTIC, SY_FIDELITY_EVENT, SY_FIDELITY_CYCLE };

struct sy_replay_options {
    enum sy_fidelity fidelity;
    enum sy_memory_mode memory;
    bool is_short; /* sampled: run every burst all the same; see sy_replay_is_short */
    enum sy_objective objective;
    enum sck_backend kernel;
    uint64_t seed;   /* cycle fidelity: of the operands */
    bool count_only; /* cycle fidelity: step nothing, find out whether it would take too many steps */
    bool keep_nothing;
    const char *emit_schedule; /* path of a trace with the commands, or NULL */
    const char *vcd;           /* event: the units' activity; cycle: the PEs' registers */
    const char *target;        /* as in sy_executor_options */
    const char *data_dir;
    struct sy_dram_trace *requests; /* as in sy_executor_options */
    void (*span)(void *context, const struct sy_span *span, const char *layer_name);
    void *span_context;
    void (*progress)(void *context, uint64_t layers_done, uint64_t cycles);
    void *progress_context;
    volatile const int *cancel;
    bool no_fast_forward;              /* event: run every tile; gives the same result, slower */
    const struct sy_fuse_choice *fuse; /* groups of layers to fuse, by name; NULL: none */
    uint32_t fuses;
    struct sy_map_memos *memos; /* of runs of one chip, objective and energy table, one after the other; NULL: own */
    uint64_t *walked;           /* event: receives how many commands were run one by one; NULL: not asked */
};

/* The reader is consumed. energy may be NULL: then no energy is reported. On success *result is the caller's
 * (sy_result_destroy); its invariants have been checked. */
enum sy_status sy_replay(const struct sy_chip *chip, struct sy_trace_reader *reader,
                         const struct sy_energy_table *energy, const struct sy_replay_options *options,
                         struct sy_result **result, struct sy_diag *diag);

/* Whether a run is short: in all no more bytes to and from memories with a device than SY_SHORT_BYTES, and no more
 * layers than SY_SHORT_LAYERS. Then every burst can be run in a few milliseconds, and `sampled` should: single layers
 * have phases of tens of bursts, whose conflicts and waits rates leave out. Makes the schedule (the part of it that
 * fits the bounds) without running it; nothing is reported, and a workload that is refused is not short. The same
 * answer for layers and for the commands that a run of them emitted. The reader is consumed. SY_NOMEM, or SY_OK. */
#define SY_SHORT_BYTES (UINT64_C(4) << 20)
enum { SY_SHORT_LAYERS = 256 };
enum sy_status sy_replay_is_short(const struct sy_chip *chip, struct sy_trace_reader *reader,
                                  const struct sy_energy_table *energy, const struct sy_replay_options *options,
                                  bool *is_short);

#endif
