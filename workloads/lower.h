/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lowering: a layer becomes at most one matrix item, plus vector work fused
 * behind it or standing alone, plus data movement (engine.md section 1).
 * Attention lowers to two matrix items with vector work between them.
 * The im2col matrix of a convolution is never stored: a window descriptor lets
 * callers compute the bytes of any tile of A as the bounding box of its input.
 */
#ifndef SY_WORKLOADS_LOWER_H
#define SY_WORKLOADS_LOWER_H

#include "workloads/layer.h"

enum { SY_MAX_ITEMS = 8 };

enum sy_item_kind { SY_ITEM_MATRIX, SY_ITEM_VECTOR, SY_ITEM_DATA };

/* Address shape of the A operand of a lowered convolution. A 1 x 1 convolution of stride 1 without padding is a plain
 * matrix: its pixels are the rows of A. */
struct sy_window {
    bool is_conv;        /* false: A is a plain m x k matrix */
    uint64_t b, h, w, c; /* input tensor (c = channels of one group) */
    uint64_t oh, ow;     /* output: m = b * oh * ow */
    uint64_t fh, fw, sh, sw, dh, dw, pt, pl;
};

/* Tensor indices refer to the layer: 0.. = in[]. */
/* RUNNING: attention's output so far, when keys come in blocks: an item reads the one before and writes the next. */
enum { SY_TENSOR_INTERMEDIATE = -1, SY_TENSOR_OUT = -2, SY_TENSOR_RUNNING = -3 };

/* groups independent products of m x k by k x n. A batch over one B (shared_b) is folded into m. tensor_c is the
 * layer's output also when a fused vector item stands behind (that item then transforms C on its way out);
 * INTERMEDIATE only for the scores of attention. c is the format in which C leaves, accumulator that of partial sums.
 */
struct sy_matrix_item {
    uint64_t groups, m, k, n;
    bool shared_b; /* all groups use one B */
    enum sy_dtype a, b, c, accumulator;
    int tensor_a, tensor_b, tensor_c;
    struct sy_window window;
    uint64_t dense_k; /* k before structured sparsity; MACs of the layer use it */
    /* Of n and of k: padding at the end, which the array works through but which is no work of the layer, and of which
     * B has nothing in memory. */
    uint64_t pad_n, pad_k;
};
/* Work of the vector unit. A fused item is all functions of the epilogue, in one pass over the accumulators, with the
 * conversion to the output format when that differs (cast between floats, requantization to integers); its
 * tensors_in start with INTERMEDIATE, the accumulators. Bytes count every element each time the vector program loads it
 * from the scratchpad: softmax reads its input three times (maximum; exponential and sum; scaling), layer and RMS
 * normalization twice (sums; scaling), a pool every element of every window. Bytes of parameters are included. */
struct sy_vector_item {
    uint64_t elements;            /* output elements; of REDUCE input elements */
    uint64_t simple_ops;          /* in total */
    uint64_t transcendental_ops;  /* in total */
    uint64_t reduce_ops;          /* in total; one = a register of all lanes combined into one value */
    uint64_t bytes_in, bytes_out; /* through the scratchpad */
    uint64_t extra_out;           /* of a fused item: written besides the result (filters made numbers) */
    bool scales;                  /* of a fused item: group scales are applied, which no epilogue of an array does */
    bool fused;                   /* epilogue of the matrix item before it */
    uint32_t passes;              /* how often the data is read */
    int tensors_in[SY_MAX_INPUTS];
    uint32_t tensor_inputs;
    int tensor_out;
};
/* bytes of tensor_in copied to tensor_out: read once, written once. */
struct sy_data_item {
    uint64_t bytes;
    int tensor_in, tensor_out;
};
struct sy_item {
    enum sy_item_kind kind;
    union {
        struct sy_matrix_item matrix;
        struct sy_vector_item vector;
        struct sy_data_item data;
    } u;
};
struct sy_work {
    uint32_t items;
    struct sy_item item[SY_MAX_ITEMS];
};

/* The layer must have passed sy_layer_check. SY_OVERFLOW when a product does not fit. Of a ragged batch the first kind
 * of sequence alone: lower the others with sy_lower_part. */
enum sy_status sy_lower(const struct sy_layer *layer, struct sy_work *work);
/* Attention of one kind of sequence (sy_attention_part). */
enum sy_status sy_lower_part(const struct sy_layer *layer, const struct sy_attention_dims *part, struct sy_work *work);

/* k steps at one place of the kernel: the channels of a group, thinned evenly by structured sparsity (rounded up). */
uint64_t sy_window_channels(const struct sy_matrix_item *item);

/* The steps of attention whose keys come in blocks (Dao, FlashAttention-2, 2023, algorithm 1). A block's softmax:
 * `rows` rows of `cols` scores, against the running maximum and sum unless it is the first. */
bool sy_lower_block_softmax(struct sy_vector_item *item, uint64_t rows, uint64_t cols, bool first, enum sy_dtype in,
                            enum sy_dtype out);
/* Behind a block's product with the values: the running output is scaled to the new maximum and added to (not by the
 * first block); the last block divides by the sum. `rows` rows of `cols` elements, running in `running` format. */
bool sy_lower_rescale(struct sy_vector_item *item, uint64_t rows, uint64_t cols, bool first, bool last,
                      enum sy_dtype running, enum sy_dtype out);

/* Elements of A under rows [m0, m0 + tm) and columns [k0, k0 + tk) of one group: tm * tk for a plain matrix, for a
 * convolution the bounding box of the input window in each image, clipped to the tensor (padding is not stored) and
 * summed over images. Rows count (image, oy, ox), columns (fy, fx, channel), the last fastest. 0 when tm or tk is 0.
 * Constant time. Pure, thread safe. */
uint64_t sy_window_elements(const struct sy_window *window, uint64_t m0, uint64_t tm, uint64_t k0, uint64_t tk);

#endif
