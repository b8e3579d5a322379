/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic fidelity. See analytic.h.
 *
 * Two orders matter. Counters are kept in program order, as commands are handed
 * to the executor. Time is kept in the array's order: a mark takes effect when
 * the array starts the first tile behind it. Between the two marks wait in a queue.
 */
#include "sim/engine/analytic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/all_cores.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/exec_dma.h"
#include "sim/engine/state.h"

enum {
    LAYERS = 2048,                 /* layers in flight; more than the executor holds */
    MARKS = 8192,                  /* marks in flight; the executor runs at most its ring of commands behind */
    LOOPS = SY_MAX_LEVELS * 4 + 1, /* those of a mapping, and groups of heads */
    CACHE = 256
};

/* What grows by the same amount in every iteration of a loop; moves and vector work of all cores. All members are
 * uint64_t. */
struct tally {
    uint64_t level_read[SY_MAX_LEVELS], level_write[SY_MAX_LEVELS], bus[SY_MAX_LEVELS][2];
    uint64_t fill[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS], drain[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS];
    uint64_t macs, beats, active_cycles, mapped_pe_beats, pe_beats;
    uint64_t simple_ops, transcendental_ops, reduce_ops, elements, vector_cycles;
    uint64_t copied[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS]; /* of fill */
    uint64_t crossed_in[2], crossed_out[2];
    uint64_t matmuls, vectors, commands;
};
enum { FIGURES = sizeof(struct tally) / sizeof(uint64_t) };

struct mark {
    uint64_t command, times; /* before this command; times = 0: measuring begins */
    uint64_t layer;
    uint32_t loop;
};

struct cached {
    uint64_t m, k, n, rest; /* rest: dataflow, formats, accumulate, packed */
    struct sy_row_window window;
    bool valid;
    struct sy_array_tile tile;
};

struct layer {
    uint64_t left_out_cycles;
    struct tally left_out;
};

struct analytic {
    const struct sy_chip *chip;
    const struct sy_executor_options *options;
    struct sy_command_source source;
    struct sy_diag *diag;
    enum sy_status failure;
    uint64_t issued, layer_now;
    bool any;
    struct tally tally, all_left_out, at_measure[LOOPS];
    struct layer layer[LAYERS];
    struct mark mark[MARKS];
    uint64_t first_mark, marks;
    uint64_t array_free, offset, measured_from[LOOPS]; /* offset: cycles left out before the array's present tile */
    uint64_t delivered_offset, finish;                 /* of the layers delivered */
    uint64_t array_busy, array_stall[SY_STALL_COUNT];
    double rows[SY_MAX_LEVELS][2]; /* that DRAM opened: in what was simulated; in all, each layer by its own bytes */
    struct cached cache[CACHE];
};

/* ---- counters, in program order ---- */

static const struct sy_array_tile *tile_of(struct analytic *an, const struct sy_issue *issue, uint64_t m, uint64_t k,
                                           uint64_t n, uint64_t groups)
{
    const struct sy_command *command = &issue->command;
    uint64_t rest = (uint64_t)command->u.matmul.dataflow << 24 | (uint64_t)command->u.matmul.a << 16 |
                    (uint64_t)command->u.matmul.b << 8 | command->u.matmul.accumulate;
    uint64_t hash = (m * UINT64_C(0x9E3779B97F4A7C15)) ^ (k * UINT64_C(0xC2B2AE3D27D4EB4F)) ^
                    (n * UINT64_C(0x165667B19E3779F9)) ^ rest << 41;
    struct cached *entry = &an->cache[(hash >> 40) % CACHE];
    if (entry->valid && entry->m == m && entry->k == k && entry->n == n && entry->rest == rest &&
        entry->tile.side == sy_array_side(&an->chip->array, n, groups) &&
        memcmp(&entry->window, &issue->window, sizeof entry->window) == 0)
        return &entry->tile;
    *entry = (struct cached){.m = m, .k = k, .n = n, .rest = rest, .window = issue->window};
    entry->valid = command->u.matmul.dataflow < an->chip->array.dataflows &&
                   sy_array_tile_of_groups(an->chip, command->u.matmul.dataflow, &issue->window, m, k, n, groups,
                                           (enum sy_dtype)command->u.matmul.a, (enum sy_dtype)command->u.matmul.b,
                                           command->u.matmul.accumulate, &entry->tile) == SY_OK;
    return entry->valid ? &entry->tile : NULL;
}

