/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that become matrix products: convolutions, Gemm, MatMul, Einsum, recurrent cells. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "workloads/import/onnx.h"

/* ---- convolution ---- */

enum conv_kind { CONV_PLAIN, CONV_INTEGER, CONV_QLINEAR };

/* A depth dimension joins the others: the batch takes the output's depth, the channels the filter's. */
static struct sy_conv_dims conv_dims(const struct ox_window *w, uint64_t batch, uint64_t channels, uint64_t filters,
                                     uint64_t groups)
{
    uint32_t last = w->dims - 1;
    struct sy_conv_dims d = {.b = batch,
                             .h = 1,
                             .w = w->in[last],
                             .c = channels,
                             .n = filters,
                             .fh = 1,
                             .fw = w->filter[last],
                             .sh = 1,
                             .sw = w->stride[last],
                             .pl = w->before[last],
                             .pr = w->behind[last],
                             .dh = 1,
                             .dw = w->dilation[last],
                             .groups = groups};
    if (w->dims >= 2) {
        d.h = w->in[last - 1];
        d.fh = w->filter[last - 1];
        d.sh = w->stride[last - 1];
        d.pt = w->before[last - 1];
        d.pb = w->behind[last - 1];
        d.dh = w->dilation[last - 1];
    }
    if (w->dims == 3) {
        d.b *= w->out[0]; /* the output's elements were checked */
        d.c = sy_mul(d.c, w->filter[0], &d.c) ? d.c : UINT64_MAX;
    }
    return d;
}

static bool emit_conv(struct ox *ox, const struct sy_conv_dims *dims, struct ox_value *x, struct ox_value *w,
                      struct ox_value *bias, bool requantize, struct ox_value *out)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_CONV);
    layer.dim.conv = *dims;
    layer.dim.conv.tied = w->weight && ox_counted(w);
    layer.in[0] = ox_tensor(ox, x);
    layer.in[0].flags = 0;
    layer.in[1] = ox_tensor(ox, w);
    layer.in[1].flags = w->weight ? SY_TENSOR_WEIGHT : 0;
    layer.accumulator = ox_accumulator(ox, x);
    if (bias != NULL) {
        layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
        ox_mark_counted(bias);
    }
    if (requantize) {
        layer.epilogue[layer.epilogues++] = SY_FN_REQUANT;
    }
    if (!ox_emit(ox, &layer, out, true)) {
        return false;
    }
    if (!ox->silent) {
        ox_mark_counted(w);
    }
    return true;
}

static bool check_filter(struct ox *ox, const struct ox_value *x, const struct ox_value *w, uint64_t channels,
                         uint64_t groups)
{
    if (w->shape.rank != x->shape.rank || w->shape.rank < 3) {
        return ox_fail(ox, NULL, "a filter with %" PRIu32 " dimensions over an input with %" PRIu32, w->shape.rank,
                       x->shape.rank);
    }
    if (groups == 0 || x->shape.dim[1] % groups != 0 || channels % groups != 0) {
        return ox_fail(ox, NULL, "%" PRIu64 " groups do not divide %" PRIu64 " input and %" PRIu64 " output channels",
                       groups, x->shape.dim[1], channels);
    }
    return true;
}

static uint64_t groups_of(const struct ox *ox)
{
    int64_t groups = ox_int(ox, "group", 1);
    return groups >= 1 ? (uint64_t)groups : 0;
}

static bool conv(struct ox *ox, int kind)
{
    bool qlinear = kind == CONV_QLINEAR;
    struct ox_value *x = ox_need(ox, 0), *w = ox_need(ox, qlinear ? 3 : 1);
    struct ox_value *bias = ox_in(ox, qlinear ? 8 : 2), *zero = ox_in(ox, 7);
    struct ox_window window;
    uint64_t groups = groups_of(ox);
    bias = kind == CONV_INTEGER ? NULL : bias;
    if (x == NULL || w == NULL || !check_filter(ox, x, w, w->shape.dim[0], groups) ||
        !ox_read_window(ox, &x->shape, w->shape.dim + 2, &window)) {
        return false;
    }
    if (w->shape.dim[1] * groups != x->shape.dim[1]) {
        return ox_fail(ox, NULL, "a filter of %" PRIu64 " channels in %" PRIu64 " groups over an input of %" PRIu64,
                       w->shape.dim[1], groups, x->shape.dim[1]);
    }
    int type = kind == CONV_INTEGER ? OX_INT32 : qlinear ? (zero != NULL ? zero->type : x->type) : ox_type(x);
    struct ox_shape shape = ox_window_shape(&window, x->shape.dim[0], w->shape.dim[0]);
    struct ox_value *out = ox_result(ox, 0, &shape, type);
    struct sy_conv_dims dims = conv_dims(&window, x->shape.dim[0], x->shape.dim[1], w->shape.dim[0], groups);
    return out == NULL ? ox->status == SY_OK : emit_conv(ox, &dims, x, w, bias, qlinear, out);
}

