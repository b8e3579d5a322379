/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of `systole cost` for people. Inputs that nobody checked carry a question mark wherever they show. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/grid.h"
#include "sim/report/cost.h"

enum { NAMED = 4, TORNADO = 12 };

static const char *const section_names[SY_COST_SECTIONS] = {[SY_SECTION_SILICON] = "Silicon",
                                                            [SY_SECTION_CHIP] = "Chip",
                                                            [SY_SECTION_OWN] = "A million units of work on the chip",
                                                            [SY_SECTION_INCUMBENT] = "The same on the incumbent",
                                                            [SY_SECTION_SAVING] = "Saving",
                                                            [SY_SECTION_NRE] = "One-off cost",
                                                            [SY_SECTION_PROGRAM] = "Project"};

/* ---- numbers ---- */

char *sy_format_usd(char out[48], double value)
{
    static const char *const unit[] = {"", " k", " M", " B", " T"};
    char number[32];
    double size = fabs(value);
    int step = 0;
    if (!isfinite(value)) {
        (void)snprintf(out, 48, "%s", isnan(value) ? "-" : value > 0 ? "never" : "none");
        return out;
    }
    while ((step ? size >= 999.995 : size >= 9999.5) && step < 4) {
        size /= 1000;
        step++;
    }
    if (step == 0 && size >= 1000)
        sy_format_fixed(number, size, 0);
    else if (size >= 0.9995 || size <= 0)
        sy_format_fixed(number, size, 2);
    else
        sy_format_fixed(number, size, (unsigned)fmin(12, 3 - floor(log10(size))));
    (void)snprintf(out, 48, "%s$%s%s", value < 0 ? "-" : "", number, unit[step]);
    return out;
}

char *sy_cost_show(char out[48], double value, const char *unit)
{
    char number[32];
    if (!strncmp(unit, "USD", 3))
        return sy_format_usd(out, value);
    if (!isfinite(value))
        return sy_format_usd(out, value);
    if (!strncmp(unit, "of ", 3)) {
        (void)snprintf(out, 48, "%s %%", sy_format_fixed(number, 100 * value, 1));
    } else if (fabs(value) >= 10000) {
        (void)snprintf(out, 48, "%s", sy_format_si(number, value, ""));
    } else {
        (void)snprintf(out, 48, "%s", sy_format_fixed(number, value, fabs(value) < 100 ? 2 : 1));
    }
    return out;
}

/* An input as one would type it: six digits, millions as 297.8e6. */
static char *show_input(char out[32], double value)
{
    bool large = fabs(value) >= 999999.5;
    char text[64];
    (void)snprintf(text, sizeof text, "%.6g", large ? value / 1e6 : value);
    double rounded = value;
    (void)sy_text_to_double(text, strlen(text), &rounded);
    sy_format_double(out, rounded);
    if (large && strlen(out) + 3 < 32)
        strcat(out, "e6");
    return out;
}

/* Sources are long and shared: they stand once, at the end, by number. */
enum { MOST_SOURCES = SY_COST_ITEMS + SY_COST_MAX_CLASSES };
struct sources {
    uint32_t count;
    const char *text[MOST_SOURCES];
};

static uint32_t number_of(struct sources *sources, const char *text)
{
    uint32_t i = 0;
    const char *known = text ? text : "no source";
    while (i < sources->count && strcmp(sources->text[i], known) != 0)
        i++;
    if (i == sources->count && sources->count < MOST_SOURCES)
        sources->text[sources->count++] = known;
    return i + 1;
}

/* Words on lines no wider than the terminal, the following ones indented. */
static void put_wrapped(struct sy_buf *out, const char *text, uint32_t width, uint32_t at, uint32_t indent)
{
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        char piece[400];
        (void)snprintf(piece, sizeof piece, "%.*s", (int)length, word);
        uint32_t columns = sy_text_columns(piece);
        if (width && word != text && at + 1 + columns > width) {
            sy_buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (word != text) {
            sy_buf_puts(out, " ");
            at++;
        }
        sy_buf_append(out, word, length);
        at += columns;
        word += length;
        word += strspn(word, " ");
    }
    sy_buf_puts(out, "\n");
}

