/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the area estimate, shared by the files that add parts. */
#ifndef SY_STATS_AREA_ESTIMATE_H
#define SY_STATS_AREA_ESTIMATE_H

#include "sim/stats/area.h"

struct sy_area_estimating {
    const struct sy_chip *chip;
    const struct sy_figure_table *table;
    struct sy_area *area;
    struct sy_arena *arena;
    double node_nm;
    const struct sy_energy_setup *setup; /* the user's areas, the DRAM devices' widths; may be NULL */
    bool chip_has_edge;                  /* false: a block without interfaces of its own, part of somebody's die */
};

/* A figure at a node; false, and zero, when the table has none. */
bool sy_area_look(const struct sy_figure_table *table, const char *item, double node_nm, struct sy_sourced *out);
/* An area of logic at the chip's node: from its own row there, else by the ratio of transistor densities. */
bool sy_area_look_logic(const struct sy_figure_table *table, const char *item, double node_nm, struct sy_sourced *out);
/* sum += times x part; area / by, each with its range. */
void sy_area_add(struct sy_sourced *sum, const struct sy_sourced *part, double times);
void sy_area_divide(struct sy_sourced *area, const struct sy_sourced *by);
/* A part of the die: `count` of them. Nothing for a count of 0. */
void sy_area_put(struct sy_area_estimating *e, enum sy_area_kind kind, const char *component, double count,
                 const struct sy_sourced *mm2_each, const char *rule);

/* PHYs and controllers of off-chip memories, the host and other chips, and the edge they take (area_interface.c). */
void sy_area_put_interfaces(struct sy_area_estimating *e);

#endif
