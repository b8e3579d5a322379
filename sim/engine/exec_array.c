/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The array and the vector unit of the executor.
 *
 * Array: a tile's timing is the closed form of its run (array_timing.h). Two
 * gates decide the first beat: the preload may begin when the stationary
 * operand is there, the stream when everything is. Under double buffering the
 * preload hides beneath the stream of the run before.
 * Vector: startup + work by class over the lanes, no faster than its memory ports.
 */
#include <string.h>

#include "sim/engine/all_cores.h"
#include "sim/engine/executor_internal.h"

static const uint32_t all_causes = (1u << SY_STALL_COUNT) - 1;

/* Causes that hold up the stream only: while they last the stationary operand can already be loaded. */
static uint32_t stream_causes(const struct sy_dataflow *dataflow)
{
    uint32_t causes = 1u << SY_STALL_ACCUMULATOR | 1u << SY_STALL_VECTOR | 1u << SY_STALL_LOAD_C | 1u << SY_STALL_NOC;
    if (dataflow->stationary != SY_A)
        causes |= 1u << SY_STALL_LOAD_A | 1u << SY_STALL_DEPENDENCY;
    if (dataflow->stationary != SY_B)
        causes |= 1u << SY_STALL_LOAD_B;
    return causes;
}

/* Timing of an m x k x n tile of the command, one of so many. */
static const struct sy_array_tile *cached_tile(struct sy_executor *exec, const struct sy_issue *issue, uint64_t m,
                                               uint64_t k, uint64_t n, uint64_t groups)
{
    const struct sy_command *command = &issue->command;
    uint64_t hash = (m * UINT64_C(0x9E3779B97F4A7C15)) ^ (k * UINT64_C(0xC2B2AE3D27D4EB4F)) ^
                    (n * UINT64_C(0x165667B19E3779F9)) ^ (uint64_t)command->u.matmul.accumulate << 41;
    struct sy_run_cache_entry *entry = &exec->cache[(hash >> 40) % SY_RUN_CACHE];
    if (entry->valid && entry->m == m && entry->k == k && entry->n == n &&
        entry->tile.side == sy_array_side(&exec->chip->array, n, groups) &&
        entry->dataflow == command->u.matmul.dataflow && entry->a == command->u.matmul.a &&
        entry->b == command->u.matmul.b && entry->accumulate == command->u.matmul.accumulate &&
        memcmp(&entry->window, &issue->window, sizeof entry->window) == 0)
        return &entry->tile;
    entry->valid = sy_array_tile_of_groups(exec->chip, command->u.matmul.dataflow, &issue->window, m, k, n, groups,
                                           (enum sy_dtype)command->u.matmul.a, (enum sy_dtype)command->u.matmul.b,
                                           command->u.matmul.accumulate, &entry->tile) == SY_OK;
    if (!entry->valid)
        return NULL;
    entry->m = m;
    entry->k = k;
    entry->n = n;
    entry->window = issue->window;
    entry->dataflow = command->u.matmul.dataflow;
    entry->a = command->u.matmul.a;
    entry->b = command->u.matmul.b;
    entry->accumulate = command->u.matmul.accumulate;
    return &entry->tile;
}

/* Charge the ports of the operands' innermost levels. */
static void touch_ports(struct sy_executor *exec, struct sy_layer_counters *counters, const struct sy_array_tile *tile,
                        uint64_t times)
{
    for (uint32_t i = 0; i < exec->chip->levels; i++) {
        exec->level_read[i] += times * tile->level_read_bytes[i];
        exec->level_write[i] += times * tile->level_write_bytes[i];
        counters->level_read_bytes[i] += times * tile->level_read_bytes[i];
        counters->level_write_bytes[i] += times * tile->level_write_bytes[i];
    }
}

