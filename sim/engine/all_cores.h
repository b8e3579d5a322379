/* SPDX-License-Identifier: Apache-2.0 */
/* What all cores do of a command, as the executor and the analytic fidelity count it (executor.h). */
#ifndef SY_ENGINE_ALL_CORES_H
#define SY_ENGINE_ALL_CORES_H

#include "sim/base/checked.h"
#include "sim/engine/executor.h"

static inline struct sy_all_cores sy_issue_vector_of_all(const struct sy_chip *chip, const struct sy_issue *issue)
{
    struct sy_all_cores all = issue->command.all;
    const uint64_t cores = sy_max(chip->cores, 1);
    if (all.given)
        return all;
    all.u.vector.elements = issue->command.u.vector.elements * cores;
    all.u.vector.simple_ops = issue->command.u.vector.simple_ops * cores;
    all.u.vector.transcendental_ops = issue->command.u.vector.transcendental_ops * cores;
    all.u.vector.reduce_ops = issue->command.u.vector.reduce_ops * cores;
    all.u.vector.bytes_in = issue->command.u.vector.bytes_in * cores;
    all.u.vector.bytes_out = issue->command.u.vector.bytes_out * cores;
    return all;
}

/* bytes, bus_bytes: of the command as it is. False on overflow. */
static inline bool sy_issue_move_of_all(const struct sy_chip *chip, const struct sy_issue *issue, uint64_t bytes,
                                        uint64_t bus_bytes, uint64_t *all_bytes, uint64_t *all_bus_bytes)
{
    const uint64_t cores = sy_max(chip->cores, 1);
    *all_bytes = issue->command.all.u.move.bytes;
    *all_bus_bytes = issue->command.all.u.move.bus_bytes;
    return issue->command.all.given || (sy_mul(bytes, cores, all_bytes) && sy_mul(bus_bytes, cores, all_bus_bytes));
}

/* Cores that take part in a move, one at least. */
static inline uint64_t sy_issue_cores_of_move(const struct sy_chip *chip, const struct sy_issue *issue)
{
    const uint64_t cores = sy_max(chip->cores, 1), some = issue->command.all.u.move.cores;
    return issue->command.all.given && some ? sy_min(some, cores) : cores;
}

/* A move by cores: several may get what is read once, and it may pass the crossbar. */
struct sy_crossing {
    bool cast, crosses;
    uint64_t cores;        /* that take part */
    uint64_t copied_bytes; /* of a load: delivered beyond what the outer level is read */
    uint64_t in, out;      /* bytes on the outer level's bus that enter the crossbar, and that leave it */
};

/* bytes: of the command as it is; all_bus_bytes: on the bus, of all cores. False on overflow. */
static inline bool sy_issue_crossing(const struct sy_chip *chip, const struct sy_issue *issue, uint64_t bytes,
                                     uint64_t all_bus_bytes, struct sy_crossing *crossing)
{
    const struct sy_command *command = &issue->command;
    *crossing = (struct sy_crossing){.cast = command->all.given && command->all.u.move.cast,
                                     .crosses = sy_chip_crosses(chip, command->u.move.parent, command->level),
                                     .cores = sy_issue_cores_of_move(chip, issue)};
    const uint64_t copies = crossing->cast ? crossing->cores : 1;
    crossing->in = crossing->crosses ? all_bus_bytes : 0;
    return sy_mul(crossing->in, copies, &crossing->out) && sy_mul(bytes, copies - 1, &crossing->copied_bytes);
}

#endif
