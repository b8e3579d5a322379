/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suite points: published figures of whole chips (area, power, shares, relative
 * energies) against the model of the chip file of that name.
 *
 * Columns chip, node_nm, metric, value, unit, source, confidence, note. Every
 * row is listed: with the model's figure and its signed error, or with the
 * reason why the model has no such figure. A row whose source was recalled and
 * not checked counts in its group only, so it gates nothing; what would have to
 * be checked stands below the table. Nothing is fitted to a row; figures that a
 * chip file itself states (clock, capacity) are in a group of their own, for
 * they prove only that the file says what was published.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sim/base/checked.h"
#include "sim/stats/energy_price.h"
#include "sim/validate/point_model.h"

enum { CHIP, NODE, METRIC, VALUE, UNIT, SOURCE, CONFIDENCE, NOTE, COLUMNS };
enum { MAX_MODELS = 256, MAX_SOURCES = 48, TEXT = 512 };
static const struct sy_suite_column column_names[COLUMNS] = {
    [CHIP] = {"chip", true, -1},
    [NODE] = {"node_nm", false, -1},
    [METRIC] = {"metric", true, -1},
    [VALUE] = {"value", true, -1},
    [UNIT] = {"unit", false, -1},
    [SOURCE] = {"source", true, -1},
    [CONFIDENCE] = {"confidence", true, -1},
    [NOTE] = {"note", false, -1},
};

struct points {
    struct sy_suite_context *context;
    struct sy_suite_column column[COLUMNS];
    uint32_t models;
    struct {
        const char *chip; /* as the table writes it */
        const char *why;  /* not NULL: no such chip */
        struct sy_point_model model;
    } entry[MAX_MODELS];
    uint32_t sources;
    struct {
        const char *source;
        uint32_t first, last, rows;
    } source[MAX_SOURCES];
};

/* One row being answered. `how` says what the model's figure is. */
struct point {
    struct sy_point_model *model;
    const char *metric;
    char how[TEXT];
};
/* The model's figure in SI units (areas in mm^2, energies in J); NULL, or the reason why there is none. */
typedef const char *(*figure_fn)(struct point *point, const char *argument, double *value);

/* ---- what a chip file states ---- */

static double core_hz(const struct sy_chip *chip)
{
    return (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
}

static double pes(const struct sy_chip *chip)
{
    return (double)chip->array.rows * (double)chip->array.cols * (double)chip->array.count * (double)chip->cores;
}

static double spad_bytes_a_pe(const struct sy_chip *chip)
{
    const struct sy_array_timing *timing = &chip->array.timing;
    if (!timing->row_stationary || !chip->array.precisions)
        return 0;
    const struct sy_precision *precision = &chip->array.precision[0];
    double words_a = (double)timing->rs_ifmap_words, words_b = (double)timing->rs_filter_words;
    return (words_a * sy_dtypes[precision->a].bits + words_b * sy_dtypes[precision->b].bits +
            (double)timing->rs_sum_words * sy_dtypes[precision->a].bits) /
           8;
}

static const char *stated(struct point *point, const char *argument, double *value)
{
    const struct sy_chip *chip = point->model->chip;
    const struct sy_precision *precision = &chip->array.precision[0];
    double sram = 0, bandwidth = 0;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        sram += level->kind == SY_LEVEL_SRAM ? (double)level->capacity_bytes : 0;
        bandwidth += level->kind == SY_LEVEL_DRAM ? level->read_bytes_per_s : 0;
    }
    (void)snprintf(point->how, TEXT, "stated by the chip file");
    if (!strcmp(argument, "clock"))
        *value = core_hz(chip);
    else if (!strcmp(argument, "macs"))
        *value = pes(chip);
    else if (!strcmp(argument, "arrays"))
        *value = (double)chip->array.count * (double)chip->cores;
    else if (!strcmp(argument, "peak"))
        *value = 2 * pes(chip) * core_hz(chip) * (double)precision->macs_num / (double)precision->macs_den;
    else if (!strcmp(argument, "bandwidth"))
        *value = bandwidth;
    else
        *value = sram + spad_bytes_a_pe(chip) * pes(chip);
    return NULL;
}

/* ---- area ---- */

