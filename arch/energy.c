/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy tables: reading and looking up. A lookup picks the rows of one
 * component and action; where they are given for several capacities it
 * interpolates between the two nearest, and then between the two nearest
 * nodes, each along a power law (straight in log-log). A figure is never
 * carried beyond its anchors: outside them the nearest one is returned as it
 * is and flagged, because the laws that would carry it are wrong by factors
 * (CACTI stops at 22 nm, polynomial scaling misses published 7 nm figures by 3).
 */
#include "arch/energy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arch/schema.h"
#include "arch/tree.h"

#define AT(member) offsetof(struct sy_energy_row, member)

enum { MOST_ROWS = 4096, ARENA_LIMIT = 64 << 20 };

static const char *const scaling_names[] = {"logic", "sram", "wire", "dram", "none", NULL};

static const struct sy_field row_fields[] = {
    {.key = "component", .type = SY_FIELD_NAME, .offset = AT(component), .doc = "mac, sram, ddr4 ..."},
    {.key = "action",
     .type = SY_FIELD_NAME,
     .offset = AT(action),
     .doc = "int8, read, write ...; access stands for both read and write"},
    {.key = "capacity",
     .type = SY_FIELD_U64,
     .unit = SY_UNIT_BYTES,
     .offset = AT(bytes),
     .flags = SY_FIELD_OPTIONAL,
     .min = "1 B",
     .max = "1024 TiB",
     .doc = "capacity of the bank the figure is for"},
    {.key = "bits",
     .type = SY_FIELD_U64,
     .offset = AT(bits),
     .min = "1",
     .max = "1048576",
     .doc = "bits one action moves or computes"},
    {.key = "node",
     .type = SY_FIELD_DOUBLE,
     .unit = SY_UNIT_METRES,
     .per_unit = 1e9,
     .offset = AT(node_nm),
     .flags = SY_FIELD_OPTIONAL,
     .min = "1 nm",
     .max = "1000 nm",
     .doc = "process; left out where it does not matter"},
    {.key = "energy",
     .type = SY_FIELD_DOUBLE,
     .unit = SY_UNIT_JOULES,
     .per_unit = 1e12,
     .offset = AT(value_pj),
     .min = "0 pJ",
     .max = "1 J",
     .doc = "of one action, nominal"},
    {.key = "low",
     .type = SY_FIELD_DOUBLE,
     .unit = SY_UNIT_JOULES,
     .per_unit = 1e12,
     .offset = AT(low_pj),
     .min = "0 pJ",
     .max = "1 J",
     .doc = "low end of what sources say"},
    {.key = "high",
     .type = SY_FIELD_DOUBLE,
     .unit = SY_UNIT_JOULES,
     .per_unit = 1e12,
     .offset = AT(high_pj),
     .min = "0 pJ",
     .max = "1 J",
     .doc = "high end"},
    {.key = "scaling",
     .type = SY_FIELD_ENUM,
     .offset = AT(scaling),
     .names = scaling_names,
     .doc = "what kind of circuit it is; dram and none do not depend on the chip's node"},
    {.key = "source", .type = SY_FIELD_SOURCE, .offset = AT(source), .doc = "where the figure comes from"},
    {.key = "confidence", .type = SY_FIELD_CONFIDENCE, .offset = AT(confidence), .doc = "how far to trust it"},
    {.key = "note",
     .type = SY_FIELD_TEXT,
     .offset = AT(note),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "how it was computed"},
    {0},
};
static const struct sy_schema row_schema = {"an energy row", sizeof(struct sy_energy_row), row_fields, NULL};

