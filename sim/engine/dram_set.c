/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_set.h"

#include "sim/engine/dram_memory.h"

/* ---- reads in flight ---- */
static void heap_push(struct sy_dram_feeder *feeder, int64_t clock)
{
    uint32_t i = feeder->scheduled++, parent;
    for (; i > 0; i = parent) {
        parent = (i - 1) / 2;
        if (feeder->back[parent] <= clock)
            break;
        feeder->back[i] = feeder->back[parent];
    }
    feeder->back[i] = clock;
}

static void heap_pop(struct sy_dram_feeder *feeder)
{
    const int64_t last = feeder->back[--feeder->scheduled];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= feeder->scheduled)
            break;
        child += child + 1 < feeder->scheduled && feeder->back[child + 1] < feeder->back[child];
        if (feeder->back[child] >= last)
            break;
        feeder->back[i] = feeder->back[child];
        i = child;
    }
    feeder->back[i] = last;
}

static void on_read(void *context, uint8_t source, int64_t clock)
{
    struct sy_dram_feeder *feeder = &((struct sy_dram_set *)context)->feeder[source];
    if (feeder->outstanding)
        heap_push(feeder, clock);
}

static bool at_bound(struct sy_dram_feeder *feeder, int64_t clock)
{
    if (!feeder->outstanding || feeder->request.write)
        return false;
    while (feeder->scheduled && feeder->back[0] <= clock) {
        heap_pop(feeder);
        feeder->in_flight--;
    }
    return feeder->in_flight >= feeder->outstanding;
}

/* ---- ports ---- */
static void take_request(struct sy_dram_set *set, uint32_t index)
{
    struct sy_dram_feeder *feeder = &set->feeder[index];
    const struct sy_dram_memory *memory = set->memory;
    uint64_t burst;
    bool write;
    feeder->arrival = memory->start + (int64_t)sy_dram_cursor_arrival(&feeder->cursor);
    feeder->has_request = sy_dram_cursor_next(&feeder->cursor, &burst, &write);
    if (!feeder->has_request)
        return;
    const sy_dram_place place = sy_dram_map_decode(&memory->map, burst);
    feeder->channel = sy_dram_place_channel(place);
    feeder->request = (struct sy_dram_request){.row = sy_dram_place_row(place),
                                               .bank = (uint8_t)sy_dram_place_bank(place),
                                               .source = (uint8_t)index,
                                               .write = write};
}

void sy_dram_set_start(struct sy_dram_set *set, struct sy_dram_memory *memory, const struct sy_dram_source *source,
                       uint32_t sources, uint32_t grain_bursts)
{
    sy_dram_memory_reset(memory);
    set->memory = memory;
    set->sources = sources < SY_DRAM_SET_MAX ? sources : SY_DRAM_SET_MAX;
    set->grain = grain_bursts ? grain_bursts : 1;
    for (uint32_t c = 0; c < memory->channels; c++)
        set->port[c] = (struct sy_dram_port){.left = set->grain};
    set->clock = memory->start;
    set->accepted = 0;
    set->returns = (struct sy_dram_returns){.on_read = on_read, .context = set};
    bool bounded = false;
    for (uint32_t i = 0; i < set->sources; i++) {
        struct sy_dram_feeder *feeder = &set->feeder[i];
        sy_dram_cursor_start(&feeder->cursor, &source[i], memory->map.burst_shift);
        feeder->cursor.check_bursts = memory->check_bursts;
        feeder->accepted = feeder->reads = 0;
        feeder->in_flight = feeder->scheduled = 0;
        feeder->outstanding = source[i].outstanding < SY_DRAM_OUTSTANDING_MAX ? (uint32_t)source[i].outstanding : 0;
        bounded |= feeder->outstanding != 0;
        take_request(set, i);
    }
    for (uint32_t c = 0; bounded && c < memory->channels; c++)
        memory->channel[c].returns = &set->returns;
}

static bool may_come(struct sy_dram_set *set, uint32_t index, uint32_t channel)
{
    struct sy_dram_feeder *feeder = &set->feeder[index];
    return feeder->has_request && feeder->channel == channel && feeder->arrival <= set->clock &&
           !at_bound(feeder, set->clock);
}

/* Who stands at the port of a channel: the holder of the turn, or the next source that has a request for it. */
static bool take_port(struct sy_dram_set *set, uint32_t channel)
{
    struct sy_dram_port *port = &set->port[channel];
    if (port->taken)
        return true;
    uint32_t index = port->turn;
    for (uint32_t tried = 0; tried < set->sources; tried++) {
        if (may_come(set, index, channel)) {
            port->left = index == port->turn ? port->left : set->grain;
            port->turn = index;
            port->taken = true;
            return true;
        }
        index = index + 1 == set->sources ? 0 : index + 1;
    }
    return false;
}

/* Accept the request at the port of a channel, if there is one and it has room at the set's clock. */
static bool serve(struct sy_dram_set *set, uint32_t index)
{
    struct sy_dram_channel *channel = &set->memory->channel[index];
    struct sy_dram_port *port = &set->port[index];
    if (sy_dram_channel_now(channel) < set->clock)
        sy_dram_channel_run(channel, set->clock, 0);
    if (!take_port(set, index))
        return false;
    struct sy_dram_feeder *feeder = &set->feeder[port->turn];
    if (!sy_dram_channel_has_room(channel, feeder->request.write))
        return false;
    sy_dram_channel_push(channel, &feeder->request, set->clock);
    const bool is_data = !feeder->cursor.is_check;
    feeder->accepted += is_data;
    feeder->reads += !feeder->request.write;
    feeder->in_flight += feeder->outstanding && !feeder->request.write;
    set->accepted += is_data;
    take_request(set, port->turn);
    port->taken = false;
    if (!--port->left) {
        port->turn = port->turn + 1 == set->sources ? 0 : port->turn + 1;
        port->left = set->grain;
    }
    return true;
}

