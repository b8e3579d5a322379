/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/import/common.h"

#include <string.h>

#include "sim/base/text.h"

int sy_import_dim(const struct sy_import_options *options, const char *name, uint64_t *value)
{
    size_t length = strlen(name);
    for (const char *const *pair = options->dims; pair != NULL && *pair != NULL; pair++) {
        if (strncmp(*pair, name, length) == 0 && (*pair)[length] == '=') {
            const char *text = *pair + length + 1;
            return sy_text_to_u64(text, strlen(text), value) && *value >= 1 ? 1 : -1;
        }
    }
    return 0;
}

/* Whether one of the three precisions was given. */
static bool given(const struct sy_import_options *options, bool flag)
{
    bool flags = options->has_activation || options->has_weight || options->has_accumulator;
    return options->has_dtype && (flag || !flags);
}

enum sy_dtype sy_import_activation(const struct sy_import_options *options, enum sy_dtype file)
{
    return given(options, options->has_activation) ? options->activation : file;
}

enum sy_dtype sy_import_weight(const struct sy_import_options *options, enum sy_dtype file)
{
    return given(options, options->has_weight) ? options->weight : sy_import_activation(options, file);
}

enum sy_dtype sy_import_accumulator(const struct sy_import_options *options, enum sy_dtype activation)
{
    if (given(options, options->has_accumulator)) {
        return options->accumulator;
    }
    return sy_dtypes[activation].is_float ? SY_FP32 : SY_INT32;
}

void sy_import_layer(struct sy_layer *layer, enum sy_op op, const struct sy_import_options *options,
                     enum sy_dtype activation, enum sy_dtype weight)
{
    sy_layer_init(layer, op);
    weight = sy_import_weight(options, weight);
    activation = sy_import_activation(options, activation);
    for (uint32_t i = 0; i < SY_MAX_INPUTS; i++) {
        layer->in[i].dtype = (layer->in[i].flags & SY_TENSOR_WEIGHT) != 0 ? weight : activation;
    }
    if (op == SY_OP_GATHER) {
        layer->in[0].dtype = SY_INT32; /* indices stay integers */
    }
    layer->out.dtype = activation;
    layer->accumulator = sy_import_accumulator(options, activation);
}

enum sy_status sy_import_add(struct sy_workload *workload, const struct sy_layer *layer, const char *file,
                             struct sy_diag *diag)
{
    enum sy_status status = sy_layer_check(layer, file, diag);
    return status == SY_OK ? sy_workload_add_layer(workload, layer) : status;
}

const char *sy_import_name(struct sy_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t length = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
    return sy_arena_strndup(arena, base, length);
}

enum sy_status sy_import_unmodelled(struct sy_workload *workload, const struct sy_import_options *options,
                                    struct sy_where where, const char *op, const char *node, uint64_t bytes,
                                    struct sy_diag *diag)
{
    if (options->allow_unmodelled) {
        bool seen = false;
        for (const struct sy_unmodelled *one = workload->unmodelled; one != NULL && !seen; one = one->next) {
            seen = strcmp(one->op, op) == 0;
        }
        if (!seen) { /* once a kind: there may be thousands of nodes */
            sy_warn(diag, where, NULL, "operator '%s' (node '%s') is not modelled: it is in no figure", op, node);
        }
        return sy_workload_add_unmodelled(workload, op, bytes);
    }
    (void)sy_error(diag, where, "--allow-unmodelled leaves it out of the figures and lists it in every report",
                   "operator '%s' of node '%s' is not modelled", op, node);
    return SY_UNSUPPORTED;
}
