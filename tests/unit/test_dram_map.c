/* SPDX-License-Identifier: Apache-2.0 */
/* Address maps and request sources against direct formulas. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/dram_map.h"
#include "sim/engine/dram_pattern.h"
#include "tests/unit/run_support.h"

/* In loops of millions: Check reports every assertion that holds to its parent process. */
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg("%s", #condition);                                                                            \
    } while (0)

static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static struct sy_dram_device small_device(void)
{
    struct sy_dram_device device = {.name = "small"};
    device.org = (struct sy_dram_organization){.pseudochannels = 2,
                                               .ranks = 2,
                                               .bankgroups = 2,
                                               .banks_per_group = 4,
                                               .rows = 16,
                                               .row_bytes = 1024,
                                               .bus_bits = 64,
                                               .burst_bytes = 64};
    return device;
}

/* Every (channel, bank, row, column) once: count how often each (channel, bank, row) is hit; it has 16 columns. */
static void check_one_to_one(const char *text, uint32_t channels, uint64_t interleave)
{
    const struct sy_dram_device device = small_device();
    struct sy_dram_map map;
    ck_assert_msg(sy_dram_map_build(&map, text, &device, channels, interleave, NULL) == SY_OK, "%s", text);
    const uint32_t banks = sy_dram_banks(&device.org), places = channels * banks * 16;
    uint32_t *hits = calloc(places, sizeof *hits);
    for (uint64_t burst = 0; burst < (uint64_t)places * 16; burst++) {
        const sy_dram_place at = sy_dram_map_decode(&map, burst);
        const uint32_t channel = sy_dram_place_channel(at), bank = sy_dram_place_bank(at), row = sy_dram_place_row(at);
        REQUIRE(channel < channels);
        REQUIRE(bank < banks);
        REQUIRE(row < 16);
        hits[(channel * banks + bank) * 16 + row]++;
    }
    for (uint32_t i = 0; i < places; i++)
        REQUIRE(hits[i] == (16));
    free(hits);
}

START_TEST(every_map_is_one_to_one)
{
    static const char *const maps[] = {
        "row rank pseudochannel bank column bankgroup channel",
        "row column bank bankgroup rank pseudochannel column:2 channel",
        "column row bank rank bankgroup pseudochannel channel",
        "row bank rank bankgroup pseudochannel column channel; bank^row bankgroup^column>>1",
        "row bank rank bankgroup pseudochannel column channel; channel^row>>2 rank^column",
        "MOP4CLXOR",
        "RoBaRaCoCh"};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        check_one_to_one(maps[i], 1, 0);
        check_one_to_one(maps[i], 4, 0);
        check_one_to_one(maps[i], 4, 256);
        check_one_to_one(maps[i], 3, 0);
        check_one_to_one(maps[i], 6, 512);
    }
}
END_TEST

/* The bit slices of a random order of whole fields, by hand. */
START_TEST(fields_take_address_bits_in_their_order)
{
    static const char *const names[] = {"channel", "pseudochannel", "rank", "bankgroup", "bank", "row", "column"};
    static const uint32_t width[] = {3, 1, 1, 1, 2, 4, 4};
    const struct sy_dram_device device = small_device();
    random_state = 77;
    for (int round = 0; round < 500; round++) {
        uint32_t order[7] = {0, 1, 2, 3, 4, 5, 6};
        for (uint32_t i = 6; i > 0; i--) {
            const uint32_t j = (uint32_t)random_below(i + 1), t = order[i];
            order[i] = order[j], order[j] = t;
        }
        char text[200] = "";
        for (int i = 6; i >= 0; i--) { /* order[0] is the lowest field */
            strcat(text, names[order[i]]);
            strcat(text, " ");
        }
        struct sy_dram_map map;
        ck_assert_int_eq(sy_dram_map_build(&map, text, &device, 8, 0, NULL), SY_OK);
        for (int k = 0; k < 50; k++) {
            const uint64_t burst = random_below(1 << 16);
            uint32_t value[7], at = 0;
            for (int i = 0; i < 7; i++) {
                value[order[i]] = (uint32_t)(burst >> at) & ((1u << width[order[i]]) - 1);
                at += width[order[i]];
            }
            const sy_dram_place place = sy_dram_map_decode(&map, burst);
            REQUIRE(sy_dram_place_channel(place) == (value[0]));
            REQUIRE(sy_dram_place_bank(place) == (((value[1] * 2 + value[2]) * 2 + value[3]) * 4 + value[4]));
            REQUIRE(sy_dram_place_row(place) == (value[5]));
        }
    }
}
END_TEST

