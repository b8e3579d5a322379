/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ONNX importer from the inside: values with their shapes, the node at
 * hand, and what operator handlers use. Internal to workloads/import:
 *   onnx.c         the file: model, graph, order of work
 *   onnx_graph.c   values by name, tensors, attributes, errors
 *   onnx_layer.c   inputs, outputs, layers, fused functions
 *   onnx_fold.c    computing constants (shape arithmetic)
 *   onnx_window.c, onnx_matrix.c, onnx_vector.c, onnx_move.c, onnx_fused.c   handlers
 *
 * Invariants: a value has a shape from the moment its producer was handled (or
 * `known` stays false after an operator that was let through unmodelled);
 * constant values make no layers; weights are values that come from
 * initializers; data is held only for constants of at most OX_MOST_DATA
 * elements, so memory does not grow with the weights.
 */
#ifndef SY_WORKLOADS_IMPORT_ONNX_H
#define SY_WORKLOADS_IMPORT_ONNX_H

#include "workloads/import/common.h"
#include "workloads/import/protobuf.h"

enum { OX_MOST_RANK = 8, OX_MOST_DATA = 4096 };

/* TensorProto.DataType of the ONNX specification. */
enum ox_type {
    OX_FLOAT = 1,
    OX_UINT8 = 2,
    OX_INT8 = 3,
    OX_UINT16 = 4,
    OX_INT16 = 5,
    OX_INT32 = 6,
    OX_INT64 = 7,
    OX_STRING = 8,
    OX_BOOL = 9,
    OX_FLOAT16 = 10,
    OX_DOUBLE = 11,
    OX_UINT32 = 12,
    OX_UINT64 = 13,
    OX_BFLOAT16 = 16,
    OX_FLOAT8_FIRST = 17,
    OX_FLOAT8_LAST = 20,
    OX_UINT4 = 21,
    OX_INT4 = 22,
    OX_FLOAT4 = 23,
    OX_GROUPED = 1024 /* + enum sy_dtype: integers in groups, which ONNX has as operators and not as a type */
};

struct ox_shape {
    uint32_t rank;
    uint64_t dim[OX_MOST_RANK];
};

struct ox_value {
    const char *name;
    size_t length;
    uint32_t hash;
    bool known;       /* shape is set */
    bool constant;    /* computed when the model is compiled: costs nothing */
    bool weight;      /* comes from an initializer */
    bool declared;    /* declared_shape is set (value_info or output) */
    bool dequantized; /* behind DequantizeLinear: held as integers, read as numbers */
    bool counted;     /* its parameters were counted by an earlier layer; see ox_counted */
    uint32_t uses;    /* nodes that read it, and 1 when the graph returns it */
    int type;         /* enum ox_type, 0 = unknown */
    struct ox_shape shape, declared_shape;
    struct ox_value *origin;   /* the weight that it is computed from alone (transposed, cast ...), or NULL */
    const char *tensor;        /* name in layers: its own, or of the value it is a view of */
    double *data;              /* elements(), or NULL */
    struct sy_layer *producer; /* layer that writes it when that can take fused functions, else NULL */
    uint64_t order;            /* number of layers emitted when it was made: larger = later */
};

struct ox_attribute {
    struct sy_bytes name;
    uint64_t type; /* 1 float, 2 int, 3 string, 4 tensor, 5 graph, 6 floats, 7 ints, 8 strings */
    int64_t integer;
    float number;
    struct sy_bytes bytes;   /* string, or tensor message */
    struct sy_bytes message; /* the whole attribute: lists are walked in place */
};

/* The node being handled. */
struct ox_node {
    const char *op, *domain, *name;
    struct sy_where where;
    struct ox_value **in, **out; /* NULL where left out */
    uint32_t inputs, outputs, input_room, output_room;
    struct ox_attribute *attribute;
    uint32_t attributes, attribute_room;
};

