/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_phase.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_memory.h"
#include "sim/engine/dram_rows.h"
#include "sim/engine/dram_set.h"

enum {
    DEFAULT_GRAIN_BYTES = 256,
    DEFAULT_CHANNELS = 4,
    DEFAULT_BASE_STEPS = 8,
    LEADING_BITS = 6,      /* of row lengths and pitches */
    MEMO_SLOTS = 4096,     /* power of two */
    MEMO_BYTES = 1 << 22,  /* signatures and answers kept; then the memo starts anew */
    FOLDS = 2,             /* memories of fewer channels: most_channels, and half as many */
    LEAST_CHANNELS = 2,    /* one alone loses what several do to each other */
    SHORTEST_WINDOW = 400, /* bursts a channel, when the budget is spread over many */
    COUNTED_SLOTS = 1024,  /* power of two */
    APART = 37             /* bank rotations between phases of a set: more than a window walks */
};
static const uint64_t fs_per_s = UINT64_C(1000000000000000);

/* One memoized answer: the signature's words, then the answer's. */
struct entry {
    struct entry *next;
    uint64_t hash;
    uint32_t words, answer_bytes;
    uint64_t data[];
};
/* Fewer channels in place of all. */
struct fold {
    struct sy_dram_memory *memory; /* NULL: none */
    struct sy_dram_rows *rows;     /* of that memory */
    uint32_t channels;             /* of all for each of these */
};
/* Rows that the lines of a phase open: with all banks closed; behind themselves `back` bytes before. */
struct counted {
    uint64_t key[5]; /* base, back, lines, their bytes and pitch; no lines: free */
    uint64_t cold, warm;
};
/* A set of shapes as it is simulated. */
struct question {
    struct sy_dram_memory *memory;
    struct sy_dram_rows *rows;
    const struct sy_dram_window *window;
    uint64_t fold;
    struct sy_dram_source source[SY_DRAM_PHASES_MAX];
};
struct sy_dram_ctx {
    struct sy_dram_memory *whole; /* all channels */
    struct fold fold[FOLDS];      /* fewest channels first */
    struct sy_dram_rows *rows;    /* of whole */
    bool rows_stay;               /* until others need the bank */
    struct counted counted[COUNTED_SLOTS];
    struct sy_dram_set *set; /* room to simulate in */
    struct question *question;
    struct sy_dram_window window, folded_window;
    uint64_t clock_fs, burst_bytes, peak_bytes, peak_clocks;
    uint64_t bus_num, bus_den; /* clocks a burst takes on the bus; num 0 = no bus */
    uint32_t grain_bursts, base_steps;
    struct entry **slot;
    uint64_t memo_bytes, asked, simulated;
};

static bool power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static void shorten(struct sy_dram_window *window, uint32_t channels)
{
    if (channels <= DEFAULT_CHANNELS)
        return;
    uint64_t *const parts[] = {&window->wanted, &window->longest_period, &window->random};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        *parts[i] = sy_max(SHORTEST_WINDOW, *parts[i] * DEFAULT_CHANNELS / channels);
}

static enum sy_status make_memories(struct sy_dram_ctx *ctx, const struct sy_dram_device *device,
                                    const struct sy_dram_controller *controller,
                                    const struct sy_dram_ctx_options *options, struct sy_diag *diag)
{
    enum sy_status status = sy_dram_memory_create(device, controller, &options->memory, &ctx->whole, diag);
    if (status == SY_OK)
        status = sy_dram_rows_create(ctx->whole, &ctx->rows);
    if (status != SY_OK)
        return status;
    ctx->rows_stay = controller->page == SY_DRAM_PAGE_OPEN;
    const uint32_t most = options->most_channels ? options->most_channels : DEFAULT_CHANNELS;
    const uint32_t channels = options->memory.channels;
    if (channels <= most || !power_of_two(channels) || !power_of_two(most) ||
        !sy_dram_map_channel_low(&ctx->whole->map, channels))
        return status;
    for (uint32_t i = 0; i < FOLDS && status == SY_OK; i++) {
        struct sy_dram_options fewer = options->memory;
        fewer.channels = most >> (FOLDS - 1 - i);
        if (fewer.channels < most && fewer.channels < LEAST_CHANNELS)
            continue;
        ctx->fold[i].channels = channels / fewer.channels;
        status = sy_dram_memory_create(device, controller, &fewer, &ctx->fold[i].memory, diag);
        if (status == SY_OK)
            status = sy_dram_rows_create(ctx->fold[i].memory, &ctx->fold[i].rows);
    }
    return status;
}

