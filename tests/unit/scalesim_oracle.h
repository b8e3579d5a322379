/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An oracle for the SCALE-Sim parity model: the same tool, done the slow way.
 * Where the model computes a demand row when it needs it, this builds the
 * whole demand matrices out of operand matrices, as blocks that are padded,
 * flipped, skewed and stacked; where the model counts or jumps, this walks
 * word by word and prefetch by prefetch. It shares no line with sim/engine.
 * Dense layers and layer-wise sparsity; only for one test program.
 */
#ifndef SCALESIM_ORACLE_H
#define SCALESIM_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/scalesim.h"

/* ---- matrices of addresses; -1 = none ---- */

struct oracle_matrix {
    int rows, cols;
    int *v;
};

static struct oracle_matrix oracle_new(int rows, int cols)
{
    struct oracle_matrix m = {rows, cols, malloc((size_t)(rows * cols + 1) * sizeof(int))};
    for (int i = 0; i < rows * cols; i++)
        m.v[i] = -1;
    return m;
}
static int *oracle_at(const struct oracle_matrix *m, int row, int col)
{
    return &m->v[row * m->cols + col];
}

/* The block of `from` at (row, col), rows x cols with -1 beyond its edges; frees nothing. */
static struct oracle_matrix oracle_block(const struct oracle_matrix *from, int row, int col, int rows, int cols)
{
    struct oracle_matrix m = oracle_new(rows, cols);
    for (int r = 0; r < rows && row + r < from->rows; r++)
        for (int c = 0; c < cols && col + c < from->cols; c++)
            *oracle_at(&m, r, c) = *oracle_at(from, row + r, col + c);
    return m;
}
/* The three below take their argument. */
static struct oracle_matrix oracle_flip(struct oracle_matrix from)
{
    struct oracle_matrix m = oracle_new(from.rows, from.cols);
    for (int r = 0; r < from.rows; r++)
        memcpy(oracle_at(&m, r, 0), oracle_at(&from, from.rows - 1 - r, 0), (size_t)from.cols * sizeof(int));
    free(from.v);
    return m;
}
static struct oracle_matrix oracle_pad(int above, struct oracle_matrix from, int below)
{
    struct oracle_matrix m = oracle_new(above + from.rows + below, from.cols);
    memcpy(oracle_at(&m, above, 0), from.v, (size_t)(from.rows * from.cols) * sizeof(int));
    free(from.v);
    return m;
}
static struct oracle_matrix oracle_skew(struct oracle_matrix from)
{
    struct oracle_matrix m = oracle_new(from.rows + from.cols - 1, from.cols);
    for (int r = 0; r < from.rows; r++)
        for (int c = 0; c < from.cols; c++)
            *oracle_at(&m, r + c, c) = *oracle_at(&from, r, c);
    free(from.v);
    return m;
}
static struct oracle_matrix oracle_transpose(const struct oracle_matrix *from)
{
    struct oracle_matrix m = oracle_new(from->cols, from->rows);
    for (int r = 0; r < from->rows; r++)
        for (int c = 0; c < from->cols; c++)
            *oracle_at(&m, c, r) = *oracle_at(from, r, c);
    return m;
}
/* Room for `count` ints, doubling. */
static int *oracle_grow(int *v, int used, int count)
{
    int room = 1;
    while (room < used)
        room *= 2;
    if (v && count <= room)
        return v;
    while (room < count)
        room *= 2;
    return realloc(v, (size_t)room * sizeof(int));
}
static void oracle_stack(struct oracle_matrix *onto, struct oracle_matrix from)
{
    int used = onto->rows * from.cols, more = from.rows * from.cols;
    onto->v = oracle_grow(onto->v, used, used + more);
    memcpy(onto->v + used, from.v, (size_t)more * sizeof(int));
    onto->rows += from.rows;
    onto->cols = from.cols;
    free(from.v);
}

/* ---- operands ---- */

