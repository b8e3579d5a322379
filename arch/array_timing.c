/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of array timing keys, and everything that follows from it.
 */
#include "arch/array_timing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sim/base/text.h"

static const char *const weight_load_names[] = {"none", "shared_wires", "separate_wires", "double_buffered", NULL};
static const char *const preload_rows_names[] = {"used", "full", NULL};
static const char *const row_placement_names[] = {"top", "bottom", NULL};
static const char *const partial_sums_names[] = {"accumulator", "top_port", NULL};
static const char *const os_drain_names[] = {"operand_wires", "swap", "shift_registers", "direct", NULL};
static const char *const os_restart_names[] = {"clear", "running_sum", NULL};
static const char *const output_collision_names[] = {"refuse", "wait", NULL};
static const char *const fold_overlap_names[] = {"none", "wavefront", NULL};
static const char *const fold_order_names[] = {"columns_outer", "rows_outer", NULL};
static const char *const ragged_names[] = {"used", "padded", NULL};
static const char *const back_pressure_names[] = {"none", "freeze", "decoupled", NULL};
static const char *const first_result_names[] = {"port", "run_end", NULL};
static const char *const cycle_count_names[] = {"periods", "last_index", NULL};
static const char *const dataflow_names[SY_DATAFLOW_KINDS + 1] = {"os", "ws", "is", NULL};

#define KEY_U64(member, low, high, preset, doc)                                                                        \
    {                                                                                                                  \
#member, SY_ARRAY_U64, offsetof(struct sy_array_timing, member), low, high, preset, NULL, doc                  \
    }
#define KEY_BOOL(member, preset, doc)                                                                                  \
    {                                                                                                                  \
#member, SY_ARRAY_BOOL, offsetof(struct sy_array_timing, member), 0, 1, preset, NULL, doc                      \
    }
#define KEY_ENUM(member, preset, doc)                                                                                  \
    {                                                                                                                  \
#member, SY_ARRAY_ENUM, offsetof(struct sy_array_timing, member), 0,                                           \
            sizeof member##_names / sizeof member##_names[0] - 2, preset, member##_names, doc                          \
    }

/* The upper bounds only keep sums far from 2^64; no known array comes near.
 * The presets describe a plain double-buffered weight-stationary mesh with one
 * register a hop (the mesh of arch/arrays/dropin-ws-mesh.yaml). */
enum { MAX_HOP = 1024, MAX_STAGES = 1024, MAX_WAIT = 1 << 20 };

