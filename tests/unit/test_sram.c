/* SPDX-License-Identifier: Apache-2.0 */
/* SRAM figures: the table itself, the error without a row or without a whole slice, and how it behaves between and
 * beyond the rows. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/base/text.h"
#include "sim/stats/sram.h"
#include "tests/unit/run_support.h"

static struct sy_arena *arena;
static struct sy_sram_model *model;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
    model = sy_sram_model_create(arena, &sy_sram_cacti);
    ck_assert_ptr_nonnull(model);
}

static void teardown(void)
{
    sy_arena_destroy(arena);
}

static uint64_t random_below(uint64_t bound)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % bound;
}

static struct sy_sram_config config_of(const struct sy_sram_row *row)
{
    return (struct sy_sram_config){.node_nm = row->node_nm,
                                   .cell = row->cell,
                                   .capacity_bytes = row->capacity_bytes,
                                   .width_bits = row->width_bits,
                                   .ports = row->ports,
                                   .banks = row->banks};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct sy_sram_cost estimate(struct sy_sram_config config)
{
    struct sy_sram_cost cost;
    ck_assert_int_eq(sy_sram_estimate(model, &config, false, &cost), SY_OK);
    return cost;
}

/* Median and 90th percentile of the error in percent, a figure at a time. */
static void errors_of(const struct sy_sram_model *of, const struct sy_sram_table *rows, bool leave_out,
                      uint64_t samples, double median[SY_SRAM_FIGURES], double p90[SY_SRAM_FIGURES])
{
    double *error[SY_SRAM_FIGURES];
    for (int f = 0; f < SY_SRAM_FIGURES; f++)
        error[f] = malloc(samples * sizeof *error[f]);
    for (uint64_t i = 0; i < samples; i++) {
        const struct sy_sram_row *row = &rows->row[random_below(rows->rows)];
        struct sy_sram_config config = config_of(row);
        struct sy_sram_cost cost;
        ck_assert_int_eq(sy_sram_estimate(of, &config, leave_out, &cost), SY_OK);
        for (int f = 0; f < SY_SRAM_FIGURES; f++)
            error[f][i] = 100 * fabs(cost.figure[f] / exp((double)row->log_figure[f]) - 1);
    }
    for (int f = 0; f < SY_SRAM_FIGURES; f++) {
        qsort(error[f], samples, sizeof *error[f], compare);
        median[f] = error[f][samples / 2];
        p90[f] = error[f][samples * 9 / 10];
        free(error[f]);
    }
}

/* The generated table against the file, read here by its own few lines. */
START_TEST(a_tabulated_memory_costs_what_the_file_says)
{
    static const char *const names[] = {"read_nJ", "write_nJ", "leak_mW_total", "area_mm2", "access_ns"};
    static const double unit[] = {1000, 1000, 1, 1, 1};
    char path[4096];
    char *text;
    size_t length;
    struct sy_csv csv;
    (void)snprintf(path, sizeof path, "%s/arch/sram/cacti.csv", getenv("SYSTOLE_DATA"));
    ck_assert_int_eq(sy_read_file(path, 1 << 24, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, path, &csv, NULL), SY_OK);
    free(text);
    ck_assert_uint_eq(csv.rows - 1, sy_sram_cacti.rows);
    for (size_t i = 1; i < csv.rows; i++) {
        char **field = csv.row[i].field;
        enum sy_sram_cell cell;
        ck_assert(sy_sram_cell_parse(field[1], &cell));
        struct sy_sram_cost cost = estimate((struct sy_sram_config){
            strtod(field[0], NULL), cell, strtoull(field[2], NULL, 10), strtoull(field[3], NULL, 10),
            strtoull(field[4], NULL, 10), strtoull(field[5], NULL, 10)});
        ck_assert(cost.flags & SY_SRAM_TABULATED);
        for (int f = 0; f < SY_SRAM_FIGURES; f++) {
            double expected = unit[f] * strtod(field[sy_csv_column(&csv, names[f])], NULL);
            ck_assert_double_eq_tol(cost.figure[f] / expected, 1, 5e-6);
        }
    }
}
END_TEST

