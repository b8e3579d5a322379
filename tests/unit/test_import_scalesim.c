/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE-Sim topology import, on every topology the projects ship and on small texts. */
#include "sim/base/csv.h"
#include "tests/unit/base_support.h"
#include "workloads/import/importer.h"

/* Remembers every message, the number of those that say "repaired", and where the last error was. */
struct log {
    struct sy_diag diag;
    char text[16384];
    int repairs;
    uint32_t error_line, error_column;
};

static void note(void *ctx, const struct sy_diag_msg *msg)
{
    struct log *log = ctx;
    size_t used = strlen(log->text);
    snprintf(log->text + used, sizeof log->text - used, "%u: %s\n", msg->where.line, msg->message);
    log->repairs += msg->severity == SY_SEV_WARNING && strncmp(msg->message, "repaired", 8) == 0;
    if (msg->severity == SY_SEV_ERROR && log->error_line == 0) {
        log->error_line = msg->where.line;
        log->error_column = msg->where.column;
    }
}

static struct log log_;
static struct sy_workload *workload;

static struct sy_diag *fresh(void)
{
    memset(&log_, 0, sizeof log_);
    log_.diag.fn = note;
    log_.diag.ctx = &log_;
    return &log_.diag;
}

static void teardown(void)
{
    sy_workload_destroy(workload);
    workload = NULL;
}

extern const struct sy_importer sy_importer_scalesim;

static enum sy_status import_with(const char *text, const struct sy_import_options *options)
{
    sy_workload_destroy(workload);
    return sy_importer_scalesim.import("t.csv", text, strlen(text), options, &workload, fresh());
}

static enum sy_status import(const char *text)
{
    static const struct sy_import_options none;
    return import_with(text, &none);
}

static const struct sy_layer *layer_at(uint64_t index)
{
    const struct sy_workload_record *record = workload->first;
    while (index-- > 0) {
        record = record->next;
    }
    return &record->layer;
}

static const char *data_path(const char *name)
{
    static char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/tests/golden/scalesim_topologies/%s", root != NULL ? root : ".", name);
    return path;
}

#define CONV "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
#define GEMM "Layer, M, N, K,\n"

/* What either version loads must import with as many layers as it counted; the rest is repaired or names its line. */
START_TEST(every_shipped_topology_imports_or_names_its_line)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char *text;
    size_t length;
    struct sy_csv results;
    ck_assert_int_eq(sy_read_file(data_path("load_results.csv"), 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "results", &results, NULL), SY_OK);
    int accepted = 0, repaired = 0, refused = 0;
    for (size_t i = 1; i < results.rows; i++) {
        if (results.row[i].fields < 5) {
            continue;
        }
        char **field = results.row[i].field;
        bool loads = strcmp(field[3], "1") == 0;
        struct sy_import_options options = {.kind = field[2]};
        sy_workload_destroy(workload);
        enum sy_status status = sy_import_file(data_path(field[1]), NULL, loads ? &options : NULL, &workload, fresh());
        if (loads) {
            ck_assert_msg(status == SY_OK, "%s: %s", field[1], log_.text);
            uint64_t layers = strtoull(field[4] + strlen("ok "), NULL, 10);
            ck_assert_msg(workload->records == layers, "%s: %lu layers, expected %s", field[1],
                          (unsigned long)workload->records, field[4]);
            accepted++;
        } else if (status == SY_OK) {
            ck_assert_msg(log_.diag.warnings > 0, "%s loads silently", field[1]);
            repaired++;
        } else {
            ck_assert_int_eq(status, SY_INPUT);
            ck_assert_msg(log_.error_line > 0, "%s: %s", field[1], log_.text);
            refused++;
        }
        struct sy_workload_totals totals;
        ck_assert(workload == NULL || (sy_workload_totals(workload, &totals) && totals.macs > 0));
    }
    ck_assert_int_ge(accepted, 60);
    ck_assert_int_ge(repaired, 5);
    ck_assert_int_ge(refused, 1);
    sy_arena_destroy(arena);
    free(text);
}
END_TEST

