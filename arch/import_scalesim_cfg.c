/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/import_scalesim_cfg.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_COUNT,     /* whole number >= 1 */
    KIND_NUMBER,    /* whole number */
    KIND_COUNTS,    /* whole numbers >= 1 separated by commas */
    KIND_BOOL,      /* true or false in any case */
    KIND_WORD,      /* one of `words`, exact */
    KIND_INTERFACE, /* CALC or USER */
    KIND_TEXT,
    KIND_IGNORED /* known, without effect in the tools or here */
};

/* Versions of the tool that read a key, and v3's habit to demand most of them. */
enum { V1 = 1, V2 = 2, V3 = 4, V3_DEMANDS = 8, NEEDED = 16 };

static const char *const dataflows[] = {"os", "ws", "is", NULL};
static const char *const storages[] = {"csr", "csc", "ellpack_block", NULL};
static const char *const interfaces[] = {"CALC", "USER", NULL};

#define FIELD(member) offsetof(struct sy_scalesim_cfg, member)
static const struct key {
    const char *section, *name; /* name in the tool's spelling */
    enum kind kind;
    size_t offset;
    unsigned versions;
    const char *const *words;
} keys[] = {
    {"general", "run_name", KIND_TEXT, FIELD(run_name), V1 | V2 | V3, NULL},
    {"architecture_presets", "ArrayHeight", KIND_COUNT, FIELD(array_height), V1 | V2 | V3 | NEEDED, NULL},
    {"architecture_presets", "ArrayWidth", KIND_COUNT, FIELD(array_width), V1 | V2 | V3 | NEEDED, NULL},
    {"architecture_presets", "IfmapSramSzkB", KIND_COUNT, FIELD(sram_kb[0]), V2 | V3, NULL},
    {"architecture_presets", "FilterSramSzkB", KIND_COUNT, FIELD(sram_kb[1]), V2 | V3, NULL},
    {"architecture_presets", "OfmapSramSzkB", KIND_COUNT, FIELD(sram_kb[2]), V2 | V3, NULL},
    {"architecture_presets", "IfmapSramSz", KIND_COUNT, FIELD(sram_kb[0]), V1, NULL},
    {"architecture_presets", "FilterSramSz", KIND_COUNT, FIELD(sram_kb[1]), V1, NULL},
    {"architecture_presets", "OfmapSramSz", KIND_COUNT, FIELD(sram_kb[2]), V1, NULL},
    {"architecture_presets", "IfmapOffset", KIND_NUMBER, FIELD(offset[0]), V1 | V2 | V3, NULL},
    {"architecture_presets", "FilterOffset", KIND_NUMBER, FIELD(offset[1]), V1 | V2 | V3, NULL},
    {"architecture_presets", "OfmapOffset", KIND_NUMBER, FIELD(offset[2]), V1 | V2 | V3, NULL},
    {"architecture_presets", "Dataflow", KIND_WORD, FIELD(dataflow), V1 | V2 | V3 | NEEDED, dataflows},
    {"architecture_presets", "Bandwidth", KIND_COUNTS, FIELD(bandwidth), V2 | V3, NULL},
    {"architecture_presets", "MemoryBanks", KIND_NUMBER, FIELD(memory_banks), V2 | V3, NULL},
    {"architecture_presets", "OnChipMemoryBanks", KIND_IGNORED, 0, V3, NULL},
    {"architecture_presets", "OnChipMemoryBankPorts", KIND_IGNORED, 0, V3, NULL},
    {"architecture_presets", "ReadRequestBuffer", KIND_COUNT, FIELD(read_request_buffer), V3 | V3_DEMANDS, NULL},
    {"architecture_presets", "WriteRequestBuffer", KIND_COUNT, FIELD(write_request_buffer), V3 | V3_DEMANDS, NULL},
    {"network_presets", "TopologyCsvLoc", KIND_IGNORED, 0, V1, NULL},
    {"layout", "IfmapCustomLayout", KIND_BOOL, FIELD(custom_layout[0]), V3 | V3_DEMANDS, NULL},
    {"layout", "IfmapSRAMBankBandwidth", KIND_COUNT, FIELD(bank_bandwidth[0]), V3 | V3_DEMANDS, NULL},
    {"layout", "IfmapSRAMBankNum", KIND_COUNT, FIELD(bank_num[0]), V3 | V3_DEMANDS, NULL},
    {"layout", "IfmapSRAMBankPort", KIND_COUNT, FIELD(bank_port[0]), V3 | V3_DEMANDS, NULL},
    {"layout", "FilterCustomLayout", KIND_BOOL, FIELD(custom_layout[1]), V3 | V3_DEMANDS, NULL},
    {"layout", "FilterSRAMBankBandwidth", KIND_COUNT, FIELD(bank_bandwidth[1]), V3 | V3_DEMANDS, NULL},
    {"layout", "FilterSRAMBankNum", KIND_COUNT, FIELD(bank_num[1]), V3 | V3_DEMANDS, NULL},
    {"layout", "FilterSRAMBankPort", KIND_COUNT, FIELD(bank_port[1]), V3 | V3_DEMANDS, NULL},
    {"sparsity", "SparsitySupport", KIND_BOOL, FIELD(sparsity_support), V3 | V3_DEMANDS, NULL},
    {"sparsity", "SparseRep", KIND_WORD, FIELD(sparse_rep), V3, storages},
    {"sparsity", "OptimizedMapping", KIND_BOOL, FIELD(optimized_mapping), V3, NULL},
    {"sparsity", "BlockSize", KIND_COUNT, FIELD(block_size), V3, NULL},
    {"sparsity", "RandomNumberGeneratorSeed", KIND_NUMBER, FIELD(random_seed), V3, NULL},
    {"run_presets", "InterfaceBandwidth", KIND_INTERFACE, FIELD(user_bandwidth), V2 | V3, interfaces},
    {"run_presets", "UseRamulatorTrace", KIND_BOOL, FIELD(use_ramulator_trace), V3 | V3_DEMANDS, NULL},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

struct reader {
    struct sy_arena *arena;
    const char *path;
    struct sy_diag *diag;
    struct sy_scalesim_cfg *cfg;
    const char *section; /* "" before the first */
    bool known_section;
    uint32_t seen[KEYS]; /* line of each key, 0 = not seen */
    bool failed;
    enum sy_status status;
};

static struct sy_where at(const struct reader *r, uint32_t line, size_t column)
{
    return (struct sy_where){.file = r->path, .line = line, .column = (uint32_t)column};
}

/* Cut blanks at both ends of a piece of text, in place; *column moves with the start. */
static char *trim(char *text, size_t *column)
{
    size_t skip = strspn(text, " \t\r");
    size_t length = strlen(text + skip);
    while (length > 0 && strchr(" \t\r", text[skip + length - 1]) != NULL) {
        text[skip + --length] = '\0';
    }
    *column += skip;
    return text + skip;
}

static bool equal_fold(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static void wrong(struct reader *r, const struct key *key, struct sy_where where, const char *value,
                  const char *expected)
{
    (void)sy_error(r->diag, where, NULL, "%s is '%s', expected %s", key->name, value, expected);
    r->failed = true;
}

static void store(struct reader *r, const struct key *key, const void *value, size_t size)
{
    memcpy((char *)r->cfg + key->offset, value, size);
}

static void read_number(struct reader *r, const struct key *key, struct sy_where where, const char *value)
{
    uint64_t number;
    if (!sy_text_to_u64(value, strlen(value), &number) || number > UINT32_MAX) {
        bool range = key->versions == V1 && strchr(value, ',') != NULL;
        wrong(r, key, where, value,
              range ? "one number (a range is a sweep: use `systole sweep`)" : "a whole number below 2^32");
    } else if (number == 0 && key->kind == KIND_COUNT) {
        wrong(r, key, where, value, "at least 1");
    } else {
        store(r, key, &number, sizeof number);
    }
}

static void read_counts(struct reader *r, const struct key *key, struct sy_where where, const char *value)
{
    struct sy_scalesim_cfg *cfg = r->cfg;
    for (const char *part = value; part != NULL;) {
        const char *comma = strchr(part, ',');
        size_t length = comma != NULL ? (size_t)(comma - part) : strlen(part);
        while (length > 0 && isblank((unsigned char)*part)) {
            part++, length--;
        }
        while (length > 0 && isblank((unsigned char)part[length - 1])) {
            length--;
        }
        uint64_t number;
        if (!sy_text_to_u64(part, length, &number) || number == 0 || number > UINT32_MAX ||
            cfg->bandwidths == SY_SCALESIM_CFG_BANDWIDTHS) {
            wrong(r, key, where, value, "up to 16 whole numbers of at least 1, separated by commas");
            return;
        }
        cfg->bandwidth[cfg->bandwidths++] = number;
        part = comma != NULL ? comma + 1 : NULL;
    }
}

static void read_bool(struct reader *r, const struct key *key, struct sy_where where, const char *value)
{
    /* The words of Python's getboolean. */
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (uint64_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (equal_fold(value, words[i])) {
            uint64_t set = i % 2;
            store(r, key, &set, sizeof set);
            return;
        }
    }
    wrong(r, key, where, value, "true or false");
}

static void read_word(struct reader *r, const struct key *key, struct sy_where where, const char *value)
{
    uint64_t count = 0;
    for (; key->words[count] != NULL; count++) {
        if (strcmp(value, key->words[count]) != 0) {
            continue;
        }
        if (key->kind == KIND_INTERFACE) {
            store(r, key, &count, sizeof count);
        } else {
            store(r, key, &key->words[count], sizeof key->words[count]);
        }
        return;
    }
    const char *near = sy_nearest(value, key->words, count);
    (void)sy_error(r->diag, where, "the tools know these words in exactly this spelling only",
                   "%s is '%s', expected %s%s%s%s%s%s%s%s", key->name, value, key->words[0], count > 2 ? ", " : " or ",
                   key->words[1], count > 2 ? " or " : "", count > 2 ? key->words[2] : "",
                   near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    r->failed = true;
}

static void read_value(struct reader *r, const struct key *key, struct sy_where where, char *value)
{
    size_t length = strlen(value);
    const char *text;
    switch (key->kind) {
    case KIND_COUNT:
    case KIND_NUMBER:
        read_number(r, key, where, value);
        break;
    case KIND_COUNTS:
        read_counts(r, key, where, value);
        break;
    case KIND_BOOL:
        read_bool(r, key, where, value);
        break;
    case KIND_WORD:
    case KIND_INTERFACE:
        read_word(r, key, where, value);
        break;
    case KIND_TEXT:
        if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
            value[length - 1] = '\0';
            value++;
        }
        text = sy_arena_strdup(r->arena, value);
        r->status = text == NULL ? SY_NOMEM : r->status;
        store(r, key, &text, sizeof text);
        break;
    case KIND_IGNORED:
        sy_warn(r->diag, where, NULL, "%s has no effect", key->name);
        break;
    }
}

static void unknown_key(struct reader *r, struct sy_where where, const char *name)
{
    const char *names[KEYS];
    uint64_t count = 0;
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].section, r->section) == 0) {
            names[count++] = keys[i].name;
        }
    }
    const char *near = sy_nearest(name, names, count);
    sy_warn(r->diag, where, "unknown keys have no effect", "unknown key '%s' in [%s]%s%s%s", name, r->section,
            near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
}