/* One acceptance at any port that some source stands before. */
static bool serve_any(struct sy_dram_set *set)
{
    for (uint32_t i = 0; i < set->sources; i++) {
        const struct sy_dram_feeder *feeder = &set->feeder[i];
        if (feeder->has_request && feeder->arrival <= set->clock && serve(set, feeder->channel))
            return true;
    }
    return false;
}

/* ---- waiting ---- */
struct wait {
    int64_t wake;                        /* a source may go then, whatever the channels do */
    bool any, bound;                     /* someone waits at all; someone waits for a read to come back */
    unsigned want[SY_DRAM_MAX_CHANNELS]; /* places someone waits for */
};

static void find_waits(struct sy_dram_set *set, struct wait *wait)
{
    wait->wake = INT64_MAX;
    wait->any = wait->bound = false;
    for (uint32_t c = 0; c < set->memory->channels; c++)
        wait->want[c] = 0;
    for (uint32_t i = 0; i < set->sources; i++) {
        struct sy_dram_feeder *feeder = &set->feeder[i];
        if (!feeder->has_request)
            continue;
        int64_t wake = INT64_MAX;
        wait->any = true;
        if (feeder->arrival > set->clock) {
            wake = feeder->arrival;
        } else if (at_bound(feeder, set->clock)) {
            wait->bound = true;
            wake = feeder->scheduled ? feeder->back[0] : INT64_MAX;
        } else if (!set->port[feeder->channel].taken) {
            wake = set->clock; /* bringing its channel on returned a read to it: try again */
        } else {
            const bool write = set->feeder[set->port[feeder->channel].turn].request.write;
            wait->want[feeder->channel] = write ? SY_STOP_WRITE : SY_STOP_READ;
        }
        wait->wake = wake < wait->wake ? wake : wait->wake;
    }
}

/* The channel that could end a wait first, and how far it may run before another could. A read scheduled at its next
 * event comes back read_return later. */
static struct sy_dram_channel *first_channel(const struct sy_dram_set *set, const struct wait *wait, int64_t *limit)
{
    struct sy_dram_channel *first = NULL;
    int64_t earliest = INT64_MAX, second = INT64_MAX;
    for (uint32_t c = 0; c < set->memory->channels; c++) {
        struct sy_dram_channel *channel = &set->memory->channel[c];
        const bool reads_only = !wait->want[c];
        if (reads_only && !(wait->bound && channel->waiting_reads))
            continue;
        const int64_t event = channel->base + channel->next_event;
        if (event + (reads_only ? set->memory->plan.read_return : 0) >= wait->wake)
            continue;
        if (event < earliest) {
            second = earliest;
            earliest = event;
            first = channel;
        } else if (event < second) {
            second = event;
        }
    }
    *limit = second < wait->wake ? second : wait->wake;
    if (first && (*limit <= earliest || wait->bound))
        *limit = earliest + 1;
    return first;
}

/* Let time pass until a source may go; false when all have ended. */
static bool wait_for_change(struct sy_dram_set *set)
{
    for (;;) {
        struct wait wait;
        int64_t limit;
        find_waits(set, &wait);
        if (!wait.any)
            return false;
        struct sy_dram_channel *channel = first_channel(set, &wait, &limit);
        if (!channel) {
            set->clock = wait.wake;
            return true;
        }
        const int64_t freed = sy_dram_channel_run(channel, limit, wait.want[channel - set->memory->channel]);
        if (freed >= 0) {
            set->clock = freed + 1 > set->clock ? freed + 1 : set->clock;
            return true;
        }
    }
}

bool sy_dram_set_feed(struct sy_dram_set *set, uint64_t bursts)
{
    const uint64_t target = set->accepted + bursts;
    while (set->accepted < target)
        if (!serve_any(set) && !wait_for_change(set))
            return false;
    return true;
}

void sy_dram_set_run(struct sy_dram_set *set, struct sy_dram_run *run)
{
    struct sy_dram_memory *memory = set->memory;
    *run = (struct sy_dram_run){0};
    (void)sy_dram_set_feed(set, UINT64_MAX - set->accepted);
    const int64_t end = sy_dram_memory_drain(memory);
    run->bursts = set->accepted;
    uint64_t checks = 0;
    for (uint32_t i = 0; i < set->sources; i++) {
        run->reads_issued += set->feeder[i].reads;
        checks += set->feeder[i].cursor.checks;
    }
    run->writes_issued = run->bursts + checks - run->reads_issued;
    run->accepted_clock = (uint64_t)(set->clock - memory->start);
    run->clocks = (uint64_t)((end > set->clock ? end : set->clock) - memory->start) + 1;
    for (uint32_t c = 0; c < memory->channels; c++)
        if (sy_dram_channel_now(&memory->channel[c]) < end)
            sy_dram_channel_run(&memory->channel[c], end, 0);
    run->counts = sy_dram_memory_counts(memory);
    sy_dram_memory_latency(memory, run);
}