/* The ports of all cores. Looks up another tile: what the caller holds of the cache may be gone. */
static enum sy_status touch_all_ports(struct sy_executor *exec, const struct sy_issue *issue,
                                      const struct sy_array_tile *tile)
{
    struct sy_layer_counters *counters = &sy_exec_layer_of(exec, issue->layer)->counters;
    const struct sy_all_cores *all = &issue->command.all;
    uint64_t repeat = issue->command.u.matmul.repeat;
    touch_ports(exec, counters, tile, repeat * (all->given ? all->u.matmul.cores : sy_max(exec->chip->cores, 1)));
    if (!all->given || !all->u.matmul.less_cores)
        return SY_OK;
    tile = cached_tile(exec, issue, all->u.matmul.m, all->u.matmul.k, all->u.matmul.n, all->u.matmul.repeat);
    if (!tile)
        return sck_fail(exec->sim, SY_UNSUPPORTED,
                        "the array cannot run the tile %llu x %llu x %llu of the cores with the smaller share",
                        (unsigned long long)all->u.matmul.m, (unsigned long long)all->u.matmul.k,
                        (unsigned long long)all->u.matmul.n);
    touch_ports(exec, counters, tile, all->u.matmul.repeat * all->u.matmul.less_cores);
    return SY_OK;
}

static void count_work(struct sy_executor *exec, struct sy_layer_counters *counters, const struct sy_exec_entry *entry,
                       const struct sy_array_tile *tile)
{
    const struct sy_array *array = &exec->chip->array;
    const struct sy_array_run *run = &tile->run;
    uint64_t repeat = entry->issue.command.u.matmul.repeat, rounds = sy_array_rounds(tile, repeat);
    struct sy_array_work *each[2] = {&exec->work, &counters->work};
    for (int i = 0; i < 2; i++) {
        each[i]->macs += entry->issue.useful_macs;
        each[i]->beats += rounds * run->beats;
        each[i]->active_cycles += rounds * run->occupancy_cycles;
        each[i]->mapped_pe_beats += repeat * run->mapped_pe_beats * tile->arrays;
        each[i]->pe_beats += rounds * run->pe_beats * array->count;
    }
}

/* When the stream starts, and what the wait before it was. */
struct start {
    uint64_t cycle, preload_from;
    uint64_t held, preload_held; /* of them what the crossbar lost */
    uint8_t cause, preload_cause;
    bool known;
};

static struct start decide_start(struct sy_exec_unit *unit, const struct sy_array_run *run)
{
    const struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_dataflow *dataflow = &unit->exec->chip->array.dataflow[entry->issue.command.u.matmul.dataflow];
    uint32_t late = stream_causes(dataflow);
    struct sy_exec_ready preload = sy_exec_head_ready(unit, all_causes & ~late);
    struct start start = {.known = false};
    if (!preload.known)
        return start;
    struct sy_exec_ready stream = sy_exec_head_ready(unit, late);
    if (!stream.known)
        return start;
    uint64_t hidden_from = unit->free_cycle - sy_min(unit->hidden_lead, unit->free_cycle);
    struct sy_array_gap gap = {0};
    if (unit->stats.commands)
        gap = sy_array_gap_between(&unit->previous, run);
    uint64_t behind = unit->free_cycle + gap.preload_cycles, output_free = behind + gap.output_cycles;
    start.known = true;
    start.preload_from = sy_max(preload.cycle, hidden_from);
    start.preload_cause = preload.cause;
    start.preload_held = preload.cycle >= hidden_from ? preload.held : 0;
    start.held = stream.held;
    /* In time to follow directly, the preload costs what the run before cannot hide; else all of its lead. */
    bool follows = unit->stats.commands && preload.cycle <= hidden_from;
    uint64_t loaded = follows ? behind : sy_max(start.preload_from + run->lead_cycles, behind);
    start.cycle = sy_max(sy_max(loaded, output_free), stream.cycle);
    /* The condition that became true last is charged. */
    start.cause = stream.cycle > loaded ? stream.cause : SY_STALL_PRELOAD;
    if (output_free > loaded && output_free >= stream.cycle)
        start.cause = SY_STALL_FILL_DRAIN;
    return start;
}

