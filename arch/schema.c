/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a YAML tree by a table of fields; see arch/schema.h. */
#include "arch/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Keys every group may carry besides those of its table; arch/tree.c takes them out before reading. */
static const char *const common_keys[] = {"source", "confidence", "value", "inherits", NULL};

static bool read_group(struct sy_schema_context *context, const struct sy_schema *schema,
                       const struct sy_yaml_node *node, unsigned char *object);

enum sy_status sy_schema_fail(struct sy_schema_context *context, const struct sy_yaml_node *node, const char *hint,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)sy_diag_vreport(context->diag, SY_SEV_ERROR, node ? sy_yaml_where(node) : SY_NOWHERE, hint, format, args);
    va_end(args);
    context->errors++;
    return SY_INPUT;
}

const struct sy_schema *sy_schema_built(struct sy_schema_context *context, const struct sy_schema *schema)
{
    if (!schema->build)
        return schema;
    if (context->built_from != schema) {
        context->built = schema->build(context->arena);
        context->built_from = context->built ? schema : NULL;
    }
    return context->built;
}

const struct sy_field *sy_schema_field(const struct sy_schema *schema, const char *key)
{
    for (const struct sy_field *field = schema->field; field->key; field++)
        if (strcmp(field->key, key) == 0)
            return field;
    return NULL;
}

/* The path of what is being read grows and shrinks with the walk; it is for messages and figures only, so one too long
 * is cut rather than refused. */
static size_t push_path(struct sy_schema_context *context, const char *part)
{
    size_t length = strlen(context->path);
    (void)snprintf(context->path + length, sizeof context->path - length, "%s%s", length ? "." : "", part);
    return length;
}

static void pop_path(struct sy_schema_context *context, size_t length)
{
    context->path[length] = '\0';
}

static bool wrong_kind(struct sy_schema_context *context, const struct sy_field *field, const struct sy_yaml_node *node)
{
    char what[80], expected[SY_REASON_MAX];
    sy_field_expected(field, expected);
    sy_schema_fail(context, node, NULL, "%s: found %s; expected %s", context->path, sy_yaml_what(node, what), expected);
    return false;
}

/* ---- figures ---- */

static bool record(struct sy_schema_context *context, const struct sy_field *field, const struct sy_yaml_node *node,
                   const void *slot)
{
    if (context->no_figures)
        return true;
    struct sy_figure *figure = sy_arena_alloc(context->arena, sizeof *figure);
    struct sy_buf text = {0};
    bool descriptive = sy_field_traits(field->type)->text;
    if (descriptive)
        sy_buf_puts(&text, *(const char *const *)slot);
    else
        sy_field_format(field, slot, &text);
    if (figure) {
        figure->path = sy_arena_strdup(context->arena, context->path);
        figure->text = text.failed ? NULL : sy_arena_strdup(context->arena, text.data ? text.data : "");
    }
    sy_buf_free(&text);
    if (!figure || !figure->path || !figure->text) {
        sy_schema_fail(context, node, NULL, "out of memory");
        return false;
    }
    figure->descriptive = descriptive;
    figure->is_default = !node;
    if (node) {
        figure->source = node->source;
        figure->confidence = node->confidence;
        figure->file = node->file;
        figure->line = node->line;
    }
    if (context->last_figure)
        context->last_figure->next = figure;
    else
        context->first_figure = figure;
    context->last_figure = figure;
    return true;
}

enum sy_status sy_schema_derived(struct sy_schema_context *context, const char *group, const char *key,
                                 const struct sy_field *field, const void *slot, const char *source)
{
    struct sy_figure *figure = sy_arena_alloc(context->arena, sizeof *figure), *after = NULL;
    struct sy_buf text = {0};
    size_t length = strlen(group);
    sy_field_format(field, slot, &text);
    if (figure) {
        *figure = (struct sy_figure){.source = source, .confidence = "derived"};
        figure->path = sy_arena_printf(context->arena, "%s.%s", group, key);
        figure->text = text.failed ? NULL : sy_arena_strdup(context->arena, text.data);
    }
    sy_buf_free(&text);
    if (!figure || !figure->path || !figure->text)
        return SY_NOMEM;
    for (struct sy_figure *at = context->first_figure; at; at = at->next)
        if (strncmp(at->path, group, length) == 0 && at->path[length] == '.')
            after = at;
    figure->next = after ? after->next : context->first_figure;
    if (after)
        after->next = figure;
    else
        context->first_figure = figure;
    if (!figure->next)
        context->last_figure = figure;
    return SY_OK;
}

