/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of a run: counts times prices. See energy.h. */
#include "sim/stats/energy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/stats/energy_account.h"
#include "sim/stats/power_time.h"

enum { MAX_ITEMS = 96, SPAD_WORDS_A_MAC = 4 };
static const double ZJ_PER_PJ = 1e9, J_PER_ZJ = 1e-21;
/* Beyond it count x price could leave 128 bits: 1.1e9 J an action. */
static const double MOST_ZJ = 1152921504606846976.0;

static uint64_t to_zj(double pj)
{
    double zj = nearbyint(pj * ZJ_PER_PJ);
    return zj >= MOST_ZJ ? (uint64_t)MOST_ZJ : zj > 0 ? (uint64_t)zj : 0;
}

static void warn_missing(struct sy_energy_account *account, const char *component, const char *action, uint64_t count)
{
    sy_result_warn(account->result, "energy: table %s has no row for %s %s: its %llu actions are not in the total",
                   account->table->name, component, action, (unsigned long long)count);
}

void sy_energy_add_item(struct sy_energy_account *account, const char *component, const char *action, uint64_t count,
                        const struct sy_price *price)
{
    struct sy_result *result = account->result;
    if (!count)
        return;
    if (!price->known) {
        warn_missing(account, component, action, count);
        return;
    }
    if (result->energies == MAX_ITEMS) {
        sy_result_warn(result, "energy: more than %d items: %s %s is not in the total", MAX_ITEMS, component, action);
        return;
    }
    uint64_t zj = to_zj(price->pj);
    struct sy_energy_item *item = &result->energy[result->energies++];
    *item = (struct sy_energy_item){.component = sy_arena_strdup(result->arena, component),
                                    .action = sy_arena_strdup(result->arena, action),
                                    .count = count,
                                    .pj = (double)zj / ZJ_PER_PJ,
                                    .low_pj = price->low_pj,
                                    .high_pj = price->high_pj,
                                    .price_zj = zj,
                                    .total_zj = (sy_u128)count * zj,
                                    .low_j = (double)count * price->low_pj * 1e-12,
                                    .high_j = (double)count * price->high_pj * 1e-12,
                                    .rule = price->rule,
                                    .source = sy_arena_strdup(result->arena, price->source),
                                    .confidence = sy_arena_strdup(result->arena, price->confidence),
                                    .extrapolated = price->extrapolated};
    if (price->factor || price->condition)
        item->rule = sy_arena_printf(result->arena, "%s%s%s%s%s", price->rule, price->factor ? ", " : "",
                                     price->factor ? price->factor : "", price->condition ? ", " : "",
                                     price->condition ? price->condition : "");
    item->total_j = (double)item->total_zj * J_PER_ZJ;
    result->energy_zj += item->total_zj;
    result->energy_low_j += item->low_j;
    result->energy_high_j += item->high_j;
    if (price->extrapolated)
        sy_result_warn(result, "energy: %s %s is outside the nodes or sizes that sources cover: %s", component, action,
                       price->rule);
}

void sy_energy_to_layer(struct sy_layer_result *layer, uint64_t count, const struct sy_price *price)
{
    if (price->known)
        layer->energy_j += (double)count * (double)to_zj(price->pj) * J_PER_ZJ;
}

void sy_energy_to_layers_by_time(struct sy_result *result, double joules)
{
    for (uint64_t i = 0; i < result->layers && result->cycles; i++)
        result->layer[i].energy_j += joules * (double)result->layer[i].cycles / (double)result->cycles;
}

/* ---- array ---- */

/* The format the layer's multiplications run in: the chip may have only a wider one. */
static const char *layer_format(const struct sy_chip *chip, const struct sy_layer_result *layer)
{
    const struct sy_precision *as = sy_chip_precision(chip, layer->precision_a, layer->precision_b);
    return as ? sy_mac_action(as->a, as->b) : sy_mac_action(layer->precision_a, layer->precision_b);
}

/* Useful or not, all cost energy. */
static uint64_t executed_macs(const struct sy_layer_result *layer)
{
    return layer->macs + layer->halo_macs;
}

/* MACs of a layer with a zero operand, on an array that gates them: as if the zeros of A and B were independent. */
static uint64_t gated_macs(const struct sy_chip *chip, const struct sy_layer_result *layer)
{
    uint64_t active = 0, percent = (uint64_t)(100 - layer->values.zeros_a) * (uint64_t)(100 - layer->values.zeros_b);
    if (!chip->array.zero_gating || !layer->values.has_zeros ||
        !sy_mul_div(executed_macs(layer), percent, 10000, &active))
        return 0;
    return executed_macs(layer) - active;
}

