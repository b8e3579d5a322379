/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_window.h"

#include "sim/base/checked.h"
#include "sim/engine/dram_memory.h"

enum { SAMPLES = 16, SAMPLE_STEP = 8, SMOOTH = SAMPLES * SAMPLE_STEP };

const struct sy_dram_window sy_dram_window_default = {
    .warmup = 256, .settle = 256, .wanted = 4096, .longest_period = 4096, .random = 1536, .conflict_share = 4};

/* ---- periods ---- */
/* Keep the largest candidate within the limit. */
static void consider(uint64_t candidate, uint64_t limit, uint64_t *best)
{
    if (candidate && candidate <= limit && candidate > *best)
        *best = candidate;
}

/* Bursts of a stream after which its addresses repeat modulo the rotation: inside its loops where a loop is long
 * enough, and after whole loops. The longest within the limit, 0 when all are longer. */
static uint64_t stream_period(const struct sy_dram_stream *stream, uint64_t rotation, uint32_t shift, uint64_t limit)
{
    uint64_t best = 0;
    if (stream->run_bytes == UINT64_MAX) {
        consider(rotation, limit, &best);
        return best;
    }
    uint64_t unit = ((stream->run_bytes - 1) >> shift) + 1;
    consider(unit, limit, &best);
    for (int k = 0; k < SY_DRAM_LOOPS; k++) {
        const struct sy_dram_loop *loop = &stream->loop[k];
        if (loop->count <= 1)
            continue;
        const uint64_t turn = rotation << shift;
        const uint64_t again = loop->stride_bytes ? turn / sy_gcd(turn, loop->stride_bytes) : 1;
        uint64_t inside;
        if (again < loop->count && sy_mul(unit, again, &inside))
            consider(inside, limit, &best);
        if (loop->count == UINT64_MAX || !sy_mul(unit, loop->count, &unit))
            break;
        consider(unit, limit, &best);
    }
    return best;
}

/* The same for a source: streams take turns, so all of them must repeat together. */
static uint64_t source_period(const struct sy_dram_source *source, uint64_t rotation, uint32_t shift, uint64_t limit)
{
    if (source->streams == 1)
        return stream_period(&source->stream[0], rotation, shift, limit);
    const uint64_t turn = source->turn_bursts ? source->turn_bursts : 1;
    uint64_t loop = 0, best = 0;
    if (!sy_mul(turn, source->streams, &loop))
        return 0;
    consider(loop, limit, &best);
    uint64_t each = turn; /* bursts of each stream */
    for (uint32_t s = 0; s < source->streams; s++) {
        const uint64_t period = stream_period(&source->stream[s], rotation, shift, limit);
        if (!period)
            return best;
        each = each / sy_gcd(each, period) * period;
        if (each > limit)
            return best;
    }
    consider(each * source->streams, limit, &best);
    return best;
}

static bool is_random(const struct sy_dram_source *source)
{
    for (uint32_t s = 0; s < source->streams; s++)
        if (source->stream[s].random_range)
            return true;
    return false;
}

uint64_t sy_dram_window_length(const struct sy_dram_memory *memory, const struct sy_dram_source *source,
                               const struct sy_dram_window *window)
{
    window = window ? window : &sy_dram_window_default;
    const uint64_t channels = memory->channels;
    if (is_random(source))
        return window->random * channels;
    const uint32_t bits = memory->map.rotation_bits;
    const uint64_t rotation = bits < 40 ? UINT64_C(1) << bits : UINT64_C(1) << 40;
    const uint64_t wanted = window->wanted * channels, longest = window->longest_period * channels;
    const uint64_t period = source_period(source, rotation, memory->map.burst_shift, longest);
    if (!period)
        return wanted;
    return period > wanted ? period : wanted / period * period;
}

/* ---- measuring ---- */
struct measure {
    struct sy_dram_memory *memory;
    struct sy_dram_cursor cursor;
    int64_t clock;
};

static bool feed(struct measure *m, uint64_t bursts)
{
    for (uint64_t i = 0; i < bursts; i++)
        if (!sy_dram_feed(m->memory, &m->cursor, &m->clock))
            return false;
    return true;
}

/* What happened between two acceptances. */
struct inside {
    struct sy_dram_counts counts;
    uint64_t writes, checks; /* accepted */
    uint64_t open;           /* rows open at its end */
};

struct samples {
    int64_t clock[SAMPLES];
};

/* Acceptance clocks of every SAMPLE_STEP-th of the next SMOOTH requests. */
static bool feed_sampling(struct measure *m, struct samples *samples)
{
    for (int i = 0; i < SAMPLES; i++) {
        if (!feed(m, SAMPLE_STEP))
            return false;
        samples->clock[i] = m->clock;
    }
    return true;
}

