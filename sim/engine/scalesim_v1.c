/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim v1: cycles and utilization.
 *
 * os is a state machine a lane: each array row streams the window of its
 * output pixel, one element a cycle, then takes the pixel R further on; each
 * column does the same with its filter. Folds overlap, but a row may not start
 * the next column fold before the row above it has. Outputs are counted
 * separately, and the later of the two decides.
 * ws and is load the stationary operand (K cycles a window, windows side by
 * side when the array is tall enough), stream the other, and end with the
 * later of the last read and the last write; folds do not overlap.
 *
 * v1 rounds output sizes down (v2 and v3 round up), except that os counts row
 * folds from the unrounded product.
 */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "sim/base/checked.h"

struct v1_layer {
    uint64_t rows, cols;
    double real_pixels; /* output pixels before rounding down */
    uint64_t pixels, filters, window;
    uint64_t limit; /* most steps */
};

struct v1_sum {
    uint64_t cycles;
    double used; /* share of the PEs in use x cycles */
};

/* ---- os ---- */

#define NEVER (INT64_MIN / 2)

struct v1_lane {
    int64_t clock; /* element being streamed; negative: waiting for the skew or for ever */
    uint64_t pixel, row_folds, col_folds;
    bool barrier, done;
};

static void os_row_done(const struct v1_layer *layer, struct v1_lane *rows, uint64_t r, uint64_t col_folds)
{
    struct v1_lane *row = &rows[r];
    row->pixel += layer->rows;
    row->clock = 0;
    if (row->pixel < layer->pixels)
        return;
    if (++row->col_folds >= col_folds) {
        row->clock = NEVER;
        return;
    }
    row->pixel = r;
    if (r != 0 && (row->col_folds > rows[r - 1].col_folds || rows[r - 1].barrier)) {
        row->clock = NEVER;
        row->barrier = true;
    }
}

/* One cycle of all rows; returns how many read, and whether none is inside a window any more. */
static uint64_t os_rows(const struct v1_layer *layer, struct v1_lane *rows, uint64_t col_folds, bool *done)
{
    uint64_t used = 0;
    for (uint64_t r = 0; r < layer->rows; r++) {
        used += rows[r].clock >= 0;
        if (++rows[r].clock == (int64_t)layer->window)
            os_row_done(layer, rows, r, col_folds);
    }
    /* At most one barrier a cycle opens. */
    for (uint64_t r = 1; r < layer->rows; r++) {
        if (rows[r].barrier && rows[r].col_folds == rows[r - 1].col_folds && !rows[r - 1].barrier) {
            rows[r].barrier = false;
            rows[r].clock = rows[r - 1].clock - 1;
            break;
        }
    }
    *done = true;
    for (uint64_t r = 0; r < layer->rows; r++)
        *done = *done && rows[r].clock <= 0;
    return used;
}

static uint64_t os_cols(const struct v1_layer *layer, struct v1_lane *cols, uint64_t row_folds, uint64_t col_folds,
                        bool *done)
{
    uint64_t used = 0;
    *done = true;
    for (uint64_t c = 0; c < layer->cols; c++) {
        struct v1_lane *col = &cols[c];
        used += col->clock >= 0;
        if (++col->clock == (int64_t)layer->window) {
            col->clock = 0;
            if (++col->row_folds >= row_folds) {
                col->row_folds = 0;
                col->col_folds++;
                if (col->col_folds >= col_folds || col->col_folds * layer->cols + c >= layer->filters) {
                    col->clock = NEVER;
                    col->done = true;
                }
            }
        }
        *done = *done && col->done;
    }
    return used;
}

/* Cycle after the last output: row folds follow each other at the longer of window and rows. The next column fold
 * counts from the start of the last row fold less its columns, which may lie before cycle 0, but not before its end. */
static uint64_t os_writes(const struct v1_layer *layer)
{
    uint64_t left = layer->filters, cols = sy_min(layer->cols, left);
    int64_t now = (int64_t)(layer->window + cols) - 1;
    for (;;) {
        uint64_t pixels = layer->pixels;
        for (; pixels > layer->rows; pixels -= layer->rows)
            now += (int64_t)sy_max(layer->window, layer->rows);
        int64_t end = now + (int64_t)pixels;
        left -= cols;
        if (left == 0)
            return (uint64_t)end;
        now -= (int64_t)(pixels + cols) - 1;
        cols = sy_min(layer->cols, left);
        now += (int64_t)(layer->window + cols);
        now = now < end ? end : now;
    }
}

static enum sy_status os_layer(const struct v1_layer *layer, struct v1_sum *sum, struct sy_diag *diag)
{
    uint64_t row_folds = (uint64_t)ceil(layer->real_pixels / (double)layer->rows);
    uint64_t col_folds = sy_ceil_div(layer->filters, layer->cols);
    struct v1_lane *rows = calloc(layer->rows + layer->cols, sizeof *rows);
    if (!rows)
        return sy_ss_refuse(diag, NULL, "an array of %" PRIu64 " x %" PRIu64 " is too large", layer->rows, layer->cols);
    struct v1_lane *cols = rows + layer->rows;
    for (uint64_t r = 0; r < layer->rows; r++)
        rows[r] = (struct v1_lane){.clock = r < layer->pixels ? -(int64_t)r : NEVER, .pixel = r};
    for (uint64_t c = 0; c < layer->cols; c++)
        cols[c] = (struct v1_lane){.clock = c < layer->filters ? -(int64_t)c : NEVER, .done = c >= layer->filters};
    uint64_t cycles = 0;
    double used = 0, pes = (double)(layer->rows * layer->cols);
    for (bool rows_done = false, cols_done = false; !rows_done || !cols_done; cycles++) {
        uint64_t rows_used = os_rows(layer, rows, col_folds, &rows_done);
        uint64_t cols_used = os_cols(layer, cols, row_folds, col_folds, &cols_done);
        used += (double)(rows_used * cols_used) / pes;
        if (cycles > layer->limit)
            break;
    }
    free(rows);
    if (cycles > layer->limit)
        return sy_ss_refuse(diag, "raise the limit or split the layer",
                            "more than %" PRIu64 " cycles of the SCALE-Sim v1 model", layer->limit);
    sum->used = used / (double)cycles;
    sum->cycles = sy_max(cycles, os_writes(layer));
    return SY_OK;
}