/* ---- transposed convolution ---- */

/* Output size of one axis: stride x (in - 1) + output padding + reach of the filter - padding. */
static bool transposed_size(struct ox *ox, const struct ox_window *w, uint32_t i, const int64_t *extra, uint64_t *size)
{
    uint64_t most = UINT64_C(1) << 30;
    uint64_t reach = w->dilation[i] * (w->filter[i] - 1) + 1;
    uint64_t full = w->stride[i] * (w->in[i] - 1) + reach + (uint64_t)extra[i];
    bool same = ox_string_is(ox, "auto_pad", "SAME_UPPER") || ox_string_is(ox, "auto_pad", "SAME_LOWER");
    uint64_t cut = w->before[i] + w->behind[i];
    *size = same ? w->in[i] * w->stride[i] : full > cut ? full - cut : 0;
    return (*size >= 1 && *size <= most) ||
           ox_fail(ox, NULL, "dimension %" PRIu32 " of the output has size %" PRIu64, i, *size);
}

static bool in_range(const int64_t *numbers, int count, int64_t least)
{
    for (int i = 0; i < count; i++) {
        if (numbers[i] < least || numbers[i] > (INT64_C(1) << 30)) {
            return false;
        }
    }
    return true;
}

static bool transposed_shape(struct ox *ox, const struct ox_window *w, struct ox_shape *shape)
{
    int64_t extra[3] = {0}, wanted[3];
    int dims = (int)w->dims, have = ox_ints(ox, "output_padding", extra, 3),
        given = ox_ints(ox, "output_shape", wanted, 3);
    if ((have != 0 && have != dims) || (given != 0 && given != dims) || !in_range(extra, have, 0) ||
        !in_range(wanted, given, 1)) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "output_padding or output_shape is wrong");
    }
    for (uint32_t i = 0; i < w->dims; i++) {
        if (given != 0) {
            shape->dim[i + 2] = (uint64_t)wanted[i];
        } else if (!transposed_size(ox, w, i, extra, &shape->dim[i + 2])) {
            return false;
        }
    }
    return true;
}

/* Window, output shape and elements of one patch. */
static bool read_transposed(struct ox *ox, const struct ox_value *x, const struct ox_value *w, struct ox_shape *shape,
                            uint64_t *patch)
{
    /* windows of filter 1 always fit: only strides, padding and dilations are read here */
    static const uint64_t ones[3] = {1, 1, 1};
    struct ox_window window;
    struct ox_shape patches = {.rank = w->shape.rank - 1};
    memcpy(patches.dim, w->shape.dim + 1, patches.rank * sizeof patches.dim[0]);
    if (!ox_read_window(ox, &x->shape, ones, &window) || !ox_elements(ox, &patches, patch)) {
        return false;
    }
    memcpy(window.filter, w->shape.dim + 2, window.dims * sizeof window.filter[0]);
    for (uint32_t i = 0; i < window.dims; i++) {
        if (window.filter[i] == 0 || window.filter[i] > (1 << 30)) {
            return ox_fail(ox, NULL, "a filter of size %" PRIu64, window.filter[i]);
        }
    }
    *shape = (struct ox_shape){.rank = x->shape.rank, .dim = {x->shape.dim[0], w->shape.dim[1] * groups_of(ox)}};
    return transposed_shape(ox, &window, shape);
}

