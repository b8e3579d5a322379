/* SPDX-License-Identifier: Apache-2.0 */
/* Area by parts. See area.h. */
#include "sim/stats/area.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/stats/area_estimate.h"
#include "sim/stats/energy_price.h"

/* Words of the accumulator's format a lane holds in its pipeline: two operands, a product, a result. An assumption. */
static const double VECTOR_REGISTERS = 4;
bool sy_area_look(const struct sy_figure_table *table, const char *item, double node_nm, struct sy_sourced *out)
{
    *out = (struct sy_sourced){.value = 0};
    return sy_figure_lookup(table, item, node_nm, out) == SY_OK;
}

/* An area of logic at the chip's node: from its own row there, else by the ratio of transistor densities. */
bool sy_area_look_logic(const struct sy_figure_table *table, const char *item, double node_nm, struct sy_sourced *out)
{
    struct sy_sourced from, to;
    if (!sy_area_look(table, item, node_nm, out))
        return false;
    double own = out->row->node_nm;
    if (own <= 0 || !out->extrapolated)
        return true;
    if (!sy_area_look(table, "density_mtr_mm2", own, &from) || !sy_area_look(table, "density_mtr_mm2", node_nm, &to) ||
        to.value <= 0)
        return true;
    out->value *= from.value / to.value;
    out->low *= from.value / to.value;
    out->high *= from.value / to.value;
    out->rule = "x ratio of logic densities";
    out->extrapolated = to.extrapolated;
    return true;
}

void sy_area_add(struct sy_sourced *sum, const struct sy_sourced *part, double times)
{
    sum->value += part->value * times;
    sum->low += part->low * times;
    sum->high += part->high * times;
}

void sy_area_divide(struct sy_sourced *area, const struct sy_sourced *by)
{
    area->value /= by->value > 0 ? by->value : 1;
    area->low /= by->high > 0 ? by->high : 1;
    area->high /= by->low > 0 ? by->low : 1;
}

/* Register bits of a PE: what travels with the operands (valid, which tile), one A and, where a tile is loaded beside
 * the stream, two B and one sum a MAC it does a cycle.
 */
static double pe_bits(const struct sy_chip *chip, const struct sy_figure_table *table)
{
    struct sy_sourced control;
    double bits = 0;
    for (uint32_t i = 0; i < chip->array.precisions; i++) {
        const struct sy_precision *precision = &chip->array.precision[i];
        double rate = (double)precision->macs_num / (double)precision->macs_den, units = rate > 1 ? rate : 1;
        double own = units * (sy_dtypes[precision->a].bits + 2 * sy_dtypes[precision->b].bits) +
                     sy_dtypes[precision->accumulator].bits;
        bits = rate >= 1 && own > bits ? own : bits;
    }
    return bits + (sy_area_look(table, "pe_control_bits", 0, &control) ? control.value : 0);
}

/* Row r waits r cycles and column c is c cycles late: a triangle of registers at the edge where operands enter skewed
 * and at the one where results leave (Gemmini's MeshWithDelays has both; a design may skew by its buffers' addresses).
 */
static double skew_bits(const struct sy_array *array)
{
    double most = 0, rows = (double)array->rows, cols = (double)array->cols;
    if (!array->precisions || array->timing.row_stationary)
        return 0;
    const struct sy_precision *precision = &array->precision[0];
    double left = rows * (rows - 1) / 2 * sy_dtypes[precision->a].bits;
    for (uint32_t i = 0; i < array->dataflows; i++) {
        double bits = array->dataflow[i].stationary == SY_C ? sy_dtypes[precision->b].bits
                                                            : sy_dtypes[precision->accumulator].bits;
        double both = left + cols * (cols - 1) / 2 * bits;
        most = both > most ? both : most;
    }
    return most;
}

enum sy_status sy_area_flop_um2(const struct sy_chip *chip, const struct sy_figure_table *table, struct sy_sourced *um2)
{
    return sy_area_look_logic(table, "register_bit_um2", (double)chip->process_nm, um2) && um2->value > 0
               ? SY_OK
               : SY_UNSUPPORTED;
}

