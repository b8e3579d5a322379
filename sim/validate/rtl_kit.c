/* SPDX-License-Identifier: Apache-2.0 */
/* See rtl_kit.h. Run -> schedule read back -> tiles stepped -> words sorted by cycle -> files. */
#include "sim/validate/rtl_kit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/replay.h"
#include "sim/validate/rtl_kit_files.h"

enum { DEFAULT_TILES = 64 };

/* A command of the run: when it was taken up, had read its operands and was done. */
struct moment {
    uint64_t start, streamed, done;
};

struct word {
    uint64_t cycle, order; /* order: as told, so that the sort is stable */
    uint64_t command;
    struct sy_cycle_port_word at;
};

struct kit {
    const struct sy_chip *chip;
    const struct sy_rtl_kit_options *options;
    struct sy_diag *diag;
    struct moment *moment;
    uint64_t commands, command_room;
    struct word *word;
    uint64_t words, word_room;
    uint64_t state;
    uint64_t tiles, cycles;
    /* the tile being stepped */
    uint64_t command, tile_first, first_beat;
    struct sy_row_window window; /* of the convolution it belongs to, or empty */
    enum sy_dtype format;
    bool full;
    struct sy_buf inputs, outputs, schedule, measured;
};

static uint64_t next_random(struct kit *kit)
{
    kit->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = kit->state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* ---- the run ---- */

static void note_span(void *context, const struct sy_span *span, const char *layer_name)
{
    struct kit *kit = context;
    (void)layer_name;
    if (span->command >= kit->command_room) {
        uint64_t room = sy_max(kit->command_room * 2, span->command + 1024);
        struct moment *grown = realloc(kit->moment, room * sizeof *grown);
        if (!grown) {
            kit->full = true;
            return;
        }
        memset(&grown[kit->command_room], 0, (room - kit->command_room) * sizeof *grown);
        kit->moment = grown;
        kit->command_room = room;
    }
    kit->moment[span->command] = (struct moment){span->start, span->end, span->done};
    kit->commands = sy_max(kit->commands, span->command + 1);
}

static enum sy_status run(struct kit *kit, struct sy_trace_reader *reader, const char *schedule)
{
    struct sy_result *result = NULL;
    struct sy_replay_options replay = {.fidelity = SY_FIDELITY_EVENT,
                                       .memory = kit->options->memory,
                                       .kernel = SCK_HEAP,
                                       .emit_schedule = schedule,
                                       .data_dir = kit->options->data_dir,
                                       .span = note_span,
                                       .span_context = kit};
    enum sy_status status = sy_replay(kit->chip, reader, NULL, &replay, &result, kit->diag);
    if (status == SY_OK)
        kit->cycles = result->cycles;
    sy_result_destroy(result);
    return status == SY_OK && kit->full ? SY_NOMEM : status;
}

/* ---- stepping a tile ---- */

static void note_word(void *context, const struct sy_cycle_port_word *at)
{
    struct kit *kit = context;
    if (kit->words == kit->word_room) {
        uint64_t room = sy_max(kit->word_room * 2, 4096);
        struct word *grown = room <= SY_KIT_MAX_WORDS ? realloc(kit->word, room * sizeof *grown) : NULL;
        if (!grown) {
            kit->full = true;
            return;
        }
        kit->word = grown;
        kit->word_room = room;
    }
    if (at->port == SY_PORT_LEFT && at->fold == 0 && at->index == 0)
        kit->first_beat = sy_min(kit->first_beat, at->period);
    kit->word[kit->words] = (struct word){at->period, kit->words, kit->command, *at};
    kit->words++;
}

/* Periods of the tile's words, counted from its first beat, become cycles of the run. */
static void place_words(struct kit *kit, uint64_t start)
{
    for (uint64_t i = kit->tile_first; i < kit->words; i++)
        kit->word[i].cycle = start + kit->word[i].at.period - kit->first_beat;
}

static enum sy_status step(struct kit *kit, const struct sy_command *command, const struct sy_array_tile *tile,
                           uint64_t start)
{
    const struct sy_array *array = &kit->chip->array;
    uint64_t m = command->u.matmul.m, k = command->u.matmul.k, n = command->u.matmul.n;
    struct sy_cycle_job job = {.timing = &array->timing,
                               .dataflow = array->dataflow[command->u.matmul.dataflow].kind,
                               .rows = array->rows,
                               .cols = array->cols,
                               .format = kit->format,
                               .m = m,
                               .k = k,
                               .n = n,
                               .port = note_word,
                               .port_ctx = kit};
    struct sy_cycle_result result = {0};
    struct sy_cycle_fold *fold = NULL;
    union sy_number *a = calloc(m * k, sizeof *a), *b = calloc(k * n, sizeof *b), *c = calloc(m * n, sizeof *c);
    enum sy_status status = a && b && c ? SY_OK : SY_NOMEM;
    for (uint64_t i = 0; status == SY_OK && i < m * k; i++)
        a[i] = sy_number_from(kit->format, (double)(next_random(kit) % 255) - 127);
    for (uint64_t i = 0; status == SY_OK && i < k * n; i++)
        b[i] = sy_number_from(kit->format, (double)(next_random(kit) % 255) - 127);
    job.a = a;
    job.b = b;
    job.c = c;
    if (status == SY_OK)
        status =
            sy_cycle_folds_of_cut(job.timing, job.dataflow, job.rows, job.cols, m, &tile->cut, n, &fold, &job.folds);
    job.fold = fold;
    kit->tile_first = kit->words;
    kit->first_beat = UINT64_MAX;
    if (status == SY_OK && (status = sy_array_cycle_run(&job, &result)) != SY_OK)
        sy_error(kit->diag, SY_NOWHERE, NULL, "the array cannot run command %llu step by step: %s",
                 (unsigned long long)kit->command, result.problem[0] ? result.problem : sy_status_text(status));
    if (status == SY_OK)
        place_words(kit, start);
    free(a);
    free(b);
    free(c);
    free(fold);
    return status;
}

/* The formats a tile runs in; only where one PE does one multiplication a cycle do ports carry one word a lane. */
static enum sy_status take_format(struct kit *kit, const struct sy_command *command)
{
    const struct sy_precision *precision =
        sy_chip_precision(kit->chip, (enum sy_dtype)command->u.matmul.a, (enum sy_dtype)command->u.matmul.b);
    if (!precision || precision->macs_num != precision->macs_den || precision->a != precision->b ||
        !sy_number_supported(precision->a))
        return sy_error(kit->diag, SY_NOWHERE, "choose a layer in a format the array multiplies once a PE a cycle",
                        "%s by %s cannot be written port by port on chip %s", sy_dtypes[command->u.matmul.a].name,
                        sy_dtypes[command->u.matmul.b].name, kit->chip->name),
               SY_UNSUPPORTED;
    kit->format = precision->a;
    return SY_OK;
}

static enum sy_status step_command(struct kit *kit, const struct sy_command *command)
{
    uint64_t start = kit->moment[kit->command].start;
    struct sy_array_tile tile;
    enum sy_status status = take_format(kit, command);
    kit->window.into = command->u.matmul.into;
    if (status == SY_OK)
        status = sy_array_tile_of_groups(kit->chip, command->u.matmul.dataflow, &kit->window, command->u.matmul.m,
                                         command->u.matmul.k, command->u.matmul.n, command->u.matmul.repeat,
                                         (enum sy_dtype)command->u.matmul.a, (enum sy_dtype)command->u.matmul.b,
                                         command->u.matmul.accumulate, &tile);
    uint64_t distance =
        status == SY_OK ? tile.run.occupancy_cycles + tile.gap.preload_cycles + tile.gap.output_cycles : 0;
    for (uint64_t i = 0; i < command->u.matmul.repeat && status == SY_OK; i++) {
        status = step(kit, command, &tile, start + i / tile.side * distance);
        if (status == SY_OK && kit->full) {
            sy_error(kit->diag, SY_NOWHERE, "ask for fewer tiles (--tiles), or a smaller layer",
                     "the tiles put more than %d words on the array's ports", (int)SY_KIT_MAX_WORDS);
            status = SY_UNSUPPORTED;
        }
    }
    kit->tiles++;
    return status;
}

/* ---- the files' text ---- */

static int by_cycle(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->cycle != y->cycle)
        return x->cycle < y->cycle ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* 32 bits: two's complement, or fp32. */
static uint32_t bits_of(const struct kit *kit, union sy_number value)
{
    uint32_t bits;
    if (sy_dtypes[kit->format].is_float)
        memcpy(&bits, &value.real, sizeof bits);
    else
        bits = (uint32_t)value.integer;
    return bits;
}

static void put_words(struct kit *kit)
{
    qsort(kit->word, kit->words, sizeof *kit->word, by_cycle);
    for (uint64_t i = 0; i < kit->words; i++) {
        const struct word *word = &kit->word[i];
        const struct sy_cycle_port_word *at = &word->at;
        bool result = at->port == SY_PORT_RESULT;
        uint64_t lane = at->port == SY_PORT_LEFT ? at->row : at->col;
        if (result)
            sy_buf_printf(&kit->outputs, "%llu %llu %llu %llu %llu %llu %08x\n", (unsigned long long)word->cycle,
                          (unsigned long long)at->row, (unsigned long long)at->col, (unsigned long long)word->command,
                          (unsigned long long)at->fold, (unsigned long long)at->index, bits_of(kit, at->value));
        else
            sy_buf_printf(&kit->inputs, "%llu %d %llu %llu %llu %llu %d %08x\n", (unsigned long long)word->cycle,
                          (int)at->port, (unsigned long long)lane, (unsigned long long)word->command,
                          (unsigned long long)at->fold, (unsigned long long)at->index, at->last,
                          bits_of(kit, at->value));
    }
}

static void put_schedule(struct kit *kit, uint64_t id, const struct sy_command *command)
{
    static const char *const kinds[SY_CMD_COUNT] = {[SY_CMD_LOAD] = "load",
                                                    [SY_CMD_MATMUL] = "matmul",
                                                    [SY_CMD_VECTOR] = "vector",
                                                    [SY_CMD_STORE] = "store",
                                                    [SY_CMD_WAIT] = "wait"};
    const struct moment *moment = &kit->moment[id];
    bool tile = command->kind == SY_CMD_MATMUL;
    sy_buf_printf(
        &kit->schedule, "%llu,%s,%llu,%llu,%llu,%llu,%llu,%llu,%llu\n", (unsigned long long)id, kinds[command->kind],
        (unsigned long long)(tile ? command->u.matmul.m : 0), (unsigned long long)(tile ? command->u.matmul.k : 0),
        (unsigned long long)(tile ? command->u.matmul.n : 0), (unsigned long long)(tile ? command->u.matmul.repeat : 0),
        (unsigned long long)moment->start, (unsigned long long)moment->streamed, (unsigned long long)moment->done);
}

/* A row of the suite `machine`, to be filled with what the user's RTL does. */
static void put_measured(struct kit *kit)
{
    sy_buf_printf(
        &kit->measured,
        "scenario,dataflow,chip,memory,schedule,cycles,start,streamed,done\nkit,%s,chip.yaml,%s,schedule.slt.gz,%llu,",
        kit->chip->array.dataflow[0].name, kit->options->memory == SY_MEMORY_IDEAL ? "ideal" : "shared",
        (unsigned long long)kit->cycles);
    for (int list = 0; list < 3; list++)
        for (uint64_t id = 0; id < kit->commands; id++)
            sy_buf_printf(&kit->measured, "%llu%s",
                          (unsigned long long)(list == 0   ? kit->moment[id].start
                                               : list == 1 ? kit->moment[id].streamed
                                                           : kit->moment[id].done),
                          id + 1 < kit->commands ? " "
                          : list < 2             ? ","
                                                 : "\n");
}

/* Read the schedule back: every command with its cycles, the first matmul tiles word by word. */
static enum sy_status walk(struct kit *kit, const char *schedule)
{
    struct sy_trace_reader *reader = NULL;
    struct sy_trace_record record;
    uint64_t id = 0, most = kit->options->tiles ? kit->options->tiles : DEFAULT_TILES;
    enum sy_status status = sy_trace_open(schedule, NULL, 0, &reader, kit->diag);
    sy_buf_puts(&kit->schedule, "command,kind,m,k,n,repeat,start,streamed,done\n");
    while (status == SY_OK && (status = sy_trace_next(reader, &record)) == SY_OK && record.kind != SY_TRACE_END) {
        if (record.kind == SY_TRACE_LAYER)
            status = sy_row_window_of_layer(&record.layer, &kit->window);
        if (record.kind == SY_TRACE_COMMAND && id < kit->commands) {
            kit->command = id;
            put_schedule(kit, id, &record.command);
            if (record.command.kind == SY_CMD_MATMUL && kit->tiles < most)
                status = step_command(kit, &record.command);
            id++;
        }
    }
    sy_trace_close(reader);
    return status;
}

/* ---- files ---- */

static enum sy_status write_file(struct kit *kit, const char *name, const char *text, size_t length)
{
    struct sy_buf path = {0};
    struct sy_outfile *out = NULL;
    sy_buf_printf(&path, "%s/%s", kit->options->directory, name);
    enum sy_status status = path.data ? sy_outfile_open(path.data, &out, kit->diag) : SY_NOMEM;
    if (status == SY_OK)
        status = sy_outfile_write(out, text, length);
    if (status == SY_OK)
        status = sy_outfile_commit(out, kit->diag);
    else
        sy_outfile_abort(out);
    sy_buf_free(&path);
    return status;
}

static enum sy_status write_buf(struct kit *kit, const char *name, const struct sy_buf *buf)
{
    return write_file(kit, name, buf->data ? buf->data : "", buf->length);
}

static enum sy_status write_all(struct kit *kit)
{
    struct sy_buf size = {0};
    sy_buf_printf(&size, "`define KIT_ROWS %llu\n`define KIT_COLS %llu\n", (unsigned long long)kit->chip->array.rows,
                  (unsigned long long)kit->chip->array.cols);
    enum sy_status status = write_file(kit, "chip.yaml", kit->chip->text, strlen(kit->chip->text));
    const struct {
        const char *name;
        const struct sy_buf *text;
    } files[] = {{"inputs.txt", &kit->inputs},
                 {"outputs.txt", &kit->outputs},
                 {"schedule.csv", &kit->schedule},
                 {"measured.csv", &kit->measured},
                 {"kit_size.svh", &size}};
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == SY_OK; i++)
        status = write_buf(kit, files[i].name, files[i].text);
    for (size_t i = 0; i < sizeof sy_kit_files / sizeof sy_kit_files[0] && status == SY_OK; i++)
        status = write_file(kit, sy_kit_files[i].name, sy_kit_files[i].text, strlen(sy_kit_files[i].text));
    sy_buf_free(&size);
    return status;
}

