/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Planning of a matrix item: where its inputs come from, whether its output
 * stays on chip, the mapping, the buffers of every level. The walk that emits
 * commands is schedule_matrix.c.
 */
#include <string.h>

#include "sim/engine/schedule_internal.h"

static uint32_t chain_position(const struct sy_problem *problem, enum sy_operand operand, uint32_t level)
{
    uint32_t i = 0;
    while (i + 1 < problem->chain_length[operand] && problem->chain[operand][i] != level)
        i++;
    return i;
}

enum sy_status sy_plan_map(struct sy_scheduler *s, struct sy_matrix_walk *w, struct sy_mapping *mapping,
                           struct sy_estimate *estimate, char why[160])
{
    struct sy_map_memo *memo = sy_map_memo_of(s->memos, &w->problem);
    if (!memo->valid) {
        enum sy_status status =
            sy_map_search(&w->problem, &s->options.costs, s->options.objective, &memo->mapping, &memo->estimate, why);
        if (status != SY_OK)
            return status;
        memo->valid = true;
    }
    *mapping = memo->mapping;
    *estimate = memo->estimate;
    return SY_OK;
}

/* Where the output could stay: the innermost level of C's chain that stores whole tensors and that A is read from. */
uint32_t sy_keeping_level(const struct sy_scheduler *s)
{
    for (uint32_t i = 0; i < s->chain_length[SY_C]; i++) {
        uint32_t level = s->chain[SY_C][i];
        bool common = s->chip->cores <= 1 || s->chip->level[level].shared; /* every core reads all of it */
        if (common && level < s->on_chip && s->chip->level[level].stores_whole_tensors &&
            s->chip->level[level].holds >> SY_A & 1)
            return level;
    }
    return UINT32_MAX;
}

void sy_plan_free_bytes(struct sy_scheduler *s, struct sy_problem *problem)
{
    for (uint32_t level = 0; level < s->on_chip; level++)
        problem->free_bytes[level] = sy_space_bottom(&s->space[level]);
}

/* Cycles that reading the output back would take the layer that uses it. */
static uint64_t read_back_cycles(const struct sy_scheduler *s, uint64_t bytes)
{
    const struct sy_level *backing = &s->chip->level[s->chain[SY_A][s->chain_length[SY_A] - 1]];
    double hz = (double)s->chip->clock[0].frequency.num / (double)s->chip->clock[0].frequency.den;
    return backing->read_bytes_per_s > 0 ? (uint64_t)((double)bytes * hz / backing->read_bytes_per_s) : 0;
}

/* A cache that is appended to lives in memory: what one step adds is not the tensor. */
static bool may_stay(const struct sy_scheduler *s, uint64_t key)
{
    bool state = key == s->current->output_key && s->current->layer.out.flags & SY_TENSOR_STATE;
    return !state && !s->options.keep_nothing && !sy_fuse_leaves(s->current) &&
           sy_tensor_next_use(s, key) != UINT64_MAX;
}

/* The layer's output grows over the chunks of attention; its place is decided with the first that writes it. */
static bool in_later_chunk(const struct sy_scheduler *s, uint64_t key)
{
    return s->output_started && key == s->current->output_key;
}

/* The output of a layer inside a fused group stays, whatever it costs. */
static enum sy_status plan_fused(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    char why[160] = "";
    uint32_t level = sy_keeping_level(s);
    if (!sy_fuse_output(s, level, &w->sink_before))
        return SY_UNSUPPORTED;
    w->problem.home[SY_C] = chain_position(&w->problem, SY_C, level);
    sy_plan_free_bytes(s, &w->problem);
    enum sy_status status = sy_plan_map(s, w, &w->mapping, &s->plan.estimate, why);
    if (status == SY_UNSUPPORTED)
        sy_error(s->diag, SY_NOWHERE, "enlarge the level, or make the strips lower",
                 "layer %s does not fit chip %s beside what its fused group keeps on chip: %s", s->current->layer.name,
                 s->chip->name, why);
    return status;
}

