/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row stationary: the mapping against an oracle that hands every MAC to a PE,
 * the PE sets of the published chip, and the order of its measured layers.
 */
#include "tests/unit/engine_support.h"

#include "sim/base/checked.h"
#include "sim/base/csv.h"
#include "sim/engine/array_rs.h"

static struct sy_array_timing eyeriss_like(void)
{
    struct sy_array_timing t;
    sy_array_timing_init(&t);
    t.row_stationary = 1;
    t.weight_load = SY_LOAD_SEPARATE_WIRES;
    return t;
}

/* A whole convolution group as one tile. */
struct conv {
    uint64_t out_rows, out_cols, fh, fw, channels, filters;
};

static struct sy_rs_tile map_conv(const struct sy_array_timing *t, uint64_t rows, uint64_t cols, struct conv c)
{
    struct sy_row_window window = {c.out_cols, c.fw * c.channels, c.fw, 1, 1, c.channels, c.fh, 0};
    struct sy_rs_tile tile;
    ck_assert_int_eq(sy_rs_tile_of(t, rows, cols, &window, c.out_rows * c.out_cols, c.fh * c.fw * c.channels, c.filters,
                                   1, 1, &tile),
                     SY_OK);
    return tile;
}

/*
 * Every (filter row, output row, channel, filter) is a row of MACs for one PE. Hand each to the PE that the mapping
 * says, by counting only; a round lasts as long as its busiest PE. work: [round][PE].
 */
static uint64_t hand_out(const struct sy_rs_mapping *map, uint64_t rows, uint64_t cols, struct conv c, uint64_t *total)
{
    uint64_t pes = rows * cols, across = cols / map->strip, time = 0;
    uint64_t *work = calloc(map->rounds * pes, sizeof *work);
    *total = 0;
    for (uint64_t fr = 0; fr < c.fh; fr++)
        for (uint64_t orow = 0; orow < c.out_rows; orow++)
            for (uint64_t ch = 0; ch < c.channels; ch++)
                for (uint64_t f = 0; f < c.filters; f++) {
                    uint64_t place = fr / map->filter_rows * map->strips + orow / map->strip;
                    uint64_t round = place / map->place_sets, slot = place % map->place_sets;
                    uint64_t channel_set = ch / sy_ceil_div(c.channels, map->channel_sets);
                    uint64_t filter_set = f / sy_ceil_div(c.filters, map->filter_sets);
                    uint64_t set = (slot * map->channel_sets + channel_set) * map->filter_sets + filter_set;
                    uint64_t row = set / across * map->filter_rows + fr % map->filter_rows;
                    uint64_t col = set % across * map->strip + orow % map->strip;
                    EXPECT(row < rows && col < cols && round < map->rounds);
                    work[round * pes + row * cols + col] += c.out_cols * c.fw;
                    *total += c.out_cols * c.fw;
                }
    for (uint64_t round = 0; round < map->rounds; round++) {
        uint64_t busiest = 0;
        for (uint64_t pe = 0; pe < pes; pe++)
            busiest = sy_max(busiest, work[round * pes + pe]);
        time += busiest;
    }
    free(work);
    return time;
}

START_TEST(every_mac_has_one_pe_and_the_busiest_pes_make_the_time)
{
    struct sy_array_timing t = eyeriss_like();
    uint64_t seed = 55;
    for (int round = 0; round < 1500; round++) {
        uint64_t rows = draw(&seed, 1, 12), cols = draw(&seed, 1, 14), total;
        struct conv c = {draw(&seed, 1, 30), draw(&seed, 1, 9), draw(&seed, 1, 13),
                         draw(&seed, 1, 5),  draw(&seed, 1, 9), draw(&seed, 1, 12)};
        t.weight_load = draw(&seed, 0, 2) ? SY_LOAD_SEPARATE_WIRES : SY_LOAD_DOUBLE_BUFFERED;
        t.fold_overlap = draw(&seed, 0, 1);
        struct sy_rs_tile tile = map_conv(&t, rows, cols, c);
        const struct sy_array_run *run = &tile.run;
        uint64_t time = hand_out(&tile.mapping, rows, cols, c, &total);
        EXPECT(time == run->beats);
        EXPECT(total == run->useful_macs);
        EXPECT(run->useful_macs <= run->mapped_pe_beats && run->mapped_pe_beats <= run->pe_beats);
        EXPECT(run->pe_beats == rows * cols * run->beats);
        EXPECT(run->occupancy_cycles == run->beats + run->preload_exposed_cycles + run->fill_drain_cycles);
        EXPECT(run->latency_cycles >= run->occupancy_cycles && run->first_result_cycles <= run->latency_cycles);
        /* Each filter word is loaded at least once, each input pixel under the filter read at least once. */
        EXPECT(tile.b_reads >= c.fh * c.fw * c.channels * c.filters);
        EXPECT(tile.a_reads >= (c.out_rows + c.fh - 1) * (c.out_cols + c.fw - 1) * c.channels);
    }
}
END_TEST

