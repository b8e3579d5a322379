/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a chip's energies need before a run: its SRAMs from the SRAM model or the
 * user's macros, the size of a PE, and the user's overrides, each of which must
 * name an action of this chip.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/yaml.h"
#include "sim/stats/area.h"
#include "sim/stats/energy_standby.h"
#include "sim/stats/energy_states.h"

enum { DEFAULT_PORT_BITS = 64, WIDEST_PORT_BITS = 1024 };

/* ---- SRAMs ---- */

/* One bank of a level, cut into parallel memories no wider than the model covers. Figures are those of one of them for
 * energy and time, of all for leakage and area. */
static struct sy_sram_config bank_of(const struct sy_chip *chip, const struct sy_level *level, uint64_t *slices)
{
    uint64_t width = level->width_bytes ? level->width_bytes * 8 : DEFAULT_PORT_BITS;
    *slices = sy_ceil_div(width, WIDEST_PORT_BITS);
    return (struct sy_sram_config){.node_nm = (double)chip->process_nm,
                                   .cell = level->cell,
                                   .capacity_bytes = level->capacity_bytes / sy_max(level->banks, 1) / *slices,
                                   .width_bits = width / *slices,
                                   .ports = sy_max(level->ports, 1),
                                   .banks = 1};
}

static void set_level(struct sy_level_sram *out, const struct sy_sram_config *config, uint64_t slices,
                      const char *source, const char *confidence)
{
    out->known = true;
    out->width_bits = config->width_bits;
    out->bank.figure[SY_SRAM_LEAKAGE] *= (double)slices;
    out->bank.figure[SY_SRAM_AREA] *= (double)slices;
    out->source = source;
    out->confidence = confidence;
}

/* The same bank one generation (0.7 in length) earlier, or at the smallest node the model has. */
static void look_back(const struct sy_sram_model *model, struct sy_sram_config config, uint64_t slices,
                      struct sy_level_sram *out)
{
    static const double GENERATION = 0.7;
    struct sy_sram_cost cost;
    double smallest_nm = sy_sram_smallest_node_nm(model, config.cell);
    config.node_nm /= GENERATION;
    config.node_nm = config.node_nm < smallest_nm ? smallest_nm : config.node_nm;
    if (sy_sram_estimate(model, &config, false, &cost) != SY_OK || cost.flags & SY_SRAM_BEYOND)
        return;
    out->earlier_nm = config.node_nm;
    out->earlier_read_pj = cost.figure[SY_SRAM_READ] * 8 / (double)config.width_bits;
    out->earlier_write_pj = cost.figure[SY_SRAM_WRITE] * 8 / (double)config.width_bits;
    out->earlier_mm2 = cost.figure[SY_SRAM_AREA] * (double)slices;
    out->earlier_leakage_mw = cost.figure[SY_SRAM_LEAKAGE] * (double)slices;
}

/* Below the nodes of the SRAM model: area from the bit cell; energy stays with the published rows (width_bits 0). */
static void from_bit_cells(struct sy_level_sram *out, const struct sy_chip *chip, const struct sy_level *level,
                           const struct sy_figure_table *area)
{
    struct sy_sourced cell, efficiency;
    if (!area || sy_figure_lookup(area, "bitcell_um2", (double)chip->process_nm, &cell) != SY_OK ||
        sy_figure_lookup(area, "sram_efficiency", 0, &efficiency) != SY_OK || efficiency.value <= 0)
        return;
    double bits = 8 * (double)level->capacity_bytes / (double)sy_max(level->banks, 1);
    *out = (struct sy_level_sram){.known = true, .source = cell.row->source, .confidence = cell.row->confidence};
    out->bank.rule = "bits x bit cell / array efficiency";
    out->bank.figure[SY_SRAM_AREA] = bits * cell.value / efficiency.value * 1e-6;
}

