/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer trace, `.slt.gz` (byte by byte in docs/formats.md).
 *
 * Text, one record a line, inside gzip members of bounded size, a version line
 * first, `end <records>` last; a block index in the extra fields of empty
 * trailing members, so zcat, Python's gzip and grep read it. A plain gzip file
 * or plain text without an index is a valid trace too. Readers stream in
 * constant memory. Anything wrong is reported with line and byte offset.
 *
 *     systole-trace 1
 *     net example                  # optional; comments run to the end of the line
 *     conv conv1 h=32 w=32 c=3 n=64 fh=3 fw=3 a=image:int8 b=conv1.w:int8:weight y=y1:int8 post=bn+relu
 *     repeat 32 {
 *     gemm q m=1 k=4096 n=4096 a=x:bf16 b=wq:bf16:weight y=q:bf16 acc=fp32
 *     }
 *     unmodelled NonMaxSuppression 1 4096
 *     unread 1296 1296                    # weights of the model's file that no layer reads: elements, bytes
 *     pass decode 8 8 4096                # language models: phase, sequences, tokens of the pass, context
 *     end 5
 *
 * Every line ends with a newline (a carriage return before it is ignored).
 * Words are separated by blanks or tabs; blank lines and indentation are free.
 *
 * LAYER: OP NAME KEY=VALUE... with keys in any order; an omitted key has its
 * default. OP, the dimension keys, their ranges and defaults and the keys of
 * the input tensors are those of sy_ops[] (workloads/layer.h). Besides:
 *     e=TENSOR               epilogue operand, behind the inputs; may be repeated
 *     y=TENSOR               output
 *     acc=DTYPE              type of the partial sums
 *     post=FUNCTION+...      epilogue
 *     sparsity=2:4           keep 2 of every 4 along K
 *     fuse=3:8:keep          this layer and the 2 behind it run depth-first in strips of 8 rows of the last output;
 *                            halo kept or recomputed (workloads/fuse.h)
 *     zeros=40:0             percent of the elements of A and of B that are zero, as measured
 *     sequences=4x1:129,...  attention: a ragged batch, COUNTxQUERIES:KEYS each (workloads/sequences.h)
 *     toggles=20             percent of the moving operands' bits that change, as measured
 *     tile0=M,K,N            schedule: tile of level 0, 1, ... innermost first
 *     order0=mnk             the loops around that tile, outer to inner
 *     dataflow=ws
 *     resident=B
 *
 * TENSOR: NAME:DTYPE[:FLAG]... with the flags weight, shared, pinned, state.
 * Inside `repeat` a name is a tensor of its own in each iteration unless it is
 * marked shared; the reader hands out the name, the replayer decides.
 *
 * NAME: a bare word, or "quoted" with \" \\ \t \n \r \xHH. A bare `-` is no
 * name at all (NULL), "-" is a name. Bare words hold no blank, no control
 * character and none of " \ : = # { }.
 *
 * Numbers are decimal, without sign or leading zero, below 2^64.
 *
 * COMMANDS (traces/command.h), after the layer whose schedule they are:
 *     load A|B|C level=0 parent=1 rows=1 bytes=256 pitch=256 at=4096 scatter=0 DEPENDENCY...
 *     store A|B|C ...        keys as load; bytes is of one row. Defaults: level 0,
 *                            parent = level + 1, rows 1, pitch = bytes, at 0; scatter=BYTES: the rows lie at
 *                            random multiples of the pitch in so many bytes from `at`
 *     matmul m=128 k=128 n=128 rep=1 df=0 a=int8 b=int8 acc=0 DEPENDENCY...
 *                            acc=1 adds to the accumulator
 *     vector n=128 simple=0 trans=0 reduce=0 in=0 out=0 fused=0 follows=0 DEPENDENCY...
 *     wait DEPENDENCY...
 *
 * DEPENDENCY: <D[s|f][.STALL], the command D places back in the file (D >= 1),
 * at its streamed (s) or first (f) point instead of done; STALL is one of
 * sy_stall_names, by default dependency. At most SY_MAX_DEPS. Ids count the
 * commands of the whole file, so a command may depend on one of an earlier
 * layer; they run on through the rounds of a repeat block.
 *
 * `end N` counts the records before it: layers, commands, unmodelled, unread, pass,
 * `repeat` and `}` lines.
 */