/* No other way to share the sets takes less: every one is tried by hand. */
START_TEST(no_other_shares_of_the_sets_are_faster)
{
    struct sy_array_timing t = eyeriss_like();
    uint64_t seed = 56;
    t.weight_load = SY_LOAD_NONE; /* then time is compute alone */
    for (int round = 0; round < 300; round++) {
        uint64_t rows = draw(&seed, 1, 8), cols = draw(&seed, 1, 8), total;
        struct conv c = {draw(&seed, 1, 12), draw(&seed, 1, 4), draw(&seed, 1, 4),
                         draw(&seed, 1, 3),  draw(&seed, 1, 6), draw(&seed, 1, 8)};
        struct sy_rs_tile tile = map_conv(&t, rows, cols, c);
        struct sy_rs_mapping map = tile.mapping;
        if (map.sets > 15)
            continue; /* beyond, shares are tried in steps */
        uint64_t places = map.folds * map.strips;
        for (uint64_t s = 1; s <= sy_min(places, map.sets); s++)
            for (uint64_t r = 1; r <= sy_min(c.channels, map.sets / s); r++)
                for (uint64_t f = 1; f <= sy_min(c.filters, map.sets / s / r); f++) {
                    map.place_sets = s;
                    map.channel_sets = r;
                    map.filter_sets = f;
                    map.rounds = sy_ceil_div(places, s);
                    EXPECT(hand_out(&map, rows, cols, c, &total) >= tile.run.beats);
                }
    }
}
END_TEST

/* PEs in use of 12 x 14, of the paper's table, recalled: 154 (CONV1), 135 (CONV2), 156 (CONV3 to 5). */
START_TEST(the_published_chips_layers_occupy_the_published_pes)
{
    static const struct {
        struct conv conv;
        uint64_t set_rows, set_cols, sets, pes;
    } layers[] = {
        {{55, 55, 11, 11, 3, 96}, 11, 14, 1, 154}, {{27, 27, 5, 5, 48, 128}, 5, 14, 2, 135},
        {{13, 13, 3, 3, 256, 384}, 3, 13, 4, 156}, {{13, 13, 3, 3, 192, 192}, 3, 13, 4, 156},
        {{13, 13, 3, 3, 192, 128}, 3, 13, 4, 156},
    };
    struct sy_array_timing t = eyeriss_like();
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        struct sy_rs_tile tile = map_conv(&t, 12, 14, layers[i].conv);
        const struct sy_rs_mapping *map = &tile.mapping;
        ck_assert_uint_eq(map->filter_rows, layers[i].set_rows);
        ck_assert_uint_eq(map->strip, layers[i].set_cols);
        ck_assert_uint_eq(map->sets, layers[i].sets);
        uint64_t most = sy_min(map->strip * map->place_sets, layers[i].conv.out_rows);
        ck_assert_uint_eq(map->filter_rows * most * map->channel_sets * map->filter_sets, layers[i].pes);
    }
}
END_TEST

START_TEST(a_plain_product_runs_as_a_1x1_convolution_on_every_pe)
{
    struct sy_array_timing t = eyeriss_like();
    struct sy_rs_tile tile;
    ck_assert_int_eq(sy_rs_tile_of(&t, 12, 14, NULL, 14 * 8, 12 * 16, 64, 1, 1, &tile), SY_OK);
    ck_assert_uint_eq(tile.run.beats * 12 * 14, (uint64_t)14 * 8 * 12 * 16 * 64);
    ck_assert_uint_eq(tile.run.mapped_pe_beats, tile.run.pe_beats);
    /* One row of A: columns are shared by channels and filters. */
    ck_assert_int_eq(sy_rs_tile_of(&t, 12, 14, NULL, 1, 168 * 4, 10, 1, 1, &tile), SY_OK);
    ck_assert_uint_eq(tile.run.beats, 40);
    ck_assert_int_eq(sy_rs_tile_of(&t, 12, 14, NULL, 0, 1, 1, 1, 1, &tile), SY_INPUT);
    t.row_stationary = 0;
    ck_assert_int_eq(sy_rs_tile_of(&t, 12, 14, NULL, 1, 1, 1, 1, 1, &tile), SY_UNSUPPORTED);
}
END_TEST

