/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE-Sim runs from the tool's own configuration and topology files to its report files. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "sim/engine/scalesim.h"
#include "tests/unit/run_support.h"

static char base[128]; /* scratch directory of one test */

static void setup(void)
{
    const char *scratch = getenv("TMPDIR");
    snprintf(base, sizeof base, "%s/scalesim_run_XXXXXX", scratch ? scratch : P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(base));
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(inner) != 0)
            remove_tree(inner);
    }
    if (directory)
        closedir(directory);
    (void)rmdir(path);
}
static void teardown(void)
{
    remove_tree(base);
}

static const char *golden(const char *name)
{
    static char path[2][4096];
    static int turn;
    const char *root = getenv("SYSTOLE_DATA");
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/tests/golden/%s", root ? root : ".", name);
    return path[turn];
}

static char *read_text(const char *path)
{
    char *data;
    size_t length;
    ck_assert_int_eq(sy_read_file(path, 1u << 20, &data, &length, NULL), SY_OK);
    return data;
}

static const char *write_text(const char *name, const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", base, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

/* A shipped configuration with words of it replaced: from, to, from, to, NULL. Every `from` must be there. */
static const char *edited_cfg(const char *name, const char *const *edits)
{
    char *text = read_text(golden(name));
    struct sy_buf out = {0};
    for (; *edits; edits += 2) {
        char *at = strstr(text, edits[0]);
        ck_assert_msg(at != NULL, "%s has no '%s'", name, edits[0]);
        sy_buf_clear(&out);
        sy_buf_append(&out, text, (size_t)(at - text));
        sy_buf_puts(&out, edits[1]);
        sy_buf_puts(&out, at + strlen(edits[0]));
        free(text);
        text = strdup(out.data);
    }
    const char *path = write_text("edited.cfg", text);
    sy_buf_free(&out);
    free(text);
    return path;
}

static void check_file(const char *run_name, const char *report, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/reports/%s/%s", base, run_name, report);
    char *written = read_text(path), *expected = read_text(golden(name));
    ck_assert_str_eq(written, expected);
    free(written);
    free(expected);
}

static enum sy_status run_files(enum sy_scalesim_version version, const char *cfg, const char *topology,
                                const char *kind, struct sy_scalesim_run *run, struct sy_diag *diag)
{
    static char directory[160];
    snprintf(directory, sizeof directory, "%s/reports", base);
    struct sy_scalesim_run_options options = {
        .version = version, .cfg = cfg, .topology = topology, .kind = kind, .directory = directory};
    return sy_scalesim_run(&options, run, diag);
}

#define ALEXNET "scalesim_topologies/conv_nets/alexnet_part.csv"
#define SPARSE_ALEXNET "scalesim_topologies/sparsity/alexnet_part.csv"
#define GEMM "scalesim_topologies/GEMM_mnk/test_mnk_input.v3.csv"

START_TEST(the_sparse_run_of_the_project_gives_its_four_reports)
{
    struct sy_scalesim_run run;
    ck_assert_int_eq(
        run_files(SY_SCALESIM_V3, golden("scalesim_configs/v3_sparsity.cfg"), golden(SPARSE_ALEXNET), NULL, &run, NULL),
        SY_OK);
    ck_assert_str_eq(run.run_name, "scalesim_sparsity");
    ck_assert_uint_eq(run.layers, 1);
    ck_assert_str_eq(run.name[0], "Conv1");
    for (int i = 0; i < SY_SCALESIM_REPORTS; i++) {
        char name[128];
        snprintf(name, sizeof name, "scalesim_reports/v3_sparsity_%s", sy_scalesim_report_files[i]);
        check_file(run.run_name, sy_scalesim_report_files[i], name);
    }
    sy_scalesim_run_free(&run);
}
END_TEST

START_TEST(the_calc_run_of_the_project_gives_its_reports)
{
    struct sy_scalesim_run run;
    ck_assert_int_eq(
        run_files(SY_SCALESIM_V3, golden("scalesim_configs/v3_scale.cfg"), golden(ALEXNET), "conv", &run, NULL), SY_OK);
    check_file(run.run_name, "COMPUTE_REPORT.csv", "scalesim_reports/v3_golden_trace_calc_COMPUTE.csv");
    check_file(run.run_name, "BANDWIDTH_REPORT.csv", "scalesim_reports/v3_golden_trace_calc_BANDWIDTH.csv");
    check_file(run.run_name, "DETAILED_ACCESS_REPORT.csv", "scalesim_reports/v3_golden_trace_calc_DETAILED_ACCESS.csv");
    sy_scalesim_run_free(&run);
}
END_TEST

START_TEST(the_user_runs_of_the_project_give_their_reports)
{
    static const char *const dataflows[] = {"os", "ws", "is"};
    char dataflow[32], name[128];
    struct sy_scalesim_run run;
    snprintf(dataflow, sizeof dataflow, "Dataflow : %s", dataflows[_i]);
    const char *const edits[] = {"Dataflow : ws", dataflow, "InterfaceBandwidth: CALC", "InterfaceBandwidth: USER",
                                 NULL};
    ck_assert_int_eq(
        run_files(SY_SCALESIM_V3, edited_cfg("scalesim_configs/v3_scale.cfg", edits), golden(GEMM), "gemm", &run, NULL),
        SY_OK);
    static const char *const reports[] = {"COMPUTE", "BANDWIDTH", "DETAILED_ACCESS"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "scalesim_reports/v3_golden_trace_user_%s_%s.csv", dataflows[_i], reports[i]);
        check_file(run.run_name, sy_scalesim_report_files[i], name);
    }
    sy_scalesim_run_free(&run);
}
END_TEST

