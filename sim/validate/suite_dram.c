/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite dram: bandwidth of a memory against DRAMsim3 and Ramulator 2.1.
 *
 * A row names a device, channels, address map and an address pattern
 * (sim/engine/dram_pattern.h) of n_requests bursts offered in order by one
 * source at a share `inject_rate` of the peak, 0 = as fast as accepted. Columns
 * tool, device, channels, address_mapping, scheduler, row_policy, pattern,
 * n_requests, tx_bytes, inject_rate, total_cycles, tCK_ns and, when present,
 * queue_depth_rd_wr and refresh, which override the controller's. Without a
 * tool, `device` is a name of arch/dram.
 *
 * The main figure is bandwidth in B/s, bytes / (cycles x tCK of the row); with
 * every burst simulated the cycles themselves are one too. Options memory:
 * "sampled" (default) or "burst".
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_window.h"
#include "sim/validate/suite.h"

enum column {
    COL_TOOL,
    COL_DEVICE,
    COL_CHANNELS,
    COL_MAP,
    COL_SCHEDULER,
    COL_PAGE,
    COL_PATTERN,
    COL_REQUESTS,
    COL_TX_BYTES,
    COL_RATE,
    COL_CYCLES,
    COL_CLOCK_NS,
    COL_QUEUES,
    COL_REFRESH,
    COLUMNS
};
static const struct sy_suite_column column_names[COLUMNS] = {
    {"tool", false, -1},
    {"device", true, -1},
    {"channels", true, -1},
    {"address_mapping", true, -1},
    {"scheduler", false, -1},
    {"row_policy", false, -1},
    {"pattern", true, -1},
    {"n_requests", true, -1},
    {"tx_bytes", false, -1},
    {"inject_rate", true, -1},
    {"total_cycles", true, -1},
    {"tCK_ns", true, -1},
    {"queue_depth_rd_wr", false, -1},
    {"refresh", false, -1},
};

enum { MAX_MODELS = 48, RATE_UNIT = 1000000 };

/* Devices and controllers loaded so far. */
struct model {
    const char *name;
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
};
struct suite {
    struct sy_suite_context *context;
    struct sy_suite_column column[COLUMNS];
    struct model model[MAX_MODELS];
    size_t models;
    bool burst;
};
struct row {
    const struct sy_csv_row *csv;
    const struct model *model;
    struct sy_dram_controller controller; /* with the row's overrides */
    struct sy_dram_options options;
    struct sy_dram_source source;
    uint64_t requests, cycles, burst_bytes;
    double clock_ns;
};

static const char *text_of(const struct suite *suite, const struct row *row, enum column column)
{
    return sy_suite_text(suite->context, row->csv, &suite->column[column]);
}

static enum sy_status refuse_cell(const struct suite *suite, const struct row *row, enum column column,
                                  const char *expected)
{
    return sy_error(suite->context->diag, sy_suite_where(suite->context, row->csv, &suite->column[column]), NULL,
                    "%s is '%s'; expected %s", suite->column[column].name, text_of(suite, row, column), expected);
}

