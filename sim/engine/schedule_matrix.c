/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix items: planning, and the walk over the tile loops that emits commands.
 *
 * C's tiles, by position in its chain: opened when the walk enters their block
 * (a partial sum of an earlier k step is loaded back), closed when it leaves:
 * final when k is complete (vector work at the innermost position, then a store
 * outward), else a partial sum is stored outward.
 */
#include <string.h>

#include "sim/engine/executor_internal.h"
#include "sim/engine/schedule_internal.h"

static const enum sy_stall load_stall[SY_OPERANDS] = {SY_STALL_LOAD_A, SY_STALL_LOAD_B, SY_STALL_LOAD_C};

/* ---- the walk ---- */

static const uint64_t *outer_start(const struct sy_matrix_walk *w, uint32_t level)
{
    static const uint64_t zero[SY_DIMS];
    return level + 1 < w->mapping.on_chip ? w->start[level + 1] : zero;
}

static const uint64_t *outer_extent(const struct sy_matrix_walk *w, uint32_t level)
{
    return level + 1 < w->mapping.on_chip ? w->extent[level + 1] : w->problem.size;
}

static void set_extent(struct sy_matrix_walk *w, uint32_t level, enum sy_dim dim)
{
    uint64_t end = outer_start(w, level)[dim] + outer_extent(w, level)[dim];
    w->extent[level][dim] = sy_min(w->mapping.tile[level][dim], end - w->start[level][dim]);
}

static void rewind_from(struct sy_matrix_walk *w, uint32_t loop)
{
    for (uint32_t i = loop; i < w->loops; i++) {
        uint32_t level = w->loop[i].level;
        enum sy_dim dim = w->loop[i].dim;
        w->start[level][dim] = outer_start(w, level)[dim];
        set_extent(w, level, dim);
    }
}

/* Step to the next innermost tile; false at the end (the position is then unchanged). *turned: the loop that advanced.
 */
static bool advance(struct sy_matrix_walk *w, uint32_t *turned)
{
    for (uint32_t i = w->loops; i-- > 0;) {
        uint32_t level = w->loop[i].level;
        enum sy_dim dim = w->loop[i].dim;
        uint64_t end = outer_start(w, level)[dim] + outer_extent(w, level)[dim];
        if (w->start[level][dim] + w->mapping.tile[level][dim] >= end)
            continue;
        w->start[level][dim] += w->mapping.tile[level][dim];
        set_extent(w, level, dim);
        rewind_from(w, i + 1);
        *turned = i;
        return true;
    }
    return false;
}

static void block_of(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level, uint64_t block[SY_DIMS])
{
    for (int d = 0; d < SY_DIMS; d++)
        block[d] = sy_map_indexes(&w->problem, operand, (enum sy_dim)d) ? w->start[level][d] : 0;
}

/* Bytes of an operand's block at a level as it is there, ragged edges included. */
static uint64_t block_bytes(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level,
                            enum sy_dtype dtype)
{
    return sy_matrix_block_bytes(w, operand, w->start[level], w->extent[level], dtype);
}

static void shape_move(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                       uint32_t level, enum sy_dtype dtype, struct sy_command *command)
{
    const bool in_rows = sy_matrix_shape_rows(w, operand, w->start[level], w->extent[level], dtype, command);
    command->u.move.address += sy_place_ahead(s, w, operand, level, command->u.move.parent, in_rows, dtype);
}

