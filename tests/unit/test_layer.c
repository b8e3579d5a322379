/* SPDX-License-Identifier: Apache-2.0 */
/* Layers, the operator table and totals. */
#include "workloads/layer.h"

#include "sim/base/checked.h"
#include "tests/unit/base_support.h"
#include "workloads/workload.h"

static struct memory_sink sink;

static struct sy_layer conv(uint64_t h, uint64_t w, uint64_t c, uint64_t n, uint64_t f, uint64_t s, uint64_t p)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_CONV);
    struct sy_conv_dims *d = &layer.dim.conv;
    d->h = h, d->w = w, d->c = c, d->n = n;
    d->fh = d->fw = f;
    d->sh = d->sw = s;
    d->pt = d->pb = d->pl = d->pr = p;
    return layer;
}

static struct sy_layer gemm(uint64_t m, uint64_t k, uint64_t n)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = m, layer.dim.gemm.k = k, layer.dim.gemm.n = n;
    return layer;
}

static enum sy_status check(const struct sy_layer *layer)
{
    return sy_layer_check(layer, "t.slt", sink_start(&sink));
}

START_TEST(dtype_bytes_include_scales_and_round_up)
{
    /* Sizes by hand: 32 elements and one 8-bit scale a block (OCP MX), 16 for NVFP4. */
    static const struct {
        enum sy_dtype dtype;
        uint64_t elements, bytes;
    } rows[] = {{SY_INT8, 7, 7},
                {SY_INT4, 7, 4},
                {SY_FP32, 3, 12},
                {SY_BF16, 0, 0},
                {SY_MXFP8, 32, 33},
                {SY_MXFP8, 33, 35},
                {SY_MXFP6, 32, 25},
                {SY_MXFP4, 64, 34},
                {SY_NVFP4, 16, 9},
                {SY_NVFP4, 17, 11},
                /* 16 bits a group of 128, and 4 more for its zero point: 64 + 2, 64 + 2.5 rounded up */
                {SY_INT4G128, 128, 66},
                {SY_INT4G128Z, 128, 67},
                {SY_INT4G128Z, 256, 133},
                {SY_INT4G32, 4096 * 64, 4096 * 64 / 2 + 4096 * 2 * 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bytes;
        ck_assert(sy_dtype_bytes(rows[i].dtype, rows[i].elements, &bytes));
        ck_assert_uint_eq(bytes, rows[i].bytes);
    }
    uint64_t bytes;
    ck_assert(sy_dtype_bytes(SY_INT4, UINT64_MAX, &bytes));
    ck_assert_uint_eq(bytes, UINT64_C(1) << 63);
    ck_assert(sy_dtype_bytes(SY_FP8, UINT64_MAX, &bytes));
    ck_assert(!sy_dtype_bytes(SY_FP16, UINT64_MAX, &bytes));
    ck_assert(!sy_dtype_bytes(SY_MXFP8, UINT64_MAX, &bytes));
    enum sy_dtype dtype;
    for (int i = 0; i < SY_DTYPE_COUNT; i++) {
        ck_assert(sy_dtype_parse(sy_dtypes[i].name, &dtype));
        ck_assert_int_eq(dtype, i);
    }
    ck_assert(!sy_dtype_parse("int9", &dtype));
}
END_TEST

START_TEST(operator_table_is_complete_unique_and_documented)
{
    for (int op = 0; op < SY_OP_COUNT; op++) {
        const struct sy_op_info *info = &sy_ops[op];
        ck_assert_ptr_nonnull(info->name);
        ck_assert_ptr_nonnull(info->doc);
        ck_assert(info->dims >= 1 && info->dims <= SY_MAX_OP_DIMS);
        ck_assert(info->min_inputs <= info->max_inputs && info->max_inputs <= SY_MAX_INPUTS);
        for (int other = 0; other < op; other++) {
            ck_assert_str_ne(info->name, sy_ops[other].name);
        }
        uint32_t names = 0;
        while (info->input_names[names] != NULL) {
            names++;
        }
        ck_assert_uint_eq(names, info->max_inputs);
        for (uint32_t i = 0; i < info->dims; i++) {
            const struct sy_dim_info *d = &info->dim[i];
            ck_assert_ptr_nonnull(d->name);
            ck_assert_ptr_nonnull(d->doc);
            ck_assert(d->minimum <= d->maximum);
            ck_assert(d->required || (d->default_value >= d->minimum && d->default_value <= d->maximum));
            ck_assert(d->offset >= offsetof(struct sy_layer, dim));
            ck_assert(d->offset + sizeof(uint64_t) <= offsetof(struct sy_layer, in));
            uint64_t words = 0;
            while (d->names != NULL && d->names[words] != NULL) {
                words++;
            }
            ck_assert(d->names == NULL || words == d->maximum + 1);
            for (uint32_t j = 0; j < i; j++) {
                ck_assert_str_ne(d->name, info->dim[j].name);
                ck_assert_uint_ne(d->offset, info->dim[j].offset);
            }
            /* A trace record writes dimensions and tensors as KEY=VALUE in one name space. */
            for (uint32_t j = 0; j < names; j++) {
                ck_assert_str_ne(d->name, info->input_names[j]);
            }
        }
    }
    enum sy_function function;
    for (int i = 0; i < SY_FUNCTION_COUNT; i++) {
        ck_assert(sy_function_parse(sy_functions[i].name, &function));
        ck_assert_int_eq(function, i);
    }
}
END_TEST

START_TEST(conv_figures_match_published_layers)
{
    /* AlexNet conv1 and ResNet-50 conv1, torchvision: output 55 and 112. */
    struct sy_layer layer = conv(224, 224, 3, 64, 11, 4, 2);
    uint64_t oh, ow;
    ck_assert_int_eq(check(&layer), SY_OK);
    sy_layer_output_size(&layer, &oh, &ow);
    ck_assert_uint_eq(oh, 55);
    ck_assert_uint_eq(ow, 55);
    ck_assert_uint_eq(sy_layer_macs(&layer), UINT64_C(55) * 55 * 64 * 11 * 11 * 3);
    layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    layer.epilogue[layer.epilogues++] = SY_FN_RELU;
    ck_assert_uint_eq(sy_layer_parameters(&layer), 64 * 363 + 64);

    layer = conv(224, 224, 3, 64, 7, 2, 3);
    layer.epilogue[layer.epilogues++] = SY_FN_BN;
    sy_layer_output_size(&layer, &oh, &ow);
    ck_assert_uint_eq(oh, 112);
    ck_assert_uint_eq(sy_layer_parameters(&layer), 9408 + 128);
    ck_assert_uint_eq(sy_layer_macs(&layer), 118013952);

    /* depthwise: MobileNet v1's first */
    layer = conv(112, 112, 32, 32, 3, 1, 1);
    layer.dim.conv.groups = 32;
    ck_assert_int_eq(check(&layer), SY_OK);
    ck_assert_uint_eq(sy_layer_macs(&layer), 112 * 112 * 9 * 32);
    ck_assert_uint_eq(sy_layer_parameters(&layer), 288);
}
END_TEST

START_TEST(explicit_output_size_overrides_the_floor_formula)
{
    struct sy_layer layer = conv(6, 6, 4, 8, 3, 2, 0);
    uint64_t oh, ow;
    sy_layer_output_size(&layer, &oh, &ow);
    ck_assert_uint_eq(oh, 2);
    layer.dim.conv.oh = layer.dim.conv.ow = 3; /* SCALE-Sim's ceil rule */
    ck_assert_int_eq(check(&layer), SY_OK);
    sy_layer_output_size(&layer, &oh, &ow);
    ck_assert_uint_eq(oh, 3);
    ck_assert_uint_eq(ow, 3);
    ck_assert_uint_eq(sy_layer_macs(&layer), 9 * 9 * 4 * 8);
    layer.dim.conv.oh = 5; /* its window would start at row 8 of 6 */
    ck_assert_int_eq(check(&layer), SY_INPUT);
}
END_TEST

START_TEST(pooling_rounds_as_frameworks_do)
{
    /* size, filter, stride, padding, floor, ceil; by hand from the rule that no window starts in the right padding */
    static const uint64_t rows[][6] = {{112, 3, 2, 1, 56, 57}, {6, 3, 2, 0, 2, 3}, {7, 3, 2, 0, 3, 3},
                                       {55, 3, 2, 0, 27, 27},  {5, 2, 2, 0, 2, 3}, {4, 2, 3, 1, 2, 2},
                                       {1, 1, 4, 0, 1, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_layer layer;
        sy_layer_init(&layer, SY_OP_POOL);
        struct sy_pool_dims *d = &layer.dim.pool;
        d->h = d->w = rows[i][0], d->fh = d->fw = rows[i][1], d->sh = d->sw = rows[i][2], d->c = 5;
        d->pt = d->pb = d->pl = d->pr = rows[i][3];
        uint64_t oh, ow;
        ck_assert_int_eq(check(&layer), SY_OK);
        sy_layer_output_size(&layer, &oh, &ow);
        ck_assert_uint_eq(oh, rows[i][4]);
        d->ceil_mode = 1;
        sy_layer_output_size(&layer, &oh, &ow);
        ck_assert_uint_eq(ow, rows[i][5]);
    }
}
END_TEST

/* Every dimension of every operator, set just outside its range, is refused by name with the layer's line. */
START_TEST(every_dimension_out_of_range_is_named)
{
    for (int op = 0; op < SY_OP_COUNT; op++) {
        const struct sy_op_info *info = &sy_ops[op];
        for (uint32_t i = 0; i < info->dims; i++) {
            const uint64_t wrong[] = {info->dim[i].minimum - 1, info->dim[i].maximum + 1, UINT64_MAX};
            for (int j = 0; j < 3; j++) {
                if (wrong[j] >= info->dim[i].minimum && wrong[j] <= info->dim[i].maximum) {
                    continue;
                }
                struct sy_layer layer;
                sy_layer_init(&layer, (enum sy_op)op);
                for (uint32_t other = 0; other < info->dims; other++) {
                    if (info->dim[other].required) {
                        uint64_t one = 1;
                        memcpy((char *)&layer + info->dim[other].offset, &one, sizeof one);
                    }
                }
                layer.line = 42;
                if (op == SY_OP_ELEMENTWISE) {
                    layer.dim.elementwise.function = SY_FN_RELU;
                }
                memcpy((char *)&layer + info->dim[i].offset, &wrong[j], sizeof wrong[j]);
                ck_assert_int_eq(check(&layer), SY_INPUT);
                char want[64];
                snprintf(want, sizeof want, "%s %s is ", info->name, info->dim[i].name);
                ck_assert_msg(strstr(sink.message, want) != NULL, "%s", sink.message);
                ck_assert_uint_eq(sink.line, 42);
            }
        }
    }
}
END_TEST

START_TEST(all_wrong_dimensions_are_reported_at_once)
{
    struct sy_layer layer = conv(0, 0, 3, 0, 3, 1, 0);
    ck_assert_int_eq(check(&layer), SY_INPUT);
    ck_assert_int_eq(sink.calls, 3);
}
END_TEST

START_TEST(products_that_do_not_fit_are_refused)
{
    struct sy_layer layer = gemm(UINT64_C(1) << 40, UINT64_C(1) << 20, 16);
    ck_assert_int_eq(check(&layer), SY_INPUT); /* 2^64 MACs */
    ck_assert_ptr_nonnull(strstr(sink.message, "multiply-accumulates"));
    layer = gemm(UINT64_C(1) << 40, UINT64_C(1) << 19, 15);
    ck_assert_int_eq(check(&layer), SY_OK);
    layer.in[0].dtype = SY_FP32; /* 2^59 elements of 4 bytes fit, of A */
    ck_assert_int_eq(check(&layer), SY_OK);
    layer.dim.gemm.n = UINT64_C(1) << 23; /* 2^63 outputs of 4 bytes do not */
    layer.dim.gemm.k = 1;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "output"));
    layer = gemm(1, 1, 1);
    layer.dim.gemm.experts = UINT64_C(1) << 40;
    layer.dim.gemm.n = UINT64_C(1) << 24;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "parameters"));
}
END_TEST