/* v2_scale.cfg is an os array; v2's own golden is the ws one. COMPUTE_REPORT was written by a later Python. */
START_TEST(the_v2_run_of_the_project_gives_its_reports)
{
    static const char *const edits[] = {"run_name = scale_example_run_32x32_os", "run_name = v2", "Dataflow : os",
                                        "Dataflow : ws", NULL};
    struct sy_scalesim_run run;
    ck_assert_int_eq(run_files(SY_SCALESIM_V2, edited_cfg("scalesim_configs/v2_scale.cfg", edits), golden(ALEXNET),
                               NULL, &run, NULL),
                     SY_OK);
    check_file("v2", "BANDWIDTH_REPORT.csv", "scalesim_reports/v2_golden_trace_BANDWIDTH.csv");
    check_file("v2", "DETAILED_ACCESS_REPORT.csv", "scalesim_reports/v2_golden_trace_DETAILED_ACCESS.csv");
    sy_scalesim_run_free(&run);
}
END_TEST

START_TEST(depthwise_layers_are_one_layer_a_channel_and_simulated_once)
{
    const char *topology =
        write_text("dp.csv", "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,"
                             "Channels,Num Filter,Strides,\nConvDP,10,10,3,3,5,1,1,\nConv,9,9,1,1,4,6,1,\n");
    struct sy_scalesim_run run;
    ck_assert_int_eq(run_files(SY_SCALESIM_V3, golden("scalesim_configs/v3_scale.cfg"), topology, "conv", &run, NULL),
                     SY_OK);
    ck_assert_uint_eq(run.layers, 6);
    ck_assert_uint_eq(run.distinct, 2);
    ck_assert_str_eq(run.name[4], "ConvDPChannel_4");
    for (size_t i = 1; i < 5; i++)
        ck_assert_uint_eq(run.result[i].total_cycles, run.result[0].total_cycles);
    ck_assert_uint_ne(run.result[5].total_cycles, run.result[0].total_cycles);
    sy_scalesim_run_free(&run);
}
END_TEST

struct heard {
    char text[512];
    struct sy_diag diag;
};
static void hear(void *context, const struct sy_diag_msg *message)
{
    struct heard *heard = context;
    if (message->severity == SY_SEV_ERROR)
        snprintf(heard->text, sizeof heard->text, "%s", message->message);
}

static void check_fails(const char *cfg, const char *topology, enum sy_status expected, const char *says)
{
    struct heard heard = {.diag = {.fn = hear}};
    struct sy_scalesim_run run;
    char path[160];
    heard.diag.ctx = &heard;
    ck_assert_int_eq(run_files(SY_SCALESIM_V3, cfg, topology, "conv", &run, &heard.diag), expected);
    ck_assert_msg(strstr(heard.text, says) != NULL, "'%s' does not say '%s'", heard.text, says);
    ck_assert_ptr_null(run.arena);
    snprintf(path, sizeof path, "%s/reports", base);
    ck_assert_int_ne(access(path, F_OK), 0); /* nothing was written */
}

START_TEST(a_run_that_fails_says_why_and_writes_nothing)
{
    static const char *const slash[] = {"run_name = scale_example_run_32x32_ws", "run_name = ../elsewhere", NULL};
    static const char *const layout[] = {"IfmapCustomLayout: False", "IfmapCustomLayout: True",
                                         "InterfaceBandwidth: CALC", "InterfaceBandwidth: USER", NULL};
    static const char *const tiny[] = {"ArrayHeight:    32",
                                       "ArrayHeight: 1",
                                       "ArrayWidth:     32",
                                       "ArrayWidth: 1",
                                       "Dataflow : ws",
                                       "Dataflow : os",
                                       NULL};
    check_fails("no/such.cfg", golden(ALEXNET), SY_IO, "");
    check_fails(golden("scalesim_configs/v3_scale.cfg"), "no/such.csv", SY_IO, "");
    check_fails(edited_cfg("scalesim_configs/v3_scale.cfg", slash), golden(ALEXNET), SY_INPUT, "../elsewhere");
    check_fails(edited_cfg("scalesim_configs/v3_scale.cfg", layout), golden(ALEXNET), SY_INPUT,
                "layer 0 (Conv1): SCALE-Sim stops with IndexError: a custom layout needs a layout file");
    char topology[256];
    snprintf(topology, sizeof topology, "%s",
             write_text("two.csv", "name,h,w,fh,fw,c,n,s,\nA,4,4,2,2,1,1,1,\nB,1,1,1,1,1,1,1,\n"));
    check_fails(edited_cfg("scalesim_configs/v3_scale.cfg", tiny), topology, SY_INPUT,
                "layer 1 (B): SCALE-Sim stops with ZeroDivisionError");
}
END_TEST