/* The buffer of A or B that the step needs at a position, loaded if it is not there. */
static enum sy_status bring(struct sy_scheduler *s, struct sy_matrix_walk *w, enum sy_operand operand,
                            uint32_t position)
{
    struct sy_ring *ring = &w->ring[operand][position];
    uint32_t level = ring->level, outer = w->problem.chain[operand][position + 1];
    uint64_t block[SY_DIMS], stamp;
    block_of(w, operand, level, block);
    struct sy_buffer *buffer = &ring->buffer[ring->current];
    if (buffer->full && !memcmp(buffer->tile, block, sizeof block))
        return SY_OK;
    enum sy_dtype dtype = w->problem.dtype[operand];
    struct sy_users before;
    bool paged =
        operand == SY_B && w->page && position + 2 == w->problem.chain_length[SY_B] && w->problem.home[SY_B] > position;
    const struct sy_tile_of_b tile = paged ? sy_tile_of_b(w, level) : (struct sy_tile_of_b){0};
    const uint64_t bytes = block_bytes(w, operand, level, dtype);
    buffer = sy_ring_advance(s, ring, block,
                             paged ? sy_pages_bytes(w, &tile, sy_cores_groups(w, level))
                                   : sy_cores_block_bytes(w, operand, level, dtype),
                             &before);
    if (!bytes)
        return SY_OK; /* a window that lies in the padding alone: nothing to bring */
    if (paged)
        return sy_pages_load(s, w, &tile, ring, buffer, &before);
    struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
    if (!load)
        return SY_INTERNAL;
    sy_move_fill(load, operand, level, outer, bytes, w->source[operand].address);
    shape_move(s, w, operand, level, dtype, &load->command);
    sy_cores_move(s, w, operand, level, dtype, load);
    sy_schedule_after_users(&load->command, &before, SY_STALL_BUFFER_FULL);
    if (position + 1 < w->problem.home[operand]) {
        struct sy_ring *parent = &w->ring[operand][position + 1];
        sy_schedule_after_producers(&load->command, &parent->buffer[parent->current].producers, load_stall[operand]);
        sy_users_note(&parent->buffer[parent->current].users, SY_USE_LOAD, stamp);
    } else {
        sy_schedule_depend(&load->command, w->source[operand].producer_class, w->source[operand].producer,
                           SY_POINT_DONE, SY_STALL_DEPENDENCY);
        struct sy_resident *resident = sy_tensor_resident(s, &w->source[operand]);
        if (resident)
            sy_users_note(&resident->users, SY_USE_LOAD, stamp);
    }
    sy_users_note(&buffer->producers, SY_USE_LOAD, stamp);
    return SY_OK;
}

/* ---- C ---- */

static struct sy_buffer *c_buffer(struct sy_matrix_walk *w, uint32_t position)
{
    struct sy_ring *ring = &w->ring[SY_C][position];
    uint64_t block[SY_DIMS];
    block_of(w, SY_C, ring->level, block);
    struct sy_buffer *buffer = &ring->buffer[ring->current];
    if (buffer->full && !memcmp(buffer->tile, block, sizeof block))
        return buffer;
    for (uint32_t i = 0; position == 0 && w->mapping.c_resident_partials && i < ring->buffers; i++)
        if (ring->buffer[i].full && !memcmp(ring->buffer[i].tile, block, sizeof block))
            return &ring->buffer[i];
    return NULL;
}

/* Open C's block at a position; a partial sum that was stored outward comes back. *before: who used the buffer, when
 * the caller must wait for them itself. */
static enum sy_status c_open(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t position,
                             struct sy_users *before)
{
    struct sy_ring *ring = &w->ring[SY_C][position];
    uint64_t block[SY_DIMS], stamp;
    memset(before, 0, sizeof *before);
    if (c_buffer(w, position))
        return SY_OK;
    block_of(w, SY_C, ring->level, block);
    bool revisit = w->start[ring->level][SY_DIM_K] > 0 && w->sums_travel;
    enum sy_dtype dtype = sy_map_c_dtype(&w->problem, &w->mapping, ring->level);
    struct sy_buffer *buffer =
        sy_ring_advance(s, ring, block, sy_cores_block_bytes(w, SY_C, ring->level, dtype), before);
    if (!revisit)
        return SY_OK;
    struct sy_users outer_before = {{0}};
    if (position + 1 < w->problem.home[SY_C]) {
        enum sy_status status = c_open(s, w, position + 1, &outer_before);
        if (status != SY_OK)
            return status;
    }
    struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
    if (!load)
        return SY_INTERNAL;
    sy_move_fill(load, SY_C, ring->level, w->problem.chain[SY_C][position + 1],
                 block_bytes(w, SY_C, ring->level, w->problem.item.accumulator), w->source[SY_C].address);
    shape_move(s, w, SY_C, ring->level, w->problem.item.accumulator, &load->command);
    sy_cores_move(s, w, SY_C, ring->level, w->problem.item.accumulator, load);
    buffer->bytes = sy_cores_block_bytes(w, SY_C, ring->level, w->problem.item.accumulator);
    sy_schedule_after_users(&load->command, before, SY_STALL_BUFFER_FULL);
    sy_schedule_after_producers(&load->command, &outer_before, SY_STALL_BUFFER_FULL);
    sy_schedule_after_producers(&load->command, &w->last_out, SY_STALL_DEPENDENCY);
    if (position + 1 < w->problem.home[SY_C]) {
        struct sy_buffer *outer = c_buffer(w, position + 1);
        sy_schedule_after_producers(&load->command, &outer->producers, SY_STALL_LOAD_C);
        sy_users_note(&outer->users, SY_USE_LOAD, stamp);
    }
    sy_users_note(&buffer->producers, SY_USE_LOAD, stamp);
    memset(before, 0, sizeof *before);
    return SY_OK;
}

