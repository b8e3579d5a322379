/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering to matrix, vector and data items; the window of a tile. */
#include "workloads/lower.h"

#include "sim/base/checked.h"
#include "tests/unit/base_support.h"

static uint64_t pick(uint64_t *seed, uint64_t least, uint64_t most)
{
    return least + next_random(seed) % (most - least + 1);
}

static struct sy_layer random_conv(uint64_t *seed)
{
    struct sy_layer layer;
    do {
        sy_layer_init(&layer, SY_OP_CONV);
        struct sy_conv_dims *d = &layer.dim.conv;
        d->b = pick(seed, 1, 3);
        d->groups = pick(seed, 1, 3);
        d->h = pick(seed, 1, 9), d->w = pick(seed, 1, 9);
        d->c = d->groups * pick(seed, 1, 4), d->n = d->groups * pick(seed, 1, 4);
        d->fh = pick(seed, 1, 4), d->fw = pick(seed, 1, 4);
        d->sh = pick(seed, 1, 4), d->sw = pick(seed, 1, 4);
        d->dh = pick(seed, 1, 3), d->dw = pick(seed, 1, 3);
        d->pt = pick(seed, 0, 3), d->pb = pick(seed, 0, 3), d->pl = pick(seed, 0, 3), d->pr = pick(seed, 0, 3);
        if (pick(seed, 0, 3) == 0) { /* a tool that rounds up */
            d->oh = pick(seed, 1, (d->h + d->pt + d->pb - 1) / d->sh + 2);
            d->ow = pick(seed, 1, (d->w + d->pl + d->pr - 1) / d->sw + 2);
        }
    } while (sy_layer_check(&layer, NULL, NULL) != SY_OK);
    return layer;
}

/* Oracle: walk every (row, column) of the tile, note the input coordinates of each, box them image by image. */
static uint64_t boxed(const struct sy_window *w, uint64_t m0, uint64_t tm, uint64_t k0, uint64_t tk)
{
    uint64_t sum = 0;
    for (uint64_t image = 0; image < w->b; image++) {
        long low[3] = {1000, 1000, 1000}, high[3] = {-1000, -1000, -1000};
        for (uint64_t m = m0; m < m0 + tm; m++) {
            if (m / (w->oh * w->ow) != image) {
                continue;
            }
            for (uint64_t k = k0; k < k0 + tk; k++) {
                long at[3] = {(long)(m / w->ow % w->oh * w->sh + k / w->c / w->fw * w->dh) - (long)w->pt,
                              (long)(m % w->ow * w->sw + k / w->c % w->fw * w->dw) - (long)w->pl, (long)(k % w->c)};
                for (int i = 0; i < 3; i++) {
                    low[i] = at[i] < low[i] ? at[i] : low[i];
                    high[i] = at[i] > high[i] ? at[i] : high[i];
                }
            }
        }
        long size[3] = {(long)w->h, (long)w->w, (long)w->c};
        uint64_t elements = 1;
        for (int i = 0; i < 3; i++) {
            low[i] = low[i] < 0 ? 0 : low[i];
            high[i] = high[i] >= size[i] ? size[i] - 1 : high[i];
            elements *= high[i] < low[i] ? 0 : (uint64_t)(high[i] - low[i] + 1);
        }
        sum += elements;
    }
    return sum;
}

START_TEST(window_elements_equal_the_box_of_the_touched_inputs)
{
    uint64_t seed = 3;
    int boxes = 0;
    for (int round = 0; round < 6000; round++) {
        struct sy_layer layer = random_conv(&seed);
        struct sy_work work;
        ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
        const struct sy_matrix_item *item = &work.item[0].u.matrix;
        uint64_t m0 = pick(&seed, 0, item->m - 1), tm = pick(&seed, 1, item->m - m0);
        uint64_t k0 = pick(&seed, 0, item->k - 1), tk = pick(&seed, 1, item->k - k0);
        uint64_t got = sy_window_elements(&item->window, m0, tm, k0, tk);
        if (!item->window.is_conv) {
            ck_assert_uint_eq(got, tm * tk);
            continue;
        }
        boxes++;
        ck_assert_uint_eq(got, boxed(&item->window, m0, tm, k0, tk));
        ck_assert_uint_eq(sy_window_elements(&item->window, m0, 0, k0, tk), 0);
    }
    ck_assert_int_gt(boxes, 4000);
}
END_TEST