enum sy_status sy_dram_ctx_create(const struct sy_dram_device *device, const struct sy_dram_controller *controller,
                                  const struct sy_dram_ctx_options *options, struct sy_dram_ctx **out,
                                  struct sy_diag *diag)
{
    struct sy_dram_ctx *ctx = calloc(1, sizeof *ctx);
    *out = NULL;
    if (!ctx)
        return SY_NOMEM;
    ctx->set = malloc(sizeof *ctx->set);
    ctx->question = malloc(sizeof *ctx->question);
    ctx->slot = calloc(MEMO_SLOTS, sizeof(struct entry *));
    enum sy_status status =
        ctx->set && ctx->question && ctx->slot ? make_memories(ctx, device, controller, options, diag) : SY_NOMEM;
    if (status != SY_OK) {
        sy_dram_ctx_destroy(ctx);
        return status;
    }
    ctx->window = ctx->folded_window = options->window ? *options->window : sy_dram_window_default;
    shorten(&ctx->window, options->memory.channels);
    ctx->clock_fs = device->clock_fs;
    ctx->burst_bytes = device->org.burst_bytes;
    ctx->peak_bytes = sy_dram_peak_bytes(device, &ctx->peak_clocks) * options->memory.channels;
    const uint64_t grain = options->grain_bytes ? options->grain_bytes : DEFAULT_GRAIN_BYTES;
    ctx->base_steps = options->base_steps ? options->base_steps : DEFAULT_BASE_STEPS;
    ctx->grain_bursts = (uint32_t)sy_max(1, grain / ctx->burst_bytes);
    if (options->bus_bytes_per_s && options->bus_bytes_per_s < sy_dram_peak_bytes_per_s(ctx) &&
        !(sy_mul(ctx->burst_bytes, fs_per_s, &ctx->bus_num) &&
          sy_mul(options->bus_bytes_per_s, ctx->clock_fs, &ctx->bus_den))) {
        sy_dram_ctx_destroy(ctx);
        return SY_OVERFLOW;
    }
    *out = ctx;
    return SY_OK;
}

static void forget(struct sy_dram_ctx *ctx)
{
    for (uint32_t i = 0; ctx->slot && i < MEMO_SLOTS; i++) {
        while (ctx->slot[i]) {
            struct entry *entry = ctx->slot[i];
            ctx->slot[i] = entry->next;
            free(entry);
        }
    }
    ctx->memo_bytes = 0;
}

void sy_dram_ctx_destroy(struct sy_dram_ctx *ctx)
{
    if (!ctx)
        return;
    forget(ctx);
    sy_dram_rows_destroy(ctx->rows);
    sy_dram_memory_destroy(ctx->whole);
    for (uint32_t i = 0; i < FOLDS; i++) {
        sy_dram_rows_destroy(ctx->fold[i].rows);
        sy_dram_memory_destroy(ctx->fold[i].memory);
    }
    free(ctx->set);
    free(ctx->question);
    free(ctx->slot);
    free(ctx);
}

/* ---- memo ---- */
static uint64_t hash_words(const uint64_t *word, uint32_t count)
{
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ word[i]) * UINT64_C(0xBF58476D1CE4E5B9);
        hash ^= hash >> 29;
    }
    return hash;
}

static const void *recall(struct sy_dram_ctx *ctx, const uint64_t *word, uint32_t words, uint64_t hash)
{
    for (struct entry *entry = ctx->slot[hash % MEMO_SLOTS]; entry; entry = entry->next)
        if (entry->hash == hash && entry->words == words && !memcmp(entry->data, word, words * sizeof *word))
            return entry->data + words;
    return NULL;
}

/* A full memo is emptied; without memory for the entry the answer is computed again next time. */
static void remember(struct sy_dram_ctx *ctx, const uint64_t *word, uint32_t words, uint64_t hash, const void *answer,
                     size_t answer_bytes)
{
    const size_t bytes = sizeof(struct entry) + words * sizeof *word + answer_bytes;
    if (ctx->memo_bytes + bytes > MEMO_BYTES)
        forget(ctx);
    struct entry *entry = malloc(bytes);
    if (!entry)
        return;
    *entry = (struct entry){
        .next = ctx->slot[hash % MEMO_SLOTS], .hash = hash, .words = words, .answer_bytes = (uint32_t)answer_bytes};
    memcpy(entry->data, word, words * sizeof *word);
    memcpy(entry->data + words, answer, answer_bytes);
    ctx->slot[hash % MEMO_SLOTS] = entry;
    ctx->memo_bytes += bytes;
}

