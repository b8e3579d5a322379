/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycle fidelity: set-up, the period loop, results and the consumer.
 *
 * A period: control puts words on the edge; every PE is evaluated; a consumer
 * that is not ready for results on the port stops array time until it is.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/engine/array_cycle_state.h"

const struct sy_word sy_no_word = {.fold = -1};
struct sy_cycle_view {
    const struct sy_cycle_sim *sim;
};

void sy_cycle_problem(struct sy_cycle_sim *sim, const char *format, ...)
{
    if (!sy_cycle_failed(sim)) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(sim->out->problem, sizeof sim->out->problem, format, args);
        va_end(args);
    }
}

struct sy_cycle_pe sy_cycle_view_pe(const struct sy_cycle_view *view, uint64_t row, uint64_t col)
{
    struct sy_cycle_pe none = {0};
    return row < view->sim->rows && col < view->sim->cols ? view->sim->seen[row * view->sim->cols + col] : none;
}

/* ---- beats ---- */

bool sy_cycle_beat_offered(const struct sy_cycle_sim *sim)
{
    const struct sy_cycle_job *job = sim->job;
    if (sim->stream_fold == 0 && sim->beat == 0) {
        return true;
    }
    if (sim->now < sim->last_beat + sim->timing->mac_initiation_interval) {
        return false;
    }
    bool padding = sim->beat >= sim->control[sim->stream_fold].real_beats;
    bool late = job->feeder_gap_every != 0 && !padding && sim->real_beats_sent % job->feeder_gap_every == 0;
    return !late || sim->now >= sim->last_beat + 1 + job->feeder_gap_cycles;
}

void sy_cycle_beat_sent(struct sy_cycle_sim *sim)
{
    struct sy_cycle_control *control = &sim->control[sim->stream_fold];
    if (sim->beat == 0) {
        control->start = sim->now;
        control->started = true;
    }
    sim->real_beats_sent += sim->beat < control->real_beats;
    sim->out->beats++;
    sim->last_beat = sim->now;
    sim->progress = sim->now;
    if (++sim->beat == control->beats) {
        sim->beat = 0;
        sim->stream_fold++;
    }
}

void sy_cycle_note(const struct sy_cycle_sim *sim, enum sy_cycle_port port, uint64_t lane, uint64_t delay,
                   const struct sy_word *word)
{
    if (sim->job->port == NULL || word->kind == SY_WORD_EMPTY || word->fold < 0 || (uint64_t)word->fold >= sim->folds) {
        return;
    }
    struct sy_cycle_port_word seen = {.port = port,
                                      .period = sim->now + sim->frozen + delay - sim->input,
                                      .row = port == SY_PORT_LEFT ? lane : 0,
                                      .col = port == SY_PORT_LEFT ? 0 : lane,
                                      .fold = (uint64_t)word->fold,
                                      .index = word->index,
                                      .last = word->kind == SY_WORD_OPERAND &&
                                              (uint64_t)word->index + 1 == sim->control[word->fold].beats,
                                      .value = word->value};
    sim->job->port(sim->job->port_ctx, &seen);
}

/* ---- results ---- */

static void store(struct sy_cycle_sim *sim, const struct sy_word *sum, uint64_t row, uint64_t col)
{
    const struct sy_cycle_job *job = sim->job;
    const struct sy_cycle_fold *f = &sim->fold[sum->fold];
    uint64_t m = f->m0 + (job->dataflow == SY_IS ? col : row), n = f->n0 + (job->dataflow == SY_IS ? row : col);
    union sy_number *c = &job->c[m * job->n + n];
    if (sim->reenter != NULL && sim->control[sum->fold].continues) {
        *c = sum->value; /* it started from what was there */
    } else {
        *c = sy_number_sum(job->format, *c, sum->value);
    }
}

