/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is intact in a damaged trace.
 *
 * A block is intact when its header, its deflate data and its CRC are. Behind
 * damage the next intact header is searched byte by byte; it says where in the
 * trace its text belongs, so what was lost can be told. A file without blocks
 * has only the part before its first damage.
 *
 * Records are put out through a stack that mirrors the repeat blocks of the
 * input. A block is PENDING until its first record comes (an empty one is never
 * written), WRITTEN after that, or LOST when its `repeat` line was in a hole:
 * then its records are kept as if they ran once.
 *
 * Commands refer to earlier ones by distance, so none can be left out between
 * the two. Behind a hole they are left out up to the next layer; from there on
 * (`whole_from`) they are kept, without the dependencies that reach back over
 * the hole.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "traces/input.h"
#include "traces/reader.h"
#include "traces/writer.h"

enum {
    MEMBER_MAX = 2 * SY_TRACE_MAX_BLOCK, /* no block we write comes near it */
    HEADER = SY_MEMBER_HEAD + SY_BLOCK_FIELD,
    PADDING = 16
};

enum open_state { PENDING, WRITTEN, LOST };

struct salvage {
    const char *path;
    const char *out_path;   /* NULL: count only */
    struct sy_diag *diag;   /* of the caller */
    enum sy_severity level; /* losses are warnings when a file is recovered, notes when it is verified */
    struct sy_diag sink;    /* gives messages of the parser that level */
    struct sy_trace_writer *writer;
    char *name;
    struct sy_scan scan;
    struct {
        enum open_state state;
        uint64_t times;
    } open[SY_TRACE_MAX_NESTING];
    uint32_t depth;
    bool broken_stream;  /* commands are left out up to the next layer */
    uint64_t whole_from; /* id of the first command behind the last hole */
    uint64_t written_commands;
    bool saw_end;
    struct sy_block_state next; /* what the next block should begin with */
    uint64_t records, bytes, dropped_commands, dropped_dependencies;
    unsigned char *member;
    char *text;
    uint64_t
        budget; /* bytes of damaged blocks that may still be tried: a hostile file could hold a header every 76 bytes */
};

static void forward(void *context, const struct sy_diag_msg *message)
{
    const struct salvage *salvage = context;
    (void)sy_diag_report(salvage->diag, salvage->level, message->where, message->hint, "%s", message->message);
}

static struct sy_where at_offset(const struct salvage *salvage, uint64_t offset)
{
    return (struct sy_where){.file = salvage->path, .has_offset = 1, .byte_offset = offset};
}

#define TELL(salvage, where, ...) ((void)sy_diag_report((salvage)->diag, (salvage)->level, (where), NULL, __VA_ARGS__))

/* ---- records out ---- */

static enum sy_status open_writer(struct salvage *salvage)
{
    if (salvage->out_path == NULL || salvage->writer != NULL) {
        return SY_OK;
    }
    return sy_trace_create(salvage->out_path, salvage->name, NULL, &salvage->writer, salvage->diag);
}

/* Write the repeat lines that wait for their first record. */
static enum sy_status flush_pending(struct salvage *salvage)
{
    enum sy_status status = open_writer(salvage);
    for (uint32_t i = 0; i < salvage->depth && status == SY_OK; i++) {
        if (salvage->open[i].state != PENDING) {
            continue;
        }
        salvage->open[i].state = WRITTEN;
        salvage->records++;
        if (salvage->writer != NULL) {
            status = sy_trace_put_repeat(salvage->writer, salvage->open[i].times);
        }
    }
    return status;
}

static enum sy_status put_record(struct salvage *salvage, const struct sy_trace_record *record)
{
    enum sy_status status = flush_pending(salvage);
    salvage->records++;
    if (status != SY_OK || salvage->writer == NULL) {
        return status;
    }
    if (record->kind == SY_TRACE_LAYER) {
        return sy_trace_put_layer(salvage->writer, &record->layer);
    }
    if (record->kind == SY_TRACE_UNREAD) {
        return sy_trace_put_unread(salvage->writer, &record->unread);
    }
    if (record->kind == SY_TRACE_PASS) {
        return sy_trace_put_pass(salvage->writer, &record->pass);
    }
    return record->kind == SY_TRACE_COMMAND ? sy_trace_put_command(salvage->writer, &record->command)
                                            : sy_trace_put_unmodelled(salvage->writer, &record->unmodelled);
}

static enum sy_status close_block(struct salvage *salvage)
{
    enum open_state state = salvage->open[--salvage->depth].state;
    if (state != WRITTEN) {
        return SY_OK;
    }
    salvage->records++;
    return salvage->writer == NULL ? SY_OK : sy_trace_put_end_repeat(salvage->writer);
}