/* ---- shapes ----
 * Phases that the memory cannot tell apart in the long run are asked about once: a shape is a phase without end, in
 * whole bursts. Contiguous phases have all the same shape. Of a pitch what counts is where it falls in the bank
 * rotation: its leading bits, and its lowest bit, which says how many banks the rows visit. */
enum { PHASE_WORDS = 7 };

static uint64_t rotation_bursts(const struct sy_dram_ctx *ctx)
{
    const uint32_t bits = ctx->whole->map.rotation_bits;
    return UINT64_C(1) << (bits < 32 ? bits : 32);
}

/* A number to its LEADING_BITS highest bits; small ones stay as they are. */
static uint64_t leading(uint64_t value)
{
    const int bits = 64 - __builtin_clzll(value | 1), drop = bits > LEADING_BITS ? bits - LEADING_BITS : 0;
    return value >> drop << drop;
}

static uint64_t pitch_class(const struct sy_dram_ctx *ctx, uint64_t pitch_bursts)
{
    const uint64_t rotation = rotation_bursts(ctx), inside = pitch_bursts & (rotation - 1);
    if (!inside)
        return rotation;
    const uint64_t step = sy_max(1, rotation >> LEADING_BITS);
    return (inside & ~(step - 1)) | (inside & -inside);
}

/* Bursts of one row, partial ones whole; unaligned rows overlap half a burst more on average. */
static uint64_t row_bursts(const struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase)
{
    const uint64_t burst = ctx->burst_bytes;
    const uint64_t skew = phase->pitch_bytes % burst && phase->rows > 1 ? burst / 2 : phase->base % burst;
    return sy_ceil_div(phase->row_bytes, burst) + (phase->row_bytes % burst ? 0 : skew != 0) +
           (phase->row_bytes % burst && phase->row_bytes % burst + skew > burst);
}

static struct sy_dram_phase shape_of(const struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase,
                                     uint64_t first_base)
{
    const uint64_t burst = ctx->burst_bytes, rotation = rotation_bursts(ctx);
    const uint64_t step = sy_max(1, rotation / ctx->base_steps);
    const bool contiguous = !phase->random_range && (phase->rows <= 1 || phase->pitch_bytes == phase->row_bytes);
    struct sy_dram_phase shape = *phase;
    /* the nearest step, so that what is almost aligned counts as aligned */
    const uint64_t offset = ((phase->base - first_base) / burst + step / 2) & (rotation - 1);
    shape.base = offset / step * step * burst;
    shape.rows = contiguous ? 1 : UINT64_MAX;
    shape.row_bytes = contiguous ? UINT64_MAX : leading(row_bursts(ctx, phase)) * burst;
    /* rows that are not whole bursts apart fall on every burst in time; those closer than a burst on the same one */
    const uint64_t pitch = phase->pitch_bytes / burst | (phase->pitch_bytes % burst != 0);
    shape.pitch_bytes = contiguous ? 0 : pitch_class(ctx, pitch) * burst;
    if (phase->random_range) {
        shape.pitch_bytes = sy_max(burst, leading(phase->pitch_bytes / burst) * burst);
        shape.random_range = sy_max(leading(phase->random_range), shape.pitch_bytes);
    }
    return shape;
}

static void sign(const struct sy_dram_phase *phase, uint64_t word[PHASE_WORDS])
{
    word[0] = phase->base;
    word[1] = phase->rows;
    word[2] = phase->row_bytes;
    word[3] = phase->pitch_bytes;
    word[4] = phase->max_bytes_per_s;
    word[5] = phase->outstanding_bursts << 1 | phase->is_write;
    word[6] = phase->random_range;
}

/* ---- phases to sources ---- */
/* A cap that cannot bind is none. */
static void set_cap(const struct sy_dram_ctx *ctx, uint64_t bytes_per_s, struct sy_dram_source *source)
{
    uint64_t num, den;
    source->clocks_num = 0;
    source->clocks_den = 1;
    if (!bytes_per_s || bytes_per_s / 2 > sy_dram_peak_bytes_per_s(ctx))
        return;
    if (sy_mul(ctx->burst_bytes, fs_per_s, &num) && sy_mul(bytes_per_s, ctx->clock_fs, &den)) {
        source->clocks_num = num;
        source->clocks_den = den;
    }
}

