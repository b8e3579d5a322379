/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of a batch (heads of attention, groups of a convolution) that are too narrow for all arrays of a core run
 * side by side on them. Oracle: a core of one array that has a share of the products.
 */

#include "tests/unit/engine_support.h"

static const struct sy_replay_options ideal = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};

static struct machine narrow(uint64_t *seed)
{
    struct machine m = plain_machine();
    m.rows = draw(seed, 2, 16);
    m.cols = draw(seed, 4, 16);
    m.dataflows = draw(seed, 0, 1) ? "[ws]" : "[os]";
    m.timing = "scalesim-rtl";
    m.scratch_kib = m.accumulator_kib = 512;
    m.burst = 1;
    m.dram_gbs = 100000; /* the array decides */
    m.latency_ns = m.overhead = 0;
    m.lanes = 65536;
    return m;
}

static struct sy_result *run_groups(const struct machine *m, const uint64_t size[4], enum sy_fidelity fidelity)
{
    char text[400];
    struct sy_replay_options options = ideal;
    struct sy_chip *chip = machine_chip(m);
    options.fidelity = fidelity;
    snprintf(text, sizeof text,
             "systole-trace 1\nnet t\ngemm l m=%llu k=%llu n=%llu g=%llu a=a:int8 b=b:int8 y=y:int8\nend 1\n",
             (unsigned long long)size[0], (unsigned long long)size[1], (unsigned long long)size[2],
             (unsigned long long)size[3]);
    struct sy_result *result = must_run(chip, "t", text, &options);
    sy_chip_destroy(chip);
    return result;
}

START_TEST(so_many_run_side_by_side)
{
    struct sy_array array = {.cols = 8, .count = 4};
    ck_assert_uint_eq(sy_array_side(&array, 8, 1), 1);
    ck_assert_uint_eq(sy_array_side(&array, 8, 3), 3);
    ck_assert_uint_eq(sy_array_side(&array, 24, 9), 4); /* three folds */
    ck_assert_uint_eq(sy_array_side(&array, 25, 9), 1); /* four: the arrays share each */
    array.count = 1;
    ck_assert_uint_eq(sy_array_side(&array, 8, 9), 1);
}
END_TEST

START_TEST(narrow_products_take_the_arrays_side_by_side)
{
    uint64_t seed = 321 + (uint64_t)_i;
    for (int round = 0; round < cases(40); round++) {
        struct machine m = narrow(&seed), one;
        const uint64_t arrays = draw(&seed, 0, 1) ? 4 : 2, share = draw(&seed, 1, 6);
        const uint64_t size[4] = {draw(&seed, 1, 40), draw(&seed, 1, 60), draw(&seed, 1, m.cols), arrays * share};
        const uint64_t part[4] = {size[0], size[1], size[2], share};
        one = m;
        m.arrays = arrays;
        for (int analytic = 0; analytic < 2; analytic++) {
            enum sy_fidelity fidelity = analytic ? SY_FIDELITY_ANALYTIC : SY_FIDELITY_EVENT;
            struct sy_result *all = run_groups(&m, size, fidelity), *want = run_groups(&one, part, fidelity);
            ck_assert_uint_eq(all->macs, want->macs * arrays);
            ck_assert_uint_eq(all->work.mapped_pe_beats, want->work.mapped_pe_beats * arrays);
            /* The mapper may cut the two differently; each product streams its rows once a fold whatever the cut. */
            ck_assert_msg(all->unit[0].busy == want->unit[0].busy,
                          "%llu arrays, %llu x %llu x %llu, %llu each: busy %llu, %llu", (unsigned long long)arrays,
                          (unsigned long long)size[0], (unsigned long long)size[1], (unsigned long long)size[2],
                          (unsigned long long)share, (unsigned long long)all->unit[0].busy,
                          (unsigned long long)want->unit[0].busy);
            sy_result_destroy(all);
            sy_result_destroy(want);
        }
    }
}
END_TEST

START_TEST(any_number_of_products_takes_no_longer_than_one_by_one)
{
    uint64_t seed = 9, faster = 0;
    for (int round = 0; round < cases(12); round++) {
        struct machine m = narrow(&seed);
        m.arrays = 4;
        uint64_t size[4] = {draw(&seed, 1, 40), draw(&seed, 1, 60), draw(&seed, 1, m.cols), 1}, one = 0;
        for (; size[3] <= 9; size[3]++) {
            struct sy_result *r = run_groups(&m, size, SY_FIDELITY_EVENT);
            one = size[3] == 1 ? r->cycles : one;
            ck_assert_uint_eq(r->macs, size[0] * size[1] * size[2] * size[3]);
            ck_assert_msg(r->cycles <= one * size[3], "%llu products: %llu cycles, one %llu",
                          (unsigned long long)size[3], (unsigned long long)r->cycles, (unsigned long long)one);
            faster += r->cycles < one * size[3];
            sy_result_destroy(r);
        }
    }
    ck_assert_uint_gt(faster, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, so_many_run_side_by_side);
    tcase_add_loop_test(tcase, narrow_products_take_the_arrays_side_by_side, 0, 2);
    tcase_add_test(tcase, any_number_of_products_takes_no_longer_than_one_by_one);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