/* Engine description, section 1: an interior tile of Th x Tw outputs is ((Th - 1) s + (Fh - 1) d + 1) x ... */
START_TEST(interior_tile_has_the_closed_form)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_CONV);
    layer.dim.conv = (struct sy_conv_dims){
        .b = 1, .h = 56, .w = 56, .c = 64, .n = 8, .fh = 3, .fw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1, .groups = 1};
    struct sy_work work;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    const struct sy_matrix_item *item = &work.item[0].u.matrix;
    ck_assert_uint_eq(item->m, 27 * 27);
    ck_assert_uint_eq(sy_window_elements(&item->window, 27 * 4, 27 * 3, 0, 9 * 64), (2 * 2 + 3) * (26 * 2 + 3) * 64);
    ck_assert_uint_eq(sy_window_elements(&item->window, 0, 1, 64, 64), 64);
}
END_TEST

START_TEST(lowered_macs_equal_the_layers_macs)
{
    uint64_t seed = 77;
    for (int round = 0; round < 4000; round++) {
        struct sy_layer layer;
        if (round % 3 == 0) {
            layer = random_conv(&seed);
        } else if (round % 3 == 1) {
            sy_layer_init(&layer, SY_OP_GEMM);
            layer.dim.gemm = (struct sy_gemm_dims){.g = pick(&seed, 1, 9),
                                                   .m = pick(&seed, 1, 99),
                                                   .k = pick(&seed, 1, 99),
                                                   .n = pick(&seed, 1, 99),
                                                   .shared_b = pick(&seed, 0, 1)};
        } else {
            sy_layer_init(&layer, SY_OP_ATTENTION);
            uint64_t kv = pick(&seed, 1, 4);
            layer.dim.attention = (struct sy_attention_dims){.b = pick(&seed, 1, 4),
                                                             .heads = kv * pick(&seed, 1, 4),
                                                             .kv_heads = kv,
                                                             .q_len = pick(&seed, 1, 50),
                                                             .kv_len = pick(&seed, 50, 90),
                                                             .head_dim = pick(&seed, 1, 64),
                                                             .value_dim = pick(&seed, 1, 64),
                                                             .causal = pick(&seed, 0, 1),
                                                             .window = pick(&seed, 0, 1) * pick(&seed, 1, 60)};
        }
        if (layer.op != SY_OP_ATTENTION && pick(&seed, 0, 3) == 0) {
            layer.sparsity.group = (uint32_t)pick(&seed, 1, 8);
            layer.sparsity.keep = (uint32_t)pick(&seed, 1, layer.sparsity.group);
        }
        ck_assert_int_eq(sy_layer_check(&layer, NULL, NULL), SY_OK);
        struct sy_work work;
        ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
        uint64_t macs = 0, a = 0, c = 0;
        for (uint32_t i = 0; i < work.items; i++) {
            if (work.item[i].kind != SY_ITEM_MATRIX) {
                continue;
            }
            const struct sy_matrix_item *item = &work.item[i].u.matrix;
            macs += item->groups * item->m * item->dense_k * item->n;
            a += item->tensor_a == 0 ? item->groups * item->m * item->dense_k : 0;
            c += item->tensor_c == SY_TENSOR_OUT ? item->groups * item->m * item->n : 0;
            /* kept positions along K, counted one by one */
            uint64_t kept = 0;
            for (uint64_t k = 0; k < item->dense_k; k++) {
                kept += layer.sparsity.group == 0 || k % layer.sparsity.group < layer.sparsity.keep;
            }
            ck_assert_uint_eq(item->k, kept);
        }
        ck_assert_uint_eq(macs, sy_layer_macs(&layer));
        ck_assert_uint_eq(c, sy_layer_output_elements(&layer));
        if (layer.op != SY_OP_CONV) {
            ck_assert_uint_eq(a, sy_layer_input_elements(&layer, 0));
        }
    }
}
END_TEST

START_TEST(epilogue_is_one_pass_that_reads_its_operands)
{
    struct sy_layer layer;
    struct sy_work work;
    sy_layer_init(&layer, SY_OP_CONV);
    layer.dim.conv.h = layer.dim.conv.w = 8;
    layer.dim.conv.c = layer.dim.conv.n = 16;
    layer.dim.conv.fh = layer.dim.conv.fw = 1;
    layer.accumulator = SY_INT8;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 1); /* nothing to do behind it */
    layer.accumulator = SY_INT32;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 2); /* requantization */
    ck_assert_uint_eq(work.item[1].u.vector.simple_ops, 1024 * sy_functions[SY_FN_REQUANT].simple);
    layer.epilogue[layer.epilogues++] = SY_FN_BN;
    layer.epilogue[layer.epilogues++] = SY_FN_ADD;
    layer.epilogue[layer.epilogues++] = SY_FN_RELU;
    layer.epilogue[layer.epilogues++] = SY_FN_REQUANT;
    layer.inputs = 3;
    ck_assert_int_eq(sy_layer_check(&layer, NULL, NULL), SY_OK);
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 2);
    const struct sy_vector_item *item = &work.item[1].u.vector;
    ck_assert(item->fused);
    ck_assert_uint_eq(item->elements, 1024);
    ck_assert_uint_eq(item->simple_ops, 1024 * (2 + 1 + 1 + 3));
    ck_assert_uint_eq(item->tensor_inputs, 2);
    ck_assert_int_eq(item->tensors_in[0], SY_TENSOR_INTERMEDIATE);
    ck_assert_int_eq(item->tensors_in[1], 2);
    ck_assert_uint_eq(item->bytes_in, 1024 * 4 + 16 * 2 * 4 + 1024);
    ck_assert_uint_eq(item->bytes_out, 1024);
    ck_assert_int_eq(work.item[0].u.matrix.tensor_c, SY_TENSOR_OUT);
}
END_TEST

