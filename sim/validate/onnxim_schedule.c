/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNXim's instructions of a layer as command records.
 *
 * One DMA engine takes all requests of a core in order, as its request queue
 * does. The records stand in an order in which each unit meets its own ones as
 * ONNXim issues them; loads stand a bounded number of records ahead of the
 * matmul that needs them, because the sequencer's queues are finite.
 *
 * Coarser than ONNXim: weights of a convolution come in pieces of as many lines
 * as cover half the memory's latency, because an engine hides no more than one
 * latency; bias lines (one a block of columns) are left out.
 */
#include "sim/validate/onnxim.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/base/checked.h"

enum { LINE = SY_ONNXIM_LINE, LOOK_AHEAD = 48, ALIGNMENT = 256 };

/* ---- what a tile does ---- */

struct move {
    char operand;
    uint64_t rows, bytes, pitch, at;
};
struct matmul {
    uint64_t m, k, n;
    uint64_t load_a, load_b; /* of the tile's loads */
    bool accumulate;
};

struct plan {
    const struct sy_onnxim_machine *machine;
    const struct sy_onnxim_layer *layer;
    const struct sy_onnxim_mapping *mapping;
    uint64_t out_size; /* conv */
    uint64_t b_at, c_at;
    uint64_t piece_lines; /* conv: of a weight load */
};

/* The part of the layer that step `step` of group `group` works on. */
struct tile {
    uint64_t group, step;
    uint64_t n_at, n, m_at, m, c_at, c; /* conv: n unused */
    uint64_t p_at, p, q_at, q;          /* conv: output rows and columns */
    uint64_t taps;                      /* conv: filter places */
    uint64_t row_blocks, col_blocks, c_blocks;
    uint64_t loads, matmuls, stores;
};

static uint64_t part(uint64_t whole, uint64_t tile, uint64_t index)
{
    return sy_min(tile, whole - index * tile);
}

static void cut_gemm(const struct plan *plan, struct tile *t)
{
    const struct sy_onnxim_layer *layer = plan->layer;
    const struct sy_onnxim_mapping *map = plan->mapping;
    uint64_t tiles_m = sy_ceil_div(layer->m, map->m), dim = plan->machine->dim;
    t->n_at = t->group / tiles_m * map->n;
    t->m_at = t->group % tiles_m * map->m;
    t->c_at = t->step * map->c;
    t->n = sy_min(map->n, layer->n - t->n_at);
    t->m = sy_min(map->m, layer->m - t->m_at);
    t->c = sy_min(map->c, layer->c - t->c_at);
    t->row_blocks = sy_ceil_div(t->n, dim);
    t->col_blocks = sy_ceil_div(t->m, dim);
    t->loads = t->row_blocks + t->col_blocks;
    t->matmuls = t->row_blocks * t->col_blocks;
    t->stores = t->step + 1 == map->steps ? t->matmuls : 0;
}

/* Lines of weight block `block`: its rows of C share one address (the tool divides the output channel by the array's
 * width). */
static uint64_t block_lines(const struct plan *plan, const struct tile *t, uint64_t block)
{
    uint64_t channels = part(t->c, plan->machine->dim, block % t->c_blocks);
    return sy_ceil_div(channels * plan->machine->precision, LINE);
}

/* Blocks of the weight piece that begins at `block`; the first comes alone. */
static uint64_t piece_blocks(const struct plan *plan, const struct tile *t, uint64_t block)
{
    uint64_t lines = block_lines(plan, t, block), blocks = 1;
    while (block > 0 && block + blocks < t->matmuls && lines < plan->piece_lines) {
        lines += block_lines(plan, t, block + blocks++);
    }
    return blocks;
}

