/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/train.h"

#include <string.h>

#include "sim/base/checked.h"

struct backward {
    struct sy_workload *workload;
    const char *file;
    struct sy_diag *diag;
    enum sy_status status;
    const struct sy_layer *forward; /* the layer whose gradient is written now */
};

static const char *join(struct backward *bw, const char *name, const char *suffix)
{
    const char *text = sy_arena_printf(bw->workload->arena, "%s%s", name != NULL ? name : "", suffix);
    if (text == NULL) {
        bw->status = SY_NOMEM;
    }
    return text;
}

/* The gradient of a tensor: as large, in the format of activations, crossing iterations where the tensor does. */
static struct sy_tensor gradient(struct backward *bw, const struct sy_tensor *of)
{
    return (struct sy_tensor){.name = of->name != NULL ? join(bw, of->name, ".grad") : NULL,
                              .dtype = bw->forward->out.dtype,
                              .flags = of->flags & SY_TENSOR_SHARED};
}

static void start(struct backward *bw, struct sy_layer *layer, enum sy_op op, const char *suffix)
{
    sy_layer_init(layer, op);
    layer->name = join(bw, bw->forward->name, suffix);
    layer->accumulator = bw->forward->accumulator;
    layer->line = bw->forward->line;
    for (int i = 0; i < SY_MAX_INPUTS; i++) {
        layer->in[i] = (struct sy_tensor){.dtype = bw->forward->out.dtype};
    }
    layer->out.dtype = bw->forward->out.dtype;
}

static void finish(struct backward *bw, const struct sy_layer *layer)
{
    if (bw->status == SY_OK) {
        bw->status = sy_layer_check(layer, bw->file, bw->diag);
    }
    if (bw->status == SY_OK) {
        bw->status = sy_workload_add_layer(bw->workload, layer);
    }
}

/* ---- pieces ---- */

static void elementwise(struct backward *bw, const char *suffix, enum sy_function function, uint64_t elements,
                        const struct sy_tensor *a, const struct sy_tensor *b, const struct sy_tensor *y)
{
    struct sy_layer layer;
    start(bw, &layer, SY_OP_ELEMENTWISE, suffix);
    layer.dim.elementwise.elements = elements;
    layer.dim.elementwise.function = (uint64_t)function;
    layer.in[0] = *a;
    if (b != NULL) {
        layer.in[1] = *b;
        layer.inputs = 2;
    }
    layer.out = *y;
    finish(bw, &layer);
}

static void reduce(struct backward *bw, const char *suffix, uint64_t rows, uint64_t cols, const struct sy_tensor *a)
{
    struct sy_layer layer;
    start(bw, &layer, SY_OP_REDUCE, suffix);
    layer.dim.rows.rows = rows;
    layer.dim.rows.cols = cols;
    layer.in[0] = *a;
    layer.out.name = join(bw, layer.name, ".sum");
    finish(bw, &layer);
}

static void move(struct backward *bw, const char *suffix, uint64_t elements, const struct sy_tensor *a,
                 const struct sy_tensor *y)
{
    struct sy_layer layer;
    start(bw, &layer, SY_OP_MOVE, suffix);
    layer.dim.move.elements = elements;
    layer.in[0] = *a;
    layer.out = *y;
    finish(bw, &layer);
}

struct shape {
    uint64_t g, m, k, n;
};

static void product(struct backward *bw, const char *suffix, struct shape shape, const struct sy_tensor *a,
                    const struct sy_tensor *b, const struct sy_tensor *y)
{
    struct sy_layer layer;
    start(bw, &layer, SY_OP_GEMM, suffix);
    layer.dim.gemm = (struct sy_gemm_dims){.g = shape.g, .m = shape.m, .k = shape.k, .n = shape.n, .tied = 1};
    layer.in[0] = *a;
    layer.in[1] = *b;
    layer.out = *y;
    finish(bw, &layer);
}

/* One step of Adam on the parameters of the layer: 3 values a parameter written, 4 read. */
static void optimizer(struct backward *bw)
{
    uint64_t parameters = sy_layer_parameters(bw->forward);
    if (parameters == 0) {
        return;
    }
    struct sy_layer layer;
    start(bw, &layer, SY_OP_ELEMENTWISE, ".adam");
    if (!sy_mul(3, parameters, &layer.dim.elementwise.elements)) {
        bw->status = SY_OVERFLOW;
        return;
    }
    layer.dim.elementwise.function = SY_FN_ADAM;
    layer.dim.elementwise.operand[0] = parameters;
    layer.dim.elementwise.operand[1] = 2 * parameters;
    layer.dim.elementwise.operand[2] = parameters;
    layer.inputs = 3;
    layer.in[0].name = join(bw, bw->forward->name, ".w.grad");
    layer.in[1].name = join(bw, bw->forward->name, ".moments");
    layer.in[2].name = join(bw, bw->forward->name, ".master");
    layer.in[1].dtype = layer.in[2].dtype = layer.out.dtype = SY_FP32;
    layer.in[1].flags = layer.in[2].flags = layer.out.flags = SY_TENSOR_STATE;
    layer.out.name = join(bw, bw->forward->name, ".master");
    finish(bw, &layer);
}

