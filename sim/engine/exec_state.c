/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor's state as words (state.h), for fast-forwarding (forward.c).
 *
 * It is visited where the sequencer asks its source for a command, so no
 * command is in hand. Times are relative to the present cycle, ids to the next
 * command's, layers to the layer that begins. What can no longer matter is
 * written alike: a time before now that no queued command waits for, ready
 * times that have passed. Which notifications are pending is not written: units
 * act as early as they can, so it follows from the rest, and after a restore
 * every unit is woken and notifies itself anew.
 *
 * A unit that waits is charged for it when it goes on, by the cause that ended
 * the wait. So that a wait's length is not part of the state, what lies before
 * now is kept aside as owed (sy_exec_settle).
 */
#include <string.h>

#include "sim/engine/executor_internal.h"

enum { SLOT_PAST, SLOT_LIVE };

struct base {
    uint64_t now, cycle, issued, layer, fine;
};

uint64_t sy_exec_issued(const struct sy_executor *exec)
{
    return exec->issued;
}

uint64_t sy_exec_fine_now(const struct sy_executor *exec)
{
    return sy_exec_fine(exec, sck_time(exec->sim));
}

bool sy_exec_can_forward(const struct sy_executor *exec)
{
    const struct sy_executor_options *options = &exec->options;
    return options->memory != SY_MEMORY_BURST && options->memory != SY_MEMORY_TARGET &&
           (!options->span || options->companion) && !options->vcd_path && !exec->chip->dma.tlb.entries;
}

/* ---- before the state is looked at ---- */

static bool idle_until_now(const struct sy_exec_unit *unit)
{
    return unit->kind != SY_UNIT_ARRAY && !unit->in_flight;
}

/* A dependency that was met before its command was issued held up nothing: the issue came later. */
static void drop_met(struct sy_executor *exec, struct sy_exec_unit *unit)
{
    uint64_t kept = sy_max(exec->issued > SY_EXEC_RING ? exec->issued - SY_EXEC_RING : 0, exec->floor);
    for (uint32_t i = 0; i < unit->count; i++) {
        struct sy_exec_entry *entry = &unit->queue[(unit->head + i) % SY_EXEC_QUEUE];
        struct sy_command *command = &entry->issue.command;
        uint8_t left = 0;
        for (uint32_t d = 0; d < command->dependencies; d++) {
            uint64_t id = command->dependency[d].command;
            uint64_t done = id < kept ? 0 : sy_exec_slot_of(exec, id)->time[SY_POINT_DONE];
            if (id >= kept && (done == SY_UNKNOWN || done >= entry->issue_cycle))
                command->dependency[left++] = command->dependency[d];
        }
        command->dependencies = left;
    }
}

void sy_exec_settle(struct sy_executor *exec)
{
    uint64_t now = sy_exec_now(exec);
    for (uint32_t i = 0; i < exec->memories; i++)
        sy_exec_memory_settle(&exec->memory[i]);
    for (uint32_t i = 0; i < exec->units; i++) {
        struct sy_exec_unit *unit = &exec->unit[i];
        drop_met(exec, unit);
        if (idle_until_now(unit) && unit->accounted < now) {
            unit->owed += now - unit->accounted;
            unit->accounted = now;
        }
        exec->end_seen = sy_max(exec->end_seen, unit->last_done);
        if (unit->kind == SY_UNIT_ARRAY)
            continue;
        exec->end_seen = sy_max(exec->end_seen, unit->free_cycle);
        if (unit->last_done < now)
            unit->last_done = 0;
        if (unit->free_cycle < now)
            unit->free_cycle = 0;
    }
    sy_exec_segments_settle(exec);
    exec->hold_until = sy_max(exec->hold_until, now);
    while (exec->oldest < exec->issued) {
        const struct sy_exec_slot *slot = sy_exec_slot_of(exec, exec->oldest);
        if (exec->oldest + SY_EXEC_RING >= exec->issued &&
            (slot->time[SY_POINT_DONE] == SY_UNKNOWN || slot->time[SY_POINT_DONE] >= now))
            break;
        exec->oldest++;
    }
}

