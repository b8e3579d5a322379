/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX import: the collected graphs, small graphs of each kind of operator, wrong files. */

#include "tests/unit/base_support.h"
#include "tests/unit/onnx_writer.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_onnx;

enum { FLOAT = 1, INT8 = 3, INT64 = 7, IN = 11, OUT = 12, INFO = 13 };

static struct memory_sink sink;
static struct sy_workload *workload;
static struct sy_workload_totals totals;

static void teardown(void)
{
    sy_workload_destroy(workload);
    workload = NULL;
}

static enum sy_status import_bytes(const char *data, size_t length, const struct sy_import_options *options)
{
    static const struct sy_import_options none;
    sy_workload_destroy(workload);
    enum sy_status status = sy_importer_onnx.import("m.onnx", data, length, options != NULL ? options : &none,
                                                    &workload, sink_start(&sink));
    ck_assert_int_eq(status == SY_OK, workload != NULL);
    ck_assert(status != SY_OK || sy_workload_totals(workload, &totals));
    return status;
}

static enum sy_status import_with(struct onnx_writer *w, uint64_t opset, const struct sy_import_options *options)
{
    struct sy_buf model = onnx_finish(w, opset);
    enum sy_status status = import_bytes(model.data, model.length, options);
    sy_buf_free(&model);
    return status;
}

static void import(struct onnx_writer *w)
{
    enum sy_status status = import_with(w, 17, NULL);
    ck_assert_msg(status == SY_OK, "%s", sink.message);
}

static const struct sy_layer *layer_at(uint64_t index)
{
    const struct sy_workload_record *record = workload->first;
    while (record != NULL && (record->kind != SY_RECORD_LAYER || index-- > 0)) {
        record = record->next;
    }
    ck_assert_ptr_nonnull(record);
    return &record->layer;
}

START_TEST(collected_graphs_have_their_macs)
{
    static const struct {
        const char *name;
        uint64_t macs, parameters;
    } rows[] = {
        {"alexnet", 654560384, 60965224},          /* the parameters of the original two-tower network */
        {"resnet18", 1814073344, 11689512 - 4800}, /* torchvision's, a bias in place of scale and shift a channel */
        {"swiglu_256_4096_14336", 45097156608, UINT64_C(3) * 4096 * 14336},
        {"two_conv", 3612672, 2 * 8 * 8 * 9}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[1024];
        const char *root = getenv("SYSTOLE_DATA");
        snprintf(path, sizeof path, "%s/tests/golden/onnx/%s.onnx", root != NULL ? root : ".", rows[i].name);
        sy_workload_destroy(workload);
        enum sy_status status = sy_import_file(path, NULL, NULL, &workload, sink_start(&sink));
        ck_assert_msg(status == SY_OK, "%s: %s", path, sink.message);
        ck_assert(sy_workload_totals(workload, &totals));
        ck_assert_uint_eq(totals.macs, rows[i].macs);
        ck_assert_uint_eq(totals.parameters, rows[i].parameters);
    }
}
END_TEST

/* Inverted residual: 1x1 conv, Clip, depthwise, Clip, 1x1 conv, batch norm, Add. */
START_TEST(inverted_residual_fuses_into_three_convolutions)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "1,24,56,56");
    onnx_weight(&w, "w1", FLOAT, "144,24,1,1");
    onnx_weight(&w, "b1", FLOAT, "144");
    onnx_weight(&w, "w2", FLOAT, "144,1,3,3");
    onnx_weight(&w, "w3", FLOAT, "24,144,1,1");
    for (int i = 0; i < 4; i++) {
        onnx_weight(&w, (const char *[]){"s", "t", "mean", "var"}[i], FLOAT, "24");
    }
    onnx_node(&w, "Conv", "x w1 b1", "a", NULL);
    onnx_node(&w, "Clip", "a", "b", NULL);
    onnx_node(&w, "Conv", "b w2", "c", "group=144", "pads=1,1,1,1,", "kernel_shape=3,3,", NULL);
    onnx_node(&w, "Relu", "c", "d", NULL);
    onnx_node(&w, "Conv", "d w3", "e", NULL);
    onnx_node(&w, "BatchNormalization", "e s t mean var", "f", NULL);
    onnx_node(&w, "Add", "x f", "y", NULL);
    onnx_value(&w, OUT, "y", FLOAT, "1,24,56,56");
    import(&w);
    ck_assert_uint_eq(workload->records, 3);
    ck_assert_uint_eq(totals.macs, 56 * 56 * (144 * 24 + 144 * 9 + 24 * 144));
    ck_assert_uint_eq(totals.parameters, 144 * 24 + 144 + 144 * 9 + 24 * 144 + 48);
    const struct sy_layer *last = layer_at(2);
    ck_assert_uint_eq(last->epilogues, 2);
    ck_assert_int_eq(last->epilogue[0], SY_FN_BN);
    ck_assert_int_eq(last->epilogue[1], SY_FN_ADD);
    ck_assert_str_eq(last->in[2].name, "x");
    ck_assert_str_eq(last->out.name, "y");
    ck_assert_uint_eq(layer_at(1)->dim.conv.groups, 144);
}
END_TEST

