/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What things cost: the items the cost model knows, and tables of their
 * figures. A table is made of the shipped prices (arch/cost/default.yaml) and
 * what is laid over them, later ones winning item by item: tables of the user,
 * a scenario (arch/cost/examples), an incumbent (arch/cost/incumbents), single
 * items. All of these are files of one kind: rows as in arch/figure_table.h,
 * for an incumbent what was measured on it, for a
 * scenario how the mix of work changes. A new node, incumbent or
 * scenario is one change of data.
 *
 * A figure for an item that is no price (the die's area, the energy of a run)
 * replaces what would come from the chip or the run.
 */
#ifndef SY_ARCH_COST_H
#define SY_ARCH_COST_H

#include "arch/figure_table.h"

enum {
    SY_COST_BY_NODE = 1, /* has a figure for each process */
    SY_COST_WHOLE = 2,   /* a whole number */
    SY_COST_PRICED = 4 /* the shipped table has it; else it comes from the chip, the run, an incumbent, or not at all */
};

/* clang-format off */
/* X(NAME, name, least, most, flags, what it is). The unit is in the name; _share is a fraction. */
#define SY_COST_ITEM_MAP(X)                                                                                            \
    X(WAFER_USD, wafer_usd, 1, 1e6, SY_COST_BY_NODE | SY_COST_PRICED, "a processed wafer")                             \
    X(DEFECT_DENSITY, defect_density_cm2, 0, 100, SY_COST_BY_NODE | SY_COST_PRICED, "defects a square centimetre")     \
    X(CLUSTER_ALPHA, cluster_alpha, 0.05, 1000, SY_COST_PRICED, "clustering of defects in the negative binomial yield") \
    X(WAFER_MM, wafer_mm, 50, 450, SY_COST_PRICED, "diameter of a wafer")                                              \
    X(EDGE_MM, edge_exclusion_mm, 0, 20, SY_COST_PRICED, "rim of a wafer that is not used")                            \
    X(SCRIBE_MM, scribe_mm, 0, 2, SY_COST_PRICED, "between two dies")                                                  \
    X(DIE_MM2, die_mm2, 0.01, 1e6, 0, "silicon of one chip; from the run's area estimate")                             \
    X(DIES, dies_per_chip, 1, 256, SY_COST_WHOLE | SY_COST_PRICED, "equal dies the silicon is cut into")               \
    X(DIE_INTERFACE, die_interface_share, 0, 2, SY_COST_PRICED, "area added to each die when there are several")       \
    X(CORES, cores, 1, 65536, SY_COST_WHOLE, "equal cores on the silicon; from the chip")                              \
    X(CORES_NEEDED, cores_needed, 1, 65536, SY_COST_WHOLE, "cores that must work; fewer than all: bad ones are fused off") \
    X(CORE_SHARE, core_share, 0, 1, SY_COST_PRICED, "of the die that is cores, for harvesting")                        \
    X(FLIP_CHIP_USD, flip_chip_usd, 0, 1e6, SY_COST_PRICED, "a flip-chip package, assembled")                          \
    X(INTERPOSER_USD, interposer_usd, 0, 1e6, SY_COST_PRICED, "a package with an interposer, assembled; for HBM")      \
    X(ASSEMBLY_YIELD, assembly_yield, 0.01, 1, SY_COST_PRICED, "of packages that work")                                \
    X(TEST_USD, test_usd, 0, 1e6, SY_COST_PRICED, "final test and burn-in of a chip")                                  \
    X(MEMORY_GB, memory_gb, 0, 1e6, 0, "memory of one chip, 1e9 bytes; from the chip")                                 \
    X(HBM2_USD_GB, hbm2_usd_gb, 0, 1e4, SY_COST_PRICED, "HBM2 and HBM2E")                                              \
    X(HBM3_USD_GB, hbm3_usd_gb, 0, 1e4, SY_COST_PRICED, "HBM3 and later")                                              \
    X(DDR_USD_GB, ddr_usd_gb, 0, 1e4, SY_COST_PRICED, "DDR")                                                           \
    X(GDDR_USD_GB, gddr_usd_gb, 0, 1e4, SY_COST_PRICED, "GDDR")                                                        \
    X(LPDDR_USD_GB, lpddr_usd_gb, 0, 1e4, SY_COST_PRICED, "LPDDR")                                                     \
    X(SUPPLIER_MARGIN, supplier_margin_share, 0, 0.95, SY_COST_PRICED, "of the chip's price that a supplier keeps")    \
    X(BOARD_USD, board_usd, 0, 1e6, SY_COST_PRICED, "board of one chip")                                               \
    X(SERVER_USD, server_usd, 0, 1e6, SY_COST_PRICED, "share of a server of one chip")                                 \
    X(HOST_W, host_w, 0, 1e5, SY_COST_PRICED, "share of a server's power of one chip")                                 \
    X(COOLING_USD_W, cooling_usd_w, 0, 1000, SY_COST_PRICED, "cooling in the server, a watt")                          \
    X(FACILITY_USD_W, facility_usd_w, 0, 1000, SY_COST_PRICED, "data centre, a watt")                                  \
    X(FACILITY_YEARS, facility_years, 1, 100, SY_COST_PRICED, "life of the data centre")                               \
    X(SERVER_YEARS, server_years, 0.25, 50, SY_COST_PRICED, "life of chip and server")                                 \
    X(MAINTENANCE, maintenance_share, 0, 1, SY_COST_PRICED, "of chip and server a year")                               \
    X(PUE, pue, 1, 5, SY_COST_PRICED, "power of the data centre / power of its servers")                               \
    X(ELECTRICITY, electricity_usd_kwh, 0, 10, SY_COST_PRICED, "electricity")                                          \
    X(UTILIZATION, utilization, 0.001, 1, SY_COST_PRICED, "share of time with work, of both chips")                    \
    X(DISCOUNT, discount_share, 0, 1, SY_COST_PRICED, "cost of capital a year")                                        \
    X(OWN_RATE, own_units_per_s, 1e-12, 1e18, 0, "work of one chip, while busy; from the run")                         \
    X(OWN_BUSY_W, own_busy_w, 0, 1e6, 0, "power of chip and memory while busy; from the run")                          \
    X(OWN_IDLE_W, own_idle_w, 0, 1e6, 0, "power of chip and memory without work; from the run")                        \
    X(OWN_TDP_W, own_tdp_w, 0, 1e6, 0, "power to build for; from the chip, else the estimate, else busy power")        \
    X(INCUMBENT_USD, incumbent_usd, 0, 1e7, 0, "price of the incumbent with board and memory")                         \
    X(INCUMBENT_RENT, incumbent_rent_usd_hour, 0, 1e5, 0, "rent of the incumbent, everything in it")                   \
    X(INCUMBENT_TDP_W, incumbent_tdp_w, 0, 1e6, 0, "power to build for")                                               \
    X(INCUMBENT_BUSY_W, incumbent_busy_w, 0, 1e6, 0, "power while busy")                                               \
    X(INCUMBENT_IDLE_W, incumbent_idle_w, 0, 1e6, 0, "power without work")                                             \
    X(INCUMBENT_16BIT, incumbent_16bit_tops, 1e-6, 1e9, 0, "1e12 operations a second of 16-bit formats, peak")         \
    X(INCUMBENT_8BIT, incumbent_8bit_tops, 1e-6, 1e9, 0, "1e12 operations a second of 8-bit formats, peak")            \
    X(INCUMBENT_GBS, incumbent_memory_gbs, 1e-6, 1e9, 0, "1e9 bytes a second of its memory, peak")                     \
    X(INCUMBENT_COMPUTE, incumbent_compute_share, 1e-4, 1, 0, "of the peak that is reached when arithmetic bounds")    \
    X(INCUMBENT_MEMORY, incumbent_memory_share, 1e-4, 1, 0, "of the bandwidth that is reached when memory bounds")     \
    X(INCUMBENT_LAUNCH, incumbent_launch_us, 0, 1e6, 0, "microseconds it takes to start one kernel; 0 when left out")  \
    X(INCUMBENT_RATE, incumbent_units_per_s, 1e-12, 1e18, 0, "work of the incumbent, measured; else its roofline")     \
    X(PASS_UNITS, pass_units, 1e-6, 1e18, 0, "work of one pass of the workload; from the run")                         \
    X(PASS_OPS, pass_operations, 0, 1e24, 0, "operations of one pass, two a multiply-accumulate; from the run")        \
    X(PASS_BYTES, pass_bytes, 0, 1e24, 0, "weights and cached state of one pass, once; from the run")                  \
    X(PASS_KERNELS, pass_kernels, 0, 1e12, 0, "matrix layers of one pass, each a kernel; from the run")               \
    X(DESIGN_USD, design_nre_usd, 0, 1e12, SY_COST_BY_NODE | SY_COST_PRICED, "design of the chip, to tape-out")        \
    X(MASKS_USD, mask_set_usd, 0, 1e10, SY_COST_BY_NODE | SY_COST_PRICED, "a set of masks")                            \
    X(IP_USD, licensed_ip_usd, 0, 1e10, SY_COST_BY_NODE | SY_COST_PRICED, "licensed blocks")                           \
    X(PACKAGE_DESIGN, package_design_usd, 0, 1e10, SY_COST_PRICED, "design of the package")                            \
    X(SOFTWARE_USD, software_nre_usd, 0, 1e12, SY_COST_PRICED, "compiler, kernels, ports")                             \
    X(RESPIN_PROBABILITY, respin_probability, 0, 1, SY_COST_PRICED, "that first silicon does not do")                  \
    X(RESPIN_MASKS, respin_mask_share, 0, 1, SY_COST_PRICED, "of a mask set a respin takes")                           \
    X(RESPIN_DESIGN, respin_design_share, 0, 1, SY_COST_PRICED, "of the design cost a respin takes")                   \
    X(NRE_USD, nre_usd, 0, 1e13, 0, "all one-off cost; instead of its parts")                                          \
    X(DESIGN_MONTHS, design_months, 0, 240, SY_COST_PRICED, "specification to tape-out")                               \
    X(FAB_WEEKS, fab_weeks, 0, 520, SY_COST_BY_NODE | SY_COST_PRICED, "tape-out to wafers")                            \
    X(BRINGUP_MONTHS, bringup_months, 0, 120, SY_COST_PRICED, "wafers to service")                                     \
    X(RESPIN_MONTHS, respin_months, 0, 120, SY_COST_PRICED, "a respin takes")                                          \
    X(DEVELOPMENT, development_months, 0, 480, 0, "today to launch; instead of its parts")                             \
    X(MONTHS_LATE, months_late, 0, 240, SY_COST_PRICED, "behind the plan")                                             \
    X(DELAY_BURN, delay_burn_share, 0, 10, SY_COST_PRICED, "of the mean monthly one-off spending that goes on while late") \
    X(SERVICE_YEARS, service_years, 0.1, 50, SY_COST_PRICED, "from the planned launch to the end of service")          \
    X(RAMP_YEARS, ramp_years, 0, 20, SY_COST_PRICED, "from launch to the whole volume")                                \
    X(DEMAND_GROWTH, demand_growth_share, 0, 20, SY_COST_PRICED, "growth of the workload a year")                   \
    X(INCUMBENT_DECLINE, incumbent_decline_share, 0, 0.9, SY_COST_PRICED, "of the incumbent's cost of the work that goes a year") \
    X(MIX_SHIFT, mix_shift_share, 0, 0.9, SY_COST_PRICED, "throughput a fixed design loses a year as models move on")  \
    X(SPEND, spend_usd_year, 0, 1e14, 0, "bill for the workload on the incumbent, a year")                             \
    X(VOLUME, volume_chips, 0, 1e10, 0, "own chips in service at full volume, for today's workload")                   \
    X(SAVING_SHARE, saving_share, 0, 1, 0, "of the bill that the chip saves; instead of both chips' costs")          \
    X(RUN_UNITS, run_units, 0, 1e24, 0, "work of one training run")
/* clang-format on */

enum sy_cost_item {
#define SY_COST_ENUM(NAME, name, least, most, flags, doc) SY_COST_##NAME,
    SY_COST_ITEM_MAP(SY_COST_ENUM)
#undef SY_COST_ENUM
        SY_COST_ITEMS
};
struct sy_cost_item_info {
    const char *name;
    double least, most;
    uint32_t flags;
    const char *doc;
};
extern const struct sy_cost_item_info sy_cost_items[SY_COST_ITEMS];

/* Work a second of an incumbent, measured. */
struct sy_cost_measurement {
    const char *workload, *phase; /* phase NULL: no language model */
    uint64_t sequences, context;
    double units_per_s;
    const char *source, *confidence, *note;
};
/* One kind of work in a mix that moves: models come and go while a chip is designed and serves. */
enum { SY_COST_MAX_CLASSES = 32 };
struct sy_cost_class {
    const char *name;
    double share;          /* of today's units of work; the shares of a mix sum to 1 */
    double growth;         /* a year, beside the growth of all work; -0.5 halves it */
    double own, incumbent; /* rate on this work, relative to that on the workload of the run */
    const char *source, *confidence, *note;
};
struct sy_cost_table {
    struct sy_arena *arena;
    struct sy_figure_table figures;
    const char *incumbent, *incumbent_description; /* NULL = none */
    uint32_t measurements;
    struct sy_cost_measurement *measured;
    uint32_t classes; /* 0: all work is like the run's */
    struct sy_cost_class *mix;
};

/* What a table is made of; NULL members add nothing. Lists end with NULL. */
struct sy_cost_sources {
    const char *data_dir;
    const char *const *tables; /* files, or names in arch/cost */
    const char *example;       /* in arch/cost/examples, or a file */
    const char *incumbent;     /* in arch/cost/incumbents, or a file */
    const char *const *set;    /* "ITEM=VALUE" or "ITEM=LOW:VALUE:HIGH" */
};
/* Every mistake is reported (SY_INPUT, SY_IO): unknown items, values beyond their limits. */
enum sy_status sy_cost_table_load(const struct sy_cost_sources *sources, struct sy_cost_table **table,
                                  struct sy_diag *diag);
/* One file from memory, as an incumbent's: its rows over those of base (NULL: none), its measurements and its mix
 * alone. base must outlive the table. path names the text in messages. */
enum sy_status sy_cost_table_parse(const struct sy_cost_table *base, const char *text, size_t length, const char *path,
                                   struct sy_cost_table **table, struct sy_diag *diag);
void sy_cost_table_destroy(struct sy_cost_table *table);
/* Index of an item, or SY_COST_ITEMS. */
uint32_t sy_cost_item_find(const char *name);
/* The reference of such files and of the items in Markdown. */
enum sy_status sy_cost_reference(struct sy_buf *out);

#endif
