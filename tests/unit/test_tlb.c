/* SPDX-License-Identifier: Apache-2.0 */
/* The closed form of a translation buffer against one that is asked for every burst. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/tlb.h"
#include "tests/unit/run_support.h"

static uint64_t state = 88172645463325252u;
static uint64_t below(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

/* Entries with the time of their last use; every burst of a move is one look-up. */
struct stepped {
    struct sy_tlb_shape shape;
    uint64_t page[4096], used[4096], time;
};

static bool step(struct stepped *tlb, uint64_t page)
{
    const uint64_t ways = tlb->shape.ways ? tlb->shape.ways : tlb->shape.entries;
    const uint64_t sets = tlb->shape.entries / ways;
    uint64_t victim = page % sets;
    tlb->time++;
    for (uint64_t e = page % sets; e < tlb->shape.entries; e += sets) {
        if (tlb->used[e] && tlb->page[e] == page) {
            tlb->used[e] = tlb->time;
            return false;
        }
        victim = tlb->used[e] < tlb->used[victim] ? e : victim;
    }
    tlb->page[victim] = page;
    tlb->used[victim] = tlb->time;
    return true;
}

static struct sy_tlb_count step_move(struct stepped *tlb, const struct sy_tlb_move *move, uint64_t burst)
{
    struct sy_tlb_count count = {0};
    bool is_first = true;
    for (uint64_t r = 0; r < move->rows; r++) {
        const uint64_t from = move->address + r * move->pitch_bytes, last = from + move->row_bytes - 1;
        for (uint64_t b = from / burst; b <= last / burst; b++) {
            const uint64_t at = b * burst < from ? from : b * burst;
            const bool miss = step(tlb, at / tlb->shape.page_bytes);
            count.misses += miss;
            count.first = is_first ? miss : count.first;
            is_first = false;
        }
    }
    return count;
}

static struct sy_tlb_move random_move(uint64_t page, uint64_t around)
{
    struct sy_tlb_move move = {.address = around + below(page * 16)};
    switch (below(4)) {
    case 0: /* contiguous */
        move.rows = 1;
        move.row_bytes = 1 + below(page * 40);
        break;
    case 1: /* rows of whole pages apart */
        move.rows = 1 + below(300);
        move.pitch_bytes = page * (1 + below(9));
        move.row_bytes = 1 + below(move.pitch_bytes);
        break;
    case 2: /* many rows a page */
        move.rows = 1 + below(400);
        move.pitch_bytes = 1 + below(page / 2);
        move.row_bytes = 1 + below(move.pitch_bytes);
        break;
    default:
        move.rows = 1 + below(200);
        move.pitch_bytes = 1 + below(page * 5);
        move.row_bytes = 1 + below(move.pitch_bytes);
    }
    return move;
}

START_TEST(misses_are_those_of_a_buffer_asked_for_every_burst)
{
    static struct stepped stepped;
    uint64_t hits_seen = 0, misses_seen = 0;
    for (int round = 0; round < 300; round++) {
        const uint64_t ways = UINT64_C(1) << below(4), entries = ways * (1 + below(12));
        const uint64_t page = UINT64_C(256) << below(3), burst = UINT64_C(32) << below(2);
        struct sy_tlb *tlb;
        memset(&stepped, 0, sizeof stepped);
        stepped.shape = (struct sy_tlb_shape){entries, below(4) ? ways : 0, page};
        ck_assert_int_eq(sy_tlb_create(&stepped.shape, &tlb), SY_OK);
        for (int m = 0; m < 12; m++) { /* near each other, so that entries of earlier moves are met */
            const struct sy_tlb_move move = random_move(page, below(3) * page * 64);
            const struct sy_tlb_count mine = sy_tlb_translate(tlb, &move), theirs = step_move(&stepped, &move, burst);
            ck_assert_msg(
                mine.misses == theirs.misses && mine.first == theirs.first,
                "round %d move %d: %llu misses%s, stepped %llu%s (entries %llu, ways %llu, page %llu; at %llu, "
                "%llu rows of %llu, pitch %llu)",
                round, m, (unsigned long long)mine.misses, mine.first ? ", first" : "",
                (unsigned long long)theirs.misses, theirs.first ? ", first" : "", (unsigned long long)entries,
                (unsigned long long)stepped.shape.ways, (unsigned long long)page, (unsigned long long)move.address,
                (unsigned long long)move.rows, (unsigned long long)move.row_bytes,
                (unsigned long long)move.pitch_bytes);
            misses_seen += mine.misses;
            hits_seen += move.rows > mine.misses;
        }
        sy_tlb_destroy(tlb);
    }
    ck_assert_uint_gt(misses_seen, 10000);
    ck_assert_uint_gt(hits_seen, 500);
}
END_TEST

START_TEST(a_stream_of_any_length_costs_as_much_as_its_ends)
{
    const struct sy_tlb_shape shape = {64, 4, 4096};
    struct sy_tlb *tlb;
    ck_assert_int_eq(sy_tlb_create(&shape, &tlb), SY_OK);
    struct sy_tlb_move move = {.address = 4096, .rows = 1, .row_bytes = UINT64_C(1) << 50};
    struct sy_tlb_count count = sy_tlb_translate(tlb, &move);
    ck_assert_uint_eq(count.misses, UINT64_C(1) << 38);
    move = (struct sy_tlb_move){.address = (UINT64_C(1) << 50) - 63 * 4096, .rows = 1, .row_bytes = 64 * 4096};
    count = sy_tlb_translate(tlb, &move); /* its last 64 pages are there */
    ck_assert_uint_eq(count.misses, 0);
    ck_assert(!count.first);
    move = (struct sy_tlb_move){.address = 0, .rows = UINT64_C(1) << 40, .row_bytes = 1, .pitch_bytes = 4097};
    count = sy_tlb_translate(tlb, &move); /* hostile: bounded */
    ck_assert_uint_ge(count.misses, UINT64_C(1) << 40);
    sy_tlb_destroy(tlb);
}
END_TEST

START_TEST(scattered_rows_miss_as_often_as_the_reach_does_not_cover_them)
{
    const struct sy_tlb_shape shape = {256, 0, 4096};
    struct sy_tlb *tlb;
    ck_assert_int_eq(sy_tlb_create(&shape, &tlb), SY_OK);
    struct sy_tlb_move move = {.rows = 100000, .row_bytes = 64, .pitch_bytes = 64, .scatter = 1024 * 4096, .seed = 7};
    /* random replacement or not: of 1024 pages used evenly 256 are there */
    struct sy_tlb_count count = sy_tlb_translate(tlb, &move);
    ck_assert_double_eq_tol((double)count.misses / 100000, 0.75, 0.01);
    move.scatter = 200 * 4096;
    (void)sy_tlb_translate(tlb, &move);
    ck_assert_uint_eq(sy_tlb_translate(tlb, &move).misses, 0);
    sy_tlb_destroy(tlb);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, misses_are_those_of_a_buffer_asked_for_every_burst);
    tcase_add_test(tests, a_stream_of_any_length_costs_as_much_as_its_ends);
    tcase_add_test(tests, scattered_rows_miss_as_often_as_the_reach_does_not_cover_them);
    return run_case("tlb", tests);
}