/* A value that two nodes read cannot be fused away, and an operand that is made later cannot be read. */
START_TEST(fusing_respects_readers_and_order)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "4,8");
    onnx_weight(&w, "w1", FLOAT, "8,8");
    onnx_weight(&w, "w2", FLOAT, "8,8");
    onnx_node(&w, "MatMul", "x w1", "a", NULL);
    onnx_node(&w, "Relu", "a", "b", NULL); /* a is read twice */
    onnx_node(&w, "MatMul", "x w2", "c", NULL);
    onnx_node(&w, "Add", "a c", "d", NULL); /* can only go behind the later product */
    onnx_node(&w, "Mul", "b d", "y", NULL);
    onnx_value(&w, OUT, "y", FLOAT, "4,8");
    import(&w);
    ck_assert_uint_eq(workload->records, 3);
    ck_assert_int_eq(layer_at(0)->epilogues, 0);
    ck_assert_int_eq(layer_at(1)->op, SY_OP_ELEMENTWISE);
    ck_assert_uint_eq(layer_at(2)->epilogues, 2);
    ck_assert_str_eq(layer_at(2)->in[2].name, "a");
    ck_assert_str_eq(layer_at(2)->in[3].name, "b");
}
END_TEST

/* Super-resolution: convolutions with learnt slopes, then a transposed one. FSRCNN's shapes (Dong et al. 2016). */
START_TEST(transposed_convolution_counts_input_pixels)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "1,1,32,32");
    onnx_weight(&w, "w1", FLOAT, "56,1,5,5");
    onnx_weight(&w, "b1", FLOAT, "56");
    onnx_weight(&w, "slope", FLOAT, "56,1,1");
    onnx_weight(&w, "w2", FLOAT, "56,1,9,9");
    onnx_weight(&w, "b2", FLOAT, "1");
    onnx_node(&w, "Conv", "x w1 b1", "a", "pads=2,2,2,2,", NULL);
    onnx_node(&w, "PRelu", "a slope", "b", NULL);
    onnx_node(&w, "ConvTranspose", "b w2 b2", "y", "strides=3,3,", "pads=4,4,4,4,", "output_padding=2,2,", NULL);
    onnx_node(&w, "Relu", "y", "z", NULL);
    onnx_value(&w, OUT, "z", FLOAT, "1,1,96,96");
    import(&w);
    ck_assert_uint_eq(totals.macs, 32 * 32 * (56 * 25 + 56 * 81));
    ck_assert_uint_eq(totals.parameters, 56 * 25 + 56 + 56 + 56 * 81 + 1);
    const struct sy_layer *relu = layer_at(5);
    ck_assert_uint_eq(relu->dim.elementwise.elements, 96 * 96);
}
END_TEST

/* One attention head as exporters write it, batch and sequence symbolic, shapes computed in the graph. */
START_TEST(symbolic_sizes_and_shape_arithmetic_fold_away)
{
    static const int64_t two = 1, minus_heads_dim[] = {12, 64};
    static const int64_t zero = 0;
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "batch,s,768");
    onnx_weight(&w, "wq", FLOAT, "768,768");
    onnx_weight(&w, "bq", FLOAT, "768");
    onnx_weight(&w, "wk", FLOAT, "768,768");
    onnx_weight(&w, "wv", FLOAT, "768,768");
    onnx_ints(&w, "i0", -1, &zero, 1);
    onnx_ints(&w, "i1", -1, &two, 0);
    onnx_ints(&w, "axis0", 1, &zero, 0);
    onnx_ints(&w, "tail", 2, minus_heads_dim, 1);
    onnx_weight(&w, "scale", FLOAT, "");
    onnx_node(&w, "Shape", "x", "shape", NULL);
    onnx_node(&w, "Gather", "shape i0", "n", NULL);
    onnx_node(&w, "Gather", "shape i1", "s", NULL);
    onnx_node(&w, "Unsqueeze", "n axis0", "n1", NULL);
    onnx_node(&w, "Unsqueeze", "s axis0", "s1", NULL);
    onnx_node(&w, "Concat", "n1 s1 tail", "target", "axis=0", NULL);
    static const char *const names[3][4] = {{"wq", "q0", "q1", "q"}, {"wk", "k0", "k1", "k"}, {"wv", "v0", "v1", "v"}};
    for (int i = 0; i < 3; i++) {
        char in[64];
        snprintf(in, sizeof in, "x %s", names[i][0]);
        onnx_node(&w, "MatMul", in, names[i][1], NULL);
        if (i == 0) {
            onnx_node(&w, "Add", "bq q0", "q0b", NULL);
        }
        snprintf(in, sizeof in, "%s target", i == 0 ? "q0b" : names[i][1]);
        onnx_node(&w, "Reshape", in, names[i][2], NULL);
        onnx_node(&w, "Transpose", names[i][2], names[i][3], i == 1 ? "perm=0,2,3,1," : "perm=0,2,1,3,", NULL);
    }
    onnx_node(&w, "MatMul", "q k", "scores", NULL);
    onnx_node(&w, "Div", "scores scale", "scaled", NULL);
    onnx_node(&w, "Softmax", "scaled", "p", "axis=-1", NULL);
    onnx_node(&w, "MatMul", "p v", "context", NULL);
    onnx_value(&w, OUT, "context", FLOAT, "batch,12,s,64");
    const char *dims[] = {"s=128", NULL};
    struct sy_import_options options = {.batch = 4, .dims = dims};
    ck_assert_msg(import_with(&w, 17, &options) == SY_OK, "%s", sink.message);
    ck_assert_uint_eq(totals.macs, 4 * 128 * (3 * 768 * 768) + 2 * (4 * 12 * 128 * 128 * 64));
    ck_assert_uint_eq(totals.parameters, 3 * 768 * 768 + 768);
    ck_assert_int_eq(layer_at(0)->epilogue[0], SY_FN_BIAS);
    const struct sy_layer *scores = layer_at(6);
    ck_assert_uint_eq(scores->dim.gemm.g, 48);
    ck_assert_uint_eq(scores->dim.gemm.m, 128);
    ck_assert_uint_eq(scores->dim.gemm.n, 128);
    ck_assert_int_eq(scores->epilogue[0], SY_FN_SCALE);
    ck_assert_uint_eq(layer_at(7)->dim.rows.rows, 48 * 128);
}
END_TEST

