/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of a chip and its work: sums, worked examples, laws that hold whatever the prices are, ranges. */
#include "sim/stats/cost_case.h"

#include <math.h>

#include "sim/base/random.h"
#include "tests/unit/arch_support.h"

static struct log_sink sink;
static struct sy_arena *arena;
static struct sy_cost_table *table;
static struct sy_cost_case *cost;
static struct sy_random random_numbers;

static const struct sy_cost_choice plain = {.yield = SY_YIELD_NEGATIVE_BINOMIAL,
                                            .memory = SY_COST_HBM2_USD_GB,
                                            .package = SY_COST_INTERPOSER_USD,
                                            .peak = SY_COST_INCUMBENT_16BIT};

static void setup(void)
{
    log_start(&sink);
    arena = sy_arena_create(NULL, 0);
    sy_random_seed(&random_numbers, 1);
}

static void teardown(void)
{
    sy_cost_table_destroy(table);
    table = NULL;
    sy_arena_destroy(arena);
    log_end(&sink);
}

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

static double between(double low, double high)
{
    return low + (high - low) * sy_random_unit(&random_numbers);
}

/* The case of a scenario and single items, without a chip. */
static void make(const char *example, const char *incumbent, const char *const *set)
{
    struct sy_cost_sources sources = {.data_dir = data_dir(), .example = example, .incumbent = incumbent, .set = set};
    struct sy_cost_request request = {0};
    ck_assert_msg(sy_cost_table_load(&sources, &table, &sink.diag) == SY_OK, "%s", log_text(&sink));
    ck_assert_msg(sy_cost_case_make(arena, table, &request, &cost, &sink.diag) == SY_OK, "%s", log_text(&sink));
}

/* Every price from the middle of its range, a chip, a run, an incumbent and a bill. */
static void some_inputs(double in[SY_COST_ITEMS])
{
    static const char *const set[] = {"wafer_usd=9346",
                                      "defect_density_cm2=0.15",
                                      "design_nre_usd=2e8",
                                      "mask_set_usd=1e7",
                                      "licensed_ip_usd=2e6",
                                      "fab_weeks=18",
                                      "die_mm2=400",
                                      "cores=8",
                                      "memory_gb=32",
                                      "own_units_per_s=2000",
                                      "own_busy_w=200",
                                      "own_idle_w=60",
                                      "own_tdp_w=250",
                                      "spend_usd_year=1e9",
                                      "incumbent_usd=25000",
                                      "incumbent_busy_w=500",
                                      "incumbent_idle_w=100",
                                      "incumbent_tdp_w=700",
                                      "incumbent_units_per_s=2500",
                                      NULL};
    make(NULL, NULL, set);
    sy_cost_case_values(cost, in);
}

/* The same, each moved at random within what it may be. */
static void any_inputs(double in[SY_COST_ITEMS])
{
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        in[i] = cost->input[i].known ? cost->input[i].value * between(0.7, 1.4) : (double)NAN;
        if (in[i] > sy_cost_items[i].most)
            in[i] = sy_cost_items[i].most * 0.99;
        if (in[i] < sy_cost_items[i].least)
            in[i] = sy_cost_items[i].least;
        if (sy_cost_items[i].flags & SY_COST_WHOLE)
            in[i] = ceil(in[i]);
    }
}

/* ---- worked examples ---- */

START_TEST(the_shipped_example_pays_back_in_one_year)
{
    make("billion", NULL, NULL);
    ck_assert(near(cost->out[SY_OUT_PAYBACK], 1, 1e-14));
    ck_assert(near(cost->out[SY_OUT_BILL], 1e9, 1e-14));
    ck_assert(near(cost->out[SY_OUT_SAVING_YEAR], 2e8, 1e-14));
    ck_assert(near(cost->out[SY_OUT_SAVING_SHARE], 0.2, 1e-14));
    ck_assert(near(cost->out[SY_OUT_PAYBACK_BILL], 1e9, 1e-14));
    ck_assert(near(cost->out[SY_OUT_NRE], 2e8, 1e-14));
    /* 4 years of service: 0.8e9 saved, 0.2e9 spent; a quarter of the bill would do; so would 85% of the price. */
    ck_assert(near(cost->out[SY_OUT_NPV], 6e8, 1e-14));
    ck_assert(near(cost->out[SY_OUT_LEAST_BILL], 2.5e8, 1e-14));
    ck_assert(near(cost->out[SY_OUT_NEGOTIATION_SHARE], 0.85, 1e-14));
    ck_assert(near(cost->out[SY_OUT_LATEST], 36, 1e-14));
    ck_assert_ptr_nonnull(cost->input[SY_COST_NRE_USD].source);
}
END_TEST

/* A kilowatt at 1500 tokens/s, 0.08 a kWh, PUE 1.2, 60% busy, 4 years, no interest: 0.018 dollars of electricity a
 * million tokens, and 0.044, 0.132, 0.264 for a price of 5, 15, 30 thousand (computed by hand elsewhere). */