/* The period in which a result that leaves the edge now is on the port. */
static uint64_t port_period(const struct sy_cycle_sim *sim, const struct sy_cycle_control *control, uint64_t col)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t port = sim->now + (sim->shift ? 0 : sim->output);
    if (t->output_deskew && (!sim->os || sim->swap)) {
        port += (sim->cols - 1 - col) * t->column_hop_cycles;
    }
    if (sim->os && control->single_line && t->os_drain == SY_DRAIN_DIRECT) {
        port -= sy_min(port, t->single_line_saves_cycles);
    }
    return port;
}

/* Keep a result of the GEMM; row: beat (ws, is) or row of the fold (os). */
static void keep(struct sy_cycle_sim *sim, const struct sy_word *sum, uint64_t row, uint64_t col, uint64_t port)
{
    struct sy_word value = *sum;
    if (sim->wires && sim->timing->os_restart == SY_RESTART_RUNNING_SUM) {
        struct sy_os_pe *pe = &sim->os_pe[sum->index * sim->cols + col];
        value.value = sy_number_difference(sim->job->format, sum->value, pe->drained);
        pe->drained = sum->value;
    }
    store(sim, &value, row, col);
    if (sim->job->port != NULL) {
        struct sy_cycle_port_word seen = {.port = SY_PORT_RESULT,
                                          .period = port + sim->frozen,
                                          .row = sim->os ? sum->index : 0,
                                          .col = col,
                                          .fold = (uint64_t)sum->fold,
                                          .index = row,
                                          .value = value.value};
        sim->job->port(sim->job->port_ctx, &seen);
    }
    if (sim->reenter != NULL) {
        sim->reenter[row * sim->cols + col] = (struct sy_reenter){.port = port, .fold = sum->fold};
    }
}

void sy_cycle_emit(struct sy_cycle_sim *sim, const struct sy_word *sum, uint64_t col)
{
    struct sy_cycle_control *control = &sim->control[sum->fold];
    uint64_t row = (uint64_t)sum->index - (sim->os ? control->base_row : 0);
    uint64_t port = port_period(sim, control, col);
    if (row < (sim->os ? control->real_rows : control->real_beats) && col < control->real_cols) {
        keep(sim, sum, row, col, port);
    }
    if (control->results_left == 0) {
        sy_cycle_problem(sim, "fold %d gave a result twice", sum->fold);
        return;
    }
    control->results_left--;
    control->edge_last = sim->now;
    control->port_last = sy_max(control->port_last, port);
    sim->results_left--;
    sim->progress = sim->now;
    sim->first_port = sim->any_result ? sy_min(sim->first_port, port) : port;
    sim->last_port = sy_max(sim->last_port, port);
    sim->any_result = true;
    if (sim->marks_taken > 0) {
        struct sy_cycle_mark *mark = &sim->job->mark[sim->marks_taken - 1];
        mark->first_port = mark->end_port > 0 ? sy_min(mark->first_port, port) : port;
        mark->end_port = sy_max(mark->end_port, port + 1);
    }
    if (sim->port_due != NULL) {
        sim->port_due[port % sim->port_ring]++;
    }
}

/* Freeze: results on the port in this period wait, and everything with them, until they are taken. */
static void consume(struct sy_cycle_sim *sim)
{
    if (sim->port_due == NULL || sim->port_due[sim->now % sim->port_ring] == 0) {
        return;
    }
    uint64_t real = sim->now + sim->frozen;
    sim->port_due[sim->now % sim->port_ring] = 0;
    if (real < sim->ready_at) {
        sim->frozen += sim->ready_at - real;
        real = sim->ready_at;
    }
    sim->ready_at = real + 1 + sim->job->sink_low_cycles;
    sim->out->frozen_cycles = sim->frozen;
}

/* ---- set-up ---- */

static bool make_chains(struct sy_cycle_sim *sim, struct sy_chains *chains, uint64_t count, uint64_t length)
{
    chains->count = count;
    chains->length = length;
    chains->at = 0;
    if (count == 0 || length == 0) {
        return true;
    }
    uint64_t words;
    if (!sy_mul(count, length, &words) || words > (uint64_t)SY_CYCLE_MAX_PES * 16) {
        return false;
    }
    chains->slot = sy_arena_array(sim->arena, words, sizeof *chains->slot);
    for (uint64_t i = 0; chains->slot != NULL && i < words; i++) {
        chains->slot[i] = sy_no_word;
    }
    return chains->slot != NULL;
}

