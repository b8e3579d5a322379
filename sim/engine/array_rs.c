/* SPDX-License-Identifier: Apache-2.0 */
/* See array_rs.h. */
#include "sim/engine/array_rs.h"

#include <string.h>

#include "sim/engine/array_fold.h"

/* The tile as rows: what one PE, one set and all sets have to do. */
struct problem {
    const struct sy_array_timing *timing;
    uint64_t rows, cols, m, k, n;
    uint64_t filter_rows, row_steps; /* rows of the filter; k steps in one: taps x channels */
    uint64_t taps, channels;
    uint64_t out_rows, pixels; /* rows of outputs; outputs in one */
    uint64_t stride_y, stride_x;
    uint64_t macs_num, macs_den;
};

/* One way to share the sets, and what it costs. */
struct plan {
    struct sy_rs_mapping mapping;
    uint64_t steps, filters; /* k steps and filters of one PE a round */
    uint64_t passes;
    uint64_t pe_beats_each;           /* MACs of one PE in the whole tile */
    uint64_t compute_cycles;          /* all passes */
    uint64_t loaded_words;            /* filter words through the port */
    uint64_t pass_load, pass_exposed; /* cycles of one pass's filters; of those a pass waits for */
    uint64_t total;
};

struct sy_row_window sy_row_window_of(const struct sy_matrix_item *item)
{
    const struct sy_window *window = &item->window;
    struct sy_row_window rows = {0};
    if (!window->is_conv)
        return rows;
    rows = (struct sy_row_window){window->ow, window->fw * window->c,   window->fw, window->sh,
                                  window->sw, sy_window_channels(item), window->fh, 0};
    return rows;
}

enum sy_status sy_row_window_of_layer(const struct sy_layer *layer, struct sy_row_window *window)
{
    struct sy_work work;
    enum sy_status status = sy_lower(layer, &work);
    memset(window, 0, sizeof *window);
    for (uint32_t i = 0; status == SY_OK && i < work.items && !window->out_row; i++)
        if (work.item[i].kind == SY_ITEM_MATRIX)
            *window = sy_row_window_of(&work.item[i].u.matrix);
    return status;
}

uint64_t sy_row_window_segment(const struct sy_row_window *window, const struct sy_array *array,
                               const struct sy_dataflow *dataflow)
{
    if (!window || !window->out_row)
        return 0;
    return sy_chip_segment(array, dataflow, window->channels, window->filter_rows, window->taps);
}

static struct problem problem_of(const struct sy_array_timing *timing, uint64_t rows, uint64_t cols,
                                 const struct sy_row_window *window, uint64_t m, uint64_t k, uint64_t n)
{
    struct problem p = {.timing = timing, .rows = rows, .cols = cols, .m = m, .k = k, .n = n};
    if (window && window->out_row) {
        p.filter_rows = sy_ceil_div(k, window->filter_row);
        p.row_steps = sy_min(k, window->filter_row);
        p.taps = sy_min(window->taps, p.row_steps);
        p.out_rows = sy_ceil_div(m, window->out_row);
        p.pixels = sy_min(m, window->out_row);
        p.stride_y = window->stride_y;
        p.stride_x = window->stride_x;
    } else {
        p.filter_rows = p.taps = p.stride_x = p.stride_y = 1;
        p.row_steps = k;
        p.out_rows = sy_min(m, cols);
        p.pixels = sy_ceil_div(m, p.out_rows);
    }
    p.channels = sy_ceil_div(p.row_steps, p.taps);
    return p;
}

/* The set and how many fit; folds and strips are cut evenly. */
static struct sy_rs_mapping lay_set(const struct problem *p)
{
    struct sy_rs_mapping map = {.folds = sy_ceil_div(p->filter_rows, p->rows)};
    map.strips = sy_ceil_div(p->out_rows, p->cols);
    map.filter_rows = sy_ceil_div(p->filter_rows, map.folds);
    map.strip = sy_ceil_div(p->out_rows, map.strips);
    map.sets = (p->rows / map.filter_rows) * (p->cols / map.strip);
    return map;
}

