/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a memory alone. One list of them feeds CSV and JSON, so that both
 * have the same names; docs/formats-result.md explains them.
 */
#include "sim/report/memory.h"

#include <stdio.h>
#include <string.h>

#include "sim/base/csv.h"
#include "sim/base/grid.h"
#include "sim/base/json.h"

enum { MOST_FIGURES = 48 };
struct figure {
    const char *name, *unit;
    bool whole;
    uint64_t count;
    double value;
};
struct figures {
    struct figure figure[MOST_FIGURES];
    uint32_t count;
};

static void put_count(struct figures *to, const char *name, const char *unit, uint64_t count)
{
    to->figure[to->count++] = (struct figure){.name = name, .unit = unit, .whole = true, .count = count};
}

static void put_real(struct figures *to, const char *name, const char *unit, double value)
{
    to->figure[to->count++] = (struct figure){.name = name, .unit = unit, .value = value};
}

static void list_latencies(const struct sy_memory_result *r, struct figures *to)
{
    static const char *const percentile[SY_MEMORY_PERCENTILES] = {"read_latency_p50_ns", "read_latency_p90_ns",
                                                                  "read_latency_p95_ns", "read_latency_p99_ns",
                                                                  "read_latency_p999_ns"};
    if (!r->reads)
        return;
    put_real(to, "read_latency_mean_ns", "ns", r->latency_mean_ns);
    for (int i = 0; i < SY_MEMORY_PERCENTILES; i++)
        put_real(to, percentile[i], "ns", r->latency_ns[i]);
    put_real(to, "read_latency_max_ns", "ns", r->latency_max_ns);
    if (r->rate > 0)
        put_real(to, "source_latency_mean_ns", "ns", r->source_latency_mean_ns);
}

static void list_figures(const struct sy_memory_result *r, struct figures *to)
{
    to->count = 0;
    put_count(to, "requests", "", r->requests);
    put_count(to, "simulated", "request", r->simulated);
    put_count(to, "reads", "request", r->reads);
    put_count(to, "writes", "request", r->writes);
    if (r->check_bursts)
        put_count(to, "check_bursts", "burst", r->check_bursts);
    put_count(to, "clocks", "clock", r->clocks);
    put_real(to, "seconds", "s", r->seconds);
    put_real(to, "bandwidth_bytes_per_s", "B/s", r->bandwidth_bytes_per_s);
    put_real(to, "peak_bytes_per_s", "B/s", r->peak_bytes_per_s);
    put_real(to, "utilization", "of peak",
             r->peak_bytes_per_s > 0 ? r->bandwidth_bytes_per_s / r->peak_bytes_per_s : 0);
    list_latencies(r, to);
    put_count(to, "row_hits", "", r->row_hits);
    put_count(to, "row_misses", "", r->row_misses);
    put_count(to, "row_conflicts", "", r->row_conflicts);
    put_count(to, "activates", "command", r->activates);
    put_count(to, "precharges", "command", r->precharges);
    put_count(to, "read_commands", "command", r->read_commands);
    put_count(to, "write_commands", "command", r->write_commands);
    put_count(to, "refreshes", "command", r->refreshes);
    put_real(to, "active_share", "of time", r->active_share);
    if (r->energies)
        put_real(to, "energy_j", "J", sy_memory_access_j(r));
    if (r->energies > 1)
        put_real(to, "device_energy_j", "J", sy_memory_commands_j(r));
}

static void write_csv(const struct sy_memory_result *r, struct sy_buf *out)
{
    struct figures list;
    char text[32];
    list_figures(r, &list);
    sy_buf_puts(out, "chip,level,device,pattern,figure,value,unit\n");
    for (uint32_t i = 0; i < list.count; i++) {
        const struct figure *figure = &list.figure[i];
        const char *const cells[] = {r->chip, r->level, r->device, r->pattern, figure->name};
        for (size_t c = 0; c < sizeof cells / sizeof cells[0]; c++) {
            sy_csv_put(out, cells[c]);
            sy_buf_puts(out, ",");
        }
        sy_buf_puts(out, figure->whole ? sy_format_u64(text, figure->count) : sy_format_double(text, figure->value));
        sy_buf_printf(out, ",%s\n", figure->unit);
    }
}

