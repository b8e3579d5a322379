/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systole_check: runs again what result JSON files record. A run's JSON is
 * compared with the baseline's, so "exact" means the digits that results are
 * written with; the figures need no list here.
 */
#include "sim/explore/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/json.h"
#include "sim/explore/executor.h"

enum { MAX_BASELINES = 4096, MAX_TOLERANCES = 64 };
static const uint64_t baseline_limit = UINT64_C(1) << 28;
static const char layer_metric[] = "layer_cycles";

struct tolerance {
    const char *metric; /* NULL = every figure */
    double percent;
};

/* A baseline as read, before it runs. */
struct request {
    const struct sy_json *root;
    const char *chip, *workload;
    const char *const *set;
    struct systole_import_options import;
    struct systole_run_options run;
    bool layers;
};

struct checker {
    const struct systole_context *context;
    struct systole_check_options options;
    struct sy_diag *diag;
    struct sy_check check;
    struct request *request;
    struct tolerance tolerance[MAX_TOLERANCES];
    uint32_t tolerances;
};

/* ---- tolerances ---- */

static enum sy_status read_tolerance(struct checker *checker, const char *text)
{
    struct tolerance *own = &checker->tolerance[checker->tolerances];
    const char *equals = strchr(text, '='), *number = equals ? equals + 1 : text;
    *own = (struct tolerance){0};
    if (checker->tolerances == MAX_TOLERANCES)
        return sy_error(checker->diag, SY_NOWHERE, NULL, "more than %d tolerances", MAX_TOLERANCES);
    if (!sy_text_to_double(number, strlen(number), &own->percent) || !(own->percent >= 0)) {
        sy_error(checker->diag, SY_NOWHERE, "for example cycles=0.5 or 0.5",
                 "tolerance '%s' has no percentage of 0 or more", text);
        return SY_USAGE;
    }
    if (equals) {
        char *metric = sy_arena_strndup(checker->check.arena, text, (size_t)(equals - text));
        if (!metric)
            return SY_NOMEM;
        if (strcmp(metric, layer_metric) != 0 && sy_figure_index(metric) == SIZE_MAX) {
            sy_error(checker->diag, SY_NOWHERE,
                     "`systole list figures` names them; layer_cycles is each layer's cycles",
                     "there is no figure '%s' to tolerate", metric);
            return SY_USAGE;
        }
        own->metric = metric;
    }
    checker->tolerances++;
    return SY_OK;
}

/* The last tolerance given for a metric holds, a named one before one for all. */
static double tolerance_of(const struct checker *checker, const char *metric)
{
    double percent = 0;
    bool named = false;
    for (uint32_t i = 0; i < checker->tolerances; i++) {
        const struct tolerance *one = &checker->tolerance[i];
        bool match = one->metric && !strcmp(one->metric, metric);
        if (match || (!one->metric && !named))
            percent = one->percent;
        named = named || match;
    }
    return percent;
}

/* ---- reading a baseline ---- */

static const char *string_at(const struct sy_json *object, const char *key)
{
    const struct sy_json *value = object ? sy_json_get(object, key) : NULL;
    return value && value->kind == SY_JSON_STRING ? value->string : NULL;
}

static uint64_t number_at(const struct sy_json *object, const char *key)
{
    const struct sy_json *value = object ? sy_json_get(object, key) : NULL;
    uint64_t number = 0;
    return value && sy_json_u64(value, &number) ? number : 0;
}

static const char *const *strings_at(struct sy_arena *arena, const struct sy_json *object, const char *key)
{
    const struct sy_json *list = object ? sy_json_get(object, key) : NULL;
    size_t count = 0;
    for (const struct sy_json *one = list && list->kind == SY_JSON_ARRAY ? list->child : NULL; one; one = one->next)
        count += one->kind == SY_JSON_STRING;
    const char **strings = count ? sy_arena_array(arena, count + 1, sizeof *strings) : NULL;
    if (!strings)
        return NULL;
    count = 0;
    for (const struct sy_json *one = list->child; one; one = one->next)
        if (one->kind == SY_JSON_STRING)
            strings[count++] = one->string;
    return strings;
}