/* Chains every PE has. */
static bool make_pe_chains(struct sy_cycle_sim *sim, uint64_t pes, uint64_t lanes)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t link = sim->os ? t->operand_row_hop_cycles : t->psum_hop_cycles - t->accumulate_cycles;
    return make_chains(sim, &sim->hop, pes, t->column_hop_cycles) &&
           make_chains(sim, &sim->multiply, pes, t->multiply_cycles) &&
           make_chains(sim, &sim->accumulate, pes, t->accumulate_cycles) && make_chains(sim, &sim->link, pes, link) &&
           make_chains(sim, &sim->drain, sim->swap ? pes : 0, t->operand_row_hop_cycles) &&
           make_chains(sim, &sim->weight, sim->own_wires ? pes * lanes : 0, t->psum_hop_cycles) &&
           make_chains(sim, &sim->copy, sim->shift ? pes : 0, sy_max(t->output_registers, 1) - 1);
}

/* The triangles of registers in front of the edge. */
static bool make_skew_chains(struct sy_cycle_sim *sim, uint64_t lanes)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t row_skew = (sim->rows - 1) * (sim->os ? t->operand_row_hop_cycles : t->psum_hop_cycles);
    uint64_t col_skew = (sim->cols - 1) * t->column_hop_cycles;
    uint64_t top_length = sim->os || sim->own_wires ? col_skew + 1 : 1;
    bool has_top = sim->os || t->weight_load != SY_LOAD_NONE;
    return make_chains(sim, &sim->left, sim->rows, row_skew + 1) &&
           make_chains(sim, &sim->top, has_top ? sim->cols * lanes : 0, top_length) &&
           make_chains(sim, &sim->bias, sim->swap ? sim->cols : 0, col_skew + t->multiply_cycles + 1);
}

static struct sy_word *make_words(struct sy_cycle_sim *sim, uint64_t count)
{
    struct sy_word *words = sy_arena_array(sim->arena, count, sizeof *words);
    for (uint64_t i = 0; words != NULL && i < count; i++) {
        words[i] = sy_no_word;
    }
    return words;
}

static bool make_registers(struct sy_cycle_sim *sim)
{
    uint64_t pes = sim->rows * sim->cols, lanes = sim->own_wires ? sim->timing->preload_rows_per_cycle : 1;
    sim->pe = sy_arena_array(sim->arena, pes, sizeof *sim->pe);
    sim->os_pe = sy_arena_array(sim->arena, sim->os ? pes : 1, sizeof *sim->os_pe);
    sim->below = make_words(sim, pes);
    sim->drain_below = make_words(sim, sim->cols);
    sim->weight_below = make_words(sim, sim->cols * lanes);
    sim->quiet_from = sy_arena_array(sim->arena, pes, sizeof *sim->quiet_from);
    sim->chain_periods =
        sim->timing->column_hop_cycles + sim->timing->multiply_cycles + 2 * sim->timing->psum_hop_cycles;
    if (sim->quiet_from == NULL || sim->pe == NULL || sim->os_pe == NULL || sim->below == NULL ||
        sim->drain_below == NULL || sim->weight_below == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < pes; i++) {
        sim->pe[i].active = sim->pe[i].shadow = sy_no_word;
    }
    for (uint64_t i = 0; sim->os && i < pes; i++) {
        sim->os_pe[i].copy = sim->os_pe[i].pending = sy_no_word;
    }
    if (sim->job->observe != NULL && (sim->seen = sy_arena_array(sim->arena, pes, sizeof *sim->seen)) == NULL) {
        return false;
    }
    return make_pe_chains(sim, pes, lanes) && make_skew_chains(sim, lanes);
}

