/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_latency.h"

static uint64_t bucket_middle(uint32_t index)
{
    if (index < 2 * SY_LATENCY_STEPS)
        return index;
    const uint32_t octave = index / SY_LATENCY_STEPS + 5;
    const uint64_t low = (uint64_t)(SY_LATENCY_STEPS + index % SY_LATENCY_STEPS) << (octave - 6);
    return low + (UINT64_C(1) << (octave - 6)) / 2;
}

uint64_t sy_latency_percentile(const struct sy_latency *latency, double percent)
{
    const double wanted = percent / 100.0 * (double)latency->samples;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < SY_LATENCY_BUCKETS; i++) {
        seen += latency->bucket[i];
        if (latency->bucket[i] && (double)seen >= wanted)
            return bucket_middle(i) < latency->max ? bucket_middle(i) : latency->max;
    }
    return 0;
}

double sy_latency_mean(const struct sy_latency *latency)
{
    return latency->samples ? (double)latency->sum / (double)latency->samples : 0.0;
}
