/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that move or describe data. What only changes the view of the same
 * bytes (Reshape, Squeeze, Slice, Split, Expand ...) costs nothing: consumers
 * address it. What rearranges bytes is a move.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/import/onnx.h"

/* ---- descriptions ---- */

/* A constant made of numbers. */
static bool make_numbers(struct ox *ox, const double *numbers, uint64_t count, uint32_t rank, int type)
{
    struct ox_shape shape = {.rank = rank, .dim = {count}};
    struct ox_value *out = ox_result(ox, 0, &shape, type);
    if (out == NULL) {
        return ox->status == SY_OK;
    }
    out->constant = true;
    out->weight = false;
    out->data = sy_arena_array(ox->workload->arena, count + 1, sizeof *out->data);
    if (out->data == NULL) {
        ox->status = SY_NOMEM;
        return false;
    }
    memcpy(out->data, numbers, count * sizeof *numbers);
    return true;
}

static bool shape_of(struct ox *ox, int argument)
{
    (void)argument;
    const struct ox_value *in = ox_need(ox, 0);
    double sizes[OX_MOST_RANK];
    if (in == NULL) {
        return false;
    }
    int64_t rank = (int64_t)in->shape.rank, start = ox_int(ox, "start", 0), end = ox_int(ox, "end", rank);
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end;
    uint64_t count = 0;
    for (int64_t i = start < 0 ? 0 : start; i < end && i < rank; i++) {
        sizes[count++] = (double)in->shape.dim[i];
    }
    return make_numbers(ox, sizes, count, 1, OX_INT64);
}

static bool size_of(struct ox *ox, int argument)
{
    (void)argument;
    const struct ox_value *in = ox_need(ox, 0);
    double size = in != NULL ? (double)ox_count(&in->shape) : 0;
    return in != NULL && make_numbers(ox, &size, 1, 0, OX_INT64);
}

static bool constant(struct ox *ox, int argument)
{
    (void)argument;
    const struct ox_attribute *value = ox_attribute(ox, "value");
    if (value != NULL && ox->node.outputs > 0 && ox->node.out[0] != NULL && !ox->node.out[0]->known) {
        struct ox_value *out = ox->node.out[0];
        out->weight = true; /* a weight when a layer multiplies by it */
        return ox_read_tensor(ox, value->bytes, out);
    }
    int64_t ints[256];
    double numbers[256];
    bool integer = ox_attribute(ox, "value_int") != NULL, integers = ox_attribute(ox, "value_ints") != NULL;
    if (integer || ox_attribute(ox, "value_float") != NULL) {
        numbers[0] = (double)ox_int(ox, "value_int", 0) + ox_float(ox, "value_float", 0); /* one of the two is there */
        return make_numbers(ox, numbers, 1, 0, integer ? OX_INT64 : OX_FLOAT);
    }
    if (integers || ox_attribute(ox, "value_floats") != NULL) {
        int count = integers ? ox_ints(ox, "value_ints", ints, 256) : ox_floats(ox, "value_floats", numbers, 256);
        for (int i = 0; integers && i < count; i++) {
            numbers[i] = (double)ints[i];
        }
        return count >= 0 && make_numbers(ox, numbers, (uint64_t)count, 1, integers ? OX_INT64 : OX_FLOAT);
    }
    return ox_fail(ox, NULL, "a constant without a tensor, number or list of numbers");
}

/* A shape given as a constant list of sizes. */
static bool sizes_from(struct ox *ox, const struct ox_value *list, struct ox_shape *shape)
{
    int64_t sizes[OX_MOST_RANK];
    int count = ox_data_ints(list, sizes, OX_MOST_RANK);
    uint64_t elements;
    if (count < 0) {
        return ox_fail(ox, "run a constant-folding tool on the model",
                       "the sizes in '%s' are not constant, or more than 8", list->name);
    }
    shape->rank = (uint32_t)count;
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 0) {
            return ox_fail(ox, NULL, "size %" PRId64 " of dimension %d", sizes[i], i);
        }
        shape->dim[i] = (uint64_t)sizes[i];
    }
    return ox_elements(ox, shape, &elements);
}