static void put_energy(struct sy_json_writer *json, const struct sy_memory_energy *energy)
{
    sy_json_open_object(json, NULL);
    sy_json_put_string(json, "action", energy->action);
    sy_json_put_u64(json, "count", energy->count);
    sy_json_put_string(json, "unit", energy->unit);
    sy_json_put_double(json, "pj", energy->pj);
    if (energy->high_pj > 0) {
        sy_json_put_double(json, "low_pj", energy->low_pj);
        sy_json_put_double(json, "high_pj", energy->high_pj);
    }
    sy_json_put_double(json, "total_j", (double)energy->count * energy->pj * 1e-12);
    sy_json_put_string(json, "source", energy->source ? energy->source : "");
    sy_json_put_string(json, "confidence", energy->confidence ? energy->confidence : "");
    sy_json_close_object(json);
}

static void write_json(const struct sy_memory_result *r, const struct sy_report_options *options, struct sy_buf *out)
{
    struct figures list;
    struct sy_json_writer json;
    list_figures(r, &list);
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.memory/1");
    sy_json_open_object(&json, "tool");
    sy_json_put_string(&json, "version", options->version);
    sy_json_put_string(&json, "model_revision", options->model_revision);
    sy_json_close_object(&json);
    sy_json_put_string(&json, "chip", r->chip);
    sy_json_put_string(&json, "level", r->level);
    sy_json_put_string(&json, "device", r->device);
    sy_json_put_string(&json, "controller", r->controller);
    sy_json_put_u64(&json, "channels", r->channels);
    sy_json_put_string(&json, "address_map", r->address_map);
    sy_json_put_u64(&json, "burst_bytes", r->burst_bytes);
    sy_json_put_double(&json, "clock_ns", r->clock_ns);
    sy_json_put_string(&json, "pattern", r->pattern);
    sy_json_put_string(&json, "memory", r->memory);
    if (r->rate > 0)
        sy_json_put_double(&json, "rate", r->rate);
    sy_json_open_object(&json, "totals");
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.figure[i].whole)
            sy_json_put_u64(&json, list.figure[i].name, list.figure[i].count);
        else
            sy_json_put_double(&json, list.figure[i].name, list.figure[i].value);
    }
    sy_json_close_object(&json);
    sy_json_open_array(&json, "energy");
    for (uint32_t i = 0; i < r->energies; i++)
        put_energy(&json, &r->energy[i]);
    sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* ---- table ---- */
static void row(struct sy_grid *grid, const char *name, const char *value, const char *note)
{
    sy_grid_cell(grid, name);
    sy_grid_cell(grid, value);
    sy_grid_cell(grid, note);
}

static void put_totals(const struct sy_memory_result *r, uint32_t width, struct sy_buf *out)
{
    char value[32], other[32], third[32], note[128];
    struct sy_grid grid;
    sy_grid_begin(&grid, "|>|~", width, "  ");
    (void)snprintf(note, sizeof note, "%s reads, %s writes of %llu B", sy_format_grouped(value, r->reads),
                   sy_format_grouped(other, r->writes), (unsigned long long)r->burst_bytes);
    row(&grid, "requests", sy_format_grouped(value, r->requests), note);
    (void)snprintf(note, sizeof note, "%s clocks of %s ns, %s of the requests simulated",
                   sy_format_grouped(value, r->clocks), sy_format_double(other, r->clock_ns),
                   r->simulated < r->requests ? sy_format_grouped(third, r->simulated) : "all");
    row(&grid, "time", sy_format_si(other, r->seconds, "s"), note);
    const double share = r->peak_bytes_per_s > 0 ? r->bandwidth_bytes_per_s / r->peak_bytes_per_s : 0;
    (void)snprintf(note, sizeof note, "%s of the device's peak, %s", sy_format_percent(value, share),
                   sy_format_si(other, r->peak_bytes_per_s, "B/s"));
    row(&grid, "bandwidth", sy_format_si(value, r->bandwidth_bytes_per_s, "B/s"), note);
    if (r->check_bursts)
        row(&grid, "inline ECC", sy_format_grouped(value, r->check_bursts),
            "bursts of check bits, not in the bandwidth");
    (void)snprintf(note, sizeof note, "%s misses, %s conflicts", sy_format_grouped(value, r->row_misses),
                   sy_format_grouped(other, r->row_conflicts));
    row(&grid, "row hits", sy_format_grouped(value, r->row_hits), note);
    row(&grid, "a row open", sy_format_percent(value, r->active_share), "of the time");
    sy_grid_put(&grid, out);
}

