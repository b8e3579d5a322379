/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading config.json into struct sy_hf. A key may go by several names; null
 * means absent, as in the transformers library, whose class defaults stand
 * behind the defaults here (configuration files as published carry the keys
 * that matter; a key whose default differs from family to family is required
 * instead of guessed).
 */
#include "workloads/import/hf_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"

/* Limits that keep every product below 64 bits with up to 2^30 tokens; all far beyond any model. */
#define LARGEST (UINT64_C(1) << 24)
enum { MOST_LAYERS = 4096, MOST_EXPERTS = 65536, MOST_CHOICES = 256 };

/* How the transformers library builds each model type. */
static const struct sy_hf_family families[] = {
    {"llama", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY, SY_HF_SLIDE_NONE, 0, 0, false, 0, 0},
    {"mistral", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY, SY_HF_SLIDE_ALL, 0, 0, true, 0, 0},
    {"qwen2", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_QKV_BIAS, SY_HF_SLIDE_FLAGGED, 0, 0, true,
     0, 0},
    {"qwen3", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_QK_NORM, SY_HF_SLIDE_FLAGGED, 0, 128, true,
     0, 0},
    {"qwen3_moe", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_QK_NORM | SY_HF_MOE,
     SY_HF_SLIDE_FLAGGED, 0, 0, true, 0, 0},
    {"mixtral", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_MOE, SY_HF_SLIDE_ALL, 0, 0, true, 0, 0},
    {"deepseek_v2", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_MOE | SY_HF_MLA, SY_HF_SLIDE_NONE, 0,
     0, false, 0, 0},
    {"deepseek_v3", SY_HF_DECODER,
     SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_MOE | SY_HF_MLA | SY_HF_SIGMOID_ROUTER, SY_HF_SLIDE_NONE, 0, 0,
     false, 0, 3},
    {"gemma2", SY_HF_DECODER,
     SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_SANDWICH | SY_HF_TIED | SY_HF_SCALED_EMBEDDING | SY_HF_SOFTCAP,
     SY_HF_SLIDE_PATTERN, 2, 256, true, 0, 0},
    {"gemma3", SY_HF_DECODER,
     SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_SANDWICH | SY_HF_TIED | SY_HF_SCALED_EMBEDDING | SY_HF_QK_NORM,
     SY_HF_SLIDE_PATTERN, 6, 256, true, 0, 0},
    {"gemma3_text", SY_HF_DECODER,
     SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY | SY_HF_SANDWICH | SY_HF_TIED | SY_HF_SCALED_EMBEDDING | SY_HF_QK_NORM,
     SY_HF_SLIDE_PATTERN, 6, 256, true, 0, 0},
    {"phi3", SY_HF_DECODER, SY_HF_GATED | SY_HF_RMS | SY_HF_ROTARY, SY_HF_SLIDE_ALL, 0, 0, false, 0, 0},
    {"gpt2", SY_HF_DECODER, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS | SY_HF_TIED | SY_HF_LEARNED_POSITIONS,
     SY_HF_SLIDE_NONE, 0, 0, false, 0, 0},
    {"opt", SY_HF_DECODER, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS | SY_HF_TIED | SY_HF_LEARNED_POSITIONS,
     SY_HF_SLIDE_NONE, 0, 0, false, 2, 0},
    {"bert", SY_HF_BERT, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS | SY_HF_POST_LN, SY_HF_SLIDE_NONE, 0, 0,
     false, 0, 0},
    {"vit", SY_HF_VIT, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS, SY_HF_SLIDE_NONE, 0, 0, false, 0, 0},
    {"whisper", SY_HF_WHISPER, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS | SY_HF_NO_KEY_BIAS, SY_HF_SLIDE_NONE,
     0, 0, false, 0, 0},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

struct reader {
    const struct sy_json *root;
    const char *path;
    struct sy_diag *diag;
    struct sy_arena *arena;
    bool failed;
};

static struct sy_where at(const struct reader *r, const struct sy_json *value)
{
    return (struct sy_where){.file = r->path, .line = value->line, .column = value->column};
}

/* The member under the first of the names "a|b|c" that is there and not null. */
static const struct sy_json *find(const struct reader *r, const char *names)
{
    char name[64];
    while (*names != '\0') {
        size_t length = strcspn(names, "|");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        const struct sy_json *value = sy_json_get(r->root, name);
        if (value != NULL && value->kind != SY_JSON_NULL) {
            return value;
        }
        names += length + (names[length] == '|');
    }
    return NULL;
}

static void expected(struct reader *r, const struct sy_json *value, const char *what)
{
    static const char *const kinds[] = {"null", "a boolean", "a number", "a string", "a list", "an object"};
    bool text = value->kind == SY_JSON_NUMBER || value->kind == SY_JSON_STRING;
    (void)sy_error(r->diag, at(r, value), NULL, "%s is %s%s%s, expected %s", value->key != NULL ? value->key : "value",
                   text ? "'" : kinds[value->kind], text ? value->string : "", text ? "'" : "", what);
    r->failed = true;
}

static void missing(struct reader *r, const char *names)
{
    int first = (int)strcspn(names, "|");
    (void)sy_error(r->diag, at(r, r->root), "the whole config.json of the model is needed", "key %.*s is missing",
                   first, names);
    r->failed = true;
}

/* A whole number in [least, 2^24]; `fallback` when absent, SY_HF_REQUIRED = an error then. */
#define SY_HF_REQUIRED UINT64_MAX
static uint64_t number(struct reader *r, const char *names, uint64_t least, uint64_t fallback)
{
    uint64_t value;
    const struct sy_json *json = find(r, names);
    if (json == NULL) {
        if (fallback == SY_HF_REQUIRED) {
            missing(r, names);
            return 1;
        }
        return fallback;
    }
    if (!sy_json_u64(json, &value) || value < least || value > LARGEST) {
        char what[64];
        snprintf(what, sizeof what, "a whole number from %" PRIu64 " to %" PRIu64, least, LARGEST);
        expected(r, json, what);
        return 1;
    }
    return value;
}

static bool flag(struct reader *r, const char *names, bool fallback)
{
    const struct sy_json *json = find(r, names);
    if (json == NULL) {
        return fallback;
    }
    if (json->kind != SY_JSON_BOOL) {
        expected(r, json, "true or false");
        return fallback;
    }
    return json->boolean;
}

static void set_trait(struct sy_hf *hf, uint32_t trait, bool on)
{
    hf->traits = on ? hf->traits | trait : hf->traits & ~trait;
}

static enum sy_function activation(struct reader *r, const char *names, enum sy_function fallback)
{
    static const struct {
        const char *name;
        enum sy_function function;
    } known[] = {
        {"silu", SY_FN_SILU},       {"swish", SY_FN_SILU},       {"gelu", SY_FN_GELU},
        {"gelu_new", SY_FN_GELU},   {"gelu_fast", SY_FN_GELU},   {"gelu_pytorch_tanh", SY_FN_GELU},
        {"quick_gelu", SY_FN_SILU}, {"gelu_python", SY_FN_GELU}, {"relu", SY_FN_RELU},
        {"tanh", SY_FN_TANH},       {"sigmoid", SY_FN_SIGMOID},
    };
    const struct sy_json *json = find(r, names);
    if (json == NULL) {
        return fallback;
    }
    for (size_t i = 0; json->kind == SY_JSON_STRING && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(json->string, known[i].name) == 0) {
            return known[i].function;
        }
    }
    expected(r, json, "silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, quick_gelu, relu, tanh or sigmoid");
    return fallback;
}

