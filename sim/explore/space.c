/* SPDX-License-Identifier: Apache-2.0 */
/* Spaces of candidates from YAML; see space.h. */
#include "sim/explore/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/yaml.h"

struct reader {
    struct sy_arena *arena;
    struct sy_space *space;
    struct sy_diag *diag;
    uint32_t errors;
};

#define COMPLAIN(reader, where, hint, ...)                                                                             \
    do {                                                                                                               \
        (reader)->errors++;                                                                                            \
        (void)sy_error((reader)->diag, where, hint, __VA_ARGS__);                                                      \
    } while (0)

/* A scalar's text, or NULL after a complaint. */
static const char *text_of(struct reader *reader, const struct sy_yaml_node *node, const char *what)
{
    char found[80];
    if (node->kind == SY_YAML_SCALAR && *node->text)
        return node->text;
    COMPLAIN(reader, sy_yaml_where(node), NULL, "found %s, expected %s", sy_yaml_what(node, found), what);
    return NULL;
}

/* The texts of a list, or of one value standing for a list of one. */
static const char *const *texts_of(struct reader *reader, const struct sy_yaml_node *node, const char *what,
                                   uint32_t *count)
{
    bool list = node->kind == SY_YAML_SEQUENCE;
    uint32_t wanted = list ? node->count : 1;
    const char **texts = sy_arena_array(reader->arena, (size_t)wanted + 1, sizeof *texts);
    *count = 0;
    if (!texts || !wanted || wanted > SY_MAX_VALUES) {
        COMPLAIN(reader, sy_yaml_where(node), NULL, "expected 1 to %d of %s, found %u", SY_MAX_VALUES, what, wanted);
        return NULL;
    }
    const struct sy_yaml_node *entry = list ? node->first : node;
    for (uint32_t i = 0; i < wanted; i++, entry = entry->next) {
        const char *text = text_of(reader, entry, what);
        if (text)
            texts[(*count)++] = text;
    }
    return texts;
}

/* ---- ranges ---- */

/* "10 GB/s": the number, and where its unit begins. */
static bool split_number(const char *text, double *number, const char **unit)
{
    size_t length = strspn(text, "+-0123456789.");
    if (length && (text[length] == 'e' || text[length] == 'E')) {
        size_t digits = strspn(text + length + 1, "+-0123456789");
        length += digits ? digits + 1 : 0;
    }
    *unit = text + length + strspn(text + length, " ");
    return length && sy_text_to_double(text, length, number);
}

struct range {
    double from, to, by; /* by: step or factor */
    bool is_factor;
    const char *unit;
};

static bool read_bound(struct reader *reader, const struct sy_yaml_node *node, const char *unit, double *value,
                       const char **own_unit)
{
    const char *text = text_of(reader, node, "a number"), *found;
    if (!text)
        return false;
    if (!split_number(text, value, &found)) {
        COMPLAIN(reader, sy_yaml_where(node), NULL, "'%s' does not begin with a number", text);
        return false;
    }
    if (unit && strcmp(unit, found)) {
        COMPLAIN(reader, sy_yaml_where(node), "write all numbers of a range in one unit",
                 "the unit '%s' differs from the '%s' of `from`", found, unit);
        return false;
    }
    *own_unit = found;
    return true;
}

static void check_range_keys(struct reader *reader, const struct sy_yaml_node *node)
{
    static const char *const known[] = {"from", "to", "step", "factor"};
    for (const struct sy_yaml_node *entry = node->first; entry; entry = entry->next) {
        bool good = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            good = good || !strcmp(entry->key, known[i]);
        if (!good)
            COMPLAIN(reader, sy_yaml_where_key(entry), "a range has from, to, and step or factor",
                     "unknown key '%s' in a range", entry->key);
    }
}

static bool goes_up(const struct range *range)
{
    bool moves = range->is_factor ? range->by > 1 && range->from > 0 : range->by > 0;
    return moves && range->to >= range->from;
}

