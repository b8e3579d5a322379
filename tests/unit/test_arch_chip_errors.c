/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about chips that are wrong: word for word, with place; and that no bytes whatever do harm. */
#include "arch/chip.h"
#include "arch/tree.h"
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

/* ---- mistakes: one chip, one change, the whole of what is said ---- */

static const char plain[] = "name: t\n"                                                         /* 1 */
                            "technology: {node: 28 nm}\n"                                       /* 2 */
                            "clocks: {core: 1 GHz}\n"                                           /* 3 */
                            "cores: 2\n"                                                        /* 4 */
                            "core:\n"                                                           /* 5 */
                            "  array:\n"                                                        /* 6 */
                            "    rows: 8\n"                                                     /* 7 */
                            "    cols: 16\n"                                                    /* 8 */
                            "    dataflows: [ws]\n"                                             /* 9 */
                            "    precisions: [{a: int8, b: int8, accumulator: int32}]\n"        /* 10 */
                            "memory:\n"                                                         /* 11 */
                            "- name: buf\n"                                                     /* 12 */
                            "  kind: sram\n"                                                    /* 13 */
                            "  holds: [A, B, C]\n"                                              /* 14 */
                            "  capacity: 64 KiB\n"                                              /* 15 */
                            "- {name: ddr, kind: dram, holds: [A, B, C], bandwidth: 1 GB/s}\n"; /* 16 */