/* Make room at the outer side and let `command` wait for it; note the writer. */
static enum sy_status c_deliver(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t position, int user_class,
                                struct sy_issue *writer, uint64_t stamp)
{
    struct sy_users before;
    if (position < w->problem.home[SY_C] && w->ring[SY_C][position].buffers) {
        enum sy_status status = c_open(s, w, position, &before);
        if (status != SY_OK)
            return status;
        sy_schedule_after_users(&writer->command, &before, SY_STALL_BUFFER_FULL);
        sy_users_note(&c_buffer(w, position)->producers, user_class, stamp);
        return SY_OK;
    }
    struct sy_resident *resident = sy_tensor_resident(s, &w->source[SY_C]);
    if (resident) {
        sy_schedule_after_users(&writer->command, &w->sink_before, SY_STALL_BUFFER_FULL);
        resident->producer = stamp;
        resident->producer_class = (uint8_t)user_class;
    }
    sy_users_note(&w->last_out, user_class, stamp);
    return SY_OK;
}

static enum sy_status c_store(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t position, bool final,
                              const struct sy_users *after)
{
    uint64_t stamp;
    uint32_t level = w->problem.chain[SY_C][position];
    enum sy_dtype dtype = final ? w->problem.item.c : w->problem.item.accumulator;
    struct sy_issue *store = sy_schedule_emit(s, SY_CMD_STORE, &stamp);
    if (!store)
        return SY_INTERNAL;
    sy_move_fill(store, SY_C, level, w->problem.chain[SY_C][position + 1], block_bytes(w, SY_C, level, dtype),
                 w->source[SY_C].address);
    shape_move(s, w, SY_C, level, dtype, &store->command);
    sy_cores_move(s, w, SY_C, level, dtype, store);
    if (final && w->problem.split == SY_DIM_K)
        sy_exchange_store(s, w, block_bytes(w, SY_C, level, dtype), store);
    sy_schedule_after_producers(&store->command, after, SY_STALL_DEPENDENCY);
    struct sy_buffer *buffer = c_buffer(w, position);
    if (buffer)
        sy_users_note(&buffer->users, SY_USE_STORE, stamp);
    return c_deliver(s, w, position + 1, SY_USE_STORE, store, stamp);
}

/* The epilogue's own operand for this tile, if it is not on chip. */
static enum sy_status bring_sides(struct sy_scheduler *s, struct sy_matrix_walk *w, struct sy_users *ready,
                                  struct sy_buffer **held)
{
    uint64_t less, stamp, bytes = 0, less_bytes = 0;
    const struct sy_core_shares own = sy_cores_outputs(w, w->problem.chain[SY_C][0], &less);
    struct sy_users before = {{0}};
    *held = NULL;
    if (w->problem.side_bits)
        *held = sy_ring_advance(s, &w->side_ring, w->start[0],
                                own.cores * sy_ceil_div(own.share * w->problem.side_bits, 8) +
                                    own.less_cores * sy_ceil_div(less * w->problem.side_bits, 8),
                                &before);
    for (uint32_t i = 0; i < w->sides; i++) {
        if (w->side[i].on_chip) {
            if (w->side[i].producer)
                sy_users_note(ready, w->side[i].producer_class, w->side[i].producer);
            continue;
        }
        struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
        if (!load)
            return SY_INTERNAL;
        (void)sy_dtype_bytes(w->side_dtype[i], own.share, &bytes);
        (void)sy_dtype_bytes(w->side_dtype[i], less, &less_bytes);
        uint32_t last = s->chain_length[SY_A] - 1;
        sy_move_fill(load, SY_A, s->chain[SY_A][last - 1], s->chain[SY_A][last], bytes, w->side[i].address);
        load->command.u.move.address += sy_place_ahead(s, w, SY_C, 0, s->chain[SY_A][last], false, w->side_dtype[i]);
        sy_cores_contiguous(s, &own, less_bytes, load);
        sy_schedule_after_users(&load->command, &before, SY_STALL_BUFFER_FULL);
        sy_schedule_depend(&load->command, w->side[i].producer_class, w->side[i].producer, SY_POINT_DONE,
                           SY_STALL_DEPENDENCY);
        sy_users_note(ready, SY_USE_LOAD, stamp);
    }
    return SY_OK;
}

static uint64_t share_of(uint64_t total, uint64_t part, uint64_t whole)
{
    uint64_t share = 0;
    (void)sy_mul_div_up(total, part, whole ? whole : 1, &share);
    return share;
}