/* ---- plain values and sets ---- */

/* The reason without its own "expected ...": the field's range says that better. */
static void shorten(char *reason)
{
    char *expected = strstr(reason, "expected");
    if (!expected)
        return;
    while (expected > reason && strchr(" ;,", expected[-1]))
        expected--;
    *expected = '\0';
}

static bool read_plain(struct sy_schema_context *context, const struct sy_field *field, const struct sy_yaml_node *node,
                       void *slot)
{
    char reason[SY_REASON_MAX], expected[SY_REASON_MAX], what[80];
    if (node->kind != SY_YAML_SCALAR)
        return wrong_kind(context, field, node);
    if (sy_field_parse(context, field, node->text, slot, reason))
        return record(context, field, node, slot);
    sy_field_expected(field, expected);
    shorten(reason);
    if (!*node->text && !node->quoted)
        *reason = '\0'; /* "found nothing" says it */
    sy_schema_fail(context, node, NULL, "%s: found %s%s%s; expected %s", context->path, sy_yaml_what(node, what),
                   *reason ? ", " : "", reason, expected);
    return false;
}

static bool read_set(struct sy_schema_context *context, const struct sy_field *field, const struct sy_yaml_node *node,
                     uint32_t *slot)
{
    struct sy_field one = *field;
    bool ok = true;
    if (node->kind == SY_YAML_MAPPING || (node->kind == SY_YAML_SEQUENCE && node->count == 0))
        return wrong_kind(context, field, node);
    one.type = SY_FIELD_ENUM;
    one.flags = 0;
    for (const struct sy_yaml_node *item = node->kind == SY_YAML_SCALAR ? node : node->first; item; item = item->next) {
        char reason[SY_REASON_MAX] = "", expected[SY_REASON_MAX], what[80];
        unsigned index = 0;
        bool known = item->kind == SY_YAML_SCALAR && sy_field_parse(context, &one, item->text, &index, reason);
        if (!known) {
            sy_field_expected(field, expected);
            sy_schema_fail(context, item, NULL, "%s: found %s%s%s; expected %s", context->path,
                           sy_yaml_what(item, what), *reason ? ", " : "", reason, expected);
        } else if (*slot & (UINT32_C(1) << index)) {
            known = false;
            sy_schema_fail(context, item, NULL, "%s: '%s' is listed twice", context->path, item->text);
        } else {
            *slot |= UINT32_C(1) << index;
        }
        ok = ok && known;
        if (node->kind == SY_YAML_SCALAR)
            break; /* node->next is the next key of the group, not an item */
    }
    return ok && record(context, field, node, slot);
}

/* ---- lists and tables ---- */

/* How an entry is called in paths: its name when it has one, else its position. */
static const char *entry_name(const struct sy_yaml_node *entry, uint32_t index, char out[24])
{
    const struct sy_yaml_node *name = sy_yaml_get(entry, "name");
    if (entry->key)
        return entry->key;
    if (name && name->kind == SY_YAML_SCALAR && *name->text)
        return name->text;
    (void)snprintf(out, 24, "%u", index);
    return out;
}

/* An entry of a TABLE: its key is the first field; a plain value is the second. */
static bool read_table_entry(struct sy_schema_context *context, const struct sy_schema *group,
                             const struct sy_yaml_node *entry, unsigned char *object)
{
    char reason[SY_REASON_MAX];
    const struct sy_field *name = &group->field[0], *value = &group->field[1];
    if (!sy_field_parse(context, name, entry->key, object + name->offset, reason)) {
        sy_schema_fail(context, entry, NULL, "%s: %s", context->path, reason);
        return false;
    }
    return read_plain(context, value, entry, object + value->offset);
}

static bool read_entries(struct sy_schema_context *context, const struct sy_field *field,
                         const struct sy_yaml_node *node, unsigned char *object)
{
    const struct sy_schema *group = sy_schema_built(context, field->group);
    enum sy_yaml_kind kind = field->type == SY_FIELD_LIST ? SY_YAML_SEQUENCE : SY_YAML_MAPPING;
    bool ok = true;
    uint32_t index = 0;
    if (!group || node->kind != kind)
        return wrong_kind(context, field, node);
    if (node->count > field->most || node->count < field->least) {
        sy_schema_fail(context, node, NULL, "%s: found %u entries; expected %u to %u", context->path, node->count,
                       field->least, field->most);
        return false;
    }
    unsigned char *entries = object + field->offset;
    if (field->flags & SY_FIELD_POINTER) {
        entries = sy_arena_array(context->arena, node->count ? node->count : 1, group->size);
        if (!entries) {
            sy_schema_fail(context, node, NULL, "out of memory");
            return false;
        }
        memcpy(object + field->offset, &entries, sizeof entries);
    }
    for (const struct sy_yaml_node *entry = node->first; entry; entry = entry->next, index++) {
        char number[24];
        unsigned char *one = entries + (size_t)index * group->size;
        size_t mark = push_path(context, entry_name(entry, index, number));
        ok = !entry->faulty &&
             (field->type == SY_FIELD_TABLE ? read_table_entry(context, group, entry, one)
                                            : read_group(context, group, entry, one)) &&
             ok;
        pop_path(context, mark);
    }
    memcpy(object + field->count_offset, &node->count, sizeof(uint32_t));
    return ok;
}

