/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention in chunks, as flash-style kernels do it: when the scores of all
 * queries do not fit on chip beside the rest, the layer runs over some heads
 * and a block of queries at a time, whose scores, softmax and product with the
 * values stay on chip. Keys and values are read again for every block of
 * queries of a head, not for every head. The softmax is over all keys of a
 * query, so a block holds whole rows of scores.
 * Source of the method: Dao et al., FlashAttention, 2022 (tiling over queries; ours does not tile the keys).
 */
#include "sim/engine/schedule_internal.h"

/* Scores and their softmax are on chip together, beside tiles of the operands: a block may take an eighth of the level.
 * A modelling choice. */
enum { SCORE_SHARE = 8 };

static uint64_t part(uint64_t total, uint64_t from, uint64_t to, uint64_t all)
{
    uint64_t low = 0, high = 0;
    (void)sy_mul_div(total, from, all, &low);
    (void)sy_mul_div(total, to, all, &high);
    return high - low;
}

void sy_attention_cut(struct sy_scheduler *s)
{
    const struct sy_matrix_item *scores = &s->whole.item[0].u.matrix;
    uint32_t level = sy_keeping_level(s);
    uint64_t row = 0, head = 0, all = 0;
    s->chunk_groups = scores->groups;
    s->chunk_rows = scores->m;
    if (s->options.keep_nothing || level == UINT32_MAX || !sy_dtype_bytes(scores->c, scores->n, &row) ||
        !sy_mul(row, scores->m, &head) || !sy_mul(head, scores->groups, &all))
        return;
    uint64_t budget = s->chip->level[level].capacity_bytes / SCORE_SHARE;
    if (all <= budget || !row || row > budget)
        return;
    s->chunk_groups = sy_max(budget / head, 1);
    if (head > budget)
        s->chunk_rows = sy_max(budget / row, 1);
    s->chunks = sy_ceil_div(scores->groups, s->chunk_groups) * sy_ceil_div(scores->m, s->chunk_rows);
    s->rows_done = s->rows_now = 0;
    s->rows_all = scores->groups * scores->m;
    sy_attention_chunk(s);
}

/* Heads outer, query blocks inner: the keys and values of a head are used together. */
void sy_attention_chunk(struct sy_scheduler *s)
{
    const struct sy_matrix_item *scores = &s->whole.item[0].u.matrix;
    uint64_t blocks = sy_ceil_div(scores->m, s->chunk_rows);
    uint64_t first_group = s->chunk / blocks * s->chunk_groups, first_row = s->chunk % blocks * s->chunk_rows;
    uint64_t groups = sy_min(s->chunk_groups, scores->groups - first_group);
    uint64_t rows = sy_min(s->chunk_rows, scores->m - first_row);
    s->rows_done += s->rows_now;
    s->rows_now = groups * rows;
    uint64_t from = s->rows_done, to = from + s->rows_now;
    s->work = s->whole;
    for (uint32_t i = 0; i < s->work.items; i++) {
        struct sy_item *item = &s->work.item[i];
        if (item->kind == SY_ITEM_MATRIX) {
            item->u.matrix.groups = groups;
            item->u.matrix.m = rows;
            continue;
        }
        struct sy_vector_item *vector = &item->u.vector;
        uint64_t *shares[] = {&vector->elements,   &vector->simple_ops, &vector->transcendental_ops,
                              &vector->reduce_ops, &vector->bytes_in,   &vector->bytes_out};
        for (size_t k = 0; k < sizeof shares / sizeof shares[0]; k++)
            *shares[k] = part(*shares[k], from, to, s->rows_all);
    }
}
