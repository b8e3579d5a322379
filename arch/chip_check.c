/* SPDX-License-Identifier: Apache-2.0 */
/* Completion and invariants of a chip; see arch/chip_check.h. */
#include "arch/chip_check.h"

#include <stdio.h>
#include <string.h>

#include "arch/chip_schema.h"
#include "arch/tree.h"
#include "sim/base/checked.h"

static const char operand_letter[SY_OPERANDS] = {'A', 'B', 'C'};

/* The node at level `index`, or one of its keys; the level itself when the key is absent. */
static const struct sy_yaml_node *level_node(const struct sy_yaml_node *root, uint32_t index, const char *key)
{
    const struct sy_yaml_node *memory = sy_yaml_get(root, "memory");
    const struct sy_yaml_node *level = sy_yaml_at(memory, index), *entry = key ? sy_yaml_get(level, key) : NULL;
    return entry ? entry : level ? level : memory;
}

static const struct sy_yaml_node *array_node(const struct sy_yaml_node *root, const char *key)
{
    const struct sy_yaml_node *array = sy_yaml_get(sy_yaml_get(root, "core"), "array");
    const struct sy_yaml_node *entry = sy_yaml_get(array, key);
    return entry ? entry : array;
}

/* ---- completion ---- */

static const struct sy_clock *find_clock(const struct sy_chip *chip, const char *name)
{
    for (uint32_t i = 0; i < chip->clocks; i++)
        if (!name || strcmp(chip->clock[i].name, name) == 0)
            return &chip->clock[i];
    return NULL;
}

/* B/cycle was stored negative by the reader, which does not know the clock. */
static void settle_rate(double *rate, const struct sy_clock *clock)
{
    if (*rate < 0 && clock)
        *rate = -*rate * (double)clock->frequency.num / (double)clock->frequency.den;
}

/* Put a rate that the file does not give and show it with the reason. */
static enum sy_status derive_rate(struct sy_schema_context *context, const struct sy_level *level, const char *key,
                                  double *slot, double rate, const char *reason)
{
    char group[SY_PATH_MAX];
    *slot = rate;
    (void)snprintf(group, sizeof group, "memory.%s", level->name);
    return sy_schema_derived(context, group, key, sy_schema_field(&sy_level_schema, key), slot, reason);
}

/* A place that outlives the nodes. */
static bool note_place(struct sy_arena *arena, const struct sy_yaml_node *node, struct sy_where *place)
{
    *place = sy_yaml_where(node);
    if (place->file)
        place->file = sy_arena_strdup(arena, place->file);
    return place->file || !sy_yaml_where(node).file;
}

static enum sy_status complete_level(struct sy_schema_context *context, const struct sy_chip *chip,
                                     struct sy_level *level, const struct sy_yaml_node *node)
{
    static const char *const component[] = {
        [SY_LEVEL_SRAM] = "sram", [SY_LEVEL_DRAM] = "dram", [SY_LEVEL_HOST] = "pcie"};
    const struct sy_clock *clock = find_clock(chip, level->clock);
    double cycles_per_s = clock ? (double)clock->frequency.num / (double)clock->frequency.den : 0;
    enum sy_status status = SY_OK;
    settle_rate(&level->read_bytes_per_s, clock);
    settle_rate(&level->write_bytes_per_s, clock);
    settle_rate(&level->fabric_bytes_per_s, clock);
    if (level->kind == SY_LEVEL_SRAM && !sy_yaml_get(node, "bandwidth"))
        status = derive_rate(context, level, "bandwidth", &level->read_bytes_per_s,
                             (double)level->banks * (double)level->ports * (double)level->width_bytes * cycles_per_s,
                             level->width_bytes ? "banks x ports x width x clock" : "no bandwidth and no width given");
    if (status == SY_OK && !sy_yaml_get(node, "write_bandwidth"))
        status = derive_rate(context, level, "write_bandwidth", &level->write_bytes_per_s, level->read_bytes_per_s,
                             "as bandwidth");
    if (!level->energy_component)
        level->energy_component = component[level->kind];
    return status;
}

static void complete_dataflow(struct sy_dataflow *dataflow)
{
    static const enum sy_dataflow_kind family[SY_OPERANDS] = {[SY_A] = SY_IS, [SY_B] = SY_WS, [SY_C] = SY_OS};
    dataflow->kind = dataflow->cols & SY_LOOP_OH ? SY_RS : family[dataflow->stationary];
}

