/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power without work. Nothing in it knows a chip's published idle power: flip-flops
 * that are clocked, logic and memories that leak.
 *
 *   clock   = flip-flops x energy of a clocked flip-flop x clock x clock_tree
 *   leakage = logic area x leakage of a mm^2 + SRAMs (sram.h), at the die's temperature
 *   standby = links, PHYs and DRAM that stay awake (energy_standby.c)
 *   idle    = leakage + clock + standby;  gated = leakage + gated_share x clock + DRAM asleep
 *   off     = off_share x leakage + DRAM asleep
 *
 * Flip-flops: those of PEs, of the skewing triangles, of the vector lanes, and a
 * share of the area of controllers, control and pipelined arithmetic. Not in it: regulators, fans.
 */
#include <math.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/stats/area.h"
#include "sim/stats/energy_standby.h"
#include "sim/stats/energy_states.h"

static const double LEAST_K = 300, MIDDLE_K = 350, MOST_K = 400, ZERO_C_K = 273.15;

/* Leakage at a temperature over that at 350 K: straight in the logarithm between the calibrated ones. */
static double leakage_factor(const struct sy_figure_table *table, const char *at_300, const char *at_400,
                             double node_nm, double kelvin)
{
    struct sy_sourced low, high;
    kelvin = kelvin < LEAST_K ? LEAST_K : kelvin > MOST_K ? MOST_K : kelvin;
    if (sy_figure_lookup(table, at_300, node_nm, &low) != SY_OK ||
        sy_figure_lookup(table, at_400, node_nm, &high) != SY_OK || low.value <= 0 || high.value <= 0)
        return 1;
    return kelvin < MIDDLE_K ? pow(low.value, (MIDDLE_K - kelvin) / (MIDDLE_K - LEAST_K))
                             : pow(high.value, (kelvin - MIDDLE_K) / (MOST_K - MIDDLE_K));
}

void sy_energy_set_conditions(struct sy_energy_table *table, const struct sy_chip *chip,
                              const struct sy_figure_table *areas)
{
    struct sy_conditions *out = &table->setup->conditions;
    struct sy_sourced supply;
    double node_nm = (double)chip->process_nm, kelvin = chip->temperature_c + ZERO_C_K;
    *out = (struct sy_conditions){1, 1, 1, NULL, NULL, false};
    if (!areas)
        return;
    if (chip->voltage_v > 0 && sy_figure_lookup(areas, "supply_v", node_nm, &supply) == SY_OK && supply.value > 0) {
        double ratio = chip->voltage_v / supply.value;
        out->dynamic = ratio * ratio;
        out->voltage = sy_arena_printf(table->arena, "x (%.3g V / %.3g V)^2%s", chip->voltage_v, supply.value,
                                       supply.extrapolated ? " of the nearest node" : "");
    }
    if (fabs(kelvin - MIDDLE_K) > 0.5) {
        out->leakage_lstp = leakage_factor(areas, "leak_lstp_300k", "leak_lstp_400k", node_nm, kelvin);
        out->leakage_hp = leakage_factor(areas, "leak_hp_300k", "leak_hp_400k", node_nm, kelvin);
        out->beyond = kelvin < LEAST_K || kelvin > MOST_K;
        out->temperature = sy_arena_printf(table->arena, "at %.0f K%s", kelvin,
                                           out->beyond ? ", taken as the nearest of 300 and 400 K" : "");
    }
}

/* Side of a PE with its scratchpads. */
static double pe_pitch(const struct sy_chip *chip, const struct sy_area *area)
{
    double mm2 = 0, pes = (double)chip->array.rows * (double)chip->array.cols * (double)chip->array.count;
    for (uint32_t i = 0; i < area->items; i++)
        if (!strcmp(area->item[i].component, "processing elements") ||
            !strcmp(area->item[i].component, "PE scratchpads"))
            mm2 += area->item[i].mm2;
    return sqrt(mm2 / (pes * (double)chip->cores));
}

