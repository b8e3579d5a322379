/* SPDX-License-Identifier: Apache-2.0 */
/* See array_layout.h. */
#include "sim/engine/array_layout.h"

#include <string.h>

#include "sim/base/checked.h"

/* ---- one cycle ---- */

/* Lines that each bank must read. A line is asked for by neighbouring lanes, so it is enough to know the last one. */
struct banks {
    uint64_t banks, most;
    uint64_t lines[SY_LAYOUT_BANKS], seen[SY_LAYOUT_BANKS];
};

static void clear(struct banks *b, uint64_t banks)
{
    b->banks = sy_max(sy_min(banks, SY_LAYOUT_BANKS), 1);
    b->most = 0;
    memset(b->lines, 0, b->banks * sizeof b->lines[0]);
    memset(b->seen, 0, b->banks * sizeof b->seen[0]);
}

static void ask(struct banks *b, const struct sy_edge *edge, uint64_t steps, uint64_t cycle, uint64_t *stamp)
{
    const uint64_t words = edge->lane_words * edge->stream_words;
    uint64_t from = cycle >= steps ? cycle - steps + 1 : 0, to = sy_min(edge->lanes, cycle + 1), line[2] = {0};
    for (uint64_t r = from; r < to; r++) {
        uint64_t lane = edge->first_lane + r, step = cycle - r;
        uint64_t p = lane % edge->lane_words, q = step % edge->stream_words;
        uint64_t column = edge->lanes_inner ? q * edge->lane_words + p : p * edge->stream_words + q;
        uint64_t bank = column * b->banks / words;
        if (r == from || lane / edge->lane_words != line[0] || step / edge->stream_words != line[1])
            ++*stamp;
        line[0] = lane / edge->lane_words;
        line[1] = step / edge->stream_words;
        if (b->seen[bank] == *stamp)
            continue;
        b->seen[bank] = *stamp;
        b->most = sy_max(b->most, ++b->lines[bank]);
    }
}

static uint64_t stalls_of_cycle(const struct sy_edge edge[2], bool one_level, uint64_t steps, uint64_t cycle,
                                struct banks *b)
{
    uint64_t most = 0, stamp = 0;
    for (int i = 0; i < 2; i++) {
        if (!edge[i].lanes)
            continue;
        if (i == 0 || !one_level || !edge[0].lanes)
            clear(b, edge[i].banks);
        ask(b, &edge[i], steps, cycle, &stamp);
        most = sy_max(most, sy_ceil_div(b->most, sy_max(edge[i].ports, 1)));
    }
    return most ? most - 1 : 0;
}

/* ---- a fold ---- */

uint64_t sy_layout_fold_stalls(const struct sy_edge edge[2], bool one_level, uint64_t steps)
{
    struct banks b;
    uint64_t period = 1, lanes = sy_max(edge[0].lanes, edge[1].lanes), stalls = 0;
    if (!lanes || !steps)
        return 0;
    for (int i = 0; i < 2; i++)
        period = edge[i].lanes ? period / sy_gcd(period, edge[i].stream_words) * edge[i].stream_words : period;
    uint64_t full = lanes - 1, periods = steps > full ? (steps - full) / period : 0, of_period = 0;
    for (uint64_t t = 0; t < full; t++)
        stalls += stalls_of_cycle(edge, one_level, steps, t, &b);
    for (uint64_t t = full; periods && t < full + period; t++)
        of_period += stalls_of_cycle(edge, one_level, steps, t, &b);
    for (uint64_t t = full + periods * period; t < steps + lanes - 1; t++)
        stalls += stalls_of_cycle(edge, one_level, steps, t, &b);
    return stalls + periods * of_period;
}

/* ---- a tile ---- */

static uint32_t level_of(const struct sy_chip *chip, enum sy_operand operand)
{
    uint32_t chain[SY_MAX_LEVELS];
    return sy_chip_chain(chip, operand, chain) ? chain[0] : 0;
}

