/* SPDX-License-Identifier: Apache-2.0 */
/* Running a validation suite in a test: on its shipped tables, or on a table given as text; what was said is kept. */
#ifndef TESTS_UNIT_SUITE_SUPPORT_H
#define TESTS_UNIT_SUITE_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/validate/suite.h"
#include "tests/unit/run_support.h"

static inline const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

/* Diagnostics of the last validation, "line:column: message; hint" a line. */
static char messages[4096];

static inline void collect(void *ctx, const struct sy_diag_msg *msg)
{
    (void)ctx;
    size_t used = strlen(messages);
    (void)snprintf(messages + used, sizeof messages - used, "%u:%u: %s%s%s\n", msg->where.line, msg->where.column,
                   msg->message, msg->hint ? "; " : "", msg->hint ? msg->hint : "");
}

/* path: a CSV, or NULL for the shipped tables. */
static inline enum sy_status validate_file(const char *suite, const char *path, struct sy_validation *validation)
{
    struct sy_validate_options options = {.data_dir = data_dir(), .data = path};
    struct sy_diag diag = {.fn = collect};
    messages[0] = '\0';
    return sy_validate_run(suite, &options, validation, &diag);
}

static inline enum sy_status validate_text(const char *suite, const char *table, struct sy_validation *validation)
{
    char path[512];
    const char *dir = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/systole_suite_XXXXXX", dir ? dir : P_tmpdir);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, table, strlen(table)), (int)strlen(table));
    (void)close(fd);
    enum sy_status status = validate_file(suite, path, validation);
    (void)unlink(path);
    return status;
}

#endif
