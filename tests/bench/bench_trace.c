/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces: records a second through the reader alone and the writer, and the
 * memory of a long replay. Argument `large` replays 10 million layers.
 *
 * The layers are those of a residual network with changing sizes and names; the
 * commands are a tiled matrix product, double buffered.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "tests/bench/bench.h"
#include "traces/trace.h"

enum { RECORDS = 200000 };

static char path[300];

static void must(enum sy_status status)
{
    if (status != SY_OK) {
        (void)fprintf(stderr, "bench_trace: %s\n", sy_status_text(status));
        exit(1);
    }
}

static void put_layers(struct sy_trace_writer *writer, uint64_t count)
{
    struct sy_layer layer;
    char names[4][40];
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size = 7 << i % 6;
        sy_layer_init(&layer, SY_OP_CONV);
        (void)snprintf(names[0], sizeof names[0], "layer%u.%u.conv%u", (unsigned)(i / 9 % 4 + 1), (unsigned)(i / 36),
                       (unsigned)(i % 3 + 1));
        (void)snprintf(names[1], sizeof names[1], "t%u", (unsigned)i);
        (void)snprintf(names[2], sizeof names[2], "%.20s.weight", names[0]);
        (void)snprintf(names[3], sizeof names[3], "t%u", (unsigned)i + 1);
        layer.name = names[0];
        layer.dim.conv.h = layer.dim.conv.w = size;
        layer.dim.conv.c = 64 << i % 5;
        layer.dim.conv.n = 64 << i % 4;
        layer.dim.conv.fh = layer.dim.conv.fw = i % 2 == 0 ? 3 : 1;
        layer.dim.conv.pt = layer.dim.conv.pb = layer.dim.conv.pl = layer.dim.conv.pr = i % 2 == 0 ? 1 : 0;
        layer.in[0].name = names[1];
        layer.in[1].name = names[2];
        layer.out.name = names[3];
        layer.epilogue[0] = SY_FN_BN;
        layer.epilogue[1] = SY_FN_RELU;
        layer.epilogues = 2;
        must(sy_trace_put_layer(writer, &layer));
    }
}

static void put_commands(struct sy_trace_writer *writer, uint64_t count)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = layer.dim.gemm.k = layer.dim.gemm.n = 4096;
    must(sy_trace_put_layer(writer, &layer));
    struct sy_command load = {.kind = SY_CMD_LOAD, .u.move = {.rows = 128, .row_bytes = 128, .pitch_bytes = 4096}};
    load.u.move.parent = 1;
    struct sy_command multiply = {.kind = SY_CMD_MATMUL, .u.matmul = {.m = 128, .k = 128, .n = 128, .repeat = 1}};
    multiply.u.matmul.a = multiply.u.matmul.b = SY_INT8;
    struct sy_command store = load;
    store.kind = SY_CMD_STORE;
    store.operand = 2;
    multiply.dependencies = 2;
    store.dependencies = 1;
    for (uint64_t id = 0; id + 4 <= count; id += 4) {
        load.dependencies = id >= 8;
        load.operand = 0;
        load.u.move.address = id * 128;
        load.dependency[0] = (struct sy_dependency){id - 6, SY_POINT_STREAMED, SY_STALL_BUFFER_FULL};
        must(sy_trace_put_command(writer, &load));
        load.operand = 1;
        load.u.move.address = id * 64 + (1 << 24);
        must(sy_trace_put_command(writer, &load));
        multiply.dependency[0] = (struct sy_dependency){id, SY_POINT_DONE, SY_STALL_LOAD_A};
        multiply.dependency[1] = (struct sy_dependency){id + 1, SY_POINT_DONE, SY_STALL_LOAD_B};
        must(sy_trace_put_command(writer, &multiply));
        store.dependency[0] = (struct sy_dependency){id + 2, SY_POINT_DONE, SY_STALL_DEPENDENCY};
        store.u.move.address = id * 32 + (1 << 25);
        must(sy_trace_put_command(writer, &store));
    }
}

struct task {
    void (*put)(struct sy_trace_writer *writer, uint64_t count);
    uint64_t count;
    struct sy_trace_writer_options options;
    bool digest;
    char *data;
    size_t length;
};

static void write_trace(void *ctx)
{
    const struct task *task = ctx;
    struct sy_trace_writer *writer;
    must(sy_trace_create(path, "bench", &task->options, &writer, NULL));
    task->put(writer, task->count);
    must(sy_trace_finish(writer));
}

static void replay(void *ctx)
{
    const struct task *task = ctx;
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    must(sy_trace_open(path, task->data, task->length, &reader, NULL));
    if (!task->digest) {
        sy_trace_without_digest(reader);
    }
    do {
        must(sy_trace_next(reader, &record));
    } while (record.kind != SY_TRACE_END);
    sy_trace_close(reader);
}

static void measure(const char *what, struct task *task)
{
    char label[100];
    double seconds = bench_best(write_trace, task);
    (void)snprintf(label, sizeof label, "trace write, %s", what);
    bench_print(label, (double)task->count / seconds, "records/s");
    must(sy_read_file(path, UINT64_C(1) << 32, &task->data, &task->length, NULL));
    for (int digest = 0; digest < 2; digest++) {
        task->digest = digest != 0;
        seconds = bench_best(replay, task);
        (void)snprintf(label, sizeof label, "trace replay%s, %s", digest ? " with digest" : "", what);
        bench_print(label, (double)task->count / seconds, "records/s");
    }
    (void)snprintf(label, sizeof label, "trace size, %s", what);
    bench_print(label, (double)task->length / (double)task->count, "bytes/record");
    free(task->data);
    task->data = NULL;
}

static void replay_large(uint64_t layers)
{
    struct task task = {.put = put_layers, .count = layers, .options = {.level = 1}, .digest = true};
    struct rusage usage;
    write_trace(&task);
    struct stat info;
    (void)stat(path, &info);
    double start = bench_cpu_seconds();
    replay(&task);
    double took = bench_cpu_seconds() - start;
    (void)getrusage(RUSAGE_SELF, &usage);
    bench_print("long replay from disk", (double)layers / took, "records/s");
    bench_print("long replay, records", (double)layers, "records");
    bench_print("long replay, file", (double)info.st_size / 1e6, "MB");
    bench_print("long replay, peak memory with writing", (double)usage.ru_maxrss / 1024, "MiB");
}

int main(int argc, char **argv)
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/bench-trace-%ld.slt.gz", folder != NULL ? folder : P_tmpdir, (long)getpid());
    struct task layers = {.put = put_layers, .count = RECORDS};
    struct task commands = {.put = put_commands, .count = RECORDS};
    struct task plain = {.put = put_layers, .count = RECORDS, .options = {.plain = true}};
    measure("layers", &layers);
    measure("layers as plain text", &plain);
    measure("commands", &commands);
    replay_large(argc > 1 && strcmp(argv[1], "large") == 0 ? 10000000 : 300000);
    (void)unlink(path);
    return 0;
}
