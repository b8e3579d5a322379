/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and outputs of the node at hand, and the layers it becomes. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/import/onnx.h"

/* ---- inputs and outputs ---- */

struct ox_value *ox_in(const struct ox *ox, uint32_t index)
{
    return index < ox->node.inputs ? ox->node.in[index] : NULL;
}

struct ox_value *ox_need(struct ox *ox, uint32_t index)
{
    struct ox_value *value = ox_in(ox, index);
    if (value == NULL) {
        (void)ox_fail(ox, NULL, "input %" PRIu32 " is missing", index);
        return NULL;
    }
    if (!value->known && value->declared && ox->options->allow_unmodelled) {
        value->shape = value->declared_shape; /* behind an operator that was let through */
        value->known = true;
    }
    if (!value->known) {
        (void)ox_fail(ox, "nodes must stand behind those they read from; run ONNX shape inference on the model",
                      "the shape of input '%s' is not known", value->name);
        return NULL;
    }
    return value;
}

bool ox_axis(struct ox *ox, int64_t axis, uint32_t rank, uint32_t *out)
{
    int64_t at = axis < 0 ? axis + (int64_t)rank : axis;
    if (at < 0 || at >= (int64_t)rank) {
        return ox_fail(ox, NULL, "axis %" PRId64 " of a tensor with %" PRIu32 " dimensions", axis, rank);
    }
    *out = (uint32_t)at;
    return true;
}

struct ox_value *ox_result(struct ox *ox, uint32_t index, const struct ox_shape *shape, int type)
{
    uint64_t elements;
    struct ox_value *out = index < ox->node.outputs ? ox->node.out[index] : NULL;
    if (out == NULL || !ox_elements(ox, shape, &elements)) {
        return NULL;
    }
    if (out->known) {
        (void)ox_fail(ox, NULL, "value '%s' is made twice", out->name);
        return NULL;
    }
    out->shape = *shape;
    out->type = type;
    out->known = true;
    out->constant = ox->silent;
    out->order = ox->layers;
    uint32_t weights = 0;
    for (uint32_t i = 0; ox->silent && i < ox->node.inputs; i++) {
        struct ox_value *in = ox->node.in[i];
        if (in != NULL && in->weight && elements > 1 && ox_count(&in->shape) == elements) { /* not a part of it */
            out->origin = weights++ == 0 ? (in->origin != NULL ? in->origin : in) : NULL;
        }
        out->weight = out->weight || (in != NULL && in->weight);
    }
    return out;
}

bool ox_looks_up(const struct ox_value *table, const struct ox_value *index, uint32_t axis)
{
    bool real = table->type == OX_FLOAT || table->type == OX_FLOAT16 || table->type == OX_BFLOAT16;
    return table->weight && real && table->shape.rank == 2 && axis == 0 && ox_count(&index->shape) > 1;
}

bool ox_alias(struct ox *ox, struct ox_value *of, const struct ox_shape *shape, int type)
{
    struct ox_value *out = ox_result(ox, 0, shape, type);
    if (out == NULL) {
        return ox->status == SY_OK;
    }
    out->constant = of->constant;
    out->weight = of->weight;
    out->counted = of->counted;
    out->origin = of->origin;
    if (of->weight && of->origin == NULL && ox_count(&of->shape) == ox_count(shape)) {
        out->origin = of;
    }
    out->dequantized = of->dequantized;
    out->tensor = of->tensor;
    out->order = of->order;
    out->producer = of->uses == 1 ? of->producer : NULL;
    return true;
}

bool ox_broadcast(struct ox *ox, const struct ox_shape *a, const struct ox_shape *b, struct ox_shape *out)
{
    const struct ox_shape *longer = a->rank >= b->rank ? a : b;
    const struct ox_shape *shorter = a->rank >= b->rank ? b : a;
    uint32_t skip = longer->rank - shorter->rank;
    *out = *longer;
    for (uint32_t i = 0; i < shorter->rank; i++) {
        uint64_t x = longer->dim[skip + i], y = shorter->dim[i];
        if (x != y && x != 1 && y != 1) {
            return ox_fail(ox, NULL, "sizes %" PRIu64 " and %" PRIu64 " of dimension %" PRIu32 " do not broadcast", x,
                           y, skip + i);
        }
        out->dim[skip + i] = x == 1 ? y : x;
    }
    return true;
}

struct ox_value *ox_between(struct ox *ox, const char *suffix, uint64_t elements, int type)
{
    struct ox_value *value = sy_arena_alloc(ox->workload->arena, sizeof *value);
    const char *name = sy_arena_printf(ox->workload->arena, "%s%s", ox->node.name, suffix);
    if (value == NULL || name == NULL) {
        ox->status = SY_NOMEM;
        return NULL;
    }
    *value = (struct ox_value){.name = name,
                               .tensor = name,
                               .known = true,
                               .uses = 1,
                               .type = type,
                               .constant = ox->silent,
                               .shape = {.rank = 1, .dim = {elements}}};
    return value;
}