/* A path as the baseline has it; when it is not there from here, beside the baseline. */
static const char *find_input(struct sy_arena *arena, const char *baseline, const char *name)
{
    const char *slash = strrchr(baseline, '/');
    if (!name || *name == '/' || !slash || !access(name, F_OK))
        return name;
    const char *beside = sy_arena_printf(arena, "%.*s/%s", (int)(slash - baseline), baseline, name);
    return beside && !access(beside, F_OK) ? beside : name;
}

/* A result that says what was run, and does not ask for code of somebody's to be run. */
static enum sy_status repeatable(const struct sy_json *root, const struct sy_json *asked, struct sy_where where,
                                 struct sy_diag *diag)
{
    if (!string_at(asked, "chip") || !string_at(asked, "workload") || !sy_json_get(root, "totals"))
        return sy_error(diag, where, NULL,
                        "the result does not record what was asked for (`request`), so it cannot be repeated");
    const char *memory = string_at(root, "memory");
    if (memory && !strncmp(memory, "tlm:", 4))
        return sy_error(diag, where, "compare it with `systole run --memory tlm:...`",
                        "the result comes from a memory target, and a check runs no code that a file names");
    return SY_OK;
}

static enum sy_status read_request(struct checker *checker, struct sy_check_baseline *one, struct request *request,
                                   struct sy_diag *diag)
{
    struct sy_arena *arena = checker->check.arena;
    struct sy_where where = {.file = one->path};
    struct sy_json *root = NULL;
    char *text = NULL;
    size_t length = 0;
    enum sy_status status = sy_read_file(one->path, baseline_limit, &text, &length, diag);
    if (status == SY_OK)
        status = sy_json_parse(arena, text, length, one->path, &root, diag);
    free(text);
    if (status != SY_OK)
        return status;
    const char *schema = root->kind == SY_JSON_OBJECT ? string_at(root, "schema") : NULL;
    if (!schema || strcmp(schema, "systole.result/1") != 0)
        return sy_error(diag, where, "write one with `systole run ... --format json -o FILE`",
                        "this is not a result in JSON (schema systole.result/1)");
    const struct sy_json *asked = sy_json_get(root, "request"), *import = asked ? sy_json_get(asked, "import") : NULL;
    if ((status = repeatable(root, asked, where, diag)) != SY_OK)
        return status;
    const struct sy_json *layers = sy_json_get(root, "layers"), *tool = sy_json_get(root, "tool");
    one->chip = string_at(asked, "chip");
    one->workload = string_at(asked, "workload");
    one->revision_was = string_at(tool, "model_revision");
    one->model_changed = !one->revision_was || strcmp(one->revision_was, systole_model_revision()) != 0;
    *request = (struct request){.root = root,
                                .chip = find_input(arena, one->path, one->chip),
                                .workload = find_input(arena, one->path, one->workload),
                                .set = strings_at(arena, asked, "set"),
                                .layers = layers && layers->kind == SY_JSON_ARRAY && layers->child};
    request->import = SYSTOLE_OPTIONS_INIT(struct systole_import_options);
    request->import.format = string_at(import, "format");
    request->import.activation = string_at(import, "activation");
    request->import.weight = string_at(import, "weight");
    request->import.accumulator = string_at(import, "accumulator");
    request->import.phase = string_at(import, "phase");
    request->import.kind = string_at(import, "kind");
    request->import.kv = string_at(import, "kv");
    request->import.routing = string_at(import, "routing");
    request->import.contexts = string_at(import, "contexts");
    request->import.kv_page = number_at(import, "kv_page");
    request->import.batch = number_at(import, "batch");
    request->import.context = number_at(import, "context");
    request->import.new_tokens = number_at(import, "new_tokens");
    request->import.tensor_parallel = number_at(import, "tensor_parallel");
    request->import.dims = strings_at(arena, import, "dims");
    request->import.fuse = strings_at(arena, import, "fuse");
    request->import.allow_unmodelled = import && sy_json_get(import, "allow_unmodelled") != NULL;
    request->run = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    request->run.fidelity = string_at(root, "fidelity");
    request->run.memory = string_at(root, "memory");
    request->run.objective = string_at(root, "objective");
    request->run.energy_table = string_at(asked, "energy_table");
    request->run.seed = number_at(asked, "seed");
    return SY_OK;
}

