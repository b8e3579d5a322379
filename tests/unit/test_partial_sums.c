/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial sums when K is cut over tiles: on chip while the accumulator holds
 * all that live between two k steps, else stored and read back, and every byte
 * of either is counted. The bytes are those of a small chip worked out by hand:
 * a GEMM of M x K x N in tiles, loops outer to inner.
 */
#include "tests/unit/engine_support.h"

enum { M = 64, K = 96, N = 64, TM = 32, TK = 32, TN = 32, NM = M / TM, NK = K / TK, NN = N / TN };

/* The scratchpad's block: all of A and B; or one tile, so that the loops lie outside it. */
static const int whole[3] = {M, K, N};

/* int8 operands and results, int32 sums, DRAM bursts of one byte. */
static struct sy_result *run_order(const int outer[3], const char *order, uint64_t accumulator_kib)
{
    static const struct sy_replay_options options = {
        .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};
    struct machine m = plain_machine();
    char text[300];
    m.burst = 1;
    m.depth = 1;
    m.scratch_kib = 64;
    m.accumulator_kib = accumulator_kib;
    struct sy_chip *chip = machine_chip(&m);
    snprintf(text, sizeof text,
             "systole-trace 1\ngemm l m=%d k=%d n=%d a=x:int8 b=w:int8:weight y=y:int8 tile0=%d,%d,%d tile1=%d,%d,%d "
             "order0=%s\nend 1\n",
             M, K, N, TM, TK, TN, outer[0], outer[1], outer[2], order);
    struct sy_result *result = must_run(chip, "t", text, &options);
    sy_chip_destroy(chip);
    return result;
}

static void expect_bytes(const int outer[3], const char *order, uint64_t accumulator_kib, uint64_t read,
                         uint64_t written)
{
    struct sy_result *result = run_order(outer, order, accumulator_kib);
    ck_assert_msg(result->dram_read_bytes == read && result->dram_write_bytes == written,
                  "order %s, %llu KiB: read %llu, wrote %llu bytes; expected %llu and %llu", order,
                  (unsigned long long)accumulator_kib, (unsigned long long)result->dram_read_bytes,
                  (unsigned long long)result->dram_write_bytes, (unsigned long long)read, (unsigned long long)written);
    ck_assert_uint_eq(result->macs, (uint64_t)M * K * N);
    sy_result_destroy(result);
}

/* m n k: each C tile is finished before the next begins. The scratchpad takes A and B once; C leaves as the result. */
START_TEST(with_k_innermost_no_sum_leaves_the_chip)
{
    expect_bytes(whole, "mnk", 8, M * K + K * N, M * N);
}
END_TEST

/* The scratchpad holds one row of blocks, 32 x K: under m outside n, A comes once and B for each m. */
START_TEST(operands_are_fetched_again_whenever_their_tile_changes)
{
    static const int row[3] = {TM, K, TN};
    struct sy_result *result = run_order(row, "mnk", 8);
    uint64_t read = result->dram_read_bytes;
    bool m_outside = read == M * K + NM * K * N, n_outside = read == NN * M * K + K * N;
    ck_assert_msg(m_outside || n_outside, "read %llu bytes", (unsigned long long)read);
    ck_assert_uint_eq(result->dram_write_bytes, M * N);
    sy_result_destroy(result);
}
END_TEST

/* k m n: all NM x NN = 4 C tiles live between two k steps, 4 KiB each: 16 KiB hold them. */
START_TEST(sums_stay_on_chip_when_the_accumulator_holds_them_all)
{
    expect_bytes(whole, "kmn", 16, M * K + K * N, M * N);
}
END_TEST

/* 8 KiB hold two of the four, so each is stored after every k step but the last, and read back before every one but
 * the first, as int32; the result is written once as int8. */
START_TEST(sums_are_stored_and_read_back_when_it_does_not)
{
    uint64_t spilled = (uint64_t)(NK - 1) * M * N * 4;
    expect_bytes(whole, "kmn", 8, M * K + K * N + spilled, spilled + M * N);
    expect_bytes(whole, "knm", 8, M * K + K * N + spilled, spilled + M * N);
}
END_TEST

/* m k n: the NN = 2 tiles of one m live between two k steps, which 8 KiB hold and 4 KiB (one) do not. */
START_TEST(only_the_sums_inside_the_k_loop_have_to_stay)
{
    uint64_t spilled = (uint64_t)(NK - 1) * M * N * 4;
    expect_bytes(whole, "mkn", 8, M * K + K * N, M * N);
    expect_bytes(whole, "mkn", 4, M * K + K * N + spilled, spilled + M * N);
}
END_TEST

/* What is spilled costs time as well: nothing else differs between the two. */
START_TEST(spilling_is_slower_than_staying)
{
    struct sy_result *stays = run_order(whole, "kmn", 16), *spills = run_order(whole, "kmn", 8);
    ck_assert_uint_lt(stays->cycles, spills->cycles);
    ck_assert_uint_eq(stays->unit[0].stall[SY_STALL_LOAD_C], 0);
    ck_assert_uint_gt(spills->unit[0].stall[SY_STALL_LOAD_C], 0);
    sy_result_destroy(stays);
    sy_result_destroy(spills);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, with_k_innermost_no_sum_leaves_the_chip);
    tcase_add_test(tcase, operands_are_fetched_again_whenever_their_tile_changes);
    tcase_add_test(tcase, sums_stay_on_chip_when_the_accumulator_holds_them_all);
    tcase_add_test(tcase, sums_are_stored_and_read_back_when_it_does_not);
    tcase_add_test(tcase, only_the_sums_inside_the_k_loop_have_to_stay);
    tcase_add_test(tcase, spilling_is_slower_than_staying);
    return run_case("partial_sums", tcase);
}
