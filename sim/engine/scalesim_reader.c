/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: the ifmap and filter buffers.
 *
 * CALC. Addresses gather in a set; an address that is not in it counts as one
 * DRAM read. The set holds half the SRAM, 50 items of 1/100 SRAM each; when it
 * is full it is emptied. Reads never stall. DRAM cycles are made up after the
 * fact: the first fill runs at 10 words a cycle and ends before the first
 * demand; what a later fill brought is spread over the time between the two
 * fills before it, at ceil(words / cycles) a cycle.
 *
 * USER. The operand's fetch order is cut into sets of ceil(SRAM / 100)
 * elements (repetitions count). Half the SRAM holds a window of active sets.
 * A demand outside the window moves it by the prefetch half, again and again
 * until it hits, circling over the list. Each move reads whole lines of
 * `bandwidth` words, one a cycle, and ends one cycle later than the lines
 * take; v2 stalls the array until then, v3 adds the difference to now twice,
 * and once when it is negative.
 *
 * Invariants: CALC: held < capacity between touches, the bits in seen are
 * those listed in added. USER: begin < sets; where[] rises, and set_of[] rises
 * within an address.
 */
#include "sim/engine/scalesim_internal.h"

#include <string.h>

#include "sim/base/checked.h"

enum { CALC_ITEMS = 50, ITEMS_A_SRAM = 100, CALC_FILL_WORDS_A_CYCLE = 10, PORT_LATENCY = 1 };

static enum sy_status out_of_memory(struct sy_diag *diag)
{
    return sy_ss_refuse(diag, "split the layer, or use an SRAM that holds it",
                        "the SCALE-Sim model of this layer needs more than %u MiB of working memory",
                        (unsigned)(SY_SCALESIM_MAX_BYTES >> 20));
}

/* ---- how much of the ifmap the windows cover ---- */

/* Along one axis: places touched at least once, and the sum over windows of the places they have. */
static void cover_axis(uint64_t outputs, uint64_t stride, uint64_t filter, uint64_t size, uint64_t *touched,
                       uint64_t *uses)
{
    uint64_t end = 0;
    *touched = *uses = 0;
    for (uint64_t i = 0; i < outputs; i++) {
        uint64_t low = sy_min(i * stride, size), high = sy_min(i * stride + filter, size);
        *uses += high - low;
        *touched += high > end ? high - sy_max(low, end) : 0;
        end = sy_max(end, high);
    }
}

static void cover_ifmap(const struct sy_ss_plan *plan, uint64_t *touched, uint64_t *uses)
{
    const struct sy_scalesim_layer *layer = plan->layer;
    uint64_t rows, row_uses, cols, col_uses;
    cover_axis(plan->out_h, layer->stride_h, layer->filter_h, layer->ifmap_h, &rows, &row_uses);
    cover_axis(plan->out_w, layer->stride_w, layer->filter_w, layer->ifmap_w, &cols, &col_uses);
    *touched = rows * cols * layer->channels;
    *uses = row_uses * col_uses * layer->channels;
}

/* ---- CALC ---- */

/* Whether any `capacity` requests in a row are to distinct addresses, so that every request is a miss. Each pass over
 * an operand asks for each of its addresses once (for the ifmap: when windows do not overlap); passes repeat in the
 * same order. An os filter is not passed over as a whole but column fold by column fold, each for all row folds. */
static bool calc_never_hits(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t touched,
                            uint64_t uses, uint64_t capacity)
{
    if (plan->config->sparse || touched != uses || plan->widest_row > capacity ||
        (operand == SY_SCALESIM_IFMAP && plan->clipped))
        return false;
    if (operand == SY_SCALESIM_FILTER && plan->config->dataflow == SY_SCALESIM_OS && plan->row_folds > 1)
        return plan->k * (plan->n - (plan->col_folds - 1) * plan->cols) >= capacity;
    return touched >= capacity;
}

static void calc_stream(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t words,
                        struct sy_ss_reader *reader)
{
    bool by_rows = operand == SY_SCALESIM_FILTER && plan->config->dataflow == SY_SCALESIM_OS;
    bool once = plan->config->dataflow == (operand == SY_SCALESIM_FILTER ? SY_SCALESIM_WS : SY_SCALESIM_IS);
    reader->kind = SY_SS_STREAM_CALC;
    reader->dram_words = words * (once ? 1 : by_rows ? plan->row_folds : plan->col_folds);
    reader->fills = reader->dram_words / reader->capacity;
    reader->last_fill_row = sy_ss_request_row(plan, operand, reader->fills * reader->capacity - 1);
}

