/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text is split into a decimal number (mantissa x 10^exponent) and a unit
 * (multiplier / divisor x 10^exponent). Integers and frequencies are then
 * exact rationals; doubles hand the number with its decimal exponents to the
 * C library in one piece, so `14 ns` is the double nearest to 14e-9.
 */
#include "sim/base/units.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

enum { LONGEST_TEXT = 200, LARGEST_EXPONENT = 400 };

struct unit_row {
    enum sy_unit kind;
    const char *name;
    int exponent; /* of ten */
    uint64_t multiplier;
    uint64_t divisor;
};

#define KI (UINT64_C(1) << 10)
#define MI (UINT64_C(1) << 20)
#define GI (UINT64_C(1) << 30)
#define TI (UINT64_C(1) << 40)

static const struct unit_row unit_rows[] = {
    {SY_UNIT_BYTES, "B", 0, 1, 1},
    {SY_UNIT_BYTES, "kB", 3, 1, 1},
    {SY_UNIT_BYTES, "MB", 6, 1, 1},
    {SY_UNIT_BYTES, "GB", 9, 1, 1},
    {SY_UNIT_BYTES, "TB", 12, 1, 1},
    {SY_UNIT_BYTES, "KiB", 0, KI, 1},
    {SY_UNIT_BYTES, "MiB", 0, MI, 1},
    {SY_UNIT_BYTES, "GiB", 0, GI, 1},
    {SY_UNIT_BYTES, "TiB", 0, TI, 1},
    {SY_UNIT_BYTES, "bit", 0, 1, 8},
    {SY_UNIT_BYTES, "kbit", 3, 1, 8},
    {SY_UNIT_BYTES, "Mbit", 6, 1, 8},
    {SY_UNIT_BYTES, "Gbit", 9, 1, 8},
    {SY_UNIT_BYTES, "Tbit", 12, 1, 8},
    {SY_UNIT_BYTES, "Kibit", 0, KI, 8},
    {SY_UNIT_BYTES, "Mibit", 0, MI, 8},
    {SY_UNIT_BYTES, "Gibit", 0, GI, 8},
    {SY_UNIT_BYTES, "Tibit", 0, TI, 8},
    {SY_UNIT_HZ, "Hz", 0, 1, 1},
    {SY_UNIT_HZ, "kHz", 3, 1, 1},
    {SY_UNIT_HZ, "MHz", 6, 1, 1},
    {SY_UNIT_HZ, "GHz", 9, 1, 1},
    {SY_UNIT_BYTES_PER_S, "B/s", 0, 1, 1},
    {SY_UNIT_BYTES_PER_S, "kB/s", 3, 1, 1},
    {SY_UNIT_BYTES_PER_S, "MB/s", 6, 1, 1},
    {SY_UNIT_BYTES_PER_S, "GB/s", 9, 1, 1},
    {SY_UNIT_BYTES_PER_S, "TB/s", 12, 1, 1},
    {SY_UNIT_BYTES_PER_S, "KiB/s", 0, KI, 1},
    {SY_UNIT_BYTES_PER_S, "MiB/s", 0, MI, 1},
    {SY_UNIT_BYTES_PER_S, "GiB/s", 0, GI, 1},
    {SY_UNIT_BYTES_PER_S, "TiB/s", 0, TI, 1},
    {SY_UNIT_BYTES_PER_S, "bit/s", 0, 1, 8},
    {SY_UNIT_BYTES_PER_S, "kbit/s", 3, 1, 8},
    {SY_UNIT_BYTES_PER_S, "Mbit/s", 6, 1, 8},
    {SY_UNIT_BYTES_PER_S, "Gbit/s", 9, 1, 8},
    {SY_UNIT_BYTES_PER_S, "Tbit/s", 12, 1, 8},
    {SY_UNIT_SECONDS, "s", 0, 1, 1},
    {SY_UNIT_SECONDS, "ms", -3, 1, 1},
    {SY_UNIT_SECONDS, "us", -6, 1, 1},
    {SY_UNIT_SECONDS, "ns", -9, 1, 1},
    {SY_UNIT_SECONDS, "ps", -12, 1, 1},
    {SY_UNIT_SECONDS, "fs", -15, 1, 1},
    {SY_UNIT_SECONDS, "min", 0, 60, 1},
    {SY_UNIT_SECONDS, "h", 0, 3600, 1},
    {SY_UNIT_SECONDS, "d", 0, 86400, 1},
    {SY_UNIT_SECONDS, "y", 0, 31557600, 1}, /* 365.25 d */
    {SY_UNIT_CYCLES, "cycles", 0, 1, 1},
    {SY_UNIT_CYCLES, "cycle", 0, 1, 1},
    {SY_UNIT_BYTES_PER_CYCLE, "B/cycle", 0, 1, 1},
    {SY_UNIT_BYTES_PER_CYCLE, "KiB/cycle", 0, KI, 1},
    {SY_UNIT_JOULES, "J", 0, 1, 1},
    {SY_UNIT_JOULES, "mJ", -3, 1, 1},
    {SY_UNIT_JOULES, "uJ", -6, 1, 1},
    {SY_UNIT_JOULES, "nJ", -9, 1, 1},
    {SY_UNIT_JOULES, "pJ", -12, 1, 1},
    {SY_UNIT_JOULES, "fJ", -15, 1, 1},
    {SY_UNIT_WATTS, "W", 0, 1, 1},
    {SY_UNIT_WATTS, "kW", 3, 1, 1},
    {SY_UNIT_WATTS, "MW", 6, 1, 1},
    {SY_UNIT_WATTS, "mW", -3, 1, 1},
    {SY_UNIT_WATTS, "uW", -6, 1, 1},
    {SY_UNIT_WATTS, "nW", -9, 1, 1},
    {SY_UNIT_VOLTS, "V", 0, 1, 1},
    {SY_UNIT_VOLTS, "mV", -3, 1, 1},
    {SY_UNIT_METRES, "m", 0, 1, 1},
    {SY_UNIT_METRES, "mm", -3, 1, 1},
    {SY_UNIT_METRES, "um", -6, 1, 1},
    {SY_UNIT_METRES, "nm", -9, 1, 1},
    {SY_UNIT_SQUARE_METRES, "mm2", -6, 1, 1},
    {SY_UNIT_SQUARE_METRES, "um2", -12, 1, 1},
    {SY_UNIT_SQUARE_METRES, "nm2", -18, 1, 1},
    {SY_UNIT_SQUARE_METRES, "cm2", -4, 1, 1},
    {SY_UNIT_SQUARE_METRES, "m2", 0, 1, 1},
    {SY_UNIT_CELSIUS, "C", 0, 1, 1},
    {SY_UNIT_USD, "USD", 0, 1, 1},
    {SY_UNIT_USD, "kUSD", 3, 1, 1},
    {SY_UNIT_USD, "MUSD", 6, 1, 1},
    {SY_UNIT_USD, "BUSD", 9, 1, 1},
    {SY_UNIT_USD, "$", 0, 1, 1},
    {SY_UNIT_PERCENT, "%", -2, 1, 1},
    {SY_UNIT_TRANSFERS_PER_S, "MT/s", 6, 1, 1},
    {SY_UNIT_TRANSFERS_PER_S, "GT/s", 9, 1, 1},
};
enum { UNIT_ROWS = sizeof unit_rows / sizeof unit_rows[0] };

