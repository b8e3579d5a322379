/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounting of the executor: unit timelines, and the array's timeline cut into
 * layers.
 *
 * The array's timeline is one sequence of segments (busy, or a stall cause)
 * without gaps. A layer owns the window from the finish of the layer before it
 * to its own finish. Segments wait in a ring until the finish they belong to
 * is known; layers are delivered in order.
 */
#include <string.h>

#include "sim/engine/executor_internal.h"

struct sy_exec_layer *sy_exec_layer_of(struct sy_executor *exec, uint64_t layer)
{
    return &exec->layer[layer % SY_EXEC_LAYERS];
}

static void note_failure(struct sy_executor *exec, enum sy_status status)
{
    if (status != SY_OK && exec->failure == SY_OK)
        exec->failure = status;
}

void sy_exec_wait(struct sy_exec_unit *unit, uint64_t until, uint8_t cause)
{
    if (unit->owed_cause == SY_STALL_COUNT)
        unit->owed_cause = cause;
    unit->stats.stall[cause] += unit->owed;
    unit->owed = 0;
    if (until <= unit->accounted)
        return;
    unit->stats.stall[cause] += until - unit->accounted;
    unit->accounted = until;
    if (unit->kind == SY_UNIT_ARRAY)
        note_failure(unit->exec, sy_exec_segment_add(unit->exec, until, cause));
}

/* The array owes nothing (sy_exec_settle): its waits are charged whole. */
void sy_exec_wait_held(struct sy_exec_unit *array, uint64_t until, uint8_t cause, uint64_t held)
{
    if (held && until > array->accounted)
        sy_exec_wait(array, until - sy_min(held, until - array->accounted), cause);
    sy_exec_wait(array, until, held ? SY_STALL_CROSSBAR : cause);
}

void sy_exec_busy(struct sy_exec_unit *unit, uint64_t until)
{
    if (until <= unit->accounted)
        return;
    unit->stats.busy += until - unit->accounted;
    unit->accounted = until;
    if (unit->kind == SY_UNIT_ARRAY)
        note_failure(unit->exec, sy_exec_segment_add(unit->exec, until, -1));
}

static struct sy_exec_segment *segment_at(struct sy_executor *exec, uint32_t index)
{
    return &exec->segment[(exec->segment_head + index) % SY_EXEC_SEGMENTS];
}

/* Give the layer its part of the timeline; false when the timeline does not reach its finish yet. */
static bool take_window(struct sy_executor *exec, struct sy_exec_layer *layer, uint64_t finish)
{
    uint64_t reach = exec->segments ? segment_at(exec, exec->segments - 1)->end : exec->window_start;
    if (reach < finish)
        return false;
    while (exec->segments && exec->window_start < finish) {
        struct sy_exec_segment *segment = segment_at(exec, 0);
        uint64_t end = sy_min(segment->end, finish), length = end - segment->start;
        if (segment->cause < 0)
            layer->counters.busy += length;
        else
            layer->counters.stall[segment->cause] += length;
        exec->window_start = end;
        segment->start = end;
        if (segment->start == segment->end) {
            exec->segment_head = (exec->segment_head + 1) % SY_EXEC_SEGMENTS;
            exec->segments--;
        }
    }
    return true;
}

/* The oldest unfinished layer ends no earlier than what it has finished, nor, while commands of it are out, than now:
 * what lies before belongs to it. */
static void take_early(struct sy_executor *exec)
{
    struct sy_exec_layer *layer = sy_exec_layer_of(exec, exec->first_layer);
    uint64_t bound = layer->finish;
    if (layer->pending)
        bound = sy_max(bound, sy_exec_now(exec));
    bound = sy_min(bound, segment_at(exec, exec->segments - 1)->end);
    if (bound > exec->window_start)
        (void)take_window(exec, layer, bound);
}

void sy_exec_segments_settle(struct sy_executor *exec)
{
    if (exec->segments && exec->first_layer <= exec->last_layer)
        take_early(exec);
}

