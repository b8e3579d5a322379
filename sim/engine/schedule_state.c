/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schedule generator's state as words (state.h), for fast-forwarding:
 * between layers (what is resident where, who used which range last), and
 * within a layer at a turn of a tile loop (buffers and who uses them).
 *
 * Stamps of commands that are past (id below `oldest`) are written as none:
 * whoever depends on them waits for nothing. They are not merely ignored:
 * sy_schedule_forget drops them between layers whether or not anything is
 * fast-forwarded, so that both give the same schedule.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/schedule_internal.h"

/* ---- all stamps ---- */

typedef void (*stamp_fn)(void *context, uint64_t *stamp);

static void each_of(struct sy_users *users, stamp_fn fn, void *context)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        fn(context, &users->stamp[i]);
}

static void each_between_layers(struct sy_scheduler *s, stamp_fn fn, void *context)
{
    each_of(&s->last, fn, context);
    for (uint32_t level = 0; level < s->on_chip; level++) {
        struct sy_space *space = &s->space[level];
        for (uint32_t i = 0; i < space->residents; i++) {
            fn(context, &space->resident[i].producer);
            each_of(&space->resident[i].users, fn, context);
        }
        for (uint32_t i = 0; i < space->hazards; i++)
            each_of(&space->hazard[i].users, fn, context);
    }
    for (uint32_t i = 0; i < SY_STORED; i++)
        if (s->stored[i].key)
            fn(context, &s->stored[i].stamp);
}

static void each_of_ring(struct sy_ring *ring, stamp_fn fn, void *context)
{
    for (uint32_t i = 0; i < ring->buffers; i++) {
        each_of(&ring->buffer[i].producers, fn, context);
        each_of(&ring->buffer[i].users, fn, context);
    }
}

static void each_of_walk(struct sy_matrix_walk *w, stamp_fn fn, void *context)
{
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        for (uint32_t i = 0; i < SY_MAX_LEVELS; i++)
            each_of_ring(&w->ring[operand][i], fn, context);
        fn(context, &w->source[operand].producer);
    }
    each_of_ring(&w->side_ring, fn, context);
    for (uint32_t i = 0; i < w->sides; i++)
        fn(context, &w->side[i].producer);
    each_of(&w->sink_before, fn, context);
    each_of(&w->last_out, fn, context);
}

static void forget_stamp(void *context, uint64_t *stamp)
{
    const uint64_t *oldest = context;
    if (*stamp && *stamp - 1 < *oldest)
        *stamp = 0;
}

static bool nobody(const struct sy_users *users)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        if (users->stamp[i])
            return false;
    return true;
}

void sy_schedule_forget(struct sy_scheduler *s, uint64_t oldest)
{
    each_between_layers(s, forget_stamp, &oldest);
    for (uint32_t level = 0; level < s->on_chip; level++) {
        struct sy_space *space = &s->space[level];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < space->hazards; i++)
            if (!nobody(&space->hazard[i].users))
                space->hazard[kept++] = space->hazard[i];
        space->hazards = kept;
    }
    uint32_t kept = 0; /* in order of age, from the start */
    struct sy_stored stored[SY_STORED] = {{0}};
    for (uint32_t i = 0; i < SY_STORED; i++) {
        const struct sy_stored *entry = &s->stored[(s->stored_next + i) % SY_STORED];
        if (entry->key && entry->stamp)
            stored[kept++] = *entry;
    }
    memcpy(s->stored, stored, sizeof s->stored);
    s->stored_next = kept % SY_STORED;
}

/* ---- within a layer ---- */

struct stamp_writer {
    struct sy_state *state;
    uint64_t oldest, next;
};

static void write_stamp(void *context, uint64_t *stamp)
{
    struct stamp_writer *writer = context;
    bool live = *stamp && *stamp - 1 >= writer->oldest;
    (void)sy_state_value(writer->state, live ? writer->next - *stamp + 1 : 0);
}

