/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim .cfg files (v1, v2, v3): every field as written, for the parity
 * model, and a chip that comes as near to it as this machine model can.
 *
 * Source of the format: the public sources of SCALE-Sim v1 (bb76184), v2
 * (22f88b1) and v3 (1d62b68). INI as Python's configparser reads it: keys are
 * case-insensitive, `:` and `=` both assign, `#` and `;` begin comment lines.
 * Unknown keys are warned about, wrong values are errors with their line; a
 * key that v3 demands and the file lacks is a warning, since the other tools
 * accept it.
 */
#ifndef SY_ARCH_IMPORT_SCALESIM_CFG_H
#define SY_ARCH_IMPORT_SCALESIM_CFG_H

#include "arch/chip.h"
#include "sim/base/text.h"

enum { SY_SCALESIM_CFG_BANDWIDTHS = 16 };

/* Index 0 = ifmap (A), 1 = filter (B), 2 = ofmap (C). A key that the file lacks is 0 or false. */
struct sy_scalesim_cfg {
    uint64_t version;     /* 1, 2 or 3: the newest whose keys the file uses */
    const char *run_name; /* general */
    uint64_t array_height, array_width;
    uint64_t sram_kb[3];                            /* units of 1024 one-byte words */
    uint64_t offset[3];                             /* address of the first word */
    const char *dataflow;                           /* "os", "ws" or "is" */
    uint64_t bandwidths;                            /* values of Bandwidth; the tools use the first */
    uint64_t bandwidth[SY_SCALESIM_CFG_BANDWIDTHS]; /* words a cycle */
    uint64_t memory_banks;                          /* the tools ignore it */
    uint64_t user_bandwidth;                        /* InterfaceBandwidth: 1 USER, 0 CALC */
    uint64_t read_request_buffer, write_request_buffer, use_ramulator_trace; /* v3 */
    uint64_t has_layout; /* v3 [layout]; index 0 = ifmap, 1 = filter */
    uint64_t custom_layout[2], bank_bandwidth[2], bank_num[2], bank_port[2];
    uint64_t sparsity_support, optimized_mapping, block_size, random_seed; /* v3 [sparsity] */
    const char *sparse_rep;                                                /* "csr", "csc", "ellpack_block" or NULL */
};

/* Strings live in the arena. path names the file in messages. Reports every error before it returns. */
enum sy_status sy_scalesim_cfg_parse(struct sy_arena *arena, const char *text, size_t length, const char *path,
                                     struct sy_scalesim_cfg *cfg, struct sy_diag *diag);

/*
 * The chip as YAML text that sy_chip_parse loads. What the tools leave open is
 * chosen and marked assumed: a clock of 1 GHz and 45 nm (the tools count cycles only),
 * 32-bit partial sums, double buffering (the tools keep half of a buffer
 * active), one DRAM with the bandwidth of the three interfaces together (USER)
 * or without limit (CALC), no DRAM latency. Timing is the named policy of the
 * file's version; v1 has none and gets that of v2.
 */
void sy_scalesim_cfg_to_yaml(const struct sy_scalesim_cfg *cfg, struct sy_buf *yaml);

/* Read a .cfg file and load that chip. */
enum sy_status sy_chip_from_scalesim_cfg(const char *path, const struct sy_chip_options *options, struct sy_chip **chip,
                                         struct sy_diag *diag);

#endif
