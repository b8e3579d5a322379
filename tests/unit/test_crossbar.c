/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crossbar between cores and what they share (interconnect:). Oracles: closed forms of single moves, written as
 * command records; a run without it, which it must equal when nothing limits it; sums that must come out even; and
 * orders that cannot turn (more bandwidth, less latency).
 */
#include <math.h>

#include "tests/unit/engine_support.h"

static const struct sy_replay_options shared = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};

static struct machine two_cores(void)
{
    struct machine m = plain_machine();
    m.cores = 2;
    m.overhead = 0;
    m.latency_ns = 0;
    m.burst = 1;
    m.scratch_kib = 256;
    m.dram_gbs = 8;
    m.split = "m";
    m.crossbar = true;
    return m;
}

static struct sy_result *run(const struct machine *m, const char *text, const struct sy_replay_options *options)
{
    struct log_sink said;
    struct sy_chip *chip = machine_chip(m);
    struct sy_result *result = run_trace(chip, "t", text, options, &said);
    log_end(&said);
    sy_chip_destroy(chip);
    return result;
}

static const struct sy_unit_stats *unit_of(const struct sy_result *r, const char *name)
{
    for (uint32_t i = 0; i < r->units; i++)
        if (!strcmp(r->unit[i].name, name))
            return &r->unit[i];
    ck_abort_msg("no unit %s", name);
    return NULL;
}

static const struct sy_link_stats *link_of(const struct sy_result *r, const char *name)
{
    for (uint32_t i = 0; i < r->links; i++)
        if (!strcmp(r->link[i].name, name))
            return &r->link[i];
    ck_abort_msg("no link %s", name);
    return NULL;
}

/* ---- closed forms of single moves, 1 GHz: GB/s are bytes a cycle ---- */

#define ONE_LAYER(commands)                                                                                            \
    "systole-trace 1\nnet t\ngemm l m=2 k=1 n=1 a=a:int8 b=b:int8:weight y=y:int8\n" commands                          \
    "matmul m=1 k=1 n=1 all=1 cores=2 <1.load_a\nend 3\n"
#define LOAD "load A level=1 parent=2 bytes=8000"

