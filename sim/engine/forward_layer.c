/* SPDX-License-Identifier: Apache-2.0 */
/* Fast-forwarding of layers: the same layer in the same state does the same. See forward.h. */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/forward_internal.h"

static void drop(struct sy_forward_layer *layer)
{
    if (!layer)
        return;
    free(layer->key.word);
    free(layer->before.word);
    free(layer->counters.word);
    free(layer->layer_counters.word);
    sy_state_free(&layer->after);
    free(layer);
}

void sy_forward_forget_layers(struct sy_forward *f)
{
    for (uint32_t i = 0; i < SY_FORWARD_SLOTS; i++)
        while (f->slot[i]) {
            struct sy_forward_layer *next = f->slot[i]->next;
            drop(f->slot[i]);
            f->slot[i] = next;
        }
    drop(f->recording);
    f->recording = NULL;
    free(f->began.now.word);
    memset(&f->began, 0, sizeof f->began);
}

/* ---- the state in which a layer begins ---- */

static void write_addresses(const struct sy_forward *f, const struct sy_upcoming *upcoming,
                            const struct sy_names *names, struct sy_state *state)
{
    const struct sy_scheduler *s = f->s;
    const struct sy_fuse_part *part = upcoming->part;
    for (int role = 0; role < SY_OPERANDS; role++) {
        uint64_t modulus = sy_exec_address_modulus(f->exec, s->chain[role][s->chain_length[role] - 1]);
        for (uint32_t i = 1; i < names->count; i++)
            (void)sy_state_value(state, sy_schedule_address(s, names->key[i], (enum sy_operand)role) % modulus);
        for (uint32_t i = 0; part && i < part->brings; i++)
            (void)sy_state_value(state, sy_fuse_bring_offset(part, i) % modulus);
        (void)sy_state_value(state, sy_fuse_offset(upcoming) % modulus);
    }
}

/* Everything that decides what the layer will do, as one list of words in f->now.hard. */
static bool write_key(struct sy_forward *f, const struct sy_upcoming *upcoming, uint64_t index)
{
    struct sy_state *state = &f->now;
    sy_state_begin(state, false);
    sy_exec_save(f->exec, index, state);
    size_t soft = state->soft.count;
    for (size_t i = 0; i < soft; i++)
        (void)sy_state_value(state, state->soft.word[i]);
    sy_schedule_name(f->s, upcoming, index, &f->names);
    sy_schedule_visit(f->s, &f->names, state);
    (void)sy_state_value(state, f->s->next_id > 0);
    sy_schedule_write_layer(f->s, upcoming, &f->names, state);
    write_addresses(f, upcoming, &f->names, state);
    return !state->failed && f->names.count < SY_NAMES;
}

/* ---- recording ---- */

static void gather(struct sy_forward *f, struct sy_tally *tally)
{
    sy_tally_gather(tally);
    sy_exec_tally(f->exec, tally);
    sy_schedule_tally(f->s, tally);
}

static void begin_record(struct sy_forward *f, const struct sy_words *key, uint64_t hash, uint64_t index)
{
    struct sy_executor *exec = f->exec;
    struct sy_forward_layer *layer = calloc(1, sizeof *layer);
    uint64_t in_flight = exec->last_layer + 1 - exec->first_layer;
    if (!layer || in_flight >= SY_EXEC_RECORD || exec->last_layer >= index || !sy_words_copy(&layer->key, key)) {
        drop(layer);
        return;
    }
    layer->hash = hash;
    gather(f, &f->began);
    for (uint64_t i = 0; i < in_flight; i++) {
        struct sy_layer_counters *counters = &sy_exec_layer_of(exec, exec->first_layer + i)->counters;
        sy_exec_tally_layer(exec, counters, &f->began);
        f->began_layer_macs[i] = counters->work.macs;
    }
    if (f->began.failed) {
        drop(layer);
        return;
    }
    f->began_fine = sy_exec_fine_now(exec);
    f->began_issued = exec->issued;
    f->began_macs = exec->work.macs;
    f->began_first = exec->first_layer;
    f->began_index = index;
    for (uint32_t i = 0; i < exec->units; i++) {
        f->began_owed[i] = exec->unit[i].owed;
        exec->unit[i].owed_cause = SY_STALL_COUNT;
    }
    for (uint32_t level = 0; level < f->s->on_chip; level++) {
        f->s->space[level].peak_before = sy_max(f->s->space[level].peak_before, f->s->space[level].peak_bytes);
        f->s->space[level].peak_bytes = 0;
    }
    f->record.delivered = 0;
    exec->record = &f->record;
    f->recording = layer;
}

