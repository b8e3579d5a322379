/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: lines of the stream into records.
 *
 * One text buffer holds the current line and what follows it; it is refilled
 * only when no whole line is left. Invariants between two calls of
 * sy_trace_next:
 *   - text[at, end) is unread text, text[0] stands at `base` of the whole text;
 *   - `anchor` is the start of a gzip member at or before text[0], `current`
 *     (of the stream) that of the member the last bytes came from, whose text
 *     starts at or after text[0] or is the anchor;
 *   - `state` counts the records, lines and bytes before text[at], the id of
 *     the next command and the open repeat blocks, all in file order: going
 *     round a repeat block again does not change what comes behind it. Ids of
 *     commands run on all the same: `ahead` is what the rounds added;
 *   - every text byte below `hashed` went into the digest, once.
 * A block of the container starts where `state` says it does, or the file is
 * refused.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "traces/reader.h"

enum { TEXT_ROOM = SY_TRACE_MAX_LINE + SY_TRACE_BLOCK_BYTES, PADDING = 16 };

struct open_block {
    uint64_t body;  /* record number of its first inner record */
    uint64_t times; /* product with the blocks around it */
    uint64_t line;  /* of `repeat` */
};

struct sy_trace_reader {
    struct sy_stream *stream;
    struct sy_diag *diag;
    enum sy_status status; /* sticky */
    bool finished, has_net;
    bool hashes; /* the digest is wanted */
    char *path;
    char *name;
    struct sy_scan scan;
    struct sy_block_state state;
    uint64_t ahead; /* how far ids of unrolled commands are ahead of those counted in file order */
    struct open_block open[SY_TRACE_MAX_NESTING];
    uint64_t closed_body; /* body of the block closed by the last record; UINT64_MAX when it was none */
    struct sy_sha256 digest;
    uint64_t hashed;
    sy_line_fn watch; /* or NULL */
    void *watch_context;
    uint64_t watched; /* text offset of the first line the watcher has not seen */
    struct sy_anchor anchor;
    uint64_t base;
    size_t at, end;
    bool text_ends;
    char *names;
    char text[TEXT_ROOM + PADDING];
};

/* ---- errors ---- */

static struct sy_where at_line(const struct sy_trace_reader *reader)
{
    uint64_t line = reader->state.line + 1;
    return (struct sy_where){.file = reader->path,
                             .line = line > UINT32_MAX ? UINT32_MAX : (uint32_t)line,
                             .byte_offset = reader->state.text_offset};
}

#define FAIL(reader, hint, ...) ((reader)->status = sy_error((reader)->diag, at_line(reader), (hint), __VA_ARGS__))

static const char recover_hint[] = "`systole trace recover` writes what is intact to a new file";

/* ---- text ---- */

static void hash_new_text(struct sy_trace_reader *reader, const char *text, size_t length)
{
    uint64_t start = reader->base + (uint64_t)(text - reader->text);
    uint64_t end = start + length;
    if (reader->hashes && start <= reader->hashed && end > reader->hashed) {
        sy_sha256_add(&reader->digest, text + (reader->hashed - start), (size_t)(end - reader->hashed));
        reader->hashed = end;
    }
}

/* A block of the container begins behind `rest` unread bytes: does its header say what we counted? */
static enum sy_status check_block(struct sy_trace_reader *reader, const struct sy_block_field *block, size_t rest)
{
    if (rest > 0) {
        return FAIL(reader, recover_hint, "a block ends inside this line; the trace is damaged");
    }
    const struct sy_block_state *said = &block->state, *counted = &reader->state;
    if (said->record != counted->record || said->line != counted->line || said->command != counted->command ||
        said->depth != counted->depth) {
        return FAIL(reader, recover_hint, "the block that begins here says that %llu records come before it; %llu do",
                    (unsigned long long)said->record, (unsigned long long)counted->record);
    }
    return SY_OK;
}