static void put_latencies(const struct sy_memory_result *r, uint32_t width, struct sy_buf *out)
{
    char value[32];
    struct sy_grid grid;
    if (!r->reads)
        return;
    sy_buf_puts(out, "\nRead latency, ns  (from acceptance to data)\n");
    sy_grid_begin(&grid, "mean>|p50>|p90>|p95>|p99>|p99.9>|max>", width, "  ");
    sy_grid_cell(&grid, sy_format_fixed(value, r->latency_mean_ns, 1));
    for (int i = 0; i < SY_MEMORY_PERCENTILES; i++)
        sy_grid_cell(&grid, sy_format_fixed(value, r->latency_ns[i], 1));
    sy_grid_cell(&grid, sy_format_fixed(value, r->latency_max_ns, 1));
    sy_grid_put(&grid, out);
    if (r->rate > 0)
        sy_buf_printf(out, "  mean from arrival: %s\n", sy_format_fixed(value, r->source_latency_mean_ns, 1));
}

static void put_commands(const struct sy_memory_result *r, uint32_t width, struct sy_buf *out)
{
    char value[32];
    struct sy_grid grid;
    const uint64_t count[] = {r->activates, r->precharges, r->read_commands, r->write_commands, r->refreshes};
    sy_buf_puts(out, "\nCommands  (all channels)\n");
    sy_grid_begin(&grid, "activate>|precharge>|read>|write>|refresh>", width, "  ");
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++)
        sy_grid_cell(&grid, sy_format_grouped(value, count[i]));
    sy_grid_put(&grid, out);
}

static void put_energies(const struct sy_memory_result *r, uint32_t width, struct sy_buf *out)
{
    char value[32], low[32], high[32], each[32];
    struct sy_grid grid;
    if (!r->energies)
        return;
    const struct sy_memory_energy *access = &r->energy[0];
    const double bits = (double)access->count * 1e-12;
    sy_buf_printf(out, "\nEnergy  %s (%s to %s), at %s pJ a bit\n", sy_format_si(value, sy_memory_access_j(r), "J"),
                  sy_format_si(low, bits * access->low_pj, "J"), sy_format_si(high, bits * access->high_pj, "J"),
                  sy_format_double(each, access->pj));
    if (r->energies == 1)
        return;
    sy_buf_printf(out, "By the device file's figures (%s, %s): %s\n", r->energy[1].source, r->energy[1].confidence,
                  sy_format_si(value, sy_memory_commands_j(r), "J"));
    sy_grid_begin(&grid, "action|count>||pJ>|total>", width, "  ");
    for (uint32_t i = 1; i < r->energies; i++) {
        const struct sy_memory_energy *energy = &r->energy[i];
        sy_grid_cell(&grid, energy->action);
        sy_grid_cell(&grid, sy_format_grouped(value, energy->count));
        sy_grid_cell(&grid, energy->unit);
        sy_grid_cell(&grid, sy_format_double(value, energy->pj));
        sy_grid_cell(&grid, sy_format_si(value, (double)energy->count * energy->pj * 1e-12, "J"));
    }
    sy_grid_put(&grid, out);
}

static void write_table(const struct sy_memory_result *r, const struct sy_report_options *options, struct sy_buf *out)
{
    const uint32_t width = options->width ? options->width : 100;
    char value[32];
    sy_buf_printf(out, "%s alone on memory.%s of %s, %s\n", r->pattern, r->level, r->chip, r->memory);
    sy_buf_printf(out, "%s x %llu, controller %s, map \"%s\"", r->device, (unsigned long long)r->channels,
                  r->controller, r->address_map);
    if (r->rate > 0)
        sy_buf_printf(out, ", arriving at %s of the peak", sy_format_percent(value, r->rate));
    sy_buf_puts(out, "\n\n");
    put_totals(r, width, out);
    put_latencies(r, width, out);
    put_commands(r, width, out);
    put_energies(r, width, out);
}

enum sy_status sy_memory_write(const struct sy_memory_result *result, const char *format,
                               const struct sy_report_options *options, struct sy_buf *out)
{
    if (!strcmp(format, "table"))
        write_table(result, options, out);
    else if (!strcmp(format, "csv"))
        write_csv(result, out);
    else if (!strcmp(format, "json"))
        write_json(result, options, out);
    else
        return SY_USAGE;
    return out->failed ? SY_NOMEM : SY_OK;
}