/* ---- operators ---- */

/* Bias, activation and multiplied operands, last function first; additions pass the gradient on. */
static void epilogue(struct backward *bw, const struct sy_tensor *grad, uint64_t rows, uint64_t cols)
{
    const struct sy_layer *f = bw->forward;
    uint64_t elements = sy_layer_output_elements(f);
    struct sy_tensor saved = {.name = join(bw, f->name, ".saved"), .dtype = f->out.dtype};
    for (uint32_t i = f->epilogues; i > 0; i--) {
        enum sy_function function = f->epilogue[i - 1];
        if (function == SY_FN_BIAS) {
            reduce(bw, ".bias_grad", cols, rows, grad);
        } else if (function == SY_FN_BN) {
            elementwise(bw, ".bn_grad", SY_FN_MUL, elements, grad, &saved, grad);
            reduce(bw, ".bn_params_grad", 2 * cols, rows, grad);
        } else if (function == SY_FN_MUL) {
            elementwise(bw, ".mul_grad", SY_FN_MUL, elements, grad, &saved, grad);
            elementwise(bw, ".mul_operand_grad", SY_FN_MUL, elements, grad, &saved, grad);
        } else if (function != SY_FN_ADD && function != SY_FN_SUB) {
            elementwise(bw, ".function_grad", SY_FN_MUL, elements, grad, &saved, grad);
        }
    }
}

static void gemm_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    const struct sy_gemm_dims *d = &f->dim.gemm;
    struct sy_tensor dy = gradient(bw, &f->out), da = gradient(bw, &f->in[0]), db = gradient(bw, &f->in[1]);
    epilogue(bw, &dy, d->m, d->shared_b ? d->n : d->g * d->n);
    struct shape back = {d->g, d->m, d->n, d->k};
    struct shape weights = {d->shared_b ? 1 : d->g, d->k, d->shared_b ? d->g * d->m : d->m, d->n};
    if (d->shared_b) {
        back = (struct shape){1, d->g * d->m, d->n, d->k};
    }
    product(bw, ".a_grad", back, &dy, &f->in[1], &da);
    product(bw, ".b_grad", weights, &f->in[0], &dy, &db);
    optimizer(bw);
}

/* Products over the im2col matrix. */
static void conv_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    const struct sy_conv_dims *d = &f->dim.conv;
    struct sy_tensor dy = gradient(bw, &f->out), da = gradient(bw, &f->in[0]), db = gradient(bw, &f->in[1]);
    uint64_t oh, ow;
    sy_layer_output_size(f, &oh, &ow);
    uint64_t pixels = d->b * oh * ow, window = d->fh * d->fw * (d->c / d->groups), filters = d->n / d->groups;
    epilogue(bw, &dy, pixels, d->n);
    product(bw, ".a_grad", (struct shape){d->groups, pixels, filters, window}, &dy, &f->in[1], &da);
    product(bw, ".b_grad", (struct shape){d->groups, window, pixels, filters}, &f->in[0], &dy, &db);
    optimizer(bw);
}

static void attention_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    const struct sy_attention_dims *d = &f->dim.attention;
    struct sy_tensor dy = gradient(bw, &f->out), dq = gradient(bw, &f->in[0]), dk = gradient(bw, &f->in[1]),
                     dv = gradient(bw, &f->in[2]);
    struct sy_tensor p = {.name = join(bw, f->name, ".p"), .dtype = f->out.dtype};
    struct sy_tensor ds = {.name = join(bw, f->name, ".ds"), .dtype = f->out.dtype};
    uint64_t g = d->b * d->kv_heads, m = d->q_len * (d->heads / d->kv_heads), keys = sy_attention_keys(d);
    struct sy_layer softmax;
    product(bw, ".scores", (struct shape){g, m, d->head_dim, keys}, &f->in[0], &f->in[1], &p);
    start(bw, &softmax, SY_OP_SOFTMAX, ".softmax");
    softmax.dim.rows = (struct sy_rows_dims){.rows = g * m, .cols = keys};
    softmax.in[0] = softmax.out = p;
    finish(bw, &softmax);
    product(bw, ".v_grad", (struct shape){g, keys, m, d->value_dim}, &p, &dy, &dv);
    product(bw, ".p_grad", (struct shape){g, m, d->value_dim, keys}, &dy, &f->in[2], &ds);
    elementwise(bw, ".s_grad", SY_FN_MUL, g * m * keys, &ds, &p, &ds);
    product(bw, ".q_grad", (struct shape){g, m, keys, d->head_dim}, &ds, &f->in[1], &dq);
    product(bw, ".k_grad", (struct shape){g, keys, m, d->head_dim}, &ds, &f->in[0], &dk);
}

