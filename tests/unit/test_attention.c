/* SPDX-License-Identifier: Apache-2.0 */
/* Attention on the machine: softmax beside the products. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_support.h"

struct shape {
    uint64_t batch, heads, kv_heads, q, kv, causal, window, dim;
};

static bool walk_all; /* leave nothing out */

static struct machine roomy_machine(void)
{
    struct machine m = plain_machine();
    m.rows = m.cols = 16;
    m.scratch_kib = 64;
    m.accumulator_kib = 64;
    m.middle_kib = 1024;
    m.keeps = true;
    m.latency_ns = 0;
    m.dram_gbs = 512;
    m.fuses = true;
    return m;
}

static struct sy_result *attend(const struct machine *m, const struct shape *shape, enum sy_fidelity fidelity)
{
    struct sy_buf text = {0};
    struct sy_chip *chip = machine_chip(m);
    struct sy_replay_options options = {
        .fidelity = fidelity, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP, .no_fast_forward = walk_all};
    sy_buf_printf(&text,
                  "systole-trace 1\nnet t\nattention l batch=%llu heads=%llu kv_heads=%llu q_len=%llu kv_len=%llu "
                  "head_dim=%llu value_dim=%llu causal=%s window=%llu q=q:int8 k=k:int8 v=v:int8 y=o:int8\nend 1\n",
                  (unsigned long long)shape->batch, (unsigned long long)shape->heads,
                  (unsigned long long)shape->kv_heads, (unsigned long long)shape->q, (unsigned long long)shape->kv,
                  (unsigned long long)shape->dim, (unsigned long long)shape->dim, shape->causal ? "yes" : "no",
                  (unsigned long long)shape->window);
    struct sy_result *result = must_run(chip, "t", text.data, &options);
    sy_buf_free(&text);
    sy_chip_destroy(chip);
    return result;
}

static struct shape random_shape(uint64_t *seed)
{
    struct shape s = {.batch = draw(seed, 1, 4), .kv_heads = draw(seed, 1, 3), .dim = draw(seed, 4, 48)};
    s.heads = s.kv_heads * draw(seed, 1, 4);
    s.causal = draw(seed, 0, 1);
    s.q = draw(seed, 0, 1) ? draw(seed, 1, 300) : 1;
    s.kv = s.causal ? s.q + draw(seed, 0, 300) : draw(seed, 1, 500);
    s.window = s.causal && draw(seed, 0, 2) == 0 ? draw(seed, 1, 200) : 0;
    return s;
}

/* No less than the busier of the two units, no more than everything one after the other. */
START_TEST(time_lies_between_the_busier_unit_and_one_command_at_a_time)
{
    uint64_t seed = UINT64_C(0xa77e0001);
    for (int i = 0; i < cases(60); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.lanes = draw(&seed, 1, 64);
        struct sy_result *both = attend(&m, &shape, SY_FIDELITY_EVENT);
        m.serialize = true;
        struct sy_result *serial = attend(&m, &shape, SY_FIDELITY_EVENT);
        ck_assert_str_eq(both->unit[0].name, "array");
        ck_assert_str_eq(both->unit[1].name, "vector");
        ck_assert_uint_ge(both->cycles, sy_max(both->unit[0].busy, both->unit[1].busy));
        ck_assert_msg(both->cycles <= serial->cycles, "%llu cycles, one command at a time %llu",
                      (unsigned long long)both->cycles, (unsigned long long)serial->cycles);
        ck_assert_uint_eq(both->macs, serial->macs);
        sy_result_destroy(both);
        sy_result_destroy(serial);
    }
}
END_TEST

/* Of the less busy unit at most a quarter shows: in the first scores and the last values, of 8 chunks or more, each
 * waits for the other. Were a softmax beside one of its two neighbours alone, half would show when both are as busy. */
START_TEST(softmax_lies_beside_the_products_of_both_neighbours)
{
    static const uint64_t lanes[] = {8, 16, 24, 32, 48, 64};
    struct shape shape = {.batch = 1, .heads = 4, .kv_heads = 2, .q = 512, .kv = 512, .dim = 32};
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++) {
        struct machine m = roomy_machine();
        m.lanes = lanes[i];
        struct sy_result *result = attend(&m, &shape, SY_FIDELITY_EVENT);
        uint64_t array = result->unit[0].busy, vector = result->unit[1].busy;
        ck_assert_msg(result->cycles <= sy_max(array, vector) + sy_min(array, vector) / 4,
                      "%llu lanes: %llu cycles, array %llu, vector unit %llu", (unsigned long long)lanes[i],
                      (unsigned long long)result->cycles, (unsigned long long)array, (unsigned long long)vector);
        sy_result_destroy(result);
    }
}
END_TEST

START_TEST(analytic_follows_event_through_the_overlap)
{
    uint64_t seed = UINT64_C(0xa77e0002);
    double worst = 0;
    for (int i = 0; i < cases(40); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.lanes = draw(&seed, 4, 64);
        struct sy_result *event = attend(&m, &shape, SY_FIDELITY_EVENT),
                         *analytic = attend(&m, &shape, SY_FIDELITY_ANALYTIC);
        double gap = (double)analytic->cycles / (double)event->cycles - 1;
        worst = gap > worst ? gap : -gap > worst ? -gap : worst;
        sy_result_destroy(event);
        sy_result_destroy(analytic);
    }
    ck_assert_msg(worst <= 0.05, "analytic differs by %.2f %%", 100 * worst);
}
END_TEST

/* Any chip, also of several cores, also without room for scores: the run's own books balance, and leaving out what is
 * alike changes nothing. */
START_TEST(any_chip_attends_and_its_books_balance)
{
    uint64_t seed = UINT64_C(0xa77e0003);
    for (int i = 0; i < cases(60); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = random_machine(&seed);
        m.dataflows = draw(&seed, 0, 1) ? "[ws]" : "[os]";
        shape.dim = draw(&seed, 4, 24);
        struct sy_result *result = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = true;
        struct sy_result *walked = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = false;
        ck_assert_uint_eq(result->cycles, walked->cycles);
        ck_assert_uint_eq(result->macs + result->work.skipped_macs,
                          shape.batch * shape.heads * shape.q * 2 * shape.dim *
                              (shape.window ? sy_min(shape.kv, shape.window + shape.q - 1) : shape.kv));
        sy_result_destroy(result);
        sy_result_destroy(walked);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attention");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, time_lies_between_the_busier_unit_and_one_command_at_a_time);
    tcase_add_test(tcase, softmax_lies_beside_the_products_of_both_neighbours);
    tcase_add_test(tcase, any_chip_attends_and_its_books_balance);
    tcase_add_test(tcase, analytic_follows_event_through_the_overlap);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