static const struct unit_row plain_number = {SY_UNIT_NONE, "", 0, 1, 1};
static const struct unit_row dollar_prefix = {SY_UNIT_USD, "$", 0, 1, 1};

static const char *const examples[SY_UNIT_COUNT] = {
    [SY_UNIT_NONE] = "128",
    [SY_UNIT_BYTES] = "28 MiB",
    [SY_UNIT_HZ] = "700 MHz",
    [SY_UNIT_BYTES_PER_S] = "34 GB/s",
    [SY_UNIT_SECONDS] = "14 ns",
    [SY_UNIT_CYCLES] = "12 cycles",
    [SY_UNIT_BYTES_PER_CYCLE] = "256 B/cycle",
    [SY_UNIT_JOULES] = "0.2 pJ",
    [SY_UNIT_WATTS] = "75 W",
    [SY_UNIT_VOLTS] = "0.8 V",
    [SY_UNIT_METRES] = "7 nm",
    [SY_UNIT_SQUARE_METRES] = "331 mm2",
    [SY_UNIT_CELSIUS] = "85 C",
    [SY_UNIT_USD] = "16000 USD",
    [SY_UNIT_PERCENT] = "20 %",
    [SY_UNIT_TRANSFERS_PER_S] = "3200 MT/s",
};

/* A split text. When digits are too many for the mantissa, exact is false and only the literal is of use. */
struct number {
    char literal[LONGEST_TEXT + 1]; /* sign, digits, point, digits: without the exponent */
    bool negative;
    bool exact;
    uint64_t mantissa; /* no trailing decimal zero unless 0 */
    int exponent;      /* of the mantissa */
    int written;       /* the exponent as written, for the literal */
    const struct unit_row *unit;
};

const char *sy_unit_example(enum sy_unit unit)
{
    return (unsigned)unit < SY_UNIT_COUNT ? examples[unit] : "";
}