#ifndef SY_TRACES_TRACE_H
#define SY_TRACES_TRACE_H

#include "sim/base/text.h"
#include "traces/command.h"
#include "workloads/layer.h"
#include "workloads/workload.h"

enum sy_trace_kind {
    SY_TRACE_LAYER,
    SY_TRACE_REPEAT, /* a block follows, `repeat` times */
    SY_TRACE_END_REPEAT,
    SY_TRACE_COMMAND, /* part of the schedule of the layer record before it */
    SY_TRACE_PASS,    /* `pass <phase> <sequences> <tokens> <context> [<chips>]`: what step of a language model it is */
    SY_TRACE_UNMODELLED, /* `unmodelled <op> <count> <bytes>`: let through by --allow-unmodelled */
    SY_TRACE_UNREAD,     /* `unread <elements> <bytes>`: weights that no layer reads (workloads/workload.h) */
    SY_TRACE_END         /* the `end` line was seen and its count matched */
};

/* One record; pointers live until the next call of sy_trace_next. */
struct sy_trace_record {
    enum sy_trace_kind kind;
    uint64_t repeat;
    struct sy_layer layer;
    struct sy_command command;
    uint64_t command_id; /* place of the command in the file, from 0 */
    struct sy_unmodelled unmodelled;
    struct sy_unread unread;
    struct sy_pass pass;
    uint64_t line;        /* 1-based in the decompressed text */
    uint64_t byte_offset; /* of the record in the decompressed text */
};

struct sy_trace_reader;

/* Open and check the version line. memory: `data` != NULL reads from memory instead of path (path then only names it);
 * the caller keeps it until close. path "-" is standard input. diag is used until close. On failure *reader is NULL. */
enum sy_status sy_trace_open(const char *path, const void *data, size_t length, struct sy_trace_reader **reader,
                             struct sy_diag *diag);
/* Next record in file order (repeat blocks are not unrolled). After SY_TRACE_END the stream is exhausted: asking again
 * gives SY_TRACE_END again. Layers have passed sy_layer_check. Members of the record that its kind does not use are
 * left as they were. An error is sticky. Thread safety: one thread a reader; no state is shared. */
enum sy_status sy_trace_next(struct sy_trace_reader *reader, struct sy_trace_record *record);
const char *sy_trace_workload_name(const struct sy_trace_reader *reader); /* from the `net` line, or the file name */
/* SHA-256 of the decompressed bytes as hex, as `zcat | sha256sum` gives it; valid after END, when every byte was read
 * (not after sy_trace_seek_record skipped some: then ""). The same for packed and plain forms. */
void sy_trace_digest(struct sy_trace_reader *reader, char out[65]);
/* Spare the hashing, about a quarter of the reader's time; the digest is then "". Call it right after opening. */
void sy_trace_without_digest(struct sy_trace_reader *reader);
void sy_trace_close(struct sy_trace_reader *reader);

/* Remember the current place and return to it: used to replay a repeat block. The position is before the record that
 * sy_trace_next will return. Cost: O(block) at most; in a large gzip member that has no blocks, at most twice 1 MiB of
 * text. A pipe can go back as far as its text is still in the buffer, otherwise SY_IO.
 * Command ids are those of the mark again, with one exception that repeat needs: going back to the start of the block
 * whose `}` was the last record returned lets them run on. */
struct sy_trace_mark {
    uint64_t record, byte_offset, line, opaque[4];
};
enum sy_status sy_trace_tell(struct sy_trace_reader *reader, struct sy_trace_mark *mark);
enum sy_status sy_trace_seek(struct sy_trace_reader *reader, const struct sy_trace_mark *mark);
/* Go to record number `record` (from 0, in file order). With an index in O(log blocks), else by reading on from the
 * start. The number of records leads to the end, a larger one to SY_USAGE. Inside repeat blocks the blocks count as
 * open, their times as 1. */
