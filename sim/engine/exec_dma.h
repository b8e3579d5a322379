/* SPDX-License-Identifier: Apache-2.0 */
/* What the executor and the analytic fidelity share about moves. */
#ifndef SY_ENGINE_EXEC_DMA_H
#define SY_ENGINE_EXEC_DMA_H

#include "arch/chip.h"
#include "traces/command.h"

/* Bytes on the outer level's bus: whole bursts a row, counted with the address's misalignment. False on overflow. */
bool sy_exec_bus_bytes(const struct sy_level *outer, const struct sy_command *command, uint64_t *bytes);

#endif
