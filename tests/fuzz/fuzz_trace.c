/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a layer trace: read to the end or to an error, with a step back
 * now and then. What was read must be writable, and read back the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sy_syntax *syntax;
static char *line, *again;

/* The canonical line of a record, empty when it has none. */
static size_t format(const struct sy_trace_record *record, char *to)
{
    struct sy_line_out out = {.data = to, .room = SY_TRACE_MAX_LINE};
    const char *why = NULL;
    bool written = true;
    if (record->kind == SY_TRACE_LAYER) {
        written = sy_format_layer(&out, syntax, &record->layer, &why);
    } else if (record->kind == SY_TRACE_COMMAND) {
        written = sy_format_command(&out, syntax, &record->command, record->command_id, &why);
    }
    if (!written) {
        abort();
    }
    return out.length;
}

/* A formatted record, parsed by itself, must format to the same bytes. */
static void check_record(const struct sy_trace_record *record)
{
    size_t length = format(record, line);
    if (length == 0) {
        return;
    }
    static char names[SY_TRACE_NAMES_ROOM];
    struct sy_trace_record copy;
    struct sy_parsed parsed = {.record = &copy};
    memset(line + length, 0, 16);
    struct sy_scan scan = {.syntax = syntax,
                           .start = line,
                           .end = line + length - 1,
                           .names = names,
                           .line = 1,
                           .command_id = record->command_id,
                           .check = true};
    copy.command_id = record->command_id;
    if (!sy_scan_begin(&scan) || sy_parse_line(&scan, &parsed) != SY_OK || format(&copy, again) != length ||
        memcmp(line, again, length) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    struct sy_trace_mark mark;
    if (syntax == NULL) {
        syntax = sy_syntax_create();
        line = malloc(SY_TRACE_MAX_LINE + 16);
        again = malloc(SY_TRACE_MAX_LINE + 16);
    }
    if (sy_trace_open("fuzz", data, size, &reader, NULL) != SY_OK) {
        return 0;
    }
    unsigned steps = 0, back = 0;
    bool marked = false, ended = false;
    while (!ended && sy_trace_next(reader, &record) == SY_OK) {
        check_record(&record);
        ended = record.kind == SY_TRACE_END;
        if (record.kind == SY_TRACE_REPEAT || steps % 7 == 3) {
            marked = sy_trace_tell(reader, &mark) == SY_OK;
        } else if (!ended && marked && back < 8 && (record.kind == SY_TRACE_END_REPEAT || steps % 11 == 5)) {
            back++;
            if (sy_trace_seek(reader, &mark) != SY_OK) {
                abort();
            }
        }
        steps++;
    }
    if (ended && back == 0 && sy_trace_seek_record(reader, steps / 2) != SY_OK) {
        abort();
    }
    sy_trace_close(reader);
    return 0;
}
