/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip of arch/chips with its area, its prices and its runs, made when they
 * are asked for: what suite points compares with published figures.
 */
#ifndef SY_VALIDATE_POINT_MODEL_H
#define SY_VALIDATE_POINT_MODEL_H

#include "sim/stats/area.h"
#include "sim/validate/suite.h"

enum { SY_POINT_RUNS = 4, SY_POINT_SETS = 8 };

struct sy_point_model {
    const char *preset;
    const char *set[SY_POINT_SETS]; /* NULL-terminated */
    const char *data_dir;
    struct sy_diag *diag;
    struct sy_arena *arena;
    struct sy_chip *chip;
    struct sy_energy_table *energy;
    struct sy_figure_table *areas;
    struct sy_area *area;
    uint32_t runs;
    struct {
        const char *network;
        struct sy_result *result;
    } run[SY_POINT_RUNS];
};

/* preset, set and data_dir live as long as the model. On failure nothing is left to close. */
enum sy_status sy_point_model_open(struct sy_point_model *model, const char *preset, const char *const *set,
                                   const char *data_dir, struct sy_diag *diag);
/* A shipped network (workloads/nets), or "cnn0", the stand-in for the TPU v1 paper's, on the chip: event fidelity,
 * shared memory. The result is the model's. */
enum sy_status sy_point_model_run(struct sy_point_model *model, const char *network, struct sy_result **result);
void sy_point_model_close(struct sy_point_model *model);

/* Whether a part of the area is an interface off the die: a PHY or its controller. */
bool sy_point_is_interface(const struct sy_area_item *item);
/* Sum of the parts for which `wanted` (NULL = all) is the component's name. */
double sy_point_area_of(const struct sy_point_model *model, const char *wanted);

#endif
