/* SPDX-License-Identifier: Apache-2.0 */
/* Area by parts: closed forms of single parts, the sum, and the warnings that follow from it. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/include/systole.h"
#include "sim/stats/area.h"
#include "sim/systole_internal.h"
#include "tests/unit/run_support.h"

static struct systole_context context;
static struct sy_arena *arena;
static struct sy_chip *chip;
static struct sy_energy_table *energy;
static struct sy_figure_table *table;
static struct sy_area *area;

static const char *data_dir(void)
{
    const char *dir = getenv("SYSTOLE_DATA");
    return dir ? dir : ".";
}

static void forget(void)
{
    sy_figure_table_destroy(table);
    sy_energy_destroy(energy);
    sy_chip_destroy(chip);
    if (arena)
        sy_arena_destroy(arena);
    arena = NULL;
    chip = NULL;
    energy = NULL;
    table = NULL;
}

static void estimate(const char *name, const char *a, const char *b)
{
    const char *const set[] = {a, b, NULL};
    struct sy_chip_options options = {.data_dir = data_dir(), .set = set};
    forget();
    arena = sy_arena_create(NULL, 0);
    ck_assert_int_eq(sy_chip_load(name, &options, &chip, NULL), SY_OK);
    ck_assert_int_eq(sy_energy_load("default", data_dir(), &energy, NULL), SY_OK);
    ck_assert_int_eq(sy_figure_table_load("default", "arch/area", data_dir(), &table, NULL), SY_OK);
    const struct sy_energy_options prices = {.area = table, .data_dir = data_dir()};
    ck_assert_int_eq(sy_energy_prepare(energy, chip, &prices, NULL), SY_OK);
    ck_assert_int_eq(sy_area_estimate(arena, chip, table, energy, &area), SY_OK);
}

static const struct sy_area_item *part(const char *name)
{
    for (uint32_t i = 0; i < area->items; i++)
        if (!strcmp(area->item[i].component, name))
            return &area->item[i];
    return NULL;
}

START_TEST(the_die_is_the_sum_of_its_parts_and_each_has_a_source)
{
    static const char *const chips[] = {"tpu-v1", "tpu-v4i", "tpu-v6e", "gemmini", "eyeriss"};
    for (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++) {
        double sum = 0;
        estimate(chips[c], NULL, NULL);
        for (uint32_t i = 0; i < area->items; i++) {
            const struct sy_area_item *item = &area->item[i];
            sum += item->mm2;
            ck_assert_double_le(item->low_mm2, item->mm2 * (1 + 1e-12));
            ck_assert_double_ge(item->high_mm2, item->mm2 * (1 - 1e-12));
            ck_assert_msg(item->source && *item->source && item->rule && *item->rule, "%s", item->component);
        }
        ck_assert_double_eq_tol(sum / area->die_mm2, 1, 1e-12);
    }
}
END_TEST

START_TEST(operands_are_skewed_by_triangles_of_registers)
{
    /* ws: 256 x 255 / 2 x 8 bits on the left, 256 x 255 / 2 x 32 bits below */
    estimate("tpu-v1", NULL, NULL);
    ck_assert_double_eq_tol(part("skew registers")->count, 256.0 * 255 / 2 * (8 + 32), 1e-6);
    ck_assert_double_eq_tol(sy_area_registers(chip, table).pe, 65536.0 * (8 + 2 * 8 + 32 + 3), 1e-6);
    ck_assert_double_eq_tol(part("skew registers")->low_mm2, 0, 1e-12);
    estimate("eyeriss", NULL, NULL);
    ck_assert_ptr_null(part("skew registers")); /* row stationary: a bus to each PE */
}
END_TEST

START_TEST(srams_have_the_foundrys_bit_cell)
{
    estimate("gemmini", NULL, NULL);
    const struct sy_level_sram *sram = &energy->setup->level[1];
    double ratio = 0.092 / (146 * 0.022 * 0.022);
    ck_assert_double_eq_tol(part("scratchpad")->mm2 / (4 * sram->bank.figure[SY_SRAM_AREA]), 1.1 * ratio, 1e-9);
    ck_assert_ptr_nonnull(strstr(part("scratchpad")->rule, "foundry"));
}
END_TEST

