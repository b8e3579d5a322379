/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformer stacks: the layer that decoders and encoders share, and
 * decoder-only models around it. Structure and parameter shapes follow the
 * model definitions of the transformers library.
 */
#include "workloads/import/hf.h"

#include <stdio.h>

#include "sim/base/checked.h"

enum { LONGEST_PERIOD = 16 };

enum sy_norm_kind sy_hf_norm(const struct sy_hf *hf)
{
    return (hf->traits & SY_HF_RMS) != 0 ? SY_NORM_RMS : SY_NORM_LAYER;
}

/* ---- attention ---- */

static void projections(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char *a)
{
    bool bias = (hf->traits & SY_HF_QKV_BIAS) != 0;
    uint64_t q = hf->heads * hf->head_dim;
    uint64_t kv = hf->kv_heads * hf->head_dim;
    if ((hf->traits & SY_HF_NO_KEY_BIAS) == 0) {
        sy_build_gemm(
            b,
            &(struct sy_build_gemm){
                .name = "qkv", .a = a, .y = "qkv", .m = pass->tokens, .k = hf->hidden, .n = q + 2 * kv, .bias = bias});
        return;
    }
    sy_build_gemm(b, &(struct sy_build_gemm){
                         .name = "q", .a = a, .y = "q", .m = pass->tokens, .k = hf->hidden, .n = q, .bias = bias});
    sy_build_gemm(b,
                  &(struct sy_build_gemm){.name = "k", .a = a, .y = "k", .m = pass->tokens, .k = hf->hidden, .n = kv});
    sy_build_gemm(b, &(struct sy_build_gemm){
                         .name = "v", .a = a, .y = "v", .m = pass->tokens, .k = hf->hidden, .n = kv, .bias = bias});
}

/* Norm and rotation of queries and keys; returns the tensor names to go on with. */
static void position(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char **q,
                     const char **k)
{
    if ((hf->traits & SY_HF_QK_NORM) != 0) {
        sy_build_norm(b, "q_norm", *q, "q_normed", pass->tokens * hf->heads, hf->head_dim, SY_NORM_RMS);
        sy_build_norm(b, "k_norm", *k, "k_normed", pass->tokens * hf->kv_heads, hf->head_dim, SY_NORM_RMS);
        *q = "q_normed";
        *k = "k_normed";
    }
    if ((hf->traits & SY_HF_ROTARY) != 0) {
        uint64_t angles = pass->positions * hf->head_dim;
        sy_build_elementwise(b, "q_rotary", SY_FN_ROTARY, *q, "/angles", angles, "q_rotated",
                             pass->tokens * hf->heads * hf->head_dim);
        sy_build_elementwise(b, "k_rotary", SY_FN_ROTARY, *k, "/angles", angles, "k_rotated",
                             pass->tokens * hf->kv_heads * hf->head_dim);
        *q = "q_rotated";
        *k = "k_rotated";
    }
}

void sy_hf_attention(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass,
                     const struct sy_hf_layer *layer, const char *a)
{
    bool separate = (hf->traits & SY_HF_NO_KEY_BIAS) != 0;
    const char *q = separate ? "q" : "qkv";
    const char *k = separate ? "k" : "qkv";
    const char *v = separate ? "v" : "qkv";
    uint64_t kv = pass->tokens * hf->kv_heads * hf->head_dim;
    projections(b, hf, pass, a);
    position(b, hf, pass, &q, &k);
    if (pass->appends) {
        sy_build_move(b, "k_append", k, "k_cache", kv, true);
        sy_build_move(b, "v_append", v, "v_cache", kv, true);
        k = "k_cache";
        v = "v_cache";
    }
    struct sy_attention_dims dims = {.b = pass->batch,
                                     .heads = hf->heads,
                                     .kv_heads = hf->kv_heads,
                                     .q_len = pass->queries,
                                     .kv_len = pass->cached + pass->queries,
                                     .head_dim = hf->head_dim,
                                     .value_dim = hf->head_dim,
                                     .causal = pass->causal,
                                     .window = layer->sliding ? hf->window : 0,
                                     .kv_page = pass->appends ? pass->kv_page : 0,
                                     .sequences = pass->sequences};
    sy_build_attention(b, "attention", q, k, v, "context", &dims, pass->appends);
    bool sandwich = (hf->traits & SY_HF_SANDWICH) != 0;
    sy_hf_summed_gemm(b, hf,
                      &(struct sy_build_gemm){.name = "o",
                                              .a = "context",
                                              .y = sandwich ? "projected" : "attended",
                                              .m = pass->tokens,
                                              .k = hf->heads * hf->head_dim,
                                              .n = hf->hidden,
                                              .bias = (hf->traits & SY_HF_OUT_BIAS) != 0,
                                              .add = sandwich ? NULL : "/hidden"});
}