/* Move the unread rest to the front and read more behind it. */
static enum sy_status refill(struct sy_trace_reader *reader)
{
    struct sy_anchor member = sy_stream_anchor(reader->stream);
    size_t rest = reader->end - reader->at;
    uint64_t rest_offset = reader->base + reader->at;
    if (rest_offset >= member.text_offset) {
        reader->anchor = member;
    }
    memmove(reader->text, reader->text + reader->at, rest);
    reader->base = rest_offset;
    reader->at = 0;
    reader->end = rest;
    size_t got = 0;
    reader->status = sy_stream_read(reader->stream, reader->text + rest, TEXT_ROOM - rest, &got);
    if (reader->status != SY_OK) {
        return reader->status;
    }
    if (got == 0) {
        reader->text_ends = true;
        return SY_OK;
    }
    const struct sy_block_field *block = sy_stream_block(reader->stream);
    if (block != NULL && block->state.text_offset == reader->base + rest && check_block(reader, block, rest) != SY_OK) {
        return reader->status;
    }
    if (rest == 0) {
        reader->anchor = sy_stream_anchor(reader->stream);
    }
    hash_new_text(reader, reader->text + rest, got);
    reader->end = rest + got;
    memset(reader->text + reader->end, 0, PADDING);
    return SY_OK;
}

/* Find the next line; *length counts its newline, 0 = the text has ended. */
static inline enum sy_status next_line(struct sy_trace_reader *reader, size_t *length)
{
    size_t searched = 0;
    for (;;) {
        const char *from = reader->text + reader->at;
        size_t have = reader->end - reader->at;
        const char *newline = memchr(from + searched, '\n', have - searched);
        if (newline != NULL && (size_t)(newline - from) < SY_TRACE_MAX_LINE) {
            *length = (size_t)(newline - from) + 1;
            return SY_OK;
        }
        if (have >= SY_TRACE_MAX_LINE) {
            return FAIL(reader, NULL, "this line is longer than %d bytes", SY_TRACE_MAX_LINE);
        }
        if (reader->text_ends) {
            *length = 0;
            return have == 0 ? SY_OK : FAIL(reader, recover_hint, "the last line has no newline: the trace was cut");
        }
        searched = have;
        if (refill(reader) != SY_OK) {
            return reader->status;
        }
    }
}

enum { NO_RECORD = -1 };

static enum sy_status show_line(struct sy_trace_reader *reader, size_t length, int form)
{
    if (reader->state.text_offset < reader->watched) {
        return SY_OK;
    }
    reader->watched = reader->state.text_offset + length;
    return reader->status = reader->watch(reader->watch_context, reader->text + reader->at, length, form);
}

static inline enum sy_status take_line(struct sy_trace_reader *reader, size_t length, int form)
{
    if (reader->watch != NULL && show_line(reader, length, form) != SY_OK) {
        return reader->status;
    }
    reader->at += length;
    reader->state.text_offset += length;
    reader->state.line++;
    return SY_OK;
}

/* ---- opening ---- */

static const char version_line[] = "systole-trace 1";

static enum sy_status check_version(struct sy_trace_reader *reader)
{
    size_t length = 0;
    enum sy_status status = next_line(reader, &length);
    if (status != SY_OK) {
        return status;
    }
    const char *line = reader->text + reader->at;
    size_t bare = length > 1 && line[length - 2] == '\r' ? length - 2 : length > 0 ? length - 1 : 0;
    size_t word = strlen("systole-trace ");
    if (bare == strlen(version_line) && memcmp(line, version_line, bare) == 0) {
        return take_line(reader, length, NO_RECORD);
    }
    if (bare > word && memcmp(line, version_line, word) == 0) {
        return FAIL(reader, "a newer Systole may read it", "this trace is not of version 1, the one known here");
    }
    return FAIL(reader, "`systole import` makes traces from model files",
                "this is not a layer trace; expected '%s' as the first line", version_line);
}

char *sy_trace_name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash == NULL ? path : slash + 1);
    static const char *const endings[] = {".gz", ".slt", ".txt"};
    for (size_t i = 0; name != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(name), ending = strlen(endings[i]);
        if (length > ending && strcmp(name + length - ending, endings[i]) == 0) {
            name[length - ending] = '\0';
        }
    }
    return name;
}

