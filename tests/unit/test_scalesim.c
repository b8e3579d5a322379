/* SPDX-License-Identifier: Apache-2.0 */
/* The SCALE-Sim parity model: random layers against an oracle, conservation, refusals. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/text.h"
#include "sim/engine/scalesim.h"
#include "tests/unit/run_support.h"
#include "tests/unit/scalesim_oracle.h"
#include "workloads/layer.h"

/* xorshift64*: the same cases on every machine. */
static uint64_t draw(uint64_t *state, uint64_t most)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 0x2545F4914F6CDD1DULL >> 33) % (most + 1);
}
/* Often small, sometimes up to `most`. */
static uint64_t size(uint64_t *state, uint64_t most)
{
    uint64_t few = most / 6 + 1;
    return 1 + (draw(state, 2) ? draw(state, few - 1) : draw(state, most - 1));
}

static void random_case(uint64_t *state, struct sy_scalesim_config *config, struct sy_scalesim_layer *layer)
{
    static const uint64_t bandwidths[] = {1, 2, 3, 7, 10, 16, 50, 400, 600, 1500};
    *config = (struct sy_scalesim_config){.version = draw(state, 1) ? SY_SCALESIM_V2 : SY_SCALESIM_V3,
                                          .dataflow = (enum sy_scalesim_dataflow)draw(state, 2),
                                          .rows = size(state, 40),
                                          .cols = draw(state, 30) ? size(state, 40) : 1 + draw(state, 1200),
                                          .user_bandwidth = draw(state, 1),
                                          .filter_offset = draw(state, 1) ? 10000 : 0};
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++) {
        config->sram_kb[i] = draw(state, 2) ? 1 : 1 + draw(state, 3);
        config->bandwidth[i] = bandwidths[draw(state, 9)];
    }
    if (draw(state, 1)) {
        *layer = sy_scalesim_gemm(size(state, 70), size(state, 70), size(state, 90));
    } else {
        uint64_t fh = 1 + draw(state, 4), fw = 1 + draw(state, 4);
        *layer = (struct sy_scalesim_layer){.ifmap_h = fh + draw(state, 14),
                                            .ifmap_w = fw + draw(state, 14),
                                            .filter_h = fh,
                                            .filter_w = fw,
                                            .channels = size(state, 8),
                                            .filters = size(state, 40),
                                            .stride_h = 1 + draw(state, 1) * draw(state, 6)};
        layer->stride_w = draw(state, 3) ? layer->stride_h : 1 + draw(state, 3);
    }
    if (config->version == SY_SCALESIM_V3 && draw(state, 2) == 0) {
        config->sparse = true;
        layer->sparsity_m = 1 + draw(state, 8);
        layer->sparsity_n = 1 + draw(state, layer->sparsity_m - 1);
    }
}

static const char *describe(const struct sy_scalesim_config *c, const struct sy_scalesim_layer *l)
{
    static char text[400];
    snprintf(text, sizeof text,
             "v%d dataflow %d array %" PRIu64 "x%" PRIu64 " kB %" PRIu64 " %" PRIu64 " %" PRIu64 " user %d (%" PRIu64
             " %" PRIu64 " %" PRIu64 ") ifmap %" PRIu64 "x%" PRIu64 " filter %" PRIu64 "x%" PRIu64 " c %" PRIu64
             " n %" PRIu64 " stride %" PRIu64 " %" PRIu64 " sparse %d %" PRIu64 ":%" PRIu64 " offset %" PRIu64,
             (int)c->version, (int)c->dataflow, c->rows, c->cols, c->sram_kb[0], c->sram_kb[1], c->sram_kb[2],
             c->user_bandwidth, c->bandwidth[0], c->bandwidth[1], c->bandwidth[2], l->ifmap_h, l->ifmap_w, l->filter_h,
             l->filter_w, l->channels, l->filters, l->stride_h, l->stride_w, c->sparse, l->sparsity_n, l->sparsity_m,
             c->filter_offset);
    return text;
}

