/* SPDX-License-Identifier: Apache-2.0 */
/* Prices of a chip's actions. See energy_price.h and energy.h. */
#include "sim/stats/energy_price.h"

#include <math.h>
#include <string.h>

#include "sim/base/checked.h"

/* Mean Manhattan distance from a point of a square to the middle of one edge, in sides: 1/2 across and 1/4 along. */
static const double PORT_DISTANCE = 0.75;
/* A line of a crossbar runs across the lines of all ports of the other side, at a pitch of 0.2 um: an assumption. A
 * router's has five ports of 128 bits: in and out. */
static const double LINE_PITCH_MM = 0.0002, CROSSBAR_MM = 0.256;
enum { PORT_BITS = 128 };
/* Range of a CACTI energy: half the difference of neighbouring objectives below; above, published caches with tags at
 * 45 nm (Horowitz, ISSCC 2014, recalled) cost 1.3 to 2 times as much. */
static const double CACTI_LOW = 0.75, CACTI_HIGH = 2;
/* Leakage: low-standby-power cells are the nominal; CACTI's moves about 4 times between 300 and 350 K at 22 nm. */
static const double LEAKAGE_LOW = 0.25, LEAKAGE_HIGH = 4;

const char *const sy_array_action_names[SY_ARRAY_ACTIONS] = {"register_bit", "wire_bit", "edge_bit", "spad_word",
                                                             "bus_bit"};
const char *const sy_level_action_names[SY_LEVEL_ACTIONS] = {
    "read_byte", "write_byte", "wire_byte",     "die_byte",      "router_byte", "idle_byte",
    "awake_ns",  "idle_ns",    "activate",      "read_burst",    "write_burst", "refresh",
    "active_ns", "standby_ns", "power_down_ns", "interface_byte"};
const char *const sy_crossbar_action_names[2] = {"shared_byte", "core_byte"};
const char *const sy_vector_action_names[SY_VECTOR_ACTIONS] = {"simple", "transcendental", "reduce"};

const char *sy_mac_action(enum sy_dtype a, enum sy_dtype b)
{
    return sy_dtypes[sy_dtype_plain(sy_dtypes[a].bits >= sy_dtypes[b].bits ? a : b)].name;
}

void sy_price_scale(struct sy_price *price, double by, const char *factor)
{
    price->pj *= by;
    price->low_pj *= by;
    price->high_pj *= by;
    price->factor = factor;
}

/* An energy on the chip at the chip's own supply. */
static void at_supply(const struct sy_energy_table *table, struct sy_price *price)
{
    const struct sy_conditions *conditions = table->setup ? &table->setup->conditions : NULL;
    if (!conditions || !conditions->voltage || !price->known)
        return;
    sy_price_scale(price, conditions->dynamic, price->factor);
    price->condition = conditions->voltage;
}

struct sy_price sy_price_row(const struct sy_energy_table *table, const char *component, const char *action,
                             uint64_t bytes, double node_nm, double bits)
{
    struct sy_energy_cost cost;
    struct sy_price price = {.known = false};
    if (sy_energy_lookup(table, component, action, bytes, node_nm, &cost) != SY_OK)
        return price;
    price = (struct sy_price){
        true,      cost.pj, cost.low_pj,       cost.high_pj, cost.below->source, cost.below->confidence,
        cost.rule, NULL,    cost.extrapolated, NULL};
    if (bits > 0 && cost.bits)
        sy_price_scale(&price, bits / (double)cost.bits, NULL);
    return price;
}

struct sy_price sy_price_overridden(const struct sy_energy_table *table, const char *component, const char *action,
                                    struct sy_price price)
{
    const struct sy_energy_setup *setup = table->setup;
    for (uint32_t i = 0; setup && i < setup->overrides; i++) {
        const struct sy_energy_override *own = &setup->override[i];
        if (!strcmp(own->component, component) && !strcmp(own->action, action))
            return (struct sy_price){true,       own->pj, own->pj, own->pj, own->source, "given by the user",
                                     "replaced", NULL,    false,   NULL};
    }
    return price;
}

