/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic fidelity against the event fidelity. Tolerances: 5 % of the cycles of a workload, 1 % where the array is
 * active nine tenths of the time. On random chips and layers a single layer may be further off, where the period of a
 * loop is longer than what is measured (the worst of these seeds: 23 %); there the mean and the 95th percentile are
 * bounded instead.
 */
#include <math.h>

#include "tests/unit/engine_support.h"

static const struct sy_replay_options event = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};
static const struct sy_replay_options analytic = {
    .fidelity = SY_FIDELITY_ANALYTIC, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};

static double relative(double is, double should)
{
    return should > 0 ? fabs(is / should - 1) : is > 0;
}

/* What the array does is exact, whatever the dataflow. */
static void check_array(const struct sy_result *a, const struct sy_result *e, const char *what)
{
    ck_assert_msg(a->macs == e->macs, "%s: %llu MACs, event %llu", what, (unsigned long long)a->macs,
                  (unsigned long long)e->macs);
    ck_assert_msg(a->unit[0].busy == e->unit[0].busy, "%s: array busy %llu, event %llu", what,
                  (unsigned long long)a->unit[0].busy, (unsigned long long)e->unit[0].busy);
    ck_assert_msg(a->work.active_cycles == e->work.active_cycles, "%s: array active %llu, event %llu", what,
                  (unsigned long long)a->work.active_cycles, (unsigned long long)e->work.active_cycles);
    ck_assert_msg(a->work.mapped_pe_beats == e->work.mapped_pe_beats, "%s: mapped PE beats %llu, event %llu", what,
                  (unsigned long long)a->work.mapped_pe_beats, (unsigned long long)e->work.mapped_pe_beats);
    ck_assert_msg(a->work.pe_beats == e->work.pe_beats, "%s: PE beats %llu, event %llu", what,
                  (unsigned long long)a->work.pe_beats, (unsigned long long)e->work.pe_beats);
}

static void check_counters(const struct sy_result *a, const struct sy_result *e, double bytes_off, const char *what)
{
    ck_assert_uint_eq(a->units, e->units);
    ck_assert_uint_eq(a->layers, e->layers);
    ck_assert_uint_eq(a->layers_run, e->layers_run);
    for (uint32_t i = 0; i < a->units; i++)
        ck_assert_str_eq(a->unit[i].name, e->unit[i].name);
    check_array(a, e, what);
    ck_assert_uint_eq(a->vector.elements, e->vector.elements);
    ck_assert_msg(relative((double)a->dram_read_bytes, (double)e->dram_read_bytes) < bytes_off,
                  "%s: reads %llu, event %llu", what, (unsigned long long)a->dram_read_bytes,
                  (unsigned long long)e->dram_read_bytes);
    ck_assert_msg(relative((double)a->dram_write_bytes, (double)e->dram_write_bytes) < bytes_off,
                  "%s: writes %llu, event %llu", what, (unsigned long long)a->dram_write_bytes,
                  (unsigned long long)e->dram_write_bytes);
}

