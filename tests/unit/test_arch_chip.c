/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/chip.h"

#include <math.h>

#include "arch/chip_schema.h"
#include "arch/tree.h"
#include "sim/base/csv.h"
#include "sim/base/json.h"
#include "tests/unit/arch_support.h"

static struct log_sink sink;
static struct sy_chip_options options;

static void setup(void)
{
    log_start(&sink);
    options = (struct sy_chip_options){.data_dir = data_dir()};
}

static void teardown(void)
{
    log_end(&sink);
}

static struct sy_chip *load(const char *name)
{
    struct sy_chip *chip = NULL;
    ck_assert_msg(sy_chip_load(name, &options, &chip, &sink.diag) == SY_OK, "%s: %s", name, log_text(&sink));
    ck_assert_uint_eq(sink.diag.errors, 0);
    return chip;
}

static void each_preset(void (*check)(const char *name))
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    const char *const *names;
    uint32_t count;
    ck_assert_int_eq(sy_tree_list(arena, data_dir(), "arch/chips", &names, &count), SY_OK);
    ck_assert_uint_gt(count, 1);
    for (uint32_t i = 0; i < count; i++)
        check(names[i]);
    sy_arena_destroy(arena);
}

/* ---- presets ---- */

/* Which row of the golden table a preset is, and the format its peak is stated for. scalesim is a tool's default, not a
 * chip: it has no row. */
static const struct {
    const char *preset, *row;
    enum sy_dtype format;
} golden_rows[] = {
    {"tpu-v1", "TPU v1", SY_INT8}, {"gemmini", "Gemmini default", SY_INT8}, {"tpu-v4i", "TPU v4i", SY_BF16},
    {"tpu-v4", "TPU v4", SY_BF16}, {"tpu-v6e", "TPU v6e", SY_BF16},         {"eyeriss", "Eyeriss v1", SY_INT16},
};

static double chip_peak_tops(const struct sy_chip *chip, enum sy_dtype format)
{
    uint64_t num, den;
    ck_assert(sy_chip_peak_macs(chip, format, format, &num, &den));
    return 2.0 * (double)num / (double)den * (double)chip->clock[0].frequency.num /
           (double)chip->clock[0].frequency.den / 1e12;
}

START_TEST(presets_have_the_published_peak)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *path = sy_arena_printf(arena, "%s/tests/golden/chips.csv", data_dir()), *text;
    size_t length;
    struct sy_csv csv;
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "chips.csv", &csv, &sink.diag), SY_OK);
    int name = sy_csv_column(&csv, "chip"), published = sy_csv_column(&csv, "peak_tops");
    int computed = sy_csv_column(&csv, "array_peak_tops_check");
    for (size_t i = 0; i < sizeof golden_rows / sizeof golden_rows[0]; i++) {
        size_t row = 1;
        while (row < csv.rows && strcmp(csv.row[row].field[name], golden_rows[i].row) != 0)
            row++;
        ck_assert_uint_lt(row, csv.rows);
        struct sy_chip *chip = load(golden_rows[i].preset);
        double ours = chip_peak_tops(chip, golden_rows[i].format);
        /* Published peaks are rounded to two or three digits; the computed column, where there is one, is not. */
        double rounded = strtod(csv.row[row].field[published], NULL);
        double exact = strtod(csv.row[row].field[computed], NULL);
        ck_assert_msg(fabs(ours / rounded - 1) < 5e-3, "%s: %g, published %g", golden_rows[i].preset, ours, rounded);
        ck_assert_msg(exact <= 0 || fabs(ours / exact - 1) < 5e-3, "%s: %g, row gives %g", golden_rows[i].preset, ours,
                      exact);
        sy_chip_destroy(chip);
    }
    free(text);
    sy_arena_destroy(arena);
}
END_TEST

static void check_sources(const char *name)
{
    struct sy_chip *chip = load(name);
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next)
        ck_assert_msg(figure->is_default || figure->descriptive || (figure->source && figure->confidence),
                      "%s: %s has no source or no confidence", name, figure->path);
    sy_chip_destroy(chip);
}

START_TEST(every_figure_of_every_preset_has_a_source_and_a_confidence)
{
    each_preset(check_sources);
}
END_TEST

