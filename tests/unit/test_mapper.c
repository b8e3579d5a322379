/* SPDX-License-Identifier: Apache-2.0 */
/* The mapper's search (sim/map/mapping.h) against bounds that hold whatever it does. */
#include "sim/engine/array_tile.h"
#include "tests/unit/engine_support.h"

static struct sy_chip *preset(const char *name)
{
    struct log_sink log;
    struct sy_chip *chip = NULL;
    const struct sy_chip_options options = {.data_dir = data_dir()};
    if (sy_chip_load(name, &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s", log_text(&log));
    log_end(&log);
    return chip;
}

static bool array_cost(void *context, uint8_t dataflow, uint64_t m, uint64_t k, uint64_t n, uint64_t groups,
                       uint64_t *steady, uint64_t *alone)
{
    const struct sy_chip *chip = context;
    const struct sy_precision *precision = &chip->array.precision[0];
    struct sy_array_tile tile;
    if (sy_array_tile_of(chip, dataflow, m, k, n, precision->a, precision->b, true, &tile) != SY_OK)
        return false;
    uint64_t own = tile.run.occupancy_cycles + tile.gap.preload_cycles + tile.gap.output_cycles;
    *steady = (own > tile.port_cycles ? own : tile.port_cycles) * groups;
    *alone = tile.run.lead_cycles + tile.run.latency_cycles;
    return true;
}

/* A row of outputs is wider than the accumulator, and whole windows of tiles that straddle rows are wider than the
 * scratchpad: tiles within rows are left, which keep the array busy. */
START_TEST(wide_rows_of_a_convolution_are_cut_into_parts)
{
    struct sy_chip *chip = preset("gemmini");
    const struct sy_map_costs costs = {.context = chip, .array = array_cost};
    static const uint64_t size[][2] = {{2046, 64}, {1022, 64}, {1868, 64}, {938, 128}, {509, 128}};
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        struct sy_layer layer;
        struct sy_work work;
        struct sy_problem problem;
        struct sy_mapping mapping;
        struct sy_estimate estimate;
        char why[160] = "";
        sy_layer_init(&layer, SY_OP_CONV);
        layer.dim.conv = (struct sy_conv_dims){.b = 1,
                                               .h = size[i][0],
                                               .w = size[i][0],
                                               .c = size[i][1],
                                               .n = 128,
                                               .fh = 3,
                                               .fw = 3,
                                               .sh = 1,
                                               .sw = 1,
                                               .dh = 1,
                                               .dw = 1,
                                               .groups = 1};
        layer.in[0].dtype = layer.in[1].dtype = layer.out.dtype = SY_INT8;
        layer.accumulator = SY_INT32;
        ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
        sy_problem_init(&problem, chip, &work.item[0].u.matrix);
        ck_assert_int_eq(sy_map_search(&problem, &costs, SY_OBJECTIVE_CYCLES, &mapping, &estimate, why), SY_OK);
        ck_assert(sy_map_fits(&problem, &mapping));
        const struct sy_matrix_item *item = &problem.item;
        double peak = (double)(item->m * item->k * item->n) / 256; /* 16 x 16 MACs a cycle */
        ck_assert_msg((double)estimate.cycles < 1.05 * peak, "rows of %llu: %.0f cycles, at peak %.0f",
                      (unsigned long long)size[i][0] - 2, (double)estimate.cycles, peak);
    }
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mapper");
    TCase *tcase = tcase_create("search");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, wide_rows_of_a_convolution_are_cut_into_parts);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
