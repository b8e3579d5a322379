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

static void check_rows(struct sy_schema_context *context, const struct sy_yaml_node *root, const void *object)
{
    const struct sy_figure_table *table = object;
    sy_figure_rows_check(context, sy_yaml_get(root, "rows"), table->row, table->rows);
}

enum sy_status sy_figure_table_load(const char *name_or_path, const char *folder, const char *data_dir,
                                    struct sy_figure_table **out, struct sy_diag *diag)
{
    void *table;
    enum sy_status status = sy_tree_load_object(name_or_path, folder, data_dir, &sy_figure_table_schema, ARENA_LIMIT,
                                                check_rows, &table, diag);
    *out = table;
    return status;
}

void sy_figure_table_destroy(struct sy_figure_table *table)
{
    if (table)
        sy_arena_destroy(table->arena);
}

bool sy_confidence_is_low(const char *confidence)
{
    return !confidence || !strcmp(confidence, "memory") || !strcmp(confidence, "assumed");
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
