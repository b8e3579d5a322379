/* SPDX-License-Identifier: Apache-2.0 */
/* RTL kits: words on the ports multiply to the results that are expected, and those come when the run says. */
#include "tests/unit/engine_support.h"

#include "sim/base/checked.h"
#include "sim/validate/rtl_kit.h"
#include "sim/validate/suite.h"

enum { COMMANDS = 512, FOLDS = 64, BEATS = 64, LANES = 16 };

/* What was on the ports in one fold of a command, and when it began and ended. */
struct fold {
    int32_t left[BEATS][LANES], top[BEATS][LANES], weight[LANES][LANES];
    uint64_t beats, results;
};
struct seen {
    struct fold *fold; /* COMMANDS x FOLDS */
    uint64_t first_beat[COMMANDS], last_result[COMMANDS];
    bool stepped[COMMANDS];
};

/* The kit lies in the scratch folder, which removes the files it knows. */
static const char *kit_folder(struct scratch *scratch)
{
    static const char *const files[] = {"chip.yaml",    "inputs.txt",     "outputs.txt", "schedule.csv",
                                        "measured.csv", "kit_size.svh",   "kit_tb.sv",   "dut_template.sv",
                                        "README.md",    "schedule.slt.gz"};
    scratch_start(scratch);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)scratch_file(scratch, files[i], "");
    return scratch->folder;
}

static char *kit_file(const char *directory, const char *name)
{
    char path[600];
    char *text = NULL;
    size_t length;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    ck_assert_int_eq(sy_read_file(path, 1u << 28, &text, &length, NULL), SY_OK);
    return text;
}

static struct fold *fold_of(struct seen *seen, unsigned long long command, unsigned long long fold)
{
    ck_assert_uint_lt(command, COMMANDS);
    ck_assert_uint_lt(fold, FOLDS);
    return &seen->fold[command * FOLDS + fold];
}

static void read_inputs(struct seen *seen, const char *directory)
{
    char *text = kit_file(directory, "inputs.txt"), *at = text;
    unsigned long long cycle, lane, command, fold, index, before = 0;
    unsigned value;
    int port, last, used;
    while (sscanf(at, "%llu %d %llu %llu %llu %llu %d %x\n%n", &cycle, &port, &lane, &command, &fold, &index, &last,
                  &value, &used) == 8) {
        struct fold *f = fold_of(seen, command, fold);
        ck_assert_uint_ge(cycle, before);
        ck_assert_uint_lt(lane, LANES);
        ck_assert_uint_lt(index, port == 2 ? LANES : BEATS);
        before = cycle;
        if (port == 0) {
            f->left[index][lane] = (int32_t)value;
            f->beats = sy_max(f->beats, index + 1);
            if (!seen->stepped[command])
                seen->first_beat[command] = cycle;
            seen->stepped[command] = true;
        } else if (port == 1) {
            f->top[index][lane] = (int32_t)value;
        } else if (port == 2) {
            f->weight[index][lane] = (int32_t)value;
        }
        at += used;
    }
    ck_assert_int_eq(*at, '\0');
    free(text);
}

static uint64_t check_outputs(struct seen *seen, const char *directory, bool os)
{
    char *text = kit_file(directory, "outputs.txt"), *at = text;
    unsigned long long cycle, row, col, command, fold, index;
    uint64_t results = 0;
    unsigned value;
    int used;
    while (sscanf(at, "%llu %llu %llu %llu %llu %llu %x\n%n", &cycle, &row, &col, &command, &fold, &index, &value,
                  &used) == 7) {
        struct fold *f = fold_of(seen, command, fold);
        int32_t sum = 0;
        for (uint64_t i = 0; i < (os ? f->beats : LANES); i++)
            sum += os ? f->left[i][row] * f->top[i][col] : f->left[index][i] * f->weight[i][col];
        ck_assert_msg(sum == (int32_t)value, "%s: command %llu fold %llu result %llu %llu is %d, the ports give %d",
                      directory, command, fold, index, col, (int32_t)value, sum);
        seen->last_result[command] = sy_max(seen->last_result[command], cycle);
        results++;
        at += used;
    }
    ck_assert_int_eq(*at, '\0');
    free(text);
    return results;
}

/* Each stepped tile starts and ends in the cycles of the run; its outputs are m x n for every fold of K. */
static uint64_t check_schedule(const struct seen *seen, const char *directory, bool os, uint64_t rows, uint64_t clear)
{
    char *text = kit_file(directory, "schedule.csv"), *line = strchr(text, '\n') + 1;
    unsigned long long id, m, k, n, repeat, start, streamed, done;
    uint64_t results = 0;
    char kind[16];
    int used;
    while (sscanf(line, "%llu,%15[a-z],%llu,%llu,%llu,%llu,%llu,%llu,%llu\n%n", &id, kind, &m, &k, &n, &repeat, &start,
                  &streamed, &done, &used) == 9) {
        if (!strcmp(kind, "matmul") && id < COMMANDS && seen->stepped[id]) {
            ck_assert_uint_eq(seen->first_beat[id], start);
            ck_assert_msg(seen->last_result[id] + 1 + clear == done,
                          "%s: command %llu (%llu x %llu x %llu): last result in %llu, done %llu", directory, id, m, k,
                          n, (unsigned long long)seen->last_result[id], done);
            results += m * n * (os ? 1 : (k + rows - 1) / rows);
        }
        line += used;
    }
    free(text);
    return results;
}