/* ---- precision ---- */

static enum sy_dtype file_dtype(int type)
{
    if (type >= OX_GROUPED) {
        return (enum sy_dtype)(type - OX_GROUPED);
    }
    switch (type) {
    case OX_FLOAT16:
        return SY_FP16;
    case OX_BFLOAT16:
        return SY_BF16;
    case OX_UINT8:
    case OX_INT8:
    case OX_BOOL:
        return SY_INT8;
    case OX_UINT16:
    case OX_INT16:
        return SY_INT16;
    case OX_INT32:
    case OX_UINT32:
    case OX_INT64:
    case OX_UINT64:
        return SY_INT32; /* indices and shapes: hardware has no wider integers */
    case OX_UINT4:
    case OX_INT4:
    case OX_FLOAT4:
        return SY_INT4;
    default:
        return type >= OX_FLOAT8_FIRST && type <= OX_FLOAT8_LAST ? SY_FP8 : SY_FP32;
    }
}

static bool is_real(int type)
{
    return type == OX_FLOAT || type == OX_FLOAT16 || type == OX_BFLOAT16 || type == OX_DOUBLE || type == 0;
}

enum sy_dtype ox_dtype(const struct ox *ox, const struct ox_value *value)
{
    enum sy_dtype file = file_dtype(value->type);
    if (!is_real(value->type)) {
        return file;
    }
    return value->weight ? sy_import_weight(ox->options, file) : sy_import_activation(ox->options, file);
}

enum sy_dtype ox_accumulator(const struct ox *ox, const struct ox_value *a)
{
    enum sy_dtype dtype = ox_dtype(ox, a);
    if (!is_real(a->type)) {
        return sy_dtypes[dtype].is_float ? SY_FP32 : SY_INT32;
    }
    return sy_import_accumulator(ox->options, dtype);
}

struct sy_tensor ox_tensor(const struct ox *ox, const struct ox_value *value)
{
    bool weight = value->weight && !ox_counted(value);
    return (struct sy_tensor){
        .name = value->tensor, .dtype = ox_dtype(ox, value), .flags = weight ? SY_TENSOR_WEIGHT : 0};
}

/* ---- layers ---- */

void ox_layer(struct ox *ox, struct sy_layer *layer, enum sy_op op)
{
    sy_layer_init(layer, op);
    layer->name = ox->node.name;
    layer->in[1].flags = 0;
}

bool ox_emit(struct ox *ox, struct sy_layer *layer, struct ox_value *out, bool fusable)
{
    if (ox->silent || out == NULL) {
        return ox->status == SY_OK;
    }
    layer->out = (struct sy_tensor){.name = out->tensor, .dtype = ox_dtype(ox, out)};
    for (uint32_t i = 0; i < layer->inputs; i++) {
        if (layer->in[i].name != NULL && *layer->in[i].name == '\0') {
            layer->in[i].name = NULL;
        }
    }
    enum sy_status status = sy_layer_check(layer, ox->path, ox->diag);
    status = status == SY_OK ? sy_workload_add_layer(ox->workload, layer) : status;
    if (status != SY_OK) {
        ox->status = ox->status == SY_OK ? status : ox->status;
        return false;
    }
    out->producer = fusable ? &ox->workload->last->layer : NULL;
    out->order = ++ox->layers;
    return true;
}

/* ---- fused functions ---- */

static bool can_fuse(const struct ox_value *value, uint32_t operands)
{
    return value->producer != NULL && value->uses == 1 && value->producer->epilogues < SY_MAX_EPILOGUE &&
           value->producer->inputs + operands <= SY_MAX_INPUTS;
}

/* Put a function behind the producer of `from`; operand may be NULL. */
static void fuse(struct ox *ox, struct ox_value *from, enum sy_function function, const struct ox_value *operand,
                 struct ox_value *out)
{
    struct sy_layer *layer = from->producer;
    layer->epilogue[layer->epilogues++] = function;
    if (operand != NULL) {
        layer->in[layer->inputs] = ox_tensor(ox, operand);
        layer->in[layer->inputs++].flags = 0;
    }
    layer->out.name = out->tensor;
    layer->out.dtype = ox_dtype(ox, out);
    out->producer = layer;
    out->order = from->order;
    from->producer = NULL;
}

/* Channels of one set of parameters behind a layer. */
static uint64_t channels_of(const struct sy_layer *layer)
{
    return layer->op == SY_OP_CONV ? layer->dim.conv.n : layer->dim.gemm.n;
}

