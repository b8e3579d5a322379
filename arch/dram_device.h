/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DRAM devices and memory controllers: data only, loaded from
 * arch/dram/NAME.yaml and arch/dram/controllers/NAME.yaml.
 *
 * A device is one channel's worth of memory as its source describes it: how
 * its banks are organised and the JEDEC timings in clocks of the command bus.
 * A controller is the set of rules by which commands are chosen; the two
 * shipped styles follow DRAMsim3 2981759 and Ramulator 2.1 c5b1c3a. Sources
 * that disagree about a device get a file each.
 *
 * Invariants of a loaded device: every count is a power of two where an
 * address field indexes it; banks of one channel <= SY_DRAM_MAX_BANKS; every
 * timing is below SY_DRAM_MAX_CLOCKS; row_bytes is a multiple of burst_bytes.
 */
#ifndef SY_ARCH_DRAM_DEVICE_H
#define SY_ARCH_DRAM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/schema.h"
#include "sim/base/arena.h"
#include "sim/base/diag.h"

enum {
    SY_DRAM_MAX_BANKS = 64,       /* of one channel, all pseudo-channels and ranks */
    SY_DRAM_MAX_DOMAINS = 8,      /* pseudo-channels x ranks: activation windows */
    SY_DRAM_MAX_QUEUE = 128,      /* entries of a read or a write queue */
    SY_DRAM_MAX_BANK_QUEUE = 16,  /* entries of a per-bank queue */
    SY_DRAM_MAX_CLOCKS = 1 << 20, /* any timing value */
    SY_DRAM_MAX_CHANNELS = 256
};

/* How the banks of a channel are arranged, slowest index first: pseudochannel, rank, bankgroup, bank. */
struct sy_dram_organization {
    uint32_t pseudochannels; /* halves of the data bus with banks of their own, one command bus */
    uint32_t ranks;          /* ranks, or stack levels (SID) when ranks_are_stacked */
    bool ranks_are_stacked;  /* stack levels share the activation window and refresh of their pseudo-channel */
    uint32_t bankgroups;
    uint32_t banks_per_group;
    uint64_t rows;
    uint64_t row_bytes;   /* of one bank, over the bus of one pseudo-channel */
    uint64_t bus_bits;    /* data bus of one pseudo-channel */
    uint64_t burst_bytes; /* one read or write command */
};

/* JEDEC timings, in clocks of the command bus. A name keeps its data-sheet spelling. 0 = does not apply. */
struct sy_dram_timing {
    uint32_t burst;     /* data bus clocks of one burst */
    uint32_t burst_max; /* column access clocks inside one bank group (LPDDR5 BL/n_max); default burst */
    uint32_t CL, CWL;
    uint32_t tRCD_rd, tRCD_wr, tRP, tRAS, tRC;
    uint32_t tRRD_S, tRRD_L, tFAW, t32AW;
    uint32_t tCCD_S, tCCD_L;
    uint32_t tCCD_S_wr, tCCD_L_wr; /* write to write where it differs (DDR5); default tCCD_S, tCCD_L */
    uint32_t tCCD_R;               /* read to read, other stack level */
    uint32_t tWR, tWTR_S, tWTR_L, tRTP;
    uint32_t tRTRS; /* bus turnaround gap in read to write and between ranks */
    uint32_t tRTW;  /* read to write when the source gives it; default CL + burst + tRTRS - CWL */
    uint32_t tPPD;  /* precharge to precharge */
    uint32_t tREFI, tRFC;
    uint32_t tREFIpb, tRFCpb, tRREFD; /* per-bank refresh */
};

/* The command bus. */
struct sy_dram_command_bus {
    uint32_t buses;                       /* 1, or 2: rows and columns apart (HBM) */
    uint32_t activate, precharge, column; /* clocks a command occupies its bus */
    bool half_clock_edges;    /* the clock counts half periods: column and activate only on odd ones (HBM3) */
    uint32_t split_activate;  /* tAAD: activate is two commands, the second at most this much later (LPDDR5); 0 = one */
    uint32_t data_clock_post; /* nWCKPST: the data clock stops this long after a burst and needs a CAS (LPDDR5) */
    bool data_clock_sync;     /* that mechanism exists */
};

