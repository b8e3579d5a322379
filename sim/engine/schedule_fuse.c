/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strips of fused groups (workloads/fuse.h): what a group holds on chip while
 * it runs. A strip's layers are scheduled as other layers are, but for this:
 *
 * - a tensor between two layers of the group has a place in the level that
 *   stores whole tensors, as many rows as are ever there at once, and never
 *   goes to memory; with carried halos it keeps the place from strip to strip,
 *   else from the layer that makes it to the last one that reads it;
 * - rows of a tensor made before the group are brought there once a strip,
 *   those of the strip before excepted when halos are kept; a tensor that is
 *   on chip whole is read where it is;
 * - filters are brought there once for all strips, if the level holds them and
 *   all of them fit beside the tensors; else each strip loads them again;
 * - the group's output goes to memory.
 *
 * A group of one strip and one image differs from its layers alone only in
 * that the tensors between them stay whatever it costs.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/executor_internal.h"
#include "sim/engine/schedule_internal.h"

/* Room left for tiles when a group's place is looked for: an eighth. A choice of this model. */
enum { TILE_SHARE = 8 };

bool sy_fuse_stays(const struct sy_upcoming *upcoming)
{
    const struct sy_fuse_part *part = upcoming->part;
    return part && part->plan->layer[part->layer].output != part->plan->output;
}

bool sy_fuse_leaves(const struct sy_upcoming *upcoming)
{
    return upcoming->part && !upcoming->part->single && !sy_fuse_stays(upcoming);
}

static const struct sy_fuse_tensor *output_of(const struct sy_fuse_part *part)
{
    return &part->plan->tensor[part->plan->layer[part->layer].output];
}

static uint64_t offset_of(const struct sy_fuse_part *part, const struct sy_fuse_tensor *tensor, uint64_t row)
{
    return sy_fuse_bytes(tensor, part->image * tensor->rows + row);
}

uint64_t sy_fuse_offset(const struct sy_upcoming *upcoming)
{
    return sy_fuse_leaves(upcoming) ? offset_of(upcoming->part, output_of(upcoming->part), upcoming->part->begin) : 0;
}

uint64_t sy_fuse_bring_offset(const struct sy_fuse_part *part, uint32_t bring)
{
    return offset_of(part, &part->plan->tensor[part->bring[bring].tensor], part->bring[bring].begin);
}

/* ---- where ---- */

/* Where filters could stay: the innermost level of B's chain that stores whole tensors. */
static uint32_t weight_level(const struct sy_scheduler *s)
{
    for (uint32_t i = 0; i + 1 < s->chain_length[SY_B]; i++) {
        const struct sy_level *level = &s->chip->level[s->chain[SY_B][i]];
        if (level->stores_whole_tensors && (s->chip->cores <= 1 || level->shared))
            return s->chain[SY_B][i];
    }
    return UINT32_MAX;
}

static uint64_t room(const struct sy_scheduler *s, uint32_t level)
{
    uint64_t capacity = s->space[level].capacity;
    return capacity - capacity / TILE_SHARE;
}

/* Filters that several layers share count once a layer here: too much, never too little. */
static uint64_t weight_bytes(const struct sy_fuse_plan *plan)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < plan->layers; i++)
        if (!sy_add(bytes, plan->layer[i].weight_bytes, &bytes))
            return UINT64_MAX;
    return bytes;
}

bool sy_scheduler_keeps_weights(const struct sy_scheduler *s, const struct sy_fuse_plan *plan)
{
    uint32_t level = weight_level(s);
    uint64_t tensors = level == sy_keeping_level(s) ? sy_fuse_working_set(plan) : 0, need = 0;
    return !sy_fuse_is_single(plan) && level != UINT32_MAX && sy_add(tensors, weight_bytes(plan), &need) &&
           need <= room(s, level);
}

/* ---- whether ---- */

