/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios from counters, and the invariants that every run is checked against. See result.h. */
#include "sim/stats/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "sim/stats/energy.h"

const char *const sy_bound_names[SY_BOUND_COUNT] = {"compute", "memory", "vector", "latency"};

enum { MAX_WARNINGS = 64 };

void sy_result_warn(struct sy_result *result, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (!result->warning)
        result->warning = sy_arena_array(result->arena, MAX_WARNINGS, sizeof *result->warning);
    if (!result->warning || result->warnings == MAX_WARNINGS)
        return;
    for (uint32_t i = 0; i < result->warnings; i++)
        if (!strcmp(result->warning[i], line))
            return;
    result->warning[result->warnings] = sy_arena_strdup(result->arena, line);
    if (result->warning[result->warnings])
        result->warnings++;
}

void sy_result_destroy(struct sy_result *result)
{
    if (result)
        sy_arena_destroy(result->arena);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

const char *const sy_window_packing_names[] = {[SY_WINDOW_NONE] = NULL,
                                               [SY_WINDOW_NOT_PACKED] = "no",
                                               [SY_WINDOW_PART_PACKED] = "part",
                                               [SY_WINDOW_PACKED] = "whole"};

/* MACs a cycle of the whole chip for a pair of formats. */
static double peak_of(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b)
{
    uint64_t num = 0, den = 1;
    return sy_chip_peak_macs(chip, a, b, &num, &den) ? (double)num / (double)den : 0;
}

static bool has_matrix(const struct sy_layer_result *layer)
{
    return layer->work.beats > 0;
}

/*
 * Utilization = useful MACs / (cycles x peak MACs a cycle). With P = PEs x rate:
 *   active x streaming x mapping x padding
 *   = (active cycles / cycles) (beats / active cycles) (mapped PE-beats / PE-beats) (MACs / (mapped PE-beats x rate)).
 * Layers of different precision have different peaks: the whole is weighted by each layer's cycles x peak.
 */
static void factors(struct sy_result *result, const struct sy_chip *chip)
{
    double peak_cycles = 0;
    double default_peak = peak_of(chip, chip->array.precision[0].a, chip->array.precision[0].b);
    for (uint64_t i = 0; i < result->layers; i++) {
        struct sy_layer_result *layer = &result->layer[i];
        double peak = has_matrix(layer) ? peak_of(chip, layer->precision_a, layer->precision_b) : default_peak;
        peak_cycles += peak * (double)layer->cycles;
        layer->utilization = ratio((double)layer->macs, peak * (double)layer->cycles);
        result->peak_macs_per_cycle =
            has_matrix(layer) && peak > result->peak_macs_per_cycle ? peak : result->peak_macs_per_cycle;
    }
    if (result->peak_macs_per_cycle <= 0)
        result->peak_macs_per_cycle = default_peak;
    result->utilization = ratio((double)result->macs, peak_cycles);
    result->active = ratio((double)result->work.active_cycles, (double)result->cycles);
    result->streaming = ratio((double)result->work.beats, (double)result->work.active_cycles);
    result->mapping = ratio((double)result->work.mapped_pe_beats, (double)result->work.pe_beats);
    double rest = result->active * result->streaming * result->mapping;
    result->padding = ratio(result->utilization, rest);
}

static uint64_t sum_stalls(const uint64_t stall[SY_MAX_STALLS])
{
    uint64_t sum = 0;
    for (int i = 0; i < SY_MAX_STALLS; i++)
        sum += stall[i];
    return sum;
}

/* What a layer spends most of its array time on. Causes are looked up by name: stats does not know the engine's list.
 */
static void bound_layers(struct sy_result *result)
{
    static const struct {
        const char *name;
        uint8_t bound;
    } kinds[] = {
        {"load_a", SY_BOUND_MEMORY},      {"load_b", SY_BOUND_MEMORY},        {"load_c", SY_BOUND_MEMORY},
        {"buffer_full", SY_BOUND_MEMORY}, {"accumulator", SY_BOUND_VECTOR},   {"vector", SY_BOUND_VECTOR},
        {"dependency", SY_BOUND_LATENCY}, {"launch", SY_BOUND_LATENCY},       {"preload", SY_BOUND_COMPUTE},
        {"fill_drain", SY_BOUND_COMPUTE}, {"bank_conflict", SY_BOUND_MEMORY}, {"no_work", SY_BOUND_LATENCY},
        {"tlb", SY_BOUND_MEMORY},         {"crossbar", SY_BOUND_MEMORY},
    };
    for (uint64_t i = 0; i < result->layers; i++) {
        struct sy_layer_result *layer = &result->layer[i];
        uint64_t share[SY_BOUND_COUNT] = {layer->busy, 0, 0, 0};
        for (uint32_t s = 0; s < result->stalls; s++)
            for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
                if (!strcmp(result->stall_name[s], kinds[k].name))
                    share[kinds[k].bound] += layer->stall[s];
        for (uint8_t b = 1; b < SY_BOUND_COUNT; b++)
            if (share[b] > share[layer->bound])
                layer->bound = b;
        /* The array idles: the vector unit or memory does the layer's work. */
        if (!has_matrix(layer) && layer->vector.elements && layer->bound != SY_BOUND_MEMORY)
            layer->bound = SY_BOUND_VECTOR;
    }
}

static void memory_totals(struct sy_result *result, const struct sy_chip *chip)
{
    for (uint32_t l = 0; l < chip->levels; l++) {
        if (chip->level[l].kind == SY_LEVEL_SRAM)
            continue;
        result->dram_peak_bytes_per_s += chip->level[l].read_bytes_per_s;
        for (uint64_t i = 0; i < result->layers; i++) {
            result->layer[i].dram_read_bytes += result->layer[i].level_read_bytes[l];
            result->layer[i].dram_write_bytes += result->layer[i].level_write_bytes[l];
        }
    }
    for (uint32_t i = 0; i < result->drams; i++) {
        result->dram_read_bytes += result->dram[i].read_bytes;
        result->dram_write_bytes += result->dram[i].write_bytes;
    }
    double bytes = (double)result->dram_read_bytes + (double)result->dram_write_bytes;
    result->dram_utilization = ratio(bytes, result->seconds * result->dram_peak_bytes_per_s);
    result->arithmetic_intensity = ratio((double)result->macs, bytes);
    double hz = (double)result->core_hz.num / (double)result->core_hz.den;
    double peak = result->peak_macs_per_cycle * hz,
           slope = result->arithmetic_intensity * result->dram_peak_bytes_per_s;
    result->roofline_macs_per_s = bytes > 0 && slope < peak ? slope : peak;
}

enum sy_status sy_result_finish(struct sy_result *result, const struct sy_chip *chip,
                                const struct sy_energy_table *table, struct sy_diag *diag)
{
    (void)diag;
    result->seconds = (double)result->cycles * (double)result->core_hz.den / (double)result->core_hz.num;
    factors(result, chip);
    memory_totals(result, chip);
    bound_layers(result);
    if (!table)
        return SY_OK;
    enum sy_status status = sy_energy_account(result, chip, table);
    if (status != SY_OK)
        return status;
    result->power_w = ratio(result->energy_j, result->seconds);
    result->edp_js = result->energy_j * result->seconds;
    return SY_OK;
}

/* ---- invariants ---- */

static enum sy_status broken(struct sy_diag *diag, const char *what, const char *who, uint64_t is, uint64_t should)
{
    sy_error(diag, SY_NOWHERE, "this is a defect of the simulator: please report it with the chip and the trace",
             "internal check failed: %s of %s: %llu, expected %llu", what, who, (unsigned long long)is,
             (unsigned long long)should);
    return SY_INTERNAL;
}

static enum sy_status check_units(const struct sy_result *result, struct sy_diag *diag)
{
    for (uint32_t i = 0; i < result->units; i++) {
        const struct sy_unit_stats *unit = &result->unit[i];
        uint64_t sum = unit->busy + sum_stalls(unit->stall);
        if (sum != unit->cycles)
            return broken(diag, "busy + stalls", unit->name, sum, unit->cycles);
    }
    return SY_OK;
}

static enum sy_status check_layers(const struct sy_result *result, struct sy_diag *diag)
{
    uint64_t cycles = 0, macs = 0, busy = 0;
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_layer_result *layer = &result->layer[i];
        uint64_t own = layer->busy + sum_stalls(layer->stall);
        if (own != layer->cycles)
            return broken(diag, "array busy + stalls", layer->name, own, layer->cycles);
        cycles += layer->cycles;
        macs += layer->macs;
        busy += layer->busy;
    }
    if (cycles != result->cycles)
        return broken(diag, "cycles", "the layers together", cycles, result->cycles);
    if (macs != result->macs)
        return broken(diag, "MACs", "the layers together", macs, result->macs);
    if (result->units && busy != result->unit[0].busy)
        return broken(diag, "array busy cycles", "the layers together", busy, result->unit[0].busy);
    return SY_OK;
}