/* ---- the run, perhaps in a worker: a status and the result's JSON, or a message ---- */

struct first_error {
    char text[768];
};

static void keep_first(void *context, const struct systole_diagnostic *diagnostic)
{
    struct first_error *first = context;
    if (diagnostic->severity != SYSTOLE_ERROR || first->text[0])
        return;
    (void)snprintf(first->text, sizeof first->text, "%s%s%s", diagnostic->file ? diagnostic->file : "",
                   diagnostic->file ? ": " : "", diagnostic->message);
}

static void work(void *context, uint64_t item, struct sy_buf *reply)
{
    const struct checker *checker = context;
    const struct request *request = &checker->request[item];
    struct first_error first = {.text = ""};
    struct systole_context own = SYSTOLE_OPTIONS_INIT(struct systole_context);
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    struct systole_text text = {0};
    enum systole_status status = checker->check.baseline[item].status;
    if (checker->context)
        own = *checker->context;
    own.diagnose = keep_first;
    own.diagnose_context = &first;
    if (status == SYSTOLE_OK)
        status = systole_chip_load(&own, request->chip, request->set, &chip);
    if (status == SYSTOLE_OK)
        status = systole_workload_load(&own, request->workload, &request->import, &workload);
    if (status == SYSTOLE_OK)
        status = systole_run(&own, chip, workload, &request->run, &result);
    if (status == SYSTOLE_OK)
        status = systole_result_format(&own, result, "json", request->layers, &text);
    sy_buf_append(reply, (const char *)&status, sizeof status);
    if (status == SYSTOLE_OK)
        sy_buf_append(reply, text.data, text.length);
    else
        sy_buf_puts(reply, first.text[0] ? first.text : systole_status_text(status));
    systole_text_free(&text);
    systole_result_free(result);
    systole_workload_free(workload);
    systole_chip_free(chip);
}

/* ---- comparing ---- */

static struct sy_check_row *new_row(struct sy_arena *arena, struct sy_check_baseline *one)
{
    if (one->rows == one->row_capacity) {
        uint64_t wanted = one->row_capacity ? one->row_capacity * 2 : 64;
        struct sy_check_row *grown = sy_arena_array(arena, wanted, sizeof *grown);
        if (!grown)
            return NULL;
        if (one->rows)
            memcpy(grown, one->row, one->rows * sizeof *grown);
        one->row = grown;
        one->row_capacity = wanted;
    }
    return &one->row[one->rows++];
}

static const char *literal(const struct sy_json *value)
{
    return value->string ? value->string : "null";
}

/* The same figure: whole numbers exactly, others to the digits that results are written with. How a number is spelled
 * does not count, since baselines pass through other tools. */
static bool is_same(const struct sy_json *was, const struct sy_json *is)
{
    char a[32], b[32];
    uint64_t whole_a, whole_b;
    if (was->kind != SY_JSON_NUMBER || is->kind != SY_JSON_NUMBER)
        return was->kind == is->kind && !strcmp(literal(was), literal(is));
    if (sy_json_u64(was, &whole_a) && sy_json_u64(is, &whole_b))
        return whole_a == whole_b;
    return !strcmp(sy_format_double(a, was->number), sy_format_double(b, is->number));
}

static double change_percent(const struct sy_json *was, const struct sy_json *is)
{
    double change = is->number - was->number;
    if (was->number != 0)
        return change / fabs(was->number) * 100;
    return change > 0 ? 100 : change < 0 ? -100 : 0; /* from nothing */
}