/* The first id that a queued command may still look up, or that is not done. */
uint64_t sy_exec_oldest(const struct sy_executor *exec)
{
    uint64_t oldest = exec->oldest, kept = exec->issued > SY_EXEC_RING ? exec->issued - SY_EXEC_RING : 0;
    for (uint32_t u = 0; u < exec->units; u++) {
        const struct sy_exec_unit *unit = &exec->unit[u];
        for (uint32_t i = 0; i < unit->count; i++) {
            const struct sy_command *command = &unit->queue[(unit->head + i) % SY_EXEC_QUEUE].issue.command;
            for (uint32_t d = 0; d < command->dependencies; d++)
                if (command->dependency[d].command >= sy_max(kept, exec->floor))
                    oldest = sy_min(oldest, command->dependency[d].command);
        }
    }
    return oldest;
}

/* ---- the visitor ---- */

static void visit_command(struct sy_executor *exec, struct sy_state *state, const struct base *base,
                          struct sy_command *command)
{
    uint64_t head = (uint64_t)command->kind | (uint64_t)command->operand << 8 | (uint64_t)command->level << 16 |
                    (uint64_t)command->dependencies << 24;
    sy_state_u64(state, &head);
    command->kind = (uint8_t)head;
    command->operand = (uint8_t)(head >> 8);
    command->level = (uint8_t)(head >> 16);
    command->dependencies = (uint8_t)sy_min(head >> 24, SY_MAX_DEPS);
    for (uint32_t i = 0; i < command->dependencies; i++) {
        struct sy_dependency *dependency = &command->dependency[i];
        uint64_t kind = (uint64_t)dependency->point << 8 | dependency->stall;
        dependency->command = sy_state_relative(state, dependency->command, base->issued);
        sy_state_u64(state, &kind);
        dependency->point = (uint8_t)(kind >> 8);
        dependency->stall = (uint8_t)kind;
    }
    uint64_t *word = (uint64_t *)(void *)&command->u, tail = 0;
    switch ((enum sy_command_kind)command->kind) {
    case SY_CMD_LOAD:
    case SY_CMD_STORE:
        sy_state_u64(state, &command->u.move.rows);
        sy_state_u64(state, &command->u.move.row_bytes);
        sy_state_u64(state, &command->u.move.pitch_bytes);
        sy_state_u64(state, &command->u.move.scatter);
        tail = command->u.move.parent;
        sy_state_u64(state, &tail);
        command->u.move.parent = (uint8_t)tail;
        command->u.move.address =
            sy_state_value(state, command->u.move.address % sy_exec_address_modulus(exec, command->u.move.parent));
        break;
    case SY_CMD_MATMUL:
        for (int i = 0; i < 4; i++)
            sy_state_u64(state, &word[i]);
        tail = (uint64_t)command->u.matmul.dataflow | (uint64_t)command->u.matmul.a << 8 |
               (uint64_t)command->u.matmul.b << 16 | (uint64_t)command->u.matmul.accumulate << 24;
        sy_state_u64(state, &tail);
        command->u.matmul.dataflow = (uint8_t)tail;
        command->u.matmul.a = (uint8_t)(tail >> 8);
        command->u.matmul.b = (uint8_t)(tail >> 16);
        command->u.matmul.accumulate = (uint8_t)(tail >> 24);
        break;
    case SY_CMD_VECTOR:
        for (int i = 0; i < 6; i++)
            sy_state_u64(state, &word[i]);
        sy_state_u64(state, &command->u.vector.link_cycles);
        tail = (uint64_t)command->u.vector.fused | (uint64_t)command->u.vector.follows << 8;
        sy_state_u64(state, &tail);
        command->u.vector.fused = (uint8_t)tail;
        command->u.vector.follows = (uint8_t)(tail >> 8);
        break;
    case SY_CMD_WAIT:
    case SY_CMD_COUNT:
        break;
    }
}

static void visit_entry(struct sy_executor *exec, struct sy_state *state, const struct base *base,
                        struct sy_exec_entry *entry)
{
    visit_command(exec, state, base, &entry->issue.command);
    entry->issue.layer = sy_state_relative(state, entry->issue.layer, base->layer);
    entry->issue.useful_macs = sy_state_soft(state, entry->issue.useful_macs);
    if (entry->issue.command.kind == SY_CMD_MATMUL) {
        uint64_t *window = (uint64_t *)(void *)&entry->issue.window;
        for (size_t i = 0; i < sizeof entry->issue.window / sizeof *window; i++)
            sy_state_u64(state, &window[i]);
    }
    entry->issue.command.all.given = exec->chip->cores > 1 && sy_state_value(state, entry->issue.command.all.given);
    for (size_t i = 0; entry->issue.command.all.given && i < sizeof entry->issue.command.all.u / sizeof(uint64_t); i++)
        sy_state_u64(state, &entry->issue.command.all.u.word[i]);
    entry->id = sy_state_relative(state, entry->id, base->issued);
    entry->issue_cycle = sy_state_relative(state, entry->issue_cycle, base->cycle);
    entry->issue_cause = (uint8_t)sy_state_value(state, entry->issue_cause);
}

