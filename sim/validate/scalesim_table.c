/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/validate/scalesim_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/engine/scalesim.h"

#define REAL_TOLERANCE 1e-9

/* ---- cells ---- */

struct cells {
    const struct sy_csv *csv;
    const struct sy_csv_row *row;
    struct sy_diag *diag;
    enum sy_status status; /* first error */
};

/* The text of a column; "" when the column is missing or the row is short. */
static const char *text_of(const struct cells *cells, const char *column)
{
    int index = sy_csv_column(cells->csv, column);
    return index >= 0 && (uint32_t)index < cells->row->fields ? cells->row->field[index] : "";
}

static void bad_cell(struct cells *cells, const char *column, const char *expected)
{
    int index = sy_csv_column(cells->csv, column);
    uint32_t place = index >= 0 && (uint32_t)index < cells->row->fields ? cells->row->column[index] : 0;
    cells->status =
        sy_error(cells->diag, ((struct sy_where){.file = cells->csv->file, .line = cells->row->line, .column = place}),
                 NULL, "column %s is '%s', expected %s", column, text_of(cells, column), expected);
}

static uint64_t count_of(struct cells *cells, const char *column)
{
    const char *text = text_of(cells, column);
    uint64_t value = 0;
    if (!sy_text_to_u64(text, strlen(text), &value))
        bad_cell(cells, column, "a count");
    return value;
}

static uint64_t count_or(struct cells *cells, const char *column, uint64_t missing)
{
    return *text_of(cells, column) ? count_of(cells, column) : missing;
}

/* ---- figures ---- */

enum figure_type { COUNT, STAMP, REAL, COUNT_OR_REAL };
struct figure {
    const char *column;
    enum figure_type type;
    size_t offset; /* in struct sy_scalesim_result */
};
#define FIGURE(column, type, member)                                                                                   \
    {                                                                                                                  \
        column, type, offsetof(struct sy_scalesim_result, member)                                                      \
    }
#define TRAFFIC(name, what, index)                                                                                     \
    FIGURE("dram_" name "_" what, COUNT, traffic[index].dram_words),                                                   \
        FIGURE("avg_" name "_sram_bw", REAL, traffic[index].sram_bandwidth),                                           \
        FIGURE("avg_" name "_dram_bw", REAL, traffic[index].dram_bandwidth),                                           \
        FIGURE("sram_" name "_start", STAMP, traffic[index].sram_start),                                               \
        FIGURE("sram_" name "_stop", STAMP, traffic[index].sram_stop),                                                 \
        FIGURE("dram_" name "_start", STAMP, traffic[index].dram_start),                                               \
        FIGURE("dram_" name "_stop", STAMP, traffic[index].dram_stop)

/* Columns of v2 and v3 tables. */
static const struct figure run_figures[] = {
    FIGURE("total_cycles", COUNT, total_cycles),
    FIGURE("stall_cycles", COUNT, stall_cycles),
    FIGURE("total_cycles_incl_prefetch", COUNT, cycles_with_prefetch),
    FIGURE("overall_util", REAL, overall_utilization),
    FIGURE("mapping_eff", REAL, mapping_efficiency),
    FIGURE("compute_util", REAL, compute_utilization),
    FIGURE("sram_ifmap_reads", COUNT_OR_REAL, ifmap_sram_reads), /* real in sparse ws runs */
    FIGURE("sram_filter_reads", COUNT, traffic[SY_SCALESIM_FILTER].sram_words),
    FIGURE("sram_ofmap_writes", COUNT, traffic[SY_SCALESIM_OFMAP].sram_words),
    TRAFFIC("filter", "reads", SY_SCALESIM_FILTER),
    TRAFFIC("ifmap", "reads", SY_SCALESIM_IFMAP),
    TRAFFIC("ofmap", "writes", SY_SCALESIM_OFMAP)};
static const struct figure sparse_figures[] = {
    FIGURE("orig_filter_words", REAL, original_words), FIGURE("new_filter_words", REAL, new_words),
    FIGURE("metadata_words", REAL, metadata_words), FIGURE("avg_metadata_sram_bw", REAL, metadata_bandwidth),
    FIGURE("eff_K", COUNT, effective_k)};
static const struct figure v1_figures[] = {FIGURE("cycles", COUNT, total_cycles),
                                           FIGURE("util_pct", REAL, overall_utilization)};