static enum sy_status add_row(struct checker *checker, struct sy_check_baseline *one, const char *metric,
                              const char *tolerated, const struct sy_json *was, const struct sy_json *is)
{
    struct sy_check_row *row = new_row(checker->check.arena, one);
    if (!row)
        return SY_NOMEM;
    double allowed = tolerance_of(checker, tolerated);
    *row = (struct sy_check_row){.metric = metric, .was = literal(was), .tolerance_percent = allowed};
    row->verdict = SY_VERDICT_GONE;
    if (is) {
        bool numbers = was->kind == SY_JSON_NUMBER && is->kind == SY_JSON_NUMBER;
        row->is = literal(is);
        row->change_percent = numbers ? change_percent(was, is) : 0;
        if (is_same(was, is))
            row->verdict = SY_VERDICT_SAME;
        else
            row->verdict = numbers && allowed > 0 && fabs(row->change_percent) <= allowed ? SY_VERDICT_TOLERATED
                                                                                          : SY_VERDICT_MOVED;
    }
    one->moved += row->verdict >= SY_VERDICT_MOVED;
    return SY_OK;
}

static enum sy_status compare_totals(struct checker *checker, struct sy_check_baseline *one, const struct sy_json *was,
                                     const struct sy_json *is)
{
    enum sy_status status = SY_OK;
    for (const struct sy_json *figure = was ? was->child : NULL; figure && status == SY_OK; figure = figure->next)
        status = add_row(checker, one, figure->key, figure->key, figure, is ? sy_json_get(is, figure->key) : NULL);
    return status;
}

/* Layers one by one; a layer of another name is as good as gone. */
static enum sy_status compare_layers(struct checker *checker, struct sy_check_baseline *one, const struct sy_json *was,
                                     const struct sy_json *is)
{
    enum sy_status status = SY_OK;
    const struct sy_json *now = is ? is->child : NULL;
    for (const struct sy_json *layer = was ? was->child : NULL; layer && status == SY_OK; layer = layer->next) {
        const struct sy_json *cycles = sy_json_get(layer, "cycles");
        const char *name = string_at(layer, "name"), *other = now ? string_at(now, "name") : NULL;
        bool same = name && other && !strcmp(name, other);
        const char *metric = sy_arena_printf(checker->check.arena, "layer %s cycles", name ? name : "?");
        if (!metric)
            return SY_NOMEM;
        if (cycles)
            status = add_row(checker, one, metric, layer_metric, cycles, same ? sy_json_get(now, "cycles") : NULL);
        now = now ? now->next : NULL;
    }
    return status;
}

/* Which inputs have another hash than the baseline's. */
static const char *changed_inputs(const struct sy_json *was, const struct sy_json *is)
{
    const struct sy_json *before = sy_json_get(was, "inputs"), *now = sy_json_get(is, "inputs");
    const struct sy_json *a = before ? before->child : NULL, *b = now ? now->child : NULL;
    uint32_t changed = 0;
    for (uint32_t bit = 1; a && b; a = a->next, b = b->next, bit <<= 1) {
        const char *old = string_at(a, "sha256"), *fresh = string_at(b, "sha256");
        changed |= old && fresh && strcmp(old, fresh) != 0 ? bit : 0;
    }
    return changed == 0 ? NULL : changed == 1 ? "chip" : changed == 2 ? "workload" : "chip and workload";
}

static enum sy_status collect(void *context, uint64_t item, const char *reply, size_t length, const char *why)
{
    struct checker *checker = context;
    struct sy_arena *arena = checker->check.arena;
    struct sy_check_baseline *one = &checker->check.baseline[item];
    const struct sy_json *was = checker->request[item].root;
    struct sy_json *is = NULL;
    if (one->status != SYSTOLE_OK)
        return SY_OK; /* it could not be read, and was not run */
    one->status = SYSTOLE_INTERNAL;
    if (reply && length >= sizeof one->status) {
        memcpy(&one->status, reply, sizeof one->status);
        reply += sizeof one->status;
        length -= sizeof one->status;
        if (one->status == SYSTOLE_OK && sy_json_parse(arena, reply, length, "result", &is, NULL) != SY_OK)
            one->status = SYSTOLE_INTERNAL;
    }
    if (one->status != SYSTOLE_OK) {
        one->message =
            reply && length ? sy_arena_strndup(arena, reply, length) : sy_arena_strdup(arena, why ? why : "no answer");
        return one->message ? SY_OK : SY_NOMEM;
    }
    one->inputs_changed = changed_inputs(was, is);
    enum sy_status status = compare_totals(checker, one, sy_json_get(was, "totals"), sy_json_get(is, "totals"));
    if (status == SY_OK && checker->request[item].layers)
        status = compare_layers(checker, one, sy_json_get(was, "layers"), sy_json_get(is, "layers"));
    return status;
}

