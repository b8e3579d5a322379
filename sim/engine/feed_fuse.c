/* SPDX-License-Identifier: Apache-2.0 */
/* Fused groups in the feed: gathered from the trace, planned, handed out layer by layer and strip by strip. */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/feed.h"

static const struct sy_fuse_choice *chosen(const struct sy_feed *feed, const struct sy_layer *layer)
{
    for (uint32_t i = 0; layer->name && i < feed->choices; i++)
        if (!strcmp(feed->choice[i].first, layer->name))
            return &feed->choice[i];
    return NULL;
}

bool sy_feed_fuses(struct sy_feed *feed, const struct sy_layer *layer)
{
    struct sy_feed_group *group = &feed->group;
    if (group->wanted)
        return true;
    const struct sy_fuse_choice *choice = chosen(feed, layer);
    struct sy_fuse how = choice ? choice->how : layer->fuse;
    if (!choice && !how.layers)
        return false;
    if (choice)
        feed->found |= UINT64_C(1) << (choice - feed->choice);
    group->plan.layers = 0;
    group->plan.how = how;
    group->last = choice ? choice->last : NULL;
    group->wanted = choice ? UINT32_MAX : how.layers;
    return true;
}

struct sy_feed_slot *sy_feed_group_slot(struct sy_feed *feed)
{
    return &feed->group.member[feed->group.plan.layers];
}

static enum sy_status refuse(const struct sy_feed *feed, const char *hint, const char *why)
{
    const struct sy_feed_group *group = &feed->group;
    const struct sy_layer *first = &group->member[0].upcoming.layer;
    return sy_error(feed->diag, ((struct sy_where){.file = feed->path, .line = first->line}), hint,
                    "the layers from %s on cannot be fused: %s", first->name, why);
}

static enum sy_status begin(struct sy_feed *feed)
{
    struct sy_feed_group *group = &feed->group;
    struct sy_fuse_plan *plan = &group->plan;
    struct sy_fuse how = plan->how;
    char why[240] = "";
    uint32_t layers = plan->layers;
    memset(plan, 0, sizeof *plan);
    plan->layers = layers;
    for (uint32_t i = 0; i < layers; i++) {
        const struct sy_upcoming *member = &group->member[i].upcoming;
        struct sy_fuse_layer *layer = &plan->layer[i];
        layer->layer = member->layer;
        layer->layer.fuse = (struct sy_fuse){0};
        memcpy(layer->input_key, member->input_key, sizeof layer->input_key);
        layer->output_key = member->output_key;
    }
    how.layers = layers;
    plan->layer[0].layer.fuse = how;
    enum sy_status status = sy_fuse_prepare(plan, why);
    if (status == SY_UNSUPPORTED)
        return refuse(feed, "fuse fewer layers", why);
    group->wanted = 0;
    group->running = true;
    group->image = group->strip = 0;
    group->layer = 0;
    group->brought = 0;
    sy_fuse_strip(plan, 0, &group->rows);
    return status;
}

enum sy_status sy_feed_group_add(struct sy_feed *feed)
{
    struct sy_feed_group *group = &feed->group;
    const struct sy_layer *layer = &group->member[group->plan.layers++].upcoming.layer;
    char why[320];
    bool ends = group->last ? !strcmp(group->last, layer->name) : group->plan.layers == group->wanted;
    if (layer->fuse.layers && group->plan.layers > 1) {
        (void)snprintf(why, sizeof why, "layer %.200s begins a group of its own", layer->name);
        return refuse(feed, NULL, why);
    }
    if (ends)
        return begin(feed);
    if (group->plan.layers < SY_FUSE_LAYERS)
        return SY_OK;
    (void)snprintf(why, sizeof why, "layer %.200s is not among the %d layers from there on", group->last,
                   SY_FUSE_LAYERS);
    return refuse(feed, "name the layers as the report names them: FIRST..LAST", why);
}