enum sy_status sy_exec_segment_add(struct sy_executor *exec, uint64_t until, int cause)
{
    uint64_t from = exec->window_start;
    if (exec->segments) {
        struct sy_exec_segment *last = segment_at(exec, exec->segments - 1);
        from = last->end;
        if (last->cause == cause) {
            last->end = until;
            return SY_OK;
        }
    }
    if (exec->segments == SY_EXEC_SEGMENTS)
        take_early(exec);
    if (exec->segments == SY_EXEC_SEGMENTS)
        return SY_INTERNAL; /* a unit's queue is far shorter than the ring */
    if (until > from)
        *segment_at(exec, exec->segments++) = (struct sy_exec_segment){from, until, (int8_t)cause};
    return SY_OK;
}

/* The oldest layer is done. */
enum sy_status sy_exec_layer_deliver(struct sy_executor *exec, uint64_t finish)
{
    struct sy_layer_counters *counters = &sy_exec_layer_of(exec, exec->first_layer)->counters;
    counters->layer = exec->first_layer++;
    counters->finish_cycle = finish;
    if (exec->record && exec->record->delivered < SY_EXEC_RECORD)
        exec->record->counters[exec->record->delivered++] = *counters;
    return exec->options.layer_done ? exec->options.layer_done(exec->options.layer_context, counters) : SY_OK;
}

enum sy_status sy_exec_layers_deliver(struct sy_executor *exec)
{
    bool delivered = false;
    if (exec->failure != SY_OK)
        return exec->failure;
    while (exec->first_layer <= exec->last_layer) {
        struct sy_exec_layer *layer = sy_exec_layer_of(exec, exec->first_layer);
        if (!layer->sealed || layer->pending)
            break;
        uint64_t finish = sy_max(layer->finish, exec->window_start);
        if (!take_window(exec, layer, finish))
            break;
        delivered = true;
        enum sy_status status = sy_exec_layer_deliver(exec, finish);
        if (status != SY_OK)
            return status;
    }
    return delivered && !exec->ended ? sck_event_notify_delta(exec->seq_event) : SY_OK;
}

/* ---- the end of a run ---- */

static void close_units(struct sy_executor *exec, uint64_t end)
{
    struct sy_exec_unit *array = &exec->unit[0];
    sy_exec_wait(array, sy_min(array->last_done, end), SY_STALL_FILL_DRAIN);
    for (uint32_t i = 0; i < exec->units; i++)
        sy_exec_wait(&exec->unit[i], end, SY_STALL_NO_WORK);
}

static void copy_units(const struct sy_executor *exec, struct sy_result *result, uint64_t end)
{
    result->stalls =
        exec->crossbar.on ? SY_STALL_COUNT : SY_STALL_CROSSBAR; /* the last cause, and only of those chips */
    for (uint32_t i = 0; i < result->stalls; i++)
        result->stall_name[i] = sy_stall_names[i];
    for (uint32_t i = 0; i < exec->units; i++) {
        result->unit[i] = exec->unit[i].stats;
        result->unit[i].name = sy_arena_strdup(result->arena, exec->unit[i].name);
        result->unit[i].domain = exec->chip->clock[0].name;
        result->unit[i].cycles = end;
    }
    result->units = exec->units;
}

static void copy_links(const struct sy_executor *exec, struct sy_result *result)
{
    static const char letter[SY_OPERANDS] = {'A', 'B', 'C'};
    uint32_t chain[SY_MAX_LEVELS];
    for (uint32_t operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t count = sy_chip_chain(exec->chip, (enum sy_operand)operand, chain);
        for (uint32_t i = 0; i + 1 < count; i++) {
            uint32_t child = chain[i], parent = chain[i + 1];
            struct sy_link_stats *link = &result->link[result->links++];
            link->name = sy_arena_printf(result->arena, "%s>%s.%c", exec->chip->level[parent].name,
                                         exec->chip->level[child].name, letter[operand]);
            link->parent = (uint8_t)parent;
            link->child = (uint8_t)child;
            link->operand = (uint8_t)operand;
            link->fill_bytes = exec->link_fill[parent][child][operand][0];
            link->filled_bytes = exec->link_fill[parent][child][operand][1];
            link->copied_bytes = exec->link_copied[parent][child][operand];
            link->drain_bytes = exec->link_drain[parent][child][operand][0];
            link->drained_bytes = exec->link_drain[parent][child][operand][1];
        }
    }
}

