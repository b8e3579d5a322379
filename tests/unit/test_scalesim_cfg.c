/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE-Sim configuration files: every one the projects ship, and wrong ones. */
#include "arch/import_scalesim_cfg.h"

#include "tests/unit/base_support.h"

static struct memory_sink sink;
static struct sy_arena *arena;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
}
static void teardown(void)
{
    sy_arena_destroy(arena);
}

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data != NULL ? data : ".";
}

/* Read off the files by eye. */
static const struct {
    const char *name;
    uint64_t version, height, width, ifmap, filter, ofmap;
    const char *dataflow;
    uint64_t user, bandwidth;
} shipped[] = {
    {"v1_eyeriss", 1, 12, 14, 108, 108, 108, "ws", 0, 0},
    {"v1_google", 1, 256, 256, 8192, 8192, 8192, "os", 0, 0},
    {"v1_scale", 1, 32, 32, 512, 512, 256, "os", 0, 0},
    {"v2_eyeriss", 2, 12, 14, 36, 36, 36, "ws", 0, 10},
    {"v2_google", 2, 256, 256, 6144, 6144, 2048, "ws", 0, 10},
    {"v2_scale", 2, 32, 32, 64, 64, 64, "os", 0, 10},
    {"v3_eyeriss", 3, 12, 14, 36, 36, 36, "ws", 0, 10},
    {"v3_google", 3, 256, 256, 6144, 6144, 2048, "os", 1, 10},
    {"v3_google_ramulator", 3, 256, 256, 6144, 6144, 2048, "os", 1, 10},
    {"v3_rebuttal_test_is", 3, 128, 128, 10240, 10240, 10240, "is", 1, 60},
    {"v3_rebuttal_test_is_high_bw", 3, 128, 128, 10240, 10240, 10240, "is", 1, 720},
    {"v3_rebuttal_test_os", 3, 128, 128, 10240, 10240, 10240, "os", 1, 60},
    {"v3_rebuttal_test_os_high_bw", 3, 128, 128, 10240, 10240, 10240, "os", 1, 720},
    {"v3_rebuttal_test_ws", 3, 128, 128, 10240, 10240, 10240, "ws", 1, 60},
    {"v3_rebuttal_test_ws_high_bw", 3, 128, 128, 10240, 10240, 10240, "ws", 1, 720},
    {"v3_scale", 3, 32, 32, 64, 64, 64, "ws", 0, 10},
    {"v3_scale_layout", 3, 128, 128, 256, 256, 256, "os", 1, 64},
    {"v3_sparsity", 3, 128, 128, 256, 256, 256, "ws", 1, 50},
    {"v3_tpuv5e_downscale", 3, 128, 128, 4096, 4096, 8192, "ws", 1, 60},
};
enum { SHIPPED = sizeof shipped / sizeof shipped[0] };

static void remember_errors(void *ctx, const struct sy_diag_msg *msg)
{
    if (msg->severity == SY_SEV_ERROR) {
        remember(ctx, msg);
    }
}

static enum sy_status parse(const char *text, struct sy_scalesim_cfg *cfg)
{
    return sy_scalesim_cfg_parse(arena, text, strlen(text), "t.cfg", cfg, sink_start(&sink));
}

