/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From silicon and joules to dollars: what a chip costs, what a unit of its
 * work (a token, an inference) costs to own and run, what an incumbent's
 * costs, and when the one-off cost of building the chip is paid back.
 *
 * The model is a pure function of one number an item (arch/cost.h), so that a
 * range of any of them can be followed to any result: cost_risk.h. Formulas
 * with their sources: docs/model-cost.md. Every figure that does not apply or
 * whose inputs are not known is NaN; "never" is infinite.
 */
#ifndef SY_STATS_COST_H
#define SY_STATS_COST_H

#include <stdbool.h>

#include "arch/cost.h"
#include "sim/stats/yield.h"

/* clang-format off */
/* X(NAME, name, unit, section, what it is). _m is a million units of work. */
#define SY_COST_OUTPUT_MAP(X)                                                                                          \
    X(DIES_PER_WAFER, dies_per_wafer, "dies", SILICON, "gross dies of a wafer, a mean")                                \
    X(YIELD, yield, "of dies", SILICON, "that can be sold")                                                            \
    X(DIE_USD, die_usd, "USD", SILICON, "wafer / (dies x yield)")                                                      \
    X(CHIP_DIE_USD, chip_die_usd, "USD", CHIP, "dies of one chip")                                                     \
    X(CHIP_MEMORY_USD, chip_memory_usd, "USD", CHIP, "memory")                                                         \
    X(CHIP_PACKAGE_USD, chip_package_usd, "USD", CHIP, "package")                                                      \
    X(CHIP_TEST_USD, chip_test_usd, "USD", CHIP, "final test")                                                         \
    X(CHIP_LOSS_USD, chip_loss_usd, "USD", CHIP, "what fails in assembly, shared by what works")                       \
    X(CHIP_MARGIN_USD, chip_margin_usd, "USD", CHIP, "kept by a supplier")                                             \
    X(CHIP_USD, chip_usd, "USD", CHIP, "sum")                                                                          \
    X(OWN_CHIP_M, own_chip_usd_m, "USD/M", OWN, "chip, written off over its life at the discount rate")                \
    X(OWN_SYSTEM_M, own_system_usd_m, "USD/M", OWN, "board, server, cooling, likewise")                                \
    X(OWN_FACILITY_M, own_facility_usd_m, "USD/M", OWN, "data centre, over its own life")                              \
    X(OWN_ENERGY_M, own_energy_usd_m, "USD/M", OWN, "electricity, busy and idle, with PUE")                            \
    X(OWN_MAINTENANCE_M, own_maintenance_usd_m, "USD/M", OWN, "maintenance")                                           \
    X(OWN_TCO_M, own_tco_usd_m, "USD/M", OWN, "sum")                                                                   \
    X(OWN_J, own_wall_j, "J", OWN, "energy of one unit at the meter")                                                  \
    X(OWN_RUN_USD, own_run_usd, "USD", OWN, "a training run")                                                          \
    X(INC_RATE, incumbent_rate, "1/s", INCUMBENT, "work of one incumbent, while busy")                                 \
    X(INC_CHIP_M, incumbent_chip_usd_m, "USD/M", INCUMBENT, "price, written off")                                      \
    X(INC_RENT_M, incumbent_rent_usd_m, "USD/M", INCUMBENT, "rent, idle hours too")                                    \
    X(INC_SYSTEM_M, incumbent_system_usd_m, "USD/M", INCUMBENT, "server, cooling")                                     \
    X(INC_FACILITY_M, incumbent_facility_usd_m, "USD/M", INCUMBENT, "data centre")                                     \
    X(INC_ENERGY_M, incumbent_energy_usd_m, "USD/M", INCUMBENT, "electricity")                                         \
    X(INC_MAINTENANCE_M, incumbent_maintenance_usd_m, "USD/M", INCUMBENT, "maintenance")                               \
    X(INC_TCO_M, incumbent_tco_usd_m, "USD/M", INCUMBENT, "sum")                                                       \
    X(INC_J, incumbent_wall_j, "J", INCUMBENT, "energy of one unit at the meter")                                      \
    X(INC_RUN_USD, incumbent_run_usd, "USD", INCUMBENT, "a training run")                                              \
    X(SAVING_M, saving_usd_m, "USD/M", SAVING, "incumbent's TCO - own, today")                                         \
    X(SAVING_SHARE, saving_of_bill, "of the bill", SAVING, "the same over the incumbent's TCO")                        \
    X(NRE_DESIGN, nre_design_usd, "USD", NRE, "design")                                                                \
    X(NRE_MASKS, nre_masks_usd, "USD", NRE, "masks")                                                                   \
    X(NRE_IP, nre_ip_usd, "USD", NRE, "licensed blocks")                                                               \
    X(NRE_PACKAGE, nre_package_usd, "USD", NRE, "package design")                                                      \
    X(NRE_SOFTWARE, nre_software_usd, "USD", NRE, "software")                                                          \
    X(NRE_RESPIN, nre_respin_usd, "USD", NRE, "a respin, times its probability")                                       \
    X(NRE, nre_total_usd, "USD", NRE, "sum")                                                                           \
    X(DEVELOPMENT, months_to_launch, "months", NRE, "today to the planned launch, a respin times its probability in it") \
    X(DEMAND, demand_m_year, "M/year", PROGRAM, "today's workload")                                                    \
    X(CHIPS, own_chips, "chips", PROGRAM, "own chips for today's workload")                                            \
    X(BILL, bill_usd_year, "USD/year", PROGRAM, "for it on the incumbent, today")                                      \
    X(SAVING_YEAR, saving_usd_year, "USD/year", PROGRAM, "of it, today")                                               \
    X(PAYBACK, payback_years, "years", PROGRAM, "from launch until discounted savings have paid the one-off cost")     \
    X(PAYBACK_CHIPS, payback_chips, "chips", PROGRAM, "that pay it over their life, at today's prices")                \
    X(PAYBACK_BILL, payback_bill_usd, "USD", PROGRAM, "bill on the incumbent whose saving pays it, at today's prices") \
    X(LEAST_BILL, least_bill_usd_year, "USD/year", PROGRAM, "today's bill from which it is paid within the service life") \
    X(NPV, npv_usd, "USD", PROGRAM, "savings to the end of service - one-off cost, discounted to today")               \
    X(NEGOTIATION_SHARE, negotiation_share, "of its cost", PROGRAM, "incumbent's cost at which building stops making sense, of today's") \
    X(NEGOTIATION_USD, negotiation_price_usd, "USD", PROGRAM, "its price, or rent an hour, there; below 0: not even for free") \
    X(PARITY_USD, parity_price_usd, "USD", PROGRAM, "its price, or rent, at which running either costs the same today") \
    X(LATEST, latest_months, "months", PROGRAM, "late at which nothing is gained any more")
