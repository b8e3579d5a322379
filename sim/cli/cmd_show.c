/* SPDX-License-Identifier: Apache-2.0 */
/* systole show: one chip with every figure, its unit, source and confidence. */
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_list set;
    struct sy_cli_output output;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(LIST, struct options, set, "set", 0, "KEY=VALUE", "override a key of the chip (repeatable)"),
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "table (default), yaml (loads back to the same chip) or json"),
    SY_OPT(TEXT, struct options, output.path, "output", 'o', "FILE", "write to FILE instead of standard output"),
    SY_OPTIONS_END
};
/* clang-format on */

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct systole_chip *chip = NULL;
    struct systole_text text;
    /* `show chip NAME`; the word may be left out. */
    if (count == 2 && strcmp(operands[0], "chip") != 0)
        return sy_cli_usage(cli, "show", "'%s' cannot be shown; known: chip", operands[0]);
    enum systole_status status = systole_chip_load(&cli->context, operands[count - 1], own->set.item, &chip);
    if (status == SYSTOLE_OK)
        status = systole_chip_show(&cli->context, chip, own->output.format, &text);
    if (status == SYSTOLE_OK)
        status = sy_cli_write(cli, own->output.path, &text);
    systole_chip_free(chip);
    return status;
}

const struct sy_subcommand sy_subcommand_show = {
    .name = "show",
    .summary = "print a resolved chip, every figure with its source",
    .operands = "chip NAME|FILE",
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole show chip tpu-v1\n"
                "  systole show chip tpu-v1 --set core.array.rows=128 --format yaml -o my-chip.yaml\n",
    .run = run,
};