static void check_traffic(const struct sy_scalesim_traffic *model, const struct sy_scalesim_traffic *oracle,
                          const char *name, const char *what)
{
    ck_assert_msg(model->dram_words == oracle->dram_words && model->sram_start == oracle->sram_start &&
                      model->sram_stop == oracle->sram_stop && model->dram_start == oracle->dram_start &&
                      model->dram_stop == oracle->dram_stop,
                  "%s: dram %" PRIu64 " [%" PRId64 ", %" PRId64 "] sram [%" PRId64 ", %" PRId64 "], oracle %" PRIu64
                  " [%" PRId64 ", %" PRId64 "] [%" PRId64 ", %" PRId64 "]: %s",
                  name, model->dram_words, model->dram_start, model->dram_stop, model->sram_start, model->sram_stop,
                  oracle->dram_words, oracle->dram_start, oracle->dram_stop, oracle->sram_start, oracle->sram_stop,
                  what);
}

START_TEST(random_layers_equal_the_oracle)
{
    uint64_t state = 0x9E3779B97F4A7C15ULL + (uint64_t)_i;
    unsigned run = 0, sparse = 0, stalled = 0;
    for (int i = 0; i < 1500; i++) {
        struct sy_scalesim_config config;
        struct sy_scalesim_layer layer;
        struct sy_scalesim_result model, oracle = {0};
        random_case(&state, &config, &layer);
        enum sy_status status = sy_scalesim_layer(&config, &layer, &model, NULL);
        bool ran = oracle_run(&config, &layer, &oracle);
        const char *what = describe(&config, &layer);
        ck_assert_msg(status == (ran ? SY_OK : SY_INPUT), "status %d, oracle ran %d: %s", (int)status, ran, what);
        if (!ran)
            continue;
        run++;
        sparse += config.sparse;
        stalled += oracle.stall_cycles != 0;
        ck_assert_msg(model.total_cycles == oracle.total_cycles && model.stall_cycles == oracle.stall_cycles,
                      "cycles %" PRIu64 " stalls %" PRIu64 ", oracle %" PRIu64 " %" PRIu64 ": %s", model.total_cycles,
                      model.stall_cycles, oracle.total_cycles, oracle.stall_cycles, what);
        check_traffic(&model.traffic[0], &oracle.traffic[0], "ifmap", what);
        check_traffic(&model.traffic[1], &oracle.traffic[1], "filter", what);
        check_traffic(&model.traffic[2], &oracle.traffic[2], "ofmap", what);
    }
    /* The cases reach what they are for. */
    ck_assert_uint_ge(run, 1300);
    ck_assert_uint_ge(sparse, 150);
    ck_assert_uint_ge(stalled, 60);
}
END_TEST

/* What follows from the meaning of the figures, whatever the tool does. */
START_TEST(figures_agree_with_each_other)
{
    uint64_t state = 0xB7E151628AED2A6BULL;
    for (int i = 0; i < 3000; i++) {
        struct sy_scalesim_config config;
        struct sy_scalesim_layer layer;
        struct sy_scalesim_result full, compute;
        random_case(&state, &config, &layer);
        if (sy_scalesim_layer(&config, &layer, &full, NULL) != SY_OK)
            continue;
        const char *what = describe(&config, &layer);
        config.compute_only = true;
        ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &compute, NULL), SY_OK);
        ck_assert_msg(full.total_cycles == compute.total_cycles + full.stall_cycles, "%s", what);
        ck_assert_msg(full.mapping_efficiency > 0 && full.mapping_efficiency <= 100 * (1 + 1e-12), "%s", what);
        ck_assert_msg(full.compute_utilization <= full.mapping_efficiency, "%s", what);
        ck_assert(!compute.has_memory && full.has_memory);
        for (int j = 0; j < SY_SCALESIM_OPERANDS; j++) {
            const struct sy_scalesim_traffic *t = &full.traffic[j];
            ck_assert_msg(t->sram_words == compute.traffic[j].sram_words, "%s", what);
            ck_assert_msg(t->sram_start <= t->sram_stop && t->dram_start <= t->dram_stop, "%s", what);
            ck_assert_msg(t->dram_words > 0 && t->dram_bandwidth > 0 && t->sram_bandwidth > 0, "%s", what);
            /* No read port carries more than its width; CALC widens the ports as it likes, and the write port carries
             * the last drain beside the one before. */
            if (config.user_bandwidth && j != SY_SCALESIM_OFMAP)
                ck_assert_msg(t->dram_bandwidth <= (double)config.bandwidth[j] * (1 + 1e-12), "%s", what);
        }
        /* All outputs reach DRAM once a row fold; padding may add to it. */
        uint64_t outputs = full.traffic[2].sram_words;
        if (config.dataflow != SY_SCALESIM_OS)
            ck_assert_msg(full.traffic[2].dram_words >= outputs, "%s", what);
    }
}
END_TEST

