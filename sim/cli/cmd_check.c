/* SPDX-License-Identifier: Apache-2.0 */
/* systole check: do the figures of recorded results still hold? */
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_list tolerances;
    struct sy_cli_output output;
    const char *junit;
    uint64_t workers;
    bool all;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(LIST, struct options, tolerances, "tolerance", 't', "FIGURE=PCT", "a change in percent that is allowed (default 0: exact); without FIGURE= for all (repeatable)"),
    SY_OPT(TEXT, struct options, junit, "junit", 0, "FILE", "write JUnit XML too"),
    SY_OPT(FLAG, struct options, all, "all", 0, NULL, "table: show the figures that held too"),
    SY_OPT(U64, struct options, workers, "jobs", 'j', "N", "worker processes, 0 = none; default: one a processor"),
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "table (default) or json"),
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
    struct systole_check_options check = SYSTOLE_OPTIONS_INIT(struct systole_check_options);
    struct systole_format_options format;
    struct systole_text text = {0}, junit = {0};
    const char *baselines[SY_MAX_OPERANDS + 1] = {NULL};
    memcpy(baselines, operands, count * sizeof baselines[0]);
    sy_cli_format_options(cli, &own->output, own->all, &format);
    check.workers = own->workers < UINT32_MAX ? (uint32_t)own->workers : UINT32_MAX;
    check.tolerances = own->tolerances.count ? own->tolerances.item : NULL;
    check.format = &format;
    check.cancel = sy_cli_cancel();
    check.progress = sy_cli_explore_progress;
    check.progress_context = cli;
    enum systole_status status = systole_check(&cli->context, baselines, &check, &text, own->junit ? &junit : NULL);
    if (!text.data)
        return status;
    enum systole_status written = sy_cli_write(cli, own->output.path, &text);
    if (own->junit) {
        enum systole_status second = sy_cli_write(cli, own->junit, &junit);
        written = written == SYSTOLE_OK ? second : written;
    }
    return written == SYSTOLE_OK ? status : written;
}

const struct sy_subcommand sy_subcommand_check = {
    .name = "check",
    .summary = "run recorded results again; exit 1 when a figure moved",
    .operands = "BASELINE.json...",
    .min_operands = 1,
    .max_operands = SY_MAX_OPERANDS,
    .options = options,
    .options_size = sizeof(struct options),
    .defaults = defaults,
    .examples = "  systole run -a tpu-v1 -w resnet50 --format json -o base.json   # record\n"
                "  systole check base.json\n"
                "  systole check baselines/*.json --tolerance cycles=0.5 --tolerance energy_j=2 --junit check.xml\n"
                "  systole check base.json --tolerance 1 --all\n",
    .run = run,
};
