/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation: replays the rows of a table of known figures through the model
 * and measures the error. A suite is one file, sim/validate/suite_NAME.c, that
 * defines `const struct sy_suite sy_suite_NAME`; the registry finds it.
 *
 * A row has figures. A row is exact when every figure that is not blank is met:
 * integers equal, reals within 1e-9 relative; a row the reference could not run
 * is exact when the model refuses it too. One figure a suite is the main one:
 * its error in percent of the known value goes into the statistics. Nothing
 * here has a threshold.
 *
 * Thread safe: everything lives in the caller's struct sy_validation.
 */
#ifndef SY_VALIDATE_SUITE_H
#define SY_VALIDATE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/csv.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

/* ---- what a validation gives ---- */

struct sy_validation_stats {
    uint64_t rows;
    uint64_t exact;
    uint64_t refused;  /* rows the model refused, rightly or not */
    uint64_t measured; /* rows with an error of the main figure; without any, the five below are 0 and absent */
    double mape, median_ape, p90_ape, max_ape; /* percent; p90 interpolates between ranks */
    double r2;                                 /* 1 - residual / total sum of squares of the main figure */
    bool has_r2;                               /* false when the known values do not vary */
};
struct sy_validation_row {
    const char *file;
    uint32_t line;
    const char *group;
    bool exact, refused;
    bool measured;
    bool aside;              /* counts in its group only: a figure beside the main one */
    double expected, actual; /* main figure */
    double ape;              /* percent */
    const char *note;        /* first figure that is not met, or why it was refused; NULL when exact and run */
    const char *label, *unit, *confidence, *how; /* of a suite whose rows are listed one by one; else NULL */
};
struct sy_validation_group {
    const char *name;
    struct sy_validation_stats stats;
};
/* Zero-initialise; free with sy_validation_free. Strings live as long. */
struct sy_validation {
    struct sy_arena *arena;
    const char *suite, *figure;
    struct sy_validation_stats total;
    uint64_t groups, rows;
    struct sy_validation_group *group; /* in the order their first rows came */
    struct sy_validation_row *row;     /* in file order */
    uint64_t row_capacity;
    bool listed; /* every row is printed, not only groups */
    uint64_t remarks;
    const char **remark; /* sentences below the table */
};

struct sy_validate_options {
    const char *data_dir; /* the folder that holds arch/ and tests/golden/ (a source tree or share/systole) */
    const char *data;     /* a CSV with the suite's columns; NULL = the suite's shipped tables */
    const char *memory;   /* dram: "burst" or "sampled"; NULL = the suite's default */
};

/* Run a suite by name. An unknown name, an unreadable file, a table without the
 * suite's columns and a cell that is not a number are reported (SY_INPUT or
 * SY_IO). Rows the model gets wrong are results, not errors. */
enum sy_status sy_validate_run(const char *suite, const struct sy_validate_options *options, struct sy_validation *out,
                               struct sy_diag *diag);
void sy_validation_free(struct sy_validation *validation);

/* "systole.validation/1" (DESIGN section 7), and a table for people with one
 * line a group; rows = also every row that is not exact. */
void sy_validation_put_json(const struct sy_validation *validation, struct sy_buf *out);
void sy_validation_put_table(const struct sy_validation *validation, bool rows, struct sy_buf *out);

/* ---- what a suite is ---- */

struct sy_suite_context {
    const struct sy_validate_options *options;
    struct sy_validation *out;
    struct sy_arena *arena; /* out->arena */
    struct sy_diag *diag;
    const struct sy_csv *table; /* the table being replayed */
};

struct sy_suite {
    const char *name;          /* as typed: "rtl" */
    const char *doc;           /* one sentence */
    const char *figure;        /* main figure: "cycles", "bandwidth", "read_energy", "time" */
    const char *const *tables; /* shipped CSVs below tests/golden, NULL-terminated; not shipped ones are skipped when
                                  `optional_tables`, else an error */
    bool optional_tables;
    bool listed; /* rows differ in kind: each is printed with its label, known and modelled figure */
    /* Replay context->table: for each row below the header sy_suite_add once.
     * Called once a table. Anything but SY_OK ends the validation. */
    enum sy_status (*run)(struct sy_suite_context *context);
};
/* NULL-terminated; generated. */
extern const struct sy_suite *const sy_suites[];
const struct sy_suite *sy_suite_find(const char *name); /* NULL when there is none */

/* ---- helpers for suites ---- */

/* One figure of a row. The first figure of a row is its main one. */
struct sy_suite_figure {
    const char *name;
    bool integer;
    bool blank;                            /* the reference has no value: not a figure */
    uint64_t expected_count, actual_count; /* integer */
    double expected, actual;               /* real */
};
struct sy_suite_row {
    uint32_t line;
    const char *group;    /* copied */
    bool expects_refusal; /* the reference could not run it */
    const char *refusal;  /* the model's reason, NULL when it ran it; copied */
    const struct sy_suite_figure *figure;
    uint32_t figures;
    const char *note; /* not NULL: the row is not exact for this further reason; copied */
    bool aside;       /* a figure beside the suite's main one: left out of the statistics of the whole */
    const char *label, *unit, *confidence, *how; /* listed suites; copied */
};
enum sy_status sy_suite_add(struct sy_suite_context *context, const struct sy_suite_row *row);

/* A sentence below the table; copied. */
enum sy_status sy_suite_remark(struct sy_suite_context *context, const char *text);

/* A column a suite reads. */
struct sy_suite_column {
    const char *name;
    bool required;
    int index; /* filled in: -1 when absent */
};
/* Look up columns in the header; every missing required one is reported. */
enum sy_status sy_suite_columns(struct sy_suite_context *context, struct sy_suite_column *column, size_t count);
/* The cell's text without surrounding blanks, "" when the column is absent. Lives in the arena. */
const char *sy_suite_text(const struct sy_suite_context *context, const struct sy_csv_row *row,
                          const struct sy_suite_column *column);
/* Number in a cell. *blank (may be NULL: then a blank is an error) is set for an empty one. */
enum sy_status sy_suite_u64(const struct sy_suite_context *context, const struct sy_csv_row *row,
                            const struct sy_suite_column *column, uint64_t *value, bool *blank);
enum sy_status sy_suite_double(const struct sy_suite_context *context, const struct sy_csv_row *row,
                               const struct sy_suite_column *column, double *value, bool *blank);
/* Whether a row is a blank line. */
bool sy_suite_row_is_blank(const struct sy_csv_row *row);
struct sy_where sy_suite_where(const struct sy_suite_context *context, const struct sy_csv_row *row,
                               const struct sy_suite_column *column);

#endif
