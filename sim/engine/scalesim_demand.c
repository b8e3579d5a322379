/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: the rows of the demand matrices, and the fetch order.
 *
 * A fold of a matrix that streams through array rows or columns is skewed: the
 * element that enters lane l in row t is number t - start - l. A stationary
 * operand enters all lanes at once, last array row first. Rows of a fold
 * (R, C array height and width):
 *   os      operands skewed from row 0, outputs from row K-1, T + R + C - 2 rows
 *   ws, is  stationary operand rows 0 .. R-1, the other skewed from row R,
 *           outputs skewed from row 2R-1, T + 2R + C - 2 rows
 */
#include "sim/engine/scalesim_internal.h"

#include "sim/base/checked.h"

struct sy_ss_fold sy_ss_fold_at(const struct sy_ss_plan *plan, uint64_t index)
{
    uint64_t height = plan->config->dataflow == SY_SCALESIM_OS ? plan->m : plan->filter_k;
    struct sy_ss_fold fold = {.row_start = index % plan->row_folds * plan->rows,
                              .col_start = index / plan->row_folds * plan->cols};
    fold.row_count = sy_min(plan->rows, height - fold.row_start);
    fold.col_count = sy_min(plan->cols, plan->spread_cols - fold.col_start);
    return fold;
}

/* ---- addresses ---- */

uint32_t sy_ss_ifmap_address(const struct sy_ss_plan *plan, uint64_t pixel, uint64_t k)
{
    if (plan->clipped &&
        (plan->window_y[k] >= plan->pixel_room_y[pixel] || plan->window_x[k] >= plan->pixel_room_x[pixel]))
        return SY_SS_NONE;
    return plan->pixel_base[pixel] + plan->window_offset[k];
}

uint32_t sy_ss_filter_address(const struct sy_ss_plan *plan, uint64_t k, uint64_t n)
{
    if (!plan->config->sparse)
        return (uint32_t)(n * plan->k + k);
    if (n == 0)
        return plan->source_first[k];
    if (plan->source[k] == SY_SS_NONE || (plan->slot && plan->slot[k] >= plan->nonzeros[n]))
        return SY_SS_NONE;
    return (uint32_t)(n * plan->k + plan->source[k]);
}

/* A run of places in one row: lane l holds element (major + l * major_step, k + l * k_step), where major is the
 * output pixel or the filter. */
struct run {
    uint64_t count;
    uint64_t major, k;
    int64_t major_step, k_step;
};

/* Lanes of `lanes` whose element t - start - lane lies in [0, length): first lane and how many. */
static uint64_t skewed_lanes(uint64_t t, uint64_t start, uint64_t length, uint64_t lanes, uint64_t *first)
{
    if (t < start)
        return 0;
    uint64_t since = t - start;
    *first = since < length ? 0 : since - length + 1;
    uint64_t end = sy_min(lanes, since + 1);
    return end > *first ? end - *first : 0;
}

/* An operand that stays at its lane's major index while k streams (os). */
static struct run fixed_major(uint64_t t, uint64_t length, uint64_t major, uint64_t lanes)
{
    uint64_t first = 0, count = skewed_lanes(t, 0, length, lanes, &first);
    return (struct run){.count = count, .major = major + first, .k = t - first, .major_step = 1, .k_step = -1};
}

/* An operand that stays at its lane's k while the major index streams (ws ifmap, is filter). */
static struct run fixed_k(uint64_t t, uint64_t start, uint64_t length, uint64_t k, uint64_t lanes)
{
    uint64_t first = 0, count = skewed_lanes(t, start, length, lanes, &first);
    return (struct run){.count = count, .major = t - start - first, .k = k + first, .major_step = -1, .k_step = 1};
}

/* The stationary operand: array row R-1-t of the fold, all lanes (ws filter, is ifmap). */
static struct run stationary(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t)
{
    struct run run = {0};
    if (t < plan->rows && plan->rows - 1 - t < fold->row_count)
        run = (struct run){.count = fold->col_count,
                           .major = fold->col_start,
                           .k = fold->row_start + plan->rows - 1 - t,
                           .major_step = 1};
    return run;
}