static const struct sy_field table_fields[] = {
    {.key = "name", .type = SY_FIELD_NAME, .offset = offsetof(struct sy_energy_table, name), .doc = "of the table"},
    {.key = "description",
     .type = SY_FIELD_TEXT,
     .offset = offsetof(struct sy_energy_table, description),
     .flags = SY_FIELD_OPTIONAL,
     .doc = "one line for people"},
    {.key = "toggle",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, toggle_share),
     .fallback = "0.5",
     .min = "0",
     .max = "1",
     .doc = "share of register bits that change when they are written; an assumption without data"},
    {.key = "idd_low",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, idd_low),
     .fallback = "0.6",
     .min = "0",
     .max = "1",
     .doc = "least share of a data sheet's DRAM currents; modules draw less than the sheet's maxima (Ghose et al., "
            "SIGMETRICS 2018, recalled)"},
    {.key = "idd_high",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, idd_high),
     .fallback = "1",
     .min = "1",
     .max = "10",
     .doc = "most; a data sheet's figures are maxima"},
    {.key = "clock_tree",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, clock_tree),
     .fallback = "1.2",
     .min = "1",
     .max = "10",
     .doc = "power of the whole clock net over that of the flip-flops' own clock nodes; derived: a buffer every 16 "
            "flip-flops (12.2 fJ, NanGate 45 nm), its parents, and 3.7 um of wire each, beside 8.3 fJ"},
    {.key = "clock_tree_low",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, clock_tree_low),
     .fallback = "1.1",
     .min = "1",
     .max = "10",
     .doc = "least; a buffer every 30"},
    {.key = "clock_tree_high",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, clock_tree_high),
     .fallback = "2",
     .min = "1",
     .max = "10",
     .doc = "most; a grid takes as much again as the flip-flops, an assumption"},
    {.key = "link_idle",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, link_idle),
     .fallback = "1",
     .min = "0",
     .max = "1",
     .doc =
         "power of a host link without data over that with it: serial links send idle symbols at full rate; 0 when the "
         "link sleeps"},
    {.key = "gated_share",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, gated_share),
     .fallback = "0.1",
     .min = "0",
     .max = "1",
     .doc = "share of clock power left when clocks are gated: the trunk before the gates; an assumption"},
    {.key = "off_share",
     .type = SY_FIELD_DOUBLE,
     .offset = offsetof(struct sy_energy_table, off_share),
     .fallback = "0.05",
     .min = "0",
     .max = "1",
     .doc = "share of leakage left when supplies are gated; an assumption"},
    {.key = "rows",
     .type = SY_FIELD_LIST,
     .offset = offsetof(struct sy_energy_table, row),
     .group = &row_schema,
     .count_offset = offsetof(struct sy_energy_table, rows),
     .least = 1,
     .most = MOST_ROWS,
     .flags = SY_FIELD_POINTER,
     .doc = "one row a figure"},
    {0},
};
const struct sy_schema sy_energy_schema = {"the energy table", sizeof(struct sy_energy_table), table_fields, NULL};

/* ---- loading ---- */

static bool same_kind(const struct sy_energy_row *a, const struct sy_energy_row *b)
{
    return strcmp(a->component, b->component) == 0 && strcmp(a->action, b->action) == 0;
}

static bool equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

static void check_row(struct sy_schema_context *context, const struct sy_yaml_node *rows,
                      const struct sy_energy_table *table, uint32_t index)
{
    const struct sy_energy_row *row = &table->row[index];
    const struct sy_yaml_node *node = sy_yaml_at(rows, index);
    bool scaled = row->scaling != SY_SCALE_DRAM && row->scaling != SY_SCALE_NONE;
    if (row->low_pj > row->value_pj || row->value_pj > row->high_pj)
        sy_schema_fail(context, node, NULL, "rows.%u: low, energy and high must rise in this order", index);
    if (scaled != (row->node_nm > 0))
        sy_schema_fail(context, node, NULL, "rows.%u: scaling %s %s", index, scaling_names[row->scaling],
                       scaled ? "needs a node" : "does not depend on a node; leave it out");
    for (uint32_t i = 0; i < index; i++) {
        const struct sy_energy_row *other = &table->row[i];
        if (!same_kind(row, other))
            continue;
        if (row->bytes == other->bytes && equal(row->node_nm, other->node_nm))
            sy_schema_fail(context, node, "keep one",
                           "rows.%u: the same component, action, capacity and node as row %u", index, i);
        if (row->bits != other->bits || row->scaling != other->scaling || (row->bytes == 0) != (other->bytes == 0))
            sy_schema_fail(context, node, NULL,
                           "rows.%u: bits, scaling and the use of capacity must be those of row %u, which is the same "
                           "component and action",
                           index, i);
    }
}