/* The plain chip with the first `from` replaced. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(plain, from);
    ck_assert_msg(at != NULL, "no '%s' in the plain chip", from);
    struct sy_buf text = {0};
    sy_buf_append(&text, plain, (size_t)(at - plain));
    sy_buf_puts(&text, to);
    sy_buf_puts(&text, at + strlen(from));
    return text.data;
}

static struct sy_chip *parse(const char *text)
{
    struct sy_chip *chip = NULL;
    enum sy_status status = sy_chip_parse(text, strlen(text), "t.yaml", &options, &chip, &sink.diag);
    ck_assert((status == SY_OK) == (chip != NULL));
    ck_assert((status == SY_OK) == (sink.diag.errors == 0));
    return chip;
}

struct mistake {
    const char *from, *to, *said;
};

static void expect(const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = changed(cases[i].from, cases[i].to);
        sy_buf_clear(&sink.text);
        sink.diag.errors = 0;
        struct sy_chip *chip = parse(text);
        ck_assert_msg(chip == NULL, "accepted: %s", cases[i].to);
        ck_assert_str_eq(log_text(&sink), cases[i].said);
        free(text);
    }
}
#define EXPECT_ALL(cases) expect(cases, sizeof cases / sizeof cases[0])

START_TEST(the_plain_chip_is_valid)
{
    struct sy_chip *chip = parse(plain);
    ck_assert_msg(chip != NULL, "%s", log_text(&sink));
    ck_assert_uint_eq(chip->levels, 2);
    ck_assert_uint_eq(chip->level[1].burst_bytes, 64);
    ck_assert_str_eq(chip->level[1].energy_component, "dram");
    ck_assert_str_eq(chip->array.timing_name, "inline");
    ck_assert_uint_eq(chip->overridden, 0);
    sy_chip_destroy(chip);
}
END_TEST

static const struct mistake wrong_values[] = {
    {"28 nm", "28",
     "t.yaml:2:20: technology.node: found '28', a unit is missing, for example 7 nm; expected 1 nm to 1000 nm\n"},
    {"28 nm", "28 MHz",
     "t.yaml:2:20: technology.node: found '28 MHz', 'MHz' is not a unit that fits here; expected 1 nm to 1000 "
     "nm\n"},
    {"1 GHz", "0 GHz", "t.yaml:3:16: clocks.core: found '0 GHz', a frequency of zero; expected 1 kHz to 100 GHz\n"},
    {"1 GHz", "1 Ghz",
     "t.yaml:3:16: clocks.core: found '1 Ghz', unknown unit 'Ghz'; did you mean 'GHz'?; expected 1 kHz to 100 "
     "GHz\n"},
    {"1 GHz", "900 GHz", "t.yaml:3:16: clocks.core: found '900 GHz', too large; expected 1 kHz to 100 GHz\n"},
    {"rows: 8", "rows: 0", "t.yaml:7:11: core.array.rows: found '0', too small; expected 1 to 65536\n"},
    {"rows: 8", "rows: 70000", "t.yaml:7:11: core.array.rows: found '70000', too large; expected 1 to 65536\n"},
    {"rows: 8", "rows: -8", "t.yaml:7:11: core.array.rows: found '-8', the value is negative; expected 1 to 65536\n"},
    {"rows: 8", "rows: 8.5",
     "t.yaml:7:11: core.array.rows: found '8.5', the value is not a whole number in its base unit; expected 1 to "
     "65536\n"},
    {"rows: 8", "rows: 010",
     "t.yaml:7:11: core.array.rows: found '010', a number may not begin with 0 (it could be read as octal); "
     "expected 1 to 65536\n"},
    {"rows: 8", "rows: 99999999999999999999999",
     "t.yaml:7:11: core.array.rows: found '99999999999999999999999', the value is out of range, or has more digits "
     "than can be kept exactly; expected 1 to 65536\n"},
    {"rows: 8", "rows: 8 B",
     "t.yaml:7:11: core.array.rows: found '8 B', 'B' after the number; no unit belongs here; expected 1 to "
     "65536\n"},
    {"rows: 8", "rows:", "t.yaml:7:10: core.array.rows: found nothing; expected 1 to 65536\n"},
    {"rows: 8", "rows: [8]", "t.yaml:7:11: core.array.rows: found a list; expected 1 to 65536\n"},
    {"rows: 8", "rows: {a: 8}", "t.yaml:7:11: core.array.rows: found a group of keys; expected 1 to 65536\n"},
    {"64 KiB", "64kb",
     "t.yaml:15:13: memory.buf.capacity: found '64kb', unknown unit 'kb'; did you mean 'kB'?; expected 1 B to 1024 "
     "TiB or 'unlimited'\n"},
    {"64 KiB", "65536",
     "t.yaml:15:13: memory.buf.capacity: found '65536', a unit is missing, for example 28 MiB; expected 1 B to "
     "1024 TiB or 'unlimited'\n"},
    {"64 KiB", "1 bit",
     "t.yaml:15:13: memory.buf.capacity: found '1 bit', the value is not a whole number in its base unit; expected "
     "1 B to 1024 TiB or 'unlimited'\n"},
    {"1 GB/s", "1 GB",
     "t.yaml:16:56: memory.ddr.bandwidth: found '1 GB', 'GB' is not a unit that fits here; expected 1 kB/s to "
     "1000000 TB/s or 'unlimited'\n"},
    {"1 GB/s", "0 GB/s",
     "t.yaml:16:56: memory.ddr.bandwidth: found '0 GB/s', a rate must be greater than 0; expected 1 kB/s to "
     "1000000 TB/s or 'unlimited'\n"},
    {"1 GB/s", "1 GB/s, latency: 1.5 ps",
     "t.yaml:16:73: memory.ddr.latency: found '1.5 ps', finer than the smallest step, 1 ps; expected at most 1 "
     "s\n"},
    {"kind: sram", "kind: srm",
     "t.yaml:13:9: memory.buf.kind: found 'srm', not a known name; did you mean 'sram'?; expected one of sram, "
     "dram, host\n"},
    {"[A, B, C]", "[A, D]",
     "t.yaml:14:14: memory.buf.holds: found 'D', not a known name; expected a list of A, B, C\n"},
    {"[A, B, C]", "[A, A, B, C]", "t.yaml:14:14: memory.buf.holds: 'A' is listed twice\n"},
    {"[A, B, C]", "[]", "t.yaml:14:10: memory.buf.holds: found a list; expected a list of A, B, C\n"},
    {"a: int8", "a: int9",
     "t.yaml:10:22: core.array.precisions.0.a: found 'int9', not a known name; did you mean 'int4'?; expected one "
     "of int4, int8, int16, int32, fp8, bf16, fp16, fp32, mxfp8, mxfp6, mxfp4, nvfp4\n"},
    {"int32}]", "int32, rate: 1/0}]",
     "t.yaml:10:63: core.array.precisions.0.rate: found '1/0', neither part of a fraction may be 0; expected a "
     "number or a fraction such as 1/2\n"},
    {"int32}]", "int32, rate: fast}]",
     "t.yaml:10:63: core.array.precisions.0.rate: found 'fast', not a whole number or a fraction such as 1/2; "
     "expected a number or a fraction such as 1/2\n"},
    {"cores: 2", "serialize: yes", "t.yaml:4:12: serialize: found 'yes', not true or false; expected true or false\n"},
    {"name: buf", "name: b u f",
     "t.yaml:12:9: memory.b u f.name: found 'b u f', a name has only letters, digits and '-', '_', '.'; expected a "
     "name\n"},
    {"cores: 2", "energy: defualt", "t.yaml:4:9: 'defualt' is not a file of arch/energy [did you mean 'default'?]\n"},
    {"[ws]", "[wss]", "t.yaml:9:17: 'wss' is not a file of arch/dataflows [did you mean 'ws'?]\n"},
    {"[ws]", "ws",
     "t.yaml:9:16: core.array.dataflows: found 'ws'; expected a list of 1 to 8, each a group of keys or the name "
     "of a file of arch/dataflows\n"},
    {"[ws]", "[]", "t.yaml:9:16: core.array.dataflows: found 0 entries; expected 1 to 8\n"},
    {"rows: 8", "rows: 8\n    timing: gemini-ws",
     "t.yaml:8:13: 'gemini-ws' is not a file of arch/arrays [did you mean 'gemmini-ws'?]\n"},
    {"rows: 8", "rows: 8\n    timing: {weight_load: doubly}",
     "t.yaml:8:27: core.array.timing.weight_load: found 'doubly', not a known name; expected one of none, "
     "shared_wires, separate_wires, double_buffered\n"},
    {"rows: 8", "rows: 8\n    timing: {psum_hop_cycles: 5000}",
     "t.yaml:8:31: core.array.timing.psum_hop_cycles: found '5000', too large; expected 0 to 1024\n"},
};

START_TEST(wrong_values_are_reported_with_place_text_and_expectation)
{
    EXPECT_ALL(wrong_values);
}
END_TEST

static const struct mistake wrong_keys[] = {
    {"rows: 8", "row: 8",
     "t.yaml:7:5: core.array: unknown key 'row' in core.array [did you mean 'rows'?]\n"
     "t.yaml:7:5: core.array.rows is missing; expected 1 to 65536 (rows of PEs)\n"},
    {"cores: 2", "coers: 2", "t.yaml:4:1: unknown key 'coers' in the chip [did you mean 'cores'?]\n"},
    {"cores: 2", "rows: 2", "t.yaml:4:1: unknown key 'rows' in the chip ['rows' belongs in core.array]\n"},
    {"cores: 2", "zzzzzz: 2", "t.yaml:4:1: unknown key 'zzzzzz' in the chip\n"},
    {"cores: 2", "cores: 2\ncores: 3", "t.yaml:5:1: key 'cores' is already given on line 4 [keep one of the two]\n"},
    {"capacity: 64 KiB", "capacity: 64 KiB\n  channels: 2",
     "t.yaml:16:3: memory.buf.channels: belongs to kind dram; here kind is sram [remove it]\n"},
    {"bandwidth", "banks: 2, bandwidth",
     "t.yaml:16:45: memory.ddr.banks: belongs to kind sram; here kind is dram [remove it]\n"},
    {"cores: 2", "core.array.rows: 2",
     "t.yaml:4:1: unknown key 'core.array.rows' in the chip [write nested keys below each other, or use --set]\n"},
    {"rows: 8\n", "\n", "t.yaml:8:5: core.array.rows is missing; expected 1 to 65536 (rows of PEs)\n"},
    {"technology: {node: 28 nm}\n", "", "t.yaml:1:1: technology is missing; expected a group of keys (process)\n"},
    {"clocks: {core: 1 GHz}\n", "",
     "t.yaml:1:1: clocks is missing; expected a group of keys (clock domains; the first is named core, and array "
     "cycles are counted in it)\n"},
    {"kind: sram\n", "\n",
     "t.yaml:12:3: memory.buf.kind is missing; expected one of sram, dram, host (sram is on the chip; dram and "
     "host are backing stores)\n"},
};

START_TEST(wrong_keys_are_reported_with_the_nearest_or_the_right_place)
{
    EXPECT_ALL(wrong_keys);
}
END_TEST

static const struct mistake impossible[] = {
    {"kind: dram, holds: [A, B, C], bandwidth: 1 GB/s", "kind: sram, holds: [A, B, C], capacity: 1 GiB",
     "t.yaml:12:1: memory: operand A has no backing store; its outermost level is ddr [add a level of kind dram or "
     "host that holds it]\n"
     "t.yaml:12:1: memory: operand B has no backing store; its outermost level is ddr [add a level of kind dram or "
     "host that holds it]\n"
     "t.yaml:12:1: memory: operand C has no backing store; its outermost level is ddr [add a level of kind dram or "
     "host that holds it]\n"},
    {"[A, B, C]", "[A, B]",
     "t.yaml:12:1: memory: operand C has no level on the chip [add a level of kind sram that holds it]\n"},
    {"ddr, kind: dram, holds: [A, B, C]", "ddr, kind: dram, holds: [A, B]",
     "t.yaml:12:1: memory: operand C has no backing store; its outermost level is buf [add a level of kind dram or "
     "host that holds it]\n"},
    {"bandwidth: 1 GB/s}", "bandwidth: 1 GB/s}\n- {name: far, kind: sram, holds: [A], capacity: 1 MiB}",
     "t.yaml:16:3: memory.ddr is a backing store of A, but memory.far lies outside it [levels are listed inner to "
     "outer]\n"
     "t.yaml:12:1: memory: operand A has no backing store; its outermost level is far [add a level of kind dram or "
     "host that holds it]\n"},
    {"name: ddr", "name: buf", "t.yaml:16:10: memory: level 1 is named 'buf' like level 0 [choose another name]\n"},
    {"capacity: 64 KiB", "depth: 2",
     "t.yaml:12:3: memory.buf.capacity: an sram level needs a capacity [write for example capacity: 256 KiB]\n"},
    {", bandwidth: 1 GB/s", "",
     "t.yaml:16:3: memory.ddr.bandwidth is missing; a dram level needs one [write for example bandwidth: 34 "
     "GB/s]\n"},
    {"64 KiB", "100 B",
     "t.yaml:15:13: memory.buf.capacity: 100 bytes do not hold one tile of a 8 x 16 array, which needs 200 "
     "[enlarge it, or make the array smaller]\n"},
    {"64 KiB", "64 KiB\n  split: {A: 40 KiB, B: 30 KiB}",
     "t.yaml:16:10: memory.buf.split: the parts add up to more than the capacity\n"},
    {"[A, B, C]\n  capacity: 64 KiB", "[A, B, C]\n  capacity: 64 KiB\n  clock: fast",
     "t.yaml:16:10: memory.buf.clock: there is no clock 'fast' [add it to clocks, or use core]\n"},
    {"core: 1 GHz", "fast: 1 GHz",
     "t.yaml:3:16: clocks: the first clock is 'fast'; expected 'core' [name it core, or put the core clock "
     "first]\n"},
    {"1 GB/s", "1 GB/s, refresh_interval: 1 us, refresh_time: 2 us",
     "t.yaml:16:102: memory.ddr.refresh_time must be shorter than refresh_interval\n"},
    {"cores: 2", "cores: 2\ninterconnect: {port_bandwidth: 4 GB/s, multicast: true}",
     "t.yaml:5:32: interconnect.port_bandwidth is given, but interconnect.kind is none [write kind: crossbar beside "
     "it]\n"
     "t.yaml:5:51: interconnect.multicast is given, but interconnect.kind is none [write kind: crossbar beside it]\n"},
    {"[ws]", "[ws, ws]", "t.yaml:9:21: core.array.dataflows: 'ws' is listed twice [list it once]\n"},
    {"[ws]", "[{name: odd, rows: [K], cols: [K, N], stationary: B}]",
     "t.yaml:9:17: core.array.dataflows.odd: a dimension is spread over rows and columns\n"},
    {"rows: 8", "rows: 8\n    timing: {weight_stationary: false}",
     "t.yaml:10:17: core.array.dataflows.ws: timing 'inline' does not run ws dataflows [choose a dataflow the "
     "timing runs, or another timing]\n"},
    {"int32}]", "int32}, {a: int8, b: int8, accumulator: int16}]",
     "t.yaml:10:58: core.array.precisions: int8 x int8 is listed twice [list it once]\n"},
    {"memory:\n", "memory: []\nlevels:\n",
     "t.yaml:12:1: unknown key 'levels' in the chip\n"
     "t.yaml:11:9: memory: found 0 entries; expected 2 to 8\n"},
};

START_TEST(impossible_chips_are_refused)
{
    EXPECT_ALL(impossible);
}
END_TEST

START_TEST(a_device_that_does_not_exist_is_reported)
{
    char *text = changed("1 GB/s", "1 GB/s, device: NOSUCH");
    ck_assert_ptr_null(parse(text));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "t.yaml:16:72: 'NOSUCH' is not a file of arch/dram"));
    free(text);
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_reported_at_once)
{
    static const char text[] = "name: bad\n"
                               "technology: {node: 28}\n"
                               "clocks: {core: 0 MHz}\n"
                               "cores: 2\n"
                               "cores: 3\n"
                               "core:\n"
                               "  array:\n"
                               "    rowss: 8\n"
                               "    cols: 1e3x\n"
                               "    dataflows: [ww, os]\n"
                               "    precisions: [{a: int8, b: int7, accumulator: int32}]\n"
                               "  vector: [1]\n"
                               "memory:\n"
                               "- {name: buf, kind: sram, holds: [A, B, C], capacity: 64 KiBs}\n"
                               "- {name: ddr, kind: dram, holds: A, B, C, bandwidth: two}\n";
    ck_assert_ptr_null(parse(text));
    static const char *const said[] = {
        "t.yaml:5:1: key 'cores' is already given on line 4",
        "t.yaml:2:20: technology.node: found '28', a unit is missing",
        "t.yaml:3:16: clocks.core: found '0 MHz'",
        "t.yaml:8:5: core.array: unknown key 'rowss' in core.array [did you mean 'rows'?]",
        "t.yaml:8:5: core.array.rows is missing",
        "t.yaml:9:11: core.array.cols: found '1e3x'",
        "t.yaml:10:17: 'ww' is not a file of arch/dataflows [did you mean 'ws'?]",
        "t.yaml:11:31: core.array.precisions.0.b: found 'int7'",
        "t.yaml:12:11: core.vector: found a list; expected a group of keys",
        "t.yaml:14:55: memory.buf.capacity: found '64 KiBs', unknown unit 'KiBs'",
        "t.yaml:15:37: memory.ddr: unknown key 'B' in a memory level",
        "t.yaml:15:40: memory.ddr: unknown key 'C' in a memory level",
        "t.yaml:15:54: memory.ddr.bandwidth: found 'two'",
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        ck_assert_msg(strstr(log_text(&sink), said[i]) != NULL, "missing: %s\nin: %s", said[i], log_text(&sink));
    ck_assert_uint_eq(sink.diag.errors, sizeof said / sizeof said[0]);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_io_error)
{
    struct sy_chip *chip = NULL;
    ck_assert_int_eq(sy_chip_load("no/such/chip.yaml", &options, &chip, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_chip_load("./", &options, &chip, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_chip_load("tpuv1", &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "'tpuv1' is not a file of arch/chips [did you mean 'tpu-v1'?]"));
    options.data_dir = NULL;
    ck_assert_int_eq(sy_chip_load("tpu-v1", &options, &chip, &sink.diag), SY_INPUT);
    ck_assert_ptr_null(chip);
    ck_assert_uint_eq(sink.diag.errors, 4);
}
END_TEST

/* ---- hostile bytes ---- */