/* A vector added along the channels of a product: its elements are the channels and it is broadcast over the rest. */
static bool is_bias(const struct ox_value *a, const struct ox_value *b)
{
    const struct sy_layer *layer = a->producer;
    if (layer == NULL || !b->weight || ox_counted(b) || ox_count(&b->shape) != channels_of(layer) ||
        (layer->op == SY_OP_GEMM && layer->dim.gemm.g > 1)) {
        return false;
    }
    uint32_t behind = a->shape.rank >= 2 && layer->op == SY_OP_CONV ? a->shape.rank - 2 : 0; /* dims after channels */
    uint32_t from_end = behind + 1;
    return b->shape.rank >= from_end && b->shape.dim[b->shape.rank - from_end] == ox_count(&b->shape);
}

/* The function with one operand a constant number. */
static enum sy_function with_number(enum sy_function function, bool number_first)
{
    switch ((int)function) {
    case SY_FN_ADD:
    case SY_FN_MUL:
        return SY_FN_SCALE;
    case SY_FN_SUB:
        return number_first ? SY_FN_NEG : SY_FN_SCALE;
    case SY_FN_DIV:
        return number_first ? SY_FN_RECIPROCAL : SY_FN_SCALE;
    case SY_FN_MAX:
    case SY_FN_MIN:
        return SY_FN_CLIP;
    default:
        return function;
    }
}

static bool own_layer(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b,
                      struct ox_value *out)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise.elements = ox_count(&out->shape);
    if (layer.dim.elementwise.elements == 0) {
        return true; /* an empty tensor */
    }
    layer.dim.elementwise.function = (uint64_t)function;
    layer.inputs = sy_functions[function].inputs;
    struct ox_value *in[2] = {a, b};
    for (uint32_t i = 0; i < layer.inputs && i < 2; i++) {
        struct ox_value *each = in[i] != NULL ? in[i] : a;
        uint64_t elements = ox_count(&each->shape);
        layer.dim.elementwise.operand[i] = elements != layer.dim.elementwise.elements ? elements : 0;
        layer.in[i] = ox_tensor(ox, each);
        /* single numbers and integers are not learnt */
        if (each->weight && elements > 1 && is_real(each->type)) {
            ox_mark_counted(each);
        } else {
            layer.in[i].flags = 0;
        }
    }
    return ox_emit(ox, &layer, out, false);
}

static bool two_inputs(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b,
                       struct ox_value *out)
{
    if (function == SY_FN_ADD && is_bias(a, b) && can_fuse(a, 0)) {
        ox_mark_counted(b);
        fuse(ox, a, SY_FN_BIAS, NULL, out);
        return true;
    }
    /* the later of the two products can take the other as an operand */
    uint64_t elements = ox_count(&out->shape);
    if (ox_count(&a->shape) == elements && ox_count(&b->shape) == elements && !a->constant && !b->constant) {
        struct ox_value *later = a->order >= b->order ? a : b;
        struct ox_value *other = later == a ? b : a;
        if (later != other && can_fuse(later, 1) && (other->order < later->order)) {
            fuse(ox, later, function, other, out);
            return true;
        }
    }
    return own_layer(ox, function, a, b, out);
}

bool ox_function(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b, struct ox_value *out)
{
    if (ox->silent || out == NULL) {
        return ox->status == SY_OK;
    }
    if (b != NULL && a->constant && !b->constant) {
        struct ox_value *swap = a;
        a = b;
        b = swap;
        function = ox_count(&b->shape) == 1 ? with_number(function, true) : function;
    }
    if (b != NULL && b->constant && ox_count(&b->shape) == 1) {
        function = with_number(function, false);
    }
    if (sy_functions[function].inputs == 2) {
        return two_inputs(ox, function, a, b != NULL ? b : a, out);
    }
    if (can_fuse(a, 0) && ox_count(&a->shape) == ox_count(&out->shape)) {
        fuse(ox, a, function, NULL, out);
        return true;
    }
    return own_layer(ox, function, a, NULL, out);
}

/* ---- single layers ---- */

