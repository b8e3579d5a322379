/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the channel model that need no vectors: reset, acceptance, rebasing, refresh bookkeeping, dispatch. */
#include "sim/engine/dram_channel.h"

#include <string.h>

static void fill(struct sy_lanes *lanes, int32_t value)
{
    for (int i = 0; i < SY_LANES_MAX; i++)
        lanes->v[i] = value;
}

static void reset_queue(struct sy_dram_queue *queue, uint32_t size)
{
    queue->used = 0;
    queue->free = 0;
    for (uint32_t i = 0; i < size; i++)
        queue->next[i] = (uint8_t)(i + 1 < size ? i + 1 : SY_NIL);
}

static void reset_style(struct sy_dram_channel *ch)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    struct sy_dram_by_age *ba = &ch->by_age;
    const bool per_bank = ch->plan->arbitration == SY_DRAM_PER_BANK;
    for (int w = 0; w < 2; w++) {
        if (per_bank)
            fill(&pb->front_age[w], SY_AGE_NONE);
    }
    if (per_bank) {
        memset(pb->head, SY_NIL, sizeof pb->head);
        memset(pb->tail, SY_NIL, sizeof pb->tail);
        memset(pb->bank_head, SY_NIL, sizeof pb->bank_head);
        memset(pb->bank_tail, SY_NIL, sizeof pb->bank_tail);
        return;
    }
    memset(ba->hit_head, SY_NIL, sizeof ba->hit_head);
    memset(ba->hit_tail, SY_NIL, sizeof ba->hit_tail);
    memset(ba->miss_head, SY_NIL, sizeof ba->miss_head);
    memset(ba->miss_tail, SY_NIL, sizeof ba->miss_tail);
    ba->activating_bank = -1;
}

void sy_dram_channel_reset(struct sy_dram_channel *ch, const struct sy_dram_plan *plan,
                           const struct sy_dram_kernel *kernel)
{
    memset(ch, 0, sizeof *ch);
    ch->plan = plan;
    ch->kernel = kernel;
    for (int w = 0; w < 2; w++) {
        fill(&ch->column[w], SY_NEVER);
        fill(&ch->activate[w], SY_NEVER);
        fill(&ch->precharge[w], SY_NEVER);
        reset_queue(&ch->queue[w], plan->queue_size[w]);
    }
    for (uint32_t d = 0; d < SY_DRAM_MAX_DOMAINS; d++) {
        for (int i = 0; i < 4; i++)
            ch->faw[d][i] = -SY_NEVER;
        for (int i = 0; i < 32; i++)
            ch->aw32[d][i] = -SY_NEVER;
    }
    ch->refreshed_at = -SY_NEVER;
    ch->now = plan->first_clock;
    ch->next_refresh = plan->refresh_on ? plan->refresh_interval : SY_NEVER;
    reset_style(ch);
}

/* ---- refresh ---- */
uint64_t sy_dram_channel_refresh_due(struct sy_dram_channel *ch)
{
    const struct sy_dram_plan *plan = ch->plan;
    uint64_t banks = 0;
    const uint32_t nodes = plan->refresh_staggered ? 1 : plan->nodes;
    for (uint32_t i = 0; i < nodes && ch->pending_refreshes < plan->nodes; i++) {
        banks |= plan->node_mask[ch->due_node];
        ch->due_node = (ch->due_node + 1) % plan->nodes;
        ch->pending_refreshes++;
    }
    ch->next_refresh += plan->refresh_interval;
    return banks;
}

uint64_t sy_dram_channel_refreshed(struct sy_dram_channel *ch, int32_t t)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint64_t banks = plan->node_mask[ch->refresh_node];
    for (uint64_t m = banks; m; m &= m - 1) {
        const uint32_t b = (uint32_t)__builtin_ctzll(m);
        if (ch->bank_act[b] < t + plan->refresh_act)
            ch->bank_act[b] = t + plan->refresh_act;
    }
    ch->refresh_node = (ch->refresh_node + 1) % plan->nodes;
    ch->pending_refreshes--;
    ch->refreshed_at = t;
    ch->counts.refreshes++;
    if (ch->log)
        ch->log->command(ch->log->context, ch->base + t, SY_DRAM_REFRESH, (uint32_t)__builtin_ctzll(banks), 0);
    return banks;
}

void sy_dram_channel_refresh_off(struct sy_dram_channel *ch)
{
    ch->next_refresh = SY_NEVER;
}

void sy_dram_channel_refresh_at(struct sy_dram_channel *ch, int64_t clock)
{
    if (!ch->plan->refresh_on)
        return;
    const int64_t relative = clock - ch->base;
    ch->next_refresh = (int32_t)(relative > ch->now ? relative : ch->now);
}

/* ---- time base ---- */
static int32_t shifted(int32_t clock, int32_t by)
{
    return clock >= SY_NEVER ? clock : clock - by < -SY_NEVER ? -SY_NEVER : clock - by;
}

