/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of sourced figures. See figure_table.h. */
#include "arch/figure_table.h"

#include <math.h>
#include <string.h>

#include "arch/schema.h"
#include "arch/tree.h"

#define AT(member) offsetof(struct sy_figure_row, member)

enum { MOST_ROWS = 4096, ARENA_LIMIT = 64 << 20 };

static const struct sy_field row_fields[] = {
    {.key = "item", .type = SY_FIELD_NAME, .offset = AT(item), .doc = "what is stated; its name ends in the unit"},
    {.key = "node",
     .type = SY_FIELD_DOUBLE,
     .unit = SY_UNIT_METRES,
     .per_unit = 1e9,
     .offset = AT(node_nm),
     .flags = SY_FIELD_OPTIONAL,
     .min = "1 nm",
     .max = "1000 nm",
     .doc = "process; left out where it does not matter"},
    {.key = "figure", .type = SY_FIELD_DOUBLE, .offset = AT(value), .min = "0", .max = "1e15", .doc = "nominal"},
    {.key = "low",
     .type = SY_FIELD_DOUBLE,
     .offset = AT(low),
     .min = "0",
     .max = "1e15",
     .doc = "low end of the range"},
    {.key = "high", .type = SY_FIELD_DOUBLE, .offset = AT(high), .min = "0", .max = "1e15", .doc = "high end"},
    {.key = "source", .type = SY_FIELD_SOURCE, .offset = AT(source), .doc = "where the figure comes from"},
    {.key = "confidence", .type = SY_FIELD_CONFIDENCE, .offset = AT(confidence), .doc = "how far to trust it"},
    {.key = "note",
     .type = SY_FIELD_TEXT,
     .offset = AT(note),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "how it was computed or what is in it"},
    {0},
};
const struct sy_schema sy_figure_row_schema = {"a figure", sizeof(struct sy_figure_row), row_fields, NULL};
static const struct sy_field table_fields[] = {
    {.key = "name", .type = SY_FIELD_NAME, .offset = offsetof(struct sy_figure_table, name), .doc = "of the table"},
    {.key = "description",
     .type = SY_FIELD_TEXT,
     .offset = offsetof(struct sy_figure_table, description),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "one line for people"},
    {.key = "rows",
     .type = SY_FIELD_LIST,
     .offset = offsetof(struct sy_figure_table, row),
     .group = &sy_figure_row_schema,
     .count_offset = offsetof(struct sy_figure_table, rows),
     .least = 1,
     .most = MOST_ROWS,
     .flags = SY_FIELD_POINTER,
     .doc = "one row a figure"},
    {0},
};
const struct sy_schema sy_figure_table_schema = {"the table of figures", sizeof(struct sy_figure_table), table_fields,
                                                 NULL};

static bool equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

static void check_row(struct sy_schema_context *context, const struct sy_yaml_node *rows,
                      const struct sy_figure_row *all, uint32_t index)
{
    const struct sy_figure_row *row = &all[index];
    const struct sy_yaml_node *node = sy_yaml_at(rows, index);
    if (row->low > row->value || row->value > row->high)
        sy_schema_fail(context, node, NULL, "rows.%u: low, figure and high must rise in this order", index);
    for (uint32_t i = 0; i < index; i++) {
        const struct sy_figure_row *other = &all[i];
        if (strcmp(row->item, other->item) != 0)
            continue;
        if (equal(row->node_nm, other->node_nm))
            sy_schema_fail(context, node, "keep one", "rows.%u: the same item and node as row %u", index, i);
        else if (row->node_nm <= 0 || other->node_nm <= 0)
            sy_schema_fail(context, node, NULL, "rows.%u: row %u of the same item has %s node", index, i,
                           other->node_nm > 0 ? "a" : "no");
    }
}

void sy_figure_rows_check(struct sy_schema_context *context, const struct sy_yaml_node *rows,
                          const struct sy_figure_row *row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        check_row(context, rows, row, i);
}

enum sy_status sy_figure_table_load(const char *name_or_path, const char *folder, const char *data_dir,
                                    struct sy_figure_table **out, struct sy_diag *diag)
{
    *out = NULL;
    struct sy_arena *arena = sy_arena_create(NULL, ARENA_LIMIT);
    struct sy_figure_table *table = arena ? sy_arena_alloc(arena, sizeof *table) : NULL;
    struct sy_schema_context *context = arena ? sy_arena_alloc(arena, sizeof *context) : NULL;
    struct sy_yaml_node *root = NULL;
    enum sy_status status = SY_NOMEM;
    if (table && context) {
        *context = (struct sy_schema_context){.arena = arena, .diag = diag, .data_dir = data_dir};
        table->arena = arena;
        status = sy_tree_load(context, name_or_path, folder, &sy_figure_table_schema, &root);
        bool readable = root && !root->faulty;
        enum sy_status read = readable ? sy_schema_read(context, &sy_figure_table_schema, root, table) : SY_OK;
        if (read == SY_OK && readable)
            sy_figure_rows_check(context, sy_yaml_get(root, "rows"), table->row, table->rows);
        if (status == SY_OK)
            status = context->errors ? SY_INPUT : read;
    }
    if (status == SY_OK)
        *out = table;
    else
        sy_arena_destroy(arena);
    return status;
}

