/* SPDX-License-Identifier: Apache-2.0 */
/* The feed: repeat blocks unrolled, uses of tensors read ahead. See feed.h. */
#include "sim/engine/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"

void sy_feed_open(struct sy_feed *feed, struct sy_trace_reader *reader, const char *path,
                  const struct sy_fuse_choice *choice, uint32_t choices, struct sy_diag *diag)
{
    memset(feed, 0, sizeof *feed);
    feed->choice = choice;
    feed->choices = choices;
    feed->reader = reader;
    feed->path = path;
    feed->diag = diag;
    feed->reach = SY_FEED_AHEAD;
    sy_liveness_open(&feed->uses);
}

void sy_feed_close(struct sy_feed *feed)
{
    for (uint32_t i = 0; i < SY_FEED_SLOTS; i++)
        free(feed->slot[i].names);
    for (uint32_t i = 0; i < SY_FUSE_LAYERS; i++)
        free(feed->group.member[i].names);
    sy_liveness_close(&feed->uses);
}

static uint64_t hash_text(const char *text, uint64_t hash)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t tensor_key(const struct sy_feed_place *place, const struct sy_tensor *tensor)
{
    if (!tensor->name)
        return 0;
    uint64_t hash = hash_text(tensor->name, UINT64_C(0xcbf29ce484222325));
    if (!(tensor->flags & SY_TENSOR_SHARED))
        for (uint32_t i = 0; i < place->depth; i++)
            hash = (hash ^ (place->nest[i].iteration + 1) ^ (uint64_t)(i + 1) << 56) * UINT64_C(0x9E3779B97F4A7C15);
    return hash | 1;
}

/* Copy the layer; its strings move into the slot's own text. */
static enum sy_status take_layer(struct sy_feed *feed, struct sy_feed_slot *slot)
{
    const struct sy_layer *layer = &feed->record.layer;
    enum { LIST = 2 + SY_MAX_INPUTS, TEXTS };
    const char *source[TEXTS] = {layer->name, layer->out.name};
    size_t length[TEXTS], need = 0;
    for (uint32_t i = 0; i < layer->inputs; i++)
        source[2 + i] = layer->in[i].name;
    source[LIST] = layer->op == SY_OP_ATTENTION ? layer->dim.attention.sequences : NULL;
    for (uint32_t i = 0; i < TEXTS; i++)
        need += length[i] = source[i] ? strlen(source[i]) + 1 : 0;
    if (need > slot->names_capacity) {
        char *grown = realloc(slot->names, need * 2);
        if (!grown)
            return SY_NOMEM;
        slot->names = grown;
        slot->names_capacity = need * 2;
    }
    slot->upcoming.layer = *layer;
    slot->upcoming.part = NULL;
    char *at = slot->names, *copy[TEXTS] = {0};
    for (uint32_t i = 0; i < TEXTS; i++) {
        if (!source[i])
            continue;
        copy[i] = memcpy(at, source[i], length[i]);
        at += length[i];
    }
    slot->upcoming.layer.name = copy[0] ? copy[0] : "";
    slot->upcoming.layer.out.name = copy[1];
    if (layer->op == SY_OP_ATTENTION)
        slot->upcoming.layer.dim.attention.sequences = copy[LIST];
    for (uint32_t i = 0; i < layer->inputs; i++) {
        slot->upcoming.layer.in[i].name = copy[2 + i];
        slot->upcoming.input_key[i] = tensor_key(&feed->place, &layer->in[i]);
    }
    slot->upcoming.output_key = tensor_key(&feed->place, &layer->out);
    slot->upcoming.ordinal = ++feed->place.ordinal;
    slot->record = feed->record.line;
    slot->iterations = 1;
    slot->first = true;
    for (uint32_t i = 0; i < feed->place.depth; i++) {
        (void)sy_mul(slot->iterations, feed->place.nest[i].times, &slot->iterations);
        slot->first = slot->first && feed->place.nest[i].iteration == 0;
    }
    return SY_OK;
}

