/* SPDX-License-Identifier: Apache-2.0 */
/* Options by table: parsing (long, --name=value, short, bundled value, `--`), help. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/subcommand.h"

static const struct sy_option common[] = {
    {"quiet", 'q', NULL, SY_OPTION_FLAG, offsetof(struct sy_cli, quiet), "errors only"},
    {"verbose", 'v', NULL, SY_OPTION_FLAG, offsetof(struct sy_cli, verbose),
     "say what the run cost: CPU time and memory"},
    {"help", 'h', NULL, SY_OPTION_FLAG, 0, "this text"},
    {NULL, 0, NULL, SY_OPTION_FLAG, 0, NULL},
};

static enum systole_status say(struct sy_cli *cli, enum systole_status status, const char *hint, const char *format,
                               va_list args)
{
    fputs("systole: error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    if (hint)
        fprintf(stderr, "  hint: `systole %s --help`\n", hint);
    cli->errors++;
    return status;
}

enum systole_status sy_cli_usage(struct sy_cli *cli, const char *subcommand, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum systole_status status = say(cli, SYSTOLE_USAGE, subcommand, format, args);
    va_end(args);
    return status;
}

enum systole_status sy_cli_error(struct sy_cli *cli, enum systole_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = say(cli, status, NULL, format, args);
    va_end(args);
    return status;
}

bool sy_cli_nearer(const char *word, const char *candidate, uint32_t *distance)
{
    enum { LONGEST = 32 };
    uint32_t row[LONGEST + 1];
    size_t columns = strlen(candidate), rows = strlen(word);
    if (columns > LONGEST || rows > LONGEST)
        return false;
    for (size_t c = 0; c <= columns; c++)
        row[c] = (uint32_t)c;
    for (size_t r = 1; r <= rows; r++) {
        uint32_t diagonal = row[0];
        row[0] = (uint32_t)r;
        for (size_t c = 1; c <= columns; c++) {
            uint32_t change = diagonal + (word[r - 1] != candidate[c - 1]);
            diagonal = row[c];
            uint32_t shift = (row[c] < row[c - 1] ? row[c] : row[c - 1]) + 1;
            row[c] = change < shift ? change : shift;
        }
    }
    if (row[columns] >= *distance || row[columns] >= columns)
        return false;
    *distance = row[columns];
    return true;
}

static const struct sy_option *by_name(const struct sy_option *table, const char *name, size_t length)
{
    for (; table && table->name; table++)
        if (strlen(table->name) == length && !strncmp(table->name, name, length))
            return table;
    return NULL;
}

static const struct sy_option *by_letter(const struct sy_option *table, char letter)
{
    for (; table && table->name; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

static bool parse_u64(const char *text, uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, 10);
    *value = parsed;
    return !errno && !*end;
}

static bool parse_real(const char *text, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return !errno && end != text && !*end && *value >= -1e300 && *value <= 1e300;
}

static bool store(struct sy_cli *cli, const char *subcommand, const struct sy_option *option, void *base,
                  const char *value)
{
    char *at = (char *)base + option->offset;
    struct sy_cli_list *list;
    bool good = true;
    switch (option->kind) {
    case SY_OPTION_FLAG:
        *(bool *)(void *)at = true;
        break;
    case SY_OPTION_TEXT:
        memcpy(at, &value, sizeof value);
        break;
    case SY_OPTION_U64:
        good = parse_u64(value, (uint64_t *)(void *)at);
        break;
    case SY_OPTION_REAL:
        good = parse_real(value, (double *)(void *)at);
        break;
    case SY_OPTION_LIST:
        list = (struct sy_cli_list *)(void *)at;
        good = list->count < SY_CLI_LIST_MAX;
        if (good)
            list->item[list->count++] = value;
        break;
    }
    if (!good)
        sy_cli_usage(cli, subcommand, "--%s: '%s' is not %s", option->name, value,
                     option->kind == SY_OPTION_LIST ? "wanted: the list is full" : "a number it takes");
    return good;
}

struct parse {
    struct sy_cli *cli;
    const struct sy_subcommand *subcommand;
    int argc;
    char **argv;
    int at;
    void *options;
    bool *help;
};

static bool take(struct parse *p, const struct sy_option *option, bool is_common, const char *value, const char *shown)
{
    if (is_common && option->letter == 'h') {
        *p->help = true;
        return true;
    }
    if (option->argument && !value) {
        if (p->at + 1 >= p->argc) {
            sy_cli_usage(p->cli, p->subcommand->name, "%s needs a value: %s", shown, option->argument);
            return false;
        }
        value = p->argv[++p->at];
    }
    return store(p->cli, p->subcommand->name, option, is_common ? (void *)p->cli : p->options, value);
}

static void unknown_option(const struct parse *p, const char *word, size_t length)
{
    const struct sy_option *const tables[] = {p->subcommand->options, common};
    const char *best = NULL;
    uint32_t distance = SY_CLI_FAR;
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)length - 2, word + 2);
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct sy_option *option = tables[t]; option && option->name; option++)
            if (sy_cli_nearer(name, option->name, &distance))
                best = option->name;
    sy_cli_usage(p->cli, p->subcommand->name, "%.*s is not an option of systole %s%s%s%s", (int)length, word,
                 p->subcommand->name, best ? "; did you mean '--" : "", best ? best : "", best ? "'?" : "");
}

static bool parse_long(struct parse *p, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct sy_option *option = by_name(p->subcommand->options, word + 2, length - 2);
    bool is_common = !option;
    if (!option)
        option = by_name(common, word + 2, length - 2);
    if (!option) {
        unknown_option(p, word, length);
        return false;
    }
    if (equals && !option->argument) {
        sy_cli_usage(p->cli, p->subcommand->name, "--%s takes no value", option->name);
        return false;
    }
    return take(p, option, is_common, equals ? equals + 1 : NULL, word);
}

static bool parse_short(struct parse *p, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const struct sy_option *option = by_letter(p->subcommand->options, *c);
        bool is_common = !option;
        if (!option)
            option = by_letter(common, *c);
        if (!option) {
            sy_cli_usage(p->cli, p->subcommand->name, "-%c is not an option of systole %s", *c, p->subcommand->name);
            return false;
        }
        const char *value = option->argument && c[1] ? c + 1 : NULL;
        if (!take(p, option, is_common, value, word))
            return false;
        if (option->argument)
            break;
    }
    return true;
}

bool sy_cli_parse(struct sy_cli *cli, const struct sy_subcommand *subcommand, int argc, char **argv, void *options,
                  const char **operands, uint32_t *count, bool *help)
{
    struct parse p = {cli, subcommand, argc, argv, 0, options, help};
    bool only_operands = false;
    *count = 0;
    for (p.at = 0; p.at < argc; p.at++) {
        const char *word = argv[p.at];
        if (!only_operands && !strcmp(word, "--")) {
            only_operands = true;
            continue;
        }
        if (!only_operands && word[0] == '-' && word[1]) {
            if (!(word[1] == '-' ? parse_long(&p, word) : parse_short(&p, word)))
                return false;
            continue;
        }
        if (*count == SY_MAX_OPERANDS || *count == subcommand->max_operands) {
            sy_cli_usage(cli, subcommand->name, "'%s' is one operand too many", word);
            return false;
        }
        operands[(*count)++] = word;
    }
    if (!*help && *count < subcommand->min_operands) {
        sy_cli_usage(cli, subcommand->name, "an operand is missing: %s", subcommand->operands);
        return false;
    }
    return true;
}

static void help_option(const struct sy_option *option)
{
    char left[64];
    int length = snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ',
                          option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
                          option->argument ? " " : "", option->argument ? option->argument : "");
    if (length > 30)
        printf("  %s\n  %-30s %s\n", left, "", option->doc);
    else
        printf("  %-30s %s\n", left, option->doc);
}

void sy_cli_help(const struct sy_subcommand *subcommand)
{
    printf("systole %s: %s\n\nUsage: systole %s [OPTION...]%s%s\n\nOptions:\n", subcommand->name, subcommand->summary,
           subcommand->name, *subcommand->operands ? " " : "", subcommand->operands);
    for (const struct sy_option *option = subcommand->options; option && option->name; option++)
        help_option(option);
    for (const struct sy_option *option = common; option->name; option++)
        help_option(option);
    if (subcommand->examples)
        printf("\nExamples:\n%s", subcommand->examples);
}
