/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Liveness: which tensors the layers ahead read, and when first.
 *
 * Fed with the uses of layers in order, far ahead of the layer that runs;
 * what lies behind is taken off again. Every use is put in and taken out once,
 * in constant expected time, and a question is a look-up: linear in the number
 * of uses, whatever the distance between them.
 *
 * Memory: about 48 bytes a use ahead. Thread safety: none; one owner.
 */
#ifndef SY_ENGINE_LIVENESS_H
#define SY_ENGINE_LIVENESS_H

#include <stdint.h>

#include "sim/base/status.h"

/* One reading of a tensor. */
struct sy_use {
    uint64_t key, layer;
    uint64_t next; /* number of the next use of the same tensor; UINT64_MAX = none known */
};
/* A tensor that is read ahead: numbers of its first and last use. key 0 = free. */
struct sy_used {
    uint64_t key, first, last;
};

struct sy_liveness {
    struct sy_use *use; /* a ring, by number; capacity is a power of two */
    uint64_t capacity, from, to;
    struct sy_used *slot; /* open addressing; twice the capacity */
};

void sy_liveness_open(struct sy_liveness *liveness);
void sy_liveness_close(struct sy_liveness *liveness);
/* The layer numbered `layer`, not below those before it, reads the tensor; key 0 is no tensor. */
enum sy_status sy_liveness_add(struct sy_liveness *liveness, uint64_t layer, uint64_t key);
/* Layers up to and including `layer` are done. */
void sy_liveness_pass(struct sy_liveness *liveness, uint64_t layer);
/* The first layer behind `layer` that reads the tensor; UINT64_MAX when none that was added does. */
uint64_t sy_liveness_next(const struct sy_liveness *liveness, uint64_t key, uint64_t layer);

#endif
