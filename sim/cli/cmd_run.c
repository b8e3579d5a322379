/* SPDX-License-Identifier: Apache-2.0 */
/* systole run: one chip, one workload. */
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    const char *chip;
    struct sy_cli_workload workload;
    struct sy_cli_model model;
    struct sy_cli_output output;
    const char *emit_schedule, *timeline, *vcd, *dram_trace;
    const char *compat, *cfg, *topology, *directory, *layout;
    bool totals_only, explain_energy, no_fast_forward, aligned_too;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(TEXT, struct options, chip, "arch", 'a', "NAME|FILE", "chip: a preset or a YAML file"),
    SY_WORKLOAD_OPTIONS(struct options, workload),
    SY_MODEL_OPTIONS(struct options, model),
    SY_OUTPUT_OPTIONS(struct options, output),
    SY_OPT(TEXT, struct options, emit_schedule, "emit-schedule", 0, "FILE", "write the tile schedule as a trace that replays with equal cycles"),
    SY_OPT(TEXT, struct options, timeline, "timeline", 0, "FILE", "write a timeline that chrome://tracing and Perfetto show"),
    SY_OPT(TEXT, struct options, vcd, "vcd", 0, "FILE", "write a waveform: the units' activity, or at cycle fidelity the registers of the PEs"),
    SY_OPT(TEXT, struct options, dram_trace, "dram-trace", 0, "[FORMAT:]FILE", "write the DRAM's requests for dramsim3 (default) or ramulator2; runs with --memory burst"),
    SY_OPT(FLAG, struct options, aligned_too, "aligned-too", 0, NULL,
           "run once more with the operands' regions aligned in memory, and report those cycles too"),
    SY_OPT(FLAG, struct options, no_fast_forward, "no-fast-forward", 0, NULL,
           "run every tile and layer anew, for the same result"),
    SY_OPT(FLAG, struct options, totals_only, "totals", 0, NULL, "leave units and layers out"),
    SY_OPT(FLAG, struct options, explain_energy, "explain-energy", 0, NULL, "show every energy row used, with its source"),
    SY_OPT(TEXT, struct options, compat, "compat", 0, "NAME", "write another tool's reports instead: scalesim-v2 or scalesim-v3, with its -c -t -p -i -l"),
    SY_OPT(TEXT, struct options, cfg, "cfg", 'c', "FILE", "--compat: configuration"),
    SY_OPT(TEXT, struct options, topology, "topology", 't', "FILE", "--compat: topology"),
    SY_OPT(TEXT, struct options, directory, "directory", 'p', "DIR", "--compat: reports go to DIR/RUN_NAME (default test_runs)"),
    SY_OPT(TEXT, struct options, layout, "layout", 'l', "FILE", "--compat: layout"),
    SY_OPTIONS_END
};
/* clang-format on */

static void layers_done(void *context, uint64_t done, uint64_t total)
{
    sy_cli_progress(context, "layers", done, total);
}

static enum systole_status run_compatibly(struct sy_cli *cli, const struct options *own)
{
    struct systole_scalesim_options compat = SYSTOLE_OPTIONS_INIT(struct systole_scalesim_options);
    struct systole_text text;
    if (own->chip || own->workload.name)
        return sy_cli_usage(cli, "run", "--compat takes -c and -t, not -a and -w");
    if (!own->cfg || !own->topology)
        return sy_cli_usage(cli, "run", "--compat: %s is missing",
                            own->cfg ? "the topology, -t," : "the configuration, -c,");
    compat.version = own->compat;
    compat.cfg = own->cfg;
    compat.topology = own->topology;
    compat.kind = own->workload.kind;
    compat.layout = own->layout;
    compat.directory = own->directory ? own->directory : "test_runs";
    compat.cancel = sy_cli_cancel();
    compat.progress = layers_done;
    compat.progress_context = cli;
    enum systole_status status = systole_scalesim(&cli->context, &compat, &text);
    return status == SYSTOLE_OK ? sy_cli_write(cli, own->output.path, &text) : status;
}