static struct oracle_matrix oracle_ifmap(const struct sy_scalesim_layer *l)
{
    int h = (int)l->ifmap_h, w = (int)l->ifmap_w, fh = (int)l->filter_h, fw = (int)l->filter_w, c = (int)l->channels;
    int sh = (int)l->stride_h, sw = (int)l->stride_w;
    int out_h = (h - fh + sh + sh - 1) / sh, out_w = (w - fw + sw + sw - 1) / sw;
    struct oracle_matrix m = oracle_new(out_h * out_w, fh * fw * c);
    for (int oy = 0; oy < out_h; oy++)
        for (int ox = 0; ox < out_w; ox++)
            for (int y = 0; y < fh; y++)
                for (int x = 0; x < fw; x++)
                    for (int ch = 0; ch < c; ch++)
                        if (oy * sh + y < h && ox * sw + x < w)
                            *oracle_at(&m, oy * out_w + ox, (y * fw + x) * c + ch) =
                                ((oy * sh + y) * w + ox * sw + x) * c + ch;
    return m;
}

static struct oracle_matrix oracle_filter(int k, int n)
{
    struct oracle_matrix m = oracle_new(k, n);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < n; j++)
            *oracle_at(&m, i, j) = j * k + i;
    return m;
}

/* Layer-wise N:M. Columns of the ifmap whose pattern is 0 go; filter columns are squeezed block by block. `offset`
 * is added while "is it zero" is asked, as the tool's addresses have it. */
static void oracle_sparsify(const struct sy_scalesim_layer *l, int offset, struct oracle_matrix *ifmap,
                            struct oracle_matrix *filter)
{
    int keep = (int)l->sparsity_n, group = (int)l->sparsity_m, k = filter->rows, rows = 0, kept = 0;
    struct oracle_matrix a = oracle_new(ifmap->rows, ifmap->cols);
    struct oracle_matrix b = oracle_new((k + group - 1) / group * keep, filter->cols);
    for (int i = 0; i < k; i++) {
        if (i % group >= keep)
            continue;
        for (int p = 0; p < ifmap->rows; p++)
            a.v[p * ifmap->cols + kept] = *oracle_at(ifmap, p, i);
        kept++;
    }
    for (int n = 0; n < filter->cols; n++) {
        for (int block = 0; block * group < k; block++) {
            int used = 0;
            for (int i = block * group; i < k && i < block * group + keep; i++)
                if (*oracle_at(filter, i, n) + offset != 0)
                    *oracle_at(&b, block * keep + used++, n) = *oracle_at(filter, i, n);
            for (; used < keep; used++)
                *oracle_at(&b, block * keep + used, n) = -offset;
        }
    }
    for (rows = b.rows; rows > 0; rows--) {
        bool zero = true;
        for (int n = 0; n < b.cols; n++)
            zero = zero && *oracle_at(&b, rows - 1, n) + offset == 0;
        if (!zero)
            break;
    }
    struct oracle_matrix ifmap_kept = oracle_block(&a, 0, 0, a.rows, kept);
    struct oracle_matrix filter_kept = oracle_block(&b, 0, 0, rows, b.cols);
    free(a.v);
    free(b.v);
    free(ifmap->v);
    free(filter->v);
    *ifmap = ifmap_kept;
    *filter = filter_kept;
}

/* ---- demand and fetch matrices ---- */

struct oracle_demand {
    struct oracle_matrix ifmap, filter, ofmap;
    struct oracle_matrix fetch[2];
    bool by_diagonal[2];
};

static void oracle_os(const struct oracle_matrix *a, const struct oracle_matrix *b, const struct oracle_matrix *o,
                      int R, int C, struct oracle_demand *d)
{
    struct oracle_matrix at = oracle_transpose(a);
    for (int n = 0; n < b->cols; n += C)
        for (int m = 0; m < a->rows; m += R) {
            oracle_stack(&d->ifmap, oracle_skew(oracle_pad(0, oracle_block(&at, 0, m, at.rows, R), C - 1)));
            oracle_stack(&d->filter, oracle_skew(oracle_pad(0, oracle_block(b, 0, n, b->rows, C), R - 1)));
            oracle_stack(&d->ofmap, oracle_skew(oracle_pad(at.rows - 1, oracle_flip(oracle_block(o, m, n, R, C)), 0)));
        }
    for (int m = 0; m < a->rows; m += R)
        oracle_stack(&d->fetch[0], oracle_block(&at, 0, m, at.rows, R));
    for (int n = 0; n < b->cols; n += C)
        oracle_stack(&d->fetch[1], oracle_block(b, 0, n, b->rows, C));
    d->by_diagonal[0] = d->by_diagonal[1] = true;
    free(at.v);
}

