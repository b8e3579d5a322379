/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What importers share: options, precisions, and adding a checked layer.
 * Internal to workloads/import.
 */
#ifndef SY_WORKLOADS_IMPORT_COMMON_H
#define SY_WORKLOADS_IMPORT_COMMON_H

#include "workloads/import/importer.h"

/* The value of a symbolic dimension given by the user as "name=value". 1 = found, 0 = not given,
 * -1 = given but not a whole number >= 1. Names compare exactly. */
int sy_import_dim(const struct sy_import_options *options, const char *name, uint64_t *value);

/* What the user asked for, else what the file has. A weight that is not given follows a given activation; an
 * accumulator that is not given is fp32 for floats, int32 for integers. */
enum sy_dtype sy_import_activation(const struct sy_import_options *options, enum sy_dtype file);
enum sy_dtype sy_import_weight(const struct sy_import_options *options, enum sy_dtype file);
enum sy_dtype sy_import_accumulator(const struct sy_import_options *options, enum sy_dtype activation);

/* sy_layer_init with these precisions, from the file's. */
void sy_import_layer(struct sy_layer *layer, enum sy_op op, const struct sy_import_options *options,
                     enum sy_dtype activation, enum sy_dtype weight);

/* Check the layer and append it. Errors name the layer and its line. */
enum sy_status sy_import_add(struct sy_workload *workload, const struct sy_layer *layer, const char *file,
                             struct sy_diag *diag);

/* The part of a path behind the last '/', without its last suffix; in the workload's arena. NULL = out of memory. */
const char *sy_import_name(struct sy_arena *arena, const char *path);

/* Report an operator that is not modelled. Counts it and returns SY_OK when the user allowed that, else an error that
 * names operator and node and SY_UNSUPPORTED. */
enum sy_status sy_import_unmodelled(struct sy_workload *workload, const struct sy_import_options *options,
                                    struct sy_where where, const char *op, const char *node, uint64_t bytes,
                                    struct sy_diag *diag);

#endif
