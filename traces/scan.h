/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the words of one line: what is shared by the parsers of layers
 * (parse.c) and of commands (parse_command.c). What is called for every word is
 * inline here, what is called once for a bad line is in scan.c.
 *
 * Every function that returns bool returns false after it reported what was
 * wrong. scan->p is where parsing stands; *scan->end is the newline, which no
 * loop steps over because it is neither blank, digit nor name.
 */
#ifndef SY_TRACES_SCAN_H
#define SY_TRACES_SCAN_H

#include <string.h>

#include "sim/base/checked.h"
#include "traces/syntax.h"

#define SY_SCAN_FAIL(scan, at, hint, ...) (sy_scan_error((scan), (at), (hint), __VA_ARGS__), false)

/* The word at `at` for a message: up to the next blank, printable bytes only. */
struct sy_excerpt {
    char text[44];
};
struct sy_excerpt sy_excerpt(const struct sy_scan *scan, const char *at);

/* ---- what is wrong; each returns false ---- */

bool sy_scan_bad_number(struct sy_scan *scan, const char *at);
bool sy_scan_out_of_range(struct sy_scan *scan, const char *at, const char *name, uint64_t value, uint64_t minimum,
                          uint64_t maximum);
bool sy_scan_long_name(struct sy_scan *scan, const char *at);
/* A word that is in no list: `what` says what it should be; the nearest of the list is the hint. */
bool sy_scan_unknown_word(struct sy_scan *scan, const char *at, size_t length, const char *what,
                          const char *const *list, uint64_t count);
bool sy_scan_unknown_dtype(struct sy_scan *scan, size_t length);
bool sy_scan_unknown_key(struct sy_scan *scan, const struct sy_record_syntax *record, size_t length);

/* ---- rare ---- */

bool sy_scan_quoted(struct sy_scan *scan, const char **name);
bool sy_scan_utf8(struct sy_scan *scan, const char *from, const char *to);
/* Are all required keys among those seen? Reports each that is not. */
bool sy_scan_has_required(struct sy_scan *scan, const struct sy_record_syntax *record, uint64_t seen);

/* ---- words ---- */

static inline bool sy_is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static inline bool sy_scan_at_end(const struct sy_scan *scan)
{
    const char *p = scan->p;
    return p == scan->end || *p == '#' || (*p == '\r' && p + 1 == scan->end);
}

static inline void sy_scan_skip_blanks(struct sy_scan *scan)
{
    while (*scan->p == ' ' || *scan->p == '\t') {
        scan->p++;
    }
}

/* What ends a value: a blank or the end of the record. */
static inline bool sy_scan_value_ends(struct sy_scan *scan)
{
    if (*scan->p == ' ' || *scan->p == '\t' || sy_scan_at_end(scan)) {
        sy_scan_skip_blanks(scan);
        return true;
    }
    return SY_SCAN_FAIL(scan, scan->p, NULL, "'%s' follows a value; expected a blank", sy_excerpt(scan, scan->p).text);
}

static inline size_t sy_word_length(const char *p)
{
    const char *from = p;
    while (sy_is_lower(*p)) {
        p++;
    }
    return (size_t)(p - from);
}

/* ---- values ---- */

static inline bool sy_scan_u64(struct sy_scan *scan, uint64_t *number)
{
    const char *p = scan->p;
    uint64_t value = (uint64_t)(unsigned char)*p - '0';
    if (value > 9) {
        return sy_scan_bad_number(scan, p);
    }
    const char *safe = p + 19; /* 19 digits always fit 64 bits */
    for (p++;; p++) {
        uint64_t digit = (uint64_t)(unsigned char)*p - '0';
        if (digit > 9) {
            break;
        }
        if (p >= safe && (!sy_mul(value, 10, &value) || !sy_add(value, digit, &value))) {
            return sy_scan_bad_number(scan, scan->p);
        }
        value = p >= safe ? value : value * 10 + digit;
    }
    if (*scan->p == '0' && p != scan->p + 1) {
        return sy_scan_bad_number(scan, scan->p);
    }
    scan->p = p;
    *number = value;
    return true;
}

