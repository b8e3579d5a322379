/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite rtl: cycles of real arrays, simulated from their RTL.
 *
 * A row names a design, a GEMM and how a testbench drove it; the design's file
 * of arch/arrays plus the options of the row go into the closed forms. Columns:
 * design, dataflow, rows, cols, M, K, N (of the whole run), tiles, mode, cycles
 * and, when present, double_buffered, placement, cycles_incl_preload,
 * first_result_cycle. `design` is a name of the table below, a name of
 * arch/arrays or a path to such a file; `mode` holds words of the table below
 * and KEY=VALUE for any key of an array file.
 *
 * Where it is small enough the row also runs with every register stepped; it is
 * exact only when those cycles are the same and the products are right.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sim/base/checked.h"
#include "sim/engine/array_cycle.h"
#include "sim/validate/suite.h"

/* Names of designs in measured tables, and the file with their parameters. */
static const struct {
    const char *measured, *file;
} designs[] = {
    {"scalesim_rtl_8bit_MAC", "scalesim-rtl"},
    {"axis_sa", "axis-sa"},
    {"gemmini_generated_mesh_8x8_2021", "gemmini-os-mesh"},
    {"gemmini_dropin_ws_mesh", "dropin-ws-mesh"},
};

/* What a word of `mode` does. A word ending in '=' or '_' here is followed by a number. */
enum mode_target { MODE_NOTHING, MODE_KEY, MODE_CHAIN, MODE_INTERVAL, MODE_GAP, MODE_SINK, MODE_FAILS };
static const struct mode_word {
    const char *word;
    enum mode_target target;
    const char *key, *value; /* MODE_KEY; value NULL = the number that follows */
} mode_words[] = {
    {"single", MODE_NOTHING, NULL, NULL},
    {"back_to_back", MODE_NOTHING, NULL, NULL},
    {"chain_psum_from_top", MODE_CHAIN, NULL, NULL},
    {"rst", MODE_KEY, "os_restart", "clear"},
    {"runsum", MODE_KEY, "os_restart", "running_sum"},
    {"LM=", MODE_KEY, "multiply_cycles", NULL},
    {"LA=", MODE_KEY, "accumulate_cycles", NULL},
    {"II=", MODE_INTERVAL, NULL, NULL},
    {"feeder_gap_every_", MODE_GAP, NULL, NULL},
    {"m_ready_low_every_other", MODE_SINK, NULL, NULL},
    {"FAIL", MODE_FAILS, NULL, NULL},
};

enum column {
    COL_DESIGN,
    COL_DATAFLOW,
    COL_ROWS,
    COL_COLS,
    COL_M,
    COL_K,
    COL_N,
    COL_TILES,
    COL_MODE,
    COL_CYCLES,
    COL_DOUBLE_BUFFERED,
    COL_PLACEMENT,
    COL_INCL_PRELOAD,
    COL_FIRST_RESULT,
    COLUMNS
};
static const struct sy_suite_column column_names[COLUMNS] = {
    {"design", true, -1},
    {"dataflow", true, -1},
    {"rows", true, -1},
    {"cols", true, -1},
    {"M", true, -1},
    {"K", true, -1},
    {"N", true, -1},
    {"tiles", true, -1},
    {"mode", true, -1},
    {"cycles", true, -1},
    {"double_buffered", false, -1},
    {"placement", false, -1},
    {"cycles_incl_preload", false, -1},
    {"first_result_cycle", false, -1},
};

enum { MAX_DESIGNS = 64 };
struct rtl {
    struct sy_suite_context *context;
    struct sy_suite_column column[COLUMNS];
    const char *design[MAX_DESIGNS]; /* loaded so far */
    struct sy_array_timing timing[MAX_DESIGNS];
    size_t designs;
};

/* One row, understood. */
struct rtl_row {
    const struct sy_csv_row *csv;
    const char *design;
    struct sy_array_timing timing;
    struct sy_array_schedule schedule;
    bool fails;
};

static struct sy_where where_of(const struct rtl *rtl, const struct rtl_row *row, enum column column)
{
    return sy_suite_where(rtl->context, row->csv, &rtl->column[column]);
}

