/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of a run: counts times rows. See energy.h. */
#include "sim/stats/energy.h"

#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"

enum { MAX_ITEMS = 64 };

/* A price an action; cost.below is the row that set it. */
struct price {
    bool known;
    struct sy_energy_cost cost;
    double pj;
};

/* The price of moving or computing `bits` bits; 0 = one action as the row counts it. */
static struct price price_of(const struct sy_energy_table *table, const char *component, const char *action,
                             uint64_t bytes, double node_nm, double bits)
{
    struct price price = {.known = false};
    if (sy_energy_lookup(table, component, action, bytes, node_nm, &price.cost) != SY_OK)
        return price;
    price.known = true;
    double scale = bits > 0 && price.cost.bits ? bits / (double)price.cost.bits : 1;
    price.cost.pj *= scale;
    price.cost.low_pj *= scale;
    price.cost.high_pj *= scale;
    price.pj = price.cost.pj;
    return price;
}

/* pJ a byte of a level in one direction. An SRAM's price is that of one of its banks. */
static struct price level_price(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index,
                                bool write)
{
    const struct sy_level *level = &chip->level[index];
    bool sram = level->kind == SY_LEVEL_SRAM;
    const char *component = level->energy_component ? level->energy_component : sram ? "sram" : "dram";
    return price_of(table, component, write ? "write" : "read",
                    sram ? level->capacity_bytes / sy_max(level->banks, 1) : 0, (double)chip->process_nm, 8);
}

double sy_energy_pj_per_byte(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level)
{
    struct price read = level_price(chip, table, level, false), write = level_price(chip, table, level, true);
    return read.known && write.known ? (read.pj + write.pj) / 2 : 0;
}

static const char *mac_action(enum sy_dtype a, enum sy_dtype b)
{
    return sy_dtypes[sy_dtypes[a].bits >= sy_dtypes[b].bits ? a : b].name;
}

double sy_energy_pj_per_mac(const struct sy_chip *chip, const struct sy_energy_table *table, enum sy_dtype a,
                            enum sy_dtype b)
{
    struct price price = price_of(table, "mac", mac_action(a, b), 0, (double)chip->process_nm, 0);
    return price.known ? price.pj : 0;
}

struct account {
    struct sy_result *result;
    const struct sy_chip *chip;
    const struct sy_energy_table *table;
};

static void add_item(struct account *account, const char *component, const char *action, uint64_t count,
                     const struct price *price)
{
    struct sy_result *result = account->result;
    if (!count)
        return;
    if (!price->known) {
        sy_result_warn(result, "energy: table %s has no row for %s %s: its %llu actions are not in the total",
                       account->table->name, component, action, (unsigned long long)count);
        return;
    }
    if (result->energies == MAX_ITEMS)
        return;
    struct sy_energy_item *item = &result->energy[result->energies++];
    *item = (struct sy_energy_item){.component = sy_arena_strdup(result->arena, component),
                                    .action = sy_arena_strdup(result->arena, action),
                                    .count = count,
                                    .pj = price->pj,
                                    .total_j = (double)count * price->pj * 1e-12,
                                    .low_j = (double)count * price->cost.low_pj * 1e-12,
                                    .high_j = (double)count * price->cost.high_pj * 1e-12,
                                    .rule = price->cost.rule,
                                    .source = sy_arena_strdup(result->arena, price->cost.below->source),
                                    .confidence = sy_arena_strdup(result->arena, price->cost.below->confidence),
                                    .extrapolated = price->cost.extrapolated};
    result->energy_j += item->total_j;
    result->energy_low_j += item->low_j;
    result->energy_high_j += item->high_j;
    if (price->cost.extrapolated)
        sy_result_warn(result, "energy: %s %s is outside the nodes or sizes of table %s: its nearest row was used",
                       component, action, account->table->name);
}

/* MACs by precision: layers may differ. */
static void mac_items(struct account *account)
{
    struct sy_result *result = account->result;
    bool seen[SY_DTYPE_COUNT] = {false};
    for (uint64_t i = 0; i < result->layers; i++) {
        const char *action = mac_action(result->layer[i].precision_a, result->layer[i].precision_b);
        struct price price = price_of(account->table, "mac", action, 0, (double)account->chip->process_nm, 0);
        result->layer[i].energy_j += price.known ? (double)result->layer[i].macs * price.pj * 1e-12 : 0;
    }
    for (uint64_t i = 0; i < result->layers; i++) {
        const char *action = mac_action(result->layer[i].precision_a, result->layer[i].precision_b);
        enum sy_dtype dtype;
        uint64_t count = 0;
        if (!sy_dtype_parse(action, &dtype) || seen[dtype])
            continue;
        seen[dtype] = true;
        for (uint64_t j = i; j < result->layers; j++)
            if (!strcmp(action, mac_action(result->layer[j].precision_a, result->layer[j].precision_b)))
                count += result->layer[j].macs;
        struct price price = price_of(account->table, "mac", action, 0, (double)account->chip->process_nm, 0);
        add_item(account, "mac", action, count, &price);
    }
}