START_TEST(a_kilowatt_at_1500_tokens_costs_what_was_computed_by_hand)
{
    static const double price[3] = {5000, 15000, 30000}, dollars[3] = {0.044, 0.132, 0.264};
    for (int i = 0; i < 3; i++) {
        double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
        some_inputs(in);
        in[SY_COST_INCUMBENT_USD] = price[i];
        in[SY_COST_INCUMBENT_RATE] = 1500;
        in[SY_COST_INCUMBENT_BUSY_W] = 1000;
        in[SY_COST_INCUMBENT_IDLE_W] = in[SY_COST_HOST_W] = in[SY_COST_SERVER_USD] = in[SY_COST_COOLING_USD_W] = 0;
        in[SY_COST_MAINTENANCE] = in[SY_COST_FACILITY_USD_W] = in[SY_COST_DISCOUNT] = 0;
        in[SY_COST_SERVER_YEARS] = 4;
        in[SY_COST_UTILIZATION] = 0.6;
        in[SY_COST_PUE] = 1.2;
        in[SY_COST_ELECTRICITY] = 0.08;
        sy_cost_evaluate(&plain, in, out);
        ck_assert_double_lt(fabs(out[SY_OUT_INC_ENERGY_M] - 0.018), 0.0005);
        ck_assert_double_lt(fabs(out[SY_OUT_INC_CHIP_M] - dollars[i]), 0.0005);
        ck_assert(near(out[SY_OUT_INC_TCO_M], out[SY_OUT_INC_ENERGY_M] + out[SY_OUT_INC_CHIP_M], 1e-12));
        ck_assert(near(out[SY_OUT_INC_J], 1000 * 1.2 / 1500, 1e-12));
        teardown();
        setup();
    }
}
END_TEST

/* 200 million over 25000 against a chip of 8000, else equal: 11765 chips; of 20000: 40000. */
START_TEST(equal_chips_pay_back_after_nre_over_the_difference_in_price)
{
    static const double own[2] = {8000, 20000}, chips[2] = {200e6 / 17000, 40000};
    for (int i = 0; i < 2; i++) {
        double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
        some_inputs(in);
        in[SY_COST_NRE_USD] = 200e6;
        in[SY_COST_INCUMBENT_USD] = 25000;
        in[SY_COST_INCUMBENT_RATE] = in[SY_COST_OWN_RATE];
        in[SY_COST_INCUMBENT_BUSY_W] = in[SY_COST_OWN_BUSY_W];
        in[SY_COST_INCUMBENT_IDLE_W] = in[SY_COST_OWN_IDLE_W];
        in[SY_COST_INCUMBENT_TDP_W] = in[SY_COST_OWN_TDP_W];
        in[SY_COST_BOARD_USD] = in[SY_COST_MAINTENANCE] = in[SY_COST_DISCOUNT] = 0;
        in[SY_COST_ASSEMBLY_YIELD] = 1;
        sy_cost_evaluate(&plain, in, out);
        in[SY_COST_TEST_USD] += own[i] - out[SY_OUT_CHIP_USD];
        sy_cost_evaluate(&plain, in, out);
        ck_assert(near(out[SY_OUT_CHIP_USD], own[i], 1e-12));
        ck_assert(near(out[SY_OUT_PAYBACK_CHIPS], chips[i], 1e-9));
        ck_assert(near(out[SY_OUT_PARITY_USD], own[i], 1e-9));
        teardown();
        setup();
    }
}
END_TEST

/* The loan formula: payments of a year, discounted, are the price. */
START_TEST(what_is_written_off_has_the_present_value_of_the_price)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    for (int i = 0; i < 50; i++) {
        double value = 0;
        in[SY_COST_DISCOUNT] = i ? between(0.001, 0.4) : 0;
        in[SY_COST_SERVER_YEARS] = (double)(1 + i % 9);
        sy_cost_evaluate(&plain, in, out);
        double units = in[SY_COST_OWN_RATE] * in[SY_COST_UTILIZATION] * 31557600;
        for (int year = 1; year <= (int)in[SY_COST_SERVER_YEARS]; year++)
            value += out[SY_OUT_OWN_CHIP_M] * units / 1e6 / pow(1 + in[SY_COST_DISCOUNT], year);
        ck_assert(near(value, out[SY_OUT_CHIP_USD], 1e-10));
    }
}
END_TEST

/* ---- laws ---- */

static double sum(const double out[], int first, int last)
{
    double total = 0;
    for (int i = first; i <= last; i++)
        total += isnan(out[i]) ? 0 : out[i];
    return total;
}