static enum sy_status no_room(const struct sy_scheduler *s, const struct sy_fuse_part *part, uint32_t level)
{
    const struct sy_fuse_plan *plan = part->plan;
    char list[512] = "";
    size_t at = 0;
    for (uint32_t t = 0; t < plan->tensors && at < sizeof list; t++) {
        const struct sy_fuse_tensor *tensor = &plan->tensor[t];
        if (t != plan->output)
            at +=
                (size_t)snprintf(list + at, sizeof list - at, "%s%.40s %llu rows x %llu", at ? ", " : "", tensor->name,
                                 (unsigned long long)tensor->most_rows, (unsigned long long)sy_fuse_bytes(tensor, 1));
    }
    return sy_error(s->diag, SY_NOWHERE, "make the strips lower, fuse fewer layers, or recompute the halo",
                    "layers %s to %s, fused in strips of %llu rows, keep %llu bytes at once in level %s of chip %s, "
                    "which has %llu for them: %s",
                    plan->layer[0].layer.name, plan->layer[plan->layers - 1].layer.name,
                    (unsigned long long)plan->how.strip, (unsigned long long)sy_fuse_working_set(plan),
                    s->chip->level[level].name, s->chip->name, (unsigned long long)room(s, level), list);
}

enum sy_status sy_scheduler_admit(const struct sy_scheduler *s, const struct sy_upcoming *upcoming)
{
    const struct sy_fuse_part *part = upcoming->part;
    if (!part || part->layer || part->strip || part->image)
        return SY_OK;
    const struct sy_fuse_plan *plan = part->plan;
    uint32_t level = sy_keeping_level(s);
    if (level == UINT32_MAX)
        return sy_error(s->diag, SY_NOWHERE,
                        "set stores_whole_tensors on a level that holds A and C (shared, with several cores)",
                        "layers %s to %s cannot be fused: chip %s has no level in which tensors between layers stay",
                        plan->layer[0].layer.name, plan->layer[plan->layers - 1].layer.name, s->chip->name);
    for (uint32_t t = 0; t < plan->tensors && s->options.liveness; t++) {
        const struct sy_fuse_tensor *tensor = &plan->tensor[t];
        if (tensor->producer >= 0 && t != plan->output &&
            sy_liveness_next(s->options.liveness, tensor->key, part->group_end) != UINT64_MAX)
            return sy_error(s->diag, SY_NOWHERE, "fuse up to the layer that reads it last",
                            "layers %s to %s cannot be fused: %s is read behind the group", plan->layer[0].layer.name,
                            plan->layer[plan->layers - 1].layer.name, tensor->name);
    }
    return sy_fuse_working_set(plan) > room(s, level) ? no_room(s, part, level) : SY_OK;
}

/* ---- holding ---- */

static bool is_weight(const struct sy_fuse_plan *plan, uint64_t key)
{
    for (uint32_t i = 0; i < plan->layers; i++)
        if (plan->layer[i].weight_bytes && plan->layer[i].input_key[1] == key)
            return true;
    return false;
}

/* Whether the group still holds it while the layer runs. */
static bool still_held(const struct sy_fuse_part *part, const struct sy_resident *resident)
{
    if (!part)
        return false;
    int t = sy_fuse_find(part->plan, resident->key);
    if (resident->fused == SY_FUSED_WEIGHTS)
        return is_weight(part->plan, resident->key);
    return t >= 0 && (resident->fused == SY_FUSED_HELD || sy_fuse_alive(&part->plan->tensor[t], part->layer));
}

/* A whole tensor that the group reads and that is on chip. */
static bool to_hold(const struct sy_fuse_part *part, const struct sy_resident *resident)
{
    int t = part && !part->single ? sy_fuse_find(part->plan, resident->key) : -1;
    return t >= 0 && resident->fused == SY_FUSED_NOT && part->plan->tensor[t].producer < 0;
}

void sy_fuse_enter(struct sy_scheduler *s)
{
    const struct sy_fuse_part *part = s->current->part;
    for (uint32_t level = 0; level < s->on_chip; level++) {
        for (uint32_t i = s->space[level].residents; i-- > 0;) {
            struct sy_resident *resident = &s->space[level].resident[i];
            if (to_hold(part, resident)) {
                resident->fused = SY_FUSED_HELD;
                resident->pinned = true;
            }
            if (resident->fused == SY_FUSED_NOT || still_held(part, resident))
                continue;
            if (resident->fused == SY_FUSED_HELD) {
                resident->fused = SY_FUSED_NOT;
                resident->pinned = false;
            } else {
                sy_tensor_drop(s, level, resident);
            }
        }
    }
}

