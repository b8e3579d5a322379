/* SPDX-License-Identifier: Apache-2.0 */
/* See array_tile.h. */
#include "sim/engine/array_tile.h"

#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/array_layout.h"

struct share {
    uint64_t m, n;
};

/* The largest share of so many arrays. */
static struct share share_of(const struct sy_array *array, uint64_t arrays, uint64_t m, uint64_t n)
{
    if (arrays > 1 && sy_ceil_div(n, array->cols) < arrays)
        return (struct share){sy_ceil_div(m, arrays), n};
    return (struct share){m, sy_ceil_div(n, arrays)};
}

/* Bytes the arrays' ports move for the tile, by operand: what the dataflow streams again for each fold. A share of M
 * reads its own rows of A; B then goes to all arrays at once. */
static bool port_bytes(const struct sy_chip *chip, const struct sy_dataflow *dataflow, uint64_t m, uint64_t k,
                       uint64_t n, struct share share, uint64_t row_folds, const uint64_t bits[SY_OPERANDS],
                       bool accumulate, uint64_t read[SY_OPERANDS], uint64_t *write_c)
{
    const struct sy_array *array = &chip->array;
    uint64_t a, b, c, a_times = 1, b_times = 1, sums = 1;
    if (!sy_mul(m, k, &a) || !sy_mul(k, n, &b) || !sy_mul(m, n, &c))
        return false;
    switch (dataflow->kind) {
    case SY_OS:
        a_times = sy_ceil_div(share.n, array->cols);
        b_times = sy_ceil_div(share.m, array->rows);
        break;
    case SY_WS:
        a_times = sy_ceil_div(share.n, array->cols);
        sums = row_folds;
        break;
    case SY_IS:
        b_times = sy_ceil_div(share.m, array->cols);
        sums = row_folds;
        break;
    case SY_RS:
    case SY_DATAFLOW_KINDS:
        return false;
    }
    uint64_t sum_reads = sums - 1 + accumulate;
    if (!sy_mul3(a, a_times, bits[SY_A], &read[SY_A]) || !sy_mul3(b, b_times, bits[SY_B], &read[SY_B]) ||
        !sy_mul3(c, sum_reads, bits[SY_C], &read[SY_C]) || !sy_mul3(c, sums, bits[SY_C], write_c))
        return false;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        read[operand] = sy_ceil_div(read[operand], 8);
    *write_c = sy_ceil_div(*write_c, 8);
    return true;
}

static uint64_t cycles_at(const struct sy_chip *chip, uint64_t bytes, double bytes_per_s)
{
    if (bytes_per_s <= 0 || bytes_per_s > 1e18)
        return 0;
    uint64_t per_second = 0, cycles = 0;
    if (!sy_mul((uint64_t)(bytes_per_s + 0.5), chip->clock[0].frequency.den, &per_second) ||
        !sy_mul_div_up(bytes, chip->clock[0].frequency.num, per_second, &cycles))
        return 0;
    return cycles;
}

static void touch_levels(const struct sy_chip *chip, const struct sy_dataflow *dataflow,
                         const uint64_t read[SY_OPERANDS], uint64_t write_c, struct sy_array_tile *tile)
{
    uint32_t chain[SY_MAX_LEVELS];
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        if (!sy_chip_chain(chip, (enum sy_operand)operand, chain))
            continue;
        tile->level_read_bytes[chain[0]] += read[operand];
        tile->level_write_bytes[chain[0]] += operand == SY_C ? write_c : 0;
    }
    for (uint32_t i = 0; i < chip->levels; i++) {
        const struct sy_level *level = &chip->level[i];
        bool preload_only = dataflow->stationary != SY_C && level->holds == 1u << dataflow->stationary;
        if (level->kind != SY_LEVEL_SRAM || preload_only)
            continue;
        tile->port_cycles =
            sy_max(tile->port_cycles, cycles_at(chip, tile->level_read_bytes[i], level->read_bytes_per_s));
        tile->port_cycles =
            sy_max(tile->port_cycles, cycles_at(chip, tile->level_write_bytes[i], level->write_bytes_per_s));
    }
}

