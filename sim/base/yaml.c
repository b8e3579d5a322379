/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml events to a tree with places; see sim/base/yaml.h for the subset and the invariants. */
#include "sim/base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/*
 * The reader is a stack of open collections fed by events. A mapping's frame
 * alternates between waiting for a key (key == NULL) and for that key's value.
 * What is refused but well-formed (a duplicate, an anchor) is reported and
 * skipped, so that later mistakes are still seen; a syntax error ends parsing,
 * because nothing after it can be trusted.
 */
struct frame {
    struct sy_yaml_node *node; /* hung nowhere when its key was refused: still read, for its own mistakes */
    const char *key;
    uint32_t key_line, key_column;
    bool skip_value; /* the key was refused; drop its value */
};

struct reader {
    struct sy_arena *arena;
    struct sy_diag *diag;
    const char *file;
    struct sy_yaml_node *root;
    struct frame stack[SY_YAML_MAX_DEPTH];
    uint32_t depth;
    uint32_t nodes;
    uint32_t documents;
    enum sy_status status; /* first failure; SY_INPUT is kept while reading on */
    bool stop;
    bool complete; /* the end was reached: the tree is whole but for what was refused */
};

static struct sy_where where_of(const struct reader *r, const yaml_mark_t *mark)
{
    struct sy_where where = {.file = r->file};
    where.line = mark->line < UINT32_MAX ? (uint32_t)mark->line + 1 : UINT32_MAX;
    where.column = mark->column < UINT32_MAX ? (uint32_t)mark->column + 1 : UINT32_MAX;
    return where;
}

static void refuse(struct reader *r, const yaml_mark_t *mark, const char *hint, const char *message)
{
    sy_error(r->diag, where_of(r, mark), hint, "%s", message);
    r->status = SY_INPUT;
}

static void stop_with(struct reader *r, enum sy_status status)
{
    r->status = status;
    r->stop = true;
}

static struct sy_yaml_node *new_node(struct reader *r, enum sy_yaml_kind kind, const yaml_mark_t *mark)
{
    if (++r->nodes > SY_YAML_MAX_NODES) {
        sy_error(r->diag, where_of(r, mark), "split the file", "more than %d values in one file", SY_YAML_MAX_NODES);
        stop_with(r, SY_INPUT);
        return NULL;
    }
    struct sy_yaml_node *node = sy_arena_alloc(r->arena, sizeof *node);
    if (!node) {
        stop_with(r, SY_NOMEM);
        return NULL;
    }
    struct sy_where where = where_of(r, mark);
    node->kind = kind;
    node->file = r->file;
    node->line = where.line;
    node->column = where.column;
    return node;
}

/* Hang a finished node where it belongs; at depth 0 it is the root. */
static void place(struct reader *r, struct sy_yaml_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct frame *top = &r->stack[r->depth - 1];
    if (top->skip_value) {
        top->skip_value = false;
        return;
    }
    node->key_line = top->key_line;
    node->key_column = top->key_column;
    sy_yaml_append(top->node, top->key, node);
    top->key = NULL;
}

static bool expects_key(const struct reader *r)
{
    if (r->depth == 0)
        return false;
    const struct frame *top = &r->stack[r->depth - 1];
    return top->node->kind == SY_YAML_MAPPING && !top->key && !top->skip_value;
}

static void take_key(struct reader *r, const yaml_event_t *event)
{
    struct frame *top = &r->stack[r->depth - 1];
    const char *text = (const char *)event->data.scalar.value;
    struct sy_where where = where_of(r, &event->start_mark);
    const struct sy_yaml_node *earlier = sy_yaml_get(top->node, text);
    if (top->node->count == SY_YAML_MAX_KEYS) {
        refuse(r, &event->start_mark, NULL, "too many keys in one group");
        r->stop = true;
    } else if (strlen(text) != event->data.scalar.length || !*text || strcmp(text, "<<") == 0) {
        refuse(r, &event->start_mark, NULL,
               strcmp(text, "<<") == 0 ? "a merge key '<<' is not accepted here; use 'inherits: NAME'"
                                       : "a key must be text without NUL bytes");
        top->skip_value = true;
    } else if (earlier) {
        sy_error(r->diag, where, "keep one of the two", "key '%.60s' is already given on line %u", text,
                 earlier->key_line);
        r->status = SY_INPUT;
        top->skip_value = true;
    } else {
        top->key = sy_arena_strdup(r->arena, text);
        if (!top->key)
            stop_with(r, SY_NOMEM);
        top->key_line = where.line;
        top->key_column = where.column;
    }
}