START_TEST(scratchpads_in_the_pes_are_part_of_the_die)
{
    estimate("eyeriss", NULL, NULL);
    double before = area->die_mm2, spads = part("PE scratchpads")->mm2;
    ck_assert_double_gt(spads, part("processing elements")->mm2); /* 520 bytes beside one 16-bit MAC */
    estimate("eyeriss", "core.array.timing.rs_sum_words=48", NULL);
    ck_assert_double_gt(part("PE scratchpads")->mm2, spads);
    ck_assert_double_gt(area->die_mm2, before);
}
END_TEST

/* 45 nm is the figures' own node: an int32 multiplier and adder, 32 x (shift, compare, select), 4 words of flip-flops
 * of 40 nm by density, an adder of the tree when a reduction takes at most twice its depth; 0.68 of the area is used.
 */
START_TEST(a_lane_is_the_sum_of_its_function_units)
{
    struct sy_sourced from, to;
    estimate("tpu-v1", "technology.node=45 nm", NULL);
    ck_assert_int_eq(sy_figure_lookup(table, "density_mtr_mm2", 40, &from), SY_OK);
    ck_assert_int_eq(sy_figure_lookup(table, "density_mtr_mm2", 45, &to), SY_OK);
    double flop = 5.98 * from.value / to.value, bit = 8.4 * from.value / to.value;
    double lane = 3632 + 32 * 15.5 + 4 * 32 * flop + 137, functions = 1265 + 2048 * bit;
    ck_assert_double_eq_tol(part("vector lanes")->mm2 / (256 * lane / 0.68 * 1e-6), 1, 1e-9);
    ck_assert_double_eq_tol(part("vector functions")->mm2 / (256 * functions / 0.68 * 1e-6), 1, 1e-9);
    ck_assert_double_gt(part("vector buffers")->mm2, 0);
    estimate("tpu-v1", "technology.node=45 nm", "core.vector.transcendental_cycles=4");
    ck_assert_double_eq_tol(part("vector functions")->mm2 / (256 * functions / 4 / 0.68 * 1e-6), 1, 1e-9);
    estimate("tpu-v1", "technology.node=45 nm", "core.vector.reduce_cycles=17");
    ck_assert_double_eq_tol(part("vector lanes")->mm2 / (256 * (lane - 137) / 0.68 * 1e-6), 1, 1e-9);
}
END_TEST

/* Two channels of 64 bits are four units of 32 whatever their rate; a lane's generation follows its bandwidth. */
START_TEST(interfaces_go_with_pins_lanes_and_links)
{
    estimate("tpu-v1", "technology.node=40 nm", NULL);
    ck_assert_double_eq_tol(part("weight-dram PHY")->mm2, 4 * 2.6, 1e-9);
    ck_assert_double_eq_tol(part("host PHY")->mm2, 16 * 0.36, 1e-9);
    estimate("tpu-v1", "memory.host.bandwidth=28 GB/s", NULL);
    ck_assert_double_eq_tol(part("host PHY")->mm2, 16 * 0.48, 1e-9);
    estimate("tpu-v1", "memory.host.bandwidth=56 GB/s", NULL);
    ck_assert_double_eq_tol(part("host PHY")->mm2, 16 * 0.64, 1e-9);
    ck_assert_ptr_null(part("links PHY"));
    estimate("tpu-v4i", NULL, NULL);
    ck_assert_double_eq_tol(part("links PHY")->mm2, 4 * 1.888, 1e-9);
}
END_TEST

/* 34 GB/s both ways x 100 ns and 14 GB/s both ways x 1 us; an engine with few requests in flight needs no more. */
START_TEST(dma_buffers_hold_what_is_on_its_way)
{
    estimate("tpu-v1", NULL, NULL);
    double bytes = 2 * 34e9 * 100e-9 + 2 * 14e9 * 1e-6;
    ck_assert_double_eq_tol(part("DMA buffers")->count, 8 * bytes, 1e-3);
    estimate("gemmini", NULL, NULL);
    ck_assert_double_eq_tol(part("DMA buffers")->count, 8 * fmin(2 * 16 * 64, 2 * 16e9 * 100e-9), 1e-3);
}
END_TEST

START_TEST(a_block_on_somebody_elses_bus_has_no_phy_and_no_edge)
{
    estimate("gemmini", NULL, NULL);
    ck_assert_ptr_null(part("dram PHY"));
    ck_assert_ptr_null(part("seal ring"));
    ck_assert_double_eq_tol(area->edge_needed_mm, 0, 1e-12);
    estimate("gemmini", "memory.dram.interface_on_die=true", NULL);
    ck_assert_ptr_nonnull(part("dram PHY"));
    ck_assert_ptr_nonnull(part("seal ring"));
    ck_assert_double_gt(area->edge_needed_mm, 0);
}
END_TEST

