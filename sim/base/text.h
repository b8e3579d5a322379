/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer, number formatting that gives the same bytes on every
 * machine and locale, whole-file reading, and files that appear whole or not
 * at all.
 */
#ifndef SY_BASE_TEXT_H
#define SY_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/diag.h"
#include "sim/base/status.h"

/* Growing byte buffer. Zero-initialise to start. After an allocation failure
 * `failed` stays set and appends do nothing, so a writer checks once at the end. */
struct sy_buf {
    char *data; /* NUL-terminated when not NULL */
    size_t length;
    size_t capacity;
    bool failed;
};
void sy_buf_free(struct sy_buf *buf);
void sy_buf_clear(struct sy_buf *buf);
void sy_buf_append(struct sy_buf *buf, const char *data, size_t length);
void sy_buf_puts(struct sy_buf *buf, const char *text);
void sy_buf_printf(struct sy_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Numbers, locale-free; each writes a NUL-terminated text into out and returns
 * out. 32 bytes always suffice. */
char *sy_format_u64(char out[32], uint64_t value);     /* 1234567 */
char *sy_format_grouped(char out[32], uint64_t value); /* 1,234,567 */
char *sy_format_double(char out[32],
                       double value); /* shortest of at most 12 significant digits; never nan/inf: "null" */
char *sy_format_fixed(char out[32], double value, unsigned decimals);
/* value with an SI prefix and unit, three or four significant digits: "34.0 GB/s" */
char *sy_format_si(char out[32], double value, const char *unit);

/* Locale-free parsing of a whole text; false when anything is left over. */
bool sy_text_to_u64(const char *text, size_t length, uint64_t *value);
bool sy_text_to_double(const char *text, size_t length, double *value);

/* Read a whole regular file. A directory, a file over limit_bytes and a read
 * error are reported and give SY_IO (or SY_INPUT for the limit). *data is
 * malloc'ed, NUL-terminated (the NUL is not in *length), the caller frees it. */
enum sy_status sy_read_file(const char *path, uint64_t limit_bytes, char **data, size_t *length, struct sy_diag *diag);
/* Something that can be read again: no directory, pipe or device. */
bool sy_file_is_regular(const char *path);

/* An output that becomes visible only when complete: written to a temporary
 * name beside it, renamed by commit. path "-" or NULL is standard output.
 * commit checks every write (also a closed stdout) and frees the handle;
 * abort removes the temporary file and frees it. */
struct sy_outfile;
enum sy_status sy_outfile_open(const char *path, struct sy_outfile **out, struct sy_diag *diag);
enum sy_status sy_outfile_write(struct sy_outfile *out, const void *data, size_t length);
enum sy_status sy_outfile_commit(struct sy_outfile *out, struct sy_diag *diag);
void sy_outfile_abort(struct sy_outfile *out);

/* SHA-256 of bytes as 64 lower-case hex digits and a NUL. */
void sy_sha256_hex(const void *data, size_t length, char out[65]);

/* The same over pieces. begin, then add any number of times, then hex (which
 * leaves the state as it was, so more can be added). */
struct sy_sha256 {
    uint32_t state[8];
    uint64_t length;         /* bytes added */
    unsigned char block[64]; /* bytes that do not fill a block yet */
    bool instructions;       /* the processor has SHA instructions */
};
void sy_sha256_begin(struct sy_sha256 *sha);
void sy_sha256_add(struct sy_sha256 *sha, const void *data, size_t length);
void sy_sha256_hex_of(const struct sy_sha256 *sha, char out[65]);

#endif
