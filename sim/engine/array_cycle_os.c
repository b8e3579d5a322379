/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output stationary at cycle fidelity: operands meet in every PE, sums stay
 * until they leave by one of four ways (enum sy_os_drain).
 *
 * swap, states of a PE: compute -> (a fold's first product arrives) -> its
 * accumulator becomes the shifting one, which moves down once a period until
 * the phase's shifts are done; meanwhile the other accumulates.
 * shift_registers, states of the output registers: filling (copies arrive along
 * the wavefront) -> full -> shifting, a column an accepted beat -> empty.
 */
#include "sim/engine/array_cycle_state.h"

static union sy_number left_value(const struct sy_cycle_sim *sim, uint64_t row, uint64_t beat)
{
    const struct sy_cycle_fold *f = &sim->fold[sim->stream_fold];
    return sim->job->a[(f->m0 + row) * sim->job->k + f->k0 + beat];
}

static union sy_number top_value(const struct sy_cycle_sim *sim, uint64_t col, uint64_t beat)
{
    const struct sy_cycle_fold *f = &sim->fold[sim->stream_fold];
    return sim->job->b[(f->k0 + beat) * sim->job->n + f->n0 + col];
}

/* Swap and shift registers need the wavefront in every PE, used or not. */
static bool floods(const struct sy_cycle_sim *sim)
{
    return sim->swap || sim->shift;
}

/* ---- control ---- */

/* Of a token: no row or column in use. */
static const struct sy_cycle_control no_operands = {0};

static void put_left(struct sy_cycle_sim *sim, struct sy_word word, const struct sy_cycle_control *control)
{
    uint64_t beat = word.index;
    for (uint64_t r = 0; r < sim->rows; r++) {
        bool used = r >= control->base_row && r < control->base_row + control->used_rows;
        uint64_t inner = used ? r - control->base_row : 0;
        word.value = (union sy_number){0};
        if (used && inner < control->real_rows && beat < control->real_beats) {
            word.value = left_value(sim, inner, beat);
        }
        if (used || floods(sim)) {
            sy_chain_put(&sim->left, r, r * sim->timing->operand_row_hop_cycles, word);
            sy_cycle_note(sim, SY_PORT_LEFT, r, r * sim->timing->operand_row_hop_cycles, &word);
        }
    }
}

static void put_top(struct sy_cycle_sim *sim, struct sy_word word, const struct sy_cycle_control *control)
{
    uint64_t beat = word.index;
    for (uint64_t c = 0; c < sim->cols; c++) {
        bool used = c < control->used_cols;
        word.value = (union sy_number){0};
        if (used && c < control->real_cols && beat < control->real_beats) {
            word.value = top_value(sim, c, beat);
        }
        if (used || floods(sim)) {
            sy_chain_put(&sim->top, c, c * sim->timing->column_hop_cycles, word);
            sy_cycle_note(sim, SY_PORT_TOP, c, c * sim->timing->column_hop_cycles, &word);
        }
    }
}

/* Put one beat on the edge; or, with a fold outside 0..folds-1, a token that only changes roles. */
static void put_beat(struct sy_cycle_sim *sim, int32_t fold, uint64_t beat, const struct sy_cycle_control *control)
{
    struct sy_word word = {.fold = fold, .index = (uint32_t)beat & SY_INDEX_MASK, .kind = SY_WORD_OPERAND};
    put_left(sim, word, control);
    put_top(sim, word, control);
    sim->progress = sim->now;
}

static void open_phase(struct sy_cycle_sim *sim, int64_t fold, uint64_t window)
{
    sim->phase_fold = fold;
    sim->phase_start = sim->now;
    sim->phase_window = window;
    sim->phase_open = true;
}

/* Shifts needed while fold `fold` accumulates: the previous sums out, the next bias in. */
static uint64_t shift_window(const struct sy_cycle_sim *sim, uint64_t fold)
{
    uint64_t window = 0;
    bool bottom = sim->timing->row_placement == SY_ROWS_BOTTOM;
    if (fold > 0 && !sim->serial) {
        window = bottom ? sim->control[fold - 1].used_rows : sim->rows;
    }
    if (sim->timing->bias_preload && fold + 1 < sim->folds && !sim->serial) {
        window = sim->rows;
    }
    return window;
}

/* The bias of a fold that nothing runs beside enters before it. */
static void lead(struct sy_cycle_sim *sim)
{
    uint64_t fold = sim->stream_fold;
    int64_t token = -1 - (int64_t)fold;
    bool wanted = sim->swap && sim->timing->bias_preload && fold < sim->folds && sim->beat == 0;
    if (!wanted || (fold > 0 && !sim->serial) || (sim->phase_open && sim->phase_fold == token)) {
        return;
    }
    if (fold > 0) {
        const struct sy_cycle_control *before = &sim->control[fold - 1];
        if (before->results_left > 0 || sim->now < sim->input + before->port_last + 1) {
            return;
        }
    } else {
        sim->first_word = sim->now;
    }
    put_beat(sim, (int32_t)token, 0, &no_operands);
    open_phase(sim, token, sim->rows);
}

/* When the output registers will have been emptied of every earlier fold. */
static uint64_t chain_empty_after(const struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t low = sim->job->sink_low_cycles, ready = sim->ready_at;
    int64_t before = (int64_t)sim->stream_fold - 1;
    if (sim->chain_active) {
        uint64_t last = sy_max(sim->now, ready) + (sim->chain_left - 1) * (1 + low);
        if (sim->chain_fold == before) {
            return last;
        }
        ready = last + 1 + low;
    } else if (sim->chain_fold == before) {
        return sim->chain_last;
    }
    /* Still on its way: the registers between its last beat and the far corner. */
    uint64_t path = sim->multiply.length + sim->accumulate.length + t->output_registers +
                    (sim->rows - 1) * sim->link.length + (sim->cols - 1) * sim->hop.length;
    uint64_t full = sim->control[before].last_word + path;
    return sy_max(full, ready) + (sim->cols - 1) * (1 + low);
}

/* Hops from the row of the topmost sum to the bottom row. */
static uint64_t drain_rows(const struct sy_cycle_sim *sim, const struct sy_cycle_control *control)
{
    return sim->rows - 1 - control->base_row;
}

/* Periods from a first beat now to the select of its sums: registers to the last PE in use. */
static uint64_t beats_to_select(const struct sy_cycle_sim *sim)
{
    const struct sy_cycle_control *control = &sim->control[sim->stream_fold];
    return (control->beats - 1) * sim->timing->mac_initiation_interval + sim->multiply.length + sim->accumulate.length +
           (control->base_row + control->used_rows - 1) * sim->link.length + (control->used_cols - 1) * sim->hop.length;
}

/* Whether the sums of the fold before are out of the way of a following first beat. */
static bool sums_allow(const struct sy_cycle_sim *sim, const struct sy_cycle_control *before)
{
    const struct sy_array_timing *t = sim->timing;
    uint64_t clear = t->accumulator_clear_cycles;
    bool early = sim->job->early;
    if (sim->serial) {
        return before->results_left == 0 && sim->now >= sim->input + before->port_last + 1 + (sim->swap ? 0 : clear);
    }
    if (!sim->wires) {
        return sim->now >= sim->last_beat + t->mac_initiation_interval + clear;
    }
    if (t->os_restart == SY_RESTART_RUNNING_SUM) {
        if (sim->selected &&
            sim->now + beats_to_select(sim) <= sim->select_at + drain_rows(sim, before) * sim->link.length) {
            return false; /* its sums would be selected while these are on the wires */
        }
        /* Early: in the selected period itself, when only the far corner is still to finish. */
        uint64_t pes = before->used_rows * before->used_cols;
        return (sim->selected && sim->now > sim->select_at) || (early && pes > 1 && sim->finished + 1 == pes);
    }
    uint64_t leaving = early ? before->used_cols : 0;
    return before->results_left <= leaving && sim->now + early >= sim->input + before->edge_last + 1 + clear;
}

/* Whether a first beat may follow the fold before it. */
static bool fold_allows(const struct sy_cycle_sim *sim)
{
    uint64_t fold = sim->stream_fold;
    if (fold > 0) {
        const struct sy_cycle_control *before = &sim->control[fold - 1];
        if (sim->now < before->start + sim->job->tile_interval || !sums_allow(sim, before)) {
            return false;
        }
    }
    if (!sim->swap || !sim->phase_open) {
        return true;
    }
    if (sim->serial && sim->timing->bias_preload && sim->phase_fold != -1 - (int64_t)fold) {
        return false;
    }
    return sim->now + (fold > 0 && sim->job->early) >= sim->phase_start + sim->phase_window;
}

static bool may_stream(const struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    if (sim->stream_fold >= sim->folds || !sy_cycle_beat_offered(sim)) {
        return false;
    }
    const struct sy_cycle_control *control = &sim->control[sim->stream_fold];
    if (sim->beat == 0 && !fold_allows(sim)) {
        return false;
    }
    bool last = sim->beat + 1 == control->beats;
    if (sim->shift && last && sim->stream_fold > 0 && t->output_collision == SY_COLLISION_WAIT) {
        uint64_t copied = sim->now + sim->multiply.length + sim->accumulate.length + t->output_registers;
        return copied + (sim->job->early ? 1 : 0) >= chain_empty_after(sim) + 1;
    }
    return true;
}

/* After the last beat the accumulators change roles once more, so that its sums leave. */
static void flush(struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    bool all_streamed = sim->serial ? sim->beat == 0 : sim->stream_fold == sim->folds;
    if (!sim->swap || sim->stream_fold == 0 || !all_streamed || !sim->phase_open ||
        sim->phase_fold != (int64_t)sim->stream_fold - 1) {
        return;
    }
    const struct sy_cycle_control *last = &sim->control[sim->stream_fold - 1];
    bool window_over = sim->now >= sim->phase_start + sim->phase_window;
    if (window_over && sim->now >= sim->last_beat + t->mac_initiation_interval + t->accumulator_clear_cycles) {
        bool bottom = t->row_placement == SY_ROWS_BOTTOM;
        put_beat(sim, (int32_t)(sim->folds + sim->stream_fold), 0, &no_operands);
        open_phase(sim, (int64_t)(sim->folds + sim->stream_fold), bottom ? last->used_rows : sim->rows);
    }
}

void sy_cycle_os_control(struct sy_cycle_sim *sim)
{
    flush(sim);
    lead(sim);
    if (may_stream(sim)) {
        uint64_t fold = sim->stream_fold;
        struct sy_cycle_control *control = &sim->control[fold];
        sy_cycle_beat_comes(sim);
        if (sim->beat == 0 && sim->swap) {
            open_phase(sim, (int64_t)fold, shift_window(sim, fold));
            control->window = sim->phase_window;
        }
        if (sim->beat == 0) {
            sim->selected = false;
        }
        put_beat(sim, (int32_t)fold, sim->beat, control);
        control->last_word = sim->now;
        sy_cycle_beat_sent(sim);
    }
}

/* ---- one period ---- */

static bool real_fold(const struct sy_cycle_sim *sim, int32_t fold)
{
    return fold >= 0 && (uint64_t)fold < sim->folds;
}

static bool in_use(const struct sy_cycle_sim *sim, int32_t fold, uint64_t row, uint64_t col)
{
    if (!real_fold(sim, fold)) {
        return false;
    }
    const struct sy_cycle_control *control = &sim->control[fold];
    return row >= control->base_row && row < control->base_row + control->used_rows && col < control->used_cols;
}

/* Bias of array row `row` for the fold that follows phase `fold`, or nothing. */
static struct sy_word bias_word(const struct sy_cycle_sim *sim, int64_t phase, uint64_t row)
{
    int64_t next = phase < 0 ? -1 - phase : phase + 1;
    struct sy_word word = {.fold = (int32_t)next, .index = (uint32_t)row & SY_INDEX_MASK, .kind = SY_WORD_BIAS};
    bool comes = sim->timing->bias_preload && next < (int64_t)sim->folds && (phase < 0 || !sim->serial);
    return comes ? word : sy_no_word;
}

/* Bias words enter on top while the phase shifts. */
static void feed_bias(struct sy_cycle_sim *sim)
{
    uint64_t at = sim->now - sim->phase_start;
    if (!sim->phase_open || at >= sim->phase_window || at >= sim->rows) {
        return;
    }
    struct sy_word word = bias_word(sim, sim->phase_fold, sim->rows - 1 - at);
    for (uint64_t c = 0; c < sim->cols; c++) {
        sy_chain_put(&sim->bias, c, sim->multiply.length + c * sim->timing->column_hop_cycles, word);
        sy_cycle_note(sim, SY_PORT_BIAS, c, c * sim->timing->column_hop_cycles, &word);
    }
}

static uint64_t window_of(const struct sy_cycle_sim *sim, int32_t fold)
{
    bool bottom = sim->timing->row_placement == SY_ROWS_BOTTOM;
    if (fold < 0) {
        return sim->rows;
    }
    if (real_fold(sim, fold)) {
        return sim->control[fold].window;
    }
    return bottom ? sim->control[(uint64_t)fold - sim->folds - 1].used_rows : sim->rows;
}

/* A fold's first product is here: the accumulators change roles. */
static void change_roles(struct sy_cycle_sim *sim, struct sy_pe *pe, int32_t fold, uint64_t row, uint64_t col)
{
    if (pe->shifts_left > 0) {
        sy_cycle_problem(sim, "accumulators changed roles before the sums of the previous fold had shifted out");
    }
    struct sy_word next = pe->shadow;
    pe->shadow = in_use(sim, pe->active.fold, row, col) ? pe->active : sy_no_word;
    if (pe->shadow.kind == SY_WORD_SUM) {
        pe->shadow.index = (uint32_t)row & SY_INDEX_MASK;
    }
    if (real_fold(sim, fold)) {
        bool wanted = sim->timing->bias_preload;
        if (wanted && (next.kind != SY_WORD_BIAS || next.fold != fold || next.index != row)) {
            sy_cycle_problem(sim, "fold %d began before its bias was in place", fold);
        }
        if (!wanted && next.kind != SY_WORD_EMPTY) {
            sy_cycle_problem(sim, "fold %d began on sums that had not left", fold);
        }
    }
    pe->active = (struct sy_word){.fold = fold, .kind = SY_WORD_EMPTY};
    pe->shifts_left = window_of(sim, fold);
}

static void shift_down(struct sy_cycle_sim *sim, struct sy_pe *pe, uint64_t row, uint64_t col)
{
    uint64_t index = row * sim->cols + col;
    struct sy_word above = row == 0 ? sy_chain_take(&sim->bias, col) : sim->drain_below[col];
    struct sy_word out = sy_no_word;
    if (pe->shifts_left > 0) {
        out = pe->shadow;
        pe->shadow = above;
        pe->shifts_left--;
    }
    if (row + 1 == sim->rows) {
        if (out.kind == SY_WORD_SUM) {
            sy_cycle_emit(sim, &out, col);
        }
        return;
    }
    sim->drain_below[col] = sy_chain_pass(&sim->drain, index, out);
}

/* The fold's last product has been added: the finished sum, `accumulate` periods later. */
static void finished_sum(struct sy_cycle_sim *sim, struct sy_word sum, uint64_t row, uint64_t col)
{
    if (sum.kind != SY_WORD_SUM) {
        return;
    }
    struct sy_os_pe *pe = &sim->os_pe[row * sim->cols + col];
    sum.index = (uint32_t)row & SY_INDEX_MASK;
    if (sim->wires) {
        pe->copy = sum;
        sim->finished++;
    } else if (sim->shift) {
        pe->pending = sum;
    } else if (in_use(sim, sum.fold, row, col)) {
        sy_cycle_emit(sim, &sum, col);
    }
}

static void accumulate(struct sy_cycle_sim *sim, struct sy_pe *pe, const struct sy_word *product, uint64_t row,
                       uint64_t col)
{
    struct sy_word done = sy_no_word;
    if (product->kind == SY_WORD_OPERAND) {
        bool first = product->index == 0;
        bool running = sim->wires && sim->timing->os_restart == SY_RESTART_RUNNING_SUM;
        if (first && sim->swap) {
            change_roles(sim, pe, product->fold, row, col);
        } else if (first && !running) {
            pe->active.value = (union sy_number){0};
        }
        if (real_fold(sim, product->fold)) {
            if (!first && pe->active.fold != product->fold) {
                sy_cycle_problem(sim, "a product of fold %d met the sum of fold %d", product->fold, pe->active.fold);
            }
            pe->active.fold = product->fold;
            pe->active.kind = SY_WORD_SUM;
            pe->active.value = sy_number_sum(sim->job->format, pe->active.value, product->value);
            if ((uint64_t)product->index + 1 == sim->control[product->fold].beats && !sim->swap) {
                done = pe->active;
            }
        }
    }
    if (!sim->swap) {
        finished_sum(sim, sy_chain_pass(&sim->accumulate, row * sim->cols + col, done), row, col);
    }
}

static struct sy_word multiply(struct sy_cycle_sim *sim, struct sy_pe *pe, const struct sy_word *left,
                               const struct sy_word *top)
{
    if (left->kind != SY_WORD_OPERAND || top->kind != SY_WORD_OPERAND) {
        return sy_no_word;
    }
    if (left->fold != top->fold || left->index != top->index) {
        sy_cycle_problem(sim, "two operands of different beats met");
    }
    if (sim->now < pe->next_operand) {
        sy_cycle_problem(sim, "two operands reached a PE within its initiation interval");
    }
    struct sy_word product = *left;
    pe->next_operand = sim->now + (real_fold(sim, left->fold) ? sim->timing->mac_initiation_interval : 0);
    product.value = sy_number_product(sim->job->format, left->value, top->value);
    return product;
}

static void step_pe(struct sy_cycle_sim *sim, uint64_t row, uint64_t col, const struct sy_word *left)
{
    uint64_t index = row * sim->cols + col;
    struct sy_pe *pe = &sim->pe[index];
    struct sy_word top;
    if (row == 0) {
        top = sy_chain_take(&sim->top, col);
    } else if (sim->link.length == 0) {
        top = sim->below[index - sim->cols];
    } else {
        top = sim->link.slot[(index - sim->cols) * sim->link.length + sim->link.at];
    }
    sim->below[index] = top; /* written to the wires once it is known whether sums are selected */
    struct sy_word product = multiply(sim, pe, left, &top);
    product = sy_chain_pass(&sim->multiply, index, product);
    accumulate(sim, pe, &product, row, col);
    if (sim->swap) {
        shift_down(sim, pe, row, col);
    }
    if (sim->seen != NULL) {
        sy_cycle_see(&sim->seen[index], left, &top, &pe->active);
    }
}

/* Vertical wires: operands, or in the selected period the finished sums. */
static void vertical_wires(struct sy_cycle_sim *sim)
{
    for (uint64_t index = 0; index < sim->rows * sim->cols; index++) {
        struct sy_os_pe *pe = &sim->os_pe[index];
        struct sy_word down = sim->below[index];
        if (sim->select) {
            uint64_t next_row = index / sim->cols + 1;
            if (in_use(sim, down.fold, next_row, index % sim->cols) || down.kind == SY_WORD_SUM) {
                sy_cycle_problem(sim, "the select put sums on wires that carried an operand");
            }
            down = pe->copy;
            pe->copy = sy_no_word;
        }
        if (index / sim->cols + 1 < sim->rows) {
            (void)sy_chain_pass(&sim->link, index, down);
        } else if (down.kind == SY_WORD_SUM) {
            sy_cycle_emit(sim, &down, index % sim->cols);
        }
    }
}

static void select_sums(struct sy_cycle_sim *sim)
{
    uint64_t fold = sim->stream_fold - (sim->beat == 0 ? 1 : 0);
    sim->select = false;
    if (sim->wires && sim->finished > 0 && fold < sim->folds) {
        const struct sy_cycle_control *control = &sim->control[fold];
        sim->select = sim->finished == control->used_rows * control->used_cols;
    }
    if (sim->select) {
        sim->finished = 0;
        sim->select_at = sim->now;
        sim->selected = true;
    }
}

/* Output registers: one column an accepted beat, then the copies of this period. */
static void shift_out(struct sy_cycle_sim *sim)
{
    if (sim->chain_active && sim->now >= sim->ready_at) {
        uint64_t col = sim->cols - sim->chain_left;
        for (uint64_t r = 0; r < sim->rows; r++) {
            struct sy_os_pe *row = &sim->os_pe[r * sim->cols];
            if (in_use(sim, row[0].copy.fold, r, col)) {
                sy_cycle_emit(sim, &row[0].copy, col);
            }
            for (uint64_t c = 0; c + 1 < sim->cols; c++) {
                row[c].copy = row[c + 1].copy;
            }
            row[sim->cols - 1].copy = sy_no_word;
        }
        sim->ready_at = sim->now + 1 + sim->job->sink_low_cycles;
        sim->chain_last = sim->now;
        sim->progress = sim->now;
        sim->chain_active = --sim->chain_left > 0;
    }
    for (uint64_t index = 0; index < sim->rows * sim->cols; index++) {
        struct sy_os_pe *pe = &sim->os_pe[index];
        struct sy_word copied = sy_chain_pass(&sim->copy, index, pe->pending);
        pe->pending = sy_no_word;
        if (copied.kind != SY_WORD_SUM) {
            continue;
        }
        if (pe->copy.kind != SY_WORD_EMPTY) {
            sy_cycle_problem(sim, "a finished sum of fold %d met an occupied output register", copied.fold);
        }
        pe->copy = copied;
        if (++sim->chain_copied == sim->rows * sim->cols) {
            sim->chain_copied = 0;
            sim->chain_active = true;
            sim->chain_left = sim->cols;
            sim->chain_fold = copied.fold;
        }
    }
}

void sy_cycle_os_step(struct sy_cycle_sim *sim)
{
    if (sim->swap) {
        feed_bias(sim);
    }
    for (uint64_t r = 0; r < sim->rows; r++) {
        struct sy_word left = sy_chain_take(&sim->left, r);
        for (uint64_t c = 0; c < sim->cols; c++) {
            step_pe(sim, r, c, &left);
            left = sy_chain_pass(&sim->hop, r * sim->cols + c, left);
        }
    }
    select_sums(sim);
    if (sim->link.length > 0) {
        vertical_wires(sim);
    }
    if (sim->shift) {
        shift_out(sim);
    }
}
