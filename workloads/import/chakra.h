/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Chakra importer from the inside. Internal to workloads/import:
 *   chakra.c       the file: messages, nodes, communication, memory
 *   chakra_list.c  the Python literals in which PyTorch writes arguments
 *   chakra_aten.c  PyTorch operators
 */
#ifndef SY_WORKLOADS_IMPORT_CHAKRA_H
#define SY_WORKLOADS_IMPORT_CHAKRA_H

#include "workloads/import/common.h"
#include "workloads/import/protobuf.h"

/* ---- literals: [[4, 5, 0, 64, 4, 'cuda:0'], [1, 1], True, '<None>'] ---- */
enum cx_kind { CX_LIST, CX_NUMBER, CX_TEXT };
struct cx_item {
    enum cx_kind kind;
    double number;        /* True is 1, False is 0 */
    struct sy_bytes text; /* TEXT, without quotes */
    uint32_t count;       /* LIST */
    struct cx_item *child, *next;
};
/* NULL when malformed or out of memory. Depth is limited to 16. Lives in the arena. */
struct cx_item *cx_parse(struct sy_arena *arena, struct sy_bytes text);
const struct cx_item *cx_at(const struct cx_item *list, uint32_t index); /* NULL when not there */

/* ---- tensors of a node ---- */
enum { CX_MOST_RANK = 8 };
struct cx_tensor {
    bool there; /* a tensor stands at this place */
    uint64_t id;
    uint32_t rank;
    uint64_t dim[CX_MOST_RANK];
    enum sy_dtype dtype;
};

struct cx_io {
    struct cx_item *values, *shapes, *types;
};

struct cx {
    const char *path;
    const uint8_t *file;
    const struct sy_import_options *options;
    struct sy_diag *diag;
    struct sy_workload *workload;
    struct sy_arena *scratch; /* of the node at hand */
    enum sy_status status;
    bool has_operators; /* the trace has PyTorch operators: kernels belong to them */
    uint64_t skipped_kernels;
    bool assumed_ranks; /* said once */
    /* ids of imported operators and of weights seen, open addressing, 0 = free */
    struct cx_set {
        uint64_t *slot;
        uint64_t slots, used;
    } imported, weights;
    /* the node at hand */
    struct sy_where where;
    uint64_t id;
    const char *name;
    struct cx_io in, out;
};

bool cx_fail(struct cx *cx, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Insert; *fresh tells whether it was new. false = out of memory. */
bool cx_insert(struct cx *cx, struct cx_set *set, uint64_t id, bool *fresh);
bool cx_contains(const struct cx_set *set, uint64_t id);

struct cx_tensor cx_tensor(const struct cx *cx, const struct cx_io *io, uint32_t index);
/* The first tensor of argument 0, which may be a list of tensors. */
struct cx_tensor cx_first_tensor(const struct cx *cx, const struct cx_io *io);
uint64_t cx_elements(const struct cx_tensor *tensor); /* 1 for a single number; at most 2^44, else UINT64_MAX */
struct sy_tensor cx_name(struct cx *cx, const struct cx_tensor *tensor);
bool cx_emit(struct cx *cx, struct sy_layer *layer);

/* Model the operator of the node at hand. *known = false: nothing was done. */
bool cx_aten(struct cx *cx, const char *op, bool *known);

#endif
