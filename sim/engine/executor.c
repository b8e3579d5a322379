/* SPDX-License-Identifier: Apache-2.0 */
/* The executor's core: set-up, the sequencer, command times and queues. See executor.h. */
#include "sim/engine/executor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/executor_internal.h"

enum { PRIORITY_MEMORY = 0, PRIORITY_SEQUENCER = 1, PRIORITY_UNIT = 2 };

uint64_t sy_exec_fine(const struct sy_executor *exec, uint64_t tick)
{
    uint64_t fine = 0;
    (void)sck_next_edge(exec->fine_clock, tick, &fine, NULL);
    return fine + exec->offset;
}

enum sy_status sy_exec_tick(const struct sy_executor *exec, uint64_t fine, uint64_t *tick)
{
    return sck_edge(exec->fine_clock, fine - exec->offset, tick);
}

uint64_t sy_exec_now(struct sy_executor *exec)
{
    uint64_t tick = sck_time(exec->sim);
    /* Unit methods run on core edges; rounding up makes memory completions the next edge. */
    if (tick != exec->seen_tick) {
        exec->seen_tick = tick;
        exec->seen_now = sy_ceil_div(sy_exec_fine(exec, tick), SY_EXEC_FINE);
    }
    return exec->seen_now;
}

struct sy_exec_slot *sy_exec_slot_of(struct sy_executor *exec, uint64_t id)
{
    return &exec->slot[id % SY_EXEC_RING];
}

enum sy_status sy_exec_notify(struct sy_executor *exec, struct sck_event *event, uint64_t cycle)
{
    uint64_t fine = 0, tick = 0, now = sy_exec_now(exec);
    if (!sy_mul(sy_max(cycle, now), SY_EXEC_FINE, &fine) || sy_exec_tick(exec, fine, &tick) != SY_OK)
        return SY_OVERFLOW;
    return sck_event_notify_at(event, tick);
}

struct sy_exec_entry *sy_exec_head(struct sy_exec_unit *unit)
{
    return unit->count ? &unit->queue[unit->head] : NULL;
}

void sy_exec_pop(struct sy_exec_unit *unit)
{
    struct sy_executor *exec = unit->exec;
    unit->pop_cycle[(unit->pushed - unit->count) % SY_EXEC_QUEUE] = sy_exec_now(exec);
    unit->head = (unit->head + 1) % SY_EXEC_QUEUE;
    unit->count--;
    unit->decided = false;
    if (exec->blocked_unit == unit->index) {
        exec->blocked_unit = UINT32_MAX;
        (void)sy_exec_notify(exec, exec->seq_event, sy_exec_now(exec) + 1);
    }
}

/* ---- command times ---- */

