/* SPDX-License-Identifier: Apache-2.0 */
/* systole_sweep: every candidate of a space, one row each, in the order of the space. */
#include <string.h>

#include "sim/base/csv.h"
#include "sim/base/grid.h"
#include "sim/base/json.h"
#include "sim/explore/executor.h"
#include "sim/explore/space.h"

struct sweep {
    const struct systole_context *context;
    struct sy_space space;
    uint64_t first, count; /* the shard's slice */
    struct sy_arena *arena;
    struct sy_job_outcome *outcome;
    struct sy_job_runner runner; /* of the process that works */
};

/* ---- running ---- */

static void work(void *context, uint64_t item, struct sy_buf *reply)
{
    struct sweep *sweep = context;
    struct sy_job job;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    if (arena && sy_space_job(&sweep->space, sweep->first + item, arena, &job) == SY_OK)
        sy_job_run(&sweep->runner, &job, reply);
    sy_arena_destroy(arena);
}

static enum sy_status collect(void *context, uint64_t item, const char *reply, size_t length, const char *why)
{
    struct sweep *sweep = context;
    return sy_job_decode(sweep->arena, reply, length, why, &sweep->outcome[item]);
}

/* ---- writing ---- */

static const char *workload_of(const struct sweep *sweep, const struct sy_place *place)
{
    return sweep->space.workload[place->workload];
}

static void put_csv(const struct sweep *sweep, struct sy_buf *out)
{
    const struct sy_space *space = &sweep->space;
    size_t figures = sy_figure_total();
    uint32_t columns = sy_space_columns(space);
    char text[32];
    sy_buf_puts(out, "candidate,workload,chip");
    for (uint32_t c = 0; c < columns; c++) {
        sy_buf_puts(out, ",");
        sy_csv_put(out, sy_space_key(space, c));
    }
    for (size_t f = 0; f < figures; f++)
        sy_buf_printf(out, ",%s", sy_figure_at(f).name);
    sy_buf_puts(out, ",error\n");
    for (uint64_t i = 0; i < sweep->count; i++) {
        struct sy_place place = sy_space_place(space, sweep->first + i);
        const struct sy_job_outcome *outcome = &sweep->outcome[i];
        sy_buf_printf(out, "%llu,", (unsigned long long)(sweep->first + i));
        sy_csv_put(out, workload_of(sweep, &place));
        sy_buf_puts(out, ",");
        sy_csv_put(out, space->chip[place.chip]);
        for (uint32_t c = 0; c < columns; c++) {
            sy_buf_puts(out, ",");
            sy_csv_put(out, sy_space_value(space, &place, c));
        }
        for (size_t f = 0; f < figures; f++)
            sy_buf_printf(out, ",%s", outcome->value ? sy_figure_text(text, &outcome->value[f]) : "");
        sy_buf_puts(out, ",");
        if (outcome->message)
            sy_csv_put(out, outcome->message);
        sy_buf_puts(out, "\n");
    }
}

static void put_json_row(const struct sweep *sweep, uint64_t i, size_t figures, struct sy_json_writer *json)
{
    const struct sy_space *space = &sweep->space;
    struct sy_place place = sy_space_place(space, sweep->first + i);
    const struct sy_job_outcome *outcome = &sweep->outcome[i];
    sy_json_open_object(json, NULL);
    sy_json_put_u64(json, "candidate", sweep->first + i);
    sy_json_put_string(json, "workload", workload_of(sweep, &place));
    sy_json_put_string(json, "chip", space->chip[place.chip]);
    sy_json_open_object(json, "vary");
    for (uint32_t c = 0; c < sy_space_columns(space); c++)
        sy_json_put_string(json, sy_space_key(space, c), sy_space_value(space, &place, c));
    sy_json_close_object(json);
    if (outcome->message)
        sy_json_put_string(json, "error", outcome->message);
    if (outcome->value) {
        sy_json_open_object(json, "totals");
        for (size_t f = 0; f < figures; f++) {
            const struct sy_job_value *value = &outcome->value[f];
            if (value->kind == SY_JOB_WHOLE)
                sy_json_put_u64(json, sy_figure_at(f).name, value->whole);
            else if (value->kind == SY_JOB_REAL)
                sy_json_put_double(json, sy_figure_at(f).name, value->real);
        }
        sy_json_close_object(json);
    }
    sy_json_close_object(json);
}

