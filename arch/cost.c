/* SPDX-License-Identifier: Apache-2.0 */
/* Price tables: items, files laid over each other, single items. See arch/cost.h. */
#include "arch/cost.h"

#include <string.h>

#include "arch/schema.h"
#include "arch/tree.h"

enum { MOST_ROWS = 4096, MOST_MEASUREMENTS = 4096, ARENA_LIMIT = 64 << 20 };

const struct sy_cost_item_info sy_cost_items[SY_COST_ITEMS] = {
#define ITEM_INFO(NAME, name, least, most, flags, doc) {#name, least, most, flags, doc},
    SY_COST_ITEM_MAP(ITEM_INFO)
#undef ITEM_INFO
};

/* ---- the schema of a file ---- */

struct price_file {
    const char *name, *description;
    uint32_t rows, measurements, classes;
    struct sy_figure_row *row;
    struct sy_cost_measurement *measured;
    struct sy_cost_class *mix;
};

#define AT(member) offsetof(struct sy_cost_measurement, member)
static const struct sy_field measured_fields[] = {
    {.key = "workload", .type = SY_FIELD_NAME, .offset = AT(workload), .doc = "as results name it"},
    {.key = "phase",
     .type = SY_FIELD_NAME,
     .offset = AT(phase),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "prefill, decode or train-step of a language model"},
    {.key = "sequences",
     .type = SY_FIELD_U64,
     .offset = AT(sequences),
     .fallback = "1",
     .min = "1",
     .max = "1000000000",
     .doc = "batch"},
    {.key = "context",
     .type = SY_FIELD_U64,
     .offset = AT(context),
     .fallback = "0",
     .min = "0",
     .max = "1000000000000",
     .doc = "tokens of a sequence, of decode those before it; 0 for other models"},
    {.key = "units_per_s",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(units_per_s),
     .min = "1e-12",
     .max = "1e18",
     .doc = "tokens, or inferences, a second of one chip"},
    {.key = "source", .type = SY_FIELD_SOURCE, .offset = AT(source), .doc = "where the figure comes from"},
    {.key = "confidence", .type = SY_FIELD_CONFIDENCE, .offset = AT(confidence), .doc = "how far to trust it"},
    {.key = "note", .type = SY_FIELD_TEXT, .offset = AT(note), .flags = SY_FIELD_OPTIONAL, .doc = "more about it"},
    {0},
};
#undef AT
static const struct sy_schema measured_schema = {"a measurement", sizeof(struct sy_cost_measurement), measured_fields,
                                                 NULL};

#define AT(member) offsetof(struct sy_cost_class, member)
static const struct sy_field class_fields[] = {
    {.key = "name", .type = SY_FIELD_NAME, .offset = AT(name), .doc = "of the kind of work"},
    {.key = "share",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(share),
     .min = "0",
     .max = "1",
     .doc = "of today's units of work; all shares sum to 1"},
    {.key = "growth",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(growth),
     .fallback = "0",
     .min = "-0.95",
     .max = "20",
     .doc = "a year, beside demand_growth_share; -0.5 halves it"},
    {.key = "own",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(own),
     .fallback = "1",
     .min = "0.0001",
     .max = "10000",
     .doc = "rate of the chip on it over its rate on the workload of the run"},
    {.key = "incumbent",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(incumbent),
     .fallback = "1",
     .min = "0.0001",
     .max = "10000",
     .doc = "the same of the incumbent"},
    {.key = "source", .type = SY_FIELD_SOURCE, .offset = AT(source), .doc = "where the figures come from"},
    {.key = "confidence", .type = SY_FIELD_CONFIDENCE, .offset = AT(confidence), .doc = "how far to trust them"},
    {.key = "note", .type = SY_FIELD_TEXT, .offset = AT(note), .flags = SY_FIELD_OPTIONAL, .doc = "more about it"},
    {0},
};
#undef AT
static const struct sy_schema class_schema = {"a kind of work", sizeof(struct sy_cost_class), class_fields, NULL};

