/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A validation as JSON ("systole.validation/1") and as a table.
 */
#include <stdio.h>
#include <string.h>

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
    sy_buf_printf(out, "%-*s %8s %8s %8s %9s %9s %9s %9s %9s\n", width, "group", "rows", "exact", "refused", "mean",
                  "median", "p90", "max", "r2");
    for (uint64_t i = 0; i < v->groups; i++) {
        put_line(out, width, v->group[i].name, &v->group[i].stats);
    }
    put_line(out, width, "all", &v->total);
    for (uint64_t i = 0; rows && i < v->rows; i++) {
        const struct sy_validation_row *row = &v->row[i];
        if (!row->exact) {
            char line[32];
            sy_buf_printf(out, "%s:%s: %s: %s\n", row->file, sy_format_u64(line, row->line), row->group,
                          row->note ? row->note : "not met");
        }
    }
}