/* The memory level whose name, with blanks for hyphens, begins the metric or its part behind `prefix`. */
static const struct sy_level *level_of(const struct sy_chip *chip, const char *text)
{
    for (uint32_t l = 0; l < chip->levels; l++) {
        const char *name = chip->level[l].name;
        size_t i = 0;
        while (name[i] && text[i] && tolower((unsigned char)text[i]) == (name[i] == '-' ? ' ' : name[i]))
            i++;
        if (!name[i] && (!text[i] || text[i] == ' '))
            return &chip->level[l];
    }
    return NULL;
}

static double activation(const struct sy_point_model *model)
{
    return sy_point_area_of(model, "vector lanes") + sy_point_area_of(model, "vector functions") +
           sy_point_area_of(model, "vector buffers");
}

/* mm^2 of what a publication calls by this name; false when no part is that. */
static bool named_area(const struct sy_point_model *model, const char *name, double *mm2)
{
    const struct sy_level *level = level_of(model->chip, name);
    *mm2 = 0;
    if (!strcasecmp(name, "matrix unit") || !strcasecmp(name, "spatial array") || !strcasecmp(name, "MXU"))
        *mm2 = sy_point_area_of(model, "processing elements");
    else if (!strcasecmp(name, "activation pipeline"))
        *mm2 = activation(model);
    else if (!strcasecmp(name, "compute total"))
        *mm2 = sy_point_area_of(model, "processing elements") + activation(model);
    else if (!strcasecmp(name, "control"))
        *mm2 = sy_point_area_of(model, "control");
    else if (level)
        *mm2 = sy_point_area_of(model, level->name);
    else if (!strcasecmp(name, "data buffers total") || !strcasecmp(name, "IO total"))
        for (uint32_t i = 0; i < model->area->items; i++) {
            const struct sy_area_item *item = &model->area->item[i];
            bool buffer = level_of(model->chip, item->component) != NULL;
            for (uint32_t l = 0; l < model->chip->levels; l++)
                buffer = buffer || !strcmp(model->chip->level[l].name, item->component);
            if (*name == 'I' ? sy_point_is_interface(item) : buffer)
                *mm2 += item->mm2;
        }
    else
        return false;
    return *mm2 > 0;
}

static const char *die_area(struct point *point, const char *argument, double *value)
{
    (void)argument;
    *value = point->model->area->die_mm2;
    (void)snprintf(point->how, TEXT, "sum of the parts, %.4g to %.4g mm2", point->model->area->low_mm2,
                   point->model->area->high_mm2);
    return NULL;
}

static const char *part_area(struct point *point, const char *argument, double *value)
{
    (void)snprintf(point->how, TEXT, "part of the area estimate");
    return named_area(point->model, argument, value) ? NULL : "the area estimate has no part of that name";
}

static const char *part_share(struct point *point, const char *argument, double *value)
{
    const char *why = part_area(point, argument, value);
    *value /= point->model->area->die_mm2 > 0 ? point->model->area->die_mm2 : 1;
    (void)snprintf(point->how, TEXT, "share of the estimated die");
    if (!strcmp(argument, "control"))
        (void)snprintf(point->how, TEXT, "the area table's control_share is this figure: proves nothing");
    return why;
}

static const char *capacity(struct point *point, const char *argument, double *value)
{
    const struct sy_level *level = level_of(point->model->chip, argument);
    *value = level ? (double)level->capacity_bytes : 0;
    (void)snprintf(point->how, TEXT, "stated by the chip file");
    return level ? NULL : "the chip file has no memory level of that name";
}

/* ---- power ---- */

static const char *tdp(struct point *point, const char *argument, double *value)
{
    (void)argument;
    *value = point->model->area->tdp_w;
    (void)snprintf(point->how, TEXT, "every unit at its peak rate at once");
    return *value > 0 ? NULL : "no row prices one of the units";
}

static const char *run_power(struct point *point, const char *network, double *value)
{
    struct sy_result *result;
    if (sy_point_model_run(point->model, network, &result) != SY_OK)
        return "the run failed";
    *value = result->power_w;
    (void)snprintf(point->how, TEXT,
                   "mean power of a run of %s (array active %.0f %%), off-chip memory and links included", network,
                   100 * result->active);
    return NULL;
}

static const char *idle_power(struct point *point, const char *network, double *value)
{
    struct sy_result *result;
    if (sy_point_model_run(point->model, network, &result) != SY_OK)
        return "the run failed";
    *value = result->idle_w;
    (void)snprintf(point->how, TEXT, "clocked, without work, %.3g to %.3g W", result->idle_low_w, result->idle_high_w);
    return *value > 0 ? NULL : "the model knows no power without work for this chip";
}

