/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading of DRAM devices and controllers. A file is first flattened into
 * (section, key, value, place) items from libyaml's events, then matched
 * against one table a kind, so that every wrong item is reported.
 */
#include "arch/dram_device.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "sim/base/units.h"

enum { MAX_ITEMS = 256, MAX_FILE_BYTES = 1 << 20 };

struct item {
    const char *section; /* "" at the top */
    const char *key, *value;
    struct sy_where where;
    bool used;
};
struct document {
    struct sy_arena *arena;
    const char *path;
    struct item item[MAX_ITEMS];
    uint32_t items;
    struct sy_diag *diag;
    uint32_t errors;
};

enum field_kind { FIELD_TEXT, FIELD_U32, FIELD_U64, FIELD_BOOL, FIELD_CLOCK_FS, FIELD_PJ, FIELD_ENUM };
struct field {
    const char *section, *key;
    enum field_kind kind;
    size_t offset;
    bool required;
    uint64_t low, high;       /* integers */
    const char *const *names; /* enumerations, NULL-terminated */
};

/* ---- tables ---- */
#define DEVICE(member) offsetof(struct sy_dram_device, member)
#define CONTROLLER(member) offsetof(struct sy_dram_controller, member)
#define TEXT(section, key, offset, required) {section, key, FIELD_TEXT, offset, required, 0, 0, NULL}
#define COUNT(section, key, offset, required, low, high) {section, key, FIELD_U32, offset, required, low, high, NULL}
#define CLOCKS(key, member, required) \
    COUNT("timing_clocks", key, DEVICE(timing.member), required, 0, SY_DRAM_MAX_CLOCKS - 1)

static const struct field device_fields[] = {
    TEXT("", "name", DEVICE(name), true),
    TEXT("", "standard", DEVICE(standard), true),
    TEXT("", "source", DEVICE(source), true),
    TEXT("", "confidence", DEVICE(confidence), true),
    TEXT("", "note", DEVICE(note), false),
    TEXT("", "controller", DEVICE(controller), true),
    TEXT("", "address_map", DEVICE(address_map), true),
    {"", "clock", FIELD_CLOCK_FS, DEVICE(clock_fs), true, 0, 0, NULL},
    COUNT("organization", "pseudochannels", DEVICE(org.pseudochannels), false, 1, 4),
    COUNT("organization", "ranks", DEVICE(org.ranks), false, 1, 8),
    {"organization", "ranks_are_stacked", FIELD_BOOL, DEVICE(org.ranks_are_stacked), false, 0, 0, NULL},
    COUNT("organization", "bankgroups", DEVICE(org.bankgroups), true, 1, 16),
    COUNT("organization", "banks_per_group", DEVICE(org.banks_per_group), true, 1, 32),
    {"organization", "rows", FIELD_U64, DEVICE(org.rows), true, 2, UINT64_C(1) << 24, NULL},
    {"organization", "row_bytes", FIELD_U64, DEVICE(org.row_bytes), true, 64, UINT64_C(1) << 20, NULL},
    {"organization", "bus_bits", FIELD_U64, DEVICE(org.bus_bits), true, 4, 4096, NULL},
    {"organization", "burst_bytes", FIELD_U64, DEVICE(org.burst_bytes), true, 8, 4096, NULL},
    CLOCKS("burst", burst, true),
    CLOCKS("burst_max", burst_max, false),
    CLOCKS("CL", CL, true),
    CLOCKS("CWL", CWL, true),
    CLOCKS("tRCD_rd", tRCD_rd, true),
    CLOCKS("tRCD_wr", tRCD_wr, true),
    CLOCKS("tRP", tRP, true),
    CLOCKS("tRAS", tRAS, true),
    CLOCKS("tRC", tRC, true),
    CLOCKS("tRRD_S", tRRD_S, true),
    CLOCKS("tRRD_L", tRRD_L, true),
    CLOCKS("tFAW", tFAW, true),
    CLOCKS("t32AW", t32AW, false),
    CLOCKS("tCCD_S", tCCD_S, true),
    CLOCKS("tCCD_L", tCCD_L, true),
    CLOCKS("tCCD_S_wr", tCCD_S_wr, false),
    CLOCKS("tCCD_L_wr", tCCD_L_wr, false),
    CLOCKS("tCCD_R", tCCD_R, false),
    CLOCKS("tWR", tWR, true),
    CLOCKS("tWTR_S", tWTR_S, true),
    CLOCKS("tWTR_L", tWTR_L, true),
    CLOCKS("tRTP", tRTP, true),
    CLOCKS("tRTRS", tRTRS, false),
    CLOCKS("tRTW", tRTW, false),
    CLOCKS("tPPD", tPPD, false),
    CLOCKS("tREFI", tREFI, true),
    CLOCKS("tRFC", tRFC, true),
    CLOCKS("tREFIpb", tREFIpb, false),
    CLOCKS("tRFCpb", tRFCpb, false),
    CLOCKS("tRREFD", tRREFD, false),
    COUNT("command_bus", "buses", DEVICE(bus.buses), false, 1, 2),
    COUNT("command_bus", "activate_clocks", DEVICE(bus.activate), false, 1, 8),
    COUNT("command_bus", "precharge_clocks", DEVICE(bus.precharge), false, 1, 8),
    COUNT("command_bus", "column_clocks", DEVICE(bus.column), false, 1, 8),
    {"command_bus", "half_clock_edges", FIELD_BOOL, DEVICE(bus.half_clock_edges), false, 0, 0, NULL},
    COUNT("command_bus", "split_activate_clocks", DEVICE(bus.split_activate), false, 0, 64),
    {"command_bus", "data_clock_sync", FIELD_BOOL, DEVICE(bus.data_clock_sync), false, 0, 0, NULL},
    COUNT("command_bus", "data_clock_post_clocks", DEVICE(bus.data_clock_post), false, 0, 64),
    {"power", "activate_pj", FIELD_PJ, DEVICE(power.activate_pj), false, 0, 0, NULL},
    {"power", "read_pj", FIELD_PJ, DEVICE(power.read_pj), false, 0, 0, NULL},
    {"power", "write_pj", FIELD_PJ, DEVICE(power.write_pj), false, 0, 0, NULL},
    {"power", "refresh_pj", FIELD_PJ, DEVICE(power.refresh_pj), false, 0, 0, NULL},
    {"power", "active_standby_mw", FIELD_PJ, DEVICE(power.active_standby_mw), false, 0, 0, NULL},
    {"power", "precharge_standby_mw", FIELD_PJ, DEVICE(power.precharge_standby_mw), false, 0, 0, NULL},
    TEXT("power", "source", DEVICE(power.source), false),
    TEXT("power", "confidence", DEVICE(power.confidence), false),
};

