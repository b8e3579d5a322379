/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: the sparse filter of v3.
 *
 * Layer-wise: the first N of every M rows of each column are non-zero; the
 * compressed matrix keeps them, and the ifmap loses the same columns.
 * Row-wise: blocks of B rows keep a random 1 .. B/2 values a column; two
 * blocks of B/2 places stand in B places of the compressed matrix, and the
 * ifmap stays dense.
 *
 * v3 multiplies addresses with the pattern and takes 0 for "no value". So
 * with FilterOffset 0 the first weight counts as missing: in layer-wise mode
 * the values of its block move up by one place and address 0 comes back as
 * the padding behind them; in row-wise mode it is lost unless it is alone in
 * its block.
 */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>

#include "sim/base/checked.h"

/* ---- the generator behind numpy.random.seed and .randint ---- */

/* MT19937 as published by Matsumoto and Nishimura, seeded with one 32-bit word (their init_genrand). */
struct twister {
    uint32_t state[624];
    unsigned next;
};

static void twister_seed(struct twister *twister, uint32_t seed)
{
    twister->state[0] = seed;
    for (unsigned i = 1; i < 624; i++) {
        uint32_t previous = twister->state[i - 1];
        twister->state[i] = 1812433253u * (previous ^ (previous >> 30)) + i;
    }
    twister->next = 624;
}

