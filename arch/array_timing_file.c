/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of arch/arrays: libyaml events in, one struct sy_array_file out.
 *
 * State machine: document -> mapping (key, value)* where the value of `timing`
 * is a mapping of scalars and every other value a scalar. Anything else is an
 * error at its line; reading goes on so that every error is reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "arch/array_timing.h"
#include "sim/base/text.h"

enum { MAX_FILE_BYTES = 1 << 20 };

enum text_key { TEXT_NAME, TEXT_DOC, TEXT_SOURCE, TEXT_CONFIDENCE, TEXT_KEYS };
static const char *const text_keys[TEXT_KEYS] = {"name", "doc", "source", "confidence"};
static const char *const top_keys[] = {"name", "doc", "source", "confidence", "timing"};
static const char *const confidences[] = {"verified", "read", "derived", "assumed"};
enum { CONFIDENCES = sizeof confidences / sizeof confidences[0], TOP_KEYS = sizeof top_keys / sizeof top_keys[0] };

struct reader {
    yaml_parser_t parser;
    struct sy_arena *arena;
    const char *path;
    struct sy_diag *diag;
    struct sy_array_file *out;
    const char *text[TEXT_KEYS];
    uint64_t seen; /* bit i: sy_array_keys[i] was given */
    bool seen_timing;
    enum sy_status status;
};

static struct sy_where at(const struct reader *reader, yaml_mark_t mark)
{
    return (struct sy_where){
        .file = reader->path, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

static void keep(struct reader *reader, enum sy_status status)
{
    if (status != SY_OK && reader->status == SY_OK) {
        reader->status = status;
    }
}

/* Next event; false after a syntax error, which is reported. */
static bool next(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event)) {
        return true;
    }
    const char *problem = reader->parser.problem ? reader->parser.problem : "out of memory";
    keep(reader, sy_error(reader->diag, at(reader, reader->parser.problem_mark), NULL, "not valid YAML: %s", problem));
    return false;
}

/* Skip the rest of a value that began with `event`. */
static bool skip_value(struct reader *reader, yaml_event_type_t type)
{
    int depth = type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
    while (depth > 0) {
        yaml_event_t event;
        if (!next(reader, &event)) {
            return false;
        }
        depth += event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        yaml_event_delete(&event);
    }
    return true;
}

static const char *scalar(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

static void unknown_key(struct reader *reader, const char *key, struct sy_where where, const char *const *names,
                        uint64_t count)
{
    const char *near = sy_nearest(key, names, count);
    char hint[128];
    (void)snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
    keep(reader, sy_error(reader->diag, where, near ? hint : NULL, "unknown key '%s'", key));
}

static void timing_value(struct reader *reader, const char *name, struct sy_where key_where, const yaml_event_t *value)
{
    const struct sy_array_key *key = sy_array_key_find(name);
    if (key == NULL) {
        const char *names[64];
        uint64_t count = 0;
        for (; count < sy_array_key_count && count < 64; count++) {
            names[count] = sy_array_keys[count].name;
        }
        unknown_key(reader, name, key_where, names, count);
        return;
    }
    uint64_t bit = (uint64_t)1 << (key - sy_array_keys);
    if (reader->seen & bit) {
        keep(reader, sy_error(reader->diag, key_where, "keep one of the two", "key '%s' is given twice", name));
        return;
    }
    reader->seen |= bit;
    struct sy_where where = at(reader, value->start_mark);
    if (value->type != YAML_SCALAR_EVENT) {
        keep(reader, sy_error(reader->diag, where, NULL, "%s is not a single value", name));
        return;
    }
    keep(reader, sy_array_key_set(&reader->out->timing, key, scalar(value), where, reader->diag));
}

/* Handle one value of a mapping; false stops after a syntax error. */
typedef bool value_fn(struct reader *reader, const char *name, struct sy_where where, const yaml_event_t *value);

static bool read_mapping(struct reader *reader, value_fn *handle)
{
    for (;;) {
        yaml_event_t key, value;
        if (!next(reader, &key)) {
            return false;
        }
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return true;
        }
        bool plain = key.type == YAML_SCALAR_EVENT;
        if (!plain) {
            keep(reader, sy_error(reader->diag, at(reader, key.start_mark), NULL, "a key must be a plain word"));
        }
        bool going = skip_value(reader, key.type) && next(reader, &value);
        if (going) {
            going = plain ? handle(reader, scalar(&key), at(reader, key.start_mark), &value)
                          : skip_value(reader, value.type);
            yaml_event_delete(&value);
        }
        yaml_event_delete(&key);
        if (!going) {
            return false;
        }
    }
}

static bool timing_entry(struct reader *reader, const char *name, struct sy_where where, const yaml_event_t *value)
{
    timing_value(reader, name, where, value);
    return skip_value(reader, value->type);
}