/* Choose mapping and whether C stays: with it on chip unless that costs more than it saves. */
static enum sy_status plan_item(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t out_key, uint64_t out_bytes)
{
    char why[160] = "";
    struct sy_estimate kept_estimate, estimate;
    struct sy_mapping kept_mapping;
    if (sy_fuse_stays(s->current))
        return plan_fused(s, w);
    uint32_t level = may_stay(s, out_key) ? sy_keeping_level(s) : UINT32_MAX;
    struct sy_resident *resident = NULL;
    if (level != UINT32_MAX && in_later_chunk(s, out_key)) /* the chunks before made room, or found none */
        resident = sy_space_find(&s->space[level], out_key);
    else if (level != UINT32_MAX)
        resident = sy_tensors_keep(s, out_key, out_bytes, level, &w->sink_before);
    enum sy_status status;
    if (resident) {
        w->problem.home[SY_C] = chain_position(&w->problem, SY_C, level);
        sy_plan_free_bytes(s, &w->problem);
        status = sy_plan_map(s, w, &kept_mapping, &kept_estimate, why);
        bool large = !in_later_chunk(s, out_key) && out_bytes > s->space[level].capacity / 8;
        if (status == SY_OK && !large) {
            w->mapping = kept_mapping;
            s->plan.estimate = kept_estimate;
            return SY_OK;
        }
        struct sy_space saved = s->space[level];
        sy_space_drop(&s->space[level], resident);
        struct sy_problem with = w->problem;
        w->problem.home[SY_C] = w->problem.chain_length[SY_C] - 1;
        sy_plan_free_bytes(s, &w->problem);
        enum sy_status other = sy_plan_map(s, w, &w->mapping, &estimate, why);
        if (status == SY_OK &&
            (other != SY_OK || kept_estimate.cycles <= estimate.cycles + read_back_cycles(s, out_bytes))) {
            s->space[level] = saved;
            w->problem = with;
            w->mapping = kept_mapping;
            s->plan.estimate = kept_estimate;
            return SY_OK;
        }
        status = other;
    } else {
        sy_plan_free_bytes(s, &w->problem);
        status = sy_plan_map(s, w, &w->mapping, &estimate, why);
    }
    w->source[SY_C].on_chip = false;
    if (status == SY_OK)
        s->plan.estimate = estimate;
    else if (status == SY_UNSUPPORTED)
        sy_error(s->diag, SY_NOWHERE, "enlarge the level, or give the trace record a schedule that fits",
                 "layer %s does not fit chip %s: %s", s->current->layer.name, s->chip->name, why);
    return status;
}

static void plan_sides(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    w->problem.side_level = s->chain_length[SY_A] > 1 ? s->chain[SY_A][s->chain_length[SY_A] - 2] : 0;
    for (uint32_t i = 0; i < w->epilogue.tensor_inputs; i++) {
        int tensor = w->epilogue.tensors_in[i];
        if (tensor < 0 && tensor != SY_TENSOR_RUNNING)
            continue;
        const struct sy_tensor *info = tensor >= 0 ? &s->current->layer.in[tensor] : NULL;
        enum sy_dtype dtype = info ? info->dtype : w->problem.item.accumulator;
        struct sy_source source = sy_tensor_source(s, sy_tensor_key(s, tensor, false), info, SY_A);
        if (!source.on_chip)
            w->problem.side_bits += sy_dtypes[dtype].bits;
        w->side_dtype[w->sides] = dtype;
        w->side[w->sides++] = source;
    }
}

static void open_rings(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    uint64_t cursor[SY_MAX_LEVELS] = {0};
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t positions = w->problem.home[operand];
        if (operand == SY_C && positions == 0)
            positions = 1; /* partial sums have their own place */
        for (uint32_t i = 0; i < positions; i++) {
            uint32_t level = w->problem.chain[operand][i];
            sy_ring_open(s, &w->ring[operand][i], level, (enum sy_operand)operand,
                         (uint32_t)sy_map_buffers(&w->problem, &w->mapping, (enum sy_operand)operand, level),
                         sy_map_tile_bytes(&w->problem, &w->mapping, (enum sy_operand)operand, level), &cursor[level]);
        }
    }
    if (w->problem.side_bits)
        sy_ring_open(s, &w->side_ring, w->problem.side_level, SY_A, 2, sy_map_side_bytes(&w->problem, &w->mapping) / 2,
                     &cursor[w->problem.side_level]);
}

