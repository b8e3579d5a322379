/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a scratchpad's layout: which words of an operand share a line. */
#include "arch/chip.h"
#include "arch/chip_schema.h"

static const char *const inner_of_a[] = {"m", "k", NULL};
static const char *const inner_of_b[] = {"k", "n", NULL};

#define PLACES(letter, member)                                                                                         \
    {                                                                                                                  \
        .key = letter, .type = SY_FIELD_U64, .offset = offsetof(struct sy_layout, member), .fallback = "1",            \
        .min = "1", .max = "1024", .doc = "words of a line along " letter                                              \
    }
#define INNER(list, most)                                                                                              \
    {                                                                                                                  \
        .key = "inner", .type = SY_FIELD_ENUM, .offset = offsetof(struct sy_layout, inner), .names = list,             \
        .fallback = most, .doc = "the dimension along which neighbouring columns of a line lie"                        \
    }

static const struct sy_field fields_of_a[] = {PLACES("m", first), PLACES("k", second), INNER(inner_of_a, "k"), {0}};
static const struct sy_schema schema_of_a = {"a layout of A", sizeof(struct sy_layout), fields_of_a, NULL};
static const struct sy_field fields_of_b[] = {PLACES("k", first), PLACES("n", second), INNER(inner_of_b, "k"), {0}};
static const struct sy_schema schema_of_b = {"a layout of B", sizeof(struct sy_layout), fields_of_b, NULL};

static const struct sy_field layout_fields[] = {
    {.key = "A",
     .type = SY_FIELD_GROUP,
     .offset = SY_A * sizeof(struct sy_layout),
     .group = &schema_of_a,
     .flags = SY_FIELD_OPTIONAL,
     .doc = "a line of activations"},
    {.key = "B",
     .type = SY_FIELD_GROUP,
     .offset = SY_B * sizeof(struct sy_layout),
     .group = &schema_of_b,
     .flags = SY_FIELD_OPTIONAL,
     .doc = "a line of weights"},
    {0},
};
const struct sy_schema sy_layouts_schema = {"memory.layout", SY_C * sizeof(struct sy_layout), layout_fields, NULL};