/* A phase, or a shape without end. */
static void make_source(const struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, struct sy_dram_source *source)
{
    *source = (struct sy_dram_source){.streams = 1, .bursts = UINT64_MAX, .outstanding = phase->outstanding_bursts};
    struct sy_dram_stream *stream = &source->stream[0];
    uint64_t span = phase->row_bytes;
    *stream = (struct sy_dram_stream){.base = phase->base, .run_bytes = phase->row_bytes, .is_write = phase->is_write};
    if (phase->random_range) {
        stream->random_range = phase->random_range;
        stream->random_align = sy_max(1, phase->pitch_bytes);
        stream->random_seed = UINT64_C(0x9E3779B97F4A7C15);
        stream->loop[0] = (struct sy_dram_loop){phase->rows, 0};
    } else if (phase->rows > 1 && phase->pitch_bytes == phase->row_bytes &&
               sy_mul(phase->row_bytes, phase->rows, &span)) {
        stream->run_bytes = span; /* rows that touch are one run */
    } else {
        stream->loop[0] = (struct sy_dram_loop){phase->rows, phase->pitch_bytes};
    }
    set_cap(ctx, phase->max_bytes_per_s, source);
}

/* 1/fold of a shape, when everything divides. */
static bool fold_shape(const struct sy_dram_ctx *ctx, uint32_t fold, const struct sy_dram_phase *shape,
                       struct sy_dram_phase *part)
{
    const uint64_t unit = ctx->burst_bytes * fold << ctx->whole->map.interleave_shift;
    const bool contiguous = shape->row_bytes == UINT64_MAX;
    *part = *shape;
    if (shape->random_range || (!contiguous && (shape->row_bytes % unit || shape->pitch_bytes % unit)))
        return false;
    part->row_bytes = contiguous ? UINT64_MAX : shape->row_bytes / fold;
    part->pitch_bytes = shape->pitch_bytes / fold;
    part->base = shape->base / fold;
    part->max_bytes_per_s = shape->max_bytes_per_s ? sy_max(1, shape->max_bytes_per_s / fold) : 0;
    part->outstanding_bursts = shape->outstanding_bursts ? sy_max(1, shape->outstanding_bursts / fold) : 0;
    return true;
}

/* ---- a set in its steady state ---- */
/* Shapes lie within one rotation; the phases they stand for lie far apart, in other rows of the banks. */
static void set_apart(struct question *q, uint32_t n)
{
    const struct sy_dram_map *map = &q->memory->map;
    const uint32_t bits = map->rotation_bits + map->burst_shift;
    const uint64_t apart = bits < 48 ? (UINT64_C(1) << bits) * (map->by_remainder ? map->channels : APART) : 0;
    for (uint32_t i = 1; i < n; i++)
        if (!q->source[i].stream[0].random_range)
            q->source[i].stream[0].base += i * apart;
}

/* The fewest channels on which the set is the same. */
static void choose_memory(struct sy_dram_ctx *ctx, const struct sy_dram_phase *set, uint32_t n, struct question *q)
{
    struct sy_dram_phase part[SY_DRAM_PHASES_MAX];
    const struct sy_dram_phase *as = set;
    q->memory = ctx->whole;
    q->rows = ctx->rows;
    q->window = &ctx->window;
    q->fold = 1;
    for (uint32_t f = 0; f < FOLDS && as == set; f++) {
        bool fits = ctx->fold[f].memory != NULL;
        for (uint32_t i = 0; i < n && fits; i++)
            fits = fold_shape(ctx, ctx->fold[f].channels, &set[i], &part[i]);
        if (!fits)
            continue;
        as = part;
        q->memory = ctx->fold[f].memory;
        q->rows = ctx->fold[f].rows;
        q->window = &ctx->folded_window;
        q->fold = ctx->fold[f].channels;
    }
    for (uint32_t i = 0; i < n; i++)
        make_source(ctx, &as[i], &q->source[i]);
    set_apart(q, n);
}

static uint64_t per_million(uint64_t count, uint64_t bursts)
{
    uint64_t scaled = 0;
    return bursts && sy_mul_div(count, 1000000, bursts, &scaled) ? scaled : 0;
}

/* The clocks of all channels, each on its own. */
static uint64_t sum_of_clocks(const struct sy_dram_memory *memory)
{
    int64_t sum = 0;
    for (uint32_t c = 0; c < memory->channels; c++)
        sum += sy_dram_channel_now(&memory->channel[c]);
    return (uint64_t)sum;
}

