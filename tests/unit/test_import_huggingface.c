/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face configurations: totals against published ones, MACs against formulas, wrong files. */
#include "sim/base/csv.h"
#include "tests/unit/base_support.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_huggingface;

static struct memory_sink sink;
static struct sy_workload *workload;

static void teardown(void)
{
    sy_workload_destroy(workload);
    workload = NULL;
}

static const char *config(const char *name, const char *suffix)
{
    static char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/tests/golden/hf_configs/%s%s", root != NULL ? root : ".", name, suffix);
    return path;
}

static struct sy_workload_totals import(const char *name, const struct sy_import_options *options)
{
    struct sy_workload_totals totals;
    sy_workload_destroy(workload);
    enum sy_status status = sy_import_file(config(name, ".json"), NULL, options, &workload, sink_start(&sink));
    ck_assert_msg(status == SY_OK, "%s: %s", name, sink.message);
    ck_assert(sy_workload_totals(workload, &totals));
    ck_assert_str_eq(workload->name, name);
    return totals;
}

static enum sy_status status_of(const char *name, const struct sy_import_options *options)
{
    sy_workload_destroy(workload);
    return sy_import_file(config(name, ".json"), NULL, options, &workload, sink_start(&sink));
}

static enum sy_status import_text(const char *text, const struct sy_import_options *options)
{
    static const struct sy_import_options none;
    sy_workload_destroy(workload);
    return sy_importer_huggingface.import("config.json", text, strlen(text), options != NULL ? options : &none,
                                          &workload, sink_start(&sink));
}

static const struct sy_layer *find(const char *name)
{
    for (const struct sy_workload_record *r = workload->first; r != NULL; r = r->next) {
        if (r->kind == SY_RECORD_LAYER && strcmp(r->layer.name, name) == 0) {
            return &r->layer;
        }
    }
    ck_abort_msg("no layer %s", name);
    return NULL;
}

START_TEST(parameters_equal_the_published_totals_in_every_phase)
{
    static const char *const phases[] = {"prefill", "decode", "train-step"};
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *text;
    size_t length;
    struct sy_csv totals;
    ck_assert_int_eq(sy_read_file(config("totals", ".csv"), 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "totals", &totals, NULL), SY_OK);
    int checked = 0;
    for (size_t i = 1; i < totals.rows; i++) {
        const char *name = totals.row[i].field[0];
        if (totals.row[i].fields < 3) {
            continue;
        }
        bool encoder = strncmp(name, "bert", 4) == 0 || strncmp(name, "vit", 3) == 0;
        for (int phase = 0; phase < 3; phase++) {
            bool whisper = strncmp(name, "whisper", 7) == 0;
            if (phase == 1 && (encoder || whisper)) {
                continue; /* no decode; Whisper's leaves its encoder out */
            }
            if (phase == 2 && whisper) {
                continue;
            }
            struct sy_import_options options = {.phase = phases[phase], .batch = 1 + (uint64_t)phase};
            struct sy_workload_totals got = import(name, &options);
            ck_assert_msg(got.parameters == strtoull(totals.row[i].field[1], NULL, 10), "%s %s: %lu", name,
                          phases[phase], (unsigned long)got.parameters);
            checked++;
        }
    }
    ck_assert_int_ge(checked, 50);
    sy_arena_destroy(arena);
    free(text);
}
END_TEST

/* Written down from the model's description, not from the code: every projection of every token, attention of every
 * pair, logits of the last token. */
START_TEST(llama_macs_follow_from_its_shape)
{
    const uint64_t h = 4096, ff = 14336, kv = 8 * 128, v = 128256;
    const uint64_t projections = 32 * (h * h + 2 * h * kv + h * h + 3 * h * ff);
    struct sy_import_options options = {.phase = "prefill", .batch = 2, .context = 512};
    ck_assert_uint_eq(import("llama-3-8b", &options).macs,
                      2 * 512 * projections + 2 * 32 * (512 * 512 * 2 * h) + 2 * h * v);
    options = (struct sy_import_options){.phase = "decode", .batch = 8, .context = 4096};
    ck_assert_uint_eq(import("llama-3-8b", &options).macs, 8 * projections + 8 * 32 * (4097 * 2 * h) + 8 * h * v);
    const struct sy_attention_dims *d = &find("layers.0.attention")->dim.attention;
    ck_assert_uint_eq(d->kv_len, 4097);
    ck_assert_uint_eq(d->kv_heads, 8);
    ck_assert_uint_eq(d->q_len, 1);
    ck_assert(find("layers.0.attention")->in[1].flags & SY_TENSOR_STATE);
    ck_assert_uint_eq(find("layers.0.k_append")->dim.move.elements, 8 * kv);
    ck_assert_uint_eq(find("lm_head")->dim.gemm.m, 8);
    ck_assert_int_eq(find("layers.0.qkv")->in[0].dtype, SY_BF16);
}
END_TEST

