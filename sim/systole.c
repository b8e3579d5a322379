/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: chips, workloads, runs, results. No logic of its own. See sim/include/systole.h. */
#include "sim/include/systole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/energy.h"
#include "sim/engine/replay.h"
#include "sim/report/report_format.h"
#include "sim/systole_internal.h"
#include "traces/trace.h"

_Static_assert((int)SYSTOLE_OK == (int)SY_OK && (int)SYSTOLE_CHECK_FAILED == (int)SY_CHECK_FAILED &&
                   (int)SYSTOLE_INPUT == (int)SY_INPUT && (int)SYSTOLE_IO == (int)SY_IO &&
                   (int)SYSTOLE_STATE == (int)SY_STATE && (int)SYSTOLE_INTERRUPTED == (int)SY_INTERRUPTED,
               "public and internal status codes are the same list");

/* Changes when any modelled figure may have changed. */
static const char model_revision[] = "2026-11-24.1";

const char *systole_status_text(enum systole_status status)
{
    return sy_status_text((enum sy_status)status);
}

int systole_exit_code(enum systole_status status)
{
    return sy_status_exit_code((enum sy_status)status);
}

const char *systole_version(void)
{
    return SYSTOLE_VERSION_STRING;
}

const char *systole_model_revision(void)
{
    return model_revision;
}

/* ---- plumbing ---- */

static void forward(void *context, const struct sy_diag_msg *message)
{
    const struct systole_context *own = context;
    struct systole_diagnostic diagnostic = {.severity = (enum systole_severity)message->severity,
                                            .file = message->where.file,
                                            .line = message->where.line,
                                            .column = message->where.column,
                                            .has_offset = message->where.has_offset,
                                            .byte_offset = message->where.byte_offset,
                                            .message = message->message,
                                            .hint = message->hint};
    own->diagnose(own->diagnose_context, &diagnostic);
}

struct sy_diag systole_sink(const struct systole_context *context)
{
    union {
        const struct systole_context *in;
        void *out;
    } cast = {context};
    return (struct sy_diag){.fn = context && context->diagnose ? forward : NULL, .ctx = cast.out};
}

int systole_take_options(void *mine, size_t mine_size, const void *theirs)
{
    memset(mine, 0, mine_size);
    if (!theirs)
        return 1;
    size_t size;
    memcpy(&size, theirs, sizeof size);
    if (size < sizeof size)
        return 0;
    memcpy(mine, theirs, size < mine_size ? size : mine_size);
    return 1;
}

enum systole_status systole_hand_over(struct sy_buf *buf, struct systole_text *text)
{
    if (buf->failed) {
        sy_buf_free(buf);
        return SYSTOLE_NOMEM;
    }
    sy_buf_puts(buf, "");
    text->data = buf->data;
    text->length = buf->length;
    memset(buf, 0, sizeof *buf);
    return SYSTOLE_OK;
}

void systole_text_free(struct systole_text *text)
{
    if (!text)
        return;
    free(text->data);
    *text = (struct systole_text){0};
}

char *systole_data_file(const struct systole_context *context, const char *folder, const char *name, const char *suffix)
{
    struct stat info;
    struct sy_buf path = {0};
    if (!context || !context->data_dir || strchr(name, '/'))
        return NULL;
    sy_buf_printf(&path, "%s/%s/%s%s", context->data_dir, folder, name, suffix);
    if (path.failed || stat(path.data, &info) || !S_ISREG(info.st_mode)) {
        sy_buf_free(&path);
        return NULL;
    }
    return path.data;
}

/* ---- chips ---- */

enum systole_status systole_chip_load(const struct systole_context *context, const char *name_or_path,
                                      const char *const *set, struct systole_chip **chip)
{
    struct sy_diag diag = systole_sink(context);
    struct sy_chip_options options = {.data_dir = context ? context->data_dir : NULL, .set = set};
    struct systole_chip *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    enum sy_status status = sy_chip_load(name_or_path, &options, &made->chip, &diag);
    if (status == SY_OK && !(made->path = strdup(name_or_path))) {
        sy_chip_destroy(made->chip);
        status = SY_NOMEM;
    }
    if (status != SY_OK) {
        free(made);
        return (enum systole_status)status;
    }
    *chip = made;
    return SYSTOLE_OK;
}

void systole_chip_free(struct systole_chip *chip)
{
    if (!chip)
        return;
    sy_chip_destroy(chip->chip);
    free(chip->path);
    free(chip);
}