static void take_scalar(struct reader *r, const yaml_event_t *event)
{
    if (event->data.scalar.anchor)
        refuse(r, &event->start_mark, "write the value out where it is needed", "anchors (&name) are not accepted");
    if (event->data.scalar.tag)
        refuse(r, &event->start_mark, "remove the tag", "tags (!name) are not accepted");
    if (expects_key(r)) {
        take_key(r, event);
        return;
    }
    const char *text = (const char *)event->data.scalar.value;
    struct sy_yaml_node *node = new_node(r, SY_YAML_SCALAR, &event->start_mark);
    if (!node)
        return;
    if (strlen(text) != event->data.scalar.length)
        refuse(r, &event->start_mark, NULL, "a value must not contain NUL bytes");
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = sy_arena_strdup(r->arena, text);
    if (!node->text)
        stop_with(r, SY_NOMEM);
    else
        place(r, node);
}

static void open_collection(struct reader *r, const yaml_event_t *event, enum sy_yaml_kind kind)
{
    const yaml_char_t *anchor =
        kind == SY_YAML_MAPPING ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = kind == SY_YAML_MAPPING ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (anchor)
        refuse(r, &event->start_mark, "write the value out where it is needed", "anchors (&name) are not accepted");
    if (tag)
        refuse(r, &event->start_mark, "remove the tag", "tags (!name) are not accepted");
    if (r->depth == SY_YAML_MAX_DEPTH) {
        sy_error(r->diag, where_of(r, &event->start_mark), NULL, "nested more than %d levels deep", SY_YAML_MAX_DEPTH);
        stop_with(r, SY_INPUT);
        return;
    }
    if (expects_key(r)) {
        refuse(r, &event->start_mark, "quote the key if it is text",
               "a key must be text, not a list or a group of keys");
        stop_with(r, SY_INPUT);
        return;
    }
    struct sy_yaml_node *node = new_node(r, kind, &event->start_mark);
    if (!node)
        return;
    place(r, node);
    r->stack[r->depth++] = (struct frame){.node = node};
}

