/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text tables for people: cells go in row by row, columns come out aligned and
 * no wider than the terminal. Widths count characters of UTF-8, one column
 * each. The same calls give the same bytes.
 */
#ifndef SY_BASE_GRID_H
#define SY_BASE_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/text.h"

enum { SY_GRID_MAX_COLUMNS = 64, SY_GRID_SHORTEST = 8, SY_BAR_BYTES = 128 };

/* Zero-initialise by sy_grid_begin; sy_grid_put releases it. */
struct sy_grid {
    char heads[512];
    struct {
        const char *head;
        char mark;
    } column[SY_GRID_MAX_COLUMNS];
    uint32_t columns;
    uint32_t width; /* of the terminal, 0 = without limit */
    const char *indent;
    struct sy_buf cells; /* texts, each with its NUL, row after row */
    uint64_t count;
};

/*
 * columns: the heads between '|', each with an optional mark at its end: '>' is aligned right, as numbers are; '~' and
 * '$' give way when the table is too wide, in the middle (names) or at the end (lists), down to SY_GRID_SHORTEST:
 * "layer~|cycles>|bound". A head may be empty. indent stands before every line and is borrowed.
 */
void sy_grid_begin(struct sy_grid *grid, const char *columns, uint32_t width, const char *indent);
/* The next cell, left to right; the text is copied. */
void sy_grid_cell(struct sy_grid *grid, const char *text);
void sy_grid_cellf(struct sy_grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Append the table to out and release it. Lines have no trailing blanks. A head line comes first when any column has a
 * head. An allocation failure sets out->failed. */
void sy_grid_put(struct sy_grid *grid, struct sy_buf *out);

/* A bar of `cells` characters filled in proportion to share (0 to 1; anything beyond is cut); at most 40 cells. In
 * Unicode with eighths of a cell, else with # and dots. Returns out. */
char *sy_bar(char out[SY_BAR_BYTES], double share, uint32_t cells, bool unicode);
/* "12.3 %"; "<0.1 %" for what rounds to nothing but is not. Returns out. */
char *sy_format_percent(char out[32], double share);
/* Characters of a UTF-8 text; a byte that is not well formed counts as one. */
uint32_t sy_text_columns(const char *text);

#endif
