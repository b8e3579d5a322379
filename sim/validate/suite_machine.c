/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite machine: the composed machine of tests/rtl (sequencer, DMA engines,
 * memory, ping-pong buffers, array, accumulators, vector unit), run as RTL,
 * against the event engine on the same commands.
 *
 * A row is a machine and a schedule. Columns: dataflow (ws, os: the arrays of
 * arch/arrays/systole-*.yaml, or `array` names another file), rows, cols, m, k,
 * n, queue_depth, overhead, latency (cycles), burst (bytes), memory (bus: reads
 * and writes share; channels: one each; ports: one an engine), bytes (of the
 * memory, a cycle), gap (cycles a transfer of `bytes` takes, 1 = every cycle),
 * engine_bytes (of a DMA engine, a cycle; 0 = as the memory), engines,
 * vector_startup, vector_lanes, commands (records of a layer trace joined by
 * ';', levels 0 = accumulator, 1 = scratchpad, 2 = memory). Figures: cycles and
 * busy_* of each unit, and the lists start, streamed, done: a cycle a command.
 *
 * Or `chip` names a chip file and `schedule` a trace with commands (paths from
 * the table's folder; `memory` is then shared or ideal): a row of an RTL kit.
 *
 * Each row runs on both kernels; it is exact when every figure and every cycle
 * of both is the RTL's. The note names the first cycle that differs.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/replay.h"
#include "sim/validate/suite.h"

enum { MAX_COMMANDS = 4096 };

enum column {
    COL_SCENARIO,
    COL_DATAFLOW,
    COL_ARRAY,
    COL_CHIP,
    COL_SCHEDULE,
    COL_MEMORY,
    COL_COMMANDS,
    COL_START,
    COL_STREAMED,
    COL_DONE,
    COL_ROWS, /* numbers from here */
    COL_COLS,
    COL_M,
    COL_K,
    COL_N,
    COL_QUEUE_DEPTH,
    COL_OVERHEAD,
    COL_LATENCY,
    COL_BURST,
    COL_BYTES,
    COL_GAP,
    COL_ENGINE_BYTES,
    COL_ENGINES,
    COL_VECTOR_STARTUP,
    COL_VECTOR_LANES,
    COL_CYCLES, /* figures from here */
    COL_BUSY_ARRAY,
    COL_BUSY_VECTOR,
    COL_BUSY_LOAD0,
    COL_BUSY_LOAD1,
    COL_BUSY_LOAD_C,
    COL_BUSY_STORE,
    COLUMNS,
    NUMBERS = COL_CYCLES - COL_ROWS,
    FIGURES = COLUMNS - COL_CYCLES
};
static const struct sy_suite_column column_names[COLUMNS] = {
    [COL_SCENARIO] = {"scenario", true, -1},
    [COL_DATAFLOW] = {"dataflow", true, -1},
    [COL_ARRAY] = {"array", false, -1},
    [COL_CHIP] = {"chip", false, -1},
    [COL_SCHEDULE] = {"schedule", false, -1},
    [COL_MEMORY] = {"memory", true, -1},
    [COL_COMMANDS] = {"commands", false, -1},
    [COL_START] = {"start", false, -1},
    [COL_STREAMED] = {"streamed", false, -1},
    [COL_DONE] = {"done", false, -1},
    [COL_ROWS] = {"rows", false, -1},
    [COL_COLS] = {"cols", false, -1},
    [COL_M] = {"m", false, -1},
    [COL_K] = {"k", false, -1},
    [COL_N] = {"n", false, -1},
    [COL_QUEUE_DEPTH] = {"queue_depth", false, -1},
    [COL_OVERHEAD] = {"overhead", false, -1},
    [COL_LATENCY] = {"latency", false, -1},
    [COL_BURST] = {"burst", false, -1},
    [COL_BYTES] = {"bytes", false, -1},
    [COL_GAP] = {"gap", false, -1},
    [COL_ENGINE_BYTES] = {"engine_bytes", false, -1},
    [COL_ENGINES] = {"engines", false, -1},
    [COL_VECTOR_STARTUP] = {"vector_startup", false, -1},
    [COL_VECTOR_LANES] = {"vector_lanes", false, -1},
    [COL_CYCLES] = {"cycles", true, -1},
    [COL_BUSY_ARRAY] = {"busy_array", false, -1},
    [COL_BUSY_VECTOR] = {"busy_vector", false, -1},
    [COL_BUSY_LOAD0] = {"busy_load0", false, -1},
    [COL_BUSY_LOAD1] = {"busy_load1", false, -1},
    [COL_BUSY_LOAD_C] = {"busy_load_c", false, -1},
    [COL_BUSY_STORE] = {"busy_store", false, -1},
};

/* How the word in column `memory` is said in a chip file. */
static const struct memory_word {
    const char *word, *kind;
    enum sy_memory_mode mode;
} memory_words[] = {
    {"bus", "dram", SY_MEMORY_SHARED},  {"channels", "host", SY_MEMORY_SHARED},
    {"ports", "dram", SY_MEMORY_IDEAL}, {"shared", NULL, SY_MEMORY_SHARED}, /* of a chip file */
    {"ideal", NULL, SY_MEMORY_IDEAL},
};

struct machine {
    struct sy_suite_context *context;
    struct sy_suite_column column[COLUMNS];
};

/* One row: its texts and numbers by column, and what one kernel did. */
struct machine_row {
    const struct sy_csv_row *csv;
    const char *text[COL_ROWS];
    uint64_t number[NUMBERS];
    const struct memory_word *memory;
    uint64_t commands;
    uint64_t time[3][MAX_COMMANDS]; /* start, streamed, done */
};

static uint64_t number_of(const struct machine_row *row, enum column column)
{
    return row->number[column - COL_ROWS];
}

static struct sy_where where_of(const struct machine *machine, const struct machine_row *row, enum column column)
{
    return sy_suite_where(machine->context, row->csv, &machine->column[column]);
}

static enum sy_status read_row(struct machine *machine, struct machine_row *row)
{
    enum sy_status status = SY_OK;
    for (int i = 0; i < COL_ROWS; i++) {
        row->text[i] = sy_suite_text(machine->context, row->csv, &machine->column[i]);
    }
    bool from_file = row->text[COL_CHIP][0] != '\0';
    for (int i = 0; i < NUMBERS && status == SY_OK && !from_file; i++) {
        status = sy_suite_u64(machine->context, row->csv, &machine->column[COL_ROWS + i], &row->number[i], NULL);
    }
    for (size_t i = 0; i < sizeof memory_words / sizeof memory_words[0]; i++) {
        bool usable = from_file == (memory_words[i].kind == NULL);
        if (usable && strcmp(row->text[COL_MEMORY], memory_words[i].word) == 0) {
            row->memory = &memory_words[i];
        }
    }
    if (status == SY_OK && row->memory == NULL) {
        return sy_error(machine->context->diag, where_of(machine, row, COL_MEMORY), NULL, "memory is '%s'; expected %s",
                        row->text[COL_MEMORY], from_file ? "shared or ideal" : "bus, channels or ports");
    }
    if (status == SY_OK && !from_file &&
        (number_of(row, COL_GAP) == 0 || number_of(row, COL_BYTES) % number_of(row, COL_GAP) != 0)) {
        return sy_error(machine->context->diag, where_of(machine, row, COL_GAP), NULL,
                        "gap is %llu; expected a divisor of bytes, which is %llu",
                        (unsigned long long)number_of(row, COL_GAP), (unsigned long long)number_of(row, COL_BYTES));
    }
    return status;
}

/* ---- the row as a chip file and a layer trace ---- */

static void put_chip(const struct machine_row *row, struct sy_buf *out)
{
    const char *array = row->text[COL_ARRAY];
    sy_buf_printf(out,
                  "name: machine\ndescription: a machine of a validation row\nsource: tests/rtl\nconfidence: verified\n"
                  "technology: {node: 28 nm}\nclocks: {core: 1 GHz}\ncores: 1\ncore:\n  array:\n"
                  "    rows: %llu\n    cols: %llu\n    count: 1\n    dataflows: [%s]\n"
                  "    precisions: [{a: int8, b: int8, accumulator: int32, rate: 1}]\n    timing: %s%s\n",
                  (unsigned long long)number_of(row, COL_ROWS), (unsigned long long)number_of(row, COL_COLS),
                  row->text[COL_DATAFLOW], array[0] ? array : "systole-", array[0] ? "" : row->text[COL_DATAFLOW]);
    sy_buf_printf(out,
                  "  vector: {lanes: %llu, simple_cycles: 1, transcendental_cycles: 1, reduce_cycles: 1,"
                  " startup: %llu cycles, follows_array: false, fuses_epilogue: false}\n"
                  "  dma: {engines: %llu, shared_load_store: false, overhead: %llu cycles, queue_depth: %llu",
                  (unsigned long long)number_of(row, COL_VECTOR_LANES),
                  (unsigned long long)number_of(row, COL_VECTOR_STARTUP),
                  (unsigned long long)number_of(row, COL_ENGINES), (unsigned long long)number_of(row, COL_OVERHEAD),
                  (unsigned long long)number_of(row, COL_QUEUE_DEPTH));
    if (number_of(row, COL_ENGINE_BYTES) > 0) {
        sy_buf_printf(out, ", bandwidth: %llu B/cycle", (unsigned long long)number_of(row, COL_ENGINE_BYTES));
    }
    sy_buf_printf(out,
                  "}\nmemory:\n"
                  "  - {name: accumulator, kind: sram, holds: [C], capacity: 1 GiB, accumulates: true, depth: 2}\n"
                  "  - {name: scratchpad, kind: sram, holds: [A, B], capacity: 1 GiB, depth: 2}\n"
                  "  - {name: memory, kind: %s, holds: [A, B, C], bandwidth: %llu B/cycle, latency: %llu ns,"
                  " burst: %llu B}\n",
                  row->memory->kind, (unsigned long long)(number_of(row, COL_BYTES) / number_of(row, COL_GAP)),
                  (unsigned long long)number_of(row, COL_LATENCY), (unsigned long long)number_of(row, COL_BURST));
}

/* The trace of one layer with its commands; their number goes into the row. */
static void put_trace(struct machine_row *row, struct sy_buf *out)
{
    sy_buf_printf(out, "systole-trace 1\ngemm layer m=%llu k=%llu n=%llu\n", (unsigned long long)number_of(row, COL_M),
                  (unsigned long long)number_of(row, COL_K), (unsigned long long)number_of(row, COL_N));
    row->commands = 0;
    for (const char *at = row->text[COL_COMMANDS]; *at != '\0';) {
        size_t length = strcspn(at, ";");
        sy_buf_printf(out, "%.*s\n", (int)length, at);
        row->commands++;
        at += length + (at[length] == ';');
    }
    sy_buf_printf(out, "end %llu\n", (unsigned long long)row->commands + 1);
}

/* ---- running it ---- */

static void note_span(void *context, const struct sy_span *span, const char *layer_name)
{
    struct machine_row *row = context;
    (void)layer_name;
    row->commands = span->command >= row->commands ? span->command + 1 : row->commands;
    if (span->command < MAX_COMMANDS) {
        row->time[0][span->command] = span->start;
        row->time[1][span->command] = span->end;
        row->time[2][span->command] = span->done;
    }
}

/* Where a schedule comes from: text, or a file. */
struct schedule {
    const char *path;
    struct sy_buf text; /* empty: read the file */
};

static enum sy_status run_kernel(struct machine *machine, struct machine_row *row, const struct sy_chip *chip,
                                 const struct schedule *schedule, enum sck_backend kernel, struct sy_result **result)
{
    struct sy_trace_reader *reader = NULL;
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT,
                                        .memory = row->memory->mode,
                                        .kernel = kernel,
                                        .data_dir = machine->context->options->data_dir,
                                        .span = note_span,
                                        .span_context = row};
    memset(row->time, 0, sizeof row->time);
    enum sy_status status =
        sy_trace_open(schedule->path, schedule->text.data, schedule->text.length, &reader, machine->context->diag);
    if (status == SY_OK) {
        status = sy_replay(chip, reader, NULL, &options, result, machine->context->diag);
    }
    sy_trace_close(reader);
    return status;
}

