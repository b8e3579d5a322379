/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items without a matrix product: vector work that stands alone (pooling,
 * elementwise, softmax, norms) and data movement. The output is cut into
 * chunks that pass through ping-pong buffers: load, vector work, store. Inputs
 * and outputs that are on chip are used where they are.
 */
#include <string.h>

#include "sim/engine/exec_dma.h"
#include "sim/engine/schedule_internal.h"
#include "sim/map/collective.h"

/* Enough chunks that loading, computing and storing overlap; small items are not cut below this. Modelling choices. */
enum { WANTED_CHUNKS = 8, SMALLEST_CHUNK_BYTES = 16384, STREAM_DEPTH = 2 };

/* Part i of n of a total, so that the parts sum to it. */
static uint64_t part(uint64_t total, uint64_t i, uint64_t n)
{
    uint64_t from = 0, to = 0;
    (void)sy_mul_div(total, i, n, &from);
    (void)sy_mul_div(total, i + 1, n, &to);
    return to - from;
}

/* Level through which the vector unit reads: where tensors stay if they can, else A's outermost on-chip level. */
static uint32_t in_position(const struct sy_scheduler *s)
{
    for (uint32_t i = 0; i + 1 < s->chain_length[SY_A]; i++)
        if (s->chip->level[s->chain[SY_A][i]].stores_whole_tensors)
            return i;
    return s->chain_length[SY_A] - 2;
}

static uint32_t out_position(const struct sy_scheduler *s)
{
    bool sums = s->chip->level[s->chain[SY_C][0]].accumulates;
    return sums && s->chain_length[SY_C] > 2 ? 1 : 0;
}

static enum sy_status add_input(struct sy_scheduler *s, struct sy_stream_walk *w, int tensor, uint64_t bytes)
{
    const struct sy_tensor *info = tensor >= 0 ? &s->current->layer.in[tensor] : NULL;
    w->source[w->inputs] = sy_tensor_source(s, sy_tensor_key(s, tensor, false), info, SY_A);
    w->in_bytes[w->inputs++] = bytes;
    return SY_OK;
}

static enum sy_status take_vector(struct sy_scheduler *s, struct sy_stream_walk *w, const struct sy_vector_item *item)
{
    w->item = *item;
    w->elements = item->elements;
    w->out_bytes = item->bytes_out;
    for (uint32_t i = 0; i < item->tensor_inputs; i++) {
        int tensor = item->tensors_in[i];
        uint64_t bytes = item->bytes_in / sy_max(item->passes, 1);
        if (tensor >= 0 && !sy_dtype_bytes(s->current->layer.in[tensor].dtype,
                                           sy_layer_input_elements(&s->current->layer, (uint32_t)tensor), &bytes))
            return SY_OVERFLOW;
        (void)add_input(s, w, tensor, bytes);
    }
    return SY_OK;
}

/* A collective: what it sends is read, passes the vector unit while the links are busy, and the result is written. */
static enum sy_status take_collective(struct sy_scheduler *s, struct sy_stream_walk *w, uint64_t bytes)
{
    const struct sy_layer *layer = &s->current->layer;
    uint64_t ps = 0, hz_den;
    if (!(s->chip->links.bytes_per_s > 0)) {
        sy_error(s->diag, SY_NOWHERE, "remove the record, or give the chip links: --set links.bandwidth='100 GB/s'",
                 "layer %s is a collective, and chip %s has no links to other chips", layer->name, s->chip->name);
        return SY_UNSUPPORTED;
    }
    if (!sy_mul(s->chip->clock[0].frequency.den, UINT64_C(1000000000000), &hz_den) ||
        !sy_collective_time(&s->chip->links, &layer->dim.collective, bytes, &ps) ||
        !sy_mul_div_up(ps, s->chip->clock[0].frequency.num, hz_den, &w->link_cycles) ||
        !sy_dtype_bytes(layer->out.dtype, sy_layer_output_elements(layer), &w->out_bytes)) {
        sy_error(s->diag, SY_NOWHERE, NULL, "layer %s: the time of the collective does not fit", layer->name);
        return SY_OVERFLOW;
    }
    w->item.bytes_out = w->out_bytes;
    return SY_OK;
}