START_TEST(a_size_without_value_is_asked_for)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "batch,tokens,8");
    onnx_node(&w, "Relu", "x", "y", NULL);
    ck_assert_int_eq(import_with(&w, 17, NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "size 'tokens' (axis 1 of 'x')"));
    ck_assert_ptr_nonnull(strstr(sink.hint, "--dim"));
    w = (struct onnx_writer){{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "batch,tokens,8");
    onnx_node(&w, "Relu", "x", "y", NULL);
    const char *dims[] = {"batch=2", "x.1=5", NULL};
    struct sy_import_options options = {.dims = dims};
    ck_assert_int_eq(import_with(&w, 17, &options), SY_OK);
    ck_assert_uint_eq(layer_at(0)->dim.elementwise.elements, 2 * 5 * 8);
}
END_TEST

/* Quantized models: QDQ around a float operator, and the QLinear and integer forms. */
START_TEST(quantized_operators_compute_on_integers)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "1,8,4,4");
    onnx_weight(&w, "s", FLOAT, "");
    onnx_weight(&w, "z", INT8, "");
    onnx_weight(&w, "wi", INT8, "16,8,3,3");
    onnx_node(&w, "QuantizeLinear", "x s z", "xq", NULL);
    onnx_node(&w, "DequantizeLinear", "xq s z", "xd", NULL);
    onnx_node(&w, "DequantizeLinear", "wi s z", "wd", NULL);
    onnx_node(&w, "Conv", "xd wd", "c", "pads=1,1,1,1,", NULL);
    onnx_node(&w, "Relu", "c", "r", NULL);
    onnx_node(&w, "QuantizeLinear", "r s z", "y", NULL);
    onnx_weight(&w, "w2", INT8, "16,16,1,1");
    onnx_node(&w, "QLinearConv", "y s z w2 s z s z", "y2", NULL);
    onnx_node(&w, "ConvInteger", "y2 w2", "y3", NULL);
    onnx_value(&w, OUT, "y3", 6, "1,16,4,4");
    import(&w);
    ck_assert_uint_eq(workload->records, 4);
    const struct sy_layer *conv = layer_at(1);
    ck_assert_int_eq(conv->in[0].dtype, SY_INT8);
    ck_assert_int_eq(conv->in[1].dtype, SY_INT8);
    ck_assert_int_eq(conv->accumulator, SY_INT32);
    ck_assert_int_eq(conv->out.dtype, SY_INT8);
    ck_assert_uint_eq(conv->epilogues, 2);
    ck_assert_int_eq(conv->epilogue[1], SY_FN_REQUANT);
    ck_assert_int_eq(layer_at(2)->out.dtype, SY_INT8);
    ck_assert_int_eq(layer_at(3)->out.dtype, SY_INT32);
    ck_assert_uint_eq(totals.parameters, 16 * 72 + 256); /* w2 is one weight, used twice */
    ck_assert_uint_eq(totals.macs, 16 * (16 * 72 + 2 * 256));
}
END_TEST

START_TEST(fused_operators_of_runtimes_are_known)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "2,16,64");
    onnx_value(&w, IN, "past", FLOAT, "2,2,32,16");
    onnx_weight(&w, "g", FLOAT, "64");
    onnx_weight(&w, "wqkv", FLOAT, "64,192");
    onnx_weight(&w, "bqkv", FLOAT, "192");
    onnx_weight(&w, "wk", FLOAT, "64,32");
    onnx_node_ms(&w, "Attention", "x wqkv bqkv", "a", "num_heads=4", NULL);
    onnx_node_ms(&w, "SkipLayerNormalization", "a x g g", "n", NULL);
    onnx_node(&w, "MatMul", "n wk", "k", NULL);
    onnx_node_ms(&w, "GroupQueryAttention", "n k k past past", "y", "num_heads=4", "kv_num_heads=2", NULL);
    onnx_node(&w, "SimplifiedLayerNormalization", "y g", "z", NULL);
    onnx_value(&w, OUT, "z", FLOAT, "2,16,64");
    import(&w);
    const struct sy_attention_dims *mha = &layer_at(1)->dim.attention, *gqa = &layer_at(5)->dim.attention;
    ck_assert_uint_eq(mha->heads, 4);
    ck_assert_uint_eq(mha->head_dim, 16);
    ck_assert_uint_eq(mha->causal, 0);
    ck_assert_uint_eq(gqa->kv_heads, 2);
    ck_assert_uint_eq(gqa->kv_len, 48);
    ck_assert_uint_eq(gqa->causal, 1);
    ck_assert_uint_eq(totals.macs, 32 * (64 * 192 + 64 * 32) + 2 * 4 * 16 * (16 + 48) * 32);
    ck_assert_uint_eq(totals.parameters, 64 * 192 + 192 + 128 + 64 * 32 + 64);
}
END_TEST