#define AT(member) offsetof(struct price_file, member)
static const struct sy_field file_fields[] = {
    {.key = "name", .type = SY_FIELD_NAME, .offset = AT(name), .doc = "of the table"},
    {.key = "description",
     .type = SY_FIELD_TEXT,
     .offset = AT(description),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "one line for people"},
    {.key = "rows",
     .type = SY_FIELD_LIST,
     .offset = AT(row),
     .group = &sy_figure_row_schema,
     .count_offset = AT(rows),
     .least = 1,
     .most = MOST_ROWS,
     .flags = SY_FIELD_POINTER,
     .doc = "one row a figure"},
    {.key = "measured",
     .type = SY_FIELD_LIST,
     .offset = AT(measured),
     .group = &measured_schema,
     .count_offset = AT(measurements),
     .most = MOST_MEASUREMENTS,
     .flags = SY_FIELD_POINTER | SY_FIELD_OPTIONAL,
     .doc = "what was measured on an incumbent"},
    {.key = "mix",
     .type = SY_FIELD_LIST,
     .offset = AT(mix),
     .group = &class_schema,
     .count_offset = AT(classes),
     .most = SY_COST_MAX_CLASSES,
     .flags = SY_FIELD_POINTER | SY_FIELD_OPTIONAL,
     .doc = "kinds of work, when it is not all like the workload of the run"},
    {0},
};
#undef AT
static const struct sy_schema file_schema = {"the price table", sizeof(struct price_file), file_fields, NULL};

