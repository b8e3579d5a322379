/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bank conflicts by layout: the periodic count is that of every cycle stepped one by one, SCALE-Sim v3's figures come
 * out, and a run takes exactly so much longer and says why.
 */
#include "tests/unit/engine_support.h"

#include "sim/engine/array_layout.h"

static const struct sy_replay_options ideal = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};

/* Distinct lines of the busiest bank in one cycle, by listing and comparing all of them. */
struct asked {
    uint64_t level, bank, operand, line[2];
};

static uint64_t stepped_cycle(const struct sy_edge edge[2], bool one_level, uint64_t steps, uint64_t t)
{
    struct asked list[128];
    uint64_t count = 0, worst = 0;
    for (uint64_t e = 0; e < 2; e++)
        for (uint64_t r = 0; r < edge[e].lanes; r++) {
            if (t < r || t - r >= steps)
                continue;
            uint64_t lane = edge[e].first_lane + r, step = t - r, words = edge[e].lane_words * edge[e].stream_words;
            uint64_t p = lane % edge[e].lane_words, q = step % edge[e].stream_words;
            uint64_t column = edge[e].lanes_inner ? q * edge[e].lane_words + p : p * edge[e].stream_words + q;
            struct asked one = {one_level ? 0 : e,
                                column * edge[e].banks / words,
                                e,
                                {lane / edge[e].lane_words, step / edge[e].stream_words}};
            bool known = false;
            for (uint64_t i = 0; i < count; i++)
                known |= !memcmp(&list[i], &one, sizeof one);
            if (!known)
                list[count++] = one;
        }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t lines = 0;
        for (uint64_t j = 0; j < count; j++)
            lines += list[j].level == list[i].level && list[j].bank == list[i].bank;
        uint64_t ports = edge[list[i].operand].ports;
        worst = sy_max(worst, (lines + ports - 1) / ports);
    }
    return worst ? worst - 1 : 0;
}

static uint64_t stepped(const struct sy_edge edge[2], bool one_level, uint64_t steps)
{
    uint64_t stalls = 0;
    for (uint64_t t = 0; t < steps + sy_max(edge[0].lanes, edge[1].lanes); t++)
        stalls += stepped_cycle(edge, one_level, steps, t);
    return stalls;
}

START_TEST(a_fold_is_counted_as_if_every_cycle_were_stepped)
{
    uint64_t seed = 2024, some = 0;
    for (int i = 0; i < cases(1500); i++) {
        struct sy_edge edge[2] = {{0}};
        bool one_level = draw(&seed, 0, 1);
        uint64_t banks = draw(&seed, 1, 16), ports = draw(&seed, 1, 3), kinds = draw(&seed, 1, 3);
        for (int e = 0; e < 2; e++) {
            edge[e] = (struct sy_edge){.lane_words = draw(&seed, 1, 9),
                                       .stream_words = draw(&seed, 1, 9),
                                       .lanes_inner = draw(&seed, 0, 1),
                                       .lanes = kinds >> e & 1 ? draw(&seed, 1, 24) : 0,
                                       .banks = one_level ? banks : draw(&seed, 1, 16),
                                       .ports = one_level ? ports : draw(&seed, 1, 3)};
            edge[e].first_lane = draw(&seed, 0, edge[e].lane_words - 1);
        }
        uint64_t steps = draw(&seed, 1, 90), stalls = sy_layout_fold_stalls(edge, one_level, steps);
        ck_assert_uint_eq(stalls, stepped(edge, one_level, steps));
        some += stalls > 0;
    }
    ck_assert_uint_gt(some, 500);
}
END_TEST

/* A chip whose operands each have a scratchpad of their own, as SCALE-Sim's. */
static void layout_text(struct sy_buf *text, uint64_t edge, uint64_t banks, uint64_t ports, const char *flow,
                        const char *a, const char *b)
{
    sy_buf_printf(
        text,
        "name: t\ndescription: test\nsource: test\nconfidence: assumed\ntechnology: {node: 28 nm}\n"
        "clocks: {core: 1 GHz}\ncore:\n  array: {rows: %llu, cols: %llu, dataflows: [%s], precisions: [{a: "
        "int8, b: int8, accumulator: int32}], timing: scalesim-rtl}\nmemory:\n"
        "  - {name: acc, kind: sram, holds: [C], capacity: 64 MiB, accumulates: true}\n"
        "  - {name: ifmap, kind: sram, holds: [A], capacity: 64 MiB, banks: %llu, ports: %llu%s%s}\n"
        "  - {name: filter, kind: sram, holds: [B], capacity: 64 MiB, banks: %llu, ports: %llu%s%s}\n"
        "  - {name: dram, kind: dram, holds: [A, B, C], capacity: 8 GiB, bandwidth: 100 GB/s, energy: ddr4}\n",
        (unsigned long long)edge, (unsigned long long)edge, flow, (unsigned long long)banks, (unsigned long long)ports,
        *a ? ", layout: " : "", a, (unsigned long long)banks, (unsigned long long)ports, *b ? ", layout: " : "", b);
}

