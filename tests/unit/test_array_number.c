/* SPDX-License-Identifier: Apache-2.0 */
/* PE numbers: rounding to bf16 and fp16 against bit-level oracles, wrapping sums, and error bounds against fp64. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/array_cycle.h"
#include "tests/unit/run_support.h"

static uint64_t draw(uint64_t *state)
{
    uint64_t x = (*state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* bf16: round the fp32 bit pattern to its upper half, ties to even. */
static float bf16_oracle(float value)
{
    uint32_t bits = to_bits(value);
    bits += 0x7FFF + (bits >> 16 & 1);
    return from_bits(bits & 0xFFFF0000u);
}

/* fp16: value of each of the 2^15 non-negative patterns, for a search of the nearest. */
static double fp16_value(unsigned pattern)
{
    int exponent = (int)(pattern >> 10 & 31);
    double fraction = pattern & 1023;
    return exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
}
static double fp16_oracle(double magnitude)
{
    unsigned low = 0, high = 0x7BFF; /* 65504 */
    while (low < high) {
        unsigned middle = (low + high + 1) / 2;
        if (fp16_value(middle) <= magnitude) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    double below = fp16_value(low), above = low == 0x7BFF ? 65536 : fp16_value(low + 1);
    bool up = magnitude - below > above - magnitude || (magnitude - below == above - magnitude && (low & 1));
    double rounded = up ? above : below;
    return rounded > 65504 ? (double)INFINITY : rounded;
}

START_TEST(bf16_rounds_to_nearest_even)
{
    uint64_t state = 1;
    for (int i = 0; i < 100000; i++) {
        float value = from_bits((uint32_t)draw(&state));
        if (isfinite(value)) {
            union sy_number got = sy_number_from(SY_BF16, (double)value);
            ck_assert_uint_eq(to_bits(got.real), to_bits(bf16_oracle(value)));
        }
    }
}
END_TEST

START_TEST(fp16_rounds_to_nearest_even)
{
    uint64_t state = 2;
    for (unsigned pattern = 0; pattern < 0x7C00; pattern++) {
        ck_assert(sy_number_from(SY_FP16, fp16_value(pattern)).real == (float)fp16_value(pattern));
    }
    for (int i = 0; i < 100000; i++) {
        double magnitude = ldexp((double)(draw(&state) >> 11), (int)(draw(&state) % 60) - 94);
        double got = (double)sy_number_from(SY_FP16, -magnitude).real;
        ck_assert_msg(got == -fp16_oracle(magnitude), "%.17g gave %.17g", magnitude, got);
    }
    for (unsigned pattern = 0; pattern < 0x7BFF; pattern++) { /* every tie */
        double tie = (fp16_value(pattern) + fp16_value(pattern + 1)) / 2;
        ck_assert((double)sy_number_from(SY_FP16, tie).real == fp16_oracle(tie));
    }
}
END_TEST

START_TEST(integer_sums_wrap_as_their_accumulators)
{
    union sy_number big = {.integer = INT32_MAX}, one = {.integer = 1}, low = {.integer = INT64_MIN};
    ck_assert(sy_number_sum(SY_INT8, big, one).integer == INT32_MIN);
    ck_assert(sy_number_sum(SY_INT16, big, one).integer == (int64_t)INT32_MAX + 1);
    ck_assert(sy_number_difference(SY_INT32, low, one).integer == INT64_MAX);
    ck_assert(sy_number_from(SY_INT8, 200).integer == -56);
    ck_assert(sy_number_from(SY_INT8, -1e300).integer == 0);
    ck_assert(sy_number_product(SY_INT8, sy_number_from(SY_INT8, -128), sy_number_from(SY_INT8, -128)).integer ==
              16384);
    ck_assert(!sy_number_supported(SY_MXFP4));
}
END_TEST

/* Sum of n products, each rounded: |error| <= (n + 1) u sum |a b|, u = 2^-24 (Higham, Accuracy and Stability, 3.1). */
START_TEST(float_products_stay_within_the_bound_of_fp64)
{
    const enum sy_dtype formats[] = {SY_BF16, SY_FP16, SY_FP32};
    uint64_t state = 3;
    for (int trial = 0; trial < 60; trial++) {
        struct sy_array_timing timing;
        sy_array_timing_init(&timing);
        timing.os_drain = SY_DRAIN_DIRECT;
        enum { M = 5, K = 70, N = 6 };
        union sy_number a[M * K], b[K * N], c[M * N];
        enum sy_dtype format = formats[trial % 3];
        for (int i = 0; i < M * K; i++) {
            a[i] = sy_number_from(format, (double)(int64_t)draw(&state) / 9e18);
        }
        for (int i = 0; i < K * N; i++) {
            b[i] = sy_number_from(format, (double)(int64_t)draw(&state) / 9e18);
        }
        struct sy_cycle_job job = {.timing = &timing, .dataflow = (enum sy_dataflow_kind)(trial / 3 % 3), .rows = 4};
        job.cols = 3;
        job.format = format;
        job.m = M;
        job.k = K;
        job.n = N;
        job.a = a;
        job.b = b;
        job.c = c;
        struct sy_cycle_result result;
        ck_assert_int_eq(sy_array_cycle_run(&job, &result), SY_OK);
        for (int i = 0; i < M * N; i++) {
            double exact = 0, size = 0;
            for (int k = 0; k < K; k++) {
                double product = (double)a[i / N * K + k].real * (double)b[k * N + i % N].real;
                exact += product;
                size += fabs(product);
            }
            ck_assert(fabs((double)c[i].real - exact) <= (K + 1) * ldexp(size, -24));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_number");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, bf16_rounds_to_nearest_even);
    tcase_add_test(tc, fp16_rounds_to_nearest_even);
    tcase_add_test(tc, integer_sums_wrap_as_their_accumulators);
    tcase_add_test(tc, float_products_stay_within_the_bound_of_fp64);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
