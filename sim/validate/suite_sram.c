/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite sram: energy, leakage, area and access time of memories against CACTI.
 *
 * Columns tech_nm, cell, capacity_bytes, width_bits, rw_ports, banks and any of
 * read_nJ, write_nJ, leak_mW_total, area_mm2, access_ns; each figure is a row of
 * its own in the group of its name. A memory that is in the model's own table is
 * estimated as if it were not (leave one out), so the shipped table can be the
 * test. Statistics of the whole are those of read_energy.
 */
#include <stdio.h>
#include <string.h>

#include "sim/stats/sram.h"
#include "sim/validate/suite.h"

enum { NODE, CELL, CAPACITY, WIDTH, PORTS, BANKS, FIRST_FIGURE, COLUMNS = FIRST_FIGURE + SY_SRAM_FIGURES };
static const struct sy_suite_column column_names[COLUMNS] = {
    [NODE] = {"tech_nm", true, -1},
    [CELL] = {"cell", true, -1},
    [CAPACITY] = {"capacity_bytes", true, -1},
    [WIDTH] = {"width_bits", true, -1},
    [PORTS] = {"rw_ports", true, -1},
    [BANKS] = {"banks", true, -1},
    [FIRST_FIGURE + SY_SRAM_READ] = {"read_nJ", false, -1},
    [FIRST_FIGURE + SY_SRAM_WRITE] = {"write_nJ", false, -1},
    [FIRST_FIGURE + SY_SRAM_LEAKAGE] = {"leak_mW_total", false, -1},
    [FIRST_FIGURE + SY_SRAM_AREA] = {"area_mm2", false, -1},
    [FIRST_FIGURE + SY_SRAM_ACCESS] = {"access_ns", false, -1},
};
static const struct {
    const char *group;
    double unit; /* of the column in the model's unit */
} figures[SY_SRAM_FIGURES] = {
    [SY_SRAM_READ] = {"read_energy", 1000}, [SY_SRAM_WRITE] = {"write_energy", 1000},
    [SY_SRAM_LEAKAGE] = {"leakage", 1},     [SY_SRAM_AREA] = {"area", 1},
    [SY_SRAM_ACCESS] = {"access_time", 1},
};

static enum sy_status read_config(struct sy_suite_context *context, const struct sy_csv_row *row,
                                  const struct sy_suite_column *column, struct sy_sram_config *config)
{
    const char *cell = sy_suite_text(context, row, &column[CELL]);
    enum sy_status status = sy_suite_double(context, row, &column[NODE], &config->node_nm, NULL);
    if (!sy_sram_cell_parse(cell, &config->cell))
        status = sy_error(context->diag, sy_suite_where(context, row, &column[CELL]), NULL,
                          "cell is '%s'; expected itrs-hp or itrs-lstp", cell);
    uint64_t *whole[] = {&config->capacity_bytes, &config->width_bits, &config->ports, &config->banks};
    for (int i = 0; i < 4; i++) {
        enum sy_status read = sy_suite_u64(context, row, &column[CAPACITY + i], whole[i], NULL);
        status = status == SY_OK ? read : status;
    }
    return status;
}

static enum sy_status add_row(struct sy_suite_context *context, const struct sy_csv_row *row,
                              const struct sy_suite_column *column, const struct sy_sram_model *model)
{
    struct sy_sram_config config;
    struct sy_sram_cost cost;
    enum sy_status status = read_config(context, row, column, &config);
    if (status != SY_OK)
        return status;
    enum sy_status estimated = sy_sram_estimate(model, &config, true, &cost);
    for (int f = 0; status == SY_OK && f < SY_SRAM_FIGURES; f++) {
        struct sy_suite_figure figure = {.name = figures[f].group, .actual = cost.figure[f]};
        if (column[FIRST_FIGURE + f].index < 0)
            continue;
        status = sy_suite_double(context, row, &column[FIRST_FIGURE + f], &figure.expected, &figure.blank);
        figure.expected *= figures[f].unit;
        struct sy_suite_row out = {
            .line = row->line, .group = figures[f].group, .figure = &figure, .figures = 1, .aside = f != SY_SRAM_READ};
        if (estimated != SY_OK)
            out.refusal = estimated == SY_USAGE ? "a size is 0" : "the node is below those of the table";
        if (status == SY_OK && !figure.blank)
            status = sy_suite_add(context, &out);
    }
    return status;
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct sy_suite_column column[COLUMNS];
    memcpy(column, column_names, sizeof column);
    enum sy_status status = sy_suite_columns(context, column, COLUMNS);
    struct sy_sram_model *model = status == SY_OK ? sy_sram_model_create(context->arena, &sy_sram_cacti) : NULL;
    if (status == SY_OK && !model)
        return SY_NOMEM;
    for (size_t i = 1; status == SY_OK && i < context->table->rows; i++)
        if (!sy_suite_row_is_blank(&context->table->row[i]))
            status = add_row(context, &context->table->row[i], column, model);
    return status;
}

/* The table is the model's own: each memory is estimated without its row. */
static const char *const tables[] = {"../../arch/sram/cacti.csv", NULL};
const struct sy_suite sy_suite_sram = {
    .name = "sram",
    .doc = "energy, leakage, area and access time of SRAMs against CACTI 7, leaving out the row itself",
    .figure = "read_energy",
    .tables = tables,
    .run = run,
};
