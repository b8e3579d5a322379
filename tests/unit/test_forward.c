/* SPDX-License-Identifier: Apache-2.0 */
/* Fast-forwarding changes the cost of a run and nothing else: every counter is that of the run in which each tile is
 * walked, which is the oracle here. */
#include <stdio.h>
#include <string.h>

#include "sim/engine/state.h"
#include "tests/unit/engine_support.h"

static void same_units(const struct sy_result *a, const struct sy_result *b, const char *what)
{
    ck_assert_uint_eq(a->units, b->units);
    for (uint32_t i = 0; i < a->units; i++) {
        ck_assert_msg(a->unit[i].busy == b->unit[i].busy && a->unit[i].cycles == b->unit[i].cycles &&
                          a->unit[i].commands == b->unit[i].commands,
                      "unit %s\n%s", a->unit[i].name, what);
        for (uint32_t k = 0; k < a->stalls; k++)
            ck_assert_msg(a->unit[i].stall[k] == b->unit[i].stall[k], "unit %s waits for %s: %llu, walked %llu\n%s",
                          a->unit[i].name, a->stall_name[k], (unsigned long long)a->unit[i].stall[k],
                          (unsigned long long)b->unit[i].stall[k], what);
    }
}

static void same_memory(const struct sy_result *a, const struct sy_result *b, const char *what)
{
    for (uint32_t i = 0; i < a->levels; i++) {
        const struct sy_level_stats *x = &a->level[i], *y = &b->level[i];
        ck_assert_msg(x->read_bytes == y->read_bytes && x->write_bytes == y->write_bytes &&
                          x->peak_bytes == y->peak_bytes &&
                          !memcmp(x->filled_bytes, y->filled_bytes, sizeof x->filled_bytes) &&
                          !memcmp(x->released_bytes, y->released_bytes, sizeof x->released_bytes) &&
                          !memcmp(x->resident_bytes, y->resident_bytes, sizeof x->resident_bytes),
                      "level %s\n%s", x->name, what);
    }
    for (uint32_t i = 0; i < a->links; i++)
        ck_assert_msg(a->link[i].filled_bytes == b->link[i].filled_bytes &&
                          a->link[i].copied_bytes == b->link[i].copied_bytes &&
                          a->link[i].drained_bytes == b->link[i].drained_bytes,
                      "link %s\n%s", a->link[i].name, what);
    for (uint32_t i = 0; i < a->drams; i++) {
        const struct sy_dram_stats *x = &a->dram[i], *y = &b->dram[i];
        ck_assert_msg(
            x->read_bytes == y->read_bytes && x->write_bytes == y->write_bytes && x->busy_ticks == y->busy_ticks &&
                x->row_hits == y->row_hits && x->row_misses == y->row_misses && x->row_conflicts == y->row_conflicts &&
                x->activates == y->activates && x->active_ns == y->active_ns && x->standby_ns == y->standby_ns &&
                x->power_down_ns == y->power_down_ns && x->refreshes == y->refreshes,
            "memory %s\n%s", x->name, what);
    }
}

static void same_layers(const struct sy_result *a, const struct sy_result *b, const char *what)
{
    ck_assert_uint_eq(a->layers, b->layers);
    for (uint64_t i = 0; i < a->layers; i++) {
        const struct sy_layer_result *x = &a->layer[i], *y = &b->layer[i];
        ck_assert_msg(x->cycles == y->cycles && x->macs == y->macs && x->busy == y->busy && x->repeat == y->repeat &&
                          x->bound == y->bound && !memcmp(x->stall, y->stall, sizeof x->stall) &&
                          !memcmp(x->tile, y->tile, sizeof x->tile) && !memcmp(&x->work, &y->work, sizeof x->work) &&
                          !memcmp(&x->vector, &y->vector, sizeof x->vector) &&
                          !memcmp(x->level_read_bytes, y->level_read_bytes, sizeof x->level_read_bytes) &&
                          !memcmp(x->level_write_bytes, y->level_write_bytes, sizeof x->level_write_bytes),
                      "layer %s: %llu cycles, walked %llu\n%s", x->name, (unsigned long long)x->cycles,
                      (unsigned long long)y->cycles, what);
    }
}

