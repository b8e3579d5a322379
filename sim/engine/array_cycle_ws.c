/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weight and input stationary at cycle fidelity.
 *
 * A PE multiplies the operand that passes from left to right with its weight,
 * adds the product to the partial sum from above, and sends it down. Every word
 * carries the fold and beat it belongs to; a sum that meets another beat's
 * product, a weight that replaces one still in use, or a select that cuts off a
 * sum is a problem, not a number.
 */
#include "sim/engine/array_cycle_state.h"

/* ---- operands by array position ---- */

static union sy_number stationary_value(const struct sy_cycle_sim *sim, uint64_t fold, uint64_t row, uint64_t col)
{
    const struct sy_cycle_job *job = sim->job;
    const struct sy_cycle_fold *f = &sim->fold[fold];
    return job->dataflow == SY_WS ? job->b[(f->k0 + row) * job->n + f->n0 + col]
                                  : job->a[(f->m0 + col) * job->k + f->k0 + row];
}

static union sy_number streamed_value(const struct sy_cycle_sim *sim, uint64_t fold, uint64_t row, uint64_t beat)
{
    const struct sy_cycle_job *job = sim->job;
    const struct sy_cycle_fold *f = &sim->fold[fold];
    return job->dataflow == SY_WS ? job->a[(f->m0 + beat) * job->k + f->k0 + row]
                                  : job->b[(f->k0 + row) * job->n + f->n0 + beat];
}

/* The weight word of array row `row`, or a pad when the fold has none there. */
static struct sy_word weight_word(const struct sy_cycle_sim *sim, uint64_t fold, uint64_t row, uint64_t col)
{
    const struct sy_cycle_control *control = &sim->control[fold];
    struct sy_word word = {.fold = (int32_t)fold, .index = (uint32_t)row & SY_INDEX_MASK, .kind = SY_WORD_PAD};
    if (row < control->base_row || row >= control->base_row + control->used_rows || col >= control->used_cols) {
        return word;
    }
    uint64_t inner = row - control->base_row;
    word.kind = SY_WORD_WEIGHT;
    if (inner < control->real_rows && col < control->real_cols) {
        word.value = stationary_value(sim, fold, inner, col);
    }
    return word;
}

/* Array row that word `word` of a column is for. */
static uint64_t row_of_word(const struct sy_cycle_sim *sim, uint64_t fold, uint64_t word)
{
    bool bottom = sim->timing->row_placement == SY_ROWS_BOTTOM;
    return (bottom ? sim->rows : sim->control[fold].words) - 1 - word;
}

/* ---- control: the loader ---- */

/* What must be over before the first word of the next fold may reach the edge. */
static bool may_begin_load(const struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    if (sim->load_fold == 0) {
        return true;
    }
    const struct sy_cycle_control *before = &sim->control[sim->load_fold - 1];
    bool streamed = sim->stream_fold >= sim->load_fold && sim->now >= sim->last_beat + t->mac_initiation_interval;
    if (sim->serial) {
        return before->results_left == 0 && sim->now >= sim->input + before->port_last + 1;
    }
    if (t->weight_load == SY_LOAD_SHARED_WIRES) {
        /* Early: together with what leaves in the last period. */
        uint64_t leaving = sim->job->early ? (t->column_hop_cycles == 0 ? before->used_cols : 1) : 0;
        return streamed && before->results_left <= leaving;
    }
    return t->weight_load == SY_LOAD_DOUBLE_BUFFERED ? before->started : streamed;
}

static void put_words(struct sy_cycle_sim *sim)
{
    uint64_t lanes = sim->own_wires ? sim->timing->preload_rows_per_cycle : 1;
    struct sy_cycle_control *control = &sim->control[sim->load_fold];
    for (uint64_t lane = 0; lane < lanes && sim->word < control->words; lane++, sim->word++) {
        uint64_t row = row_of_word(sim, sim->load_fold, sim->word);
        for (uint64_t c = 0; c < sim->cols; c++) {
            uint64_t delay = sim->own_wires ? c * sim->timing->column_hop_cycles : 0;
            struct sy_word word = weight_word(sim, sim->load_fold, row, c);
            sy_chain_put(&sim->top, c * lanes + lane, delay, word);
            sy_cycle_note(sim, SY_PORT_WEIGHT, c, delay, &word);
        }
    }
    sim->progress = sim->now;
    if (sim->own_wires) {
        sim->weights_until = sim->now + 1 + sim->top.length + sim->rows * sim->weight.length;
    }
    if (sim->word == control->words) {
        control->loaded = true;
        control->last_word = sim->now;
        sim->latch = !sim->own_wires;
        sim->loading = false;
        sim->load_fold++;
    }
}

