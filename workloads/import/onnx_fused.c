/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention and other operators that stand for several: those of the domain
 * com.microsoft (ONNX Runtime's contributed operators) and the attention of
 * opset 23. Input numbers are those of their public schemas.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/import/onnx.h"

/* ---- attention ---- */

struct heads {
    uint64_t batch, queries, keys, heads, kv_heads, head_dim, value_dim;
    bool causal;
    uint64_t window;
};

static bool emit_attention(struct ox *ox, const struct heads *h, struct ox_value *q, struct ox_value *k,
                           struct ox_value *v, struct ox_value *out)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_ATTENTION);
    layer.dim.attention = (struct sy_attention_dims){.b = h->batch,
                                                     .heads = h->heads,
                                                     .kv_heads = h->kv_heads,
                                                     .q_len = h->queries,
                                                     .kv_len = h->keys,
                                                     .head_dim = h->head_dim,
                                                     .value_dim = h->value_dim,
                                                     .causal = h->causal && h->keys >= h->queries,
                                                     .window = h->window};
    struct ox_value *in[3] = {q, k, v};
    for (int i = 0; i < 3; i++) {
        layer.in[i] = ox_tensor(ox, in[i]);
        layer.in[i].flags = 0;
    }
    layer.accumulator = sy_import_accumulator(ox->options, ox_dtype(ox, q));
    return ox_emit(ox, &layer, out, false);
}

/* A tensor as (batch, tokens, width), also when it comes as (batch, heads, tokens, dim). */
struct tokens {
    uint64_t batch, count, width;
};

static bool read_tokens(struct ox *ox, const struct ox_value *value, struct tokens *t)
{
    const uint64_t *d = value->shape.dim;
    if (value->shape.rank == 3) {
        *t = (struct tokens){d[0], d[1], d[2]};
    } else if (value->shape.rank == 4) {
        *t = (struct tokens){d[0], d[2], d[1] * d[3]};
    } else {
        return ox_fail(ox, NULL, "input '%s' has %" PRIu32 " dimensions, expected 3 or 4", value->name,
                       value->shape.rank);
    }
    return true;
}

static uint64_t positive(const struct ox *ox, const char *name, uint64_t fallback)
{
    int64_t value = ox_int(ox, name, 0);
    return value >= 1 && value < (1 << 24) ? (uint64_t)value : fallback;
}

static bool check_heads(struct ox *ox, const struct heads *h, uint64_t q_width, uint64_t kv_width)
{
    if (h->heads == 0 || h->kv_heads == 0 || q_width % h->heads != 0 || kv_width % h->kv_heads != 0) {
        return ox_fail(ox, NULL, "%" PRIu64 " query heads over %" PRIu64 " and %" PRIu64 " key heads over %" PRIu64,
                       h->heads, q_width, h->kv_heads, kv_width);
    }
    return true;
}

/* Projections of the input by one weight matrix, then attention: com.microsoft Attention(input, weights, bias, mask,
 * past ...). */
static bool packed_attention(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *w = ox_need(ox, 1), *bias = ox_in(ox, 2), *past = ox_in(ox, 4);
    struct heads h = {.heads = positive(ox, "num_heads", 0), .causal = ox_int(ox, "unidirectional", 0) != 0};
    if (in == NULL || w == NULL) {
        return false;
    }
    if (in->shape.rank != 3 || w->shape.rank != 2 || w->shape.dim[0] != in->shape.dim[2] || w->shape.dim[1] % 3 != 0) {
        return ox_fail(ox, NULL, "the input is not (batch, tokens, width) or the weights not width x 3 width");
    }
    uint64_t width = w->shape.dim[1] / 3;
    h.kv_heads = h.heads;
    if (!check_heads(ox, &h, width, width)) {
        return false;
    }
    h.batch = in->shape.dim[0];
    h.queries = in->shape.dim[1];
    h.keys = h.queries + (past != NULL && past->known && past->shape.rank == 5 ? past->shape.dim[3] : 0);
    h.head_dim = h.value_dim = width / h.heads;
    struct ox_shape shape = {.rank = 3, .dim = {h.batch, h.queries, width}};
    struct ox_shape present = {.rank = 5, .dim = {2, h.batch, h.heads, h.keys, h.head_dim}};
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(in));
    struct ox_value *qkv = ox_between(ox, ".qkv", h.batch * h.queries * 3 * width, ox_type(in));
    (void)ox_result(ox, 1, &present, ox_type(in));
    struct ox_product p = {.g = 1, .m = h.batch * h.queries, .k = in->shape.dim[2], .n = 3 * width};
    if (out == NULL || qkv == NULL || !ox_gemm(ox, &p, in, w, bias, qkv)) {
        return ox->status == SY_OK;
    }
    return emit_attention(ox, &h, qkv, qkv, qkv, out);
}

