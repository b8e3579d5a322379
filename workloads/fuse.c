/* SPDX-License-Identifier: Apache-2.0 */
/* Depth-first fusion: which rows a strip needs, computes and keeps of every tensor of a group. See fuse.h. */
#include "workloads/fuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/lower.h"

/* ---- shapes ---- */

/* How rows of the output hang on rows of an input. */
struct rows_window {
    uint64_t stride, reach, above;
};
/* A tensor as a layer sees it: images, rows, elements of a row. */
struct shape {
    uint64_t images, rows, row_elements;
};

static struct rows_window window_of(const struct sy_layer *layer, uint32_t input)
{
    const struct sy_conv_dims *conv = &layer->dim.conv;
    const struct sy_pool_dims *pool = &layer->dim.pool;
    if (input == 0 && layer->op == SY_OP_CONV)
        return (struct rows_window){conv->sh, conv->dh * (conv->fh - 1) + 1, conv->pt};
    if (input == 0 && layer->op == SY_OP_POOL)
        return (struct rows_window){pool->sh, pool->fh, pool->pt};
    return (struct rows_window){1, 1, 0};
}

static struct shape input_shape(const struct sy_layer *layer)
{
    const struct sy_conv_dims *conv = &layer->dim.conv;
    const struct sy_pool_dims *pool = &layer->dim.pool;
    return layer->op == SY_OP_CONV ? (struct shape){conv->b, conv->h, conv->w * conv->c}
                                   : (struct shape){pool->b, pool->h, pool->w * pool->c};
}

static struct shape window_output_shape(const struct sy_layer *layer)
{
    uint64_t oh, ow;
    sy_layer_output_size(layer, &oh, &ow);
    bool conv = layer->op == SY_OP_CONV;
    return (struct shape){conv ? layer->dim.conv.b : layer->dim.pool.b, oh,
                          ow * (conv ? layer->dim.conv.n : layer->dim.pool.c)};
}

uint64_t sy_fuse_bytes(const struct sy_fuse_tensor *tensor, uint64_t rows)
{
    uint64_t bytes = 0;
    (void)sy_dtype_bytes(tensor->dtype, rows * tensor->row_elements, &bytes);
    return bytes;
}

/* ---- rows ---- */

/* Behind the last row of the input for rows up to `end` of the output; at least 1. */
static uint64_t needed_end(const struct rows_window *w, uint64_t end, uint64_t rows)
{
    uint64_t last = (end - 1) * w->stride + w->reach;
    return last > w->above ? sy_min(last - w->above, rows) : 1;
}

static uint64_t needed_begin(const struct rows_window *w, uint64_t begin, uint64_t rows)
{
    uint64_t first = begin * w->stride;
    return first > w->above ? sy_min(first - w->above, rows - 1) : 0;
}

/* Ends of the strip's rows, from the last layer back. The last strip leaves nothing uncomputed. */
static void strip_ends(const struct sy_fuse_plan *plan, uint64_t strip, uint64_t end[SY_FUSE_TENSORS])
{
    const struct sy_fuse_tensor *output = &plan->tensor[plan->output];
    memset(end, 0, plan->tensors * sizeof *end);
    end[plan->output] = sy_min((strip + 1) * plan->how.strip, output->rows);
    for (uint32_t i = plan->layers; i-- > 0;) {
        const struct sy_fuse_layer *layer = &plan->layer[i];
        if (strip + 1 == plan->strips)
            end[layer->output] = plan->tensor[layer->output].rows;
        for (uint32_t k = 0; k < layer->layer.inputs; k++) {
            const struct rows_window window = window_of(&layer->layer, k);
            int t = layer->input[k];
            if (t >= 0)
                end[t] = sy_max(end[t], needed_end(&window, end[layer->output], plan->tensor[t].rows));
        }
    }
}