static const char *runs_as(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b, bool rounds)
{
    const struct sy_precision *pair = sy_chip_precision(chip, a, b);
    if (!pair)
        return "nothing";
    ck_assert_int_eq(pair->a, pair->b);
    ck_assert_int_eq(sy_precision_rounds(pair, a, b), rounds);
    return sy_dtypes[pair->a].name;
}

START_TEST(wider_floats_are_rounded_and_nothing_is_quantized)
{
    struct sy_chip *chip = load("tpu-v4i"); /* bf16 and int8 */
    ck_assert_str_eq(runs_as(chip, SY_FP32, SY_FP32, true), "bf16");
    ck_assert_str_eq(runs_as(chip, SY_BF16, SY_FP32, true), "bf16");
    ck_assert_str_eq(runs_as(chip, SY_BF16, SY_BF16, false), "bf16");
    ck_assert_str_eq(runs_as(chip, SY_INT8, SY_BF16, false), "bf16");
    ck_assert_str_eq(runs_as(chip, SY_INT16, SY_INT16, false), "nothing");
    ck_assert_str_eq(runs_as(chip, SY_FP32, SY_INT16, false), "nothing");
    sy_chip_destroy(chip);
    chip = load("tpu-v1"); /* integers only */
    ck_assert_str_eq(runs_as(chip, SY_FP32, SY_FP32, false), "nothing");
    ck_assert_str_eq(runs_as(chip, SY_BF16, SY_BF16, false), "nothing");
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(presets_are_what_their_papers_say)
{
    struct sy_chip *chip = load("tpu-v1");
    uint32_t chain[SY_MAX_LEVELS];
    ck_assert_uint_eq(sy_chip_chain(chip, SY_A, chain), 2);
    ck_assert_str_eq(chip->level[chain[0]].name, "unified-buffer");
    ck_assert_uint_eq(chip->level[chain[0]].capacity_bytes, UINT64_C(24) << 20);
    ck_assert(chip->level[chain[0]].stores_whole_tensors);
    ck_assert_int_eq(chip->level[chain[1]].kind, SY_LEVEL_HOST);
    ck_assert_uint_eq(sy_chip_chain(chip, SY_B, chain), 2);
    ck_assert_str_eq(chip->level[chain[0]].name, "weight-fifo");
    ck_assert_uint_eq(chip->level[chain[0]].depth, 4);
    ck_assert_uint_eq(chip->level[chain[0]].capacity_bytes, 4 * 65536);
    ck_assert_double_eq(chip->level[chain[1]].read_bytes_per_s, 34e9);
    ck_assert_uint_eq(sy_chip_chain(chip, SY_C, chain), 3);
    ck_assert(chip->level[chain[0]].accumulates);
    /* 256 B a cycle at 700 MHz */
    ck_assert_double_eq(chip->level[2].read_bytes_per_s, 256 * 700e6);
    ck_assert_uint_eq(chip->array.timing.weight_load, SY_LOAD_DOUBLE_BUFFERED);
    ck_assert_int_eq(chip->array.dataflow[0].kind, SY_WS);
    uint64_t num, den;
    ck_assert(sy_chip_peak_macs(chip, SY_INT16, SY_INT16, &num, &den));
    ck_assert(num == 65536 && den == 4);
    ck_assert(!sy_chip_peak_macs(chip, SY_BF16, SY_BF16, &num, &den));
    sy_chip_destroy(chip);
    chip = load("tpu-v4");
    ck_assert_str_eq(chip->name, "tpu-v4");
    ck_assert_uint_eq(chip->cores, 2);
    ck_assert_uint_eq(chip->levels, 3);
    ck_assert_double_eq(chip->level[2].read_bytes_per_s, 1228.8e9);
    ck_assert_uint_eq(chip->level[0].capacity_bytes, UINT64_C(16) << 20); /* inherited */
    ck_assert_uint_eq(chip->launch_cycles, 945);                          /* 0.9 us at 1050 MHz */
    sy_chip_destroy(chip);
    chip = load("gemmini");
    ck_assert_str_eq(chip->array.timing_name, "gemmini-ws");
    ck_assert_uint_eq(chip->array.timing.accumulate_distance_cycles, 4);
    ck_assert_uint_eq(chip->array.dataflows, 2);
    ck_assert_double_eq(chip->dma.bandwidth_bytes_per_s, 16e9); /* 16 B a cycle at 1 GHz */
    sy_chip_destroy(chip);
}
END_TEST

/* ---- resolved text ---- */

static void check_round_trip(const char *name)
{
    struct sy_chip *chip = load(name), *again = NULL;
    ck_assert_msg(sy_chip_parse(chip->text, strlen(chip->text), "resolved.yaml", &options, &again, &sink.diag) == SY_OK,
                  "%s: %s", name, log_text(&sink));
    ck_assert_str_eq(again->text, chip->text);
    ck_assert_str_eq(again->sha256, chip->sha256);
    ck_assert_mem_eq(&again->array.timing, &chip->array.timing, sizeof chip->array.timing);
    ck_assert_mem_eq(&again->vector, &chip->vector, sizeof chip->vector);
    ck_assert_mem_eq(&again->dma, &chip->dma, sizeof chip->dma);
    ck_assert_mem_eq(&again->power, &chip->power, sizeof chip->power);
    ck_assert_mem_eq(again->array.precision, chip->array.precision, sizeof chip->array.precision);
    ck_assert_uint_eq(again->launch_cycles, chip->launch_cycles);
    for (uint32_t i = 0; i < chip->levels; i++) {
        ck_assert_double_eq(again->level[i].read_bytes_per_s, chip->level[i].read_bytes_per_s);
        ck_assert_double_eq(again->level[i].write_bytes_per_s, chip->level[i].write_bytes_per_s);
        ck_assert_uint_eq(again->level[i].capacity_bytes, chip->level[i].capacity_bytes);
        ck_assert_uint_eq(again->level[i].latency_ps, chip->level[i].latency_ps);
    }
    sy_chip_destroy(again);
    /* what `show` prints as YAML is the same chip, with comments */
    struct sy_buf yaml = {0};
    ck_assert_int_eq(sy_chip_show(chip, SY_CHIP_YAML, &yaml), SY_OK);
    ck_assert_int_eq(sy_chip_parse(yaml.data, yaml.length, "shown.yaml", &options, &again, &sink.diag), SY_OK);
    ck_assert_str_eq(again->text, chip->text);
    ck_assert_uint_eq(sink.diag.errors, 0);
    sy_buf_free(&yaml);
    sy_chip_destroy(again);
    sy_chip_destroy(chip);
}

START_TEST(the_resolved_text_of_every_preset_is_the_same_chip)
{
    each_preset(check_round_trip);
}
END_TEST

/* Random values of every kind of number come back exactly from the text they are shown as. */
START_TEST(any_number_written_is_read_back_exactly)
{
    static const struct sy_field fields[] = {
        {.key = "u64", .type = SY_FIELD_U64},
        {.key = "bytes", .type = SY_FIELD_U64, .unit = SY_UNIT_BYTES},
        {.key = "cycles", .type = SY_FIELD_CYCLES},
        {.key = "ps", .type = SY_FIELD_U64, .unit = SY_UNIT_SECONDS, .per_unit = 1e12},
        {.key = "hz", .type = SY_FIELD_HZ},
        {.key = "rate", .type = SY_FIELD_RATE},
        {.key = "ratio", .type = SY_FIELD_RATIO},
        {.key = "volts", .type = SY_FIELD_DOUBLE, .unit = SY_UNIT_VOLTS},
        {.key = "watts", .type = SY_FIELD_DOUBLE, .unit = SY_UNIT_WATTS},
    };
    struct sy_schema_context context = {0};
    uint64_t state = 3;
    int checked = 0;
    for (int i = 0; i < 20000; i++) {
        const struct sy_field *field = &fields[i % 9];
        uint64_t slot[2] = {0, 0}, back[2] = {0, 0}, random = next_random(&state) >> (next_random(&state) % 64);
        double real = (double)random / (double)(1 + (next_random(&state) >> (next_random(&state) % 64)));
        char given[64], reason[SY_REASON_MAX];
        if (field->type == SY_FIELD_HZ)
            snprintf(given, sizeof given, "%llu.%06llu Hz", (unsigned long long)(random % 1000000000) + 1,
                     (unsigned long long)(next_random(&state) % 1000000));
        else if (field->type == SY_FIELD_RATIO)
            snprintf(given, sizeof given, "%llu/%llu", (unsigned long long)random + (random == 0), i % 1000 + 1ULL);
        else if (field->type == SY_FIELD_RATE)
            snprintf(given, sizeof given, i % 2 ? "%.17g B/s" : "%.0f B/cycle", real + 1);
        else if (field->type == SY_FIELD_DOUBLE)
            snprintf(given, sizeof given, "%.17g %s", real, field->unit == SY_UNIT_VOLTS ? "mV" : "uW");
        else
            snprintf(given, sizeof given, "%llu%s",
                     (unsigned long long)(field->per_unit > 0 ? random % 1000000000000 : random),
                     field->unit == SY_UNIT_BYTES     ? " B"
                     : field->unit == SY_UNIT_SECONDS ? " ps"
                     : field->type == SY_FIELD_CYCLES ? " cycles"
                                                      : "");
        if (!sy_field_parse(&context, field, given, slot, reason))
            continue; /* more digits than are kept exactly */
        checked++;
        struct sy_buf text = {0};
        sy_field_format(field, slot, &text);
        EXPECT(sy_field_parse(&context, field, text.data, back, reason));
        if (memcmp(slot, back, sizeof slot) != 0)
            ck_abort_msg("%s: %s was written as %s", field->key, given, text.data);
        sy_buf_free(&text);
    }
    ck_assert_int_gt(checked, 15000);
}
END_TEST

START_TEST(show_prints_every_figure_with_unit_source_and_confidence)
{
    struct sy_chip *chip = load("tpu-v1");
    struct sy_buf table = {0}, json = {0};
    ck_assert_int_eq(sy_chip_show(chip, SY_CHIP_TABLE, &table), SY_OK);
    ck_assert_ptr_nonnull(strstr(table.data, "memory.unified-buffer.capacity"));
    ck_assert_ptr_nonnull(strstr(table.data, "24 MiB"));
    ck_assert_int_eq(sy_chip_show(chip, SY_CHIP_JSON, &json), SY_OK);
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_json *root;
    ck_assert_int_eq(sy_json_parse(arena, json.data, json.length, "json", &root, &sink.diag), SY_OK);
    uint32_t count = 0;
    for (const struct sy_json *one = sy_json_get(root, "figures")->child; one; one = one->next, count++) {
        const struct sy_json *key = sy_json_get(one, "key");
        ck_assert_ptr_nonnull(strstr(table.data, strchr(key->string, '.') ? key->string : "key"));
        if (strcmp(key->string, "memory.weight-dram.bandwidth") == 0) {
            ck_assert_str_eq(sy_json_get(one, "value")->string, "34 GB/s");
            ck_assert_str_eq(sy_json_get(one, "confidence")->string, "read");
            ck_assert_ptr_nonnull(strstr(sy_json_get(one, "source")->string, "ISCA 2017"));
        }
    }
    ck_assert_uint_gt(count, 100);
    sy_arena_destroy(arena);
    sy_buf_free(&table);
    sy_buf_free(&json);
    sy_chip_destroy(chip);
}
END_TEST

/* ---- overrides ---- */

static struct sy_chip *load_set(const char *name, const char *const *set)
{
    options.set = set;
    struct sy_chip *chip = NULL;
    (void)sy_chip_load(name, &options, &chip, &sink.diag);
    return chip;
}

START_TEST(overrides_reach_every_kind_of_key)
{
    static const char *const set[] = {
        "core.array.rows=128",
        "core.array.precisions.1.rate=1/4",
        "memory.weight-dram.bandwidth=50 GB/s",
        "memory.2.capacity=12 MiB",
        "memory.unified-buffer.split.A=4 MiB",
        "core.array.dataflows=[ws, {name: odd, rows: [Cin, Fh], cols: [N], stationary: B}]",
        "core.array.timing.psum_hop_cycles=2",
        "clocks.slow=350 MHz",
        "memory.unified-buffer.clock=slow",
        "name=mine",
        "serialize=true",
        "launch_overhead=1 us",
        "memory.host.holds=[A, C]",
        NULL};
    struct sy_chip *chip = load_set("tpu-v1", set);
    ck_assert_msg(chip != NULL, "%s", log_text(&sink));
    ck_assert_uint_eq(chip->array.rows, 128);
    ck_assert(chip->array.precision[1].macs_num == 1 && chip->array.precision[1].macs_den == 4);
    ck_assert_double_eq(chip->level[3].read_bytes_per_s, 50e9);
    ck_assert_double_eq(chip->level[3].write_bytes_per_s, 50e9);
    ck_assert_uint_eq(chip->level[2].capacity_bytes, UINT64_C(12) << 20);
    ck_assert_uint_eq(chip->level[2].operand_bytes[SY_A], UINT64_C(4) << 20);
    ck_assert_uint_eq(chip->array.dataflows, 2);
    ck_assert_uint_eq(chip->array.dataflow[1].rows, SY_LOOP_CIN | SY_LOOP_FH);
    ck_assert_uint_eq(chip->array.timing.psum_hop_cycles, 2);
    ck_assert_uint_eq(chip->array.timing.weight_load, SY_LOAD_DOUBLE_BUFFERED); /* the rest stays */
    ck_assert_double_eq(chip->level[2].read_bytes_per_s, 256 * 350e6);          /* bytes a cycle follow the clock */
    ck_assert_str_eq(chip->name, "mine");
    ck_assert(chip->serialize);
    ck_assert_uint_eq(chip->launch_cycles, 700);
    ck_assert_uint_eq(chip->overridden, 13);
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next)
        if (strcmp(figure->path, "core.array.rows") == 0)
            ck_assert_str_eq(figure->source, "--set");
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(a_part_taken_by_name_can_be_changed_or_exchanged)
{
    static const char *const change[] = {"core.array.timing.accumulate_distance_cycles=7", NULL};
    struct sy_chip *chip = load_set("gemmini", change);
    ck_assert_uint_eq(chip->array.timing.accumulate_distance_cycles, 7);
    ck_assert_uint_eq(chip->array.timing.output_registers, 1);
    ck_assert_str_eq(chip->array.timing_name, "gemmini-ws");
    sy_chip_destroy(chip);
    static const char *const exchange[] = {"core.array.timing=scalesim-v3", "core.array.timing.fold_overlap=wavefront",
                                           NULL};
    chip = load_set("gemmini", exchange);
    ck_assert_str_eq(chip->array.timing_name, "scalesim-v3");
    ck_assert_uint_eq(chip->array.timing.ragged, SY_RAGGED_PADDED);
    ck_assert_uint_eq(chip->array.timing.fold_overlap, SY_OVERLAP_WAVEFRONT);
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(wrong_overrides_are_all_reported)
{
    static const char *const set[] = {"core.array.rows=x",
                                      "core.array.row=8",
                                      "memory.scratchpd.capacity=1 MiB",
                                      "memory.9.capacity=1 MiB",
                                      "core.array.precisions.4.rate=1",
                                      "core.array.rows.x=1",
                                      "cores",
                                      "=3",
                                      "cores=",
                                      "cores=[",
                                      "inherits=tpu-v1",
                                      "core..rows=1",
                                      "memory.dram.bandwidth=16",
                                      NULL};
    ck_assert_ptr_null(load_set("gemmini", set));
    static const char *const said[] = {
        "--set:0:0: 'memory.scratchpd.capacity=1 MiB': no entry 'scratchpd' in that list [did you mean "
        "'scratchpad'?]\n",
        "--set:0:0: 'memory.9.capacity=1 MiB': no entry '9' in that list [there are: accumulator, scratchpad, dram]\n",
        "--set:0:0: 'core.array.precisions.4.rate=1': no entry '4' in that list [entries are numbered 0 to 0]\n",
        "--set:0:0: 'core.array.rows.x=1': there is nothing below 'rows'\n",
        "--set:0:0: 'cores' is not key=value [write it as core.array.rows=128]\n",
        "--set:0:0: '=3' is not key=value [write it as core.array.rows=128]\n",
        "--set:0:0: 'cores=': the value is empty\n",
        "--set cores:2:1: not valid YAML: ",
        "--set:0:0: inherits cannot be overridden [choose the other chip instead]\n",
        "--set:0:0: 'core..rows=1': an empty part in the key [write it as core.array.rows=128]\n",
        "--set:0:0: core.array: unknown key 'row' in core.array [did you mean 'rows'?]\n",
        "--set:0:0: core.array.rows: found 'x'; expected 1 to 65536\n",
        "--set:0:0: memory.dram.bandwidth: found '16', a unit is missing, for example 34 GB/s; expected 1 kB/s to",
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        ck_assert_msg(strstr(log_text(&sink), said[i]) != NULL, "missing: %s\nin: %s", said[i], log_text(&sink));
    ck_assert_uint_eq(sink.diag.errors, sizeof said / sizeof said[0]);
}
END_TEST

/* ---- inheritance ---- */

static const struct sy_figure *figure_of(const struct sy_chip *chip, const char *path)
{
    const struct sy_figure *figure = chip->figures;
    while (figure && strcmp(figure->path, path) != 0)
        figure = figure->next;
    return figure;
}

START_TEST(a_derived_chip_changes_what_it_names_and_keeps_the_rest)
{
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path = scratch_file(&scratch, "mine.yaml",
                                    "inherits: gemmini\n"
                                    "name: mine\n"
                                    "core: {array: {rows: 32, cols: {value: 32, source: me, confidence: assumed}}}\n"
                                    "memory: {scratchpad: {capacity: 1 MiB}, dram: {bandwidth: 64 GB/s}}\n");
    struct sy_chip *chip = load(path);
    ck_assert_str_eq(chip->name, "mine");
    ck_assert_ptr_null(chip->description);
    ck_assert_uint_eq(chip->array.rows, 32);
    ck_assert_uint_eq(chip->levels, 3);
    ck_assert_str_eq(chip->level[1].name, "scratchpad");
    ck_assert_uint_eq(chip->level[1].capacity_bytes, 1 << 20);
    ck_assert_uint_eq(chip->level[1].banks, 4);
    ck_assert_double_eq(chip->level[2].read_bytes_per_s, 64e9);
    ck_assert_str_eq(chip->array.timing_name, "gemmini-ws");
    /* a changed figure does not keep the source of the one it replaces */
    ck_assert_ptr_null(figure_of(chip, "core.array.rows")->source);
    ck_assert_str_eq(figure_of(chip, "core.array.cols")->source, "me");
    ck_assert_ptr_nonnull(figure_of(chip, "memory.scratchpad.banks")->source);
    sy_chip_destroy(chip);
    /* and a chip derived from the derived one, by a path relative to itself; a list replaces a list */
    path = scratch_file(&scratch, "third.yaml",
                        "inherits: ./mine.yaml\nname: third\ncore: {array: {dataflows: [os]}}\n"
                        "memory:\n- {name: b, kind: sram, holds: [A, B, C], capacity: 1 MiB}\n"
                        "- {name: d, kind: dram, holds: [A, B, C], bandwidth: 1 GB/s}\n");
    chip = load(path);
    ck_assert_uint_eq(chip->array.rows, 32);
    ck_assert_uint_eq(chip->levels, 2);
    ck_assert_uint_eq(chip->array.dataflows, 1);
    ck_assert_str_eq(chip->array.dataflow[0].name, "os");
    sy_chip_destroy(chip);
    scratch_end(&scratch);
}
END_TEST

START_TEST(wrong_inheritance_is_reported)
{
    struct scratch scratch;
    struct sy_chip *chip = NULL;
    scratch_start(&scratch);
    scratch_file(&scratch, "a.yaml", "inherits: ./b.yaml\nname: a\n");
    scratch_file(&scratch, "b.yaml", "inherits: ./a.yaml\nname: b\n");
    ck_assert_int_eq(sy_chip_load(scratch.path[0], &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_str_eq(log_text(&sink), "b.yaml:1:11: './a.yaml' inherits from itself [break the circle]\n");
    sy_buf_clear(&sink.text);
    const char *path = scratch_file(&scratch, "c.yaml", "inherits: gemini\nname: c\n");
    ck_assert_int_eq(sy_chip_load(path, &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_str_eq(log_text(&sink), "c.yaml:1:11: 'gemini' is not a file of arch/chips [did you mean 'gemmini'?]\n");
    sy_buf_clear(&sink.text);
    path = scratch_file(&scratch, "c.yaml", "inherits: [gemmini]\nname: c\n");
    ck_assert_int_eq(sy_chip_load(path, &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_ptr_nonnull(
        strstr(log_text(&sink), "c.yaml:1:11: inherits: found a list; expected the name of a file of arch/chips"));
    sy_buf_clear(&sink.text);
    path = scratch_file(&scratch, "c.yaml", "inherits: gemmini\nname: c\nmemory: {l3: {capacity: 1 MiB}}\n");
    ck_assert_int_eq(sy_chip_load(path, &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_str_eq(log_text(&sink),
                     "c.yaml:3:14: the inherited list has no entry named 'l3' [write the whole list to "
                     "add an entry]\n");
    sy_buf_clear(&sink.text);
    for (char i = '0'; i < '9'; i++) {
        char name[16], text[64];
        snprintf(name, sizeof name, "d%c.yaml", i);
        snprintf(text, sizeof text, "inherits: ./d%c.yaml\nname: d\n", i + 1);
        scratch_file(&scratch, name, text);
    }
    snprintf(scratch.path[15], sizeof scratch.path[15], "%s/d0.yaml", scratch.folder);
    ck_assert_int_eq(sy_chip_load(scratch.path[15], &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_str_eq(log_text(&sink), "d7.yaml:1:11: more than 8 files inherit from each other\n");
    ck_assert_ptr_null(chip);
    scratch_end(&scratch);
}
END_TEST

START_TEST(sources_are_taken_from_the_figure_the_group_or_the_list_of_names)
{
    struct scratch scratch;
    scratch_start(&scratch);
    const char *path =
        scratch_file(&scratch, "s.yaml",
                     "inherits: gemmini\nname: s\nsource: the whole\nconfidence: read\n"
                     "sources: {paper: 'A Paper, 2020'}\n"
                     "core:\n  vector:\n    source: paper\n    confidence: published\n    lanes: 64\n"
                     "    reduce_cycles: {value: 9, source: a guess, confidence: assumed}\n"
                     "  dma: {queue_depth: {value: 3, source: unknown-name, confidence: memory}, request: 32 B}\n");
    struct sy_chip *chip = load(path);
    ck_assert_str_eq(figure_of(chip, "core.vector.lanes")->source, "A Paper, 2020");
    ck_assert_str_eq(figure_of(chip, "core.vector.lanes")->confidence, "published");
    ck_assert_str_eq(figure_of(chip, "core.vector.reduce_cycles")->source, "a guess");
    ck_assert_uint_eq(chip->vector.reduce_cycles, 9);
    ck_assert_str_eq(figure_of(chip, "core.dma.queue_depth")->source, "unknown-name");
    ck_assert_ptr_null(figure_of(chip, "core.dma.request")->source); /* the document's source vouches for no figure */
    ck_assert_str_eq(chip->source, "the whole");
    sy_chip_destroy(chip);
    path = scratch_file(&scratch, "s.yaml",
                        "inherits: gemmini\nname: s\ncore: {vector: {lanes: {value: 3, confidence: sure, unit: x}}}\n"
                        "sources: [a]\n");
    ck_assert_int_eq(sy_chip_load(path, &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_ptr_nonnull(
        strstr(log_text(&sink), "s.yaml:3:47: confidence: found 'sure', not a known name [use read,"));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "s.yaml:3:53: key 'unit' beside 'value'; expected only source and"));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "s.yaml:4:10: sources: expected a group 'name: reference'"));
    scratch_end(&scratch);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("chip");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, presets_have_the_published_peak);
    tcase_add_test(tcase, every_figure_of_every_preset_has_a_source_and_a_confidence);
    tcase_add_test(tcase, wider_floats_are_rounded_and_nothing_is_quantized);
    tcase_add_test(tcase, presets_are_what_their_papers_say);
    tcase_add_test(tcase, the_resolved_text_of_every_preset_is_the_same_chip);
    tcase_add_test(tcase, any_number_written_is_read_back_exactly);
    tcase_add_test(tcase, show_prints_every_figure_with_unit_source_and_confidence);
    tcase_add_test(tcase, overrides_reach_every_kind_of_key);
    tcase_add_test(tcase, a_part_taken_by_name_can_be_changed_or_exchanged);
    tcase_add_test(tcase, wrong_overrides_are_all_reported);
    tcase_add_test(tcase, a_derived_chip_changes_what_it_names_and_keeps_the_rest);
    tcase_add_test(tcase, wrong_inheritance_is_reported);
    tcase_add_test(tcase, sources_are_taken_from_the_figure_the_group_or_the_list_of_names);
    return run_case("arch/chip", tcase);
}
