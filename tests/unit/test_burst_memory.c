/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --memory burst and sampled in the engine: one load takes what the channel model takes for it alone, overlapping
 * phases run burst by burst alike on both kernels, and the rates of sampled stand for the bursts.
 */
#include "tests/unit/engine_support.h"

#include <math.h>

#include "arch/dram_device.h"
#include "sim/engine/dram_system.h"

static const char *const devices[] = {"ddr4-2400-dramsim3", "ddr4-3200-ramulator2", "hbm2-dramsim3",
                                      "lpddr5-6400-ramulator2", "ddr5-4800"};
enum { DEVICES = sizeof devices / sizeof devices[0] };

struct seen {
    uint64_t start, end;
};

static void see(void *context, const struct sy_span *span, const char *layer)
{
    struct seen *seen = context;
    (void)layer;
    if (span->command == 0)
        *seen = (struct seen){span->start, span->end};
}

/* The device's own bus at 1 GHz of core clock, nothing before the first request: a load is the channel's run of it. */
START_TEST(a_load_alone_takes_the_channels_own_run)
{
    uint64_t seed = 4711;
    for (int round = 0; round < 60; round++) {
        struct sy_arena *arena = sy_arena_create(NULL, 0);
        struct sy_dram_device *device;
        struct sy_dram_controller *controller;
        struct machine m = plain_machine();
        m.device = devices[round % DEVICES];
        m.channels = UINT64_C(1) << draw(&seed, 0, 2);
        m.latency_ns = m.overhead = 0;
        ck_assert_int_eq(sy_dram_device_load(m.device, data_dir(), arena, &device, NULL), SY_OK);
        ck_assert_int_eq(sy_dram_controller_load(device->controller, data_dir(), arena, &controller, NULL), SY_OK);
        uint64_t clocks;
        const uint64_t bytes = sy_dram_peak_bytes(device, &clocks) * m.channels;
        m.burst = device->org.burst_bytes;
        m.dram_gbs = ceil((double)bytes / ((double)clocks * (double)device->clock_fs) * 1e6);
        struct sy_chip *chip = machine_chip(&m);
        const uint64_t rows = draw(&seed, 1, 60), row = draw(&seed, 1, 3000), pitch = row + draw(&seed, 0, 9000);
        const uint64_t at = draw(&seed, 0, 1 << 20);
        char text[600];
        snprintf(text, sizeof text,
                 "systole-trace 1\ngemm l m=16 k=16 n=16 a=x:int8 b=w:int8:weight y=y:int8\n"
                 "load A level=1 rows=%llu bytes=%llu pitch=%llu at=%llu\nload B level=1 bytes=256 at=0 <1.load_a\n"
                 "matmul m=16 k=16 n=16 <2.load_a <1.load_b\nvector n=256 simple=0 in=1024 out=256 <1\n"
                 "store C parent=2 rows=16 bytes=16 at=0 <1\nend 6\n",
                 (unsigned long long)rows, (unsigned long long)row, (unsigned long long)pitch, (unsigned long long)at);
        struct seen seen = {0};
        struct sy_replay_options options = {.memory = SY_MEMORY_BURST,
                                            .fidelity = SY_FIDELITY_EVENT,
                                            .kernel = SCK_HEAP,
                                            .data_dir = data_dir(),
                                            .span = see,
                                            .span_context = &seen};
        sy_result_destroy(must_run(chip, "t", text, &options));

        struct sy_dram_source source = {.streams = 1, .bursts = UINT64_MAX};
        source.stream[0] = (struct sy_dram_stream){.base = at, .run_bytes = row, .loop = {{rows, pitch}}};
        if (pitch == row)
            source.stream[0] = (struct sy_dram_stream){.base = at, .run_bytes = row * rows};
        struct sy_dram_memory *memory;
        const struct sy_dram_options how = {.channels = (uint32_t)m.channels,
                                            .interleave_bytes = chip->level[chip->levels - 1].interleave_bytes};
        ck_assert_int_eq(sy_dram_memory_create(device, controller, &how, &memory, NULL), SY_OK);
        struct sy_dram_run run;
        sy_dram_memory_run(memory, &source, &run);
        const double period = (double)bytes / (double)clocks / m.dram_gbs; /* ns, of the scaled clock */
        const double expected = (double)(run.clocks - 1) * period;
        ck_assert_msg(fabs((double)(seen.end - seen.start) - expected) <= 1.0 + expected * 1e-6,
                      "%s x%llu: %llu rows of %llu, %llu apart: %llu cycles, the channel takes %.2f", m.device,
                      (unsigned long long)m.channels, (unsigned long long)rows, (unsigned long long)row,
                      (unsigned long long)pitch, (unsigned long long)(seen.end - seen.start), expected);
        sy_dram_memory_destroy(memory);
        sy_chip_destroy(chip);
        sy_arena_destroy(arena);
    }
}
END_TEST

static struct machine machine_with_device(uint64_t *seed, int index)
{
    struct machine m = random_machine(seed);
    m.device = devices[index % DEVICES];
    m.channels = UINT64_C(1) << draw(seed, 0, 2);
    m.cores = 1;
    m.burst = 64;
    return m;
}