void sy_fuse_strip(const struct sy_fuse_plan *plan, uint64_t strip, struct sy_fuse_rows *rows)
{
    bool again = plan->how.halo == SY_HALO_RECOMPUTE;
    memset(rows->before, 0, sizeof rows->before);
    if (strip > 0)
        strip_ends(plan, strip - 1, rows->before);
    strip_ends(plan, strip, rows->end);
    memcpy(rows->need, rows->end, sizeof rows->need);
    for (uint32_t i = plan->layers; i-- > 0;) {
        const struct sy_fuse_layer *layer = &plan->layer[i];
        uint32_t out = layer->output;
        rows->begin[out] = again ? sy_min(rows->need[out], rows->before[out]) : rows->before[out];
        if (out == plan->output)
            rows->need[out] = rows->begin[out] = rows->before[out];
        for (uint32_t k = 0; k < layer->layer.inputs && rows->begin[out] < rows->end[out]; k++) {
            const struct rows_window window = window_of(&layer->layer, k);
            int t = layer->input[k];
            if (t >= 0)
                rows->need[t] = sy_min(rows->need[t], needed_begin(&window, rows->begin[out], plan->tensor[t].rows));
        }
    }
    for (uint32_t t = 0; t < plan->tensors; t++)
        if (plan->tensor[t].producer < 0)
            rows->begin[t] = again ? rows->need[t] : sy_max(rows->need[t], rows->before[t]);
}

static void take_window(const struct sy_layer *whole, uint64_t begin, uint64_t end, struct sy_layer *strip)
{
    const struct rows_window window = window_of(whole, 0);
    uint64_t height = input_shape(whole).rows, last = (end - 1) * window.stride + window.reach;
    uint64_t low = needed_begin(&window, begin, height), high = needed_end(&window, end, height);
    uint64_t above = low + window.above - begin * window.stride;
    uint64_t below = last > high + window.above ? last - high - window.above : 0;
    if (whole->op == SY_OP_CONV) {
        struct sy_conv_dims *d = &strip->dim.conv;
        d->b = 1;
        d->h = high - low;
        d->pt = above;
        d->pb = below;
        d->oh = d->oh ? end - begin : 0;
        return;
    }
    struct sy_pool_dims *d = &strip->dim.pool;
    d->b = 1;
    d->h = high - low;
    d->pt = above;
    d->pb = below;
}

bool sy_fuse_take(const struct sy_fuse_plan *plan, const struct sy_fuse_rows *rows, uint32_t index,
                  struct sy_layer *strip)
{
    const struct sy_fuse_layer *layer = &plan->layer[index];
    uint64_t begin = rows->begin[layer->output], end = rows->end[layer->output];
    *strip = layer->layer;
    strip->fuse = (struct sy_fuse){0};
    if (begin >= end)
        return false;
    if (sy_fuse_is_single(plan))
        return true;
    if (layer->layer.op != SY_OP_ELEMENTWISE) {
        take_window(&layer->layer, begin, end, strip);
        return true;
    }
    strip->dim.elementwise.elements = (end - begin) * plan->tensor[layer->output].row_elements;
    memset(strip->dim.elementwise.operand, 0, sizeof strip->dim.elementwise.operand);
    return true;
}

/* ---- what may be fused ---- */

static enum sy_status refuse(char why[240], const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum sy_status refuse(char why[240], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, 240, format, args);
    va_end(args);
    return SY_UNSUPPORTED;
}

int sy_fuse_find(const struct sy_fuse_plan *plan, uint64_t key)
{
    for (uint32_t t = 0; key && t < plan->tensors; t++)
        if (plan->tensor[t].key == key)
            return (int)t;
    return -1;
}