/* A result in a block-scaled format: largest magnitude and scale of each block, then every element is scaled. */
START_TEST(block_scaled_results_pay_for_their_scales)
{
    static const struct {
        enum sy_dtype out;
        uint64_t scales, bytes;
    } rows[] = {{SY_MXFP8, 1024 / 32, 1024 + 32},
                {SY_MXFP6, 1024 / 32, 1024 * 6 / 8 + 32},
                {SY_MXFP4, 1024 / 32, 1024 / 2 + 32},
                {SY_NVFP4, 1024 / 16, 1024 / 2 + 64}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_layer layer;
        struct sy_work work;
        sy_layer_init(&layer, SY_OP_GEMM);
        layer.dim.gemm.m = layer.dim.gemm.n = 32;
        layer.dim.gemm.k = 8;
        layer.accumulator = SY_FP32;
        layer.out.dtype = rows[i].out;
        ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
        ck_assert_uint_eq(work.items, 2);
        const struct sy_vector_item *item = &work.item[1].u.vector;
        ck_assert_uint_eq(item->simple_ops, 1024 * (2 + sy_functions[SY_FN_REQUANT].simple));
        ck_assert_uint_eq(item->transcendental_ops, rows[i].scales);
        ck_assert_uint_eq(item->bytes_out, rows[i].bytes);
    }
}
END_TEST

/* 64 x 256 filters in groups of 128 along k. Beside floats each weight is converted and scaled, once; beside integers
 * the sums of the two groups are scaled and added. */
START_TEST(grouped_weights_pay_for_their_scales)
{
    struct sy_layer layer;
    struct sy_work work;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = 16;
    layer.dim.gemm.k = 256;
    layer.dim.gemm.n = 64;
    layer.in[0].dtype = layer.out.dtype = SY_BF16;
    layer.in[1].dtype = SY_INT4G128;
    layer.accumulator = SY_FP32;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 2);
    const struct sy_vector_item *item = &work.item[1].u.vector;
    const uint64_t outputs = 16 * 64, weights = 256 * 64;
    ck_assert_uint_eq(item->simple_ops, outputs * sy_functions[SY_FN_CAST].simple + weights * 2);
    ck_assert_uint_eq(item->bytes_in, outputs * 4 + weights / 2 + weights / 128 * 2);
    ck_assert_uint_eq(item->extra_out, weights * 2);
    layer.in[0].dtype = SY_INT8;
    layer.out.dtype = layer.accumulator = SY_INT32;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 2);
    ck_assert_uint_eq(work.item[1].u.vector.simple_ops, outputs * 2 * 2);
    ck_assert_uint_eq(work.item[1].u.vector.bytes_in, outputs * 4 * 2);
    ck_assert_uint_eq(work.item[1].u.vector.extra_out, 0);
}
END_TEST

START_TEST(attention_is_two_products_with_softmax_between)
{
    /* Llama-3-8B, one layer, decode at context 4096, batch 8: 32 query heads on 8 key-value heads. */
    struct sy_layer layer;
    struct sy_work work;
    sy_layer_init(&layer, SY_OP_ATTENTION);
    layer.dim.attention = (struct sy_attention_dims){
        .b = 8, .heads = 32, .kv_heads = 8, .q_len = 1, .kv_len = 4096, .head_dim = 128, .value_dim = 128, .causal = 1};
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 3);
    const struct sy_matrix_item *qk = &work.item[0].u.matrix, *pv = &work.item[2].u.matrix;
    ck_assert_uint_eq(qk->groups, 64);
    ck_assert_uint_eq(qk->m, 4);
    ck_assert_uint_eq(qk->k, 128);
    ck_assert_uint_eq(qk->n, 4096);
    ck_assert_uint_eq(pv->k, 4096);
    ck_assert_uint_eq(pv->n, 128);
    ck_assert_int_eq(pv->tensor_a, SY_TENSOR_INTERMEDIATE);
    ck_assert_int_eq(pv->tensor_b, 2);
    ck_assert_uint_eq(work.item[1].u.vector.elements, 8 * 32 * 4096);
    ck_assert_uint_eq(work.item[1].u.vector.transcendental_ops, 8 * 32 * 4097);
    ck_assert(!work.item[1].u.vector.fused);
    layer.dim.attention.v_in_k = 1;
    ck_assert_uint_eq(sy_layer_input_elements(&layer, 2), 0);
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_int_eq(work.item[2].u.matrix.tensor_b, 1);
}
END_TEST

