/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole-file reading, and output files that appear whole or not at all.
 *
 * An outfile is in one of these states: open (writes are buffered), failed (a
 * write went wrong; later writes do nothing; commit reports it). commit and
 * abort end it from either state.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"

enum { OUT_BUFFER = 1 << 16, NAME_TRIES = 100 };

static struct sy_where in_file(const char *path)
{
    return (struct sy_where){.file = path};
}

/* Report an operating system error; always SY_IO. */
static enum sy_status os_error(const char *path, const char *doing, int number, struct sy_diag *diag)
{
    char text[128];
    const char *reason = strerror_r(number, text, sizeof text);
    (void)sy_error(diag, in_file(path), NULL, "%s failed: %s", doing, reason);
    return SY_IO;
}

static enum sy_status too_large(const char *path, uint64_t limit, struct sy_diag *diag)
{
    return sy_error(diag, in_file(path), NULL, "the file is larger than the limit of %llu bytes",
                    (unsigned long long)limit);
}

static enum sy_status no_memory(const char *path, struct sy_diag *diag)
{
    (void)sy_error(diag, in_file(path), NULL, "out of memory");
    return SY_NOMEM;
}

/* Read fd to its end. The size is a guess only: a file may grow under us. */
static enum sy_status read_all(int fd, const char *path, uint64_t size, uint64_t limit, struct sy_buf *into,
                               struct sy_diag *diag)
{
    size_t capacity = (size_t)(size < limit ? size : limit) + 2;
    char *data = malloc(capacity);
    size_t length = 0;
    while (data != NULL) {
        if (length + 1 >= capacity) {
            char *larger = capacity > SIZE_MAX / 2 ? NULL : realloc(data, capacity * 2);
            if (larger == NULL) {
                break;
            }
            data = larger;
            capacity *= 2;
        }
        ssize_t got = read(fd, data + length, capacity - length - 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int number = errno;
            free(data);
            return os_error(path, "reading", number, diag);
        }
        length += (size_t)got;
        if (length > limit) {
            free(data);
            return too_large(path, limit, diag);
        }
        if (got == 0) {
            data[length] = '\0';
            *into = (struct sy_buf){.data = data, .length = length, .capacity = capacity};
            return SY_OK;
        }
    }
    free(data);
    return no_memory(path, diag);
}

bool sy_file_is_regular(const char *path)
{
    struct stat info;
    return path && !stat(path, &info) && S_ISREG(info.st_mode);
}

enum sy_status sy_read_file(const char *path, uint64_t limit_bytes, char **data, size_t *length, struct sy_diag *diag)
{
    /* Non-blocking, so that opening a FIFO does not hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return os_error(path, "opening", errno, diag);
    }
    struct stat info;
    enum sy_status status;
    struct sy_buf read = {0};
    if (fstat(fd, &info) != 0) {
        status = os_error(path, "reading", errno, diag);
    } else if (!S_ISREG(info.st_mode)) {
        (void)sy_error(diag, in_file(path), NULL, "%s; expected a file",
                       S_ISDIR(info.st_mode) ? "this is a directory" : "this is not a regular file");
        status = SY_IO;
    } else if ((uint64_t)info.st_size > limit_bytes) {
        status = too_large(path, limit_bytes, diag);
    } else {
        status = read_all(fd, path, (uint64_t)info.st_size, limit_bytes, &read, diag);
    }
    (void)close(fd);
    if (status == SY_OK) {
        *data = read.data;
        *length = read.length;
    }
    return status;
}

struct sy_outfile {
    int fd;
    int error;       /* errno of the first failed write, 0 = none */
    char *path;      /* final name; NULL for standard output */
    char *temporary; /* NULL when writing straight to path (a device) or to standard output */
    size_t fill;
    char buffer[OUT_BUFFER];
};

static void free_outfile(struct sy_outfile *out)
{
    free(out->path);
    free(out->temporary);
    free(out);
}

static enum sy_status open_stdout(struct sy_outfile *out, struct sy_diag *diag)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
        return os_error("standard output", "writing", errno, diag);
    }
    out->fd = STDOUT_FILENO;
    return SY_OK;
}