static void assign(struct reader *r, uint32_t line, char *name, size_t column, char *value, size_t value_column)
{
    if (!r->known_section) {
        return; /* the section was warned about */
    }
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].section, r->section) != 0 || !equal_fold(keys[i].name, name)) {
            continue;
        }
        if (r->seen[i] != 0) {
            (void)sy_error(r->diag, at(r, line, column), NULL, "key '%s' appears twice, first in line %u", name,
                           r->seen[i]);
            r->failed = true;
            return;
        }
        r->seen[i] = line;
        read_value(r, &keys[i], at(r, line, value_column), value);
        return;
    }
    unknown_key(r, at(r, line, column), name);
}

static void open_section(struct reader *r, uint32_t line, char *text)
{
    char *end = strchr(text, ']');
    if (end == NULL) {
        (void)sy_error(r->diag, at(r, line, 1), NULL, "a section needs a closing ']'");
        r->failed = true;
        return;
    }
    *end = '\0';
    r->known_section = false;
    r->section = text + 1;
    for (int i = 0; i < KEYS && !r->known_section; i++) {
        r->known_section = strcmp(keys[i].section, r->section) == 0;
    }
    r->cfg->has_layout |= strcmp(r->section, "layout") == 0;
    if (!r->known_section) {
        sy_warn(r->diag, at(r, line, 1), "expected general, architecture_presets, run_presets, layout or sparsity",
                "unknown section [%s] is left out", r->section);
    }
}