/* Blocks lie relative to the loop's place in the dimension in which it turns. */
static void write_ring(struct sy_state *state, const struct sy_matrix_walk *w, const struct sy_ring *ring,
                       enum sy_dim dim, uint64_t place)
{
    (void)sy_state_value(state, (uint64_t)ring->buffers << 32 | ring->current);
    bool moves = ring->operand < SY_OPERANDS && sy_map_indexes(&w->problem, ring->operand, dim);
    for (uint32_t i = 0; i < ring->buffers; i++) {
        const struct sy_buffer *buffer = &ring->buffer[i];
        (void)sy_state_value(state, buffer->full);
        if (!buffer->full)
            continue;
        (void)sy_state_value(state, buffer->bytes);
        for (int d = 0; d < SY_DIMS; d++)
            (void)sy_state_value(state, buffer->tile[d] - (moves && d == (int)dim ? place : 0));
    }
}

void sy_schedule_save_loop(struct sy_scheduler *s, uint32_t loop, uint64_t oldest, struct sy_state *state)
{
    struct sy_matrix_walk *w = &s->matrix;
    enum sy_dim dim = w->loop[loop].dim;
    uint64_t place = w->start[w->loop[loop].level][dim];
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < SY_MAX_LEVELS; i++)
            write_ring(state, w, &w->ring[operand][i], dim, place);
    write_ring(state, w, &w->side_ring, dim, place);
    for (uint32_t level = 0; level < s->on_chip; level++) {
        const struct sy_space *space = &s->space[level];
        (void)sy_state_value(state, (uint64_t)space->residents << 32 | space->hazards);
        for (uint32_t i = 0; i < space->hazards; i++) {
            (void)sy_state_value(state, space->hazard[i].low);
            (void)sy_state_value(state, space->hazard[i].high);
        }
    }
    (void)sy_state_value(state, s->barrier);
    struct stamp_writer writer = {state, oldest, s->next_id};
    each_between_layers(s, write_stamp, &writer);
    each_of_walk(w, write_stamp, &writer);
}

/* Between two groups of heads of attention nothing is half done: what stays on chip, by its very names, and what is
 * still to be waited for. Of stored tensors those that are not past count, in order of age. */
void sy_schedule_save_group(struct sy_scheduler *s, uint64_t oldest, struct sy_state *state)
{
    struct stamp_writer writer = {state, oldest, s->next_id};
    each_of(&s->last, write_stamp, &writer);
    (void)sy_state_value(state, s->barrier);
    for (uint32_t level = 0; level < s->on_chip; level++) {
        struct sy_space *space = &s->space[level];
        (void)sy_state_value(state, (uint64_t)space->residents << 32 | space->hazards);
        for (uint32_t i = 0; i < space->residents; i++) {
            struct sy_resident *resident = &space->resident[i];
            (void)sy_state_value(state, resident->key);
            (void)sy_state_value(state, resident->low);
            (void)sy_state_value(state, resident->high);
            write_stamp(&writer, &resident->producer);
            each_of(&resident->users, write_stamp, &writer);
        }
        for (uint32_t i = 0; i < space->hazards; i++) {
            (void)sy_state_value(state, space->hazard[i].low);
            (void)sy_state_value(state, space->hazard[i].high);
            each_of(&space->hazard[i].users, write_stamp, &writer);
        }
    }
    for (uint32_t i = 0; i < SY_STORED; i++) {
        struct sy_stored *stored = &s->stored[(s->stored_next + i) % SY_STORED];
        if (!stored->key || !stored->stamp || stored->stamp - 1 < oldest)
            continue;
        (void)sy_state_value(state, stored->key);
        write_stamp(&writer, &stored->stamp);
    }
}

static void shift_stamp(void *context, uint64_t *stamp)
{
    if (*stamp)
        *stamp += *(const uint64_t *)context;
}

void sy_schedule_shift(struct sy_scheduler *s, uint64_t commands)
{
    each_between_layers(s, shift_stamp, &commands);
    each_of_walk(&s->matrix, shift_stamp, &commands);
    s->next_id += commands;
}

/* ---- between layers ---- */

static uint64_t name_at(const struct sy_names *names, uint64_t code)
{
    uint64_t key = code >> 1 < names->count ? names->key[code >> 1] : 0;
    return code & 1 ? key ^ SY_OLD_VERSION : key;
}

