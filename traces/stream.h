/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a trace file as a stream, whatever holds it: block-compressed,
 * plain gzip or plain text; a file, a pipe, or memory. Constant memory.
 *
 * Invariants: text_offset of the next byte handed out never counts a byte
 * twice; a byte of a block ('B' member) that was inflated in one call is only
 * handed out after its CRC was checked; the end is reported only when every
 * member, and the index of a file that promises one, was whole. Errors are
 * reported once with the offset in the file and are sticky.
 */
#ifndef SY_TRACES_STREAM_H
#define SY_TRACES_STREAM_H

#include "sim/base/diag.h"
#include "traces/block.h"

struct sy_stream;

/* Where text can be found again: the start of a gzip member (0, 0 in plain text). */
struct sy_anchor {
    uint64_t file_offset, text_offset;
};

/* data != NULL: read these bytes (borrowed) and use path only in messages. path "-" is standard input. */
enum sy_status sy_stream_open(const char *path, const void *data, size_t length, struct sy_stream **stream,
                              struct sy_diag *diag);
void sy_stream_close(struct sy_stream *stream);

/* Up to `room` bytes of text, of one gzip member only; *got = 0 at the end. */
enum sy_status sy_stream_read(struct sy_stream *stream, char *text, size_t room, size_t *got);

/* Start of the member that the last bytes came from. */
struct sy_anchor sy_stream_anchor(const struct sy_stream *stream);
/* The block field of that member; NULL in plain gzip and text. */
const struct sy_block_field *sy_stream_block(const struct sy_stream *stream);
/* The trailer, once the end was reached in a file that has one; else NULL. */
const struct sy_trailer *sy_stream_trailer(const struct sy_stream *stream);
uint64_t sy_stream_text_offset(const struct sy_stream *stream); /* of the next byte sy_stream_read gives */
uint64_t sy_stream_file_offset(const struct sy_stream *stream); /* of the next byte to be read from the file */

/* Keep what makes a later sy_stream_seek to `text_offset` cheap. */
void sy_stream_remember(struct sy_stream *stream, struct sy_anchor anchor, uint64_t text_offset);
/* Go to the nearest place at or before text_offset, `anchor` at the latest; sy_stream_text_offset says where.
 * SY_IO when the input cannot seek. */
enum sy_status sy_stream_seek(struct sy_stream *stream, struct sy_anchor anchor, uint64_t text_offset);
/* The index entry of the last block whose first record is <= record. false: there is no index, or it is damaged. */
bool sy_stream_find_block(struct sy_stream *stream, uint64_t record, struct sy_index_entry *entry);

#endif