static void same(const struct sy_result *a, const struct sy_result *b, const char *what)
{
    ck_assert_msg(a->cycles == b->cycles, "%llu cycles, walked %llu\n%s", (unsigned long long)a->cycles,
                  (unsigned long long)b->cycles, what);
    ck_assert_msg(a->macs == b->macs && a->kept_bytes_saved == b->kept_bytes_saved &&
                      !memcmp(&a->work, &b->work, sizeof a->work) && !memcmp(&a->vector, &b->vector, sizeof a->vector),
                  "work\n%s", what);
    ck_assert_msg(!memcmp(&a->crossbar, &b->crossbar, sizeof a->crossbar), "crossbar\n%s", what);
    same_units(a, b, what);
    same_memory(a, b, what);
    same_layers(a, b, what);
}

/* Layers with many tiles, so that loops get into their stride; some repeated, folded or one by one. */
static void long_workload(uint64_t *seed, struct sy_buf *out)
{
    static const char *const post[] = {"", " post=bias", " post=bias+relu", " post=gelu"};
    sy_buf_clear(out);
    uint64_t times = draw(seed, 1, 9), lines = 2;
    sy_buf_printf(out, "systole-trace 1\nnet t\nrepeat %llu {\n", (unsigned long long)times);
    for (uint64_t i = 0, layers = draw(seed, 1, 3); i < layers; i++, lines++) {
        bool resident = draw(seed, 0, 1);
        if (draw(seed, 0, 2)) {
            sy_buf_printf(
                out, "gemm l%llu m=%llu k=%llu n=%llu g=%llu a=%s%llu:int8 b=w%llu:int8:weight y=t%llu:int8%s\n",
                (unsigned long long)i, (unsigned long long)draw(seed, 1, 500), (unsigned long long)draw(seed, 1, 300),
                (unsigned long long)draw(seed, 1, 500), (unsigned long long)(draw(seed, 0, 4) ? 1 : draw(seed, 2, 20)),
                resident ? "t" : "x", (unsigned long long)i, (unsigned long long)i, (unsigned long long)i + 1,
                post[draw(seed, 0, 3)]);
        } else {
            uint64_t f = draw(seed, 1, 3);
            sy_buf_printf(
                out,
                "conv l%llu b=%llu h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu sh=%llu sw=1 pt=%llu pb=1 pl=1 "
                "pr=1 a=%s%llu:int8 b=w%llu:int8:weight y=t%llu:int8%s\n",
                (unsigned long long)i, (unsigned long long)draw(seed, 1, 3), (unsigned long long)draw(seed, 4, 40),
                (unsigned long long)draw(seed, 4, 40), (unsigned long long)draw(seed, 1, 24),
                (unsigned long long)draw(seed, 1, 40), (unsigned long long)f, (unsigned long long)f,
                (unsigned long long)draw(seed, 1, 2), (unsigned long long)draw(seed, 0, 1), resident ? "t" : "x",
                (unsigned long long)i, (unsigned long long)i, (unsigned long long)i + 1, post[draw(seed, 0, 3)]);
        }
    }
    sy_buf_printf(out, "}\nend %llu\n", (unsigned long long)lines);
}

static void compare(enum sy_fidelity fidelity, enum sy_memory_mode memory, uint64_t cases, uint64_t counts[2])
{
    uint64_t seed = UINT64_C(0x5eed0001) + memory;
    for (uint64_t i = 0; i < cases; i++) {
        struct machine m = random_machine(&seed);
        m.rows = draw(&seed, 8, 32);
        m.cols = draw(&seed, 8, 32);
        m.scratch_kib = draw(&seed, 16, 128);
        struct sy_chip *chip = machine_chip(&m);
        struct sy_buf text = {0};
        struct log_sink said;
        long_workload(&seed, &text);
        struct sy_replay_options options = {
            .fidelity = fidelity, .memory = memory, .kernel = i % 8 ? SCK_HEAP : SCK_SYSTEMC, .walked = &counts[0]};
        struct sy_result *forward = run_trace(chip, "t", text.data, &options, &said);
        log_end(&said);
        options.no_fast_forward = true;
        options.walked = &counts[1];
        struct sy_result *full = run_trace(chip, "t", text.data, &options, &said);
        log_end(&said);
        ck_assert_msg(!forward == !full, "refused one way\n%s\n%s", chip->text, text.data);
        if (full) {
            struct sy_buf what = {0};
            sy_buf_printf(&what, "%s\n%s", chip->text, text.data);
            same(forward, full, what.data);
            sy_buf_free(&what);
            sy_result_destroy(forward);
            sy_result_destroy(full);
        }
        sy_buf_free(&text);
        sy_chip_destroy(chip);
    }
}

