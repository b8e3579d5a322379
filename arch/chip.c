/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a chip: files to one tree (tree.c), tree to struct (schema.c), then the invariants (chip_check.c). */
#include "arch/chip.h"

#include <stdio.h>
#include <string.h>

#include "arch/chip_check.h"
#include "arch/chip_schema.h"
#include "arch/tree.h"
#include "sim/base/checked.h"
#include "sim/base/json.h"

enum { ARENA_LIMIT = 256 << 20 };

static enum sy_status write_text(struct sy_schema_context *context, struct sy_chip *chip)
{
    struct sy_buf text = {0};
    sy_schema_write(context, &text, &sy_chip_schema, chip, NULL);
    chip->text = text.failed ? NULL : sy_arena_strdup(chip->arena, text.data ? text.data : "");
    if (chip->text)
        sy_sha256_hex(text.data, text.length, chip->sha256);
    sy_buf_free(&text);
    return chip->text ? SY_OK : SY_NOMEM;
}

static enum sy_status apply_overrides(struct sy_schema_context *context, struct sy_yaml_node *root,
                                      const char *const *set, uint32_t *overridden)
{
    enum sy_status status = SY_OK;
    for (; set && *set; set++, ++*overridden) {
        enum sy_status one = sy_tree_set(context, root, &sy_chip_schema, *set);
        if (one != SY_OK && (status == SY_OK || status == SY_INPUT))
            status = one;
    }
    return status;
}

/* Names of parts by which they were given, for reports. */
static void name_parts(const struct sy_yaml_node *root, struct sy_chip *chip)
{
    const struct sy_yaml_node *timing = sy_yaml_get(sy_yaml_get(sy_yaml_get(root, "core"), "array"), "timing");
    chip->array.timing_name = timing && timing->reference ? timing->reference : "inline";
}

static enum sy_status build(struct sy_schema_context *context, struct sy_yaml_node *root,
                            const struct sy_chip_options *options, struct sy_chip *chip)
{
    uint32_t before = context->errors;
    context->core_hz = &chip->clock[0].frequency.num;
    enum sy_status set = apply_overrides(context, root, options ? options->set : NULL, &chip->overridden);
    enum sy_status status = sy_schema_read(context, &sy_chip_schema, root, chip);
    if (status == SY_OK && set == SY_OK) {
        name_parts(root, chip);
        status = sy_chip_complete(context, root, chip);
    }
    if (status == SY_OK)
        status = set;
    if (status == SY_OK && context->errors != before)
        status = SY_INPUT;
    chip->figures = context->first_figure;
    return status == SY_OK ? write_text(context, chip) : status;
}

static enum sy_status first_failure(enum sy_status first, enum sy_status second)
{
    return first == SY_OK ? second : first;
}

/* text == NULL: load name_or_path; else it names the text. */
static enum sy_status read_tree(struct sy_schema_context *context, const char *text, size_t length,
                                const char *name_or_path, struct sy_yaml_node **root)
{
    if (!text)
        return sy_tree_load(context, name_or_path, "arch/chips", &sy_chip_schema, root);
    enum sy_status status = sy_yaml_parse(context->arena, text, length, name_or_path, root, context->diag);
    if (*root)
        status = first_failure(status, sy_tree_resolve(context, *root, (*root)->file, "arch/chips", &sy_chip_schema));
    return status;
}

static enum sy_status load(const char *text, size_t length, const char *name_or_path,
                           const struct sy_chip_options *options, struct sy_chip **out, struct sy_diag *diag)
{
    *out = NULL;
    struct sy_arena *arena = sy_arena_create(NULL, ARENA_LIMIT);
    struct sy_chip *chip = arena ? sy_arena_alloc(arena, sizeof *chip) : NULL;
    struct sy_schema_context *context = arena ? sy_arena_alloc(arena, sizeof *context) : NULL;
    struct sy_yaml_node *root = NULL;
    if (!chip || !context) {
        sy_arena_destroy(arena);
        return SY_NOMEM;
    }
    *context = (struct sy_schema_context){.arena = arena, .diag = diag, .data_dir = options ? options->data_dir : NULL};
    chip->arena = arena;
    enum sy_status status = read_tree(context, text, length, name_or_path, &root);
    /* A tree with mistakes in it is still read, for the mistakes that are not in the tree's form. */
    if (root && !root->faulty && (status == SY_OK || status == SY_INPUT))
        status = first_failure(status, build(context, root, options, chip));
    if (status == SY_OK && context->errors)
        status = SY_INPUT;
    if (status == SY_OK)
        *out = chip;
    else
        sy_arena_destroy(arena);
    return status;
}

