/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: one operator with its dimensions, precisions and tensors. This is
 * the currency between importers, traces and the mapper. A layer knows no
 * cycles and no chip.
 *
 * Invariants after sy_layer_check(): every dimension is inside its range in
 * sy_ops[], derived sizes (output height ...) are >= 1, products that later
 * code needs (MACs, elements and bytes of each tensor) fit uint64_t.
 *
 * Strings and arrays are borrowed from the arena or reader that made the layer.
 */
#ifndef SY_WORKLOADS_LAYER_H
#define SY_WORKLOADS_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/diag.h"
#include "workloads/dtype.h"

enum {
    SY_MAX_INPUTS = 4,   /* tensors read by one layer, epilogue operands included */
    SY_MAX_EPILOGUE = 6, /* functions fused behind one layer */
    SY_MAX_OP_DIMS = 20,
    SY_FUSE_LAYERS = 32, /* layers fused depth-first */
    SY_MAX_SCHEDULE_LEVELS = 8
};

/* ---- operators ---- */
enum sy_op {
    SY_OP_GEMM,        /* C[g] (m x n) = A[g] (m x k) * B[g] (k x n) */
    SY_OP_CONV,        /* 2-D convolution, NHWC x (fh, fw, c, n); 1-D = height 1 */
    SY_OP_POOL,        /* max or average pooling */
    SY_OP_ELEMENTWISE, /* function over elements with 1..3 inputs */
    SY_OP_SOFTMAX,     /* rows x cols, over cols */
    SY_OP_NORM,        /* layer, rms or batch norm: rows x cols, over cols */
    SY_OP_REDUCE,      /* rows x cols -> rows */
    SY_OP_GATHER,      /* rows of a table picked by index: embedding */
    SY_OP_MOVE,        /* bytes rearranged: transpose, concat, pad, layout */
    SY_OP_ATTENTION,   /* fused attention over a KV cache (see struct sy_attention_dims) */
    SY_OP_COLLECTIVE,  /* communication between chips */
    SY_OP_COUNT
};

/* A negative dimension cannot be expressed; 0 is out of range unless the table says otherwise. */
struct sy_gemm_dims {
    uint64_t g, m, k, n; /* g independent products */
    uint64_t shared_b;   /* 1: all g products use the same B (a batch over weights) */
    uint64_t experts;    /* B matrices stored, of which g are used (mixture of experts); 0 = g */
    uint64_t tied;       /* 1: B was counted as parameters by another record (tied embedding, second use) */
};
struct sy_conv_dims {
    uint64_t b, h, w, c, n, fh,
        fw;                  /* batch, input height and width, input channels, filters, filter height and width */
    uint64_t sh, sw;         /* stride */
    uint64_t pt, pb, pl, pr; /* padding: top, bottom, left, right */
    uint64_t dh, dw;         /* dilation */
    uint64_t groups;         /* divides c and n; groups == c is depthwise */
    uint64_t oh, ow;         /* output size; 0 = the usual floor formula. Explicit where a tool rounds up */
    uint64_t tied;           /* 1: B was counted as parameters by another record */
};
struct sy_pool_dims {
    uint64_t b, h, w, c, fh, fw, sh, sw, pt, pb, pl, pr;
    uint64_t average;   /* 0 max, 1 average */
    uint64_t ceil_mode; /* 1: output size rounds up */
};
struct sy_elementwise_dims {
    uint64_t elements;   /* of the output */
    uint64_t function;   /* enum sy_function */
    uint64_t operand[3]; /* elements of each input where it is broadcast; 0 = elements */
};
struct sy_rows_dims {
    uint64_t rows, cols;
    uint64_t kind;    /* NORM: enum sy_norm_kind; REDUCE: enum sy_function (sum, mean, max, min, mul) */
    uint64_t affine;  /* NORM: enum sy_affine */
    uint64_t operand; /* REDUCE: elements of the input where rows overlap; 0 = rows x cols */
};
struct sy_gather_dims {
    uint64_t rows, cols, table_rows;
}; /* rows x cols read from a table of table_rows x cols */
struct sy_move_dims {
    uint64_t elements;   /* of the output */
    uint64_t operand[4]; /* elements taken from each input; 0 = an equal share */
};
struct sy_attention_dims {
    uint64_t b, heads, kv_heads, q_len, kv_len, head_dim, value_dim;
    uint64_t causal;  /* 1: query i sees keys up to kv_len - q_len + i */
    uint64_t window;  /* sliding window in keys; 0 = none */
    uint64_t v_in_k;  /* 1: the values are the first value_dim columns of the keys (absorbed MLA): v is not read */
    uint64_t kv_page; /* tokens a page of the KV cache, whose pages lie anywhere; 0 = a sequence's cache is one piece */
    /* NULL: all b sequences are q_len over kv_len. Else a list of them (workloads/sequences.h); b is then their number,
     * q_len and kv_len the longest. Borrowed like a name. */
    const char *sequences;
};
struct sy_collective_dims {
    uint64_t elements, ranks, kind; /* enum sy_collective_kind */
};