START_TEST(contradictions_between_dimensions_are_refused)
{
    struct sy_layer layer = conv(8, 8, 6, 8, 3, 1, 0);
    layer.dim.conv.groups = 4;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    ck_assert_ptr_nonnull(strstr(sink.message, "groups"));
    layer = conv(2, 2, 1, 1, 3, 1, 0);
    ck_assert_int_eq(check(&layer), SY_INPUT);
    layer = conv(4, 4, 1, 1, 3, 1, 0);
    layer.dim.conv.dh = 2; /* reaches 5 rows */
    ck_assert_int_eq(check(&layer), SY_INPUT);
    sy_layer_init(&layer, SY_OP_ATTENTION);
    layer.dim.attention = (struct sy_attention_dims){
        .b = 1, .heads = 6, .kv_heads = 4, .q_len = 1, .kv_len = 1, .head_dim = 8, .value_dim = 8};
    ck_assert_int_eq(check(&layer), SY_INPUT);
    layer.dim.attention.kv_heads = 3;
    ck_assert_int_eq(check(&layer), SY_OK);
    layer.dim.attention.causal = 1;
    layer.dim.attention.q_len = 2;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    sy_layer_init(&layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise = (struct sy_elementwise_dims){.elements = 9, .function = SY_FN_ADD};
    ck_assert_int_eq(check(&layer), SY_INPUT); /* add needs two inputs */
    layer.inputs = 2;
    ck_assert_int_eq(check(&layer), SY_OK);
    layer.dim.elementwise.function = SY_FN_BIAS;
    layer.inputs = 1;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    sy_layer_init(&layer, SY_OP_REDUCE);
    layer.dim.rows = (struct sy_rows_dims){.rows = 1, .cols = 1, .kind = SY_FN_RELU};
    ck_assert_int_eq(check(&layer), SY_INPUT);
    layer = gemm(2, 2, 2);
    layer.epilogue[layer.epilogues++] = SY_FN_ADD;
    ck_assert_int_eq(check(&layer), SY_INPUT); /* the residual tensor is missing */
    layer.inputs = 3;
    ck_assert_int_eq(check(&layer), SY_OK);
    layer.epilogues = SY_MAX_EPILOGUE + 1;
    ck_assert_int_eq(check(&layer), SY_INPUT);
    layer = gemm(2, 2, 2);
    layer.sparsity = (struct sy_sparsity){.keep = 5, .group = 4};
    ck_assert_int_eq(check(&layer), SY_INPUT);
    layer = gemm(2, 2, 2);
    layer.has_schedule = true;
    layer.schedule.levels = 1;
    memcpy(layer.schedule.order[0], "mkm", 4);
    ck_assert_int_eq(check(&layer), SY_INPUT);
    memcpy(layer.schedule.order[0], "kmn", 4);
    ck_assert_int_eq(check(&layer), SY_OK);
}
END_TEST

/* Random bytes in every member: a verdict, never a crash, and an accepted layer has figures that hold together. */
START_TEST(random_layers_are_judged_and_accepted_ones_hold_together)
{
    uint64_t seed = 11;
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        struct sy_layer layer;
        sy_layer_init(&layer, (enum sy_op)(next_random(&seed) % SY_OP_COUNT));
        const struct sy_op_info *info = &sy_ops[layer.op];
        for (uint32_t i = 0; i < info->dims; i++) {
            uint64_t value = next_random(&seed) >> next_random(&seed) % 64;
            if (next_random(&seed) % 50 != 0) {
                uint64_t span = sy_min(info->dim[i].maximum, 9) - info->dim[i].minimum + 1;
                value = info->dim[i].minimum + value % span;
            }
            memcpy((char *)&layer + info->dim[i].offset, &value, sizeof value);
        }
        layer.inputs = (uint32_t)(next_random(&seed) % 40 == 0 ? next_random(&seed) : info->min_inputs);
        layer.epilogues = next_random(&seed) % 4 == 0 ? (uint32_t)(next_random(&seed) % 8) : 0;
        for (int i = 0; i < SY_MAX_EPILOGUE; i++) {
            layer.epilogue[i] = (enum sy_function)(next_random(&seed) % (SY_FUNCTION_COUNT + 1));
        }
        layer.out.dtype = (enum sy_dtype)(next_random(&seed) % (SY_DTYPE_COUNT + (next_random(&seed) % 9 == 0)));
        if (check(&layer) != SY_OK) {
            ck_assert_int_gt(sink.calls, 0);
            continue;
        }
        accepted++;
        ck_assert_uint_ge(sy_layer_output_elements(&layer), 1);
        bool matrix = layer.op == SY_OP_GEMM || layer.op == SY_OP_CONV || layer.op == SY_OP_ATTENTION;
        ck_assert_int_eq(sy_layer_macs(&layer) > 0, matrix);
        uint64_t bytes;
        ck_assert(sy_layer_weight_bytes(&layer, &bytes));
        ck_assert_int_eq(bytes > 0, sy_layer_parameters(&layer) > 0);
    }
    ck_assert_int_gt(accepted, 3000);
}
END_TEST