/* Areas of logic and memories; *control_mm2 is what has a share of flip-flops: controllers, control and what lanes have
 * beside the registers that are counted one by one. */
static void sort_areas(struct sy_clocked *out, const struct sy_area *area, double lane_registers_mm2,
                       double *control_mm2)
{
    *control_mm2 = 0;
    for (uint32_t i = 0; i < area->items; i++) {
        const struct sy_area_item *item = &area->item[i];
        bool control = item->kind == SY_AREA_CONTROLLER || item->kind == SY_AREA_CONTROL;
        bool lanes = item->kind == SY_AREA_LANES;
        *control_mm2 += control ? item->mm2 : lanes ? fmax(item->mm2 - lane_registers_mm2, 0) : 0;
        out->memory_mm2 += item->kind == SY_AREA_MEMORY ? item->mm2 : 0;
        out->logic_mm2 += control || lanes || item->kind == SY_AREA_LOGIC ? item->mm2 : 0;
    }
}

void sy_energy_set_clocked(struct sy_energy_table *table, const struct sy_chip *chip,
                           const struct sy_figure_table *areas)
{
    struct sy_clocked *out = &table->setup->clocked;
    struct sy_arena *scratch = sy_arena_create(NULL, 0);
    struct sy_area *area;
    struct sy_sourced share, bit;
    *out = (struct sy_clocked){.known = false};
    if (areas && scratch && sy_area_parts(scratch, chip, areas, table, &area) == SY_OK &&
        sy_figure_lookup(areas, "flop_share", 0, &share) == SY_OK && sy_area_flop_um2(chip, areas, &bit) == SY_OK &&
        sy_figure_lookup(areas, "logic_leak_mw_mm2", (double)chip->process_nm, &out->leak_mw_mm2) == SY_OK) {
        struct sy_registers registers = sy_area_registers(chip, areas);
        double control_mm2;
        sort_areas(out, area, registers.vector * bit.value * 1e-6, &control_mm2);
        double bits = control_mm2 * 1e6 / bit.value;
        out->die_mm2 = area->die_mm2;
        out->pitch_mm = pe_pitch(chip, area);
        out->array_bits = registers.pe + registers.skew;
        out->other_bits = registers.vector + bits * share.value;
        out->other_low_bits = registers.vector + bits * share.low;
        out->other_high_bits = registers.vector + bits * share.high;
        out->known = true;
    }
    if (scratch)
        sy_arena_destroy(scratch);
}

/* ---- states ---- */

static double watts(const struct sy_price *price)
{
    return price->known ? price->pj * 1e-3 : 0;
}

/* Watts of one price or the other, with its range. */
static void add_watts(struct sy_range *sum, const struct sy_price *price)
{
    sum->nominal += watts(price);
    sum->low += price->known ? price->low_pj * 1e-3 : 0;
    sum->high += price->known ? price->high_pj * 1e-3 : 0;
}

struct sy_base_power sy_energy_base(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    const struct sy_power *power = &chip->power;
    struct sy_range leakage = {power->static_w, power->static_w, power->static_w};
    struct sy_range clock = {power->clock_w, power->clock_w, power->clock_w};
    struct sy_price sram = sy_price_sram_leakage(chip, table), logic = sy_price_logic_leakage(chip, table);
    struct sy_price array = sy_price_clock(chip, table, true), other = sy_price_clock(chip, table, false);
    struct sy_standby_power standby = sy_energy_standby(chip, table);
    if (leakage.nominal <= 0) {
        add_watts(&leakage, &sram);
        add_watts(&leakage, &logic);
    }
    if (clock.nominal <= 0) {
        add_watts(&clock, &array);
        add_watts(&clock, &other);
    }
    struct sy_base_power out = {.leakage_w = leakage.nominal,
                                .clock_w = clock.nominal,
                                .link_w = standby.link.nominal,
                                .phy_w = standby.phy.nominal,
                                .memory_w = standby.memory.nominal};
    out.idle_w = out.leakage_w + out.clock_w + out.link_w + out.phy_w + out.memory_w;
    out.idle_low_w = leakage.low + clock.low + standby.link.low + standby.phy.low + standby.memory.low;
    out.idle_high_w = leakage.high + clock.high + standby.link.high + standby.phy.high + standby.memory.high;
    out.gated_w = out.leakage_w + table->gated_share * out.clock_w + standby.asleep_w;
    out.off_w = table->off_share * out.leakage_w + standby.asleep_w;
    return out;
}