static uint64_t busy_of(const struct sy_result *result, const char *name, const char *suffix)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s%s", name, suffix);
    for (uint32_t i = 0; i < result->units; i++) {
        if (strcmp(result->unit[i].name, full) == 0) {
            return result->unit[i].busy;
        }
    }
    return 0;
}

static enum sy_status fill_figures(struct machine *machine, const struct machine_row *row,
                                   const struct sy_result *result, struct sy_suite_figure figure[FIGURES])
{
    bool two = number_of(row, COL_ENGINES) > 1;
    const uint64_t actual[FIGURES] = {
        result->cycles,
        busy_of(result, "array", ""),
        busy_of(result, "vector", ""),
        busy_of(result, "load.memory>scratchpad", two ? ".0" : ""),
        two ? busy_of(result, "load.memory>scratchpad", ".1") : 0,
        busy_of(result, "load.memory>accumulator", two ? ".0" : ""),
        busy_of(result, "store.accumulator>memory", two ? ".0" : ""),
    };
    for (int i = 0; i < FIGURES; i++) {
        const struct sy_suite_column *column = &machine->column[COL_CYCLES + i];
        figure[i] = (struct sy_suite_figure){.name = column->name, .integer = true, .actual_count = actual[i]};
        enum sy_status status =
            sy_suite_u64(machine->context, row->csv, column, &figure[i].expected_count, &figure[i].blank);
        if (status != SY_OK) {
            return status;
        }
    }
    return SY_OK;
}