static uint32_t emit_ifmap(const struct sy_ss_plan *plan, const struct run *run, uint32_t *out)
{
    uint64_t pixel = run->major, k = run->k;
    uint32_t used = 0;
    for (uint64_t i = 0; i < run->count; i++) {
        uint32_t address = sy_ss_ifmap_address(plan, pixel, k);
        out[used] = address;
        used += address != SY_SS_NONE;
        pixel += (uint64_t)run->major_step;
        k += (uint64_t)run->k_step;
    }
    return used;
}

static uint32_t emit_filter(const struct sy_ss_plan *plan, const struct run *run, uint32_t *out)
{
    uint64_t n = run->major, k = run->k;
    uint32_t used = 0;
    if (!plan->config->sparse) {
        uint64_t address = n * plan->k + k, step = (uint64_t)run->major_step * plan->k + (uint64_t)run->k_step;
        for (; used < run->count; used++, address += step)
            out[used] = (uint32_t)address;
        return used;
    }
    for (uint64_t i = 0; i < run->count; i++) {
        uint32_t address = sy_ss_filter_address(plan, k, n);
        out[used] = address;
        used += address != SY_SS_NONE;
        n += (uint64_t)run->major_step;
        k += (uint64_t)run->k_step;
    }
    return used;
}

/* Row-wise sparsity: two tiles of ifmap columns in blocks, each block in B/2 neighbouring lanes; a lane takes its
 * whole block of one pixel a row. */
static uint32_t row_wise_ifmap_row(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t,
                                   uint32_t *out)
{
    uint64_t block = plan->config->block, half = block / 2, lanes = 2 * plan->rows / block * half, first = 0;
    uint64_t count = skewed_lanes(t, plan->rows, plan->m, lanes, &first);
    uint32_t used = 0;
    for (uint64_t lane = first; lane < first + count; lane++) {
        uint64_t k = 2 * fold->row_start + lane / half * block, end = sy_min(k + block, plan->ifmap_k);
        for (; k < end; k++) {
            uint32_t address = sy_ss_ifmap_address(plan, t - plan->rows - lane, k);
            out[used] = address;
            used += address != SY_SS_NONE;
        }
    }
    return used;
}

static struct run ifmap_run(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t)
{
    switch (plan->config->dataflow) {
    case SY_SCALESIM_OS:
        return fixed_major(t, plan->stream, fold->row_start, fold->row_count);
    case SY_SCALESIM_WS:
        return fixed_k(t, plan->rows, plan->stream, fold->row_start,
                       sy_min(plan->rows, plan->ifmap_k - fold->row_start));
    case SY_SCALESIM_IS:
    default:
        return stationary(plan, fold, t);
    }
}

static struct run filter_run(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t)
{
    switch (plan->config->dataflow) {
    case SY_SCALESIM_OS:
        return fixed_major(t, plan->stream, fold->col_start, fold->col_count);
    case SY_SCALESIM_WS:
        return stationary(plan, fold, t);
    case SY_SCALESIM_IS:
    default:
        return fixed_k(t, plan->rows, plan->stream, fold->row_start, fold->row_count);
    }
}

uint32_t sy_ss_ifmap_row(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t, uint32_t *out)
{
    if (plan->config->sparse && plan->config->row_wise && plan->config->dataflow == SY_SCALESIM_WS)
        return row_wise_ifmap_row(plan, fold, t, out);
    struct run run = ifmap_run(plan, fold, t);
    return emit_ifmap(plan, &run, out);
}

uint32_t sy_ss_filter_row(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t, uint32_t *out)
{
    struct run run = filter_run(plan, fold, t);
    return emit_filter(plan, &run, out);
}

/* Requests of an operand in a fold of a dense layer whose windows all lie inside the ifmap. */
static uint64_t fold_requests(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand,
                              const struct sy_ss_fold *fold)
{
    bool ifmap = operand == SY_SCALESIM_IFMAP;
    switch (plan->config->dataflow) {
    case SY_SCALESIM_OS:
        return plan->stream * (ifmap ? fold->row_count : fold->col_count);
    case SY_SCALESIM_WS:
        return fold->row_count * (ifmap ? plan->stream : fold->col_count);
    case SY_SCALESIM_IS:
    default:
        return fold->row_count * (ifmap ? fold->col_count : plan->stream);
    }
}