static void shift_lanes(struct sy_lanes *lanes, int32_t by)
{
    for (int i = 0; i < SY_LANES_MAX; i++)
        lanes->v[i] = shifted(lanes->v[i], by);
}

static void shift_array(int32_t *clock, size_t count, int32_t by)
{
    for (size_t i = 0; i < count; i++)
        clock[i] = shifted(clock[i], by);
}

static void shift_style(struct sy_dram_channel *ch, int32_t by)
{
    if (ch->plan->arbitration == SY_DRAM_PER_BANK) {
        for (uint32_t b = 0; b < SY_LANES_MAX; b++)
            for (uint32_t k = 0; k < SY_DRAM_MAX_BANK_QUEUE; k++)
                shift_array(&ch->per_bank.entry[b][k].accepted, 1, by);
        shift_array(&ch->per_bank.bound, 1, by);
        return;
    }
    for (uint32_t i = 0; i < ch->by_age.actives; i++) {
        shift_array(&ch->by_age.active[i].ready, 1, by);
        shift_array(&ch->by_age.active[i].accepted, 1, by);
        shift_array(&ch->by_age.active[i].soonest, 1, by);
    }
    shift_array(ch->by_age.column_bound, 2, by);
    shift_array(ch->by_age.row_bound, 2, by);
    shift_array(&ch->by_age.active_bound, 1, by);
    shift_array(&ch->by_age.activate_deadline, 1, by);
    shift_array(&ch->by_age.data_clock_until, 1, by);
}

/* Move the time base so that clocks stay small. Keeps the parity that half-clock edges depend on. */
static void rebase(struct sy_dram_channel *ch)
{
    const int32_t by = ch->now & ~1;
    struct sy_lanes *const lanes[] = {&ch->column[0],    &ch->column[1],    &ch->activate[0], &ch->activate[1],
                                      &ch->precharge[0], &ch->precharge[1], &ch->s_read,      &ch->s_write,
                                      &ch->s_act,        &ch->s_pre};
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++)
        shift_lanes(lanes[i], by);
    int32_t *const banks[] = {ch->bank_read, ch->bank_write, ch->bank_pre, ch->bank_act, ch->idle_since};
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++)
        shift_array(banks[i], SY_LANES_MAX, by);
    shift_array(&ch->faw[0][0], (size_t)SY_DRAM_MAX_DOMAINS * 4, by);
    shift_array(&ch->aw32[0][0], (size_t)SY_DRAM_MAX_DOMAINS * 32, by);
    shift_array(ch->closed_at, SY_DRAM_MAX_DOMAINS, by);
    int32_t *const single[] = {&ch->row_bus_free, &ch->column_bus_free, &ch->next_refresh,
                               &ch->refreshed_at, &ch->last_return,     &ch->next_event};
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        shift_array(single[i], 1, by);
    for (int w = 0; w < 2; w++)
        shift_array(ch->queue[w].accepted, SY_DRAM_MAX_QUEUE, by);
    shift_style(ch, by);
    if (ch->open) { /* the open span so far is counted now */
        ch->counts.active_clocks += (uint64_t)(ch->now - ch->opened_at);
        ch->opened_at = ch->now;
    }
    ch->opened_at = shifted(ch->opened_at, by);
    ch->now -= by;
    ch->base += by;
}

/* ---- acceptance ---- */
static void push_front(struct sy_dram_channel *ch, bool write, uint8_t entry, uint32_t bank)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    struct sy_dram_queue *queue = &ch->queue[write];
    pb->before[write][entry] = pb->tail[write];
    if (pb->head[write] == SY_NIL)
        pb->head[write] = entry;
    else
        queue->next[pb->tail[write]] = entry;
    pb->tail[write] = entry;
    pb->bank_next[write][entry] = SY_NIL;
    if (pb->bank_head[write][bank] == SY_NIL) {
        pb->bank_head[write][bank] = entry;
        pb->present[write] |= UINT64_C(1) << bank;
        if (!(pb->full >> bank & 1))
            pb->front_age[write].v[bank] = queue->age[entry] << 6 | (int32_t)bank;
    } else {
        pb->bank_next[write][pb->bank_tail[write][bank]] = entry;
    }
    pb->bank_tail[write][bank] = entry;
}

static void push_buffer(struct sy_dram_channel *ch, bool write, uint8_t entry, uint32_t bank)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    struct sy_dram_queue *queue = &ch->queue[write];
    queue->counted[entry] = false;
    const bool hit = (ch->open >> bank & 1) && ch->open_row[bank] == queue->row[entry];
    uint8_t *head = hit ? &ba->hit_head[write][bank] : &ba->miss_head[write][bank];
    uint8_t *tail = hit ? &ba->hit_tail[write][bank] : &ba->miss_tail[write][bank];
    if (*head == SY_NIL) {
        *head = *tail = entry;
        ch->kernel->offer(ch, write, bank);
    } else { /* behind another, which is what the bank offers */
        queue->next[*tail] = entry;
        *tail = entry;
    }
}