static void put_sources(const struct sy_cost_report *r, const struct sources *sources, struct sy_buf *out)
{
    sy_buf_printf(out, "\n%sSources%s\n", r->color ? "\033[1m" : "", r->color ? "\033[0m" : "");
    for (uint32_t i = 0; i < sources->count; i++) {
        sy_buf_printf(out, "  %2u  ", i + 1);
        put_wrapped(out, sources->text[i], r->width, 6, 6);
    }
}

static const char *mark_of(const struct sy_cost_input *input)
{
    return sy_confidence_is_low(input->confidence) ? "?" : "";
}

/* ---- pieces ---- */

static void head(const struct sy_cost_report *r, struct sy_buf *out, const char *text)
{
    sy_buf_printf(out, "\n%s%s%s\n", r->color ? "\033[1m" : "", text, r->color ? "\033[0m" : "");
}

/* The inputs an output rests on: by name when they are few. */
static void put_basis(const struct sy_cost_report *r, int output, struct sy_buf *text)
{
    const bool *on = r->links->on[output];
    uint32_t count = 0, low = 0;
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        count += on[i];
        low += on[i] && *mark_of(&r->cost->input[i]);
    }
    sy_buf_clear(text);
    if (count > NAMED) {
        sy_buf_printf(text, "%u inputs, %u of them ?", count, low);
        return;
    }
    for (int i = 0; i < SY_COST_ITEMS; i++)
        if (on[i])
            sy_buf_printf(text, "%s%s%s", text->length ? ", " : "", sy_cost_items[i].name, mark_of(&r->cost->input[i]));
}

static void put_section(const struct sy_cost_report *r, int section, struct sy_buf *out)
{
    struct sy_grid grid;
    struct sy_buf basis = {0};
    char value[48];
    bool any = false;
    for (int i = 0; i < SY_COST_OUTPUTS; i++) {
        const struct sy_cost_output_info *info = &sy_cost_outputs[i];
        if ((int)info->section != section || isnan(r->cost->out[i]))
            continue;
        if (!any) {
            head(r, out, section_names[section]);
            sy_grid_begin(&grid, "|>|$|$", r->width, "  ");
            any = true;
        }
        put_basis(r, i, &basis);
        sy_grid_cell(&grid, info->name);
        sy_grid_cell(&grid, sy_cost_show(value, r->cost->out[i], info->unit));
        sy_grid_cell(&grid, info->doc);
        sy_grid_cell(&grid, basis.data ? basis.data : "");
    }
    if (any)
        sy_grid_put(&grid, out);
    sy_buf_free(&basis);
}

static void put_points(const struct sy_cost_report *r, struct sy_buf *out)
{
    const struct sy_cost_case *cost = r->cost;
    struct sy_grid grid;
    char text[48];
    if (cost->points < 2 && cost->response_s <= 0)
        return;
    head(r, out, "Operating points");
    sy_grid_begin(&grid, "units a pass>|time>|USD/M>||incumbent's time>|USD/M>|", r->width, "  ");
    for (uint32_t i = 0; i < cost->points; i++) {
        const struct sy_cost_point *point = &cost->point[i];
        sy_grid_cell(&grid, sy_format_double(text, point->units));
        sy_grid_cell(&grid, sy_format_si(text, point->latency_s, "s"));
        sy_grid_cell(&grid, sy_format_usd(text, point->own_usd_m));
        sy_grid_cell(&grid, !point->meets ? "too slow" : i == cost->own_point ? "cheapest" : "");
        sy_grid_cell(&grid, cost->incumbent ? sy_format_si(text, point->incumbent_latency_s, "s") : "-");
        sy_grid_cell(&grid, sy_format_usd(text, point->incumbent_usd_m));
        sy_grid_cell(&grid, !cost->incumbent             ? ""
                            : !point->incumbent_meets    ? "too slow"
                            : i == cost->incumbent_point ? "cheapest"
                                                         : "");
    }
    sy_grid_put(&grid, out);
}