START_TEST(totals_are_the_sums_of_their_parts)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    for (int i = 0; i < 200; i++) {
        any_inputs(in);
        sy_cost_evaluate(&plain, in, out);
        ck_assert(near(out[SY_OUT_CHIP_USD], sum(out, SY_OUT_CHIP_DIE_USD, SY_OUT_CHIP_MARGIN_USD), 1e-12));
        ck_assert(near(out[SY_OUT_OWN_TCO_M], sum(out, SY_OUT_OWN_CHIP_M, SY_OUT_OWN_MAINTENANCE_M), 1e-12));
        ck_assert(near(out[SY_OUT_INC_TCO_M], sum(out, SY_OUT_INC_CHIP_M, SY_OUT_INC_MAINTENANCE_M), 1e-12));
        ck_assert(near(out[SY_OUT_NRE], sum(out, SY_OUT_NRE_DESIGN, SY_OUT_NRE_RESPIN), 1e-12));
        ck_assert(near(out[SY_OUT_SAVING_M], out[SY_OUT_INC_TCO_M] - out[SY_OUT_OWN_TCO_M], 1e-12));
        ck_assert(near(out[SY_OUT_BILL], out[SY_OUT_DEMAND] * out[SY_OUT_INC_TCO_M], 1e-12));
        ck_assert(near(out[SY_OUT_BILL], in[SY_COST_SPEND], 1e-12));
        ck_assert(near(out[SY_OUT_BILL] * out[SY_OUT_SAVING_SHARE], out[SY_OUT_SAVING_YEAR], 1e-9));
        /* A joule at the meter costs what electricity costs. */
        ck_assert(near(out[SY_OUT_OWN_J] * 1e6 / 3.6e6 * in[SY_COST_ELECTRICITY], out[SY_OUT_OWN_ENERGY_M], 1e-12));
        /* What fails in assembly is paid by what works. */
        double parts = sum(out, SY_OUT_CHIP_DIE_USD, SY_OUT_CHIP_TEST_USD);
        ck_assert(near((parts + out[SY_OUT_CHIP_LOSS_USD]) * in[SY_COST_ASSEMBLY_YIELD], parts, 1e-12));
    }
}
END_TEST

static bool is_money(const char *name)
{
    return strstr(name, "usd") != NULL;
}

/* In another currency every dollar figure changes in proportion and nothing else does. */
START_TEST(a_change_of_currency_changes_only_the_dollars)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS], scaled[SY_COST_OUTPUTS];
    some_inputs(in);
    for (int i = 0; i < 50; i++) {
        double rate = between(0.01, 200);
        any_inputs(in);
        sy_cost_evaluate(&plain, in, out);
        for (int n = 0; n < SY_COST_ITEMS; n++)
            in[n] *= is_money(sy_cost_items[n].name) ? rate : 1;
        sy_cost_evaluate(&plain, in, scaled);
        for (int n = 0; n < SY_COST_OUTPUTS; n++) {
            double want = out[n] * (is_money(sy_cost_outputs[n].name) ? rate : 1);
            bool same = isnan(want) ? isnan(scaled[n]) : isinf(want) ? isinf(scaled[n]) : near(scaled[n], want, 1e-6);
            ck_assert_msg(same, "%s: %g, expected %g", sy_cost_outputs[n].name, scaled[n], want);
        }
    }
}
END_TEST

/* More of the input never makes the output smaller (+1) or larger (-1). */
START_TEST(costs_move_the_way_they_must)
{
    static const struct {
        enum sy_cost_item item;
        enum sy_cost_output output;
        int sign;
    } law[] = {{SY_COST_WAFER_USD, SY_OUT_CHIP_USD, 1},
               {SY_COST_DEFECT_DENSITY, SY_OUT_DIE_USD, 1},
               {SY_COST_DEFECT_DENSITY, SY_OUT_YIELD, -1},
               {SY_COST_DIE_MM2, SY_OUT_CHIP_USD, 1},
               {SY_COST_DIE_MM2, SY_OUT_DIES_PER_WAFER, -1},
               {SY_COST_CLUSTER_ALPHA, SY_OUT_YIELD, -1},
               {SY_COST_MEMORY_GB, SY_OUT_CHIP_USD, 1},
               {SY_COST_ASSEMBLY_YIELD, SY_OUT_CHIP_USD, -1},
               {SY_COST_OWN_RATE, SY_OUT_OWN_TCO_M, -1},
               {SY_COST_OWN_BUSY_W, SY_OUT_OWN_TCO_M, 1},
               {SY_COST_UTILIZATION, SY_OUT_OWN_TCO_M, -1},
               {SY_COST_PUE, SY_OUT_OWN_J, 1},
               {SY_COST_DISCOUNT, SY_OUT_OWN_TCO_M, 1},
               {SY_COST_SERVER_YEARS, SY_OUT_OWN_TCO_M, -1},
               {SY_COST_INCUMBENT_USD, SY_OUT_NPV, 1},
               {SY_COST_INCUMBENT_RATE, SY_OUT_INC_TCO_M, -1},
               {SY_COST_DESIGN_USD, SY_OUT_NRE, 1},
               {SY_COST_RESPIN_PROBABILITY, SY_OUT_NRE, 1},
               {SY_COST_RESPIN_PROBABILITY, SY_OUT_DEVELOPMENT, 1},
               {SY_COST_SOFTWARE_USD, SY_OUT_NPV, -1},
               {SY_COST_MONTHS_LATE, SY_OUT_NPV, -1},
               {SY_COST_INCUMBENT_DECLINE, SY_OUT_NPV, -1},
               {SY_COST_MIX_SHIFT, SY_OUT_NPV, -1},
               {SY_COST_SERVICE_YEARS, SY_OUT_NPV, 1},
               {SY_COST_RAMP_YEARS, SY_OUT_NPV, -1},
               {SY_COST_NRE_USD, SY_OUT_NEGOTIATION_USD, 1},
               {SY_COST_SUPPLIER_MARGIN, SY_OUT_CHIP_USD, 1}};
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS], more[SY_COST_OUTPUTS];
    some_inputs(in);
    for (size_t l = 0; l < sizeof law / sizeof law[0]; l++) {
        bool strict = false;
        for (int i = 0; i < 40; i++) {
            any_inputs(in);
            if (law[l].item == SY_COST_NRE_USD)
                in[SY_COST_NRE_USD] = between(1e7, 5e8);
            sy_cost_evaluate(&plain, in, out);
            in[law[l].item] =
                fmin(in[law[l].item] * 1.1 + (in[law[l].item] > 0 ? 0 : 0.01), sy_cost_items[law[l].item].most);
            sy_cost_evaluate(&plain, in, more);
            double change = law[l].sign * (more[law[l].output] - out[law[l].output]);
            ck_assert_msg(!(change < -1e-12 * fabs(out[law[l].output])), "%s on %s", sy_cost_items[law[l].item].name,
                          sy_cost_outputs[law[l].output].name);
            strict = strict || change > 0;
        }
        ck_assert_msg(strict, "%s does nothing to %s", sy_cost_items[law[l].item].name,
                      sy_cost_outputs[law[l].output].name);
    }
}
END_TEST

