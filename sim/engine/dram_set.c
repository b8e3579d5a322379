/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_set.h"

#include "sim/base/checked.h"
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

static void on_read(void *context, uint16_t source, int64_t clock)
{
    struct sy_dram_set *set = context;
    struct sy_dram_feeder *feeder = &set->feeder[source];
    set->last_done = clock > set->last_done ? clock : set->last_done;
    feeder->reads_back++;
    feeder->last_back = clock > feeder->last_back ? clock : feeder->last_back;
    if (feeder->outstanding)
        heap_push(feeder, clock + feeder->trip);
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
/* Whoever waited for this feeder's last request may go. */
static void let_follow(struct sy_dram_set *set, uint32_t index)
{
    for (uint32_t i = 0; i < set->sources; i++) {
        struct sy_dram_feeder *feeder = &set->feeder[i];
        if (feeder->behind != index || !feeder->has_request)
            continue;
        feeder->behind = SY_DRAM_NOBODY;
        feeder->from = feeder->from > set->clock ? feeder->from : set->clock;
        feeder->arrival = feeder->from;
    }
}

static void take_request(struct sy_dram_set *set, uint32_t index)
{
    struct sy_dram_feeder *feeder = &set->feeder[index];
    const struct sy_dram_memory *memory = set->memory;
    uint64_t burst;
    bool write;
    feeder->arrival = feeder->from + (int64_t)sy_dram_cursor_arrival(&feeder->cursor);
    feeder->has_request = sy_dram_cursor_next(&feeder->cursor, &burst, &write);
    if (!feeder->has_request) {
        let_follow(set, index);
        return;
    }
    const sy_dram_place place = sy_dram_map_decode(&memory->map, burst);
    feeder->burst = burst;
    feeder->channel = sy_dram_place_channel(place);
    feeder->request = (struct sy_dram_request){.row = sy_dram_place_row(place),
                                               .bank = (uint8_t)sy_dram_place_bank(place),
                                               .source = (uint16_t)index,
                                               .write = write};
}

static void start_feeder(struct sy_dram_set *set, uint32_t index, const struct sy_dram_source *source, int64_t from)
{
    struct sy_dram_feeder *feeder = &set->feeder[index];
    sy_dram_cursor_start(&feeder->cursor, source, set->memory->map.burst_shift);
    feeder->cursor.check_bursts = set->memory->check_bursts;
    feeder->accepted = feeder->reads = feeder->reads_back = 0;
    feeder->in_flight = feeder->scheduled = 0;
    feeder->outstanding = source->outstanding < SY_DRAM_OUTSTANDING_MAX ? (uint32_t)source->outstanding : 0;
    feeder->behind = SY_DRAM_NOBODY;
    feeder->from = feeder->last_accepted = feeder->last_back = from;
    feeder->trip = 0;
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
    set->limit = INT64_MAX;
    set->bus_num = 0;
    set->bus_free = 0;
    set->bus_turn = 0;
    set->bus_left = set->grain;
    set->accepted = 0;
    set->watch = NULL;
    set->last_done = memory->start;
    set->returns = (struct sy_dram_returns){.on_read = on_read, .context = set};
    bool bounded = false;
    for (uint32_t i = 0; i < set->sources; i++) {
        start_feeder(set, i, &source[i], memory->start);
        bounded |= set->feeder[i].outstanding != 0;
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

/* The bus is in use; a burst that had to wait for a whole clock loses no part of it. */
static void use_bus(struct sy_dram_set *set)
{
    if (!set->bus_num)
        return;
    const sy_u128 now = (sy_u128)set->clock * set->bus_den;
    set->bus_free = (set->bus_free + set->bus_den > now ? set->bus_free : now) + set->bus_num;
}

static int64_t bus_clock(const struct sy_dram_set *set)
{
    return set->bus_num ? (int64_t)((set->bus_free + set->bus_den - 1) / set->bus_den) : 0;
}

void sy_dram_set_bus(struct sy_dram_set *set, uint64_t num, uint64_t den)
{
    set->bus_num = num;
    set->bus_den = den;
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
    set->last_done = set->clock >= set->last_done ? set->clock + 1 : set->last_done;
    if (set->watch)
        set->watch->accepted(set->watch->context, feeder->burst, feeder->request.write, feeder->arrival);
    const bool is_data = !feeder->cursor.is_check;
    feeder->accepted += is_data;
    feeder->reads += !feeder->request.write;
    feeder->in_flight += feeder->outstanding && !feeder->request.write;
    set->accepted += is_data;
    feeder->last_accepted = set->clock;
    use_bus(set);
    take_request(set, port->turn);
    port->taken = false;
    if (!--port->left) {
        port->turn = port->turn + 1 == set->sources ? 0 : port->turn + 1;
        port->left = set->grain;
    }
    return true;
}

/* Whoever used the bus keeps it for its turn. */
static void pass_bus(struct sy_dram_set *set, uint32_t index)
{
    if (!set->bus_num)
        return;
    set->bus_left = index == set->bus_turn ? set->bus_left : set->grain;
    set->bus_turn = index;
    if (--set->bus_left)
        return;
    set->bus_turn = index + 1 == set->sources ? 0 : index + 1;
    set->bus_left = set->grain;
}

/* One acceptance at any port that some source stands before. */
static bool serve_any(struct sy_dram_set *set)
{
    if (bus_clock(set) > set->clock)
        return false;
    uint32_t index = set->bus_num ? set->bus_turn : 0;
    for (uint32_t tried = 0; tried < set->sources; tried++) {
        const struct sy_dram_feeder *feeder = &set->feeder[index];
        if (feeder->has_request && feeder->arrival <= set->clock && serve(set, feeder->channel)) {
            pass_bus(set, index);
            return true;
        }
        index = index + 1 == set->sources ? 0 : index + 1;
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
    const int64_t bus = bus_clock(set);
    wait->wake = set->limit;
    wait->any = wait->bound = false;
    for (uint32_t c = 0; c < set->memory->channels; c++)
        wait->want[c] = 0;
    if (bus > set->clock) { /* nobody goes before, whatever else happens */
        for (uint32_t i = 0; i < set->sources; i++)
            wait->any |= set->feeder[i].has_request;
        wait->wake = bus < wait->wake ? bus : wait->wake;
        return;
    }
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
        if (!wait.any && set->limit == INT64_MAX)
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

/* ---- sources that come and go ---- */
void sy_dram_set_open(struct sy_dram_set *set, struct sy_dram_memory *memory, uint32_t grain_bursts)
{
    sy_dram_set_start(set, memory, NULL, 0, grain_bursts);
    for (uint32_t c = 0; c < memory->channels; c++)
        memory->channel[c].returns = &set->returns;
    for (uint32_t i = 0; i < SY_DRAM_SET_MAX; i++) {
        set->feeder[i].has_request = false;
        set->feeder[i].behind = SY_DRAM_NOBODY;
    }
}

void sy_dram_set_add(struct sy_dram_set *set, uint32_t index, const struct sy_dram_source *source, uint64_t bursts,
                     int64_t from, uint32_t behind, int64_t trip)
{
    struct sy_dram_feeder *feeder = &set->feeder[index];
    start_feeder(set, index, source, from);
    feeder->total = bursts;
    feeder->trip = trip;
    set->sources = index < set->sources ? set->sources : index + 1;
    take_request(set, index);
    if (behind != SY_DRAM_NOBODY && set->feeder[behind].has_request) {
        feeder->behind = behind;
        feeder->arrival = INT64_MAX;
    }
}

void sy_dram_set_advance(struct sy_dram_set *set, int64_t until)
{
    set->limit = until;
    while (set->clock < until)
        if (!serve_any(set))
            (void)wait_for_change(set);
    for (uint32_t c = 0; c < set->memory->channels; c++)
        if (sy_dram_channel_now(&set->memory->channel[c]) < until)
            sy_dram_channel_run(&set->memory->channel[c], until, 0);
}

/* A clock before which a source that still moves cannot be done: no bus moves more than a burst in burst_clocks; of
 * writes the queues can hold some back; its last burst does not come before its pace says. */
static int64_t earliest_end(const struct sy_dram_set *set, const struct sy_dram_feeder *feeder)
{
    const struct sy_dram_memory *memory = set->memory;
    const struct sy_dram_source *source = feeder->cursor.source;
    const bool reads = feeder->reads || (feeder->has_request && !feeder->request.write);
    const uint64_t buses = (uint64_t)memory->channels * memory->pseudochannels;
    const uint64_t held = reads ? 0 : (uint64_t)memory->channels * memory->plan.queue_size[1];
    const uint64_t gone = (reads ? feeder->reads_back : feeder->accepted) + held + 1; /* with what checks them */
    const uint64_t left = feeder->total > gone ? feeder->total - gone : 0;
    const int64_t at_least = reads ? (int64_t)sy_max(1, (uint64_t)memory->plan.read_return) : 1;
    const int64_t moved = set->clock + (int64_t)(left / buses * memory->burst_clocks) + at_least;
    uint64_t paced = 0;
    if (source->clocks_num)
        (void)sy_mul_div(feeder->total - 1, source->clocks_num, source->clocks_den, &paced);
    return (int64_t)sy_max((uint64_t)moved, (uint64_t)feeder->from + paced);
}

bool sy_dram_set_done(const struct sy_dram_set *set, uint32_t index, int64_t *clock)
{
    const struct sy_dram_feeder *feeder = &set->feeder[index];
    const int64_t transfer = set->bus_num ? (int64_t)sy_ceil_div(set->bus_num, set->bus_den) : 0;
    if (feeder->has_request || feeder->reads_back != feeder->reads) {
        *clock = earliest_end(set, feeder);
        return false;
    }
    const int64_t accepted = feeder->last_accepted + 1;
    *clock = transfer + (feeder->last_back > accepted ? feeder->last_back : accepted);
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