/* A matrix product costs three in training; attention is computed, recomputed, and has four products more; the
 * logits are those of every token. */
START_TEST(training_step_is_three_forward_products)
{
    const uint64_t h = 4096, ff = 14336, kv = 8 * 128, v = 128256, t = 256;
    const uint64_t products = t * (32 * (2 * h * h + 2 * h * kv + 3 * h * ff) + h * v);
    const uint64_t one = 32 * t * t * h; /* scores or values */
    struct sy_import_options options = {.phase = "train-step", .batch = 1, .context = t};
    ck_assert_uint_eq(import("llama-3-8b", &options).macs, 3 * products + (2 + 5) * one);
    ck_assert_uint_eq(workload->depth, 0);
}
END_TEST

START_TEST(mla_decode_attends_to_latents)
{
    struct sy_import_options options = {.phase = "decode", .batch = 4, .context = 1000};
    import("deepseek-v3", &options);
    const struct sy_attention_dims *d = &find("layers.0.attention")->dim.attention;
    ck_assert_uint_eq(d->kv_heads, 1);
    ck_assert_uint_eq(d->head_dim, 576);
    ck_assert_uint_eq(d->value_dim, 512);
    ck_assert_uint_eq(d->v_in_k, 1);
    ck_assert_uint_eq(sy_layer_input_elements(find("layers.0.attention"), 1), 4 * 1001 * 576);
    ck_assert_uint_eq(find("layers.0.q_absorb")->dim.gemm.g, 128);
    ck_assert_uint_eq(find("layers.0.gate")->dim.gemm.n, 18432); /* the first three layers are dense */
    ck_assert_uint_eq(find("layers.3.router")->dim.gemm.n, 256);
    ck_assert_uint_eq(find("layers.3.shared_gate")->dim.gemm.n, 2048);
    ck_assert_uint_eq(find("layers.3.experts0.gate")->dim.gemm.g, 32); /* 4 x 8 choices of 256 */
    options.phase = "prefill";
    import("deepseek-v3", &options);
    d = &find("layers.0.attention")->dim.attention;
    ck_assert_uint_eq(d->kv_heads, 128);
    ck_assert_uint_eq(d->head_dim, 192);
    ck_assert_uint_eq(d->value_dim, 128);
}
END_TEST

static uint64_t expert_macs(uint64_t *touched)
{
    uint64_t macs = 0;
    *touched = 0;
    for (const struct sy_workload_record *r = workload->first; r != NULL; r = r->next) {
        if (r->kind == SY_RECORD_LAYER && strstr(r->layer.name, ".experts") != NULL) {
            macs += sy_layer_macs(&r->layer);
            *touched += strstr(r->layer.name, ".gate") != NULL ? r->layer.dim.gemm.g : 0;
        }
    }
    return macs;
}

START_TEST(routing_moves_tokens_but_not_macs)
{
    const char *path = "routing_histogram.tmp";
    FILE *file = fopen(path, "w");
    fputs("[1, 2, 3, 0,\n 4 5 6 7]\n", file);
    fclose(file);
    for (uint64_t tokens = 1; tokens <= 40; tokens += 3) {
        const uint64_t expect = tokens * 2 * 3 * 4096 * 14336;
        struct sy_import_options options = {.context = tokens};
        uint64_t touched;
        import("mixtral-8x7b", &options);
        ck_assert_uint_eq(expert_macs(&touched), expect);
        ck_assert_uint_eq(touched, tokens * 2 < 8 ? tokens * 2 : 8);
        options.routing = "worst";
        import("mixtral-8x7b", &options);
        ck_assert_uint_eq(expert_macs(&touched), expect);
        ck_assert_uint_eq(touched, 2);
        ck_assert_uint_eq(find("layers.0.experts0.gate")->dim.gemm.m, tokens);
        options.routing = path;
        ck_assert_uint_eq(import("mixtral-8x7b", &options).parameters, 46702792704);
        ck_assert_uint_eq(expert_macs(&touched), expect);
        ck_assert_uint_le(touched, 7);
        ck_assert_uint_le(find("layers.0.experts0.gate")->dim.gemm.m, tokens); /* once a token at most */
    }
    file = fopen(path, "w");
    fputs("1 2 3", file);
    fclose(file);
    struct sy_import_options options = {.routing = path};
    ck_assert_int_eq(status_of("mixtral-8x7b", &options), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "expected 8 weights"));
    remove(path);
}
END_TEST