/* Rows that a part of k takes of each fold's: steps that share a row belong to one segment. */
static bool pack_cut(struct sy_array_cut *cut, uint64_t num, uint64_t den, uint64_t *packed)
{
    uint64_t segments;
    return sy_mul_div_up(cut->head, den, num, &cut->head) && sy_mul_div_up(cut->segment, den, num, &cut->segment) &&
           sy_mul_div_up(cut->tail, den, num, &cut->tail) && sy_mul(cut->segment, cut->segments, &segments) &&
           sy_add(cut->head, segments, packed) && sy_add(*packed, cut->tail, packed);
}

/* A pair of formats that the array multiplies faster than its native one packs that many k steps into a row; a slower
 * one holds each beat for that many cycles. */
static enum sy_status run_at_rate(const struct sy_array *array, const struct sy_precision *precision,
                                  enum sy_dataflow_kind kind, struct share share, struct sy_array_cut cut,
                                  struct sy_array_tile *tile)
{
    struct sy_array_run *run = &tile->run;
    uint64_t num = precision ? precision->macs_num : 1, den = precision ? precision->macs_den : 1, extra = 0;
    if (!pack_cut(&cut, sy_max(num, den), den, &tile->packed_k))
        return SY_OVERFLOW;
    tile->cut = cut;
    enum sy_status status =
        sy_array_run_of_cut(&array->timing, kind, array->rows, array->cols, share.m, &cut, share.n, run);
    if (status != SY_OK || num >= den)
        return status;
    if (!sy_mul_div_up(run->beats, den - num, num, &extra) ||
        !sy_add(run->occupancy_cycles, extra, &run->occupancy_cycles) ||
        !sy_add(run->latency_cycles, extra, &run->latency_cycles) ||
        !sy_mul_div_up(run->mapped_pe_beats, den, num, &run->mapped_pe_beats) ||
        !sy_mul_div_up(run->pe_beats, den, num, &run->pe_beats))
        return SY_OVERFLOW;
    run->beats += extra;
    tile->held_cycles = extra;
    return SY_OK;
}

/* Row stationary: the run and what the ports move come from one mapping. All arrays get equal shares. */
static enum sy_status row_tile(const struct sy_array *array, uint64_t arrays, const struct sy_precision *precision,
                               struct share share, uint64_t k, const struct sy_row_window *window,
                               const uint64_t bits[SY_OPERANDS], bool accumulate, struct sy_array_tile *tile,
                               uint64_t read[SY_OPERANDS], uint64_t *write_c)
{
    struct sy_rs_tile rows;
    uint64_t sums, each[SY_OPERANDS] = {0};
    enum sy_status status =
        sy_rs_tile_of(&array->timing, array->rows, array->cols, window, share.m, k, share.n,
                      precision ? precision->macs_num : 1, precision ? precision->macs_den : 1, &rows);
    if (status != SY_OK)
        return status;
    tile->run = rows.run;
    tile->packed_k = k;
    if (!sy_mul3(share.m, share.n, rows.sum_writes - 1 + accumulate, &each[SY_C]) ||
        !sy_mul3(share.m, share.n, rows.sum_writes, &sums) || !sy_mul3(sums, arrays, bits[SY_C], write_c))
        return SY_OVERFLOW;
    each[SY_A] = rows.a_reads;
    each[SY_B] = rows.b_reads;
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        if (!sy_mul3(each[operand], arrays, bits[operand], &read[operand]))
            return SY_OVERFLOW;
        read[operand] = sy_ceil_div(read[operand], 8);
    }
    *write_c = sy_ceil_div(*write_c, 8);
    return SY_OK;
}

