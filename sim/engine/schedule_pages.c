/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paged KV cache: the keys and values of a sequence lie in pages of so many
 * tokens, anywhere in a pool (Kwon et al., PagedAttention, 2023). What a tile
 * reads of a page of one key head is one piece: its first and last pages may be
 * partial. A page table says where they are: one entry a page, read before the
 * first keys.
 *
 * Assumed, as vLLM has it: all key heads share the table, keys and values too;
 * an entry is a 32-bit block number; a head's part of a page is contiguous, and
 * so is a slice of its elements. Pages lie at random in a pool as large as the
 * cache. One page that holds the whole sequence is no paging: then nothing here
 * happens.
 */
#include "sim/engine/schedule_internal.h"

enum { TABLE_ENTRY_BYTES = 4 };

bool sy_pages_split(const struct sy_attention_dims *dims)
{
    return dims->kv_page && dims->kv_page < dims->kv_len;
}

enum sy_status sy_pages_table(struct sy_scheduler *s, struct sy_attention_cut *cut)
{
    const struct sy_attention_dims *d = &cut->dims;
    uint64_t seen = d->kv_len - sy_attention_keys(d), stamp = 0, pages = 0, bytes = 0;
    cut->table = 0;
    if (!sy_pages_split(d))
        return SY_OK;
    if (!sy_mul(sy_ceil_div(d->kv_len, d->kv_page) - seen / d->kv_page, d->b, &pages) ||
        !sy_mul(pages, TABLE_ENTRY_BYTES, &bytes))
        return SY_OVERFLOW;
    s->plan.kv_pages += pages;
    const struct sy_core_shares part = sy_core_shares(bytes, sy_max(s->chip->cores, 1)); /* of a core's sequences */
    uint32_t outer = s->chain[SY_B][s->chain_length[SY_B] - 1], inner = s->chain[SY_B][s->chain_length[SY_B] - 2];
    struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
    if (!load)
        return SY_INTERNAL;
    sy_move_fill(load, SY_B, inner, outer, part.share, sy_schedule_address(s, s->current->input_key[1] ^ 1, SY_B));
    sy_cores_contiguous(s, &part, part.share - 1, load);
    s->filled[inner][SY_B] += bytes; /* kept by whoever issues the loads */
    s->released[inner][SY_B] += bytes;
    cut->table = stamp;
    return SY_OK;
}

uint64_t sy_extent_of_b(const struct sy_matrix_walk *w, const uint64_t start[SY_DIMS], const uint64_t extent[SY_DIMS],
                        enum sy_dim dim)
{
    const struct sy_matrix_item *item = &w->problem.item;
    uint64_t there = w->problem.size[dim] - (dim == SY_DIM_N ? item->pad_n : item->pad_k);
    return start[dim] >= there ? 0 : sy_min(extent[dim], there - start[dim]);
}

struct sy_tile_of_b sy_tile_of_b(const struct sy_matrix_walk *w, uint32_t level)
{
    enum sy_dim along = w->page_dim, across = along == SY_DIM_N ? SY_DIM_K : SY_DIM_N;
    return (struct sy_tile_of_b){.from = w->start[level][along],
                                 .tokens = sy_extent_of_b(w, w->start[level], w->extent[level], along),
                                 .elements = sy_extent_of_b(w, w->start[level], w->extent[level], across),
                                 .groups = w->extent[level][SY_DIM_G]};
}

/* Tokens of a tile by page: of the first page when it is not whole, whole pages, the rest. */
struct pages {
    uint64_t first, whole, last;
};

static struct pages pages_of(const struct sy_matrix_walk *w, uint64_t from, uint64_t tokens)
{
    uint64_t page = w->page, into = (w->page_first + from) % page;
    struct pages pages = {.first = into ? sy_min(page - into, tokens) : 0};
    pages.whole = (tokens - pages.first) / page;
    pages.last = tokens - pages.first - pages.whole * page;
    return pages;
}

/* Bytes of so many tokens of a tile, of one head. */
static uint64_t piece(const struct sy_matrix_walk *w, uint64_t tokens, uint64_t elements)
{
    uint64_t bytes = 0;
    (void)sy_dtype_bytes(w->problem.dtype[SY_B], tokens * elements, &bytes);
    return bytes;
}

uint64_t sy_pages_bytes(const struct sy_matrix_walk *w, const struct sy_tile_of_b *tile, uint64_t groups)
{
    struct pages pages = pages_of(w, tile->from, tile->tokens);
    return groups * (piece(w, pages.first, tile->elements) + pages.whole * piece(w, w->page, tile->elements) +
                     piece(w, pages.last, tile->elements));
}

enum sy_status sy_pages_load(struct sy_scheduler *s, struct sy_matrix_walk *w, const struct sy_tile_of_b *tile,
                             struct sy_ring *ring, struct sy_buffer *buffer, const struct sy_users *before)
{
    const struct sy_attention_dims *d = &s->cut->dims;
    struct pages pages = pages_of(w, tile->from, tile->tokens);
    const uint64_t moves[3][2] = {{pages.first, pages.first > 0}, {pages.last, pages.last > 0}, {w->page, pages.whole}};
    uint64_t width = w->page_dim == SY_DIM_N ? w->problem.size[SY_DIM_K] : w->problem.size[SY_DIM_N], pool = 0;
    uint32_t outer = w->problem.chain[SY_B][w->problem.chain_length[SY_B] - 1];
    uint64_t apart = piece(w, w->page, width);
    if (!sy_mul3(sy_ceil_div(d->kv_len, d->kv_page), d->b, d->kv_heads, &pool) || !sy_mul(pool, apart, &pool))
        return SY_OVERFLOW;
    for (int i = 0; i < 3; i++) { /* the whole pages last: what waits for the tile waits for the latest move */
        uint64_t stamp = 0;
        if (!moves[i][1])
            continue;
        struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
        if (!load)
            return SY_INTERNAL;
        sy_move_fill(load, SY_B, ring->level, outer, piece(w, moves[i][0], tile->elements), w->source[SY_B].address);
        load->command.u.move.rows = tile->groups * moves[i][1];
        load->command.u.move.pitch_bytes = apart;
        load->command.u.move.scatter = pool;
        sy_cores_pieces(s, w, ring->level, load);
        sy_schedule_after_users(&load->command, before, SY_STALL_BUFFER_FULL);
        sy_schedule_depend(&load->command, w->source[SY_B].producer_class, w->source[SY_B].producer, SY_POINT_DONE,
                           SY_STALL_DEPENDENCY);
        sy_schedule_depend(&load->command, SY_USE_LOAD, s->cut->table, SY_POINT_DONE, SY_STALL_DEPENDENCY);
        sy_users_note(&buffer->producers, SY_USE_LOAD, stamp);
    }
    return SY_OK;
}
