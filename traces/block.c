/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <zlib.h>

#include "traces/block.h"

enum { VERSION = 1 };

static void put(unsigned char *out, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> (8 * i));
    }
}

static uint64_t get(const unsigned char *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)in[i] << (8 * i);
    }
    return value;
}

static void seal(unsigned char *field, size_t length)
{
    put(field + length - 4, 4, crc32(0, field, (uInt)(length - 4)));
}

static bool sealed(const unsigned char *field, size_t length, char kind)
{
    return field[0] == (unsigned char)kind && field[1] == VERSION &&
           get(field + length - 4, 4) == crc32(0, field, (uInt)(length - 4));
}

size_t sy_block_encode(unsigned char *out, const struct sy_block_field *field)
{
    memset(out, 0, SY_BLOCK_FIELD);
    out[0] = 'B';
    out[1] = VERSION;
    put(out + 2, 2, field->state.depth);
    put(out + 4, 4, field->member_bytes);
    put(out + 8, 4, field->text_bytes);
    put(out + 16, 8, field->state.text_offset);
    put(out + 24, 8, field->state.record);
    put(out + 32, 8, field->state.line);
    put(out + 40, 8, field->state.command);
    put(out + 48, 8, field->block);
    seal(out, SY_BLOCK_FIELD);
    return SY_BLOCK_FIELD;
}

bool sy_block_decode(const unsigned char *field, size_t length, struct sy_block_field *block)
{
    if (length != SY_BLOCK_FIELD || !sealed(field, length, 'B')) {
        return false;
    }
    *block = (struct sy_block_field){
        .state = {.text_offset = get(field + 16, 8),
                  .record = get(field + 24, 8),
                  .line = get(field + 32, 8),
                  .command = get(field + 40, 8),
                  .depth = (uint32_t)get(field + 2, 2)},
        .member_bytes = (uint32_t)get(field + 4, 4),
        .text_bytes = (uint32_t)get(field + 8, 4),
        .block = get(field + 48, 8),
    };
    return block->text_bytes > 0 && block->text_bytes <= SY_TRACE_MAX_BLOCK;
}

size_t sy_trailer_encode(unsigned char *out, const struct sy_trailer *trailer)
{
    memset(out, 0, SY_TRAILER_FIELD);
    out[0] = 'T';
    out[1] = VERSION;
    put(out + 4, 4, trailer->entries_crc);
    put(out + 8, 8, trailer->blocks);
    put(out + 16, 8, trailer->records);
    put(out + 24, 8, trailer->lines);
    put(out + 32, 8, trailer->text_bytes);
    put(out + 40, 8, trailer->index_offset);
    seal(out, SY_TRAILER_FIELD);
    return SY_TRAILER_FIELD;
}

bool sy_trailer_decode(const unsigned char *field, size_t length, struct sy_trailer *trailer)
{
    if (length != SY_TRAILER_FIELD || !sealed(field, length, 'T')) {
        return false;
    }
    *trailer = (struct sy_trailer){
        .entries_crc = (uint32_t)get(field + 4, 4),
        .blocks = get(field + 8, 8),
        .records = get(field + 16, 8),
        .lines = get(field + 24, 8),
        .text_bytes = get(field + 32, 8),
        .index_offset = get(field + 40, 8),
    };
    return true;
}

void sy_index_entry_encode(unsigned char out[SY_INDEX_ENTRY], const struct sy_index_entry *entry)
{
    put(out, 8, entry->member_offset);
    put(out + 8, 8, entry->state.text_offset);
    put(out + 16, 8, entry->state.record);
    put(out + 24, 8, entry->state.line);
    put(out + 32, 8, entry->state.command);
    put(out + 40, 8, entry->state.depth);
}

void sy_index_entry_decode(const unsigned char entry[SY_INDEX_ENTRY], struct sy_index_entry *out)
{
    *out = (struct sy_index_entry){
        .member_offset = get(entry, 8),
        .state = {.text_offset = get(entry + 8, 8),
                  .record = get(entry + 16, 8),
                  .line = get(entry + 24, 8),
                  .command = get(entry + 32, 8),
                  .depth = (uint32_t)get(entry + 40, 4)},
    };
}

size_t sy_index_encode(unsigned char *out, uint64_t first_block, uint32_t count, const unsigned char *entries)
{
    size_t length = 16 + (size_t)count * SY_INDEX_ENTRY + 4;
    memset(out, 0, 16);
    out[0] = 'I';
    out[1] = VERSION;
    put(out + 2, 2, count);
    put(out + 8, 8, first_block);
    memcpy(out + 16, entries, (size_t)count * SY_INDEX_ENTRY);
    seal(out, length);
    return length;
}

bool sy_index_decode(const unsigned char *field, size_t length, uint64_t *first_block, uint32_t *count)
{
    if (length < 20 || !sealed(field, length, 'I')) {
        return false;
    }
    *count = (uint32_t)get(field + 2, 2);
    *first_block = get(field + 8, 8);
    return *count >= 1 && *count <= SY_INDEX_ENTRIES && length == 16 + (size_t)*count * SY_INDEX_ENTRY + 4;
}

void sy_member_head(unsigned char out[SY_MEMBER_HEAD], size_t field)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff};
    memcpy(out, head, sizeof head);
    put(out + 10, 2, field + 4);
    out[12] = 'S';
    out[13] = 'Y';
    put(out + 14, 2, field);
}

size_t sy_empty_member(unsigned char *out, const unsigned char *field, size_t length)
{
    sy_member_head(out, length);
    memcpy(out + SY_MEMBER_HEAD, field, length);
    unsigned char *tail = out + SY_MEMBER_HEAD + length;
    memset(tail, 0, SY_EMPTY_DEFLATE + SY_MEMBER_TAIL);
    tail[0] = 3; /* one final deflate block with nothing in it */
    return SY_MEMBER_HEAD + length + SY_EMPTY_DEFLATE + SY_MEMBER_TAIL;
}

const unsigned char *sy_find_field(const unsigned char *extra, size_t extra_length, size_t *length)
{
    size_t at = 0;
    while (extra_length - at >= 4) {
        size_t size = (size_t)get(extra + at + 2, 2);
        if (size > extra_length - at - 4) {
            return NULL;
        }
        if (extra[at] == 'S' && extra[at + 1] == 'Y') {
            *length = size;
            return extra + at + 4;
        }
        at += 4 + size;
    }
    return NULL;
}