static enum sy_status add_tensor(struct sy_fuse_plan *plan, uint64_t key, const struct sy_tensor *tensor, int producer,
                                 const struct shape *shape, uint32_t *index, char why[240])
{
    if (plan->tensors == SY_FUSE_TENSORS)
        return refuse(why, "the group has more than %d tensors", SY_FUSE_TENSORS);
    *index = plan->tensors++;
    plan->tensor[*index] = (struct sy_fuse_tensor){.key = key,
                                                   .name = tensor->name,
                                                   .rows = shape->rows,
                                                   .row_elements = shape->row_elements,
                                                   .dtype = tensor->dtype,
                                                   .producer = producer,
                                                   .first_user = UINT32_MAX};
    return SY_OK;
}

static enum sy_status take_operator(const struct sy_layer *layer, char why[240])
{
    if (layer->op != SY_OP_CONV && layer->op != SY_OP_POOL && layer->op != SY_OP_ELEMENTWISE)
        return refuse(why, "layer %s is %s: conv, pool and elementwise layers run in strips of rows, others do not",
                      layer->name, sy_ops[layer->op].name);
    if (layer->has_schedule)
        return refuse(why, "layer %s has a schedule of its own, which is for the whole layer", layer->name);
    if (layer->op == SY_OP_ELEMENTWISE)
        return SY_OK;
    struct rows_window window = window_of(layer, 0);
    uint64_t height = input_shape(layer).rows, rows = window_output_shape(layer).rows;
    uint64_t below = layer->op == SY_OP_CONV ? layer->dim.conv.pb : layer->dim.pool.pb;
    if (window.above >= window.reach || below >= window.reach || (rows - 1) * window.stride >= height + window.above)
        return refuse(why, "layer %s has a window that lies in the padding alone", layer->name);
    return SY_OK;
}

/* The shape the layer's input must have, and its output. */
static enum sy_status layer_shapes(const struct sy_fuse_plan *plan, const struct sy_fuse_layer *own, struct shape *in,
                                   struct shape *out, char why[240])
{
    const struct sy_layer *layer = &own->layer;
    const struct sy_elementwise_dims *d = &layer->dim.elementwise;
    if (layer->op != SY_OP_ELEMENTWISE) {
        *in = input_shape(layer);
        *out = window_output_shape(layer);
        return SY_OK;
    }
    for (uint32_t k = 0; k < sizeof d->operand / sizeof d->operand[0]; k++)
        if (d->operand[k] && d->operand[k] != d->elements)
            return refuse(why, "layer %s broadcasts an operand, which has no rows of its own", layer->name);
    for (uint32_t k = 0; k < layer->inputs; k++) {
        int t = sy_fuse_find(plan, own->input_key[k]);
        const struct sy_fuse_tensor *tensor = t >= 0 ? &plan->tensor[t] : NULL;
        if (tensor && tensor->rows * tensor->row_elements * plan->images == d->elements) {
            *in = *out = (struct shape){plan->images, tensor->rows, tensor->row_elements};
            return SY_OK;
        }
    }
    return refuse(why, "layer %s reads no tensor of its own size from the group, so its rows are not known",
                  layer->name);
}

static enum sy_status take_input(struct sy_fuse_plan *plan, uint32_t index, uint32_t k, const struct shape *shape,
                                 char why[240])
{
    struct sy_fuse_layer *own = &plan->layer[index];
    const struct sy_tensor *tensor = &own->layer.in[k];
    uint32_t t = 0;
    bool parameter = own->layer.op == SY_OP_CONV && k == 1;
    own->input[k] = -1;
    if (!own->input_key[k])
        return refuse(why, "input %u of layer %s has no name", k, own->layer.name);
    if (parameter)
        return SY_OK;
    if (tensor->flags & (SY_TENSOR_WEIGHT | SY_TENSOR_STATE))
        return refuse(why, "layer %s reads the %s %s elementwise", own->layer.name,
                      tensor->flags & SY_TENSOR_WEIGHT ? "parameter" : "state", tensor->name);
    int known = sy_fuse_find(plan, own->input_key[k]);
    enum sy_status status = SY_OK;
    if (known < 0)
        status = add_tensor(plan, own->input_key[k], tensor, -1, shape, &t, why);
    else
        t = (uint32_t)known;
    struct sy_fuse_tensor *mine = &plan->tensor[t];
    if (status == SY_OK && (mine->rows != shape->rows || mine->row_elements != shape->row_elements))
        return refuse(why, "layer %s reads %s as %llu rows of %llu elements, it has %llu of %llu", own->layer.name,
                      tensor->name, (unsigned long long)shape->rows, (unsigned long long)shape->row_elements,
                      (unsigned long long)mine->rows, (unsigned long long)mine->row_elements);
    own->input[k] = (int)t;
    mine->first_user = index < mine->first_user ? index : mine->first_user;
    mine->last_user = index;
    return status;
}

