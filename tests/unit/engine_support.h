/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of map and engine share: random chips and workloads as text, and a run of one on the other. */
#ifndef TESTS_UNIT_ENGINE_SUPPORT_H
#define TESTS_UNIT_ENGINE_SUPPORT_H

#include "sim/base/checked.h"
#include "sim/engine/replay.h"
#include "sim/stats/energy.h"
#include "tests/unit/arch_support.h"

static inline uint64_t draw(uint64_t *seed, uint64_t low, uint64_t high)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return low + *seed % (high - low + 1);
}

/* How many random cases a test draws: so many in `make check`, SOAK times as many under `make soak`. */
static inline int cases(int usual)
{
    const char *soak = getenv("SYSTOLE_SOAK");
    long times = soak ? strtol(soak, NULL, 10) : 1;
    return times > 1 && times <= 10000 ? (int)(usual * times) : usual;
}

/* A chip in numbers; chip_text writes it down. */
struct machine {
    uint64_t rows, cols, arrays, lanes, engines, overhead, queue, depth, accumulator_kib, scratch_kib, cores;
    double dram_gbs;
    uint64_t latency_ns, burst, middle_kib; /* middle level between scratchpad and DRAM, 0 = none */
    bool split_store, follows, fuses, prefetch, serialize, keeps;
    const char *dataflows, *timing;
    const char *precisions;          /* NULL: int8 by int8 into int32 */
    const char *device;              /* DRAM device; NULL = bandwidth and refresh only */
    uint64_t channels;               /* of the device; 0 = 1 */
    const char *split;               /* core_split; NULL = its default */
    bool unpacked;                   /* rows hold the channels of one place of a window only */
    uint64_t query_block, key_block; /* of attention; 0 = chosen, all keys */
    bool crossbar, multicast;        /* between the cores and what they share */
    double port_gbs, pool_gbs;       /* of it; 0 = unlimited */
    uint64_t crossing_ns;
};

static inline struct machine plain_machine(void)
{
    return (struct machine){.rows = 8,
                            .cols = 8,
                            .arrays = 1,
                            .lanes = 8,
                            .engines = 1,
                            .overhead = 4,
                            .queue = 8,
                            .depth = 2,
                            .accumulator_kib = 8,
                            .scratch_kib = 32,
                            .cores = 1,
                            .dram_gbs = 16,
                            .latency_ns = 20,
                            .burst = 64,
                            .split_store = true,
                            .prefetch = true,
                            .dataflows = "[ws]",
                            .timing = "gemmini-ws"};
}

static inline struct machine random_machine(uint64_t *seed)
{
    static const char *const flows[] = {
        "[ws]", "[os]", "[ws, os]", "[is]", "[ws, is]", "[{name: part, rows: [Cin, Fw], cols: [N], stationary: B}]"};
    struct machine m = plain_machine();
    m.rows = draw(seed, 1, 16);
    m.cols = draw(seed, 1, 16);
    m.arrays = draw(seed, 1, 4);
    m.lanes = draw(seed, 1, 32);
    m.engines = draw(seed, 1, 3);
    m.overhead = draw(seed, 0, 20);
    m.queue = draw(seed, 1, 16);
    m.depth = draw(seed, 1, 4);
    m.accumulator_kib = draw(seed, 4, 64);
    m.scratch_kib = draw(seed, 8, 128);
    m.cores = draw(seed, 0, 3) ? 1 : draw(seed, 2, 4);
    m.dram_gbs = (double)draw(seed, 1, 64);
    m.latency_ns = draw(seed, 0, 200);
    m.burst = UINT64_C(1) << draw(seed, 0, 7);
    m.middle_kib = draw(seed, 0, 1) ? draw(seed, 128, 1024) : 0;
    m.split_store = draw(seed, 0, 1);
    m.follows = draw(seed, 0, 1);
    m.fuses = draw(seed, 0, 1);
    m.prefetch = draw(seed, 0, 1);
    m.keeps = draw(seed, 0, 1);
    m.dataflows = flows[draw(seed, 0, 5)];
    m.unpacked = draw(seed, 0, 1);
    m.timing = "scalesim-rtl";
    static const char *const splits[] = {"folds", "estimate", "m", "n", "k", "groups"};
    m.split = m.cores > 1 ? splits[(m.rows + m.cols + m.queue) % 6] : NULL;
    m.crossbar = m.cores > 1 && (m.rows + m.lanes) % 2;
    if (m.crossbar) {
        m.port_gbs = (double)(1 + (m.cols * 7 + m.queue) % 16);
        m.pool_gbs = m.lanes % 3 ? 0 : m.port_gbs * (double)m.cores / 2;
        m.crossing_ns = m.latency_ns / 3;
        m.multicast = m.queue % 2;
    }
    return m;
}