struct sy_registers sy_area_registers(const struct sy_chip *chip, const struct sy_figure_table *table)
{
    const struct sy_array *array = &chip->array;
    double arrays = (double)array->count * (double)chip->cores;
    double word = array->precisions ? sy_dtypes[array->precision[0].accumulator].bits : 32;
    return (struct sy_registers){pe_bits(chip, table) * (double)array->rows * (double)array->cols * arrays,
                                 skew_bits(array) * arrays,
                                 (double)chip->vector.lanes * (double)chip->cores * word * VECTOR_REGISTERS};
}

enum sy_status sy_area_pe_um2(const struct sy_chip *chip, const struct sy_figure_table *table, struct sy_sourced *pe)
{
    struct sy_sourced mac = {0}, bit, utilization;
    double node_nm = (double)chip->process_nm;
    for (uint32_t i = 0; i < chip->array.precisions; i++) {
        const struct sy_precision *precision = &chip->array.precision[i];
        char item[64];
        struct sy_sourced one;
        (void)snprintf(item, sizeof item, "mac_%s_um2", sy_mac_action(precision->a, precision->b));
        if (!sy_area_look_logic(table, item, node_nm, &one))
            return SY_UNSUPPORTED;
        /* More than one MAC a cycle is as many units; less than one is one that takes its time. */
        double rate = (double)precision->macs_num / (double)precision->macs_den, units = rate > 1 ? rate : 1;
        /* A format at less than the native rate runs on the units of the native one. */
        if (rate >= 1 && one.value * units > mac.value) {
            mac = one;
            sy_area_add(&mac, &one, units - 1);
        }
    }
    if (mac.value <= 0 || !sy_area_look_logic(table, "register_bit_um2", node_nm, &bit) ||
        !sy_area_look(table, "layout_utilization", 0, &utilization))
        return SY_UNSUPPORTED;
    *pe = mac;
    sy_area_add(pe, &bit, pe_bits(chip, table));
    sy_area_divide(pe, &utilization);
    return SY_OK;
}

/* The user's area in place of a part's. */
static void replace(const struct sy_area_estimating *e, struct sy_area_item *item)
{
    for (uint32_t i = 0; e->setup && i < e->setup->area_overrides; i++) {
        const struct sy_area_override *own = &e->setup->area_override[i];
        if (strcmp(own->component, item->component) != 0)
            continue;
        item->mm2 = item->low_mm2 = item->high_mm2 = own->mm2;
        item->source = sy_arena_strdup(e->arena, own->source);
        item->confidence = "given by the user";
        item->rule = "replaced";
        item->extrapolated = false;
        return;
    }
}

void sy_area_put(struct sy_area_estimating *e, enum sy_area_kind kind, const char *component, double count,
                 const struct sy_sourced *mm2_each, const char *rule)
{
    struct sy_area *area = e->area;
    if (area->items == SY_MAX_AREAS || count <= 0)
        return;
    const char *source = mm2_each->row ? mm2_each->row->source : "";
    const char *confidence = mm2_each->row ? mm2_each->row->confidence : "";
    area->item[area->items++] = (struct sy_area_item){sy_arena_strdup(e->arena, component),
                                                      count,
                                                      count * mm2_each->value,
                                                      count * mm2_each->low,
                                                      count * mm2_each->high,
                                                      sy_arena_strdup(e->arena, source),
                                                      sy_arena_strdup(e->arena, confidence),
                                                      rule ? rule : mm2_each->rule,
                                                      mm2_each->extrapolated,
                                                      kind};
    replace(e, &area->item[area->items - 1]);
}

/* um^2 to mm^2 */
static void scale_to_mm2(struct sy_sourced *area)
{
    area->value *= 1e-6;
    area->low *= 1e-6;
    area->high *= 1e-6;
}

