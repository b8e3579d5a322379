/* SPDX-License-Identifier: Apache-2.0 */
/* systole run: one chip, one workload. */
#include "sim/cli/subcommand.h"

struct options {
    const char *chip;
    struct sy_cli_workload workload;
    struct sy_cli_model model;
    struct sy_cli_output output;
    const char *emit_schedule, *timeline, *vcd;
    bool totals_only, explain_energy;
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
    SY_OPT(FLAG, struct options, totals_only, "totals", 0, NULL, "leave units and layers out"),
    SY_OPT(FLAG, struct options, explain_energy, "explain-energy", 0, NULL, "show every energy row used, with its source"),
    SY_OPTIONS_END
};
/* clang-format on */

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
    if (!own->chip || !own->workload.name)
        return sy_cli_usage(cli, "run", "%s is missing", own->chip ? "the workload, -w," : "the chip, -a,");
    sy_cli_run_options(&own->model, &run_options);
    sy_cli_format_options(cli, &own->output, own->explain_energy ? 2 : own->totals_only ? 0 : 1, &format);
    run_options.emit_schedule = own->emit_schedule;
    run_options.timeline = own->timeline;
    run_options.vcd = own->vcd;
    enum systole_status status = systole_chip_load(&cli->context, own->chip, own->model.set.item, &chip);
    enum systole_status second = sy_cli_load_workload(cli, &own->workload, &workload);
    status = status != SYSTOLE_OK ? status : second;
    if (status == SYSTOLE_OK)
        status = systole_run(&cli->context, chip, workload, &run_options, &result);
    if (status == SYSTOLE_OK)
        status = systole_result_format(&cli->context, result, own->output.format,
                                       own->explain_energy ? 2
                                       : own->totals_only  ? 0
                                                           : 1,
                                       &text);
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
                "  systole run -a gemmini -w topology.csv --set core.array.rows=32 --memory ideal\n",
    .run = run,
};
