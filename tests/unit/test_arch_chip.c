/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/chip.h"

#include <math.h>

#include "arch/chip_schema.h"
#include "arch/tree.h"
#include "sim/base/csv.h"
#include "tests/unit/arch_support.h"

static struct log_sink sink;
static struct sy_chip_options options;

static void setup(void)
{
    log_start(&sink);
    options = (struct sy_chip_options){.data_dir = data_dir()};
}

static void teardown(void)
{
    log_end(&sink);
}

static struct sy_chip *load(const char *name)
{
    struct sy_chip *chip = NULL;
    ck_assert_msg(sy_chip_load(name, &options, &chip, &sink.diag) == SY_OK, "%s: %s", name, log_text(&sink));
    ck_assert_uint_eq(sink.diag.errors, 0);
    return chip;
}

static void each_preset(void (*check)(const char *name))
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    const char *const *names;
    uint32_t count;
    ck_assert_int_eq(sy_tree_list(arena, data_dir(), "arch/chips", &names, &count), SY_OK);
    ck_assert_uint_gt(count, 1);
    for (uint32_t i = 0; i < count; i++)
        check(names[i]);
    sy_arena_destroy(arena);
}

/* ---- presets ---- */

/* Which row of the golden table a preset is, and the formats its peak is stated for. */
static const struct {
    const char *preset, *row;
    enum sy_dtype format;
} golden_rows[] = {
    {"tpu-v1", "TPU v1", SY_INT8},
    {"gemmini", "Gemmini default", SY_INT8},
};

static double chip_peak_tops(const struct sy_chip *chip, enum sy_dtype format)
{
    uint64_t num, den;
    ck_assert(sy_chip_peak_macs(chip, format, format, &num, &den));
    return 2.0 * (double)num / (double)den * (double)chip->clock[0].frequency.num /
           (double)chip->clock[0].frequency.den / 1e12;
}

START_TEST(presets_have_the_published_peak)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *path = sy_arena_printf(arena, "%s/tests/golden/chips.csv", data_dir()), *text;
    size_t length;
    struct sy_csv csv;
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "chips.csv", &csv, &sink.diag), SY_OK);
    int name = sy_csv_column(&csv, "chip"), peak = sy_csv_column(&csv, "array_peak_tops_check");
    for (size_t i = 0; i < sizeof golden_rows / sizeof golden_rows[0]; i++) {
        size_t row = 1;
        while (row < csv.rows && strcmp(csv.row[row].field[name], golden_rows[i].row) != 0)
            row++;
        ck_assert_uint_lt(row, csv.rows);
        struct sy_chip *chip = load(golden_rows[i].preset);
        double published = strtod(csv.row[row].field[peak], NULL);
        double ours = chip_peak_tops(chip, golden_rows[i].format);
        ck_assert_msg(fabs(ours / published - 1) < 5e-4, "%s: %g TOPS, published %g", golden_rows[i].preset, ours,
                      published);
        sy_chip_destroy(chip);
    }
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

static void check_sources(const char *name)
{
    struct sy_chip *chip = load(name);
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next)
        ck_assert_msg(figure->is_default || figure->descriptive || (figure->source && figure->confidence),
                      "%s: %s has no source or no confidence", name, figure->path);
    sy_chip_destroy(chip);
}

START_TEST(every_figure_of_every_preset_has_a_source_and_a_confidence)
{
    each_preset(check_sources);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("chip");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, presets_have_the_published_peak);
    tcase_add_test(tcase, every_figure_of_every_preset_has_a_source_and_a_confidence);
    return run_case("arch/chip", tcase);
}
