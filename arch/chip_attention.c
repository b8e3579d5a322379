/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of core.attention: how an attention kernel written for the chip cuts its work. */
#include "arch/chip.h"
#include "arch/chip_schema.h"

static const struct sy_field attention_fields[] = {
    {.key = "query_block",
     .type = SY_FIELD_U64,
     .offset = offsetof(struct sy_attention_blocks, queries),
     .fallback = "0",
     .max = "1048576",
     .doc = "queries of a head at a time; 0: chosen"},
    {.key = "key_block",
     .type = SY_FIELD_U64,
     .offset = offsetof(struct sy_attention_blocks, keys),
     .fallback = "0",
     .max = "1048576",
     .doc = "keys at a time, with a running softmax; the last block is padded. 0: all keys of a query at once"},
    {0},
};
const struct sy_schema sy_attention_schema = {"core.attention", sizeof(struct sy_attention_blocks), attention_fields,
                                              NULL};
