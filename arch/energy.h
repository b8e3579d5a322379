/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy per action: rows of arch/energy/NAME.yaml, each with its own source,
 * node, range and confidence. A figure for another node is interpolated in
 * log(node) between anchors of the same component, action and width; outside
 * the anchors the nearest one is used and the row says so (extrapolated).
 */
#ifndef SY_ARCH_ENERGY_H
#define SY_ARCH_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

struct sy_schema;
extern const struct sy_schema sy_energy_schema; /* how a table is written (arch/schema.h) */

enum sy_energy_scaling { SY_SCALE_LOGIC, SY_SCALE_SRAM, SY_SCALE_WIRE, SY_SCALE_DRAM, SY_SCALE_NONE };

/* Components of the shipped table: mac, add, multiply (action = a number format: int8, bf16 ...), sram (access, 64 bit,
 * by bank capacity; leak_kib_s = 1 KiB for 1 s), register (write, 1 bit), register-file (access, 16 bit), wire
 * (bit_mm), and one a kind of off-chip memory or link with action access a bit: dram ddr3 ddr4 ddr5 lpddr4 lpddr5 gddr5
 * gddr6 hmc hbm2 hbm2e hbm3 pcie link c2c d2d. A memory level names its component (sy_level.energy_component). */
struct sy_energy_row {
    const char *component;
    const char *action;
    uint64_t bytes; /* SRAM: capacity the figure is for; else 0 */
    uint64_t bits;  /* what one action moves or computes */
    double node_nm; /* 0: does not depend on the chip's node */
    double value_pj, low_pj, high_pj;
    enum sy_energy_scaling scaling;
    const char *source, *confidence, *note;
};
struct sy_energy_setup; /* what sim/stats works out once for a chip */
struct sy_energy_table {
    struct sy_arena *arena;
    const char *name, *description;
    double toggle_share;                                /* of register and FIFO bits that change when written */
    double idd_low, idd_high;                           /* range of DRAM currents, as shares of the device file's */
    double clock_tree, clock_tree_low, clock_tree_high; /* clock power over that of the flip-flops' own clock nodes */
    double link_idle;                                   /* energy of a byte of idle symbols over that of data */
    double gated_share, off_share; /* of clock power with gated clocks; of leakage with gated supplies */
    uint32_t rows;
    struct sy_energy_row *row;
    struct sy_energy_setup *setup; /* in the arena; NULL until sy_energy_prepare (sim/stats/energy.h) */
};
/* What one action costs at a node, and which rows said so. */
struct sy_energy_cost {
    double pj, low_pj, high_pj; /* of one action, which moves or computes `bits` bits */
    uint64_t bits;
    const struct sy_energy_row *below, *above; /* anchors used; equal when one row was taken as it is */
    const char *rule;                          /* "as sourced", "log-node interpolation" ...; static storage */
    bool extrapolated;
};
enum sy_status sy_energy_load(const char *name_or_path, const char *data_dir, struct sy_energy_table **table,
                              struct sy_diag *diag);
/* The reference of such a file in Markdown. */
enum sy_status sy_energy_reference(struct sy_buf *out);
void sy_energy_destroy(struct sy_energy_table *table);
/* SY_UNSUPPORTED when no row matches; rows of action "access" stand for "read" and "write" where a component has no
 * own. bytes: SRAM capacity of one bank, else 0. Between anchors a power law (straight in log-log) in capacity, then in
 * node; outside them the nearest anchor, flagged extrapolated. Pure; thread safe. */
enum sy_status sy_energy_lookup(const struct sy_energy_table *table, const char *component, const char *action,
                                uint64_t bytes, double node_nm, struct sy_energy_cost *cost);

#endif