static bool emit_transposed(struct ox *ox, struct ox_value *x, struct ox_value *w, uint64_t patch, struct ox_value *out)
{
    struct ox_value *bias = ox_in(ox, 2);
    uint64_t groups = groups_of(ox), pixels = x->shape.dim[0] * ox_product(&x->shape, 2, x->shape.rank);
    uint64_t elements;
    struct ox_product product = {.g = groups, .m = pixels, .k = x->shape.dim[1] / groups, .n = patch};
    if (!sy_mul3(pixels, groups, patch, &elements)) {
        return ox_fail(ox, NULL, "the sizes do not fit 64 bits");
    }
    struct ox_value *patches = ox_between(ox, ".patches", elements, ox_type(x));
    struct ox_value *sums = bias != NULL ? ox_between(ox, ".sums", ox_count(&out->shape), ox_type(x)) : out;
    if (patches == NULL || sums == NULL || !ox_gemm(ox, &product, x, w, NULL, patches)) {
        return false;
    }
    uint64_t rows = ox_count(&out->shape);
    return ox_reduce(ox, patches, sums, rows, sy_ceil_div(elements, rows), SY_FN_SUM) &&
           (bias == NULL || ox_learnt(ox, SY_FN_ADD, sums, bias, out));
}

/* One product makes every input pixel's patch of the output; the patches are added where they overlap. */
static bool conv_transpose(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *x = ox_need(ox, 0), *w = ox_need(ox, 1);
    struct ox_shape shape;
    uint64_t patch;
    if (x == NULL || w == NULL || !check_filter(ox, x, w, groups_of(ox), groups_of(ox))) {
        return false;
    }
    if (w->shape.dim[0] != x->shape.dim[1]) {
        return ox_fail(ox, NULL, "the filter's channels are not those of the input");
    }
    if (!read_transposed(ox, x, w, &shape, &patch)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(x));
    return out == NULL ? ox->status == SY_OK : emit_transposed(ox, x, w, patch, out);
}

/* ---- Gemm and MatMul ---- */

/* A weight on the left of an activation: (A B)^T = B^T A^T has it on the right, where layers have their weights. */
static bool put_weight_right(struct ox_product *p, struct ox_value **a, struct ox_value **b)
{
    struct ox_value *left = *a;
    if (!left->weight || (*b)->weight) {
        return false;
    }
    bool one = p->g > 1 && ox_count(&left->shape) == p->m * p->k; /* one A for all: rows of one product */
    *p = (struct ox_product){.g = one ? 1 : p->g, .m = one ? p->n * p->g : p->n, .k = p->k, .n = p->m};
    *a = *b;
    *b = left;
    return true;
}

/* Product, then C: a vector of n is fused, anything else added. */
static bool product_and_add(struct ox *ox, struct ox_product *p, struct ox_value *a, struct ox_value *b,
                            struct ox_value *c, struct ox_value *out)
{
    bool vector = c != NULL && c->known && c->constant && ox_count(&c->shape) == p->n && p->g == 1;
    vector = !put_weight_right(p, &a, &b) && vector;
    if (c == NULL || vector || !c->known || (c->constant && ox_count(&c->shape) == 1)) {
        return ox_gemm(ox, p, a, b, vector ? c : NULL, out);
    }
    struct ox_value *sum = ox_between(ox, ".product", ox_count(&out->shape), out->type);
    return sum != NULL && ox_gemm(ox, p, a, b, NULL, sum) && ox_function(ox, SY_FN_ADD, sum, c, out);
}

static bool gemm(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, 1), *c = ox_in(ox, 2);
    if (a == NULL || b == NULL) {
        return false;
    }
    if (a->shape.rank != 2 || b->shape.rank != 2) {
        return ox_fail(ox, NULL, "Gemm over %" PRIu32 " and %" PRIu32 " dimensions, expected 2", a->shape.rank,
                       b->shape.rank);
    }
    bool ta = ox_int(ox, "transA", 0) != 0, tb = ox_int(ox, "transB", 0) != 0;
    struct ox_product p = {.g = 1, .m = a->shape.dim[ta], .k = a->shape.dim[!ta], .n = b->shape.dim[!tb]};
    if (b->shape.dim[tb] != p.k) {
        return ox_fail(ox, NULL, "inner sizes %" PRIu64 " and %" PRIu64 " differ", p.k, b->shape.dim[tb]);
    }
    struct ox_shape shape = {.rank = 2, .dim = {p.m, p.n}};
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(a));
    return out == NULL ? ox->status == SY_OK : product_and_add(ox, &p, a, b, c, out);
}