START_TEST(conv_has_the_ceil_output_size_and_warns_where_floor_differs)
{
    ck_assert_int_eq(import(CONV "a, 6, 6, 3, 3, 4, 8, 2,\nb, 7, 7, 3, 3, 4, 8, 2,\n"), SY_OK);
    const struct sy_conv_dims *d = &layer_at(0)->dim.conv;
    ck_assert_uint_eq(d->oh, 3);
    ck_assert_uint_eq(d->ow, 3);
    ck_assert_uint_eq(d->c, 4);
    ck_assert_uint_eq(d->n, 8);
    ck_assert_uint_eq(d->sw, 2);
    ck_assert_uint_eq(layer_at(1)->dim.conv.oh, 3);
    ck_assert_uint_eq(log_.diag.warnings, 1);
    ck_assert_ptr_nonnull(strstr(log_.text, "2: layer 'a': output 3 x 3"));
}
END_TEST

START_TEST(gemm_columns_are_m_n_k)
{
    ck_assert_int_eq(import(GEMM "x, 10, 20, 30,\r\n"), SY_OK);
    const struct sy_gemm_dims *d = &layer_at(0)->dim.gemm;
    ck_assert_uint_eq(d->m, 10);
    ck_assert_uint_eq(d->n, 20);
    ck_assert_uint_eq(d->k, 30);
    ck_assert_uint_eq(log_.diag.warnings, 0);
    ck_assert_str_eq(layer_at(0)->name, "x");
    ck_assert_int_eq(import("Layer, M, K, N,\nx, 10, 20, 30,\n"), SY_INPUT);
    ck_assert_uint_eq(log_.error_column, 10);
}
END_TEST

START_TEST(sparsity_second_stride_and_depthwise)
{
    ck_assert_int_eq(
        import("Layer Name, M, N, K, Sparsity,\nx, 3, 5, 16, 3:4,\ny, 3, 5, 16, 1:1,\nz, 3, 5, 16, 4:4,\n"), SY_OK);
    ck_assert_uint_eq(layer_at(0)->sparsity.keep, 3);
    ck_assert_uint_eq(layer_at(0)->sparsity.group, 4);
    ck_assert_uint_eq(layer_at(1)->sparsity.group, 0);
    ck_assert_uint_eq(layer_at(2)->sparsity.keep, 4); /* keeps all, but is stored with its metadata */
    ck_assert_uint_eq(layer_at(2)->sparsity.group, 4);
    ck_assert_int_eq(import(GEMM "x, 3, 5, 16, 5:4,\n"), SY_INPUT);
    ck_assert_int_eq(import(CONV "x, 9, 9, 3, 3, 1, 1, 2, 3,\n"), SY_OK);
    ck_assert_uint_eq(layer_at(0)->dim.conv.sh, 2);
    ck_assert_uint_eq(layer_at(0)->dim.conv.sw, 3);
    ck_assert_int_eq(import(CONV "DPT_head, 1, 1, 1, 1, 8, 16, 1,\n"), SY_OK);
    ck_assert_uint_eq(layer_at(0)->dim.conv.groups, 8);
    ck_assert_uint_eq(layer_at(0)->dim.conv.n, 128);
    ck_assert_uint_eq(sy_layer_macs(layer_at(0)), 8 * 16);
}
END_TEST

