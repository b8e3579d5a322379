/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of arch share: where the data lies, and a sink that keeps every message. */
#ifndef TESTS_UNIT_ARCH_SUPPORT_H
#define TESTS_UNIT_ARCH_SUPPORT_H

#include "arch/chip.h"
#include "sim/base/text.h"
#include "tests/unit/base_support.h"

static inline const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

/* Every message on a line of its own: "FILE:LINE:COLUMN: MESSAGE [HINT]"; folders are cut off the file. */
struct log_sink {
    struct sy_diag diag;
    struct sy_buf text;
};

static inline void log_message(void *ctx, const struct sy_diag_msg *msg)
{
    struct log_sink *log = ctx;
    const char *file = msg->where.file ? msg->where.file : "";
    const char *slash = strrchr(file, '/');
    sy_buf_printf(&log->text, "%s:%u:%u: %s", slash ? slash + 1 : file, msg->where.line, msg->where.column,
                  msg->message);
    if (msg->hint)
        sy_buf_printf(&log->text, " [%s]", msg->hint);
    sy_buf_puts(&log->text, "\n");
}

static inline struct sy_diag *log_start(struct log_sink *log)
{
    memset(log, 0, sizeof *log);
    log->diag.fn = log_message;
    log->diag.ctx = log;
    return &log->diag;
}

static inline const char *log_text(const struct log_sink *log)
{
    return log->text.data ? log->text.data : "";
}

static inline void log_end(struct log_sink *log)
{
    sy_buf_free(&log->text);
}

#endif
