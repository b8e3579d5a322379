/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: a message never carries a control character, whatever the input
 * it quotes, so a hostile file cannot drive the terminal that shows it.
 */
#include "sim/base/diag.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 1024, DEFAULT_MAX_ERRORS = 100, LONGEST_WORD = 63 };

static void clean(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n' || c == '\t') {
            *text = ' ';
        } else if (c < 0x20 || c == 0x7f) {
            *text = '?';
        }
    }
}

enum sy_status sy_diag_vreport(struct sy_diag *diag, enum sy_severity severity, struct sy_where where, const char *hint,
                               const char *format, va_list args)
{
    enum sy_status status = severity == SY_SEV_ERROR ? SY_INPUT : SY_OK;
    if (diag == NULL) {
        return status;
    }
    if (severity == SY_SEV_ERROR) {
        uint32_t limit = diag->max_errors == 0 ? DEFAULT_MAX_ERRORS : diag->max_errors;
        if (diag->errors < UINT32_MAX) {
            diag->errors++;
        }
        if (diag->errors > limit) {
            return status;
        }
    } else if (severity == SY_SEV_WARNING && diag->warnings < UINT32_MAX) {
        diag->warnings++;
    }
    if (diag->fn == NULL) {
        return status;
    }
    char text[MESSAGE_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length < 0) {
        text[0] = '\0';
    } else if ((size_t)length >= sizeof text) {
        memcpy(text + sizeof text - 4, "...", 4);
    }
    clean(text);
    struct sy_diag_msg msg = {.severity = severity, .where = where, .message = text, .hint = hint};
    diag->fn(diag->ctx, &msg);
    return status;
}

enum sy_status sy_diag_report(struct sy_diag *diag, enum sy_severity severity, struct sy_where where, const char *hint,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum sy_status status = sy_diag_vreport(diag, severity, where, hint, format, args);
    va_end(args);
    return status;
}

static char fold_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b; both at most LONGEST_WORD bytes. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST_WORD + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        last[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_length; i++) {
        char ca = fold_case(a[i - 1]);
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            char cb = fold_case(b[j - 1]);
            now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == fold_case(b[j - 2]) && fold_case(a[i - 2]) == cb &&
                before[j - 2] + 1 < now[j]) {
                now[j] = before[j - 2] + 1;
            }
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

const char *sy_nearest(const char *word, const char *const *candidates, uint64_t count)
{
    size_t length = word == NULL ? 0 : strlen(word);
    if (length == 0 || length > LONGEST_WORD) {
        return NULL;
    }
    const char *best = NULL;
    unsigned best_distance = length < 3 ? 2 : (unsigned)(length / 3) + 1; /* first distance too far */
    for (uint64_t i = 0; i < count; i++) {
        size_t candidate_length = candidates[i] == NULL ? 0 : strlen(candidates[i]);
        if (candidate_length == 0 || candidate_length > LONGEST_WORD) {
            continue;
        }
        unsigned distance = edit_distance(word, length, candidates[i], candidate_length);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}
