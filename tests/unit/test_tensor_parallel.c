/* SPDX-License-Identifier: Apache-2.0 */
/* Tensor parallelism of language models against sums written from the models' published dimensions. */
#include <stdio.h>
#include <string.h>

#include "sim/include/systole.h"
#include "tests/unit/engine_support.h"
#include "workloads/import/importer.h"

static struct sy_workload *import(const char *name, const struct sy_import_options *options, struct log_sink *said)
{
    char path[1024];
    struct sy_workload *workload = NULL;
    (void)snprintf(path, sizeof path, "%s/workloads/nets/%s.json", data_dir(), name);
    enum sy_status status = sy_import_file(path, NULL, options, &workload, log_start(said));
    ck_assert_int_eq(status == SY_OK, workload != NULL);
    return workload;
}

static struct sy_workload_totals totals_of(const char *name, const struct sy_import_options *options)
{
    struct log_sink said;
    struct sy_workload_totals totals;
    struct sy_workload *workload = import(name, options, &said);
    ck_assert_msg(workload != NULL, "%s", log_text(&said));
    ck_assert(sy_workload_totals(workload, &totals));
    log_end(&said);
    sy_workload_destroy(workload);
    return totals;
}

/* What chips share they share evenly; the rest is on each of them. Dense: all products are shared, of the parameters
 * the embedding and the norms are not. */
START_TEST(a_chips_share_of_a_dense_model_is_its_part)
{
    static const struct {
        const char *name;
        uint64_t layers, hidden, vocabulary, head_norms; /* the last: parameters of norms a head, a layer */
    } model[] = {
        {"llama3-8b", 32, 4096, 128256, 0}, {"llama3-70b", 80, 8192, 128256, 0}, {"qwen3-8b", 36, 4096, 151936, 256}};
    static const char *const phase[] = {"prefill", "decode"};
    for (size_t i = 0; i < sizeof model / sizeof model[0]; i++)
        for (int p = 0; p < 2; p++)
            for (uint64_t chips = 2; chips <= 8; chips *= 2) {
                struct sy_import_options options = {.phase = phase[p], .batch = 4, .context = 256};
                struct sy_workload_totals all = totals_of(model[i].name, &options);
                options.tensor_parallel = chips;
                struct sy_workload_totals share = totals_of(model[i].name, &options);
                uint64_t norms = (2 * model[i].layers + 1) * model[i].hidden + model[i].layers * model[i].head_norms;
                uint64_t everywhere = model[i].vocabulary * model[i].hidden + norms;
                ck_assert_uint_eq(share.macs * chips, all.macs);
                ck_assert_uint_eq((share.parameters - everywhere) * chips, all.parameters - everywhere);
            }
}
END_TEST

/* Router, latent projections and embedding are on every chip; key heads fewer than chips are held several times. */
START_TEST(what_is_not_divided_is_on_every_chip)
{
    struct sy_import_options options = {.phase = "decode", .batch = 16, .context = 128};
    struct sy_workload_totals all = totals_of("mixtral-8x7b", &options);
    options.tensor_parallel = 4;
    struct sy_workload_totals share = totals_of("mixtral-8x7b", &options);
    const uint64_t router = 32 * 4096 * 8, norms = 65 * 4096, table = 32000 * 4096;
    ck_assert_uint_eq((share.macs - 16 * router) * 4, all.macs - 16 * router);
    ck_assert_uint_eq((share.parameters - router - norms - table) * 4, all.parameters - router - norms - table);
    options.tensor_parallel = 0;
    all = totals_of("deepseek-v3", &options);
    options.tensor_parallel = 8;
    share = totals_of("deepseek-v3", &options);
    const uint64_t latent = UINT64_C(61) * 7168 * (1536 + 512 + 64), gates = 58 * 7168 * 256;
    ck_assert_uint_eq((share.macs - 16 * (latent + gates)) * 8, all.macs - 16 * (latent + gates));
    options.tensor_parallel = 0;
    all = totals_of("llama3-8b", &options);
    options.tensor_parallel = 16; /* 8 key heads: each is on two chips */
    share = totals_of("llama3-8b", &options);
    const uint64_t again =
        UINT64_C(16) * 32 * 4096 * 8 * 2 * 128; /* keys and values of 8 heads more, 16 tokens, 32 layers */
    ck_assert_uint_eq(share.macs * 16, all.macs + again);
}
END_TEST

