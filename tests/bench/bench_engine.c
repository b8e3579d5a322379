/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine and the mapper: whole processes of the yardsticks (program in the
 * environment variable SYSTOLE), and from inside: simulated cycles, tile steps
 * and commands a CPU second, mapped layers a second.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/array_tile.h"
#include "sim/engine/replay.h"
#include "tests/bench/bench.h"

static const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

/* ---- whole processes ---- */

static void whole_process(const char *program, const char *chip, const char *net, const char *fidelity)
{
    double best_s = 1e9;
    long rss_kib = 0;
    char label[100];
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDOUT_FILENO);
            execl(program, program, "run", "-a", chip, "-w", net, "--fidelity", fidelity, (char *)NULL);
            _exit(127);
        }
        int status = 0;
        struct rusage usage;
        if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status)) {
            printf("engine: %s on %s failed\n", net, chip);
            return;
        }
        double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        best_s = cpu_s < best_s ? cpu_s : best_s;
        rss_kib = usage.ru_maxrss > rss_kib ? usage.ru_maxrss : rss_kib;
    }
    snprintf(label, sizeof label, "engine: process %s on %s, %s", net, chip, fidelity);
    bench_print(label, best_s * 1e3, "ms CPU");
    snprintf(label, sizeof label, "engine: process %s on %s, %s, peak", net, chip, fidelity);
    bench_print(label, (double)rss_kib / 1024, "MiB");
}

/* ---- inside ---- */

struct replay_job {
    const struct sy_chip *chip;
    char path[600];
    struct sy_replay_options options;
    uint64_t cycles, steps, commands;
};

static void replay(void *context)
{
    struct replay_job *job = context;
    struct sy_trace_reader *reader = NULL;
    struct sy_result *result = NULL;
    if (sy_trace_open(job->path, NULL, 0, &reader, NULL) != SY_OK ||
        sy_replay(job->chip, reader, NULL, &job->options, &result, NULL) != SY_OK) {
        fprintf(stderr, "bench_engine: %s does not run\n", job->path);
        exit(1);
    }
    job->cycles = result->cycles;
    job->steps = result->unit[0].commands;
    job->commands = 0;
    for (uint32_t i = 0; i < result->units; i++)
        job->commands += result->unit[i].commands;
    sy_trace_close(reader);
    sy_result_destroy(result);
}

static struct sy_chip *load(const char *name)
{
    struct sy_chip *chip = NULL;
    struct sy_chip_options options = {.data_dir = data_dir()};
    if (sy_chip_load(name, &options, &chip, NULL) != SY_OK) {
        fprintf(stderr, "bench_engine: chip %s does not load\n", name);
        exit(1);
    }
    return chip;
}

static void inside(const char *chip_name, const char *net, enum sck_backend kernel, const char *kernel_name)
{
    struct sy_chip *chip = load(chip_name);
    struct replay_job job = {
        .chip = chip,
        .options = {
            .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = kernel, .no_fast_forward = true}};
    char label[100];
    snprintf(job.path, sizeof job.path, "%s/workloads/nets/%s.slt.gz", data_dir(), net);
    double seconds = bench_best(replay, &job);
    snprintf(label, sizeof label, "engine: %s on %s, %s", net, chip_name, kernel_name);
    bench_print(label, (double)job.cycles / seconds, "simulated cycles/s");
    bench_print(label, (double)job.steps / seconds, "tile steps/s");
    bench_print(label, (double)job.commands / seconds, "commands/s");
    sy_chip_destroy(chip);
}

/* ---- the mapper: every matrix of ResNet-50 searched anew, nothing remembered but tile costs ---- */

struct search_job {
    struct sy_problem problem[128];
    uint32_t problems;
    struct sy_map_costs costs;
};
struct cost {
    uint64_t m, k, n, steady, alone;
    uint8_t dataflow;
};
enum { COSTS = 4096 };
struct cost_memo {
    const struct sy_chip *chip;
    struct cost cost[COSTS];
};

