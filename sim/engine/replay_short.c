/* SPDX-License-Identifier: Apache-2.0 */
/* Is a run short enough to run every burst of it? See replay.h. */
#include "sim/base/checked.h"
#include "sim/engine/exec_dma.h"
#include "sim/engine/replay_internal.h"

/* Commands that move nothing to or from such a memory count too, so that the look has an end. */
enum { MOST_COMMANDS = 1 << 17 };

static bool has_device(const struct sy_level *level)
{
    return level->kind == SY_LEVEL_DRAM && level->device;
}

/* Bytes of a command on the bus of a memory with a device; what does not fit counts as very many. */
static uint64_t device_bytes(const struct sy_chip *chip, const struct sy_command *command)
{
    uint64_t bytes = 0;
    if ((command->kind != SY_CMD_LOAD && command->kind != SY_CMD_STORE) || command->u.move.parent >= chip->levels ||
        !has_device(&chip->level[command->u.move.parent]))
        return 0;
    return sy_exec_bus_bytes(&chip->level[command->u.move.parent], command, &bytes) ? bytes : UINT64_MAX;
}

static bool ends_in_bounds(struct sy_replay *replay)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < MOST_COMMANDS; i++) {
        struct sy_issue issue;
        bool more = false;
        if (sy_replay_next(replay, &issue, &more) != SY_OK)
            return false;
        if (!more)
            return true;
        if (issue.layer >= SY_SHORT_LAYERS || !sy_add(bytes, device_bytes(replay->chip, &issue.command), &bytes) ||
            bytes > SY_SHORT_BYTES)
            return false;
    }
    return false;
}

enum sy_status sy_replay_is_short(const struct sy_chip *chip, struct sy_trace_reader *reader,
                                  const struct sy_energy_table *energy, const struct sy_replay_options *options,
                                  bool *is_short)
{
    struct sy_replay *replay;
    const struct sy_replay_options look = {.fidelity = SY_FIDELITY_EVENT,
                                           .memory = options->memory,
                                           .objective = options->objective,
                                           .keep_nothing = options->keep_nothing,
                                           .data_dir = options->data_dir,
                                           .fuse = options->fuse,
                                           .fuses = options->fuses,
                                           .memos = options->memos,
                                           .cancel = options->cancel};
    bool any = false;
    *is_short = false;
    for (uint32_t i = 0; i < chip->levels; i++)
        any |= has_device(&chip->level[i]);
    if (!any)
        return SY_OK;
    enum sy_status status = sy_replay_open(chip, reader, &look, &replay, NULL);
    if (status == SY_OK) {
        replay->feed.reach = 2 * SY_SHORT_LAYERS; /* all there is, of a run that is short */
        status = sy_replay_plan(replay, energy);
    }
    if (status == SY_OK)
        *is_short = ends_in_bounds(replay);
    sy_replay_close(replay);
    return status == SY_NOMEM ? status : SY_OK;
}