static enum sy_status price_sram(struct sy_energy_table *table, const struct sy_chip *chip, uint32_t index,
                                 const struct sy_energy_options *options, const struct sy_sram_model *model,
                                 const struct sy_sram_table *macros, struct sy_diag *diag)
{
    const struct sy_level *level = &chip->level[index];
    struct sy_level_sram *out = &table->setup->level[index];
    uint64_t slices;
    struct sy_sram_config config = bank_of(chip, level, &slices);
    if (macros->rows) {
        if (sy_sram_compose(macros, &config, &out->bank) != SY_OK)
            return sy_error(diag, SY_NOWHERE, "give macros of that node, of cell itrs-lstp and with enough ports",
                            "no macro of %s makes the banks of %s at %llu nm", options->sram_macros, level->name,
                            (unsigned long long)chip->process_nm);
        set_level(out, &config, slices, macros->name, "given by the user");
        return SY_OK;
    }
    if (sy_sram_estimate(model, &config, false, &out->bank) == SY_OK)
        set_level(out, &config, slices, sy_sram_cacti.name, "measured");
    else
        from_bit_cells(out, chip, level, options->area);
    look_back(model, config, slices, out);
    return SY_OK;
}

static void size_spads(struct sy_energy_table *table, const struct sy_chip *chip, const struct sy_sram_model *model)
{
    const struct sy_array_timing *timing = &chip->array.timing;
    if (!timing->row_stationary || !chip->array.precisions)
        return;
    const struct sy_precision *precision = &chip->array.precision[0];
    uint64_t a = sy_dtypes[precision->a].bits, b = sy_dtypes[precision->b].bits;
    const struct sy_spad spads[SY_SPADS] = {
        {timing->rs_ifmap_words, a, 0}, {timing->rs_filter_words, b, 0}, {timing->rs_sum_words, a, 0}};
    for (int i = 0; i < SY_SPADS; i++) {
        struct sy_spad *spad = &table->setup->spad[i];
        struct sy_sram_cost cost;
        *spad = spads[i];
        struct sy_sram_config config = {.node_nm = (double)chip->process_nm,
                                        .cell = SY_SRAM_LSTP,
                                        .capacity_bytes = sy_ceil_div(spad->words * spad->bits, 8),
                                        .width_bits = spad->bits,
                                        .ports = 1,
                                        .banks = 1};
        if (sy_sram_estimate(model, &config, false, &cost) == SY_OK)
            spad->sram_um2 = cost.figure[SY_SRAM_AREA] * 1e6;
    }
}

static enum sy_status price_srams(struct sy_energy_table *table, const struct sy_chip *chip,
                                  const struct sy_energy_options *options, struct sy_diag *diag)
{
    struct sy_sram_table macros = {0};
    struct sy_arena *scratch = sy_arena_create(NULL, 0);
    struct sy_sram_model *model = scratch ? sy_sram_model_create(scratch, &sy_sram_cacti) : NULL;
    enum sy_status status = model ? SY_OK : SY_NOMEM;
    if (status == SY_OK && options->sram_macros)
        status = sy_sram_load(table->arena, options->sram_macros, &macros, diag);
    for (uint32_t l = 0; status == SY_OK && l < chip->levels; l++)
        if (chip->level[l].kind == SY_LEVEL_SRAM && chip->level[l].capacity_bytes)
            status = price_sram(table, chip, l, options, model, &macros, diag);
    if (status == SY_OK)
        size_spads(table, chip, model);
    sy_arena_destroy(scratch);
    return status;
}

/* ---- overrides ---- */

