/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mixture of experts. A router scores every expert for each token, the top_k
 * experts run, their outputs are weighted and summed. How many tokens reach an
 * expert is an assumption that the user chooses:
 *   uniform    tokens x top_k choices spread as evenly as whole tokens allow;
 *              with fewer choices than experts each choice is another expert
 *   worst      every token picks the same top_k experts
 *   histogram  in proportion to given weights, at most once a token
 * MACs are the same in all three; the expert weights that are read are not.
 * Experts with equal numbers of tokens are one grouped product.
 */
#include "workloads/import/hf.h"

#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"

static void spread_evenly(uint64_t *count, uint64_t experts, uint64_t choices)
{
    for (uint64_t i = 0; i < experts; i++) {
        count[i] = choices / experts + (i < choices % experts);
    }
}

/* Shares in proportion to the weights, none above `most`; what rounding leaves goes to the heaviest first. */
static bool spread_by_weight(uint64_t *count, const struct sy_hf *hf, uint64_t choices, uint64_t most)
{
    uint64_t left = choices;
    while (left > 0) {
        uint64_t sum = 0, placed = 0;
        for (uint64_t i = 0; i < hf->experts; i++) {
            sum += count[i] < most ? hf->histogram[i] : 0; /* weights are below 2^32 */
        }
        if (sum == 0) {
            return false;
        }
        for (uint64_t i = 0; i < hf->experts; i++) {
            uint64_t share = 0;
            if (count[i] < most) {
                (void)sy_mul_div(left, hf->histogram[i], sum, &share);
            }
            share = sy_min(share, most - count[i]);
            count[i] += share;
            placed += share;
        }
        left -= placed;
        for (; placed == 0 && left > 0; left--) {
            uint64_t heaviest = hf->experts;
            for (uint64_t i = 0; i < hf->experts; i++) {
                /* least served for its weight: count / weight smallest */
                if (count[i] < most && hf->histogram[i] > 0 &&
                    (heaviest == hf->experts ||
                     (sy_u128)count[i] * hf->histogram[heaviest] < (sy_u128)count[heaviest] * hf->histogram[i])) {
                    heaviest = i;
                }
            }
            if (heaviest == hf->experts) {
                return false;
            }
            count[heaviest]++;
        }
    }
    return true;
}

/* Tokens of each expert, in the workload's arena; NULL after an error. */
static uint64_t *route(struct sy_builder *b, const struct sy_hf *hf, uint64_t tokens)
{
    uint64_t *count = sy_arena_array(b->workload->arena, hf->experts, sizeof *count);
    uint64_t choices;
    if (count == NULL) {
        b->status = SY_NOMEM;
        return NULL;
    }
    if (!sy_mul(tokens, hf->top_k, &choices)) {
        b->status = SY_OVERFLOW;
        return NULL;
    }
    if (hf->worst_routing) {
        for (uint64_t i = 0; i < hf->top_k; i++) {
            count[i] = tokens;
        }
    } else if (hf->histogram == NULL) {
        spread_evenly(count, hf->experts, choices);
    } else if (!spread_by_weight(count, hf, choices, tokens)) {
        struct sy_where where = {.file = b->options->routing};
        b->status = sy_error(b->diag, where, "a token picks an expert at most once",
                             "the histogram has too few experts of weight above 0 for %llu choices a token",
                             (unsigned long long)hf->top_k);
        return NULL;
    }
    return count;
}

/* The grouped products of all experts with `tokens` tokens each. */
static void expert_group(struct sy_builder *b, const struct sy_hf *hf, unsigned index, uint64_t experts,
                         uint64_t tokens)
{
    char gate[32], up[32], down[32];
    snprintf(gate, sizeof gate, "experts%u.gate", index);
    snprintf(up, sizeof up, "experts%u.up", index);
    snprintf(down, sizeof down, "experts%u.down", index);
    struct sy_build_gemm spec = {.name = gate,
                                 .a = "dispatched",
                                 .y = gate,
                                 .g = experts,
                                 .m = tokens,
                                 .k = hf->hidden,
                                 .n = hf->expert_ff,
                                 .experts = index == 0 ? hf->experts : 0,
                                 .tied = index != 0,
                                 .function = hf->function};
    sy_build_gemm(b, &spec);
    spec.name = spec.y = up;
    spec.function = SY_NO_FUNCTION;
    spec.mul = gate;
    sy_build_gemm(b, &spec);
    spec.name = down;
    spec.a = up;
    spec.y = "expert_out";
    spec.mul = NULL;
    spec.k = hf->expert_ff;
    spec.n = hf->hidden;
    sy_build_gemm(b, &spec);
}

static void run_experts(struct sy_builder *b, const struct sy_hf *hf, const uint64_t *count)
{
    unsigned index = 0;
    uint64_t below = UINT64_MAX; /* groups in falling order of tokens */
    while (b->status == SY_OK) {
        uint64_t most = 0, experts = 0;
        for (uint64_t i = 0; i < hf->experts; i++) {
            if (count[i] >= below || count[i] < most) {
                continue;
            }
            experts = count[i] == most ? experts + 1 : 1;
            most = count[i];
        }
        if (most == 0) {
            return;
        }
        expert_group(b, hf, index++, experts, most);
        below = most;
    }
}

void sy_hf_moe(struct sy_builder *b, const struct sy_hf *hf, uint64_t tokens, const char *a, const char *y,
               const char *add)
{
    uint64_t hidden = hf->hidden;
    if (b->status != SY_OK) {
        return;
    }
    uint64_t *count = route(b, hf, tokens);
    if (count == NULL) {
        return;
    }
    uint64_t choices = tokens * hf->top_k;
    sy_build_gemm(
        b,
        &(struct sy_build_gemm){
            .name = "router", .unquantized = true, .a = a, .y = "scores", .m = tokens, .k = hidden, .n = hf->experts});
    if ((hf->traits & SY_HF_SIGMOID_ROUTER) != 0) {
        sy_build_elementwise(b, "router_sigmoid", SY_FN_SIGMOID, "scores", NULL, 0, "weights", tokens * hf->experts);
    } else {
        sy_build_softmax(b, "router_softmax", "scores", "weights", tokens, hf->experts);
    }
    /* the top_k largest of a row: as many passes */
    sy_build_reduce(b, "top_k", "weights", tokens * hf->experts, "chosen", choices, hf->experts, SY_FN_MAX);
    sy_build_gather(b, "dispatch", "chosen", a, "dispatched", choices, hidden, tokens);
    run_experts(b, hf, count);
    sy_build_elementwise(b, "expert_scale", SY_FN_MUL, "expert_out", "chosen", choices, "expert_scaled",
                         choices * hidden);
    const char *routed = "expert_scaled";
    if (hf->top_k > 1) {
        sy_build_reduce(b, "combine", routed, 0, "routed", tokens * hidden, hf->top_k, SY_FN_SUM);
        routed = "routed";
    }
    if (hf->shared_ff > 0) {
        struct sy_hf alone = *hf; /* summed over the chips together with the others */
        alone.chips = 1;
        sy_hf_mlp(b, &alone, "shared_", tokens, hf->shared_ff, a, "with_shared", routed);
        routed = "with_shared";
    }
    if (hf->chips > 1) {
        sy_hf_all_reduce(b, hf, "experts", routed, add, y, tokens * hidden);
    } else {
        sy_build_elementwise(b, "expert_add", SY_FN_ADD, routed, add, 0, y, tokens * hidden);
    }
}
