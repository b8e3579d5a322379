/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite stonne: cycles of STONNE's output-stationary mesh (arch/arrays/
 * stonne-os.yaml). Columns: array_rows, array_cols, M, N, K, cycles, and
 * dn_bw_elems_per_cycle and rn_bw_elems_per_cycle, what its networks carry. A
 * row whose networks do not feed and empty the whole array is refused: they are
 * not modelled.
 */
#include <stdio.h>
#include <string.h>

#include "arch/array_timing.h"
#include "sim/base/checked.h"
#include "sim/engine/array_timing.h"
#include "sim/validate/suite.h"

enum { COL_ROWS, COL_COLS, COL_M, COL_N, COL_K, COL_IN, COL_OUT, COL_CYCLES, COLUMNS };
static const struct sy_suite_column column_names[COLUMNS] = {
    [COL_ROWS] = {"array_rows", true, -1},
    [COL_COLS] = {"array_cols", true, -1},
    [COL_M] = {"M", true, -1},
    [COL_N] = {"N", true, -1},
    [COL_K] = {"K", true, -1},
    [COL_IN] = {"dn_bw_elems_per_cycle", true, -1},
    [COL_OUT] = {"rn_bw_elems_per_cycle", true, -1},
    [COL_CYCLES] = {"cycles", true, -1},
};

static enum sy_status judge_row(struct sy_suite_context *context, const struct sy_csv_row *csv,
                                const struct sy_suite_column column[COLUMNS], const struct sy_array_timing *timing)
{
    uint64_t value[COLUMNS], inputs = 0, outputs = 0;
    enum sy_status status = SY_OK;
    for (int i = 0; i < COLUMNS && status == SY_OK; i++) {
        status = sy_suite_u64(context, csv, &column[i], &value[i], NULL);
    }
    if (status != SY_OK) {
        return status;
    }
    char group[64];
    (void)snprintf(group, sizeof group, "os %llux%llu", (unsigned long long)value[COL_ROWS],
                   (unsigned long long)value[COL_COLS]);
    struct sy_suite_figure figure = {.name = "cycles", .integer = true, .expected_count = value[COL_CYCLES]};
    struct sy_suite_row row = {.line = csv->line, .group = group, .figure = &figure, .figures = 1};
    bool fits = sy_add(value[COL_ROWS], value[COL_COLS], &inputs) && sy_mul(value[COL_ROWS], value[COL_COLS], &outputs);
    struct sy_array_run run;
    if (!fits || value[COL_IN] < inputs || value[COL_OUT] < outputs) {
        row.refusal = "networks that carry less than rows + cols operands in and rows x cols results out a cycle are "
                      "not modelled";
    } else if ((status = sy_array_run_of_tile(timing, SY_OS, value[COL_ROWS], value[COL_COLS], value[COL_M],
                                              value[COL_K], value[COL_N], &run)) == SY_OK) {
        figure.actual_count = run.latency_cycles;
    } else {
        row.refusal = "the array cannot run this shape";
    }
    return sy_suite_add(context, &row);
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct sy_suite_column column[COLUMNS];
    struct sy_array_file array;
    memcpy(column, column_names, sizeof column);
    enum sy_status status = sy_suite_columns(context, column, COLUMNS);
    enum sy_status loaded =
        sy_array_file_load(context->arena, "stonne-os", context->options->data_dir, &array, context->diag);
    status = status != SY_OK ? status : loaded;
    for (size_t i = 1; i < context->table->rows && status == SY_OK; i++) {
        if (!sy_suite_row_is_blank(&context->table->row[i])) {
            status = judge_row(context, &context->table->row[i], column, &array.timing);
        }
    }
    return status;
}

static const char *const tables[] = {"stonne.csv", NULL};

const struct sy_suite sy_suite_stonne = {
    .name = "stonne",
    .doc = "Cycles of STONNE's output-stationary mesh.",
    .figure = "cycles",
    .tables = tables,
    .run = run,
};
