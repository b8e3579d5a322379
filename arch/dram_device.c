/* SPDX-License-Identifier: Apache-2.0 */
/* DRAM devices and controllers through the schema tables below; the tables are also their reference documentation. */
#include "arch/dram_device.h"

#include <stddef.h>
#include <string.h>

#include "arch/tree.h"
#include "sim/base/checked.h"

#define DEVICE(member) offsetof(struct sy_dram_device, member)
#define CONTROLLER(member) offsetof(struct sy_dram_controller, member)
#define ORGANIZATION(member) offsetof(struct sy_dram_organization, member)
#define TIMING(member) offsetof(struct sy_dram_timing, member)
#define BUS(member) offsetof(struct sy_dram_command_bus, member)
#define POWER(member) offsetof(struct sy_dram_power, member)

#define COUNT(name, at, low, high, text)                                                                               \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_U32, .offset = at, .min = low, .max = high, .doc = text                          \
    }
#define COUNT_OR(name, at, low, high, default_text, text)                                                              \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_U32, .offset = at, .min = low, .max = high, .fallback = default_text,            \
        .doc = text                                                                                                    \
    }
/* a time in clocks of the command bus; `optional` 0 or SY_FIELD_OPTIONAL */
#define CLOCKS(name, optional, text)                                                                                   \
    {                                                                                                                  \
        .key = #name, .type = SY_FIELD_U32, .unit = SY_UNIT_CYCLES, .offset = TIMING(name), .flags = optional,         \
        .max = "1000000 cycles", .doc = text                                                                           \
    }
#define BUS_CLOCKS(name, at, default_text, text)                                                                       \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_U32, .unit = SY_UNIT_CYCLES, .offset = at, .fallback = default_text,             \
        .max = "64 cycles", .doc = text                                                                                \
    }
#define BYTES(name, at, low, high, text)                                                                               \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_U64, .unit = SY_UNIT_BYTES, .offset = at, .min = low, .max = high, .doc = text   \
    }
#define FLAG(name, at, default_text, text)                                                                             \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_BOOL, .offset = at, .fallback = default_text, .doc = text                        \
    }
#define TEXT(name, at, optional, text)                                                                                 \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_TEXT, .offset = at, .flags = optional, .doc = text                               \
    }
#define VOUCHERS(source_at, confidence_at, optional)                                                                   \
    {.key = "source",                                                                                                  \
     .type = SY_FIELD_SOURCE,                                                                                          \
     .offset = source_at,                                                                                              \
     .flags = optional,                                                                                                \
     .doc = "where the figures come from"},                                                                            \
    {                                                                                                                  \
        .key = "confidence", .type = SY_FIELD_CONFIDENCE, .offset = confidence_at, .flags = optional,                  \
        .doc = "how sure they are"                                                                                     \
    }
#define CHOICE(name, at, words, text)                                                                                  \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_ENUM, .offset = at, .names = words, .doc = text                                  \
    }

static const struct sy_field organization_fields[] = {
    COUNT_OR("pseudochannels", ORGANIZATION(pseudochannels), "1", "4", "1",
             "halves of the data bus with banks of their own under one command bus"),
    COUNT_OR("ranks", ORGANIZATION(ranks), "1", "8", "1", "ranks, or levels of a stack"),
    FLAG("ranks_are_stacked", ORGANIZATION(ranks_are_stacked), "false",
         "levels of a stack share activation window and refresh of their pseudo-channel"),
    COUNT("bankgroups", ORGANIZATION(bankgroups), "1", "16", "bank groups of a rank"),
    COUNT("banks_per_group", ORGANIZATION(banks_per_group), "1", "32", "banks of a group"),
    {.key = "rows",
     .type = SY_FIELD_U64,
     .offset = ORGANIZATION(rows),
     .min = "2",
     .max = "16777216",
     .doc = "rows of a bank"},
    BYTES("row", ORGANIZATION(row_bytes), "64 B", "1 MiB", "one row over the bus of a pseudo-channel"),
    {.key = "bus",
     .type = SY_FIELD_U64,
     .unit = SY_UNIT_BYTES,
     .per_unit = 8,
     .offset = ORGANIZATION(bus_bits),
     .min = "4 bit",
     .max = "512 B",
     .doc = "data bus of a pseudo-channel"},
    BYTES("burst", ORGANIZATION(burst_bytes), "8 B", "4 KiB", "one read or write command"),
    {0}};
static const struct sy_schema organization_schema = {
    .name = "DRAM organization", .size = sizeof(struct sy_dram_organization), .field = organization_fields};