static enum sy_status set_up(struct sy_trace_reader *reader, const char *path, struct sy_diag *diag)
{
    reader->diag = diag;
    reader->path = strdup(path);
    reader->name = sy_trace_name_of_file(path);
    reader->names = malloc(SY_TRACE_NAMES_ROOM);
    struct sy_syntax *syntax = sy_syntax_create();
    reader->scan = (struct sy_scan){.syntax = syntax, .names = reader->names, .diag = diag, .check = true};
    reader->scan.file = reader->path;
    reader->closed_body = UINT64_MAX;
    sy_sha256_begin(&reader->digest);
    if (reader->path == NULL || reader->name == NULL || reader->names == NULL || syntax == NULL) {
        (void)sy_error(diag, SY_NOWHERE, NULL, "out of memory");
        return SY_NOMEM;
    }
    return SY_OK;
}

static enum sy_status look_for_name(struct sy_trace_reader *reader);

enum sy_status sy_trace_open(const char *path, const void *data, size_t length, struct sy_trace_reader **reader,
                             struct sy_diag *diag)
{
    return sy_reader_open(path, data, length, NULL, NULL, reader, diag);
}

enum sy_status sy_reader_open(const char *path, const void *data, size_t length, sy_line_fn watch, void *context,
                              struct sy_trace_reader **out, struct sy_diag *diag)
{
    *out = NULL;
    struct sy_trace_reader *reader = malloc(sizeof *reader);
    if (reader == NULL) {
        (void)sy_error(diag, SY_NOWHERE, NULL, "out of memory");
        return SY_NOMEM;
    }
    memset(reader, 0, offsetof(struct sy_trace_reader, text));
    reader->hashes = true;
    reader->watch = watch;
    reader->watch_context = context;
    enum sy_status status = set_up(reader, path, diag);
    if (status == SY_OK) {
        status = sy_stream_open(path, data, length, &reader->stream, diag);
    }
    if (status == SY_OK) {
        status = check_version(reader);
    }
    if (status == SY_OK) {
        status = look_for_name(reader);
    }
    if (status != SY_OK) {
        sy_trace_close(reader);
        return status;
    }
    *out = reader;
    return SY_OK;
}

void sy_trace_without_digest(struct sy_trace_reader *reader)
{
    reader->hashes = false;
}

void sy_trace_close(struct sy_trace_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    sy_stream_close(reader->stream);
    free((void *)(uintptr_t)reader->scan.syntax); /* made by set_up, const only for the scanner */
    free(reader->names);
    free(reader->name);
    free(reader->path);
    free(reader);
}

const char *sy_trace_workload_name(const struct sy_trace_reader *reader)
{
    return reader->name;
}

const struct sy_block_state *sy_reader_state(const struct sy_trace_reader *reader)
{
    return &reader->state;
}

uint64_t sy_reader_times(const struct sy_trace_reader *reader)
{
    return reader->state.depth == 0 ? 1 : reader->open[reader->state.depth - 1].times;
}

const struct sy_stream *sy_reader_stream(const struct sy_trace_reader *reader)
{
    return reader->stream;
}

void sy_trace_digest(struct sy_trace_reader *reader, char out[65])
{
    out[0] = '\0';
    if (reader->hashes && reader->hashed >= reader->state.text_offset) {
        sy_sha256_hex_of(&reader->digest, out);
    }
}

/* ---- records ---- */

static enum sy_status open_repeat(struct sy_trace_reader *reader, uint64_t times)
{
    struct sy_block_state *state = &reader->state;
    if (state->depth == SY_TRACE_MAX_NESTING) {
        return FAIL(reader, NULL, "more than %d repeat blocks inside each other", SY_TRACE_MAX_NESTING);
    }
    uint64_t outer = state->depth == 0 ? 1 : reader->open[state->depth - 1].times;
    uint64_t product;
    if (!sy_mul(outer, times, &product)) {
        (void)FAIL(reader, NULL, "repeat blocks inside each other repeat more than 2^64 times");
        return reader->status = SY_OVERFLOW;
    }
    reader->open[state->depth++] = (struct open_block){state->record + 1, product, state->line + 1};
    return SY_OK;
}

static enum sy_status close_repeat(struct sy_trace_reader *reader)
{
    struct sy_block_state *state = &reader->state;
    if (state->depth == 0) {
        return FAIL(reader, NULL, "this } closes no repeat block");
    }
    const struct open_block *block = &reader->open[state->depth - 1];
    if (block->body == state->record) {
        return FAIL(reader, NULL, "the repeat block of line %llu is empty", (unsigned long long)block->line);
    }
    state->depth--;
    return SY_OK;
}

