/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip's DRAM level as the channel model sees it: the device it names, its
 * controller, and what the chip says differs from the device file.
 */
#ifndef SY_ENGINE_DRAM_LEVEL_H
#define SY_ENGINE_DRAM_LEVEL_H

#include "arch/chip.h"
#include "sim/engine/dram_system.h"

struct sy_dram_part {
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    struct sy_dram_options options;
};

/* Load what the level names into the arena. The level is of kind DRAM and has a device. SY_INPUT with messages when a
 * file is wrong, or when a figure of the level does not fit the device. The fabric's limit becomes whole clocks a
 * burst, rounded up. Thread safe. */
enum sy_status sy_dram_level_open(const struct sy_level *level, const char *data_dir, struct sy_arena *arena,
                                  struct sy_dram_part *part, struct sy_diag *diag);

/* The level of that name, or the innermost when name is NULL, among the chip's DRAM levels with a device. SY_INPUT when
 * there is none. */
enum sy_status sy_dram_level_find(const struct sy_chip *chip, const char *name, const struct sy_level **found,
                                  struct sy_diag *diag);

#endif