/* Put back what was solved for, and the project gains nothing. */
START_TEST(the_negotiation_price_and_the_least_bill_gain_nothing)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS], there[SY_COST_OUTPUTS];
    uint32_t solved = 0;
    some_inputs(in);
    for (int i = 0; i < 100; i++) {
        struct sy_cost_choice choice = plain;
        any_inputs(in);
        in[SY_COST_INCUMBENT_RENT] = between(1, 4);
        choice.rent = i % 2;
        enum sy_cost_item price = choice.rent ? SY_COST_INCUMBENT_RENT : SY_COST_INCUMBENT_USD;
        sy_cost_evaluate(&choice, in, out);
        double demand = out[SY_OUT_DEMAND], nre = out[SY_OUT_NRE], was = in[price];
        in[price] = out[SY_OUT_NEGOTIATION_USD];
        if (in[price] > 0 && isfinite(in[price])) {
            in[SY_COST_SPEND] = NAN; /* the workload stays, the bill does not */
            in[SY_COST_VOLUME] = demand * 1e6 / (in[SY_COST_OWN_RATE] * in[SY_COST_UTILIZATION] * 31557600);
            sy_cost_evaluate(&choice, in, there);
            ck_assert_double_lt(fabs(there[SY_OUT_NPV]), 1e-6 * nre);
            solved++;
        }
        in[price] = out[SY_OUT_PARITY_USD];
        sy_cost_evaluate(&choice, in, there);
        ck_assert_double_lt(fabs(there[SY_OUT_SAVING_SHARE]), 1e-9);
        in[price] = was;
        in[SY_COST_VOLUME] = NAN;
        in[SY_COST_SPEND] = out[SY_OUT_LEAST_BILL];
        if (isfinite(in[SY_COST_SPEND])) {
            sy_cost_evaluate(&choice, in, there);
            ck_assert_double_lt(fabs(there[SY_OUT_NPV]), 1e-9 * nre);
        }
    }
    ck_assert_uint_gt(solved, 20);
}
END_TEST

START_TEST(the_roofline_of_the_incumbent_is_the_slower_of_its_bounds)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    in[SY_COST_INCUMBENT_RATE] = NAN;
    in[SY_COST_INCUMBENT_16BIT] = 100;
    in[SY_COST_INCUMBENT_8BIT] = 200;
    in[SY_COST_INCUMBENT_GBS] = 1000;
    in[SY_COST_INCUMBENT_COMPUTE] = in[SY_COST_INCUMBENT_MEMORY] = 0.5;
    in[SY_COST_PASS_UNITS] = 8;
    in[SY_COST_PASS_OPS] = 1e12;  /* 20 ms of 50e12 a second */
    in[SY_COST_PASS_BYTES] = 5e9; /* 10 ms of 500e9 a second */
    sy_cost_evaluate(&plain, in, out);
    ck_assert(near(out[SY_OUT_INC_RATE], 8 / 0.020, 1e-12));
    struct sy_cost_choice narrow = plain;
    narrow.peak = SY_COST_INCUMBENT_8BIT;
    in[SY_COST_PASS_BYTES] = 7.5e9; /* 15 ms against 10 */
    sy_cost_evaluate(&narrow, in, out);
    ck_assert(near(out[SY_OUT_INC_RATE], 8 / 0.015, 1e-12));
    in[SY_COST_INCUMBENT_LAUNCH] = 5;
    in[SY_COST_PASS_KERNELS] = 1000; /* and 5 ms */
    sy_cost_evaluate(&narrow, in, out);
    ck_assert(near(out[SY_OUT_INC_RATE], 8 / 0.020, 1e-12));
    in[SY_COST_INCUMBENT_RATE] = 77; /* measured */
    sy_cost_evaluate(&narrow, in, out);
    ck_assert_double_eq(out[SY_OUT_INC_RATE], 77);
}
END_TEST

