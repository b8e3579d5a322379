/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel model against rules it does not share code with: every command
 * of random devices, controllers and traffic is checked against the JEDEC
 * distances of the device itself, bank by bank; every request is served once.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dram_device.h"
#include "sim/engine/dram_memory.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_set.h"
#include "sim/engine/dram_window.h"
#include "tests/unit/run_support.h"

static const char *root(void)
{
    const char *data = getenv("SYSTOLE_DATA");
    return data ? data : ".";
}

static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* ---- the checker ---- */
enum { NEVER = -1000000000, RECENT = 32 };
struct bank_history {
    bool open;
    uint32_t row;
    int64_t activate, precharge, precharge_ready, read, write;
    uint64_t columns;
};
struct checker {
    const struct sy_dram_device *device;
    const struct sy_dram_controller *controller;
    struct bank_history bank[SY_DRAM_MAX_BANKS];
    int64_t activates[SY_DRAM_MAX_BANKS][RECENT]; /* by domain, newest first */
    int64_t last_row_command, last_row_clocks, last_column, last_command, refreshed[SY_DRAM_MAX_BANKS];
    uint64_t reads, writes, refreshes, auto_precharges;
    char wrong[200];
};

struct where {
    uint32_t pc, rank, group;
};
static struct where where_is(const struct sy_dram_organization *org, uint32_t bank)
{
    const uint32_t group = bank / org->banks_per_group;
    return (struct where){group / org->bankgroups / org->ranks, group / org->bankgroups % org->ranks,
                          group % org->bankgroups};
}

