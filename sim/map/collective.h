/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Communication between chips: how long a collective takes on a chip's links.
 *
 * This is the one place that knows. Today it is the latency-bandwidth model of
 * ring algorithms on links that nobody else uses: time = steps x latency +
 * bytes sent by a chip / bandwidth (Thakur, Rabenseifner, Gropp, "Optimization
 * of collective communication operations in MPICH", 2005, section 2 and 3). A
 * model of the network takes over behind the same call.
 *
 * With n ranks and s bytes that a rank contributes:
 *   all_gather, all_to_all   n - 1 steps; (n - 1) s, (n - 1) / n x s
 *   reduce_scatter           n - 1 steps; (n - 1) / n x s
 *   all_reduce               reduce_scatter, then all_gather of the parts: 2 (n - 1) steps, 2 (n - 1) / n x s
 *   broadcast, point to point  n - 1 steps; s (pipelined along the ring)
 *
 * Not modelled: the network's topology, contention, the arithmetic of a
 * reduction beyond one pass of the vector unit.
 */
#ifndef SY_MAP_COLLECTIVE_H
#define SY_MAP_COLLECTIVE_H

#include "arch/chip.h"
#include "workloads/layer.h"

/* Bytes that each chip sends. `bytes` and conditions as below. */
bool sy_collective_bytes(const struct sy_collective_dims *dims, uint64_t bytes, uint64_t *sent);

/* Time on the links in picoseconds, rounded up. `bytes`: what one rank contributes. The chip must have links
 * (bytes_per_s > 0) and the dimensions must have been checked. false when it does not fit. Pure, thread safe. */
bool sy_collective_time(const struct sy_links *links, const struct sy_collective_dims *dims, uint64_t bytes,
                        uint64_t *picoseconds);

#endif
