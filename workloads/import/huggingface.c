/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hugging Face config.json: the shape of a language, vision or speech model,
 * made into one step of it.
 *
 * Phases: prefill (the default) runs a prompt of `context` tokens a sequence
 * and fills the KV cache, logits of the last token; decode runs one token a
 * sequence with `context` tokens cached already, so it attends to context + 1;
 * train-step is forward, backward and optimizer over `context` tokens.
 * A list of contexts gives each sequence its own; the batch is then their number.
 * Encoders (BERT, ViT) have no decode. Whisper's prefill is the audio encoder,
 * the cross-attention keys and values and a decoder prompt of `context` tokens.
 *
 * Parameters are those of the layers a phase runs: Whisper's decode leaves its
 * encoder out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "workloads/import/hf_config.h"
#include "workloads/import/lengths.h"
#include "workloads/sequences.h"
#include "workloads/train.h"

enum {
    DEFAULT_PROMPT = 1024,
    DEFAULT_SENTENCE = 128,
    DEFAULT_TRANSCRIPT = 4,
    LARGEST_JSON = 16 << 20,
    MOST_TOKENS = 1 << 30
};

enum phase { PHASE_PREFILL, PHASE_DECODE, PHASE_TRAIN };

struct importer {
    const char *path;
    const struct sy_import_options *options;
    struct sy_diag *diag;
    struct sy_workload *workload;
    const struct sy_json *root;
    struct sy_hf hf;
    enum phase phase;
};

static struct sy_where here(const struct importer *im)
{
    return (struct sy_where){.file = im->path};
}

static enum sy_status choose_phase(struct importer *im)
{
    static const char *const names[] = {"prefill", "decode", "train-step"};
    const char *asked = im->options->phase != NULL ? im->options->phase : names[PHASE_PREFILL];
    bool encoder = im->hf.family->kind == SY_HF_BERT || im->hf.family->kind == SY_HF_VIT;
    for (int i = 0; i < 3; i++) {
        if (strcmp(asked, names[i]) != 0) {
            continue;
        }
        im->phase = (enum phase)i;
        if (im->phase == PHASE_DECODE && encoder) {
            (void)sy_error(im->diag, here(im), "leave the phase out", "a %s model has no decode phase",
                           im->hf.family->model_type);
            return SY_USAGE;
        }
        if (im->phase == PHASE_TRAIN && im->hf.family->kind == SY_HF_WHISPER) {
            (void)sy_error(im->diag, here(im), NULL, "train-step is not modelled for whisper");
            return SY_UNSUPPORTED;
        }
        return SY_OK;
    }
    (void)sy_error(im->diag, here(im), "prefill, decode or train-step", "'%s' is no phase", asked);
    return SY_USAGE;
}

static uint64_t choose_context(const struct importer *im)
{
    static const uint64_t usual[] = {[SY_HF_DECODER] = DEFAULT_PROMPT,
                                     [SY_HF_BERT] = DEFAULT_SENTENCE,
                                     [SY_HF_VIT] = 0,
                                     [SY_HF_WHISPER] = DEFAULT_TRANSCRIPT};
    const struct sy_hf *hf = &im->hf;
    if (hf->family->kind == SY_HF_VIT) {
        return (hf->image_h / hf->patch) * (hf->image_w / hf->patch) + 1;
    }
    if (im->options->context != 0) {
        return im->options->context;
    }
    uint64_t context = usual[hf->family->kind];
    uint64_t room = hf->positions == 0 ? UINT64_MAX : hf->positions - (im->phase == PHASE_DECODE ? 1 : 0);
    return sy_max(sy_min(context, room), 1);
}

