/* SPDX-License-Identifier: Apache-2.0 */
/* Chakra execution traces: the collected ones, small ones, wrong ones. */
#include <zlib.h>

#include "tests/unit/base_support.h"
#include "tests/unit/onnx_writer.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_chakra;

enum { LOAD = 2, COMPUTE = 4, SEND = 5, COLLECTIVE = 7 };

static struct memory_sink sink;
static struct sy_workload *workload;
static struct sy_workload_totals totals;

static void teardown(void)
{
    sy_workload_destroy(workload);
    workload = NULL;
}

static enum sy_status import(const char *data, size_t length, const struct sy_import_options *options)
{
    static const struct sy_import_options none;
    sy_workload_destroy(workload);
    enum sy_status status = sy_importer_chakra.import("t.et", data, length, options != NULL ? options : &none,
                                                      &workload, sink_start(&sink));
    ck_assert_int_eq(status == SY_OK, workload != NULL);
    ck_assert(status != SY_OK || sy_workload_totals(workload, &totals));
    return status;
}

static const char *golden(const char *name)
{
    static char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/tests/golden/chakra/%s", root != NULL ? root : ".", name);
    return path;
}

START_TEST(a_real_training_step_has_the_networks_macs)
{
    enum { ROOM = 4 << 20 };
    char *data = malloc(ROOM);
    gzFile file = gzopen(golden("training_step_rank0.et.gz"), "rb");
    ck_assert_ptr_nonnull(file);
    int length = gzread(file, data, ROOM);
    gzclose(file);
    ck_assert_int_eq(length, 2978371);
    ck_assert_msg(import(data, (size_t)length, NULL) == SY_OK, "%s", sink.message);
    free(data);
    /* ResNet-50, 32 images: forward, input gradient (not of the first convolution), weight gradient */
    const uint64_t forward = 32 * UINT64_C(4089184256), first = 32 * UINT64_C(118013952);
    ck_assert_uint_eq(totals.macs, 3 * forward - first);
    ck_assert_uint_eq(totals.parameters, 25557032);
    uint64_t counts[SY_OP_COUNT] = {0}, reduced = 0;
    for (const struct sy_workload_record *r = workload->first; r != NULL; r = r->next) {
        counts[r->layer.op]++;
        if (r->layer.op == SY_OP_COLLECTIVE && r->layer.dim.collective.kind == SY_ALL_REDUCE) {
            reduced += r->layer.dim.collective.elements;
        }
    }
    ck_assert_uint_eq(counts[SY_OP_CONV], 53);
    ck_assert_uint_eq(counts[SY_OP_GEMM], 53 * 2 - 1 + 1 + 2);
    ck_assert_uint_eq(counts[SY_OP_COLLECTIVE], 7);
    ck_assert_uint_eq(reduced, 4 * 25557032); /* every gradient once, 4 bytes each */
}
END_TEST

START_TEST(collectives_have_kind_size_and_ranks)
{
    const char *dims[] = {"ranks=8", NULL};
    struct sy_import_options options = {.dims = dims};
    ck_assert_int_eq(sy_import_file(golden("all_reduce_8npus_1MB.0.et"), NULL, &options, &workload, sink_start(&sink)),
                     SY_OK);
    const struct sy_collective_dims *d = &workload->first->layer.dim.collective;
    ck_assert_uint_eq(d->elements, 1048576);
    ck_assert_uint_eq(d->ranks, 8);
    ck_assert_uint_eq(d->kind, SY_ALL_REDUCE);
    ck_assert_int_eq(sink.calls, 0);
    sy_workload_destroy(workload);
    ck_assert_int_eq(sy_import_file(golden("all_gather_4npus_1MB.0.et"), NULL, NULL, &workload, sink_start(&sink)),
                     SY_OK);
    ck_assert_uint_eq(workload->first->layer.dim.collective.kind, SY_ALL_GATHER);
    ck_assert_uint_eq(sink.diag.warnings, 1); /* the ranks are assumed, and that is said */
}
END_TEST

/* ---- small traces ---- */

static struct sy_buf trace;

static void start(void)
{
    struct sy_buf metadata = {0};
    trace = (struct sy_buf){0};
    pb_text(&metadata, 1, "0.0.4");
    pb_varint(&trace, metadata.length);
    sy_buf_append(&trace, metadata.data, metadata.length);
    sy_buf_free(&metadata);
}

static void io(struct sy_buf *node, unsigned field, const char *values, const char *shapes, const char *types)
{
    struct sy_buf message = {0};
    pb_text(&message, 1, values);
    pb_text(&message, 2, shapes);
    pb_text(&message, 3, types);
    pb_message(node, field, &message);
}

static void number(struct sy_buf *node, const char *name, uint64_t value)
{
    struct sy_buf attribute = {0};
    pb_text(&attribute, 1, name);
    pb_number(&attribute, 9, value);
    pb_message(node, 10, &attribute);
}