static enum sy_status calc_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t sram_words,
                                struct sy_ss_reader *reader, struct sy_diag *diag)
{
    uint64_t words = operand == SY_SCALESIM_IFMAP ? plan->ifmap_words : plan->filter_words;
    reader->item = plan->config->sram_kb[operand] * 1024 / ITEMS_A_SRAM;
    reader->capacity = reader->item * CALC_ITEMS;
    if (!plan->config->sparse) {
        uint64_t touched = words, uses = words;
        if (operand == SY_SCALESIM_IFMAP)
            cover_ifmap(plan, &touched, &uses);
        if (touched < reader->capacity) {
            reader->kind = SY_SS_RESIDENT_CALC;
            reader->held = reader->dram_words = touched;
            return SY_OK;
        }
        if (calc_never_hits(plan, operand, touched, uses, reader->capacity)) {
            calc_stream(plan, operand, words, reader);
            return SY_OK;
        }
    }
    enum sy_status status = sy_ss_work(plan, sram_words, diag);
    if (!status)
        status = sy_ss_work(plan, words / 64, diag);
    if (status)
        return status;
    reader->kind = SY_SS_CALC;
    reader->seen = sy_arena_array(plan->arena, words / 64 + 1, sizeof *reader->seen);
    reader->added = sy_ss_table(plan, sy_min(reader->capacity, words));
    return reader->seen && reader->added ? SY_OK : out_of_memory(diag);
}

static void calc_full(struct sy_ss_reader *reader, int64_t cycle)
{
    if (reader->fills == 0)
        reader->span_stop = reader->first_request - 1 - PORT_LATENCY;
    else if (reader->span_stop < reader->span_start)
        reader->zero_span = true;
    reader->span_start = reader->span_stop + 1;
    reader->span_stop = cycle;
    reader->fills++;
    for (uint64_t i = 0; i < reader->held; i++)
        reader->seen[reader->added[i] / 64] = 0;
    reader->held = 0;
}

static void calc_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t a = address[i];
        uint64_t bit = (uint64_t)1 << (a % 64);
        if (reader->seen[a / 64] & bit)
            continue;
        reader->seen[a / 64] |= bit;
        reader->added[reader->held++] = a;
        reader->dram_words++;
        if (reader->held == reader->capacity)
            calc_full(reader, cycle);
    }
}

static enum sy_status calc_finish(struct sy_ss_reader *reader, struct sy_diag *diag)
{
    if (reader->fills == 0) {
        /* Whole items are fetched, ending before cycle 0 whenever the first demand comes. */
        uint64_t items = sy_ceil_div(reader->held, reader->item);
        reader->dram_start = -(int64_t)sy_ceil_div(items * reader->item, CALC_FILL_WORDS_A_CYCLE);
        reader->dram_stop = -1;
        return SY_OK;
    }
    if (reader->zero_span || reader->span_stop < reader->span_start)
        return sy_ss_raises(diag, "ZeroDivisionError", "an SRAM half is filled twice in one cycle");
    reader->dram_start = reader->first_request - (int64_t)sy_ceil_div(reader->capacity, CALC_FILL_WORDS_A_CYCLE);
    reader->dram_stop = reader->span_stop + PORT_LATENCY;
    return SY_OK;
}

/* ---- USER ---- */

struct fetch_count {
    uint32_t *where;
    uint64_t elements;
};
static void count_element(void *context, uint32_t address)
{
    struct fetch_count *count = context;
    if (address == SY_SS_NONE)
        return;
    count->elements++;
    if (count->where)
        count->where[address + 1]++;
}

struct fetch_fill {
    struct sy_ss_reader *reader;
    uint64_t in_set, set_size;
    uint32_t set;
};
/* last_seen serves as the next free entry of each address meanwhile. */
static void place_element(void *context, uint32_t address)
{
    struct fetch_fill *fill = context;
    if (address == SY_SS_NONE)
        return;
    fill->reader->set_of[fill->reader->last_seen[address]++] = fill->set;
    if (++fill->in_set == fill->set_size) {
        fill->in_set = 0;
        fill->set++;
    }
}