struct difference {
    uint64_t cycle; /* the earlier of the two, UINT64_MAX = none */
    uint64_t command, expected, actual;
    const char *point;
};

/* The earliest cycle at which one of the row's lists differs from what the kernel did. */
static enum sy_status compare_times(struct machine *machine, const struct machine_row *row, struct difference *first)
{
    for (int list = 0; list < 3; list++) {
        const char *at = row->text[COL_START + list];
        for (uint64_t command = 0; *at != '\0'; command++) {
            uint64_t expected = 0;
            size_t length = strcspn(at, " ");
            if (command >= row->commands || !sy_text_to_u64(at, length, &expected)) {
                return sy_error(machine->context->diag, where_of(machine, row, COL_START + list), NULL,
                                "column '%s' needs a cycle for each of the %llu commands, and '%.*s' is none",
                                machine->column[COL_START + list].name, (unsigned long long)row->commands, (int)length,
                                at);
            }
            uint64_t actual = row->time[list][command], earlier = expected < actual ? expected : actual;
            if (expected != actual && earlier < first->cycle) {
                *first =
                    (struct difference){earlier, command, expected, actual, machine->column[COL_START + list].name};
            }
            at += length + (at[length] == ' ');
        }
    }
    return SY_OK;
}

static enum sy_status judge_kernel(struct machine *machine, struct machine_row *row, const struct sy_chip *chip,
                                   const struct schedule *schedule, enum sck_backend kernel,
                                   struct sy_suite_figure figure[FIGURES], const char **note)
{
    struct sy_result *result = NULL;
    struct difference first = {.cycle = UINT64_MAX};
    enum sy_status status = run_kernel(machine, row, chip, schedule, kernel, &result);
    if (status == SY_OK && row->commands > MAX_COMMANDS) {
        status = sy_error(machine->context->diag, where_of(machine, row, COL_COMMANDS), NULL,
                          "the schedule has %llu commands; expected at most %d", (unsigned long long)row->commands,
                          MAX_COMMANDS);
    }
    if (status == SY_OK) {
        status = fill_figures(machine, row, result, figure);
    }
    if (status == SY_OK) {
        status = compare_times(machine, row, &first);
    }
    sy_result_destroy(result);
    for (int i = 0; i < FIGURES && *note == NULL && status == SY_OK && first.cycle == UINT64_MAX; i++) {
        if (!figure[i].blank && figure[i].expected_count != figure[i].actual_count) {
            *note = sy_arena_printf(machine->context->arena, "%s is %llu, modelled %llu", figure[i].name,
                                    (unsigned long long)figure[i].expected_count,
                                    (unsigned long long)figure[i].actual_count);
        }
    }
    if (first.cycle != UINT64_MAX && *note == NULL) {
        *note =
            sy_arena_printf(machine->context->arena, "first difference: command %llu, %s in cycle %llu, modelled %llu",
                            (unsigned long long)first.command, first.point, (unsigned long long)first.expected,
                            (unsigned long long)first.actual);
    }
    return status;
}