START_TEST(bursts_are_alike_on_both_kernels)
{
    uint64_t seed = 99;
    struct sy_buf text = {0};
    for (int round = 0; round < 40; round++) {
        struct machine m = machine_with_device(&seed, round);
        struct sy_chip *chip = machine_chip(&m);
        struct sy_replay_options options = {
            .memory = SY_MEMORY_BURST, .fidelity = SY_FIDELITY_EVENT, .kernel = SCK_HEAP, .data_dir = data_dir()};
        struct log_sink said;
        struct sy_result *heap = run_trace(chip, "t", random_workload(&seed, &text, 2), &options, &said);
        log_end(&said);
        options.kernel = SCK_SYSTEMC;
        struct sy_result *systemc = run_trace(chip, "t", text.data, &options, &said);
        log_end(&said);
        ck_assert((heap == NULL) == (systemc == NULL));
        if (heap) {
            ck_assert_uint_eq(heap->cycles, systemc->cycles);
            ck_assert_uint_eq(heap->dram[0].row_hits, systemc->dram[0].row_hits);
            ck_assert_uint_eq(heap->dram[0].activates, systemc->dram[0].activates);
        }
        sy_result_destroy(heap);
        sy_result_destroy(systemc);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
}
END_TEST

struct comparison {
    uint64_t runs, near; /* near: within 5% */
    double sum, worst;
};

static void compare(struct comparison *all, const struct sy_chip *chip, const char *path, const char *text)
{
    struct sy_replay_options options = {
        .memory = SY_MEMORY_BURST, .fidelity = SY_FIDELITY_EVENT, .kernel = SCK_HEAP, .data_dir = data_dir()};
    struct log_sink said;
    struct sy_result *burst = run_trace(chip, path, text, &options, &said);
    log_end(&said);
    if (!burst)
        return;
    options.memory = SY_MEMORY_SAMPLED;
    struct sy_result *sampled = must_run(chip, path, text, &options);
    const double error = fabs((double)sampled->cycles / (double)burst->cycles - 1);
    ck_assert_uint_eq(burst->dram_read_bytes, sampled->dram_read_bytes);
    all->sum += error;
    all->worst = fmax(all->worst, error);
    all->near += error <= 0.05;
    all->runs++;
    sy_result_destroy(sampled);
    sy_result_destroy(burst);
}

/* Random machines and layers; every other one streams weights through a machine that always waits for memory. There
 * phases are of tens of bursts: their conflicts with each other are what the long-run rates leave out. */
START_TEST(sampled_rates_stand_for_the_bursts)
{
    uint64_t seed = 2718;
    struct comparison all = {0}, bound = {0};
    struct sy_buf text = {0};
    for (int round = 0; round < 200; round++) {
        struct machine m = machine_with_device(&seed, round);
        if (round & 1) {
            m.rows = m.cols = 16;
            m.arrays = 4;
            m.dram_gbs = (double)draw(&seed, 4, 12) * (double)m.channels;
        }
        struct sy_chip *chip = machine_chip(&m);
        random_workload(&seed, &text, draw(&seed, 1, 4));
        if (round & 1) {
            sy_buf_clear(&text);
            sy_buf_printf(&text,
                          "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=x:int8 b=w:int8:weight y=y:int8\nend 1\n",
                          (unsigned long long)draw(&seed, 1, 64), (unsigned long long)draw(&seed, 100, 1500),
                          (unsigned long long)draw(&seed, 100, 1500));
        }
        compare(round & 1 ? &bound : &all, chip, "t", text.data);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
    ck_assert_uint_ge(bound.runs + all.runs, 190);
    static const struct {
        const char *name;
        double mean, near;
    } bounds[2] = {{"mixed", 0.008, 0.97}, {"memory bound", 0.015, 0.90}};
    const struct comparison *const group[2] = {&all, &bound};
    for (int i = 0; i < 2; i++)
        ck_assert_msg(group[i]->sum <= bounds[i].mean * (double)group[i]->runs &&
                          (double)group[i]->near >= bounds[i].near * (double)group[i]->runs,
                      "%s: mean error %.4f, worst %.3f, %llu of %llu within 5%%", bounds[i].name,
                      group[i]->sum / (double)group[i]->runs, group[i]->worst, (unsigned long long)group[i]->near,
                      (unsigned long long)group[i]->runs);
}
END_TEST

START_TEST(real_networks_sampled_are_near_their_bursts)
{
    static const char *const pairs[][2] = {
        {"tpu-v1", "resnet50"}, {"tpu-v4", "resnet50"}, {"tpu-v4", "bert-base"}, {"gemmini", "resnet18"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sy_chip *chip = NULL;
        struct sy_chip_options options = {.data_dir = data_dir()};
        char path[4096];
        snprintf(path, sizeof path, "%s/workloads/nets/%s.slt.gz", data_dir(), pairs[i][1]);
        ck_assert_int_eq(sy_chip_load(pairs[i][0], &options, &chip, NULL), SY_OK);
        struct comparison one = {0};
        compare(&one, chip, path, NULL);
        ck_assert_uint_eq(one.runs, 1);
        ck_assert_msg(one.worst <= 0.03, "%s on %s: %.4f", pairs[i][1], pairs[i][0], one.worst);
        sy_chip_destroy(chip);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("burst_memory");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, a_load_alone_takes_the_channels_own_run);
    tcase_add_test(tcase, bursts_are_alike_on_both_kernels);
    tcase_add_test(tcase, sampled_rates_stand_for_the_bursts);
    tcase_add_test(tcase, real_networks_sampled_are_near_their_bursts);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
