/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Hugging Face config.json says about a model, and the pieces that turn
 * it into layers. Internal to workloads/import: huggingface.c reads the file,
 * hf_decoder.c, hf_mla.c, hf_moe.c and hf_encoder.c write the layers.
 */
#ifndef SY_WORKLOADS_IMPORT_HF_H
#define SY_WORKLOADS_IMPORT_HF_H

#include "workloads/import/build.h"

enum sy_hf_kind { SY_HF_DECODER, SY_HF_BERT, SY_HF_VIT, SY_HF_WHISPER };

/* What is fixed for a model type and not in its config file. */
enum sy_hf_trait {
    SY_HF_GATED = 1 << 0, /* gate, up, down instead of two layers */
    SY_HF_RMS = 1 << 1,   /* RMS norm instead of layer norm */
    SY_HF_QKV_BIAS = 1 << 2,
    SY_HF_OUT_BIAS = 1 << 3, /* bias of the attention output */
    SY_HF_MLP_BIAS = 1 << 4,
    SY_HF_QK_NORM = 1 << 5,  /* norm of each query and key head */
    SY_HF_SANDWICH = 1 << 6, /* norms behind attention and MLP too (Gemma) */
    SY_HF_ROTARY = 1 << 7,
    SY_HF_TIED = 1 << 8, /* tie_word_embeddings when the file does not say */
    SY_HF_MOE = 1 << 9,
    SY_HF_MLA = 1 << 10,     /* multi-head latent attention */
    SY_HF_POST_LN = 1 << 11, /* norm behind the residual addition */
    SY_HF_SIGMOID_ROUTER = 1 << 12,
    SY_HF_SCALED_EMBEDDING = 1 << 13,
    SY_HF_LEARNED_POSITIONS = 1 << 14,
    SY_HF_NO_KEY_BIAS = 1 << 15, /* QKV_BIAS without the key's (Whisper) */
    SY_HF_SOFTCAP = 1 << 16      /* tanh over logits when the file has a cap */
};

/* Which layers slide when the file has a window. */
enum sy_hf_sliding { SY_HF_SLIDE_NONE, SY_HF_SLIDE_ALL, SY_HF_SLIDE_FLAGGED, SY_HF_SLIDE_PATTERN };

struct sy_hf_family {
    const char *model_type;
    enum sy_hf_kind kind;
    uint32_t traits;
    enum sy_hf_sliding sliding;
    uint64_t pattern;            /* PATTERN: one full layer in so many */
    uint64_t head_dim;           /* when the file does not say; 0 = hidden / heads */
    bool needs_kv_heads;         /* its default is not the number of heads */
    uint64_t position_offset;    /* rows of the position table beyond the positions */
    uint64_t first_expert_layer; /* MOE layers begin here when the file does not say */
};

struct sy_hf_layer {
    bool sliding, experts;
};

struct sy_hf {
    const struct sy_hf_family *family;
    uint32_t traits; /* the family's with what the file changes */
    uint64_t layers, hidden, heads, kv_heads, head_dim, ff, vocab, positions;
    enum sy_function function;
    uint64_t window, pattern;
    uint64_t experts, top_k, expert_ff, shared_ff;      /* MOE */
    uint64_t first_dense, sparse_step;                  /* MOE: which layers */
    const uint64_t *histogram;                          /* MOE: weight of each expert, NULL = uniform */
    bool worst_routing;                                 /* MOE: all tokens pick the same experts */
    uint64_t q_lora, kv_lora, nope, rope, value_dim;    /* MLA; q_lora 0 = one projection */
    uint64_t embed_dim;                                 /* OPT: width of the embedding when not hidden */
    uint64_t types;                                     /* BERT: token types */
    uint64_t image_h, image_w, patch, channels, labels; /* VIT */
    uint64_t decoder_layers, decoder_heads, decoder_ff, source_positions, mel_bins; /* WHISPER */
    double softcap;
    const struct sy_hf_layer *layer; /* one a layer */
    uint64_t chips;                  /* tensor parallel: the sizes above are one chip's share; 0 or 1 = all of it */
};

/* Sizes of one forward pass. */
struct sy_hf_pass {
    uint64_t batch;
    uint64_t queries;   /* tokens of a sequence computed now */
    uint64_t cached;    /* tokens of a sequence whose keys and values are cached already */
    uint64_t kv_page;   /* tokens a page of the KV cache; 0 = not paged */
    uint64_t tokens;    /* of all sequences: batch * queries, or their sum */
    uint64_t positions; /* different ones among the tokens: rotations to make */
    const char
        *sequences;       /* of a ragged batch (workloads/sequences.h), else NULL; queries and cached are the longest */
    bool causal, appends; /* appends: keys and values go to a cache that outlives the pass */
    bool decode;
    bool all_logits; /* logits of every token (training), else of the last of a sequence */
};

/* Functions below stop at the builder's first failure. */
void sy_hf_decoder(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass);
void sy_hf_bert(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass);
void sy_hf_vit(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass);
void sy_hf_whisper(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass);

/* All layers of the stack, equal runs and periods folded into repeat blocks. The stream is the tensor /hidden. */
void sy_hf_stack(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass);
/* Self attention from `a` to "attended" (residual of /hidden added unless the traits put a norm between). */
void sy_hf_attention(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass,
                     const struct sy_hf_layer *layer, const char *a);
void sy_hf_mla(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_hf_pass *pass, const char *a);
/* Dense MLP of width ff from `a` to y; add: residual or NULL; name: prefix of its layers. */
void sy_hf_mlp(struct sy_builder *builder, const struct sy_hf *hf, const char *name, uint64_t tokens, uint64_t ff,
               const char *a, const char *y, const char *add);
void sy_hf_moe(struct sy_builder *builder, const struct sy_hf *hf, uint64_t tokens, const char *a, const char *y,
               const char *add);
/* hf_parallel.c: tensor parallelism.
 * Divide heads, MLP and expert widths among chips; the rest is on every chip. SY_USAGE, reported, when they do not
 * divide. */
enum sy_status sy_hf_divide(struct sy_hf *hf, uint64_t chips, const char *path, struct sy_diag *diag);
/* A product of which each chip has a part of k: its sum over the chips, then spec->add. One chip: the product alone. */
void sy_hf_summed_gemm(struct sy_builder *builder, const struct sy_hf *hf, const struct sy_build_gemm *spec);
/* The sum of `a` over the chips, + add unless NULL, to y. name: what the layers are called after. */
void sy_hf_all_reduce(struct sy_builder *builder, const struct sy_hf *hf, const char *name, const char *a,
                      const char *add, const char *y, uint64_t elements);
enum sy_norm_kind sy_hf_norm(const struct sy_hf *hf);

#endif
