/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_alone.h"

#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "sim/engine/dram_pattern.h"
#include "sim/engine/dram_window.h"

enum {
    DEFAULT_REQUESTS = 100000,
    MOST_SIMULATED = 1000000000, /* minutes; a sampled pattern may be longer */
    RATE_UNIT = 1000000,
    LEAST_RATE = 1000 /* of RATE_UNIT: below it the time is idle, and refreshes are all there is to simulate */
};
static const uint64_t most_requests = UINT64_C(1) << 40;

struct request {
    const char *pattern, *level;
    uint64_t requests, rate; /* in RATE_UNIT */
};

static const char keys[] = "NAME[:N[:N]][,requests=N][,rate=SHARE][,level=NAME], for example tile:16384,requests=20000";

static enum sy_status set_requests(struct request *request, const char *value, size_t length, struct sy_diag *diag)
{
    if (sy_text_to_u64(value, length, &request->requests) && request->requests - 1 < most_requests)
        return SY_OK;
    return sy_error(diag, SY_NOWHERE, NULL, "memory pattern: requests is '%.*s'; expected 1 to %llu", (int)length,
                    value, (unsigned long long)most_requests);
}

static enum sy_status set_rate(struct request *request, const char *value, size_t length, struct sy_diag *diag)
{
    double share;
    if (sy_text_to_double(value, length, &share) && share >= 0 && share <= 100) {
        request->rate = (uint64_t)(share * RATE_UNIT + 0.5);
        if (share <= 0 || request->rate >= LEAST_RATE)
            return SY_OK;
    }
    return sy_error(diag, SY_NOWHERE, "0 means as fast as requests are accepted",
                    "memory pattern: rate is '%.*s'; expected 0, or a share of the peak from 0.001 to 100", (int)length,
                    value);
}

static bool is_key(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && !strncmp(key, name, length);
}

static enum sy_status set_key(struct request *request, const char *key, size_t length, struct sy_arena *arena,
                              struct sy_diag *diag)
{
    const char *equals = memchr(key, '=', length);
    const size_t name = equals ? (size_t)(equals - key) : length, rest = equals ? length - name - 1 : 0;
    if (equals && is_key(key, name, "requests"))
        return set_requests(request, equals + 1, rest, diag);
    if (equals && is_key(key, name, "rate"))
        return set_rate(request, equals + 1, rest, diag);
    if (equals && is_key(key, name, "level"))
        return (request->level = sy_arena_printf(arena, "%.*s", (int)rest, equals + 1)) ? SY_OK : SY_NOMEM;
    return sy_error(diag, SY_NOWHERE, keys,
                    "memory pattern: '%.*s' is not a key of a pattern; known: requests, rate, level", (int)name, key);
}

static enum sy_status parse(const char *text, struct sy_arena *arena, struct request *request, struct sy_diag *diag)
{
    size_t length = strcspn(text, ",");
    *request = (struct request){.requests = DEFAULT_REQUESTS};
    request->pattern = sy_arena_printf(arena, "%.*s", (int)sy_min(length, 200), text);
    if (!request->pattern)
        return SY_NOMEM;
    enum sy_status status = SY_OK;
    for (const char *at = text + length; status == SY_OK && *at; at += length) {
        at++; /* the comma */
        length = strcspn(at, ",");
        status = set_key(request, at, length, arena, diag);
    }
    return status;
}

static void put_energies(struct sy_memory_result *result, const struct sy_dram_power *power)
{
    const double nanoseconds = result->seconds * 1e9 * (double)result->channels;
    const uint64_t active = (uint64_t)(nanoseconds * result->active_share + 0.5), all = (uint64_t)(nanoseconds + 0.5);
    const struct {
        const char *action, *unit;
        uint64_t count;
        double pj;
    } rows[] = {{"activate", "command", result->activates, power->activate_pj},
                {"read", "command", result->read_commands, power->read_pj},
                {"write", "command", result->write_commands, power->write_pj},
                {"refresh", "command", result->refreshes, power->refresh_pj},
                {"active_standby", "ns", active, power->active_standby_mw}, /* 1 mW = 1 pJ/ns */
                {"precharge_standby", "ns", all - sy_min(all, active), power->precharge_standby_mw}};
    result->energies = 1;
    for (size_t i = 0; power->has && i < sizeof rows / sizeof rows[0]; i++)
        result->energy[result->energies++] = (struct sy_memory_energy){.action = rows[i].action,
                                                                       .unit = rows[i].unit,
                                                                       .count = rows[i].count,
                                                                       .pj = rows[i].pj,
                                                                       .source = power->source,
                                                                       .confidence = power->confidence};
}

