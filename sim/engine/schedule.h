/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schedule generator: turns one layer after another into commands.
 *
 * For each layer it decides what stays on chip (sim/map/space.h), has the
 * mapper cut the matrix item into tiles (sim/map/mapping.h), and walks the tile
 * loops. Per step it emits the loads of operands whose tile changed (outer
 * levels first), the matmul, and when a tile of C is complete the vector work
 * and the stores. Commands depend on what fills their inputs and on who used
 * their buffers last; nothing else orders them.
 *
 * Layer: begin -> (evictions) -> items in order -> end -> next layer.
 *
 * Byte bookkeeping is independent of the executor's: filled_bytes counts what
 * is brought into a level's buffers, released_bytes what leaves them; the
 * difference must be what is still there. sy_result_check compares both sides.
 */
#ifndef SY_ENGINE_SCHEDULE_H
#define SY_ENGINE_SCHEDULE_H

#include "arch/chip.h"
#include "sim/base/text.h"
#include "sim/engine/executor.h"
#include "sim/engine/liveness.h"
#include "sim/map/mapping.h"
#include "sim/map/space.h"
#include "workloads/fuse.h"
#include "workloads/lower.h"

/* A layer's part of a strip of a fused group. The plan is borrowed; it lives until the group's last layer was taken. */
struct sy_fuse_part {
    const struct sy_fuse_plan *plan;
    uint32_t layer; /* of the group */
    uint64_t image, strip;
    bool single;          /* one strip, one image: the layers as they are, but for what must stay on chip */
    uint64_t group_end;   /* ordinal of the group's last layer */
    uint64_t begin, end;  /* rows of the output that are computed; of them [end - fresh, end) for the first time */
    uint64_t fresh, held; /* rows [held, end) are on chip then */
    uint32_t brings;
    struct {
        uint32_t tensor;
        uint64_t begin, end, held; /* rows brought; on chip then: [held, end) */
    } bring[SY_MAX_INPUTS];
};

/* A layer with the identity of its tensors: hash of name and iteration; 0 = anonymous. */
struct sy_upcoming {
    struct sy_layer layer;
    uint64_t ordinal; /* number of the layer as liveness counts them */
    uint64_t input_key[SY_MAX_INPUTS];
    uint64_t output_key;
    const struct sy_fuse_part *part; /* NULL: the whole layer */
};

/* Mappings found before, for schedulers of one chip, objective and set of costs, one after the other. NULL: no memory.
 */
struct sy_map_memos;
struct sy_map_memos *sy_map_memos_create(void);
void sy_map_memos_destroy(struct sy_map_memos *memos); /* NULL is fine */

struct sy_scheduler_options {
    enum sy_objective objective;
    struct sy_map_costs costs;
    bool keep_nothing;                  /* no residency between layers (for study and tests) */
    const struct sy_liveness *liveness; /* which tensors later layers read; borrowed; NULL: none */
    struct sy_map_memos *memos;         /* borrowed; NULL: the scheduler has its own */
    bool sample_loops;                  /* leave out iterations of long loops and mark where (sy_issue.skipped) */
};

/* What was decided for a layer; for reports. */
struct sy_layer_plan {
    bool has_matrix;
    struct sy_matrix_item item;
    struct sy_mapping mapping;
    struct sy_estimate estimate;
    bool kept;                /* the output stays on chip */
    uint64_t saved_bytes;     /* backing-store traffic avoided by tensors found or kept on chip */
    uint64_t skipped_macs;    /* of attention: of keys that no query of a block can see */
    uint64_t kv_pages;        /* of attention: pages of the cache, all sequences */
    uint64_t halo_macs;       /* of a fused group: of rows that were computed before */
    enum sy_dim split;        /* the dimension that cores share; SY_DIMS: none */
    uint64_t exchanged_bytes; /* of partial sums, by all cores */
};

struct sy_scheduler;
enum sy_status sy_scheduler_create(const struct sy_chip *chip, const struct sy_scheduler_options *options,
                                   struct sy_diag *diag, struct sy_scheduler **scheduler);
void sy_scheduler_destroy(struct sy_scheduler *scheduler);

/* Leave out what is alike (forward.h); NULL: walk everything. */
struct sy_forward;
void sy_scheduler_forward(struct sy_scheduler *scheduler, struct sy_forward *forward);
/* Between layers: commands with ids below `oldest` are past, nothing needs to wait for them. */
void sy_scheduler_settle(struct sy_scheduler *scheduler, uint64_t oldest);

/* What does not depend on the state: whether a fused group that begins with this layer can run on the chip. */
enum sy_status sy_scheduler_admit(const struct sy_scheduler *scheduler, const struct sy_upcoming *upcoming);
/* Whether the group's filters stay on chip for all strips. */
bool sy_scheduler_keeps_weights(const struct sy_scheduler *scheduler, const struct sy_fuse_plan *plan);
/* Take up a layer. It and its strings must live until the layer's last command was taken. index numbers it in issued
 * commands. */
enum sy_status sy_scheduler_begin(struct sy_scheduler *scheduler, const struct sy_upcoming *upcoming, uint64_t index);
/* The layer's next command; more = false when it has no further ones. SY_UNSUPPORTED (reported) when the layer does not
 * fit the chip. */
enum sy_status sy_scheduler_next(struct sy_scheduler *scheduler, struct sy_issue *issue, bool *more);

/* What was decided for the layer; complete when its commands are. Valid until the next begin. */
const struct sy_layer_plan *sy_scheduler_plan(const struct sy_scheduler *scheduler);

/* Byte bookkeeping so far, for the conservation check. */
void sy_scheduler_totals(const struct sy_scheduler *scheduler, struct sy_result *result);

#endif
