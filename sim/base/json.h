/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: a strict reader into a small tree, and a writer whose bytes depend on
 * nothing but its calls. Bounded: depth 64, and the caller's arena limits size.
 */
#ifndef SY_BASE_JSON_H
#define SY_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

enum sy_json_kind { SY_JSON_NULL, SY_JSON_BOOL, SY_JSON_NUMBER, SY_JSON_STRING, SY_JSON_ARRAY, SY_JSON_OBJECT };

/* A value in the tree; everything lives in the arena it was parsed into.
 * Arrays and objects are linked lists of children in file order. */
struct sy_json {
    enum sy_json_kind kind;
    const char *key;    /* member name when inside an object, else NULL */
    const char *string; /* STRING: the text (UTF-8, NUL-terminated). NUMBER: its literal */
    bool boolean;
    double number; /* NUMBER: value; integers up to 2^64-1 exact via sy_json_u64 */
    struct sy_json *child;
    struct sy_json *next;
    uint32_t line, column;
};

/* Duplicate keys, trailing text, bad escapes, NaN are errors with line and
 * column. file is only for messages. */
enum sy_status sy_json_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                             struct sy_json **root, struct sy_diag *diag);
const struct sy_json *sy_json_get(const struct sy_json *object, const char *key); /* NULL when absent */
bool sy_json_u64(const struct sy_json *value, uint64_t *out);                     /* whole and in range */

/* Writer: two-space indented; keys in call order. value calls need a key
 * inside an object and NULL inside an array. */
struct sy_json_writer {
    struct sy_buf *out;
    uint32_t depth;
    bool first;
};
void sy_json_begin(struct sy_json_writer *w, struct sy_buf *out);
void sy_json_end(struct sy_json_writer *w); /* final newline */
void sy_json_open_object(struct sy_json_writer *w, const char *key);
void sy_json_close_object(struct sy_json_writer *w);
void sy_json_open_array(struct sy_json_writer *w, const char *key);
void sy_json_close_array(struct sy_json_writer *w);
void sy_json_put_string(struct sy_json_writer *w, const char *key, const char *value);
void sy_json_put_u64(struct sy_json_writer *w, const char *key, uint64_t value);
void sy_json_put_double(struct sy_json_writer *w, const char *key, double value);
void sy_json_put_bool(struct sy_json_writer *w, const char *key, bool value);
void sy_json_put_null(struct sy_json_writer *w, const char *key);

#endif
