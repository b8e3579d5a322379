/* SPDX-License-Identifier: Apache-2.0 */
/* systole list: what there is. */
#include <stdio.h>
#include <string.h>

#include "sim/cli/subcommand.h"

struct options {
    bool plain;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(FLAG, struct options, plain, "names", 'n', NULL, "names only, one a line"),
    SY_OPTIONS_END
};
/* clang-format on */

/* Lines are "name\tsentence"; the names become a column. */
static void print_lines(const char *text, bool names_only)
{
    int widest = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        int length = (int)strcspn(line, "\t\n");
        widest = length > widest ? length : widest;
    }
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        int name = (int)strcspn(line, "\t\n");
        int rest = (int)strcspn(line, "\n");
        const char *sentence = line[name] == '\t' ? line + name + 1 : "";
        int length = line[name] == '\t' ? rest - name - 1 : 0;
        if (names_only || !length)
            printf("%.*s\n", name, line);
        else
            printf("%-*.*s  %.*s\n", widest, name, line, length, sentence);
    }
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    for (uint32_t i = 0; i < count; i++) {
        struct systole_text text;
        enum systole_status status = systole_list(&cli->context, operands[i], &text);
        if (status != SYSTOLE_OK)
            return status;
        print_lines(text.data, own->plain);
        systole_text_free(&text);
    }
    return SYSTOLE_OK;
}

const struct sy_subcommand sy_subcommand_list = {
    .name = "list",
    .summary = "name the chips, workloads, DRAM devices, formats, ... there are",
    .operands = "chips|workloads|drams|dataflows|arrays|energy|prices|incumbents|scenarios|formats|importers|suites|"
                "figures ...",
    .min_operands = 1,
    .max_operands = 13,
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole list chips\n"
                "  systole list workloads --names\n"
                "  systole list figures\n",
    .run = run,
};