static inline bool sy_scan_ranged(struct sy_scan *scan, const struct sy_key *key, uint64_t *number)
{
    const char *at = scan->p;
    if (!sy_scan_u64(scan, number)) {
        return false;
    }
    if ((unsigned char)*scan->p > ' ' && *scan->p != '#') {
        return sy_scan_bad_number(scan, at);
    }
    return (*number >= key->minimum && *number <= key->maximum) ||
           sy_scan_out_of_range(scan, at, key->name, *number, key->minimum, key->maximum);
}

static inline char *sy_scan_names_room(struct sy_scan *scan)
{
    return scan->names + scan->names_used;
}

static inline const char *sy_scan_keep_name(struct sy_scan *scan, size_t length)
{
    char *name = sy_scan_names_room(scan);
    name[length] = '\0';
    scan->names_used += length + 1;
    return name;
}

static inline bool sy_scan_name(struct sy_scan *scan, const char **name)
{
    const char *p = scan->p;
    unsigned char all = 0;
    while (sy_is_bare((unsigned char)*p)) {
        all |= (unsigned char)*p++;
    }
    size_t length = (size_t)(p - scan->p);
    if (length == 0) {
        return *p == '"' ? sy_scan_quoted(scan, name)
                         : SY_SCAN_FAIL(scan, p, "names with other characters are written in quotes",
                                        "'%s' is not a name", sy_excerpt(scan, p).text);
    }
    if (length > SY_TRACE_MAX_NAME) {
        return sy_scan_long_name(scan, scan->p);
    }
    if (all >= 0x80 && !sy_scan_utf8(scan, scan->p, p)) {
        return false;
    }
    if (length == 1 && *scan->p == '-') {
        *name = NULL;
    } else {
        memcpy(sy_scan_names_room(scan), scan->p, length);
        *name = sy_scan_keep_name(scan, length);
    }
    scan->p = p;
    return true;
}

static inline bool sy_scan_dtype(struct sy_scan *scan, enum sy_dtype *dtype)
{
    size_t length = sy_word_length(scan->p);
    uint64_t head = sy_word_head(scan->p, length);
    for (uint32_t i = 0; i < SY_DTYPE_COUNT; i++) {
        if (scan->syntax->dtype_head[i] == head && length <= sizeof head) {
            scan->p += length;
            *dtype = (enum sy_dtype)i;
            return true;
        }
    }
    return sy_scan_unknown_dtype(scan, length);
}

/* ---- keys ---- */

/* Read `key=` and find the key; *expected is the index to try first, and becomes the found one. */
static inline const struct sy_key *sy_scan_key(struct sy_scan *scan, const struct sy_record_syntax *record,
                                               uint32_t *expected)
{
    const char *p = scan->p;
    size_t length = sy_word_length(p);
    uint64_t head = sy_word_head(p, length);
    uint32_t i = *expected;
    for (uint32_t tried = 0; tried < record->keys; tried++) {
        i = i < record->keys ? i : 0;
        if (record->head[i] == head && record->key[i].length == length &&
            (length <= sizeof head || memcmp(record->key[i].name, p, length) == 0)) {
            if (p[length] != '=') {
                (void)SY_SCAN_FAIL(scan, p + length, NULL, "expected '=' after %s", record->key[i].name);
                return NULL;
            }
            scan->p = p + length + 1;
            *expected = i;
            return &record->key[i];
        }
        i++;
    }
    (void)sy_scan_unknown_key(scan, record, length);
    return NULL;
}

static inline bool sy_scan_mark_seen(struct sy_scan *scan, const char *at, const struct sy_key *key, uint32_t index,
                                     uint64_t *seen)
{
    uint64_t bit = UINT64_C(1) << index;
    if ((*seen & bit) != 0 && key->kind != SY_VALUE_EXTRA) {
        return SY_SCAN_FAIL(scan, at, NULL, "%s is given twice", key->name);
    }
    *seen |= bit;
    return true;
}

/* ---- the two kinds of records with keys ---- */

enum sy_status sy_parse_command(struct sy_scan *scan, const struct sy_record_syntax *record,
                                struct sy_command *command);

#endif
