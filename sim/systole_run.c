/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: runs. No logic of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/energy.h"
#include "sim/engine/replay.h"
#include "sim/report/timeline.h"
#include "sim/stats/area.h"
#include "sim/systole_internal.h"
#include "traces/trace.h"
#include "workloads/import/lengths.h"

struct choice {
    const char *name;
    int value;
};

static int choose(const struct choice *choices, size_t count, const char *given, const char *what, struct sy_diag *diag)
{
    struct sy_buf known = {0};
    const char *names[8];
    if (!given)
        return choices[0].value;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(choices[i].name, given)) {
            sy_buf_free(&known);
            return choices[i].value;
        }
        names[i] = choices[i].name;
        sy_buf_printf(&known, "%s%s", i ? ", " : "", choices[i].name);
    }
    const char *near = sy_nearest(given, names, count);
    struct sy_buf hint = {0};
    sy_buf_printf(&hint, "%s%s%sknown: %s", near ? "did you mean " : "", near ? near : "", near ? "? " : "",
                  known.data ? known.data : "");
    sy_error(diag, SY_NOWHERE, hint.data, "%s '%s' is not known", what, given);
    sy_buf_free(&hint);
    sy_buf_free(&known);
    return -1;
}

#define CHOOSE(list, given, what) choose(list, sizeof list / sizeof list[0], given, what, diag)

static bool names_target(const char *memory)
{
    return memory && !strncmp(memory, "tlm:", 4);
}

/* -1: said why not. */
static int choose_memory(const struct systole_run_options *options, int fidelity, struct sy_diag *diag)
{
    static const struct choice memories[] = {{"sampled", SY_MEMORY_SAMPLED},
                                             {"shared", SY_MEMORY_SHARED},
                                             {"ideal", SY_MEMORY_IDEAL},
                                             {"burst", SY_MEMORY_BURST}};
    const char *memory = options->memory;
    if (!names_target(memory))
        return CHOOSE(memories, memory, "memory model");
    if (memory[4] && memory[4] != ',' && fidelity != SY_FIDELITY_ANALYTIC)
        return SY_MEMORY_TARGET;
    if (fidelity == SY_FIDELITY_ANALYTIC)
        sy_error(diag, SY_NOWHERE, "run it at event fidelity",
                 "analytic fidelity makes no requests for a memory target");
    else
        sy_error(diag, SY_NOWHERE, "write tlm:FILE.so or tlm:FILE.so,ARGUMENT", "'%s' names no memory target", memory);
    return -1;
}

static enum sy_status replay_options(const struct systole_run_options *options, const char *data_dir,
                                     struct sy_replay_options *replay, struct sy_diag *diag)
{
    static const struct choice fidelities[] = {
        {"event", SY_FIDELITY_EVENT}, {"analytic", SY_FIDELITY_ANALYTIC}, {"cycle", SY_FIDELITY_CYCLE}};
    static const struct choice objectives[] = {{"cycles", SY_OBJECTIVE_CYCLES},
                                               {"energy", SY_OBJECTIVE_ENERGY},
                                               {"edp", SY_OBJECTIVE_EDP},
                                               {"traffic", SY_OBJECTIVE_TRAFFIC}};
    static const struct choice kernels[] = {{"systemc", SCK_SYSTEMC}, {"heap", SCK_HEAP}};
    int fidelity = CHOOSE(fidelities, options->fidelity, "fidelity"), memory = choose_memory(options, fidelity, diag);
    int objective = CHOOSE(objectives, options->objective, "objective"),
        kernel = CHOOSE(kernels, options->kernel, "kernel");
    if (fidelity < 0 || memory < 0 || objective < 0 || kernel < 0)
        return SY_USAGE;
    if (options->dram_trace && !options->memory)
        memory = SY_MEMORY_BURST;
    if (options->dram_trace && (fidelity == SY_FIDELITY_ANALYTIC || memory != SY_MEMORY_BURST)) {
        sy_error(diag, SY_NOWHERE, "leave --fidelity and --memory out, or say event and burst",
                 "%s makes no memory requests to trace",
                 fidelity == SY_FIDELITY_ANALYTIC ? "analytic fidelity" : "this memory model");
        return SY_USAGE;
    }
    *replay = (struct sy_replay_options){.fidelity = (enum sy_fidelity)fidelity,
                                         .memory = (enum sy_memory_mode)memory,
                                         .objective = (enum sy_objective)objective,
                                         .kernel = (enum sck_backend)kernel,
                                         .seed = options->seed,
                                         .emit_schedule = options->emit_schedule,
                                         .vcd = options->vcd,
                                         .target = options->memory,
                                         .data_dir = data_dir,
                                         .progress = options->progress,
                                         .progress_context = options->progress_context,
                                         .cancel = options->cancel,
                                         .no_fast_forward = options->no_fast_forward != 0};
    return SY_OK;
}

