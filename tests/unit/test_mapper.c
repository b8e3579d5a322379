/* SPDX-License-Identifier: Apache-2.0 */
/* The mapper (sim/map/mapping.h): its search against bounds and against all mappings of small problems, its count of
 * bytes against the engine's moves. */
#include "sim/engine/array_tile.h"
#include "sim/engine/exec_dma.h"
#include "sim/engine/schedule.h"
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

enum { MOST = 128 };

/* Sizes a dimension is cut to: every equal part, every multiple of the array's side. */
struct sizes {
    uint32_t count;
    uint64_t value[MOST];
};

static void add_size(struct sizes *sizes, uint64_t value, uint64_t size)
{
    for (uint32_t i = 0; i < sizes->count; i++)
        if (sizes->value[i] == value)
            return;
    if (value <= size && sizes->count < MOST)
        sizes->value[sizes->count++] = value;
}

struct all {
    const struct sy_problem *problem;
    const struct sy_map_costs *costs;
    struct sizes sizes[3];
    struct sy_mapping mapping;
    uint64_t least, tried;
};

static void try_mapping(struct all *all)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct sy_mapping *mapping = &all->mapping;
    uint32_t combinations = 1;
    for (uint32_t l = 0; l < mapping->on_chip; l++)
        combinations *= 6;
    for (uint32_t i = 0; i < 2 * combinations; i++) {
        uint32_t rest = i / 2;
        mapping->c_resident_partials = i % 2;
        for (uint32_t l = 0; l < mapping->on_chip; l++, rest /= 6)
            memcpy(mapping->order[l], orders[rest % 6], 3);
        struct sy_estimate estimate;
        if (!sy_map_fits(all->problem, mapping) || !sy_map_estimate(all->problem, mapping, all->costs, &estimate))
            continue;
        all->tried++;
        all->least = estimate.cycles < all->least ? estimate.cycles : all->least;
    }
}

static void try_level(struct all *all, uint32_t level, int dim)
{
    struct sy_mapping *mapping = &all->mapping;
    if (level == mapping->on_chip) {
        try_mapping(all);
        return;
    }
    if (dim == 3) {
        uint64_t cycles = 0, ends = 0;
        mapping->tile[level][SY_DIM_G] = 1;
        /* What the array takes alone is the least that this innermost tile takes. */
        if (level > 0 ||
            (sy_map_array_cycles(all->problem, mapping, all->costs, &cycles, &ends) && cycles + ends < all->least))
            try_level(all, level + 1, 0);
        return;
    }
    for (uint32_t i = 0; i < all->sizes[dim].count; i++) {
        uint64_t value = all->sizes[dim].value[i], inner = level ? mapping->tile[level - 1][dim] : 1;
        if (value < inner || (value % inner && value != all->problem->size[dim]))
            continue;
        mapping->tile[level][dim] = value;
        try_level(all, level, dim + 1);
    }
}

static uint64_t least_of_all(const struct sy_problem *problem, const struct sy_map_costs *costs)
{
    const struct sy_array *array = &problem->chip->array;
    struct all all = {.problem = problem, .costs = costs, .least = UINT64_MAX};
    const uint64_t step[3] = {array->rows, array->rows, array->cols};
    for (int d = 0; d < 3; d++) {
        for (uint64_t parts = 1; parts <= problem->size[d]; parts++)
            add_size(&all.sizes[d], (problem->size[d] + parts - 1) / parts, problem->size[d]);
        for (uint64_t value = step[d]; value < problem->size[d]; value += step[d])
            add_size(&all.sizes[d], value, problem->size[d]);
    }
    for (uint8_t flow = 0; flow < array->dataflows; flow++) {
        all.mapping = (struct sy_mapping){.dataflow = flow, .on_chip = problem->on_chip};
        try_level(&all, 0, 0);
    }
    ck_assert_uint_gt(all.tried, 0);
    return all.least;
}

/* Of one chip with small memories and no bursts, which the estimate does not know: the mean gap. */
static double mean_gap(const char *name, uint64_t share, uint64_t most, uint32_t problems, uint64_t seed)
{
    struct sy_chip *chip = preset(name);
    struct sy_map_costs costs = {.context = chip, .array = array_cost};
    double sum = 0;
    uint32_t mapped = 0;
    for (uint32_t i = 0; i < chip->levels; i++)
        chip->level[i].burst_bytes = 1;
    while (mapped < problems) {
        uint64_t size[3];
        for (int d = 0; d < 3; d++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            size[d] = 1 + (seed >> 33) % most;
        }
        struct sy_matrix_item item = {.groups = 1, .m = size[0], .k = size[1], .n = size[2], .dense_k = size[1]};
        item.a = item.c = chip->array.precision[0].a;
        item.b = chip->array.precision[0].b;
        item.accumulator = chip->array.precision[0].accumulator;
        struct sy_problem problem;
        struct sy_mapping mapping;
        struct sy_estimate estimate;
        char why[160];
        sy_problem_init(&problem, chip, &item);
        for (uint32_t l = 0; l < problem.on_chip; l++)
            problem.free_bytes[l] /= share;
        if (sy_map_search(&problem, &costs, SY_OBJECTIVE_CYCLES, &mapping, &estimate, why) != SY_OK)
            continue;
        ck_assert(sy_map_fits(&problem, &mapping));
        uint64_t least = least_of_all(&problem, &costs);
        ck_assert_uint_ge(estimate.cycles, least);
        sum += (double)estimate.cycles / (double)least - 1;
        mapped++;
    }
    sy_chip_destroy(chip);
    return sum / mapped;
}