static const struct sy_field timing_fields[] = {
    CLOCKS(burst, 0, "data bus clocks of a burst"),
    CLOCKS(burst_max, SY_FIELD_OPTIONAL, "column access inside a bank group (LPDDR5 BL/n_max); burst when left out"),
    CLOCKS(CL, 0, "read command to first data"),
    CLOCKS(CWL, 0, "write command to first data"),
    CLOCKS(tRCD_rd, 0, "activate to read"),
    CLOCKS(tRCD_wr, 0, "activate to write"),
    CLOCKS(tRP, 0, "precharge to activate"),
    CLOCKS(tRAS, 0, "activate to precharge"),
    CLOCKS(tRC, 0, "activate to activate, one bank"),
    CLOCKS(tRRD_S, 0, "activate to activate, other bank group"),
    CLOCKS(tRRD_L, 0, "activate to activate, same bank group"),
    CLOCKS(tFAW, 0, "window of four activates"),
    CLOCKS(t32AW, SY_FIELD_OPTIONAL, "window of 32 activates"),
    CLOCKS(tCCD_S, 0, "column to column, other bank group"),
    CLOCKS(tCCD_L, 0, "column to column, same bank group"),
    CLOCKS(tCCD_S_wr, SY_FIELD_OPTIONAL, "the same for writes where it differs"),
    CLOCKS(tCCD_L_wr, SY_FIELD_OPTIONAL, "the same for writes where it differs"),
    CLOCKS(tCCD_R, SY_FIELD_OPTIONAL, "read to read, other stack level; tCCD_S when left out"),
    CLOCKS(tWR, 0, "last write data to precharge"),
    CLOCKS(tWTR_S, 0, "last write data to read, other bank group"),
    CLOCKS(tWTR_L, 0, "last write data to read, same bank group"),
    CLOCKS(tRTP, 0, "read to precharge"),
    CLOCKS(tRTRS, SY_FIELD_OPTIONAL, "gap on the data bus when its driver changes"),
    CLOCKS(tRTW, SY_FIELD_OPTIONAL, "read to write; CL + burst + tRTRS - CWL when left out"),
    CLOCKS(tPPD, SY_FIELD_OPTIONAL, "precharge to precharge"),
    CLOCKS(tREFI, 0, "between all-bank refreshes"),
    CLOCKS(tRFC, 0, "all-bank refresh to activate"),
    CLOCKS(tREFIpb, SY_FIELD_OPTIONAL, "between per-bank refreshes; tREFI / banks when left out"),
    CLOCKS(tRFCpb, SY_FIELD_OPTIONAL, "per-bank refresh to activate; tRFC when left out"),
    CLOCKS(tRREFD, SY_FIELD_OPTIONAL, "per-bank refresh to activate of another bank"),
    {0}};
static const struct sy_schema timing_schema = {
    .name = "DRAM timing", .size = sizeof(struct sy_dram_timing), .field = timing_fields};

static const struct sy_field bus_fields[] = {
    COUNT_OR("buses", BUS(buses), "1", "2", "1", "2: row and column commands have a bus each (HBM)"),
    BUS_CLOCKS("activate", BUS(activate), "1 cycle", "an activate occupies its bus this long"),
    BUS_CLOCKS("precharge", BUS(precharge), "1 cycle", "a precharge occupies its bus this long"),
    BUS_CLOCKS("column", BUS(column), "1 cycle", "a read or write occupies its bus this long"),
    FLAG("half_clock_edges", BUS(half_clock_edges), "false",
         "clocks are half periods; columns and activates go on every other one (HBM3)"),
    BUS_CLOCKS("split_activate", BUS(split_activate), "0 cycles",
               "activate is two commands, the second at most this much later (LPDDR5)"),
    FLAG("data_clock_sync", BUS(data_clock_sync), "false",
         "a stopped data clock costs a command before a column (LPDDR5)"),
    BUS_CLOCKS("data_clock_post", BUS(data_clock_post), "0 cycles", "the data clock runs on this long after a burst"),
    {0}};
static const struct sy_schema bus_schema = {
    .name = "DRAM command bus", .size = sizeof(struct sy_dram_command_bus), .field = bus_fields};

#define ENERGY(name, at, text)                                                                                         \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_DOUBLE, .unit = SY_UNIT_JOULES, .per_unit = 1e12, .offset = at,                  \
        .flags = SY_FIELD_OPTIONAL, .min = "0 J", .doc = text                                                          \
    }
