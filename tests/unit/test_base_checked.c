/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle is 128-bit arithmetic, or long hand where 128 bits are not enough. */
#include "sim/base/checked.h"

#include "tests/unit/base_support.h"

enum { CASES = 200000 };

/* Sizes of every magnitude, and the corners. */
static uint64_t any_u64(uint64_t *seed)
{
    static const uint64_t corners[] = {
        0, 1, 2, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX};
    uint64_t r = next_random(seed);
    if (r % 8 == 0) {
        return corners[(r >> 8) % 8];
    }
    return next_random(seed) >> ((r >> 8) % 64);
}

START_TEST(results_are_exact_or_refused)
{
    uint64_t seed = 2;
    uint64_t refused = 0, kept = 0;
    for (int i = 0; i < CASES; i++) {
        uint64_t a = any_u64(&seed), b = any_u64(&seed), c = any_u64(&seed), got;
        sy_u128 sum = (sy_u128)a + b, product = (sy_u128)a * b;
        EXPECT((sy_add(a, b, &got)) == (sum <= UINT64_MAX));
        EXPECT(sum > UINT64_MAX || got == sum);
        EXPECT((sy_sub(a, b, &got)) == (a >= b));
        EXPECT(a < b || got == a - b);
        EXPECT((sy_mul(a, b, &got)) == (product <= UINT64_MAX));
        EXPECT(product > UINT64_MAX || got == product);
        bool fits = product <= UINT64_MAX && (sy_u128)(uint64_t)product * c <= UINT64_MAX;
        EXPECT((sy_mul3(a, b, c, &got)) == (fits));
        EXPECT(!fits || got == (uint64_t)product * c);
        refused += !fits;
        kept += fits;
    }
    ck_assert_uint_gt(refused, CASES / 20);
    ck_assert_uint_gt(kept, CASES / 20);
}
END_TEST

/* q = ceil(n / d) exactly when (q - 1) * d < n <= q * d. */
START_TEST(division_rounds_as_named)
{
    uint64_t seed = 3;
    for (int i = 0; i < CASES; i++) {
        uint64_t a = any_u64(&seed), b = any_u64(&seed), c = any_u64(&seed), down, up;
        c += c == 0;
        sy_u128 ceiling = sy_ceil_div(a, c);
        EXPECT(ceiling * c >= a);
        EXPECT(ceiling == 0 ? a == 0 : (ceiling - 1) * c < a);
        sy_u128 product = (sy_u128)a * b;
        bool fits_down = sy_mul_div(a, b, c, &down), fits_up = sy_mul_div_up(a, b, c, &up);
        EXPECT(!fits_up || fits_down);
        if (fits_down) {
            EXPECT((sy_u128)down * c <= product);
            EXPECT(product - (sy_u128)down * c < c);
        } else {
            EXPECT(product / c > UINT64_MAX);
        }
        if (fits_up) {
            EXPECT((sy_u128)up * c >= product);
            EXPECT((sy_u128)up * c - product < c);
        }
        EXPECT((sy_min(a, b) + sy_max(a, b)) == (a + b));
        EXPECT(sy_min(a, b) <= sy_max(a, b));
    }
}
END_TEST

START_TEST(rounding_up_refuses_only_what_does_not_fit)
{
    uint64_t got;
    ck_assert(sy_mul_div_up(UINT64_MAX, UINT64_MAX, UINT64_MAX, &got));
    ck_assert_uint_eq(got, UINT64_MAX);
    ck_assert(sy_mul_div(UINT64_MAX, 3, 2, &got) == false);
    ck_assert(sy_mul_div(UINT64_MAX, 3, 4, &got));
    ck_assert_uint_eq(got, UINT64_C(13835058055282163711));
    ck_assert(sy_mul_div_up(UINT64_MAX, 3, 4, &got));
    ck_assert_uint_eq(got, UINT64_C(13835058055282163712));
    ck_assert_uint_eq(sy_ceil_div(UINT64_MAX, 2), UINT64_C(1) << 63);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("checked");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, results_are_exact_or_refused);
    tcase_add_test(tcase, division_rounds_as_named);
    tcase_add_test(tcase, rounding_up_refuses_only_what_does_not_fit);
    return run_case("base/checked", tcase);
}
