/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part every suite shares: tables in, rows recorded, statistics out.
 */
#include "sim/validate/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/checked.h"

enum { MAX_TABLE_BYTES = 256 << 20, MAX_GROUPS = 4096, MAX_REMARKS = 64 };
static const double REAL_TOLERANCE = 1e-9; /* relative, of a figure that is not a count */

/* ---- statistics ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Value at fraction q of sorted values, between ranks by interpolation. */
static double quantile(const double *sorted, uint64_t count, double q)
{
    double position = q * (double)(count - 1);
    uint64_t below = (uint64_t)position;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    double part = position - (double)below;
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

/* Statistics of the rows of one group, or of all (group NULL). errors: room for every row. */
static void summarize(const struct sy_validation *v, const char *group, double *errors,
                      struct sy_validation_stats *stats)
{
    double sum = 0, mean = 0, residual = 0, total = 0;
    memset(stats, 0, sizeof *stats);
    for (uint64_t i = 0; i < v->rows; i++) {
        const struct sy_validation_row *row = &v->row[i];
        if (group != NULL ? row->group != group : row->aside) {
            continue;
        }
        stats->rows++;
        stats->exact += row->exact;
        stats->refused += row->refused;
        if (row->measured) {
            errors[stats->measured++] = row->ape;
            sum += row->ape;
            mean += row->expected;
        }
    }
    if (stats->measured == 0) {
        return;
    }
    mean /= (double)stats->measured;
    for (uint64_t i = 0; i < v->rows; i++) {
        const struct sy_validation_row *row = &v->row[i];
        if (row->measured && (group == NULL ? !row->aside : row->group == group)) {
            residual += (row->expected - row->actual) * (row->expected - row->actual);
            total += (row->expected - mean) * (row->expected - mean);
        }
    }
    qsort(errors, stats->measured, sizeof *errors, compare_doubles);
    stats->mape = sum / (double)stats->measured;
    stats->median_ape = quantile(errors, stats->measured, 0.5);
    stats->p90_ape = quantile(errors, stats->measured, 0.9);
    stats->max_ape = errors[stats->measured - 1];
    stats->has_r2 = total > 0;
    stats->r2 = total > 0 ? 1 - residual / total : 0;
}

static enum sy_status summarize_all(struct sy_validation *v)
{
    double *errors = malloc((v->rows ? v->rows : 1) * sizeof *errors);
    if (errors == NULL) {
        return SY_NOMEM;
    }
    summarize(v, NULL, errors, &v->total);
    for (uint64_t i = 0; i < v->groups; i++) {
        summarize(v, v->group[i].name, errors, &v->group[i].stats);
    }
    free(errors);
    return SY_OK;
}

/* ---- recording ---- */

/* The group's one string, so that equal groups are equal pointers. */
static enum sy_status intern_group(struct sy_validation *v, const char *name, const char **out)
{
    for (uint64_t i = 0; i < v->groups; i++) {
        if (strcmp(v->group[i].name, name) == 0) {
            *out = v->group[i].name;
            return SY_OK;
        }
    }
    if (v->groups == MAX_GROUPS) {
        return SY_UNSUPPORTED;
    }
    struct sy_validation_group *grown = realloc(v->group, (v->groups + 1) * sizeof *grown);
    if (grown == NULL) {
        return SY_NOMEM;
    }
    v->group = grown;
    memset(&grown[v->groups], 0, sizeof *grown);
    grown[v->groups].name = *out = sy_arena_strdup(v->arena, name);
    if (*out == NULL) {
        return SY_NOMEM;
    }
    v->groups++;
    return SY_OK;
}

static struct sy_validation_row *append_row(struct sy_validation *v)
{
    if (v->rows == v->row_capacity) {
        uint64_t capacity = v->row_capacity ? v->row_capacity * 2 : 256;
        struct sy_validation_row *grown = realloc(v->row, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        v->row = grown;
        v->row_capacity = capacity;
    }
    struct sy_validation_row *row = &v->row[v->rows++];
    memset(row, 0, sizeof *row);
    return row;
}

static bool meets(const struct sy_suite_figure *figure)
{
    if (figure->blank) {
        return true;
    }
    if (figure->integer) {
        return figure->expected_count == figure->actual_count;
    }
    return fabs(figure->actual - figure->expected) <= REAL_TOLERANCE * fabs(figure->expected);
}

static const char *describe_miss(struct sy_arena *arena, const struct sy_suite_figure *figure)
{
    char expected[32], actual[32];
    if (figure->integer) {
        (void)sy_format_u64(expected, figure->expected_count);
        (void)sy_format_u64(actual, figure->actual_count);
    } else {
        (void)sy_format_double(expected, figure->expected);
        (void)sy_format_double(actual, figure->actual);
    }
    return sy_arena_printf(arena, "%s is %s, modelled %s", figure->name, expected, actual);
}

static void measure(struct sy_validation_row *row, const struct sy_suite_figure *main_figure)
{
    if (main_figure->blank) {
        return;
    }
    row->expected = main_figure->integer ? (double)main_figure->expected_count : main_figure->expected;
    row->actual = main_figure->integer ? (double)main_figure->actual_count : main_figure->actual;
    double off = fabs(row->actual - row->expected);
    if (row->expected != 0) {
        row->ape = 100 * off / fabs(row->expected);
        row->measured = isfinite(row->ape);
    } else if (off == 0) {
        row->measured = true;
    }
}

/* Judge a row that the model ran: its figures, unless something else was wrong already. */
static enum sy_status judge(struct sy_validation *v, struct sy_validation_row *row, const struct sy_suite_row *in)
{
    for (uint32_t i = 0; i < in->figures && row->exact; i++) {
        row->exact = meets(&in->figure[i]);
        if (!row->exact && (row->note = describe_miss(v->arena, &in->figure[i])) == NULL) {
            return SY_NOMEM;
        }
    }
    if (in->figures > 0) {
        measure(row, &in->figure[0]);
    }
    return SY_OK;
}

/* The texts of a listed row. */
static enum sy_status copy_texts(struct sy_validation *v, struct sy_validation_row *row, const struct sy_suite_row *in)
{
    const struct {
        const char *from, **to;
    } texts[] = {
        {in->label, &row->label}, {in->unit, &row->unit}, {in->confidence, &row->confidence}, {in->how, &row->how}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].from != NULL && (*texts[i].to = sy_arena_strdup(v->arena, texts[i].from)) == NULL) {
            return SY_NOMEM;
        }
    }
    return SY_OK;
}