static double figure_value(const struct figure *figure, const struct sy_scalesim_result *result)
{
    const char *at = (const char *)result + figure->offset;
    uint64_t count;
    int64_t stamp;
    double real;
    switch (figure->type) {
    case COUNT:
        memcpy(&count, at, sizeof count);
        return (double)count;
    case STAMP:
        memcpy(&stamp, at, sizeof stamp);
        return (double)stamp;
    case REAL:
    case COUNT_OR_REAL:
    default:
        memcpy(&real, at, sizeof real);
        return real;
    }
}

static bool met(const struct figure *figure, double expected, double found)
{
    bool whole = expected == floor(expected) && found == floor(found);
    if (figure->type == COUNT || figure->type == STAMP || (figure->type == COUNT_OR_REAL && whole))
        return expected == found;
    return fabs(expected - found) <= REAL_TOLERANCE * fmax(fabs(expected), fabs(found));
}

static void compare(struct cells *cells, const struct figure *figures, size_t count,
                    const struct sy_scalesim_result *result, struct sy_scalesim_check *check)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = text_of(cells, figures[i].column);
        double expected;
        if (!*text)
            continue;
        if (!sy_text_to_double(text, strlen(text), &expected)) {
            bad_cell(cells, figures[i].column, "a number");
            return;
        }
        double found = figure_value(&figures[i], result);
        if (figures[i].offset == offsetof(struct sy_scalesim_result, total_cycles)) {
            check->has_cycles = true;
            check->cycles_expected = expected;
            check->cycles_found = found;
        }
        if (met(&figures[i], expected, found) || check->figure)
            continue;
        check->figure = figures[i].column;
        check->expected = expected;
        check->found = found;
    }
}

/* ---- rows ---- */

static void read_array(struct cells *cells, const char *dataflow_column, struct sy_scalesim_config *config)
{
    config->rows = count_of(cells, "rows");
    config->cols = count_of(cells, "cols");
    if (!sy_scalesim_parse_dataflow(text_of(cells, dataflow_column), &config->dataflow))
        bad_cell(cells, dataflow_column, "os, ws or is");
    config->filter_offset = count_or(cells, "filter_offset", 10000000); /* the tool's default */
    const char *mode = text_of(cells, "bw_mode");
    config->user_bandwidth = strcmp(mode, "USER") == 0;
    if (*mode && !config->user_bandwidth && strcmp(mode, "CALC") != 0)
        bad_cell(cells, "bw_mode", "CALC or USER");
    if (config->user_bandwidth)
        for (int i = 0; i < SY_SCALESIM_OPERANDS; i++)
            config->bandwidth[i] = count_of(cells, "user_bw");
}

static void read_version(struct cells *cells, struct sy_scalesim_config *config)
{
    const char *tool = text_of(cells, "tool");
    size_t length = strlen(tool);
    char digit = length >= 2 && tool[length - 2] == 'v' ? tool[length - 1] : '\0';
    if (digit < '1' || digit > '3')
        bad_cell(cells, "tool", "scale-sim-v1, -v2 or -v3");
    else
        config->version = (enum sy_scalesim_version)(digit - '0');
}

static void read_convolution(struct cells *cells, struct sy_scalesim_layer *layer)
{
    layer->ifmap_h = count_of(cells, "ifmap_h");
    layer->ifmap_w = count_of(cells, "ifmap_w");
    layer->filter_h = count_of(cells, "filt_h");
    layer->filter_w = count_of(cells, "filt_w");
    layer->channels = count_of(cells, "channels");
    layer->filters = count_of(cells, "num_filt");
    layer->stride_h = layer->stride_w = count_of(cells, "stride");
}

/* One size for all three SRAMs, or one each. */
static void read_srams(struct cells *cells, struct sy_scalesim_config *config)
{
    static const char *const columns[SY_SCALESIM_OPERANDS] = {"ifmap_kb", "filter_kb", "ofmap_kb"};
    bool one = *text_of(cells, "sram_kb") != '\0';
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++)
        config->sram_kb[i] = count_of(cells, one ? "sram_kb" : columns[i]);
}

static void read_sparse(struct cells *cells, struct sy_scalesim_config *config, struct sy_scalesim_layer *layer)
{
    layer->sparsity_n = count_of(cells, "spN");
    layer->sparsity_m = count_of(cells, "spM");
    config->sparse = true;
    if (!sy_scalesim_parse_storage(text_of(cells, "rep"), &config->storage))
        bad_cell(cells, "rep", "csr, csc or ellpack_block");
    config->row_wise = count_of(cells, "optimized") != 0;
    config->block = count_or(cells, "block", 0);
    config->seed = count_or(cells, "seed", 0);
}

