/* SPDX-License-Identifier: Apache-2.0 */
/* A price file is refused with at least one message, or the case it makes over the shipped prices can be asked
 * everything: no answer is a crash, a range is never upside down, and the same seed gives the same risk. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cost.h"
#include "sim/stats/cost_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 20 };

static const struct sy_cost_table *shipped(void)
{
    static struct sy_cost_table *table; /* one for all inputs: it takes longer to read than most of them */
    const struct sy_cost_sources sources = {.data_dir = getenv("SYSTOLE_DATA") ? getenv("SYSTOLE_DATA") : "."};
    if (!table && sy_cost_table_load(&sources, &table, NULL) != SY_OK)
        abort();
    return table;
}

static void ask(const struct sy_cost_case *cost)
{
    static struct sy_cost_links links;
    static struct sy_cost_swing swing[SY_COST_ITEMS];
    struct sy_cost_delay delay[SY_COST_DELAYS];
    struct sy_cost_risk risk, again;
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        const struct sy_cost_input *input = &cost->input[i];
        if (input->known && !(input->low <= input->value && input->value <= input->high))
            abort();
    }
    sy_cost_trace(cost, &links);
    for (int o = 0; o < SY_COST_OUTPUTS; o++)
        if (sy_cost_tornado(cost, o, swing) > SY_COST_ITEMS)
            abort();
    (void)sy_cost_delays(cost, delay);
    if (sy_cost_monte_carlo(cost, SAMPLES, 1, &risk, NULL) != SY_OK)
        return;
    if (sy_cost_monte_carlo(cost, SAMPLES, 1, &again, NULL) != SY_OK || again.spreads != risk.spreads)
        abort();
    for (uint32_t s = 0; s < risk.spreads; s++) {
        const struct sy_cost_spread *one = &risk.spread[s], *other = &again.spread[s];
        if (one->p10 > one->p50 || one->p50 > one->p90 || memcmp(&one->p50, &other->p50, sizeof one->p50) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_diag diag = {0}, second = {0};
    struct sy_cost_table *table = NULL;
    struct sy_cost_case *cost = NULL;
    enum sy_status status = sy_cost_table_parse(shipped(), (const char *)data, size, "fuzz.yaml", &table, &diag);
    if ((status == SY_OK) != (table != NULL) || (status == SY_OK) != (diag.errors == 0))
        abort();
    if (table) {
        const struct sy_cost_request request = {.chip = NULL};
        struct sy_arena *arena = sy_arena_create(NULL, 0);
        status = sy_cost_case_make(arena, table, &request, &cost, &second);
        if ((status == SY_OK) != (cost != NULL) || (status == SY_OK) != (second.errors == 0))
            abort();
        if (cost)
            ask(cost);
        sy_arena_destroy(arena);
    }
    sy_cost_table_destroy(table);
    return 0;
}