static bool constant_of_shape(struct ox *ox, int argument)
{
    (void)argument;
    const struct ox_value *list = ox_need(ox, 0);
    struct ox_shape shape;
    struct ox_value filler = {.data = NULL};
    const struct ox_attribute *value = ox_attribute(ox, "value");
    if (list == NULL || !sizes_from(ox, list, &shape) ||
        (value != NULL && !ox_read_tensor(ox, value->bytes, &filler))) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &shape, filler.type != 0 ? filler.type : OX_FLOAT);
    if (out == NULL) {
        return ox->status == SY_OK;
    }
    out->constant = true;
    out->weight = false;
    uint64_t count = ox_count(&shape);
    out->data = count <= OX_MOST_DATA ? sy_arena_array(ox->workload->arena, count + 1, sizeof *out->data) : NULL;
    for (uint64_t i = 0; out->data != NULL && i < count; i++) {
        out->data[i] = filler.data != NULL && ox_count(&filler.shape) == 1 ? filler.data[0] : 0;
    }
    return true;
}

static bool range(struct ox *ox, int argument)
{
    (void)argument;
    double numbers[OX_MOST_DATA];
    const struct ox_value *in[3] = {ox_need(ox, 0), ox_need(ox, 1), ox_need(ox, 2)};
    for (int i = 0; i < 3; i++) {
        if (in[i] == NULL) {
            return false;
        }
        if (in[i]->data == NULL || ox_count(&in[i]->shape) != 1) {
            return ox_fail(ox, NULL, "the limits of the range are not constant");
        }
    }
    uint64_t count = 0;
    double step = in[2]->data[0], limit = in[1]->data[0];
    for (double at = in[0]->data[0]; step > 0 ? at < limit : step < 0 && at > limit; at += step) {
        if (count == OX_MOST_DATA) {
            struct ox_shape shape = {.rank = 1, .dim = {(uint64_t)((limit - in[0]->data[0]) / step)}};
            uint64_t elements;
            struct ox_value *out = ox_elements(ox, &shape, &elements) ? ox_result(ox, 0, &shape, in[0]->type) : NULL;
            if (out != NULL) {
                out->constant = true;
                out->weight = false;
            }
            return ox->status == SY_OK;
        }
        numbers[count++] = at;
    }
    return make_numbers(ox, numbers, count, 1, in[0]->type);
}

/* ---- views ---- */

static bool same_view(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    return in != NULL && ox_alias(ox, in, &in->shape, in->type);
}

/* Fill 0 (copy) and -1 (what is left) of a Reshape target. */
static bool solve_reshape(struct ox *ox, const struct ox_value *in, const int64_t *target, int rank,
                          struct ox_shape *shape)
{
    bool zero_is_zero = ox_int(ox, "allowzero", 0) != 0;
    uint64_t known = 1;
    int open = -1;
    shape->rank = (uint32_t)rank;
    for (int i = 0; i < rank; i++) {
        uint64_t size = target[i] > 0 ? (uint64_t)target[i] : 0;
        if (target[i] == 0 && !zero_is_zero) {
            if ((uint32_t)i >= in->shape.rank) {
                return ox_fail(ox, NULL, "size 0 of dimension %d copies one that is not there", i);
            }
            size = in->shape.dim[i];
        } else if (target[i] == -1 && open < 0) {
            open = i;
            size = 1;
        } else if (target[i] < 0) {
            return ox_fail(ox, NULL, "size %" PRId64 " of dimension %d", target[i], i);
        }
        shape->dim[i] = size;
        if (!sy_mul(known, size, &known)) {
            return ox_fail(ox, NULL, "the sizes do not fit 64 bits");
        }
    }
    uint64_t have = ox_count(&in->shape);
    if (open >= 0) {
        shape->dim[open] = known == 0 ? 0 : have / known;
        known *= shape->dim[open];
    }
    return known == have || ox_fail(ox, NULL, "%" PRIu64 " elements become %" PRIu64, have, known);
}

