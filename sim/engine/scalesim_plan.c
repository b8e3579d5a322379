/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE-Sim parity: from a layer to shapes and address tables; every refusal that needs no simulation is made here. */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/layer.h"

static const char *const dataflow_names[] = {"os", "ws", "is"};
static const char *const storage_names[] = {"csr", "csc", "ellpack_block"};

bool sy_scalesim_parse_dataflow(const char *text, enum sy_scalesim_dataflow *dataflow)
{
    for (unsigned i = 0; i < sizeof dataflow_names / sizeof *dataflow_names; i++)
        if (strcmp(text, dataflow_names[i]) == 0) {
            *dataflow = (enum sy_scalesim_dataflow)i;
            return true;
        }
    return false;
}

bool sy_scalesim_parse_storage(const char *text, enum sy_scalesim_storage *storage)
{
    for (unsigned i = 0; i < sizeof storage_names / sizeof *storage_names; i++)
        if (strcmp(text, storage_names[i]) == 0) {
            *storage = (enum sy_scalesim_storage)i;
            return true;
        }
    return false;
}

const char *sy_scalesim_storage_name(enum sy_scalesim_storage storage)
{
    return storage_names[storage];
}

struct sy_scalesim_layer sy_scalesim_gemm(uint64_t m, uint64_t n, uint64_t k)
{
    return (struct sy_scalesim_layer){.ifmap_h = m,
                                      .ifmap_w = k,
                                      .filter_h = 1,
                                      .filter_w = k,
                                      .channels = 1,
                                      .filters = n,
                                      .stride_h = 1,
                                      .stride_w = 1};
}

enum sy_status sy_ss_raises(struct sy_diag *diag, const char *exception, const char *why)
{
    return sy_error(diag, SY_NOWHERE, NULL, "SCALE-Sim stops with %s: %s", exception, why);
}

enum sy_status sy_ss_refuse(struct sy_diag *diag, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)sy_diag_vreport(diag, SY_SEV_ERROR, SY_NOWHERE, hint, format, args);
    va_end(args);
    return SY_UNSUPPORTED;
}

enum sy_status sy_scalesim_from_layer(const struct sy_layer *from, struct sy_scalesim_layer *layer, uint64_t *copies,
                                      struct sy_diag *diag)
{
    static const char hint[] = "SCALE-Sim knows GEMMs, and convolutions without padding, batch or dilation";
    const char *name = from->name ? from->name : "layer";
    *copies = 1;
    if (from->op == SY_OP_GEMM) {
        const struct sy_gemm_dims *gemm = &from->dim.gemm;
        if (gemm->g != 1)
            return sy_ss_refuse(diag, hint, "%s: %" PRIu64 " products in one layer", name, gemm->g);
        *layer = sy_scalesim_gemm(gemm->m, gemm->n, gemm->k);
    } else if (from->op == SY_OP_CONV) {
        const struct sy_conv_dims *conv = &from->dim.conv;
        if (conv->b != 1 || conv->pt || conv->pb || conv->pl || conv->pr || conv->dh != 1 || conv->dw != 1 ||
            conv->groups < 1)
            return sy_ss_refuse(diag, hint, "%s: a convolution with padding, batch or dilation", name);
        *copies = conv->groups;
        *layer = (struct sy_scalesim_layer){.ifmap_h = conv->h,
                                            .ifmap_w = conv->w,
                                            .filter_h = conv->fh,
                                            .filter_w = conv->fw,
                                            .channels = conv->c / conv->groups,
                                            .filters = conv->n / conv->groups,
                                            .stride_h = conv->sh,
                                            .stride_w = conv->sw};
    } else {
        return sy_ss_refuse(diag, hint, "%s: neither a convolution nor a GEMM", name);
    }
    layer->sparsity_n = from->sparsity.keep;
    layer->sparsity_m = from->sparsity.group;
    return SY_OK;
}

uint32_t *sy_ss_table(const struct sy_ss_plan *plan, uint64_t entries)
{
    return sy_arena_array(plan->arena, entries ? entries : 1, sizeof(uint32_t));
}

