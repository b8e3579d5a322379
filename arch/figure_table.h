/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of sourced figures: areas (arch/area) and prices (arch/cost). One row
 * an item and node: value, low, high, source, confidence. The unit is in the
 * item's name (wafer_usd, register_bit_um2). A figure for another node lies on
 * the power law between the two nearest nodes of the same item; outside them
 * the nearest one is used and flagged.
 */
#ifndef SY_ARCH_FIGURE_TABLE_H
#define SY_ARCH_FIGURE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

struct sy_schema;
struct sy_schema_context;
struct sy_yaml_node;
extern const struct sy_schema sy_figure_table_schema;
extern const struct sy_schema sy_figure_row_schema; /* one row, for files that hold more than rows */

struct sy_figure_row {
    const char *item;
    double node_nm; /* 0: does not depend on the node */
    double value, low, high;
    const char *source, *confidence, *note;
};
struct sy_figure_table {
    struct sy_arena *arena;
    const char *name, *description;
    uint32_t rows;
    struct sy_figure_row *row;
};
/* A figure at a node. */
struct sy_sourced {
    double value, low, high;
    const struct sy_figure_row *row; /* the nearer one; its source and confidence are the figure's */
    const char *rule;                /* "as sourced", "log-node interpolation", "nearest node, extrapolated" */
    bool extrapolated;
};

/* folder: "arch/area" or "arch/cost". Every mistake is reported (SY_INPUT, SY_IO). */
enum sy_status sy_figure_table_load(const char *name_or_path, const char *folder, const char *data_dir,
                                    struct sy_figure_table **table, struct sy_diag *diag);
/* What one row cannot say of itself: rising ranges, one row an item and node. rows is the list as read. */
void sy_figure_rows_check(struct sy_schema_context *context, const struct sy_yaml_node *rows,
                          const struct sy_figure_row *row, uint32_t count);
void sy_figure_table_destroy(struct sy_figure_table *table);
/* SY_UNSUPPORTED when the table has no such item. Pure. */
enum sy_status sy_figure_lookup(const struct sy_figure_table *table, const char *item, double node_nm,
                                struct sy_sourced *figure);
/* Whether a confidence word marks a figure nobody checked: memory or assumed. */
bool sy_confidence_is_low(const char *confidence);

#endif