static struct sy_chip *layout_chip(uint64_t edge, uint64_t banks, uint64_t ports, const char *flow, const char *a,
                                   const char *b)
{
    struct log_sink log;
    struct sy_buf text = {0};
    struct sy_chip *chip = NULL;
    struct sy_chip_options options = {.data_dir = data_dir()};
    layout_text(&text, edge, banks, ports, flow, a, b);
    if (sy_chip_parse(text.data, text.length, "t.yaml", &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s\n%s", log_text(&log), text.data);
    log_end(&log);
    sy_buf_free(&text);
    return chip;
}

/* Of SCALE-Sim v3 1d62b68, custom layouts: a 48 x 48 x 48 product on 16 x 16, os, lines of 16 words along k. Layout
 * line 1,16,1,16,1,1,3,4,5,0,1,2,4,5,6,7,0,1,2,3, USER, bank bandwidth 16, 1 MB each; `systole run --compat
 * scalesim-v3`, which tests/golden/scalesim_random_layout.csv holds to the tool, reports the same. */
START_TEST(scalesim_v3_stalls_as_often)
{
    static const uint64_t row[][3] = {{1, 1, 6345}, {2, 1, 3465}, {4, 1, 1593}, {8, 1, 549}, {16, 1, 0}, {2, 2, 1485}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sy_chip *chip = layout_chip(16, row[i][0], row[i][1], "os", "{A: {k: 16}}", "{B: {k: 16}}");
        ck_assert_uint_eq(sy_layout_stalls(chip, &chip->array.dataflow[0], 48, 48, 48), row[i][2]);
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(a_run_takes_its_conflicts_longer_and_says_so)
{
    static const char *const flows[] = {"os", "ws", "is"};
    uint64_t seed = 7, some = 0;
    struct sy_buf text = {0};
    for (int i = 0; i < cases(60); i++) {
        const char *flow = flows[draw(&seed, 0, 2)];
        uint64_t m = draw(&seed, 1, 60), k = draw(&seed, 1, 60), n = draw(&seed, 1, 60), banks = draw(&seed, 1, 8);
        char a[64], b[64];
        snprintf(a, sizeof a, "{A: {m: %d, k: %d, inner: %s}}", (int)draw(&seed, 1, 5), (int)draw(&seed, 1, 5),
                 draw(&seed, 0, 1) ? "m" : "k");
        snprintf(b, sizeof b, "{B: {k: %d, n: %d, inner: %s}}", (int)draw(&seed, 1, 5), (int)draw(&seed, 1, 5),
                 draw(&seed, 0, 1) ? "k" : "n");
        sy_buf_clear(&text);
        sy_buf_printf(&text,
                      "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=a:int8 b=b:int8:weight y=y:int8 "
                      "tile0=%llu,%llu,%llu\nend 1\n",
                      (unsigned long long)m, (unsigned long long)k, (unsigned long long)n, (unsigned long long)m,
                      (unsigned long long)k, (unsigned long long)n);
        struct sy_chip *with = layout_chip(8, banks, 1, flow, a, b), *without = layout_chip(8, banks, 1, flow, "", "");
        struct sy_result *slow = must_run(with, "t", text.data, &ideal);
        struct sy_result *fast = must_run(without, "t", text.data, &ideal);
        uint64_t stalls = sy_layout_stalls(with, &with->array.dataflow[0], m, k, n);
        ck_assert_uint_eq(slow->unit[0].stall[SY_STALL_BANK_CONFLICT], stalls);
        ck_assert_uint_eq(fast->unit[0].stall[SY_STALL_BANK_CONFLICT], 0);
        ck_assert_msg(slow->cycles == fast->cycles + stalls, "%llu + %llu, not %llu: %s %s %s\n%s",
                      (unsigned long long)fast->cycles, (unsigned long long)stalls, (unsigned long long)slow->cycles,
                      flow, a, b, text.data);
        some += stalls > 0;
        sy_result_destroy(slow);
        sy_result_destroy(fast);
        sy_chip_destroy(with);
        sy_chip_destroy(without);
    }
    ck_assert_uint_gt(some, 20);
    sy_buf_free(&text);
}
END_TEST

START_TEST(a_layout_of_what_a_level_does_not_hold_is_refused)
{
    static const char *const bad[][3] = {{"{B: {k: 4}}", "", "memory.ifmap does not hold B but gives it a layout"},
                                         {"{A: {n: 4}}", "", "unknown key 'n'"},
                                         {"", "{B: {k: 0}}", "found '0'"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct log_sink log;
        struct sy_buf text = {0};
        struct sy_chip *chip = NULL;
        struct sy_chip_options options = {.data_dir = data_dir()};
        layout_text(&text, 8, 4, 1, "os", bad[i][0], bad[i][1]);
        ck_assert(sy_chip_parse(text.data, text.length, "t.yaml", &options, &chip, log_start(&log)) != SY_OK);
        ck_assert_msg(strstr(log_text(&log), bad[i][2]) != NULL, "%s", log_text(&log));
        log_end(&log);
        sy_buf_free(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layout");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_fold_is_counted_as_if_every_cycle_were_stepped);
    tcase_add_test(tcase, scalesim_v3_stalls_as_often);
    tcase_add_test(tcase, a_run_takes_its_conflicts_longer_and_says_so);
    tcase_add_test(tcase, a_layout_of_what_a_level_does_not_hold_is_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
