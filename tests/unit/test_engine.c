/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's promises on random chips and layers (engine.md section 6, each under its conditions). Conservation of
 * cycles, bytes and MACs is checked inside every run (sy_result_check); here a run that breaks one fails.
 */
#include "tests/unit/engine_support.h"

#include "sim/base/checked.h"
#include "sim/engine/array_tile.h"

static const struct sy_replay_options heap_shared = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};
static const struct sy_replay_options heap_ideal = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};

static bool same_result(const struct sy_result *a, const struct sy_result *b)
{
    if (a->cycles != b->cycles || a->macs != b->macs || a->units != b->units || a->layers != b->layers ||
        a->dram_read_bytes != b->dram_read_bytes || a->dram_write_bytes != b->dram_write_bytes)
        return false;
    for (uint32_t i = 0; i < a->units; i++)
        if (a->unit[i].busy != b->unit[i].busy || memcmp(a->unit[i].stall, b->unit[i].stall, sizeof a->unit[i].stall))
            return false;
    for (uint64_t i = 0; i < a->layers; i++)
        if (a->layer[i].cycles != b->layer[i].cycles)
            return false;
    return true;
}

START_TEST(runs_conserve_and_respect_lower_bounds_on_random_chips)
{
    uint64_t seed = 20261124 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(500); round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        struct log_sink said;
        struct sy_result *result =
            run_trace(chip, "t", random_workload(&seed, &text, draw(&seed, 1, 6)), &heap_shared, &said);
        if (result) {
            double peak = (double)(m.rows * m.cols * m.arrays * m.cores), bytes_per_cycle = m.dram_gbs;
            ck_assert_msg((double)result->cycles * peak >= (double)result->macs, "round %d", round);
            double bytes = (double)(result->dram_read_bytes + result->dram_write_bytes);
            ck_assert_msg((double)result->cycles * bytes_per_cycle >= bytes * 0.999,
                          "round %d: %g bytes in %llu cycles\n%s", round, bytes, (unsigned long long)result->cycles,
                          text.data);
            ck_assert(result->utilization > 0 || result->macs == 0);
            ck_assert(result->utilization <= 1);
            ran++;
        }
        log_end(&said);
        sy_result_destroy(result);
        sy_chip_destroy(chip);
    }
    ck_assert_msg(ran > 300, "only %llu of 500 chips could run their layers", (unsigned long long)ran);
    sy_buf_free(&text);
}
END_TEST

START_TEST(both_kernels_and_a_replayed_schedule_give_the_same_cycles)
{
    uint64_t seed = 77 + (uint64_t)_i;
    struct sy_buf text = {0};
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "schedule.slt.gz", "");
    for (int round = 0; round < cases(60); round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        struct log_sink said;
        struct sy_replay_options options = heap_shared;
        options.emit_schedule = path;
        struct sy_result *heap =
            run_trace(chip, "t", random_workload(&seed, &text, draw(&seed, 1, 5)), &options, &said);
        log_end(&said);
        if (heap) {
            options = heap_shared;
            options.kernel = SCK_SYSTEMC;
            struct sy_result *systemc = must_run(chip, "t", text.data, &options);
            struct sy_result *replayed = must_run(chip, path, NULL, &heap_shared);
            ck_assert_msg(same_result(heap, systemc), "kernels differ in round %d", round);
            ck_assert_msg(same_result(heap, replayed), "replay differs in round %d: %llu and %llu cycles\n%s", round,
                          (unsigned long long)heap->cycles, (unsigned long long)replayed->cycles, text.data);
            sy_result_destroy(systemc);
            sy_result_destroy(replayed);
        }
        sy_result_destroy(heap);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
    scratch_end(&scratch);
}
END_TEST

/* Cut by filter rows, the first output row's first tile has its window in the padding alone: nothing is loaded for it.
 */
START_TEST(a_tile_in_the_padding_brings_nothing_and_its_schedule_replays)
{
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "schedule.slt.gz", "");
    struct machine m = plain_machine();
    struct sy_chip *chip = machine_chip(&m);
    struct sy_replay_options options = heap_shared;
    options.emit_schedule = path;
    struct sy_result *result =
        must_run(chip, "t",
                 "systole-trace 1\nconv c h=6 w=6 c=16 n=8 fh=5 fw=5 pt=2 pb=2 pl=2 pr=2 a=x:int8 b=w:int8:weight "
                 "y=y:int8 tile0=6,80,8 order0=mnk tile1=6,80,8 order1=mnk\nend 1\n",
                 &options);
    struct sy_result *replayed = must_run(chip, path, NULL, &heap_shared);
    ck_assert(same_result(result, replayed));
    /* 6 output rows x 5 filter rows, less the 2 + 1 at either end that meet padding only. */
    uint64_t loads = 0;
    for (uint32_t i = 0; i < result->units; i++)
        if (!strcmp(result->unit[i].name, "load.dram>spad"))
            loads = result->unit[i].commands;
    ck_assert_uint_eq(loads, 6 * 5 - 6 + 6 * 5);
    sy_result_destroy(result);
    sy_result_destroy(replayed);
    sy_chip_destroy(chip);
    scratch_end(&scratch);
}
END_TEST