/* Cycles with the sets shared as map says. */
static struct plan cost(const struct problem *p, const struct sy_rs_mapping *map, struct sy_calc *calc)
{
    const struct sy_array_timing *t = p->timing;
    struct plan plan = {.mapping = *map};
    struct sy_rs_mapping *m = &plan.mapping;
    uint64_t places = sy_calc_mul(calc, m->folds, m->strips), cycles = 0;
    m->rounds = sy_ceil_div(places, m->place_sets);
    plan.steps = sy_min(p->row_steps, sy_ceil_div(p->channels, m->channel_sets) * p->taps);
    plan.filters = sy_ceil_div(p->n, m->filter_sets);
    /* A PE holds a piece of its input row, that piece of several filters, and a sum for each of those. */
    uint64_t held = t->rs_ifmap_words >= p->taps ? t->rs_ifmap_words / p->taps * p->taps : t->rs_ifmap_words;
    held = sy_min(held, plan.steps);
    uint64_t beside = sy_min(t->rs_sum_words, sy_max(t->rs_filter_words / held, 1));
    m->channel_passes = sy_ceil_div(plan.steps, held);
    m->filter_passes = sy_ceil_div(plan.filters, beside);
    uint64_t round_passes = sy_calc_mul(calc, m->channel_passes, m->filter_passes);
    plan.passes = sy_calc_mul(calc, m->rounds, round_passes);
    plan.pe_beats_each =
        sy_calc_mul(calc, sy_calc_mul(calc, m->rounds, p->pixels), sy_calc_mul(calc, plan.steps, plan.filters));
    cycles = sy_calc_mul(calc, plan.pe_beats_each, t->mac_initiation_interval);
    calc->overflow |= !sy_mul_div_up(cycles, p->macs_den, p->macs_num, &plan.compute_cycles);
    /* Sets at other strips get the same filter words in one transfer; what is held for good is loaded once. */
    uint64_t words = sy_calc_mul(calc, sy_calc_mul(calc, m->filter_rows, p->row_steps), p->n);
    words = sy_calc_mul(calc, words, sy_min(m->place_sets, m->folds));
    bool stays = round_passes == 1 && m->folds == 1;
    plan.loaded_words = stays ? words : sy_calc_mul(calc, words, m->rounds);
    uint64_t loads = stays ? 1 : plan.passes;
    uint64_t load = t->weight_load == SY_LOAD_NONE ? 0 : sy_ceil_div(plan.loaded_words, t->rs_filter_words_per_cycle);
    plan.pass_load = sy_ceil_div(load, loads);
    plan.pass_exposed = stays ? 0 : plan.pass_load;
    if (t->weight_load == SY_LOAD_DOUBLE_BUFFERED)
        plan.pass_exposed = sy_minus(plan.pass_exposed, plan.compute_cycles / plan.passes);
    plan.total = sy_calc_add(calc, plan.compute_cycles, sy_calc_mul(calc, plan.passes - 1, plan.pass_exposed));
    plan.total = sy_calc_add(calc, plan.total, plan.pass_load);
    return plan;
}

/* The shares that are tried: every one while there are few, then steps of a sixteenth, and the last. */
static uint64_t next_share(uint64_t share, uint64_t last)
{
    uint64_t next = share + sy_max(share / 16, 1);
    return share < last ? sy_min(next, last) : last + 1;
}

static struct plan best_plan(const struct problem *p, struct sy_calc *calc)
{
    struct sy_rs_mapping map = lay_set(p);
    struct plan best = {0};
    uint64_t places = sy_calc_mul(calc, map.folds, map.strips);
    uint64_t most_places = sy_min(places, map.sets);
    for (uint64_t s = 1; s <= most_places; s = next_share(s, most_places)) {
        uint64_t most_channels = sy_min(p->channels, map.sets / s);
        for (uint64_t c = 1; c <= most_channels; c = next_share(c, most_channels)) {
            map.place_sets = s;
            map.channel_sets = c;
            map.filter_sets = sy_min(p->n, map.sets / s / c);
            struct plan plan = cost(p, &map, calc);
            bool fewer = plan.total == best.total && plan.loaded_words < best.loaded_words;
            if (best.passes == 0 || plan.total < best.total || fewer)
                best = plan;
        }
    }
    return best;
}