enum sy_norm_kind { SY_NORM_LAYER, SY_NORM_RMS, SY_NORM_BATCH };
/* Learnable parameters a column: usual = 2 for layer and batch, 1 for rms. */
enum sy_affine { SY_AFFINE_USUAL, SY_AFFINE_NONE, SY_AFFINE_SCALE, SY_AFFINE_SCALE_BIAS };
enum sy_collective_kind { SY_ALL_REDUCE, SY_ALL_GATHER, SY_REDUCE_SCATTER, SY_ALL_TO_ALL, SY_BROADCAST };

/* Functions of the vector unit: per-element work by class.
 *      id         name       simple  transcendental  inputs  parameters a channel */
#define SY_FUNCTION_MAP(X)                                                                                             \
    X(COPY, "copy", 1, 0, 1, 0)                                                                                        \
    X(BIAS, "bias", 1, 0, 1, 1)                                                                                        \
    X(BN, "bn", 2, 0, 1, 2)                                                                                            \
    X(SCALE, "scale", 1, 0, 1, 0)                                                                                      \
    X(REQUANT, "requant", 3, 0, 1, 0)                                                                                  \
    X(CAST, "cast", 1, 0, 1, 0)                                                                                        \
    X(RELU, "relu", 1, 0, 1, 0)                                                                                        \
    X(RELU6, "relu6", 2, 0, 1, 0)                                                                                      \
    X(CLIP, "clip", 2, 0, 1, 0)                                                                                        \
    X(ABS, "abs", 1, 0, 1, 0)                                                                                          \
    X(NEG, "neg", 1, 0, 1, 0)                                                                                          \
    X(SIGMOID, "sigmoid", 2, 1, 1, 0)                                                                                  \
    X(TANH, "tanh", 2, 1, 1, 0)                                                                                        \
    X(GELU, "gelu", 5, 1, 1, 0)                                                                                        \
    X(SILU, "silu", 3, 1, 1, 0)                                                                                        \
    X(SWISH, "swish", 3, 1, 1, 0)                                                                                      \
    X(HARDSWISH, "hardswish", 4, 0, 1, 0)                                                                              \
    X(EXP, "exp", 1, 1, 1, 0)                                                                                          \
    X(LOG, "log", 1, 1, 1, 0)                                                                                          \
    X(SQRT, "sqrt", 1, 1, 1, 0)                                                                                        \
    X(ERF, "erf", 2, 1, 1, 0)                                                                                          \
    X(RECIPROCAL, "reciprocal", 0, 1, 1, 0)                                                                            \
    X(ADD, "add", 1, 0, 2, 0)                                                                                          \
    X(SUB, "sub", 1, 0, 2, 0)                                                                                          \
    X(MUL, "mul", 1, 0, 2, 0)                                                                                          \
    X(DIV, "div", 1, 1, 2, 0)                                                                                          \
    X(MAX, "max", 1, 0, 2, 0)                                                                                          \
    X(MIN, "min", 1, 0, 2, 0)                                                                                          \
    X(POW, "pow", 2, 2, 2, 0)                                                                                          \
    X(SUM, "sum", 1, 0, 1, 0)                                                                                          \
    X(MEAN, "mean", 1, 0, 1, 0)                                                                                        \
    X(WHERE, "where", 1, 0, 3, 0)                                                                                      \
    X(ROTARY, "rotary", 3, 0, 2, 0)                                                                                    \
    X(ADAM, "adam", 4, 1, 3, 0)                                                                                        \
    X(LEAKY_RELU, "leaky_relu", 2, 0, 1, 0)                                                                            \
    X(PRELU, "prelu", 2, 0, 2, 0)                                                                                      \
    X(ELU, "elu", 3, 1, 1, 0)                                                                                          \
    X(HARDSIGMOID, "hardsigmoid", 3, 0, 1, 0)                                                                          \
    X(SOFTPLUS, "softplus", 2, 2, 1, 0)                                                                                \
    X(ROUND, "round", 1, 0, 1, 0)                                                                                      \
    X(SIGN, "sign", 2, 0, 1, 0)                                                                                        \
    X(NOT, "not", 1, 0, 1, 0)                                                                                          \
    X(SIN, "sin", 2, 1, 1, 0)                                                                                          \
    X(COS, "cos", 2, 1, 1, 0)                                                                                          \
    X(DEQUANT, "dequant", 2, 0, 1, 0)                                                                                  \
    X(COMPARE, "compare", 1, 0, 2, 0)                                                                                  \
    X(LOGIC, "logic", 1, 0, 2, 0)                                                                                      \
    X(MOD, "mod", 2, 1, 2, 0)