static uint64_t padded_beats(const struct sy_cycle_sim *sim, uint64_t real)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t beats = real;
    while (beats % t->stream_multiple_beats != 0) {
        beats++;
    }
    beats = beats < t->min_stream_beats ? t->min_stream_beats : beats;
    while (sim->os && t->os_stream_whole_rows && beats % sim->rows != 0) {
        beats++;
    }
    return beats;
}

static bool within(uint64_t from, uint64_t size, uint64_t limit)
{
    return size > 0 && from <= limit && size <= limit - from;
}

/* Whether `next` adds to the sums of `fold`. */
static bool continues(const struct sy_cycle_fold *fold, const struct sy_cycle_fold *next)
{
    return fold->m0 == next->m0 && fold->n0 == next->n0 && fold->m == next->m && fold->n == next->n &&
           fold->k0 + fold->k == next->k0;
}

/* What the fold spreads over rows and columns, and what it streams. */
static void place(enum sy_dataflow_kind dataflow, const struct sy_cycle_fold *f, struct sy_cycle_control *control)
{
    control->real_rows = dataflow == SY_OS ? f->m : f->k;
    control->real_cols = dataflow == SY_IS ? f->m : f->n;
    control->real_beats = dataflow == SY_OS ? f->k : dataflow == SY_WS ? f->m : f->n;
}

/* Stationary words a column is sent. */
static uint64_t words_of(const struct sy_array_timing *t, uint64_t rows, uint64_t used)
{
    bool past = t->row_placement == SY_ROWS_BOTTOM && t->weight_load == SY_LOAD_SHARED_WIRES;
    return past || t->preload_rows == SY_PRELOAD_FULL ? rows : used;
}

static enum sy_status plan_fold(struct sy_cycle_sim *sim, uint64_t index)
{
    const struct sy_cycle_job *job = sim->job;
    const struct sy_cycle_fold *f = &sim->fold[index];
    const struct sy_array_timing *t = sim->timing;
    struct sy_cycle_control *control = &sim->control[index];
    if (!within(f->m0, f->m, job->m) || !within(f->k0, f->k, job->k) || !within(f->n0, f->n, job->n)) {
        return SY_USAGE;
    }
    place(job->dataflow, f, control);
    if (control->real_rows > sim->rows || control->real_cols > sim->cols || control->real_beats > SY_MAX_BEATS / 2) {
        return SY_USAGE;
    }
    bool padded = t->ragged == SY_RAGGED_PADDED, bottom = t->row_placement == SY_ROWS_BOTTOM;
    control->used_rows = padded ? sim->rows : control->real_rows;
    control->used_cols = padded ? sim->cols : control->real_cols;
    control->beats = padded_beats(sim, control->real_beats);
    control->base_row = bottom ? sim->rows - control->used_rows : 0;
    control->words = words_of(t, sim->rows, control->used_rows);
    control->single_line = control->real_rows == 1 || control->real_cols == 1;
    control->results_left = (sim->os ? control->used_rows : control->beats) * control->used_cols;
    control->continues = index > 0 && continues(f - 1, f);
    sim->results_left += control->results_left;
    return SY_OK;
}

static void set_up_flags(struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    sim->os = sim->job->dataflow == SY_OS;
    sim->swap = sim->os && t->os_drain == SY_DRAIN_SWAP;
    sim->shift = sim->os && t->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    sim->wires = sim->os && t->os_drain == SY_DRAIN_OPERAND_WIRES;
    sim->serial = t->fold_overlap == SY_OVERLAP_NONE;
    sim->own_wires =
        !sim->os && (t->weight_load == SY_LOAD_SEPARATE_WIRES || t->weight_load == SY_LOAD_DOUBLE_BUFFERED);
    sim->input = t->input_registers + (sim->os ? t->transposer_cycles_per_row * sim->rows : 0);
    sim->output = t->output_registers;
    sim->now = sim->input;
    sim->first_word = UINT64_MAX;
    sim->chain_fold = -1;
}

