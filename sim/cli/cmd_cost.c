/* SPDX-License-Identifier: Apache-2.0 */
/* systole cost: what a chip and its work cost, and whether building it pays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/subcommand.h"

enum { MOST_BATCHES = 64 };

struct options {
    const char *chip;
    struct sy_cli_workload workload;
    struct sy_cli_model model;
    struct sy_cli_output output;
    struct sy_cli_list prices, set_cost;
    const char *batches, *incumbent, *example, *yield_model, *package;
    const char *volume, *spend, *nre, *late, *run_units;
    double response_s, units_per_pass;
    uint64_t samples;
    bool rent;
};

/* clang-format off */
static const struct sy_option options[] = {
    SY_OPT(TEXT, struct options, chip, "arch", 'a', "NAME|FILE", "chip: a preset or a YAML file"),
    SY_WORKLOAD_OPTIONS(struct options, workload),
    SY_OPT(TEXT, struct options, batches, "batches", 0, "N,N,...", "batch sizes to run and choose from, instead of --batch"),
    SY_OPT(TEXT, struct options, incumbent, "incumbent", 0, "NAME|FILE", "what the chip would replace; `systole list incumbents`"),
    SY_OPT(FLAG, struct options, rent, "rent", 0, NULL, "the incumbent is rented, not bought"),
    SY_OPT(TEXT, struct options, example, "example", 0, "NAME|FILE", "a scenario; `systole list scenarios`"),
    SY_OPT(LIST, struct options, prices, "prices", 0, "FILE", "price table over the shipped one (repeatable, the last wins)"),
    SY_OPT(LIST, struct options, set_cost, "set-cost", 0, "ITEM=VALUE", "one price, or ITEM=LOW:VALUE:HIGH (repeatable); `systole list prices`"),
    SY_OPT(TEXT, struct options, volume, "volume", 0, "CHIPS", "own chips in service; set-cost volume_chips"),
    SY_OPT(TEXT, struct options, spend, "spend", 0, "USD", "yearly bill on the incumbent; set-cost spend_usd_year"),
    SY_OPT(TEXT, struct options, nre, "nre", 0, "USD", "all one-off cost; set-cost nre_usd"),
    SY_OPT(TEXT, struct options, late, "late", 0, "MONTHS", "behind the plan; set-cost months_late"),
    SY_OPT(TEXT, struct options, run_units, "run-units", 0, "N", "tokens of a training run; set-cost run_units"),
    SY_OPT(REAL, struct options, response_s, "response-time", 0, "SECONDS", "longest time of a pass: a token of decode, a prompt of prefill, an inference"),
    SY_OPT(REAL, struct options, units_per_pass, "units-per-pass", 0, "N", "work of a pass; default: tokens of a language model, else the batch"),
    SY_OPT(TEXT, struct options, yield_model, "yield", 0, "NAME", "negative-binomial (default), poisson, murphy or seeds"),
    SY_OPT(TEXT, struct options, package, "package", 0, "NAME", "flip-chip or interposer; default: an interposer for HBM"),
    SY_OPT(U64, struct options, samples, "monte-carlo", 0, "N", "sample all ranges so many times (--seed)"),
    SY_MODEL_OPTIONS(struct options, model),
    SY_OUTPUT_OPTIONS(struct options, output),
    SY_OPTIONS_END
};
/* clang-format on */

/* ---- runs ---- */

struct points {
    uint32_t count;
    struct systole_result *result[MOST_BATCHES + 1]; /* NULL-terminated */
};

static enum systole_status add_point(struct sy_cli *cli, const struct options *own, const struct systole_chip *chip,
                                     uint64_t batch, struct points *points)
{
    struct sy_cli_workload one = own->workload;
    struct systole_workload *workload = NULL;
    struct systole_run_options run;
    one.batch = batch;
    sy_cli_run_options(&own->model, &run);
    enum systole_status status = sy_cli_load_workload(cli, &one, &workload);
    if (status == SYSTOLE_OK)
        status = systole_run(&cli->context, chip, workload, &run, &points->result[points->count]);
    points->count += status == SYSTOLE_OK;
    systole_workload_free(workload);
    return status;
}