/* Of each layer in flight: by how much its counters grew, its MACs, its finish. */
static bool record_layers(struct sy_forward *f, struct sy_forward_layer *layer, size_t at)
{
    struct sy_executor *exec = f->exec;
    struct sy_tally tally = {0};
    bool fine = true;
    for (uint32_t i = 0; fine && i < layer->layers; i++) {
        uint64_t index = f->began_first + i;
        bool delivered = i < f->record.delivered, mine = index == f->began_index;
        struct sy_layer_counters *counters =
            delivered ? &f->record.counters[i] : &sy_exec_layer_of(exec, index)->counters;
        sy_tally_gather(&tally);
        sy_exec_tally_layer(exec, counters, &tally);
        for (size_t k = 0; k < tally.now.count && !mine; k++)
            tally.now.word[k] -= f->began.now.word[at + k];
        at += tally.now.count;
        sy_tally_u64(&tally, &counters->work.macs);
        uint64_t finish = delivered ? counters->finish_cycle - f->began_fine / SY_EXEC_FINE : 0;
        sy_tally_u64(&tally, &finish);
        fine = !tally.failed;
        if (fine && !mine)
            tally.now.word[tally.now.count - 2] -= f->began_layer_macs[i];
        fine = fine && sy_words_grow(&layer->layer_counters, tally.now.count);
        if (!fine)
            break;
        memcpy(layer->layer_counters.word + layer->layer_counters.count, tally.now.word,
               tally.now.count * sizeof(uint64_t));
        layer->layer_counters.count += tally.now.count;
    }
    free(tally.now.word);
    return fine;
}

/* What was owed before is charged apart, whatever it will be. */
static void charge_owed(struct sy_forward *f, const struct sy_forward_layer *layer, bool back)
{
    for (uint32_t i = 0; i < f->exec->units; i++) {
        if (layer->owed_cause[i] == SY_STALL_COUNT)
            continue;
        uint64_t *stall = &f->exec->unit[i].stats.stall[layer->owed_cause[i]];
        *stall = back ? *stall + f->began_owed[i] : *stall - f->began_owed[i];
    }
}

static void record_waits(struct sy_forward *f, struct sy_forward_layer *layer)
{
    for (uint32_t i = 0; i < f->exec->units; i++) {
        const struct sy_exec_unit *unit = &f->exec->unit[i];
        layer->owed_cause[i] = unit->owed_cause;
        layer->owed[i] = unit->owed - (unit->owed_cause == SY_STALL_COUNT ? f->began_owed[i] : 0);
    }
}

/* The layer has been issued; what it did is known now, but for what lies ahead, which is in the state. */
static void end_record(struct sy_forward *f, uint64_t index)
{
    struct sy_executor *exec = f->exec;
    struct sy_scheduler *s = f->s;
    struct sy_forward_layer *layer = f->recording;
    f->recording = NULL;
    exec->record = NULL;
    if (!layer)
        return;
    layer->fine = sy_exec_fine_now(exec) - f->began_fine;
    layer->issued = exec->issued - f->began_issued;
    layer->macs = exec->work.macs - f->began_macs;
    layer->delivered = f->record.delivered;
    layer->layers = (uint32_t)(f->began_index + 1 - f->began_first);
    layer->plan = s->plan;
    for (uint32_t level = 0; level < s->on_chip; level++)
        layer->peak[level] = s->space[level].peak_bytes;
    record_waits(f, layer);
    sy_state_begin(&layer->after, false);
    sy_exec_save(exec, index, &layer->after);
    sy_schedule_visit(s, &f->names, &layer->after);
    struct sy_tally tally = {0};
    charge_owed(f, layer, false);
    gather(f, &tally);
    charge_owed(f, layer, true);
    bool fine = !tally.failed && !layer->after.failed && exec->last_layer == f->began_index &&
                f->record.delivered < SY_EXEC_RECORD && sy_words_copy(&layer->counters, &tally.now);
    size_t count = tally.now.count;
    free(tally.now.word);
    struct sy_words before = {f->began.now.word, count, count};
    fine = fine && sy_words_copy(&layer->before, &before);
    uint64_t words = 0;
    if (fine && (fine = record_layers(f, layer, count)))
        words = layer->key.count + layer->after.hard.count + 2 * layer->counters.count + layer->layer_counters.count;
    if (!fine || f->words + words > SY_FORWARD_WORDS) {
        drop(layer);
        return;
    }
    f->words += words;
    struct sy_forward_layer **slot = &f->slot[layer->hash % SY_FORWARD_SLOTS];
    layer->next = *slot;
    *slot = layer;
}

/* ---- from memory ---- */

