/* SPDX-License-Identifier: Apache-2.0 */
/* Timeloop problems: MACs are the product of all bounds, whatever the shape. */
#include "tests/unit/base_support.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_timeloop;

static struct memory_sink sink;
static struct sy_workload *workload;

static void teardown(void)
{
    sy_workload_destroy(workload);
    workload = NULL;
}

static enum sy_status import(const char *text)
{
    static const struct sy_import_options none;
    sy_workload_destroy(workload);
    return sy_importer_timeloop.import("p.yaml", text, strlen(text), &none, &workload, sink_start(&sink));
}

static const struct sy_layer *golden(const char *name)
{
    char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/tests/golden/timeloop/%s", root != NULL ? root : ".", name);
    sy_workload_destroy(workload);
    enum sy_status status = sy_import_file(path, NULL, NULL, &workload, sink_start(&sink));
    ck_assert_msg(status == SY_OK, "%s", sink.message);
    return &workload->first->layer;
}

START_TEST(files_become_the_layer_they_describe)
{
    const struct sy_layer *layer = golden("conv.yaml");
    const struct sy_conv_dims *d = &layer->dim.conv;
    ck_assert_int_eq(layer->op, SY_OP_CONV);
    ck_assert_str_eq(layer->name, "conv2");
    ck_assert_uint_eq(d->h, 31);
    ck_assert_uint_eq(d->w, 31);
    ck_assert_uint_eq(d->c, 48);
    ck_assert_uint_eq(d->n, 256);
    ck_assert_uint_eq(sy_layer_macs(layer), UINT64_C(48) * 256 * 25 * 27 * 27);
    ck_assert_uint_eq(sy_layer_parameters(layer), 48 * 256 * 25);
    layer = golden("gemm.yaml");
    ck_assert_int_eq(layer->op, SY_OP_GEMM);
    ck_assert_uint_eq(layer->dim.gemm.g, 4);
    ck_assert_uint_eq(layer->dim.gemm.m, 100);
    ck_assert_uint_eq(layer->dim.gemm.k, 32);
    ck_assert_uint_eq(layer->dim.gemm.n, 64);
    ck_assert_str_eq(layer->in[1].name, "W");
}
END_TEST

START_TEST(macs_are_the_product_of_bounds)
{
    uint64_t seed = 6;
    for (int round = 0; round < 500; round++) {
        uint64_t v[9], product = 1;
        for (int i = 0; i < 9; i++) {
            v[i] = 1 + next_random(&seed) % 9;
            product *= i < 8 ? v[i] : 1;
        }
        char text[2048];
        snprintf(text, sizeof text,
                 "problem:\n  shape:\n    name: c\n    dimensions: [G, C, M, R, S, N, P, Q]\n"
                 "    coefficients: [{name: Ws, default: 1}, {name: Hd, default: 1}]\n    data_spaces:\n"
                 "    - {name: Inputs, projection: [[[N]], [[G]], [[C]], [[P, Ws], [R]], [[S, Hd], [Q, %d]]]}\n"
                 "    - {name: Weights, projection: [[[G]], [[C]], [[M]], [[R]], [[S]]]}\n"
                 "    - {name: Outputs, projection: [[[N]], [[G]], [[M]], [[Q]], [[P]]], read_write: true}\n"
                 "  instance: {G: %d, C: %d, M: %d, R: %d, S: %d, N: %d, P: %d, Q: %d, Ws: %d, Hd: 2}\n",
                 (int)v[8], (int)v[0], (int)v[1], (int)v[2], (int)v[3], (int)v[4], (int)v[5], (int)v[6], (int)v[7],
                 (int)v[8]);
        ck_assert_msg(import(text) == SY_OK, "%s\n%s", sink.message, text);
        const struct sy_layer *layer = &workload->first->layer;
        ck_assert_uint_eq(sy_layer_macs(layer), product);
        ck_assert_uint_eq(sy_layer_parameters(layer), v[0] * v[1] * v[2] * v[3] * v[4]);
        ck_assert_uint_eq(sy_layer_output_elements(layer), v[5] * v[0] * v[2] * v[6] * v[7]);
    }
}
END_TEST

START_TEST(the_named_shape_is_known)
{
    ck_assert_msg(import("problem:\n  shape: cnn-layer\n  R: 3\n  S: 3\n  P: 56\n  Q: 28\n  C: 64\n  K: 32\n  N: 2\n"
                         "  Wstride: 1\n  Hstride: 2\n  Wdilation: 1\n  Hdilation: 1\n") == SY_OK,
                  "%s", sink.message);
    const struct sy_layer *layer = &workload->first->layer;
    ck_assert_uint_eq(sy_layer_macs(layer), UINT64_C(9) * 56 * 28 * 64 * 32 * 2);
    ck_assert_uint_eq(layer->dim.conv.b, 2);
}
END_TEST

#define SPACES                                                                                                         \
    "    data_spaces:\n    - {name: A, projection: [[[M]], [[K]]]}\n    - {name: B, projection: [[[K]], [[N]]]}\n"     \
    "    - {name: Z, projection: [[[M]], [[N]]], read_write: true}\n"
#define HEAD "problem:\n  shape:\n    name: g\n    dimensions: [M, N, K]\n"

START_TEST(wrong_problems_say_what_and_where)
{
    static const struct {
        const char *text, *says;
        uint32_t line;
    } cases[] = {
        {"a: [1, 2\n", "", 2},
        {"architecture: {}\n", "no problem with a shape", 1},
        {"", "empty", 0},
        {"problem:\n  shape: rnn\n", "shape 'rnn' is not known", 2},
        {HEAD SPACES "  instance: {M: 4, N: 4}\n", "dimension 'K' has no bound", 9},
        {HEAD SPACES "  instance: {M: 4, N: 0, K: 4}\n", "N is '0'", 9},
        {HEAD SPACES "  instance: {M: 4, N: 1.5, K: 4}\n", "N is '1.5'", 9},
        {HEAD SPACES "  instance: {M: 99999999999, N: 99999999999, K: 9999999999}\n", "64 bits", 0},
        {HEAD
         "    data_spaces: [{name: A, projection: [[[X]]]}, {name: B, projection: []}, {name: Z, projection: []}]\n"
         "  instance: {M: 1, N: 1, K: 1}\n",
         "'X' is no dimension", 5},
        {HEAD "    data_spaces: [{name: A, projection: [[[M]]]}]\n  instance: {M: 1, N: 1, K: 1}\n", "1 data spaces",
         5},
        {"problem:\n  shape:\n    name: g\n    dimensions: [M, M]\n", "'M' is named twice", 4},
        {"problem:\n  shape:\n    name: g\n", "no list of dimensions", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(import(cases[i].text) == SY_INPUT, "%s", cases[i].text);
        ck_assert_ptr_null(workload);
        ck_assert_msg(strstr(sink.message, cases[i].says) != NULL, "%s -> %s", cases[i].text, sink.message);
        ck_assert_msg(sink.line == cases[i].line, "%s -> line %u", cases[i].text, sink.line);
    }
    ck_assert_int_eq(import(HEAD SPACES "  instance: {M: 4, N: 2, K: 4, densities: 1}\n"), SY_OK);
    ck_assert_uint_eq(sink.diag.warnings, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import_timeloop");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, files_become_the_layer_they_describe);
    tcase_add_test(tcase, macs_are_the_product_of_bounds);
    tcase_add_test(tcase, the_named_shape_is_known);
    tcase_add_test(tcase, wrong_problems_say_what_and_where);
    return run_case("workloads/import/timeloop", tcase);
}