enum sy_status sy_array_tile_of_groups(const struct sy_chip *chip, uint8_t dataflow, const struct sy_row_window *window,
                                       uint64_t m, uint64_t k, uint64_t n, uint64_t groups, enum sy_dtype a,
                                       enum sy_dtype b, bool accumulate, struct sy_array_tile *tile)
{
    const struct sy_array *array = &chip->array;
    const struct sy_precision *precision = sy_chip_precision(chip, a, b);
    const struct sy_dataflow *flow = &array->dataflow[dataflow];
    const uint64_t side = sy_array_side(array, n, groups), arrays = sy_max(array->count / side, 1);
    struct share share = share_of(array, arrays, m, n);
    uint64_t read[SY_OPERANDS], write_c;
    const uint64_t bits[SY_OPERANDS] = {sy_dtypes[a].bits, sy_dtypes[b].bits,
                                        sy_dtypes[precision ? precision->accumulator : SY_INT32].bits};
    memset(tile, 0, sizeof *tile);
    tile->side = side;
    tile->arrays = arrays;
    tile->share_m = share.m;
    tile->share_n = share.n;
    enum sy_status status;
    bool by_rows = flow->kind == SY_RS;
    if (by_rows)
        status = row_tile(array, arrays, precision, share, k, window, bits, accumulate, tile, read, &write_c);
    else
        status = run_at_rate(array, precision, flow->kind, share,
                             sy_array_cut_of(k, sy_row_window_segment(window, array, flow), window ? window->into : 0),
                             tile);
    if (status != SY_OK)
        return status;
    if (!by_rows && !port_bytes(chip, flow, m, k, n, share, tile->run.row_folds, bits, accumulate, read, &write_c))
        return SY_OVERFLOW;
    touch_levels(chip, flow, read, write_c, tile);
    tile->gap = sy_array_gap_between(&tile->run, &tile->run);
    if (!by_rows)
        tile->layout_stalls = sy_layout_stalls(chip, flow, share.m, tile->packed_k, share.n);
    return SY_OK;
}

enum sy_status sy_array_tile_in_window(const struct sy_chip *chip, uint8_t dataflow, const struct sy_row_window *window,
                                       uint64_t m, uint64_t k, uint64_t n, enum sy_dtype a, enum sy_dtype b,
                                       bool accumulate, struct sy_array_tile *tile)
{
    return sy_array_tile_of_groups(chip, dataflow, window, m, k, n, 1, a, b, accumulate, tile);
}

enum sy_status sy_array_tile_of(const struct sy_chip *chip, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n,
                                enum sy_dtype a, enum sy_dtype b, bool accumulate, struct sy_array_tile *tile)
{
    return sy_array_tile_in_window(chip, dataflow, NULL, m, k, n, a, b, accumulate, tile);
}

struct sy_window_use sy_array_window_use(const struct sy_chip *chip, uint8_t dataflow,
                                         const struct sy_matrix_item *item)
{
    const struct sy_array *array = &chip->array;
    const struct sy_dataflow *flow = &array->dataflow[dataflow];
    const struct sy_row_window window = sy_row_window_of(item);
    const struct sy_precision *precision = sy_chip_precision(chip, item->a, item->b);
    struct sy_window_use use = {.array_rows = array->rows};
    uint64_t num = precision ? precision->macs_num : 1, den = precision ? precision->macs_den : 1, channels, rows;
    bool by_rows = flow->kind == SY_WS || flow->kind == SY_IS;
    uint64_t segment = sy_row_window_segment(&window, array, flow);
    use.segment = segment ? segment : item->k;
    num = sy_max(num, den);
    if (!by_rows || !window.out_row || window.channels >= item->k ||
        !sy_mul_div_up(window.channels, den, num, &channels) || !sy_mul_div_up(use.segment, den, num, &rows) ||
        channels % array->rows == 0)
        return use;
    use.packed = !segment ? SY_WINDOW_PACKED : segment > window.channels ? SY_WINDOW_PART_PACKED : SY_WINDOW_NOT_PACKED;
    use.rows = (double)rows / (double)sy_ceil_div(rows, array->rows);
    return use;
}
