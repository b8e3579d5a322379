/* SPDX-License-Identifier: Apache-2.0 */
/* Replay: feed -> scheduler (or the trace's own commands) -> executor -> result. See replay.h. */
#include "sim/engine/replay.h"
#include "sim/map/collective.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/analytic.h"
#include "sim/engine/executor_internal.h"
#include "sim/engine/feed.h"
#include "sim/engine/forward.h"
#include "sim/engine/replay_internal.h"
#include "sim/stats/energy.h"

/* ---- what the mapper asks of the array ---- */

static bool array_cost(void *context, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n, uint64_t groups,
                       uint64_t *steady, uint64_t *alone)
{
    struct sy_replay *replay = context;
    uint64_t side = sy_array_side(&replay->chip->array, n, groups);
    uint64_t hash = (m * 31 + k) * UINT64_C(0x9E3779B97F4A7C15) ^ n * UINT64_C(0xC2B2AE3D27D4EB4F) ^ dataflow;
    struct sy_cost_memo *memo = &replay->cost[(hash >> 40) % SY_COST_MEMO];
    if (memo->m != m || memo->k != k || memo->n != n || memo->side != side || memo->dataflow != dataflow ||
        memo->a != replay->a || memo->b != replay->b ||
        memcmp(&memo->window, &replay->rows, sizeof memo->window) != 0) {
        struct sy_array_tile tile;
        memset(memo, 0, sizeof *memo);
        if (sy_array_tile_of_groups(replay->chip, dataflow, &replay->rows, m, k, n, groups, replay->a, replay->b, true,
                                    &tile) != SY_OK)
            return false;
        uint64_t own = tile.run.occupancy_cycles + tile.gap.preload_cycles + tile.gap.output_cycles;
        *memo = (struct sy_cost_memo){m,
                                      k,
                                      n,
                                      sy_max(own, tile.port_cycles * side),
                                      tile.run.lead_cycles + sy_max(tile.run.latency_cycles, tile.run.occupancy_cycles),
                                      replay->rows,
                                      replay->a,
                                      replay->b,
                                      dataflow,
                                      side};
    }
    if (!sy_mul(memo->steady, sy_ceil_div(groups, side), steady))
        return false;
    *alone = memo->alone;
    return true;
}

/* ---- results of layers ---- */

static struct sy_layer_entry *entry_for(struct sy_replay *replay, uint64_t record)
{
    for (uint64_t i = replay->entries; i-- > 0;) {
        if (replay->entry[i].record == record)
            return &replay->entry[i];
        if (replay->entries - i > SY_RECENT_RECORDS)
            break;
    }
    if (replay->entries == SY_MAX_LAYER_ENTRIES)
        return &replay->entry[replay->entries - 1]; /* the last entry gathers what lies beyond */
    if (replay->entries == replay->entry_capacity) {
        uint64_t wanted = replay->entry_capacity ? replay->entry_capacity * 2 : 64;
        struct sy_layer_entry *grown = realloc(replay->entry, wanted * sizeof *grown);
        if (!grown)
            return NULL;
        replay->entry = grown;
        replay->entry_capacity = wanted;
    }
    struct sy_layer_entry *entry = &replay->entry[replay->entries++];
    memset(entry, 0, sizeof *entry);
    entry->record = record;
    return entry;
}

static void describe(struct sy_replay *replay, struct sy_layer_result *result, const struct sy_feed_slot *slot)
{
    const struct sy_layer *layer = &slot->upcoming.layer;
    bool overflow_entry = replay->entries == SY_MAX_LAYER_ENTRIES;
    struct sy_arena *arena = replay->result->arena;
    if (result->name)
        return;
    result->name = overflow_entry ? "(further layers)" : sy_arena_strdup(arena, layer->name);
    result->op = overflow_entry ? "" : sy_ops[layer->op].name;
}

