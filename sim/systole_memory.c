/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: the memory alone. No logic of its own. */
#include <string.h>

#include "sim/engine/dram_alone.h"
#include "sim/report/memory.h"
#include "sim/systole_internal.h"

static enum sy_status run(const struct systole_context *context, const struct sy_chip *chip, const char *pattern,
                          const struct systole_pattern_options *options, struct sy_arena *arena,
                          struct sy_memory_result *result, struct sy_energy_table **energy, struct sy_diag *diag)
{
    const struct sy_level *level = NULL;
    struct sy_dram_alone_options alone = {.data_dir = context ? context->data_dir : NULL};
    if (options->memory && strcmp(options->memory, "sampled") && strcmp(options->memory, "burst")) {
        sy_error(diag, SY_NOWHERE, "known: sampled, burst", "memory model '%s' cannot run a pattern", options->memory);
        return SY_USAGE;
    }
    alone.burst = options->memory && !strcmp(options->memory, "burst");
    enum sy_status status = sy_dram_alone(chip, pattern, &alone, arena, result, &level, diag);
    const char *table = options->energy_table ? options->energy_table
                        : chip->energy_table  ? chip->energy_table
                                              : "default";
    if (status == SY_OK)
        status = sy_energy_load(table, alone.data_dir, energy, diag);
    return status == SY_OK ? sy_memory_price(result, chip, level, *energy, diag) : status;
}

enum systole_status systole_run_pattern(const struct systole_context *context, const struct systole_chip *chip,
                                        const char *pattern, const struct systole_pattern_options *options,
                                        struct systole_text *text)
{
    struct systole_pattern_options mine;
    struct systole_format_options format;
    struct sy_diag diag = systole_sink(context);
    struct sy_memory_result result;
    struct sy_energy_table *energy = NULL;
    struct sy_buf out = {0};
    if (!systole_take_options(&mine, sizeof mine, options) ||
        !systole_take_options(&format, sizeof format, mine.format))
        return SYSTOLE_USAGE;
    const char *name = format.format ? format.format : "table";
    if (strcmp(name, "table") && strcmp(name, "csv") && strcmp(name, "json")) {
        sy_error(&diag, SY_NOWHERE, "known: table, csv, json", "a memory alone cannot be reported as '%s'", name);
        return SYSTOLE_USAGE;
    }
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    if (!arena)
        return SYSTOLE_NOMEM;
    const struct sy_report_options how = {.version = systole_version(),
                                          .model_revision = systole_model_revision(),
                                          .width = format.width,
                                          .color = format.color != 0,
                                          .unicode = format.unicode != 0};
    enum sy_status status = run(context, chip->chip, pattern, &mine, arena, &result, &energy, &diag);
    if (status == SY_OK)
        status = sy_memory_write(&result, name, &how, &out);
    sy_energy_destroy(energy);
    sy_arena_destroy(arena);
    if (status != SY_OK) {
        sy_buf_free(&out);
        return (enum systole_status)status;
    }
    return systole_hand_over(&out, text);
}
