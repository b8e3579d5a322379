/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the vector unit: functions over elements, norms, softmax, reductions, pools, conversions. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/import/onnx.h"

/* ---- functions ---- */

static bool unary(struct ox *ox, int function)
{
    struct ox_value *in = ox_need(ox, 0);
    struct ox_value *out = in != NULL ? ox_result(ox, 0, &in->shape, ox_type(in)) : NULL;
    return out == NULL ? ox->status == SY_OK && in != NULL : ox_function(ox, (enum sy_function)function, in, NULL, out);
}

/* Type of a comparison is bool, of everything else that of the first operand. */
static int result_type(const struct ox_value *in, int function)
{
    return function == SY_FN_COMPARE || function == SY_FN_LOGIC ? OX_BOOL : ox_type(in);
}

/* Two inputs or a chain of more (Sum, Max ...). */
static bool binary(struct ox *ox, int function)
{
    struct ox_value *left = ox_need(ox, 0);
    if (left == NULL) {
        return false;
    }
    if (ox->node.inputs == 1) {
        return ox_alias(ox, left, &left->shape, left->type);
    }
    for (uint32_t i = 1; i < ox->node.inputs; i++) {
        struct ox_value *right = ox_need(ox, i);
        struct ox_shape shape;
        if (right == NULL || !ox_broadcast(ox, &left->shape, &right->shape, &shape)) {
            return false;
        }
        bool last = i + 1 == ox->node.inputs;
        int type = result_type(left, function);
        struct ox_value *out =
            last ? ox_result(ox, 0, &shape, type) : ox_between(ox, ".partial", ox_count(&shape), type);
        if (out == NULL) {
            return ox->status == SY_OK;
        }
        out->shape = shape;
        if (!ox_function(ox, (enum sy_function)function, left, right, out)) {
            return false;
        }
        left = out;
    }
    return true;
}

/* The slope is learnt even when it is one number. */
static bool prelu(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *slope = ox_need(ox, 1);
    if (in == NULL || slope == NULL) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    if (out == NULL) {
        return ox->status == SY_OK;
    }
    return ox_learnt(ox, SY_FN_PRELU, in, slope, out);
}

static bool clip(struct ox *ox, int argument)
{
    (void)argument;
    const struct ox_value *low = ox_in(ox, 1), *high = ox_in(ox, 2);
    double most = high != NULL && high->data != NULL ? high->data[0] : ox_float(ox, "max", 0);
    double least = low != NULL && low->data != NULL ? low->data[0] : ox_float(ox, "min", 0);
    return unary(ox, fabs(most - 6) < 1e-6 && fabs(least) < 1e-6 ? SY_FN_RELU6 : SY_FN_CLIP);
}

static bool where(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in[3] = {ox_need(ox, 0), ox_need(ox, 1), ox_need(ox, 2)};
    struct ox_shape shape;
    if (in[0] == NULL || in[1] == NULL || in[2] == NULL || !ox_broadcast(ox, &in[0]->shape, &in[1]->shape, &shape) ||
        !ox_broadcast(ox, &shape, &in[2]->shape, &shape)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(in[1]->constant ? in[2] : in[1]));
    if (out == NULL || ox_count(&shape) == 0) {
        return ox->status == SY_OK;
    }
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise.elements = ox_count(&shape);
    layer.dim.elementwise.function = SY_FN_WHERE;
    layer.inputs = 3;
    for (int i = 0; i < 3; i++) {
        uint64_t elements = ox_count(&in[i]->shape);
        layer.dim.elementwise.operand[i] = elements != layer.dim.elementwise.elements ? elements : 0;
        layer.in[i] = ox_tensor(ox, in[i]);
        layer.in[i].flags = 0;
    }
    return ox_emit(ox, &layer, out, false);
}

/* ---- conversions ---- */

static bool is_real(int type)
{
    return type == OX_FLOAT || type == OX_FLOAT16 || type == OX_BFLOAT16 || type == OX_DOUBLE;
}