static void touch(struct analytic *an, const struct sy_array_tile *tile, uint64_t times)
{
    for (uint32_t i = 0; i < an->chip->levels; i++) {
        an->tally.level_read[i] += times * tile->level_read_bytes[i];
        an->tally.level_write[i] += times * tile->level_write_bytes[i];
    }
}

static void count_matmul(struct analytic *an, const struct sy_issue *issue)
{
    const struct sy_all_cores *all = &issue->command.all;
    const struct sy_array_tile *tile = tile_of(an, issue, issue->command.u.matmul.m, issue->command.u.matmul.k,
                                               issue->command.u.matmul.n, issue->command.u.matmul.repeat);
    struct tally *tally = &an->tally;
    if (!tile)
        return; /* the executor says so */
    uint64_t repeat = issue->command.u.matmul.repeat, rounds = sy_array_rounds(tile, repeat);
    tally->macs += issue->useful_macs;
    tally->beats += rounds * tile->run.beats;
    tally->active_cycles += rounds * tile->run.occupancy_cycles;
    tally->mapped_pe_beats += repeat * tile->run.mapped_pe_beats * tile->arrays;
    tally->pe_beats += rounds * tile->run.pe_beats * an->chip->array.count;
    tally->matmuls++;
    touch(an, tile, repeat * (all->given ? all->u.matmul.cores : sy_max(an->chip->cores, 1)));
    if (!all->given || !all->u.matmul.less_cores)
        return;
    tile = tile_of(an, issue, all->u.matmul.m, all->u.matmul.k, all->u.matmul.n, all->u.matmul.repeat);
    if (tile)
        touch(an, tile, all->u.matmul.repeat * all->u.matmul.less_cores);
}

static void count_vector(struct analytic *an, const struct sy_issue *issue)
{
    uint32_t chain[SY_MAX_LEVELS], count = sy_chip_chain(an->chip, SY_C, chain);
    const struct sy_all_cores all = sy_issue_vector_of_all(an->chip, issue);
    struct tally *tally = &an->tally;
    tally->simple_ops += all.u.vector.simple_ops;
    tally->transcendental_ops += all.u.vector.transcendental_ops;
    tally->reduce_ops += all.u.vector.reduce_ops;
    tally->elements += all.u.vector.elements;
    tally->level_read[chain[0]] += all.u.vector.bytes_in;
    tally->level_write[count > 2 ? chain[1] : chain[0]] += all.u.vector.bytes_out;
    tally->vectors++;
}

static void count_move(struct analytic *an, const struct sy_issue *issue)
{
    const struct sy_command *command = &issue->command;
    bool write = command->kind == SY_CMD_STORE;
    uint32_t child = command->level, parent = command->u.move.parent;
    struct sy_crossing crossing;
    uint64_t bytes = 0, bus = 0, own = 0;
    if (child >= an->chip->levels || parent >= an->chip->levels || command->operand >= SY_OPERANDS ||
        !sy_mul(command->u.move.row_bytes, command->u.move.rows, &own) ||
        !sy_exec_bus_bytes(&an->chip->level[parent], command, &bus) ||
        !sy_issue_move_of_all(an->chip, issue, own, bus, &bytes, &bus) ||
        !sy_issue_crossing(an->chip, issue, own, bus, &crossing))
        return; /* the executor says so */
    struct tally *tally = &an->tally;
    (write ? tally->drain : tally->fill)[parent][child][command->operand] += bytes;
    tally->copied[parent][child][command->operand] += crossing.copied_bytes;
    tally->crossed_in[write] += crossing.in;
    tally->crossed_out[write] += crossing.out;
    tally->level_read[write ? child : parent] += write ? bytes : bus;
    tally->level_write[write ? parent : child] += write ? bus : bytes;
    tally->bus[parent][write] += bus;
}