/* One random edit of the kind a slip, a bad disk or an enemy makes. */
static size_t mutate(char *text, size_t length, size_t room, uint64_t *state)
{
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ": ",
                                         "- ",
                                         "\n",
                                         "'",
                                         "\"",
                                         "#",
                                         "&a",
                                         "*a",
                                         "!",
                                         "9e999",
                                         "-1",
                                         "99999999999999999999",
                                         "\t",
                                         "\xff",
                                         "inherits: tpu-v1\n",
                                         "inherits: x",
                                         "value",
                                         "source",
                                         "0",
                                         " MiB",
                                         " cycles",
                                         "unlimited"};
    size_t at = length ? next_random(state) % length : 0;
    const char *piece = pieces[next_random(state) % (sizeof pieces / sizeof pieces[0])];
    size_t size = strlen(piece), cut;
    switch (next_random(state) % 5) {
    case 0:
        text[at] = (char)next_random(state);
        return length;
    case 1:
        cut = next_random(state) % 40;
        cut = cut < length - at ? cut : length - at;
        memmove(text + at, text + at + cut, length - at - cut);
        return length - cut;
    case 2:
        return at; /* the end is missing */
    case 3:
        if (at + size <= length)
            memcpy(text + at, piece, size);
        return length;
    default:
        if (length + size > room)
            return length;
        memmove(text + at + size, text + at, length - at);
        memcpy(text + at, piece, size);
        return length + size;
    }
}