static void describe_plan(struct sy_replay *replay, struct sy_layer_result *result, const struct sy_layer_plan *plan,
                          const struct sy_layer *layer)
{
    static const char letter[SY_DIMS] = {'m', 'k', 'n', 'g'};
    if (plan->kept && !result->kept && layer->out.name)
        result->kept = sy_arena_strdup(replay->result->arena, layer->out.name);
    if (!plan->has_matrix || result->m)
        return;
    result->m = plan->item.m;
    result->k = plan->item.k;
    result->n = plan->item.n;
    result->groups = plan->item.groups;
    if (!plan->mapping.on_chip)
        return;
    memcpy(result->tile, plan->mapping.tile[0], sizeof result->tile);
    result->dataflow =
        sy_arena_strdup(replay->result->arena, replay->chip->array.dataflow[plan->mapping.dataflow].name);
    result->window = sy_array_window_use(replay->chip, plan->mapping.dataflow, &plan->item);
    static const char *const split[SY_DIMS] = {"m", "k", "n", "groups"};
    if (replay->chip->cores > 1 && plan->split < SY_DIMS)
        result->split = split[plan->split];
    const uint8_t *order = plan->mapping.order[0];
    result->order =
        sy_arena_printf(replay->result->arena, "%c%c%c", letter[order[0]], letter[order[1]], letter[order[2]]);
}

enum sy_status sy_replay_layer_done(void *context, const struct sy_layer_counters *counters)
{
    struct sy_replay *replay = context;
    if (!replay->entries)
        return SY_OK; /* a trace without layers: the caller says so */
    struct sy_flight *flight = &replay->flight[counters->layer % SY_FLIGHTS];
    struct sy_layer_result *result = &replay->entry[flight->entry].result;
    result->repeat++;
    result->cycles += counters->finish_cycle - replay->finish;
    replay->finish = counters->finish_cycle;
    result->busy += counters->busy;
    for (int i = 0; i < SY_STALL_COUNT; i++)
        result->stall[i] += counters->stall[i];
    result->link_bytes += flight->link_bytes;
    result->crossed[0] += counters->crossed[0];
    result->crossed[1] += counters->crossed[1];
    result->macs += counters->work.macs;
    result->work.macs += counters->work.macs;
    result->work.beats += counters->work.beats;
    result->work.active_cycles += counters->work.active_cycles;
    result->work.mapped_pe_beats += counters->work.mapped_pe_beats;
    result->work.pe_beats += counters->work.pe_beats;
    result->vector.simple_ops += counters->vector.simple_ops;
    result->vector.transcendental_ops += counters->vector.transcendental_ops;
    result->vector.reduce_ops += counters->vector.reduce_ops;
    result->vector.elements += counters->vector.elements;
    for (uint32_t i = 0; i < replay->chip->levels; i++) {
        result->level_read_bytes[i] += counters->level_read_bytes[i];
        result->level_write_bytes[i] += counters->level_write_bytes[i];
    }
    replay->layers_done++;
    if (replay->options.progress)
        replay->options.progress(replay->options.progress_context, replay->layers_done, counters->finish_cycle);
    return SY_OK;
}

/* ---- the command source ---- */

static enum sy_status refuse_precision(struct sy_replay *replay, const struct sy_layer *layer)
{
    const struct sy_precision *first = &replay->chip->array.precision[0];
    char hint[160];
    (void)snprintf(hint, sizeof hint,
                   "import the model with --activation %s --weight %s, or add the pair to core.array.precisions",
                   sy_dtypes[first->a].name, sy_dtypes[first->b].name);
    (void)sy_error(replay->diag, ((struct sy_where){.file = replay->path, .line = layer->line}), hint,
                   "layer %s multiplies %s by %s, which chip %s cannot", layer->name,
                   sy_dtypes[layer->in[0].dtype].name, sy_dtypes[layer->in[1].dtype].name, replay->chip->name);
    return SY_UNSUPPORTED;
}

