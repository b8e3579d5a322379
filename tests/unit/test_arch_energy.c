/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/energy.h"

#include <math.h>

#include "arch/tree.h"
#include "sim/base/csv.h"
#include "tests/unit/arch_support.h"
#include "workloads/dtype.h"

static struct log_sink sink;
static struct sy_energy_table *table;

static void setup(void)
{
    log_start(&sink);
    ck_assert_msg(sy_energy_load("default", data_dir(), &table, &sink.diag) == SY_OK, "%s", log_text(&sink));
}

static void teardown(void)
{
    sy_energy_destroy(table);
    log_end(&sink);
}

static struct sy_energy_cost look(const char *component, const char *action, uint64_t bytes, double node)
{
    struct sy_energy_cost cost;
    ck_assert_msg(sy_energy_lookup(table, component, action, bytes, node, &cost) == SY_OK, "%s %s", component, action);
    return cost;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* "int8 add" and the like: what a row of the golden table is called here. */
static bool name_of_item(const char *item, char component[32], char action[32], uint64_t *bytes)
{
    unsigned size;
    char unit[8], format[16], word[16];
    *bytes = 0;
    if (sscanf(item, "SRAM %u %7s 64b", &size, unit) == 2 && strstr(item, "64b")) {
        strcpy(component, "sram");
        strcpy(action, "read");
        *bytes = (uint64_t)size << (strcmp(unit, "MiB") == 0 ? 20 : 10);
        return true;
    }
    if (sscanf(item, "%15s %15s", format, word) == 2 && !strstr(item, "area") &&
        (strcmp(word, "add") == 0 || strcmp(word, "mult") == 0)) {
        strcpy(component, strcmp(word, "add") == 0 ? "add" : "multiply");
        strcpy(action, format);
        return true;
    }
    return false;
}

START_TEST(published_figures_come_back_at_their_own_node)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *path = sy_arena_printf(arena, "%s/tests/golden/energy_reference.csv", data_dir()), *text;
    size_t length;
    struct sy_csv csv;
    uint32_t seen = 0;
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "energy_reference.csv", &csv, &sink.diag), SY_OK);
    for (size_t i = 1; i < csv.rows; i++) {
        char component[32], action[32];
        uint64_t bytes;
        if (csv.row[i].fields < 6 || !name_of_item(csv.row[i].field[0], component, action, &bytes))
            continue;
        double node = strtod(csv.row[i].field[1], NULL), published = strtod(csv.row[i].field[2], NULL);
        struct sy_energy_cost cost = look(component, action, bytes, node);
        ck_assert_msg(near(cost.pj, published), "%s at %g nm: %g pJ, published %g", csv.row[i].field[0], node, cost.pj,
                      published);
        ck_assert(!cost.extrapolated);
        ck_assert_ptr_eq(cost.below, cost.above);
        ck_assert_str_eq(cost.rule, "as sourced");
        seen++;
    }
    ck_assert_uint_ge(seen, 24);
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(a_mac_is_its_multiplier_plus_the_adder_of_its_accumulator)
{
    static const char *const formats[] = {"int8", "int16", "int32", "fp16", "bf16", "fp32"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        for (int node = 7; node <= 45; node += 38) {
            const char *sum = formats[i][0] == 'i' ? "int32" : "fp32";
            double parts = look("multiply", formats[i], 0, node).pj + look("add", sum, 0, node).pj;
            ck_assert_msg(near(look("mac", formats[i], 0, node).pj, parts), "%s at %d nm", formats[i], node);
        }
}
END_TEST

START_TEST(every_format_every_level_kind_and_every_row_can_be_looked_up)
{
    for (uint32_t i = 0; i < SY_DTYPE_NATIVE_COUNT; i++)
        (void)look("mac", sy_dtypes[i].name, 0, 16);
    static const char *const levels[] = {"sram", "dram", "pcie"};
    for (size_t i = 0; i < 3; i++) {
        (void)look(levels[i], "read", 65536, 16);
        (void)look(levels[i], "write", 65536, 16);
    }
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_energy_row *row = &table->row[i];
        struct sy_energy_cost cost = look(row->component, row->action, row->bytes, row->node_nm);
        ck_assert(near(cost.pj, row->value_pj) && near(cost.low_pj, row->low_pj) && near(cost.high_pj, row->high_pj));
        ck_assert(row->source && *row->source && row->confidence);
        ck_assert_uint_eq(cost.bits, row->bits);
    }
    struct sy_energy_cost cost;
    ck_assert_int_eq(sy_energy_lookup(table, "mac", "fp1", 0, 7, &cost), SY_UNSUPPORTED);
    ck_assert_int_eq(sy_energy_lookup(table, "core", "read", 0, 7, &cost), SY_UNSUPPORTED);
    ck_assert_int_eq(sy_energy_lookup(table, "mac", "int8", 0, (double)NAN, &cost), SY_UNSUPPORTED);
}
END_TEST