/* Between formats that are the same here (user's precision, or equal) a cast costs nothing. */
static bool cast(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    const struct ox_value *like = ox_in(ox, 1); /* CastLike */
    int64_t to = ox_int(ox, "to", like != NULL ? like->type : OX_FLOAT);
    if (in == NULL) {
        return false;
    }
    if (to < 1 || to > 64) {
        return ox_fail(ox, NULL, "type %" PRId64 " does not exist", to);
    }
    if (to == ox_type(in) || (ox->options->has_dtype && is_real(ox_type(in)) && is_real((int)to))) {
        return ox_alias(ox, in, &in->shape, (int)to);
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, (int)to);
    return out == NULL ? ox->status == SY_OK : ox_function(ox, SY_FN_CAST, in, NULL, out);
}

static bool quantize(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    const struct ox_value *zero = ox_in(ox, 2);
    int64_t type = ox_int(ox, "output_dtype", zero != NULL && zero->type != 0 ? zero->type : OX_UINT8);
    struct ox_value *out =
        in != NULL ? ox_result(ox, 0, &in->shape, type >= 1 && type <= 64 ? (int)type : OX_UINT8) : NULL;
    return out == NULL ? ox->status == SY_OK && in != NULL : ox_function(ox, SY_FN_REQUANT, in, NULL, out);
}

/* Integers stay integers: the operator behind computes on them, its accumulator undoes the scale. */
static bool dequantize(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *out = ox->node.outputs > 0 ? ox->node.out[0] : NULL;
    if (in == NULL || !ox_alias(ox, in, &in->shape, in->type)) {
        return false;
    }
    if (out != NULL) {
        out->dequantized = true;
    }
    return true;
}

static bool dynamic_quantize(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    struct ox_shape one = {.rank = 0};
    if (in == NULL) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, OX_UINT8), *scale = ox_result(ox, 1, &one, OX_FLOAT);
    (void)ox_result(ox, 2, &one, OX_UINT8);
    if (out == NULL) {
        return ox->status == SY_OK;
    }
    /* the range of the tensor, then one pass */
    struct ox_value *range = scale != NULL ? scale : ox_between(ox, ".range", 1, OX_FLOAT);
    return range != NULL && ox_reduce(ox, in, range, 1, ox_count(&in->shape), SY_FN_MAX) &&
           ox_function(ox, SY_FN_REQUANT, in, NULL, out);
}

/* ---- softmax and norms ---- */

static bool softmax(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    uint32_t axis;
    if (in == NULL) {
        return false;
    }
    bool old = ox->opset != 0 && ox->opset < 13; /* older: everything from the axis on is one row */
    if (!ox_axis(ox, ox_int(ox, "axis", old ? 1 : -1), in->shape.rank, &axis)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    uint64_t cols = old ? ox_product(&in->shape, axis, in->shape.rank) : in->shape.dim[axis];
    if (out == NULL || cols == 0) {
        return ox->status == SY_OK;
    }
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_SOFTMAX);
    layer.dim.rows = (struct sy_rows_dims){.rows = ox_count(&in->shape) / cols, .cols = cols};
    layer.in[0] = ox_tensor(ox, in);
    layer.in[0].flags = 0;
    return ox_emit(ox, &layer, out, false);
}

static bool batch_norm(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    struct ox_value *out = in != NULL ? ox_result(ox, 0, &in->shape, ox_type(in)) : NULL;
    if (out == NULL) {
        return ox->status == SY_OK && in != NULL;
    }
    uint64_t channels = in->shape.rank >= 2 ? in->shape.dim[1] : 1;
    return channels > 0 &&
           ox_norm(ox, in, out, ox_count(&in->shape) / channels, channels, SY_NORM_BATCH, SY_AFFINE_USUAL);
}