/* Precision decides the peak rate a layer is measured against. */
static enum sy_status check_precision(struct sy_replay *replay, const struct sy_layer *layer)
{
    if (layer->op != SY_OP_GEMM && layer->op != SY_OP_CONV && layer->op != SY_OP_ATTENTION)
        return SY_OK;
    const struct sy_precision *precision = sy_chip_precision(replay->chip, layer->in[0].dtype, layer->in[1].dtype);
    if (!precision)
        return refuse_precision(replay, layer);
    if (precision->a != layer->in[0].dtype || precision->b != layer->in[1].dtype)
        sy_result_warn(replay->result, "%s by %s runs as %s by %s on chip %s%s", sy_dtypes[layer->in[0].dtype].name,
                       sy_dtypes[layer->in[1].dtype].name, sy_dtypes[precision->a].name, sy_dtypes[precision->b].name,
                       replay->chip->name,
                       sy_precision_rounds(precision, layer->in[0].dtype, layer->in[1].dtype)
                           ? ", rounded by the array; tensors keep their bytes"
                           : "");
    return SY_OK;
}

/* What a collective puts on the links; 0 for other layers. Whether it fits, the scheduler says. */
static uint64_t link_bytes_of(const struct sy_layer *layer)
{
    uint64_t bytes = 0, sent = 0;
    bool fits = layer->op == SY_OP_COLLECTIVE && layer->dim.collective.ranks &&
                sy_dtype_bytes(layer->in[0].dtype, layer->dim.collective.elements, &bytes) &&
                sy_collective_bytes(&layer->dim.collective, bytes, &sent);
    return fits ? sent : 0;
}

/* A fused group begins: what the report says of it. */
static enum sy_status describe_group(struct sy_replay *replay, const struct sy_feed_slot *slot)
{
    const struct sy_fuse_part *part = slot->upcoming.part;
    struct sy_result *result = replay->result;
    if (!part || part->layer || part->strip || part->image)
        return SY_OK;
    const struct sy_fuse_plan *plan = part->plan;
    if (!slot->first) {
        for (uint32_t i = result->fused_groups; i-- > 0;)
            if (replay->fused_record[i] == slot->record) {
                result->fused[i].repeat++;
                break;
            }
        return SY_OK;
    }
    if (result->fused_groups == SY_MAX_FUSED_GROUPS)
        return SY_OK;
    replay->fused_record[result->fused_groups] = slot->record;
    struct sy_fused_group *group = &result->fused[result->fused_groups++];
    *group = (struct sy_fused_group){.first = sy_arena_strdup(result->arena, plan->layer[0].layer.name),
                                     .last = sy_arena_strdup(result->arena, plan->layer[plan->layers - 1].layer.name),
                                     .halo = plan->how.halo == SY_HALO_KEEP ? "keep" : "recompute",
                                     .layers = plan->layers,
                                     .strip_rows = plan->how.strip,
                                     .strips = plan->strips * plan->images,
                                     .repeat = 1,
                                     .on_chip_bytes = sy_fuse_working_set(plan),
                                     .halo_bytes = sy_fuse_halo_bytes(plan),
                                     .keeps_weights = sy_scheduler_keeps_weights(replay->scheduler, plan)};
    return group->first && group->last ? SY_OK : SY_NOMEM;
}

/* Of what a strip does, what was not done in the strip before. */
static uint64_t fresh_part(const struct sy_upcoming *upcoming, uint64_t macs)
{
    const struct sy_fuse_part *part = upcoming->part;
    return part ? macs / (part->end - part->begin) * part->fresh : macs;
}

/* What scheduling the layer needs to know of those behind it. */
static enum sy_status prepare_schedule(struct sy_replay *replay, const struct sy_feed_slot *slot)
{
    enum sy_status status = sy_feed_look_ahead(&replay->feed);
    if (status == SY_OK)
        status = sy_scheduler_admit(replay->scheduler, &slot->upcoming);
    return status == SY_OK ? describe_group(replay, slot) : status;
}