static void load(struct sy_cycle_sim *sim)
{
    const struct sy_array_timing *t = sim->timing;
    sim->pass = false;
    sim->latch = false;
    if (sim->load_fold >= sim->folds || t->weight_load == SY_LOAD_NONE) {
        return;
    }
    if (!sim->loading) {
        if (!may_begin_load(sim)) {
            return;
        }
        sim->loading = true;
        sim->load_begin = sim->now;
        sim->word = 0;
        if (sim->load_fold == 0) {
            sim->first_word = sim->now;
        }
    }
    uint64_t spacing = sim->own_wires ? 1 : t->psum_hop_cycles - t->accumulate_cycles;
    if ((sim->now - sim->load_begin) % spacing == 0) {
        put_words(sim);
    }
    /* The select switches to sums in the period in which the weights are latched. */
    sim->pass = !sim->own_wires && sim->loading;
}

/* ---- control: the stream ---- */

/* Whether weights that passed are still on their way down to the fold's first row. */
static bool residue_above(const struct sy_cycle_sim *sim, const struct sy_cycle_control *control)
{
    for (uint64_t r = 0; r < control->base_row; r++) {
        const struct sy_word *sums = &sim->accumulate.slot[r * sim->cols * sim->accumulate.length];
        const struct sy_word *links = &sim->link.slot[r * sim->cols * sim->link.length];
        for (uint64_t i = 0; i < sim->accumulate.length; i++) {
            if (sums[i].kind == SY_WORD_WEIGHT) {
                return true;
            }
        }
        for (uint64_t i = 0; i < sim->link.length; i++) {
            if (links[i].kind == SY_WORD_WEIGHT) {
                return true;
            }
        }
    }
    return false;
}

static bool weights_in_place(const struct sy_cycle_sim *sim, uint64_t fold)
{
    const struct sy_array_timing *t = sim->timing;
    const struct sy_cycle_control *control = &sim->control[fold];
    if (t->weight_load == SY_LOAD_NONE) {
        return true;
    }
    if (fold > 0 && sim->own_wires && sim->job->early && control->loaded) {
        return sim->now >= control->last_word;
    }
    if (!control->loaded || sim->now <= control->last_word) {
        return false;
    }
    if (!sim->own_wires) {
        return !residue_above(sim, control);
    }
    if (fold == 0 && t->preload_settle && sim->now <= control->last_word + (sim->rows - 1) * t->psum_hop_cycles) {
        return false;
    }
    const struct sy_pe *first = &sim->pe[control->base_row * sim->cols];
    return first->shadow.fold == (int32_t)fold || first->active.fold == (int32_t)fold;
}

/* Whether the sums that re-enter beside the next beat have been on the output port. */
static bool sums_returned(const struct sy_cycle_sim *sim)
{
    const struct sy_cycle_control *control = &sim->control[sim->stream_fold];
    if (sim->reenter == NULL || !control->continues || sim->beat >= control->real_beats) {
        return true;
    }
    const struct sy_reenter *was = &sim->reenter[sim->beat * sim->cols];
    return was->fold + 1 == (int32_t)sim->stream_fold && sim->now + sim->job->early >= was->port + 1 + sim->input;
}

static bool may_stream(const struct sy_cycle_sim *sim)
{
    uint64_t fold = sim->stream_fold;
    if (fold >= sim->folds || !sy_cycle_beat_offered(sim) || !sums_returned(sim)) {
        return false;
    }
    if (sim->beat > 0) {
        return true;
    }
    if (fold > 0) {
        const struct sy_cycle_control *before = &sim->control[fold - 1];
        if (sim->now < before->start + sim->timing->accumulate_distance_cycles ||
            sim->now < before->start + sim->job->tile_interval) {
            return false;
        }
        if (sim->serial && (before->results_left > 0 || sim->now < sim->input + before->port_last + 1)) {
            return false;
        }
        /* Entering further down, a stream must not overtake what is still above it. */
        uint64_t above = sy_max(before->base_row, sim->control[fold].base_row) - before->base_row;
        if (sim->now < sim->last_beat + sim->timing->mac_initiation_interval + above * sim->timing->psum_hop_cycles) {
            return false;
        }
    }
    return weights_in_place(sim, fold);
}

void sy_cycle_stationary_control(struct sy_cycle_sim *sim)
{
    if (may_stream(sim)) {
        const struct sy_cycle_control *control = &sim->control[sim->stream_fold];
        sy_cycle_beat_comes(sim);
        for (uint64_t r = 0; r < control->used_rows; r++) {
            struct sy_word word = {.fold = (int32_t)sim->stream_fold,
                                   .index = (uint32_t)sim->beat & SY_INDEX_MASK,
                                   .kind = SY_WORD_OPERAND};
            if (r < control->real_rows && sim->beat < control->real_beats) {
                word.value = streamed_value(sim, sim->stream_fold, r, sim->beat);
            }
            sy_chain_put(&sim->left, control->base_row + r, r * sim->timing->psum_hop_cycles, word);
            sy_cycle_note(sim, SY_PORT_LEFT, control->base_row + r, r * sim->timing->psum_hop_cycles, &word);
        }
        sy_cycle_beat_sent(sim);
    }
    load(sim);
}

