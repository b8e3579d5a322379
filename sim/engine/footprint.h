/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workload keeps in the backing stores at least: parameters, cached
 * state, and the activations of the layer that has most of them. Counted from
 * the layers as they pass, in constant memory; a chip that says how much its
 * stores hold refuses a workload that does not fit, or runs it as if it fitted
 * with a warning (the store's beyond_capacity).
 *
 * Counted: every parameter as stored (all experts, whole tables, bias and norm
 * parameters), once however often it is used; every state tensor (KV cache) as
 * far as the pass sees it; inputs and output of one layer. Not counted, so that
 * the figure is a lower bound: activations that live across layers, gradients
 * and optimizer state that no layer reads, fragmentation, the program. Tensors
 * are told apart by name; beyond SY_FOOTPRINT_NAMES names further ones do not
 * count.
 *
 * Activations may lie on chip, so what all on-chip levels hold together is
 * taken off them before they are compared with a store. Cores share a workload:
 * a store that each core has counts once a core.
 */
#ifndef SY_ENGINE_FOOTPRINT_H
#define SY_ENGINE_FOOTPRINT_H

#include "arch/chip.h"
#include "sim/engine/feed.h"
#include "sim/stats/result.h"

enum { SY_FOOTPRINT_NAMES = 16384 };

struct sy_footprint {
    uint64_t weight_bytes, state_bytes, activation_bytes; /* the last: of the largest layer */
    uint32_t names;
    uint64_t seen[SY_FOOTPRINT_NAMES * 2]; /* keys of counted tensors, open addressing; 0 = free */
};

/* Count a layer as the feed gives it, whose first iteration stands for all. SY_OVERFLOW beyond 64 bits. */
enum sy_status sy_footprint_add(struct sy_footprint *footprint, const struct sy_feed_slot *slot);
/* The sum of the three, at most UINT64_MAX. */
uint64_t sy_footprint_bytes(const struct sy_footprint *footprint);
/* Whether a store that refuses is too small for what is counted so far; without a stated capacity none is. */
bool sy_footprint_exceeds(const struct sy_footprint *footprint, const struct sy_chip *chip);
/* SY_INPUT after a message with the numbers of the first store that refuses; SY_OK when there is none. */
enum sy_status sy_footprint_check(const struct sy_footprint *footprint, const struct sy_chip *chip, const char *path,
                                  struct sy_diag *diag);
/* The same numbers, for each store that is too small and does not refuse, among the result's warnings. */
void sy_footprint_warn(const struct sy_footprint *footprint, const struct sy_chip *chip, struct sy_result *result);

#endif