static enum sy_status begin_layer(struct sy_replay *replay, struct sy_feed_slot *slot)
{
    struct sy_flight *flight = &replay->flight[replay->layer_index % SY_FLIGHTS];
    struct sy_layer_entry *entry = entry_for(replay, slot->record);
    if (!entry)
        return SY_NOMEM;
    flight->entry = (uint64_t)(entry - replay->entry);
    flight->link_bytes = link_bytes_of(&slot->upcoming.layer);
    describe(replay, &entry->result, slot);
    enum sy_status status = check_precision(replay, &slot->upcoming.layer);
    if (status != SY_OK)
        return status;
    replay->a = slot->upcoming.layer.in[0].dtype;
    replay->b = slot->upcoming.layer.in[1].dtype;
    if ((status = sy_row_window_of_layer(&slot->upcoming.layer, &replay->rows)) != SY_OK)
        return status;
    entry->precision_a = slot->upcoming.layer.in[0].dtype;
    entry->precision_b = slot->upcoming.layer.in[1].dtype;
    entry->values = slot->upcoming.layer.values;
    if (replay->emit && (status = sy_trace_put_layer(replay->emit, &slot->upcoming.layer)) != SY_OK)
        return status;
    replay->own_commands = sy_feed_has_commands(&replay->feed);
    if (replay->own_commands && replay->scheduled_any)
        return sy_error(replay->diag, ((struct sy_where){.file = replay->path, .line = slot->upcoming.layer.line}),
                        "give command records for every layer, or for none",
                        "layer %s has command records, layers before it have none", slot->upcoming.layer.name);
    replay->layer_macs_left = sy_layer_macs(&slot->upcoming.layer);
    if (replay->own_commands)
        return SY_OK;
    replay->scheduled_any = true;
    replay->from_memory = false;
    if ((status = prepare_schedule(replay, slot)) != SY_OK)
        return status;
    if (replay->forward)
        status = sy_forward_layer(replay->forward, &slot->upcoming, replay->layer_index, &replay->from_memory);
    else if (replay->exec) {
        sy_exec_settle(replay->exec);
        sy_scheduler_settle(replay->scheduler, sy_exec_oldest(replay->exec));
    }
    if (status != SY_OK || replay->from_memory)
        return status;
    return sy_scheduler_begin(replay->scheduler, &slot->upcoming, replay->layer_index);
}

/* Weights and cached state that the layer cannot do without, as bytes in memory. */
static void count_model_bytes(struct sy_replay *replay, const struct sy_upcoming *upcoming)
{
    const struct sy_layer *layer = &upcoming->layer;
    if (upcoming->part && (upcoming->part->strip || upcoming->part->image))
        return; /* counted with the first strip */
    for (uint32_t i = 0; i < layer->inputs; i++) {
        uint64_t bytes = 0;
        bool table = layer->op == SY_OP_GATHER; /* only the rows looked up are read */
        uint64_t elements = table ? sy_layer_output_elements(layer) : sy_layer_input_elements(layer, i);
        if (layer->in[i].flags & (SY_TENSOR_WEIGHT | SY_TENSOR_STATE) &&
            sy_dtype_bytes(layer->in[i].dtype, elements, &bytes))
            replay->result->model_bytes += bytes;
    }
}

/* What the model asks for: of attention the visible pairs. */
static uint64_t model_macs(const struct sy_layer *layer)
{
    uint64_t macs = 0;
    return layer->op == SY_OP_ATTENTION && sy_attention_visible_macs(&layer->dim.attention, &macs)
               ? macs
               : sy_layer_macs(layer);
}

