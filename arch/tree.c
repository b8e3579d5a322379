/* SPDX-License-Identifier: Apache-2.0 */
/* Sources, inheritance, named parts and overrides on YAML trees; see arch/tree.h. */
#include "arch/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const sy_confidence_names[] = {"read",    "measured", "published", "verified",
                                           "derived", "assumed",  "memory",    NULL};

/* What a file is loaded as. */
struct part {
    const struct sy_schema *schema;
    const char *folder; /* where names of such files are found; NULL = nowhere */
    const char *key;    /* the key it is used at; NULL for whole documents */
};

/* Files being loaded, innermost last: bounds depth and finds cycles. */
struct chain {
    const char *path[SY_MAX_INHERITANCE];
    uint32_t depth;
};

static enum sy_status load_file(struct sy_schema_context *context, const char *name_or_path, struct part part,
                                const struct sy_yaml_node *asked_by, struct chain *chain, struct sy_yaml_node **root);
static enum sy_status resolve_group(struct sy_schema_context *context, struct sy_yaml_node *node, struct part part,
                                    struct chain *chain);

static enum sy_status worse(enum sy_status a, enum sy_status b)
{
    return a == SY_OK || (a == SY_INPUT && b != SY_OK) ? b : a;
}

/* ---- sources ---- */

struct voucher {
    const char *source, *confidence;
};

static void take_word(struct sy_schema_context *context, struct sy_yaml_node *node, const char *key,
                      const struct sy_yaml_node *sources, const char **slot)
{
    struct sy_yaml_node *entry = sy_yaml_get(node, key);
    if (!entry)
        return;
    char what[80];
    if (entry->kind != SY_YAML_SCALAR || !*entry->text) {
        sy_schema_fail(context, entry, NULL, "%s: found %s; expected text", key, sy_yaml_what(entry, what));
    } else if (strcmp(key, "confidence") == 0) {
        uint32_t i = 0;
        while (sy_confidence_names[i] && strcmp(sy_confidence_names[i], entry->text) != 0)
            i++;
        if (!sy_confidence_names[i])
            sy_schema_fail(context, entry, "use read, measured, published, derived, assumed or memory",
                           "confidence: found %s, not a known name", sy_yaml_what(entry, what));
        else
            *slot = entry->text;
    } else {
        const struct sy_yaml_node *named = sy_yaml_get(sources, entry->text);
        *slot = named && named->kind == SY_YAML_SCALAR ? named->text : entry->text;
    }
    sy_yaml_remove(node, entry);
}

/* `{value: V, source: S, confidence: C}` becomes V; true when the mapping was one. */
static bool collapse_figure(struct sy_schema_context *context, struct sy_yaml_node *node)
{
    struct sy_yaml_node *value = sy_yaml_get(node, "value");
    if (!value)
        return false;
    for (struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        if (entry != value)
            (void)sy_error(context->diag, sy_yaml_where_key(entry), NULL,
                           "key '%.60s' beside 'value'; expected only source and confidence", entry->key),
                context->errors++;
    node->kind = value->kind;
    node->text = value->text;
    node->quoted = value->quoted;
    node->line = value->line;
    node->column = value->column;
    node->first = value->first;
    node->last = value->last;
    node->count = value->count;
    return true;
}

static void annotate(struct sy_schema_context *context, struct sy_yaml_node *node, const struct sy_yaml_node *sources,
                     struct voucher voucher, bool chip_top)
{
    if (node->kind == SY_YAML_MAPPING && !chip_top) {
        take_word(context, node, "source", sources, &voucher.source);
        take_word(context, node, "confidence", sources, &voucher.confidence);
        (void)collapse_figure(context, node);
    }
    node->source = voucher.source;
    node->confidence = voucher.confidence;
    for (struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        annotate(context, entry, sources, voucher, false);
}

static void annotate_document(struct sy_schema_context *context, struct sy_yaml_node *root, bool chip_top)
{
    struct sy_yaml_node *sources = sy_yaml_get(root, "sources");
    if (sources) {
        sy_yaml_remove(root, sources);
        if (sources->kind != SY_YAML_MAPPING)
            sy_schema_fail(context, sources, NULL, "sources: expected a group 'name: reference'");
        for (const struct sy_yaml_node *entry = sources->first; entry; entry = entry->next)
            if (entry->kind != SY_YAML_SCALAR || !*entry->text)
                sy_schema_fail(context, entry, NULL, "sources: expected text");
    }
    annotate(context, root, sources, (struct voucher){NULL, NULL}, chip_top);
}

/* ---- names of files ---- */

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".yaml") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum sy_status sy_tree_list(struct sy_arena *arena, const char *data_dir, const char *folder, const char *const **names,
                            uint32_t *count)
{
    enum { MOST = 4096 };
    *names = NULL;
    *count = 0;
    const char *path = data_dir ? sy_arena_printf(arena, "%s/%s", data_dir, folder) : NULL;
    DIR *dir = path ? opendir(path) : NULL;
    if (!dir)
        return SY_IO;
    const char **list = sy_arena_array(arena, MOST, sizeof *list);
    for (struct dirent *entry; list && *count < MOST && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length <= 5 || entry->d_name[0] == '.' || strcmp(entry->d_name + length - 5, ".yaml") != 0)
            continue;
        list[*count] = sy_arena_strndup(arena, entry->d_name, length - 5);
        if (list[*count])
            ++*count;
    }
    closedir(dir);
    if (!list)
        return SY_NOMEM;
    qsort(list, *count, sizeof *list, by_name);
    *names = list;
    return SY_OK;
}