/* Bursts of check bits taken so far. */
static uint64_t checks_of(const struct sy_dram_set *set)
{
    uint64_t checks = 0;
    for (uint32_t i = 0; i < set->sources; i++)
        checks += set->feeder[i].cursor.checks;
    return checks;
}

/* A moment of a set's run. */
struct mark {
    int64_t clock, without_refresh;
    uint64_t clocks, checks; /* of all channels; bursts of check bits */
    struct sy_dram_counts counts;
    uint64_t accepted[SY_DRAM_PHASES_MAX];
};

static void take_mark(const struct question *q, const struct sy_dram_set *set, int64_t forced, struct mark *mark)
{
    const int64_t cost = sy_dram_refresh_cost(&q->memory->plan);
    mark->clock = set->clock;
    mark->without_refresh = sy_dram_without_refresh(&q->memory->channel[0], set->clock, forced, cost);
    mark->clocks = sum_of_clocks(q->memory);
    mark->checks = checks_of(set);
    mark->counts = sy_dram_memory_counts(q->memory);
    for (uint32_t i = 0; i < set->sources; i++)
        mark->accepted[i] = set->feeder[i].accepted;
}

struct span {
    uint64_t clocks, without_refresh;
    int64_t refresh_cost;
};

/* The rate of one phase from what was accepted of it in a span: a capped phase catches up after a refresh, the others
 * lose that time. */
static struct sy_dram_rate rate_of(const struct sy_dram_ctx *ctx, const struct question *q, uint32_t index,
                                   uint64_t bursts, const struct span *span)
{
    const struct sy_dram_source *source = &q->source[index];
    struct sy_dram_rate rate = {.bursts = bursts * q->fold, .clocks = sy_max(span->without_refresh, 1)};
    const uint64_t interval = (uint64_t)q->memory->plan.refresh_interval, cost = (uint64_t)span->refresh_cost;
    if (cost && cost < interval)
        (void)sy_mul_div(rate.clocks, interval, interval - cost, &rate.clocks);
    uint64_t scaled = 0, due = 0;
    if (source->clocks_num && sy_mul_div(bursts, source->clocks_num, source->clocks_den, &due) &&
        due + due / 50 >= span->clocks) /* within 2% of its cap: it keeps up */
        rate.clocks = sy_max(due, 1);
    if (sy_mul_div(rate.bursts * ctx->burst_bytes, fs_per_s / ctx->clock_fs, rate.clocks, &scaled))
        rate.bytes_per_s = sy_max(scaled, 1);
    return rate;
}

/* Windows count bursts of the busiest channel: so many of all channels for a number of that one. */
static uint64_t of_all(const struct sy_dram_memory *memory, uint64_t bursts)
{
    uint64_t most = 0, sum = 0, all = 0;
    for (uint32_t c = 0; c < memory->channels; c++) {
        const uint64_t here = memory->channel[c].counts.reads + memory->channel[c].counts.writes;
        most = sy_max(most, here);
        sum += here;
    }
    return most && sy_mul_div(bursts, sum, most, &all) ? all : bursts * memory->channels;
}

/* Bursts of a set to measure: whole periods of its longest phase. */
static uint64_t window_of(const struct question *q, uint32_t n)
{
    struct sy_dram_window window = *q->window;
    const uint32_t channels = q->memory->channels;
    uint64_t length = 0;
    window.wanted = sy_max(1, of_all(q->memory, window.wanted) / channels);
    window.random = sy_max(1, of_all(q->memory, window.random) / channels);
    for (uint32_t i = 0; i < n; i++)
        length = sy_max(length, sy_dram_window_length(q->memory, &q->source[i], &window));
    return length;
}

/* Run the set and measure it between two marks; refreshed: counts at the forced refresh before them. */
static void measure(struct sy_dram_ctx *ctx, struct question *q, uint32_t n, struct sy_dram_counts *refreshed,
                    struct mark *from, struct mark *to)
{
    struct sy_dram_memory *memory = q->memory;
    struct sy_dram_set *set = ctx->set;
    sy_dram_set_start(set, memory, q->source, n, ctx->grain_bursts);
    if (ctx->bus_num)
        sy_dram_set_bus(set, ctx->bus_num * q->fold, ctx->bus_den);
    for (uint32_t c = 0; c < memory->channels; c++)
        sy_dram_channel_refresh_off(&memory->channel[c]);
    bool going = sy_dram_set_feed(set, q->window->warmup * memory->channels);
    const int64_t forced = set->clock;
    const uint64_t length = window_of(q, n), settle = of_all(memory, q->window->settle);
    for (uint32_t c = 0; c < memory->channels; c++)
        sy_dram_channel_refresh_at(&memory->channel[c], forced);
    *refreshed = sy_dram_memory_counts(memory);
    going = going && sy_dram_set_feed(set, settle);
    take_mark(q, set, forced, from);
    if (going)
        (void)sy_dram_set_feed(set, length);
    take_mark(q, set, forced, to);
}