struct sy_price sy_price_mac(const struct sy_chip *chip, const struct sy_energy_table *table, const char *format)
{
    struct sy_price price = sy_price_row(table, "mac", format, 0, (double)chip->process_nm, 0);
    at_supply(table, &price);
    return sy_price_overridden(table, "mac", format, price);
}

static void subtract(struct sy_price *price, const struct sy_price *part)
{
    if (!part->known)
        return;
    price->pj = price->pj > part->pj ? price->pj - part->pj : 0;
    price->low_pj = price->low_pj > part->low_pj ? price->low_pj - part->low_pj : 0;
    price->high_pj = price->high_pj > part->high_pj ? price->high_pj - part->high_pj : 0;
    if (price->low_pj > price->pj)
        price->low_pj = price->pj;
    if (price->high_pj < price->pj)
        price->high_pj = price->pj;
}

/* A bit into a register, without its clock, which is priced by time. */
static struct sy_price register_write(const struct sy_energy_table *table, double node_nm)
{
    struct sy_price clock = sy_price_row(table, "register", "clock", 0, node_nm, 1);
    struct sy_price price = sy_price_row(table, "register", "write", 0, node_nm, 1);
    subtract(&price, &clock);
    sy_price_scale(&price, table->toggle_share, "less its clock, x toggle share");
    return price;
}

/* To the next PE; over the buses that reach all PEs of a column and of a row. Not known without areas. */
static struct sy_price array_wire(const struct sy_chip *chip, const struct sy_energy_table *table, bool bus)
{
    const struct sy_clocked *clocked = table->setup ? &table->setup->clocked : NULL;
    struct sy_price price = {.known = false};
    if (!clocked || !clocked->known || clocked->pitch_mm <= 0)
        return price;
    double low = bus ? 0.5 : 1; /* a bus cut into segments drives half of them in the mean */
    price = sy_price_row(table, "wire", "bit_mm", 0, (double)chip->process_nm, 1);
    sy_price_scale(&price, clocked->pitch_mm * (bus ? (double)(chip->array.rows + chip->array.cols) : 1),
                   bus ? "x a column's bus and a row's" : "x PE pitch");
    price.low_pj *= low;
    return price;
}

struct sy_price sy_price_array(const struct sy_chip *chip, const struct sy_energy_table *table,
                               enum sy_array_action action)
{
    double node_nm = (double)chip->process_nm;
    struct sy_price price;
    if (action == SY_WIRE_BIT || action == SY_BUS_BIT) {
        price = array_wire(chip, table, action == SY_BUS_BIT);
    } else if (action == SY_SPAD_WORD) {
        double bits = chip->array.precisions ? sy_dtypes[chip->array.precision[0].a].bits : 16;
        price = sy_price_row(table, "register-file", "access", 0, node_nm, bits);
    } else {
        price = register_write(table, node_nm);
    }
    at_supply(table, &price);
    return sy_price_overridden(table, "array", sy_array_action_names[action], price);
}

struct sy_price sy_price_dma(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    struct sy_price price = register_write(table, (double)chip->process_nm);
    sy_price_scale(&price, 8 * 2, "less its clock, x toggle share, x 8 bits in and out");
    at_supply(table, &price);
    return sy_price_overridden(table, "dma", "byte", price);
}

struct sy_price sy_price_vector(const struct sy_chip *chip, const struct sy_energy_table *table,
                                enum sy_vector_action action)
{
    /* A simple or cross-lane operation is priced as an addition, a transcendental one as a multiplication (the last
     * step of a table look-up with interpolation): assumptions. */
    const struct sy_array *array = &chip->array;
    bool is_float = array->precisions && sy_dtypes[array->precision[0].accumulator].is_float;
    const char *component = action == SY_TRANSCENDENTAL ? "multiply" : "add";
    struct sy_price price = sy_price_row(table, component, is_float ? "fp32" : "int32", 0, (double)chip->process_nm, 0);
    price.factor = action == SY_TRANSCENDENTAL ? "as one multiplication" : "as one addition";
    at_supply(table, &price);
    return sy_price_overridden(table, "vector", sy_vector_action_names[action], price);
}