enum sy_status sy_chip_load(const char *name_or_path, const struct sy_chip_options *options, struct sy_chip **chip,
                            struct sy_diag *diag)
{
    return load(NULL, 0, name_or_path, options, chip, diag);
}

enum sy_status sy_chip_parse(const char *text, size_t length, const char *path, const struct sy_chip_options *options,
                             struct sy_chip **chip, struct sy_diag *diag)
{
    return load(text ? text : "", length, path ? path : "(text)", options, chip, diag);
}

void sy_chip_destroy(struct sy_chip *chip)
{
    if (chip)
        sy_arena_destroy(chip->arena);
}

uint32_t sy_chip_chain(const struct sy_chip *chip, enum sy_operand operand, uint32_t chain[SY_MAX_LEVELS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < chip->levels; i++)
        if (chip->level[i].holds & (UINT32_C(1) << operand))
            chain[count++] = i;
    return count;
}

/* True when every value of `narrow` is a value of `wide`: integers of at most 8 bits fit any 16-bit float's
 * significand. The scales of groups are the vector unit's business. */
static bool holds_exactly(enum sy_dtype wide, enum sy_dtype narrow)
{
    narrow = sy_dtype_plain(narrow);
    const struct sy_dtype_info *w = &sy_dtypes[wide], *n = &sy_dtypes[narrow];
    if (wide == narrow)
        return true;
    if (w->block || n->block)
        return false;
    if (w->is_float && !n->is_float)
        return n->bits <= 8 && w->bits >= 16;
    return w->is_float == n->is_float && w->bits > n->bits;
}

/* Formats plain enough that arrays round them on the way in. Scaled blocks and integers have to be quantized first. */
static bool plain_float(enum sy_dtype dtype)
{
    return sy_dtypes[dtype].is_float && !sy_dtypes[dtype].block && sy_dtypes[dtype].bits >= 16;
}

static uint32_t pair_bits(const struct sy_precision *pair)
{
    return sy_dtypes[pair->a].bits + sy_dtypes[pair->b].bits;
}

const struct sy_precision *sy_chip_precision(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b)
{
    const struct sy_precision *exact = NULL, *rounded = NULL;
    for (uint32_t i = 0; i < chip->array.precisions; i++) {
        const struct sy_precision *pair = &chip->array.precision[i];
        if (pair->a == a && pair->b == b)
            return pair;
        bool floats = plain_float(pair->a) && plain_float(pair->b) && plain_float(a) && plain_float(b);
        if (holds_exactly(pair->a, a) && holds_exactly(pair->b, b)) {
            if (!exact || pair_bits(pair) < pair_bits(exact))
                exact = pair;
        } else if (floats && (!rounded || pair_bits(pair) > pair_bits(rounded))) {
            rounded = pair;
        }
    }
    return exact ? exact : rounded;
}

bool sy_precision_rounds(const struct sy_precision *pair, enum sy_dtype a, enum sy_dtype b)
{
    return !holds_exactly(pair->a, a) || !holds_exactly(pair->b, b);
}

uint64_t sy_chip_segment(const struct sy_array *array, const struct sy_dataflow *dataflow, uint64_t channels,
                         uint64_t fh, uint64_t fw)
{
    uint32_t spread = dataflow->rows | dataflow->cols;
    if (spread & SY_LOOP_K)
        spread |= SY_LOOP_CIN | SY_LOOP_FH | SY_LOOP_FW;
    spread &= SY_LOOP_CIN | SY_LOOP_FH | SY_LOOP_FW;
    if (!spread || dataflow->kind == SY_OS || dataflow->kind == SY_RS)
        return 0;
    if (!array->pack_window)
        spread &= SY_LOOP_CIN;
    uint64_t segment =
        (spread & SY_LOOP_CIN ? channels : 1) * (spread & SY_LOOP_FH ? fh : 1) * (spread & SY_LOOP_FW ? fw : 1);
    return segment < channels * fh * fw ? segment : 0;
}

uint64_t sy_array_side(const struct sy_array *array, uint64_t n, uint64_t groups)
{
    return array->count > 1 && sy_ceil_div(n, array->cols) < array->count ? sy_max(sy_min(array->count, groups), 1) : 1;
}