/* ---- the groups of keys ---- */

static void read_attention(struct reader *r, struct sy_hf *hf)
{
    const struct sy_hf_family *family = hf->family;
    hf->heads = number(r, "num_attention_heads|n_head|encoder_attention_heads", 1, SY_HF_REQUIRED);
    bool mla = (hf->traits & SY_HF_MLA) != 0;
    hf->kv_heads =
        mla ? hf->heads : number(r, "num_key_value_heads", 1, family->needs_kv_heads ? SY_HF_REQUIRED : hf->heads);
    hf->head_dim = number(r, "head_dim", 1, family->head_dim);
    if (hf->head_dim == 0 || mla) {
        hf->head_dim = hf->hidden / hf->heads;
        if (hf->hidden % hf->heads != 0 && !mla && !r->failed) {
            (void)sy_error(r->diag, at(r, r->root), NULL,
                           "hidden_size is %" PRIu64 ", which %" PRIu64 " heads do not divide, and head_dim is missing",
                           hf->hidden, hf->heads);
            r->failed = true;
        }
    }
    if (hf->heads % hf->kv_heads != 0 && !r->failed) {
        (void)sy_error(r->diag, at(r, r->root), NULL,
                       "num_key_value_heads is %" PRIu64 ", which does not divide num_attention_heads = %" PRIu64,
                       hf->kv_heads, hf->heads);
        r->failed = true;
    }
    if (flag(r, "attention_bias", false)) {
        hf->traits |= SY_HF_QKV_BIAS | SY_HF_OUT_BIAS;
    }
    if (flag(r, "mlp_bias", false)) {
        hf->traits |= SY_HF_MLP_BIAS;
    }
}

