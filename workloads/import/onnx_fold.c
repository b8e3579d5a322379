/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants computed at import: the arithmetic that exporters write around
 * Shape to build the arguments of Reshape, Slice, Expand and the like. Numbers
 * are doubles: sizes are far below 2^53, where those are exact; the largest
 * int64 that Slice uses for "to the end" stays larger than any size.
 */
#include <math.h>
#include <string.h>

#include "workloads/import/onnx.h"

int ox_data_ints(const struct ox_value *value, int64_t *out, int most)
{
    uint64_t count = value != NULL && value->known ? ox_count(&value->shape) : 0;
    if (value == NULL || value->data == NULL || count > (uint64_t)most) {
        return -1;
    }
    for (uint64_t i = 0; i < count; i++) {
        double number = value->data[i];
        out[i] = number >= 9.2e18      ? INT64_MAX
                 : number <= -9.2e18   ? INT64_MIN
                 : !(number == number) ? 0
                                       : (int64_t)number;
    }
    return (int)count;
}

/* ---- elementwise ---- */

enum { MOST_INPUTS = 3 };

/* Position in a value's data of an element of the output it is broadcast to. */
static uint64_t offset_in(const struct ox_value *value, const struct ox_shape *out, uint64_t index)
{
    uint64_t offset = 0, stride = 1;
    for (uint32_t i = 0; i < out->rank; i++) {
        uint64_t at = index % out->dim[out->rank - 1 - i];
        index /= out->dim[out->rank - 1 - i];
        if (i < value->shape.rank) {
            uint64_t size = value->shape.dim[value->shape.rank - 1 - i];
            offset += (size == 1 ? 0 : at) * stride;
            stride *= size;
        }
    }
    return offset;
}

static bool is_whole(int type)
{
    return type != OX_FLOAT && type != OX_FLOAT16 && type != OX_DOUBLE && type != OX_BFLOAT16;
}

enum arithmetic {
    ADD,
    SUB,
    MUL,
    DIV,
    MOD,
    POW,
    MIN,
    MAX,
    EQUAL,
    LESS,
    LESS_EQUAL,
    GREATER,
    GREATER_EQUAL,
    AND,
    OR,
    WHERE,
    COPY,
    CAST,
    FLOOR,
    CEIL,
    ROUND,
    NEG,
    ABS,
    SQRT,
    NOT,
    RECIPROCAL
};

static double compare(enum arithmetic op, double a, double b)
{
    switch ((int)op) {
    case EQUAL:
        return a == b;
    case LESS:
        return a < b;
    case LESS_EQUAL:
        return a <= b;
    case GREATER:
        return a > b;
    case GREATER_EQUAL:
        return a >= b;
    case AND:
        return a != 0 && b != 0;
    default:
        return a != 0 || b != 0;
    }
}

static double two(enum arithmetic op, double a, double b, bool whole)
{
    switch ((int)op) {
    case ADD:
        return a + b;
    case SUB:
        return a - b;
    case MUL:
        return a * b;
    case DIV:
        return b == 0 ? 0 : whole ? trunc(a / b) : a / b;
    case MOD:
        return b == 0 ? 0 : a - floor(a / b) * b;
    case POW:
        return pow(a, b);
    case MIN:
        return a < b ? a : b;
    case MAX:
        return a > b ? a : b;
    default:
        return compare(op, a, b);
    }
}

static double one(enum arithmetic op, double a, bool whole)
{
    switch ((int)op) {
    case CAST:
        return whole ? trunc(a) : a;
    case FLOOR:
        return floor(a);
    case CEIL:
        return ceil(a);
    case ROUND:
        return nearbyint(a);
    case NEG:
        return -a;
    case ABS:
        return fabs(a);
    case SQRT:
        return a < 0 ? 0 : sqrt(a);
    case NOT:
        return a == 0;
    case RECIPROCAL:
        return a == 0 ? 0 : 1 / a;
    default:
        return a;
    }
}

static void elementwise(const struct ox *ox, enum arithmetic op, struct ox_value *out)
{
    bool whole = is_whole(out->type);
    uint64_t count = ox_count(&out->shape);
    uint32_t inputs = ox->node.inputs < MOST_INPUTS ? ox->node.inputs : MOST_INPUTS;
    for (uint64_t i = 0; i < count; i++) {
        double v[MOST_INPUTS] = {0};
        for (uint32_t j = 0; j < inputs; j++) {
            const struct ox_value *in = ox->node.in[j];
            v[j] = in == NULL ? 0 : in->data[op >= COPY && j == 0 ? i : offset_in(in, &out->shape, i)];
            if (op >= COPY) {
                break; /* further inputs are axes and the like */
            }
        }
        out->data[i] = op == WHERE  ? (v[0] != 0 ? v[1] : v[2])
                       : op >= COPY ? one(op, v[0], whole)
                                    : two(op, v[0], v[1], whole);
    }
}

/* ---- data movement ---- */

static bool gather(struct ox *ox, struct ox_value *out)
{
    const struct ox_value *from = ox->node.in[0], *index = ox->node.in[1];
    uint32_t axis;
    if (!ox_axis(ox, ox_int(ox, "axis", 0), from->shape.rank, &axis)) {
        return false;
    }
    uint64_t inner = ox_product(&from->shape, axis + 1, from->shape.rank), picks = ox_count(&index->shape);
    uint64_t size = from->shape.dim[axis], count = ox_count(&out->shape);
    for (uint64_t i = 0; i < count; i++) {
        double pick = index->data[i / inner % picks];
        pick += pick < 0 ? (double)size : 0;
        if (!(pick >= 0 && pick < (double)size)) {
            return ox_fail(ox, NULL, "index %g is outside a dimension of %llu", pick, (unsigned long long)size);
        }
        uint64_t outer = i / inner / picks;
        out->data[i] = from->data[(outer * size + (uint64_t)pick) * inner + i % inner];
    }
    return true;
}