static enum sy_status wake(struct sy_executor *exec, uint64_t waiters)
{
    while (waiters) {
        unsigned index = (unsigned)__builtin_ctzll(waiters);
        waiters &= waiters - 1;
        enum sy_status status = sck_event_notify_delta(exec->unit[index].event);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}

static void layer_note(struct sy_executor *exec, uint64_t layer, uint64_t done)
{
    struct sy_exec_layer *state = sy_exec_layer_of(exec, layer);
    state->finish = sy_max(state->finish, done);
    state->pending--;
}

enum sy_status sy_exec_set_times(struct sy_executor *exec, uint64_t id, uint64_t first, uint64_t streamed,
                                 uint64_t done)
{
    struct sy_exec_slot *slot = sy_exec_slot_of(exec, id);
    uint64_t value[3];
    value[SY_POINT_DONE] = done;
    value[SY_POINT_STREAMED] = streamed;
    value[SY_POINT_FIRST] = first;
    uint64_t waiters = 0;
    for (int point = 0; point < 3; point++) {
        slot->time[point] = value[point];
        waiters |= slot->waiters[point];
        slot->waiters[point] = 0;
    }
    layer_note(exec, slot->layer, done);
    if (slot->sequencer_waits) {
        slot->sequencer_waits = false;
        (void)sy_exec_notify(exec, exec->seq_event, done);
    }
    enum sy_status status = wake(exec, waiters);
    return status != SY_OK ? status : sy_exec_layers_deliver(exec);
}

struct sy_exec_ready sy_exec_head_ready(struct sy_exec_unit *unit, uint32_t causes)
{
    struct sy_executor *exec = unit->exec;
    const struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_command *command = &entry->issue.command;
    struct sy_exec_ready ready = {true, 0, SY_STALL_COUNT, 0};
    uint64_t oldest = sy_max(exec->issued > SY_EXEC_RING ? exec->issued - SY_EXEC_RING : 0, exec->floor);
    for (uint32_t i = 0; i < command->dependencies; i++) {
        const struct sy_dependency *dependency = &command->dependency[i];
        if (!(causes >> dependency->stall & 1) || dependency->command < oldest)
            continue; /* what has left the ring lies in the past */
        struct sy_exec_slot *slot = sy_exec_slot_of(exec, dependency->command);
        uint64_t time = slot->time[dependency->point];
        if (time == SY_UNKNOWN) {
            slot->waiters[dependency->point] |= UINT64_C(1) << unit->index;
            ready.known = false;
            return ready;
        }
        /* The condition that became true last; at a tie the earlier cause of the list. */
        if (time > ready.cycle || (time == ready.cycle && dependency->stall < ready.cause)) {
            ready.cycle = time;
            ready.cause = dependency->stall;
            ready.held = slot->held;
        }
    }
    if (entry->issue_cycle > ready.cycle) {
        ready.cycle = entry->issue_cycle;
        ready.cause = entry->issue_cause;
        ready.held = 0;
    } else if (ready.cause == SY_STALL_COUNT) {
        ready.cause = entry->issue_cause;
    }
    return ready;
}

/* ---- the sequencer ----
 * idle -> fetch a command -> (held by launch | ring full | serialize | queue full) -> issue -> fetch ... -> ended */

static struct sy_exec_unit *unit_for(struct sy_executor *exec, const struct sy_command *command)
{
    switch ((enum sy_command_kind)command->kind) {
    case SY_CMD_MATMUL:
        return &exec->unit[0];
    case SY_CMD_VECTOR:
    case SY_CMD_WAIT:
        return &exec->unit[1];
    case SY_CMD_LOAD:
    case SY_CMD_STORE:
    case SY_CMD_COUNT:
        break;
    }
    if (command->level >= exec->chip->levels || command->u.move.parent >= exec->chip->levels ||
        command->operand >= SY_OPERANDS)
        return NULL;
    uint8_t index =
        exec->dma_unit[command->kind == SY_CMD_STORE][command->u.move.parent][command->level][command->operand];
    return index == 0xff ? NULL : &exec->unit[index];
}

/* True when everything the next command would overwrite in the ring, and with `serialize` everything before it, is
 * past. */
static bool ring_has_room(struct sy_executor *exec, uint64_t *until)
{
    uint64_t distance = exec->chip->serialize ? 1 : SY_EXEC_RING;
    *until = 0;
    if (exec->issued < distance + exec->floor)
        return true;
    struct sy_exec_slot *slot = sy_exec_slot_of(exec, exec->issued - distance);
    if (slot->time[SY_POINT_DONE] == SY_UNKNOWN) {
        slot->sequencer_waits = true;
        *until = SY_UNKNOWN;
        return false;
    }
    *until = slot->time[SY_POINT_DONE];
    return *until <= sy_exec_now(exec);
}

/* The cycle from which the unit's queue has room: a place freed in one cycle holds the next command in the following
 * one. SY_UNKNOWN while all places are taken. */
static uint64_t room_from(const struct sy_executor *exec, const struct sy_exec_unit *unit)
{
    uint64_t depth = sy_min(exec->chip->dma.queue_depth, SY_EXEC_QUEUE);
    if (unit->count >= depth)
        return SY_UNKNOWN;
    return unit->pushed < depth ? 0 : unit->pop_cycle[(unit->pushed - depth) % SY_EXEC_QUEUE] + 1;
}

/* A unit whose queue is full holds up all behind it: what its head waits for, or its own work. */
static uint8_t head_cause(struct sy_executor *exec, struct sy_exec_unit *unit)
{
    static const uint8_t load_cause[SY_OPERANDS] = {SY_STALL_LOAD_A, SY_STALL_LOAD_B, SY_STALL_LOAD_C};
    struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_command *command = &entry->issue.command;
    for (uint32_t i = 0; i < command->dependencies; i++) {
        const struct sy_dependency *dependency = &command->dependency[i];
        if (exec->issued - dependency->command <= SY_EXEC_RING && dependency->command >= exec->floor &&
            sy_exec_slot_of(exec, dependency->command)->time[dependency->point] == SY_UNKNOWN)
            return dependency->stall;
    }
    if (unit->kind == SY_UNIT_LOAD)
        return load_cause[command->operand];
    return unit->kind == SY_UNIT_STORE ? SY_STALL_BUFFER_FULL : SY_STALL_VECTOR;
}

static enum sy_status issue_one(struct sy_executor *exec, struct sy_exec_unit *unit, uint64_t now)
{
    struct sy_exec_entry *entry = &unit->queue[(unit->head + unit->count) % SY_EXEC_QUEUE];
    entry->issue = exec->next;
    entry->id = exec->issued++;
    entry->issue_cycle = now;
    entry->issue_cause = exec->hold_cause;
    struct sy_exec_slot *slot = sy_exec_slot_of(exec, entry->id);
    for (int point = 0; point < 3; point++) {
        slot->time[point] = SY_UNKNOWN;
        slot->waiters[point] = 0;
    }
    slot->held = 0;
    slot->layer = exec->next.layer;
    slot->sequencer_waits = false;
    unit->pushed++;
    exec->has_next = false;
    sy_exec_layer_of(exec, slot->layer)->pending++;
    sy_exec_layer_of(exec, slot->layer)->counters.commands++;
    return ++unit->count == 1 ? sck_event_notify_delta(unit->event) : SY_OK;
}

/* Seal the layers before `layer` and charge the new one's overhead. */
static enum sy_status enter_layer(struct sy_executor *exec, uint64_t layer, uint64_t now)
{
    if (layer - exec->first_layer >= SY_EXEC_LAYERS)
        return SY_STATE; /* wait until older layers are delivered */
    for (uint64_t i = exec->last_layer + 1; i <= layer; i++)
        memset(sy_exec_layer_of(exec, i), 0, sizeof(struct sy_exec_layer));
    for (uint64_t i = exec->seen_layer; i < layer; i++)
        sy_exec_layer_of(exec, i)->sealed = true;
    exec->last_layer = layer;
    exec->seen_layer = layer;
    if (exec->chip->layer_overhead_cycles) {
        exec->hold_until = sy_max(exec->hold_until, now) + exec->chip->layer_overhead_cycles;
        exec->hold_cause = SY_STALL_LAUNCH;
    }
    return sy_exec_layers_deliver(exec);
}

static enum sy_status fetch(struct sy_executor *exec, bool *stop)
{
    bool more = false;
    enum sy_status status = exec->source.next(exec->source.context, &exec->next, &more);
    if (status != SY_OK)
        return status;
    if (!more) {
        exec->ended = true;
        *stop = true;
        for (uint64_t i = exec->seen_layer; i <= exec->last_layer; i++)
            sy_exec_layer_of(exec, i)->sealed = true;
        return sy_exec_layers_deliver(exec);
    }
    for (uint32_t i = 0; i < exec->next.command.dependencies; i++)
        if (exec->next.command.dependency[i].command >= exec->issued ||
            exec->next.command.dependency[i].point > SY_POINT_FIRST)
            return sy_error(exec->diag, SY_NOWHERE, "a dependency names a command that comes earlier in the schedule",
                            "command %llu depends on command %llu, which does not precede it",
                            (unsigned long long)exec->issued,
                            (unsigned long long)exec->next.command.dependency[i].command);
    exec->has_next = true;
    return SY_OK;
}

/* The command in hand goes to its unit's queue now (*issued), or the sequencer waits: for a cycle it is notified of, or
 * for whoever wakes it. */
static enum sy_status place_next(struct sy_executor *exec, uint64_t now, bool *issued)
{
    uint64_t until = 0;
    if (exec->hold_until > now)
        return sy_exec_notify(exec, exec->seq_event, exec->hold_until);
    if (!ring_has_room(exec, &until))
        return until == SY_UNKNOWN ? SY_OK : sy_exec_notify(exec, exec->seq_event, until);
    struct sy_exec_unit *unit = unit_for(exec, &exec->next.command);
    if (!unit)
        return sy_error(exec->diag, SY_NOWHERE, "levels and operands must name a link of the chip",
                        "command %llu moves operand %u between levels %u and %u, which the chip does not connect",
                        (unsigned long long)exec->issued, exec->next.command.operand, exec->next.command.level,
                        exec->next.command.u.move.parent);
    uint64_t room = room_from(exec, unit);
    if (room == SY_UNKNOWN) {
        exec->blocked_unit = unit->index;
        exec->hold_cause = head_cause(exec, unit);
        return SY_OK;
    }
    if (room > now)
        return sy_exec_notify(exec, exec->seq_event, room);
    *issued = true;
    return issue_one(exec, unit, now);
}

static enum sy_status sequencer_method(void *context)
{
    struct sy_executor *exec = context;
    bool issued = true;
    if (exec->options.cancel && *exec->options.cancel)
        return sck_fail(exec->sim, SY_INTERRUPTED, "interrupted");
    while (issued && !exec->ended && exec->blocked_unit == UINT32_MAX) {
        uint64_t now = sy_exec_now(exec);
        bool stop = false;
        enum sy_status status;
        if (!exec->has_next && ((status = fetch(exec, &stop)) != SY_OK || stop))
            return status;
        now = sy_exec_now(exec); /* the source may have gone forward */
        if (exec->next.layer != exec->seen_layer) {
            status = enter_layer(exec, exec->next.layer, now);
            if (status != SY_OK) /* too many layers in flight: sy_exec_layers_deliver wakes the sequencer */
                return status == SY_STATE ? SY_OK : status;
        }
        issued = false;
        if ((status = place_next(exec, now, &issued)) != SY_OK)
            return status;
    }
    return SY_OK;
}

/* ---- set-up ---- */

static enum sy_status unit_add(struct sy_executor *exec, enum sy_unit_kind kind, const char *name, sck_method_fn method,
                               uint32_t *index)
{
    if (exec->units == SY_MAX_UNITS)
        return SY_UNSUPPORTED;
    struct sy_exec_unit *unit = &exec->unit[exec->units];
    unit->exec = exec;
    unit->index = exec->units;
    unit->kind = kind;
    snprintf(unit->name, sizeof unit->name, "%s", name);
    enum sy_status status = sck_event_create(exec->sim, unit->name, &unit->event);
    if (status != SY_OK)
        return status;
    struct sck_method_spec spec = {.name = unit->name,
                                   .fn = method,
                                   .arg = unit,
                                   .priority = PRIORITY_UNIT + exec->units,
                                   .events = &unit->event,
                                   .event_count = 1};
    status = sck_method_spawn(exec->sim, &spec, NULL);
    if (status == SY_OK && exec->options.vcd_path) {
        char wave[96];
        snprintf(wave, sizeof wave, "systole.%s.busy", unit->name);
        for (char *c = wave + 8; *c; c++)
            if (*c == '>' || *c == ' ')
                *c = '_';
        status = sck_trace_var(exec->sim, wave, 1, &unit->wave);
    }
    *index = exec->units++;
    return status;
}

/* One load and one store unit for each link an operand uses, times the chip's engines. */
static enum sy_status add_link(struct sy_executor *exec, uint8_t parent, uint8_t child, uint32_t operand)
{
    const struct sy_chip *chip = exec->chip;
    uint32_t engine = operand % (uint32_t)sy_max(chip->dma.engines, 1);
    for (int store = 0; store < 2; store++) {
        uint8_t *table = &exec->dma_unit[store][parent][child][0];
        if (store && chip->dma.shared_load_store) {
            table[operand] = exec->dma_unit[0][parent][child][operand];
            continue;
        }
        for (uint32_t other = 0; other < SY_OPERANDS && table[operand] == 0xff; other++)
            if (table[other] != 0xff && exec->unit[table[other]].engine == engine)
                table[operand] = table[other];
        if (table[operand] != 0xff)
            continue;
        char name[64], suffix[16] = "";
        if (chip->dma.engines > 1)
            snprintf(suffix, sizeof suffix, ".%u", engine);
        const char *inner = chip->level[child].name, *outer = chip->level[parent].name;
        snprintf(name, sizeof name, "%s.%.20s>%.20s%s", store ? "store" : "load", store ? inner : outer,
                 store ? outer : inner, suffix);
        uint32_t index;
        enum sy_status status = unit_add(exec, store ? SY_UNIT_STORE : SY_UNIT_LOAD, name, sy_exec_dma_method, &index);
        if (status != SY_OK)
            return status;
        exec->unit[index].parent = parent;
        exec->unit[index].child = child;
        exec->unit[index].engine = (uint8_t)engine;
        table[operand] = (uint8_t)index;
    }
    return SY_OK;
}

static enum sy_status build_units(struct sy_executor *exec)
{
    uint32_t index, chain[SY_MAX_LEVELS];
    enum sy_status status = unit_add(exec, SY_UNIT_ARRAY, "array", sy_exec_array_method, &index);
    if (status == SY_OK)
        status = unit_add(exec, SY_UNIT_VECTOR, "vector", sy_exec_vector_method, &index);
    memset(exec->dma_unit, 0xff, sizeof exec->dma_unit);
    for (uint32_t operand = 0; status == SY_OK && operand < SY_OPERANDS; operand++) {
        uint32_t count = sy_chip_chain(exec->chip, (enum sy_operand)operand, chain);
        for (uint32_t i = 0; status == SY_OK && i + 1 < count; i++)
            status = add_link(exec, (uint8_t)chain[i + 1], (uint8_t)chain[i], operand);
    }
    return status;
}

static uint64_t whole_rate(double bytes_per_s)
{
    return bytes_per_s <= 0 ? 0 : bytes_per_s >= 1e18 ? UINT64_C(1000000000000000000) : (uint64_t)llround(bytes_per_s);
}

static enum sy_status build_memory(struct sy_executor *exec)
{
    const char *chip = exec->chip->name;
    enum sy_status status = sy_exec_tlb_open(exec);
    sy_exec_crossbar_init(exec);
    if (status == SY_OK)
        status = sy_exec_memory_init(exec);
    if (status == SY_OK && exec->options.requests && !exec->traced)
        status =
            sy_error(exec->diag, SY_NOWHERE, "run with --memory burst, and name a device for the chip's dram level",
                     "there are no requests to trace: no memory level of chip '%s' runs its bursts", chip);
    if (status == SY_OK && exec->options.memory == SY_MEMORY_TARGET && !exec->targeted)
        status = sy_error(exec->diag, SY_NOWHERE, "give the chip a memory level of kind dram",
                          "there is nothing for a memory target to replace: chip '%s' has no dram level", chip);
    return status;
}

static enum sy_status build(struct sy_executor *exec)
{
    const struct sy_chip *chip = exec->chip;
    struct sck_config config = {.backend = exec->options.backend};
    enum sy_status status = sck_sim_create(&config, &exec->sim);
    if (status != SY_OK)
        return status;
    exec->core_hz_num = chip->clock[0].frequency.num;
    exec->core_hz_den = chip->clock[0].frequency.den;
    status = sck_clock_domain(exec->sim, chip->clock[0].name, exec->core_hz_num, exec->core_hz_den, &exec->clock);
    uint64_t fine_hz = 0;
    if (status == SY_OK && !sy_mul(exec->core_hz_num, SY_EXEC_FINE, &fine_hz))
        status = SY_OVERFLOW;
    if (status == SY_OK)
        status = sck_clock_domain(exec->sim, "memory", fine_hz, exec->core_hz_den, &exec->fine_clock);
    if (status == SY_OK && exec->options.vcd_path)
        status = sck_trace_open(exec->sim, exec->options.vcd_path, exec->diag);
    for (uint32_t i = 0; i < chip->levels; i++) {
        exec->level_rate[i][0] = whole_rate(chip->level[i].read_bytes_per_s);
        exec->level_rate[i][1] = whole_rate(chip->level[i].write_bytes_per_s);
    }
    if (status == SY_OK)
        status = build_units(exec);
    if (status == SY_OK)
        status = build_memory(exec);
    if (status == SY_OK)
        status = sck_event_create(exec->sim, "sequencer", &exec->seq_event);
    struct sck_method_spec spec = {.name = "sequencer",
                                   .fn = sequencer_method,
                                   .arg = exec,
                                   .priority = PRIORITY_SEQUENCER,
                                   .flags = SCK_RUN_AT_START,
                                   .events = &exec->seq_event,
                                   .event_count = 1};
    if (status == SY_OK)
        status = sck_method_spawn(exec->sim, &spec, NULL);
    exec->blocked_unit = UINT32_MAX;
    exec->hold_until = chip->launch_cycles;
    exec->hold_cause = SY_STALL_LAUNCH;
    return status;
}

static enum sy_status run(struct sy_executor *exec)
{
    struct sck_outcome outcome;
    uint32_t said_before = exec->diag ? exec->diag->errors : 0;
    enum sy_status status = sck_start(exec->sim, SCK_NEVER, &outcome);
    if (status != SY_OK) {
        /* Messages about input were delivered where they arose. */
        bool said = exec->diag && exec->diag->errors > said_before;
        if (status != SY_INPUT && status != SY_INTERRUPTED && !said)
            sy_error(exec->diag, SY_NOWHERE, NULL, "%s", sck_last_error(exec->sim));
        return status;
    }
    for (uint32_t i = 0; i < exec->units; i++)
        if (exec->unit[i].count || exec->unit[i].in_flight || !exec->ended) {
            sy_error(exec->diag, SY_NOWHERE, NULL, "the schedule came to a halt: unit %s still has %u commands",
                     exec->unit[i].name, exec->unit[i].count + exec->unit[i].in_flight);
            return SY_INTERNAL;
        }
    return SY_OK;
}

enum sy_status sy_execute(const struct sy_chip *chip, const struct sy_executor_options *options,
                          const struct sy_command_source *source, struct sy_result *result, uint64_t *end_cycle,
                          struct sy_diag *diag)
{
    struct sy_executor *exec = calloc(1, sizeof *exec);
    if (!exec)
        return SY_NOMEM;
    exec->chip = chip;
    exec->options = *options;
    exec->source = *source;
    if (source->attach)
        source->attach(source->context, exec);
    exec->diag = diag;
    const uint32_t said_before = diag ? diag->errors : 0;
    enum sy_status status = build(exec);
    if (status == SY_OK)
        status = run(exec);
    else if (exec->sim && status != SY_INPUT && !(diag && diag->errors > said_before))
        sy_error(diag, SY_NOWHERE, NULL, "the chip's units could not be set up: %s", sck_last_error(exec->sim));
    if (status == SY_OK)
        status = sy_exec_finish(exec, result, end_cycle);
    if (status == SY_OK && options->vcd_path)
        status = sck_trace_close(exec->sim, diag);
    for (uint32_t i = 0; i < exec->memories; i++)
        sy_exec_bursts_close(&exec->memory[i]);
    for (uint32_t i = 0; i < exec->memories; i++)
        sy_exec_device_close(&exec->memory[i]);
    for (uint32_t i = 0; i < exec->memories; i++)
        sy_exec_target_close(&exec->memory[i]);
    sy_exec_tlb_close(exec);
    sck_sim_destroy(exec->sim);
    free(exec);
    return status;
}