/* ---- what the result remembers of the request ---- */

enum { LARGEST_TARGET = 1 << 30 };

/* A memory target's code decides the result as much as the chip does. */
static enum sy_status note_target(struct sy_result *result, const char *memory, struct sy_diag *diag)
{
    char *code = NULL;
    size_t length = 0;
    const char *from = memory + strlen("tlm:");
    const char *path = sy_arena_printf(result->arena, "%.*s", (int)strcspn(from, ","), from);
    if (!path)
        return SY_NOMEM;
    enum sy_status status = sy_read_file(path, LARGEST_TARGET, &code, &length, diag);
    if (status != SY_OK)
        return status;
    struct sy_result_input *input = &result->input[result->inputs++];
    input->role = "memory";
    input->path = path;
    sy_sha256_hex(code, length, input->sha256);
    free(code);
    return SY_OK;
}

static enum sy_status note_inputs(struct sy_result *result, const struct systole_chip *chip,
                                  const struct systole_workload *workload, const struct systole_run_options *options,
                                  struct sy_diag *diag)
{
    struct sy_result_request request = workload->request;
    request.chip = chip->request.chip;
    request.set = chip->request.set;
    request.energy_table = options->energy_table;
    request.seed = options->seed;
    enum sy_status status = systole_copy_request(&request, result->arena, &result->request);
    if (status != SY_OK)
        return status;
    const struct {
        const char *role, *path, *sha256;
    } inputs[] = {{"chip", result->request.chip, chip->chip->sha256},
                  {"workload", result->request.workload, workload->sha256}};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct sy_result_input *input = &result->input[result->inputs++];
        input->role = inputs[i].role;
        input->path = inputs[i].path;
        memcpy(input->sha256, inputs[i].sha256, sizeof input->sha256);
    }
    return names_target(options->memory) ? note_target(result, options->memory, diag) : SY_OK;
}

/* ---- a run ---- */

static void add_to_timeline(void *context, const struct sy_span *span, const char *layer_name)
{
    static const char *const kinds[SY_CMD_COUNT] = {[SY_CMD_LOAD] = "load",
                                                    [SY_CMD_MATMUL] = "matmul",
                                                    [SY_CMD_VECTOR] = "vector",
                                                    [SY_CMD_STORE] = "store",
                                                    [SY_CMD_WAIT] = "wait"};
    struct sy_timeline_event event = {.unit = span->unit,
                                      .kind = kinds[span->kind],
                                      .layer = layer_name,
                                      .start = span->start,
                                      .end = span->end,
                                      .layer_index = span->layer,
                                      .command = span->command};
    sy_timeline_add(context, &event);
}

/* Curves of the run's power and, with a thermal model, temperature. */
static void add_power(struct sy_timeline *timeline, const struct sy_result *result)
{
    for (uint32_t i = 0; i < result->power_intervals; i++) {
        const struct sy_power_interval *interval = &result->power_interval[i];
        sy_timeline_counter(timeline, "power", interval->start_s, "W", interval->power_w);
        if (result->has_thermal)
            sy_timeline_counter(timeline, "temperature", interval->start_s + interval->seconds, "C",
                                interval->temperature_c);
    }
}

/* The timeline and the request trace, when asked for, appear only after a good run. */
static enum sy_status replay_with_files(const struct systole_chip *chip, const struct systole_workload *workload,
                                        struct sy_trace_reader *reader, const struct sy_energy_table *energy,
                                        const struct systole_run_options *options, struct sy_replay_options *replay,
                                        struct sy_result **result, struct sy_diag *diag)
{
    struct sy_timeline *timeline = NULL;
    const char *path = options->timeline;
    enum sy_status status = SY_OK;
    if (options->dram_trace)
        status = sy_dram_trace_open(options->dram_trace, &replay->requests, diag);
    if (status == SY_OK && path)
        status =
            sy_timeline_create(path, chip->chip->name, workload->name, chip->chip->clock[0].frequency, &timeline, diag);
    replay->span = timeline ? add_to_timeline : NULL;
    replay->span_context = timeline;
    if (status == SY_OK)
        status = sy_replay(chip->chip, reader, energy, replay, result, diag);
    if (status != SY_OK) {
        sy_timeline_abandon(timeline);
        sy_dram_trace_abandon(replay->requests);
        return status;
    }
    if (timeline)
        add_power(timeline, *result);
    if (replay->requests)
        status = sy_dram_trace_commit(replay->requests, diag);
    if (timeline && status != SY_OK)
        sy_timeline_abandon(timeline);
    else if (timeline)
        status = sy_timeline_commit(timeline, diag);
    if (status != SY_OK)
        sy_result_destroy(*result);
    return status;
}