/* Memories inside a PE: those of few words of registers, else as the SRAM model has them. */
static void put_spads(struct sy_area_estimating *e, const struct sy_energy_table *energy)
{
    const struct sy_array *array = &e->chip->array;
    const struct sy_energy_setup *setup = energy->setup;
    struct sy_sourced bit, words, total = {0};
    if (!array->timing.row_stationary || !setup || !sy_area_look_logic(e->table, "spad_bit_um2", e->node_nm, &bit) ||
        !sy_area_look(e->table, "spad_sram_words", 0, &words))
        return;
    total = bit;
    total.value = total.low = total.high = 0;
    for (int i = 0; i < SY_SPADS; i++) {
        const struct sy_spad *spad = &setup->spad[i];
        double um2 = spad->sram_um2;
        if ((double)spad->words < words.value || um2 <= 0)
            sy_area_add(&total, &bit, (double)spad->words * (double)spad->bits);
        else {
            struct sy_sourced memory = {um2, um2 * 0.85, um2 * 1.5, NULL, NULL, false};
            sy_area_add(&total, &memory, 1);
        }
    }
    scale_to_mm2(&total);
    sy_area_put(e, SY_AREA_MEMORY, "PE scratchpads",
                (double)array->rows * (double)array->cols * (double)array->count * (double)e->chip->cores, &total,
                "registers, or the SRAM model from 64 words on");
}

static void put_logic(struct sy_area_estimating *e)
{
    struct sy_sourced pe, utilization;
    const struct sy_array *array = &e->chip->array;
    double cores = (double)e->chip->cores;
    if (sy_area_pe_um2(e->chip, e->table, &pe) == SY_OK) {
        struct sy_sourced mm2 = pe;
        scale_to_mm2(&mm2);
        sy_area_put(e, SY_AREA_LOGIC, "processing elements",
                    (double)array->rows * (double)array->cols * (double)array->count * cores, &mm2,
                    "MAC + registers, / layout utilization");
    }
    struct sy_registers registers = sy_area_registers(e->chip, e->table);
    struct sy_sourced bit;
    if (registers.skew > 0 && sy_area_look_logic(e->table, "register_bit_um2", e->node_nm, &bit) &&
        sy_area_look(e->table, "layout_utilization", 0, &utilization)) {
        sy_area_divide(&bit, &utilization);
        bit.low = 0; /* skewed by addresses instead */
        scale_to_mm2(&bit);
        sy_area_put(e, SY_AREA_LOGIC, "skew registers", registers.skew, &bit,
                    "triangles at the edges, / layout utilization");
    }
}

/* Bits kept in memories of the SRAM model's kind, by bit cell and array efficiency. */
static bool memory_bit(const struct sy_area_estimating *e, struct sy_sourced *um2)
{
    struct sy_sourced efficiency;
    if (!sy_area_look(e->table, "bitcell_um2", e->node_nm, um2) ||
        !sy_area_look(e->table, "sram_efficiency", 0, &efficiency))
        return false;
    sy_area_divide(um2, &efficiency);
    return true;
}

static enum sy_dtype lane_format(const struct sy_chip *chip)
{
    return chip->array.precisions ? chip->array.precision[0].accumulator : SY_INT32;
}

/* Logic of one lane, um^2: an ALU of the accumulator's format, shift and select, the words in its pipeline and, where a
 * reduction takes no longer than a tree of adders, an adder of the tree. */
static bool lane_logic(const struct sy_area_estimating *e, struct sy_sourced *lane)
{
    const struct sy_vector_unit *vector = &e->chip->vector;
    bool is_float = sy_dtypes[lane_format(e->chip)].is_float;
    double word = sy_dtypes[lane_format(e->chip)].bits, depth = ceil(log2((double)sy_max(vector->lanes, 2)));
    struct sy_sourced select, bit, adder;
    if (!sy_area_look_logic(e->table, is_float ? "lane_float_um2" : "lane_integer_um2", e->node_nm, lane) ||
        !sy_area_look_logic(e->table, "lane_select_bit_um2", e->node_nm, &select) ||
        !sy_area_look_logic(e->table, "register_bit_um2", e->node_nm, &bit) ||
        !sy_area_look_logic(e->table, is_float ? "add_fp32_um2" : "add_int32_um2", e->node_nm, &adder))
        return false;
    sy_area_add(lane, &select, word);
    sy_area_add(lane, &bit, word * VECTOR_REGISTERS);
    if ((double)vector->reduce_cycles <= 2 * depth)
        sy_area_add(lane, &adder, 1);
    return true;
}