static void note_savings(struct sy_scheduler *s, const struct sy_matrix_walk *w, uint64_t out_bytes)
{
    uint64_t bytes = 0, elements = 0;
    if (w->source[SY_A].on_chip && sy_mul3(w->problem.item.m, w->problem.item.k, w->problem.item.groups, &elements)) {
        if (w->problem.item.window.is_conv)
            elements = sy_layer_input_elements(&s->current->layer, 0);
        (void)sy_dtype_bytes(w->problem.item.a, elements, &bytes);
        s->plan.saved_bytes += bytes;
    }
    if (w->source[SY_C].on_chip)
        s->plan.saved_bytes += out_bytes;
}

static bool item_macs(const struct sy_matrix_item *item, uint64_t *macs)
{
    return sy_mul3(item->m, item->k - item->pad_k, item->n - item->pad_n, macs) && sy_mul(*macs, item->groups, macs);
}

/* Those that the walk goes through, padding included. */
static bool walked_macs(const struct sy_matrix_item *item, uint64_t *macs)
{
    return sy_mul3(item->m, item->k, item->n, macs) && sy_mul(*macs, item->groups, macs);
}

/* Where the inputs come from and what the epilogue costs. */
static void take_inputs(struct sy_scheduler *s, struct sy_matrix_walk *w, const struct sy_matrix_item *item,
                        const struct sy_vector_item *epilogue)
{
    const struct sy_layer *layer = &s->current->layer;
    const int tensors[2] = {item->tensor_a, item->tensor_b};
    for (int operand = 0; operand < SY_C; operand++) {
        int tensor = tensors[operand];
        w->source[operand] = sy_tensor_source(s, sy_tensor_key(s, tensor, false),
                                              tensor >= 0 ? &layer->in[tensor] : NULL, (enum sy_operand)operand);
        w->problem.packed |= (uint8_t)(w->source[operand].weight << operand);
        if (w->source[operand].on_chip)
            w->problem.home[operand] = chain_position(&w->problem, (enum sy_operand)operand, w->source[operand].level);
    }
    if (!epilogue)
        return;
    w->has_epilogue = true;
    w->epilogue = *epilogue;
    plan_sides(s, w);
    uint64_t lanes = epilogue->simple_ops * s->chip->vector.simple_cycles +
                     epilogue->transcendental_ops * s->chip->vector.transcendental_cycles;
    w->problem.vector_ops_per_output =
        s->chip->vector.fuses_epilogue && !epilogue->scales ? 1 : sy_ceil_div(lanes, sy_max(epilogue->elements, 1));
}

/* The output is written anew: what the chip still holds under its name is an older version. */
static void retire_old(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t out_key)
{
    struct sy_source *sources[SY_C + SY_MAX_INPUTS] = {&w->source[SY_A], &w->source[SY_B]};
    for (uint32_t i = 0; i < w->sides; i++)
        sources[SY_C + i] = &w->side[i];
    sy_tensors_retire(s, out_key, sources, SY_C + w->sides);
}

/* How C leaves the array, and that it is on its way to the place where it stays. */
static void start_output(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t out_key)
{
    struct sy_source backing = sy_tensor_source(s, out_key, NULL, SY_C);
    w->source[SY_C].address = backing.address + sy_fuse_offset(s->current);
    const struct sy_level *inner = &s->chip->level[w->problem.chain[SY_C][0]];
    bool second_on_chip = w->problem.chain_length[SY_C] > 2;
    w->needs_vector = w->has_epilogue || inner->accumulates || w->problem.split == SY_DIM_K;
    w->vector_to = inner->accumulates && second_on_chip ? 1 : 0;
    if (w->source[SY_C].on_chip) {
        struct sy_resident *resident = sy_tensor_resident(s, &w->source[SY_C]);
        resident->dirty = true;
        if (!in_later_chunk(s, out_key) && !sy_fuse_stays(s->current))
            s->filled[w->source[SY_C].level][SY_C] += resident->bytes;
    }
}