static enum systole_status add_points(struct sy_cli *cli, const struct options *own, const struct systole_chip *chip,
                                      struct points *points)
{
    if (!own->batches)
        return add_point(cli, own, chip, own->workload.batch, points);
    enum systole_status status = SYSTOLE_OK;
    for (const char *at = own->batches; status == SYSTOLE_OK; at++) {
        char *end;
        unsigned long long batch = *at >= '0' && *at <= '9' ? strtoull(at, &end, 10) : 0;
        if (!batch || batch > UINT32_MAX || (*end && *end != ',') || points->count == MOST_BATCHES)
            return sy_cli_usage(cli, "cost", "--batches: '%s' is not a list of up to %d batch sizes such as 1,8,32",
                                own->batches, MOST_BATCHES);
        status = add_point(cli, own, chip, batch, points);
        at = end;
        if (!*at)
            break;
    }
    return status;
}

/* ---- the command ---- */

/* What the short options say, as items: after the others, so that they win. Freed by the caller. */
static char *add_item(struct sy_cli_list *set, const char *item, const char *value)
{
    size_t room = strlen(item) + (value ? strlen(value) : 0) + 2;
    char *text = value && set->count < SY_CLI_LIST_MAX ? malloc(room) : NULL;
    if (!text)
        return NULL;
    (void)snprintf(text, room, "%s=%s", item, value);
    set->item[set->count++] = text;
    set->item[set->count] = NULL;
    return text;
}

static const char *what_is_wrong(const struct options *own)
{
    if (!own->chip && !own->workload.name)
        return own->example || own->set_cost.count || own->prices.count
                   ? NULL
                   : "a chip, -a, and a workload, -w, or an --example are missing";
    if (!own->chip)
        return "the chip, -a, is missing";
    if (!own->workload.name)
        return "the workload, -w, is missing";
    return own->batches && own->workload.batch ? "--batch and --batches do not go together" : NULL;
}

static enum systole_status run(struct sy_cli *cli, void *given, const char *const *operands, uint32_t count)
{
    const struct options *own = given;
    struct systole_cost_options cost = SYSTOLE_OPTIONS_INIT(struct systole_cost_options);
    struct systole_format_options format;
    struct systole_chip *chip = NULL;
    struct systole_text text;
    struct points points = {0};
    struct sy_cli_list set = own->set_cost;
    (void)operands;
    (void)count;
    const char *wrong = what_is_wrong(own);
    if (wrong)
        return sy_cli_usage(cli, "cost", "%s", wrong);
    char *const items[] = {add_item(&set, "volume_chips", own->volume), add_item(&set, "spend_usd_year", own->spend),
                           add_item(&set, "nre_usd", own->nre), add_item(&set, "months_late", own->late),
                           add_item(&set, "run_units", own->run_units)};
    sy_cli_format_options(cli, &own->output, 1, &format);
    cost.prices = own->prices.item;
    cost.example = own->example;
    cost.incumbent = own->incumbent;
    cost.set = set.item;
    cost.yield_model = own->yield_model;
    cost.package = own->package;
    cost.rent = own->rent;
    cost.response_s = own->response_s;
    cost.units_per_pass = own->units_per_pass;
    cost.samples = own->samples;
    cost.seed = own->model.seed;
    cost.format = &format;
    enum systole_status status = SYSTOLE_OK;
    if (own->chip)
        status = systole_chip_load(&cli->context, own->chip, own->model.set.item, &chip);
    if (status == SYSTOLE_OK && chip)
        status = add_points(cli, own, chip, &points);
    if (status == SYSTOLE_OK)
        status = systole_cost(&cli->context, chip, (const struct systole_result *const *)points.result, &cost, &text);
    if (status == SYSTOLE_OK)
        status = sy_cli_write(cli, own->output.path, &text);
    for (uint32_t i = 0; i < points.count; i++)
        systole_result_free(points.result[i]);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        free(items[i]);
    systole_chip_free(chip);
    return status;
}

const struct sy_subcommand sy_subcommand_cost = {
    .name = "cost",
    .summary = "what a chip and its work cost, and whether building it pays",
    .operands = "",
    .options = options,
    .options_size = sizeof(struct options),
    .examples = "  systole cost --example billion\n"
                "  systole cost -a tpu-v4i -w resnet50 --incumbent a100 --volume 20000\n"
                "  systole cost -a tpu-v4i -w resnet50 --incumbent h100 --spend 1e9 --monte-carlo 10000 --seed 1\n"
                "  systole cost -a mine.yaml -w qwen3-8b.json --phase decode --batches 1,8,32 --context 2048 \\\n"
                "      --incumbent tpu-v6e --spend 2e8 --response-time 0.02 --set-cost wafer_usd=8000:9500:12000\n",
    .run = run,
};