static void visit_queue(struct sy_executor *exec, struct sy_state *state, const struct base *base,
                        struct sy_exec_unit *unit)
{
    uint64_t count = sy_state_value(state, unit->count), depth = sy_min(exec->chip->dma.queue_depth, SY_EXEC_QUEUE);
    uint64_t pops = sy_state_value(state, sy_min(unit->pushed - unit->count, depth));
    if (state->loading) {
        unit->head = 0;
        unit->count = (uint32_t)sy_min(count, SY_EXEC_QUEUE);
    }
    for (uint32_t i = 0; i < unit->count; i++)
        visit_entry(exec, state, base, &unit->queue[(unit->head + i) % SY_EXEC_QUEUE]);
    for (uint64_t i = 1; i <= pops; i++) { /* the latest ones; what has passed is written alike */
        uint64_t *pop = &unit->pop_cycle[(unit->pushed - unit->count - i) % SY_EXEC_QUEUE];
        *pop = sy_state_relative(state, *pop < base->now ? base->cycle - 1 : *pop, base->cycle);
    }
}

/* A time of which 0 stands for all that have passed (sy_exec_settle). */
static void visit_end(struct sy_state *state, const struct base *base, uint64_t *end)
{
    static const uint64_t passed = UINT64_C(1) << 63;
    uint64_t word = *end ? *end - base->cycle : passed;
    sy_state_u64(state, &word);
    *end = word == passed ? 0 : word + base->cycle;
}

static void visit_unit(struct sy_executor *exec, struct sy_state *state, const struct base *base,
                       struct sy_exec_unit *unit)
{
    visit_queue(exec, state, base, unit);
    unit->decided = sy_state_value(state, unit->decided);
    if (unit->decided)
        unit->decided_start = sy_state_relative(state, unit->decided_start, base->cycle);
    visit_end(state, base, &unit->free_cycle);
    unit->accounted = sy_state_relative(state, unit->accounted, base->cycle);
    visit_end(state, base, &unit->last_done);
    unit->in_flight = (uint32_t)sy_state_value(state, unit->in_flight);
    unit->next_take = sy_state_relative(state, sy_max(unit->next_take, base->now), base->cycle);
    if (unit->kind != SY_UNIT_ARRAY)
        return;
    uint64_t ran = sy_state_value(state, unit->stats.commands > 0);
    sy_state_u64(state, &unit->hidden_lead);
    uint64_t *previous = (uint64_t *)(void *)&unit->previous;
    for (size_t i = 0; ran && i < sizeof unit->previous / sizeof *previous; i++)
        sy_state_u64(state, &previous[i]);
}

static void visit_slot(struct sy_state *state, const struct base *base, struct sy_exec_slot *slot, bool referenced,
                       bool crossbar)
{
    bool live = referenced || slot->time[SY_POINT_DONE] == SY_UNKNOWN || slot->time[SY_POINT_DONE] >= base->now;
    live = sy_state_value(state, live ? SLOT_LIVE : SLOT_PAST) == SLOT_LIVE;
    if (!live) {
        if (state->loading)
            *slot = (struct sy_exec_slot){.layer = base->layer};
        return;
    }
    for (int point = 0; point < 3; point++) {
        uint64_t time = slot->time[point];
        if (time != SY_UNKNOWN && time < base->now && !referenced)
            time = base->cycle - 1;
        uint64_t word = time == SY_UNKNOWN ? SY_UNKNOWN : time - base->cycle + (UINT64_C(1) << 62);
        sy_state_u64(state, &word);
        slot->time[point] = word == SY_UNKNOWN ? SY_UNKNOWN : word + base->cycle - (UINT64_C(1) << 62);
        sy_state_u64(state, &slot->waiters[point]);
    }
    if (crossbar)
        sy_state_u64(state, &slot->held);
    slot->layer = sy_state_relative(state, slot->layer, base->layer);
    slot->sequencer_waits = sy_state_value(state, slot->sequencer_waits);
}