#define STANDBY(name, at, text)                                                                                        \
    {                                                                                                                  \
        .key = name, .type = SY_FIELD_DOUBLE, .unit = SY_UNIT_WATTS, .per_unit = 1e3, .offset = at,                    \
        .flags = SY_FIELD_OPTIONAL, .min = "0 W", .doc = text                                                          \
    }
static const struct sy_field power_fields[] = {
    ENERGY("activate", POWER(activate_pj), "an activate and its precharge, all devices of the rank"),
    ENERGY("read", POWER(read_pj), "a read burst"),
    ENERGY("write", POWER(write_pj), "a write burst"),
    ENERGY("refresh", POWER(refresh_pj), "an all-bank refresh"),
    STANDBY("active_standby", POWER(active_standby_mw), "with a row open"),
    STANDBY("precharge_standby", POWER(precharge_standby_mw), "with all rows closed"),
    STANDBY("power_down", POWER(power_down_mw), "with all rows closed and the clock enable low"),
    VOUCHERS(POWER(source), POWER(confidence), SY_FIELD_OPTIONAL),
    {0}};
static const struct sy_schema power_schema = {
    .name = "DRAM power", .size = sizeof(struct sy_dram_power), .field = power_fields};

static const struct sy_field device_fields[] = {
    TEXT("name", DEVICE(name), 0, "name of the device and its source"),
    TEXT("standard", DEVICE(standard), 0, "DDR4, HBM2 ..."),
    TEXT("note", DEVICE(note), SY_FIELD_OPTIONAL, "what to know about the figures"),
    TEXT("source", DEVICE(source), 0, "where the device comes from; each group of figures names its own"),
    {.key = "confidence", .type = SY_FIELD_NAME, .offset = DEVICE(confidence), .doc = "how sure the figures are"},
    {.key = "controller",
     .type = SY_FIELD_NAME,
     .offset = DEVICE(controller),
     .folder = "arch/dram/controllers",
     .doc = "rules by which commands are chosen"},
    TEXT("address_map", DEVICE(address_map), 0, "fields from the most significant"),
    {.key = "clock",
     .type = SY_FIELD_U64,
     .unit = SY_UNIT_SECONDS,
     .per_unit = 1e15,
     .offset = DEVICE(clock_fs),
     .min = "10 ps",
     .max = "1 us",
     .doc = "period of the command clock"},
    {.key = "organization",
     .type = SY_FIELD_GROUP,
     .offset = DEVICE(org),
     .group = &organization_schema,
     .doc = "banks, rows and buses of one channel"},
    {.key = "timing",
     .type = SY_FIELD_GROUP,
     .offset = DEVICE(timing),
     .group = &timing_schema,
     .doc = "JEDEC timings in command clocks"},
    {.key = "command_bus",
     .type = SY_FIELD_GROUP,
     .offset = DEVICE(bus),
     .group = &bus_schema,
     .flags = SY_FIELD_OPTIONAL,
     .doc = "how commands reach the device"},
    {.key = "power",
     .type = SY_FIELD_GROUP,
     .offset = DEVICE(power),
     .group = &power_schema,
     .flags = SY_FIELD_OPTIONAL,
     .doc = "energy of each action"},
    {0}};
const struct sy_schema sy_dram_device_schema = {
    .name = "DRAM device", .size = sizeof(struct sy_dram_device), .field = device_fields};

static const char *const arbitration_names[] = {"per_bank", "by_age", NULL};
static const char *const scheduler_names[] = {"frfcfs", "frfcfs_rowhit", "fcfs", NULL};
static const char *const page_names[] = {"open", "closed", "timeout", NULL};
static const char *const refresh_names[] = {"all_bank", "per_bank", "none", NULL};

