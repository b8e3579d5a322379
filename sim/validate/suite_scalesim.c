/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite scalesim: every figure SCALE-Sim v1, v2 and v3 report for a layer.
 *
 * Three kinds of table, told apart by their columns: runs of v2 and v3
 * (bw_mode CALC or USER), sparse runs of v3 (spN, spM), and v1 (cycles and
 * util_pct). The layer is given by the convolution columns (ifmap_h ...
 * stride) or by M, N, K; the SRAMs by sram_kb or one column each. The figures
 * are those of the lists below, absent columns and blank cells left out. A row
 * with text in `error` is one on which the tool raised an exception.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/scalesim.h"
#include "sim/validate/suite.h"

enum input {
    IN_TOOL,
    IN_ROWS,
    IN_COLS,
    IN_DATAFLOW,
    IN_DF,
    IN_BW_MODE,
    IN_USER_BW,
    IN_FILTER_OFFSET,
    IN_IFMAP_OFFSET,
    IN_IFMAP_BW,
    IN_FILTER_BW,
    IN_IFMAP_BANKS,
    IN_FILTER_BANKS,
    IN_IFMAP_PORTS,
    IN_FILTER_PORTS,
    IN_CUSTOM_LAYOUT,
    IN_LAYOUT,
    IN_LEVEL,
    IN_IFMAP_H,
    IN_IFMAP_W,
    IN_FILT_H,
    IN_FILT_W,
    IN_CHANNELS,
    IN_NUM_FILT,
    IN_STRIDE,
    IN_M,
    IN_N,
    IN_K,
    IN_SRAM_KB,
    IN_IFMAP_KB,
    IN_FILTER_KB,
    IN_OFMAP_KB,
    IN_SP_N,
    IN_SP_M,
    IN_REP,
    IN_OPTIMIZED,
    IN_BLOCK,
    IN_SEED,
    IN_ERROR,
    INPUTS
};
static const struct sy_suite_column input_columns[INPUTS] = {
    {"tool", true, -1},
    {"rows", true, -1},
    {"cols", true, -1},
    {"dataflow", false, -1},
    {"df", false, -1},
    {"bw_mode", false, -1},
    {"user_bw", false, -1},
    {"filter_offset", false, -1},
    {"ifmap_offset", false, -1},
    {"ifmap_bw", false, -1},
    {"filter_bw", false, -1},
    {"ifmap_banks", false, -1},
    {"filter_banks", false, -1},
    {"ifmap_ports", false, -1},
    {"filter_ports", false, -1},
    {"custom_layout", false, -1},
    {"layout", false, -1},
    {"level", false, -1},
    {"ifmap_h", false, -1},
    {"ifmap_w", false, -1},
    {"filt_h", false, -1},
    {"filt_w", false, -1},
    {"channels", false, -1},
    {"num_filt", false, -1},
    {"stride", false, -1},
    {"M", false, -1},
    {"N", false, -1},
    {"K", false, -1},
    {"sram_kb", false, -1},
    {"ifmap_kb", false, -1},
    {"filter_kb", false, -1},
    {"ofmap_kb", false, -1},
    {"spN", false, -1},
    {"spM", false, -1},
    {"rep", false, -1},
    {"optimized", false, -1},
    {"block", false, -1},
    {"seed", false, -1},
    {"error", false, -1},
};

/* ---- figures ---- */

enum figure_type { COUNT, STAMP, REAL };
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

/* v2 and v3; the main figure first. sram_ifmap_reads is a real number in layer-wise sparse runs. */
static const struct figure run_figures[] = {
    FIGURE("total_cycles", COUNT, total_cycles),
    FIGURE("stall_cycles", COUNT, stall_cycles),
    FIGURE("total_cycles_incl_prefetch", COUNT, cycles_with_prefetch),
    FIGURE("overall_util", REAL, overall_utilization),
    FIGURE("mapping_eff", REAL, mapping_efficiency),
    FIGURE("compute_util", REAL, compute_utilization),
    FIGURE("sram_ifmap_reads", REAL, ifmap_sram_reads),
    FIGURE("sram_filter_reads", COUNT, traffic[SY_SCALESIM_FILTER].sram_words),
    FIGURE("sram_ofmap_writes", COUNT, traffic[SY_SCALESIM_OFMAP].sram_words),
    TRAFFIC("ifmap", "reads", SY_SCALESIM_IFMAP),
    TRAFFIC("filter", "reads", SY_SCALESIM_FILTER),
    TRAFFIC("ofmap", "writes", SY_SCALESIM_OFMAP),
    FIGURE("orig_filter_words", REAL, original_words),
    FIGURE("new_filter_words", REAL, new_words),
    FIGURE("metadata_words", REAL, metadata_words),
    FIGURE("avg_metadata_sram_bw", REAL, metadata_bandwidth),
    FIGURE("eff_K", COUNT, effective_k),
};
static const struct figure v1_figures[] = {
    FIGURE("cycles", COUNT, total_cycles),
    FIGURE("util_pct", REAL, overall_utilization),
};
enum { MAX_FIGURES = sizeof run_figures / sizeof run_figures[0] };

