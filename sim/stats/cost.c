/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of a chip and of its work, and what they mean for the project. See cost.h. */
#include "sim/stats/cost.h"

#include <math.h>
#include <string.h>

#include "sim/stats/cost_program.h"

const double sy_cost_year_s = 365.25 * 86400;
static const double year_hours = 365.25 * 24, month_weeks = 365.25 / 12 / 7, million = 1e6;
static const double never = (double)INFINITY, unknown = (double)NAN;

const struct sy_cost_output_info sy_cost_outputs[SY_COST_OUTPUTS] = {
#define OUTPUT_INFO(NAME, name, unit, section, doc) {#name, unit, doc, SY_SECTION_##section},
    SY_COST_OUTPUT_MAP(OUTPUT_INFO)
#undef OUTPUT_INFO
};

struct model {
    const struct sy_cost_choice *choice;
    const double *in;
    double *out;
};
#define IN(name) m->in[SY_COST_##name]
#define OUT(name) m->out[SY_OUT_##name]

static bool known(double value)
{
    return !isnan(value);
}

/* ---- silicon and chip ---- */

static double die_yield(const struct model *m, double mm2)
{
    double defects = mm2 / 100 * IN(DEFECT_DENSITY), dies = IN(DIES);
    double cores = floor(IN(CORES) / dies + 0.5), needed = ceil(IN(CORES_NEEDED) / dies);
    if (!known(IN(CORES_NEEDED)) || !known(IN(CORES)) || needed >= cores)
        return sy_yield(m->choice->yield, defects, IN(CLUSTER_ALPHA));
    double core = defects * IN(CORE_SHARE) / cores, rest = defects * (1 - IN(CORE_SHARE));
    return sy_yield_harvested(m->choice->yield, core, rest, (uint32_t)cores, (uint32_t)needed, IN(CLUSTER_ALPHA));
}

static void put_chip(const struct model *m)
{
    if (!known(IN(DIE_MM2)))
        return;
    double mm2 = IN(DIE_MM2) / IN(DIES) * (IN(DIES) > 1 ? 1 + IN(DIE_INTERFACE) : 1);
    OUT(DIES_PER_WAFER) = sy_dies_per_wafer(mm2, IN(WAFER_MM), IN(EDGE_MM), IN(SCRIBE_MM));
    OUT(YIELD) = die_yield(m, mm2);
    OUT(DIE_USD) = IN(WAFER_USD) / (OUT(DIES_PER_WAFER) * OUT(YIELD));
    OUT(CHIP_DIE_USD) = IN(DIES) * OUT(DIE_USD);
    OUT(CHIP_MEMORY_USD) = IN(MEMORY_GB) > 0 ? IN(MEMORY_GB) * m->in[m->choice->memory] : IN(MEMORY_GB);
    OUT(CHIP_PACKAGE_USD) = m->in[m->choice->package];
    OUT(CHIP_TEST_USD) = IN(TEST_USD);
    double parts = OUT(CHIP_DIE_USD) + OUT(CHIP_MEMORY_USD) + OUT(CHIP_PACKAGE_USD) + OUT(CHIP_TEST_USD);
    OUT(CHIP_LOSS_USD) = parts * (1 / IN(ASSEMBLY_YIELD) - 1);
    OUT(CHIP_MARGIN_USD) = (parts + OUT(CHIP_LOSS_USD)) * IN(SUPPLIER_MARGIN) / (1 - IN(SUPPLIER_MARGIN));
    OUT(CHIP_USD) = parts + OUT(CHIP_LOSS_USD) + OUT(CHIP_MARGIN_USD);
}

/* ---- owning and running ---- */

/* Yearly payment that writes a dollar off over so many years at the discount rate. */
static double recovery(const struct model *m, double years)
{
    double rate = IN(DISCOUNT);
    return rate > 0 ? rate / -expm1(-years * log1p(rate)) : 1 / years;
}

/* The parts of a year's cost of one machine. */
struct machine {
    double chip, system, facility, energy, maintenance, wall_w;
};

static struct machine year_of(const struct model *m, double chip, double board, double busy_w, double idle_w,
                              double tdp_w)
{
    double built_w = (known(tdp_w) ? tdp_w : busy_w) + IN(HOST_W), share = IN(UTILIZATION);
    double system = board + IN(SERVER_USD) + IN(COOLING_USD_W) * built_w, life = recovery(m, IN(SERVER_YEARS));
    double mean_w = share * busy_w + (1 - share) * (known(idle_w) ? idle_w : busy_w) + IN(HOST_W);
    struct machine year = {.chip = chip * life,
                           .system = system * life,
                           .facility = IN(FACILITY_USD_W) * built_w * recovery(m, IN(FACILITY_YEARS)),
                           .maintenance = (chip + system) * IN(MAINTENANCE),
                           .wall_w = mean_w * IN(PUE)};
    year.energy = year.wall_w / 1000 * year_hours * IN(ELECTRICITY);
    return year;
}

