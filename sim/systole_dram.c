/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: the memory a request at a time. No logic of its own. */
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_live.h"
#include "sim/engine/dram_memory.h"
#include "sim/systole_internal.h"

enum { DEFAULT_REQUESTS = 4096, MOST_REQUESTS = 1 << 20 };

struct systole_dram {
    struct sy_arena *arena; /* device and controller */
    struct sy_dram_part part;
    const char *address_map;
    struct sy_dram_live *live;
};

/* What the options say of the level, over what the chip says. */
static void lay_over(const struct systole_dram_options *options, struct sy_level *level)
{
    if (options->device)
        level->device = options->device;
    if (options->controller)
        level->controller = options->controller;
    if (options->address_map)
        level->address_map = options->address_map;
    if (options->channels)
        level->channels = options->channels;
    if (options->interleave_bytes)
        level->interleave_bytes = options->interleave_bytes;
}

static enum sy_status open_part(const struct systole_context *context, const struct systole_chip *chip,
                                const struct systole_dram_options *options, struct systole_dram *dram,
                                struct sy_diag *diag)
{
    const struct sy_level *found = NULL;
    struct sy_level level = {.name = "dram", .kind = SY_LEVEL_DRAM};
    enum sy_status status = SY_OK;
    if (chip)
        status = sy_dram_level_find(chip->chip, options->level, &found, diag);
    else if (!options->device)
        status = SY_USAGE;
    if (status != SY_OK)
        return status;
    if (found)
        level = *found;
    lay_over(options, &level);
    status = sy_dram_level_open(&level, context ? context->data_dir : NULL, dram->arena, &dram->part, diag);
    if (status != SY_OK)
        return status;
    const char *map = dram->part.options.address_map ? dram->part.options.address_map : dram->part.device->address_map;
    dram->address_map = sy_arena_printf(dram->arena, "%s", map);
    return dram->address_map ? SY_OK : SY_NOMEM;
}

enum systole_status systole_dram_open(const struct systole_context *context, const struct systole_chip *chip,
                                      const struct systole_dram_options *options, struct systole_dram **dram)
{
    struct systole_dram_options mine;
    struct sy_diag diag = systole_sink(context);
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    if (mine.requests > MOST_REQUESTS) {
        sy_error(&diag, SY_NOWHERE, NULL, "requests is %u; at most %d can be out", mine.requests, MOST_REQUESTS);
        return SYSTOLE_USAGE;
    }
    struct systole_dram *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    made->arena = sy_arena_create(NULL, 0);
    enum sy_status status = made->arena ? open_part(context, chip, &mine, made, &diag) : SY_NOMEM;
    if (status == SY_OK)
        status = sy_dram_live_open(&made->part, mine.requests ? mine.requests : DEFAULT_REQUESTS, &made->live, &diag);
    if (status != SY_OK) {
        systole_dram_free(made);
        return (enum systole_status)status;
    }
    *dram = made;
    return SYSTOLE_OK;
}

void systole_dram_free(struct systole_dram *dram)
{
    if (!dram)
        return;
    sy_dram_live_close(dram->live);
    sy_arena_destroy(dram->arena);
    free(dram);
}

/* Copies as much of ours as a caller's struct of any version has; its size stays. */
static enum systole_status give(const void *mine, size_t mine_size, void *theirs)
{
    size_t size;
    memcpy(&size, theirs, sizeof size);
    if (size < sizeof size)
        return SYSTOLE_USAGE;
    const size_t copied = size < mine_size ? size : mine_size;
    memcpy((char *)theirs + sizeof size, (const char *)mine + sizeof size, copied - sizeof size);
    return SYSTOLE_OK;
}

enum systole_status systole_dram_describe(const struct systole_dram *dram, struct systole_dram_info *info)
{
    const struct sy_dram_device *device = dram->part.device;
    const struct sy_dram_memory *memory = sy_dram_live_memory(dram->live);
    const struct sy_dram_organization *org = &device->org;
    uint64_t clocks = 0;
    const uint64_t bytes = sy_dram_peak_bytes(device, &clocks) * memory->channels;
    const uint64_t moved =
        memory->plan.arbitration == SY_DRAM_PER_BANK; /* a clock from the front to the bank's queue */
    const uint64_t idle = (uint64_t)(memory->plan.act_read + memory->plan.read_return) + moved;
    const struct systole_dram_info full = {
        .device = device->name,
        .controller = dram->part.controller->name,
        .address_map = dram->address_map,
        .channels = memory->channels,
        .burst_bytes = org->burst_bytes,
        .capacity_bytes = org->rows * org->row_bytes * sy_dram_banks(org) * memory->channels,
        .clock_fs = device->clock_fs,
        .peak_bytes_per_s = (double)bytes / ((double)clocks * (double)device->clock_fs * 1e-15),
        .idle_read_ps = idle * device->clock_fs / 1000};
    return give(&full, sizeof full, info);
}

enum systole_status systole_dram_submit(struct systole_dram *dram, const struct systole_dram_request *request,
                                        uint64_t *accepted_ps)
{
    struct systole_dram_request mine;
    if (!request || !systole_take_options(&mine, sizeof mine, request))
        return SYSTOLE_USAGE;
    const struct sy_dram_live_request inner = {.time_ps = mine.time_ps,
                                               .address = mine.address,
                                               .bytes = mine.bytes,
                                               .tag = mine.tag,
                                               .write = mine.write != 0,
                                               .forget = mine.forget != 0};
    return (enum systole_status)sy_dram_live_submit(dram->live, &inner, accepted_ps);
}

enum systole_status systole_dram_advance(struct systole_dram *dram, uint64_t until_ps)
{
    return (enum systole_status)sy_dram_live_advance(dram->live, until_ps);
}

enum systole_status systole_dram_drain(struct systole_dram *dram)
{
    return (enum systole_status)sy_dram_live_drain(dram->live);
}

int systole_dram_take(struct systole_dram *dram, struct systole_dram_completion *completion)
{
    struct sy_dram_live_done done;
    if (completion->struct_size < sizeof completion->struct_size || !sy_dram_live_take(dram->live, &done))
        return 0;
    const struct systole_dram_completion full = {
        .tag = done.tag, .accepted_ps = done.accepted_ps, .done_ps = done.done_ps, .write = done.write};
    return give(&full, sizeof full, completion) == SYSTOLE_OK;
}

uint64_t systole_dram_wake(const struct systole_dram *dram)
{
    return sy_dram_live_wake(dram->live);
}

enum systole_status systole_dram_last_done(struct systole_dram *dram, uint64_t *done_ps)
{
    return (enum systole_status)sy_dram_live_last_done(dram->live, done_ps);
}

enum systole_status systole_dram_count(const struct systole_dram *dram, struct systole_dram_counts *counts)
{
    const struct sy_dram_counts now = sy_dram_memory_counts(sy_dram_live_memory(dram->live));
    const struct systole_dram_counts full = {.reads = now.reads,
                                             .writes = now.writes,
                                             .activates = now.activates,
                                             .precharges = now.precharges,
                                             .refreshes = now.refreshes,
                                             .row_hits = now.row_hits,
                                             .row_misses = now.row_misses,
                                             .row_conflicts = now.row_conflicts};
    return give(&full, sizeof full, counts);
}
