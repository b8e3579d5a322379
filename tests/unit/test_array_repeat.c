/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left out of a tile: the figures of the whole, counted from the part
 * that is stepped, are those of the whole stepped beat for beat, for random
 * designs, tiles and cuts of K; and a loop whose turns are not alike is said so.
 */
#include "tests/unit/engine_support.h"

#include "sim/base/checked.h"
#include "sim/engine/array_repeat.h"

enum { MOST = 1 << 14 };

struct whole {
    uint64_t lead, cycles, first, beats, folds;
};

/* A design of chance that can be built. */
static struct sy_array_timing random_timing(uint64_t *seed)
{
    struct sy_array_timing t;
    struct sy_diag *quiet = NULL;
    do {
        sy_array_timing_init(&t);
        for (size_t i = 0; i < sy_array_key_count; i++) {
            const struct sy_array_key *key = &sy_array_keys[i];
            uint64_t *value = (uint64_t *)(void *)((char *)&t + key->offset);
            uint64_t most = key->kind == SY_ARRAY_U64 ? sy_min(key->max, key->min + 3) : key->max;
            if (draw(seed, 0, 3) == 0)
                *value = draw(seed, key->min, most);
        }
        t.output_stationary = t.weight_stationary = t.input_stationary = 1;
        t.row_stationary = 0;
        t.output_collision = SY_COLLISION_WAIT;
        t.first_result = SY_FIRST_AT_PORT;
        t.cycle_count = SY_COUNT_PERIODS;
    } while (sy_array_timing_check(&t, SY_NOWHERE, quiet) != SY_OK);
    return t;
}

static void step(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, const uint64_t side[2],
                 const struct sy_repeat_tile *tile, struct sy_cycle_mark *look, uint64_t looks,
                 struct sy_cycle_result *result)
{
    static union sy_number numbers[3 * MOST];
    struct sy_cycle_fold *fold = NULL;
    struct sy_cycle_job job = {.timing = timing,
                               .dataflow = dataflow,
                               .rows = side[0],
                               .cols = side[1],
                               .format = SY_INT8,
                               .m = tile->m,
                               .k = tile->k,
                               .n = tile->n,
                               .a = numbers,
                               .b = numbers + MOST,
                               .c = numbers + 2 * MOST,
                               .mark = look,
                               .marks = looks};
    ck_assert(tile->m * tile->k <= MOST && tile->k * tile->n <= MOST && tile->m * tile->n <= MOST);
    ck_assert_int_eq(
        sy_cycle_folds_of_cut(timing, dataflow, side[0], side[1], tile->m, &tile->cut, tile->n, &fold, &job.folds),
        SY_OK);
    job.fold = fold;
    ck_assert_msg(sy_array_cycle_run(&job, result) == SY_OK, "%s", result->problem);
    free(fold);
}

/* Steps less; false when a loop has to be stepped longer. */
static bool less(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, const uint64_t side[2],
                 const struct sy_repeat_tile *tile, struct sy_repeat_keep *keep, struct whole *got,
                 struct sy_repeat_plan *plan)
{
    struct sy_cycle_result result;
    struct sy_repeat_keep used = *keep;
    uint64_t unproven, count, first = UINT64_MAX, end = 0;
    ck_assert(sy_repeat_plan(timing, dataflow, side[0], side[1], tile, &used, plan));
    uint64_t folds = sy_repeat_folds(plan), per = sy_repeat_looks(plan), looks = folds * per;
    struct sy_cycle_mark *look = calloc(looks, sizeof *look);
    struct sy_repeat_turns *turns = calloc(2 * folds, sizeof *turns);
    struct sy_repeat_time *time = calloc(looks, sizeof *time);
    for (uint64_t i = 0; i < looks; i++)
        look[i] = (struct sy_cycle_mark){.fold = i / per, .beat = i % per ? plan->beats - 3 + i % per : 0};
    step(timing, dataflow, side, &plan->less, look, looks, &result);
    count = sy_repeat_turns(plan, folds, 0, turns);
    enum sy_status status = sy_repeat_times(look, looks, turns, count, time, &unproven);
    ck_assert(status == SY_OK || status == SY_INPUT);
    if (status == SY_INPUT)
        sy_repeat_more(keep, turns[unproven].loop);
    for (uint64_t i = 0; status == SY_OK && i < looks; i++)
        if (time[i].end > 0) {
            first = sy_min(first, time[i].first);
            end = sy_max(end, time[i].end + time[i].later);
        }
    *got = (struct whole){result.lead_cycles, end - time[0].at, first - time[0].at + 1, 0, 0};
    ck_assert(sy_repeat_beats(plan, &got->beats));
    free(look);
    free(turns);
    free(time);
    return status == SY_OK;
}