START_TEST(recurrent_cells_repeat_their_step)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "20,3,40");
    onnx_weight(&w, "w", FLOAT, "2,400,40");
    onnx_weight(&w, "r", FLOAT, "2,400,100");
    onnx_weight(&w, "b", FLOAT, "2,800");
    onnx_node(&w, "LSTM", "x w r b", "y h c", "hidden_size=100", "direction=\"bidirectional", NULL);
    onnx_value(&w, OUT, "y", FLOAT, "20,2,3,100");
    import(&w);
    ck_assert_uint_eq(totals.macs, 2 * 20 * 3 * 400 * (40 + 100));
    ck_assert_uint_eq(totals.parameters, 2 * 400 * (40 + 100) + 2 * 800);
}
END_TEST

START_TEST(einsum_is_a_grouped_product)
{
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "a", FLOAT, "2,3,5,7");
    onnx_value(&w, IN, "b", FLOAT, "2,3,11,7");
    onnx_node(&w, "Einsum", "a b", "y", "equation=\"bhid, bhjd -> bhij", NULL);
    import(&w);
    const struct sy_gemm_dims *d = &layer_at(0)->dim.gemm;
    ck_assert_uint_eq(d->g, 6);
    ck_assert_uint_eq(d->m, 5);
    ck_assert_uint_eq(d->n, 11);
    ck_assert_uint_eq(d->k, 7);
}
END_TEST

/* Sizes by hand from the rules of numpy and the ONNX operator pages. */
START_TEST(views_and_moves_have_the_right_sizes)
{
    static const int64_t starts[] = {-3, 1}, ends[] = {INT64_MAX, -1}, axes[] = {1, -1}, steps[] = {1, 2};
    static const int64_t parts[] = {2, 3}, pads[] = {0, 0, 1, 0, 0, 3}, repeats[] = {1, 2, 3}, target[] = {0, -1};
    struct onnx_writer w = {{0}, {0}};
    onnx_value(&w, IN, "x", FLOAT, "2,5,10");
    onnx_ints(&w, "starts", 2, starts, 1);
    onnx_ints(&w, "ends", 2, ends, 1);
    onnx_ints(&w, "axes", 2, axes, 0);
    onnx_ints(&w, "steps", 2, steps, 0);
    onnx_ints(&w, "parts", 2, parts, 0);
    onnx_ints(&w, "pads", 6, pads, 0);
    onnx_ints(&w, "repeats", 3, repeats, 0);
    onnx_ints(&w, "target", 2, target, 0);
    onnx_node(&w, "Slice", "x starts ends axes steps", "a", NULL); /* 2,3,4 */
    onnx_node(&w, "Relu", "a", "r0", NULL);
    onnx_node(&w, "Split", "x parts", "p q", "axis=1", NULL); /* 2,2,10 and 2,3,10 */
    onnx_node(&w, "Relu", "q", "r1", NULL);
    onnx_node(&w, "Pad", "x pads", "b", NULL);                 /* 2,5,14 */
    onnx_node(&w, "Tile", "x repeats", "c", NULL);             /* 2,10,30 */
    onnx_node(&w, "Concat", "p q p q p", "d", "axis=1", NULL); /* 2,12,10 */
    onnx_node(&w, "Reshape", "d target", "e", NULL);           /* 2,120 */
    onnx_node(&w, "ReduceMean", "e", "f", "axes=1,", NULL);
    import(&w);
    ck_assert_uint_eq(layer_at(0)->dim.elementwise.elements, 24);
    ck_assert_str_eq(layer_at(0)->in[0].name, "x"); /* a slice is a view */
    ck_assert_uint_eq(layer_at(1)->dim.elementwise.elements, 60);
    ck_assert_uint_eq(layer_at(2)->dim.move.elements, 140);
    ck_assert_uint_eq(layer_at(3)->dim.move.elements, 600);
    ck_assert_uint_eq(layer_at(4)->dim.move.elements, 40 + 60 + 40 + 60);
    ck_assert_uint_eq(layer_at(5)->dim.move.elements, 40);
    ck_assert_uint_eq(layer_at(6)->dim.rows.rows, 2);
    ck_assert_uint_eq(layer_at(6)->dim.rows.cols, 120);
    ck_assert_str_eq(layer_at(6)->in[0].name, "d");
}
END_TEST

START_TEST(what_is_not_modelled_is_named_or_counted)
{
    for (int pass = 0; pass < 2; pass++) {
        struct onnx_writer w = {{0}, {0}};
        onnx_value(&w, IN, "x", FLOAT, "2,8");
        onnx_node(&w, "NonMaxSuppression", "x", "y", NULL);
        onnx_node(&w, "Relu", "y", "z", NULL);
        onnx_value(&w, INFO, "y", FLOAT, "4,8");
        struct sy_import_options options = {.allow_unmodelled = pass == 1};
        enum sy_status status = import_with(&w, 17, &options);
        if (pass == 0) {
            ck_assert_int_eq(status, SY_UNSUPPORTED);
            ck_assert_ptr_nonnull(strstr(sink.message, "operator 'NonMaxSuppression' of node 'y'"));
        } else {
            ck_assert_msg(status == SY_OK, "%s", sink.message);
            ck_assert_str_eq(workload->unmodelled->op, "NonMaxSuppression");
            ck_assert_uint_eq(workload->unmodelled->count, 1);
            ck_assert_uint_eq(workload->unmodelled->bytes, (16 + 32) * 4);
            ck_assert_uint_eq(layer_at(0)->dim.elementwise.elements, 32);
        }
    }
    /* a subgraph */
    struct onnx_writer w = {{0}, {0}};
    struct sy_buf node = {0}, attribute = {0};
    pb_text(&attribute, 1, "body");
    pb_bytes(&attribute, 6, "", 0);
    pb_text(&node, 1, "x");
    pb_text(&node, 2, "y");
    pb_text(&node, 4, "Loop");
    pb_message(&node, 5, &attribute);
    onnx_value(&w, IN, "x", FLOAT, "2,8");
    pb_message(&w.graph, 1, &node);
    ck_assert_int_eq(import_with(&w, 17, NULL), SY_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(sink.message, "'Loop (it runs a subgraph)'"));
}
END_TEST

