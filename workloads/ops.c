/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator table: names, ranges, defaults and one line of documentation a
 * dimension. Trace syntax, range checks, importers and docs read it; adding an
 * operator or a dimension starts here.
 *
 * Ranges: a spatial size, stride, padding or dilation is below 2^30, so that
 * input coordinates (stride x position + dilation x tap) stay inside int64_t.
 * Everything else is at most 2^44, so that sums of a few never wrap; products
 * are checked.
 */
#include <string.h>

#include "workloads/layer.h"

#define SPATIAL_MAX (UINT64_C(1) << 30)
#define COUNT_MAX (UINT64_C(1) << 44)

const struct sy_function_info sy_functions[SY_FUNCTION_COUNT] = {
#define ROW(id, text, simple_count, transcendental_count, input_count, param_count)                                    \
    [SY_FN_##id] = {.name = (text),                                                                                    \
                    .simple = (simple_count),                                                                          \
                    .transcendental = (transcendental_count),                                                          \
                    .inputs = (input_count),                                                                           \
                    .params = (param_count)},
    SY_FUNCTION_MAP(ROW)
#undef ROW
};

static const char *const function_names[] = {
#define NAME(id, text, simple, transcendental, inputs, params) text,
    SY_FUNCTION_MAP(NAME)
#undef NAME
        NULL};

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const pool_kinds[] = {"max", "average", NULL};
static const char *const norm_kinds[] = {"layer", "rms", "batch", NULL};
static const char *const affine_kinds[] = {"usual", "none", "scale", "scale_bias", NULL};
static const char *const collective_kinds[] = {"all_reduce", "all_gather", "reduce_scatter",
                                               "all_to_all", "broadcast",  NULL};

static const char *const inputs_ab[] = {"a", "b", NULL};
static const char *const inputs_a[] = {"a", NULL};
static const char *const inputs_abc[] = {"a", "b", "c", NULL};
static const char *const inputs_abcd[] = {"a", "b", "c", "d", NULL};
static const char *const inputs_qkv[] = {"q", "k", "v", NULL};

#define AT(field) offsetof(struct sy_layer, dim.field)
/* A dimension that must be given, at least 1. */
#define NEED(key, field, most, text)                                                                                   \
    {                                                                                                                  \
        .name = (key), .offset = AT(field), .minimum = 1, .maximum = (most), .required = true, .doc = (text)           \
    }
/* A dimension with a default. */
#define MAY(key, field, least, most, otherwise, text)                                                                  \
    {                                                                                                                  \
        .name = (key), .offset = AT(field), .minimum = (least), .maximum = (most), .default_value = (otherwise),       \
        .doc = (text)                                                                                                  \
    }
/* One of a list of words; the value is its position. */
#define WORD(key, field, list, count, must, otherwise, text)                                                           \
    {                                                                                                                  \
        .name = (key), .offset = AT(field), .maximum = (count)-1, .required = (must), .default_value = (otherwise),    \
        .names = (list), .doc = (text)                                                                                 \
    }
#define FLAG(key, field, text) WORD(key, field, no_yes, 2, false, 0, text)

