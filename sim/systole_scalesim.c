/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: SCALE-Sim's own figures. No logic of its own. */
#include <string.h>

#include "sim/base/grid.h"
#include "sim/engine/scalesim.h"
#include "sim/systole_internal.h"

static int progress(void *context, size_t done, size_t layers)
{
    const struct systole_scalesim_options *options = context;
    if (options->progress)
        options->progress(options->progress_context, done, layers);
    return options->cancel && *options->cancel;
}

static enum sy_status version_of(const char *name, enum sy_scalesim_version *version, struct sy_diag *diag)
{
    static const struct {
        const char *name;
        enum sy_scalesim_version version;
    } known[] = {{"scalesim-v2", SY_SCALESIM_V2}, {"scalesim-v3", SY_SCALESIM_V3}};
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(name, known[i].name)) {
            *version = known[i].version;
            return SY_OK;
        }
    sy_error(diag, SY_NOWHERE, "known: scalesim-v2, scalesim-v3", "there is no tool '%s' to be compatible with",
             name ? name : "");
    return SY_USAGE;
}

static void put_summary(const struct sy_scalesim_run *run, const char *directory, struct sy_buf *out)
{
    struct sy_grid grid;
    uint64_t cycles = 0, stalls = 0;
    char number[32];
    sy_grid_begin(&grid, "layer~|cycles>|stalls>|utilization>|mapping>|compute util>", 100, "  ");
    for (size_t i = 0; i < run->layers; i++) {
        const struct sy_scalesim_result *layer = &run->result[i];
        const double percents[] = {layer->overall_utilization, layer->mapping_efficiency, layer->compute_utilization};
        cycles += layer->total_cycles;
        stalls += layer->stall_cycles;
        sy_grid_cell(&grid, run->name[i]);
        sy_grid_cell(&grid, sy_format_grouped(number, layer->total_cycles));
        sy_grid_cell(&grid, sy_format_grouped(number, layer->stall_cycles));
        for (size_t p = 0; p < sizeof percents / sizeof percents[0]; p++)
            sy_grid_cellf(&grid, "%s %%", sy_format_fixed(number, percents[p], 2));
    }
    sy_buf_printf(out, "%s: %zu layer%s", run->run_name, run->layers, run->layers == 1 ? "" : "s");
    sy_buf_printf(out, ", %s cycles", sy_format_grouped(number, cycles));
    sy_buf_printf(out, ", %s of them stalls, as SCALE-Sim v%d counts\n", sy_format_grouped(number, stalls),
                  (int)run->config.version);
    sy_grid_put(&grid, out);
    if (directory)
        sy_buf_printf(out, "Reports are in %s/%s\n", directory, run->run_name);
}

enum systole_status systole_scalesim(const struct systole_context *context,
                                     const struct systole_scalesim_options *options, struct systole_text *text)
{
    struct systole_scalesim_options mine;
    struct sy_diag diag = systole_sink(context);
    struct sy_scalesim_run run = {0};
    struct sy_scalesim_run_options how = {0};
    struct sy_buf out = {0};
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    enum sy_status status = version_of(mine.version, &how.version, &diag);
    if (status == SY_OK && (!mine.cfg || !mine.topology)) {
        sy_error(&diag, SY_NOWHERE, NULL, "%s is missing", mine.cfg ? "a topology" : "a configuration");
        status = SY_USAGE;
    }
    how.cfg = mine.cfg;
    how.topology = mine.topology;
    how.kind = mine.kind;
    how.layout = mine.layout;
    how.directory = mine.directory;
    how.progress = progress;
    how.progress_context = &mine;
    if (status == SY_OK)
        status = sy_scalesim_run(&how, &run, &diag);
    if (status != SY_OK)
        return (enum systole_status)status;
    put_summary(&run, mine.directory, &out);
    sy_scalesim_run_free(&run);
    return systole_hand_over(&out, text);
}