/* Transcendental functions of one lane, um^2: tables of straight pieces and what computes them. A lane that takes n
 * cycles for one shares them with n - 1 others. */
static bool lane_functions(const struct sy_area_estimating *e, struct sy_sourced *functions)
{
    bool is_float = sy_dtypes[lane_format(e->chip)].is_float;
    double shared = (double)sy_max(e->chip->vector.transcendental_cycles, 1);
    struct sy_sourced bit, bits;
    if (!sy_area_look_logic(e->table, is_float ? "mac_bf16_um2" : "mac_int16_um2", e->node_nm, functions) ||
        !sy_area_look_logic(e->table, "spad_bit_um2", e->node_nm, &bit) ||
        !sy_area_look(e->table, "lane_table_bits", 0, &bits))
        return false;
    functions->value = (functions->value + bit.value * bits.value) / shared;
    functions->low = (functions->low + bit.low * bits.low) / shared;
    functions->high = (functions->high + bit.high * bits.high) / shared;
    return true;
}

static void put_vector(struct sy_area_estimating *e)
{
    struct sy_sourced part, utilization, words;
    double lanes = (double)e->chip->vector.lanes * (double)e->chip->cores, word = sy_dtypes[lane_format(e->chip)].bits;
    if (!sy_area_look(e->table, "layout_utilization", 0, &utilization))
        return;
    if (lane_logic(e, &part)) {
        sy_area_divide(&part, &utilization);
        scale_to_mm2(&part);
        sy_area_put(e, SY_AREA_LANES, "vector lanes", lanes, &part,
                    "ALU, shift and select, registers, adder tree, / layout utilization");
    }
    if (lane_functions(e, &part)) {
        sy_area_divide(&part, &utilization);
        scale_to_mm2(&part);
        sy_area_put(e, SY_AREA_LOGIC, "vector functions", lanes, &part, "tables and a MAC, / layout utilization");
    }
    if (memory_bit(e, &part) && sy_area_look(e->table, "lane_buffer_words", 0, &words)) {
        part.value *= words.value * word;
        part.low *= words.low * word;
        part.high *= words.high * word;
        scale_to_mm2(&part);
        sy_area_put(e, SY_AREA_MEMORY, "vector buffers", lanes, &part, "words of pooling and normalization, as SRAM");
    }
}

/* What is on its way: latency x bandwidth of each backing store, or what the engines may have in flight. */
static void put_dma(struct sy_area_estimating *e)
{
    const struct sy_dma *dma = &e->chip->dma;
    struct sy_sourced bit;
    double bytes = 0, most = (double)dma->engines * (dma->shared_load_store ? 1 : 2) * (double)e->chip->cores *
                             (double)dma->outstanding_requests * (double)dma->request_bytes;
    for (uint32_t l = 0; l < e->chip->levels; l++) {
        const struct sy_level *level = &e->chip->level[l];
        if (level->kind != SY_LEVEL_SRAM)
            bytes += (level->read_bytes_per_s + level->write_bytes_per_s) * (double)level->latency_ps * 1e-12;
    }
    bytes = most > 0 && most < bytes ? most : bytes;
    if (!memory_bit(e, &bit))
        return;
    scale_to_mm2(&bit);
    sy_area_put(e, SY_AREA_MEMORY, "DMA buffers", 8 * bytes, &bit, "bits in flight, as SRAM");
}

/* A foundry's bit cell over CACTI's own at a node; 0 = not known. */
static double cell_ratio(const struct sy_area_estimating *e, double node_nm, struct sy_sourced *cell, double *own_um2)
{
    struct sy_sourced squares;
    *own_um2 = 0;
    if (!sy_area_look(e->table, "bitcell_um2", node_nm, cell) || cell->extrapolated ||
        !sy_area_look(e->table, "cacti_cell_f2", 0, &squares))
        return 0;
    *own_um2 = squares.value * node_nm * node_nm * 1e-6;
    return cell->value / *own_um2;
}

