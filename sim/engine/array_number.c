/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PE arithmetic, and rounding to bf16 (8-bit significand) and fp16 (IEEE 754
 * binary16, subnormals kept, overflow to infinity).
 */
#include "sim/engine/array_number.h"

#include <math.h>
#include <string.h>

static bool is_float(enum sy_dtype format)
{
    return format == SY_BF16 || format == SY_FP16 || format == SY_FP32;
}

bool sy_number_supported(enum sy_dtype format)
{
    return is_float(format) || format == SY_INT4 || format == SY_INT8 || format == SY_INT16 || format == SY_INT32;
}

/* Wrap to a two's complement number of `bits`. */
static int64_t wrap(uint64_t value, unsigned bits)
{
    uint64_t mask = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    uint64_t sign = (uint64_t)1 << (bits - 1);
    int64_t result;
    value &= mask;
    value = (value ^ sign) - sign;
    memcpy(&result, &value, sizeof result);
    return result;
}

static unsigned sum_bits(enum sy_dtype format)
{
    return format == SY_INT4 || format == SY_INT8 ? 32 : 64;
}

/* Round to `digits` significand bits with the smallest exponent `least` (of the last kept bit of a subnormal). */
static double round_to(double value, int digits, int least)
{
    int exponent;
    if (value == 0 || !isfinite(value)) {
        return value;
    }
    (void)frexp(value, &exponent);
    int step = exponent - digits;
    step = step < least ? least : step;
    return ldexp(nearbyint(ldexp(value, -step)), step);
}

union sy_number sy_number_from(enum sy_dtype format, double value)
{
    union sy_number number = {0};
    if (!is_float(format)) {
        double whole = trunc(value);
        int64_t integer = fabs(whole) < 9.2e18 ? (int64_t)whole : 0;
        number.integer = wrap((uint64_t)integer, sy_dtypes[format].bits);
        return number;
    }
    if (format == SY_BF16) {
        value = round_to(value, 8, -133);
    } else if (format == SY_FP16) {
        value = round_to(value, 11, -24);
        value = fabs(value) > 65504 ? copysign((double)INFINITY, value) : value;
    }
    number.real = (float)value;
    return number;
}

union sy_number sy_number_product(enum sy_dtype format, union sy_number a, union sy_number b)
{
    union sy_number result = {0};
    if (is_float(format)) {
        result.real = a.real * b.real;
    } else {
        result.integer = wrap((uint64_t)a.integer * (uint64_t)b.integer, sum_bits(format));
    }
    return result;
}

union sy_number sy_number_sum(enum sy_dtype format, union sy_number a, union sy_number b)
{
    union sy_number result = {0};
    if (is_float(format)) {
        result.real = a.real + b.real;
    } else {
        result.integer = wrap((uint64_t)a.integer + (uint64_t)b.integer, sum_bits(format));
    }
    return result;
}

union sy_number sy_number_difference(enum sy_dtype format, union sy_number a, union sy_number b)
{
    union sy_number result = {0};
    if (is_float(format)) {
        result.real = a.real - b.real;
    } else {
        result.integer = wrap((uint64_t)a.integer - (uint64_t)b.integer, sum_bits(format));
    }
    return result;
}

bool sy_number_same(enum sy_dtype format, union sy_number a, union sy_number b)
{
    if (!is_float(format)) {
        return a.integer == b.integer;
    }
    return memcmp(&a.real, &b.real, sizeof a.real) == 0;
}