static const char *const arbitration_names[] = {"per-bank", "by-age", NULL};
static const char *const scheduler_names[] = {"frfcfs", "frfcfs-rowhit", "fcfs", NULL};
static const char *const page_names[] = {"open", "closed", "timeout", NULL};
static const char *const refresh_names[] = {"all-bank", "per-bank", "none", NULL};

#define ENUM(key, offset, names) {"", key, FIELD_ENUM, offset, true, 0, 0, names}

static const struct field controller_fields[] = {
    TEXT("", "name", CONTROLLER(name), true),
    TEXT("", "source", CONTROLLER(source), true),
    TEXT("", "confidence", CONTROLLER(confidence), true),
    TEXT("", "note", CONTROLLER(note), false),
    ENUM("arbitration", CONTROLLER(arbitration), arbitration_names),
    ENUM("scheduler", CONTROLLER(scheduler), scheduler_names),
    COUNT("", "read_queue", CONTROLLER(read_queue), true, 1, SY_DRAM_MAX_QUEUE),
    COUNT("", "write_queue", CONTROLLER(write_queue), true, 1, SY_DRAM_MAX_QUEUE),
    COUNT("", "bank_queue", CONTROLLER(bank_queue), false, 1, SY_DRAM_MAX_BANK_QUEUE),
    COUNT("", "row_hit_cap", CONTROLLER(row_hit_cap), false, 0, 1 << 16),
    COUNT("", "drain_start_percent", CONTROLLER(drain_start_percent), true, 1, 100),
    COUNT("", "drain_stop_percent", CONTROLLER(drain_stop_percent), true, 0, 100),
    COUNT("", "drain_idle", CONTROLLER(drain_idle), false, 0, SY_DRAM_MAX_QUEUE),
    ENUM("page", CONTROLLER(page), page_names),
    COUNT("", "page_cap", CONTROLLER(page_cap), false, 1, 1 << 16),
    COUNT("", "page_timeout_clocks", CONTROLLER(page_timeout), false, 1, SY_DRAM_MAX_CLOCKS - 1),
    ENUM("refresh", CONTROLLER(refresh), refresh_names),
    {"", "refresh_staggered", FIELD_BOOL, CONTROLLER(refresh_staggered), false, 0, 0, NULL},
    {"", "refresh_blocks_channel", FIELD_BOOL, CONTROLLER(refresh_blocks_channel), false, 0, 0, NULL},
    COUNT("", "return_clocks", CONTROLLER(return_clocks), false, 0, 1024),
    COUNT("", "first_clock", CONTROLLER(first_clock), false, 0, 1),
};

