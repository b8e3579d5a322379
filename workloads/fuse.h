/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Depth-first fusion: layers that lie behind each other run a strip of rows of
 * the last one's output at a time, through all of them, so that the tensors
 * between them never exist whole.
 *
 * Rows. A convolution or pool (stride s, reach r = dilation x (filter - 1) + 1,
 * padding p above) needs rows [a s - p, (b - 1) s + r - p) of its input, clipped
 * to it, for rows [a, b) of its output; elementwise work needs the rows
 * themselves. Going back from a strip of the last output gives the rows of every
 * tensor that the strip needs: [need, end). What lies above the end of the strip
 * before is its halo. With SY_HALO_KEEP it stayed on chip, and each row of each
 * tensor is computed, and read, once. With SY_HALO_RECOMPUTE it is computed
 * again from the group's input, whose rows are read again. Rows that no strip
 * needs are computed with those before them, as the layer alone would.
 *
 * Images run one after the other. A group of one strip is its layers one after
 * the other. No chip is known here.
 */
#ifndef SY_WORKLOADS_FUSE_H
#define SY_WORKLOADS_FUSE_H

#include "workloads/layer.h"

enum { SY_FUSE_TENSORS = 48, SY_FUSE_STRIPS = 1 << 20 };

/* A layer of the group with the identity of its tensors; 0 = anonymous. */
struct sy_fuse_layer {
    struct sy_layer layer;
    uint64_t input_key[SY_MAX_INPUTS], output_key;
    int input[SY_MAX_INPUTS]; /* index of the tensor; -1: a parameter */
    uint32_t output;
    uint64_t weight_bytes; /* of a convolution's filters as they are loaded */
};

struct sy_fuse_tensor {
    uint64_t key;
    const char *name;
    uint64_t rows, row_elements; /* of one image */
    enum sy_dtype dtype;
    int producer;                   /* layer of the group; -1: made before it */
    uint32_t first_user, last_user; /* layers that read it; the group's output: UINT32_MAX and 0 */
    uint64_t most_rows, halo_rows;  /* on chip at once; of those, carried from strip to strip */
    uint64_t again_rows;            /* computed (made in the group) or read (made before it) again, an image */
    uint64_t read_rows;             /* of what is made before the group: read, an image */
};

struct sy_fuse_plan {
    struct sy_fuse how;
    uint64_t images, strips; /* strips of an image */
    uint32_t layers, tensors, output;
    struct sy_fuse_layer layer[SY_FUSE_LAYERS];
    struct sy_fuse_tensor tensor[SY_FUSE_TENSORS];
};

/* Rows of every tensor in a strip. */
struct sy_fuse_rows {
    uint64_t need[SY_FUSE_TENSORS];   /* the first row that the strip reads; end when it reads none */
    uint64_t begin[SY_FUSE_TENSORS];  /* the first row that is computed, or brought */
    uint64_t end[SY_FUSE_TENSORS];    /* behind the last row that exists after the strip */
    uint64_t before[SY_FUSE_TENSORS]; /* the end of the strip before; 0 in the first */
};

/* Take layer[0 .. layers) with their keys, layer[0].layer.fuse and the rest of the plan zeroed; fills everything else.
 * SY_UNSUPPORTED with the reason, in words and with the layer's name, in `why` when they cannot run depth-first. */
enum sy_status sy_fuse_prepare(struct sy_fuse_plan *plan, char why[240]);
void sy_fuse_strip(const struct sy_fuse_plan *plan, uint64_t strip, struct sy_fuse_rows *rows);
/* The layer as the strip runs it: for rows [begin, end) of its output. False when it has nothing to compute. */
bool sy_fuse_take(const struct sy_fuse_plan *plan, const struct sy_fuse_rows *rows, uint32_t layer,
                  struct sy_layer *strip);
/* The tensor with that key; -1 when the group has none. */
int sy_fuse_find(const struct sy_fuse_plan *plan, uint64_t key);
/* Bytes of so many rows of a tensor. */
uint64_t sy_fuse_bytes(const struct sy_fuse_tensor *tensor, uint64_t rows);
/* One strip and one image: the layers as they are. */
bool sy_fuse_is_single(const struct sy_fuse_plan *plan);
/* Whether the tensor has a place on chip while the layer runs. */
bool sy_fuse_alive(const struct sy_fuse_tensor *tensor, uint32_t layer);
/* The most bytes that the tensors take on chip at once; of them, halos carried from strip to strip. */
uint64_t sy_fuse_working_set(const struct sy_fuse_plan *plan);
uint64_t sy_fuse_halo_bytes(const struct sy_fuse_plan *plan);
/* Multiply-accumulates that are executed beyond those of the layers, all images. False on overflow. */
bool sy_fuse_halo_macs(const struct sy_fuse_plan *plan, uint64_t *macs);

#endif