static enum sy_status take_data(struct sy_scheduler *s, struct sy_stream_walk *w, const struct sy_data_item *item)
{
    const struct sy_layer *layer = &s->current->layer;
    w->elements = w->item.elements = sy_layer_output_elements(layer);
    w->out_bytes = w->item.bytes_in = w->item.bytes_out = item->bytes;
    w->item.simple_ops = w->elements; /* each element passes the unit once */
    w->item.tensor_out = item->tensor_out;
    if (layer->op == SY_OP_GATHER)
        w->gather_rows = layer->dim.gather.rows;
    enum sy_status status = layer->op == SY_OP_COLLECTIVE ? take_collective(s, w, item->bytes) : SY_OK;
    if (status != SY_OK)
        return status;
    return add_input(s, w, item->tensor_in, item->bytes);
}

/* What is free of a level for one core. */
static uint64_t own_room(const struct sy_scheduler *s, uint32_t level)
{
    return sy_space_bottom(&s->space[level]) / (s->chip->level[level].shared ? sy_max(s->chip->cores, 1) : 1);
}

static uint64_t chunk_count(struct sy_scheduler *s, const struct sy_stream_walk *w, uint32_t in_level,
                            uint32_t out_level)
{
    uint64_t loaded = 0, room_in = own_room(s, in_level), room_out = own_room(s, out_level);
    for (uint32_t i = 0; i < w->inputs; i++)
        if (!w->source[i].on_chip && !sy_add(loaded, w->in_bytes[i], &loaded))
            return 0;
    uint64_t stored = w->sink.on_chip ? 0 : w->out_bytes;
    /* Half of what is free, in STREAM_DEPTH buffers, so that inputs and outputs of one level fit together. */
    uint64_t slot_in = room_in / (2 * STREAM_DEPTH), slot_out = room_out / (2 * STREAM_DEPTH);
    if ((loaded && !slot_in) || (stored && !slot_out))
        return 0;
    uint64_t chunks = sy_min(WANTED_CHUNKS, sy_ceil_div(sy_max(loaded, stored), SMALLEST_CHUNK_BYTES));
    chunks = sy_max(chunks, loaded ? sy_ceil_div(loaded, slot_in) + (loaded > slot_in) : 1);
    chunks = sy_max(chunks, stored ? sy_ceil_div(stored, slot_out) + (stored > slot_out) : 1);
    return sy_max(sy_min(chunks, sy_max(w->elements, 1)), 1);
}

/* Into its place in a fused group. The first writer waits for whoever used it. */
static enum sy_status sink_fused(struct sy_scheduler *s, struct sy_stream_walk *w)
{
    struct sy_users before;
    uint32_t level = sy_keeping_level(s);
    struct sy_resident *resident = sy_fuse_output(s, level, &before);
    if (!resident)
        return SY_UNSUPPORTED;
    resident->dirty = true;
    resident->users = before;
    w->sink.on_chip = true;
    w->sink.level = level;
    s->plan.kept = true;
    s->plan.saved_bytes += w->out_bytes;
    return SY_OK;
}

static enum sy_status decide_sink(struct sy_scheduler *s, struct sy_stream_walk *w, uint64_t key)
{
    w->sink = sy_tensor_source(s, key, NULL, SY_C);
    w->sink.on_chip = false;
    w->sink.address = sy_schedule_address(s, key, SY_C) + sy_fuse_offset(s->current);
    if (sy_fuse_stays(s->current))
        return sink_fused(s, w);
    bool state = key == s->current->output_key && s->current->layer.out.flags & SY_TENSOR_STATE;
    if (state || s->options.keep_nothing || sy_fuse_leaves(s->current) || sy_tensor_next_use(s, key) == UINT64_MAX)
        return SY_OK; /* a cache that is appended to lives in memory */
    for (uint32_t i = 0; i + 1 < s->chain_length[SY_C]; i++) {
        uint32_t level = s->chain[SY_C][i];
        struct sy_users before;
        if (s->chip->cores > 1 && !s->chip->level[level].shared)
            continue;
        if (level >= s->on_chip || !s->chip->level[level].stores_whole_tensors ||
            !(s->chip->level[level].holds >> SY_A & 1))
            continue;
        struct sy_resident *resident = sy_tensors_keep(s, key, w->out_bytes, level, &before);
        if (!resident)
            return SY_OK;
        resident->dirty = true;
        w->sink.on_chip = true;
        w->sink.level = level;
        s->filled[level][SY_C] += resident->bytes;
        resident->users = before; /* the first writer waits for whoever used the place */
        s->plan.kept = true;
        s->plan.saved_bytes += w->out_bytes;
        return SY_OK;
    }
    return SY_OK;
}

