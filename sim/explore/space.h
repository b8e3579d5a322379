/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A space of candidates, from YAML (docs/formats-sweep.md):
 *
 *     chips: [scalesim, tpu-v1]           # or chip: NAME
 *     workloads: [resnet50, net.slt.gz]   # or workload: NAME
 *     set: {core.array.count: 1}          # for every candidate
 *     vary:                               # every combination
 *       core.array.rows: [8, 16, 32]
 *       memory.dram.bandwidth: {from: 10 GB/s, to: 50 GB/s, step: 20 GB/s}
 *       core.array.cols, core.array.rows: {from: 8, to: 64, factor: 2}   # together
 *     run: {memory: ideal}
 *     import: {batch: 4}
 *
 * Order of candidates: workloads change slowest, then chips, then the keys of
 * `vary` from first to last, the last fastest.
 *
 * Invariants of a loaded space: at least one chip, one workload and one value
 * an axis; total is the product of the counts, at most SY_MAX_CANDIDATES; no
 * key occurs twice. Everything lives in the arena.
 */
#ifndef SY_EXPLORE_SPACE_H
#define SY_EXPLORE_SPACE_H

#include "sim/explore/job.h"

enum { SY_MAX_AXES = 16, SY_MAX_TIED = 8, SY_MAX_VALUES = 4096, SY_MAX_CANDIDATES = 1 << 20 };

struct sy_axis {
    uint32_t keys; /* varied together */
    const char *key[SY_MAX_TIED];
    uint32_t values;
    const char *const *value; /* values x keys texts */
};

struct sy_space {
    const char *path;
    char sha256[65];
    uint32_t chips, workloads, sets, axes;
    const char *const *chip, *const *workload;
    const char *const *set; /* "key=value" */
    struct sy_axis axis[SY_MAX_AXES];
    struct systole_run_options run;
    struct systole_import_options import;
    uint64_t total;
};

/* What the space does not say is taken from run and import (NULL = nothing). extra: more `set` entries, or NULL. */
enum sy_status sy_space_load(struct sy_arena *arena, const char *path, const struct systole_run_options *run,
                             const struct systole_import_options *import, const char *const *extra,
                             struct sy_space *space, struct sy_diag *diag);

/* Which value each axis has in a candidate. index < total. */
struct sy_place {
    uint32_t chip, workload, value[SY_MAX_AXES];
};
struct sy_place sy_space_place(const struct sy_space *space, uint64_t index);
/* The varied keys as columns 0 ... n-1, tied keys one each, and a candidate's value of one. */
uint32_t sy_space_columns(const struct sy_space *space);
const char *sy_space_key(const struct sy_space *space, uint32_t column);
const char *sy_space_value(const struct sy_space *space, const struct sy_place *place, uint32_t column);
/* The job of a candidate; its texts live in the arena. SY_NOMEM. */
enum sy_status sy_space_job(const struct sy_space *space, uint64_t index, struct sy_arena *arena, struct sy_job *job);

#endif