static void expect(struct checker *c, int64_t clock, int64_t earliest, const char *rule, uint32_t bank)
{
    if (clock < earliest && !c->wrong[0])
        snprintf(c->wrong, sizeof c->wrong, "%s: bank %u at %lld, allowed from %lld", rule, bank, (long long)clock,
                 (long long)earliest);
}
static void expect_true(struct checker *c, bool holds, int64_t clock, const char *rule, uint32_t bank)
{
    if (!holds && !c->wrong[0])
        snprintf(c->wrong, sizeof c->wrong, "%s: bank %u at %lld", rule, bank, (long long)clock);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* JEDEC counts from the last clock of a command: `from` and `to` are command lengths. */
static int64_t apart(uint32_t distance, uint32_t from, uint32_t to)
{
    return (int64_t)distance + (int64_t)from - (int64_t)to;
}

static void check_bus(struct checker *c, int64_t clock, bool column, uint32_t clocks, uint32_t bank)
{
    const bool two = c->device->bus.buses == 2;
    if (column || !two)
        expect(c, clock, c->last_column, "column bus", bank);
    if (!column || !two)
        expect(c, clock, c->last_row_command, "row bus", bank);
    if (column || !two)
        c->last_column = clock + clocks;
    if (!column || !two)
        c->last_row_command = clock + clocks;
    if (c->device->bus.half_clock_edges && (column || clocks == c->device->bus.activate))
        expect_true(c, clock & 1, clock, "half-clock edge", bank);
}

static void check_activate(struct checker *c, int64_t clock, uint32_t bank, uint32_t row)
{
    const struct sy_dram_timing *t = &c->device->timing;
    const struct sy_dram_organization *org = &c->device->org;
    const struct sy_dram_command_bus *bus = &c->device->bus;
    const struct where at = where_is(org, bank);
    struct bank_history *b = &c->bank[bank];
    expect_true(c, !b->open, clock, "activate of an open bank", bank);
    expect(c, clock, b->activate + t->tRC, "tRC", bank);
    expect(c, clock, b->precharge + apart(t->tRP, bus->precharge, bus->activate), "tRP", bank);
    expect(c, clock, b->precharge_ready, "auto-precharge", bank);
    const bool per_bank = c->controller->refresh == SY_DRAM_REFRESH_PER_BANK;
    expect(c, clock, c->refreshed[bank] + apart(per_bank && t->tRFCpb ? t->tRFCpb : t->tRFC, 1, bus->activate), "tRFC",
           bank);
    uint32_t domain = at.pc * 8 + (org->ranks_are_stacked ? 0 : at.rank);
    for (uint32_t o = 0; o < sy_dram_banks(org); o++) {
        const struct where other = where_is(org, o);
        if (o == bank || other.pc != at.pc || (other.rank != at.rank && !org->ranks_are_stacked))
            continue;
        const bool same = other.rank == at.rank && other.group == at.group && org->bankgroups > 1;
        expect(c, clock, c->bank[o].activate + (same ? t->tRRD_L : t->tRRD_S), "tRRD", bank);
    }
    int64_t *recent = c->activates[domain];
    expect(c, clock, recent[3] + t->tFAW, "tFAW", bank);
    if (t->t32AW)
        expect(c, clock, recent[31] + t->t32AW, "t32AW", bank);
    memmove(recent + 1, recent, (RECENT - 1) * sizeof *recent);
    recent[0] = clock;
    *b = (struct bank_history){.open = true,
                               .row = row,
                               .activate = clock,
                               .precharge = b->precharge,
                               .precharge_ready = NEVER,
                               .read = NEVER,
                               .write = NEVER};
    check_bus(c, clock, false, bus->activate, bank);
}

static void check_precharge(struct checker *c, int64_t clock, uint32_t bank)
{
    const struct sy_dram_timing *t = &c->device->timing;
    const struct sy_dram_command_bus *bus = &c->device->bus;
    struct bank_history *b = &c->bank[bank];
    expect_true(c, b->open, clock, "precharge of a closed bank", bank);
    expect(c, clock, b->activate + apart(t->tRAS, bus->activate, bus->precharge), "tRAS", bank);
    expect(c, clock, b->read + apart(t->tRTP, bus->column, bus->precharge), "tRTP", bank);
    expect(c, clock, b->write + apart(t->CWL + t->burst + t->tWR, bus->column, bus->precharge), "tWR", bank);
    b->open = false;
    b->precharge = clock;
}

static void check_column(struct checker *c, int64_t clock, uint32_t bank, uint32_t row, bool write)
{
    const struct sy_dram_timing *t = &c->device->timing;
    const struct sy_dram_organization *org = &c->device->org;
    const struct sy_dram_command_bus *bus = &c->device->bus;
    const struct where at = where_is(org, bank);
    struct bank_history *b = &c->bank[bank];
    expect_true(c, b->open && b->row == row, clock, "column of a row that is not open", bank);
    expect(c, clock, b->activate + apart(write ? t->tRCD_wr : t->tRCD_rd, bus->activate, bus->column), "tRCD", bank);
    for (uint32_t o = 0; o < sy_dram_banks(org); o++) {
        const struct where other = where_is(org, o);
        const struct bank_history *from = &c->bank[o];
        if (other.pc != at.pc)
            continue;
        if (other.rank != at.rank && !org->ranks_are_stacked) { /* only the data bus */
            expect(c, clock + (write ? t->CWL : t->CL), from->read + t->CL + t->burst, "data bus", bank);
            expect(c, clock + (write ? t->CWL : t->CL), from->write + t->CWL + t->burst, "data bus", bank);
            continue;
        }
        const bool same = other.rank == at.rank && other.group == at.group && org->bankgroups > 1;
        uint32_t read_read = same ? t->tCCD_L : t->tCCD_S;
        if (other.rank != at.rank)
            read_read = t->tCCD_R;
        const uint32_t write_write = same ? t->tCCD_L_wr : t->tCCD_S_wr;
        expect(c, clock, from->read + (write ? t->tRTW : later(read_read, t->burst)), "read to column", bank);
        if (write)
            expect(c, clock, from->write + later(write_write, t->burst), "write to write", bank);
        else
            expect(c, clock, from->write + t->CWL + (same ? t->burst_max + t->tWTR_L : t->burst + t->tWTR_S),
                   "write to read", bank);
    }
    *(write ? &b->write : &b->read) = clock;
    b->columns++;
    check_bus(c, clock, true, bus->column, bank);
    ++*(write ? &c->writes : &c->reads);
}

static void check_refresh(struct checker *c, int64_t clock, uint32_t first)
{
    const struct sy_dram_organization *org = &c->device->org;
    const struct where at = where_is(org, first);
    const bool per_bank = c->controller->refresh == SY_DRAM_REFRESH_PER_BANK;
    for (uint32_t o = 0; o < sy_dram_banks(org); o++) {
        const struct where other = where_is(org, o);
        if (per_bank ? o != first : other.pc != at.pc || (other.rank != at.rank && !org->ranks_are_stacked))
            continue;
        expect_true(c, !c->bank[o].open, clock, "refresh of an open bank", o);
        expect(c, clock, c->bank[o].precharge + c->device->timing.tRP, "tRP before refresh", o);
        expect(c, clock, c->bank[o].activate + c->device->timing.tRC, "tRC before refresh", o);
        c->refreshed[o] = clock;
    }
    c->refreshes++;
}

static void on_command(void *context, int64_t clock, enum sy_dram_command command, uint32_t bank, uint32_t row)
{
    struct checker *c = context;
    const struct sy_dram_timing *t = &c->device->timing;
    expect(c, clock, c->last_command, "commands in order", bank);
    c->last_command = clock;
    struct bank_history *b = &c->bank[bank];
    switch (command) {
    case SY_DRAM_ACTIVATE:
        check_activate(c, clock, bank, row);
        return;
    case SY_DRAM_PRECHARGE:
        check_precharge(c, clock, bank);
        return;
    case SY_DRAM_AUTO_PRECHARGE:
        expect_true(c, b->open, clock, "auto-precharge of a closed bank", bank);
        expect_true(c, b->columns >= c->controller->page_cap, clock, "auto-precharge before the cap", bank);
        b->open = false;
        b->precharge_ready = clock + (clock == b->write ? t->CWL + t->burst + t->tWR : t->tRTP) + t->tRP +
                             c->device->bus.column - c->device->bus.activate;
        b->precharge = NEVER;
        c->auto_precharges++;
        return;
    case SY_DRAM_REFRESH:
        check_refresh(c, clock, bank);
        return;
    case SY_DRAM_READ:
    case SY_DRAM_WRITE:
    default:
        check_column(c, clock, bank, row, command == SY_DRAM_WRITE);
    }
}

static void checker_init(struct checker *c, const struct sy_dram_device *device,
                         const struct sy_dram_controller *controller)
{
    memset(c, 0, sizeof *c);
    c->device = device;
    c->controller = controller;
    c->last_row_command = c->last_column = c->last_command = NEVER;
    for (int b = 0; b < SY_DRAM_MAX_BANKS; b++) {
        c->bank[b] = (struct bank_history){
            .activate = NEVER, .precharge = NEVER, .precharge_ready = NEVER, .read = NEVER, .write = NEVER};
        c->refreshed[b] = NEVER;
        for (int i = 0; i < RECENT; i++)
            c->activates[b][i] = NEVER;
    }
}

/* ---- random machines ---- */
static uint32_t pick(uint32_t low, uint32_t high)
{
    return low + (uint32_t)random_below(high - low + 1);
}

static void random_device(struct sy_dram_device *d)
{
    static const char *const maps[] = {
        "row rank pseudochannel bank column bankgroup channel",
        "row column bank bankgroup rank pseudochannel channel",
        "row rank pseudochannel bankgroup bank channel column",
        "MOP4CLXOR",
        "RoBaRaCoCh",
        "row bank rank bankgroup pseudochannel column channel; bank^column bankgroup^row>>1"};
    memset(d, 0, sizeof *d);
    d->name = "random";
    d->clock_fs = 1000000;
    d->org = (struct sy_dram_organization){.pseudochannels = 1u << random_below(2),
                                           .ranks = 1u << random_below(2),
                                           .ranks_are_stacked = random_below(2),
                                           .bankgroups = 1u << random_below(3),
                                           .banks_per_group = 2u << random_below(2),
                                           .rows = 1 << 14,
                                           .row_bytes = UINT64_C(512) << random_below(5),
                                           .bus_bits = 64,
                                           .burst_bytes = 64};
    struct sy_dram_timing *t = &d->timing;
    t->burst = pick(1, 8);
    t->burst_max = t->burst + pick(0, 2);
    t->CL = pick(5, 50);
    t->CWL = pick(3, t->CL);
    t->tRCD_rd = pick(5, 60), t->tRCD_wr = pick(5, 60);
    t->tRP = pick(5, 50), t->tRAS = pick(t->tRCD_rd, 120), t->tRC = t->tRAS + pick(0, t->tRP);
    t->tRRD_S = pick(1, 10), t->tRRD_L = t->tRRD_S + pick(0, 4), t->tFAW = pick(4, 60);
    t->t32AW = random_below(3) ? 0 : pick(100, 500);
    t->tCCD_S = pick(1, 8), t->tCCD_L = t->tCCD_S + pick(0, 8);
    t->tCCD_S_wr = t->tCCD_S, t->tCCD_L_wr = t->tCCD_L + pick(0, 10), t->tCCD_R = t->tCCD_S + pick(0, 3);
    t->tWR = pick(5, 60), t->tWTR_S = pick(1, 15), t->tWTR_L = t->tWTR_S + pick(0, 15), t->tRTP = pick(2, 20);
    t->tRTRS = pick(0, 4), t->tRTW = t->CL + t->burst + t->tRTRS - t->CWL, t->tPPD = pick(0, 4);
    t->tREFI = pick(1500, 9000), t->tRFC = pick(50, 700);
    t->tREFIpb = pick(600, 1500), t->tRFCpb = pick(20, 150), t->tRREFD = pick(0, 10);
    d->bus = (struct sy_dram_command_bus){.buses = pick(1, 2), .activate = 1, .precharge = 1, .column = 1};
    if (random_below(3) == 0)
        d->bus.activate = pick(1, 4), d->bus.column = pick(1, 2);
    if (random_below(4) == 0)
        d->bus.half_clock_edges = true;
    else if (random_below(4) == 0 && d->bus.buses == 1)
        d->bus = (struct sy_dram_command_bus){.buses = 1,
                                              .activate = 1,
                                              .precharge = 1,
                                              .column = 1,
                                              .split_activate = pick(3, 8),
                                              .data_clock_sync = true,
                                              .data_clock_post = 1};
    d->address_map = maps[random_below(sizeof maps / sizeof maps[0])];
}

static void random_controller(struct sy_dram_controller *k)
{
    *k = (struct sy_dram_controller){
        .name = "random",
        .arbitration = (enum sy_dram_arbitration)random_below(2),
        .scheduler = (enum sy_dram_scheduler)random_below(3),
        .read_queue = pick(1, 64),
        .write_queue = pick(1, 64),
        .bank_queue = pick(1, 12),
        .row_hit_cap = pick(0, 8),
        .drain_start_percent = pick(40, 100),
        .drain_stop_percent = pick(0, 40),
        .drain_idle = 0,
        .page = (enum sy_dram_page_policy)random_below(3),
        .page_cap = pick(1, 8),
        .page_timeout = pick(20, 400),
        .refresh = (enum sy_dram_refresh)random_below(3),
        .refresh_staggered = random_below(2),
        .refresh_blocks_channel = random_below(2),
        .first_clock = (uint32_t)random_below(2),
    };
}

static void random_source(struct sy_dram_source *source)
{
    static const char *const patterns[] = {"seq_rd",   "seq_wr",    "tile:4096",       "tileskew:16384",     "mix3",
                                           "mix3skew", "streams:3", "stride:4096:256", "stride_wr:8192:512", "rand_rd",
                                           "rand_mix"};
    ck_assert_int_eq(sy_dram_pattern(patterns[random_below(11)], 64, 200 + random_below(1200), source, NULL), SY_OK);
    if (random_below(3) == 0) {
        source->clocks_num = 1 + random_below(400);
        source->clocks_den = 1 + random_below(20);
    }
}

struct machine {
    struct sy_dram_device device;
    struct sy_dram_controller controller;
    struct sy_dram_memory *memory;
    struct checker checker[4];
    struct sy_dram_log log[4];
};

static void machine_make(struct machine *m)
{
    random_device(&m->device);
    random_controller(&m->controller);
    const struct sy_dram_options options = {
        .channels = 1u << random_below(3), .lanes = random_below(2) ? 4 : 0, .hot = random_below(8) == 0};
    ck_assert_int_eq(sy_dram_memory_create(&m->device, &m->controller, &options, &m->memory, NULL), SY_OK);
}

static void machine_watch(struct machine *m)
{
    for (uint32_t i = 0; i < m->memory->channels; i++) {
        checker_init(&m->checker[i], &m->device, &m->controller);
        m->log[i] = (struct sy_dram_log){on_command, &m->checker[i]};
        m->memory->channel[i].log = &m->log[i];
    }
}

START_TEST(no_command_breaks_a_jedec_distance)
{
    uint64_t commands = 0, refreshes = 0, autos = 0;
    random_state = 0x5157A11E;
    for (int round = 0; round < 3000; round++) {
        struct machine m;
        struct sy_dram_source source[3];
        const uint64_t seed = random_state;
        machine_make(&m);
        const uint32_t sources = 1 + (uint32_t)random_below(3);
        uint64_t bursts = 0;
        for (uint32_t i = 0; i < sources; i++) {
            random_source(&source[i]);
            source[i].outstanding = random_below(4) ? 0 : pick(1, 40);
            bursts += source[i].bursts;
        }
        struct sy_dram_set *set = malloc(sizeof *set);
        sy_dram_set_start(set, m.memory, source, sources, pick(1, 8));
        machine_watch(&m);
        struct sy_dram_run run;
        sy_dram_set_run(set, &run);
        free(set);
        ck_assert_uint_eq(run.bursts, bursts);
        uint64_t reads = 0, writes = 0, waiting = 0;
        for (uint32_t i = 0; i < m.memory->channels; i++) {
            const struct checker *c = &m.checker[i];
            ck_assert_msg(!c->wrong[0], "seed %#llx round %d: %s", (unsigned long long)seed, round, c->wrong);
            reads += c->reads, writes += c->writes;
            refreshes += c->refreshes, autos += c->auto_precharges;
            const struct sy_dram_channel *channel = &m.memory->channel[i];
            waiting += channel->queue[1].used;
            if (m.controller.arbitration == SY_DRAM_PER_BANK)
                waiting += channel->per_bank.waiting;
            else
                waiting += channel->by_age.actives;
        }
        ck_assert_uint_eq(reads, run.reads_issued);
        ck_assert_uint_eq(writes + waiting, run.writes_issued);
        ck_assert_uint_eq(reads, run.counts.reads);
        ck_assert_uint_eq(writes, run.counts.writes);
        commands += reads + writes;
        sy_dram_memory_destroy(m.memory);
    }
    ck_assert_uint_ge(commands, 3000000);
    ck_assert_uint_ge(refreshes, 10000);
    ck_assert_uint_ge(autos, 10000);
}
END_TEST

START_TEST(one_source_of_a_set_is_the_single_source)
{
    random_state = 0xD00D;
    for (int round = 0; round < 1500; round++) {
        struct machine m;
        struct sy_dram_source source;
        struct sy_dram_run alone, set_run;
        machine_make(&m);
        random_source(&source);
        sy_dram_memory_run(m.memory, &source, &alone);
        struct sy_dram_set *set = malloc(sizeof *set);
        sy_dram_set_start(set, m.memory, &source, 1, 1);
        sy_dram_set_run(set, &set_run);
        free(set);
        set_run.source_latency_mean = alone.source_latency_mean;
        ck_assert_uint_eq(alone.clocks, set_run.clocks);
        ck_assert_mem_eq(&alone, &set_run, sizeof alone);
        sy_dram_memory_destroy(m.memory);
    }
}
END_TEST

START_TEST(refresh_keeps_its_average_rate)
{
    random_state = 0xFEED;
    for (int round = 0; round < 200; round++) {
        struct machine m;
        struct sy_dram_source source;
        struct sy_dram_run run;
        machine_make(&m);
        ck_assert_int_eq(sy_dram_pattern("seq_rd", 64, 20000, &source, NULL), SY_OK);
        sy_dram_memory_run(m.memory, &source, &run);
        const struct sy_dram_plan *plan = &m.memory->plan;
        const uint64_t due = plan->refresh_on ? (run.clocks / (uint64_t)plan->refresh_interval) *
                                                    (plan->refresh_staggered ? 1 : plan->nodes)
                                              : 0;
        for (uint32_t c = 0; c < m.memory->channels; c++) {
            const uint64_t done = m.memory->channel[c].counts.refreshes;
            /* all but those still waiting; a dense per-bank schedule may be saturated and drop some */
            if (!plan->refresh_per_bank)
                ck_assert_uint_ge(done + 2 * plan->nodes, due);
            ck_assert_uint_le(done, due + plan->nodes);
        }
        sy_dram_memory_destroy(m.memory);
    }
}
END_TEST

START_TEST(bandwidth_never_exceeds_the_bus)
{
    random_state = 0xB05;
    for (int round = 0; round < 600; round++) {
        struct machine m;
        struct sy_dram_source source;
        struct sy_dram_run run;
        uint64_t clocks;
        machine_make(&m);
        random_source(&source);
        sy_dram_memory_run(m.memory, &source, &run);
        (void)sy_dram_peak_bytes(&m.device, &clocks);
        const uint64_t lanes = m.memory->channels * m.device.org.pseudochannels;
        /* at most one burst every max(burst, tCCD_S) clocks a pseudo-channel; queued writes may still wait */
        const uint64_t queued = lanes * (m.controller.write_queue + 64 * m.controller.bank_queue);
        ck_assert_uint_le(run.bursts, (run.clocks / clocks + 1) * lanes + queued);
        ck_assert_double_ge(run.read_latency_mean + 1e-9,
                            run.reads_issued ? (double)(m.device.timing.CL + m.device.timing.burst) : 0.0);
        ck_assert_uint_le(run.counts.active_clocks, (run.clocks + 100000) * m.memory->channels);
        sy_dram_memory_destroy(m.memory);
    }
}
END_TEST

START_TEST(a_narrow_fabric_and_heat_slow_the_memory_down)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    ck_assert_int_eq(sy_dram_device_load("hbm2-2000-ramulator2", root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
    uint64_t clocks[4], refreshes[4];
    for (int i = 0; i < 4; i++) { /* free, hot, 16 and 8 bytes a clock: 32-byte bursts at least 2 and 4 clocks apart */
        const struct sy_dram_options options = {.channels = 1,
                                                .hot = i == 1,
                                                .fabric_bytes_per_clock = i == 2   ? 16
                                                                          : i == 3 ? 8
                                                                                   : 0};
        struct sy_dram_memory *memory;
        struct sy_dram_source source;
        struct sy_dram_run run;
        ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
        ck_assert_int_eq(sy_dram_pattern("tile:4096", 32, 20000, &source, NULL), SY_OK);
        sy_dram_memory_run(memory, &source, &run);
        clocks[i] = run.clocks;
        refreshes[i] = run.counts.refreshes * 100000 / run.clocks;
        sy_dram_memory_destroy(memory);
    }
    ck_assert_uint_gt(clocks[1], clocks[0]);
    ck_assert_uint_ge(refreshes[1], refreshes[0] * 19 / 10);
    ck_assert_uint_ge(clocks[2], (20000 - 64 - 1) * 2); /* a write buffer may be left */
    ck_assert_uint_ge(clocks[3], (20000 - 64 - 1) * 4);
    ck_assert_uint_gt(clocks[3], clocks[2]);
    ck_assert_uint_gt(clocks[2], clocks[0]);
    sy_arena_destroy(arena);
}
END_TEST

/* A bound of B reads in flight with a fixed round trip R cannot do better than B bursts every R clocks. */
START_TEST(outstanding_reads_bound_the_rate)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_dram_device *device;
    struct sy_dram_controller *controller;
    ck_assert_int_eq(sy_dram_device_load("ddr4-3200-ramulator2", root(), arena, &device, NULL), SY_OK);
    ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
    const struct sy_dram_options options = {.channels = 2};
    struct sy_dram_memory *memory;
    ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
    struct sy_dram_set *set = malloc(sizeof *set);
    uint64_t before = UINT64_MAX;
    for (uint64_t bound = 1; bound <= 64; bound *= 2) {
        struct sy_dram_source source;
        struct sy_dram_run run;
        ck_assert_int_eq(sy_dram_pattern("seq_rd", 64, 4000, &source, NULL), SY_OK);
        source.outstanding = bound;
        sy_dram_set_start(set, memory, &source, 1, 1);
        sy_dram_set_run(set, &run);
        const uint64_t trip = device->timing.CL + device->timing.burst;
        ck_assert_uint_ge((run.clocks + trip) * bound, 4000 * trip);
        ck_assert_uint_le(run.clocks, before);
        before = run.clocks;
    }
    free(set);
    sy_dram_memory_destroy(memory);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(equal_sources_share_equally)
{
    random_state = 0xE0;
    for (int round = 0; round < 100; round++) {
        struct machine m;
        struct sy_dram_source source[4];
        machine_make(&m);
        for (uint32_t i = 0; i < 4; i++) {
            ck_assert_int_eq(sy_dram_pattern("rand_rd", 64, UINT64_MAX, &source[i], NULL), SY_OK);
            source[i].stream[0].random_seed += i;
        }
        struct sy_dram_set *set = malloc(sizeof *set);
        sy_dram_set_start(set, m.memory, source, 4, 1);
        ck_assert(sy_dram_set_feed(set, 4000));
        for (uint32_t i = 0; i < 4; i++) {
            ck_assert_uint_ge(set->feeder[i].accepted, 800);
            ck_assert_uint_le(set->feeder[i].accepted, 1200);
        }
        free(set);
        sy_dram_memory_destroy(m.memory);
    }
}
END_TEST

/* Long runs cross many rebases of the clock: the pace must not change, and idle spans must pass. */
START_TEST(the_clock_can_run_for_billions_of_cycles)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    static const char *const names[] = {"ddr4-3200-dramsim3", "hbm3-6400-ramulator2", "lpddr5-6400-ramulator2"};
    for (int i = 0; i < 3; i++) {
        struct sy_dram_device *device;
        struct sy_dram_controller *controller;
        struct sy_dram_memory *memory;
        struct sy_dram_source source;
        struct sy_dram_run run;
        ck_assert_int_eq(sy_dram_device_load(names[i], root(), arena, &device, NULL), SY_OK);
        ck_assert_int_eq(sy_dram_controller_load(device->controller, root(), arena, &controller, NULL), SY_OK);
        const struct sy_dram_options options = {.channels = 1};
        ck_assert_int_eq(sy_dram_memory_create(device, controller, &options, &memory, NULL), SY_OK);
        ck_assert_int_eq(sy_dram_pattern("mix3", device->org.burst_bytes, 3000, &source, NULL), SY_OK);
        source.clocks_num = 100000; /* 3e8 clocks, 36 rebases */
        sy_dram_memory_run(memory, &source, &run);
        ck_assert_uint_ge(run.clocks, 2999 * source.clocks_num);
        ck_assert_uint_le(run.clocks, 2999 * source.clocks_num + 2000);
        const uint64_t nodes = memory->plan.refresh_staggered ? 1 : memory->plan.nodes;
        const uint64_t due = run.clocks / device->timing.tREFI * nodes;
        ck_assert_uint_ge(run.counts.refreshes + nodes, due);
        ck_assert_uint_le(run.counts.refreshes, due + nodes);
        ck_assert_double_le(run.read_latency_mean, 250);
        sy_dram_memory_destroy(memory);
    }
    sy_arena_destroy(arena);
}
END_TEST

/* Ages are counted anew before they overflow: starting close to that point changes nothing. */
START_TEST(order_of_age_survives_renumbering)
{
    random_state = 0xA6E;
    for (int round = 0; round < 300; round++) {
        struct machine m;
        struct sy_dram_source source;
        struct sy_dram_run run[2];
        machine_make(&m);
        random_source(&source);
        struct sy_dram_set *set = malloc(sizeof *set);
        for (int late = 0; late < 2; late++) {
            sy_dram_set_start(set, m.memory, &source, 1, 1);
            for (uint32_t c = 0; c < m.memory->channels && late; c++)
                m.memory->channel[c].next_age = SY_REBASE_AT - 1 - (int32_t)random_below(200);
            sy_dram_set_run(set, &run[late]);
        }
        ck_assert_mem_eq(&run[0], &run[1], sizeof run[0]);
        free(set);
        sy_dram_memory_destroy(m.memory);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dram_channel");
    TCase *rules = tcase_create("rules");
    tcase_set_timeout(rules, 300);
    tcase_add_test(rules, no_command_breaks_a_jedec_distance);
    tcase_add_test(rules, one_source_of_a_set_is_the_single_source);
    tcase_add_test(rules, refresh_keeps_its_average_rate);
    tcase_add_test(rules, bandwidth_never_exceeds_the_bus);
    tcase_add_test(rules, a_narrow_fabric_and_heat_slow_the_memory_down);
    tcase_add_test(rules, outstanding_reads_bound_the_rate);
    tcase_add_test(rules, equal_sources_share_equally);
    tcase_add_test(rules, order_of_age_survives_renumbering);
    tcase_add_test(rules, the_clock_can_run_for_billions_of_cycles);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