enum sy_function {
#define SY_FUNCTION_ENUM(id, name, simple, transcendental, inputs, params) SY_FN_##id,
    SY_FUNCTION_MAP(SY_FUNCTION_ENUM)
#undef SY_FUNCTION_ENUM
        SY_FUNCTION_COUNT
};
/* Operation counts are modelling assumptions (instruction counts of a straightforward vector
 * program, not a measurement): confidence medium. A chip may override the cost a class. */
struct sy_function_info {
    const char *name;
    uint32_t simple;         /* one-lane one-cycle operations an element */
    uint32_t transcendental; /* table or iterative operations an element */
    uint32_t inputs;
    uint32_t params; /* learnable parameters an output channel (bias 1, batch norm 2) */
};
extern const struct sy_function_info sy_functions[SY_FUNCTION_COUNT];
bool sy_function_parse(const char *name, enum sy_function *function);

/* ---- tensors ---- */
enum sy_tensor_flag {
    SY_TENSOR_WEIGHT = 1, /* a parameter: exists before the run, is never written */
    SY_TENSOR_SHARED = 2, /* inside `repeat`: the same tensor in every iteration */
    SY_TENSOR_PINNED = 4, /* the trace asks that it stay on chip */
    SY_TENSOR_STATE = 8   /* KV cache and the like: exists before the run, may be appended to */
};
struct sy_tensor {
    const char *name; /* NULL: anonymous, never resident */
    enum sy_dtype dtype;
    uint32_t flags;
};

/* Structured sparsity of the weights: keep of every group elements along K; 0:0 = dense. */
struct sy_sparsity {
    uint32_t keep, group;
};

/* What was measured of the operands' values, for energy only: percent of the elements of A and of B that are zero, and
 * of the moving operands' bits that change from one element to the next. */
struct sy_value_statistics {
    bool has_zeros;
    uint8_t zeros_a, zeros_b; /* 0 to 100 */
    uint8_t toggles;          /* 1 to 100; 0 = not measured */
};

/* A schedule given in the trace; zero members are left to the mapper. */
struct sy_schedule {
    uint32_t levels;                          /* entries used below, innermost first */
    uint64_t tile[SY_MAX_SCHEDULE_LEVELS][3]; /* m, k, n of the tile at each level */
    char order[SY_MAX_SCHEDULE_LEVELS][4];    /* loops around that tile, outer to inner, e.g. "mnk" */
    char dataflow[8];                         /* "os" ... or "" */
    char resident;                            /* 'A', 'B', 'C' or 0 */
};

/* Depth-first fusion, stated by the first layer of a group (workloads/fuse.h): so many layers from here on run in
 * strips of so many rows of the last one's output. layers 0 = not fused. */
enum sy_halo { SY_HALO_KEEP, SY_HALO_RECOMPUTE };
struct sy_fuse {
    uint32_t layers;
    uint32_t halo; /* enum sy_halo */
    uint64_t strip;
};