/* A list of queue entries in each bank, and the lanes that hold their oldest ages. */
struct age_list {
    uint8_t (*head)[SY_LANES_MAX]; /* [queue][bank] */
    struct sy_lanes *age;          /* [queue] */
};

static int32_t oldest_age(const struct sy_dram_channel *ch, const struct age_list *list)
{
    int32_t oldest = ch->next_age;
    for (int w = 0; w < 2; w++)
        for (uint32_t b = 0; b < ch->plan->banks; b++) {
            const uint8_t head = list->head[w][b];
            if (head != SY_NIL && ch->queue[w].age[head] < oldest)
                oldest = ch->queue[w].age[head];
        }
    return oldest;
}

static void lower_ages(const struct sy_dram_channel *ch, const struct age_list *list, int32_t by)
{
    const bool seniority = ch->plan->arbitration == SY_DRAM_BY_AGE;
    const int32_t none = seniority ? 0 : SY_AGE_NONE, change = seniority ? by << 6 : -(by << 6);
    for (int w = 0; w < 2; w++)
        for (uint32_t i = 0; i < SY_LANES_MAX; i++)
            if (list->age[w].v[i] != none)
                list->age[w].v[i] += change;
}

/* Keep ages below 2^24: count them from the oldest entry of both queues. Entries that are free may hold anything. */
static void renumber(struct sy_dram_channel *ch)
{
    struct age_list list[2];
    uint32_t lists = 0;
    if (ch->plan->arbitration == SY_DRAM_PER_BANK) {
        list[lists++] = (struct age_list){ch->per_bank.bank_head, ch->per_bank.front_age};
    } else {
        list[lists++] = (struct age_list){ch->by_age.hit_head, ch->by_age.hit_age};
        list[lists++] = (struct age_list){ch->by_age.miss_head, ch->by_age.row_age};
    }
    int32_t oldest = ch->next_age;
    for (uint32_t i = 0; i < lists; i++) {
        const int32_t age = oldest_age(ch, &list[i]);
        oldest = age < oldest ? age : oldest;
    }
    for (uint32_t i = 0; i < lists; i++)
        lower_ages(ch, &list[i], oldest);
    for (int w = 0; w < 2; w++)
        for (uint32_t i = 0; i < ch->plan->queue_size[w]; i++)
            ch->queue[w].age[i] -= ch->queue[w].age[i] >= oldest ? oldest : 0;
    ch->next_age -= oldest;
}

void sy_dram_channel_push(struct sy_dram_channel *ch, const struct sy_dram_request *request, int64_t at)
{
    struct sy_dram_queue *queue = &ch->queue[request->write];
    while (at - ch->base >= SY_REBASE_AT) { /* an idle channel: let time pass first */
        sy_dram_channel_run(ch, at, 0);
    }
    const uint8_t entry = queue->free;
    queue->free = queue->next[entry];
    queue->next[entry] = SY_NIL;
    queue->used++;
    queue->row[entry] = request->row;
    queue->bank[entry] = request->bank;
    queue->source[entry] = request->source;
    queue->accepted[entry] = (int32_t)(at - ch->base);
    if (ch->now < queue->accepted[entry])
        ch->now = queue->accepted[entry];
    ch->next_event = ch->now;
    ch->waiting_reads += !request->write;
    if (ch->next_age >= SY_REBASE_AT)
        renumber(ch);
    queue->age[entry] = ch->next_age++;
    if (ch->plan->arbitration == SY_DRAM_PER_BANK)
        push_front(ch, request->write, entry, request->bank);
    else
        push_buffer(ch, request->write, entry, request->bank);
}

int64_t sy_dram_channel_run(struct sy_dram_channel *ch, int64_t limit, unsigned stop)
{
    for (;;) {
        const int64_t relative = limit == INT64_MAX ? SY_REBASE_AT : limit - ch->base;
        const int32_t until = (int32_t)(relative < SY_REBASE_AT ? relative : SY_REBASE_AT);
        const int32_t tick = ch->kernel->run[ch->plan->arbitration][ch->plan->shape](ch, until, stop);
        const int64_t clock = tick < 0 ? -1 : ch->base + tick;
        if (tick >= 0)
            ch->next_event = ch->now;
        if (ch->now >= SY_REBASE_AT)
            rebase(ch);
        if (clock >= 0 || (limit != INT64_MAX && ch->base + ch->now >= limit))
            return clock;
    }
}

const struct sy_dram_kernel *sy_dram_kernel_select(unsigned force)
{
#if defined(__x86_64__) && !defined(SY_DRAM_PORTABLE)
    __builtin_cpu_init();
    if (force != 4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return &sy_dram_kernel_8;
#else
    (void)force;
#endif
    return &sy_dram_kernel_4;
}
