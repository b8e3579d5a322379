/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A validation as JSON ("systole.validation/1") and as a table.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/grid.h"
#include "sim/base/json.h"
#include "sim/validate/suite.h"

static void put_stats(struct sy_json_writer *w, const struct sy_validation_stats *stats)
{
    sy_json_put_u64(w, "rows", stats->rows);
    sy_json_put_u64(w, "exact", stats->exact);
    sy_json_put_u64(w, "refused", stats->refused);
    if (stats->measured > 0) {
        sy_json_put_double(w, "mape", stats->mape);
        sy_json_put_double(w, "median_ape", stats->median_ape);
        sy_json_put_double(w, "p90_ape", stats->p90_ape);
        sy_json_put_double(w, "max_ape", stats->max_ape);
    }
    if (stats->has_r2) {
        sy_json_put_double(w, "r2", stats->r2);
    }
}

/* A row of a listed suite. A figure that does not apply is absent. */
static void put_listed_json(struct sy_json_writer *w, const struct sy_validation_row *row)
{
    sy_json_open_object(w, NULL);
    sy_json_put_string(w, "figure", row->label ? row->label : row->group);
    if (row->unit)
        sy_json_put_string(w, "unit", row->unit);
    if (row->confidence)
        sy_json_put_string(w, "confidence", row->confidence);
    sy_json_put_bool(w, "gates", !row->aside);
    if (row->measured) {
        sy_json_put_double(w, "known", row->expected);
        sy_json_put_double(w, "modelled", row->actual);
        sy_json_put_double(w, "error", row->actual >= row->expected ? row->ape : -row->ape);
    }
    if (row->how)
        sy_json_put_string(w, "how", row->how);
    if (row->refused && row->note)
        sy_json_put_string(w, "refused", row->note);
    sy_json_close_object(w);
}

/* A modelled figure to four digits, in plain notation. */
static const char *four_digits(char out[32], double value)
{
    unsigned decimals = 0;
    for (double size = value < 0 ? -value : value; size > 0 && size < 1000 && decimals < 9; size *= 10)
        decimals++;
    return sy_format_fixed(out, value, decimals);
}

static void put_listed(const struct sy_validation *v, struct sy_buf *out)
{
    struct sy_grid grid;
    char text[32];
    sy_grid_begin(&grid, "figure|known>|modelled>|error %>|unit|confidence|how", 0, "");
    for (uint64_t i = 0; i < v->rows; i++) {
        const struct sy_validation_row *row = &v->row[i];
        sy_grid_cell(&grid, row->label ? row->label : row->group);
        sy_grid_cell(&grid, row->measured ? sy_format_double(text, row->expected) : "");
        sy_grid_cell(&grid, row->measured ? four_digits(text, row->actual) : "");
        if (row->measured)
            sy_grid_cellf(&grid, "%s%s", row->actual >= row->expected ? "+" : "-", sy_format_fixed(text, row->ape, 1));
        else
            sy_grid_cell(&grid, "-");
        sy_grid_cell(&grid, row->unit ? row->unit : "");
        sy_grid_cell(&grid, row->confidence ? row->confidence : "");
        sy_grid_cellf(&grid, "%s%s", row->refused ? "not expressed: " : "",
                      row->refused ? (row->note ? row->note : "") : (row->how ? row->how : ""));
    }
    sy_grid_put(&grid, out);
    sy_buf_puts(out, "\n");
}

void sy_validation_put_json(const struct sy_validation *v, struct sy_buf *out)
{
    struct sy_json_writer w;
    sy_json_begin(&w, out);
    sy_json_open_object(&w, NULL);
    sy_json_put_string(&w, "schema", "systole.validation/1");
    sy_json_put_string(&w, "suite", v->suite);
    sy_json_put_string(&w, "figure", v->figure);
    put_stats(&w, &v->total);
    sy_json_open_object(&w, "groups");
    for (uint64_t i = 0; i < v->groups; i++) {
        sy_json_open_object(&w, v->group[i].name);
        put_stats(&w, &v->group[i].stats);
        sy_json_close_object(&w);
    }
    sy_json_close_object(&w);
    if (v->listed) {
        sy_json_open_array(&w, "points");
        for (uint64_t i = 0; i < v->rows; i++)
            put_listed_json(&w, &v->row[i]);
        sy_json_close_array(&w);
    }
    if (v->remarks > 0) {
        sy_json_open_array(&w, "remarks");
        for (uint64_t i = 0; i < v->remarks; i++)
            sy_json_put_string(&w, NULL, v->remark[i]);
        sy_json_close_array(&w);
    }
    sy_json_close_object(&w);
    sy_json_end(&w);
}

static void put_number(struct sy_buf *out, bool known, double value, unsigned decimals)
{
    char text[32] = "-";
    if (known) {
        (void)sy_format_fixed(text, value, decimals);
    }
    sy_buf_printf(out, " %9s", text);
}

static void put_line(struct sy_buf *out, int width, const char *name, const struct sy_validation_stats *stats)
{
    char rows[32], exact[32], refused[32];
    bool known = stats->measured > 0;
    sy_buf_printf(out, "%-*s %8s %8s %8s", width, name, sy_format_u64(rows, stats->rows),
                  sy_format_u64(exact, stats->exact), sy_format_u64(refused, stats->refused));
    put_number(out, known, stats->mape, 3);
    put_number(out, known, stats->median_ape, 3);
    put_number(out, known, stats->p90_ape, 3);
    put_number(out, known, stats->max_ape, 3);
    put_number(out, stats->has_r2, stats->r2, 5);
    sy_buf_puts(out, "\n");
}

void sy_validation_put_table(const struct sy_validation *v, bool rows, struct sy_buf *out)
{
    int width = 5;
    for (uint64_t i = 0; i < v->groups; i++) {
        int length = (int)strlen(v->group[i].name);
        width = length > width ? length : width;
    }
    sy_buf_printf(out, "suite %s: error in percent of %s\n", v->suite, v->figure);
    if (v->listed)
        put_listed(v, out);
    sy_buf_printf(out, "%-*s %8s %8s %8s %9s %9s %9s %9s %9s\n", width, "group", "rows", "exact", "refused", "mean",
                  "median", "p90", "max", "r2");
    for (uint64_t i = 0; i < v->groups; i++) {
        put_line(out, width, v->group[i].name, &v->group[i].stats);
    }
    put_line(out, width, "all", &v->total);
    for (uint64_t i = 0; i < v->remarks; i++) {
        sy_buf_printf(out, "%s%s\n", i ? "" : "\n", v->remark[i]);
    }
    for (uint64_t i = 0; rows && !v->listed && i < v->rows; i++) {
        const struct sy_validation_row *row = &v->row[i];
        if (!row->exact) {
            char line[32];
            sy_buf_printf(out, "%s:%s: %s: %s\n", row->file, sy_format_u64(line, row->line), row->group,
                          row->note ? row->note : "not met");
        }
    }
}