/* `held` is K x spread and stays; `moving` is stream x K; `out` is stream x spread. */
static void oracle_stationary(const struct oracle_matrix *held, const struct oracle_matrix *moving,
                              const struct oracle_matrix *out, int R, int C, int held_index, struct oracle_demand *d)
{
    struct oracle_matrix *held_demand = held_index ? &d->filter : &d->ifmap;
    struct oracle_matrix *moving_demand = held_index ? &d->ifmap : &d->filter;
    int stream = moving->rows;
    for (int s = 0; s < held->cols; s += C)
        for (int k = 0; k < held->rows; k += R) {
            oracle_stack(held_demand, oracle_pad(0, oracle_flip(oracle_block(held, k, s, R, C)), R + C + stream - 2));
            oracle_stack(moving_demand, oracle_skew(oracle_pad(R, oracle_block(moving, 0, k, stream, R), C - 1)));
            oracle_stack(&d->ofmap, oracle_skew(oracle_pad(2 * R - 1, oracle_block(out, 0, s, stream, C), 0)));
        }
    for (int s = 0; s < held->cols; s += C)
        oracle_stack(&d->fetch[held_index], oracle_block(held, 0, s, held->rows, C));
    for (int k = 0; k < moving->cols; k += R)
        oracle_stack(&d->fetch[!held_index], oracle_block(moving, 0, k, stream, R));
    d->by_diagonal[!held_index] = true;
}

/* One row of numbers, in fetch order. Takes the matrix. */
static struct oracle_matrix oracle_roll_out(struct oracle_matrix m, bool by_diagonal)
{
    struct oracle_matrix flat = oracle_new(1, m.rows * m.cols);
    int used = 0;
    if (!by_diagonal)
        memcpy(flat.v, m.v, (size_t)(m.rows * m.cols) * sizeof(int));
    for (int d = 0; by_diagonal && d < m.rows + m.cols; d++)
        for (int row = m.rows - 1; row >= 0; row--)
            if (d - row >= 0 && d - row < m.cols)
                flat.v[used++] = *oracle_at(&m, row, d - row);
    free(m.v);
    return flat;
}

/* ---- buffers ---- */

struct oracle_reader {
    bool user, v3, raised;
    int item, held, fills, bandwidth, reads, addresses;
    int64_t first, from, to; /* CALC: first demand; the span the next fill is spread over */
    bool *in;
    int64_t dram_start, dram_stop;
    int sets, active, prefetch, begin, half;
    bool *member; /* set x address */
    int64_t last;
};

static void oracle_reader_make(struct oracle_reader *r, const struct sy_scalesim_config *config, int operand,
                               const struct oracle_matrix *fetch, int addresses)
{
    int total = (int)config->sram_kb[operand] * 1024, eps = (total + 99) / 100, in_set = 0;
    *r = (struct oracle_reader){.user = config->user_bandwidth,
                                .v3 = config->version == SY_SCALESIM_V3,
                                .item = total / 100,
                                .first = -1,
                                .from = 0,
                                .to = -2,
                                .half = total / 2,
                                .bandwidth = (int)config->bandwidth[operand],
                                .addresses = addresses};
    r->in = calloc((size_t)addresses + 1, sizeof(bool));
    if (!r->user)
        return;
    r->member = calloc((size_t)(fetch->cols / eps + 2) * (size_t)addresses, sizeof(bool));
    for (int i = 0; i < fetch->cols; i++) {
        if (fetch->v[i] < 0)
            continue;
        r->member[r->sets * addresses + fetch->v[i]] = true;
        if (++in_set == eps) {
            in_set = 0;
            r->sets++;
        }
    }
    r->sets++;
    int half_sets = (r->half + eps - 1) / eps;
    r->active = r->sets < half_sets ? r->sets : half_sets;
    r->prefetch = r->sets - r->active < half_sets ? r->sets - r->active : half_sets;
    int lines = (r->half + r->bandwidth - 1) / r->bandwidth;
    int all = (fetch->cols + r->bandwidth - 1) / r->bandwidth;
    lines = lines < all ? lines : all;
    r->reads = lines * r->bandwidth;
    r->dram_start = -lines;
    r->last = -1;
}

static bool oracle_active(const struct oracle_reader *r, int address)
{
    for (int i = 0; i < r->active; i++)
        if (r->member[(r->begin + i) % r->sets * r->addresses + address])
            return true;
    return false;
}

