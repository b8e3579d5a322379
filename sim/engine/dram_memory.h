/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a memory, shared by the files that run it. */
#ifndef SY_ENGINE_DRAM_MEMORY_H
#define SY_ENGINE_DRAM_MEMORY_H

#include "sim/engine/dram_system.h"

struct sy_dram_memory {
    struct sy_dram_plan plan;
    struct sy_dram_map map;
    const struct sy_dram_kernel *kernel;
    uint32_t channels;
    struct sy_dram_channel *channel; /* aligned to 64 bytes */
    struct sy_latency latency;
    int64_t start;         /* clock of the first tick */
    uint64_t burst_clocks; /* max(burst, tCCD_S) */
    uint32_t pseudochannels;
    uint32_t check_bursts; /* of the cursors */
};

/* The counts of all channels so far. */
struct sy_dram_counts sy_dram_memory_counts(const struct sy_dram_memory *memory);
/* Let every channel schedule the reads it holds; returns the clock at which the last data are back. */
int64_t sy_dram_memory_drain(struct sy_dram_memory *memory);
/* Latency figures of the run so far. */
void sy_dram_memory_latency(const struct sy_dram_memory *memory, struct sy_dram_run *run);

/* What a refresh that stops the whole channel costs, in clocks; 0 when refreshes overlap with traffic and therefore
 * stay in the measured time. */
int64_t sy_dram_refresh_cost(const struct sy_dram_plan *plan);
/* A clock less the cost of the refreshes since `since` and before it. A stalled queue accepts nothing during a refresh,
 * so a clock of acceptance lies before its start or after its end. */
int64_t sy_dram_without_refresh(const struct sy_dram_channel *channel, int64_t clock, int64_t since, int64_t cost);

static inline void sy_dram_count_add(struct sy_dram_counts *to, const struct sy_dram_counts *from)
{
    to->reads += from->reads;
    to->writes += from->writes;
    to->activates += from->activates;
    to->precharges += from->precharges;
    to->refreshes += from->refreshes;
    to->row_hits += from->row_hits;
    to->row_misses += from->row_misses;
    to->row_conflicts += from->row_conflicts;
    to->refresh_precharges += from->refresh_precharges;
    to->reopened += from->reopened;
    to->active_clocks += from->active_clocks;
}

/* Put a request into its channel at clock `at`, or as soon as there is room; returns that clock. Nothing else may be
 * offered to the channel meanwhile. */
static inline int64_t sy_dram_accept(struct sy_dram_channel *channel, const struct sy_dram_request *request, int64_t at)
{
    if (sy_dram_channel_now(channel) < at)
        sy_dram_channel_run(channel, at, 0);
    if (!sy_dram_channel_has_room(channel, request->write)) {
        const int64_t freed =
            sy_dram_channel_run(channel, INT64_MAX, request->write ? SY_STOP_WRITE : SY_STOP_READ) + 1;
        at = freed > at ? freed : at;
    }
    sy_dram_channel_push(channel, request, at);
    return at;
}

/* One request of a single source, of data or of check bits. */
static inline bool sy_dram_feed_one(struct sy_dram_memory *memory, struct sy_dram_cursor *cursor, int64_t *clock)
{
    const int64_t arrival = memory->start + (int64_t)sy_dram_cursor_arrival(cursor);
    uint64_t burst;
    bool write;
    if (!sy_dram_cursor_next(cursor, &burst, &write))
        return false;
    const sy_dram_place place = sy_dram_map_decode(&memory->map, burst);
    const struct sy_dram_request request = {
        .row = sy_dram_place_row(place), .bank = (uint8_t)sy_dram_place_bank(place), .write = write};
    *clock =
        sy_dram_accept(&memory->channel[sy_dram_place_channel(place)], &request, arrival > *clock ? arrival : *clock);
    return true;
}

/* Offer the next burst of a single source, with the check bits that come before it, and wait until it is accepted;
 * *clock is that clock. False at the end of the source. */
static inline bool sy_dram_feed(struct sy_dram_memory *memory, struct sy_dram_cursor *cursor, int64_t *clock)
{
    bool fed;
    do
        fed = sy_dram_feed_one(memory, cursor, clock);
    while (fed && cursor->is_check);
    return fed;
}

#endif