/* An all-reduce behind attention and one behind the MLP of every layer, of the stream; a gathering of the logits. */
static void run_shares(uint64_t chips, uint64_t batch, uint64_t *sent, uint64_t *collectives)
{
    struct log_sink said;
    struct sy_buf text = {0};
    struct sy_chip *chip = NULL;
    struct sy_chip_options chip_options = {.data_dir = data_dir()};
    struct sy_import_options options = {.phase = "decode", .batch = batch, .context = 64, .tensor_parallel = chips};
    struct sy_trace_writer_options plain = {.plain = true, .memory = &text};
    const struct sy_replay_options replay = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    struct sy_workload *workload = import("llama3-8b", &options, &said);
    ck_assert(workload != NULL);
    log_end(&said);
    ck_assert_int_eq(sy_trace_write_workload("t", workload, &plain, NULL), SY_OK);
    ck_assert_int_eq(sy_chip_load("tpu-v4i", &chip_options, &chip, NULL), SY_OK);
    struct sy_result *result = must_run(chip, "t", text.data, &replay);
    ck_assert_uint_eq(result->chips, chips);
    for (uint64_t i = 0; i < result->layers; i++) {
        *sent += result->layer[i].link_bytes;
        *collectives += result->layer[i].link_bytes ? result->layer[i].repeat : 0;
    }
    sy_result_destroy(result);
    sy_chip_destroy(chip);
    sy_workload_destroy(workload);
    sy_buf_free(&text);
}

START_TEST(chips_send_what_a_ring_of_them_sends)
{
    for (uint64_t chips = 2; chips <= 8; chips *= 2)
        for (uint64_t batch = 1; batch <= 8; batch *= 8) {
            uint64_t sent = 0, collectives = 0, stream = batch * 4096 * 2, logits = batch * 128256 / chips * 2;
            run_shares(chips, batch, &sent, &collectives);
            ck_assert_uint_eq(collectives, 2 * 32 + 1);
            ck_assert_uint_eq(sent, 2 * 32 * 2 * stream * (chips - 1) / chips + logits * (chips - 1));
        }
}
END_TEST

START_TEST(uneven_shares_and_other_models_are_refused)
{
    static const struct {
        const char *model, *phase, *says;
        uint64_t chips;
        enum sy_status status;
    } refused[] = {
        {"llama3-8b", "decode", "8 key heads cannot be divided evenly among 3 chips", 3, SY_USAGE},
        {"llama3-8b", "decode", "32 query heads cannot be divided evenly among 64 chips", 64, SY_USAGE},
        {"llama3-8b", "train-step", "not for train-step", 2, SY_UNSUPPORTED},
        {"whisper-small", "decode", "not for whisper", 2, SY_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct log_sink said;
        struct sy_import_options options = {.phase = refused[i].phase, .tensor_parallel = refused[i].chips};
        ck_assert_ptr_null(import(refused[i].model, &options, &said));
        ck_assert_msg(strstr(log_text(&said), refused[i].says) != NULL, "%s", log_text(&said));
        log_end(&said);
    }
}
END_TEST

static double figure(const struct systole_result *result, const char *name)
{
    double value = 0;
    ck_assert_int_eq(systole_result_figure(result, name, &value), SYSTOLE_OK);
    return value;
}

/* Tokens are those of all chips, and so is their energy. */
START_TEST(energy_a_token_is_that_of_all_chips)
{
    struct systole_context library = {.struct_size = sizeof library, .data_dir = data_dir()};
    struct systole_import_options options = SYSTOLE_OPTIONS_INIT(struct systole_import_options);
    struct systole_chip *chip = NULL;
    struct systole_workload *model = NULL;
    struct systole_result *result = NULL;
    options.phase = "decode";
    options.batch = 8;
    options.context = 64;
    options.tensor_parallel = 4;
    ck_assert_int_eq(systole_chip_load(&library, "tpu-v4i", NULL, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_workload_load(&library, "llama3-8b", &options, &model), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(&library, chip, model, NULL, &result), SYSTOLE_OK);
    double joules = figure(result, "energy_j"), seconds = figure(result, "seconds");
    ck_assert_double_eq_tol(figure(result, "j_per_token"), 4 * joules / 8, 1e-12 * joules);
    ck_assert_double_eq_tol(figure(result, "tokens_per_s"), 8 / seconds, 1e-9 / seconds);
    systole_result_free(result);
    systole_workload_free(model);
    systole_chip_free(chip);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("tensor parallel");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_chips_share_of_a_dense_model_is_its_part);
    tcase_add_test(tcase, what_is_not_divided_is_on_every_chip);
    tcase_add_test(tcase, chips_send_what_a_ring_of_them_sends);
    tcase_add_test(tcase, uneven_shares_and_other_models_are_refused);
    tcase_add_test(tcase, energy_a_token_is_that_of_all_chips);
    return run_case("tensor parallel", tcase);
}