START_TEST(sliding_windows_follow_the_family)
{
    struct sy_import_options options = {.context = 3000};
    import("gemma-2-2b", &options);
    ck_assert_uint_eq(find("layers.0.attention")->dim.attention.window, 4096);
    ck_assert_uint_eq(find("layers.1.attention")->dim.attention.window, 0);
    import("gemma-3-1b", &options);
    ck_assert_uint_eq(find("layers.4.attention")->dim.attention.window, 512);
    ck_assert_uint_eq(find("layers.5.attention")->dim.attention.window, 0);
    import("phi-3-mini-4k", &options);
    ck_assert_uint_eq(find("layers.0.attention")->dim.attention.window, 2047);
    import("qwen2-7b", &options);
    ck_assert_uint_eq(find("layers.0.attention")->dim.attention.window, 0); /* use_sliding_window is false */
}
END_TEST

START_TEST(precisions_come_from_file_or_user)
{
    import("gemma-2-2b", NULL);
    ck_assert_int_eq(find("lm_head")->in[1].dtype, SY_FP32);
    struct sy_import_options options = {.has_dtype = true,
                                        .activation = SY_BF16,
                                        .weight = SY_INT4,
                                        .accumulator = SY_FP32,
                                        .has_kv = true,
                                        .kv = SY_FP8};
    import("llama-3-8b", &options);
    ck_assert_int_eq(find("layers.0.gate")->in[1].dtype, SY_INT4);
    ck_assert_int_eq(find("layers.0.k_append")->out.dtype, SY_FP8);
    ck_assert_int_eq(find("layers.0.attention")->in[2].dtype, SY_FP8);
    ck_assert_int_eq(find("layers.0.attention")->in[0].dtype, SY_BF16);
    options = (struct sy_import_options){.has_dtype = true, .has_weight = true, .weight = SY_MXFP4};
    import("llama-3-8b", &options);
    ck_assert_int_eq(find("layers.0.gate")->in[1].dtype, SY_MXFP4);
    ck_assert_int_eq(find("layers.0.gate")->in[0].dtype, SY_BF16);
    ck_assert_int_eq(find("layers.0.gate")->accumulator, SY_FP32);
    options = (struct sy_import_options){.has_dtype = true, .has_activation = true, .activation = SY_INT8};
    import("llama-3-8b", &options);
    ck_assert_int_eq(find("layers.0.gate")->in[1].dtype, SY_INT8);
    ck_assert_int_eq(find("layers.0.gate")->accumulator, SY_INT32);
}
END_TEST

#define QUANTIZED(config)                                                                                              \
    "{\"model_type\": \"llama\", \"hidden_size\": 256, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "         \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 512, \"vocab_size\": 1000, \"max_position_embeddings\": 512, " \
    "\"hidden_act\": \"silu\", \"torch_dtype\": \"float16\", \"quantization_config\": " config "}"

/* GPTQ and AWQ: the products of the layers in groups, tables and logits as the model was. */
START_TEST(weights_in_groups_come_from_the_quantizer)
{
    static const struct {
        const char *text;
        enum sy_dtype weight;
    } rows[] = {
        {QUANTIZED("{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128, \"zero_point\": true}"),
         SY_INT4G128Z},
        {QUANTIZED("{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"sym\": true}"), SY_INT4G128},
        {QUANTIZED("{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 32, \"sym\": false}"), SY_INT4G32Z},
        {QUANTIZED("{\"quant_method\": \"gptq\", \"bits\": 3, \"group_size\": 128}"), SY_FP16},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_workload_totals totals;
        ck_assert_msg(import_text(rows[i].text, NULL) == SY_OK, "%s", sink.message);
        ck_assert_int_eq(find("layers.0.gate")->in[1].dtype, rows[i].weight);
        ck_assert_int_eq(find("layers.0.gate")->in[0].dtype, SY_FP16);
        ck_assert_int_eq(find("lm_head")->in[1].dtype, SY_FP16);
        ck_assert_int_eq(find("embedding")->in[1].dtype, SY_FP16);
        ck_assert(sy_workload_totals(workload, &totals));
        const uint64_t products = 2 * (256 * 512 + 256 * 256 + 3 * 256 * 512), rest = 2 * 1000 * 256 + 5 * 256;
        ck_assert_uint_eq(totals.parameters, products + rest);
        if (i == 0)
            ck_assert_uint_eq(totals.weight_bytes, products / 2 + products / 128 * 20 / 8 + rest * 2);
    }
}
END_TEST

#define LLAMA                                                                                                          \
    "\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 128, \"num_hidden_layers\": 2, "           \
    "\"num_attention_heads\": 4, \"vocab_size\": 100"

