/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycle fidelity of a run: the matmul tiles that the executor starts are stepped
 * on the register-level array (array_cycle.h) with real operands drawn from a
 * seed. Their cycles must be those the executor schedules with, their products
 * that of a plain GEMM. The judge is a hook of the executor
 * (sy_executor_options.judge): without it a run pays nothing.
 *
 * Stepped: each tile's share on one array (the largest; the other arrays work
 * beside it), all groups of a command back to back, and each tile behind the
 * one before it. Equal tiles, and equal neighbours, are stepped once: no number
 * moves a word, so they would take the same cycles again. Of a tile only so
 * many beats and folds are stepped as bring the array back to a state it had,
 * from where it would repeat itself (array_repeat.h); the cycles of the whole
 * are counted from them and compared, the product is that of what was stepped.
 *
 * Operands are in the layer's formats; the PEs compute in the narrowest format
 * that holds both. Pairs of formats that the array multiplies faster or slower
 * than its native one are stepped at the native rate, at the depth that the
 * faster rate packs k into; what a slower rate holds the beats is added to both
 * sides.
 *
 * Invariant: no more PE steps (one PE, one period) are taken than the limit.
 */
#ifndef SY_ENGINE_ARRAY_JUDGE_H
#define SY_ENGINE_ARRAY_JUDGE_H

#include "arch/chip.h"
#include "sim/engine/executor.h"

/* PE steps a run may take: some minutes. */
#define SY_JUDGE_MAX_PE_STEPS UINT64_C(20000000000)

struct sy_judge_options {
    uint64_t seed;
    uint64_t max_pe_steps; /* 0 = SY_JUDGE_MAX_PE_STEPS */
    bool count_only;       /* step nothing: say before a run whether it stays within the limit */
    bool step_all;         /* leave nothing out, and nothing that was stepped before */
    const char *vcd;       /* waveforms of the PEs' registers in the first tiles, or NULL */
};
struct sy_judge_totals {
    uint64_t commands;       /* judged, those known from before included */
    uint64_t tiles, follows; /* different tiles; different neighbours */
    uint64_t goes;           /* runs of the stepped array */
    uint64_t pe_steps;       /* counted only: about as many */
    uint64_t outputs;        /* elements of C compared */
};

struct sy_judge;
enum sy_status sy_judge_create(const struct sy_chip *chip, const struct sy_judge_options *options, struct sy_diag *diag,
                               struct sy_judge **judge);
/*
 * Judge a tile of the layer of that name. SY_INTERNAL, with a message that
 * names the tile, when cycles or products differ; SY_UNSUPPORTED when the
 * stepped array does not run its formats or dataflow, or the limit is passed.
 */
enum sy_status sy_judge_tile(struct sy_judge *judge, const struct sy_tile_start *start, const char *layer);
struct sy_judge_totals sy_judge_totals(const struct sy_judge *judge);
/* Write what is to be written. The judge is freed either way. */
enum sy_status sy_judge_finish(struct sy_judge *judge);
/* Free without an output; NULL is allowed. */
void sy_judge_abandon(struct sy_judge *judge);

#endif
