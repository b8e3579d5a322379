/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/import/build.h"

#include <stdio.h>
#include <string.h>

static const char *full_name(struct sy_builder *builder, const char *name)
{
    if (*name == '/') {
        return name + 1;
    }
    const char *full = sy_arena_printf(builder->workload->arena, "%s%s", builder->prefix, name);
    if (full == NULL) {
        builder->status = SY_NOMEM;
        return name;
    }
    return full;
}

static struct sy_tensor tensor(struct sy_builder *builder, const char *name, enum sy_dtype dtype, uint32_t flags)
{
    return (struct sy_tensor){.name = full_name(builder, name),
                              .dtype = dtype,
                              .flags = flags | (*name == '/' ? (uint32_t)SY_TENSOR_SHARED : 0)};
}

static struct sy_tensor weight_of(struct sy_builder *builder, const char *name, const char *suffix, enum sy_dtype dtype)
{
    const char *full = sy_arena_printf(builder->workload->arena, "%s%s%s", builder->prefix, name, suffix);
    if (full == NULL) {
        builder->status = SY_NOMEM;
    }
    return (struct sy_tensor){.name = full, .dtype = dtype, .flags = SY_TENSOR_WEIGHT};
}

static bool start(struct sy_builder *builder, struct sy_layer *layer, enum sy_op op, const char *name, const char *y)
{
    if (builder->status != SY_OK) {
        return false;
    }
    sy_layer_init(layer, op);
    layer->name = full_name(builder, name);
    layer->accumulator = builder->accumulator;
    layer->out = tensor(builder, y, builder->activation, 0);
    return true;
}

static void finish(struct sy_builder *builder, const struct sy_layer *layer)
{
    if (builder->status == SY_OK) {
        builder->status = sy_import_add(builder->workload, layer, builder->path, builder->diag);
    }
}

static void fuse(struct sy_layer *layer, enum sy_function function)
{
    layer->epilogue[layer->epilogues++] = function;
}

static void fuse_operand(struct sy_builder *builder, struct sy_layer *layer, enum sy_function function,
                         const char *operand)
{
    if (operand != NULL) {
        fuse(layer, function);
        layer->in[layer->inputs++] = tensor(builder, operand, builder->activation, 0);
    }
}

void sy_build_gemm(struct sy_builder *builder, const struct sy_build_gemm *spec)
{
    struct sy_layer layer;
    if (!start(builder, &layer, SY_OP_GEMM, spec->name, spec->y)) {
        return;
    }
    layer.dim.gemm = (struct sy_gemm_dims){.g = spec->g != 0 ? spec->g : 1,
                                           .m = spec->m,
                                           .k = spec->k,
                                           .n = spec->n,
                                           .experts = spec->experts,
                                           .tied = spec->tied};
    layer.in[0] = tensor(builder, spec->a, builder->activation, 0);
    enum sy_dtype weight = spec->unquantized ? builder->table : builder->weight;
    if (spec->b == NULL) {
        layer.in[1] = weight_of(builder, spec->name, ".w", weight);
    } else {
        layer.in[1] = tensor(builder, spec->b, spec->b_is_weight ? weight : builder->activation,
                             spec->b_is_weight ? SY_TENSOR_WEIGHT : 0);
    }
    if (spec->bias) {
        fuse(&layer, SY_FN_BIAS);
    }
    if (spec->function != SY_NO_FUNCTION) {
        fuse(&layer, spec->function);
    }
    fuse_operand(builder, &layer, SY_FN_MUL, spec->mul);
    fuse_operand(builder, &layer, SY_FN_ADD, spec->add);
    finish(builder, &layer);
}

void sy_build_norm(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t rows,
                   uint64_t cols, enum sy_norm_kind kind)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_NORM, name, y)) {
        layer.dim.rows = (struct sy_rows_dims){.rows = rows, .cols = cols, .kind = (uint64_t)kind};
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        finish(builder, &layer);
    }
}

