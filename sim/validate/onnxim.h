/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNXim's mapping of a layer, and the schedule its cores run, as command
 * records of a layer trace. Source: ONNXim a1e8629, read; the mapping is that
 * of Gemmini's tiled_matmul and tiled_conv. Nothing here knows a result.
 *
 * A core gets output tiles in turn and holds two at a time: while one computes
 * the next one's operands come in. A tile's records are its loads in the order
 * of ONNXim's instructions, one matmul for each group of its GEMM instructions
 * that read the same operands, and its stores.
 *
 * The trace is that of the core with the most tiles; the engine lets equal cores
 * share the memory. Pure functions; thread safe.
 */
#ifndef SY_VALIDATE_ONNXIM_H
#define SY_VALIDATE_ONNXIM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/text.h"

/* One of ONNXim's configuration files, and the DRAM timings it names. */
struct sy_onnxim_machine {
    const char *config;
    uint64_t dim;              /* the array is dim x dim */
    uint64_t cores, precision; /* bytes */
    uint64_t spad_bytes, accumulator_bytes;
    uint64_t core_mhz, icnt_mhz, icnt_ports, dram_mhz, channels; /* icnt_ports: of one core */
    uint64_t burst_ticks, row_ticks, column_ticks;               /* nBL, nRCD, nCL of the DRAM's preset */
    uint64_t refresh_ticks, refresh_interval_ticks;              /* nRFC, nREFI */
};
enum { SY_ONNXIM_LINE = 32 };                                      /* bytes of a request (dram_req_size) */
extern const struct sy_onnxim_machine *const sy_onnxim_machines[]; /* NULL-terminated */

/* What its memory gives: a line a channel and burst, no more than the interconnect carries; the latency of a line from
 * a closed row and of both ways through the interconnect. Refresh counts where the DRAM and not the interconnect is the
 * narrower: else the DRAM catches up. */
struct sy_onnxim_memory {
    uint64_t bytes_per_second;
    uint64_t latency_ps;
    uint64_t refresh_ps, refresh_interval_ps; /* 0 = hidden */
};
struct sy_onnxim_memory sy_onnxim_memory(const struct sy_onnxim_machine *machine);

/* A GEMM of n x c by c x m, or a square convolution. Each dimension at least 1 and at most SY_ONNXIM_MAX_DIMENSION. */
struct sy_onnxim_layer {
    bool conv;
    uint64_t n, c, m;                       /* gemm: rows, inner, columns; conv: c, m = input, output channels */
    uint64_t size, kernel, stride, padding; /* conv: height = width of the input */
    uint64_t lines_before; /* lines the layer before has still to write: they are ahead in the memory's queues */
};
enum { SY_ONNXIM_MAX_DIMENSION = 1 << 16 };

/* Extents of a tile; with `groups` tiles of C beside each other and `steps` tiles that accumulate into one. */
struct sy_onnxim_mapping {
    uint64_t n, c, m;    /* gemm: of each dimension; conv: c, m */
    uint64_t p, q, s, r; /* conv: output rows and columns, filter columns and rows */
    uint64_t groups, steps;
};
/* false: no tile fits the buffers. */
bool sy_onnxim_map(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                   struct sy_onnxim_mapping *mapping);

struct sy_onnxim_schedule {
    uint64_t cores;       /* that have work */
    uint64_t commands;    /* records written */
    uint64_t lines_after; /* lines the last tiles of all cores write */
};
enum { SY_ONNXIM_MAX_COMMANDS = 4000000 };
/* Append the trace to `out`: one gemm record, then the commands, levels 0 = accumulator, 1 = scratchpad, 2 = memory.
 * SY_UNSUPPORTED (not reported) when it would have too many commands; SY_NOMEM. */
enum sy_status sy_onnxim_trace(const struct sy_onnxim_machine *machine, const struct sy_onnxim_layer *layer,
                               const struct sy_onnxim_mapping *mapping, struct sy_buf *out,
                               struct sy_onnxim_schedule *schedule);

#endif
