/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writer. Invariants: `first` is true exactly when the innermost open
 * container has no member yet; depth counts the open containers.
 */
#include <string.h>

#include "sim/base/json.h"
#include "sim/base/utf8.h"

static void newline(struct sy_json_writer *w)
{
    sy_buf_puts(w->out, "\n");
    for (uint32_t i = 0; i < w->depth; i++) {
        sy_buf_puts(w->out, "  ");
    }
}

static void put_quoted(struct sy_buf *out, const char *text)
{
    static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt";
    const char *end = text + strlen(text);
    sy_buf_puts(out, "\"");
    for (const char *p = text; p < end;) {
        const char *special = strchr(from, *p);
        if (special != NULL) {
            char escape[2] = {'\\', into[special - from]};
            sy_buf_append(out, escape, 2);
            p++;
        } else if ((unsigned char)*p < 0x20) {
            sy_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*p++);
        } else {
            size_t n = sy_utf8_length(p, (size_t)(end - p));
            if (n == 0) {
                sy_buf_puts(out, "\xef\xbf\xbd"); /* a file name may hold any bytes; JSON may not */
                n = 1;
            } else {
                sy_buf_append(out, p, n);
            }
            p += n;
        }
    }
    sy_buf_puts(out, "\"");
}

/* Comma, line break and key before a value. */
static void before_value(struct sy_json_writer *w, const char *key)
{
    if (w->depth > 0) {
        if (!w->first) {
            sy_buf_puts(w->out, ",");
        }
        newline(w);
    }
    w->first = false;
    if (key != NULL) {
        put_quoted(w->out, key);
        sy_buf_puts(w->out, ": ");
    }
}

static void open_container(struct sy_json_writer *w, const char *key, const char *bracket)
{
    before_value(w, key);
    sy_buf_puts(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void close_container(struct sy_json_writer *w, const char *bracket)
{
    if (w->depth > 0) {
        w->depth--;
    }
    if (!w->first) {
        newline(w);
    }
    sy_buf_puts(w->out, bracket);
    w->first = false;
}

void sy_json_begin(struct sy_json_writer *w, struct sy_buf *out)
{
    *w = (struct sy_json_writer){.out = out, .depth = 0, .first = true};
}

void sy_json_end(struct sy_json_writer *w)
{
    sy_buf_puts(w->out, "\n");
}

void sy_json_open_object(struct sy_json_writer *w, const char *key)
{
    open_container(w, key, "{");
}

void sy_json_close_object(struct sy_json_writer *w)
{
    close_container(w, "}");
}

void sy_json_open_array(struct sy_json_writer *w, const char *key)
{
    open_container(w, key, "[");
}

void sy_json_close_array(struct sy_json_writer *w)
{
    close_container(w, "]");
}

void sy_json_put_string(struct sy_json_writer *w, const char *key, const char *value)
{
    if (value == NULL) {
        sy_json_put_null(w, key);
        return;
    }
    before_value(w, key);
    put_quoted(w->out, value);
}

void sy_json_put_u64(struct sy_json_writer *w, const char *key, uint64_t value)
{
    char text[32];
    before_value(w, key);
    sy_buf_puts(w->out, sy_format_u64(text, value));
}

void sy_json_put_double(struct sy_json_writer *w, const char *key, double value)
{
    char text[32];
    before_value(w, key);
    sy_buf_puts(w->out, sy_format_double(text, value));
}

void sy_json_put_bool(struct sy_json_writer *w, const char *key, bool value)
{
    before_value(w, key);
    sy_buf_puts(w->out, value ? "true" : "false");
}

void sy_json_put_null(struct sy_json_writer *w, const char *key)
{
    before_value(w, key);
    sy_buf_puts(w->out, "null");
}