static inline void chip_text(const struct machine *m, struct sy_buf *out)
{
    const char *yes = "true", *no = "false";
    sy_buf_printf(out,
                  "name: t\ndescription: test\nsource: test\nconfidence: assumed\ntechnology: {node: 28 nm}\nclocks: "
                  "{core: 1 GHz}\n"
                  "cores: %llu\ncore:\n  array:\n    rows: %llu\n    cols: %llu\n    count: %llu\n    dataflows: %s\n"
                  "    precisions: %s\n    timing: %s\n    pack_window: %s\n",
                  (unsigned long long)m->cores, (unsigned long long)m->rows, (unsigned long long)m->cols,
                  (unsigned long long)m->arrays, m->dataflows,
                  m->precisions ? m->precisions : "[{a: int8, b: int8, accumulator: int32, rate: 1}]", m->timing,
                  m->unpacked ? no : yes);
    sy_buf_printf(
        out,
        "  vector: {lanes: %llu, simple_cycles: 1, transcendental_cycles: 4, reduce_cycles: 4, startup: 2 cycles, "
        "follows_array: %s, fuses_epilogue: %s}\n"
        "  dma: {engines: %llu, shared_load_store: %s, overhead: %llu cycles, queue_depth: %llu}\n",
        (unsigned long long)m->lanes, m->follows ? yes : no, m->fuses ? yes : no, (unsigned long long)m->engines,
        m->split_store ? no : yes, (unsigned long long)m->overhead, (unsigned long long)m->queue);
    if (m->query_block || m->key_block)
        sy_buf_printf(out, "  attention: {query_block: %llu, key_block: %llu}\n", (unsigned long long)m->query_block,
                      (unsigned long long)m->key_block);
    sy_buf_printf(
        out,
        "memory:\n  - {name: acc, kind: sram, holds: [C], capacity: %llu KiB, accumulates: true, depth: %llu}\n"
        "  - {name: spad, kind: sram, holds: [A, B], capacity: %llu KiB, depth: %llu}\n",
        (unsigned long long)m->accumulator_kib, (unsigned long long)m->depth, (unsigned long long)m->scratch_kib,
        (unsigned long long)m->depth);
    if (m->middle_kib)
        sy_buf_printf(out,
                      "  - {name: shared, kind: sram, holds: [A, B, C], shared: true, capacity: %llu KiB, depth: 2, "
                      "bandwidth: 64 GB/s, stores_whole_tensors: %s}\n",
                      (unsigned long long)m->middle_kib, m->keeps ? yes : no);
    char rate[32];
    sy_buf_printf(out,
                  "  - {name: dram, kind: dram, holds: [A, B, C], capacity: 8 GiB, bandwidth: %s GB/s, latency: %llu "
                  "ns, burst: %llu B, ",
                  sy_format_double(rate, m->dram_gbs), (unsigned long long)m->latency_ns, (unsigned long long)m->burst);
    if (m->device)
        sy_buf_printf(out, "device: %s, channels: %llu, ", m->device, (unsigned long long)sy_max(m->channels, 1));
    sy_buf_printf(out, "energy: ddr4}\nprefetch_across_layers: %s\nserialize: %s\n", m->prefetch ? yes : no,
                  m->serialize ? yes : no);
    if (m->split)
        sy_buf_printf(out, "core_split: %s\n", m->split);
    if (m->crossbar)
        sy_buf_printf(out, "interconnect: {kind: crossbar, latency: %llu ns, multicast: %s",
                      (unsigned long long)m->crossing_ns, m->multicast ? yes : no);
    if (m->crossbar && m->port_gbs > 0)
        sy_buf_printf(out, ", port_bandwidth: %s GB/s", sy_format_double(rate, m->port_gbs));
    if (m->crossbar && m->pool_gbs > 0)
        sy_buf_printf(out, ", bandwidth: %s GB/s", sy_format_double(rate, m->pool_gbs));
    sy_buf_puts(out, m->crossbar ? "}\n" : "");
}