static bool reshape(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *list = ox_in(ox, 1), *out = ox->node.outputs > 0 ? ox->node.out[0] : NULL;
    struct ox_shape shape;
    int64_t target[OX_MOST_RANK];
    if (in == NULL || out == NULL) {
        return in != NULL;
    }
    int rank = list != NULL ? ox_data_ints(list, target, OX_MOST_RANK) : ox_ints(ox, "shape", target, OX_MOST_RANK);
    if (rank >= 0 && (list != NULL || rank > 0)) {
        return solve_reshape(ox, in, target, rank, &shape) && ox_alias(ox, in, &shape, in->type);
    }
    if (out->declared && ox_count(&out->declared_shape) == ox_count(&in->shape)) {
        shape = out->declared_shape;
        return ox_alias(ox, in, &shape, in->type);
    }
    return ox_fail(ox, "run a constant-folding tool on the model", "the target shape is not constant");
}

static bool flatten(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    if (in == NULL) {
        return false;
    }
    int64_t axis = ox_int(ox, "axis", 1);
    axis = axis < 0 ? axis + (int64_t)in->shape.rank : axis;
    if (axis < 0 || axis > (int64_t)in->shape.rank) {
        return ox_fail(ox, NULL, "axis %" PRId64 " of a tensor with %" PRIu32 " dimensions", axis, in->shape.rank);
    }
    struct ox_shape shape = {
        .rank = 2,
        .dim = {ox_product(&in->shape, 0, (uint32_t)axis), ox_product(&in->shape, (uint32_t)axis, in->shape.rank)}};
    return ox_alias(ox, in, &shape, in->type);
}

/* Axes from input 1 (newer opsets) or the attribute; -1 after an error. */
static int read_axes(struct ox *ox, int64_t *axes)
{
    const struct ox_value *list = ox_in(ox, 1);
    if (list == NULL) {
        return ox_ints(ox, "axes", axes, OX_MOST_RANK);
    }
    int count = ox_data_ints(list, axes, OX_MOST_RANK);
    if (count < 0) {
        (void)ox_fail(ox, NULL, "the axes are not constant");
    }
    return count;
}

static bool squeeze(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    int64_t axes[OX_MOST_RANK];
    bool drop[OX_MOST_RANK] = {false};
    int count = in != NULL ? read_axes(ox, axes) : -1;
    if (count < 0) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        uint32_t axis;
        if (!ox_axis(ox, axes[i], in->shape.rank, &axis)) {
            return false;
        }
        if (in->shape.dim[axis] != 1) {
            return ox_fail(ox, NULL, "dimension %" PRIu32 " to squeeze has size %" PRIu64, axis, in->shape.dim[axis]);
        }
        drop[axis] = true;
    }
    struct ox_shape shape = {.rank = 0};
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        if (!drop[i] && (count > 0 || in->shape.dim[i] != 1)) {
            shape.dim[shape.rank++] = in->shape.dim[i];
        }
    }
    return ox_alias(ox, in, &shape, in->type);
}

static bool unsqueeze(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    int64_t axes[OX_MOST_RANK];
    bool added[OX_MOST_RANK] = {false};
    int count = in != NULL ? read_axes(ox, axes) : -1;
    if (count < 0) {
        return false;
    }
    uint32_t rank = in->shape.rank + (uint32_t)count;
    if (rank > OX_MOST_RANK) {
        return ox_fail(ox, NULL, "more than 8 dimensions");
    }
    for (int i = 0; i < count; i++) {
        uint32_t axis;
        if (!ox_axis(ox, axes[i], rank, &axis)) {
            return false;
        }
        if (added[axis]) {
            return ox_fail(ox, NULL, "axis %" PRIu32 " is given twice", axis);
        }
        added[axis] = true;
    }
    struct ox_shape shape = {.rank = rank};
    uint32_t from = 0;
    for (uint32_t i = 0; i < rank; i++) {
        shape.dim[i] = added[i] ? 1 : in->shape.dim[from++];
    }
    return ox_alias(ox, in, &shape, in->type);
}

static bool expand(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *list = ox_need(ox, 1);
    struct ox_shape target, shape;
    return in != NULL && list != NULL && sizes_from(ox, list, &target) &&
           ox_broadcast(ox, &in->shape, &target, &shape) && ox_alias(ox, in, &shape, in->type);
}

/* ---- Slice, Split ---- */

