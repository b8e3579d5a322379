/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention in blocks, as flash-style kernels do it: some heads and some
 * queries at a time, whose scores, softmax and product with the values stay on
 * chip. While the vector unit takes the softmax of one block, the array makes
 * the values of the one before and the scores of the one behind (ping-pong);
 * pieces of the softmax lie between the tiles, so that these leave the
 * accumulators, which the vector unit empties in order:
 *
 *   array   S0   S1         V0   S2    V1   S3    V2 ...
 *   vector       softmax 0  softmax 1  softmax 2
 *
 * The query heads that share a key head are rows of one product, position by
 * position. A block reads the keys that any of its queries can see: of a causal
 * mask those up to its last query, of a sliding window those from its first
 * one's on. What lies outside is skipped; what is masked inside is computed.
 * Keys and values are read again for every block of queries of a head. The
 * softmax is over all keys of a query, so a block holds whole rows of scores;
 * or, when the chip says so (core.attention.key_block), keys come in blocks too,
 * with a running softmax and an output that is scaled and added to on chip.
 * Source of the method: Dao et al., FlashAttention, 2022 (tiling over queries
 * and keys), FlashAttention-2, 2023 (the running output), and FlashAttention-3, 2024 (softmax of one block
 * under the products of another).
 */
#include <string.h>

#include "sim/engine/forward.h"
#include "sim/engine/schedule_internal.h"

/* Scores and softmax of two blocks are on chip together, beside tiles of the operands: a block's scores may take an
 * eighth of the level. A head has at most so many blocks by choice, each with as many rows as hide loading the array.
 */
enum { SCORE_SHARE = 8, MOST_BLOCKS = 8, ROWS_AN_ARRAY = 2 };
/* A softmax is put between tiles in at most so many pieces, each so many times as long as starting a vector command. */
enum { MOST_PIECES = 8, PIECE_STARTUPS = 64 };
/* Items of a lowering. */
enum { SCORES, SOFTMAX, VALUES };
static const double least_gain = 0.9;

static uint64_t part(uint64_t total, uint64_t from, uint64_t to, uint64_t all)
{
    uint64_t low = 0, high = 0;
    (void)sy_mul_div(total, from, all, &low);
    (void)sy_mul_div(total, to, all, &high);
    return high - low;
}

/* ---- what a block of queries sees ---- */

/* Query heads that share a key head. */
static uint64_t sharing_of(const struct sy_attention_dims *d)
{
    return sy_max(d->heads / sy_max(d->kv_heads, 1), 1);
}

/* A block of queries and the keys it reads. */
struct block {
    uint64_t first, rows;    /* of a head's product */
    uint64_t keys;           /* that it computes with */
    uint64_t start;          /* the first key it reads when keys come all at once */
    uint64_t from, to, base; /* of a key block each: from, up to before; base: the first key that any query sees */
};

static struct block block_of(const struct sy_attention_cut *cut, uint64_t index)
{
    const struct sy_attention_dims *d = &cut->dims;
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix;
    struct block block = {.first = index * cut->chunk_rows, .base = d->kv_len - scores->n, .to = 1};
    uint64_t sharing = sharing_of(d), start = block.base, end = d->kv_len, wide = cut->key_block;
    block.rows = sy_min(cut->chunk_rows, scores->m - block.first);
    if (d->causal && d->kv_len >= d->q_len) {
        uint64_t before = d->kv_len - d->q_len; /* keys before the first query's own */
        uint64_t lowest = before + block.first / sharing + 1;
        end = before + (block.first + block.rows - 1) / sharing + 1;
        start = d->window && lowest > d->window ? lowest - d->window : 0;
    }
    block.start = sy_max(start, block.base);
    block.keys = sy_min(end - start, scores->n);
    if (wide) {
        block.from = start / wide;
        block.to = sy_ceil_div(end, wide);
        block.keys = sy_min(block.to * wide, d->kv_len) - sy_max(block.from * wide, block.base);
    }
    return block;
}

/* Keys of a key block that are there and that any query of the layer sees; the others are padding. */
static uint64_t keys_there(const struct sy_attention_cut *cut, const struct block *block, uint64_t index)
{
    uint64_t wide = cut->key_block;
    return wide ? sy_min((index + 1) * wide, cut->dims.kv_len) - sy_max(index * wide, block->base) : block->keys;
}