/* The name of the i-th action of a chip's items; false past the end. */
static bool action_name(const struct sy_chip *chip, uint32_t i, const char **component, const char **action)
{
    static const char *const times[][2] = {
        {"crossbar", "shared_byte"}, {"crossbar", "core_byte"}, {"mac", "gated"},       {"links", "sent_byte"},
        {"links", "idle_byte"},      {"dma", "byte"},           {"chip", "leakage_ns"}, {"chip", "clock_ns"},
        {"sram", "leakage_ns"},      {"logic", "leakage_ns"},   {"array", "clock_ns"},  {"array", "gated_ns"}};
    uint32_t count = sizeof times / sizeof times[0];
    if (i < SY_DTYPE_NATIVE_COUNT) {
        *component = "mac";
        *action = sy_dtypes[i].name;
        return true;
    }
    i -= SY_DTYPE_NATIVE_COUNT;
    if (i < SY_ARRAY_ACTIONS + SY_VECTOR_ACTIONS) {
        bool array = i < SY_ARRAY_ACTIONS;
        *component = array ? "array" : "vector";
        *action = array ? sy_array_action_names[i] : sy_vector_action_names[i - SY_ARRAY_ACTIONS];
        return true;
    }
    i -= SY_ARRAY_ACTIONS + SY_VECTOR_ACTIONS;
    if (i < count) {
        *component = times[i][0];
        *action = times[i][1];
        return true;
    }
    i -= count;
    *component = i / SY_LEVEL_ACTIONS < chip->levels ? chip->level[i / SY_LEVEL_ACTIONS].name : NULL;
    *action = sy_level_action_names[i % SY_LEVEL_ACTIONS];
    return *component != NULL;
}

/* The nearest name for a hint, in a buffer of the table's arena. */
static const char *known_actions(struct sy_energy_table *table, const struct sy_chip *chip, const char *component)
{
    struct sy_buf text = {0};
    const char *of, *action, *last = "";
    for (uint32_t i = 0; action_name(chip, i, &of, &action); i++) {
        if (component && strcmp(of, component) != 0)
            continue;
        if (component)
            sy_buf_printf(&text, " %s", action);
        else if (strcmp(of, last) != 0)
            sy_buf_printf(&text, " %s", of);
        last = of;
    }
    char *hint = sy_arena_printf(table->arena, "%s:%s", component ? "its actions are" : "the components are",
                                 text.data ? text.data : "");
    sy_buf_free(&text);
    return hint;
}

static enum sy_status add_override(struct sy_energy_table *table, const struct sy_chip *chip, const char *component,
                                   const char *name, double pj, const char *source, struct sy_where where,
                                   struct sy_diag *diag)
{
    struct sy_energy_setup *setup = table->setup;
    const char *of, *action;
    bool has_component = false;
    for (uint32_t i = 0; action_name(chip, i, &of, &action); i++) {
        if (strcmp(of, component) != 0)
            continue;
        has_component = true;
        if (strcmp(action, name) != 0)
            continue;
        if (setup->overrides == SY_MAX_OVERRIDES)
            return sy_error(diag, where, NULL, "more than %d energies are replaced", SY_MAX_OVERRIDES);
        setup->override[setup->overrides++] = (struct sy_energy_override){of, action, pj, source};
        return SY_OK;
    }
    return sy_error(diag, where, known_actions(table, chip, has_component ? component : NULL),
                    has_component ? "component %s has no action '%s'" : "chip %s has no component '%s'",
                    has_component ? component : chip->name, has_component ? name : component);
}

static enum sy_status from_command_line(struct sy_energy_table *table, const struct sy_chip *chip,
                                        const char *assignment, struct sy_diag *diag)
{
    const char *sign = strchr(assignment, '='), *point = strchr(assignment, '.');
    double pj = 0;
    bool good =
        sign && point && point < sign && point > assignment && sy_text_to_double(sign + 1, strlen(sign + 1), &pj);
    if (!good || !(pj >= 0) || pj > 1e9)
        return sy_error(diag, SY_NOWHERE, "for example --set-energy mac.int8=0.2",
                        "'%s' is not COMPONENT.ACTION=PJ with a number of picojoules from 0 to 1e9", assignment);
    char *component = sy_arena_strndup(table->arena, assignment, (size_t)(point - assignment));
    char *action = sy_arena_strndup(table->arena, point + 1, (size_t)(sign - point - 1));
    if (!component || !action)
        return SY_NOMEM;
    return add_override(table, chip, component, action, pj, "--set-energy", SY_NOWHERE, diag);
}

/* ---- Accelergy's energy reference table ---- */