static int64_t oracle_user_row(struct oracle_reader *r, const int *row, int lanes, int64_t cycle)
{
    int64_t offset = 1;
    int lines = (r->half + r->bandwidth - 1) / r->bandwidth;
    for (int i = 0; i < lanes; i++) {
        while (row[i] >= 0 && !oracle_active(r, row[i])) {
            r->begin = (r->begin + r->prefetch) % r->sets;
            r->reads += lines * r->bandwidth;
            r->last += lines + 1;
            int64_t wait = r->last - (cycle + offset);
            if (r->v3)
                offset += wait;
            if (wait > 0)
                offset += wait;
        }
    }
    return offset - 1;
}

static void oracle_calc_row(struct oracle_reader *r, const int *row, int lanes, int64_t cycle)
{
    for (int i = 0; i < lanes; i++) {
        if (row[i] < 0)
            continue;
        if (r->first < 0)
            r->first = cycle;
        if (r->in[row[i]])
            continue;
        r->in[row[i]] = true;
        r->reads++;
        if (++r->held < 50 * r->item)
            continue;
        if (r->fills++ == 0) {
            r->to = r->first - 2;
            r->dram_start = r->to - (50 * r->item + 9) / 10 + 2;
        } else if (r->to - r->from + 1 == 0) {
            r->raised = true;
        }
        r->from = r->to + 1;
        r->to = cycle;
        r->held = 0;
        memset(r->in, 0, (size_t)r->addresses * sizeof(bool));
    }
}

static void oracle_reader_end(struct oracle_reader *r)
{
    if (r->user) {
        r->dram_stop = r->last;
    } else if (r->fills == 0) {
        int items = (r->held + r->item - 1) / r->item;
        r->dram_start = -(int64_t)((items * r->item + 9) / 10);
        r->dram_stop = -1;
    } else {
        r->raised = r->raised || r->to - r->from + 1 == 0;
        r->dram_stop = r->to + 1;
    }
}

struct oracle_writer {
    int total, bandwidth, free_words, filled, start, lines;
    int *pad; /* -1s in each line */
    int64_t end, words, first, last, most;
};

static void oracle_close(struct oracle_writer *w, int pad)
{
    w->pad = oracle_grow(w->pad, w->lines, w->lines + 1);
    w->pad[w->lines++] = pad;
    w->filled = 0;
}

static void oracle_drain(struct oracle_writer *w, int64_t cycle)
{
    int stop = w->start + (w->total / 2 + w->bandwidth - 1) / w->bandwidth;
    stop = stop < w->lines ? stop : w->lines;
    int size = (stop - w->start) * w->bandwidth - w->pad[stop - 1];
    if (w->words == 0)
        w->first = cycle;
    w->words += size;
    w->free_words += size;
    w->end = w->last = cycle + stop - w->start - 1;
    w->most = w->last > w->most ? w->last : w->most;
    w->start = stop;
}

static int64_t oracle_write_row(struct oracle_writer *w, const int *row, int lanes, int64_t cycle)
{
    int64_t now = cycle;
    for (int i = 0; i < lanes; i++) {
        if (row[i] < 0)
            continue;
        w->free_words--;
        if (++w->filled == w->bandwidth)
            oracle_close(w, 0);
        if (now < w->end) {
            if (w->free_words <= 0)
                now = w->end;
        } else if (w->free_words < w->total - w->total / 2) {
            if (w->filled)
                oracle_close(w, w->bandwidth - w->filled);
            oracle_drain(w, now);
        }
    }
    return now - cycle;
}

/* ---- the run ---- */

static bool oracle_any(const int *row, int lanes)
{
    for (int i = 0; i < lanes; i++)
        if (row[i] >= 0)
            return true;
    return false;
}

static void oracle_stamp(struct sy_scalesim_traffic *traffic, bool *seen, const int *row, int lanes, int64_t cycle)
{
    if (!oracle_any(row, lanes))
        return;
    if (!*seen)
        traffic->sram_start = cycle;
    *seen = true;
    traffic->sram_stop = cycle;
}

