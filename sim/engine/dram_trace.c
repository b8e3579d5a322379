/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_trace.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 };

struct sy_dram_trace {
    const struct sy_request_format *format;
    struct sy_outfile *file;
    struct sy_buf text;
    enum sy_status status;
};

static const struct sy_request_format *find(const char *name, size_t length)
{
    for (size_t i = 0; sy_request_formats[i]; i++)
        if (strlen(sy_request_formats[i]->name) == length && !strncmp(sy_request_formats[i]->name, name, length))
            return sy_request_formats[i];
    return NULL;
}

static enum sy_status refuse(const char *name, size_t length, struct sy_diag *diag)
{
    struct sy_buf known = {0};
    for (size_t i = 0; sy_request_formats[i]; i++)
        sy_buf_printf(&known, "%s%s", i ? ", " : "known: ", sy_request_formats[i]->name);
    sy_error(diag, SY_NOWHERE, known.data, "request trace format '%.*s' is not known; write FORMAT:FILE", (int)length,
             name);
    sy_buf_free(&known);
    return SY_USAGE;
}

enum sy_status sy_dram_trace_open(const char *spec, struct sy_dram_trace **out, struct sy_diag *diag)
{
    const char *colon = strchr(spec, ':'), *path = spec;
    const struct sy_request_format *format = find("dramsim3", strlen("dramsim3"));
    /* a word before a colon is a format; what has a slash or a dot in it is a path */
    if (colon && strcspn(spec, "/.") > (size_t)(colon - spec)) {
        format = find(spec, (size_t)(colon - spec));
        path = colon + 1;
    }
    if (!format)
        return refuse(spec, (size_t)(colon - spec), diag);
    struct sy_dram_trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return SY_NOMEM;
    trace->format = format;
    const enum sy_status status = sy_outfile_open(path, &trace->file, diag);
    if (status != SY_OK) {
        free(trace);
        return status;
    }
    *out = trace;
    return SY_OK;
}

static void flush(struct sy_dram_trace *trace)
{
    if (trace->text.failed)
        trace->status = SY_NOMEM;
    if (trace->status == SY_OK && trace->text.length)
        trace->status = sy_outfile_write(trace->file, trace->text.data, trace->text.length);
    sy_buf_clear(&trace->text);
}

void sy_dram_trace_put(struct sy_dram_trace *trace, const struct sy_request *request)
{
    trace->format->put(request, &trace->text);
    if (trace->text.length >= PIECE)
        flush(trace);
}

enum sy_status sy_dram_trace_commit(struct sy_dram_trace *trace, struct sy_diag *diag)
{
    flush(trace);
    const enum sy_status status = trace->status;
    if (status != SY_OK) {
        sy_dram_trace_abandon(trace);
        return status;
    }
    struct sy_outfile *file = trace->file;
    sy_buf_free(&trace->text);
    free(trace);
    return sy_outfile_commit(file, diag);
}

void sy_dram_trace_abandon(struct sy_dram_trace *trace)
{
    if (!trace)
        return;
    sy_outfile_abort(trace->file);
    sy_buf_free(&trace->text);
    free(trace);
}
