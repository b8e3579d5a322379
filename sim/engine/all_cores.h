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

#endif