void sy_matrix_fill_vector(const struct sy_matrix_walk *w, struct sy_command *command, uint64_t elements)
{
    const struct sy_vector_item *epilogue = &w->epilogue;
    uint64_t extra = 0;
    command->u.vector.elements = elements;
    if (w->has_epilogue) {
        command->u.vector.simple_ops = share_of(epilogue->simple_ops, elements, epilogue->elements);
        command->u.vector.transcendental_ops = share_of(epilogue->transcendental_ops, elements, epilogue->elements);
        command->u.vector.reduce_ops = share_of(epilogue->reduce_ops, elements, epilogue->elements);
        command->u.vector.bytes_in = share_of(epilogue->bytes_in, elements, epilogue->elements);
        extra = share_of(epilogue->extra_out, elements, epilogue->elements);
    } else {
        command->u.vector.simple_ops = elements; /* a copy out of the accumulator */
        (void)sy_dtype_bytes(w->problem.item.accumulator, elements, &command->u.vector.bytes_in);
    }
    (void)sy_dtype_bytes(w->problem.item.c, elements, &command->u.vector.bytes_out);
    command->u.vector.bytes_out += extra;
}

/* It uses C's tile and what the epilogue reads. */
static void note_vector(struct sy_scheduler *s, struct sy_matrix_walk *w, struct sy_buffer *side, uint64_t stamp)
{
    struct sy_buffer *buffer = c_buffer(w, 0);
    if (side)
        sy_users_note(&side->users, SY_USE_VECTOR, stamp);
    for (uint32_t i = 0; i < w->sides; i++) {
        struct sy_resident *resident = sy_tensor_resident(s, &w->side[i]);
        if (resident)
            sy_users_note(&resident->users, SY_USE_VECTOR, stamp);
    }
    if (buffer)
        sy_users_note(&buffer->users, SY_USE_VECTOR, stamp);
}

/* Vector work on a complete C tile. */
static enum sy_status c_vector(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t matmul,
                               struct sy_users *after)
{
    struct sy_users ready = {{0}};
    struct sy_buffer *side = NULL;
    const bool sums = w->problem.split == SY_DIM_K;
    enum sy_status status = sy_exchange(s, w, matmul, &ready);
    if (status == SY_OK)
        status = bring_sides(s, w, &ready, &side);
    if (status != SY_OK)
        return status;
    uint64_t stamp, less;
    const struct sy_core_shares own = sy_cores_outputs(w, w->problem.chain[SY_C][0], &less);
    struct sy_issue *vector = sy_schedule_emit(s, SY_CMD_VECTOR, &stamp);
    if (!vector)
        return SY_INTERNAL;
    sy_matrix_fill_vector(w, &vector->command, own.share);
    sy_cores_vector(s, w, &own, less, vector);
    sy_exchange_add(w, vector);
    vector->command.u.vector.fused = s->chip->vector.fuses_epilogue && !w->epilogue.scales;
    bool one_tile = !memcmp(w->extent[0], w->extent[w->problem.chain[SY_C][0]], sizeof w->extent[0]);
    bool follows =
        s->chip->vector.follows_array && one_tile && !sums && w->extent[0][SY_DIM_K] == w->problem.size[SY_DIM_K];
    vector->command.u.vector.follows = follows;
    sy_schedule_depend(&vector->command, SY_USE_MATMUL, matmul, follows ? SY_POINT_FIRST : SY_POINT_DONE,
                       SY_STALL_DEPENDENCY);
    sy_schedule_after_producers(&vector->command, &ready, sums ? SY_STALL_NOC : SY_STALL_DEPENDENCY);
    note_vector(s, w, side, stamp);
    sy_users_note(after, SY_USE_VECTOR, stamp);
    /* In place it only changes the tile; one position out, or at home, it delivers. */
    if (w->vector_to > 0 || w->problem.home[SY_C] == 0)
        return c_deliver(s, w, w->vector_to, SY_USE_VECTOR, vector, stamp);
    return SY_OK;
}

/* Which of C's blocks, by position in its chain, the next step is outside of; all at the end of the walk. */
static bool blocks_left(struct sy_matrix_walk *w, bool leaves[SY_MAX_LEVELS])
{
    struct {
        uint64_t start[SY_MAX_LEVELS][SY_DIMS], extent[SY_MAX_LEVELS][SY_DIMS];
    } here;
    uint64_t old_block[SY_MAX_LEVELS][SY_DIMS], new_block[SY_DIMS];
    uint32_t positions = w->problem.chain_length[SY_C] - 1;
    for (uint32_t i = 0; i < positions; i++)
        block_of(w, SY_C, w->problem.chain[SY_C][i], old_block[i]);
    memcpy(here.start, w->start, sizeof here.start);
    memcpy(here.extent, w->extent, sizeof here.extent);
    uint32_t turned = 0;
    bool more = advance(w, &turned);
    for (uint32_t i = 0; i < positions; i++) {
        block_of(w, SY_C, w->problem.chain[SY_C][i], new_block);
        leaves[i] = !more || memcmp(old_block[i], new_block, sizeof new_block);
    }
    memcpy(w->start, here.start, sizeof here.start);
    memcpy(w->extent, here.extent, sizeof here.extent);
    return leaves[0];
}