static struct sy_forward_layer *find(const struct sy_forward *f, const struct sy_words *key, uint64_t hash)
{
    for (struct sy_forward_layer *layer = f->slot[hash % SY_FORWARD_SLOTS]; layer; layer = layer->next)
        if (layer->hash == hash && sy_words_equal(&layer->key, key))
            return layer;
    return NULL;
}

static void repeat_waits(struct sy_executor *exec, const struct sy_forward_layer *layer)
{
    for (uint32_t i = 0; i < exec->units; i++) {
        struct sy_exec_unit *unit = &exec->unit[i];
        if (layer->owed_cause[i] == SY_STALL_COUNT) {
            unit->owed += layer->owed[i];
            continue;
        }
        unit->stats.stall[layer->owed_cause[i]] += unit->owed;
        unit->owed = layer->owed[i];
    }
}

static enum sy_status repeat_layers(struct sy_executor *exec, const struct sy_forward_layer *layer, uint64_t index,
                                    uint64_t cycle)
{
    uint64_t first = exec->first_layer;
    size_t stretch = layer->layer_counters.count / sy_max(layer->layers, 1);
    memset(sy_exec_layer_of(exec, index), 0, sizeof(struct sy_exec_layer));
    for (uint32_t i = 0; i < layer->layers; i++) {
        struct sy_layer_counters *counters = &sy_exec_layer_of(exec, first + i)->counters;
        struct sy_words more = {layer->layer_counters.word + i * stretch, stretch, stretch};
        struct sy_tally tally = {0};
        sy_tally_add(&tally, 1, NULL, &more);
        sy_exec_tally_layer(exec, counters, &tally);
        if (tally.failed)
            return SY_OVERFLOW;
        counters->work.macs += more.word[stretch - 2];
        if (i >= layer->delivered)
            continue;
        enum sy_status status = sy_exec_layer_deliver(exec, cycle + more.word[stretch - 1]);
        if (status != SY_OK)
            return status;
    }
    return SY_OK;
}

static enum sy_status repeat(struct sy_forward *f, struct sy_forward_layer *layer, uint64_t index)
{
    struct sy_executor *exec = f->exec;
    struct sy_scheduler *s = f->s;
    uint64_t fine = sy_exec_fine_now(exec), issued = exec->issued;
    struct sy_tally tally = {0};
    sy_tally_add(&tally, 1, &layer->before, &layer->counters);
    repeat_waits(exec, layer); /* what is owed is charged apart from the counters: before they grow */
    sy_exec_tally(exec, &tally);
    sy_schedule_tally(s, &tally);
    exec->work.macs += layer->macs;
    enum sy_status status = repeat_layers(exec, layer, index, fine / SY_EXEC_FINE);
    if (status != SY_OK)
        return status;
    if (tally.failed || fine > INT64_MAX / 2 || layer->fine > INT64_MAX / 4)
        return SY_OVERFLOW;
    sy_state_begin(&layer->after, true);
    s->next_id = issued + layer->issued;
    if (!sy_exec_load(exec, fine + layer->fine, issued + layer->issued, index + 1, &layer->after))
        return SY_INTERNAL;
    sy_schedule_visit(s, &f->names, &layer->after);
    for (uint32_t level = 0; level < s->on_chip; level++)
        s->space[level].peak_before = sy_max(s->space[level].peak_before, layer->peak[level]);
    s->plan = layer->plan;
    s->barrier = false;
    f->moved = true;
    return layer->after.failed ? SY_INTERNAL : SY_OK;
}

enum sy_status sy_forward_layer(struct sy_forward *f, const struct sy_upcoming *upcoming, uint64_t index, bool *done)
{
    struct sy_executor *exec = f->exec;
    *done = false;
    if (exec->options.cancel && *exec->options.cancel)
        return SY_INTERRUPTED;
    sy_exec_settle(exec);
    sy_schedule_forget(f->s, sy_exec_oldest(exec));
    end_record(f, index);
    if (exec->options.companion)
        exec->options.companion->layer(exec->options.companion->context, index);
    if (f->failure != SY_OK || sy_exec_fine_now(exec) < SY_EXEC_FINE || upcoming->layer.has_schedule)
        return f->failure;
    if (!write_key(f, upcoming, index))
        return SY_OK;
    uint64_t hash = sy_words_hash(&f->now.hard, 1);
    struct sy_forward_layer *known = find(f, &f->now.hard, hash);
    if (!known) {
        begin_record(f, &f->now.hard, hash, index);
        return SY_OK;
    }
    enum sy_status status = repeat(f, known, index);
    *done = status == SY_OK;
    return status;
}

enum sy_status sy_forward_go(struct sy_forward *f)
{
    if (!f->moved)
        return f->failure;
    f->moved = false;
    return sy_exec_wake_all(f->exec);
}
