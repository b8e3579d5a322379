/* SPDX-License-Identifier: Apache-2.0 */
/* What subcommands share: loading by the common options, output that appears whole, progress. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/subcommand.h"

/* A plain number is one context; anything else a list of them or the file that holds it. */
static void set_context(const char *text, struct systole_import_options *import)
{
    char *end = NULL;
    if (!text)
        return;
    errno = 0;
    unsigned long long value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    bool number = end && !*end && !errno && value > 0;
    import->context = number ? value : 0;
    import->contexts = number ? NULL : text;
}

static void import_options(const struct sy_cli_workload *options, struct systole_import_options *import)
{
    *import = SYSTOLE_OPTIONS_INIT(struct systole_import_options);
    import->format = options->format;
    import->phase = options->phase;
    import->kind = options->kind;
    import->activation = options->activation;
    import->weight = options->weight;
    import->accumulator = options->accumulator;
    import->kv = options->kv;
    import->routing = options->routing;
    import->batch = options->batch;
    set_context(options->context, import);
    import->new_tokens = options->new_tokens;
    import->kv_page = options->kv_page;
    import->allow_unmodelled = options->allow_unmodelled;
    import->dims = options->dims.count ? options->dims.item : NULL;
    import->tensor_parallel = options->tensor_parallel;
    import->fuse = options->fuse.count ? options->fuse.item : NULL;
}

enum systole_status sy_cli_load_workload(struct sy_cli *cli, const struct sy_cli_workload *options,
                                         struct systole_workload **workload)
{
    struct systole_import_options import;
    import_options(options, &import);
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
    run->ert = model->ert;
    run->set_energy = model->set_energy.count ? model->set_energy.item : NULL;
    run->sram_macros = model->sram;
    run->area_table = model->area;
    run->power_limited = model->power_limited;
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

enum systole_status sy_cli_write(struct sy_cli *cli, const char *path, struct systole_text *text)
{
    enum systole_status status = fflush(stdout) ? SYSTOLE_IO : SYSTOLE_OK; /* what was printed comes first */
    if (status == SYSTOLE_OK)
        status = systole_write_file(&cli->context, path, text->data, text->length);
    systole_text_free(text);
    return status;
}

void sy_cli_explore_progress(void *context, uint64_t done, uint64_t total)
{
    sy_cli_progress(context, "candidates", done, total);
}

uint32_t sy_cli_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 && count < 1024 ? (uint32_t)count : 1;
}

void sy_cli_explore_options(struct sy_cli *cli, const struct sy_cli_model *model,
                            const struct sy_cli_workload *workload, const struct sy_cli_output *output,
                            uint64_t workers, struct sy_cli_explore *explore)
{
    sy_cli_run_options(model, &explore->run);
    import_options(workload, &explore->import);
    sy_cli_format_options(cli, output, 1, &explore->format);
    explore->options = SYSTOLE_OPTIONS_INIT(struct systole_explore_options);
    explore->options.workers = workers < UINT32_MAX ? (uint32_t)workers : UINT32_MAX;
    explore->options.import = &explore->import;
    explore->options.run = &explore->run;
    explore->options.set = model->set.count ? model->set.item : NULL;
    explore->options.format = &explore->format;
    explore->options.cancel = sy_cli_cancel();
    explore->options.progress = sy_cli_explore_progress;
    explore->options.progress_context = cli;
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
