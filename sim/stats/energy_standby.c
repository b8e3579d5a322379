/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces and memories that stay awake while nothing moves through them:
 *
 *   PHY     = channels x what one channel's PHY, pad bias, clock and command lines draw (rows ACTION awake_s)
 *   DRAM    = channels x (standby, or power-down where the chip uses it, + refresh / refresh interval)
 *   links   = rate x energy of a byte x link_idle, of those to a host and to other chips
 *
 * Each is paid for the time that the bytes moved do not fill: what a byte costs is a published total of a stream at
 * full rate, which has its own share of standing power in it. A DRAM whose commands and states were counted pays for
 * all of its time there (energy_dram.c).
 */
#include "sim/stats/energy_standby.h"

#include <string.h>

#include "arch/dram_device.h"
#include "sim/base/checked.h"

/* ---- before a run ---- */

enum sy_status sy_energy_set_standby(struct sy_energy_table *table, const struct sy_chip *chip, const char *data_dir,
                                     struct sy_diag *diag)
{
    enum sy_status status = SY_OK;
    for (uint32_t l = 0; status == SY_OK && l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        struct sy_dram_device *device = NULL;
        if (level->kind != SY_LEVEL_DRAM || !level->device)
            continue;
        status = sy_dram_device_load(level->device, data_dir, table->arena, &device, diag);
        if (status != SY_OK)
            return status;
        table->setup->standby[l].bus_bits = device->org.bus_bits * sy_max(device->org.pseudochannels, 1);
        if (!device->power.has)
            continue;
        const struct sy_dram_power *power = &device->power;
        double interval_ns = (double)device->timing.tREFI * (double)device->clock_fs * 1e-6;
        double down_mw = power->power_down_mw > 0 ? power->power_down_mw : power->precharge_standby_mw;
        bool sleeps = level->power_down_ps > 0;
        table->setup->standby[l] =
            (struct sy_dram_standby){.bus_bits = table->setup->standby[l].bus_bits,
                                     .refresh_mw = interval_ns > 0 ? power->refresh_pj / interval_ns : 0,
                                     .idle_mw = sleeps ? down_mw : power->precharge_standby_mw,
                                     .down_mw = down_mw,
                                     .sleeps = sleeps,
                                     .source = power->source,
                                     .confidence = power->confidence};
    }
    return status;
}

/* ---- prices ---- */

static double channels_of(const struct sy_level *level)
{
    return (double)sy_max(level->channels, 1);
}

/* A nanosecond of the interface of a DRAM level, all channels. Not known without one on the die or without a row. */
static struct sy_price awake(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index)
{
    const struct sy_level *level = &chip->level[index];
    struct sy_price price = {.known = false};
    if (level->kind != SY_LEVEL_DRAM || !level->interface_on_die)
        return price;
    price = sy_price_row(table, level->energy_component ? level->energy_component : "dram", "awake_s", 0,
                         (double)chip->process_nm, 0);
    sy_price_scale(&price, channels_of(level) * 1e-9, "x channels");
    return sy_price_overridden(table, level->name, sy_level_action_names[SY_AWAKE_NS], price);
}

/* A nanosecond of all channels' devices without traffic; asleep: powered down whatever the chip does while it works. */
static struct sy_price background(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index,
                                  bool asleep)
{
    const struct sy_level *level = &chip->level[index];
    const struct sy_dram_standby *standby = table->setup ? &table->setup->standby[index] : NULL;
    struct sy_price price = {.known = false};
    if (!standby || !standby->source)
        return price;
    double mw = channels_of(level) * ((asleep ? standby->down_mw : standby->idle_mw) + standby->refresh_mw);
    price = (struct sy_price){true,
                              mw,
                              mw * table->idd_low,
                              mw * table->idd_high,
                              standby->source,
                              standby->confidence,
                              asleep || standby->sleeps ? "IDD currents x voltage, powered down and refreshed"
                                                        : "IDD currents x voltage, rows closed and refreshed",
                              NULL,
                              false,
                              NULL};
    return sy_price_overridden(table, level->name, sy_level_action_names[SY_IDLE_NS], price);
}

