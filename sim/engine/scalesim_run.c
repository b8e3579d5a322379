/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE-Sim parity: a .cfg and a topology file in, the tool's report files out. */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/import_scalesim_cfg.h"
#include "sim/base/arena.h"
#include "sim/base/checked.h"
#include "workloads/import/importer.h"

enum { MAX_CFG_BYTES = 1 << 20, LOOK_BACK = 64, MAX_LAYERS = 1 << 20 };

enum sy_status sy_scalesim_configure(const struct sy_scalesim_cfg *cfg, enum sy_scalesim_version version,
                                     struct sy_scalesim_config *config, struct sy_diag *diag)
{
    *config = (struct sy_scalesim_config){.version = version,
                                          .rows = cfg->array_height,
                                          .cols = cfg->array_width,
                                          .filter_offset = cfg->offset[SY_SCALESIM_FILTER],
                                          .ifmap_offset = cfg->offset[SY_SCALESIM_IFMAP],
                                          .user_bandwidth = cfg->user_bandwidth != 0};
    if (!sy_scalesim_parse_dataflow(cfg->dataflow, &config->dataflow))
        return sy_error(diag, SY_NOWHERE, NULL, "Dataflow is '%s', expected os, ws or is", cfg->dataflow);
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++) {
        config->sram_kb[i] = cfg->sram_kb[i];
        config->bandwidth[i] = cfg->bandwidth[0];
    }
    if (version != SY_SCALESIM_V3)
        return SY_OK;
    config->ramulator = cfg->use_ramulator_trace != 0;
    for (int i = 0; cfg->has_layout && i < 2; i++) {
        config->bandwidth[i] = cfg->bank_bandwidth[i];
        config->line_words[i] = cfg->bank_bandwidth[i];
        config->banks[i] = cfg->bank_num[i];
        config->ports[i] = cfg->bank_port[i];
        config->custom_layout[i] = cfg->custom_layout[i] != 0;
    }
    config->sparse = cfg->sparsity_support != 0;
    if (!config->sparse)
        return SY_OK;
    config->row_wise = cfg->optimized_mapping != 0;
    config->block = cfg->block_size;
    config->seed = cfg->random_seed;
    if (!cfg->sparse_rep || !sy_scalesim_parse_storage(cfg->sparse_rep, &config->storage))
        return sy_error(diag, SY_NOWHERE, NULL, "SparseRep is '%s', expected csr, csc or ellpack_block",
                        cfg->sparse_rep ? cfg->sparse_rep : "missing");
    return SY_OK;
}

/* ---- inputs ---- */

static enum sy_status read_cfg(const struct sy_scalesim_run_options *options, struct sy_scalesim_run *run,
                               struct sy_diag *diag)
{
    struct sy_scalesim_cfg cfg;
    char *text;
    size_t length;
    enum sy_status status = sy_read_file(options->cfg, MAX_CFG_BYTES, &text, &length, diag);
    if (status)
        return status;
    status = sy_scalesim_cfg_parse(run->arena, text, length, options->cfg, &cfg, diag);
    free(text);
    if (!status)
        status = sy_scalesim_configure(&cfg, options->version, &run->config, diag);
    if (status)
        return status;
    run->config.max_requests = options->max_requests;
    run->run_name = cfg.run_name ? cfg.run_name : "scale_run"; /* the tool's default */
    /* It becomes a directory below the user's. */
    if (!*run->run_name || strchr(run->run_name, '/') || strcmp(run->run_name, ".") == 0 ||
        strcmp(run->run_name, "..") == 0)
        return sy_error(diag, ((struct sy_where){.file = options->cfg}), "give a plain name",
                        "run_name '%s' cannot be a directory name", run->run_name);
    return SY_OK;
}

/* Layers of a workload, groups unrolled; 0 when they are too many. */
static size_t count_layers(const struct sy_workload *workload)
{
    uint64_t count = 0;
    for (const struct sy_workload_record *record = workload->first; record; record = record->next) {
        const struct sy_layer *layer = &record->layer;
        if (record->kind == SY_RECORD_LAYER &&
            (!sy_add(count, layer->op == SY_OP_CONV ? layer->dim.conv.groups : 1, &count) || count > MAX_LAYERS))
            return 0;
    }
    return count;
}

static enum sy_status add_layer(struct sy_scalesim_run *run, struct sy_scalesim_layer *layers,
                                const struct sy_layer *from, struct sy_diag *diag)
{
    struct sy_scalesim_layer layer = {0};
    uint64_t copies;
    enum sy_status status = sy_scalesim_from_layer(from, &layer, &copies, diag);
    const char *name = sy_arena_strdup(run->arena, from->name ? from->name : "");
    if (status)
        return status;
    for (uint64_t i = 0; i < copies; i++) {
        layers[run->layers] = layer;
        run->name[run->layers++] = copies == 1 ? name : sy_arena_printf(run->arena, "%sChannel_%" PRIu64, name, i);
    }
    return name && (copies == 0 || run->name[run->layers - 1]) ? SY_OK : SY_NOMEM;
}