/* Numbers of a Slice argument: input `index` or, before opset 10, an attribute. -1 after reporting. */
static int slice_argument(struct ox *ox, uint32_t index, const char *name, int64_t *out)
{
    const struct ox_value *list = ox_in(ox, index);
    if (list == NULL) {
        return ox_ints(ox, name, out, OX_MOST_RANK);
    }
    int count = ox_data_ints(list, out, OX_MOST_RANK);
    if (count < 0) {
        (void)ox_fail(ox, NULL, "the %s of the slice are not constant", name);
    }
    return count;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Start, step and size of one dimension, as numpy has it. */
static void plan_axis(int64_t size, int64_t start, int64_t end, int64_t step, struct ox_slice *slice, uint32_t axis)
{
    start = start < 0 && start > INT64_MIN + size ? start + size : start;
    end = end < 0 && end > INT64_MIN + size ? end + size : end;
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    start = clamp(start, step > 0 ? 0 : -1, high);
    end = clamp(end, low, high);
    int64_t span = step > 0 ? end - start : start - end;
    uint64_t each = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    slice->start[axis] = start;
    slice->step[axis] = step;
    slice->shape.dim[axis] = span <= 0 ? 0 : ((uint64_t)span - 1) / each + 1;
}

struct slice_lists {
    int64_t starts[OX_MOST_RANK], ends[OX_MOST_RANK], axes[OX_MOST_RANK], steps[OX_MOST_RANK];
    int count, axis_count, step_count;
};

static bool read_slice(struct ox *ox, struct slice_lists *lists)
{
    int ends = slice_argument(ox, 2, "ends", lists->ends);
    lists->count = slice_argument(ox, 1, "starts", lists->starts);
    lists->axis_count = slice_argument(ox, 3, "axes", lists->axes);
    lists->step_count = slice_argument(ox, 4, "steps", lists->steps);
    if (lists->count < 0 || ends < 0 || lists->axis_count < 0 || lists->step_count < 0) {
        return false;
    }
    if (lists->count != ends || (lists->axis_count != 0 && lists->axis_count != lists->count) ||
        (lists->step_count != 0 && lists->step_count != lists->count)) {
        return ox_fail(ox, NULL, "the slice has %d starts, %d ends, %d axes and %d steps", lists->count, ends,
                       lists->axis_count, lists->step_count);
    }
    return true;
}

bool ox_plan_slice(struct ox *ox, const struct ox_value *from, struct ox_slice *slice)
{
    struct slice_lists lists;
    if (!read_slice(ox, &lists)) {
        return false;
    }
    *slice = (struct ox_slice){.shape = from->shape};
    for (uint32_t i = 0; i < from->shape.rank; i++) {
        slice->step[i] = 1;
    }
    for (int i = 0; i < lists.count; i++) {
        uint32_t axis;
        int64_t step = lists.step_count != 0 ? lists.steps[i] : 1;
        if (!ox_axis(ox, lists.axis_count != 0 ? lists.axes[i] : i, from->shape.rank, &axis)) {
            return false;
        }
        if (step == 0) {
            return ox_fail(ox, NULL, "a slice with step 0");
        }
        plan_axis((int64_t)from->shape.dim[axis], lists.starts[i], lists.ends[i], step, slice, axis);
    }
    return true;
}

static bool slice(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *out = ox->node.outputs > 0 ? ox->node.out[0] : NULL;
    struct ox_slice plan;
    if (in == NULL || out == NULL) {
        return in != NULL;
    }
    bool fixed = true;
    for (uint32_t i = 1; i < ox->node.inputs; i++) {
        fixed = fixed && (ox->node.in[i] == NULL || ox->node.in[i]->data != NULL);
    }
    if (!fixed && out->declared) {
        return ox_alias(ox, in, &out->declared_shape, in->type);
    }
    return ox_plan_slice(ox, in, &plan) && ox_alias(ox, in, &plan.shape, in->type);
}

static bool split(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    const struct ox_value *list = ox_in(ox, 1);
    int64_t sizes[256];
    uint32_t axis;
    if (in == NULL || !ox_axis(ox, ox_int(ox, "axis", 0), in->shape.rank, &axis)) {
        return false;
    }
    int count = list != NULL ? ox_data_ints(list, sizes, 256) : ox_ints(ox, "split", sizes, 256);
    if (count < 0) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "the sizes of the parts are not constant");
    }
    uint32_t parts = ox->node.outputs;
    uint64_t left = in->shape.dim[axis], each = parts > 0 ? sy_ceil_div(left, parts) : 0;
    struct ox_value **outs = ox->node.out;
    for (uint32_t i = 0; i < parts; i++) {
        struct ox_shape shape = in->shape;
        shape.dim[axis] = count > 0 && (int)i < count ? (uint64_t)sizes[i] : sy_min(each, left);
        if (shape.dim[axis] > left) {
            return ox_fail(ox, NULL, "the parts are larger than the dimension of %" PRIu64, in->shape.dim[axis]);
        }
        left -= shape.dim[axis];
        ox->node.out = outs + i; /* ox_alias makes output 0 */
        ox->node.outputs = 1;
        bool good = outs[i] == NULL || ox_alias(ox, in, &shape, in->type);
        if (outs[i] != NULL) {
            outs[i]->producer = NULL; /* a part: nothing can be fused behind the whole */
        }
        ox->node.out = outs;
        ox->node.outputs = parts;
        if (!good) {
            return false;
        }
    }
    return true;
}

