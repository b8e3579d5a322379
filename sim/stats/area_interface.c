/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces off the die: a PHY with its pads and a controller each.
 *
 *   HBM    by stack of 1024 bits
 *   DDR    by 32 bits of data bus (pads and PHY go with the pins, not with the rate), of the node's own row
 *   PCIe   by lane, of the generation that the bandwidth a lane takes
 *   links  by 25 GB/s each way
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/stats/area_estimate.h"

enum { HBM_STACK_CHANNELS = 8, DDR_UNIT_BITS = 32 };
/* A DDR level has at least as many units as it has bandwidth of DDR5-4800. */
static const double DDR_UNIT_BYTES_PER_S = 19.2e9;
/* One NVLink 3: the unit of the links' rows. */
static const double LINK_UNIT_BYTES_PER_S = 25e9;

struct interface {
    const char *phy, *controller, *edge; /* items of the table */
    double count;
};

/* A PHY and its controller, `count` of them. */
static void put_interface(struct sy_area_estimating *e, const char *name, const struct interface *one)
{
    struct sy_sourced mm2, transistors, density, millimetres;
    char label[96];
    if (sy_area_look(e->table, one->phy, e->node_nm, &mm2)) {
        (void)snprintf(label, sizeof label, "%s PHY", name);
        sy_area_put(e, SY_AREA_PHY, label, one->count, &mm2, NULL);
    }
    if (sy_area_look(e->table, one->controller, e->node_nm, &transistors) &&
        sy_area_look(e->table, "density_mtr_mm2", e->node_nm, &density)) {
        sy_area_divide(&transistors, &density);
        (void)snprintf(label, sizeof label, "%s controller", name);
        sy_area_put(e, SY_AREA_CONTROLLER, label, one->count, &transistors, "transistors / logic density");
    }
    if (sy_area_look(e->table, one->edge, e->node_nm, &millimetres))
        e->area->edge_needed_mm += one->count * millimetres.value;
}

/* The generation of PCIe whose lanes carry this much: 0.985, 1.97, 3.94 GB/s each way. */
static struct interface pcie(double bytes_per_s, double lanes)
{
    double each = lanes > 0 ? bytes_per_s / lanes : 0;
    struct interface out = {"pcie5_phy_mm2", "pcie5_controller_mtr", "pcie_edge_mm", lanes};
    if (each <= 1e9) {
        out.phy = "pcie3_phy_mm2";
        out.controller = "pcie3_controller_mtr";
    } else if (each <= 2e9) {
        out.phy = "pcie4_phy_mm2";
        out.controller = "pcie4_controller_mtr";
    }
    return out;
}

static struct interface ddr(const struct sy_area_estimating *e, uint32_t l)
{
    const struct sy_level *level = &e->chip->level[l];
    double bits = e->setup ? (double)e->setup->standby[l].bus_bits * (double)sy_max(level->channels, 1) : 0;
    double units = fmax(bits / DDR_UNIT_BITS, level->read_bytes_per_s / DDR_UNIT_BYTES_PER_S);
    return (struct interface){"ddr_phy_mm2", "ddr_controller_mtr", "ddr_edge_mm", units};
}

void sy_area_put_interfaces(struct sy_area_estimating *e)
{
    for (uint32_t l = 0; l < e->chip->levels; l++) {
        const struct sy_level *level = &e->chip->level[l];
        const char *kind = level->energy_component ? level->energy_component : "";
        double channels = level->channels ? (double)level->channels : HBM_STACK_CHANNELS;
        struct sy_sourced lanes;
        if (!level->interface_on_die || level->kind == SY_LEVEL_SRAM)
            continue;
        struct interface one = {"hbm_phy_mm2", "hbm_controller_mtr", "hbm_edge_mm",
                                ceil(channels / HBM_STACK_CHANNELS)};
        if (level->kind == SY_LEVEL_HOST || !strcmp(kind, "pcie")) {
            if (!sy_area_look(e->table, "pcie_lanes", 0, &lanes))
                continue;
            one = pcie(level->read_bytes_per_s, lanes.value);
        } else if (strncmp(kind, "hbm", 3) != 0) {
            one = ddr(e, l);
        }
        put_interface(e, level->name, &one);
    }
    const struct interface links = {"link_phy_mm2", "link_controller_mtr", "link_edge_mm",
                                    e->chip->links.bytes_per_s / LINK_UNIT_BYTES_PER_S};
    if (links.count > 0)
        put_interface(e, "links", &links);
}