START_TEST(a_memory_left_out_of_the_table_is_within_the_promised_error)
{
    double median[SY_SRAM_FIGURES], p90[SY_SRAM_FIGURES];
    errors_of(model, &sy_sram_cacti, true, 3000, median, p90);
    for (int f = 0; f < SY_SRAM_FIGURES; f++) {
        ck_assert_double_le(median[f], 2.5);
        ck_assert_double_le(p90[f], 11);
    }
}
END_TEST

/* Sizes never seen in any technology: all memories of one capacity, or of one width, taken out of the table. */
START_TEST(a_capacity_or_width_missing_everywhere_is_estimated_within_a_step)
{
    for (int by_width = 0; by_width < 2; by_width++) {
        struct sy_sram_row *in = malloc(sy_sram_cacti.rows * sizeof *in),
                           *out = malloc(sy_sram_cacti.rows * sizeof *out);
        struct sy_sram_table kept = {"kept", 0, in}, missing = {"missing", 0, out};
        for (uint32_t i = 0; i < sy_sram_cacti.rows; i++) {
            const struct sy_sram_row *row = &sy_sram_cacti.row[i];
            bool drop = by_width ? row->width_bits == 64 : row->capacity_bytes / row->banks == 65536;
            if (drop)
                out[missing.rows++] = *row;
            else
                in[kept.rows++] = *row;
        }
        double median[SY_SRAM_FIGURES], p90[SY_SRAM_FIGURES];
        struct sy_sram_model *partial = sy_sram_model_create(arena, &kept);
        errors_of(partial, &missing, false, 800, median, p90);
        for (int f = 0; f < SY_SRAM_FIGURES; f++) {
            ck_assert_double_le(median[f], 11);
            ck_assert_double_le(p90[f], 22);
        }
        free(in);
        free(out);
    }
}
END_TEST

/* Between powers of two a figure stays near the memories around it: CACTI's steps allow no more. */
START_TEST(sizes_and_widths_off_the_grid_lie_among_their_neighbours)
{
    for (int i = 0; i < 2000; i++) {
        uint64_t width = 8u << random_below(6), banks = 1u << random_below(5), words = 256u << random_below(8);
        double wide = 1 + (double)random_below(1000) / 1000, deep = 1 + (double)random_below(1000) / 1000;
        struct sy_sram_config config = {.cell = (enum sy_sram_cell)random_below(2), .ports = 1, .banks = banks};
        static const double nodes[] = {22, 32, 45, 65, 90};
        config.node_nm = nodes[random_below(5)];
        double least[SY_SRAM_FIGURES], most[SY_SRAM_FIGURES];
        for (int corner = 0; corner < 4; corner++) {
            config.width_bits = width << (corner & 1);
            config.capacity_bytes = (words << (corner >> 1)) * config.width_bits / 8 * banks;
            struct sy_sram_cost cost = estimate(config);
            for (int f = 0; f < SY_SRAM_FIGURES; f++) {
                least[f] = corner && least[f] < cost.figure[f] ? least[f] : cost.figure[f];
                most[f] = corner && most[f] > cost.figure[f] ? most[f] : cost.figure[f];
            }
        }
        config.width_bits = (uint64_t)((double)width * wide);
        config.capacity_bytes = (uint64_t)((double)words * deep) * config.width_bits / 8 * banks;
        if (config.capacity_bytes < 1024 || config.capacity_bytes > 33554432)
            continue;
        struct sy_sram_cost cost = estimate(config);
        for (int f = 0; f < SY_SRAM_FIGURES; f++) {
            ck_assert_double_ge(cost.figure[f], 0.75 * least[f]);
            ck_assert_double_le(cost.figure[f], 1.35 * most[f]);
        }
    }
}
END_TEST

/* A word more or a bit more changes little, also where a row of the table is left. */
START_TEST(a_little_more_memory_costs_a_little_more_or_less)
{
    static const double nodes[] = {22, 28, 32, 45, 65, 90};
    double worst = 0;
    uint32_t jumps = 0, steps = 0;
    for (int i = 0; i < 1500; i++) {
        uint64_t width = 8u << random_below(6), banks = 1u << random_below(4), words = 256u << random_below(7);
        struct sy_sram_config config = {.node_nm = nodes[random_below(6)],
                                        .cell = (enum sy_sram_cell)random_below(2),
                                        .ports = 1,
                                        .banks = banks,
                                        .width_bits = width,
                                        .capacity_bytes = words * width / 8 * banks};
        struct sy_sram_cost at = estimate(config);
        config.capacity_bytes += width / 8; /* a word */
        struct sy_sram_cost more = estimate(config);
        for (int f = 0; f < SY_SRAM_FIGURES; f++) {
            double step = fabs(log(more.figure[f] / at.figure[f]));
            worst = step > worst ? step : worst;
            jumps += step > 0.03;
            steps++;
        }
    }
    ck_assert_uint_le(jumps * 200, steps); /* where the 32 nearest rows become others */
    ck_assert_double_le(worst, 0.12);
}
END_TEST