/* ---- one layer ---- */

void sy_hf_mlp(struct sy_builder *b, const struct sy_hf *hf, const char *name, uint64_t tokens, uint64_t ff,
               const char *a, const char *y, const char *add)
{
    bool bias = (hf->traits & SY_HF_MLP_BIAS) != 0;
    char gate[64], up[64], down[64], inner[64];
    snprintf(gate, sizeof gate, "%sgate", name);
    snprintf(up, sizeof up, "%sup", name);
    snprintf(down, sizeof down, "%sdown", name);
    snprintf(inner, sizeof inner, "%sinner", name);
    if ((hf->traits & SY_HF_GATED) != 0) {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = gate,
                                                 .a = a,
                                                 .y = gate,
                                                 .m = tokens,
                                                 .k = hf->hidden,
                                                 .n = ff,
                                                 .bias = bias,
                                                 .function = hf->function});
        sy_build_gemm(
            b, &(struct sy_build_gemm){
                   .name = up, .a = a, .y = inner, .m = tokens, .k = hf->hidden, .n = ff, .bias = bias, .mul = gate});
    } else {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = up,
                                                 .a = a,
                                                 .y = inner,
                                                 .m = tokens,
                                                 .k = hf->hidden,
                                                 .n = ff,
                                                 .bias = bias,
                                                 .function = hf->function});
    }
    sy_hf_summed_gemm(
        b, hf,
        &(struct sy_build_gemm){
            .name = down, .a = inner, .y = y, .m = tokens, .k = ff, .n = hf->hidden, .bias = bias, .add = add});
}

static void feed_forward(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass,
                         const struct sy_hf_layer *layer, const char *a, const char *y, const char *add)
{
    if (layer->experts) {
        sy_hf_moe(b, hf, pass->tokens, a, y, add);
    } else {
        sy_hf_mlp(b, hf, "", pass->tokens, hf->ff, a, y, add);
    }
}

static void attend(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass,
                   const struct sy_hf_layer *layer, const char *a)
{
    if ((hf->traits & SY_HF_MLA) != 0) {
        sy_hf_mla(b, hf, pass, a);
    } else {
        sy_hf_attention(b, hf, pass, layer, a);
    }
}

static void one_layer(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass,
                      const struct sy_hf_layer *layer)
{
    enum sy_norm_kind norm = sy_hf_norm(hf);
    uint64_t tokens = pass->tokens, hidden = hf->hidden;
    if ((hf->traits & SY_HF_POST_LN) != 0) {
        attend(b, hf, pass, layer, "/hidden");
        sy_build_norm(b, "attention_norm", "attended", "attended_normed", tokens, hidden, norm);
        feed_forward(b, hf, pass, layer, "attended_normed", "summed", "attended_normed");
        sy_build_norm(b, "output_norm", "summed", "/hidden", tokens, hidden, norm);
        return;
    }
    sy_build_norm(b, "attention_norm", "/hidden", "attention_in", tokens, hidden, norm);
    attend(b, hf, pass, layer, "attention_in");
    bool sandwich = (hf->traits & SY_HF_SANDWICH) != 0;
    if (sandwich) {
        sy_build_norm(b, "post_attention_norm", "projected", "projected_normed", tokens, hidden, norm);
        sy_build_elementwise(b, "attention_add", SY_FN_ADD, "projected_normed", "/hidden", 0, "attended",
                             tokens * hidden);
    }
    sy_build_norm(b, "mlp_norm", "attended", "mlp_in", tokens, hidden, norm);
    feed_forward(b, hf, pass, layer, "mlp_in", sandwich ? "mlp_out" : "/hidden", sandwich ? NULL : "attended");
    if (sandwich) {
        sy_build_norm(b, "post_mlp_norm", "mlp_out", "mlp_normed", tokens, hidden, norm);
        sy_build_elementwise(b, "mlp_add", SY_FN_ADD, "mlp_normed", "attended", 0, "/hidden", tokens * hidden);
    }
}

/* ---- the stack ---- */

static bool equal(const struct sy_hf_layer *a, const struct sy_hf_layer *b)
{
    return a->sliding == b->sliding && a->experts == b->experts;
}