static enum sy_status make_directory(const char *path, struct sy_diag *diag)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return SY_OK;
    sy_error(diag, ((struct sy_where){.file = path}), NULL, "cannot make the directory: %s", strerror(errno));
    return SY_IO;
}

enum sy_status sy_rtl_kit_write(const struct sy_chip *chip, struct sy_trace_reader *reader,
                                const struct sy_rtl_kit_options *options, struct sy_diag *diag)
{
    struct kit kit = {.chip = chip, .options = options, .diag = diag, .state = options->seed};
    struct sy_buf schedule = {0};
    if (options->tiles > SY_KIT_MAX_TILES) {
        sy_error(diag, SY_NOWHERE, NULL, "%llu tiles were asked for; expected at most %d",
                 (unsigned long long)options->tiles, (int)SY_KIT_MAX_TILES);
        return SY_USAGE;
    }
    if (chip->array.count != 1) {
        sy_error(diag, SY_NOWHERE, "write a chip file that inherits it and sets core.array.count to 1",
                 "chip %s has %llu arrays; a kit is for one", chip->name, (unsigned long long)chip->array.count);
        return SY_UNSUPPORTED;
    }
    enum sy_status status = make_directory(options->directory, diag);
    sy_buf_printf(&schedule, "%s/schedule.slt.gz", options->directory);
    if (status == SY_OK)
        status = schedule.data ? run(&kit, reader, schedule.data) : SY_NOMEM;
    if (status == SY_OK)
        status = walk(&kit, schedule.data);
    if (status == SY_OK) {
        put_words(&kit);
        put_measured(&kit);
        status = write_all(&kit);
    }
    free(kit.moment);
    free(kit.word);
    sy_buf_free(&kit.inputs);
    sy_buf_free(&kit.outputs);
    sy_buf_free(&kit.schedule);
    sy_buf_free(&kit.measured);
    sy_buf_free(&schedule);
    return status;
}
