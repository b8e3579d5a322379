/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table a person reads: what ran on what, the totals with their
 * denominators, where each unit's cycles went, memory, energy, layers. Nothing
 * is computed beyond shares of figures that the result holds.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/grid.h"
#include "sim/report/report_format.h"
#include "sim/stats/area.h"

enum { DEFAULT_WIDTH = 100, TOTALS_BAR = 12, UNITS_BAR = 10, LAYERS_BAR = 5, CAUSES = 4, NARROW = 96, WIDE = 110 };

struct table {
    const struct sy_result *result;
    const struct sy_report_options *options;
    struct sy_buf *out;
    struct sy_grid grid;
    uint32_t width;
};

static void heading(struct table *table, const char *title, const char *explanation)
{
    bool color = table->options->color;
    sy_buf_printf(table->out, "\n%s%s%s", color ? "\033[1m" : "", title, color ? "\033[0m" : "");
    if (explanation)
        sy_buf_printf(table->out, "%s  (%s)%s", color ? "\033[2m" : "", explanation, color ? "\033[0m" : "");
    sy_buf_puts(table->out, "\n");
}

static void begin(struct table *table, const char *columns)
{
    sy_grid_begin(&table->grid, columns, table->width, "  ");
}

static void end(struct table *table)
{
    sy_grid_put(&table->grid, table->out);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void cell_si(struct table *table, double value, const char *unit)
{
    char text[32];
    sy_grid_cell(&table->grid, sy_format_si(text, value, unit));
}

static void cell_grouped(struct table *table, uint64_t value)
{
    char text[32];
    sy_grid_cell(&table->grid, sy_format_grouped(text, value));
}

static void cell_percent(struct table *table, double share)
{
    char text[32];
    sy_grid_cell(&table->grid, sy_format_percent(text, share));
}

static void cell_bar(struct table *table, double share, uint32_t cells)
{
    char bar[SY_BAR_BYTES];
    sy_grid_cell(&table->grid, sy_bar(bar, share, cells, table->options->unicode));
}

/* ---- what ran on what ---- */

static double core_hz(const struct sy_result *result)
{
    return (double)result->core_hz.num / (double)result->core_hz.den;
}

static void put_head(struct table *table)
{
    const struct sy_result *result = table->result;
    bool color = table->options->color;
    char rate[32], peak[32], macs[32], layers[32];
    sy_buf_printf(table->out, "%s%s on %s%s\n", color ? "\033[1m" : "", result->workload, result->chip,
                  color ? "\033[0m" : "");
    sy_buf_printf(table->out, "  chip      %s: %s MACs a cycle at %s\n", result->chip,
                  sy_format_grouped(peak, (uint64_t)(result->peak_macs_per_cycle + 0.5)),
                  sy_format_si(rate, core_hz(result), "Hz"));
    sy_buf_printf(table->out, "  workload  %s: %s layers, %s MACs\n", result->workload,
                  sy_format_grouped(layers, result->layers_run), sy_format_grouped(macs, result->macs));
    if (result->chips > 1)
        sy_buf_printf(table->out,
                      "  share     one of %llu chips that run the pass together; times and tokens are of all\n",
                      (unsigned long long)result->chips);
    sy_buf_printf(table->out, "  model     %s fidelity, %s memory, mapped for %s\n", result->fidelity, result->memory,
                  result->objective);
    sy_buf_printf(table->out, "  made by   systole %s, model %s\n", table->options->version,
                  table->options->model_revision);
}

/* ---- totals ---- */

static void total(struct table *table, const char *name, const char *value, const char *explanation)
{
    sy_grid_cell(&table->grid, name);
    sy_grid_cell(&table->grid, value);
    sy_grid_cell(&table->grid, explanation);
}

static void total_share(struct table *table, const char *name, double share, const char *of)
{
    char percent[32], bar[SY_BAR_BYTES];
    sy_grid_cell(&table->grid, name);
    sy_grid_cell(&table->grid, sy_format_percent(percent, share));
    sy_grid_cellf(&table->grid, "%s %s", sy_bar(bar, share, TOTALS_BAR, table->options->unicode), of);
}

static void put_utilization(struct table *table)
{
    const struct sy_result *result = table->result;
    total_share(table, "utilization", result->utilization, "of peak MACs over all cycles =");
    if (!result->work.beats)
        return;
    total_share(table, "  active", result->active, "of cycles a tile is in the array");
    total_share(table, "  x streaming", result->streaming, "of active cycles operands stream");
    total_share(table, "  x mapping", result->mapping, "of PEs have work meanwhile");
    total_share(table, "  x padding", result->padding, "of their work is useful");
}

static void put_throughput(struct table *table)
{
    const struct sy_result *result = table->result;
    char value[32], roof[32], intensity[32], share[32], text[160];
    double macs_per_s = ratio((double)result->macs, result->seconds);
    bool memory = result->roofline_macs_per_s < result->peak_macs_per_cycle * core_hz(result);
    (void)snprintf(text, sizeof text, "at 2 a MAC; %s of the %s %s roof",
                   sy_format_percent(share, ratio(macs_per_s, result->roofline_macs_per_s)),
                   sy_format_si(roof, 2 * result->roofline_macs_per_s, "OPS"), memory ? "memory" : "compute");
    total(table, "throughput", sy_format_si(value, 2 * macs_per_s, "OPS"), text);
    if (result->arithmetic_intensity > 0)
        total(table, "intensity", sy_format_si(intensity, result->arithmetic_intensity, "MAC/B"), "of DRAM traffic");
}

static void put_traffic(struct table *table)
{
    const struct sy_result *result = table->result;
    char value[32], rate[32], peak[32], text[96];
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {{"DRAM read", result->dram_read_bytes}, {"DRAM write", result->dram_write_bytes}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        total(table, rows[i].name, sy_format_si(value, (double)rows[i].bytes, "B"),
              sy_format_si(rate, ratio((double)rows[i].bytes, result->seconds), "B/s"));
    if (result->dram_peak_bytes_per_s <= 0)
        return;
    (void)snprintf(text, sizeof text, "of %s peak", sy_format_si(peak, result->dram_peak_bytes_per_s, "B/s"));
    total_share(table, "DRAM bandwidth", result->dram_utilization, text);
}

static void put_energy_totals(struct table *table)
{
    const struct sy_result *result = table->result;
    char value[32], low[32], high[32], text[96];
    if (!result->energies)
        return;
    (void)snprintf(text, sizeof text, "%s to %s by the sources' ranges", sy_format_si(low, result->energy_low_j, "J"),
                   sy_format_si(high, result->energy_high_j, "J"));
    total(table, "energy", sy_format_si(value, result->energy_j, "J"), text);
    total(table, "power", sy_format_si(value, result->power_w, "W"), "energy / time");
    total(table, "EDP", sy_format_si(value, result->edp_js, "J s"), "energy x time");
}

/* What the lines above have said already, and what only files hold. */
static const char *const shown_above[] = {"cycles",
                                          "seconds",
                                          "macs",
                                          "skipped_macs",
                                          "halo_macs",
                                          "exchanged_bytes",
                                          "utilization",
                                          "active",
                                          "streaming",
                                          "mapping",
                                          "padding",
                                          "energy_j",
                                          "energy_low_j",
                                          "energy_high_j",
                                          "power_w",
                                          "edp_js",
                                          "dram_read_bytes",
                                          "dram_write_bytes",
                                          "dram_utilization",
                                          "arithmetic_intensity",
                                          "roofline_macs_per_s",
                                          "kept_bytes_saved",
                                          "footprint_bytes",
                                          "gated_wake_j",
                                          "off_wake_j"};

/* "tokens_per_s" -> "tokens per s", "ttft_s" -> "TTFT": words for people, the unit stands beside the value. */
static const char *figure_label(const char *name, char out[48])
{
    static const struct {
        const char *name, *label;
    } known[] = {{"ttft_s", "TTFT"},
                 {"tpot_s", "TPOT"},
                 {"tpot_mean_s", "TPOT, mean"},
                 {"tokens_per_s", "token rate"},
                 {"mfu", "MFU"},
                 {"mbu", "MBU"},
                 {"j_per_token", "energy a token"},
                 {"idle_w", "idle power"},
                 {"idle_low_w", "idle, low"},
                 {"idle_high_w", "idle, high"},
                 {"gated_w", "gated power"},
                 {"gated_wake_s", "gated wake-up"},
                 {"gated_break_even_s", "gated pays at"},
                 {"off_wake_s", "off wake-up"},
                 {"off_break_even_s", "off pays at"},
                 {"off_w", "power off"},
                 {"area_mm2", "die area"},
                 {"tdp_estimate_w", "TDP estimate"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].name, name))
            return known[i].label;
    size_t length = 0;
    for (; length < 47 && name[length]; length++)
        out[length] = name[length] == '_' ? ' ' : name[length];
    out[length] = 0;
    return out;
}

static const char *figure_value(const struct sy_figure_info *figure, double value, uint64_t whole, char out[64])
{
    static const char *const si[] = {"s", "W", "J", "J/token", "token/s"};
    char text[32];
    for (size_t i = 0; i < sizeof si / sizeof si[0]; i++)
        if (!strcmp(si[i], figure->unit)) {
            (void)snprintf(out, 64, "%s", sy_format_si(text, value, figure->unit));
            return out;
        }
    if (!strncmp(figure->unit, "of ", 3))
        (void)snprintf(out, 64, "%s", sy_format_percent(text, value));
    else
        (void)snprintf(out, 64, "%s %s",
                       figure->integer ? sy_format_grouped(text, whole) : sy_format_fixed(text, value, 1),
                       figure->unit);
    return out;
}

/* Figures that only some workloads have (tokens a second ...), from the common table. */
static void put_further_figures(struct table *table)
{
    for (size_t i = 0; i < sy_figure_count; i++) {
        const struct sy_figure_info *figure = &sy_figures[i];
        double value;
        uint64_t whole;
        char label[48], text[64];
        bool above = false;
        for (size_t k = 0; k < sizeof shown_above / sizeof shown_above[0]; k++)
            above = above || !strcmp(shown_above[k], figure->name);
        if (above || !figure->get(table->result, &value, &whole))
            continue;
        sy_grid_cell(&table->grid, figure_label(figure->name, label));
        sy_grid_cell(&table->grid, figure_value(figure, value, whole, text));
        sy_grid_cell(&table->grid, figure->doc);
    }
}

static void put_fused(struct table *table)
{
    const struct sy_result *result = table->result;
    char value[32], text[400];
    if (result->exchanged_bytes)
        total(table, "sums exchanged", sy_format_si(value, (double)result->exchanged_bytes, "B"),
              "partial sums between cores that share K");
    if (result->halo_macs)
        total(table, "MACs again", sy_format_grouped(value, result->halo_macs), "of halo rows of fused groups; no use");
    for (uint32_t i = 0; i < result->fused_groups; i++) {
        const struct sy_fused_group *group = &result->fused[i];
        (void)snprintf(text, sizeof text, "on chip: %.60s to %.60s in %llu strip%s of %llu rows, halo %s, weights %s",
                       group->first, group->last, (unsigned long long)group->strips, group->strips > 1 ? "s" : "",
                       (unsigned long long)group->strip_rows,
                       group->strips == 1            ? "none"
                       : strcmp(group->halo, "keep") ? "recomputed"
                                                     : "kept",
                       group->keeps_weights ? "kept" : "not kept");
        total(table, "fused", sy_format_si(value, (double)group->on_chip_bytes, "B"), text);
    }
}

static void put_totals(struct table *table)
{
    const struct sy_result *result = table->result;
    char value[32], rate[48];
    heading(table, "Totals", NULL);
    begin(table, "|>|");
    (void)snprintf(rate, sizeof rate, "of the core clock");
    total(table, "cycles", sy_format_grouped(value, result->cycles), rate);
    total(table, "time", sy_format_si(value, result->seconds, "s"), "");
    put_utilization(table);
    if (result->work.skipped_macs)
        total(table, "MACs skipped", sy_format_grouped(value, result->work.skipped_macs),
              "by structured sparsity and masks");
    put_throughput(table);
    put_traffic(table);
    put_energy_totals(table);
    if (result->kept_bytes_saved)
        total(table, "kept on chip", sy_format_si(value, (double)result->kept_bytes_saved, "B"),
              "of DRAM traffic saved between layers");
    total(table, "footprint", sy_format_si(value, (double)result->footprint_bytes, "B"),
          "parameters, state, one layer's activations");
    put_fused(table);
    put_further_figures(table);
    end(table);
}

/* ---- units ---- */

/* The largest causes, largest first. */
static void put_causes(struct table *table, const struct sy_unit_stats *unit)
{
    struct sy_buf text = {0};
    bool taken[SY_MAX_STALLS] = {false};
    for (int n = 0; n < CAUSES; n++) {
        uint32_t best = SY_MAX_STALLS;
        for (uint32_t s = 0; s < table->result->stalls; s++)
            if (!taken[s] && unit->stall[s] && (best == SY_MAX_STALLS || unit->stall[s] > unit->stall[best]))
                best = s;
        if (best == SY_MAX_STALLS)
            break;
        taken[best] = true;
        char percent[32];
        sy_buf_printf(&text, "%s%s %s", n ? ", " : "", table->result->stall_name[best],
                      sy_format_percent(percent, ratio((double)unit->stall[best], (double)unit->cycles)));
    }
    sy_grid_cell(&table->grid, text.data ? text.data : "");
    sy_buf_free(&text);
}

static void put_units(struct table *table)
{
    const struct sy_result *result = table->result;
    struct sy_buf idle = {0};
    heading(table, "Units", "shares of the unit's cycles = busy + waits");
    begin(table, "unit~|clock|busy>||waits for$");
    for (uint32_t i = 0; i < result->units; i++) {
        const struct sy_unit_stats *unit = &result->unit[i];
        if (i && !unit->busy && !unit->commands) {
            sy_buf_printf(&idle, "%s%s", idle.length ? ", " : "", unit->name);
            continue;
        }
        sy_grid_cell(&table->grid, unit->name);
        sy_grid_cell(&table->grid, unit->domain);
        cell_percent(table, ratio((double)unit->busy, (double)unit->cycles));
        cell_bar(table, ratio((double)unit->busy, (double)unit->cycles), UNITS_BAR);
        put_causes(table, unit);
    }
    end(table);
    if (idle.length)
        sy_buf_printf(table->out, "  without work: %s\n", idle.data);
    sy_buf_free(&idle);
}

/* ---- memory ---- */

static void put_rows_of_dram(struct table *table, const struct sy_dram_stats *dram)
{
    double all = (double)dram->row_hits + (double)dram->row_misses + (double)dram->row_conflicts;
    if (!dram->has_rows) {
        sy_grid_cell(&table->grid, "");
        return;
    }
    char hits[32], misses[32], conflicts[32];
    sy_grid_cellf(&table->grid, "hits %s, misses %s, conflicts %s",
                  sy_format_percent(hits, ratio((double)dram->row_hits, all)),
                  sy_format_percent(misses, ratio((double)dram->row_misses, all)),
                  sy_format_percent(conflicts, ratio((double)dram->row_conflicts, all)));
}

static void put_memory(struct table *table)
{
    const struct sy_result *result = table->result;
    bool any_rows = false;
    for (uint32_t i = 0; i < result->drams; i++)
        any_rows = any_rows || result->dram[i].has_rows;
    if (!result->drams)
        return;
    heading(table, "Memory", "off chip; busy: share of time with a transfer in progress");
    begin(table, any_rows ? "memory~|channel>|read>|written>|rate>|busy>||rows$"
                          : "memory~|channel>|read>|written>|rate>|busy>|");
    for (uint32_t i = 0; i < result->drams; i++) {
        const struct sy_dram_stats *dram = &result->dram[i];
        double busy = ratio((double)dram->busy_ticks * 1e-15, result->seconds);
        sy_grid_cell(&table->grid, dram->name);
        cell_grouped(table, dram->channel);
        cell_si(table, (double)dram->read_bytes, "B");
        cell_si(table, (double)dram->write_bytes, "B");
        cell_si(table, ratio((double)dram->read_bytes + (double)dram->write_bytes, result->seconds), "B/s");
        cell_percent(table, busy);
        cell_bar(table, busy, UNITS_BAR);
        if (any_rows)
            put_rows_of_dram(table, dram);
    }
    end(table);
}

static void put_crossbar(struct table *table)
{
    static const char *const way[2] = {"to the cores", "from the cores"};
    const struct sy_crossbar_stats *crossbar = &table->result->crossbar;
    if (!crossbar->has)
        return;
    heading(table, "Crossbar", "between the cores and the memories they share or off the chip");
    begin(table, "way~|entered>|left>|rate>|of them copies>");
    for (int i = 0; i < 2; i++) {
        sy_grid_cell(&table->grid, way[i]);
        cell_si(table, (double)crossbar->in_bytes[i], "B");
        cell_si(table, (double)crossbar->out_bytes[i], "B");
        cell_si(table, ratio((double)crossbar->out_bytes[i], table->result->seconds), "B/s");
        cell_si(table, (double)(i ? 0 : crossbar->copied_bytes), "B");
    }
    end(table);
}

/* ---- energy ---- */

/* Rows of one component stand together. */
static void put_components(struct table *table)
{
    const struct sy_result *result = table->result;
    heading(table, "Energy", "by component; low and high by the sources' ranges");
    begin(table, "component~|energy>|share>||low>|high>");
    for (uint32_t i = 0, next; i < result->energies; i = next) {
        double sum = 0, low = 0, high = 0;
        for (next = i; next < result->energies && !strcmp(result->energy[next].component, result->energy[i].component);
             next++) {
            sum += result->energy[next].total_j;
            low += result->energy[next].low_j;
            high += result->energy[next].high_j;
        }
        sy_grid_cell(&table->grid, result->energy[i].component);
        cell_si(table, sum, "J");
        cell_percent(table, ratio(sum, result->energy_j));
        cell_bar(table, ratio(sum, result->energy_j), UNITS_BAR);
        cell_si(table, low, "J");
        cell_si(table, high, "J");
    }
    end(table);
}

static void put_energy_rows(struct table *table)
{
    const struct sy_result *result = table->result;
    heading(table, "Energy, every row",
            "energy = count x pJ; actions in _ns count nanoseconds; low and high are the range of the sources");
    sy_grid_begin(&table->grid, "component|action|count>|pJ each>|low>|high>|energy>|confidence|scaling|source", 0,
                  "  ");
    for (uint32_t i = 0; i < result->energies; i++) {
        const struct sy_energy_item *item = &result->energy[i];
        char pj[32];
        sy_grid_cell(&table->grid, item->component);
        sy_grid_cell(&table->grid, item->action);
        cell_grouped(table, item->count);
        sy_grid_cell(&table->grid, sy_format_fixed(pj, item->pj, 4));
        sy_grid_cell(&table->grid, sy_format_fixed(pj, item->low_pj, 4));
        sy_grid_cell(&table->grid, sy_format_fixed(pj, item->high_pj, 4));
        cell_si(table, item->total_j, "J");
        sy_grid_cell(&table->grid, item->confidence ? item->confidence : "");
        sy_grid_cellf(&table->grid, "%s%s", item->rule ? item->rule : "",
                      item->extrapolated && !strstr(item->rule, "extrapolated") ? ", extrapolated" : "");
        sy_grid_cell(&table->grid, item->source ? item->source : "");
    }
    end(table);
}

/* ---- area ---- */

static void put_area(struct table *table)
{
    const struct sy_area *area = table->result->area;
    heading(table, "Area", "an estimate; low and high are the range of the sources");
    begin(table, "part~|mm2>|share>|low>|high>|confidence|how~");
    for (uint32_t i = 0; i < area->items; i++) {
        const struct sy_area_item *item = &area->item[i];
        char text[32];
        sy_grid_cell(&table->grid, item->component);
        sy_grid_cell(&table->grid, sy_format_fixed(text, item->mm2, 2));
        cell_percent(table, ratio(item->mm2, area->die_mm2));
        sy_grid_cell(&table->grid, sy_format_fixed(text, item->low_mm2, 2));
        sy_grid_cell(&table->grid, sy_format_fixed(text, item->high_mm2, 2));
        sy_grid_cell(&table->grid, item->confidence);
        sy_grid_cellf(&table->grid, "%s%s", item->rule,
                      item->extrapolated && !strstr(item->rule, "extrapolated") ? ", extrapolated" : "");
    }
    end(table);
}

/* ---- layers ---- */

static void put_shape(struct table *table, const struct sy_layer_result *layer)
{
    if (!layer->m)
        sy_grid_cell(&table->grid, "");
    else if (layer->groups > 1)
        sy_grid_cellf(&table->grid, "%llu*%llux%llux%llu", (unsigned long long)layer->groups,
                      (unsigned long long)layer->m, (unsigned long long)layer->k, (unsigned long long)layer->n);
    else
        sy_grid_cellf(&table->grid, "%llux%llux%llu", (unsigned long long)layer->m, (unsigned long long)layer->k,
                      (unsigned long long)layer->n);
}

struct layer_columns {
    bool ops, repeats, bars, energy;
};

static void put_layer(struct table *table, const struct sy_layer_result *layer, const struct layer_columns *columns)
{
    sy_grid_cell(&table->grid, layer->name ? layer->name : "");
    if (columns->ops)
        sy_grid_cell(&table->grid, layer->op ? layer->op : "");
    put_shape(table, layer);
    if (columns->repeats)
        cell_grouped(table, layer->repeat);
    cell_grouped(table, layer->cycles);
    cell_percent(table, ratio((double)layer->cycles, (double)table->result->cycles));
    if (layer->m)
        cell_percent(table, layer->utilization);
    else
        sy_grid_cell(&table->grid, "");
    if (columns->bars && layer->m)
        cell_bar(table, layer->utilization, LAYERS_BAR);
    else if (columns->bars)
        sy_grid_cell(&table->grid, "");
    sy_grid_cell(&table->grid, sy_bound_names[layer->bound]);
    cell_si(table, (double)layer->dram_read_bytes + (double)layer->dram_write_bytes, "B");
    if (columns->energy)
        cell_si(table, layer->energy_j, "J");
}

/* A narrow terminal gets fewer columns, not cut ones. */
static void put_layers(struct table *table)
{
    const struct sy_result *result = table->result;
    struct layer_columns columns = {.ops = table->width >= NARROW,
                                    .bars = table->width >= WIDE,
                                    .energy = table->width >= WIDE && result->energies > 0};
    char heads[128];
    for (uint64_t i = 0; i < result->layers; i++)
        columns.repeats = columns.repeats || result->layer[i].repeat > 1;
    (void)snprintf(heads, sizeof heads, "layer~%s|MxKxN>%s|cycles>|share>|util>%s|bound|DRAM>%s",
                   columns.ops ? "|op" : "", columns.repeats ? "|times>" : "", columns.bars ? "|" : "",
                   columns.energy ? "|energy>" : "");
    heading(table, "Layers", "share: of all cycles; util: of peak MACs in the layer; G*: G products");
    begin(table, heads);
    for (uint64_t i = 0; i < result->layers; i++)
        put_layer(table, &result->layer[i], &columns);
    end(table);
}

static void put_kept(struct table *table)
{
    const struct sy_result *result = table->result;
    uint64_t kept = 0;
    char number[32], saved[32];
    for (uint64_t i = 0; i < result->layers; i++)
        kept += result->layer[i].kept != NULL;
    if (!kept)
        return;
    sy_buf_printf(table->out,
                  "\nThe outputs of %s of these stay on chip for a later layer, which saves %s of DRAM traffic.\n",
                  sy_format_grouped(number, kept), sy_format_si(saved, (double)result->kept_bytes_saved, "B"));
}

static bool same_use(const struct sy_window_use *a, const struct sy_window_use *b)
{
    return a->packed == b->packed && !(a->rows < b->rows) && !(a->rows > b->rows);
}

/* Layers whose window lies on the rows alike share a line. */
static void put_windows(struct table *table)
{
    static const char *const how[] = {[SY_WINDOW_NOT_PACKED] = "window not packed",
                                      [SY_WINDOW_PART_PACKED] = "window packed in part",
                                      [SY_WINDOW_PACKED] = "window packed"};
    const struct sy_result *result = table->result;
    bool any = false;
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_window_use *use = &result->layer[i].window;
        uint64_t same = 0, first = 0;
        char rows[32], number[32];
        while (first < i && !same_use(use, &result->layer[first].window))
            first++;
        if (use->packed == SY_WINDOW_NONE || first < i)
            continue;
        for (uint64_t j = i; j < result->layers; j++)
            same += same_use(use, &result->layer[j].window);
        sy_buf_printf(table->out, "%s  rows: %s of %llu, %s: %s", any ? "" : "\nChannels that do not fill the rows\n",
                      sy_format_double(rows, (double)(uint64_t)(use->rows * 10 + 0.5) / 10),
                      (unsigned long long)use->array_rows, how[use->packed],
                      result->layer[i].name ? result->layer[i].name : "");
        if (same > 1)
            sy_buf_printf(table->out, " and %s more", sy_format_grouped(number, same - 1));
        sy_buf_puts(table->out, "\n");
        any = true;
    }
}