struct measured {
    struct sy_dram_counts refreshed, from, to; /* at the forced refresh, at the window's ends */
    uint64_t clocks, checks;                   /* of all channels; bursts of check bits */
    uint64_t alone;                            /* rows the sources open by their own addresses */
};

/* What one source opens in its bursts [from, to). */
static uint64_t opened_alone(struct sy_dram_rows *rows, const struct sy_dram_source *source, uint32_t shift,
                             uint64_t from, uint64_t to)
{
    const struct sy_dram_stream *stream = &source->stream[0];
    const uint64_t base = stream->base >> shift, pitch = stream->loop[0].stride_bytes >> shift;
    const uint64_t line = stream->run_bytes >> shift; /* without end: longer than all */
    uint64_t opened = 0;
    if (stream->random_range)
        return 0;
    sy_dram_rows_close(rows);
    for (uint64_t at = 0, next; at < to; at = next) {
        const uint64_t edge = at < from ? from : to, left = line - at % line;
        next = edge - at < left ? edge : at + left;
        const uint64_t here = sy_dram_rows_walk(rows, base + at / line * pitch + at % line, next - at);
        opened += at < from ? 0 : here;
    }
    return opened;
}

/* What refreshes cause is taken apart, since how many of them fall into a window is chance: rows opened a second time,
 * which were hits otherwise, and time without open rows. */
static struct sy_dram_commands commands_of(const struct question *q, const struct measured *m, int64_t refresh_cost)
{
    const struct sy_dram_plan *plan = &q->memory->plan;
    const struct sy_dram_counts *from = &m->from, *to = &m->to;
    const uint64_t issued = to->reads + to->writes - from->reads - from->writes;
    const uint64_t columns = issued - sy_min(issued, m->checks); /* of data */
    const uint64_t again = to->reopened - from->reopened;
    const bool misses = plan->arbitration != SY_DRAM_PER_BANK;
    struct sy_dram_commands commands = {
        .activates = (int64_t)per_million(to->activates - from->activates - again, columns) -
                     (int64_t)per_million(m->alone, columns),
        .row_misses = per_million(to->row_misses - from->row_misses - (misses ? again : 0), columns)};
    const uint64_t each = q->memory->channels * (plan->refresh_staggered ? 1 : plan->nodes);
    const uint64_t refreshes = to->refreshes - m->refreshed.refreshes;
    if (plan->refresh_on && refreshes) {
        (void)sy_mul_div((to->refresh_precharges - m->refreshed.refresh_precharges) * each * q->fold, 1000000,
                         refreshes, &commands.closed);
        (void)sy_mul_div((to->reopened - m->refreshed.reopened) * each * q->fold, 1000000, refreshes,
                         &commands.reopened);
    }
    const uint64_t open = to->active_clocks - from->active_clocks;
    uint64_t clocks = m->clocks;
    if (refresh_cost && refreshes) { /* all rows are closed from the refresh to the next activate */
        const uint64_t closed = (uint64_t)(refresh_cost - plan->act_read), interval = (uint64_t)plan->refresh_interval;
        clocks -= sy_min(clocks, closed * (to->refreshes - from->refreshes) / sy_max(plan->nodes, 1));
        (void)sy_mul_div(clocks, interval, interval - sy_min(closed, interval - 1), &clocks);
    }
    commands.active = sy_min(1000000, per_million(open, clocks));
    return commands;
}

