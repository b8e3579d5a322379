/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite onnxim: ONNXim's cycles for a layer, with its own mapping given to the
 * event engine as command records (onnxim.h).
 *
 * Two kinds of table. GEMMs: `config` (a configuration ONNXim ships, one of
 * sy_onnxim_machines), `workload` (matmul_M_K_N), `layer_finish_cycle` and the
 * mapping (outer_tiles_N, _C, _M, inner_N, _C, _M), which must be met exactly.
 * A ResNet-18: `config`, `layer` ([Fused]Conv_INDEX_IN_OUT_KERNEL_STRIDE,
 * maxpool, gap, flatten, fc), `layer_cycles`, in the network's order; a
 * convolution reads the latest tensor with its number of channels. Rows of
 * maxpool, gap and flatten only carry shapes on: ONNXim does not time them.
 *
 * The figure is the cycle of the last result in the accumulators, which is when
 * ONNXim calls a layer finished: it does not wait for the writes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/engine/replay.h"
#include "sim/validate/onnxim.h"
#include "sim/validate/suite.h"

enum column {
    COL_CONFIG,
    COL_WORKLOAD,
    COL_LAYER,
    COL_CYCLES,
    COL_FINISH,
    COL_OUTER_N,
    COL_OUTER_C,
    COL_OUTER_M,
    COL_INNER_N,
    COL_INNER_C,
    COL_INNER_M,
    COLUMNS,
    MAPPING_FIGURES = COLUMNS - COL_OUTER_N
};
static const struct sy_suite_column column_names[COLUMNS] = {
    [COL_CONFIG] = {"config", true, -1},
    [COL_WORKLOAD] = {"workload", false, -1},
    [COL_LAYER] = {"layer", false, -1},
    [COL_CYCLES] = {"layer_cycles", false, -1},
    [COL_FINISH] = {"layer_finish_cycle", false, -1},
    [COL_OUTER_N] = {"outer_tiles_N", false, -1},
    [COL_OUTER_C] = {"outer_tiles_C", false, -1},
    [COL_OUTER_M] = {"outer_tiles_M", false, -1},
    [COL_INNER_N] = {"inner_N", false, -1},
    [COL_INNER_C] = {"inner_C", false, -1},
    [COL_INNER_M] = {"inner_M", false, -1},
};

/* ResNet-18 on ImageNet: 224 x 224 x 3, 1000 classes. */
enum { INPUT_SIZE = 224, INPUT_CHANNELS = 3, CLASSES = 1000, MAX_TENSORS = 32 };

struct onnxim {
    struct sy_suite_context *context;
    struct sy_suite_column column[COLUMNS];
    /* The network so far. */
    const struct sy_onnxim_machine *machine;
    struct tensor {
        uint64_t channels, size;
    } tensor[MAX_TENSORS]; /* the latest last */
    uint32_t tensors;
    uint64_t lines_left; /* the layer before has still to write */
};

/* ---- rows ---- */

static const char *text_of(const struct onnxim *suite, const struct sy_csv_row *row, enum column column)
{
    return sy_suite_text(suite->context, row, &suite->column[column]);
}

static enum sy_status bad_cell(struct onnxim *suite, const struct sy_csv_row *row, enum column column,
                               const char *expected)
{
    return sy_error(suite->context->diag, sy_suite_where(suite->context, row, &suite->column[column]), NULL,
                    "column '%s' is '%s'; expected %s", suite->column[column].name, text_of(suite, row, column),
                    expected);
}

static const struct sy_onnxim_machine *find_machine(const char *config)
{
    for (size_t i = 0; sy_onnxim_machines[i] != NULL; i++) {
        if (strcmp(sy_onnxim_machines[i]->config, config) == 0) {
            return sy_onnxim_machines[i];
        }
    }
    return NULL;
}

/* Numbers joined by '_', each 1 to SY_ONNXIM_MAX_DIMENSION. */
static bool read_numbers(const char *text, uint64_t *number, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strcspn(text, "_");
        if (!sy_text_to_u64(text, length, &number[i]) || number[i] < 1 || number[i] > SY_ONNXIM_MAX_DIMENSION ||
            (text[length] == '_') != (i + 1 < count)) {
            return false;
        }
        text += length + (text[length] == '_');
    }
    return true;
}

