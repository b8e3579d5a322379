/* SPDX-License-Identifier: Apache-2.0 */
/* Language models: the figures people ask for, bounded from below by a roofline written here from the model's published
 * dimensions and the chip's data sheet, and attention in blocks against closed forms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/include/systole.h"
#include "tests/unit/engine_support.h"

/* ---- Llama 3 8B on TPU v4i, by hand ----
 * Meta's published dimensions: 32 layers, width 4096, 32 query and 8 key heads of 128, gated MLP of 14336, vocabulary
 * 128256. The chip: 4 arrays of 128 x 128 at 1.05 GHz, 614 GB/s; everything in bf16. */
static const double layers = 32, width = 4096, kv_width = 8 * 128, mlp = 14336, vocabulary = 128256;
static const double peak_macs = 4 * 128 * 128 * 1.05e9, peak_bytes = 614e9;

static double weights_of_layers(void)
{
    return layers * (2 * width * width + 2 * width * kv_width + 3 * width * mlp);
}

static double figure(const char *json, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(json, key);
    ck_assert_msg(at != NULL, "no %s", name);
    return at ? strtod(at + strlen(key), NULL) : 0;
}

static char *run_llama(const char *phase, uint64_t batch, uint64_t context, uint64_t new_tokens)
{
    struct systole_context library = {.struct_size = sizeof library, .data_dir = data_dir()};
    struct systole_import_options import = SYSTOLE_OPTIONS_INIT(struct systole_import_options);
    struct systole_run_options run = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    struct systole_chip *chip = NULL;
    struct systole_workload *model = NULL;
    struct systole_result *result = NULL;
    struct systole_text text;
    import.phase = phase;
    import.batch = batch;
    import.context = context;
    import.new_tokens = new_tokens;
    run.memory = "shared";
    ck_assert_int_eq(systole_chip_load(&library, "tpu-v4i", NULL, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_workload_load(&library, "llama3-8b", &import, &model), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&library, chip, model, &run, &result), SYSTOLE_OK);
    ck_assert_int_eq(systole_result_format(&library, result, "json", 0, &text), SYSTOLE_OK);
    char *json = strdup(text.data);
    systole_text_free(&text);
    systole_result_free(result);
    systole_workload_free(model);
    systole_chip_free(chip);
    return json;
}

START_TEST(decode_is_no_faster_than_its_weights_and_cache_can_be_read)
{
    const double batch = 8, context = 4096;
    char *json = run_llama("decode", 8, 4096, 3);
    double bytes = 2 * (weights_of_layers() + width * vocabulary) + 2 * batch * context * layers * 2 * kv_width;
    double step = figure(json, "tpot_s"), mean = figure(json, "tpot_mean_s");
    ck_assert_double_ge(step, bytes / peak_bytes);
    ck_assert_double_ge(mean, bytes / peak_bytes);
    ck_assert_double_eq_tol(figure(json, "tokens_per_s"), batch / step, 1e-6 * batch / step);
    ck_assert_double_eq_tol(figure(json, "mbu"), bytes / (step * peak_bytes), 0.002);
    ck_assert_double_le(figure(json, "mbu"), 1);
    /* Joules: no less than moving the compulsory bytes at 1 pJ a bit, below any published HBM2 energy. */
    ck_assert_double_ge(figure(json, "j_per_token"), bytes * 8e-12 / batch);
    ck_assert_double_eq_tol(figure(json, "j_per_token") * batch, figure(json, "energy_j"),
                            1e-9 * figure(json, "energy_j"));
    free(json);
}
END_TEST

START_TEST(prefill_is_no_faster_than_its_visible_products)
{
    const double tokens = 4096, pairs = tokens * (tokens + 1) / 2;
    char *json = run_llama("prefill", 1, 4096, 0);
    double macs = weights_of_layers() * tokens + width * vocabulary + layers * 32 * pairs * 2 * 128;
    double first = figure(json, "ttft_s");
    ck_assert_double_ge(first, macs / peak_macs);
    ck_assert_double_eq_tol(figure(json, "mfu"), macs / (first * peak_macs), 1e-4);
    ck_assert_double_le(figure(json, "mfu"), 1);
    ck_assert_double_ge(figure(json, "j_per_token") * tokens, macs * 0.1e-12); /* 0.1 pJ a MAC: below any bf16 MAC */
    free(json);
}
END_TEST