/* Query-key pairs of one head before a block. */
static uint64_t pairs_before(const struct sy_attention_cut *cut, uint64_t index)
{
    uint64_t pairs = 0;
    for (uint64_t i = 0; i < index; i++) {
        struct block block = block_of(cut, i);
        pairs += block.rows * block.keys;
    }
    return pairs;
}

/* Chunks of a group of heads. */
static uint64_t chunks_of_group(const struct sy_attention_cut *cut)
{
    uint64_t chunks = 0;
    for (uint64_t i = 0; i < cut->blocks; i++) {
        struct block block = block_of(cut, i);
        chunks += block.to - block.from;
    }
    return chunks;
}

/* ---- cutting ---- */

/* Cycles of one product on the arrays: a fold takes its rows of A or the loading of its weights, whichever is longer.
 */
static uint64_t array_cycles(const struct sy_chip *chip, const struct sy_matrix_item *item)
{
    uint64_t folds = sy_ceil_div(item->k, chip->array.rows) * sy_ceil_div(item->n, chip->array.cols);
    uint64_t cycles = 0;
    return sy_mul3(folds, sy_max(item->m, chip->array.rows), item->groups, &cycles)
               ? cycles / sy_max(chip->array.count, 1)
               : UINT64_MAX;
}

/* Two stages of x and y cycles in n blocks take max(x, y) + min(x, y) / n: the larger one shows, and the smaller one of
 * one block. Each block starts two products and their loads anew. Of a causal mask b blocks a head compute the part
 * (1 + 1 / b) / 2. An estimate to choose by; the run says what it takes. */
struct stages {
    double more, less, each;
    bool halves;
};

static struct stages stages_of(const struct sy_chip *chip, const struct sy_attention_cut *cut)
{
    const struct sy_vector_item *softmax = &cut->whole.item[SOFTMAX].u.vector;
    double array = (double)array_cycles(chip, &cut->whole.item[SCORES].u.matrix) +
                   (double)array_cycles(chip, &cut->whole.item[VALUES].u.matrix);
    double vector = ((double)softmax->simple_ops * (double)chip->vector.simple_cycles +
                     (double)softmax->transcendental_ops * (double)chip->vector.transcendental_cycles +
                     (double)softmax->reduce_ops * (double)chip->vector.reduce_cycles) /
                    (double)sy_max(chip->vector.lanes, 1);
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    double latency = (double)chip->level[chip->levels - 1].latency_ps * 1e-12 * hz;
    double start = (double)(chip->dma.overhead_cycles + chip->array.rows + chip->array.cols) + latency;
    return (struct stages){array > vector ? array : vector, array > vector ? vector : array, 4 * start,
                           cut->dims.causal && cut->dims.q_len > 1};
}

static double time_in_blocks(const struct stages *stages, uint64_t chunks, uint64_t blocks)
{
    double part = stages->halves ? (1 + 1 / (double)blocks) / 2 : 1;
    return (stages->more + stages->less / (double)chunks) * part + (double)chunks * stages->each;
}

/* Blocks of queries a head, or when that is 1, groups of heads. */
static void choose_counts(const struct sy_chip *chip, const struct sy_attention_cut *cut, uint64_t *blocks,
                          uint64_t *head_groups)
{
    struct stages stages = stages_of(chip, cut);
    uint64_t groups = cut->whole.item[SCORES].u.matrix.groups;
    double best = time_in_blocks(&stages, 1, 1) * least_gain; /* the estimate is not good enough for less */
    *blocks = *head_groups = 1;
    for (uint64_t b = 1; b <= MOST_BLOCKS; b++) {
        for (uint64_t n = b == 1 ? 2 : groups; n <= (b == 1 ? sy_min(groups, MOST_BLOCKS) : groups); n++) {
            double time = time_in_blocks(&stages, n * b, b);
            if (time >= best)
                continue;
            best = time;
            *blocks = b;
            *head_groups = n;
        }
    }
}

