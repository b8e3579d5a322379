/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths of the sequences of a batch, as a user gives them: `128,4096,512`,
 * `32x128,4096` (count x tokens), or a file of the same with blanks, newlines
 * and `#` comments. Equal lengths are one kind; kinds are sorted, so the order
 * in which they were given does not matter.
 */
#ifndef SY_WORKLOADS_IMPORT_LENGTHS_H
#define SY_WORKLOADS_IMPORT_LENGTHS_H

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

struct sy_length {
    uint64_t count, tokens;
};
struct sy_lengths {
    uint64_t kinds;
    struct sy_length *kind; /* by tokens, the shortest first */
    uint64_t sequences;     /* of all kinds */
    uint64_t tokens;        /* of all sequences */
    uint64_t longest;
};

/* A text that begins with a digit is a list, any other the path of a file. Everything lives in the arena. SY_INPUT
 * (reported with line and column), SY_IO, SY_NOMEM. */
enum sy_status sy_lengths_read(const char *list_or_path, struct sy_arena *arena, struct sy_lengths *lengths,
                               struct sy_diag *diag);
/* As a list again, each sequence `more` tokens longer. */
void sy_lengths_write(const struct sy_lengths *lengths, uint64_t more, struct sy_buf *out);

#endif