/* Positions that come from a table cannot be exceeded; rotary ones can. */
static enum sy_status check_positions(const struct importer *im, uint64_t used)
{
    const struct sy_hf *hf = &im->hf;
    bool table = (hf->traits & SY_HF_LEARNED_POSITIONS) != 0 || hf->family->kind != SY_HF_DECODER;
    if (hf->positions == 0 || used <= hf->positions) {
        return SY_OK;
    }
    if (table) {
        return sy_error(im->diag, here(im), "lower --context",
                        "%" PRIu64 " tokens, but the model has %" PRIu64 " positions", used, hf->positions);
    }
    sy_warn(im->diag, here(im), NULL, "%" PRIu64 " tokens are more than the model's max_position_embeddings, %" PRIu64,
            used, hf->positions);
    return SY_OK;
}

/* ---- sequences of different lengths ---- */

static enum sy_status refuse_lengths(const struct importer *im)
{
    enum sy_hf_kind kind = im->hf.family->kind;
    if (im->options->context != 0) {
        (void)sy_error(im->diag, here(im), "give one of the two", "both one context and a list of contexts are given");
        return SY_USAGE;
    }
    if (kind == SY_HF_VIT || kind == SY_HF_WHISPER || im->phase == PHASE_TRAIN) {
        (void)sy_error(im->diag, here(im), "give one --context for all sequences",
                       "a list of contexts is not modelled for %s",
                       im->phase == PHASE_TRAIN ? "train-step" : im->hf.family->model_type);
        return SY_UNSUPPORTED;
    }
    return SY_OK;
}

/* The list as attention layers take it; NULL when all sequences are alike. */
static enum sy_status list_sequences(struct importer *im, const struct sy_lengths *lengths, const char **sequences)
{
    struct sy_buf text = {0};
    bool decode = im->phase == PHASE_DECODE;
    *sequences = NULL;
    if (lengths->kinds == 1) {
        return SY_OK;
    }
    for (uint64_t i = 0; i < lengths->kinds; i++) {
        uint64_t tokens = lengths->kind[i].tokens;
        sy_buf_printf(&text, "%s%" PRIu64 "x%" PRIu64 ":%" PRIu64, i > 0 ? "," : "", lengths->kind[i].count,
                      decode ? 1 : tokens, decode ? tokens + 1 : tokens);
    }
    enum sy_status status = text.failed ? SY_NOMEM : SY_OK;
    if (status == SY_OK && text.length > SY_MAX_SEQUENCES_TEXT) {
        status =
            sy_error(im->diag, here(im), "round them, for example up to multiples of 16",
                     "the list of contexts is too long: %zu bytes, at most %d", text.length, SY_MAX_SEQUENCES_TEXT);
    } else if (status == SY_OK) {
        *sequences = sy_arena_strdup(im->workload->arena, text.data);
        status = *sequences != NULL ? SY_OK : SY_NOMEM;
    }
    sy_buf_free(&text);
    return status;
}

/* Sizes of a pass over sequences of the lengths that the user listed. */
static enum sy_status choose_lengths(struct importer *im, struct sy_hf_pass *pass)
{
    struct sy_lengths lengths;
    bool decode = im->phase == PHASE_DECODE;
    enum sy_status status = refuse_lengths(im);
    if (status == SY_OK) {
        status = sy_lengths_read(im->options->contexts, im->workload->arena, &lengths, im->diag);
    }
    if (status != SY_OK) {
        return status;
    }
    if (im->options->batch != 0 && im->options->batch != lengths.sequences) {
        (void)sy_error(im->diag, here(im), "leave --batch out: the list says how many sequences there are",
                       "a batch of %" PRIu64 ", but %" PRIu64 " contexts", im->options->batch, lengths.sequences);
        return SY_USAGE;
    }
    pass->batch = lengths.sequences;
    pass->queries = decode ? 1 : lengths.longest;
    pass->cached = decode ? lengths.longest : 0;
    pass->tokens = decode ? lengths.sequences : lengths.tokens;
    pass->positions = decode ? lengths.kinds : lengths.longest;
    status = list_sequences(im, &lengths, &pass->sequences);
    return status == SY_OK ? check_positions(im, pass->cached + pass->queries) : status;
}