const struct sy_array_key sy_array_keys[] = {
    KEY_BOOL(output_stationary, 1, "The design runs output stationary (os)."),
    KEY_BOOL(weight_stationary, 1, "The design runs weight stationary (ws)."),
    KEY_BOOL(input_stationary, 1, "The design runs input stationary (is)."),
    KEY_BOOL(row_stationary, 0, "The design runs row stationary (rs)."),
    KEY_U64(input_registers, 0, MAX_STAGES, 0, "Registers between an input port and the first PE."),
    KEY_U64(column_hop_cycles, 0, MAX_HOP, 1, "Registers an operand passes from one PE to its right neighbour."),
    KEY_U64(operand_row_hop_cycles, 0, MAX_HOP, 1,
            "os: registers the vertical operand passes from one PE to the one below."),
    KEY_U64(psum_hop_cycles, 0, MAX_HOP, 1,
            "ws, is: periods from a partial sum entering a PE's adder to it entering the adder below; the row skew."),
    KEY_U64(multiply_cycles, 0, MAX_STAGES, 0, "Multiplier stages before the adder."),
    KEY_U64(accumulate_cycles, 0, MAX_STAGES, 1,
            "Adder and accumulator stages; 0 = a sum is readable in the period of its last operand."),
    KEY_U64(mac_initiation_interval, 1, MAX_STAGES, 1, "Periods between two beats a PE can take."),
    KEY_U64(output_registers, 0, MAX_STAGES, 0, "Registers between the array's edge and the output port."),
    KEY_BOOL(output_deskew, 0, "Results of one row leave in one period: column c waits for the last column."),
    KEY_U64(transposer_cycles_per_row, 0, MAX_STAGES, 0,
            "os: latency, for each array row, of the transposer in front of the input port; no throughput cost."),
    KEY_ENUM(weight_load, SY_LOAD_DOUBLE_BUFFERED, "ws, is: how the stationary operand gets into the PEs."),
    KEY_U64(preload_rows_per_cycle, 1, MAX_HOP, 1,
            "ws, is: stationary words a column takes a period (own wires only)."),
    KEY_ENUM(preload_rows, SY_PRELOAD_FULL,
             "ws, is: whether the loader stops after the used rows or always loads every row."),
    KEY_BOOL(preload_settle, 0,
             "ws, is: with nothing streaming, wait until the last stationary word has travelled down all rows."),
    KEY_ENUM(row_placement, SY_ROWS_TOP, "Where the used rows lie when a fold does not need all of them."),
    KEY_ENUM(partial_sums, SY_SUMS_ACCUMULATOR, "ws, is: where the sums of K folds meet."),
    KEY_ENUM(os_drain, SY_DRAIN_SWAP, "os: how results leave the PEs."),
    KEY_ENUM(os_restart, SY_RESTART_CLEAR, "os, operand_wires: what the next fold waits for."),
    KEY_U64(accumulator_clear_cycles, 0, MAX_WAIT, 0, "os: idle periods that clearing the accumulators takes a fold."),
    KEY_BOOL(bias_preload, 0, "os, swap: accumulators are loaded with a bias (or zero) through the drain wires."),
    KEY_ENUM(output_collision, SY_COLLISION_REFUSE,
             "os, shift_registers: what happens when a finished fold meets occupied output registers."),
    KEY_U64(rs_ifmap_words, 1, MAX_WAIT, 12, "rs: input words a PE holds; the preset is Eyeriss's, recalled."),
    KEY_U64(rs_filter_words, 1, MAX_WAIT, 224, "rs: filter words a PE holds; the preset is Eyeriss's, recalled."),
    KEY_U64(rs_sum_words, 1, MAX_WAIT, 24, "rs: partial sums a PE holds; the preset is Eyeriss's, recalled."),
    KEY_U64(rs_filter_words_per_cycle, 1, MAX_WAIT, 4, "rs: filter words a period that reach the PEs (weight_load)."),
    KEY_ENUM(fold_overlap, SY_OVERLAP_WAVEFRONT, "How close folds may follow each other."),
    KEY_ENUM(fold_order, SY_FOLDS_COLUMNS_OUTER, "Which fold index changes slowest."),
    KEY_U64(
        accumulate_distance_cycles, 0, MAX_WAIT, 0,
        "ws, is: periods between two accumulations into the same accumulator row: the shortest distance of two folds."),
    KEY_U64(min_stream_beats, 1, MAX_WAIT, 1, "A shorter stream is padded to this many beats."),
    KEY_U64(stream_multiple_beats, 1, MAX_WAIT, 1, "Streams are padded to a multiple of this many beats."),
    KEY_BOOL(os_stream_whole_rows, 0, "os: K is streamed in steps of as many beats as there are rows."),
    KEY_ENUM(ragged, SY_RAGGED_USED, "Whether a ragged fold costs what it uses or what the whole array would."),
    KEY_U64(single_line_saves_cycles, 0, MAX_WAIT, 0, "os, direct: what a fold of one row or one column saves."),
    KEY_ENUM(back_pressure, SY_PRESSURE_NONE, "What a consumer that is not ready does to the array."),
    KEY_ENUM(first_result, SY_FIRST_AT_PORT,
             "Whether the first result is reported when it is on the port or with the whole run."),
    KEY_ENUM(cycle_count, SY_COUNT_PERIODS,
             "periods: inclusive count. last_index: preload included and one less (the last period's 0-based index)."),
};
const size_t sy_array_key_count = sizeof sy_array_keys / sizeof sy_array_keys[0];

static uint64_t *member_of(struct sy_array_timing *timing, const struct sy_array_key *key)
{
    return (uint64_t *)(void *)((unsigned char *)timing + key->offset);
}

void sy_array_timing_init(struct sy_array_timing *timing)
{
    memset(timing, 0, sizeof *timing);
    for (size_t i = 0; i < sy_array_key_count; i++) {
        *member_of(timing, &sy_array_keys[i]) = sy_array_keys[i].preset;
    }
}

