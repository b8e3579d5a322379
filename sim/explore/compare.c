/* SPDX-License-Identifier: Apache-2.0 */
/* systole_compare: every chip on every workload, side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/base/grid.h"
#include "sim/base/json.h"
#include "sim/explore/executor.h"
#include "sim/explore/job.h"

enum { MAX_CHIPS = 16, MAX_WORKLOADS = 256 };

struct comparison {
    const char *const *chip, *const *workload;
    uint32_t chips, workloads;
    const char *const *set;
    struct sy_arena *arena;
    struct sy_job_outcome *outcome; /* workload by workload, chip by chip */
    struct sy_job_runner runner;
};

/* ---- running ---- */

static void work(void *context, uint64_t item, struct sy_buf *reply)
{
    struct comparison *own = context;
    struct sy_job job = {
        .chip = own->chip[item % own->chips], .workload = own->workload[item / own->chips], .set = own->set};
    sy_job_run(&own->runner, &job, reply);
}

static enum sy_status collect(void *context, uint64_t item, const char *reply, size_t length, const char *why)
{
    struct comparison *own = context;
    return sy_job_decode(own->arena, reply, length, why, &own->outcome[item]);
}

/* ---- what is said about a figure ---- */

static const struct sy_job_value *value_at(const struct comparison *own, uint32_t workload, uint32_t chip,
                                           size_t figure)
{
    const struct sy_job_outcome *outcome = &own->outcome[workload * own->chips + chip];
    const struct sy_job_value *value = outcome->value ? &outcome->value[figure] : NULL;
    return value && value->kind != SY_JOB_ABSENT ? value : NULL;
}

/* The chip with the best value, when at least two differ; else chips. The first of equals wins. */
static uint32_t best_chip(const struct comparison *own, uint32_t workload, size_t figure, int better)
{
    uint32_t best = own->chips;
    double value = 0;
    bool differ = false;
    for (uint32_t c = 0; c < own->chips && better; c++) {
        const struct sy_job_value *one = value_at(own, workload, c, figure);
        if (!one)
            continue;
        differ = differ || (best < own->chips && one->real != value);
        if (best == own->chips || (better < 0 ? one->real < value : one->real > value)) {
            best = c;
            value = one->real;
        }
    }
    return differ ? best : own->chips;
}

/* Value over the first chip's; false when either is absent or the first is 0. */
static bool ratio_to_first(const struct comparison *own, uint32_t workload, uint32_t chip, size_t figure, double *ratio)
{
    const struct sy_job_value *first = value_at(own, workload, 0, figure), *one = value_at(own, workload, chip, figure);
    if (!first || !one || first->real == 0)
        return false;
    *ratio = one->real / first->real;
    return true;
}

/* ---- what the sources' ranges leave open ---- */

/* An energy figure of a run with every row at its low, nominal or high figure; times its seconds for a product. */
enum range { RANGE_LOW, RANGE_NOMINAL, RANGE_HIGH };
struct doubtful {
    const char *figure;
    bool times_seconds;
};
static const struct doubtful doubtful[] = {{"energy_j", false}, {"edp_js", true}};
enum { DOUBTFUL = sizeof doubtful / sizeof doubtful[0] };

static bool energy_at(const struct comparison *own, uint32_t workload, uint32_t chip, enum range range,
                      const struct doubtful *figure, double *value)
{
    static const char *const names[] = {"energy_low_j", "energy_j", "energy_high_j"};
    const struct sy_job_value *joules = value_at(own, workload, chip, sy_figure_index(names[range]));
    const struct sy_job_value *seconds = value_at(own, workload, chip, sy_figure_index("seconds"));
    if (!joules || !seconds)
        return false;
    *value = joules->real * (figure->times_seconds ? seconds->real : 1);
    return true;
}

/* Why the order of two chips by an energy figure is not certain; NULL when it is. a is the better one. */
static const char *doubt(const struct comparison *own, uint32_t workload, uint32_t a, uint32_t b,
                         const struct doubtful *figure)
{
    double first[3], second[3];
    for (int r = RANGE_LOW; r <= RANGE_HIGH; r++)
        if (!energy_at(own, workload, a, (enum range)r, figure, &first[r]) ||
            !energy_at(own, workload, b, (enum range)r, figure, &second[r]))
            return NULL;
    if (!(first[RANGE_NOMINAL] < second[RANGE_NOMINAL]))
        return NULL;
    if (first[RANGE_LOW] > second[RANGE_LOW] && first[RANGE_HIGH] > second[RANGE_HIGH])
        return "the order flips when every row is at its low figure, and when every row is at its high figure";
    if (first[RANGE_LOW] > second[RANGE_LOW])
        return "the order flips when every row is at its low figure";
    if (first[RANGE_HIGH] > second[RANGE_HIGH])
        return "the order flips when every row is at its high figure";
    return first[RANGE_HIGH] > second[RANGE_LOW] ? "the ranges overlap" : NULL;
}

