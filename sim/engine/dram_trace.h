/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of a run as another tool's trace: in the order in which the
 * memory accepted them, with the clocks from which they were offered. The file
 * appears only after commit.
 */
#ifndef SY_ENGINE_DRAM_TRACE_H
#define SY_ENGINE_DRAM_TRACE_H

#include "traces/export/request_format.h"

struct sy_dram_trace;

/* spec: "FORMAT:FILE", or FILE in the format dramsim3. SY_USAGE with a message that lists the formats. */
enum sy_status sy_dram_trace_open(const char *spec, struct sy_dram_trace **trace, struct sy_diag *diag);
/* Errors are kept for commit. */
void sy_dram_trace_put(struct sy_dram_trace *trace, const struct sy_request *request);
/* Both free it. commit: SY_IO when something could not be written. */
enum sy_status sy_dram_trace_commit(struct sy_dram_trace *trace, struct sy_diag *diag);
void sy_dram_trace_abandon(struct sy_dram_trace *trace); /* NULL is fine */

#endif