static enum sy_status unknown_file(struct sy_schema_context *context, const struct sy_yaml_node *asked_by,
                                   const char *name, const char *folder)
{
    const char *const *names;
    uint32_t count;
    char hint[SY_REASON_MAX] = "";
    if (!context->data_dir)
        return sy_schema_fail(context, asked_by, "give a path, or the folder of the installed data",
                              "'%.60s' is a name, and there is no data folder to find it in", name);
    if (sy_tree_list(context->arena, context->data_dir, folder, &names, &count) != SY_OK)
        return sy_schema_fail(context, asked_by, "is that the folder of the installed data?",
                              "'%.60s' is not a file of %s: there is no such folder in %s", name, folder,
                              context->data_dir);
    const char *near = sy_nearest(name, names, count);
    if (near)
        (void)snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    for (uint32_t i = 0, used = 0; !near && i < count && used < sizeof hint - 1; i++)
        used += (uint32_t)snprintf(hint + used, sizeof hint - used, "%s%s", i ? ", " : "there are: ", names[i]);
    return sy_schema_fail(context, asked_by, *hint ? hint : NULL, "'%.60s' is not a file of %s", name, folder);
}

/* Path of a name, in the arena; relative paths start at the file that names them. NULL after a report. */
static const char *find_path(struct sy_schema_context *context, const char *name, const char *folder,
                             const struct sy_yaml_node *asked_by)
{
    const char *path;
    if (is_path(name)) {
        const char *slash = asked_by && asked_by->file && *name != '/' ? strrchr(asked_by->file, '/') : NULL;
        path = slash ? sy_arena_printf(context->arena, "%.*s/%s", (int)(slash - asked_by->file), asked_by->file, name)
                     : sy_arena_strdup(context->arena, name);
    } else if (!context->data_dir ||
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != strlen(name)) {
        (void)unknown_file(context, asked_by, name, folder);
        return NULL;
    } else {
        const char *const *names;
        uint32_t count, i = 0;
        if (sy_tree_list(context->arena, context->data_dir, folder, &names, &count) != SY_OK)
            count = 0;
        while (i < count && strcmp(names[i], name) != 0)
            i++;
        if (i == count) {
            (void)unknown_file(context, asked_by, name, folder);
            return NULL;
        }
        path = sy_arena_printf(context->arena, "%s/%s/%s.yaml", context->data_dir, folder, name);
    }
    if (!path)
        sy_schema_fail(context, asked_by, NULL, "out of memory");
    return path;
}

bool sy_tree_has(struct sy_schema_context *context, const struct sy_yaml_node *node, const char *folder)
{
    return find_path(context, node->text, folder, node) != NULL;
}

/* ---- inheritance ---- */

static struct sy_yaml_node *named_entry(const struct sy_yaml_node *list, const char *name)
{
    for (struct sy_yaml_node *entry = list->first; entry; entry = entry->next) {
        const struct sy_yaml_node *given = sy_yaml_get(entry, "name");
        if (given && given->kind == SY_YAML_SCALAR && strcmp(given->text, name) == 0)
            return entry;
    }
    return NULL;
}

