/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: records into lines, lines into blocks, blocks into gzip members.
 *
 * States: WRITING (records may be put) -> FAILED on the first error, where
 * puts do nothing but return it; finish or abandon end both. Invariants while
 * WRITING: `block` holds whole lines that belong to the member to come, whose
 * place is `block_state`; `state` counts all lines put; `entries` holds the
 * index entry of every block written. It is the only thing that grows: 48
 * bytes for each 64 KiB of text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/base/checked.h"
#include "traces/writer.h"

enum { LEVEL = 6 };

struct sy_trace_writer {
    struct sy_outfile *file; /* NULL when writing to memory */
    struct sy_buf *memory;
    struct sy_diag *diag;
    char *path;
    struct sy_syntax *syntax;
    enum sy_status status; /* sticky */
    bool plain;
    size_t block_bytes;
    struct sy_block_state state, block_state;
    struct {
        uint64_t body;  /* record number of the first inner record */
        uint64_t times; /* product with the blocks around it */
    } open[SY_TRACE_MAX_NESTING];
    struct sy_buf block;
    uint64_t file_offset;
    z_stream z;
    bool z_ready;
    unsigned char *packed; /* one member */
    size_t packed_room;
    struct sy_buf entries; /* encoded index entries of all blocks */
    uint64_t blocks;
    char line[SY_TRACE_MAX_LINE];
};

static enum sy_status fail(struct sy_trace_writer *writer, enum sy_status status, const char *what, const char *why)
{
    struct sy_where where = {.file = writer->path};
    (void)sy_error(writer->diag, where, NULL, "%s cannot be written: %s", what, why);
    return writer->status = status;
}

static enum sy_status no_memory(struct sy_trace_writer *writer)
{
    return fail(writer, SY_NOMEM, "the trace", "out of memory");
}

/* ---- container ---- */

static enum sy_status write_bytes(struct sy_trace_writer *writer, const void *data, size_t length)
{
    writer->file_offset += length;
    if (writer->memory != NULL) {
        sy_buf_append(writer->memory, data, length);
        return writer->memory->failed ? no_memory(writer) : SY_OK;
    }
    if (sy_outfile_write(writer->file, data, length) != SY_OK) {
        char text[128];
        return fail(writer, SY_IO, "the trace", strerror_r(errno, text, sizeof text));
    }
    return writer->status;
}

static void put_le32(unsigned char *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (unsigned char)(value >> (8 * i));
    }
}

/* Compress the block behind the room for its header; *size is that of the whole member. */
static enum sy_status pack_block(struct sy_trace_writer *writer, size_t *size)
{
    const size_t head = SY_MEMBER_HEAD + SY_BLOCK_FIELD;
    size_t room = head + deflateBound(&writer->z, writer->block.length) + SY_MEMBER_TAIL;
    if (room > writer->packed_room) {
        unsigned char *larger = realloc(writer->packed, room);
        if (larger == NULL) {
            return no_memory(writer);
        }
        writer->packed = larger;
        writer->packed_room = room;
    }
    writer->z.next_in = (Bytef *)writer->block.data;
    writer->z.avail_in = (uInt)writer->block.length;
    writer->z.next_out = writer->packed + head;
    writer->z.avail_out = (uInt)(writer->packed_room - head - SY_MEMBER_TAIL);
    if (deflate(&writer->z, Z_FINISH) != Z_STREAM_END || deflateReset(&writer->z) != Z_OK) {
        return fail(writer, SY_INTERNAL, "a block", "zlib refused it");
    }
    unsigned char *tail = writer->z.next_out;
    put_le32(tail, (uint32_t)crc32(0, (const Bytef *)writer->block.data, (uInt)writer->block.length));
    put_le32(tail + 4, (uint32_t)writer->block.length);
    *size = (size_t)(tail + SY_MEMBER_TAIL - writer->packed);
    return SY_OK;
}

static enum sy_status flush_block(struct sy_trace_writer *writer)
{
    size_t size;
    if (writer->block.length == 0 || writer->status != SY_OK) {
        return writer->status;
    }
    if (writer->plain) {
        (void)write_bytes(writer, writer->block.data, writer->block.length);
        sy_buf_clear(&writer->block);
        return writer->status;
    }
    if (pack_block(writer, &size) != SY_OK) {
        return writer->status;
    }
    struct sy_index_entry entry = {writer->file_offset, writer->block_state};
    struct sy_block_field field = {.state = writer->block_state,
                                   .member_bytes = (uint32_t)size,
                                   .text_bytes = (uint32_t)writer->block.length,
                                   .block = writer->blocks++};
    unsigned char bytes[SY_INDEX_ENTRY] = {0};
    sy_index_entry_encode(bytes, &entry);
    sy_buf_append(&writer->entries, (const char *)bytes, sizeof bytes);
    sy_member_head(writer->packed, SY_BLOCK_FIELD);
    (void)sy_block_encode(writer->packed + SY_MEMBER_HEAD, &field);
    sy_buf_clear(&writer->block);
    return write_bytes(writer, writer->packed, size);
}