static void count(struct analytic *an, const struct sy_issue *issue)
{
    if (issue->command.kind == SY_CMD_MATMUL)
        count_matmul(an, issue);
    else if (issue->command.kind == SY_CMD_VECTOR)
        count_vector(an, issue);
    else if (issue->command.kind != SY_CMD_WAIT)
        count_move(an, issue);
    an->tally.commands++;
}

/* a += times x (b - c), member by member. */
static bool grow(struct tally *a, uint64_t times, const struct tally *b, const struct tally *c)
{
    uint64_t *to = (uint64_t *)a;
    const uint64_t *upto = (const uint64_t *)b, *from = (const uint64_t *)c;
    for (size_t i = 0; i < FIGURES; i++) {
        uint64_t more = 0;
        if (upto[i] != from[i] && (!sy_mul(upto[i] - from[i], times, &more) || !sy_add(to[i], more, &to[i])))
            return false;
    }
    return true;
}

static bool leave_out(struct analytic *an, uint32_t loop, const struct sy_issue *issue)
{
    static const struct tally nothing;
    struct tally more = nothing;
    if (!grow(&more, issue->skipped, &an->tally, &an->at_measure[loop]))
        return false;
    more.macs = issue->skipped_macs; /* exact, where shares of cores were rounded */
    return grow(&an->tally, 1, &more, &nothing) && grow(&an->all_left_out, 1, &more, &nothing) &&
           grow(&an->layer[issue->layer % LAYERS].left_out, 1, &more, &nothing);
}

static bool add_mark(struct analytic *an, uint32_t loop, uint64_t times, uint64_t layer)
{
    if (an->marks - an->first_mark == MARKS)
        return false;
    an->mark[an->marks++ % MARKS] = (struct mark){an->issued, times, layer, loop};
    return true;
}

static void go_to_layer(void *context, uint64_t index)
{
    struct analytic *an = context;
    for (; !an->any || an->layer_now != index; an->any = true) {
        an->layer_now = an->any ? an->layer_now + 1 : index;
        memset(&an->layer[an->layer_now % LAYERS], 0, sizeof an->layer[0]);
    }
}

static enum sy_status next_command(void *context, struct sy_issue *issue, bool *more)
{
    struct analytic *an = context;
    enum sy_status status = an->failure != SY_OK ? an->failure : an->source.next(an->source.context, issue, more);
    if (status != SY_OK || !*more)
        return status;
    go_to_layer(an, issue->layer);
    if (issue->jump &&
        (!leave_out(an, issue->jump - 1u, issue) || !add_mark(an, issue->jump - 1u, issue->skipped, issue->layer)))
        return SY_OVERFLOW;
    if (issue->measure) {
        an->at_measure[issue->measure - 1] = an->tally;
        if (!add_mark(an, issue->measure - 1u, 0, issue->layer))
            return SY_OVERFLOW;
    }
    count(an, issue);
    an->issued++;
    return SY_OK;
}

/* ---- fast-forwarding: layers and groups of heads that recur are not walked again ---- */

static void attach(void *context, struct sy_executor *exec)
{
    struct analytic *an = context;
    if (an->source.attach)
        an->source.attach(an->source.context, exec);
}

/* Marks that the array has not reached. */
static uint64_t pending(void *context)
{
    const struct analytic *an = context;
    return an->marks - an->first_mark;
}

static void tally_figures(struct sy_tally *tally, struct tally *figures)
{
    uint64_t *figure = (uint64_t *)figures;
    for (size_t i = 0; i < FIGURES; i++)
        sy_tally_u64(tally, &figure[i]);
}

