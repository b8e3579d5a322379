/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container: what Systole puts into the extra fields of gzip members
 * (docs/formats.md has the same tables with a worked example).
 *
 * A trace file is a sequence of gzip members (RFC 1952). Every member that we
 * write begins
 *
 *     offset  size  what
 *        0      10  1f 8b 08 04 00 00 00 00 00 ff   (FEXTRA; no time, no name, unknown system)
 *       10       2  XLEN = n + 4
 *       12       2  'S' 'Y'
 *       14       2  n, bytes of the field
 *       16       n  the field: one of the three kinds below
 *     16+n          deflate data, CRC-32 and length of the text as RFC 1952 says
 *
 * All integers are little endian. A field ends with the CRC-32 of its bytes
 * before that CRC.
 *
 *   block ('B', 60 bytes): the member holds text_bytes of text, whole lines.
 *        0  1  'B'
 *        1  1  1, version of this layout
 *        2  2  repeat blocks open at the start of the text
 *        4  4  member_bytes: size of the whole member
 *        8  4  text_bytes: size of its text, 1 to 2^20
 *       12  4  0
 *       16  8  text_offset: where its text stands in the whole text
 *       24  8  record: records before it
 *       32  8  line: lines before it
 *       40  8  command: commands before it
 *       48  8  block: number of the block, from 0
 *       56  4  CRC-32
 *   index ('I', 16 + 48 * count + 4 bytes; the member holds no text): entries of consecutive blocks
 *        0  1  'I'
 *        1  1  1
 *        2  2  count, 1 to 1024; all index members but the last are full
 *        4  4  0
 *        8  8  number of the first block
 *       16 48  a block each: member offset in the file, text_offset, record, line, command (8 bytes each), open repeat
 *              blocks (4), 0 (4)
 *        …  4  CRC-32
 *   trailer ('T', 60 bytes; the member holds no text): the last member of the file
 *        0  1  'T'
 *        1  1  1
 *        2  2  0
 *        4  4  CRC-32 of all index entries in order
 *        8  8  blocks
 *       16  8  records
 *       24  8  lines
 *       32  8  text bytes
 *       40  8  file offset of the first index member
 *       48  8  0
 *       56  4  CRC-32
 *
 * Members come in this order: blocks, index members, trailer. A file whose
 * first member has no such field is plain gzip: then no member may have one.
 */
#ifndef SY_TRACES_BLOCK_H
#define SY_TRACES_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SY_BLOCK_FIELD = 60,
    SY_TRAILER_FIELD = 60,
    SY_INDEX_ENTRY = 48,
    SY_INDEX_ENTRIES = 1024, /* of one member: the field stays below the 64 KiB an extra field may have */
    SY_INDEX_FIELD_MAX = 16 + SY_INDEX_ENTRY * SY_INDEX_ENTRIES + 4,
    SY_MEMBER_HEAD = 16,  /* bytes before the field */
    SY_MEMBER_TAIL = 8,   /* CRC-32 and length */
    SY_EMPTY_DEFLATE = 2, /* 03 00 */
    SY_TRAILER_MEMBER = SY_MEMBER_HEAD + SY_TRAILER_FIELD + SY_EMPTY_DEFLATE + SY_MEMBER_TAIL,
    SY_TRACE_MAX_BLOCK = 1 << 20,
    SY_TRACE_BLOCK_BYTES = 64 << 10 /* of text, unless the writer is told otherwise */
};

/* A place between two records from which a reader can go on. */
struct sy_block_state {
    uint64_t text_offset, record, line, command;
    uint32_t depth; /* open repeat blocks */
};
struct sy_block_field {
    struct sy_block_state state;
    uint32_t member_bytes, text_bytes;
    uint64_t block;
};
struct sy_index_entry {
    uint64_t member_offset;
    struct sy_block_state state;
};
struct sy_trailer {
    uint32_t entries_crc;
    uint64_t blocks, records, lines, text_bytes, index_offset;
};

/* Each writes a whole field, CRC included, and returns its size. */
size_t sy_block_encode(unsigned char *out, const struct sy_block_field *field);
size_t sy_trailer_encode(unsigned char *out, const struct sy_trailer *trailer);
void sy_index_entry_encode(unsigned char out[SY_INDEX_ENTRY], const struct sy_index_entry *entry);
/* entries: count encoded entries. */
size_t sy_index_encode(unsigned char *out, uint64_t first_block, uint32_t count, const unsigned char *entries);

/* Each is false when the field is damaged or not of this kind. */
bool sy_block_decode(const unsigned char *field, size_t length, struct sy_block_field *block);
bool sy_trailer_decode(const unsigned char *field, size_t length, struct sy_trailer *trailer);
bool sy_index_decode(const unsigned char *field, size_t length, uint64_t *first_block, uint32_t *count);
void sy_index_entry_decode(const unsigned char entry[SY_INDEX_ENTRY], struct sy_index_entry *out);

/* The 16 bytes before a field of that size. */
void sy_member_head(unsigned char out[SY_MEMBER_HEAD], size_t field);
/* A whole member without text around a field; returns its size. out has SY_INDEX_FIELD_MAX + 32 bytes. */
size_t sy_empty_member(unsigned char *out, const unsigned char *field, size_t length);
/* The Systole field in an extra field, or NULL; *length is its size. */
const unsigned char *sy_find_field(const unsigned char *extra, size_t extra_length, size_t *length);

#endif