START_TEST(visible_pairs_equal_a_count_of_the_mask)
{
    uint64_t seed = 5;
    for (int round = 0; round < 5000; round++) {
        struct sy_attention_dims d = {.kv_len = 1 + next_random(&seed) % 24, .window = next_random(&seed) % 12};
        d.causal = next_random(&seed) % 2;
        d.q_len = 1 + next_random(&seed) % (d.causal ? d.kv_len : 24);
        uint64_t pairs = 0;
        for (uint64_t q = 0; q < d.q_len; q++) {
            for (uint64_t key = 0; key < d.kv_len && d.causal; key++) {
                uint64_t at = d.kv_len - d.q_len + q;
                pairs += key <= at && (d.window == 0 || at - key < d.window);
            }
        }
        if (d.causal) {
            ck_assert_uint_eq(sy_attention_pairs(&d), pairs);
            ck_assert_uint_le(pairs, d.q_len * sy_attention_keys(&d));
        } else {
            ck_assert_uint_eq(sy_attention_pairs(&d), d.q_len * sy_attention_keys(&d));
        }
    }
}
END_TEST

START_TEST(parameters_count_experts_once_and_tied_operands_never)
{
    struct sy_layer layer = gemm(3, 10, 20);
    layer.dim.gemm.g = 2;
    layer.dim.gemm.experts = 8;
    layer.epilogue[layer.epilogues++] = SY_FN_BIAS;
    ck_assert_uint_eq(sy_layer_parameters(&layer), 8 * (200 + 20));
    ck_assert_uint_eq(sy_layer_input_elements(&layer, 1), 2 * 200);
    layer.dim.gemm.tied = 1;
    ck_assert_uint_eq(sy_layer_parameters(&layer), 8 * 20);
    layer.in[1].flags = 0;
    layer.epilogues = 0;
    ck_assert_uint_eq(sy_layer_parameters(&layer), 0);
    static const uint64_t norms[][3] = {{SY_NORM_LAYER, SY_AFFINE_USUAL, 14},
                                        {SY_NORM_RMS, SY_AFFINE_USUAL, 7},
                                        {SY_NORM_BATCH, SY_AFFINE_USUAL, 14},
                                        {SY_NORM_LAYER, SY_AFFINE_NONE, 0},
                                        {SY_NORM_LAYER, SY_AFFINE_SCALE, 7}};
    for (int i = 0; i < 5; i++) {
        sy_layer_init(&layer, SY_OP_NORM);
        layer.dim.rows = (struct sy_rows_dims){.rows = 5, .cols = 7, .kind = norms[i][0], .affine = norms[i][1]};
        ck_assert_uint_eq(sy_layer_parameters(&layer), norms[i][2]);
    }
    sy_layer_init(&layer, SY_OP_GATHER);
    layer.dim.gather = (struct sy_gather_dims){.rows = 5, .cols = 7, .table_rows = 100};
    ck_assert_uint_eq(sy_layer_parameters(&layer), 700);
    ck_assert_uint_eq(sy_layer_input_elements(&layer, 1), 35);
}
END_TEST