/* MACs by precision: layers may differ. */
static void mac_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    uint64_t count[SY_DTYPE_COUNT] = {0}, gated = 0;
    struct sy_price gated_price = sy_price_mac(account->chip, account->table, "gated");
    for (uint64_t i = 0; i < result->layers; i++) {
        struct sy_layer_result *layer = &result->layer[i];
        uint64_t skipped = gated_macs(account->chip, layer);
        const char *action = layer_format(account->chip, layer);
        struct sy_price price = sy_price_mac(account->chip, account->table, action);
        enum sy_dtype dtype;
        if (sy_dtype_parse(action, &dtype))
            count[dtype] += executed_macs(layer) - skipped;
        gated += skipped;
        sy_energy_to_layer(layer, executed_macs(layer) - skipped, &price);
        sy_energy_to_layer(layer, skipped, &gated_price);
    }
    sy_energy_add_item(account, "mac", "gated", gated, &gated_price);
    for (int dtype = 0; dtype < SY_DTYPE_NATIVE_COUNT; dtype++) {
        struct sy_price price = sy_price_mac(account->chip, account->table, sy_dtypes[dtype].name);
        sy_energy_add_item(account, "mac", sy_dtypes[dtype].name, count[dtype], &price);
    }
}

/* The operand that stays in the PEs. */
static enum sy_operand stationary(const struct sy_chip *chip, const char *dataflow)
{
    for (uint32_t i = 0; dataflow && i < chip->array.dataflows; i++)
        if (!strcmp(chip->array.dataflow[i].name, dataflow))
            return chip->array.dataflow[i].stationary;
    return SY_B;
}

/* Bits that a PE takes from a neighbour in a beat: the two operands that move. By row those that enter at the left
 * edge, by column those at the top. */
static void moving_bits(const struct sy_chip *chip, const struct sy_layer_result *layer, uint64_t *by_row,
                        uint64_t *by_column)
{
    const struct sy_precision *as = sy_chip_precision(chip, layer->precision_a, layer->precision_b);
    uint64_t a = sy_dtypes[as ? as->a : layer->precision_a].bits, b = sy_dtypes[as ? as->b : layer->precision_b].bits;
    uint64_t c = as ? sy_dtypes[as->accumulator].bits : 32;
    enum sy_operand stays = stationary(chip, layer->dataflow);
    *by_row = stays == SY_A ? b : a;
    *by_column = stays == SY_C ? b : c;
}

/* Register bits are priced at the table's share of toggling ones: with a measured share, as many as cost the same. */
static bool as_measured(const struct sy_energy_table *table, const struct sy_layer_result *layer, uint64_t *bits)
{
    uint64_t share = (uint64_t)(table->toggle_share * 1e6 + 0.5);
    return !layer->values.toggles || !share || sy_mul_div(*bits, layer->values.toggles * UINT64_C(10000), share, bits);
}

/* Bits between the innermost memory and the array: what its ports carried less what came from and went off the chip. */
static bool bus_bits(const struct sy_energy_account *account, const struct sy_layer_result *layer, uint64_t *bits)
{
    uint64_t inner = 0, outer = 0;
    bool fits = sy_add(layer->level_read_bytes[0], layer->level_write_bytes[0], &inner);
    for (uint32_t l = 1; l < account->chip->levels; l++)
        fits = fits && sy_add(outer, layer->level_read_bytes[l], &outer) &&
               sy_add(outer, layer->level_write_bytes[l], &outer);
    return fits && sy_mul(inner - sy_min(inner, outer), 8, bits);
}

