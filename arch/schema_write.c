/* SPDX-License-Identifier: Apache-2.0 */
/* The resolved text of an object and the reference documentation, from the same table that reads it. */
#include <stdio.h>
#include <string.h>

#include "arch/schema.h"

struct writer {
    struct sy_schema_context *context;
    struct sy_buf *out;
    const struct sy_figure *figures; /* NULL: no comments */
    char path[SY_PATH_MAX];
};

static void write_group(struct writer *w, const struct sy_schema *schema, const unsigned char *object, int indent,
                        bool first_inline);

static size_t push(char path[SY_PATH_MAX], const char *part)
{
    size_t length = strlen(path);
    (void)snprintf(path + length, SY_PATH_MAX - length, "%s%s", length ? "." : "", part);
    return length;
}

static const struct sy_figure *find_figure(const struct sy_figure *figures, const char *path)
{
    for (; figures; figures = figures->next)
        if (strcmp(figures->path, path) == 0)
            return figures;
    return NULL;
}

static void write_comment(struct writer *w)
{
    size_t line_start = w->out->length;
    while (line_start > 0 && w->out->data[line_start - 1] != '\n')
        line_start--;
    const struct sy_figure *figure = find_figure(w->figures, w->path);
    if (!figure || (figure->descriptive && !figure->source))
        return;
    size_t width = w->out->length - line_start;
    sy_buf_printf(w->out, "%*s # ", width < 44 ? (int)(44 - width) : 0, "");
    if (figure->is_default)
        sy_buf_puts(w->out, "default");
    else if (figure->source)
        sy_buf_printf(w->out, "%s (%s)", figure->source,
                      figure->confidence ? figure->confidence : "no confidence given");
    else
        sy_buf_puts(w->out, "no source given");
}

static bool exists(const struct sy_schema *schema, const struct sy_field *field, const unsigned char *object)
{
    if (!field->only_key)
        return true;
    unsigned value;
    memcpy(&value, object + sy_schema_field(schema, field->only_key)->offset, sizeof value);
    return field->only_for & (UINT32_C(1) << value);
}

/* Whether an optional field holds nothing, so that leaving it out reads back the same. */
static bool is_empty(const struct sy_field *field, const unsigned char *object)
{
    static const uint64_t zero[2] = {0, 0};
    const unsigned char *slot = object + field->offset;
    if (!(field->flags & SY_FIELD_OPTIONAL) || field->type == SY_FIELD_GROUP)
        return false;
    if (sy_field_traits(field->type)->entries)
        return memcmp(object + field->count_offset, zero, sizeof(uint32_t)) == 0;
    return memcmp(slot, zero, sy_field_bytes(field)) == 0;
}

static const char *name_of(const struct sy_schema *schema, const unsigned char *object, uint32_t index, char out[24])
{
    const struct sy_field *name = sy_schema_field(schema, "name");
    if (name && (name->type == SY_FIELD_NAME || name->type == SY_FIELD_TEXT)) {
        const char *text = *(const char *const *)(const void *)(object + name->offset);
        if (text && *text)
            return text;
    }
    (void)snprintf(out, 24, "%u", index);
    return out;
}

static void write_entries(struct writer *w, const struct sy_field *field, const unsigned char *object, int indent)
{
    const struct sy_schema *group = sy_schema_built(w->context, field->group);
    const unsigned char *entries = object + field->offset;
    uint32_t count;
    memcpy(&count, object + field->count_offset, sizeof count);
    if (field->flags & SY_FIELD_POINTER)
        memcpy(&entries, object + field->offset, sizeof entries);
    sy_buf_puts(w->out, count ? "\n" : field->type == SY_FIELD_LIST ? " []\n" : " {}\n");
    for (uint32_t i = 0; group && i < count; i++) {
        char number[24];
        const unsigned char *one = entries + (size_t)i * group->size;
        if (field->type == SY_FIELD_TABLE) {
            const char *key = *(const char *const *)(const void *)(one + group->field[0].offset);
            size_t mark = push(w->path, key);
            sy_buf_printf(w->out, "%*s%s: ", indent + 2, "", key);
            sy_field_format(&group->field[1], one + group->field[1].offset, w->out);
            write_comment(w);
            sy_buf_puts(w->out, "\n");
            w->path[mark] = '\0';
            continue;
        }
        size_t mark = push(w->path, name_of(group, one, i, number));
        sy_buf_printf(w->out, "%*s- ", indent + 2, "");
        write_group(w, group, one, indent + 4, true);
        w->path[mark] = '\0';
    }
}

