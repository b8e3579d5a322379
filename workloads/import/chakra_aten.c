/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PyTorch operators by the shapes of their tensors. Arguments stand where the
 * operator's schema has them (aten native_functions.yaml). The backward of a
 * product is two products, of a norm or function one pass, as in
 * workloads/train.h.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/figures.h"
#include "workloads/import/chakra.h"

static struct cx_tensor in(const struct cx *cx, uint32_t index)
{
    return cx_tensor(cx, &cx->in, index);
}
static struct cx_tensor out(const struct cx *cx, uint32_t index)
{
    return cx_tensor(cx, &cx->out, index);
}

static bool need(struct cx *cx, const struct cx_tensor *tensor, uint32_t least_rank, const char *what)
{
    if (!tensor->there || tensor->rank < least_rank || cx_elements(tensor) == UINT64_MAX) {
        return cx_fail(cx, NULL, "%s is not a tensor of at least %" PRIu32 " dimensions", what, least_rank);
    }
    return true;
}

static uint64_t dims_product(const struct cx_tensor *tensor, uint32_t first, uint32_t end)
{
    uint64_t product = 1;
    for (uint32_t i = first; i < end; i++) {
        product *= tensor->dim[i];
    }
    return product;
}

/* A whole number of an argument list, or the fallback. */
static uint64_t number_at(const struct cx_item *list, uint32_t index, uint64_t fallback)
{
    const struct cx_item *item = cx_at(list, index);
    bool good = item != NULL && item->kind == CX_NUMBER && item->number >= 0 && item->number < 1e9;
    return good ? (uint64_t)item->number : fallback;
}

static void put(struct cx *cx, struct sy_layer *layer, enum sy_op op, const struct cx_tensor *y)
{
    sy_layer_init(layer, op);
    layer->in[1].flags = 0;
    layer->out = cx_name(cx, y);
    layer->accumulator = sy_dtypes[y->dtype].is_float ? sy_import_accumulator(cx->options, y->dtype) : SY_INT32;
}

/* A parameter: its first use counts. *seen tells whether it was counted before. */
static bool weight(struct cx *cx, const struct cx_tensor *tensor, struct sy_tensor *into, bool *seen)
{
    bool fresh;
    *into = cx_name(cx, tensor);
    into->flags = SY_TENSOR_WEIGHT;
    if (sy_dtypes[tensor->dtype].is_float) {
        into->dtype = sy_import_weight(cx->options, tensor->dtype);
    }
    if (!cx_insert(cx, &cx->weights, tensor->id, &fresh)) {
        return false;
    }
    *seen = !fresh;
    return true;
}

/* ---- matrix products ---- */

struct product {
    uint64_t g, m, k, n;
};

static bool emit_product(struct cx *cx, const struct product *p, const struct cx_tensor *a, const struct cx_tensor *b,
                         const struct cx_tensor *y, bool b_is_weight, bool bias)
{
    struct sy_layer layer;
    bool seen = false;
    put(cx, &layer, SY_OP_GEMM, y);
    layer.in[0] = cx_name(cx, a);
    layer.in[1] = cx_name(cx, b);
    if (b_is_weight && !weight(cx, b, &layer.in[1], &seen)) {
        return false;
    }
    layer.dim.gemm = (struct sy_gemm_dims){.g = p->g, .m = p->m, .k = p->k, .n = p->n, .tied = seen};
    if (bias) {
        layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    }
    return cx_emit(cx, &layer);
}

/* argument: position of the first factor; addmm(c, a, b) has 1. Batched factors have 3 dimensions. */
static bool matmul(struct cx *cx, int first)
{
    struct cx_tensor a = in(cx, (uint32_t)first), b = in(cx, (uint32_t)first + 1), y = out(cx, 0);
    if (!need(cx, &a, 1, "the first factor") || !need(cx, &b, 1, "the second factor") ||
        !need(cx, &y, 0, "the result")) {
        return false;
    }
    uint64_t k = a.dim[a.rank - 1], n = b.rank > 1 ? b.dim[b.rank - 1] : 1;
    bool batched = b.rank > 2;
    struct product p = {.g = batched ? dims_product(&b, 0, b.rank - 2) : 1, .k = k, .n = n};
    p.m = k == 0 || p.g == 0 ? 0 : cx_elements(&a) / k / p.g;
    if (b.dim[b.rank > 1 ? b.rank - 2 : 0] != k) {
        return cx_fail(cx, NULL, "inner sizes %" PRIu64 " and %" PRIu64 " differ", k,
                       b.dim[b.rank > 1 ? b.rank - 2 : 0]);
    }
    return emit_product(cx, &p, &a, &b, &y, false, false);
}