START_TEST(bigger_srams_change_nothing_once_all_fits)
{
    uint64_t state = 0x243F6A8885A308D3ULL;
    for (int i = 0; i < 500; i++) {
        struct sy_scalesim_config config;
        struct sy_scalesim_layer layer;
        struct sy_scalesim_result large, larger;
        random_case(&state, &config, &layer);
        for (int j = 0; j < SY_SCALESIM_OPERANDS; j++)
            config.sram_kb[j] = 4096;
        if (sy_scalesim_layer(&config, &layer, &large, NULL) != SY_OK)
            continue;
        for (int j = 0; j < SY_SCALESIM_OPERANDS; j++)
            config.sram_kb[j] = 8192;
        ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &larger, NULL), SY_OK);
        ck_assert_uint_eq(large.stall_cycles, 0);
        ck_assert_uint_eq(larger.total_cycles, large.total_cycles);
        for (int j = 0; j < SY_SCALESIM_OPERANDS; j++)
            ck_assert_uint_eq(larger.traffic[j].dram_words, large.traffic[j].dram_words);
    }
}
END_TEST

/* ---- refusals ---- */

struct heard {
    char text[512];
    unsigned count;
};
static void hear(void *context, const struct sy_diag_msg *message)
{
    struct heard *heard = context;
    heard->count++;
    snprintf(heard->text, sizeof heard->text, "%s", message->message);
}

static struct sy_scalesim_config plain_config(void)
{
    return (struct sy_scalesim_config){.version = SY_SCALESIM_V3,
                                       .dataflow = SY_SCALESIM_WS,
                                       .rows = 8,
                                       .cols = 8,
                                       .sram_kb = {64, 64, 64},
                                       .bandwidth = {10, 10, 10},
                                       .filter_offset = 10000000,
                                       .block = 4};
}

static void check_refused(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                          enum sy_status expected, const char *says)
{
    struct heard heard = {"", 0};
    struct sy_diag diag = {.fn = hear, .ctx = &heard};
    struct sy_scalesim_result result = {.total_cycles = 12345};
    ck_assert_int_eq(sy_scalesim_layer(config, layer, &result, &diag), expected);
    ck_assert_uint_ge(heard.count, 1);
    ck_assert_msg(strstr(heard.text, says) != NULL, "'%s' does not say '%s'", heard.text, says);
    ck_assert_uint_eq(result.total_cycles, 12345); /* untouched */
}

START_TEST(what_the_tool_raises_on_is_refused_with_its_exception)
{
    struct sy_scalesim_config config = plain_config();
    struct sy_scalesim_layer layer = sy_scalesim_gemm(20, 20, 20), bad = layer;
    bad.filter_w = 21;
    check_refused(&config, &bad, SY_INPUT, "Filter width cannot be larger than IFMAP width");
    bad = layer;
    bad.stride_h = 0;
    check_refused(&config, &bad, SY_INPUT, "the vertical stride is 0");
    config.sram_kb[SY_SCALESIM_FILTER] = 0;
    check_refused(&config, &layer, SY_INPUT, "the filter SRAM (kB) is 0");
    config = plain_config();
    config.rows = 0;
    check_refused(&config, &layer, SY_INPUT, "the array height is 0");
    config = plain_config();
    config.dataflow = SY_SCALESIM_OS;
    config.rows = config.cols = 1;
    bad = sy_scalesim_gemm(1, 1, 1);
    check_refused(&config, &bad, SY_INPUT, "ZeroDivisionError");
    config.compute_only = true;
    check_refused(&config, &bad, SY_INPUT, "ZeroDivisionError");
    config = plain_config();
    config.user_bandwidth = true;
    config.banks[0] = 3;
    check_refused(&config, &layer, SY_INPUT, "divisible by the number of banks");
    config.banks[0] = 5;
    config.bandwidth[SY_SCALESIM_OFMAP] = 0;
    check_refused(&config, &layer, SY_INPUT, "the ofmap bandwidth is 0");
}
END_TEST

