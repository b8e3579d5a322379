/* SPDX-License-Identifier: Apache-2.0 */
/* Which tensors are read again, however far ahead, and that what is read again stays on chip. */
#include <stdio.h>
#include <string.h>

#include "sim/engine/liveness.h"
#include "tests/unit/engine_support.h"

enum { NODES = 100000, MOST_READS = 3 };

/* A graph whose node i (from 1) makes tensor i + 1 and reads up to three of those before, near or far. */
static uint64_t (*random_graph(uint64_t nodes, uint64_t seed))[MOST_READS]
{
    uint64_t(*reads)[MOST_READS] = calloc(nodes + 1, sizeof *reads);
    ck_assert_ptr_nonnull(reads);
    for (uint64_t i = 1; i <= nodes; i++)
        for (uint64_t k = 0, n = draw(&seed, 0, MOST_READS); k < n; k++)
            reads[i][k] = draw(&seed, 0, 1) ? draw(&seed, 1, i) : i - draw(&seed, 0, sy_min(i - 1, 5));
    return reads;
}

/* The oracle goes over the graph from its end and knows nothing of look-ahead. */
START_TEST(next_uses_of_a_graph_of_1e5_nodes_are_those_found_backwards)
{
    uint64_t(*reads)[MOST_READS] = random_graph(NODES, 11);
    uint64_t *next = calloc(NODES + 2, sizeof *next);                      /* of a tensor, behind the node at hand */
    uint64_t(*wanted)[MOST_READS + 1] = calloc(NODES + 1, sizeof *wanted); /* of what a node reads, and makes */
    ck_assert(next && wanted);
    for (uint64_t i = NODES; i >= 1; i--) {
        for (int k = 0; k < MOST_READS; k++)
            wanted[i][k] = next[reads[i][k]];
        wanted[i][MOST_READS] = next[i + 1];
        for (int k = 0; k < MOST_READS; k++)
            if (reads[i][k])
                next[reads[i][k]] = i;
    }
    struct sy_liveness l;
    sy_liveness_open(&l);
    const uint64_t ahead = 30000; /* the rest is put in while nodes pass */
    uint64_t put = 0, checked = 0;
    for (uint64_t i = 1; i <= NODES; i++) {
        for (; put < NODES && put < i + ahead; put++)
            for (int k = 0; k < MOST_READS; k++)
                ck_assert_int_eq(sy_liveness_add(&l, put + 1, reads[put + 1][k]), SY_OK);
        for (int k = 0; k <= MOST_READS; k++) {
            uint64_t tensor = k < MOST_READS ? reads[i][k] : i + 1, is = sy_liveness_next(&l, tensor, i);
            uint64_t should = tensor && wanted[i][k] && wanted[i][k] <= put ? wanted[i][k] : UINT64_MAX;
            ck_assert_msg(is == should, "node %llu, tensor %llu: %llu, not %llu", (unsigned long long)i,
                          (unsigned long long)tensor, (unsigned long long)is, (unsigned long long)should);
            checked += should != UINT64_MAX;
        }
        sy_liveness_pass(&l, i);
    }
    ck_assert_uint_gt(checked, NODES / 2);
    ck_assert_uint_eq(l.from, l.to);
    sy_liveness_close(&l);
    free(reads);
    free(next);
    free(wanted);
}
END_TEST

static struct sy_chip *keeping_chip(uint64_t middle_kib)
{
    struct machine m = plain_machine();
    m.middle_kib = middle_kib;
    m.keeps = true;
    m.burst = 1;
    return machine_chip(&m);
}

/* One tensor waits beside a chain of `distance` layers, and is added to the last one's output. */
static void skip_text(struct sy_buf *out, uint64_t distance)
{
    sy_buf_clear(out);
    sy_buf_puts(out, "systole-trace 1\nnet t\n"
                     "gemm first m=16 k=24 n=16 a=x:int8 b=w:int8:weight y=s:int8\n"
                     "gemm chain0 m=16 k=16 n=16 a=s:int8 b=w0:int8:weight y=t0:int8\n");
    for (uint64_t i = 1; i <= distance; i++)
        sy_buf_printf(out, "gemm chain%llu m=16 k=16 n=16 a=t%llu:int8 b=w%llu:int8:weight y=t%llu:int8\n",
                      (unsigned long long)i, (unsigned long long)i - 1, (unsigned long long)i, (unsigned long long)i);
    sy_buf_printf(out, "gemm last m=16 k=16 n=8 a=t%llu:int8 b=v:int8:weight y=u:int8\n", (unsigned long long)distance);
    sy_buf_printf(out, "elementwise sum elements=256 function=add a=t%llu:int8 b=s:int8 y=out:int8\nend %llu\n",
                  (unsigned long long)distance, (unsigned long long)distance + 4);
}

/* Compulsory bytes and no others: x, the weights, and what nobody reads. */
START_TEST(a_tensor_stays_on_chip_until_it_is_read_hundreds_of_layers_later)
{
    static const uint64_t distance[] = {1, 60, 70, 300, 2000};
    struct sy_chip *chip = keeping_chip(128);
    struct sy_buf text = {0};
    for (size_t i = 0; i < sizeof distance / sizeof distance[0]; i++) {
        const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
        skip_text(&text, distance[i]);
        struct sy_result *result = must_run(chip, "t", text.data, &options);
        uint64_t reads = 16 * 24 + 24 * 16 + (distance[i] + 1) * 16 * 16 + 16 * 8;
        ck_assert_uint_eq(result->dram_read_bytes, reads);
        ck_assert_uint_eq(result->dram_write_bytes, 16 * 8 + 16 * 16);
        sy_result_destroy(result);
    }
    sy_buf_free(&text);
    sy_chip_destroy(chip);
}
END_TEST