/* --memory sampled: short runs are run burst by burst. A pipe can be read once only, and is not looked into. */
static enum sy_status look_for_end(const struct sy_chip *chip, const struct systole_workload *workload,
                                   const struct sy_energy_table *energy, struct sy_replay_options *replay)
{
    struct sy_trace_reader *reader = NULL;
    if (replay->memory != SY_MEMORY_SAMPLED || replay->fidelity == SY_FIDELITY_ANALYTIC ||
        (!workload->text && !sy_file_is_regular(workload->path)))
        return SY_OK;
    enum sy_status status = sy_trace_open(workload->path, workload->text, workload->length, &reader, NULL);
    if (status == SY_OK) {
        sy_trace_without_digest(reader);
        status = sy_replay_is_short(chip, reader, energy, replay, &replay->is_short);
    }
    sy_trace_close(reader);
    return status == SY_NOMEM ? status : SY_OK; /* anything else the run itself will report */
}

/* Cycle fidelity: what the same run takes at event fidelity tells, before a step is taken, whether it can be stepped.
 */
static enum sy_status rehearse(const struct sy_chip *chip, const struct systole_workload *workload,
                               const struct sy_energy_table *energy, const struct sy_replay_options *options,
                               struct sy_diag *diag)
{
    struct sy_replay_options count = {.fidelity = SY_FIDELITY_CYCLE,
                                      .count_only = true,
                                      .memory = options->memory,
                                      .is_short = options->is_short,
                                      .objective = options->objective,
                                      .kernel = options->kernel,
                                      .target = options->target,
                                      .data_dir = options->data_dir,
                                      .fuse = options->fuse,
                                      .fuses = options->fuses,
                                      .memos = options->memos,
                                      .no_fast_forward = options->no_fast_forward,
                                      .cancel = options->cancel};
    struct sy_trace_reader *reader = NULL;
    struct sy_result *result = NULL;
    enum sy_status status = sy_trace_open(workload->path, workload->text, workload->length, &reader, diag);
    if (status == SY_OK)
        status = sy_replay(chip, reader, energy, &count, &result, diag);
    if (status == SY_OK)
        sy_result_destroy(result);
    sy_trace_close(reader);
    return status;
}

static enum sy_status load_energy(const struct sy_chip *chip, const struct systole_run_options *options,
                                  const char *data_dir, struct sy_energy_table **energy, struct sy_diag *diag)
{
    const char *table = options->energy_table ? options->energy_table
                        : chip->energy_table  ? chip->energy_table
                                              : "default";
    return sy_energy_load(table, data_dir, energy, diag);
}

static enum sy_status load_area(const struct systole_run_options *options, const char *data_dir,
                                struct sy_figure_table **area, struct sy_diag *diag)
{
    return sy_figure_table_load(options->area_table ? options->area_table : "default", "arch/area", data_dir, area,
                                diag);
}

static enum sy_status run(const struct systole_context *context, const struct systole_chip *chip,
                          const struct systole_workload *workload, const struct systole_run_options *options,
                          struct sy_result **result, struct sy_diag *diag)
{
    struct sy_replay_options replay;
    struct sy_trace_reader *reader = NULL;
    struct sy_energy_table *energy = NULL;
    struct sy_figure_table *area = NULL;
    const char *data_dir = context ? context->data_dir : NULL;
    enum sy_status status = replay_options(options, data_dir, &replay, diag);
    if (status != SY_OK)
        return status;
    replay.fuse = workload->fuse;
    replay.fuses = workload->fuses;
    status = load_energy(chip->chip, options, data_dir, &energy, diag);
    if (status == SY_OK)
        status = load_area(options, data_dir, &area, diag);
    const struct sy_energy_options prices = {options->sram_macros, options->ert, options->set_energy, area, data_dir};
    if (status == SY_OK)
        status = sy_energy_prepare(energy, chip->chip, &prices, diag);
    if (status == SY_OK)
        status = (replay.memos = sy_map_memos_create()) ? SY_OK : SY_NOMEM;
    if (status == SY_OK)
        status = look_for_end(chip->chip, workload, energy, &replay);
    if (status == SY_OK && replay.fidelity == SY_FIDELITY_CYCLE)
        status = rehearse(chip->chip, workload, energy, &replay, diag);
    if (status == SY_OK)
        status = sy_trace_open(workload->path, workload->text, workload->length, &reader, diag);
    if (status == SY_OK)
        status = replay_with_files(chip, workload, reader, energy, options, &replay, result, diag);
    if (status == SY_OK && (status = sy_area_account(*result, chip->chip, area, energy)) != SY_OK)
        sy_result_destroy(*result);
    sy_map_memos_destroy(replay.memos);
    sy_trace_close(reader);
    sy_energy_destroy(energy);
    sy_figure_table_destroy(area);
    return status;
}