/* Work a tenth of the time, clocked idle the rest. */
static const char *tenth_load(struct point *point, const char *network, double *value)
{
    double busy, idle;
    const char *why = run_power(point, network, &busy);
    why = why ? why : idle_power(point, network, &idle);
    if (why || busy <= 0)
        return why ? why : "no power";
    *value = (0.1 * busy + 0.9 * idle) / busy;
    (void)snprintf(point->how, TEXT, "a tenth of the time running %s, else clocked idle", network);
    return NULL;
}

/* ---- convolution layers of a network, on chip ---- */

struct convolutions {
    double joules, seconds, macs;
};

/* Layers' energies less what their bytes cost off chip. */
static bool convolutions_of(struct point *point, const char *network, struct convolutions *sum)
{
    struct sy_result *result;
    *sum = (struct convolutions){0};
    if (sy_point_model_run(point->model, network, &result) != SY_OK)
        return false;
    const struct sy_chip *chip = point->model->chip;
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_layer_result *layer = &result->layer[i];
        if (strcmp(layer->op, "conv") != 0)
            continue;
        sum->joules += layer->energy_j;
        sum->seconds += (double)layer->cycles / core_hz(chip);
        sum->macs += (double)layer->macs;
        for (uint32_t l = 0; l < chip->levels; l++) {
            if (chip->level[l].kind == SY_LEVEL_SRAM)
                continue;
            struct sy_price read = sy_price_level(chip, point->model->energy, l, SY_READ_BYTE);
            struct sy_price write = sy_price_level(chip, point->model->energy, l, SY_WRITE_BYTE);
            sum->joules -=
                1e-12 * (read.pj * (double)layer->level_read_bytes[l] + write.pj * (double)layer->level_write_bytes[l]);
        }
    }
    return sum->seconds > 0 && sum->macs > 0;
}

/* argument: NETWORK.FIGURE */
static const char *convolution_figure(struct point *point, const char *argument, double *value)
{
    struct convolutions sum;
    const char *dot = strchr(argument, '.');
    const char *network = dot && !strncmp(argument, "vgg16", 5) ? "vgg16" : "alexnet";
    if (!dot || !convolutions_of(point, network, &sum))
        return "the run failed";
    *value = !strcmp(dot, ".power")     ? sum.joules / sum.seconds
             : !strcmp(dot, ".rate")    ? 1 / sum.seconds
             : !strcmp(dot, ".per_mac") ? sum.joules / sum.macs
                                        : sum.joules;
    (void)snprintf(point->how, TEXT, "convolution layers of %s at batch 1, on chip", network);
    return NULL;
}

/* ---- energies an action ---- */

static double mac_pj(const struct point *point)
{
    const struct sy_precision *precision = &point->model->chip->array.precision[0];
    return sy_price_mac(point->model->chip, point->model->energy, sy_mac_action(precision->a, precision->b)).pj;
}

/* Picojoules of one word of the first operand's format at a level, mean of read and write. */
static double word_pj(const struct point *point, uint32_t level)
{
    double bytes = sy_dtypes[point->model->chip->array.precision[0].a].bits / 8.0;
    return bytes * sy_energy_pj_per_byte(point->model->chip, point->model->energy, level);
}

static const char *relative(struct point *point, const char *argument, double *value)
{
    const struct sy_chip *chip = point->model->chip;
    double bits = sy_dtypes[chip->array.precision[0].a].bits, pj = 0;
    if (!strcmp(argument, "wire")) {
        struct sy_price word = sy_price_array(chip, point->model->energy, SY_REGISTER_BIT);
        enum sy_array_action action = chip->array.timing.row_stationary ? SY_BUS_BIT : SY_WIRE_BIT;
        struct sy_price wire = sy_price_array(chip, point->model->energy, action);
        pj = bits * (word.pj + wire.pj);
    } else if (!strcmp(argument, "spad")) {
        pj = sy_price_array(chip, point->model->energy, SY_SPAD_WORD).pj;
    } else {
        enum sy_level_kind kind = !strcmp(argument, "dram") ? SY_LEVEL_DRAM : SY_LEVEL_SRAM;
        for (uint32_t l = 0; l < chip->levels && pj <= 0; l++)
            pj = chip->level[l].kind == kind ? word_pj(point, l) : 0;
    }
    *value = pj / mac_pj(point);
    (void)snprintf(point->how, TEXT, "a word of %.0f bits over a MAC of the same format (%.3g pJ)", bits,
                   mac_pj(point));
    return pj > 0 ? NULL : "no row prices it";
}