/* Create a name beside path that nobody else has. The process id and a counter keep it apart from other runs. */
static enum sy_status open_temporary(struct sy_outfile *out, const char *path, struct sy_diag *diag)
{
    size_t room = strlen(path) + 40;
    out->temporary = malloc(room);
    if (out->temporary == NULL) {
        return no_memory(path, diag);
    }
    int number = 0;
    for (int i = 0; i < NAME_TRIES; i++) {
        (void)snprintf(out->temporary, room, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        number = errno;
        if (out->fd >= 0 || number != EEXIST) {
            break;
        }
    }
    if (out->fd >= 0) {
        return SY_OK;
    }
    free(out->temporary);
    out->temporary = NULL;
    return os_error(path, "creating", number, diag);
}

static enum sy_status open_named(struct sy_outfile *out, const char *path, struct sy_diag *diag)
{
    /* Follow symbolic links, so that the link stays and its target is replaced. */
    out->path = realpath(path, NULL);
    if (out->path == NULL) {
        out->path = strdup(path);
    }
    if (out->path == NULL) {
        return no_memory(path, diag);
    }
    struct stat info;
    bool exists = stat(out->path, &info) == 0;
    if (path[0] == '\0' || (exists && S_ISDIR(info.st_mode))) {
        (void)sy_error(diag, in_file(path), NULL, "%s; expected a file name",
                       exists ? "this is a directory" : "the name is empty");
        return SY_IO;
    }
    if (exists && !S_ISREG(info.st_mode)) {
        out->fd = open(out->path, O_WRONLY | O_CLOEXEC);
        return out->fd >= 0 ? SY_OK : os_error(path, "opening", errno, diag);
    }
    enum sy_status status = open_temporary(out, out->path, diag);
    if (status == SY_OK && exists) {
        (void)fchmod(out->fd, info.st_mode & 07777); /* keep the file's permissions as far as we may */
    }
    return status;
}

enum sy_status sy_outfile_open(const char *path, struct sy_outfile **out, struct sy_diag *diag)
{
    *out = NULL;
    bool to_stdout = path == NULL || strcmp(path, "-") == 0;
    struct sy_outfile *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return no_memory(path, diag);
    }
    file->fd = -1;
    enum sy_status status = to_stdout ? open_stdout(file, diag) : open_named(file, path, diag);
    if (status != SY_OK) {
        free_outfile(file);
        return status;
    }
    *out = file;
    return SY_OK;
}

static void write_fully(struct sy_outfile *out, const char *data, size_t length)
{
    while (length > 0 && out->error == 0) {
        ssize_t written = write(out->fd, data, length);
        if (written >= 0) {
            data += written;
            length -= (size_t)written;
        } else if (errno != EINTR) {
            out->error = errno;
        }
    }
}

static void flush(struct sy_outfile *out)
{
    write_fully(out, out->buffer, out->fill);
    out->fill = 0;
}

enum sy_status sy_outfile_write(struct sy_outfile *out, const void *data, size_t length)
{
    if (length > OUT_BUFFER - out->fill) {
        flush(out);
    }
    if (length > OUT_BUFFER) {
        write_fully(out, data, length);
    } else if (length > 0) {
        memcpy(out->buffer + out->fill, data, length);
        out->fill += length;
    }
    return out->error == 0 ? SY_OK : SY_IO;
}

enum sy_status sy_outfile_commit(struct sy_outfile *out, struct sy_diag *diag)
{
    flush(out);
    if (out->path != NULL && close(out->fd) != 0 && out->error == 0) {
        out->error = errno;
    }
    if (out->temporary != NULL && out->error == 0 && rename(out->temporary, out->path) != 0) {
        out->error = errno;
    }
    enum sy_status status = SY_OK;
    if (out->error != 0) {
        status = os_error(out->path == NULL ? "standard output" : out->path, "writing", out->error, diag);
        if (out->temporary != NULL) {
            (void)unlink(out->temporary);
        }
    }
    free_outfile(out);
    return status;
}

void sy_outfile_abort(struct sy_outfile *out)
{
    if (out == NULL) {
        return;
    }
    if (out->path != NULL) {
        (void)close(out->fd);
    }
    if (out->temporary != NULL) {
        (void)unlink(out->temporary);
    }
    free_outfile(out);
}