static double units_a_year(const struct model *m, double rate)
{
    return rate * IN(UTILIZATION) * sy_cost_year_s;
}

static void put_own(const struct model *m)
{
    double units = units_a_year(m, IN(OWN_RATE)), scale = million / units;
    struct machine year = year_of(m, OUT(CHIP_USD), IN(BOARD_USD), IN(OWN_BUSY_W), IN(OWN_IDLE_W), IN(OWN_TDP_W));
    OUT(OWN_CHIP_M) = year.chip * scale;
    OUT(OWN_SYSTEM_M) = year.system * scale;
    OUT(OWN_FACILITY_M) = year.facility * scale;
    OUT(OWN_ENERGY_M) = year.energy * scale;
    OUT(OWN_MAINTENANCE_M) = year.maintenance * scale;
    OUT(OWN_TCO_M) =
        OUT(OWN_CHIP_M) + OUT(OWN_SYSTEM_M) + OUT(OWN_FACILITY_M) + OUT(OWN_ENERGY_M) + OUT(OWN_MAINTENANCE_M);
    OUT(OWN_J) = year.wall_w * sy_cost_year_s / units;
    OUT(OWN_RUN_USD) = IN(RUN_UNITS) / million * OUT(OWN_TCO_M);
}

/* Measured, else the roofline with what is reached of each of its two bounds, and the kernels' launches. */
static double incumbent_rate(const struct model *m)
{
    double peak = known(m->in[m->choice->peak]) ? m->in[m->choice->peak] : IN(INCUMBENT_16BIT);
    double compute = IN(PASS_OPS) / (peak * 1e12 * IN(INCUMBENT_COMPUTE));
    double memory = IN(PASS_BYTES) / (IN(INCUMBENT_GBS) * 1e9 * IN(INCUMBENT_MEMORY));
    double launches =
        known(IN(INCUMBENT_LAUNCH)) && known(IN(PASS_KERNELS)) ? IN(INCUMBENT_LAUNCH) * IN(PASS_KERNELS) : 0;
    if (known(IN(INCUMBENT_RATE)))
        return IN(INCUMBENT_RATE);
    return known(compute) && known(memory) ? IN(PASS_UNITS) / (fmax(compute, memory) + launches * 1e-6) : unknown;
}

static void put_incumbent(const struct model *m)
{
    OUT(INC_RATE) = incumbent_rate(m);
    double units = units_a_year(m, OUT(INC_RATE)), scale = million / units;
    struct machine year =
        year_of(m, IN(INCUMBENT_USD), 0, IN(INCUMBENT_BUSY_W), IN(INCUMBENT_IDLE_W), IN(INCUMBENT_TDP_W));
    OUT(INC_J) = year.wall_w * sy_cost_year_s / units;
    if (m->choice->rent) {
        OUT(INC_RENT_M) = IN(INCUMBENT_RENT) * year_hours * scale;
        OUT(INC_TCO_M) = OUT(INC_RENT_M);
    } else {
        OUT(INC_CHIP_M) = year.chip * scale;
        OUT(INC_SYSTEM_M) = year.system * scale;
        OUT(INC_FACILITY_M) = year.facility * scale;
        OUT(INC_ENERGY_M) = year.energy * scale;
        OUT(INC_MAINTENANCE_M) = year.maintenance * scale;
        OUT(INC_TCO_M) =
            OUT(INC_CHIP_M) + OUT(INC_SYSTEM_M) + OUT(INC_FACILITY_M) + OUT(INC_ENERGY_M) + OUT(INC_MAINTENANCE_M);
    }
    OUT(INC_RUN_USD) = IN(RUN_UNITS) / million * OUT(INC_TCO_M);
}

/* ---- one-off cost ---- */

