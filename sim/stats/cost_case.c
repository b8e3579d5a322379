/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the inputs of a question of cost. See cost_case.h. */
#include "sim/stats/cost_case.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "sim/stats/area.h"

struct gather {
    struct sy_arena *arena;
    const struct sy_cost_table *table;
    const struct sy_cost_request *request;
    struct sy_cost_case *cost;
    struct sy_diag *diag;
    uint32_t errors;
};

static void put(struct gather *g, enum sy_cost_item item, double value, double low, double high, const char *source,
                const char *confidence)
{
    struct sy_cost_input *input = &g->cost->input[item];
    if (input->known || isnan(value)) /* a table's figure wins */
        return;
    *input = (struct sy_cost_input){true, value, low, high, source, confidence, NULL, NULL};
}

__attribute__((format(printf, 3, 4))) static void fail(struct gather *g, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)sy_diag_vreport(g->diag, SY_SEV_ERROR, SY_NOWHERE, hint, format, args);
    va_end(args);
    g->errors++;
}

/* ---- prices ---- */

static bool is_by_node_only(const struct sy_figure_table *table, const char *item)
{
    bool any = false;
    for (uint32_t i = 0; i < table->rows; i++)
        if (!strcmp(table->row[i].item, item)) {
            if (table->row[i].node_nm <= 0)
                return false;
            any = true;
        }
    return any;
}

static void take_prices(struct gather *g)
{
    double node = g->request->chip ? (double)g->request->chip->process_nm : 0;
    for (uint32_t i = 0; i < SY_COST_ITEMS; i++) {
        struct sy_sourced figure;
        const char *name = sy_cost_items[i].name;
        if (node <= 0 && is_by_node_only(&g->table->figures, name)) {
            if (g->request->chip && i == SY_COST_WAFER_USD)
                sy_warn(g->diag, SY_NOWHERE, "--set process=7nm, or --set-cost wafer_usd=...",
                        "the chip's process is not known: figures by node are left out");
            continue;
        }
        if (sy_figure_lookup(&g->table->figures, name, node, &figure) != SY_OK)
            continue;
        if (figure.extrapolated)
            sy_warn(g->diag, SY_NOWHERE, NULL, "%s: no figure beyond %g nm, taken for %g nm", name, figure.row->node_nm,
                    node);
        const char *rule = strcmp(figure.rule, "as sourced") ? figure.rule : NULL;
        g->cost->input[i] = (struct sy_cost_input){true,        figure.value,       figure.low,
                                                   figure.high, figure.row->source, figure.row->confidence,
                                                   rule,        figure.row->note};
    }
}

/* ---- the chip ---- */

static enum sy_cost_item memory_item(const char *component)
{
    static const struct {
        const char *prefix;
        enum sy_cost_item item;
    } kinds[] = {{"hbm3", SY_COST_HBM3_USD_GB}, {"hbm4", SY_COST_HBM3_USD_GB},   {"hbm", SY_COST_HBM2_USD_GB},
                 {"gddr", SY_COST_GDDR_USD_GB}, {"lpddr", SY_COST_LPDDR_USD_GB}, {"", SY_COST_DDR_USD_GB}};
    size_t i = 0;
    while (strncmp(component ? component : "", kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
        i++;
    return kinds[i].item;
}

static void take_memory(struct gather *g, const struct sy_chip *chip)
{
    double bytes = 0;
    bool open = false, hbm = false;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        if (level->kind != SY_LEVEL_DRAM)
            continue;
        g->cost->choice.memory = memory_item(level->energy_component);
        hbm = hbm || (level->energy_component && !strncmp(level->energy_component, "hbm", 3));
        bytes += (double)level->capacity_bytes;
        open = open || !level->capacity_bytes;
    }
    if (hbm)
        g->cost->choice.package = SY_COST_INTERPOSER_USD;
    if (!open)
        put(g, SY_COST_MEMORY_GB, bytes / 1e9, bytes / 1e9, bytes / 1e9, "capacity of the chip's DRAM", "derived");
    else if (!g->cost->input[SY_COST_MEMORY_GB].known)
        fail(g, "--set-cost memory_gb=16", "the chip's DRAM has no capacity, so it has no price");
}

static void take_chip(struct gather *g, const struct sy_chip *chip)
{
    double cores = (double)chip->cores, tdp = chip->power.tdp_w;
    take_memory(g, chip);
    put(g, SY_COST_CORES, cores, cores, cores, "the chip", chip->confidence ? chip->confidence : "derived");
    if (tdp > 0)
        put(g, SY_COST_OWN_TDP_W, tdp, tdp, tdp, "the chip's TDP", "derived");
}

static void check_harvest(struct gather *g)
{
    const struct sy_cost_input *input = g->cost->input;
    double needed = input[SY_COST_CORES_NEEDED].value, cores = input[SY_COST_CORES].value;
    if (!input[SY_COST_CORES_NEEDED].known || !input[SY_COST_CORES].known)
        return;
    if (needed > cores)
        fail(g, NULL, "%.0f cores are needed, the chip has %.0f", needed, cores);
    else if (fmod(cores, input[SY_COST_DIES].value) > 0)
        fail(g, NULL, "%.0f cores do not divide evenly among the dies", cores);
}

/* ---- runs ---- */

/* Whether most of the arithmetic is on operands of at most 8 bits. */
static bool is_narrow(const struct sy_result *result)
{
    double narrow = 0, all = 0;
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_layer_result *layer = &result->layer[i];
        if (!layer->macs || !layer->k)
            continue;
        all += (double)layer->macs;
        if (sy_dtypes[layer->precision_a].bits <= 8 && sy_dtypes[layer->precision_b].bits <= 8)
            narrow += (double)layer->macs;
    }
    return narrow * 2 > all;
}