/* linear(x, w (n x k), b) */
static bool linear(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor x = in(cx, 0), w = in(cx, 1), bias = in(cx, 2), y = out(cx, 0);
    if (!need(cx, &x, 1, "the input") || !need(cx, &w, 2, "the weight") || !need(cx, &y, 1, "the result")) {
        return false;
    }
    struct product p = {.g = 1, .m = dims_product(&x, 0, x.rank - 1), .k = w.dim[1], .n = w.dim[0]};
    if (x.dim[x.rank - 1] != p.k) {
        return cx_fail(cx, NULL, "inner sizes %" PRIu64 " and %" PRIu64 " differ", x.dim[x.rank - 1], p.k);
    }
    return emit_product(cx, &p, &x, &w, &y, true, bias.there);
}

/* ---- convolutions ---- */

struct conv {
    struct sy_conv_dims dims;
    uint64_t depth;
};

/* Sizes from the shapes of input, filter and result; strides, padding and dilations from the arguments at `first`. */
static bool conv_sizes(struct cx *cx, const struct cx_tensor *x, const struct cx_tensor *w, const struct cx_tensor *y,
                       uint32_t first, struct conv *conv)
{
    if (x->rank != w->rank || x->rank != y->rank || x->rank < 3 || x->rank > 5 || w->dim[1] == 0 ||
        x->dim[1] % w->dim[1] != 0) {
        return cx_fail(cx, NULL, "input, filter and result do not fit each other");
    }
    const struct cx_item *stride = cx_at(cx->in.values, first), *pad = cx_at(cx->in.values, first + 1),
                         *dilation = cx_at(cx->in.values, first + 2);
    uint32_t last = x->rank - 3; /* index of the last spatial dimension in the argument lists */
    conv->depth = x->rank == 5 ? w->dim[2] : 1;
    conv->dims = (struct sy_conv_dims){.b = x->rank == 5 ? x->dim[0] * y->dim[2] : x->dim[0],
                                       .h = 1,
                                       .w = x->dim[x->rank - 1],
                                       .n = w->dim[0],
                                       .fh = 1,
                                       .fw = w->dim[x->rank - 1],
                                       .sh = 1,
                                       .sw = number_at(stride, last, 1),
                                       .pl = number_at(pad, last, 0),
                                       .dh = 1,
                                       .dw = number_at(dilation, last, 1),
                                       .groups = x->dim[1] / w->dim[1],
                                       .oh = 1,
                                       .ow = y->dim[x->rank - 1]};
    conv->dims.pr = conv->dims.pl;
    if (!sy_mul(x->dim[1], conv->depth, &conv->dims.c)) {
        return cx_fail(cx, NULL, "the sizes do not fit 64 bits");
    }
    if (x->rank >= 4) {
        conv->dims.h = x->dim[x->rank - 2];
        conv->dims.fh = w->dim[x->rank - 2];
        conv->dims.oh = y->dim[x->rank - 2];
        conv->dims.sh = number_at(stride, last - 1, 1);
        conv->dims.pt = conv->dims.pb = number_at(pad, last - 1, 0);
        conv->dims.dh = number_at(dilation, last - 1, 1);
    }
    return true;
}

/* conv2d(x, w, bias, stride, padding, dilation, groups); convolution has the same first six */
static bool conv_forward(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor x = in(cx, 0), w = in(cx, 1), bias = in(cx, 2), y = out(cx, 0);
    struct conv conv;
    struct sy_layer layer;
    bool seen;
    if (!need(cx, &x, 3, "the input") || !need(cx, &w, 3, "the filter") || !need(cx, &y, 3, "the result") ||
        !conv_sizes(cx, &x, &w, &y, 3, &conv)) {
        return false;
    }
    put(cx, &layer, SY_OP_CONV, &y);
    layer.dim.conv = conv.dims;
    layer.in[0] = cx_name(cx, &x);
    if (!weight(cx, &w, &layer.in[1], &seen)) {
        return false;
    }
    layer.dim.conv.tied = seen;
    if (bias.there) {
        layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    }
    return cx_emit(cx, &layer);
}

