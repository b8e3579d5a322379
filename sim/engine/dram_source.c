/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_source.h"

#include "sim/base/checked.h"

static uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

static uint32_t align_shift(const struct sy_dram_stream *stream, uint32_t shift)
{
    const uint32_t align = stream->align_bytes ? (uint32_t)__builtin_ctzll(stream->align_bytes) : 0;
    return align > shift ? align : shift;
}

static uint64_t run_bursts(const struct sy_dram_stream *stream, uint64_t address, uint32_t shift)
{
    if (stream->run_bytes == UINT64_MAX)
        return UINT64_MAX;
    const uint32_t align = align_shift(stream, shift);
    return (((address + stream->run_bytes - 1) >> align) - (address >> align) + 1) << (align - shift);
}

static void begin_run(struct sy_dram_walk *walk, const struct sy_dram_stream *stream, uint32_t shift)
{
    if (stream->random_range) {
        const uint64_t align = stream->random_align;
        walk->run_address = stream->base + (random_next(&walk->random) >> 11) % (stream->random_range / align) * align;
    }
    const uint32_t align = align_shift(stream, shift);
    walk->burst = walk->run_address >> align << (align - shift);
    walk->left = run_bursts(stream, walk->run_address, shift);
}

/* To the next run of the nest. */
static void next_run(struct sy_dram_walk *walk, const struct sy_dram_stream *stream, uint32_t shift)
{
    for (int k = 0; k < SY_DRAM_LOOPS; k++) {
        const struct sy_dram_loop *loop = &stream->loop[k];
        if (loop->count <= 1)
            continue;
        if (++walk->at[k] < loop->count) {
            walk->run_address += loop->stride_bytes;
            begin_run(walk, stream, shift);
            return;
        }
        walk->run_address -= (loop->count - 1) * loop->stride_bytes;
        walk->at[k] = 0;
    }
    walk->ended = true;
}

void sy_dram_cursor_start(struct sy_dram_cursor *cursor, const struct sy_dram_source *source, uint32_t burst_shift)
{
    cursor->source = source;
    cursor->burst_shift = burst_shift;
    cursor->stream = 0;
    cursor->check_bursts = 0;
    cursor->is_check = false;
    cursor->issued = cursor->checks = cursor->writes = cursor->arrival_whole = cursor->arrival_part = 0;
    cursor->turn_left = source->streams > 1 ? (source->turn_bursts ? source->turn_bursts : 1) : UINT64_MAX;
    for (uint32_t s = 0; s < source->streams; s++) {
        struct sy_dram_walk *walk = &cursor->walk[s];
        *walk = (struct sy_dram_walk){.run_address = source->stream[s].base, .random = source->stream[s].random_seed};
        begin_run(walk, &source->stream[s], burst_shift);
    }
}

/* Give the turn to the next stream that has not ended; false when all have. */
static bool next_stream(struct sy_dram_cursor *cursor)
{
    const struct sy_dram_source *source = cursor->source;
    for (uint32_t tried = 0; tried < source->streams; tried++) {
        cursor->stream = cursor->stream + 1 == source->streams ? 0 : cursor->stream + 1;
        if (!cursor->walk[cursor->stream].ended) {
            cursor->turn_left = source->streams > 1 ? (source->turn_bursts ? source->turn_bursts : 1) : UINT64_MAX;
            return true;
        }
    }
    return false;
}

static void advance_arrival(struct sy_dram_cursor *cursor)
{
    const struct sy_dram_source *source = cursor->source;
    cursor->arrival_whole += source->clocks_num / source->clocks_den;
    cursor->arrival_part += source->clocks_num % source->clocks_den;
    if (cursor->arrival_part >= source->clocks_den) {
        cursor->arrival_part -= source->clocks_den;
        cursor->arrival_whole++;
    }
}