/* CACTI's area with a foundry's bit cell in place of its own. */
static void as_foundry_draws(const struct sy_area_estimating *e, struct sy_sourced *mm2)
{
    struct sy_sourced cell;
    double own_um2, ratio = cell_ratio(e, e->node_nm, &cell, &own_um2);
    if (ratio <= 0)
        return;
    mm2->value *= ratio;
    mm2->low *= cell.low / own_um2;
    mm2->high *= cell.high / own_um2;
    mm2->rule = sy_arena_printf(e->arena, "%s, x foundry's bit cell / %.3f um2", mm2->rule, own_um2);
}

/* Say so when the same memory takes less in an older process. */
static void note_monotony(const struct sy_area_estimating *e, const struct sy_level_sram *sram, struct sy_sourced *mm2)
{
    struct sy_sourced cell;
    double own_um2, ratio = cell_ratio(e, sram->earlier_nm, &cell, &own_um2);
    if (sram->earlier_mm2 > 0 && ratio > 0 && mm2->value > sram->earlier_mm2 * ratio)
        mm2->rule = sy_arena_printf(e->arena, "%s, not monotonic: less at %.3g nm", mm2->rule, sram->earlier_nm);
}

/* Rings, halos and routing around macros. */
static void spread_out(const struct sy_area_estimating *e, struct sy_sourced *mm2)
{
    struct sy_sourced overhead;
    if (!sy_area_look(e->table, "macro_layout_overhead", 0, &overhead))
        return;
    mm2->value *= overhead.value;
    mm2->low *= overhead.low;
    mm2->high *= overhead.high;
    mm2->rule = sy_arena_printf(e->arena, "%s, x macro layout overhead", mm2->rule);
}

static void put_srams(struct sy_area_estimating *e, const struct sy_energy_table *energy)
{
    for (uint32_t l = 0; l < e->chip->levels; l++) {
        const struct sy_level *level = &e->chip->level[l];
        const struct sy_level_sram *sram = energy->setup ? &energy->setup->level[l] : NULL;
        if (level->kind != SY_LEVEL_SRAM || !sram || !sram->known)
            continue;
        double mm2 = sram->bank.figure[SY_SRAM_AREA];
        struct sy_sourced efficiency,
            one = {mm2, mm2 * 0.85, mm2 * 1.5, NULL, sram->bank.rule, (sram->bank.flags & SY_SRAM_BEYOND) != 0};
        /* From bit cells: the range of the array efficiency. */
        if (!sram->width_bits && sy_area_look(e->table, "sram_efficiency", 0, &efficiency) && efficiency.low > 0) {
            one.low = mm2 * efficiency.value / efficiency.high;
            one.high = mm2 * efficiency.value / efficiency.low;
        }
        struct sy_figure_row row = {.source = sram->source, .confidence = sram->confidence};
        one.row = &row;
        if (sram->width_bits && !(sram->bank.flags & SY_SRAM_COMPOSED))
            as_foundry_draws(e, &one);
        note_monotony(e, sram, &one);
        spread_out(e, &one);
        sy_area_put(e, SY_AREA_MEMORY, level->name,
                    (double)sy_max(level->banks, 1) * (level->shared ? 1 : (double)e->chip->cores), &one, NULL);
    }
}

/* Parts that are given as a share of the whole: whole = parts / (1 - shares). */
static void put_shares(struct sy_area_estimating *e)
{
    static const char *const names[2][2] = {{"control", "control_share"}, {"other", "other_share"}};
    struct sy_sourced share[2];
    double sum[3] = {0}, rest[3] = {1, 1, 1};
    for (uint32_t i = 0; i < e->area->items; i++) {
        sum[0] += e->area->item[i].mm2;
        sum[1] += e->area->item[i].low_mm2;
        sum[2] += e->area->item[i].high_mm2;
    }
    for (int i = 0; i < 2; i++) {
        sy_area_look(e->table, names[i][1], 0, &share[i]);
        rest[0] -= share[i].value;
        rest[1] -= share[i].low;
        rest[2] -= share[i].high;
    }
    for (int i = 0; i < 2; i++) {
        if (rest[0] <= 0 || rest[1] <= 0 || rest[2] <= 0)
            return;
        share[i].value *= sum[0] / rest[0];
        share[i].low *= sum[1] / rest[1];
        share[i].high *= sum[2] / rest[2];
        sy_area_put(e, SY_AREA_CONTROL, names[i][0], 1, &share[i], "share of the die"); /* unnamed logic is logic */
    }
}