START_TEST(harvesting_and_cutting_lower_the_price_of_silicon)
{
    double in[SY_COST_ITEMS], whole[SY_COST_OUTPUTS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    in[SY_COST_DIE_MM2] = 800;
    in[SY_COST_CORES] = 128;
    sy_cost_evaluate(&plain, in, whole);
    in[SY_COST_CORES_NEEDED] = 108; /* what an A100 sells of a GA100 */
    sy_cost_evaluate(&plain, in, out);
    ck_assert_double_lt(out[SY_OUT_DIE_USD], 0.75 * whole[SY_OUT_DIE_USD]);
    ck_assert_double_le(out[SY_OUT_YIELD], sy_yield(SY_YIELD_NEGATIVE_BINOMIAL,
                                                    8 * in[SY_COST_DEFECT_DENSITY] * (1 - in[SY_COST_CORE_SHARE]),
                                                    in[SY_COST_CLUSTER_ALPHA]) *
                                               (1 + 1e-9));
    in[SY_COST_CORES_NEEDED] = NAN;
    in[SY_COST_DIES] = 4;
    sy_cost_evaluate(&plain, in, out);
    ck_assert_double_lt(out[SY_OUT_CHIP_DIE_USD], whole[SY_OUT_CHIP_DIE_USD]);
    ck_assert(near(out[SY_OUT_CHIP_DIE_USD], 4 * out[SY_OUT_DIE_USD], 1e-12));
}
END_TEST

START_TEST(unknown_inputs_leave_only_what_rests_on_them_out)
{
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    in[SY_COST_OWN_BUSY_W] = NAN;
    sy_cost_evaluate(&plain, in, out);
    ck_assert(!isnan(out[SY_OUT_CHIP_USD]) && !isnan(out[SY_OUT_INC_TCO_M]) && !isnan(out[SY_OUT_NRE]));
    ck_assert(isnan(out[SY_OUT_OWN_TCO_M]) && isnan(out[SY_OUT_SAVING_SHARE]) && isnan(out[SY_OUT_NPV]));
    for (int i = 0; i < SY_COST_ITEMS; i++)
        in[i] = NAN;
    sy_cost_evaluate(&plain, in, out);
    for (int i = 0; i < SY_COST_OUTPUTS; i++)
        ck_assert_msg(isnan(out[i]), "%s", sy_cost_outputs[i].name);
}
END_TEST

/* ---- ranges ---- */

static double triangular_mean(double low, double mode, double high)
{
    return (low + mode + high) / 3;
}
static double triangular_variance(double a, double c, double b)
{
    return (a * a + b * b + c * c - a * b - a * c - b * c) / 18;
}

START_TEST(a_triangular_sample_has_the_distribution_it_should)
{
    for (int i = 0; i < 1000; i++) {
        double low = between(-5, 5), mode = low + between(0, 3), high = mode + between(0, 3), u = between(0, 1);
        double x = sy_triangular(u, low, mode, high);
        double below = x < mode ? (x - low) * (x - low) / ((high - low) * (mode - low))
                                : 1 - (high - x) * (high - x) / ((high - low) * (high - mode));
        ck_assert_double_lt(fabs(below - u), 1e-9);
    }
    ck_assert_double_eq(sy_triangular(0.3, 2, 2, 2), 2);
    ck_assert_double_eq(sy_triangular(0, 1, 2, 3), 1);
}
END_TEST

/* One-off cost is a sum: its mean and variance are those of the parts, its P10 with one range that of the triangle. */
START_TEST(monte_carlo_converges_to_the_closed_form_of_a_sum)
{
    static const char *const set[] = {
        "design_nre_usd=50:100:300", "software_nre_usd=10:60:70", "mask_set_usd=1", "licensed_ip_usd=1",
        "package_design_usd=1",      "respin_probability=0",      "fab_weeks=10",   NULL};
    enum { SAMPLES = 40000 };
    struct sy_cost_risk risk;
    make(NULL, NULL, set);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, SAMPLES, 11, &risk, NULL), SY_OK);
    double mean = 3 + triangular_mean(50, 100, 300) + triangular_mean(10, 60, 70);
    double sigma = sqrt(triangular_variance(50, 100, 300) + triangular_variance(10, 60, 70));
    uint32_t seen = 0;
    for (uint32_t i = 0; i < risk.spreads; i++) {
        if (risk.spread[i].output != SY_OUT_NRE)
            continue;
        ck_assert_double_lt(fabs(risk.spread[i].mean - mean), 4 * sigma / sqrt(SAMPLES));
        ck_assert_double_lt(risk.spread[i].p10, risk.spread[i].p50);
        ck_assert_double_lt(risk.spread[i].p50, risk.spread[i].p90);
        seen++;
    }
    ck_assert_uint_eq(seen, 1);
    /* One range only: quantiles of the triangle, within what their density allows. */
    cost->input[SY_COST_SOFTWARE_USD].low = cost->input[SY_COST_SOFTWARE_USD].high = 60;
    ck_assert_int_eq(sy_cost_monte_carlo(cost, SAMPLES, 12, &risk, NULL), SY_OK);
    for (uint32_t i = 0; i < risk.spreads; i++)
        if (risk.spread[i].output == SY_OUT_NRE) {
            double want[3] = {50 + sqrt(0.1 * 250 * 50), 300 - sqrt(0.5 * 250 * 200), 300 - sqrt(0.1 * 250 * 200)};
            ck_assert_double_lt(fabs(risk.spread[i].p10 - 63 - want[0]), 2);
            ck_assert_double_lt(fabs(risk.spread[i].p50 - 63 - want[1]), 2);
            ck_assert_double_lt(fabs(risk.spread[i].p90 - 63 - want[2]), 2);
        }
}
END_TEST