/* "system.chip.mac[0..65535]" is our component mac. */
static const char *component_of(struct sy_arena *arena, const char *path)
{
    const char *dot = strrchr(path, '.');
    /* The range has dots of its own. */
    size_t length = strcspn(path, "[");
    for (dot = path + length; dot > path && dot[-1] != '.'; dot--)
        ;
    return sy_arena_strndup(arena, dot, (size_t)(path + length - dot));
}

static enum sy_status ert_action(struct sy_energy_table *table, const struct sy_chip *chip, const char *component,
                                 const struct sy_yaml_node *entry, const char *source, struct sy_diag *diag)
{
    const struct sy_yaml_node *name = sy_yaml_get(entry, "name"), *energy = sy_yaml_get(entry, "energy");
    const struct sy_yaml_node *arguments = sy_yaml_get(entry, "arguments");
    double pj = 0;
    if (!name || name->kind != SY_YAML_SCALAR)
        return sy_error(diag, sy_yaml_where(entry), NULL, "an action of %s has no name", component);
    if (arguments && arguments->count)
        return sy_error(diag, sy_yaml_where(arguments), "give one energy an action, without arguments",
                        "%s %s depends on arguments; this simulator's actions have none", component, name->text);
    if (!energy || energy->kind != SY_YAML_SCALAR || !sy_text_to_double(energy->text, strlen(energy->text), &pj) ||
        !(pj >= 0) || pj > 1e9)
        return sy_error(diag, sy_yaml_where(energy ? energy : entry), NULL,
                        "%s %s: energy must be a number of picojoules from 0 to 1e9", component, name->text);
    return add_override(table, chip, component, name->text, pj, source, sy_yaml_where(name), diag);
}

static enum sy_status art_entry(struct sy_energy_table *table, const struct sy_yaml_node *entry, const char *source,
                                struct sy_diag *diag)
{
    const struct sy_yaml_node *name = sy_yaml_get(entry, "name"), *area = sy_yaml_get(entry, "area");
    struct sy_energy_setup *setup = table->setup;
    double um2 = 0;
    if (!name || name->kind != SY_YAML_SCALAR)
        return sy_error(diag, sy_yaml_where(entry), NULL, "a table of the ART has no name");
    if (!area || area->kind != SY_YAML_SCALAR || !sy_text_to_double(area->text, strlen(area->text), &um2) ||
        !(um2 >= 0) || um2 > 1e12)
        return sy_error(diag, sy_yaml_where(area ? area : entry), NULL,
                        "%s: area must be a number of square micrometres from 0 to 1e12", name->text);
    if (setup->area_overrides == SY_MAX_AREA_OVERRIDES)
        return sy_error(diag, sy_yaml_where(entry), NULL, "more than %d areas are replaced", SY_MAX_AREA_OVERRIDES);
    const char *component = component_of(table->arena, name->text);
    if (!component)
        return SY_NOMEM;
    setup->area_override[setup->area_overrides++] =
        (struct sy_area_override){component, um2 * 1e-6, source, sy_yaml_where(name)};
    return SY_OK;
}

static enum sy_status ert_entry(struct sy_energy_table *table, const struct sy_chip *chip,
                                const struct sy_yaml_node *entry, const char *source, struct sy_diag *diag)
{
    const struct sy_yaml_node *name = sy_yaml_get(entry, "name"), *actions = sy_yaml_get(entry, "actions");
    enum sy_status status = SY_OK;
    if (!name || name->kind != SY_YAML_SCALAR)
        return sy_error(diag, sy_yaml_where(entry), NULL, "a table of the ERT has no name");
    const char *component = component_of(table->arena, name->text);
    for (const struct sy_yaml_node *action = actions ? actions->first : NULL; action; action = action->next) {
        enum sy_status read = component ? ert_action(table, chip, component, action, source, diag) : SY_NOMEM;
        status = status == SY_OK ? read : status;
    }
    return status;
}