static bool read_range(struct reader *reader, const struct sy_yaml_node *node, struct range *range)
{
    const struct sy_yaml_node *from = sy_yaml_get(node, "from"), *to = sy_yaml_get(node, "to");
    const struct sy_yaml_node *step = sy_yaml_get(node, "step"), *factor = sy_yaml_get(node, "factor");
    const char *ignored;
    check_range_keys(reader, node);
    if (!from || !to || (step != NULL) == (factor != NULL)) {
        COMPLAIN(reader, sy_yaml_where(node), "for example {from: 8, to: 64, factor: 2}",
                 "a range needs from, to, and either step or factor");
        return false;
    }
    range->is_factor = factor != NULL;
    if (!read_bound(reader, from, NULL, &range->from, &range->unit) ||
        !read_bound(reader, to, range->unit, &range->to, &ignored) ||
        !read_bound(reader, step ? step : factor, step ? range->unit : "", &range->by, &ignored))
        return false;
    if (!goes_up(range))
        COMPLAIN(reader, sy_yaml_where(node), NULL,
                 "a range goes up: step above 0, or factor above 1 from a number above 0, and `to` not below `from`");
    return goes_up(range);
}

/* By multiplication: pow may differ between machines. */
static double range_at(const struct range *range, uint32_t index)
{
    double value = range->from;
    if (!range->is_factor)
        return range->from + index * range->by;
    while (index--)
        value *= range->by;
    return value;
}

/* Values up to `to`; a billionth of slack for what decimal fractions lose. */
static const char *const *expand(struct reader *reader, const struct sy_yaml_node *node, uint32_t *count)
{
    struct range range;
    *count = 0;
    if (!read_range(reader, node, &range))
        return NULL;
    double limit = range.to + 1e-9 * fabs(range.to) + (range.is_factor ? 0 : 1e-9 * range.by);
    while (*count <= SY_MAX_VALUES && range_at(&range, *count) <= limit)
        (*count)++;
    if (*count > SY_MAX_VALUES) {
        COMPLAIN(reader, sy_yaml_where(node), NULL, "the range has more than %d values", SY_MAX_VALUES);
        return NULL;
    }
    const char **values = sy_arena_array(reader->arena, *count, sizeof *values);
    for (uint32_t i = 0; values && i < *count; i++) {
        char number[32];
        values[i] = sy_arena_printf(reader->arena, "%s%s%s", sy_format_double(number, range_at(&range, i)),
                                    *range.unit ? " " : "", range.unit);
        if (!values[i])
            return NULL;
    }
    return values;
}

/* ---- axes ---- */

/* "a, b" names keys that vary together. */
static bool split_keys(struct reader *reader, const struct sy_yaml_node *node, struct sy_axis *axis)
{
    const char *at = node->key;
    while (*at) {
        size_t length = strcspn(at, ",");
        const char *end = at + length;
        at += strspn(at, " ");
        while (end > at && end[-1] == ' ')
            end--;
        if (end == at || axis->keys == SY_MAX_TIED) {
            COMPLAIN(reader, sy_yaml_where_key(node), NULL, "'%s' is not a list of 1 to %d chip keys", node->key,
                     SY_MAX_TIED);
            return false;
        }
        axis->key[axis->keys] = sy_arena_strndup(reader->arena, at, (size_t)(end - at));
        if (!axis->key[axis->keys++])
            return false;
        at = node->key + (end - node->key);
        at += strspn(at, " ");
        at += *at == ',';
    }
    return axis->keys > 0;
}

/* One value of tied keys: a list with one entry a key, or one text for all of them. */
static bool tie(struct reader *reader, const struct sy_yaml_node *entry, const struct sy_axis *axis, const char **value)
{
    if (entry->kind != SY_YAML_SEQUENCE) {
        const char *text = text_of(reader, entry, "a value");
        for (uint32_t k = 0; k < axis->keys; k++)
            value[k] = text;
        return text != NULL;
    }
    if (entry->count != axis->keys) {
        COMPLAIN(reader, sy_yaml_where(entry), "a value that is a list itself is written in quotes: \"[ws, os]\"",
                 "%u values for %u keys", entry->count, axis->keys);
        return false;
    }
    const struct sy_yaml_node *one = entry->first;
    for (uint32_t k = 0; k < axis->keys; k++, one = one->next)
        if (!(value[k] = text_of(reader, one, "a value")))
            return false;
    return true;
}