/* Memory of what has left: sums that may re-enter, and results a consumer may refuse. */
static bool make_ports(struct sy_cycle_sim *sim, uint64_t most_beats)
{
    if (!sim->os && sim->timing->partial_sums == SY_SUMS_TOP_PORT) {
        uint64_t count = most_beats * sim->cols;
        sim->reenter = sy_arena_array(sim->arena, count, sizeof *sim->reenter);
        for (uint64_t i = 0; sim->reenter != NULL && i < count; i++) {
            sim->reenter[i].fold = -2;
        }
        if (sim->reenter == NULL) {
            return false;
        }
    }
    if (sim->job->sink_low_cycles > 0 && !sim->shift) {
        sim->port_ring = sim->output + sim->cols * sim->timing->column_hop_cycles + 2;
        sim->port_due = sy_arena_array(sim->arena, sim->port_ring, sizeof *sim->port_due);
        return sim->port_due != NULL;
    }
    return true;
}

static enum sy_status set_up(struct sy_cycle_sim *sim)
{
    set_up_flags(sim);
    sim->control = sy_arena_array(sim->arena, sim->folds, sizeof *sim->control);
    if (sim->control == NULL) {
        return SY_NOMEM;
    }
    uint64_t most_beats = 1;
    for (uint64_t i = 0; i < sim->folds; i++) {
        enum sy_status status = plan_fold(sim, i);
        if (status != SY_OK) {
            return status;
        }
        most_beats = sy_max(most_beats, sim->control[i].beats);
    }
    return make_registers(sim) && make_ports(sim, most_beats) ? SY_OK : SY_NOMEM;
}

/* ---- the loop ---- */

static void advance(struct sy_chains *chains)
{
    if (chains->length > 0 && ++chains->at == chains->length) {
        chains->at = 0;
    }
}

static void advance_all(struct sy_cycle_sim *sim)
{
    struct sy_chains *const all[] = {&sim->hop,    &sim->multiply, &sim->accumulate, &sim->link, &sim->drain,
                                     &sim->weight, &sim->copy,     &sim->left,       &sim->top,  &sim->bias};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        advance(all[i]);
    }
    sim->now++;
}

/* Periods without a word in or out after which the array will never move again. */
static uint64_t patience(const struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t hops = t->column_hop_cycles * sim->cols * 2 +
                    (t->operand_row_hop_cycles * 2 + t->psum_hop_cycles * 4 + t->accumulate_cycles + 2) * sim->rows;
    uint64_t stages = t->multiply_cycles + t->accumulate_cycles + sim->input + sim->output +
                      t->mac_initiation_interval + t->accumulator_clear_cycles + t->accumulate_distance_cycles;
    uint64_t bench =
        sim->job->tile_interval + sim->job->feeder_gap_cycles + (sim->cols + 2) * (sim->job->sink_low_cycles + 1);
    return hops + stages + bench + 16;
}

static void run_periods(struct sy_cycle_sim *sim)
{
    uint64_t wait = patience(sim);
    sim->progress = sim->now;
    while (!sy_cycle_failed(sim) && (sim->results_left > 0 || sim->now <= sim->last_port)) {
        if (sim->os) {
            sy_cycle_os_control(sim);
            sy_cycle_os_step(sim);
        } else {
            sy_cycle_stationary_control(sim);
            sy_cycle_stationary_step(sim);
        }
        consume(sim);
        if (sim->job->observe != NULL) {
            struct sy_cycle_view view = {.sim = sim};
            sim->job->observe(sim->job->observe_ctx, sim->now + sim->frozen - sim->input, &view);
        }
        if (sim->now - sim->progress > wait && sim->now > sim->last_port) {
            sy_cycle_problem(sim, "the array came to a halt with %llu results missing",
                             (unsigned long long)sim->results_left);
        }
        advance_all(sim);
        sim->out->periods++;
    }
}