enum sy_status sy_suite_remark(struct sy_suite_context *context, const char *text)
{
    struct sy_validation *v = context->out;
    if (v->remark == NULL) {
        v->remark = sy_arena_array(v->arena, MAX_REMARKS, sizeof *v->remark);
    }
    if (v->remark == NULL || v->remarks == MAX_REMARKS) {
        return v->remark ? SY_UNSUPPORTED : SY_NOMEM;
    }
    v->remark[v->remarks] = sy_arena_strdup(v->arena, text);
    return v->remark[v->remarks++] ? SY_OK : SY_NOMEM;
}

enum sy_status sy_suite_add(struct sy_suite_context *context, const struct sy_suite_row *in)
{
    struct sy_validation *v = context->out;
    const char *group = NULL;
    enum sy_status status = intern_group(v, in->group, &group);
    struct sy_validation_row *row = status == SY_OK ? append_row(v) : NULL;
    if (row == NULL) {
        return status == SY_OK ? SY_NOMEM : status;
    }
    row->file = context->table->file;
    row->line = in->line;
    row->group = group;
    row->aside = in->aside;
    if (copy_texts(v, row, in) != SY_OK) {
        return SY_NOMEM;
    }
    row->refused = in->refusal != NULL;
    row->exact = row->refused == in->expects_refusal && in->note == NULL;
    const char *why = in->note ? in->note : in->refusal;
    if (why != NULL && (row->note = sy_arena_strdup(v->arena, why)) == NULL) {
        return SY_NOMEM;
    }
    if (row->refused) {
        return SY_OK;
    }
    if (in->expects_refusal) {
        row->note = "the reference could not run this; the model did";
        return SY_OK;
    }
    return judge(v, row, in);
}

/* ---- reading cells ---- */

struct sy_where sy_suite_where(const struct sy_suite_context *context, const struct sy_csv_row *row,
                               const struct sy_suite_column *column)
{
    struct sy_where where = {.file = context->table->file, .line = row->line};
    if (column != NULL && column->index >= 0 && (uint32_t)column->index < row->fields) {
        where.column = row->column[column->index];
    }
    return where;
}

enum sy_status sy_suite_columns(struct sy_suite_context *context, struct sy_suite_column *column, size_t count)
{
    enum sy_status status = SY_OK;
    struct sy_where where = {.file = context->table->file, .line = 1};
    if (context->table->rows == 0) {
        return sy_error(context->diag, where, NULL, "the table is empty; expected a header row");
    }
    for (size_t i = 0; i < count; i++) {
        column[i].index = sy_csv_column(context->table, column[i].name);
        if (column[i].index < 0 && column[i].required) {
            status = sy_error(context->diag, where, "the first row names the columns", "column '%s' is missing",
                              column[i].name);
        }
    }
    return status;
}

const char *sy_suite_text(const struct sy_suite_context *context, const struct sy_csv_row *row,
                          const struct sy_suite_column *column)
{
    if (column->index < 0 || (uint32_t)column->index >= row->fields) {
        return "";
    }
    const char *text = row->field[column->index];
    size_t length;
    text += strspn(text, " \t\r");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
        length--;
    }
    if (text[length] == '\0') {
        return text;
    }
    const char *copy = sy_arena_strndup(context->arena, text, length);
    return copy ? copy : "";
}

static enum sy_status bad_cell(const struct sy_suite_context *context, const struct sy_csv_row *row,
                               const struct sy_suite_column *column, const char *text, const char *expected)
{
    return sy_error(context->diag, sy_suite_where(context, row, column), NULL, "column '%s' is '%s'; expected %s",
                    column->name, text, expected);
}

