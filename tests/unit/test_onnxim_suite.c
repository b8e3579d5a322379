/* SPDX-License-Identifier: Apache-2.0 */
/* ONNXim's mapping is met exactly, its layers within the errors docs/model-array.md states; STONNE's mesh exactly. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/checked.h"
#include "sim/base/csv.h"
#include "sim/validate/onnxim.h"
#include "tests/unit/suite_support.h"

static const struct sy_onnxim_machine *machine_of(const char *config)
{
    for (size_t i = 0; sy_onnxim_machines[i]; i++)
        if (!strcmp(sy_onnxim_machines[i]->config, config))
            return sy_onnxim_machines[i];
    return NULL;
}

static uint64_t cell(const struct sy_csv *csv, size_t row, const char *column)
{
    int index = sy_csv_column(csv, column);
    uint64_t value = 0;
    ck_assert_int_ge(index, 0);
    const char *text = csv->row[row].field[index];
    ck_assert(sy_text_to_u64(text, strlen(text), &value));
    return value;
}

START_TEST(every_recorded_mapping_comes_out)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char path[512], *text;
    size_t length;
    struct sy_csv csv;
    (void)snprintf(path, sizeof path, "%s/tests/golden/onnxim.csv", data_dir());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, path, &csv, NULL), SY_OK);
    ck_assert_uint_eq(csv.rows, 15);
    for (size_t i = 1; i < csv.rows; i++) {
        const struct sy_onnxim_machine *machine = machine_of(csv.row[i].field[sy_csv_column(&csv, "config")]);
        struct sy_onnxim_layer layer = {0};
        struct sy_onnxim_mapping map;
        ck_assert_ptr_nonnull(machine);
        ck_assert_int_eq(sscanf(csv.row[i].field[sy_csv_column(&csv, "workload")],
                                "matmul_%" SCNu64 "_%" SCNu64 "_%" SCNu64, &layer.n, &layer.c, &layer.m),
                         3);
        ck_assert(sy_onnxim_map(machine, &layer, &map));
        ck_assert_uint_eq(map.n, cell(&csv, i, "inner_N"));
        ck_assert_uint_eq(map.c, cell(&csv, i, "inner_C"));
        ck_assert_uint_eq(map.m, cell(&csv, i, "inner_M"));
        ck_assert_uint_eq(map.steps, cell(&csv, i, "outer_tiles_C"));
        ck_assert_uint_eq(map.groups, cell(&csv, i, "outer_tiles_N") * cell(&csv, i, "outer_tiles_M"));
        /* What is recorded of the machine is what the suite takes. */
        ck_assert_uint_eq(machine->dim, cell(&csv, i, "array_h"));
        ck_assert_uint_eq(machine->cores, cell(&csv, i, "cores"));
        ck_assert_uint_eq(machine->spad_bytes, cell(&csv, i, "spad_kb_per_core") << 10);
        ck_assert_uint_eq(machine->dram_mhz, cell(&csv, i, "dram_mhz"));
        ck_assert_uint_eq(machine->channels, cell(&csv, i, "dram_channels"));
    }
    sy_arena_destroy(arena);
    free(text);
}
END_TEST

/* Lines of rows beyond 5 %; docs/model-array.md says why each is. */
static double allowed(const char *file, uint32_t line)
{
    static const struct {
        bool network;
        uint32_t line;
        double percent;
    } beyond[] = {{false, 3, 16}, {false, 5, 43}, {false, 6, 16}, {false, 7, 8},
                  {false, 14, 6}, {true, 14, 12}, {true, 19, 7},  {true, 49, 12}};
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++)
        if (beyond[i].network == (strstr(file, "resnet18") != NULL) && beyond[i].line == line)
            return beyond[i].percent;
    return 5;
}

START_TEST(layers_on_its_schedule_take_its_cycles_within_5_percent_but_the_stated_ones)
{
    struct sy_validation v;
    ck_assert_msg(validate_file("onnxim", NULL, &v) == SY_OK, "%s", messages);
    ck_assert_uint_eq(v.total.rows, 56);
    double network = 0;
    for (uint64_t i = 0; i < v.rows; i++) {
        const struct sy_validation_row *row = &v.row[i];
        ck_assert(!row->refused);
        ck_assert_msg(row->ape <= allowed(row->file, row->line), "%s:%u: %g instead of %g", row->file, row->line,
                      row->actual, row->expected);
        network += strstr(row->file, "resnet18") ? row->ape / 42 : 0;
    }
    ck_assert_double_le(network, 2); /* mean over the layers of both machines */
    sy_validation_free(&v);
}
END_TEST

START_TEST(stonnes_mesh_is_met_exactly_and_thin_networks_are_refused)
{
    struct sy_validation v;
    ck_assert_msg(validate_file("stonne", NULL, &v) == SY_OK, "%s", messages);
    ck_assert_uint_eq(v.total.rows, 25);
    ck_assert_uint_eq(v.total.exact, 20);
    ck_assert_uint_eq(v.total.refused, 5);
    sy_validation_free(&v);
}
END_TEST