/* ---- groups ---- */

static bool read_field(struct sy_schema_context *context, const struct sy_field *field, const struct sy_yaml_node *node,
                       unsigned char *object)
{
    unsigned char *slot = object + field->offset;
    if (node->faulty)
        return false;
    if (field->type == SY_FIELD_SET)
        return read_set(context, field, node, (uint32_t *)(void *)slot);
    if (sy_field_traits(field->type)->entries)
        return read_entries(context, field, node, object);
    if (field->type != SY_FIELD_GROUP)
        return read_plain(context, field, node, slot);
    return node->kind == SY_YAML_MAPPING ? read_group(context, field->group, node, slot)
                                         : wrong_kind(context, field, node);
}

/* A key that is absent: its default, nothing, or a mistake. */
static bool read_absent(struct sy_schema_context *context, const struct sy_field *field,
                        const struct sy_yaml_node *parent, unsigned char *object)
{
    char expected[SY_REASON_MAX], reason[SY_REASON_MAX];
    unsigned char *slot = object + field->offset;
    if (field->fallback) {
        if (!sy_field_parse(context, field, field->fallback, slot, reason)) {
            sy_schema_fail(context, parent, NULL, "%s: default '%s': %s", context->path, field->fallback, reason);
            return false;
        }
        return record(context, field, NULL, slot);
    }
    if (field->type == SY_FIELD_GROUP && (field->flags & SY_FIELD_OPTIONAL)) {
        struct sy_yaml_node nothing = {.kind = SY_YAML_MAPPING, .file = parent->file, .line = parent->line};
        return read_group(context, field->group, &nothing, slot);
    }
    if (field->flags & SY_FIELD_OPTIONAL)
        return true;
    sy_field_expected(field, expected);
    sy_schema_fail(context, parent, NULL, "%s is missing; expected %s (%s)", context->path, expected, field->doc);
    return false;
}

/* Where else in the whole schema a key is known: "core.array", or NULL. Groups only, so the depth is that of the table.
 */
static bool find_elsewhere(struct sy_schema_context *context, const struct sy_schema *schema, const char *key,
                           char out[SY_PATH_MAX], size_t length, int depth)
{
    if (!schema || schema->build || depth > 6)
        return false;
    for (const struct sy_field *field = schema->field; field->key; field++) {
        if (strcmp(field->key, key) == 0)
            return true;
        if (!field->group || field->type == SY_FIELD_TABLE)
            continue;
        int added = snprintf(out + length, SY_PATH_MAX - length, "%s%s", length ? "." : "", field->key);
        if (added > 0 && length + (size_t)added < SY_PATH_MAX &&
            find_elsewhere(context, field->group, key, out, length + (size_t)added, depth + 1))
            return true;
        out[length] = '\0';
    }
    return false;
}

static void unknown_key(struct sy_schema_context *context, const struct sy_schema *schema,
                        const struct sy_yaml_node *entry)
{
    const char *known[128];
    char hint[SY_REASON_MAX] = "", home[SY_PATH_MAX] = "";
    uint32_t count = 0;
    for (const struct sy_field *field = schema->field; field->key && count < 120; field++)
        known[count++] = field->key;
    for (uint32_t i = 0; common_keys[i]; i++)
        known[count++] = common_keys[i];
    const char *near = sy_nearest(entry->key, known, count);
    if (near)
        (void)snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    else if (strchr(entry->key, '.'))
        (void)snprintf(hint, sizeof hint, "write nested keys below each other, or use --set");
    else if (find_elsewhere(context, context->root, entry->key, home, 0, 0))
        (void)snprintf(hint, sizeof hint, "'%.60s' belongs %s%.120s", entry->key, *home ? "in " : "at the top level",
                       home);
    struct sy_where where = sy_yaml_where_key(entry);
    sy_error(context->diag, where, *hint ? hint : NULL, "%s%sunknown key '%.60s' in %s", context->path,
             *context->path ? ": " : "", entry->key, schema->name);
    context->errors++;
}