/* clang-format on */

enum sy_cost_output {
#define SY_COST_ENUM(NAME, name, unit, section, doc) SY_OUT_##NAME,
    SY_COST_OUTPUT_MAP(SY_COST_ENUM)
#undef SY_COST_ENUM
        SY_COST_OUTPUTS
};
enum sy_cost_section {
    SY_SECTION_SILICON,
    SY_SECTION_CHIP,
    SY_SECTION_OWN,
    SY_SECTION_INCUMBENT,
    SY_SECTION_SAVING,
    SY_SECTION_NRE,
    SY_SECTION_PROGRAM,
    SY_COST_SECTIONS
};
struct sy_cost_output_info {
    const char *name, *unit, *doc;
    enum sy_cost_section section;
};
extern const struct sy_cost_output_info sy_cost_outputs[SY_COST_OUTPUTS];

/* What is not a number. */
struct sy_cost_choice {
    enum sy_yield_model yield;
    enum sy_cost_item memory;  /* its price: SY_COST_HBM2_USD_GB ... */
    enum sy_cost_item package; /* SY_COST_FLIP_CHIP_USD or SY_COST_INTERPOSER_USD */
    enum sy_cost_item peak;    /* SY_COST_INCUMBENT_16BIT or _8BIT */
    bool rent;                 /* the incumbent is rented, not bought */
    uint32_t classes;          /* kinds of work; 0: all is like the run's */
    const struct sy_cost_class *mix;
};

/* All outputs from all inputs; an input that is not known is NaN. Pure, thread safe. */
void sy_cost_evaluate(const struct sy_cost_choice *choice, const double in[SY_COST_ITEMS], double out[SY_COST_OUTPUTS]);
/* A kind of work over the life of the project. */
struct sy_cost_class_view {
    double now, at_launch, at_end; /* share of all work: today, planned launch, end of service */
    double saving_share;           /* of its bill, today */
    double served_years; /* from today until the incumbent is the cheaper one for it; below 0: from the start */
};
/* One view a class of the choice; false when the project is not known. */
bool sy_cost_view_mix(const struct sy_cost_choice *choice, const double in[SY_COST_ITEMS],
                      const double out[SY_COST_OUTPUTS], struct sy_cost_class_view view[SY_COST_MAX_CLASSES]);
/* What a decision rests on: NPV, else the saving, else own TCO, else the chip, whichever is the first that is known. */
enum sy_cost_output sy_cost_headline(const double out[SY_COST_OUTPUTS]);
/* A Julian year. */
extern const double sy_cost_year_s;

#endif