START_TEST(a_seed_gives_the_same_risk_and_bad_counts_are_refused)
{
    struct sy_cost_risk a, b;
    make("billion", NULL, NULL);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, 500, 3, &a, NULL), SY_OK);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, 500, 3, &b, NULL), SY_OK);
    for (uint32_t i = 0; i < a.spreads; i++)
        ck_assert(a.spread[i].p50 <= b.spread[i].p50 && a.spread[i].p50 >= b.spread[i].p50);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, 500, 4, &b, NULL), SY_OK);
    ck_assert(a.spread[0].p50 < b.spread[0].p50 || a.spread[0].p50 > b.spread[0].p50);
    ck_assert(a.gain_share > 0.9 && a.gain_share <= 1);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, 0, 3, &b, NULL), SY_USAGE);
    ck_assert_int_eq(sy_cost_monte_carlo(cost, 1000001, 3, &b, NULL), SY_USAGE);
}
END_TEST

/* Of a sum, each input swings it by its own range, and the largest comes first. */
START_TEST(a_tornado_swings_a_sum_by_the_ranges_of_its_parts)
{
    static const char *const set[] = {
        "design_nre_usd=50:100:300", "software_nre_usd=10:60:70", "mask_set_usd=1:1:9", "licensed_ip_usd=1",
        "package_design_usd=1",      "respin_probability=0",      "fab_weeks=10",       NULL};
    struct sy_cost_swing swing[SY_COST_ITEMS];
    make(NULL, NULL, set);
    ck_assert_uint_eq(sy_cost_tornado(cost, SY_OUT_NRE, swing), 3);
    ck_assert_int_eq(swing[0].item, SY_COST_DESIGN_USD);
    ck_assert_int_eq(swing[1].item, SY_COST_SOFTWARE_USD);
    ck_assert_int_eq(swing[2].item, SY_COST_MASKS_USD);
    ck_assert(near(swing[0].at_high - swing[0].at_low, 250, 1e-12));
    ck_assert(near(swing[1].at_high - swing[1].at_low, 60, 1e-12));
    ck_assert(near(swing[2].at_high - swing[2].at_low, 8, 1e-12));
}
END_TEST

START_TEST(every_answer_names_exactly_the_inputs_it_rests_on)
{
    struct sy_cost_links *links = sy_arena_alloc(arena, sizeof *links);
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS];
    some_inputs(in);
    sy_cost_trace(cost, links);
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        bool nre = i == SY_COST_DESIGN_USD || i == SY_COST_MASKS_USD || i == SY_COST_IP_USD ||
                   i == SY_COST_PACKAGE_DESIGN || i == SY_COST_SOFTWARE_USD || i == SY_COST_RESPIN_PROBABILITY ||
                   i == SY_COST_RESPIN_MASKS || i == SY_COST_RESPIN_DESIGN;
        bool die = i == SY_COST_WAFER_USD || i == SY_COST_DEFECT_DENSITY || i == SY_COST_CLUSTER_ALPHA ||
                   i == SY_COST_WAFER_MM || i == SY_COST_EDGE_MM || i == SY_COST_SCRIBE_MM || i == SY_COST_DIE_MM2 ||
                   i == SY_COST_DIES;
        ck_assert_msg(links->on[SY_OUT_NRE][i] == nre, "%s", sy_cost_items[i].name);
        ck_assert_msg(links->on[SY_OUT_DIE_USD][i] == die, "%s", sy_cost_items[i].name);
    }
    /* Holding all of them and moving the rest moves nothing. */
    for (int round = 0; round < 20; round++) {
        any_inputs(in);
        for (int i = 0; i < SY_COST_ITEMS; i++)
            if (links->on[SY_OUT_OWN_TCO_M][i])
                in[i] = cost->input[i].value;
        sy_cost_evaluate(&cost->choice, in, out);
        ck_assert(near(out[SY_OUT_OWN_TCO_M], cost->out[SY_OUT_OWN_TCO_M], 1e-14));
    }
}
END_TEST

