/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel windows on the array's rows: folds counted by hand and one by one by
 * the definition, on chips that pack the window wholly, in part or not at all.
 */
#include "tests/unit/engine_support.h"

#include "sim/base/checked.h"
#include "sim/engine/array_tile.h"

static const struct sy_replay_options event = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};

static struct machine square(uint64_t side, const char *dataflows, bool unpacked)
{
    struct machine m = plain_machine();
    m.rows = m.cols = side;
    m.accumulator_kib = 64;
    m.scratch_kib = 256;
    m.dataflows = dataflows;
    m.unpacked = unpacked;
    return m;
}

/* ResNet-18's first layer: 112 x 112 outputs, 64 filters of 7 x 7 x 3 on 16 x 16 PEs. Packed, 147 steps are 10 folds;
 * along the kernel's width, 7 segments of 21 are 2 folds each; not at all, 49 places of 3 channels are one fold each.
 */
START_TEST(the_first_layer_of_resnet18_takes_the_folds_counted_by_hand)
{
    static const struct {
        const char *dataflow;
        bool unpacked;
        uint64_t row_folds;
    } cases[] = {
        {"[ws]", false, 10},
        {"[{name: d, rows: [Cin, Fh, Fw], cols: [N], stationary: B}]", false, 10},
        {"[{name: d, rows: [Cin, Fw], cols: [N], stationary: B}]", false, 14},
        {"[{name: d, rows: [Cin, Fh], cols: [N], stationary: B}]", false, 14},
        {"[{name: d, rows: [Cin], cols: [N], stationary: B}]", false, 49},
        {"[{name: d, rows: [Cin, Fw], cols: [N], stationary: B}]", true, 49},
        {"[ws]", true, 49},
        {"[is]", true, 49},
    };
    const struct sy_row_window window = {112, 21, 7, 2, 2, 3, 7, 0};
    const uint64_t m = 112 * 112, k = 147, n = 64;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct machine machine = square(16, cases[i].dataflow, cases[i].unpacked);
        if (!strcmp(cases[i].dataflow, "[is]"))
            machine.timing = "scalesim-rtl";
        struct sy_chip *chip = machine_chip(&machine);
        struct sy_array_tile tile;
        ck_assert_int_eq(sy_array_tile_in_window(chip, 0, &window, m, k, n, SY_INT8, SY_INT8, false, &tile), SY_OK);
        bool is = chip->array.dataflow[0].kind == SY_IS;
        uint64_t columns = is ? m / 16 : n / 16, beats = is ? n : m, folds = cases[i].row_folds;
        ck_assert_uint_eq(tile.run.row_folds, folds);
        ck_assert_uint_eq(tile.run.folds, folds * columns);
        ck_assert_uint_eq(tile.run.beats, folds * columns * beats);
        ck_assert_uint_eq(tile.run.pe_beats, 16 * 16 * folds * columns * beats);
        ck_assert_uint_eq(tile.run.mapped_pe_beats, m * k * n);
        /* Every fold of the rows adds to sums of 4 bytes; the first has none to read. */
        ck_assert_uint_eq(tile.level_write_bytes[0], folds * m * n * 4);
        ck_assert_uint_eq(tile.level_read_bytes[0], (folds - 1) * m * n * 4);
        ck_assert_uint_eq(tile.level_read_bytes[1], is ? m * k + k * n * columns : m * k * columns + k * n);
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(depthwise_products_hold_one_channel_a_fold_when_the_window_is_not_packed)
{
    const char *text = "systole-trace 1\nconv l h=16 w=16 c=32 n=32 fh=3 fw=3 sh=1 sw=1 pt=1 pb=1 pl=1 pr=1 groups=32 "
                       "a=x:int8 b=w:int8:weight y=y:int8\nend 1\n";
    for (int unpacked = 0; unpacked < 2; unpacked++) {
        struct machine machine = square(16, "[ws]", unpacked);
        struct sy_chip *chip = machine_chip(&machine);
        struct sy_result *result = must_run(chip, "t", text, &event);
        uint64_t folds = unpacked ? 9 : 1, used = 9 / folds;
        ck_assert_uint_eq(result->work.pe_beats, 32 * 256 * folds * 16 * 16);
        ck_assert_uint_eq(result->work.mapped_pe_beats, result->macs);
        ck_assert_int_eq(result->layer[0].window.packed, unpacked ? SY_WINDOW_NOT_PACKED : SY_WINDOW_PACKED);
        ck_assert_uint_eq(result->layer[0].window.segment, used);
        ck_assert_uint_eq((uint64_t)(result->layer[0].window.rows * 1000), used * 1000);
        ck_assert_uint_eq(result->layer[0].window.array_rows, 16);
        sy_result_destroy(result);
        sy_chip_destroy(chip);
    }
}
END_TEST

/* Folds of the rows for the tiles [0, tile), [tile, 2 tile) ... of k, step by step. */
static uint64_t folds_by_definition(uint64_t k, uint64_t tile, uint64_t segment, uint64_t rows)
{
    uint64_t folds = 0;
    for (uint64_t step = 0, begun = 0; step < k; step++)
        if (step % tile == 0 || step % segment == 0 || step - begun == rows) {
            folds++;
            begun = step;
        }
    return folds;
}

/* Tiles that a schedule ends anywhere: their folds are those of the definition, at every fidelity and replayed. */
START_TEST(tiles_that_begin_inside_a_segment_take_the_folds_of_the_definition)
{
    uint64_t seed = 4242;
    struct sy_buf text = {0};
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "schedule.slt.gz", "");
    for (int round = 0; round < 40; round++) {
        uint64_t rows = draw(&seed, 2, 7), c = draw(&seed, 1, 12), f = draw(&seed, 2, 3), side = draw(&seed, 4, 6);
        uint64_t k = c * f * f, tile = draw(&seed, 1, k), n = draw(&seed, 1, rows), out = side - f + 1;
        bool by_width = draw(&seed, 0, 1);
        struct machine machine =
            square(rows, by_width ? "[{name: d, rows: [Cin, Fw], cols: [N], stationary: B}]" : "[ws]", !by_width);
        machine.timing = "scalesim-rtl";
        struct sy_chip *chip = machine_chip(&machine);
        sy_buf_clear(&text);
        sy_buf_printf(&text,
                      "systole-trace 1\nconv l h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu sh=1 sw=1 a=x:int8 "
                      "b=w:int8:weight y=y:int8 tile0=%llu,%llu,%llu order0=mnk\nend 1\n",
                      (unsigned long long)side, (unsigned long long)side, (unsigned long long)c, (unsigned long long)n,
                      (unsigned long long)f, (unsigned long long)f, (unsigned long long)(out * out),
                      (unsigned long long)tile, (unsigned long long)n);
        struct sy_replay_options options = event;
        options.emit_schedule = path;
        struct sy_result *result = must_run(chip, "t", text.data, &options);
        uint64_t folds = folds_by_definition(k, tile, by_width ? c * f : c, rows);
        ck_assert_msg(result->work.pe_beats == folds * rows * rows * out * out, "%llu folds, not %llu PE beats of %s",
                      (unsigned long long)folds, (unsigned long long)result->work.pe_beats, text.data);
        struct sy_result *replayed = must_run(chip, path, NULL, &event);
        options = event;
        options.fidelity = SY_FIDELITY_CYCLE;
        struct sy_result *stepped = must_run(chip, "t", text.data, &options);
        ck_assert_uint_eq(replayed->cycles, result->cycles);
        ck_assert_uint_eq(replayed->work.pe_beats, result->work.pe_beats);
        ck_assert_uint_eq(stepped->cycles, result->cycles);
        sy_result_destroy(stepped);
        sy_result_destroy(replayed);
        sy_result_destroy(result);
        sy_chip_destroy(chip);
    }
    sy_buf_free(&text);
    scratch_end(&scratch);
}
END_TEST

