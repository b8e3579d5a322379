/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked integer arithmetic. Counts in Systole are uint64_t; anything that
 * comes from input goes through these. Each returns true when the exact result
 * fits and was stored, false on overflow (then *result is unspecified).
 */
#ifndef SY_BASE_CHECKED_H
#define SY_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 sy_u128;

static inline bool sy_add(uint64_t a, uint64_t b, uint64_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}
static inline bool sy_sub(uint64_t a, uint64_t b, uint64_t *result)
{
    return !__builtin_sub_overflow(a, b, result);
}
static inline bool sy_mul(uint64_t a, uint64_t b, uint64_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}
static inline bool sy_mul3(uint64_t a, uint64_t b, uint64_t c, uint64_t *result)
{
    return sy_mul(a, b, result) && sy_mul(*result, c, result);
}

/* ceil(a / b); b must not be 0. Cannot overflow. */
static inline uint64_t sy_ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* floor and ceil of a * b / c through 128 bits; c must not be 0. */
static inline bool sy_mul_div(uint64_t a, uint64_t b, uint64_t c, uint64_t *result)
{
    sy_u128 quotient = (sy_u128)a * b / c;
    *result = (uint64_t)quotient;
    return quotient <= UINT64_MAX;
}
static inline bool sy_mul_div_up(uint64_t a, uint64_t b, uint64_t c, uint64_t *result)
{
    sy_u128 quotient = ((sy_u128)a * b + (c - 1)) / c;
    *result = (uint64_t)quotient;
    return quotient <= UINT64_MAX;
}

/* Greatest common divisor; 0 only of two zeros. */
static inline uint64_t sy_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static inline uint64_t sy_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t sy_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