static enum sy_status write_index(struct sy_trace_writer *writer)
{
    struct sy_trailer trailer = {
        .entries_crc = (uint32_t)crc32_z(0, (const Bytef *)writer->entries.data, writer->entries.length),
        .blocks = writer->blocks,
        .records = writer->state.record,
        .lines = writer->state.line,
        .text_bytes = writer->state.text_offset,
        .index_offset = writer->file_offset,
    };
    unsigned char *room = malloc(2 * SY_INDEX_FIELD_MAX + 64);
    if (room == NULL || writer->entries.failed) {
        free(room);
        return no_memory(writer);
    }
    unsigned char *field = room + SY_INDEX_FIELD_MAX + 32; /* room holds the member, then the field by itself */
    for (uint64_t first = 0; first < writer->blocks; first += SY_INDEX_ENTRIES) {
        uint64_t left = writer->blocks - first;
        uint32_t count = left < SY_INDEX_ENTRIES ? (uint32_t)left : SY_INDEX_ENTRIES;
        const char *entries = writer->entries.data + first * SY_INDEX_ENTRY;
        size_t length = sy_index_encode(field, first, count, (const unsigned char *)entries);
        (void)write_bytes(writer, room, sy_empty_member(room, field, length));
    }
    size_t length = sy_trailer_encode(field, &trailer);
    (void)write_bytes(writer, room, sy_empty_member(room, field, length));
    free(room);
    return writer->status;
}

/* ---- lines ---- */

enum sy_status sy_writer_put_line(struct sy_trace_writer *writer, const char *line, size_t length)
{
    if (writer->block.length > 0 && writer->block.length + length > writer->block_bytes) {
        (void)flush_block(writer);
    }
    if (writer->status != SY_OK) {
        return writer->status;
    }
    if (writer->block.length == 0) {
        writer->block_state = writer->state;
    }
    sy_buf_append(&writer->block, line, length);
    if (writer->block.failed) {
        return no_memory(writer);
    }
    writer->state.text_offset += length;
    writer->state.line++;
    return SY_OK;
}

static enum sy_status put_formatted(struct sy_trace_writer *writer, const struct sy_line_out *out)
{
    return sy_writer_put_line(writer, out->data, out->length);
}

static struct sy_line_out start_line(struct sy_trace_writer *writer)
{
    return (struct sy_line_out){.data = writer->line, .room = sizeof writer->line};
}

void sy_writer_count(struct sy_trace_writer *writer, enum sy_form form)
{
    struct sy_block_state *state = &writer->state;
    state->record++;
    switch (form) {
    case SY_FORM_LAYER:
        break;
    case SY_FORM_COMMAND:
        state->command++;
        break;
    case SY_FORM_REPEAT:
        writer->open[state->depth++].body = state->record;
        break;
    case SY_FORM_CLOSE:
        state->depth--;
        break;
    case SY_FORM_UNMODELLED:
    case SY_FORM_UNREAD:
    case SY_FORM_PASS:
    case SY_FORM_NET:
    case SY_FORM_END:
        break;
    }
}

/* ---- life ---- */

static enum sy_status set_up(struct sy_trace_writer *writer, const char *path,
                             const struct sy_trace_writer_options *options)
{
    static const struct sy_trace_writer_options defaults = {0};
    options = options == NULL ? &defaults : options;
    writer->plain = options->plain;
    writer->memory = options->memory;
    writer->block_bytes = options->block_bytes == 0 ? SY_TRACE_BLOCK_BYTES : (size_t)options->block_bytes;
    writer->path = strdup(path == NULL ? "-" : path);
    writer->syntax = sy_syntax_create();
    if (writer->path == NULL || writer->syntax == NULL) {
        return no_memory(writer);
    }
    if (options->block_bytes > SY_TRACE_MAX_BLOCK - SY_TRACE_MAX_LINE) {
        return fail(writer, SY_USAGE, "the trace", "blocks of more than 896 KiB are not allowed");
    }
    if (options->level < 0 || options->level > 9) {
        return fail(writer, SY_USAGE, "the trace", "the compression level is not 1 to 9");
    }
    if (writer->plain) {
        return SY_OK;
    }
    int level = options->level == 0 ? LEVEL : options->level;
    writer->z_ready = deflateInit2(&writer->z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return writer->z_ready ? SY_OK : no_memory(writer);
}

static void destroy(struct sy_trace_writer *writer)
{
    if (writer->z_ready) {
        (void)deflateEnd(&writer->z);
    }
    sy_buf_free(&writer->block);
    sy_buf_free(&writer->entries);
    free(writer->packed);
    free(writer->syntax);
    free(writer->path);
    free(writer);
}

enum sy_status sy_writer_open(const char *path, const struct sy_trace_writer_options *options,
                              struct sy_trace_writer **out, struct sy_diag *diag)
{
    *out = NULL;
    struct sy_trace_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        (void)sy_error(diag, SY_NOWHERE, NULL, "out of memory");
        return SY_NOMEM;
    }
    writer->diag = diag;
    enum sy_status status = set_up(writer, path, options);
    if (status == SY_OK && writer->memory == NULL) {
        status = sy_outfile_open(path, &writer->file, diag);
    }
    if (status != SY_OK) {
        destroy(writer);
        return status;
    }
    *out = writer;
    return SY_OK;
}