/* The source or confidence of the whole group, which arch/tree.c moved from keys into the node. */
static bool read_voucher(struct sy_schema_context *context, const struct sy_field *field,
                         const struct sy_yaml_node *node, unsigned char *object)
{
    const char *text = field->type == SY_FIELD_SOURCE ? node->source : node->confidence;
    memcpy(object + field->offset, &text, sizeof text);
    if (text || (field->flags & SY_FIELD_OPTIONAL))
        return true;
    sy_schema_fail(context, node, NULL, "%s: no %s is given, here or for the group around it", context->path,
                   field->key);
    return false;
}

/* Whether a field exists given the key that governs it. Unknown while that key is missing or wrong (which is reported
 * where it stands): then the field is passed over. */
enum existence { EXISTS, DOES_NOT_EXIST, UNKNOWN };
static enum existence field_exists(const struct sy_schema *schema, const struct sy_field *field,
                                   const struct sy_yaml_node *node)
{
    if (!field->only_key)
        return EXISTS;
    const struct sy_field *governor = sy_schema_field(schema, field->only_key);
    const struct sy_yaml_node *entry = sy_yaml_get(node, field->only_key);
    const char *text = entry && entry->kind == SY_YAML_SCALAR ? entry->text : governor->fallback;
    for (uint32_t i = 0; text && governor->names[i]; i++)
        if (strcmp(governor->names[i], text) == 0)
            return field->only_for & (UINT32_C(1) << i) ? EXISTS : DOES_NOT_EXIST;
    return UNKNOWN;
}

static bool read_foreign(struct sy_schema_context *context, const struct sy_schema *schema,
                         const struct sy_field *field, const struct sy_yaml_node *parent,
                         const struct sy_yaml_node *entry)
{
    const struct sy_yaml_node *governor = sy_yaml_get(parent, field->only_key);
    struct sy_where where = sy_yaml_where_key(entry);
    char only[SY_REASON_MAX] = "";
    const struct sy_field *governing = sy_schema_field(schema, field->only_key);
    for (uint32_t i = 0; governing->names[i]; i++)
        if (field->only_for & (UINT32_C(1) << i))
            (void)snprintf(only + strlen(only), sizeof only - strlen(only), "%s%s", *only ? " or " : "",
                           governing->names[i]);
    sy_error(context->diag, where, "remove it", "%s: belongs to %s %s; here %s is %s", context->path, field->only_key,
             only, field->only_key, governor && governor->kind == SY_YAML_SCALAR ? governor->text : "something else");
    context->errors++;
    return false;
}

static bool read_group(struct sy_schema_context *context, const struct sy_schema *schema,
                       const struct sy_yaml_node *node, unsigned char *object)
{
    bool ok = true;
    schema = sy_schema_built(context, schema);
    if (!schema || node->kind != SY_YAML_MAPPING) {
        char what[80];
        sy_schema_fail(context, node, NULL, "%s: found %s; expected a group of keys (%s)", context->path,
                       sy_yaml_what(node, what), schema ? schema->name : "out of memory");
        return false;
    }
    for (const struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        if (!sy_schema_field(schema, entry->key)) {
            unknown_key(context, schema, entry);
            ok = false;
        }
    for (const struct sy_field *field = schema->field; field->key; field++) {
        if (field->type == SY_FIELD_SOURCE || field->type == SY_FIELD_CONFIDENCE) {
            ok = read_voucher(context, field, node, object) && ok;
            continue;
        }
        const struct sy_yaml_node *entry = sy_yaml_get(node, field->key);
        size_t mark = push_path(context, field->key);
        enum existence existence = field_exists(schema, field, node);
        if (existence == DOES_NOT_EXIST && entry)
            ok = read_foreign(context, schema, field, node, entry);
        else if (existence == EXISTS)
            ok = (entry ? read_field(context, field, entry, object) : read_absent(context, field, node, object)) && ok;
        pop_path(context, mark);
    }
    return ok;
}

enum sy_status sy_schema_read(struct sy_schema_context *context, const struct sy_schema *schema,
                              const struct sy_yaml_node *node, void *object)
{
    context->path[0] = '\0';
    if (!context->root)
        context->root = schema;
    return read_group(context, schema, node, object) ? SY_OK : SY_INPUT;
}