/* Change base by over. Nodes move from over to base; both belong to the same arena. */
static void merge(struct sy_schema_context *context, struct sy_yaml_node *base, struct sy_yaml_node *over)
{
    for (struct sy_yaml_node *entry = over->first, *next; entry; entry = next) {
        next = entry->next;
        struct sy_yaml_node *old =
            base->kind == SY_YAML_SEQUENCE ? named_entry(base, entry->key) : sy_yaml_get(base, entry->key);
        if (!old && base->kind == SY_YAML_SEQUENCE)
            sy_schema_fail(context, entry, "write the whole list to add an entry",
                           "the inherited list has no entry named '%.60s'", entry->key);
        else if (!old)
            sy_yaml_append(base, entry->key, entry);
        else if (entry->kind == SY_YAML_MAPPING && old->kind != SY_YAML_SCALAR)
            merge(context, old, entry);
        else
            sy_yaml_replace(base, old, entry);
    }
}

/* When node (a mapping) inherits, become the merged mapping. */
static enum sy_status inherit(struct sy_schema_context *context, struct sy_yaml_node *node, struct part part,
                              struct chain *chain)
{
    static const char *const own[] = {"name", "description", "source", "confidence"};
    struct sy_yaml_node *from = sy_yaml_get(node, "inherits"), *base;
    if (!from)
        return SY_OK;
    char what[80];
    if (!part.folder || from->kind != SY_YAML_SCALAR || !*from->text)
        return sy_schema_fail(context, from, NULL, "inherits: found %s; expected the name of a file%s%s",
                              sy_yaml_what(from, what), part.folder ? " of " : ", but nothing can be inherited here",
                              part.folder ? part.folder : "");
    sy_yaml_remove(node, from);
    enum sy_status status = load_file(context, from->text, part, from, chain, &base);
    node->faulty = !base || base->faulty;
    if (!base)
        return status;
    bool top = part.schema == context->root;
    for (size_t i = 0; top && i < sizeof own / sizeof own[0]; i++) {
        struct sy_yaml_node *entry = sy_yaml_get(base, own[i]);
        if (entry)
            sy_yaml_remove(base, entry);
    }
    merge(context, base, node);
    node->first = base->first;
    node->last = base->last;
    node->count = base->count;
    node->reference = from->text;
    return status;
}

/* ---- named parts ---- */

/* A scalar where the schema allows the name of a file becomes what the file holds. */
static enum sy_status resolve_entry(struct sy_schema_context *context, struct sy_yaml_node *parent,
                                    struct sy_yaml_node *entry, const struct sy_field *field, struct chain *chain)
{
    struct part part = {field->group, field->folder, field->key};
    if (entry->kind == SY_YAML_MAPPING)
        return resolve_group(context, entry, part, chain);
    if (entry->kind != SY_YAML_SCALAR || !part.folder || !*entry->text || entry->faulty)
        return SY_OK; /* the reader says what is wrong with it */
    struct sy_yaml_node *loaded;
    enum sy_status status = load_file(context, entry->text, part, entry, chain, &loaded);
    entry->faulty = !loaded;
    if (!loaded)
        return status;
    loaded->reference = entry->text;
    loaded->named_by = entry;
    loaded->key_line = entry->key_line;
    loaded->key_column = entry->key_column;
    sy_yaml_replace(parent, entry, loaded);
    return status;
}

static enum sy_status resolve_group(struct sy_schema_context *context, struct sy_yaml_node *node, struct part part,
                                    struct chain *chain)
{
    enum sy_status status = inherit(context, node, part, chain);
    const struct sy_schema *schema = sy_schema_built(context, part.schema);
    if (!schema)
        return SY_NOMEM;
    for (const struct sy_field *field = schema->field; field->key; field++) {
        struct sy_yaml_node *entry = sy_yaml_get(node, field->key), *next;
        if (!entry || !field->group)
            continue;
        if (field->type == SY_FIELD_GROUP) {
            status = worse(status, resolve_entry(context, node, entry, field, chain));
        } else if (field->type == SY_FIELD_LIST && entry->kind == SY_YAML_SEQUENCE) {
            for (struct sy_yaml_node *item = entry->first; item; item = next) {
                next = item->next;
                status = worse(status, resolve_entry(context, entry, item, field, chain));
            }
        }
    }
    return status;
}

/* A part's file may be titled where the group it fills has no room for the title, and may hold the group under the key
 * it will be used at (`timing:`). */
