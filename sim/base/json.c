/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reader (RFC 8259, strict). Syntax errors end the parse; duplicate keys
 * are all reported. The writer is in json_write.c.
 *
 * Invariant: at <= length always; the text need not be NUL-terminated.
 */
#include "sim/base/json.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/units.h"
#include "sim/base/utf8.h"

enum { MAX_DEPTH = 64 };

struct parser {
    struct sy_arena *arena;
    const char *text;
    size_t length;
    size_t at;
    size_t line_start;
    uint32_t line;
    uint32_t depth;
    const char *file;
    struct sy_diag *diag;
    bool duplicates; /* seen: the document is refused at its end, so that all are reported */
};

static struct sy_where here(const struct parser *p)
{
    return (struct sy_where){.file = p->file, .line = p->line, .column = (uint32_t)(p->at - p->line_start + 1)};
}

static int peek(const struct parser *p)
{
    return p->at < p->length ? (unsigned char)p->text[p->at] : -1;
}

static void skip_blanks(struct parser *p)
{
    for (; p->at < p->length; p->at++) {
        char c = p->text[p->at];
        if (c == '\n') {
            p->line++;
            p->line_start = p->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
    }
}

static enum sy_status unexpected(struct parser *p, const char *expected)
{
    int c = peek(p);
    if (c < 0) {
        return sy_error(p->diag, here(p), NULL, "the text ends; expected %s", expected);
    }
    if (c < 0x20 || c >= 0x7f) {
        return sy_error(p->diag, here(p), NULL, "byte 0x%02x; expected %s", (unsigned)c, expected);
    }
    return sy_error(p->diag, here(p), NULL, "'%c'; expected %s", c, expected);
}

static enum sy_status no_memory(struct parser *p)
{
    (void)sy_error(p->diag, here(p), NULL, "the document does not fit in memory");
    return SY_NOMEM;
}

static int hex_value(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at p->at. */
static enum sy_status read_hex4(struct parser *p, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(peek(p));
        if (digit < 0) {
            return unexpected(p, "four hexadecimal digits after \\u");
        }
        *value = *value << 4 | (uint32_t)digit;
        p->at++;
    }
    return SY_OK;
}

static size_t put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3f));
        to[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3f));
    to[2] = (char)(0x80 | (code >> 6 & 0x3f));
    to[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static enum sy_status read_unicode(struct parser *p, char *to, size_t *written)
{
    struct sy_where where = here(p);
    uint32_t code, low;
    enum sy_status status = read_hex4(p, &code);
    if (status != SY_OK) {
        return status;
    }
    if (code >= 0xd800 && code < 0xdc00 && p->length - p->at >= 6 && p->text[p->at] == '\\' &&
        p->text[p->at + 1] == 'u') {
        p->at += 2;
        status = read_hex4(p, &low);
        if (status != SY_OK) {
            return status;
        }
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (code >= 0xd800 && code < 0xe000) {
        return sy_error(p->diag, where, NULL, "half of a surrogate pair; expected both \\u escapes");
    }
    if (code == 0) {
        return sy_error(p->diag, where, NULL, "\\u0000 in a string is not supported");
    }
    *written = put_utf8(to, code);
    return SY_OK;
}

static enum sy_status read_escape(struct parser *p, char *to, size_t *written)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    p->at++;
    int c = peek(p);
    if (c == 'u') {
        p->at++;
        return read_unicode(p, to, written);
    }
    const char *found = c <= 0 ? NULL : strchr(from, c);
    if (found == NULL) {
        return unexpected(p, "an escape such as \\n or \\u00e9");
    }
    *to = into[found - from];
    *written = 1;
    p->at++;
    return SY_OK;
}

/* Length of the raw string up to its closing quote, an upper bound of the decoded one. */
static size_t raw_length(const struct parser *p)
{
    size_t i = p->at;
    while (i < p->length && p->text[i] != '"') {
        i += p->text[i] == '\\' ? 2 : 1;
    }
    return (i < p->length ? i : p->length) - p->at;
}

/* A string at its opening quote. */
static enum sy_status read_string(struct parser *p, const char **result)
{
    struct sy_where where = here(p);
    p->at++;
    char *to = sy_arena_alloc(p->arena, raw_length(p) + 1);
    if (to == NULL) {
        return no_memory(p);
    }
    *result = to;
    for (;;) {
        int c = peek(p);
        size_t n = 1;
        if (c < 0) {
            return sy_error(p->diag, where, NULL, "a string is not closed");
        }
        if (c == '"') {
            p->at++;
            return SY_OK;
        }
        if (c < 0x20) {
            return unexpected(p, "a control character in a string to be escaped");
        }
        if (c == '\\') {
            enum sy_status status = read_escape(p, to, &n);
            if (status != SY_OK) {
                return status;
            }
        } else {
            n = sy_utf8_length(p->text + p->at, p->length - p->at);
            if (n == 0) {
                return unexpected(p, "valid UTF-8");
            }
            memcpy(to, p->text + p->at, n);
            p->at += n;
        }
        to += n;
    }
}

static bool skip_digits(struct parser *p)
{
    size_t start = p->at;
    while (p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9') {
        p->at++;
    }
    return p->at > start;
}

static enum sy_status read_number(struct parser *p, struct sy_json *value)
{
    struct sy_where where = here(p);
    size_t start = p->at;
    p->at += peek(p) == '-';
    if (peek(p) == '0') {
        p->at++;
        if (peek(p) >= '0' && peek(p) <= '9') {
            return unexpected(p, "no digit after a leading 0");
        }
    } else if (!skip_digits(p)) {
        return unexpected(p, "a digit");
    }
    if (peek(p) == '.') {
        p->at++;
        if (!skip_digits(p)) {
            return unexpected(p, "a digit after the point");
        }
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        p->at += peek(p) == '-' || peek(p) == '+';
        if (!skip_digits(p)) {
            return unexpected(p, "a digit in the exponent");
        }
    }
    value->string = sy_arena_strndup(p->arena, p->text + start, p->at - start);
    if (value->string == NULL) {
        return no_memory(p);
    }
    if (!sy_text_to_double(p->text + start, p->at - start, &value->number)) {
        return sy_error(p->diag, where, NULL, "the number is out of range");
    }
    return SY_OK;
}

static enum sy_status read_word(struct parser *p, struct sy_json *value)
{
    static const struct {
        const char *word;
        size_t length;
        enum sy_json_kind kind;
        bool boolean;
    } words[] = {{"null", 4, SY_JSON_NULL, false}, {"true", 4, SY_JSON_BOOL, true}, {"false", 5, SY_JSON_BOOL, false}};
    for (size_t i = 0; i < 3; i++) {
        size_t n = words[i].length;
        if (p->length - p->at >= n && memcmp(p->text + p->at, words[i].word, n) == 0) {
            value->kind = words[i].kind;
            value->boolean = words[i].boolean;
            p->at += n;
            return SY_OK;
        }
    }
    return unexpected(p, "a value");
}

/* Order by key, then by place in the file. */
static int compare_members(const void *a, const void *b)
{
    const struct sy_json *const *left = a;
    const struct sy_json *const *right = b;
    int order = strcmp((*left)->key, (*right)->key);
    if (order != 0) {
        return order;
    }
    if ((*left)->line != (*right)->line) {
        return (*left)->line < (*right)->line ? -1 : 1;
    }
    return (*left)->column < (*right)->column ? -1 : (*left)->column > (*right)->column;
}

/* Sorting keeps this n log n for the worst object somebody can send. */
static enum sy_status check_duplicates(struct parser *p, const struct sy_json *object, size_t count)
{
    if (count < 2) {
        return SY_OK;
    }
    const struct sy_json **members = malloc(count * sizeof *members);
    if (members == NULL) {
        return no_memory(p);
    }
    size_t n = 0;
    for (const struct sy_json *m = object->child; m != NULL; m = m->next) {
        members[n++] = m;
    }
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(members[i - 1]->key, members[i]->key) == 0) {
            struct sy_where where = {.file = p->file, .line = members[i]->line, .column = members[i]->column};
            p->duplicates = true;
            (void)sy_error(p->diag, where, "remove one of the two", "duplicate key \"%.100s\"; first on line %u",
                           members[i]->key, (unsigned)members[i - 1]->line);
        }
    }
    free(members);
    return SY_OK;
}