/* ---- one period ---- */

/* Own wires: pass the words on; the one for this PE is returned, to be written at the end of the period. */
static struct sy_word weight_wires(struct sy_cycle_sim *sim, const struct sy_pe *pe, uint64_t row, uint64_t col)
{
    uint64_t lanes = sim->timing->preload_rows_per_cycle;
    bool shadowed = sim->timing->weight_load == SY_LOAD_DOUBLE_BUFFERED;
    struct sy_word mine = sy_no_word;
    for (uint64_t lane = 0; lane < lanes; lane++) {
        uint64_t wire = col * lanes + lane;
        struct sy_word word = row == 0 ? sy_chain_take(&sim->top, wire) : sim->weight_below[wire];
        sim->weight_below[wire] = sy_chain_pass(&sim->weight, row * sim->cols * lanes + wire, word);
        if (word.kind != SY_WORD_EMPTY) {
            sim->quiet_from[row * sim->cols + col] = sim->now + sim->chain_periods + 1;
        }
        if (word.kind != SY_WORD_WEIGHT || word.index != row) {
            continue;
        }
        if (shadowed && pe->shadow.kind == SY_WORD_WEIGHT) {
            sy_cycle_problem(sim, "a weight of fold %d reached a shadow register still holding fold %d", word.fold,
                             pe->shadow.fold);
        }
        mine = word;
    }
    return mine;
}

/* The weight for this operand; exchanges active and shadow when its fold begins here. */
static const struct sy_word *weight_for(struct sy_cycle_sim *sim, struct sy_pe *pe, const struct sy_word *operand,
                                        uint64_t row, uint64_t col)
{
    if (pe->active.fold != operand->fold || pe->active.kind != SY_WORD_WEIGHT) {
        if (sim->timing->weight_load == SY_LOAD_NONE) {
            pe->active = weight_word(sim, (uint64_t)operand->fold, row, col);
        } else if (pe->shadow.kind == SY_WORD_WEIGHT && pe->shadow.fold == operand->fold) {
            pe->active = pe->shadow;
            pe->shadow = sy_no_word;
        }
    }
    if (pe->active.fold != operand->fold || pe->active.kind != SY_WORD_WEIGHT) {
        sy_cycle_problem(sim, "an operand of fold %d met no weight of its fold", operand->fold);
    }
    return &pe->active;
}

static struct sy_word multiply(struct sy_cycle_sim *sim, struct sy_pe *pe, const struct sy_word *operand, uint64_t row,
                               uint64_t col)
{
    struct sy_word product = sy_no_word;
    if (operand->kind != SY_WORD_OPERAND || col >= sim->control[operand->fold].used_cols) {
        return product;
    }
    if (sim->now < pe->next_operand) {
        sy_cycle_problem(sim, "two operands reached a PE within its initiation interval");
    }
    pe->next_operand = sim->now + sim->timing->mac_initiation_interval;
    const struct sy_word *weight = weight_for(sim, pe, operand, row, col);
    product = *operand;
    product.value = sy_number_product(sim->job->format, operand->value, weight->value);
    return product;
}

/* What a sum starts from in the fold's first row. */
static union sy_number initial_sum(struct sy_cycle_sim *sim, const struct sy_word *product, uint64_t col)
{
    union sy_number zero = {0};
    const struct sy_cycle_control *control = &sim->control[product->fold];
    if (sim->reenter == NULL || !control->continues || product->index >= control->real_beats ||
        col >= control->real_cols) {
        return zero;
    }
    const struct sy_reenter *was = &sim->reenter[product->index * sim->cols + col];
    if (was->fold + 1 != product->fold || sim->now < was->port + 1 + sim->input) {
        sy_cycle_problem(sim, "a partial sum has to re-enter before it has left");
        return zero;
    }
    const struct sy_cycle_fold *f = &sim->fold[product->fold];
    bool ws = sim->job->dataflow == SY_WS;
    uint64_t m = f->m0 + (ws ? product->index : col), n = f->n0 + (ws ? col : product->index);
    return sim->job->c[m * sim->job->n + n];
}