/* ---- the mean over growing contexts ---- */

/* So many steps are run; those between lie on a line (a step's time grows with the context, in small stairs). */
enum { STEPS_RUN = 9 };

/* The list of contexts that was asked for, each so many tokens longer. */
static enum sy_status longer_contexts(const struct systole_workload *workload, uint64_t more, struct sy_buf *list,
                                      struct sy_diag *diag)
{
    struct sy_lengths lengths;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    enum sy_status status = arena ? sy_lengths_read(workload->request.contexts, arena, &lengths, diag) : SY_NOMEM;
    if (status == SY_OK) {
        sy_lengths_write(&lengths, more, list);
        status = list->failed ? SY_NOMEM : SY_OK;
    }
    sy_arena_destroy(arena);
    return status;
}

/* Seconds of one decode step of the same model, each sequence's context so many tokens longer. */
static enum sy_status step_at(const struct systole_context *context, const struct systole_chip *chip,
                              const struct systole_workload *workload, const struct systole_run_options *options,
                              uint64_t cached, uint64_t more, double *seconds, struct sy_diag *diag)
{
    const struct sy_result_request *request = &workload->request;
    struct systole_run_options plain = *options;
    struct systole_workload *step = NULL;
    struct sy_result *result = NULL;
    struct systole_import_options import = {.struct_size = sizeof import,
                                            .format = request->format,
                                            .activation = request->activation,
                                            .weight = request->weight,
                                            .accumulator = request->accumulator,
                                            .batch = request->batch,
                                            .context = cached + more,
                                            .phase = request->phase,
                                            .kind = request->kind,
                                            .allow_unmodelled = request->allow_unmodelled,
                                            .dims = request->dims,
                                            .fuse = request->fuse,
                                            .tensor_parallel = request->tensor_parallel,
                                            .kv = request->kv,
                                            .kv_page = request->kv_page,
                                            .routing = request->routing};
    struct sy_buf list = {0};
    plain.emit_schedule = plain.timeline = plain.vcd = NULL;
    enum sy_status status = request->contexts ? longer_contexts(workload, more, &list, diag) : SY_OK;
    if (request->contexts) {
        import.context = 0;
        import.contexts = list.data;
    }
    if (status == SY_OK)
        status = (enum sy_status)systole_workload_load(context, request->workload ? request->workload : workload->path,
                                                       &import, &step);
    sy_buf_free(&list);
    if (status != SY_OK)
        return status;
    status = run(context, chip, step, &plain, &result, diag);
    if (status == SY_OK) {
        *seconds = result->seconds;
        sy_result_destroy(result);
    }
    systole_workload_free(step);
    return status;
}

/* The mean of --new-tokens decode steps: at the stated context, then one token longer each. */
static enum sy_status mean_step(const struct systole_context *context, const struct systole_chip *chip,
                                const struct systole_workload *workload, const struct systole_run_options *options,
                                struct sy_result *result, struct sy_diag *diag)
{
    uint64_t steps = workload->request.new_tokens, points = sy_min(steps, STEPS_RUN), before = 0;
    double last = result->seconds, sum = last;
    if (!workload->workload || !result->phase || strcmp(result->phase, "decode") != 0 || steps < 2 ||
        steps > UINT32_MAX)
        return SY_OK;
    const uint64_t cached = result->context - sy_min(result->context, 1); /* the step's own token is behind it too */
    for (uint64_t i = 1; i < points; i++) {
        uint64_t at = i * (steps - 1) / (points - 1), gap = at - before;
        double seconds = 0;
        enum sy_status status = step_at(context, chip, workload, options, cached, at, &seconds, diag);
        if (status != SY_OK)
            return status;
        sum += seconds * (double)(gap + 1) / 2 + last * (double)(gap - 1) / 2;
        last = seconds;
        before = at;
    }
    result->mean_steps = steps;
    result->mean_step_s = sum / (double)steps;
    return SY_OK;
}

/* ---- the other answer of the allocator ---- */