/* ---- names ---- */

static void check_clocks(struct sy_schema_context *context, const struct sy_yaml_node *root, const struct sy_chip *chip)
{
    const struct sy_yaml_node *clocks = sy_yaml_get(root, "clocks");
    if (strcmp(chip->clock[0].name, "core") != 0)
        sy_schema_fail(context, sy_yaml_at(clocks, 0), "name it core, or put the core clock first",
                       "clocks: the first clock is '%s'; expected 'core'", chip->clock[0].name);
    for (uint32_t i = 0; i < chip->levels; i++)
        if (!find_clock(chip, chip->level[i].clock))
            sy_schema_fail(context, level_node(root, i, "clock"), "add it to clocks, or use core",
                           "memory.%s.clock: there is no clock '%s'", chip->level[i].name, chip->level[i].clock);
}

static void check_level_names(struct sy_schema_context *context, const struct sy_yaml_node *root,
                              const struct sy_chip *chip)
{
    for (uint32_t i = 0; i < chip->levels; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(chip->level[i].name, chip->level[j].name) == 0)
                sy_schema_fail(context, level_node(root, i, "name"), "choose another name",
                               "memory: level %u is named '%s' like level %u", i, chip->level[i].name, j);
}

/* ---- one level ---- */

static void check_sram(struct sy_schema_context *context, const struct sy_yaml_node *root, const struct sy_level *level,
                       uint32_t index)
{
    for (uint32_t operand = 0; operand < SY_C; operand++)
        if (level->layout[operand].first * level->layout[operand].second > 1 && !(level->holds >> operand & 1))
            sy_schema_fail(context, level_node(root, index, "layout"), NULL,
                           "memory.%s does not hold %c but gives it a layout", level->name, operand_letter[operand]);
    if (level->capacity_bytes == 0)
        sy_schema_fail(context, level_node(root, index, "capacity"), "write for example capacity: 256 KiB",
                       "memory.%s.capacity: an sram level needs a capacity", level->name);
}

static void check_backing(struct sy_schema_context *context, const struct sy_yaml_node *root,
                          const struct sy_level *level, uint32_t index)
{
    const struct sy_yaml_node *node = level_node(root, index, NULL);
    const struct sy_yaml_node *device = sy_yaml_get(node, "device");
    if (!sy_yaml_get(node, "bandwidth"))
        sy_schema_fail(context, node, "write for example bandwidth: 34 GB/s",
                       "memory.%s.bandwidth is missing; a %s level needs one", level->name,
                       level->kind == SY_LEVEL_DRAM ? "dram" : "host");
    if (level->refresh_time_ps > 0 && level->refresh_time_ps >= level->refresh_interval_ps)
        sy_schema_fail(context, level_node(root, index, "refresh_time"), NULL,
                       "memory.%s.refresh_time must be shorter than refresh_interval", level->name);
    if (device && context->data_dir)
        (void)sy_tree_has(context, device, "arch/dram");
}

static void check_level(struct sy_schema_context *context, const struct sy_yaml_node *root,
                        const struct sy_level *level, uint32_t index)
{
    uint64_t sum = 0;
    for (uint32_t operand = 0; operand < SY_OPERANDS; operand++) {
        bool held = level->holds & (UINT32_C(1) << operand);
        if (!held && (level->operand_bytes[operand] || level->depth_of[operand]))
            sy_schema_fail(context, level_node(root, index, level->operand_bytes[operand] ? "split" : "depth_of"), NULL,
                           "memory.%s does not hold %c but gives it %s", level->name, operand_letter[operand],
                           level->operand_bytes[operand] ? "bytes" : "a depth");
        if (!sy_add(sum, level->operand_bytes[operand], &sum))
            sum = UINT64_MAX;
    }
    if (level->capacity_bytes && sum > level->capacity_bytes)
        sy_schema_fail(context, level_node(root, index, "split"), NULL,
                       "memory.%s.split: the parts add up to more than the capacity", level->name);
    if (level->accumulates && !(level->holds & (1u << SY_C)))
        sy_schema_fail(context, level_node(root, index, "accumulates"), "add C to holds",
                       "memory.%s accumulates but does not hold C", level->name);
    if (level->kind == SY_LEVEL_SRAM)
        check_sram(context, root, level, index);
    else
        check_backing(context, root, level, index);
}

/* ---- chains: every operand has on-chip storage and, outermost, a backing store ---- */