static void mark_referenced(const struct sy_executor *exec, uint64_t oldest, uint8_t marks[SY_EXEC_RING])
{
    for (uint32_t u = 0; u < exec->units; u++) {
        const struct sy_exec_unit *unit = &exec->unit[u];
        for (uint32_t i = 0; i < unit->count; i++) {
            const struct sy_command *command = &unit->queue[(unit->head + i) % SY_EXEC_QUEUE].issue.command;
            for (uint32_t d = 0; d < command->dependencies; d++)
                if (command->dependency[d].command >= oldest)
                    marks[command->dependency[d].command - oldest] = 1;
        }
    }
}

static void visit_slots(struct sy_executor *exec, struct sy_state *state, const struct base *base)
{
    uint8_t marks[SY_EXEC_RING] = {0};
    uint64_t oldest = state->loading ? 0 : sy_exec_oldest(exec);
    uint64_t count = sy_min(sy_state_value(state, exec->issued - oldest), SY_EXEC_RING);
    if (state->loading) {
        oldest = base->issued - count;
        exec->issued = base->issued;
        exec->floor = exec->oldest = oldest;
    } else {
        mark_referenced(exec, oldest, marks);
    }
    for (uint64_t i = 0; i < count; i++)
        visit_slot(state, base, sy_exec_slot_of(exec, oldest + i), !state->loading && marks[i], exec->crossbar.on);
}

static void visit_crossing(struct sy_state *state, const struct base *base, struct sy_exec_phase *phase)
{
    uint64_t *const plain[] = {&phase->copied_bytes, &phase->crossed_in, &phase->crossed_out,
                               &phase->demand,       &phase->limit,      &phase->held};
    phase->crosses = sy_state_value(state, phase->crosses);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        sy_state_u64(state, plain[i]);
    phase->engine_free = sy_state_relative(state, phase->engine_free, base->fine);
    phase->since = sy_state_relative(state, phase->since, base->fine);
}

static void visit_phase(struct sy_exec_memory *memory, struct sy_state *state, const struct base *base,
                        struct sy_exec_phase *phase)
{
    struct sy_executor *exec = memory->exec;
    uint64_t unit = sy_state_value(state, phase->unit ? phase->unit->index : 0);
    phase->unit = &exec->unit[sy_min(unit, SY_MAX_UNITS - 1)];
    phase->id = sy_state_relative(state, phase->id, base->issued);
    phase->layer = sy_state_relative(state, phase->layer, base->layer);
    phase->start_cycle = sy_state_relative(state, phase->start_cycle, base->cycle);
    uint64_t flags = (uint64_t)phase->cause | (uint64_t)phase->operand << 8 | (uint64_t)phase->write << 16 |
                     (uint64_t)phase->active << 24;
    sy_state_u64(state, &flags);
    phase->cause = (uint8_t)flags;
    phase->operand = (uint8_t)(flags >> 8);
    phase->write = flags >> 16 & 1;
    phase->active = flags >> 24 & 1;
    uint64_t ready = state->loading ? 0 : sy_max(sy_exec_fine(exec, phase->ready_tick), base->fine);
    ready = sy_state_relative(state, ready, base->fine);
    if (state->loading && sy_exec_tick(exec, ready, &phase->ready_tick) != SY_OK)
        state->failed = true;
    phase->address = sy_state_value(state, phase->address % sy_exec_address_modulus(exec, memory->level));
    uint64_t *const plain[] = {&phase->bytes,       &phase->bus_bytes, &phase->rows, &phase->row_bytes,
                               &phase->pitch_bytes, &phase->scatter,   &phase->cap,  &phase->rate};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        sy_state_u64(state, plain[i]);
    if (exec->chip->cores > 1) {
        sy_state_u64(state, &phase->all_bytes);
        sy_state_u64(state, &phase->all_bus_bytes);
        sy_state_u64(state, &phase->cores);
        phase->cast = sy_state_value(state, phase->cast);
    } else {
        phase->all_bytes = phase->bytes;
        phase->all_bus_bytes = phase->bus_bytes;
        phase->cores = 1;
    }
    if (exec->crossbar.on)
        visit_crossing(state, base, phase);
    uint64_t low = (uint64_t)phase->remaining, high = (uint64_t)(phase->remaining >> 64);
    sy_state_u64(state, &low);
    sy_state_u64(state, &high);
    phase->remaining = (sy_u128)high << 64 | low;
}