START_TEST(an_array_of_macros_never_shrinks_when_it_must_hold_more)
{
    static const struct sy_sram_row rows[] = {{{0, 0, -4, -6, -1}, 4096, 32, 16, 1, 1, SY_SRAM_LSTP},
                                              {{1, 1, -3, -5, -0.5F}, 16384, 64, 16, 1, 1, SY_SRAM_LSTP}};
    const struct sy_sram_table macros = {"two", 2, rows};
    for (uint64_t width = 8; width <= 256; width += 8) {
        double before = 0;
        for (uint64_t words = 64; words <= 8192; words += 64) {
            struct sy_sram_config config = {16, SY_SRAM_LSTP, words * width / 8, width, 1, 1};
            struct sy_sram_cost cost;
            ck_assert_int_eq(sy_sram_compose(&macros, &config, &cost), SY_OK);
            ck_assert_double_ge(cost.figure[SY_SRAM_AREA], before * (1 - 1e-12));
            ck_assert(cost.flags & SY_SRAM_COMPOSED);
            before = cost.figure[SY_SRAM_AREA];
        }
    }
}
END_TEST

START_TEST(beyond_the_table_power_laws_carry_on_without_a_jump_and_say_so)
{
    struct sy_sram_config config = {45, SY_SRAM_LSTP, 33554432, 64, 1, 1};
    struct sy_sram_cost edge = estimate(config);
    config.capacity_bytes += 8;
    struct sy_sram_cost just = estimate(config);
    ck_assert(just.flags & SY_SRAM_BEYOND);
    config.capacity_bytes = 4 * 33554432ull;
    struct sy_sram_cost far = estimate(config);
    for (int f = 0; f < SY_SRAM_FIGURES; f++)
        ck_assert_double_eq_tol(just.figure[f] / edge.figure[f], 1, 0.02); /* the table's noise is smoothed */
    ck_assert_double_eq_tol(far.figure[SY_SRAM_READ] / just.figure[SY_SRAM_READ], pow(4, 0.53), 1e-5);
    ck_assert_double_eq_tol(far.figure[SY_SRAM_AREA] / just.figure[SY_SRAM_AREA], pow(4, 0.96), 1e-5);
    ck_assert_ptr_nonnull(strstr(far.rule, "beyond"));
}
END_TEST

START_TEST(nodes_between_the_tables_are_between_them_and_smaller_ones_are_refused)
{
    struct sy_sram_config config = {28, SY_SRAM_LSTP, 65536, 64, 1, 1};
    struct sy_sram_cost at_28 = estimate(config), cost;
    config.node_nm = 22;
    struct sy_sram_cost at_22 = estimate(config);
    config.node_nm = 32;
    struct sy_sram_cost at_32 = estimate(config);
    double part = log(28.0 / 22) / log(32.0 / 22);
    for (int f = 0; f < SY_SRAM_FIGURES; f++)
        ck_assert_double_eq_tol(at_28.figure[f], at_22.figure[f] * pow(at_32.figure[f] / at_22.figure[f], part),
                                1e-9 * at_28.figure[f]);
    ck_assert(at_28.flags & SY_SRAM_BETWEEN_NODES);
    config.node_nm = 7;
    ck_assert_int_eq(sy_sram_estimate(model, &config, false, &cost), SY_UNSUPPORTED);
    config.node_nm = 130;
    ck_assert(estimate(config).flags & SY_SRAM_BEYOND);
}
END_TEST

START_TEST(few_words_a_bank_are_flagged)
{
    struct sy_sram_config config = {45, SY_SRAM_LSTP, 2048, 64, 1, 1};
    ck_assert(!(estimate(config).flags & SY_SRAM_FEW_WORDS));
    config.capacity_bytes = 2040;
    ck_assert(estimate(config).flags & SY_SRAM_FEW_WORDS);
    config.capacity_bytes = 0;
    struct sy_sram_cost cost;
    ck_assert_int_eq(sy_sram_estimate(model, &config, false, &cost), SY_USAGE);
}
END_TEST