/* Statistics over the trailing dimensions from the axis on. argument: enum sy_norm_kind. */
static bool layer_norm(struct ox *ox, int kind)
{
    struct ox_value *in = ox_need(ox, 0);
    uint32_t axis;
    if (in == NULL || !ox_axis(ox, ox_int(ox, "axis", -1), in->shape.rank, &axis)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    uint64_t cols = ox_product(&in->shape, axis, in->shape.rank);
    if (out == NULL || cols == 0) {
        return ox->status == SY_OK;
    }
    enum sy_affine affine = ox_in(ox, 1) == NULL   ? SY_AFFINE_NONE
                            : ox_in(ox, 2) == NULL ? SY_AFFINE_SCALE
                                                   : SY_AFFINE_SCALE_BIAS;
    return ox_norm(ox, in, out, ox_count(&in->shape) / cols, cols, (enum sy_norm_kind)kind, affine);
}

/* Statistics over groups of channels and all pixels, scale and bias a channel. argument: 0 = a group a channel. */
static bool group_norm(struct ox *ox, int grouped)
{
    struct ox_value *in = ox_need(ox, 0);
    if (in == NULL) {
        return false;
    }
    if (in->shape.rank < 2 || ox_count(&in->shape) == 0) {
        return ox_fail(ox, NULL, "an input without channels");
    }
    uint64_t channels = in->shape.dim[1];
    int64_t groups = grouped ? ox_int(ox, "num_groups", ox_int(ox, "groups", 1)) : (int64_t)channels;
    if (groups < 1 || channels % (uint64_t)groups != 0) {
        return ox_fail(ox, NULL, "%" PRId64 " groups of %" PRIu64 " channels", groups, channels);
    }
    uint64_t rows = in->shape.dim[0] * (uint64_t)groups, elements = ox_count(&in->shape);
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    struct ox_value *normed = ox_between(ox, ".normed", elements, ox_type(in));
    if (out == NULL || normed == NULL) {
        return ox->status == SY_OK;
    }
    return ox_norm(ox, in, normed, rows, elements / rows, SY_NORM_LAYER, SY_AFFINE_NONE) &&
           ox_norm(ox, normed, out, elements / channels, channels, SY_NORM_BATCH, SY_AFFINE_USUAL);
}

/* Norm along one axis or the whole tensor without parameters. */
static bool plain_norm(struct ox *ox, int kind)
{
    struct ox_value *in = ox_need(ox, 0);
    uint32_t axis;
    if (in == NULL || !ox_axis(ox, ox_int(ox, "axis", -1), in->shape.rank, &axis)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    uint64_t cols = in->shape.dim[axis];
    if (out == NULL || cols == 0) {
        return ox->status == SY_OK;
    }
    return ox_norm(ox, in, out, ox_count(&in->shape) / cols, cols, (enum sy_norm_kind)kind, SY_AFFINE_NONE);
}

/* x / (k + a sum of squares over neighbouring channels)^b: the sum, the power, the division. */
static bool lrn(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    int64_t size = ox_int(ox, "size", 5);
    if (in == NULL) {
        return false;
    }
    uint64_t elements = ox_count(&in->shape);
    struct ox_value *out = ox_result(ox, 0, &in->shape, ox_type(in));
    struct ox_value *sums = ox_between(ox, ".sums", elements, ox_type(in)),
                    *power = ox_between(ox, ".power", elements, ox_type(in));
    if (out == NULL || sums == NULL || power == NULL) {
        return ox->status == SY_OK;
    }
    if (size < 1 || size > (1 << 20)) {
        return ox_fail(ox, NULL, "size is %" PRId64, size);
    }
    in->producer = NULL; /* it is read twice */
    return ox_reduce(ox, in, sums, elements, (uint64_t)size, SY_FN_SUM) &&
           ox_function(ox, SY_FN_LOG, sums, NULL, power) && ox_function(ox, SY_FN_EXP, power, NULL, sums) &&
           ox_function(ox, SY_FN_DIV, in, sums, out);
}

/* ---- reductions ---- */

/* Axes from input 1 (newer opsets) or the attribute, as a mask; all of them when neither is there. */
static bool read_axes(struct ox *ox, const struct ox_value *in, bool *reduced)
{
    int64_t axes[OX_MOST_RANK];
    const struct ox_value *list = ox_in(ox, 1);
    int count = list != NULL ? ox_data_ints(list, axes, OX_MOST_RANK) : ox_ints(ox, "axes", axes, OX_MOST_RANK);
    if (count < 0) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "the axes are not constant");
    }
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        reduced[i] = count == 0 && ox_int(ox, "noop_with_empty_axes", 0) == 0;
    }
    for (int i = 0; i < count; i++) {
        uint32_t axis;
        if (!ox_axis(ox, axes[i], in->shape.rank, &axis)) {
            return false;
        }
        reduced[axis] = true;
    }
    return true;
}

