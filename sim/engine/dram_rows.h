/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows an access pattern opens by its addresses alone, each bank keeping
 * one row open: no time, no reordering, no refresh. A walk costs a table look-up
 * for each piece that lies in one row.
 */
#ifndef SY_ENGINE_DRAM_ROWS_H
#define SY_ENGINE_DRAM_ROWS_H

#include "sim/engine/dram_system.h"

struct sy_dram_rows;

/* SY_NOMEM. The memory must outlive it. */
enum sy_status sy_dram_rows_create(const struct sy_dram_memory *memory, struct sy_dram_rows **rows);
void sy_dram_rows_destroy(struct sy_dram_rows *rows); /* NULL is fine */

uint32_t sy_dram_rows_banks(const struct sy_dram_rows *rows); /* of all channels */
/* All banks closed. */
void sy_dram_rows_close(struct sy_dram_rows *rows);
/* Go over `count` bursts from `burst` on; rows opened. */
uint64_t sy_dram_rows_walk(struct sy_dram_rows *rows, uint64_t burst, uint64_t count);
/* Go over lines of bursts, `pitch_bytes` apart, the first at an address: rows opened. More than a few hundred pieces
 * are taken in proportion. */
uint64_t sy_dram_rows_lines(struct sy_dram_rows *rows, uint64_t address, uint64_t lines, uint64_t line_bytes,
                            uint64_t pitch_bytes);

/* A contiguous stream, in millionths: rows it opens in `bytes` in the long run; and if all banks are closed before
 * moves of `bytes`, how many more a move: before the one at an address, or in the mean over those from there on. */
uint64_t sy_dram_rows_stream(struct sy_dram_rows *rows, uint64_t bytes);
uint64_t sy_dram_rows_cut(struct sy_dram_rows *rows, uint64_t address, uint64_t bytes, bool only);

#endif