START_TEST(sparse_layers_the_tool_raises_on_are_refused)
{
    struct sy_scalesim_config config = plain_config();
    struct sy_scalesim_layer layer = sy_scalesim_gemm(20, 20, 20);
    config.sparse = true;
    layer.sparsity_n = 5;
    layer.sparsity_m = 4;
    check_refused(&config, &layer, SY_INPUT, "5:4");
    layer.sparsity_n = 0;
    check_refused(&config, &layer, SY_INPUT, "0:4");
    layer.sparsity_n = 2;
    config.version = SY_SCALESIM_V2;
    check_refused(&config, &layer, SY_INPUT, "no sparsity");
    config.version = SY_SCALESIM_V3;
    config.row_wise = true;
    config.dataflow = SY_SCALESIM_IS;
    check_refused(&config, &layer, SY_INPUT, "Dimension mismatch");
    config.dataflow = SY_SCALESIM_WS;
    config.block = 9;
    check_refused(&config, &layer, SY_INPUT, "Invalid block size");
    config.block = 1;
    check_refused(&config, &layer, SY_INPUT, "low >= high");
    config.block = 3;
    check_refused(&config, &layer, SY_INPUT, "ragged");
    config.block = 4;
    config.seed = (uint64_t)1 << 32;
    check_refused(&config, &layer, SY_INPUT, "Seed must be between");
}
END_TEST

START_TEST(what_is_not_modelled_is_refused)
{
    struct sy_scalesim_config config = plain_config();
    struct sy_scalesim_layer layer = sy_scalesim_gemm(20, 20, 20);
    struct sy_scalesim_result result;
    config.ramulator = true;
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &result, NULL), SY_OK); /* CALC does not look at it */
    config.user_bandwidth = true;
    check_refused(&config, &layer, SY_UNSUPPORTED, "Ramulator");
}
END_TEST

/* A 4 x 4 ifmap of 1 channel in lines of 4 words, os on 4 x 1: the array asks for a column of words at once, which is
 * one in each of 4 lines, or one line when the layout is turned. */
START_TEST(a_layout_costs_a_cycle_for_each_further_line_of_a_bank)
{
    static const char *const rows_first = "h\nL,1,4,1,1,1,1,0,1,2,3,4,5,0,1,2,3,4,5,6,7,\n";
    static const char *const turned = "h\nL,4,1,1,1,1,1,0,1,2,3,4,5,0,1,2,3,4,5,6,7,\n";
    struct sy_scalesim_config config = plain_config();
    struct sy_scalesim_layer layer = sy_scalesim_gemm(4, 1, 4);
    struct sy_scalesim_result base, result;
    config.version = SY_SCALESIM_V3;
    config.dataflow = SY_SCALESIM_OS;
    config.rows = 4;
    config.cols = 1;
    config.user_bandwidth = true;
    for (int i = 0; i < 3; i++)
        config.bandwidth[i] = 4;
    config.line_words[0] = config.line_words[1] = 4;
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &base, NULL), SY_OK);
    config.custom_layout[0] = true;
    check_refused(&config, &layer, SY_INPUT, "needs a layout file");
    ck_assert_int_eq(sy_scalesim_layout_parse(rows_first, strlen(rows_first), "l", &config.layout, NULL), SY_OK);
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &result, NULL), SY_OK);
    /* The skewed rows ask for 1, 2, 3, 4, 3, 2, 1 words, each in its own line of the one bank. */
    ck_assert_uint_eq(result.stall_cycles - base.stall_cycles, 0 + 1 + 2 + 3 + 2 + 1 + 0);
    config.ports[0] = 2;
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &result, NULL), SY_OK);
    ck_assert_uint_eq(result.stall_cycles - base.stall_cycles, 0 + 0 + 1 + 1 + 1 + 0 + 0);
    /* Skewed by one, even turned lines meet several at once, but in 4 banks each word has its own. */
    ck_assert_int_eq(sy_scalesim_layout_parse(turned, strlen(turned), "l", &config.layout, NULL), SY_OK);
    config.ports[0] = 1;
    config.banks[0] = 4;
    ck_assert_int_eq(sy_scalesim_layer(&config, &layer, &result, NULL), SY_OK);
    ck_assert_uint_eq(result.stall_cycles, base.stall_cycles);
    config.ifmap_offset = 1; /* the tool would look for an address that is nowhere, for ever */
    check_refused(&config, &layer, SY_INPUT, "does not end");
}
END_TEST