__attribute__((format(printf, 3, 4))) static void explain(struct sy_unit_error *error, size_t column,
                                                          const char *format, ...)
{
    if (error == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    error->column = (uint32_t)column;
}
/* A macro, so that every reader of the code, a static analyser too, sees the false. */
#define refuse(error, column, ...) (explain((error), (column), __VA_ARGS__), false)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One digit into the mantissa; zeros are held back so that 1000000 is 1 x 10^6. */
struct digits {
    uint64_t mantissa;
    int exponent; /* of the mantissa as read so far, held zeros not in it */
    int held;     /* trailing zeros seen */
    bool exact;
};

static void push_digit(struct digits *d, char c, bool fraction)
{
    d->exponent -= fraction;
    if (c == '0') {
        d->held++;
        return;
    }
    for (int i = 0; i < d->held && d->mantissa != 0; i++) {
        d->exact = d->exact && sy_mul(d->mantissa, 10, &d->mantissa);
    }
    d->held = 0;
    d->exact =
        d->exact && sy_mul(d->mantissa, 10, &d->mantissa) && sy_add(d->mantissa, (uint64_t)(c - '0'), &d->mantissa);
}

static size_t span_digits(const char *text)
{
    size_t n = 0;
    while (is_digit(text[n])) {
        n++;
    }
    return n;
}

/* e, sign?, digits at text[at]; moves *at past it. A letter e without digits is left for the unit. */
static bool read_exponent(const char *text, size_t *at, int *exponent, struct sy_unit_error *error)
{
    *exponent = 0;
    if (text[*at] != 'e' && text[*at] != 'E') {
        return true;
    }
    size_t from = *at + 1;
    bool negative = text[from] == '-';
    from += negative || text[from] == '+';
    size_t count = span_digits(text + from);
    if (count == 0) {
        return true;
    }
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (text[from + i] - '0');
        if (value > LARGEST_EXPONENT) {
            return refuse(error, *at, "the exponent is out of range");
        }
    }
    *exponent = negative ? -value : value;
    *at = from + count;
    return true;
}

/* The number at text[*at], which moves past it. */
static bool read_number(const char *text, size_t *at, struct number *number, struct sy_unit_error *error)
{
    size_t start = *at, p = *at;
    number->negative = text[p] == '-';
    p += number->negative;
    size_t whole = span_digits(text + p);
    if (whole == 0) {
        return refuse(error, p, "expected a number%s", text[p] == '.' ? " with a digit before the point" : "");
    }
    if (whole > 1 && text[p] == '0') {
        return refuse(error, p, "a number may not begin with 0 (it could be read as octal)");
    }
    struct digits digits = {.exact = true};
    for (size_t i = 0; i < whole; i++) {
        push_digit(&digits, text[p + i], false);
    }
    p += whole;
    if (text[p] == '.') {
        size_t fraction = span_digits(text + p + 1);
        if (fraction == 0) {
            return refuse(error, p + 1, "expected a digit after the point");
        }
        for (size_t i = 0; i < fraction; i++) {
            push_digit(&digits, text[p + 1 + i], true);
        }
        p += 1 + fraction;
    }
    memcpy(number->literal, text + start, p - start);
    number->literal[p - start] = '\0';
    if (text[p] == ',' || text[p] == '_' || text[p] == '.') {
        return refuse(error, p, "'%c' in a number; digits may not be grouped", text[p]);
    }
    if (!read_exponent(text, &p, &number->written, error)) {
        return false;
    }
    number->exact = digits.exact;
    number->mantissa = digits.mantissa;
    number->exponent = digits.mantissa == 0 ? 0 : digits.exponent + digits.held + number->written;
    *at = p;
    return true;
}

/* Say which unit was expected; the nearest by spelling when there is one. */
static bool refuse_unit(const char *text, size_t at, enum sy_unit kind, struct sy_unit_error *error)
{
    const char *names[UNIT_ROWS];
    uint64_t count = 0;
    const char *other = NULL;
    for (size_t i = 0; i < UNIT_ROWS; i++) {
        if (unit_rows[i].kind == kind) {
            names[count++] = unit_rows[i].name;
        } else if (strcmp(unit_rows[i].name, text + at) == 0) {
            other = unit_rows[i].name;
        }
    }
    const char *nearest = other == NULL ? sy_nearest(text + at, names, count) : NULL;
    if (nearest != NULL) {
        return refuse(error, at, "unknown unit '%.24s'; did you mean '%s'?", text + at, nearest);
    }
    return refuse(error, at, "'%.24s' is not a unit that fits here; expected a value such as %s", text + at,
                  sy_unit_example(kind));
}

static const struct unit_row *find_unit(const char *name, enum sy_unit kind)
{
    for (size_t i = 0; i < UNIT_ROWS; i++) {
        if (unit_rows[i].kind == kind && strcmp(unit_rows[i].name, name) == 0) {
            return &unit_rows[i];
        }
    }
    return NULL;
}

