/* SPDX-License-Identifier: Apache-2.0 */
/* The DRAM model against runs of DRAMsim3 and Ramulator 2.1 (tests/golden/dram.md). */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/dram_device.h"
#include "sim/base/csv.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_window.h"
#include "sim/validate/suite.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

/* ---- the suite ---- */
static void validate(const char *table, const char *memory, struct sy_validation *validation)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s", root(), table);
    struct sy_validate_options options = {.data_dir = root(), .data = path, .memory = memory};
    memset(validation, 0, sizeof *validation);
    ck_assert_int_eq(sy_validate_run("dram", &options, validation, NULL), SY_OK);
}

static double share_within(const struct sy_validation *validation, double percent)
{
    uint64_t within = 0;
    for (uint64_t i = 0; i < validation->rows; i++)
        within += validation->row[i].measured && validation->row[i].ape <= percent;
    return (double)within / (double)validation->rows;
}

START_TEST(sampled_bandwidth_is_within_the_target)
{
    struct sy_validation validation;
    validate("dram_golden.csv", "sampled", &validation);
    ck_assert_uint_eq(validation.rows, 433);
    ck_assert_uint_eq(validation.total.refused, 0);
    ck_assert_double_le(validation.total.mape, 0.8);
    ck_assert_double_ge(share_within(&validation, 5.0), 0.97);
    sy_validation_free(&validation);
}
END_TEST

START_TEST(short_phases_take_the_cycles_of_the_tool)
{
    static const char *const memories[] = {"burst", "sampled"};
    for (int i = 0; i < 2; i++) {
        struct sy_validation validation;
        validate("dram_short.csv", memories[i], &validation);
        ck_assert_uint_eq(validation.rows, 199);
        ck_assert_double_ge(share_within(&validation, 5.0), 0.95);
        ck_assert_double_le(validation.total.mape, i ? 0.8 : 0.01);
        if (!i)
            ck_assert_uint_ge(validation.total.exact, 195);
        sy_validation_free(&validation);
    }
}
END_TEST

START_TEST(a_table_that_is_wrong_is_refused)
{
    static const char *const rows[] = {
        "DRAMsim3,DDR9-1,1,rorabacobgch,FRFCFS,OPEN,seq_rd,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,0,rorabacobgch,FRFCFS,OPEN,seq_rd,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgcc,FRFCFS,OPEN,seq_rd,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgch,SJF,OPEN,seq_rd,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgch,FRFCFS,AJAR,seq_rd,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgch,FRFCFS,OPEN,zigzag,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgch,FRFCFS,OPEN,tile:100,100,64,0,500,0.63",
        "DRAMsim3,DDR4-3200,1,rorabacobgch,FRFCFS,OPEN,seq_rd,100,64,-1,500,0.63",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *scratch = getenv("TMPDIR");
        char path[1024];
        snprintf(path, sizeof path, "%s/systole-dram-XXXXXX", scratch == NULL ? P_tmpdir : scratch);
        const int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        FILE *file = fdopen(fd, "w");
        fprintf(file,
                "tool,device,channels,address_mapping,scheduler,row_policy,pattern,n_requests,tx_bytes,inject_rate,"
                "total_cycles,tCK_ns\n%s\n",
                rows[i]);
        fclose(file);
        struct sy_validation validation = {0};
        struct sy_validate_options options = {.data_dir = root(), .data = path, .memory = "burst"};
        struct sy_diag diag = {0};
        ck_assert_int_ne(sy_validate_run("dram", &options, &validation, &diag), SY_OK);
        ck_assert_uint_ge(diag.errors, 1);
        unlink(path);
        sy_validation_free(&validation);
    }
}
END_TEST

/* ---- every figure of the runs ---- */
struct golden {
    struct sy_arena *arena;
    struct sy_csv csv;
    char *text;
};

