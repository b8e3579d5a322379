/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/validate/point_model.h"

#include <string.h>

#include "sim/engine/replay.h"

enum sy_status sy_point_model_open(struct sy_point_model *model, const char *preset, const char *const *set,
                                   const char *data_dir, struct sy_diag *diag)
{
    *model = (struct sy_point_model){.preset = preset, .data_dir = data_dir, .diag = diag};
    for (uint32_t i = 0; set && set[i] && i + 1 < SY_POINT_SETS; i++)
        model->set[i] = set[i];
    struct sy_chip_options options = {.data_dir = data_dir, .set = model->set};
    enum sy_status status = (model->arena = sy_arena_create(NULL, 0)) ? SY_OK : SY_NOMEM;
    if (status == SY_OK)
        status = sy_chip_load(preset, &options, &model->chip, diag);
    if (status == SY_OK)
        status = sy_energy_load(model->chip->energy_table ? model->chip->energy_table : "default", data_dir,
                                &model->energy, diag);
    if (status == SY_OK)
        status = sy_figure_table_load("default", "arch/area", data_dir, &model->areas, diag);
    const struct sy_energy_options prices = {.area = model->areas, .data_dir = data_dir};
    if (status == SY_OK)
        status = sy_energy_prepare(model->energy, model->chip, &prices, diag);
    if (status == SY_OK)
        status = sy_area_estimate(model->arena, model->chip, model->areas, model->energy, &model->area);
    if (status != SY_OK)
        sy_point_model_close(model);
    return status;
}

/* CNN0 of the TPU v1 paper as far as its table 1 goes: convolutions of 8 M weights, batch 8, 2888 uses of a weight (19
 * x 19 positions), no multiplier without work; so 14 layers of 3 x 3 x 256 x 256. Real layers differ; the published 78
 * % of cycles with the array active are what it is near to. */
static const char CNN0[] = "systole-trace 1\nnet cnn0\nrepeat 14 {\n"
                           "    conv conv h=152 w=19 c=256 n=256 fh=3 fw=3 pt=1 pb=1 pl=1 pr=1 a=x:int8:shared "
                           "b=w:int8:weight y=x:int8:shared post=bias+relu\n}\nend 3\n";

static enum sy_status replay(struct sy_point_model *model, const char *network, struct sy_result **result)
{
    struct sy_trace_reader *reader = NULL;
    struct sy_replay_options options = {
        .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP, .data_dir = model->data_dir};
    const char *path =
        sy_arena_printf(model->arena, "%s/workloads/nets/%s.slt.gz", model->data_dir ? model->data_dir : ".", network);
    bool own = !strcmp(network, "cnn0");
    enum sy_status status =
        path ? sy_trace_open(own ? "cnn0" : path, own ? CNN0 : NULL, own ? sizeof CNN0 - 1 : 0, &reader, model->diag)
             : SY_NOMEM;
    if (status == SY_OK)
        status = sy_replay(model->chip, reader, model->energy, &options, result, model->diag);
    sy_trace_close(reader);
    return status;
}

enum sy_status sy_point_model_run(struct sy_point_model *model, const char *network, struct sy_result **result)
{
    for (uint32_t i = 0; i < model->runs; i++)
        if (!strcmp(model->run[i].network, network)) {
            *result = model->run[i].result;
            return SY_OK;
        }
    if (model->runs == SY_POINT_RUNS)
        return SY_UNSUPPORTED;
    enum sy_status status = replay(model, network, result);
    if (status == SY_OK) {
        model->run[model->runs].network = network;
        model->run[model->runs++].result = *result;
    }
    return status;
}

void sy_point_model_close(struct sy_point_model *model)
{
    for (uint32_t i = 0; i < model->runs; i++)
        sy_result_destroy(model->run[i].result);
    sy_figure_table_destroy(model->areas);
    sy_energy_destroy(model->energy);
    sy_chip_destroy(model->chip);
    if (model->arena)
        sy_arena_destroy(model->arena);
    memset(model, 0, sizeof *model);
}

bool sy_point_is_interface(const struct sy_area_item *item)
{
    return item->kind == SY_AREA_PHY || item->kind == SY_AREA_CONTROLLER;
}

double sy_point_area_of(const struct sy_point_model *model, const char *wanted)
{
    double sum = 0;
    for (uint32_t i = 0; i < model->area->items; i++)
        if (!wanted || !strcmp(model->area->item[i].component, wanted))
            sum += model->area->item[i].mm2;
    return sum;
}