static void check_rows(struct sy_schema_context *context, const struct sy_yaml_node *root, const void *object)
{
    const struct sy_energy_table *table = object;
    for (uint32_t i = 0; i < table->rows; i++)
        check_row(context, sy_yaml_get(root, "rows"), table, i);
}

enum sy_status sy_energy_load(const char *name_or_path, const char *data_dir, struct sy_energy_table **out,
                              struct sy_diag *diag)
{
    void *table;
    enum sy_status status = sy_tree_load_object(name_or_path, "arch/energy", data_dir, &sy_energy_schema, ARENA_LIMIT,
                                                check_rows, &table, diag);
    *out = table;
    return status;
}

void sy_energy_destroy(struct sy_energy_table *table)
{
    if (table)
        sy_arena_destroy(table->arena);
}

enum sy_status sy_energy_reference(struct sy_buf *out)
{
    return sy_schema_document(out, &sy_energy_schema);
}

/* ---- lookup ---- */

/* A figure at one node, after interpolation over capacities. */
struct figure {
    double node_nm, pj, low_pj, high_pj;
    const struct sy_energy_row *row; /* the nearer anchor */
    bool between_sizes, beyond_sizes;
};

/* Along the power law through (x0, y0) and (x1, y1); linear where a figure is 0, which has no logarithm. */
static double between(double x, double x0, double x1, double y0, double y1)
{
    double t = log(x / x0) / log(x1 / x0);
    return y0 > 0 && y1 > 0 ? y0 * pow(y1 / y0, t) : y0 + (y1 - y0) * t;
}

static bool matches(const struct sy_energy_row *row, const char *component, const char *action)
{
    return strcmp(row->component, component) == 0 && strcmp(row->action, action) == 0;
}

static void take_row(struct figure *figure, const struct sy_energy_row *row)
{
    figure->node_nm = row->node_nm;
    figure->pj = row->value_pj;
    figure->low_pj = row->low_pj;
    figure->high_pj = row->high_pj;
    figure->row = row;
}

/* The rows of one node whose capacities are nearest to `bytes` from below and from above, or NULL. */
static void nearest_sizes(const struct sy_energy_table *table, const char *component, const char *action,
                          double node_nm, uint64_t bytes, const struct sy_energy_row *nearest[2])
{
    nearest[0] = nearest[1] = NULL;
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_energy_row *row = &table->row[i];
        if (!matches(row, component, action) || !equal(row->node_nm, node_nm))
            continue;
        if (row->bytes <= bytes && (!nearest[0] || row->bytes > nearest[0]->bytes))
            nearest[0] = row;
        if (row->bytes >= bytes && (!nearest[1] || row->bytes < nearest[1]->bytes))
            nearest[1] = row;
    }
}

/* The figure for `bytes` from the rows of one node, of which there is at least one. */
static struct figure at_node(const struct sy_energy_table *table, const char *component, const char *action,
                             double node_nm, uint64_t bytes)
{
    const struct sy_energy_row *nearest[2];
    struct figure figure = {0};
    nearest_sizes(table, component, action, node_nm, bytes, nearest);
    const struct sy_energy_row *below = nearest[0], *above = nearest[1];
    if (!below || !above || below == above || below->bytes == 0) {
        if (!below && !above)
            return figure;
        take_row(&figure, below ? below : above);
        figure.beyond_sizes = figure.row->bytes && (!below || !above);
        return figure;
    }
    double x = (double)bytes, x0 = (double)below->bytes, x1 = (double)above->bytes;
    take_row(&figure, x * x < x0 * x1 ? below : above);
    figure.pj = between(x, x0, x1, below->value_pj, above->value_pj);
    figure.low_pj = between(x, x0, x1, below->low_pj, above->low_pj);
    figure.high_pj = between(x, x0, x1, below->high_pj, above->high_pj);
    figure.between_sizes = true;
    return figure;
}