static void open_block(struct salvage *salvage, enum open_state state, uint64_t times)
{
    if (salvage->depth < SY_TRACE_MAX_NESTING) {
        salvage->open[salvage->depth].state = state;
        salvage->open[salvage->depth++].times = times;
    }
}

/* Give a command and what it depends on the ids they have in the output. */
static enum sy_status put_command(struct salvage *salvage, struct sy_trace_record *record)
{
    struct sy_command *command = &record->command;
    uint32_t kept = 0;
    if (salvage->broken_stream) {
        salvage->dropped_commands++;
        return SY_OK;
    }
    for (uint32_t i = 0; i < command->dependencies; i++) {
        struct sy_dependency dependency = command->dependency[i];
        if (dependency.command >= salvage->whole_from) {
            dependency.command = salvage->written_commands - (record->command_id - dependency.command);
            command->dependency[kept++] = dependency;
        }
    }
    salvage->dropped_dependencies += command->dependencies - kept;
    command->dependencies = (uint8_t)kept;
    salvage->written_commands++;
    return put_record(salvage, record);
}

/* next_command: id of the next command in the input. */
static enum sy_status put_any(struct salvage *salvage, struct sy_trace_record *record, uint64_t next_command)
{
    switch (record->kind) {
    case SY_TRACE_LAYER:
        salvage->whole_from = salvage->broken_stream ? next_command : salvage->whole_from;
        salvage->broken_stream = false;
        return put_record(salvage, record);
    case SY_TRACE_COMMAND:
        return put_command(salvage, record);
    case SY_TRACE_UNMODELLED:
    case SY_TRACE_UNREAD:
    case SY_TRACE_PASS:
        return put_record(salvage, record);
    case SY_TRACE_REPEAT:
        open_block(salvage, PENDING, record->repeat);
        return SY_OK;
    case SY_TRACE_END_REPEAT:
        return salvage->depth > 0 ? close_block(salvage) : SY_OK;
    case SY_TRACE_END:
        break;
    }
    return SY_OK;
}

/* Something before this place is missing; `depth` repeat blocks are open here. */
static enum sy_status cross_hole(struct salvage *salvage, uint32_t depth)
{
    enum sy_status status = SY_OK;
    salvage->broken_stream = true;
    while (salvage->depth > depth && status == SY_OK) {
        status = close_block(salvage);
    }
    while (salvage->depth < depth && salvage->depth < SY_TRACE_MAX_NESTING) {
        open_block(salvage, LOST, 1);
    }
    return status;
}

/* ---- blocks in ---- */

static enum sy_status keep_name(struct salvage *salvage, const char *name)
{
    char *copy = name == NULL ? NULL : strdup(name);
    if (copy != NULL) {
        free(salvage->name);
        salvage->name = copy;
    }
    return name == NULL || copy != NULL ? SY_OK : SY_NOMEM;
}

/* A line that cannot be read is a hole of its own. */
static enum sy_status salvage_line(struct salvage *salvage, struct sy_block_state *at)
{
    struct sy_trace_record record;
    struct sy_parsed parsed = {.record = &record};
    salvage->scan.line = at->line + 1;
    salvage->scan.byte_offset = at->text_offset;
    salvage->scan.command_id = at->command;
    if (sy_parse_line(&salvage->scan, &parsed) != SY_OK) {
        salvage->broken_stream = true;
        return SY_OK;
    }
    if (parsed.form == SY_FORM_NET) {
        return keep_name(salvage, parsed.name);
    }
    if (parsed.form == SY_FORM_END) {
        salvage->saw_end = true;
        return SY_OK;
    }
    record.command_id = at->command;
    at->record++;
    at->command += parsed.form == SY_FORM_COMMAND;
    return put_any(salvage, &record, at->command);
}

static enum sy_status salvage_text(struct salvage *salvage, const struct sy_block_field *block)
{
    struct sy_block_state at = block->state;
    const char *line = salvage->text, *end = line + block->text_bytes;
    enum sy_status status = SY_OK;
    while (line < end && status == SY_OK) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) {
            break;
        }
        salvage->scan.start = line;
        salvage->scan.end = newline;
        if (at.line > 0 && sy_scan_begin(&salvage->scan)) { /* line 1 is the version line */
            status = salvage_line(salvage, &at);
        }
        at.line++;
        at.text_offset += (uint64_t)(newline + 1 - line);
        line = newline + 1;
    }
    salvage->bytes += block->text_bytes;
    at.depth = salvage->depth;
    salvage->next = at;
    return status;
}

static bool inflate_block(struct salvage *salvage, const struct sy_block_field *block)
{
    z_stream z = {.next_in = salvage->member,
                  .avail_in = block->member_bytes,
                  .next_out = (Bytef *)salvage->text,
                  .avail_out = block->text_bytes};
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return false;
    }
    int result = inflate(&z, Z_FINISH);
    (void)inflateEnd(&z);
    return result == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
}