/* ---- moves ---- */

static bool transpose(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    int64_t order[OX_MOST_RANK];
    bool seen[OX_MOST_RANK] = {false};
    int count = in != NULL ? ox_ints(ox, "perm", order, OX_MOST_RANK) : -1;
    if (count < 0) {
        return false;
    }
    struct ox_shape shape = {.rank = in->shape.rank};
    int64_t last = -1;
    bool moves = false;
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        uint32_t axis = in->shape.rank - 1 - i;
        if (count > 0 &&
            (count != (int)in->shape.rank || !ox_axis(ox, order[i], in->shape.rank, &axis) || seen[axis])) {
            return ox->status == SY_OK &&
                   ox_fail(ox, NULL, "perm is not an order of %" PRIu32 " dimensions", in->shape.rank);
        }
        seen[axis] = true;
        shape.dim[i] = in->shape.dim[axis];
        /* dimensions of size 1 move without bytes moving */
        moves = moves || (shape.dim[i] != 1 && (int64_t)axis < last);
        last = shape.dim[i] != 1 ? (int64_t)axis : last;
    }
    if (!moves) {
        return ox_alias(ox, in, &shape, in->type);
    }
    struct ox_value *out = ox_result(ox, 0, &shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

static bool concat(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_shape shape;
    const struct ox_value *first = ox_concat_shape(ox, 1, &shape);
    struct ox_value *out = first != NULL ? ox_result(ox, 0, &shape, first->type) : NULL;
    return out == NULL ? ox->status == SY_OK : ox_concat(ox, out);
}

/* The picked dimension gives way to the dimensions of the indices. */
static bool gather_shape(struct ox *ox, const struct ox_value *from, const struct ox_value *index, uint32_t axis,
                         struct ox_shape *shape)
{
    *shape = (struct ox_shape){.rank = 0};
    if (from->shape.rank - 1 + index->shape.rank > OX_MOST_RANK) {
        return ox_fail(ox, NULL, "more than 8 dimensions");
    }
    for (uint32_t i = 0; i < from->shape.rank; i++) {
        for (uint32_t j = 0; i == axis && j < index->shape.rank; j++) {
            shape->dim[shape->rank++] = index->shape.dim[j];
        }
        if (i != axis) {
            shape->dim[shape->rank++] = from->shape.dim[i];
        }
    }
    return true;
}

/* Rows of a table picked by index: an embedding, or a choice among activations. */
static bool gather(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *from = ox_need(ox, 0), *index = ox_need(ox, 1);
    struct ox_shape shape;
    uint32_t axis;
    if (from == NULL || index == NULL || !ox_axis(ox, ox_int(ox, "axis", 0), from->shape.rank, &axis) ||
        !gather_shape(ox, from, index, axis, &shape)) {
        return false;
    }
    ox->silent = ox->silent && !ox_looks_up(from, index, axis);
    if (index->constant && ox_count(&index->shape) == 1 && !ox->silent) {
        return ox_alias(ox, from, &shape, from->type); /* one fixed slice: a view */
    }
    struct ox_value *out = ox_result(ox, 0, &shape, from->type);
    if (out == NULL || ox_count(&shape) == 0) {
        return ox->status == SY_OK;
    }
    struct sy_layer layer;
    uint64_t cols = ox_product(&from->shape, axis + 1, from->shape.rank);
    ox_layer(ox, &layer, SY_OP_GATHER);
    layer.dim.gather = (struct sy_gather_dims){
        .rows = ox_count(&shape) / cols, .cols = cols, .table_rows = ox_product(&from->shape, 0, axis + 1)};
    layer.in[0] = ox_tensor(ox, index);
    layer.in[0].flags = 0;
    layer.in[1] = ox_tensor(ox, from);
    if (!ox->silent) {
        ox_mark_counted(from);
    }
    return ox_emit(ox, &layer, out, false);
}

/* Output like input `argument`, each element moved once. */
static bool move_like(struct ox *ox, int argument)
{
    struct ox_value *in = ox_need(ox, 0), *like = ox_need(ox, (uint32_t)argument);
    if (in == NULL || like == NULL) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &like->shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&like->shape));
}