bool sy_dram_cursor_next(struct sy_dram_cursor *cursor, uint64_t *burst, bool *is_write)
{
    const struct sy_dram_source *source = cursor->source;
    if (cursor->issued == source->bursts)
        return false;
    if ((cursor->turn_left == 0 || cursor->walk[cursor->stream].ended) && !next_stream(cursor))
        return false;
    const struct sy_dram_stream *stream = &source->stream[cursor->stream];
    struct sy_dram_walk *walk = &cursor->walk[cursor->stream];
    *is_write =
        stream->write_every ? cursor->issued % stream->write_every == stream->write_every - 1 : stream->is_write;
    cursor->writes += *is_write;
    cursor->is_check = cursor->check_bursts && walk->check_block != walk->burst / cursor->check_bursts + 1;
    if (cursor->is_check) {
        walk->check_block = walk->burst / cursor->check_bursts + 1;
        *burst = (walk->check_block - 1) * cursor->check_bursts;
        cursor->checks++;
        return true;
    }
    *burst = walk->burst++;
    if (--walk->left == 0)
        next_run(walk, stream, cursor->burst_shift);
    cursor->turn_left--;
    cursor->issued++;
    if (source->clocks_num)
        advance_arrival(cursor);
    return true;
}

enum { MAX_BURST_BYTES = 4096 };

/* How many runs start at each offset inside a burst; offsets repeat after at most burst/gcd steps of a loop. */
static bool count_offsets(const struct sy_dram_stream *stream, uint64_t size, uint64_t runs[MAX_BURST_BYTES])
{
    uint64_t before[MAX_BURST_BYTES];
    for (uint64_t i = 0; i < size; i++)
        runs[i] = 0;
    runs[stream->base % size] = 1;
    for (int k = 0; k < SY_DRAM_LOOPS; k++) {
        const struct sy_dram_loop *loop = &stream->loop[k];
        if (loop->count <= 1)
            continue;
        for (uint64_t i = 0; i < size; i++) {
            before[i] = runs[i];
            runs[i] = 0;
        }
        for (uint64_t i = 0; i < size; i++) {
            for (uint64_t step = 0; before[i] && step < size && step < loop->count; step++) {
                const uint64_t visits = (loop->count - 1 - step) / size + 1;
                uint64_t *to = &runs[(i + step * (loop->stride_bytes % size)) % size];
                uint64_t more;
                if (!sy_mul(before[i], visits, &more) || !sy_add(*to, more, to))
                    return false;
            }
        }
    }
    return true;
}

uint64_t sy_dram_stream_bursts(const struct sy_dram_stream *stream, uint32_t burst_shift)
{
    const uint64_t size = UINT64_C(1) << align_shift(stream, burst_shift);
    if (stream->run_bytes == UINT64_MAX)
        return UINT64_MAX;
    uint64_t runs = 1, total = 0;
    for (int k = 0; k < SY_DRAM_LOOPS; k++)
        if (stream->loop[k].count > 1 && !sy_mul(runs, stream->loop[k].count, &runs))
            return UINT64_MAX;
    if (stream->random_range) /* one alignment for all runs */
        return sy_mul(runs, run_bursts(stream, stream->base, burst_shift), &total) ? total : UINT64_MAX;
    uint64_t at[MAX_BURST_BYTES];
    if (!count_offsets(stream, size, at))
        return UINT64_MAX;
    for (uint64_t offset = 0; offset < size; offset++) {
        uint64_t part;
        if (at[offset] &&
            (!sy_mul(at[offset], run_bursts(stream, offset, burst_shift), &part) || !sy_add(total, part, &total)))
            return UINT64_MAX;
    }
    return total;
}

uint64_t sy_dram_source_bursts(const struct sy_dram_source *source, uint32_t burst_shift)
{
    uint64_t total = 0;
    for (uint32_t s = 0; s < source->streams; s++) {
        const uint64_t one = sy_dram_stream_bursts(&source->stream[s], burst_shift);
        if (one == UINT64_MAX || !sy_add(total, one, &total)) {
            total = UINT64_MAX;
            break;
        }
    }
    return sy_min(total, source->bursts);
}
