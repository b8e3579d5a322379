/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of a stream and what moves it:
 *
 *   PLAIN    text without compression               ends at the end of the file
 *   BETWEEN  at a member boundary                   another byte -> MEMBER, end of file -> END
 *   MEMBER   inside a gzip member                   end of the member -> BETWEEN
 *   END      nothing is left and all of it was whole
 *
 * and for block-compressed files the phase of the container, which only goes
 * forward: NONE (no member yet) -> BLOCKS -> INDEX -> TRAILER; OTHER for plain
 * gzip. A seek goes back to BLOCKS.
 *
 * What was counted once (blocks, text bytes, CRC of the index entries) is not
 * counted again after a seek back: `accounted` is the file offset up to which
 * members are counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "traces/input.h"
#include "traces/stream.h"

enum state { PLAIN, BETWEEN, MEMBER, END };
enum phase { NONE, BLOCKS, INDEX, TRAILER, OTHER };

enum {
    CHECKPOINTS = 18, /* saved inflate states in files of large members: two rolling, one for each open repeat block */
    PINNED = 16,
    CHECKPOINT_STEP = 1 << 20, /* of text; a seek inflates at most twice this again */
    EXTRA_MAX = 65535
};

/* An inflate state from which a large member can be read on: 40 KiB each, made only in members larger than the step. */
struct checkpoint {
    bool used, pinned;
    uint64_t stamp; /* when it was pinned last */
    uint64_t file_offset, text_offset;
    struct sy_anchor member;
    z_stream z;
};

struct sy_stream {
    struct sy_input input;
    char *path;
    struct sy_diag *diag;
    enum sy_status status; /* sticky */
    enum state state;
    enum phase phase;
    z_stream z;
    bool z_ready;
    gz_header head;
    bool head_seen;
    uint64_t text_offset;
    struct sy_anchor member;
    struct sy_block_field block;
    struct sy_trailer trailer;
    /* container accounting */
    uint64_t accounted;
    uint64_t blocks, text_bytes, index_offset, index_blocks;
    uint32_t entries_crc, index_crc;
    bool skipped; /* a seek went past members that were not counted */
    /* checkpoints of large members */
    struct checkpoint checkpoint[CHECKPOINTS];
    uint64_t clock;
    unsigned char extra[EXTRA_MAX];
};

/* ---- errors ---- */

static struct sy_where here(const struct sy_stream *stream)
{
    return (struct sy_where){.file = stream->path, .has_offset = 1, .byte_offset = stream->input.offset};
}

static const char recover_hint[] = "`systole trace recover` writes what is intact to a new file";

static enum sy_status damaged(struct sy_stream *stream, const char *what)
{
    return stream->status = sy_error(stream->diag, here(stream), recover_hint, "%s", what);
}

static enum sy_status no_memory(struct sy_stream *stream)
{
    (void)sy_error(stream->diag, here(stream), NULL, "out of memory");
    return stream->status = SY_NOMEM;
}

/* ---- opening ---- */

static enum sy_status detect(struct sy_stream *stream)
{
    struct sy_input *input = &stream->input;
    enum sy_status status = sy_input_fill(input, stream->path, stream->diag);
    if (status != SY_OK) {
        return status;
    }
    if (input->available == 0) {
        return sy_error(stream->diag, here(stream), NULL, "the file is empty; expected a layer trace");
    }
    stream->state = input->next[0] == 0x1f ? BETWEEN : PLAIN;
    if (stream->state == PLAIN) {
        return SY_OK;
    }
    if (inflateInit2(&stream->z, 15 + 16) != Z_OK) {
        return no_memory(stream);
    }
    stream->z_ready = true;
    return SY_OK;
}

enum sy_status sy_stream_open(const char *path, const void *data, size_t length, struct sy_stream **out,
                              struct sy_diag *diag)
{
    *out = NULL;
    struct sy_stream *stream = malloc(sizeof *stream);
    char *copy = strdup(path);
    if (stream == NULL || copy == NULL) {
        free(stream);
        free(copy);
        (void)sy_error(diag, SY_NOWHERE, NULL, "out of memory");
        return SY_NOMEM;
    }
    memset(stream, 0, offsetof(struct sy_stream, extra));
    stream->path = copy;
    stream->diag = diag;
    enum sy_status status = sy_input_open(&stream->input, stream->path, data, length, diag);
    if (status == SY_OK) {
        status = detect(stream);
    }
    if (status != SY_OK) {
        sy_stream_close(stream);
        return status;
    }
    *out = stream;
    return SY_OK;
}