static void read_axis(struct reader *reader, const struct sy_yaml_node *node)
{
    struct sy_space *space = reader->space;
    char found[80];
    if (space->axes == SY_MAX_AXES) {
        COMPLAIN(reader, sy_yaml_where_key(node), NULL, "more than %d keys vary", SY_MAX_AXES);
        return;
    }
    struct sy_axis *axis = &space->axis[space->axes];
    memset(axis, 0, sizeof *axis);
    if (!split_keys(reader, node, axis))
        return;
    const char *const *range = NULL;
    if (node->kind == SY_YAML_MAPPING) {
        if (!(range = expand(reader, node, &axis->values)))
            return;
    } else if (node->kind == SY_YAML_SEQUENCE && node->count && node->count <= SY_MAX_VALUES) {
        axis->values = node->count;
    } else {
        COMPLAIN(reader, sy_yaml_where(node), "for example [8, 16] or {from: 8, to: 64, factor: 2}",
                 "found %s, expected a list of 1 to %d values or a range", sy_yaml_what(node, found), SY_MAX_VALUES);
        return;
    }
    const char **values = sy_arena_array(reader->arena, (size_t)axis->values * axis->keys, sizeof *values);
    const struct sy_yaml_node *entry = node->first;
    for (uint32_t i = 0; values && i < axis->values; i++) {
        const char **value = &values[(size_t)i * axis->keys];
        for (uint32_t k = 0; range && k < axis->keys; k++)
            value[k] = range[i];
        if (!range && !tie(reader, entry, axis, value))
            return;
        entry = range ? NULL : entry->next;
    }
    axis->value = values;
    space->axes++;
}

static void check_keys(struct reader *reader, const struct sy_yaml_node *vary)
{
    const struct sy_space *space = reader->space;
    for (uint32_t a = 0; a < space->axes; a++)
        for (uint32_t k = 0; k < space->axis[a].keys; k++)
            for (uint32_t b = a; b < space->axes; b++)
                for (uint32_t l = b == a ? k + 1 : 0; l < space->axis[b].keys; l++)
                    if (!strcmp(space->axis[a].key[k], space->axis[b].key[l]))
                        COMPLAIN(reader, sy_yaml_where(vary), NULL, "%s varies twice", space->axis[a].key[k]);
}

/* ---- the groups of the file ---- */

static void read_chips(struct reader *reader, const struct sy_yaml_node *node)
{
    reader->space->chip = texts_of(reader, node, "chip names", &reader->space->chips);
}

static void read_workloads(struct reader *reader, const struct sy_yaml_node *node)
{
    reader->space->workload = texts_of(reader, node, "workload names", &reader->space->workloads);
}

static void read_set(struct reader *reader, const struct sy_yaml_node *node)
{
    char found[80];
    if (node->kind != SY_YAML_MAPPING) {
        COMPLAIN(reader, sy_yaml_where(node), NULL, "found %s, expected chip keys with their values",
                 sy_yaml_what(node, found));
        return;
    }
    const char **set = sy_arena_array(reader->arena, (size_t)node->count + 1, sizeof *set);
    for (const struct sy_yaml_node *entry = node->first; set && entry; entry = entry->next) {
        const char *text = text_of(reader, entry, "a value");
        if (text)
            set[reader->space->sets++] = sy_arena_printf(reader->arena, "%s=%s", entry->key, text);
    }
    reader->space->set = set;
}

static void read_vary(struct reader *reader, const struct sy_yaml_node *node)
{
    char found[80];
    if (node->kind != SY_YAML_MAPPING) {
        COMPLAIN(reader, sy_yaml_where(node), NULL, "found %s, expected chip keys with lists or ranges",
                 sy_yaml_what(node, found));
        return;
    }
    for (const struct sy_yaml_node *entry = node->first; entry; entry = entry->next)
        read_axis(reader, entry);
    check_keys(reader, node);
}

/* Options by name: texts and whole numbers. */
struct slot {
    const char *name;
    const char **text;
    uint64_t *number;
};

static void read_slots(struct reader *reader, const struct sy_yaml_node *node, const struct slot *slot, size_t count)
{
    const char *names[16];
    for (size_t i = 0; i < count; i++)
        names[i] = slot[i].name;
    for (const struct sy_yaml_node *entry = node->kind == SY_YAML_MAPPING ? node->first : NULL; entry;
         entry = entry->next) {
        size_t i = 0;
        while (i < count && strcmp(slot[i].name, entry->key))
            i++;
        if (i == count) {
            const char *near = sy_nearest(entry->key, names, count);
            COMPLAIN(reader, sy_yaml_where_key(entry), near, "unknown key '%s' in '%s'%s", entry->key, node->key,
                     near ? "; the hint is the nearest known one" : "");
            continue;
        }
        const char *text = text_of(reader, entry, "a value");
        if (text && slot[i].text)
            *slot[i].text = text;
        else if (text && !sy_text_to_u64(text, strlen(text), slot[i].number))
            COMPLAIN(reader, sy_yaml_where(entry), NULL, "'%s' is not a whole number", text);
    }
}