static enum sy_status end_layer(struct sy_replay *replay, const struct sy_feed_slot *slot)
{
    struct sy_layer_entry *entry = &replay->entry[replay->flight[replay->layer_index % SY_FLIGHTS].entry];
    struct sy_work work;
    struct sy_layer_plan plan = {0};
    enum sy_status status = sy_lower(&slot->upcoming.layer, &work);
    if (status != SY_OK)
        return status;
    for (uint32_t i = 0; i < work.items; i++) {
        const struct sy_matrix_item *item = &work.item[i].u.matrix;
        if (work.item[i].kind != SY_ITEM_MATRIX)
            continue;
        replay->skipped_macs +=
            fresh_part(&slot->upcoming, item->groups * item->m * item->n * (item->dense_k - item->k));
        if (!plan.has_matrix)
            plan.item = *item;
        plan.has_matrix = true;
    }
    if (replay->own_commands) {
        describe_plan(replay, &entry->result, &plan, &slot->upcoming.layer);
    } else {
        const struct sy_layer_plan *made = sy_scheduler_plan(replay->scheduler);
        describe_plan(replay, &entry->result, made, &slot->upcoming.layer);
        replay->result->kept_bytes_saved += made->saved_bytes;
        replay->skipped_macs += made->skipped_macs;
        replay->result->kv_pages += made->kv_pages;
        replay->result->halo_macs += made->halo_macs;
        replay->result->exchanged_bytes += made->exchanged_bytes;
        entry->result.halo_macs += made->halo_macs;
    }
    replay->expected_macs += fresh_part(&slot->upcoming, sy_layer_macs(&slot->upcoming.layer));
    replay->result->model_macs += fresh_part(&slot->upcoming, model_macs(&slot->upcoming.layer));
    count_model_bytes(replay, &slot->upcoming);
    sy_feed_pop(&replay->feed);
    replay->layer_index++;
    replay->in_layer = false;
    return SY_OK;
}

static enum sy_status next_tile_command(struct sy_replay *replay, struct sy_issue *issue, bool *more)
{
    *more = false;
    if (replay->from_memory)
        return SY_OK;
    if (!replay->own_commands)
        return sy_scheduler_next(replay->scheduler, issue, more);
    memset(issue, 0, sizeof *issue);
    enum sy_status status = sy_feed_command(&replay->feed, &issue->command, more);
    issue->layer = replay->layer_index;
    issue->command.all.given = issue->command.all.given && replay->chip->cores > 1;
    if (status == SY_OK && *more && issue->command.kind == SY_CMD_MATMUL &&
        (!sy_mul3(issue->command.u.matmul.m, issue->command.u.matmul.k, issue->command.u.matmul.n,
                  &issue->useful_macs) ||
         !sy_mul(issue->useful_macs, issue->command.u.matmul.repeat, &issue->useful_macs)))
        return SY_OVERFLOW;
    if (status == SY_OK && *more && issue->command.kind == SY_CMD_MATMUL) {
        /* Where the record does not say what all cores do, they do alike; together no more than the layer. */
        (void)sy_mul(issue->useful_macs, sy_max(replay->chip->cores, 1), &issue->useful_macs);
        issue->useful_macs = sy_min(issue->useful_macs, replay->layer_macs_left);
        replay->layer_macs_left -= issue->useful_macs;
    }
    return status;
}

static enum sy_status next_of_layer(struct sy_replay *replay, struct sy_issue *issue, bool *more)
{
    enum sy_status status = next_tile_command(replay, issue, more);
    issue->window = replay->rows;
    if (status == SY_OK && *more && issue->command.kind == SY_CMD_MATMUL)
        issue->window.into = issue->command.u.matmul.into;
    return status;
}

/* The workload is too large for the chip: count the rest of it, so that the message has the whole of it; of endless
 * repeats it says "at least" all the same. */
static enum sy_status refuse_size(struct sy_replay *replay)
{
    enum { MOST_LAYERS = 1 << 20 };
    struct sy_feed *feed = &replay->feed;
    enum sy_status status = SY_OK;
    for (uint32_t i = 0; i < MOST_LAYERS && status == SY_OK && sy_feed_head(feed); i++) {
        struct sy_command command;
        bool more = sy_feed_has_commands(feed);
        if (replay->options.cancel && *replay->options.cancel)
            return SY_INTERRUPTED;
        while (status == SY_OK && more)
            status = sy_feed_command(feed, &command, &more);
        sy_feed_pop(feed);
        if (status == SY_OK)
            status = sy_feed_fill(feed);
        if (status == SY_OK && sy_feed_head(feed))
            status = sy_footprint_add(&replay->footprint, sy_feed_head(feed));
    }
    return status == SY_OK ? sy_footprint_check(&replay->footprint, replay->chip, replay->path, replay->diag) : status;
}