static void simulate_set(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phases, uint32_t n,
                         struct sy_dram_rate *out)
{
    struct question *q = ctx->question;
    struct mark from, to;
    struct sy_dram_counts refreshed;
    choose_memory(ctx, phases, n, q);
    measure(ctx, q, n, &refreshed, &from, &to);
    const int64_t rest = to.without_refresh - from.without_refresh;
    const struct span span = {.clocks = (uint64_t)(to.clock - from.clock),
                              .without_refresh = rest > 0 ? (uint64_t)rest : 1,
                              .refresh_cost = sy_dram_refresh_cost(&q->memory->plan)};
    uint64_t alone = 0;
    for (uint32_t i = 0; i < n && ctx->rows_stay; i++)
        alone += opened_alone(q->rows, &q->source[i], q->memory->map.burst_shift, from.accepted[i], to.accepted[i]);
    const struct measured measured = {.from = from.counts,
                                      .refreshed = refreshed,
                                      .to = to.counts,
                                      .clocks = to.clocks - from.clocks,
                                      .checks = to.checks - from.checks,
                                      .alone = alone};
    const struct sy_dram_commands commands = commands_of(q, &measured, span.refresh_cost);
    memset(out, 0, n * sizeof *out);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = rate_of(ctx, q, i, to.accepted[i] - from.accepted[i], &span);
        out[i].per_million = commands;
    }
}

/* ---- rows of one phase ---- */
/* The place in the bank rotation alone matters of a base, so tiles that recur are asked about once. */
static struct counted rows_of_lines(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, uint64_t back)
{
    const uint64_t rotation = sy_dram_rotation_bytes(ctx), base = phase->base % rotation + rotation;
    const uint64_t key[] = {base, back, phase->rows, phase->row_bytes, phase->pitch_bytes};
    struct counted *known = &ctx->counted[hash_words(key, sizeof key / sizeof key[0]) % COUNTED_SLOTS];
    if (!memcmp(known->key, key, sizeof key))
        return *known;
    sy_dram_rows_close(ctx->rows);
    memcpy(known->key, key, sizeof key);
    known->cold = sy_dram_rows_lines(ctx->rows, base - back, phase->rows, phase->row_bytes, phase->pitch_bytes);
    known->warm =
        sy_min(known->cold, sy_dram_rows_lines(ctx->rows, base, phase->rows, phase->row_bytes, phase->pitch_bytes));
    return *known;
}

struct sy_dram_opened sy_dram_phase_opens(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, uint64_t back)
{
    struct sy_dram_rows *rows = ctx->rows;
    struct sy_dram_opened opened = {0};
    const uint64_t banks = sy_dram_rows_banks(rows), million = 1000000;
    if (phase->random_range || !ctx->rows_stay) {
        opened.share = million;
        return opened;
    }
    if (phase->rows <= 1 || phase->pitch_bytes == phase->row_bytes) {
        const uint64_t bytes = phase->rows * phase->row_bytes;
        opened.warm = sy_dram_rows_stream(rows, bytes);
        opened.closed = sy_dram_rows_cut(rows, phase->base, bytes, false);
        opened.first = sy_dram_rows_cut(rows, phase->base, bytes, true);
        opened.share = sy_min((opened.warm + opened.closed) / banks, million);
        return opened;
    }
    const struct counted lines = rows_of_lines(ctx, phase, back);
    const uint64_t cold = lines.cold, warm = lines.warm;
    opened.warm = sy_min(warm, UINT32_MAX) * million;
    opened.closed = opened.first = sy_min(cold - warm, UINT32_MAX) * million;
    opened.share = sy_min(cold, banks) * million / banks;
    return opened;
}

/* ---- public ---- */
static bool phase_is_usable(const struct sy_dram_phase *phase)
{
    uint64_t bytes;
    return phase->rows && phase->row_bytes && sy_mul(phase->rows, phase->row_bytes, &bytes) &&
           sy_mul(phase->rows, phase->pitch_bytes, &bytes) &&
           (!phase->random_range || phase->random_range >= sy_max(1, phase->pitch_bytes));
}

enum sy_status sy_dram_rate(struct sy_dram_ctx *ctx, const struct sy_dram_phase *set, uint32_t n,
                            struct sy_dram_rate *out)
{
    uint64_t word[SY_DRAM_PHASES_MAX * PHASE_WORDS];
    struct sy_dram_phase shape[SY_DRAM_PHASES_MAX];
    if (n < 1 || n > SY_DRAM_PHASES_MAX)
        return SY_USAGE;
    for (uint32_t i = 0; i < n; i++) {
        if (!phase_is_usable(&set[i]))
            return SY_USAGE;
        shape[i] = shape_of(ctx, &set[i], set[0].base);
        sign(&shape[i], &word[i * PHASE_WORDS]);
    }
    const uint32_t words = n * PHASE_WORDS;
    const uint64_t hash = hash_words(word, words);
    ctx->asked++;
    const void *known = recall(ctx, word, words, hash);
    if (known) {
        memcpy(out, known, n * sizeof *out);
        return SY_OK;
    }
    simulate_set(ctx, shape, n, out);
    ctx->simulated++;
    remember(ctx, word, words, hash, out, n * sizeof *out);
    return SY_OK;
}