/* Folded and written out, the same layers read the same tensors. */
START_TEST(a_folded_trace_knows_the_same_uses_as_the_same_trace_written_out)
{
    struct sy_chip *chip = keeping_chip(128);
    struct sy_buf folded = {0}, flat = {0};
    const uint64_t times = 90;
    sy_buf_puts(&folded, "systole-trace 1\nnet t\n"
                         "gemm first m=16 k=24 n=16 a=x:int8 b=w:int8:weight y=s:int8\n"
                         "gemm second m=16 k=16 n=16 a=s:int8 b=v:int8:weight y=t:int8\nrepeat 90 {\n"
                         "gemm up m=16 k=16 n=32 a=t:int8:shared b=wu:int8:weight y=h:int8\n"
                         "gemm down m=16 k=32 n=16 a=h:int8 b=wd:int8:weight y=t:int8:shared\n}\n"
                         "elementwise sum elements=256 function=add a=t:int8 b=s:int8 y=out:int8\nend 7\n");
    sy_buf_puts(&flat, "systole-trace 1\nnet t\n"
                       "gemm first m=16 k=24 n=16 a=x:int8 b=w:int8:weight y=s:int8\n"
                       "gemm second m=16 k=16 n=16 a=s:int8 b=v:int8:weight y=t:int8\n");
    for (uint64_t i = 0; i < times; i++)
        sy_buf_printf(&flat,
                      "gemm up m=16 k=16 n=32 a=t:int8 b=wu%llu:int8:weight y=h%llu:int8\n"
                      "gemm down m=16 k=32 n=16 a=h%llu:int8 b=wd%llu:int8:weight y=t:int8\n",
                      (unsigned long long)i, (unsigned long long)i, (unsigned long long)i, (unsigned long long)i);
    sy_buf_printf(&flat, "elementwise sum elements=256 function=add a=t:int8 b=s:int8 y=out:int8\nend %llu\n",
                  (unsigned long long)(3 + 2 * times));
    const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    struct sy_result *a = must_run(chip, "t", folded.data, &options), *b = must_run(chip, "t", flat.data, &options);
    ck_assert_uint_eq(a->cycles, b->cycles);
    ck_assert_uint_eq(a->dram_read_bytes, b->dram_read_bytes);
    ck_assert_uint_eq(a->dram_read_bytes, 2 * 16 * 24 + 16 * 16 + times * 2 * 16 * 32);
    ck_assert_uint_eq(a->dram_write_bytes, 256);
    sy_result_destroy(a);
    sy_result_destroy(b);
    sy_buf_free(&folded);
    sy_buf_free(&flat);
    sy_chip_destroy(chip);
}
END_TEST

/* Tensors that wait for ever different lengths: running from memory stays the same run. */
START_TEST(layers_run_from_memory_while_others_wait_far_away)
{
    struct sy_chip *chip = keeping_chip(256);
    struct sy_buf text = {0};
    uint64_t lines = 2, walked = 0, all = 0;
    sy_buf_puts(&text, "systole-trace 1\nnet t\n");
    for (uint64_t i = 0; i < 8; i++, lines++)
        sy_buf_printf(&text, "gemm make%llu m=16 k=24 n=16 a=x:int8 b=w:int8:weight y=s%llu:int8\n",
                      (unsigned long long)i, (unsigned long long)i);
    sy_buf_puts(&text, "repeat 200 {\ngemm up m=16 k=16 n=32 a=s0:int8:shared b=wu:int8:weight y=h:int8\n"
                       "gemm down m=16 k=32 n=16 a=h:int8 b=wd:int8:weight y=g:int8\n}\n");
    for (uint64_t i = 8; i-- > 0; lines++)
        sy_buf_printf(&text, "gemm use%llu m=16 k=16 n=16 a=s%llu:int8 b=w:int8:weight y=u%llu:int8\n",
                      (unsigned long long)i, (unsigned long long)i, (unsigned long long)i);
    sy_buf_printf(&text, "end %llu\n", (unsigned long long)lines + 2);
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .walked = &walked};
    struct sy_result *quick = must_run(chip, "t", text.data, &options);
    options.no_fast_forward = true;
    options.walked = &all;
    struct sy_result *full = must_run(chip, "t", text.data, &options);
    ck_assert_uint_eq(quick->cycles, full->cycles);
    ck_assert_uint_eq(quick->dram_read_bytes, full->dram_read_bytes);
    ck_assert_uint_eq(quick->dram_write_bytes, full->dram_write_bytes);
    ck_assert_msg(walked * 10 < all, "%llu of %llu commands walked", (unsigned long long)walked,
                  (unsigned long long)all);
    sy_result_destroy(quick);
    sy_result_destroy(full);
    sy_buf_free(&text);
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("liveness");
    tcase_set_timeout(tcase, 60); /* a busy machine */
    tcase_add_test(tcase, next_uses_of_a_graph_of_1e5_nodes_are_those_found_backwards);
    tcase_add_test(tcase, a_tensor_stays_on_chip_until_it_is_read_hundreds_of_layers_later);
    tcase_add_test(tcase, a_folded_trace_knows_the_same_uses_as_the_same_trace_written_out);
    tcase_add_test(tcase, layers_run_from_memory_while_others_wait_far_away);
    return run_case("liveness", tcase);
}