static void account_wait(struct sy_exec_unit *unit, const struct start *start, uint64_t previous_done)
{
    struct sy_exec_unit *u = unit;
    if (start->cause == SY_STALL_VECTOR || start->cause == SY_STALL_ACCUMULATOR ||
        start->cause == SY_STALL_DEPENDENCY || start->cause == SY_STALL_NOC)
        /* It waits for results of its own that are still draining. */
        sy_exec_wait(u, sy_min(previous_done, start->cycle), SY_STALL_FILL_DRAIN);
    if (start->cause == SY_STALL_PRELOAD) {
        if (start->preload_from > u->accounted)
            sy_exec_wait_held(u, sy_min(start->preload_from, start->cycle), start->preload_cause, start->preload_held);
        sy_exec_wait(u, start->cycle, SY_STALL_PRELOAD);
        return;
    }
    sy_exec_wait_held(u, start->cycle, start->cause, start->cause == SY_STALL_FILL_DRAIN ? 0 : start->held);
}

/* Tile the run's own span: beats are busy, the rest is named by the run. */
static void account_run(struct sy_exec_unit *unit, const struct sy_array_run *run, uint64_t repeat,
                        const struct sy_array_gap *gap, uint64_t conflict)
{
    sy_exec_busy(unit, unit->accounted + repeat * run->beats);
    sy_exec_wait(unit, unit->accounted + repeat * run->preload_exposed_cycles + (repeat - 1) * gap->preload_cycles,
                 SY_STALL_PRELOAD);
    sy_exec_wait(unit,
                 unit->accounted + repeat * (run->output_bound_cycles + run->fill_drain_cycles) +
                     (repeat - 1) * gap->output_cycles,
                 SY_STALL_FILL_DRAIN);
    sy_exec_wait(unit, unit->accounted + conflict, SY_STALL_BANK_CONFLICT);
}

static void emit_span(struct sy_exec_unit *unit, const struct sy_exec_entry *entry, uint64_t start, uint64_t end,
                      uint64_t done)
{
    const struct sy_executor_options *options = &unit->exec->options;
    struct sy_span span = {unit->name, start, end, entry->issue.layer, entry->id, entry->issue.command.kind, done};
    if (options->span)
        options->span(options->span_context, &span);
}

static enum sy_status ask_judge(const struct sy_executor *exec, const struct sy_exec_entry *entry, uint64_t cycle,
                                const struct sy_array_tile *tile)
{
    struct sy_tile_start start = {entry->id, entry->issue.layer, cycle, &entry->issue.command, tile};
    return exec->options.judge(exec->options.judge_context, &start);
}