START_TEST(a_load_takes_the_slowest_of_memory_port_and_crossbar)
{
    static const struct {
        double dram, port, pool;
        uint64_t latency, cycles, held;
        const char *load;
        uint64_t read, delivered;
    } rows[] = {
        /* two cores at 2B of DRAM and ports of B: neither holds up the other */
        {8, 4, 0, 0, 2000, 0, LOAD "\n", 16000, 16000},
        {8, 0, 0, 0, 2000, 0, LOAD "\n", 16000, 16000},
        {8, 2, 0, 0, 4000, 2000, LOAD "\n", 16000, 16000},  /* the port */
        {8, 4, 4, 0, 4000, 2000, LOAD "\n", 16000, 16000},  /* all ports together */
        {4, 4, 8, 0, 4000, 0, LOAD "\n", 16000, 16000},     /* the DRAM */
        {8, 4, 0, 50, 2050, 50, LOAD "\n", 16000, 16000},   /* the way */
        {8, 2, 0, 50, 4050, 2050, LOAD "\n", 16000, 16000}, /* both */
        /* one of them has something to load */
        {8, 0, 0, 0, 1000, 0, LOAD " all=1 allbytes=8000 allbus=8000 allcores=1\n", 8000, 8000},
        {8, 4, 0, 0, 2000, 1000, LOAD " all=1 allbytes=8000 allbus=8000 allcores=1\n", 8000, 8000},
        /* both get the same bytes: half of them leave the DRAM, in half the time when the ports let them */
        {8, 8, 0, 0, 1000, 0, LOAD " all=1 allbytes=16000 allbus=8000 allcast=1\n", 8000, 16000},
        {8, 4, 0, 0, 2000, 1000, LOAD " all=1 allbytes=16000 allbus=8000 allcast=1\n", 8000, 16000},
        {8, 8, 4, 0, 2000, 1000, LOAD " all=1 allbytes=16000 allbus=8000 allcast=1\n", 8000, 16000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        struct machine m = two_cores();
        m.dram_gbs = rows[i].dram;
        m.port_gbs = rows[i].port;
        m.pool_gbs = rows[i].pool;
        m.crossing_ns = rows[i].latency;
        m.multicast = true;
        snprintf(text, sizeof text, ONE_LAYER("%s"), rows[i].load);
        for (int alone = 0; alone < 2; alone++) {
            struct sy_replay_options options = shared;
            options.memory = alone ? SY_MEMORY_IDEAL : SY_MEMORY_SHARED; /* of one move alike */
            struct sy_result *r = run(&m, text, &options);
            ck_assert_ptr_nonnull(r);
            const struct sy_unit_stats *load = unit_of(r, "load.dram>spad");
            const struct sy_link_stats *link = link_of(r, "dram>spad.A");
            uint64_t crossbar = load->stall[SY_STALL_CROSSBAR];
            ck_assert_msg(load->busy + crossbar == rows[i].cycles && crossbar == rows[i].held,
                          "row %zu: %llu cycles, %llu of them lost, want %llu and %llu", i,
                          (unsigned long long)(load->busy + crossbar), (unsigned long long)crossbar,
                          (unsigned long long)rows[i].cycles, (unsigned long long)rows[i].held);
            /* the array waited for it from the start: what the crossbar lost is named */
            ck_assert_uint_eq(r->unit[0].stall[SY_STALL_CROSSBAR], rows[i].held);
            ck_assert_uint_eq(r->unit[0].stall[SY_STALL_LOAD_A], rows[i].cycles - rows[i].held);
            ck_assert_uint_eq(r->dram_read_bytes, rows[i].read);
            ck_assert_uint_eq(link->fill_bytes, rows[i].read);
            ck_assert_uint_eq(link->filled_bytes, rows[i].delivered);
            ck_assert_uint_eq(r->crossbar.in_bytes[0], rows[i].read);
            ck_assert_uint_eq(r->crossbar.out_bytes[0], rows[i].delivered);
            sy_result_destroy(r);
        }
    }
}
END_TEST

/* A and B come on two engines at once: the port is shared, whichever memory they come from. */
START_TEST(moves_of_a_core_share_its_port)
{
    struct machine m = two_cores();
    m.engines = 2;
    m.dram_gbs = 64;
    m.port_gbs = 4;
    static const char *const text = "systole-trace 1\nnet t\ngemm l m=2 k=1 n=1 a=a:int8 b=b:int8:weight y=y:int8\n"
                                    "load A level=1 parent=2 bytes=8000\nload B level=1 parent=2 bytes=4000\n"
                                    "matmul m=1 k=1 n=1 all=1 cores=2 <2.load_a <1.load_b\nend 4\n";
    struct sy_result *r = run(&m, text, &shared);
    /* 2 bytes a cycle each until B has its 4000 bytes, then 4 for the rest of A */
    const struct sy_unit_stats *a = unit_of(r, "load.dram>spad.0"), *b = unit_of(r, "load.dram>spad.1");
    ck_assert_uint_eq(b->busy + b->stall[SY_STALL_CROSSBAR], 2000);
    ck_assert_uint_eq(a->busy + a->stall[SY_STALL_CROSSBAR], 3000);
    sy_result_destroy(r);
    /* with stores the other way nothing is shared */
    static const char *const both = "systole-trace 1\nnet t\ngemm l m=2 k=1 n=1 a=a:int8 b=b:int8:weight y=y:int8\n"
                                    "store A level=1 parent=2 bytes=8000\nload B level=1 parent=2 bytes=8000\n"
                                    "matmul m=1 k=1 n=1 all=1 cores=2 <1.load_b\nend 4\n";
    r = run(&m, both, &shared);
    a = unit_of(r, "store.spad>dram.0"), b = unit_of(r, "load.dram>spad.1");
    ck_assert_uint_eq(b->busy + b->stall[SY_STALL_CROSSBAR], 2000);
    ck_assert_uint_eq(a->busy + a->stall[SY_STALL_CROSSBAR], 2000);
    ck_assert_uint_eq(r->crossbar.in_bytes[1], 16000);
    ck_assert_uint_eq(r->crossbar.out_bytes[1], 16000);
    sy_result_destroy(r);
}
END_TEST

/* A from DRAM's buffer level and B straight from DRAM: two memories, one port. */
START_TEST(moves_from_two_memories_share_the_port)
{
    static const char *const chip_text =
        "name: t\ndescription: test\nsource: test\nconfidence: assumed\ntechnology: {node: 28 nm}\n"
        "clocks: {core: 1 GHz}\ncores: 2\ncore_split: m\ncore:\n"
        "  array: {rows: 8, cols: 8, dataflows: [ws], precisions: [{a: int8, b: int8, accumulator: int32}], timing: "
        "gemmini-ws}\n"
        "  vector: {lanes: 8}\nmemory:\n"
        "  - {name: acc, kind: sram, holds: [C], capacity: 64 KiB, accumulates: true}\n"
        "  - {name: spad, kind: sram, holds: [A, B], capacity: 64 KiB}\n"
        "  - {name: global, kind: sram, holds: [A], shared: true, capacity: 1 MiB, bandwidth: 64 GB/s}\n"
        "  - {name: dram, kind: dram, holds: [A, B, C], capacity: 8 GiB, bandwidth: 64 GB/s, burst: 1 B, energy: "
        "ddr4}\ninterconnect: {kind: crossbar, port_bandwidth: 4 GB/s}\n";
    static const char *const text = "systole-trace 1\nnet t\ngemm l m=2 k=1 n=1 a=a:int8 b=b:int8:weight y=y:int8\n"
                                    "load A level=1 parent=2 bytes=8000\nload B level=1 parent=3 bytes=4000\n"
                                    "matmul m=1 k=1 n=1 all=1 cores=2 <2.load_a <1.load_b\nend 4\n";
    struct log_sink log;
    struct sy_chip *chip = NULL;
    struct sy_chip_options options = {.data_dir = data_dir()};
    if (sy_chip_parse(chip_text, strlen(chip_text), "t.yaml", &options, &chip, log_start(&log)) != SY_OK)
        ck_abort_msg("%s", log_text(&log));
    log_end(&log);
    struct sy_result *r = must_run(chip, "t", text, &shared);
    const struct sy_unit_stats *a = unit_of(r, "load.global>spad"), *b = unit_of(r, "load.dram>spad");
    ck_assert_uint_eq(b->busy + b->stall[SY_STALL_CROSSBAR], 2000);
    ck_assert_uint_eq(a->busy + a->stall[SY_STALL_CROSSBAR], 3000);
    sy_result_destroy(r);
    sy_chip_destroy(chip);
}
END_TEST

START_TEST(what_cannot_cast_says_so)
{
    struct machine m = two_cores();
    struct log_sink said;
    struct sy_chip *chip = machine_chip(&m);
    struct sy_result *r =
        run_trace(chip, "t", ONE_LAYER(LOAD " all=1 allbytes=16000 allbus=8000 allcast=1\n"), &shared, &said);
    ck_assert_ptr_null(r);
    ck_assert_ptr_nonnull(strstr(log_text(&said), "command 0 delivers what it reads to several cores"));
    ck_assert_ptr_nonnull(strstr(log_text(&said), "interconnect.multicast"));
    log_end(&said);
    sy_chip_destroy(chip);
}
END_TEST

/* ---- random layers ---- */

static struct machine random_cores(uint64_t *seed)
{
    struct machine m = random_machine(seed);
    static const char *const splits[] = {"folds", "estimate", "m", "n", "k", "groups"};
    m.cores = draw(seed, 2, 9);
    m.split = splits[draw(seed, 0, 5)];
    m.crossbar = true;
    m.port_gbs = (double)draw(seed, 1, 32);
    m.pool_gbs = draw(seed, 0, 2) ? 0 : (double)draw(seed, 2, 64);
    m.crossing_ns = draw(seed, 0, 60);
    m.multicast = draw(seed, 0, 1);
    return m;
}

static void same_figures(const struct sy_result *a, const struct sy_result *b, const char *what)
{
    ck_assert_msg(a->cycles == b->cycles, "%llu cycles, want %llu\n%s", (unsigned long long)a->cycles,
                  (unsigned long long)b->cycles, what);
    ck_assert_uint_eq(a->dram_read_bytes, b->dram_read_bytes);
    ck_assert_uint_eq(a->dram_write_bytes, b->dram_write_bytes);
    for (uint32_t i = 0; i < a->units; i++)
        for (uint32_t s = 0; s < SY_STALL_CROSSBAR; s++)
            ck_assert_msg(a->unit[i].stall[s] == b->unit[i].stall[s], "%s waits for %s\n%s", a->unit[i].name,
                          a->stall_name[s], what);
    for (uint32_t i = 0; i < a->links; i++)
        ck_assert_uint_eq(a->link[i].filled_bytes, b->link[i].filled_bytes);
}

START_TEST(a_crossbar_without_limits_changes_nothing)
{
    uint64_t seed = 17 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(48); round++) {
        struct machine m = random_cores(&seed), without;
        struct sy_replay_options options = {.fidelity = draw(&seed, 0, 3) ? SY_FIDELITY_EVENT : SY_FIDELITY_ANALYTIC,
                                            .memory = (enum sy_memory_mode)(round % 4),
                                            .kernel = SCK_HEAP,
                                            .data_dir = data_dir()};
        m.port_gbs = m.pool_gbs = 0;
        m.crossing_ns = 0;
        m.multicast = false;
        if (round % 4 == SY_MEMORY_BURST)
            m.device = "ddr4-2400-dramsim3", m.burst = 64;
        without = m;
        without.crossbar = false;
        random_workload(&seed, &text, draw(&seed, 1, 3));
        struct sy_result *r = run(&m, text.data, &options);
        if (!r)
            continue;
        struct sy_result *want = run(&without, text.data, &options);
        same_figures(r, want, text.data);
        ck_assert_uint_eq(r->unit[0].stall[SY_STALL_CROSSBAR], 0);
        ck_assert_uint_eq(r->stalls, want->stalls + 1);
        ck_assert(!want->crossbar.has && r->crossbar.has);
        sy_result_destroy(r);
        sy_result_destroy(want);
        ran++;
    }
    ck_assert_uint_gt(ran, 24);
    sy_buf_free(&text);
}
END_TEST