/* convolution_backward(grad, x, w, bias_sizes, stride, padding, dilation, ...) -> grad_x, grad_w, grad_bias; a result
 * without shape was not asked for. Products over the im2col matrix. */
static bool conv_backward(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor dy = in(cx, 0), x = in(cx, 1), w = in(cx, 2), dx = out(cx, 0), dw = out(cx, 1);
    struct conv conv;
    if (!need(cx, &dy, 3, "the gradient") || !need(cx, &x, 3, "the input") || !need(cx, &w, 3, "the filter") ||
        !conv_sizes(cx, &x, &w, &dy, 4, &conv)) {
        return false;
    }
    const struct sy_conv_dims *d = &conv.dims;
    uint64_t pixels, window;
    if (!sy_mul3(d->b, d->oh, d->ow, &pixels) || !sy_mul3(d->fh, d->fw, d->c / d->groups, &window)) {
        return cx_fail(cx, NULL, "the sizes do not fit 64 bits");
    }
    struct product data = {d->groups, pixels, d->n / d->groups, window};
    struct product filter = {d->groups, window, pixels, d->n / d->groups};
    return (!dx.there || dx.rank == 0 || emit_product(cx, &data, &dy, &w, &dx, false, false)) &&
           (!dw.there || dw.rank == 0 || emit_product(cx, &filter, &x, &dy, &dw, false, false));
}

/* ---- attention ---- */

/* scaled_dot_product_attention(q, k, v ...), all (batch, heads, tokens, dim) */
static bool attention(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor q = in(cx, 0), k = in(cx, 1), v = in(cx, 2), y = out(cx, 0);
    struct sy_layer layer;
    if (!need(cx, &q, 4, "the query") || !need(cx, &k, 4, "the key") || !need(cx, &v, 4, "the value")) {
        return false;
    }
    y = y.there ? y : q;
    put(cx, &layer, SY_OP_ATTENTION, &y);
    layer.dim.attention = (struct sy_attention_dims){.b = q.dim[0],
                                                     .heads = q.dim[1],
                                                     .kv_heads = k.dim[1],
                                                     .q_len = q.dim[2],
                                                     .kv_len = k.dim[2],
                                                     .head_dim = q.dim[3],
                                                     .value_dim = v.dim[3]};
    layer.in[0] = cx_name(cx, &q);
    layer.in[1] = cx_name(cx, &k);
    layer.in[2] = cx_name(cx, &v);
    return cx_emit(cx, &layer);
}

/* ---- elements ---- */

/* Elements of an argument: of a tensor, or of all tensors of a list. */
static uint64_t argument_elements(const struct cx *cx, uint32_t index)
{
    const struct cx_item *values = cx_at(cx->in.values, index), *shapes = cx_at(cx->in.shapes, index);
    const struct cx_item *types = cx_at(cx->in.types, index);
    struct cx_tensor tensor = in(cx, index);
    if (tensor.there) {
        return cx_elements(&tensor);
    }
    (void)types;
    struct cx_io list = {.values = NULL};
    uint64_t total = 0;
    uint32_t count = values != NULL && values->kind == CX_LIST ? values->count : 0;
    const struct cx_item *value = count > 0 ? values->child : NULL, *shape = shapes != NULL ? shapes->child : NULL;
    for (; value != NULL && shape != NULL; value = value->next, shape = shape->next) {
        struct cx_item one_value = *value, one_shape = *shape;
        one_value.next = one_shape.next = NULL;
        struct cx_item value_list = {.kind = CX_LIST, .count = 1, .child = &one_value};
        struct cx_item shape_list = {.kind = CX_LIST, .count = 1, .child = &one_shape};
        list.values = &value_list;
        list.shapes = &shape_list;
        tensor = cx_tensor(cx, &list, 0);
        uint64_t elements = tensor.there ? cx_elements(&tensor) : 0;
        if (!sy_add(total, elements, &total)) {
            return UINT64_MAX;
        }
    }
    return total;
}

struct cx_tensor cx_first_tensor(const struct cx *cx, const struct cx_io *io)
{
    struct cx_tensor tensor = cx_tensor(cx, io, 0);
    const struct cx_item *value = cx_at(io->values, 0), *shape = cx_at(io->shapes, 0), *type = cx_at(io->types, 0);
    if (!tensor.there && value != NULL && shape != NULL && value->kind == CX_LIST && shape->kind == CX_LIST) {
        struct cx_item type_list = {.kind = CX_LIST, .count = type != NULL};
        struct cx_item one = {.kind = CX_TEXT};
        if (type != NULL) {
            one = *type;
            one.next = NULL;
            type_list.child = &one;
        }
        struct cx_item values = *value, shapes = *shape;
        struct cx_io inner = {.values = &values, .shapes = &shapes, .types = &type_list};
        tensor = cx_tensor(cx, &inner, 0);
    }
    return tensor;
}