/* Sums over the records of a trace: products, and elements stored. */
static void sum_trace(const char *text, uint64_t precision, uint64_t *macs, uint64_t *stored)
{
    *macs = *stored = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        char line[200];
        (void)snprintf(line, sizeof line, "%.*s", (int)sy_min(strcspn(at, "\n"), sizeof line - 1), at);
        uint64_t m, k, n, rows, bytes;
        if (sscanf(line, "matmul m=%" SCNu64 " k=%" SCNu64 " n=%" SCNu64, &m, &k, &n) == 3)
            *macs += m * k * n;
        if (sscanf(line, "store C level=0 parent=2 rows=%" SCNu64 " bytes=%" SCNu64, &rows, &bytes) == 2)
            *stored += rows * bytes / precision;
    }
}

/* On one core nothing is left out and nothing done twice, whatever the tiles. */
START_TEST(a_schedule_does_all_the_work_of_the_layer_once)
{
    uint64_t state = 77;
    for (int round = 0; round < 150; round++) {
        struct sy_onnxim_machine machine = *sy_onnxim_machines[round % 2];
        machine.cores = 1;
        struct sy_onnxim_layer layer = {.conv = round % 3 > 0};
        uint64_t draw[6];
        for (int i = 0; i < 6; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            draw[i] = state >> 33;
        }
        layer.c = 1 + draw[0] % 150;
        layer.m = 1 + draw[1] % 150;
        layer.n = 1 + draw[2] % 300;
        layer.kernel = 1 + 2 * (draw[3] % 4);
        layer.stride = 1 + draw[4] % 3;
        layer.padding = layer.kernel / 2;
        layer.size = layer.kernel + draw[5] % 40;
        uint64_t edge = (layer.size + 2 * layer.padding - layer.kernel) / layer.stride + 1;
        uint64_t rows = layer.conv ? edge * edge : layer.n, inner = layer.c;
        inner *= layer.conv ? layer.kernel * layer.kernel : 1;
        struct sy_onnxim_mapping map;
        struct sy_onnxim_schedule schedule;
        struct sy_buf text = {0};
        ck_assert(sy_onnxim_map(&machine, &layer, &map));
        ck_assert_int_eq(sy_onnxim_trace(&machine, &layer, &map, &text, &schedule), SY_OK);
        uint64_t macs, stored;
        sum_trace(text.data, machine.precision, &macs, &stored);
        ck_assert_uint_eq(macs, rows * inner * layer.m);
        ck_assert_uint_eq(stored, rows * layer.m);
        ck_assert_uint_eq(schedule.cores, 1);
        sy_buf_free(&text);
    }
}
END_TEST

START_TEST(rows_it_cannot_replay_are_named_with_their_place)
{
    static const struct {
        const char *table, *message;
    } bad[] = {
        {"config,workload,layer_finish_cycle\nnone,matmul_8_8_8,1\n", "2:1: column 'config' is 'none'"},
        {"config,workload,layer_finish_cycle\nsystolic_ws_8x8_c1_simple_noc_transformer,matmul_8_8,1\n",
         "2:43: column 'workload' is 'matmul_8_8'; expected matmul_M_K_N"},
        {"config,workload,layer_finish_cycle\nsystolic_ws_8x8_c1_simple_noc_transformer,matmul_8_8_99999999,1\n",
         "2:43: column 'workload'"},
        {"config,layer,layer_cycles\nsystolic_ws_8x8_c1_simple_noc_transformer,Conv_0_4_8_3_1,1\n",
         "2:43: column 'layer' is 'Conv_0_4_8_3_1'"}, /* there is no tensor with 4 channels */
        {"config,layer,layer_cycles\nsystolic_ws_8x8_c1_simple_noc_transformer,lstm,1\n", "2:43: column 'layer'"},
        {"config,layer\nsystolic_ws_8x8_c1_simple_noc_transformer,fc\n", "column 'layer_cycles' is missing"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_validation v;
        ck_assert_int_eq(validate_text("onnxim", bad[i].table, &v), SY_INPUT);
        ck_assert_msg(strstr(messages, bad[i].message) != NULL, "%s", messages);
        sy_validation_free(&v);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnxim_suite");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_recorded_mapping_comes_out);
    tcase_add_test(tc, layers_on_its_schedule_take_its_cycles_within_5_percent_but_the_stated_ones);
    tcase_add_test(tc, stonnes_mesh_is_met_exactly_and_thin_networks_are_refused);
    tcase_add_test(tc, a_schedule_does_all_the_work_of_the_layer_once);
    tcase_add_test(tc, rows_it_cannot_replay_are_named_with_their_place);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
