/* SPDX-License-Identifier: Apache-2.0 */
/* ONNXim's machines and how it cuts a layer into tiles. */
#include "sim/validate/onnxim.h"

#include <stddef.h>

#include "sim/base/checked.h"

/* ---- machines ---- */

/* Sizes and clocks: ONNXim a1e8629, configs/NAME.json, read. DRAM timings: DDR4_1600J for 16 Gb x4 of Ramulator 2.1
 * c5b1c3a, read; the HBM2_2.5Gbps of ONNXim's own Ramulator was not at hand: burst from the configuration file
 * (dram_nbl), the rest of HBM2_2400Mbps, 8 Gb, of Ramulator 2.1. ONNXim ticks its DDR4 at 400 MHz, half its clock. */
static const struct sy_onnxim_machine machine_8 = {.config = "systolic_ws_8x8_c1_simple_noc_transformer",
                                                   .dim = 8,
                                                   .cores = 1,
                                                   .precision = 1,
                                                   .spad_bytes = 64 << 10,
                                                   .accumulator_bytes = 16 << 10,
                                                   .core_mhz = 1000,
                                                   .icnt_mhz = 2000,
                                                   .icnt_ports = 1,
                                                   .dram_mhz = 400,
                                                   .channels = 2,
                                                   .burst_ticks = 4,
                                                   .row_ticks = 10,
                                                   .column_ticks = 10,
                                                   .refresh_ticks = 440,
                                                   .refresh_interval_ticks = 6240};
static const struct sy_onnxim_machine machine_128 = {.config = "systolic_ws_128x128_c4_simple_noc_tpuv4",
                                                     .dim = 128,
                                                     .cores = 4,
                                                     .precision = 2,
                                                     .spad_bytes = 32 << 20,
                                                     .accumulator_bytes = 4 << 20,
                                                     .core_mhz = 1000,
                                                     .icnt_mhz = 1000,
                                                     .icnt_ports = 16,
                                                     .dram_mhz = 1200,
                                                     .channels = 16,
                                                     .burst_ticks = 1,
                                                     .row_ticks = 17,
                                                     .column_ticks = 17,
                                                     .refresh_ticks = 421,
                                                     .refresh_interval_ticks = 4682};
const struct sy_onnxim_machine *const sy_onnxim_machines[] = {&machine_8, &machine_128, NULL};

struct sy_onnxim_memory sy_onnxim_memory(const struct sy_onnxim_machine *machine)
{
    const uint64_t mega = 1000000, ps = 1000000; /* of a period of 1 MHz */
    uint64_t dram = machine->channels * SY_ONNXIM_LINE * machine->dram_mhz * mega / machine->burst_ticks;
    uint64_t held = machine->refresh_interval_ticks - machine->refresh_ticks;
    /* A line a period enters a channel, and leaves a port of each core. */
    uint64_t icnt =
        SY_ONNXIM_LINE * sy_min(machine->channels, machine->cores * machine->icnt_ports) * machine->icnt_mhz * mega;
    struct sy_onnxim_memory memory = {
        .bytes_per_second = sy_min(dram, icnt),
        .latency_ps = (machine->row_ticks + machine->column_ticks + machine->burst_ticks) * ps / machine->dram_mhz +
                      2 * ps / machine->icnt_mhz};
    if (dram / machine->refresh_interval_ticks * held < icnt) {
        memory.refresh_ps = machine->refresh_ticks * ps / machine->dram_mhz;
        memory.refresh_interval_ps = machine->refresh_interval_ticks * ps / machine->dram_mhz;
    }
    return memory;
}

/* ---- GEMM ---- */

static uint64_t root(uint64_t value)
{
    uint64_t r = 0;
    while ((r + 1) * (r + 1) <= value) {
        r++;
    }
    return r;
}

/* Rows of dim elements that half the scratchpad and half the accumulators hold. */
static void buffer_rows(const struct sy_onnxim_machine *machine, uint64_t *spad, uint64_t *accumulator)
{
    *spad = machine->spad_bytes / (machine->dim * machine->precision * 2);
    *accumulator = machine->accumulator_bytes / (machine->dim * 4 * 2);
}

/* More tiles when cores would idle, in the longer of two different dimensions only. */
static void spread(uint64_t cores, uint64_t n, uint64_t m, uint64_t *tiles_n, uint64_t *tiles_m)
{
    uint64_t *longer = m > n && m > cores ? tiles_m : n > m && n > cores ? tiles_n : NULL;
    uint64_t tiles = *tiles_n * *tiles_m;
    if (longer != NULL && tiles < cores) {
        *longer *= sy_ceil_div(cores, tiles);
        tiles = *tiles_n * *tiles_m;
    }
    if (longer != NULL) {
        *longer += tiles % cores;
    }
}