/* ---- ws, is ---- */

/* The same walk for both: `spread` things over columns (filters in ws, pixels in is), `stream` of the other. */
static void stationary_layer(const struct v1_layer *layer, bool ws, struct v1_sum *sum)
{
    uint64_t spread = ws ? layer->filters : layer->pixels, stream = ws ? layer->pixels : layer->filters;
    uint64_t side_by_side = layer->rows < layer->window ? 1 : layer->rows / layer->window;
    double pes = (double)(layer->rows * layer->cols), used = 0;
    uint64_t cycles = 0;
    for (uint64_t left = spread, mapped; left > 0; left -= mapped) {
        mapped = sy_min(left, side_by_side * layer->cols);
        uint64_t windows = sy_ceil_div(mapped, layer->cols), first_cols = sy_min(left, layer->cols);
        for (uint64_t window = layer->window, rows; window > 0; window -= rows) {
            rows = sy_min(window, layer->rows);
            uint64_t start = cycles;
            cycles += windows * rows; /* load */
            uint64_t first_out = ws ? (windows > 1 ? layer->cols : first_cols) : first_cols - 1;
            /* ws takes the unrounded output size where a window does not fit the array. */
            uint64_t reads = ws && layer->rows < layer->window ? (uint64_t)layer->real_pixels : stream;
            cycles += sy_max(reads, first_out + rows + stream);
            used += (double)(rows * mapped) / pes * (double)(cycles - start);
        }
    }
    sum->cycles = cycles;
    sum->used = used / (double)cycles;
}

static enum sy_status v1_check(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                               struct sy_diag *diag)
{
    const uint64_t values[] = {config->rows,    config->cols,    layer->ifmap_h, layer->ifmap_w, layer->filter_h,
                               layer->filter_w, layer->channels, layer->filters, layer->stride_h};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i] < 1 || values[i] > SY_SCALESIM_MAX_DIMENSION)
            return sy_error(diag, SY_NOWHERE, NULL, "a dimension is %" PRIu64 ", expected 1 to %" PRIu64, values[i],
                            SY_SCALESIM_MAX_DIMENSION);
    if (layer->filter_h > layer->ifmap_h || layer->filter_w > layer->ifmap_w)
        return sy_error(diag, SY_NOWHERE, NULL, "the filter is larger than the ifmap");
    if (layer->stride_w != layer->stride_h)
        return sy_error(diag, SY_NOWHERE, NULL, "SCALE-Sim v1 has one stride for both directions");
    return SY_OK;
}

/* Shapes, and a limit on steps that keeps hostile layers from running for ever. */
static enum sy_status v1_shape(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                               struct v1_layer *v1, struct sy_diag *diag)
{
    uint64_t span_h = layer->ifmap_h - layer->filter_h + layer->stride_h, out_h = span_h / layer->stride_h;
    uint64_t span_w = layer->ifmap_w - layer->filter_w + layer->stride_w, out_w = span_w / layer->stride_w;
    uint64_t work = config->max_requests ? config->max_requests : (uint64_t)1 << 32;
    *v1 = (struct v1_layer){.rows = config->rows, .cols = config->cols, .filters = layer->filters};
    v1->real_pixels = ((double)span_h / (double)layer->stride_h) * ((double)span_w / (double)layer->stride_w);
    v1->limit = work / (v1->rows + v1->cols);
    if (!sy_mul(out_h, out_w, &v1->pixels) || v1->pixels > SY_SCALESIM_MAX_DIMENSION ||
        !sy_mul3(layer->filter_h, layer->filter_w, layer->channels, &v1->window) ||
        v1->window > SY_SCALESIM_MAX_DIMENSION)
        return sy_ss_refuse(diag, "split the layer", "the layer is too large for the SCALE-Sim model");
    uint64_t folds = sy_ceil_div(v1->window, v1->rows) * sy_ceil_div(sy_max(v1->pixels, v1->filters), v1->cols);
    if (folds > v1->limit)
        return sy_ss_refuse(diag, "raise the limit or split the layer", "%" PRIu64 " folds in the SCALE-Sim v1 model",
                            folds);
    return SY_OK;
}

enum sy_status sy_ss_v1(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                        struct sy_scalesim_result *result, struct sy_diag *diag)
{
    struct v1_layer v1;
    struct v1_sum sum = {0};
    enum sy_status status = v1_check(config, layer, diag);
    if (!status)
        status = v1_shape(config, layer, &v1, diag);
    if (status)
        return status;
    if (config->dataflow == SY_SCALESIM_OS)
        status = os_layer(&v1, &sum, diag);
    else
        stationary_layer(&v1, config->dataflow == SY_SCALESIM_WS, &sum);
    result->total_cycles = sum.cycles;
    result->overall_utilization = sum.used * 100;
    return status;
}