void sy_stream_close(struct sy_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->z_ready) {
        (void)inflateEnd(&stream->z);
    }
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        if (stream->checkpoint[i].used) {
            (void)inflateEnd(&stream->checkpoint[i].z);
        }
    }
    sy_input_close(&stream->input);
    free(stream->path);
    free(stream);
}

/* ---- the container ---- */

static enum sy_status begin_block(struct sy_stream *stream, const unsigned char *field, size_t length)
{
    if (stream->phase == INDEX || stream->phase == TRAILER || !sy_block_decode(field, length, &stream->block)) {
        return damaged(stream, stream->phase == INDEX || stream->phase == TRAILER
                                   ? "a block follows the block index; the file is not one trace"
                                   : "the header of a block is damaged");
    }
    if (stream->block.state.text_offset != stream->member.text_offset) {
        return damaged(stream, "a block is missing before this one: its place in the text does not fit");
    }
    if (stream->member.file_offset >= stream->accounted) {
        if (stream->block.block != stream->blocks && !stream->skipped) {
            return damaged(stream, "a block is missing before this one: its number does not fit");
        }
        unsigned char bytes[SY_INDEX_ENTRY] = {0};
        struct sy_index_entry entry = {stream->member.file_offset, stream->block.state};
        sy_index_entry_encode(bytes, &entry);
        stream->entries_crc = (uint32_t)crc32(stream->entries_crc, bytes, sizeof bytes);
        stream->blocks++;
        stream->text_bytes += stream->block.text_bytes;
        stream->accounted = stream->member.file_offset + 1;
    }
    stream->phase = BLOCKS;
    return SY_OK;
}

static enum sy_status begin_index(struct sy_stream *stream, const unsigned char *field, size_t length)
{
    uint64_t first;
    uint32_t count;
    if (stream->phase == BLOCKS) {
        stream->phase = INDEX;
        stream->index_offset = stream->member.file_offset;
        stream->index_blocks = 0;
        stream->index_crc = 0;
    }
    if (stream->phase != INDEX || !sy_index_decode(field, length, &first, &count) || first != stream->index_blocks) {
        return damaged(stream, "the block index is damaged");
    }
    stream->index_crc = (uint32_t)crc32(stream->index_crc, field + 16, (uInt)(length - 20));
    stream->index_blocks += count;
    return SY_OK;
}

static enum sy_status begin_trailer(struct sy_stream *stream, const unsigned char *field, size_t length)
{
    struct sy_trailer *trailer = &stream->trailer;
    if (stream->phase != INDEX || !sy_trailer_decode(field, length, trailer) ||
        trailer->blocks != stream->index_blocks || trailer->entries_crc != stream->index_crc ||
        trailer->index_offset != stream->index_offset) {
        return damaged(stream, "the trailer does not fit the block index");
    }
    bool fits = trailer->blocks == stream->blocks && trailer->text_bytes == stream->text_bytes &&
                trailer->entries_crc == stream->entries_crc;
    if (!fits && !stream->skipped) {
        return damaged(stream, "the block index does not fit the blocks");
    }
    stream->phase = TRAILER;
    return SY_OK;
}

/* The header of a member has been read. */
static enum sy_status begin_member(struct sy_stream *stream)
{
    size_t extra = stream->head.extra_len < EXTRA_MAX ? stream->head.extra_len : EXTRA_MAX;
    size_t length = 0;
    const unsigned char *field = stream->head.extra == NULL ? NULL : sy_find_field(stream->extra, extra, &length);
    stream->head_seen = true;
    if (field == NULL || length == 0) {
        if (stream->phase != NONE && stream->phase != OTHER) {
            return damaged(stream, "a gzip member without a block header stands among blocks");
        }
        stream->phase = OTHER;
        return SY_OK;
    }
    if (stream->phase == OTHER) {
        return damaged(stream, "a block stands among gzip members without block headers");
    }
    switch (field[0]) {
    case 'B':
        return begin_block(stream, field, length);
    case 'I':
        return begin_index(stream, field, length);
    case 'T':
        return begin_trailer(stream, field, length);
    default:
        return damaged(stream, "the header of a block is damaged");
    }
}