/* ---- memory levels ---- */

static const struct sy_level_sram *sram_of(const struct sy_energy_table *table, uint32_t level)
{
    const struct sy_energy_setup *setup = table->setup;
    return setup ? &setup->level[level] : NULL;
}

static struct sy_price sram_price(const struct sy_level_sram *sram, enum sy_sram_figure figure, double per)
{
    bool composed = sram->bank.flags & SY_SRAM_COMPOSED, leakage = figure == SY_SRAM_LEAKAGE;
    double low = composed  ? 1
                 : leakage ? LEAKAGE_LOW
                           : CACTI_LOW,
           high = composed  ? 1
                  : leakage ? LEAKAGE_HIGH
                            : CACTI_HIGH;
    double value = sram->bank.figure[figure] * per;
    return (struct sy_price){true,
                             value,
                             value * low,
                             value * high,
                             sram->source,
                             sram->confidence,
                             sram->bank.rule,
                             NULL,
                             (sram->bank.flags & SY_SRAM_BEYOND) != 0,
                             NULL};
}

/* Wires between an SRAM's banks and its port, both ways counted where they are used. */
static struct sy_price port_wires(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level)
{
    const struct sy_level_sram *sram = sram_of(table, level);
    struct sy_price price = {.known = false};
    if (!sram || !sram->known)
        return price;
    double mm2 = sram->bank.figure[SY_SRAM_AREA] * (double)sy_max(chip->level[level].banks, 1);
    price = sy_price_row(table, "wire", "bit_mm", 0, (double)chip->process_nm, 8);
    bool grows = sram->earlier_mm2 > 0 && sram->bank.figure[SY_SRAM_AREA] > sram->earlier_mm2;
    sy_price_scale(&price, PORT_DISTANCE * sqrt(mm2),
                   grows ? "x 8 bits x distance to the port, not monotonic: smaller one generation earlier"
                         : "x 8 bits x distance to the port");
    return price;
}

/* Wires across the die: from its edge, or from a memory that cores share, to wherever the bytes are used. */
static struct sy_price die_wires(const struct sy_chip *chip, const struct sy_energy_table *table,
                                 const struct sy_level *level)
{
    const struct sy_clocked *clocked = table->setup ? &table->setup->clocked : NULL;
    bool far = level->kind != SY_LEVEL_SRAM || (level->shared && chip->cores > 1);
    struct sy_price price = {.known = false};
    if (!far || !clocked || !clocked->known)
        return price;
    price = sy_price_row(table, "wire", "bit_mm", 0, (double)chip->process_nm, 8);
    sy_price_scale(&price, PORT_DISTANCE * sqrt(clocked->die_mm2), "x 8 bits x mean way across the die");
    at_supply(table, &price);
    return price;
}

static void add_price(struct sy_price *sum, const struct sy_price *part, double times)
{
    sum->pj += part->pj * times;
    sum->low_pj += part->low_pj * times;
    sum->high_pj += part->high_pj * times;
}

/* The routers of a mesh between cores on that way: a hop writes an input and an output register and crosses a crossbar
 * of five ports; 2/3 of a side in the mean along each axis (uniform traffic), one hop at least. */
static struct sy_price routers(const struct sy_chip *chip, const struct sy_energy_table *table,
                               const struct sy_level *level)
{
    struct sy_price price = {.known = false};
    if (chip->cores < 2 || (level->kind == SY_LEVEL_SRAM && !level->shared) ||
        chip->interconnect.kind != SY_INTERCONNECT_NONE)
        return price; /* sy_price_crossbar instead */
    struct sy_price wire = sy_price_row(table, "wire", "bit_mm", 0, (double)chip->process_nm, 1);
    price = register_write(table, (double)chip->process_nm);
    double hops = 2.0 / 3 * sqrt((double)chip->cores);
    sy_price_scale(&price, 2, NULL);
    add_price(&price, &wire, CROSSBAR_MM);
    sy_price_scale(&price, 8 * (hops > 1 ? hops : 1), "x 8 bits x (two registers, a crossbar) x hops of a mesh");
    at_supply(table, &price);
    return price;
}

