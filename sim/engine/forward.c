/* SPDX-License-Identifier: Apache-2.0 */
/* Fast-forwarding of tile loops, and the object. See forward.h; layers are in forward_layer.c. */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/forward_internal.h"

/* A loop is looked at when what is left of it is worth it. Choices; they change the cost, never the result. */
enum { LEAST_ITERATIONS = 4, LEAST_COMMANDS = 48, FIRST_CREDIT = 2048, LOOK_COST = 64 };

struct sy_forward *sy_forward_create(struct sy_executor *exec, struct sy_scheduler *scheduler)
{
    struct sy_forward *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->exec = exec;
    f->s = scheduler;
    f->credit = FIRST_CREDIT;
    return f;
}

void sy_forward_destroy(struct sy_forward *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < SY_MAX_LOOPS; i++) {
        sy_state_free(&f->loop[i].state);
        free(f->loop[i].counters.now.word);
    }
    sy_state_free(&f->group.state);
    free(f->group.counters.now.word);
    sy_state_free(&f->now);
    free(f->counters.now.word);
    sy_forward_forget_layers(f);
    free(f);
}

void sy_forward_walk(struct sy_forward *f)
{
    for (uint32_t i = 0; i < SY_MAX_LOOPS; i++) {
        f->loop[i].iteration = 0;
        f->loop[i].known = f->loop[i].over = false;
    }
}

/* ---- counters of executor, layers in flight and generator ---- */

void sy_forward_tally(struct sy_forward *f, struct sy_tally *tally)
{
    struct sy_executor *exec = f->exec;
    sy_exec_tally(exec, tally);
    sy_schedule_tally(f->s, tally);
    for (uint64_t i = exec->first_layer; i <= exec->last_layer; i++)
        sy_exec_tally_layer(exec, &sy_exec_layer_of(exec, i)->counters, tally);
}

/* ---- a turn ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Where moves that are queued begin, as the state has it. */
static uint64_t digest_moves(const struct sy_executor *exec, const struct sy_exec_unit *unit, uint64_t hash)
{
    if (unit->kind != SY_UNIT_LOAD && unit->kind != SY_UNIT_STORE)
        return hash;
    const uint64_t modulus = sy_exec_address_modulus(exec, unit->parent);
    for (uint32_t i = 0; i < unit->count; i++)
        hash = mix(hash, unit->queue[(unit->head + i) % SY_EXEC_QUEUE].issue.command.u.move.address % modulus);
    return hash;
}

/* A few figures that differ at most turns that are not alike: of equal states they are equal. */
static uint64_t digest(struct sy_executor *exec)
{
    enum { LATEST = 16 };
    const uint64_t now = sy_exec_now(exec), free_from = exec->unit[0].free_cycle;
    uint64_t hash = free_from >= now ? free_from - now + 1 : 0;
    for (uint32_t i = 0; i < exec->units; i++) {
        const struct sy_exec_unit *unit = &exec->unit[i];
        hash = mix(hash, unit->count ^ (uint64_t)unit->in_flight << 32);
        hash = digest_moves(exec, unit, hash);
    }
    for (uint64_t id = exec->issued - sy_min(exec->issued, LATEST); id < exec->issued; id++) {
        const uint64_t done = sy_exec_slot_of(exec, id)->time[SY_POINT_DONE];
        hash = mix(hash, done == SY_UNKNOWN ? 1 : done > now ? done - now + 1 : 0);
    }
    return hash;
}

static void take_state(struct sy_forward *f, struct sy_state *state, uint32_t loop)
{
    f->credit -= LOOK_COST;
    sy_exec_settle(f->exec);
    sy_state_begin(state, false);
    sy_exec_save(f->exec, f->s->layer_index, state);
    sy_schedule_save_loop(f->s, loop, sy_exec_oldest(f->exec), state);
}

static void take_counters(struct sy_forward *f, struct sy_tally *counters)
{
    sy_tally_gather(counters);
    sy_forward_tally(f, counters);
}

static void take(struct sy_forward *f, struct sy_state *state, struct sy_tally *counters, uint32_t loop)
{
    take_state(f, state, loop);
    take_counters(f, counters);
}

static void remember(struct sy_forward *f, struct sy_forward_loop *mark, uint32_t loop)
{
    take(f, &mark->state, &mark->counters, loop);
    mark->known = !mark->state.failed && !mark->counters.failed;
    mark->at = mark->iteration;
    mark->digest = digest(f->exec);
    mark->fine = sy_exec_fine_now(f->exec);
    mark->issued = sy_exec_issued(f->exec);
    mark->macs_walked = f->s->matrix.macs_walked;
    for (uint32_t i = 0; i < f->exec->units; i++)
        mark->owed[i] = f->exec->unit[i].owed;
}