static void visit_memory(struct sy_exec_memory *memory, struct sy_state *state, const struct base *base)
{
    memory->phases = (uint32_t)sy_min(sy_state_value(state, memory->phases), SY_EXEC_PHASES);
    for (uint32_t i = 0; i < memory->phases; i++)
        visit_phase(memory, state, base, &memory->phase[i]);
    if (memory->device)
        sy_exec_device_visit(memory, state, base->layer);
    if (state->loading) {
        memory->updated_tick = sck_time(memory->exec->sim);
        memory->rated = false;
    }
}

static void visit_layers(struct sy_executor *exec, struct sy_state *state, const struct base *base)
{
    exec->first_layer = sy_state_relative(state, exec->first_layer, base->layer);
    exec->last_layer = sy_state_relative(state, exec->last_layer, base->layer);
    exec->seen_layer = sy_state_relative(state, exec->seen_layer, base->layer);
    exec->window_start = sy_state_relative(state, exec->window_start, base->cycle);
    if (state->loading && exec->last_layer + 1 - exec->first_layer > SY_EXEC_LAYERS) {
        state->failed = true;
        return;
    }
    for (uint64_t i = exec->first_layer; i <= exec->last_layer; i++) {
        struct sy_exec_layer *layer = sy_exec_layer_of(exec, i);
        sy_state_u64(state, &layer->pending);
        layer->finish = sy_state_relative(state, sy_max(layer->finish, exec->window_start), base->cycle);
        layer->sealed = sy_state_value(state, layer->sealed);
    }
    uint64_t segments = sy_min(sy_state_value(state, exec->segments), SY_EXEC_SEGMENTS);
    if (state->loading) {
        exec->segment_head = 0;
        exec->segments = (uint32_t)segments;
    }
    for (uint32_t i = 0; i < exec->segments; i++) {
        struct sy_exec_segment *segment = &exec->segment[(exec->segment_head + i) % SY_EXEC_SEGMENTS];
        segment->start = sy_state_relative(state, segment->start, base->cycle);
        segment->end = sy_state_relative(state, segment->end, base->cycle);
        segment->cause = (int8_t)((int64_t)sy_state_value(state, (uint64_t)(segment->cause + 1)) - 1);
    }
}

static void visit(struct sy_executor *exec, struct sy_state *state, const struct base *base)
{
    visit_slots(exec, state, base);
    exec->hold_until = sy_state_relative(state, exec->hold_until, base->cycle);
    exec->hold_cause = (uint8_t)sy_state_value(state, exec->hold_cause);
    visit_layers(exec, state, base);
    for (uint32_t i = 0; i < exec->units; i++)
        visit_unit(exec, state, base, &exec->unit[i]);
    for (uint32_t i = 0; i < exec->memories; i++)
        visit_memory(&exec->memory[i], state, base);
}

static struct base base_at(uint64_t fine, uint64_t issued, uint64_t layer)
{
    /* One more cycle than has passed, so that the cycle before now has a number. */
    return (struct base){sy_ceil_div(fine, SY_EXEC_FINE), fine / SY_EXEC_FINE, issued, layer, fine};
}

void sy_exec_save(struct sy_executor *exec, uint64_t layer, struct sy_state *state)
{
    uint64_t fine = sy_exec_fine_now(exec);
    struct base base = base_at(fine, exec->issued, layer);
    const struct sy_companion *companion = exec->options.companion;
    (void)sy_state_value(state, fine % SY_EXEC_FINE);
    (void)sy_state_value(state, companion ? companion->pending(companion->context) : 0);
    visit(exec, state, &base);
}

bool sy_exec_load(struct sy_executor *exec, uint64_t fine, uint64_t issued, uint64_t layer, struct sy_state *state)
{
    struct base base = base_at(fine, issued, layer);
    (void)sy_state_value(state, 0); /* fine has the phase of the state */
    (void)sy_state_value(state, 0); /* nothing was pending */
    exec->offset += fine - sy_exec_fine_now(exec);
    exec->seen_tick = SY_UNKNOWN;
    visit(exec, state, &base);
    return !state->failed;
}

