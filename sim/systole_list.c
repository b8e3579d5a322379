/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: lists of what there is, and validation. No logic of its own. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cost.h"
#include "sim/base/arena.h"
#include "sim/base/json.h"
#include "sim/report/report_format.h"
#include "sim/systole_internal.h"
#include "sim/validate/suite.h"

/* ---- files of a data folder ---- */

enum { MAX_LISTED = 512 };
struct names {
    uint32_t count;
    char *name[MAX_LISTED];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_folder(const struct systole_context *context, const char *folder, const char *suffix,
                        struct names *names)
{
    struct sy_buf path = {0};
    names->count = 0;
    if (!context || !context->data_dir)
        return;
    sy_buf_printf(&path, "%s/%s", context->data_dir, folder);
    DIR *dir = path.failed ? NULL : opendir(path.data);
    sy_buf_free(&path);
    for (struct dirent *entry; dir && names->count < MAX_LISTED && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name), tail = strlen(suffix);
        if (length <= tail || strcmp(entry->d_name + length - tail, suffix))
            continue;
        char *copy = strndup(entry->d_name, length - tail);
        if (copy)
            names->name[names->count++] = copy;
    }
    if (dir)
        (void)closedir(dir);
    qsort(names->name, names->count, sizeof names->name[0], by_name);
}

/* The text behind `description:` at the start of a line of a YAML file, or "". */
static void put_description(const struct systole_context *context, const char *folder, const char *name,
                            struct sy_buf *out)
{
    struct sy_buf path = {0};
    char *data = NULL;
    size_t length = 0;
    sy_buf_printf(&path, "%s/%s/%s.yaml", context->data_dir, folder, name);
    if (!path.failed && sy_read_file(path.data, 1 << 20, &data, &length, NULL) == SY_OK) {
        const char *line = strstr(data, "\ndescription:");
        if (line) {
            line += strlen("\ndescription:");
            line += strspn(line, " ");
            char quote[2] = {*line == '"' || *line == '\'' ? *line : '\n', '\0'};
            line += *quote != '\n';
            sy_buf_append(out, line, strcspn(line, quote));
        }
    }
    free(data);
    sy_buf_free(&path);
}

static void list_folder(const struct systole_context *context, const char *folder, const char *suffix,
                        struct sy_buf *out)
{
    struct names names;
    read_folder(context, folder, suffix, &names);
    for (uint32_t i = 0; i < names.count; i++) {
        sy_buf_printf(out, "%s\t", names.name[i]);
        if (!strcmp(suffix, ".yaml"))
            put_description(context, folder, names.name[i], out);
        sy_buf_puts(out, "\n");
        free(names.name[i]);
    }
}

static void list_chips(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/chips", ".yaml", out);
}
/* The string under "description" of a model configuration, or "". */
static void put_model_description(const struct systole_context *context, const char *name, struct sy_buf *out)
{
    struct sy_buf path = {0};
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_json *root = NULL;
    char *data = NULL;
    size_t length = 0;
    sy_buf_printf(&path, "%s/workloads/nets/%s.json", context->data_dir, name);
    if (arena && !path.failed && sy_read_file(path.data, 1 << 20, &data, &length, NULL) == SY_OK &&
        sy_json_parse(arena, data, length, path.data, &root, NULL) == SY_OK) {
        const struct sy_json *text = root->kind == SY_JSON_OBJECT ? sy_json_get(root, "description") : NULL;
        sy_buf_puts(out, text && text->kind == SY_JSON_STRING ? text->string : "");
    }
    free(data);
    sy_buf_free(&path);
    sy_arena_destroy(arena);
}

/* Layer traces, whose shapes are fixed, and model configurations, to which --phase, --batch and --context apply. */
static void list_workloads(const struct systole_context *context, struct sy_buf *out)
{
    struct names traces, models;
    read_folder(context, "workloads/nets", ".slt.gz", &traces);
    read_folder(context, "workloads/nets", ".json", &models);
    for (uint32_t i = 0; i < traces.count; i++) {
        sy_buf_printf(out, "%s\ta layer trace\n", traces.name[i]);
        free(traces.name[i]);
    }
    for (uint32_t i = 0; i < models.count; i++) {
        sy_buf_printf(out, "%s\t", models.name[i]);
        put_model_description(context, models.name[i], out);
        sy_buf_puts(out, "; takes --phase, --batch, --context\n");
        free(models.name[i]);
    }
}
static void list_drams(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/dram", ".yaml", out);
}
static void list_dataflows(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/dataflows", ".yaml", out);
}
static void list_arrays(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/arrays", ".yaml", out);
}
static void list_energy(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/energy", ".yaml", out);
}

static void list_incumbents(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/cost/incumbents", ".yaml", out);
}
static void list_scenarios(const struct systole_context *context, struct sy_buf *out)
{
    list_folder(context, "arch/cost/examples", ".yaml", out);
}

