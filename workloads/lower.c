/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operation counts of softmax, norms and pools below are those of a
 * straightforward vector program (modelling assumptions, confidence medium, as
 * for sy_functions): the counts are written where they are used.
 */
#include "workloads/lower.h"

#include <string.h>

#include "sim/base/checked.h"
#include "workloads/sequences.h"

static struct sy_item *append(struct sy_work *work, enum sy_item_kind kind)
{
    struct sy_item *item = &work->item[work->items++];
    memset(item, 0, sizeof *item);
    item->kind = kind;
    return item;
}

static bool add_bytes(uint64_t *total, enum sy_dtype dtype, uint64_t elements, uint64_t times)
{
    uint64_t bytes;
    return sy_dtype_bytes(dtype, elements, &bytes) && sy_mul(bytes, times, &bytes) && sy_add(*total, bytes, total);
}

/* *total += count * each */
static bool add_ops(uint64_t *total, uint64_t count, uint64_t each)
{
    uint64_t ops;
    return sy_mul(count, each, &ops) && sy_add(*total, ops, total);
}

/* ---- matrix items ---- */

static uint64_t sparse_k(const struct sy_sparsity *sparsity, uint64_t k)
{
    if (sparsity->group == 0) {
        return k;
    }
    return k / sparsity->group * sparsity->keep + sy_min(k % sparsity->group, sparsity->keep);
}

static struct sy_matrix_item *append_matrix(struct sy_work *work, const struct sy_layer *layer)
{
    struct sy_matrix_item *item = &append(work, SY_ITEM_MATRIX)->u.matrix;
    item->a = layer->in[0].dtype;
    item->b = layer->in[1].dtype;
    item->c = layer->out.dtype;
    item->accumulator = layer->accumulator;
    item->tensor_a = 0;
    item->tensor_b = 1;
    item->tensor_c = SY_TENSOR_OUT;
    return item;
}

static bool lower_gemm(const struct sy_layer *layer, struct sy_work *work)
{
    const struct sy_gemm_dims *d = &layer->dim.gemm;
    struct sy_matrix_item *item = append_matrix(work, layer);
    item->groups = d->shared_b ? 1 : d->g;
    item->m = d->m;
    item->n = d->n;
    item->dense_k = d->k;
    item->k = sparse_k(&layer->sparsity, d->k);
    return !d->shared_b || sy_mul(d->g, d->m, &item->m);
}

static bool is_pointwise(const struct sy_conv_dims *d, uint64_t oh, uint64_t ow)
{
    return d->fh == 1 && d->fw == 1 && d->sh == 1 && d->sw == 1 && oh == d->h && ow == d->w && d->pt == 0 && d->pl == 0;
}

static bool lower_conv(const struct sy_layer *layer, struct sy_work *work)
{
    const struct sy_conv_dims *d = &layer->dim.conv;
    struct sy_matrix_item *item = append_matrix(work, layer);
    uint64_t oh, ow;
    sy_layer_output_size(layer, &oh, &ow);
    item->groups = d->groups;
    item->n = d->n / d->groups;
    item->window = (struct sy_window){.is_conv = !is_pointwise(d, oh, ow),
                                      .b = d->b,
                                      .h = d->h,
                                      .w = d->w,
                                      .c = d->c / d->groups,
                                      .oh = oh,
                                      .ow = ow,
                                      .fh = d->fh,
                                      .fw = d->fw,
                                      .sh = d->sh,
                                      .sw = d->sw,
                                      .dh = d->dh,
                                      .dw = d->dw,
                                      .pt = d->pt,
                                      .pl = d->pl};
    if (!sy_mul3(d->b, oh, ow, &item->m) || !sy_mul3(d->fh, d->fw, d->c / d->groups, &item->dense_k)) {
        return false;
    }
    item->k = sparse_k(&layer->sparsity, item->dense_k);
    return true;
}

/* ---- fused epilogue ---- */

static bool has_conversion(const struct sy_layer *layer)
{
    for (uint32_t i = 0; i < layer->epilogues; i++) {
        if (layer->epilogue[i] == SY_FN_REQUANT || layer->epilogue[i] == SY_FN_CAST) {
            return true;
        }
    }
    return false;
}