static void choose_blocks(const struct sy_chip *chip, struct sy_attention_cut *cut, uint64_t budget, uint64_t row)
{
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix;
    uint64_t sharing = sharing_of(&cut->dims), least = ROWS_AN_ARRAY * chip->array.rows;
    uint64_t blocks = 1, head_groups = 1;
    choose_counts(chip, cut, &blocks, &head_groups);
    uint64_t rows = blocks > 1 ? sy_max(sy_ceil_div(scores->m, blocks), least) : scores->m;
    if (chip->attention.queries)
        rows = chip->attention.queries * sharing; /* a block is below 2^20 queries */
    rows = sy_min(sy_min(rows, scores->m), sy_max(budget / row, 1));
    if (rows < scores->m && !chip->attention.queries) { /* whole positions, equal blocks */
        rows = sy_ceil_div(scores->m, sy_ceil_div(scores->m, rows));
        rows = rows >= sharing ? rows / sharing * sharing : rows;
    }
    cut->chunk_rows = rows;
    cut->blocks = sy_ceil_div(scores->m, rows);
    /* A head's blocks follow one another and share its keys; each core has a head. */
    uint64_t together = cut->blocks > 1 ? sy_max(chip->cores, 1) : sy_ceil_div(scores->groups, head_groups);
    cut->chunk_groups = sy_min(sy_min(together, sy_max(budget / row / rows, 1)), scores->groups);
}

/* How one kind of sequence is cut. */
static void cut_kind(const struct sy_scheduler *s, struct sy_attention_cut *cut)
{
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix;
    uint32_t level = sy_keeping_level(s);
    uint64_t row = 0, budget = 0, running = 0, wide = s->chip->attention.keys;
    cut->key_block = 0;
    cut->chunk_groups = scores->groups;
    cut->chunk_rows = scores->m;
    cut->blocks = 1;
    if (!s->options.keep_nothing && level != UINT32_MAX && sy_dtype_bytes(scores->c, wide ? wide : scores->n, &row) &&
        sy_dtype_bytes(scores->accumulator, cut->dims.value_dim, &running))
        budget = s->chip->level[level].capacity_bytes / SCORE_SHARE;
    row = wide ? sy_max(row, running) : row;
    if (row && row <= budget) {
        choose_blocks(s->chip, cut, budget, row);
        cut->key_block = wide;
    }
    cut->chunks = sy_ceil_div(scores->groups, cut->chunk_groups) * chunks_of_group(cut);
    cut->pairs = pairs_before(cut, cut->blocks);
}

/* Take up the kind of sequence at `at` of the layer's list (NULL: the first one), whose chunks begin at `first`. */
static enum sy_status take_kind(struct sy_scheduler *s, struct sy_attention_cut *cut, const char *at, uint64_t first)
{
    const struct sy_layer *layer = &s->current->layer;
    struct sy_attention_dims following;
    cut->first = first;
    cut->next = at;
    if (!sy_attention_part(&layer->dim.attention, &cut->next, &cut->dims))
        return SY_INTERNAL;
    at = cut->next;
    cut->last = !sy_attention_part(&layer->dim.attention, &at, &following);
    enum sy_status status = sy_lower_part(layer, &cut->dims, &cut->whole);
    if (status != SY_OK)
        return sy_error(s->diag, SY_NOWHERE, NULL, "layer %s: its work does not fit 64 bits", layer->name), status;
    cut_kind(s, cut);
    if ((status = sy_pages_table(s, cut)) != SY_OK)
        return status;
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix,
                                *values = &cut->whole.item[VALUES].u.matrix;
    s->plan.skipped_macs += (scores->m * scores->n - cut->pairs) * scores->groups * (scores->k + values->n);
    return SY_OK;
}

/* ---- the blocks in turn ---- */

/* The products of a chunk: `keys` of them wide, of which `there` are. */
static void cut_products(struct sy_scheduler *s, uint64_t groups, uint64_t rows, uint64_t keys, uint64_t there)
{
    struct sy_matrix_item *scores = &s->work.item[SCORES].u.matrix, *values = &s->work.item[VALUES].u.matrix;
    scores->groups = values->groups = groups;
    scores->m = values->m = rows;
    scores->n = values->k = values->dense_k = keys;
    scores->pad_n = values->pad_k = keys - there;
}