static void write_macros(char *path, const char *text)
{
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(macros_are_composed_whole)
{
    char path[] = "sram-macros-XXXXXX";
    write_macros(path, "note,tech_nm,cell,capacity_bytes,width_bits,rw_ports,banks,access_ns,read_nJ,write_nJ,"
                       "leak_mW_total,area_mm2\n"
                       "small,7,itrs-lstp,4096,32,1,1,0.5,0.002,0.0025,0.01,0.002\n"
                       "large,7,itrs-lstp,16384,64,1,1,0.8,0.006,0.007,0.03,0.006\n");
    struct sy_sram_table table;
    struct sy_sram_cost cost;
    ck_assert_int_eq(sy_sram_load(arena, path, &table, NULL), SY_OK);
    (void)remove(path);
    ck_assert_uint_eq(table.rows, 2);
    /* 40 bits by 3000 words: two small ones side by side, three deep (1024 words each) = 6 x 0.002 mm2; or one large
     * one side by side, two deep (2048 words each) = 2 x 0.006 mm2, no smaller. */
    struct sy_sram_config config = {7, SY_SRAM_LSTP, 15000, 40, 1, 1};
    ck_assert_int_eq(sy_sram_compose(&table, &config, &cost), SY_OK);
    ck_assert_uint_eq(cost.macros, 6);
    ck_assert_double_eq_tol(cost.figure[SY_SRAM_READ], 2 * 2.0, 1e-5);
    ck_assert_double_eq_tol(cost.figure[SY_SRAM_AREA], 6 * 0.002, 1e-8);
    ck_assert_double_eq_tol(cost.figure[SY_SRAM_LEAKAGE], 6 * 0.01, 1e-7);
    ck_assert_double_eq_tol(cost.figure[SY_SRAM_ACCESS], 0.5, 1e-6);
    config.ports = 2;
    ck_assert_int_eq(sy_sram_compose(&table, &config, &cost), SY_UNSUPPORTED);
    config.ports = 1;
    config.node_nm = 5;
    ck_assert_int_eq(sy_sram_compose(&table, &config, &cost), SY_UNSUPPORTED);
}
END_TEST

START_TEST(mistakes_in_a_file_of_macros_are_all_reported)
{
    char path[] = "sram-macros-XXXXXX";
    write_macros(path, "tech_nm,cell,capacity_bytes,width_bits,rw_ports,banks,access_ns,read_nJ,write_nJ,"
                       "leak_mW_total,area_mm2\n"
                       "7,hp,4096,32,1,1,0.5,0.002,0.0025,0.01,0.002\n"
                       "7,itrs-hp,4096.5,0,1,1,0.5,-2,0.0025,nan,0.002\n"
                       "7,itrs-hp,4096\n");
    struct sy_sram_table table;
    struct sy_diag diag = {0};
    ck_assert_int_eq(sy_sram_load(arena, path, &table, &diag), SY_INPUT);
    (void)remove(path);
    ck_assert_uint_eq(diag.errors, 1 + 4 + 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sram");
    TCase *tests = tcase_create("sram");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_tabulated_memory_costs_what_the_file_says);
    tcase_add_test(tests, a_memory_left_out_of_the_table_is_within_the_promised_error);
    tcase_add_test(tests, a_capacity_or_width_missing_everywhere_is_estimated_within_a_step);
    tcase_add_test(tests, sizes_and_widths_off_the_grid_lie_among_their_neighbours);
    tcase_add_test(tests, a_little_more_memory_costs_a_little_more_or_less);
    tcase_add_test(tests, an_array_of_macros_never_shrinks_when_it_must_hold_more);
    tcase_add_test(tests, beyond_the_table_power_laws_carry_on_without_a_jump_and_say_so);
    tcase_add_test(tests, nodes_between_the_tables_are_between_them_and_smaller_ones_are_refused);
    tcase_add_test(tests, few_words_a_bank_are_flagged);
    tcase_add_test(tests, macros_are_composed_whole);
    tcase_add_test(tests, mistakes_in_a_file_of_macros_are_all_reported);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