/* The key's code, 0 when it has no name (key[0] is "none"). */
static uint64_t code_of(const struct sy_names *names, uint64_t key, bool *known)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->key[i] == key)
            return (uint64_t)i << 1;
        if (i && (names->key[i] ^ SY_OLD_VERSION) == key)
            return (uint64_t)i << 1 | 1;
    }
    *known = false;
    return 0;
}

static void add_name(struct sy_names *names, uint64_t key)
{
    bool known = true;
    (void)code_of(names, key, &known);
    if (!known && names->count < SY_NAMES)
        names->key[names->count++] = key;
}

void sy_schedule_name(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, uint64_t index,
                      struct sy_names *names)
{
    names->count = 0;
    names->key[names->count++] = 0;
    for (uint32_t level = 0; level < s->on_chip; level++)
        for (uint32_t i = 0; i < s->space[level].residents; i++)
            add_name(names, s->space[level].resident[i].key);
    for (uint32_t i = 0; i < SY_STORED && s->stored[i].key; i++)
        add_name(names, s->stored[i].key);
    for (uint32_t i = 0; i < upcoming->layer.inputs; i++)
        add_name(names, upcoming->input_key[i]);
    add_name(names, upcoming->output_key);
    for (uint32_t i = 0; i < SY_MAX_ITEMS; i++)
        add_name(names, sy_schedule_temporary_key(index) + i);
}

static void visit_stamp(struct sy_state *state, uint64_t *stamp, uint64_t next)
{
    uint64_t word = *stamp ? next - *stamp + 1 : 0;
    sy_state_u64(state, &word);
    *stamp = word ? next + 1 - word : 0;
}

static void visit_users(struct sy_state *state, struct sy_users *users, uint64_t next)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        visit_stamp(state, &users->stamp[i], next);
}

static void visit_key(struct sy_state *state, uint64_t *key, const struct sy_names *names)
{
    bool known = true;
    uint64_t code = state->loading ? 0 : code_of(names, *key, &known);
    if (!known)
        state->failed = true;
    sy_state_u64(state, &code);
    *key = state->loading ? name_at(names, code) : *key;
}

static void visit_space(struct sy_state *state, struct sy_space *space, const struct sy_names *names, uint64_t next)
{
    space->residents = (uint32_t)sy_min(sy_state_value(state, space->residents), SY_MAX_RESIDENT);
    for (uint32_t i = 0; i < space->residents; i++) {
        struct sy_resident *resident = &space->resident[i];
        visit_key(state, &resident->key, names);
        sy_state_u64(state, &resident->low);
        sy_state_u64(state, &resident->high);
        sy_state_u64(state, &resident->bytes);
        uint64_t flags = (uint64_t)resident->dirty | (uint64_t)resident->pinned << 1 |
                         (uint64_t)resident->producer_class << 8 | (uint64_t)resident->books << 16 |
                         (uint64_t)resident->fused << 24;
        sy_state_u64(state, &flags);
        resident->dirty = flags & 1;
        resident->pinned = flags >> 1 & 1;
        resident->producer_class = (uint8_t)(flags >> 8);
        resident->books = (uint8_t)(flags >> 16);
        resident->fused = (uint8_t)(flags >> 24);
        visit_stamp(state, &resident->producer, next);
        visit_users(state, &resident->users, next);
    }
    space->hazards = (uint32_t)sy_min(sy_state_value(state, space->hazards), SY_MAX_HAZARDS);
    for (uint32_t i = 0; i < space->hazards; i++) {
        sy_state_u64(state, &space->hazard[i].low);
        sy_state_u64(state, &space->hazard[i].high);
        visit_users(state, &space->hazard[i].users, next);
    }
}

void sy_schedule_visit(struct sy_scheduler *s, const struct sy_names *names, struct sy_state *state)
{
    visit_users(state, &s->last, s->next_id);
    for (uint32_t level = 0; level < s->on_chip; level++)
        visit_space(state, &s->space[level], names, s->next_id);
    uint32_t stored = 0;
    while (stored < SY_STORED && s->stored[stored].key)
        stored++;
    stored = (uint32_t)sy_min(sy_state_value(state, stored), SY_STORED);
    if (state->loading) {
        memset(s->stored, 0, sizeof s->stored);
        s->stored_next = stored % SY_STORED;
    }
    for (uint32_t i = 0; i < stored; i++) {
        visit_key(state, &s->stored[i].key, names);
        visit_stamp(state, &s->stored[i].stamp, s->next_id);
    }
}