static bool map_gemm(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                     struct sy_onnxim_mapping *out)
{
    uint64_t dim = machine->dim, spad, accumulator;
    buffer_rows(machine, &spad, &accumulator);
    uint64_t edge = root(accumulator / dim); /* blocks along both sides of a tile of C */
    uint64_t deep = edge ? spad / 2 / dim / edge : 0;
    if (deep == 0) {
        return false;
    }
    const uint64_t size[3] = {layer->n, layer->c, layer->m}, most[3] = {edge, deep, edge};
    uint64_t blocks[3], tiles[3], inner[3];
    for (int i = 0; i < 3; i++) {
        blocks[i] = sy_ceil_div(size[i], dim);
        tiles[i] = sy_min(blocks[i], sy_ceil_div(size[i], most[i] * dim));
    }
    spread(machine->cores, layer->n, layer->m, &tiles[0], &tiles[2]);
    for (int i = 0; i < 3; i++) {
        inner[i] = sy_ceil_div(blocks[i] * dim, tiles[i]) / dim * dim;
        if (inner[i] == 0) {
            return false;
        }
        tiles[i] = sy_ceil_div(size[i], inner[i]);
    }
    *out = (struct sy_onnxim_mapping){
        .n = inner[0], .c = inner[1], .m = inner[2], .groups = tiles[0] * tiles[2], .steps = tiles[1]};
    return true;
}

/* ---- convolution ---- */

enum { ROWS, COLS, OUT_CHANNELS, FILTER_ROWS, FILTER_COLS, IN_CHANNELS, EXTENTS };

static bool fits(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                 const uint64_t tile[EXTENTS])
{
    uint64_t dim = machine->dim, spad, accumulator;
    unsigned shift = layer->stride == 2 && layer->kernel == 1 && layer->padding == 0; /* every other row and column */
    uint64_t rows = (tile[ROWS] * layer->stride + tile[FILTER_ROWS] - 1) >> shift;
    uint64_t cols = (tile[COLS] * layer->stride + tile[FILTER_COLS] - 1) >> shift;
    buffer_rows(machine, &spad, &accumulator);
    return sy_ceil_div(tile[IN_CHANNELS], dim) * rows * cols +
                   sy_ceil_div(tile[OUT_CHANNELS], dim) * tile[FILTER_COLS] * tile[FILTER_ROWS] * tile[IN_CHANNELS] <=
               spad &&
           sy_ceil_div(tile[OUT_CHANNELS], dim) * tile[ROWS] * tile[COLS] <= accumulator;
}

/* The largest extent shrinks; columns of at most dim only when there is one row. */
static bool shrink(uint64_t dim, uint64_t tile[EXTENTS])
{
    int largest = -1;
    for (int i = 0; i < EXTENTS; i++) {
        bool keep = i == COLS && tile[COLS] <= dim && tile[ROWS] > 1;
        if (!keep && (largest < 0 || tile[i] > tile[largest])) {
            largest = i;
        }
    }
    if (tile[largest] == 1) {
        return false;
    }
    if (largest == OUT_CHANNELS || largest == IN_CHANNELS) {
        uint64_t less = tile[largest] % dim ? tile[largest] / dim * dim : tile[largest] - dim;
        tile[largest] = sy_max(less, 1);
    } else {
        tile[largest]--;
    }
    return true;
}

/* Operands with a margin of a half in half the scratchpad. */
static bool has_margin(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                       const uint64_t tile[EXTENTS])
{
    uint64_t weights = tile[OUT_CHANNELS] * tile[FILTER_ROWS] * tile[FILTER_COLS] * tile[IN_CHANNELS];
    uint64_t input = (tile[ROWS] + 2 * layer->padding) * (tile[COLS] + 2 * layer->padding) * tile[IN_CHANNELS];
    return (input + weights) * machine->precision * 3 / 2 <= machine->spad_bytes / 2;
}

static void grow(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                 const uint64_t most[EXTENTS], uint64_t tile[EXTENTS])
{
    while (tile[COLS] < most[COLS]) {
        tile[COLS]++;
        if (!fits(machine, layer, tile)) {
            tile[COLS]--;
            break;
        }
    }
    for (bool grew = true; grew;) {
        grew = false;
        for (int i = 0; i < EXTENTS; i++) {
            /* What is looked at is the margin of the tile before it grows. */
            bool margin = has_margin(machine, layer, tile);
            if (tile[i] == most[i] || !margin) {
                continue;
            }
            tile[i]++;
            bool fine = fits(machine, layer, tile);
            tile[i] -= !fine;
            grew |= fine;
        }
    }
}

static bool map_conv(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                     struct sy_onnxim_mapping *out)
{
    uint64_t size = (layer->size + 2 * layer->padding - layer->kernel) / layer->stride + 1;
    const uint64_t most[EXTENTS] = {size, size, layer->m, layer->kernel, layer->kernel, layer->c};
    uint64_t tile[EXTENTS];
    for (int i = 0; i < EXTENTS; i++) {
        tile[i] = most[i];
    }
    while (!fits(machine, layer, tile)) {
        if (!shrink(machine->dim, tile)) {
            return false;
        }
    }
    grow(machine, layer, most, tile);
    *out = (struct sy_onnxim_mapping){.c = tile[IN_CHANNELS],
                                      .m = tile[OUT_CHANNELS],
                                      .p = tile[ROWS],
                                      .q = tile[COLS],
                                      .s = tile[FILTER_ROWS],
                                      .r = tile[FILTER_COLS]};
    out->groups = sy_ceil_div(size, out->p) * sy_ceil_div(size, out->q) * sy_ceil_div(layer->m, out->m);
    out->steps =
        sy_ceil_div(layer->kernel, out->s) * sy_ceil_div(layer->kernel, out->r) * sy_ceil_div(layer->c, out->c);
    return true;
}

bool sy_onnxim_map(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                   struct sy_onnxim_mapping *mapping)
{
    return layer->conv ? map_conv(machine, layer, mapping) : map_gemm(machine, layer, mapping);
}
