/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic fidelity: a layer's time as warm-up + iterations x period.
 *
 * The schedule generator walks only the first and the last iterations of a long
 * loop and marks where it left others out (sy_issue.measure, jump, skipped).
 * What it walks runs through the executor, on the heap kernel, without gaps: so
 * prefetch, spills, latency, drains and dependencies between layers have their
 * effect. Each gap then counts as often as the iterations measured before it
 * fit into it: in time by what the array needed from one iteration to the next,
 * in every counter by what those iterations moved or computed. Loops nest: a
 * measured iteration may contain gaps.
 *
 * Exact: MACs, invariants of the result. Not promised: the executor's cycles
 * and bytes. Iterations left out are taken to be like those measured, and a
 * loop whose period is longer than what is measured is averaged.
 */
#ifndef SY_ENGINE_ANALYTIC_H
#define SY_ENGINE_ANALYTIC_H

#include "sim/engine/executor.h"

/* As sy_execute() for a sampled schedule; the kernel is the heap, waveforms and spans are not served. Thread safe. */
enum sy_status sy_analyze(const struct sy_chip *chip, const struct sy_executor_options *options,
                          const struct sy_command_source *source, struct sy_result *result, uint64_t *end_cycle,
                          struct sy_diag *diag);

#endif