static enum sy_status start_matmul(struct sy_exec_unit *unit, const struct sy_array_tile *tile,
                                   const struct start *start)
{
    const struct sy_array_run *run = &tile->run;
    struct sy_executor *exec = unit->exec;
    struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_command *command = &entry->issue.command;
    struct sy_layer_counters *counters = &sy_exec_layer_of(exec, entry->issue.layer)->counters;
    uint64_t repeat = command->u.matmul.repeat, rounds = sy_array_rounds(tile, repeat), cycle = start->cycle;
    uint64_t exposed = tile->gap.preload_cycles + tile->gap.output_cycles;
    uint64_t own = 0, total = 0, end = 0, need = 0, lines = 0;
    if (!sy_mul(rounds, run->occupancy_cycles, &own) || !sy_mul(rounds - 1, exposed, &total) ||
        !sy_add(own, total, &own) || !sy_add(cycle, own, &end) || !sy_add(end, run->latency_cycles, &end) ||
        !sy_mul(repeat, tile->port_cycles, &need) || !sy_mul(rounds, tile->layout_stalls, &lines) ||
        !sy_add(end, need, &end) || !sy_add(end, lines, &end))
        return SY_OVERFLOW;
    /* The stationary operand passes the port during the preload before the stream. */
    uint64_t has = own + tile->gap.preload_cycles, conflict = sy_max(need > has ? need - has : 0, lines);
    account_wait(unit, start, unit->last_done);
    account_run(unit, run, rounds, &tile->gap, conflict);
    count_work(exec, counters, entry, tile);
    unit->free_cycle = cycle + own + conflict;
    unit->hidden_lead = run->lead_hidden_cycles;
    unit->previous = *run;
    unit->last_done = unit->free_cycle - run->occupancy_cycles + sy_max(run->latency_cycles, run->occupancy_cycles);
    unit->stats.commands++;
    unit->decided = true;
    unit->decided_start = cycle;
    emit_span(unit, entry, cycle, unit->free_cycle, unit->last_done);
    enum sy_status status = exec->options.judge ? ask_judge(exec, entry, cycle, tile) : SY_OK;
    uint64_t first = cycle + run->first_result_cycles;
    if (status == SY_OK)
        status = touch_all_ports(exec, &entry->issue, tile);
    if (status != SY_OK)
        return status;
    (void)sck_trace_u64(unit->wave, 1);
    return sy_exec_set_times(exec, entry->id, sy_min(first, unit->last_done), unit->free_cycle, unit->last_done);
}

enum sy_status sy_exec_array_method(void *context)
{
    struct sy_exec_unit *unit = context;
    struct sy_executor *exec = unit->exec;
    for (;;) {
        uint64_t now = sy_exec_now(exec);
        if (unit->decided) {
            if (unit->decided_start > now)
                return sy_exec_notify(exec, unit->event, unit->decided_start);
            sy_exec_pop(unit);
        }
        struct sy_exec_entry *entry = sy_exec_head(unit);
        if (!entry)
            return SY_OK;
        if (entry->issue.command.u.matmul.dataflow >= exec->chip->array.dataflows ||
            !entry->issue.command.u.matmul.repeat)
            return sy_error(exec->diag, SY_NOWHERE, NULL,
                            "command %llu: a dataflow or repeat count the chip does not have",
                            (unsigned long long)entry->id);
        const struct sy_array_tile *tile =
            cached_tile(exec, &entry->issue, entry->issue.command.u.matmul.m, entry->issue.command.u.matmul.k,
                        entry->issue.command.u.matmul.n, entry->issue.command.u.matmul.repeat);
        if (!tile)
            return sck_fail(exec->sim, SY_UNSUPPORTED, "the array cannot run a tile of command %llu",
                            (unsigned long long)entry->id);
        struct start start = decide_start(unit, &tile->run);
        if (!start.known)
            return SY_OK;
        enum sy_status status = start_matmul(unit, tile, &start);
        if (status != SY_OK)
            return status;
    }
}

/* ---- vector unit (and WAIT, which takes no time) ---- */

static bool vector_cycles(const struct sy_executor *exec, const struct sy_command *command, uint64_t *cycles)
{
    const struct sy_vector_unit *vector = &exec->chip->vector;
    const uint64_t ops[3] = {command->u.vector.simple_ops, command->u.vector.transcendental_ops,
                             command->u.vector.reduce_ops};
    const uint64_t cost[3] = {vector->simple_cycles, vector->transcendental_cycles, vector->reduce_cycles};
    *cycles = 0;
    if (command->kind == SY_CMD_WAIT)
        return true;
    *cycles = vector->startup_cycles;
    if (command->u.vector.fused)
        return sy_add(*cycles, sy_ceil_div(command->u.vector.elements, sy_max(vector->lanes, 1)), cycles);
    for (int i = 0; i < 3; i++) {
        uint64_t part = 0;
        if (!sy_mul_div_up(ops[i], cost[i], sy_max(vector->lanes, 1), &part) || !sy_add(*cycles, part, cycles))
            return false;
    }
    return true;
}

