/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes give a status; what is accepted becomes a chip that loads. */
#include <stdlib.h>

#include "arch/import_scalesim_cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct sy_arena *arena = sy_arena_create(NULL, (size_t)64 << 20);
    struct sy_diag diag = {0};
    struct sy_scalesim_cfg cfg;
    enum sy_status status = sy_scalesim_cfg_parse(arena, (const char *)data, length, "fuzz.cfg", &cfg, &diag);
    if (status != SY_OK && diag.errors == 0) {
        abort();
    }
    if (status == SY_OK) {
        struct sy_buf yaml = {0};
        sy_scalesim_cfg_to_yaml(&cfg, &yaml);
        if (yaml.failed || cfg.array_height == 0 || cfg.dataflow == NULL) {
            abort();
        }
        sy_buf_free(&yaml);
    }
    sy_arena_destroy(arena);
    return 0;
}