static void unwrap(struct sy_schema_context *context, struct sy_yaml_node **root, const struct sy_schema *schema,
                   const char *key)
{
    static const char *const titles[] = {"name", "description", "doc"};
    for (size_t i = 0; schema && i < sizeof titles / sizeof titles[0]; i++) {
        struct sy_yaml_node *entry = sy_yaml_get(*root, titles[i]);
        if (entry && !sy_schema_field(schema, titles[i]))
            sy_yaml_remove(*root, entry);
    }
    struct sy_yaml_node *inner = key && schema && !sy_schema_field(schema, key) ? sy_yaml_get(*root, key) : NULL;
    if (!inner || inner->kind != SY_YAML_MAPPING)
        return;
    for (const struct sy_yaml_node *entry = (*root)->first; entry; entry = entry->next)
        if (entry != inner) {
            (void)sy_error(context->diag, sy_yaml_where_key(entry), NULL, "unknown key '%.60s' beside '%s'", entry->key,
                           key);
            context->errors++;
        }
    *root = inner;
}

/* Two spellings of a path (a/./b, a link) are one file. */
static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static enum sy_status load_file(struct sy_schema_context *context, const char *name_or_path, struct part part,
                                const struct sy_yaml_node *asked_by, struct chain *chain, struct sy_yaml_node **root)
{
    *root = NULL;
    const char *path = find_path(context, name_or_path, part.folder, asked_by);
    if (!path)
        return SY_INPUT;
    for (uint32_t i = 0; i < chain->depth; i++)
        if (same_file(chain->path[i], path))
            return sy_schema_fail(context, asked_by, "break the circle", "'%s' inherits from itself", name_or_path);
    if (chain->depth == SY_MAX_INHERITANCE)
        return sy_schema_fail(context, asked_by, NULL, "more than %d files inherit from each other",
                              SY_MAX_INHERITANCE);
    enum sy_status status = sy_yaml_load(context->arena, path, root, context->diag);
    if (status != SY_OK)
        context->errors++;
    if (!*root)
        return status;
    annotate_document(context, *root, part.schema == context->root);
    unwrap(context, root, sy_schema_built(context, part.schema), part.key);
    chain->path[chain->depth++] = path;
    status = worse(status, resolve_group(context, *root, part, chain));
    chain->depth--;
    return status;
}

enum sy_status sy_tree_load(struct sy_schema_context *context, const char *name_or_path, const char *folder,
                            const struct sy_schema *schema, struct sy_yaml_node **root)
{
    struct chain chain = {.depth = 0};
    if (!context->root)
        context->root = schema;
    return load_file(context, name_or_path, (struct part){schema, folder, NULL}, NULL, &chain, root);
}

enum sy_status sy_tree_load_object(const char *name_or_path, const char *folder, const char *data_dir,
                                   const struct sy_schema *schema, size_t limit_bytes, sy_tree_check_fn check,
                                   void **object, struct sy_diag *diag)
{
    struct sy_arena *arena = sy_arena_create(NULL, limit_bytes);
    void *made = arena ? sy_arena_alloc(arena, schema->size) : NULL;
    struct sy_schema_context *context = arena ? sy_arena_alloc(arena, sizeof *context) : NULL;
    struct sy_yaml_node *root = NULL;
    enum sy_status status = SY_NOMEM;
    *object = NULL;
    if (made && context) {
        *context = (struct sy_schema_context){.arena = arena, .diag = diag, .data_dir = data_dir, .no_figures = true};
        memcpy(made, &arena, sizeof arena);
        status = sy_tree_load(context, name_or_path, folder, schema, &root);
        bool readable = root && !root->faulty;
        enum sy_status read = readable ? sy_schema_read(context, schema, root, made) : SY_OK;
        if (read == SY_OK && readable && check)
            check(context, root, made);
        if (status == SY_OK)
            status = context->errors ? SY_INPUT : read;
    }
    if (status == SY_OK)
        *object = made;
    else
        sy_arena_destroy(arena);
    return status;
}

enum sy_status sy_tree_resolve(struct sy_schema_context *context, struct sy_yaml_node *root, const char *path,
                               const char *folder, const struct sy_schema *schema)
{
    struct chain chain = {.depth = 1, .path = {path}};
    if (!context->root)
        context->root = schema;
    annotate_document(context, root, schema == context->root);
    return resolve_group(context, root, (struct part){schema, folder, NULL}, &chain);
}

/* ---- overrides ---- */

static struct sy_yaml_node *step_into(const struct sy_yaml_node *node, const char *part)
{
    uint64_t index;
    if (node->kind == SY_YAML_MAPPING)
        return sy_yaml_get(node, part);
    if (node->kind != SY_YAML_SEQUENCE)
        return NULL;
    struct sy_yaml_node *entry = named_entry(node, part);
    if (!entry && sy_text_to_u64(part, strlen(part), &index) && index < node->count)
        entry = sy_yaml_at(node, (uint32_t)index);
    return entry;
}

