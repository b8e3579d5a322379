/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JEDEC parameters to command distances.
 *
 * Distances follow the formulas of the two simulators the model is checked
 * against: read to write CL + burst + tRTRS - CWL, write to read CWL + burst +
 * tWTR, write to precharge CWL + burst + tWR, read to precharge tRTP, bursts
 * apart by max(burst, tCCD). JEDEC counts from the last clock of a command
 * that takes several, the model from the first, so a distance grows by what
 * the first command lasts longer than one clock and shrinks by the second's.
 */
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_channel.h"

struct place {
    uint32_t pseudochannel, rank, group;
};

static struct place place_of(const struct sy_dram_organization *org, uint32_t bank)
{
    const uint32_t group = bank / org->banks_per_group;
    return (struct place){.group = group % org->bankgroups,
                          .rank = group / org->bankgroups % org->ranks,
                          .pseudochannel = group / org->bankgroups / org->ranks};
}

static uint32_t groups_of(const struct sy_dram_organization *org)
{
    return org->pseudochannels * org->ranks * org->bankgroups;
}

static int32_t larger(uint32_t a, uint32_t b)
{
    return (int32_t)(a > b ? a : b);
}

/* Distances between column commands and activates of two banks in different groups or the same. */
struct pair {
    int32_t read_read, read_write, write_read, write_write, act_act;
};

static struct pair pair_distances(const struct sy_dram_device *device, struct place from, struct place to)
{
    const struct sy_dram_timing *t = &device->timing;
    const bool stacked = device->org.ranks_are_stacked;
    if (from.pseudochannel != to.pseudochannel)
        return (struct pair){0};
    if (from.rank != to.rank && !stacked) { /* other rank: only the data bus is shared */
        const int32_t write_read = (int32_t)(t->CWL + t->burst + t->tRTRS) - (int32_t)t->CL;
        return (struct pair){.read_read = (int32_t)(t->burst + t->tRTRS),
                             .read_write = (int32_t)(t->CL + t->burst + t->tRTRS) - (int32_t)t->CWL,
                             .write_read = write_read > 0 ? write_read : 0,
                             .write_write = (int32_t)t->burst};
    }
    /* with a single bank group the short distances apply everywhere */
    const bool same = from.rank == to.rank && from.group == to.group && device->org.bankgroups > 1;
    struct pair pair = {
        .read_read = larger(t->burst, same ? t->tCCD_L : t->tCCD_S),
        .read_write = (int32_t)t->tRTW,
        .write_read = (int32_t)(t->CWL + (same ? t->burst_max + t->tWTR_L : t->burst + t->tWTR_S)),
        .write_write = larger(t->burst, same ? t->tCCD_L_wr : t->tCCD_S_wr),
        .act_act = (int32_t)(same ? t->tRRD_L : t->tRRD_S),
    };
    if (from.rank != to.rank)
        pair.read_read = larger(t->burst, t->tCCD_R);
    return pair;
}

static void fill_pairs(struct sy_dram_plan *plan, const struct sy_dram_device *device)
{
    const struct sy_dram_organization *org = &device->org;
    const uint32_t groups = groups_of(org);
    for (uint32_t g = 0; g < groups; g++) {
        const struct place from = place_of(org, g * org->banks_per_group);
        for (uint32_t i = 0; i < SY_LANES_MAX; i++) {
            const struct pair pair = pair_distances(device, from, place_of(org, i % groups * org->banks_per_group));
            plan->read_read[g].v[i] = pair.read_read;
            plan->read_write[g].v[i] = pair.read_write;
            plan->write_read[g].v[i] = pair.write_read;
            plan->write_write[g].v[i] = pair.write_write;
            plan->act_act[g].v[i] = pair.act_act;
        }
    }
}

static void fill_domains(struct sy_dram_plan *plan, const struct sy_dram_organization *org)
{
    const uint32_t ranks = org->ranks_are_stacked ? 1 : org->ranks;
    plan->domains = org->pseudochannels * ranks;
    for (uint32_t b = 0; b < plan->banks; b++) {
        const struct place at = place_of(org, b);
        plan->group_of[b] = (uint8_t)(b / org->banks_per_group);
        plan->domain_of[b] = (uint8_t)(at.pseudochannel * ranks + (org->ranks_are_stacked ? 0 : at.rank));
    }
    for (uint32_t i = 0; i < SY_LANES_MAX; i++)
        plan->domain_mask[plan->domain_of[i % groups_of(org) * org->banks_per_group]].v[i] = -1;
}

/* Lanes run over the groups first; the shape is the smallest that holds the banks and repeats with the groups. */
static void fill_lanes(struct sy_dram_plan *plan, const struct sy_dram_organization *org)
{
    static const uint32_t lanes[SY_DRAM_SHAPES][2] = {{16, 8}, {32, 8}, {32, 16}, {64, 16}, {64, 64}};
    const uint32_t groups = groups_of(org);
    while (plan->banks > lanes[plan->shape][0] || groups > lanes[plan->shape][1])
        plan->shape++;
    for (uint32_t b = 0; b < plan->banks; b++)
        plan->lane_of[b] = (uint8_t)(b % org->banks_per_group * groups + b / org->banks_per_group);
    for (uint32_t b = 0; b < plan->banks; b++)
        plan->bank_of.v[plan->lane_of[b]] = (int32_t)b;
}