/* Bits through a layer's registers and wires, and through the array's edges. */
static bool array_counts(const struct sy_energy_account *account, const struct sy_layer_result *layer,
                         uint64_t count[SY_ARRAY_ACTIONS])
{
    const struct sy_array *array = &account->chip->array;
    uint64_t by_row, by_column, left, top;
    moving_bits(account->chip, layer, &by_row, &by_column);
    bool fits = sy_mul(layer->work.mapped_pe_beats, by_row + by_column, &count[SY_REGISTER_BIT]) &&
                sy_mul(layer->work.pe_beats / sy_max(array->cols, 1), by_row, &left) &&
                sy_mul(layer->work.pe_beats / sy_max(array->rows, 1), by_column, &top) &&
                sy_add(left, top, &count[SY_EDGE_BIT]);
    count[SY_WIRE_BIT] = count[SY_REGISTER_BIT];
    count[SY_SPAD_WORD] = count[SY_BUS_BIT] = 0;
    if (array->timing.row_stationary) {
        /* A MAC reads an input, a filter word and a sum from the PE's scratchpads and writes the sum back; they are the
         * registers. Inputs and filters come over buses; sums pass on as if at each beat: an upper bound. */
        fits = fits && sy_mul(executed_macs(layer), SPAD_WORDS_A_MAC, &count[SY_SPAD_WORD]) &&
               sy_mul(layer->work.mapped_pe_beats, by_column, &count[SY_WIRE_BIT]) &&
               bus_bits(account, layer, &count[SY_BUS_BIT]);
        count[SY_REGISTER_BIT] = 0;
        count[SY_EDGE_BIT] = count[SY_BUS_BIT];
    }
    return fits && as_measured(account->table, layer, &count[SY_REGISTER_BIT]) &&
           as_measured(account->table, layer, &count[SY_EDGE_BIT]);
}

static enum sy_status array_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    struct sy_price price[SY_ARRAY_ACTIONS];
    uint64_t total[SY_ARRAY_ACTIONS] = {0};
    for (int a = 0; a < SY_ARRAY_ACTIONS; a++)
        price[a] = sy_price_array(account->chip, account->table, a);
    for (uint64_t i = 0; i < result->layers; i++) {
        struct sy_layer_result *layer = &result->layer[i];
        uint64_t count[SY_ARRAY_ACTIONS];
        if (!array_counts(account, layer, count))
            return SY_OVERFLOW;
        for (int a = 0; a < SY_ARRAY_ACTIONS; a++) {
            if (!sy_add(total[a], count[a], &total[a]))
                return SY_OVERFLOW;
            sy_energy_to_layer(layer, count[a], &price[a]);
        }
    }
    for (int a = 0; a < SY_ARRAY_ACTIONS; a++)
        if (price[a].known || (a != SY_WIRE_BIT && a != SY_BUS_BIT)) /* without areas there is no pitch */
            sy_energy_add_item(account, "array", sy_array_action_names[a], total[a], &price[a]);
    return SY_OK;
}

/* ---- memory and vector unit ---- */

/* Bytes of a level by one of its actions, in the run and in each layer. */
static void port_item(struct sy_energy_account *account, uint32_t l, enum sy_level_action action, bool needed)
{
    struct sy_result *result = account->result;
    bool reads = action != SY_WRITE_BYTE, writes = action != SY_READ_BYTE;
    struct sy_price price = sy_price_level(account->chip, account->table, l, action);
    uint64_t bytes = (reads ? result->level[l].read_bytes : 0) + (writes ? result->level[l].write_bytes : 0);
    if (!needed && !price.known)
        return;
    sy_energy_add_item(account, account->chip->level[l].name, sy_level_action_names[action], bytes, &price);
    for (uint64_t i = 0; i < result->layers; i++) {
        struct sy_layer_result *layer = &result->layer[i];
        sy_energy_to_layer(layer, (reads ? layer->level_read_bytes[l] : 0) + (writes ? layer->level_write_bytes[l] : 0),
                           &price);
    }
}

static void ports_of_level(struct sy_energy_account *account, uint32_t l)
{
    port_item(account, l, SY_READ_BYTE, true);
    port_item(account, l, SY_WRITE_BYTE, true);
    port_item(account, l, SY_WIRE_BYTE, false);
}

static void level_items(struct sy_energy_account *account)
{
    for (uint32_t l = 0; l < account->chip->levels; l++) {
        const struct sy_dram_stats *dram = sy_energy_dram_of(account->result, account->chip->level[l].name);
        if (dram && dram->power.has)
            sy_energy_dram_items(account, l, dram);
        else
            ports_of_level(account, l);
        port_item(account, l, SY_DIE_BYTE, false);
        port_item(account, l, SY_ROUTER_BYTE, false);
        if (dram && !dram->power.has)
            sy_result_warn(account->result,
                           "energy: device %s gives no energies of its commands: %s is priced by the bit", dram->device,
                           account->chip->level[l].name);
    }
}