static bool concat(struct ox *ox, struct ox_value *out)
{
    uint32_t axis;
    if (!ox_axis(ox, ox_int(ox, "axis", 0), out->shape.rank, &axis)) {
        return false;
    }
    uint64_t outer = ox_product(&out->shape, 0, axis), row = ox_product(&out->shape, axis, out->shape.rank), at = 0;
    for (uint32_t j = 0; j < ox->node.inputs; j++) {
        const struct ox_value *in = ox->node.in[j];
        if (in == NULL) {
            continue;
        }
        uint64_t part = ox_product(&in->shape, axis, in->shape.rank);
        for (uint64_t i = 0; i < outer; i++) {
            memcpy(out->data + i * row + at, in->data + i * part, part * sizeof(double));
        }
        at += part;
    }
    return true;
}

static bool slice(struct ox *ox, struct ox_value *out)
{
    const struct ox_value *from = ox->node.in[0];
    struct ox_slice plan;
    if (!ox_plan_slice(ox, from, &plan)) {
        return false;
    }
    uint64_t count = ox_count(&out->shape);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t rest = i, offset = 0, stride = 1;
        for (uint32_t d = out->shape.rank; d-- > 0;) {
            uint64_t at = rest % out->shape.dim[d];
            rest /= out->shape.dim[d];
            offset += (uint64_t)(plan.start[d] + (int64_t)at * plan.step[d]) * stride;
            stride *= from->shape.dim[d];
        }
        out->data[i] = from->data[offset];
    }
    return true;
}

/* All elements into one number. */
static void reduce(const struct ox *ox, enum arithmetic op, struct ox_value *out)
{
    const struct ox_value *in = ox->node.in[0];
    uint64_t count = ox_count(&in->shape);
    double result = count > 0 ? in->data[0] : op == MUL ? 1 : 0;
    for (uint64_t i = 1; i < count; i++) {
        result = two(op, result, in->data[i], true);
    }
    out->data[0] = result;
}

/* ---- the choice ---- */

static const struct {
    const char *name;
    enum arithmetic op;
} elementwise_names[] = {
    {"Add", ADD},
    {"Sub", SUB},
    {"Mul", MUL},
    {"Div", DIV},
    {"Mod", MOD},
    {"Pow", POW},
    {"Min", MIN},
    {"Max", MAX},
    {"Equal", EQUAL},
    {"Less", LESS},
    {"LessOrEqual", LESS_EQUAL},
    {"Greater", GREATER},
    {"GreaterOrEqual", GREATER_EQUAL},
    {"And", AND},
    {"Or", OR},
    {"Where", WHERE},
    {"Identity", COPY},
    {"Cast", CAST},
    {"Floor", FLOOR},
    {"Ceil", CEIL},
    {"Round", ROUND},
    {"Neg", NEG},
    {"Abs", ABS},
    {"Sqrt", SQRT},
    {"Not", NOT},
    {"Reciprocal", RECIPROCAL},
    {"Squeeze", COPY},
    {"Unsqueeze", COPY},
    {"Reshape", COPY},
    {"Flatten", COPY},
};
static const struct {
    const char *name;
    enum arithmetic op;
} reduce_names[] = {{"ReduceProd", MUL}, {"ReduceSum", ADD}, {"ReduceMax", MAX}, {"ReduceMin", MIN}};

static bool compute(struct ox *ox, struct ox_value *out, bool *done)
{
    const char *op = ox->node.op;
    *done = true;
    for (size_t i = 0; i < sizeof elementwise_names / sizeof elementwise_names[0]; i++) {
        if (strcmp(op, elementwise_names[i].name) == 0) {
            *done = ox->node.inputs <= 2 || elementwise_names[i].op == WHERE || elementwise_names[i].op >= COPY;
            if (*done) {
                elementwise(ox, elementwise_names[i].op, out);
            }
            return true;
        }
    }
    for (size_t i = 0; i < sizeof reduce_names / sizeof reduce_names[0]; i++) {
        if (strcmp(op, reduce_names[i].name) == 0 && ox_count(&out->shape) == 1) {
            reduce(ox, reduce_names[i].op, out);
            return true;
        }
    }
    if (strcmp(op, "Gather") == 0) {
        return gather(ox, out);
    }
    if (strcmp(op, "Concat") == 0) {
        return concat(ox, out);
    }
    if (strcmp(op, "Slice") == 0) {
        return slice(ox, out);
    }
    if (strcmp(op, "Expand") == 0) {
        for (uint64_t i = 0; i < ox_count(&out->shape); i++) {
            out->data[i] = ox->node.in[0]->data[offset_in(ox->node.in[0], &out->shape, i)];
        }
        return true;
    }
    *done = false;
    return true;
}

bool ox_fold(struct ox *ox)
{
    struct ox_value *out = ox->node.outputs > 0 ? ox->node.out[0] : NULL;
    if (!ox->silent || out == NULL || !out->known || out->data != NULL || ox_count(&out->shape) > OX_MOST_DATA ||
        ox->node.inputs == 0 || ox->node.in[0] == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < ox->node.inputs; i++) {
        if (ox->node.in[i] != NULL && ox->node.in[i]->data == NULL) {
            return true;
        }
    }
    bool done;
    out->data = sy_arena_array(ox->workload->arena, ox_count(&out->shape) + 1, sizeof *out->data);
    if (out->data == NULL) {
        ox->status = SY_NOMEM;
        return false;
    }
    bool good = compute(ox, out, &done);
    if (!done) {
        out->data = NULL;
    }
    return good;
}
