/* SPDX-License-Identifier: Apache-2.0 */
/* What subcommands share: loading by the common options, output that appears whole, progress. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/subcommand.h"

enum systole_status sy_cli_load_workload(struct sy_cli *cli, const struct sy_cli_workload *options,
                                         struct systole_workload **workload)
{
    struct systole_import_options import = SYSTOLE_OPTIONS_INIT(struct systole_import_options);
    import.format = options->format;
    import.phase = options->phase;
    import.kind = options->kind;
    import.activation = options->activation;
    import.weight = options->weight;
    import.accumulator = options->accumulator;
    import.batch = options->batch;
    import.context = options->context;
    import.new_tokens = options->new_tokens;
    import.allow_unmodelled = options->allow_unmodelled;
    import.dims = options->dims.count ? options->dims.item : NULL;
    return systole_workload_load(&cli->context, options->name, &import, workload);
}

void sy_cli_run_options(const struct sy_cli_model *model, struct systole_run_options *run)
{
    *run = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    run->fidelity = model->fidelity;
    run->memory = model->memory;
    run->objective = model->objective;
    run->kernel = model->kernel;
    run->energy_table = model->energy;
    run->seed = model->seed;
    run->cancel = sy_cli_cancel();
}

/* COLUMNS is what a shell exports; the terminal itself knows better. */
static uint32_t terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long width = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : columns ? strtol(columns, NULL, 10) : 0;
    return width >= 40 && width <= 1000 ? (uint32_t)width : 0;
}

void sy_cli_format_options(const struct sy_cli *cli, const struct sy_cli_output *output, int details,
                           struct systole_format_options *format)
{
    *format = SYSTOLE_OPTIONS_INIT(struct systole_format_options);
    format->format = output->format;
    format->details = details;
    if (!cli->stdout_is_terminal || output->path)
        return;
    format->width = terminal_width();
    format->color = cli->color;
    format->unicode = cli->unicode;
}

static enum systole_status write_failed(struct sy_cli *cli, const char *path)
{
    return sy_cli_error(cli, SYSTOLE_IO, "%s could not be written: %s", path, strerror(errno));
}

/* A device or pipe: nothing to rename onto. */
static enum systole_status write_directly(struct sy_cli *cli, const char *path, const struct systole_text *text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return write_failed(cli, path);
    bool good = fwrite(text->data, 1, text->length, file) == text->length;
    return fclose(file) || !good ? write_failed(cli, path) : SYSTOLE_OK;
}

/* Everything into the descriptor, with the mode an ordinary new file has; the descriptor is closed. */
static bool fill(int descriptor, const struct systole_text *text)
{
    mode_t mask = umask(0);
    umask(mask);
    FILE *file = fdopen(descriptor, "w");
    if (!file) {
        (void)close(descriptor);
        return false;
    }
    bool good =
        fwrite(text->data, 1, text->length, file) == text->length && !fflush(file) && !fchmod(descriptor, 0666 & ~mask);
    int cause = errno;
    if (fclose(file))
        return false;
    errno = cause;
    return good;
}

static enum systole_status write_file(struct sy_cli *cli, const char *path, const struct systole_text *text)
{
    char temporary[4096];
    struct stat info;
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return write_failed(cli, path);
    }
    if (!stat(path, &info) && !S_ISREG(info.st_mode))
        return write_directly(cli, path, text);
    int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        return write_failed(cli, path);
    if (fill(descriptor, text) && !rename(temporary, path))
        return SYSTOLE_OK;
    enum systole_status status = write_failed(cli, path);
    (void)unlink(temporary);
    return status;
}

enum systole_status sy_cli_write(struct sy_cli *cli, const char *path, struct systole_text *text)
{
    enum systole_status status = SYSTOLE_OK;
    if (path && strcmp(path, "-"))
        status = write_file(cli, path, text);
    else if (fwrite(text->data, 1, text->length, stdout) != text->length || fflush(stdout))
        status = sy_cli_error(cli, SYSTOLE_IO, "standard output could not be written");
    systole_text_free(text);
    return status;
}

void sy_cli_progress(struct sy_cli *cli, const char *what, uint64_t done, uint64_t total)
{
    static struct timespec started, shown; /* the command line is one process with one progress line */
    struct timespec now;
    if (!cli->stderr_is_terminal || cli->quiet)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!started.tv_sec)
        started = now;
    double elapsed = (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9;
    double since = (double)(now.tv_sec - shown.tv_sec) + (double)(now.tv_nsec - shown.tv_nsec) * 1e-9;
    if (done < total && since < 0.1)
        return;
    shown = now;
    double rate = elapsed > 0 ? (double)done / elapsed : 0;
    fprintf(stderr, "\r%s %llu/%llu", what, (unsigned long long)done, (unsigned long long)total);
    if (rate > 0 && done < total)
        fprintf(stderr, "  %.1f/s  ETA %.0f s ", rate, (double)(total - done) / rate);
    fputs(done >= total ? "\033[K\n" : "\033[K", stderr);
}