START_TEST(shipped_networks_agree_with_event)
{
    static const char *const chips[] = {"eyeriss", "gemmini", "scalesim", "tpu-v1", "tpu-v4", "tpu-v4i", "tpu-v6e"};
    static const char *const nets[] = {"alexnet", "bert-base", "mobilenet-v2", "resnet50"};
    struct log_sink log;
    struct sy_chip *chip = NULL;
    struct sy_chip_options options = {.data_dir = data_dir()};
    if (sy_chip_load(chips[_i], &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s", log_text(&log));
    log_end(&log);
    for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++) {
        char path[600], what[100];
        snprintf(path, sizeof path, "%s/workloads/nets/%s.slt.gz", data_dir(), nets[n]);
        snprintf(what, sizeof what, "%s on %s", nets[n], chips[_i]);
        struct sy_result *e = must_run(chip, path, NULL, &event), *a = must_run(chip, path, NULL, &analytic);
        double active = (double)e->work.active_cycles / (double)e->cycles,
               off = relative((double)a->cycles, (double)e->cycles);
        ck_assert_msg(off < (active >= 0.9 ? 0.01 : 0.05), "%s: %llu cycles, event %llu (array active %.2f)", what,
                      (unsigned long long)a->cycles, (unsigned long long)e->cycles, active);
        check_counters(a, e, 0.03, what);
        sy_result_destroy(a);
        sy_result_destroy(e);
    }
    sy_chip_destroy(chip);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

START_TEST(random_products_on_random_chips_agree_with_event)
{
    enum { ROUNDS = 150 };
    uint64_t seed = 40 + (uint64_t)_i, ran = 0;
    double off[ROUNDS], sum = 0, bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        char text[300];
        snprintf(text, sizeof text,
                 "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=x:int8 b=w:int8:weight y=y:int8%s\nend 1\n",
                 (unsigned long long)draw(&seed, 1, 1500), (unsigned long long)draw(&seed, 1, 1500),
                 (unsigned long long)draw(&seed, 1, 1500), draw(&seed, 0, 1) ? " post=bias+relu" : "");
        struct log_sink said;
        struct sy_result *e = run_trace(chip, "t", text, &event, &said);
        log_end(&said);
        if (e) {
            struct sy_result *a = must_run(chip, "t", text, &analytic);
            off[ran] = relative((double)a->cycles, (double)e->cycles);
            sum += off[ran++];
            check_counters(a, e, 0.35, text); /* rows of odd widths lie differently in bursts for long */
            bytes += relative((double)(a->dram_read_bytes + a->dram_write_bytes),
                              (double)(e->dram_read_bytes + e->dram_write_bytes));
            sy_result_destroy(a);
        }
        sy_result_destroy(e);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(ran, ROUNDS / 2);
    qsort(off, ran, sizeof off[0], ascending);
    ck_assert_msg(sum / (double)ran < 0.01, "mean difference %g", sum / (double)ran);
    ck_assert_msg(bytes / (double)ran < 0.01, "mean difference of bytes %g", bytes / (double)ran);
    ck_assert_msg(off[ran * 95 / 100] < 0.05, "95th percentile %g", off[ran * 95 / 100]);
}
END_TEST

/* Without a loop long enough to leave iterations out, nothing is approximated. */
START_TEST(short_loops_give_the_event_cycles_exactly)
{
    uint64_t seed = 7, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < 200; round++) {
        struct machine m = random_machine(&seed);
        m.rows = m.cols = 16;
        m.queue = 16;
        m.scratch_kib = 128;
        m.accumulator_kib = 64;
        struct sy_chip *chip = machine_chip(&m);
        sy_buf_clear(&text);
        sy_buf_printf(&text,
                      "systole-trace 1\ngemm a m=%llu k=%llu n=%llu a=x:int8 b=w1:int8:weight y=u:int8 post=relu\n"
                      "gemm b m=%llu k=%llu n=%llu a=u:int8 b=w2:int8:weight y=h:int8\nend 2\n",
                      (unsigned long long)draw(&seed, 1, 60), (unsigned long long)draw(&seed, 1, 60),
                      (unsigned long long)draw(&seed, 1, 60), (unsigned long long)draw(&seed, 1, 60),
                      (unsigned long long)draw(&seed, 1, 60), (unsigned long long)draw(&seed, 1, 60));
        struct log_sink said;
        struct sy_result *e = run_trace(chip, "t", text.data, &event, &said);
        log_end(&said);
        if (e) {
            struct sy_result *a = must_run(chip, "t", text.data, &analytic);
            ck_assert_msg(a->cycles == e->cycles && a->dram_read_bytes == e->dram_read_bytes,
                          "%llu cycles, event %llu\n%s", (unsigned long long)a->cycles, (unsigned long long)e->cycles,
                          text.data);
            for (uint32_t i = 0; i < a->units; i++)
                ck_assert(a->unit[i].busy == e->unit[i].busy &&
                          !memcmp(a->unit[i].stall, e->unit[i].stall, sizeof a->unit[i].stall));
            sy_result_destroy(a);
            ran++;
        }
        sy_result_destroy(e);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(ran, 100);
    sy_buf_free(&text);
}
END_TEST

/* All kinds of layers, several of them: conservation is checked inside every run. */
START_TEST(random_workloads_conserve)
{
    uint64_t seed = 300 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < 200; round++) {
        struct machine m = random_machine(&seed);
        struct sy_chip *chip = machine_chip(&m);
        struct log_sink said;
        struct sy_result *e = run_trace(chip, "t", random_workload(&seed, &text, draw(&seed, 1, 6)), &event, &said);
        log_end(&said);
        if (e) {
            struct sy_result *a = must_run(chip, "t", text.data, &analytic);
            ck_assert_uint_eq(a->macs, e->macs);
            ck_assert_uint_eq(a->unit[0].busy, e->unit[0].busy);
            sy_result_destroy(a);
            ran++;
        }
        sy_result_destroy(e);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(ran, 100);
    sy_buf_free(&text);
}
END_TEST

/* Loops long enough that most iterations are left out, of convolutions whose tiles begin anywhere in a row of outputs,
 * a row of the filter or a segment of k: row stationary, and chips whose rows hold the window whole, in part or not. */
START_TEST(convolutions_keep_the_array_as_busy_as_event_exactly)
{
    static const char *const flows[] = {"[rs]", "[ws]", "[is]",
                                        "[{name: part, rows: [Cin, Fw], cols: [N], stationary: B}]"};
    enum { ROUNDS = 30 };
    uint64_t seed = 900 + (uint64_t)_i, ran = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct machine m = random_machine(&seed);
        char timing[400], text[400];
        m.dataflows = flows[_i];
        snprintf(timing, sizeof timing,
                 "{row_stationary: true, output_stationary: false, weight_stationary: false, input_stationary: false, "
                 "rs_ifmap_words: %llu, rs_filter_words: %llu, rs_sum_words: %llu, rs_filter_words_per_cycle: %llu, "
                 "weight_load: separate_wires, fold_overlap: none}",
                 (unsigned long long)draw(&seed, 1, 32), (unsigned long long)draw(&seed, 32, 400),
                 (unsigned long long)draw(&seed, 1, 32), (unsigned long long)draw(&seed, 1, 8));
        if (_i == 0)
            m.timing = timing;
        struct sy_chip *chip = machine_chip(&m);
        uint64_t f = draw(&seed, 1, 5), c = draw(&seed, 1, 400), groups = draw(&seed, 0, 3) ? 1 : draw(&seed, 2, 4);
        snprintf(
            text, sizeof text,
            "systole-trace 1\nconv l batch=%llu h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu sh=%llu sw=%llu pt=%llu "
            "pl=1 groups=%llu a=x:int8 b=w:int8:weight y=y:int8\nend 1\n",
            (unsigned long long)draw(&seed, 1, 3), (unsigned long long)draw(&seed, 5, 60),
            (unsigned long long)draw(&seed, 5, 60), (unsigned long long)(groups * c),
            (unsigned long long)(groups * draw(&seed, 1, 300)), (unsigned long long)f,
            (unsigned long long)draw(&seed, 1, 5), (unsigned long long)draw(&seed, 1, 2),
            (unsigned long long)draw(&seed, 1, 2), (unsigned long long)draw(&seed, 0, 1), (unsigned long long)groups);
        struct log_sink said;
        struct sy_result *e = run_trace(chip, "t", text, &event, &said);
        log_end(&said);
        if (e) {
            struct sy_result *a = must_run(chip, "t", text, &analytic);
            check_array(a, e, text);
            ran++;
            sy_result_destroy(a);
        }
        sy_result_destroy(e);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(ran, ROUNDS / 2);
}
END_TEST

/* Groups of heads are alike: a few of them are walked. */
START_TEST(groups_of_heads_agree_with_event)
{
    enum { ROUNDS = 40 };
    uint64_t seed = 77 + (uint64_t)_i, ran = 0, walked[2] = {0};
    double sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct machine m = plain_machine();
        m.rows = m.cols = 16;
        m.scratch_kib = m.accumulator_kib = 64;
        m.middle_kib = draw(&seed, 256, 1024);
        m.keeps = true;
        m.lanes = draw(&seed, 2, 64);
        m.dram_gbs = (double)draw(&seed, 16, 256);
        m.cores = _i ? 2 : 1;
        struct sy_chip *chip = machine_chip(&m);
        uint64_t kv_heads = draw(&seed, 4, 12), sharing = draw(&seed, 1, 3);
        char text[400];
        snprintf(text, sizeof text,
                 "systole-trace 1\nattention l batch=%llu heads=%llu kv_heads=%llu q_len=%llu kv_len=512 head_dim=32 "
                 "value_dim=32 causal=%s q=q:int8 k=k:int8 v=v:int8 y=o:int8\nend 1\n",
                 (unsigned long long)draw(&seed, 1, 4), (unsigned long long)(kv_heads * sharing),
                 (unsigned long long)kv_heads, (unsigned long long)(draw(&seed, 1, 4) * 128),
                 draw(&seed, 0, 1) ? "yes" : "no");
        struct sy_replay_options options[2] = {event, analytic};
        for (int i = 0; i < 2; i++) {
            options[i].no_fast_forward = true;
            options[i].walked = &walked[i];
        }
        struct log_sink said;
        struct sy_result *e = run_trace(chip, "t", text, &options[0], &said);
        log_end(&said);
        if (e) {
            struct sy_result *a = must_run(chip, "t", text, &options[1]);
            check_counters(a, e, 0.01, text);
            sum += relative((double)a->cycles, (double)e->cycles);
            ck_assert_msg(relative((double)a->cycles, (double)e->cycles) < 0.05, "%llu cycles, event %llu\n%s",
                          (unsigned long long)a->cycles, (unsigned long long)e->cycles, text);
            sy_result_destroy(a);
            ran++;
        }
        sy_result_destroy(e);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(ran, ROUNDS / 2);
    ck_assert_msg(sum / (double)ran < 0.01, "mean difference %g", sum / (double)ran);
    ck_assert_msg(walked[1] < walked[0] / 2, "%llu commands of %llu", (unsigned long long)walked[1],
                  (unsigned long long)walked[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("analytic");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, shipped_networks_agree_with_event, 0, 7);
    tcase_add_loop_test(tcase, random_products_on_random_chips_agree_with_event, 0, 3);
    tcase_add_test(tcase, short_loops_give_the_event_cycles_exactly);
    tcase_add_loop_test(tcase, random_workloads_conserve, 0, 2);
    tcase_add_loop_test(tcase, convolutions_keep_the_array_as_busy_as_event_exactly, 0, 4);
    tcase_add_loop_test(tcase, groups_of_heads_agree_with_event, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