static enum sy_status finish(struct sy_trace_reader *reader, uint64_t count)
{
    const struct sy_block_state *state = &reader->state;
    if (state->depth > 0) {
        return FAIL(reader, NULL, "the repeat block of line %llu is not closed",
                    (unsigned long long)reader->open[state->depth - 1].line);
    }
    if (count != state->record) {
        return FAIL(reader, recover_hint, "the end line counts %llu records; %llu stand before it",
                    (unsigned long long)count, (unsigned long long)state->record);
    }
    return SY_OK;
}

/* Behind the end line: only blank lines, then the end of the file, where the stream checks its index. */
static enum sy_status drain(struct sy_trace_reader *reader)
{
    for (;;) {
        size_t length = 0;
        reader->status = next_line(reader, &length);
        if (reader->status != SY_OK) {
            return reader->status;
        }
        if (length == 0) {
            break;
        }
        for (size_t i = 0; i < length; i++) {
            if (strchr(" \t\r\n", reader->text[reader->at + i]) == NULL || reader->text[reader->at + i] == '\0') {
                return FAIL(reader, NULL, "text follows the end line");
            }
        }
        if (take_line(reader, length, NO_RECORD) != SY_OK) {
            return reader->status;
        }
    }
    const struct sy_trailer *trailer = sy_stream_trailer(reader->stream);
    if (trailer != NULL && (trailer->records != reader->state.record || trailer->lines != reader->state.line ||
                            trailer->text_bytes != reader->state.text_offset)) {
        return FAIL(reader, recover_hint, "the trailer counts %llu records; the trace has %llu",
                    (unsigned long long)trailer->records, (unsigned long long)reader->state.record);
    }
    reader->finished = true;
    return SY_OK;
}

static enum sy_status set_name(struct sy_trace_reader *reader, const char *name)
{
    if (reader->state.record > 0 || reader->has_net) {
        return FAIL(reader, NULL, reader->has_net ? "a second net line" : "the net line stands behind a record");
    }
    reader->has_net = true;
    if (name != NULL && (reader->name == NULL || strcmp(reader->name, name) != 0)) {
        free(reader->name);
        reader->name = strdup(name);
    }
    if (reader->name == NULL) {
        return reader->status = SY_NOMEM;
    }
    return SY_OK;
}

static inline void number_command(struct sy_trace_reader *reader, struct sy_trace_record *record)
{
    record->command_id = reader->state.command++ + reader->ahead;
    for (uint32_t i = 0; reader->ahead > 0 && i < record->command.dependencies; i++) {
        record->command.dependency[i].command += reader->ahead;
    }
}

/* Check a parsed line against the records before it and count it. */
static inline enum sy_status account(struct sy_trace_reader *reader, const struct sy_parsed *parsed)
{
    struct sy_block_state *state = &reader->state;
    enum sy_status status = SY_OK;
    reader->closed_body = UINT64_MAX;
    switch (parsed->form) {
    case SY_FORM_LAYER:
        break;
    case SY_FORM_COMMAND:
        number_command(reader, parsed->record);
        break;
    case SY_FORM_REPEAT:
        status = open_repeat(reader, parsed->record->repeat);
        break;
    case SY_FORM_CLOSE:
        status = close_repeat(reader);
        reader->closed_body = status == SY_OK ? reader->open[state->depth].body : UINT64_MAX;
        break;
    case SY_FORM_UNMODELLED:
    case SY_FORM_UNREAD:
    case SY_FORM_PASS:
        break;
    case SY_FORM_NET:
        return set_name(reader, parsed->name);
    case SY_FORM_END:
        return finish(reader, parsed->count);
    }
    state->record += status == SY_OK;
    return status;
}

