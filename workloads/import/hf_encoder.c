/* SPDX-License-Identifier: Apache-2.0 */
/* BERT, ViT and Whisper: the same stack with other ends. Shapes follow the transformers library. */
#include "workloads/import/hf.h"

void sy_hf_bert(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t tokens = pass->tokens, hidden = hf->hidden;
    sy_build_gather(b, "word_embeddings", "token_ids", NULL, "words", tokens, hidden, hf->vocab);
    sy_build_gather(b, "position_embeddings", "position_ids", NULL, "positioned", tokens, hidden, hf->positions);
    sy_build_gather(b, "token_type_embeddings", "type_ids", NULL, "types", tokens, hidden, hf->types);
    sy_build_elementwise(b, "embedding_add1", SY_FN_ADD, "words", "positioned", 0, "sum1", tokens * hidden);
    sy_build_elementwise(b, "embedding_add2", SY_FN_ADD, "sum1", "types", 0, "sum2", tokens * hidden);
    sy_build_norm(b, "embedding_norm", "sum2", "/hidden", tokens, hidden, SY_NORM_LAYER);
    sy_hf_stack(b, hf, pass);
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "pooler",
                                             .a = "/hidden",
                                             .y = "pooled",
                                             .m = pass->batch,
                                             .k = hidden,
                                             .n = hidden,
                                             .bias = true,
                                             .function = SY_FN_TANH});
}

void sy_hf_vit(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t hidden = hf->hidden, batch = pass->batch;
    struct sy_conv_dims patches = {.b = batch,
                                   .h = hf->image_h,
                                   .w = hf->image_w,
                                   .c = hf->channels,
                                   .n = hidden,
                                   .fh = hf->patch,
                                   .fw = hf->patch,
                                   .sh = hf->patch,
                                   .sw = hf->patch,
                                   .dh = 1,
                                   .dw = 1,
                                   .groups = 1};
    sy_build_conv(b, "patch_embedding", "image", "patches", &patches);
    sy_build_gather(b, "class_token", "class_ids", NULL, "classes", batch, hidden, 1);
    /* patches and class token of a sequence side by side */
    sy_build_move(b, "place_patches", "patches", "tokens", (pass->tokens - batch) * hidden, false);
    sy_build_move(b, "place_classes", "classes", "tokens", batch * hidden, false);
    sy_build_gather(b, "position_embeddings", "position_ids", NULL, "positioned", pass->tokens, hidden, pass->queries);
    sy_build_elementwise(b, "embedding_add", SY_FN_ADD, "tokens", "positioned", 0, "/hidden", pass->tokens * hidden);
    sy_hf_stack(b, hf, pass);
    sy_build_norm(b, "final_norm", "/hidden", "final", pass->tokens, hidden, SY_NORM_LAYER);
    if (hf->labels > 0) {
        sy_build_gemm(b, &(struct sy_build_gemm){.name = "classifier",
                                                 .a = "final",
                                                 .y = "logits",
                                                 .m = batch,
                                                 .k = hidden,
                                                 .n = hf->labels,
                                                 .bias = true});
    }
}

/* ---- Whisper ---- */

static void audio_encoder(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t hidden = hf->hidden, positions = hf->source_positions, batch = pass->batch;
    struct sy_conv_dims first = {.b = batch,
                                 .h = 1,
                                 .w = 2 * positions,
                                 .c = hf->mel_bins,
                                 .n = hidden,
                                 .fh = 1,
                                 .fw = 3,
                                 .sh = 1,
                                 .sw = 1,
                                 .pl = 1,
                                 .pr = 1,
                                 .dh = 1,
                                 .dw = 1,
                                 .groups = 1};
    struct sy_conv_dims second = first;
    second.c = hidden;
    second.sw = 2;
    sy_build_conv(b, "conv1", "mel", "conv1", &first);
    sy_build_elementwise(b, "gelu1", SY_FN_GELU, "conv1", NULL, 0, "features1", batch * 2 * positions * hidden);
    sy_build_conv(b, "conv2", "features1", "conv2", &second);
    sy_build_elementwise(b, "gelu2", SY_FN_GELU, "conv2", NULL, 0, "features2", batch * positions * hidden);
    sy_build_gather(b, "encoder_positions", "position_ids", NULL, "encoder_positioned", batch * positions, hidden,
                    positions);
    sy_build_elementwise(b, "encoder_add", SY_FN_ADD, "features2", "encoder_positioned", 0, "/hidden",
                         batch * positions * hidden);
    struct sy_hf_pass audio = {
        .batch = batch, .queries = positions, .tokens = batch * positions, .positions = positions};
    sy_build_prefix(b, "encoder.");
    sy_hf_stack(b, hf, &audio);
    b->prefix = "";
    sy_build_norm(b, "encoder_norm", "/hidden", "/encoded", audio.tokens, hidden, SY_NORM_LAYER);
}