static const struct sy_field controller_fields[] = {
    TEXT("name", CONTROLLER(name), 0, "name of the style"),
    TEXT("note", CONTROLLER(note), SY_FIELD_OPTIONAL, "what to know about it"),
    TEXT("source", CONTROLLER(source), 0, "where the rules come from"),
    {.key = "confidence", .type = SY_FIELD_NAME, .offset = CONTROLLER(confidence), .doc = "how sure they are"},
    CHOICE("arbitration", CONTROLLER(arbitration), arbitration_names,
           "per_bank: a queue a bank, served round robin; by_age: one buffer, the oldest ready request first"),
    CHOICE(
        "scheduler", CONTROLLER(scheduler), scheduler_names,
        "frfcfs_rowhit keeps a row open while an older request hits it; fcfs serves in order (per_bank: in each bank)"),
    COUNT("read_queue", CONTROLLER(read_queue), "1", "128", "reads waiting"),
    COUNT("write_queue", CONTROLLER(write_queue), "1", "128", "writes waiting"),
    COUNT_OR("bank_queue", CONTROLLER(bank_queue), "1", "16", "8", "per_bank: entries of a bank's queue"),
    COUNT_OR("row_hit_cap", CONTROLLER(row_hit_cap), "0", "65536", "0",
             "per_bank: hits after which the oldest request may close the row; 0 = never"),
    COUNT("drain_start_percent", CONTROLLER(drain_start_percent), "1", "100",
          "write queue share at which writes are served"),
    COUNT("drain_stop_percent", CONTROLLER(drain_stop_percent), "0", "100",
          "by_age: share below which reads are served again"),
    COUNT_OR("drain_idle", CONTROLLER(drain_idle), "0", "128", "0",
             "per_bank: more writes than this are served when nothing else waits"),
    CHOICE("page", CONTROLLER(page), page_names, "when a row closes that nobody else needs"),
    COUNT_OR("page_cap", CONTROLLER(page_cap), "1", "65536", "1", "closed: columns a row serves before it closes"),
    {.key = "page_timeout",
     .type = SY_FIELD_U32,
     .unit = SY_UNIT_CYCLES,
     .offset = CONTROLLER(page_timeout),
     .min = "1 cycle",
     .max = "1000000 cycles",
     .fallback = "200 cycles",
     .doc = "timeout: idle clocks before a row closes"},
    CHOICE("refresh", CONTROLLER(refresh), refresh_names, "what one refresh command covers"),
    FLAG("refresh_staggered", CONTROLLER(refresh_staggered), "false", "ranks one after another, else all at once"),
    FLAG("refresh_blocks_channel", CONTROLLER(refresh_blocks_channel), "false",
         "nothing new starts while a refresh waits, else only in its banks"),
    {.key = "return_delay",
     .type = SY_FIELD_U32,
     .unit = SY_UNIT_CYCLES,
     .offset = CONTROLLER(return_clocks),
     .max = "1000 cycles",
     .fallback = "0 cycles",
     .doc = "from last data to the requester"},
    COUNT_OR("first_clock", CONTROLLER(first_clock), "0", "1", "0", "number of the first clock after reset"),
    {0}};
const struct sy_schema sy_dram_controller_schema = {
    .name = "memory controller", .size = sizeof(struct sy_dram_controller), .field = controller_fields};

static bool power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static void check_device(struct sy_schema_context *context, const struct sy_yaml_node *root,
                         const struct sy_dram_device *device)
{
    const struct sy_dram_organization *org = &device->org;
    const struct sy_yaml_node *group = sy_yaml_get(root, "organization");
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"pseudochannels", org->pseudochannels},
                  {"ranks", org->ranks},
                  {"bankgroups", org->bankgroups},
                  {"banks_per_group", org->banks_per_group},
                  {"rows", org->rows},
                  {"row", org->row_bytes},
                  {"burst", org->burst_bytes}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const struct sy_yaml_node *node = sy_yaml_get(group, counts[i].key);
        if (!power_of_two(counts[i].value))
            sy_schema_fail(context, node ? node : group, NULL, "%s is %llu; expected a power of two", counts[i].key,
                           (unsigned long long)counts[i].value);
    }
    if (sy_dram_banks(org) > SY_DRAM_MAX_BANKS)
        sy_schema_fail(context, group, "describe one channel, not a module",
                       "%u banks a channel; at most %d are modelled", sy_dram_banks(org), SY_DRAM_MAX_BANKS);
    if (org->pseudochannels * org->ranks > SY_DRAM_MAX_DOMAINS)
        sy_schema_fail(context, group, NULL, "%u pseudo-channels of %u ranks; at most %d of both together are modelled",
                       org->pseudochannels, org->ranks, SY_DRAM_MAX_DOMAINS);
    if (org->row_bytes < org->burst_bytes)
        sy_schema_fail(context, group, NULL, "a row of %llu bytes is shorter than a burst of %llu",
                       (unsigned long long)org->row_bytes, (unsigned long long)org->burst_bytes);
    if (device->bus.split_activate && device->bus.activate != 1)
        sy_schema_fail(context, sy_yaml_get(root, "command_bus"), "give the clocks of one half",
                       "a split activate of %u clocks a half is not modelled; expected activate: 1 cycle",
                       device->bus.activate);
    if (device->timing.burst == 0 || device->timing.tRAS > device->timing.tRC)
        sy_schema_fail(context, sy_yaml_get(root, "timing"), NULL,
                       "burst must be at least 1 cycle and tRAS at most tRC");
}