/* Around the blocks: what no block fills, then the ring at the die's edge. */
static void put_floor_plan(struct sy_area_estimating *e)
{
    struct sy_sourced fill, ring;
    double sum[3] = {0};
    for (uint32_t i = 0; i < e->area->items; i++) {
        sum[0] += e->area->item[i].mm2;
        sum[1] += e->area->item[i].low_mm2;
        sum[2] += e->area->item[i].high_mm2;
    }
    if (sy_area_look(e->table, "floorplan_fill", 0, &fill) && fill.low > 0) {
        fill.value = sum[0] * (1 / fill.value - 1);
        double low = sum[1] * (1 / fill.high - 1);
        fill.high = sum[2] * (1 / fill.low - 1);
        fill.low = low;
        sy_area_put(e, SY_AREA_SPACE, "between blocks", 1, &fill, "blocks x (1 / floorplan_fill - 1)");
    }
    if (e->chip_has_edge && sy_area_look(e->table, "seal_ring_mm", 0, &ring)) {
        const double side[3] = {sqrt(sum[0] + fill.value), sqrt(sum[1] + fill.low), sqrt(sum[2] + fill.high)};
        ring.value = 4 * ring.value * (side[0] + ring.value);
        ring.low = 4 * ring.low * (side[1] + ring.low);
        ring.high = 4 * ring.high * (side[2] + ring.high);
        sy_area_put(e, SY_AREA_SPACE, "seal ring", 1, &ring, "around a square die");
    }
}

static void put_limits(struct sy_area_estimating *e, const struct sy_energy_table *energy)
{
    struct sy_sourced figure;
    struct sy_area *area = e->area;
    const struct sy_power *power = &e->chip->power;
    double hz = (double)e->chip->clock[0].frequency.num / (double)e->chip->clock[0].frequency.den;
    area->reticle_mm2 = sy_area_look(e->table, "reticle_mm2", 0, &figure) ? figure.value : 0;
    area->power_limit_w = sy_area_look(e->table, "power_density_w_mm2", 0, &figure) ? figure.value * area->die_mm2 : 0;
    area->edge_mm = 4 * sqrt(area->die_mm2);
    struct sy_base_power base = sy_energy_base(e->chip, energy);
    double off_chip, dynamic = sy_energy_peak_w(e->chip, energy, &off_chip) + base.clock_w;
    base.leakage_w += base.link_w + off_chip; /* none of them goes with the clock */
    dynamic -= off_chip;
    area->tdp_w = dynamic > 0 ? base.leakage_w + dynamic : 0;
    if (power->tdp_w > base.leakage_w && area->tdp_w > power->tdp_w)
        area->power_limited_hz = hz * (power->tdp_w - base.leakage_w) / dynamic;
}