static uint32_t twister_draw(struct twister *twister)
{
    if (twister->next == 624) {
        for (unsigned i = 0; i < 624; i++) {
            uint32_t y = (twister->state[i] & 0x80000000u) | (twister->state[(i + 1) % 624] & 0x7fffffffu);
            twister->state[i] = twister->state[(i + 397) % 624] ^ (y >> 1) ^ ((y & 1) ? 0x9908b0dfu : 0);
        }
        twister->next = 0;
    }
    uint32_t y = twister->state[twister->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* numpy's legacy bounded draw: mask to the bits of `most`, redraw what is above. No draw for most = 0. */
static uint32_t twister_at_most(struct twister *twister, uint32_t most)
{
    uint32_t mask = most, value;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    if (!most)
        return 0;
    do
        value = twister_draw(twister) & mask;
    while (value > most);
    return value;
}

/* ---- layer-wise ---- */

static enum sy_status compress_layer_wise(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    uint64_t keep = plan->keep, group = plan->group;
    if (keep < 1 || keep > group || group > UINT32_MAX)
        return sy_error(diag, SY_NOWHERE, "give N:M with 1 <= N <= M",
                        "the sparsity ratio %" PRIu64 ":%" PRIu64 " keeps nothing or more than all", keep, group);
    enum sy_status status = sy_ss_work(plan, plan->k, diag);
    if (status)
        return status;
    plan->ifmap_k = plan->filter_k = plan->k / group * keep + sy_min(plan->k % group, keep);
    plan->source = sy_ss_table(plan, plan->filter_k);
    plan->source_first = sy_ss_table(plan, plan->filter_k);
    if (!plan->source || !plan->source_first)
        return sy_ss_refuse(diag, NULL, "not enough working memory for the sparse filter");
    for (uint64_t i = 0; i < plan->filter_k; i++)
        plan->source[i] = plan->source_first[i] = (uint32_t)(i / keep * group + i % keep);
    if (plan->config->filter_offset == 0) {
        uint64_t values = sy_min(keep, plan->filter_k);
        for (uint64_t i = 0; i < values; i++)
            plan->source_first[i] = i + 1 < values ? (uint32_t)(i + 1) : 0;
        /* Rows that hold only zeros are cut from the end: with one filter, the padding above may be such a row. */
        if (plan->n == 1 && plan->source_first[plan->filter_k - 1] == 0)
            plan->filter_k--;
    }
    return SY_OK;
}

/* ---- row-wise ---- */

static void fill_row_wise(struct sy_ss_plan *plan, struct twister *twister)
{
    uint64_t block = plan->config->block, half = block / 2;
    twister_seed(twister, (uint32_t)plan->config->seed);
    for (uint64_t i = 0; i < plan->n; i++)
        plan->nonzeros[i] = 1 + twister_at_most(twister, (uint32_t)(half - 1));
    for (uint64_t i = 0; i < plan->filter_k; i++) {
        /* An odd block fills only 2 * (block / 2) of its places; the rows left over at the end stay empty. */
        uint64_t value = i / half * block + i % half;
        plan->slot[i] = (uint32_t)(i % half);
        plan->source[i] = value < plan->k ? (uint32_t)value : SY_SS_NONE;
        plan->source_first[i] = plan->slot[i] < plan->nonzeros[0] ? plan->source[i] : SY_SS_NONE;
    }
    if (plan->config->filter_offset != 0)
        return;
    uint64_t values = sy_min(plan->nonzeros[0], plan->k);
    for (uint64_t i = 0; i < half; i++)
        plan->source_first[i] = i + 1 < values ? (uint32_t)(i + 1) : SY_SS_NONE;
    if (plan->source_first[0] == SY_SS_NONE)
        plan->source_first[0] = 0;
}

static enum sy_status compress_row_wise(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    uint64_t block = plan->config->block;
    if (block > plan->rows)
        return sy_ss_raises(diag, "AssertionError", "ERROR: Invalid block size (above the array height)");
    if (block < 2)
        return sy_ss_raises(diag, "ValueError", "low >= high (the block size is below 2)");
    if (plan->config->seed > UINT32_MAX)
        return sy_ss_raises(diag, "ValueError", "Seed must be between 0 and 2**32 - 1");
    plan->filter_k = sy_ceil_div(plan->k, 2 * block) * block;
    /* Every place of the compressed filter is looked at, for the mapping efficiency. */
    uint64_t places;
    enum sy_status status = sy_ss_work(plan, sy_mul(plan->filter_k, plan->n, &places) ? places : UINT64_MAX, diag);
    if (status)
        return status;
    plan->source = sy_ss_table(plan, plan->filter_k);
    plan->source_first = sy_ss_table(plan, plan->filter_k);
    plan->slot = sy_ss_table(plan, plan->filter_k);
    plan->nonzeros = sy_ss_table(plan, plan->n);
    struct twister *twister = sy_arena_alloc(plan->arena, sizeof *twister);
    if (!plan->source || !plan->source_first || !plan->slot || !plan->nonzeros || !twister)
        return sy_ss_refuse(diag, NULL, "not enough working memory for the sparse filter");
    fill_row_wise(plan, twister);
    return SY_OK;
}

enum sy_status sy_ss_compress(struct sy_ss_plan *plan, struct sy_diag *diag)
{
    enum sy_status status = plan->config->row_wise ? compress_row_wise(plan, diag) : compress_layer_wise(plan, diag);
    if (status)
        return status;
    if (plan->config->dataflow != SY_SCALESIM_WS && plan->ifmap_k != plan->filter_k)
        return sy_ss_raises(diag, "AssertionError", "Dimension mismatch between operands");
    if (plan->filter_k == 0)
        return sy_ss_raises(diag, "ValueError", "need at least one array to concatenate");
    /* The row-wise ifmap rows are built from whole blocks of two tiles; a cut block makes them ragged. */
    if (plan->config->row_wise && plan->config->dataflow == SY_SCALESIM_WS && 2 * plan->rows % plan->config->block)
        return sy_ss_raises(diag, "ValueError", "ragged rows: the block size does not divide twice the array height");
    return SY_OK;
}

/* ---- storage ---- */

void sy_ss_storage(const struct sy_ss_plan *plan, struct sy_scalesim_result *result)
{
    uint64_t nonzero = 0;
    if (plan->config->row_wise) {
        uint64_t block = plan->config->block;
        for (uint64_t i = 0; i < plan->n; i++)
            nonzero += plan->k / block * plan->nonzeros[i] + sy_min(plan->k % block, plan->nonzeros[i]);
    } else {
        nonzero = plan->ifmap_k * plan->n;
    }
    result->effective_k = plan->filter_k;
    result->original_words = (double)plan->filter_words;
    if (plan->config->storage == SY_SCALESIM_ELLPACK_BLOCK) {
        unsigned bits = 0; /* of an index into a group of the topology file, also when row-wise mode ignores it */
        while (bits < 63 && ((uint64_t)1 << bits) < plan->group)
            bits++;
        double values = (double)(plan->filter_k * plan->n);
        result->metadata_words = values * bits / 32; /* 32-bit words, rounded nowhere */
        result->new_words = values + result->metadata_words;
    } else {
        uint64_t pointers = (plan->config->storage == SY_SCALESIM_CSR ? plan->k : plan->n) + 1;
        result->metadata_words = (double)(nonzero + pointers);
        result->new_words = (double)(2 * nonzero + pointers);
    }
}