static enum sy_status find_design(struct rtl *rtl, struct rtl_row *row)
{
    for (size_t i = 0; i < rtl->designs; i++) {
        if (strcmp(rtl->design[i], row->design) == 0) {
            row->timing = rtl->timing[i];
            return SY_OK;
        }
    }
    const char *file = row->design;
    for (size_t i = 0; i < sizeof designs / sizeof designs[0]; i++) {
        if (strcmp(designs[i].measured, row->design) == 0) {
            file = designs[i].file;
        }
    }
    struct sy_array_file array;
    enum sy_status status =
        sy_array_file_load(rtl->context->arena, file, rtl->context->options->data_dir, &array, rtl->context->diag);
    if (status != SY_OK) {
        (void)sy_error(rtl->context->diag, where_of(rtl, row, COL_DESIGN),
                       "use a name of arch/arrays or the path of an array file", "no array file for design '%s'",
                       row->design);
        return status;
    }
    if (rtl->designs < MAX_DESIGNS) {
        rtl->design[rtl->designs] = row->design;
        rtl->timing[rtl->designs++] = array.timing;
    }
    row->timing = array.timing;
    return SY_OK;
}

static enum sy_status set_key(struct rtl *rtl, struct rtl_row *row, const char *key, const char *value)
{
    return sy_array_key_set(&row->timing, sy_array_key_find(key), value, where_of(rtl, row, COL_MODE),
                            rtl->context->diag);
}

static enum sy_status apply_word(struct rtl *rtl, struct rtl_row *row, const struct mode_word *known,
                                 const char *number_text)
{
    uint64_t number = 0;
    if (number_text[0] != '\0' && !sy_text_to_u64(number_text, strlen(number_text), &number)) {
        return sy_error(rtl->context->diag, where_of(rtl, row, COL_MODE), NULL,
                        "'%s' in mode is followed by '%s'; expected a whole number", known->word, number_text);
    }
    switch (known->target) {
    case MODE_NOTHING:
        return SY_OK;
    case MODE_KEY:
        return set_key(rtl, row, known->key, known->value ? known->value : number_text);
    case MODE_CHAIN:
        row->schedule.chain = true;
        return set_key(rtl, row, "partial_sums", "top_port");
    case MODE_INTERVAL:
        row->schedule.tile_interval = number;
        return SY_OK;
    case MODE_GAP:
        row->schedule.feeder_gap_every = number;
        row->schedule.feeder_gap_cycles = 1;
        return SY_OK;
    case MODE_SINK:
        row->schedule.sink_low_cycles = 1;
        return SY_OK;
    case MODE_FAILS:
        row->fails = true;
        return SY_OK;
    }
    return SY_INTERNAL;
}

static enum sy_status mode_word(struct rtl *rtl, struct rtl_row *row, char *word)
{
    const char *names[sizeof mode_words / sizeof mode_words[0]];
    uint64_t count = 0;
    for (; count < sizeof mode_words / sizeof mode_words[0]; count++) {
        const struct mode_word *known = &mode_words[count];
        size_t length = strlen(known->word);
        bool numbered = strchr("=_", known->word[length - 1]) != NULL;
        names[count] = known->word;
        if (strncmp(word, known->word, length) == 0 && (numbered ? word[length] != '\0' : word[length] == '\0')) {
            return apply_word(rtl, row, known, word + length);
        }
    }
    char *equals = strchr(word, '=');
    if (equals != NULL) {
        *equals = '\0';
        if (sy_array_key_find(word) != NULL) {
            return set_key(rtl, row, word, equals + 1);
        }
        *equals = '=';
    }
    const char *near = sy_nearest(word, names, count);
    return sy_error(rtl->context->diag, where_of(rtl, row, COL_MODE), near, "unknown word '%s' in mode", word);
}