static void c_done(struct sy_scheduler *s, struct sy_ring *ring, struct sy_buffer *buffer)
{
    if (buffer && buffer->full) {
        s->released[ring->level][SY_C] += buffer->bytes;
        buffer->full = false;
    }
}

/* Store the blocks outward as far as they are left, results or partial sums, and let their buffers go. */
static enum sy_status c_outward(struct sy_scheduler *s, struct sy_matrix_walk *w, const bool leaves[SY_MAX_LEVELS],
                                bool final, const struct sy_users *after)
{
    uint32_t home = w->problem.home[SY_C];
    enum sy_status status = SY_OK;
    for (uint32_t i = final ? w->vector_to : 0; status == SY_OK && i < home && (i == 0 || leaves[i]); i++) {
        struct sy_buffer *buffer = c_buffer(w, i);
        status = c_store(s, w, i, final, i > 0 && buffer ? &buffer->producers : after);
    }
    for (uint32_t i = 0; status == SY_OK && i < sy_max(home, 1); i++)
        if (i == 0 || leaves[i])
            c_done(s, &w->ring[SY_C][i], c_buffer(w, i));
    return status;
}

/* After the step's matmul: close the C blocks that the walk is about to leave. */
static enum sy_status c_leave(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t matmul)
{
    bool leaves[SY_MAX_LEVELS] = {false};
    if (!blocks_left(w, leaves))
        return SY_OK;
    struct sy_users after = {{0}};
    uint32_t inner = w->problem.chain[SY_C][0], home = w->problem.home[SY_C];
    bool final = w->start[inner][SY_DIM_K] + w->extent[inner][SY_DIM_K] == w->problem.size[SY_DIM_K];
    sy_users_note(&after, SY_USE_MATMUL, matmul);
    enum sy_status status = SY_OK;
    if (!final)
        return w->mapping.c_resident_partials ? SY_OK : c_outward(s, w, leaves, false, &after);
    if (w->needs_vector) {
        memset(&after, 0, sizeof after);
        status = c_vector(s, w, matmul, &after);
    } else if (home == 0) {
        struct sy_resident *resident = sy_tensor_resident(s, &w->source[SY_C]);
        if (resident) {
            resident->producer = matmul;
            resident->producer_class = SY_USE_MATMUL;
        }
    }
    return status == SY_OK ? c_outward(s, w, leaves, true, &after) : status;
}

/* MACs of all cores in a tile of the core with the largest share, so that the tiles sum to the item's exactly. */
static uint64_t take_macs(struct sy_matrix_walk *w, uint64_t tile)
{
    uint64_t upto = 0;
    w->macs_walked += tile;
    (void)sy_mul_div(w->macs_total, w->macs_walked, w->macs_share, &upto);
    uint64_t useful = upto - w->macs_given;
    w->macs_given = upto;
    return useful;
}

/* ---- long loops ----
 * Iterations of a loop at the analytic fidelity: some to fill pipelines and buffers, a period measured, then all but
 * the last ones are left out, in whole periods. The last ones are as many as the sequencer can run ahead, so that loads
 * from behind the loop are not met while it is measured. Modelling choices. */

enum { SHORTEST_PERIOD = 2, MOST_STEPS = 256 };

/* Steps of `step` until a multiple of `whole` is reached again. */
static uint64_t returns(uint64_t whole, uint64_t step)
{
    return whole ? whole / sy_gcd(whole, step) : 1;
}

/* How soon a convolution's tiles look the same again: rows of outputs, rows of the filter, segments of k. */
static uint64_t window_period(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_dim dim,
                              uint64_t tile)
{
    const struct sy_window *window = &w->problem.item.window;
    const struct sy_array *array = &s->chip->array;
    const struct sy_row_window rows = sy_row_window_of(&w->problem.item);
    if (dim == SY_DIM_M)
        return returns(window->ow, tile);
    if (dim != SY_DIM_K)
        return 1;
    return sy_max(returns(window->fw * window->c, tile),
                  returns(sy_row_window_segment(&rows, array, &array->dataflow[w->mapping.dataflow]), tile));
}

