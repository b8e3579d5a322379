/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy: integer action counts times sourced rows (arch/energy.h), plus
 * power without work times time. Every term becomes one item of the result with
 * the row that priced it, and the total is exactly the sum of the items.
 *
 * Items, as component and action (the names overrides and exports use):
 *   mac FORMAT, gated                useful multiply-accumulates; those whose zero operand an array gates
 *   array register_bit, wire_bit     operand and sum bits that enter a PE from its neighbour: register and wire
 *   array edge_bit                   bits through the FIFOs at the array's edges
 *   array spad_word, bus_bit         row stationary: words read from and written to the scratchpads inside the PEs;
 * bits over the buses that reach all PEs (wire_bit: sums that pass to the next) dma byte                         bytes
 * from and to off-chip memories and the host, through an engine's buffer vector simple, transcendental, reduce links
 * sent_byte, idle_byte       collectives: bytes this chip sends to others; idle symbols in place of them LEVEL
 * read_byte, write_byte      a memory level's port, or an off-chip memory with its interface LEVEL die_byte,
 * router_byte      off-chip levels, and SRAMs that several cores share: across the die, the routers on the way when
 * there are several cores LEVEL idle_byte                  host links: idle symbols in place of data LEVEL awake_ns,
 * idle_ns          off-chip memory while nothing moves: its interface on the die; the memory itself LEVEL wire_byte
 * SRAM: from its banks to its port and back LEVEL activate, read_burst, write_burst, refresh, active_ns, standby_ns,
 * power_down_ns, interface_byte instead, where a DRAM model counted commands and the device gives energies chip
 * leakage_ns, clock_ns        power.static and power.clock of the chip file; what it does not give is estimated: sram
 * leakage_ns                  leakage of the SRAMs logic leakage_ns                 of everything else array clock_ns,
 * gated_ns         clock of the flip-flops in the arrays; with gated clocks chip clock_ns                    of the
 * others Nothing stands for: without a DRAM model, refresh and activates of a memory beyond what its energy a bit and
 * its standing power hold.
 */
#ifndef SY_STATS_ENERGY_H
#define SY_STATS_ENERGY_H

#include "arch/energy.h"
#include "arch/figure_table.h"
#include "sim/stats/result.h"
#include "sim/stats/sram.h"

/* One bank of a level's SRAM. */
struct sy_level_sram {
    bool known;
    uint64_t width_bits;      /* of one bank's port as priced */
    struct sy_sram_cost bank; /* energies and access time of one bank, leakage and area of one bank */
    const char *source, *confidence;
    /* pJ a byte and pJ a nanosecond of the same bank one process generation earlier, by the SRAM model; 0 = unknown. A
     * figure above them is not monotonic in the node, and its rule says so. */
    double earlier_read_pj, earlier_write_pj, earlier_leakage_mw, earlier_mm2, earlier_nm;
};
/* A scratchpad inside each PE (row stationary): of inputs, filters, sums. */
enum { SY_SPADS = 3 };
struct sy_spad {
    uint64_t words, bits;
    double sram_um2; /* by the SRAM model; 0 = not covered */
};
/* What power without work follows from. */
struct sy_clocked {
    bool known;
    double array_bits;                                  /* flip-flops in the arrays */
    double other_bits, other_low_bits, other_high_bits; /* elsewhere */
    double logic_mm2, memory_mm2, die_mm2;
    double pitch_mm; /* of PEs with their scratchpads; 0 = unknown */
    struct sy_sourced leak_mw_mm2;
};
/* A DRAM level's devices without traffic, mW a channel. source NULL = its file gives no energies. */
struct sy_dram_standby {
    double idle_mw, down_mw, refresh_mw;
    bool sleeps;       /* the chip powers it down */
    uint64_t bus_bits; /* of one channel; 0 = no device */
    const char *source, *confidence;
};
struct sy_range {
    double nominal, low, high;
};
/* What waking up takes, without what is loaded again. */
struct sy_wake {
    bool known;
    double clocks_s, ramp_s; /* PHYs and links, or clocks; supplies */
    double charge_j;         /* of everything behind gated supplies */
};
/* What the chip's own supply and temperature do to the rows' figures. */
struct sy_conditions {
    double dynamic, leakage_lstp, leakage_hp; /* factors */
    const char *voltage, *temperature;        /* said in the rules; NULL = as the rows */
    bool beyond;                              /* of the calibrated temperatures */
};
struct sy_energy_override {
    const char *component, *action;
    double pj;
    const char *source;
};
/* An area of an Accelergy ART in place of a part of the die, all of its copies together. */
struct sy_area_override {
    const char *component;
    double mm2;
    const char *source;
    struct sy_where where;
};
enum { SY_MAX_OVERRIDES = 256, SY_MAX_AREA_OVERRIDES = 64 };
struct sy_energy_setup {
    struct sy_level_sram level[SY_MAX_LEVELS];
    struct sy_sourced pe_um2; /* value 0 = unknown */
    struct sy_spad spad[SY_SPADS];
    struct sy_clocked clocked;
    struct sy_dram_standby standby[SY_MAX_LEVELS];
    struct sy_wake wake;
    struct sy_conditions conditions;
    uint32_t overrides;
    struct sy_energy_override override[SY_MAX_OVERRIDES];
    uint32_t area_overrides;
    struct sy_area_override area_override[SY_MAX_AREA_OVERRIDES];
};

