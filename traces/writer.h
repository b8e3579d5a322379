/* SPDX-License-Identifier: Apache-2.0 */
/* The writer below its records: whole lines, for tools that copy text as it stands (tools.c, recover.c). */
#ifndef SY_TRACES_WRITER_H
#define SY_TRACES_WRITER_H

#include "sim/base/text.h"
#include "traces/block.h"
#include "traces/syntax.h"
#include "traces/trace.h"

/* A writer without version and net lines. */
enum sy_status sy_writer_open(const char *path, const struct sy_trace_writer_options *options,
                              struct sy_trace_writer **writer, struct sy_diag *diag);
/* Append a line as it is; at most SY_TRACE_MAX_LINE bytes, the last of them a newline. Counts no record. */
enum sy_status sy_writer_put_line(struct sy_trace_writer *writer, const char *line, size_t length);
/* Count the line just put as a record of this form. */
void sy_writer_count(struct sy_trace_writer *writer, enum sy_form form);
/* sy_trace_finish without the end line. */
enum sy_status sy_writer_close(struct sy_trace_writer *writer);

#endif
