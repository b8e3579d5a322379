/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coming back from a state without work: how long it takes, what it costs, and how long the chip must have nothing to
 * do for the state to pay.
 *
 *   clocks gated     wake = PHYs and links lock again, or a few clocks when there are none
 *   supplies gated   wake = supplies ramp + the same + on-chip weights are loaded again
 *   energy           wake x idle power + capacitance x supply^2 + bytes loaded x their energy (supplies gated)
 *   break-even       energy / (idle power - power of the state)
 *
 * Loaded again is what memories that keep whole tensors may hold of B: at most their capacity. DRAM keeps its contents.
 */
#include "sim/stats/energy_states.h"

#include "sim/base/checked.h"
#include "sim/stats/energy_price.h"

static const double MICRO = 1e-6, NANO = 1e-9;

static bool has_phy(const struct sy_chip *chip)
{
    bool found = chip->links.bytes_per_s > 0;
    for (uint32_t l = 0; l < chip->levels; l++)
        found = found || (chip->level[l].kind != SY_LEVEL_SRAM && chip->level[l].interface_on_die);
    return found;
}

void sy_energy_set_wake(struct sy_energy_table *table, const struct sy_chip *chip, const struct sy_figure_table *areas)
{
    struct sy_wake *out = &table->setup->wake;
    const struct sy_clocked *clocked = &table->setup->clocked;
    struct sy_sourced phy, cycles, ramp, capacitance, supply;
    double node_nm = (double)chip->process_nm;
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    *out = (struct sy_wake){.known = false};
    if (!areas || !clocked->known || sy_figure_lookup(areas, "phy_wake_us", 0, &phy) != SY_OK ||
        sy_figure_lookup(areas, "clock_wake_cycles", 0, &cycles) != SY_OK ||
        sy_figure_lookup(areas, "supply_ramp_us", 0, &ramp) != SY_OK ||
        sy_figure_lookup(areas, "supply_nf_mm2", node_nm, &capacitance) != SY_OK ||
        sy_figure_lookup(areas, "supply_v", node_nm, &supply) != SY_OK)
        return;
    double volts = chip->voltage_v > 0 ? chip->voltage_v : supply.value;
    out->clocks_s = has_phy(chip) ? phy.value * MICRO : cycles.value / hz;
    out->ramp_s = ramp.value * MICRO;
    out->charge_j = capacitance.value * NANO * (clocked->logic_mm2 + clocked->memory_mm2) * volts * volts;
    out->known = true;
}

/* Seconds and joules to load what on-chip memories kept of the weights. */
static void reload(const struct sy_chip *chip, const struct sy_energy_table *table, double *seconds, double *joules)
{
    *seconds = *joules = 0;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        if (level->kind != SY_LEVEL_SRAM || !level->stores_whole_tensors || !(level->holds >> SY_B & 1))
            continue;
        uint32_t from = l + 1;
        while (from < chip->levels &&
               (chip->level[from].kind == SY_LEVEL_SRAM || !(chip->level[from].holds >> SY_B & 1)))
            from++;
        if (from == chip->levels || chip->level[from].read_bytes_per_s <= 0)
            continue;
        double bytes = (double)level->capacity_bytes * (level->shared ? 1 : (double)chip->cores);
        struct sy_price write = sy_price_level(chip, table, l, SY_WRITE_BYTE);
        *seconds += bytes / chip->level[from].read_bytes_per_s;
        *joules += bytes * 1e-12 * (sy_energy_pj_per_byte(chip, table, from) + (write.known ? write.pj : 0));
    }
}

static struct sy_sleep sleep_of(double state_w, double idle_w, double wake_s, double extra_j)
{
    struct sy_sleep out = {.wake_s = wake_s, .wake_j = wake_s * idle_w + extra_j};
    out.known = idle_w > state_w;
    out.break_even_s = out.known ? out.wake_j / (idle_w - state_w) : 0;
    return out;
}

void sy_energy_sleep(const struct sy_chip *chip, const struct sy_energy_table *table, const struct sy_base_power *base,
                     struct sy_sleep *gated, struct sy_sleep *off)
{
    const struct sy_wake *wake = table->setup ? &table->setup->wake : NULL;
    double seconds, joules;
    *gated = *off = (struct sy_sleep){.known = false};
    if (!wake || !wake->known)
        return;
    reload(chip, table, &seconds, &joules);
    *gated = sleep_of(base->gated_w, base->idle_w, wake->clocks_s, 0);
    *off = sleep_of(base->off_w, base->idle_w, wake->ramp_s + wake->clocks_s + seconds, wake->charge_j + joules);
}