static void put_doubts(const struct comparison *own, uint32_t workload, struct sy_buf *out)
{
    for (size_t f = 0; f < DOUBTFUL; f++)
        for (uint64_t pair = 0; pair < (uint64_t)own->chips * own->chips; pair++) {
            uint32_t a = (uint32_t)(pair / own->chips), b = (uint32_t)(pair % own->chips);
            const char *why = doubt(own, workload, a, b, &doubtful[f]);
            if (why)
                sy_buf_printf(out, "  %s: %s before %s is not certain: %s\n", doubtful[f].figure, own->chip[a],
                              own->chip[b], why);
        }
}

static void put_doubts_json(const struct comparison *own, uint32_t workload, struct sy_json_writer *json)
{
    sy_json_open_array(json, "uncertain");
    for (size_t f = 0; f < DOUBTFUL; f++)
        for (uint64_t pair = 0; pair < (uint64_t)own->chips * own->chips; pair++) {
            uint32_t a = (uint32_t)(pair / own->chips), b = (uint32_t)(pair % own->chips);
            const char *why = doubt(own, workload, a, b, &doubtful[f]);
            if (!why)
                continue;
            sy_json_open_object(json, NULL);
            sy_json_put_string(json, "figure", doubtful[f].figure);
            sy_json_put_string(json, "better", own->chip[a]);
            sy_json_put_string(json, "worse", own->chip[b]);
            sy_json_put_string(json, "why", why);
            sy_json_close_object(json);
        }
    sy_json_close_array(json);
}

/* ---- table ---- */

static void put_cells(const struct comparison *own, uint32_t workload, size_t figure, struct sy_grid *grid)
{
    struct systole_figure_info info = sy_figure_at(figure);
    uint32_t best = best_chip(own, workload, figure, info.better);
    sy_grid_cell(grid, info.name);
    for (uint32_t c = 0; c < own->chips; c++) {
        const struct sy_job_value *value = value_at(own, workload, c, figure);
        char text[64], number[32];
        double ratio;
        sy_grid_cell(grid, value ? sy_figure_show(text, &info, value) : "-");
        if (c && ratio_to_first(own, workload, c, figure, &ratio))
            sy_grid_cellf(grid, "%sx", sy_format_fixed(number, ratio, ratio < 0.0995 ? 3 : 2));
        else if (c)
            sy_grid_cell(grid, "");
        sy_grid_cell(grid, c == best ? "*" : "");
    }
}

static void put_workload(const struct comparison *own, uint32_t workload, const struct systole_format_options *format,
                         struct sy_buf *out)
{
    size_t figures = sy_figure_total();
    struct sy_grid grid;
    struct sy_buf heads = {0};
    sy_buf_puts(&heads, "");
    for (uint32_t c = 0; c < own->chips; c++)
        sy_buf_printf(&heads, "|%s>%s|", own->chip[c], c ? "|>" : "");
    sy_buf_printf(out, "%s%s%s%s\n", workload ? "\n" : "", format->color ? "\033[1m" : "", own->workload[workload],
                  format->color ? "\033[0m" : "");
    sy_grid_begin(&grid, heads.data ? heads.data : "", 0, "  ");
    for (size_t f = 0; f < figures; f++) {
        bool any = false;
        for (uint32_t c = 0; c < own->chips; c++)
            any = any || value_at(own, workload, c, f);
        if (any)
            put_cells(own, workload, f, &grid);
    }
    sy_grid_put(&grid, out);
    sy_buf_free(&heads);
    put_doubts(own, workload, out);
    for (uint32_t c = 0; c < own->chips; c++) {
        const struct sy_job_outcome *outcome = &own->outcome[workload * own->chips + c];
        if (outcome->message)
            sy_buf_printf(out, "  %s failed: %s\n", own->chip[c], outcome->message);
    }
}