static bool emit_function(struct cx *cx, enum sy_function function, uint64_t elements, const struct cx_tensor *y)
{
    struct sy_layer layer;
    uint32_t inputs = sy_functions[function].inputs;
    put(cx, &layer, SY_OP_ELEMENTWISE, y);
    layer.dim.elementwise.elements = elements;
    layer.dim.elementwise.function = (uint64_t)function;
    layer.inputs = inputs;
    for (uint32_t i = 0, argument = 0; i < inputs; argument++) {
        struct cx_tensor tensor = in(cx, argument);
        bool last = argument >= 8;
        if (!tensor.there && !last) {
            continue;
        }
        tensor = tensor.there ? tensor : cx_first_tensor(cx, &cx->in);
        uint64_t own = tensor.there ? cx_elements(&tensor) : elements;
        layer.in[i] = tensor.there ? cx_name(cx, &tensor) : layer.in[i];
        layer.dim.elementwise.operand[i] = own < elements && own > 0 ? own : 0;
        i++;
    }
    return cx_emit(cx, &layer);
}

/* One pass over the result, or over the first argument where the node has none (in place, lists). */
static bool elementwise(struct cx *cx, int function)
{
    struct cx_tensor y = cx_first_tensor(cx, &cx->out);
    uint64_t elements = out(cx, 0).there ? cx_elements(&y) : argument_elements(cx, 0);
    y = y.there ? y : cx_first_tensor(cx, &cx->in);
    if (elements == UINT64_MAX) {
        return cx_fail(cx, NULL, "too many elements");
    }
    return elements == 0 || emit_function(cx, (enum sy_function)function, elements, &y);
}

/* Bytes copied: as large as the larger of result and first argument. */
static bool move(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor y = cx_first_tensor(cx, &cx->out), x = cx_first_tensor(cx, &cx->in);
    uint64_t made = out(cx, 0).there ? cx_elements(&y) : 0, read = argument_elements(cx, 0);
    uint64_t elements = sy_max(made, read);
    struct sy_layer layer;
    y = y.there ? y : x;
    if (elements == UINT64_MAX) {
        return cx_fail(cx, NULL, "too many elements");
    }
    put(cx, &layer, SY_OP_MOVE, &y);
    layer.dim.move.elements = elements;
    layer.in[0] = cx_name(cx, x.there ? &x : &y);
    return elements == 0 || cx_emit(cx, &layer);
}

static bool view(struct cx *cx, int argument)
{
    (void)cx;
    (void)argument;
    return true;
}

/* ---- rows ---- */

static bool emit_rows(struct cx *cx, enum sy_op op, uint64_t rows, uint64_t cols, uint64_t kind, uint64_t affine,
                      const struct cx_tensor *x, const struct cx_tensor *y)
{
    struct sy_layer layer;
    put(cx, &layer, op, y);
    layer.dim.rows = (struct sy_rows_dims){.rows = rows, .cols = cols, .kind = kind, .affine = affine};
    layer.in[0] = cx_name(cx, x);
    return rows == 0 || cols == 0 || cx_emit(cx, &layer);
}

/* batch_norm(x, weight, bias, ...) and its backward: argument = position of x; parameters count forward, once */
static bool batch_norm(struct cx *cx, int position)
{
    struct cx_tensor x = in(cx, (uint32_t)position), scale = in(cx, (uint32_t)position + 1), y = out(cx, 0);
    bool fresh = false;
    if (!need(cx, &x, 2, "the input")) {
        return false;
    }
    if (position == 0 && scale.there && !cx_insert(cx, &cx->weights, scale.id, &fresh)) {
        return false;
    }
    uint64_t channels = x.dim[1], elements = cx_elements(&x);
    return channels == 0 || emit_rows(cx, SY_OP_NORM, elements / channels, channels, SY_NORM_BATCH,
                                      fresh ? SY_AFFINE_USUAL : SY_AFFINE_NONE, &x, y.there ? &y : &x);
}

