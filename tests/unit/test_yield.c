/* SPDX-License-Identifier: Apache-2.0 */
/* Dies per wafer and yields against figures computed elsewhere, and against closed forms written another way. */
#include "sim/stats/yield.h"

#include <math.h>

#include "sim/base/csv.h"
#include "sim/base/random.h"
#include "tests/unit/arch_support.h"

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

static void load(const char *name, struct sy_arena *arena, struct sy_csv *csv)
{
    char *path = sy_arena_printf(arena, "%s/tests/golden/%s", data_dir(), name), *text;
    size_t length;
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, name, csv, NULL), SY_OK);
    free(text);
}

static double number_after(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    ck_assert_msg(at != NULL, "%s in '%s'", word, text);
    return strtod(at + strlen(word), NULL);
}

/* Wafer price and defects a cm2 of a node, from the same golden table. */
static double priced(const struct sy_csv *csv, const char *item, const char *node)
{
    for (size_t i = 1; i < csv->rows; i++)
        if (!strcmp(csv->row[i].field[0], item) && !strcmp(csv->row[i].field[1], node))
            return strtod(csv->row[i].field[2], NULL);
    ck_abort_msg("%s %s", item, node);
    return 0;
}

/* "computed: NAME AREA mm2": dollars at full yield with "gross N/wafer", then dollars with "Y nb N, Poisson N ...". */
START_TEST(the_computed_rows_of_the_reference_come_out)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv csv;
    uint32_t seen = 0;
    load("cost_reference.csv", arena, &csv);
    for (size_t i = 1; i < csv.rows; i++) {
        char **field = csv.row[i].field;
        if (strncmp(field[0], "computed", 8) != 0)
            continue;
        const char *unit = strstr(field[0], " mm2"), *start = unit;
        while (start[-1] != ' ')
            start--;
        double area = strtod(start, NULL), usd = strtod(field[2], NULL);
        double gross = sy_dies_per_wafer(area, 300, 0, 0), wafer = priced(&csv, "wafer price 300 mm", field[1]);
        if (strstr(field[3], "100% yield")) {
            ck_assert_msg(near(wafer / gross, usd, 0.05 / usd), "%s: %g", field[0], wafer / gross);
            ck_assert_msg(near(gross, number_after(field[6], "gross "), 0.05 / gross), "%s: %g dies", field[0], gross);
        } else {
            double defects = area / 100 * priced(&csv, "defect density", field[1]);
            double nb = sy_yield(SY_YIELD_NEGATIVE_BINOMIAL, defects, 3);
            ck_assert_msg(near(wafer / gross / nb, usd, 0.05 / usd), "%s: %g", field[0], wafer / gross / nb);
            ck_assert_double_lt(fabs(nb - number_after(field[6], "Y nb ")), 0.00051);
            ck_assert_double_lt(fabs(sy_yield(SY_YIELD_POISSON, defects, 3) - number_after(field[6], "Poisson ")),
                                0.00051);
            ck_assert_double_lt(fabs(sy_yield(SY_YIELD_MURPHY, defects, 3) - number_after(field[6], "Murphy ")),
                                0.00051);
            ck_assert_double_lt(fabs(sy_yield(SY_YIELD_SEEDS, defects, 3) - number_after(field[6], "Seeds ")), 0.00051);
        }
        seen++;
    }
    ck_assert_uint_eq(seen, 16);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(the_good_dies_of_the_node_table_come_out)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv csv;
    load("process_nodes.csv", arena, &csv);
    ck_assert_uint_ge(csv.rows, 13);
    for (size_t i = 1; i < csv.rows; i++)
        for (int large = 0; large < 2; large++) {
            double area = large ? 400 : 100, wafer = strtod(csv.row[i].field[1], NULL);
            double defects = strtod(csv.row[i].field[3], NULL) * area;
            double good = sy_dies_per_wafer(area, 300, 0, 0) * sy_yield(SY_YIELD_NEGATIVE_BINOMIAL, defects, 3);
            ck_assert_double_lt(fabs(good - strtod(csv.row[i].field[9 + 2 * large], NULL)), 0.00501);
            ck_assert_double_lt(fabs(wafer / good - strtod(csv.row[i].field[10 + 2 * large], NULL)), 0.00501);
        }
    sy_arena_destroy(arena);
}
END_TEST

/* The four models are ordered by how much the density varies, share their limit, and their slope at no defects is -1.
 */
START_TEST(more_clustering_gives_more_good_dies)
{
    for (double defects = 0.001; defects < 30; defects *= 1.7) {
        double poisson = sy_yield(SY_YIELD_POISSON, defects, 0), murphy = sy_yield(SY_YIELD_MURPHY, defects, 0);
        double seeds = sy_yield(SY_YIELD_SEEDS, defects, 0);
        ck_assert_double_lt(poisson, murphy);
        ck_assert_double_lt(murphy, seeds);
        ck_assert(near(sy_yield(SY_YIELD_NEGATIVE_BINOMIAL, defects, 1), seeds, 1e-14));
        ck_assert(near(sy_yield(SY_YIELD_NEGATIVE_BINOMIAL, defects, 1e9), poisson, 1e-6));
        double last = poisson;
        for (double alpha = 200; alpha > 0.1; alpha /= 2) {
            double now = sy_yield(SY_YIELD_NEGATIVE_BINOMIAL, defects, alpha);
            ck_assert_double_gt(now, last);
            last = now;
        }
    }
    for (int model = 0; model < SY_YIELD_MODELS; model++) {
        ck_assert_double_eq(sy_yield((enum sy_yield_model)model, 0, 3), 1);
        ck_assert(near(1 - sy_yield((enum sy_yield_model)model, 1e-6, 3), 1e-6, 1e-5));
    }
}
END_TEST