const struct sy_array_key *sy_array_key_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sy_array_key_count; i++) {
        if (strcmp(sy_array_keys[i].name, name) == 0) {
            return &sy_array_keys[i];
        }
    }
    return NULL;
}

uint64_t sy_array_key_get(const struct sy_array_timing *timing, const struct sy_array_key *key)
{
    uint64_t value;
    memcpy(&value, (const unsigned char *)timing + key->offset, sizeof value);
    return value;
}

static const char *const bool_names[] = {"false", "true", NULL};

static enum sy_status bad_name(const struct sy_array_key *key, const char *const *names, const char *text,
                               struct sy_where where, struct sy_diag *diag)
{
    char list[160] = "";
    uint64_t count = 0;
    for (; names[count] != NULL; count++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", count ? ", " : "", names[count]);
    }
    const char *near = sy_nearest(text, names, count);
    char hint[96];
    (void)snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
    return sy_error(diag, where, near ? hint : NULL, "%s is '%s'; expected one of: %s", key->name, text, list);
}

enum sy_status sy_array_key_set(struct sy_array_timing *timing, const struct sy_array_key *key, const char *text,
                                struct sy_where where, struct sy_diag *diag)
{
    if (timing == NULL || key == NULL || text == NULL) {
        return SY_USAGE;
    }
    uint64_t value = 0;
    if (key->kind == SY_ARRAY_U64) {
        if (!sy_text_to_u64(text, strlen(text), &value)) {
            return sy_error(diag, where, NULL, "%s is '%s'; expected a whole number", key->name, text);
        }
        if (value < key->min || value > key->max) {
            return sy_error(diag, where, NULL, "%s is %s; expected %llu to %llu", key->name, text,
                            (unsigned long long)key->min, (unsigned long long)key->max);
        }
    } else {
        const char *const *names = key->kind == SY_ARRAY_BOOL ? bool_names : key->enum_names;
        while (names[value] != NULL && strcmp(names[value], text) != 0) {
            value++;
        }
        if (names[value] == NULL) {
            return bad_name(key, names, text, where, diag);
        }
    }
    *member_of(timing, key) = value;
    return SY_OK;
}

/* One impossible combination: the message, and whether `timing` has it. */
struct rule {
    bool broken;
    const char *message;
    const char *hint;
};

/* Where the check reports. */
struct report {
    struct sy_where where;
    struct sy_diag *diag;
    enum sy_status status;
};

static void apply_rules(struct report *report, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i].broken) {
            report->status = sy_error(report->diag, report->where, rules[i].hint, "%s", rules[i].message);
        }
    }
}
#define APPLY(report, rules) apply_rules(report, rules, sizeof(rules) / sizeof(rules)[0])

static void check_ranges(const struct sy_array_timing *t, struct report *report)
{
    for (size_t i = 0; i < sy_array_key_count; i++) {
        const struct sy_array_key *key = &sy_array_keys[i];
        uint64_t value = sy_array_key_get(t, key);
        if (value < key->min || value > key->max) {
            report->status =
                sy_error(report->diag, report->where, NULL, "%s is %llu; expected %llu to %llu", key->name,
                         (unsigned long long)value, (unsigned long long)key->min, (unsigned long long)key->max);
        }
    }
}

static void check_stationary(const struct sy_array_timing *t, struct report *report)
{
    bool shared = t->weight_load == SY_LOAD_SHARED_WIRES, reenters = t->partial_sums == SY_SUMS_TOP_PORT;
    const struct rule rules[] = {
        {t->psum_hop_cycles < t->accumulate_cycles,
         "psum_hop_cycles is less than accumulate_cycles: a partial sum would arrive before it is computed",
         "raise psum_hop_cycles"},
        {shared && t->psum_hop_cycles == t->accumulate_cycles,
         "weight_load is shared_wires but the partial-sum wires hold no register between rows",
         "psum_hop_cycles must exceed accumulate_cycles"},
        {shared && t->preload_rows_per_cycle != 1, "weight_load is shared_wires, which carry one word a period",
         "set preload_rows_per_cycle to 1"},
        {reenters && t->row_placement == SY_ROWS_BOTTOM,
         "partial sums re-enter at the top port but used rows lie at the bottom", "set row_placement to top"},
        {reenters && t->fold_order == SY_FOLDS_ROWS_OUTER,
         "partial sums re-enter at the top port, so the folds of K must follow each other",
         "set fold_order to columns_outer"},
        {t->back_pressure == SY_PRESSURE_FREEZE && !t->output_deskew,
         "back_pressure is freeze, but results do not leave in whole rows", "set output_deskew"},
    };
    APPLY(report, rules);
}

