/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: custom SRAM layouts of v3 (USER mode).
 *
 * A layout cuts each dimension of an operand into pieces of `factor` (ifmap: row, column, channel; filter: filter,
 * channel, row, column) and puts the numbers of the pieces and the places in them in any order, outermost first. The
 * operand is fetched in that order, whatever the dataflow, and every `bandwidth` elements are one line of the SRAM. A
 * demand row costs one more cycle for each further time that a bank must be read: lines it needs, over the ports.
 *
 * The bank follows from a word's column. The tool takes for it the word's position in the iteration order of a Python
 * set of the line's addresses, so CPython's set (3.7 to 3.12: open addressing, runs of 9 neighbours, growth by 4 beyond
 * 3/5 full) is rebuilt here. The filter is filled in the order filter, channel, row, column while the demands count
 * filter, row, column, channel, and ifmap addresses start at 0 whatever IfmapOffset: both are the tool's.
 */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"

enum { MAX_AXES = 8, FIELDS = 20, MAX_FIELD = 24 };

/* ---- the file ---- */

/* Numbers of one line, as the tool's int(): blanks around, a sign. */
static bool read_number(const char *text, size_t length, int64_t *value)
{
    while (length && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length && strchr(" \t\r", text[length - 1]))
        length--;
    bool minus = length && *text == '-';
    size_t sign = length && (*text == '-' || *text == '+');
    uint64_t magnitude;
    if (!sy_text_to_u64(text + sign, length - sign, &magnitude) || magnitude > INT32_MAX)
        return false;
    *value = minus ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

struct layout_line {
    const char *path;
    uint32_t number; /* of the line */
    const char *text;
    size_t length;
    uint32_t fields;
    int64_t value[MAX_FIELD]; /* value[i] = field i, from 1 */
};

static enum sy_status bad_line(const struct layout_line *line, size_t column, struct sy_diag *diag, const char *what)
{
    return sy_error(diag, ((struct sy_where){.file = line->path, .line = line->number, .column = (uint32_t)column + 1}),
                    "a line is a name, 20 whole numbers and a comma behind each", "%s", what);
}

/* The field behind the last comma is dropped. */
static enum sy_status split_line(struct layout_line *line, struct sy_diag *diag)
{
    size_t at = 0;
    line->fields = 0;
    for (size_t i = 0; i < line->length; i++) {
        if (line->text[i] != ',')
            continue;
        int64_t value = 0;
        if (line->fields > 0 && !read_number(line->text + at, i - at, &value))
            return bad_line(line, at, diag, "a field of the layout is not a whole number");
        if (line->fields < MAX_FIELD)
            line->value[line->fields] = value;
        line->fields++;
        at = i + 1;
    }
    return SY_OK;
}

static bool is_depthwise(const struct layout_line *line)
{
    size_t name = strcspn(line->text, ",\n");
    for (size_t i = 0; i + 1 < name; i++)
        if (line->text[i] == 'D' && line->text[i + 1] == 'P')
            return true;
    return false;
}

/* The numbers of an operand: factors from fields, then where each axis goes. Interline axes come first. */
static void take_operand(const struct layout_line *line, const int fields[4], uint32_t dimensions, uint32_t intraline,
                         struct sy_scalesim_layout_operand *out)
{
    for (uint32_t d = 0; d < dimensions; d++) {
        out->factor[d] = line->value[fields[d]];
        out->axis[d] = line->value[intraline + dimensions + d];
        out->axis[dimensions + d] = line->value[intraline + d];
    }
}

enum sy_status sy_scalesim_layout_parse(const char *text, size_t length, const char *path,
                                        struct sy_scalesim_layout *layout, struct sy_diag *diag)
{
    static const int ifmap_fields[4] = {1, 2, 5}, filter_fields[4] = {6, 5, 3, 4};
    struct layout_line line = {.path = path};
    *layout = (struct sy_scalesim_layout){0};
    for (size_t at = 0, next; at < length; at = next) {
        const char *end = memchr(text + at, '\n', length - at);
        next = end ? (size_t)(end - text) + 1 : length;
        line.text = text + at;
        line.length = next - at - (end != NULL);
        line.number++;
        bool blank = strspn(line.text, " \t\r") >= line.length;
        enum sy_status status = line.number == 1 || blank ? SY_OK : split_line(&line, diag);
        if (status)
            return status;
        if (line.number == 1 || blank || layout->given)
            continue; /* later lines must be numbers too; the tool uses the first for every layer */
        if (is_depthwise(&line) && line.fields > 5) {
            if (line.value[5] < 1)
                continue; /* as many lines as channels: none */
            line.value[5] = 1;
        }
        if (line.fields <= FIELDS)
            return bad_line(&line, line.length, diag, "the layout's first line is too short");
        take_operand(&line, ifmap_fields, 3, 7, &layout->operand[0]);
        take_operand(&line, filter_fields, 4, 13, &layout->operand[1]);
        layout->given = true;
    }
    return SY_OK;
}

/* ---- an operand in the layout's order ---- */

struct order {
    uint32_t dimensions;
    uint64_t extent[4], stride[4], factor[4];
    uint32_t axis[MAX_AXES]; /* axis at each depth: d = number of the piece, dimensions + d = place in it */
    uint64_t trips[MAX_AXES];
    uint64_t places;
};

/* Axes by depth: trips of dimensions become those of depths. */
static enum sy_status order_axes(const struct sy_scalesim_layout_operand *layout, struct order *order,
                                 struct sy_diag *diag)
{
    uint32_t n = order->dimensions, seen = 0;
    uint64_t trips[MAX_AXES];
    for (uint32_t i = 0; i < 2 * n; i++)
        trips[i] = i < n ? order->trips[i] : order->factor[i - n];
    for (uint32_t i = 0; i < 2 * n; i++) {
        int64_t axis = layout->axis[i] < 0 ? layout->axis[i] + 2 * (int64_t)n : layout->axis[i]; /* as in Python */
        if (axis < 0 || axis >= 2 * (int64_t)n || (seen & 1u << axis))
            return sy_ss_raises(diag, "ValueError", "the layout's orders are not all axes once");
        seen |= 1u << axis;
        order->axis[i] = (uint32_t)axis;
        order->trips[i] = trips[axis];
    }
    return SY_OK;
}

static enum sy_status make_order(const struct sy_ss_plan *plan, enum sy_scalesim_operand operand, struct order *order,
                                 struct sy_diag *diag)
{
    const struct sy_scalesim_layer *layer = plan->layer;
    const struct sy_scalesim_layout_operand *layout = &plan->config->layout.operand[operand];
    const uint64_t extents[2][4] = {{layer->ifmap_h, layer->ifmap_w, layer->channels, 1},
                                    {layer->filters, layer->channels, layer->filter_h, layer->filter_w}};
    uint64_t line = 1, stride = 1;
    uint32_t n = operand == SY_SCALESIM_IFMAP ? 3 : 4;
    *order = (struct order){.dimensions = n, .places = 1};
    for (uint32_t i = n; i-- > 0;) {
        if (layout->factor[i] < 1)
            return sy_ss_raises(diag, "ZeroDivisionError", "a factor of the layout is below 1");
        order->extent[i] = extents[operand][i];
        order->factor[i] = (uint64_t)layout->factor[i];
        order->stride[i] = stride;
        stride *= order->extent[i];
        order->trips[i] = sy_ceil_div(order->extent[i], order->factor[i]);
        if (!sy_mul(line, order->factor[i], &line) ||
            !sy_mul3(order->places, order->trips[i], order->factor[i], &order->places))
            return sy_ss_refuse(diag, NULL, "the layout's lines are too long");
    }
    /* The bandwidth is only that of [layout]; CALC mode looks too. */
    uint64_t width = plan->config->line_words[operand];
    if (operand == SY_SCALESIM_IFMAP ? line > width : line != width)
        return sy_ss_raises(diag, "AssertionError",
                            operand == SY_SCALESIM_IFMAP
                                ? "the ifmap layout's factors exceed IfmapSRAMBankBandwidth"
                                : "the filter layout's factors are not FilterSRAMBankBandwidth");
    return order_axes(layout, order, diag);
}

enum sy_status sy_ss_layout_check(const struct sy_ss_plan *plan, struct sy_diag *diag)
{
    struct order order;
    for (int i = 0; i < 2; i++) {
        if (!plan->config->custom_layout[i])
            continue;
        if (!plan->config->layout.given)
            return sy_ss_raises(diag, "IndexError", "a custom layout needs a layout file (-l) with a line");
        enum sy_status status = make_order(plan, (enum sy_scalesim_operand)i, &order, diag);
        if (status)
            return status;
    }
    return SY_OK;
}

/* Call `visit` for every place, outermost axis slowest; NONE for padding. */
static void visit_order(const struct order *order, sy_ss_visit visit, void *context)
{
    uint64_t at[MAX_AXES] = {0};
    uint32_t n = order->dimensions;
    for (uint64_t i = 0; i < order->places; i++) {
        uint64_t number[MAX_AXES], address = 0;
        bool padding = false;
        for (uint32_t j = 0; j < 2 * n; j++)
            number[order->axis[j]] = at[j];
        for (uint32_t d = 0; d < n; d++) {
            uint64_t place = number[d] * order->factor[d] + number[n + d];
            padding |= place >= order->extent[d];
            address += place * order->stride[d];
        }
        visit(context, padding ? SY_SS_NONE : (uint32_t)address);
        for (uint32_t j = 2 * n; j-- > 0 && ++at[j] == order->trips[j];)
            at[j] = 0;
    }
}

/* ---- CPython's set ---- */

enum { SET_MIN = 8, SET_NEIGHBOURS = 9, SET_PERTURB_SHIFT = 5, SET_LARGE = 50000 };

struct python_set {
    uint32_t *table, *spare;     /* addresses or NONE */
    uint64_t mask, used, offset; /* offset: what the tool adds to an address, and hashes */
};

static void set_place(const struct python_set *set, uint32_t *table, uint64_t mask, uint32_t address)
{
    uint64_t hash = address + set->offset, perturb = hash, i = hash & mask;
    for (;;) {
        uint64_t neighbours = i + SET_NEIGHBOURS <= mask ? SET_NEIGHBOURS : 0;
        for (uint64_t j = i; j <= i + neighbours; j++) {
            if (table[j] == SY_SS_NONE) {
                table[j] = address;
                return;
            }
        }
        perturb >>= SET_PERTURB_SHIFT;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

static void set_clear(uint32_t *table, uint64_t entries)
{
    for (uint64_t i = 0; i < entries; i++)
        table[i] = SY_SS_NONE;
}

static void set_begin(struct python_set *set)
{
    set->mask = SET_MIN - 1;
    set->used = 0;
    set_clear(set->table, SET_MIN);
}

static void set_add(struct python_set *set, uint32_t address)
{
    set_place(set, set->table, set->mask, address);
    set->used++;
    if (set->used * 5 < set->mask * 3)
        return;
    uint64_t least = set->used > SET_LARGE ? set->used * 2 : set->used * 4, entries = SET_MIN;
    while (entries <= least)
        entries *= 2;
    set_clear(set->spare, entries);
    for (uint64_t i = 0; i <= set->mask; i++)
        if (set->table[i] != SY_SS_NONE)
            set_place(set, set->spare, entries - 1, set->table[i]);
    uint32_t *table = set->table;
    set->table = set->spare;
    set->spare = table;
    set->mask = entries - 1;
}

/* ---- lines and columns ---- */

struct line_fill {
    struct sy_ss_reader *reader;
    struct python_set set;
    uint64_t in_line, width;
    uint32_t line;
};

static void end_line(struct line_fill *fill)
{
    uint32_t column = 0;
    for (uint64_t i = 0; i <= fill->set.mask; i++)
        if (fill->set.table[i] != SY_SS_NONE)
            fill->reader->column_of[fill->set.table[i]] = column++;
    set_begin(&fill->set);
    fill->in_line = 0;
    fill->line++;
}

static void fill_element(void *context, uint32_t address)
{
    struct line_fill *fill = context;
    if (address == SY_SS_NONE)
        return;
    fill->reader->set_of[address] = fill->line;
    set_add(&fill->set, address);
    if (++fill->in_line == fill->width)
        end_line(fill);
}

enum sy_status sy_ss_layout_make(struct sy_ss_plan *plan, enum sy_scalesim_operand operand, struct sy_ss_reader *reader,
                                 uint64_t *places, struct sy_diag *diag)
{
    const struct sy_scalesim_config *config = plan->config;
    uint64_t words = operand == SY_SCALESIM_IFMAP ? plan->ifmap_words : plan->filter_words;
    uint64_t longest = sy_min(words, config->bandwidth[operand]), entries = SET_MIN;
    struct order order;
    enum sy_status status = make_order(plan, operand, &order, diag);
    if (!status)
        status = sy_ss_work(plan, order.places, diag);
    if (status)
        return status;
    while (entries <= 4 * longest)
        entries *= 2;
    struct line_fill fill = {.reader = reader, .width = config->bandwidth[operand]};
    reader->set_of = sy_ss_table(plan, words);
    reader->column_of = sy_ss_table(plan, words);
    reader->wanted = sy_arena_array(plan->arena, plan->widest_row, sizeof *reader->wanted);
    fill.set.table = sy_ss_table(plan, entries);
    fill.set.spare = sy_ss_table(plan, entries);
    if (!reader->set_of || !reader->column_of || !reader->wanted || !fill.set.table || !fill.set.spare)
        return sy_ss_refuse(diag, "split the layer", "not enough working memory for the layout of an operand");
    fill.set.offset = operand == SY_SCALESIM_FILTER ? config->filter_offset : 0;
    set_begin(&fill.set);
    visit_order(&order, fill_element, &fill);
    end_line(&fill);
    reader->words = words;
    reader->shift = operand == SY_SCALESIM_IFMAP ? config->ifmap_offset : 0;
    reader->ports = config->ports[operand] ? config->ports[operand] : 1;
    reader->bank_words = config->bandwidth[operand] / (config->banks[operand] ? config->banks[operand] : 1);
    *places = order.places;
    return SY_OK;
}

/* ---- serving ---- */

static int by_key(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Times the busiest bank is read: distinct lines of a bank. keys = bank << 32 | line. */
static uint64_t busiest_bank(uint64_t *key, uint32_t count)
{
    uint64_t most = 0, lines = 0;
    qsort(key, count, sizeof *key, by_key);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && key[i] == key[i - 1])
            continue;
        lines = i > 0 && key[i] >> 32 == key[i - 1] >> 32 ? lines + 1 : 1;
        most = sy_max(most, lines);
    }
    return most;
}

int64_t sy_ss_layout_touch(struct sy_ss_reader *reader, const uint32_t *address, uint32_t count, int64_t cycle)
{
    int64_t offset = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = address[i] + reader->shift;
        if (at >= reader->words) {
            reader->never_ends = true;
            return 0;
        }
        uint64_t line = reader->set_of[at];
        uint64_t distance = line >= reader->begin ? line - reader->begin : line + reader->sets - reader->begin;
        if (distance >= reader->active_sets) {
            uint64_t moves = sy_ceil_div(distance - reader->active_sets + 1, reader->prefetch_sets);
            reader->begin = (reader->begin + moves * reader->prefetch_sets) % reader->sets;
            reader->fills += moves;
            reader->last_prefetch += (int64_t)moves * ((int64_t)reader->prefetch_lines + 1);
            if (reader->last_prefetch - cycle > offset)
                offset = reader->last_prefetch - cycle;
        }
        reader->wanted[i] = (uint64_t)(reader->column_of[at] / reader->bank_words) << 32 | line;
    }
    return offset + (int64_t)sy_ceil_div(busiest_bank(reader->wanted, count), reader->ports) - 2;
}
