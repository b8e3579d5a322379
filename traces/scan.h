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
/* The word here is in no list: `what` says what it should be; the nearest of the list is the hint. */
bool sy_scan_unlisted(struct sy_scan *scan, const char *what, const char *const *list, uint64_t count);
bool sy_scan_unknown_word(struct sy_scan *scan, const char *what, const struct sy_words *words);
bool sy_scan_bad_key(struct sy_scan *scan, const struct sy_record_syntax *record);

/* ---- rare ---- */

bool sy_scan_quoted(struct sy_scan *scan, const char **name);
bool sy_scan_utf8(struct sy_scan *scan, const char *from, const char *to);
/* Are all required keys among those seen? Reports each that is not. */
bool sy_scan_has_required(struct sy_scan *scan, const struct sy_record_syntax *record, uint64_t seen);

/* ---- words ---- */

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
    while ((sy_byte_class[(unsigned char)*p] & SY_BYTE_WORD) != 0) {
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
    const char *from = scan->p;
    char *to = sy_scan_names_room(scan);
    size_t length = 0;
    uint8_t all = 0;
    for (;; length++) { /* the room holds one byte more than the longest name */
        uint8_t class = sy_byte_class[(unsigned char)from[length]];
        if ((class & SY_BYTE_BARE) == 0) {
            break;
        }
        if (length == SY_TRACE_MAX_NAME) {
            return sy_scan_long_name(scan, from);
        }
        to[length] = from[length];
        all |= class;
    }
    if (length == 0) {
        return *from == '"' ? sy_scan_quoted(scan, name)
                            : SY_SCAN_FAIL(scan, from, "names with other characters are written in quotes",
                                           "'%s' is not a name", sy_excerpt(scan, from).text);
    }
    if ((all & SY_BYTE_HIGH) != 0 && !sy_scan_utf8(scan, from, from + length)) {
        return false;
    }
    *name = length == 1 && *from == '-' ? NULL : sy_scan_keep_name(scan, length);
    scan->p = from + length;
    return true;
}

/* A word of a set: its index, or SY_NO_WORD and scan->p stays. */
static inline uint32_t sy_scan_word(struct sy_scan *scan, const struct sy_words *words)
{
    size_t length = sy_word_length(scan->p);
    uint32_t index = sy_words_find(words, scan->p, length, sy_word_head(scan->p, length));
    scan->p += index == SY_NO_WORD ? 0 : length;
    return index;
}

static inline bool sy_scan_dtype(struct sy_scan *scan, enum sy_dtype *dtype)
{
    uint32_t index = sy_scan_word(scan, &scan->syntax->dtypes);
    if (index == SY_NO_WORD) {
        return sy_scan_unknown_word(scan, "a data type", &scan->syntax->dtypes);
    }
    *dtype = (enum sy_dtype)index;
    return true;
}

/* ---- keys ---- */

/* Length of the word before the next '=', when that is among the next eight bytes; else of the word here. */
static inline size_t sy_key_length(const char *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t bytes = sy_word_head(p, sizeof bytes) ^ ones * '=';
    uint64_t zeros = (bytes - ones) & ~bytes & ones << 7; /* the lowest set bit is at the first '=' */
    if (zeros != 0) {
        return (size_t)__builtin_ctzll(zeros) / 8;
    }
#endif
    return sy_word_length(p);
}

/* Read `key=` and find the key; NULL when it was wrong. */
static inline const struct sy_key *sy_scan_key(struct sy_scan *scan, const struct sy_record_syntax *record)
{
    const char *p = scan->p;
    size_t length = sy_key_length(p);
    uint32_t index = sy_words_find(&record->names, p, length, sy_word_head(p, length));
    if (index == SY_NO_WORD || p[length] != '=') {
        (void)sy_scan_bad_key(scan, record);
        return NULL;
    }
    scan->p = p + length + 1;
    return &record->key[index];
}

static inline bool sy_scan_mark_seen(struct sy_scan *scan, const char *at, const struct sy_record_syntax *record,
                                     const struct sy_key *key, uint64_t *seen)
{
    uint64_t bit = UINT64_C(1) << (key - record->key);
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