static void fill_bank_distances(struct sy_dram_plan *plan, const struct sy_dram_device *device)
{
    const struct sy_dram_timing *t = &device->timing;
    const struct sy_dram_command_bus *bus = &device->bus;
    const int32_t act = (int32_t)bus->activate - 1, pre = (int32_t)bus->precharge - 1, col = (int32_t)bus->column - 1;
    plan->act_read = (int32_t)t->tRCD_rd + act - col;
    plan->act_write = (int32_t)t->tRCD_wr + act - col;
    plan->act_pre = (int32_t)t->tRAS + act - pre;
    plan->act_act_same = (int32_t)t->tRC;
    plan->pre_act = (int32_t)t->tRP + pre - act;
    plan->read_pre = (int32_t)t->tRTP + col - pre;
    plan->write_pre = (int32_t)(t->CWL + t->burst + t->tWR) + col - pre;
    plan->read_auto_act = (int32_t)(t->tRTP + t->tRP) + col - act;
    plan->write_auto_act = (int32_t)(t->CWL + t->burst + t->tWR + t->tRP) + col - act;
    plan->pre_pre = (int32_t)t->tPPD;
    plan->pre_refresh = (int32_t)t->tRP + pre;
    plan->act_refresh = (int32_t)t->tRC + act;
    plan->faw = (int32_t)t->tFAW;
    plan->aw32 = (int32_t)t->t32AW;
    plan->act_clocks = (int32_t)bus->activate;
    plan->pre_clocks = (int32_t)bus->precharge;
    plan->column_clocks = (int32_t)bus->column;
    plan->two_buses = bus->buses == 2;
    plan->edge = bus->half_clock_edges;
    plan->split_activate = (int32_t)bus->split_activate;
    plan->data_clock_sync = bus->data_clock_sync;
    plan->data_clock_read = (int32_t)(t->CL + t->burst + bus->data_clock_post);
    plan->data_clock_write = (int32_t)(t->CWL + t->burst + bus->data_clock_post);
}

static void fill_refresh(struct sy_dram_plan *plan, const struct sy_dram_device *device,
                         const struct sy_dram_controller *controller)
{
    const struct sy_dram_timing *t = &device->timing;
    const int32_t act = (int32_t)device->bus.activate - 1;
    plan->refresh_per_bank = controller->refresh == SY_DRAM_REFRESH_PER_BANK;
    plan->refresh_staggered = controller->refresh_staggered || plan->refresh_per_bank;
    plan->refresh_blocks_channel = controller->refresh_blocks_channel;
    plan->refresh_on = controller->refresh != SY_DRAM_REFRESH_NONE;
    plan->nodes = plan->refresh_per_bank ? plan->banks : plan->domains;
    for (uint32_t b = 0; b < plan->banks; b++)
        plan->node_mask[plan->refresh_per_bank ? b : plan->domain_of[b]] |= UINT64_C(1) << b;
    const uint32_t whole = plan->refresh_per_bank && t->tRFCpb ? t->tRFCpb : t->tRFC;
    plan->refresh_act = (int32_t)whole - act;
    plan->refresh_other = plan->refresh_per_bank ? (int32_t)t->tRREFD - act : 0;
    uint32_t interval = t->tREFI;
    if (plan->refresh_per_bank)
        interval = t->tREFIpb ? t->tREFIpb : t->tREFI / plan->banks;
    else if (plan->refresh_staggered)
        interval = t->tREFI / plan->nodes;
    plan->refresh_interval = (int32_t)(interval ? interval : 1);
    plan->node_order_group_first = controller->arbitration == SY_DRAM_PER_BANK;
}

static uint32_t percent_of(uint32_t percent, uint32_t size)
{
    return percent * size / 100;
}

void sy_dram_plan_make(struct sy_dram_plan *plan, const struct sy_dram_device *device,
                       const struct sy_dram_controller *controller)
{
    memset(plan, 0, sizeof *plan);
    plan->banks = sy_dram_banks(&device->org);
    fill_lanes(plan, &device->org);
    fill_pairs(plan, device);
    fill_domains(plan, &device->org);
    fill_bank_distances(plan, device);
    plan->arbitration = controller->arbitration;
    plan->scheduler = controller->scheduler;
    plan->queue_size[0] = controller->read_queue;
    plan->queue_size[1] = controller->write_queue;
    plan->bank_queue = controller->bank_queue;
    plan->row_hit_cap = controller->row_hit_cap;
    if (controller->arbitration == SY_DRAM_PER_BANK) {
        const uint32_t start = percent_of(controller->drain_start_percent, controller->write_queue);
        plan->drain_start = start ? start : 1;
    } else { /* write mode above the start and until below the stop share: whole numbers that mean the same */
        plan->drain_start = percent_of(controller->drain_start_percent, controller->write_queue) + 1;
        plan->drain_stop = (controller->drain_stop_percent * controller->write_queue + 99) / 100;
        plan->drain_stop = plan->drain_stop ? plan->drain_stop : 1; /* an empty queue always ends a drain */
    }
    plan->drain_idle = controller->drain_idle;
    plan->page = controller->page;
    plan->page_cap = controller->page_cap;
    plan->page_timeout = (int32_t)controller->page_timeout;
    plan->first_clock = (int32_t)controller->first_clock;
    plan->read_return = (int32_t)(device->timing.CL + device->timing.burst + controller->return_clocks);
    fill_refresh(plan, device, controller);
}

void sy_dram_plan_space_columns(struct sy_dram_plan *plan, uint64_t clocks)
{
    const int32_t apart = (int32_t)sy_min(clocks, SY_DRAM_MAX_CLOCKS);
    struct sy_lanes *const distances[] = {plan->read_read, plan->read_write, plan->write_read, plan->write_write};
    for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++)
        for (uint32_t g = 0; g < SY_DRAM_MAX_GROUPS; g++)
            for (uint32_t i = 0; i < SY_LANES_MAX; i++)
                if (distances[d][g].v[i] < apart)
                    distances[d][g].v[i] = apart;
}
