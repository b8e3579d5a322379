/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_system.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_memory.h"

enum sy_status sy_dram_memory_create(const struct sy_dram_device *device, const struct sy_dram_controller *controller,
                                     const struct sy_dram_options *options, struct sy_dram_memory **memory,
                                     struct sy_diag *diag)
{
    *memory = NULL;
    struct sy_dram_memory *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);
    if (!made)
        return SY_NOMEM;
    memset(made, 0, sizeof *made);
    const char *map = options->address_map ? options->address_map : device->address_map;
    const enum sy_status status =
        sy_dram_map_build(&made->map, map, device, options->channels, options->interleave_bytes, diag);
    if (status != SY_OK) {
        free(made);
        return status;
    }
    made->channels = options->channels;
    made->channel = aligned_alloc(64, made->channels * sizeof *made->channel);
    if (!made->channel) {
        free(made);
        return SY_NOMEM;
    }
    sy_dram_plan_make(&made->plan, device, controller);
    if (options->hot && made->plan.refresh_interval > 1)
        made->plan.refresh_interval /= 2;
    if (options->fabric_bytes_per_clock)
        sy_dram_plan_space_columns(&made->plan, sy_ceil_div(device->org.burst_bytes, options->fabric_bytes_per_clock));
    made->check_bursts = (uint32_t)(options->inline_ecc_bytes / device->org.burst_bytes);
    made->kernel = sy_dram_kernel_select(options->lanes);
    made->start = made->plan.first_clock;
    made->pseudochannels = device->org.pseudochannels;
    sy_dram_peak_bytes(device, &made->burst_clocks);
    sy_dram_memory_reset(made);
    *memory = made;
    return SY_OK;
}

void sy_dram_memory_destroy(struct sy_dram_memory *memory)
{
    if (memory)
        free(memory->channel);
    free(memory);
}

void sy_dram_memory_reset(struct sy_dram_memory *memory)
{
    memset(&memory->latency, 0, sizeof memory->latency);
    for (uint32_t c = 0; c < memory->channels; c++) {
        sy_dram_channel_reset(&memory->channel[c], &memory->plan, memory->kernel);
        memory->channel[c].latency = &memory->latency;
    }
}

int64_t sy_dram_memory_drain(struct sy_dram_memory *memory)
{
    int64_t end = memory->start;
    for (uint32_t c = 0; c < memory->channels; c++) {
        struct sy_dram_channel *channel = &memory->channel[c];
        if (channel->waiting_reads)
            sy_dram_channel_run(channel, INT64_MAX, SY_STOP_DRAINED);
        const int64_t back = channel->base + channel->last_return;
        end = back > end ? back : end;
    }
    return end;
}

struct sy_dram_counts sy_dram_memory_counts(const struct sy_dram_memory *memory)
{
    struct sy_dram_counts counts = {0};
    for (uint32_t c = 0; c < memory->channels; c++) {
        const struct sy_dram_channel *channel = &memory->channel[c];
        sy_dram_count_add(&counts, &channel->counts);
        if (channel->open && channel->now > channel->opened_at) /* the open span so far */
            counts.active_clocks += (uint64_t)(channel->now - channel->opened_at);
    }
    return counts;
}

void sy_dram_memory_latency(const struct sy_dram_memory *memory, struct sy_dram_run *run)
{
    run->read_latency_mean = run->source_latency_mean = sy_latency_mean(&memory->latency);
    run->read_latency_p50 = sy_latency_percentile(&memory->latency, 50);
    run->read_latency_p90 = sy_latency_percentile(&memory->latency, 90);
    run->read_latency_p95 = sy_latency_percentile(&memory->latency, 95);
    run->read_latency_p999 = sy_latency_percentile(&memory->latency, 99.9);
    run->read_latency_p99 = sy_latency_percentile(&memory->latency, 99);
    run->read_latency_max = memory->latency.max;
}

void sy_dram_memory_run(struct sy_dram_memory *memory, const struct sy_dram_source *source, struct sy_dram_run *run)
{
    struct sy_dram_cursor cursor;
    int64_t clock = memory->start;
    uint64_t waited = 0;
    *run = (struct sy_dram_run){0};
    sy_dram_memory_reset(memory);
    sy_dram_cursor_start(&cursor, source, memory->map.burst_shift);
    cursor.check_bursts = memory->check_bursts;
    if (source->clocks_num) {
        for (uint64_t arrival = 0; arrival = sy_dram_cursor_arrival(&cursor), sy_dram_feed(memory, &cursor, &clock);)
            waited += (uint64_t)(clock - memory->start) - arrival;
    } else {
        while (sy_dram_feed(memory, &cursor, &clock)) {
        }
    }
    const int64_t end = sy_dram_memory_drain(memory);
    run->bursts = cursor.issued;
    run->accepted_clock = (uint64_t)(clock - memory->start);
    run->clocks = (uint64_t)((end > clock ? end : clock) - memory->start) + 1;
    for (uint32_t c = 0; c < memory->channels; c++) /* refreshes go on in channels that finished first */
        if (sy_dram_channel_now(&memory->channel[c]) < end)
            sy_dram_channel_run(&memory->channel[c], end, 0);
    run->counts = sy_dram_memory_counts(memory);
    run->reads_issued = run->bursts + cursor.checks - cursor.writes;
    run->writes_issued = cursor.writes;
    sy_dram_memory_latency(memory, run);
    run->source_latency_mean += run->bursts ? (double)waited / (double)run->bursts : 0.0;
}