static void add_tensor(struct onnxim *suite, uint64_t channels, uint64_t size)
{
    for (uint32_t i = 0; i < suite->tensors; i++) {
        if (suite->tensor[i].channels == channels) { /* the later one hides it */
            memmove(&suite->tensor[i], &suite->tensor[i + 1], (--suite->tensors - i) * sizeof suite->tensor[0]);
        }
    }
    suite->tensors = suite->tensors == MAX_TENSORS ? 0 : suite->tensors;
    suite->tensor[suite->tensors++] = (struct tensor){channels, size};
}

static const struct tensor *latest(const struct onnxim *suite, uint64_t channels)
{
    for (uint32_t i = suite->tensors; i > 0; i--) {
        if (channels == 0 || suite->tensor[i - 1].channels == channels) {
            return &suite->tensor[i - 1];
        }
    }
    return NULL;
}

static bool conv_layer(struct onnxim *suite, const char *name, struct sy_onnxim_layer *layer)
{
    uint64_t number[4];
    const char *conv = strstr(name, "Conv_"), *rest = conv ? strchr(conv + 5, '_') : NULL;
    if (rest == NULL || !read_numbers(rest + 1, number, 4)) {
        return false;
    }
    const struct tensor *input = latest(suite, number[0]);
    if (input == NULL || number[2] > input->size + 2 * (number[2] / 2) || number[3] > input->size) {
        return false;
    }
    *layer = (struct sy_onnxim_layer){.conv = true,
                                      .c = number[0],
                                      .m = number[1],
                                      .size = input->size,
                                      .kernel = number[2],
                                      .stride = number[3],
                                      .padding = number[2] / 2};
    add_tensor(suite, layer->m, (layer->size + 2 * layer->padding - layer->kernel) / layer->stride + 1);
    return true;
}

/* The layer of a network's row; *timed = false: a row that only changes a shape. */
static enum sy_status network_layer(struct onnxim *suite, const struct sy_csv_row *row, struct sy_onnxim_layer *layer,
                                    bool *timed)
{
    const char *name = text_of(suite, row, COL_LAYER);
    const struct tensor *input = latest(suite, 0);
    *timed = false;
    if (strcmp(name, "maxpool") == 0) {
        add_tensor(suite, input->channels, (input->size - 1) / 2 + 1);
    } else if (strcmp(name, "gap") == 0) {
        add_tensor(suite, input->channels, 1);
        suite->lines_left = 0;
    } else if (strcmp(name, "fc") == 0) {
        *timed = true;
        *layer = (struct sy_onnxim_layer){.n = 1, .c = input->channels * input->size * input->size, .m = CLASSES};
        if (layer->c > SY_ONNXIM_MAX_DIMENSION) {
            return bad_cell(suite, row, COL_LAYER, "a smaller tensor before fc");
        }
    } else if (conv_layer(suite, name, layer)) {
        *timed = true;
    } else if (strcmp(name, "flatten") != 0) {
        return bad_cell(suite, row, COL_LAYER,
                        "Conv_INDEX_IN_OUT_KERNEL_STRIDE of a tensor that is there, maxpool, gap, flatten or fc");
    }
    layer->lines_before = suite->lines_left;
    return SY_OK;
}

static enum sy_status row_layer(struct onnxim *suite, const struct sy_csv_row *row, struct sy_onnxim_layer *layer,
                                bool *timed)
{
    const struct sy_onnxim_machine *machine = find_machine(text_of(suite, row, COL_CONFIG));
    if (machine == NULL) {
        return bad_cell(suite, row, COL_CONFIG, "a configuration this suite knows (sim/validate/onnxim_map.c)");
    }
    if (suite->column[COL_WORKLOAD].index < 0) {
        if (suite->machine != machine) { /* a network begins */
            suite->machine = machine;
            suite->lines_left = suite->tensors = 0;
            add_tensor(suite, INPUT_CHANNELS, INPUT_SIZE);
        }
        return network_layer(suite, row, layer, timed);
    }
    uint64_t number[3];
    const char *workload = text_of(suite, row, COL_WORKLOAD);
    suite->machine = machine;
    if (strncmp(workload, "matmul_", 7) != 0 || !read_numbers(workload + 7, number, 3)) {
        return bad_cell(suite, row, COL_WORKLOAD, "matmul_M_K_N");
    }
    *layer = (struct sy_onnxim_layer){.n = number[0], .c = number[1], .m = number[2]};
    *timed = true;
    return SY_OK;
}