/* One tile that fits: nothing to overlap, so the array's own closed form must come out. */
START_TEST(with_perfect_memory_a_tile_takes_the_arrays_closed_form)
{
    uint64_t seed = 5;
    for (int round = 0; round < cases(400); round++) {
        struct machine m = plain_machine();
        m.rows = draw(&seed, 1, 16);
        m.cols = draw(&seed, 1, 16);
        m.dram_gbs = 1e9;
        m.latency_ns = 0;
        m.overhead = 0;
        m.burst = 1;
        m.lanes = 1u << 20;
        m.timing = "scalesim-rtl";
        m.dataflows = (const char *const[]){"[ws]", "[os]", "[is]"}[draw(&seed, 0, 2)];
        m.accumulator_kib = m.scratch_kib = 1024;
        struct sy_chip *chip = machine_chip(&m);
        uint64_t mm = draw(&seed, 1, 60), kk = draw(&seed, 1, 60), nn = draw(&seed, 1, 60);
        char text[300];
        snprintf(text, sizeof text,
                 "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=x:int8 b=w:int8:weight y=y:int32 "
                 "tile0=%llu,%llu,%llu\nend 1\n",
                 (unsigned long long)mm, (unsigned long long)kk, (unsigned long long)nn, (unsigned long long)mm,
                 (unsigned long long)kk, (unsigned long long)nn);
        struct sy_result *result = must_run(chip, "t", text, &heap_ideal);
        struct sy_array_tile tile;
        ck_assert_int_eq(sy_array_tile_of(chip, 0, mm, kk, nn, SY_INT8, SY_INT8, false, &tile), SY_OK);
        /* Two descriptors on one engine, one taken up a cycle: A is there after 1 cycle, B after 2. A preload begins as
         * soon as what stays is there: B in ws, A in is, whose lead of at least 1 hides the wait for B; os has no
         * preload and needs both. Then lead, and the run to its last result. */
        const struct sy_unit_stats *array = &result->unit[0];
        uint64_t loads = array->stall[SY_STALL_LOAD_A] + array->stall[SY_STALL_LOAD_B];
        uint64_t rest = array->stall[SY_STALL_NO_WORK];
        uint64_t own = tile.run.lead_cycles + sy_max(tile.run.latency_cycles, tile.run.occupancy_cycles);
        ck_assert_msg(array->cycles - loads - rest == own, "%llu x %llu x %llu: %llu - %llu - %llu, closed form %llu",
                      (unsigned long long)mm, (unsigned long long)kk, (unsigned long long)nn,
                      (unsigned long long)array->cycles, (unsigned long long)loads, (unsigned long long)rest,
                      (unsigned long long)own);
        ck_assert_uint_eq(loads, strcmp(m.dataflows, "[is]") == 0 ? 1 : 2);
        ck_assert_uint_eq(array->busy, tile.run.beats);
        sy_result_destroy(result);
        sy_chip_destroy(chip);
    }
}
END_TEST

/* A fixed schedule under ideal memory is a max-plus system: no resource can hurt by growing. */
START_TEST(more_of_a_resource_is_never_slower_on_a_fixed_schedule)
{
    uint64_t seed = 900 + (uint64_t)_i;
    struct sy_buf text = {0};
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "schedule.slt.gz", "");
    for (int round = 0; round < cases(100); round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        struct sy_replay_options options = heap_ideal;
        struct log_sink said;
        options.emit_schedule = path;
        struct sy_result *base =
            run_trace(chip, "t", random_workload(&seed, &text, draw(&seed, 1, 4)), &options, &said);
        log_end(&said);
        for (int kind = 0; base && kind < 4; kind++) {
            struct machine more = m;
            if (kind == 0)
                more.dram_gbs *= 1.0 + (double)draw(&seed, 1, 30) / 10;
            else if (kind == 1)
                more.latency_ns = draw(&seed, 0, m.latency_ns);
            else if (kind == 2)
                more.lanes += draw(&seed, 1, 32);
            else
                more.overhead = draw(&seed, 0, m.overhead);
            struct sy_chip *larger = machine_chip(&more);
            struct sy_result *result = must_run(larger, path, NULL, &heap_ideal);
            ck_assert_msg(result->cycles <= base->cycles, "round %d, resource %d: %llu cycles became %llu\n%s", round,
                          kind, (unsigned long long)base->cycles, (unsigned long long)result->cycles, text.data);
            sy_result_destroy(result);
            sy_chip_destroy(larger);
        }
        sy_result_destroy(base);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
    scratch_end(&scratch);
}
END_TEST