static enum sy_status read_value(struct parser *p, struct sy_json *value);

/* key and colon of a member; the cursor ends at its value. */
static enum sy_status read_key(struct parser *p, const char **key)
{
    if (peek(p) != '"') {
        return unexpected(p, "a key in double quotes");
    }
    enum sy_status status = read_string(p, key);
    if (status != SY_OK) {
        return status;
    }
    skip_blanks(p);
    if (peek(p) != ':') {
        return unexpected(p, "':' after a key");
    }
    p->at++;
    skip_blanks(p);
    return SY_OK;
}

/* Members of an array or object whose opening bracket was read. */
static enum sy_status read_members(struct parser *p, struct sy_json *parent, char close, size_t *count)
{
    struct sy_json **link = &parent->child;
    skip_blanks(p);
    if (peek(p) == close) {
        p->at++;
        return SY_OK;
    }
    for (;;) {
        struct sy_json *member = sy_arena_alloc(p->arena, sizeof *member);
        if (member == NULL) {
            return no_memory(p);
        }
        skip_blanks(p);
        enum sy_status status = close == '}' ? read_key(p, &member->key) : SY_OK;
        if (status == SY_OK) {
            status = read_value(p, member);
        }
        if (status != SY_OK) {
            return status;
        }
        *link = member;
        link = &member->next;
        ++*count;
        skip_blanks(p);
        if (peek(p) == close) {
            p->at++;
            return SY_OK;
        }
        if (peek(p) != ',') {
            return unexpected(p, close == '}' ? "',' or '}'" : "',' or ']'");
        }
        p->at++;
    }
}