static bool is_common(const struct sy_level *level)
{
    return level->shared || level->kind != SY_LEVEL_SRAM;
}

bool sy_chip_crosses(const struct sy_chip *chip, uint32_t parent, uint32_t child)
{
    return chip->interconnect.kind == SY_INTERCONNECT_CROSSBAR && is_common(&chip->level[parent]) &&
           !is_common(&chip->level[child]);
}

bool sy_chip_peak_macs(const struct sy_chip *chip, enum sy_dtype a, enum sy_dtype b, uint64_t *num, uint64_t *den)
{
    const struct sy_precision *precision = sy_chip_precision(chip, a, b);
    uint64_t pes;
    if (!precision || !sy_mul3(chip->array.rows, chip->array.cols, chip->array.count, &pes) ||
        !sy_mul3(pes, chip->cores, precision->macs_num, num))
        return false;
    *den = precision->macs_den;
    return true;
}

/* ---- show ---- */

static const char *source_of(const struct sy_figure *figure)
{
    if (figure->is_default)
        return "default";
    return figure->source ? figure->source : "no source given";
}

static void show_table(const struct sy_chip *chip, struct sy_buf *out)
{
    size_t path = 3, value = 5;
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next) {
        path = sy_max(path, strlen(figure->path));
        if (!figure->descriptive)
            value = sy_max(value, strlen(figure->text));
    }
    sy_buf_printf(out, "%s: %s\n", chip->name, chip->description ? chip->description : "");
    if (chip->source)
        sy_buf_printf(out, "source: %s (%s)\n", chip->source,
                      chip->confidence ? chip->confidence : "no confidence given");
    sy_buf_printf(out, "sha256: %s\n\n%-*s  %-*s  %-10s  %s\n", chip->sha256, (int)path, "key", (int)value, "value",
                  "confidence", "source");
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next) {
        if (strchr(figure->path, '.') == NULL && figure->descriptive)
            continue;
        const char *confidence = figure->is_default ? "assumed" : figure->confidence ? figure->confidence : "-";
        sy_buf_printf(out, "%-*s  %-*s", (int)path, figure->path, (int)value, figure->text);
        if (!figure->descriptive || figure->source)
            sy_buf_printf(out, "  %-10s  %s", confidence, source_of(figure));
        sy_buf_puts(out, "\n");
    }
}

static void show_json(const struct sy_chip *chip, struct sy_buf *out)
{
    struct sy_json_writer w;
    sy_json_begin(&w, out);
    sy_json_open_object(&w, NULL);
    sy_json_put_string(&w, "schema", "systole.chip/1");
    sy_json_put_string(&w, "name", chip->name);
    if (chip->description)
        sy_json_put_string(&w, "description", chip->description);
    sy_json_put_string(&w, "sha256", chip->sha256);
    sy_json_open_array(&w, "figures");
    for (const struct sy_figure *figure = chip->figures; figure; figure = figure->next) {
        sy_json_open_object(&w, NULL);
        sy_json_put_string(&w, "key", figure->path);
        sy_json_put_string(&w, "value", figure->text);
        if (!figure->descriptive || figure->source)
            sy_json_put_string(&w, "source", source_of(figure));
        if (figure->confidence || figure->is_default)
            sy_json_put_string(&w, "confidence", figure->is_default ? "assumed" : figure->confidence);
        sy_json_close_object(&w);
    }
    sy_json_close_array(&w);
    sy_json_close_object(&w);
    sy_json_end(&w);
}

enum sy_status sy_chip_show(const struct sy_chip *chip, enum sy_chip_format format, struct sy_buf *out)
{
    if (format == SY_CHIP_TABLE) {
        show_table(chip, out);
    } else if (format == SY_CHIP_JSON) {
        show_json(chip, out);
    } else {
        /* A chip may be read from several threads, so what the writer needs does not go into the chip's arena. */
        struct sy_arena *arena = sy_arena_create(NULL, 0);
        struct sy_schema_context context = {.arena = arena};
        if (!arena)
            return SY_NOMEM;
        sy_schema_write(&context, out, &sy_chip_schema, chip, chip->figures);
        sy_arena_destroy(arena);
    }
    return out->failed ? SY_NOMEM : SY_OK;
}

enum sy_status sy_chip_reference(struct sy_buf *out)
{
    return sy_schema_document(out, &sy_chip_schema);
}