static void vector_items(struct sy_energy_account *account)
{
    static const size_t offsets[SY_VECTOR_ACTIONS] = {offsetof(struct sy_vector_work, simple_ops),
                                                      offsetof(struct sy_vector_work, transcendental_ops),
                                                      offsetof(struct sy_vector_work, reduce_ops)};
    struct sy_result *result = account->result;
    for (int a = 0; a < SY_VECTOR_ACTIONS; a++) {
        struct sy_price price = sy_price_vector(account->chip, account->table, a);
        uint64_t count;
        memcpy(&count, (const char *)&result->vector + offsets[a], sizeof count);
        sy_energy_add_item(account, "vector", sy_vector_action_names[a], count, &price);
        for (uint64_t i = 0; i < result->layers; i++) {
            memcpy(&count, (const char *)&result->layer[i].vector + offsets[a], sizeof count);
            sy_energy_to_layer(&result->layer[i], count, &price);
        }
    }
}

/* Through a DMA engine's buffer: what comes from and goes to off-chip memories and the host. */
static void dma_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    struct sy_price price = sy_price_dma(account->chip, account->table);
    uint64_t bytes = 0;
    for (uint32_t l = 0; l < account->chip->levels; l++) {
        if (account->chip->level[l].kind == SY_LEVEL_SRAM)
            continue;
        bytes += result->level[l].read_bytes + result->level[l].write_bytes;
        for (uint64_t i = 0; i < result->layers; i++)
            sy_energy_to_layer(&result->layer[i],
                               result->layer[i].level_read_bytes[l] + result->layer[i].level_write_bytes[l], &price);
    }
    sy_energy_add_item(account, "dma", "byte", bytes, &price);
}

/* Collectives: what this chip sends to others. */
static void link_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    uint64_t bytes = 0;
    struct sy_price price = sy_price_link(account->chip, account->table);
    for (uint64_t i = 0; i < result->layers; i++) {
        bytes += result->layer[i].link_bytes;
        sy_energy_to_layer(&result->layer[i], result->layer[i].link_bytes, &price);
    }
    sy_energy_add_item(account, "links", "sent_byte", bytes, &price);
}

/* The crossbar between the cores and what they share, by the side of it. */
static void crossbar_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    const struct sy_crossbar_stats *crossbar = &result->crossbar;
    const uint64_t bytes[2] = {crossbar->in_bytes[0] + crossbar->out_bytes[1],
                               crossbar->out_bytes[0] + crossbar->in_bytes[1]};
    for (int side = 0; crossbar->has && side < 2; side++) {
        struct sy_price price = sy_price_crossbar(account->chip, account->table, side);
        sy_energy_add_item(account, "crossbar", sy_crossbar_action_names[side], bytes[side], &price);
        for (uint64_t i = 0; i < result->layers; i++)
            sy_energy_to_layer(&result->layer[i], result->layer[i].crossed[side], &price);
    }
}

/* A figure the user gave for something this run did not count. */
static void warn_idle_overrides(struct sy_energy_account *account)
{
    const struct sy_energy_setup *setup = account->table->setup;
    struct sy_result *result = account->result;
    for (uint32_t o = 0; setup && o < setup->overrides; o++) {
        const struct sy_energy_override *own = &setup->override[o];
        bool used = false;
        for (uint32_t i = 0; i < result->energies && !used; i++)
            used =
                !strcmp(result->energy[i].component, own->component) && !strcmp(result->energy[i].action, own->action);
        if (!used)
            sy_result_warn(result, "energy: %s %s from %s has no effect: this run counts none of it", own->component,
                           own->action, own->source);
    }
}

enum sy_status sy_energy_account(struct sy_result *result, const struct sy_chip *chip,
                                 const struct sy_energy_table *table)
{
    struct sy_energy_account account = {result, chip, table};
    result->energy = sy_arena_array(result->arena, MAX_ITEMS, sizeof *result->energy);
    if (!result->energy)
        return SY_NOMEM;
    mac_items(&account);
    enum sy_status status = array_items(&account);
    vector_items(&account);
    level_items(&account);
    dma_items(&account);
    link_items(&account);
    crossbar_items(&account);
    sy_energy_base_items(&account);
    warn_idle_overrides(&account);
    result->energy_j = (double)result->energy_zj * J_PER_ZJ;
    struct sy_base_power base = sy_energy_base(chip, table);
    if (status == SY_OK)
        status = sy_power_over_time(result, &chip->power, base.leakage_w + base.link_w + base.phy_w);
    if (result->overheats)
        sy_result_warn(result, "power: the die cannot be kept below %.3g C: %.3g W do not go with the clock",
                       chip->power.limit_c, base.leakage_w + base.link_w + base.phy_w);
    else if (result->has_thermal && result->throttled_s > result->seconds * (1 + 1e-9))
        sy_result_warn(result, "power: kept below %.3g C, the run takes %.3g s when repeated, not %.3g s",
                       chip->power.limit_c, result->throttled_s, result->seconds);
    return status;
}