/* How often the block of `period` layers at `first` follows itself. */
static uint64_t runs(const struct sy_hf *hf, uint64_t first, uint64_t period)
{
    uint64_t end = first + period;
    while (end < hf->layers && equal(&hf->layer[end], &hf->layer[end - period])) {
        end++;
    }
    return (end - first) / period;
}

void sy_hf_stack(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    const char *base = b->prefix;
    for (uint64_t first = 0; first < hf->layers && b->status == SY_OK;) {
        uint64_t period = 1, times = runs(hf, first, 1);
        for (uint64_t p = 2; p <= LONGEST_PERIOD && first + 2 * p <= hf->layers; p++) {
            uint64_t r = runs(hf, first, p);
            if (r >= 2 && r * p > times * period) {
                period = p;
                times = r;
            }
        }
        if (times > 1) {
            sy_build_repeat(b, times);
        }
        for (uint64_t i = first; i < first + period; i++) {
            sy_build_prefix(b, "%slayers.%llu.", base, (unsigned long long)i);
            one_layer(b, hf, pass, &hf->layer[i]);
        }
        if (times > 1) {
            sy_build_end_repeat(b);
        }
        b->prefix = base;
        first += period * times;
    }
}

/* ---- decoder-only models ---- */

static void embed(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t tokens = pass->tokens;
    bool learned = (hf->traits & SY_HF_LEARNED_POSITIONS) != 0;
    bool scaled = (hf->traits & SY_HF_SCALED_EMBEDDING) != 0;
    bool projected = hf->embed_dim != hf->hidden;
    const char *y = !learned && !scaled && !projected ? "/hidden" : "embedded";
    sy_build_gather(b, "embedding", "token_ids", NULL, y, tokens, hf->embed_dim, hf->vocab);
    if (projected) {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = "project_in",
                                                 .a = "embedded",
                                                 .y = "embedded_wide",
                                                 .m = tokens,
                                                 .k = hf->embed_dim,
                                                 .n = hf->hidden});
    }
    if (scaled) {
        sy_build_elementwise(b, "embedding_scale", SY_FN_SCALE, "embedded", NULL, 0, "/hidden", tokens * hf->hidden);
    }
    if (learned) {
        sy_build_gather(b, "positions", "position_ids", NULL, "positioned", tokens, hf->hidden,
                        hf->positions + hf->family->position_offset);
        sy_build_elementwise(b, "embedding_add", SY_FN_ADD, projected ? "embedded_wide" : "embedded", "positioned", 0,
                             "/hidden", tokens * hf->hidden);
    }
}

static void head(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t rows = pass->all_logits ? pass->tokens : pass->batch;
    const char *last = "/hidden";
    if ((hf->traits & SY_HF_POST_LN) == 0) {
        sy_build_norm(b, "final_norm", last, "final", pass->tokens, hf->hidden, sy_hf_norm(hf));
        last = "final";
    }
    if (hf->embed_dim != hf->hidden) {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = "project_out",
                                                 .a = last,
                                                 .y = "narrow",
                                                 .m = pass->tokens,
                                                 .k = hf->hidden,
                                                 .n = hf->embed_dim});
        last = "narrow";
    }
    bool tied = (hf->traits & SY_HF_TIED) != 0, several = hf->chips > 1;
    uint64_t part = several ? sy_ceil_div(hf->vocab, hf->chips) : hf->vocab;
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "lm_head",
                                             .unquantized = true,
                                             .a = last,
                                             .b = tied ? "embedding.table" : NULL,
                                             .b_is_weight = tied,
                                             .tied = tied,
                                             .y = "logits",
                                             .m = rows,
                                             .k = hf->embed_dim,
                                             .n = part});
    const char *logits = "logits";
    if (hf->softcap > 0) {
        sy_build_elementwise(b, "softcap", SY_FN_TANH, logits, NULL, 0, "capped", rows * part);
        logits = "capped";
    }
    if (several) {
        sy_build_collective(b, "logits_all_gather", logits, "all_logits", rows * part, hf->chips, SY_ALL_GATHER);
        logits = "all_logits";
    }
    if (!pass->all_logits) {
        sy_build_reduce(b, "sample", logits, several ? rows * part * hf->chips : 0, "next_token", rows, hf->vocab,
                        SY_FN_MAX);
    }
}

void sy_hf_decoder(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    embed(b, hf, pass);
    sy_hf_stack(b, hf, pass);
    head(b, hf, pass);
}