enum sy_status sy_exec_wake_all(struct sy_executor *exec)
{
    for (uint32_t i = 0; i < exec->units; i++) {
        enum sy_status status = sck_event_cancel(exec->unit[i].event);
        if (status == SY_OK)
            status = sck_event_notify_delta(exec->unit[i].event);
        if (status != SY_OK)
            return status;
    }
    for (uint32_t i = 0; i < exec->memories; i++) {
        enum sy_status status = sck_event_cancel(exec->memory[i].event);
        if (status == SY_OK)
            status = sck_event_notify_delta(exec->memory[i].event);
        if (status != SY_OK)
            return status;
    }
    return sck_event_cancel(exec->seq_event);
}

/* ---- counters ---- */

static void tally_unit(struct sy_tally *tally, struct sy_exec_unit *unit)
{
    sy_tally_u64(tally, &unit->stats.busy);
    for (int i = 0; i < SY_STALL_COUNT; i++)
        sy_tally_u64(tally, &unit->stats.stall[i]);
    sy_tally_u64(tally, &unit->stats.commands);
    sy_tally_u64(tally, &unit->pushed);
}

static void tally_work(struct sy_tally *tally, struct sy_array_work *work, struct sy_vector_work *vector)
{
    uint64_t *const figures[] = {&work->beats,        &work->active_cycles, &work->mapped_pe_beats,
                                 &work->pe_beats,     &vector->simple_ops,  &vector->transcendental_ops,
                                 &vector->reduce_ops, &vector->elements};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        sy_tally_u64(tally, figures[i]);
}

void sy_exec_tally(struct sy_executor *exec, struct sy_tally *tally)
{
    for (uint32_t i = 0; i < exec->units; i++)
        tally_unit(tally, &exec->unit[i]);
    tally_work(tally, &exec->work, &exec->vector_work);
    for (uint32_t i = 0; i < exec->chip->levels; i++) {
        sy_tally_u64(tally, &exec->level_read[i]);
        sy_tally_u64(tally, &exec->level_write[i]);
        for (uint32_t k = 0; k < exec->chip->levels; k++)
            for (int operand = 0; operand < SY_OPERANDS; operand++) {
                for (int side = 0; side < 2; side++) {
                    sy_tally_u64(tally, &exec->link_fill[i][k][operand][side]);
                    sy_tally_u64(tally, &exec->link_drain[i][k][operand][side]);
                }
                if (exec->crossbar.on)
                    sy_tally_u64(tally, &exec->link_copied[i][k][operand]);
            }
    }
    for (int way = 0; exec->crossbar.on && way < 2; way++) {
        sy_tally_u64(tally, &exec->crossbar.in[way]);
        sy_tally_u64(tally, &exec->crossbar.out[way]);
    }
    if (exec->crossbar.on)
        sy_tally_u64(tally, &exec->crossbar.copied);
    for (uint32_t i = 0; i < exec->memories; i++) {
        struct sy_exec_memory *memory = &exec->memory[i];
        sy_tally_u64(tally, &memory->read_bytes);
        sy_tally_u64(tally, &memory->write_bytes);
        sy_tally_u64(tally, &memory->own_bytes);
        sy_tally_u64(tally, &memory->busy_fine);
        sy_exec_device_tally(memory, tally);
    }
    if (exec->options.companion)
        exec->options.companion->tally(exec->options.companion->context, tally);
}

void sy_exec_tally_layer(const struct sy_executor *exec, struct sy_layer_counters *counters, struct sy_tally *tally)
{
    sy_tally_u64(tally, &counters->busy);
    for (int i = 0; i < SY_STALL_COUNT; i++)
        sy_tally_u64(tally, &counters->stall[i]);
    tally_work(tally, &counters->work, &counters->vector);
    for (uint32_t i = 0; i < exec->chip->levels; i++) {
        sy_tally_u64(tally, &counters->level_read_bytes[i]);
        sy_tally_u64(tally, &counters->level_write_bytes[i]);
        sy_tally_u64(tally, &counters->rows_opened[i]);
    }
    if (exec->crossbar.on) {
        sy_tally_u64(tally, &counters->crossed[0]);
        sy_tally_u64(tally, &counters->crossed[1]);
    }
    sy_tally_u64(tally, &counters->commands);
}