START_TEST(the_mean_over_new_tokens_is_that_of_the_steps)
{
    char *mean = run_llama("decode", 1, 1000, 3);
    double sum = 0;
    for (uint64_t i = 0; i < 3; i++) {
        char *step = run_llama("decode", 1, 1000 + i, 0);
        sum += figure(step, "tpot_s");
        free(step);
    }
    ck_assert_double_eq_tol(figure(mean, "tpot_mean_s"), sum / 3, 1e-9 * sum);
    free(mean);
}
END_TEST

/* ---- attention in blocks ---- */

/* A chip with room for scores and a vector unit of `lanes`. */
static struct sy_chip *attention_chip(uint64_t lanes, bool serialize)
{
    struct machine m = plain_machine();
    m.rows = m.cols = 16;
    m.scratch_kib = 64;
    m.accumulator_kib = 64;
    m.middle_kib = 1024;
    m.keeps = true;
    m.lanes = lanes;
    m.latency_ns = 0;
    m.dram_gbs = 512;
    m.fuses = true;
    m.serialize = serialize;
    return machine_chip(&m);
}

static struct sy_result *attend(uint64_t lanes, bool serialize, uint64_t q, uint64_t kv, uint64_t causal,
                                uint64_t window)
{
    struct sy_buf text = {0};
    struct sy_chip *chip = attention_chip(lanes, serialize);
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_IDEAL, .kernel = SCK_HEAP};
    sy_buf_printf(&text,
                  "systole-trace 1\nnet t\nattention l batch=1 heads=4 kv_heads=2 q_len=%llu kv_len=%llu head_dim=32 "
                  "value_dim=32 causal=%s window=%llu q=q:int8 k=k:int8 v=v:int8 y=o:int8\nend 1\n",
                  (unsigned long long)q, (unsigned long long)kv, causal ? "yes" : "no", (unsigned long long)window);
    struct sy_result *result = must_run(chip, "t", text.data, &options);
    sy_buf_free(&text);
    sy_chip_destroy(chip);
    return result;
}

START_TEST(what_a_mask_hides_from_a_whole_block_is_skipped)
{
    /* b blocks of equal size compute the part (1 + 1 / b) / 2 of a causal square; the mask shows (1 + 1 / n) / 2. */
    const uint64_t n = 512, all = 4 * n * n * 64, visible = 4 * (n * (n + 1) / 2) * 64;
    struct sy_result *result = attend(2, false, n, n, 1, 0);
    ck_assert_uint_eq(result->macs + result->work.skipped_macs, all);
    ck_assert_uint_eq(result->model_macs, visible);
    ck_assert_uint_ge(result->macs, visible);
    bool blocks = false;
    for (uint64_t b = 2; b <= 64; b++)
        blocks |= n % b == 0 && result->macs == all / 2 + all / 2 / b;
    ck_assert_msg(blocks, "%llu MACs are those of no number of equal blocks", (unsigned long long)result->macs);
    sy_result_destroy(result);
    result = attend(2, false, n, n, 0, 0);
    ck_assert_uint_eq(result->macs, all);
    sy_result_destroy(result);
}
END_TEST

START_TEST(softmax_passes_under_the_next_scores)
{
    struct sy_result *both = attend(32, false, 512, 512, 0, 0), *serial = attend(32, true, 512, 512, 0, 0);
    struct sy_result *array = attend(65536, false, 512, 512, 0, 0); /* the vector unit takes next to nothing */
    uint64_t vector = both->unit[1].busy;
    ck_assert_uint_ge(both->cycles, array->unit[0].busy);
    ck_assert_uint_ge(both->cycles, vector);
    ck_assert_uint_lt(both->cycles, (array->cycles + vector) * 19 / 20); /* one after the other: their sum, or more */
    ck_assert_uint_lt(both->cycles, serial->cycles);
    sy_result_destroy(both);
    sy_result_destroy(serial);
    sy_result_destroy(array);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("llm");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, decode_is_no_faster_than_its_weights_and_cache_can_be_read);
    tcase_add_test(tcase, prefill_is_no_faster_than_its_visible_products);
    tcase_add_test(tcase, the_mean_over_new_tokens_is_that_of_the_steps);
    tcase_add_test(tcase, what_a_mask_hides_from_a_whole_block_is_skipped);
    tcase_add_test(tcase, softmax_passes_under_the_next_scores);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
