/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of SRAM figures. See sram.h. */
#include "arch/sram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/base/text.h"

enum { MOST_ROWS = 65536, MOST_BYTES = 16 << 20 };

const char *const sy_sram_cell_names[SY_SRAM_CELLS] = {"itrs-hp", "itrs-lstp"};

bool sy_sram_cell_parse(const char *text, enum sy_sram_cell *cell)
{
    for (int i = 0; i < SY_SRAM_CELLS; i++) {
        if (!strcmp(text, sy_sram_cell_names[i])) {
            *cell = (enum sy_sram_cell)i;
            return true;
        }
    }
    return false;
}

/* ---- a user's file ---- */

enum column { NODE, CELL, CAPACITY, WIDTH, PORTS, BANKS, ACCESS, READ, WRITE, LEAKAGE, AREA, COLUMNS };
static const struct {
    const char *name;
    double most; /* whole numbers from 1 to this; 0 = a positive real */
} columns[COLUMNS] = {
    [NODE] = {"tech_nm", 1000},       [CELL] = {"cell", 0},       [CAPACITY] = {"capacity_bytes", 4294967295.0},
    [WIDTH] = {"width_bits", 65535},  [PORTS] = {"rw_ports", 16}, [BANKS] = {"banks", 65535},
    [ACCESS] = {"access_ns", 0},      [READ] = {"read_nJ", 0},    [WRITE] = {"write_nJ", 0},
    [LEAKAGE] = {"leak_mW_total", 0}, [AREA] = {"area_mm2", 0},
};
/* Figure of a column, with the factor to its unit. */
static const struct {
    enum column column;
    double scale;
} figures[SY_SRAM_FIGURES] = {
    [SY_SRAM_READ] = {READ, 1000}, [SY_SRAM_WRITE] = {WRITE, 1000}, [SY_SRAM_LEAKAGE] = {LEAKAGE, 1},
    [SY_SRAM_AREA] = {AREA, 1},    [SY_SRAM_ACCESS] = {ACCESS, 1},
};

struct reader {
    const struct sy_csv *csv;
    struct sy_diag *diag;
    int index[COLUMNS];
    uint32_t errors;
};

static void refuse(struct reader *reader, const struct sy_csv_row *row, enum column column, const char *text,
                   const char *expected)
{
    uint32_t at = (uint32_t)reader->index[column] < row->fields ? row->column[reader->index[column]] : 0;
    struct sy_where where = {.file = reader->csv->file, .line = row->line, .column = at};
    (void)sy_error(reader->diag, where, NULL, "%s is '%s'; expected %s", columns[column].name, text, expected);
    reader->errors++;
}

static const char *cell_text(const struct reader *reader, const struct sy_csv_row *row, enum column column)
{
    return (uint32_t)reader->index[column] < row->fields ? row->field[reader->index[column]] : "";
}

static double number(struct reader *reader, const struct sy_csv_row *row, enum column column)
{
    const char *text = cell_text(reader, row, column);
    double value = 0, most = columns[column].most;
    bool good = sy_text_to_double(text, strlen(text), &value) && value > 0 && isfinite(value);
    if (good && most > 0)
        good = value >= 1 && value <= most && !(value < floor(value)) && !(value > floor(value));
    if (!good) {
        refuse(reader, row, column, text, most > 0 ? "a whole number of at least 1" : "a number above 0");
        return 1;
    }
    return value;
}

static void read_row(struct reader *reader, const struct sy_csv_row *row, struct sy_sram_row *out)
{
    enum sy_sram_cell cell = SY_SRAM_LSTP;
    const char *text = cell_text(reader, row, CELL);
    if (!sy_sram_cell_parse(text, &cell))
        refuse(reader, row, CELL, text, "itrs-hp (high performance) or itrs-lstp (low standby power)");
    out->cell = (uint8_t)cell;
    out->node_nm = (uint16_t)number(reader, row, NODE);
    out->capacity_bytes = (uint32_t)number(reader, row, CAPACITY);
    out->width_bits = (uint16_t)number(reader, row, WIDTH);
    out->ports = (uint8_t)number(reader, row, PORTS);
    out->banks = (uint16_t)number(reader, row, BANKS);
    for (int i = 0; i < SY_SRAM_FIGURES; i++)
        out->log_figure[i] = (float)log(number(reader, row, figures[i].column) * figures[i].scale);
}

static bool blank(const struct sy_csv_row *row)
{
    return row->fields == 0 || (row->fields == 1 && row->field[0][strspn(row->field[0], " \t\r")] == '\0');
}

static enum sy_status read_table(struct sy_arena *arena, const struct sy_csv *csv, struct sy_sram_table *table,
                                 struct sy_diag *diag)
{
    struct reader reader = {.csv = csv, .diag = diag};
    struct sy_where top = {.file = csv->file, .line = 1};
    if (csv->rows < 2 || csv->rows > MOST_ROWS)
        return sy_error(diag, top, NULL, "%zu lines; expected a header and 1 to %d rows", csv->rows, MOST_ROWS - 1);
    for (int i = 0; i < COLUMNS; i++) {
        reader.index[i] = sy_csv_column(csv, columns[i].name);
        if (reader.index[i] < 0) {
            (void)sy_error(diag, top, "the columns are those of arch/sram/cacti.csv", "column '%s' is missing",
                           columns[i].name);
            reader.errors++;
        }
    }
    if (reader.errors)
        return SY_INPUT;
    struct sy_sram_row *rows = sy_arena_array(arena, csv->rows, sizeof *rows);
    if (!rows)
        return SY_NOMEM;
    for (size_t i = 1; i < csv->rows; i++)
        if (!blank(&csv->row[i]))
            read_row(&reader, &csv->row[i], &rows[table->rows++]);
    table->row = rows;
    if (table->rows == 0)
        return sy_error(diag, top, NULL, "no rows below the header");
    return reader.errors ? SY_INPUT : SY_OK;
}

enum sy_status sy_sram_load(struct sy_arena *arena, const char *path, struct sy_sram_table *table, struct sy_diag *diag)
{
    char *text = NULL;
    size_t length = 0;
    struct sy_csv csv = {0};
    *table = (struct sy_sram_table){.name = sy_arena_strdup(arena, path)};
    if (!table->name)
        return SY_NOMEM;
    enum sy_status status = sy_read_file(path, MOST_BYTES, &text, &length, diag);
    if (status == SY_OK)
        status = sy_csv_parse(arena, text, length, table->name, &csv, diag);
    free(text);
    return status == SY_OK ? read_table(arena, &csv, table, diag) : status;
}