START_TEST(bad_layout_files_are_refused_with_their_place)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"h\nL,1,2,x,\n", "not a whole number"},
        {"h\nL,1,1,1,1,1,1,0,1,2,3,4,5,0,1,2,3,4,5,6,\n", "too short"},
        {"h\nL,1,4,1,1,1,1,0,1,2,3,4,4,0,1,2,3,4,5,6,7,\n", "not all axes once"},
        {"h\nL,0,4,1,1,1,1,0,1,2,3,4,5,0,1,2,3,4,5,6,7,\n", "factor"},
        {"h\nL,2,4,1,1,1,1,0,1,2,3,4,5,0,1,2,3,4,5,6,7,\n", "exceed"},
        {"h\n\n", "needs a layout file"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_scalesim_config config = plain_config();
        struct sy_scalesim_layer layer = sy_scalesim_gemm(4, 1, 4);
        config.version = SY_SCALESIM_V3;
        config.user_bandwidth = config.custom_layout[0] = true;
        for (int j = 0; j < 3; j++)
            config.bandwidth[j] = 4;
        config.line_words[0] = 4;
        struct heard heard = {"", 0};
        struct sy_diag diag = {.fn = hear, .ctx = &heard};
        if (sy_scalesim_layout_parse(bad[i].text, strlen(bad[i].text), "l", &config.layout, &diag) == SY_OK)
            check_refused(&config, &layer, SY_INPUT, bad[i].message);
        else
            ck_assert_msg(strstr(heard.text, bad[i].message) != NULL, "%s", heard.text);
    }
}
END_TEST

START_TEST(layers_beyond_the_limits_are_refused_at_once)
{
    const uint64_t sizes[] = {1, 3, 1000, 70000, 5000000, SY_SCALESIM_MAX_DIMENSION, UINT64_MAX};
    const size_t count = sizeof sizes / sizeof *sizes;
    uint64_t state = 0x452821E638D01377ULL;
    unsigned refused = 0;
    /* Any mix of sizes ends soon, one way or the other, in all modes. */
    for (int i = 0; i < 4000; i++) {
        struct sy_scalesim_config config = plain_config();
        struct sy_scalesim_result result;
        struct sy_scalesim_layer layer = {.ifmap_h = sizes[draw(&state, count - 1)],
                                          .ifmap_w = sizes[draw(&state, count - 1)],
                                          .filter_h = sizes[draw(&state, 2)],
                                          .filter_w = sizes[draw(&state, 3)],
                                          .channels = sizes[draw(&state, count - 1)],
                                          .filters = sizes[draw(&state, count - 1)],
                                          .stride_h = sizes[draw(&state, count - 1)],
                                          .stride_w = sizes[draw(&state, count - 1)],
                                          .sparsity_n = 1,
                                          .sparsity_m = sizes[draw(&state, count - 1)]};
        config.version = (enum sy_scalesim_version)(1 + draw(&state, 2));
        config.dataflow = (enum sy_scalesim_dataflow)draw(&state, 2);
        config.user_bandwidth = draw(&state, 1);
        config.compute_only = draw(&state, 3) == 0;
        config.sparse = config.version == SY_SCALESIM_V3 && draw(&state, 3) == 0;
        config.row_wise = draw(&state, 1);
        config.rows = sizes[draw(&state, count - 1)];
        config.cols = sizes[draw(&state, count - 1)];
        config.max_requests = 1000000;
        enum sy_status status = sy_scalesim_layer(&config, &layer, &result, NULL);
        ck_assert_msg(status == SY_OK || status == SY_INPUT || status == SY_UNSUPPORTED, "status %d: %s", (int)status,
                      describe(&config, &layer));
        refused += status != SY_OK;
    }
    ck_assert_uint_ge(refused, 2000);
    struct sy_scalesim_config config = plain_config();
    struct sy_scalesim_layer layer = sy_scalesim_gemm(100000, 4096, 10000);
    check_refused(&config, &layer, SY_UNSUPPORTED, "4294967296 memory requests");
}
END_TEST

