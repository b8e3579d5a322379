/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV (RFC 4180): an in-memory table with the line of every row, and field
 * quoting for writers. Rows may be ragged; callers decide what that means.
 */
#ifndef SY_BASE_CSV_H
#define SY_BASE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

struct sy_csv_row {
    uint32_t line; /* 1-based line in the file where the row starts */
    uint32_t fields;
    char **field;     /* quotes removed; surrounding blanks kept */
    uint32_t *column; /* 1-based byte column where each field starts */
};
struct sy_csv {
    const char *file;
    size_t rows;
    struct sy_csv_row *row;
};

/* Parse text into the arena. Blank lines are kept as rows of one empty field.
 * An unterminated quote or a NUL byte is an error with its line. */
enum sy_status sy_csv_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                            struct sy_csv *csv, struct sy_diag *diag);
/* Index of the named column in row 0 (exact), or -1. */
int sy_csv_column(const struct sy_csv *csv, const char *name);
/* Append one field, quoted when it needs to be. */
void sy_csv_put(struct sy_buf *out, const char *field);

#endif