static void oracle_memory(const struct sy_scalesim_config *config, struct oracle_demand *d, struct oracle_reader *r,
                          struct oracle_writer *w, struct sy_scalesim_result *result)
{
    struct sy_scalesim_traffic *t = result->traffic;
    bool seen[3] = {false};
    int64_t stall = 0, last = 0;
    for (int i = 0; i < d->ofmap.rows; i++) {
        int64_t cycle = i + stall, s[3] = {0};
        const struct oracle_matrix *m[3] = {&d->ifmap, &d->filter, &d->ofmap};
        for (int j = 0; j < 2; j++) {
            if (r[j].user)
                s[j] = oracle_user_row(&r[j], oracle_at(m[j], i, 0), m[j]->cols, cycle);
            else
                oracle_calc_row(&r[j], oracle_at(m[j], i, 0), m[j]->cols, cycle);
            oracle_stamp(&t[j], &seen[j], oracle_at(m[j], i, 0), m[j]->cols, cycle + 1 + s[j]);
        }
        s[2] = oracle_write_row(w, oracle_at(m[2], i, 0), m[2]->cols, cycle);
        last = cycle + s[2];
        oracle_stamp(&t[2], &seen[2], oracle_at(m[2], i, 0), m[2]->cols, last);
        int64_t most = s[0] > s[1] ? s[0] : s[1];
        stall += s[2] > most ? s[2] : most;
    }
    result->total_cycles = (uint64_t)last;
    result->stall_cycles = (uint64_t)stall;
    if (w->filled)
        oracle_close(w, w->bandwidth - w->filled);
    while (w->start < w->lines) {
        oracle_drain(w, last);
        last = w->end + 1;
    }
    for (int j = 0; j < 2; j++) {
        oracle_reader_end(&r[j]);
        t[j].dram_words = (uint64_t)r[j].reads;
        t[j].dram_start = r[j].dram_start;
        t[j].dram_stop = r[j].dram_stop;
    }
    t[2].dram_words = (uint64_t)w->words;
    t[2].dram_start = w->first;
    t[2].dram_stop = config->version == SY_SCALESIM_V3 ? w->most : w->last;
}

/* Fill cycles, stalls and the traffic of the three operands (bandwidths left out). false where the tool raises. */
static bool oracle_run(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                       struct sy_scalesim_result *result)
{
    struct oracle_demand d = {0};
    struct oracle_reader reader[2] = {{0}, {0}};
    struct oracle_matrix a = oracle_ifmap(layer), b = oracle_filter(a.cols, (int)layer->filters);
    struct oracle_matrix o = oracle_new(a.rows, b.cols);
    int R = (int)config->rows, C = (int)config->cols, filter_words = b.rows * b.cols;
    int bandwidth = config->user_bandwidth ? (int)config->bandwidth[SY_SCALESIM_OFMAP] : C;
    int total = (int)config->sram_kb[SY_SCALESIM_OFMAP] * 1024;
    struct oracle_writer writer = {.total = total, .free_words = total, .bandwidth = bandwidth};
    for (int i = 0; i < o.rows * o.cols; i++)
        o.v[i] = i;
    if (config->sparse)
        oracle_sparsify(layer, (int)config->filter_offset, &a, &b);
    bool fits = b.rows > 0 && (config->dataflow == SY_SCALESIM_WS || a.cols == b.rows);
    if (fits) {
        struct oracle_matrix at = oracle_transpose(&a), bt = oracle_transpose(&b), ot = oracle_transpose(&o);
        if (config->dataflow == SY_SCALESIM_OS)
            oracle_os(&a, &b, &o, R, C, &d);
        else if (config->dataflow == SY_SCALESIM_WS)
            oracle_stationary(&b, &a, &o, R, C, 1, &d);
        else
            oracle_stationary(&at, &bt, &ot, R, C, 0, &d);
        for (int i = 0; i < 2; i++) {
            d.fetch[i] = oracle_roll_out(d.fetch[i], d.by_diagonal[i]);
            int words = i ? filter_words : (int)(layer->ifmap_h * layer->ifmap_w * layer->channels);
            oracle_reader_make(&reader[i], config, i, &d.fetch[i], words);
        }
        oracle_memory(config, &d, reader, &writer, result);
        free(at.v);
        free(bt.v);
        free(ot.v);
    }
    bool raised = !fits || reader[0].raised || reader[1].raised || result->total_cycles == 0;
    void *const owned[] = {a.v,          b.v,          o.v,          d.ifmap.v,        d.filter.v,   d.ofmap.v,
                           d.fetch[0].v, d.fetch[1].v, reader[0].in, reader[0].member, reader[1].in, reader[1].member,
                           writer.pad};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return !raised;
}

#endif