static enum sy_status end_member(struct sy_stream *stream)
{
    uint64_t text = stream->text_offset - stream->member.text_offset;
    uint64_t size = stream->input.offset - stream->member.file_offset;
    stream->state = BETWEEN;
    if (stream->phase == BLOCKS && (text != stream->block.text_bytes || size != stream->block.member_bytes)) {
        return damaged(stream, "a block does not have the size its header says");
    }
    if ((stream->phase == INDEX || stream->phase == TRAILER) && text != 0) {
        return damaged(stream, "a member of the block index holds text");
    }
    return SY_OK;
}

/* ---- checkpoints ---- */

/* The one that was made or pinned longest ago among those in use; NULL when there is none. */
static struct checkpoint *oldest(struct sy_stream *stream, bool pinned)
{
    struct checkpoint *best = NULL;
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        struct checkpoint *it = &stream->checkpoint[i];
        if (it->used && it->pinned == pinned && (best == NULL || it->stamp < best->stamp)) {
            best = it;
        }
    }
    return best;
}

static void save_checkpoint(struct sy_stream *stream)
{
    struct checkpoint *to = oldest(stream, false);
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        to = stream->checkpoint[i].used ? to : &stream->checkpoint[i];
    }
    if (to->used) {
        (void)inflateEnd(&to->z);
    }
    to->used = inflateCopy(&to->z, &stream->z) == Z_OK;
    to->pinned = false;
    to->stamp = ++stream->clock;
    to->file_offset = stream->input.offset;
    to->text_offset = stream->text_offset;
    to->member = stream->member;
}

static void consider_checkpoint(struct sy_stream *stream)
{
    uint64_t last = stream->member.text_offset;
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        const struct checkpoint *it = &stream->checkpoint[i];
        if (it->used && it->text_offset > last) {
            last = it->text_offset;
        }
    }
    if (stream->phase == OTHER && stream->text_offset - stream->member.text_offset >= CHECKPOINT_STEP &&
        stream->text_offset >= last + CHECKPOINT_STEP) {
        save_checkpoint(stream);
    }
}

static struct checkpoint *nearest_checkpoint(struct sy_stream *stream, struct sy_anchor anchor, uint64_t text_offset)
{
    struct checkpoint *best = NULL;
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        struct checkpoint *it = &stream->checkpoint[i];
        if (it->used && it->text_offset <= text_offset && it->text_offset > anchor.text_offset &&
            (best == NULL || it->text_offset > best->text_offset)) {
            best = it;
        }
    }
    return best;
}

void sy_stream_remember(struct sy_stream *stream, struct sy_anchor anchor, uint64_t text_offset)
{
    struct checkpoint *keep = nearest_checkpoint(stream, anchor, text_offset);
    if (keep == NULL) {
        return;
    }
    uint32_t pinned = 0;
    for (uint32_t i = 0; i < CHECKPOINTS; i++) {
        pinned += stream->checkpoint[i].used && stream->checkpoint[i].pinned;
    }
    if (!keep->pinned && pinned == PINNED) {
        oldest(stream, true)->pinned = false;
    }
    keep->pinned = true;
    keep->stamp = ++stream->clock;
}

/* ---- reading ---- */

static enum sy_status read_plain(struct sy_stream *stream, char *text, size_t room, size_t *got)
{
    struct sy_input *input = &stream->input;
    stream->status = sy_input_fill(input, stream->path, stream->diag);
    if (stream->status != SY_OK) {
        return stream->status;
    }
    size_t count = input->available < room ? input->available : room;
    memcpy(text, input->next, count);
    sy_input_take(input, count);
    stream->text_offset += count;
    stream->state = count == 0 ? END : PLAIN;
    *got = count;
    return SY_OK;
}

