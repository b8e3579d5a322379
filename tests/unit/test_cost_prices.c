/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped prices are those of their sources, complete and marked; mistakes in tables are answered. */
#include "arch/cost.h"

#include <math.h>

#include "arch/tree.h"
#include "sim/base/csv.h"
#include "tests/unit/arch_support.h"

static struct log_sink sink;
static struct sy_cost_table *table;
static struct scratch scratch;

static void setup(void)
{
    log_start(&sink);
    scratch_start(&scratch);
}

static void teardown(void)
{
    sy_cost_table_destroy(table);
    table = NULL;
    scratch_end(&scratch);
    log_end(&sink);
}

static enum sy_status load(struct sy_cost_sources sources)
{
    sources.data_dir = data_dir();
    return sy_cost_table_load(&sources, &table, &sink.diag);
}

static struct sy_sourced look(const char *item, double node)
{
    struct sy_sourced figure;
    ck_assert_msg(sy_figure_lookup(&table->figures, item, node, &figure) == SY_OK, "%s", item);
    return figure;
}

START_TEST(every_price_is_there_with_a_source_and_a_confidence)
{
    ck_assert_msg(load((struct sy_cost_sources){0}) == SY_OK, "%s", log_text(&sink));
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        struct sy_sourced figure;
        bool priced = sy_cost_items[i].flags & SY_COST_PRICED;
        enum sy_status status = sy_figure_lookup(&table->figures, sy_cost_items[i].name, 7, &figure);
        ck_assert_msg(status == (priced ? SY_OK : SY_UNSUPPORTED), "%s", sy_cost_items[i].name);
    }
    for (uint32_t i = 0; i < table->figures.rows; i++) {
        const struct sy_figure_row *row = &table->figures.row[i];
        ck_assert_msg(row->source && *row->source, "%s", row->item);
        ck_assert_msg(row->confidence && *row->confidence, "%s", row->item);
        /* What has no range is no price: a choice or a definition. */
        bool fixed =
            !strcmp(row->item, "wafer_mm") || !strcmp(row->item, "dies_per_chip") || !strcmp(row->item, "months_late");
        ck_assert_msg(fixed || row->low < row->high, "%s has no range", row->item);
    }
}
END_TEST

/* Item of the reference and what it is called here. */
static const char *item_of(const char *reference)
{
    static const char *const names[][2] = {{"wafer price 300 mm", "wafer_usd"},
                                           {"mask set", "mask_set_usd"},
                                           {"defect density", "defect_density_cm2"},
                                           {"licensed IP", "licensed_ip_usd"},
                                           {"flip chip package design", "package_design_usd"},
                                           {"yield cluster parameter alpha", "cluster_alpha"},
                                           {"HBM2E", "hbm2_usd_gb"},
                                           {"DDR5", "ddr_usd_gb"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i][0], reference))
            return names[i][1];
    return NULL;
}

START_TEST(prices_are_those_of_the_sources)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *path = sy_arena_printf(arena, "%s/tests/golden/cost_reference.csv", data_dir()), *text;
    size_t length;
    struct sy_csv csv;
    uint32_t read = 0, recalled = 0;
    ck_assert_int_eq(load((struct sy_cost_sources){0}), SY_OK);
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "cost_reference.csv", &csv, NULL), SY_OK);
    for (size_t i = 1; i < csv.rows; i++) {
        char **field = csv.row[i].field, *end;
        const char *item = item_of(field[0]);
        double value = strtod(field[2], &end), node = *field[1] ? strtod(field[1], NULL) : 7;
        if (!item)
            continue;
        struct sy_sourced figure = look(item, node);
        ck_assert_str_eq(figure.rule, "as sourced");
        if (!strcmp(field[5], "read")) {
            ck_assert_msg(fabs(figure.value - value) <= 1e-9 * value, "%s %s: %g", field[0], field[1], figure.value);
            read++;
        } else {
            ck_assert_msg(sy_confidence_is_low(figure.row->confidence), "%s %s is recalled", field[0], field[1]);
            recalled++;
        }
    }
    ck_assert_uint_ge(read, 50);
    ck_assert_uint_ge(recalled, 2);
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(every_incumbent_can_be_priced_and_rated)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    const char *const *names;
    uint32_t count;
    ck_assert_int_eq(sy_tree_list(arena, data_dir(), "arch/cost/incumbents", &names, &count), SY_OK);
    ck_assert_uint_ge(count, 5);
    for (uint32_t i = 0; i < count; i++) {
        static const char *const needed[] = {"incumbent_tdp_w",         "incumbent_busy_w",
                                             "incumbent_16bit_tops",    "incumbent_memory_gbs",
                                             "incumbent_compute_share", "incumbent_memory_share"};
        struct sy_sourced figure;
        ck_assert_msg(load((struct sy_cost_sources){.incumbent = names[i]}) == SY_OK, "%s", log_text(&sink));
        ck_assert_str_eq(table->incumbent, names[i]);
        for (size_t n = 0; n < sizeof needed / sizeof needed[0]; n++)
            look(needed[n], 0);
        ck_assert(sy_figure_lookup(&table->figures, "incumbent_usd", 0, &figure) == SY_OK ||
                  sy_figure_lookup(&table->figures, "incumbent_rent_usd_hour", 0, &figure) == SY_OK);
        for (uint32_t m = 0; m < table->measurements; m++)
            ck_assert(table->measured[m].units_per_s > 0 && table->measured[m].source);
        sy_cost_table_destroy(table);
        table = NULL;
    }
    sy_arena_destroy(arena);
}
END_TEST

