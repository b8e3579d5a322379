/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading is one cursor over the text. Each row is walked twice, first to count
 * its fields and find errors, then to copy them, so arrays are exact.
 */
#include "sim/base/csv.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *text;
    size_t length;
    size_t at;
    size_t line_start;
    uint32_t line;
};

enum field_end { END_FIELD, END_ROW, END_TEXT, END_BAD_QUOTE, END_OPEN_QUOTE };

/* At a line end ("\n", "\r\n", or the end of the text)? Its bytes in *width. */
static bool at_line_end(const struct cursor *c, size_t *width)
{
    const char *p = c->text + c->at;
    size_t left = c->length - c->at;
    if (left == 0) {
        *width = 0;
        return true;
    }
    if (p[0] == '\r' && (left == 1 || p[1] == '\n')) {
        *width = left == 1 ? 1 : 2;
        return true;
    }
    *width = 1;
    return p[0] == '\n';
}

static void step_newline(struct cursor *c)
{
    c->line++;
    c->line_start = c->at;
}

/* Step over the separator that must follow a field. */
static enum field_end finish_field(struct cursor *c)
{
    size_t width;
    if (at_line_end(c, &width)) {
        bool last = c->at + width >= c->length;
        c->at += width;
        step_newline(c);
        return last ? END_TEXT : END_ROW;
    }
    if (c->text[c->at] == ',') {
        c->at++;
        return END_FIELD;
    }
    return END_BAD_QUOTE;
}

/* Read one field; its bytes go to out when out is not NULL. Never longer than the text it came from. */
static enum field_end read_field(struct cursor *c, char *out, size_t *out_length)
{
    size_t n = 0, width;
    bool quoted = c->at < c->length && c->text[c->at] == '"';
    if (quoted) {
        c->at++;
        for (;; c->at++) {
            if (c->at >= c->length) {
                return END_OPEN_QUOTE;
            }
            char ch = c->text[c->at];
            if (ch == '"') {
                c->at++;
                if (c->at >= c->length || c->text[c->at] != '"') {
                    break;
                }
            }
            if (ch == '\n') {
                c->line++;
                c->line_start = c->at + 1;
            }
            if (out != NULL) {
                out[n] = ch;
            }
            n++;
        }
    } else {
        while (!at_line_end(c, &width) && c->text[c->at] != ',') {
            if (out != NULL) {
                out[n] = c->text[c->at];
            }
            n++;
            c->at++;
        }
    }
    *out_length = n;
    return finish_field(c);
}

struct shape {
    uint32_t fields;
    size_t bytes; /* of all fields with their NULs */
};

static enum sy_status measure_row(struct cursor c, const char *file, struct shape *shape, struct sy_diag *diag)
{
    *shape = (struct shape){0};
    for (;;) {
        struct sy_where where = {.file = file, .line = c.line, .column = (uint32_t)(c.at - c.line_start + 1)};
        size_t length = 0;
        enum field_end end = read_field(&c, NULL, &length);
        if (end == END_OPEN_QUOTE) {
            return sy_error(diag, where, "close the quote, or double a quote that is part of the field",
                            "a quoted field is not closed");
        }
        if (end == END_BAD_QUOTE) {
            where.line = c.line;
            where.column = (uint32_t)(c.at - c.line_start + 1);
            return sy_error(diag, where, "double a quote that is part of the field",
                            "text follows a closing quote; expected a comma or the end of the line");
        }
        shape->fields++;
        shape->bytes += length + 1;
        if (end != END_FIELD) {
            return SY_OK;
        }
    }
}

static enum sy_status no_memory(const char *file, uint32_t line, struct sy_diag *diag)
{
    (void)sy_error(diag, ((struct sy_where){.file = file, .line = line}), NULL, "the table does not fit in memory");
    return SY_NOMEM;
}

static enum sy_status copy_row(struct sy_arena *arena, struct cursor *c, const struct shape *shape,
                               struct sy_csv_row *row)
{
    *row = (struct sy_csv_row){.line = c->line, .fields = shape->fields};
    row->field = sy_arena_array(arena, shape->fields, sizeof *row->field);
    row->column = sy_arena_array(arena, shape->fields, sizeof *row->column);
    char *bytes = sy_arena_alloc(arena, shape->bytes);
    if (row->field == NULL || row->column == NULL || bytes == NULL) {
        return SY_NOMEM;
    }
    for (uint32_t i = 0; i < shape->fields; i++) {
        size_t length = 0;
        row->column[i] = (uint32_t)(c->at - c->line_start + 1);
        row->field[i] = bytes;
        (void)read_field(c, bytes, &length);
        bytes += length + 1; /* the arena is zeroed */
    }
    return SY_OK;
}

static enum sy_status check_nul(const char *text, size_t length, const char *file, struct sy_diag *diag)
{
    const char *nul = length == 0 ? NULL : memchr(text, '\0', length);
    if (nul == NULL) {
        return SY_OK;
    }
    struct sy_where where = {.file = file, .line = 1, .column = 1};
    for (const char *p = text; p < nul; p++) {
        where.column++;
        if (*p == '\n') {
            where.line++;
            where.column = 1;
        }
    }
    return sy_error(diag, where, NULL, "a NUL byte; expected text");
}

/* Append a row slot to a growing array; NULL when out of memory. */
static struct sy_csv_row *next_row(struct sy_csv_row **rows, size_t count, size_t *capacity)
{
    if (count == *capacity) {
        size_t larger = *capacity == 0 ? 64 : *capacity * 2;
        struct sy_csv_row *grown = realloc(*rows, larger * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        *rows = grown;
        *capacity = larger;
    }
    return &(*rows)[count];
}

enum sy_status sy_csv_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                            struct sy_csv *csv, struct sy_diag *diag)
{
    *csv = (struct sy_csv){.file = file};
    if (length >= UINT32_MAX) {
        return sy_error(diag, ((struct sy_where){.file = file}), NULL, "the file is larger than 4 GiB");
    }
    enum sy_status status = check_nul(text, length, file, diag);
    struct cursor c = {.text = text, .length = length, .line = 1};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        c.at = c.line_start = 3; /* the byte order mark that spreadsheets write */
    }
    struct sy_csv_row *rows = NULL;
    size_t count = 0, capacity = 0;
    while (status == SY_OK && c.at < length) {
        struct shape shape;
        status = measure_row(c, file, &shape, diag);
        if (status != SY_OK) {
            break;
        }
        struct sy_csv_row *row = next_row(&rows, count, &capacity);
        if (row == NULL || copy_row(arena, &c, &shape, row) != SY_OK) {
            status = no_memory(file, c.line, diag);
            break;
        }
        count++;
    }
    if (status == SY_OK && count > 0) {
        csv->row = sy_arena_array(arena, count, sizeof *csv->row);
        if (csv->row == NULL) {
            status = no_memory(file, c.line, diag);
        } else {
            memcpy(csv->row, rows, count * sizeof *rows);
            csv->rows = count;
        }
    }
    free(rows);
    return status;
}

int sy_csv_column(const struct sy_csv *csv, const char *name)
{
    if (csv->rows == 0) {
        return -1;
    }
    for (uint32_t i = 0; i < csv->row[0].fields; i++) {
        if (strcmp(csv->row[0].field[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void sy_csv_put(struct sy_buf *out, const char *field)
{
    if (strpbrk(field, ",\"\r\n") == NULL) {
        sy_buf_puts(out, field);
        return;
    }
    sy_buf_puts(out, "\"");
    for (const char *p = field; *p != '\0'; p++) {
        sy_buf_append(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    }
    sy_buf_puts(out, "\"");
}