/* ---- items ---- */

/* Power times time: counted in nanoseconds, priced in pJ a nanosecond = mW. */
static void time_item(struct sy_energy_account *account, const char *component, const char *action,
                      struct sy_price price, double seconds)
{
    struct sy_result *result = account->result;
    price = sy_price_overridden(account->table, component, action, price);
    if (!price.known || price.pj <= 0)
        return;
    sy_energy_add_item(account, component, action, (uint64_t)(seconds * 1e9 + 0.5), &price);
    if (result->seconds > 0)
        result->base_w += price.pj * 1e-3 * seconds / result->seconds;
    sy_energy_to_layers_by_time(result, price.pj * 1e-3 * seconds);
}

static struct sy_price stated(double watts_given, const char *source)
{
    double mw = watts_given * 1000;
    return (struct sy_price){mw > 0, mw, mw, mw, source, "chip file", "power x time", NULL, false, NULL};
}

/* The arrays' clock: where it stops without a tile in the array, for the rest of the time its trunk only. */
static void array_clock(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    struct sy_price clock = sy_price_clock(account->chip, account->table, true), trunk = clock;
    bool gated = account->chip->power.clock_gating == SY_GATE_IDLE;
    double active = gated ? (result->active < 1 ? result->active : 1) : 1;
    time_item(account, "array", "clock_ns", clock, active * result->seconds);
    trunk.pj *= account->table->gated_share;
    trunk.low_pj *= account->table->gated_share;
    trunk.high_pj *= account->table->gated_share;
    trunk.factor = "x flip-flops x clock x clock tree x gated share";
    if (gated)
        time_item(account, "array", "gated_ns", trunk, (1 - active) * result->seconds);
}

void sy_energy_base_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    const struct sy_chip *chip = account->chip;
    const struct sy_power *power = &chip->power;
    if (power->static_w > 0) {
        time_item(account, "chip", "leakage_ns", stated(power->static_w, "power.static of the chip file"),
                  result->seconds);
    } else {
        time_item(account, "sram", "leakage_ns", sy_price_sram_leakage(chip, account->table), result->seconds);
        time_item(account, "logic", "leakage_ns", sy_price_logic_leakage(chip, account->table), result->seconds);
    }
    if (power->clock_w > 0) {
        time_item(account, "chip", "clock_ns", stated(power->clock_w, "power.clock of the chip file"), result->seconds);
    } else {
        array_clock(account);
        time_item(account, "chip", "clock_ns", sy_price_clock(chip, account->table, false), result->seconds);
    }
    sy_energy_standby_items(account);
    if (!account->table->setup || !account->table->setup->clocked.known)
        sy_result_warn(result, "energy: no areas are known: power without work is that of the SRAMs and the chip file");
    struct sy_base_power base = sy_energy_base(chip, account->table);
    result->idle_w = base.idle_w;
    result->idle_low_w = base.idle_low_w;
    result->idle_high_w = base.idle_high_w;
    sy_energy_sleep(chip, account->table, &base, &result->gated, &result->off);
    result->gated_w = base.gated_w;
    result->off_w = base.off_w;
    double published = power->idle_w;
    if (published > 0 && (base.idle_w < 0.5 * published || base.idle_w > 2 * published))
        sy_result_warn(
            result, "energy: %.3g W without work, but %.3g W are published for %s: state power.static and power.clock",
            base.idle_w, published, chip->name);
}