static void norm_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    struct sy_tensor dy = gradient(bw, &f->out), da = gradient(bw, &f->in[0]);
    struct sy_layer layer;
    start(bw, &layer, SY_OP_NORM, ".a_grad");
    layer.dim.rows = f->dim.rows;
    layer.dim.rows.affine = SY_AFFINE_NONE;
    layer.in[0] = dy;
    layer.out = da;
    finish(bw, &layer);
    if (sy_layer_parameters(f) > 0) {
        reduce(bw, ".params_grad", sy_layer_parameters(f), f->dim.rows.rows, &dy);
        optimizer(bw);
    }
}

static void elementwise_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    enum sy_function function = (enum sy_function)f->dim.elementwise.function;
    uint64_t elements = f->dim.elementwise.elements;
    struct sy_tensor dy = gradient(bw, &f->out), da = gradient(bw, &f->in[0]);
    if (function == SY_FN_ADD || function == SY_FN_SUB) {
        return; /* the gradient is passed on as it is */
    }
    if (function == SY_FN_ROTARY) {
        elementwise(bw, ".a_grad", SY_FN_ROTARY, elements, &dy, &f->in[1], &da);
        return;
    }
    elementwise(bw, ".a_grad", SY_FN_MUL, elements, &dy, &f->in[f->inputs - 1], &da);
    if (f->inputs > 1) {
        struct sy_tensor db = gradient(bw, &f->in[1]);
        elementwise(bw, ".b_grad", SY_FN_MUL, elements, &dy, &f->in[0], &db);
    }
    optimizer(bw);
}

/* Operators that only move or scale the gradient. */
static void simple_backward(struct backward *bw)
{
    const struct sy_layer *f = bw->forward;
    struct sy_tensor dy = gradient(bw, &f->out), da = gradient(bw, &f->in[0]);
    if (f->op == SY_OP_GATHER) {
        struct sy_tensor table = gradient(bw, &f->in[1]);
        elementwise(bw, ".scatter_add", SY_FN_ADD, sy_layer_output_elements(f), &dy, &table, &table);
        optimizer(bw);
    } else if (f->op == SY_OP_SOFTMAX) {
        elementwise(bw, ".mul", SY_FN_MUL, sy_layer_output_elements(f), &dy, &f->out, &da);
        reduce(bw, ".sum", f->dim.rows.rows, f->dim.rows.cols, &da);
        elementwise(bw, ".a_grad", SY_FN_SUB, sy_layer_output_elements(f), &da, &f->out, &da);
    } else {
        move(bw, ".a_grad", sy_layer_input_elements(f, 0), &dy, &da); /* POOL, REDUCE, MOVE */
    }
}

static void layer_backward(struct backward *bw, const struct sy_layer *layer)
{
    struct sy_where where = {.file = bw->file, .line = layer->line};
    bw->forward = layer;
    switch (layer->op) {
    case SY_OP_GEMM:
        gemm_backward(bw);
        break;
    case SY_OP_CONV:
        conv_backward(bw);
        break;
    case SY_OP_ATTENTION:
        attention_backward(bw);
        break;
    case SY_OP_NORM:
        norm_backward(bw);
        break;
    case SY_OP_ELEMENTWISE:
        elementwise_backward(bw);
        break;
    case SY_OP_POOL:
    case SY_OP_SOFTMAX:
    case SY_OP_REDUCE:
    case SY_OP_GATHER:
    case SY_OP_MOVE:
        simple_backward(bw);
        break;
    case SY_OP_COLLECTIVE:
    case SY_OP_COUNT:
        (void)sy_error(bw->diag, where, NULL, "layer '%s': a %s has no modelled gradient",
                       layer->name != NULL ? layer->name : "", sy_ops[layer->op].name);
        bw->status = SY_UNSUPPORTED;
        break;
    }
}

/* How often the block that `end` closes repeats. */
static uint64_t block_times(struct sy_workload_record *const *records, uint64_t end)
{
    uint64_t depth = 0;
    for (uint64_t i = end; i-- > 0;) {
        if (records[i]->kind == SY_RECORD_END_REPEAT) {
            depth++;
        } else if (records[i]->kind == SY_RECORD_REPEAT && depth-- == 0) {
            return records[i]->repeat;
        }
    }
    return 1;
}

enum sy_status sy_workload_add_backward(struct sy_workload *workload, const char *file, struct sy_diag *diag)
{
    struct backward bw = {.workload = workload, .file = file, .diag = diag};
    uint64_t count = workload->records;
    if (workload->depth != 0) {
        return SY_STATE;
    }
    struct sy_workload_record **records = sy_arena_array(workload->arena, count, sizeof(struct sy_workload_record *));
    if (records == NULL && count > 0) {
        return SY_NOMEM;
    }
    uint64_t at = 0;
    for (struct sy_workload_record *record = workload->first; record != NULL; record = record->next) {
        records[at++] = record;
    }
    while (at-- > 0 && bw.status == SY_OK) {
        if (records[at]->kind == SY_RECORD_END_REPEAT) {
            bw.status = sy_workload_add_repeat(workload, block_times(records, at));
        } else if (records[at]->kind == SY_RECORD_REPEAT) {
            bw.status = sy_workload_end_repeat(workload);
        } else {
            layer_backward(&bw, &records[at]->layer);
        }
    }
    return bw.status;
}
