/* SPDX-License-Identifier: Apache-2.0 */
/* What reader, writer and the tools of traces/ share and nobody else needs. */
#ifndef SY_TRACES_READER_H
#define SY_TRACES_READER_H

#include "sim/base/text.h"
#include "traces/stream.h"
#include "traces/syntax.h"
#include "traces/trace.h"

/* Called with every line that was accepted, newline included, in file order; form -1 = version line, comment, blank.
 * A status other than SY_OK ends the reading with it. Not called again for lines read twice after a seek. */
typedef enum sy_status (*sy_line_fn)(void *context, const char *line, size_t length, int form);

/* sy_trace_open with a watcher (or NULL). */
enum sy_status sy_reader_open(const char *path, const void *data, size_t length, sy_line_fn watch, void *context,
                              struct sy_trace_reader **reader, struct sy_diag *diag);
/* What was read so far, in file order. */
const struct sy_block_state *sy_reader_state(const struct sy_trace_reader *reader);
/* How often the records read now run: the times of the open repeat blocks multiplied. */
uint64_t sy_reader_times(const struct sy_trace_reader *reader);
const struct sy_stream *sy_reader_stream(const struct sy_trace_reader *reader);
/* File name without folder and the endings .slt, .gz, .txt; malloc'ed, NULL when out of memory. */
char *sy_trace_name_of_file(const char *path);

#endif