static enum sy_status read_container(struct parser *p, struct sy_json *value)
{
    if (p->depth == MAX_DEPTH) {
        return sy_error(p->diag, here(p), NULL, "nesting is deeper than %d", (int)MAX_DEPTH);
    }
    bool object = p->text[p->at++] == '{';
    size_t count = 0;
    value->kind = object ? SY_JSON_OBJECT : SY_JSON_ARRAY;
    p->depth++;
    enum sy_status status = read_members(p, value, object ? '}' : ']', &count);
    p->depth--;
    return status == SY_OK && object ? check_duplicates(p, value, count) : status;
}

static enum sy_status read_value(struct parser *p, struct sy_json *value)
{
    struct sy_where where = here(p);
    value->line = where.line;
    value->column = where.column;
    int c = peek(p);
    if (c == '{' || c == '[') {
        return read_container(p, value);
    }
    if (c == '"') {
        value->kind = SY_JSON_STRING;
        return read_string(p, &value->string);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        value->kind = SY_JSON_NUMBER;
        return read_number(p, value);
    }
    return read_word(p, value);
}

enum sy_status sy_json_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                             struct sy_json **root, struct sy_diag *diag)
{
    struct parser p = {.arena = arena, .text = text, .length = length, .line = 1, .file = file, .diag = diag};
    *root = NULL;
    if (length >= UINT32_MAX) {
        return sy_error(diag, here(&p), NULL, "the document is larger than 4 GiB");
    }
    struct sy_json *value = sy_arena_alloc(arena, sizeof *value);
    if (value == NULL) {
        return no_memory(&p);
    }
    skip_blanks(&p);
    enum sy_status status = read_value(&p, value);
    if (status != SY_OK) {
        return status;
    }
    skip_blanks(&p);
    if (p.at < p.length) {
        return unexpected(&p, "the end of the text after the value");
    }
    if (p.duplicates) {
        return SY_INPUT;
    }
    *root = value;
    return SY_OK;
}

const struct sy_json *sy_json_get(const struct sy_json *object, const char *key)
{
    if (object == NULL || object->kind != SY_JSON_OBJECT) {
        return NULL;
    }
    for (const struct sy_json *member = object->child; member != NULL; member = member->next) {
        if (strcmp(member->key, key) == 0) {
            return member;
        }
    }
    return NULL;
}

bool sy_json_u64(const struct sy_json *value, uint64_t *out)
{
    if (value == NULL || value->kind != SY_JSON_NUMBER) {
        return false;
    }
    /* The unit parser takes every JSON number and gives whole ones exactly (1e3, 1.0). */
    return sy_parse_u64(value->string, SY_UNIT_NONE, out, NULL);
}