START_TEST(the_search_is_within_two_percent_of_all_mappings)
{
    double eyeriss = mean_gap("eyeriss", 4, 64, 20, 7), gemmini = mean_gap("gemmini", 64, 32, 10, 7);
    ck_assert_msg(eyeriss <= 0.02, "eyeriss: %.2f%%", 100 * eyeriss);
    ck_assert_msg(gemmini <= 0.02, "gemmini: %.2f%%", 100 * gemmini);
}
END_TEST

/* ---- bytes ---- */

/* Bytes on the memory's bus of all moves of the layer's commands, as the executor counts them; false: refused. */
static bool bytes_moved(struct sy_scheduler *scheduler, const struct sy_chip *chip, uint64_t *sum)
{
    struct sy_issue issue;
    *sum = 0;
    for (bool more = true;;) {
        enum sy_status status = sy_scheduler_next(scheduler, &issue, &more);
        if (status != SY_OK || !more)
            return status == SY_OK;
        const struct sy_command *command = &issue.command;
        uint64_t bytes = 0;
        if (command->kind != SY_CMD_LOAD && command->kind != SY_CMD_STORE)
            continue;
        if (chip->level[command->u.move.parent].kind == SY_LEVEL_SRAM)
            continue;
        ck_assert(sy_exec_bus_bytes(&chip->level[command->u.move.parent], command, &bytes));
        *sum += bytes;
    }
}

static struct sy_layer random_product(uint64_t *seed)
{
    static const enum sy_dtype formats[] = {SY_INT8, SY_INT8, SY_INT8, SY_INT4};
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm = (struct sy_gemm_dims){.g = draw(seed, 0, 3) ? 1 : draw(seed, 2, 5),
                                           .m = draw(seed, 1, 300),
                                           .k = draw(seed, 1, 300),
                                           .n = draw(seed, 1, 300)};
    layer.dim.gemm.shared_b = layer.dim.gemm.g > 1 ? draw(seed, 0, 1) : 0;
    layer.in[0].dtype = layer.in[1].dtype = layer.out.dtype = SY_INT8;
    layer.out.dtype = formats[draw(seed, 0, 3)];
    layer.in[1].flags = draw(seed, 0, 1) ? SY_TENSOR_WEIGHT : 0;
    layer.inputs = 2;
    layer.accumulator = SY_INT32;
    return layer;
}

START_TEST(the_mapper_counts_the_bytes_that_the_engine_moves)
{
    const int rounds = cases(400);
    uint64_t seed = UINT64_C(0xb17e5) + (uint64_t)_i;
    int ran = 0, cut = 0;
    for (int round = 0; round < rounds; round++) {
        struct machine m = random_machine(&seed);
        m.cores = 1;
        m.accumulator_kib = draw(&seed, 1, 8);
        m.scratch_kib = draw(&seed, 2, 32);
        struct sy_chip *chip = machine_chip(&m);
        struct sy_upcoming upcoming = {.layer = random_product(&seed), .input_key = {11, 12}, .output_key = 13};
        const struct sy_scheduler_options options = {.objective = (enum sy_objective)draw(&seed, 0, 3),
                                                     .costs = {.context = chip, .array = array_cost},
                                                     .keep_nothing = true};
        struct sy_scheduler *scheduler;
        ck_assert_int_eq(sy_scheduler_create(chip, &options, NULL, &scheduler), SY_OK);
        ck_assert_int_eq(sy_scheduler_begin(scheduler, &upcoming, 0), SY_OK);
        uint64_t moved = 0;
        if (bytes_moved(scheduler, chip, &moved)) {
            const struct sy_layer_plan *plan = sy_scheduler_plan(scheduler);
            const uint64_t *tile = plan->mapping.tile[0], counted = plan->estimate.bus_bytes;
            cut += tile[SY_DIM_M] < plan->item.m || tile[SY_DIM_K] < plan->item.k || tile[SY_DIM_N] < plan->item.n;
            ck_assert_msg(counted == moved, "%llu bytes counted, %llu moved: %llu x %llu x %llu x %llu\n%s",
                          (unsigned long long)counted, (unsigned long long)moved, (unsigned long long)plan->item.m,
                          (unsigned long long)plan->item.k, (unsigned long long)plan->item.n,
                          (unsigned long long)plan->item.groups, chip->text);
            ran++;
        }
        sy_scheduler_destroy(scheduler);
        sy_chip_destroy(chip);
    }
    ck_assert_int_gt(ran, rounds / 2);
    ck_assert_int_gt(cut, rounds / 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mapper");
    TCase *tcase = tcase_create("search");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, wide_rows_of_a_convolution_are_cut_into_parts);
    tcase_add_test(tcase, the_search_is_within_two_percent_of_all_mappings);
    tcase_add_loop_test(tcase, the_mapper_counts_the_bytes_that_the_engine_moves, 0, 3);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