START_TEST(serialize_is_the_sum_and_overlap_never_exceeds_it)
{
    uint64_t seed = 31;
    struct sy_buf text = {0};
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "schedule.slt.gz", "");
    for (int round = 0; round < cases(150); round++) {
        struct machine m = random_machine(&seed);
        m.follows = false;
        struct sy_chip *chip = machine_chip(&m);
        struct sy_replay_options options = heap_ideal;
        struct log_sink said;
        options.emit_schedule = path;
        struct sy_result *overlapped =
            run_trace(chip, "t", random_workload(&seed, &text, draw(&seed, 1, 4)), &options, &said);
        log_end(&said);
        if (overlapped) {
            m.serialize = true;
            struct sy_chip *serial_chip = machine_chip(&m);
            struct sy_result *serial = must_run(serial_chip, path, NULL, &heap_ideal);
            ck_assert_msg(overlapped->cycles <= serial->cycles, "round %d: %llu overlapped, %llu serial\n%s", round,
                          (unsigned long long)overlapped->cycles, (unsigned long long)serial->cycles, text.data);
            /* Serialised, exactly one unit works at a time: what they do sums to the time. The array's own fill,
             * preload and conflicts are work here; what drains behind its last beat is charged to whatever comes next,
             * at most rows and columns twice over a tile. */
            uint64_t sum = 0;
            for (uint32_t i = 0; i < serial->units; i++)
                sum += serial->unit[i].busy + (i ? serial->unit[i].stall[SY_STALL_CROSSBAR] : 0); /* on its way */
            const uint64_t *stall = serial->unit[0].stall;
            sum += stall[SY_STALL_PRELOAD] + stall[SY_STALL_FILL_DRAIN] + stall[SY_STALL_BANK_CONFLICT];
            uint64_t drain = serial->unit[0].commands * (2 * m.rows + 2 * m.cols + 8);
            ck_assert_msg(sum <= serial->cycles && serial->cycles <= sum + drain,
                          "round %d: units sum to %llu of %llu cycles", round, (unsigned long long)sum,
                          (unsigned long long)serial->cycles);
            sy_result_destroy(serial);
            sy_chip_destroy(serial_chip);
        }
        sy_result_destroy(overlapped);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
    scratch_end(&scratch);
}
END_TEST