/* A byte of idle symbols to other chips. */
static struct sy_price chips_idle(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    struct sy_price price = {.known = false};
    if (chip->links.bytes_per_s <= 0)
        return price;
    price = sy_price_row(table, "link", "access", 0, (double)chip->process_nm, 8);
    sy_price_scale(&price, table->link_idle, "x share of an idle link");
    return sy_price_overridden(table, "links", "idle_byte", price);
}

/* ---- of the whole chip ---- */

/* Bytes/s of a link, both ways. */
static double link_rate(const struct sy_level *level)
{
    return level->read_bytes_per_s + level->write_bytes_per_s;
}

static void add(struct sy_range *sum, const struct sy_price *price, double times)
{
    if (!price->known)
        return;
    sum->nominal += price->pj * times;
    sum->low += price->low_pj * times;
    sum->high += price->high_pj * times;
}

struct sy_standby_power sy_energy_standby(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    static const double MW = 1e-3, PJ = 1e-12;
    struct sy_standby_power out = {.asleep_w = 0};
    struct sy_price chips = chips_idle(chip, table);
    for (uint32_t l = 0; l < chip->levels; l++) {
        struct sy_price link = sy_price_level(chip, table, l, SY_IDLE_BYTE), phy = awake(chip, table, l);
        struct sy_price memory = background(chip, table, l, false), asleep = background(chip, table, l, true);
        add(&out.link, &link, link_rate(&chip->level[l]) * PJ);
        add(&out.phy, &phy, MW);
        add(&out.memory, &memory, MW);
        out.asleep_w += asleep.known ? asleep.pj * MW : 0;
    }
    add(&out.link, &chips, chip->links.bytes_per_s * PJ);
    return out;
}

/* ---- items ---- */

/* Bytes a link could have carried and did not, or nanoseconds in which nothing moved. */
static void remainder_item(struct sy_energy_account *account, const char *component, const char *action,
                           const struct sy_price *price, double count)
{
    struct sy_result *result = account->result;
    if (!price->known || !(count >= 1) || count > 1e18)
        return;
    sy_energy_add_item(account, component, action, (uint64_t)count, price);
    sy_energy_to_layers_by_time(result, count * price->pj * 1e-12);
    if (result->seconds > 0)
        result->base_w += count * price->pj * 1e-12 / result->seconds;
}

/* Nanoseconds of a level's run in which its bus was not moving data. */
static double still_ns(const struct sy_result *result, const struct sy_level *level, uint32_t l)
{
    double rate = level->read_bytes_per_s > 0 ? level->read_bytes_per_s : 0;
    double bytes = (double)(result->level[l].read_bytes + result->level[l].write_bytes);
    return (result->seconds - (rate > 0 ? bytes / rate : 0)) * 1e9;
}

void sy_energy_standby_items(struct sy_energy_account *account)
{
    struct sy_result *result = account->result;
    const struct sy_chip *chip = account->chip;
    double sent = 0;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        const struct sy_dram_stats *dram = sy_energy_dram_of(result, level->name);
        double bytes = (double)(result->level[l].read_bytes + result->level[l].write_bytes);
        struct sy_price link = sy_price_level(chip, account->table, l, SY_IDLE_BYTE);
        struct sy_price phy = awake(chip, account->table, l);
        struct sy_price memory = background(chip, account->table, l, false);
        if (level->kind == SY_LEVEL_DRAM && level->interface_on_die && !phy.known)
            sy_result_warn(result, "energy: table %s has no row for %s awake_s: the interface of %s is not in it",
                           account->table->name, level->energy_component ? level->energy_component : "dram",
                           level->name);
        remainder_item(account, level->name, sy_level_action_names[SY_IDLE_BYTE], &link,
                       link_rate(level) * result->seconds - bytes);
        remainder_item(account, level->name, sy_level_action_names[SY_AWAKE_NS], &phy, still_ns(result, level, l));
        if (!dram || !dram->power.has)
            remainder_item(account, level->name, sy_level_action_names[SY_IDLE_NS], &memory,
                           still_ns(result, level, l));
    }
    for (uint64_t i = 0; i < result->layers; i++)
        sent += (double)result->layer[i].link_bytes;
    struct sy_price chips = chips_idle(chip, account->table);
    remainder_item(account, "links", "idle_byte", &chips, chip->links.bytes_per_s * result->seconds - sent);
}
