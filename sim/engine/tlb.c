/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/tlb.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"

enum { MOST_LOOKUPS = 1 << 20 };

struct sy_tlb {
    uint64_t sets, ways;
    uint32_t shift;
    uint64_t looked, missed; /* in the move that is translated */
    uint64_t skipped;        /* misses of it that were not looked up */
    uint64_t *page;          /* [set][way], newest first; UINT64_MAX = none */
};

enum sy_status sy_tlb_create(const struct sy_tlb_shape *shape, struct sy_tlb **out)
{
    struct sy_tlb *tlb = calloc(1, sizeof *tlb);
    if (!tlb)
        return SY_NOMEM;
    tlb->ways = shape->ways ? shape->ways : shape->entries;
    tlb->sets = shape->entries / tlb->ways;
    tlb->shift = (uint32_t)__builtin_ctzll(shape->page_bytes);
    tlb->page = malloc(shape->entries * sizeof *tlb->page);
    if (!tlb->page) {
        free(tlb);
        return SY_NOMEM;
    }
    memset(tlb->page, 0xff, shape->entries * sizeof *tlb->page);
    *out = tlb;
    return SY_OK;
}

void sy_tlb_destroy(struct sy_tlb *tlb)
{
    if (tlb)
        free(tlb->page);
    free(tlb);
}

static void look_up(struct sy_tlb *tlb, uint64_t page)
{
    uint64_t *set = &tlb->page[page % tlb->sets * tlb->ways], way = 0;
    tlb->looked++;
    while (way < tlb->ways && set[way] != page)
        way++;
    tlb->missed += way == tlb->ways;
    memmove(set + 1, set, sy_min(way, tlb->ways - 1) * sizeof *set);
    set[0] = page;
}

/* Pages first, first + stride, ... */
static void sweep(struct sy_tlb *tlb, uint64_t first, uint64_t stride, uint64_t count)
{
    const uint64_t full = tlb->ways * (tlb->sets / sy_gcd(tlb->sets, stride)); /* each set has taken its ways */
    const uint64_t ends = count / 2 > full ? full : count;
    for (uint64_t i = 0; i < ends; i++)
        look_up(tlb, first + i * stride);
    if (ends == count)
        return;
    const uint64_t middle = count - 2 * full;
    tlb->skipped += middle;
    for (uint64_t i = count - full; i < count; i++)
        look_up(tlb, first + i * stride);
}

/* Rows from `row` on whose bytes all lie in the page of that row, which lies in one. */
static uint64_t rows_in_page(const struct sy_tlb *tlb, const struct sy_tlb_move *move, uint64_t row)
{
    const uint64_t offset = (move->address + row * move->pitch_bytes) & ((UINT64_C(1) << tlb->shift) - 1);
    const uint64_t room = (UINT64_C(1) << tlb->shift) - offset - move->row_bytes;
    const uint64_t more = move->pitch_bytes ? room / move->pitch_bytes : UINT64_MAX - 1;
    return sy_min(more + 1, move->rows - row);
}

static uint64_t pages_of(const struct sy_tlb *tlb, uint64_t address, uint64_t bytes)
{
    return ((address & ((UINT64_C(1) << tlb->shift) - 1)) + (bytes - 1)) / (UINT64_C(1) << tlb->shift) + 1;
}

static void step_rows(struct sy_tlb *tlb, const struct sy_tlb_move *move, uint64_t *row)
{
    while (*row < move->rows && tlb->looked < MOST_LOOKUPS) {
        const uint64_t address = move->address + *row * move->pitch_bytes;
        const uint64_t pages = pages_of(tlb, address, move->row_bytes);
        sweep(tlb, address >> tlb->shift, 1, pages);
        *row += pages == 1 ? rows_in_page(tlb, move, *row) : 1;
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static void scatter_rows(struct sy_tlb *tlb, const struct sy_tlb_move *move, uint64_t *row)
{
    uint64_t state = move->seed ? move->seed : 1;
    const uint64_t align = sy_max(move->pitch_bytes, 1), places = sy_max(move->scatter / align, 1);
    for (; *row < move->rows && tlb->looked < MOST_LOOKUPS; ++*row) {
        const uint64_t address = move->address + (next_random(&state) >> 11) % places * align;
        sweep(tlb, address >> tlb->shift, 1, pages_of(tlb, address, move->row_bytes));
    }
}

static bool holds(const struct sy_tlb *tlb, uint64_t page)
{
    const uint64_t *set = &tlb->page[page % tlb->sets * tlb->ways];
    for (uint64_t way = 0; way < tlb->ways; way++)
        if (set[way] == page)
            return true;
    return false;
}

/* All of a move, or as many rows as are looked up. */
static uint64_t walk_rows(struct sy_tlb *tlb, const struct sy_tlb_move *move)
{
    const uint64_t first = move->address >> tlb->shift, inside = (UINT64_C(1) << tlb->shift) - 1;
    const bool whole = !move->scatter && (move->rows == 1 || move->pitch_bytes == move->row_bytes);
    uint64_t row = 0, bytes = 0;
    if (whole && sy_mul(move->rows, move->row_bytes, &bytes)) {
        sweep(tlb, first, 1, pages_of(tlb, move->address, bytes));
        return move->rows;
    }
    if (!move->scatter && move->pitch_bytes && !(move->pitch_bytes & inside) &&
        pages_of(tlb, move->address, move->row_bytes) == 1) {
        sweep(tlb, first, move->pitch_bytes >> tlb->shift, move->rows);
        return move->rows;
    }
    if (move->scatter)
        scatter_rows(tlb, move, &row);
    else
        step_rows(tlb, move, &row);
    return row;
}

struct sy_tlb_count sy_tlb_translate(struct sy_tlb *tlb, const struct sy_tlb_move *move)
{
    struct sy_tlb_count count = {0};
    if (!move->rows || !move->row_bytes)
        return count;
    tlb->looked = tlb->missed = tlb->skipped = 0;
    const bool known = !move->scatter && holds(tlb, move->address >> tlb->shift);
    const uint64_t row = walk_rows(tlb, move);
    count.misses = tlb->missed + tlb->skipped;
    count.first = move->scatter ? count.misses > 0 : !known;
    if (row && row < move->rows && !sy_mul_div(count.misses, move->rows, row, &count.misses))
        count.misses = UINT64_MAX;
    return count;
}