static void level_items(struct account *account)
{
    struct sy_result *result = account->result;
    for (uint32_t l = 0; l < account->chip->levels; l++) {
        struct price read = level_price(account->chip, account->table, l, false);
        struct price write = level_price(account->chip, account->table, l, true);
        add_item(account, account->chip->level[l].name, "read byte", result->level[l].read_bytes, &read);
        add_item(account, account->chip->level[l].name, "write byte", result->level[l].write_bytes, &write);
        for (uint64_t i = 0; i < result->layers; i++)
            result->layer[i].energy_j +=
                ((read.known ? (double)result->layer[i].level_read_bytes[l] * read.pj : 0) +
                 (write.known ? (double)result->layer[i].level_write_bytes[l] * write.pj : 0)) *
                1e-12;
    }
}

static void vector_items(struct account *account)
{
    struct sy_result *result = account->result;
    /* A simple or cross-lane operation is priced as an addition, a transcendental one as a multiplication (the last
     * step of a table look-up with interpolation): assumptions, confidence low. */
    bool is_float =
        account->chip->array.precisions && sy_dtypes[account->chip->array.precision[0].accumulator].is_float;
    const char *type = is_float ? "fp32" : "int32";
    const struct {
        const char *component, *action;
        uint64_t total;
        size_t offset;
    } kinds[] = {
        {"add", "simple", result->vector.simple_ops, offsetof(struct sy_vector_work, simple_ops)},
        {"multiply", "transcendental", result->vector.transcendental_ops,
         offsetof(struct sy_vector_work, transcendental_ops)},
        {"add", "reduce", result->vector.reduce_ops, offsetof(struct sy_vector_work, reduce_ops)},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct price price =
            price_of(account->table, kinds[k].component, type, 0, (double)account->chip->process_nm, 0);
        add_item(account, "vector", kinds[k].action, kinds[k].total, &price);
        for (uint64_t i = 0; price.known && i < result->layers; i++) {
            uint64_t count;
            memcpy(&count, (const char *)&result->layer[i].vector + kinds[k].offset, sizeof count);
            result->layer[i].energy_j += (double)count * price.pj * 1e-12;
        }
    }
}

/* Power times time: counted in nanoseconds, priced in pJ a nanosecond = mW. */
static void time_item(struct account *account, const char *action, double watts, const char *source)
{
    struct sy_result *result = account->result;
    if (watts <= 0)
        return;
    struct sy_energy_row row = {.component = "chip", .action = action, .source = source, .confidence = "chip file"};
    struct price price = {.known = true,
                          .pj = watts * 1000,
                          .cost = {.pj = watts * 1000,
                                   .low_pj = watts * 1000,
                                   .high_pj = watts * 1000,
                                   .below = &row,
                                   .rule = "power x time"}};
    add_item(account, "chip", action, (uint64_t)(result->seconds * 1e9 + 0.5), &price);
    for (uint64_t i = 0; i < result->layers && result->cycles; i++)
        result->layer[i].energy_j += watts * result->seconds * (double)result->layer[i].cycles / (double)result->cycles;
}

/* No static power in the chip file: the leakage of its SRAM, which leaves logic out and says so. */
static void sram_leakage(struct account *account)
{
    uint64_t bytes = 0;
    for (uint32_t l = 0; l < account->chip->levels; l++)
        if (account->chip->level[l].kind == SY_LEVEL_SRAM)
            bytes +=
                account->chip->level[l].capacity_bytes * (account->chip->level[l].shared ? 1 : account->chip->cores);
    struct price price = price_of(account->table, "sram", "leak_kib_s", 0, (double)account->chip->process_nm, 0);
    /* pJ a KiB a second -> pJ a nanosecond of all KiB */
    double scale = (double)bytes / 1024 * 1e-9;
    price.cost.pj *= scale;
    price.cost.low_pj *= scale;
    price.cost.high_pj *= scale;
    price.pj = price.cost.pj;
    struct sy_result *result = account->result;
    add_item(account, "sram", "leakage ns", (uint64_t)(result->seconds * 1e9 + 0.5), &price);
    sy_result_warn(result, "energy: the chip file gives no static power: leakage is that of SRAM alone");
    for (uint64_t i = 0; price.known && i < result->layers && result->cycles; i++)
        result->layer[i].energy_j +=
            price.pj * 1e-3 * result->seconds * (double)result->layer[i].cycles / (double)result->cycles;
}

enum sy_status sy_energy_account(struct sy_result *result, const struct sy_chip *chip,
                                 const struct sy_energy_table *table)
{
    struct account account = {result, chip, table};
    result->energy = sy_arena_array(result->arena, MAX_ITEMS, sizeof *result->energy);
    if (!result->energy)
        return SY_NOMEM;
    mac_items(&account);
    vector_items(&account);
    level_items(&account);
    if (chip->power.static_w > 0)
        time_item(&account, "leakage", chip->power.static_w, "power.static of the chip file");
    else
        sram_leakage(&account);
    time_item(&account, "clock", chip->power.clock_w, "power.clock of the chip file");
    return SY_OK;
}
