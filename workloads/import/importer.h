/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importers: one file each, registered by the build from the line
 * `const struct sy_importer sy_importer_NAME = {`. An importer turns one model
 * file into a workload. It must survive any bytes: errors name line and column
 * (or byte offset), nothing is silently dropped.
 */
#ifndef SY_WORKLOADS_IMPORTER_H
#define SY_WORKLOADS_IMPORTER_H

#include "workloads/workload.h"

struct sy_import_options {
    enum sy_dtype activation, weight, accumulator; /* in place of the file's */
    bool has_dtype; /* some of the three above were set by the user: those whose flag below is set, all when none is */
    bool has_activation, has_weight, has_accumulator;
    uint64_t batch;   /* 0 = 1 or what the file says */
    uint64_t context; /* LLMs: tokens already in the KV cache, or the prompt length in prefill */
    const char
        *contexts;       /* instead of one context: a list, one a sequence, or the path of a file of them (lengths.h) */
    uint64_t kv_page;    /* tokens a page of the KV cache; 0 = not paged */
    uint64_t new_tokens; /* importers make one step; who wants growing contexts imports each */
    const char *phase;   /* "prefill", "decode", "train-step" or NULL */
    const char *kind;    /* SCALE-Sim: "conv", "gemm" or NULL = from the header */
    bool has_kv;         /* kv was set by the user */
    enum sy_dtype kv;    /* precision of the KV cache, else that of the activations */
    const char *routing; /* mixture of experts: NULL or "uniform", "worst" (all tokens pick the same experts), or a
                            file with one weight an expert */
    bool allow_unmodelled;
    uint64_t tensor_parallel; /* language models: chips that share each layer, of which this is one; 0 = 1 */
    const char *const *dims;  /* "name=value" pairs for symbolic dimensions, NULL-terminated, or NULL */
};

struct sy_importer {
    const char *name;            /* "scalesim" */
    const char *doc;             /* one sentence */
    const char *const *suffixes; /* ".csv", ...; NULL-terminated */
    const char *example;         /* path under tests/ or workloads/ that it must import */
    /* 0 = not mine, 100 = certain; from the name and the first bytes (at most 4096). */
    int (*sniff)(const char *path, const char *head, size_t length);
    enum sy_status (*import)(const char *path, const char *data, size_t length, const struct sy_import_options *options,
                             struct sy_workload **workload, struct sy_diag *diag);
};

extern const struct sy_importer *const sy_importers[]; /* NULL-terminated, sorted by file name */

/* Read the file, choose the importer (or the one named `format`), import. */
enum sy_status sy_import_file(const char *path, const char *format, const struct sy_import_options *options,
                              struct sy_workload **workload, struct sy_diag *diag);

#endif
