/* SPDX-License-Identifier: Apache-2.0 */
/* The ready networks of workloads/nets against published totals, and each against itself: tensors must meet. */
#include <math.h>

#include "sim/base/csv.h"
#include "tests/unit/base_support.h"
#include "traces/trace.h"
#include "workloads/layer.h"

/* net file, row of networks.csv, half a unit of the last published digit of macs_giga, of parameters (0 = exact) */
static const struct {
    const char *net, *row;
    double macs_slack, parameter_slack;
} nets[] = {
    {"alexnet", "alexnet (torchvision)", 0.005, 0},
    {"vgg16", "vgg16 (torchvision)", 0.005, 0},
    {"resnet18", "resnet18 (torchvision)", 0.005, 0},
    {"resnet50", "resnet50 (torchvision v1.5)", 0.005, 0},
    {"mobilenet-v1", "mobilenet_v1 (1.0-224)", 0.0005, 5000},
    {"mobilenet-v2", "mobilenet_v2 (torchvision)", 0.005, 0},
    {"efficientnet-b0", "efficientnet_b0 (torchvision)", 0.005, 0},
    {"vit-b-16", "vit_b_16 (torchvision)", 0.005, 0},
    {"bert-base", "bert-base-uncased", 0, 0},
    {"gpt2", "gpt2", 0, 0},
    {"dlrm", "dlrm (MLPerf Criteo Terabyte)", 0, 0},
    {"sd15-unet", "stable-diffusion-1.5 unet", 0.5, 0},
};
enum { NETS = sizeof nets / sizeof nets[0] };

static const char *path_of(const char *folder, const char *name, const char *suffix)
{
    static char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/%s/%s%s", root != NULL ? root : ".", folder, name, suffix);
    return path;
}

static struct sy_arena *arena;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
}
static void teardown(void)
{
    sy_arena_destroy(arena);
}

struct totals {
    struct sy_workload_totals sum;
    uint64_t records, op_count[SY_OP_COUNT], attention_macs;
};

/* Read a net into a workload and add it up. */
static struct totals totals_of(const char *name)
{
    struct totals totals = {.records = 0};
    struct memory_sink sink;
    struct sy_trace_reader *reader;
    struct sy_trace_record record = {.kind = SY_TRACE_LAYER};
    struct sy_workload *workload;
    ck_assert_int_eq(sy_workload_create(name, &workload), SY_OK);
    enum sy_status status =
        sy_trace_open(path_of("workloads/nets", name, ".slt.gz"), NULL, 0, &reader, sink_start(&sink));
    ck_assert_msg(status == SY_OK, "%s: %s", name, sink.message);
    ck_assert_str_eq(sy_trace_workload_name(reader), name);
    while (record.kind != SY_TRACE_END) {
        status = sy_trace_next(reader, &record);
        ck_assert_msg(status == SY_OK, "%s: line %u: %s", name, sink.line, sink.message);
        totals.records += record.kind != SY_TRACE_END;
        if (record.kind == SY_TRACE_LAYER) {
            ck_assert_int_eq(sy_workload_add_layer(workload, &record.layer), SY_OK);
            totals.op_count[record.layer.op]++;
            totals.attention_macs += record.layer.op == SY_OP_ATTENTION ? sy_layer_macs(&record.layer) : 0;
        } else if (record.kind == SY_TRACE_REPEAT) {
            ck_assert_int_eq(sy_workload_add_repeat(workload, record.repeat), SY_OK);
        } else if (record.kind == SY_TRACE_END_REPEAT) {
            ck_assert_int_eq(sy_workload_end_repeat(workload), SY_OK);
        }
    }
    sy_trace_close(reader);
    ck_assert(sy_workload_totals(workload, &totals.sum));
    sy_workload_destroy(workload);
    return totals;
}

START_TEST(totals_equal_the_published_ones)
{
    char *text;
    size_t length;
    struct sy_csv golden;
    ck_assert_int_eq(sy_read_file(path_of("tests/golden", "networks", ".csv"), 1 << 20, &text, &length, NULL), SY_OK);
    ck_assert_int_eq(sy_csv_parse(arena, text, length, "golden", &golden, NULL), SY_OK);
    free(text);
    for (int i = 0; i < NETS; i++) {
        struct totals totals = totals_of(nets[i].net);
        struct sy_workload_totals info = totals.sum;
        bool found = false;
        for (size_t r = 1; r < golden.rows; r++) {
            if (strcmp(golden.row[r].field[0], nets[i].row) != 0) {
                continue;
            }
            found = true;
            double macs = strtod(golden.row[r].field[1], NULL);
            double parameters = strtod(golden.row[r].field[2], NULL);
            if (strcmp(nets[i].net, "sd15-unet") == 0) {
                info.macs -= totals.attention_macs; /* what its source leaves out */
            }
            ck_assert_msg(macs == 0 || fabs((double)info.macs / 1e9 - macs) <= nets[i].macs_slack, "%s: %lu MACs",
                          nets[i].net, (unsigned long)info.macs);
            ck_assert_msg(fabs((double)info.parameters - parameters) <= nets[i].parameter_slack, "%s: %lu parameters",
                          nets[i].net, (unsigned long)info.parameters);
        }
        ck_assert_msg(found, "%s", nets[i].row);
    }
}
END_TEST