static bool reduce_over(struct ox *ox, struct ox_value *in, const bool *reduced, enum sy_function function, int type)
{
    bool keep = ox_int(ox, "keepdims", 1) != 0;
    struct ox_shape shape = {.rank = 0};
    uint64_t cols = 1;
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        cols *= reduced[i] ? in->shape.dim[i] : 1;
        if (!reduced[i] || keep) {
            shape.dim[shape.rank++] = reduced[i] ? 1 : in->shape.dim[i];
        }
    }
    struct ox_value *out = ox_result(ox, 0, &shape, type);
    uint64_t rows = ox_count(&shape);
    if (out == NULL || rows == 0 || cols == 0) {
        return ox->status == SY_OK;
    }
    return ox_reduce(ox, in, out, rows, cols, function);
}

static bool reduce(struct ox *ox, int function)
{
    struct ox_value *in = ox_need(ox, 0);
    bool reduced[OX_MOST_RANK] = {false};
    return in != NULL && read_axes(ox, in, reduced) &&
           reduce_over(ox, in, reduced, (enum sy_function)function, ox_type(in));
}

static bool arg_reduce(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    bool reduced[OX_MOST_RANK] = {false};
    uint32_t axis;
    if (in == NULL || !ox_axis(ox, ox_int(ox, "axis", 0), in->shape.rank, &axis)) {
        return false;
    }
    reduced[axis] = true;
    return reduce_over(ox, in, reduced, SY_FN_MAX, OX_INT64);
}

/* The k largest of a row: as many passes over it. */
static bool top_k(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    const struct ox_value *count = ox_in(ox, 1);
    int64_t k = ox_int(ox, "k", 0);
    uint32_t axis;
    if (in == NULL || !ox_axis(ox, ox_int(ox, "axis", -1), in->shape.rank, &axis)) {
        return false;
    }
    if ((count != NULL && ox_data_ints(count, &k, 1) != 1) || k < 1 || (uint64_t)k > in->shape.dim[axis]) {
        return ox_fail(ox, NULL, "k is not a constant from 1 to %" PRIu64, in->shape.dim[axis]);
    }
    struct ox_shape shape = in->shape;
    shape.dim[axis] = (uint64_t)k;
    struct ox_value *values = ox_result(ox, 0, &shape, ox_type(in)), *indices = ox_result(ox, 1, &shape, OX_INT64);
    struct ox_value *out = values != NULL ? values : indices;
    if (out == NULL || ox_count(&shape) == 0) {
        return ox->status == SY_OK;
    }
    return ox_reduce(ox, in, out, ox_count(&shape), in->shape.dim[axis], SY_FN_MAX);
}

/* ---- pools ---- */