/* Where query, key, value, past key and the names of the head counts are. */
struct split_layout {
    const char *heads, *kv_heads, *causal;
    uint32_t past;
    bool packs;
};
static const struct split_layout layouts[] = {
    {"num_heads", "num_heads", "unidirectional", 6, false}, /* com.microsoft MultiHeadAttention */
    {"num_heads", "kv_num_heads", NULL, 3, true},           /* com.microsoft GroupQueryAttention, always causal */
    {"q_num_heads", "kv_num_heads", "is_causal", 4, false}, /* Attention of opset 23 */
};

static bool find_heads(struct ox *ox, const struct split_layout *layout, const struct ox_value *q,
                       const struct ox_value *k, struct heads *h)
{
    h->heads = positive(ox, layout->heads, q->shape.rank == 4 ? q->shape.dim[1] : 0);
    h->kv_heads = positive(ox, layout->kv_heads, k != NULL && k->shape.rank == 4 ? k->shape.dim[1] : h->heads);
    h->causal = layout->causal == NULL || ox_int(ox, layout->causal, 0) != 0;
    int64_t window = layout->packs ? ox_int(ox, "local_window_size", -1) : -1;
    h->window = window > 0 ? (uint64_t)window : 0;
    return h->heads > 0 || ox_fail(ox, NULL, "attribute %s is missing", layout->heads);
}

static bool split_results(struct ox *ox, const struct heads *h, const struct ox_value *q, struct ox_value **out)
{
    struct ox_shape shape = q->shape;
    struct ox_shape keys = {.rank = 4, .dim = {h->batch, h->kv_heads, h->keys, h->head_dim}};
    struct ox_shape values = {.rank = 4, .dim = {h->batch, h->kv_heads, h->keys, h->value_dim}};
    shape.dim[shape.rank - 1] = shape.rank == 4 ? h->value_dim : h->heads * h->value_dim;
    *out = ox_result(ox, 0, &shape, ox_type(q));
    (void)ox_result(ox, 1, &keys, ox_type(q));
    (void)ox_result(ox, 2, &values, ox_type(q));
    return *out != NULL;
}

/* Token counts and widths of the three operands, which may be packed in the first. */
static bool read_operands(struct ox *ox, const struct split_layout *layout, const struct heads *h, struct ox_value **in,
                          struct tokens *t)
{
    if (!read_tokens(ox, in[0], &t[0])) {
        return false;
    }
    if (in[1] == NULL && in[2] == NULL && layout->packs) {
        uint64_t each = t[0].width / (h->heads + 2 * h->kv_heads);
        t[1] = t[2] = (struct tokens){t[0].batch, t[0].count, each * h->kv_heads};
        t[0].width = each * h->heads;
        in[1] = in[2] = in[0];
        return true;
    }
    return ox_need(ox, 1) != NULL && ox_need(ox, 2) != NULL && read_tokens(ox, in[1], &t[1]) &&
           read_tokens(ox, in[2], &t[2]);
}

/* argument: index into layouts */
static bool split_attention(struct ox *ox, int argument)
{
    const struct split_layout *layout = &layouts[argument];
    struct ox_value *in[3] = {ox_need(ox, 0), ox_in(ox, 1), ox_in(ox, 2)}, *past = ox_in(ox, layout->past), *out;
    struct heads h = {.heads = 0};
    struct tokens t[3] = {{0, 0, 0}};
    if (in[0] == NULL || !find_heads(ox, layout, in[0], in[1], &h) || !read_operands(ox, layout, &h, in, t) ||
        !check_heads(ox, &h, t[0].width, t[1].width) || !check_heads(ox, &h, t[0].width, t[2].width)) {
        return false;
    }
    h.batch = t[0].batch;
    h.queries = t[0].count;
    h.keys = t[1].count + (past != NULL && past->known && past->shape.rank == 4 ? past->shape.dim[2] : 0);
    h.head_dim = t[0].width / h.heads;
    h.value_dim = t[2].width / h.kv_heads;
    return split_results(ox, &h, in[0], &out) ? emit_attention(ox, &h, in[0], in[1], in[2], out) : ox->status == SY_OK;
}

/* ---- norms with additions ---- */

static const enum sy_affine skip_affine[] = {SY_AFFINE_SCALE, SY_AFFINE_SCALE_BIAS};

