/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a transformer out of layers: one call a layer, tensors by name. The
 * first failure sticks in `status` and later calls do nothing, so that a model
 * reads as a plain list. Internal to workloads/import.
 *
 * Names: every tensor and layer name gets the builder's prefix; a name that
 * starts with '/' is the model's own (no prefix) and marked shared, because it
 * crosses iterations of a repeat block.
 */
#ifndef SY_WORKLOADS_IMPORT_BUILD_H
#define SY_WORKLOADS_IMPORT_BUILD_H

#include "workloads/import/common.h"

struct sy_builder {
    struct sy_workload *workload;
    const struct sy_import_options *options;
    const char *path;
    struct sy_diag *diag;
    enum sy_dtype activation, weight, accumulator, kv;
    enum sy_dtype table; /* of embeddings, logits and routers, which quantizers leave alone */
    const char *prefix;  /* "layers.0." */
    enum sy_status status;
};

/* Value of a function member that is left out. */
#define SY_NO_FUNCTION SY_FN_COPY

/* C[g] = A[g] B[g], then bias, function, * mul, + add. B is the weight NAME.w unless b names a tensor. */
struct sy_build_gemm {
    const char *name, *a, *b, *y;
    uint64_t m, k, n;
    uint64_t g, experts;          /* g 0 = 1 */
    bool bias, tied, b_is_weight; /* b_is_weight: the tensor b is a weight of another layer */
    bool unquantized;             /* its weight is as the tables are: logits, routing */
    enum sy_function function;
    const char *mul, *add;
};
void sy_build_gemm(struct sy_builder *builder, const struct sy_build_gemm *spec);

void sy_build_norm(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t rows,
                   uint64_t cols, enum sy_norm_kind kind);
/* b may be NULL; b_elements 0 = elements */
void sy_build_elementwise(struct sy_builder *builder, const char *name, enum sy_function function, const char *a,
                          const char *b, uint64_t b_elements, const char *y, uint64_t elements);
/* table: the weight NAME.table, or a tensor when not NULL */
void sy_build_gather(struct sy_builder *builder, const char *name, const char *indices, const char *table,
                     const char *y, uint64_t rows, uint64_t cols, uint64_t table_rows);
void sy_build_softmax(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t rows,
                      uint64_t cols);
/* a_elements: of the input where rows overlap, 0 = rows * cols */
void sy_build_reduce(struct sy_builder *builder, const char *name, const char *a, uint64_t a_elements, const char *y,
                     uint64_t rows, uint64_t cols, enum sy_function function);
/* y is a KV cache when `state` */
void sy_build_move(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t elements,
                   bool state);
/* q, k, v by name; state: k and v are KV caches */
void sy_build_attention(struct sy_builder *builder, const char *name, const char *q, const char *k, const char *v,
                        const char *y, const struct sy_attention_dims *dims, bool state);
/* 1-D or square convolution with bias; the weight is NAME.w */
void sy_build_conv(struct sy_builder *builder, const char *name, const char *a, const char *y,
                   const struct sy_conv_dims *dims);

/* elements: what a rank contributes */
void sy_build_collective(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t elements,
                         uint64_t ranks, enum sy_collective_kind kind);

void sy_build_repeat(struct sy_builder *builder, uint64_t times);
void sy_build_end_repeat(struct sy_builder *builder);
/* The prefix of what follows; printf-like. */
void sy_build_prefix(struct sy_builder *builder, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