/* Counted by hand from the shapes of the papers: layers x (projections + attention) + ends. */
START_TEST(transformer_macs_follow_from_their_shapes)
{
    const uint64_t d = 768, ff = 3072;
    struct sy_workload_totals info = totals_of("bert-base").sum;
    ck_assert_uint_eq(info.macs, 12 * 128 * (4 * d * d + 2 * d * ff + 2 * 128 * d) + d * d);
    info = totals_of("gpt2").sum;
    ck_assert_uint_eq(info.macs, 12 * 1024 * (4 * d * d + 2 * d * ff + 2 * 1024 * d) + d * 50257);
    info = totals_of("dlrm-mlp").sum;
    const uint64_t bottom = 13 * 512 + 512 * 256 + 256 * 128;
    const uint64_t top = 479 * 1024 + 1024 * 1024 + 1024 * 512 + 512 * 256 + 256;
    ck_assert_uint_eq(info.macs, 128 * (bottom + top + 27 * 27 * 128));
    ck_assert_uint_eq(info.parameters, bottom + 512 + 256 + 128 + top + 1024 + 1024 + 512 + 256 + 1);
}
END_TEST

START_TEST(resnet50_has_one_record_a_layer)
{
    struct totals info = totals_of("resnet50");
    ck_assert_uint_eq(info.op_count[SY_OP_CONV], 53);
    ck_assert_uint_eq(info.op_count[SY_OP_POOL], 2);
    ck_assert_uint_eq(info.op_count[SY_OP_GEMM], 1);
    ck_assert_uint_eq(info.records, 56);
    ck_assert_uint_eq(info.sum.macs, 4089184256);
}
END_TEST

/* ---- each net against itself ---- */

enum { MOST_LAYERS = 800 };
struct produced {
    char name[64];
    uint64_t elements;
};

/* Tensors that come from outside. */
static bool is_network_input(const char *name)
{
    static const char *const names[] = {"image",      "token_ids", "position_ids", "type_ids", "class_id", "dense",
                                        "embeddings", "indices",   "text",         "timestep", "latent"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Every input is a weight, comes from outside, or was made by an earlier layer and is at least as large as what is
 * read. */
static void check_tensors(const char *net, const struct sy_layer *layer, struct produced *made, size_t *count)
{
    for (uint32_t i = 0; i < layer->inputs; i++) {
        const struct sy_tensor *tensor = &layer->in[i];
        ck_assert_ptr_nonnull(tensor->name);
        if ((tensor->flags & SY_TENSOR_WEIGHT) != 0 || is_network_input(tensor->name)) {
            continue;
        }
        size_t at = *count;
        while (at > 0 && strcmp(made[at - 1].name, tensor->name) != 0) {
            at--;
        }
        ck_assert_msg(at > 0, "%s: %s reads %s, which nobody made", net, layer->name, tensor->name);
        uint64_t need = sy_layer_input_elements(layer, i);
        bool part = layer->op == SY_OP_ATTENTION || layer->op == SY_OP_MOVE || (layer->op == SY_OP_GEMM && i == 0);
        ck_assert_msg(made[at - 1].elements == need || (part && made[at - 1].elements > need),
                      "%s: %s reads %lu of %s (%lu)", net, layer->name, (unsigned long)need, tensor->name,
                      (unsigned long)made[at - 1].elements);
    }
    ck_assert_uint_lt(*count, MOST_LAYERS);
    snprintf(made[*count].name, sizeof made[0].name, "%s", layer->out.name);
    made[(*count)++].elements = sy_layer_output_elements(layer);
}

START_TEST(tensors_of_every_net_meet)
{
    for (int i = 0; i <= NETS; i++) {
        const char *net = i < NETS ? nets[i].net : "dlrm-mlp";
        static struct produced made[MOST_LAYERS];
        size_t count = 0;
        struct sy_trace_reader *reader;
        struct sy_trace_record record;
        ck_assert_int_eq(sy_trace_open(path_of("workloads/nets", net, ".slt.gz"), NULL, 0, &reader, NULL), SY_OK);
        do {
            ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
            if (record.kind == SY_TRACE_LAYER) {
                check_tensors(net, &record.layer, made, &count);
            }
        } while (record.kind != SY_TRACE_END);
        sy_trace_close(reader);
        ck_assert_uint_ge(count, 8);
    }
}
END_TEST

START_TEST(demo_trace_is_the_resnet50_net)
{
    char *a, *b;
    size_t a_length, b_length;
    ck_assert_int_eq(sy_read_file(path_of("traces/samples", "resnet50", ".slt.gz"), 1 << 20, &a, &a_length, NULL),
                     SY_OK);
    ck_assert_int_eq(sy_read_file(path_of("workloads/nets", "resnet50", ".slt.gz"), 1 << 20, &b, &b_length, NULL),
                     SY_OK);
    ck_assert_uint_eq(a_length, b_length);
    ck_assert_mem_eq(a, b, a_length);
    free(a);
    free(b);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("nets");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, totals_equal_the_published_ones);
    tcase_add_test(tcase, transformer_macs_follow_from_their_shapes);
    tcase_add_test(tcase, resnet50_has_one_record_a_layer);
    tcase_add_test(tcase, tensors_of_every_net_meet);
    tcase_add_test(tcase, demo_trace_is_the_resnet50_net);
    return run_case("workloads/nets", tcase);
}