/* 2-D windows without dilation are pools; others a reduction a window. */
static bool emit_pool(struct ox *ox, const struct ox_window *w, struct ox_value *in, bool average, struct ox_value *out)
{
    uint64_t taps = 1;
    bool plain = w->dims <= 2;
    for (uint32_t i = 0; i < w->dims; i++) {
        plain = plain && w->dilation[i] == 1;
        if (!sy_mul(taps, w->filter[i], &taps)) {
            return ox_fail(ox, NULL, "a window too large");
        }
    }
    if (!plain) {
        return ox_reduce(ox, in, out, ox_count(&out->shape), taps, average ? SY_FN_MEAN : SY_FN_MAX);
    }
    struct sy_layer layer;
    uint32_t last = w->dims - 1;
    ox_layer(ox, &layer, SY_OP_POOL);
    layer.dim.pool = (struct sy_pool_dims){.b = in->shape.dim[0],
                                           .h = 1,
                                           .w = w->in[last],
                                           .c = in->shape.dim[1],
                                           .fh = 1,
                                           .fw = w->filter[last],
                                           .sh = 1,
                                           .sw = w->stride[last],
                                           .pl = w->before[last],
                                           .pr = w->behind[last],
                                           .average = average,
                                           .ceil_mode = ox_int(ox, "ceil_mode", 0) != 0};
    if (w->dims == 2) {
        layer.dim.pool.h = w->in[0];
        layer.dim.pool.fh = w->filter[0];
        layer.dim.pool.sh = w->stride[0];
        layer.dim.pool.pt = w->before[0];
        layer.dim.pool.pb = w->behind[0];
    }
    layer.in[0] = ox_tensor(ox, in);
    layer.in[0].flags = 0;
    return ox_emit(ox, &layer, out, false);
}

static bool pool(struct ox *ox, int average)
{
    struct ox_value *in = ox_need(ox, 0);
    struct ox_window window;
    if (in == NULL || !ox_read_window(ox, &in->shape, NULL, &window)) {
        return false;
    }
    struct ox_shape shape = ox_window_shape(&window, in->shape.dim[0], in->shape.dim[1]);
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(in));
    (void)ox_result(ox, 1, &shape, OX_INT64);
    return out == NULL ? ox->status == SY_OK : emit_pool(ox, &window, in, average != 0, out);
}

static bool global_pool(struct ox *ox, int average)
{
    struct ox_value *in = ox_need(ox, 0);
    if (in == NULL) {
        return false;
    }
    if (in->shape.rank < 3 || ox_count(&in->shape) == 0) {
        return ox_fail(ox, NULL, "an input without pixels");
    }
    struct ox_shape shape = in->shape;
    for (uint32_t i = 2; i < shape.rank; i++) {
        shape.dim[i] = 1;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(in));
    uint64_t pixels = ox_product(&in->shape, 2, in->shape.rank);
    if (out == NULL || in->shape.rank != 4) {
        return out == NULL ? ox->status == SY_OK
                           : ox_reduce(ox, in, out, ox_count(&shape), pixels, average ? SY_FN_MEAN : SY_FN_MAX);
    }
    struct ox_window window = {.dims = 2,
                               .in = {in->shape.dim[2], in->shape.dim[3]},
                               .filter = {in->shape.dim[2], in->shape.dim[3]},
                               .stride = {1, 1},
                               .dilation = {1, 1}};
    return emit_pool(ox, &window, in, average != 0, out);
}

/* ---- Resize ---- */

/* Factors of the spatial sizes: a constant input, or the attribute of the old Upsample. */
static int read_scales(const struct ox *ox, double *scales)
{
    for (uint32_t i = 1; i < ox->node.inputs && i < 3; i++) {
        const struct ox_value *in = ox->node.in[i];
        uint64_t count = in != NULL && in->data != NULL ? ox_count(&in->shape) : 0;
        if (count > 0 && count <= OX_MOST_RANK && (i == 2 || ox->node.inputs == 2)) {
            memcpy(scales, in->data, count * sizeof *scales);
            return (int)count;
        }
    }
    return ox_floats(ox, "scales", scales, OX_MOST_RANK);
}

