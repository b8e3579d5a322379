/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A translation buffer of a DMA engine: entries in sets of `ways`, least
 * recently used first out, set = page modulo sets. What matters of a move are
 * the pages it touches, in order: the rows of a descriptor lie `pitch` apart, so
 * they are found in closed form, not request by request.
 *
 *  - A contiguous piece, or rows whose pitch is whole pages, are arithmetic
 *    series of pages. Once each set the series falls into has taken `ways` of
 *    its pages, nothing older is left: from there on every page misses, and what
 *    remains at the end are the last pages of each set. So only that many at
 *    either end are looked up; the middle is a product.
 *  - Rows that lie in the page of the row before hit the entry used last; as
 *    many as do are stepped over at once.
 *  - Other rows are looked up page by page, and so are scattered rows, which lie
 *    at random multiples of the pitch (the generator of dram_source.h). Beyond
 *    2^20 lookups of such a move the rest counts in the same proportion.
 */
#ifndef SY_ENGINE_TLB_H
#define SY_ENGINE_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/status.h"

struct sy_tlb_shape {
    uint64_t entries, ways; /* ways divides entries; 0 = all: fully associative */
    uint64_t page_bytes;    /* a power of two */
};

struct sy_tlb_move {
    uint64_t address, rows, row_bytes, pitch_bytes;
    uint64_t scatter, seed; /* bytes from address in which rows lie at random; 0 = pitch_bytes apart */
};

struct sy_tlb_count {
    uint64_t misses;
    bool first; /* of the first page: nothing moves before */
};

struct sy_tlb;

/* Empty. SY_NOMEM; the shape has been checked. */
enum sy_status sy_tlb_create(const struct sy_tlb_shape *shape, struct sy_tlb **tlb);
void sy_tlb_destroy(struct sy_tlb *tlb);
/* Translate a move; addresses that wrap at 2^64 are taken as they come. */
struct sy_tlb_count sy_tlb_translate(struct sy_tlb *tlb, const struct sy_tlb_move *move);

#endif