/* ---- YAML events to items ---- */
static struct sy_where place(const struct document *doc, yaml_mark_t mark)
{
    return (struct sy_where){.file = doc->path, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

#define COMPLAIN(doc, where, hint, ...) ((doc)->errors++, (void)sy_error((doc)->diag, (where), (hint), __VA_ARGS__))

struct reader {
    struct document *doc;
    uint32_t depth;          /* of open mappings */
    const char *section, *key;
    struct sy_where key_where;
};

static void add_item(struct reader *reader, const char *value)
{
    struct document *doc = reader->doc;
    for (uint32_t i = 0; i < doc->items; i++) {
        if (!strcmp(doc->item[i].section, reader->section) && !strcmp(doc->item[i].key, reader->key)) {
            COMPLAIN(doc, reader->key_where, "remove one of them", "'%s' is given twice (first on line %u)",
                     reader->key, doc->item[i].where.line);
            return;
        }
    }
    if (doc->items == MAX_ITEMS) {
        COMPLAIN(doc, reader->key_where, NULL, "more than %d keys", MAX_ITEMS);
        return;
    }
    doc->item[doc->items++] =
        (struct item){.section = reader->section, .key = reader->key, .value = value, .where = reader->key_where};
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct document *doc = reader->doc;
    const char *text = sy_arena_strndup(doc->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
    if (!text || strlen(text) != event->data.scalar.length) {
        COMPLAIN(doc, place(doc, event->start_mark), NULL, text ? "a NUL byte in a text" : "out of memory");
        text = "";
    }
    if (reader->depth == 0) {
        COMPLAIN(doc, place(doc, event->start_mark), NULL, "expected keys and values, found '%s'", text);
    } else if (!reader->key) {
        reader->key = text;
        reader->key_where = place(doc, event->start_mark);
    } else {
        add_item(reader, text);
        reader->key = NULL;
    }
}

static void on_mapping_start(struct reader *reader, const yaml_event_t *event)
{
    struct document *doc = reader->doc;
    if (reader->depth >= 1) {
        if (reader->depth >= 2 || !reader->key)
            COMPLAIN(doc, place(doc, event->start_mark), NULL, "keys are nested too deeply here");
        reader->section = reader->key ? reader->key : "";
        reader->key = NULL;
    }
    reader->depth++;
}

static bool on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(reader, event);
        return true;
    case YAML_MAPPING_START_EVENT:
        on_mapping_start(reader, event);
        return true;
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        reader->section = "";
        reader->key = NULL;
        return true;
    case YAML_ALIAS_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        COMPLAIN(reader->doc, place(reader->doc, event->start_mark), "write one value a key",
                 "a list or an alias has no meaning in this file");
        return false;
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    default:
        return true;
    }
}

static void flatten(struct document *doc, const char *text, size_t length)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        COMPLAIN(doc, SY_NOWHERE, NULL, "out of memory");
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    struct reader reader = {.doc = doc, .section = ""};
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            COMPLAIN(doc, place(doc, parser.problem_mark), NULL, "not valid YAML: %s",
                     parser.problem ? parser.problem : "unknown problem");
            break;
        }
        more = on_event(&reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

/* ---- items to a struct ---- */
static const char *kind_expects(const struct field *field, char out[96])
{
    if (field->kind == FIELD_U32 || field->kind == FIELD_U64)
        snprintf(out, 96, "a whole number from %llu to %llu", (unsigned long long)field->low,
                 (unsigned long long)field->high);
    else
        snprintf(out, 96, "%s",
                 field->kind == FIELD_BOOL       ? "yes or no"
                 : field->kind == FIELD_CLOCK_FS ? "a time such as 0.625 ns"
                 : field->kind == FIELD_PJ       ? "a number that is not negative"
                                                 : "one of the known words");
    return out;
}

static bool set_enum(const struct field *field, const char *value, void *member)
{
    for (uint32_t i = 0; field->names[i]; i++) {
        if (!strcmp(field->names[i], value)) {
            /* every enumeration here starts at 0 and follows its table */
            memcpy(member, &i, sizeof i);
            return true;
        }
    }
    return false;
}

static bool set_field(const struct field *field, const char *value, void *object)
{
    void *member = (char *)object + field->offset;
    uint64_t number = 0;
    double real = 0;
    struct sy_unit_error error;
    switch (field->kind) {
    case FIELD_TEXT:
        memcpy(member, &value, sizeof value);
        return value[0] != '\0';
    case FIELD_U32:
    case FIELD_U64:
        if (!sy_parse_u64(value, SY_UNIT_NONE, &number, &error) || number < field->low || number > field->high)
            return false;
        if (field->kind == FIELD_U32)
            *(uint32_t *)member = (uint32_t)number;
        else
            *(uint64_t *)member = number;
        return true;
    case FIELD_BOOL:
        *(bool *)member = !strcmp(value, "yes") || !strcmp(value, "true");
        return *(bool *)member || !strcmp(value, "no") || !strcmp(value, "false");
    case FIELD_CLOCK_FS:
        if (!sy_parse_double(value, SY_UNIT_SECONDS, &real, &error) || !(real >= 1e-11 && real <= 1e-6))
            return false;
        *(uint64_t *)member = (uint64_t)llround(real * 1e15);
        return true;
    case FIELD_PJ:
        if (!sy_parse_double(value, SY_UNIT_NONE, &real, &error) || !(real >= 0))
            return false;
        *(double *)member = real;
        return true;
    case FIELD_ENUM:
    default:
        return set_enum(field, value, member);
    }
}

static struct item *find_item(struct document *doc, const struct field *field)
{
    for (uint32_t i = 0; i < doc->items; i++)
        if (!strcmp(doc->item[i].section, field->section) && !strcmp(doc->item[i].key, field->key))
            return &doc->item[i];
    return NULL;
}

static void report_unknown(struct document *doc, const struct field *fields, size_t count)
{
    const char *names[128];
    for (uint32_t i = 0; i < doc->items; i++) {
        const struct item *item = &doc->item[i];
        if (item->used)
            continue;
        uint64_t candidates = 0;
        for (size_t f = 0; f < count && candidates < 128; f++)
            if (!strcmp(fields[f].section, item->section))
                names[candidates++] = fields[f].key;
        const char *near = candidates ? sy_nearest(item->key, names, candidates) : NULL;
        char hint[128] = "remove it";
        if (near)
            snprintf(hint, sizeof hint, "did you mean '%s'?", near);
        COMPLAIN(doc, item->where, hint, "unknown key '%s%s%s'", item->section, item->section[0] ? "." : "", item->key);
    }
}

static void apply(struct document *doc, const struct field *fields, size_t count, void *object)
{
    char expects[96];
    for (size_t f = 0; f < count; f++) {
        const struct field *field = &fields[f];
        struct item *item = find_item(doc, field);
        if (!item) {
            if (field->required)
                COMPLAIN(doc, ((struct sy_where){.file = doc->path}), NULL, "the key '%s%s%s' is missing",
                         field->section, field->section[0] ? "." : "", field->key);
            continue;
        }
        item->used = true;
        if (!set_field(field, item->value, object)) {
            const char *near = NULL;
            uint64_t names = 0;
            while (field->names && field->names[names])
                names++;
            if (field->names)
                near = sy_nearest(item->value, field->names, names);
            COMPLAIN(doc, item->where, near, "'%s' is '%s'; expected %s", field->key, item->value,
                     kind_expects(field, expects));
        }
    }
    report_unknown(doc, fields, count);
}

static bool power_of_two(uint64_t value) { return value && !(value & (value - 1)); }

static void check_device(struct document *doc, const struct sy_dram_device *device)
{
    const struct sy_dram_organization *org = &device->org;
    const struct sy_where where = {.file = doc->path};
    const uint64_t counts[] = {org->pseudochannels, org->ranks, org->bankgroups, org->banks_per_group,
                               org->rows,           org->row_bytes, org->burst_bytes};
    static const char *const names[] = {"pseudochannels", "ranks", "bankgroups", "banks_per_group",
                                        "rows",           "row_bytes", "burst_bytes"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (!power_of_two(counts[i]))
            COMPLAIN(doc, where, NULL, "organization.%s is %llu; expected a power of two", names[i],
                     (unsigned long long)counts[i]);
    if (sy_dram_banks(org) > SY_DRAM_MAX_BANKS)
        COMPLAIN(doc, where, "describe one channel, not a module", "%u banks a channel; at most %d are modelled",
                 sy_dram_banks(org), SY_DRAM_MAX_BANKS);
    if (org->row_bytes < org->burst_bytes)
        COMPLAIN(doc, where, NULL, "a row of %llu bytes is shorter than a burst of %llu",
                 (unsigned long long)org->row_bytes, (unsigned long long)org->burst_bytes);
    if (device->timing.burst == 0 || device->timing.tRAS > device->timing.tRC)
        COMPLAIN(doc, where, NULL, "timing_clocks.burst must be at least 1 and tRAS at most tRC");
}

static void device_defaults(struct sy_dram_device *device)
{
    device->org.pseudochannels = device->org.ranks = 1;
    device->bus = (struct sy_dram_command_bus){.buses = 1, .activate = 1, .precharge = 1, .column = 1};
}

static void device_derive(struct sy_dram_device *device)
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
    device->power.has = device->power.source != NULL;
}

enum sy_status sy_dram_device_parse(const char *text, size_t length, const char *path, struct sy_arena *arena,
                                    struct sy_dram_device **device, struct sy_diag *diag)
{
    struct document *doc = calloc(1, sizeof *doc);
    struct sy_dram_device *made = sy_arena_alloc(arena, sizeof *made);
    if (!doc || !made) {
        free(doc);
        return SY_NOMEM;
    }
    doc->arena = arena, doc->path = path, doc->diag = diag;
    device_defaults(made);
    flatten(doc, text, length);
    if (!doc->errors)
        apply(doc, device_fields, sizeof device_fields / sizeof device_fields[0], made);
    if (!doc->errors)
        check_device(doc, made);
    device_derive(made);
    const bool good = doc->errors == 0;
    free(doc);
    *device = good ? made : NULL;
    return good ? SY_OK : SY_INPUT;
}

enum sy_status sy_dram_controller_parse(const char *text, size_t length, const char *path, struct sy_arena *arena,
                                        struct sy_dram_controller **controller, struct sy_diag *diag)
{
    struct document *doc = calloc(1, sizeof *doc);
    struct sy_dram_controller *made = sy_arena_alloc(arena, sizeof *made);
    if (!doc || !made) {
        free(doc);
        return SY_NOMEM;
    }
    doc->arena = arena, doc->path = path, doc->diag = diag;
    made->bank_queue = 8;
    made->page_cap = 1;
    made->page_timeout = 200;
    flatten(doc, text, length);
    if (!doc->errors)
        apply(doc, controller_fields, sizeof controller_fields / sizeof controller_fields[0], made);
    const bool good = doc->errors == 0;
    free(doc);
    *controller = good ? made : NULL;
    return good ? SY_OK : SY_INPUT;
}

/* ---- files ---- */
static enum sy_status read_named(const char *name, const char *data_dir, const char *folder, struct sy_arena *arena,
                                 const char **path, char **text, size_t *length, struct sy_diag *diag)
{
    const size_t n = strlen(name);
    const bool is_path = n > 5 && !strcmp(name + n - 5, ".yaml");
    if (!is_path && strpbrk(name, "/\\"))
        return sy_error(diag, SY_NOWHERE, "give a name from `systole list drams` or a path that ends in .yaml",
                        "'%s' is neither a DRAM name nor a .yaml file", name);
    *path = is_path ? sy_arena_strdup(arena, name)
                    : sy_arena_printf(arena, "%s/%s/%s.yaml", data_dir ? data_dir : ".", folder, name);
    if (!*path)
        return SY_NOMEM;
    return sy_read_file(*path, MAX_FILE_BYTES, text, length, diag);
}

enum sy_status sy_dram_device_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                   struct sy_dram_device **device, struct sy_diag *diag)
{
    const char *path;
    char *text;
    size_t length;
    *device = NULL;
    enum sy_status status = read_named(name_or_path, data_dir, "arch/dram", arena, &path, &text, &length, diag);
    if (status != SY_OK)
        return status;
    status = sy_dram_device_parse(text, length, path, arena, device, diag);
    free(text);
    return status;
}

enum sy_status sy_dram_controller_load(const char *name_or_path, const char *data_dir, struct sy_arena *arena,
                                       struct sy_dram_controller **controller, struct sy_diag *diag)
{
    const char *path;
    char *text;
    size_t length;
    *controller = NULL;
    enum sy_status status =
        read_named(name_or_path, data_dir, "arch/dram/controllers", arena, &path, &text, &length, diag);
    if (status != SY_OK)
        return status;
    status = sy_dram_controller_parse(text, length, path, arena, controller, diag);
    free(text);
    return status;
}

uint64_t sy_dram_channel_bytes(const struct sy_dram_organization *org)
{
    return sy_dram_banks(org) * org->rows * org->row_bytes;
}

uint64_t sy_dram_peak_bytes(const struct sy_dram_device *device, uint64_t *clocks)
{
    *clocks = sy_max(device->timing.burst, device->timing.tCCD_S);
    return device->org.pseudochannels * device->org.burst_bytes;
}