/* Channels of one parameter set, as sy_layer_parameters counts them but for what is read: used products only. */
static uint64_t epilogue_channels(const struct sy_layer *layer)
{
    if (layer->op == SY_OP_CONV) {
        return layer->dim.conv.n;
    }
    return layer->dim.gemm.shared_b ? layer->dim.gemm.n : layer->dim.gemm.g * layer->dim.gemm.n;
}

static bool add_function(struct sy_vector_item *item, enum sy_function function)
{
    return add_ops(&item->simple_ops, item->elements, sy_functions[function].simple) &&
           add_ops(&item->transcendental_ops, item->elements, sy_functions[function].transcendental);
}

/* Conversion of a result. Into a block-scaled format: the largest magnitude of each block (an absolute value and a
 * maximum an element), its scale (one iterative operation a block), then each element is scaled and rounded like an
 * integer. The scales' bytes are part of bytes_out. Operation counts: a straightforward vector program, confidence
 * medium (OCP Microscaling v1.0, section 6.3, describes the steps). */
static bool add_conversion(struct sy_vector_item *item, enum sy_dtype from, enum sy_dtype to)
{
    if (sy_dtypes[to].block > 0) {
        return add_ops(&item->simple_ops, item->elements, 2) &&
               add_ops(&item->transcendental_ops, sy_ceil_div(item->elements, sy_dtypes[to].block), 1) &&
               add_function(item, SY_FN_REQUANT);
    }
    return add_function(item, sy_dtypes[to].is_float && sy_dtypes[from].is_float ? SY_FN_CAST : SY_FN_REQUANT);
}

/* Filters whose groups along k share scales. Beside numbers they are made numbers themselves, each once: converted and
 * scaled, read packed and written as wide as the other operand. Beside integers the array multiplies the integers, and
 * the sums of each group are scaled and added up. Operation counts: a straightforward vector program. */
static bool add_scales(struct sy_vector_item *item, const struct sy_layer *layer, const struct sy_matrix_item *matrix)
{
    uint64_t weights = 0, groups = sy_ceil_div(matrix->k, sy_dtypes[matrix->b].block), sums = 0;
    item->scales = true;
    if (!sy_dtypes[matrix->a].is_float) {
        return sy_mul(item->elements, groups, &sums) && add_ops(&item->simple_ops, sums, 2) &&
               add_bytes(&item->bytes_in, layer->accumulator, sums - item->elements, 1);
    }
    return sy_mul3(matrix->k, matrix->n, matrix->groups, &weights) &&
           add_ops(&item->simple_ops, weights, sy_functions[SY_FN_DEQUANT].simple) &&
           add_bytes(&item->bytes_in, matrix->b, weights, 1) && add_bytes(&item->extra_out, matrix->a, weights, 1);
}

static bool append_epilogue(const struct sy_layer *layer, struct sy_work *work)
{
    bool converts = layer->out.dtype != layer->accumulator && !has_conversion(layer);
    const struct sy_matrix_item *matrix = &work->item[work->items - 1].u.matrix;
    bool grouped = sy_dtype_grouped(layer->in[1].dtype);
    if (layer->epilogues == 0 && !converts && !grouped) {
        return true;
    }
    struct sy_vector_item *item = &append(work, SY_ITEM_VECTOR)->u.vector;
    item->elements = sy_layer_output_elements(layer);
    item->fused = true;
    item->passes = 1;
    item->tensor_out = SY_TENSOR_OUT;
    item->tensors_in[item->tensor_inputs++] = SY_TENSOR_INTERMEDIATE;
    bool fits = add_bytes(&item->bytes_in, layer->accumulator, item->elements, 1) &&
                add_bytes(&item->bytes_out, layer->out.dtype, item->elements, 1);
    uint32_t operand = sy_ops[layer->op].min_inputs;
    for (uint32_t i = 0; i < layer->epilogues && fits; i++) {
        const struct sy_function_info *info = &sy_functions[layer->epilogue[i]];
        fits = add_function(item, layer->epilogue[i]) &&
               add_bytes(&item->bytes_in, layer->accumulator, epilogue_channels(layer), info->params);
        if (info->inputs == 2 && fits) {
            item->tensors_in[item->tensor_inputs++] = (int)operand;
            fits = add_bytes(&item->bytes_in, layer->in[operand].dtype, item->elements, 1);
            operand++;
        }
    }
    return fits && (!converts || add_conversion(item, layer->accumulator, layer->out.dtype)) &&
           (!grouped || add_scales(item, layer, matrix));
}

