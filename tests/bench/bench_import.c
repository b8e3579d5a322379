/* SPDX-License-Identifier: Apache-2.0 */
/* How fast model files are read: a random ONNX graph of 10^5 nodes. */
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/unit/onnx_writer.h"
#include "workloads/import/importer.h"

extern const struct sy_importer sy_importer_onnx;

enum { NODES = 100000 };

static struct sy_buf model;

/* Each node reads one or two of the values before it. */
static void make_graph(void)
{
    static const char *const ops[] = {"Relu", "Add", "Mul", "MatMul", "Softmax", "Sigmoid"};
    struct onnx_writer w = {{0}, {0}};
    uint64_t seed = 7;
    onnx_value(&w, 11, "v0", 1, "16,16");
    for (int i = 1; i <= NODES; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t kind = (seed >> 33) % 6;
        char in[64], out[32];
        (void)snprintf(in, sizeof in, kind >= 1 && kind <= 3 ? "v%llu v%llu" : "v%llu",
                       (unsigned long long)((seed >> 20) % (uint64_t)i),
                       (unsigned long long)((seed >> 36) % (uint64_t)i));
        (void)snprintf(out, sizeof out, "v%d", i);
        onnx_node(&w, ops[kind], in, out, NULL);
    }
    model = onnx_finish(&w, 17);
}

static void import(void *context)
{
    static const struct sy_import_options none;
    struct sy_workload *workload;
    (void)context;
    if (sy_importer_onnx.import("m.onnx", model.data, model.length, &none, &workload, NULL) != SY_OK) {
        abort();
    }
    sy_workload_destroy(workload);
}

int main(void)
{
    make_graph();
    double seconds = bench_best(import, NULL);
    bench_print("import: ONNX graph of 10^5 nodes", seconds, "s");
    bench_print("import: ONNX nodes", NODES / seconds, "a second");
    sy_buf_free(&model);
    return 0;
}