enum matmul_kind { MATMUL_PLAIN, MATMUL_INTEGER, MATMUL_QLINEAR, MATMUL_FUSED };

static void swap_last(struct ox_shape *shape)
{
    uint64_t last = shape->dim[shape->rank - 1];
    shape->dim[shape->rank - 1] = shape->dim[shape->rank - 2];
    shape->dim[shape->rank - 2] = last;
}

/* numpy's rules: vectors get a dimension, the leading ones broadcast. */
static bool matmul_shape(struct ox *ox, struct ox_shape a, struct ox_shape b, struct ox_product *p,
                         struct ox_shape *shape)
{
    bool row = a.rank == 1, column = b.rank == 1;
    if (a.rank == 0 || b.rank == 0) {
        return ox_fail(ox, NULL, "a product with a single number");
    }
    if (row) {
        a = (struct ox_shape){.rank = 2, .dim = {1, a.dim[0]}};
    }
    if (column) {
        b = (struct ox_shape){.rank = 2, .dim = {b.dim[0], 1}};
    }
    *p = (struct ox_product){.m = a.dim[a.rank - 2], .k = a.dim[a.rank - 1], .n = b.dim[b.rank - 1]};
    if (b.dim[b.rank - 2] != p->k) {
        return ox_fail(ox, NULL, "inner sizes %" PRIu64 " and %" PRIu64 " differ", p->k, b.dim[b.rank - 2]);
    }
    struct ox_shape outer_a = a, outer_b = b;
    outer_a.rank -= 2;
    outer_b.rank -= 2;
    if (!ox_broadcast(ox, &outer_a, &outer_b, shape)) {
        return false;
    }
    p->g = ox_count(shape);
    if (ox_count(&outer_b) == 1) {
        p->m *= p->g; /* one B for all: rows of one product */
        p->g = 1;
    }
    if (!row) {
        shape->dim[shape->rank++] = a.dim[a.rank - 2];
    }
    if (!column) {
        shape->dim[shape->rank++] = p->n;
    }
    return true;
}

static bool matmul(struct ox *ox, int kind)
{
    bool qlinear = kind == MATMUL_QLINEAR;
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, qlinear ? 3 : 1), *zero = ox_in(ox, 7);
    struct ox_product p;
    struct ox_shape shape;
    if (a == NULL || b == NULL) {
        return false;
    }
    struct ox_shape left = a->shape, right = b->shape;
    if (kind == MATMUL_FUSED && ox_int(ox, "transA", 0) != 0 && left.rank >= 2) {
        swap_last(&left);
    }
    if (kind == MATMUL_FUSED && ox_int(ox, "transB", 0) != 0 && right.rank >= 2) {
        swap_last(&right);
    }
    if (!matmul_shape(ox, left, right, &p, &shape)) {
        return false;
    }
    int type = kind == MATMUL_INTEGER ? OX_INT32 : qlinear ? (zero != NULL ? zero->type : a->type) : ox_type(a);
    struct ox_value *out = ox_result(ox, 0, &shape, type);
    (void)put_weight_right(&p, &a, &b);
    return out == NULL ? ox->status == SY_OK : ox_gemm(ox, &p, a, b, NULL, out);
}

/* com.microsoft QGemm: a, its scale and zero, b, its scale and zero, C, then those of the result. */
static bool quantized_gemm(struct ox *ox, int argument)
{
    struct ox_value *c = ox_in(ox, 6);
    if (ox->node.inputs < 4) {
        return ox_fail(ox, NULL, "input 3 is missing");
    }
    ox->node.in[1] = ox->node.in[3];
    ox->node.in[2] = c;
    ox->node.inputs = 3;
    return gemm(ox, argument);
}

/* Products of integers whose result is scaled to floats (com.microsoft); argument: the input that is the bias. */
static bool matmul_to_float(struct ox *ox, int bias)
{
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, 1);
    struct ox_product p;
    struct ox_shape shape;
    if (a == NULL || b == NULL || !matmul_shape(ox, a->shape, b->shape, &p, &shape)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, OX_FLOAT);
    return out == NULL ? ox->status == SY_OK : product_and_add(ox, &p, a, b, ox_in(ox, (uint32_t)bias), out);
}

