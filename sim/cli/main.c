/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: finds the subcommand, the data folder and the terminal; prints diagnostics. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cli/subcommand.h"

static volatile sig_atomic_t interrupted;
static volatile int cancel_flag;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (interrupted)
        _exit(130);
    interrupted = 1;
    cancel_flag = 1;
}

volatile const int *sy_cli_cancel(void)
{
    return &cancel_flag;
}

static void print_place(const struct systole_diagnostic *diagnostic)
{
    if (!diagnostic->file)
        return;
    fprintf(stderr, "%s:", diagnostic->file);
    if (diagnostic->has_offset)
        fprintf(stderr, "byte %llu:", (unsigned long long)diagnostic->byte_offset);
    if (diagnostic->line)
        fprintf(stderr, "%u:", diagnostic->line);
    if (diagnostic->line && diagnostic->column)
        fprintf(stderr, "%u:", diagnostic->column);
    fputc(' ', stderr);
}

static void print_diagnostic(void *context, const struct systole_diagnostic *diagnostic)
{
    static const char *const word[] = {"error", "warning", "note"};
    static const char *const color[] = {"\033[1;31m", "\033[1;33m", "\033[1m"};
    struct sy_cli *cli = context;
    if (cli->quiet && diagnostic->severity != SYSTOLE_ERROR)
        return;
    cli->errors += diagnostic->severity == SYSTOLE_ERROR;
    fputs("systole: ", stderr);
    print_place(diagnostic);
    bool colored = cli->color && cli->stderr_is_terminal;
    fprintf(stderr, "%s%s:%s %s\n", colored ? color[diagnostic->severity] : "", word[diagnostic->severity],
            colored ? "\033[0m" : "", diagnostic->message);
    if (diagnostic->hint)
        fprintf(stderr, "  hint: %s\n", diagnostic->hint);
}

/* ---- the folder with arch/ and workloads/ ---- */

static bool holds_data(const char *folder)
{
    char path[4096];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s/arch/chips", folder);
    return length > 0 && (size_t)length < sizeof path && !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* SYSTOLE_DATA, else the tree this program was built in, else beside its installation, else the configured prefix. */
static const char *find_data(char found[4096])
{
    static const char *const relative[] = {"/../..", "/../share/systole", "/../../.."};
    const char *named = getenv("SYSTOLE_DATA");
    if (named && *named)
        return named;
    char self[3072];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        *slash = '\0';
        for (size_t i = 0; i < sizeof relative / sizeof relative[0]; i++) {
            snprintf(found, 4096, "%s%s", self, relative[i]);
            if (holds_data(found))
                return found;
        }
    }
    snprintf(found, 4096, "%s/share/systole", SYSTOLE_PREFIX);
    return holds_data(found) ? found : NULL;
}

static bool shows_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8");
    }
    return false;
}

/* ---- subcommands ---- */

static const struct sy_subcommand *find(const char *name)
{
    for (size_t i = 0; sy_subcommands[i]; i++)
        if (!strcmp(sy_subcommands[i]->name, name))
            return sy_subcommands[i];
    return NULL;
}

static void print_usage(FILE *to)
{
    fputs(
        "systole: what would this chip do with this model?\n\nUsage: systole SUBCOMMAND [OPTION...]\n\nSubcommands:\n",
        to);
    for (size_t i = 0; sy_subcommands[i]; i++)
        fprintf(to, "  %-10s %s\n", sy_subcommands[i]->name, sy_subcommands[i]->summary);
    fputs("\nCommon options:\n"
          "  -q, --quiet      errors only\n"
          "  -v, --verbose    say what the run cost\n"
          "  -h, --help       help on systole or on a subcommand\n"
          "      --version    print the version\n\n"
          "Examples:\n"
          "  systole run -a tpu-v1 -w resnet50\n"
          "  systole list chips\n"
          "  systole run --help\n\n"
          "Exit status: 0 ok, 1 a checked figure moved, 2 usage, 3 invalid input, 4 input/output, 5 internal, 130 "
          "interrupted.\n",
          to);
}