/* Equal cores take equal shares; this is the largest. */
static void share_among_cores(const struct sy_scheduler *s, struct sy_stream_walk *w)
{
    uint64_t cores = sy_max(s->chip->cores, 1);
    uint64_t *parts[] = {
        &w->elements,        &w->out_bytes,    &w->gather_rows, &w->item.simple_ops, &w->item.transcendental_ops,
        &w->item.reduce_ops, &w->item.bytes_in};
    w->all.elements = w->elements;
    w->all.out_bytes = w->out_bytes;
    w->all.item = w->item;
    memcpy(w->all.in_bytes, w->in_bytes, sizeof w->in_bytes);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        *parts[i] = sy_ceil_div(*parts[i], cores);
    for (uint32_t i = 0; i < w->inputs; i++)
        w->in_bytes[i] = sy_ceil_div(w->in_bytes[i], cores);
}

/* A move of one core's part of a chunk: those of all sum to the chunk. */
static void all_of_move(const struct sy_scheduler *s, uint64_t chunk_bytes, struct sy_issue *issue)
{
    const struct sy_core_shares part = sy_core_shares(chunk_bytes, sy_max(s->chip->cores, 1));
    uint64_t bus = 0;
    if (s->chip->cores <= 1)
        return;
    if (issue->command.u.move.rows == 1) {
        sy_cores_contiguous(s, &part, part.less_cores ? part.share - 1 : 0, issue);
    } else if (sy_exec_bus_bytes(&s->chip->level[issue->command.u.move.parent], &issue->command, &bus)) {
        const uint64_t own = issue->command.u.move.rows * issue->command.u.move.row_bytes;
        const uint64_t cores = sy_ceil_div(chunk_bytes, own);
        issue->command.all.given = true; /* scattered rows: each is moved by one core */
        issue->command.all.u.move.cores = cores < s->chip->cores ? cores : 0;
        (void)sy_mul_div_up(bus, chunk_bytes, own, &issue->command.all.u.move.bus_bytes);
    }
    issue->command.all.u.move.bytes = chunk_bytes;
}

static void all_of_vector(const struct sy_scheduler *s, const struct sy_stream_walk *w, uint64_t bytes_out,
                          struct sy_issue *issue)
{
    if (s->chip->cores <= 1)
        return;
    issue->command.all.given = true;
    issue->command.all.u.vector.elements = part(w->all.elements, w->next, w->chunks);
    issue->command.all.u.vector.simple_ops = part(w->all.item.simple_ops, w->next, w->chunks);
    issue->command.all.u.vector.transcendental_ops = part(w->all.item.transcendental_ops, w->next, w->chunks);
    issue->command.all.u.vector.reduce_ops = part(w->all.item.reduce_ops, w->next, w->chunks);
    issue->command.all.u.vector.bytes_in = part(w->all.item.bytes_in, w->next, w->chunks);
    issue->command.all.u.vector.bytes_out = bytes_out;
}