static struct sy_dram_counts difference(const struct sy_dram_counts *a, const struct sy_dram_counts *b)
{
    return (struct sy_dram_counts){
        .reads = a->reads - b->reads,
        .writes = a->writes - b->writes,
        .activates = a->activates - b->activates,
        .precharges = a->precharges - b->precharges,
        .refreshes = a->refreshes - b->refreshes,
        .row_hits = a->row_hits - b->row_hits,
        .row_misses = a->row_misses - b->row_misses,
        .row_conflicts = a->row_conflicts - b->row_conflicts,
        .refresh_precharges = a->refresh_precharges - b->refresh_precharges,
        .reopened = a->reopened - b->reopened,
        .active_clocks = a->active_clocks - b->active_clocks,
    };
}

/* What a refresh that stops the whole channel costs, in clocks; 0 when refreshes overlap with traffic and therefore
 * stay in the measured time. */
int64_t sy_dram_refresh_cost(const struct sy_dram_plan *plan)
{
    if (!plan->refresh_on || plan->refresh_per_bank || (plan->refresh_staggered && plan->nodes > 1))
        return 0;
    return plan->refresh_act + plan->nodes * (int64_t)plan->pre_refresh + plan->act_read;
}

int64_t sy_dram_without_refresh(const struct sy_dram_channel *channel, int64_t clock, int64_t since, int64_t cost)
{
    int64_t rest = clock;
    int64_t at = cost ? channel->base + channel->next_refresh : since;
    for (; at > since; at -= channel->plan->refresh_interval)
        rest -= at + cost / 2 < clock ? cost : 0;
    return rest;
}

static int64_t sum_without_refresh(const struct sy_dram_channel *channel, const struct samples *samples, int64_t since,
                                   int64_t cost)
{
    int64_t sum = 0;
    for (int i = 0; i < SAMPLES; i++)
        sum += sy_dram_without_refresh(channel, samples->clock[i], since, cost);
    return sum;
}

static uint64_t scale(uint64_t value, uint64_t bursts, uint64_t window)
{
    uint64_t scaled;
    return sy_mul_div(value, bursts, window, &scaled) ? scaled : UINT64_MAX;
}

/* Commands follow acceptance by what the queues hold, so they are scaled by the commands in the window; how many are
 * reads and writes follows from what was accepted in it. */
static void extrapolate_counts(struct sy_dram_run *run, const struct inside *inside, uint64_t window,
                               const struct sy_dram_memory *memory)
{
    struct sy_dram_counts *out = &run->counts;
    const struct sy_dram_counts *in = &inside->counts;
    const struct sy_dram_plan *plan = &memory->plan;
    const uint64_t all = run->bursts + scale(inside->checks, run->bursts, window), columns = in->reads + in->writes;
    out->writes = scale(inside->writes, run->bursts, window);
    out->reads = all - sy_min(all, out->writes);
    if (plan->refresh_on)
        out->refreshes = run->clocks / (uint64_t)plan->refresh_interval * memory->channels *
                         (plan->refresh_staggered ? 1 : plan->nodes);
    /* What refreshes cause goes at their rate in the whole run, not in the window: rows opened a second time, and rows
     * closed by them that a conflict would have closed. Every row that is opened is closed in the end. */
    const uint64_t closed = in->refreshes ? scale(in->refresh_precharges, out->refreshes, in->refreshes) : 0;
    out->reopened = in->refreshes ? scale(in->reopened, out->refreshes, in->refreshes) : 0;
    out->activates = scale(in->activates - in->reopened, all, columns) + out->reopened;
    out->precharges = out->activates - sy_min(out->activates, inside->open);
    out->refresh_precharges = sy_min(closed, out->precharges);
    out->row_hits = scale(in->row_hits, all, columns);
    out->row_misses = scale(in->row_misses, all, columns);
    out->row_conflicts = plan->arbitration == SY_DRAM_PER_BANK ? out->precharges - out->refresh_precharges
                                                               : scale(in->row_conflicts, all, columns);
    out->active_clocks = scale(in->active_clocks, run->bursts, window);
}

/* Whole-run clocks from the window: pace without refresh, first and last access, refreshes at their rate. */
static uint64_t extrapolate_clocks(const struct sy_dram_plan *plan, uint64_t spent16, uint64_t window, uint64_t bursts)
{
    uint64_t clocks;
    if (!sy_mul_div(spent16, bursts, window * SAMPLES, &clocks))
        return UINT64_MAX;
    clocks += (uint64_t)(plan->act_read + plan->read_return);
    const int64_t cost = sy_dram_refresh_cost(plan);
    uint64_t total = clocks;
    for (int pass = 0; cost && pass < 8; pass++)
        total = clocks + (uint64_t)cost * (total / (uint64_t)plan->refresh_interval);
    return total;
}

