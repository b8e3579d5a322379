/* SPDX-License-Identifier: Apache-2.0 */
/* Chrome trace-event JSON; see timeline.h. */
#include "sim/report/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/json.h"

enum { FLUSH_BYTES = 1 << 16, MAX_ROWS = 128 };

struct sy_timeline {
    struct sy_outfile *file;
    struct sy_buf text; /* not written yet */
    enum sy_status status;
    struct sy_hz core;
    uint32_t rows;
    struct row {
        const char *unit;
        uint64_t end; /* of its last event */
    } row[MAX_ROWS];
};

/* A writer at depth 0 writes a bare value. */
static void put_quoted(struct sy_buf *out, const char *text)
{
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_put_string(&json, NULL, text);
}

static void put_number(struct sy_buf *out, double value)
{
    char text[32];
    sy_buf_puts(out, sy_format_double(text, value));
}

static void flush(struct sy_timeline *timeline)
{
    if (timeline->text.failed)
        timeline->status = SY_NOMEM;
    if (timeline->status == SY_OK)
        timeline->status = sy_outfile_write(timeline->file, timeline->text.data, timeline->text.length);
    sy_buf_clear(&timeline->text);
}

enum sy_status sy_timeline_create(const char *path, const char *chip, const char *workload, struct sy_hz core,
                                  struct sy_timeline **timeline, struct sy_diag *diag)
{
    struct sy_timeline *made = calloc(1, sizeof *made);
    if (!made)
        return SY_NOMEM;
    enum sy_status status = sy_outfile_open(path, &made->file, diag);
    if (status != SY_OK) {
        free(made);
        return status;
    }
    made->core = core;
    struct sy_buf *out = &made->text;
    sy_buf_puts(out, "{\"displayTimeUnit\": \"ns\",\n \"otherData\": {\"schema\": \"systole.timeline/1\", \"chip\": ");
    put_quoted(out, chip);
    sy_buf_puts(out, ", \"workload\": ");
    put_quoted(out, workload);
    sy_buf_puts(out, ", \"core_hz\": ");
    put_number(out, (double)core.num / (double)core.den);
    sy_buf_puts(out, ", \"time\": \"ts and dur are microseconds of simulated time; args count core cycles\"},\n"
                     " \"traceEvents\": [\n"
                     "{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": ");
    put_quoted(out, chip);
    sy_buf_puts(out, "}}");
    *timeline = made;
    return SY_OK;
}

static void name_row(struct sy_timeline *timeline, uint32_t row, uint32_t number)
{
    struct sy_buf *out = &timeline->text;
    struct sy_buf name = {0};
    sy_buf_puts(&name, timeline->row[row].unit);
    if (number > 1)
        sy_buf_printf(&name, " (%u)", number);
    sy_buf_printf(out,
                  ",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": %u, \"name\": \"thread_name\", \"args\": {\"name\": ", row);
    put_quoted(out, name.data ? name.data : "");
    sy_buf_printf(out, "}},\n{\"ph\": \"M\", \"pid\": 1, \"tid\": %u, \"name\": \"thread_sort_index\", ", row);
    sy_buf_printf(out, "\"args\": {\"sort_index\": %u}}", row);
    sy_buf_free(&name);
}

/* A row of the unit that is free at `start`, a new one if none is. Beyond the limit, the unit's first. */
static uint32_t row_of(struct sy_timeline *timeline, const struct sy_timeline_event *event)
{
    uint32_t of_unit = 0, first = 0;
    for (uint32_t i = 0; i < timeline->rows; i++) {
        if (strcmp(timeline->row[i].unit, event->unit))
            continue;
        if (timeline->row[i].end <= event->start)
            return i;
        first = of_unit++ ? first : i;
    }
    if (timeline->rows == MAX_ROWS)
        return first;
    uint32_t row = timeline->rows++;
    timeline->row[row].unit = event->unit;
    name_row(timeline, row, of_unit + 1);
    return row;
}

void sy_timeline_add(struct sy_timeline *timeline, const struct sy_timeline_event *event)
{
    struct sy_buf *out = &timeline->text;
    double us_a_cycle = 1e6 * (double)timeline->core.den / (double)timeline->core.num;
    uint32_t row = row_of(timeline, event);
    timeline->row[row].end = event->end > timeline->row[row].end ? event->end : timeline->row[row].end;
    sy_buf_printf(out, ",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": %u, \"name\": ", row);
    put_quoted(out, event->layer ? event->layer : event->kind);
    sy_buf_puts(out, ", \"cat\": ");
    put_quoted(out, event->kind);
    sy_buf_puts(out, ", \"ts\": ");
    put_number(out, (double)event->start * us_a_cycle);
    sy_buf_puts(out, ", \"dur\": ");
    put_number(out, (double)(event->end - event->start) * us_a_cycle);
    sy_buf_printf(out, ", \"args\": {\"start_cycle\": %llu, \"cycles\": %llu, \"layer\": %llu, \"command\": %llu}}",
                  (unsigned long long)event->start, (unsigned long long)(event->end - event->start),
                  (unsigned long long)event->layer_index, (unsigned long long)event->command);
    if (out->length >= FLUSH_BYTES || out->failed)
        flush(timeline);
}

void sy_timeline_counter(struct sy_timeline *timeline, const char *name, double seconds, const char *unit, double value)
{
    struct sy_buf *out = &timeline->text;
    sy_buf_puts(out, ",\n{\"ph\": \"C\", \"pid\": 1, \"name\": ");
    put_quoted(out, name);
    sy_buf_puts(out, ", \"ts\": ");
    put_number(out, seconds * 1e6);
    sy_buf_puts(out, ", \"args\": {");
    put_quoted(out, unit);
    sy_buf_puts(out, ": ");
    put_number(out, value);
    sy_buf_puts(out, "}}");
    if (out->length >= FLUSH_BYTES || out->failed)
        flush(timeline);
}

static void release(struct sy_timeline *timeline)
{
    sy_buf_free(&timeline->text);
    free(timeline);
}

enum sy_status sy_timeline_commit(struct sy_timeline *timeline, struct sy_diag *diag)
{
    sy_buf_puts(&timeline->text, "\n]}\n");
    flush(timeline);
    enum sy_status status = timeline->status == SY_NOMEM ? SY_NOMEM : sy_outfile_commit(timeline->file, diag);
    if (timeline->status == SY_NOMEM)
        sy_outfile_abort(timeline->file);
    release(timeline);
    return status;
}

void sy_timeline_abandon(struct sy_timeline *timeline)
{
    if (!timeline)
        return;
    sy_outfile_abort(timeline->file);
    release(timeline);
}