/* ---- layers of a workload ---- */

START_TEST(a_gemm_of_a_workload_is_taken)
{
    struct sy_layer from;
    struct sy_scalesim_layer layer;
    uint64_t copies;
    sy_layer_init(&from, SY_OP_GEMM);
    from.dim.gemm.m = 7;
    from.dim.gemm.n = 5;
    from.dim.gemm.k = 9;
    from.sparsity.keep = 2;
    from.sparsity.group = 4;
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_OK);
    const struct sy_scalesim_layer expected = {7, 9, 1, 9, 1, 5, 1, 1, 2, 4};
    ck_assert_mem_eq(&layer, &expected, sizeof layer);
    ck_assert_uint_eq(copies, 1);
    from.dim.gemm.g = 2;
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_UNSUPPORTED);
}
END_TEST

START_TEST(a_convolution_of_a_workload_is_taken_group_by_group)
{
    struct sy_layer from;
    struct sy_scalesim_layer layer;
    uint64_t copies;
    sy_layer_init(&from, SY_OP_CONV);
    from.dim.conv.h = 10;
    from.dim.conv.w = 11;
    from.dim.conv.c = 3;
    from.dim.conv.n = 6;
    from.dim.conv.fh = 2;
    from.dim.conv.fw = 3;
    from.dim.conv.sh = 2;
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_OK);
    const struct sy_scalesim_layer whole = {10, 11, 2, 3, 3, 6, 2, 1, 0, 0};
    ck_assert_mem_eq(&layer, &whole, sizeof layer);
    ck_assert_uint_eq(copies, 1);
    from.dim.conv.groups = 3;
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_OK);
    const struct sy_scalesim_layer group = {10, 11, 2, 3, 1, 2, 2, 1, 0, 0};
    ck_assert_mem_eq(&layer, &group, sizeof layer);
    ck_assert_uint_eq(copies, 3);
    from.dim.conv.pl = 1;
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_UNSUPPORTED);
    sy_layer_init(&from, SY_OP_SOFTMAX);
    ck_assert_int_eq(sy_scalesim_from_layer(&from, &layer, &copies, NULL), SY_UNSUPPORTED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scalesim");
    TCase *cases = tcase_create("cases");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, random_layers_equal_the_oracle, 0, 2);
    tcase_add_test(cases, figures_agree_with_each_other);
    tcase_add_test(cases, bigger_srams_change_nothing_once_all_fits);
    tcase_add_test(cases, what_the_tool_raises_on_is_refused_with_its_exception);
    tcase_add_test(cases, sparse_layers_the_tool_raises_on_are_refused);
    tcase_add_test(cases, what_is_not_modelled_is_refused);
    tcase_add_test(cases, a_layout_costs_a_cycle_for_each_further_line_of_a_bank);
    tcase_add_test(cases, bad_layout_files_are_refused_with_their_place);
    tcase_add_test(cases, layers_beyond_the_limits_are_refused_at_once);
    tcase_add_test(cases, a_gemm_of_a_workload_is_taken);
    tcase_add_test(cases, a_convolution_of_a_workload_is_taken_group_by_group);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