/* Prices < tables in their order < incumbent < example < set; each takes the place of all rows of its items. */
START_TEST(later_tables_win_item_by_item)
{
    const char *first =
        scratch_file(&scratch, "first.yaml",
                     "name: first\nrows:\n"
                     "  - {item: wafer_usd, node: 7 nm, figure: 10, low: 5, high: 20, source: me, confidence: read}\n"
                     "  - {item: pue, figure: 2, low: 2, high: 2, source: me, confidence: read}\n");
    const char *second =
        scratch_file(&scratch, "second.yaml",
                     "name: second\nrows:\n  - {item: pue, figure: 3, low: 3, high: 3, source: me, confidence: read}\n"
                     "  - {item: board_usd, figure: 1, low: 1, high: 1, source: me, confidence: read}\n");
    const char *const tables[] = {first, second, NULL};
    const char *const set[] = {"board_usd=7:8:9", "discount_share=0.5", NULL};
    ck_assert_msg(load((struct sy_cost_sources){.tables = tables, .example = "billion", .set = set}) == SY_OK, "%s",
                  log_text(&sink));
    ck_assert_double_eq(look("wafer_usd", 7).value, 10);
    ck_assert_double_eq(look("wafer_usd", 5).value, 10); /* the only row left */
    ck_assert(look("wafer_usd", 5).extrapolated);
    ck_assert_double_eq(look("pue", 7).value, 3);
    ck_assert_double_eq(look("board_usd", 7).low, 7);
    ck_assert_double_eq(look("board_usd", 7).value, 8);
    ck_assert_double_eq(look("board_usd", 7).high, 9);
    ck_assert_double_eq(look("spend_usd_year", 7).value, 1e9); /* of the example */
    ck_assert_double_eq(look("discount_share", 7).value, 0.5); /* over the example's 0 */
    ck_assert_double_eq(look("server_usd", 7).value, 3500);    /* untouched */
}
END_TEST

static void refused(const char *yaml, const char *message)
{
    const char *const tables[] = {scratch_file(&scratch, "bad.yaml", yaml), NULL};
    sy_buf_clear(&sink.text);
    ck_assert_int_eq(load((struct sy_cost_sources){.tables = tables}), SY_INPUT);
    ck_assert_ptr_null(table);
    ck_assert_msg(strstr(log_text(&sink), message) != NULL, "no '%s' in\n%s", message, log_text(&sink));
}

START_TEST(mistakes_in_a_table_are_answered_with_their_place)
{
    refused("name: x\nrows:\n  - {item: wafer_uds, figure: 1, low: 1, high: 1, source: me, confidence: read}\n",
            "bad.yaml:3:5: rows.0: the cost model has no item 'wafer_uds'; did you mean wafer_usd?");
    refused("name: x\nrows:\n  - {item: pue, figure: 0.5, low: 0.5, high: 0.5, source: me, confidence: read}\n",
            "bad.yaml:3:5: rows.0: pue goes from 1 to 5");
    refused("name: x\nrows:\n  - {item: pue, figure: 2, low: 3, high: 4, source: me, confidence: read}\n",
            "low, figure and high must rise");
    refused("name: x\nrows:\n  - {item: pue, node: 7 nm, figure: 2, low: 2, high: 2, source: me, confidence: read}\n",
            "pue does not depend on the node");
    refused("name: x\nrows:\n  - {item: pue, figure: 2, low: 2, high: 2, source: me, confidence: read}\n  - {item: "
            "pue, figure: 2, low: 2, high: 2, source: me, confidence: read}\n",
            "the same item and node");
    refused("name: x\nrows:\n  - {item: pue, figure: 2, low: 2, high: 2, source: me, confidence: read, sauce: me}\n",
            "sauce");
    refused("name: x\nrows: []\n", "rows");
    refused("name: x\nrows:\n  - {item: pue, figure: 2, low: 2, high: 2, source: me, confidence: read}\nmeasured:\n  - "
            "{workload: a, units_per_s: -1, source: me, confidence: read}\n",
            "units_per_s");
}
END_TEST