/* layer_norm(x, normalized_shape, weight, bias); backward(grad, x, normalized_shape ...) */
static bool layer_norm(struct cx *cx, int position)
{
    struct cx_tensor x = in(cx, (uint32_t)position), scale = in(cx, 2), y = out(cx, 0);
    bool fresh = false;
    if (!need(cx, &x, 1, "the input")) {
        return false;
    }
    if (position == 0 && scale.there && !cx_insert(cx, &cx->weights, scale.id, &fresh)) {
        return false;
    }
    const struct cx_item *shape = cx_at(cx->in.values, (uint32_t)position + 1);
    uint64_t cols = 1, last = x.dim[x.rank - 1];
    for (uint32_t i = 0; shape != NULL && shape->kind == CX_LIST && i < shape->count; i++) {
        cols = sy_mul(cols, number_at(shape, i, 1), &cols) ? cols : 0;
    }
    cols = cols > 1 && cx_elements(&x) % cols == 0 ? cols : last;
    return cols == 0 || emit_rows(cx, SY_OP_NORM, cx_elements(&x) / cols, cols, SY_NORM_LAYER,
                                  fresh ? SY_AFFINE_USUAL : SY_AFFINE_NONE, &x, y.there ? &y : &x);
}

/* Softmax over the last dimension of argument `position`. */
static bool softmax(struct cx *cx, int position)
{
    struct cx_tensor x = in(cx, (uint32_t)position), y = out(cx, 0);
    if (!need(cx, &x, 1, "the input")) {
        return false;
    }
    uint64_t cols = x.dim[x.rank - 1];
    return cols == 0 || emit_rows(cx, SY_OP_SOFTMAX, cx_elements(&x) / cols, cols, 0, 0, &x, y.there ? &y : &x);
}

/* sum, mean, max ...: rows of what is reduced away. argument: enum sy_function */
static bool reduce(struct cx *cx, int function)
{
    struct cx_tensor x = in(cx, 0), y = out(cx, 0);
    if (!need(cx, &x, 0, "the input")) {
        return false;
    }
    uint64_t rows = y.there ? cx_elements(&y) : 1, elements = cx_elements(&x);
    if (rows == 0 || rows == UINT64_MAX) {
        return true;
    }
    return emit_rows(cx, SY_OP_REDUCE, rows, sy_max(elements / rows, 1), (uint64_t)function, 0, &x, y.there ? &y : &x);
}

/* ---- pools, embeddings ---- */

/* The arguments kernel, stride, padding; adaptive pools have none: the window is input / output. */
static void pool_window(const struct cx *cx, const struct cx_tensor *y, struct sy_pool_dims *d)
{
    if (strstr(cx->name, "adaptive") != NULL) {
        uint64_t oh = sy_max(y->dim[y->rank - 2], 1), ow = sy_max(y->dim[y->rank - 1], 1);
        d->fh = sy_ceil_div(d->h, oh);
        d->fw = sy_ceil_div(d->w, ow);
        d->sh = sy_max(d->h / oh, 1);
        d->sw = sy_max(d->w / ow, 1);
        return;
    }
    const struct cx_item *kernel = cx_at(cx->in.values, 1), *stride = cx_at(cx->in.values, 2),
                         *pad = cx_at(cx->in.values, 3);
    d->fh = number_at(kernel, 0, 1);
    d->fw = number_at(kernel, 1, d->fh);
    d->sh = number_at(stride, 0, d->fh);
    d->sw = number_at(stride, 1, d->fw);
    d->pt = d->pb = number_at(pad, 0, 0);
    d->pl = d->pr = number_at(pad, 1, d->pt);
}

/* max_pool2d(x, kernel, stride, padding ...) */
static bool pool(struct cx *cx, int average)
{
    struct cx_tensor x = in(cx, 0), y = out(cx, 0);
    struct sy_layer layer;
    if (!need(cx, &x, 3, "the input") || !need(cx, &y, 3, "the result") || x.rank != y.rank || x.rank > 4) {
        return cx->status == SY_OK && cx_fail(cx, NULL, "input and result do not fit each other");
    }
    uint64_t h = x.dim[x.rank - 2], w = x.dim[x.rank - 1];
    put(cx, &layer, SY_OP_POOL, &y);
    struct sy_pool_dims *d = &layer.dim.pool;
    *d = (struct sy_pool_dims){
        .b = x.rank == 4 ? x.dim[0] : 1, .c = x.dim[x.rank - 3], .h = h, .w = w, .average = (uint64_t)average};
    pool_window(cx, &y, d);
    layer.in[0] = cx_name(cx, &x);
    if (h < UINT32_MAX && w < UINT32_MAX && d->sh > 0 && d->fh > 0 &&
        sy_window_count(h, d->pt, d->pb, d->fh, d->sh, 1, false) != y.dim[x.rank - 2]) {
        d->ceil_mode = 1;
    }
    return cx_emit(cx, &layer);
}