struct scalesim {
    struct sy_suite_context *context;
    struct sy_suite_column in[INPUTS];
    struct sy_suite_column figure_column[MAX_FIGURES];
    const struct figure *figures;
    size_t figure_count;
    bool sparse;
};

static void take_value(const struct figure *figure, const struct sy_scalesim_result *result,
                       struct sy_suite_figure *out)
{
    const char *at = (const char *)result + figure->offset;
    int64_t stamp;
    switch (figure->type) {
    case COUNT:
        memcpy(&out->actual_count, at, sizeof out->actual_count);
        out->actual = (double)out->actual_count;
        break;
    case STAMP:
        memcpy(&stamp, at, sizeof stamp);
        out->actual = (double)stamp;
        break;
    case REAL:
        memcpy(&out->actual, at, sizeof out->actual);
        break;
    }
}

/* The tool prints some counts as reals ("2048.0"). */
static enum sy_status read_figure(const struct scalesim *suite, const struct sy_csv_row *row, size_t index,
                                  const struct sy_scalesim_result *result, struct sy_suite_figure *out)
{
    const struct sy_suite_column *column = &suite->figure_column[index];
    *out = (struct sy_suite_figure){.name = suite->figures[index].column};
    enum sy_status status = sy_suite_double(suite->context, row, column, &out->expected, &out->blank);
    if (status != SY_OK || out->blank) {
        return status;
    }
    take_value(&suite->figures[index], result, out);
    if (suite->figures[index].type == COUNT && out->expected >= 0 && out->expected < 0x1p53 &&
        out->expected == (double)(uint64_t)out->expected) {
        out->integer = true;
        out->expected_count = (uint64_t)out->expected;
    }
    return SY_OK;
}

/* ---- inputs ---- */

struct row_reader {
    const struct scalesim *suite;
    const struct sy_csv_row *csv;
    enum sy_status status; /* first failure */
};

static const char *text_of(const struct row_reader *row, enum input input)
{
    return sy_suite_text(row->suite->context, row->csv, &row->suite->in[input]);
}

static bool given(const struct row_reader *row, enum input input)
{
    return *text_of(row, input) != '\0';
}

static void bad_cell(struct row_reader *row, enum input input, const char *expected)
{
    const struct sy_suite_column *column = &row->suite->in[input];
    row->status = sy_error(row->suite->context->diag, sy_suite_where(row->suite->context, row->csv, column), NULL,
                           "column '%s' is '%s'; expected %s", column->name, text_of(row, input), expected);
}

static uint64_t count_of(struct row_reader *row, enum input input)
{
    uint64_t value;
    enum sy_status status = sy_suite_u64(row->suite->context, row->csv, &row->suite->in[input], &value, NULL);
    if (status != SY_OK && row->status == SY_OK) {
        row->status = status;
    }
    return value;
}

static void read_array(struct row_reader *row, struct sy_scalesim_config *config)
{
    const char *tool = text_of(row, IN_TOOL);
    size_t length = strlen(tool);
    if (length >= 2 && tool[length - 2] == 'v' && tool[length - 1] >= '1' && tool[length - 1] <= '3') {
        config->version = (enum sy_scalesim_version)(tool[length - 1] - '0');
    } else {
        bad_cell(row, IN_TOOL, "scale-sim-v1, scale-sim-v2 or scale-sim-v3");
    }
    config->rows = count_of(row, IN_ROWS);
    config->cols = count_of(row, IN_COLS);
    enum input dataflow = given(row, IN_DF) ? IN_DF : IN_DATAFLOW;
    if (!sy_scalesim_parse_dataflow(text_of(row, dataflow), &config->dataflow)) {
        bad_cell(row, dataflow, "os, ws or is");
    }
}