static void list_prices(const struct systole_context *context, struct sy_buf *out)
{
    (void)context;
    for (int i = 0; i < SY_COST_ITEMS; i++)
        sy_buf_printf(out, "%s\t%s\n", sy_cost_items[i].name, sy_cost_items[i].doc);
}

static void list_formats(const struct systole_context *context, struct sy_buf *out)
{
    (void)context;
    for (size_t i = 0; sy_report_formats[i]; i++)
        sy_buf_printf(out, "%s\t%s\n", sy_report_formats[i]->name, sy_report_formats[i]->doc);
}

static void list_importers(const struct systole_context *context, struct sy_buf *out)
{
    (void)context;
    for (size_t i = 0; sy_importers[i]; i++)
        sy_buf_printf(out, "%s\t%s\n", sy_importers[i]->name, sy_importers[i]->doc);
}

static void list_suites(const struct systole_context *context, struct sy_buf *out)
{
    (void)context;
    for (size_t i = 0; sy_suites[i]; i++)
        sy_buf_printf(out, "%s\t%s\n", sy_suites[i]->name, sy_suites[i]->doc);
}

static void list_figures(const struct systole_context *context, struct sy_buf *out)
{
    (void)context;
    for (size_t i = 0; i < sy_figure_count; i++)
        sy_buf_printf(out, "%s\t%s (%s)\n", sy_figures[i].name, sy_figures[i].doc, sy_figures[i].unit);
}

enum systole_status systole_list(const struct systole_context *context, const char *what, struct systole_text *text)
{
    static const struct {
        const char *name;
        void (*list)(const struct systole_context *, struct sy_buf *);
    } lists[] = {{"chips", list_chips},         {"workloads", list_workloads},   {"drams", list_drams},
                 {"dataflows", list_dataflows}, {"arrays", list_arrays},         {"energy", list_energy},
                 {"prices", list_prices},       {"incumbents", list_incumbents}, {"scenarios", list_scenarios},
                 {"formats", list_formats},     {"importers", list_importers},   {"suites", list_suites},
                 {"figures", list_figures}};
    enum { LISTS = sizeof lists / sizeof lists[0] };
    struct sy_diag diag = systole_sink(context);
    struct sy_buf out = {0};
    const char *names[LISTS];
    for (size_t i = 0; i < LISTS; i++) {
        names[i] = lists[i].name;
        if (strcmp(lists[i].name, what))
            continue;
        lists[i].list(context, &out);
        return systole_hand_over(&out, text);
    }
    const char *near = sy_nearest(what, names, LISTS);
    sy_buf_printf(&out, "%s%s%slists: ", near ? "did you mean " : "", near ? near : "", near ? "? " : "");
    for (size_t i = 0; i < LISTS; i++)
        sy_buf_printf(&out, "%s%s", i ? ", " : "", names[i]);
    sy_error(&diag, SY_NOWHERE, out.data, "there is no list of '%s'", what);
    sy_buf_free(&out);
    return SYSTOLE_USAGE;
}

/* ---- validation ---- */

/* Whether the error is beyond what the caller allows. A suite whose rows have no error must be exact. */
static bool is_beyond(const struct sy_validation_stats *total, double max_error)
{
    if (!total->measured)
        return total->exact < total->rows;
    return total->mape > max_error;
}

enum systole_status systole_validate(const struct systole_context *context, const char *suite,
                                     const struct systole_validate_options *options, const char *format,
                                     struct systole_text *text)
{
    struct systole_validate_options mine;
    struct sy_diag diag = systole_sink(context);
    struct sy_validation validation = {0};
    struct sy_buf out = {0};
    bool json = format && !strcmp(format, "json"), bounded = options != NULL;
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    if (format && !json && strcmp(format, "table")) {
        sy_error(&diag, SY_NOWHERE, "use table or json", "a validation cannot be written as '%s'", format);
        return SYSTOLE_USAGE;
    }
    struct sy_validate_options run = {
        .data_dir = context ? context->data_dir : NULL, .data = mine.data, .memory = mine.memory};
    enum sy_status status = sy_validate_run(suite, &run, &validation, &diag);
    if (status != SY_OK) {
        sy_validation_free(&validation);
        return (enum systole_status)status;
    }
    if (json)
        sy_validation_put_json(&validation, &out);
    else
        sy_validation_put_table(&validation, mine.rows != 0, &out);
    bool beyond = bounded && mine.max_error >= 0 && is_beyond(&validation.total, mine.max_error);
    sy_validation_free(&validation);
    enum systole_status handed = systole_hand_over(&out, text);
    return handed == SYSTOLE_OK && beyond ? SYSTOLE_CHECK_FAILED : handed;
}