enum sy_status sy_trace_seek_record(struct sy_trace_reader *reader, uint64_t record);

struct sy_trace_writer;
struct sy_trace_writer_options {
    uint64_t block_bytes;  /* of uncompressed text a gzip member, 0 = 64 KiB */
    int level;             /* zlib level, 0 = 6 */
    bool plain;            /* no gzip: text */
    struct sy_buf *memory; /* not NULL: the bytes are appended here and path only names the trace in messages */
};
/* The file appears only when sy_trace_finish succeeds. path "-" = standard output. */
enum sy_status sy_trace_create(const char *path, const char *workload_name,
                               const struct sy_trace_writer_options *options, struct sy_trace_writer **writer,
                               struct sy_diag *diag);
enum sy_status sy_trace_put_layer(struct sy_trace_writer *writer, const struct sy_layer *layer);
enum sy_status sy_trace_put_repeat(struct sy_trace_writer *writer, uint64_t times);
enum sy_status sy_trace_put_end_repeat(struct sy_trace_writer *writer);
enum sy_status sy_trace_put_command(struct sy_trace_writer *writer, const struct sy_command *command);
enum sy_status sy_trace_put_pass(struct sy_trace_writer *writer, const struct sy_pass *pass);
enum sy_status sy_trace_put_unmodelled(struct sy_trace_writer *writer, const struct sy_unmodelled *item);
enum sy_status sy_trace_put_unread(struct sy_trace_writer *writer, const struct sy_unread *unread);
enum sy_status sy_trace_finish(struct sy_trace_writer *writer); /* writes `end`, the index, renames; frees the writer */
void sy_trace_abandon(struct sy_trace_writer *writer);          /* removes the temporary file, frees the writer */
/* Write all of a workload. */
enum sy_status sy_trace_write_workload(const char *path, const struct sy_workload *workload,
                                       const struct sy_trace_writer_options *options, struct sy_diag *diag);

/* What `trace info` prints; collected in one pass. */
struct sy_trace_info {
    const char *name;
    uint64_t records, layers_unrolled, macs, parameters, weight_bytes, activation_bytes, blocks, compressed_bytes,
        text_bytes;
    bool has_index;
    uint64_t op_count[SY_OP_COUNT], op_macs[SY_OP_COUNT]; /* unrolled */
    struct sy_unmodelled *unmodelled;                     /* in order; lives in the arena */
};
/* data != NULL: of the trace in memory, as sy_trace_open takes it. */
enum sy_status sy_trace_collect_info(const char *path, const void *data, size_t length, struct sy_arena *arena,
                                     struct sy_trace_info *info, struct sy_diag *diag);
/* Read everything: CRCs, syntax, counts, index. SY_OK when all of it is whole. Otherwise the first fault is an error in
 * diag and what is lost comes as notes behind it; *intact_records and *intact_bytes (of text; either may be NULL) count
 * what sy_trace_recover would save. */
enum sy_status sy_trace_verify(const char *path, uint64_t *intact_records, uint64_t *intact_bytes,
                               struct sy_diag *diag);
/* Write the intact records to out_path as a new, whole trace: all records of intact blocks before and behind damage,
 * or, without blocks, those before the first damage. Behind a hole, commands are left out up to the next layer, and so
 * are dependencies that reach back over the hole; a repeat block that is open at a hole is taken to go on behind it.
 * Each loss is a warning in diag. SY_INPUT when nothing is intact; then nothing is written. */
enum sy_status sy_trace_recover(const char *path, const char *out_path, uint64_t *records, struct sy_diag *diag);

/* The text of a trace, byte for byte, in pieces of whole lines that were checked; stops when write returns non-zero. */
typedef int (*sy_trace_write_fn)(void *context, const char *text, size_t length);
enum sy_status sy_trace_cat(const char *path, sy_trace_write_fn write, void *context, struct sy_diag *diag);
/* Text, gzip or trace in; a trace with the same text out, with blocks and index (or plain text, by the options). */
enum sy_status sy_trace_pack(const char *path, const char *out_path, const struct sy_trace_writer_options *options,
                             struct sy_diag *diag);

#endif
