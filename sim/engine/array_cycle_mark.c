/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a stepped array as seen from a beat that is about to enter (struct sy_cycle_mark).
 *
 * Everything the control or a PE looks at to decide when a word moves goes into
 * the digest, as seen from the mark: folds and beats counted from the mark's,
 * periods from now. What is so long ago that no comparison can tell it from
 * longer ago counts as "over". Forgetting something here would let a run be
 * repeated that is not periodic; the tests step both and compare.
 */
#include "sim/engine/array_cycle_state.h"

struct look {
    const struct sy_cycle_sim *sim;
    uint64_t digest[2];
    int64_t fold, beat;
    int64_t oldest; /* fold of which results are still to come */
};

static inline void see(struct look *look, uint64_t code)
{
    look->digest[0] = (look->digest[0] ^ code) * UINT64_C(0x9E3779B97F4A7C15);
    look->digest[0] ^= look->digest[0] >> 29;
    look->digest[1] = (look->digest[1] + code) * UINT64_C(0xD1B54A32D192ED03);
    look->digest[1] ^= look->digest[1] >> 32;
}

/* Periods until `period`, 0 when it is over. */
static uint64_t until(const struct look *look, uint64_t period)
{
    return period > look->sim->now ? period - look->sim->now : 0;
}

/* Periods since `period`, which is not in the future; all that is `most` ago or longer is alike. */
static uint64_t since(const struct look *look, uint64_t period, uint64_t most)
{
    return sy_min(look->sim->now - sy_min(period, look->sim->now), most);
}

/* A fold as seen from the mark's; tokens (a negative fold) apart. */
static uint64_t fold_code(const struct look *look, int64_t fold)
{
    bool token = fold < 0;
    int64_t away = (token ? -1 - fold : fold) - look->fold;
    return ((uint64_t)away << 1 | token) & UINT32_MAX;
}

static uint64_t word_code(const struct look *look, const struct sy_word *word)
{
    if (word->kind == SY_WORD_EMPTY) {
        return 0;
    }
    uint64_t index = word->index;
    bool beat = word->kind == SY_WORD_OPERAND || (word->kind == SY_WORD_SUM && !look->sim->os);
    if (beat && word->fold == look->fold) {
        index = ((uint64_t)word->index - (uint64_t)look->beat) & SY_INDEX_MASK;
    }
    return fold_code(look, word->fold) << 32 | index << 4 | word->kind;
}

static void see_chains(struct look *look, const struct sy_chains *chains)
{
    for (uint64_t i = 0; i < chains->count * (chains->length > 0); i++) {
        const struct sy_word *slot = &chains->slot[i * chains->length];
        for (uint64_t d = chains->at; d < chains->length; d++) {
            see(look, word_code(look, &slot[d]));
        }
        for (uint64_t d = 0; d < chains->at; d++) {
            see(look, word_code(look, &slot[d]));
        }
    }
}

/* A weight or sum in place; of a fold that is over it is only waiting to be overwritten. */
static uint64_t place_code(const struct look *look, const struct sy_word *word)
{
    return word->fold >= 0 && word->fold < look->oldest ? 0 : word_code(look, word);
}

static void see_pes(struct look *look)
{
    const struct sy_cycle_sim *sim = look->sim;
    for (uint64_t i = 0; i < sim->rows * sim->cols; i++) {
        const struct sy_pe *pe = &sim->pe[i];
        see(look, place_code(look, &pe->active));
        see(look, sim->swap ? word_code(look, &pe->shadow) : place_code(look, &pe->shadow));
        see(look, until(look, pe->next_operand) << 32 | pe->shifts_left);
        if (sim->os) {
            see(look, word_code(look, &sim->os_pe[i].copy));
        }
    }
}

/* Sums that may re-enter beside the beats of this fold or the next. */
static void see_reenter(struct look *look)
{
    const struct sy_cycle_sim *sim = look->sim;
    const struct sy_cycle_control *control = &sim->control[sim->stream_fold];
    for (uint64_t i = 0; sim->reenter != NULL && i < control->beats * sim->cols; i++) {
        const struct sy_reenter *was = &sim->reenter[i];
        int64_t ahead = (int64_t)(i / sim->cols) - look->beat;
        bool own = was->fold == look->fold, before = control->continues && was->fold == look->fold - 1;
        uint64_t wait = own || before ? until(look, was->port + 1 + sim->input) : 0;
        bool expected = ahead < 0 ? own : before == control->continues && !own;
        if (!expected || wait > 0) { /* all others are what a longer or shorter fold has too */
            see(look, (uint64_t)ahead << 8 | (uint64_t)own << 1 | before);
            see(look, i % sim->cols << 32 | wait);
        }
    }
}