/* What the filters take as the array reads them. */
static enum sy_status weigh(struct sy_fuse_layer *own)
{
    struct sy_work work;
    uint64_t elements = 0;
    enum sy_status status = sy_lower(&own->layer, &work);
    const struct sy_matrix_item *item = &work.item[0].u.matrix;
    if (status != SY_OK || own->layer.op != SY_OP_CONV)
        return status;
    return sy_mul3(item->k, item->n, item->groups, &elements) && sy_dtype_bytes(item->b, elements, &own->weight_bytes)
               ? SY_OK
               : SY_OVERFLOW;
}

static enum sy_status take_layer(struct sy_fuse_plan *plan, uint32_t index, char why[240])
{
    struct sy_fuse_layer *own = &plan->layer[index];
    struct shape in, out;
    enum sy_status status = take_operator(&own->layer, why);
    if (status == SY_OK)
        status = layer_shapes(plan, own, &in, &out, why);
    if (status != SY_OK)
        return status;
    if ((status = weigh(own)) != SY_OK)
        return status;
    if (index == 0)
        plan->images = out.images;
    if (out.images != plan->images || in.images != plan->images)
        return refuse(why, "layer %s has %llu images, those before it %llu", own->layer.name,
                      (unsigned long long)out.images, (unsigned long long)plan->images);
    for (uint32_t k = 0; k < own->layer.inputs && status == SY_OK; k++)
        status = take_input(plan, index, k, k == 0 ? &in : &out, why);
    if (status != SY_OK)
        return status;
    if (!own->output_key)
        return refuse(why, "the output of layer %s has no name", own->layer.name);
    if (sy_fuse_find(plan, own->output_key) >= 0)
        return refuse(why, "layer %s writes over %s, which the group reads or made before", own->layer.name,
                      own->layer.out.name);
    return add_tensor(plan, own->output_key, &own->layer.out, (int)index, &out, &own->output, why);
}

/* Everything but the last output is read inside the group. */
static enum sy_status check_flow(const struct sy_fuse_plan *plan, char why[240])
{
    for (uint32_t t = 0; t < plan->tensors; t++) {
        const struct sy_fuse_tensor *tensor = &plan->tensor[t];
        if (tensor->producer >= 0 && t != plan->output && tensor->first_user == UINT32_MAX)
            return refuse(why, "%s of layer %s is read by no layer of the group", tensor->name,
                          plan->layer[tensor->producer].layer.name);
    }
    return SY_OK;
}

/* ---- what it takes ---- */

static void measure(struct sy_fuse_plan *plan)
{
    struct sy_fuse_rows rows;
    for (uint64_t strip = 0; strip < plan->strips; strip++) {
        sy_fuse_strip(plan, strip, &rows);
        for (uint32_t t = 0; t < plan->tensors; t++) {
            struct sy_fuse_tensor *tensor = &plan->tensor[t];
            uint64_t low = sy_min(rows.need[t], rows.begin[t]), held = sy_min(rows.before[t], rows.end[t]);
            tensor->most_rows = sy_max(tensor->most_rows, rows.end[t] - low);
            if (rows.begin[t] < rows.before[t])
                tensor->again_rows += rows.before[t] - rows.begin[t];
            if (plan->how.halo == SY_HALO_KEEP && held > low)
                tensor->halo_rows = sy_max(tensor->halo_rows, held - low);
            if (tensor->producer < 0)
                tensor->read_rows += rows.end[t] - sy_min(rows.begin[t], rows.end[t]);
        }
    }
}