enum sy_status sy_stream_begin(struct sy_scheduler *s, const struct sy_item *item)
{
    struct sy_stream_walk *w = &s->stream;
    memset(w, 0, offsetof(struct sy_stream_walk, in_ring));
    w->in_ring.buffers = w->out_ring.buffers = 0;
    enum sy_status status =
        item->kind == SY_ITEM_VECTOR ? take_vector(s, w, &item->u.vector) : take_data(s, w, &item->u.data);
    if (status != SY_OK)
        return status;
    uint64_t out_key = sy_tensor_key(s, w->item.tensor_out, true);
    struct sy_source *sources[SY_MAX_INPUTS];
    for (uint32_t i = 0; i < w->inputs; i++)
        sources[i] = &w->source[i];
    if (!sy_fuse_stays(s->current))
        sy_tensors_retire(s, out_key, sources, w->inputs);
    if ((status = decide_sink(s, w, out_key)) != SY_OK)
        return status;
    share_among_cores(s, w);
    uint32_t in_level = s->chain[SY_A][in_position(s)], out_level = s->chain[SY_C][out_position(s)];
    w->chunks = chunk_count(s, w, in_level, out_level);
    if (!w->chunks) {
        sy_error(s->diag, SY_NOWHERE, "enlarge the level", "layer %s: no room left in level %s of chip %s",
                 s->current->layer.name, s->chip->level[in_level].name, s->chip->name);
        return SY_UNSUPPORTED;
    }
    uint64_t cursor[SY_MAX_LEVELS] = {0}, slot = 0;
    for (uint32_t i = 0; i < w->inputs; i++) {
        if (w->source[i].on_chip)
            s->plan.saved_bytes += w->all.in_bytes[i];
        else
            slot += sy_ceil_div(w->in_bytes[i], w->chunks) + 1;
    }
    if (slot)
        sy_ring_open(s, &w->in_ring, in_level, SY_A, STREAM_DEPTH, slot, &cursor[in_level]);
    if (!w->sink.on_chip)
        sy_ring_open(s, &w->out_ring, out_level, SY_C, STREAM_DEPTH, sy_ceil_div(w->out_bytes, w->chunks) + 1,
                     &cursor[out_level]);
    return SY_OK;
}

/* Bring a part of an input down to the vector unit's level, hop by hop. */
static enum sy_status load_part(struct sy_scheduler *s, struct sy_stream_walk *w, uint32_t input, uint64_t bytes,
                                const struct sy_users *before, struct sy_users *ready)
{
    const uint64_t all = part(w->all.in_bytes[input], w->next, w->chunks);
    uint64_t stamp = 0, done = 0;
    struct sy_users previous = {{0}};
    if (w->source[input].producer)
        sy_users_note(&previous, w->source[input].producer_class, w->source[input].producer);
    for (uint32_t i = s->chain_length[SY_A] - 1; i-- > in_position(s);) {
        struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
        if (!load)
            return SY_INTERNAL;
        (void)sy_mul_div(w->in_bytes[input], w->next, w->chunks, &done);
        sy_move_fill(load, SY_A, s->chain[SY_A][i], s->chain[SY_A][i + 1], bytes, w->source[input].address + done);
        uint64_t rows = w->gather_rows ? part(w->gather_rows, w->next, w->chunks) : 0;
        if (rows > 1 && bytes % rows == 0) {
            load->command.u.move.rows = rows;
            load->command.u.move.row_bytes = bytes / rows;
            load->command.u.move.pitch_bytes = bytes / rows * 61; /* rows of a table lie apart */
        }
        all_of_move(s, all, load);
        sy_schedule_after_users(&load->command, before, SY_STALL_BUFFER_FULL);
        sy_schedule_after_producers(&load->command, &previous, SY_STALL_DEPENDENCY);
        memset(&previous, 0, sizeof previous);
        sy_users_note(&previous, SY_USE_LOAD, stamp);
        if (i > in_position(s)) { /* it only passes through this level */
            s->filled[s->chain[SY_A][i]][SY_A] += all;
            s->released[s->chain[SY_A][i]][SY_A] += all;
        }
    }
    sy_users_note(ready, SY_USE_LOAD, stamp);
    return SY_OK;
}

static enum sy_status store_part(struct sy_scheduler *s, struct sy_stream_walk *w, uint64_t bytes, uint64_t vector)
{
    const uint64_t all = part(w->all.out_bytes, w->next, w->chunks);
    struct sy_users previous = {{0}};
    uint64_t stamp = 0, done = 0;
    sy_users_note(&previous, SY_USE_VECTOR, vector);
    (void)sy_mul_div(w->out_bytes, w->next, w->chunks, &done);
    for (uint32_t i = out_position(s); i + 1 < s->chain_length[SY_C]; i++) {
        struct sy_issue *store = sy_schedule_emit(s, SY_CMD_STORE, &stamp);
        if (!store)
            return SY_INTERNAL;
        sy_move_fill(store, SY_C, s->chain[SY_C][i], s->chain[SY_C][i + 1], bytes, w->sink.address + done);
        all_of_move(s, all, store);
        sy_schedule_after_producers(&store->command, &previous, SY_STALL_DEPENDENCY);
        if (i == out_position(s))
            sy_users_note(&w->out_ring.buffer[w->out_ring.current].users, SY_USE_STORE, stamp);
        else {
            s->filled[s->chain[SY_C][i]][SY_C] += all;
            s->released[s->chain[SY_C][i]][SY_C] += all;
        }
        memset(&previous, 0, sizeof previous);
        sy_users_note(&previous, SY_USE_STORE, stamp);
    }
    sy_tensor_stored(s, w->next + 1 == w->chunks ? w->sink.key : 0, stamp);
    return SY_OK;
}

