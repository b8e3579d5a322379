/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing and running an importer. A small file is read whole; a large one
 * (models with their weights inside) is mapped, so that only the pages an
 * importer looks at cost memory.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_huggingface;

/* Larger files are mapped instead of read. */
#define READ_LIMIT (UINT64_C(64) << 20)
enum { SNIFF_BYTES = 4096 };

struct content {
    char *data;
    size_t length;
    bool mapped;
};

static void content_free(struct content *content)
{
    if (content->mapped) {
        (void)munmap(content->data, content->length);
    } else {
        free(content->data);
    }
}

static enum sy_status content_open(const char *path, struct content *content, struct sy_diag *diag)
{
    struct stat info;
    memset(content, 0, sizeof *content);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size <= READ_LIMIT) {
        return sy_read_file(path, READ_LIMIT, &content->data, &content->length, diag);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data = fd < 0 ? MAP_FAILED : mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (data == MAP_FAILED) {
        struct sy_where where = {.file = path};
        (void)sy_error(diag, where, NULL, "the file cannot be read");
        return SY_IO;
    }
    content->data = data;
    content->length = (size_t)info.st_size;
    content->mapped = true;
    return SY_OK;
}

static enum sy_status unknown_format(const char *format, struct sy_diag *diag)
{
    const char *names[64];
    uint64_t count = 0;
    struct sy_buf list = {0};
    for (const struct sy_importer *const *importer = sy_importers; *importer != NULL; importer++) {
        if (count < sizeof names / sizeof names[0]) {
            names[count++] = (*importer)->name;
        }
        sy_buf_printf(&list, "%s%s", list.length == 0 ? "known formats: " : ", ", (*importer)->name);
    }
    const char *near = sy_nearest(format, names, count);
    enum sy_status status =
        sy_error(diag, SY_NOWHERE, list.data, "'%s' is not an import format%s%s%s", format,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    sy_buf_free(&list);
    return status == SY_INPUT ? SY_USAGE : status;
}

static enum sy_status unrecognised(const char *path, const struct content *content, struct sy_diag *diag)
{
    struct sy_where where = {.file = path};
    const unsigned char *bytes = (const unsigned char *)content->data;
    if (content->length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
        return sy_error(diag, where, "run a trace directly: systole run -w FILE",
                        "the file is gzip-compressed: a layer trace is not imported");
    }
    struct sy_buf list = {0};
    for (const struct sy_importer *const *importer = sy_importers; *importer != NULL; importer++) {
        sy_buf_printf(&list, "%s%s", list.length == 0 ? "name the format with --from: " : ", ", (*importer)->name);
    }
    enum sy_status status = sy_error(diag, where, list.data, "no importer recognises this file");
    sy_buf_free(&list);
    return status;
}

static const struct sy_importer *choose(const char *path, const struct content *content)
{
    const struct sy_importer *best = NULL;
    int best_score = 0;
    size_t length = content->length < SNIFF_BYTES ? content->length : SNIFF_BYTES;
    for (const struct sy_importer *const *importer = sy_importers; *importer != NULL; importer++) {
        int score = (*importer)->sniff(path, content->data, length);
        if (score > best_score) {
            best = *importer;
            best_score = score;
        }
    }
    return best;
}

/* What an importer does not read must not pass unnoticed. */
static enum sy_status refuse_unread(const char *path, const struct sy_importer *importer,
                                    const struct sy_import_options *options, struct sy_diag *diag)
{
    struct sy_where where = {.file = path};
    const struct {
        bool given;
        const char *option, *what;
    } unread[] = {{options->contexts != NULL, "leave --context out", "a list of contexts"},
                  {options->kv_page != 0, "leave --kv-page out", "a page of the KV cache"},
                  {options->tensor_parallel > 1, "leave --tensor-parallel out", "tensor parallelism"}};
    for (size_t i = 0; importer != &sy_importer_huggingface && i < sizeof unread / sizeof unread[0]; i++) {
        if (unread[i].given) {
            (void)sy_error(diag, where, unread[i].option, "%s means nothing to the %s importer", unread[i].what,
                           importer->name);
            return SY_USAGE;
        }
    }
    return SY_OK;
}

enum sy_status sy_import_file(const char *path, const char *format, const struct sy_import_options *options,
                              struct sy_workload **workload, struct sy_diag *diag)
{
    static const struct sy_import_options defaults;
    const struct sy_importer *importer = NULL;
    *workload = NULL;
    for (const struct sy_importer *const *each = sy_importers; format != NULL && *each != NULL; each++) {
        importer = strcmp((*each)->name, format) == 0 ? *each : importer;
    }
    if (format != NULL && importer == NULL) {
        return unknown_format(format, diag);
    }
    struct content content;
    enum sy_status status = content_open(path, &content, diag);
    if (status != SY_OK) {
        return status;
    }
    if (content.length == 0) {
        struct sy_where where = {.file = path};
        status = sy_error(diag, where, NULL, "the file is empty");
    } else {
        importer = importer != NULL ? importer : choose(path, &content);
        status = importer != NULL && options != NULL ? refuse_unread(path, importer, options, diag) : SY_OK;
    }
    if (status == SY_OK) {
        status = importer == NULL ? unrecognised(path, &content, diag)
                                  : importer->import(path, content.data, content.length,
                                                     options != NULL ? options : &defaults, workload, diag);
    }
    content_free(&content);
    return status;
}
