/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of sequences of different lengths: every figure is the sum over the sequences, taken one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_support.h"
#include "traces/trace.h"
#include "workloads/import/importer.h"
#include "workloads/sequences.h"

/* ---- the figures of a layer ---- */

struct batch {
    uint64_t kinds;
    struct sy_sequence kind[8];
    char text[256];
};

static void random_batch(uint64_t *seed, uint64_t longest, bool decode, bool causal, struct batch *batch)
{
    size_t length = 0;
    batch->kinds = draw(seed, 1, 8);
    for (uint64_t i = 0; i < batch->kinds; i++) {
        struct sy_sequence *kind = &batch->kind[i];
        kind->count = draw(seed, 1, 5);
        kind->queries = decode ? 1 : draw(seed, 1, longest);
        kind->keys = causal ? kind->queries + draw(seed, 0, longest) : draw(seed, 1, longest);
        length += (size_t)snprintf(batch->text + length, sizeof batch->text - length, "%s%llux%llu:%llu", i ? "," : "",
                                   (unsigned long long)kind->count, (unsigned long long)kind->queries,
                                   (unsigned long long)kind->keys);
    }
}

static struct sy_layer attention_layer(const struct batch *batch, bool causal, uint64_t window)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_ATTENTION);
    layer.name = "l";
    layer.dim.attention = (struct sy_attention_dims){.heads = 6,
                                                     .kv_heads = 2,
                                                     .head_dim = 8,
                                                     .value_dim = 4,
                                                     .causal = causal,
                                                     .window = window,
                                                     .sequences = batch->text};
    for (uint64_t i = 0; i < batch->kinds; i++) {
        struct sy_attention_dims *d = &layer.dim.attention;
        d->b += batch->kind[i].count;
        d->q_len = sy_max(d->q_len, batch->kind[i].queries);
        d->kv_len = sy_max(d->kv_len, batch->kind[i].keys);
    }
    return layer;
}

/* Figures of one sequence, counted pair by pair. */
struct counted {
    uint64_t macs, visible, q, k, v, y;
};

static struct counted count_sequence(const struct sy_attention_dims *d, uint64_t queries, uint64_t keys)
{
    struct counted c = {0};
    uint64_t pairs = 0, first = keys, end = 0;
    for (uint64_t i = 0; i < queries; i++) {
        /* The last query stands at the last key. */
        uint64_t at = keys + i + 1 >= queries ? keys - queries + i : 0;
        for (uint64_t j = 0; j < keys; j++) {
            bool seen = !d->causal || (j <= at && (!d->window || j + d->window > at));
            pairs += seen;
            first = seen && j < first ? j : first;
            end = seen && j + 1 > end ? j + 1 : end;
        }
    }
    c.visible = pairs * d->heads * (d->head_dim + d->value_dim);
    c.macs = queries * (end - first) * d->heads * (d->head_dim + d->value_dim);
    c.q = queries * d->heads * d->head_dim;
    c.y = queries * d->heads * d->value_dim;
    c.k = (end - first) * d->kv_heads * d->head_dim;
    c.v = (end - first) * d->kv_heads * d->value_dim;
    return c;
}

START_TEST(figures_are_the_sums_over_sequences)
{
    uint64_t seed = UINT64_C(0x4a66ed01);
    for (int i = 0; i < cases(300); i++) {
        struct batch batch;
        bool causal = draw(&seed, 0, 1), decode = draw(&seed, 0, 1);
        uint64_t window = causal && draw(&seed, 0, 1) ? draw(&seed, 1, 40) : 0, visible = 0;
        random_batch(&seed, 30, decode, causal, &batch);
        struct sy_layer layer = attention_layer(&batch, causal, window);
        struct counted sum = {0};
        for (uint64_t kind = 0; kind < batch.kinds; kind++) {
            struct counted one = count_sequence(&layer.dim.attention, batch.kind[kind].queries, batch.kind[kind].keys);
            uint64_t count = batch.kind[kind].count;
            sum.macs += count * one.macs;
            sum.visible += count * one.visible;
            sum.q += count * one.q;
            sum.k += count * one.k;
            sum.v += count * one.v;
            sum.y += count * one.y;
        }
        struct log_sink said;
        ck_assert_msg(sy_layer_check(&layer, "t", log_start(&said)) == SY_OK, "%s: %s", batch.text, log_text(&said));
        log_end(&said);
        ck_assert_msg(sy_layer_macs(&layer) == sum.macs, "%s: %llu MACs, counted %llu", batch.text,
                      (unsigned long long)sy_layer_macs(&layer), (unsigned long long)sum.macs);
        ck_assert(sy_attention_visible_macs(&layer.dim.attention, &visible));
        ck_assert_uint_eq(visible, sum.visible);
        ck_assert_uint_eq(sy_layer_input_elements(&layer, 0), sum.q);
        ck_assert_uint_eq(sy_layer_input_elements(&layer, 1), sum.k);
        ck_assert_uint_eq(sy_layer_input_elements(&layer, 2), sum.v);
        ck_assert_uint_eq(sy_layer_output_elements(&layer), sum.y);
    }
}
END_TEST

