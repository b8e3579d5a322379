/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of the DRAM model, one core, CPU time. Prints requests a second of
 * whole runs, the time of a sampled 100k-burst phase, of a 16 GB stream and of
 * a memoized repeat. Device and patterns as in the published table of
 * DRAMsim3's speed (250 k/s sequential, 99 k/s random on DDR4-3200).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dram_device.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_phase.h"
#include "tests/bench/bench.h"

struct bench {
    struct sy_arena *arena;
    const char *root;
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
};

static void open_device(struct bench *bench, const char *name)
{
    if (sy_dram_device_load(name, bench->root, bench->arena, &bench->device, NULL) != SY_OK ||
        sy_dram_controller_load(bench->device->controller, bench->root, bench->arena, &bench->controller, NULL) !=
            SY_OK) {
        fprintf(stderr, "cannot load %s; set SYSTOLE_DATA to the tree that holds arch/\n", name);
        exit(1);
    }
}

/* Best of some repetitions: seconds of one run, or of one estimate. */
static double time_pattern(const struct bench *bench, const char *pattern, uint64_t bursts, bool sampled,
                           unsigned lanes)
{
    const struct sy_dram_options options = {.channels = 1, .lanes = lanes};
    struct sy_dram_memory *memory;
    struct sy_dram_source source;
    struct sy_dram_run run;
    double best = 1e9;
    if (sy_dram_memory_create(bench->device, bench->controller, &options, &memory, NULL) != SY_OK ||
        sy_dram_pattern(pattern, bench->device->org.burst_bytes, bursts, &source, NULL) != SY_OK)
        exit(1);
    for (int i = 0; i < (sampled ? 15 : 5); i++) {
        const double start = bench_cpu_seconds();
        if (sampled)
            (void)sy_dram_memory_estimate(memory, &source, NULL, &run);
        else
            sy_dram_memory_run(memory, &source, &run);
        const double spent = bench_cpu_seconds() - start;
        best = spent < best ? spent : best;
    }
    sy_dram_memory_destroy(memory);
    return best;
}

static void phases(struct bench *bench)
{
    struct sy_dram_ctx *ctx;
    const struct sy_dram_ctx_options options = {.memory = {.channels = 1}};
    open_device(bench, "ddr4-3200-dramsim3");
    if (sy_dram_ctx_create(bench->device, bench->controller, &options, &ctx, NULL) != SY_OK)
        exit(1);
    struct sy_dram_phase stream = {.rows = 1, .row_bytes = UINT64_C(16) << 30, .pitch_bytes = UINT64_C(16) << 30};
    struct sy_dram_run run;
    double start = bench_cpu_seconds();
    if (sy_dram_run_phase(ctx, &stream, SY_DRAM_SAMPLED, &run) != SY_OK)
        exit(1);
    bench_print("16 GiB weight stream, first time", (bench_cpu_seconds() - start) * 1e3, "ms");
    start = bench_cpu_seconds();
    for (int i = 0; i < 100000; i++)
        (void)sy_dram_run_phase(ctx, &stream, SY_DRAM_SAMPLED, &run);
    bench_print("the same again, memoized", (bench_cpu_seconds() - start) * 1e6 / 100000, "us");
    struct sy_dram_phase set[3] = {
        {.rows = 64, .row_bytes = 256, .pitch_bytes = 4096},
        {.base = 64 << 20, .rows = 1, .row_bytes = 65536, .pitch_bytes = 65536},
        {.base = 128 << 20, .rows = 64, .row_bytes = 512, .pitch_bytes = 8192, .is_write = true}};
    struct sy_dram_rate rate[3];
    start = bench_cpu_seconds();
    for (int i = 0; i < 8; i++) {
        set[1].row_bytes += 4096;
        (void)sy_dram_rate(ctx, set, 3, rate);
    }
    bench_print("rates of a new set of three phases", (bench_cpu_seconds() - start) * 1e3 / 8, "ms");
    start = bench_cpu_seconds();
    for (int i = 0; i < 100000; i++)
        (void)sy_dram_rate(ctx, set, 3, rate);
    bench_print("the same again, memoized", (bench_cpu_seconds() - start) * 1e6 / 100000, "us");
    sy_dram_ctx_destroy(ctx);
}

int main(void)
{
    static const char *const devices[] = {"ddr4-3200-dramsim3", "ddr4-3200-ramulator2", "hbm2-2000-ramulator2",
                                          "hbm3-6400-ramulator2"};
    static const char *const patterns[] = {"seq_rd", "tile:16384", "mix3", "rand_rd"};
    struct bench bench = {.arena = sy_arena_create(NULL, 0), .root = getenv("SYSTOLE_DATA")};
    if (!bench.root)
        bench.root = ".";
    printf("%-24s %-12s %10s %10s %12s\n", "device", "pattern", "M/s", "portable", "100k sampled");
    for (size_t d = 0; d < sizeof devices / sizeof devices[0]; d++) {
        open_device(&bench, devices[d]);
        for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
            const uint64_t bursts = 200000;
            printf("%-24s %-12s", devices[d], patterns[p]);
            for (unsigned lanes = 0; lanes <= 4; lanes += 4)
                printf(" %10.2f", (double)bursts / time_pattern(&bench, patterns[p], bursts, false, lanes) * 1e-6);
            printf(" %9.3f ms\n", time_pattern(&bench, patterns[p], 100000, true, 0) * 1e3);
        }
    }
    phases(&bench);
    sy_arena_destroy(bench.arena);
    return 0;
}
