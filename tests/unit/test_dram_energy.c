/* SPDX-License-Identifier: Apache-2.0 */
/* DRAM energy from commands: DRAMsim3's own totals for the commands of our channel model, and what a run makes of them.
 */
#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_system.h"
#include "sim/include/systole.h"
#include "sim/stats/energy.h"
#include "sim/systole_internal.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

/* ---- against DRAMsim3 ---- */

static const char *cell(const struct sy_csv *csv, const struct sy_csv_row *row, const char *column)
{
    int index = sy_csv_column(csv, column);
    ck_assert_int_ge(index, 0);
    return (uint32_t)index < row->fields ? row->field[index] : "";
}

/* The joules of DRAMsim3's formula for the commands our model issues. */
static double modelled_pj(struct sy_arena *arena, const struct sy_csv *csv, const struct sy_csv_row *row)
{
    char name[64];
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    struct sy_dram_memory *memory;
    struct sy_dram_source source;
    struct sy_dram_run run;
    (void)snprintf(name, sizeof name, "%s-dramsim3", cell(csv, row, "device"));
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    ck_assert_int_eq(sy_dram_device_load(name, root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
    struct sy_dram_options options = {.channels = 1, .address_map = cell(csv, row, "address_mapping")};
    ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
    uint64_t requests = strtoull(cell(csv, row, "n_requests"), NULL, 10);
    ck_assert_int_eq(sy_dram_pattern(cell(csv, row, "pattern"), device->org.burst_bytes, requests, &source, NULL),
                     SY_OK);
    sy_dram_memory_run(memory, &source, &run);
    sy_dram_memory_destroy(memory);
    const struct sy_dram_power *power = &device->power;
    double ns = (double)device->clock_fs * 1e-6, active = (double)run.counts.active_clocks * ns;
    return (double)run.counts.activates * power->activate_pj + (double)run.counts.reads * power->read_pj +
           (double)run.counts.writes * power->write_pj + (double)run.counts.refreshes * power->refresh_pj +
           active * power->active_standby_mw + ((double)run.clocks * ns - active) * power->precharge_standby_mw;
}

START_TEST(the_commands_we_issue_cost_what_dramsim3_says)
{
    static const char *const patterns[] = {"seq_rd", "tile:16384", "rand_rd", "stride:16384:256"};
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv csv = {0};
    char path[512], *text = NULL;
    size_t length = 0;
    uint32_t compared = 0;
    (void)snprintf(path, sizeof path, "%s/tests/golden/dram_golden.csv", root());
    ck_assert_int_eq(sy_read_file(path, 1 << 24, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, path, &csv, NULL), SY_OK);
    for (size_t r = 1; r < csv.rows; r++) {
        const struct sy_csv_row *row = &csv.row[r];
        bool wanted = false;
        for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++)
            wanted = wanted || !strcmp(cell(&csv, row, "pattern"), patterns[p]);
        if (!wanted || !cell(&csv, row, "E_total_pJ")[0] || strcmp(cell(&csv, row, "channels"), "1") != 0 ||
            strcmp(cell(&csv, row, "n_requests"), "20000") != 0 || strcmp(cell(&csv, row, "inject_rate"), "0") != 0 ||
            strcmp(cell(&csv, row, "row_policy"), "OPEN") != 0)
            continue;
        double known = atof(cell(&csv, row, "E_total_pJ"));
        double own = modelled_pj(arena, &csv, row);
        ck_assert_msg(fabs(own / known - 1) < 0.005, "line %u: %g pJ, DRAMsim3 has %g", row->line, own, known);
        compared++;
    }
    ck_assert_uint_ge(compared, 20);
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

/* ---- in a run ---- */

static struct systole_context context;

static struct systole_result *run(const char *chip_name, const char *memory, const char *const *set,
                                  const char *const *set_energy)
{
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    context = (struct systole_context){.struct_size = sizeof context, .data_dir = root()};
    options.kernel = "heap";
    options.memory = memory;
    options.set_energy = set_energy;
    ck_assert_int_eq(systole_workload_load(&context, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(&context, chip_name, set, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&context, chip, workload, &options, &result), SYSTOLE_OK);
    systole_chip_free(chip);
    systole_workload_free(workload);
    return result;
}

static const struct sy_energy_item *item_of(const struct systole_result *result, const char *component,
                                            const char *action)
{
    for (uint32_t i = 0; i < result->result->energies; i++)
        if (!strcmp(result->result->energy[i].component, component) &&
            !strcmp(result->result->energy[i].action, action))
            return &result->result->energy[i];
    return NULL;
}

START_TEST(a_run_prices_commands_and_states_and_they_add_up)
{
    struct systole_result *result = run("tpu-v4i", "sampled", NULL, NULL);
    const struct sy_dram_stats *dram = &result->result->dram[0];
    const struct sy_energy_item *activate = item_of(result, "hbm", "activate");
    double layers = 0, time_ns = result->result->seconds * 1e9 * 16;
    ck_assert_ptr_nonnull(activate);
    ck_assert_ptr_null(item_of(result, "hbm", "read_byte"));
    ck_assert_uint_eq(activate->count, dram->activates);
    ck_assert_uint_eq(item_of(result, "hbm", "read_burst")->count, (dram->read_bytes + 63) / 64);
    ck_assert_uint_eq(item_of(result, "hbm", "interface_byte")->count, dram->read_bytes + dram->write_bytes);
    ck_assert_uint_gt(item_of(result, "hbm", "refresh")->count, 0);
    /* every channel is in one state at any time */
    ck_assert_double_eq_tol((double)(dram->active_ns + dram->standby_ns + dram->power_down_ns) / time_ns, 1, 1e-4);
    /* a stationary weight stream opens each row about once: rows of 1 KiB to 2 KiB */
    ck_assert_double_lt((double)activate->count * 1024, 1.5 * (double)dram->read_bytes);
    for (uint64_t i = 0; i < result->result->layers; i++)
        layers += result->result->layer[i].energy_j;
    ck_assert_double_eq_tol(layers / result->result->energy_j, 1, 1e-5);
    systole_result_free(result);
}
END_TEST

/* Iterations that analytic fidelity leaves out are counted by their bytes and their time. */
START_TEST(what_is_left_out_is_counted_all_the_same)
{
    struct systole_context own = {.struct_size = sizeof own, .data_dir = root()};
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result[2];
    static const char *const fidelities[] = {"event", "analytic"};
    ck_assert_int_eq(systole_workload_load(&own, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(&own, "gemmini", NULL, &chip), SYSTOLE_OK);
    for (int i = 0; i < 2; i++) {
        struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
        options.kernel = "heap";
        options.memory = "sampled";
        options.fidelity = fidelities[i];
        ck_assert_int_eq(systole_run(&own, chip, workload, &options, &result[i]), SYSTOLE_OK);
    }
    const struct sy_dram_stats *event = &result[0]->result->dram[0], *analytic = &result[1]->result->dram[0];
    ck_assert_double_eq_tol((double)analytic->read_bytes / (double)event->read_bytes, 1, 0.001);
    ck_assert_double_eq_tol((double)analytic->activates / (double)event->activates, 1, 0.05);
    ck_assert_double_eq_tol((double)analytic->refreshes / (double)event->refreshes, 1, 0.02);
    ck_assert_double_eq_tol((double)(analytic->active_ns + analytic->standby_ns) / (result[1]->result->seconds * 1e9),
                            1, 0.001);
    ck_assert_double_eq_tol(result[1]->result->energy_j / result[0]->result->energy_j, 1, 0.03);
    systole_result_free(result[0]);
    systole_result_free(result[1]);
    systole_chip_free(chip);
    systole_workload_free(workload);
}
END_TEST

START_TEST(without_a_memory_model_or_energies_of_commands_bits_are_priced)
{
    struct systole_result *shared = run("tpu-v4i", "shared", NULL, NULL);
    ck_assert_ptr_nonnull(item_of(shared, "hbm", "read_byte"));
    ck_assert_ptr_null(item_of(shared, "hbm", "activate"));
    static const char *const other[] = {"memory.hbm.device=hbm3-6400-ramulator2", NULL};
    struct systole_result *bare = run("tpu-v4i", "sampled", other, NULL);
    bool warned = false;
    ck_assert_ptr_nonnull(item_of(bare, "hbm", "read_byte"));
    for (uint32_t i = 0; i < bare->result->warnings; i++)
        warned = warned || strstr(bare->result->warning[i], "priced by the bit") != NULL;
    ck_assert(warned);
    systole_result_free(shared);
    systole_result_free(bare);
}
END_TEST

START_TEST(power_down_saves_standby_in_the_gaps_and_nothing_else)
{
    static const char *const set[] = {"memory.hbm.power_down_after=100 ns", NULL};
    struct systole_result *awake = run("tpu-v4i", "sampled", NULL, NULL),
                          *asleep = run("tpu-v4i", "sampled", set, NULL);
    const struct sy_dram_stats *before = &awake->result->dram[0], *after = &asleep->result->dram[0];
    ck_assert_uint_eq(awake->result->cycles, asleep->result->cycles);
    ck_assert_uint_eq(before->power_down_ns, 0);
    ck_assert_uint_gt(after->power_down_ns, 0);
    ck_assert_double_eq_tol((double)(before->active_ns + before->standby_ns),
                            (double)(after->active_ns + after->standby_ns + after->power_down_ns), 64);
    ck_assert_double_lt(asleep->result->energy_j, awake->result->energy_j);
    ck_assert_uint_eq(item_of(asleep, "hbm", "activate")->count, item_of(awake, "hbm", "activate")->count);
    systole_result_free(awake);
    systole_result_free(asleep);
}
END_TEST

START_TEST(doubling_an_activate_moves_the_total_by_exactly_its_share)
{
    static const char *const twice[] = {"hbm.activate=1656", NULL};
    struct systole_result *before = run("tpu-v4i", "sampled", NULL, NULL),
                          *after = run("tpu-v4i", "sampled", NULL, twice);
    ck_assert(after->result->energy_zj == before->result->energy_zj + item_of(before, "hbm", "activate")->total_zj);
    systole_result_free(before);
    systole_result_free(after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram_energy");
    TCase *tests = tcase_create("dram_energy");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_commands_we_issue_cost_what_dramsim3_says);
    tcase_add_test(tests, a_run_prices_commands_and_states_and_they_add_up);
    tcase_add_test(tests, what_is_left_out_is_counted_all_the_same);
    tcase_add_test(tests, without_a_memory_model_or_energies_of_commands_bits_are_priced);
    tcase_add_test(tests, power_down_saves_standby_in_the_gaps_and_nothing_else);
    tcase_add_test(tests, doubling_an_activate_moves_the_total_by_exactly_its_share);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