/* Weights packed in blocks of a few bits (com.microsoft): K x N given as attributes. */
/* How MatMulNBits holds its weights: four bits in blocks along K as scaled groups. Blocks of other sizes and eight bits
 * count without their scales. */
static int packed_type(const struct ox *ox, int64_t bits)
{
    static const struct {
        int64_t block;
        enum sy_dtype plain, with_zero;
    } known[] = {{32, SY_INT4G32, SY_INT4G32Z}, {64, SY_INT4G64, SY_INT4G64Z}, {128, SY_INT4G128, SY_INT4G128Z}};
    int64_t block = ox_int(ox, "block_size", 0);
    for (size_t i = 0; bits == 4 && i < sizeof known / sizeof known[0]; i++) {
        if (known[i].block == block) {
            return OX_GROUPED + (int)(ox_in(ox, 3) != NULL ? known[i].with_zero : known[i].plain);
        }
    }
    return bits == 4 ? OX_INT4 : OX_INT8;
}

static bool matmul_nbits(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, 1), *bias = ox_in(ox, 5);
    int64_t k = ox_int(ox, "K", 0), n = ox_int(ox, "N", 0), bits = ox_int(ox, "bits", 4);
    if (a == NULL || b == NULL) {
        return false;
    }
    if (k < 1 || n < 1 || a->shape.rank < 1 || a->shape.dim[a->shape.rank - 1] != (uint64_t)k ||
        (bits != 4 && bits != 8)) {
        return ox_fail(ox, NULL, "K = %" PRId64 ", N = %" PRId64 ", bits = %" PRId64 " do not fit the input", k, n,
                       bits);
    }
    struct ox_shape shape = a->shape;
    shape.dim[shape.rank - 1] = (uint64_t)n;
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(a));
    struct ox_value packed = *b;
    packed.type = packed_type(ox, bits);
    struct ox_product p = {.g = 1, .m = ox_count(&a->shape) / (uint64_t)k, .k = (uint64_t)k, .n = (uint64_t)n};
    ox_mark_counted(b);
    return out == NULL ? ox->status == SY_OK : product_and_add(ox, &p, a, &packed, bias, out);
}

/* ---- Einsum of two operands ---- */

struct einsum {
    const char *a, *b, *out;
    size_t a_length, b_length, out_length;
};

static bool has(const char *labels, size_t length, char label)
{
    return memchr(labels, label, length) != NULL;
}

/* Write one term with its "..." as labels '0' to '7', the last dimension '7'; *covered grows to the dimensions that an
 * ellipsis stands for. rank < 0: the result's term, whose ellipsis is all of those. */
static bool expand_term(const char *term, size_t length, int rank, int *covered, struct sy_buf *out)
{
    const char *dots = memmem(term, length, "...", 3);
    if (dots == NULL) {
        sy_buf_append(out, term, length);
        return memchr(term, '.', length) == NULL;
    }
    size_t before = (size_t)(dots - term), behind = length - before - 3;
    int cover = rank < 0 ? *covered : rank - (int)(before + behind);
    if (cover < 0 || cover > (int)OX_MOST_RANK) {
        return false;
    }
    *covered = cover > *covered ? cover : *covered;
    sy_buf_append(out, term, before);
    for (int i = (int)OX_MOST_RANK - cover; i < (int)OX_MOST_RANK; i++) {
        sy_buf_append(out, &"01234567"[i], 1);
    }
    sy_buf_append(out, dots + 3, behind);
    return memchr(dots + 3, '.', behind) == NULL;
}

/* Without an arrow the result has the labels that appear once, in order; digits of an ellipsis sort first. */
static void implicit_result(struct sy_buf *terms, int covered)
{
    struct sy_buf result = {0};
    for (int label = '0'; label <= 'z'; label++) {
        size_t count = 0;
        for (size_t i = 0; i < terms->length; i++) {
            count += terms->data[i] == label;
        }
        bool dots = label <= '7' && label > '7' - covered;
        if ((count == 1 || dots) && label != ',') {
            char word = (char)label;
            sy_buf_append(&result, &word, 1);
        }
    }
    sy_buf_puts(terms, "->");
    sy_buf_append(terms, result.data != NULL ? result.data : "", result.length);
    sy_buf_free(&result);
}