/* ---- running ---- */

static void put_chip(const struct sy_onnxim_machine *machine, uint64_t cores, struct sy_buf *out)
{
    struct sy_onnxim_memory memory = sy_onnxim_memory(machine);
    sy_buf_printf(out,
                  "name: onnxim\ndescription: a machine of a validation row\nsource: ONNXim\nconfidence: read\n"
                  "technology: {node: 28 nm}\nclocks: {core: %" PRIu64 " MHz}\ncores: %" PRIu64
                  "\ncore:\n  array:\n    rows: %" PRIu64 "\n    cols: %" PRIu64 "\n    count: 1\n    dataflows: [ws]\n"
                  "    precisions: [{a: int8, b: int8, accumulator: int32, rate: 1}]\n    timing: onnxim-ws\n",
                  machine->core_mhz, cores, machine->dim, machine->dim);
    sy_buf_printf(out,
                  "  vector: {lanes: 1, simple_cycles: 1, transcendental_cycles: 1, reduce_cycles: 1,"
                  " startup: 0 cycles, follows_array: false, fuses_epilogue: false}\n"
                  "  dma: {engines: 1, shared_load_store: true, overhead: 1 cycles, queue_depth: 64}\n"
                  "memory:\n"
                  "  - {name: accumulator, kind: sram, holds: [C], capacity: 1 GiB, accumulates: true, depth: 2}\n"
                  "  - {name: scratchpad, kind: sram, holds: [A, B], capacity: 1 GiB, depth: 2}\n"
                  "  - {name: memory, kind: dram, shared: true, holds: [A, B, C], bandwidth: %" PRIu64
                  " kB/s, latency: %" PRIu64 " ps, burst: %d B",
                  memory.bytes_per_second / 1000, memory.latency_ps, SY_ONNXIM_LINE);
    if (memory.refresh_ps > 0) {
        sy_buf_printf(out, ", refresh_interval: %" PRIu64 " ps, refresh_time: %" PRIu64 " ps",
                      memory.refresh_interval_ps, memory.refresh_ps);
    }
    sy_buf_puts(out, "}\n");
}

static void note_span(void *context, const struct sy_span *span, const char *layer_name)
{
    uint64_t *last = context;
    (void)layer_name;
    if (span->kind == SY_CMD_MATMUL && span->done > *last) {
        *last = span->done;
    }
}

static enum sy_status run_trace(struct onnxim *suite, const struct sy_buf *trace, uint64_t cores, uint64_t *cycles)
{
    struct sy_suite_context *context = suite->context;
    struct sy_chip_options chip_options = {.data_dir = context->options->data_dir};
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT,
                                        .memory = SY_MEMORY_SHARED,
                                        .kernel = SCK_HEAP,
                                        .data_dir = context->options->data_dir,
                                        .span = note_span,
                                        .span_context = cycles};
    struct sy_chip *chip = NULL;
    struct sy_trace_reader *reader = NULL;
    struct sy_result *result = NULL;
    struct sy_buf text = {0};
    put_chip(suite->machine, cores, &text);
    enum sy_status status =
        text.failed ? SY_NOMEM
                    : sy_chip_parse(text.data, text.length, "onnxim.yaml", &chip_options, &chip, context->diag);
    if (status == SY_OK) {
        status = sy_trace_open("onnxim", trace->data, trace->length, &reader, context->diag);
    }
    *cycles = 0;
    if (status == SY_OK) {
        status = sy_replay(chip, reader, NULL, &options, &result, context->diag);
    }
    sy_trace_close(reader);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    sy_buf_free(&text);
    return status;
}