void sy_figure_table_destroy(struct sy_figure_table *table)
{
    if (table)
        sy_arena_destroy(table->arena);
}

enum sy_status sy_figure_table_reference(struct sy_buf *out)
{
    return sy_schema_document(out, &sy_figure_table_schema);
}

bool sy_confidence_is_low(const char *confidence)
{
    return !confidence || !strcmp(confidence, "memory") || !strcmp(confidence, "assumed");
}

/* ---- overrides ---- */

static enum sy_status no_such_item(const struct sy_figure_table *table, const char *item, struct sy_diag *diag)
{
    const char *names[MOST_ROWS];
    for (uint32_t i = 0; i < table->rows; i++)
        names[i] = table->row[i].item;
    const char *near = sy_nearest(item, names, table->rows);
    struct sy_buf hint = {0};
    sy_buf_printf(&hint, near ? "did you mean %s?" : "%s shows the items", near ? near : "--explain");
    enum sy_status status = sy_error(diag, SY_NOWHERE, hint.data, "table %s has no item '%s'", table->name, item);
    sy_buf_free(&hint);
    return status;
}

enum sy_status sy_figure_table_set(struct sy_figure_table *table, const char *assignment, struct sy_diag *diag)
{
    const char *sign = strchr(assignment, '=');
    double value = 0;
    if (!sign || !sy_text_to_double(sign + 1, strlen(sign + 1), &value) || !(value >= 0) || value > 1e15)
        return sy_error(diag, SY_NOWHERE, NULL, "'%s' is not ITEM=NUMBER with a number from 0 to 1e15", assignment);
    char *item = sy_arena_strndup(table->arena, assignment, (size_t)(sign - assignment));
    if (!item)
        return SY_NOMEM;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->rows; i++)
        if (strcmp(table->row[i].item, item) != 0)
            table->row[kept++] = table->row[i];
    if (kept == table->rows)
        return no_such_item(table, item, diag);
    /* One row at least went away, so there is room for the new one. */
    table->row[kept] =
        (struct sy_figure_row){item, 0, value, value, value, "the command line", "set by the user", NULL};
    table->rows = kept + 1;
    return SY_OK;
}

/* ---- lookup ---- */

/* Along the power law through two points; linear where a figure is 0, which has no logarithm. */
static double between(double part, double first, double second)
{
    return first > 0 && second > 0 ? first * pow(second / first, part) : first + (second - first) * part;
}

/* The rows of an item nearest to a node from below and above; a row without a node is both. */
static void find_rows(const struct sy_figure_table *table, const char *item, double node_nm,
                      const struct sy_figure_row *found[2])
{
    found[0] = found[1] = NULL;
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_figure_row *row = &table->row[i];
        if (strcmp(row->item, item) != 0)
            continue;
        bool any = row->node_nm <= 0;
        if ((any || row->node_nm <= node_nm) && (!found[0] || row->node_nm > found[0]->node_nm))
            found[0] = row;
        if ((any || row->node_nm >= node_nm) && (!found[1] || row->node_nm < found[1]->node_nm))
            found[1] = row;
    }
}

enum sy_status sy_figure_lookup(const struct sy_figure_table *table, const char *item, double node_nm,
                                struct sy_sourced *figure)
{
    const struct sy_figure_row *found[2];
    find_rows(table, item, node_nm, found);
    const struct sy_figure_row *below = found[0], *above = found[1];
    if (!below && !above)
        return SY_UNSUPPORTED;
    bool beyond = !below || !above;
    below = below ? below : above;
    above = above ? above : below;
    *figure = (struct sy_sourced){below->value, below->low, below->high, below, "as sourced", beyond};
    if (beyond)
        figure->rule = "nearest node, extrapolated";
    if (above->node_nm > below->node_nm) {
        double part = log(node_nm / below->node_nm) / log(above->node_nm / below->node_nm);
        figure->value = between(part, below->value, above->value);
        figure->low = between(part, below->low, above->low);
        figure->high = between(part, below->high, above->high);
        figure->row = part < 0.5 ? below : above;
        figure->rule = "log-node interpolation";
    }
    return SY_OK;
}