static void read_mla(struct reader *r, struct sy_hf *hf)
{
    hf->q_lora = number(r, "q_lora_rank", 1, 0);
    hf->kv_lora = number(r, "kv_lora_rank", 1, SY_HF_REQUIRED);
    hf->nope = number(r, "qk_nope_head_dim", 1, SY_HF_REQUIRED);
    hf->rope = number(r, "qk_rope_head_dim", 1, SY_HF_REQUIRED);
    hf->value_dim = number(r, "v_head_dim", 1, SY_HF_REQUIRED);
}

static void read_experts(struct reader *r, struct sy_hf *hf)
{
    hf->experts = number(r, "num_local_experts|num_experts|n_routed_experts", 1, SY_HF_REQUIRED);
    hf->top_k = number(r, "num_experts_per_tok", 1, SY_HF_REQUIRED);
    hf->expert_ff = number(r, "moe_intermediate_size", 1, hf->ff);
    hf->shared_ff = number(r, "n_shared_experts", 0, 0) * hf->expert_ff;
    hf->first_dense = number(r, "first_k_dense_replace", 0, hf->family->first_expert_layer);
    hf->sparse_step = number(r, "decoder_sparse_step|moe_layer_freq", 1, 1);
    if (!r->failed && (hf->top_k > hf->experts || hf->experts > MOST_EXPERTS || hf->top_k > MOST_CHOICES)) {
        (void)sy_error(r->diag, at(r, r->root), NULL,
                       "%" PRIu64 " experts a token out of %" PRIu64 ", expected at most %d out of at most %d",
                       hf->top_k, hf->experts, MOST_CHOICES, MOST_EXPERTS);
        r->failed = true;
    }
}

/* layer_types of newer files: a word a layer. */
static bool read_layer_types(struct reader *r, const struct sy_hf *hf, struct sy_hf_layer *layer)
{
    const struct sy_json *list = find(r, "layer_types");
    if (list == NULL) {
        return false;
    }
    uint64_t count = 0;
    for (const struct sy_json *word = list->child; list->kind == SY_JSON_ARRAY && word != NULL; word = word->next) {
        bool slides = word->kind == SY_JSON_STRING && strcmp(word->string, "sliding_attention") == 0;
        if (!slides && (word->kind != SY_JSON_STRING || strcmp(word->string, "full_attention") != 0)) {
            expected(r, word, "full_attention or sliding_attention");
            return true;
        }
        if (count < hf->layers) {
            layer[count].sliding = slides && hf->window > 0;
        }
        count++;
    }
    if (count != hf->layers) {
        expected(r, list, "one word a layer");
    }
    return true;
}