static void read_run(struct reader *reader, const struct sy_yaml_node *node)
{
    struct systole_run_options *run = &reader->space->run;
    const struct slot slots[] = {{"fidelity", &run->fidelity, NULL},   {"memory", &run->memory, NULL},
                                 {"objective", &run->objective, NULL}, {"kernel", &run->kernel, NULL},
                                 {"energy", &run->energy_table, NULL}, {"seed", NULL, &run->seed}};
    read_slots(reader, node, slots, sizeof slots / sizeof slots[0]);
    if (run->memory && !strncmp(run->memory, "tlm:", 4))
        COMPLAIN(reader, sy_yaml_where(node), "give it on the command line: --memory tlm:...",
                 "a memory target is code, and a space runs no code that it names");
}

static void read_import(struct reader *reader, const struct sy_yaml_node *node)
{
    struct systole_import_options *import = &reader->space->import;
    const struct slot slots[] = {
        {"format", &import->format, NULL},         {"activation", &import->activation, NULL},
        {"weight", &import->weight, NULL},         {"accumulator", &import->accumulator, NULL},
        {"phase", &import->phase, NULL},           {"kind", &import->kind, NULL},
        {"batch", NULL, &import->batch},           {"context", NULL, &import->context},
        {"new_tokens", NULL, &import->new_tokens}, {"kv", &import->kv, NULL},
        {"routing", &import->routing, NULL},       {"contexts", &import->contexts, NULL},
        {"kv_page", NULL, &import->kv_page},       {"tensor_parallel", NULL, &import->tensor_parallel}};
    read_slots(reader, node, slots, sizeof slots / sizeof slots[0]);
}

static void read_description(struct reader *reader, const struct sy_yaml_node *node)
{
    (void)text_of(reader, node, "a text");
}

static void read_root(struct reader *reader, const struct sy_yaml_node *root)
{
    static const struct {
        const char *name;
        void (*read)(struct reader *reader, const struct sy_yaml_node *node);
    } groups[] = {{"chips", read_chips},
                  {"chip", read_chips},
                  {"workloads", read_workloads},
                  {"workload", read_workloads},
                  {"set", read_set},
                  {"vary", read_vary},
                  {"run", read_run},
                  {"import", read_import},
                  {"description", read_description}};
    enum { GROUPS = sizeof groups / sizeof groups[0] };
    const char *names[GROUPS];
    for (size_t i = 0; i < GROUPS; i++)
        names[i] = groups[i].name;
    for (const struct sy_yaml_node *entry = root->first; entry; entry = entry->next) {
        size_t i = 0;
        while (i < GROUPS && strcmp(groups[i].name, entry->key))
            i++;
        if (i < GROUPS) {
            groups[i].read(reader, entry);
            continue;
        }
        const char *near = sy_nearest(entry->key, names, GROUPS);
        COMPLAIN(reader, sy_yaml_where_key(entry), "a space has chips, workloads, set, vary, run, import, description",
                 "unknown key '%s'%s%s%s", entry->key, near ? ", did you mean '" : "", near ? near : "",
                 near ? "'?" : "");
    }
    if (!reader->errors && !reader->space->chips)
        COMPLAIN(reader, sy_yaml_where(root), "for example chips: [tpu-v1]", "the space names no chip");
    if (!reader->errors && !reader->space->workloads)
        COMPLAIN(reader, sy_yaml_where(root), "for example workloads: [resnet50]", "the space names no workload");
}

static void count(struct reader *reader, const struct sy_yaml_node *root)
{
    struct sy_space *space = reader->space;
    bool fits = sy_mul(space->chips, space->workloads, &space->total);
    for (uint32_t a = 0; fits && a < space->axes; a++)
        fits = sy_mul(space->total, space->axis[a].values, &space->total);
    if (!fits || space->total > SY_MAX_CANDIDATES)
        COMPLAIN(reader, sy_yaml_where(root), "split it into several files", "the space has more than %d candidates",
                 SY_MAX_CANDIDATES);
}

