/* SPDX-License-Identifier: Apache-2.0 */
/* Time of collectives on a chip's links, against the closed forms of ring algorithms worked out by hand. */
#include "sim/map/collective.h"
#include "tests/unit/base_support.h"

static const struct sy_links links = {.bytes_per_s = 100e9, .latency_ps = 1000000};

static uint64_t time_of(enum sy_collective_kind kind, uint64_t ranks, uint64_t bytes)
{
    struct sy_collective_dims dims = {.elements = bytes, .ranks = ranks, .kind = kind};
    uint64_t ps;
    ck_assert(sy_collective_time(&links, &dims, bytes, &ps));
    return ps;
}

/* 8 ranks, 8 MB each, 100 GB/s, 1 us: a part of 1 MB takes 10 us. */
START_TEST(rings_take_their_steps)
{
    const uint64_t us = 1000000, mb = 1000000;
    ck_assert_uint_eq(time_of(SY_REDUCE_SCATTER, 8, 8 * mb), 7 * (10 + 1) * us);
    ck_assert_uint_eq(time_of(SY_ALL_TO_ALL, 8, 8 * mb), 7 * (10 + 1) * us);
    ck_assert_uint_eq(time_of(SY_ALL_REDUCE, 8, 8 * mb), 14 * (10 + 1) * us);
    ck_assert_uint_eq(time_of(SY_ALL_GATHER, 8, mb), 7 * (10 + 1) * us);
    ck_assert_uint_eq(time_of(SY_BROADCAST, 8, 8 * mb), (80 + 7) * us);
    ck_assert_uint_eq(time_of(SY_BROADCAST, 2, 8 * mb), (80 + 1) * us);
}
END_TEST

START_TEST(one_rank_alone_takes_no_time)
{
    for (int kind = SY_ALL_REDUCE; kind <= SY_BROADCAST; kind++) {
        ck_assert_uint_eq(time_of((enum sy_collective_kind)kind, 1, 1 << 20), 0);
    }
}
END_TEST

/* An all-reduce is a reduce-scatter and an all-gather of the parts; more bytes or ranks never take less. */
START_TEST(kinds_agree_with_each_other)
{
    for (uint64_t ranks = 2; ranks <= 64; ranks *= 2) {
        uint64_t bytes = ranks * 4096;
        ck_assert_uint_eq(time_of(SY_ALL_REDUCE, ranks, bytes),
                          time_of(SY_REDUCE_SCATTER, ranks, bytes) + time_of(SY_ALL_GATHER, ranks, bytes / ranks));
        ck_assert_uint_ge(time_of(SY_ALL_REDUCE, ranks, bytes + 1), time_of(SY_ALL_REDUCE, ranks, bytes));
        ck_assert_uint_gt(time_of(SY_ALL_REDUCE, 2 * ranks, bytes), time_of(SY_ALL_REDUCE, ranks, bytes));
    }
}
END_TEST

START_TEST(what_does_not_fit_is_said)
{
    struct sy_collective_dims dims = {.elements = 1, .ranks = UINT64_MAX, .kind = SY_ALL_REDUCE};
    uint64_t ps;
    ck_assert(!sy_collective_time(&links, &dims, UINT64_MAX, &ps));
    dims.kind = SY_ALL_GATHER;
    ck_assert(!sy_collective_time(&links, &dims, 2, &ps));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("collective");
    tcase_add_test(tcase, rings_take_their_steps);
    tcase_add_test(tcase, one_rank_alone_takes_no_time);
    tcase_add_test(tcase, kinds_agree_with_each_other);
    tcase_add_test(tcase, what_does_not_fit_is_said);
    return run_case("sim/map/collective", tcase);
}