static void put_nre(const struct model *m)
{
    double p = IN(RESPIN_PROBABILITY);
    if (known(IN(NRE_USD))) {
        OUT(NRE) = IN(NRE_USD);
    } else {
        OUT(NRE_DESIGN) = IN(DESIGN_USD);
        OUT(NRE_MASKS) = IN(MASKS_USD);
        OUT(NRE_IP) = IN(IP_USD);
        OUT(NRE_PACKAGE) = IN(PACKAGE_DESIGN);
        OUT(NRE_SOFTWARE) = IN(SOFTWARE_USD);
        OUT(NRE_RESPIN) = p * (IN(RESPIN_MASKS) * IN(MASKS_USD) + IN(RESPIN_DESIGN) * IN(DESIGN_USD));
        OUT(NRE) =
            OUT(NRE_DESIGN) + OUT(NRE_MASKS) + OUT(NRE_IP) + OUT(NRE_PACKAGE) + OUT(NRE_SOFTWARE) + OUT(NRE_RESPIN);
    }
    OUT(DEVELOPMENT) = known(IN(DEVELOPMENT)) ? IN(DEVELOPMENT)
                                              : IN(DESIGN_MONTHS) + IN(FAB_WEEKS) / month_weeks + IN(BRINGUP_MONTHS) +
                                                    p * IN(RESPIN_MONTHS);
}

/* ---- the project ---- */

/* Costs of a unit: of the work of the run, and of the mix of work. */
struct unit_costs {
    double own, incumbent;
    double own_mix, incumbent_mix;
    double own_factor, incumbent_factor; /* mix over run */
};

static void put_factors(const struct model *m, struct unit_costs *unit)
{
    unit->own_factor = unit->incumbent_factor = m->choice->classes ? 0 : 1;
    for (uint32_t i = 0; i < m->choice->classes; i++) {
        unit->own_factor += m->choice->mix[i].share / m->choice->mix[i].own;
        unit->incumbent_factor += m->choice->mix[i].share / m->choice->mix[i].incumbent;
    }
}

/* With a saving that is given, a unit is a dollar of the bill. */
static struct unit_costs unit_costs_of(const struct model *m)
{
    struct unit_costs unit;
    bool given = known(IN(SAVING_SHARE));
    unit.incumbent = given ? 1 : OUT(INC_TCO_M) / million;
    unit.own = given ? 1 - IN(SAVING_SHARE) : OUT(OWN_TCO_M) / million;
    put_factors(m, &unit);
    unit.own_mix = unit.own * unit.own_factor;
    unit.incumbent_mix = unit.incumbent * unit.incumbent_factor;
    return unit;
}

static struct sy_program program_of(const struct model *m, const struct unit_costs *unit,
                                    struct sy_program_class mix[SY_COST_MAX_CLASSES])
{
    double months = OUT(DEVELOPMENT), launch = months / 12;
    struct sy_program program = {.own = unit->own,
                                 .incumbent = unit->incumbent,
                                 .nre = OUT(NRE),
                                 .launch = launch,
                                 .late = IN(MONTHS_LATE) / 12,
                                 .late_cost_year = launch > 0 ? IN(DELAY_BURN) * OUT(NRE) / launch : 0,
                                 .service = IN(SERVICE_YEARS),
                                 .ramp = IN(RAMP_YEARS),
                                 .discount = log1p(IN(DISCOUNT)),
                                 .growth = log1p(IN(DEMAND_GROWTH)),
                                 .decline = -log1p(-IN(INCUMBENT_DECLINE)),
                                 .shift = -log1p(-IN(MIX_SHIFT)),
                                 .classes = m->choice->classes,
                                 .mix = mix};
    for (uint32_t i = 0; i < m->choice->classes; i++) {
        const struct sy_cost_class *one = &m->choice->mix[i];
        mix[i] = (struct sy_program_class){one->share, log1p(one->growth), 1 / one->own, 1 / one->incumbent};
    }
    bool by_volume = known(IN(VOLUME)) && !known(IN(SPEND));
    program.demand =
        by_volume ? IN(VOLUME) * units_a_year(m, IN(OWN_RATE)) / unit->own_factor : IN(SPEND) / unit->incumbent_mix;
    return program;
}

/* The incumbent's price, or rent, at a cost of a unit: its cost rises in a straight line with its price. */
static double price_at(const struct model *m, double unit_cost)
{
    double units = units_a_year(m, OUT(INC_RATE));
    double slope = m->choice->rent ? year_hours / units : (recovery(m, IN(SERVER_YEARS)) + IN(MAINTENANCE)) / units;
    double price = m->choice->rent ? IN(INCUMBENT_RENT) : IN(INCUMBENT_USD);
    return price + (unit_cost - OUT(INC_TCO_M) / million) / slope;
}

