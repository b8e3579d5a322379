/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/layer.h"

#include "sim/base/checked.h"
#include "workloads/figures.h"
#include "workloads/sequences.h"

uint64_t sy_window_count(uint64_t size, uint64_t before, uint64_t after, uint64_t filter, uint64_t stride,
                         uint64_t dilation, bool ceil_mode)
{
    uint64_t padded = size + before + after;
    uint64_t extent = dilation * (filter - 1) + 1;
    if (extent > padded) {
        return 0;
    }
    uint64_t span = padded - extent;
    if (!ceil_mode) {
        return span / stride + 1;
    }
    uint64_t count = sy_ceil_div(span, stride) + 1;
    if ((count - 1) * stride >= size + before) {
        count--;
    }
    return count;
}

void sy_layer_output_size(const struct sy_layer *layer, uint64_t *oh, uint64_t *ow)
{
    if (layer->op == SY_OP_CONV) {
        const struct sy_conv_dims *d = &layer->dim.conv;
        *oh = d->oh != 0 ? d->oh : sy_window_count(d->h, d->pt, d->pb, d->fh, d->sh, d->dh, false);
        *ow = d->ow != 0 ? d->ow : sy_window_count(d->w, d->pl, d->pr, d->fw, d->sw, d->dw, false);
    } else {
        const struct sy_pool_dims *d = &layer->dim.pool;
        *oh = sy_window_count(d->h, d->pt, d->pb, d->fh, d->sh, 1, d->ceil_mode != 0);
        *ow = sy_window_count(d->w, d->pl, d->pr, d->fw, d->sw, 1, d->ceil_mode != 0);
    }
}

static bool product(uint64_t *result, uint32_t count, const uint64_t *factor)
{
    *result = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!sy_mul(*result, factor[i], result)) {
            return false;
        }
    }
    return true;
}
/* product of a list of figures into *result; false on overflow */
#define PRODUCT(result, ...)                                                                                           \
    product((result), sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__})

uint64_t sy_attention_keys(const struct sy_attention_dims *dims)
{
    return dims->window == 0 ? dims->kv_len : sy_min(dims->kv_len, dims->window + dims->q_len - 1);
}

/* sum of first + i for i in [0, count), each term limited to cap */
static uint64_t sum_capped(uint64_t first, uint64_t count, uint64_t cap)
{
    uint64_t below = first >= cap ? 0 : sy_min(count, cap - first);
    uint64_t sum = below * first + (below == 0 ? 0 : below * (below - 1) / 2);
    return sum + (count - below) * cap;
}

uint64_t sy_attention_pairs(const struct sy_attention_dims *dims)
{
    /* Query i stands at position kv_len - q_len + i; lengths are below 2^30, so nothing wraps. */
    uint64_t window = dims->window == 0 ? dims->kv_len : dims->window;
    if (dims->causal) {
        return sum_capped(dims->kv_len - dims->q_len + 1, dims->q_len, sy_min(window, dims->kv_len));
    }
    return dims->q_len * sy_attention_keys(dims);
}

/* Sums over the sequences of a batch. */

bool sy_attention_visible_macs(const struct sy_attention_dims *dims, uint64_t *macs)
{
    struct sy_attention_dims part;
    const char *at = NULL;
    uint64_t one;
    *macs = 0;
    while (sy_attention_part(dims, &at, &part)) {
        if (!PRODUCT(&one, part.b, part.heads, sy_attention_pairs(&part), part.head_dim + part.value_dim) ||
            !sy_add(*macs, one, macs)) {
            return false;
        }
    }
    return true;
}

static bool attention_macs(const struct sy_attention_dims *dims, uint64_t *macs)
{
    struct sy_attention_dims part;
    const char *at = NULL;
    uint64_t one;
    *macs = 0;
    while (sy_attention_part(dims, &at, &part)) {
        if (!PRODUCT(&one, part.b, part.heads, part.q_len, sy_attention_keys(&part), part.head_dim + part.value_dim) ||
            !sy_add(*macs, one, macs)) {
            return false;
        }
    }
    return true;
}