static const char *tiled_gemm(uint64_t *seed, struct sy_buf *out, const struct machine *m)
{
    static const char *const orders[] = {"mnk", "nmk", "mkn", "kmn", "nkm", "knm"};
    sy_buf_clear(out);
    sy_buf_printf(out, "systole-trace 1\nnet t\ngemm l m=%llu k=%llu n=%llu a=a:int8 b=b:int8:weight y=y:int8",
                  (unsigned long long)draw(seed, 2, 200), (unsigned long long)draw(seed, 1, 200),
                  (unsigned long long)draw(seed, 2, 200));
    uint64_t tile[3] = {draw(seed, 1, 40), draw(seed, 1, 40), draw(seed, 1, 40)};
    for (int l = 0; l < (m->middle_kib ? 3 : 2); l++)
        sy_buf_printf(out, " tile%d=%llu,%llu,%llu order%d=%s", l, (unsigned long long)tile[0],
                      (unsigned long long)tile[1], (unsigned long long)tile[2], l, orders[draw(seed, 0, l ? 5 : 1)]);
    sy_buf_puts(out, "\nend 1\n");
    return out->data;
}

/* The tiles are given, and ideal memory makes the units a max-plus system: nothing that is faster can be slower. */
START_TEST(more_bandwidth_and_less_latency_are_never_slower)
{
    uint64_t seed = 29 + (uint64_t)_i, ran = 0, faster = 0;
    struct sy_buf text = {0};
    struct sy_replay_options ideal = shared;
    ideal.memory = SY_MEMORY_IDEAL;
    for (int round = 0; round < cases(60); round++) {
        struct machine m = random_cores(&seed);
        m.dataflows = draw(&seed, 0, 1) ? "[ws]" : "[os]";
        m.split = draw(&seed, 0, 1) ? "m" : "n";
        m.port_gbs = (double)draw(&seed, 1, 4);
        m.pool_gbs = (double)draw(&seed, 2, 16);
        tiled_gemm(&seed, &text, &m);
        uint64_t before = 0;
        for (int step = 0; step < 5; step++) {
            struct sy_result *r = run(&m, text.data, &ideal);
            if (!r)
                break;
            ck_assert_msg(step == 0 || r->cycles <= before, "step %d: %llu cycles, before %llu\n%s", step,
                          (unsigned long long)r->cycles, (unsigned long long)before, text.data);
            faster += step && r->cycles < before;
            before = r->cycles;
            sy_result_destroy(r);
            ran++;
            if (step == 0)
                m.port_gbs *= 2;
            else if (step == 1)
                m.crossing_ns /= 2;
            else if (step == 2)
                m.pool_gbs *= 3;
            else
                m.port_gbs = m.pool_gbs = 0;
        }
    }
    ck_assert_msg(ran > 100 && faster > 30, "%llu ran, %llu were faster", (unsigned long long)ran,
                  (unsigned long long)faster);
    sy_buf_free(&text);
}
END_TEST

