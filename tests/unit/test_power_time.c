/* SPDX-License-Identifier: Apache-2.0 */
/* Power over time sums to the energy; the thermal model against its closed forms. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/include/systole.h"
#include "sim/stats/power_time.h"
#include "sim/systole_internal.h"
#include "tests/unit/run_support.h"

static struct sy_result result;
static struct sy_layer_result layer[2];

/* Two layers of so many cycles at so many watts, a cycle a second. */
static void two_layers(uint64_t first, double first_w, uint64_t second, double second_w)
{
    if (result.arena)
        sy_arena_destroy(result.arena);
    memset(&result, 0, sizeof result);
    memset(layer, 0, sizeof layer);
    result.arena = sy_arena_create(NULL, 0);
    layer[0].cycles = first;
    layer[1].cycles = second;
    layer[0].energy_j = first_w * (double)first;
    layer[1].energy_j = second_w * (double)second;
    result.layer = layer;
    result.layers = 2;
    result.cycles = first + second;
    result.seconds = (double)result.cycles;
    result.energy_j = layer[0].energy_j + layer[1].energy_j;
}

static void teardown(void)
{
    if (result.arena)
        sy_arena_destroy(result.arena);
    result.arena = NULL;
}

START_TEST(the_intervals_energies_sum_to_the_layers)
{
    two_layers(100, 7, 37, 3);
    const struct sy_power none = {0};
    double sum = 0;
    ck_assert_int_eq(sy_power_over_time(&result, &none, 0), SY_OK);
    ck_assert_uint_eq(result.power_intervals, SY_POWER_INTERVALS);
    for (uint32_t i = 0; i < result.power_intervals; i++) {
        double watts = result.power_interval[i].power_w;
        sum += watts * result.power_interval[i].seconds;
        ck_assert(watts >= 3 - 1e-9 && watts <= 7 + 1e-9);
    }
    ck_assert_double_eq_tol(sum, result.energy_j, 1e-9 * sum);
    ck_assert_double_eq_tol(result.power_interval[0].power_w, 7, 1e-9);
    ck_assert_double_eq_tol(result.power_interval[63].power_w, 3, 1e-9);
    ck_assert(!result.has_thermal);
}
END_TEST

START_TEST(even_power_settles_at_ambient_plus_power_times_resistance)
{
    two_layers(10, 20, 10, 20);
    const struct sy_power power = {.thermal_k_per_w = 1.5, .thermal_j_per_k = 2, .ambient_c = 30, .limit_c = 200};
    ck_assert_int_eq(sy_power_over_time(&result, &power, 5), SY_OK);
    ck_assert_double_eq_tol(result.peak_temperature_c, 60, 1e-4);
    ck_assert_double_eq_tol(result.throttled_s, result.seconds, 1e-9);
}
END_TEST

/* A square wave of power through R and C: the temperature at the end of the high half, in its steady cycle. */
START_TEST(a_square_wave_of_power_gives_the_closed_form_ripple)
{
    two_layers(8, 40, 8, 0);
    const struct sy_power power = {.thermal_k_per_w = 1, .thermal_j_per_k = 10, .ambient_c = 0, .limit_c = 200};
    ck_assert_int_eq(sy_power_over_time(&result, &power, 0), SY_OK);
    double decay = exp(-8.0 / 10), peak = 40 * (1 - decay) / (1 - decay * decay);
    ck_assert_double_eq_tol(result.peak_temperature_c, peak, 1e-4);
    ck_assert_double_eq_tol(result.power_interval[31].temperature_c, peak, 1e-4);
    ck_assert_double_eq_tol(result.power_interval[63].temperature_c, peak * decay, 1e-4);
}
END_TEST

/* Steady under the limit: unclocked + clocked / slowdown = (limit - ambient) / R. */
START_TEST(throttling_stretches_the_run_to_what_can_be_cooled)
{
    two_layers(10, 50, 10, 50);
    const struct sy_power power = {.thermal_k_per_w = 2, .thermal_j_per_k = 1, .ambient_c = 40, .limit_c = 100};
    ck_assert_int_eq(sy_power_over_time(&result, &power, 10), SY_OK);
    ck_assert_double_le(result.peak_temperature_c, 100 + 1e-6);
    ck_assert_double_eq_tol(result.throttled_s / result.seconds, (50.0 - 10) / (60.0 / 2 - 10), 1e-3);
    ck_assert(!result.overheats);
}
END_TEST

START_TEST(leakage_beyond_the_cooling_cannot_be_throttled_away)
{
    two_layers(10, 50, 10, 50);
    const struct sy_power power = {.thermal_k_per_w = 2, .thermal_j_per_k = 1, .ambient_c = 40, .limit_c = 60};
    ck_assert_int_eq(sy_power_over_time(&result, &power, 20), SY_OK);
    ck_assert(result.overheats);
}
END_TEST

START_TEST(a_run_reports_power_over_time_and_its_thermal_limit)
{
    static const char *const set[] = {"power.thermal_k_per_w=2.5", NULL};
    struct systole_context context = {.struct_size = sizeof context, .data_dir = getenv("SYSTOLE_DATA")};
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *run = NULL;
    struct systole_text text;
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    double celsius, seconds;
    options.kernel = "heap";
    ck_assert_int_eq(systole_workload_load(&context, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(&context, "tpu-v1", set, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&context, chip, workload, &options, &run), SYSTOLE_OK);
    ck_assert_int_eq(systole_result_figure(run, "peak_temperature_c", &celsius), SYSTOLE_OK);
    ck_assert_int_eq(systole_result_figure(run, "throttled_s", &seconds), SYSTOLE_OK);
    ck_assert_double_le(celsius, 95 + 1e-6);
    ck_assert_double_ge(seconds, run->result->seconds);
    ck_assert_int_eq(systole_result_format(&context, run, "json", 1, &text), SYSTOLE_OK);
    ck_assert_ptr_nonnull(strstr(text.data, "\"power\""));
    ck_assert_ptr_nonnull(strstr(text.data, "\"temperature_c\""));
    systole_text_free(&text);
    systole_result_free(run);
    systole_chip_free(chip);
    systole_workload_free(workload);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("power_time");
    TCase *tests = tcase_create("power_time");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, the_intervals_energies_sum_to_the_layers);
    tcase_add_test(tests, even_power_settles_at_ambient_plus_power_times_resistance);
    tcase_add_test(tests, a_square_wave_of_power_gives_the_closed_form_ripple);
    tcase_add_test(tests, throttling_stretches_the_run_to_what_can_be_cooled);
    tcase_add_test(tests, leakage_beyond_the_cooling_cannot_be_throttled_away);
    tcase_add_test(tests, a_run_reports_power_over_time_and_its_thermal_limit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