/* After how many iterations the tiles look the same again: double buffering, a convolution's rows or window, a matrix's
 * place relative to bursts. */
static uint64_t loop_period(const struct sy_scheduler *s, const struct sy_matrix_walk *w, uint32_t level,
                            enum sy_dim dim, uint64_t most)
{
    const struct sy_window *window = &w->problem.item.window;
    uint64_t tile = w->mapping.tile[level][dim], period = SHORTEST_PERIOD;
    if (window->is_conv)
        period = sy_max(period, window_period(s, w, dim, tile));
    if (w->page && dim == w->page_dim)
        period = sy_max(period, returns(w->page, tile));
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        const struct sy_level *outer = &s->chip->level[w->problem.chain[operand][w->problem.chain_length[operand] - 1]];
        if (outer->burst_bytes <= 1 || sy_place_packed(w, (enum sy_operand)operand) || dim == SY_DIM_G ||
            !sy_map_indexes(&w->problem, (enum sy_operand)operand, dim))
            continue;
        enum sy_dim along = operand == SY_A ? SY_DIM_K : SY_DIM_N; /* how the tensor's rows lie in memory */
        uint64_t step =
            tile * (dim == along ? 1 : w->problem.size[along]) * sy_dtypes[w->problem.dtype[operand]].bits / 8;
        period = sy_max(period, step ? returns(outer->burst_bytes, step) : 1);
    }
    return sy_max(sy_min(period + period % 2, most / 2 * 2), SHORTEST_PERIOD);
}

static void plan_samples(const struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    uint64_t ahead = s->chip->dma.queue_depth + 2, body = 1; /* steps; 2: double buffers */
    for (uint32_t i = w->loops; i-- > 0;) {
        uint32_t level = w->loop[i].level;
        enum sy_dim dim = w->loop[i].dim;
        uint64_t trips = sy_map_trips(&w->problem, &w->mapping, level, dim);
        w->warm[i] = sy_max(sy_ceil_div(ahead / 2, body), 1);
        w->last[i] = sy_max(sy_ceil_div(ahead, body), 1);
        w->period[i] = loop_period(s, w, level, dim, MOST_STEPS / body);
        body *= sy_min(trips, w->warm[i] + w->period[i] + w->last[i]);
    }
}

static void leave_out(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t loop, uint64_t times)
{
    uint32_t level = w->loop[loop].level;
    enum sy_dim dim = w->loop[loop].dim;
    for (uint32_t l = 0; l < s->on_chip; l++) {
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            uint64_t more = times * (s->filled[l][operand] - w->measured[loop].filled[l][operand]);
            s->filled[l][operand] += more;
            s->released[l][operand] += more;
        }
    }
    uint64_t walked = times * (w->macs_walked - w->measured[loop].macs_walked);
    s->skipped_macs = take_macs(w, walked);
    w->start[level][dim] += times * w->period[loop] * w->mapping.tile[level][dim];
    set_extent(w, level, dim);
    rewind_from(w, loop + 1);
    s->jump = (uint8_t)(loop + 1);
    s->skipped = times;
}

/* A loop turned: count, and measure or leave out when it is long. */
static void sample(struct sy_scheduler *s, struct sy_matrix_walk *w, uint32_t loop)
{
    uint32_t level = w->loop[loop].level;
    enum sy_dim dim = w->loop[loop].dim;
    uint64_t left = outer_start(w, level)[dim] + outer_extent(w, level)[dim] - w->start[level][dim];
    uint64_t iterations = sy_ceil_div(left, w->mapping.tile[level][dim]); /* from here to the end */
    uint64_t at = ++w->iteration[loop], period = w->period[loop], last = w->last[loop];
    for (uint32_t i = loop + 1; i < w->loops; i++)
        w->iteration[i] = 0;
    if (at == w->warm[loop] && iterations >= 2 * period + last) {
        memcpy(w->measured[loop].filled, s->filled, sizeof s->filled);
        w->measured[loop].macs_walked = w->macs_walked;
        s->measure = (uint8_t)(loop + 1);
    } else if (at == w->warm[loop] + period && iterations >= period + last) {
        leave_out(s, w, loop, (iterations - last) / period);
    }
}

/* ---- fast-forwarding ---- */

uint64_t sy_matrix_iterations(const struct sy_scheduler *s, uint32_t loop)
{
    const struct sy_matrix_walk *w = &s->matrix;
    uint32_t level = w->loop[loop].level;
    enum sy_dim dim = w->loop[loop].dim;
    uint64_t left = outer_start(w, level)[dim] + outer_extent(w, level)[dim] - w->start[level][dim];
    return sy_ceil_div(left, w->mapping.tile[level][dim]);
}