static bool top_entry(struct reader *reader, const char *name, struct sy_where where, const yaml_event_t *value)
{
    if (strcmp(name, "timing") == 0) {
        if (reader->seen_timing) {
            keep(reader, sy_error(reader->diag, where, "keep one of the two", "key 'timing' is given twice"));
        }
        reader->seen_timing = true;
        if (value->type == YAML_MAPPING_START_EVENT) {
            return read_mapping(reader, timing_entry);
        }
        keep(reader, sy_error(reader->diag, where, NULL, "timing is not a mapping of keys to values"));
        return skip_value(reader, value->type);
    }
    for (int i = 0; i < TEXT_KEYS; i++) {
        if (strcmp(name, text_keys[i]) != 0) {
            continue;
        }
        if (reader->text[i] != NULL) {
            keep(reader, sy_error(reader->diag, where, "keep one of the two", "key '%s' is given twice", name));
        } else if (value->type != YAML_SCALAR_EVENT || scalar(value)[0] == '\0') {
            keep(reader, sy_error(reader->diag, where, NULL, "%s is not a text", name));
        } else if ((reader->text[i] = sy_arena_strdup(reader->arena, scalar(value))) == NULL) {
            keep(reader, SY_NOMEM);
        }
        return skip_value(reader, value->type);
    }
    unknown_key(reader, name, where, top_keys, TOP_KEYS);
    return skip_value(reader, value->type);
}

static void check_complete(struct reader *reader)
{
    struct sy_where where = {.file = reader->path, .line = 1};
    for (int i = 0; i < TEXT_KEYS; i++) {
        if (reader->text[i] == NULL) {
            keep(reader, sy_error(reader->diag, where, NULL, "key '%s' is missing", text_keys[i]));
        }
    }
    if (!reader->seen_timing) {
        keep(reader, sy_error(reader->diag, where, NULL, "key 'timing' is missing"));
    }
    const char *confidence = reader->text[TEXT_CONFIDENCE];
    bool known = confidence == NULL;
    for (int i = 0; i < CONFIDENCES && !known; i++) {
        known = strcmp(confidence, confidences[i]) == 0;
    }
    if (!known) {
        keep(reader, sy_error(reader->diag, where, NULL,
                              "confidence is '%s'; expected verified, read, derived or assumed", confidence));
    }
}

static void read_document(struct reader *reader)
{
    yaml_event_t event;
    bool found = false, going = true;
    while (going && next(reader, &event)) {
        yaml_event_type_t type = event.type;
        struct sy_where where = at(reader, event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) {
            break;
        }
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT) {
            continue;
        }
        if (type == YAML_MAPPING_START_EVENT && !found) {
            found = true;
            going = read_mapping(reader, top_entry);
            continue;
        }
        keep(reader, sy_error(reader->diag, where, NULL, "an array file is one mapping of keys to values"));
        going = skip_value(reader, type);
    }
}

enum sy_status sy_array_file_parse(struct sy_arena *arena, const char *text, size_t length, const char *path,
                                   struct sy_array_file *out, struct sy_diag *diag)
{
    struct reader reader = {.arena = arena, .path = path, .diag = diag, .out = out, .status = SY_OK};
    memset(out, 0, sizeof *out);
    sy_array_timing_init(&out->timing);
    if (!yaml_parser_initialize(&reader.parser)) {
        return SY_NOMEM;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    read_document(&reader);
    yaml_parser_delete(&reader.parser);
    if (reader.status == SY_OK) {
        check_complete(&reader);
    }
    if (reader.status == SY_OK) {
        keep(&reader, sy_array_timing_check(&out->timing, (struct sy_where){.file = path}, diag));
    }
    out->name = reader.text[TEXT_NAME];
    out->doc = reader.text[TEXT_DOC];
    out->source = reader.text[TEXT_SOURCE];
    out->confidence = reader.text[TEXT_CONFIDENCE];
    return reader.status;
}

enum sy_status sy_array_file_load(struct sy_arena *arena, const char *name, const char *data_dir,
                                  struct sy_array_file *out, struct sy_diag *diag)
{
    size_t length = strlen(name);
    bool is_path = strchr(name, '/') != NULL || (length > 5 && strcmp(name + length - 5, ".yaml") == 0);
    const char *path =
        is_path ? name : sy_arena_printf(arena, "%s/arch/arrays/%s.yaml", data_dir ? data_dir : ".", name);
    if (path == NULL) {
        return SY_NOMEM;
    }
    char *text = NULL;
    enum sy_status status = sy_read_file(path, MAX_FILE_BYTES, &text, &length, diag);
    if (status == SY_OK) {
        status = sy_array_file_parse(arena, text, length, path, out, diag);
        free(text);
    }
    return status;
}