static void copy_crossbar(const struct sy_executor *exec, struct sy_result *result)
{
    const struct sy_exec_crossbar *crossbar = &exec->crossbar;
    result->crossbar.has = crossbar->on;
    result->crossbar.copied_bytes = crossbar->copied;
    for (int way = 0; way < 2; way++) {
        result->crossbar.in_bytes[way] = crossbar->in[way];
        result->crossbar.out_bytes[way] = crossbar->out[way];
    }
}

/* A name that outlives the chip; without memory the chip's own. */
static const char *kept(struct sy_arena *arena, const char *name)
{
    const char *copy = sy_arena_strdup(arena, name);
    return copy ? copy : name;
}

static void copy_memories(struct sy_executor *exec, struct sy_result *result, uint64_t end)
{
    for (uint32_t i = 0; i < exec->memories; i++) {
        struct sy_exec_memory *memory = &exec->memory[i];
        if (exec->chip->level[memory->level].kind == SY_LEVEL_SRAM)
            continue;
        struct sy_dram_stats *dram = &result->dram[result->drams++];
        dram->channel = 0;
        dram->name = kept(result->arena, exec->chip->level[memory->level].name);
        dram->read_bytes = memory->read_bytes;
        dram->write_bytes = memory->write_bytes;
        dram->walk_bytes = memory->walk_bytes;
        if (sck_edge(exec->fine_clock, memory->busy_fine, &dram->busy_ticks) != SY_OK)
            return; /* longer than the run, which did fit */
        dram->busy_ticks += memory->busy_ticks;
        if (memory->device)
            sy_exec_device_copy(memory, end, dram, result->arena);
        uint64_t end_tick = 0;
        if (memory->bursts && sck_edge(exec->clock, end, &end_tick) == SY_OK)
            sy_exec_bursts_copy(memory, end_tick, dram, result->arena);
    }
    result->levels = exec->chip->levels;
    for (uint32_t i = 0; i < exec->chip->levels; i++) {
        result->level[i].name = kept(result->arena, exec->chip->level[i].name);
        result->level[i].read_bytes = exec->level_read[i];
        result->level[i].write_bytes = exec->level_write[i];
    }
}

enum sy_status sy_exec_finish(struct sy_executor *exec, struct sy_result *result, uint64_t *end_cycle)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < exec->units; i++)
        end = sy_max(end, sy_max(exec->unit[i].last_done, exec->unit[i].free_cycle));
    for (uint64_t i = exec->first_layer; i <= exec->last_layer; i++)
        end = sy_max(end, sy_exec_layer_of(exec, i)->finish);
    end = sy_max(sy_max(end, exec->end_seen), exec->window_start);
    close_units(exec, end);
    /* A layer's window ends with its last command; what the array still has to run after the last layer's own finish
     * (nothing, unless the stream was empty) belongs to that layer. */
    if (exec->first_layer <= exec->last_layer) {
        struct sy_exec_layer *last = sy_exec_layer_of(exec, exec->last_layer);
        last->finish = sy_max(last->finish, end);
    }
    enum sy_status status = sy_exec_layers_deliver(exec);
    if (status != SY_OK)
        return status;
    copy_units(exec, result, end);
    copy_links(exec, result);
    copy_crossbar(exec, result);
    copy_memories(exec, result, end);
    result->work = exec->work;
    result->vector = exec->vector_work;
    *end_cycle = end;
    return SY_OK;
}