/* Rows of an image whose whole window lies in the tensor: [*first, *end). */
static void inside_rows(const struct sy_window *window, uint64_t *first, uint64_t *end)
{
    uint64_t reach = (window->fh - 1) * window->dh + 1, bottom = window->h + window->pt;
    *first = sy_ceil_div(window->pt, window->sh);
    *end = bottom < reach ? 0 : sy_min((bottom - reach) / window->sh + 1, window->oh);
}

/* Pixels from `from` on, up to the end of the image's inside; 0 when `from` is not inside. */
static uint64_t inside_from(const struct sy_window *window, uint64_t from)
{
    uint64_t first, end, image = window->oh * window->ow, row = from % image / window->ow;
    inside_rows(window, &first, &end);
    return row >= first && row < end ? end * window->ow - from % image : 0;
}

/* How many iterations see the window as those of the period before did. */
static uint64_t same_window(const struct sy_matrix_walk *w, uint32_t level, enum sy_dim dim, uint64_t period)
{
    const struct sy_window *window = &w->problem.item.window;
    uint64_t tile = w->mapping.tile[level][dim], step = period * tile, at = w->start[level][dim];
    if (!window->is_conv || dim == SY_DIM_N || dim == SY_DIM_G)
        return UINT64_MAX;
    if (dim == SY_DIM_K) {
        uint64_t rows = outer_extent(w, level)[SY_DIM_M];
        bool inside = inside_from(window, outer_start(w, level)[SY_DIM_M]) >= rows;
        return inside && step % (window->fw * window->c) == 0 ? UINT64_MAX : 0;
    }
    if (step % (window->oh * window->ow) == 0)
        return UINT64_MAX;
    if (step % window->ow || at < step)
        return 0;
    uint64_t left = inside_from(window, at - step);
    return left > step ? (left - step) / tile : 0;
}

uint64_t sy_matrix_alike(const struct sy_scheduler *s, const struct sy_executor *exec, uint32_t loop, uint64_t period)
{
    const struct sy_matrix_walk *w = &s->matrix;
    uint32_t level = w->loop[loop].level;
    enum sy_dim dim = w->loop[loop].dim;
    uint64_t step = 0, alike = sy_matrix_iterations(s, loop) - 1;
    if (!sy_mul(period, w->mapping.tile[level][dim], &step))
        return 0;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        if (!sy_place_recurs(s, exec, (enum sy_operand)operand, level, dim, step))
            return 0;
    alike = sy_min(alike, same_window(w, level, dim, period));
    return alike / period * period;
}

uint64_t sy_matrix_skip(struct sy_scheduler *s, uint32_t loop, uint64_t period, uint64_t times, uint64_t macs)
{
    struct sy_matrix_walk *w = &s->matrix;
    uint32_t level = w->loop[loop].level;
    enum sy_dim dim = w->loop[loop].dim;
    uint64_t step = times * period * w->mapping.tile[level][dim];
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        if (!sy_map_indexes(&w->problem, (enum sy_operand)operand, dim))
            continue;
        for (uint32_t p = 0; p < SY_MAX_LEVELS; p++)
            for (uint32_t i = 0; i < w->ring[operand][p].buffers; i++)
                w->ring[operand][p].buffer[i].tile[dim] += step;
        for (uint32_t i = 0; operand == (int)w->side_ring.operand && i < w->side_ring.buffers; i++)
            w->side_ring.buffer[i].tile[dim] += step;
    }
    w->start[level][dim] += step;
    set_extent(w, level, dim);
    rewind_from(w, loop + 1);
    return take_macs(w, times * macs);
}

/* ---- one step ---- */

/* Where the tile begins in a segment of k, when it goes beyond it. */
static uint64_t into_segment(const struct sy_scheduler *s, const struct sy_matrix_walk *w)
{
    const struct sy_array *array = &s->chip->array;
    const struct sy_row_window window = sy_row_window_of(&w->problem.item);
    uint64_t segment = sy_row_window_segment(&window, array, &array->dataflow[w->mapping.dataflow]);
    uint64_t into = segment ? w->start[0][SY_DIM_K] % segment : 0;
    return into && w->extent[0][SY_DIM_K] > segment - into ? into : 0;
}