START_TEST(random_edits_of_every_preset_are_loaded_or_refused)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    const char *const *names;
    uint32_t count, accepted = 0, refused = 0;
    ck_assert_int_eq(sy_tree_list(arena, data_dir(), "arch/chips", &names, &count), SY_OK);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t state = 1000 + i;
        size_t length;
        char *original, *path = sy_arena_printf(arena, "%s/arch/chips/%s.yaml", data_dir(), names[i]);
        ck_assert_int_eq(sy_read_file(path, 1 << 20, &original, &length, &sink.diag), SY_OK);
        char *text = malloc(length + 200);
        for (int round = 0; round < 1500; round++) {
            struct sy_diag quiet = {0};
            struct sy_chip *chip = NULL;
            size_t now = length;
            memcpy(text, original, length);
            for (uint64_t edits = 1 + next_random(&state) % 3; edits; edits--)
                now = mutate(text, now, length + 200, &state);
            enum sy_status status = sy_chip_parse(text, now, "t.yaml", &options, &chip, &quiet);
            EXPECT((status == SY_OK) == (chip != NULL));
            EXPECT((status == SY_OK) == (quiet.errors == 0));
            accepted += status == SY_OK;
            refused += status != SY_OK;
            sy_chip_destroy(chip);
        }
        free(text);
        free(original);
    }
    ck_assert_uint_gt(accepted, 100); /* edits of comments and of figures that stay in range */
    ck_assert_uint_gt(refused, 1000);
    sy_arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("chip errors");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_plain_chip_is_valid);
    tcase_add_test(tcase, wrong_values_are_reported_with_place_text_and_expectation);
    tcase_add_test(tcase, wrong_keys_are_reported_with_the_nearest_or_the_right_place);
    tcase_add_test(tcase, impossible_chips_are_refused);
    tcase_add_test(tcase, a_device_that_does_not_exist_is_reported);
    tcase_add_test(tcase, all_mistakes_of_a_file_are_reported_at_once);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_an_io_error);
    tcase_add_test(tcase, random_edits_of_every_preset_are_loaded_or_refused);
    return run_case("arch/chip errors", tcase);
}