void sy_build_elementwise(struct sy_builder *builder, const char *name, enum sy_function function, const char *a,
                          const char *b, uint64_t b_elements, const char *y, uint64_t elements)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_ELEMENTWISE, name, y)) {
        layer.dim.elementwise = (struct sy_elementwise_dims){
            .elements = elements, .function = (uint64_t)function, .operand = {0, b_elements, 0}};
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        if (b != NULL) {
            layer.in[1] = tensor(builder, b, builder->activation, 0);
            layer.inputs = 2;
        }
        finish(builder, &layer);
    }
}

void sy_build_gather(struct sy_builder *builder, const char *name, const char *indices, const char *table,
                     const char *y, uint64_t rows, uint64_t cols, uint64_t table_rows)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_GATHER, name, y)) {
        layer.dim.gather = (struct sy_gather_dims){.rows = rows, .cols = cols, .table_rows = table_rows};
        layer.in[0] = tensor(builder, indices, SY_INT32, 0);
        layer.in[1] = table == NULL ? weight_of(builder, name, ".table", builder->table)
                                    : tensor(builder, table, builder->activation, 0);
        finish(builder, &layer);
    }
}

void sy_build_softmax(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t rows,
                      uint64_t cols)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_SOFTMAX, name, y)) {
        layer.dim.rows = (struct sy_rows_dims){.rows = rows, .cols = cols};
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        finish(builder, &layer);
    }
}

void sy_build_reduce(struct sy_builder *builder, const char *name, const char *a, uint64_t a_elements, const char *y,
                     uint64_t rows, uint64_t cols, enum sy_function function)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_REDUCE, name, y)) {
        layer.dim.rows =
            (struct sy_rows_dims){.rows = rows, .cols = cols, .kind = (uint64_t)function, .operand = a_elements};
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        finish(builder, &layer);
    }
}

void sy_build_move(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t elements,
                   bool state)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_MOVE, name, y)) {
        layer.dim.move.elements = elements;
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        if (state) {
            layer.out.flags |= SY_TENSOR_STATE;
            layer.out.dtype = builder->kv;
        }
        finish(builder, &layer);
    }
}

void sy_build_attention(struct sy_builder *builder, const char *name, const char *q, const char *k, const char *v,
                        const char *y, const struct sy_attention_dims *dims, bool state)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_ATTENTION, name, y)) {
        enum sy_dtype dtype = state ? builder->kv : builder->activation;
        uint32_t flags = state ? SY_TENSOR_STATE : 0;
        layer.dim.attention = *dims;
        layer.in[0] = tensor(builder, q, builder->activation, 0);
        layer.in[1] = tensor(builder, k, dtype, flags);
        layer.in[2] = tensor(builder, v, dtype, flags);
        finish(builder, &layer);
    }
}

void sy_build_conv(struct sy_builder *builder, const char *name, const char *a, const char *y,
                   const struct sy_conv_dims *dims)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_CONV, name, y)) {
        layer.dim.conv = *dims;
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        layer.in[1] = weight_of(builder, name, ".w", builder->weight);
        fuse(&layer, SY_FN_BIAS);
        finish(builder, &layer);
    }
}

void sy_build_collective(struct sy_builder *builder, const char *name, const char *a, const char *y, uint64_t elements,
                         uint64_t ranks, enum sy_collective_kind kind)
{
    struct sy_layer layer;
    if (start(builder, &layer, SY_OP_COLLECTIVE, name, y)) {
        layer.dim.collective =
            (struct sy_collective_dims){.elements = elements, .ranks = ranks, .kind = (uint64_t)kind};
        layer.in[0] = tensor(builder, a, builder->activation, 0);
        finish(builder, &layer);
    }
}

void sy_build_repeat(struct sy_builder *builder, uint64_t times)
{
    if (builder->status == SY_OK) {
        builder->status = sy_workload_add_repeat(builder->workload, times);
    }
}

void sy_build_end_repeat(struct sy_builder *builder)
{
    if (builder->status == SY_OK) {
        builder->status = sy_workload_end_repeat(builder->workload);
    }
}

void sy_build_prefix(struct sy_builder *builder, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    builder->prefix = sy_arena_strdup(builder->workload->arena, text);
    if (builder->prefix == NULL) {
        builder->prefix = "";
        builder->status = SY_NOMEM;
    }
}