/* The data stays where it is; the updates are written into it. */
static bool scatter(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *updates = ox_need(ox, 2);
    if (in == NULL || updates == NULL) {
        return false;
    }
    struct ox_value *out = ox_result(ox, 0, &in->shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, updates, out, ox_count(&updates->shape));
}

static bool gather_nd(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *index = ox_need(ox, 1);
    if (in == NULL || index == NULL) {
        return false;
    }
    uint64_t batch = (uint64_t)ox_int(ox, "batch_dims", 0);
    uint32_t last = index->shape.rank > 0 ? index->shape.rank - 1 : 0;
    uint64_t picked = index->shape.rank > 0 ? index->shape.dim[last] + batch : 0;
    if (index->shape.rank == 0 || picked > in->shape.rank || last + in->shape.rank - picked > OX_MOST_RANK) {
        return ox_fail(ox, NULL, "the indices do not fit the data");
    }
    struct ox_shape shape = {.rank = 0};
    for (uint32_t i = 0; i < last; i++) {
        shape.dim[shape.rank++] = index->shape.dim[i];
    }
    for (uint32_t i = (uint32_t)picked; i < in->shape.rank; i++) {
        shape.dim[shape.rank++] = in->shape.dim[i];
    }
    struct ox_value *out = ox_result(ox, 0, &shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

static bool tile(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *repeats = ox_need(ox, 1);
    struct ox_shape times, shape;
    if (in == NULL || repeats == NULL || !sizes_from(ox, repeats, &times)) {
        return false;
    }
    if (times.rank != in->shape.rank) {
        return ox_fail(ox, NULL, "%" PRIu32 " repeats for %" PRIu32 " dimensions", times.rank, in->shape.rank);
    }
    shape = in->shape;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (!sy_mul(shape.dim[i], times.dim[i], &shape.dim[i])) {
            return ox_fail(ox, NULL, "the sizes do not fit 64 bits");
        }
    }
    struct ox_value *out = ox_result(ox, 0, &shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

static bool pad_axis(struct ox *ox, struct ox_shape *shape, uint32_t axis, int64_t before, int64_t behind)
{
    int64_t limit = INT64_C(1) << 44;
    if (before > limit || before < -limit || behind > limit || behind < -limit ||
        (int64_t)shape->dim[axis] + before + behind < 0) {
        return ox_fail(ox, NULL, "padding %" PRId64 " and %" PRId64 " of dimension %" PRIu32, before, behind, axis);
    }
    shape->dim[axis] = (uint64_t)((int64_t)shape->dim[axis] + before + behind);
    return true;
}

static bool pad(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0);
    int64_t pads[2 * OX_MOST_RANK], axes[OX_MOST_RANK];
    const struct ox_value *list = ox_in(ox, 1), *axis_list = ox_in(ox, 3);
    if (in == NULL) {
        return false;
    }
    int count = list != NULL ? ox_data_ints(list, pads, 2 * OX_MOST_RANK) : ox_ints(ox, "pads", pads, 2 * OX_MOST_RANK);
    int padded = axis_list != NULL ? ox_data_ints(axis_list, axes, OX_MOST_RANK) : (int)in->shape.rank;
    if (padded < 0 || count != 2 * padded) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "the padding is not constant, or not two numbers a dimension");
    }
    struct ox_shape shape = in->shape;
    for (int i = 0; i < padded; i++) {
        uint32_t axis = 0;
        if (!ox_axis(ox, axis_list != NULL ? axes[i] : i, in->shape.rank, &axis) ||
            !pad_axis(ox, &shape, axis, pads[i], pads[i + padded])) {
            return false;
        }
    }
    if (memcmp(shape.dim, in->shape.dim, shape.rank * sizeof shape.dim[0]) == 0) {
        return ox_alias(ox, in, &shape, in->type);
    }
    struct ox_value *out = ox_result(ox, 0, &shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

/* argument: 1 = blocks of channels become pixels, 0 = the other way */
static bool depth_space(struct ox *ox, int to_space)
{
    struct ox_value *in = ox_need(ox, 0);
    int64_t block = ox_int(ox, "blocksize", 1);
    if (in == NULL) {
        return false;
    }
    struct ox_shape shape = in->shape;
    uint64_t b = block >= 1 && block < (1 << 20) ? (uint64_t)block : 0;
    uint64_t square = b * b;
    bool fits = in->shape.rank == 4 && b > 0;
    if (fits && to_space) {
        fits = shape.dim[1] % square == 0;
        shape.dim[1] /= square;
        shape.dim[2] *= b;
        shape.dim[3] *= b;
    } else if (fits) {
        fits = shape.dim[2] % b == 0 && shape.dim[3] % b == 0;
        shape.dim[1] *= square;
        shape.dim[2] /= b;
        shape.dim[3] /= b;
    }
    if (!fits) {
        return ox_fail(ox, NULL, "block size %" PRId64 " does not divide the input", block);
    }
    struct ox_value *out = ox_result(ox, 0, &shape, in->type);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

static bool one_hot(struct ox *ox, int argument)
{
    (void)argument;
    struct ox_value *in = ox_need(ox, 0), *depth = ox_need(ox, 1), *values = ox_in(ox, 2);
    int64_t size;
    if (in == NULL || depth == NULL) {
        return false;
    }
    if (ox_data_ints(depth, &size, 1) != 1 || size < 1 || in->shape.rank == OX_MOST_RANK) {
        return ox_fail(ox, NULL, "the depth is not a constant of at least 1");
    }
    struct ox_shape shape = {.rank = in->shape.rank + 1};
    int64_t axis = ox_int(ox, "axis", -1);
    uint32_t at;
    if (!ox_axis(ox, axis, shape.rank, &at)) {
        return false;
    }
    for (uint32_t i = 0, from = 0; i < shape.rank; i++) {
        shape.dim[i] = i == at ? (uint64_t)size : in->shape.dim[from++];
    }
    struct ox_value *out = ox_result(ox, 0, &shape, values != NULL ? values->type : OX_FLOAT);
    return out == NULL ? ox->status == SY_OK : ox_move(ox, in, out, ox_count(&shape));
}

const struct ox_operator ox_move_operators[] = {{"Shape", shape_of, 0},
                                                {"Size", size_of, 0},
                                                {"Constant", constant, 0},
                                                {"ConstantOfShape", constant_of_shape, 0},
                                                {"Range", range, 0},
                                                {"Identity", same_view, 0},
                                                {"Dropout", same_view, 0},
                                                {"Reshape", reshape, 0},
                                                {"Flatten", flatten, 0},
                                                {"Squeeze", squeeze, 0},
                                                {"Unsqueeze", unsqueeze, 0},
                                                {"Expand", expand, 0},
                                                {"Slice", slice, 0},
                                                {"Split", split, 0},
                                                {"Transpose", transpose, 0},
                                                {"Concat", concat, 0},
                                                {"Gather", gather, 0},
                                                {"GatherElements", move_like, 1},
                                                {"GatherND", gather_nd, 0},
                                                {"ScatterND", scatter, 0},
                                                {"ScatterElements", scatter, 0},
                                                {"Scatter", scatter, 0},
                                                {"ReverseSequence", move_like, 0},
                                                {"Trilu", move_like, 0},
                                                {"Tile", tile, 0},
                                                {"Pad", pad, 0},
                                                {"DepthToSpace", depth_space, 1},
                                                {"SpaceToDepth", depth_space, 0},
                                                {"OneHot", one_hot, 0},
                                                {NULL, NULL, 0}};