/* Contention: no run is faster than its bytes through the slowest place, and every link delivers what it takes. */
START_TEST(bytes_and_time_are_conserved_on_every_link)
{
    uint64_t seed = 91 + (uint64_t)_i, ran = 0, cast = 0, waited = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(80); round++) {
        struct machine m = random_cores(&seed);
        struct sy_replay_options options = shared, analytic = shared;
        analytic.fidelity = SY_FIDELITY_ANALYTIC;
        if (round % 4 == 0) {
            options.memory = round % 8 ? SY_MEMORY_BURST : SY_MEMORY_SAMPLED;
            options.data_dir = data_dir();
            m.device = "ddr4-2400-dramsim3";
            m.burst = 64;
        }
        random_workload(&seed, &text, draw(&seed, 1, 3));
        struct sy_result *r = run(&m, text.data, &options);
        if (!r)
            continue;
        struct sy_result *a = run(&m, text.data, &analytic);
        const struct sy_crossbar_stats *x = &r->crossbar;
        uint64_t filled = 0, copied = 0;
        ck_assert_uint_eq(x->in_bytes[0] + x->copied_bytes, x->out_bytes[0]);
        ck_assert_uint_eq(x->in_bytes[1], x->out_bytes[1]);
        for (uint32_t i = 0; i < r->links; i++) {
            const struct sy_link_stats *link = &r->link[i];
            bool crosses = link->child < 2; /* acc and spad are the cores' own */
            ck_assert_uint_eq(link->fill_bytes + link->copied_bytes, link->filled_bytes);
            ck_assert_uint_eq(link->drain_bytes, link->drained_bytes);
            ck_assert(crosses || !link->copied_bytes);
            filled += crosses ? link->filled_bytes : 0;
            copied += link->copied_bytes;
        }
        ck_assert_uint_ge(x->out_bytes[0], filled); /* whole bursts */
        if (m.burst == 1)
            ck_assert_uint_eq(x->out_bytes[0], filled);
        /* whoever gets most gets at least the mean */
        double cores = (double)m.cores, port = m.port_gbs * cores;
        for (int way = 0; way < 2; way++) {
            double core_side = (double)(way ? x->in_bytes[1] : x->out_bytes[0]);
            double shared_side = (double)(way ? x->out_bytes[1] : x->in_bytes[0]);
            ck_assert_msg((double)r->cycles * port >= core_side * 0.999, "%llu cycles\n%s",
                          (unsigned long long)r->cycles, text.data);
            ck_assert_msg(m.pool_gbs == 0 || (double)r->cycles * m.pool_gbs >= shared_side * 0.999, "%llu cycles\n%s",
                          (unsigned long long)r->cycles, text.data);
        }
        if (a && options.memory == SY_MEMORY_SHARED)
            ck_assert_uint_eq(a->macs, r->macs);
        cast += copied > 0;
        waited += r->unit[0].stall[SY_STALL_CROSSBAR] > 0;
        ran++;
        sy_result_destroy(a);
        sy_result_destroy(r);
    }
    ck_assert_msg(ran > 50 && cast > 5 && waited > 20, "%llu ran, %llu cast, %llu waited", (unsigned long long)ran,
                  (unsigned long long)cast, (unsigned long long)waited);
    sy_buf_free(&text);
}
END_TEST