static void read_line(struct reader *r, uint32_t line, char *text)
{
    size_t column = 1;
    text = trim(text, &column);
    if (*text == '\0' || *text == '#' || *text == ';') {
        return;
    }
    if (*text == '[') {
        open_section(r, line, text);
        return;
    }
    size_t length = strcspn(text, ":=");
    if (text[length] == '\0' || *r->section == '\0') {
        (void)sy_error(r->diag, at(r, line, column), "for example `ArrayHeight : 32` under [architecture_presets]",
                       *r->section == '\0' ? "'%s' stands before the first section" : "'%s' assigns nothing", text);
        r->failed = true;
        return;
    }
    text[length] = '\0';
    size_t value_column = column + length + 1;
    char *value = trim(text + length + 1, &value_column);
    assign(r, line, trim(text, &column), column, value, value_column);
}

static void missing(struct reader *r, const char *section, const char *name)
{
    (void)sy_error(r->diag, at(r, 0, 0), NULL, "key %s of [%s] is missing", name, section);
    r->failed = true;
}

/* The newest version whose own keys the file uses. */
static uint64_t version_of(const struct reader *r)
{
    uint64_t version = 2;
    for (int i = 0; i < KEYS; i++) {
        if (r->seen[i] != 0 && (keys[i].versions & (V1 | V2)) == 0) {
            return 3;
        }
        if (r->seen[i] != 0 && (keys[i].versions & (V2 | V3)) == 0) {
            version = 1;
        }
    }
    return version;
}

