/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of layers to fuse, chosen by name: FIRST..LAST:strip=ROWS[:halo=keep|recompute]. */
#ifndef SY_WORKLOADS_FUSE_CHOICE_H
#define SY_WORKLOADS_FUSE_CHOICE_H

#include "workloads/workload.h"

enum { SY_FUSE_CHOICES = 64 };

/* From the layer named first to the next one named last; how.layers is 0. Inside a repeat block, in each iteration. */
struct sy_fuse_choice {
    char first[256], last[256];
    struct sy_fuse how;
};

/* SY_USAGE, reported, when the text is none. */
enum sy_status sy_fuse_parse(const char *text, struct sy_fuse_choice *choice, struct sy_diag *diag);
/* Mark the groups of a workload, over what its records say. SY_USAGE, reported, when a layer is not there or something
 * else than layers lies between the two. */
enum sy_status sy_fuse_mark(struct sy_workload *workload, const struct sy_fuse_choice *choices, uint32_t count,
                            struct sy_diag *diag);

#endif
