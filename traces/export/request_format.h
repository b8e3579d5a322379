/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory request traces of other tools: one file a format, registered by the
 * build from the line `const struct sy_request_format sy_request_format_NAME = {`.
 * One request of one burst a line.
 */
#ifndef SY_TRACES_REQUEST_FORMAT_H
#define SY_TRACES_REQUEST_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/text.h"

struct sy_request {
    uint64_t address; /* of its burst, bytes */
    uint64_t clock;   /* of the memory's command bus: the DMA engine offers it from here on */
    bool is_write;
};

struct sy_request_format {
    const char *name; /* "dramsim3" */
    const char *doc;  /* one sentence */
    void (*put)(const struct sy_request *request, struct sy_buf *out);
};

extern const struct sy_request_format *const sy_request_formats[]; /* NULL-terminated, sorted by file name */

#endif