static enum sy_status apply_mode(struct rtl *rtl, struct rtl_row *row)
{
    const char *text = sy_suite_text(rtl->context, row->csv, &rtl->column[COL_MODE]);
    char *words = sy_arena_strdup(rtl->context->arena, text);
    if (words == NULL) {
        return SY_NOMEM;
    }
    enum sy_status status = SY_OK;
    char *rest = NULL;
    for (char *word = strtok_r(words, " ;", &rest); word != NULL && status == SY_OK;
         word = strtok_r(NULL, " ;", &rest)) {
        status = mode_word(rtl, row, word);
    }
    return status;
}

static enum sy_status apply_columns(struct rtl *rtl, struct rtl_row *row)
{
    const char *placement = sy_suite_text(rtl->context, row->csv, &rtl->column[COL_PLACEMENT]);
    if (strcasecmp(placement, "bottom") == 0) {
        row->timing.row_placement = SY_ROWS_BOTTOM;
    } else if (strcasecmp(placement, "top") == 0) {
        row->timing.row_placement = SY_ROWS_TOP;
    }
    const char *buffered = sy_suite_text(rtl->context, row->csv, &rtl->column[COL_DOUBLE_BUFFERED]);
    if (strncasecmp(buffered, "no", 2) == 0 && row->timing.weight_load == SY_LOAD_DOUBLE_BUFFERED) {
        row->timing.weight_load = SY_LOAD_SEPARATE_WIRES; /* the shadow registers are there but not used */
    }
    return SY_OK;
}

/* Whole-run dimensions to those of one tile. */
static enum sy_status divide_tiles(struct rtl *rtl, struct rtl_row *row)
{
    struct sy_array_schedule *s = &row->schedule;
    uint64_t *size = s->chain ? &s->k : &s->n;
    enum column column = s->chain ? COL_K : COL_N;
    if (s->tiles == 0 || *size % s->tiles != 0) {
        return sy_error(rtl->context->diag, where_of(rtl, row, column), NULL,
                        "%s is %llu, which is not a multiple of the %llu tiles", rtl->column[column].name,
                        (unsigned long long)*size, (unsigned long long)s->tiles);
    }
    *size /= s->tiles;
    return SY_OK;
}

static enum sy_status read_row(struct rtl *rtl, struct rtl_row *row)
{
    struct sy_array_schedule *s = &row->schedule;
    const struct {
        enum column column;
        uint64_t *value;
    } numbers[] = {{COL_ROWS, &s->rows}, {COL_COLS, &s->cols}, {COL_M, &s->m},
                   {COL_K, &s->k},       {COL_N, &s->n},       {COL_TILES, &s->tiles}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        enum sy_status status =
            sy_suite_u64(rtl->context, row->csv, &rtl->column[numbers[i].column], numbers[i].value, NULL);
        if (status != SY_OK) {
            return status;
        }
    }
    const char *dataflow = sy_suite_text(rtl->context, row->csv, &rtl->column[COL_DATAFLOW]);
    if (!sy_dataflow_parse(dataflow, &s->dataflow)) {
        return sy_error(rtl->context->diag, where_of(rtl, row, COL_DATAFLOW), NULL,
                        "dataflow is '%s'; expected os, ws or is", dataflow);
    }
    row->design = sy_suite_text(rtl->context, row->csv, &rtl->column[COL_DESIGN]);
    enum sy_status status = find_design(rtl, row);
    status = status == SY_OK ? apply_columns(rtl, row) : status;
    status = status == SY_OK ? apply_mode(rtl, row) : status;
    status = status == SY_OK ? divide_tiles(rtl, row) : status;
    if (status == SY_OK) {
        status = sy_array_timing_check(&row->timing, where_of(rtl, row, COL_MODE), rtl->context->diag);
    }
    return status;
}

/* Registers stepped for one row at most; larger rows use the closed forms alone. */
static const uint64_t MAX_STEPS = 20000000;