/* Rows that the layer must find on chip and that no layer of the strip brought yet. */
static void list_brings(struct sy_feed_group *group, struct sy_fuse_part *part)
{
    const struct sy_fuse_plan *plan = &group->plan;
    const struct sy_fuse_layer *layer = &plan->layer[group->layer];
    const struct sy_fuse_rows *rows = &group->rows;
    part->brings = 0;
    for (uint32_t k = 0; k < layer->layer.inputs && !part->single; k++) {
        int t = layer->input[k];
        if (t < 0 || plan->tensor[t].producer >= 0 || group->brought >> t & 1)
            continue;
        group->brought |= UINT64_C(1) << t;
        part->bring[part->brings].tensor = (uint32_t)t;
        part->bring[part->brings].begin = sy_min(rows->begin[t], rows->end[t]);
        part->bring[part->brings].end = rows->end[t];
        part->bring[part->brings++].held = rows->need[t];
    }
}

static void fill_part(struct sy_feed_group *group, struct sy_fuse_part *part)
{
    const struct sy_fuse_plan *plan = &group->plan;
    uint32_t out = plan->layer[group->layer].output;
    const struct sy_fuse_rows *rows = &group->rows;
    *part = (struct sy_fuse_part){.plan = plan,
                                  .layer = group->layer,
                                  .image = group->image,
                                  .strip = group->strip,
                                  .single = sy_fuse_is_single(plan),
                                  .group_end = group->member[plan->layers - 1].upcoming.ordinal,
                                  .begin = rows->begin[out],
                                  .end = rows->end[out],
                                  .held = sy_min(rows->need[out], rows->begin[out])};
    part->fresh = part->end - sy_max(part->begin, rows->before[out]);
    list_brings(group, part);
}

static void advance(struct sy_feed_group *group)
{
    const struct sy_fuse_plan *plan = &group->plan;
    if (++group->layer < plan->layers)
        return;
    group->layer = 0;
    group->brought = 0;
    if (++group->strip == plan->strips) {
        group->strip = 0;
        group->running = ++group->image < plan->images;
    }
    sy_fuse_strip(plan, group->strip, &group->rows);
}

void sy_feed_group_next(struct sy_feed *feed, struct sy_feed_slot *slot)
{
    struct sy_feed_group *group = &feed->group;
    struct sy_layer strip;
    while (!sy_fuse_take(&group->plan, &group->rows, group->layer, &strip))
        advance(group); /* its rows were all computed in earlier strips; the last layer always has some */
    const struct sy_feed_slot *member = &group->member[group->layer];
    char *names = slot->names;
    size_t capacity = slot->names_capacity;
    bool first = group->image == 0 && group->strip == 0;
    *slot = *member;
    slot->names = names;
    slot->names_capacity = capacity;
    fill_part(group, &slot->part);
    slot->upcoming.layer = strip;
    slot->upcoming.part = &slot->part;
    slot->first = member->first && first;
    if (!slot->part.single)
        slot->upcoming.ordinal = slot->part.group_end;
    group->handed++;
    advance(group);
}

enum sy_status sy_feed_group_cut(struct sy_feed *feed, const char *what)
{
    char why[512];
    const struct sy_feed_group *group = &feed->group;
    if (!group->wanted && !(feed->record.kind == SY_TRACE_COMMAND && !feed->count))
        return SY_OK;
    if (!group->wanted)
        return refuse(feed, "leave the command records out", "they have command records, which are for whole layers");
    if (group->last)
        (void)snprintf(why, sizeof why, "%s before %.200s", what, group->last);
    else
        (void)snprintf(why, sizeof why, "%s behind %u of %u layers", what, group->plan.layers, group->wanted);
    return refuse(feed, "a group lies between two layers of one list", why);
}

enum sy_status sy_feed_group_end(struct sy_feed *feed)
{
    for (uint32_t i = 0; i < feed->choices; i++)
        if (!(feed->found >> i & 1))
            return sy_error(feed->diag, ((struct sy_where){.file = feed->path}),
                            "name the layers as the report names them: FIRST..LAST",
                            "no layer is called '%s', from which on layers were to be fused", feed->choice[i].first);
    return SY_OK;
}
