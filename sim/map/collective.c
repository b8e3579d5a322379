/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/map/collective.h"

#include <math.h>

#include "sim/base/checked.h"

bool sy_collective_bytes(const struct sy_collective_dims *dims, uint64_t bytes, uint64_t *sent)
{
    uint64_t others = dims->ranks - 1, share;
    switch ((enum sy_collective_kind)dims->kind) {
    case SY_ALL_GATHER:
        return sy_mul(bytes, others, sent);
    case SY_BROADCAST:
        *sent = dims->ranks > 1 ? bytes : 0;
        return true;
    case SY_ALL_REDUCE:
        return sy_mul_div_up(bytes, others, dims->ranks, &share) && sy_mul(share, 2, sent);
    case SY_REDUCE_SCATTER:
    case SY_ALL_TO_ALL:
        break;
    }
    return sy_mul_div_up(bytes, others, dims->ranks, sent);
}

bool sy_collective_time(const struct sy_links *links, const struct sy_collective_dims *dims, uint64_t bytes,
                        uint64_t *picoseconds)
{
    uint64_t sent = 0, steps = dims->ranks - 1, waits = 0;
    if (!sy_collective_bytes(dims, bytes, &sent) || !sy_mul(steps, dims->kind == SY_ALL_REDUCE ? 2 : 1, &steps) ||
        !sy_mul(steps, links->latency_ps, &waits))
        return false;
    double moving = ceil((double)sent / links->bytes_per_s * 1e12);
    return moving < 1e18 && sy_add((uint64_t)moving, waits, picoseconds);
}