/* The share of the whole softmax that lies between two numbers of pairs, of all. */
static void cut_softmax(struct sy_vector_item *vector, uint64_t from, uint64_t to, uint64_t all)
{
    uint64_t *shares[] = {&vector->elements,   &vector->simple_ops, &vector->transcendental_ops,
                          &vector->reduce_ops, &vector->bytes_in,   &vector->bytes_out};
    for (size_t k = 0; k < sizeof shares / sizeof shares[0]; k++)
        *shares[k] = part(*shares[k], from, to, all);
}

/* One block of keys out of several: a running softmax, and an output that is scaled and added to. */
static enum sy_status cut_keys(struct sy_scheduler *s, uint64_t rows, bool first, bool last)
{
    struct sy_matrix_item *values = &s->work.item[VALUES].u.matrix;
    struct sy_vector_item *softmax = &s->work.item[SOFTMAX].u.vector;
    struct sy_item *rescale = &s->work.item[s->work.items++];
    enum sy_dtype format = s->current->layer.in[0].dtype, out = s->current->layer.out.dtype;
    rescale->kind = SY_ITEM_VECTOR;
    if (!last) {
        values->tensor_c = SY_TENSOR_RUNNING;
        values->c = values->accumulator;
    }
    bool fits = sy_lower_block_softmax(softmax, rows, s->cut->key_block, first, format, format) &&
                sy_lower_rescale(&rescale->u.vector, rows, values->n, first, last, values->accumulator, out);
    return fits ? SY_OK : SY_OVERFLOW;
}

/* The chunk at hand as `work`. Heads outer, query blocks inner, key blocks innermost: the keys and values of a head are
 * used together. */
static enum sy_status take_chunk(struct sy_scheduler *s)
{
    const struct sy_attention_cut *cut = s->cut;
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix;
    uint64_t each = chunks_of_group(cut), chunk = s->chunk - cut->first, index = 0, left = chunk % each;
    uint64_t first_group = chunk / each * cut->chunk_groups;
    uint64_t groups = sy_min(cut->chunk_groups, scores->groups - first_group);
    struct block block = block_of(cut, 0);
    while (left >= block.to - block.from) {
        left -= block.to - block.from;
        block = block_of(cut, ++index);
    }
    uint64_t keys = cut->key_block ? cut->key_block : block.keys, rows = groups * block.rows;
    bool first = left == 0, last = left + 1 == block.to - block.from;
    s->whole = &cut->whole;
    s->work = cut->whole;
    s->key_block = left;
    s->first_key = cut->key_block ? sy_max((block.from + left) * keys, block.base) : block.start;
    cut_products(s, groups, block.rows, keys, keys_there(cut, &block, block.from + left));
    if (!first || !last)
        return cut_keys(s, rows, first, last);
    if (cut->key_block) { /* all keys in one block, padded */
        struct sy_vector_item *softmax = &s->work.item[SOFTMAX].u.vector;
        cut_softmax(softmax, 0, rows * keys, scores->groups * scores->m * scores->n);
        return SY_OK;
    }
    uint64_t all = scores->groups * scores->m * scores->n;
    uint64_t from = first_group * cut->pairs + groups * pairs_before(cut, index);
    cut_softmax(&s->work.item[SOFTMAX].u.vector, from, from + rows * keys, all);
    return SY_OK;
}

/* To a chunk at most one kind away from the last. Three kinds are held, so that going to and fro cuts nothing anew. */
static enum sy_status go_to_chunk(struct sy_scheduler *s, uint64_t chunk)
{
    enum { HELD = sizeof s->part / sizeof s->part[0] };
    struct sy_attention_cut *last = s->cut;
    for (int i = 0; i < HELD; i++) {
        struct sy_attention_cut *cut = &s->part[i];
        if (cut->chunks && cut->first > last->first)
            last = cut;
        if (cut->chunks && chunk >= cut->first && chunk - cut->first < cut->chunks)
            s->cut = cut;
    }
    if (chunk >= last->first + last->chunks) { /* only ever one further */
        struct sy_attention_cut *next = &s->part[(last - s->part + 1) % HELD];
        enum sy_status status = take_kind(s, next, last->next, last->first + last->chunks);
        if (status != SY_OK)
            return status;
        s->cut = next;
    }
    s->chunk = chunk;
    return take_chunk(s);
}