static void cut_conv(const struct plan *plan, struct tile *t)
{
    const struct sy_onnxim_layer *layer = plan->layer;
    const struct sy_onnxim_mapping *map = plan->mapping;
    uint64_t tiles_m = sy_ceil_div(layer->m, map->m), tiles_q = sy_ceil_div(plan->out_size, map->q);
    uint64_t tiles_c = sy_ceil_div(layer->c, map->c), tiles_r = sy_ceil_div(layer->kernel, map->r);
    uint64_t r = t->step / tiles_c % tiles_r, s = t->step / (tiles_c * tiles_r);
    t->m_at = t->group % tiles_m * map->m;
    t->q_at = t->group / tiles_m % tiles_q * map->q;
    t->p_at = t->group / (tiles_m * tiles_q) * map->p;
    t->c_at = t->step % tiles_c * map->c;
    t->m = sy_min(map->m, layer->m - t->m_at);
    t->q = sy_min(map->q, plan->out_size - t->q_at);
    t->p = sy_min(map->p, plan->out_size - t->p_at);
    t->c = sy_min(map->c, layer->c - t->c_at);
    t->taps = part(layer->kernel, map->s, s) * part(layer->kernel, map->r, r);
    t->col_blocks = sy_ceil_div(t->m, plan->machine->dim);
    t->c_blocks = sy_ceil_div(t->c, plan->machine->dim);
    t->matmuls = t->col_blocks * t->taps * t->c_blocks;
    t->loads = 1; /* the input */
    for (uint64_t block = 0; block < t->matmuls; block += piece_blocks(plan, t, block)) {
        t->loads++;
    }
    t->stores = t->step + 1 == map->steps ? t->col_blocks : 0;
}

static struct tile cut(const struct plan *plan, uint64_t group, uint64_t step)
{
    struct tile t = {.group = group, .step = step};
    if (plan->layer->conv) {
        cut_conv(plan, &t);
    } else {
        cut_gemm(plan, &t);
    }
    return t;
}

/* ---- its moves ---- */

/* Weights of the first columns, all rows, then weights of the other columns. */
static struct move gemm_load(const struct plan *plan, const struct tile *t, uint64_t index)
{
    uint64_t dim = plan->machine->dim, precision = plan->machine->precision, pitch = plan->layer->c * precision;
    struct move move = {.bytes = t->c * precision, .pitch = pitch};
    if (index == 0 || index > t->row_blocks) {
        uint64_t block = index == 0 ? 0 : index - t->row_blocks;
        move.operand = 'B';
        move.rows = part(t->m, dim, block);
        move.at = plan->b_at + (t->m_at + block * dim) * pitch + t->c_at * precision;
    } else {
        uint64_t block = index - 1;
        move.operand = 'A';
        move.rows = part(t->n, dim, block);
        move.at = (t->n_at + block * dim) * pitch + t->c_at * precision;
    }
    return move;
}

/* Places of one axis that a tile of `extent` outputs reads: every stride-th, from the window's begin, where that begins
 * at the output's index (the tool leaves the stride out). */
static uint64_t places(const struct sy_onnxim_layer *layer, uint64_t at, uint64_t extent, uint64_t *first)
{
    uint64_t window = (extent - 1) * layer->stride + layer->kernel, before = (layer->kernel - 1) / 2, count = 0;
    *first = UINT64_MAX;
    for (uint64_t i = 0; i < window; i += layer->stride) {
        if (at + i >= before && at + i - before < layer->size) {
            *first = sy_min(*first, at + i - before);
            count++;
        }
    }
    return count;
}

/* The input of a tile; rows of pixels in one piece where nothing but part of a line lies between them. */
static struct move conv_input(const struct plan *plan, const struct tile *t)
{
    const struct sy_onnxim_layer *layer = plan->layer;
    uint64_t precision = plan->machine->precision, pixel = layer->c * precision, y, x;
    uint64_t rows = places(layer, t->q_at, plan->mapping->q, &y), cols = places(layer, t->p_at, plan->mapping->p, &x);
    struct move move = {.operand = 'A'};
    if (rows == 0 || cols == 0) {
        return move;
    }
    move.at = (y * layer->size + x) * pixel + t->c_at * precision;
    if (t->c == layer->c && (layer->stride - 1) * pixel < LINE) {
        move.rows = rows;
        move.bytes = ((cols - 1) * layer->stride + 1) * pixel;
        move.pitch = layer->size * layer->stride * pixel;
    } else {
        move.rows = rows * cols;
        move.bytes = t->c * precision;
        move.pitch = layer->stride * pixel;
    }
    return move;
}

