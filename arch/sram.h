/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of SRAM figures: the shipped CACTI calibration (arch/sram/cacti.csv,
 * compiled in so that a run need not parse it) and a user's own memory-compiler
 * macros, a CSV with the same columns. What a memory between the rows costs is
 * the business of sim/stats/sram.h.
 */
#ifndef SY_ARCH_SRAM_H
#define SY_ARCH_SRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"

enum sy_sram_cell { SY_SRAM_HP, SY_SRAM_LSTP, SY_SRAM_CELLS };
extern const char *const sy_sram_cell_names[SY_SRAM_CELLS]; /* "itrs-hp", "itrs-lstp": the words of the tables */
bool sy_sram_cell_parse(const char *text, enum sy_sram_cell *cell);

/* Natural logarithms of pJ, pJ, mW, mm^2, ns. */
enum sy_sram_figure { SY_SRAM_READ, SY_SRAM_WRITE, SY_SRAM_LEAKAGE, SY_SRAM_AREA, SY_SRAM_ACCESS, SY_SRAM_FIGURES };
struct sy_sram_row {
    float log_figure[SY_SRAM_FIGURES];
    uint32_t capacity_bytes; /* all banks */
    uint16_t width_bits, node_nm;
    uint16_t banks;
    uint8_t ports, cell;
};
struct sy_sram_table {
    const char *name; /* what a report prints as the source */
    uint32_t rows;
    const struct sy_sram_row *row;
};

/* The shipped calibration, generated from arch/sram/cacti.csv. Immutable. */
extern const struct sy_sram_table sy_sram_cacti;

/* Read a CSV with the columns of arch/sram/cacti.csv (further columns are ignored) into the arena, one row a line below
 * the header, at most 65536. Every mistake is reported: SY_INPUT; SY_IO when it cannot be read. */
enum sy_status sy_sram_load(struct sy_arena *arena, const char *path, struct sy_sram_table *table,
                            struct sy_diag *diag);

#endif
