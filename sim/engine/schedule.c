/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule generator: life of a layer, emission, dependencies, buffer rings. See schedule.h. */
#include "sim/engine/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/forward.h"
#include "sim/engine/schedule_internal.h"

/* ---- emission ---- */

struct sy_issue *sy_schedule_emit(struct sy_scheduler *s, enum sy_command_kind kind, uint64_t *stamp)
{
    if (s->fifo_count == SY_FIFO)
        return NULL;
    struct sy_issue *issue = &s->fifo[(s->fifo_head + s->fifo_count++) % SY_FIFO];
    memset(issue, 0, sizeof *issue);
    issue->layer = s->layer_index;
    issue->measure = s->measure;
    issue->jump = s->jump;
    issue->skipped = s->skipped;
    issue->skipped_macs = s->skipped_macs;
    s->measure = s->jump = 0;
    issue->command.kind = (uint8_t)kind;
    *stamp = ++s->next_id;
    if (s->barrier) { /* no overlap with the layer before */
        s->barrier = false;
        sy_schedule_after_producers(&issue->command, &s->last, SY_STALL_DEPENDENCY);
    }
    static const int user_class[SY_CMD_COUNT] = {SY_USE_LOAD, SY_USE_MATMUL, SY_USE_VECTOR, SY_USE_STORE,
                                                 SY_USE_VECTOR};
    sy_users_note(&s->last, user_class[kind], *stamp);
    return issue;
}

void sy_schedule_depend(struct sy_command *command, int user_class, uint64_t stamp, enum sy_point matmul_point,
                        enum sy_stall stall)
{
    if (!stamp)
        return;
    enum sy_point point = user_class == SY_USE_MATMUL ? matmul_point : SY_POINT_DONE;
    for (uint32_t i = 0; i < command->dependencies; i++)
        if (command->dependency[i].command == stamp - 1 && command->dependency[i].point == point)
            return;
    if (command->dependencies == SY_MAX_DEPS) {
        /* Full: replace the oldest; units are in order, so later stamps of a unit imply the earlier ones. */
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < SY_MAX_DEPS; i++)
            if (command->dependency[i].command < command->dependency[oldest].command)
                oldest = i;
        if (command->dependency[oldest].command < stamp - 1)
            command->dependency[oldest] = (struct sy_dependency){stamp - 1, (uint8_t)point, (uint8_t)stall};
        return;
    }
    command->dependency[command->dependencies++] = (struct sy_dependency){stamp - 1, (uint8_t)point, (uint8_t)stall};
}

void sy_schedule_after_users(struct sy_command *command, const struct sy_users *users, enum sy_stall stall)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        sy_schedule_depend(command, i, users->stamp[i], SY_POINT_STREAMED, stall);
}

void sy_schedule_after_producers(struct sy_command *command, const struct sy_users *producers, enum sy_stall stall)
{
    for (int i = 0; i < SY_USER_CLASSES; i++)
        sy_schedule_depend(command, i, producers->stamp[i], SY_POINT_DONE, stall);
}

/* ---- rings ---- */

void sy_ring_open(struct sy_scheduler *s, struct sy_ring *ring, uint32_t level, enum sy_operand operand,
                  uint32_t buffers, uint64_t slot_bytes, uint64_t *cursor)
{
    const struct sy_level *chip_level = &s->chip->level[level];
    memset(ring, 0, offsetof(struct sy_ring, buffer));
    memset(ring->buffer, 0, buffers * sizeof ring->buffer[0]);
    ring->level = level;
    ring->operand = operand;
    ring->buffers = buffers;
    ring->slot_bytes = slot_bytes;
    ring->base = *cursor;
    *cursor += chip_level->operand_bytes[operand] ? chip_level->operand_bytes[operand] : slot_bytes * buffers;
    ring->current = buffers - 1; /* the first advance takes buffer 0 */
}

