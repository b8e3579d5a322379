/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: what a chip costs and whether it pays. No logic of its own. */
#include <string.h>

#include "arch/cost.h"
#include "sim/report/cost.h"
#include "sim/systole_internal.h"

enum { MOST_RESULTS = SY_COST_MAX_POINTS };

static uint32_t count_results(const struct systole_result *const *results)
{
    uint32_t count = 0;
    while (results && results[count] && count <= MOST_RESULTS)
        count++;
    return count;
}

static void put_report(const struct sy_cost_report *report, const char *format, struct sy_buf *out)
{
    if (format && !strcmp(format, "json"))
        sy_cost_put_json(report, out);
    else if (format && !strcmp(format, "csv"))
        sy_cost_put_csv(report, out);
    else
        sy_cost_put_table(report, out);
}

static enum sy_status answer(struct sy_arena *arena, const struct sy_cost_case *cost,
                             const struct systole_cost_options *options, const struct systole_format_options *format,
                             struct sy_buf *out, struct sy_diag *diag)
{
    struct sy_cost_links *links = sy_arena_alloc(arena, sizeof *links);
    struct sy_cost_swing swing[SY_COST_ITEMS];
    struct sy_cost_delay delay[SY_COST_DELAYS];
    struct sy_cost_class_view view[SY_COST_MAX_CLASSES];
    struct sy_cost_risk risk;
    double in[SY_COST_ITEMS];
    if (!links)
        return SY_NOMEM;
    sy_cost_trace(cost, links);
    struct sy_cost_report report = {.version = systole_version(),
                                    .model_revision = systole_model_revision(),
                                    .cost = cost,
                                    .links = links,
                                    .headline = sy_cost_headline(cost->out),
                                    .swing = swing,
                                    .delay = delay,
                                    .color = format->color != 0,
                                    .width = format->width};
    report.swings = sy_cost_tornado(cost, report.headline, swing);
    report.delays = sy_cost_delays(cost, delay);
    sy_cost_case_values(cost, in);
    if (cost->choice.classes && sy_cost_view_mix(&cost->choice, in, cost->out, view))
        report.view = view;
    if (options->samples) {
        enum sy_status status = sy_cost_monte_carlo(cost, options->samples, options->seed, &risk, diag);
        if (status != SY_OK)
            return status;
        report.risk = &risk;
    }
    put_report(&report, format->format, out);
    return SY_OK;
}

static enum sy_status run(const struct systole_context *context, const struct systole_chip *chip,
                          const struct systole_result *const *results, const struct systole_cost_options *options,
                          const struct systole_format_options *format, struct sy_buf *out, struct sy_diag *diag)
{
    const struct sy_result *result[MOST_RESULTS];
    struct sy_cost_sources sources = {.data_dir = context ? context->data_dir : NULL,
                                      .tables = options->prices,
                                      .example = options->example,
                                      .incumbent = options->incumbent,
                                      .set = options->set};
    struct sy_cost_request request = {.chip = chip ? chip->chip : NULL,
                                      .results = result,
                                      .count = count_results(results),
                                      .yield_model = options->yield_model,
                                      .package = options->package,
                                      .rent = options->rent != 0,
                                      .response_s = options->response_s,
                                      .units_per_pass = options->units_per_pass};
    struct sy_cost_table *table = NULL;
    struct sy_cost_case *cost = NULL;
    if (request.count > MOST_RESULTS || (chip && !request.count)) {
        sy_error(diag, SY_NOWHERE, NULL, "a chip takes 1 to %d runs, the operating points", MOST_RESULTS);
        return SY_USAGE;
    }
    for (uint32_t i = 0; i < request.count; i++)
        result[i] = results[i]->result;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    enum sy_status status = arena ? sy_cost_table_load(&sources, &table, diag) : SY_NOMEM;
    if (status == SY_OK)
        status = sy_cost_case_make(arena, table, &request, &cost, diag);
    if (status == SY_OK)
        status = answer(arena, cost, options, format, out, diag);
    sy_cost_table_destroy(table);
    sy_arena_destroy(arena);
    return status;
}

enum systole_status systole_cost(const struct systole_context *context, const struct systole_chip *chip,
                                 const struct systole_result *const *results,
                                 const struct systole_cost_options *options, struct systole_text *text)
{
    struct systole_cost_options mine;
    struct systole_format_options format;
    struct sy_diag diag = systole_sink(context);
    struct sy_buf out = {0};
    if (!systole_take_options(&mine, sizeof mine, options) ||
        !systole_take_options(&format, sizeof format, mine.format))
        return SYSTOLE_USAGE;
    if (format.format && strcmp(format.format, "table") && strcmp(format.format, "csv") &&
        strcmp(format.format, "json")) {
        sy_error(&diag, SY_NOWHERE, "use table, csv or json", "costs cannot be written as '%.60s'", format.format);
        return SYSTOLE_USAGE;
    }
    if (!(mine.response_s >= 0) || !(mine.units_per_pass >= 0)) {
        sy_error(&diag, SY_NOWHERE, NULL, "response time and units a pass cannot be below 0");
        return SYSTOLE_USAGE;
    }
    enum sy_status status = run(context, chip, results, &mine, &format, &out, &diag);
    if (status != SY_OK) {
        sy_buf_free(&out);
        return (enum systole_status)status;
    }
    return systole_hand_over(&out, text);
}