/* A register, and one line across those of all ports of the other side. */
struct sy_price sy_price_crossbar(const struct sy_chip *chip, const struct sy_energy_table *table, int core_side)
{
    const struct sy_interconnect *interconnect = &chip->interconnect;
    const double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    double bits = interconnect->port_bytes_per_s > 0 ? 8 * interconnect->port_bytes_per_s / hz : PORT_BITS, ports = 0;
    struct sy_price price = {.known = false};
    if (interconnect->kind != SY_INTERCONNECT_CROSSBAR)
        return price;
    for (uint32_t l = 0; l < chip->levels && core_side; l++)
        ports += chip->level[l].shared || chip->level[l].kind != SY_LEVEL_SRAM;
    ports = core_side ? ports : (double)sy_max(chip->cores, 1);
    struct sy_price wire = sy_price_row(table, "wire", "bit_mm", 0, (double)chip->process_nm, 1);
    price = register_write(table, (double)chip->process_nm);
    add_price(&price, &wire, ports * bits * LINE_PITCH_MM);
    sy_price_scale(&price, 8,
                   core_side ? "x 8 bits x (a register, a line across the memories' ports)"
                             : "x 8 bits x (a register, a line across the cores' ports)");
    at_supply(table, &price);
    return sy_price_overridden(table, "crossbar", sy_crossbar_action_names[core_side], price);
}

/* Say so when the same memory costs less in an older process. */
static void note_monotony(struct sy_price *price, double earlier)
{
    if (earlier > 0 && price->pj > earlier)
        price->factor = "not monotonic: less one generation earlier";
}

/* A byte through an SRAM's port, from the SRAM model. */
static struct sy_price model_price(const struct sy_level_sram *sram, bool write)
{
    struct sy_price price = sram_price(sram, write ? SY_SRAM_WRITE : SY_SRAM_READ, 8.0 / (double)sram->width_bits);
    note_monotony(&price, write ? sram->earlier_write_pj : sram->earlier_read_pj);
    return price;
}

/* A byte of a level, from the energy table. */
static struct sy_price table_price(const struct sy_chip *chip, const struct sy_energy_table *table,
                                   const struct sy_level *level, bool write)
{
    bool is_sram = level->kind == SY_LEVEL_SRAM;
    const char *component = level->energy_component ? level->energy_component : is_sram ? "sram" : "dram";
    return sy_price_row(table, component, write ? "write" : "read",
                        is_sram ? level->capacity_bytes / sy_max(level->banks, 1) : 0, (double)chip->process_nm, 8);
}

static bool behind_port(enum sy_level_action action)
{
    return action == SY_DIE_BYTE || action == SY_ROUTER_BYTE || action == SY_WIRE_BYTE;
}

/* The way of a byte behind a level's port. */
static struct sy_price way(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index,
                           enum sy_level_action action)
{
    const struct sy_level *level = &chip->level[index];
    return action == SY_DIE_BYTE      ? die_wires(chip, table, level)
           : action == SY_ROUTER_BYTE ? routers(chip, table, level)
                                      : port_wires(chip, table, index);
}

struct sy_price sy_price_level(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t index,
                               enum sy_level_action action)
{
    const struct sy_level *level = &chip->level[index];
    bool own_rows = level->energy_component && strcmp(level->energy_component, "sram") != 0;
    const struct sy_level_sram *sram = level->kind == SY_LEVEL_SRAM && !own_rows ? sram_of(table, index) : NULL;
    bool write = action == SY_WRITE_BYTE;
    struct sy_price price = {.known = false};
    if (action == SY_IDLE_BYTE && (level->kind != SY_LEVEL_HOST || !level->interface_on_die))
        return price;
    if (behind_port(action)) {
        price = way(chip, table, index, action);
    } else if (sram && sram->width_bits) {
        price = model_price(sram, write);
    } else {
        price = table_price(chip, table, level, write);
        if (sram)
            note_monotony(&price, write ? sram->earlier_write_pj : sram->earlier_read_pj);
    }
    if (level->kind == SY_LEVEL_SRAM)
        at_supply(table, &price);
    if (action == SY_IDLE_BYTE)
        sy_price_scale(&price, table->link_idle, "x share of an idle link");
    return sy_price_overridden(table, level->name, sy_level_action_names[action], price);
}

