/* SPDX-License-Identifier: Apache-2.0 */
/* What an area table may hold: a user's table that lacks an item leaves a part out, and one with a slip of the pen has
 * no effect; a run says both. */
#include <string.h>

#include "sim/base/text.h"
#include "sim/stats/area.h"

const char *const sy_area_items[] = {
    "add_fp32_um2",
    "add_int32_um2",
    "bitcell_um2",
    "cacti_cell_f2",
    "clock_wake_cycles",
    "control_share",
    "core_interconnect_mtr",
    "ddr_controller_mtr",
    "ddr_edge_mm",
    "ddr_phy_mm2",
    "density_mtr_mm2",
    "floorplan_fill",
    "flop_share",
    "hbm_controller_mtr",
    "hbm_edge_mm",
    "hbm_phy_mm2",
    "lane_buffer_words",
    "lane_float_um2",
    "lane_integer_um2",
    "lane_select_bit_um2",
    "lane_table_bits",
    "layout_utilization",
    "leak_hp_300k",
    "leak_hp_400k",
    "leak_lstp_300k",
    "leak_lstp_400k",
    "link_controller_mtr",
    "link_edge_mm",
    "link_phy_mm2",
    "logic_leak_mw_mm2",
    "macro_layout_overhead",
    "other_share",
    "pcie3_controller_mtr",
    "pcie3_phy_mm2",
    "pcie4_controller_mtr",
    "pcie4_phy_mm2",
    "pcie5_controller_mtr",
    "pcie5_phy_mm2",
    "pcie_edge_mm",
    "pcie_lanes",
    "pe_control_bits",
    "phy_wake_us",
    "power_density_w_mm2",
    "register_bit_um2",
    "reticle_mm2",
    "seal_ring_mm",
    "spad_bit_um2",
    "spad_sram_words",
    "sram_efficiency",
    "supply_nf_mm2",
    "supply_ramp_us",
    "supply_v",
    NULL,
};

/* mac_FORMAT_um2: a format the table has no MAC of cannot be sized, which only matters to chips that have it. */
static bool is_mac(const char *item)
{
    for (int d = 0; d < SY_DTYPE_COUNT; d++) {
        size_t length = strlen(sy_dtypes[d].name);
        if (!strncmp(item, "mac_", 4) && !strncmp(item + 4, sy_dtypes[d].name, length) &&
            !strcmp(item + 4 + length, "_um2"))
            return true;
    }
    return false;
}

static bool is_item(const char *item)
{
    for (size_t i = 0; sy_area_items[i]; i++)
        if (!strcmp(sy_area_items[i], item))
            return true;
    return is_mac(item);
}

void sy_area_warn_items(struct sy_result *result, const struct sy_figure_table *table)
{
    struct sy_buf missing = {0}, strange = {0};
    for (size_t i = 0; sy_area_items[i]; i++) {
        bool found = false;
        for (uint32_t r = 0; r < table->rows && !found; r++)
            found = !strcmp(table->row[r].item, sy_area_items[i]);
        if (!found)
            sy_buf_printf(&missing, "%s%s", missing.length ? ", " : "", sy_area_items[i]);
    }
    for (uint32_t r = 0; r < table->rows; r++)
        if (!is_item(table->row[r].item))
            sy_buf_printf(&strange, "%s%.60s", strange.length ? ", " : "", table->row[r].item);
    if (missing.length && !missing.failed)
        sy_result_warn(result, "area: table %s has no rows for %s: what needs them is left out", table->name,
                       missing.data);
    if (strange.length && !strange.failed)
        sy_result_warn(result, "area: the model knows no item %s of table %s", strange.data, table->name);
    sy_buf_free(&missing);
    sy_buf_free(&strange);
}