/* ---- vector items that stand alone ---- */

static struct sy_vector_item *append_vector(struct sy_work *work, uint64_t elements, uint32_t passes)
{
    struct sy_vector_item *item = &append(work, SY_ITEM_VECTOR)->u.vector;
    item->elements = elements;
    item->passes = passes;
    item->tensor_out = SY_TENSOR_OUT;
    return item;
}

static bool lower_pool(const struct sy_layer *layer, struct sy_work *work)
{
    const struct sy_pool_dims *d = &layer->dim.pool;
    struct sy_vector_item *item = append_vector(work, sy_layer_output_elements(layer), 1);
    item->tensors_in[item->tensor_inputs++] = 0;
    uint64_t taps;
    /* one maximum or addition a tap, one multiplication for the mean */
    return sy_mul3(item->elements, d->fh, d->fw, &taps) && add_ops(&item->simple_ops, taps, 1) &&
           add_ops(&item->simple_ops, item->elements, d->average) &&
           add_bytes(&item->bytes_in, layer->in[0].dtype, taps, 1) &&
           add_bytes(&item->bytes_out, layer->out.dtype, item->elements, 1);
}

static bool lower_elementwise(const struct sy_layer *layer, struct sy_work *work)
{
    struct sy_vector_item *item = append_vector(work, layer->dim.elementwise.elements, 1);
    bool fits = add_function(item, (enum sy_function)layer->dim.elementwise.function) &&
                add_bytes(&item->bytes_out, layer->out.dtype, item->elements, 1);
    for (uint32_t i = 0; i < layer->inputs && fits; i++) {
        item->tensors_in[item->tensor_inputs++] = (int)i;
        fits = add_bytes(&item->bytes_in, layer->in[i].dtype, sy_layer_input_elements(layer, i), 1);
    }
    return fits;
}

static bool fill_softmax(struct sy_vector_item *item, uint64_t rows, uint64_t cols, enum sy_dtype in, enum sy_dtype out)
{
    /* maximum, subtraction, sum, scaling; an exponential each; a reciprocal a row */
    return sy_mul(rows, cols, &item->elements) && add_ops(&item->simple_ops, item->elements, 4) &&
           sy_add(item->elements, rows, &item->transcendental_ops) && add_ops(&item->reduce_ops, rows, 2) &&
           add_bytes(&item->bytes_in, in, item->elements, item->passes) &&
           add_bytes(&item->bytes_out, out, item->elements, 1);
}

static bool lower_softmax(const struct sy_layer *layer, struct sy_work *work)
{
    struct sy_vector_item *item = append_vector(work, 0, 3);
    item->tensors_in[item->tensor_inputs++] = 0;
    return fill_softmax(item, layer->dim.rows.rows, layer->dim.rows.cols, layer->in[0].dtype, layer->out.dtype);
}