/* A path of the row, from the folder of its table. */
static const char *beside_table(const struct machine *machine, const char *path)
{
    const char *table = machine->context->table->file, *slash = strrchr(table, '/');
    if (path[0] == '/' || slash == NULL) {
        return path;
    }
    return sy_arena_printf(machine->context->arena, "%.*s/%s", (int)(slash - table), table, path);
}

static enum sy_status make_chip(struct machine *machine, const struct machine_row *row, struct sy_chip **chip)
{
    struct sy_suite_context *context = machine->context;
    struct sy_chip_options options = {.data_dir = context->options->data_dir};
    struct sy_buf text = {0};
    if (row->text[COL_CHIP][0] != '\0') {
        const char *path = beside_table(machine, row->text[COL_CHIP]);
        return path ? sy_chip_load(path, &options, chip, context->diag) : SY_NOMEM;
    }
    put_chip(row, &text);
    enum sy_status status = sy_chip_parse(text.data, text.length, "machine.yaml", &options, chip, context->diag);
    sy_buf_free(&text);
    return status;
}

static enum sy_status judge_row(struct machine *machine, struct machine_row *row)
{
    struct sy_suite_context *context = machine->context;
    struct sy_chip *chip = NULL;
    struct schedule schedule = {.path = "machine"};
    struct sy_suite_figure figure[FIGURES] = {{0}};
    const char *note = NULL;
    enum sy_status status = make_chip(machine, row, &chip);
    if (row->text[COL_SCHEDULE][0] != '\0') {
        schedule.path = beside_table(machine, row->text[COL_SCHEDULE]);
    } else {
        put_trace(row, &schedule.text);
    }
    if (status == SY_OK) {
        status = schedule.path ? judge_kernel(machine, row, chip, &schedule, SCK_HEAP, figure, &note) : SY_NOMEM;
    }
    if (status == SY_OK) {
        status = judge_kernel(machine, row, chip, &schedule, SCK_SYSTEMC, figure, &note);
    }
    sy_chip_destroy(chip);
    sy_buf_free(&schedule.text);
    if (status != SY_OK) {
        (void)sy_error(context->diag, where_of(machine, row, COL_SCENARIO), NULL, "the row's machine could not be run");
        return status;
    }
    char group[64];
    (void)snprintf(group, sizeof group, "%s %s", row->text[COL_DATAFLOW], row->text[COL_SCENARIO]);
    struct sy_suite_row result = {
        .line = row->csv->line, .group = group, .figure = figure, .figures = FIGURES, .note = note};
    return sy_suite_add(context, &result);
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct machine *machine = sy_arena_alloc(context->arena, sizeof *machine);
    struct machine_row *row = sy_arena_alloc(context->arena, sizeof *row);
    if (machine == NULL || row == NULL) {
        return SY_NOMEM;
    }
    machine->context = context;
    memcpy(machine->column, column_names, sizeof column_names);
    enum sy_status status = sy_suite_columns(context, machine->column, COLUMNS);
    for (size_t i = 1; i < context->table->rows && status == SY_OK; i++) {
        memset(row, 0, sizeof *row);
        row->csv = &context->table->row[i];
        if (sy_suite_row_is_blank(row->csv)) {
            continue;
        }
        status = read_row(machine, row);
        if (status == SY_OK) {
            status = judge_row(machine, row);
        }
    }
    return status;
}

static const char *const tables[] = {"machine_rtl.csv", NULL};

const struct sy_suite sy_suite_machine = {
    .name = "machine",
    .doc = "Cycles of the composed machine against the RTL of tests/rtl.",
    .figure = "cycles",
    .tables = tables,
    .run = run,
};