/* "DDR4-3200" of DRAMsim3 is the file ddr4-3200-dramsim3. */
static const char *device_file(const struct suite *suite, const struct row *row)
{
    const char *tool = text_of(suite, row, COL_TOOL), *device = text_of(suite, row, COL_DEVICE);
    char *name = tool[0] ? sy_arena_printf(suite->context->arena, "%s-%s", device, tool)
                         : sy_arena_strdup(suite->context->arena, device);
    for (char *p = name; p && tool[0] && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return name ? name : "";
}

static enum sy_status find_model(struct suite *suite, struct row *row)
{
    const char *name = device_file(suite, row);
    for (size_t i = 0; i < suite->models; i++) {
        if (!strcmp(suite->model[i].name, name)) {
            row->model = &suite->model[i];
            return SY_OK;
        }
    }
    if (suite->models == MAX_MODELS)
        return refuse_cell(suite, row, COL_DEVICE, "at most 48 different devices in a table");
    struct model *model = &suite->model[suite->models];
    const char *data_dir = suite->context->options->data_dir;
    model->name = name;
    enum sy_status status =
        sy_dram_device_load(name, data_dir, suite->context->arena, &model->device, suite->context->diag);
    if (status == SY_OK)
        status = sy_dram_controller_load(model->device->controller, data_dir, suite->context->arena, &model->controller,
                                         suite->context->diag);
    if (status != SY_OK)
        return status;
    suite->models++;
    row->model = model;
    return SY_OK;
}

/* What a word of the row does to the controller. */
static enum sy_status override_controller(const struct suite *suite, struct row *row)
{
    struct sy_dram_controller *controller = &row->controller;
    *controller = *row->model->controller;
    const char *scheduler = text_of(suite, row, COL_SCHEDULER), *page = text_of(suite, row, COL_PAGE);
    const char *refresh = text_of(suite, row, COL_REFRESH), *queues = text_of(suite, row, COL_QUEUES);
    if (!strcmp(scheduler, "FRFCFS-RowHit"))
        controller->scheduler = SY_DRAM_FRFCFS_ROWHIT;
    else if (!strcmp(scheduler, "FRFCFS") || !strcmp(scheduler, "FRFCFS-perbank"))
        controller->scheduler = SY_DRAM_FRFCFS;
    else if (scheduler[0])
        return refuse_cell(suite, row, COL_SCHEDULER, "FRFCFS, FRFCFS-RowHit or FRFCFS-perbank");
    if (!strcmp(page, "CLOSE"))
        controller->page = SY_DRAM_PAGE_CLOSED;
    else if (page[0] && strcmp(page, "OPEN"))
        return refuse_cell(suite, row, COL_PAGE, "OPEN or CLOSE");
    if (!strcmp(refresh, "none"))
        controller->refresh = SY_DRAM_REFRESH_NONE;
    const size_t reads = strspn(queues, "0123456789");
    uint64_t read_queue, write_queue;
    if (queues[reads] == '/') {
        const size_t writes = strspn(queues + reads + 1, "0123456789");
        if (!sy_text_to_u64(queues, reads, &read_queue) || !sy_text_to_u64(queues + reads + 1, writes, &write_queue) ||
            read_queue - 1 >= SY_DRAM_MAX_QUEUE || write_queue - 1 >= SY_DRAM_MAX_QUEUE)
            return refuse_cell(suite, row, COL_QUEUES, "reads/writes, each 1 to 128");
        controller->read_queue = (uint32_t)read_queue;
        controller->write_queue = (uint32_t)write_queue;
    }
    return SY_OK;
}

/* Request i arrives at floor(i * C / rate), C = max(burst, tCCD_S) / (channels * pseudo-channels). */
static enum sy_status set_rate(const struct suite *suite, struct row *row)
{
    double rate;
    const enum sy_status status = sy_suite_double(suite->context, row->csv, &suite->column[COL_RATE], &rate, NULL);
    if (status != SY_OK)
        return status;
    if (!(rate >= 0 && rate <= 100))
        return refuse_cell(suite, row, COL_RATE, "a share of the peak from 0 to 100");
    uint64_t clocks;
    (void)sy_dram_peak_bytes(row->model->device, &clocks);
    const uint64_t millionths = (uint64_t)(rate * RATE_UNIT + 0.5);
    if (millionths) {
        row->source.clocks_num = clocks * RATE_UNIT;
        row->source.clocks_den = millionths * row->options.channels * row->model->device->org.pseudochannels;
    }
    return SY_OK;
}

static enum sy_status read_numbers(const struct suite *suite, struct row *row)
{
    uint64_t channels = 0;
    const struct sy_suite_context *context = suite->context;
    enum sy_status status = sy_suite_u64(context, row->csv, &suite->column[COL_CHANNELS], &channels, NULL);
    if (status == SY_OK)
        status = sy_suite_u64(context, row->csv, &suite->column[COL_REQUESTS], &row->requests, NULL);
    if (status == SY_OK)
        status = sy_suite_u64(context, row->csv, &suite->column[COL_CYCLES], &row->cycles, NULL);
    if (status == SY_OK)
        status = sy_suite_double(context, row->csv, &suite->column[COL_CLOCK_NS], &row->clock_ns, NULL);
    if (status != SY_OK)
        return status;
    if (!channels || channels > SY_DRAM_MAX_CHANNELS)
        return refuse_cell(suite, row, COL_CHANNELS, "1 to 256");
    if (!row->requests || !row->cycles || !(row->clock_ns > 0))
        return refuse_cell(suite, row, COL_REQUESTS, "requests, cycles and tCK above 0");
    row->options.channels = (uint32_t)channels;
    return SY_OK;
}

static enum sy_status read_row(struct suite *suite, struct row *row)
{
    enum sy_status status = find_model(suite, row);
    if (status == SY_OK)
        status = read_numbers(suite, row);
    if (status == SY_OK)
        status = override_controller(suite, row);
    if (status != SY_OK)
        return status;
    row->burst_bytes = row->model->device->org.burst_bytes;
    row->options.address_map = text_of(suite, row, COL_MAP);
    status = sy_dram_pattern(text_of(suite, row, COL_PATTERN), row->burst_bytes, row->requests, &row->source,
                             suite->context->diag);
    return status == SY_OK ? set_rate(suite, row) : status;
}

static enum sy_status run_row(struct suite *suite, const struct sy_csv_row *csv)
{
    struct row row = {.csv = csv};
    enum sy_status status = read_row(suite, &row);
    if (status != SY_OK)
        return status;
    struct sy_dram_memory *memory;
    status = sy_dram_memory_create(row.model->device, &row.controller, &row.options, &memory, suite->context->diag);
    if (status != SY_OK)
        return status;
    struct sy_dram_run run;
    if (suite->burst)
        sy_dram_memory_run(memory, &row.source, &run);
    else
        (void)sy_dram_memory_estimate(memory, &row.source, NULL, &run);
    sy_dram_memory_destroy(memory);
    const double bytes = (double)row.requests * (double)row.burst_bytes;
    const struct sy_suite_figure figures[] = {
        {.name = "bandwidth",
         .expected = bytes / ((double)row.cycles * row.clock_ns * 1e-9),
         .actual = bytes / ((double)run.clocks * row.clock_ns * 1e-9)},
        {.name = "cycles", .integer = true, .expected_count = row.cycles, .actual_count = run.clocks},
    };
    const struct sy_suite_row result = {
        .line = csv->line,
        .group = sy_arena_printf(suite->context->arena, "%s x%u %s", row.model->name, row.options.channels,
                                 row.options.address_map),
        .figure = figures,
        .figures = suite->burst ? 2 : 1,
    };
    return result.group ? sy_suite_add(suite->context, &result) : SY_NOMEM;
}

static enum sy_status run_table(struct sy_suite_context *context)
{
    struct suite *suite = sy_arena_alloc(context->arena, sizeof *suite);
    if (!suite)
        return SY_NOMEM;
    suite->context = context;
    memcpy(suite->column, column_names, sizeof column_names);
    const char *memory = context->options->memory;
    if (memory && strcmp(memory, "burst") && strcmp(memory, "sampled"))
        return sy_error(context->diag, SY_NOWHERE, "give burst or sampled", "suite dram cannot run with memory '%s'",
                        memory);
    suite->burst = memory && !strcmp(memory, "burst");
    enum sy_status status = sy_suite_columns(context, suite->column, COLUMNS);
    for (size_t r = 1; status == SY_OK && r < context->table->rows; r++)
        if (!sy_suite_row_is_blank(&context->table->row[r]))
            status = run_row(suite, &context->table->row[r]);
    return status;
}

static const char *const tables[] = {"dram_golden.csv", "dram_short.csv", NULL};

const struct sy_suite sy_suite_dram = {
    .name = "dram",
    .doc = "Bandwidth of address patterns against DRAMsim3 and Ramulator 2.1",
    .figure = "bandwidth",
    .tables = tables,
    .run = run_table,
};