/* Geometric mean over the workloads of each chip's ratio to the first, where all of them have one. */
static void put_means(const struct comparison *own, struct sy_buf *out)
{
    static const char *const names[] = {"seconds", "energy_j", "edp_js"};
    struct sy_grid grid;
    struct sy_buf heads = {0};
    for (uint32_t c = 0; c < own->chips; c++)
        sy_buf_printf(&heads, "|%s>", own->chip[c]);
    sy_buf_printf(out, "\ngeometric mean of the ratios to %s over %u workloads\n", own->chip[0], own->workloads);
    sy_grid_begin(&grid, heads.data ? heads.data : "", 0, "  ");
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        size_t figure = sy_figure_index(names[n]);
        sy_grid_cell(&grid, names[n]);
        for (uint32_t c = 0; c < own->chips; c++) {
            double sum = 0, ratio = 0;
            uint32_t known = 0;
            char number[32];
            for (uint32_t w = 0; w < own->workloads; w++)
                if (ratio_to_first(own, w, c, figure, &ratio)) {
                    sum += log(ratio);
                    known++;
                }
            if (known == own->workloads)
                sy_grid_cellf(&grid, "%sx", sy_format_fixed(number, exp(sum / known), 2));
            else
                sy_grid_cell(&grid, "-");
        }
    }
    sy_grid_put(&grid, out);
    sy_buf_free(&heads);
}

static void put_table(const struct comparison *own, const struct systole_format_options *format, struct sy_buf *out)
{
    for (uint32_t w = 0; w < own->workloads; w++)
        put_workload(own, w, format, out);
    if (own->workloads > 1 && own->chips > 1)
        put_means(own, out);
    if (own->chips > 1)
        sy_buf_printf(out, "\nx: ratio to %s; * the best of its line\n", own->chip[0]);
}

/* ---- CSV and JSON ---- */

static void put_csv(const struct comparison *own, struct sy_buf *out)
{
    size_t figures = sy_figure_total();
    char text[32];
    sy_buf_puts(out, "workload,chip,figure,value,unit,ratio_to_first,best\n");
    for (uint64_t i = 0; i < (uint64_t)own->workloads * own->chips; i++) {
        uint32_t w = (uint32_t)(i / own->chips), c = (uint32_t)(i % own->chips);
        for (size_t f = 0; f < figures; f++) {
            const struct sy_job_value *value = value_at(own, w, c, f);
            struct systole_figure_info info = sy_figure_at(f);
            double ratio;
            if (!value)
                continue;
            sy_csv_put(out, own->workload[w]);
            sy_buf_puts(out, ",");
            sy_csv_put(out, own->chip[c]);
            sy_buf_printf(out, ",%s,%s,", info.name, sy_figure_text(text, value));
            sy_csv_put(out, info.unit);
            sy_buf_printf(out, ",%s,%d\n", ratio_to_first(own, w, c, f, &ratio) ? sy_format_double(text, ratio) : "",
                          best_chip(own, w, f, info.better) == c);
        }
    }
}

static void put_json_chip(const struct comparison *own, uint32_t workload, uint32_t chip, struct sy_json_writer *json)
{
    const struct sy_job_outcome *outcome = &own->outcome[workload * own->chips + chip];
    size_t figures = sy_figure_total();
    sy_json_open_object(json, NULL);
    sy_json_put_string(json, "chip", own->chip[chip]);
    if (outcome->message)
        sy_json_put_string(json, "error", outcome->message);
    sy_json_open_object(json, "totals");
    for (size_t f = 0; f < figures; f++) {
        const struct sy_job_value *value = value_at(own, workload, chip, f);
        if (value && value->kind == SY_JOB_WHOLE)
            sy_json_put_u64(json, sy_figure_at(f).name, value->whole);
        else if (value)
            sy_json_put_double(json, sy_figure_at(f).name, value->real);
    }
    sy_json_close_object(json);
    sy_json_open_object(json, "ratios");
    for (size_t f = 0; f < figures; f++) {
        double ratio;
        if (ratio_to_first(own, workload, chip, f, &ratio))
            sy_json_put_double(json, sy_figure_at(f).name, ratio);
    }
    sy_json_close_object(json);
    sy_json_open_array(json, "best");
    for (size_t f = 0; f < figures; f++)
        if (best_chip(own, workload, f, sy_figure_at(f).better) == chip)
            sy_json_put_string(json, NULL, sy_figure_at(f).name);
    sy_json_close_array(json);
    sy_json_close_object(json);
}