/* Row 2 of scalesim_random_layout.csv, from files. */
START_TEST(a_layout_file_is_read_and_counts)
{
    char cfg[256], topology[256], layout[256];
    struct sy_scalesim_run run;
    snprintf(cfg, sizeof cfg, "%s",
             write_text("layout.cfg",
                        "[general]\nrun_name = l\n[architecture_presets]\nArrayHeight: 9\nArrayWidth: 216\n"
                        "IfmapSramSzkB: 4\nFilterSramSzkB: 8\nOfmapSramSzkB: 8\nIfmapOffset: 0\n"
                        "FilterOffset: 0\nOfmapOffset: 20000000\nBandwidth: 31\nDataflow: os\n"
                        "ReadRequestBuffer: 32\nWriteRequestBuffer: 32\n[layout]\n"
                        "IfmapCustomLayout: True\nIfmapSRAMBankBandwidth: 80\nIfmapSRAMBankNum: 8\n"
                        "IfmapSRAMBankPort: 2\nFilterCustomLayout: False\nFilterSRAMBankBandwidth: 7\n"
                        "FilterSRAMBankNum: 1\nFilterSRAMBankPort: 1\n[sparsity]\n"
                        "SparsitySupport: false\n[run_presets]\nInterfaceBandwidth: USER\n"
                        "UseRamulatorTrace: False\n"));
    snprintf(topology, sizeof topology, "%s", write_text("l.csv", "name,h,w,fh,fw,c,n,s,\nA,9,6,2,2,1,1,1,\n"));
    snprintf(layout, sizeof layout, "%s",
             write_text("layout.csv", "name\n\nA,8,8,1,7,1,1,0,5,4,3,2,1,5,1,3,2,6,4,0,7,\nB,1,\n"));
    struct sy_scalesim_run_options options = {
        .version = SY_SCALESIM_V3, .cfg = cfg, .topology = topology, .layout = layout};
    ck_assert_int_eq(sy_scalesim_run(&options, &run, NULL), SY_OK);
    ck_assert_uint_eq(run.result[0].total_cycles, 1134);
    ck_assert_uint_eq(run.result[0].cycles_with_prefetch, 1259);
    sy_scalesim_run_free(&run);
}
END_TEST

static int stop_at_once(void *context, size_t done, size_t layers)
{
    size_t *seen = context;
    *seen = done * 100 + layers;
    return 1;
}

START_TEST(a_run_can_be_stopped)
{
    size_t seen = 0;
    struct sy_scalesim_run run;
    struct sy_scalesim_run_options options = {.version = SY_SCALESIM_V3,
                                              .cfg = golden("scalesim_configs/v3_scale.cfg"),
                                              .topology = golden(ALEXNET),
                                              .progress = stop_at_once,
                                              .progress_context = &seen};
    ck_assert_int_eq(sy_scalesim_run(&options, &run, NULL), SY_INTERRUPTED);
    ck_assert_uint_eq(seen, 101);
    options.progress = NULL;
    options.version = SY_SCALESIM_V1;
    ck_assert_int_eq(sy_scalesim_run(&options, &run, NULL), SY_UNSUPPORTED);
    options.version = SY_SCALESIM_V3;
    options.layout = "no/such/layout.csv";
    ck_assert_int_eq(sy_scalesim_run(&options, &run, NULL), SY_IO);
    options.layout = NULL;
    ck_assert_int_eq(sy_scalesim_run(&options, &run, NULL), SY_OK); /* no directory: no files */
    sy_scalesim_run_free(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scalesim_run");
    TCase *runs = tcase_create("runs");
    tcase_add_checked_fixture(runs, setup, teardown);
    tcase_add_test(runs, the_sparse_run_of_the_project_gives_its_four_reports);
    tcase_add_test(runs, the_calc_run_of_the_project_gives_its_reports);
    tcase_add_loop_test(runs, the_user_runs_of_the_project_give_their_reports, 0, 3);
    tcase_add_test(runs, the_v2_run_of_the_project_gives_its_reports);
    tcase_add_test(runs, depthwise_layers_are_one_layer_a_channel_and_simulated_once);
    tcase_add_test(runs, a_run_that_fails_says_why_and_writes_nothing);
    tcase_add_test(runs, a_layout_file_is_read_and_counts);
    tcase_add_test(runs, a_run_can_be_stopped);
    suite_add_tcase(suite, runs);
    return run_suite(suite);
}