static void put_run(struct sy_memory_result *result, const struct sy_dram_run *run)
{
    const double ns = result->clock_ns;
    const uint64_t clocks[SY_MEMORY_PERCENTILES] = {run->read_latency_p50, run->read_latency_p90, run->read_latency_p95,
                                                    run->read_latency_p99, run->read_latency_p999};
    result->clocks = run->clocks;
    result->seconds = (double)run->clocks * ns * 1e-9;
    result->bandwidth_bytes_per_s =
        result->seconds > 0 ? (double)run->bursts * (double)result->burst_bytes / result->seconds : 0;
    result->latency_mean_ns = run->read_latency_mean * ns;
    result->latency_max_ns = (double)run->read_latency_max * ns;
    result->source_latency_mean_ns = run->source_latency_mean * ns;
    for (int i = 0; i < SY_MEMORY_PERCENTILES; i++)
        result->latency_ns[i] = (double)clocks[i] * ns;
    result->check_bursts = run->reads_issued + run->writes_issued - run->bursts;
    result->writes = sy_min(run->writes_issued, run->bursts);
    result->reads = run->bursts - result->writes;
    result->activates = run->counts.activates;
    result->precharges = run->counts.precharges;
    result->read_commands = run->counts.reads;
    result->write_commands = run->counts.writes;
    result->refreshes = run->counts.refreshes;
    result->row_hits = run->counts.row_hits;
    result->row_misses = run->counts.row_misses;
    result->row_conflicts = run->counts.row_conflicts;
    const double all = (double)run->clocks * (double)result->channels, active = (double)run->counts.active_clocks;
    result->active_share = all > 0 ? (active < all ? active / all : 1) : 0;
}

static enum sy_status drive(const struct request *request, const struct sy_dram_part *part, bool burst,
                            struct sy_memory_result *result, struct sy_diag *diag)
{
    struct sy_dram_source source;
    struct sy_dram_memory *memory;
    struct sy_dram_run run;
    uint64_t clocks;
    enum sy_status status =
        sy_dram_pattern(request->pattern, part->device->org.burst_bytes, request->requests, &source, diag);
    if (status != SY_OK)
        return status;
    const uint64_t peak = sy_dram_peak_bytes(part->device, &clocks) * part->options.channels;
    if (request->rate) {
        source.clocks_num = clocks * RATE_UNIT;
        source.clocks_den = request->rate * result->channels * result->pseudochannels;
    }
    status = sy_dram_memory_create(part->device, part->controller, &part->options, &memory, diag);
    if (status != SY_OK)
        return status;
    result->simulated = request->requests;
    if (burst)
        sy_dram_memory_run(memory, &source, &run);
    else
        result->simulated = sy_dram_memory_estimate(memory, &source, NULL, &run);
    sy_dram_memory_destroy(memory);
    result->peak_bytes_per_s = (double)peak / ((double)clocks * result->clock_ns * 1e-9);
    put_run(result, &run);
    return SY_OK;
}

enum sy_status sy_dram_alone(const struct sy_chip *chip, const char *text, const struct sy_dram_alone_options *options,
                             struct sy_arena *arena, struct sy_memory_result *result, const struct sy_level **level,
                             struct sy_diag *diag)
{
    struct request request;
    struct sy_dram_part part;
    enum sy_status status = parse(text, arena, &request, diag);
    if (status == SY_OK)
        status = sy_dram_level_find(chip, request.level, level, diag);
    if (status == SY_OK && options->burst && request.requests > MOST_SIMULATED)
        status = sy_error(diag, SY_NOWHERE, "leave out --memory burst to simulate a part of them",
                          "memory pattern: at most %d requests can be simulated one by one", (int)MOST_SIMULATED);
    if (status == SY_OK)
        status = sy_dram_level_open(*level, options->data_dir, arena, &part, diag);
    if (status != SY_OK)
        return status;
    *result = (struct sy_memory_result){.chip = chip->name,
                                        .level = (*level)->name,
                                        .device = part.device->name,
                                        .controller = part.controller->name,
                                        .address_map = part.options.address_map ? part.options.address_map
                                                                                : part.device->address_map,
                                        .pattern = request.pattern,
                                        .memory = options->burst ? "burst" : "sampled",
                                        .channels = part.options.channels,
                                        .pseudochannels = part.device->org.pseudochannels,
                                        .burst_bytes = part.device->org.burst_bytes,
                                        .requests = request.requests,
                                        .rate = (double)request.rate / RATE_UNIT,
                                        .clock_ns = (double)part.device->clock_fs * 1e-6,
                                        .chip_bytes_per_s = (*level)->read_bytes_per_s};
    status = drive(&request, &part, options->burst, result, diag);
    if (status == SY_OK)
        put_energies(result, &part.device->power);
    return status;
}