static void write_bytes(struct sy_state *state, const void *bytes, size_t size)
{
    const uint64_t *word = bytes;
    for (size_t i = 0; i < size / sizeof *word; i++)
        (void)sy_state_value(state, word[i]);
}

static void write_text(struct sy_state *state, const char *text)
{
    const size_t length = text ? strlen(text) : 0;
    (void)sy_state_value(state, length);
    for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, text + i, sy_min(length - i, sizeof word));
        (void)sy_state_value(state, word);
    }
}

static void write_layer(struct sy_state *state, const struct sy_layer *layer)
{
    (void)sy_state_value(state, (uint64_t)layer->op | (uint64_t)layer->inputs << 8 |
                                    (uint64_t)layer->accumulator << 16 | (uint64_t)layer->epilogues << 24 |
                                    (uint64_t)layer->out.dtype << 32 | (uint64_t)layer->out.flags << 40);
    if (layer->op == SY_OP_ATTENTION) {
        struct sy_attention_dims dims = layer->dim.attention;
        const char *sequences = dims.sequences; /* what it says counts, not where it stands */
        dims.sequences = NULL;
        write_bytes(state, &dims, sizeof dims);
        write_text(state, sequences);
    } else {
        write_bytes(state, &layer->dim, sizeof layer->dim);
    }
    for (uint32_t i = 0; i < layer->inputs; i++)
        (void)sy_state_value(state, (uint64_t)layer->in[i].dtype << 32 | layer->in[i].flags);
    for (uint32_t i = 0; i < layer->epilogues; i++)
        (void)sy_state_value(state, layer->epilogue[i]);
    (void)sy_state_value(state, (uint64_t)layer->sparsity.keep << 32 | layer->sparsity.group);
}

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t next_use(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, uint64_t key)
{
    return s->options.liveness ? sy_liveness_next(s->options.liveness, key, upcoming->ordinal) : UINT64_MAX;
}

/* In which order the output and what is resident are used next. Who makes room for whom hangs on nothing else: layers
 * with the same order do the same, however far away the uses are. */
static void write_order(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, struct sy_state *state)
{
    uint64_t use[1 + SY_MAX_LEVELS * SY_MAX_RESIDENT], sorted[1 + SY_MAX_LEVELS * SY_MAX_RESIDENT];
    uint32_t count = 0, different = 0;
    use[count++] = next_use(s, upcoming, upcoming->output_key);
    for (uint32_t level = 0; level < s->on_chip; level++)
        for (uint32_t i = 0; i < s->space[level].residents; i++)
            use[count++] = next_use(s, upcoming, s->space[level].resident[i].key);
    memcpy(sorted, use, count * sizeof *use);
    qsort(sorted, count, sizeof *sorted, by_size);
    for (uint32_t i = 0; i < count; i++)
        if (!different || sorted[i] != sorted[different - 1])
            sorted[different++] = sorted[i];
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *place = bsearch(&use[i], sorted, different, sizeof *sorted, by_size);
        (void)sy_state_value(state, use[i] == UINT64_MAX ? UINT64_MAX : (uint64_t)(place - sorted));
    }
}

void sy_schedule_write_layer(const struct sy_scheduler *s, const struct sy_upcoming *upcoming,
                             const struct sy_names *names, struct sy_state *state)
{
    bool known = true;
    write_layer(state, &upcoming->layer);
    for (uint32_t i = 0; i < upcoming->layer.inputs; i++)
        (void)sy_state_value(state, code_of(names, upcoming->input_key[i], &known));
    (void)sy_state_value(state, code_of(names, upcoming->output_key, &known));
    write_order(s, upcoming, state);
    sy_fuse_write(s, upcoming, state);
    if (!known)
        state->failed = true;
}

void sy_schedule_tally(struct sy_scheduler *s, struct sy_tally *tally)
{
    for (uint32_t level = 0; level < s->on_chip; level++)
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            sy_tally_u64(tally, &s->filled[level][operand]);
            sy_tally_u64(tally, &s->released[level][operand]);
        }
}
