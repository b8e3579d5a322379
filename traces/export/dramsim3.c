/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DRAMsim3, `dramsim3main CONFIG -t FILE`: address in hexadecimal, READ or WRITE, clock (read from its
 * src/common.cc at 2981759). Its front end issues one request a clock at most, in order, none before its clock.
 */
#include "traces/export/request_format.h"

static void put(const struct sy_request *request, struct sy_buf *out)
{
    sy_buf_printf(out, "0x%llx %s %llu\n", (unsigned long long)request->address, request->is_write ? "WRITE" : "READ",
                  (unsigned long long)request->clock);
}

const struct sy_request_format sy_request_format_dramsim3 = {
    .name = "dramsim3", .doc = "DRAMsim3's trace-based CPU: address, READ or WRITE, clock", .put = put};