/* Keys and values of the audio are made once, in prefill, and cached; each decoder layer attends to them. */
static void cross_attention(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    uint64_t hidden = hf->hidden, tokens = pass->tokens, audio = pass->batch * hf->source_positions;
    sy_build_norm(b, "cross_norm", "attended", "cross_in", tokens, hidden, SY_NORM_LAYER);
    sy_build_gemm(
        b,
        &(struct sy_build_gemm){
            .name = "cross_q", .a = "cross_in", .y = "cross_q", .m = tokens, .k = hidden, .n = hidden, .bias = true});
    if (!pass->decode) {
        sy_build_gemm(b, &(struct sy_build_gemm){
                             .name = "cross_k", .a = "/encoded", .y = "cross_k", .m = audio, .k = hidden, .n = hidden});
        sy_build_gemm(b, &(struct sy_build_gemm){.name = "cross_v",
                                                 .a = "/encoded",
                                                 .y = "cross_v",
                                                 .m = audio,
                                                 .k = hidden,
                                                 .n = hidden,
                                                 .bias = true});
        sy_build_move(b, "cross_k_append", "cross_k", "cross_k_cache", audio * hidden, true);
        sy_build_move(b, "cross_v_append", "cross_v", "cross_v_cache", audio * hidden, true);
    }
    struct sy_attention_dims dims = {.b = pass->batch,
                                     .heads = hf->decoder_heads,
                                     .kv_heads = hf->decoder_heads,
                                     .q_len = pass->queries,
                                     .kv_len = hf->source_positions,
                                     .head_dim = hidden / hf->decoder_heads,
                                     .value_dim = hidden / hf->decoder_heads};
    sy_build_attention(b, "cross_attention", "cross_q", "cross_k_cache", "cross_v_cache", "cross_context", &dims, true);
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "cross_o",
                                             .a = "cross_context",
                                             .y = "crossed",
                                             .m = tokens,
                                             .k = hidden,
                                             .n = hidden,
                                             .bias = true,
                                             .add = "attended"});
}

void sy_hf_whisper(struct sy_builder *b, const struct sy_hf *hf, const struct sy_hf_pass *pass)
{
    static const struct sy_hf_layer plain;
    uint64_t hidden = hf->hidden, tokens = pass->tokens;
    if (!pass->decode) {
        audio_encoder(b, hf, pass);
    }
    sy_build_gather(b, "embedding", "token_ids", NULL, "embedded", tokens, hidden, hf->vocab);
    sy_build_gather(b, "positions", "position_ids", NULL, "positioned", tokens, hidden, hf->positions);
    sy_build_elementwise(b, "embedding_add", SY_FN_ADD, "embedded", "positioned", 0, "/hidden", tokens * hidden);
    struct sy_hf decoder = *hf;
    decoder.heads = decoder.kv_heads = hf->decoder_heads;
    decoder.head_dim = hidden / hf->decoder_heads;
    sy_build_repeat(b, hf->decoder_layers);
    sy_build_prefix(b, "decoder.layers.0.");
    sy_build_norm(b, "attention_norm", "/hidden", "attention_in", tokens, hidden, SY_NORM_LAYER);
    sy_hf_attention(b, &decoder, pass, &plain, "attention_in");
    cross_attention(b, hf, pass);
    sy_build_norm(b, "mlp_norm", "crossed", "mlp_in", tokens, hidden, SY_NORM_LAYER);
    sy_hf_mlp(b, hf, "", tokens, hf->decoder_ff, "mlp_in", "/hidden", "crossed");
    sy_build_end_repeat(b);
    b->prefix = "";
    sy_build_norm(b, "final_norm", "/hidden", "final", tokens, hidden, SY_NORM_LAYER);
    sy_build_gemm(b, &(struct sy_build_gemm){.name = "lm_head",
                                             .unquantized = true,
                                             .a = "final",
                                             .b = "embedding.table",
                                             .b_is_weight = true,
                                             .tied = true,
                                             .y = "logits",
                                             .m = pass->batch,
                                             .k = hidden,
                                             .n = hf->vocab});
    sy_build_reduce(b, "sample", "logits", 0, "next_token", pass->batch, hf->vocab, SY_FN_MAX);
}