/* Without waiting for memory, which the figures leave out. */
static uint64_t array_cycles(const struct sy_layer_result *layer)
{
    return layer->busy + layer->stall[SY_STALL_PRELOAD] + layer->stall[SY_STALL_FILL_DRAIN];
}

/* Time on the array of AlexNet's layers against tests/golden/eyeriss_jssc17_alexnet.csv, recalled figures: only which
 * of two layers takes longer, where they are more than a tenth apart. */
START_TEST(layers_of_the_published_chip_take_longer_in_the_published_order)
{
    static const struct sy_replay_options options = {
        .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};
    static const uint64_t shape[5][7] = {/* input, channels, filters, filter, stride, padding, groups */
                                         {227, 3, 96, 11, 4, 0, 1},
                                         {27, 96, 256, 5, 1, 2, 2},
                                         {13, 256, 384, 3, 1, 1, 1},
                                         {13, 384, 384, 3, 1, 1, 2},
                                         {13, 384, 256, 3, 1, 1, 2}};
    struct sy_buf text = {0};
    struct log_sink log;
    struct sy_chip *chip = NULL;
    struct sy_chip_options chip_options = {.data_dir = data_dir()};
    ck_assert_int_eq(sy_chip_load("eyeriss", &chip_options, &chip, log_start(&log)), SY_OK);
    sy_buf_puts(&text, "systole-trace 1\nnet alexnet\n");
    for (int i = 0; i < 5; i++) {
        const uint64_t *s = shape[i];
        sy_buf_printf(&text,
                      "conv CONV%d batch=4 h=%d w=%d c=%d n=%d fh=%d fw=%d sh=%d sw=%d pt=%d pb=%d pl=%d pr=%d "
                      "groups=%d a=x%d:int16 b=w%d:int16:weight y=y%d:int16\n",
                      i + 1, (int)s[0], (int)s[0], (int)s[1], (int)s[2], (int)s[3], (int)s[3], (int)s[4], (int)s[4],
                      (int)s[5], (int)s[5], (int)s[5], (int)s[5], (int)s[6], i, i, i);
    }
    sy_buf_puts(&text, "end 5\n");
    struct sy_result *result = must_run(chip, "t", text.data, &options);
    char path[600];
    struct sy_csv csv;
    snprintf(path, sizeof path, "%s/tests/golden/eyeriss_jssc17_alexnet.csv", data_dir());
    char *data = NULL;
    size_t length = 0, pairs = 0;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &data, &length, &log.diag), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, data, length, path, &csv, &log.diag), SY_OK);
    int column = sy_csv_column(&csv, "processing_latency_ms");
    ck_assert_int_ge(column, 0);
    for (uint64_t i = 0; i < 5; i++)
        for (uint64_t j = 0; j < 5; j++) {
            double a = strtod(csv.row[1 + i].field[column], NULL), b = strtod(csv.row[1 + j].field[column], NULL);
            ck_assert_str_eq(csv.row[1 + i].field[0], result->layer[i].name);
            if (a <= b * 1.1)
                continue;
            ck_assert_msg(array_cycles(&result->layer[i]) > array_cycles(&result->layer[j]), "%s %llu, %s %llu cycles",
                          result->layer[i].name, (unsigned long long)array_cycles(&result->layer[i]),
                          result->layer[j].name, (unsigned long long)array_cycles(&result->layer[j]));
            pairs++;
        }
    ck_assert_uint_ge(pairs, 8);
    sy_arena_destroy(arena);
    free(data);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    sy_buf_free(&text);
    log_end(&log);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_mac_has_one_pe_and_the_busiest_pes_make_the_time);
    tcase_add_test(tcase, no_other_shares_of_the_sets_are_faster);
    tcase_add_test(tcase, the_published_chips_layers_occupy_the_published_pes);
    tcase_add_test(tcase, a_plain_product_runs_as_a_1x1_convolution_on_every_pe);
    tcase_add_test(tcase, layers_of_the_published_chip_take_longer_in_the_published_order);
    return run_case("array_rs", tcase);
}