static enum sy_status count_size(struct sy_replay *replay, const struct sy_feed_slot *slot)
{
    enum sy_status status = sy_footprint_add(&replay->footprint, slot);
    bool exceeds = status == SY_OK && sy_footprint_exceeds(&replay->footprint, replay->chip);
    return exceeds ? refuse_size(replay) : status;
}

enum sy_status sy_replay_next(void *context, struct sy_issue *issue, bool *more)
{
    struct sy_replay *replay = context;
    for (;;) {
        enum sy_status status;
        if (!replay->in_layer) {
            if ((status = sy_feed_fill(&replay->feed)) != SY_OK)
                return status;
            struct sy_feed_slot *slot = sy_feed_head(&replay->feed);
            *more = slot != NULL;
            if (!slot)
                return replay->forward ? sy_forward_go(replay->forward) : SY_OK;
            if ((status = count_size(replay, slot)) != SY_OK || (status = begin_layer(replay, slot)) != SY_OK)
                return status;
            replay->in_layer = true;
        }
        bool inside = false;
        if ((status = next_of_layer(replay, issue, &inside)) != SY_OK)
            return status;
        if (inside) {
            *more = true;
            if (replay->options.walked)
                ++*replay->options.walked;
            if (replay->forward && (status = sy_forward_go(replay->forward)) != SY_OK)
                return status;
            return replay->emit ? sy_trace_put_command(replay->emit, &issue->command) : SY_OK;
        }
        if ((status = end_layer(replay, sy_feed_head(&replay->feed))) != SY_OK)
            return status;
    }
}

/* The executor that will ask is there. */
static void attach(void *context, struct sy_executor *exec)
{
    struct sy_replay *replay = context;
    replay->exec = exec;
    if (replay->options.no_fast_forward || replay->emit || !sy_exec_can_forward(exec) ||
        (replay->judge && replay->options.vcd)) /* its waveform shows every tile */
        return;
    replay->forward = sy_forward_create(exec, replay->scheduler);
    sy_scheduler_forward(replay->scheduler, replay->forward);
}

/* ---- a run ---- */

static void forward_span(void *context, const struct sy_span *span)
{
    struct sy_replay *replay = context;
    const struct sy_layer_entry *entry = &replay->entry[replay->flight[span->layer % SY_FLIGHTS].entry];
    replay->options.span(replay->options.span_context, span, entry->result.name);
}

static enum sy_status judge_tile(void *context, const struct sy_tile_start *start)
{
    struct sy_replay *replay = context;
    const struct sy_layer_entry *entry = &replay->entry[replay->flight[start->layer % SY_FLIGHTS].entry];
    return sy_judge_tile(replay->judge, start, entry->result.name);
}

/* Cycle fidelity is the event engine with a judge. */
static enum sy_status call_judge(struct sy_replay *replay, struct sy_executor_options *executing)
{
    struct sy_judge_options options = {.seed = replay->options.seed,
                                       .count_only = replay->options.count_only,
                                       .step_all = replay->options.no_fast_forward,
                                       .vcd = replay->options.vcd};
    if (replay->options.fidelity != SY_FIDELITY_CYCLE)
        return SY_OK;
    executing->judge = judge_tile;
    executing->judge_context = replay;
    executing->vcd_path = NULL;
    return sy_judge_create(replay->chip, &options, replay->diag, &replay->judge);
}

static enum sy_status dismiss_judge(struct sy_replay *replay)
{
    struct sy_judge *judge = replay->judge;
    replay->judge = NULL;
    return judge ? sy_judge_finish(judge) : SY_OK;
}