#define DEFAULT_MAX_REQUESTS ((uint64_t)1 << 32)

enum sy_status sy_ss_work(struct sy_ss_plan *plan, uint64_t steps, struct sy_diag *diag)
{
    uint64_t limit = plan->config->max_requests ? plan->config->max_requests : DEFAULT_MAX_REQUESTS;
    if (sy_add(plan->work, steps, &plan->work) && plan->work <= limit)
        return SY_OK;
    return sy_ss_refuse(diag, "raise the limit, split the layer, or give the operands SRAMs that hold them",
                        "more than %" PRIu64 " memory requests and cycles in one layer", limit);
}

/* ---- checks ---- */

struct named_value {
    const char *name;
    uint64_t value;
};

static enum sy_status check_range(const struct named_value *values, size_t count, struct sy_diag *diag)
{
    enum sy_status status = SY_OK;
    for (size_t i = 0; i < count; i++)
        if (values[i].value < 1 || values[i].value > SY_SCALESIM_MAX_DIMENSION)
            status = sy_error(diag, SY_NOWHERE, NULL, "%s is %" PRIu64 ", expected 1 to %" PRIu64, values[i].name,
                              values[i].value, SY_SCALESIM_MAX_DIMENSION);
    return status;
}

/* What only USER mode looks at. */
static enum sy_status check_user(const struct sy_scalesim_config *config, struct sy_diag *diag)
{
    for (int i = 0; i < 2; i++) {
        if (config->version == SY_SCALESIM_V3 && config->banks[i] && config->bandwidth[i] % config->banks[i])
            return sy_ss_raises(diag, "AssertionError", "overall bandwidth must be divisible by the number of banks");
    }
    if (config->ramulator)
        return sy_ss_refuse(diag, "set UseRamulatorTrace to False",
                            "the tool's latencies from Ramulator runs are not modelled");
    return SY_OK;
}

static enum sy_status check_config(const struct sy_scalesim_config *config, struct sy_diag *diag)
{
    const struct named_value values[] = {{"the array height", config->rows},
                                         {"the array width", config->cols},
                                         {"the ifmap SRAM (kB)", config->sram_kb[SY_SCALESIM_IFMAP]},
                                         {"the filter SRAM (kB)", config->sram_kb[SY_SCALESIM_FILTER]},
                                         {"the ofmap SRAM (kB)", config->sram_kb[SY_SCALESIM_OFMAP]},
                                         {"the ifmap bandwidth", config->bandwidth[SY_SCALESIM_IFMAP]},
                                         {"the filter bandwidth", config->bandwidth[SY_SCALESIM_FILTER]},
                                         {"the ofmap bandwidth", config->bandwidth[SY_SCALESIM_OFMAP]}};
    if (config->version != SY_SCALESIM_V2 && config->version != SY_SCALESIM_V3)
        return sy_error(diag, SY_NOWHERE, NULL, "unknown SCALE-Sim version %d", (int)config->version);
    /* Without a memory model only the array counts; in CALC mode there are no bandwidths. An SRAM of 0 kB or a
     * bandwidth of 0 makes the tool divide by zero or index an empty array. */
    bool user = config->user_bandwidth && !config->compute_only;
    enum sy_status status = check_range(values, config->compute_only ? 2 : user ? 8 : 5, diag);
    if (!status && config->sparse && config->version != SY_SCALESIM_V3)
        status = sy_error(diag, SY_NOWHERE, NULL, "SCALE-Sim v2 has no sparsity");
    return !status && user ? check_user(config, diag) : status;
}

