/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multi-head latent attention (DeepSeek-V2, 2024, section 2.1). The cache holds
 * one latent vector of kv_lora elements and one rotated key of rope elements a
 * token. Prefill expands keys and values of its own tokens; decode multiplies
 * the up-projections into queries and outputs instead ("absorbed"), so that
 * all heads attend to the latent vectors themselves.
 */
#include "workloads/import/hf.h"

static void queries(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char *a)
{
    bool bias = (hf->traits & SY_HF_QKV_BIAS) != 0;
    uint64_t width = hf->heads * (hf->nope + hf->rope);
    if (hf->q_lora == 0) {
        sy_build_gemm(
            b, &(struct sy_build_gemm){.name = "q", .a = a, .y = "q", .m = pass->tokens, .k = hf->hidden, .n = width});
    } else {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = "q_a",
                                                 .a = a,
                                                 .y = "q_latent",
                                                 .m = pass->tokens,
                                                 .k = hf->hidden,
                                                 .n = hf->q_lora,
                                                 .bias = bias});
        sy_build_norm(b, "q_a_norm", "q_latent", "q_latent_normed", pass->tokens, hf->q_lora, SY_NORM_RMS);
        sy_build_gemm(
            b, &(struct sy_build_gemm){
                   .name = "q_b", .a = "q_latent_normed", .y = "q", .m = pass->tokens, .k = hf->q_lora, .n = width});
    }
    sy_build_elementwise(b, "q_rotary", SY_FN_ROTARY, "q", "/angles", pass->positions * hf->rope, "q_rotated",
                         pass->tokens * hf->heads * hf->rope);
}

static void latents(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char *a)
{
    uint64_t width = hf->kv_lora + hf->rope;
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "kv_a",
                                             .a = a,
                                             .y = "kv_latent",
                                             .m = pass->tokens,
                                             .k = hf->hidden,
                                             .n = width,
                                             .bias = (hf->traits & SY_HF_QKV_BIAS) != 0});
    sy_build_norm(b, "kv_a_norm", "kv_latent", "kv_latent_normed", pass->tokens, hf->kv_lora, SY_NORM_RMS);
    sy_build_elementwise(b, "k_rotary", SY_FN_ROTARY, "kv_latent", "/angles", pass->positions * hf->rope, "k_rotated",
                         pass->tokens * hf->rope);
    if (pass->appends) {
        sy_build_move(b, "latent_append", "kv_latent_normed", "latent_cache", pass->tokens * hf->kv_lora, true);
        sy_build_move(b, "rope_append", "k_rotated", "latent_cache", pass->tokens * hf->rope, true);
    }
}

static void expanded(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "kv_b",
                                             .a = "kv_latent_normed",
                                             .y = "kv",
                                             .m = pass->tokens,
                                             .k = hf->kv_lora,
                                             .n = hf->heads * (hf->nope + hf->value_dim)});
    struct sy_attention_dims dims = {.b = pass->batch,
                                     .heads = hf->heads,
                                     .kv_heads = hf->heads,
                                     .q_len = pass->queries,
                                     .kv_len = pass->queries,
                                     .head_dim = hf->nope + hf->rope,
                                     .value_dim = hf->value_dim,
                                     .causal = pass->causal,
                                     .sequences = pass->sequences};
    sy_build_attention(b, "attention", "q", "kv", "kv", "context", &dims, false);
}

static void absorbed(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "q_absorb",
                                             .a = "q",
                                             .y = "q_absorbed",
                                             .g = hf->heads,
                                             .m = pass->tokens,
                                             .k = hf->nope,
                                             .n = hf->kv_lora});
    struct sy_attention_dims dims = {.b = pass->batch,
                                     .heads = hf->heads,
                                     .kv_heads = 1,
                                     .q_len = pass->queries,
                                     .kv_len = pass->cached + pass->queries,
                                     .head_dim = hf->kv_lora + hf->rope,
                                     .value_dim = hf->kv_lora,
                                     .causal = pass->causal,
                                     .v_in_k = 1,
                                     .kv_page = pass->kv_page,
                                     .sequences = pass->sequences};
    sy_build_attention(b, "attention", "q_absorbed", "latent_cache", "latent_cache", "latent_context", &dims, true);
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "v_absorb",
                                             .a = "latent_context",
                                             .y = "context",
                                             .g = hf->heads,
                                             .m = pass->tokens,
                                             .k = hf->kv_lora,
                                             .n = hf->value_dim});
}

void sy_hf_mla(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char *a)
{
    queries(b, hf, pass, a);
    latents(b, hf, pass, a);
    if (pass->cached > 0) {
        absorbed(b, hf, pass);
    } else {
        expanded(b, hf, pass);
    }
    sy_hf_summed_gemm(b, hf,
                      &(struct sy_build_gemm){.name = "o",
                                              .a = "context",
                                              .y = "attended",
                                              .m = pass->tokens,
                                              .k = hf->heads * hf->value_dim,
                                              .n = hf->hidden,
                                              .bias = (hf->traits & SY_HF_OUT_BIAS) != 0,
                                              .add = "/hidden"});
}