bool ox_learnt(struct ox *ox, enum sy_function function, struct ox_value *a, struct ox_value *b, struct ox_value *out)
{
    struct sy_layer layer;
    if (ox->silent || ox_count(&out->shape) == 0) {
        return ox->status == SY_OK;
    }
    ox_layer(ox, &layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise = (struct sy_elementwise_dims){
        .elements = ox_count(&out->shape), .function = (uint64_t)function, .operand = {0, ox_count(&b->shape), 0}};
    layer.inputs = 2;
    layer.in[0] = ox_tensor(ox, a);
    layer.in[0].flags = 0;
    layer.in[1] = ox_tensor(ox, b);
    ox_mark_counted(b);
    return ox_emit(ox, &layer, out, false);
}

bool ox_norm(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t rows, uint64_t cols,
             enum sy_norm_kind kind, enum sy_affine affine)
{
    struct sy_layer layer;
    if (kind == SY_NORM_BATCH && affine == SY_AFFINE_USUAL && !ox->silent && out != NULL && can_fuse(a, 0) &&
        channels_of(a->producer) == cols) {
        fuse(ox, a, SY_FN_BN, NULL, out);
        return true;
    }
    ox_layer(ox, &layer, SY_OP_NORM);
    layer.dim.rows =
        (struct sy_rows_dims){.rows = rows, .cols = cols, .kind = (uint64_t)kind, .affine = (uint64_t)affine};
    layer.in[0] = ox_tensor(ox, a);
    return ox_emit(ox, &layer, out, false);
}

bool ox_reduce(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t rows, uint64_t cols,
               enum sy_function function)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_REDUCE);
    uint64_t elements = ox_count(&a->shape), whole;
    bool overlaps = !sy_mul(rows, cols, &whole) || whole != elements;
    layer.dim.rows = (struct sy_rows_dims){
        .rows = rows, .cols = cols, .kind = (uint64_t)function, .operand = overlaps ? elements : 0};
    layer.in[0] = ox_tensor(ox, a);
    layer.in[0].flags = 0;
    return ox_emit(ox, &layer, out, false);
}

bool ox_move(struct ox *ox, struct ox_value *a, struct ox_value *out, uint64_t elements)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_MOVE);
    layer.dim.move.elements = elements;
    layer.in[0] = ox_tensor(ox, a);
    layer.in[0].flags = 0;
    return elements == 0 || ox_emit(ox, &layer, out, false);
}

bool ox_gemm(struct ox *ox, const struct ox_product *p, struct ox_value *a, struct ox_value *b, struct ox_value *bias,
             struct ox_value *out)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_GEMM);
    layer.dim.gemm = (struct sy_gemm_dims){
        .g = p->g, .m = p->m, .k = p->k, .n = p->n, .shared_b = p->shared_b, .tied = b->weight && ox_counted(b)};
    layer.in[0] = ox_tensor(ox, a);
    layer.in[0].flags = 0;
    layer.in[1] = ox_tensor(ox, b);
    layer.in[1].flags = b->weight ? SY_TENSOR_WEIGHT : 0;
    layer.accumulator = ox_accumulator(ox, a);
    if (bias != NULL) {
        layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    }
    if (!ox_emit(ox, &layer, out, true)) {
        return false;
    }
    if (!ox->silent) { /* a product of constants is a constant, whose parameters count where it is used */
        ox_mark_counted(b);
        if (bias != NULL) {
            ox_mark_counted(bias);
        }
    }
    return true;
}

/* ---- parts beside each other ---- */

/* Up to four a layer. */
bool ox_concat(struct ox *ox, struct ox_value *out)
{
    struct sy_layer layer;
    ox_layer(ox, &layer, SY_OP_MOVE);
    layer.inputs = 0;
    for (uint32_t i = 0; i < ox->node.inputs; i++) {
        struct ox_value *in = ox->node.in[i];
        uint64_t elements = in != NULL ? ox_count(&in->shape) : 0;
        if (elements > 0) {
            layer.dim.move.operand[layer.inputs] = elements;
            layer.dim.move.elements += elements;
            layer.in[layer.inputs] = ox_tensor(ox, in);
            layer.in[layer.inputs++].flags = 0;
        }
        if (layer.inputs == SY_MAX_INPUTS || (i + 1 == ox->node.inputs && layer.inputs > 0)) {
            if (!ox_emit(ox, &layer, out, false)) {
                return false;
            }
            ox_layer(ox, &layer, SY_OP_MOVE);
            layer.inputs = 0;
        }
    }
    return true;
}

struct ox_value *ox_concat_shape(struct ox *ox, int64_t usual, struct ox_shape *shape)
{
    struct ox_value *first = ox_need(ox, 0);
    uint32_t axis = 0;
    if (first == NULL || !ox_axis(ox, ox_int(ox, "axis", usual), first->shape.rank, &axis)) {
        return NULL;
    }
    *shape = first->shape;
    shape->dim[axis] = 0;
    for (uint32_t i = 0; i < ox->node.inputs; i++) {
        const struct ox_value *in = ox_need(ox, i);
        if (in == NULL) {
            return NULL;
        }
        struct ox_shape other = in->shape;
        if (other.rank == shape->rank) {
            shape->dim[axis] += other.dim[axis];
            other.dim[axis] = shape->dim[axis];
        }
        if (other.rank != shape->rank || memcmp(other.dim, shape->dim, shape->rank * sizeof shape->dim[0]) != 0) {
            (void)ox_fail(ox, NULL, "input %" PRIu32 " has other sizes than the first", i);
            return NULL;
        }
    }
    return first;
}
