/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ragged batch: sequences of different lengths that one attention layer
 * serves. It is kept as text, `COUNTxQUERIES:KEYS,...`, borrowed like a name, so
 * that a layer of 512 sequences costs no more than its distinct lengths:
 *
 *     4x1:129,1x1:4097      four sequences of one query over 129 keys, one over 4097
 *
 * Sequences do not see each other: every figure of the layer is the sum over
 * its sequences, and the causal mask and the window hold in each by itself.
 */
#ifndef SY_WORKLOADS_SEQUENCES_H
#define SY_WORKLOADS_SEQUENCES_H

#include "workloads/layer.h"

/* Kinds (one COUNTxQUERIES:KEYS each) of a list, and bytes of its text. */
enum { SY_MAX_SEQUENCE_KINDS = 1024, SY_MAX_SEQUENCES_TEXT = 16384 };

/* One kind of sequence: `count` of them, each `queries` over `keys`. */
struct sy_sequence {
    uint64_t count, queries, keys;
};

/* Read the next kind at *text and step over it and the comma behind it. false at the end, and where no kind stands;
 * then *text is where it stopped. Pure, thread safe. */
bool sy_sequence_next(const char **text, struct sy_sequence *kind);

/* Is the text a whole list within the limits above? total: the number of sequences (UINT64_MAX when that does not fit),
 * the most queries and the most keys. *stop: where it is no list. Pure, thread safe. */
bool sy_sequences_total(const char *text, struct sy_sequence *total, const char **stop);

/* The dimensions of a layer one kind at a time: start with *at = NULL. Without a list that is the layer itself, once.
 *     const char *at = NULL;
 *     while (sy_attention_part(dims, &at, &part)) ...
 * part: b = count, q_len and kv_len of the kind, no list. Pure, thread safe. */
bool sy_attention_part(const struct sy_attention_dims *dims, const char **at, struct sy_attention_dims *part);

#endif