static enum sy_status enter_repeat(struct sy_feed *feed, struct sy_feed_place *place,
                                   const struct sy_trace_record *record)
{
    if (place->depth == SY_FEED_NESTING)
        return sy_error(feed->diag, ((struct sy_where){.file = feed->path, .line = (uint32_t)record->line}), NULL,
                        "repeat blocks nest deeper than %d", SY_FEED_NESTING);
    place->nest[place->depth].times = record->repeat;
    place->nest[place->depth].iteration = 0;
    return sy_trace_tell(feed->reader, &place->nest[place->depth++].mark);
}

static enum sy_status leave_repeat(struct sy_feed *feed, struct sy_feed_place *place)
{
    if (++place->nest[place->depth - 1].iteration < place->nest[place->depth - 1].times)
        return sy_trace_seek(feed->reader, &place->nest[place->depth - 1].mark);
    place->depth--;
    return SY_OK;
}

static void note_unmodelled(struct sy_feed *feed)
{
    for (uint32_t i = 0; i < feed->unmodelled_kinds; i++) {
        if (strcmp(feed->unmodelled_names[i], feed->record.unmodelled.op))
            continue;
        feed->unmodelled[i].count += feed->record.unmodelled.count;
        feed->unmodelled[i].bytes += feed->record.unmodelled.bytes;
        return;
    }
    /* the last place is for all kinds that have none of their own */
    uint32_t i = feed->unmodelled_kinds == 32 ? 31 : feed->unmodelled_kinds++;
    snprintf(feed->unmodelled_names[i], sizeof feed->unmodelled_names[i], "%.63s",
             i < 31 ? feed->record.unmodelled.op : "(others)");
    feed->unmodelled[i].op = feed->unmodelled_names[i];
    feed->unmodelled[i].count += feed->record.unmodelled.count;
    feed->unmodelled[i].bytes += feed->record.unmodelled.bytes;
}

static struct sy_feed_slot *free_slot(struct sy_feed *feed)
{
    return &feed->slot[(feed->head + feed->count++) % SY_FEED_SLOTS];
}

static enum sy_status take_group_layer(struct sy_feed *feed)
{
    struct sy_feed_slot *slot = sy_feed_group_slot(feed);
    enum sy_status status = take_layer(feed, slot);
    return status == SY_OK ? sy_feed_group_add(feed) : status;
}

/* Act on the record just read. */
static enum sy_status take_record(struct sy_feed *feed)
{
    static const char *const cuts[] = {[SY_TRACE_REPEAT] = "a repeat block begins",
                                       [SY_TRACE_END_REPEAT] = "the repeat block ends",
                                       [SY_TRACE_COMMAND] = "a command record follows",
                                       [SY_TRACE_END] = "the workload ends"};
    enum sy_trace_kind kind = feed->record.kind;
    const char *cut = (size_t)kind < sizeof cuts / sizeof cuts[0] ? cuts[kind] : NULL;
    enum sy_status status = cut ? sy_feed_group_cut(feed, cut) : SY_OK;
    if (status != SY_OK)
        return status;
    switch (kind) {
    case SY_TRACE_LAYER:
        return sy_feed_fuses(feed, &feed->record.layer) ? take_group_layer(feed) : take_layer(feed, free_slot(feed));
    case SY_TRACE_REPEAT:
        return enter_repeat(feed, &feed->place, &feed->record);
    case SY_TRACE_END_REPEAT:
        return leave_repeat(feed, &feed->place);
    case SY_TRACE_COMMAND:
        feed->command_waits = true;
        return SY_OK;
    case SY_TRACE_UNMODELLED:
        note_unmodelled(feed);
        return SY_OK;
    case SY_TRACE_UNREAD: /* nothing moves */
        return SY_OK;
    case SY_TRACE_PASS:
        feed->pass = feed->record.pass;
        snprintf(feed->phase, sizeof feed->phase, "%s", feed->record.pass.phase);
        feed->pass.phase = feed->phase;
        return SY_OK;
    case SY_TRACE_END:
        feed->place.ended = true;
        return sy_feed_group_end(feed);
    }
    return SY_OK;
}