/* Ramulator's MOP4CLXOR on DDR4 x8: col = a[1:0] | a[10:6]<<2; bg = a[3:2]^col[1:0]; ba = a[5:4]^col[3:2];
 * row = (a>>11)^col[6:4], a = address / 64. */
START_TEST(the_named_hash_is_that_of_the_tool)
{
    struct sy_dram_device device = small_device();
    device.org = (struct sy_dram_organization){.pseudochannels = 1,
                                               .ranks = 1,
                                               .bankgroups = 4,
                                               .banks_per_group = 4,
                                               .rows = 65536,
                                               .row_bytes = 8192,
                                               .bus_bits = 64,
                                               .burst_bytes = 64};
    struct sy_dram_map map;
    ck_assert_int_eq(sy_dram_map_build(&map, "MOP4CLXOR", &device, 1, 0, NULL), SY_OK);
    random_state = 5;
    for (int i = 0; i < 20000; i++) {
        const uint64_t a = random_below(UINT64_C(1) << 27);
        const uint64_t col = (a & 3) | (a >> 6 & 31) << 2;
        const uint64_t bg = (a >> 2 & 3) ^ (col & 3), ba = (a >> 4 & 3) ^ (col >> 2 & 3), row = (a >> 11) ^ (col >> 4);
        const sy_dram_place place = sy_dram_map_decode(&map, a);
        REQUIRE(sy_dram_place_bank(place) == (bg * 4 + ba));
        REQUIRE(sy_dram_place_row(place) == (row));
    }
    struct sy_dram_map letters, words;
    ck_assert_int_eq(sy_dram_map_build(&letters, "rorabacobgch", &device, 2, 0, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_map_build(&words, "row rank bank column bankgroup channel", &device, 2, 0, NULL), SY_OK);
    ck_assert_mem_eq(&letters, &words, sizeof words);
    ck_assert_uint_eq(words.rotation_bits, 1 + 2 + 7 + 2);
}
END_TEST

START_TEST(a_map_that_does_not_fit_is_refused)
{
    static const char *const wrong[] = {"",
                                        "row bank",
                                        "row rank bank column bankgroup pseudochannel shelf",
                                        "row rank bank column:9 bankgroup pseudochannel channel",
                                        "row rank bank column: bankgroup pseudochannel channel",
                                        "row rank bank column bankgroup pseudochannel channel; bank",
                                        "row rank bank column bankgroup pseudochannel channel; bank^shelf",
                                        "row rank bank column bankgroup pseudochannel channel; bank^column>>",
                                        "row rank bank column bankgroup pseudochannel channel; bank^row row^bank",
                                        "row rank bank column bankgroup pseudochannel channel; bank^column ;",
                                        "row,rank,bank",
                                        "rorabacobgxx"};
    const struct sy_dram_device device = small_device();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sy_dram_map map;
        struct sy_diag diag = {0};
        ck_assert_msg(sy_dram_map_build(&map, wrong[i], &device, 4, 0, &diag) == SY_INPUT, "%s", wrong[i]);
        ck_assert_uint_eq(diag.errors, 1);
    }
    struct sy_dram_map map;
    ck_assert_int_eq(sy_dram_map_build(&map, "RoBaRaCoCh", &device, 0, 0, NULL), SY_INPUT);
    ck_assert_int_eq(sy_dram_map_build(&map, "RoBaRaCoCh", &device, 100000, 0, NULL), SY_INPUT);
    ck_assert_int_eq(sy_dram_map_build(&map, "RoBaRaCoCh", &device, 4, 100, NULL), SY_INPUT);
    ck_assert_int_eq(sy_dram_map_build(&map, "RoBaRaCoCh", &device, 4, 32, NULL), SY_INPUT);
}
END_TEST