/* input + skip (+ bias), then the norm. argument: enum sy_norm_kind. Inputs: input, skip, gamma, beta, bias. */
static bool skip_norm(struct ox *ox, int kind)
{
    struct ox_value *in = ox_need(ox, 0), *skip = ox_need(ox, 1);
    if (in == NULL || skip == NULL || in->shape.rank == 0 || in->shape.dim[in->shape.rank - 1] == 0) {
        return false;
    }
    bool layer = kind == SY_NORM_LAYER, beta = layer && ox_in(ox, 3) != NULL;
    struct ox_value *bias = ox_in(ox, layer ? 4 : 3);
    uint64_t cols = in->shape.dim[in->shape.rank - 1], elements = ox_count(&in->shape);
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in)), *sum = ox_result(ox, 3, &in->shape, ox_type(in));
    struct ox_value *first = bias != NULL ? ox_between(ox, ".biased", elements, ox_type(in)) : in;
    sum = sum != NULL ? sum : ox_between(ox, ".sum", elements, ox_type(in));
    if (out == NULL || sum == NULL || first == NULL) {
        return ox->status == SY_OK;
    }
    first->shape = in->shape;
    return (bias == NULL || ox_function(ox, SY_FN_ADD, in, bias, first)) &&
           ox_function(ox, SY_FN_ADD, first, skip, sum) &&
           ox_norm(ox, sum, out, elements / cols, cols, (enum sy_norm_kind)kind, skip_affine[beta]);
}

/* One embedding of EmbedLayerNormalization: rows of a table. */
static bool embed(struct ox *ox, struct ox_value *index, struct ox_value *table, uint64_t rows, struct ox_value *out)
{
    struct sy_layer layer;
    if (table->shape.rank != 2) {
        return ox_fail(ox, NULL, "table '%s' does not have 2 dimensions", table->name);
    }
    ox_layer(ox, &layer, SY_OP_GATHER);
    layer.dim.gather =
        (struct sy_gather_dims){.rows = rows, .cols = table->shape.dim[1], .table_rows = table->shape.dim[0]};
    layer.in[0] = ox_tensor(ox, index);
    layer.in[0].flags = 0;
    layer.in[1] = ox_tensor(ox, table);
    if (!ox->silent) {
        ox_mark_counted(table);
    }
    return ox_emit(ox, &layer, out, false);
}

/* Rows of one more table added to the sum so far; *sum moves on. */
static bool embed_more(struct ox *ox, const char *suffix, struct ox_value *index, struct ox_value *table, uint64_t rows,
                       struct ox_value **sum)
{
    if (table == NULL || !table->known || table->shape.rank != 2) {
        return true;
    }
    uint64_t elements = ox_count(&(*sum)->shape);
    struct ox_value *more = ox_between(ox, suffix, elements, (*sum)->type);
    struct ox_value *next = ox_between(ox, ".sum", elements, (*sum)->type);
    if (more == NULL || next == NULL || !embed(ox, index, table, rows, more) ||
        !ox_function(ox, SY_FN_ADD, *sum, more, next)) {
        return false;
    }
    *sum = next;
    return true;
}

/* Inputs: ids, segments, word table, position table, segment table, gamma, beta. */
static bool embed_norm(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *ids = ox_need(ox, 0), *segments = ox_in(ox, 1), *words = ox_need(ox, 2);
    if (ids == NULL || words == NULL) {
        return false;
    }
    if (words->shape.rank != 2 || ids->shape.rank != 2 || words->shape.dim[1] == 0) {
        return ox_fail(ox, NULL, "the ids or the word table do not have 2 dimensions");
    }
    uint64_t rows = ox_count(&ids->shape), width = words->shape.dim[1];
    struct ox_shape shape = {.rank = 3, .dim = {ids->shape.dim[0], ids->shape.dim[1], width}};
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(words));
    struct ox_value *sum = ox_between(ox, ".words", ox_count(&shape), ox_type(words));
    if (out == NULL || sum == NULL || !embed(ox, ids, words, rows, sum)) {
        return ox->status == SY_OK;
    }
    return embed_more(ox, ".position", ids, ox_in(ox, 3), rows, &sum) &&
           embed_more(ox, ".segment", segments != NULL ? segments : ids, ox_in(ox, 4), rows, &sum) &&
           ox_norm(ox, sum, out, rows, width, SY_NORM_LAYER, SY_AFFINE_SCALE_BIAS);
}

/* ---- functions with a bias ---- */

static bool biased_function(struct ox *ox, int function)
{
    struct ox_value *in = ox_need(ox, 0), *bias = ox_in(ox, 1);
    struct ox_value *out = in != NULL ? ox_result(ox, 0, &in->shape, ox_type(in)) : NULL;
    if (out == NULL) {
        return ox->status == SY_OK && in != NULL;
    }
    if (bias == NULL) {
        return ox_function(ox, (enum sy_function)function, in, NULL, out);
    }
    struct ox_value *biased = ox_between(ox, ".biased", ox_count(&in->shape), ox_type(in));
    if (biased == NULL) {
        return false;
    }
    biased->shape = in->shape;
    return ox_function(ox, SY_FN_ADD, in, bias, biased) &&
           ox_function(ox, (enum sy_function)function, biased, NULL, out);
}