static void read_layer(struct row_reader *row, struct sy_scalesim_layer *layer)
{
    if (given(row, IN_IFMAP_H)) {
        layer->ifmap_h = count_of(row, IN_IFMAP_H);
        layer->ifmap_w = count_of(row, IN_IFMAP_W);
        layer->filter_h = count_of(row, IN_FILT_H);
        layer->filter_w = count_of(row, IN_FILT_W);
        layer->channels = count_of(row, IN_CHANNELS);
        layer->filters = count_of(row, IN_NUM_FILT);
        layer->stride_h = layer->stride_w = count_of(row, IN_STRIDE);
    } else {
        *layer = sy_scalesim_gemm(count_of(row, IN_M), count_of(row, IN_N), count_of(row, IN_K));
    }
}

/* Words a line, banks and ports of the operand SRAMs, and the order of words in them. */
static void read_layout(struct row_reader *row, struct sy_scalesim_config *config)
{
    static const enum input bandwidth[2] = {IN_IFMAP_BW, IN_FILTER_BW}, banks[2] = {IN_IFMAP_BANKS, IN_FILTER_BANKS},
                            ports[2] = {IN_IFMAP_PORTS, IN_FILTER_PORTS};
    const char *custom = text_of(row, IN_CUSTOM_LAYOUT);
    bool both = strcmp(custom, "both") == 0;
    char line[512] = "head\nL", *at = line + strlen(line);
    for (int i = 0; i < 2; i++) {
        config->bandwidth[i] = given(row, bandwidth[i]) ? count_of(row, bandwidth[i]) : config->bandwidth[i];
        config->line_words[i] = config->bandwidth[i];
        config->banks[i] = given(row, banks[i]) ? count_of(row, banks[i]) : 0;
        config->ports[i] = given(row, ports[i]) ? count_of(row, ports[i]) : 0;
    }
    config->ifmap_offset = given(row, IN_IFMAP_OFFSET) ? count_of(row, IN_IFMAP_OFFSET) : 0;
    config->custom_layout[0] = both || strcmp(custom, "ifmap") == 0;
    config->custom_layout[1] = both || strcmp(custom, "filter") == 0;
    if (*custom && !config->custom_layout[0] && !config->custom_layout[1]) {
        bad_cell(row, IN_CUSTOM_LAYOUT, "ifmap, filter or both");
    }
    (void)snprintf(at, sizeof line - 8, ",%s,\n", text_of(row, IN_LAYOUT));
    for (; *at != '\0'; at++) {
        *at = *at == ' ' ? ',' : *at;
    }
    if (given(row, IN_LAYOUT) && sy_scalesim_layout_parse(line, strlen(line), "", &config->layout, NULL) != SY_OK) {
        bad_cell(row, IN_LAYOUT, "20 whole numbers with blanks between them");
    }
}

static void read_memory(struct row_reader *row, struct sy_scalesim_config *config)
{
    static const enum input columns[SY_SCALESIM_OPERANDS] = {IN_IFMAP_KB, IN_FILTER_KB, IN_OFMAP_KB};
    bool one = given(row, IN_SRAM_KB);
    const char *mode = text_of(row, IN_BW_MODE);
    config->compute_only = strcmp(text_of(row, IN_LEVEL), "compute") == 0;
    config->filter_offset = given(row, IN_FILTER_OFFSET) ? count_of(row, IN_FILTER_OFFSET) : 10000000; /* the default */
    config->user_bandwidth = strcmp(mode, "USER") == 0;
    if (*mode && !config->user_bandwidth && strcmp(mode, "CALC") != 0) {
        bad_cell(row, IN_BW_MODE, "CALC or USER");
    }
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++) {
        config->sram_kb[i] = count_of(row, one ? IN_SRAM_KB : columns[i]);
        config->bandwidth[i] = config->user_bandwidth ? count_of(row, IN_USER_BW) : 0;
    }
    if (config->user_bandwidth && config->version == SY_SCALESIM_V3) {
        read_layout(row, config);
    }
}

static void read_sparsity(struct row_reader *row, struct sy_scalesim_config *config, struct sy_scalesim_layer *layer)
{
    layer->sparsity_n = count_of(row, IN_SP_N);
    layer->sparsity_m = count_of(row, IN_SP_M);
    config->sparse = true;
    if (!sy_scalesim_parse_storage(text_of(row, IN_REP), &config->storage)) {
        bad_cell(row, IN_REP, "csr, csc or ellpack_block");
    }
    config->row_wise = count_of(row, IN_OPTIMIZED) != 0;
    config->block = given(row, IN_BLOCK) ? count_of(row, IN_BLOCK) : 0;
    config->seed = given(row, IN_SEED) ? count_of(row, IN_SEED) : 0;
}