/* ---- operating points ---- */

/* A run that nobody made: one language model, batches of decode. */
static struct sy_result *made_up_run(uint64_t batch, double seconds)
{
    struct sy_result *result = sy_arena_alloc(arena, sizeof *result);
    *result = (struct sy_result){.arena = arena,
                                 .chip = "a chip",
                                 .workload = "a model",
                                 .phase = "decode",
                                 .seconds = seconds,
                                 .sequences = batch,
                                 .tokens = batch,
                                 .context = 1024,
                                 .expected_macs = 8000000000 * batch,
                                 .model_bytes = 8000000000 + batch * 100000000,
                                 .energies = 1,
                                 .power_w = 150,
                                 .energy_j = 150 * seconds,
                                 .energy_low_j = 100 * seconds,
                                 .energy_high_j = 200 * seconds,
                                 .idle_w = 50};
    return result;
}

START_TEST(the_cheapest_batch_within_the_response_time_is_chosen)
{
    static const char *const set[] = {"die_mm2=300", "wafer_usd=9000", "defect_density_cm2=0.1", "memory_gb=32", NULL};
    const struct sy_result *runs[3] = {made_up_run(1, 0.010), made_up_run(8, 0.012), made_up_run(64, 0.030)};
    struct sy_chip_options chip_options = {.data_dir = data_dir()};
    struct sy_chip *chip = NULL;
    struct sy_cost_sources sources = {.data_dir = data_dir(), .incumbent = "h100", .set = set};
    struct sy_cost_request request = {.results = runs, .count = 3, .response_s = 0.020};
    ck_assert_int_eq(sy_chip_load("gemmini", &chip_options, &chip, &sink.diag), SY_OK);
    ck_assert_msg(sy_cost_table_load(&sources, &table, &sink.diag) == SY_OK, "%s", log_text(&sink));
    request.chip = chip;
    ck_assert_msg(sy_cost_case_make(arena, table, &request, &cost, &sink.diag) == SY_OK, "%s", log_text(&sink));
    ck_assert_uint_eq(cost->own_point, 1);
    ck_assert(near(cost->input[SY_COST_OWN_RATE].value, 8 / 0.012, 1e-12));
    ck_assert_str_eq(cost->unit, "token");
    for (uint32_t i = 0; i < 3; i++) /* at most what the choice gives, for every batch that meets the time */
        ck_assert(!cost->point[i].meets || cost->point[i].own_usd_m >= cost->out[SY_OUT_OWN_TCO_M] * (1 - 1e-12));
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(!cost->point[i].incumbent_meets ||
                  cost->point[i].incumbent_usd_m >= cost->out[SY_OUT_INC_TCO_M] * (1 - 1e-12));
    ck_assert(near(cost->input[SY_COST_OWN_BUSY_W].low, 100, 1e-12));
    request.response_s = 0;
    ck_assert_int_eq(sy_cost_case_make(arena, table, &request, &cost, &sink.diag), SY_OK);
    ck_assert_uint_eq(cost->own_point, 2);
    request.response_s = 0.005;
    sy_buf_clear(&sink.text);
    ck_assert_int_eq(sy_cost_case_make(arena, table, &request, &cost, &sink.diag), SY_CHECK_FAILED);
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "no run of a model meets the response time"));
    sy_chip_destroy(chip);
}
END_TEST