static struct sy_array_cut random_cut(uint64_t *seed, uint64_t rows)
{
    uint64_t segment = draw(seed, 1, 2 * rows + 1);
    if (draw(seed, 0, 1))
        return (struct sy_array_cut){.tail = draw(seed, 1, 9 * rows)};
    return (struct sy_array_cut){draw(seed, 0, segment - 1), segment, draw(seed, 1, 8), draw(seed, 0, segment - 1)};
}

START_TEST(what_is_left_out_takes_the_cycles_that_stepping_it_takes)
{
    uint64_t seed = 77 + (uint64_t)_i, shorter = 0;
    for (int round = 0; round < 150; round++) {
        struct sy_array_timing timing = random_timing(&seed);
        enum sy_dataflow_kind dataflow = (enum sy_dataflow_kind)draw(&seed, 0, SY_DATAFLOW_KINDS - 1);
        const uint64_t side[2] = {draw(&seed, 1, 4), draw(&seed, 1, 4)};
        struct sy_repeat_tile tile = {.m = draw(&seed, 1, 40), .n = draw(&seed, 1, 40)};
        struct sy_cycle_result all;
        struct sy_repeat_plan plan;
        struct whole got;
        tile.cut = dataflow == SY_OS ? (struct sy_array_cut){.tail = draw(&seed, 1, 60)} : random_cut(&seed, side[0]);
        tile.k = tile.cut.head + tile.cut.segment * tile.cut.segments + tile.cut.tail;
        if (dataflow != SY_OS)
            *(dataflow == SY_WS ? &tile.m : &tile.n) = draw(&seed, 1, 120);
        step(&timing, dataflow, side, &tile, NULL, 0, &all);
        struct sy_repeat_keep keep = sy_repeat_first(&timing, dataflow, side[0], side[1]);
        keep.most[SY_REPEAT_BEATS] = sy_max(4, keep.most[SY_REPEAT_BEATS] / 2); /* too few: proving must say so */
        while (!less(&timing, dataflow, side, &tile, &keep, &got, &plan)) {
        }
        ck_assert_msg(got.lead == all.lead_cycles && got.cycles == all.cycles && got.first == all.first_result_cycle &&
                          got.beats == all.beats,
                      "round %d, %s, %llu x %llu, tile %llu x %llu x %llu: lead %llu %llu, cycles %llu %llu, first "
                      "%llu %llu, beats %llu %llu",
                      round, sy_dataflow_name(dataflow), (unsigned long long)side[0], (unsigned long long)side[1],
                      (unsigned long long)tile.m, (unsigned long long)tile.k, (unsigned long long)tile.n,
                      (unsigned long long)got.lead, (unsigned long long)all.lead_cycles, (unsigned long long)got.cycles,
                      (unsigned long long)all.cycles, (unsigned long long)got.first,
                      (unsigned long long)all.first_result_cycle, (unsigned long long)got.beats,
                      (unsigned long long)all.beats);
        shorter += !plan.whole;
    }
    ck_assert_msg(shorter >= 75, "only %llu of 150 tiles were cut short", (unsigned long long)shorter);
}
END_TEST

START_TEST(turns_in_different_states_are_not_repeated)
{
    struct sy_cycle_mark look[3] = {{.period = 0}, {.period = 10, .state = {1, 2}}, {.period = 30, .state = {1, 2}}};
    const struct sy_repeat_turns turns = {1, 2, SY_REPEAT_ROWS, 5};
    struct sy_repeat_time time[3];
    uint64_t unproven = 9;
    look[1].first_port = 12;
    look[1].end_port = 15;
    ck_assert_int_eq(sy_repeat_times(look, 3, &turns, 1, time, &unproven), SY_OK);
    ck_assert_uint_eq(time[2].at, 30 + 5 * 20);
    ck_assert_uint_eq(time[1].first, 12);
    ck_assert_uint_eq(time[1].end + time[1].later, 15 + 5 * 20);
    for (int i = 0; i < 2; i++) {
        look[2].state[i] ^= 1;
        ck_assert_int_eq(sy_repeat_times(look, 3, &turns, 1, time, &unproven), SY_INPUT);
        ck_assert_uint_eq(unproven, 0);
        look[2].state[i] ^= 1;
    }
    const struct sy_repeat_turns many = {1, 2, SY_REPEAT_ROWS, UINT64_MAX / 4};
    ck_assert_int_eq(sy_repeat_times(look, 3, &many, 1, time, &unproven), SY_OVERFLOW);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_repeat");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, what_is_left_out_takes_the_cycles_that_stepping_it_takes, 0, 4);
    tcase_add_test(tcase, turns_in_different_states_are_not_repeated);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