/* The equation with blanks, ellipses and an implicit result written out, for two operands. */
static bool normal_einsum(struct ox *ox, const struct ox_value *a, const struct ox_value *b, char *equation,
                          size_t room)
{
    struct sy_buf out = {0};
    size_t length = 0;
    int covered = 0;
    for (const char *from = equation; *from != '\0'; from++) {
        equation[length] = *from;
        length += *from != ' ';
    }
    equation[length] = '\0';
    const char *comma = strchr(equation, ','), *arrow = strstr(equation, "->");
    const char *end = arrow != NULL ? arrow : equation + length;
    bool good = comma != NULL && comma < end &&
                expand_term(equation, (size_t)(comma - equation), (int)a->shape.rank, &covered, &out);
    sy_buf_puts(&out, ",");
    good = good && expand_term(comma + 1, (size_t)(end - comma - 1), (int)b->shape.rank, &covered, &out);
    if (good && arrow != NULL) {
        sy_buf_puts(&out, "->");
        good = expand_term(arrow + 2, strlen(arrow + 2), -1, &covered, &out);
    } else if (good) {
        implicit_result(&out, covered);
    }
    good = good && !out.failed && out.length < room;
    if (good) {
        memcpy(equation, out.data, out.length + 1);
    }
    sy_buf_free(&out);
    return good || ox_fail(ox, NULL, "equation '%s': only two operands are modelled, whose labels fit their dimensions",
                           equation);
}

static bool parse_einsum(struct ox *ox, char *equation, struct einsum *e)
{
    char *comma = strchr(equation, ','), *arrow = strstr(equation, "->");
    if (comma == NULL || arrow == NULL || arrow < comma || strchr(comma + 1, ',') != NULL ||
        strchr(equation, '.') != NULL) {
        return ox_fail(ox, NULL, "equation '%s': only two operands are modelled", equation);
    }
    *e = (struct einsum){
        equation, comma + 1, arrow + 2, (size_t)(comma - equation), (size_t)(arrow - comma - 1), strlen(arrow + 2)};
    return true;
}

/* Sort the dimensions of both operands by where their labels appear. */
static bool einsum_sizes(struct ox *ox, const struct einsum *e, const struct ox_value *a, const struct ox_value *b,
                         struct ox_product *p, uint64_t size[128])
{
    *p = (struct ox_product){.g = 1, .m = 1, .k = 1, .n = 1};
    bool fits = true;
    for (size_t i = 0; i < e->a_length; i++) {
        char label = e->a[i];
        size[(unsigned char)label & 127] = a->shape.dim[i];
        bool in_b = has(e->b, e->b_length, label), in_out = has(e->out, e->out_length, label);
        uint64_t *factor = in_out ? (in_b ? &p->g : &p->m) : &p->k;
        fits = fits && sy_mul(*factor, a->shape.dim[i], factor);
    }
    for (size_t i = 0; i < e->b_length; i++) {
        char label = e->b[i];
        bool in_a = has(e->a, e->a_length, label);
        if (in_a && size[(unsigned char)label & 127] != b->shape.dim[i]) {
            return ox_fail(ox, NULL, "label '%c' has two sizes", label);
        }
        size[(unsigned char)label & 127] = b->shape.dim[i];
        if (!in_a) {
            uint64_t *factor = has(e->out, e->out_length, label) ? &p->n : &p->k;
            fits = fits && sy_mul(*factor, b->shape.dim[i], factor);
        }
    }
    return fits || ox_fail(ox, NULL, "the sizes do not fit 64 bits");
}