uint64_t sy_ss_request_row(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t request)
{
    uint64_t index = 0;
    struct sy_ss_fold fold = sy_ss_fold_at(plan, index);
    for (uint64_t here; request >= (here = fold_requests(plan, operand, &fold)); request -= here)
        fold = sy_ss_fold_at(plan, ++index);
    for (uint64_t t = 0;; t++) {
        struct run run = operand == SY_SCALESIM_IFMAP ? ifmap_run(plan, &fold, t) : filter_run(plan, &fold, t);
        if (request < run.count)
            return index * plan->fold_rows + t;
        request -= run.count;
    }
}

uint64_t sy_ss_ofmap_count(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold, uint64_t t)
{
    uint64_t first = 0;
    if (plan->config->dataflow != SY_SCALESIM_OS)
        return skewed_lanes(t, 2 * plan->rows - 1, plan->stream, fold->col_count, &first);
    /* Outputs leave bottom row first, so the unused rows of a ragged fold come first. */
    uint64_t empty = plan->rows - fold->row_count;
    return skewed_lanes(t, plan->stream - 1 + empty, fold->row_count, fold->col_count, &first);
}

/* ---- fetch order ---- */

/* The operand cut into folds as wide as the array, folds stacked: places are (row, lane). */
struct stack {
    uint64_t height; /* of one fold */
    uint64_t folds, width;
    uint64_t extent; /* of the index that is spread over lanes and folds */
    bool lane_is_k;  /* lanes run over k (and rows over pixels or filters), or the other way round */
};

static struct stack stack_of(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand)
{
    bool ifmap = operand == SY_SCALESIM_IFMAP;
    struct stack stack = {0};
    stack.lane_is_k = plan->config->dataflow == (ifmap ? SY_SCALESIM_WS : SY_SCALESIM_IS);
    uint64_t major = ifmap ? plan->m : plan->n, k = ifmap ? plan->ifmap_k : plan->filter_k;
    stack.extent = stack.lane_is_k ? k : major;
    stack.height = stack.lane_is_k ? major : k;
    /* Lanes are array rows where the operand streams past rows: all but the os filter and the stationary ones. */
    stack.width = stack.lane_is_k || (ifmap && plan->config->dataflow == SY_SCALESIM_OS) ? plan->rows : plan->cols;
    stack.folds = sy_ceil_div(stack.extent, stack.width);
    return stack;
}

uint64_t sy_ss_fetch_places(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand)
{
    struct stack stack = stack_of(plan, operand);
    return stack.height * stack.folds * stack.width;
}

/* Place `lane` of row `along` of a fold. */
static uint32_t stack_address(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand,
                              const struct stack *stack, uint64_t fold, uint64_t along, uint64_t lane)
{
    uint64_t spread = fold * stack->width + lane;
    if (spread >= stack->extent)
        return SY_SS_NONE;
    uint64_t major = stack->lane_is_k ? along : spread, k = stack->lane_is_k ? spread : along;
    return operand == SY_SCALESIM_IFMAP ? sy_ss_ifmap_address(plan, major, k) : sy_ss_filter_address(plan, k, major);
}

/* A stationary operand is fetched row by row; one that streams along the anti-diagonals of its stack, each from its
 * lowest row up. */
void sy_ss_fetch_order(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, sy_ss_visit visit,
                       void *context)
{
    struct stack stack = stack_of(plan, operand);
    bool by_rows = plan->config->dataflow == (operand == SY_SCALESIM_IFMAP ? SY_SCALESIM_IS : SY_SCALESIM_WS);
    if (by_rows) {
        for (uint64_t fold = 0; fold < stack.folds; fold++)
            for (uint64_t along = 0; along < stack.height; along++)
                for (uint64_t lane = 0; lane < stack.width; lane++)
                    visit(context, stack_address(plan, operand, &stack, fold, along, lane));
        return;
    }
    uint64_t height = stack.height * stack.folds;
    for (uint64_t diagonal = 0; diagonal < height + stack.width - 1; diagonal++) {
        uint64_t row = sy_min(diagonal, height - 1), first = diagonal - row;
        uint64_t fold = row / stack.height, along = row % stack.height;
        uint64_t end = sy_min(stack.width, diagonal + 1);
        for (uint64_t lane = first; lane < end; lane++) {
            visit(context, stack_address(plan, operand, &stack, fold, along, lane));
            if (along-- == 0) {
                along = stack.height - 1;
                fold--; /* wraps after row 0, when the loop is over */
            }
        }
    }
}