static bool add_extra(struct reader *reader, const char *const *extra)
{
    struct sy_space *space = reader->space;
    size_t more = 0;
    while (extra && extra[more])
        more++;
    const char **set = sy_arena_array(reader->arena, space->sets + more + 1, sizeof *set);
    if (!set)
        return false;
    for (uint32_t i = 0; i < space->sets; i++)
        set[i] = space->set[i];
    for (size_t i = 0; i < more; i++)
        set[space->sets++] = extra[i];
    space->set = set;
    return true;
}

enum sy_status sy_space_load(struct sy_arena *arena, const char *path, const struct systole_run_options *run,
                             const struct systole_import_options *import, const char *const *extra,
                             struct sy_space *space, struct sy_diag *diag)
{
    struct reader reader = {.arena = arena, .space = space, .diag = diag};
    struct sy_yaml_node *root = NULL;
    char *text = NULL;
    size_t length = 0;
    memset(space, 0, sizeof *space);
    (void)sy_explore_take(&space->run, sizeof space->run, run);
    (void)sy_explore_take(&space->import, sizeof space->import, import);
    space->run.struct_size = sizeof space->run;
    space->import.struct_size = sizeof space->import;
    space->path = sy_arena_strdup(arena, path);
    enum sy_status status = sy_read_file(path, SY_YAML_MAX_BYTES, &text, &length, diag);
    if (status != SY_OK)
        return status;
    sy_sha256_hex(text, length, space->sha256);
    status = sy_yaml_parse(arena, text, length, path, &root, diag);
    free(text);
    if (root)
        read_root(&reader, root);
    if (status == SY_OK && !reader.errors)
        count(&reader, root);
    if (status != SY_OK || reader.errors)
        return status == SY_OK ? SY_INPUT : status;
    return space->path && add_extra(&reader, extra) ? SY_OK : SY_NOMEM;
}

struct sy_place sy_space_place(const struct sy_space *space, uint64_t index)
{
    struct sy_place place = {0};
    for (uint32_t a = space->axes; a-- > 0;) {
        place.value[a] = (uint32_t)(index % space->axis[a].values);
        index /= space->axis[a].values;
    }
    place.chip = (uint32_t)(index % space->chips);
    place.workload = (uint32_t)(index / space->chips);
    return place;
}

uint32_t sy_space_columns(const struct sy_space *space)
{
    uint32_t columns = 0;
    for (uint32_t a = 0; a < space->axes; a++)
        columns += space->axis[a].keys;
    return columns;
}

/* The axis of a column, which becomes the key's number in the axis. */
static uint32_t axis_of(const struct sy_space *space, uint32_t *column)
{
    uint32_t a = 0;
    for (; *column >= space->axis[a].keys; a++)
        *column -= space->axis[a].keys;
    return a;
}

const char *sy_space_key(const struct sy_space *space, uint32_t column)
{
    uint32_t a = axis_of(space, &column);
    return space->axis[a].key[column];
}

const char *sy_space_value(const struct sy_space *space, const struct sy_place *place, uint32_t column)
{
    uint32_t a = axis_of(space, &column);
    return space->axis[a].value[place->value[a] * space->axis[a].keys + column];
}

enum sy_status sy_space_job(const struct sy_space *space, uint64_t index, struct sy_arena *arena, struct sy_job *job)
{
    struct sy_place place = sy_space_place(space, index);
    uint32_t columns = sy_space_columns(space);
    const char **set = sy_arena_array(arena, (size_t)space->sets + columns + 1, sizeof *set);
    if (!set)
        return SY_NOMEM;
    for (uint32_t i = 0; i < space->sets; i++)
        set[i] = space->set[i];
    for (uint32_t c = 0; c < columns; c++) {
        const char *text = sy_arena_printf(arena, "%s=%s", sy_space_key(space, c), sy_space_value(space, &place, c));
        if (!text)
            return SY_NOMEM;
        set[space->sets + c] = text;
    }
    *job = (struct sy_job){.chip = space->chip[place.chip], .workload = space->workload[place.workload], .set = set};
    return SY_OK;
}