/* ---- rows ---- */

struct refusal {
    char text[256];
};
static void keep_refusal(void *context, const struct sy_diag_msg *message)
{
    struct refusal *refusal = context;
    if (refusal->text[0] == '\0') {
        (void)snprintf(refusal->text, sizeof refusal->text, "%s", message->message);
    }
}

static void name_group(const struct sy_scalesim_config *config, char group[64])
{
    static const char *const dataflows[] = {"os", "ws", "is"};
    const char *mode = config->user_bandwidth ? "USER" : "CALC", *sparsity = "";
    if (config->version == SY_SCALESIM_V1) {
        mode = "cycles";
    } else if (config->sparse) {
        sparsity = config->row_wise ? " row-wise" : " layer-wise";
    }
    (void)snprintf(group, 64, "v%d %s%s %s", (int)config->version, mode, sparsity, dataflows[config->dataflow]);
}

static enum sy_status replay(const struct scalesim *suite, const struct sy_csv_row *csv)
{
    struct row_reader row = {.suite = suite, .csv = csv};
    struct sy_scalesim_config config = {0};
    struct sy_scalesim_layer layer = {0};
    struct sy_scalesim_result result = {0};
    struct sy_suite_figure figures[MAX_FIGURES];
    struct refusal refusal = {""};
    struct sy_diag quiet = {.fn = keep_refusal, .ctx = &refusal};
    char group[64];

    read_array(&row, &config);
    read_layer(&row, &layer);
    if (config.version != SY_SCALESIM_V1) {
        read_memory(&row, &config);
    }
    if (suite->sparse) {
        read_sparsity(&row, &config, &layer);
    }
    if (row.status != SY_OK) {
        return row.status;
    }
    enum sy_status status = sy_scalesim_layer(&config, &layer, &result, &quiet);
    bool refused = status == SY_INPUT || status == SY_UNSUPPORTED;
    if (status != SY_OK && !refused) {
        return status;
    }
    for (size_t i = 0; i < suite->figure_count; i++) {
        if ((status = read_figure(suite, csv, i, &result, &figures[i])) != SY_OK) {
            return status;
        }
    }
    name_group(&config, group);
    struct sy_suite_row out = {.line = csv->line,
                               .group = group,
                               .expects_refusal = given(&row, IN_ERROR),
                               .refusal = refused ? refusal.text : NULL,
                               .figure = figures,
                               .figures = (uint32_t)suite->figure_count};
    return sy_suite_add(suite->context, &out);
}

static enum sy_status recognize(struct scalesim *suite)
{
    struct sy_suite_context *context = suite->context;
    memcpy(suite->in, input_columns, sizeof input_columns);
    enum sy_status status = sy_suite_columns(context, suite->in, INPUTS);
    bool runs = suite->in[IN_BW_MODE].index >= 0;
    suite->sparse = suite->in[IN_SP_N].index >= 0;
    suite->figures = runs ? run_figures : v1_figures;
    suite->figure_count = runs ? MAX_FIGURES : sizeof v1_figures / sizeof v1_figures[0];
    for (size_t i = 0; i < suite->figure_count; i++) {
        /* Without its main figure a table says nothing. */
        suite->figure_column[i] = (struct sy_suite_column){suite->figures[i].column, i == 0, -1};
    }
    enum sy_status figures = sy_suite_columns(context, suite->figure_column, suite->figure_count);
    return status != SY_OK ? status : figures;
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct scalesim *suite = sy_arena_alloc(context->arena, sizeof *suite);
    if (suite == NULL) {
        return SY_NOMEM;
    }
    suite->context = context;
    enum sy_status status = recognize(suite);
    for (size_t i = 1; i < context->table->rows && status == SY_OK; i++) {
        if (!sy_suite_row_is_blank(&context->table->row[i])) {
            status = replay(suite, &context->table->row[i]);
        }
    }
    return status;
}

static const char *const tables[] = {"scalesim_calc.csv", "scalesim_user.csv", "scalesim_sparsity.csv",
                                     "scalesim_v1.csv", NULL};

const struct sy_suite sy_suite_scalesim = {
    .name = "scalesim",
    .doc = "Every figure of SCALE-Sim v1, v2 and v3 runs.",
    .figure = "cycles",
    .tables = tables,
    .run = run,
};