/* With nothing pending all that grows by the same amount when the same is walked again. */
static void tally_all(void *context, struct sy_tally *tally)
{
    struct analytic *an = context;
    struct layer *layer = &an->layer[an->layer_now % LAYERS];
    tally->failed |= !tally->adding && pending(an) > 0;
    tally_figures(tally, &an->tally);
    tally_figures(tally, &an->all_left_out);
    tally_figures(tally, &layer->left_out);
    uint64_t *const others[] = {&layer->left_out_cycles, &an->issued, &an->array_free, &an->offset};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        sy_tally_u64(tally, others[i]);
}

/* ---- time, in the array's order ---- */

static void on_span(void *context, const struct sy_span *span)
{
    struct analytic *an = context;
    if (span->kind != SY_CMD_MATMUL)
        return;
    for (; an->first_mark < an->marks; an->first_mark++) {
        const struct mark *mark = &an->mark[an->first_mark % MARKS];
        uint64_t now = an->array_free + an->offset, gap = 0;
        if (mark->command > span->command)
            break;
        if (!mark->times)
            an->measured_from[mark->loop] = now;
        else if (!sy_mul(now - an->measured_from[mark->loop], mark->times, &gap) || gap > INT64_MAX / 2 - an->offset)
            an->failure = SY_OVERFLOW;
        an->offset += gap;
        an->layer[mark->layer % LAYERS].left_out_cycles += gap;
    }
    an->array_free = span->end;
}

/* Give `amount` to the causes in proportion to what they have, the rest by largest cause first. */
static void spread(uint64_t *stall, uint64_t amount, uint32_t otherwise)
{
    uint64_t sum = 0, given = 0, share[SY_STALL_COUNT];
    uint32_t largest = otherwise;
    for (uint32_t i = 0; i < SY_STALL_COUNT; i++)
        sum += stall[i];
    for (uint32_t i = 0; i < SY_STALL_COUNT; i++) {
        share[i] = 0;
        if (sum)
            (void)sy_mul_div(amount, stall[i], sum, &share[i]);
        given += share[i];
        if (sum && (stall[i] > stall[largest]))
            largest = i;
    }
    for (uint32_t i = 0; i < SY_STALL_COUNT; i++)
        stall[i] += share[i];
    stall[largest] += amount - given;
}

/* Layers differ in how many of their bytes open a row: what is left out of one is like the rest of it. */
static void add_rows(struct analytic *an, const struct sy_layer_counters *simulated, const struct tally *more)
{
    for (uint32_t i = 0; i < an->chip->levels; i++) {
        const double opened = (double)simulated->rows_opened[i];
        const double bytes = (double)simulated->level_read_bytes[i] + (double)simulated->level_write_bytes[i];
        const double left_out = (double)more->bus[i][0] + (double)more->bus[i][1];
        an->rows[i][0] += opened;
        an->rows[i][1] += bytes > 0 ? opened * (1 + left_out / bytes) : opened;
    }
}

static enum sy_status on_layer(void *context, const struct sy_layer_counters *simulated)
{
    struct analytic *an = context;
    const struct layer *layer = &an->layer[simulated->layer % LAYERS];
    const struct tally *more = &layer->left_out;
    struct sy_layer_counters counters = *simulated;
    an->delivered_offset += layer->left_out_cycles;
    counters.finish_cycle = simulated->finish_cycle + an->delivered_offset;
    counters.busy += more->beats;
    if (layer->left_out_cycles < more->beats)
        return SY_INTERNAL; /* the array was busy for no longer than the measured time */
    spread(counters.stall, layer->left_out_cycles - more->beats, SY_STALL_FILL_DRAIN);
    counters.work.macs += more->macs;
    counters.work.beats += more->beats;
    counters.work.active_cycles += more->active_cycles;
    counters.work.mapped_pe_beats += more->mapped_pe_beats;
    counters.work.pe_beats += more->pe_beats;
    counters.vector.simple_ops += more->simple_ops;
    counters.vector.transcendental_ops += more->transcendental_ops;
    counters.vector.reduce_ops += more->reduce_ops;
    counters.vector.elements += more->elements;
    counters.crossed[0] += more->crossed_in[0] + more->crossed_out[1];
    counters.crossed[1] += more->crossed_out[0] + more->crossed_in[1];
    counters.commands += more->commands;
    for (uint32_t i = 0; i < an->chip->levels; i++) {
        counters.level_read_bytes[i] += more->level_read[i];
        counters.level_write_bytes[i] += more->level_write[i];
    }
    add_rows(an, simulated, more);
    an->array_busy += counters.busy;
    for (int i = 0; i < SY_STALL_COUNT; i++)
        an->array_stall[i] += counters.stall[i];
    an->finish = counters.finish_cycle;
    return an->options->layer_done ? an->options->layer_done(an->options->layer_context, &counters) : SY_OK;
}