static inline struct sy_chip *machine_chip(const struct machine *m)
{
    struct log_sink log;
    struct sy_buf text = {0};
    struct sy_chip *chip = NULL;
    struct sy_chip_options options = {.data_dir = data_dir()};
    chip_text(m, &text);
    if (sy_chip_parse(text.data, text.length, "t.yaml", &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s\n%s", log_text(&log), text.data);
    log_end(&log);
    sy_buf_free(&text);
    return chip;
}

/* Run trace text (or a file when text is NULL). NULL when it was refused; *said then holds the messages. */
static inline struct sy_result *run_trace(const struct sy_chip *chip, const char *path, const char *text,
                                          const struct sy_replay_options *options, struct log_sink *said)
{
    struct sy_trace_reader *reader = NULL;
    struct sy_result *result = NULL;
    struct sy_diag *diag = log_start(said);
    enum sy_status status = sy_trace_open(path, text, text ? strlen(text) : 0, &reader, diag);
    if (status == SY_OK)
        status = sy_replay(chip, reader, NULL, options, &result, diag);
    sy_trace_close(reader);
    ck_assert_msg(status != SY_INTERNAL && status != SY_STATE && status != SY_NOMEM, "%s: %s\n%s\n%s",
                  sy_status_name(status), log_text(said), chip->text, text ? text : path);
    ck_assert_msg(status == SY_OK || said->text.length > 0, "refused without a message: %s", sy_status_name(status));
    return status == SY_OK ? result : NULL;
}

static inline struct sy_result *must_run(const struct sy_chip *chip, const char *path, const char *text,
                                         const struct sy_replay_options *options)
{
    struct log_sink said;
    struct sy_result *result = run_trace(chip, path, text, options, &said);
    ck_assert_msg(result != NULL, "%s\n%s", log_text(&said), text ? text : path);
    log_end(&said);
    return result;
}

static inline const char *random_workload(uint64_t *seed, struct sy_buf *out, uint64_t layers)
{
    static const char *const post[] = {"", " post=bias", " post=bias+relu", " post=bn+relu", " post=gelu"};
    sy_buf_clear(out);
    sy_buf_puts(out, "systole-trace 1\nnet t\n");
    for (uint64_t i = 0; i < layers; i++) {
        uint64_t kind = draw(seed, 0, 9), previous = i ? i - 1 : 0;
        if (kind < 6) {
            sy_buf_printf(
                out, "gemm l%llu m=%llu k=%llu n=%llu g=%llu a=t%llu:int8 b=w%llu:int8:weight y=t%llu:int8%s\n",
                (unsigned long long)i, (unsigned long long)draw(seed, 1, 200), (unsigned long long)draw(seed, 1, 200),
                (unsigned long long)draw(seed, 1, 200), (unsigned long long)(draw(seed, 0, 4) ? 1 : draw(seed, 2, 5)),
                (unsigned long long)previous, (unsigned long long)i, (unsigned long long)i + 1, post[draw(seed, 0, 4)]);
        } else if (kind < 9) {
            uint64_t f = draw(seed, 1, 4), c = draw(seed, 1, 16);
            uint64_t groups = draw(seed, 0, 3) ? 1 : c;
            sy_buf_printf(
                out,
                "conv l%llu h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu sh=%llu sw=%llu pt=%llu pb=1 pl=1 pr=1 "
                "groups=%llu a=t%llu:int8 b=w%llu:int8:weight y=t%llu:int8%s\n",
                (unsigned long long)i, (unsigned long long)draw(seed, 4, 24), (unsigned long long)draw(seed, 4, 24),
                (unsigned long long)c, (unsigned long long)(groups * draw(seed, 1, 3)), (unsigned long long)f,
                (unsigned long long)f, (unsigned long long)draw(seed, 1, 2), (unsigned long long)draw(seed, 1, 2),
                (unsigned long long)draw(seed, 0, 1), (unsigned long long)groups, (unsigned long long)previous,
                (unsigned long long)i, (unsigned long long)i + 1, post[draw(seed, 0, 3)]);
        } else {
            sy_buf_printf(out, "softmax l%llu rows=%llu cols=%llu a=t%llu:int8 y=t%llu:int8\n", (unsigned long long)i,
                          (unsigned long long)draw(seed, 1, 64), (unsigned long long)draw(seed, 1, 500),
                          (unsigned long long)previous, (unsigned long long)i + 1);
        }
    }
    sy_buf_printf(out, "end %llu\n", (unsigned long long)layers);
    return out->data;
}

#endif