static bool has_cacti(const struct sy_level_sram *sram)
{
    return sram && sram->width_bits;
}

static void at_temperature(const struct sy_energy_table *table, struct sy_price *price, bool high_performance)
{
    const struct sy_conditions *conditions = table->setup ? &table->setup->conditions : NULL;
    if (!conditions || !conditions->temperature || !price->known)
        return;
    sy_price_scale(price, high_performance ? conditions->leakage_hp : conditions->leakage_lstp, price->factor);
    price->condition = conditions->temperature;
    price->extrapolated = price->extrapolated || conditions->beyond;
}

struct sy_price sy_price_clock(const struct sy_chip *chip, const struct sy_energy_table *table, bool array)
{
    const struct sy_clocked *clocked = table->setup ? &table->setup->clocked : NULL;
    struct sy_price price = {.known = false};
    if (!clocked || !clocked->known)
        return price;
    double ghz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den * 1e-9;
    price = sy_price_row(table, "register", "clock", 0, (double)chip->process_nm, 1);
    /* A table that states the tree alone has no range of it below or above. */
    double low = price.low_pj * ghz * fmin(table->clock_tree_low, table->clock_tree);
    double high = price.high_pj * ghz * fmax(table->clock_tree_high, table->clock_tree);
    sy_price_scale(&price, ghz * table->clock_tree * (array ? clocked->array_bits : clocked->other_bits),
                   "x flip-flops x clock x clock tree");
    price.low_pj = low * (array ? clocked->array_bits : clocked->other_low_bits);
    price.high_pj = high * (array ? clocked->array_bits : clocked->other_high_bits);
    at_supply(table, &price);
    return sy_price_overridden(table, array ? "array" : "chip", "clock_ns", price);
}

struct sy_price sy_price_logic_leakage(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    const struct sy_clocked *clocked = table->setup ? &table->setup->clocked : NULL;
    struct sy_price price = {.known = false};
    (void)chip;
    if (!clocked || !clocked->known || !clocked->leak_mw_mm2.row)
        return price;
    const struct sy_sourced *leak = &clocked->leak_mw_mm2;
    price = (struct sy_price){
        true,       leak->value, leak->low,          leak->high, leak->row->source, leak->row->confidence,
        leak->rule, NULL,        leak->extrapolated, NULL};
    sy_price_scale(&price, clocked->logic_mm2, "x logic area");
    at_temperature(table, &price, true);
    return sy_price_overridden(table, "logic", "leakage_ns", price);
}

struct sy_price sy_price_sram_leakage(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    struct sy_price total = {.known = false};
    double earlier_mw = 0;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        if (level->kind != SY_LEVEL_SRAM)
            continue;
        double copies = level->shared ? 1 : (double)chip->cores;
        const struct sy_level_sram *sram = sram_of(table, l);
        struct sy_price part;
        if (has_cacti(sram)) /* mW = pJ a nanosecond */
            part = sram_price(sram, SY_SRAM_LEAKAGE, (double)sy_max(level->banks, 1) * copies);
        else {
            part = sy_price_row(table, "sram", "leak_kib_s", 0, (double)chip->process_nm, 0);
            sy_price_scale(&part, (double)level->capacity_bytes / 1024 * copies * 1e-9, NULL);
        }
        if (!part.known)
            return part;
        at_temperature(table, &part, level->cell == SY_SRAM_HP);
        if (table->setup)
            earlier_mw += table->setup->level[l].earlier_leakage_mw * (double)sy_max(level->banks, 1) * copies;
        part.pj += total.pj;
        part.low_pj += total.low_pj;
        part.high_pj += total.high_pj;
        part.extrapolated = part.extrapolated || total.extrapolated;
        total = part;
    }
    note_monotony(&total, earlier_mw);
    return sy_price_overridden(table, "sram", "leakage_ns", total);
}