static enum sy_status check_layer(const struct sy_scalesim_layer *layer, struct sy_diag *diag)
{
    const struct named_value values[] = {
        {"the ifmap height", layer->ifmap_h},     {"the ifmap width", layer->ifmap_w},
        {"the filter height", layer->filter_h},   {"the filter width", layer->filter_w},
        {"the channel count", layer->channels},   {"the filter count", layer->filters},
        {"the vertical stride", layer->stride_h}, {"the horizontal stride", layer->stride_w}};
    enum sy_status status = check_range(values, sizeof values / sizeof *values, diag);
    if (!status && layer->filter_h > layer->ifmap_h)
        return sy_ss_raises(diag, "AssertionError", "Filter height cannot be larger than IFMAP height");
    if (!status && layer->filter_w > layer->ifmap_w)
        return sy_ss_raises(diag, "AssertionError", "Filter width cannot be larger than IFMAP width");
    return status;
}

/* ---- shapes ---- */

static enum sy_status too_large(struct sy_diag *diag, const char *what)
{
    return sy_ss_refuse(diag, "split the layer", "the layer is too large for the SCALE-Sim model: %s", what);
}

static enum sy_status dense_shape(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    const struct sy_scalesim_layer *layer = plan->layer;
    plan->out_h = sy_ceil_div(layer->ifmap_h - layer->filter_h + layer->stride_h, layer->stride_h);
    plan->out_w = sy_ceil_div(layer->ifmap_w - layer->filter_w + layer->stride_w, layer->stride_w);
    plan->n = layer->filters;
    plan->clipped = (plan->out_h - 1) * layer->stride_h + layer->filter_h > layer->ifmap_h ||
                    (plan->out_w - 1) * layer->stride_w + layer->filter_w > layer->ifmap_w;
    uint64_t macs;
    if (!sy_mul(plan->out_h, plan->out_w, &plan->m) || plan->m > SY_SCALESIM_MAX_DIMENSION)
        return too_large(diag, "output pixels");
    if (!sy_mul3(layer->filter_h, layer->filter_w, layer->channels, &plan->k) || plan->k > SY_SCALESIM_MAX_DIMENSION)
        return too_large(diag, "window elements");
    if (!sy_mul3(layer->ifmap_h, layer->ifmap_w, layer->channels, &plan->ifmap_words) ||
        plan->ifmap_words >= SY_SS_NONE)
        return too_large(diag, "ifmap elements");
    if (!sy_mul(plan->n, plan->k, &plan->filter_words) || plan->filter_words >= SY_SS_NONE)
        return too_large(diag, "filter elements");
    if (!sy_mul3(plan->m, plan->n, plan->k, &macs) || macs > INT64_MAX)
        return too_large(diag, "multiply-accumulates");
    plan->ifmap_k = plan->filter_k = plan->k;
    return SY_OK;
}

static enum sy_status fold_shape(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    uint64_t demand_height = plan->filter_k;
    switch (plan->config->dataflow) {
    case SY_SCALESIM_OS:
        plan->spread_rows = demand_height = plan->m;
        plan->spread_cols = plan->n;
        plan->stream = plan->ifmap_k;
        break;
    case SY_SCALESIM_WS:
        plan->spread_rows = plan->ifmap_k;
        plan->spread_cols = plan->n;
        plan->stream = plan->m;
        break;
    case SY_SCALESIM_IS:
    default:
        plan->spread_rows = plan->ifmap_k;
        plan->spread_cols = plan->m;
        plan->stream = plan->n;
        break;
    }
    plan->row_folds = sy_ceil_div(demand_height, plan->rows);
    plan->col_folds = sy_ceil_div(plan->spread_cols, plan->cols);
    plan->fold_rows =
        plan->stream + plan->rows + plan->cols - 2 + (plan->config->dataflow == SY_SCALESIM_OS ? 0 : plan->rows);
    plan->widest_row = sy_max(plan->rows, plan->cols);
    /* A row of the row-wise ifmap matrix holds a whole block a lane. */
    if (plan->config->sparse && plan->config->row_wise)
        plan->widest_row = sy_max(plan->widest_row, plan->rows * plan->config->block);
    if (!sy_mul3(plan->row_folds, plan->col_folds, plan->fold_rows, &plan->demand_rows) ||
        plan->demand_rows > INT64_MAX / 8)
        return too_large(diag, "cycles");
    return SY_OK;
}

/* ---- address tables ---- */