static enum sy_status choose_sizes(struct importer *im, struct sy_hf_pass *pass)
{
    enum sy_hf_kind kind = im->hf.family->kind;
    uint64_t context = im->options->contexts != NULL ? 1 : choose_context(im);
    bool decode = im->phase == PHASE_DECODE;
    *pass = (struct sy_hf_pass){.batch = im->options->batch != 0 ? im->options->batch : 1,
                                .positions = decode ? 1 : context,
                                .queries = decode ? 1 : context,
                                .cached = decode ? context : 0,
                                .causal = kind == SY_HF_DECODER || kind == SY_HF_WHISPER,
                                .decode = decode,
                                .all_logits = im->phase == PHASE_TRAIN};
    pass->appends = pass->causal && im->phase != PHASE_TRAIN;
    pass->kv_page = im->options->kv_page;
    if (pass->kv_page > MOST_TOKENS) {
        (void)sy_error(im->diag, here(im), "16 to 256 are usual", "a page of %" PRIu64 " tokens is too large",
                       pass->kv_page);
        return SY_USAGE;
    }
    if (pass->kv_page != 0 && !pass->appends) {
        (void)sy_error(im->diag, here(im), "leave --kv-page out", "this pass has no KV cache to page");
        return SY_USAGE;
    }
    if (im->options->contexts != NULL) {
        return choose_lengths(im, pass);
    }
    /* With tokens below 2^30 and the limits of hf_config.c no size of a layer can wrap. */
    uint64_t longest = sy_max(context, kind == SY_HF_WHISPER ? 2 * im->hf.source_positions : 1);
    uint64_t most;
    if (!sy_mul(pass->batch, longest, &most) || most > MOST_TOKENS) {
        (void)sy_error(im->diag, here(im), "at most 2^30 tokens a step",
                       "a batch of %" PRIu64 " with a context of %" PRIu64 " is too large", pass->batch, context);
        return SY_USAGE;
    }
    pass->tokens = pass->batch * pass->queries;
    return check_positions(im, pass->cached + pass->queries);
}

/* Four bits in groups, as GPTQ and AWQ write them; false when it is something else. */
static bool group_format(const struct sy_json *quantized, enum sy_dtype *dtype)
{
    static const struct {
        uint64_t size;
        enum sy_dtype plain, with_zero;
    } known[] = {{32, SY_INT4G32, SY_INT4G32Z}, {64, SY_INT4G64, SY_INT4G64Z}, {128, SY_INT4G128, SY_INT4G128Z}};
    const struct sy_json *method = sy_json_get(quantized, "quant_method"), *zero = sy_json_get(quantized, "zero_point"),
                         *symmetric = sy_json_get(quantized, "sym");
    uint64_t bits = 0, size = 0;
    bool awq = strcmp(method->string, "awq") == 0;
    if ((!awq && strcmp(method->string, "gptq") != 0) || !sy_json_u64(sy_json_get(quantized, "bits"), &bits) ||
        !sy_json_u64(sy_json_get(quantized, "group_size"), &size) || bits != 4) {
        return false;
    }
    bool zeros = awq ? zero == NULL || zero->kind != SY_JSON_BOOL || zero->boolean
                     : symmetric != NULL && symmetric->kind == SY_JSON_BOOL && !symmetric->boolean;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].size == size) {
            *dtype = zeros ? known[i].with_zero : known[i].plain;
            return true;
        }
    }
    return false;
}