/* Set the scanner on the next line that holds something; *length = 0 when the text has ended. */
static inline enum sy_status next_full_line(struct sy_trace_reader *reader, size_t *length)
{
    struct sy_scan *scan = &reader->scan;
    for (;;) {
        enum sy_status status = next_line(reader, length);
        if (status != SY_OK || *length == 0) {
            return status;
        }
        scan->start = reader->text + reader->at;
        scan->end = scan->start + *length - 1;
        if (sy_scan_begin(scan)) {
            scan->line = reader->state.line + 1;
            scan->byte_offset = reader->state.text_offset;
            scan->command_id = reader->state.command;
            return SY_OK;
        }
        if (take_line(reader, *length, NO_RECORD) != SY_OK) {
            return reader->status;
        }
    }
}

/* The net line, if there is one, stands before every record: read up to it, so that the name is known from the start.
 */
static enum sy_status look_for_name(struct sy_trace_reader *reader)
{
    struct sy_trace_record unused;
    struct sy_parsed parsed = {.record = &unused};
    size_t length = 0;
    enum sy_status status = next_full_line(reader, &length);
    if (status != SY_OK || length < 4 || memcmp(reader->scan.p, "net", 3) != 0 ||
        (reader->scan.p[3] != ' ' && reader->scan.p[3] != '\t')) {
        return status;
    }
    status = sy_parse_line(&reader->scan, &parsed);
    if (status == SY_OK) {
        status = account(reader, &parsed);
    }
    return status == SY_OK ? take_line(reader, length, SY_FORM_NET) : status;
}

static enum sy_status end_record(struct sy_trace_reader *reader, struct sy_trace_record *record)
{
    record->kind = SY_TRACE_END;
    record->line = reader->state.line;
    record->byte_offset = reader->state.text_offset;
    return reader->finished ? SY_OK : drain(reader);
}

enum sy_status sy_trace_next(struct sy_trace_reader *reader, struct sy_trace_record *record)
{
    if (reader->status != SY_OK || reader->finished) {
        return reader->status != SY_OK ? reader->status : end_record(reader, record);
    }
    struct sy_parsed parsed = {.record = record};
    do {
        size_t length = 0;
        enum sy_status status = next_full_line(reader, &length);
        if (status == SY_OK && length == 0) {
            return FAIL(reader, recover_hint, "the trace ends without its end line: it was cut after %llu records",
                        (unsigned long long)reader->state.record);
        }
        if (status == SY_OK) {
            status = sy_parse_line(&reader->scan, &parsed);
        }
        if (status == SY_OK) {
            status = account(reader, &parsed);
        }
        if (status != SY_OK) {
            return reader->status = status;
        }
        if (take_line(reader, length, parsed.form) != SY_OK) {
            return reader->status;
        }
    } while (parsed.form == SY_FORM_NET);
    return parsed.form == SY_FORM_END ? end_record(reader, record) : SY_OK;
}

/* ---- places ---- */

enum { MARK_FILE, MARK_TEXT, MARK_COMMAND, MARK_AHEAD };
enum { DEPTH_BITS = 8 }; /* the depth stands below `ahead`, which 56 bits always hold: nobody unrolls 2^56 commands */

enum sy_status sy_trace_tell(struct sy_trace_reader *reader, struct sy_trace_mark *mark)
{
    if (reader->status != SY_OK) {
        return reader->status;
    }
    struct sy_anchor anchor = sy_stream_anchor(reader->stream);
    if (anchor.text_offset > reader->state.text_offset) {
        anchor = reader->anchor;
    }
    sy_stream_remember(reader->stream, anchor, reader->state.text_offset);
    *mark = (struct sy_trace_mark){
        .record = reader->state.record,
        .byte_offset = reader->state.text_offset,
        .line = reader->state.line,
        .opaque = {[MARK_FILE] = anchor.file_offset,
                   [MARK_TEXT] = anchor.text_offset,
                   [MARK_COMMAND] = reader->state.command,
                   [MARK_AHEAD] = reader->ahead << DEPTH_BITS | reader->state.depth},
    };
    return SY_OK;
}