static enum sy_status read_topology(const struct sy_scalesim_run_options *options, struct sy_scalesim_run *run,
                                    struct sy_scalesim_layer **layers, struct sy_diag *diag)
{
    struct sy_import_options import = {.kind = options->kind ? options->kind : "conv"};
    struct sy_workload *workload;
    enum sy_status status = sy_import_file(options->topology, "scalesim", &import, &workload, diag);
    if (status)
        return status;
    size_t count = count_layers(workload);
    *layers = sy_arena_array(run->arena, count, sizeof **layers);
    run->name = sy_arena_array(run->arena, count, sizeof *run->name);
    run->result = sy_arena_array(run->arena, count, sizeof *run->result);
    if (count == 0)
        status = sy_ss_refuse(diag, NULL, "%s: no layers, or more than %d", options->topology, MAX_LAYERS);
    else if (!*layers || !run->name || !run->result)
        status = SY_NOMEM;
    for (const struct sy_workload_record *record = workload->first; record && !status; record = record->next)
        if (record->kind == SY_RECORD_LAYER)
            status = add_layer(run, *layers, &record->layer, diag);
    sy_workload_destroy(workload);
    return status;
}

static enum sy_status read_layout(const char *path, struct sy_scalesim_run *run, struct sy_diag *diag)
{
    char *text;
    size_t length;
    enum sy_status status = sy_read_file(path, MAX_CFG_BYTES, &text, &length, diag);
    if (status)
        return status;
    status = sy_scalesim_layout_parse(text, length, path, &run->config.layout, diag);
    free(text);
    return status;
}

/* ---- running ---- */

/* The layer's number goes before its message. */
struct prefix {
    struct sy_diag *diag;
    const char *file, *name;
    size_t layer;
};
static void say_layer(void *context, const struct sy_diag_msg *message)
{
    const struct prefix *prefix = context;
    (void)sy_diag_report(prefix->diag, message->severity, (struct sy_where){.file = prefix->file}, message->hint,
                         "layer %zu (%s): %s", prefix->layer, prefix->name, message->message);
}

/* Networks repeat layers, and a depthwise one is a row of equal layers. */
static bool seen_before(const struct sy_scalesim_layer *layers, size_t index, size_t *same)
{
    for (size_t back = 1; back <= index && back <= LOOK_BACK; back++) {
        if (memcmp(&layers[index - back], &layers[index], sizeof *layers) == 0) {
            *same = index - back;
            return true;
        }
    }
    return false;
}

static enum sy_status run_layers(const struct sy_scalesim_run_options *options, const struct sy_scalesim_layer *layers,
                                 struct sy_scalesim_run *run, struct sy_diag *diag)
{
    for (size_t i = 0, same; i < run->layers; i++) {
        if (seen_before(layers, i, &same)) {
            run->result[i] = run->result[same];
        } else {
            struct prefix prefix = {.diag = diag, .file = options->topology, .name = run->name[i], .layer = i};
            struct sy_diag named = {.fn = say_layer, .ctx = &prefix};
            enum sy_status status = sy_scalesim_layer(&run->config, &layers[i], &run->result[i], &named);
            if (status)
                return status;
            run->distinct++;
        }
        if (options->progress && options->progress(options->progress_context, i + 1, run->layers))
            return SY_INTERRUPTED;
    }
    return SY_OK;
}

static enum sy_status write_run(const struct sy_scalesim_run_options *options, const struct sy_scalesim_run *run,
                                struct sy_diag *diag)
{
    enum sy_status status = sy_ss_make_directory(options->directory, diag);
    char *path = sy_arena_printf(run->arena, "%s/%s", options->directory, run->run_name);
    if (status)
        return status;
    return path ? sy_scalesim_write_reports(path, &run->config, run->result, run->layers, diag) : SY_NOMEM;
}

enum sy_status sy_scalesim_run(const struct sy_scalesim_run_options *options, struct sy_scalesim_run *run,
                               struct sy_diag *diag)
{
    struct sy_scalesim_layer *layers = NULL;
    *run = (struct sy_scalesim_run){0};
    if (options->version != SY_SCALESIM_V2 && options->version != SY_SCALESIM_V3) {
        (void)sy_error(diag, SY_NOWHERE, "choose v2 or v3", "the reports of SCALE-Sim v%d are not modelled",
                       (int)options->version);
        return SY_UNSUPPORTED;
    }
    if (!(run->arena = sy_arena_create(NULL, 0)))
        return SY_NOMEM;
    enum sy_status status = read_cfg(options, run, diag);
    enum sy_status topology = read_topology(options, run, &layers, diag);
    enum sy_status layout =
        options->layout && options->version == SY_SCALESIM_V3 ? read_layout(options->layout, run, diag) : SY_OK;
    status = status ? status : topology ? topology : layout;
    if (!status)
        status = run_layers(options, layers, run, diag);
    if (!status && options->directory)
        status = write_run(options, run, diag);
    if (status)
        sy_scalesim_run_free(run);
    return status;
}

void sy_scalesim_run_free(struct sy_scalesim_run *run)
{
    sy_arena_destroy(run->arena);
    *run = (struct sy_scalesim_run){0};
}
