/* SPDX-License-Identifier: Apache-2.0 */
/* See footprint.h. */
#include "sim/engine/footprint.h"

#include <stdio.h>

#include "sim/base/checked.h"
#include "sim/stats/energy.h"

/* True the first time. Anonymous tensors are all different. When no further name fits, none is new. */
static bool is_new(struct sy_footprint *footprint, uint64_t key)
{
    const uint64_t slots = sizeof footprint->seen / sizeof footprint->seen[0];
    if (!key)
        return true;
    for (uint64_t i = (key * UINT64_C(0x9E3779B97F4A7C15)) >> 32;; i++) {
        uint64_t *slot = &footprint->seen[i % slots];
        if (*slot == key)
            return false;
        if (*slot)
            continue;
        if (footprint->names == SY_FOOTPRINT_NAMES)
            return false;
        *slot = key;
        footprint->names++;
        return true;
    }
}

static bool add_times(uint64_t *sum, uint64_t bytes, uint64_t times)
{
    uint64_t more = 0;
    return sy_mul(bytes, times, &more) && sy_add(*sum, more, sum);
}

/* Inputs and output; a tensor that is read twice or changed in place lies there once. */
static bool layer_activations(const struct sy_upcoming *upcoming, uint64_t *sum)
{
    const struct sy_layer *layer = &upcoming->layer;
    uint64_t bytes = 0, out = upcoming->output_key;
    bool in_place = (layer->out.flags & SY_TENSOR_STATE) != 0;
    *sum = 0;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        uint64_t key = upcoming->input_key[i];
        bool counted = (layer->in[i].flags & (SY_TENSOR_WEIGHT | SY_TENSOR_STATE)) != 0;
        in_place |= key && key == out;
        for (uint32_t j = 0; j < i; j++)
            counted |= key && key == upcoming->input_key[j];
        if (!counted && (!sy_dtype_bytes(layer->in[i].dtype, sy_layer_input_elements(layer, i), &bytes) ||
                         !sy_add(*sum, bytes, sum)))
            return false;
    }
    return in_place ||
           (sy_dtype_bytes(layer->out.dtype, sy_layer_output_elements(layer), &bytes) && sy_add(*sum, bytes, sum));
}

static bool add_state(struct sy_footprint *footprint, const struct sy_feed_slot *slot, uint32_t input)
{
    const struct sy_tensor *tensor = &slot->upcoming.layer.in[input];
    uint64_t bytes = 0, times = tensor->flags & SY_TENSOR_SHARED ? 1 : slot->iterations;
    if (!is_new(footprint, slot->upcoming.input_key[input]))
        return true;
    return sy_dtype_bytes(tensor->dtype, sy_layer_input_elements(&slot->upcoming.layer, input), &bytes) &&
           add_times(&footprint->state_bytes, bytes, times);
}

/* With bias and norm parameters, which have no tensors of their own. */
static bool add_weights(struct sy_footprint *footprint, const struct sy_feed_slot *slot)
{
    const struct sy_layer *layer = &slot->upcoming.layer;
    uint64_t bytes = 0, times = slot->iterations;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        if (!(layer->in[i].flags & SY_TENSOR_WEIGHT))
            continue;
        if (!is_new(footprint, slot->upcoming.input_key[i]))
            return true;
        if (layer->in[i].flags & SY_TENSOR_SHARED)
            times = 1;
    }
    return sy_layer_weight_bytes(layer, &bytes) && add_times(&footprint->weight_bytes, bytes, times);
}