const char *systole_chip_name(const struct systole_chip *chip)
{
    return chip->chip->name;
}

enum systole_status systole_chip_show(const struct systole_context *context, const struct systole_chip *chip,
                                      const char *format, struct systole_text *text)
{
    static const char *const formats[] = {[SY_CHIP_TABLE] = "table", [SY_CHIP_YAML] = "yaml", [SY_CHIP_JSON] = "json"};
    struct sy_diag diag = systole_sink(context);
    struct sy_buf out = {0};
    for (int i = 0; i < 3; i++) {
        if (strcmp(format ? format : "table", formats[i]))
            continue;
        enum sy_status status = sy_chip_show(chip->chip, (enum sy_chip_format)i, &out);
        if (status != SY_OK) {
            sy_buf_free(&out);
            return (enum systole_status)status;
        }
        return systole_hand_over(&out, text);
    }
    sy_error(&diag, SY_NOWHERE, "use table, yaml or json", "a chip cannot be shown as '%s'", format);
    return SYSTOLE_USAGE;
}

/* ---- runs ---- */

struct choice {
    const char *name;
    int value;
};

static int choose(const struct choice *choices, size_t count, const char *given, const char *what, struct sy_diag *diag)
{
    struct sy_buf known = {0};
    const char *names[8];
    if (!given)
        return choices[0].value;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(choices[i].name, given))
            return choices[i].value;
        names[i] = choices[i].name;
        sy_buf_printf(&known, "%s%s", i ? ", " : "", choices[i].name);
    }
    const char *near = sy_nearest(given, names, count);
    struct sy_buf hint = {0};
    sy_buf_printf(&hint, "%s%s%sknown: %s", near ? "did you mean " : "", near ? near : "", near ? "? " : "",
                  known.data ? known.data : "");
    sy_error(diag, SY_NOWHERE, hint.data, "%s '%s' is not known", what, given);
    sy_buf_free(&hint);
    sy_buf_free(&known);
    return -1;
}

#define CHOOSE(list, given, what) choose(list, sizeof list / sizeof list[0], given, what, diag)

static enum sy_status replay_options(const struct systole_run_options *options, const char *data_dir,
                                     struct sy_replay_options *replay, struct sy_diag *diag)
{
    static const struct choice fidelities[] = {{"event", SY_FIDELITY_EVENT}};
    static const struct choice memories[] = {{"shared", SY_MEMORY_SHARED}, {"ideal", SY_MEMORY_IDEAL}};
    static const struct choice objectives[] = {{"cycles", SY_OBJECTIVE_CYCLES},
                                               {"energy", SY_OBJECTIVE_ENERGY},
                                               {"edp", SY_OBJECTIVE_EDP},
                                               {"traffic", SY_OBJECTIVE_TRAFFIC}};
    static const struct choice kernels[] = {{"systemc", SCK_SYSTEMC}, {"heap", SCK_HEAP}};
    int fidelity = CHOOSE(fidelities, options->fidelity, "fidelity"),
        memory = CHOOSE(memories, options->memory, "memory model");
    int objective = CHOOSE(objectives, options->objective, "objective"),
        kernel = CHOOSE(kernels, options->kernel, "kernel");
    if (fidelity < 0 || memory < 0 || objective < 0 || kernel < 0)
        return SY_USAGE;
    *replay = (struct sy_replay_options){.fidelity = (enum sy_fidelity)fidelity,
                                         .memory = (enum sy_memory_mode)memory,
                                         .objective = (enum sy_objective)objective,
                                         .kernel = (enum sck_backend)kernel,
                                         .emit_schedule = options->emit_schedule,
                                         .vcd = options->vcd,
                                         .data_dir = data_dir,
                                         .progress = options->progress,
                                         .progress_context = options->progress_context,
                                         .cancel = options->cancel};
    return SY_OK;
}

static enum sy_status note_inputs(struct sy_result *result, const struct systole_chip *chip,
                                  const struct systole_workload *workload)
{
    const struct {
        const char *role, *path, *sha256;
    } inputs[] = {{"chip", chip->path, chip->chip->sha256}, {"workload", workload->given, workload->sha256}};
    for (size_t i = 0; i < 2; i++) {
        struct sy_result_input *input = &result->input[result->inputs++];
        input->role = inputs[i].role;
        input->path = sy_arena_strdup(result->arena, inputs[i].path);
        if (!input->path)
            return SY_NOMEM;
        memcpy(input->sha256, inputs[i].sha256, sizeof input->sha256);
    }
    return SY_OK;
}