static bool lower_norm(const struct sy_layer *layer, struct sy_work *work)
{
    /* layer: sum, square, sum of squares; subtract, scale, gamma, beta. rms: square, sum; scale, gamma.
     * batch: folded into one scale and one addition. A reciprocal square root a row. */
    static const struct {
        uint32_t simple, passes, row_transcendental, row_reduce;
    } kinds[] = {[SY_NORM_LAYER] = {7, 2, 1, 2}, [SY_NORM_RMS] = {4, 2, 1, 1}, [SY_NORM_BATCH] = {2, 1, 0, 0}};
    const struct sy_rows_dims *d = &layer->dim.rows;
    struct sy_vector_item *item = append_vector(work, sy_layer_output_elements(layer), kinds[d->kind].passes);
    item->tensors_in[item->tensor_inputs++] = 0;
    return add_ops(&item->simple_ops, item->elements, kinds[d->kind].simple) &&
           add_ops(&item->transcendental_ops, d->rows, kinds[d->kind].row_transcendental) &&
           add_ops(&item->reduce_ops, d->rows, kinds[d->kind].row_reduce) &&
           add_bytes(&item->bytes_in, layer->in[0].dtype, item->elements, item->passes) &&
           add_bytes(&item->bytes_in, layer->in[0].dtype, sy_layer_parameters(layer), 1) &&
           add_bytes(&item->bytes_out, layer->out.dtype, item->elements, 1);
}

static bool lower_reduce(const struct sy_layer *layer, struct sy_work *work)
{
    /* Short rows lie across lanes, so that lanes never meet; 32 is an assumption, about the lanes of a small unit. */
    enum { SHORT_ROW = 32 };
    const struct sy_rows_dims *d = &layer->dim.rows;
    struct sy_vector_item *item = append_vector(work, d->rows * d->cols, 1);
    item->tensors_in[item->tensor_inputs++] = 0;
    return add_ops(&item->simple_ops, item->elements, 1) &&
           add_ops(&item->simple_ops, d->rows, d->kind == SY_FN_MEAN ? 1 : 0) &&
           add_ops(&item->reduce_ops, d->rows, d->cols > SHORT_ROW ? 1 : 0) &&
           add_bytes(&item->bytes_in, layer->in[0].dtype, item->elements, 1) &&
           add_bytes(&item->bytes_out, layer->out.dtype, d->rows, 1);
}

/* ---- data items ---- */

static bool append_data(struct sy_work *work, int tensor_in, enum sy_dtype dtype, uint64_t elements)
{
    struct sy_data_item *item = &append(work, SY_ITEM_DATA)->u.data;
    item->tensor_in = tensor_in;
    item->tensor_out = SY_TENSOR_OUT;
    return sy_dtype_bytes(dtype, elements, &item->bytes);
}

static bool lower_move(const struct sy_layer *layer, struct sy_work *work)
{
    bool fits = true;
    for (uint32_t i = 0; i < layer->inputs && fits; i++) {
        fits = append_data(work, (int)i, layer->in[i].dtype, sy_layer_input_elements(layer, i));
    }
    return fits;
}

/* ---- attention ---- */

bool sy_lower_block_softmax(struct sy_vector_item *item, uint64_t rows, uint64_t cols, bool first, enum sy_dtype in,
                            enum sy_dtype out)
{
    /* maximum, subtraction, sum; an exponential each; a row: maximum and sum brought up to date, the old ones' scale */
    item->passes = 2;
    item->simple_ops = item->transcendental_ops = item->reduce_ops = item->bytes_in = item->bytes_out = 0;
    return sy_mul(rows, cols, &item->elements) && add_ops(&item->simple_ops, item->elements, 3) &&
           add_ops(&item->simple_ops, rows, first ? 0 : 3) && add_ops(&item->transcendental_ops, item->elements, 1) &&
           add_ops(&item->transcendental_ops, rows, first ? 0 : 1) && add_ops(&item->reduce_ops, rows, 2) &&
           add_bytes(&item->bytes_in, in, item->elements, item->passes) &&
           add_bytes(&item->bytes_out, out, item->elements, 1);
}

bool sy_lower_rescale(struct sy_vector_item *item, uint64_t rows, uint64_t cols, bool first, bool last,
                      enum sy_dtype running, enum sy_dtype out)
{
    /* scaled and added to; by the last block multiplied by the reciprocal of the sum */
    memset(item, 0, sizeof *item);
    item->fused = true;
    item->passes = 1;
    item->tensor_out = last ? SY_TENSOR_OUT : SY_TENSOR_RUNNING;
    item->tensors_in[item->tensor_inputs++] = SY_TENSOR_INTERMEDIATE;
    if (!first) {
        item->tensors_in[item->tensor_inputs++] = SY_TENSOR_RUNNING;
    }
    return sy_mul(rows, cols, &item->elements) && add_ops(&item->simple_ops, item->elements, first ? 1 : 2) &&
           add_ops(&item->simple_ops, item->elements, last ? 1 : 0) &&
           add_ops(&item->transcendental_ops, rows, last ? 1 : 0) &&
           add_bytes(&item->bytes_in, running, item->elements, first ? 1 : 2) &&
           add_bytes(&item->bytes_out, last ? out : running, item->elements, 1);
}

