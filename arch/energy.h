/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy per action: rows of arch/energy/NAME.yaml, each with its own source,
 * node, range and confidence. A figure for another node is interpolated in
 * log(node) between anchors of the same component, action and width; outside
 * the anchors the nearest one is used and the row says so (extrapolated).
 */
#ifndef SY_ARCH_ENERGY_H
#define SY_ARCH_ENERGY_H

#include "sim/base/arena.h"
#include "sim/base/diag.h"

enum sy_energy_scaling { SY_SCALE_LOGIC, SY_SCALE_SRAM, SY_SCALE_WIRE, SY_SCALE_DRAM, SY_SCALE_NONE };

struct sy_energy_row {
    const char *component;  /* "mac", "scratchpad", "dram" ... */
    const char *action;     /* "int8", "read", "ddr3_bit" ... */
    uint64_t bytes;         /* SRAM: capacity the figure is for; else 0 */
    uint64_t bits;          /* what one action moves or computes */
    double node_nm;
    double value_pj, low_pj, high_pj;
    enum sy_energy_scaling scaling;
    const char *source, *confidence, *note;
};
struct sy_energy_table {
    struct sy_arena *arena;
    const char *name;
    uint32_t rows;
    struct sy_energy_row *row;
};
/* What one action costs at a node, and which rows said so. */
struct sy_energy_cost {
    double pj, low_pj, high_pj;
    const struct sy_energy_row *below, *above; /* anchors used; equal when one row was taken as it is */
    const char *rule;                          /* "as sourced", "log-node interpolation", "extrapolated", "size scaling" ... */
    bool extrapolated;
};
enum sy_status sy_energy_load(const char *name_or_path, const char *data_dir, struct sy_energy_table **table,
                              struct sy_diag *diag);
void sy_energy_destroy(struct sy_energy_table *table);
/* SY_UNSUPPORTED when no row matches. bytes: SRAM capacity of one bank, else 0. */
enum sy_status sy_energy_lookup(const struct sy_energy_table *table, const char *component, const char *action,
                                uint64_t bytes, double node_nm, struct sy_energy_cost *cost);

#endif
