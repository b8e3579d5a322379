/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file, a pipe or memory through one window; seekable where the source is. */
#ifndef SY_TRACES_INPUT_H
#define SY_TRACES_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/diag.h"

enum { SY_INPUT_WINDOW = 64 << 10 };

struct sy_input {
    int fd; /* -1: memory */
    bool owns_fd, seekable, at_eof;
    const unsigned char *memory;
    size_t memory_length;
    const unsigned char *next; /* unread bytes of the window */
    size_t available;
    const unsigned char *window_start; /* window bytes [window_start, next + available) are at hand */
    uint64_t offset;                   /* in the file, of *next */
    unsigned char window[SY_INPUT_WINDOW];
};

/* Directories are refused, a FIFO nobody writes to reads as empty. */
enum sy_status sy_input_open(struct sy_input *input, const char *path, const void *data, size_t length,
                             struct sy_diag *diag);
void sy_input_close(struct sy_input *input);
/* Make available > 0 or at_eof. */
enum sy_status sy_input_fill(struct sy_input *input, const char *path, struct sy_diag *diag);
void sy_input_take(struct sy_input *input, size_t count);
/* SY_IO (reported) when the source cannot seek. */
enum sy_status sy_input_seek(struct sy_input *input, uint64_t offset, const char *path, struct sy_diag *diag);
/* Read bytes elsewhere without moving: false when they are not all there or the source cannot seek. */
bool sy_input_peek(const struct sy_input *input, uint64_t offset, unsigned char *out, size_t length);
/* Size of the source; false when it cannot be known. */
bool sy_input_size(const struct sy_input *input, uint64_t *size);

#endif
