/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: chips, workloads, runs, results. No logic of its own. See sim/include/systole.h. */
#include "sim/include/systole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/report/report_format.h"
#include "sim/systole_internal.h"

_Static_assert((int)SYSTOLE_OK == (int)SY_OK && (int)SYSTOLE_CHECK_FAILED == (int)SY_CHECK_FAILED &&
                   (int)SYSTOLE_INPUT == (int)SY_INPUT && (int)SYSTOLE_IO == (int)SY_IO &&
                   (int)SYSTOLE_STATE == (int)SY_STATE && (int)SYSTOLE_INTERRUPTED == (int)SY_INTERRUPTED,
               "public and internal status codes are the same list");

/* Changes when any modelled figure may have changed. */
static const char model_revision[] = "2026-11-25.1";

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

enum systole_status systole_write_file(const struct systole_context *context, const char *path, const char *data,
                                       size_t length)
{
    struct sy_diag diag = systole_sink(context);
    struct sy_outfile *file;
    enum sy_status status = sy_outfile_open(path, &file, &diag);
    if (status != SY_OK)
        return (enum systole_status)status;
    (void)sy_outfile_write(file, data, length); /* commit reports it */
    return (enum systole_status)sy_outfile_commit(file, &diag);
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
    struct sy_result_request request = {.chip = name_or_path, .set = set};
    struct systole_chip *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    enum sy_status status = sy_chip_load(name_or_path, &options, &made->chip, &diag);
    if (status == SY_OK)
        status = systole_keep_request(&request, &made->arena, &made->request);
    if (status != SY_OK) {
        systole_chip_free(made);
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
    sy_arena_destroy(chip->arena);
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

/* ---- results ---- */

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

enum systole_status systole_result_count(const struct systole_result *result, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < sy_figure_count; i++) {
        uint64_t whole;
        double real;
        if (strcmp(sy_figures[i].name, name) || !sy_figures[i].integer)
            continue;
        if (!sy_figures[i].get(result->result, &real, &whole))
            return SYSTOLE_UNSUPPORTED;
        *value = whole;
        return SYSTOLE_OK;
    }
    return SYSTOLE_USAGE;
}

enum systole_status systole_figure_describe(size_t index, struct systole_figure_info *info)
{
    if (index >= sy_figure_count || info->struct_size < sizeof info->struct_size)
        return SYSTOLE_USAGE;
    const struct sy_figure_info *figure = &sy_figures[index];
    struct systole_figure_info full = {.struct_size = info->struct_size,
                                       .name = figure->name,
                                       .unit = figure->unit,
                                       .doc = figure->doc,
                                       .integer = figure->integer,
                                       .better = (int)figure->better};
    memcpy(info, &full, info->struct_size < sizeof full ? info->struct_size : sizeof full);
    return SYSTOLE_OK;
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