enum sy_status sy_trace_create(const char *path, const char *workload_name,
                               const struct sy_trace_writer_options *options, struct sy_trace_writer **out,
                               struct sy_diag *diag)
{
    enum sy_status status = sy_writer_open(path, options, out, diag);
    if (status != SY_OK) {
        return status;
    }
    struct sy_trace_writer *writer = *out;
    struct sy_line_out line = start_line(writer);
    sy_put_text(&line, "systole-trace 1\n");
    (void)put_formatted(writer, &line);
    if (workload_name != NULL) {
        line = start_line(writer);
        sy_put_text(&line, "net ");
        sy_put_name(&line, workload_name);
        sy_put_text(&line, "\n");
        if (strnlen(workload_name, SY_TRACE_MAX_NAME + 1) > SY_TRACE_MAX_NAME) {
            (void)fail(writer, SY_INPUT, "the name of the workload", "it is too long");
        } else {
            (void)put_formatted(writer, &line);
        }
    }
    if (writer->status != SY_OK) {
        status = writer->status;
        sy_trace_abandon(writer);
        *out = NULL;
    }
    return status;
}

void sy_trace_abandon(struct sy_trace_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    if (writer->file != NULL) {
        sy_outfile_abort(writer->file);
    }
    destroy(writer);
}

/* What holds the rest of a block and the index are written; the file appears. */
enum sy_status sy_writer_close(struct sy_trace_writer *writer)
{
    (void)flush_block(writer);
    if (!writer->plain && writer->status == SY_OK) {
        (void)write_index(writer);
    }
    enum sy_status status = writer->status;
    if (status != SY_OK) {
        sy_trace_abandon(writer);
        return status;
    }
    status = writer->file == NULL ? SY_OK : sy_outfile_commit(writer->file, writer->diag);
    destroy(writer);
    return status;
}

enum sy_status sy_trace_finish(struct sy_trace_writer *writer)
{
    if (writer->status == SY_OK && writer->state.depth > 0) {
        (void)fail(writer, SY_STATE, "the end", "a repeat block is open");
    }
    if (writer->status == SY_OK) {
        struct sy_line_out line = start_line(writer);
        sy_put_text(&line, "end ");
        sy_put_number(&line, writer->state.record);
        sy_put_text(&line, "\n");
        (void)put_formatted(writer, &line);
    }
    return sy_writer_close(writer);
}

/* ---- records ---- */

enum sy_status sy_trace_put_layer(struct sy_trace_writer *writer, const struct sy_layer *layer)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    const char *why = NULL;
    struct sy_line_out line = start_line(writer);
    if (!sy_format_layer(&line, writer->syntax, layer, &why)) {
        return fail(writer, SY_INPUT, layer->name == NULL ? "a layer" : layer->name, why);
    }
    enum sy_status status = sy_layer_check(layer, writer->path, writer->diag);
    if (status != SY_OK) {
        return writer->status = status;
    }
    status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_LAYER);
    }
    return status;
}

enum sy_status sy_trace_put_command(struct sy_trace_writer *writer, const struct sy_command *command)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    const char *why = NULL;
    struct sy_line_out line = start_line(writer);
    if (!sy_format_command(&line, writer->syntax, command, writer->state.command, &why)) {
        return fail(writer, SY_INPUT, "a command", why);
    }
    enum sy_status status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_COMMAND);
    }
    return status;
}