static void take_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++r->documents == 2) {
            refuse(r, &event->start_mark, "keep one document a file", "a second document starts here");
            r->stop = true;
        } else if (event->data.document_start.version_directive ||
                   event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end) {
            refuse(r, &event->start_mark, "remove the line that starts with %", "directives are not accepted");
        }
        break;
    case YAML_ALIAS_EVENT:
        refuse(r, &event->start_mark, "write the value out where it is needed", "aliases (*name) are not accepted");
        if (expects_key(r))
            r->stack[r->depth - 1].skip_value = true;
        else if (r->depth) {
            r->stack[r->depth - 1].key = NULL;
            r->stack[r->depth - 1].skip_value = false;
        }
        break;
    case YAML_SCALAR_EVENT:
        take_scalar(r, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_collection(r, event, SY_YAML_SEQUENCE);
        break;
    case YAML_MAPPING_START_EVENT:
        open_collection(r, event, SY_YAML_MAPPING);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        break;
    case YAML_STREAM_END_EVENT:
        r->stop = r->complete = true;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

/* libyaml's own words, placed. Its reader errors carry a byte offset instead of a mark. */
static void report_syntax(struct reader *r, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "not valid YAML";
    struct sy_where where = where_of(r, &parser->problem_mark);
    if (parser->error == YAML_MEMORY_ERROR) {
        stop_with(r, SY_NOMEM);
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        where.line = where.column = 0;
        where.has_offset = 1;
        where.byte_offset = parser->problem_offset;
        sy_error(r->diag, where, "save the file as UTF-8 text", "not text: %s", problem);
    } else if (parser->context) {
        sy_error(r->diag, where, NULL, "not valid YAML: %s (%s from line %zu)", problem, parser->context,
                 parser->context_mark.line + 1);
    } else {
        sy_error(r->diag, where, NULL, "not valid YAML: %s", problem);
    }
    stop_with(r, SY_INPUT);
}

/* A sign that the text is not UTF-8, told before libyaml switches its decoder on it. */
static const char *foreign_encoding(const char *text, size_t length)
{
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "the file is UTF-16 text; only UTF-8 is accepted";
    if (length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        return "the file is gzip data, not YAML text";
    return NULL;
}

static void read_events(struct reader *r, const char *text, size_t length)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        r->status = SY_NOMEM;
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    while (!r->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            report_syntax(r, &parser);
            break;
        }
        take_event(r, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

enum sy_status sy_yaml_parse_value(struct sy_arena *arena, const char *text, size_t length, const char *file,
                                   struct sy_yaml_node **value, struct sy_diag *diag)
{
    *value = NULL;
    struct reader *r = sy_arena_alloc(arena, sizeof *r);
    const char *name = sy_arena_strdup(arena, file ? file : "(text)");
    if (!r || !name)
        return SY_NOMEM;
    *r = (struct reader){.arena = arena, .diag = diag, .file = name};
    struct sy_where where = {.file = name};
    if (length > SY_YAML_MAX_BYTES)
        return sy_error(diag, where, "split the file", "the text is longer than %d bytes", SY_YAML_MAX_BYTES);
    const char *foreign = foreign_encoding(text, length);
    if (foreign)
        return sy_error(diag, where, "save the file as UTF-8 text", "%s", foreign);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a UTF-8 byte order mark says nothing and would shift the first column */
        length -= 3;
    }
    read_events(r, text, length);
    if (r->status == SY_OK && !r->root)
        r->status = sy_error(diag, where, "write at least one key", "the file is empty");
    if (r->complete)
        *value = r->root;
    return r->status;
}

enum sy_status sy_yaml_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                             struct sy_yaml_node **root, struct sy_diag *diag)
{
    enum sy_status status = sy_yaml_parse_value(arena, text, length, file, root, diag);
    if (*root && (*root)->kind != SY_YAML_MAPPING) {
        char what[80];
        status = sy_error(diag, sy_yaml_where(*root), NULL, "the file starts with %s; expected 'key: value' lines",
                          sy_yaml_what(*root, what));
        *root = NULL;
    }
    return status;
}

enum sy_status sy_yaml_load(struct sy_arena *arena, const char *path, struct sy_yaml_node **root, struct sy_diag *diag)
{
    char *data = NULL;
    size_t length = 0;
    *root = NULL;
    enum sy_status status = sy_read_file(path, SY_YAML_MAX_BYTES, &data, &length, diag);
    if (status == SY_OK)
        status = sy_yaml_parse(arena, data, length, path, root, diag);
    free(data);
    return status;
}

struct sy_yaml_node *sy_yaml_get(const struct sy_yaml_node *node, const char *key)
{
    if (!node || node->kind != SY_YAML_MAPPING)
        return NULL;
    for (struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        if (strcmp(entry->key, key) == 0)
            return entry;
    return NULL;
}

struct sy_yaml_node *sy_yaml_at(const struct sy_yaml_node *node, uint32_t index)
{
    if (!node || node->kind == SY_YAML_SCALAR)
        return NULL;
    struct sy_yaml_node *entry = node->first;
    while (entry && index--)
        entry = entry->next;
    return entry;
}

void sy_yaml_append(struct sy_yaml_node *parent, const char *key, struct sy_yaml_node *entry)
{
    entry->key = key;
    entry->next = NULL;
    if (parent->last)
        parent->last->next = entry;
    else
        parent->first = entry;
    parent->last = entry;
    parent->count++;
}

void sy_yaml_remove(struct sy_yaml_node *parent, struct sy_yaml_node *entry)
{
    struct sy_yaml_node *before = NULL;
    for (struct sy_yaml_node *at = parent->first; at; before = at, at = at->next) {
        if (at != entry)
            continue;
        if (before)
            before->next = at->next;
        else
            parent->first = at->next;
        if (parent->last == at)
            parent->last = before;
        parent->count--;
        return;
    }
}

void sy_yaml_replace(struct sy_yaml_node *parent, struct sy_yaml_node *old, struct sy_yaml_node *fresh)
{
    fresh->key = old->key;
    if (!fresh->key_line) {
        fresh->key_line = old->key_line;
        fresh->key_column = old->key_column;
    }
    fresh->next = old->next;
    if (parent->first == old)
        parent->first = fresh;
    for (struct sy_yaml_node *at = parent->first; at; at = at->next)
        if (at->next == old)
            at->next = fresh;
    if (parent->last == old)
        parent->last = fresh;
}

struct sy_yaml_node *sy_yaml_clone(struct sy_arena *arena, const struct sy_yaml_node *node)
{
    struct sy_yaml_node *copy = sy_arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *node;
    copy->first = copy->last = copy->next = NULL;
    copy->count = 0;
    for (const struct sy_yaml_node *entry = node->first; entry; entry = entry->next) {
        struct sy_yaml_node *child = sy_yaml_clone(arena, entry);
        if (!child)
            return NULL;
        sy_yaml_append(copy, entry->key, child);
    }
    return copy;
}

const char *sy_yaml_what(const struct sy_yaml_node *node, char out[80])
{
    if (node->kind == SY_YAML_MAPPING)
        return "a group of keys";
    if (node->kind == SY_YAML_SEQUENCE)
        return "a list";
    if (!*node->text && !node->quoted)
        return "nothing";
    size_t shown = 0;
    out[shown++] = '\'';
    for (const char *at = node->text; *at && shown < 60; at++)
        out[shown++] = (unsigned char)*at < ' ' ? ' ' : *at;
    if (strlen(node->text) > shown - 1) {
        while (shown > 1 && ((unsigned char)out[shown - 1] & 0xc0) == 0x80)
            shown--; /* do not cut a UTF-8 character in two */
        memcpy(out + shown, "...", 3);
        shown += 3;
    }
    out[shown++] = '\'';
    out[shown] = '\0';
    return out;
}

struct sy_where sy_yaml_where(const struct sy_yaml_node *node)
{
    return (struct sy_where){.file = node->file, .line = node->line, .column = node->column};
}

const struct sy_yaml_node *sy_yaml_use(const struct sy_yaml_node *node)
{
    return node && node->named_by ? node->named_by : node;
}

struct sy_where sy_yaml_where_key(const struct sy_yaml_node *node)
{
    if (!node->key_line)
        return sy_yaml_where(node);
    return (struct sy_where){.file = node->file, .line = node->key_line, .column = node->key_column};
}

/* Plain when every character is harmless in both block and flow context and the text cannot be read as something else.
 */
static bool is_plain(const char *text)
{
    if (!*text || strchr("-?:,[]{}#&*!|>'\"%@` ~", *text) || text[strlen(text) - 1] == ' ')
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at == 0x7f || strchr("#,[]{}:\"'\\", *at))
            return false;
    return true;
}

void sy_yaml_put_scalar(struct sy_buf *out, const char *text)
{
    if (is_plain(text)) {
        sy_buf_puts(out, text);
        return;
    }
    sy_buf_puts(out, "\"");
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\')
            sy_buf_printf(out, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            sy_buf_printf(out, "\\x%02x", byte);
        else
            sy_buf_append(out, at, 1);
    }
    sy_buf_puts(out, "\"");
}