/* Rows of the queries, and of the output: sequences x heads x queries of each, times the width of one. */
static bool attention_queries(const struct sy_attention_dims *dims, uint64_t width, uint64_t *elements)
{
    struct sy_attention_dims part;
    const char *at = NULL;
    uint64_t one;
    *elements = 0;
    while (sy_attention_part(dims, &at, &part)) {
        if (!PRODUCT(&one, part.b, part.heads, part.q_len, width) || !sy_add(*elements, one, elements)) {
            return false;
        }
    }
    return true;
}

bool sy_figure_macs(const struct sy_layer *layer, uint64_t *macs)
{
    *macs = 0;
    if (layer->op == SY_OP_GEMM) {
        const struct sy_gemm_dims *d = &layer->dim.gemm;
        return PRODUCT(macs, d->g, d->m, d->k, d->n);
    }
    if (layer->op == SY_OP_CONV) {
        const struct sy_conv_dims *d = &layer->dim.conv;
        uint64_t oh, ow;
        sy_layer_output_size(layer, &oh, &ow);
        return PRODUCT(macs, d->b, oh, ow, d->fh, d->fw, d->c / d->groups, d->n);
    }
    if (layer->op == SY_OP_ATTENTION) {
        return attention_macs(&layer->dim.attention, macs);
    }
    return true;
}

bool sy_figure_output(const struct sy_layer *layer, uint64_t *elements)
{
    uint64_t oh, ow;
    switch (layer->op) {
    case SY_OP_GEMM:
        return PRODUCT(elements, layer->dim.gemm.g, layer->dim.gemm.m, layer->dim.gemm.n);
    case SY_OP_CONV:
        sy_layer_output_size(layer, &oh, &ow);
        return PRODUCT(elements, layer->dim.conv.b, oh, ow, layer->dim.conv.n);
    case SY_OP_POOL:
        sy_layer_output_size(layer, &oh, &ow);
        return PRODUCT(elements, layer->dim.pool.b, oh, ow, layer->dim.pool.c);
    case SY_OP_ELEMENTWISE:
        *elements = layer->dim.elementwise.elements;
        return true;
    case SY_OP_SOFTMAX:
    case SY_OP_NORM:
        return sy_mul(layer->dim.rows.rows, layer->dim.rows.cols, elements);
    case SY_OP_REDUCE:
        *elements = layer->dim.rows.rows;
        return true;
    case SY_OP_GATHER:
        return sy_mul(layer->dim.gather.rows, layer->dim.gather.cols, elements);
    case SY_OP_MOVE:
        *elements = layer->dim.move.elements;
        return true;
    case SY_OP_ATTENTION:
        return attention_queries(&layer->dim.attention, layer->dim.attention.value_dim, elements);
    case SY_OP_COLLECTIVE:
        *elements = layer->dim.collective.elements;
        if (layer->dim.collective.kind == SY_ALL_GATHER) {
            return sy_mul(*elements, layer->dim.collective.ranks, elements);
        }
        if (layer->dim.collective.kind == SY_REDUCE_SCATTER) {
            *elements = sy_ceil_div(*elements, layer->dim.collective.ranks);
        }
        return true;
    case SY_OP_COUNT:
        break;
    }
    return false;
}

static bool gemm_input(const struct sy_layer *layer, uint32_t input, uint64_t *elements)
{
    const struct sy_gemm_dims *d = &layer->dim.gemm;
    if (input == 0) {
        return PRODUCT(elements, d->g, d->m, d->k);
    }
    return PRODUCT(elements, d->shared_b ? 1 : d->g, d->k, d->n);
}

static bool conv_input(const struct sy_layer *layer, uint32_t input, uint64_t *elements)
{
    const struct sy_conv_dims *d = &layer->dim.conv;
    if (input == 0) {
        return PRODUCT(elements, d->b, d->h, d->w, d->c);
    }
    return PRODUCT(elements, d->fh, d->fw, d->c / d->groups, d->n);
}