static const struct sy_cost_measurement *measurement_of(const struct sy_cost_table *table,
                                                        const struct sy_result *result)
{
    for (uint32_t i = 0; i < table->measurements; i++) {
        const struct sy_cost_measurement *m = &table->measured[i];
        if (strcasecmp(m->workload, result->workload) ||
            strcmp(m->phase ? m->phase : "", result->phase ? result->phase : ""))
            continue;
        uint64_t batch = result->phase ? result->sequences : sy_max(result->request.batch, 1);
        /* A token of decode attends to what is cached and to itself. */
        uint64_t itself = result->phase && !strcmp(result->phase, "decode");
        if (result->chips <= 1 && m->sequences == batch && m->context + itself == (result->phase ? result->context : 0))
            return m;
    }
    return NULL;
}

static struct sy_cost_point point_of(const struct gather *g, const struct sy_result *result)
{
    struct sy_cost_point point = {.result = result, .latency_s = result->seconds, .measured = (double)NAN};
    point.units = result->phase ? (double)result->tokens / (double)sy_max(result->chips, 1) /* a chip's share */
                                : (double)sy_max(result->request.batch, 1);
    if (g->request->units_per_pass > 0)
        point.units = g->request->units_per_pass;
    point.operations = 2 * (double)(result->expected_macs ? result->expected_macs : result->macs);
    point.bytes = (double)result->model_bytes;
    for (uint64_t i = 0; i < result->layers; i++)
        point.kernels += result->layer[i].k ? (double)result->layer[i].repeat : 0;
    point.measurement = measurement_of(g->table, result);
    if (point.measurement && g->request->units_per_pass <= 0)
        point.measured = point.measurement->units_per_s;
    return point;
}

/* The inputs that come from the run of a point, into in. */
static void set_own(const struct sy_cost_point *point, double in[SY_COST_ITEMS], const struct sy_cost_case *cost)
{
    const struct sy_result *result = point->result;
    bool priced = result->energies > 0;
    if (!cost->input[SY_COST_OWN_RATE].known)
        in[SY_COST_OWN_RATE] = point->units / result->seconds;
    if (!cost->input[SY_COST_OWN_BUSY_W].known)
        in[SY_COST_OWN_BUSY_W] = priced ? result->power_w : (double)NAN;
    if (!cost->input[SY_COST_OWN_IDLE_W].known)
        in[SY_COST_OWN_IDLE_W] = priced && result->idle_w > 0 ? result->idle_w : (double)NAN;
}

static void set_incumbent(const struct sy_cost_point *point, double in[SY_COST_ITEMS], const struct sy_cost_case *cost)
{
    in[SY_COST_PASS_UNITS] = point->units;
    in[SY_COST_PASS_OPS] = point->operations;
    in[SY_COST_PASS_BYTES] = point->bytes;
    in[SY_COST_PASS_KERNELS] = point->kernels;
    if (!cost->input[SY_COST_INCUMBENT_RATE].known)
        in[SY_COST_INCUMBENT_RATE] = point->measured;
}