/* ---- the call ---- */

static enum sy_status set_up(struct checker *checker, const char *const *baselines)
{
    struct sy_check *check = &checker->check;
    enum sy_status status = SY_OK;
    for (const char *const *one = checker->options.tolerances; one && *one && status == SY_OK; one++)
        status = read_tolerance(checker, *one);
    while (status == SY_OK && baselines && baselines[check->baselines] && check->baselines < MAX_BASELINES)
        check->baselines++;
    if (status == SY_OK && !check->baselines) {
        sy_error(checker->diag, SY_NOWHERE, NULL, "no baseline is named");
        status = SY_USAGE;
    }
    if (status != SY_OK)
        return status;
    check->baseline = sy_arena_array(check->arena, check->baselines, sizeof *check->baseline);
    checker->request = sy_arena_array(check->arena, check->baselines, sizeof *checker->request);
    if (!check->baseline || !checker->request)
        return SY_NOMEM;
    for (uint32_t i = 0; i < check->baselines; i++) {
        struct sy_check_baseline *one = &check->baseline[i];
        one->path = baselines[i];
        one->status = (enum systole_status)read_request(checker, one, &checker->request[i], checker->diag);
        checker->request[i].run.cancel = checker->options.cancel;
        if (one->status != SYSTOLE_OK)
            one->message = "the baseline could not be read";
    }
    return SY_OK;
}

static enum systole_status verdict(const struct checker *checker)
{
    enum systole_status status = SYSTOLE_OK;
    for (uint32_t i = 0; i < checker->check.baselines; i++) {
        const struct sy_check_baseline *one = &checker->check.baseline[i];
        if (one->status != SYSTOLE_OK)
            return one->status;
        status = one->moved ? SYSTOLE_CHECK_FAILED : status;
    }
    return status;
}

static enum systole_status write_all(const struct checker *checker, const struct systole_format_options *format,
                                     struct systole_text *text, struct systole_text *junit)
{
    struct sy_buf out = {0}, xml = {0};
    if (format->format && !strcmp(format->format, "json"))
        sy_check_put_json(&checker->check, &out);
    else
        sy_check_put_table(&checker->check, format, &out);
    enum systole_status status = sy_explore_hand_over(&out, text);
    if (status != SYSTOLE_OK || !junit)
        return status;
    sy_check_put_junit(&checker->check, &xml);
    status = sy_explore_hand_over(&xml, junit);
    if (status != SYSTOLE_OK)
        systole_text_free(text);
    return status;
}

enum systole_status systole_check(const struct systole_context *context, const char *const *baselines,
                                  const struct systole_check_options *options, struct systole_text *text,
                                  struct systole_text *junit)
{
    struct systole_format_options format;
    struct sy_diag diag = sy_explore_sink(context);
    struct checker checker = {.context = context, .diag = &diag};
    if (!sy_explore_take(&checker.options, sizeof checker.options, options) ||
        !sy_explore_take(&format, sizeof format, checker.options.format) ||
        !sy_explore_knows_format(format.format, false, &diag))
        return SYSTOLE_USAGE;
    checker.check.arena = sy_arena_create(NULL, SIZE_MAX);
    if (!checker.check.arena)
        return SYSTOLE_NOMEM;
    enum sy_status status = set_up(&checker, baselines);
    if (status == SY_OK) {
        struct sy_executor_work items = {.count = checker.check.baselines,
                                         .workers = checker.options.workers,
                                         .work = work,
                                         .collect = collect,
                                         .context = &checker,
                                         .cancel = checker.options.cancel,
                                         .progress = checker.options.progress,
                                         .progress_context = checker.options.progress_context};
        status = sy_executor_run(&items, &diag);
    }
    enum systole_status ended = (enum systole_status)status;
    if (ended == SYSTOLE_OK)
        ended = write_all(&checker, &format, text, junit);
    if (ended == SYSTOLE_OK)
        ended = verdict(&checker);
    sy_arena_destroy(checker.check.arena);
    return ended;
}