enum sy_status sy_attention_cut(struct sy_scheduler *s)
{
    memset(s->part, 0, sizeof s->part);
    s->cut = &s->part[0];
    s->weave = (struct sy_weave){.turn = SY_TURN_FIRST};
    enum sy_status status = take_kind(s, s->cut, NULL, 0);
    return status == SY_OK ? take_chunk(s) : status;
}

/* ---- softmax between the tiles of the products beside it ---- */

/* Pieces of a softmax, so that each is worth starting and the products' tiles find their way through between them. */
static uint64_t pieces_of(const struct sy_scheduler *s)
{
    const struct sy_vector_item *item = &s->stream.item;
    const struct sy_vector_unit *unit = &s->chip->vector;
    uint64_t cycles = (item->simple_ops * unit->simple_cycles + item->transcendental_ops * unit->transcendental_cycles +
                       item->reduce_ops * unit->reduce_cycles) /
                      sy_max(unit->lanes, 1);
    uint64_t worth = PIECE_STARTUPS * sy_max(unit->startup_cycles, 1);
    return sy_max(sy_min(sy_min(cycles / worth, MOST_PIECES), s->stream.elements), 1);
}

/* The softmax has begun: may its work be put between the tiles of the products beside it? When what it reads and makes
 * is on chip; buffers of its own would lie where the products have theirs. */
bool sy_attention_weaves(struct sy_scheduler *s)
{
    struct sy_stream_walk *stream = &s->stream;
    bool beside = s->weave.softmax > 0 || s->weave.more;
    if (!beside || stream->in_ring.buffers || stream->out_ring.buffers || stream->chunks != 1)
        return false;
    stream->chunks = pieces_of(s);
    s->weave.open = true;
    s->weave.macs = s->weave.macs_done = 0;
    for (int after = 0; after < 2; after++) { /* values of the chunk before, scores of the one behind: about as much */
        uint64_t macs = 0;
        const struct sy_matrix_item *item = &s->work.item[after ? SCORES : VALUES].u.matrix;
        if ((after ? s->weave.more : s->weave.softmax > 0) && sy_mul3(item->m, item->k, item->n, &macs))
            (void)sy_mul(macs, item->groups, &macs);
        s->weave.macs += macs / sy_max(s->chip->cores, 1);
    }
    return true;
}

/* Before a step of a product: as much of the softmax as the products have come on. */
enum sy_status sy_attention_weave(struct sy_scheduler *s)
{
    uint64_t done = s->weave.macs_done + s->matrix.macs_walked, due = 0;
    struct sy_stream_walk *stream = &s->stream;
    enum sy_status status = SY_OK;
    if (!sy_mul_div(stream->chunks, sy_min(done, s->weave.macs), sy_max(s->weave.macs, 1), &due))
        due = stream->chunks;
    while (status == SY_OK && stream->next < stream->chunks && stream->next <= due)
        status = sy_stream_step(s);
    return status;
}

/* On to an item of a chunk. */
static enum sy_status go(struct sy_scheduler *s, uint32_t item, uint64_t chunk)
{
    s->item = item;
    return chunk != s->chunk ? go_to_chunk(s, chunk) : SY_OK;
}

/* Does every whole group of heads have the same softmax? Shares of it are rounded; they are alike when none is. */
static bool same_shares(const struct sy_attention_cut *cut)
{
    const struct sy_vector_item *softmax = &cut->whole.item[SOFTMAX].u.vector;
    const struct sy_matrix_item *scores = &cut->whole.item[SCORES].u.matrix;
    const uint64_t totals[] = {softmax->elements,   softmax->simple_ops, softmax->transcendental_ops,
                               softmax->reduce_ops, softmax->bytes_in,   softmax->bytes_out};
    sy_u128 all = (sy_u128)scores->groups * scores->m * scores->n, share = (sy_u128)cut->chunk_groups * cut->pairs;
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++)
        if (share > UINT64_MAX || share * totals[i] % all)
            return false;
    return true;
}