/* A file with an ERT, an ART or both. */
static enum sy_status read_reference(struct sy_energy_table *table, const struct sy_chip *chip, const char *path,
                                     struct sy_diag *diag)
{
    struct sy_yaml_node *root = NULL;
    const char *source = sy_arena_strdup(table->arena, path);
    enum sy_status status = sy_yaml_load(table->arena, path, &root, diag);
    if (status != SY_OK || !source)
        return status != SY_OK ? status : SY_NOMEM;
    const struct sy_yaml_node *ert = sy_yaml_get(sy_yaml_get(root, "ERT"), "tables");
    const struct sy_yaml_node *art = sy_yaml_get(sy_yaml_get(root, "ART"), "tables");
    bool has_ert = ert && ert->kind == SY_YAML_SEQUENCE, has_art = art && art->kind == SY_YAML_SEQUENCE && art->first;
    if (!has_ert && !has_art)
        return sy_error(
            diag, sy_yaml_where(root),
            "Accelergy writes ERT: {version, tables: [{name, actions}]} and ART: {version, tables: [{name, area}]}",
            "%s is no reference table: neither ERT.tables nor ART.tables has entries", path);
    for (const struct sy_yaml_node *entry = has_ert ? ert->first : NULL; entry; entry = entry->next) {
        enum sy_status one = ert_entry(table, chip, entry, source, diag);
        status = status == SY_OK ? one : status;
    }
    for (const struct sy_yaml_node *entry = has_art ? art->first : NULL; entry; entry = entry->next) {
        enum sy_status one = art_entry(table, entry, source, diag);
        status = status == SY_OK ? one : status;
    }
    return status;
}

/* Each area given must name a part of this chip. */
static enum sy_status check_areas(struct sy_energy_table *table, const struct sy_chip *chip,
                                  const struct sy_figure_table *areas, struct sy_diag *diag)
{
    const struct sy_energy_setup *setup = table->setup;
    struct sy_arena *scratch = setup->area_overrides && areas ? sy_arena_create(NULL, 0) : NULL;
    struct sy_area *area;
    if (!scratch)
        return SY_OK;
    enum sy_status status = sy_area_parts(scratch, chip, areas, table, &area);
    for (uint32_t o = 0; status != SY_NOMEM && o < setup->area_overrides; o++) {
        const struct sy_area_override *own = &setup->area_override[o];
        struct sy_buf known = {0};
        bool found = false;
        for (uint32_t i = 0; i < area->items; i++) {
            found = found || !strcmp(area->item[i].component, own->component);
            sy_buf_printf(&known, "%s %s", i ? "," : "its parts are:", area->item[i].component);
        }
        if (!found)
            status =
                sy_error(diag, own->where, known.data, "the die of %s has no part '%s'", chip->name, own->component);
        sy_buf_free(&known);
    }
    sy_arena_destroy(scratch);
    return status;
}

enum sy_status sy_energy_prepare(struct sy_energy_table *table, const struct sy_chip *chip,
                                 const struct sy_energy_options *options, struct sy_diag *diag)
{
    static const struct sy_energy_options none = {0};
    options = options ? options : &none;
    table->setup = sy_arena_alloc(table->arena, sizeof *table->setup);
    if (!table->setup)
        return SY_NOMEM;
    enum sy_status status = price_srams(table, chip, options, diag);
    if (options->area && sy_area_pe_um2(chip, options->area, &table->setup->pe_um2) != SY_OK)
        table->setup->pe_um2.value = 0;
    for (uint32_t i = 0; options->set && options->set[i]; i++) {
        enum sy_status one = from_command_line(table, chip, options->set[i], diag);
        status = status == SY_OK ? one : status;
    }
    if (options->ert) {
        enum sy_status one = read_reference(table, chip, options->ert, diag);
        status = status == SY_OK ? one : status;
    }
    sy_energy_set_conditions(table, chip, options->area);
    if (status == SY_OK)
        status = sy_energy_set_standby(table, chip, options->data_dir, diag);
    if (status == SY_OK)
        status = check_areas(table, chip, options->area, diag);
    if (status == SY_OK)
        sy_energy_set_clocked(table, chip, options->area);
    if (status == SY_OK)
        sy_energy_set_wake(table, chip, options->area);
    return status;
}
