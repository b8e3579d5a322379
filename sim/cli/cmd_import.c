/* SPDX-License-Identifier: Apache-2.0 */
/* systole import: a model file becomes a layer trace. */
#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_workload workload;
    const char *path;
    bool plain;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_IMPORT_OPTIONS(struct options, workload),
    SY_OPT(TEXT, struct options, path, "output", 'o', "FILE", "the trace to write; - is standard output"),
    SY_OPT(FLAG, struct options, plain, "plain", 0, NULL, "text without compression"),
    SY_OPTIONS_END
};
/* clang-format on */

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    struct options *own = given;
    struct systole_workload *workload = NULL;
    (void)count;
    if (!own->path)
        return sy_cli_usage(cli, "import", "the output, -o, is missing");
    own->workload.name = operands[0];
    enum systole_status status = sy_cli_load_workload(cli, &own->workload, &workload);
    if (status == SYSTOLE_OK)
        status = systole_workload_write(&cli->context, workload, own->path, own->plain);
    systole_workload_free(workload);
    return status;
}

const struct sy_subcommand sy_subcommand_import = {
    .name = "import",
    .summary = "turn a model file into a layer trace",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole import topology.csv -o net.slt.gz\n"
                "  systole import gemms.csv -i gemm --activation bf16 --weight bf16 -o gemms.slt.gz\n"
                "  systole import topology.csv -o - --plain | less\n",
    .run = run,
};