static void count_vector(struct sy_executor *exec, struct sy_layer_counters *counters, const struct sy_issue *issue)
{
    struct sy_vector_work *each[2] = {&exec->vector_work, &counters->vector};
    uint64_t *const read[2] = {exec->level_read, counters->level_read_bytes};
    uint64_t *const write[2] = {exec->level_write, counters->level_write_bytes};
    uint32_t chain[SY_MAX_LEVELS], count = sy_chip_chain(exec->chip, SY_C, chain);
    /* It reads C where the array left it and writes to the next on-chip level, or in place. */
    uint32_t from = chain[0], to = count > 2 ? chain[1] : chain[0];
    const struct sy_all_cores all = sy_issue_vector_of_all(exec->chip, issue);
    for (int i = 0; i < 2; i++) {
        each[i]->simple_ops += all.u.vector.simple_ops;
        each[i]->transcendental_ops += all.u.vector.transcendental_ops;
        each[i]->reduce_ops += all.u.vector.reduce_ops;
        each[i]->elements += all.u.vector.elements;
        read[i][from] += all.u.vector.bytes_in;
        write[i][to] += all.u.vector.bytes_out;
    }
}

static enum sy_status start_vector(struct sy_exec_unit *unit, uint64_t start, uint8_t cause)
{
    struct sy_executor *exec = unit->exec;
    struct sy_exec_entry *entry = sy_exec_head(unit);
    const struct sy_command *command = &entry->issue.command;
    uint64_t cycles, end, not_before = 0,
                          link_cycles = command->kind == SY_CMD_VECTOR ? command->u.vector.link_cycles : 0;
    if (!vector_cycles(exec, command, &cycles) || !sy_add(start, cycles, &end) ||
        !sy_add(start, link_cycles, &not_before))
        return SY_OVERFLOW;
    for (uint32_t i = 0; command->u.vector.follows && i < command->dependencies; i++)
        if (command->dependency[i].point == SY_POINT_FIRST &&
            exec->issued - command->dependency[i].command <= SY_EXEC_RING &&
            command->dependency[i].command >= exec->floor)
            not_before = sy_max(not_before, sy_exec_slot_of(exec, command->dependency[i].command)->time[SY_POINT_DONE]);
    if (command->kind == SY_CMD_VECTOR) {
        sy_exec_wait(unit, start, cause);
        sy_exec_busy(unit, end);
        if (not_before > end) /* it keeps pace with the array, or with the links, and ends with them */
            sy_exec_wait(unit, not_before, link_cycles > 0 ? SY_STALL_COLLECTIVE : SY_STALL_DEPENDENCY);
        count_vector(exec, &sy_exec_layer_of(exec, entry->issue.layer)->counters, &entry->issue);
        emit_span(unit, entry, start, sy_max(end, not_before), sy_max(end, not_before));
    }
    end = sy_max(end, not_before);
    if (command->kind == SY_CMD_VECTOR)
        unit->free_cycle = end;
    unit->stats.commands++;
    unit->decided = true;
    unit->decided_start = start;
    return sy_exec_set_times(exec, entry->id, end, end, end);
}

enum sy_status sy_exec_vector_method(void *context)
{
    struct sy_exec_unit *unit = context;
    struct sy_executor *exec = unit->exec;
    for (;;) {
        uint64_t now = sy_exec_now(exec);
        if (unit->decided) {
            if (unit->decided_start > now)
                return sy_exec_notify(exec, unit->event, unit->decided_start);
            sy_exec_pop(unit);
        }
        struct sy_exec_entry *entry = sy_exec_head(unit);
        if (!entry)
            return SY_OK;
        struct sy_exec_ready ready = sy_exec_head_ready(unit, all_causes);
        if (!ready.known)
            return SY_OK;
        uint64_t start = entry->issue.command.kind == SY_CMD_WAIT ? ready.cycle : sy_max(ready.cycle, unit->free_cycle);
        enum sy_status status = start_vector(unit, start, ready.cause);
        if (status != SY_OK)
            return status;
    }
}