/* ---- the result ---- */

/* Units other than the array are as busy in a gap as outside of it: by the commands or bytes they had. */
static void scale_unit(struct sy_unit_stats *unit, uint64_t simulated, uint64_t left_out, uint64_t cycles)
{
    uint64_t more = 0, waits = 0;
    if (simulated)
        (void)sy_mul_div(unit->busy, left_out, simulated, &more);
    unit->busy = sy_min(unit->busy + more, cycles);
    if (simulated && sy_mul_div(unit->commands, left_out, simulated, &more))
        unit->commands += more;
    for (int i = 0; i < SY_STALL_COUNT; i++)
        waits += unit->stall[i];
    if (unit->busy + waits <= cycles) {
        spread(unit->stall, cycles - unit->busy - waits, SY_STALL_NO_WORK);
    } else {
        for (int i = SY_STALL_COUNT; i-- > 0;) {
            uint64_t less = sy_min(unit->stall[i], unit->busy + waits - cycles);
            unit->stall[i] -= less;
            waits -= less;
        }
    }
    unit->cycles = cycles;
}

static void scale_count(uint64_t *count, uint64_t by, uint64_t over)
{
    uint64_t more = 0;
    if (over && sy_mul_div(*count, by, over, &more))
        *count = more;
}

/* What a DRAM did: bursts by its bytes, what rows need by the rows of each layer where those are known, states and
 * refreshes by time. */
static void grow_dram(struct sy_dram_stats *dram, const double rows[2], uint64_t had, uint64_t bytes, uint64_t cycles,
                      uint64_t simulated)
{
    uint64_t *const of_rows[] = {&dram->row_misses, &dram->row_conflicts, &dram->activates, &dram->precharges};
    uint64_t *const states[] = {&dram->active_ns, &dram->standby_ns, &dram->power_down_ns, &dram->refreshes};
    uint64_t bursts = dram->row_hits + dram->activates;
    scale_count(&bursts, had + bytes, had);
    for (size_t i = 0; i < sizeof of_rows / sizeof of_rows[0]; i++)
        if (rows[0] > 0)
            *of_rows[i] = (uint64_t)llround((double)*of_rows[i] * (rows[1] / rows[0]));
        else
            scale_count(of_rows[i], had + bytes, had);
    dram->row_hits = bursts - sy_min(bursts, dram->activates);
    scale_count(&dram->busy_ticks, had + bytes, had);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        scale_count(states[i], cycles, simulated);
}