/* At the analytic fidelity: a group runs to fill pipelines, a period is measured, then whole periods are left out of
 * the `left` groups from here on. Returns how many groups those are. */
static uint64_t sample_groups(struct sy_scheduler *s, uint64_t left)
{
    enum { WARM = 1, PERIOD = 2 }; /* double buffers and the softmax's turns */
    struct sy_group_sample *sample = &s->sample;
    uint64_t at = sample->groups++, times = left / PERIOD;
    if (at == WARM && left >= 2 * PERIOD) {
        memcpy(sample->filled, s->filled, sizeof s->filled);
        sample->macs = s->macs_given;
        sample->saved_bytes = s->plan.saved_bytes;
        sample->exchanged_bytes = s->plan.exchanged_bytes;
        s->measure = SY_GROUP_LOOP + 1;
    }
    if (at != WARM + PERIOD || !times)
        return 0;
    for (uint32_t l = 0; l < s->on_chip; l++) {
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            uint64_t more = times * (s->filled[l][operand] - sample->filled[l][operand]);
            s->filled[l][operand] += more;
            s->released[l][operand] += more;
        }
    }
    s->skipped_macs = times * (s->macs_given - sample->macs);
    s->macs_given += s->skipped_macs;
    s->plan.saved_bytes += times * (s->plan.saved_bytes - sample->saved_bytes);
    s->plan.exchanged_bytes += times * (s->plan.exchanged_bytes - sample->exchanged_bytes);
    s->jump = SY_GROUP_LOOP + 1;
    s->skipped = times;
    return times * PERIOD;
}

/* A group of heads begins: those behind it that are alike are left out, all but the last two (the scores of one are
 * made beside the softmax of the one before). */
static void leave_out_groups(struct sy_scheduler *s)
{
    const struct sy_attention_cut *cut = s->cut;
    uint64_t each = chunks_of_group(cut), at = s->weave.softmax - cut->first;
    uint64_t groups = cut->whole.item[SCORES].u.matrix.groups / cut->chunk_groups;
    if (at == 0 && s->forward)
        sy_forward_groups(s->forward);
    if (at == 0)
        s->sample.groups = 0;
    if (at % each || groups < at / each + 3 || !same_shares(cut))
        return;
    uint64_t left = groups - at / each - 2;
    s->weave.softmax += (s->options.sample_loops ? sample_groups(s, left) : sy_forward_group(s->forward, left)) * each;
}

/* S0; then softmax i beside V(i - 1) and S(i + 1), for each i; then the last V. */
enum sy_status sy_attention_next(struct sy_scheduler *s)
{
    struct sy_weave *weave = &s->weave;
    if (weave->open && weave->turn != SY_TURN_SOFTMAX)
        weave->macs_done += s->matrix.macs_walked;
    switch (weave->turn) {
    case SY_TURN_FIRST:
        break;
    case SY_TURN_SOFTMAX:
        weave->turn = SY_TURN_VALUES;
        if (weave->softmax > 0)
            return go(s, VALUES, weave->softmax - 1);
        /* fall through */
    case SY_TURN_VALUES:
        weave->turn = SY_TURN_SCORES;
        if (weave->more)
            return go(s, SCORES, weave->softmax + 1);
        /* fall through */
    case SY_TURN_SCORES:
        weave->turn = SY_TURN_REST;
        if (weave->open) {
            weave->open = false;
            s->item = SOFTMAX;
            s->item_started = true;
            return SY_OK;
        }
        /* fall through */
    case SY_TURN_REST:
        if (!weave->more) {
            weave->turn = SY_TURN_LAST;
            return go(s, VALUES, weave->softmax);
        }
        weave->softmax++;
        break;
    case SY_TURN_LAST:
        s->item = s->work.items;
        return SY_OK;
    }
    weave->turn = SY_TURN_SOFTMAX;
    enum sy_status status = go(s, SOFTMAX, weave->softmax);
    if ((s->forward || s->options.sample_loops) && status == SY_OK) {
        leave_out_groups(s);
        status = go(s, SOFTMAX, weave->softmax);
    }
    weave->more = weave->softmax + 1 < s->cut->first + s->cut->chunks || !s->cut->last;
    return status;
}
