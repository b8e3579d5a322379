/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accelergy's view of a run: energy reference table (ERT, pJ), area reference
 * table (ART, um^2) and action counts in one YAML text. Prices are whole
 * zeptojoules, so nine decimals of a picojoule are exact and
 * sum(counts x energy) is exactly the total. Source of the layout: files that
 * Accelergy 0.4 writes.
 */
#include <string.h>

#include "sim/report/report_format.h"
#include "sim/stats/area.h"

static const char system_name[] = "system.";
static const uint64_t ZJ_PER_PJ = 1000000000;

/* Items of one component stand together; those of an earlier component are done. */
static bool seen_before(const struct sy_result *result, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (!strcmp(result->energy[i].component, result->energy[index].component))
            return true;
    return false;
}

static void put_ert(const struct sy_result *result, struct sy_buf *out)
{
    sy_buf_puts(out, "ERT:\n  version: \"0.4\"\n  tables:\n");
    for (uint32_t i = 0; i < result->energies; i++) {
        if (seen_before(result, i))
            continue;
        sy_buf_printf(out, "    - name: %s%s\n      actions:\n", system_name, result->energy[i].component);
        for (uint32_t k = i; k < result->energies; k++) {
            const struct sy_energy_item *item = &result->energy[k];
            if (!strcmp(item->component, result->energy[i].component))
                sy_buf_printf(out, "        - {name: %s, arguments: {}, energy: %llu.%09llu}\n", item->action,
                              (unsigned long long)(item->price_zj / ZJ_PER_PJ),
                              (unsigned long long)(item->price_zj % ZJ_PER_PJ));
        }
    }
}

static void put_counts(const struct sy_result *result, struct sy_buf *out)
{
    sy_buf_puts(out, "action_counts:\n  version: \"0.4\"\n  local:\n");
    for (uint32_t i = 0; i < result->energies; i++) {
        if (seen_before(result, i))
            continue;
        sy_buf_printf(out, "    - name: %s%s\n      action_counts:\n", system_name, result->energy[i].component);
        for (uint32_t k = i; k < result->energies; k++) {
            const struct sy_energy_item *item = &result->energy[k];
            if (!strcmp(item->component, result->energy[i].component))
                sy_buf_printf(out, "        - {name: %s, arguments: {}, counts: %llu}\n", item->action,
                              (unsigned long long)item->count);
        }
    }
}

static void put_art(const struct sy_area *area, struct sy_buf *out)
{
    char number[32];
    sy_buf_puts(out, "ART:\n  version: \"0.4\"\n  tables:\n");
    for (uint32_t i = 0; i < area->items; i++)
        sy_buf_printf(out, "    - {name: \"%s%s\", area: %s}\n", system_name, area->item[i].component,
                      sy_format_double(number, area->item[i].mm2 * 1e6));
}

static enum sy_status write(const struct sy_result *result, const struct sy_report_options *options, struct sy_buf *out)
{
    sy_buf_printf(out, "# %s on %s, Systole %s: energy = sum of counts x energy, in pJ\n", result->workload,
                  result->chip, options->version);
    for (uint32_t i = 0; i < result->unmodelled_kinds; i++)
        sy_buf_printf(out, "# not modelled, in no figure: %llu of %s, %llu bytes\n",
                      (unsigned long long)result->unmodelled[i].count, result->unmodelled[i].op,
                      (unsigned long long)result->unmodelled[i].bytes);
    put_ert(result, out);
    if (result->area)
        put_art(result->area, out);
    put_counts(result, out);
    return out->failed ? SY_NOMEM : SY_OK;
}

const struct sy_report_format sy_report_format_accelergy = {
    .name = "accelergy",
    .suffix = ".yaml",
    .doc = "Accelergy's energy and area reference tables and action counts (YAML)",
    .write = write,
};