struct sy_energy_options {
    const char *sram_macros; /* CSV of a memory compiler's macros, NULL = CACTI where it covers the node */
    const char *ert;         /* Accelergy energy and area reference tables (YAML) whose figures replace ours, or NULL */
    const char *const *set;  /* "COMPONENT.ACTION=PJ", NULL-terminated, or NULL; goes before ert */
    const struct sy_figure_table *area; /* NULL: no wires between PEs */
    const char *data_dir;               /* where the DRAM devices' files are; NULL = the working directory */
};
/* Work out what does not change during a run. Every override that names no action of the chip is reported: SY_INPUT. */
enum sy_status sy_energy_prepare(struct sy_energy_table *table, const struct sy_chip *chip,
                                 const struct sy_energy_options *options, struct sy_diag *diag);

/* pJ of one byte through a level's ports or bus, mean of read and write; 0 when the table has no row for it. */
double sy_energy_pj_per_byte(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level);
double sy_energy_pj_per_mac(const struct sy_chip *chip, const struct sy_energy_table *table, enum sy_dtype a,
                            enum sy_dtype b);
/* Power without work, by state of the whole chip: leakage, clock, idle links, PHYs and DRAM awake while clocked; with
 * gated clocks the trunk of the tree, leakage and the DRAM powered down (its contents stay), links and PHYs asleep;
 * with gated supplies a part of the leakage, the DRAM as with gated clocks. From the chip's flip-flops, areas and SRAMs
 * unless the chip file states power.static or power.clock. Published idle and busy power are not used: they are what it
 * is tested with. */
struct sy_base_power {
    double leakage_w, clock_w, link_w, phy_w, memory_w;
    double idle_w, idle_low_w, idle_high_w, gated_w, off_w;
};
struct sy_base_power sy_energy_base(const struct sy_chip *chip, const struct sy_energy_table *table);
/* The power of all units at their peak rates at once, without the base power: for a TDP estimate. *off_chip_w (may be
 * NULL): the part of it that does not go with the core clock. */
double sy_energy_peak_w(const struct sy_chip *chip, const struct sy_energy_table *table, double *off_chip_w);

/* Fill result->energy and the layers' and total energy. Missing rows become warnings, never zeros in silence. */
enum sy_status sy_energy_account(struct sy_result *result, const struct sy_chip *chip,
                                 const struct sy_energy_table *table);

/* Append a warning to the result (copied). */
void sy_result_warn(struct sy_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