/* The piece of weights that begins at block *block, which moves on to the next piece. */
static struct move conv_weights(const struct plan *plan, const struct tile *t, uint64_t *block)
{
    uint64_t lines = 0;
    for (uint64_t end = *block + piece_blocks(plan, t, *block); *block < end; ++*block) {
        lines += block_lines(plan, t, *block);
    }
    return (struct move){.operand = 'B', .rows = 1, .bytes = lines * LINE, .pitch = lines * LINE, .at = plan->b_at};
}

static struct move tile_store(const struct plan *plan, const struct tile *t, uint64_t index)
{
    uint64_t dim = plan->machine->dim, precision = plan->machine->precision, pitch = plan->layer->m * precision;
    uint64_t column = plan->layer->conv ? index : index / t->row_blocks;
    struct move move = {.operand = 'C', .bytes = part(t->m, dim, column) * precision, .pitch = pitch};
    uint64_t row = t->p_at * plan->out_size + t->q_at;
    move.rows = t->p * t->q;
    if (!plan->layer->conv) {
        uint64_t block = index % t->row_blocks;
        move.rows = part(t->n, dim, block);
        row = t->n_at + block * dim;
    }
    move.at = plan->c_at + row * pitch + (t->m_at + column * dim) * precision;
    return move;
}

static struct matmul gemm_matmul(const struct plan *plan, const struct tile *t, uint64_t index)
{
    uint64_t column = index / t->row_blocks, row = index % t->row_blocks;
    return (struct matmul){.m = part(t->n, plan->machine->dim, row),
                           .k = t->c,
                           .n = part(t->m, plan->machine->dim, column),
                           .load_a = 1 + row,
                           .load_b = column == 0 ? 0 : t->row_blocks + column,
                           .accumulate = t->step > 0};
}

static struct matmul conv_matmul(const struct plan *plan, const struct tile *t, uint64_t index, uint64_t load_b)
{
    uint64_t column = index / (t->taps * t->c_blocks);
    return (struct matmul){.m = t->p * t->q,
                           .k = part(t->c, plan->machine->dim, index % t->c_blocks),
                           .n = part(t->m, plan->machine->dim, column),
                           .load_b = load_b,
                           .accumulate = t->step > 0 || index % (t->taps * t->c_blocks) > 0};
}

/* ---- writing records ---- */

struct writer {
    const struct plan *plan;
    struct sy_buf *out;
    uint64_t commands;
    uint64_t tiles;                         /* of this core */
    uint64_t main_store;                    /* 1 + id of the store that loads wait for; 0 = none */
    uint64_t *load_id[2];                   /* by tile, alternating */
    uint64_t *matmul_id;                    /* of the tile at work */
    uint64_t last_matmul[2];                /* by tile, alternating */
    struct tile tile;                       /* next to load */
    uint64_t tile_index, load_index, block; /* block: conv, of the next weights */
};

static struct tile tile_of(const struct plan *plan, uint64_t index)
{
    uint64_t steps = plan->mapping->steps;
    return cut(plan, index / steps * plan->machine->cores, index % steps);
}

static uint64_t put(struct writer *w, const char *name, const struct move *move)
{
    sy_buf_printf(w->out, "%s %c level=%d parent=2 rows=%" PRIu64 " bytes=%" PRIu64 " pitch=%" PRIu64 " at=%" PRIu64,
                  name, move->operand, move->operand != 'C', move->rows, move->bytes,
                  move->pitch < move->bytes ? move->bytes : move->pitch, move->at);
    return w->commands++;
}

static void put_dependency(struct writer *w, uint64_t id, const char *stall)
{
    /* The record that is being written has id commands - 1. */
    sy_buf_printf(w->out, " <%" PRIu64 ".%s", w->commands - 1 - id, stall);
}