static struct sy_resident *place(struct sy_scheduler *s, uint64_t key, uint64_t bytes, uint32_t level,
                                 enum sy_operand books, enum sy_fused fused, struct sy_users *before)
{
    uint64_t capacity = s->space[level].capacity;
    struct sy_resident *resident = sy_tensor_place(s, key, bytes, level, capacity - room(s, level), 0, before);
    if (!resident) {
        (void)no_room(s, s->current->part, level);
        return NULL;
    }
    resident->bytes = 0;
    resident->books = (uint8_t)books;
    resident->fused = (uint8_t)fused;
    resident->pinned = true;
    resident->next_use = s->current->ordinal;
    return resident;
}

/* More bytes come, and of all of them `now` are wanted further. */
static void turn_over(struct sy_scheduler *s, uint32_t level, struct sy_resident *resident, uint64_t more, uint64_t now)
{
    uint64_t all = resident->bytes + more;
    now = sy_min(now, all);
    s->filled[level][resident->books] += more;
    s->released[level][resident->books] += all - now;
    resident->bytes = now;
}

struct sy_resident *sy_fuse_output(struct sy_scheduler *s, uint32_t level, struct sy_users *before)
{
    const struct sy_fuse_part *part = s->current->part;
    const struct sy_fuse_tensor *tensor = output_of(part);
    struct sy_resident *resident = sy_space_find(&s->space[level], tensor->key);
    if (resident) {
        *before = resident->users;
        if (resident->producer)
            sy_users_note(before, resident->producer_class, resident->producer);
    } else {
        resident = place(s, tensor->key, sy_fuse_bytes(tensor, tensor->most_rows), level, SY_C, SY_FUSED_STRIP, before);
    }
    if (resident)
        turn_over(s, level, resident, sy_fuse_bytes(tensor, part->end - part->begin),
                  sy_fuse_bytes(tensor, part->end - part->held));
    return resident;
}

/* ---- bringing ---- */

/* Load into a level from the backing store, hop by hop. Equal cores bring equal parts. */
static enum sy_status load_down(struct sy_scheduler *s, enum sy_operand operand, uint32_t level, uint64_t bytes,
                                uint64_t address, uint64_t stored, struct sy_resident *resident,
                                const struct sy_users *before)
{
    const struct sy_core_shares part = sy_core_shares(bytes, sy_max(s->chip->cores, 1));
    const uint32_t *chain = s->chain[operand];
    struct sy_users previous = {{0}};
    uint64_t stamp = 0;
    sy_users_note(&previous, SY_USE_STORE, stored);
    for (uint32_t i = s->chain_length[operand] - 1; i-- > 0;) {
        struct sy_issue *load = sy_schedule_emit(s, SY_CMD_LOAD, &stamp);
        if (!load)
            return SY_INTERNAL;
        sy_move_fill(load, operand, chain[i], chain[i + 1], part.share, address);
        sy_cores_contiguous(s, &part, part.share - 1, load);
        sy_schedule_after_users(&load->command, before, SY_STALL_BUFFER_FULL);
        sy_schedule_after_producers(&load->command, &previous, SY_STALL_DEPENDENCY);
        memset(&previous, 0, sizeof previous);
        sy_users_note(&previous, SY_USE_LOAD, stamp);
        if (chain[i] == level)
            break;
        s->filled[chain[i]][operand] += bytes;
        s->released[chain[i]][operand] += bytes;
    }
    resident->producer = stamp;
    resident->producer_class = SY_USE_LOAD;
    return SY_OK;
}