static void check_chains(struct sy_schema_context *context, const struct sy_yaml_node *root, const struct sy_chip *chip)
{
    const struct sy_yaml_node *memory = sy_yaml_get(root, "memory");
    for (uint32_t operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t chain[SY_MAX_LEVELS], count = sy_chip_chain(chip, (enum sy_operand)operand, chain), sram = 0;
        char letter = operand_letter[operand];
        for (uint32_t i = 0; i < count; i++) {
            const struct sy_level *level = &chip->level[chain[i]];
            sram += level->kind == SY_LEVEL_SRAM;
            if (level->kind != SY_LEVEL_SRAM && i + 1 < count)
                sy_schema_fail(context, level_node(root, chain[i], NULL), "levels are listed inner to outer",
                               "memory.%s is a backing store of %c, but memory.%s lies outside it", level->name, letter,
                               chip->level[chain[i + 1]].name);
        }
        if (count == 0)
            sy_schema_fail(context, memory, "add it to the holds of at least one sram and one dram or host level",
                           "memory: operand %c is held by no level", letter);
        else if (chip->level[chain[count - 1]].kind == SY_LEVEL_SRAM)
            sy_schema_fail(context, memory, "add a level of kind dram or host that holds it",
                           "memory: operand %c has no backing store; its outermost level is %s", letter,
                           chip->level[chain[count - 1]].name);
        if (count > 0 && sram == 0)
            sy_schema_fail(context, memory, "add a level of kind sram that holds it",
                           "memory: operand %c has no level on the chip", letter);
    }
}

/* ---- capacity: the smallest thing the array can work on has to fit ---- */

/* Elements of an operand one array needs at once: a whole fold of the stationary one, one beat of the others. */
static uint64_t least_elements(const struct sy_array *array, const struct sy_dataflow *dataflow, uint32_t operand)
{
    uint64_t fold = array->rows * array->cols; /* both at most 65536 */
    if (operand == dataflow->stationary)
        return fold;
    if (dataflow->kind == SY_OS)
        return operand == SY_A ? array->rows : array->cols;
    return operand == SY_C ? array->cols : array->rows;
}

static uint64_t least_bytes(const struct sy_chip *chip, const struct sy_level *level,
                            const struct sy_dataflow *dataflow, uint32_t operand)
{
    uint64_t smallest = UINT64_MAX, elements = least_elements(&chip->array, dataflow, operand);
    for (uint32_t i = 0; i < chip->array.precisions; i++) {
        const struct sy_precision *precision = &chip->array.precision[i];
        uint64_t bytes;
        enum sy_dtype format = operand == SY_A                                 ? precision->a
                               : operand == SY_B                               ? precision->b
                               : level->accumulates || dataflow->kind != SY_OS ? precision->accumulator
                                                                               : precision->a;
        if (sy_dtype_bytes(format, elements, &bytes))
            smallest = sy_min(smallest, bytes);
    }
    return smallest;
}

/* Bytes of the held operands together for the dataflow that needs least. A single buffer each: fewer than the level's
 * depth costs overlap, not correctness. */
static uint64_t level_need(const struct sy_chip *chip, const struct sy_level *level)
{
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < chip->array.dataflows; i++) {
        uint64_t need = 0;
        for (uint32_t operand = 0; operand < SY_OPERANDS; operand++)
            if ((level->holds & (UINT32_C(1) << operand)) &&
                !sy_add(need, least_bytes(chip, level, &chip->array.dataflow[i], operand), &need))
                need = UINT64_MAX;
        best = sy_min(best, need);
    }
    return best;
}

static void check_capacity(struct sy_schema_context *context, const struct sy_yaml_node *root,
                           const struct sy_chip *chip)
{
    for (uint32_t i = 0; i < chip->levels; i++) {
        const struct sy_level *level = &chip->level[i];
        uint64_t need = level_need(chip, level);
        if (level->capacity_bytes && level->capacity_bytes < need)
            sy_schema_fail(
                context, level_node(root, i, "capacity"), "enlarge it, or make the array smaller",
                "memory.%s.capacity: %llu bytes do not hold one tile of a %llu x %llu array, which needs %llu",
                level->name, (unsigned long long)level->capacity_bytes, (unsigned long long)chip->array.rows,
                (unsigned long long)chip->array.cols, (unsigned long long)need);
    }
}

/* ---- translation ---- */

