/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/workload.h"

#include <string.h>

#include "sim/base/checked.h"

enum sy_status sy_workload_create(const char *name, struct sy_workload **workload)
{
    *workload = NULL;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    if (arena == NULL) {
        return SY_NOMEM;
    }
    struct sy_workload *made = sy_arena_alloc(arena, sizeof *made);
    char *copy = sy_arena_strdup(arena, name != NULL ? name : "");
    if (made == NULL || copy == NULL) {
        sy_arena_destroy(arena);
        return SY_NOMEM;
    }
    made->arena = arena;
    made->name = copy;
    *workload = made;
    return SY_OK;
}

void sy_workload_destroy(struct sy_workload *workload)
{
    if (workload != NULL) {
        sy_arena_destroy(workload->arena);
    }
}

static struct sy_workload_record *append(struct sy_workload *workload, enum sy_record_kind kind)
{
    struct sy_workload_record *record = sy_arena_alloc(workload->arena, sizeof *record);
    if (record == NULL) {
        return NULL;
    }
    record->kind = kind;
    if (workload->last == NULL) {
        workload->first = record;
    } else {
        workload->last->next = record;
    }
    workload->last = record;
    workload->records++;
    return record;
}

static bool copy_name(struct sy_workload *workload, const char **name)
{
    if (*name == NULL) {
        return true;
    }
    *name = sy_arena_strdup(workload->arena, *name);
    return *name != NULL;
}

enum sy_status sy_workload_add_layer(struct sy_workload *workload, const struct sy_layer *layer)
{
    struct sy_layer copy = *layer;
    bool held = copy_name(workload, &copy.name) && copy_name(workload, &copy.out.name);
    for (uint32_t i = 0; i < copy.inputs && i < SY_MAX_INPUTS; i++) {
        held = held && copy_name(workload, &copy.in[i].name);
    }
    if (copy.op == SY_OP_ATTENTION) {
        held = held && copy_name(workload, &copy.dim.attention.sequences);
    }
    struct sy_workload_record *record = held ? append(workload, SY_RECORD_LAYER) : NULL;
    if (record == NULL) {
        return SY_NOMEM;
    }
    record->layer = copy;
    return SY_OK;
}

enum sy_status sy_workload_add_repeat(struct sy_workload *workload, uint64_t times)
{
    if (times == 0) {
        return SY_INPUT;
    }
    if (workload->depth == SY_MAX_REPEAT_DEPTH) {
        return SY_STATE;
    }
    struct sy_workload_record *record = append(workload, SY_RECORD_REPEAT);
    if (record == NULL) {
        return SY_NOMEM;
    }
    record->repeat = times;
    workload->depth++;
    return SY_OK;
}

enum sy_status sy_workload_end_repeat(struct sy_workload *workload)
{
    if (workload->depth == 0) {
        return SY_STATE;
    }
    if (append(workload, SY_RECORD_END_REPEAT) == NULL) {
        return SY_NOMEM;
    }
    workload->depth--;
    return SY_OK;
}

enum sy_status sy_workload_add_unmodelled(struct sy_workload *workload, const char *op, uint64_t bytes)
{
    struct sy_unmodelled **at = &workload->unmodelled;
    while (*at != NULL && strcmp((*at)->op, op) != 0) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        struct sy_unmodelled *made = sy_arena_alloc(workload->arena, sizeof *made);
        char *copy = sy_arena_strdup(workload->arena, op);
        if (made == NULL || copy == NULL) {
            return SY_NOMEM;
        }
        made->op = copy;
        *at = made;
    }
    (*at)->count++;
    return sy_add((*at)->bytes, bytes, &(*at)->bytes) ? SY_OK : SY_OVERFLOW;
}

static bool add_scaled(uint64_t *total, uint64_t times, uint64_t value)
{
    uint64_t scaled;
    return sy_mul(times, value, &scaled) && sy_add(*total, scaled, total);
}

static bool activation_bytes(const struct sy_layer *layer, uint64_t *bytes)
{
    uint64_t size;
    if (!sy_dtype_bytes(layer->out.dtype, sy_layer_output_elements(layer), bytes)) {
        return false;
    }
    for (uint32_t i = 0; i < layer->inputs; i++) {
        if ((layer->in[i].flags & SY_TENSOR_WEIGHT) == 0 &&
            (!sy_dtype_bytes(layer->in[i].dtype, sy_layer_input_elements(layer, i), &size) ||
             !sy_add(*bytes, size, bytes))) {
            return false;
        }
    }
    return true;
}

static bool shares_weights(const struct sy_layer *layer)
{
    for (uint32_t i = 0; i < layer->inputs; i++) {
        if ((layer->in[i].flags & SY_TENSOR_WEIGHT) != 0 && (layer->in[i].flags & SY_TENSOR_SHARED) != 0) {
            return true;
        }
    }
    return false;
}

bool sy_workload_count_layer(const struct sy_layer *layer, uint64_t times, struct sy_workload_totals *totals)
{
    uint64_t weights, activations;
    /* A shared weight is one tensor however often the block around it runs. */
    uint64_t copies = shares_weights(layer) ? 1 : times;
    return sy_add(totals->layers, times, &totals->layers) && add_scaled(&totals->macs, times, sy_layer_macs(layer)) &&
           add_scaled(&totals->parameters, copies, sy_layer_parameters(layer)) &&
           sy_layer_weight_bytes(layer, &weights) && add_scaled(&totals->weight_bytes, copies, weights) &&
           activation_bytes(layer, &activations) && add_scaled(&totals->activation_bytes, times, activations);
}

bool sy_workload_count_unread(const struct sy_unread *unread, struct sy_workload_totals *totals)
{
    return sy_add(totals->parameters, unread->elements, &totals->parameters) &&
           sy_add(totals->weight_bytes, unread->bytes, &totals->weight_bytes);
}

bool sy_workload_totals(const struct sy_workload *workload, struct sy_workload_totals *totals)
{
    uint64_t times[SY_MAX_REPEAT_DEPTH + 1] = {1};
    uint32_t depth = 0;
    memset(totals, 0, sizeof *totals);
    for (const struct sy_workload_record *record = workload->first; record != NULL; record = record->next) {
        if (record->kind == SY_RECORD_REPEAT) {
            if (depth == SY_MAX_REPEAT_DEPTH || !sy_mul(times[depth], record->repeat, &times[depth + 1])) {
                return false;
            }
            depth++;
        } else if (record->kind == SY_RECORD_END_REPEAT) {
            if (depth == 0) {
                return false;
            }
            depth--;
        } else if (!sy_workload_count_layer(&record->layer, times[depth], totals)) {
            return false;
        }
    }
    return depth == 0 && sy_workload_count_unread(&workload->unread, totals);
}