/* At least m of n, by inclusion and exclusion over the yield of every number of cores: exact, and useless for many. */
static double excluded(enum sy_yield_model model, double core, double rest, uint32_t n, uint32_t m, double alpha)
{
    double sum = 0;
    for (uint32_t j = m; j <= n; j++) {
        double ways = 1;
        for (uint32_t i = 0; i < j; i++)
            ways *= (double)(n - i) / (i + 1);
        for (uint32_t i = 0; i < m - 1; i++)
            ways *= (double)(j - 1 - i) / (i + 1);
        sum += ((j - m) % 2 ? -1 : 1) * ways * sy_yield(model, rest + core * j, alpha);
    }
    return sum;
}

START_TEST(harvesting_is_the_exact_sum_under_every_model)
{
    static const double alphas[] = {0.1, 0.5, 1, 3, 10, 100};
    for (int model = 0; model < SY_YIELD_MODELS; model++)
        for (uint32_t n = 2; n <= 8; n++)
            for (uint32_t m = 1; m <= n; m++)
                for (double defects = 0.02; defects < 10; defects *= 3)
                    for (int a = 0; a < 6; a++) {
                        double core = 0.6 * defects / n, rest = 0.4 * defects;
                        double want = excluded((enum sy_yield_model)model, core, rest, n, m, alphas[a]);
                        double got = sy_yield_harvested((enum sy_yield_model)model, core, rest, n, m, alphas[a]);
                        ck_assert_msg(near(got, want, 1e-9), "model %d, %u of %u, %g: %.15g, %.15g", model, m, n,
                                      defects, got, want);
                    }
}
END_TEST

START_TEST(fewer_needed_cores_never_lower_the_yield_and_the_ends_are_known)
{
    for (int model = 0; model < SY_YIELD_MODELS; model++) {
        double last = 0;
        for (uint32_t needed = 128; needed > 0; needed--) {
            double now = sy_yield_harvested((enum sy_yield_model)model, 0.01, 0.3, 128, needed, 3);
            ck_assert_double_ge(now, last - 1e-12);
            last = now;
        }
        ck_assert(near(sy_yield_harvested((enum sy_yield_model)model, 0.01, 0.3, 128, 128, 3),
                       sy_yield((enum sy_yield_model)model, 1.58, 3), 1e-14));
        /* With enough spares only the rest matters. */
        ck_assert(near(last, sy_yield((enum sy_yield_model)model, 0.3, 3), 1e-6));
    }
}
END_TEST

/* Dies are laid on a grid, every offset of it tried: the formula stays near the best count for small dies. */
START_TEST(dies_per_wafer_is_near_a_count_on_a_grid)
{
    for (double side = 3; side < 22; side += 2.3) {
        uint32_t best = 0;
        for (int dx = 0; dx < 8; dx++)
            for (int dy = 0; dy < 8; dy++) {
                uint32_t count = 0;
                for (int i = -60; i <= 60; i++)
                    for (int j = -60; j <= 60; j++) {
                        double x = fabs((i + dx / 8.0) * side + side / 2) + side / 2;
                        double y = fabs((j + dy / 8.0) * side + side / 2) + side / 2;
                        count += x * x + y * y <= 150 * 150;
                    }
                best = count > best ? count : best;
            }
        double formula = sy_dies_per_wafer(side * side, 300, 0, 0);
        ck_assert_msg(formula < 1.02 * best && formula > 0.9 * best, "%g mm: %g, a grid has %u", side, formula, best);
        ck_assert_double_lt(sy_dies_per_wafer(side * side, 300, 3, 0), formula);
        ck_assert_double_lt(sy_dies_per_wafer(side * side, 300, 0, 0.1), formula);
        ck_assert(near(sy_dies_per_wafer(side * side, 300, 0, 0.5),
                       sy_dies_per_wafer((side + 0.5) * (side + 0.5), 300, 0, 0), 1e-12));
    }
    ck_assert_double_eq(sy_dies_per_wafer(70000, 300, 0, 0), 0);
    ck_assert_double_eq(sy_dies_per_wafer(100, 300, 150, 0), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("yield");
    tcase_add_test(tcase, the_computed_rows_of_the_reference_come_out);
    tcase_add_test(tcase, the_good_dies_of_the_node_table_come_out);
    tcase_add_test(tcase, more_clustering_gives_more_good_dies);
    tcase_add_test(tcase, harvesting_is_the_exact_sum_under_every_model);
    tcase_add_test(tcase, fewer_needed_cores_never_lower_the_yield_and_the_ends_are_known);
    tcase_add_test(tcase, dies_per_wafer_is_near_a_count_on_a_grid);
    return run_case("yield", tcase);
}
