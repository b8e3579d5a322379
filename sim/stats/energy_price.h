/* SPDX-License-Identifier: Apache-2.0 */
/* What one action of a chip costs, for sim/stats/energy.c and sim/stats/area.c. */
#ifndef SY_STATS_ENERGY_PRICE_H
#define SY_STATS_ENERGY_PRICE_H

#include "sim/stats/energy.h"

struct sy_price {
    bool known;
    double pj, low_pj, high_pj;
    const char *source, *confidence;
    const char *rule;   /* how the figure was got from its row */
    const char *factor; /* what it was multiplied by, NULL = nothing */
    bool extrapolated;
    const char *condition; /* supply or temperature, said in the rule; NULL = as the row */
};

enum sy_array_action {
    SY_REGISTER_BIT,
    SY_WIRE_BIT,
    SY_EDGE_BIT,
    SY_SPAD_WORD,
    SY_BUS_BIT, /* row stationary: over the buses that reach every PE */
    SY_ARRAY_ACTIONS
};
/* From SY_ACTIVATE on: of a level with a DRAM model (energy_dram.c). */
enum sy_level_action {
    SY_READ_BYTE,
    SY_WRITE_BYTE,
    SY_WIRE_BYTE,
    SY_DIE_BYTE,    /* across the die, of levels that everything on it reaches */
    SY_ROUTER_BYTE, /* the routers on that way, with several cores */
    SY_IDLE_BYTE,   /* of a host link: bytes of idle symbols it could have carried */
    SY_AWAKE_NS,    /* of a DRAM's interface: time in which nothing moved (energy_standby.c) */
    SY_IDLE_NS,     /* of the DRAM itself, where its states were not counted */
    SY_ACTIVATE,
    SY_READ_BURST,
    SY_WRITE_BURST,
    SY_REFRESH,
    SY_ACTIVE_NS,
    SY_STANDBY_NS,
    SY_DOWN_NS,
    SY_INTERFACE_BYTE,
    SY_LEVEL_ACTIONS
};
enum sy_vector_action { SY_SIMPLE, SY_TRANSCENDENTAL, SY_REDUCE, SY_VECTOR_ACTIONS };
extern const char *const sy_array_action_names[SY_ARRAY_ACTIONS];
extern const char *const sy_level_action_names[SY_LEVEL_ACTIONS];
extern const char *const sy_vector_action_names[SY_VECTOR_ACTIONS];

void sy_price_scale(struct sy_price *price, double by, const char *factor);
/* The format that prices a multiplication of a by b: the wider one. */
const char *sy_mac_action(enum sy_dtype a, enum sy_dtype b);

struct sy_price sy_price_mac(const struct sy_chip *chip, const struct sy_energy_table *table, const char *format);
struct sy_price sy_price_array(const struct sy_chip *chip, const struct sy_energy_table *table,
                               enum sy_array_action action);
struct sy_price sy_price_vector(const struct sy_chip *chip, const struct sy_energy_table *table,
                                enum sy_vector_action action);
/* The price of moving or computing `bits` bits by a row of the table; 0 = one action as the row counts it. Not known
 * when there is no such row. */
struct sy_price sy_price_row(const struct sy_energy_table *table, const char *component, const char *action,
                             uint64_t bytes, double node_nm, double bits);
/* A command, a state's nanosecond or a byte of the interface of a level's device. */
struct sy_price sy_price_dram(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level,
                              const struct sy_dram_stats *dram, enum sy_level_action action);
/* known is false for the wires of a level that is no SRAM. */
struct sy_price sy_price_level(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level,
                               enum sy_level_action action);
/* A byte through a DMA engine: into its buffer and out of it. */
struct sy_price sy_price_dma(const struct sy_chip *chip, const struct sy_energy_table *table);
/* A byte to another chip, both ends of the link. */
struct sy_price sy_price_link(const struct sy_chip *chip, const struct sy_energy_table *table);
/* A byte through the crossbar: at its shared side, or at a core's port. Not known without a crossbar. */
extern const char *const sy_crossbar_action_names[2];
struct sy_price sy_price_crossbar(const struct sy_chip *chip, const struct sy_energy_table *table, int core_side);
/* A nanosecond of the clock of the arrays' flip-flops, or of all others. */
struct sy_price sy_price_clock(const struct sy_chip *chip, const struct sy_energy_table *table, bool array);
/* Leakage of everything but the SRAMs for one nanosecond. */
struct sy_price sy_price_logic_leakage(const struct sy_chip *chip, const struct sy_energy_table *table);
/* Leakage of all SRAMs for one nanosecond. */
struct sy_price sy_price_sram_leakage(const struct sy_chip *chip, const struct sy_energy_table *table);

/* The user's figure in place of a price, when there is one. */
struct sy_price sy_price_overridden(const struct sy_energy_table *table, const char *component, const char *action,
                                    struct sy_price price);

#endif