static void read_window(struct reader *r, struct sy_hf *hf, struct sy_hf_layer *layer)
{
    hf->window = hf->family->sliding == SY_HF_SLIDE_NONE ? 0 : number(r, "sliding_window", 1, 0);
    uint64_t from = 0;
    if (hf->family->sliding == SY_HF_SLIDE_FLAGGED) {
        from = number(r, "max_window_layers", 0, hf->layers);
        hf->window = flag(r, "use_sliding_window", false) ? hf->window : 0;
    }
    hf->pattern = number(r, "sliding_window_pattern", 1, hf->family->pattern);
    if (hf->window == 0 || read_layer_types(r, hf, layer)) {
        return;
    }
    for (uint64_t i = 0; i < hf->layers; i++) {
        /* a pattern of p: p - 1 layers slide, the last one sees everything (Gemma 2: layers 0, 2, 4 ... slide) */
        layer[i].sliding = hf->family->sliding == SY_HF_SLIDE_PATTERN ? (i + 1) % hf->pattern != 0 : i >= from;
    }
}

static void mark_experts(struct reader *r, struct sy_hf *hf, struct sy_hf_layer *layer)
{
    bool qwen = sy_json_get(r->root, "decoder_sparse_step") != NULL;
    for (uint64_t i = 0; i < hf->layers; i++) {
        uint64_t position = qwen ? i + 1 : i; /* Qwen counts layers from 1 for its step, DeepSeek from 0 */
        layer[i].experts = i >= hf->first_dense && position % hf->sparse_step == 0;
    }
    const struct sy_json *dense = find(r, "mlp_only_layers");
    uint64_t index;
    for (const struct sy_json *one = dense != NULL ? dense->child : NULL; one != NULL; one = one->next) {
        if (!sy_json_u64(one, &index) || index >= hf->layers) {
            expected(r, one, "the number of a layer");
            return;
        }
        layer[index].experts = false;
    }
}

static void read_layers(struct reader *r, struct sy_hf *hf)
{
    hf->layers = number(r, "num_hidden_layers|n_layer|encoder_layers", 1, SY_HF_REQUIRED);
    if (hf->layers > MOST_LAYERS) {
        expected(r, find(r, "num_hidden_layers|n_layer|encoder_layers"), "at most 4096 layers");
    }
    if (r->failed) {
        return;
    }
    struct sy_hf_layer *layer = sy_arena_array(r->arena, hf->layers, sizeof *layer);
    if (layer == NULL) {
        r->failed = true;
        return;
    }
    hf->layer = layer;
    read_window(r, hf, layer);
    if ((hf->traits & SY_HF_MOE) != 0) {
        mark_experts(r, hf, layer);
    }
}

/* ---- kinds ---- */