enum sy_status sy_dram_run_phase(struct sy_dram_ctx *ctx, const struct sy_dram_phase *phase, enum sy_dram_mode mode,
                                 struct sy_dram_run *run)
{
    if (!phase_is_usable(phase))
        return SY_USAGE;
    uint64_t word[PHASE_WORDS + 1];
    struct sy_dram_source source;
    ctx->asked++;
    if (mode == SY_DRAM_BURST) {
        make_source(ctx, phase, &source);
        if (phase->outstanding_bursts) {
            sy_dram_set_start(ctx->set, ctx->whole, &source, 1, ctx->grain_bursts);
            sy_dram_set_run(ctx->set, run);
        } else {
            sy_dram_memory_run(ctx->whole, &source, run);
        }
        ctx->simulated++;
        return SY_OK;
    }
    struct sy_dram_phase asked = *phase;
    asked.base &= rotation_bursts(ctx) * ctx->burst_bytes - 1;
    asked.pitch_bytes = asked.rows > 1 || asked.random_range ? asked.pitch_bytes : asked.row_bytes;
    sign(&asked, word);
    word[PHASE_WORDS] = 1; /* never the signature of a set */
    const uint64_t hash = hash_words(word, PHASE_WORDS + 1);
    const void *known = recall(ctx, word, PHASE_WORDS + 1, hash);
    if (known) {
        memcpy(run, known, sizeof *run);
        return SY_OK;
    }
    make_source(ctx, &asked, &source);
    if (asked.outstanding_bursts) { /* no more than `outstanding` bursts a round trip */
        const uint64_t trip = sy_dram_first_latency_fs(ctx) / ctx->clock_fs;
        if (source.clocks_num / source.clocks_den < trip / asked.outstanding_bursts) {
            source.clocks_num = trip;
            source.clocks_den = asked.outstanding_bursts;
        }
    }
    (void)sy_dram_memory_estimate(ctx->whole, &source, &ctx->window, run);
    ctx->simulated++;
    remember(ctx, word, PHASE_WORDS + 1, hash, run, sizeof *run);
    return SY_OK;
}

uint64_t sy_dram_clock_fs(const struct sy_dram_ctx *ctx)
{
    return ctx->clock_fs;
}

uint64_t sy_dram_rotation_bytes(const struct sy_dram_ctx *ctx)
{
    return rotation_bursts(ctx) * ctx->burst_bytes;
}

uint64_t sy_dram_first_latency_fs(const struct sy_dram_ctx *ctx)
{
    const struct sy_dram_plan *plan = &ctx->whole->plan;
    return (uint64_t)(plan->act_read + plan->read_return) * ctx->clock_fs;
}

uint64_t sy_dram_refreshes(const struct sy_dram_ctx *ctx, uint64_t span_fs)
{
    const struct sy_dram_plan *plan = &ctx->whole->plan;
    if (!plan->refresh_on)
        return 0;
    const uint64_t intervals = span_fs / ctx->clock_fs / (uint64_t)plan->refresh_interval;
    return intervals * ctx->whole->channels * (plan->refresh_staggered ? 1 : plan->nodes);
}

uint64_t sy_dram_refresh_interval_fs(const struct sy_dram_ctx *ctx)
{
    const struct sy_dram_plan *plan = &ctx->whole->plan;
    return plan->refresh_on ? (uint64_t)plan->refresh_interval * ctx->clock_fs : 0;
}

bool sy_dram_counts_misses(const struct sy_dram_ctx *ctx)
{
    return ctx->whole->plan.arbitration != SY_DRAM_PER_BANK;
}

uint64_t sy_dram_peak_bytes_per_s(const struct sy_dram_ctx *ctx)
{
    uint64_t rate;
    return sy_mul_div(ctx->peak_bytes, fs_per_s, ctx->peak_clocks * ctx->clock_fs, &rate) ? rate : UINT64_MAX;
}

void sy_dram_ctx_statistics(const struct sy_dram_ctx *ctx, uint64_t *asked, uint64_t *simulated)
{
    *asked = ctx->asked;
    *simulated = ctx->simulated;
}
