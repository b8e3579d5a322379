/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check found: baselines, and in each the figures that were compared.
 * check.c fills it, check_write.c writes it. Everything lives in one arena.
 */
#ifndef SY_EXPLORE_CHECK_H
#define SY_EXPLORE_CHECK_H

#include "sim/explore/job.h"

enum sy_verdict {
    SY_VERDICT_SAME,      /* the same digits */
    SY_VERDICT_TOLERATED, /* moved, within the tolerance */
    SY_VERDICT_MOVED,
    SY_VERDICT_GONE, /* the baseline has it, the run does not */
    SY_VERDICT_COUNT
};
extern const char *const sy_verdict_names[SY_VERDICT_COUNT];

struct sy_check_row {
    const char *metric;    /* "cycles", "layer conv1 cycles" */
    const char *was, *is;  /* as JSON writes them; is NULL when gone */
    double change_percent; /* of the baseline's; 0 when either is not a number */
    double tolerance_percent;
    enum sy_verdict verdict;
};

struct sy_check_baseline {
    const char *path;
    const char *chip, *workload; /* NULL when the file could not be read */
    enum systole_status status;  /* of reading and running */
    const char *message;         /* of a failure */
    const char *revision_was;    /* model revision of the baseline; NULL = unknown */
    bool model_changed;
    const char *inputs_changed; /* "chip", "workload", "chip and workload" or NULL */
    uint64_t rows, row_capacity, moved;
    struct sy_check_row *row;
};

struct sy_check {
    struct sy_arena *arena;
    uint32_t baselines;
    struct sy_check_baseline *baseline;
};

void sy_check_put_table(const struct sy_check *check, const struct systole_format_options *format, struct sy_buf *out);
void sy_check_put_json(const struct sy_check *check, struct sy_buf *out);
void sy_check_put_junit(const struct sy_check *check, struct sy_buf *out);

#endif