static void read_decoder(struct reader *r, struct sy_hf *hf)
{
    bool gated = (hf->traits & SY_HF_GATED) != 0;
    hf->vocab = number(r, "vocab_size", 1, SY_HF_REQUIRED);
    hf->positions = number(r, "max_position_embeddings|n_positions", 1,
                           (hf->traits & SY_HF_LEARNED_POSITIONS) != 0 ? SY_HF_REQUIRED : 0);
    hf->ff = number(r, "intermediate_size|n_inner|ffn_dim", 1,
                    strcmp(hf->family->model_type, "gpt2") == 0 ? 4 * hf->hidden : SY_HF_REQUIRED);
    enum sy_function usual = strcmp(hf->family->model_type, "opt") == 0 ? SY_FN_RELU : SY_FN_GELU;
    hf->function = activation(r, "hidden_activation|hidden_act|activation_function", gated ? SY_FN_SILU : usual);
    set_trait(hf, SY_HF_TIED, flag(r, "tie_word_embeddings", (hf->traits & SY_HF_TIED) != 0));
    hf->embed_dim = number(r, "word_embed_proj_dim", 1, hf->hidden);
    if (!flag(r, "do_layer_norm_before", true)) {
        hf->traits |= SY_HF_POST_LN;
    }
    if (!flag(r, "enable_bias", true)) {
        set_trait(hf, SY_HF_QKV_BIAS | SY_HF_OUT_BIAS | SY_HF_MLP_BIAS, false);
    }
    const struct sy_json *cap = (hf->traits & SY_HF_SOFTCAP) != 0 ? find(r, "final_logit_softcapping") : NULL;
    hf->softcap = cap != NULL ? cap->number : 0;
    if ((hf->traits & SY_HF_MLA) != 0) {
        read_mla(r, hf);
    }
    if ((hf->traits & SY_HF_MOE) != 0) {
        read_experts(r, hf);
    }
    if (find(r, "attn_logit_softcapping") != NULL) {
        sy_warn(r->diag, at(r, find(r, "attn_logit_softcapping")), NULL,
                "the soft cap on attention scores (a tanh a score) is not costed");
    }
}

static void read_bert(struct reader *r, struct sy_hf *hf)
{
    hf->vocab = number(r, "vocab_size", 1, SY_HF_REQUIRED);
    hf->positions = number(r, "max_position_embeddings", 1, 512);
    hf->types = number(r, "type_vocab_size", 1, 2);
    hf->ff = number(r, "intermediate_size", 1, SY_HF_REQUIRED);
    hf->function = activation(r, "hidden_act", SY_FN_GELU);
}

/* a number, or a list of height and width */
static void read_image(struct reader *r, struct sy_hf *hf)
{
    const struct sy_json *json = find(r, "image_size");
    uint64_t size[2] = {224, 224};
    if (json != NULL && json->kind == SY_JSON_ARRAY) {
        const struct sy_json *first = json->child;
        if (first == NULL || first->next == NULL || !sy_json_u64(first, &size[0]) ||
            !sy_json_u64(first->next, &size[1])) {
            expected(r, json, "a number, or height and width");
        }
    } else {
        size[0] = size[1] = number(r, "image_size", 1, 224);
    }
    hf->image_h = size[0];
    hf->image_w = size[1];
    hf->patch = number(r, "patch_size", 1, 16);
    if (!r->failed && (hf->image_h % hf->patch != 0 || hf->image_w % hf->patch != 0 || hf->image_h > 65536 ||
                       hf->image_w > 65536 || hf->image_h == 0 || hf->image_w == 0)) {
        (void)sy_error(r->diag, at(r, r->root), NULL,
                       "patches of %" PRIu64 " do not tile an image of %" PRIu64 " x %" PRIu64, hf->patch, hf->image_h,
                       hf->image_w);
        r->failed = true;
    }
}

static void read_vit(struct reader *r, struct sy_hf *hf)
{
    hf->ff = number(r, "intermediate_size", 1, SY_HF_REQUIRED);
    hf->channels = number(r, "num_channels", 1, 3);
    hf->function = activation(r, "hidden_act", SY_FN_GELU);
    read_image(r, hf);
    /* published files carry id2label; one without either is the ImageNet classifier */
    uint64_t labels = 0;
    const struct sy_json *names = find(r, "id2label");
    for (const struct sy_json *one = names != NULL ? names->child : NULL; one != NULL; one = one->next) {
        labels++;
    }
    hf->labels = number(r, "num_labels", 0, labels > 0 ? labels : 1000);
}