/* Waits kept aside: of a unit that worked in the period they are those of the period before; one that did not goes on
 * waiting. False when neither holds. */
static bool owe(struct sy_forward *f, const struct sy_forward_loop *mark, uint64_t cycles, uint64_t times)
{
    for (int apply = 0; apply < 2; apply++) {
        for (uint32_t i = 0; i < f->exec->units; i++) {
            struct sy_exec_unit *unit = &f->exec->unit[i];
            if (unit->owed == mark->owed[i])
                continue;
            if (unit->owed - mark->owed[i] != cycles || !unit->owed)
                return false;
            if (apply)
                unit->owed += times * cycles;
        }
    }
    return true;
}

/* The state is that of the mark: leave out as many periods as are alike. */
static bool jump(struct sy_forward *f, struct sy_forward_loop *mark, uint32_t loop)
{
    struct sy_executor *exec = f->exec;
    struct sy_scheduler *s = f->s;
    uint64_t period = mark->iteration - mark->at, fine = sy_exec_fine_now(exec), issued = sy_exec_issued(exec);
    uint64_t times = sy_matrix_alike(s, exec, loop, period) / period, span = 0, commands = 0;
    uint64_t cycles = (fine - mark->fine) / SY_EXEC_FINE;
    if (!times || !sy_mul(fine - mark->fine, times, &span) || span > INT64_MAX / 4 ||
        !sy_mul(issued - mark->issued, times, &commands) || !owe(f, mark, cycles, times))
        return false;
    uint64_t macs = sy_matrix_skip(s, loop, period, times, s->matrix.macs_walked - mark->macs_walked);
    struct sy_tally counters = {0};
    sy_tally_add(&counters, times, &mark->counters.now, &f->counters.now);
    sy_forward_tally(f, &counters);
    exec->work.macs += macs;
    sy_exec_layer_of(exec, s->layer_index)->counters.work.macs += macs;
    f->credit += (int64_t)sy_min(commands, FIRST_CREDIT);
    f->seen = issued + commands;
    sy_schedule_shift(s, commands);
    sy_state_begin(&f->now, true);
    bool loaded = sy_exec_load(exec, fine + span, issued + commands, s->layer_index, &f->now);
    if (!loaded || counters.failed)
        f->failure = SY_OVERFLOW;
    return true;
}

/* The loops inside begin anew. */
static void reset_inner(struct sy_forward *f, uint32_t loop)
{
    for (uint32_t i = loop + 1; i < f->s->matrix.loops; i++) {
        f->loop[i].iteration = 0;
        f->loop[i].known = f->loop[i].over = false;
    }
}

static bool worth_it(const struct sy_forward *f, const struct sy_forward_loop *mark, uint64_t left, uint64_t body)
{
    return !mark->over && left >= LEAST_ITERATIONS && mark->iteration >= 2 && body * left >= LEAST_COMMANDS &&
           sy_exec_fine_now(f->exec) >= SY_EXEC_FINE && f->s->layer_index == f->exec->seen_layer;
}

void sy_forward_turn(struct sy_forward *f, uint32_t loop)
{
    struct sy_forward_loop *mark = &f->loop[loop];
    mark->iteration++;
    reset_inner(f, loop);
    uint64_t issued = sy_exec_issued(f->exec), body = issued - mark->turned; /* commands of the last iteration */
    mark->turned = issued;
    f->credit += (int64_t)sy_min(issued - f->seen, FIRST_CREDIT);
    if (f->credit > FIRST_CREDIT)
        f->credit = FIRST_CREDIT;
    f->seen = issued;
    if (f->credit < 0 || !worth_it(f, mark, sy_matrix_iterations(f->s, loop), body))
        return;
    if (mark->known && digest(f->exec) == mark->digest) {
        take_state(f, &f->now, loop);
        const bool alike = !f->now.failed && sy_words_equal(&f->now.hard, &mark->state.hard);
        if (alike)
            take_counters(f, &f->counters);
        if (alike && !f->counters.failed && jump(f, mark, loop)) {
            mark->over = true;
            mark->known = false;
            return;
        }
    }
    if (!(mark->iteration & (mark->iteration - 1)))
        remember(f, mark, loop);
}

/* ---- groups of heads ---- */

