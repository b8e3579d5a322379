/* SPDX-License-Identifier: Apache-2.0 */
/* JSON by the schema systole.result/1 (docs/formats.md). A figure that does not apply is absent. */
#include "sim/base/json.h"

#include "sim/report/report_format.h"
#include "sim/stats/area.h"

static void put_list(struct sy_json_writer *json, const char *key, const char *const *list)
{
    if (!list)
        return;
    sy_json_open_array(json, key);
    for (; *list; list++)
        sy_json_put_string(json, NULL, *list);
    sy_json_close_array(json);
}

/* What the caller asked for beyond the defaults, enough to repeat the run. */
static void put_request(struct sy_json_writer *json, const struct sy_result_request *request)
{
    const struct {
        const char *key, *value;
    } texts[] = {{"format", request->format},
                 {"activation", request->activation},
                 {"weight", request->weight},
                 {"accumulator", request->accumulator},
                 {"phase", request->phase},
                 {"kind", request->kind},
                 {"kv", request->kv},
                 {"routing", request->routing},
                 {"contexts", request->contexts}};
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"batch", request->batch},
                   {"context", request->context},
                   {"new_tokens", request->new_tokens},
                   {"kv_page", request->kv_page},

                   {"tensor_parallel", request->tensor_parallel}};
    if (!request->chip || !request->workload)
        return;
    sy_json_open_object(json, "request");
    sy_json_put_string(json, "chip", request->chip);
    put_list(json, "set", request->set);
    sy_json_put_string(json, "workload", request->workload);
    sy_json_open_object(json, "import");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].value)
            sy_json_put_string(json, texts[i].key, texts[i].value);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value)
            sy_json_put_u64(json, numbers[i].key, numbers[i].value);
    put_list(json, "dims", request->dims);
    put_list(json, "fuse", request->fuse);
    if (request->allow_unmodelled)
        sy_json_put_bool(json, "allow_unmodelled", true);
    sy_json_close_object(json);
    if (request->energy_table)
        sy_json_put_string(json, "energy_table", request->energy_table);
    if (request->seed)
        sy_json_put_u64(json, "seed", request->seed);
    sy_json_close_object(json);
}

static void put_head(struct sy_json_writer *json, const struct sy_result *result,
                     const struct sy_report_options *options)
{
    sy_json_put_string(json, "schema", "systole.result/1");
    sy_json_open_object(json, "tool");
    sy_json_put_string(json, "version", options->version);
    sy_json_put_string(json, "model_revision", options->model_revision);
    sy_json_close_object(json);
    sy_json_open_array(json, "inputs");
    for (uint32_t i = 0; i < result->inputs; i++) {
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "role", result->input[i].role);
        sy_json_put_string(json, "path", result->input[i].path);
        sy_json_put_string(json, "sha256", result->input[i].sha256);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_put_string(json, "chip", result->chip);
    sy_json_put_string(json, "workload", result->workload);
    sy_json_put_string(json, "fidelity", result->fidelity);
    sy_json_put_string(json, "memory", result->memory);
    sy_json_put_string(json, "objective", result->objective);
    put_request(json, &result->request);
}

static void put_totals(struct sy_json_writer *json, const struct sy_result *result)
{
    sy_json_open_object(json, "totals");
    for (size_t i = 0; i < sy_figure_count; i++) {
        double value;
        uint64_t whole;
        if (!sy_figures[i].get(result, &value, &whole))
            continue;
        if (sy_figures[i].integer)
            sy_json_put_u64(json, sy_figures[i].name, whole);
        else
            sy_json_put_double(json, sy_figures[i].name, value);
    }
    sy_json_close_object(json);
}

static void put_stalls(struct sy_json_writer *json, const struct sy_result *result, const uint64_t stall[SY_MAX_STALLS])
{
    sy_json_open_object(json, "stalls");
    for (uint32_t i = 0; i < result->stalls; i++)
        if (stall[i])
            sy_json_put_u64(json, result->stall_name[i], stall[i]);
    sy_json_close_object(json);
}