START_TEST(wrong_graphs_name_node_and_reason)
{
    static const struct {
        const char *op, *inputs, *attribute, *says;
    } cases[] = {
        {"MatMul", "x x", NULL, "inner sizes 8 and 2 differ"},
        {"Add", "x v", NULL, "do not broadcast"},
        {"Relu", "nothing", NULL, "the shape of input 'nothing' is not known"},
        {"Relu", "-", NULL, "input 0 is missing"},
        {"Softmax", "x", "axis=2", "axis 2 of a tensor with 2 dimensions"},
        {"Transpose", "x", "perm=0,0,", "perm is not an order"},
        {"Conv", "x x", NULL, "a filter with 2 dimensions"},
        {"Conv", "i w", "group=3", "3 groups do not divide"},
        {"Conv", "i w", "strides=0,0,", "strides holds 0"},
        {"Conv", "i w", "dilations=9,9,", "does not fit the input"},
        {"MaxPool", "i", NULL, "kernel_shape is missing"},
        {"Reshape", "x v", NULL, "not constant"},
        {"Squeeze", "x", "axes=0,", "to squeeze has size 2"},
        {"TopK", "x", "k=9", "k is not a constant from 1 to 8"},
        {"Gather", "x v", "axis=5", "axis 5"},
        {"Einsum", "x x", "equation=\"ij->ji", "only two operands"},
        {"Concat", "x v", "axis=0", "other sizes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct onnx_writer w = {{0}, {0}};
        onnx_value(&w, IN, "x", FLOAT, "2,8");
        onnx_value(&w, IN, "v", FLOAT, "3");
        onnx_value(&w, IN, "i", FLOAT, "1,4,6,6");
        onnx_weight(&w, "w", FLOAT, "4,4,3,3");
        onnx_node(&w, cases[i].op, cases[i].inputs, "y", cases[i].attribute, NULL);
        ck_assert_msg(import_with(&w, 17, NULL) == SY_INPUT, "%s", cases[i].op);
        ck_assert_msg(strstr(sink.message, cases[i].says) != NULL, "%s -> %s", cases[i].op, sink.message);
        ck_assert_msg(strstr(sink.message, "node 'y'") != NULL, "%s", sink.message);
    }
    static const char cut[] = {0x08, 0x08, 0x3a, 0x40, 0x0a};
    ck_assert_int_eq(import_bytes(cut, sizeof cut, NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "cut"));
    ck_assert_int_eq(import_bytes("\x08\x08", 2, NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "no graph"));
    ck_assert_int_eq(import_bytes("\x3a\x00", 2, NULL), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "no layers"));
}
END_TEST

/* A random graph of 10^5 nodes: every node reads earlier values; the shapes stay what they are. */
/* One graph in the words of old opsets (arguments as attributes) and of new ones (as inputs). */
START_TEST(arguments_are_read_as_attributes_and_as_inputs)
{
    static const int64_t pads[] = {0, 0, 1, 1, 0, 0, 1, 1}, starts[] = {1}, ends[] = {9}, channel[] = {1},
                         last[] = {2, 3}, parts[] = {4, 4};
    struct sy_workload_totals seen[2];
    for (int fresh = 0; fresh < 2; fresh++) {
        struct onnx_writer w = {0};
        onnx_value(&w, IN, "x", FLOAT, "1,10,6,6");
        onnx_weight(&w, "w", FLOAT, "16,4,3,3");
        onnx_weight(&w, "f", FLOAT, "16,5");
        onnx_ints(&w, "pads", 8, pads, 1);
        onnx_ints(&w, "starts", 1, starts, 1);
        onnx_ints(&w, "ends", 1, ends, 0);
        onnx_ints(&w, "channel", 1, channel, 1);
        onnx_ints(&w, "last", 2, last, 1);
        onnx_ints(&w, "parts", 2, parts, 1);
        onnx_node(&w, "Pad", fresh ? "x pads" : "x", "p", fresh ? NULL : "pads=0,0,1,1,0,0,1,1,", NULL);
        if (fresh) {
            onnx_node(&w, "Slice", "p starts ends channel", "s", NULL);
            onnx_node(&w, "Split", "s parts", "a b", "axis=1", NULL);
        } else {
            onnx_node(&w, "Slice", "p", "s", "starts=1,", "ends=9,", "axes=1,", NULL);
            onnx_node(&w, "Split", "s", "a b", "axis=1", "split=4,4,", NULL);
        }
        onnx_node(&w, "Conv", "a w", "c", NULL);
        onnx_node(&w, "ReduceMean", fresh ? "c last" : "c", "m", fresh ? NULL : "axes=2,3,", NULL);
        onnx_node(&w, "Squeeze", fresh ? "m last" : "m", "q", fresh ? NULL : "axes=2,3,", NULL);
        onnx_node(&w, "Dropout", "q", "d", NULL);
        onnx_node(&w, "MatMul", "d f", "y", NULL);
        ck_assert_int_eq(import_with(&w, fresh ? 18 : 9, NULL), SY_OK);
        seen[fresh] = totals;
        ck_assert_uint_eq(totals.macs, 6 * 6 * 16 * 4 * 9 + 16 * 5);
        ck_assert_uint_eq(totals.parameters, 16 * 4 * 9 + 16 * 5);
    }
    ck_assert_mem_eq(&seen[0], &seen[1], sizeof seen[0]);
}
END_TEST

