/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: RTL kits. No logic of its own. */
#include <string.h>

#include "sim/systole_internal.h"
#include "sim/validate/rtl_kit.h"

enum systole_status systole_rtl_kit(const struct systole_context *context, const struct systole_chip *chip,
                                    const struct systole_workload *workload,
                                    const struct systole_rtl_kit_options *options, const char *directory)
{
    struct systole_rtl_kit_options mine;
    struct sy_diag diag = systole_sink(context);
    struct sy_trace_reader *reader = NULL;
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    struct sy_rtl_kit_options kit = {.directory = directory,
                                     .data_dir = context ? context->data_dir : NULL,
                                     .seed = mine.seed,
                                     .tiles = mine.tiles,
                                     .memory = SY_MEMORY_SHARED};
    if (mine.memory && !strcmp(mine.memory, "ideal")) {
        kit.memory = SY_MEMORY_IDEAL;
    } else if (mine.memory && strcmp(mine.memory, "shared") != 0) {
        sy_error(&diag, SY_NOWHERE, "known: shared, ideal", "memory model '%s' is not known", mine.memory);
        return SYSTOLE_USAGE;
    }
    enum sy_status status = systole_refuse_fusion(workload, &diag);
    if (status == SY_OK)
        status = sy_trace_open(workload->path, workload->text, workload->length, &reader, &diag);
    if (status == SY_OK)
        status = sy_rtl_kit_write(chip->chip, reader, &kit, &diag);
    sy_trace_close(reader);
    return (enum systole_status)status;
}