/* Options that do not go together, in words; NULL when they do. */
static const char *what_is_wrong(const struct options *own)
{
    if (own->cfg || own->topology || own->directory || own->layout)
        return "-c, -t, -p and -l need --compat";
    if (!own->chip)
        return "the chip, -a, is missing";
    return own->workload.name ? NULL : "the workload, -w, is missing";
}

/* The workload is an address pattern: the memory runs alone. */
static const char pattern_prefix[] = "pattern:";

static enum systole_status run_pattern(struct sy_cli *cli, const struct options *own)
{
    struct systole_pattern_options pattern = SYSTOLE_OPTIONS_INIT(struct systole_pattern_options);
    struct systole_format_options format;
    struct systole_chip *chip = NULL;
    struct systole_text text;
    if (own->emit_schedule || own->timeline || own->vcd || own->dram_trace || own->model.fidelity)
        return sy_cli_usage(cli, "run", "a pattern drives the memory alone: there is no %s",
                            own->model.fidelity  ? "fidelity to choose"
                            : own->emit_schedule ? "schedule to emit"
                            : own->dram_trace    ? "request trace to write: its formula says what it asks"
                                                 : "timeline or waveform");
    sy_cli_format_options(cli, &own->output, 1, &format);
    pattern.memory = own->model.memory;
    pattern.energy_table = own->model.energy;
    pattern.format = &format;
    enum systole_status status = systole_chip_load(&cli->context, own->chip, own->model.set.item, &chip);
    if (status == SYSTOLE_OK)
        status = systole_run_pattern(&cli->context, chip, own->workload.name + strlen(pattern_prefix), &pattern, &text);
    if (status == SYSTOLE_OK)
        status = sy_cli_write(cli, own->output.path, &text);
    systole_chip_free(chip);
    return status;
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    struct systole_run_options run_options;
    struct systole_format_options format;
    struct systole_text text;
    (void)operands;
    (void)count;
    if (own->compat)
        return run_compatibly(cli, own);
    const char *wrong = what_is_wrong(own);
    if (wrong)
        return sy_cli_usage(cli, "run", "%s", wrong);
    if (!strncmp(own->workload.name, pattern_prefix, strlen(pattern_prefix)))
        return run_pattern(cli, own);
    sy_cli_run_options(&own->model, &run_options);
    run_options.no_fast_forward = own->no_fast_forward;
    run_options.aligned_too = own->aligned_too;
    sy_cli_format_options(cli, &own->output, own->explain_energy ? 2 : own->totals_only ? 0 : 1, &format);
    run_options.emit_schedule = own->emit_schedule;
    run_options.timeline = own->timeline;
    run_options.dram_trace = own->dram_trace;
    run_options.vcd = own->vcd;
    enum systole_status status = systole_chip_load(&cli->context, own->chip, own->model.set.item, &chip);
    enum systole_status second = sy_cli_load_workload(cli, &own->workload, &workload);
    status = status != SYSTOLE_OK ? status : second;
    if (status == SYSTOLE_OK)
        status = systole_run(&cli->context, chip, workload, &run_options, &result);
    if (status == SYSTOLE_OK)
        status = systole_result_write(&cli->context, result, &format, &text);
    if (status == SYSTOLE_OK)
        status = sy_cli_write(cli, own->output.path, &text);
    systole_result_free(result);
    systole_workload_free(workload);
    systole_chip_free(chip);
    return status;
}

const struct sy_subcommand sy_subcommand_run = {
    .name = "run",
    .summary = "simulate one workload on one chip",
    .operands = "",
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole run -a tpu-v1 -w resnet50\n"
                "  systole run -a tpu-v1 -w resnet50 --format json -o result.json\n"
                "  systole run -a gemmini -w topology.csv --set core.array.rows=32 --memory ideal\n"
                "  systole run -a tpu-v1 -w bert-base --timeline bert.json --totals\n"
                "  systole run -a gemmini -w pattern:tile:16384,requests=20000 --memory burst\n"
                "  systole run --compat scalesim-v3 -c scale.cfg -t topology.csv -p results\n",
    .run = run,
};