static void check_presence(struct reader *r)
{
    struct sy_scalesim_cfg *cfg = r->cfg;
    static const char *const srams[] = {"IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB"};
    cfg->version = version_of(r);
    for (int i = 0; i < KEYS; i++) {
        if (r->seen[i] != 0) {
            continue;
        }
        if ((keys[i].versions & NEEDED) != 0) {
            missing(r, keys[i].section, keys[i].name);
        } else if (cfg->version == 3 && (keys[i].versions & V3_DEMANDS) != 0) {
            sy_warn(r->diag, at(r, 0, 0), NULL, "key %s of [%s] is missing; SCALE-Sim v3 itself refuses the file",
                    keys[i].name, keys[i].section);
        }
    }
    for (int i = 0; i < 3 && !r->failed; i++) {
        if (cfg->sram_kb[i] == 0) {
            missing(r, "architecture_presets", srams[i]);
        }
    }
    if (cfg->user_bandwidth != 0 && cfg->bandwidths == 0 && !r->failed) {
        missing(r, "architecture_presets", "Bandwidth");
    }
}

enum sy_status sy_scalesim_cfg_parse(struct sy_arena *arena, const char *text, size_t length, const char *path,
                                     struct sy_scalesim_cfg *cfg, struct sy_diag *diag)
{
    struct reader r = {.arena = arena, .path = path, .diag = diag, .cfg = cfg, .section = ""};
    memset(cfg, 0, sizeof *cfg);
    const char *nul = memchr(text, '\0', length);
    if (nul != NULL) {
        struct sy_where where = {.file = path, .has_offset = 1, .byte_offset = (uint64_t)(nul - text)};
        return sy_error(diag, where, NULL, "a zero byte: this is not a text file");
    }
    char *copy = sy_arena_strndup(arena, text, length);
    if (copy == NULL) {
        return SY_NOMEM;
    }
    uint32_t line = 1;
    for (char *start = copy; start != NULL; line++) {
        char *end = strchr(start, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        read_line(&r, line, start);
        start = end != NULL ? end + 1 : NULL;
    }
    check_presence(&r);
    return r.failed ? SY_INPUT : r.status;
}

/* ---- the chip ---- */

/* A double-quoted YAML scalar; other control characters cannot be written and become spaces. */
static void put_quoted(struct sy_buf *out, const char *text)
{
    sy_buf_puts(out, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            sy_buf_printf(out, "\\%c", c);
        } else {
            sy_buf_printf(out, "%c", c < 0x20 || c >= 0x7f ? ' ' : c);
        }
    }
    sy_buf_puts(out, "\"");
}