START_TEST(the_shares_of_a_mix_sum_to_one)
{
    static const char row[] =
        "name: x\nrows:\n  - {item: pue, figure: 2, low: 2, high: 2, source: me, confidence: read}\n";
    char text[600];
    snprintf(text, sizeof text,
             "%smix:\n  - {name: a, share: 0.5, source: me, confidence: read}\n"
             "  - {name: b, share: 0.4, source: me, confidence: read}\n",
             row);
    refused(text, "bad.yaml:5:3: mix: the shares sum to 0.9; expected 1");
    snprintf(text, sizeof text, "%smix:\n  - {name: a, share: 1, growth: -1, source: me, confidence: read}\n", row);
    refused(text, "growth");
    ck_assert_int_eq(load((struct sy_cost_sources){.example = "moving-models"}), SY_OK);
    ck_assert_uint_eq(table->classes, 3);
}
END_TEST

START_TEST(mistakes_in_single_items_are_answered)
{
    static const char *const bad[][2] = {{"pue", "'pue' is not ITEM=VALUE"},
                                         {"pue=", "is not ITEM=VALUE"},
                                         {"=3", "is not ITEM=VALUE"},
                                         {"pue=x", "is not ITEM=VALUE"},
                                         {"pue=nan", "is not ITEM=VALUE"},
                                         {"pue=1:2", "is not ITEM=VALUE"},
                                         {"pue=2:1:3", "rising numbers"},
                                         {"pue=1:2:3:4", "is not ITEM=VALUE"},
                                         {"pue=9", "pue goes from 1 to 5"},
                                         {"peu=1.1", "no item 'peu'"},
                                         {"utilization=0", "utilization goes from"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const set[] = {bad[i][0], NULL};
        sy_buf_clear(&sink.text);
        ck_assert_int_eq(load((struct sy_cost_sources){.set = set}), SY_INPUT);
        ck_assert_msg(strstr(log_text(&sink), bad[i][1]) != NULL, "%s: no '%s' in %s", bad[i][0], bad[i][1],
                      log_text(&sink));
    }
    sy_buf_clear(&sink.text);
    ck_assert_int_ne(load((struct sy_cost_sources){.incumbent = "a10"}), SY_OK);
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "did you mean 'a100'"));
}
END_TEST

/* `test_cost_prices --print` prints the reference for pasting. */
START_TEST(the_documented_items_are_those_of_the_program)
{
    struct sy_buf reference = {0};
    char path[400], *page;
    size_t length;
    snprintf(path, sizeof path, "%s/docs/formats-cost.md", data_dir());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &page, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_cost_reference(&reference), SY_OK);
    ck_assert_msg(strstr(page, reference.data) != NULL, "docs/formats-cost.md is not what --print prints");
    free(page);
    sy_buf_free(&reference);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct sy_buf out = {0};
        (void)sy_cost_reference(&out);
        fputs(out.data, stdout);
        sy_buf_free(&out);
        return 0;
    }
    TCase *tcase = tcase_create("prices");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_price_is_there_with_a_source_and_a_confidence);
    tcase_add_test(tcase, prices_are_those_of_the_sources);
    tcase_add_test(tcase, every_incumbent_can_be_priced_and_rated);
    tcase_add_test(tcase, later_tables_win_item_by_item);
    tcase_add_test(tcase, mistakes_in_a_table_are_answered_with_their_place);
    tcase_add_test(tcase, the_shares_of_a_mix_sum_to_one);
    tcase_add_test(tcase, mistakes_in_single_items_are_answered);
    tcase_add_test(tcase, the_documented_items_are_those_of_the_program);
    return run_case("cost prices", tcase);
}