/* What is known of a fold that control may still ask about. */
static void see_control(struct look *look, int64_t fold)
{
    const struct sy_cycle_sim *sim = look->sim;
    const struct sy_cycle_control *control = &sim->control[fold];
    bool streams = fold == look->fold, any;
    uint64_t total = (sim->os ? control->used_rows : control->beats) * control->used_cols;
    uint64_t left = control->results_left;
    any = left < total;
    if (streams && !sim->os) {
        left -= (control->beats - sim->beat) * control->used_cols; /* those of beats that have entered */
    }
    see(look, fold_code(look, fold));
    see(look, control->used_rows << 32 | control->used_cols); /* an array has at most SY_CYCLE_MAX_PES */
    see(look, control->base_row << 32 | control->words);
    see(look, control->window);
    see(look, (uint64_t)control->continues << 3 | (uint64_t)control->single_line << 2 |
                  (uint64_t)control->started << 1 | control->loaded);
    see(look, left);
    see(look, any ? sim->now - control->edge_last : UINT64_MAX);
    see(look, any ? control->port_last - sim->now : UINT64_MAX);
    see(look, control->started ? until(look, control->start + sim->timing->accumulate_distance_cycles) : UINT64_MAX);
    see(look, sim->os ? since(look, control->last_word, UINT32_MAX) : until(look, control->last_word + 1));
}

static void see_clocks(struct look *look)
{
    const struct sy_cycle_sim *sim = look->sim;
    uint64_t far = sim->rows * (sim->link.length + 1) + 2;
    see(look, sim->now - sim->last_beat);
    see(look, fold_code(look, (int64_t)sim->load_fold) << 1 | sim->loading);
    if (sim->loading) {
        see(look, sim->word);
        see(look, sim->now - sim->load_begin);
    }
    see(look, until(look, sim->weights_until));
    see(look, (uint64_t)sim->phase_open << 1 | (uint64_t)sim->selected);
    if (sim->phase_open) {
        see(look, fold_code(look, sim->phase_fold));
        see(look, sim->phase_window);
        see(look, since(look, sim->phase_start, sy_max(sim->phase_window, sim->rows)));
    }
    see(look, sim->finished);
    see(look, sim->selected ? since(look, sim->select_at, far) : 0);
    see(look,
        (uint64_t)sim->chain_active << 32 | (sim->chain_fold < 0 ? UINT32_MAX : fold_code(look, sim->chain_fold)));
    see(look, sim->chain_copied);
    see(look, sim->chain_active ? sim->chain_left : 0);
    see(look, until(look, sim->chain_last + 1));
    see(look, until(look, sim->ready_at));
}

static void see_all(struct look *look)
{
    const struct sy_cycle_sim *sim = look->sim;
    int64_t begun = (int64_t)sim->load_fold - !sim->loading, last = begun > look->fold ? begun : look->fold;
    look->oldest = (int64_t)sim->oldest;
    for (int64_t fold = look->oldest; fold <= last; fold++) {
        see_control(look, fold);
    }
    see_clocks(look);
    see_pes(look);
    see_reenter(look);
    const struct sy_chains *const all[] = {&sim->hop,    &sim->multiply, &sim->accumulate, &sim->link, &sim->drain,
                                           &sim->weight, &sim->copy,     &sim->left,       &sim->top,  &sim->bias};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        see_chains(look, all[i]);
    }
}

void sy_cycle_take_mark(struct sy_cycle_sim *sim)
{
    struct sy_cycle_mark *mark = &sim->job->mark[sim->marks_taken];
    if (mark->fold != sim->stream_fold || mark->beat != sim->beat) {
        return;
    }
    while (sim->oldest < sim->stream_fold && sim->control[sim->oldest].results_left == 0) {
        sim->oldest++;
    }
    struct look look = {.sim = sim, .fold = (int64_t)sim->stream_fold, .beat = (int64_t)sim->beat};
    see_all(&look);
    mark->period = sim->now - sim->input;
    mark->state[0] = look.digest[0];
    mark->state[1] = look.digest[1];
    mark->first_port = mark->end_port = 0;
    sim->marks_taken++;
}