static bool einsum(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *a = ox_need(ox, 0), *b = ox_need(ox, 1);
    const struct ox_attribute *text = ox_attribute(ox, "equation");
    char equation[128];
    struct einsum e = {.a = NULL};
    struct ox_product p;
    uint64_t size[128] = {0};
    if (a == NULL || b == NULL) {
        return false;
    }
    if (text == NULL || text->bytes.length == 0 || text->bytes.length >= sizeof equation) {
        return ox_fail(ox, NULL, "the equation is missing or too long");
    }
    memcpy(equation, text->bytes.data, text->bytes.length);
    equation[text->bytes.length] = '\0';
    if (!normal_einsum(ox, a, b, equation, sizeof equation) || !parse_einsum(ox, equation, &e)) {
        return false;
    }
    if (e.a_length != a->shape.rank || e.b_length != b->shape.rank || e.out_length > OX_MOST_RANK) {
        return ox_fail(ox, NULL, "equation '%s' does not fit operands of %" PRIu32 " and %" PRIu32 " dimensions",
                       equation, a->shape.rank, b->shape.rank);
    }
    if (!einsum_sizes(ox, &e, a, b, &p, size)) {
        return false;
    }
    struct ox_shape shape = {.rank = (uint32_t)e.out_length};
    for (size_t i = 0; i < e.out_length; i++) {
        shape.dim[i] = size[(unsigned char)e.out[i] & 127];
    }
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(a));
    (void)put_weight_right(&p, &a, &b);
    return out == NULL ? ox->status == SY_OK : ox_gemm(ox, &p, a, b, NULL, out);
}

/* ---- recurrent cells ---- */

/* argument: gates of the cell (LSTM 4, GRU 3, RNN 1). Inputs X (steps, batch, in), W (directions, gates x hidden, in),
 * R (directions, gates x hidden, hidden), B (directions, 2 x gates x hidden). The input products of all steps are one.
 */
struct cell {
    uint64_t steps, batch, in, directions, gates, hidden;
};

static bool read_cell(struct ox *ox, int gates, struct cell *c)
{
    struct ox_value *x = ox_need(ox, 0), *w = ox_need(ox, 1), *r = ox_need(ox, 2);
    if (x == NULL || w == NULL || r == NULL) {
        return false;
    }
    bool batch_first = ox_int(ox, "layout", 0) != 0;
    if (x->shape.rank != 3 || w->shape.rank != 3 || r->shape.rank != 3 || r->shape.dim[2] == 0) {
        return ox_fail(ox, NULL, "inputs, W and R need 3 dimensions");
    }
    *c = (struct cell){.steps = x->shape.dim[batch_first],
                       .batch = x->shape.dim[!batch_first],
                       .in = x->shape.dim[2],
                       .directions = w->shape.dim[0],
                       .gates = (uint64_t)gates,
                       .hidden = r->shape.dim[2]};
    if (w->shape.dim[1] != c->gates * c->hidden || r->shape.dim[1] != w->shape.dim[1] || w->shape.dim[2] != c->in ||
        r->shape.dim[0] != c->directions || c->steps == 0) {
        return ox_fail(ox, NULL, "the sizes of W and R do not fit");
    }
    return true;
}

/* The product of one step with the state, weights the same in every step. */
static bool emit_step_product(struct ox *ox, const struct cell *c, struct ox_value *state, struct ox_value *gates)
{
    struct ox_value *r = ox->node.in[2];
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_GEMM);
    layer.dim.gemm = (struct sy_gemm_dims){.g = c->directions,
                                           .m = c->batch,
                                           .k = c->hidden,
                                           .n = c->gates * c->hidden,
                                           .tied = r->weight && ox_counted(r)};
    layer.in[0] = ox_tensor(ox, state);
    layer.in[0].flags = SY_TENSOR_SHARED;
    layer.in[1] = ox_tensor(ox, r);
    layer.in[1].flags = SY_TENSOR_SHARED | (r->weight ? (uint32_t)SY_TENSOR_WEIGHT : 0);
    layer.accumulator = ox_accumulator(ox, ox->node.in[0]);
    if (ox_in(ox, 3) != NULL) {
        layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    }
    ox_mark_counted(r);
    return ox_emit(ox, &layer, gates, false);
}