static void put_sram(struct sy_buf *out, const char *name, char operand, uint64_t kb)
{
    sy_buf_printf(out,
                  "  - name: %s\n    kind: sram\n    holds: [%c]\n    source: cfg\n    confidence: read\n"
                  "    capacity: %" PRIu64 " KiB\n%s    depth: {value: 2, source: scalesim, confidence: read}\n",
                  name, operand, kb, operand == 'C' ? "    accumulates: true\n" : "");
}

/* Words a cycle of the three interfaces together; v3 takes those of ifmap and filter from [layout]. */
static uint64_t interface_words(const struct sy_scalesim_cfg *cfg)
{
    uint64_t words = cfg->bandwidth[0];
    for (int i = 0; i < 2; i++) {
        words += cfg->version == 3 && cfg->bank_bandwidth[i] != 0 ? cfg->bank_bandwidth[i] : cfg->bandwidth[0];
    }
    return words;
}

void sy_scalesim_cfg_to_yaml(const struct sy_scalesim_cfg *cfg, struct sy_buf *yaml)
{
    sy_buf_puts(yaml, "name: scalesim-cfg\ndescription: ");
    put_quoted(yaml, cfg->run_name != NULL ? cfg->run_name : "");
    sy_buf_printf(yaml,
                  "\nsource: SCALE-Sim v%" PRIu64 " configuration file\nconfidence: read\n\n"
                  "sources:\n"
                  "  cfg: the configuration file\n"
                  "  scalesim: SCALE-Sim's source, read as a specification\n"
                  "  assumption: assumption of this project, no source\n\n"
                  "technology:\n  node: {value: 45 nm, source: assumption, confidence: assumed}\n\n"
                  "clocks:\n  core: {value: 1 GHz, source: assumption, confidence: assumed}\n\n"
                  "cores: {value: 1, source: scalesim, confidence: read}\n\n"
                  "core:\n  array:\n    source: cfg\n    confidence: read\n"
                  "    rows: %" PRIu64 "\n    cols: %" PRIu64 "\n    count: 1\n    dataflows: [%s]\n"
                  "    precisions:\n      - {a: int8, b: int8, accumulator: int32, rate: 1}\n"
                  "    timing: scalesim-v%d\n\n"
                  "memory:\n",
                  cfg->version, cfg->array_height, cfg->array_width, cfg->dataflow, cfg->version == 3 ? 3 : 2);
    put_sram(yaml, "ifmap", 'A', cfg->sram_kb[0]);
    put_sram(yaml, "filter", 'B', cfg->sram_kb[1]);
    put_sram(yaml, "ofmap", 'C', cfg->sram_kb[2]);
    sy_buf_puts(yaml,
                "  - name: dram\n    kind: dram\n    holds: [A, B, C]\n    source: scalesim\n    confidence: read\n"
                "    capacity: unlimited\n    latency: 0 ns\n");
    if (cfg->user_bandwidth != 0) {
        sy_buf_printf(yaml, "    bandwidth: %" PRIu64 " GB/s  # three interfaces together, at 1 GHz\n",
                      interface_words(cfg));
    } else {
        sy_buf_puts(yaml, "    bandwidth: unlimited  # CALC: demand is reported, never limited\n");
    }
}

enum sy_status sy_chip_from_scalesim_cfg(const char *path, const struct sy_chip_options *options, struct sy_chip **chip,
                                         struct sy_diag *diag)
{
    char *text = NULL;
    size_t length = 0;
    struct sy_scalesim_cfg cfg;
    struct sy_buf yaml = {0};
    *chip = NULL;
    enum sy_status status = sy_read_file(path, 1 << 20, &text, &length, diag);
    struct sy_arena *arena = sy_arena_create(NULL, (size_t)16 << 20);
    if (status == SY_OK && arena == NULL) {
        status = SY_NOMEM;
    }
    if (status == SY_OK) {
        status = sy_scalesim_cfg_parse(arena, text, length, path, &cfg, diag);
    }
    if (status == SY_OK) {
        sy_scalesim_cfg_to_yaml(&cfg, &yaml);
        status = yaml.failed ? SY_NOMEM : sy_chip_parse(yaml.data, yaml.length, path, options, chip, diag);
    }
    sy_buf_free(&yaml);
    sy_arena_destroy(arena);
    free(text);
    return status;
}