static void check_tlb(struct sy_schema_context *context, const struct sy_yaml_node *root,
                      const struct sy_tlb_config *tlb)
{
    const struct sy_yaml_node *dma = sy_yaml_get(sy_yaml_get(root, "core"), "dma"), *node = sy_yaml_get(dma, "tlb");
    const struct sy_yaml_node *ways = sy_yaml_get(node, "ways"), *page = sy_yaml_get(node, "page");
    if (tlb->ways && tlb->entries % tlb->ways)
        sy_schema_fail(context, ways ? ways : node, "for example 64 entries in sets of 4 ways",
                       "core.dma.tlb.ways: %llu entries are no whole sets of %llu ways",
                       (unsigned long long)tlb->entries, (unsigned long long)tlb->ways);
    if (tlb->page_bytes & (tlb->page_bytes - 1))
        sy_schema_fail(context, page ? page : node, "for example 4 KiB", "core.dma.tlb.page: %llu B is no power of two",
                       (unsigned long long)tlb->page_bytes);
}

/* ---- array ---- */

static void check_array(struct sy_schema_context *context, const struct sy_yaml_node *root, const struct sy_chip *chip)
{
    const struct sy_array *array = &chip->array;
    const struct sy_yaml_node *dataflows = array_node(root, "dataflows"), *precisions = array_node(root, "precisions");
    if (sy_array_timing_check(&array->timing, sy_yaml_where(sy_yaml_use(array_node(root, "timing"))), context->diag) !=
        SY_OK)
        context->errors++;
    for (uint32_t i = 0; i < array->dataflows; i++) {
        const struct sy_dataflow *dataflow = &array->dataflow[i];
        const struct sy_yaml_node *node = sy_yaml_use(sy_yaml_at(dataflows, i));
        if (dataflow->rows & dataflow->cols)
            sy_schema_fail(context, node, NULL, "core.array.dataflows.%s: a dimension is spread over rows and columns",
                           dataflow->name);
        if (!sy_array_runs(&array->timing, dataflow->kind))
            sy_schema_fail(context, node, "choose a dataflow the timing runs, or another timing",
                           "core.array.dataflows.%s: timing '%s' does not run %s dataflows", dataflow->name,
                           array->timing_name, sy_dataflow_name(dataflow->kind));
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(dataflow->name, array->dataflow[j].name) == 0)
                sy_schema_fail(context, node, "list it once", "core.array.dataflows: '%s' is listed twice",
                               dataflow->name);
    }
    for (uint32_t i = 0; i < array->precisions; i++)
        for (uint32_t j = 0; j < i; j++)
            if (array->precision[i].a == array->precision[j].a && array->precision[i].b == array->precision[j].b)
                sy_schema_fail(context, sy_yaml_at(precisions, i), "list it once",
                               "core.array.precisions: %s x %s is listed twice", sy_dtypes[array->precision[i].a].name,
                               sy_dtypes[array->precision[i].b].name);
}

enum sy_status sy_chip_complete(struct sy_schema_context *context, const struct sy_yaml_node *root,
                                struct sy_chip *chip)
{
    const struct sy_yaml_node *energy = sy_yaml_get(root, "energy");
    uint32_t before = context->errors;
    for (uint32_t i = 0; i < chip->array.dataflows; i++)
        complete_dataflow(&chip->array.dataflow[i]);
    for (uint32_t i = 0; i < chip->levels; i++)
        if (complete_level(context, chip, &chip->level[i], level_node(root, i, NULL)) != SY_OK ||
            !note_place(chip->arena, level_node(root, i, "burst"), &chip->level[i].burst_at))
            return SY_NOMEM;
    settle_rate(&chip->dma.bandwidth_bytes_per_s, &chip->clock[0]);
    settle_rate(&chip->interconnect.port_bytes_per_s, &chip->clock[0]);
    settle_rate(&chip->interconnect.bytes_per_s, &chip->clock[0]);
    check_clocks(context, root, chip);
    check_level_names(context, root, chip);
    for (uint32_t i = 0; i < chip->levels; i++)
        check_level(context, root, &chip->level[i], i);
    check_chains(context, root, chip);
    check_capacity(context, root, chip);
    check_array(context, root, chip);
    check_tlb(context, root, &chip->dma.tlb);
    sy_chip_check_interconnect(context, root, &chip->interconnect);
    if (energy && context->data_dir)
        (void)sy_tree_has(context, energy, "arch/energy");
    return context->errors == before ? SY_OK : SY_INPUT;
}