void sy_forward_groups(struct sy_forward *f)
{
    f->group.iteration = 0;
    f->group.known = f->group.over = false;
}

static void take_group(struct sy_forward *f, struct sy_state *state, struct sy_tally *counters)
{
    f->credit -= LOOK_COST;
    sy_exec_settle(f->exec);
    sy_state_begin(state, false);
    sy_exec_save(f->exec, f->s->layer_index, state);
    sy_schedule_save_group(f->s, sy_exec_oldest(f->exec), state);
    sy_tally_gather(counters);
    sy_forward_tally(f, counters);
}

static void remember_group(struct sy_forward *f)
{
    struct sy_forward_loop *mark = &f->group;
    take_group(f, &mark->state, &mark->counters);
    mark->known = !mark->state.failed && !mark->counters.failed;
    mark->at = mark->iteration;
    mark->digest = digest(f->exec);
    mark->fine = sy_exec_fine_now(f->exec);
    mark->issued = sy_exec_issued(f->exec);
    mark->macs_walked = f->exec->work.macs;
    f->group_layer_macs = sy_exec_layer_of(f->exec, f->s->layer_index)->counters.work.macs;
    f->group_saved = f->s->plan.saved_bytes;
    f->group_exchanged = f->s->plan.exchanged_bytes;
    for (uint32_t i = 0; i < f->exec->units; i++)
        mark->owed[i] = f->exec->unit[i].owed;
}

/* The state is that of the mark: leave out as many periods as are alike; returns the groups. */
static uint64_t jump_groups(struct sy_forward *f, uint64_t left)
{
    struct sy_forward_loop *mark = &f->group;
    struct sy_executor *exec = f->exec;
    struct sy_layer_counters *layer = &sy_exec_layer_of(exec, f->s->layer_index)->counters;
    uint64_t period = mark->iteration - mark->at, times = left / period, span = 0, commands = 0, macs = 0, mine = 0;
    uint64_t fine = sy_exec_fine_now(exec), issued = sy_exec_issued(exec);
    if (!times || !sy_mul(fine - mark->fine, times, &span) || span > INT64_MAX / 4 ||
        !sy_mul(issued - mark->issued, times, &commands) ||
        !sy_mul(exec->work.macs - mark->macs_walked, times, &macs) ||
        !sy_mul(layer->work.macs - f->group_layer_macs, times, &mine) ||
        !owe(f, mark, (fine - mark->fine) / SY_EXEC_FINE, times))
        return 0;
    struct sy_tally counters = {0};
    sy_tally_add(&counters, times, &mark->counters.now, &f->counters.now);
    sy_forward_tally(f, &counters);
    exec->work.macs += macs;
    layer->work.macs += mine;
    f->s->plan.saved_bytes += times * (f->s->plan.saved_bytes - f->group_saved);
    f->s->plan.exchanged_bytes += times * (f->s->plan.exchanged_bytes - f->group_exchanged);
    f->credit += (int64_t)sy_min(commands, FIRST_CREDIT);
    f->seen = issued + commands;
    sy_schedule_shift(f->s, commands);
    sy_state_begin(&f->now, true);
    bool loaded = sy_exec_load(exec, fine + span, issued + commands, f->s->layer_index, &f->now);
    if (!loaded || counters.failed)
        f->failure = SY_OVERFLOW;
    return times * period;
}

uint64_t sy_forward_group(struct sy_forward *f, uint64_t left)
{
    struct sy_forward_loop *mark = &f->group;
    uint64_t issued = sy_exec_issued(f->exec);
    f->credit += (int64_t)sy_min(issued - f->seen, FIRST_CREDIT);
    if (f->credit > FIRST_CREDIT)
        f->credit = FIRST_CREDIT;
    f->seen = issued;
    mark->iteration++;
    if (f->credit < 0 || mark->over || left < LEAST_ITERATIONS || mark->iteration < 2 ||
        sy_exec_fine_now(f->exec) < SY_EXEC_FINE || f->s->layer_index != f->exec->seen_layer)
        return 0;
    if (mark->known && digest(f->exec) == mark->digest) {
        take_group(f, &f->now, &f->counters);
        if (!f->now.failed && !f->counters.failed && sy_words_equal(&f->now.hard, &mark->state.hard)) {
            uint64_t groups = jump_groups(f, left);
            mark->over = groups > 0;
            if (groups)
                return groups;
        }
    }
    if (!(mark->iteration & (mark->iteration - 1)))
        remember_group(f);
    return 0;
}