static void finish_node(struct sy_buf *node)
{
    pb_varint(&trace, node->length);
    sy_buf_append(&trace, node->data, node->length);
    sy_buf_free(node);
}

static void head(struct sy_buf *node, uint64_t id, const char *name, uint64_t type)
{
    *node = (struct sy_buf){0};
    pb_number(node, 1, id);
    pb_text(node, 2, name);
    pb_number(node, 3, type);
}

static void operator_node(uint64_t id, const char *name, uint64_t parent, uint64_t cpu)
{
    struct sy_buf node;
    head(&node, id, name, COMPUTE);
    pb_number(&node, 4, parent);
    io(&node, 8, "[[1, 1, 0, 12, 2, 'cuda:0'], [2, 2, 0, 20, 2, 'cuda:0']]", "[[3, 4], [4, 5]]",
       "['Tensor(c10::BFloat16)', 'Tensor(c10::BFloat16)']");
    io(&node, 9, "[[3, 3, 0, 15, 2, 'cuda:0']]", "[[3, 5]]", "['Tensor(c10::BFloat16)']");
    number(&node, "is_cpu_op", cpu);
    finish_node(&node);
}

static enum sy_status finish(const struct sy_import_options *options)
{
    enum sy_status status = import(trace.data, trace.length, options);
    sy_buf_free(&trace);
    return status;
}

START_TEST(pieces_kernels_and_inner_operators_count_once)
{
    start();
    operator_node(10, "aten::matmul(0)", 3, 1);
    operator_node(11, "aten::matmul(1)", 3, 1);    /* the rest of the same operator */
    operator_node(12, "aten::mm", 10, 1);          /* what it calls */
    operator_node(13, "volta_sgemm_128x64", 3, 0); /* what that launches */
    operator_node(14, "aten::mm", 3, 1);           /* another one */
    ck_assert_msg(finish(NULL) == SY_OK, "%s", sink.message);
    ck_assert_uint_eq(workload->records, 2);
    ck_assert_uint_eq(totals.macs, 2 * 3 * 4 * 5);
    const struct sy_layer *layer = &workload->first->layer;
    ck_assert_str_eq(layer->in[0].name, "t1");
    ck_assert_str_eq(layer->out.name, "t3");
    ck_assert_int_eq(layer->in[1].dtype, SY_BF16);
}
END_TEST

START_TEST(memory_and_transfers_move_their_bytes)
{
    struct sy_buf node;
    start();
    head(&node, 1, "load", LOAD);
    number(&node, "tensor_size", 4096);
    finish_node(&node);
    head(&node, 2, "send", SEND);
    number(&node, "comm_size", 100);
    finish_node(&node);
    ck_assert_msg(finish(NULL) == SY_OK, "%s", sink.message);
    ck_assert_uint_eq(workload->first->layer.dim.move.elements, 4096);
    ck_assert_uint_eq(workload->last->layer.dim.collective.elements, 100);
    ck_assert_uint_eq(workload->last->layer.dim.collective.ranks, 2);
}
END_TEST

START_TEST(wrong_traces_name_the_node)
{
    struct sy_buf node;
    start();
    head(&node, 7, "mystery", COMPUTE);
    number(&node, "num_ops", 1000);
    finish_node(&node);
    ck_assert_int_eq(finish(NULL), SY_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(sink.message, "'mystery'"));
    start();
    head(&node, 7, "mystery", COMPUTE);
    finish_node(&node);
    struct sy_import_options options = {.allow_unmodelled = true};
    ck_assert_int_eq(finish(&options), SY_OK);
    ck_assert_str_eq(workload->unmodelled->op, "mystery");
    start();
    head(&node, 8, "x", 12);
    finish_node(&node);
    ck_assert_int_eq(finish(NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "node 8 'x': node type 12"));
    start();
    head(&node, 9, "c", COLLECTIVE);
    number(&node, "comm_type", 77);
    finish_node(&node);
    ck_assert_int_eq(finish(NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "comm_type 77"));
    start();
    head(&node, 5, "aten::mm", COMPUTE);
    io(&node, 8, "[[1, 1, 0, 12, 4, 'c'], [2, 2, 0, 20, 4, 'c']]", "[[3, 4], [5, 5]]", "[]");
    io(&node, 9, "[[3, 3, 0, 15, 4, 'c']]", "[[3, 5]]", "[]");
    finish_node(&node);
    ck_assert_int_eq(finish(NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "inner sizes 4 and 5 differ"));
    ck_assert_int_eq(import("\x07\x0a\x05", 3, NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "cut"));
    start();
    ck_assert_int_eq(finish(NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "no nodes"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import_chakra");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, a_real_training_step_has_the_networks_macs);
    tcase_add_test(tcase, collectives_have_kind_size_and_ranks);
    tcase_add_test(tcase, pieces_kernels_and_inner_operators_count_once);
    tcase_add_test(tcase, memory_and_transfers_move_their_bytes);
    tcase_add_test(tcase, wrong_traces_name_the_node);
    return run_case("workloads/import/chakra", tcase);
}