/* The end of a quantized MobileNet as ONNX Runtime writes it, and its products that give floats. */
START_TEST(quantized_operators_of_runtimes_are_known)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "x", INT8, "1,12,7,7");
    onnx_value(&w, IN, "f", FLOAT, "3,16");
    onnx_weight(&w, "s", FLOAT, "");
    onnx_weight(&w, "z", INT8, "");
    onnx_weight(&w, "w", INT8, "5,12");
    onnx_weight(&w, "b", 6, "5");
    onnx_weight(&w, "v", INT8, "16,8");
    onnx_weight(&w, "c", FLOAT, "8");
    onnx_node_ms(&w, "QLinearGlobalAveragePool", "x s z s z", "p", NULL);
    onnx_node_ms(&w, "QLinearSigmoid", "p s z s z", "q", NULL);
    onnx_node(&w, "Flatten", "q", "l", NULL);
    onnx_node_ms(&w, "QGemm", "l s z w s z b s z", "y", "transB=1", NULL);
    onnx_node_ms(&w, "DynamicQuantizeMatMul", "f v s z c", "g", NULL);
    import(&w);
    ck_assert_uint_eq(totals.macs, 5 * 12 + 3 * 16 * 8);
    ck_assert_uint_eq(totals.parameters, 5 * 12 + 5 + 16 * 8 + 8);
}
END_TEST

/* Parts of different scales are brought to one; parts that share the result's are only copied. */
START_TEST(quantized_parts_are_joined_and_requantized)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "a", INT8, "2,3,5,7");
    onnx_value(&w, IN, "b", INT8, "2,4,5,7");
    onnx_weight(&w, "s", FLOAT, "");
    onnx_weight(&w, "r", FLOAT, "");
    onnx_weight(&w, "z", INT8, "");
    onnx_node_ms(&w, "QLinearConcat", "s z a s z b r z", "y", "axis=1", NULL);
    onnx_node_ms(&w, "QLinearConcat", "s z y s z y s z", "u", "axis=3", NULL);
    onnx_value(&w, OUT, "u", INT8, "2,7,5,14");
    import(&w);
    ck_assert_uint_eq(totals.layers, 3);
    const struct sy_layer *join = layer_at(0), *scale = layer_at(1), *copy = layer_at(2);
    ck_assert_int_eq(join->op, SY_OP_MOVE);
    ck_assert(join->dim.move.operand[0] == 2 * 3 * 35 && join->dim.move.operand[1] == 2 * 4 * 35);
    ck_assert_int_eq(scale->op, SY_OP_ELEMENTWISE);
    ck_assert_uint_eq(scale->dim.elementwise.function, SY_FN_REQUANT);
    ck_assert_uint_eq(scale->dim.elementwise.elements, 2 * 7 * 35);
    ck_assert_int_eq(copy->op, SY_OP_MOVE);
    ck_assert_uint_eq(copy->dim.move.elements, 2 * 7 * 5 * 14);
    ck_assert_uint_eq(totals.activation_bytes, 3 * 2 * 490 + 2 * 490);
    struct onnx_writer bad = {0};
    onnx_value(&bad, IN, "a", INT8, "2,3");
    onnx_weight(&bad, "s", FLOAT, "");
    onnx_node_ms(&bad, "QLinearConcat", "s s a s", "y", "axis=1", NULL);
    ck_assert_int_eq(import_with(&bad, 17, NULL), SY_INPUT);
    ck_assert_msg(strstr(sink.message, "4 inputs are not scale and zero") != NULL, "%s", sink.message);
}
END_TEST

START_TEST(packed_weights_keep_their_groups)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "x", FLOAT, "4,256");
    onnx_weight(&w, "q", 2, "64,2,64");
    onnx_weight(&w, "s", FLOAT, "128");
    onnx_weight(&w, "z", 2, "64");
    onnx_node_ms(&w, "MatMulNBits", "x q s", "y", "K=256", "N=64", "bits=4", "block_size=128", NULL);
    onnx_node_ms(&w, "MatMulNBits", "x q s z", "u", "K=256", "N=64", "bits=4", "block_size=32", NULL);
    import(&w);
    ck_assert_int_eq(layer_at(0)->in[1].dtype, SY_INT4G128);
    ck_assert_int_eq(layer_at(1)->in[1].dtype, SY_INT4G32Z);
    ck_assert_uint_eq(totals.macs, 2 * 4 * 256 * 64);
}
END_TEST