/* The anchors' nodes around node_nm: 0 = none on that side. Rows without a node are at 0 on both sides. */
static bool find_nodes(const struct sy_energy_table *table, const char *component, const char *action, double node_nm,
                       double *below, double *above)
{
    bool found = false;
    *below = *above = 0;
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_energy_row *row = &table->row[i];
        if (!matches(row, component, action))
            continue;
        found = true;
        if (row->node_nm <= node_nm && row->node_nm > *below)
            *below = row->node_nm;
        if (row->node_nm >= node_nm && (*above <= 0 || row->node_nm < *above))
            *above = row->node_nm;
    }
    return found;
}

static const char *rule_of(bool node_between, bool node_beyond, bool size_between, bool size_beyond)
{
    static const char *const rules[3][3] = {
        {"as sourced", "log-size interpolation", "nearest capacity, extrapolated"},
        {"log-node interpolation", "log-size and log-node interpolation", "nearest capacity, log-node interpolation"},
        {"nearest node, extrapolated", "log-size interpolation, nearest node",
         "nearest capacity and node, extrapolated"},
    };
    return rules[node_beyond ? 2 : node_between][size_beyond ? 2 : size_between];
}

/* The action under which rows exist: the one asked for, or `access` for a read or a write; NULL when there is none. */
static const char *find_action(const struct sy_energy_table *table, const char *component, const char *action,
                               double node_nm, double *below, double *above)
{
    if (find_nodes(table, component, action, node_nm, below, above))
        return action;
    bool transfer = strcmp(action, "read") == 0 || strcmp(action, "write") == 0;
    return transfer && find_nodes(table, component, "access", node_nm, below, above) ? "access" : NULL;
}

enum sy_status sy_energy_lookup(const struct sy_energy_table *table, const char *component, const char *action,
                                uint64_t bytes, double node_nm, struct sy_energy_cost *cost)
{
    double below_nm, above_nm;
    *cost = (struct sy_energy_cost){0};
    action = find_action(table, component, action, node_nm, &below_nm, &above_nm);
    if (!action)
        return SY_UNSUPPORTED;
    /* Without an anchor on one side the other one is used; without a node on either, the rows have none. */
    bool beyond = (below_nm > 0) != (above_nm > 0);
    double first = below_nm > 0 ? below_nm : above_nm, second = above_nm > 0 ? above_nm : first;
    struct figure below = at_node(table, component, action, first, bytes);
    struct figure above = at_node(table, component, action, second, bytes);
    if (!below.row || !above.row) /* node_nm is not a number */
        return SY_UNSUPPORTED;
    *cost = (struct sy_energy_cost){.pj = below.pj, .low_pj = below.low_pj, .high_pj = below.high_pj};
    if (second > first) {
        cost->pj = between(node_nm, first, second, below.pj, above.pj);
        cost->low_pj = between(node_nm, first, second, below.low_pj, above.low_pj);
        cost->high_pj = between(node_nm, first, second, below.high_pj, above.high_pj);
    }
    cost->below = below.row;
    cost->above = above.row;
    cost->bits = below.row->bits;
    bool size_beyond = below.beyond_sizes || above.beyond_sizes;
    cost->extrapolated = beyond || size_beyond;
    cost->rule = rule_of(second > first, beyond, below.between_sizes || above.between_sizes, size_beyond);
    return SY_OK;
}