/* Precision of the file: bfloat16 when it does not say; fp8 weights when it is quantized so. */
static void choose_precision(const struct importer *im, struct sy_builder *builder)
{
    static const struct {
        const char *name;
        enum sy_dtype dtype;
    } known[] = {{"bfloat16", SY_BF16}, {"float16", SY_FP16}, {"float32", SY_FP32}, {"float8_e4m3fn", SY_FP8}};
    const struct sy_json *type = sy_json_get(im->root, "torch_dtype");
    type = type != NULL ? type : sy_json_get(im->root, "dtype");
    builder->activation = SY_BF16;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (type != NULL && type->kind == SY_JSON_STRING && strcmp(type->string, known[i].name) == 0) {
            builder->activation = known[i].dtype;
        }
    }
    builder->weight = builder->activation;
    const struct sy_json *quantized = sy_json_get(im->root, "quantization_config");
    const struct sy_json *method = quantized != NULL ? sy_json_get(quantized, "quant_method") : NULL;
    if (method != NULL && method->kind == SY_JSON_STRING) {
        struct sy_where where = {.file = im->path, .line = method->line, .column = method->column};
        if (strcmp(method->string, "fp8") == 0) {
            builder->weight = SY_FP8;
        } else if (!group_format(quantized, &builder->weight) && !im->options->has_dtype) {
            sy_warn(im->diag, where, "choose the precision of weights with --weight",
                    "quantization '%s' is not known; weights are taken as %s", method->string,
                    sy_dtypes[builder->weight].name);
        }
    }
    enum sy_dtype file = builder->weight;
    builder->weight = sy_import_weight(im->options, file);
    builder->activation = sy_import_activation(im->options, builder->activation);
    bool leaves_tables = sy_dtype_grouped(file) && !im->options->has_dtype;
    builder->table = leaves_tables ? builder->activation : builder->weight;
    builder->accumulator = sy_import_accumulator(im->options, builder->activation);
    builder->kv = im->options->has_kv ? im->options->kv : builder->activation;
}

/* ---- routing of experts ---- */

static bool next_number(const char **text, uint64_t *value)
{
    *text += strspn(*text, " \t\r\n,[]");
    size_t length = strspn(*text, "0123456789");
    if (length == 0 || !sy_text_to_u64(*text, length, value) || *value > UINT32_MAX) {
        return false;
    }
    *text += length;
    return true;
}

static enum sy_status read_histogram(struct importer *im, const char *path)
{
    char *text;
    size_t length;
    struct sy_hf *hf = &im->hf;
    struct sy_where where = {.file = path};
    enum sy_status status = sy_read_file(path, LARGEST_JSON, &text, &length, im->diag);
    if (status != SY_OK) {
        return status;
    }
    uint64_t *weight = sy_arena_array(im->workload->arena, hf->experts, sizeof *weight);
    const char *at = text;
    uint64_t count = 0;
    while (weight != NULL && count < hf->experts && next_number(&at, &weight[count])) {
        count++;
    }
    at += strspn(at, " \t\r\n,[]");
    if (weight == NULL) {
        status = SY_NOMEM;
    } else if (count != hf->experts || *at != '\0') {
        status = sy_error(im->diag, where, "whole numbers below 2^32, one an expert, between blanks or commas",
                          "expected %" PRIu64 " weights of experts; %" PRIu64 " were read before '%.10s'", hf->experts,
                          count, at);
    }
    hf->histogram = weight;
    free(text);
    return status;
}

static enum sy_status choose_routing(struct importer *im)
{
    const char *routing = im->options->routing;
    if (routing == NULL || strcmp(routing, "uniform") == 0) {
        return SY_OK;
    }
    if ((im->hf.traits & SY_HF_MOE) == 0) {
        sy_warn(im->diag, here(im), NULL, "the model has no experts: routing '%s' has no effect", routing);
        return SY_OK;
    }
    im->hf.worst_routing = strcmp(routing, "worst") == 0;
    return im->hf.worst_routing ? SY_OK : read_histogram(im, routing);
}

/* ---- several chips ---- */

static enum sy_status divide(struct importer *im)
{
    uint64_t chips = im->options->tensor_parallel;
    if (chips <= 1) {
        return SY_OK;
    }
    if (im->hf.family->kind != SY_HF_DECODER || im->phase == PHASE_TRAIN) {
        (void)sy_error(im->diag, here(im), "leave --tensor-parallel out",
                       "tensor parallelism is modelled for prefill and decode of decoders, not for %s",
                       im->phase == PHASE_TRAIN ? "train-step" : im->hf.family->model_type);
        return SY_UNSUPPORTED;
    }
    return sy_hf_divide(&im->hf, chips, im->path, im->diag);
}