/* embedding(table, indices) */
static bool embedding(struct cx *cx, int argument)
{
    (void)argument;
    struct cx_tensor table = in(cx, 0), index = in(cx, 1), y = out(cx, 0);
    struct sy_layer layer;
    bool seen;
    if (!need(cx, &table, 2, "the table") || !need(cx, &index, 0, "the indices") || !need(cx, &y, 1, "the result")) {
        return false;
    }
    put(cx, &layer, SY_OP_GATHER, &y);
    layer.dim.gather =
        (struct sy_gather_dims){.rows = cx_elements(&index), .cols = table.dim[1], .table_rows = table.dim[0]};
    layer.in[0] = cx_name(cx, &index);
    if (!weight(cx, &table, &layer.in[1], &seen)) {
        return false;
    }
    layer.in[1].flags = seen ? 0 : SY_TENSOR_WEIGHT;
    return cx_emit(cx, &layer);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*handle)(struct cx *cx, int argument);
    int argument;
} operators[] = {{"conv1d", conv_forward, 0},
                 {"conv2d", conv_forward, 0},
                 {"conv3d", conv_forward, 0},
                 {"convolution", conv_forward, 0},
                 {"_convolution", conv_forward, 0},
                 {"cudnn_convolution", conv_forward, 0},
                 {"convolution_backward", conv_backward, 0},
                 {"mm", matmul, 0},
                 {"bmm", matmul, 0},
                 {"matmul", matmul, 0},
                 {"addmm", matmul, 1},
                 {"baddbmm", matmul, 1},
                 {"linear", linear, 0},
                 {"scaled_dot_product_attention", attention, 0},
                 {"_scaled_dot_product_flash_attention", attention, 0},
                 {"_scaled_dot_product_efficient_attention", attention, 0},
                 {"relu", elementwise, SY_FN_RELU},
                 {"gelu", elementwise, SY_FN_GELU},
                 {"gelu_backward", elementwise, SY_FN_GELU},
                 {"silu", elementwise, SY_FN_SILU},
                 {"silu_backward", elementwise, SY_FN_SILU},
                 {"sigmoid", elementwise, SY_FN_SIGMOID},
                 {"tanh", elementwise, SY_FN_TANH},
                 {"exp", elementwise, SY_FN_EXP},
                 {"log", elementwise, SY_FN_LOG},
                 {"sqrt", elementwise, SY_FN_SQRT},
                 {"rsqrt", elementwise, SY_FN_SQRT},
                 {"pow", elementwise, SY_FN_SCALE},
                 {"neg", elementwise, SY_FN_NEG},
                 {"abs", elementwise, SY_FN_ABS},
                 {"clamp", elementwise, SY_FN_CLIP},
                 {"threshold_backward", elementwise, SY_FN_MUL},
                 {"add", elementwise, SY_FN_ADD},
                 {"sub", elementwise, SY_FN_SUB},
                 {"rsub", elementwise, SY_FN_SUB},
                 {"mul", elementwise, SY_FN_MUL},
                 {"div", elementwise, SY_FN_DIV},
                 {"maximum", elementwise, SY_FN_MAX},
                 {"minimum", elementwise, SY_FN_MIN},
                 {"where", elementwise, SY_FN_WHERE},
                 {"masked_fill", elementwise, SY_FN_MUL},
                 {"addcmul", elementwise, SY_FN_WHERE},
                 {"addcdiv", elementwise, SY_FN_WHERE},
                 {"lerp", elementwise, SY_FN_ADD},
                 {"dropout", elementwise, SY_FN_SCALE},
                 {"native_dropout", elementwise, SY_FN_SCALE},
                 {"native_dropout_backward", elementwise, SY_FN_MUL},
                 {"_foreach_mul", elementwise, SY_FN_SCALE},
                 {"_foreach_add", elementwise, SY_FN_ADD},
                 {"_foreach_addcmul", elementwise, SY_FN_WHERE},
                 {"_foreach_addcdiv", elementwise, SY_FN_WHERE},
                 {"_foreach_sqrt", elementwise, SY_FN_SQRT},
                 {"_foreach_div", elementwise, SY_FN_DIV},
                 {"_fused_adam", elementwise, SY_FN_ADAM},
                 {"copy", move, 0},
                 {"_to_copy", move, 0},
                 {"to", move, 0},
                 {"clone", move, 0},
                 {"contiguous", move, 0},
                 {"cat", move, 0},
                 {"stack", move, 0},
                 {"fill", move, 0},
                 {"zero", move, 0},
                 {"zeros", move, 0},
                 {"zeros_like", move, 0},
                 {"ones_like", move, 0},
                 {"ones", move, 0},
                 {"full", move, 0},
                 {"index_select", move, 0},
                 {"gather", move, 0},
                 {"index", move, 0},
                 {"embedding_dense_backward", move, 0},
                 {"flatten_dense_tensors", move, 0},
                 {"unflatten_dense_tensors", view, 0},
                 {"view", view, 0},
                 {"_unsafe_view", view, 0},
                 {"reshape", view, 0},
                 {"flatten", view, 0},
                 {"t", view, 0},
                 {"transpose", view, 0},
                 {"permute", view, 0},
                 {"expand", view, 0},
                 {"as_strided", view, 0},
                 {"detach", view, 0},
                 {"squeeze", view, 0},
                 {"unsqueeze", view, 0},
                 {"select", view, 0},
                 {"slice", view, 0},
                 {"split", view, 0},
                 {"chunk", view, 0},
                 {"narrow", view, 0},
                 {"alias", view, 0},
                 {"empty", view, 0},
                 {"empty_like", view, 0},
                 {"empty_strided", view, 0},
                 {"item", view, 0},
                 {"_local_scalar_dense", view, 0},
                 {"resize", view, 0},
                 {"set", view, 0},
                 {"batch_norm", batch_norm, 0},
                 {"native_batch_norm", batch_norm, 0},
                 {"cudnn_batch_norm", batch_norm, 0},
                 {"cudnn_batch_norm_backward", batch_norm, 1},
                 {"native_batch_norm_backward", batch_norm, 1},
                 {"layer_norm", layer_norm, 0},
                 {"native_layer_norm", layer_norm, 0},
                 {"native_layer_norm_backward", layer_norm, 1},
                 {"softmax", softmax, 0},
                 {"_softmax", softmax, 0},
                 {"log_softmax", softmax, 0},
                 {"_log_softmax", softmax, 0},
                 {"_softmax_backward_data", softmax, 0},
                 {"_log_softmax_backward_data", softmax, 0},
                 {"cross_entropy_loss", softmax, 0},
                 {"nll_loss", reduce, SY_FN_SUM},
                 {"nll_loss_forward", reduce, SY_FN_SUM},
                 {"nll_loss_backward", elementwise, SY_FN_SCALE},
                 {"sum", reduce, SY_FN_SUM},
                 {"mean", reduce, SY_FN_MEAN},
                 {"amax", reduce, SY_FN_MAX},
                 {"max", reduce, SY_FN_MAX},
                 {"min", reduce, SY_FN_MIN},
                 {"argmax", reduce, SY_FN_MAX},
                 {"norm", reduce, SY_FN_SUM},
                 {"linalg_vector_norm", reduce, SY_FN_SUM},
                 {"max_pool2d", pool, 0},
                 {"max_pool2d_with_indices", pool, 0},
                 {"avg_pool2d", pool, 1},
                 {"adaptive_avg_pool2d", pool, 1},
                 {"_adaptive_avg_pool2d", pool, 1},
                 {"max_pool2d_with_indices_backward", move, 0},
                 {"avg_pool2d_backward", move, 0},
                 {"_adaptive_avg_pool2d_backward", move, 0},
                 {"embedding", embedding, 0}};

bool cx_aten(struct cx *cx, const char *op, bool *known)
{
    *known = false;
    if (strncmp(op, "aten::", 6) != 0) {
        return true;
    }
    size_t length = strlen(op + 6);
    size_t bare = length > 1 && op[6 + length - 1] == '_' ? length - 1 : length; /* in place: add_ */
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t own = strlen(operators[i].name);
        if ((own == length || own == bare) && strncmp(op + 6, operators[i].name, own) == 0) {
            *known = true;
            return operators[i].handle(cx, operators[i].argument);
        }
    }
    return true;
}
