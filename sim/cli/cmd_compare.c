/* SPDX-License-Identifier: Apache-2.0 */
/* systole compare: chips side by side. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_list chips, workloads;
    struct sy_cli_model model;
    struct sy_cli_workload workload;
    struct sy_cli_output output;
    uint64_t workers;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(LIST, struct options, chips, "arch", 'a', "NAME|FILE", "chip (repeatable, or a,b); ratios are to the first"),
    SY_OPT(LIST, struct options, workloads, "workload", 'w', "NAME|FILE", "workload (repeatable, or a,b)"),
    SY_OPT(U64, struct options, workers, "jobs", 'j', "N", "worker processes, 0 = none; default: one a processor"),
    SY_IMPORT_OPTIONS(struct options, workload),
    SY_MODEL_OPTIONS(struct options, model),
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "table (default), csv or json"),
    SY_OPT(TEXT, struct options, output.path, "output", 'o', "FILE", "write to FILE instead of standard output"),
    SY_OPTIONS_END
};
/* clang-format on */

static void defaults(void *given)
{
    ((struct options *)given)->workers = sy_cli_processors();
}

/* "a,b" is two names, unless a file is called so. The pieces are cut out of *copy, which the caller frees. */
static bool split(const struct sy_cli_list *given, struct sy_cli_list *list, char **copy)
{
    size_t room = 1;
    memset(list, 0, sizeof *list);
    for (uint32_t i = 0; i < given->count; i++)
        room += strlen(given->item[i]) + 1;
    char *at = *copy = malloc(room);
    for (uint32_t i = 0; at && i < given->count; i++) {
        size_t length = strlen(given->item[i]) + 1;
        memcpy(at, given->item[i], length);
        bool is_file = !access(at, F_OK);
        for (char *piece = at, *comma; piece; piece = comma ? comma + 1 : NULL) {
            comma = is_file ? NULL : strchr(piece, ',');
            if (comma)
                *comma = '\0';
            if (list->count == SY_CLI_LIST_MAX)
                return false;
            list->item[list->count++] = piece;
        }
        at += length;
    }
    return *copy != NULL;
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct sy_cli_explore explore;
    struct systole_text text = {0};
    (void)operands;
    (void)count;
    if (!own->chips.count || !own->workloads.count)
        return sy_cli_usage(cli, "compare", "%s is missing", own->chips.count ? "a workload, -w," : "a chip, -a,");
    sy_cli_explore_options(cli, &own->model, &own->workload, &own->output, own->workers, &explore);
    struct sy_cli_list chips, workloads;
    char *chip_names = NULL, *workload_names = NULL;
    enum systole_status status = SYSTOLE_NOMEM;
    if (split(&own->chips, &chips, &chip_names) && split(&own->workloads, &workloads, &workload_names))
        status = systole_compare(&cli->context, chips.item, workloads.item, &explore.options, &text);
    free(chip_names);
    free(workload_names);
    if (!text.data)
        return status;
    enum systole_status written = sy_cli_write(cli, own->output.path, &text);
    return written == SYSTOLE_OK ? status : written;
}

const struct sy_subcommand sy_subcommand_compare = {
    .name = "compare",
    .summary = "several chips side by side on the same workloads",
    .operands = "",
    .options = options,
    .options_size = sizeof(struct options),
    .defaults = defaults,
    .examples = "  systole compare -a tpu-v1 -a tpu-v4i -w resnet50\n"
                "  systole compare -a gemmini -a mine.yaml -w resnet50 -w mobilenet-v1 --format csv\n"
                "  systole compare -a tpu-v1 -a tpu-v4i -w bert-base --memory ideal\n",
    .run = run,
};