/* Make text[at] the byte at text_offset of the whole text. */
static enum sy_status go_to(struct sy_trace_reader *reader, struct sy_anchor anchor, uint64_t text_offset)
{
    if (text_offset >= reader->base && text_offset <= reader->base + reader->end) {
        reader->at = (size_t)(text_offset - reader->base);
        return SY_OK;
    }
    reader->status = sy_stream_seek(reader->stream, anchor, text_offset);
    reader->text_ends = false;
    reader->at = reader->end = 0;
    reader->base = sy_stream_text_offset(reader->stream);
    reader->anchor = anchor;
    while (reader->status == SY_OK && reader->base + reader->end <= text_offset) {
        reader->base += reader->end;
        reader->end = 0;
        size_t got = 0;
        reader->status = sy_stream_read(reader->stream, reader->text, TEXT_ROOM, &got);
        if (reader->status == SY_OK && got == 0) {
            reader->text_ends = true;
            return reader->base == text_offset ? SY_OK
                                               : FAIL(reader, NULL, "the file became shorter while it was read");
        }
        hash_new_text(reader, reader->text, got);
        reader->end = got;
    }
    if (reader->status == SY_OK) {
        memset(reader->text + reader->end, 0, PADDING);
        reader->anchor = sy_stream_anchor(reader->stream);
        reader->at = (size_t)(text_offset - reader->base);
    }
    return reader->status;
}

enum sy_status sy_trace_seek(struct sy_trace_reader *reader, const struct sy_trace_mark *mark)
{
    if (reader->status != SY_OK) {
        return reader->status;
    }
    struct sy_anchor anchor = {mark->opaque[MARK_FILE], mark->opaque[MARK_TEXT]};
    uint32_t depth = mark->opaque[MARK_AHEAD] & ((1 << DEPTH_BITS) - 1);
    if (depth > SY_TRACE_MAX_NESTING || anchor.text_offset > mark->byte_offset) {
        return SY_USAGE;
    }
    if (reader->closed_body == mark->record) { /* the next round of the block: ids run on */
        reader->ahead += reader->state.command - mark->opaque[MARK_COMMAND];
    } else {
        reader->ahead = mark->opaque[MARK_AHEAD] >> DEPTH_BITS;
    }
    reader->state = (struct sy_block_state){.text_offset = mark->byte_offset,
                                            .record = mark->record,
                                            .line = mark->line,
                                            .command = mark->opaque[MARK_COMMAND],
                                            .depth = depth};
    reader->closed_body = UINT64_MAX;
    reader->finished = false;
    return go_to(reader, anchor, mark->byte_offset);
}

/* Jump to the block that holds the record, when an index says which one that is. */
static enum sy_status jump_to_block(struct sy_trace_reader *reader, uint64_t record)
{
    struct sy_index_entry entry;
    if (!sy_stream_find_block(reader->stream, record, &entry)) {
        entry = (struct sy_index_entry){0};
    }
    if (entry.state.depth > SY_TRACE_MAX_NESTING) {
        return FAIL(reader, recover_hint, "the block index is damaged");
    }
    /* Reading on from here is as good, and keeps the digest going. */
    if (reader->state.record <= record && reader->state.record >= entry.state.record) {
        return SY_OK;
    }
    for (uint32_t i = 0; i < entry.state.depth; i++) {
        reader->open[i] = (struct open_block){0, 1, 0};
    }
    reader->state = entry.state;
    reader->ahead = 0;
    struct sy_anchor anchor = {entry.member_offset, entry.state.text_offset};
    enum sy_status status = go_to(reader, anchor, entry.state.text_offset);
    const struct sy_block_field *block = sy_stream_block(reader->stream);
    if (status == SY_OK && block != NULL && block->state.text_offset == entry.state.text_offset) {
        return check_block(reader, block, 0);
    }
    return status;
}

enum sy_status sy_trace_seek_record(struct sy_trace_reader *reader, uint64_t record)
{
    if (reader->status != SY_OK) {
        return reader->status;
    }
    bool from_start = reader->state.record > record;
    reader->finished = reader->finished && !from_start;
    reader->closed_body = UINT64_MAX;
    struct sy_trace_record skipped = {.kind = SY_TRACE_END};
    enum sy_status status = jump_to_block(reader, record);
    if (status == SY_OK && reader->state.text_offset == 0) {
        status = check_version(reader);
        reader->has_net = false;
    }
    while (status == SY_OK && reader->state.record < record) {
        status = sy_trace_next(reader, &skipped);
        if (status == SY_OK && skipped.kind == SY_TRACE_END) {
            return SY_USAGE;
        }
    }
    return status;
}
