/* SPDX-License-Identifier: Apache-2.0 */
/* systole export: what other tools can use of a run. */
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    const char *chip, *directory, *memory;
    struct sy_cli_workload workload;
    struct sy_cli_list set;
    uint64_t seed, tiles;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(TEXT, struct options, chip, "arch", 'a', "NAME|FILE", "chip: a preset or a YAML file"),
    SY_WORKLOAD_OPTIONS(struct options, workload),
    SY_OPT(TEXT, struct options, directory, "output", 'o', "DIR", "directory to write into"),
    SY_OPT(TEXT, struct options, memory, "memory", 0, "NAME", "memory model: shared (default) or ideal"),
    SY_OPT(U64, struct options, tiles, "tiles", 0, "N", "so many tiles word by word, from the first (default 64)"),
    SY_OPT(LIST, struct options, set, "set", 0, "KEY=VALUE", "override a key of the chip (repeatable)"),
    SY_OPT(U64, struct options, seed, "seed", 0, "N", "seed of the operands"),
    SY_OPTIONS_END
};
/* clang-format on */

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct systole_rtl_kit_options kit = SYSTOLE_OPTIONS_INIT(struct systole_rtl_kit_options);
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    (void)count;
    if (strcmp(operands[0], "rtl-kit") != 0)
        return sy_cli_usage(cli, "export", "'%s' cannot be exported; known: rtl-kit", operands[0]);
    if (!own->chip || !own->workload.name || !own->directory)
        return sy_cli_usage(cli, "export", "%s is missing",
                            !own->chip            ? "the chip, -a,"
                            : !own->workload.name ? "the workload, -w,"
                                                  : "the directory, -o,");
    kit.memory = own->memory;
    kit.seed = own->seed;
    kit.tiles = own->tiles;
    enum systole_status status = systole_chip_load(&cli->context, own->chip, own->set.item, &chip);
    enum systole_status second = sy_cli_load_workload(cli, &own->workload, &workload);
    status = status != SYSTOLE_OK ? status : second;
    if (status == SYSTOLE_OK)
        status = systole_rtl_kit(&cli->context, chip, workload, &kit, own->directory);
    systole_workload_free(workload);
    systole_chip_free(chip);
    return status;
}

const struct sy_subcommand sy_subcommand_export = {
    .name = "export",
    .summary = "write a kit to check an array's RTL with",
    .operands = "rtl-kit",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole export rtl-kit -a gemmini -w layer.slt -o kit\n"
                "  systole export rtl-kit -a my-chip.yaml -w layer.slt -o kit --tiles 8 --memory ideal\n",
    .run = run,
};