static bool resize_shape(struct ox *ox, const struct ox_value *in, struct ox_shape *shape)
{
    int64_t sizes[OX_MOST_RANK];
    double scales[OX_MOST_RANK];
    const struct ox_value *list = ox_in(ox, 3), *out = ox->node.outputs > 0 ? ox->node.out[0] : NULL;
    int have = list != NULL ? ox_data_ints(list, sizes, OX_MOST_RANK) : 0;
    int scaled = have > 0 ? 0 : read_scales(ox, scales);
    *shape = in->shape;
    if (have != (int)in->shape.rank && scaled != (int)in->shape.rank) {
        if (out != NULL && out->declared && out->declared_shape.rank == in->shape.rank) {
            *shape = out->declared_shape;
            return true;
        }
        return ox_fail(ox, NULL, "neither sizes nor scales are constant with a number a dimension");
    }
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        double size = have > 0 ? (double)sizes[i] : floor((double)in->shape.dim[i] * scales[i]);
        if (!(size >= 0 && size <= 1e12)) {
            return ox_fail(ox, NULL, "dimension %" PRIu32 " becomes %g", i, size);
        }
        shape->dim[i] = (uint64_t)size;
    }
    return true;
}

/* Nearest is a copy; linear reads two neighbours a resized dimension, cubic four. */
static bool resize(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    struct ox_shape shape;
    if (in == NULL || !resize_shape(ox, in, &shape)) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, ox_type(in));
    if (out == NULL || ox_count(&shape) == 0) {
        return ox->status == SY_OK;
    }
    uint64_t each = ox_string_is(ox, "mode", "linear") ? 2 : ox_string_is(ox, "mode", "cubic") ? 4 : 1, taps = 1;
    for (uint32_t i = 0; i < shape.rank; i++) {
        taps *= shape.dim[i] != in->shape.dim[i] ? each : 1;
    }
    return taps == 1 ? ox_move(ox, in, out, ox_count(&shape))
                     : ox_reduce(ox, in, out, ox_count(&shape), taps, SY_FN_SUM);
}

