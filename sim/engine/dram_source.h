/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request sources: what a DMA engine asks of the memory, one burst at a time.
 *
 * A stream is a run of bytes repeated over up to three loops (rows of a tile,
 * tiles of a tensor ...), or runs at random places. A source walks one or more
 * streams in turn, `turn_bursts` bursts each, in order, with an optional rate
 * and bound on reads in flight. A run that is not aligned touches every burst
 * it overlaps, whole.
 */
#ifndef SY_ENGINE_DRAM_SOURCE_H
#define SY_ENGINE_DRAM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

enum { SY_DRAM_LOOPS = 3, SY_DRAM_STREAMS = 16 };

struct sy_dram_loop {
    uint64_t count, stride_bytes;
};

struct sy_dram_stream {
    uint64_t base;
    uint64_t run_bytes;                      /* contiguous; UINT64_MAX = without end */
    struct sy_dram_loop loop[SY_DRAM_LOOPS]; /* inner first; count 0 or 1 = absent; the outermost may be UINT64_MAX */
    bool is_write;
    uint64_t align_bytes; /* runs are widened to whole multiples (a power of two, at least a burst); 0 = a burst */
    /* random: runs start at multiples of random_align in [base, base + random_range), xorshift64* from random_seed */
    uint64_t random_range, random_align, random_seed;
    uint32_t write_every; /* random: of this many bursts the last is a write; 0 = as is_write */
};

struct sy_dram_source {
    uint32_t streams;
    struct sy_dram_stream stream[SY_DRAM_STREAMS];
    uint64_t turn_bursts;            /* with several streams; 0 = 1 */
    uint64_t bursts;                 /* in all; UINT64_MAX = until the streams end */
    uint64_t clocks_num, clocks_den; /* burst i arrives at floor(i * num / den) clocks; num 0 = at once */
    uint64_t outstanding;            /* reads in flight; 0 = unlimited */
};

struct sy_dram_walk {
    uint64_t burst, left; /* next burst index; bursts left in this run */
    uint64_t run_address; /* byte address of the run */
    uint64_t at[SY_DRAM_LOOPS];
    uint64_t random;
    uint64_t check_block; /* 1 + block whose check bits are at hand, 0 = none */
    bool ended;
};

/* The state of a walk through a source. Copyable: a copy continues from the same place. */
struct sy_dram_cursor {
    const struct sy_dram_source *source;
    uint32_t burst_shift, stream;
    uint32_t check_bursts; /* inline ECC: data bursts whose check bits fill one burst; 0 = none; set it after start */
    bool is_check;         /* the burst taken last was one of check bits: it is not counted in issued */
    uint64_t turn_left, issued, checks, writes; /* taken so far: data, check bits; of both, writes */
    uint64_t arrival_whole, arrival_part;       /* floor and remainder of issued * num / den */
    struct sy_dram_walk walk[SY_DRAM_STREAMS];
};

void sy_dram_cursor_start(struct sy_dram_cursor *cursor, const struct sy_dram_source *source, uint32_t burst_shift);
/* Take the next burst; false when the source has ended. With check_bursts the check bits of a block come before the
 * first of its data that a stream touches: read for reads, written for writes, at the address of the block's first
 * burst, whose row they share. */
bool sy_dram_cursor_next(struct sy_dram_cursor *cursor, uint64_t *burst, bool *is_write);
/* Clock at which the burst that cursor_next gives next arrives. */
static inline uint64_t sy_dram_cursor_arrival(const struct sy_dram_cursor *cursor)
{
    return cursor->arrival_whole;
}
/* Bursts of the whole source; UINT64_MAX when it has no end. */
uint64_t sy_dram_source_bursts(const struct sy_dram_source *source, uint32_t burst_shift);
/* Bursts one pass over a stream touches, partial ones counted whole. */
uint64_t sy_dram_stream_bursts(const struct sy_dram_stream *stream, uint32_t burst_shift);

#endif