static struct sy_word add(struct sy_cycle_sim *sim, const struct sy_word *product, const struct sy_word *above,
                          uint64_t row, uint64_t col)
{
    if (product->kind != SY_WORD_OPERAND) {
        return *above;
    }
    struct sy_word sum = *product;
    union sy_number start = above->value;
    sum.kind = SY_WORD_SUM;
    if (row == sim->control[product->fold].base_row) {
        if (above->kind == SY_WORD_SUM || above->kind == SY_WORD_WEIGHT) {
            sy_cycle_problem(sim, "the first row of fold %d met a word left in the row above", product->fold);
        }
        start = initial_sum(sim, product, col);
    } else if (above->kind != SY_WORD_SUM || above->fold != product->fold || above->index != product->index) {
        sy_cycle_problem(sim, "a product of fold %d met no partial sum of its beat", product->fold);
    }
    sum.value = sy_number_sum(sim->job->format, start, product->value);
    return sum;
}

static void latch_weight(struct sy_cycle_sim *sim, struct sy_pe *pe, const struct sy_word *word, uint64_t row,
                         uint64_t col)
{
    uint64_t fold = sim->load_fold - 1;
    const struct sy_cycle_control *control = &sim->control[fold];
    bool wanted = row >= control->base_row && row < control->base_row + control->used_rows && col < control->used_cols;
    if (wanted && (word->kind != SY_WORD_WEIGHT || word->index != row || word->fold != (int32_t)fold)) {
        sy_cycle_problem(sim, "a weight of fold %d was not in its row when all were latched", (int)fold);
    }
    if (wanted) {
        pe->active = *word;
    }
}

/* What enters the partial-sum wires of a column: weights when the wires are shared. */
static struct sy_word from_top(struct sy_cycle_sim *sim, uint64_t col)
{
    bool shared = !sim->own_wires && sim->top.count > 0;
    return shared ? sy_chain_take(&sim->top, col) : sy_no_word;
}

static void step_pe(struct sy_cycle_sim *sim, uint64_t row, uint64_t col, const struct sy_word *operand)
{
    uint64_t index = row * sim->cols + col;
    struct sy_pe *pe = &sim->pe[index];
    struct sy_word above = row > 0 ? sim->below[col] : from_top(sim, col), weight = sy_no_word;
    if (operand->kind != SY_WORD_EMPTY || above.kind != SY_WORD_EMPTY) {
        sim->quiet_from[index] = sim->now + sim->chain_periods + 1;
    }
    struct sy_word product = multiply(sim, pe, operand, row, col);
    if (sim->now < sim->weights_until) {
        weight = weight_wires(sim, pe, row, col);
    }
    product = sy_chain_pass(&sim->multiply, index, product);
    struct sy_word sum = add(sim, &product, &above, row, col);
    sum = sy_chain_pass(&sim->accumulate, index, sum);
    if (sim->pass && sum.kind == SY_WORD_SUM) {
        sy_cycle_problem(sim, "the select cut off a partial sum of fold %d to load weights", sum.fold);
    }
    if (sim->latch) {
        latch_weight(sim, pe, &above, row, col);
    }
    if (weight.kind == SY_WORD_WEIGHT) {
        *(sim->timing->weight_load == SY_LOAD_DOUBLE_BUFFERED ? &pe->shadow : &pe->active) = weight;
    }
    if (row + 1 < sim->rows) {
        sim->below[col] = sy_chain_pass(&sim->link, index, sim->pass ? above : sum);
    } else if (sum.kind == SY_WORD_SUM && !sim->pass) {
        sy_cycle_emit(sim, &sum, col);
    }
    if (sim->seen != NULL) {
        sy_cycle_see(&sim->seen[index], operand, &pe->active, &sum);
    }
}

/* Nothing is in the chains of a PE and nothing comes in: stepping it would change nothing. */
static inline bool is_quiet(const struct sy_cycle_sim *sim, uint64_t row, uint64_t col)
{
    if (sim->now < sim->quiet_from[row * sim->cols + col] || sim->below[col].kind != SY_WORD_EMPTY) {
        return false;
    }
    uint64_t lanes = sim->now < sim->weights_until ? sim->timing->preload_rows_per_cycle : 0;
    for (uint64_t lane = 0; lane < lanes; lane++) {
        if (sim->weight_below[col * lanes + lane].kind != SY_WORD_EMPTY) {
            return false;
        }
    }
    return true;
}

void sy_cycle_stationary_step(struct sy_cycle_sim *sim)
{
    bool global = sim->pass || sim->latch || sim->seen != NULL; /* every PE has something to do */
    for (uint64_t r = 0; r < sim->rows; r++) {
        struct sy_word operand = sy_chain_take(&sim->left, r);
        for (uint64_t c = 0; c < sim->cols; c++) {
            if (r > 0 && !global && operand.kind == SY_WORD_EMPTY && is_quiet(sim, r, c)) {
                continue;
            }
            step_pe(sim, r, c, &operand);
            operand = sy_chain_pass(&sim->hop, r * sim->cols + c, operand);
        }
    }
}