static void complete_device(struct sy_dram_device *device)
{
    struct sy_dram_timing *t = &device->timing;
    t->burst_max = t->burst_max ? t->burst_max : t->burst;
    t->tCCD_S_wr = t->tCCD_S_wr ? t->tCCD_S_wr : t->tCCD_S;
    t->tCCD_L_wr = t->tCCD_L_wr ? t->tCCD_L_wr : t->tCCD_L;
    t->tCCD_R = t->tCCD_R ? t->tCCD_R : t->tCCD_S;
    if (!t->tRTW) {
        const uint32_t read_end = t->CL + t->burst + t->tRTRS;
        t->tRTW = read_end > t->CWL ? read_end - t->CWL : 0;
    }
    device->power.has = device->power.activate_pj > 0 && device->power.read_pj > 0;
}

/* Read a file (text NULL) or a text into a new struct of the schema. */
static enum sy_status load(const struct sy_schema *schema, const char *folder, const char *text, size_t length,
                           const char *name_or_path, const char *data_dir, struct sy_arena *arena, void **object,
                           struct sy_yaml_node **root, struct sy_schema_context **context, struct sy_diag *diag)
{
    *object = sy_arena_alloc(arena, schema->size);
    *context = sy_arena_alloc(arena, sizeof **context);
    *root = NULL;
    if (!*object || !*context)
        return SY_NOMEM;
    **context = (struct sy_schema_context){.arena = arena, .diag = diag, .data_dir = data_dir, .root = schema};
    enum sy_status status;
    if (text) {
        status = sy_yaml_parse(arena, text, length, name_or_path, root, diag);
        const enum sy_status resolved = *root ? sy_tree_resolve(*context, *root, (*root)->file, folder, schema) : SY_OK;
        status = status == SY_OK ? resolved : status;
    } else {
        status = sy_tree_load(*context, name_or_path, folder, schema, root);
    }
    if (*root && !(*root)->faulty && (status == SY_OK || status == SY_INPUT)) {
        const enum sy_status read = sy_schema_read(*context, schema, *root, *object);
        status = status == SY_OK ? read : status;
    }
    return status == SY_OK && (*context)->errors ? SY_INPUT : status;
}

static enum sy_status load_device(const char *text, size_t length, const char *name_or_path, const char *data_dir,
                                  struct sy_arena *arena, struct sy_dram_device **device, struct sy_diag *diag)
{
    void *object;
    struct sy_yaml_node *root;
    struct sy_schema_context *context;
    *device = NULL;
    const enum sy_status status = load(&sy_dram_device_schema, "arch/dram", text, length, name_or_path, data_dir, arena,
                                       &object, &root, &context, diag);
    if (status != SY_OK)
        return status;
    check_device(context, root, object);
    if (context->errors)
        return SY_INPUT;
    *device = object;
    complete_device(*device);
    (*device)->figures = context->first_figure;
    return SY_OK;
}

static enum sy_status load_controller(const char *text, size_t length, const char *name_or_path, const char *data_dir,
                                      struct sy_arena *arena, struct sy_dram_controller **controller,
                                      struct sy_diag *diag)
{
    void *object;
    struct sy_yaml_node *root;
    struct sy_schema_context *context;
    const enum sy_status status = load(&sy_dram_controller_schema, "arch/dram/controllers", text, length, name_or_path,
                                       data_dir, arena, &object, &root, &context, diag);
    *controller = status == SY_OK ? object : NULL;
    return status;
}

enum sy_status sy_dram_device_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                   struct sy_dram_device **device, struct sy_diag *diag)
{
    return load_device(NULL, 0, name_or_path, data_dir, arena, device, diag);
}
enum sy_status sy_dram_device_parse(const char *text, size_t length, const char *path, const char *data_dir,
                                    struct sy_arena *arena, struct sy_dram_device **device, struct sy_diag *diag)
{
    return load_device(text, length, path, data_dir, arena, device, diag);
}
enum sy_status sy_dram_controller_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                       struct sy_dram_controller **controller, struct sy_diag *diag)
{
    return load_controller(NULL, 0, name_or_path, data_dir, arena, controller, diag);
}
uint64_t sy_dram_peak_bytes(const struct sy_dram_device *device, uint64_t *clocks)
{
    *clocks = sy_max(device->timing.burst, device->timing.tCCD_S);
    return device->org.pseudochannels * device->org.burst_bytes;
}