enum sy_status sy_footprint_add(struct sy_footprint *footprint, const struct sy_feed_slot *slot)
{
    const struct sy_layer *layer = &slot->upcoming.layer;
    uint64_t bytes = 0;
    if (!slot->first)
        return SY_OK; /* its iterations were counted with the first */
    bool fits = add_weights(footprint, slot) && layer_activations(&slot->upcoming, &bytes);
    for (uint32_t i = 0; i < layer->inputs && fits; i++)
        if (layer->in[i].flags & SY_TENSOR_STATE && !(layer->in[i].flags & SY_TENSOR_WEIGHT))
            fits = add_state(footprint, slot, i);
    footprint->activation_bytes = sy_max(footprint->activation_bytes, bytes);
    return fits ? SY_OK : SY_OVERFLOW;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t times_cores(const struct sy_chip *chip, const struct sy_level *level)
{
    uint64_t bytes = 0;
    return sy_mul(level->capacity_bytes, level->shared ? 1 : sy_max(chip->cores, 1), &bytes) ? bytes : UINT64_MAX;
}

uint64_t sy_footprint_bytes(const struct sy_footprint *footprint)
{
    return plus(plus(footprint->weight_bytes, footprint->state_bytes), footprint->activation_bytes);
}

/* What one store must hold. */
struct share {
    uint64_t weight, state, activation;
};

static uint64_t share_bytes(const struct share *share)
{
    return plus(plus(share->weight, share->state), share->activation);
}

/* Parameters and cached state are second operands; activations lie where first operands come from. */
static struct share share_of(const struct sy_footprint *footprint, const struct sy_chip *chip, uint32_t level)
{
    uint32_t chain[SY_MAX_LEVELS];
    uint32_t a = sy_chip_chain(chip, SY_A, chain), a_home = a ? chain[a - 1] : SY_MAX_LEVELS;
    uint32_t b = sy_chip_chain(chip, SY_B, chain), b_home = b ? chain[b - 1] : SY_MAX_LEVELS;
    uint64_t on_chip = 0;
    struct share share = {0};
    for (uint32_t i = 0; i < chip->levels; i++)
        if (i != a_home && i != b_home)
            on_chip = plus(on_chip, times_cores(chip, &chip->level[i]));
    if (level == b_home) {
        share.weight = footprint->weight_bytes;
        share.state = footprint->state_bytes;
    }
    if (level == a_home)
        share.activation = footprint->activation_bytes - sy_min(footprint->activation_bytes, on_chip);
    return share;
}

static bool too_small(const struct sy_chip *chip, const struct sy_level *level, const struct share *share)
{
    return level->capacity_bytes && share_bytes(share) > times_cores(chip, level);
}

/* The first store that is too small and refuses; NULL when there is none. */
static const struct sy_level *refusing(const struct sy_footprint *footprint, const struct sy_chip *chip,
                                       struct share *share)
{
    for (uint32_t i = 0; i < chip->levels; i++) {
        *share = share_of(footprint, chip, i);
        if (too_small(chip, &chip->level[i], share) && chip->level[i].beyond_capacity == SY_BEYOND_ERROR)
            return &chip->level[i];
    }
    return NULL;
}

bool sy_footprint_exceeds(const struct sy_footprint *footprint, const struct sy_chip *chip)
{
    struct share share;
    return refusing(footprint, chip, &share) != NULL;
}

/* The words that error and warning have in common. */
static void describe(char text[400], const struct sy_chip *chip, const struct sy_level *level,
                     const struct share *share)
{
    (void)snprintf(
        text, 400,
        "the workload needs at least %llu bytes in %.64s of chip %.64s, which holds %llu: parameters %llu, cached "
        "state %llu, activations of the largest layer beyond the on-chip levels %llu",
        (unsigned long long)share_bytes(share), level->name, chip->name, (unsigned long long)times_cores(chip, level),
        (unsigned long long)share->weight, (unsigned long long)share->state, (unsigned long long)share->activation);
}

enum sy_status sy_footprint_check(const struct sy_footprint *footprint, const struct sy_chip *chip, const char *path,
                                  struct sy_diag *diag)
{
    struct share share;
    char hint[256], text[400];
    const struct sy_level *level = refusing(footprint, chip, &share);
    if (!level)
        return SY_OK;
    (void)snprintf(
        hint, sizeof hint,
        "share it among several chips, import it in smaller formats (--weight, --kv), or, to run it as if it "
        "fitted, --set memory.%.64s.beyond_capacity=warn",
        level->name);
    describe(text, chip, level, &share);
    return sy_error(diag, ((struct sy_where){.file = path}), hint, "%s", text);
}

void sy_footprint_warn(const struct sy_footprint *footprint, const struct sy_chip *chip, struct sy_result *result)
{
    char text[400];
    for (uint32_t i = 0; i < chip->levels; i++) {
        const struct sy_level *level = &chip->level[i];
        struct share share = share_of(footprint, chip, i);
        if (!too_small(chip, level, &share) || level->beyond_capacity != SY_BEYOND_WARN)
            continue;
        describe(text, chip, level, &share);
        sy_result_warn(result, "%s; it ran as if it fitted", text);
    }
}
