/* SPDX-License-Identifier: Apache-2.0 */
/* What a memory did alone, written down as table, CSV or JSON. Computes nothing beyond shares. */
#ifndef SY_REPORT_MEMORY_H
#define SY_REPORT_MEMORY_H

#include "sim/report/report_format.h"
#include "sim/stats/memory_result.h"

/* format: "table", "csv" (one row a figure) or "json" (schema systole.memory/1). SY_USAGE for another. */
enum sy_status sy_memory_write(const struct sy_memory_result *result, const char *format,
                               const struct sy_report_options *options, struct sy_buf *out);

#endif