enum sy_status sy_trace_put_repeat(struct sy_trace_writer *writer, uint64_t times)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    if (times == 0 || writer->state.depth == SY_TRACE_MAX_NESTING) {
        return fail(writer, SY_INPUT, "a repeat block",
                    times == 0 ? "it repeats 0 times" : "more than 16 inside each other");
    }
    uint32_t depth = writer->state.depth;
    if (!sy_mul(depth == 0 ? 1 : writer->open[depth - 1].times, times, &writer->open[depth].times)) {
        return fail(writer, SY_OVERFLOW, "a repeat block", "with those around it it repeats more than 2^64 times");
    }
    struct sy_line_out line = start_line(writer);
    sy_put_text(&line, "repeat ");
    sy_put_number(&line, times);
    sy_put_text(&line, " {\n");
    enum sy_status status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_REPEAT);
    }
    return status;
}

enum sy_status sy_trace_put_end_repeat(struct sy_trace_writer *writer)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    if (writer->state.depth == 0) {
        return fail(writer, SY_STATE, "the end of a repeat block", "none is open");
    }
    if (writer->open[writer->state.depth - 1].body == writer->state.record) {
        return fail(writer, SY_INPUT, "a repeat block", "it is empty");
    }
    enum sy_status status = sy_writer_put_line(writer, "}\n", 2);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_CLOSE);
    }
    return status;
}

enum sy_status sy_trace_put_unmodelled(struct sy_trace_writer *writer, const struct sy_unmodelled *item)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    if (item->op != NULL && strnlen(item->op, SY_TRACE_MAX_NAME + 1) > SY_TRACE_MAX_NAME) {
        return fail(writer, SY_INPUT, "an unmodelled operator", "its name is too long");
    }
    struct sy_line_out line = start_line(writer);
    sy_put_text(&line, "unmodelled ");
    sy_put_name(&line, item->op);
    sy_put_text(&line, " ");
    sy_put_number(&line, item->count);
    sy_put_text(&line, " ");
    sy_put_number(&line, item->bytes);
    sy_put_text(&line, "\n");
    enum sy_status status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_UNMODELLED);
    }
    return status;
}

enum sy_status sy_trace_put_unread(struct sy_trace_writer *writer, const struct sy_unread *unread)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    struct sy_line_out line = start_line(writer);
    sy_put_text(&line, "unread ");
    sy_put_number(&line, unread->elements);
    sy_put_text(&line, " ");
    sy_put_number(&line, unread->bytes);
    sy_put_text(&line, "\n");
    enum sy_status status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_UNREAD);
    }
    return status;
}

enum sy_status sy_trace_put_pass(struct sy_trace_writer *writer, const struct sy_pass *pass)
{
    if (writer->status != SY_OK) {
        return writer->status;
    }
    const uint64_t numbers[] = {pass->sequences, pass->tokens, pass->context, pass->chips};
    const size_t count = pass->chips > 1 ? 4 : 3;
    struct sy_line_out line = start_line(writer);
    sy_put_text(&line, "pass ");
    sy_put_name(&line, pass->phase);
    for (size_t i = 0; i < count; i++) {
        sy_put_text(&line, " ");
        sy_put_number(&line, numbers[i]);
    }
    sy_put_text(&line, "\n");
    enum sy_status status = put_formatted(writer, &line);
    if (status == SY_OK) {
        sy_writer_count(writer, SY_FORM_PASS);
    }
    return status;
}

/* ---- workloads ---- */

static enum sy_status put_record(struct sy_trace_writer *writer, const struct sy_workload_record *record)
{
    switch (record->kind) {
    case SY_RECORD_LAYER:
        return sy_trace_put_layer(writer, &record->layer);
    case SY_RECORD_REPEAT:
        return sy_trace_put_repeat(writer, record->repeat);
    case SY_RECORD_END_REPEAT:
        return sy_trace_put_end_repeat(writer);
    }
    return SY_INTERNAL;
}

enum sy_status sy_trace_write_workload(const char *path, const struct sy_workload *workload,
                                       const struct sy_trace_writer_options *options, struct sy_diag *diag)
{
    struct sy_trace_writer *writer;
    enum sy_status status = sy_trace_create(path, workload->name, options, &writer, diag);
    if (status != SY_OK) {
        return status;
    }
    if (workload->pass.phase != NULL) {
        status = sy_trace_put_pass(writer, &workload->pass);
    }
    for (const struct sy_workload_record *it = workload->first; it != NULL && status == SY_OK; it = it->next) {
        status = put_record(writer, it);
    }
    for (const struct sy_unmodelled *it = workload->unmodelled; it != NULL && status == SY_OK; it = it->next) {
        status = sy_trace_put_unmodelled(writer, it);
    }
    if (status == SY_OK && workload->unread.elements > 0) {
        status = sy_trace_put_unread(writer, &workload->unread);
    }
    if (status != SY_OK) {
        sy_trace_abandon(writer);
        return status;
    }
    return sy_trace_finish(writer);
}