enum sy_status sy_cost_reference(struct sy_buf *out)
{
    char low[32], high[32];
    enum sy_status status = sy_schema_document(out, &file_schema);
    sy_buf_puts(out, "\n| item | from | to | what it is |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++)
        sy_buf_printf(out, "| `%s`%s%s | %s | %s | %s |\n", sy_cost_items[i].name,
                      sy_cost_items[i].flags & SY_COST_BY_NODE ? " by node" : "",
                      sy_cost_items[i].flags & SY_COST_PRICED ? "" : " (not in the shipped prices)",
                      sy_format_double(low, sy_cost_items[i].least), sy_format_double(high, sy_cost_items[i].most),
                      sy_cost_items[i].doc);
    return status != SY_OK ? status : out->failed ? SY_NOMEM : SY_OK;
}

/* ---- items ---- */

uint32_t sy_cost_item_find(const char *name)
{
    uint32_t i = 0;
    while (i < SY_COST_ITEMS && strcmp(sy_cost_items[i].name, name) != 0)
        i++;
    return i;
}

/* NULL, or why a row of this item cannot be. The hint may be set. */
static const char *what_is_wrong(const struct sy_figure_row *row, struct sy_buf *message, const char **hint)
{
    const char *names[SY_COST_ITEMS];
    char low[32], high[32];
    uint32_t index = sy_cost_item_find(row->item);
    *hint = "`systole list prices` names the items";
    if (index == SY_COST_ITEMS) {
        for (uint32_t i = 0; i < SY_COST_ITEMS; i++)
            names[i] = sy_cost_items[i].name;
        const char *near = sy_nearest(row->item, names, SY_COST_ITEMS);
        sy_buf_printf(message, "the cost model has no item '%.60s'%s%s%s", row->item, near ? "; did you mean " : "",
                      near ? near : "", near ? "?" : "");
        return message->data;
    }
    const struct sy_cost_item_info *item = &sy_cost_items[index];
    if (row->low < item->least || row->high > item->most)
        sy_buf_printf(message, "%s goes from %s to %s", row->item, sy_format_double(low, item->least),
                      sy_format_double(high, item->most));
    else if (row->node_nm > 0 && !(item->flags & SY_COST_BY_NODE))
        sy_buf_printf(message, "%s does not depend on the node", row->item);
    else
        return NULL;
    *hint = NULL;
    return message->data;
}

/* Rows of `count` items take the place of all rows of the same items. */
static enum sy_status lay_over(struct sy_cost_table *table, const struct sy_figure_row *row, uint32_t count)
{
    struct sy_figure_table *figures = &table->figures;
    struct sy_figure_row *merged = sy_arena_array(table->arena, (size_t)figures->rows + count, sizeof *merged);
    uint32_t kept = 0;
    if (!merged)
        return SY_NOMEM;
    for (uint32_t i = 0; i < figures->rows; i++) {
        bool replaced = false;
        for (uint32_t j = 0; j < count && !replaced; j++)
            replaced = !strcmp(figures->row[i].item, row[j].item);
        if (!replaced)
            merged[kept++] = figures->row[i];
    }
    if (count)
        memcpy(merged + kept, row, count * sizeof *row);
    figures->row = merged;
    figures->rows = kept + count;
    return SY_OK;
}

/* ---- files ---- */

static void check_items(struct sy_schema_context *context, const struct sy_yaml_node *rows,
                        const struct price_file *file)
{
    for (uint32_t i = 0; i < file->rows; i++) {
        struct sy_buf message = {0};
        const char *hint, *wrong = what_is_wrong(&file->row[i], &message, &hint);
        if (wrong)
            sy_schema_fail(context, sy_yaml_at(rows, i), hint, "rows.%u: %s", i, wrong);
        sy_buf_free(&message);
    }
}

static void check_mix(struct sy_schema_context *context, const struct sy_yaml_node *node, const struct price_file *file)
{
    double sum = 0;
    for (uint32_t i = 0; i < file->classes; i++)
        sum += file->mix[i].share;
    if (file->classes && !(sum > 1 - 1e-6 && sum < 1 + 1e-6))
        sy_schema_fail(context, node, NULL, "mix: the shares sum to %g; expected 1", sum);
}

/* What a resolved file says, laid over the table. read: how well it was read so far. */
static enum sy_status lay_file(struct sy_cost_table *table, struct sy_schema_context *context,
                               struct sy_yaml_node *root, enum sy_status read, bool is_incumbent)
{
    struct price_file *file = sy_arena_alloc(table->arena, sizeof *file);
    if (!file)
        return SY_NOMEM;
    enum sy_status status = read;
    bool readable = root && !root->faulty;
    read = readable ? sy_schema_read(context, &file_schema, root, file) : SY_OK;
    if (read == SY_OK && readable) {
        sy_figure_rows_check(context, sy_yaml_get(root, "rows"), file->row, file->rows);
        check_items(context, sy_yaml_get(root, "rows"), file);
        check_mix(context, sy_yaml_get(root, "mix"), file);
    }
    if (status == SY_OK)
        status = context->errors ? SY_INPUT : read;
    if (status != SY_OK)
        return status;
    if (file->classes) {
        table->mix = file->mix;
        table->classes = file->classes;
    }
    if (is_incumbent) {
        table->incumbent = file->name;
        table->incumbent_description = file->description;
        table->measured = file->measured;
        table->measurements = file->measurements;
    }
    return lay_over(table, file->row, file->rows);
}

static enum sy_status load_file(struct sy_cost_table *table, const struct sy_cost_sources *sources, const char *name,
                                const char *folder, struct sy_diag *diag)
{
    struct sy_schema_context *context = sy_arena_alloc(table->arena, sizeof *context);
    struct sy_yaml_node *root = NULL;
    if (!context)
        return SY_NOMEM;
    *context = (struct sy_schema_context){.arena = table->arena, .diag = diag, .data_dir = sources->data_dir};
    enum sy_status status = sy_tree_load(context, name, folder, &file_schema, &root);
    return lay_file(table, context, root, status, !strcmp(folder, "arch/cost/incumbents"));
}

/* ---- single items ---- */

/* "VALUE" or "LOW:VALUE:HIGH". */
static bool parse_range(const char *text, double value[3])
{
    const char *colon = strchr(text, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;
    if (!colon) {
        bool good = sy_text_to_double(text, strlen(text), &value[1]);
        value[0] = value[2] = value[1];
        return good;
    }
    return second && sy_text_to_double(text, (size_t)(colon - text), &value[0]) &&
           sy_text_to_double(colon + 1, (size_t)(second - colon - 1), &value[1]) &&
           sy_text_to_double(second + 1, strlen(second + 1), &value[2]) && value[0] <= value[1] && value[1] <= value[2];
}

static enum sy_status set_item(struct sy_cost_table *table, const char *assignment, struct sy_diag *diag)
{
    const char *sign = strchr(assignment, '=');
    double value[3];
    if (!sign || sign == assignment || !parse_range(sign + 1, value))
        return sy_error(diag, SY_NOWHERE, "for example wafer_usd=9000 or wafer_usd=8000:9000:11000",
                        "'%s' is not ITEM=VALUE or ITEM=LOW:VALUE:HIGH with rising numbers", assignment);
    char *item = sy_arena_strndup(table->arena, assignment, (size_t)(sign - assignment));
    if (!item)
        return SY_NOMEM;
    struct sy_figure_row row = {item, 0, value[1], value[0], value[2], "the command line", "set by the user", NULL};
    struct sy_buf message = {0};
    const char *hint, *wrong = what_is_wrong(&row, &message, &hint);
    enum sy_status status = wrong ? sy_error(diag, SY_NOWHERE, hint, "%s", wrong) : lay_over(table, &row, 1);
    sy_buf_free(&message);
    return status;
}

/* ---- a table ---- */

static enum sy_status worse(enum sy_status a, enum sy_status b)
{
    return a == SY_OK ? b : a;
}

static struct sy_cost_table *empty_table(void)
{
    struct sy_arena *arena = sy_arena_create(NULL, ARENA_LIMIT);
    struct sy_cost_table *table = arena ? sy_arena_alloc(arena, sizeof *table) : NULL;
    if (!table) {
        sy_arena_destroy(arena);
        return NULL;
    }
    table->arena = table->figures.arena = arena;
    table->figures.name = "cost";
    return table;
}

enum sy_status sy_cost_table_parse(const struct sy_cost_table *base, const char *text, size_t length, const char *path,
                                   struct sy_cost_table **out, struct sy_diag *diag)
{
    struct sy_cost_table *table = empty_table();
    struct sy_schema_context *context = table ? sy_arena_alloc(table->arena, sizeof *context) : NULL;
    struct sy_yaml_node *root = NULL;
    enum sy_status status = context ? SY_OK : SY_NOMEM;
    *out = NULL;
    if (status == SY_OK && base)
        status = lay_over(table, base->figures.row, base->figures.rows);
    if (status == SY_OK) {
        *context = (struct sy_schema_context){.arena = table->arena, .diag = diag, .root = &file_schema};
        status = sy_yaml_parse(table->arena, text, length, path, &root, diag);
    }
    if (status == SY_OK) {
        status = sy_tree_resolve(context, root, path, "arch/cost", &file_schema);
        status = lay_file(table, context, root, status, true);
    }
    if (status == SY_OK)
        *out = table;
    else
        sy_cost_table_destroy(table);
    return status;
}

enum sy_status sy_cost_table_load(const struct sy_cost_sources *sources, struct sy_cost_table **out,
                                  struct sy_diag *diag)
{
    struct sy_cost_table *table = empty_table();
    *out = NULL;
    if (!table)
        return SY_NOMEM;
    enum sy_status status = load_file(table, sources, "default", "arch/cost", diag);
    for (uint32_t i = 0; sources->tables && sources->tables[i]; i++)
        status = worse(status, load_file(table, sources, sources->tables[i], "arch/cost", diag));
    if (sources->incumbent)
        status = worse(status, load_file(table, sources, sources->incumbent, "arch/cost/incumbents", diag));
    if (sources->example)
        status = worse(status, load_file(table, sources, sources->example, "arch/cost/examples", diag));
    for (uint32_t i = 0; sources->set && sources->set[i]; i++)
        status = worse(status, set_item(table, sources->set[i], diag));
    if (status == SY_OK)
        *out = table;
    else
        sy_cost_table_destroy(table);
    return status;
}

void sy_cost_table_destroy(struct sy_cost_table *table)
{
    if (table)
        sy_arena_destroy(table->arena);
}