static void put_load(struct writer *w)
{
    struct move move;
    if (!w->plan->layer->conv) {
        move = gemm_load(w->plan, &w->tile, w->load_index);
    } else if (w->load_index == 0) {
        move = conv_input(w->plan, &w->tile);
    } else {
        move = conv_weights(w->plan, &w->tile, &w->block);
    }
    if (move.rows == 0) { /* a window in the padding: a line, so that there is something to wait for */
        move = (struct move){.operand = 'A', .rows = 1, .bytes = 1, .pitch = 1};
    }
    w->load_id[w->tile_index % 2][w->load_index] = put(w, "load", &move);
    if (w->tile_index >= 2) {
        put_dependency(w, w->last_matmul[w->tile_index % 2], "buffer_full");
    } else if (w->main_store) {
        put_dependency(w, w->main_store - 1, "dependency");
        w->main_store = 0;
    }
    sy_buf_puts(w->out, "\n");
    if (++w->load_index == w->tile.loads && ++w->tile_index < w->tiles) {
        w->tile = tile_of(w->plan, w->tile_index);
        w->load_index = w->block = 0;
    }
}

/* Loads up to `ahead` records beyond load `needed` of tile `index`, and no further than the tile behind it. */
static void load_ahead(struct writer *w, const struct tile *t, uint64_t index, uint64_t needed, uint64_t ahead)
{
    while (w->tile_index < w->tiles && w->tile_index <= index + 1 &&
           (w->tile_index == index ? w->load_index : t->loads + w->load_index) <= needed + ahead) {
        put_load(w);
    }
}

static void put_matmuls(struct writer *w, const struct tile *t, uint64_t index)
{
    bool conv = w->plan->layer->conv;
    const uint64_t *ids = w->load_id[index % 2];
    uint64_t piece = 0, piece_end = 0;
    for (uint64_t i = 0; i < t->matmuls; i++) {
        if (conv && i == piece_end) {
            piece_end += piece_blocks(w->plan, t, i);
            piece++;
        }
        struct matmul mm = conv ? conv_matmul(w->plan, t, i, piece) : gemm_matmul(w->plan, t, i);
        load_ahead(w, t, index, sy_max(mm.load_a, mm.load_b), LOOK_AHEAD);
        sy_buf_printf(w->out, "matmul m=%" PRIu64 " k=%" PRIu64 " n=%" PRIu64 "%s", mm.m, mm.k, mm.n,
                      mm.accumulate ? " acc=1" : "");
        w->last_matmul[index % 2] = w->matmul_id[i] = w->commands++;
        /* Its instructions wait for both operands before their preload, so both are named as what is preloaded. */
        put_dependency(w, ids[mm.load_a], "load_b");
        put_dependency(w, ids[mm.load_b], "load_b");
        sy_buf_puts(w->out, "\n");
    }
}

static void put_stores(struct writer *w, const struct tile *t)
{
    for (uint64_t i = 0; i < t->stores; i++) {
        struct move move = tile_store(w->plan, t, i);
        uint64_t matmul = w->plan->layer->conv ? (i + 1) * t->taps * t->c_blocks - 1 : i;
        (void)put(w, "store", &move);
        put_dependency(w, w->matmul_id[matmul], "dependency");
        sy_buf_puts(w->out, "\n");
    }
}

/* What the layer before still writes. Loads come behind it; the pipe to the memory holds `latency` of it. */
static void put_store_before(struct writer *w, uint64_t cores)
{
    struct sy_onnxim_memory memory = sy_onnxim_memory(w->plan->machine);
    uint64_t all = sy_ceil_div(w->plan->layer->lines_before, cores) * LINE;
    uint64_t tail = memory.bytes_per_second / 1000000 * memory.latency_ps / 1000000 / cores;
    const uint64_t parts[2] = {all > tail ? all - tail : 0, sy_min(all, tail)};
    for (int i = 0; i < 2; i++) {
        struct move move = {.operand = 'C', .rows = 1, .bytes = parts[i], .pitch = parts[i]};
        if (parts[i] > 0) {
            uint64_t id = put(w, "store", &move);
            w->main_store = i == 0 ? id + 1 : w->main_store;
            sy_buf_puts(w->out, "\n");
        }
    }
}