/* The same tiles with and without multicast: what is delivered is the same, what is common is read by one core. */
START_TEST(multicast_reads_what_is_common_once)
{
    uint64_t seed = 53 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(60); round++) {
        struct machine m = random_cores(&seed);
        m.burst = 1;
        m.dataflows = "[ws]";
        m.split = draw(&seed, 0, 1) ? "m" : "n";
        m.cores = draw(&seed, 2, 6);
        m.middle_kib = 0;
        tiled_gemm(&seed, &text, &m);
        m.multicast = false;
        struct sy_result *own = run(&m, text.data, &shared);
        if (!own)
            continue;
        m.multicast = true;
        struct sy_result *cast = run(&m, text.data, &shared);
        const char *common = m.split[0] == 'm' ? "dram>spad.B" : "dram>spad.A";
        for (uint32_t i = 0; i < own->links; i++) {
            const struct sy_link_stats *a = &own->link[i], *b = &cast->link[i];
            bool once = !strcmp(a->name, common);
            ck_assert_uint_eq(a->filled_bytes, b->filled_bytes);
            ck_assert_uint_eq(a->drained_bytes, b->drained_bytes);
            ck_assert_uint_eq(a->copied_bytes, 0);
            if (!once)
                ck_assert_uint_eq(a->fill_bytes, b->fill_bytes);
            else /* all cores at work take part in all of its moves, or, of the last tile, fewer */
                ck_assert_msg(b->fill_bytes < a->fill_bytes && b->fill_bytes * m.cores >= a->fill_bytes,
                              "%s: %llu bytes read once, %llu by every core\n%s", a->name,
                              (unsigned long long)b->fill_bytes, (unsigned long long)a->fill_bytes, text.data);
        }
        const struct sy_link_stats *a = link_of(own, common), *b = link_of(cast, common);
        ck_assert_uint_eq(own->dram_read_bytes - cast->dram_read_bytes, a->fill_bytes - b->fill_bytes);
        ck_assert_uint_eq(own->crossbar.out_bytes[0], cast->crossbar.out_bytes[0]);
        ran++;
        sy_result_destroy(own);
        sy_result_destroy(cast);
    }
    ck_assert_uint_gt(ran, 30);
    sy_buf_free(&text);
}
END_TEST

