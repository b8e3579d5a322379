/* SPDX-License-Identifier: Apache-2.0 */
/* systole trace: look at, check, mend and pack layer traces. */
#include <stdio.h>
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    struct sy_cli_output output;
    const char *chip;
    struct sy_cli_list set;
    bool plain;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(TEXT, struct options, output.format, "format", 'f', "NAME", "info: table (default) or json; export: dramsim3 (default) or ramulator2"),
    SY_OPT(TEXT, struct options, output.path, "output", 'o', "FILE", "info, recover, pack, export: write to FILE"),
    SY_OPT(TEXT, struct options, chip, "arch", 'a', "NAME|FILE", "export: chip whose DRAM is asked"),
    SY_OPT(LIST, struct options, set, "set", 0, "KEY=VALUE", "export: override a key of the chip (repeatable)"),
    SY_OPT(FLAG, struct options, plain, "plain", 0, NULL, "pack: text without compression"),
    SY_OPTIONS_END
};
/* clang-format on */

static int print_piece(void *context, const char *data, size_t length)
{
    (void)context;
    return fwrite(data, 1, length, stdout) != length;
}

static enum systole_status cat(struct sy_cli *cli, const struct options *own, const char *path)
{
    (void)own;
    enum systole_status status = systole_trace_cat(&cli->context, path, print_piece, NULL);
    /* The library stops when a piece cannot be written; main reports what became of standard output. */
    return ferror(stdout) ? SYSTOLE_OK : status;
}

static enum systole_status info(struct sy_cli *cli, const struct options *own, const char *path)
{
    struct systole_text text;
    enum systole_status status = systole_trace_info(&cli->context, path, own->output.format, &text);
    return status == SYSTOLE_OK ? sy_cli_write(cli, own->output.path, &text) : status;
}

static enum systole_status verify(struct sy_cli *cli, const struct options *own, const char *path)
{
    uint64_t records = 0, bytes = 0;
    (void)own;
    enum systole_status status = systole_trace_verify(&cli->context, path, &records, &bytes);
    if (status == SYSTOLE_OK || status == SYSTOLE_INPUT)
        printf("%s: %s, %llu records (%llu bytes of text) are intact\n", path,
               status == SYSTOLE_OK ? "whole" : "damaged", (unsigned long long)records, (unsigned long long)bytes);
    return status;
}

static enum systole_status recover(struct sy_cli *cli, const struct options *own, const char *path)
{
    uint64_t records = 0;
    if (!own->output.path)
        return sy_cli_usage(cli, "trace", "recover: the output, -o, is missing");
    enum systole_status status = systole_trace_recover(&cli->context, path, own->output.path, &records);
    if (status == SYSTOLE_OK && !cli->quiet && strcmp(own->output.path, "-") != 0)
        printf("%s: %llu records saved to %s\n", path, (unsigned long long)records, own->output.path);
    return status;
}

static enum systole_status pack(struct sy_cli *cli, const struct options *own, const char *path)
{
    if (!own->output.path)
        return sy_cli_usage(cli, "trace", "pack: the output, -o, is missing");
    return systole_trace_pack(&cli->context, path, own->output.path, own->plain);
}

/* The memory requests of a run of the trace, for another simulator. */
static enum systole_status export(struct sy_cli *cli, const struct options *own, const char *path) {
    struct systole_run_options asked = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    char file[4096];
    if (!own->chip || !own->output.path) return sy_cli_usage(cli, "trace", "export: %s is missing",
                                                             own->chip ? "the output, -o,"
                                                                       : "the chip whose DRAM is asked, -a,");
    const char *format = own->output.format ? own->output.format : "dramsim3";
    if (snprintf(file, sizeof file, "%s:%s", format, own->output.path) >=
        (int)sizeof file) return sy_cli_usage(cli, "trace", "export: the output's name is too long");
    asked.dram_trace = file;
    asked.cancel = sy_cli_cancel();
    enum systole_status status = systole_chip_load(&cli->context, own->chip, own->set.item, &chip);
    if (status == SYSTOLE_OK) status = systole_workload_load(&cli->context, path, NULL, &workload);
    if (status == SYSTOLE_OK) status = systole_run(&cli->context, chip, workload, &asked, &result);
    systole_result_free(result);
    systole_workload_free(workload);
    systole_chip_free(chip);
    return status;
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    static const struct {
        const char *name;
        enum systole_status (*run)(struct sy_cli *cli, const struct options *own, const char *path);
        bool one_file;
    } actions[] = {{"cat", cat, false},        {"info", info, false}, {"verify", verify, false},
                   {"recover", recover, true}, {"pack", pack, true},  {"export", export, true}};
    enum systole_status status = SYSTOLE_OK;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, operands[0]) != 0)
            continue;
        if (actions[i].one_file && count > 2)
            return sy_cli_usage(cli, "trace", "%s takes one file", operands[0]);
        for (uint32_t f = 1; f < count; f++) {
            enum systole_status one = actions[i].run(cli, given, operands[f]);
            status = status == SYSTOLE_OK ? one : status;
        }
        return status;
    }
    return sy_cli_usage(cli, "trace",
                        "'%s' is not something to do with a trace; known: cat, info, verify, recover, pack, export",
                        operands[0]);
}

const struct sy_subcommand sy_subcommand_trace = {
    .name = "trace",
    .summary = "look at, check, mend and pack layer traces; export their memory requests",
    .operands = "cat|info|verify|recover|pack|export FILE...",
    .min_operands = 2,
    .max_operands = SY_MAX_OPERANDS,
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole trace info net.slt.gz model.onnx resnet50\n"
                "  systole trace cat net.slt.gz | grep conv\n"
                "  systole trace verify *.slt.gz\n"
                "  systole trace recover damaged.slt.gz -o saved.slt.gz\n"
                "  systole trace pack by_hand.slt -o packed.slt.gz\n"
                "  systole trace export net.slt.gz -a gemmini -f ramulator2 -o requests.trace\n",
    .run = run,
};