static bool attention_input(const struct sy_layer *layer, uint32_t input, uint64_t *elements)
{
    const struct sy_attention_dims *d = &layer->dim.attention;
    struct sy_attention_dims part;
    const char *at = NULL;
    uint64_t one;
    if (input == 0) {
        return attention_queries(d, d->head_dim, elements);
    }
    *elements = 0;
    while (!(input == 2 && d->v_in_k) && sy_attention_part(d, &at, &part)) {
        if (!PRODUCT(&one, part.b, part.kv_heads, sy_attention_keys(&part),
                     input == 1 ? part.head_dim : part.value_dim) ||
            !sy_add(*elements, one, elements)) {
            return false;
        }
    }
    return true;
}

bool sy_figure_input(const struct sy_layer *layer, uint32_t input, uint64_t *elements)
{
    if (input >= sy_layer_own_inputs(layer)) {
        return sy_figure_output(layer, elements); /* an epilogue operand */
    }
    switch (layer->op) {
    case SY_OP_GEMM:
        return gemm_input(layer, input, elements);
    case SY_OP_CONV:
        return conv_input(layer, input, elements);
    case SY_OP_POOL:
        return PRODUCT(elements, layer->dim.pool.b, layer->dim.pool.h, layer->dim.pool.w, layer->dim.pool.c);
    case SY_OP_ELEMENTWISE:
        *elements = layer->dim.elementwise.operand[input];
        *elements = *elements != 0 ? *elements : layer->dim.elementwise.elements;
        return true;
    case SY_OP_SOFTMAX:
    case SY_OP_NORM:
        return sy_mul(layer->dim.rows.rows, layer->dim.rows.cols, elements);
    case SY_OP_REDUCE:
        *elements = layer->dim.rows.operand;
        return *elements != 0 || sy_mul(layer->dim.rows.rows, layer->dim.rows.cols, elements);
    case SY_OP_GATHER:
        *elements = layer->dim.gather.rows;
        return input == 0 || sy_mul(*elements, layer->dim.gather.cols, elements);
    case SY_OP_MOVE:
        *elements = layer->dim.move.operand[input];
        *elements = *elements != 0 ? *elements : sy_ceil_div(layer->dim.move.elements, layer->inputs);
        return true;
    case SY_OP_ATTENTION:
        return attention_input(layer, input, elements);
    case SY_OP_COLLECTIVE:
        *elements = layer->dim.collective.elements;
        return true;
    case SY_OP_COUNT:
        break;
    }
    return false;
}

/* ---- parameters ---- */

/* B as stored: all experts, the whole table. */
static bool stored_operand(const struct sy_layer *layer, uint32_t input, uint64_t *elements)
{
    if (layer->op == SY_OP_GEMM && input == 1) {
        const struct sy_gemm_dims *d = &layer->dim.gemm;
        uint64_t copies = d->shared_b ? 1 : d->g;
        return PRODUCT(elements, d->experts != 0 ? d->experts : copies, d->k, d->n);
    }
    if (layer->op == SY_OP_GATHER && input == 1) {
        return sy_mul(layer->dim.gather.table_rows, layer->dim.gather.cols, elements);
    }
    return sy_figure_input(layer, input, elements);
}

static bool is_tied(const struct sy_layer *layer, uint32_t input)
{
    return input == 1 &&
           ((layer->op == SY_OP_GEMM && layer->dim.gemm.tied) || (layer->op == SY_OP_CONV && layer->dim.conv.tied));
}

bool sy_figure_weights(const struct sy_layer *layer, uint64_t *elements)
{
    *elements = 0;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        uint64_t stored;
        if ((layer->in[i].flags & SY_TENSOR_WEIGHT) == 0 || is_tied(layer, i)) {
            continue;
        }
        if (!stored_operand(layer, i, &stored) || !sy_add(*elements, stored, elements)) {
            return false;
        }
    }
    return true;
}

