/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal cores on one layer: how a dimension is shared out.
 *
 * Contiguous shares that differ by one at most: size mod cores of them are
 * ceil(size / cores), the others floor(size / cores), so that they sum to the
 * size exactly. The largest one decides the time and is the one simulated; what
 * is counted (bytes, MACs, operations) is the sum over all cores.
 */
#ifndef SY_MAP_CORES_H
#define SY_MAP_CORES_H

#include <stdint.h>

enum { SY_MAX_CORES = 4096 };

/* Cores that have the largest share, and those that have one less (which may be nothing). */
struct sy_core_shares {
    uint64_t share, cores, less_cores;
};
struct sy_core_shares sy_core_shares(uint64_t size, uint64_t cores);

#endif
