/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/sequences.h"

#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"

/* A number >= 1 in front of `end`; the place behind `end` (or the end of the text when end is 0), NULL when there is
 * none. */
static const char *number_before(const char *at, char end, uint64_t *value)
{
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || !sy_text_to_u64(at, digits, value) || *value == 0) {
        return NULL;
    }
    if (end == ',' && at[digits] == '\0') {
        return at + digits;
    }
    return at[digits] == end ? at + digits + 1 : NULL;
}

bool sy_sequence_next(const char **text, struct sy_sequence *kind)
{
    const char *at = *text;
    if (at == NULL || *at == '\0') {
        return false;
    }
    at = number_before(at, 'x', &kind->count);
    at = at != NULL ? number_before(at, ':', &kind->queries) : NULL;
    at = at != NULL ? number_before(at, ',', &kind->keys) : NULL;
    if (at == NULL) {
        return false;
    }
    *text = at;
    return true;
}

bool sy_sequences_total(const char *text, struct sy_sequence *total, const char **stop)
{
    struct sy_sequence kind;
    const size_t length = strnlen(text, SY_MAX_SEQUENCES_TEXT + 1);
    uint64_t kinds = 0;
    *total = (struct sy_sequence){0};
    *stop = text;
    if (length == 0 || length > SY_MAX_SEQUENCES_TEXT) {
        return false;
    }
    for (; sy_sequence_next(stop, &kind); kinds++) {
        if (!sy_add(total->count, kind.count, &total->count)) {
            total->count = UINT64_MAX;
        }
        total->queries = sy_max(total->queries, kind.queries);
        total->keys = sy_max(total->keys, kind.keys);
    }
    return **stop == '\0' && text[length - 1] != ',' && kinds <= SY_MAX_SEQUENCE_KINDS;
}

bool sy_attention_part(const struct sy_attention_dims *dims, const char **at, struct sy_attention_dims *part)
{
    static const char done[] = "";
    struct sy_sequence kind;
    if (dims->sequences == NULL) {
        if (*at != NULL) {
            return false;
        }
        *at = done;
        *part = *dims;
        return true;
    }
    if (*at == NULL) {
        *at = dims->sequences;
    }
    if (!sy_sequence_next(at, &kind)) {
        return false;
    }
    *part = *dims;
    part->sequences = NULL;
    part->b = kind.count;
    part->q_len = kind.queries;
    part->kv_len = kind.keys;
    return true;
}