static void put_json(const struct comparison *own, struct sy_buf *out)
{
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.compare/1");
    sy_json_open_object(&json, "tool");
    sy_json_put_string(&json, "version", systole_version());
    sy_json_put_string(&json, "model_revision", systole_model_revision());
    sy_json_close_object(&json);
    sy_json_open_array(&json, "workloads");
    for (uint32_t w = 0; w < own->workloads; w++) {
        sy_json_open_object(&json, NULL);
        sy_json_put_string(&json, "workload", own->workload[w]);
        sy_json_open_array(&json, "chips");
        for (uint32_t c = 0; c < own->chips; c++)
            put_json_chip(own, w, c, &json);
        sy_json_close_array(&json);
        put_doubts_json(own, w, &json);
        sy_json_close_object(&json);
    }
    sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* ---- the call ---- */

static uint32_t count_of(const char *const *list)
{
    uint32_t count = 0;
    while (list && list[count] && count <= MAX_WORKLOADS)
        count++;
    return count;
}

static enum sy_status run(struct comparison *own, const struct systole_explore_options *options,
                          const struct systole_format_options *format, struct sy_buf *out, struct sy_diag *diag)
{
    uint64_t count = (uint64_t)own->chips * own->workloads;
    own->outcome = sy_arena_array(own->arena, count, sizeof *own->outcome);
    if (!own->outcome)
        return SY_NOMEM;
    struct sy_executor_work items = {.count = count,
                                     .workers = options->workers,
                                     .work = work,
                                     .collect = collect,
                                     .context = own,
                                     .cancel = options->cancel,
                                     .progress = options->progress,
                                     .progress_context = options->progress_context};
    enum sy_status status = sy_executor_run(&items, diag);
    sy_job_runner_end(&own->runner);
    if (status != SY_OK)
        return status;
    if (format->format && !strcmp(format->format, "csv"))
        put_csv(own, out);
    else if (format->format && !strcmp(format->format, "json"))
        put_json(own, out);
    else
        put_table(own, format, out);
    return SY_OK;
}

/* The first failure, told once more where errors go. */
static enum systole_status failure_of(const struct comparison *own, struct sy_diag *diag)
{
    enum systole_status status = SYSTOLE_OK;
    for (uint64_t i = 0; i < (uint64_t)own->workloads * own->chips; i++) {
        const struct sy_job_outcome *outcome = &own->outcome[i];
        if (!outcome->message)
            continue;
        status = status == SYSTOLE_OK ? outcome->status : status;
        sy_error(diag, SY_NOWHERE, NULL, "%s on %s: %s", own->workload[i / own->chips], own->chip[i % own->chips],
                 outcome->message);
    }
    return status;
}

enum systole_status systole_compare(const struct systole_context *context, const char *const *chips,
                                    const char *const *workloads, const struct systole_explore_options *options,
                                    struct systole_text *text)
{
    struct systole_explore_options mine;
    struct systole_format_options format;
    struct sy_diag diag = sy_explore_sink(context);
    struct sy_buf out = {0};
    struct comparison own = {
        .chip = chips, .workload = workloads, .chips = count_of(chips), .workloads = count_of(workloads)};
    if (!sy_explore_take(&mine, sizeof mine, options) || !sy_explore_take(&format, sizeof format, mine.format) ||
        !sy_explore_knows_format(format.format, true, &diag))
        return SYSTOLE_USAGE;
    if (!own.chips || own.chips > MAX_CHIPS || !own.workloads || own.workloads > MAX_WORKLOADS) {
        sy_error(&diag, SY_NOWHERE, NULL, "a comparison takes 1 to %d chips and 1 to %d workloads", MAX_CHIPS,
                 MAX_WORKLOADS);
        return SYSTOLE_USAGE;
    }
    own.set = mine.set;
    own.arena = sy_arena_create(NULL, 0);
    own.runner = (struct sy_job_runner){.context = context, .run = mine.run, .import = mine.import};
    if (!own.arena)
        return SYSTOLE_NOMEM;
    enum systole_status status = (enum systole_status)run(&own, &mine, &format, &out, &diag);
    if (status == SYSTOLE_OK) {
        status = sy_explore_hand_over(&out, text);
        enum systole_status failed = status == SYSTOLE_OK ? failure_of(&own, &diag) : SYSTOLE_OK;
        status = failed != SYSTOLE_OK ? failed : status;
    } else {
        sy_buf_free(&out);
    }
    sy_arena_destroy(own.arena);
    return status;
}