START_TEST(more_of_anything_takes_more_area)
{
    static const char *const more[] = {"core.array.rows=512",
                                       "core.array.count=2",
                                       "memory.unified-buffer.capacity=32 MiB",
                                       "memory.weight-dram.bandwidth=68 GB/s",
                                       "core.vector.lanes=512",
                                       "cores=2"};
    estimate("tpu-v1", NULL, NULL);
    double before = area->die_mm2;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        estimate("tpu-v1", more[i], NULL);
        ck_assert_msg(area->die_mm2 > before, "%s: %g after %g", more[i], area->die_mm2, before);
    }
}
END_TEST

START_TEST(parts_shrink_from_28_to_7_nm_or_say_that_their_source_does_not)
{
    static const char *const nodes[] = {"technology.node=28 nm", "technology.node=22 nm", "technology.node=16 nm",
                                        "technology.node=14 nm", "technology.node=10 nm", "technology.node=7 nm"};
    double before[SY_MAX_AREAS] = {0};
    uint32_t flagged = 0, compared = 0;
    for (size_t n = 0; n < sizeof nodes / sizeof nodes[0]; n++) {
        estimate("tpu-v1", nodes[n], NULL);
        bool any = false;
        for (uint32_t i = 0; i < area->items; i++) {
            const struct sy_area_item *item = &area->item[i];
            bool says_so = strstr(item->rule, "not monotonic") != NULL;
            any = any || says_so;
            bool of_all = item->kind == SY_AREA_SPACE || item->kind == SY_AREA_CONTROL; /* shares of the others */
            ck_assert_msg(!n || of_all || item->mm2 <= before[i] * (1 + 1e-9) || says_so, "%s at %s: %g after %g",
                          item->component, nodes[n], item->mm2, before[i]);
            before[i] = item->mm2;
            flagged += says_so;
            compared++;
        }
        ck_assert(any || n != 2); /* 16 nm */
    }
    ck_assert_uint_gt(flagged, 0); /* from CACTI's efficiency to the assumed one below 22 nm */
    ck_assert_uint_lt(flagged, compared / 4);
}
END_TEST

/* A table of one's own may state the clock tree alone: its range then begins or ends there. */
START_TEST(a_clock_tree_beyond_its_range_moves_the_range)
{
    estimate("tpu-v1", NULL, NULL);
    struct sy_base_power before = sy_energy_base(chip, energy);
    energy->clock_tree = 3; /* beyond clock_tree_high */
    struct sy_base_power after = sy_energy_base(chip, energy);
    ck_assert_double_eq_tol(after.clock_w / before.clock_w, 3 / 1.2, 1e-9);
    ck_assert_double_ge(after.idle_high_w, after.idle_w);
    ck_assert_double_eq_tol(after.idle_low_w, before.idle_low_w, 1e-12);
    energy->clock_tree = 1;
    after = sy_energy_base(chip, energy);
    ck_assert_double_le(after.idle_low_w, after.idle_w);
    ck_assert_double_lt(after.idle_low_w, before.idle_low_w);
}
END_TEST

/* ---- warnings of a run ---- */