static void cost_setup(struct sy_replay *replay, const struct sy_energy_table *energy, struct sy_map_costs *costs)
{
    costs->context = replay;
    costs->array = array_cost;
    costs->static_w = replay->chip->power.static_w;
    if (!energy)
        return;
    for (uint32_t level = 0; level < replay->chip->levels; level++)
        costs->pj_per_byte[level] = sy_energy_pj_per_byte(replay->chip, energy, level);
    costs->pj_per_mac = sy_energy_pj_per_mac(replay->chip, energy, replay->chip->array.precision[0].a,
                                             replay->chip->array.precision[0].b);
}

static enum sy_status start_result(struct sy_replay *replay, const char *workload)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    replay->result = arena ? sy_arena_alloc(arena, sizeof *replay->result) : NULL;
    if (!replay->result) {
        sy_arena_destroy(arena);
        return SY_NOMEM;
    }
    static const char *const fidelity[] = {"analytic", "event", "cycle"};
    static const char *const memory[] = {"ideal", "shared", "sampled", "burst"};
    static const char *const objective[] = {"cycles", "energy", "edp", "traffic"};
    replay->result->arena = arena;
    replay->result->chip = sy_arena_strdup(arena, replay->chip->name);
    replay->result->workload = sy_arena_strdup(arena, workload);
    replay->result->fidelity = fidelity[replay->options.fidelity];
    replay->result->memory = replay->options.memory == SY_MEMORY_TARGET ? sy_arena_strdup(arena, replay->options.target)
                                                                        : memory[replay->options.memory];
    replay->result->objective = objective[replay->options.objective];
    replay->result->core_hz = replay->chip->clock[0].frequency;
    return SY_OK;
}

static enum sy_status finish_result(struct sy_replay *replay, const struct sy_energy_table *energy)
{
    struct sy_result *result = replay->result;
    result->layers = replay->entries;
    result->layer = sy_arena_array(result->arena, replay->entries + 1, sizeof *result->layer);
    if (!result->layer)
        return SY_NOMEM;
    for (uint64_t i = 0; i < replay->entries; i++) {
        result->layer[i] = replay->entry[i].result;
        result->layer[i].precision_a = replay->entry[i].precision_a;
        result->layer[i].precision_b = replay->entry[i].precision_b;
        result->layer[i].values = replay->entry[i].values;
    }
    result->layers_run = replay->layers_done;
    result->macs = result->work.macs;
    result->footprint_bytes = sy_footprint_bytes(&replay->footprint);
    sy_footprint_warn(&replay->footprint, replay->chip, result);
    result->work.skipped_macs = replay->skipped_macs;
    result->expected_macs = replay->expected_macs;
    result->phase = replay->feed.pass.phase ? sy_arena_strdup(result->arena, replay->feed.pass.phase) : NULL;
    result->sequences = replay->feed.pass.sequences;
    result->tokens = replay->feed.pass.tokens;
    result->context = replay->feed.pass.context;
    result->chips = replay->feed.pass.chips;
    result->unmodelled_kinds = replay->feed.unmodelled_kinds;
    for (uint32_t i = 0; i < replay->feed.unmodelled_kinds; i++) {
        result->unmodelled[i].op = sy_arena_strdup(result->arena, replay->feed.unmodelled_names[i]);
        result->unmodelled[i].count = replay->feed.unmodelled[i].count;
        result->unmodelled[i].bytes = replay->feed.unmodelled[i].bytes;
    }
    if (replay->scheduled_any)
        sy_scheduler_totals(replay->scheduler, result);
    result->has_bookkeeping = replay->scheduled_any;
    enum sy_status status = sy_result_finish(result, replay->chip, energy, replay->diag);
    return status == SY_OK ? sy_result_check(result, replay->diag) : status;
}

