/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SY_WORKLOADS_IMPORT_HF_CONFIG_H
#define SY_WORKLOADS_IMPORT_HF_CONFIG_H

#include "sim/base/json.h"
#include "workloads/import/hf.h"

/* Fill *hf from a parsed config.json; arrays live in the arena. Reports every error. SY_UNSUPPORTED: the model type is
 * not known. Internal to workloads/import. */
enum sy_status sy_hf_read(struct sy_arena *arena, const struct sy_json *root, const char *path, struct sy_hf *hf,
                          struct sy_diag *diag);

#endif