/* Of a strip's MACs those of rows that were computed before are no use a second time. Rows are alike. */
static void take_halo(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    const struct sy_fuse_part *part = s->current->part;
    uint64_t useful = w->macs_total / (part->end - part->begin) * part->fresh;
    s->plan.halo_macs = w->macs_total - useful;
    w->macs_total = useful;
}

/* Keys or values that lie in pages. */
static void take_pages(const struct sy_scheduler *s, struct sy_matrix_walk *w, const struct sy_matrix_item *item)
{
    if (!s->cut || !sy_pages_split(&s->cut->dims))
        return;
    w->page = s->cut->dims.kv_page;
    w->page_first = s->first_key;
    w->page_dim = item->tensor_a == SY_TENSOR_INTERMEDIATE ? SY_DIM_K : SY_DIM_N;
}

/* What the tensor is in the end: all of the layer's output, or an intermediate of this chunk. */
static bool output_bytes(const struct sy_scheduler *s, const struct sy_matrix_item *item, uint64_t *bytes)
{
    uint64_t elements = sy_layer_output_elements(&s->current->layer);
    return (item->tensor_c == SY_TENSOR_OUT || sy_mul3(item->m, item->n, item->groups, &elements)) &&
           sy_dtype_bytes(item->c, elements, bytes);
}

enum sy_status sy_matrix_begin(struct sy_scheduler *s, const struct sy_matrix_item *item,
                               const struct sy_vector_item *epilogue)
{
    struct sy_matrix_walk *w = &s->matrix;
    const struct sy_layer *layer = &s->current->layer;
    memset(w, 0, offsetof(struct sy_matrix_walk, ring));
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < SY_MAX_LEVELS; i++)
            w->ring[operand][i].buffers = 0;
    memset(&w->source, 0, sizeof *w - offsetof(struct sy_matrix_walk, source));
    sy_problem_init(&w->problem, s->chip, item);
    w->problem.schedule = layer->has_schedule ? &layer->schedule : NULL;
    w->problem.beside = s->cut != NULL;
    take_inputs(s, w, item, epilogue);
    enum sy_status status = sy_cores_share(s, w);
    if (status != SY_OK)
        return status;
    if (!item_macs(item, &w->macs_total) || !walked_macs(&w->problem.item, &w->macs_share))
        return SY_OVERFLOW;
    if (s->current->part)
        take_halo(s, w);
    take_pages(s, w, item);
    const struct sy_matrix_item *all = &s->whole->item[s->item].u.matrix;
    uint64_t out_bytes = 0, out_key = sy_tensor_key(s, item->tensor_c, true);
    if (!output_bytes(s, item, &out_bytes))
        return SY_OVERFLOW;
    if (!in_later_chunk(s, out_key) && !sy_fuse_stays(s->current))
        retire_old(s, w, out_key);
    w->source[SY_C] = (struct sy_source){.key = out_key, .on_chip = true, .level = sy_keeping_level(s)};
    status = plan_item(s, w, out_key, out_bytes);
    if (status != SY_OK)
        return status;
    start_output(s, w, out_key);
    sy_matrix_start_walk(s, w);
    open_rings(s, w);
    s->output_started |= s->cut && item->tensor_c == SY_TENSOR_OUT;
    s->plan.has_matrix = true;
    s->plan.item = *all;
    s->plan.mapping = w->mapping;
    s->plan.split = w->problem.split;
    uint64_t exchanged = 0;
    if (w->problem.split == SY_DIM_K && !sy_exchange_bytes(w, &exchanged))
        return SY_OVERFLOW;
    s->plan.exchanged_bytes += exchanged;
    s->plan.kept |= w->source[SY_C].on_chip;
    note_savings(s, w, out_bytes);
    return SY_OK;
}