START_TEST(every_shipped_file_reads_and_makes_a_chip)
{
    for (int i = 0; i < SHIPPED; i++) {
        char path[1024];
        char *text;
        size_t length;
        struct sy_scalesim_cfg cfg;
        snprintf(path, sizeof path, "%s/tests/golden/scalesim_configs/%s.cfg", root(), shipped[i].name);
        ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
        enum sy_status status = sy_scalesim_cfg_parse(arena, text, length, path, &cfg, sink_start(&sink));
        free(text);
        ck_assert_msg(status == SY_OK, "%s: %s", path, sink.message);
        ck_assert_uint_eq(cfg.version, shipped[i].version);
        ck_assert_uint_eq(cfg.array_height, shipped[i].height);
        ck_assert_uint_eq(cfg.array_width, shipped[i].width);
        ck_assert_uint_eq(cfg.sram_kb[0], shipped[i].ifmap);
        ck_assert_uint_eq(cfg.sram_kb[1], shipped[i].filter);
        ck_assert_uint_eq(cfg.sram_kb[2], shipped[i].ofmap);
        ck_assert_str_eq(cfg.dataflow, shipped[i].dataflow);
        ck_assert_uint_eq(cfg.user_bandwidth, shipped[i].user);
        ck_assert_uint_eq(cfg.bandwidth[0], shipped[i].bandwidth);

        struct sy_chip_options options = {.data_dir = root()};
        struct sy_chip *chip;
        status = sy_chip_from_scalesim_cfg(path, &options, &chip, sink_start(&sink));
        ck_assert_msg(status == SY_OK, "%s: %u: %s", path, sink.line, sink.message);
        ck_assert_uint_eq(chip->array.rows, shipped[i].height);
        ck_assert_uint_eq(chip->array.cols, shipped[i].width);
        ck_assert_uint_eq(chip->level[0].capacity_bytes, shipped[i].ifmap << 10);
        ck_assert_uint_eq(chip->level[1].capacity_bytes, shipped[i].filter << 10);
        ck_assert_uint_eq(chip->level[2].capacity_bytes, shipped[i].ofmap << 10);
        ck_assert_str_eq(chip->array.dataflow[0].name, shipped[i].dataflow);
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(version_3_fields_are_all_there)
{
    struct sy_scalesim_cfg cfg;
    char path[1024];
    char *text;
    size_t length;
    snprintf(path, sizeof path, "%s/tests/golden/scalesim_configs/v3_sparsity.cfg", root());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_scalesim_cfg_parse(arena, text, length, path, &cfg, sink_start(&sink)), SY_OK);
    free(text);
    ck_assert_int_eq(sink.calls, 0);
    ck_assert_str_eq(cfg.run_name, "scalesim_sparsity");
    ck_assert_uint_eq(cfg.offset[1], 100);
    ck_assert_uint_eq(cfg.offset[2], 200);
    ck_assert_uint_eq(cfg.read_request_buffer, 128);
    ck_assert_uint_eq(cfg.write_request_buffer, 128);
    ck_assert_uint_eq(cfg.sparsity_support, 1);
    ck_assert_uint_eq(cfg.optimized_mapping, 1);
    ck_assert_str_eq(cfg.sparse_rep, "ellpack_block");
    ck_assert_uint_eq(cfg.block_size, 8);
    ck_assert_uint_eq(cfg.random_seed, 40);
    ck_assert_uint_eq(cfg.has_layout, 1);
    ck_assert_uint_eq(cfg.bank_bandwidth[0], 50);
    ck_assert_uint_eq(cfg.bank_num[1], 1);
    ck_assert_uint_eq(cfg.bank_port[1], 2);
    ck_assert_uint_eq(cfg.use_ramulator_trace, 0);
}
END_TEST

#define HEAD                                                                                                           \
    "[architecture_presets]\nArrayHeight: 8\nArrayWidth: 8\nIfmapSramSzkB: 1\nFilterSramSzkB: 1\nOfmapSramSzkB: 1\n"

START_TEST(wrong_values_name_line_and_column)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *says;
    } cases[] = {
        {HEAD "Dataflow: oss\n", 7, 11, "did you mean 'os'"},
        {HEAD "Dataflow: OS\n", 7, 11, "Dataflow is 'OS'"},
        {HEAD "Dataflow: os\nBandwidth: 10, x\n", 8, 12, "Bandwidth is '10, x'"},
        {HEAD "Dataflow: os\nBandwidth:\n", 8, 11, "Bandwidth is ''"},
        {HEAD "Dataflow: os\n[run_presets]\nInterfaceBandwidth: calc\n", 9, 21, "did you mean 'CALC'"},
        {HEAD "Dataflow: os\n[run_presets]\nInterfaceBandwidth: USER\n", 0, 0, "Bandwidth of [architecture_presets]"},
        {HEAD "Dataflow: os\narrayheight = 9\n", 8, 1, "appears twice, first in line 2"},
        {HEAD "Dataflow: os\n[sparsity]\nSparsitySupport: maybe\n", 9, 18, "true or false"},
        {HEAD "Dataflow: os\nnonsense\n", 8, 1, "assigns nothing"},
        {HEAD "Dataflow: os\n[layout\n", 8, 1, "closing"},
        {HEAD, 0, 0, "Dataflow of [architecture_presets] is missing"},
        {"ArrayHeight: 8\n", 1, 1, "before the first section"},
        {"[architecture_presets]\nArrayHeight: 0\n", 2, 14, "ArrayHeight is '0', expected at least 1"},
        {"[architecture_presets]\nArrayHeight:  -8\n", 2, 15, "'-8'"},
        {"[architecture_presets]\nArrayHeight: eight\n", 2, 14, "'eight'"},
        {"[architecture_presets]\nIfmapSramSz: 1,512\n", 2, 14, "sweep"},
        {"", 0, 0, "is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_scalesim_cfg cfg;
        sink_start(&sink);
        sink.diag.fn = remember_errors;
        sink.diag.max_errors = cases[i].line != 0 ? 1 : 0; /* the missing keys come last */
        enum sy_status status =
            sy_scalesim_cfg_parse(arena, cases[i].text, strlen(cases[i].text), "t", &cfg, &sink.diag);
        ck_assert_msg(status == SY_INPUT, "%s", cases[i].text);
        ck_assert_msg(strstr(sink.message, cases[i].says) != NULL, "%s -> %s", cases[i].text, sink.message);
        ck_assert_uint_eq(sink.line, cases[i].line);
        ck_assert_uint_eq(sink.column, cases[i].column);
    }
}
END_TEST

