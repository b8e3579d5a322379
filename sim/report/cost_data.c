/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of `systole cost` for programs. Figures that do not apply are absent; infinite ones are "never". */
#include <math.h>

#include "sim/base/csv.h"
#include "sim/base/json.h"
#include "sim/report/cost.h"

static const char *const section_names[SY_COST_SECTIONS] = {
    [SY_SECTION_SILICON] = "silicon",     [SY_SECTION_CHIP] = "chip",     [SY_SECTION_OWN] = "own",
    [SY_SECTION_INCUMBENT] = "incumbent", [SY_SECTION_SAVING] = "saving", [SY_SECTION_NRE] = "nre",
    [SY_SECTION_PROGRAM] = "program"};

static void put_number(struct sy_json_writer *json, const char *key, double value)
{
    if (isnan(value))
        return;
    if (isinf(value))
        sy_json_put_string(json, key, "never");
    else
        sy_json_put_double(json, key, value);
}

static void put_text(struct sy_json_writer *json, const char *key, const char *text)
{
    if (text)
        sy_json_put_string(json, key, text);
}

/* ---- JSON ---- */

static void put_inputs(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    sy_json_open_array(json, "inputs");
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        const struct sy_cost_input *input = &r->cost->input[i];
        if (!input->known)
            continue;
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "item", sy_cost_items[i].name);
        sy_json_put_double(json, "value", input->value);
        sy_json_put_double(json, "low", input->low);
        sy_json_put_double(json, "high", input->high);
        put_text(json, "source", input->source);
        put_text(json, "confidence", input->confidence);
        sy_json_put_bool(json, "low_confidence", sy_confidence_is_low(input->confidence));
        put_text(json, "rule", input->rule);
        put_text(json, "note", input->note);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_outputs(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    sy_json_open_array(json, "outputs");
    for (int o = 0; o < SY_COST_OUTPUTS; o++) {
        const struct sy_cost_output_info *info = &sy_cost_outputs[o];
        if (isnan(r->cost->out[o]))
            continue;
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "section", section_names[info->section]);
        sy_json_put_string(json, "name", info->name);
        put_number(json, "value", r->cost->out[o]);
        sy_json_put_string(json, "unit", info->unit);
        sy_json_put_string(json, "doc", info->doc);
        sy_json_open_array(json, "inputs");
        bool low = false;
        for (int i = 0; i < SY_COST_ITEMS; i++)
            if (r->links->on[o][i]) {
                sy_json_put_string(json, NULL, sy_cost_items[i].name);
                low = low || sy_confidence_is_low(r->cost->input[i].confidence);
            }
        sy_json_close_array(json);
        sy_json_put_bool(json, "low_confidence", low);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_points(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    const struct sy_cost_case *cost = r->cost;
    sy_json_open_array(json, "points");
    for (uint32_t i = 0; i < cost->points; i++) {
        const struct sy_cost_point *point = &cost->point[i];
        sy_json_open_object(json, NULL);
        sy_json_put_double(json, "units", point->units);
        sy_json_put_double(json, "seconds", point->latency_s);
        put_number(json, "own_tco_usd_m", point->own_usd_m);
        put_number(json, "incumbent_seconds", point->incumbent_latency_s);
        put_number(json, "incumbent_tco_usd_m", point->incumbent_usd_m);
        sy_json_put_bool(json, "meets", point->meets);
        sy_json_put_bool(json, "incumbent_meets", point->incumbent_meets);
        sy_json_put_bool(json, "own_choice", i == cost->own_point);
        sy_json_put_bool(json, "incumbent_choice", cost->incumbent && i == cost->incumbent_point);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_mix(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    if (!r->view)
        return;
    sy_json_open_array(json, "mix");
    for (uint32_t i = 0; i < r->cost->choice.classes; i++) {
        const struct sy_cost_class *one = &r->cost->choice.mix[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "name", one->name);
        sy_json_put_double(json, "growth", one->growth);
        sy_json_put_double(json, "own", one->own);
        sy_json_put_double(json, "incumbent", one->incumbent);
        sy_json_put_double(json, "share", r->view[i].now);
        sy_json_put_double(json, "share_at_launch", r->view[i].at_launch);
        sy_json_put_double(json, "share_at_end", r->view[i].at_end);
        sy_json_put_double(json, "saving_of_bill", r->view[i].saving_share);
        if (isfinite(r->view[i].served_years))
            sy_json_put_double(json, "cheaper_years", r->view[i].served_years);
        else
            sy_json_put_string(json, "cheaper_years", r->view[i].served_years > 0 ? "always" : "never");
        put_text(json, "source", one->source);
        put_text(json, "confidence", one->confidence);
        put_text(json, "note", one->note);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_delays(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    sy_json_open_array(json, "late");
    for (uint32_t i = 0; i < r->delays; i++) {
        sy_json_open_object(json, NULL);
        sy_json_put_double(json, "months", r->delay[i].months);
        put_number(json, "npv_usd", r->delay[i].npv);
        put_number(json, "lost_usd", r->delay[i].loss);
        put_number(json, "payback_years", r->delay[i].payback);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_tornado(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    sy_json_open_object(json, "tornado");
    sy_json_put_string(json, "output", sy_cost_outputs[r->headline].name);
    sy_json_open_array(json, "inputs");
    for (uint32_t i = 0; i < r->swings; i++) {
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "item", sy_cost_items[r->swing[i].item].name);
        put_number(json, "at_low", r->swing[i].at_low);
        put_number(json, "at_high", r->swing[i].at_high);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_close_object(json);
}

static void put_risk(const struct sy_cost_report *r, struct sy_json_writer *json)
{
    if (!r->risk)
        return;
    sy_json_open_object(json, "monte_carlo");
    sy_json_put_u64(json, "samples", r->risk->samples);
    sy_json_put_u64(json, "seed", r->risk->seed);
    put_number(json, "gain_share", r->risk->gain_share);
    sy_json_open_array(json, "outputs");
    for (uint32_t i = 0; i < r->risk->spreads; i++) {
        const struct sy_cost_spread *spread = &r->risk->spread[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "name", sy_cost_outputs[spread->output].name);
        put_number(json, "p10", spread->p10);
        put_number(json, "p50", spread->p50);
        put_number(json, "p90", spread->p90);
        put_number(json, "mean", spread->mean);
        sy_json_put_double(json, "share_finite", spread->share_finite);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_close_object(json);
}

void sy_cost_put_json(const struct sy_cost_report *r, struct sy_buf *out)
{
    const struct sy_cost_case *cost = r->cost;
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.cost/1");
    sy_json_open_object(&json, "tool");
    sy_json_put_string(&json, "version", r->version);
    sy_json_put_string(&json, "model_revision", r->model_revision);
    sy_json_close_object(&json);
    put_text(&json, "chip", cost->chip);
    put_text(&json, "workload", cost->workload);
    put_text(&json, "phase", cost->phase);
    put_text(&json, "incumbent", cost->incumbent);
    if (cost->incumbent)
        sy_json_put_bool(&json, "rented", cost->choice.rent);
    sy_json_put_string(&json, "unit", cost->unit);
    sy_json_put_string(&json, "yield_model", sy_yield_names[cost->choice.yield]);
    if (cost->response_s > 0)
        sy_json_put_double(&json, "response_s", cost->response_s);
    put_points(r, &json);
    put_outputs(r, &json);
    put_mix(r, &json);
    put_delays(r, &json);
    put_tornado(r, &json);
    put_risk(r, &json);
    put_inputs(r, &json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* ---- CSV ---- */

static void put_cell(struct sy_buf *out, double value)
{
    char text[32];
    sy_buf_puts(out, ",");
    if (!isnan(value))
        sy_buf_puts(out, isinf(value) ? "never" : sy_format_double(text, value));
}

static void put_words(struct sy_buf *out, const char *a, const char *b, const char *c)
{
    const char *const words[] = {a, b, c};
    for (int i = 0; i < 3; i++) {
        sy_buf_puts(out, ",");
        sy_csv_put(out, words[i] ? words[i] : "");
    }
    sy_buf_puts(out, "\n");
}

static void put_line(struct sy_buf *out, const char *kind, const char *name, double value, double low, double high)
{
    sy_buf_printf(out, "%s,%s", kind, name);
    put_cell(out, value);
    put_cell(out, low);
    put_cell(out, high);
}

void sy_cost_put_csv(const struct sy_cost_report *r, struct sy_buf *out)
{
    const struct sy_cost_case *cost = r->cost;
    const double none = (double)NAN;
    char name[32];
    sy_buf_puts(out, "kind,name,value,low,high,unit,confidence,source\n");
    for (int o = 0; o < SY_COST_OUTPUTS; o++) {
        const struct sy_cost_output_info *info = &sy_cost_outputs[o];
        if (isnan(cost->out[o]))
            continue;
        put_line(out, section_names[info->section], info->name, cost->out[o], none, none);
        put_words(out, info->unit, NULL, NULL);
    }
    for (uint32_t i = 0; r->view && i < cost->choice.classes; i++) {
        const struct sy_cost_class *one = &cost->choice.mix[i];
        put_line(out, "mix", one->name, r->view[i].now, r->view[i].at_launch, r->view[i].at_end);
        put_words(out, "of work", one->confidence, one->source);
    }
    for (uint32_t i = 0; i < r->delays; i++) {
        put_line(out, "late", sy_format_double(name, r->delay[i].months), r->delay[i].npv, none, none);
        put_words(out, "USD", NULL, NULL);
    }
    for (uint32_t i = 0; i < r->swings; i++) {
        put_line(out, "tornado", sy_cost_items[r->swing[i].item].name, cost->out[r->headline], r->swing[i].at_low,
                 r->swing[i].at_high);
        put_words(out, sy_cost_outputs[r->headline].unit, NULL, NULL);
    }
    for (uint32_t i = 0; r->risk && i < r->risk->spreads; i++) {
        const struct sy_cost_spread *spread = &r->risk->spread[i];
        put_line(out, "monte-carlo", sy_cost_outputs[spread->output].name, spread->p50, spread->p10, spread->p90);
        put_words(out, sy_cost_outputs[spread->output].unit, NULL, NULL);
    }
    for (int i = 0; i < SY_COST_ITEMS; i++) {
        const struct sy_cost_input *input = &cost->input[i];
        if (!input->known)
            continue;
        put_line(out, "input", sy_cost_items[i].name, input->value, input->low, input->high);
        put_words(out, NULL, input->confidence, input->source);
    }
}