START_TEST(repeats_become_linear)
{
    uint64_t seed = 8;
    for (int round = 0; round < cases(40); round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        char body[400], text[3][500];
        uint64_t cycles[3], runs = 0;
        snprintf(body, sizeof body,
                 "gemm a m=%llu k=%llu n=%llu a=h:int8:shared b=w1:int8:weight y=u:int8 post=relu\n"
                 "gemm b m=%llu k=%llu n=%llu a=u:int8 b=w2:int8:weight y=h:int8:shared post=bias\n",
                 (unsigned long long)draw(&seed, 1, 64), (unsigned long long)draw(&seed, 1, 100),
                 (unsigned long long)draw(&seed, 1, 100), (unsigned long long)draw(&seed, 1, 64),
                 (unsigned long long)draw(&seed, 1, 100), (unsigned long long)draw(&seed, 1, 100));
        for (int i = 0; i < 3; i++) {
            struct log_sink said;
            snprintf(text[i], sizeof text[i], "systole-trace 1\nrepeat %d {\n%s}\nend 4\n", 60 * (i + 1), body);
            struct sy_result *result = run_trace(chip, "t", text[i], &heap_shared, &said);
            log_end(&said);
            if (!result)
                break;
            ck_assert_uint_eq(result->layers, 2);
            ck_assert_uint_eq(result->layer[0].repeat, 60 * ((uint64_t)i + 1));
            cycles[i] = result->cycles;
            runs++;
            sy_result_destroy(result);
        }
        /* A period may span several iterations, so 60 of them need not hold whole periods: less than one iteration's
         * time of difference. */
        if (runs == 3) {
            uint64_t first = cycles[1] - cycles[0], second = cycles[2] - cycles[1];
            uint64_t difference = first > second ? first - second : second - first;
            ck_assert_msg(difference <= first / 60 + 1, "round %d: %llu then %llu\n%s", round,
                          (unsigned long long)first, (unsigned long long)second, text[0]);
        }
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(output_stationary_array_is_symmetric_in_its_operands)
{
    uint64_t seed = 12;
    struct machine m = plain_machine();
    m.dataflows = "[os]";
    m.timing = "scalesim-rtl";
    for (int round = 0; round < cases(500); round++) {
        m.rows = m.cols = draw(&seed, 1, 16);
        struct sy_chip *chip = machine_chip(&m);
        struct sy_array_tile one, other;
        uint64_t mm = draw(&seed, 1, 16), kk = draw(&seed, 1, 200), nn = draw(&seed, 1, 16);
        mm = sy_min(mm, m.rows);
        nn = sy_min(nn, m.rows);
        ck_assert_int_eq(sy_array_tile_of(chip, 0, mm, kk, nn, SY_INT8, SY_INT8, false, &one), SY_OK);
        ck_assert_int_eq(sy_array_tile_of(chip, 0, nn, kk, mm, SY_INT8, SY_INT8, false, &other), SY_OK);
        ck_assert_uint_eq(one.run.latency_cycles, other.run.latency_cycles);
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(two_cores_take_at_least_half_of_ones_time)
{
    uint64_t seed = 4242;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(100); round++) {
        struct machine m = random_machine(&seed);
        m.cores = 1;
        m.dram_gbs = 1e6;
        struct sy_chip *one = machine_chip(&m);
        m.cores = 2;
        struct sy_chip *two = machine_chip(&m);
        struct log_sink said;
        struct sy_result *single = run_trace(one, "t", random_workload(&seed, &text, 1), &heap_ideal, &said);
        log_end(&said);
        struct sy_result *both = run_trace(two, "t", text.data, &heap_ideal, &said);
        log_end(&said);
        if (single && both) {
            ck_assert_uint_eq(single->macs, both->macs);
            double peak = (double)(m.rows * m.cols * m.arrays * 2);
            ck_assert((double)both->cycles * peak >= (double)both->macs);
        }
        sy_result_destroy(single);
        sy_result_destroy(both);
        sy_chip_destroy(one);
        sy_chip_destroy(two);
    }
    sy_buf_free(&text);
}
END_TEST

START_TEST(halving_a_buffer_never_reduces_traffic_under_the_traffic_objective)
{
    uint64_t seed = 606, compared = 0;
    struct sy_replay_options options = heap_ideal;
    options.objective = SY_OBJECTIVE_TRAFFIC;
    for (int round = 0; round < cases(100); round++) {
        struct machine m = plain_machine();
        m.burst = 1;
        m.scratch_kib = draw(&seed, 8, 64) * 2;
        m.accumulator_kib = draw(&seed, 4, 32) * 2;
        char text[300];
        snprintf(text, sizeof text,
                 "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=x:int8 b=w:int8:weight y=y:int8\nend 1\n",
                 (unsigned long long)draw(&seed, 1, 500), (unsigned long long)draw(&seed, 1, 500),
                 (unsigned long long)draw(&seed, 1, 500));
        struct sy_chip *large = machine_chip(&m);
        if (draw(&seed, 0, 1))
            m.scratch_kib /= 2;
        else
            m.accumulator_kib /= 2;
        struct sy_chip *small = machine_chip(&m);
        struct sy_result *much = must_run(large, "t", text, &options), *little = must_run(small, "t", text, &options);
        ck_assert_msg(little->dram_read_bytes + little->dram_write_bytes >=
                          much->dram_read_bytes + much->dram_write_bytes,
                      "round %d: %llu bytes with more, %llu with less\n%s", round,
                      (unsigned long long)(much->dram_read_bytes + much->dram_write_bytes),
                      (unsigned long long)(little->dram_read_bytes + little->dram_write_bytes), text);
        compared++;
        sy_result_destroy(much);
        sy_result_destroy(little);
        sy_chip_destroy(large);
        sy_chip_destroy(small);
    }
    ck_assert_uint_eq(compared, (uint64_t)cases(100));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 300 * cases(1));
    tcase_add_loop_test(tcase, runs_conserve_and_respect_lower_bounds_on_random_chips, 0, 4);
    tcase_add_loop_test(tcase, both_kernels_and_a_replayed_schedule_give_the_same_cycles, 0, 4);
    tcase_add_test(tcase, a_tile_in_the_padding_brings_nothing_and_its_schedule_replays);
    tcase_add_test(tcase, with_perfect_memory_a_tile_takes_the_arrays_closed_form);
    tcase_add_loop_test(tcase, more_of_a_resource_is_never_slower_on_a_fixed_schedule, 0, 3);
    tcase_add_test(tcase, serialize_is_the_sum_and_overlap_never_exceeds_it);
    tcase_add_test(tcase, repeats_become_linear);
    tcase_add_test(tcase, output_stationary_array_is_symmetric_in_its_operands);
    tcase_add_test(tcase, two_cores_take_at_least_half_of_ones_time);
    tcase_add_test(tcase, halving_a_buffer_never_reduces_traffic_under_the_traffic_objective);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