/* Costs and response times of every point, and the cheapest that meet the target. */
static void weigh_points(struct gather *g)
{
    struct sy_cost_case *cost = g->cost;
    double in[SY_COST_ITEMS], out[SY_COST_OUTPUTS], least = (double)INFINITY, incumbent_least = (double)INFINITY;
    bool any = false;
    for (uint32_t i = 0; i < cost->points; i++) {
        struct sy_cost_point *point = &cost->point[i];
        sy_cost_case_values(cost, in);
        set_own(point, in, cost);
        set_incumbent(point, in, cost);
        sy_cost_evaluate(&cost->choice, in, out);
        point->own_usd_m = out[SY_OUT_OWN_TCO_M];
        point->incumbent_usd_m = out[SY_OUT_INC_TCO_M];
        point->incumbent_latency_s = point->units / out[SY_OUT_INC_RATE];
        point->meets = cost->response_s <= 0 || point->latency_s <= cost->response_s;
        point->incumbent_meets = cost->response_s <= 0 || point->incumbent_latency_s <= cost->response_s;
        /* Without a cost the rate decides. */
        double own = isnan(point->own_usd_m) ? 1 / in[SY_COST_OWN_RATE] : point->own_usd_m;
        if (point->meets && own < least) {
            cost->own_point = i;
            least = own;
            any = true;
        }
        if (point->incumbent_meets && point->incumbent_usd_m < incumbent_least) {
            cost->incumbent_point = i;
            incumbent_least = point->incumbent_usd_m;
        }
    }
    if (!any && cost->points)
        fail(g, "try smaller batches, or a longer time", "no run of %s meets the response time",
             cost->point[0].result->workload);
    if (cost->incumbent && !isfinite(incumbent_least) && cost->response_s > 0)
        sy_warn(g->diag, SY_NOWHERE, NULL, "%s does not meet the response time at any of these batches",
                cost->incumbent);
}

static void take_area(struct gather *g, const struct sy_result *result)
{
    const struct sy_area *area = result->area;
    if (!area || !(area->die_mm2 > 0))
        return;
    put(g, SY_COST_DIE_MM2, area->die_mm2, area->low_mm2, area->high_mm2, "area estimate of the run", "derived");
    if (area->tdp_w > 0)
        put(g, SY_COST_OWN_TDP_W, area->tdp_w, area->tdp_w, area->tdp_w, "every unit at its peak rate", "derived");
    double die = g->cost->input[SY_COST_DIE_MM2].value / g->cost->input[SY_COST_DIES].value;
    if (area->reticle_mm2 > 0 && die > area->reticle_mm2)
        sy_warn(g->diag, SY_NOWHERE, "--set-cost dies_per_chip=2", "a die of %.0f mm2 is beyond the reticle of %.0f",
                die, area->reticle_mm2);
}

static void take_own(struct gather *g, const struct sy_cost_point *point)
{
    const struct sy_result *result = point->result;
    const char *run = sy_arena_printf(g->arena, "run of %s on %s", result->workload, result->chip);
    double rate = point->units / result->seconds, idle = result->idle_w > 0 ? result->idle_w : (double)NAN;
    put(g, SY_COST_OWN_RATE, rate, rate, rate, run, "derived");
    if (!result->energies)
        return;
    put(g, SY_COST_OWN_BUSY_W, result->power_w, result->energy_low_j / result->seconds,
        result->energy_high_j / result->seconds, run, "derived");
    put(g, SY_COST_OWN_IDLE_W, idle, idle, idle, run, "derived");
}

static void take_incumbent(struct gather *g, const struct sy_cost_point *point)
{
    const char *run = sy_arena_printf(g->arena, "%s, one pass", point->result->workload);
    const struct sy_cost_measurement *m = point->measurement;
    put(g, SY_COST_PASS_UNITS, point->units, point->units, point->units, run, "derived");
    put(g, SY_COST_PASS_OPS, point->operations, point->operations, point->operations, run, "derived");
    put(g, SY_COST_PASS_BYTES, point->bytes, point->bytes, point->bytes, run, "derived");
    put(g, SY_COST_PASS_KERNELS, point->kernels, point->kernels, point->kernels, run, "derived");
    if (!isnan(point->measured))
        put(g, SY_COST_INCUMBENT_RATE, m->units_per_s, m->units_per_s, m->units_per_s, m->source, m->confidence);
}