/* Energy of one action of one channel (all devices of a rank), pJ, and standby power, mW. has = the file gives them. */
struct sy_dram_power {
    bool has;
    double activate_pj, read_pj, write_pj, refresh_pj;
    double active_standby_mw, precharge_standby_mw;
    double power_down_mw; /* all rows closed, clock enable low; 0 = not given, then standby */
    const char *source, *confidence;
};

struct sy_dram_device {
    const char *name, *standard, *source, *confidence, *note;
    const char *controller;  /* the style its source uses: a file of arch/dram/controllers */
    const char *address_map; /* default map, grammar of sim/engine/dram_map.h */
    uint64_t clock_fs;       /* period of the command bus clock, femtoseconds */
    struct sy_dram_organization org;
    struct sy_dram_timing timing;
    struct sy_dram_command_bus bus;
    struct sy_dram_power power;
    const struct sy_figure *figures; /* every value with its source, for show */
};

enum sy_dram_arbitration {
    SY_DRAM_PER_BANK, /* a queue a bank, round robin over the banks (DRAMsim3) */
    SY_DRAM_BY_AGE    /* one buffer, the oldest ready request first (Ramulator 2.1) */
};
enum sy_dram_scheduler {
    SY_DRAM_FRFCFS,        /* ready commands first, then age */
    SY_DRAM_FRFCFS_ROWHIT, /* and no precharge of a row that an older or equally old request still hits */
    SY_DRAM_FCFS           /* only the oldest request */
};
enum sy_dram_page_policy { SY_DRAM_PAGE_OPEN, SY_DRAM_PAGE_CLOSED, SY_DRAM_PAGE_TIMEOUT };
enum sy_dram_refresh { SY_DRAM_REFRESH_ALL_BANK, SY_DRAM_REFRESH_PER_BANK, SY_DRAM_REFRESH_NONE };

struct sy_dram_controller {
    const char *name, *source, *confidence, *note;
    enum sy_dram_arbitration arbitration;
    enum sy_dram_scheduler scheduler;
    uint32_t read_queue, write_queue;
    uint32_t bank_queue;          /* per-bank: entries a bank */
    uint32_t row_hit_cap;         /* per-bank: hits after which the oldest request may close the row; 0 = no cap */
    uint32_t drain_start_percent; /* of the write queue: writes are served at or above (per-bank), above (by age) */
    uint32_t drain_stop_percent;  /* by age: back to reads below; per-bank: the number at the start is drained */
    uint32_t drain_idle;          /* per-bank: more writes than this are drained when no command waits */
    enum sy_dram_page_policy page;
    uint32_t page_cap;     /* closed: column commands a row serves before it closes */
    uint32_t page_timeout; /* timeout: clocks without a column command */
    enum sy_dram_refresh refresh;
    bool refresh_staggered;      /* ranks or pseudo-channels one after another, else all at once */
    bool refresh_blocks_channel; /* nothing new is started while a refresh waits, else only in its banks */
    uint32_t return_clocks;      /* from last data to the requester */
    uint32_t first_clock;        /* clock of the first command after reset: aligns refresh and half-clock edges */
};

/* Load a device or a controller by name ("ddr4-3200-dramsim3") from data_dir/arch/dram (controllers: its folder
 * controllers), or from a path. Strings and struct live in the arena. Every error of the file is reported before
 * SY_INPUT is returned; SY_IO when it cannot be read. Thread safe. */
enum sy_status sy_dram_device_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                   struct sy_dram_device **device, struct sy_diag *diag);
enum sy_status sy_dram_controller_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                       struct sy_dram_controller **controller, struct sy_diag *diag);
/* The same from memory; path names the text in messages. */
enum sy_status sy_dram_device_parse(const char *text, size_t length, const char *path, const char *data_dir,
                                    struct sy_arena *arena, struct sy_dram_device **device, struct sy_diag *diag);

/* The tables of both, for documentation and `systole show`. */
extern const struct sy_schema sy_dram_device_schema, sy_dram_controller_schema;

/* Banks of one channel. */
static inline uint32_t sy_dram_banks(const struct sy_dram_organization *org)
{
    return org->pseudochannels * org->ranks * org->bankgroups * org->banks_per_group;
}
/* Peak of one channel as bytes / clocks: pseudo-channels x burst_bytes every max(burst, tCCD_S) clocks. */
uint64_t sy_dram_peak_bytes(const struct sy_dram_device *device, uint64_t *clocks);

#endif