enum sy_status sy_suite_u64(const struct sy_suite_context *context, const struct sy_csv_row *row,
                            const struct sy_suite_column *column, uint64_t *value, bool *blank)
{
    const char *text = sy_suite_text(context, row, column);
    *value = 0;
    if (blank != NULL) {
        *blank = text[0] == '\0';
        if (*blank) {
            return SY_OK;
        }
    }
    if (!sy_text_to_u64(text, strlen(text), value)) {
        return bad_cell(context, row, column, text, "a whole number");
    }
    return SY_OK;
}

enum sy_status sy_suite_double(const struct sy_suite_context *context, const struct sy_csv_row *row,
                               const struct sy_suite_column *column, double *value, bool *blank)
{
    const char *text = sy_suite_text(context, row, column);
    *value = 0;
    if (blank != NULL) {
        *blank = text[0] == '\0';
        if (*blank) {
            return SY_OK;
        }
    }
    if (!sy_text_to_double(text, strlen(text), value)) {
        return bad_cell(context, row, column, text, "a number");
    }
    return SY_OK;
}

bool sy_suite_row_is_blank(const struct sy_csv_row *row)
{
    return row->fields == 0 || (row->fields == 1 && row->field[0][strspn(row->field[0], " \t\r")] == '\0');
}

/* ---- running ---- */

const struct sy_suite *sy_suite_find(const char *name)
{
    for (size_t i = 0; name != NULL && sy_suites[i] != NULL; i++) {
        if (strcmp(sy_suites[i]->name, name) == 0) {
            return sy_suites[i];
        }
    }
    return NULL;
}

static enum sy_status unknown_suite(const char *name, struct sy_diag *diag)
{
    const char *names[64];
    uint64_t count = 0;
    for (; count < 64 && sy_suites[count] != NULL; count++) {
        names[count] = sy_suites[count]->name;
    }
    const char *near = sy_nearest(name, names, count);
    char hint[128];
    (void)snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
    (void)sy_error(diag, SY_NOWHERE, near ? hint : "`systole list suites` names them", "there is no suite '%s'", name);
    return SY_USAGE;
}

static enum sy_status run_table(const struct sy_suite *suite, struct sy_suite_context *context, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    struct sy_csv table = {0};
    enum sy_status status = sy_read_file(path, MAX_TABLE_BYTES, &text, &length, context->diag);
    if (status == SY_OK) {
        status = sy_csv_parse(context->arena, text, length, path, &table, context->diag);
    }
    free(text);
    context->table = &table;
    if (status == SY_OK) {
        status = suite->run(context);
    }
    context->table = NULL;
    return status;
}

static enum sy_status run_tables(const struct sy_suite *suite, struct sy_suite_context *context)
{
    const struct sy_validate_options *options = context->options;
    if (options->data != NULL) {
        const char *path = sy_arena_strdup(context->arena, options->data);
        return path ? run_table(suite, context, path) : SY_NOMEM;
    }
    enum sy_status status = SY_OK;
    uint64_t found = 0;
    for (size_t i = 0; status == SY_OK && suite->tables != NULL && suite->tables[i] != NULL; i++) {
        const char *dir = options->data_dir ? options->data_dir : ".";
        const char *path = sy_arena_printf(context->arena, "%s/tests/golden/%s", dir, suite->tables[i]);
        if (path == NULL) {
            return SY_NOMEM;
        }
        if (suite->optional_tables && access(path, F_OK) != 0) {
            continue;
        }
        found++;
        status = run_table(suite, context, path);
    }
    if (status == SY_OK && found == 0) {
        (void)sy_error(context->diag, SY_NOWHERE, "give a table with --data", "no table of suite '%s' is installed",
                       suite->name);
        return SY_IO;
    }
    return status;
}

enum sy_status sy_validate_run(const char *name, const struct sy_validate_options *options, struct sy_validation *out,
                               struct sy_diag *diag)
{
    static const struct sy_validate_options none = {0};
    if (name == NULL || out == NULL) {
        return SY_USAGE;
    }
    memset(out, 0, sizeof *out);
    const struct sy_suite *suite = sy_suite_find(name);
    if (suite == NULL) {
        return unknown_suite(name, diag);
    }
    out->arena = sy_arena_create(NULL, 0);
    if (out->arena == NULL) {
        return SY_NOMEM;
    }
    out->suite = suite->name;
    out->figure = suite->figure;
    out->listed = suite->listed;
    struct sy_suite_context context = {
        .options = options ? options : &none, .out = out, .arena = out->arena, .diag = diag};
    enum sy_status status = run_tables(suite, &context);
    if (status == SY_OK) {
        status = summarize_all(out);
    }
    if (status != SY_OK) {
        sy_validation_free(out);
    }
    return status;
}

void sy_validation_free(struct sy_validation *validation)
{
    if (validation != NULL) {
        sy_arena_destroy(validation->arena);
        free(validation->group);
        free(validation->row);
        memset(validation, 0, sizeof *validation);
    }
}