/* Input gates are added, gates squashed, the state made. */
static bool emit_step_functions(struct ox *ox, const struct cell *c, struct ox_value *input, struct ox_value *gates,
                                struct ox_value *state)
{
    struct sy_layer layer;
    uint64_t all = ox_count(&gates->shape);
    ox_layer(ox, &layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise = (struct sy_elementwise_dims){.elements = all, .function = SY_FN_ADD};
    layer.inputs = 2;
    layer.in[0] = ox_tensor(ox, gates);
    layer.in[1] = ox_tensor(ox, input);
    bool good = ox_emit(ox, &layer, gates, false);
    layer.inputs = 1;
    layer.dim.elementwise.function = c->gates > 1 ? SY_FN_SIGMOID : SY_FN_TANH;
    good = good && ox_emit(ox, &layer, gates, false);
    layer.dim.elementwise.elements = all / c->gates;
    layer.dim.elementwise.operand[0] = all;
    layer.dim.elementwise.function = SY_FN_TANH;
    good = good && ox_emit(ox, &layer, state, false);
    if (good) {
        ox->workload->last->layer.out.flags |= SY_TENSOR_SHARED;
    }
    return good;
}

static bool emit_cell(struct ox *ox, const struct cell *c, struct ox_value *out)
{
    uint64_t width = c->gates * c->hidden, all;
    if (!sy_mul3(c->directions, c->batch, width, &all) || !sy_mul(c->steps, all, &all)) {
        return ox_fail(ox, NULL, "the sizes do not fit 64 bits");
    }
    struct ox_value *input = ox_between(ox, ".input_gates", all, out->type);
    struct ox_value *gates = ox_between(ox, ".gates", all / c->steps, out->type);
    struct ox_value *state = ox_between(ox, ".state", all / c->steps / c->gates, out->type);
    struct ox_product first = {.g = 1, .m = c->steps * c->batch, .k = c->in, .n = c->directions * width};
    if (input == NULL || gates == NULL || state == NULL ||
        !ox_gemm(ox, &first, ox->node.in[0], ox->node.in[1], ox_in(ox, 3), input)) {
        return false;
    }
    input->producer = NULL;
    if (ox->silent) {
        return true;
    }
    enum sy_status status = sy_workload_add_repeat(ox->workload, c->steps);
    bool good =
        status == SY_OK && emit_step_product(ox, c, state, gates) && emit_step_functions(ox, c, input, gates, state);
    status = status == SY_OK ? sy_workload_end_repeat(ox->workload) : status;
    ox->status = ox->status == SY_OK ? status : ox->status;
    return good && ox->status == SY_OK && ox_move(ox, state, out, ox_count(&out->shape));
}

static bool recurrent(struct ox *ox, int gates)
{
    struct cell c = {.steps = 0};
    if (!read_cell(ox, gates, &c)) {
        return false;
    }
    int type = ox_type(ox->node.in[0]);
    struct ox_shape all = {.rank = 4, .dim = {c.steps, c.directions, c.batch, c.hidden}};
    struct ox_shape last = {.rank = 3, .dim = {c.directions, c.batch, c.hidden}};
    struct ox_value *out = ox_result(ox, 0, &all, type);
    for (uint32_t i = 1; i < 3; i++) {
        struct ox_value *state = ox_result(ox, i, &last, type);
        out = out != NULL ? out : state;
    }
    return out == NULL ? ox->status == SY_OK : emit_cell(ox, &c, out);
}

const struct ox_operator ox_matrix_operators[] = {{"Conv", conv, CONV_PLAIN},
                                                  {"com.microsoft:FusedConv", conv, CONV_PLAIN},
                                                  {"ConvInteger", conv, CONV_INTEGER},
                                                  {"QLinearConv", conv, CONV_QLINEAR},
                                                  {"ConvTranspose", conv_transpose, 0},
                                                  {"Gemm", gemm, 0},
                                                  {"com.microsoft:FusedGemm", gemm, 0},
                                                  {"com.microsoft:QGemm", quantized_gemm, 0},
                                                  {"com.microsoft:MatMulIntegerToFloat", matmul_to_float, 6},
                                                  {"com.microsoft:DynamicQuantizeMatMul", matmul_to_float, 4},
                                                  {"MatMul", matmul, MATMUL_PLAIN},
                                                  {"MatMulInteger", matmul, MATMUL_INTEGER},
                                                  {"QLinearMatMul", matmul, MATMUL_QLINEAR},
                                                  {"com.microsoft:FusedMatMul", matmul, MATMUL_FUSED},
                                                  {"com.microsoft:TransposeMatMul", matmul, MATMUL_FUSED},
                                                  {"com.microsoft:MatMulNBits", matmul_nbits, 0},
                                                  {"Einsum", einsum, 0},
                                                  {"LSTM", recurrent, 4},
                                                  {"GRU", recurrent, 3},
                                                  {"RNN", recurrent, 1},
                                                  {NULL, NULL, 0}};