const struct sy_op_info sy_ops[SY_OP_COUNT] = {
    [SY_OP_GEMM] = {.name = "gemm",
                    .doc = "matrix product C[g] (m x n) = A[g] (m x k) * B[g] (k x n), g independent products",
                    .dims = 7,
                    .dim = {MAY("g", gemm.g, 1, COUNT_MAX, 1, "independent products"),
                            NEED("m", gemm.m, COUNT_MAX, "rows of A and C"),
                            NEED("k", gemm.k, COUNT_MAX, "columns of A, rows of B"),
                            NEED("n", gemm.n, COUNT_MAX, "columns of B and C"),
                            FLAG("shared_b", gemm.shared_b, "all g products use the same B"),
                            MAY("experts", gemm.experts, 0, COUNT_MAX, 0,
                                "B matrices stored, of which g are used (mixture of experts); 0 = g"),
                            FLAG("tied", gemm.tied, "the parameters of B are counted by another record")},
                    .min_inputs = 2,
                    .max_inputs = 2,
                    .input_names = inputs_ab,
                    .has_weights = true},
    [SY_OP_CONV] = {.name = "conv",
                    .doc = "2-D convolution, NHWC input, filters (fh, fw, c / groups, n); 1-D has h = fh = 1",
                    .dims = 19,
                    .dim = {MAY("batch", conv.b, 1, COUNT_MAX, 1, "images"),
                            NEED("h", conv.h, SPATIAL_MAX, "input height"),
                            NEED("w", conv.w, SPATIAL_MAX, "input width"),
                            NEED("c", conv.c, COUNT_MAX, "input channels, all groups together"),
                            NEED("n", conv.n, COUNT_MAX, "filters = output channels, all groups together"),
                            NEED("fh", conv.fh, SPATIAL_MAX, "filter height"),
                            NEED("fw", conv.fw, SPATIAL_MAX, "filter width"),
                            MAY("sh", conv.sh, 1, SPATIAL_MAX, 1, "vertical stride"),
                            MAY("sw", conv.sw, 1, SPATIAL_MAX, 1, "horizontal stride"),
                            MAY("pt", conv.pt, 0, SPATIAL_MAX, 0, "padding above"),
                            MAY("pb", conv.pb, 0, SPATIAL_MAX, 0, "padding below"),
                            MAY("pl", conv.pl, 0, SPATIAL_MAX, 0, "padding left"),
                            MAY("pr", conv.pr, 0, SPATIAL_MAX, 0, "padding right"),
                            MAY("dh", conv.dh, 1, SPATIAL_MAX, 1, "vertical dilation"),
                            MAY("dw", conv.dw, 1, SPATIAL_MAX, 1, "horizontal dilation"),
                            MAY("groups", conv.groups, 1, COUNT_MAX, 1, "groups; = c for a depthwise convolution"),
                            MAY("oh", conv.oh, 0, SPATIAL_MAX, 0, "output height; 0 = floor formula"),
                            MAY("ow", conv.ow, 0, SPATIAL_MAX, 0, "output width; 0 = floor formula"),
                            FLAG("tied", conv.tied, "the parameters of B are counted by another record")},
                    .min_inputs = 2,
                    .max_inputs = 2,
                    .input_names = inputs_ab,
                    .has_weights = true},
    [SY_OP_POOL] = {.name = "pool",
                    .doc = "2-D pooling over NHWC",
                    .dims = 14,
                    .dim = {MAY("batch", pool.b, 1, COUNT_MAX, 1, "images"),
                            NEED("h", pool.h, SPATIAL_MAX, "input height"),
                            NEED("w", pool.w, SPATIAL_MAX, "input width"), NEED("c", pool.c, COUNT_MAX, "channels"),
                            NEED("fh", pool.fh, SPATIAL_MAX, "window height"),
                            NEED("fw", pool.fw, SPATIAL_MAX, "window width"),
                            MAY("sh", pool.sh, 1, SPATIAL_MAX, 1, "vertical stride"),
                            MAY("sw", pool.sw, 1, SPATIAL_MAX, 1, "horizontal stride"),
                            MAY("pt", pool.pt, 0, SPATIAL_MAX, 0, "padding above"),
                            MAY("pb", pool.pb, 0, SPATIAL_MAX, 0, "padding below"),
                            MAY("pl", pool.pl, 0, SPATIAL_MAX, 0, "padding left"),
                            MAY("pr", pool.pr, 0, SPATIAL_MAX, 0, "padding right"),
                            WORD("kind", pool.average, pool_kinds, 2, false, 0, "what is taken of a window"),
                            FLAG("ceil", pool.ceil_mode, "the output size rounds up")},
                    .min_inputs = 1,
                    .max_inputs = 1,
                    .input_names = inputs_a},
    [SY_OP_ELEMENTWISE] = {.name = "elementwise",
                           .doc = "one function over the elements of up to three tensors",
                           .dims = 5,
                           .dim = {NEED("elements", elementwise.elements, COUNT_MAX, "elements of the output"),
                                   WORD("function", elementwise.function, function_names, SY_FUNCTION_COUNT, true, 0,
                                        "what is computed"),
                                   MAY("a_elements", elementwise.operand[0], 0, COUNT_MAX, 0,
                                       "elements of a where it is broadcast; 0 = elements"),
                                   MAY("b_elements", elementwise.operand[1], 0, COUNT_MAX, 0,
                                       "elements of b where it is broadcast; 0 = elements"),
                                   MAY("c_elements", elementwise.operand[2], 0, COUNT_MAX, 0,
                                       "elements of c where it is broadcast; 0 = elements")},
                           .min_inputs = 1,
                           .max_inputs = 3,
                           .input_names = inputs_abc},
    [SY_OP_SOFTMAX] = {.name = "softmax",
                       .doc = "softmax of each row",
                       .dims = 2,
                       .dim = {NEED("rows", rows.rows, COUNT_MAX, "independent rows"),
                               NEED("cols", rows.cols, COUNT_MAX, "elements of a row")},
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .input_names = inputs_a},
    [SY_OP_NORM] = {.name = "norm",
                    .doc = "layer, RMS or batch (inference) normalization",
                    .dims = 4,
                    .dim = {NEED("rows", rows.rows, COUNT_MAX, "independent rows; batch: elements a channel"),
                            NEED("cols", rows.cols, COUNT_MAX, "elements of a row; batch: channels"),
                            WORD("kind", rows.kind, norm_kinds, 3, false, 0, "statistics"),
                            WORD("affine", rows.affine, affine_kinds, 4, false, 0,
                                 "parameters a column; usual = scale and bias, rms: scale")},
                    .min_inputs = 1,
                    .max_inputs = 1,
                    .input_names = inputs_a},
    [SY_OP_REDUCE] = {.name = "reduce",
                      .doc = "one value a row",
                      .dims = 4,
                      .dim = {NEED("rows", rows.rows, COUNT_MAX, "rows"),
                              NEED("cols", rows.cols, COUNT_MAX, "elements of a row"),
                              WORD("function", rows.kind, function_names, SY_FUNCTION_COUNT, false, SY_FN_SUM,
                                   "sum, mean, max, min or mul"),
                              MAY("a_elements", rows.operand, 0, COUNT_MAX, 0,
                                  "elements of a where rows overlap; 0 = rows x cols")},
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .input_names = inputs_a},
    [SY_OP_GATHER] = {.name = "gather",
                      .doc = "rows of a table picked by index (embedding); a = indices, b = table",
                      .dims = 3,
                      .dim = {NEED("rows", gather.rows, COUNT_MAX, "rows picked"),
                              NEED("cols", gather.cols, COUNT_MAX, "elements of a row"),
                              NEED("table_rows", gather.table_rows, COUNT_MAX, "rows of the table")},
                      .min_inputs = 2,
                      .max_inputs = 2,
                      .input_names = inputs_ab,
                      .has_weights = true},
    [SY_OP_MOVE] = {.name = "move",
                    .doc = "bytes rearranged: transpose, concatenation, padding, KV-cache append",
                    .dims = 5,
                    .dim = {NEED("elements", move.elements, COUNT_MAX, "elements of the output"),
                            MAY("a_elements", move.operand[0], 0, COUNT_MAX, 0, "taken from a; 0 = an equal share"),
                            MAY("b_elements", move.operand[1], 0, COUNT_MAX, 0, "taken from b; 0 = an equal share"),
                            MAY("c_elements", move.operand[2], 0, COUNT_MAX, 0, "taken from c; 0 = an equal share"),
                            MAY("d_elements", move.operand[3], 0, COUNT_MAX, 0, "taken from d; 0 = an equal share")},
                    .min_inputs = 1,
                    .max_inputs = 4,
                    .input_names = inputs_abcd},
    [SY_OP_ATTENTION] = {.name = "attention",
                         .doc = "softmax(Q K^T) V over a key-value cache; query heads share kv_heads",
                         .dims = 11,
                         .dim = {MAY("batch", attention.b, 1, COUNT_MAX, 1, "sequences"),
                                 NEED("heads", attention.heads, COUNT_MAX, "query heads"),
                                 NEED("kv_heads", attention.kv_heads, COUNT_MAX, "key-value heads, divides heads"),
                                 NEED("q_len", attention.q_len, SPATIAL_MAX, "queries a sequence"),
                                 NEED("kv_len", attention.kv_len, SPATIAL_MAX, "keys a sequence"),
                                 NEED("head_dim", attention.head_dim, COUNT_MAX, "elements of a query and key"),
                                 NEED("value_dim", attention.value_dim, COUNT_MAX, "elements of a value"),
                                 FLAG("causal", attention.causal, "query i sees keys up to kv_len - q_len + i"),
                                 MAY("window", attention.window, 0, SPATIAL_MAX, 0, "sliding window in keys; 0 = none"),
                                 FLAG("v_in_k", attention.v_in_k, "values are the first value_dim columns of the keys"),
                                 MAY("kv_page", attention.kv_page, 0, SPATIAL_MAX, 0,
                                     "tokens a page of the KV cache; 0 = one piece a sequence")},
                         .min_inputs = 3,
                         .max_inputs = 3,
                         .input_names = inputs_qkv},
    [SY_OP_COLLECTIVE] = {.name = "collective",
                          .doc = "communication between chips",
                          .dims = 3,
                          .dim = {NEED("elements", collective.elements, COUNT_MAX, "elements a rank contributes"),
                                  NEED("ranks", collective.ranks, COUNT_MAX, "chips that take part"),
                                  WORD("kind", collective.kind, collective_kinds, 5, false, 0, "pattern")},
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .input_names = inputs_a},
};

bool sy_function_parse(const char *name, enum sy_function *function)
{
    for (int i = 0; i < SY_FUNCTION_COUNT; i++) {
        if (strcmp(name, sy_functions[i].name) == 0) {
            *function = (enum sy_function)i;
            return true;
        }
    }
    return false;
}

void sy_layer_init(struct sy_layer *layer, enum sy_op op)
{
    const struct sy_op_info *info = &sy_ops[op];
    memset(layer, 0, sizeof *layer);
    layer->op = op;
    for (uint32_t i = 0; i < info->dims; i++) {
        memcpy((char *)layer + info->dim[i].offset, &info->dim[i].default_value, sizeof(uint64_t));
    }
    layer->inputs = info->min_inputs;
    for (uint32_t i = 0; i < SY_MAX_INPUTS; i++) {
        layer->in[i].dtype = SY_INT8;
    }
    layer->out.dtype = SY_INT8;
    layer->accumulator = SY_INT32;
    if (info->has_weights) {
        layer->in[1].flags = SY_TENSOR_WEIGHT;
    }
    if (op == SY_OP_GATHER) {
        layer->in[0].dtype = SY_INT32; /* indices */
    }
}