/* Between two anchors a figure lies between them, and moves from one to the other without turning back. */
START_TEST(figures_between_anchors_are_monotone_and_inside)
{
    uint64_t state = 7;
    for (int i = 0; i < 4000; i++) {
        double a = 7 + (double)(next_random(&state) % 3800) / 100, b = 7 + (double)(next_random(&state) % 3800) / 100;
        uint64_t size = 8192 + next_random(&state) % 1040384, other = 8192 + next_random(&state) % 1040384;
        struct sy_energy_cost low = look("mac", "int8", 0, fmin(a, b)), high = look("mac", "int8", 0, fmax(a, b));
        EXPECT(low.pj <= high.pj && low.pj >= 0.1 - 1e-12 && high.pj <= 0.3 + 1e-12);
        EXPECT(!low.extrapolated && low.low_pj <= low.pj && low.pj <= low.high_pj);
        low = look("sram", "read", size < other ? size : other, a);
        high = look("sram", "read", size < other ? other : size, a);
        EXPECT(low.pj <= high.pj && low.pj >= 7.5 - 1e-9 && high.pj <= 100 + 1e-9 && !low.extrapolated);
        low = look("sram", "write", size, fmin(a, b));
        high = look("sram", "write", size, fmax(a, b));
        EXPECT(low.pj <= high.pj);
    }
    /* the geometric mean of two nodes gives the geometric mean of their figures */
    ck_assert(near(look("mac", "int8", 0, sqrt(7.0 * 45.0)).pj, sqrt(0.1 * 0.3)));
    ck_assert(near(look("sram", "read", 16384, 45).pj, sqrt(10.0 * 20.0)));
}
END_TEST

START_TEST(outside_the_anchors_the_nearest_figure_is_used_and_flagged)
{
    struct sy_energy_cost cost = look("mac", "int8", 0, 5);
    ck_assert(cost.extrapolated && near(cost.pj, 0.1));
    ck_assert_str_eq(cost.rule, "nearest node, extrapolated");
    cost = look("mac", "int8", 0, 90);
    ck_assert(cost.extrapolated && near(cost.pj, look("mac", "int8", 0, 65).pj));
    cost = look("sram", "read", UINT64_C(24) << 20, 45);
    ck_assert(cost.extrapolated && near(cost.pj, 100));
    ck_assert_str_eq(cost.rule, "nearest capacity, extrapolated");
    cost = look("sram", "leak_kib_s", 0, 7); /* CACTI's 22 nm leakage is not carried to 7 nm */
    ck_assert(cost.extrapolated && near(cost.pj, 590e3));
    cost = look("hbm2", "read", 0, 3); /* off-chip memory does not depend on the chip's node */
    ck_assert(!cost.extrapolated && near(cost.pj, 3.95));
    ck_assert_uint_eq(cost.bits, 1);
}
END_TEST

struct refusal {
    const char *rows, *message;
};
#define ROW_HEAD "component: mac, action: int8, bits: 8, source: s, confidence: read, scaling: logic, "

START_TEST(broken_tables_are_refused_with_the_reason)
{
    static const struct refusal cases[] = {
        {"{" ROW_HEAD "node: 45 nm, energy: 3 pJ, low: 4 pJ, high: 5 pJ}",
         "low, energy and high must rise in this order"},
        {"{" ROW_HEAD "energy: 3 pJ, low: 2 pJ, high: 5 pJ}", "scaling logic needs a node"},
        {"{" ROW_HEAD "node: 45, energy: 3 pJ, low: 2 pJ, high: 5 pJ}", "rows.0.node: found '45', a unit is missing"},
        {"{" ROW_HEAD "node: 45 nm, energy: 3 pJ, low: 2 pJ}", "rows.0.high is missing"},
        {"{" ROW_HEAD "node: 45 nm, energy: 3 pJ, low: 2 pJ, high: 5 pJ}, {" ROW_HEAD
         "node: 45 nm, energy: 3 pJ, low: 2 pJ, high: 5 pJ}",
         "the same component, action, capacity and node as row 0"},
        {"{component: mac, action: int8, bits: 8, scaling: logic, node: 45 nm, energy: 3 pJ, low: 2 pJ, high: 5 pJ}",
         "no source is given"},
    };
    struct scratch scratch;
    scratch_start(&scratch);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[600];
        struct sy_energy_table *broken;
        snprintf(text, sizeof text, "name: t\nrows: [%s]\n", cases[i].rows);
        sy_buf_clear(&sink.text);
        ck_assert_int_eq(sy_energy_load(scratch_file(&scratch, "t.yaml", text), NULL, &broken, &sink.diag), SY_INPUT);
        ck_assert_ptr_null(broken);
        ck_assert_msg(strstr(log_text(&sink), cases[i].message) != NULL, "case %zu: %s", i, log_text(&sink));
    }
    scratch_end(&scratch);
}
END_TEST

START_TEST(every_shipped_table_loads)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    const char *const *names;
    uint32_t count;
    ck_assert_int_eq(sy_tree_list(arena, data_dir(), "arch/energy", &names, &count), SY_OK);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_energy_table *one;
        ck_assert_msg(sy_energy_load(names[i], data_dir(), &one, &sink.diag) == SY_OK, "%s", log_text(&sink));
        ck_assert_str_eq(one->name, names[i]);
        sy_energy_destroy(one);
    }
    sy_arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("energy");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, published_figures_come_back_at_their_own_node);
    tcase_add_test(tcase, a_mac_is_its_multiplier_plus_the_adder_of_its_accumulator);
    tcase_add_test(tcase, every_format_every_level_kind_and_every_row_can_be_looked_up);
    tcase_add_test(tcase, figures_between_anchors_are_monotone_and_inside);
    tcase_add_test(tcase, outside_the_anchors_the_nearest_figure_is_used_and_flagged);
    tcase_add_test(tcase, broken_tables_are_refused_with_the_reason);
    tcase_add_test(tcase, every_shipped_table_loads);
    return run_case("arch/energy", tcase);
}
