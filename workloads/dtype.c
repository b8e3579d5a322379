/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/dtype.h"

#include <stddef.h>
#include <string.h>

#include "sim/base/checked.h"

const struct sy_dtype_info sy_dtypes[SY_DTYPE_COUNT] = {
#define ROW(id, text, width, floating, block_size, scale)                                                              \
    [SY_##id] = {.name = (text), .bits = (width), .is_float = (floating), .block = (block_size), .scale_bits = (scale)},
    SY_DTYPE_MAP(ROW)
#undef ROW
};

bool sy_dtype_grouped(enum sy_dtype dtype)
{
    return sy_dtypes[dtype].block != 0 && !sy_dtypes[dtype].is_float;
}

enum sy_dtype sy_dtype_plain(enum sy_dtype dtype)
{
    return sy_dtype_grouped(dtype) ? SY_INT4 : dtype; /* all of them have four bits */
}

bool sy_dtype_parse(const char *name, enum sy_dtype *dtype)
{
    for (int i = 0; i < SY_DTYPE_COUNT; i++) {
        if (strcmp(name, sy_dtypes[i].name) == 0) {
            *dtype = (enum sy_dtype)i;
            return true;
        }
    }
    return false;
}

bool sy_dtype_bytes(enum sy_dtype dtype, uint64_t elements, uint64_t *bytes)
{
    const struct sy_dtype_info *info = &sy_dtypes[dtype];
    /* 128 bits hold 2^64 elements of any width: only the result can be too large. */
    sy_u128 bits = (sy_u128)elements * info->bits;
    if (info->block != 0) {
        bits += (sy_u128)sy_ceil_div(elements, info->block) * info->scale_bits;
    }
    sy_u128 whole = (bits + 7) / 8;
    *bytes = (uint64_t)whole;
    return whole <= UINT64_MAX;
}