/* A block header at this offset? */
static bool header_at(const struct sy_input *input, uint64_t offset, struct sy_block_field *block)
{
    unsigned char bytes[HEADER], expected[SY_MEMBER_HEAD];
    sy_member_head(expected, SY_BLOCK_FIELD);
    return sy_input_peek(input, offset, bytes, sizeof bytes) && memcmp(bytes, expected, sizeof expected) == 0 &&
           sy_block_decode(bytes + SY_MEMBER_HEAD, SY_BLOCK_FIELD, block) && block->member_bytes <= MEMBER_MAX &&
           block->member_bytes > HEADER + SY_MEMBER_TAIL;
}

/* The first block header at or behind `offset`; false at the end of the file. */
static bool find_header(struct salvage *salvage, const struct sy_input *input, uint64_t size, uint64_t *offset,
                        struct sy_block_field *block)
{
    unsigned char *window = salvage->member; /* MEMBER_MAX bytes that are free between blocks */
    while (*offset + HEADER <= size) {
        size_t have = size - *offset < SY_INPUT_WINDOW ? (size_t)(size - *offset) : SY_INPUT_WINDOW;
        if (!sy_input_peek(input, *offset, window, have)) {
            return false;
        }
        for (size_t i = 0; i + HEADER <= have; i++) {
            const unsigned char *found = memchr(window + i, 0x1f, have - HEADER + 1 - i);
            if (found == NULL) {
                break;
            }
            i = (size_t)(found - window);
            if (header_at(input, *offset + i, block)) {
                *offset += i;
                return true;
            }
        }
        *offset += have - HEADER + 1;
    }
    return false;
}

static enum sy_status tell_hole(struct salvage *salvage, uint64_t offset, const struct sy_block_state *found)
{
    const struct sy_block_state *next = &salvage->next;
    if (found->text_offset <= next->text_offset) {
        TELL(salvage, at_offset(salvage, offset), "a block stands here that does not belong here");
    } else {
        TELL(salvage, at_offset(salvage, offset),
             "%llu records and %llu bytes of text before this byte are lost (from line %llu on)",
             (unsigned long long)(found->record - next->record),
             (unsigned long long)(found->text_offset - next->text_offset), (unsigned long long)(next->line + 1));
    }
    return cross_hole(salvage, found->depth);
}

static bool same_place(const struct sy_block_state *a, const struct sy_block_state *b)
{
    return a->text_offset == b->text_offset && a->record == b->record && a->line == b->line;
}

/* Try the block whose header stands at offset. *taken = it was intact. */
static enum sy_status salvage_block(struct salvage *salvage, const struct sy_input *input, uint64_t offset,
                                    const struct sy_block_field *block, bool *taken)
{
    *taken = sy_input_peek(input, offset, salvage->member, block->member_bytes) && inflate_block(salvage, block);
    if (!*taken) {
        salvage->budget -= salvage->budget < block->member_bytes ? salvage->budget : block->member_bytes;
        return SY_OK;
    }
    salvage->text[block->text_bytes] = '\n'; /* ends a text that does not end with a line */
    enum sy_status status = SY_OK;
    if (!same_place(&block->state, &salvage->next)) {
        status = tell_hole(salvage, offset, &block->state);
    }
    return status == SY_OK ? salvage_text(salvage, block) : status;
}

static enum sy_status salvage_blocks(struct salvage *salvage, const struct sy_input *input, uint64_t size)
{
    uint64_t offset = 0;
    struct sy_block_field block;
    enum sy_status status = SY_OK;
    while (status == SY_OK && salvage->budget > 0 && find_header(salvage, input, size, &offset, &block)) {
        bool taken;
        status = salvage_block(salvage, input, offset, &block, &taken);
        offset += taken ? block.member_bytes : 1;
    }
    if (status == SY_OK && !salvage->saw_end) {
        TELL(salvage, at_offset(salvage, size), "the end of the trace is lost, from line %llu on",
             (unsigned long long)(salvage->next.line + 1));
    }
    if (salvage->budget == 0) {
        TELL(salvage, at_offset(salvage, offset), "too many damaged blocks; what follows was not searched");
    }
    return status;
}

/* ---- files without blocks ---- */

static enum sy_status salvage_stream(struct salvage *salvage)
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    enum sy_status status = sy_trace_open(salvage->path, NULL, 0, &reader, &salvage->sink);
    if (status != SY_OK) {
        return status == SY_INPUT ? SY_OK : status; /* nothing is intact */
    }
    status = keep_name(salvage, sy_trace_workload_name(reader));
    while (status == SY_OK && sy_trace_next(reader, &record) == SY_OK && record.kind != SY_TRACE_END) {
        status = put_any(salvage, &record, sy_reader_state(reader)->command);
    }
    salvage->bytes = sy_reader_state(reader)->text_offset;
    sy_trace_close(reader);
    return status;
}