static void ring_release(struct sy_scheduler *s, struct sy_ring *ring, struct sy_buffer *buffer)
{
    if (!buffer->full)
        return;
    s->released[ring->level][ring->operand] += buffer->bytes;
    buffer->full = false;
}

void sy_ring_close(struct sy_scheduler *s, struct sy_ring *ring)
{
    for (uint32_t i = 0; i < ring->buffers; i++) {
        struct sy_buffer *buffer = &ring->buffer[i];
        struct sy_users users = buffer->users;
        ring_release(s, ring, buffer);
        sy_users_merge(&users, &buffer->producers);
        sy_space_leave(&s->space[ring->level], ring->base + i * ring->slot_bytes,
                       ring->base + (i + 1) * ring->slot_bytes, &users);
    }
    ring->buffers = 0;
}

struct sy_buffer *sy_ring_advance(struct sy_scheduler *s, struct sy_ring *ring, const uint64_t tile[SY_DIMS],
                                  uint64_t bytes, struct sy_users *before)
{
    ring->current = (ring->current + 1) % ring->buffers;
    struct sy_buffer *buffer = &ring->buffer[ring->current];
    *before = buffer->users;
    sy_users_merge(before, &buffer->producers);
    struct sy_users earlier;
    sy_space_take(&s->space[ring->level], ring->base + ring->current * ring->slot_bytes,
                  ring->base + (ring->current + 1) * ring->slot_bytes, &earlier);
    sy_users_merge(before, &earlier);
    ring_release(s, ring, buffer);
    memset(buffer, 0, sizeof *buffer);
    buffer->full = true;
    buffer->bytes = bytes;
    memcpy(buffer->tile, tile, sizeof buffer->tile);
    s->filled[ring->level][ring->operand] += bytes;
    return buffer;
}

/* ---- life of a layer ---- */

enum sy_status sy_scheduler_create(const struct sy_chip *chip, const struct sy_scheduler_options *options,
                                   struct sy_diag *diag, struct sy_scheduler **scheduler)
{
    struct sy_scheduler *s = calloc(1, sizeof *s);
    if (!s)
        return SY_NOMEM;
    s->chip = chip;
    s->options = *options;
    s->diag = diag;
    s->memos = options->memos ? options->memos : sy_map_memos_create();
    if (!s->memos) {
        free(s);
        return SY_NOMEM;
    }
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        s->chain_length[operand] = sy_chip_chain(chip, (enum sy_operand)operand, s->chain[operand]);
    while (s->on_chip < chip->levels && chip->level[s->on_chip].kind == SY_LEVEL_SRAM) {
        const struct sy_level *level = &chip->level[s->on_chip];
        sy_space_init(&s->space[s->on_chip++], level->capacity_bytes, level->alignment_bytes);
    }
    *scheduler = s;
    return SY_OK;
}

void sy_scheduler_forward(struct sy_scheduler *scheduler, struct sy_forward *forward)
{
    scheduler->forward = forward;
}

void sy_scheduler_settle(struct sy_scheduler *scheduler, uint64_t oldest)
{
    sy_schedule_forget(scheduler, oldest);
}

void sy_scheduler_destroy(struct sy_scheduler *scheduler)
{
    if (scheduler && !scheduler->options.memos)
        sy_map_memos_destroy(scheduler->memos);
    free(scheduler);
}