START_TEST(unknown_keys_and_sections_are_warnings)
{
    struct sy_scalesim_cfg cfg;
    ck_assert_int_eq(parse(HEAD "Dataflow: os\nBandwith: 10\n", &cfg), SY_OK);
    ck_assert_uint_eq(sink.diag.warnings, 1);
    ck_assert_ptr_nonnull(strstr(sink.message, "did you mean 'Bandwidth'"));
    ck_assert_uint_eq(sink.line, 8);
    ck_assert_int_eq(parse(HEAD "Dataflow: os\n[extra]\nx: 1\ny: 2\n", &cfg), SY_OK);
    ck_assert_uint_eq(sink.diag.warnings, 1);
    ck_assert_uint_eq(cfg.version, 2);
}
END_TEST

START_TEST(any_run_name_survives_the_way_to_a_chip)
{
    struct sy_scalesim_cfg cfg;
    struct sy_buf yaml = {0};
    ck_assert_int_eq(parse("[general]\nrun_name = \"a \\ \"b\": {#}\x01\xff\"\n" HEAD "Dataflow: ws\n", &cfg), SY_OK);
    sy_scalesim_cfg_to_yaml(&cfg, &yaml);
    struct sy_chip_options options = {.data_dir = root()};
    struct sy_chip *chip;
    ck_assert_int_eq(sy_chip_parse(yaml.data, yaml.length, "t", &options, &chip, sink_start(&sink)), SY_OK);
    ck_assert_str_eq(chip->description, "a \\ \"b\": {#}  ");
    sy_chip_destroy(chip);
    sy_buf_free(&yaml);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("scalesim_cfg");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_shipped_file_reads_and_makes_a_chip);
    tcase_add_test(tcase, version_3_fields_are_all_there);
    tcase_add_test(tcase, wrong_values_name_line_and_column);
    tcase_add_test(tcase, unknown_keys_and_sections_are_warnings);
    tcase_add_test(tcase, any_run_name_survives_the_way_to_a_chip);
    return run_case("arch/import_scalesim_cfg", tcase);
}