static bool read_unit(const char *text, size_t at, enum sy_unit kind, bool dollar, struct number *number,
                      struct sy_unit_error *error)
{
    size_t number_end = at;
    while (is_blank(text[at])) {
        at++;
    }
    bool nothing = text[at] == '\0';
    if (nothing && at > number_end) {
        return refuse(error, number_end, "a blank after the number; expected %s", sy_unit_example(kind));
    }
    if (kind == SY_UNIT_NONE || dollar) {
        number->unit = dollar ? &dollar_prefix : &plain_number;
        return nothing || refuse(error, at, "'%.24s' after the number; no unit belongs here", text + at);
    }
    if (nothing) {
        return refuse(error, at, "a unit is missing, for example %s", sy_unit_example(kind));
    }
    number->unit = find_unit(text + at, kind);
    return number->unit != NULL || refuse_unit(text, at, kind, error);
}

static bool split(const char *text, enum sy_unit kind, struct number *number, struct sy_unit_error *error)
{
    if (text == NULL || text[0] == '\0') {
        return refuse(error, 0, "nothing; expected a value such as %s", sy_unit_example(kind));
    }
    if (strlen(text) > LONGEST_TEXT) {
        return refuse(error, LONGEST_TEXT, "the number is too long");
    }
    size_t at = 0;
    bool dollar = kind == SY_UNIT_USD && text[0] == '$';
    if (dollar) {
        at++;
        while (is_blank(text[at])) {
            at++;
        }
    }
    return read_number(text, &at, number, error) && read_unit(text, at, kind, dollar, number, error);
}

/* The exact value as a reduced fraction; false on overflow. mantissa != 0. */
static bool to_fraction(const struct number *number, uint64_t *num, uint64_t *den)
{
    uint64_t common = sy_gcd(number->mantissa, number->unit->divisor);
    *num = number->mantissa / common;
    *den = number->unit->divisor / common;
    common = sy_gcd(number->unit->multiplier, *den);
    if (!sy_mul(*num, number->unit->multiplier / common, num)) {
        return false;
    }
    *den /= common;
    int exponent = number->exponent + number->unit->exponent;
    for (; exponent > 0; exponent--) {
        common = sy_gcd(10, *den);
        *den /= common;
        if (!sy_mul(*num, 10 / common, num)) {
            return false;
        }
    }
    for (; exponent < 0; exponent++) {
        common = sy_gcd(10, *num);
        *num /= common;
        if (!sy_mul(*den, 10 / common, den)) {
            return false;
        }
    }
    return true;
}

/* Split text and give its exact non-negative value as a fraction. */
static bool parse_fraction(const char *text, enum sy_unit unit, uint64_t *num, uint64_t *den,
                           struct sy_unit_error *error)
{
    struct number number;
    if (!split(text, unit, &number, error)) {
        return false;
    }
    *num = 0;
    *den = 1;
    if (number.mantissa == 0 && number.exact) {
        return true;
    }
    if (number.negative) {
        return refuse(error, 0, "the value is negative; expected one of at least 0");
    }
    if (!number.exact || !to_fraction(&number, num, den)) {
        return refuse(error, 0, "the value is out of range, or has more digits than can be kept exactly");
    }
    return true;
}

bool sy_parse_u64(const char *text, enum sy_unit unit, uint64_t *value, struct sy_unit_error *error)
{
    uint64_t num, den;
    if (!parse_fraction(text, unit, &num, &den, error)) {
        return false;
    }
    if (den != 1) {
        return refuse(error, 0, "the value is not a whole number in its base unit; expected one such as %s",
                      sy_unit_example(unit));
    }
    *value = num;
    return true;
}

bool sy_parse_hz(const char *text, uint64_t *num, uint64_t *den, struct sy_unit_error *error)
{
    uint64_t n, d;
    if (!parse_fraction(text, SY_UNIT_HZ, &n, &d, error)) {
        return false;
    }
    if (n == 0) {
        return refuse(error, 0, "a frequency of zero; expected one such as %s", sy_unit_example(SY_UNIT_HZ));
    }
    *num = n;
    *den = d;
    return true;
}

bool sy_parse_double(const char *text, enum sy_unit unit, double *value, struct sy_unit_error *error)
{
    struct number number;
    if (!split(text, unit, &number, error)) {
        return false;
    }
    char literal[sizeof number.literal + 16];
    int length = snprintf(literal, sizeof literal, "%se%d", number.literal, number.written + number.unit->exponent);
    double parsed;
    if (!sy_text_to_double(literal, (size_t)length, &parsed)) {
        return refuse(error, 0, "the value is out of range");
    }
    parsed = parsed * (double)number.unit->multiplier / (double)number.unit->divisor;
    if (!isfinite(parsed)) {
        return refuse(error, 0, "the value is out of range");
    }
    *value = parsed;
    return true;
}