static enum sy_status run(const struct systole_context *context, const struct systole_chip *chip,
                          const struct systole_workload *workload, const struct systole_run_options *options,
                          struct sy_result **result, struct sy_diag *diag)
{
    struct sy_replay_options replay;
    struct sy_trace_reader *reader = NULL;
    struct sy_energy_table *energy = NULL;
    const char *data_dir = context ? context->data_dir : NULL;
    enum sy_status status = replay_options(options, data_dir, &replay, diag);
    if (status != SY_OK)
        return status;
    const char *table = options->energy_table      ? options->energy_table
                        : chip->chip->energy_table ? chip->chip->energy_table
                                                   : "default";
    status = sy_energy_load(table, data_dir, &energy, diag);
    if (status == SY_OK)
        status = sy_trace_open(workload->path, workload->text, workload->length, &reader, diag);
    if (status == SY_OK)
        status = sy_replay(chip->chip, reader, energy, &replay, result, diag);
    sy_trace_close(reader);
    sy_energy_destroy(energy);
    return status;
}

enum systole_status systole_run(const struct systole_context *context, const struct systole_chip *chip,
                                const struct systole_workload *workload, const struct systole_run_options *options,
                                struct systole_result **result)
{
    struct systole_run_options mine;
    struct sy_diag diag = systole_sink(context);
    struct systole_result *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    enum sy_status status = systole_take_options(&mine, sizeof mine, options) ? SY_OK : SY_USAGE;
    if (status == SY_OK)
        status = run(context, chip, workload, &mine, &made->result, &diag);
    if (status == SY_OK && (status = note_inputs(made->result, chip, workload)) != SY_OK)
        sy_result_destroy(made->result);
    if (status != SY_OK) {
        free(made);
        return (enum systole_status)status;
    }
    *result = made;
    return SYSTOLE_OK;
}

void systole_result_free(struct systole_result *result)
{
    if (!result)
        return;
    sy_result_destroy(result->result);
    free(result);
}

enum systole_status systole_result_write(const struct systole_context *context, const struct systole_result *result,
                                         const struct systole_format_options *options, struct systole_text *text)
{
    struct systole_format_options mine;
    struct sy_diag diag = systole_sink(context);
    struct sy_buf out = {0};
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    const struct sy_report_format *writer = sy_report_format_find(mine.format ? mine.format : "table");
    if (!writer) {
        sy_error(&diag, SY_NOWHERE, "`systole list formats` names them", "output format '%s' is not known",
                 mine.format);
        return SYSTOLE_USAGE;
    }
    struct sy_report_options how = {.version = systole_version(),
                                    .model_revision = model_revision,
                                    .details = mine.details,
                                    .color = mine.color != 0,
                                    .unicode = mine.unicode != 0,
                                    .width = mine.width};
    enum sy_status status = writer->write(result->result, &how, &out);
    if (status != SY_OK) {
        sy_buf_free(&out);
        return (enum systole_status)status;
    }
    return systole_hand_over(&out, text);
}

enum systole_status systole_result_format(const struct systole_context *context, const struct systole_result *result,
                                          const char *format, int details, struct systole_text *text)
{
    struct systole_format_options options = SYSTOLE_OPTIONS_INIT(struct systole_format_options);
    options.format = format;
    options.details = details;
    return systole_result_write(context, result, &options, text);
}

enum systole_status systole_result_figure(const struct systole_result *result, const char *name, double *value)
{
    for (size_t i = 0; i < sy_figure_count; i++) {
        uint64_t whole;
        double real;
        if (strcmp(sy_figures[i].name, name))
            continue;
        if (!sy_figures[i].get(result->result, &real, &whole))
            return SYSTOLE_UNSUPPORTED;
        *value = real;
        return SYSTOLE_OK;
    }
    return SYSTOLE_USAGE;
}

const char *systole_result_figure_name(size_t index)
{
    return index < sy_figure_count ? sy_figures[index].name : NULL;
}

uint64_t systole_result_cycles(const struct systole_result *result)
{
    return result->result->cycles;
}

uint64_t systole_result_macs(const struct systole_result *result)
{
    return result->result->macs;
}