static void write_trace(struct writer *w, uint64_t cores)
{
    const struct sy_onnxim_layer *layer = w->plan->layer;
    sy_buf_printf(w->out, "systole-trace 1\ngemm layer m=%" PRIu64 " k=%" PRIu64 " n=%" PRIu64 "\n",
                  layer->conv ? w->plan->out_size * w->plan->out_size : layer->n, layer->c, layer->m);
    put_store_before(w, cores);
    w->tile = tile_of(w->plan, 0);
    for (uint64_t i = 0; i < w->tiles && w->commands <= SY_ONNXIM_MAX_COMMANDS && !w->out->failed; i++) {
        struct tile t = tile_of(w->plan, i);
        put_matmuls(w, &t, i);
        load_ahead(w, &t, i, t.loads, SY_ONNXIM_MAX_COMMANDS);
        put_stores(w, &t);
    }
    sy_buf_printf(w->out, "end %" PRIu64 "\n", w->commands + 1);
}

/* Lines of a move: rows that do not touch share none. */
static uint64_t lines_of(const struct move *move)
{
    return move->pitch == move->bytes ? sy_ceil_div(move->rows * move->bytes, LINE)
                                      : move->rows * sy_ceil_div(move->bytes, LINE);
}

/* What all cores' last tiles write. */
static uint64_t last_lines(const struct plan *plan, uint64_t cores)
{
    uint64_t lines = 0, groups = plan->mapping->groups;
    for (uint64_t core = 0; core < cores; core++) {
        uint64_t group = core + (groups - 1 - core) / plan->machine->cores * plan->machine->cores;
        struct tile t = cut(plan, group, plan->mapping->steps - 1);
        for (uint64_t i = 0; i < t.stores; i++) {
            struct move move = tile_store(plan, &t, i);
            lines += lines_of(&move);
        }
    }
    return lines;
}

static struct plan make_plan(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                             const struct sy_onnxim_mapping *mapping)
{
    struct sy_onnxim_memory memory = sy_onnxim_memory(machine);
    struct plan plan = {.machine = machine, .layer = layer, .mapping = mapping};
    uint64_t pixels = layer->conv ? layer->size * layer->size : layer->n;
    uint64_t filter = layer->conv ? layer->kernel * layer->kernel : 1;
    if (layer->conv) {
        plan.out_size = (layer->size + 2 * layer->padding - layer->kernel) / layer->stride + 1;
    }
    /* Tensors lie one behind the other. */
    plan.b_at = sy_ceil_div(pixels * layer->c * machine->precision, ALIGNMENT) * ALIGNMENT;
    plan.c_at = plan.b_at + sy_ceil_div(filter * layer->c * layer->m * machine->precision, ALIGNMENT) * ALIGNMENT;
    plan.piece_lines = memory.bytes_per_second / 1000000 * memory.latency_ps / 2000000 / LINE;
    return plan;
}

enum sy_status sy_onnxim_trace(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                               const struct sy_onnxim_mapping *mapping, struct sy_buf *out,
                               struct sy_onnxim_schedule *schedule)
{
    struct plan plan = make_plan(machine, layer, mapping);
    struct tile whole = cut(&plan, 0, 0); /* no tile is larger than the first */
    struct writer w = {.plan = &plan, .out = out, .tiles = sy_ceil_div(mapping->groups, machine->cores)};
    uint64_t cores = sy_min(mapping->groups, machine->cores);
    if (!sy_mul(w.tiles, mapping->steps, &w.tiles) || w.tiles > SY_ONNXIM_MAX_COMMANDS ||
        whole.loads + whole.matmuls > SY_ONNXIM_MAX_COMMANDS) {
        return SY_UNSUPPORTED;
    }
    uint64_t *ids = calloc(2 * whole.loads + whole.matmuls, sizeof *ids);
    if (ids == NULL) {
        return SY_NOMEM;
    }
    w.load_id[0] = ids;
    w.load_id[1] = ids + whole.loads;
    w.matmul_id = ids + 2 * whole.loads;
    write_trace(&w, cores);
    free(ids);
    *schedule =
        (struct sy_onnxim_schedule){.cores = cores, .commands = w.commands, .lines_after = last_lines(&plan, cores)};
    return out->failed ? SY_NOMEM : w.commands > SY_ONNXIM_MAX_COMMANDS ? SY_UNSUPPORTED : SY_OK;
}