/* ---- sources ---- */
static uint64_t x;
static uint64_t golden_random(void)
{
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Byte address of request i by the formulas of tests/golden/dram.md. */
static uint64_t golden_address(const char *p, uint64_t i, uint64_t T, uint64_t a, uint64_t b, bool *write)
{
    const uint64_t M = 64 << 20;
    const uint64_t skew = strstr(p, "skew") ? 8192 : 0;
    *write = false;
    if (!strncmp(p, "seq", 3)) {
        *write = p[4] == 'w';
        return i * T;
    }
    if (!strncmp(p, "tile", 4)) {
        const uint64_t n = a / T, k = i / n, s = k % 3;
        *write = s == 2;
        return s * (M + skew) + k / 3 * a + i % n * T;
    }
    if (!strncmp(p, "mix3", 4)) {
        *write = i % 3 == 2;
        return i % 3 * (M + skew) + i / 3 * T;
    }
    if (!strncmp(p, "streams", 7))
        return i % a * (M / 2 + skew) + i / a * T;
    if (!strncmp(p, "stride", 6)) {
        const uint64_t nw = b / T, nt = 64 * nw, k = i / nt, q = i % nt, r = q / nw, c = q % nw, per = a / b;
        *write = p[6] == '_';
        return k / per * 64 * a + k % per * b + r * a + c * T;
    }
    *write = p[5] == 'm' && i % 3 == 2;
    return (golden_random() >> 11) % ((256 << 20) / T) * T;
}

START_TEST(patterns_follow_their_formulas)
{
    static const struct {
        const char *name;
        uint64_t a, b;
    } patterns[] = {{"seq_rd", 0, 0},
                    {"seq_wr", 0, 0},
                    {"tile:4096", 4096, 0},
                    {"tileskew:16384", 16384, 0},
                    {"mix3", 0, 0},
                    {"mix3skew", 0, 0},
                    {"streams:4", 4, 0},
                    {"streamsskew:7", 7, 0},
                    {"stride:4096:256", 4096, 256},
                    {"stride_wr:16384:1024", 16384, 1024},
                    {"rand_rd", 0, 0},
                    {"rand_mix", 0, 0}};
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++)
        for (uint64_t T = 32; T <= 64; T *= 2) {
            struct sy_dram_source source;
            struct sy_dram_cursor cursor;
            ck_assert_int_eq(sy_dram_pattern(patterns[p].name, T, 30000, &source, NULL), SY_OK);
            sy_dram_cursor_start(&cursor, &source, T == 32 ? 5 : 6);
            x = UINT64_C(0x9E3779B97F4A7C15);
            for (uint64_t i = 0; i < 30000; i++) {
                uint64_t burst;
                bool write, expected;
                REQUIRE(sy_dram_cursor_next(&cursor, &burst, &write));
                const uint64_t address =
                    golden_address(patterns[p].name, i, T, patterns[p].a, patterns[p].b, &expected);
                REQUIRE(burst * T == (address));
                REQUIRE(write == expected);
            }
            uint64_t burst;
            bool write;
            REQUIRE(!sy_dram_cursor_next(&cursor, &burst, &write));
        }
}
END_TEST