struct ox {
    const char *path;
    const uint8_t *file;
    const struct sy_import_options *options;
    struct sy_diag *diag;
    struct sy_workload *workload;
    enum sy_status status;  /* first failure */
    struct ox_value **slot; /* hash table of values, open addressing */
    uint64_t slots, values;
    struct ox_node node;
    bool silent; /* all inputs are constant: shapes only, no layers */
    uint64_t layers;
    uint64_t opset;                /* of the default domain */
    struct sy_bytes functions[64]; /* model-local functions: names, to say so */
    uint32_t function_count;
};

/* ---- onnx_graph.c ---- */
struct ox_value *ox_value(struct ox *ox, struct sy_bytes name); /* found or made; NULL after an error */
/* Report at the node at hand and remember the failure. Returns false. */
bool ox_fail(struct ox *ox, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool ox_fail_at(struct ox *ox, const uint8_t *at, const char *what);
bool ox_read_tensor(struct ox *ox, struct sy_bytes message, struct ox_value *into); /* shape, type, small data */
bool ox_read_value_info(struct ox *ox, struct sy_bytes message, bool is_input, bool is_output);
bool ox_read_node(struct ox *ox, struct sy_bytes message);
/* Elements of a shape; false (reported) when the product is beyond 2^44. */
bool ox_elements(struct ox *ox, const struct ox_shape *shape, uint64_t *elements);
uint64_t ox_count(const struct ox_shape *shape); /* of a shape that passed ox_elements; others give 0 */
uint64_t ox_product(const struct ox_shape *shape, uint32_t first, uint32_t end); /* of dims [first, end) */
const struct ox_attribute *ox_attribute(const struct ox *ox, const char *name);
int64_t ox_int(const struct ox *ox, const char *name, int64_t fallback);
double ox_float(const struct ox *ox, const char *name, double fallback);
/* Ints of an attribute into out[most]; the number of them, -1 after an error, 0 when absent. */
int ox_ints(struct ox *ox, const char *name, int64_t *out, int most);
/* Floats of an attribute into out[most]; how many, at most that. */
int ox_floats(const struct ox *ox, const char *name, double *out, int most);
bool ox_string_is(const struct ox *ox, const char *name, const char *text);

/* ---- inputs and outputs of the node at hand ---- */
struct ox_value *ox_in(const struct ox *ox, uint32_t index); /* NULL when left out */
/* An input that must be there with a shape; NULL after reporting. */
struct ox_value *ox_need(struct ox *ox, uint32_t index);
/* Axis attribute or number made non-negative; false after reporting. */
bool ox_axis(struct ox *ox, int64_t axis, uint32_t rank, uint32_t *out);
/* Set an output's shape and type; NULL when the node has no such output or after an error. */
struct ox_value *ox_result(struct ox *ox, uint32_t index, const struct ox_shape *shape, int type);
/* Several fixed rows of a learnt table (positions): they are looked up when the model runs, and the whole table is
 * parameters, so the result is no constant although all inputs are. */
bool ox_looks_up(const struct ox_value *table, const struct ox_value *index, uint32_t axis);
/* Output 0 is the same bytes as a value: no layer. */
bool ox_alias(struct ox *ox, struct ox_value *of, const struct ox_shape *shape, int type);
/* numpy broadcasting; false after reporting */
bool ox_broadcast(struct ox *ox, const struct ox_shape *a, const struct ox_shape *b, struct ox_shape *out);

/* Whether the parameters of a weight were counted, also where it is another form of one that was. */
static inline bool ox_counted(const struct ox_value *value)
{
    return value->counted || (value->origin != NULL && value->origin->counted);
}
/* The parameters of a weight count with its first use only. */
static inline void ox_mark_counted(struct ox_value *value)
{
    value->counted = value->counted || value->weight;
    if (value->weight && value->origin != NULL) {
        value->origin->counted = true;
    }
}

/* Type of what is computed from a value. */
static inline int ox_type(const struct ox_value *value)
{
    return value->dequantized ? OX_FLOAT : value->type;
}
/* ---- sliding windows of convolutions and pools: onnx_window.c ---- */
struct ox_window {
    uint32_t dims; /* 1 to 3 spatial dimensions */
    uint64_t in[3], filter[3], stride[3], dilation[3], before[3], behind[3], out[3];
};
/* From the input's shape (batch, channels, spatial...) and the attributes; filter NULL = attribute kernel_shape. */
bool ox_read_window(struct ox *ox, const struct ox_shape *x, const uint64_t *filter, struct ox_window *window);
struct ox_shape ox_window_shape(const struct ox_window *window, uint64_t batch, uint64_t channels);

/* ---- layers (nothing happens while silent) ---- */
void ox_layer(struct ox *ox, struct sy_layer *layer, enum sy_op op);
/* Tensor descriptor of a value; a weight that was counted before is not a weight of this layer's parameters. */
struct sy_tensor ox_tensor(const struct ox *ox, const struct ox_value *value);
enum sy_dtype ox_dtype(const struct ox *ox, const struct ox_value *value);
/* Of partial sums of products with a value. */
enum sy_dtype ox_accumulator(const struct ox *ox, const struct ox_value *a);
/* Check and append; out is the value it makes. fusable: functions may be fused behind it. */
bool ox_emit(struct ox *ox, struct sy_layer *layer, struct ox_value *out, bool fusable);
/* A function over elements: fused behind the producer of `a` or `b` where that is possible, else its own layer. b may
 * be NULL. */
bool ox_function(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b,
                 struct ox_value *out);
/* The same as a layer of its own whose operand b is learnt even when it is one number: a slope, a bias. */
bool ox_learnt(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b, struct ox_value *out);
bool ox_norm(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t rows, uint64_t cols,
             enum sy_norm_kind kind, enum sy_affine affine);
bool ox_reduce(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t rows, uint64_t cols,
               enum sy_function function);
bool ox_move(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t elements);
/* The inputs beside each other: the shape, and the first input (NULL after reporting); then their copies, up to four a
 * layer, to a value. usual: the axis when no attribute says it. */
struct ox_value *ox_concat_shape(struct ox *ox, int64_t usual, struct ox_shape *shape);
bool ox_concat(struct ox *ox, struct ox_value *out);
/* g products of a (m x k) and b (k x n) into out; bias: a vector of n that is fused, or NULL. */
struct ox_product {
    uint64_t g, m, k, n;
    bool shared_b;
};
bool ox_gemm(struct ox *ox, const struct ox_product *p, struct ox_value *a, struct ox_value *b, struct ox_value *bias,
             struct ox_value *out);
/* A value between two layers of one node; elements in one dimension. */
struct ox_value *ox_between(struct ox *ox, const char *suffix, uint64_t elements, int type);

/* ---- onnx_fold.c ---- */
/* Compute output 0 when all inputs have data and the operator is known; otherwise nothing. */
bool ox_fold(struct ox *ox);
/* Numbers of a constant input as integers; -1 (nothing reported) when there is no data, else how many. */
int ox_data_ints(const struct ox_value *value, int64_t *out, int most);

/* Start and step of each dimension that a Slice takes, and the shape that is left; false after reporting. */
struct ox_slice {
    int64_t start[OX_MOST_RANK], step[OX_MOST_RANK];
    struct ox_shape shape;
};
bool ox_plan_slice(struct ox *ox, const struct ox_value *from, struct ox_slice *slice);

/* ---- the table ---- */
struct ox_operator {
    const char *name;
    bool (*handle)(struct ox *ox, int argument);
    int argument;
};
extern const struct ox_operator ox_matrix_operators[], ox_vector_operators[], ox_move_operators[],
    ox_fused_operators[]; /* each ends with a NULL name */
bool ox_dispatch(struct ox *ox);

#endif