static void fill_run(const struct problem *p, const struct plan *plan, struct sy_calc *calc, struct sy_array_run *run)
{
    const struct sy_array_timing *t = p->timing;
    const struct sy_rs_mapping *map = &plan->mapping;
    uint64_t fill = t->input_registers + (map->filter_rows - 1) * t->psum_hop_cycles + t->multiply_cycles +
                    t->accumulate_cycles + t->output_registers;
    bool serial = t->fold_overlap == SY_OVERLAP_NONE;
    run->folds = plan->passes;
    run->lead_cycles = plan->pass_load;
    run->beats = plan->compute_cycles;
    run->preload_exposed_cycles = sy_calc_mul(calc, plan->passes - 1, plan->pass_exposed);
    run->fill_drain_cycles = serial ? sy_calc_mul(calc, plan->passes, fill) : 0;
    run->occupancy_cycles =
        sy_calc_add(calc, sy_calc_add(calc, run->beats, run->preload_exposed_cycles), run->fill_drain_cycles);
    run->latency_cycles = serial ? run->occupancy_cycles : sy_calc_add(calc, run->occupancy_cycles, fill);
    if (t->weight_load == SY_LOAD_DOUBLE_BUFFERED)
        run->lead_hidden_cycles = plan->compute_cycles / plan->passes;
    /* Channel passes follow each other, so the first sums are complete after those of the first filters. */
    uint64_t before = run->occupancy_cycles / plan->passes * (map->channel_passes - 1);
    run->first_result_cycles = sy_min(run->latency_cycles, sy_calc_add(calc, before, fill + 1));
    run->useful_macs = sy_calc_mul(calc, sy_calc_mul(calc, p->m, p->k), p->n);
    uint64_t steps = sy_calc_mul(calc, map->channel_sets, plan->steps);
    uint64_t filters = sy_calc_mul(calc, map->filter_sets, plan->filters);
    uint64_t places = sy_calc_mul(calc, sy_calc_mul(calc, p->filter_rows, p->out_rows), p->pixels);
    run->mapped_pe_beats = sy_calc_mul(calc, places, sy_calc_mul(calc, steps, filters));
    run->pe_beats = sy_calc_mul(calc, sy_calc_mul(calc, p->rows, p->cols), plan->pe_beats_each);
}

/* Elements of the input that reach the array: a strip's rows go diagonally to all PEs that use them, once for each
 * filter pass; where the stride skips input, that is not read. */
static uint64_t input_reads(const struct problem *p, const struct sy_rs_mapping *map, struct sy_calc *calc)
{
    uint64_t lines = (p->out_rows - map->strips) * sy_min(p->stride_y, map->filter_rows);
    lines = sy_calc_mul(calc, sy_calc_add(calc, lines, sy_calc_mul(calc, map->strips, map->filter_rows)), map->folds);
    uint64_t width = (p->pixels - 1) * sy_min(p->stride_x, p->taps) + p->taps;
    uint64_t once = sy_calc_mul(calc, sy_calc_mul(calc, lines, width), p->channels);
    return sy_calc_mul(calc, once, map->filter_passes);
}

enum sy_status sy_rs_tile_of(const struct sy_array_timing *timing, uint64_t rows, uint64_t cols,
                             const struct sy_row_window *window, uint64_t m, uint64_t k, uint64_t n, uint64_t macs_num,
                             uint64_t macs_den, struct sy_rs_tile *tile)
{
    memset(tile, 0, sizeof *tile);
    if (!rows || !cols || !m || !k || !n || !macs_num || !macs_den)
        return SY_INPUT;
    if (!sy_array_runs(timing, SY_RS))
        return SY_UNSUPPORTED;
    struct problem p = problem_of(timing, rows, cols, window, m, k, n);
    struct sy_calc calc = {0};
    p.macs_num = macs_num;
    p.macs_den = macs_den;
    struct plan plan = best_plan(&p, &calc);
    fill_run(&p, &plan, &calc, &tile->run);
    tile->mapping = plan.mapping;
    tile->a_reads = input_reads(&p, &plan.mapping, &calc);
    tile->b_reads = plan.loaded_words;
    tile->sum_writes = sy_calc_mul(&calc, plan.mapping.channel_passes, plan.mapping.folds);
    return calc.overflow ? SY_OVERFLOW : SY_OK;
}