struct sy_layer {
    enum sy_op op;
    const char *name;
    union {
        struct sy_gemm_dims gemm;
        struct sy_conv_dims conv;
        struct sy_pool_dims pool;
        struct sy_elementwise_dims elementwise;
        struct sy_rows_dims rows; /* SOFTMAX, NORM, REDUCE */
        struct sy_gather_dims gather;
        struct sy_move_dims move;
        struct sy_attention_dims attention;
        struct sy_collective_dims collective;
    } dim;
    struct sy_tensor in[SY_MAX_INPUTS]; /* GEMM, CONV: [0] = A, [1] = B, then one operand for each two-input epilogue
                                           function, in order. ATTENTION: q, k, v. GATHER: indices, table */
    uint32_t inputs;
    struct sy_tensor out;
    enum sy_dtype accumulator; /* GEMM, CONV: type of the partial sums */
    enum sy_function epilogue[SY_MAX_EPILOGUE];
    uint32_t epilogues;
    struct sy_sparsity sparsity;
    struct sy_value_statistics values;
    bool has_schedule;
    struct sy_schedule schedule;
    struct sy_fuse fuse;
    uint32_t line; /* in the file it was read from, 0 = none */
};

/* ---- the operator table: drives trace syntax, range checks, docs ---- */
struct sy_dim_info {
    const char *name; /* key in a trace record, "fh" */
    size_t offset;    /* of the uint64_t in struct sy_layer */
    uint64_t minimum, maximum;
    bool required;
    uint64_t default_value;
    const char *const *names; /* when not NULL the value is written as one of these words (NULL-terminated) */
    const char *doc;
};
struct sy_op_info {
    const char *name; /* record keyword, "conv" */
    const char *doc;
    uint32_t dims;
    struct sy_dim_info dim[SY_MAX_OP_DIMS];
    uint32_t min_inputs, max_inputs; /* epilogue operands not counted */
    const char *const *input_names;  /* keys of the inputs, e.g. {"a","b"}; NULL-terminated */
    bool has_weights;                /* in[1] is normally a parameter */
};
extern const struct sy_op_info sy_ops[SY_OP_COUNT];

/* A layer of `op` with every dimension at its default (required ones 0), int8 operands, int32 accumulator, the least
 * number of inputs, anonymous; in[1] is marked a weight where the operator normally has one. */
void sy_layer_init(struct sy_layer *layer, enum sy_op op);
/* Inputs that the operator itself needs, without epilogue operands (ELEMENTWISE: what its function takes). */
uint32_t sy_layer_own_inputs(const struct sy_layer *layer);
/* Check every invariant; reports all that fails with the layer's line. */
enum sy_status sy_layer_check(const struct sy_layer *layer, const char *file, struct sy_diag *diag);

/* ---- derived figures; all need a checked layer; pure, thread safe ---- */
/* Output height and width of CONV and POOL. */
void sy_layer_output_size(const struct sy_layer *layer, uint64_t *oh, uint64_t *ow);
/* Dense multiply-accumulates: structured sparsity and masks do not lower it. ATTENTION: of each sequence the whole
 * rectangle of queries x sy_attention_keys(), the convention of an unfused implementation; sy_attention_pairs() is the
 * masked count. */
uint64_t sy_layer_macs(const struct sy_layer *layer);
/* Learnable: weights, bias, norm, tables. Untouched experts count, tied operands do not. */
uint64_t sy_layer_parameters(const struct sy_layer *layer);
/* Elements the layer reads of one input (GATHER: the rows picked, not the table; CONV: the tensor, not the windows). */
uint64_t sy_layer_input_elements(const struct sy_layer *layer, uint32_t input);
uint64_t sy_layer_output_elements(const struct sy_layer *layer);
/* ATTENTION: keys that any query can see, min(kv_len, window + q_len - 1). Of one kind of sequence: of a ragged batch
 * ask for each part (workloads/sequences.h). */
uint64_t sy_attention_keys(const struct sy_attention_dims *dims);
/* ATTENTION: visible (query, key) pairs of one head of one sequence under the causal mask and the window. */
uint64_t sy_attention_pairs(const struct sy_attention_dims *dims);
/* ATTENTION: multiply-accumulates on visible pairs, all heads and sequences; false on overflow. */
bool sy_attention_visible_macs(const struct sy_attention_dims *dims, uint64_t *macs);
/* Bytes that the parameters occupy: weights in their own format, epilogue parameters in the accumulator's, norms in the
 * activations'. false on overflow. */
bool sy_layer_weight_bytes(const struct sy_layer *layer, uint64_t *bytes);

#endif