/* The operand with `lanes` along one of its dimensions, the stream along the other; none without a layout. */
static struct sy_edge edge_of(const struct sy_chip *chip, enum sy_operand operand, uint32_t lane_dim)
{
    const struct sy_level *level = &chip->level[level_of(chip, operand)];
    const struct sy_layout *layout = &level->layout[operand];
    struct sy_edge edge = {.lane_words = sy_max(lane_dim ? layout->second : layout->first, 1),
                           .stream_words = sy_max(lane_dim ? layout->first : layout->second, 1),
                           .lanes_inner = layout->inner == lane_dim,
                           .banks = level->banks,
                           .ports = level->ports};
    return edge;
}

static bool has_layout(const struct sy_edge *edge)
{
    return edge->lane_words * edge->stream_words > 1;
}

/* Folds of one dimension by where they begin in a line and how long they are. */
struct folds {
    uint64_t size, array, words; /* of the dimension, the edge, a line */
};

static uint64_t kinds_of(const struct folds *f)
{
    return sy_min(sy_ceil_div(f->size, f->array), f->words / sy_gcd(f->words, f->array) + 1);
}

/* Kind i: its fold, and how many are like it. The last fold is a kind of its own. */
static uint64_t take_kind(const struct folds *f, uint64_t i, struct sy_edge *edge)
{
    uint64_t all = sy_ceil_div(f->size, f->array), kinds = kinds_of(f), fold = i + 1 == kinds ? all - 1 : i;
    edge->first_lane = fold % f->words * (f->array % f->words) % f->words;
    edge->lanes = sy_min(f->array, f->size - fold * f->array);
    if (i + 1 == kinds)
        return 1;
    return (all - 1 - i - 1) / (kinds - 1) + 1;
}

static uint64_t stalls_of_os(const struct sy_chip *chip, uint64_t m, uint64_t k, uint64_t n)
{
    struct sy_edge edge[2] = {edge_of(chip, SY_A, 0), edge_of(chip, SY_B, 1)};
    const struct sy_array *array = &chip->array;
    const bool has[2] = {has_layout(&edge[0]), has_layout(&edge[1])};
    const bool one_level = level_of(chip, SY_A) == level_of(chip, SY_B);
    const struct folds rows = {m, array->rows, edge[0].lane_words}, cols = {n, array->cols, edge[1].lane_words};
    uint64_t stalls = 0;
    for (uint64_t i = 0; (has[0] || has[1]) && i < kinds_of(&rows); i++)
        for (uint64_t j = 0; j < kinds_of(&cols); j++) {
            uint64_t times = take_kind(&rows, i, &edge[0]) * take_kind(&cols, j, &edge[1]);
            for (int e = 0; e < 2; e++)
                edge[e].lanes = has[e] ? edge[e].lanes : 0;
            stalls += times * sy_layout_fold_stalls(edge, one_level, k);
        }
    return stalls;
}

/* Weight or input stationary: the lanes are steps of k, of the operand that streams. */
static uint64_t stalls_of_stream(const struct sy_chip *chip, enum sy_operand operand, uint64_t k, uint64_t steps,
                                 uint64_t other_folds)
{
    struct sy_edge edge[2] = {edge_of(chip, operand, operand == SY_A ? 1 : 0)};
    const struct folds rows = {k, chip->array.rows, edge[0].lane_words};
    uint64_t stalls = 0;
    for (uint64_t i = 0; has_layout(&edge[0]) && i < kinds_of(&rows); i++) {
        uint64_t times = take_kind(&rows, i, &edge[0]) * other_folds;
        stalls += times * sy_layout_fold_stalls(edge, false, steps);
    }
    return stalls;
}

uint64_t sy_layout_stalls(const struct sy_chip *chip, const struct sy_dataflow *dataflow, uint64_t m, uint64_t k,
                          uint64_t n)
{
    const struct sy_array *array = &chip->array;
    switch (dataflow->kind) {
    case SY_OS:
        return stalls_of_os(chip, m, k, n);
    case SY_WS:
        return stalls_of_stream(chip, SY_A, k, m, sy_ceil_div(n, array->cols));
    case SY_IS:
        return stalls_of_stream(chip, SY_B, k, n, sy_ceil_div(m, array->cols));
    case SY_RS:
    case SY_DATAFLOW_KINDS:
        break;
    }
    return 0;
}