/* Words of a scratchpad inside the PE an action moves for a MAC. */
static const char *spad_energy(struct point *point, const char *argument, double *value)
{
    struct sy_price word = sy_price_array(point->model->chip, point->model->energy, SY_SPAD_WORD);
    double words = *argument == '2' ? 2 : 1;
    *value = words * word.pj * 1e-12;
    (void)snprintf(point->how, TEXT, "%.0f word%s a MAC by the register file's row", words, words > 1 ? "s" : "");
    return word.known ? NULL : "no row prices it";
}

/* Transistors of the parts: six a bit of SRAM, logic by its area and the realised density. */
static const char *transistors(struct point *point, const char *argument, double *value)
{
    const struct sy_area *area = point->model->area;
    const struct sy_chip *chip = point->model->chip;
    struct sy_sourced density, utilization;
    bool gates = *argument == 'g';
    *value = 0;
    if (sy_figure_lookup(point->model->areas, "density_mtr_mm2", (double)chip->process_nm, &density) != SY_OK ||
        sy_figure_lookup(point->model->areas, "layout_utilization", 0, &utilization) != SY_OK)
        return "the area table has no density";
    for (uint32_t i = 0; i < area->items; i++) {
        const struct sy_area_item *item = &area->item[i];
        bool logic = item->kind == SY_AREA_LOGIC || item->kind == SY_AREA_LANES || item->kind == SY_AREA_CONTROL ||
                     item->kind == SY_AREA_CONTROLLER;
        *value += logic ? item->mm2 * density.value * 1e6 * utilization.value : 0;
    }
    for (uint32_t l = 0; l < chip->levels && !gates; l++)
        if (chip->level[l].kind == SY_LEVEL_SRAM)
            *value += 6 * 8 * (double)chip->level[l].capacity_bytes * (chip->level[l].shared ? 1 : (double)chip->cores);
    *value /= gates ? 4 : 1;
    (void)snprintf(point->how, TEXT,
                   gates ? "logic transistors / 4, memories left out"
                         : "six a bit of SRAM, logic area x realised density");
    return NULL;
}

static const char *energy_a_mac(struct point *point, const char *argument, double *value)
{
    (void)argument;
    *value = mac_pj(point) * 1e-12;
    (void)snprintf(point->how, TEXT, "a MAC of the preset's first format; no wires, no registers");
    return NULL;
}

static const char *never(struct point *point, const char *argument, double *value)
{
    (void)point;
    (void)value;
    return argument;
}

/* ---- which figure answers which metric ---- */

static const struct rule {
    const char *metric; /* how it begins */
    bool whole;         /* nothing may follow */
    figure_fn figure;
    const char *argument; /* NULL: what follows the beginning */
    const char *group;
} rules[] = {
    {"die area", false, die_area, "", "area"},
    {"core area", true, die_area, "", "area"},
    {"total area", true, die_area, "", "area"},
    {"area", true, die_area, "", "area"},
    {"share ", false, part_share, NULL, "area shares"},
    {"CMEM area share", true, part_share, "CMEM", "area shares"},
    {"MXU area share", true, part_share, "MXU", "area shares"},
    {"spatial array", true, part_area, "spatial array", "area"},
    {"clock", true, stated, "clock", "stated"},
    {"peak", true, stated, "peak", "stated"},
    {"MACs", true, stated, "macs", "stated"},
    {"PEs", true, stated, "macs", "stated"},
    {"MXUs", true, stated, "arrays", "stated"},
    {"weight memory bandwidth", true, stated, "bandwidth", "stated"},
    {"HBM bandwidth", true, stated, "bandwidth", "stated"},
    {"total on-chip SRAM", true, stated, "sram", "stated"},
    {"TDP", false, tdp, "", "power"},
    {"busy power", false, run_power, "cnn0", "power"},
    {"idle power", false, idle_power, "cnn0", "power"},
    {"power at 10% load", false, tenth_load, "cnn0", "power"},
    {"AlexNet power", true, convolution_figure, "alexnet.power", "power"},
    {"VGG16 power", true, convolution_figure, "vgg16.power", "power"},
    {"AlexNet throughput", true, convolution_figure, "alexnet.rate", "time"},
    {"VGG16 throughput", true, convolution_figure, "vgg16.rate", "time"},
    {"derived AlexNet energy per frame", true, convolution_figure, "alexnet.energy", "energy"},
    {"derived energy per MAC AlexNet", false, convolution_figure, "alexnet.per_mac", "energy"},
    {"relative energy RF", true, relative, "spad", "energy"},
    {"relative energy inter-PE", true, relative, "wire", "energy"},
    {"relative energy global buffer", true, relative, "sram", "energy"},
    {"relative energy DRAM", true, relative, "dram", "energy"},
    {"energy weights_spad", true, spad_energy, "1", "energy"},
    {"energy ifmap_spad", true, spad_energy, "1", "energy"},
    {"energy psum_spad", true, spad_energy, "2", "energy"},
    {"energy mac", true, energy_a_mac, "", "energy"},
    {"server", false, never, "hosts and racks are not part of the model", "other"},
    {"transistors", true, transistors, "", "area"},
    {"gates", true, transistors, "g", "area"},
    {"Rocket CPU", true, never, "a chip file has no host processor", "other"},
    {"fully pipelined", false, never, "pipelining inside a PE changes timing only", "other"},
    {"same: ", false, never, "pipelining inside a PE changes timing only", "other"},
    {"energy ", false, never, "needs the other tool's own access counts, which the row does not hold", "other"},
    {"efficiency", false, never, "the row does not say at which voltage and on what work", "other"},
};