static void put_json(const struct sweep *sweep, struct sy_buf *out)
{
    struct sy_json_writer json;
    size_t figures = sy_figure_total();
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.sweep/1");
    sy_json_open_object(&json, "tool");
    sy_json_put_string(&json, "version", systole_version());
    sy_json_put_string(&json, "model_revision", systole_model_revision());
    sy_json_close_object(&json);
    sy_json_open_object(&json, "space");
    sy_json_put_string(&json, "path", sweep->space.path);
    sy_json_put_string(&json, "sha256", sweep->space.sha256);
    sy_json_put_u64(&json, "candidates", sweep->space.total);
    sy_json_close_object(&json);
    sy_json_open_array(&json, "set");
    for (uint32_t i = 0; i < sweep->space.sets; i++)
        sy_json_put_string(&json, NULL, sweep->space.set[i]);
    sy_json_close_array(&json);
    sy_json_put_u64(&json, "first", sweep->first);
    sy_json_put_u64(&json, "count", sweep->count);
    sy_json_open_array(&json, "rows");
    for (uint64_t i = 0; i < sweep->count; i++)
        put_json_row(sweep, i, figures, &json);
    sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* ---- the table: the figures that decide, the best of each workload marked ---- */

static const struct {
    const char *figure, *head;
} table_figures[] = {{"seconds", "time"},  {"utilization", "util"}, {"energy_j", "energy"},
                     {"power_w", "power"}, {"edp_js", "EDP"},       {"dram_read_bytes", "DRAM read"}};
enum { TABLE_FIGURES = sizeof table_figures / sizeof table_figures[0] };

/* The best value of a figure over a workload's rows; false when there is none or nothing to rank. */
static bool best_of(const struct sweep *sweep, uint32_t workload, size_t figure, int better, double *best)
{
    bool found = false;
    for (uint64_t i = 0; i < sweep->count && better; i++) {
        const struct sy_job_outcome *outcome = &sweep->outcome[i];
        if (sy_space_place(&sweep->space, sweep->first + i).workload != workload || !outcome->value ||
            outcome->value[figure].kind == SY_JOB_ABSENT)
            continue;
        double value = outcome->value[figure].real;
        if (!found || (better < 0 ? value < *best : value > *best))
            *best = value;
        found = true;
    }
    return found;
}

/* The last word of a key is enough when no other varied key ends in it. */
static const char *head_of(const struct sy_space *space, const char *key)
{
    const char *dot = strrchr(key, '.'), *tail = dot ? dot + 1 : key;
    uint32_t same = 0;
    for (uint32_t c = 0; c < sy_space_columns(space); c++) {
        const char *whole = sy_space_key(space, c), *other = strrchr(whole, '.');
        same += !strcmp(other ? other + 1 : whole, tail);
    }
    return same == 1 ? tail : key;
}

static void put_heads(const struct sy_space *space, bool errors, struct sy_buf *heads)
{
    sy_buf_puts(heads, "#>");
    if (space->workloads > 1)
        sy_buf_puts(heads, "|workload~");
    if (space->chips > 1)
        sy_buf_puts(heads, "|chip~");
    for (uint32_t c = 0; c < sy_space_columns(space); c++)
        sy_buf_printf(heads, "|%s>", head_of(space, sy_space_key(space, c)));
    for (size_t f = 0; f < TABLE_FIGURES; f++)
        sy_buf_printf(heads, "|%s>|", table_figures[f].head);
    if (errors)
        sy_buf_puts(heads, "|error$");
}

/* Best values by workload and table figure, for the marks. */
struct best {
    bool known[TABLE_FIGURES];
    double value[TABLE_FIGURES];
};

static void put_row(const struct sweep *sweep, uint64_t i, const struct best *best, bool errors, struct sy_grid *grid)
{
    const struct sy_space *space = &sweep->space;
    struct sy_place place = sy_space_place(space, sweep->first + i);
    const struct sy_job_outcome *outcome = &sweep->outcome[i];
    sy_grid_cellf(grid, "%llu", (unsigned long long)(sweep->first + i));
    if (space->workloads > 1)
        sy_grid_cell(grid, workload_of(sweep, &place));
    if (space->chips > 1)
        sy_grid_cell(grid, space->chip[place.chip]);
    for (uint32_t c = 0; c < sy_space_columns(space); c++)
        sy_grid_cell(grid, sy_space_value(space, &place, c));
    for (size_t f = 0; f < TABLE_FIGURES; f++) {
        size_t index = sy_figure_index(table_figures[f].figure);
        struct systole_figure_info figure = sy_figure_at(index);
        const struct sy_job_value *value = outcome->value ? &outcome->value[index] : NULL;
        bool is_best = value && best[place.workload].known[f] && value->real == best[place.workload].value[f];
        char text[64];
        sy_grid_cell(grid, value ? sy_figure_show(text, &figure, value) : "");
        sy_grid_cell(grid, is_best ? "*" : "");
    }
    if (errors)
        sy_grid_cell(grid, outcome->message ? outcome->message : "");
}

static enum sy_status put_table(const struct sweep *sweep, const struct systole_format_options *format,
                                struct sy_buf *out)
{
    const struct sy_space *space = &sweep->space;
    struct sy_grid grid;
    struct sy_buf heads = {0};
    uint64_t failed = 0;
    struct best *best = sy_arena_array(sweep->arena, space->workloads, sizeof *best);
    if (!best)
        return SY_NOMEM;
    for (uint32_t w = 0; w < space->workloads; w++)
        for (size_t f = 0; f < TABLE_FIGURES; f++) {
            size_t index = sy_figure_index(table_figures[f].figure);
            best[w].known[f] = best_of(sweep, w, index, sy_figure_at(index).better, &best[w].value[f]);
        }
    for (uint64_t i = 0; i < sweep->count; i++)
        failed += sweep->outcome[i].message != NULL;
    put_heads(space, failed > 0, &heads);
    sy_buf_printf(out, "%s: %llu candidates", space->path, (unsigned long long)sweep->count);
    if (space->workloads == 1)
        sy_buf_printf(out, ", %s", space->workload[0]);
    if (space->chips == 1)
        sy_buf_printf(out, " on %s", space->chip[0]);
    sy_buf_puts(out, "\n\n");
    sy_grid_begin(&grid, heads.data ? heads.data : "", format->width, "");
    for (uint64_t i = 0; i < sweep->count; i++) {
        put_row(sweep, i, best, failed > 0, &grid);
    }
    sy_grid_put(&grid, out);
    sy_buf_free(&heads);
    sy_buf_printf(out, "\n* the best of %s\n", space->workloads == 1 ? "its column" : "its workload");
    if (failed)
        sy_buf_printf(out, "%llu of them failed\n", (unsigned long long)failed);
    return SY_OK;
}

/* ---- the call ---- */

static enum sy_status write_as(const struct sweep *sweep, const struct systole_format_options *format,
                               struct sy_buf *out)
{
    if (format->format && !strcmp(format->format, "csv"))
        put_csv(sweep, out);
    else if (format->format && !strcmp(format->format, "json"))
        put_json(sweep, out);
    else
        return put_table(sweep, format, out);
    return SY_OK;
}

/* The slice of a shard: slices put one behind the other are the whole. */
static enum sy_status slice(struct sweep *sweep, const struct systole_explore_options *options, struct sy_diag *diag)
{
    uint64_t total = sweep->space.total, shard = options->shard, shards = options->shards;
    if (!shards) {
        sweep->count = total;
        return SY_OK;
    }
    if (!shard || shard > shards || shards > SY_MAX_CANDIDATES) {
        sy_error(diag, SY_NOWHERE, "shards count from 1: --shard 1/4 to --shard 4/4", "there is no shard %llu of %llu",
                 (unsigned long long)shard, (unsigned long long)shards);
        return SY_USAGE;
    }
    sweep->first = total * (shard - 1) / shards;
    sweep->count = total * shard / shards - sweep->first;
    return SY_OK;
}

/* A sweep in which nothing worked is a wrong sweep: say why. */
static enum sy_status judge(const struct sweep *sweep, struct sy_diag *diag)
{
    for (uint64_t i = 0; i < sweep->count; i++)
        if (!sweep->outcome[i].message)
            return SY_OK;
    if (!sweep->count)
        return SY_OK;
    sy_error(diag, ((struct sy_where){.file = sweep->space.path}), NULL, "every candidate failed; the first: %s",
             sweep->outcome[0].message);
    return (enum sy_status)sweep->outcome[0].status;
}

static enum sy_status run(struct sweep *sweep, const char *path, const struct systole_explore_options *options,
                          const struct systole_format_options *format, struct sy_buf *out, struct sy_diag *diag)
{
    enum sy_status status =
        sy_space_load(sweep->arena, path, options->run, options->import, options->set, &sweep->space, diag);
    if (status == SY_OK)
        status = slice(sweep, options, diag);
    if (status != SY_OK)
        return status;
    sweep->outcome = sy_arena_array(sweep->arena, sweep->count + 1, sizeof *sweep->outcome);
    if (!sweep->outcome)
        return SY_NOMEM;
    sweep->space.run.cancel = options->cancel;
    sweep->runner =
        (struct sy_job_runner){.context = sweep->context, .run = &sweep->space.run, .import = &sweep->space.import};
    struct sy_executor_work items = {.count = sweep->count,
                                     .workers = options->workers,
                                     .work = work,
                                     .collect = collect,
                                     .context = sweep,
                                     .cancel = options->cancel,
                                     .progress = options->progress,
                                     .progress_context = options->progress_context};
    status = sy_executor_run(&items, diag);
    sy_job_runner_end(&sweep->runner);
    if (status == SY_OK)
        status = write_as(sweep, format, out);
    return status == SY_OK ? judge(sweep, diag) : status;
}

enum systole_status systole_sweep(const struct systole_context *context, const char *space,
                                  const struct systole_explore_options *options, struct systole_text *text)
{
    struct systole_explore_options mine;
    struct systole_format_options format;
    struct sy_diag diag = sy_explore_sink(context);
    struct sweep sweep = {.context = context};
    struct sy_buf out = {0};
    if (!sy_explore_take(&mine, sizeof mine, options) || !sy_explore_take(&format, sizeof format, mine.format))
        return SYSTOLE_USAGE;
    if (!sy_explore_knows_format(format.format, true, &diag))
        return SYSTOLE_USAGE;
    sweep.arena = sy_arena_create(NULL, SIZE_MAX);
    if (!sweep.arena)
        return SYSTOLE_NOMEM;
    enum sy_status status = run(&sweep, space, &mine, &format, &out, &diag);
    sy_arena_destroy(sweep.arena);
    if (status == SY_OK)
        return sy_explore_hand_over(&out, text);
    sy_buf_free(&out);
    return (enum systole_status)status;
}
