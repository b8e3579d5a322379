/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV in two forms: one row a layer, or (details 0) one row a figure of the
 * totals. Both begin with chip and workload, so that files of several runs can
 * be put together. A figure that does not apply is an empty field. The columns
 * are listed in docs/formats-result.md.
 */
#include "sim/base/csv.h"

#include <stdio.h>
#include <string.h>

#include "sim/report/report_format.h"

static void put_u64(struct sy_buf *out, uint64_t value)
{
    char text[32];
    sy_buf_puts(out, ",");
    sy_buf_puts(out, sy_format_u64(text, value));
}

static void put_double(struct sy_buf *out, double value)
{
    char text[32];
    sy_buf_puts(out, ",");
    sy_buf_puts(out, sy_format_double(text, value));
}

static void put_text(struct sy_buf *out, const char *text)
{
    sy_buf_puts(out, ",");
    if (text)
        sy_csv_put(out, text);
}

static void put_optional(struct sy_buf *out, bool applies, uint64_t value)
{
    if (applies)
        put_u64(out, value);
    else
        sy_buf_puts(out, ",");
}

static void put_run(struct sy_buf *out, const struct sy_result *result)
{
    sy_csv_put(out, result->chip);
    put_text(out, result->workload);
}

static void put_totals(struct sy_buf *out, const struct sy_result *result)
{
    sy_buf_puts(out, "chip,workload,figure,value,unit\n");
    for (size_t i = 0; i < sy_figure_count; i++) {
        double value;
        uint64_t whole;
        if (!sy_figures[i].get(result, &value, &whole))
            continue;
        put_run(out, result);
        put_text(out, sy_figures[i].name);
        if (sy_figures[i].integer)
            put_u64(out, whole);
        else
            put_double(out, value);
        put_text(out, sy_figures[i].unit);
        sy_buf_puts(out, "\n");
    }
}

/* Operators in no figure: two rows each, how many and how many bytes. */
static void put_unmodelled_totals(struct sy_buf *out, const struct sy_result *result)
{
    for (uint32_t i = 0; i < result->unmodelled_kinds; i++) {
        const uint64_t values[2] = {result->unmodelled[i].count, result->unmodelled[i].bytes};
        const char *const units[2] = {"node", "byte"};
        char name[96];
        (void)snprintf(name, sizeof name, "unmodelled %.64s", result->unmodelled[i].op);
        for (int k = 0; k < 2; k++) {
            put_run(out, result);
            put_text(out, name);
            put_u64(out, values[k]);
            put_text(out, units[k]);
            sy_buf_puts(out, "\n");
        }
    }
}

/* Operators in no figure, behind the layers: op is `unmodelled`, repeat how often, the last column their bytes. */
static void put_unmodelled_rows(struct sy_buf *out, const struct sy_result *result)
{
    enum { BEFORE_REPEAT = 4, BEFORE_STALLS = 3, BEHIND_STALLS = 11 };
    for (uint32_t i = 0; i < result->unmodelled_kinds; i++) {
        put_run(out, result);
        put_text(out, result->unmodelled[i].op);
        put_text(out, "unmodelled");
        for (uint32_t k = 0; k < BEFORE_REPEAT; k++)
            sy_buf_puts(out, ",");
        put_u64(out, result->unmodelled[i].count);
        for (uint32_t k = 0; k < BEFORE_STALLS + result->stalls + BEHIND_STALLS; k++)
            sy_buf_puts(out, ",");
        put_u64(out, result->unmodelled[i].bytes);
        sy_buf_puts(out, "\n");
    }
}

static void put_layer(struct sy_buf *out, const struct sy_result *result, const struct sy_layer_result *layer)
{
    bool matrix = layer->m > 0, tiled = layer->tile[0] > 0;
    put_run(out, result);
    put_text(out, layer->name);
    put_text(out, layer->op);
    put_optional(out, matrix, layer->m);
    put_optional(out, matrix, layer->k);
    put_optional(out, matrix, layer->n);
    put_optional(out, matrix, layer->groups);
    put_u64(out, layer->repeat);
    put_u64(out, layer->macs);
    put_u64(out, layer->cycles);
    put_u64(out, layer->busy);
    for (uint32_t s = 0; s < result->stalls; s++)
        put_u64(out, layer->stall[s]);
    if (matrix)
        put_double(out, layer->utilization);
    else
        sy_buf_puts(out, ",");
    put_text(out, sy_bound_names[layer->bound]);
    if (result->energies)
        put_double(out, layer->energy_j);
    else
        sy_buf_puts(out, ",");
    put_u64(out, layer->dram_read_bytes);
    put_u64(out, layer->dram_write_bytes);
    for (int i = 0; i < 3; i++)
        put_optional(out, tiled, layer->tile[i]);
    put_text(out, tiled ? layer->dataflow : NULL);
    put_text(out, tiled ? layer->order : NULL);
    put_text(out, layer->kept);
    sy_buf_puts(out, ",\n");
}

static void put_layers(struct sy_buf *out, const struct sy_result *result)
{
    sy_buf_puts(out, "chip,workload,name,op,m,k,n,groups,repeat,macs,cycles,busy_cycles");
    for (uint32_t s = 0; s < result->stalls; s++)
        sy_buf_printf(out, ",stall_%s_cycles", result->stall_name[s]);
    sy_buf_puts(out,
                ",utilization,bound,energy_j,dram_read_bytes,dram_write_bytes,tile_m,tile_k,tile_n,dataflow,order,kept,"
                "unmodelled_bytes\n");
    for (uint64_t i = 0; i < result->layers; i++)
        put_layer(out, result, &result->layer[i]);
    put_unmodelled_rows(out, result);
}

static enum sy_status write_csv(const struct sy_result *result, const struct sy_report_options *options,
                                struct sy_buf *out)
{
    (options->details > 0 ? put_layers : put_totals)(out, result);
    if (options->details <= 0)
        put_unmodelled_totals(out, result);
    return out->failed ? SY_NOMEM : SY_OK;
}

const struct sy_report_format sy_report_format_csv = {
    .name = "csv", .suffix = ".csv", .doc = "one row a layer, or with --totals one row a figure", .write = write_csv};