static void put_units(struct sy_json_writer *json, const struct sy_result *result)
{
    sy_json_open_object(json, "units");
    for (uint32_t i = 0; i < result->units; i++) {
        sy_json_open_object(json, result->unit[i].name);
        sy_json_put_string(json, "domain", result->unit[i].domain);
        sy_json_put_u64(json, "cycles", result->unit[i].cycles);
        sy_json_put_u64(json, "busy", result->unit[i].busy);
        put_stalls(json, result, result->unit[i].stall);
        if (result->unit[i].has_tlb)
            sy_json_put_u64(json, "tlb_misses", result->unit[i].tlb_misses);
        sy_json_close_object(json);
    }
    sy_json_close_object(json);
    if (result->units)
        put_stalls(json, result, result->unit[0].stall);
}

static void put_power(struct sy_json_writer *json, const struct sy_result *result)
{
    if (!result->power_intervals)
        return;
    sy_json_open_array(json, "power");
    for (uint32_t i = 0; i < result->power_intervals; i++) {
        const struct sy_power_interval *interval = &result->power_interval[i];
        sy_json_open_object(json, NULL);
        sy_json_put_double(json, "start_s", interval->start_s);
        sy_json_put_double(json, "seconds", interval->seconds);
        sy_json_put_double(json, "power_w", interval->power_w);
        if (result->has_thermal) {
            sy_json_put_double(json, "temperature_c", interval->temperature_c);
            sy_json_put_double(json, "slowdown", interval->slowdown);
        }
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_crossbar(struct sy_json_writer *json, const struct sy_crossbar_stats *crossbar)
{
    static const char *const way[2] = {"to_cores", "from_cores"};
    if (!crossbar->has)
        return;
    sy_json_open_object(json, "crossbar");
    for (int i = 0; i < 2; i++) {
        sy_json_open_object(json, way[i]);
        sy_json_put_u64(json, "in_bytes", crossbar->in_bytes[i]);
        sy_json_put_u64(json, "out_bytes", crossbar->out_bytes[i]);
        sy_json_put_u64(json, "copied_bytes", i ? 0 : crossbar->copied_bytes);
        sy_json_close_object(json);
    }
    sy_json_close_object(json);
}

static void put_memory(struct sy_json_writer *json, const struct sy_result *result)
{
    sy_json_open_array(json, "dram");
    for (uint32_t i = 0; i < result->drams; i++) {
        const struct sy_dram_stats *dram = &result->dram[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "name", dram->name);
        sy_json_put_u64(json, "channel", dram->channel);
        sy_json_put_u64(json, "read_bytes", dram->read_bytes);
        sy_json_put_u64(json, "write_bytes", dram->write_bytes);
        if (dram->walk_bytes)
            sy_json_put_u64(json, "walk_bytes", dram->walk_bytes);
        if (result->seconds > 0)
            sy_json_put_double(json, "utilization", (double)dram->busy_ticks * 1e-15 / result->seconds);
        if (dram->has_rows) {
            sy_json_put_u64(json, "row_hits", dram->row_hits);
            sy_json_put_u64(json, "row_misses", dram->row_misses);
            sy_json_put_u64(json, "row_conflicts", dram->row_conflicts);
            sy_json_put_u64(json, "activates", dram->activates);
            sy_json_put_u64(json, "precharges", dram->precharges);
            sy_json_put_u64(json, "refreshes", dram->refreshes);
            sy_json_put_u64(json, "active_ns", dram->active_ns);
            sy_json_put_u64(json, "standby_ns", dram->standby_ns);
            sy_json_put_u64(json, "power_down_ns", dram->power_down_ns);
            if (dram->clocks)
                sy_json_put_u64(json, "clocks", dram->clocks);
        }
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_open_array(json, "links");
    for (uint32_t i = 0; i < result->links; i++) {
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "name", result->link[i].name);
        sy_json_put_u64(json, "fill_bytes", result->link[i].fill_bytes);
        sy_json_put_u64(json, "drain_bytes", result->link[i].drain_bytes);
        if (result->link[i].copied_bytes)
            sy_json_put_u64(json, "copied_bytes", result->link[i].copied_bytes);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    put_crossbar(json, &result->crossbar);
    sy_json_open_array(json, "levels");
    for (uint32_t i = 0; i < result->levels; i++) {
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "name", result->level[i].name);
        sy_json_put_u64(json, "read_bytes", result->level[i].read_bytes);
        sy_json_put_u64(json, "write_bytes", result->level[i].write_bytes);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_energy(struct sy_json_writer *json, const struct sy_result *result)
{
    sy_json_open_array(json, "energy");
    for (uint32_t i = 0; i < result->energies; i++) {
        const struct sy_energy_item *item = &result->energy[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "component", item->component);
        sy_json_put_string(json, "action", item->action);
        sy_json_put_u64(json, "count", item->count);
        sy_json_put_double(json, "pj", item->pj);
        sy_json_put_double(json, "low_pj", item->low_pj);
        sy_json_put_double(json, "high_pj", item->high_pj);
        sy_json_put_double(json, "total_j", item->total_j);
        sy_json_put_double(json, "low_j", item->low_j);
        sy_json_put_double(json, "high_j", item->high_j);
        sy_json_put_string(json, "source", item->source);
        sy_json_put_string(json, "confidence", item->confidence);
        sy_json_put_string(json, "rule", item->rule);
        if (item->extrapolated)
            sy_json_put_bool(json, "extrapolated", true);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static void put_area(struct sy_json_writer *json, const struct sy_area *area)
{
    sy_json_open_object(json, "area");
    sy_json_put_double(json, "die_mm2", area->die_mm2);
    sy_json_put_double(json, "low_mm2", area->low_mm2);
    sy_json_put_double(json, "high_mm2", area->high_mm2);
    sy_json_put_double(json, "reticle_mm2", area->reticle_mm2);
    sy_json_put_double(json, "edge_mm", area->edge_mm);
    sy_json_put_double(json, "edge_needed_mm", area->edge_needed_mm);
    sy_json_put_double(json, "power_limit_w", area->power_limit_w);
    if (area->power_limited_hz > 0)
        sy_json_put_double(json, "power_limited_hz", area->power_limited_hz);
    sy_json_open_array(json, "parts");
    for (uint32_t i = 0; i < area->items; i++) {
        const struct sy_area_item *item = &area->item[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "component", item->component);
        sy_json_put_double(json, "count", item->count);
        sy_json_put_double(json, "mm2", item->mm2);
        sy_json_put_double(json, "low_mm2", item->low_mm2);
        sy_json_put_double(json, "high_mm2", item->high_mm2);
        sy_json_put_string(json, "source", item->source);
        sy_json_put_string(json, "confidence", item->confidence);
        sy_json_put_string(json, "rule", item->rule);
        if (item->extrapolated)
            sy_json_put_bool(json, "extrapolated", true);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_close_object(json);
}

static void put_layer(struct sy_json_writer *json, const struct sy_result *result, const struct sy_layer_result *layer)
{
    static const char *const tile_key[3] = {"m", "k", "n"};
    sy_json_open_object(json, NULL);
    sy_json_put_string(json, "name", layer->name);
    sy_json_put_string(json, "op", layer->op);
    if (layer->m) {
        sy_json_put_u64(json, "m", layer->m);
        sy_json_put_u64(json, "k", layer->k);
        sy_json_put_u64(json, "n", layer->n);
        if (layer->groups > 1)
            sy_json_put_u64(json, "groups", layer->groups);
    }
    sy_json_put_u64(json, "repeat", layer->repeat);
    sy_json_put_u64(json, "cycles", layer->cycles);
    sy_json_put_u64(json, "macs", layer->macs);
    if (layer->halo_macs)
        sy_json_put_u64(json, "halo_macs", layer->halo_macs);
    if (layer->split)
        sy_json_put_string(json, "split", layer->split);
    if (layer->m)
        sy_json_put_double(json, "utilization", layer->utilization);
    sy_json_put_string(json, "bound", sy_bound_names[layer->bound]);
    sy_json_put_u64(json, "busy", layer->busy);
    put_stalls(json, result, layer->stall);
    if (result->energies)
        sy_json_put_double(json, "energy_j", layer->energy_j);
    sy_json_put_u64(json, "dram_read_bytes", layer->dram_read_bytes);
    sy_json_put_u64(json, "dram_write_bytes", layer->dram_write_bytes);
    if (layer->tile[0]) {
        sy_json_open_object(json, "tile");
        for (int i = 0; i < 3; i++)
            sy_json_put_u64(json, tile_key[i], layer->tile[i]);
        sy_json_put_string(json, "dataflow", layer->dataflow);
        sy_json_put_string(json, "order", layer->order);
        sy_json_close_object(json);
    }
    if (layer->window.packed != SY_WINDOW_NONE) {
        sy_json_open_object(json, "window");
        sy_json_put_string(json, "packed", sy_window_packing_names[layer->window.packed]);
        sy_json_put_u64(json, "segment", layer->window.segment);
        sy_json_put_double(json, "rows", layer->window.rows);
        sy_json_put_u64(json, "array_rows", layer->window.array_rows);
        sy_json_close_object(json);
    }
    if (layer->kept)
        sy_json_put_string(json, "kept", layer->kept);
    sy_json_close_object(json);
}

static void put_fused(struct sy_json_writer *json, const struct sy_result *result)
{
    if (!result->fused_groups)
        return;
    sy_json_open_array(json, "fused");
    for (uint32_t i = 0; i < result->fused_groups; i++) {
        const struct sy_fused_group *group = &result->fused[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "first", group->first);
        sy_json_put_string(json, "last", group->last);
        sy_json_put_u64(json, "layers", group->layers);
        sy_json_put_u64(json, "strip_rows", group->strip_rows);
        sy_json_put_u64(json, "strips", group->strips);
        sy_json_put_u64(json, "repeat", group->repeat);
        sy_json_put_string(json, "halo", group->halo);
        sy_json_put_u64(json, "on_chip_bytes", group->on_chip_bytes);
        sy_json_put_u64(json, "halo_bytes", group->halo_bytes);
        sy_json_put_bool(json, "keeps_weights", group->keeps_weights);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
}

static enum sy_status write_json(const struct sy_result *result, const struct sy_report_options *options,
                                 struct sy_buf *out)
{
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    put_head(&json, result, options);
    put_totals(&json, result);
    put_units(&json, result);
    put_power(&json, result);
    put_fused(&json, result);
    put_memory(&json, result);
    put_energy(&json, result);
    if (result->area)
        put_area(&json, result->area);
    sy_json_open_array(&json, "layers");
    for (uint64_t i = 0; i < result->layers && options->details > 0; i++)
        put_layer(&json, result, &result->layer[i]);
    sy_json_close_array(&json);
    if (result->unmodelled_kinds) {
        sy_json_open_array(&json, "unmodelled");
        for (uint32_t i = 0; i < result->unmodelled_kinds; i++) {
            sy_json_open_object(&json, NULL);
            sy_json_put_string(&json, "op", result->unmodelled[i].op);
            sy_json_put_u64(&json, "count", result->unmodelled[i].count);
            sy_json_put_u64(&json, "bytes", result->unmodelled[i].bytes);
            sy_json_close_object(&json);
        }
        sy_json_close_array(&json);
    }
    sy_json_open_array(&json, "warnings");
    for (uint32_t i = 0; i < result->warnings; i++)
        sy_json_put_string(&json, NULL, result->warning[i]);
    sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
    return out->failed ? SY_NOMEM : SY_OK;
}

const struct sy_report_format sy_report_format_json = {
    .name = "json", .suffix = ".json", .doc = "everything, by the schema systole.result/1", .write = write_json};