/* The same run with all operands' regions aligned, where they would meet in the same banks. */
static enum sy_status run_aligned(const struct systole_context *context, const struct systole_chip *chip,
                                  const struct systole_workload *workload, const struct systole_run_options *options,
                                  struct sy_result *result, struct sy_diag *diag)
{
    struct systole_run_options plain = *options;
    struct sy_chip aligned = *chip->chip;
    struct systole_chip wrapped = *chip;
    struct sy_result *other = NULL;
    plain.emit_schedule = plain.timeline = plain.vcd = plain.dram_trace = NULL;
    for (uint32_t i = 0; i < aligned.levels; i++)
        aligned.level[i].region_skew_bytes = 0;
    wrapped.chip = &aligned;
    enum sy_status status = run(context, &wrapped, workload, &plain, &other, diag);
    if (status != SY_OK)
        return status;
    result->has_aligned = true;
    result->aligned_cycles = other->cycles;
    sy_result_destroy(other);
    return SY_OK;
}

/* ---- a clock that the package can cool ---- */

/* The highest core clock at which the chip's peak power fits its TDP; 0: it fits as it is, or states none. */
static enum sy_status limited_clock(const struct systole_context *context, const struct sy_chip *chip,
                                    const struct systole_run_options *options, double *hz, struct sy_diag *diag)
{
    const char *data_dir = context ? context->data_dir : NULL;
    struct sy_energy_table *energy = NULL;
    struct sy_figure_table *table = NULL;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_area *area;
    *hz = 0;
    enum sy_status status = arena ? load_energy(chip, options, data_dir, &energy, diag) : SY_NOMEM;
    if (status == SY_OK)
        status = load_area(options, data_dir, &table, diag);
    const struct sy_energy_options prices = {options->sram_macros, options->ert, options->set_energy, table, data_dir};
    if (status == SY_OK)
        status = sy_energy_prepare(energy, chip, &prices, diag);
    if (status == SY_OK && (status = sy_area_estimate(arena, chip, table, energy, &area)) == SY_OK)
        *hz = area->power_limited_hz;
    sy_energy_destroy(energy);
    sy_figure_table_destroy(table);
    if (arena)
        sy_arena_destroy(arena);
    return status;
}

/* The same chip at that clock, as one more override that the result records; *slower stays NULL when it fits. */
static enum sy_status slow_down(const struct systole_context *context, const struct systole_chip *chip,
                                const struct systole_run_options *options, struct systole_chip **slower,
                                struct sy_diag *diag)
{
    double hz;
    uint32_t count = 0;
    char clock[64];
    enum sy_status status = limited_clock(context, chip->chip, options, &hz, diag);
    if (status != SY_OK || hz < 1000)
        return status;
    while (chip->request.set && chip->request.set[count])
        count++;
    const char **set = calloc((size_t)count + 2, sizeof *set);
    if (!set)
        return SY_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        set[i] = chip->request.set[i];
    (void)snprintf(clock, sizeof clock, "clocks.core=%llu Hz", (unsigned long long)hz);
    set[count] = clock;
    status = (enum sy_status)systole_chip_load(context, chip->request.chip, set, slower);
    free(set);
    return status;
}

enum systole_status systole_run(const struct systole_context *context, const struct systole_chip *chip,
                                const struct systole_workload *workload, const struct systole_run_options *options,
                                struct systole_result **result)
{
    struct systole_run_options mine;
    struct sy_diag diag = systole_sink(context);
    struct systole_result *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    enum sy_status status = systole_take_options(&mine, sizeof mine, options) ? SY_OK : SY_USAGE;
    struct systole_chip *slower = NULL;
    if (status == SY_OK && mine.power_limited)
        status = slow_down(context, chip, &mine, &slower, &diag);
    chip = slower ? slower : chip;
    if (status == SY_OK)
        status = run(context, chip, workload, &mine, &made->result, &diag);
    if (status == SY_OK && (status = mean_step(context, chip, workload, &mine, made->result, &diag)) != SY_OK)
        sy_result_destroy(made->result);
    if (status == SY_OK && mine.aligned_too &&
        (status = run_aligned(context, chip, workload, &mine, made->result, &diag)) != SY_OK)
        sy_result_destroy(made->result);
    if (status == SY_OK && (status = note_inputs(made->result, chip, workload, &mine, &diag)) != SY_OK)
        sy_result_destroy(made->result);
    systole_chip_free(slower);
    if (status != SY_OK) {
        free(made);
        return (enum systole_status)status;
    }
    *result = made;
    return SYSTOLE_OK;
}