static enum sy_status load_inputs(struct sy_scheduler *s, struct sy_stream_walk *w, struct sy_users *ready,
                                  struct sy_buffer **held)
{
    const uint64_t tile[SY_DIMS] = {w->next};
    struct sy_users before = {{0}};
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < w->inputs; i++)
        bytes += w->source[i].on_chip ? 0 : part(w->all.in_bytes[i], w->next, w->chunks);
    *held = w->in_ring.buffers ? sy_ring_advance(s, &w->in_ring, tile, bytes, &before) : NULL;
    for (uint32_t i = 0; i < w->inputs; i++) {
        if (w->source[i].on_chip) {
            if (w->source[i].producer)
                sy_users_note(ready, w->source[i].producer_class, w->source[i].producer);
            continue;
        }
        enum sy_status status = load_part(s, w, i, part(w->in_bytes[i], w->next, w->chunks), &before, ready);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}

static void note_readers(struct sy_scheduler *s, struct sy_stream_walk *w, struct sy_buffer *held, uint64_t stamp)
{
    if (held)
        sy_users_note(&held->users, SY_USE_VECTOR, stamp);
    for (uint32_t i = 0; i < w->inputs; i++) {
        struct sy_resident *resident = sy_tensor_resident(s, &w->source[i]);
        if (resident)
            sy_users_note(&resident->users, SY_USE_VECTOR, stamp);
    }
}

enum sy_status sy_stream_step(struct sy_scheduler *s)
{
    struct sy_stream_walk *w = &s->stream;
    struct sy_users ready = {{0}}, before = {{0}};
    struct sy_buffer *held = NULL;
    uint64_t stamp, out = part(w->out_bytes, w->next, w->chunks);
    const uint64_t all_out = part(w->all.out_bytes, w->next, w->chunks);
    const uint64_t tile[SY_DIMS] = {w->next};
    if (w->next >= w->chunks)
        return SY_OK;
    enum sy_status status = load_inputs(s, w, &ready, &held);
    if (status != SY_OK)
        return status;
    struct sy_resident *kept = sy_tensor_resident(s, &w->sink);
    if (!kept)
        (void)sy_ring_advance(s, &w->out_ring, tile, all_out, &before);
    struct sy_issue *vector = sy_schedule_emit(s, SY_CMD_VECTOR, &stamp);
    if (!vector)
        return SY_INTERNAL;
    struct sy_command *command = &vector->command;
    command->u.vector.elements = part(w->elements, w->next, w->chunks);
    command->u.vector.simple_ops = part(w->item.simple_ops, w->next, w->chunks);
    command->u.vector.transcendental_ops = part(w->item.transcendental_ops, w->next, w->chunks);
    command->u.vector.reduce_ops = part(w->item.reduce_ops, w->next, w->chunks);
    command->u.vector.bytes_in = part(w->item.bytes_in, w->next, w->chunks);
    command->u.vector.bytes_out = out;
    command->u.vector.link_cycles = part(w->link_cycles, w->next, w->chunks);
    all_of_vector(s, w, all_out, vector);
    sy_schedule_after_producers(command, &ready, SY_STALL_DEPENDENCY);
    sy_schedule_after_users(command, kept ? &kept->users : &before, SY_STALL_BUFFER_FULL);
    note_readers(s, w, held, stamp);
    if (kept) {
        memset(&kept->users, 0, sizeof kept->users);
        kept->producer = stamp;
        kept->producer_class = SY_USE_VECTOR;
    } else if ((status = store_part(s, w, out, stamp)) != SY_OK) {
        return status;
    }
    if (++w->next < w->chunks)
        return SY_OK;
    if (w->in_ring.buffers)
        sy_ring_close(s, &w->in_ring);
    if (w->out_ring.buffers)
        sy_ring_close(s, &w->out_ring);
    return SY_OK;
}