START_TEST(multicast_of_weights_halves_their_bytes_on_two_cores)
{
    struct machine m = two_cores();
    struct sy_buf text = {0};
    const uint64_t weights = 64 * 96, activations = 128 * 64, results = 128 * 96;
    sy_buf_puts(&text, "systole-trace 1\nnet t\ngemm l m=128 k=64 n=96 a=a:int8 b=b:int8:weight y=y:int8\nend 1\n");
    for (int multicast = 0; multicast < 2; multicast++) {
        m.multicast = multicast;
        struct sy_result *r = run(&m, text.data, &shared);
        ck_assert_uint_eq(r->dram_read_bytes, activations + weights * (multicast ? 1 : 2));
        ck_assert_uint_eq(r->dram_write_bytes, results);
        ck_assert_uint_eq(r->crossbar.in_bytes[0], activations + weights * (multicast ? 1 : 2));
        ck_assert_uint_eq(r->crossbar.out_bytes[0], activations + weights * 2);
        ck_assert_uint_eq(r->crossbar.out_bytes[1], results);
        sy_result_destroy(r);
    }
    sy_buf_free(&text);
}
END_TEST

/* What the analytic fidelity promises (test_analytic.c), where the crossbar binds. */
START_TEST(analytic_knows_the_crossbar)
{
    static const char *const nets[] = {"alexnet", "bert-base", "resnet50"};
    static const char *const set[][5] = {
        {"interconnect.kind=crossbar", "interconnect.port_bandwidth=100 GB/s", "interconnect.latency=50 ns", NULL},
        {"interconnect.kind=crossbar", "interconnect.bandwidth=200 GB/s", "interconnect.multicast=true", NULL},
    };
    struct sy_replay_options analytic = shared;
    analytic.fidelity = SY_FIDELITY_ANALYTIC;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
        for (size_t k = 0; k < sizeof set / sizeof set[0]; k++) {
            struct log_sink log;
            struct sy_chip *chip = NULL;
            struct sy_chip_options options = {.data_dir = data_dir(), .set = set[k]};
            char path[600];
            if (sy_chip_load("tpu-v4", &options, &chip, log_start(&log)) != SY_OK)
                ck_abort_msg("%s", log_text(&log));
            log_end(&log);
            snprintf(path, sizeof path, "%s/workloads/nets/%s.slt.gz", data_dir(), nets[i]);
            struct sy_result *e = must_run(chip, path, NULL, &shared), *a = must_run(chip, path, NULL, &analytic);
            double off = fabs((double)a->cycles / (double)e->cycles - 1);
            ck_assert_msg(off < 0.05, "%s: %llu cycles, event %llu", nets[i], (unsigned long long)a->cycles,
                          (unsigned long long)e->cycles);
            const double in[2] = {(double)a->crossbar.in_bytes[0], (double)e->crossbar.in_bytes[0]};
            ck_assert_msg(fabs(in[0] / in[1] - 1) < 0.03, "%s: %g bytes in, event %g", nets[i], in[0], in[1]);
            ck_assert_uint_eq(a->crossbar.in_bytes[0] + a->crossbar.copied_bytes, a->crossbar.out_bytes[0]);
            ck_assert_uint_gt(a->unit[0].stall[SY_STALL_CROSSBAR], 0);
            sy_result_destroy(a);
            sy_result_destroy(e);
            sy_chip_destroy(chip);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crossbar");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_load_takes_the_slowest_of_memory_port_and_crossbar);
    tcase_add_test(tcase, moves_of_a_core_share_its_port);
    tcase_add_test(tcase, moves_from_two_memories_share_the_port);
    tcase_add_test(tcase, what_cannot_cast_says_so);
    tcase_add_loop_test(tcase, a_crossbar_without_limits_changes_nothing, 0, 2);
    tcase_add_loop_test(tcase, more_bandwidth_and_less_latency_are_never_slower, 0, 2);
    tcase_add_loop_test(tcase, bytes_and_time_are_conserved_on_every_link, 0, 2);
    tcase_add_loop_test(tcase, multicast_reads_what_is_common_once, 0, 2);
    tcase_add_test(tcase, multicast_of_weights_halves_their_bytes_on_two_cores);
    tcase_add_test(tcase, analytic_knows_the_crossbar);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