static void report(struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    struct sy_cycle_result *out = sim->out;
    uint64_t start = sim->control[0].start;
    uint64_t first_beat = start - sim->input;
    uint64_t first_word = sim->first_word == UINT64_MAX ? start : sim->first_word;
    out->frozen_cycles = sim->frozen;
    out->cycles = sim->last_port + sim->frozen - first_beat + 1;
    out->lead_cycles = start - first_word;
    out->first_result_cycle = sim->first_port - first_beat + 1;
    if (t->first_result == SY_FIRST_AT_RUN_END) {
        out->first_result_cycle = out->cycles;
    }
    if (t->cycle_count == SY_COUNT_LAST_INDEX) {
        out->cycles--;
    }
    out->cycles_incl_preload = out->lead_cycles + out->cycles;
    for (uint64_t i = 0; sim->job->first_beat != NULL && i < sim->folds; i++) {
        sim->job->first_beat[i] = sim->control[i].start - first_word;
    }
}

/* Sizes a run can hold. */
static bool fits(const struct sy_cycle_job *job)
{
    uint64_t pes, bytes;
    return job->rows > 0 && job->cols > 0 && sy_mul(job->rows, job->cols, &pes) && pes <= SY_CYCLE_MAX_PES &&
           job->m > 0 && job->k > 0 && job->n > 0 && sy_mul3(job->m, job->k, sizeof *job->a, &bytes) &&
           sy_mul3(job->k, job->n, sizeof *job->b, &bytes) && sy_mul3(job->m, job->n, sizeof *job->c, &bytes);
}

/* Marks are for runs as the event engine has them, without what a testbench adds. */
static bool marks_fit(const struct sy_cycle_job *job)
{
    bool bench = job->tile_interval > 0 || job->feeder_gap_every > 0 || job->sink_low_cycles > 0 || job->early;
    return job->marks == 0 || (job->mark != NULL && !bench);
}

static enum sy_status check_job(const struct sy_cycle_job *job, struct sy_cycle_result *out)
{
    bool listed = job->fold != NULL;
    if ((unsigned)job->dataflow >= SY_DATAFLOW_KINDS || !sy_number_supported(job->format) || !fits(job) ||
        !marks_fit(job) || (listed && (job->folds == 0 || job->folds > SY_CYCLE_MAX_FOLDS))) {
        return SY_USAGE;
    }
    if (!sy_array_runs(job->timing, job->dataflow)) {
        (void)snprintf(out->problem, sizeof out->problem, "the design does not run %s",
                       sy_dataflow_name(job->dataflow));
        return SY_UNSUPPORTED;
    }
    bool shift = job->dataflow == SY_OS && job->timing->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    uint64_t handled = shift ? SY_PRESSURE_DECOUPLED : SY_PRESSURE_FREEZE;
    if (job->sink_low_cycles > 0 && job->timing->back_pressure != handled) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "the design cannot hold back results from a consumer that is not ready");
        return SY_UNSUPPORTED;
    }
    return SY_OK;
}

enum sy_status sy_array_cycle_run(const struct sy_cycle_job *job, struct sy_cycle_result *out)
{
    if (job == NULL || out == NULL || job->timing == NULL || job->a == NULL || job->b == NULL || job->c == NULL) {
        return SY_USAGE;
    }
    memset(out, 0, sizeof *out);
    enum sy_status status = check_job(job, out);
    if (status != SY_OK) {
        return status;
    }
    struct sy_cycle_fold *own = NULL;
    struct sy_cycle_sim sim = {.job = job, .timing = job->timing, .rows = job->rows, .cols = job->cols, .out = out};
    sim.fold = job->fold;
    sim.folds = job->folds;
    if (job->fold == NULL) {
        status = sy_cycle_folds_of(job->timing, job->dataflow, job->rows, job->cols, job->m, job->k, job->n, &own,
                                   &sim.folds);
        sim.fold = own;
    }
    sim.arena = status == SY_OK ? sy_arena_create(NULL, 0) : NULL;
    if (status == SY_OK) {
        status = sim.arena == NULL ? SY_NOMEM : set_up(&sim);
    }
    if (status == SY_OK) {
        memset(job->c, 0, job->m * job->n * sizeof *job->c);
        run_periods(&sim);
        status = sy_cycle_failed(&sim) ? SY_UNSUPPORTED : SY_OK;
    }
    if (status == SY_OK) {
        report(&sim);
    }
    sy_arena_destroy(sim.arena);
    free(own);
    return status;
}