static enum sy_status user_index(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t set_size,
                                 uint64_t elements, struct sy_ss_reader *reader, struct sy_diag *diag)
{
    uint64_t words = operand == SY_SCALESIM_IFMAP ? plan->ifmap_words : plan->filter_words;
    enum sy_status status = sy_ss_work(plan, words, diag);
    if (status)
        return status;
    if (elements >= SY_SS_NONE)
        return out_of_memory(diag);
    reader->where = sy_ss_table(plan, words + 1);
    reader->last_seen = sy_ss_table(plan, words);
    reader->set_of = sy_ss_table(plan, elements);
    if (!reader->where || !reader->last_seen || !reader->set_of)
        return out_of_memory(diag);
    struct fetch_count count = {.where = reader->where};
    sy_ss_fetch_order(plan, operand, count_element, &count);
    for (uint64_t i = 0; i < words; i++) {
        reader->where[i + 1] += reader->where[i];
        reader->last_seen[i] = reader->where[i];
    }
    struct fetch_fill fill = {.reader = reader, .set_size = set_size};
    sy_ss_fetch_order(plan, operand, place_element, &fill);
    for (uint64_t i = 0; i < words; i++)
        reader->last_seen[i] = reader->where[i] < elements ? reader->set_of[reader->where[i]] : 0;
    return SY_OK;
}

static uint64_t fetched_elements(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand)
{
    uint64_t touched, uses;
    if (plan->config->sparse) {
        struct fetch_count count = {0};
        sy_ss_fetch_order(plan, operand, count_element, &count);
        return count.elements;
    }
    if (operand == SY_SCALESIM_FILTER)
        return plan->filter_words;
    cover_ifmap(plan, &touched, &uses);
    return uses;
}

static enum sy_status user_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t sram_words,
                                struct sy_ss_reader *reader, struct sy_diag *diag)
{
    bool layout = plan->config->custom_layout[operand];
    uint64_t total = plan->config->sram_kb[operand] * 1024, half = total / 2; /* total is even */
    uint64_t set_size = layout ? plan->config->bandwidth[operand] : sy_ceil_div(total, ITEMS_A_SRAM);
    uint64_t half_sets = sy_ceil_div(half, set_size), places = sy_ss_fetch_places(plan, operand), elements;
    enum sy_status status = SY_OK;
    if (layout)
        status = sy_ss_layout_make(plan, operand, reader, &places, diag);
    else if (plan->config->sparse)
        status = sy_ss_work(plan, places, diag);
    if (status)
        return status;
    elements = layout ? reader->words : fetched_elements(plan, operand);
    reader->v3 = plan->config->version == SY_SCALESIM_V3;
    reader->bandwidth = plan->config->bandwidth[operand];
    reader->sets = elements / set_size + 1;
    reader->active_sets = sy_min(reader->sets, half_sets);
    reader->prefetch_sets = sy_min(reader->sets - reader->active_sets, half_sets);
    reader->prefetch_lines = sy_ceil_div(half, reader->bandwidth);
    uint64_t lines = sy_min(reader->prefetch_lines, sy_ceil_div(places, reader->bandwidth));
    reader->dram_words = lines * reader->bandwidth;
    reader->dram_start = -(int64_t)lines;
    reader->last_prefetch = -1;
    reader->kind = layout ? SY_SS_LAYOUT : reader->active_sets == reader->sets ? SY_SS_RESIDENT_USER : SY_SS_USER;
    if (reader->kind == SY_SS_RESIDENT_USER)
        return SY_OK;
    status = sy_ss_work(plan, places, diag);
    if (!status)
        status = sy_ss_work(plan, sram_words, diag);
    if (status || layout)
        return status;
    return user_index(plan, operand, set_size, elements, reader, diag);
}