static void fill_pixels(struct sy_ss_plan *plan)
{
    const struct sy_scalesim_layer *layer = plan->layer;
    uint64_t pixel = 0;
    for (uint64_t y = 0; y < plan->out_h; y++) {
        for (uint64_t x = 0; x < plan->out_w; x++, pixel++) {
            uint64_t in_y = y * layer->stride_h, in_x = x * layer->stride_w;
            /* Wraps only where the room is 0, and then it is never used. */
            plan->pixel_base[pixel] = (uint32_t)((in_y * layer->ifmap_w + in_x) * layer->channels);
            if (plan->clipped) {
                plan->pixel_room_y[pixel] = in_y < layer->ifmap_h ? (uint32_t)(layer->ifmap_h - in_y) : 0;
                plan->pixel_room_x[pixel] = in_x < layer->ifmap_w ? (uint32_t)(layer->ifmap_w - in_x) : 0;
            }
        }
    }
}

/* Layer-wise sparsity keeps the first N of every M window elements. */
static void fill_window(struct sy_ss_plan *plan)
{
    const struct sy_scalesim_layer *layer = plan->layer;
    bool layer_wise = plan->config->sparse && !plan->config->row_wise;
    uint64_t row = layer->filter_w * layer->channels, kept = 0;
    for (uint64_t i = 0; i < plan->k; i++) {
        if (layer_wise && i % plan->group >= plan->keep)
            continue;
        uint64_t y = i / row, x = i % row / layer->channels;
        plan->window_offset[kept] = (uint32_t)((y * layer->ifmap_w + x) * layer->channels + i % layer->channels);
        if (plan->clipped) {
            plan->window_y[kept] = (uint32_t)y;
            plan->window_x[kept] = (uint32_t)x;
        }
        kept++;
    }
}

static enum sy_status make_tables(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    enum sy_status status = sy_ss_work(plan, plan->m + plan->k + plan->widest_row, diag);
    if (status)
        return status;
    uint64_t clip_m = plan->clipped ? plan->m : 0, clip_k = plan->clipped ? plan->ifmap_k : 0;
    plan->pixel_base = sy_ss_table(plan, plan->m);
    plan->window_offset = sy_ss_table(plan, plan->ifmap_k);
    plan->pixel_room_y = sy_ss_table(plan, clip_m);
    plan->pixel_room_x = sy_ss_table(plan, clip_m);
    plan->window_y = sy_ss_table(plan, clip_k);
    plan->window_x = sy_ss_table(plan, clip_k);
    if (!plan->pixel_base || !plan->window_offset || !plan->pixel_room_y || !plan->pixel_room_x || !plan->window_y ||
        !plan->window_x)
        return too_large(diag, "working memory");
    fill_pixels(plan);
    fill_window(plan);
    return SY_OK;
}

enum sy_status sy_ss_plan_make(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                               struct sy_arena *arena, struct sy_ss_plan *plan, struct sy_diag *diag)
{
    *plan = (struct sy_ss_plan){.config = config,
                                .layer = layer,
                                .arena = arena,
                                .rows = config->rows,
                                .cols = config->cols,
                                .keep = layer->sparsity_n,
                                .group = layer->sparsity_m};
    if (plan->keep == 0 && plan->group == 0)
        plan->keep = plan->group = 1;
    enum sy_status status = check_config(config, diag);
    if (!status)
        status = check_layer(layer, diag);
    if (!status)
        status = dense_shape(plan, diag);
    if (!status && config->sparse)
        status = sy_ss_compress(plan, diag);
    if (!status)
        status = fold_shape(plan, diag);
    if (!status)
        status = sy_ss_work(plan, plan->row_folds * plan->col_folds, diag);
    if (!status && config->version == SY_SCALESIM_V3)
        status = sy_ss_layout_check(plan, diag);
    if (!status && !config->compute_only)
        status = sy_ss_work(plan, plan->demand_rows, diag);
    if (!status && !config->compute_only)
        status = make_tables(plan, diag);
    return status;
}
