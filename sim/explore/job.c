/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and their outcomes; see job.h. */
#include "sim/explore/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- diagnostics and options ---- */

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

struct sy_diag sy_explore_sink(const struct systole_context *context)
{
    union {
        const struct systole_context *in;
        void *out;
    } cast = {context};
    return (struct sy_diag){.fn = context && context->diagnose ? forward : NULL, .ctx = cast.out};
}

bool sy_explore_take(void *mine, size_t mine_size, const void *theirs)
{
    size_t size;
    memset(mine, 0, mine_size);
    if (!theirs)
        return true;
    memcpy(&size, theirs, sizeof size);
    if (size < sizeof size)
        return false;
    memcpy(mine, theirs, size < mine_size ? size : mine_size);
    return true;
}

bool sy_explore_knows_format(const char *format, bool csv, struct sy_diag *diag)
{
    if (!format || !strcmp(format, "table") || !strcmp(format, "json") || (csv && !strcmp(format, "csv")))
        return true;
    sy_error(diag, SY_NOWHERE, csv ? "use table, csv or json" : "use table or json", "this cannot be written as '%s'",
             format);
    return false;
}

enum systole_status sy_explore_hand_over(struct sy_buf *buf, struct systole_text *text)
{
    sy_buf_puts(buf, "");
    if (buf->failed) {
        sy_buf_free(buf);
        return SYSTOLE_NOMEM;
    }
    text->data = buf->data;
    text->length = buf->length;
    memset(buf, 0, sizeof *buf);
    return SYSTOLE_OK;
}

/* ---- figures ---- */

size_t sy_figure_total(void)
{
    size_t count = 0;
    while (systole_result_figure_name(count))
        count++;
    return count;
}

struct systole_figure_info sy_figure_at(size_t index)
{
    struct systole_figure_info info = SYSTOLE_OPTIONS_INIT(struct systole_figure_info);
    (void)systole_figure_describe(index, &info);
    return info;
}

size_t sy_figure_index(const char *name)
{
    const char *at;
    for (size_t i = 0; (at = systole_result_figure_name(i)); i++)
        if (!strcmp(at, name))
            return i;
    return SIZE_MAX;
}

char *sy_figure_text(char out[32], const struct sy_job_value *value)
{
    switch (value->kind) {
    case SY_JOB_WHOLE:
        return sy_format_u64(out, value->whole);
    case SY_JOB_REAL:
        return sy_format_double(out, value->real);
    default:
        *out = '\0';
        return out;
    }
}

char *sy_figure_show(char out[64], const struct systole_figure_info *figure, const struct sy_job_value *value)
{
    static const struct {
        const char *unit, *si;
    } units[] = {{"s", "s"},    {"J", "J"},         {"W", "W"},           {"J s", "J s"},
                 {"byte", "B"}, {"MAC/s", "MAC/s"}, {"MAC/byte", "MAC/B"}};
    char number[32];
    if (value->kind == SY_JOB_ABSENT)
        return strcpy(out, "-");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(figure->unit, units[i].unit))
            return strcpy(out, sy_format_si(number, value->real, units[i].si));
    if (!strncmp(figure->unit, "of ", 3)) {
        (void)snprintf(out, 64, "%s %%", sy_format_fixed(number, value->real * 100, 2));
        return out;
    }
    return strcpy(out, value->kind == SY_JOB_WHOLE ? sy_format_grouped(number, value->whole)
                                                   : sy_format_double(number, value->real));
}

/* ---- one job ---- */

/* The first error of a job, in one line; warnings of thousands of candidates would say the same again and again. */
struct first_error {
    char text[768];
};

static void keep_first(void *context, const struct systole_diagnostic *diagnostic)
{
    struct first_error *first = context;
    if (diagnostic->severity != SYSTOLE_ERROR || first->text[0])
        return;
    int used = 0;
    if (diagnostic->file)
        used = snprintf(first->text, sizeof first->text, "%s: ", diagnostic->file);
    if (used >= 0 && (size_t)used < sizeof first->text)
        (void)snprintf(first->text + used, sizeof first->text - (size_t)used, "%s", diagnostic->message);
}