static bool lower_attention(const struct sy_layer *layer, const struct sy_attention_dims *d, struct sy_work *work)
{
    uint64_t keys = sy_attention_keys(d);
    uint64_t groups, m, rows;
    /* The query heads that share a key-value head are rows of one product. */
    if (!sy_mul(d->b, d->kv_heads, &groups) || !sy_mul(d->q_len, d->heads / d->kv_heads, &m) ||
        !sy_mul(groups, m, &rows)) {
        return false;
    }
    struct sy_matrix_item *scores = append_matrix(work, layer);
    scores->groups = groups;
    scores->m = m;
    scores->k = scores->dense_k = d->head_dim;
    scores->n = keys;
    scores->c = layer->in[0].dtype;
    scores->tensor_c = SY_TENSOR_INTERMEDIATE;

    struct sy_vector_item *softmax = append_vector(work, 0, 3);
    softmax->tensors_in[softmax->tensor_inputs++] = SY_TENSOR_INTERMEDIATE;
    softmax->tensor_out = SY_TENSOR_INTERMEDIATE;
    if (!fill_softmax(softmax, rows, keys, scores->c, layer->in[0].dtype)) {
        return false;
    }
    struct sy_matrix_item *values = append_matrix(work, layer);
    values->groups = groups;
    values->m = m;
    values->k = values->dense_k = keys;
    values->n = d->value_dim;
    values->b = layer->in[2].dtype;
    values->tensor_a = SY_TENSOR_INTERMEDIATE;
    values->tensor_b = d->v_in_k ? 1 : 2;
    return true;
}

enum sy_status sy_lower_part(const struct sy_layer *layer, const struct sy_attention_dims *part, struct sy_work *work)
{
    work->items = 0;
    return lower_attention(layer, part, work) ? SY_OK : SY_OVERFLOW;
}

static bool lower_first_part(const struct sy_layer *layer, struct sy_work *work)
{
    struct sy_attention_dims part;
    const char *at = NULL;
    return sy_attention_part(&layer->dim.attention, &at, &part) && lower_attention(layer, &part, work);
}

enum sy_status sy_lower(const struct sy_layer *layer, struct sy_work *work)
{
    bool fits = false;
    work->items = 0;
    switch (layer->op) {
    case SY_OP_GEMM:
        fits = lower_gemm(layer, work) && append_epilogue(layer, work);
        break;
    case SY_OP_CONV:
        fits = lower_conv(layer, work) && append_epilogue(layer, work);
        break;
    case SY_OP_POOL:
        fits = lower_pool(layer, work);
        break;
    case SY_OP_ELEMENTWISE:
        fits = lower_elementwise(layer, work);
        break;
    case SY_OP_SOFTMAX:
        fits = lower_softmax(layer, work);
        break;
    case SY_OP_NORM:
        fits = lower_norm(layer, work);
        break;
    case SY_OP_REDUCE:
        fits = lower_reduce(layer, work);
        break;
    case SY_OP_GATHER:
        fits = append_data(work, 1, layer->in[1].dtype, sy_layer_output_elements(layer));
        break;
    case SY_OP_MOVE:
        fits = lower_move(layer, work);
        break;
    case SY_OP_ATTENTION:
        fits = lower_first_part(layer, work);
        break;
    case SY_OP_COLLECTIVE:
        fits = append_data(work, 0, layer->in[0].dtype, layer->dim.collective.elements);
        break;
    case SY_OP_COUNT:
        return SY_INTERNAL;
    }
    return fits ? SY_OK : SY_OVERFLOW;
}
