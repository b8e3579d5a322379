/* SPDX-License-Identifier: Apache-2.0 */
/* systole sweep: every candidate of a space. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_model model;
    struct sy_cli_workload workload;
    struct sy_cli_output output;
    uint64_t workers;
    const char *shard;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(U64, struct options, workers, "jobs", 'j', "N", "worker processes, 0 = none; default: one a processor"),
    SY_OPT(TEXT, struct options, shard, "shard", 0, "I/N", "only the I-th of N slices; slices in order are the whole"),
    SY_MODEL_OPTIONS(struct options, model),
    SY_IMPORT_OPTIONS(struct options, workload),
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "table (default), csv or json"),
    SY_OPT(TEXT, struct options, output.path, "output", 'o', "FILE", "write to FILE instead of standard output"),
    SY_OPTIONS_END
};
/* clang-format on */

static void defaults(void *given)
{
    ((struct options *)given)->workers = sy_cli_processors();
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct sy_cli_explore explore;
    struct systole_text text = {0};
    char rest;
    unsigned long long shard = 0, shards = 0;
    (void)count;
    if (own->shard && (sscanf(own->shard, "%llu/%llu%c", &shard, &shards, &rest) != 2 || strchr(own->shard, '-')))
        return sy_cli_usage(cli, "sweep", "--shard: '%s' is not like 1/4", own->shard);
    sy_cli_explore_options(cli, &own->model, &own->workload, &own->output, own->workers, &explore);
    explore.options.shard = shard;
    explore.options.shards = own->shard && !shards ? 1 : shards;
    enum systole_status status = systole_sweep(&cli->context, operands[0], &explore.options, &text);
    return status == SYSTOLE_OK ? sy_cli_write(cli, own->output.path, &text) : status;
}

const struct sy_subcommand sy_subcommand_sweep = {
    .name = "sweep",
    .summary = "run every candidate of a space of chips, workloads and keys",
    .operands = "SPACE.yaml",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .options_size = sizeof(struct options),
    .defaults = defaults,
    .examples = "  systole sweep space.yaml\n"
                "  systole sweep space.yaml -j 8 --format csv -o results.csv\n"
                "  systole sweep space.yaml --shard 2/4 --format csv   # on the second of four machines\n"
                "\n"
                "  # space.yaml\n"
                "  chips: [gemmini]\n"
                "  workloads: [resnet50, mobilenet-v1]\n"
                "  vary:\n"
                "    core.array.rows, core.array.cols: {from: 8, to: 32, factor: 2}\n"
                "    memory.dram.bandwidth: [8 GB/s, 16 GB/s, 32 GB/s]\n",
    .run = run,
};