enum sy_status sy_feed_fill(struct sy_feed *feed)
{
    enum sy_status status = SY_OK;
    if (!feed->resume_known) {
        feed->resume_known = true;
        status = sy_trace_tell(feed->reader, &feed->resume);
    }
    while (status == SY_OK && feed->count < SY_FEED_SLOTS) {
        if (feed->group.running) {
            sy_feed_group_next(feed, free_slot(feed));
            continue;
        }
        /* What lies behind a group is read when the group, whose place the next one takes, is done. */
        if (feed->place.ended || feed->command_waits || feed->group.handed)
            break;
        if ((status = sy_trace_next(feed->reader, &feed->record)) == SY_OK)
            status = take_record(feed);
    }
    return status;
}

struct sy_feed_slot *sy_feed_head(struct sy_feed *feed)
{
    return feed->count ? &feed->slot[feed->head] : NULL;
}

/* ---- uses ahead ---- */

static enum sy_status note_uses(struct sy_feed *feed, const struct sy_layer *layer)
{
    struct sy_feed_place *ahead = &feed->ahead;
    enum sy_status status = SY_OK;
    ahead->ordinal++;
    for (uint32_t i = 0; i < layer->inputs && status == SY_OK; i++)
        status = sy_liveness_add(&feed->uses, ahead->ordinal, tensor_key(ahead, &layer->in[i]));
    return status;
}

static enum sy_status note_record(struct sy_feed *feed, const struct sy_trace_record *record)
{
    switch (record->kind) {
    case SY_TRACE_LAYER:
        return note_uses(feed, &record->layer);
    case SY_TRACE_REPEAT:
        return enter_repeat(feed, &feed->ahead, record);
    case SY_TRACE_END_REPEAT:
        return leave_repeat(feed, &feed->ahead);
    case SY_TRACE_END:
        feed->ahead.ended = true;
        break;
    case SY_TRACE_COMMAND:
    case SY_TRACE_UNMODELLED:
    case SY_TRACE_UNREAD:
    case SY_TRACE_PASS:
        break;
    }
    return SY_OK;
}

enum sy_status sy_feed_look_ahead(struct sy_feed *feed)
{
    struct sy_trace_record record = {.kind = SY_TRACE_END};
    struct sy_trace_mark here;
    uint64_t now = feed->slot[feed->head].upcoming.ordinal;
    if (feed->ahead.ended || feed->ahead.ordinal >= now + feed->reach / 2)
        return SY_OK;
    enum sy_status status = sy_trace_tell(feed->reader, &here);
    if (status == SY_OK)
        status = sy_trace_seek(feed->reader, &feed->resume);
    while (status == SY_OK && !feed->ahead.ended && feed->ahead.ordinal < now + feed->reach)
        if ((status = sy_trace_next(feed->reader, &record)) == SY_OK)
            status = note_record(feed, &record);
    if (status == SY_OK)
        status = sy_trace_tell(feed->reader, &feed->resume);
    return status == SY_OK ? sy_trace_seek(feed->reader, &here) : status;
}

bool sy_feed_has_commands(const struct sy_feed *feed)
{
    return feed->command_waits && feed->count == 1;
}

enum sy_status sy_feed_command(struct sy_feed *feed, struct sy_command *command, bool *more)
{
    *more = feed->command_waits;
    if (!feed->command_waits)
        return SY_OK;
    *command = feed->record.command;
    enum sy_status status = sy_trace_next(feed->reader, &feed->record);
    if (status != SY_OK)
        return status;
    feed->command_waits = false;
    return take_record(feed);
}

void sy_feed_pop(struct sy_feed *feed)
{
    const struct sy_upcoming *done = &feed->slot[feed->head].upcoming;
    bool fused = done->part != NULL;
    if (fused)
        feed->group.handed--;
    if (!fused || done->part->single || (!feed->group.running && !feed->group.handed))
        sy_liveness_pass(&feed->uses, done->ordinal);
    feed->head = (feed->head + 1) % SY_FEED_SLOTS;
    feed->count--;
}