static void put_mix(const struct sy_cost_report *r, struct sources *sources, struct sy_buf *out)
{
    struct sy_grid grid;
    char text[48];
    if (!r->view)
        return;
    head(r, out, "Mix of work");
    sy_grid_begin(&grid, "|today>|at launch>|at the end>|saves>|until year>|source>", r->width, "  ");
    for (uint32_t i = 0; i < r->cost->choice.classes; i++) {
        const struct sy_cost_class *one = &r->cost->choice.mix[i];
        const struct sy_cost_class_view *view = &r->view[i];
        sy_grid_cellf(&grid, "%s%s", one->name, sy_confidence_is_low(one->confidence) ? "?" : "");
        sy_grid_cell(&grid, sy_cost_show(text, view->now, "of work"));
        sy_grid_cell(&grid, sy_cost_show(text, view->at_launch, "of work"));
        sy_grid_cell(&grid, sy_cost_show(text, view->at_end, "of work"));
        sy_grid_cell(&grid, sy_cost_show(text, view->saving_share, "of its bill"));
        sy_grid_cell(&grid, isinf(view->served_years) ? view->served_years > 0 ? "always" : "never"
                                                      : sy_format_fixed(text, view->served_years, 1));
        sy_grid_cellf(&grid, "%u", number_of(sources, one->source));
    }
    sy_grid_put(&grid, out);
}

static void put_delays(const struct sy_cost_report *r, struct sy_buf *out)
{
    struct sy_grid grid;
    char text[48];
    if (!r->delays)
        return;
    head(r, out, "Arriving late");
    sy_grid_begin(&grid, "months>|npv>|lost>|payback years>", r->width, "  ");
    for (uint32_t i = 0; i < r->delays; i++) {
        sy_grid_cell(&grid, sy_format_double(text, r->delay[i].months));
        sy_grid_cell(&grid, sy_format_usd(text, r->delay[i].npv));
        sy_grid_cell(&grid, sy_format_usd(text, r->delay[i].loss));
        sy_grid_cell(&grid, sy_cost_show(text, r->delay[i].payback, "years"));
    }
    sy_grid_put(&grid, out);
}

static void put_tornado(const struct sy_cost_report *r, struct sy_buf *out)
{
    const struct sy_cost_output_info *info = &sy_cost_outputs[r->headline];
    struct sy_grid grid;
    char text[160], low[48], high[48];
    if (!r->swings)
        return;
    (void)snprintf(text, sizeof text, "What %s hangs on (one input at a time; %s as given)", info->name,
                   sy_cost_show(low, r->cost->out[r->headline], info->unit));
    head(r, out, text);
    sy_grid_begin(&grid, "input|from>|to>|at low>|at high>", r->width, "  ");
    for (uint32_t i = 0; i < r->swings && i < TORNADO; i++) {
        const struct sy_cost_swing *swing = &r->swing[i];
        const struct sy_cost_input *input = &r->cost->input[swing->item];
        sy_grid_cellf(&grid, "%s%s", sy_cost_items[swing->item].name, mark_of(input));
        sy_grid_cell(&grid, show_input(low, input->low));
        sy_grid_cell(&grid, show_input(high, input->high));
        sy_grid_cell(&grid, sy_cost_show(low, swing->at_low, info->unit));
        sy_grid_cell(&grid, sy_cost_show(high, swing->at_high, info->unit));
    }
    sy_grid_put(&grid, out);
}