START_TEST(channels_that_fill_the_rows_cost_the_same_packed_or_not)
{
    uint64_t seed = 99;
    struct sy_buf text = {0};
    for (int round = 0; round < 30; round++) {
        struct machine machine = random_machine(&seed);
        machine.rows = draw(&seed, 1, 8);
        machine.timing = "scalesim-rtl";
        sy_buf_clear(&text);
        sy_buf_printf(&text,
                      "systole-trace 1\nconv l h=9 w=9 c=%llu n=%llu fh=3 fw=2 sh=1 sw=1 a=x:int8 b=w:int8:weight "
                      "y=y:int8\nend 1\n",
                      (unsigned long long)(machine.rows * draw(&seed, 1, 3)), (unsigned long long)draw(&seed, 1, 30));
        struct sy_result *result[2];
        struct log_sink said;
        for (int unpacked = 0; unpacked < 2; unpacked++) {
            machine.unpacked = unpacked;
            struct sy_chip *chip = machine_chip(&machine);
            result[unpacked] = run_trace(chip, "t", text.data, &event, &said);
            log_end(&said);
            sy_chip_destroy(chip);
        }
        ck_assert_int_eq(result[0] == NULL, result[1] == NULL);
        if (result[0]) {
            ck_assert_uint_eq(result[0]->cycles, result[1]->cycles);
            ck_assert_mem_eq(&result[0]->work, &result[1]->work, sizeof result[0]->work);
            for (uint32_t l = 0; l < result[0]->levels; l++) {
                ck_assert_uint_eq(result[0]->level[l].read_bytes, result[1]->level[l].read_bytes);
                ck_assert_uint_eq(result[0]->level[l].write_bytes, result[1]->level[l].write_bytes);
            }
            ck_assert_int_eq(result[0]->layer[0].window.packed, SY_WINDOW_NONE);
            ck_assert_int_eq(result[1]->layer[0].window.packed, SY_WINDOW_NONE);
        }
        sy_result_destroy(result[0]);
        sy_result_destroy(result[1]);
    }
    sy_buf_free(&text);
}
END_TEST

/* Two steps of a faster pair of formats share a row, but only within a segment: 5 channels take 3 rows. */
START_TEST(a_faster_pair_of_formats_shares_rows_within_a_segment_only)
{
    struct machine machine = square(8, "[ws]", true);
    machine.precisions = "[{a: int8, b: int8, accumulator: int32, rate: 2}]";
    struct sy_chip *chip = machine_chip(&machine);
    const struct sy_row_window window = {10, 15, 3, 1, 1, 5, 3, 0};
    struct sy_array_tile tile;
    ck_assert_int_eq(sy_array_tile_in_window(chip, 0, &window, 100, 45, 8, SY_INT8, SY_INT8, false, &tile), SY_OK);
    ck_assert_uint_eq(tile.packed_k, 9 * 3);
    ck_assert_uint_eq(tile.run.row_folds, 9);
    ck_assert_uint_eq(tile.run.mapped_pe_beats, 9 * 3 * 8 * 100);
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_first_layer_of_resnet18_takes_the_folds_counted_by_hand);
    tcase_add_test(tcase, depthwise_products_hold_one_channel_a_fold_when_the_window_is_not_packed);
    tcase_add_test(tcase, tiles_that_begin_inside_a_segment_take_the_folds_of_the_definition);
    tcase_add_test(tcase, channels_that_fill_the_rows_cost_the_same_packed_or_not);
    tcase_add_test(tcase, a_faster_pair_of_formats_shares_rows_within_a_segment_only);
    return run_case("pack_window", tcase);
}