uint64_t sy_schedule_temporary_key(uint64_t layer_index)
{
    return (layer_index + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

enum sy_status sy_scheduler_begin(struct sy_scheduler *s, const struct sy_upcoming *upcoming, uint64_t index)
{
    s->current = upcoming;
    s->layer_index = index;
    s->item = 0;
    s->item_started = false;
    s->barrier = !s->chip->prefetch_across_layers && s->next_id > 0;
    memset(&s->plan, 0, sizeof s->plan);
    s->temporary_key = sy_schedule_temporary_key(index);
    s->turned = 0;
    sy_fuse_enter(s);
    sy_tensors_begin_layer(s);
    s->whole = &s->work;
    s->chunk = 0;
    s->cut = NULL;
    s->weave.open = s->output_started = false;
    if (s->current->layer.op == SY_OP_ATTENTION)
        return sy_attention_cut(s);
    enum sy_status status = sy_lower(&s->current->layer, &s->work);
    if (status != SY_OK) {
        sy_error(s->diag, SY_NOWHERE, NULL, "layer %s: its work does not fit 64 bits", s->current->layer.name);
    }
    return status == SY_OK ? sy_fuse_bring(s) : status;
}

static enum sy_status item_begin(struct sy_scheduler *s)
{
    const struct sy_item *item = &s->work.item[s->item];
    s->item_started = true;
    if (item->kind != SY_ITEM_MATRIX) {
        enum sy_status status = sy_stream_begin(s, item);
        if (status != SY_OK || !s->cut || !sy_attention_weaves(s))
            return status;
        s->item_started = false;
        return sy_attention_next(s);
    }
    const struct sy_vector_item *epilogue = NULL;
    if (s->item + 1 < s->work.items && s->work.item[s->item + 1].kind == SY_ITEM_VECTOR &&
        s->work.item[s->item + 1].u.vector.fused)
        epilogue = &s->work.item[s->item + 1].u.vector;
    if (s->forward && !s->weave.open)
        sy_forward_walk(s->forward);
    return sy_matrix_begin(s, &item->u.matrix, epilogue);
}

/* Whether loops are looked at for alike iterations; where they are sampled they are short already. */
static bool forwards_loops(const struct sy_scheduler *s)
{
    return s->forward && !s->weave.open && !s->options.sample_loops;
}

static enum sy_status item_step(struct sy_scheduler *s)
{
    bool matrix = s->work.item[s->item].kind == SY_ITEM_MATRIX;
    if (s->turned && forwards_loops(s))
        sy_forward_turn(s->forward, s->turned - 1);
    s->turned = 0;
    enum sy_status status = SY_OK;
    if (s->weave.open && !s->matrix.done)
        status = sy_attention_weave(s);
    if (status == SY_OK)
        status = matrix ? sy_matrix_step(s) : sy_stream_step(s);
    bool done = matrix ? s->matrix.done : s->stream.next >= s->stream.chunks;
    if (status == SY_OK && done && s->fifo_count == 0) {
        s->item_started = false;
        if (s->cut)
            return sy_attention_next(s);
        s->item += matrix && s->matrix.has_epilogue ? 2 : 1;
    }
    return status;
}

enum sy_status sy_scheduler_next(struct sy_scheduler *s, struct sy_issue *issue, bool *more)
{
    while (s->fifo_count == 0) {
        if (s->item == s->work.items) {
            *more = false;
            return SY_OK;
        }
        enum sy_status status = s->item_started ? item_step(s) : item_begin(s);
        if (status != SY_OK)
            return status;
    }
    *issue = s->fifo[s->fifo_head];
    s->fifo_head = (s->fifo_head + 1) % SY_FIFO;
    s->fifo_count--;
    *more = true;
    return SY_OK;
}

const struct sy_layer_plan *sy_scheduler_plan(const struct sy_scheduler *s)
{
    return &s->plan;
}

void sy_scheduler_totals(const struct sy_scheduler *s, struct sy_result *result)
{
    for (uint32_t level = 0; level < s->on_chip; level++) {
        struct sy_level_stats *stats = &result->level[level];
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            stats->filled_bytes[operand] = s->filled[level][operand];
            stats->released_bytes[operand] = s->released[level][operand];
        }
        for (uint32_t i = 0; i < s->space[level].residents; i++)
            stats->resident_bytes[s->space[level].resident[i].books] += s->space[level].resident[i].bytes;
        stats->peak_bytes = sy_max(s->space[level].peak_bytes, s->space[level].peak_before);
    }
}
