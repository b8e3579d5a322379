/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency distribution in whole clocks: exact below 128, then 64 steps an
 * octave, so a percentile is off by at most 0.8%. Mean and maximum are exact.
 */
#ifndef SY_ENGINE_DRAM_LATENCY_H
#define SY_ENGINE_DRAM_LATENCY_H

#include <stdint.h>

enum { SY_LATENCY_STEPS = 64, SY_LATENCY_BUCKETS = 64 * 26 };

struct sy_latency {
    uint64_t samples, sum, max;
    uint32_t bucket[SY_LATENCY_BUCKETS];
};

static inline uint32_t sy_latency_bucket(uint32_t clocks)
{
    if (clocks < 2 * SY_LATENCY_STEPS)
        return clocks;
    const uint32_t octave = 31u - (uint32_t)__builtin_clz(clocks); /* >= 7 */
    return (octave - 5) * SY_LATENCY_STEPS + (clocks >> (octave - 6) & (SY_LATENCY_STEPS - 1));
}
static inline void sy_latency_add(struct sy_latency *latency, uint32_t clocks)
{
    latency->samples++;
    latency->sum += clocks;
    latency->max = clocks > latency->max ? clocks : latency->max;
    latency->bucket[sy_latency_bucket(clocks)]++;
}
/* Smallest latency that at least `percent` of the samples do not exceed (bucket middle, at most the maximum); 0
 * without samples. */
uint64_t sy_latency_percentile(const struct sy_latency *latency, double percent);
double sy_latency_mean(const struct sy_latency *latency);

#endif