/* Distance from the window's begin, circling, to the nearest set that holds the address; notes that set. */
static uint64_t user_distance(struct sy_ss_reader *reader, uint32_t address)
{
    const uint32_t *low = reader->set_of + reader->where[address], *end = reader->set_of + reader->where[address + 1];
    const uint32_t *at = low;
    for (uint64_t length = (uint64_t)(end - low); length > 0;) {
        uint64_t middle = length / 2;
        if (at[middle] < reader->begin) {
            at += middle + 1;
            length -= middle + 1;
        } else {
            length = middle;
        }
    }
    uint32_t set = at < end ? *at : *low;
    reader->last_seen[address] = set;
    return set >= reader->begin ? set - reader->begin : set + reader->sets - reader->begin;
}

/*
 * The offset of a v3 demand row after `moves` prefetches of `step` cycles, the first of which ended at `ready`
 * cycles from the row's start. A prefetch takes an offset x >= ready to ready, and one below it to 2 * ready - x. From
 * the second on, the excess over `ready` repeats every two prefetches.
 */
static int64_t v3_offset(int64_t offset, int64_t ready, int64_t step, uint64_t moves)
{
    uint64_t walked = moves <= 3 ? moves : 2 + (moves & 1);
    int64_t excess = offset >= ready ? 0 : ready - offset;
    for (uint64_t i = 1; i < walked; i++)
        excess = excess >= step ? 0 : step - excess;
    return ready + (int64_t)(moves - 1) * step + excess;
}

/* Move the window until it holds a set `distance` ahead; returns the new offset of the demand row. */
static int64_t user_miss(struct sy_ss_reader *reader, uint64_t distance, int64_t cycle, int64_t offset)
{
    uint64_t moves = sy_ceil_div(distance - reader->active_sets + 1, reader->prefetch_sets);
    int64_t step = (int64_t)reader->prefetch_lines + PORT_LATENCY;
    int64_t first = reader->last_prefetch + step - cycle;
    reader->begin = (reader->begin + moves * reader->prefetch_sets) % reader->sets;
    reader->fills += moves;
    reader->last_prefetch += (int64_t)moves * step;
    if (reader->v3)
        return v3_offset(offset, first, step, moves);
    int64_t ready = reader->last_prefetch - cycle;
    return ready > offset ? ready : offset;
}

static int64_t user_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle)
{
    int64_t offset = PORT_LATENCY;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t set = reader->last_seen[address[i]];
        uint64_t distance = set >= reader->begin ? set - reader->begin : set + reader->sets - reader->begin;
        if (distance < reader->active_sets)
            continue;
        distance = user_distance(reader, address[i]);
        if (distance >= reader->active_sets)
            offset = user_miss(reader, distance, cycle, offset);
    }
    return offset - PORT_LATENCY;
}

static enum sy_status user_finish(struct sy_ss_reader *reader, struct sy_diag *diag)
{
    uint64_t words;
    if (!sy_mul3(reader->fills, reader->prefetch_lines, reader->bandwidth, &words) ||
        !sy_add(words, reader->dram_words, &reader->dram_words))
        return sy_ss_refuse(diag, NULL, "the DRAM reads of this layer do not fit 64 bits");
    reader->dram_stop = reader->last_prefetch;
    return SY_OK;
}

/* ---- both ---- */

enum sy_status sy_ss_reader_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, uint64_t sram_words,
                                 struct sy_ss_reader *reader, struct sy_diag *diag)
{
    *reader = (struct sy_ss_reader){0};
    return plan->config->user_bandwidth ? user_make(plan, operand, sram_words, reader, diag)
                                        : calc_make(plan, operand, sram_words, reader, diag);
}

int64_t sy_ss_reader_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle)
{
    if (reader->kind == SY_SS_USER)
        return user_touch(reader, address, count, cycle);
    if (reader->kind == SY_SS_LAYOUT)
        return sy_ss_layout_touch(reader, address, count, cycle);
    calc_touch(reader, address, count, cycle);
    return 0;
}

enum sy_status sy_ss_reader_finish(struct sy_ss_reader *reader, struct sy_diag *diag)
{
    bool user = reader->kind == SY_SS_USER || reader->kind == SY_SS_RESIDENT_USER || reader->kind == SY_SS_LAYOUT;
    if (reader->never_ends)
        return sy_error(diag, SY_NOWHERE, "set IfmapOffset to 0: a layout's addresses begin there",
                        "SCALE-Sim does not end on this input: it looks for an address that no line holds");
    return user ? user_finish(reader, diag) : calc_finish(reader, diag);
}