static enum sy_status no_such_entry(struct sy_schema_context *context, const struct sy_yaml_node *list,
                                    const char *part, const char *assignment)
{
    const char *names[64];
    char hint[SY_REASON_MAX] = "";
    uint32_t count = 0;
    for (const struct sy_yaml_node *entry = list->first; entry && count < 64; entry = entry->next) {
        const struct sy_yaml_node *name = sy_yaml_get(entry, "name");
        if (name && name->kind == SY_YAML_SCALAR)
            names[count++] = name->text;
    }
    const char *near = sy_nearest(part, names, count);
    if (near)
        (void)snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    else if (count == 0)
        (void)snprintf(hint, sizeof hint, "entries are numbered 0 to %u", list->count ? list->count - 1 : 0);
    for (uint32_t i = 0, used = 0; !near && i < count && used < sizeof hint - 1; i++)
        used += (uint32_t)snprintf(hint + used, sizeof hint - used, "%s%s", i ? ", " : "there are: ", names[i]);
    struct sy_yaml_node place = {.file = "--set"};
    return sy_schema_fail(context, &place, hint, "'%.120s': no entry '%.60s' in that list", assignment, part);
}

static void mark_override(struct sy_yaml_node *node)
{
    node->file = "--set";
    node->line = node->column = 0;
    node->source = "--set";
    node->confidence = "assumed";
    for (struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        mark_override(entry);
}

static struct sy_yaml_node *new_group(struct sy_schema_context *context, struct sy_yaml_node *parent, const char *key)
{
    struct sy_yaml_node *node = sy_arena_alloc(context->arena, sizeof *node);
    if (node) {
        node->kind = SY_YAML_MAPPING;
        mark_override(node);
        sy_yaml_append(parent, key, node);
    }
    return node;
}

/* Put value at the path that begins at node; part is cut up in place. */
static enum sy_status put_at(struct sy_schema_context *context, struct sy_yaml_node *node, char *path,
                             struct sy_yaml_node *value, const char *assignment)
{
    struct sy_yaml_node place = {.file = "--set"};
    for (char *part = path;;) {
        char *dot = strchr(part, '.');
        if (dot)
            *dot = '\0';
        if (!*part)
            return sy_schema_fail(context, &place, "write it as core.array.rows=128",
                                  "'%.120s': an empty part in the key", assignment);
        struct sy_yaml_node *entry = step_into(node, part);
        if (node->kind == SY_YAML_SEQUENCE && !entry)
            return no_such_entry(context, node, part, assignment);
        if (node->kind == SY_YAML_SCALAR)
            return sy_schema_fail(context, &place, NULL, "'%.120s': there is nothing below '%.60s'", assignment,
                                  node->key ? node->key : "this value");
        if (!dot) {
            if (entry)
                sy_yaml_replace(node, entry, value);
            else
                sy_yaml_append(node, part, value);
            return SY_OK;
        }
        node = entry ? entry : new_group(context, node, part);
        if (!node)
            return SY_NOMEM;
        part = dot + 1;
    }
}

enum sy_status sy_tree_set(struct sy_schema_context *context, struct sy_yaml_node *root, const struct sy_schema *schema,
                           const char *assignment)
{
    struct sy_yaml_node place = {.file = "--set"}, *value;
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return sy_schema_fail(context, &place, "write it as core.array.rows=128", "'%.120s' is not key=value",
                              assignment);
    char *path = sy_arena_strndup(context->arena, assignment, (size_t)(equals - assignment));
    if (!path)
        return SY_NOMEM;
    if (strcmp(path, "inherits") == 0)
        return sy_schema_fail(context, &place, "choose the other chip instead", "inherits cannot be overridden");
    if (equals[1 + strspn(equals + 1, " \t")] == '\0')
        return sy_schema_fail(context, &place, NULL, "'%.120s': the value is empty", assignment);
    const char *title = sy_arena_printf(context->arena, "--set %s", path);
    enum sy_status status =
        title ? sy_yaml_parse_value(context->arena, equals + 1, strlen(equals + 1), title, &value, context->diag)
              : SY_NOMEM;
    if (status != SY_OK) {
        context->errors++;
        return status;
    }
    mark_override(value);
    status = put_at(context, root, path, value, assignment);
    if (status != SY_OK)
        return status;
    struct chain chain = {.depth = 0};
    return resolve_group(context, root, (struct part){schema, NULL, NULL}, &chain);
}