static void golden_open(struct golden *golden, const char *name)
{
    char path[4096];
    size_t length;
    snprintf(path, sizeof path, "%s/tests/golden/%s", root(), name);
    golden->arena = sy_arena_create(NULL, 0);
    ck_assert_int_eq(sy_read_file(path, 1 << 24, &golden->text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(golden->arena, golden->text, length, name, &golden->csv, NULL), SY_OK);
}

static void golden_close(struct golden *golden)
{
    free(golden->text);
    sy_arena_destroy(golden->arena);
}

static const char *cell(const struct golden *golden, size_t row, const char *column)
{
    const int index = sy_csv_column(&golden->csv, column);
    ck_assert_int_ge(index, 0);
    return golden->csv.row[row].field[index];
}
static double number(const struct golden *golden, size_t row, const char *column)
{
    return atof(cell(golden, row, column));
}

/* Run one row with every burst. */
static void replay(const struct golden *golden, size_t row, unsigned lanes, struct sy_dram_run *run)
{
    char name[64];
    snprintf(name, sizeof name, "%s-%s", cell(golden, row, "device"), cell(golden, row, "tool"));
    for (char *p = name; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    ck_assert_int_eq(sy_dram_device_load(name, root(), golden->arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), golden->arena, &controller, NULL), SY_OK);
    struct sy_dram_controller own = *controller;
    if (!strcmp(cell(golden, row, "scheduler"), "FRFCFS"))
        own.scheduler = SY_DRAM_FRFCFS;
    if (!strcmp(cell(golden, row, "row_policy"), "CLOSE"))
        own.page = SY_DRAM_PAGE_CLOSED;
    if (!strcmp(cell(golden, row, "refresh"), "none"))
        own.refresh = SY_DRAM_REFRESH_NONE;
    const struct sy_dram_options options = {.channels = (uint32_t)number(golden, row, "channels"),
                                            .address_map = cell(golden, row, "address_mapping"),
                                            .lanes = lanes};
    struct sy_dram_source source;
    ck_assert_int_eq(sy_dram_pattern(cell(golden, row, "pattern"), device->org.burst_bytes,
                                     (uint64_t)number(golden, row, "n_requests"), &source, NULL),
                     SY_OK);
    uint64_t clocks;
    sy_dram_peak_bytes(device, &clocks);
    const double rate = number(golden, row, "inject_rate");
    if (rate > 0) {
        source.clocks_num = clocks * 100;
        source.clocks_den = (uint64_t)(rate * 100 + 0.5) * options.channels * device->org.pseudochannels;
    }
    struct sy_dram_memory *memory;
    ck_assert_int_eq(sy_dram_memory_create(device, &own, &options, &memory, NULL), SY_OK);
    sy_dram_memory_run(memory, &source, run);
    sy_dram_memory_destroy(memory);
}

/* A count within 2%, or 0.03% of the requests (rare events of random patterns). */
static bool count_near(double expected, uint64_t actual, double requests)
{
    return fabs((double)actual - expected) <= fmax(fmax(2.0, 0.0003 * requests), 0.02 * expected);
}

START_TEST(burst_cycles_latency_and_commands_are_those_of_the_tool)
{
    struct golden golden;
    golden_open(&golden, "dram_golden.csv");
    uint64_t rows = 0, exact = 0;
    double sum = 0;
    for (size_t r = 1; r < golden.csv.rows; r++) {
        /* the long rows are for `systole validate dram` */
        if (golden.csv.row[r].fields < 10 || number(&golden, r, "n_requests") > 20000)
            continue;
        const double requests = number(&golden, r, "n_requests");
        struct sy_dram_run run;
        replay(&golden, r, 0, &run);
        const double cycles = number(&golden, r, "total_cycles"), clock = number(&golden, r, "tCK_ns");
        const double error = fabs(cycles / (double)run.clocks - 1);
        sum += error;
        rows++;
        exact += cycles == (double)run.clocks;
        ck_assert_msg(error <= 0.01, "line %zu: %g cycles, model %llu", r + 1, cycles, (unsigned long long)run.clocks);
        ck_assert_double_eq(number(&golden, r, "n_reads"), (double)run.reads_issued);
        const double latency = number(&golden, r, "rd_lat_avg_ns") / clock;
        if (latency > 0)
            ck_assert_msg(fabs(run.read_latency_mean / latency - 1) <= 0.10, "line %zu: latency %g, model %g", r + 1,
                          latency, run.read_latency_mean);
        ck_assert_msg(count_near(number(&golden, r, "n_ref"), run.counts.refreshes, requests), "line %zu: refreshes",
                      r + 1);
        ck_assert_msg(count_near(number(&golden, r, "row_hits"), run.counts.row_hits, requests), "line %zu: row hits",
                      r + 1);
        if (cell(&golden, r, "n_act")[0]) {
            ck_assert_msg(count_near(number(&golden, r, "n_act"), run.counts.activates, requests),
                          "line %zu: activates", r + 1);
            if (strcmp(cell(&golden, r, "row_policy"), "CLOSE")) /* auto-precharges are not counted there */
                ck_assert_msg(count_near(number(&golden, r, "n_pre"), run.counts.precharges, requests),
                              "line %zu: precharges", r + 1);
        }
    }
    ck_assert_uint_eq(rows, 344);
    ck_assert_double_le(sum / (double)rows, 0.0003);
    ck_assert_uint_ge(exact, rows * 95 / 100);
    golden_close(&golden);
}
END_TEST

START_TEST(every_vector_width_gives_the_same_commands)
{
    struct golden golden;
    golden_open(&golden, "dram_golden.csv");
    uint64_t compared = 0;
    for (size_t r = 1; r < golden.csv.rows; r += 7) {
        if (golden.csv.row[r].fields < 10 || number(&golden, r, "n_requests") > 20000)
            continue;
        struct sy_dram_run narrow, wide;
        replay(&golden, r, 4, &narrow);
        replay(&golden, r, 0, &wide);
        ck_assert_mem_eq(&narrow, &wide, sizeof wide);
        compared++;
    }
    ck_assert_uint_ge(compared, 40);
    golden_close(&golden);
}
END_TEST

/* The energies of DRAMsim3 are its counts times per-command energies, plus standby power: the device files hold these.
 */
START_TEST(command_energies_reproduce_the_tool_from_its_counts)
{
    struct golden golden;
    golden_open(&golden, "dram_golden.csv");
    uint64_t rows = 0;
    for (size_t r = 1; r < golden.csv.rows; r++) {
        if (golden.csv.row[r].fields < 10 || !cell(&golden, r, "E_act_pJ")[0])
            continue;
        char name[64];
        snprintf(name, sizeof name, "%s-%s", cell(&golden, r, "device"), cell(&golden, r, "tool"));
        for (char *p = name; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        struct sy_dram_device *device;
        ck_assert_int_eq(sy_dram_device_load(name, root(), golden.arena, &device, NULL), SY_OK);
        const struct sy_dram_power *power = &device->power;
        ck_assert(power->has);
        const struct {
            const char *energy, *count;
            double each;
        } parts[] = {{"E_act_pJ", "n_act", power->activate_pj},
                     {"E_ref_pJ", "n_ref", power->refresh_pj},
                     {"E_rd_pJ", "n_reads", power->read_pj}};
        for (size_t i = 0; i < 3; i++) {
            const double energy = number(&golden, r, parts[i].energy), count = number(&golden, r, parts[i].count);
            ck_assert_msg(fabs(energy - count * parts[i].each) <= 1e-3 * energy + 1, "line %zu: %s", r + 1,
                          parts[i].energy);
        }
        rows++;
    }
    ck_assert_uint_ge(rows, 200);
    golden_close(&golden);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram_golden");
    TCase *tables = tcase_create("tables");
    tcase_set_timeout(tables, 300);
    tcase_add_test(tables, burst_cycles_latency_and_commands_are_those_of_the_tool);
    tcase_add_test(tables, sampled_bandwidth_is_within_the_target);
    tcase_add_test(tables, short_phases_take_the_cycles_of_the_tool);
    tcase_add_test(tables, every_vector_width_gives_the_same_commands);
    tcase_add_test(tables, command_energies_reproduce_the_tool_from_its_counts);
    tcase_add_test(tables, a_table_that_is_wrong_is_refused);
    suite_add_tcase(suite, tables);
    return run_suite(suite);
}