/* At a member boundary: start the next member, or end. */
static enum sy_status next_member(struct sy_stream *stream)
{
    struct sy_input *input = &stream->input;
    stream->status = sy_input_fill(input, stream->path, stream->diag);
    if (stream->status != SY_OK) {
        return stream->status;
    }
    if (input->available == 0) {
        stream->state = END;
        bool whole = stream->phase == TRAILER || stream->phase == OTHER;
        return whole ? SY_OK : damaged(stream, "the file ends without its block index: it was cut");
    }
    if (stream->phase == TRAILER || input->next[0] != 0x1f) {
        return damaged(stream, stream->phase == TRAILER ? "bytes follow the end of the trace"
                                                        : "what stands here is not a gzip member");
    }
    stream->member = (struct sy_anchor){input->offset, stream->text_offset};
    stream->head = (gz_header){.extra = stream->extra, .extra_max = EXTRA_MAX};
    stream->head_seen = false;
    if (inflateReset(&stream->z) != Z_OK || inflateGetHeader(&stream->z, &stream->head) != Z_OK) {
        return no_memory(stream);
    }
    stream->state = MEMBER;
    return SY_OK;
}

static enum sy_status inflate_failed(struct sy_stream *stream, int result)
{
    if (result == Z_MEM_ERROR) {
        return no_memory(stream);
    }
    char what[160];
    (void)snprintf(what, sizeof what, "the gzip data is damaged before this byte (%s)",
                   stream->z.msg == NULL ? "not deflate data" : stream->z.msg);
    return damaged(stream, what);
}

/* One call of inflate into text; *made bytes came out. */
static enum sy_status inflate_piece(struct sy_stream *stream, char *text, size_t room, size_t *made)
{
    struct sy_input *input = &stream->input;
    uInt offered = input->available < (1u << 30) ? (uInt)input->available : 1u << 30;
    uInt space = room < (1u << 30) ? (uInt)room : 1u << 30;
    stream->z.next_in = (Bytef *)(uintptr_t)input->next; /* zlib's pointer is not const; it does not write */
    stream->z.avail_in = offered;
    stream->z.next_out = (Bytef *)text;
    stream->z.avail_out = space;
    int result = inflate(&stream->z, Z_NO_FLUSH);
    *made = space - stream->z.avail_out;
    sy_input_take(input, offered - stream->z.avail_in);
    stream->text_offset += *made;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return inflate_failed(stream, result);
    }
    if (!stream->head_seen && stream->head.done == 1 && begin_member(stream) != SY_OK) {
        return stream->status;
    }
    if (result == Z_BUF_ERROR && input->at_eof) {
        return damaged(stream, "the file ends inside a gzip member: it was cut");
    }
    return result == Z_STREAM_END ? end_member(stream) : SY_OK;
}

/* Inflate into text. Bytes of a block whose CRC fails in this very call are not handed out. */
static enum sy_status read_member(struct sy_stream *stream, char *text, size_t room, size_t *got)
{
    size_t filled = 0;
    while (filled < room && stream->state == MEMBER) {
        size_t made = 0;
        stream->status = sy_input_fill(&stream->input, stream->path, stream->diag);
        if (stream->status != SY_OK || inflate_piece(stream, text + filled, room - filled, &made) != SY_OK) {
            return stream->status;
        }
        filled += made;
    }
    *got = filled;
    return SY_OK;
}

enum sy_status sy_stream_read(struct sy_stream *stream, char *text, size_t room, size_t *got)
{
    *got = 0;
    while (stream->status == SY_OK && *got == 0 && stream->state != END) {
        if (stream->state == PLAIN) {
            (void)read_plain(stream, text, room, got);
        } else if (stream->state == BETWEEN) {
            (void)next_member(stream);
        } else {
            uint64_t before = stream->text_offset;
            if (read_member(stream, text, room, got) != SY_OK && stream->phase == OTHER && stream->status == SY_INPUT) {
                /* Plain gzip: what was inflated before the damage is all there is; hand it out, then fail. */
                *got = (size_t)(stream->text_offset - before);
                return *got > 0 ? SY_OK : stream->status;
            }
            consider_checkpoint(stream);
        }
    }
    return stream->status;
}

/* ---- places ---- */

struct sy_anchor sy_stream_anchor(const struct sy_stream *stream)
{
    return stream->state == PLAIN ? (struct sy_anchor){0, 0} : stream->member;
}