/* The scheduler's bookkeeping against what the executor moved. */
static enum sy_status check_bytes(const struct sy_result *result, struct sy_diag *diag)
{
    for (uint32_t i = 0; i < result->links; i++) {
        const struct sy_link_stats *link = &result->link[i];
        if (link->fill_bytes + link->copied_bytes != link->filled_bytes)
            return broken(diag, "bytes filled", link->name, link->filled_bytes, link->fill_bytes + link->copied_bytes);
        if (link->drain_bytes != link->drained_bytes)
            return broken(diag, "bytes drained", link->name, link->drained_bytes, link->drain_bytes);
        if (result->has_bookkeeping && link->operand != SY_C &&
            link->filled_bytes != result->level[link->child].filled_bytes[link->operand])
            return broken(diag, "bytes filled by schedule", link->name,
                          result->level[link->child].filled_bytes[link->operand], link->filled_bytes);
    }
    for (uint32_t l = 0; result->has_bookkeeping && l < result->levels; l++) {
        const struct sy_level_stats *level = &result->level[l];
        for (int operand = 0; operand < SY_OPERANDS; operand++) {
            uint64_t kept = level->released_bytes[operand] + level->resident_bytes[operand];
            if (kept != level->filled_bytes[operand])
                return broken(diag, "bytes released + resident", level->name, kept, level->filled_bytes[operand]);
        }
    }
    return SY_OK;
}