static void read_row(struct cells *cells, enum sy_scalesim_table_kind kind, struct sy_scalesim_config *config,
                     struct sy_scalesim_layer *layer)
{
    *config = (struct sy_scalesim_config){0};
    *layer = (struct sy_scalesim_layer){0};
    read_version(cells, config);
    read_array(cells, *text_of(cells, "df") ? "df" : "dataflow", config);
    if (*text_of(cells, "ifmap_h"))
        read_convolution(cells, layer);
    else
        *layer = sy_scalesim_gemm(count_of(cells, "M"), count_of(cells, "N"), count_of(cells, "K"));
    if (kind == SY_SCALESIM_TABLE_SPARSE)
        read_sparse(cells, config, layer);
    if (kind == SY_SCALESIM_TABLE_V1)
        return;
    read_srams(cells, config);
    config->compute_only = strcmp(text_of(cells, "level"), "compute") == 0;
}

static void name_group(const struct sy_scalesim_config *config, enum sy_scalesim_table_kind kind,
                       struct sy_scalesim_check *check)
{
    static const char *const dataflows[] = {"os", "ws", "is"};
    const char *mode = config->user_bandwidth ? "USER" : "CALC";
    if (kind == SY_SCALESIM_TABLE_SPARSE)
        mode = config->row_wise ? "sparse row-wise" : "sparse layer-wise";
    else if (kind == SY_SCALESIM_TABLE_V1)
        mode = "cycles";
    snprintf(check->group, sizeof check->group, "v%d %s %s", (int)config->version, mode, dataflows[config->dataflow]);
}

enum sy_status sy_scalesim_table_check(const struct sy_csv *csv, enum sy_scalesim_table_kind kind, size_t row,
                                       struct sy_scalesim_check *check, struct sy_diag *diag)
{
    struct cells cells = {.csv = csv, .row = &csv->row[row], .diag = diag};
    struct sy_scalesim_config config;
    struct sy_scalesim_layer layer;
    struct sy_scalesim_result result;
    *check = (struct sy_scalesim_check){0};
    read_row(&cells, kind, &config, &layer);
    if (cells.status)
        return cells.status;
    name_group(&config, kind, check);
    enum sy_status status = sy_scalesim_layer(&config, &layer, &result, NULL);
    if (status == SY_INPUT || status == SY_UNSUPPORTED) {
        check->refused = true;
        check->exact = *text_of(&cells, "error") != '\0';
        if (!check->exact)
            check->figure = "error";
        return SY_OK;
    }
    if (status)
        return status;
    if (*text_of(&cells, "error"))
        check->figure = "error";
    if (kind == SY_SCALESIM_TABLE_V1) {
        compare(&cells, v1_figures, sizeof v1_figures / sizeof *v1_figures, &result, check);
    } else {
        compare(&cells, run_figures, sizeof run_figures / sizeof *run_figures, &result, check);
        if (kind == SY_SCALESIM_TABLE_SPARSE)
            compare(&cells, sparse_figures, sizeof sparse_figures / sizeof *sparse_figures, &result, check);
    }
    check->exact = check->figure == NULL;
    return cells.status;
}

enum sy_status sy_scalesim_table_recognize(const struct sy_csv *csv, enum sy_scalesim_table_kind *kind,
                                           struct sy_diag *diag)
{
    static const struct {
        enum sy_scalesim_table_kind kind;
        const char *columns[8];
    } tables[] = {{SY_SCALESIM_TABLE_SPARSE, {"tool", "spN", "spM", "rep", "optimized"}},
                  {SY_SCALESIM_TABLE_RUNS, {"tool", "rows", "cols", "dataflow", "bw_mode"}},
                  {SY_SCALESIM_TABLE_V1, {"tool", "rows", "cols", "dataflow", "cycles"}}};
    for (size_t i = 0; csv->rows > 0 && i < sizeof tables / sizeof *tables; i++) {
        bool all = true;
        for (size_t j = 0; tables[i].columns[j]; j++)
            all = all && sy_csv_column(csv, tables[i].columns[j]) >= 0;
        if (all) {
            *kind = tables[i].kind;
            return SY_OK;
        }
    }
    return sy_error(diag, ((struct sy_where){.file = csv->file, .line = 1}),
                    "see tests/golden/scalesim_calc.csv, _user, _sparsity and _v1 for the columns",
                    "the header is none of the SCALE-Sim tables");
}