static uint64_t arrival_of(const struct sy_dram_source *source, uint64_t index)
{
    uint64_t clock;
    return sy_mul_div(index, source->clocks_num, source->clocks_den, &clock) ? clock : UINT64_MAX;
}

static uint64_t open_rows(const struct sy_dram_memory *memory)
{
    uint64_t open = 0;
    for (uint32_t c = 0; c < memory->channels; c++)
        open += (uint64_t)__builtin_popcountll(memory->channel[c].open);
    return open;
}

/* About half of a window, in whole rounds of the streams. */
static uint64_t half_of(const struct sy_dram_source *source, uint64_t length)
{
    const uint64_t round = source->streams * (source->turn_bursts ? source->turn_bursts : 1), half = length / 2;
    return sy_max(2 * SMOOTH, round < half ? half / round * round : half);
}

/* One window. *wanted is shortened where row conflicts set the pace, which then does not depend on where the phase
 * stands in the rotation. Returns false when the source ended inside it. */
static bool measure_window(struct measure *m, const struct sy_dram_source *source, const struct sy_dram_window *window,
                           uint64_t *wanted, uint64_t *spent16, struct inside *inside)
{
    struct sy_dram_memory *memory = m->memory;
    const uint64_t channels = memory->channels;
    sy_dram_memory_reset(memory);
    sy_dram_cursor_start(&m->cursor, source, memory->map.burst_shift);
    m->cursor.check_bursts = memory->check_bursts;
    m->clock = memory->start;
    for (uint32_t c = 0; c < channels; c++)
        sy_dram_channel_refresh_off(&memory->channel[c]);
    if (!feed(m, window->warmup * channels))
        return false;
    const int64_t forced = m->clock;
    for (uint32_t c = 0; c < channels; c++)
        sy_dram_channel_refresh_at(&memory->channel[c], forced);
    const uint64_t activates = sy_dram_memory_counts(memory).activates;
    if (!feed(m, window->settle * channels))
        return false;
    if (!is_random(source) &&
        sy_dram_memory_counts(memory).activates - activates > window->settle * channels / window->conflict_share)
        *wanted = half_of(source, *wanted);
    const uint64_t length = *wanted;
    memory->latency = (struct sy_latency){0};
    const struct sy_dram_counts before = sy_dram_memory_counts(memory);
    const uint64_t writes = m->cursor.writes, checks = m->cursor.checks;
    struct samples from, to;
    if (!feed_sampling(m, &from) || !feed(m, length - SMOOTH))
        return false;
    const struct sy_dram_counts after = sy_dram_memory_counts(memory);
    *inside = (struct inside){difference(&after, &before), m->cursor.writes - writes, m->cursor.checks - checks,
                              open_rows(memory)};
    if (!feed_sampling(m, &to))
        return false;
    const int64_t cost = sy_dram_refresh_cost(&memory->plan);
    const struct sy_dram_channel *first = &memory->channel[0];
    const int64_t spent =
        sum_without_refresh(first, &to, forced, cost) - sum_without_refresh(first, &from, forced, cost);
    *spent16 = spent > 0 ? (uint64_t)spent : 0;
    return true;
}

uint64_t sy_dram_memory_estimate(struct sy_dram_memory *memory, const struct sy_dram_source *source,
                                 const struct sy_dram_window *window, struct sy_dram_run *run)
{
    window = window ? window : &sy_dram_window_default;
    uint64_t length = sy_dram_window_length(memory, source, window);
    const uint64_t used = (window->warmup + window->settle) * memory->channels + length + SMOOTH;
    const uint64_t bursts = sy_dram_source_bursts(source, memory->map.burst_shift);
    struct measure m = {.memory = memory};
    struct sy_dram_source saturated = *source;
    struct inside inside;
    uint64_t spent16 = 0;
    saturated.clocks_num = 0;
    if (bursts <= used || length < SMOOTH || !measure_window(&m, &saturated, window, &length, &spent16, &inside)) {
        sy_dram_memory_run(memory, source, run);
        return run->bursts;
    }
    *run = (struct sy_dram_run){.bursts = bursts};
    run->clocks = extrapolate_clocks(&memory->plan, spent16, length, bursts);
    uint64_t simulated = used;
    if (source->clocks_num) {
        const uint64_t paced = arrival_of(source, bursts - 1) + (uint64_t)memory->plan.read_return;
        uint64_t ignored;
        if (paced > run->clocks && measure_window(&m, source, window, &length, &ignored, &inside)) {
            run->clocks = paced;
            simulated += used;
        }
    }
    run->accepted_clock = run->clocks - (uint64_t)memory->plan.read_return;
    extrapolate_counts(run, &inside, length, memory);
    run->reads_issued = run->counts.reads;
    run->writes_issued = run->counts.writes;
    sy_dram_memory_latency(memory, run);
    return simulated;
}