static bool warned(const char *set_text, const char *text)
{
    const char *const set[] = {set_text, NULL};
    struct systole_chip *run_chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    bool found = false;
    context = (struct systole_context){.struct_size = sizeof context, .data_dir = data_dir()};
    options.kernel = "heap";
    options.fidelity = "analytic";
    ck_assert_int_eq(systole_workload_load(&context, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(&context, "tpu-v1", set_text ? set : NULL, &run_chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&context, run_chip, workload, &options, &result), SYSTOLE_OK);
    for (uint32_t i = 0; i < result->result->warnings; i++)
        found = found || strstr(result->result->warning[i], text) != NULL;
    systole_result_free(result);
    systole_chip_free(run_chip);
    systole_workload_free(workload);
    return found;
}

/* The list of items is that of the shipped table; a run with a table of the user's says what is missing or misspelt. */
START_TEST(items_a_table_lacks_or_nobody_knows_are_warned_of)
{
    estimate("tpu-v1", NULL, NULL);
    struct sy_sourced figure;
    for (size_t i = 0; sy_area_items[i]; i++)
        ck_assert_msg(sy_figure_lookup(table, sy_area_items[i], 28, &figure) == SY_OK, "%s", sy_area_items[i]);
    ck_assert(!warned(NULL, "area: table"));
    ck_assert(!warned(NULL, "knows no item"));
    struct sy_result result = {.arena = arena};
    struct sy_figure_row row[] = {{.item = "seal_ring_mm"}, {.item = "seal_ring"}, {.item = "mac_int8_um2"}};
    struct sy_figure_table own = {.name = "own", .rows = 3, .row = row};
    sy_area_warn_items(&result, &own);
    ck_assert_uint_eq(result.warnings, 2);
    ck_assert_ptr_nonnull(strstr(result.warning[0], "no rows for add_fp32_um2, "));
    ck_assert_ptr_null(strstr(result.warning[0], "seal_ring_mm"));
    ck_assert_str_eq(result.warning[1], "area: the model knows no item seal_ring of table own");
}
END_TEST

START_TEST(what_cannot_be_built_is_warned_of)
{
    ck_assert(warned("memory.unified-buffer.capacity=1 GiB", "beyond a reticle"));
    ck_assert(!warned(NULL, "beyond a reticle"));
    ck_assert(warned("memory.weight-dram.bandwidth=2000 GB/s", "mm of edge"));
    ck_assert(!warned(NULL, "mm of edge"));
    ck_assert(warned("clocks.core=5 GHz", "a bank of accumulators takes"));
    ck_assert(!warned(NULL, "a bank of accumulators takes"));
    ck_assert(warned("memory.weight-fifo.banks=1024", "fewer than 256 words"));
    ck_assert(!warned(NULL, "fewer than 256 words"));
}
END_TEST

/* The clock at which unclocked power + the rest x clock equals the TDP. */
START_TEST(a_power_limited_run_meets_its_tdp)
{
    static const char *const set[] = {"power.tdp=40 W", NULL};
    struct systole_chip *run_chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *free_run = NULL, *limited = NULL;
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    double watts;
    context = (struct systole_context){.struct_size = sizeof context, .data_dir = data_dir()};
    options.kernel = "heap";
    ck_assert_int_eq(systole_workload_load(&context, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(&context, "tpu-v1", set, &run_chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&context, run_chip, workload, &options, &free_run), SYSTOLE_OK);
    options.power_limited = 1;
    ck_assert_int_eq(systole_run(&context, run_chip, workload, &options, &limited), SYSTOLE_OK);
    ck_assert_double_gt(free_run->result->area->tdp_w, 40);
    ck_assert_int_eq(systole_result_figure(limited, "tdp_estimate_w", &watts), SYSTOLE_OK);
    ck_assert_double_le(watts, 40 + 1e-6);
    ck_assert_double_ge(watts, 40 * (1 - 1e-6));
    ck_assert_double_gt(limited->result->seconds, free_run->result->seconds);
    ck_assert_ptr_nonnull(strstr(limited->result->request.set[1], "clocks.core="));
    systole_result_free(free_run);
    systole_result_free(limited);
    systole_chip_free(run_chip);
    systole_workload_free(workload);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("area");
    TCase *tests = tcase_create("area");
    tcase_add_checked_fixture(tests, NULL, forget);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_die_is_the_sum_of_its_parts_and_each_has_a_source);
    tcase_add_test(tests, operands_are_skewed_by_triangles_of_registers);
    tcase_add_test(tests, srams_have_the_foundrys_bit_cell);
    tcase_add_test(tests, scratchpads_in_the_pes_are_part_of_the_die);
    tcase_add_test(tests, a_lane_is_the_sum_of_its_function_units);
    tcase_add_test(tests, interfaces_go_with_pins_lanes_and_links);
    tcase_add_test(tests, dma_buffers_hold_what_is_on_its_way);
    tcase_add_test(tests, a_block_on_somebody_elses_bus_has_no_phy_and_no_edge);
    tcase_add_test(tests, more_of_anything_takes_more_area);
    tcase_add_test(tests, parts_shrink_from_28_to_7_nm_or_say_that_their_source_does_not);
    tcase_add_test(tests, items_a_table_lacks_or_nobody_knows_are_warned_of);
    tcase_add_test(tests, a_clock_tree_beyond_its_range_moves_the_range);
    tcase_add_test(tests, what_cannot_be_built_is_warned_of);
    tcase_add_test(tests, a_power_limited_run_meets_its_tdp);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