/* What follows from today's costs alone. */
static void put_today(const struct model *m, const struct unit_costs *unit, double demand)
{
    double own = unit->own_mix, incumbent = unit->incumbent_mix, saving = incumbent - own;
    double chip_year = units_a_year(m, IN(OWN_RATE)) / unit->own_factor;
    OUT(SAVING_SHARE) = 1 - own / incumbent;
    OUT(PAYBACK_BILL) = saving > 0 ? OUT(NRE) / OUT(SAVING_SHARE) : known(saving) ? never : unknown;
    OUT(BILL) = demand * incumbent;
    OUT(SAVING_YEAR) = demand * saving;
    if (known(IN(SAVING_SHARE)))
        return;
    OUT(SAVING_M) = saving * million;
    OUT(PAYBACK_CHIPS) = saving > 0 ? OUT(NRE) / (chip_year * IN(SERVER_YEARS) * saving) : OUT(PAYBACK_BILL);
    OUT(PARITY_USD) = price_at(m, own / unit->incumbent_factor);
    OUT(CHIPS) = demand / chip_year;
    OUT(DEMAND) = demand / million;
}

static bool is_complete(const struct sy_program *program)
{
    return known(program->demand) && known(program->own) && known(program->incumbent) && known(program->nre) &&
           known(program->launch);
}

static void put_program(const struct model *m)
{
    struct sy_program_class mix[SY_COST_MAX_CLASSES];
    struct unit_costs unit = unit_costs_of(m);
    struct sy_program program = program_of(m, &unit, mix);
    put_today(m, &unit, program.demand);
    if (!is_complete(&program))
        return;
    double cost = sy_program_cost(&program), savings = sy_program_savings(&program, program.service);
    OUT(NPV) = savings - cost;
    OUT(PAYBACK) = sy_program_payback(&program);
    OUT(LEAST_BILL) = savings > 0 ? OUT(BILL) * cost / savings : never;
    OUT(NEGOTIATION_SHARE) = sy_program_breakeven_factor(&program);
    if (!known(IN(SAVING_SHARE)))
        OUT(NEGOTIATION_USD) = price_at(m, OUT(NEGOTIATION_SHARE) * unit.incumbent);
    OUT(LATEST) = 12 * sy_program_latest(&program);
}

bool sy_cost_view_mix(const struct sy_cost_choice *choice, const double in[SY_COST_ITEMS],
                      const double out[SY_COST_OUTPUTS], struct sy_cost_class_view view[SY_COST_MAX_CLASSES])
{
    struct sy_program_class mix[SY_COST_MAX_CLASSES];
    double copy[SY_COST_OUTPUTS], sum[2] = {0, 0};
    memcpy(copy, out, sizeof copy);
    const struct model model = {choice, in, copy}, *m = &model;
    struct unit_costs unit = unit_costs_of(m);
    struct sy_program program = program_of(m, &unit, mix);
    if (!is_complete(&program))
        return false;
    for (uint32_t i = 0; i < choice->classes; i++) {
        double at_launch = mix[i].share * exp(mix[i].growth * program.launch);
        double at_end = at_launch * exp(mix[i].growth * program.service);
        double own = program.own * mix[i].own, incumbent = program.incumbent * mix[i].incumbent;
        view[i] = (struct sy_cost_class_view){mix[i].share, at_launch, at_end, 1 - own / incumbent,
                                              sy_program_served(&program, &mix[i])};
        sum[0] += at_launch;
        sum[1] += at_end;
    }
    for (uint32_t i = 0; i < choice->classes; i++) {
        view[i].at_launch /= sum[0];
        view[i].at_end /= sum[1];
    }
    return true;
}

void sy_cost_evaluate(const struct sy_cost_choice *choice, const double in[SY_COST_ITEMS], double out[SY_COST_OUTPUTS])
{
    struct model m = {choice, in, out};
    for (int i = 0; i < SY_COST_OUTPUTS; i++)
        out[i] = (double)NAN;
    put_chip(&m);
    put_own(&m);
    put_incumbent(&m);
    put_nre(&m);
    put_program(&m);
}

enum sy_cost_output sy_cost_headline(const double out[SY_COST_OUTPUTS])
{
    static const enum sy_cost_output order[] = {SY_OUT_NPV, SY_OUT_SAVING_SHARE, SY_OUT_OWN_TCO_M, SY_OUT_CHIP_USD};
    for (int i = 0; i < 3; i++)
        if (known(out[order[i]]))
            return order[i];
    return order[3];
}
