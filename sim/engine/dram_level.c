/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_level.h"

#include <string.h>

#include "sim/base/checked.h"

/* Bytes a clock of the command bus that the fabric takes, at least 1; the memory rounds up to whole clocks a burst.
 * The last factor keeps 25.6 GB/s x 0.625 ns at 16 B. */
static uint64_t fabric_bytes_per_clock(const struct sy_level *level, const struct sy_dram_device *device)
{
    const double bytes = level->fabric_bytes_per_s * (double)device->clock_fs * 1e-15 * (1 + 1e-9);
    return bytes < 1 ? 1 : (uint64_t)bytes;
}

enum sy_status sy_dram_level_open(const struct sy_level *level, const char *data_dir, struct sy_arena *arena,
                                  struct sy_dram_part *part, struct sy_diag *diag)
{
    *part = (struct sy_dram_part){0};
    enum sy_status status = sy_dram_device_load(level->device, data_dir, arena, &part->device, diag);
    if (status != SY_OK)
        return status;
    const char *controller = level->controller ? level->controller : part->device->controller;
    status = sy_dram_controller_load(controller, data_dir, arena, &part->controller, diag);
    if (status != SY_OK)
        return status;
    const uint64_t burst = part->device->org.burst_bytes;
    if (level->inline_ecc_bytes % burst)
        return sy_error(diag, SY_NOWHERE, "a burst of check bits covers whole bursts of data, for example 8 of them",
                        "memory.%s.inline_ecc: %llu B are not whole bursts of %llu B of the device '%s'", level->name,
                        (unsigned long long)level->inline_ecc_bytes, (unsigned long long)burst, part->device->name);
    if (level->channels > SY_DRAM_MAX_CHANNELS)
        return sy_error(diag, SY_NOWHERE, NULL, "memory.%s.channels: at most %d channels can be modelled with a device",
                        level->name, (int)SY_DRAM_MAX_CHANNELS);
    part->options = (struct sy_dram_options){
        .channels = (uint32_t)sy_max(level->channels, 1),
        .address_map = level->address_map,
        .interleave_bytes = level->interleave_bytes,
        .hot = level->hot,
        .inline_ecc_bytes = level->inline_ecc_bytes,
        .fabric_bytes_per_clock = level->fabric_bytes_per_s > 0 ? fabric_bytes_per_clock(level, part->device) : 0};
    return SY_OK;
}

enum sy_status sy_dram_level_find(const struct sy_chip *chip, const char *name, const struct sy_level **found,
                                  struct sy_diag *diag)
{
    const struct sy_level *without = NULL;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        if (level->kind != SY_LEVEL_DRAM || (name && strcmp(level->name, name) != 0))
            continue;
        if (level->device) {
            *found = level;
            return SY_OK;
        }
        without = without ? without : level;
    }
    if (without)
        return sy_error(diag, SY_NOWHERE, "name one of `systole list drams`, for example with --set",
                        "memory.%s of chip '%s' has no device, so it cannot be driven alone", without->name,
                        chip->name);
    return sy_error(diag, SY_NOWHERE, NULL, "chip '%s' has no dram level%s%s to drive alone", chip->name,
                    name ? " named " : "", name ? name : "");
}