static enum sy_status fill_mapping(struct onnxim *suite, const struct sy_csv_row *row,
                                   const struct sy_onnxim_layer *layer, const struct sy_onnxim_mapping *map,
                                   struct sy_suite_figure figure[MAPPING_FIGURES])
{
    const uint64_t actual[MAPPING_FIGURES] = {
        (layer->n + map->n - 1) / map->n, map->steps, (layer->m + map->m - 1) / map->m, map->n, map->c, map->m};
    for (int i = 0; i < MAPPING_FIGURES; i++) {
        const struct sy_suite_column *column = &suite->column[COL_OUTER_N + i];
        figure[i] = (struct sy_suite_figure){.name = column->name, .integer = true, .actual_count = actual[i]};
        enum sy_status status = sy_suite_u64(suite->context, row, column, &figure[i].expected_count, &figure[i].blank);
        if (status != SY_OK) {
            return status;
        }
    }
    return SY_OK;
}

static enum sy_status judge_row(struct onnxim *suite, const struct sy_csv_row *csv)
{
    struct sy_suite_context *context = suite->context;
    struct sy_onnxim_layer layer = {0};
    struct sy_onnxim_mapping map = {0};
    struct sy_onnxim_schedule schedule = {0};
    struct sy_suite_figure figure[1 + MAPPING_FIGURES] = {{0}};
    struct sy_buf trace = {0};
    bool timed = false, network = suite->column[COL_WORKLOAD].index < 0;
    enum sy_status status = row_layer(suite, csv, &layer, &timed);
    if (status != SY_OK || !timed) {
        return status;
    }
    char group[64];
    (void)snprintf(group, sizeof group, "%s %" PRIu64 "x%" PRIu64, network ? "resnet18" : "gemm", suite->machine->dim,
                   suite->machine->dim);
    struct sy_suite_row out = {.line = csv->line, .group = group, .figure = figure, .figures = network ? 1 : 7};
    const struct sy_suite_column *column = &suite->column[network ? COL_CYCLES : COL_FINISH];
    figure[0] = (struct sy_suite_figure){.name = column->name, .integer = true};
    status = sy_suite_u64(context, csv, column, &figure[0].expected_count, NULL);
    bool mapped = status == SY_OK && sy_onnxim_map(suite->machine, &layer, &map);
    if (status == SY_OK && !mapped) {
        out.refusal = "no tile of the layer fits the buffers";
        return sy_suite_add(context, &out);
    }
    if (status == SY_OK) {
        status = sy_onnxim_trace(suite->machine, &layer, &map, &trace, &schedule);
    }
    suite->lines_left = schedule.lines_after;
    if (status == SY_UNSUPPORTED) {
        sy_buf_free(&trace);
        out.refusal = "the schedule has too many commands";
        return sy_suite_add(context, &out);
    }
    if (status == SY_OK) {
        status = run_trace(suite, &trace, schedule.cores, &figure[0].actual_count);
    }
    if (status == SY_OK && !network) {
        status = fill_mapping(suite, csv, &layer, &map, figure + 1);
    }
    sy_buf_free(&trace);
    return status == SY_OK ? sy_suite_add(context, &out) : status;
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct onnxim *suite = sy_arena_alloc(context->arena, sizeof *suite);
    if (suite == NULL) {
        return SY_NOMEM;
    }
    *suite = (struct onnxim){.context = context};
    memcpy(suite->column, column_names, sizeof column_names);
    bool network = sy_csv_column(context->table, "workload") < 0;
    suite->column[network ? COL_LAYER : COL_WORKLOAD].required = true;
    suite->column[network ? COL_CYCLES : COL_FINISH].required = true;
    enum sy_status status = sy_suite_columns(context, suite->column, COLUMNS);
    for (size_t i = 1; i < context->table->rows && status == SY_OK; i++) {
        if (!sy_suite_row_is_blank(&context->table->row[i])) {
            status = judge_row(suite, &context->table->row[i]);
        }
    }
    return status;
}

static const char *const tables[] = {"onnxim.csv", "onnxim_resnet18_layers.csv", NULL};

const struct sy_suite sy_suite_onnxim = {
    .name = "onnxim",
    .doc = "Cycles of GEMMs and of ResNet-18's layers in ONNXim, on its mapping.",
    .figure = "cycles",
    .tables = tables,
    .run = run,
};