static void read_whisper(struct reader *r, struct sy_hf *hf)
{
    hf->vocab = number(r, "vocab_size", 1, SY_HF_REQUIRED);
    hf->ff = number(r, "encoder_ffn_dim", 1, SY_HF_REQUIRED);
    hf->decoder_ff = number(r, "decoder_ffn_dim", 1, SY_HF_REQUIRED);
    hf->decoder_layers = number(r, "decoder_layers", 1, SY_HF_REQUIRED);
    hf->decoder_heads = number(r, "decoder_attention_heads", 1, SY_HF_REQUIRED);
    hf->source_positions = number(r, "max_source_positions", 1, 1500);
    hf->positions = number(r, "max_target_positions", 1, 448);
    hf->mel_bins = number(r, "num_mel_bins", 1, 80);
    hf->function = activation(r, "activation_function", SY_FN_GELU);
    if (!r->failed && hf->hidden % hf->decoder_heads != 0) {
        (void)sy_error(r->diag, at(r, r->root), NULL,
                       "d_model is %" PRIu64 ", which %" PRIu64 " decoder heads do not divide", hf->hidden,
                       hf->decoder_heads);
        r->failed = true;
    }
}

/* Width of all heads together. */
static void check_width(struct reader *r, const struct sy_hf *hf)
{
    uint64_t each = sy_max(hf->head_dim, hf->nope + hf->rope + hf->value_dim);
    if (!r->failed && hf->heads * each > LARGEST) {
        (void)sy_error(r->diag, at(r, r->root), NULL, "%" PRIu64 " heads of %" PRIu64 " are too wide", hf->heads, each);
        r->failed = true;
    }
}

/* ---- the file ---- */

static const struct sy_hf_family *find_family(struct reader *r)
{
    const struct sy_json *type = find(r, "model_type");
    const char *names[FAMILIES];
    struct sy_buf list = {0};
    for (int i = 0; i < FAMILIES; i++) {
        names[i] = families[i].model_type;
        sy_buf_printf(&list, "%s%s", i == 0 ? "known: " : ", ", names[i]);
        if (type != NULL && type->kind == SY_JSON_STRING && strcmp(type->string, names[i]) == 0) {
            sy_buf_free(&list);
            return &families[i];
        }
    }
    if (type == NULL || type->kind != SY_JSON_STRING) {
        (void)sy_error(r->diag, at(r, r->root), list.data, "key model_type is missing or not a word");
    } else {
        const char *near = sy_nearest(type->string, names, FAMILIES);
        (void)sy_error(r->diag, at(r, type), list.data, "model_type '%s' is not known%s%s%s", type->string,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    sy_buf_free(&list);
    return NULL;
}

/* The language model of a model of several parts. */
static void enter_text_config(struct reader *r)
{
    const struct sy_json *text = sy_json_get(r->root, "text_config");
    if (text == NULL || text->kind != SY_JSON_OBJECT) {
        return;
    }
    sy_warn(r->diag, at(r, text), NULL, "only the language model (text_config) is imported, not the towers around it");
    r->root = text;
}

enum sy_status sy_hf_read(struct sy_arena *arena, const struct sy_json *root, const char *path, struct sy_hf *hf,
                          struct sy_diag *diag)
{
    struct reader r = {.root = root, .path = path, .diag = diag, .arena = arena};
    memset(hf, 0, sizeof *hf);
    if (root->kind != SY_JSON_OBJECT) {
        return sy_error(diag, at(&r, root), NULL, "a config.json is an object");
    }
    hf->family = find_family(&r);
    if (hf->family == NULL) {
        return SY_UNSUPPORTED;
    }
    enter_text_config(&r);
    hf->traits = hf->family->traits;
    hf->hidden = number(&r, "hidden_size|n_embd|d_model", 1, SY_HF_REQUIRED);
    static void (*const readers[])(struct reader *, struct sy_hf *) = {[SY_HF_DECODER] = read_decoder,
                                                                       [SY_HF_BERT] = read_bert,
                                                                       [SY_HF_VIT] = read_vit,
                                                                       [SY_HF_WHISPER] = read_whisper};
    readers[hf->family->kind](&r, hf);
    read_attention(&r, hf);
    check_width(&r, hf);
    read_layers(&r, hf);
    return r.failed ? SY_INPUT : SY_OK;
}