/* Attention, norm and rotation as operators of opset 23; rotations read the rows of their tokens alone. */
START_TEST(operators_of_opset_23_are_known)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "x", FLOAT, "2,16,64");
    onnx_value(&w, IN, "v", FLOAT, "2,16,32");
    onnx_value(&w, IN, "k4", FLOAT, "2,2,16,16");
    onnx_value(&w, IN, "ids", INT64, "2,16");
    onnx_weight(&w, "cos", FLOAT, "4096,8");
    onnx_weight(&w, "sin", FLOAT, "4096,8");
    onnx_value(&w, IN, "c3", FLOAT, "2,16,8");
    onnx_weight(&w, "g", FLOAT, "64");
    onnx_node(&w, "RMSNormalization", "x g", "n", "axis=-1", NULL);
    onnx_node(&w, "RotaryEmbedding", "n cos sin ids", "q", "num_heads=4", NULL);
    onnx_node(&w, "RotaryEmbedding", "k4 c3 c3", "k", NULL);
    onnx_node(&w, "Attention", "q k v", "y", "q_num_heads=4", "kv_num_heads=2", "is_causal=1", NULL);
    onnx_value(&w, OUT, "y", FLOAT, "2,16,64");
    enum sy_status status = import_with(&w, 23, NULL);
    ck_assert_msg(status == SY_OK, "%s", sink.message);
    ck_assert_int_eq(layer_at(0)->op, SY_OP_NORM);
    ck_assert_uint_eq(layer_at(0)->dim.rows.kind, SY_NORM_RMS);
    const struct sy_elementwise_dims *q = &layer_at(1)->dim.elementwise, *k = &layer_at(2)->dim.elementwise;
    ck_assert(q->function == SY_FN_ROTARY && q->elements == 2 * 16 * 64 && q->operand[1] == 16 * 8);
    ck_assert(k->function == SY_FN_ROTARY && k->elements == 2 * 2 * 16 * 16 && k->operand[1] == 2 * 16 * 8);
    const struct sy_attention_dims *d = &layer_at(3)->dim.attention;
    ck_assert(d->b == 2 && d->heads == 4 && d->kv_heads == 2 && d->q_len == 16 && d->kv_len == 16);
    ck_assert(d->head_dim == 16 && d->value_dim == 16 && d->causal == 1);
}
END_TEST

/* Positions looked up by a constant range: the table's parameters are all of it. A learnt bias of one number counts. */
START_TEST(fixed_rows_of_a_table_are_a_lookup)
{
    static const int64_t rows[] = {0, 1, 2, 3, 4};
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "ids", INT64, "1,5");
    onnx_weight(&w, "words", FLOAT, "100,16");
    onnx_weight(&w, "positions", FLOAT, "512,16");
    onnx_ints(&w, "rows", 5, rows, 1);
    onnx_node(&w, "Gather", "words ids", "e", NULL);
    onnx_node(&w, "Gather", "positions rows", "p", NULL);
    onnx_node(&w, "Add", "e p", "x", NULL);
    import(&w);
    ck_assert_uint_eq(totals.parameters, 100 * 16 + 512 * 16);
    ck_assert_uint_eq(totals.layers, 3);
}
END_TEST

START_TEST(einsum_knows_ellipses_and_implicit_results)
{
    static const char *const equations[] = {"equation=\"...i,ij->...j", "equation=\"bsi,ij",
                                            "equation=\"b...i, ij -> b...j"};
    for (size_t i = 0; i < sizeof equations / sizeof equations[0]; i++) {
        struct onnx_writer w = {0};
        onnx_value(&w, IN, "x", FLOAT, "2,5,8");
        onnx_weight(&w, "w", FLOAT, "8,6");
        onnx_node(&w, "Einsum", "x w", "y", equations[i], NULL);
        onnx_node(&w, "ReduceMean", "y", "z", "axes=2,", NULL);
        import(&w);
        ck_assert_uint_eq(totals.macs, 2 * 5 * 8 * 6);
        ck_assert_uint_eq(totals.parameters, 48);
        ck_assert_uint_eq(layer_at(1)->dim.rows.cols, i == 1 ? 5 : 6); /* implicit: b, j, s by the alphabet */
    }
}
END_TEST

/* W x as exporters of mixers write it: the weight is on the left, of one sample or of a batch. */
START_TEST(a_weight_on_the_left_is_a_weight)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "x", FLOAT, "4,32,10");
    onnx_weight(&w, "W", FLOAT, "64,32");
    onnx_weight(&w, "G", FLOAT, "7,64");
    onnx_weight(&w, "c", FLOAT, "7,1");
    onnx_node(&w, "MatMul", "W x", "h", NULL);
    onnx_node(&w, "Slice", "h s0 s1 ax", "h0", NULL);
    const int64_t zero = 0, one = 1;
    onnx_ints(&w, "s0", 1, &zero, 1);
    onnx_ints(&w, "s1", 1, &one, 1);
    onnx_ints(&w, "ax", 1, &zero, 0);
    onnx_node(&w, "Squeeze", "h0 ax", "h1", NULL);
    onnx_node(&w, "Gemm", "G h1 c", "y", NULL);
    onnx_node(&w, "Einsum", "E y", "z", "equation=\"ab,bc->ac", NULL);
    onnx_weight(&w, "E", FLOAT, "3,7");
    import(&w);
    ck_assert_uint_eq(totals.macs, 4 * 64 * 32 * 10 + 7 * 64 * 10 + 3 * 7 * 10);
    ck_assert_uint_eq(totals.parameters, 64 * 32 + 7 * 64 + 7 + 3 * 7);
}
END_TEST

