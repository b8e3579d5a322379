/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output formats: one file each, registered by the build from the line
 * `const struct sy_report_format sy_report_format_NAME = {`. A format only
 * writes down a result; it computes nothing.
 */
#ifndef SY_REPORT_FORMAT_H
#define SY_REPORT_FORMAT_H

#include "sim/base/text.h"
#include "sim/stats/result.h"

struct sy_report_options {
    const char *version, *model_revision;
    int details;    /* 0: totals; 1: layers too; 2: and every energy row */
    bool color;     /* a terminal that shows colour */
    bool unicode;   /* a terminal that shows UTF-8 */
    uint32_t width; /* columns of the terminal, 0 = 100 */
};

struct sy_report_format {
    const char *name;   /* "json" */
    const char *suffix; /* ".json" */
    const char *doc;    /* one sentence */
    enum sy_status (*write)(const struct sy_result *result, const struct sy_report_options *options,
                            struct sy_buf *out);
};

extern const struct sy_report_format *const sy_report_formats[]; /* NULL-terminated, sorted by file name */

/* The format of that name, or NULL. */
const struct sy_report_format *sy_report_format_find(const char *name);

/* ---- the figures of `totals`: one table for JSON, CSV, the public call and `check` ---- */
/* Neither: chips of different clocks are not ranked by cycles. */
enum sy_better { SY_LOWER = -1, SY_NEITHER, SY_HIGHER };
struct sy_figure_info {
    const char *name; /* key in JSON: "dram_read_bytes" */
    const char *unit; /* "byte" */
    bool integer;
    enum sy_better better;
    const char *doc;
    /* false when the figure does not apply to this result: it is then left out, not zero. */
    bool (*get)(const struct sy_result *result, double *value, uint64_t *whole);
};
extern const struct sy_figure_info sy_figures[];
extern const size_t sy_figure_count;

#endif
