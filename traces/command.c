/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/command.h"

const char *const sy_stall_names[SY_STALL_COUNT] = {
#define SY_STALL_NAME(id, name) [SY_STALL_##id] = name,
    SY_STALL_MAP(SY_STALL_NAME)
#undef SY_STALL_NAME
};