START_TEST(a_list_that_is_none_or_does_not_sum_is_refused)
{
    static const struct {
        const char *sequences, *message;
    } bad[] = {{"", "no list of sequences"},
               {"2x1:9,", "no list of sequences"},
               {"2x1", "no list of sequences"},
               {"0x1:9", "no list of sequences"},
               {"2x0:9", "no list of sequences"},
               {"2x1:0", "no list of sequences"},
               {"2x1:9;1x1:9", "no list of sequences"},
               {"99999999999999999999x1:9", "no list of sequences"},
               {"1x1:9", "its sequences give 1, 1 and 9"},
               {"2x1:8", "its sequences give 2, 1 and 8"},
               {"2x2:9", "its sequences give 2, 2 and 9"},
               {"18446744073709551615x1:9,2x1:9", "its sequences give"},
               {"1x1:9,1x3:2", "3 queries over only 2 keys"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct log_sink said;
        struct sy_layer layer;
        sy_layer_init(&layer, SY_OP_ATTENTION);
        layer.dim.attention = (struct sy_attention_dims){.b = 2,
                                                         .heads = 2,
                                                         .kv_heads = 1,
                                                         .q_len = 1,
                                                         .kv_len = 9,
                                                         .head_dim = 8,
                                                         .value_dim = 8,
                                                         .causal = 1,
                                                         .sequences = bad[i].sequences};
        ck_assert_int_eq(sy_layer_check(&layer, "t", log_start(&said)), SY_INPUT);
        ck_assert_msg(strstr(log_text(&said), bad[i].message) != NULL, "%s: %s", bad[i].sequences, log_text(&said));
        log_end(&said);
    }
}
END_TEST

/* ---- a run ---- */

static struct sy_chip *small_chip(bool serialize)
{
    struct machine m = plain_machine();
    m.rows = m.cols = 16;
    m.scratch_kib = 64;
    m.accumulator_kib = 64;
    m.middle_kib = 1024;
    m.keeps = true;
    m.lanes = 16;
    m.fuses = true;
    m.serialize = serialize;
    return machine_chip(&m);
}

static struct sy_result *run_batch(const struct sy_chip *chip, const struct sy_layer *layer, uint64_t *walked)
{
    const struct sy_attention_dims *d = &layer->dim.attention;
    struct sy_buf text = {0};
    struct sy_replay_options options = {
        .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP, .walked = walked};
    sy_buf_printf(&text,
                  "systole-trace 1\nnet t\nattention l batch=%llu heads=6 kv_heads=2 q_len=%llu kv_len=%llu "
                  "head_dim=8 value_dim=4 causal=%s window=%llu q=q:int8 k=k:int8 v=v:int8 y=o:int8%s%s\nend 1\n",
                  (unsigned long long)d->b, (unsigned long long)d->q_len, (unsigned long long)d->kv_len,
                  d->causal ? "yes" : "no", (unsigned long long)d->window, d->sequences ? " sequences=" : "",
                  d->sequences ? d->sequences : "");
    struct sy_result *result = must_run(chip, "t", text.data, &options);
    sy_buf_free(&text);
    return result;
}

/* Kinds of sequences share neither keys nor work: together they move and compute what they do one kind after the
 * other, in no less time than the longest of them and no more than all of them command by command; and simulating them
 * takes no more commands, however many sequences a kind has. */
START_TEST(a_run_moves_and_computes_what_its_kinds_do_one_by_one)
{
    uint64_t seed = UINT64_C(0x4a66ed02);
    struct sy_chip *chip = small_chip(false), *serial = small_chip(true);
    for (int i = 0; i < cases(25); i++) {
        struct batch batch;
        bool causal = draw(&seed, 0, 1);
        random_batch(&seed, 300, draw(&seed, 0, 1), causal, &batch);
        struct sy_layer layer = attention_layer(&batch, causal, causal && draw(&seed, 0, 1) ? 50 : 0);
        uint64_t walked = 0, walked_apart = 0;
        struct sy_result *all = run_batch(chip, &layer, &walked);
        uint64_t macs = 0, skipped = 0, read = 0, written = 0, together = 0, longest = 0;
        for (uint64_t kind = 0; kind < batch.kinds; kind++) {
            struct sy_layer one = layer;
            one.dim.attention.sequences = NULL;
            one.dim.attention.b = batch.kind[kind].count;
            one.dim.attention.q_len = batch.kind[kind].queries;
            one.dim.attention.kv_len = batch.kind[kind].keys;
            struct sy_result *result = run_batch(chip, &one, &walked_apart);
            macs += result->macs;
            skipped += result->work.skipped_macs;
            read += result->layer[0].level_read_bytes[chip->levels - 1];
            written += result->layer[0].level_write_bytes[chip->levels - 1];
            longest = sy_max(longest, result->cycles);
            sy_result_destroy(result);
            result = run_batch(serial, &one, NULL);
            together += result->cycles;
            sy_result_destroy(result);
        }
        ck_assert_uint_eq(all->macs, macs);
        ck_assert_uint_eq(all->work.skipped_macs, skipped);
        ck_assert_uint_eq(all->layer[0].level_read_bytes[chip->levels - 1], read);
        ck_assert_uint_eq(all->layer[0].level_write_bytes[chip->levels - 1], written);
        ck_assert_msg(all->cycles <= together && all->cycles >= longest,
                      "%s: %llu cycles; command by command %llu, longest %llu", batch.text,
                      (unsigned long long)all->cycles, (unsigned long long)together, (unsigned long long)longest);
        ck_assert_uint_le(walked, walked_apart + 8 * batch.kinds); /* beside others a softmax is in up to 8 pieces */
        sy_result_destroy(all);
    }
    sy_chip_destroy(serial);
    sy_chip_destroy(chip);
}
END_TEST

/* ---- lists of contexts ---- */

static char *imported(const char *config, const struct sy_import_options *options, enum sy_status wanted, char *said)
{
    char path[1024];
    struct log_sink log;
    struct sy_workload *workload = NULL;
    struct sy_buf text = {0};
    struct sy_trace_writer_options plain = {.plain = true, .memory = &text};
    snprintf(path, sizeof path, "%s/tests/golden/hf_configs/%s.json", data_dir(), config);
    enum sy_status status = sy_import_file(path, NULL, options, &workload, log_start(&log));
    ck_assert_msg(status == wanted, "%s: %s", config, log_text(&log));
    if (status == SY_OK)
        ck_assert_int_eq(sy_trace_write_workload("t", workload, &plain, log_start(&log)), SY_OK);
    if (said)
        snprintf(said, 400, "%s", log_text(&log));
    log_end(&log);
    sy_workload_destroy(workload);
    return text.data;
}

static char *with_contexts(const char *phase, const char *contexts)
{
    struct sy_import_options options = {.phase = phase, .contexts = contexts};
    return imported("mistral-7b-v0.3", &options, SY_OK, NULL);
}

START_TEST(equal_lengths_are_one_kind_in_any_order)
{
    static const char *const lists[] = {"128,4096,512,128", "4096,128,128,512", "2x128,1x512,4096", "512,2x128,4096"};
    for (int decode = 0; decode < 2; decode++) {
        char *first = with_contexts(decode ? "decode" : "prefill", lists[0]);
        ck_assert(strstr(first, decode ? " sequences=2x1:129,1x1:513,1x1:4097\n"
                                       : " sequences=2x128:128,1x512:512,1x4096:4096\n") != NULL);
        for (size_t i = 1; i < sizeof lists / sizeof lists[0]; i++) {
            char *other = with_contexts(decode ? "decode" : "prefill", lists[i]);
            ck_assert_str_eq(first, other);
            free(other);
        }
        free(first);
    }
}
END_TEST

START_TEST(equal_contexts_are_a_batch_of_one_context)
{
    for (int decode = 0; decode < 2; decode++) {
        const char *phase = decode ? "decode" : "prefill";
        struct sy_import_options plain = {.phase = phase, .batch = 3, .context = 700};
        char *list = with_contexts(phase, "700,2x700"), *batch = imported("mistral-7b-v0.3", &plain, SY_OK, NULL);
        ck_assert_str_eq(list, batch);
        free(list);
        free(batch);
    }
}
END_TEST

/* Qwen3-0.6B by its published shape: 28 layers, width 1024, 16 query and 8 key heads of 128, MLP 3072, vocabulary
 * 151936. Each sequence attends to itself alone; each has one row of logits. */
START_TEST(macs_of_a_model_follow_from_the_contexts)
{
    static const uint64_t context[] = {128, 4096, 512, 512};
    const uint64_t w = 1024, q = 16 * 128, kv = 8 * 128, ff = 3072, v = 151936;
    const uint64_t each = 28 * (w * q + 2 * w * kv + q * w + 3 * w * ff);
    for (int decode = 0; decode < 2; decode++) {
        uint64_t macs = 0;
        for (size_t i = 0; i < 4; i++) {
            uint64_t queries = decode ? 1 : context[i], keys = decode ? context[i] + 1 : context[i];
            macs += queries * each + 28 * 2 * q * queries * keys + w * v;
        }
        char path[1024];
        struct log_sink log;
        struct sy_workload *workload = NULL;
        struct sy_workload_totals totals;
        struct sy_import_options options = {.phase = decode ? "decode" : "prefill", .contexts = "128,4096,512,512"};
        snprintf(path, sizeof path, "%s/tests/golden/hf_configs/qwen3-0.6b.json", data_dir());
        ck_assert_int_eq(sy_import_file(path, NULL, &options, &workload, log_start(&log)), SY_OK);
        ck_assert(sy_workload_totals(workload, &totals));
        ck_assert_uint_eq(totals.macs, macs);
        ck_assert_uint_eq(workload->pass.sequences, 4);
        ck_assert_uint_eq(workload->pass.tokens, decode ? 4 : 128 + 4096 + 2 * 512);
        log_end(&log);
        sy_workload_destroy(workload);
    }
}
END_TEST

START_TEST(wrong_lists_of_contexts_say_where_and_what)
{
    static const struct {
        const char *config, *phase, *contexts;
        uint64_t batch, context;
        enum sy_status status;
        const char *said;
    } bad[] = {{"qwen3-0.6b", "decode", "128,4k", 0, 0, SY_INPUT, "1:5: expected a context in tokens, or COUNTxTOKENS"},
               {"qwen3-0.6b", "decode", "128,0", 0, 0, SY_INPUT, "found '0'"},
               {"qwen3-0.6b", "decode", "0x128", 0, 0, SY_INPUT, "found '0x128'"},
               {"qwen3-0.6b", "decode", "2147483648x4", 0, 0, SY_INPUT, "found '2147483648x4'"},
               {"qwen3-0.6b", "decode", "1073741824x1073741824", 0, 0, SY_INPUT, "too many tokens"},
               {"qwen3-0.6b", "decode", "2x128,64", 2, 0, SY_USAGE, "a batch of 2, but 3 contexts"},
               {"qwen3-0.6b", "decode", "2x128", 0, 64, SY_USAGE, "both one context and a list"},
               {"qwen3-0.6b", "decode", "no-such-file", 0, 0, SY_IO, "no-such-file"},
               {"qwen3-0.6b", "train-step", "128,64", 0, 0, SY_UNSUPPORTED, "train-step"},
               {"whisper-small", "decode", "32,64", 0, 0, SY_UNSUPPORTED, "whisper"},
               {"opt-125m", "prefill", "32,6400", 0, 0, SY_INPUT, "6400 tokens"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char said[400];
        struct sy_import_options options = {
            .phase = bad[i].phase, .contexts = bad[i].contexts, .batch = bad[i].batch, .context = bad[i].context};
        char *text = imported(bad[i].config, &options, bad[i].status, said);
        ck_assert_msg(strstr(said, bad[i].said) != NULL, "%s: %s", bad[i].contexts, said);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ragged");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, figures_are_the_sums_over_sequences);
    tcase_add_test(tcase, a_list_that_is_none_or_does_not_sum_is_refused);
    tcase_add_test(tcase, a_run_moves_and_computes_what_its_kinds_do_one_by_one);
    tcase_add_test(tcase, equal_lengths_are_one_kind_in_any_order);
    tcase_add_test(tcase, equal_contexts_are_a_batch_of_one_context);
    tcase_add_test(tcase, macs_of_a_model_follow_from_the_contexts);
    tcase_add_test(tcase, wrong_lists_of_contexts_say_where_and_what);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