/* ---- all together ---- */

static enum sy_status build(struct importer *im)
{
    static void (*const builders[])(struct sy_builder *, const struct sy_hf *,
                                    const struct sy_hf_pass *) = {[SY_HF_DECODER] = sy_hf_decoder,
                                                                  [SY_HF_BERT] = sy_hf_bert,
                                                                  [SY_HF_VIT] = sy_hf_vit,
                                                                  [SY_HF_WHISPER] = sy_hf_whisper};
    struct sy_hf_pass pass;
    struct sy_builder builder = {
        .workload = im->workload, .options = im->options, .path = im->path, .diag = im->diag, .prefix = ""};
    enum sy_status status = sy_hf_read(im->workload->arena, im->root, im->path, &im->hf, im->diag);
    status = status == SY_OK ? choose_phase(im) : status;
    status = status == SY_OK ? choose_sizes(im, &pass) : status;
    status = status == SY_OK ? choose_routing(im) : status;
    status = status == SY_OK ? divide(im) : status;
    if (status != SY_OK) {
        return status;
    }
    if (pass.causal) {
        static const char *const phases[] = {"prefill", "decode", "train-step"};
        im->workload->pass = (struct sy_pass){phases[im->phase], pass.batch, pass.tokens, pass.cached + pass.queries,
                                              sy_max(im->hf.chips, 1)};
    }
    choose_precision(im, &builder);
    builders[im->hf.family->kind](&builder, &im->hf, &pass);
    if (builder.status == SY_OK && im->phase == PHASE_TRAIN) {
        builder.status = sy_workload_add_backward(im->workload, im->path, im->diag);
    }
    return builder.status;
}

static enum sy_status import_huggingface(const char *path, const char *data, size_t length,
                                         const struct sy_import_options *options, struct sy_workload **workload,
                                         struct sy_diag *diag)
{
    struct importer im = {.path = path, .options = options, .diag = diag};
    struct sy_json *root = NULL;
    *workload = NULL;
    enum sy_status status = sy_workload_create(NULL, &im.workload);
    if (status != SY_OK) {
        return status;
    }
    im.workload->name = sy_import_name(im.workload->arena, path);
    if (im.workload->name == NULL) {
        status = SY_NOMEM;
    } else if (length > LARGEST_JSON) {
        status = sy_error(diag, here(&im), NULL, "%zu bytes are too many for a config.json", length);
    } else {
        status = sy_json_parse(im.workload->arena, data, length, path, &root, diag);
    }
    im.root = root;
    if (status == SY_OK) {
        status = build(&im);
    }
    if (status != SY_OK) {
        sy_workload_destroy(im.workload);
        return status;
    }
    *workload = im.workload;
    return SY_OK;
}

static int sniff_huggingface(const char *path, const char *head, size_t length)
{
    (void)path;
    size_t i = 0;
    while (i < length && strchr(" \t\r\n", head[i]) != NULL) {
        i++;
    }
    if (i == length || head[i] != '{') {
        return 0;
    }
    static const char *const words[] = {"\"model_type\"", "\"hidden_size\"", "\"architectures\"", "\"n_embd\"",
                                        "\"num_hidden_layers\""};
    int found = 0;
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        found += memmem(head, length, words[w], strlen(words[w])) != NULL;
    }
    return found > 0 ? 80 + found : 20;
}

static const char *const suffixes[] = {".json", NULL};

const struct sy_importer sy_importer_huggingface = {
    .name = "huggingface",
    .doc = "Hugging Face config.json: language, vision and speech transformers",
    .suffixes = suffixes,
    .example = "tests/golden/hf_configs/llama-3-8b.json",
    .sniff = sniff_huggingface,
    .import = import_huggingface,
};