START_TEST(totals_multiply_repeats_out)
{
    struct sy_workload *workload;
    struct sy_workload_totals totals;
    char name[] = "w";
    ck_assert_int_eq(sy_workload_create("net", &workload), SY_OK);
    struct sy_layer layer = gemm(2, 3, 5);
    layer.in[1].name = name;
    ck_assert_int_eq(sy_workload_end_repeat(workload), SY_STATE);
    ck_assert_int_eq(sy_workload_add_repeat(workload, 0), SY_INPUT);
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_add_repeat(workload, 4), SY_OK);
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_add_repeat(workload, 10), SY_OK);
    layer.in[1].flags |= SY_TENSOR_SHARED;
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_end_repeat(workload), SY_OK);
    ck_assert(!sy_workload_totals(workload, &totals)); /* a block is open */
    ck_assert_int_eq(sy_workload_end_repeat(workload), SY_OK);
    name[0] = '?'; /* the workload has its own copy */
    ck_assert_str_eq(workload->first->layer.in[1].name, "w");
    ck_assert(sy_workload_totals(workload, &totals));
    ck_assert_uint_eq(totals.layers, 1 + 4 + 40);
    ck_assert_uint_eq(totals.macs, 45 * 30);
    ck_assert_uint_eq(totals.parameters, 15 * (1 + 4 + 1));
    ck_assert_uint_eq(totals.weight_bytes, 15 * 6);
    ck_assert_uint_eq(totals.activation_bytes, 45 * (6 + 10));
    ck_assert_uint_eq(workload->records, 7);
    ck_assert_int_eq(sy_workload_add_repeat(workload, UINT64_MAX), SY_OK);
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_end_repeat(workload), SY_OK);
    ck_assert(!sy_workload_totals(workload, &totals)); /* overflow */
    ck_assert_int_eq(sy_workload_add_unmodelled(workload, "Foo", 5), SY_OK);
    ck_assert_int_eq(sy_workload_add_unmodelled(workload, "Bar", 1), SY_OK);
    ck_assert_int_eq(sy_workload_add_unmodelled(workload, "Foo", 7), SY_OK);
    ck_assert_uint_eq(workload->unmodelled->count, 2);
    ck_assert_uint_eq(workload->unmodelled->bytes, 12);
    ck_assert_str_eq(workload->unmodelled->next->op, "Bar");
    sy_workload_destroy(workload);
    sy_workload_destroy(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("layer");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, dtype_bytes_include_scales_and_round_up);
    tcase_add_test(tcase, operator_table_is_complete_unique_and_documented);
    tcase_add_test(tcase, conv_figures_match_published_layers);
    tcase_add_test(tcase, explicit_output_size_overrides_the_floor_formula);
    tcase_add_test(tcase, pooling_rounds_as_frameworks_do);
    tcase_add_test(tcase, every_dimension_out_of_range_is_named);
    tcase_add_test(tcase, all_wrong_dimensions_are_reported_at_once);
    tcase_add_test(tcase, products_that_do_not_fit_are_refused);
    tcase_add_test(tcase, contradictions_between_dimensions_are_refused);
    tcase_add_test(tcase, random_layers_are_judged_and_accepted_ones_hold_together);
    tcase_add_test(tcase, visible_pairs_equal_a_count_of_the_mask);
    tcase_add_test(tcase, parameters_count_experts_once_and_tied_operands_never);
    tcase_add_test(tcase, totals_multiply_repeats_out);
    return run_case("workloads/layer", tcase);
}