static void check_output_stationary(const struct sy_array_timing *t, struct report *report)
{
    bool wires = t->os_drain == SY_DRAIN_OPERAND_WIRES, shift = t->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    bool direct = t->os_drain == SY_DRAIN_DIRECT, freeze = t->back_pressure == SY_PRESSURE_FREEZE;
    const struct rule rules[] = {
        {t->os_drain == SY_DRAIN_SWAP && t->accumulate_cycles != 1,
         "os_drain is swap, whose accumulators are one register: accumulate_cycles must be 1",
         "count further stages as multiply_cycles"},
        {wires && t->operand_row_hop_cycles == 0,
         "os_drain is operand_wires, which need operand_row_hop_cycles of 1 or more", NULL},
        {shift && (t->accumulate_cycles == 0 || t->output_registers == 0),
         "os_drain is shift_registers, which needs accumulate_cycles and output_registers of 1 or more", NULL},
        {shift && freeze, "os_drain is shift_registers, whose output registers wait on their own",
         "use none or decoupled"},
        {t->single_line_saves_cycles > t->output_registers,
         "single_line_saves_cycles exceeds output_registers: a result would leave before it is computed",
         "count the registers it saves as output_registers"},
        {freeze && t->os_drain == SY_DRAIN_SWAP && !t->output_deskew,
         "back_pressure is freeze, but results do not leave in whole rows", "set output_deskew"},
        {freeze && direct, "back_pressure is freeze, but os_drain direct has no port that could refuse",
         "set back_pressure to none"},
    };
    APPLY(report, rules);
}

enum sy_status sy_array_timing_check(const struct sy_array_timing *t, struct sy_where where, struct sy_diag *diag)
{
    struct report report = {.where = where, .diag = diag, .status = SY_OK};
    bool stationary = t->weight_stationary || t->input_stationary;
    bool shift = t->output_stationary && t->os_drain == SY_DRAIN_SHIFT_REGISTERS;
    const struct rule rules[] = {
        {!t->output_stationary && !stationary && !t->row_stationary, "the array runs no dataflow",
         "set output_stationary, weight_stationary, input_stationary or row_stationary"},
        {t->row_stationary && t->weight_load == SY_LOAD_SHARED_WIRES,
         "weight_load is shared_wires, which a row-stationary array does not have",
         "use none, separate_wires or double_buffered"},
        {!shift && t->back_pressure == SY_PRESSURE_DECOUPLED,
         "back_pressure is decoupled, which only os_drain shift_registers can be", "use none or freeze"},
    };
    check_ranges(t, &report);
    APPLY(&report, rules);
    if (stationary) {
        check_stationary(t, &report);
    }
    if (t->output_stationary) {
        check_output_stationary(t, &report);
    }
    return report.status;
}

bool sy_array_runs(const struct sy_array_timing *timing, enum sy_dataflow_kind dataflow)
{
    switch (dataflow) {
    case SY_OS:
        return timing->output_stationary != 0;
    case SY_WS:
        return timing->weight_stationary != 0;
    case SY_IS:
        return timing->input_stationary != 0;
    case SY_RS:
        return timing->row_stationary != 0;
    case SY_DATAFLOW_KINDS:
        break;
    }
    return false;
}

const char *sy_dataflow_name(enum sy_dataflow_kind dataflow)
{
    if (dataflow == SY_RS)
        return "rs";
    return (unsigned)dataflow < SY_DATAFLOW_KINDS ? dataflow_names[dataflow] : "unknown";
}

bool sy_dataflow_parse(const char *text, enum sy_dataflow_kind *dataflow)
{
    for (unsigned i = 0; text != NULL && i < SY_DATAFLOW_KINDS; i++) {
        if (strcasecmp(text, dataflow_names[i]) == 0) {
            *dataflow = (enum sy_dataflow_kind)i;
            return true;
        }
    }
    return false;
}