static void make_kit(const struct machine *m, const char *layer, const char *directory, uint64_t tiles)
{
    struct log_sink said;
    struct sy_chip *chip = machine_chip(m);
    struct sy_trace_reader *reader = NULL;
    struct sy_rtl_kit_options options = {
        .directory = directory, .data_dir = data_dir(), .seed = 3, .tiles = tiles, .memory = SY_MEMORY_SHARED};
    struct sy_diag *diag = log_start(&said);
    enum sy_status status = sy_trace_open("layer", layer, strlen(layer), &reader, diag);
    if (status == SY_OK)
        status = sy_rtl_kit_write(chip, reader, &options, diag);
    ck_assert_msg(status == SY_OK, "%s", log_text(&said));
    sy_trace_close(reader);
    log_end(&said);
    sy_chip_destroy(chip);
}

START_TEST(ports_results_and_cycles_agree_on_random_layers)
{
    static const struct {
        const char *timing, *dataflows;
        uint64_t clear; /* cycles behind the last result that count as the tile's */
    } designs[] = {{"systole-ws", "[ws]", 0}, {"systole-os", "[os]", 0},   {"dropin-ws-mesh", "[ws]", 0},
                   {"gemmini-ws", "[ws]", 0}, {"scalesim-rtl", "[ws]", 0}, {"scalesim-rtl", "[os]", 1}};
    uint64_t seed = 11;
    struct scratch scratch;
    const char *directory = kit_folder(&scratch);
    for (int round = 0; round < 60; round++) {
        struct machine m = plain_machine();
        struct seen seen = {.fold = calloc((size_t)COMMANDS * FOLDS, sizeof *seen.fold)};
        char layer[200];
        bool os = !strcmp(designs[round % 6].dataflows, "[os]");
        m.timing = designs[round % 6].timing;
        m.dataflows = designs[round % 6].dataflows;
        m.rows = draw(&seed, 2, 8);
        m.cols = draw(&seed, 2, 8);
        snprintf(
            layer, sizeof layer,
            "systole-trace 1\ngemm l m=%llu k=%llu n=%llu a=x:int8 b=w:int8 y=y:int8 tile0=%llu,%llu,%llu\nend 1\n",
            (unsigned long long)draw(&seed, 1, 40), (unsigned long long)draw(&seed, 1, 40),
            (unsigned long long)draw(&seed, 1, 40), (unsigned long long)draw(&seed, 1, 16),
            (unsigned long long)draw(&seed, 1, 16), (unsigned long long)draw(&seed, 1, 16));
        make_kit(&m, layer, directory, 12);
        read_inputs(&seen, directory);
        uint64_t results = check_outputs(&seen, directory, os);
        ck_assert_uint_eq(results, check_schedule(&seen, directory, os, m.rows, designs[round % 6].clear));
        ck_assert_uint_gt(results, 0);
        free(seen.fold);
    }
    scratch_end(&scratch);
}
END_TEST

START_TEST(the_kits_own_cycles_validate_and_a_wrong_one_is_named)
{
    struct machine m = plain_machine();
    struct scratch scratch;
    struct log_sink said;
    struct sy_validation v;
    char path[400];
    const char *directory = kit_folder(&scratch);
    m.timing = "systole-ws";
    make_kit(&m, "systole-trace 1\ngemm l m=20 k=9 n=12 a=x:int8 b=w:int8 y=y:int8 tile0=8,8,8\nend 1\n", directory, 0);
    snprintf(path, sizeof path, "%s/measured.csv", directory);
    struct sy_validate_options options = {.data_dir = data_dir(), .data = path};
    ck_assert_msg(sy_validate_run("machine", &options, &v, log_start(&said)) == SY_OK, "%s", log_text(&said));
    ck_assert_uint_eq(v.rows, 1);
    ck_assert_msg(v.row[0].exact, "%s", v.row[0].note);
    sy_validation_free(&v);
    /* Some RTL is a cycle late at the end: its last command's done. */
    char *text = kit_file(directory, "measured.csv"), *last = strrchr(text, ' ') + 1;
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%.*s%llu\n", (int)(last - text), text, strtoull(last, NULL, 10) + 1);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(sy_validate_run("machine", &options, &v, NULL), SY_OK);
    ck_assert(!v.row[0].exact);
    ck_assert_msg(strstr(v.row[0].note, "first difference: command ") && strstr(v.row[0].note, ", done in cycle "),
                  "%s", v.row[0].note);
    sy_validation_free(&v);
    free(text);
    log_end(&said);
    scratch_end(&scratch);
}
END_TEST

START_TEST(what_a_kit_cannot_hold_is_refused)
{
    struct machine m = plain_machine();
    struct log_sink said;
    struct sy_trace_reader *reader = NULL;
    struct sy_rtl_kit_options options = {.directory = "never", .data_dir = data_dir(), .memory = SY_MEMORY_SHARED};
    const char *layer = "systole-trace 1\ngemm l m=4 k=4 n=4 a=x:int8 b=w:int8 y=y:int8\nend 1\n";
    m.arrays = 2;
    struct sy_chip *chip = machine_chip(&m);
    struct sy_diag *diag = log_start(&said);
    ck_assert_int_eq(sy_trace_open("layer", layer, strlen(layer), &reader, diag), SY_OK);
    enum sy_status status = sy_rtl_kit_write(chip, reader, &options, diag);
    ck_assert_int_ne(status, SY_OK);
    ck_assert_msg(strstr(log_text(&said), "has 2 arrays; a kit is for one"), "%s", log_text(&said));
    options.tiles = SY_KIT_MAX_TILES + 1;
    ck_assert_int_eq(sy_rtl_kit_write(chip, reader, &options, diag), SY_USAGE);
    sy_trace_close(reader);
    log_end(&said);
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rtl_kit");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, ports_results_and_cycles_agree_on_random_layers);
    tcase_add_test(tc, the_kits_own_cycles_validate_and_a_wrong_one_is_named);
    tcase_add_test(tc, what_a_kit_cannot_hold_is_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
