/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job: one workload on one chip, and the figures that come of it. Jobs run
 * in any process; their outcomes travel as bytes between a worker and its
 * parent (same program, same machine: no other format is promised).
 *
 * Uses the public header only, as everything in sim/explore does.
 */
#ifndef SY_EXPLORE_JOB_H
#define SY_EXPLORE_JOB_H

#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"
#include "sim/include/systole.h"

struct sy_job {
    const char *chip, *workload;
    const char *const *set; /* NULL-terminated, or NULL */
};

enum { SY_JOB_ABSENT, SY_JOB_WHOLE, SY_JOB_REAL };
struct sy_job_value {
    uint32_t kind; /* as above: a figure that does not apply is absent */
    uint64_t whole;
    double real; /* of WHOLE too */
};

struct sy_job_outcome {
    enum systole_status status;
    const char *message;        /* of a failure: its first error, one line */
    struct sy_job_value *value; /* sy_figure_total() of them, NULL after a failure */
};

/* Runs jobs one after the other and keeps the last workload, which neighbours often share. */
struct sy_job_runner {
    const struct systole_context *context;
    const struct systole_import_options *import;
    const struct systole_run_options *run;
    struct systole_workload *workload; /* begin with NULL; freed by sy_job_runner_end */
    char *workload_name;
};
/* The outcome as bytes, appended to reply. */
void sy_job_run(struct sy_job_runner *runner, const struct sy_job *job, struct sy_buf *reply);
void sy_job_runner_end(struct sy_job_runner *runner);
/* From bytes; strings and values go to the arena. NULL reply or bytes that are no outcome: message says so. */
enum sy_status sy_job_decode(struct sy_arena *arena, const char *reply, size_t length, const char *when_lost,
                             struct sy_job_outcome *outcome);

/* ---- what the explorers share ---- */

/* How many figures totals has. */
size_t sy_figure_total(void);
struct systole_figure_info sy_figure_at(size_t index);
/* Index of a figure, or SIZE_MAX. */
size_t sy_figure_index(const char *name);
/* For people, by the figure's unit: "971.4 us", "9.2 %", "680,008". Returns out. */
char *sy_figure_show(char out[64], const struct systole_figure_info *figure, const struct sy_job_value *value);
/* For machines. */
char *sy_figure_text(char out[32], const struct sy_job_value *value);

/* Internal diagnostics to the caller's callback. context may be NULL. */
struct sy_diag sy_explore_sink(const struct systole_context *context);
/* Copies options of any version; false when their size is wrong. */
bool sy_explore_take(void *mine, size_t mine_size, const void *theirs);
/* Whether an explorer writes this format ("table", "json", and "csv" when it has rows); complains when not. */
bool sy_explore_knows_format(const char *format, bool csv, struct sy_diag *diag);
/* Hands a buffer over as text; the buffer is emptied. */
enum systole_status sy_explore_hand_over(struct sy_buf *buf, struct systole_text *text);

#endif