/* A fold's place along one side. */
struct span {
    uint64_t start, size;
};

static bool count_spans(const struct sy_array_cut *cut, uint64_t lanes, uint64_t *count)
{
    uint64_t ends = sy_ceil_div(cut->head, lanes) + sy_ceil_div(cut->tail, lanes);
    return sy_mul(sy_ceil_div(cut->segment, lanes), cut->segments, count) && sy_add(*count, ends, count);
}

/* The folds along a side one by one: a new one wherever a part ends. */
static struct span *list_spans(const struct sy_array_cut *cut, uint64_t lanes, uint64_t count)
{
    struct span *span = calloc(count, sizeof *span);
    uint64_t at = 0, start = 0;
    for (uint64_t part = 0; span && at < count; part++) {
        uint64_t left = part == 0 ? cut->head : part <= cut->segments ? cut->segment : cut->tail;
        for (; left > 0; at++) {
            span[at] = (struct span){start, sy_min(lanes, left)};
            start += span[at].size;
            left -= span[at].size;
        }
    }
    return span;
}

static struct sy_cycle_fold fold_of(enum sy_dataflow_kind dataflow, uint64_t m, uint64_t k, uint64_t n, struct span row,
                                    struct span col)
{
    if (dataflow == SY_OS)
        return (struct sy_cycle_fold){row.start, row.size, 0, k, col.start, col.size};
    if (dataflow == SY_WS)
        return (struct sy_cycle_fold){0, m, row.start, row.size, col.start, col.size};
    return (struct sy_cycle_fold){col.start, col.size, row.start, row.size, 0, n};
}

static bool cut_steps(const struct sy_array_cut *cut, uint64_t *steps)
{
    return sy_mul(cut->segment, cut->segments, steps) && sy_add(*steps, cut->head, steps) &&
           sy_add(*steps, cut->tail, steps);
}

enum sy_status sy_cycle_folds_of_cut(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow,
                                     uint64_t rows, uint64_t cols, uint64_t m, const struct sy_array_cut *k, uint64_t n,
                                     struct sy_cycle_fold **fold, uint64_t *folds)
{
    const struct sy_array_cut whole = {.tail = m}, over_cols = {.tail = dataflow == SY_IS ? m : n};
    const struct sy_array_cut *over_rows = dataflow == SY_OS ? &whole : k;
    uint64_t row_folds = 0, col_folds = 0, steps = 0, count = 0;
    *fold = NULL;
    if (!count_spans(over_rows, rows, &row_folds) || !count_spans(&over_cols, cols, &col_folds) ||
        !sy_mul(row_folds, col_folds, folds) || !cut_steps(k, &steps) || *folds - 1 >= SY_CYCLE_MAX_FOLDS) {
        return SY_USAGE;
    }
    struct span *row = list_spans(over_rows, rows, row_folds), *col = list_spans(&over_cols, cols, col_folds);
    bool columns_outer = timing->fold_order == SY_FOLDS_COLUMNS_OUTER;
    *fold = row && col ? calloc(*folds, sizeof **fold) : NULL;
    for (; *fold && count < *folds; count++) {
        uint64_t r = columns_outer ? count % row_folds : count / col_folds;
        uint64_t c = columns_outer ? count / row_folds : count % col_folds;
        (*fold)[count] = fold_of(dataflow, m, steps, n, row[r], col[c]);
    }
    free(row);
    free(col);
    return *fold ? SY_OK : SY_NOMEM;
}

enum sy_status sy_cycle_folds_of(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow, uint64_t rows,
                                 uint64_t cols, uint64_t m, uint64_t k, uint64_t n, struct sy_cycle_fold **fold,
                                 uint64_t *folds)
{
    const struct sy_array_cut whole = {.tail = k};
    return sy_cycle_folds_of_cut(timing, dataflow, rows, cols, m, &whole, n, fold, folds);
}