static enum sy_status bring_rows(struct sy_scheduler *s, uint32_t which)
{
    const struct sy_fuse_part *part = s->current->part;
    const struct sy_fuse_tensor *tensor = &part->plan->tensor[part->bring[which].tensor];
    uint64_t begin = part->bring[which].begin, end = part->bring[which].end;
    uint32_t level = sy_keeping_level(s);
    struct sy_users before = {{0}};
    struct sy_resident *resident = sy_space_find(&s->space[level], tensor->key);
    if (resident && resident->fused == SY_FUSED_HELD)
        return SY_OK;
    if (resident)
        before = resident->users;
    else
        resident =
            place(s, tensor->key, sy_fuse_bytes(tensor, tensor->most_rows), level, SY_A, SY_FUSED_STRIP, &before);
    if (!resident)
        return SY_UNSUPPORTED;
    uint64_t more = sy_fuse_bytes(tensor, end - begin);
    turn_over(s, level, resident, more, sy_fuse_bytes(tensor, end - part->bring[which].held));
    if (!more)
        return SY_OK;
    uint64_t address = sy_schedule_address(s, tensor->key, SY_A) + sy_fuse_bring_offset(part, which);
    return load_down(s, SY_A, level, more, address, sy_tensor_stamp(s, tensor->key), resident, &before);
}

static enum sy_status bring_weights(struct sy_scheduler *s)
{
    const struct sy_fuse_part *part = s->current->part;
    const struct sy_fuse_layer *layer = &part->plan->layer[part->layer];
    uint64_t key = layer->input_key[1], bytes = layer->weight_bytes;
    if (!layer->weight_bytes || !sy_scheduler_keeps_weights(s, part->plan))
        return SY_OK;
    uint32_t level = weight_level(s);
    struct sy_users before = {{0}};
    if (sy_space_find(&s->space[level], key))
        return SY_OK;
    struct sy_resident *resident = place(s, key, layer->weight_bytes, level, SY_B, SY_FUSED_WEIGHTS, &before);
    if (!resident)
        return SY_UNSUPPORTED;
    turn_over(s, level, resident, bytes, bytes);
    return load_down(s, SY_B, level, bytes, sy_schedule_address(s, key, SY_B), sy_tensor_stamp(s, key), resident,
                     &before);
}

enum sy_status sy_fuse_bring(struct sy_scheduler *s)
{
    const struct sy_fuse_part *part = s->current->part;
    if (!part || part->single)
        return SY_OK;
    enum sy_status status = bring_weights(s);
    for (uint32_t i = 0; i < part->brings && status == SY_OK; i++)
        status = bring_rows(s, i);
    return status;
}

/* ---- for fast-forwarding ---- */

void sy_fuse_write(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, struct sy_state *state)
{
    const struct sy_fuse_part *part = upcoming->part;
    for (uint32_t level = 0; level < s->on_chip; level++)
        for (uint32_t i = 0; i < s->space[level].residents; i++) {
            const struct sy_resident *resident = &s->space[level].resident[i];
            (void)sy_state_value(state, (uint64_t)to_hold(part, resident) << 1 | still_held(part, resident));
        }
    (void)sy_state_value(state, part != NULL);
    if (!part)
        return;
    const struct sy_fuse_tensor *out = output_of(part);
    const uint64_t words[] = {part->single,
                              sy_fuse_stays(upcoming),
                              sy_scheduler_keeps_weights(s, part->plan),
                              part->plan->layer[part->layer].weight_bytes,
                              part->end - part->begin,
                              part->fresh,
                              part->end - part->held,
                              sy_fuse_bytes(out, out->most_rows),
                              sy_fuse_bytes(out, 1),
                              part->brings};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        (void)sy_state_value(state, words[i]);
    for (uint32_t i = 0; i < part->brings; i++) {
        const struct sy_fuse_tensor *tensor = &part->plan->tensor[part->bring[i].tensor];
        (void)sy_state_value(state, part->bring[i].end - part->bring[i].begin);
        (void)sy_state_value(state, part->bring[i].end - part->bring[i].held);
        (void)sy_state_value(state, sy_fuse_bytes(tensor, tensor->most_rows));
        (void)sy_state_value(state, sy_fuse_bytes(tensor, 1));
    }
}