static void put_risk(const struct sy_cost_report *r, struct sy_buf *out)
{
    struct sy_grid grid;
    char text[160], number[32];
    if (!r->risk)
        return;
    (void)snprintf(text, sizeof text, "All inputs over their ranges (%llu samples, seed %llu, independent, triangular)",
                   (unsigned long long)r->risk->samples, (unsigned long long)r->risk->seed);
    head(r, out, text);
    sy_grid_begin(&grid, "|P10>|P50>|P90>|mean>", r->width, "  ");
    for (uint32_t i = 0; i < r->risk->spreads; i++) {
        const struct sy_cost_spread *spread = &r->risk->spread[i];
        const struct sy_cost_output_info *info = &sy_cost_outputs[spread->output];
        sy_grid_cell(&grid, info->name);
        sy_grid_cell(&grid, sy_cost_show(text, spread->p10, info->unit));
        sy_grid_cell(&grid, sy_cost_show(text, spread->p50, info->unit));
        sy_grid_cell(&grid, sy_cost_show(text, spread->p90, info->unit));
        /* The mean of what is finite would mislead. */
        if (spread->share_finite < 1)
            sy_grid_cellf(&grid, "never %s %%", sy_format_fixed(number, 100 * (1 - spread->share_finite), 1));
        else
            sy_grid_cell(&grid, sy_cost_show(text, spread->mean, info->unit));
    }
    sy_grid_put(&grid, out);
    if (!isnan(r->risk->gain_share))
        sy_buf_printf(out, "  building pays in %s %% of the samples\n",
                      sy_format_fixed(number, 100 * r->risk->gain_share, 1));
}

static bool is_used(const struct sy_cost_report *r, int item)
{
    for (int o = 0; o < SY_COST_OUTPUTS; o++)
        if (r->links->on[o][item])
            return true;
    return false;
}

static void put_inputs(const struct sy_cost_report *r, struct sources *sources, struct sy_buf *out)
{
    struct sy_grid grid;
    char text[32];
    bool wide = !r->width || r->width >= 110; /* notes cut to nothing help nobody; JSON has them */
    head(r, out, "Inputs (? recalled or assumed: check before a decision)");
    sy_grid_begin(&grid,
                  wide ? "|figure>|low>|high>|confidence|source>|note$" : "|figure>|low>|high>|confidence|source>",
                  r->width, "  ");
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        const struct sy_cost_input *input = &r->cost->input[i];
        if (!input->known || !is_used(r, i))
            continue;
        sy_grid_cellf(&grid, "%s%s", sy_cost_items[i].name, mark_of(input));
        sy_grid_cell(&grid, show_input(text, input->value));
        sy_grid_cell(&grid, show_input(text, input->low));
        sy_grid_cell(&grid, show_input(text, input->high));
        bool own = input->confidence && !strcmp(input->confidence, "set by the user");
        sy_grid_cell(&grid, own ? "given" : input->confidence ? input->confidence : "none");
        sy_grid_cellf(&grid, "%u", number_of(sources, input->source));
        if (wide)
            sy_grid_cellf(&grid, "%s%s%s", input->rule ? input->rule : "", input->rule && input->note ? "; " : "",
                          input->note ? input->note : "");
    }
    sy_grid_put(&grid, out);
}

void sy_cost_put_table(const struct sy_cost_report *r, struct sy_buf *out)
{
    const struct sy_cost_case *cost = r->cost;
    struct sources sources = {0};
    sy_buf_printf(out, "%s%s%s", cost->chip ? cost->chip : "A chip", cost->workload ? " for " : "",
                  cost->workload ? cost->workload : "");
    if (cost->phase)
        sy_buf_printf(out, ", %s", cost->phase);
    if (cost->incumbent)
        sy_buf_printf(out, "; incumbent %s%s%s%s", cost->incumbent, cost->incumbent_description ? ", " : "",
                      cost->incumbent_description ? cost->incumbent_description : "",
                      cost->choice.rent ? " (rented)" : "");
    sy_buf_printf(out, "\na unit of work is one %s; yield %s\n", cost->unit, sy_yield_names[cost->choice.yield]);
    put_points(r, out);
    for (int section = 0; section < SY_COST_SECTIONS; section++)
        put_section(r, section, out);
    put_mix(r, &sources, out);
    put_delays(r, out);
    put_tornado(r, out);
    put_risk(r, out);
    put_inputs(r, &sources, out);
    put_sources(r, &sources, out);
}