START_TEST(repairs_are_stated)
{
    ck_assert_int_eq(import(CONV ",,,,,,,,\nNet,\na, 6, 6, 3, 3, 4, 8, 1\n"), SY_OK);
    ck_assert_uint_eq(workload->records, 1);
    ck_assert_int_eq(log_.repairs, 3);
    ck_assert_ptr_nonnull(strstr(log_.text, "2: repaired: 1 lines of commas only"));
    ck_assert_ptr_nonnull(strstr(log_.text, "3: repaired: 'Net'"));
    ck_assert_ptr_nonnull(strstr(log_.text, "4: repaired: 1 lines have no trailing comma"));
    ck_assert_int_eq(import("a, 6, 6, 3, 3, 4, 8, 1,\n"), SY_OK); /* no header */
    ck_assert_uint_eq(workload->records, 1);
    ck_assert_uint_eq(log_.diag.warnings, 1);
    ck_assert_int_eq(import(CONV "a, 6, 6, 3, 3, 4, 8, 1,#dw\n# all\n"), SY_OK);
    ck_assert_uint_eq(log_.diag.warnings, 0);
    ck_assert_uint_eq(workload->records, 1);
    ck_assert_int_eq(import("Layer\tM\tN\tK\t\nx\t1\t2\t3\t\n"), SY_OK);
    ck_assert_int_eq(log_.repairs, 1);
}
END_TEST

START_TEST(wrong_rows_are_all_named)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *says;
    } cases[] = {
        {CONV "a, 6, 6, 3, 3, 4, 8,\n", 2, "strides"},
        {CONV "a, 6, 6, 3, 3, 4, 8, 1,\nb, 6, 6, 3, , 4, 8, 1,\n", 3, "filter width is ''"},
        {CONV "a, 6, 6, 3, 3, B, 8, 1,\n", 2, "'B'"},
        {CONV "a, 6, 6, 3, 3, -4, 8, 1,\n", 2, "'-4'"},
        {CONV "a, 6, 6, 3, 3, 4.5, 8, 1,\n", 2, "'4.5'"},
        {CONV "a, 6, 6, 3, 3, 0, 8, 1,\n", 2, "conv c is 0"},
        {CONV "a, 6, 6, 3, 3, 4, 8, 0,\n", 2, "conv sh is 0"},
        {CONV "a, 2, 6, 3, 3, 4, 8, 1,\n", 2, "larger than the input"},
        {CONV "a, 0, 6, 0, 3, 4, 8, 1,\n", 2, "conv h is 0"},
        {CONV "a, 6, 6, 3, 3, 99999999999999999999, 8, 1,\n", 2, "channels is"},
        {CONV "a, 6, 6, 3, 3, 4, 8, 18446744073709551615,\n", 2, "conv sh is"},
        {CONV "DP, 6, 6, 3, 3, 9999999999, 9999999999, 1,\n", 2, "64 bits"},
        {GEMM "a, 1099511627776, 1099511627776, 4,\n", 2, "64 bits"},
        {GEMM "a, 0, 1, 4,\n", 2, "gemm m is 0"},
        {GEMM "\n\n\n", 0, "no layers"},
        {"\n\n", 1, "no layers"},
        {"hello\nworld\n", 1, "not the header"},
        {"Layer name,ifmap_h_intraline,ifmap_w_intraline\nx,1,2\n", 1, "not the header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(import(cases[i].text) == SY_INPUT, "%s", cases[i].text);
        ck_assert_ptr_null(workload);
        ck_assert_msg(strstr(log_.text, cases[i].says) != NULL, "%s -> %s", cases[i].text, log_.text);
        ck_assert_uint_eq(log_.error_line, cases[i].line);
    }
    ck_assert_int_eq(import(CONV "a, 6, 6, 3, 3, 4, 8,\nb, 6, 6, 3, 3, x, 8, 1,\nc, 1, 1, 1, 1, 1, 0, 1,\n"), SY_INPUT);
    ck_assert_uint_eq(log_.diag.errors, 3);
}
END_TEST