static void add_links(const struct analytic *an, struct sy_result *result, uint64_t simulated)
{
    const struct tally *more = &an->all_left_out;
    for (uint32_t i = 0; i < result->links; i++) {
        struct sy_link_stats *link = &result->link[i];
        uint64_t fill = more->fill[link->parent][link->child][link->operand];
        uint64_t drain = more->drain[link->parent][link->child][link->operand];
        uint64_t copied = more->copied[link->parent][link->child][link->operand];
        link->fill_bytes += fill - copied;
        link->filled_bytes += fill;
        link->copied_bytes += copied;
        link->drain_bytes += drain;
        link->drained_bytes += drain;
    }
    for (int way = 0; way < 2; way++) {
        result->crossbar.in_bytes[way] += more->crossed_in[way];
        result->crossbar.out_bytes[way] += more->crossed_out[way];
    }
    result->crossbar.copied_bytes += more->crossed_out[0] - more->crossed_in[0];
    for (uint32_t i = 0; i < result->levels; i++) {
        result->level[i].read_bytes += more->level_read[i];
        result->level[i].write_bytes += more->level_write[i];
    }
    for (uint32_t d = 0; d < result->drams; d++) {
        struct sy_dram_stats *dram = &result->dram[d];
        for (uint32_t i = 0; i < an->chip->levels; i++) {
            if (strcmp(an->chip->level[i].name, dram->name))
                continue;
            uint64_t had = dram->read_bytes + dram->write_bytes;
            grow_dram(dram, an->rows[i], had, more->bus[i][0] + more->bus[i][1], an->finish, simulated);
            dram->read_bytes += more->bus[i][0];
            dram->write_bytes += more->bus[i][1];
        }
    }
}

static void add_units(const struct analytic *an, struct sy_result *result, uint64_t cycles)
{
    const struct tally *all = &an->tally, *more = &an->all_left_out;
    for (uint32_t u = 1; u < result->units; u++) {
        uint64_t moved = all->vectors, left_out = more->vectors;
        if (u > 1) { /* a DMA engine: by the bytes of all links together */
            moved = left_out = 0;
            for (uint32_t i = 0; i < an->chip->levels; i++) {
                moved += all->bus[i][0] + all->bus[i][1];
                left_out += more->bus[i][0] + more->bus[i][1];
            }
        }
        scale_unit(&result->unit[u], moved - left_out, left_out, cycles);
    }
    result->unit[0].busy = an->array_busy;
    result->unit[0].commands += more->matmuls;
    result->unit[0].cycles = cycles;
    memcpy(result->unit[0].stall, an->array_stall, sizeof an->array_stall);
    result->work.macs += more->macs;
    result->work.beats += more->beats;
    result->work.active_cycles += more->active_cycles;
    result->work.mapped_pe_beats += more->mapped_pe_beats;
    result->work.pe_beats += more->pe_beats;
    result->vector.simple_ops += more->simple_ops;
    result->vector.transcendental_ops += more->transcendental_ops;
    result->vector.reduce_ops += more->reduce_ops;
    result->vector.elements += more->elements;
}

enum sy_status sy_analyze(const struct sy_chip *chip, const struct sy_executor_options *options,
                          const struct sy_command_source *source, struct sy_result *result, uint64_t *end_cycle,
                          struct sy_diag *diag)
{
    if (chip->dma.tlb.entries)
        return sy_error(
            diag, SY_NOWHERE, "run at --fidelity event, or set core.dma.tlb.entries=0",
            "analytic fidelity runs a part of the tiles, and core.dma.tlb of chip '%s' remembers all of them",
            chip->name);
    struct analytic *an = calloc(1, sizeof *an);
    if (!an)
        return SY_NOMEM;
    an->chip = chip;
    an->options = options;
    an->source = *source;
    an->diag = diag;
    const struct sy_companion companion = {an, go_to_layer, pending, tally_all};
    struct sy_executor_options inner = {.backend = SCK_HEAP,
                                        .memory = options->memory,
                                        .layer_done = on_layer,
                                        .layer_context = an,
                                        .span = on_span,
                                        .span_context = an,
                                        .cancel = options->cancel,
                                        .data_dir = options->data_dir,
                                        .companion = &companion};
    struct sy_command_source sampled = {.context = an, .next = next_command, .attach = attach};
    enum sy_status status = sy_execute(chip, &inner, &sampled, result, end_cycle, diag);
    if (status == SY_OK)
        status = an->failure;
    if (status == SY_OK && an->any) {
        uint64_t simulated = *end_cycle;
        *end_cycle = an->finish;
        add_units(an, result, an->finish);
        add_links(an, result, simulated);
    }
    free(an);
    return status;
}