static int unknown_subcommand(const char *name)
{
    const char *best = NULL;
    uint32_t distance = SY_CLI_FAR;
    for (size_t i = 0; sy_subcommands[i]; i++)
        if (sy_cli_nearer(name, sy_subcommands[i]->name, &distance))
            best = sy_subcommands[i]->name;
    fprintf(stderr, "systole: error: '%s' is not a subcommand%s%s%s\n  hint: `systole --help` lists them\n", name,
            best ? "; did you mean '" : "", best ? best : "", best ? "'?" : "");
    return systole_exit_code(SYSTOLE_USAGE);
}

static void print_effort(void)
{
    struct rusage own;
    if (getrusage(RUSAGE_SELF, &own))
        return;
    double seconds = (double)own.ru_utime.tv_sec + (double)own.ru_stime.tv_sec +
                     ((double)own.ru_utime.tv_usec + (double)own.ru_stime.tv_usec) * 1e-6;
    fprintf(stderr, "systole: %.3f CPU seconds, at most %ld KiB of memory\n", seconds, own.ru_maxrss);
}

static int run(struct sy_cli *cli, const struct sy_subcommand *subcommand, int argc, char **argv)
{
    const char *operands[SY_MAX_OPERANDS];
    uint32_t count = 0;
    bool help = false;
    void *options = calloc(1, subcommand->options_size ? subcommand->options_size : 1);
    if (!options)
        return systole_exit_code(SYSTOLE_NOMEM);
    enum systole_status status = SYSTOLE_USAGE;
    if (subcommand->defaults)
        subcommand->defaults(options);
    if (sy_cli_parse(cli, subcommand, argc, argv, options, operands, &count, &help)) {
        if (help) {
            sy_cli_help(subcommand);
            status = SYSTOLE_OK;
        } else {
            status = subcommand->run(cli, options, operands, count);
        }
    }
    free(options);
    if ((fflush(stdout) || ferror(stdout)) && status == SYSTOLE_OK)
        status = sy_cli_error(cli, SYSTOLE_IO, "standard output could not be written");
    if (cli->verbose)
        print_effort();
    if (status != SYSTOLE_OK && status != SYSTOLE_CHECK_FAILED && !cli->errors)
        sy_cli_error(cli, status, "%s", systole_status_text(status));
    return systole_exit_code(status);
}

static void set_up(struct sy_cli *cli, char folder[4096])
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    cli->stderr_is_terminal = isatty(STDERR_FILENO);
    cli->stdout_is_terminal = isatty(STDOUT_FILENO);
    cli->color = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    cli->unicode = shows_utf8();
    cli->context.data_dir = find_data(folder);
    cli->context.diagnose = print_diagnostic;
    cli->context.diagnose_context = cli;
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
}

static int written(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return 0;
    fputs("systole: error: standard output could not be written\n", stderr);
    return systole_exit_code(SYSTOLE_IO);
}

int main(int argc, char **argv)
{
    char folder[4096];
    struct sy_cli cli = {.context = {.struct_size = sizeof cli.context}};
    set_up(&cli, folder);
    if (argc < 2) {
        print_usage(stderr);
        return systole_exit_code(SYSTOLE_USAGE);
    }
    if (!strcmp(argv[1], "--version")) {
        printf("systole %s (model %s)\n", systole_version(), systole_model_revision());
        return written();
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        if (argc > 2 && !find(argv[2]))
            return unknown_subcommand(argv[2]);
        if (argc > 2)
            sy_cli_help(find(argv[2]));
        else
            print_usage(stdout);
        return written();
    }
    const struct sy_subcommand *subcommand = find(argv[1]);
    return subcommand ? run(&cli, subcommand, argc - 2, argv + 2) : unknown_subcommand(argv[1]);
}
