/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number formatting with the same bytes everywhere. printf rounds the exact
 * binary value correctly; the only thing a locale changes is the decimal
 * point, so digits are picked out of its text and laid out here.
 */
#include "sim/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 32, SIGNIFICANT = 12, FIRST_SCIENTIFIC = 15, MAX_DECIMALS = 12 };

char *sy_format_u64(char out[32], uint64_t value)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = reversed[n - 1 - i];
    }
    out[n] = '\0';
    return out;
}

char *sy_format_grouped(char out[32], uint64_t value)
{
    char plain[NUMBER_BYTES] = "";
    size_t n = strlen(sy_format_u64(plain, value));
    char *to = out;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = plain[i];
    }
    *to = '\0';
    return out;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The SIGNIFICANT leading decimal digits of a finite value, trailing zeros
 * dropped, and the power of ten of the first. Returns how many digits. */
static size_t decimal_digits(double magnitude, char digits[SIGNIFICANT], int *exponent)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*e", SIGNIFICANT - 1, magnitude);
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e' && *p != '\0'; p++) {
        if (is_digit(*p) && n < SIGNIFICANT) {
            digits[n++] = *p;
        }
    }
    *exponent = *p == 'e' ? (int)strtol(p + 1, NULL, 10) : 0;
    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    return n;
}

static char *put_many(char *to, char c, int count)
{
    for (int i = 0; i < count; i++) {
        *to++ = c;
    }
    return to;
}

static char *put_digits(char *to, const char *digits, size_t count)
{
    memcpy(to, digits, count);
    return to + count;
}

char *sy_format_double(char out[32], double value)
{
    if (!isfinite(value)) {
        return strcpy(out, "null");
    }
    if (value == 0.0) {
        return strcpy(out, "0"); /* also for the negative zero */
    }
    char digits[SIGNIFICANT] = "";
    int exponent;
    int n = (int)decimal_digits(fabs(value), digits, &exponent);
    char *to = out;
    if (value < 0) {
        *to++ = '-';
    }
    if (exponent < -5 || exponent >= FIRST_SCIENTIFIC) {
        *to++ = digits[0];
        if (n > 1) {
            *to++ = '.';
            to = put_digits(to, digits + 1, (size_t)n - 1);
        }
        (void)snprintf(to, 6, "e%d", exponent);
        return out;
    }
    if (exponent < 0) {
        to = put_many(put_digits(to, "0.", 2), '0', -exponent - 1);
        to = put_digits(to, digits, (size_t)n);
    } else if (n <= exponent + 1) {
        to = put_many(put_digits(to, digits, (size_t)n), '0', exponent + 1 - n);
    } else {
        to = put_digits(to, digits, (size_t)exponent + 1);
        *to++ = '.';
        to = put_digits(to, digits + exponent + 1, (size_t)(n - exponent - 1));
    }
    *to = '\0';
    return out;
}

char *sy_format_fixed(char out[32], double value, unsigned decimals)
{
    if (!isfinite(value) || fabs(value) >= 1e15) {
        return sy_format_double(out, value); /* would not fit, and its digits would be noise */
    }
    int places = decimals > MAX_DECIMALS ? MAX_DECIMALS : (int)decimals;
    char text[64];
    (void)snprintf(text, sizeof text, "%.*f", places, fabs(value));
    bool zero = strspn(text, "0.,") == strlen(text);
    char *to = out;
    if (value < 0 && !zero) {
        *to++ = '-';
    }
    const char *from = text;
    while (is_digit(*from)) {
        *to++ = *from++;
    }
    if (places > 0) {
        *to++ = '.';
        while (*from != '\0' && !is_digit(*from)) {
            from++; /* the locale's decimal point, one byte or several */
        }
        while (is_digit(*from)) {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return out;
}

char *sy_format_si(char out[32], double value, const char *unit)
{
    static const char prefixes[] = "fpnum kMGTPE"; /* blank: no prefix */
    const int none = 5;
    const char *name = unit == NULL ? "" : unit;
    if (!isfinite(value)) {
        (void)snprintf(out, NUMBER_BYTES, "n/a");
        return out;
    }
    double magnitude = fabs(value);
    int prefix = none;
    while (magnitude >= 999.95 && prefix < (int)sizeof prefixes - 2) {
        magnitude /= 1000;
        prefix++;
    }
    while (magnitude > 0 && magnitude < 0.9995 && prefix > 0) {
        magnitude *= 1000;
        prefix--;
    }
    char number[NUMBER_BYTES];
    sy_format_fixed(number, value < 0 ? -magnitude : magnitude, value == 0.0 ? 0 : magnitude < 9.995 ? 2 : 1);
    const char letter[2] = {prefix == none ? '\0' : prefixes[prefix], '\0'};
    bool bare = letter[0] == '\0' && name[0] == '\0';
    (void)snprintf(out, NUMBER_BYTES, "%.20s%s%s%.8s", number, bare ? "" : " ", letter, name);
    return out;
}
