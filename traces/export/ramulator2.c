/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ramulator 2, front end LoadStoreTrace: LD or ST and an address (read from its
 * src/ramulator/frontend/impl/memory_trace/loadstore_trace.cpp at c5b1c3a). It has no clocks: the tool offers each
 * request as soon as the one before it was taken.
 */
#include "traces/export/request_format.h"

static void put(const struct sy_request *request, struct sy_buf *out)
{
    sy_buf_printf(out, "%s 0x%llx\n", request->is_write ? "ST" : "LD", (unsigned long long)request->address);
}

const struct sy_request_format sy_request_format_ramulator2 = {
    .name = "ramulator2", .doc = "Ramulator 2's LoadStoreTrace: LD or ST, address; without clocks", .put = put};