static void write_group(struct writer *w, const struct sy_schema *schema, const unsigned char *object, int indent,
                        bool first_inline)
{
    schema = sy_schema_built(w->context, schema);
    for (const struct sy_field *field = schema ? schema->field : NULL; field && field->key; field++) {
        if (is_empty(field, object) || !exists(schema, field, object))
            continue;
        size_t mark = push(w->path, field->key), start = w->out->length;
        sy_buf_printf(w->out, "%*s%s:", first_inline ? 0 : indent, "", field->key);
        first_inline = false;
        if (field->type == SY_FIELD_GROUP) {
            sy_buf_puts(w->out, "\n");
            size_t empty = w->out->length;
            write_group(w, field->group, object + field->offset, indent + 2, false);
            if (w->out->length == empty && w->out->data) {
                w->out->length = start; /* a group without a value is left out */
                w->out->data[start] = '\0';
            }
        } else if (field->type == SY_FIELD_LIST || field->type == SY_FIELD_TABLE) {
            write_entries(w, field, object, indent);
        } else {
            sy_buf_puts(w->out, " ");
            sy_field_format(field, object + field->offset, w->out);
            write_comment(w);
            sy_buf_puts(w->out, "\n");
        }
        w->path[mark] = '\0';
    }
}

void sy_schema_write(struct sy_schema_context *context, struct sy_buf *out, const struct sy_schema *schema,
                     const void *object, const struct sy_figure *figures)
{
    struct writer w = {.context = context, .out = out, .figures = figures};
    write_group(&w, schema, object, 0, false);
}

/* ---- reference ---- */

static const char *written_as(const struct sy_field *field)
{
    bool quantity = sy_field_traits(field->type)->number && field->unit != SY_UNIT_NONE;
    return quantity ? "quantity" : sy_field_traits(field->type)->word;
}

/* " (kind dram or host)" behind the meaning of a key that exists for some kinds only. */
static void document_condition(struct writer *w, const struct sy_schema *schema, const struct sy_field *field)
{
    const struct sy_field *governor = field->only_key ? sy_schema_field(schema, field->only_key) : NULL;
    for (uint32_t i = 0, shown = 0; governor && governor->names[i]; i++)
        if (field->only_for & (UINT32_C(1) << i))
            sy_buf_printf(w->out, "%s%s", shown++ ? " or " : "; kind ", governor->names[i]);
}

static void document_group(struct writer *w, const struct sy_schema *schema)
{
    schema = sy_schema_built(w->context, schema);
    for (const struct sy_field *field = schema ? schema->field : NULL; field && field->key; field++) {
        char expected[SY_REASON_MAX];
        size_t mark = push(w->path, field->key);
        sy_field_expected(field, expected);
        bool optional = field->fallback || (field->flags & SY_FIELD_OPTIONAL);
        sy_buf_printf(w->out, "| `%s` | %s | %s | %s%s%s | %s", w->path, written_as(field), expected,
                      field->fallback ? "`" : "",
                      field->fallback ? field->fallback
                      : optional      ? "none"
                                      : "required",
                      field->fallback ? "`" : "", field->doc);
        document_condition(w, schema, field);
        sy_buf_puts(w->out, " |\n");
        if (field->group && field->type != SY_FIELD_TABLE) {
            if (field->type == SY_FIELD_LIST)
                (void)snprintf(w->path + strlen(w->path), sizeof w->path - strlen(w->path), "[]");
            document_group(w, field->group);
        }
        w->path[mark] = '\0';
    }
}

enum sy_status sy_schema_document(struct sy_buf *out, const struct sy_schema *schema)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_schema_context context = {.arena = arena};
    struct writer w = {.context = &context, .out = out};
    if (!arena)
        return SY_NOMEM;
    sy_buf_puts(out, "| key | written as | expected | default | meaning |\n|---|---|---|---|---|\n");
    document_group(&w, schema);
    sy_arena_destroy(arena);
    return out->failed ? SY_NOMEM : SY_OK;
}
