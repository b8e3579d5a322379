/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Area of a chip by its parts, from a table of sourced figures (arch/area) and
 * the SRAM model, and what follows from it: the edge its interfaces need, power
 * density, a TDP estimate. Early-design arithmetic: parts by their own source,
 * then the layout utilization over the logic and shares for control and the rest.
 */
#ifndef SY_STATS_AREA_H
#define SY_STATS_AREA_H

#include "arch/chip.h"
#include "arch/figure_table.h"
#include "sim/stats/energy.h"

enum { SY_MAX_AREAS = 32 };

/* LANES: pipelined arithmetic; CONTROL: logic that no part names, too. */
enum sy_area_kind {
    SY_AREA_LOGIC,
    SY_AREA_LANES,
    SY_AREA_MEMORY,
    SY_AREA_PHY,
    SY_AREA_CONTROLLER,
    SY_AREA_CONTROL,
    SY_AREA_SPACE
};
struct sy_area_item {
    const char *component;
    double count; /* how many of them */
    double mm2, low_mm2, high_mm2;
    const char *source, *confidence, *rule;
    bool extrapolated;
    enum sy_area_kind kind;
};
struct sy_area {
    uint32_t items;
    struct sy_area_item item[SY_MAX_AREAS];
    double die_mm2, low_mm2, high_mm2; /* sum of the items */
    double reticle_mm2;
    double edge_mm, edge_needed_mm; /* perimeter of a square die; what the interfaces take of it */
    double tdp_w;                   /* every unit at its peak rate at once, and the base power; 0 = unknown */
    double power_limit_w;           /* die area x the highest power density */
    double power_limited_hz; /* core clock at which the estimate meets the chip's TDP; 0 = no TDP, or the clock fits */
};

/* One processing element, um^2, at the chip's node: the widest multiply-accumulate unit of its formats and its
 * registers, over the layout utilization. SY_UNSUPPORTED when the table lacks an item. */
enum sy_status sy_area_pe_um2(const struct sy_chip *chip, const struct sy_figure_table *table, struct sy_sourced *pe);

/* Area of one flip-flop at the chip's node, um^2. SY_UNSUPPORTED when the table has no row for it. */
enum sy_status sy_area_flop_um2(const struct sy_chip *chip, const struct sy_figure_table *table,
                                struct sy_sourced *um2);

/* Flip-flop bits of the whole chip that the model knows of: in PEs, in the triangles that skew operands at the arrays'
 * edges and straighten results, in the vector unit's lanes. */
struct sy_registers {
    double pe, skew, vector;
};
struct sy_registers sy_area_registers(const struct sy_chip *chip, const struct sy_figure_table *table);

/* Every item the model looks up, but for mac_FORMAT_um2; NULL-terminated. */
extern const char *const sy_area_items[];
/* Warn of items that a table lacks and of rows that nothing looks up. */
void sy_area_warn_items(struct sy_result *result, const struct sy_figure_table *table);

/* All parts. energy is prepared for the chip (sy_energy_prepare). Items the table lacks are left out and said so in the
 * result's warnings when there is one. The area lives in the arena. */
enum sy_status sy_area_estimate(struct sy_arena *arena, const struct sy_chip *chip, const struct sy_figure_table *table,
                                const struct sy_energy_table *energy, struct sy_area **area);
/* Only the parts and their sum, without limits: needs the SRAMs of energy, not its power. */
enum sy_status sy_area_parts(struct sy_arena *arena, const struct sy_chip *chip, const struct sy_figure_table *table,
                             const struct sy_energy_table *energy, struct sy_area **area);
/* The same into a result, with warnings: beyond the reticle, the edge, the power density; an SRAM slower than its
 * clock. */
enum sy_status sy_area_account(struct sy_result *result, const struct sy_chip *chip,
                               const struct sy_figure_table *table, const struct sy_energy_table *energy);

#endif
