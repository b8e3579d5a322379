/* SPDX-License-Identifier: Apache-2.0 */
/* systole validate: the model's error against published or measured figures. */
#include <stdio.h>

#include "sim/cli/subcommand.h"

struct options {
    const char *data, *memory;
    double max_error;
    bool rows;
    struct sy_cli_output output;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(TEXT, struct options, data, "data", 0, "FILE", "a CSV with the suite's columns instead of the shipped ones"),
    SY_OPT(TEXT, struct options, memory, "memory", 0, "NAME", "suite dram: sampled or burst"),
    SY_OPT(REAL, struct options, max_error, "max-error", 0, "PCT", "exit 1 when the mean error of the main figure is larger"),
    SY_OPT(FLAG, struct options, rows, "rows", 0, NULL, "table: also every row that is not exact"),
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "table (default) or json"),
    SY_OPT(TEXT, struct options, output.path, "output", 'o', "FILE", "write to FILE instead of standard output"),
    SY_OPTIONS_END
};
/* clang-format on */

static void defaults(void *given)
{
    ((struct options *)given)->max_error = -1;
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct systole_validate_options validate = SYSTOLE_OPTIONS_INIT(struct systole_validate_options);
    struct systole_text text;
    if (!count) {
        enum systole_status status = systole_list(&cli->context, "suites", &text);
        return status == SYSTOLE_OK ? sy_cli_write(cli, NULL, &text) : status;
    }
    validate.data = own->data;
    validate.memory = own->memory;
    validate.max_error = own->max_error;
    validate.rows = own->rows;
    enum systole_status status = systole_validate(&cli->context, operands[0], &validate, own->output.format, &text);
    if (status != SYSTOLE_OK && status != SYSTOLE_CHECK_FAILED)
        return status;
    enum systole_status written = sy_cli_write(cli, own->output.path, &text);
    return written == SYSTOLE_OK ? status : written;
}

const struct sy_subcommand sy_subcommand_validate = {
    .name = "validate",
    .summary = "measure the model's error against RTL, other simulators and silicon",
    .operands = "[SUITE]",
    .min_operands = 0,
    .max_operands = 1,
    .options = options,
    .options_size = sizeof(struct options),
    .defaults = defaults,
    .examples = "  systole validate                              # which suites there are\n"
                "  systole validate rtl\n"
                "  systole validate dram --memory burst --max-error 1\n"
                "  systole validate scalesim --data my_runs.csv --rows --format json\n",
    .run = run,
};
