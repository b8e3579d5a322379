/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer trace, `.slt.gz` (byte-by-byte in docs/formats.md).
 *
 * Text, one record a line, inside gzip members of bounded size, a version line
 * first, `end <records>` last; a block index in the extra fields of empty
 * trailing members, so zcat, Python's gzip and grep read it. A plain gzip file
 * or plain text without an index is a valid trace too. Readers stream in
 * constant memory. Anything wrong is reported with line and byte offset.
 */
#ifndef SY_TRACES_TRACE_H
#define SY_TRACES_TRACE_H

#include "traces/command.h"
#include "workloads/layer.h"
#include "workloads/workload.h"

enum sy_trace_kind {
    SY_TRACE_LAYER,
    SY_TRACE_REPEAT,     /* a block follows, `repeat` times */
    SY_TRACE_END_REPEAT,
    SY_TRACE_COMMAND,    /* part of the schedule of the layer record before it */
    SY_TRACE_UNMODELLED, /* `unmodelled <op> <count> <bytes>`: let through by --allow-unmodelled */
    SY_TRACE_END         /* the `end` line was seen and its count matched */
};

/* One record; pointers live until the next call of sy_trace_next. */
struct sy_trace_record {
    enum sy_trace_kind kind;
    uint64_t repeat;
    struct sy_layer layer;
    struct sy_command command;
    struct sy_unmodelled unmodelled;
    uint64_t line;          /* 1-based in the decompressed text */
    uint64_t byte_offset;   /* of the record in the decompressed text */
};

struct sy_trace_reader;

/* Open and check the version line. memory: `data` != NULL reads from memory instead of path (path then only names it). */
enum sy_status sy_trace_open(const char *path, const void *data, size_t length, struct sy_trace_reader **reader,
                             struct sy_diag *diag);
/* Next record in file order (repeat blocks are not unrolled). After SY_TRACE_END the stream is exhausted.
 * An error is sticky. */
enum sy_status sy_trace_next(struct sy_trace_reader *reader, struct sy_trace_record *record);
const char *sy_trace_workload_name(const struct sy_trace_reader *reader); /* from the `net` line, or the file name */
/* SHA-256 of the decompressed bytes read so far as hex; valid after END. The same for packed and plain forms. */
void sy_trace_digest(struct sy_trace_reader *reader, char out[65]);
void sy_trace_close(struct sy_trace_reader *reader);

/* Remember the current place and return to it: used to replay a repeat block. The position is before the record that
 * sy_trace_next will return. Cost: O(block) at most. */
struct sy_trace_mark { uint64_t record, byte_offset, line, opaque[4]; };
enum sy_status sy_trace_tell(struct sy_trace_reader *reader, struct sy_trace_mark *mark);
enum sy_status sy_trace_seek(struct sy_trace_reader *reader, const struct sy_trace_mark *mark);

struct sy_trace_writer;
struct sy_trace_writer_options {
    uint64_t block_bytes; /* of uncompressed text a gzip member, 0 = 64 KiB */
    int level;            /* zlib level, 0 = 6 */
    bool plain;           /* no gzip: text */
};
/* The file appears only when sy_trace_finish succeeds. path "-" = standard output. */
enum sy_status sy_trace_create(const char *path, const char *workload_name, const struct sy_trace_writer_options *options,
                               struct sy_trace_writer **writer, struct sy_diag *diag);
enum sy_status sy_trace_put_layer(struct sy_trace_writer *writer, const struct sy_layer *layer);
enum sy_status sy_trace_put_repeat(struct sy_trace_writer *writer, uint64_t times);
enum sy_status sy_trace_put_end_repeat(struct sy_trace_writer *writer);
enum sy_status sy_trace_put_command(struct sy_trace_writer *writer, const struct sy_command *command);
enum sy_status sy_trace_put_unmodelled(struct sy_trace_writer *writer, const struct sy_unmodelled *item);
enum sy_status sy_trace_finish(struct sy_trace_writer *writer); /* writes `end`, the index, renames; frees the writer */
void sy_trace_abandon(struct sy_trace_writer *writer);          /* removes the temporary file, frees the writer */
/* Write all of a workload. */
enum sy_status sy_trace_write_workload(const char *path, const struct sy_workload *workload,
                                       const struct sy_trace_writer_options *options, struct sy_diag *diag);

/* What `trace info` prints; collected in one pass. */
struct sy_trace_info {
    const char *name; uint64_t records, layers_unrolled, macs, parameters, weight_bytes, activation_bytes, blocks,
        compressed_bytes, text_bytes; bool has_index;
    uint64_t op_count[SY_OP_COUNT], op_macs[SY_OP_COUNT]; /* unrolled */
};
enum sy_status sy_trace_collect_info(const char *path, struct sy_arena *arena, struct sy_trace_info *info,
                                     struct sy_diag *diag);
/* Read everything, check CRCs, index, counts; report what is intact. recover: write the intact records to out_path. */
enum sy_status sy_trace_verify(const char *path, uint64_t *intact_records, uint64_t *intact_bytes, struct sy_diag *diag);
enum sy_status sy_trace_recover(const char *path, const char *out_path, uint64_t *records, struct sy_diag *diag);

#endif