static bool array_cost(void *context, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n, uint64_t groups,
                       uint64_t *steady, uint64_t *alone)
{
    struct cost_memo *memo = context;
    uint64_t hash = ((m * 31 + k) * UINT64_C(0x9E3779B97F4A7C15)) ^ (n * UINT64_C(0xC2B2AE3D27D4EB4F)) ^ dataflow;
    struct cost *cost = &memo->cost[(hash >> 40) % COSTS];
    if (cost->m != m || cost->k != k || cost->n != n || cost->dataflow != dataflow) {
        struct sy_array_tile tile;
        if (sy_array_tile_of(memo->chip, dataflow, m, k, n, memo->chip->array.precision[0].a,
                             memo->chip->array.precision[0].b, true, &tile) != SY_OK)
            return false;
        uint64_t own = tile.run.occupancy_cycles + tile.gap.preload_cycles + tile.gap.output_cycles;
        uint64_t steady_cycles = own > tile.port_cycles ? own : tile.port_cycles;
        *cost = (struct cost){m, k, n, steady_cycles, tile.run.lead_cycles + tile.run.latency_cycles, dataflow};
    }
    *steady = cost->steady * groups;
    *alone = cost->alone;
    return true;
}

static void search_all(void *context)
{
    struct search_job *job = context;
    memset(((struct cost_memo *)job->costs.context)->cost, 0, sizeof((struct cost_memo *)job->costs.context)->cost);
    for (uint32_t i = 0; i < job->problems; i++) {
        struct sy_mapping mapping;
        struct sy_estimate estimate;
        char why[160];
        if (sy_map_search(&job->problem[i], &job->costs, SY_OBJECTIVE_CYCLES, &mapping, &estimate, why) != SY_OK)
            exit(1);
    }
}

static void mapper(const char *chip_name, const char *net)
{
    static struct cost_memo memo;
    static struct search_job job;
    struct sy_chip *chip = load(chip_name);
    struct sy_trace_reader *reader = NULL;
    struct sy_trace_record record;
    char path[600], label[100];
    memo = (struct cost_memo){.chip = chip};
    job = (struct search_job){.costs = {.context = &memo, .array = array_cost}};
    snprintf(path, sizeof path, "%s/workloads/nets/%s.slt.gz", data_dir(), net);
    if (sy_trace_open(path, NULL, 0, &reader, NULL) != SY_OK)
        exit(1);
    do {
        struct sy_work work;
        if (sy_trace_next(reader, &record) != SY_OK)
            exit(1);
        if (record.kind != SY_TRACE_LAYER || sy_lower(&record.layer, &work) != SY_OK || !work.items ||
            work.item[0].kind != SY_ITEM_MATRIX || job.problems == 128)
            continue;
        sy_problem_init(&job.problem[job.problems++], chip, &work.item[0].u.matrix);
    } while (record.kind != SY_TRACE_END);
    sy_trace_close(reader);
    snprintf(label, sizeof label, "mapper: %s on %s, every layer searched", net, chip_name);
    bench_print(label, job.problems / bench_best(search_all, &job), "mapped layers/s");
    sy_chip_destroy(chip);
}

int main(void)
{
    const char *program = getenv("SYSTOLE");
    if (program && access(program, X_OK) == 0) {
        whole_process(program, "tpu-v1", "resnet50", "event");
        whole_process(program, "tpu-v1", "resnet50", "analytic");
        whole_process(program, "tpu-v4i", "resnet50", "event");
        whole_process(program, "gemmini", "resnet50", "event");
        whole_process(program, "gemmini", "gpt2", "analytic");
    } else {
        printf("systole is not built: no whole-process timings (set SYSTOLE to the program)\n");
    }
    inside("gemmini", "gpt2", SCK_SYSTEMC, "systemc");
    inside("gemmini", "gpt2", SCK_HEAP, "heap");
    inside("eyeriss", "vgg16", SCK_HEAP, "heap");
    mapper("tpu-v1", "resnet50");
    mapper("tpu-v4i", "resnet50");
    mapper("gemmini", "resnet50");
    mapper("tpu-v4i", "bert-base");
    return 0;
}
