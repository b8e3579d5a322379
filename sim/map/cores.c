/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/map/cores.h"

struct sy_core_shares sy_core_shares(uint64_t size, uint64_t cores)
{
    const uint64_t each = size / cores, rest = size % cores;
    if (!rest)
        return (struct sy_core_shares){each, cores, 0};
    return (struct sy_core_shares){each + 1, rest, cores - rest};
}