START_TEST(wrong_files_say_what_and_where)
{
    static const struct {
        const char *text, *says;
        uint32_t line;
        enum sy_status status;
    } cases[] = {
        {"{\n\"model_type\": \"lama\"}", "did you mean 'llama'", 2, SY_UNSUPPORTED},
        {"{\n\"model_type\": 5}", "model_type is missing", 1, SY_UNSUPPORTED},
        {"[1]", "is an object", 1, SY_INPUT},
        {"{", "", 1, SY_INPUT},
        {"{" LLAMA ",\n\"num_key_value_heads\": 3}", "does not divide", 1, SY_INPUT},
        {"{" LLAMA ",\n\"num_key_value_heads\": 0}", "num_key_value_heads is '0'", 2, SY_INPUT},
        {"{" LLAMA ",\n\"hidden_act\": \"relux\"}", "hidden_act is 'relux'", 2, SY_INPUT},
        {"{" LLAMA ",\n\"head_dim\": 1e12}", "head_dim is '1e12'", 2, SY_INPUT},
        {"{" LLAMA ",\n\"head_dim\": -4}", "head_dim is '-4'", 2, SY_INPUT},
        {"{" LLAMA ",\n\"head_dim\": 2.5}", "head_dim is '2.5'", 2, SY_INPUT},
        {"{" LLAMA ",\n\"tie_word_embeddings\": 1}", "true or false", 2, SY_INPUT},
        {"{" LLAMA ", \"num_hidden_layers\": 2}", "num_hidden_layers", 1, SY_INPUT},
        {"{\"model_type\": \"llama\"}", "key", 1, SY_INPUT},
        {"{\"model_type\": \"gemma2\", \"layer_types\": [\"x\"], \"sliding_window\": 4,\n"
         "\"hidden_size\": 64, \"intermediate_size\": 128, \"num_hidden_layers\": 1, \"num_attention_heads\": 4,"
         "\"num_key_value_heads\": 4, \"vocab_size\": 100}",
         "full_attention or sliding_attention", 1, SY_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(import_text(cases[i].text, NULL) == cases[i].status, "%s", cases[i].text);
        ck_assert_ptr_null(workload);
        ck_assert_msg(strstr(sink.message, cases[i].says) != NULL, "%s -> %s", cases[i].text, sink.message);
        ck_assert_uint_eq(sink.line, cases[i].line);
    }
    ck_assert_int_eq(import_text("{" LLAMA "}", NULL), SY_OK);
    struct sy_import_options options = {.phase = "training"};
    ck_assert_int_eq(import_text("{" LLAMA "}", &options), SY_USAGE);
    options = (struct sy_import_options){.batch = UINT64_MAX};
    ck_assert_int_eq(import_text("{" LLAMA "}", &options), SY_USAGE);
    options = (struct sy_import_options){.context = UINT64_MAX};
    ck_assert_int_eq(import_text("{" LLAMA "}", &options), SY_USAGE);
    options = (struct sy_import_options){.phase = "decode"};
    ck_assert_int_eq(status_of("bert-base", &options), SY_USAGE);
    options = (struct sy_import_options){.context = 1025};
    ck_assert_int_eq(status_of("gpt2", &options), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "1024 positions"));
}
END_TEST

/* A network's order of use does not matter: importing others before changes nothing. */
START_TEST(equal_layers_fold_and_names_are_stable)
{
    import("llama-3-70b", NULL);
    uint64_t records = workload->records;
    ck_assert_uint_le(records, 24);
    import("deepseek-v3", NULL);
    import("llama-3-70b", NULL);
    ck_assert_uint_eq(workload->records, records);
    ck_assert_str_eq(find("layers.0.down")->out.name, "hidden");
    ck_assert(find("layers.0.down")->out.flags & SY_TENSOR_SHARED);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import_huggingface");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, parameters_equal_the_published_totals_in_every_phase);
    tcase_add_test(tcase, llama_macs_follow_from_its_shape);
    tcase_add_test(tcase, training_step_is_three_forward_products);
    tcase_add_test(tcase, mla_decode_attends_to_latents);
    tcase_add_test(tcase, routing_moves_tokens_but_not_macs);
    tcase_add_test(tcase, sliding_windows_follow_the_family);
    tcase_add_test(tcase, precisions_come_from_file_or_user);
    tcase_add_test(tcase, weights_in_groups_come_from_the_quantizer);
    tcase_add_test(tcase, wrong_files_say_what_and_where);
    tcase_add_test(tcase, equal_layers_fold_and_names_are_stable);
    return run_case("workloads/import/huggingface", tcase);
}