const struct ox_operator ox_vector_operators[] = {{"Relu", unary, SY_FN_RELU},
                                                  {"Sigmoid", unary, SY_FN_SIGMOID},
                                                  {"Tanh", unary, SY_FN_TANH},
                                                  {"Exp", unary, SY_FN_EXP},
                                                  {"Log", unary, SY_FN_LOG},
                                                  {"Sqrt", unary, SY_FN_SQRT},
                                                  {"Erf", unary, SY_FN_ERF},
                                                  {"Abs", unary, SY_FN_ABS},
                                                  {"Neg", unary, SY_FN_NEG},
                                                  {"Reciprocal", unary, SY_FN_RECIPROCAL},
                                                  {"Floor", unary, SY_FN_ROUND},
                                                  {"Ceil", unary, SY_FN_ROUND},
                                                  {"Round", unary, SY_FN_ROUND},
                                                  {"Sign", unary, SY_FN_SIGN},
                                                  {"Not", unary, SY_FN_NOT},
                                                  {"Sin", unary, SY_FN_SIN},
                                                  {"Cos", unary, SY_FN_COS},
                                                  {"LeakyRelu", unary, SY_FN_LEAKY_RELU},
                                                  {"Elu", unary, SY_FN_ELU},
                                                  {"Selu", unary, SY_FN_ELU},
                                                  {"Celu", unary, SY_FN_ELU},
                                                  {"ThresholdedRelu", unary, SY_FN_CLIP},
                                                  {"HardSigmoid", unary, SY_FN_HARDSIGMOID},
                                                  {"HardSwish", unary, SY_FN_HARDSWISH},
                                                  {"Softplus", unary, SY_FN_SOFTPLUS},
                                                  {"Softsign", unary, SY_FN_SIGMOID},
                                                  {"Mish", unary, SY_FN_SOFTPLUS},
                                                  {"Gelu", unary, SY_FN_GELU},
                                                  {"QuickGelu", unary, SY_FN_SILU},
                                                  {"Silu", unary, SY_FN_SILU},
                                                  {"Swish", unary, SY_FN_SILU},
                                                  {"Clip", clip, 0},
                                                  {"IsNaN", unary, SY_FN_NOT},
                                                  {"IsInf", unary, SY_FN_NOT},
                                                  {"CumSum", unary, SY_FN_SCALE},
                                                  {"Add", binary, SY_FN_ADD},
                                                  {"Sub", binary, SY_FN_SUB},
                                                  {"Mul", binary, SY_FN_MUL},
                                                  {"Div", binary, SY_FN_DIV},
                                                  {"Pow", binary, SY_FN_POW},
                                                  {"Mod", binary, SY_FN_MOD},
                                                  {"Max", binary, SY_FN_MAX},
                                                  {"Min", binary, SY_FN_MIN},
                                                  {"Sum", binary, SY_FN_ADD},
                                                  {"Mean", binary, SY_FN_ADD},
                                                  {"Equal", binary, SY_FN_COMPARE},
                                                  {"Less", binary, SY_FN_COMPARE},
                                                  {"LessOrEqual", binary, SY_FN_COMPARE},
                                                  {"Greater", binary, SY_FN_COMPARE},
                                                  {"GreaterOrEqual", binary, SY_FN_COMPARE},
                                                  {"And", binary, SY_FN_LOGIC},
                                                  {"Or", binary, SY_FN_LOGIC},
                                                  {"Xor", binary, SY_FN_LOGIC},
                                                  {"PRelu", prelu, 0},
                                                  {"Where", where, 0},
                                                  {"Cast", cast, 0},
                                                  {"CastLike", cast, 0},
                                                  {"QuantizeLinear", quantize, 0},
                                                  {"DequantizeLinear", dequantize, 0},
                                                  {"DynamicQuantizeLinear", dynamic_quantize, 0},
                                                  {"Softmax", softmax, 0},
                                                  {"LogSoftmax", softmax, 0},
                                                  {"Hardmax", softmax, 0},
                                                  {"BatchNormalization", batch_norm, 0},
                                                  {"LayerNormalization", layer_norm, SY_NORM_LAYER},
                                                  {"SimplifiedLayerNormalization", layer_norm, SY_NORM_RMS},
                                                  {"RMSNormalization", layer_norm, SY_NORM_RMS},
                                                  {"InstanceNormalization", group_norm, 0},
                                                  {"GroupNormalization", group_norm, 1},
                                                  {"com.microsoft:GroupNorm", group_norm, 1},
                                                  {"LpNormalization", plain_norm, SY_NORM_RMS},
                                                  {"MeanVarianceNormalization", plain_norm, SY_NORM_LAYER},
                                                  {"LRN", lrn, 0},
                                                  {"ReduceSum", reduce, SY_FN_SUM},
                                                  {"ReduceMean", reduce, SY_FN_MEAN},
                                                  {"ReduceMax", reduce, SY_FN_MAX},
                                                  {"ReduceMin", reduce, SY_FN_MIN},
                                                  {"ReduceProd", reduce, SY_FN_MUL},
                                                  {"ReduceL1", reduce, SY_FN_SUM},
                                                  {"ReduceL2", reduce, SY_FN_SUM},
                                                  {"ReduceSumSquare", reduce, SY_FN_SUM},
                                                  {"ReduceLogSum", reduce, SY_FN_SUM},
                                                  {"ReduceLogSumExp", reduce, SY_FN_SUM},
                                                  {"ArgMax", arg_reduce, 0},
                                                  {"ArgMin", arg_reduce, 0},
                                                  {"TopK", top_k, 0},
                                                  {"MaxPool", pool, 0},
                                                  {"AveragePool", pool, 1},
                                                  {"LpPool", pool, 1},
                                                  {"GlobalMaxPool", global_pool, 0},
                                                  {"GlobalAveragePool", global_pool, 1},
                                                  {"GlobalLpPool", global_pool, 1},
                                                  {"com.microsoft:QLinearAveragePool", pool, 1},
                                                  {"com.microsoft:QLinearGlobalAveragePool", global_pool, 1},
                                                  {"com.microsoft:QLinearSigmoid", unary, SY_FN_SIGMOID},
                                                  {"com.microsoft:QLinearLeakyRelu", unary, SY_FN_LEAKY_RELU},
                                                  {"com.microsoft:QLinearSoftmax", softmax, 0},
                                                  {"Resize", resize, 0},
                                                  {"Upsample", resize, 0},
                                                  {NULL, NULL, 0}};