/* Half of the work at half the rate takes one and a half times the chips; a mix of one like the run changes nothing. */
START_TEST(a_mix_of_work_is_weighed_by_its_shares)
{
    static const struct sy_cost_class mix[] = {{.name = "a", .share = 0.5, .own = 1, .incumbent = 1},
                                               {.name = "b", .share = 0.5, .own = 0.5, .incumbent = 0.25}};
    static const struct sy_cost_class same[] = {{.name = "a", .share = 1, .own = 1, .incumbent = 1}};
    double in[SY_COST_ITEMS], one[SY_COST_OUTPUTS], out[SY_COST_OUTPUTS];
    struct sy_cost_class_view view[SY_COST_MAX_CLASSES];
    struct sy_cost_choice mixed = plain;
    some_inputs(in);
    sy_cost_evaluate(&plain, in, one);
    mixed.classes = 1;
    mixed.mix = same;
    sy_cost_evaluate(&mixed, in, out);
    for (int i = 0; i < SY_COST_OUTPUTS; i++)
        ck_assert_msg((isnan(out[i]) && isnan(one[i])) || (isinf(out[i]) && isinf(one[i])) ||
                          near(out[i], one[i], 1e-9),
                      "%s", sy_cost_outputs[i].name);
    mixed.classes = 2;
    mixed.mix = mix;
    sy_cost_evaluate(&mixed, in, out);
    ck_assert(near(out[SY_OUT_SAVING_M], 2.5 * one[SY_OUT_INC_TCO_M] - 1.5 * one[SY_OUT_OWN_TCO_M], 1e-12));
    ck_assert(near(out[SY_OUT_DEMAND], one[SY_OUT_DEMAND] / 2.5, 1e-12)); /* of the same bill */
    ck_assert(near(out[SY_OUT_CHIPS], one[SY_OUT_CHIPS] / 2.5 * 1.5, 1e-12));
    ck_assert(near(out[SY_OUT_BILL], in[SY_COST_SPEND], 1e-12));
    ck_assert(sy_cost_view_mix(&mixed, in, out, view));
    ck_assert(near(view[0].saving_share, one[SY_OUT_SAVING_SHARE], 1e-9));
    ck_assert(near(view[1].at_end, 0.5, 1e-12)); /* nothing grows faster than the other */
    in[SY_COST_SPEND] = NAN;
    in[SY_COST_VOLUME] = out[SY_OUT_CHIPS];
    double bill = out[SY_OUT_BILL];
    sy_cost_evaluate(&mixed, in, out);
    ck_assert(near(out[SY_OUT_BILL], bill, 1e-12));
    ck_assert(
        !sy_cost_view_mix(&mixed, (double[SY_COST_ITEMS]){0}, (double[SY_COST_OUTPUTS]){[SY_OUT_NRE] = NAN}, view));
}
END_TEST

START_TEST(contradictions_are_refused)
{
    static const char *const both[] = {"spend_usd_year=1", "volume_chips=1", NULL};
    static const char *const cores[] = {"cores=4", "cores_needed=5", NULL};
    static const char *const uneven[] = {"cores=4", "cores_needed=3", "dies_per_chip=3", NULL};
    static const struct {
        const char *const *set, *incumbent, *message;
        struct sy_cost_request request;
    } bad[] = {{both, NULL, "both say how much work", {0}},
               {cores, NULL, "5 cores are needed, the chip has 4", {0}},
               {uneven, NULL, "do not divide evenly", {0}},
               {NULL, "mi210", "has no rent", {.rent = true}},
               {NULL, NULL, "yield model 'bose' is not known", {.yield_model = "bose"}},
               {NULL, NULL, "package 'bag' is not known", {.package = "bag"}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_cost_sources sources = {.data_dir = data_dir(), .incumbent = bad[i].incumbent, .set = bad[i].set};
        sy_buf_clear(&sink.text);
        ck_assert_int_eq(sy_cost_table_load(&sources, &table, &sink.diag), SY_OK);
        ck_assert_int_ne(sy_cost_case_make(arena, table, &bad[i].request, &cost, &sink.diag), SY_OK);
        ck_assert_msg(strstr(log_text(&sink), bad[i].message) != NULL, "no '%s' in %s", bad[i].message,
                      log_text(&sink));
        sy_cost_table_destroy(table);
        table = NULL;
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("cost");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_shipped_example_pays_back_in_one_year);
    tcase_add_test(tcase, a_kilowatt_at_1500_tokens_costs_what_was_computed_by_hand);
    tcase_add_test(tcase, equal_chips_pay_back_after_nre_over_the_difference_in_price);
    tcase_add_test(tcase, what_is_written_off_has_the_present_value_of_the_price);
    tcase_add_test(tcase, totals_are_the_sums_of_their_parts);
    tcase_add_test(tcase, a_change_of_currency_changes_only_the_dollars);
    tcase_add_test(tcase, costs_move_the_way_they_must);
    tcase_add_test(tcase, the_negotiation_price_and_the_least_bill_gain_nothing);
    tcase_add_test(tcase, the_roofline_of_the_incumbent_is_the_slower_of_its_bounds);
    tcase_add_test(tcase, harvesting_and_cutting_lower_the_price_of_silicon);
    tcase_add_test(tcase, unknown_inputs_leave_only_what_rests_on_them_out);
    tcase_add_test(tcase, a_triangular_sample_has_the_distribution_it_should);
    tcase_add_test(tcase, monte_carlo_converges_to_the_closed_form_of_a_sum);
    tcase_add_test(tcase, a_seed_gives_the_same_risk_and_bad_counts_are_refused);
    tcase_add_test(tcase, a_tornado_swings_a_sum_by_the_ranges_of_its_parts);
    tcase_add_test(tcase, every_answer_names_exactly_the_inputs_it_rests_on);
    tcase_add_test(tcase, the_cheapest_batch_within_the_response_time_is_chosen);
    tcase_add_test(tcase, a_mix_of_work_is_weighed_by_its_shares);
    tcase_add_test(tcase, contradictions_are_refused);
    return run_case("cost", tcase);
}
