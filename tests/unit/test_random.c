/* SPDX-License-Identifier: Apache-2.0 */
/* The generator is the published one: its numbers, and that they are spread evenly. */
#include "sim/base/random.h"

#include <math.h>

#include "tests/unit/base_support.h"

/* Published test vectors: splitmix64 from 1234567, xoshiro256** from the state 1, 2, 3, 4. */
START_TEST(the_numbers_are_those_of_the_reference_implementations)
{
    static const uint64_t split[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                     UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                     UINT64_C(16408922859458223821)};
    static const uint64_t stars[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    uint64_t state = 1234567;
    struct sy_random random = {{1, 2, 3, 4}};
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(sy_splitmix64(&state), split[i]);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(sy_random_next(&random), stars[i]);
}
END_TEST

START_TEST(a_seed_gives_one_sequence_and_another_seed_another)
{
    struct sy_random a, b, c;
    sy_random_seed(&a, 7);
    sy_random_seed(&b, 7);
    sy_random_seed(&c, 8);
    for (int i = 0; i < 100; i++) {
        uint64_t x = sy_random_next(&a);
        ck_assert_uint_eq(x, sy_random_next(&b));
        ck_assert_uint_ne(x, sy_random_next(&c));
    }
}
END_TEST

/* Each of 20 bins, the mean and the variance of 100000 draws are within 5 standard deviations of a uniform's. */
START_TEST(units_are_spread_evenly_over_0_to_1)
{
    enum { DRAWS = 100000, BINS = 20 };
    struct sy_random random;
    int bin[BINS] = {0};
    double sum = 0, squares = 0;
    sy_random_seed(&random, 0);
    for (int i = 0; i < DRAWS; i++) {
        double u = sy_random_unit(&random);
        ck_assert(u >= 0 && u < 1);
        bin[(int)(u * BINS)]++;
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    for (int i = 0; i < BINS; i++)
        ck_assert_double_lt(fabs((double)bin[i] - DRAWS / BINS), 5 * sqrt(DRAWS * 0.05 * 0.95));
    ck_assert_double_lt(fabs(sum / DRAWS - 0.5), 5 * sqrt(1.0 / 12 / DRAWS));
    ck_assert_double_lt(fabs(squares / DRAWS - 1.0 / 12), 5 * sqrt(1.0 / 180 / DRAWS));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("random");
    tcase_add_test(tcase, the_numbers_are_those_of_the_reference_implementations);
    tcase_add_test(tcase, a_seed_gives_one_sequence_and_another_seed_another);
    tcase_add_test(tcase, units_are_spread_evenly_over_0_to_1);
    return run_case("random", tcase);
}