static enum sy_status emit_matmul(struct sy_scheduler *s, struct sy_matrix_walk *w, const struct sy_users *c_before,
                                  uint64_t *stamp)
{
    const uint64_t *extent = w->extent[0];
    struct sy_issue *issue = sy_schedule_emit(s, SY_CMD_MATMUL, stamp);
    if (!issue)
        return SY_INTERNAL;
    struct sy_command *command = &issue->command;
    command->u.matmul.m = extent[SY_DIM_M];
    command->u.matmul.k = extent[SY_DIM_K];
    command->u.matmul.n = extent[SY_DIM_N];
    command->u.matmul.repeat = extent[SY_DIM_G];
    command->u.matmul.into = into_segment(s, w);
    command->u.matmul.dataflow = w->mapping.dataflow;
    command->u.matmul.a = (uint8_t)w->problem.item.a;
    command->u.matmul.b = (uint8_t)w->problem.item.b;
    command->u.matmul.accumulate = w->start[0][SY_DIM_K] > 0;
    sy_cores_matmul(s, w, issue);
    issue->useful_macs = take_macs(w, extent[SY_DIM_M] * extent[SY_DIM_K] * extent[SY_DIM_N] * extent[SY_DIM_G]);
    for (int operand = 0; operand < SY_C; operand++) {
        if (w->problem.home[operand] == 0) {
            struct sy_resident *resident = sy_tensor_resident(s, &w->source[operand]);
            sy_schedule_depend(command, w->source[operand].producer_class, w->source[operand].producer, SY_POINT_DONE,
                               SY_STALL_DEPENDENCY);
            if (resident)
                sy_users_note(&resident->users, SY_USE_MATMUL, *stamp);
            continue;
        }
        struct sy_buffer *buffer = &w->ring[operand][0].buffer[w->ring[operand][0].current];
        sy_schedule_after_producers(command, &buffer->producers, load_stall[operand]);
        sy_users_note(&buffer->users, SY_USE_MATMUL, *stamp);
    }
    struct sy_buffer *sums = c_buffer(w, 0);
    /* With a split of K a buffer of sums is held up by their exchange. */
    sy_schedule_after_users(command, c_before, w->problem.split == SY_DIM_K ? SY_STALL_NOC : SY_STALL_ACCUMULATOR);
    if (sums) {
        sy_schedule_depend(command, SY_USE_LOAD, sums->producers.stamp[SY_USE_LOAD], SY_POINT_DONE, SY_STALL_LOAD_C);
        sy_users_note(&sums->producers, SY_USE_MATMUL, *stamp);
    }
    return SY_OK;
}

static void end_walk(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    w->done = true;
    s->macs_given += w->macs_given;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < SY_MAX_LEVELS; i++)
            if (w->ring[operand][i].buffers)
                sy_ring_close(s, &w->ring[operand][i]);
    if (w->side_ring.buffers)
        sy_ring_close(s, &w->side_ring);
    if (!w->source[SY_C].on_chip)
        sy_tensor_stored(s, w->source[SY_C].key, w->last_out.stamp[SY_USE_STORE]);
}

enum sy_status sy_matrix_step(struct sy_scheduler *s)
{
    struct sy_matrix_walk *w = &s->matrix;
    struct sy_users c_before;
    uint64_t stamp = 0;
    if (w->done)
        return SY_OK;
    for (int operand = 0; operand < SY_C; operand++) {
        for (uint32_t i = w->problem.home[operand]; i-- > 0;) {
            enum sy_status status = bring(s, w, (enum sy_operand)operand, i);
            if (status != SY_OK)
                return status;
        }
    }
    enum sy_status status = c_open(s, w, 0, &c_before);
    if (status == SY_OK)
        status = emit_matmul(s, w, &c_before, &stamp);
    if (status == SY_OK)
        status = c_leave(s, w, stamp);
    uint32_t turned = 0;
    if (status == SY_OK && advance(w, &turned)) {
        if (s->options.sample_loops && !s->weave.open)
            sample(s, w, turned);
        s->turned = turned + 1;
        return SY_OK;
    }
    if (status != SY_OK)
        return status;
    end_walk(s, w);
    return SY_OK;
}

static void list_loops(struct sy_matrix_walk *w)
{
    for (uint32_t level = w->mapping.on_chip; level-- > 0;) {
        w->loop[w->loops++] = (struct sy_walk_loop){level, SY_DIM_G};
        for (int i = 0; i < 3; i++)
            w->loop[w->loops++] = (struct sy_walk_loop){level, (enum sy_dim)w->mapping.order[level][i]};
    }
}

/* Ready to step: the loops by the mapping, at the first tile. */
void sy_matrix_start_walk(struct sy_scheduler *s, struct sy_matrix_walk *w)
{
    list_loops(w);
    w->sums_travel = sy_map_sums_travel(&w->problem, &w->mapping);
    plan_samples(s, w);
    rewind_from(w, 0);
}