enum sy_status sy_replay_plan(struct sy_replay *replay, const struct sy_energy_table *energy)
{
    struct sy_scheduler_options scheduling = {.objective = replay->options.objective,
                                              .keep_nothing = replay->options.keep_nothing,
                                              .liveness = &replay->feed.uses,
                                              .memos = replay->options.memos,
                                              .sample_loops = replay->options.fidelity == SY_FIDELITY_ANALYTIC &&
                                                              !replay->options.emit_schedule};
    cost_setup(replay, energy, &scheduling.costs);
    return sy_scheduler_create(replay->chip, &scheduling, replay->diag, &replay->scheduler);
}

/* Short runs are not sampled. */
static enum sy_memory_mode memory_mode(const struct sy_replay_options *options)
{
    return options->memory == SY_MEMORY_SAMPLED && options->is_short ? SY_MEMORY_BURST : options->memory;
}

static enum sy_status run(struct sy_replay *replay, const struct sy_energy_table *energy)
{
    enum sy_status status = sy_replay_plan(replay, energy);
    if (status == SY_OK && replay->options.emit_schedule)
        status =
            sy_trace_create(replay->options.emit_schedule, replay->result->workload, NULL, &replay->emit, replay->diag);
    if (status != SY_OK)
        return status;
    struct sy_executor_options executing = {.backend = replay->options.kernel,
                                            .memory = memory_mode(&replay->options),
                                            .layer_done = sy_replay_layer_done,
                                            .layer_context = replay,
                                            .vcd_path = replay->options.vcd,
                                            .cancel = replay->options.cancel,
                                            .target = replay->options.target,
                                            .data_dir = replay->options.data_dir,
                                            .requests = replay->options.requests,
                                            .span = replay->options.span ? forward_span : NULL,
                                            .span_context = replay};
    struct sy_command_source source = {replay, sy_replay_next, attach};
    status = call_judge(replay, &executing);
    if (status == SY_OK)
        status = (replay->options.fidelity == SY_FIDELITY_ANALYTIC ? sy_analyze : sy_execute)(
            replay->chip, &executing, &source, replay->result, &replay->result->cycles, replay->diag);
    if (status == SY_OK && replay->emit) {
        status = sy_trace_finish(replay->emit);
        replay->emit = NULL;
    }
    if (status == SY_OK && replay->layers_done == 0)
        return sy_error(replay->diag, ((struct sy_where){.file = replay->path}),
                        "a trace needs at least one layer record", "the workload has no layers");
    if (status == SY_OK)
        status = finish_result(replay, energy);
    return status == SY_OK ? dismiss_judge(replay) : status;
}

enum sy_status sy_replay_open(const struct sy_chip *chip, struct sy_trace_reader *reader,
                              const struct sy_replay_options *options, struct sy_replay **out, struct sy_diag *diag)
{
    struct sy_replay *replay = calloc(1, sizeof *replay);
    *out = replay;
    if (!replay)
        return SY_NOMEM;
    replay->chip = chip;
    replay->options = *options;
    replay->diag = diag;
    replay->path = sy_trace_workload_name(reader);
    sy_feed_open(&replay->feed, reader, replay->path, options->fuse, options->fuses, diag);
    return start_result(replay, replay->path);
}

void sy_replay_close(struct sy_replay *replay)
{
    if (!replay)
        return;
    sy_judge_abandon(replay->judge);
    sy_trace_abandon(replay->emit);
    sy_forward_destroy(replay->forward);
    sy_scheduler_destroy(replay->scheduler);
    sy_feed_close(&replay->feed);
    sy_result_destroy(replay->result);
    free(replay->entry);
    free(replay);
}

enum sy_status sy_replay(const struct sy_chip *chip, struct sy_trace_reader *reader,
                         const struct sy_energy_table *energy, const struct sy_replay_options *options,
                         struct sy_result **result, struct sy_diag *diag)
{
    struct sy_replay *replay;
    enum sy_status status = sy_replay_open(chip, reader, options, &replay, diag);
    if (status == SY_OK)
        status = run(replay, energy);
    if (status == SY_OK) {
        *result = replay->result;
        replay->result = NULL;
    }
    sy_replay_close(replay);
    return status;
}
