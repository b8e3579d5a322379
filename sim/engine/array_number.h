/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers a PE computes with. Operands are int4, int8, int16, int32, bf16,
 * fp16 or fp32; products and sums of int4 and int8 wrap in 32 bits, those of
 * int16 and int32 in 64 (two's complement), those of floats are rounded to fp32
 * after the multiplication and after every addition (no fused steps).
 */
#ifndef SY_ENGINE_ARRAY_NUMBER_H
#define SY_ENGINE_ARRAY_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/dtype.h"

union sy_number {
    int64_t integer; /* integer formats */
    float real;      /* float formats: a value the format can hold */
};

bool sy_number_supported(enum sy_dtype format);
/* The nearest value of the format (ties to even; integers truncate and wrap). */
union sy_number sy_number_from(enum sy_dtype format, double value);
union sy_number sy_number_product(enum sy_dtype format, union sy_number a, union sy_number b);
union sy_number sy_number_sum(enum sy_dtype format, union sy_number a, union sy_number b);
union sy_number sy_number_difference(enum sy_dtype format, union sy_number a, union sy_number b);
/* Same bits (floats: -0 and 0 differ, equal NaNs are equal). */
bool sy_number_same(enum sy_dtype format, union sy_number a, union sy_number b);

#endif
