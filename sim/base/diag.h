/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what was wrong, where, and what to do about it.
 *
 * A struct sy_diag is a sink the caller owns and passes down; the library
 * never prints. Readers report every error they can find before they return
 * SY_INPUT, not only the first. Not thread safe: one sink per thread.
 * A NULL sink is allowed everywhere and drops the messages.
 */
#ifndef SY_BASE_DIAG_H
#define SY_BASE_DIAG_H

#include <stdarg.h>
#include <stdint.h>

#include "sim/base/status.h"

enum sy_severity { SY_SEV_ERROR, SY_SEV_WARNING, SY_SEV_NOTE };

/* Where in an input. file may be NULL (not from a file); line and column are
 * 1-based, 0 = unknown. byte_offset is used instead of line for binary or
 * compressed input when has_offset is set. Strings are borrowed for the call. */
struct sy_where {
    const char *file;
    uint32_t line;
    uint32_t column;
    int has_offset;
    uint64_t byte_offset;
};

struct sy_diag_msg {
    enum sy_severity severity;
    struct sy_where where;
    const char *message; /* what was found and what was expected, one sentence, no newline */
    const char *hint;    /* what to do; NULL when there is nothing useful to say */
};

/* Strings of the message live only for the call. */
typedef void (*sy_diag_fn)(void *ctx, const struct sy_diag_msg *msg);

struct sy_diag {
    sy_diag_fn fn; /* NULL counts only */
    void *ctx;
    uint32_t max_errors; /* later errors are counted, not delivered; 0 = 100 */
    uint32_t errors;     /* counted so far */
    uint32_t warnings;
};

/* Deliver one message. hint may be NULL. Always returns SY_INPUT for an error
 * severity and SY_OK otherwise, so that a reader can `return sy_error(...)`. */
enum sy_status sy_diag_report(struct sy_diag *diag, enum sy_severity severity, struct sy_where where, const char *hint,
                              const char *format, ...) __attribute__((format(printf, 5, 6)));
enum sy_status sy_diag_vreport(struct sy_diag *diag, enum sy_severity severity, struct sy_where where, const char *hint,
                               const char *format, va_list args) __attribute__((format(printf, 5, 0)));

#define SY_NOWHERE ((struct sy_where){0})
#define sy_error(diag, where, hint, ...) sy_diag_report((diag), SY_SEV_ERROR, (where), (hint), __VA_ARGS__)
#define sy_warn(diag, where, hint, ...) ((void)sy_diag_report((diag), SY_SEV_WARNING, (where), (hint), __VA_ARGS__))

/* The candidate nearest to `word` by edit distance (case-insensitive), or NULL
 * when none is near enough to be a likely typo. candidates: count strings. */
const char *sy_nearest(const char *word, const char *const *candidates, uint64_t count);

#endif