START_TEST(unaligned_rows_touch_every_burst_they_overlap)
{
    random_state = 99;
    for (int round = 0; round < 3000; round++) {
        struct sy_dram_source source = {.streams = 1, .bursts = UINT64_MAX, .clocks_den = 1};
        struct sy_dram_stream *s = &source.stream[0];
        *s = (struct sy_dram_stream){.base = random_below(100000), .run_bytes = 1 + random_below(700)};
        for (int k = 0; k < SY_DRAM_LOOPS; k++)
            s->loop[k] = (struct sy_dram_loop){random_below(9), random_below(5000)};
        struct sy_dram_cursor cursor;
        sy_dram_cursor_start(&cursor, &source, 6);
        uint64_t total = 0;
        uint64_t n[SY_DRAM_LOOPS];
        for (int k = 0; k < SY_DRAM_LOOPS; k++)
            n[k] = s->loop[k].count > 1 ? s->loop[k].count : 1;
        for (uint64_t c = 0; c < n[2]; c++)
            for (uint64_t b = 0; b < n[1]; b++)
                for (uint64_t a = 0; a < n[0]; a++) {
                    const uint64_t first = s->base + a * s->loop[0].stride_bytes * (n[0] > 1) +
                                           b * s->loop[1].stride_bytes * (n[1] > 1) +
                                           c * s->loop[2].stride_bytes * (n[2] > 1);
                    for (uint64_t at = first / 64; at <= (first + s->run_bytes - 1) / 64; at++, total++) {
                        uint64_t burst;
                        bool write;
                        REQUIRE(sy_dram_cursor_next(&cursor, &burst, &write));
                        REQUIRE(burst == (at));
                    }
                }
        uint64_t burst;
        bool write;
        REQUIRE(!sy_dram_cursor_next(&cursor, &burst, &write));
        ck_assert_uint_eq(sy_dram_source_bursts(&source, 6), total);
    }
}
END_TEST

START_TEST(arrivals_are_exact_fractions)
{
    random_state = 3;
    for (int round = 0; round < 200; round++) {
        struct sy_dram_source source;
        struct sy_dram_cursor cursor;
        ck_assert_int_eq(sy_dram_pattern("seq_rd", 64, 2000, &source, NULL), SY_OK);
        source.clocks_num = 1 + random_below(1000);
        source.clocks_den = 1 + random_below(1000);
        sy_dram_cursor_start(&cursor, &source, 6);
        for (uint64_t i = 0; i < 2000; i++) {
            uint64_t burst;
            bool write;
            REQUIRE(sy_dram_cursor_arrival(&cursor) == (i * source.clocks_num / source.clocks_den));
            REQUIRE(sy_dram_cursor_next(&cursor, &burst, &write));
        }
    }
}
END_TEST

START_TEST(counts_without_end_or_beyond_64_bits_say_so)
{
    struct sy_dram_stream stream = {.run_bytes = UINT64_MAX};
    ck_assert_uint_eq(sy_dram_stream_bursts(&stream, 6), UINT64_MAX);
    stream = (struct sy_dram_stream){.run_bytes = 64, .loop = {{UINT64_MAX, 64}}};
    ck_assert_uint_eq(sy_dram_stream_bursts(&stream, 6), UINT64_MAX);
    stream = (struct sy_dram_stream){.run_bytes = 6400, .loop = {{UINT64_C(1) << 40, 64}, {UINT64_C(1) << 40, 64}}};
    ck_assert_uint_eq(sy_dram_stream_bursts(&stream, 6), UINT64_MAX);
    stream = (struct sy_dram_stream){.run_bytes = 64, .loop = {{UINT64_C(1) << 40, 64}}};
    ck_assert_uint_eq(sy_dram_stream_bursts(&stream, 6), UINT64_C(1) << 40);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram_map");
    TCase *maps = tcase_create("maps");
    tcase_set_timeout(maps, 60);
    tcase_add_test(maps, every_map_is_one_to_one);
    tcase_add_test(maps, fields_take_address_bits_in_their_order);
    tcase_add_test(maps, the_named_hash_is_that_of_the_tool);
    tcase_add_test(maps, a_map_that_does_not_fit_is_refused);
    tcase_add_test(maps, patterns_follow_their_formulas);
    tcase_add_test(maps, unaligned_rows_touch_every_burst_they_overlap);
    tcase_add_test(maps, arrivals_are_exact_fractions);
    tcase_add_test(maps, counts_without_end_or_beyond_64_bits_say_so);
    suite_add_tcase(suite, maps);
    return run_suite(suite);
}