static void put_unmodelled(struct table *table)
{
    const struct sy_result *result = table->result;
    if (!result->unmodelled_kinds)
        return;
    heading(table, "Not modelled", "in no figure above");
    begin(table, "operator~|count>|bytes>");
    for (uint32_t i = 0; i < result->unmodelled_kinds; i++) {
        sy_grid_cell(&table->grid, result->unmodelled[i].op);
        cell_grouped(table, result->unmodelled[i].count);
        cell_grouped(table, result->unmodelled[i].bytes);
    }
    end(table);
}

static enum sy_status write_table(const struct sy_result *result, const struct sy_report_options *options,
                                  struct sy_buf *out)
{
    struct table table = {
        .result = result, .options = options, .out = out, .width = options->width ? options->width : DEFAULT_WIDTH};
    put_head(&table);
    put_totals(&table);
    if (options->details > 0) {
        put_units(&table);
        put_memory(&table);
        put_crossbar(&table);
        if (result->energies)
            put_components(&table);
    }
    if (options->details > 1 && result->energies)
        put_energy_rows(&table);
    if (options->details >= 2 && result->area && result->area->items)
        put_area(&table);
    if (options->details > 0) {
        put_layers(&table);
        put_kept(&table);
        put_windows(&table);
    }
    put_unmodelled(&table);
    if (result->warnings)
        heading(&table, "Warnings", NULL);
    for (uint32_t i = 0; i < result->warnings; i++)
        sy_buf_printf(out, "  %s\n", result->warning[i]);
    return out->failed ? SY_NOMEM : SY_OK;
}

const struct sy_report_format sy_report_format_table = {
    .name = "table", .suffix = ".txt", .doc = "aligned text for people", .write = write_table};