/* ---- all of it ---- */

static enum sy_status set_up(struct salvage *salvage)
{
    salvage->sink = (struct sy_diag){.fn = forward, .ctx = salvage};
    salvage->name = sy_trace_name_of_file(salvage->path);
    salvage->member = malloc(MEMBER_MAX);
    salvage->text = malloc(SY_TRACE_MAX_BLOCK + PADDING);
    salvage->scan = (struct sy_scan){.syntax = sy_syntax_create(),
                                     .names = malloc(SY_TRACE_NAMES_ROOM),
                                     .file = salvage->path,
                                     .diag = &salvage->sink,
                                     .check = true};
    bool all = salvage->name != NULL && salvage->member != NULL && salvage->text != NULL &&
               salvage->scan.syntax != NULL && salvage->scan.names != NULL;
    if (all) {
        memset(salvage->text, 0, SY_TRACE_MAX_BLOCK + PADDING);
    }
    return all ? SY_OK : SY_NOMEM;
}

static void tear_down(struct salvage *salvage)
{
    free((void *)(uintptr_t)salvage->scan.syntax);
    free(salvage->scan.names);
    free(salvage->text);
    free(salvage->member);
    free(salvage->name);
}

static enum sy_status finish(struct salvage *salvage, enum sy_status status)
{
    while (status == SY_OK && salvage->depth > 0) {
        status = close_block(salvage);
    }
    struct sy_where where = {.file = salvage->path};
    if (salvage->dropped_commands > 0) {
        TELL(salvage, where, "%llu commands between a hole and the next layer are left out",
             (unsigned long long)salvage->dropped_commands);
    }
    if (salvage->dropped_dependencies > 0) {
        TELL(salvage, where, "%llu dependencies that reach back over a hole are left out",
             (unsigned long long)salvage->dropped_dependencies);
    }
    if (salvage->writer != NULL && status == SY_OK) {
        return sy_trace_finish(salvage->writer);
    }
    sy_trace_abandon(salvage->writer);
    return status;
}

static enum sy_status run(struct salvage *salvage)
{
    struct sy_input *input = malloc(sizeof *input);
    enum sy_status status = input == NULL ? SY_NOMEM : set_up(salvage);
    if (status == SY_OK) {
        status = sy_input_open(input, salvage->path, NULL, 0, salvage->diag);
    }
    if (status == SY_OK) {
        uint64_t size = 0, offset = 0;
        struct sy_block_field block;
        bool blocks = sy_input_size(input, &size) && find_header(salvage, input, size, &offset, &block);
        salvage->budget = 8 * size + (UINT64_C(64) << 20);
        status = blocks ? salvage_blocks(salvage, input, size) : salvage_stream(salvage);
        sy_input_close(input);
        status = finish(salvage, status);
    }
    tear_down(salvage);
    free(input);
    return status;
}

enum sy_status sy_trace_verify(const char *path, uint64_t *intact_records, uint64_t *intact_bytes, struct sy_diag *diag)
{
    struct sy_trace_reader *reader = NULL;
    struct sy_trace_record record;
    struct salvage salvage = {.path = path, .diag = diag, .level = SY_SEV_NOTE};
    enum sy_status status = sy_trace_open(path, NULL, 0, &reader, diag);
    do {
        status = status == SY_OK ? sy_trace_next(reader, &record) : status;
    } while (status == SY_OK && record.kind != SY_TRACE_END);
    if (status == SY_OK) {
        salvage.records = sy_reader_state(reader)->record;
        salvage.bytes = sy_reader_state(reader)->text_offset;
    } else if (status == SY_INPUT || status == SY_OVERFLOW) {
        (void)run(&salvage);
    }
    sy_trace_close(reader);
    if (intact_records != NULL) {
        *intact_records = salvage.records;
    }
    if (intact_bytes != NULL) {
        *intact_bytes = salvage.bytes;
    }
    return status;
}

enum sy_status sy_trace_recover(const char *path, const char *out_path, uint64_t *records, struct sy_diag *diag)
{
    struct salvage salvage = {.path = path, .out_path = out_path, .diag = diag, .level = SY_SEV_WARNING};
    enum sy_status status = run(&salvage);
    if (records != NULL) {
        *records = salvage.records;
    }
    if (status == SY_OK && salvage.records == 0) {
        struct sy_where where = {.file = path};
        return sy_error(diag, where, NULL, "nothing in this file is an intact record of a trace");
    }
    return status;
}