static enum sy_status take_points(struct gather *g)
{
    struct sy_cost_case *cost = g->cost;
    const struct sy_result *first = g->request->results[0];
    cost->point = sy_arena_array(g->arena, g->request->count, sizeof *cost->point);
    if (!cost->point)
        return SY_NOMEM;
    cost->points = g->request->count;
    for (uint32_t i = 0; i < cost->points; i++)
        cost->point[i] = point_of(g, g->request->results[i]);
    cost->workload = first->workload;
    cost->phase = first->phase;
    cost->unit = g->request->units_per_pass > 0 ? "unit" : first->phase ? "token" : "inference";
    cost->choice.peak = is_narrow(first) ? SY_COST_INCUMBENT_8BIT : SY_COST_INCUMBENT_16BIT;
    take_area(g, first);
    weigh_points(g);
    take_own(g, &cost->point[cost->own_point]);
    take_incumbent(g, &cost->point[cost->incumbent_point]);
    return SY_OK;
}

/* ---- choices ---- */

static enum sy_status choose_words(struct gather *g)
{
    const struct sy_cost_request *request = g->request;
    struct sy_cost_choice *choice = &g->cost->choice;
    uint32_t model = 0;
    while (request->yield_model && model < SY_YIELD_MODELS && strcmp(sy_yield_names[model], request->yield_model) != 0)
        model++;
    if (model == SY_YIELD_MODELS) {
        sy_error(g->diag, SY_NOWHERE, "known: negative-binomial, poisson, murphy, seeds",
                 "yield model '%.60s' is not known", request->yield_model);
        return SY_USAGE;
    }
    choice->yield = (enum sy_yield_model)model;
    if (request->package && !strcmp(request->package, "interposer"))
        choice->package = SY_COST_INTERPOSER_USD;
    else if (request->package && !strcmp(request->package, "flip-chip"))
        choice->package = SY_COST_FLIP_CHIP_USD;
    else if (request->package) {
        sy_error(g->diag, SY_NOWHERE, "known: flip-chip, interposer", "package '%.60s' is not known", request->package);
        return SY_USAGE;
    }
    return SY_OK;
}

/* What is asked twice. */
static void check_contradictions(struct gather *g)
{
    const struct sy_cost_input *input = g->cost->input;
    if (input[SY_COST_SPEND].known && input[SY_COST_VOLUME].known)
        fail(g, "give one", "spend_usd_year and volume_chips both say how much work there is");
    if (input[SY_COST_SAVING_SHARE].known && g->request->chip)
        sy_warn(g->diag, SY_NOWHERE, NULL,
                "saving_share is given: what the chip and the incumbent cost is shown, but the "
                "project is of that saving");
}

static void choose_rent(struct gather *g)
{
    const struct sy_cost_input *input = g->cost->input;
    bool bought = input[SY_COST_INCUMBENT_USD].known, rented = input[SY_COST_INCUMBENT_RENT].known;
    g->cost->choice.rent = rented && (g->request->rent || !bought);
    if (!g->cost->incumbent)
        return;
    if (g->request->rent && !rented)
        fail(g, "--set-cost incumbent_rent_usd_hour=2", "the incumbent %s has no rent", g->cost->incumbent);
    else if (!bought && !rented)
        fail(g, "--set-cost incumbent_usd=20000", "the incumbent %s has neither price nor rent", g->cost->incumbent);
}

enum sy_status sy_cost_case_make(struct sy_arena *arena, const struct sy_cost_table *table,
                                 const struct sy_cost_request *request, struct sy_cost_case **made,
                                 struct sy_diag *diag)
{
    struct sy_cost_case *cost = sy_arena_alloc(arena, sizeof *cost);
    struct gather g = {arena, table, request, cost, diag, 0};
    double in[SY_COST_ITEMS];
    if (!cost)
        return SY_NOMEM;
    cost->choice = (struct sy_cost_choice){
        .memory = SY_COST_DDR_USD_GB, .package = SY_COST_FLIP_CHIP_USD, .peak = SY_COST_INCUMBENT_16BIT};
    cost->choice.classes = table->classes;
    cost->choice.mix = table->mix;
    cost->incumbent = table->incumbent;
    cost->incumbent_description = table->incumbent_description;
    cost->response_s = request->response_s;
    cost->unit = "dollar of the bill";
    take_prices(&g);
    if (request->chip) {
        cost->chip = request->chip->name;
        take_chip(&g, request->chip);
    }
    enum sy_status status = choose_words(&g);
    if (status != SY_OK)
        return status;
    check_harvest(&g);
    check_contradictions(&g);
    choose_rent(&g);
    uint32_t before = g.errors;
    if (!before && request->chip && request->count)
        status = take_points(&g);
    if (status == SY_OK && g.errors)
        status = before ? SY_INPUT : SY_CHECK_FAILED;
    if (status != SY_OK)
        return status;
    sy_cost_case_values(cost, in);
    sy_cost_evaluate(&cost->choice, in, cost->out);
    *made = cost;
    return SY_OK;
}