enum sy_status sy_area_parts(struct sy_arena *arena, const struct sy_chip *chip, const struct sy_figure_table *table,
                             const struct sy_energy_table *energy, struct sy_area **out)
{
    struct sy_area *area = sy_arena_alloc(arena, sizeof *area);
    if (!area)
        return SY_NOMEM;
    struct sy_area_estimating e = {chip, table, area, arena, (double)chip->process_nm, energy->setup, false};
    for (uint32_t l = 0; l < chip->levels; l++)
        e.chip_has_edge = e.chip_has_edge || (chip->level[l].kind != SY_LEVEL_SRAM && chip->level[l].interface_on_die);
    struct sy_sourced transistors, density;
    put_logic(&e);
    put_vector(&e);
    put_spads(&e, energy);
    put_srams(&e, energy);
    if (chip->cores > 1 && sy_area_look(table, "core_interconnect_mtr", e.node_nm, &transistors) &&
        sy_area_look(table, "density_mtr_mm2", e.node_nm, &density)) {
        sy_area_divide(&transistors, &density);
        sy_area_put(&e, SY_AREA_CONTROL, "interconnect of cores", (double)chip->cores, &transistors,
                    "transistors / logic density");
    }
    sy_area_put_interfaces(&e);
    put_dma(&e);
    put_shares(&e);
    put_floor_plan(&e);
    for (uint32_t i = 0; i < area->items; i++) {
        area->die_mm2 += area->item[i].mm2;
        area->low_mm2 += area->item[i].low_mm2;
        area->high_mm2 += area->item[i].high_mm2;
    }
    *out = area;
    return SY_OK;
}

enum sy_status sy_area_estimate(struct sy_arena *arena, const struct sy_chip *chip, const struct sy_figure_table *table,
                                const struct sy_energy_table *energy, struct sy_area **out)
{
    enum sy_status status = sy_area_parts(arena, chip, table, energy, out);
    if (status == SY_OK) {
        struct sy_area_estimating e = {chip, table, *out, arena, (double)chip->process_nm, energy->setup, false};
        put_limits(&e, energy);
    }
    return status;
}

/* ---- into a result ---- */

static void warn_srams(struct sy_result *result, const struct sy_chip *chip, const struct sy_energy_table *energy)
{
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level_sram *sram = energy->setup ? &energy->setup->level[l] : NULL;
        if (chip->level[l].kind != SY_LEVEL_SRAM || !sram || !sram->known || !sram->width_bits)
            continue;
        double ns = sram->bank.figure[SY_SRAM_ACCESS];
        if (ns * 1e-9 * hz > 1)
            sy_result_warn(result,
                           "area: a bank of %s takes %.2f ns (%s), more than the %.2f ns of the clock: it needs a "
                           "pipelined access, faster cells or smaller banks",
                           chip->level[l].name, ns, sram->bank.rule, 1e9 / hz);
        if (sram->bank.flags & SY_SRAM_FEW_WORDS)
            sy_result_warn(result,
                           "energy: a bank of %s has fewer than %d words: CACTI's figures jump from size to size there",
                           chip->level[l].name, SY_SRAM_FEW_WORDS_LIMIT);
    }
}

enum sy_status sy_area_account(struct sy_result *result, const struct sy_chip *chip,
                               const struct sy_figure_table *table, const struct sy_energy_table *energy)
{
    struct sy_area *area;
    enum sy_status status = sy_area_estimate(result->arena, chip, table, energy, &area);
    if (status != SY_OK)
        return status;
    result->area = area;
    sy_area_warn_items(result, table);
    warn_srams(result, chip, energy);
    if (area->reticle_mm2 > 0 && area->low_mm2 > area->reticle_mm2)
        sy_result_warn(result, "area: %.0f mm2 (at least %.0f) is beyond a reticle of %.0f mm2: it needs several dies",
                       area->die_mm2, area->low_mm2, area->reticle_mm2);
    if (area->edge_needed_mm > area->edge_mm)
        sy_result_warn(result, "area: memory and link interfaces need %.1f mm of edge, the die has %.1f mm",
                       area->edge_needed_mm, area->edge_mm);
    if (area->power_limited_hz > 0)
        sy_result_warn(
            result,
            "area: all units at their peak rates draw about %.0f W, more than power.tdp of %.0f W: it holds up "
            "to a core clock of %.0f MHz (--power-limited)",
            area->tdp_w, chip->power.tdp_w, area->power_limited_hz * 1e-6);
    if (area->power_limit_w > 0 && result->power_w > area->power_limit_w)
        sy_result_warn(result, "area: %.0f W on %.0f mm2 is beyond the power density that can be cooled (%.0f W)",
                       result->power_w, area->die_mm2, area->power_limit_w);
    return SY_OK;
}
