/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kit to check an array's RTL with: what is on which port in which cycle of a
 * run, and which result must leave when.
 *
 * The run is the event engine's; each matmul tile is then stepped on the
 * register-level array (sim/engine/array_cycle.h) with operands drawn from the
 * seed, and its words are put at the cycles the engine gave the tile. Operands
 * are of the tile, not of the layer: sums meet in the accumulator, behind the
 * ports. The kit's README.md (rtl_kit_files.h) explains its files.
 */
#ifndef SY_VALIDATE_RTL_KIT_H
#define SY_VALIDATE_RTL_KIT_H

#include "arch/chip.h"
#include "sim/engine/executor.h"
#include "traces/trace.h"

enum { SY_KIT_MAX_TILES = 4096, SY_KIT_MAX_WORDS = 1 << 24 };

struct sy_rtl_kit_options {
    const char *directory; /* made when it is not there; files of the kit in it are replaced */
    const char *data_dir;
    uint64_t seed;
    uint64_t tiles; /* the first so many matmul tiles, at most SY_KIT_MAX_TILES; 0 = 64 */
    enum sy_memory_mode memory;
};

/* The reader is consumed. SY_UNSUPPORTED, with a message, for chips with several arrays or a pair of formats that is
 * not one MAC a PE a cycle, and beyond SY_KIT_MAX_WORDS words. Not thread safe with others writing the directory. */
enum sy_status sy_rtl_kit_write(const struct sy_chip *chip, struct sy_trace_reader *reader,
                                const struct sy_rtl_kit_options *options, struct sy_diag *diag);

#endif