/* Inputs: x and the tables of cosines and sines; argument: where the cosines are. Of a table of all positions the rows
 * of the tokens are read: (positions, angles) once for all sequences, or (batch, tokens, angles). */
static bool rotary(struct ox *ox, int argument)
{
    struct ox_value *in = ox_need(ox, 0), *cosines = ox_need(ox, (uint32_t)argument);
    struct tokens t;
    struct ox_value *out = in != NULL && cosines != NULL ? ox_result(ox, 0, &in->shape, ox_type(in)) : NULL;
    if (out == NULL || ox_count(&in->shape) == 0) {
        return ox->status == SY_OK;
    }
    if (!read_tokens(ox, in, &t) || cosines->shape.rank < 2) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "the cosines '%s' are no table", cosines->name);
    }
    struct sy_layer layer;
    uint64_t elements = ox_count(&in->shape), rows = cosines->shape.rank > 2 ? t.batch * t.count : t.count;
    uint64_t angles = sy_min(rows * cosines->shape.dim[cosines->shape.rank - 1], ox_count(&cosines->shape));
    ox_layer(ox, &layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise = (struct sy_elementwise_dims){
        .elements = elements, .function = SY_FN_ROTARY, .operand = {0, angles < elements ? angles : 0, 0}};
    layer.inputs = 2;
    layer.in[0] = ox_tensor(ox, in);
    layer.in[1] = ox_tensor(ox, cosines);
    layer.in[0].flags = layer.in[1].flags = 0;
    return ox_emit(ox, &layer, out, false);
}

/* a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero */
static bool quantized_binary(struct ox *ox, int function)
{
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, 3);
    struct ox_shape shape;
    if (a == NULL || b == NULL || !ox_broadcast(ox, &a->shape, &b->shape, &shape)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, a->type);
    struct ox_value *wide = ox_between(ox, ".wide", ox_count(&shape), OX_INT32);
    if (out == NULL || wide == NULL) {
        return ox->status == SY_OK;
    }
    return ox_function(ox, (enum sy_function)function, a, b, wide) && ox_function(ox, SY_FN_REQUANT, wide, NULL, out);
}

/* scale and zero of the result, then value, scale and zero of each part: the parts beside each other, and brought to
 * one scale unless all have the result's already. */
static bool quantized_concat(struct ox *ox, int argument)
{
    struct ox_node *node = &ox->node;
    const struct ox_value *scale = ox_in(ox, 0), *zero = ox_in(ox, 1);
    uint32_t parts = node->inputs < 2 ? 0 : (node->inputs - 2) / 3;
    bool same = true;
    (void)argument;
    if (parts == 0 || node->inputs != 2 + 3 * parts) {
        return ox_fail(ox, NULL, "%" PRIu32 " inputs are not scale and zero, and three for each part", node->inputs);
    }
    for (uint32_t i = 0; i < parts; i++) {
        same = same && node->in[3 + 3 * i] == scale && node->in[4 + 3 * i] == zero;
        node->in[i] = node->in[2 + 3 * i];
    }
    node->inputs = parts;
    struct ox_shape shape;
    struct ox_value *first = ox_concat_shape(ox, 1, &shape);
    struct ox_value *out = first != NULL ? ox_result(ox, 0, &shape, first->type) : NULL;
    if (out == NULL || same) {
        return out == NULL ? ox->status == SY_OK : ox_concat(ox, out);
    }
    struct ox_value *mixed = ox_between(ox, ".mixed", ox_count(&shape), first->type);
    return mixed != NULL && ox_concat(ox, mixed) && ox_function(ox, SY_FN_REQUANT, mixed, NULL, out);
}

const struct ox_operator ox_fused_operators[] = {
    {"com.microsoft:Attention", packed_attention, 0},
    {"com.microsoft:MultiHeadAttention", split_attention, 0},
    {"com.microsoft:GroupQueryAttention", split_attention, 1},
    {"Attention", split_attention, 2},
    {"com.microsoft:SkipLayerNormalization", skip_norm, SY_NORM_LAYER},
    {"com.microsoft:SkipSimplifiedLayerNormalization", skip_norm, SY_NORM_RMS},
    {"com.microsoft:EmbedLayerNormalization", embed_norm, 0},
    {"com.microsoft:BiasGelu", biased_function, SY_FN_GELU},
    {"com.microsoft:FastGelu", biased_function, SY_FN_GELU},
    {"com.microsoft:RotaryEmbedding", rotary, 2},
    {"RotaryEmbedding", rotary, 1},
    {"com.microsoft:QLinearConcat", quantized_concat, 0},
    {"com.microsoft:QLinearAdd", quantized_binary, SY_FN_ADD},
    {"com.microsoft:QLinearMul", quantized_binary, SY_FN_MUL},
    {NULL, NULL, 0}};
