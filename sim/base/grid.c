/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned tables; see grid.h. */
#include "sim/base/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/utf8.h"

enum { GAP = 2, EIGHTHS = 8, MAX_BAR = 40 };

static size_t step(const char *at)
{
    size_t length = sy_utf8_length(at, strlen(at));
    return length ? length : 1;
}

uint32_t sy_text_columns(const char *text)
{
    uint32_t count = 0;
    for (; *text; text += step(text))
        count++;
    return count;
}

void sy_grid_begin(struct sy_grid *grid, const char *columns, uint32_t width, const char *indent)
{
    memset(grid, 0, sizeof *grid);
    (void)snprintf(grid->heads, sizeof grid->heads, "%s", columns);
    char *at = grid->heads;
    while (at && grid->columns < SY_GRID_MAX_COLUMNS) {
        char *bar = strchr(at, '|');
        size_t length = bar ? (size_t)(bar - at) : strlen(at);
        if (bar)
            *bar = '\0';
        grid->column[grid->columns].head = at;
        if (length && strchr(">~$", at[length - 1])) {
            grid->column[grid->columns].mark = at[length - 1];
            at[length - 1] = '\0';
        }
        grid->columns++;
        at = bar ? bar + 1 : NULL;
    }
    grid->width = width;
    grid->indent = indent ? indent : "";
}

static bool is_right(const struct sy_grid *grid, uint32_t column)
{
    return grid->column[column].mark == '>';
}

static bool gives(const struct sy_grid *grid, uint32_t column)
{
    return grid->column[column].mark == '~' || grid->column[column].mark == '$';
}

void sy_grid_cell(struct sy_grid *grid, const char *text)
{
    sy_buf_append(&grid->cells, text, strlen(text) + 1);
    grid->count++;
}

void sy_grid_cellf(struct sy_grid *grid, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sy_grid_cell(grid, text);
}

static void measure(const struct sy_grid *grid, uint32_t wide[SY_GRID_MAX_COLUMNS])
{
    for (uint32_t c = 0; c < grid->columns; c++)
        wide[c] = sy_text_columns(grid->column[c].head);
    const char *at = grid->cells.data;
    for (uint64_t i = 0; i < grid->count; i++) {
        uint32_t columns = sy_text_columns(at), c = (uint32_t)(i % grid->columns);
        wide[c] = columns > wide[c] ? columns : wide[c];
        at += strlen(at) + 1;
    }
}

/* Take from the widest column that gives until the table fits or none gives any more. */
static void fit(const struct sy_grid *grid, uint32_t wide[SY_GRID_MAX_COLUMNS])
{
    uint64_t total = strlen(grid->indent);
    for (uint32_t c = 0; c < grid->columns; c++)
        total += wide[c] + (c ? GAP : 0);
    while (grid->width && total > grid->width) {
        uint32_t widest = grid->columns;
        for (uint32_t c = 0; c < grid->columns; c++)
            if (gives(grid, c) && wide[c] > SY_GRID_SHORTEST && (widest == grid->columns || wide[c] > wide[widest]))
                widest = c;
        if (widest == grid->columns)
            return;
        wide[widest]--;
        total--;
    }
}

static void put_characters(struct sy_buf *out, const char *text, uint32_t from, uint32_t count)
{
    for (; *text && from; from--)
        text += step(text);
    const char *start = text;
    for (; *text && count; count--)
        text += step(text);
    sy_buf_append(out, start, (size_t)(text - start));
}

static void put_shortened(struct sy_buf *out, const char *text, uint32_t columns, uint32_t wide, bool at_end)
{
    uint32_t tail = at_end ? 0 : (wide - 2) / 2, head = wide - 2 - tail;
    put_characters(out, text, 0, head);
    sy_buf_puts(out, "..");
    put_characters(out, text, columns - tail, tail);
}

static void put_line(const struct sy_grid *grid, const uint32_t wide[SY_GRID_MAX_COLUMNS], const char *const *cell,
                     struct sy_buf *out)
{
    sy_buf_puts(out, grid->indent);
    for (uint32_t c = 0; c < grid->columns; c++) {
        uint32_t columns = sy_text_columns(cell[c]);
        int pad = columns < wide[c] ? (int)(wide[c] - columns) : 0;
        sy_buf_printf(out, "%*s", (c ? GAP : 0) + (is_right(grid, c) ? pad : 0), "");
        if (columns > wide[c])
            put_shortened(out, cell[c], columns, wide[c], grid->column[c].mark == '$');
        else
            sy_buf_puts(out, cell[c]);
        if (!is_right(grid, c))
            sy_buf_printf(out, "%*s", pad, "");
    }
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    sy_buf_puts(out, "\n");
}

static void put_heads(const struct sy_grid *grid, const uint32_t wide[SY_GRID_MAX_COLUMNS], struct sy_buf *out)
{
    const char *head[SY_GRID_MAX_COLUMNS];
    bool any = false;
    for (uint32_t c = 0; c < grid->columns; c++) {
        head[c] = grid->column[c].head;
        any = any || *head[c];
    }
    if (any)
        put_line(grid, wide, head, out);
}

void sy_grid_put(struct sy_grid *grid, struct sy_buf *out)
{
    uint32_t wide[SY_GRID_MAX_COLUMNS] = {0};
    const char *cell[SY_GRID_MAX_COLUMNS];
    if (grid->cells.failed)
        out->failed = true;
    if (!out->failed && grid->columns) {
        measure(grid, wide);
        fit(grid, wide);
        put_heads(grid, wide, out);
        const char *at = grid->cells.data;
        for (uint64_t i = 0; i < grid->count; i++) {
            cell[i % grid->columns] = at;
            at += strlen(at) + 1;
            if ((i + 1) % grid->columns == 0)
                put_line(grid, wide, cell, out);
        }
    }
    sy_buf_free(&grid->cells);
    memset(grid, 0, sizeof *grid);
}

char *sy_bar(char out[SY_BAR_BYTES], double share, uint32_t cells, bool unicode)
{
    static const char *const part[EIGHTHS] = {"\u00b7", "\u258f", "\u258e", "\u258d",
                                              "\u258c", "\u258b", "\u258a", "\u2589"};
    double within = share > 1 ? 1 : share > 0 ? share : 0; /* NaN: 0 */
    cells = cells < MAX_BAR ? cells : MAX_BAR;
    uint32_t steps = unicode ? EIGHTHS : 1, filled = (uint32_t)(within * cells * steps + 0.5);
    char *to = out;
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t left = filled > i * steps ? filled - i * steps : 0;
        const char *text = !unicode ? (left ? "#" : ".") : left >= EIGHTHS ? "\u2588" : part[left];
        size_t length = strlen(text);
        memcpy(to, text, length);
        to += length;
    }
    *to = '\0';
    return out;
}

char *sy_format_percent(char out[32], double share)
{
    char number[32];
    bool tiny = share > 0 && share < 0.0005;
    (void)snprintf(out, 32, "%s %%", tiny ? "<0.1" : sy_format_fixed(number, share * 100, 1));
    return out;
}