START_TEST(vector_and_data_operators_move_their_tensors)
{
    struct sy_layer layer;
    struct sy_work work;
    sy_layer_init(&layer, SY_OP_POOL);
    layer.dim.pool =
        (struct sy_pool_dims){.b = 1, .h = 7, .w = 7, .c = 2048, .fh = 7, .fw = 7, .sh = 1, .sw = 1, .average = 1};
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.item[0].u.vector.simple_ops, 2048 * 50);
    ck_assert_uint_eq(work.item[0].u.vector.bytes_in, 2048 * 49);
    sy_layer_init(&layer, SY_OP_SOFTMAX);
    layer.dim.rows.rows = 12, layer.dim.rows.cols = 100;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.item[0].u.vector.passes, 3);
    ck_assert_uint_eq(work.item[0].u.vector.bytes_in, 3600);
    ck_assert_uint_eq(work.item[0].u.vector.reduce_ops, 24);
    sy_layer_init(&layer, SY_OP_MOVE);
    layer.dim.move.elements = 100;
    layer.dim.move.operand[0] = 70, layer.dim.move.operand[1] = 30;
    layer.inputs = 2;
    ck_assert_int_eq(sy_layer_check(&layer, NULL, NULL), SY_OK);
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.items, 2);
    ck_assert_uint_eq(work.item[0].u.data.bytes, 70);
    ck_assert_uint_eq(work.item[1].u.data.bytes, 30);
    ck_assert_int_eq(work.item[1].u.data.tensor_in, 1);
    sy_layer_init(&layer, SY_OP_GATHER);
    layer.in[1].dtype = SY_BF16;
    layer.dim.gather = (struct sy_gather_dims){.rows = 3, .cols = 64, .table_rows = 1000};
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.item[0].u.data.bytes, 3 * 64 * 2);
    ck_assert_int_eq(work.item[0].u.data.tensor_in, 1);
    sy_layer_init(&layer, SY_OP_ELEMENTWISE);
    layer.dim.elementwise = (struct sy_elementwise_dims){.elements = 640, .function = SY_FN_ADD, .operand = {0, 64, 0}};
    layer.inputs = 2;
    ck_assert_int_eq(sy_lower(&layer, &work), SY_OK);
    ck_assert_uint_eq(work.item[0].u.vector.bytes_in, 704);
}
END_TEST

/* Whatever sy_layer_check accepts lowers, or says that it does not fit. */
START_TEST(every_accepted_layer_lowers)
{
    uint64_t seed = 19;
    int lowered = 0;
    for (int round = 0; round < 20000; round++) {
        struct sy_layer layer;
        sy_layer_init(&layer, (enum sy_op)(next_random(&seed) % SY_OP_COUNT));
        const struct sy_op_info *info = &sy_ops[layer.op];
        for (uint32_t i = 0; i < info->dims; i++) {
            uint64_t most = sy_min(info->dim[i].maximum, UINT64_C(1) << next_random(&seed) % 34);
            uint64_t value = pick(&seed, info->dim[i].minimum, sy_max(most, info->dim[i].minimum));
            memcpy((char *)&layer + info->dim[i].offset, &value, sizeof value);
        }
        if (layer.op == SY_OP_ELEMENTWISE) {
            layer.inputs = sy_functions[layer.dim.elementwise.function].inputs;
        }
        if (sy_layer_check(&layer, NULL, NULL) != SY_OK) {
            continue;
        }
        struct sy_work work;
        enum sy_status status = sy_lower(&layer, &work);
        ck_assert(status == SY_OK || status == SY_OVERFLOW);
        ck_assert(work.items >= 1 && work.items <= SY_MAX_ITEMS);
        lowered += status == SY_OK;
    }
    ck_assert_int_gt(lowered, 2000);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lower");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, window_elements_equal_the_box_of_the_touched_inputs);
    tcase_add_test(tcase, interior_tile_has_the_closed_form);
    tcase_add_test(tcase, lowered_macs_equal_the_layers_macs);
    tcase_add_test(tcase, epilogue_is_one_pass_that_reads_its_operands);
    tcase_add_test(tcase, block_scaled_results_pay_for_their_scales);
    tcase_add_test(tcase, grouped_weights_pay_for_their_scales);
    tcase_add_test(tcase, attention_is_two_products_with_softmax_between);
    tcase_add_test(tcase, vector_and_data_operators_move_their_tensors);
    tcase_add_test(tcase, every_accepted_layer_lowers);
    return run_case("workloads/lower", tcase);
}