/* One table as embedding and, transposed, as output projection; a bias in two places; parts of one weight. */
START_TEST(a_weight_used_in_several_forms_counts_once)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "ids", INT64, "1,5");
    onnx_weight(&w, "table", FLOAT, "100,16");
    onnx_weight(&w, "qkv", FLOAT, "16,48");
    onnx_node(&w, "Gather", "table ids", "x", NULL);
    onnx_node(&w, "Split", "qkv", "wq wk wv", "axis=1", NULL);
    onnx_node(&w, "MatMul", "x wq", "q", NULL);
    onnx_node(&w, "MatMul", "x wk", "k", NULL);
    onnx_node(&w, "MatMul", "x wv", "v", NULL);
    onnx_node(&w, "Sum", "q k v", "s", NULL);
    onnx_node(&w, "Transpose", "table", "t", "perm=1,0,", NULL);
    onnx_node(&w, "Cast", "t", "tc", "to=10", NULL);
    onnx_node(&w, "MatMul", "s tc", "logits", NULL);
    import(&w);
    ck_assert_uint_eq(totals.parameters, 100 * 16 + 16 * 48);
    ck_assert_uint_eq(totals.macs, 5 * 16 * 48 + 5 * 16 * 100);
}
END_TEST

/* Published counts hold them, too: FSRCNN as it circulates names one filter twice and leaves another out. Indices and
 * sizes are no weights. */
START_TEST(weights_that_no_node_reads_count_and_are_said)
{
    struct onnx_writer w = {0};
    onnx_value(&w, IN, "x", FLOAT, "1,8");
    onnx_weight(&w, "used", FLOAT, "8,8");
    onnx_weight(&w, "spare", FLOAT, "3,5");
    onnx_weight(&w, "spare_too", 3, "7"); /* int8 */
    onnx_weight(&w, "places", 7, "9");    /* int64 */
    onnx_node(&w, "MatMul", "x used", "y", NULL);
    import(&w);
    ck_assert_uint_eq(totals.parameters, 64 + 15 + 7);
    ck_assert_uint_eq(totals.weight_bytes, 4 * (64 + 15) + 7);
    ck_assert_uint_eq(totals.macs, 64);
    ck_assert_ptr_nonnull(strstr(sink.message, "'spare' and other tensors: 22 parameters"));
}
END_TEST

START_TEST(a_large_random_graph_imports)
{
    enum { NODES = 100000 };
    static const char *const ops[] = {"Relu", "Add", "Mul", "MatMul", "Softmax", "Sigmoid"};
    struct onnx_writer w = {{0}, {0}};
    uint64_t seed = 4;
    onnx_value(&w, IN, "v0", FLOAT, "16,16");
    uint64_t products = 0;
    for (int i = 1; i <= NODES; i++) {
        uint64_t kind = next_random(&seed) % 6;
        char in[64], out[32];
        bool two = kind >= 1 && kind <= 3;
        products += kind == 3;
        uint64_t first = next_random(&seed) % (uint64_t)i, second = next_random(&seed) % (uint64_t)i;
        snprintf(in, sizeof in, two ? "v%lu v%lu" : "v%lu", (unsigned long)first, (unsigned long)second);
        snprintf(out, sizeof out, "v%d", i);
        onnx_node(&w, ops[kind], in, out, NULL);
    }
    import(&w);
    ck_assert_uint_eq(totals.macs, products * 16 * 16 * 16);
    ck_assert_uint_gt(totals.layers, NODES / 2);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import_onnx");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, collected_graphs_have_their_macs);
    tcase_add_test(tcase, inverted_residual_fuses_into_three_convolutions);
    tcase_add_test(tcase, fusing_respects_readers_and_order);
    tcase_add_test(tcase, transposed_convolution_counts_input_pixels);
    tcase_add_test(tcase, symbolic_sizes_and_shape_arithmetic_fold_away);
    tcase_add_test(tcase, a_size_without_value_is_asked_for);
    tcase_add_test(tcase, quantized_operators_compute_on_integers);
    tcase_add_test(tcase, fused_operators_of_runtimes_are_known);
    tcase_add_test(tcase, recurrent_cells_repeat_their_step);
    tcase_add_test(tcase, einsum_is_a_grouped_product);
    tcase_add_test(tcase, views_and_moves_have_the_right_sizes);
    tcase_add_test(tcase, what_is_not_modelled_is_named_or_counted);
    tcase_add_test(tcase, wrong_graphs_name_node_and_reason);
    tcase_add_test(tcase, arguments_are_read_as_attributes_and_as_inputs);
    tcase_add_test(tcase, quantized_operators_of_runtimes_are_known);
    tcase_add_test(tcase, quantized_parts_are_joined_and_requantized);
    tcase_add_test(tcase, packed_weights_keep_their_groups);
    tcase_add_test(tcase, operators_of_opset_23_are_known);
    tcase_add_test(tcase, fixed_rows_of_a_table_are_a_lookup);
    tcase_add_test(tcase, einsum_knows_ellipses_and_implicit_results);
    tcase_add_test(tcase, a_weight_on_the_left_is_a_weight);
    tcase_add_test(tcase, a_weight_used_in_several_forms_counts_once);
    tcase_add_test(tcase, weights_that_no_node_reads_count_and_are_said);
    tcase_add_test(tcase, a_large_random_graph_imports);
    return run_case("workloads/import/onnx", tcase);
}
