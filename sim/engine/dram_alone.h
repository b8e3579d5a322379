/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip's memory driven alone by a named address pattern.
 *
 *   NAME[:N[:N]][,requests=N][,rate=SHARE][,level=NAME]
 *
 * NAME and its numbers as in dram_pattern.h. requests: bursts, 100000 when left
 * out. rate: requests arrive evenly at this share of the device's peak (burst i
 * at floor(i x C / rate) clocks, C = max(burst, tCCD_S) / (channels x
 * pseudo-channels)); 0 or left out: as fast as they are accepted. level: a DRAM
 * level of the chip with a device; the innermost when left out.
 */
#ifndef SY_ENGINE_DRAM_ALONE_H
#define SY_ENGINE_DRAM_ALONE_H

#include "sim/engine/dram_level.h"
#include "sim/stats/memory_result.h"

struct sy_dram_alone_options {
    const char *data_dir;
    bool burst; /* simulate every request; else a window of them where the pattern is long enough */
};

/* Everything but the access row of the energies. Strings live in the arena or in the chip. SY_INPUT with a message that
 * lists the patterns or keys; *level is the level that was driven. Thread safe. */
enum sy_status sy_dram_alone(const struct sy_chip *chip, const char *text, const struct sy_dram_alone_options *options,
                             struct sy_arena *arena, struct sy_memory_result *result, const struct sy_level **level,
                             struct sy_diag *diag);

#endif