const struct sy_block_field *sy_stream_block(const struct sy_stream *stream)
{
    return stream->phase == BLOCKS ? &stream->block : NULL;
}

const struct sy_trailer *sy_stream_trailer(const struct sy_stream *stream)
{
    return stream->phase == TRAILER ? &stream->trailer : NULL;
}

uint64_t sy_stream_text_offset(const struct sy_stream *stream)
{
    return stream->text_offset;
}

uint64_t sy_stream_file_offset(const struct sy_stream *stream)
{
    return stream->input.offset;
}

static enum sy_status restore(struct sy_stream *stream, struct checkpoint *from)
{
    (void)inflateEnd(&stream->z);
    stream->z_ready = inflateCopy(&stream->z, &from->z) == Z_OK;
    if (!stream->z_ready) {
        return no_memory(stream);
    }
    stream->head_seen = true;
    stream->state = MEMBER;
    stream->member = from->member;
    stream->text_offset = from->text_offset;
    return SY_OK;
}

enum sy_status sy_stream_seek(struct sy_stream *stream, struct sy_anchor anchor, uint64_t text_offset)
{
    if (stream->status != SY_OK) {
        return stream->status;
    }
    struct checkpoint *from = stream->z_ready ? nearest_checkpoint(stream, anchor, text_offset) : NULL;
    uint64_t file_offset = from != NULL ? from->file_offset : stream->z_ready ? anchor.file_offset : text_offset;
    stream->status = sy_input_seek(&stream->input, file_offset, stream->path, stream->diag);
    if (stream->status != SY_OK) {
        return stream->status;
    }
    if (from != NULL) {
        return restore(stream, from);
    }
    stream->state = stream->z_ready ? BETWEEN : PLAIN;
    stream->text_offset = stream->z_ready ? anchor.text_offset : text_offset;
    if (stream->z_ready && stream->phase != OTHER) {
        stream->skipped = stream->skipped || file_offset > stream->accounted;
        stream->phase = file_offset == 0 ? NONE : BLOCKS;
    }
    return SY_OK;
}

/* ---- the index ---- */

static bool read_trailer(const struct sy_stream *stream, struct sy_trailer *trailer)
{
    unsigned char member[SY_TRAILER_MEMBER];
    uint64_t size;
    return stream->z_ready && sy_input_size(&stream->input, &size) && size >= sizeof member &&
           sy_input_peek(&stream->input, size - sizeof member, member, sizeof member) && member[12] == 'S' &&
           member[13] == 'Y' && sy_trailer_decode(member + SY_MEMBER_HEAD, SY_TRAILER_FIELD, trailer);
}

/* All index members but the last have the same size, so entry i stands at a place that can be computed. */
static bool read_entry(const struct sy_stream *stream, const struct sy_trailer *trailer, uint64_t block,
                       struct sy_index_entry *entry)
{
    const uint64_t member = SY_MEMBER_HEAD + SY_INDEX_FIELD_MAX + SY_EMPTY_DEFLATE + SY_MEMBER_TAIL;
    unsigned char bytes[SY_INDEX_ENTRY];
    uint64_t offset = trailer->index_offset + block / SY_INDEX_ENTRIES * member + SY_MEMBER_HEAD + 16 +
                      block % SY_INDEX_ENTRIES * SY_INDEX_ENTRY;
    if (!sy_input_peek(&stream->input, offset, bytes, sizeof bytes)) {
        return false;
    }
    sy_index_entry_decode(bytes, entry);
    return entry->member_offset < trailer->index_offset;
}

bool sy_stream_find_block(struct sy_stream *stream, uint64_t record, struct sy_index_entry *entry)
{
    struct sy_trailer trailer;
    if (!read_trailer(stream, &trailer) || trailer.blocks == 0 ||
        trailer.blocks > trailer.index_offset / SY_TRAILER_MEMBER + 1) {
        return false;
    }
    uint64_t low = 0, high = trailer.blocks - 1; /* the wanted block is in [low, high] */
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (!read_entry(stream, &trailer, middle, entry)) {
            return false;
        }
        if (entry->state.record <= record) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return read_entry(stream, &trailer, low, entry);
}
