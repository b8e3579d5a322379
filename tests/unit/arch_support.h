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

/* A folder of one's own below TMPDIR, and files in it; scratch_end removes them (files first). */
struct scratch {
    char folder[200];
    char path[16][260];
    int files;
};

static inline void scratch_start(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    memset(scratch, 0, sizeof *scratch);
    snprintf(scratch->folder, sizeof scratch->folder, "%s/systole-test-XXXXXX", base ? base : P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(scratch->folder));
}

static inline const char *scratch_file(struct scratch *scratch, const char *name, const char *text)
{
    int i = 0;
    char path[260];
    snprintf(path, sizeof path, "%s/%s", scratch->folder, name);
    while (i < scratch->files && strcmp(scratch->path[i], path) != 0)
        i++;
    ck_assert_int_lt(i, 16);
    if (i == scratch->files)
        memcpy(scratch->path[scratch->files++], path, sizeof path);
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    ck_assert_int_eq(fclose(stream), 0);
    return scratch->path[i];
}

static inline void scratch_end(struct scratch *scratch)
{
    for (int i = 0; i < scratch->files; i++)
        remove(scratch->path[i]);
    remove(scratch->folder);
}

#endif