static void compare_all(enum sy_fidelity fidelity, enum sy_memory_mode memory, uint64_t cases, double least_gain)
{
    uint64_t counts[2] = {0}; /* walked and all */
    compare(fidelity, memory, cases, counts);
    ck_assert_msg((double)counts[0] < (double)counts[1] * least_gain, "%llu of %llu commands were walked",
                  (unsigned long long)counts[0], (unsigned long long)counts[1]);
}

START_TEST(nothing_but_the_cost_changes_with_ideal_memory)
{
    compare_all(SY_FIDELITY_EVENT, SY_MEMORY_IDEAL, 700, 0.5);
}
END_TEST

START_TEST(nothing_but_the_cost_changes_with_shared_memory)
{
    compare_all(SY_FIDELITY_EVENT, SY_MEMORY_SHARED, 900, 0.5);
}
END_TEST

/* There layers are left out; what is left out of loops is approximated, and the same with and without. */
START_TEST(nothing_but_the_cost_changes_at_the_analytic_fidelity)
{
    compare_all(SY_FIDELITY_ANALYTIC, SY_MEMORY_SHARED, 500, 0.8);
}
END_TEST

START_TEST(nothing_but_the_cost_changes_on_the_shipped_chips)
{
    static const char *const chips[] = {"tpu-v4i", "tpu-v4", "tpu-v1", "gemmini", "eyeriss"};
    static const char *const nets[] = {"resnet18", "bert-base", "mobilenet-v2"};
    for (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++) {
        struct sy_chip *chip = NULL;
        struct sy_chip_options loading = {.data_dir = data_dir()};
        ck_assert_int_eq(sy_chip_load(chips[c], &loading, &chip, NULL), SY_OK);
        for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++) {
            char path[600];
            snprintf(path, sizeof path, "%s/workloads/nets/%s.slt.gz", data_dir(), nets[n]);
            for (int memory = SY_MEMORY_SHARED; memory <= SY_MEMORY_SAMPLED; memory++) {
                struct sy_replay_options options = {
                    .fidelity = memory == SY_MEMORY_SAMPLED && n == 1 ? SY_FIDELITY_ANALYTIC : SY_FIDELITY_EVENT,
                    .memory = (enum sy_memory_mode)memory,
                    .kernel = SCK_HEAP,
                    .data_dir = data_dir()};
                struct log_sink said;
                struct sy_result *forward = run_trace(chip, path, NULL, &options, &said);
                log_end(&said);
                options.no_fast_forward = true;
                struct sy_result *full = run_trace(chip, path, NULL, &options, &said);
                log_end(&said);
                ck_assert_msg(!forward == !full, "%s on %s: refused one way", nets[n], chips[c]);
                if (full)
                    same(forward, full, path);
                sy_result_destroy(forward);
                sy_result_destroy(full);
            }
        }
        sy_chip_destroy(chip);
    }
}
END_TEST

/* A word list asked for room it has keeps its size: the layers of a record share one list. */
START_TEST(words_grow_only_when_there_is_no_room)
{
    struct sy_words words = {0};
    ck_assert(sy_words_grow(&words, 100));
    size_t first = words.capacity;
    for (int i = 0; i < 1000; i++)
        ck_assert(sy_words_grow(&words, first));
    ck_assert_uint_eq(words.capacity, first);
    words.count = first;
    ck_assert(sy_words_grow(&words, 1));
    ck_assert_uint_ge(words.capacity, first + 1);
    ck_assert(!sy_words_grow(&words, SIZE_MAX / 2));
    free(words.word);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forward");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, nothing_but_the_cost_changes_with_ideal_memory);
    tcase_add_test(tcase, nothing_but_the_cost_changes_with_shared_memory);
    tcase_add_test(tcase, nothing_but_the_cost_changes_at_the_analytic_fidelity);
    tcase_add_test(tcase, nothing_but_the_cost_changes_on_the_shipped_chips);
    tcase_add_test(tcase, words_grow_only_when_there_is_no_room);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