static enum systole_status take_workload(struct sy_job_runner *runner, const struct systole_context *context,
                                         const char *name)
{
    if (runner->workload && !strcmp(runner->workload_name, name))
        return SYSTOLE_OK;
    sy_job_runner_end(runner);
    enum systole_status status = systole_workload_load(context, name, runner->import, &runner->workload);
    if (status == SYSTOLE_OK && !(runner->workload_name = strdup(name))) {
        sy_job_runner_end(runner);
        return SYSTOLE_NOMEM;
    }
    return status;
}

void sy_job_runner_end(struct sy_job_runner *runner)
{
    systole_workload_free(runner->workload);
    free(runner->workload_name);
    runner->workload = NULL;
    runner->workload_name = NULL;
}

static void put_values(const struct systole_result *result, struct sy_buf *reply)
{
    size_t count = sy_figure_total();
    for (size_t i = 0; i < count; i++) {
        struct systole_figure_info figure = sy_figure_at(i);
        struct sy_job_value value;
        memset(&value, 0, sizeof value);
        if (systole_result_figure(result, figure.name, &value.real) == SYSTOLE_OK)
            value.kind = figure.integer && systole_result_count(result, figure.name, &value.whole) == SYSTOLE_OK
                             ? SY_JOB_WHOLE
                             : SY_JOB_REAL;
        sy_buf_append(reply, (const char *)&value, sizeof value);
    }
}

void sy_job_run(struct sy_job_runner *runner, const struct sy_job *job, struct sy_buf *reply)
{
    struct first_error first = {.text = ""};
    struct systole_context context = SYSTOLE_OPTIONS_INIT(struct systole_context);
    struct systole_chip *chip = NULL;
    struct systole_result *result = NULL;
    if (runner->context)
        context = *runner->context;
    context.diagnose = keep_first;
    context.diagnose_context = &first;
    enum systole_status status = systole_chip_load(&context, job->chip, job->set, &chip);
    if (status == SYSTOLE_OK)
        status = take_workload(runner, &context, job->workload);
    if (status == SYSTOLE_OK)
        status = systole_run(&context, chip, runner->workload, runner->run, &result);
    sy_buf_append(reply, (const char *)&status, sizeof status);
    if (status == SYSTOLE_OK)
        put_values(result, reply);
    else
        sy_buf_puts(reply, first.text[0] ? first.text : systole_status_text(status));
    systole_result_free(result);
    systole_chip_free(chip);
}

enum sy_status sy_job_decode(struct sy_arena *arena, const char *reply, size_t length, const char *when_lost,
                             struct sy_job_outcome *outcome)
{
    size_t values = sy_figure_total() * sizeof(struct sy_job_value);
    memset(outcome, 0, sizeof *outcome);
    outcome->status = SYSTOLE_INTERNAL;
    if (reply && length >= sizeof outcome->status)
        memcpy(&outcome->status, reply, sizeof outcome->status);
    bool good = reply && outcome->status == SYSTOLE_OK && length == sizeof outcome->status + values;
    if (good) {
        outcome->value = sy_arena_alloc(arena, values);
        if (!outcome->value)
            return SY_NOMEM;
        memcpy(outcome->value, reply + sizeof outcome->status, values);
        return SY_OK;
    }
    if (outcome->status == SYSTOLE_OK)
        outcome->status = SYSTOLE_INTERNAL;
    bool told = reply && length > sizeof outcome->status;
    outcome->message = told ? sy_arena_strndup(arena, reply + sizeof outcome->status, length - sizeof outcome->status)
                            : sy_arena_strdup(arena, when_lost ? when_lost : "no answer from the worker");
    return outcome->message ? SY_OK : SY_NOMEM;
}
