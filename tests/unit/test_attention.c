/* SPDX-License-Identifier: Apache-2.0 */
/* Attention on the machine: softmax beside the products. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_support.h"

struct shape {
    uint64_t batch, heads, kv_heads, q, kv, causal, window, dim;
};

static bool walk_all;          /* leave nothing out */
static uint64_t *walked_count; /* commands run one by one; NULL: not asked */
static enum sy_memory_mode memory = SY_MEMORY_IDEAL;

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
    struct sy_replay_options options = {.fidelity = fidelity,
                                        .memory = memory,
                                        .kernel = SCK_HEAP,
                                        .no_fast_forward = walk_all,
                                        .walked = walked_count};
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

static void random_blocks(uint64_t *seed, struct machine *m)
{
    if (draw(seed, 0, 1))
        m->key_block = draw(seed, 16, 160);
    if (draw(seed, 0, 2) == 0)
        m->query_block = draw(seed, 4, 100);
}

/* No less than the busier of the two units, no more than everything one after the other. */
START_TEST(time_lies_between_the_busier_unit_and_one_command_at_a_time)
{
    uint64_t seed = UINT64_C(0xa77e0001);
    for (int i = 0; i < cases(60); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.lanes = draw(&seed, 1, 64);
        random_blocks(&seed, &m);
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

static void expect_same_run(const struct sy_result *a, const struct sy_result *b)
{
    ck_assert_uint_eq(a->cycles, b->cycles);
    ck_assert_uint_eq(a->macs, b->macs);
    ck_assert_uint_eq(a->work.beats, b->work.beats);
    ck_assert_uint_eq(a->work.mapped_pe_beats, b->work.mapped_pe_beats);
    ck_assert_uint_eq(a->kept_bytes_saved, b->kept_bytes_saved);
    ck_assert_uint_eq(a->dram_read_bytes, b->dram_read_bytes);
    ck_assert_uint_eq(a->dram_write_bytes, b->dram_write_bytes);
    ck_assert_uint_eq(a->layer[0].vector.simple_ops, b->layer[0].vector.simple_ops);
    ck_assert_uint_eq(a->layer[0].macs, b->layer[0].macs);
    for (uint32_t i = 0; i < a->units; i++) {
        ck_assert_uint_eq(a->unit[i].busy, b->unit[i].busy);
        for (int k = 0; k < SY_STALL_COUNT; k++)
            ck_assert_msg(a->unit[i].stall[k] == b->unit[i].stall[k], "unit %s, stall %s: %llu and %llu",
                          a->unit[i].name, sy_stall_names[k], (unsigned long long)a->unit[i].stall[k],
                          (unsigned long long)b->unit[i].stall[k]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(a->level[i].peak_bytes, b->level[i].peak_bytes);
        ck_assert_uint_eq(a->layer[0].level_read_bytes[i], b->layer[0].level_read_bytes[i]);
        ck_assert_uint_eq(a->layer[0].level_write_bytes[i], b->layer[0].level_write_bytes[i]);
    }
}

/* Many heads and sequences: the groups behind the first few are left out, and nothing tells. */
START_TEST(groups_of_heads_that_are_alike_are_left_out)
{
    uint64_t seed = UINT64_C(0xa77e0006), few = 0, all = 0;
    for (int i = 0; i < cases(30); i++) {
        struct shape shape = {.batch = draw(&seed, 6, 30),
                              .kv_heads = draw(&seed, 1, 4),
                              .q = draw(&seed, 0, 3) ? 32 * draw(&seed, 1, 6) : 1,
                              .dim = 16 * draw(&seed, 1, 2)};
        struct machine m = roomy_machine();
        shape.heads = shape.kv_heads * draw(&seed, 1, 3);
        shape.causal = draw(&seed, 0, 1);
        shape.kv = shape.q + 32 * draw(&seed, 0, 6);
        m.lanes = draw(&seed, 4, 64);
        m.middle_kib = draw(&seed, 0, 1) ? 1024 : 192;
        m.latency_ns = draw(&seed, 0, 100);
        m.dram_gbs = (double)draw(&seed, 8, 64);
        m.burst = 64;
        random_blocks(&seed, &m);
        memory = draw(&seed, 0, 1) ? SY_MEMORY_SHARED : SY_MEMORY_IDEAL;
        walked_count = &few;
        struct sy_result *result = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = true;
        walked_count = &all;
        struct sy_result *full = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = false;
        walked_count = NULL;
        memory = SY_MEMORY_IDEAL;
        expect_same_run(result, full);
        sy_result_destroy(result);
        sy_result_destroy(full);
    }
    ck_assert_msg(few * 2 < all, "%llu commands walked of %llu", (unsigned long long)few, (unsigned long long)all);
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
        random_blocks(&seed, &m);
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

/* ---- blocks of keys ---- */

static uint64_t bytes_read(const struct sy_result *result, const struct machine *m)
{
    return result->layer[0].level_read_bytes[m->middle_kib ? 3 : 2]; /* of the backing store */
}

/* Keys that blocks compute with, counted: a block of queries takes each block of keys of which any of its queries sees
 * any key, as far as there are keys that the layer sees. */
static uint64_t pairs_in_blocks(const struct shape *s, uint64_t query_block, uint64_t key_block)
{
    uint64_t pairs = 0, base = s->window && s->window + s->q - 1 < s->kv ? s->kv - (s->window + s->q - 1) : 0;
    for (uint64_t q0 = 0; q0 < s->q; q0 += query_block) {
        uint64_t q1 = sy_min(q0 + query_block, s->q), keys = 0;
        for (uint64_t k0 = 0; k0 < s->kv; k0 += key_block) {
            bool seen = false;
            uint64_t k1 = sy_min(k0 + key_block, s->kv);
            for (uint64_t q = q0; q < q1; q++) {
                uint64_t at = s->kv - s->q + q; /* where the query stands */
                uint64_t low = s->window && at + 1 > s->window ? at + 1 - s->window : 0;
                seen |= !s->causal || (k0 <= at && low < k1);
            }
            keys += seen ? k1 - sy_max(sy_min(base, k1), k0) : 0;
        }
        pairs += (q1 - q0) * keys;
    }
    return pairs;
}

START_TEST(blocks_that_no_query_sees_are_skipped)
{
    uint64_t seed = UINT64_C(0xa77e0004);
    for (int i = 0; i < cases(40); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.lanes = 32;
        m.middle_kib = 8192; /* so that the blocks asked for fit */
        shape.causal = 1;
        shape.q = draw(&seed, 1, 150);
        shape.kv = shape.q + draw(&seed, 0, 150);
        shape.window = draw(&seed, 0, 1) ? draw(&seed, 1, 200) : 0;
        m.query_block = draw(&seed, 1, 64);
        m.key_block = draw(&seed, 8, 100);
        struct sy_result *result = attend(&m, &shape, SY_FIDELITY_EVENT);
        uint64_t pairs = pairs_in_blocks(&shape, m.query_block, m.key_block);
        ck_assert_msg(result->macs == shape.batch * shape.heads * pairs * 2 * shape.dim,
                      "q %llu kv %llu window %llu blocks %llu x %llu: %llu MACs, counted %llu",
                      (unsigned long long)shape.q, (unsigned long long)shape.kv, (unsigned long long)shape.window,
                      (unsigned long long)m.query_block, (unsigned long long)m.key_block,
                      (unsigned long long)result->macs,
                      (unsigned long long)(shape.batch * shape.heads * pairs * 2 * shape.dim));
        sy_result_destroy(result);
    }
}
END_TEST

/* A decode step: 300 keys in blocks of 128 are 384 to the array; 84 of them are padding, no MACs, and not in memory. */
START_TEST(padding_of_the_last_block_is_work_but_no_macs_and_no_bytes)
{
    const struct shape shape = {.batch = 2, .heads = 8, .kv_heads = 2, .q = 1, .kv = 300, .dim = 32};
    const uint64_t macs = 2 * 8 * 300 * 64, cache = 2 * 2 * 300 * 64, queries = 2 * 8 * 32; /* a block reads queries */
    struct machine m = roomy_machine();
    m.lanes = 32;
    m.burst = 1; /* every byte counts */
    m.key_block = 128;
    struct sy_result *padded = attend(&m, &shape, SY_FIDELITY_EVENT);
    ck_assert_uint_eq(padded->macs, macs);
    ck_assert_uint_eq(padded->work.mapped_pe_beats * 300, macs * 384);
    ck_assert_uint_eq(bytes_read(padded, &m), cache + 3 * queries);
    m.key_block = 300;
    struct sy_result *whole = attend(&m, &shape, SY_FIDELITY_EVENT);
    ck_assert_uint_eq(whole->macs, macs);
    ck_assert_uint_eq(bytes_read(whole, &m), cache + queries);
    /* the vector unit takes the padding's exponentials too, and two more blocks' scales: (8 x 2) rows of each */
    ck_assert_uint_eq(whole->layer[0].vector.transcendental_ops, 16 * 300 + 16);
    ck_assert_uint_eq(padded->layer[0].vector.transcendental_ops, 16 * 384 + 16 * 2 + 16);
    sy_result_destroy(padded);
    sy_result_destroy(whole);
}
END_TEST

START_TEST(one_block_that_holds_all_keys_changes_nothing)
{
    uint64_t seed = UINT64_C(0xa77e0005);
    for (int i = 0; i < cases(20); i++) {
        struct shape shape = random_shape(&seed);
        struct machine m = roomy_machine();
        m.lanes = draw(&seed, 4, 64);
        shape.window = 0;
        if (draw(&seed, 0, 1))
            shape.q = 1;
        else
            shape.causal = 0;
        struct sy_result *whole = attend(&m, &shape, SY_FIDELITY_EVENT);
        m.key_block = shape.kv;
        struct sy_result *block = attend(&m, &shape, SY_FIDELITY_EVENT);
        ck_assert_uint_eq(block->cycles, whole->cycles);
        ck_assert_uint_eq(block->macs, whole->macs);
        ck_assert_uint_eq(bytes_read(block, &m), bytes_read(whole, &m));
        ck_assert_uint_eq(block->unit[1].busy, whole->unit[1].busy);
        sy_result_destroy(whole);
        sy_result_destroy(block);
    }
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
        m.accumulator_kib = draw(&seed, 32, 64); /* so that every tile fits */
        random_blocks(&seed, &m);
        struct sy_result *result = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = true;
        struct sy_result *walked = attend(&m, &shape, SY_FIDELITY_EVENT);
        walk_all = false;
        ck_assert_uint_eq(result->cycles, walked->cycles);
        ck_assert_uint_eq(result->macs, walked->macs);
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
    tcase_add_test(tcase, blocks_that_no_query_sees_are_skipped);
    tcase_add_test(tcase, padding_of_the_last_block_is_work_but_no_macs_and_no_bytes);
    tcase_add_test(tcase, one_block_that_holds_all_keys_changes_nothing);
    tcase_add_test(tcase, any_chip_attends_and_its_books_balance);
    tcase_add_test(tcase, groups_of_heads_that_are_alike_are_left_out);
    tcase_add_test(tcase, analytic_follows_event_through_the_overlap);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
