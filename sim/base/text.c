/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing buffer and whole-text number parsing. Number formatting is in
 * fmt.c, files in file.c, SHA-256 in sha256.c.
 *
 * Invariant of the buffer: data == NULL or data[length] == 0 with
 * length < capacity.
 */
#include "sim/base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 1000 };

void sy_buf_free(struct sy_buf *buf)
{
    free(buf->data);
    *buf = (struct sy_buf){0};
}

void sy_buf_clear(struct sy_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

/* Room for extra more bytes and the NUL. */
static bool reserve(struct sy_buf *buf, size_t extra)
{
    if (buf->failed || extra > SIZE_MAX / 4 - buf->length) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length + extra + 1;
    if (needed <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity < 128 ? 256 : buf->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void sy_buf_append(struct sy_buf *buf, const char *data, size_t length)
{
    if (!reserve(buf, length)) {
        return;
    }
    if (length > 0) {
        memcpy(buf->data + buf->length, data, length);
    }
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void sy_buf_puts(struct sy_buf *buf, const char *text)
{
    sy_buf_append(buf, text, strlen(text));
}

void sy_buf_printf(struct sy_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    size_t room = buf->capacity - buf->length; /* 0 when nothing is allocated */
    int length = vsnprintf(room == 0 ? NULL : buf->data + buf->length, room, format, args);
    va_end(args);
    if (length < 0) {
        buf->failed = true;
    } else if (reserve(buf, (size_t)length)) {
        if ((size_t)length >= room) {
            (void)vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        }
        buf->length += (size_t)length;
    }
    if (buf->data != NULL) {
        buf->data[buf->length] = '\0'; /* also after a failure that wrote a part */
    }
    va_end(again);
}

static size_t count_digits(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] >= '0' && text[n] <= '9') {
        n++;
    }
    return n;
}

bool sy_text_to_u64(const char *text, size_t length, uint64_t *value)
{
    if (length == 0 || count_digits(text, length) != length) {
        return false;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) {
            return false;
        }
    }
    *value = sum;
    return true;
}

/* sign? digits (. digits)? ([eE] sign? digits)? and nothing else */
static bool is_decimal(const char *text, size_t length)
{
    size_t at = length > 0 && (text[0] == '-' || text[0] == '+');
    size_t digits = count_digits(text + at, length - at);
    if (digits == 0) {
        return false;
    }
    at += digits;
    if (at < length && text[at] == '.') {
        digits = count_digits(text + at + 1, length - at - 1);
        if (digits == 0) {
            return false;
        }
        at += 1 + digits;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < length && (text[at] == '-' || text[at] == '+');
        digits = count_digits(text + at, length - at);
        if (digits == 0) {
            return false;
        }
        at += digits;
    }
    return at == length;
}

bool sy_text_to_double(const char *text, size_t length, double *value)
{
    char copy[LONGEST_NUMBER + 1];
    if (length > LONGEST_NUMBER || !is_decimal(text, length)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    /* The C locale object is built into the C library: no cost, and NULL only when out of memory. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return false;
    }
    double parsed = strtod_l(copy, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(parsed)) {
        return false;
    }
    *value = parsed;
    return true;
}