/* What enters leaves, as often as it is delivered; and of all layers together. */
static enum sy_status check_crossbar(const struct sy_result *result, struct sy_diag *diag)
{
    const struct sy_crossbar_stats *x = &result->crossbar;
    const uint64_t side[2] = {x->in_bytes[0] + x->out_bytes[1], x->out_bytes[0] + x->in_bytes[1]};
    uint64_t sum[2] = {0, 0};
    for (uint64_t i = 0; i < result->layers; i++)
        for (int s = 0; s < 2; s++)
            sum[s] += result->layer[i].crossed[s];
    if (x->in_bytes[0] + x->copied_bytes != x->out_bytes[0])
        return broken(diag, "bytes that left", "the crossbar to the cores", x->out_bytes[0],
                      x->in_bytes[0] + x->copied_bytes);
    if (x->in_bytes[1] != x->out_bytes[1])
        return broken(diag, "bytes that left", "the crossbar from the cores", x->out_bytes[1], x->in_bytes[1]);
    if (sum[0] != side[0])
        return broken(diag, "bytes at the crossbar's shared side", "the layers together", sum[0], side[0]);
    if (sum[1] != side[1])
        return broken(diag, "bytes at the cores' ports", "the layers together", sum[1], side[1]);
    return SY_OK;
}

static enum sy_status check_energy(const struct sy_result *result, struct sy_diag *diag)
{
    double sum = 0;
    for (uint32_t i = 0; i < result->energies; i++)
        sum += result->energy[i].total_j;
    double difference = sum - result->energy_j, bound = 1e-9 * (sum > 0 ? sum : 1);
    if (difference > bound || -difference > bound)
        return broken(diag, "energy in pJ", "the rows together", (uint64_t)(sum * 1e12),
                      (uint64_t)(result->energy_j * 1e12));
    return SY_OK;
}

enum sy_status sy_result_check(const struct sy_result *result, struct sy_diag *diag)
{
    enum sy_status status = check_units(result, diag);
    if (status == SY_OK)
        status = check_layers(result, diag);
    if (status == SY_OK && result->expected_macs && result->macs + result->work.skipped_macs != result->expected_macs)
        status = broken(diag, "MACs executed + skipped", result->workload, result->macs + result->work.skipped_macs,
                        result->expected_macs);
    if (status == SY_OK)
        status = check_bytes(result, diag);
    if (status == SY_OK)
        status = check_crossbar(result, diag);
    if (status == SY_OK)
        status = check_energy(result, diag);
    if (status == SY_OK && (result->utilization < 0 || result->utilization > 1 + 1e-12))
        status =
            broken(diag, "utilization in millionths", result->workload, (uint64_t)(result->utilization * 1e6), 1000000);
    return status;
}