/* The row on the register-stepping array: NULL when it agrees, else what differs. */
static const char *step(struct rtl *rtl, const struct rtl_row *row, enum sy_status expected,
                        const struct sy_array_cycles *cycles)
{
    const struct sy_array_schedule *s = &row->schedule;
    struct sy_array_cycles stepped;
    bool right = true;
    uint64_t steps;
    if (!sy_mul3(s->rows, s->cols, expected == SY_OK ? cycles->cycles_incl_preload : 1, &steps) || steps > MAX_STEPS) {
        return NULL;
    }
    enum sy_status status = sy_array_schedule_step(&row->timing, s, SY_INT8, row->csv->line, &stepped, &right);
    if (expected != SY_OK) {
        return status == SY_UNSUPPORTED ? NULL : "refused, but the stepped array ran it";
    }
    if (status != SY_OK) {
        return sy_arena_printf(rtl->context->arena, "the stepped array fails: %s",
                               stepped.refusal[0] ? stepped.refusal : sy_status_text(status));
    }
    if (stepped.cycles != cycles->cycles || stepped.lead_cycles != cycles->lead_cycles ||
        stepped.first_result_cycle != cycles->first_result_cycle) {
        return sy_arena_printf(rtl->context->arena,
                               "the stepped array takes %llu + %llu cycles, the closed form %llu + %llu",
                               (unsigned long long)stepped.lead_cycles, (unsigned long long)stepped.cycles,
                               (unsigned long long)cycles->lead_cycles, (unsigned long long)cycles->cycles);
    }
    return right ? NULL : "the stepped array's products are wrong";
}

static enum sy_status replay(struct rtl *rtl, struct rtl_row *row)
{
    struct sy_array_cycles cycles;
    enum sy_status status = sy_array_schedule_cycles(&row->timing, &row->schedule, &cycles);
    if (status != SY_OK && status != SY_UNSUPPORTED) {
        const char *why = cycles.refusal[0] ? cycles.refusal : sy_status_text(status);
        return sy_error(rtl->context->diag, where_of(rtl, row, COL_ROWS), NULL, "%s", why);
    }
    struct sy_suite_figure figures[] = {
        {.name = "cycles", .integer = true, .actual_count = cycles.cycles},
        {.name = "cycles_incl_preload", .integer = true, .actual_count = cycles.cycles_incl_preload},
        {.name = "first_result_cycle", .integer = true, .actual_count = cycles.first_result_cycle},
    };
    const enum column columns[] = {COL_CYCLES, COL_INCL_PRELOAD, COL_FIRST_RESULT};
    for (size_t i = 0; i < 3; i++) {
        enum sy_status read = sy_suite_u64(rtl->context, row->csv, &rtl->column[columns[i]], &figures[i].expected_count,
                                           &figures[i].blank);
        if (read != SY_OK) {
            return read;
        }
    }
    const char *differs = step(rtl, row, status, &cycles);
    char group[96];
    (void)snprintf(group, sizeof group, "%s %s", row->design, sy_dataflow_name(row->schedule.dataflow));
    struct sy_suite_row result = {.line = row->csv->line,
                                  .group = group,
                                  .expects_refusal = row->fails,
                                  .refusal = status == SY_UNSUPPORTED ? cycles.refusal : NULL,
                                  .figure = figures,
                                  .figures = 3,
                                  .note = differs};
    return sy_suite_add(rtl->context, &result);
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct rtl *rtl = sy_arena_alloc(context->arena, sizeof *rtl);
    if (rtl == NULL) {
        return SY_NOMEM;
    }
    rtl->context = context;
    memcpy(rtl->column, column_names, sizeof column_names);
    enum sy_status status = sy_suite_columns(context, rtl->column, COLUMNS);
    for (size_t i = 1; i < context->table->rows && status == SY_OK; i++) {
        struct rtl_row row = {.csv = &context->table->row[i]};
        if (sy_suite_row_is_blank(row.csv)) {
            continue;
        }
        status = read_row(rtl, &row);
        if (status == SY_OK) {
            status = replay(rtl, &row);
        }
    }
    return status;
}

static const char *const tables[] = {"rtl_cycles.csv", NULL};

const struct sy_suite sy_suite_rtl = {
    .name = "rtl",
    .doc = "Array cycles against RTL simulations of four designs.",
    .figure = "cycles",
    .tables = tables,
    .run = run,
};