enum sy_status sy_fuse_prepare(struct sy_fuse_plan *plan, char why[240])
{
    plan->how = plan->layer[0].layer.fuse;
    if (plan->layers < 2 || plan->layers > SY_FUSE_LAYERS || !plan->how.strip)
        return refuse(why, "a group has 2 to %d layers and strips of at least 1 row, this one %u and %llu",
                      SY_FUSE_LAYERS, plan->layers, (unsigned long long)plan->how.strip);
    if (plan->layer[0].layer.op == SY_OP_ELEMENTWISE)
        return refuse(why, "layer %s is elementwise: a group begins with a convolution or a pool",
                      plan->layer[0].layer.name);
    enum sy_status status = SY_OK;
    for (uint32_t i = 0; i < plan->layers && status == SY_OK; i++)
        status = take_layer(plan, i, why);
    if (status != SY_OK)
        return status;
    plan->output = plan->layer[plan->layers - 1].output;
    plan->strips = sy_ceil_div(plan->tensor[plan->output].rows, plan->how.strip);
    if (plan->strips > SY_FUSE_STRIPS)
        return refuse(why, "strips of %llu rows are more than %d an image", (unsigned long long)plan->how.strip,
                      SY_FUSE_STRIPS);
    if ((status = check_flow(plan, why)) == SY_OK)
        measure(plan);
    return status;
}

bool sy_fuse_is_single(const struct sy_fuse_plan *plan)
{
    return plan->strips == 1 && plan->images == 1;
}

/* Whether the tensor's place on chip lives from strip to strip. */
static bool carries(const struct sy_fuse_tensor *tensor)
{
    return tensor->halo_rows > 0;
}

bool sy_fuse_alive(const struct sy_fuse_tensor *tensor, uint32_t layer)
{
    uint32_t from = tensor->producer >= 0 ? (uint32_t)tensor->producer : tensor->first_user;
    return carries(tensor) || (layer >= from && layer <= tensor->last_user);
}

uint64_t sy_fuse_working_set(const struct sy_fuse_plan *plan)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < plan->layers; i++) {
        uint64_t bytes = 0;
        for (uint32_t t = 0; t < plan->tensors; t++)
            if (t != plan->output && sy_fuse_alive(&plan->tensor[t], i) &&
                !sy_add(bytes, sy_fuse_bytes(&plan->tensor[t], plan->tensor[t].most_rows), &bytes))
                return UINT64_MAX;
        most = sy_max(most, bytes);
    }
    return most;
}

uint64_t sy_fuse_halo_bytes(const struct sy_fuse_plan *plan)
{
    uint64_t bytes = 0;
    for (uint32_t t = 0; t < plan->tensors; t++)
        if (!sy_add(bytes, sy_fuse_bytes(&plan->tensor[t], plan->tensor[t].halo_rows), &bytes))
            return UINT64_MAX;
    return bytes;
}

bool sy_fuse_halo_macs(const struct sy_fuse_plan *plan, uint64_t *macs)
{
    uint64_t more = 0;
    *macs = 0;
    for (uint32_t i = 0; i < plan->layers; i++) {
        const struct sy_fuse_tensor *out = &plan->tensor[plan->layer[i].output];
        uint64_t row = sy_layer_macs(&plan->layer[i].layer) / plan->images / out->rows;
        if (!sy_mul3(row, out->again_rows, plan->images, &more) || !sy_add(*macs, more, macs))
            return false;
    }
    return true;
}