START_TEST(options_set_kind_precision_batch_and_symbols)
{
    const char *dims[] = {"A=1", "B=7", "C=0", NULL};
    struct sy_import_options options = {
        .dims = dims, .batch = 3, .has_dtype = true, .activation = SY_BF16, .weight = SY_FP8, .accumulator = SY_FP32};
    ck_assert_int_eq(import_with(GEMM "x, B, 2, 3,\n", &options), SY_OK);
    ck_assert_uint_eq(layer_at(0)->dim.gemm.m, 7);
    ck_assert_uint_eq(sy_layer_macs(layer_at(0)), 3 * 7 * 2 * 3);
    ck_assert_uint_eq(sy_layer_parameters(layer_at(0)), 6); /* one B for the batch */
    ck_assert_int_eq(layer_at(0)->in[0].dtype, SY_BF16);
    ck_assert_int_eq(layer_at(0)->in[1].dtype, SY_FP8);
    ck_assert_int_eq(layer_at(0)->accumulator, SY_FP32);
    ck_assert_int_eq(import_with(GEMM "x, C, 2, 3,\n", &options), SY_INPUT);
    options.kind = "gemm";
    ck_assert_int_eq(import_with(CONV "a, 6, 6, 3, 3, 4, 8, 1,\n", &options), SY_INPUT);
    options.kind = "fc";
    ck_assert_int_eq(import_with(GEMM "x, 1, 2, 3,\n", &options), SY_USAGE);
}
END_TEST

START_TEST(files_that_are_none_are_refused)
{
    ck_assert_int_eq(sy_import_file(data_path("."), NULL, NULL, &workload, fresh()), SY_IO);
    ck_assert_ptr_nonnull(strstr(log_.text, "directory"));
    ck_assert_int_eq(sy_import_file(data_path("none.csv"), NULL, NULL, &workload, fresh()), SY_IO);
    ck_assert_int_eq(sy_import_file(data_path("README.md"), NULL, NULL, &workload, fresh()), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(log_.text, "no importer"));
    ck_assert_int_eq(sy_import_file(data_path("README.md"), "scalsim", NULL, &workload, fresh()), SY_USAGE);
    ck_assert_ptr_nonnull(strstr(log_.text, "did you mean 'scalesim'"));
    FILE *file = fopen("empty_topology.csv.tmp", "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(sy_import_file("empty_topology.csv.tmp", NULL, NULL, &workload, fresh()), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(log_.text, "empty"));
    remove("empty_topology.csv.tmp");
}
END_TEST

/* Bytes changed at random: a verdict, never a crash; an accepted file has layers. */
START_TEST(damaged_files_are_judged)
{
    uint64_t seed = 8;
    static const char base[] =
        CONV "Conv1, 224, 224, 7, 7, 3, 64, 2,\nC2, 56, 56, 1, 1, 64, 64, 1, 2:4,\nFC,1,1,1,1,2048,1000,1,\n";
    int good = 0;
    for (int round = 0; round < 3000; round++) {
        char text[sizeof base];
        memcpy(text, base, sizeof base);
        for (uint64_t edits = 1 + next_random(&seed) % 3; edits > 0; edits--) {
            static const char bytes[] = ",,\n\"0189 -:.DP\tx\xff";
            text[next_random(&seed) % (sizeof base - 1)] = bytes[next_random(&seed) % (sizeof bytes - 1)];
        }
        enum sy_status status = import(text);
        ck_assert(status == SY_OK || status == SY_INPUT);
        ck_assert_int_eq(status == SY_OK, workload != NULL);
        ck_assert(status == SY_OK ? workload->records > 0 : log_.diag.errors > 0);
        good += status == SY_OK;
    }
    ck_assert_int_gt(good, 300);
    ck_assert_int_lt(good, 2900);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import_scalesim");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, every_shipped_topology_imports_or_names_its_line);
    tcase_add_test(tcase, conv_has_the_ceil_output_size_and_warns_where_floor_differs);
    tcase_add_test(tcase, gemm_columns_are_m_n_k);
    tcase_add_test(tcase, sparsity_second_stride_and_depthwise);
    tcase_add_test(tcase, repairs_are_stated);
    tcase_add_test(tcase, wrong_rows_are_all_named);
    tcase_add_test(tcase, options_set_kind_precision_batch_and_symbols);
    tcase_add_test(tcase, files_that_are_none_are_refused);
    tcase_add_test(tcase, damaged_files_are_judged);
    return run_case("workloads/import/scalesim", tcase);
}
