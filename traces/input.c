/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "traces/input.h"

static enum sy_status io_error(const char *path, const char *doing, int number, struct sy_diag *diag)
{
    char text[128];
    struct sy_where where = {.file = path};
    (void)sy_error(diag, where, NULL, "%s failed: %s", doing, strerror_r(number, text, sizeof text));
    return SY_IO;
}

static enum sy_status open_fd(struct sy_input *input, const char *path, struct sy_diag *diag)
{
    if (strcmp(path, "-") == 0) {
        input->fd = STDIN_FILENO;
    } else {
        /* Without O_NONBLOCK the opening of a FIFO could wait for ever. */
        input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        input->owns_fd = true;
    }
    struct stat info;
    if (input->fd < 0 || fstat(input->fd, &info) != 0) {
        return io_error(path, "opening", errno, diag);
    }
    if (S_ISDIR(info.st_mode)) {
        struct sy_where where = {.file = path};
        (void)sy_error(diag, where, NULL, "this is a directory; expected a layer trace");
        return SY_IO;
    }
    if (input->owns_fd) {
        int flags = fcntl(input->fd, F_GETFL);
        (void)fcntl(input->fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    off_t here = lseek(input->fd, 0, SEEK_CUR);
    input->seekable = S_ISREG(info.st_mode) && here == 0;
    return SY_OK;
}

enum sy_status sy_input_open(struct sy_input *input, const char *path, const void *data, size_t length,
                             struct sy_diag *diag)
{
    input->fd = -1;
    input->owns_fd = input->seekable = input->at_eof = false;
    input->memory = data;
    input->memory_length = length;
    input->next = input->window_start = input->window;
    input->available = 0;
    input->offset = 0;
    if (data != NULL) {
        input->next = input->window_start = data;
        input->available = length;
        input->seekable = true;
        return SY_OK;
    }
    enum sy_status status = open_fd(input, path, diag);
    if (status != SY_OK) {
        sy_input_close(input);
    }
    return status;
}

void sy_input_close(struct sy_input *input)
{
    if (input->owns_fd && input->fd >= 0) {
        (void)close(input->fd);
    }
    input->fd = -1;
    input->owns_fd = false;
}

enum sy_status sy_input_fill(struct sy_input *input, const char *path, struct sy_diag *diag)
{
    if (input->available > 0 || input->at_eof) {
        return SY_OK;
    }
    if (input->memory != NULL) {
        input->at_eof = true;
        return SY_OK;
    }
    for (;;) {
        ssize_t got = read(input->fd, input->window, sizeof input->window);
        if (got >= 0) {
            input->next = input->window_start = input->window;
            input->available = (size_t)got;
            input->at_eof = got == 0;
            return SY_OK;
        }
        if (errno != EINTR) {
            return io_error(path, "reading", errno, diag);
        }
    }
}

void sy_input_take(struct sy_input *input, size_t count)
{
    input->next += count;
    input->available -= count;
    input->offset += count;
}

enum sy_status sy_input_seek(struct sy_input *input, uint64_t offset, const char *path, struct sy_diag *diag)
{
    uint64_t start = input->offset - (uint64_t)(input->next - input->window_start);
    uint64_t end = input->offset + input->available;
    input->at_eof = false;
    if (offset >= start && offset <= end) { /* still in the window */
        input->next = input->window_start + (offset - start);
        input->available = (size_t)(end - offset);
        input->offset = offset;
        return SY_OK;
    }
    if (!input->seekable) {
        struct sy_where where = {.file = path, .has_offset = 1, .byte_offset = input->offset};
        (void)sy_error(diag, where, "write the trace to a file first",
                       "this input cannot go back to repeat a long block");
        return SY_IO;
    }
    if (input->memory != NULL || offset > INT64_MAX || lseek(input->fd, (off_t)offset, SEEK_SET) < 0) {
        return io_error(path, "seeking", input->memory != NULL ? EINVAL : errno, diag);
    }
    input->next = input->window_start = input->window;
    input->available = 0;
    input->offset = offset;
    return SY_OK;
}

bool sy_input_peek(const struct sy_input *input, uint64_t offset, unsigned char *out, size_t length)
{
    if (input->memory != NULL) {
        if (offset > input->memory_length || input->memory_length - offset < length) {
            return false;
        }
        memcpy(out, input->memory + offset, length);
        return true;
    }
    while (length > 0 && input->seekable && offset <= INT64_MAX) {
        ssize_t got = pread(input->fd, out, length, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        out += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return length == 0;
}

bool sy_input_size(const struct sy_input *input, uint64_t *size)
{
    struct stat info;
    if (input->memory != NULL) {
        *size = input->memory_length;
        return true;
    }
    if (!input->seekable || fstat(input->fd, &info) != 0 || info.st_size < 0) {
        return false;
    }
    *size = (uint64_t)info.st_size;
    return true;
}