/* The rule and its argument for a metric; a level's name with a unit of bytes is its capacity, of area its area. */
static const struct rule *rule_of(struct sy_arena *arena, const struct sy_point_model *model, const char *metric,
                                  const char *unit, const char **argument)
{
    static const struct rule of_level[] = {{"", true, capacity, NULL, "stated"}, {"", true, part_area, NULL, "area"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t length = strlen(rules[i].metric);
        if (strncmp(metric, rules[i].metric, length) != 0 || (rules[i].whole && metric[length]))
            continue;
        *argument = rules[i].argument ? rules[i].argument : sy_arena_strdup(arena, metric + length);
        return &rules[i];
    }
    *argument = metric;
    const struct sy_level *level = model ? level_of(model->chip, metric) : NULL;
    if (level)
        *argument = sy_arena_strndup(arena, metric, strlen(level->name));
    return level ? &of_level[strstr(unit, "m2") != NULL] : NULL;
}

/* What one of the row's unit is in SI (mm^2 for areas). */
static bool unit_of(const char *unit, double *one)
{
    static const struct {
        const char *name;
        double one;
    } units[] = {
        {"", 1},      {"mm2", 1},       {"k um2", 1e-3}, {"um2", 1e-6},       {"%", 0.01},          {"W", 1},
        {"mW", 1e-3}, {"MHz", 1e6},     {"GHz", 1e9},    {"MiB", 1048576},    {"KiB", 1024},        {"GB/s", 1e9},
        {"fps", 1},   {"mJ", 1e-3},     {"pJ", 1e-12},   {"fJ/MAC", 1e-15},   {"x MAC", 1},         {"x", 1},
        {"k", 1e3},   {"billion", 1e9}, {"128x128", 1},  {"TOPS int8", 1e12}, {"TFLOPS bf16", 1e12}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(units[i].name, unit)) {
            *one = units[i].one;
            return true;
        }
    return false;
}

/* ---- which chip ---- */

static const struct {
    const char *chip; /* how it begins */
    const char *why;
} strangers[] = {
    {"GA100", "a GPU: its cores are no systolic array; the area table's interface rows were read from this die"},
    {"Aldebaran", "a GPU: its cores are no systolic array; the area table's interface rows were read from this die"},
    {"H100", "a GPU: its cores are no systolic array"},
    {"A100", "a GPU: its cores are no systolic array"},
    {"Simba", "the row does not hold the chiplet's arrays and memories, and there is no chip file"},
    {"DaDianNao", "embedded DRAM on the die is not modelled"},
    {"Accelergy", "a total of the other tool's own access counts"},
};

/* The chip file a name in the table begins with: words joined by hyphens, the most that name a file. */
static const char *preset_of(const struct points *points, const char *chip)
{
    struct sy_suite_context *context = points->context;
    const char *dir = context->options->data_dir ? context->options->data_dir : ".", *found = NULL;
    char name[128] = "";
    for (size_t i = 0; chip[i] && i + 1 < sizeof name; i++) {
        name[i] = chip[i] == ' ' || chip[i] == '_' ? '-' : (char)tolower((unsigned char)chip[i]);
        if (!isalnum((unsigned char)name[i]) && name[i] != '-')
            break;
        bool ends = !chip[i + 1] || chip[i + 1] == ' ' || chip[i + 1] == '_';
        const char *path = ends ? sy_arena_printf(context->arena, "%s/arch/chips/%s.yaml", dir, name) : NULL;
        if (path && access(path, F_OK) == 0)
            found = sy_arena_strdup(context->arena, name);
    }
    return found;
}

/* "NVDLA 512 MAC / 256 KiB": an int8 array of that many MACs beside a scratchpad of that size, on Gemmini's plan. */
static const char *sized(struct points *points, const char *chip, const char *set[SY_POINT_SETS])
{
    unsigned macs, kib;
    const char *at = strpbrk(chip, "0123456789");
    if (!at || sscanf(at, "%u MAC / %u KiB", &macs, &kib) != 2 || macs < 4 || macs > 65536 || !kib || kib > 65536)
        return NULL;
    unsigned rows = 1;
    while (rows * rows < macs)
        rows *= 2;
    struct sy_arena *arena = points->context->arena;
    set[0] = sy_arena_printf(arena, "core.array.rows=%u", rows);
    set[1] = sy_arena_printf(arena, "core.array.cols=%u", macs / rows);
    set[2] = sy_arena_printf(arena, "memory.scratchpad.capacity=%u KiB", kib);
    set[3] = sy_arena_printf(arena, "memory.scratchpad.width=%u B", rows);
    set[4] = sy_arena_printf(arena, "memory.accumulator.width=%u B", 4 * (macs / rows));
    return "gemmini";
}

/* Whether a chip file is sound as it is; says what is wrong. */
static enum sy_status loads(const struct points *points, const char *preset)
{
    struct sy_chip_options options = {.data_dir = points->context->options->data_dir};
    struct sy_chip *chip = NULL;
    enum sy_status status = sy_chip_load(preset, &options, &chip, points->context->diag);
    if (status == SY_OK)
        sy_chip_destroy(chip);
    return status;
}

/* The model of a chip in the table, or the reason why there is none. */
static enum sy_status model_of(struct points *points, const char *chip, const char *node, struct sy_point_model **model,
                               const char **why)
{
    const char *set[SY_POINT_SETS] = {NULL};
    unsigned nm = 0;
    for (uint32_t i = 0; i < points->models; i++)
        if (!strcmp(points->entry[i].chip, chip)) {
            *model = points->entry[i].why ? NULL : &points->entry[i].model;
            *why = points->entry[i].why;
            return SY_OK;
        }
    if (points->models == MAX_MODELS)
        return sy_error(points->context->diag, SY_NOWHERE, "cut the table in two", "more than %d different chips in %s",
                        MAX_MODELS, points->context->table->file);
    *model = NULL;
    *why = "there is no chip file of that name";
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        if (!strncmp(chip, strangers[i].chip, strlen(strangers[i].chip)))
            *why = strangers[i].why;
    const char *preset = sized(points, chip, set);
    preset = preset ? preset : preset_of(points, !strncmp(chip, "Timeloop ", 9) ? chip + 9 : chip);
    uint32_t sets = 0;
    while (set[sets])
        sets++;
    if (preset && sscanf(node, "%u", &nm) == 1)
        set[sets] = sy_arena_printf(points->context->arena, "technology.node=%u nm", nm);
    struct sy_diag silent = {.fn = NULL};
    points->entry[points->models].chip = chip;
    enum sy_status status = SY_OK;
    if (preset) {
        *model = &points->entry[points->models].model;
        *why = NULL;
        status = sy_point_model_open(*model, preset, set, points->context->options->data_dir, &silent);
        (*model)->diag = points->context->diag; /* of its runs */
    }
    if (status == SY_INPUT) { /* the row's own figures make no chip; unless the file itself is broken */
        *model = NULL;
        *why = "no chip can be made of the row's node and sizes";
        status = loads(points, preset);
    }
    points->entry[points->models].why = *why;
    if (status == SY_OK)
        points->models++;
    return status;
}

/* ---- rows ---- */

static bool is_recalled(const char *source, const char *confidence)
{
    return !strncmp(source, "memory", 6) || !strncmp(source, "computed", 8) || !strcmp(confidence, "low");
}

static void note_source(struct points *points, const char *source, uint32_t line)
{
    uint32_t i = 0;
    while (i < points->sources && strcmp(points->source[i].source, source) != 0)
        i++;
    if (i == MAX_SOURCES)
        return;
    if (i == points->sources) {
        points->sources++;
        points->source[i].source = source;
        points->source[i].first = line;
        points->source[i].rows = 0;
    }
    points->source[i].last = line;
    points->source[i].rows++;
}

static enum sy_status add_row(struct points *points, const struct sy_csv_row *row)
{
    struct sy_suite_context *context = points->context;
    const char *text[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        text[c] = sy_suite_text(context, row, &points->column[c]);
    struct point point = {.metric = text[METRIC], .how = ""};
    struct sy_suite_figure figure = {.name = text[METRIC]};
    const char *why = NULL, *argument = NULL;
    double one = 1;
    enum sy_status status = sy_suite_double(context, row, &points->column[VALUE], &figure.expected, &figure.blank);
    if (status == SY_OK)
        status = model_of(points, text[CHIP], text[NODE], &point.model, &why);
    if (status != SY_OK)
        return status;
    const struct rule *rule = rule_of(context->arena, point.model, text[METRIC], text[UNIT], &argument);
    bool recalled = is_recalled(text[SOURCE], text[CONFIDENCE]);
    if (figure.blank)
        why = *text[NOTE] ? text[NOTE] : "the row has no value";
    else if (!why && rule)
        why = rule->figure(&point, argument, &figure.actual);
    else if (!why)
        why = "no rule of this suite computes it";
    if (!why && !unit_of(text[UNIT], &one))
        why = "the suite does not know the unit";
    figure.actual /= one;
    if (recalled)
        note_source(points, text[SOURCE], row->line);
    struct sy_suite_row out = {
        .line = row->line,
        .group = why ? "not expressed" : rule->group,
        .refusal = why,
        .figure = &figure,
        .figures = 1,
        .aside = recalled || why != NULL,
        .label = sy_arena_printf(context->arena, "%s: %s", text[CHIP], text[METRIC]),
        .unit = text[UNIT],
        .confidence = sy_arena_printf(context->arena, "%s%s", recalled ? "recalled, " : "", text[CONFIDENCE]),
        .how = point.how};
    return sy_suite_add(context, &out);
}

static enum sy_status remarks(struct points *points)
{
    char text[TEXT];
    enum sy_status status = sy_suite_remark(
        points->context,
        "Recalled figures gate nothing: they are in no total. Before they could, these would have to be "
        "checked against the document:");
    for (uint32_t i = 0; status == SY_OK && i < points->sources; i++) {
        const char *name = points->source[i].source;
        name += !strncmp(name, "memory: ", 8) ? 8 : 0;
        (void)snprintf(text, sizeof text, "  %s: %u rows (lines %u to %u of the table)",
                       strcmp(name, "memory") ? name : "no document named", points->source[i].rows,
                       points->source[i].first, points->source[i].last);
        status = sy_suite_remark(points->context, text);
    }
    return status;
}

static enum sy_status run(struct sy_suite_context *context)
{
    struct points *points = sy_arena_alloc(context->arena, sizeof *points);
    if (!points)
        return SY_NOMEM;
    points->context = context;
    memcpy(points->column, column_names, sizeof column_names);
    enum sy_status status = sy_suite_columns(context, points->column, COLUMNS);
    for (size_t i = 1; status == SY_OK && i < context->table->rows; i++)
        if (!sy_suite_row_is_blank(&context->table->row[i]))
            status = add_row(points, &context->table->row[i]);
    if (status == SY_OK && points->sources)
        status = remarks(points);
    for (uint32_t i = 0; i < points->models; i++)
        if (!points->entry[i].why)
            sy_point_model_close(&points->entry[i].model);
    return status;
}

static const char *const tables[] = {"validation_points.csv", NULL};
const struct sy_suite sy_suite_points = {
    .name = "points",
    .doc = "Area, power and energies of published chips, each with its confidence; recalled ones gate nothing.",
    .figure = "each row's own figure",
    .tables = tables,
    .listed = true,
    .run = run,
};