static uint64_t norm_parameters(const struct sy_layer *layer)
{
    static const uint64_t usual[] = {[SY_NORM_LAYER] = 2, [SY_NORM_RMS] = 1, [SY_NORM_BATCH] = 2};
    static const uint64_t stated[] = {[SY_AFFINE_NONE] = 0, [SY_AFFINE_SCALE] = 1, [SY_AFFINE_SCALE_BIAS] = 2};
    const struct sy_rows_dims *d = &layer->dim.rows;
    uint64_t each = d->affine == SY_AFFINE_USUAL ? usual[d->kind] : stated[d->affine];
    return each * d->cols; /* cols <= 2^44 */
}

/* Parameters of the fused functions: one set an output channel, of every stored expert or product. */
static bool epilogue_parameters(const struct sy_layer *layer, uint64_t *parameters)
{
    uint64_t channels = 0;
    uint64_t each = 0;
    if (layer->op == SY_OP_GEMM) {
        const struct sy_gemm_dims *d = &layer->dim.gemm;
        uint64_t copies = d->experts != 0 ? d->experts : d->g;
        if (!sy_mul(d->shared_b ? 1 : copies, d->n, &channels)) {
            return false;
        }
    } else if (layer->op == SY_OP_CONV) {
        channels = layer->dim.conv.n;
    }
    for (uint32_t i = 0; i < layer->epilogues; i++) {
        each += sy_functions[layer->epilogue[i]].params;
    }
    return sy_mul(channels, each, parameters);
}

bool sy_figure_parameters(const struct sy_layer *layer, uint64_t *parameters)
{
    uint64_t extra;
    if (!sy_figure_weights(layer, parameters) || !epilogue_parameters(layer, &extra)) {
        return false;
    }
    if (layer->op == SY_OP_NORM) {
        extra = norm_parameters(layer);
    }
    return sy_add(*parameters, extra, parameters);
}

bool sy_layer_weight_bytes(const struct sy_layer *layer, uint64_t *bytes)
{
    *bytes = 0;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        uint64_t stored, size;
        if ((layer->in[i].flags & SY_TENSOR_WEIGHT) == 0 || is_tied(layer, i)) {
            continue;
        }
        if (!stored_operand(layer, i, &stored) || !sy_dtype_bytes(layer->in[i].dtype, stored, &size) ||
            !sy_add(*bytes, size, bytes)) {
            return false;
        }
    }
    uint64_t extra, size;
    if (!epilogue_parameters(layer, &extra)) {
        return false;
    }
    enum sy_dtype dtype = layer->accumulator;
    if (layer->op == SY_OP_NORM) {
        extra = norm_parameters(layer);
        dtype = layer->in[0].dtype;
    }
    return sy_dtype_bytes(dtype, extra, &size) && sy_add(*bytes, size, bytes);
}

/* ---- the public forms: a checked layer cannot overflow ---- */

uint32_t sy_layer_own_inputs(const struct sy_layer *layer)
{
    if (layer->op == SY_OP_ELEMENTWISE) {
        return sy_functions[layer->dim.elementwise.function].inputs;
    }
    if (layer->op == SY_OP_MOVE) {
        return layer->inputs;
    }
    return sy_ops[layer->op].min_inputs;
}

uint64_t sy_layer_macs(const struct sy_layer *layer)
{
    uint64_t macs = 0;
    return sy_figure_macs(layer, &macs) ? macs : 0;
}

uint64_t sy_layer_parameters(const struct sy_layer *layer)
{
    uint64_t parameters = 0;
    return sy_figure_parameters(layer, &parameters) ? parameters : 0;
}

uint64_t sy_layer_input_elements(const struct sy_layer *layer, uint32_t input)
{
    uint64_t elements = 0;
    return sy_figure_input(layer, input, &elements) ? elements : 0;
}

uint64_t sy_layer_output_elements(const struct sy_layer *layer)
{
    uint64_t elements = 0;
    return sy_figure_output(layer, &elements) ? elements : 0;
}
