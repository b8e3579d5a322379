/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy, leakage, area and access time of an SRAM from a table of known ones.
 *
 * Between the rows of the table: kriging of the logarithms in log2 of bank
 * capacity, width, banks and node, cell type and ports, with one covariance for
 * all five figures (sram.c). It returns a tabulated memory as tabulated. CACTI's
 * curves are steps (it chooses subarrays by energy x delay^2), and neighbours in
 * cell type and node share the steps, which is what one-dimensional interpolation
 * misses. Between nodes: straight in log-log between the two tabulated ones.
 * Outside the table's capacities, widths, banks, ports or words a bank: the
 * nearest memory inside it, carried by power laws, and the answer says so. Below
 * the smallest node of the table there is no answer: published figures at 7 nm lie
 * above CACTI's at 22 nm, so no law may carry CACTI there.
 *
 * Not promised: monotonic figures (CACTI's are not), silicon (the cells are ITRS
 * projections; caches with tags published at 45 nm cost 1.3 to 2 times as much).
 */
#ifndef SY_STATS_SRAM_H
#define SY_STATS_SRAM_H

#include "arch/sram.h"

enum { SY_SRAM_FEW_WORDS_LIMIT = 256 };

struct sy_sram_config {
    double node_nm;
    enum sy_sram_cell cell;
    uint64_t capacity_bytes; /* all banks */
    uint64_t width_bits, ports, banks;
};

enum {
    SY_SRAM_TABULATED = 1,     /* the memory is in the table */
    SY_SRAM_BETWEEN_NODES = 2, /* interpolated between two nodes of the table */
    SY_SRAM_BEYOND = 4,        /* carried outside the table by power laws, or from its largest node */
    SY_SRAM_FEW_WORDS = 8,     /* fewer than 256 words a bank: the table jumps from size to size there */
    SY_SRAM_COMPOSED = 16      /* made of whole macros of a user's table */
};
struct sy_sram_cost {
    double figure[SY_SRAM_FIGURES]; /* pJ, pJ, mW of all banks, mm^2, ns */
    uint32_t flags;
    uint64_t macros;  /* COMPOSED: how many */
    const char *rule; /* static storage */
};

/* A table with what queries share. Lives in the arena; immutable afterwards, so threads may share it. NULL when out of
 * memory. The table must outlive it. */
struct sy_sram_model;
struct sy_sram_model *sy_sram_model_create(struct sy_arena *arena, const struct sy_sram_table *table);

/* Figures of a memory. leave_out: as if the memory were not in the table (for validation). SY_UNSUPPORTED when the node
 * is below the table's or the table has nothing of that cell; SY_USAGE when a size is 0. Pure. */
enum sy_status sy_sram_estimate(const struct sy_sram_model *model, const struct sy_sram_config *config, bool leave_out,
                                struct sy_sram_cost *cost);

/* Smallest node the model has of a cell; 0 = none. */
double sy_sram_smallest_node_nm(const struct sy_sram_model *model, enum sy_sram_cell cell);

/* The same memory built of whole macros of a table at exactly that node and cell: as many side by side as the width
 * takes, as many deep as the words take, of the kind that gives the smallest area. One access works all macros of a row
 * of them; leakage and area are those of all; access time is the macro's, selection left out. SY_UNSUPPORTED when no
 * macro has enough ports. */
enum sy_status sy_sram_compose(const struct sy_sram_table *table, const struct sy_sram_config *config,
                               struct sy_sram_cost *cost);

#endif