struct sy_price sy_price_link(const struct sy_chip *chip, const struct sy_energy_table *table)
{
    struct sy_price price = sy_price_row(table, "link", "access", 0, (double)chip->process_nm, 8);
    return sy_price_overridden(table, "links", "sent_byte", price);
}

/* ---- for the mapper and the TDP estimate ---- */

double sy_energy_pj_per_byte(const struct sy_chip *chip, const struct sy_energy_table *table, uint32_t level)
{
    struct sy_price read = sy_price_level(chip, table, level, SY_READ_BYTE);
    struct sy_price write = sy_price_level(chip, table, level, SY_WRITE_BYTE);
    struct sy_price wire = sy_price_level(chip, table, level, SY_WIRE_BYTE);
    struct sy_price die = sy_price_level(chip, table, level, SY_DIE_BYTE);
    double way = (wire.known ? wire.pj : 0) + (die.known ? die.pj : 0);
    return read.known && write.known ? (read.pj + write.pj) / 2 + way : 0;
}

double sy_energy_pj_per_mac(const struct sy_chip *chip, const struct sy_energy_table *table, enum sy_dtype a,
                            enum sy_dtype b)
{
    struct sy_price price = sy_price_mac(chip, table, sy_mac_action(a, b));
    return price.known ? price.pj : 0;
}

double sy_energy_peak_w(const struct sy_chip *chip, const struct sy_energy_table *table, double *off_chip_w)
{
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    double pes = (double)chip->array.rows * (double)chip->array.cols * (double)chip->array.count * (double)chip->cores;
    double array = 0, vector, memory = 0, outside = 0;
    for (uint32_t i = 0; i < chip->array.precisions; i++) {
        const struct sy_precision *precision = &chip->array.precision[i];
        double rate = (double)precision->macs_num / (double)precision->macs_den;
        double bits = sy_dtypes[precision->a].bits + sy_dtypes[precision->accumulator].bits;
        double pj =
            rate * sy_price_mac(chip, table, sy_mac_action(precision->a, precision->b)).pj +
            bits * (sy_price_array(chip, table, SY_REGISTER_BIT).pj + sy_price_array(chip, table, SY_WIRE_BIT).pj);
        array = pj > array ? pj : array;
    }
    vector = (double)chip->vector.lanes * (double)chip->cores * sy_price_vector(chip, table, SY_SIMPLE).pj;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        double copies = level->shared || level->kind != SY_LEVEL_SRAM ? 1 : (double)chip->cores;
        bool off_chip = level->kind != SY_LEVEL_SRAM; /* one bus for both directions */
        double watts =
            copies * (level->read_bytes_per_s * sy_price_level(chip, table, l, SY_READ_BYTE).pj +
                      (off_chip ? 0 : level->write_bytes_per_s * sy_price_level(chip, table, l, SY_WRITE_BYTE).pj));
        struct sy_price way[] = {sy_price_level(chip, table, l, SY_WIRE_BYTE),
                                 sy_price_level(chip, table, l, SY_DIE_BYTE),
                                 sy_price_level(chip, table, l, SY_ROUTER_BYTE)};
        double rate = level->read_bytes_per_s + (off_chip ? 0 : level->write_bytes_per_s);
        for (int side = 0; side < 2 && (off_chip || level->shared); side++)
            watts += sy_price_crossbar(chip, table, side).pj * rate;
        for (size_t w = 0; w < sizeof way / sizeof way[0]; w++)
            watts += way[w].known ? copies * way[w].pj * rate : 0;
        memory += watts;
        outside += off_chip ? watts : 0;
    }
    if (off_chip_w)
        *off_chip_w = outside * 1e-12;
    return (hz * (array * pes + vector) + memory) * 1e-12;
}
