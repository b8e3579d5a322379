/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensor parallelism of language models, as Megatron-LM cuts a layer: each chip
 * has a part of the query heads with the key heads they share (fewer key heads
 * than chips are held several times), and of the width of the MLP or of every
 * expert. So qkv, gate and up have a part of their columns, o and down of their
 * rows; what those two make is summed over the chips (an all-reduce each), and
 * the residual is added behind it. The embedding, norms, router and the latent
 * projections of MLA are on every chip. The logits of a chip's part of the
 * vocabulary are gathered.
 */
#include <inttypes.h>
#include <stdio.h>

#include "sim/base/checked.h"
#include "workloads/import/hf.h"

static enum sy_status uneven(const char *path, const char *what, uint64_t size, uint64_t chips, struct sy_diag *diag)
{
    (void)sy_error(diag, (struct sy_where){.file = path}, "--tensor-parallel takes a divisor of it",
                   "%" PRIu64 " %s cannot be divided evenly among %" PRIu64 " chips", size, what, chips);
    return SY_USAGE;
}

enum sy_status sy_hf_divide(struct sy_hf *hf, uint64_t chips, const char *path, struct sy_diag *diag)
{
    const struct {
        const char *what;
        uint64_t *size;
    } parts[] = {{"query heads", &hf->heads},
                 {"columns of the MLP", &hf->ff},
                 {"columns of an expert", &hf->expert_ff},
                 {"columns of the shared experts", &hf->shared_ff}};
    if (hf->kv_heads % chips != 0 && chips % hf->kv_heads != 0) {
        return uneven(path, "key heads", hf->kv_heads, chips, diag);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (*parts[i].size % chips != 0) {
            return uneven(path, parts[i].what, *parts[i].size, chips, diag);
        }
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].size /= chips;
    }
    hf->kv_heads = hf->kv_heads > chips ? hf->kv_heads / chips : 1;
    hf->chips = chips;
    return SY_OK;
}

void sy_hf_all_reduce(struct sy_builder *b, const struct sy_hf *hf, const char *name, const char *a, const char *add,
                      const char *y, uint64_t elements)
{
    char reduce[80], reduced[80], residual[80];
    snprintf(reduce, sizeof reduce, "%s_all_reduce", name);
    snprintf(reduced, sizeof reduced, "%s_reduced", name);
    snprintf(residual, sizeof residual, "%s_residual", name);
    sy_build_collective(b, reduce, a, add != NULL ? reduced : y, elements, hf->chips, SY_ALL_REDUCE);
    if (add != NULL) {
        sy_build_elementwise(b, residual, SY_FN_ADD, reduced, add, 0, y, elements);
    }
}

void sy_hf_summed_gemm(struct sy_builder *b, const struct sy_hf *hf, const struct sy_build_gemm *spec)
{
    char partial[80];
    struct sy_build_gemm part = *spec;
    if (hf->chips <= 1) {
        sy_build_gemm(b, spec);
        return;
    }
    snprintf(partial, sizeof partial, "%s_partial", spec->name);
    part.y = partial;
    part.add = NULL;
    sy_build_gemm(b, &part);
    sy_hf_all_reduce(b, hf, spec->name, partial, spec->add, spec->y, spec->m * spec->n);
}
