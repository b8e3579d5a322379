/* SPDX-License-Identifier: Apache-2.0 */
/* Records into lines, walking the same table as the parser. Values at their default are left out. */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/utf8.h"
#include "traces/syntax.h"

/* ---- text ---- */

static void put_bytes(struct sy_line_out *out, const char *bytes, size_t length)
{
    if (length > out->room - out->length) {
        out->full = true;
        return;
    }
    memcpy(out->data + out->length, bytes, length);
    out->length += length;
}

static void put_byte(struct sy_line_out *out, char byte)
{
    put_bytes(out, &byte, 1);
}

void sy_put_text(struct sy_line_out *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

void sy_put_number(struct sy_line_out *out, uint64_t number)
{
    char digits[20];
    unsigned at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put_bytes(out, digits + at, sizeof digits - at);
}

static bool is_bare_word(const char *name)
{
    if (name[0] == '\0' || (name[0] == '-' && name[1] == '\0')) {
        return false;
    }
    size_t left = strlen(name), taken;
    for (; left > 0; name += taken, left -= taken) {
        taken = sy_utf8_length(name, left);
        if (taken == 0 || !sy_is_bare(*name)) {
            return false;
        }
    }
    return true;
}

static void put_escaped(struct sy_line_out *out, unsigned char byte)
{
    static const char bytes[] = "\"\\\n\t\r", letters[] = "\"\\ntr";
    const char *simple = strchr(bytes, byte);
    char escape[5] = {'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15], '\0'};
    if (simple != NULL) {
        escape[1] = letters[simple - bytes];
        escape[2] = '\0';
    }
    sy_put_text(out, escape);
}

void sy_put_name(struct sy_line_out *out, const char *name)
{
    if (name == NULL) {
        put_byte(out, '-');
        return;
    }
    if (is_bare_word(name)) {
        sy_put_text(out, name);
        return;
    }
    put_byte(out, '"');
    size_t left = strlen(name), taken;
    for (; left > 0; name += taken, left -= taken) {
        unsigned char byte = (unsigned char)*name;
        taken = sy_utf8_length(name, left);
        if (taken == 0 || byte < ' ' || byte == '"' || byte == '\\' || byte == 0x7f) {
            put_escaped(out, byte);
            taken = 1;
        } else {
            put_bytes(out, name, taken);
        }
    }
    put_byte(out, '"');
}

static void put_key(struct sy_line_out *out, const struct sy_key *key)
{
    put_byte(out, ' ');
    put_bytes(out, key->name, key->length);
    put_byte(out, '=');
}

static bool name_fits(const char *name)
{
    return name == NULL || strnlen(name, SY_TRACE_MAX_NAME + 1) <= SY_TRACE_MAX_NAME;
}

/* ---- layers ---- */

static void put_tensor(struct sy_line_out *out, const struct sy_key *key, const struct sy_tensor *tensor)
{
    put_key(out, key);
    sy_put_name(out, tensor->name);
    put_byte(out, ':');
    sy_put_text(out, sy_dtypes[tensor->dtype].name);
    static const struct {
        uint32_t flag;
        const char *text;
    } flags[] = {{SY_TENSOR_WEIGHT, ":weight"},
                 {SY_TENSOR_SHARED, ":shared"},
                 {SY_TENSOR_PINNED, ":pinned"},
                 {SY_TENSOR_STATE, ":state"}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (tensor->flags & flags[i].flag) {
            sy_put_text(out, flags[i].text);
        }
    }
}

static bool same_tensor(const struct sy_tensor *a, const struct sy_tensor *b)
{
    bool same_name = a->name == NULL || b->name == NULL ? a->name == b->name : strcmp(a->name, b->name) == 0;
    return same_name && a->dtype == b->dtype && a->flags == b->flags;
}

static void put_post(struct sy_line_out *out, const struct sy_key *key, const struct sy_layer *layer)
{
    for (uint32_t i = 0; i < layer->epilogues; i++) {
        if (i == 0) {
            put_key(out, key);
        } else {
            put_byte(out, '+');
        }
        sy_put_text(out, sy_functions[layer->epilogue[i]].name);
    }
}

/* The last level is always written, also when it holds nothing, so that the number of levels is read back. */
static void put_tile(struct sy_line_out *out, const struct sy_key *key, const struct sy_schedule *schedule)
{
    uint32_t level = key->index;
    if (level >= schedule->levels) {
        return;
    }
    const uint64_t *tile = schedule->tile[level];
    bool last = level + 1 == schedule->levels && schedule->order[level][0] == '\0';
    if (!last && tile[0] == 0 && tile[1] == 0 && tile[2] == 0) {
        return;
    }
    put_key(out, key);
    for (uint32_t i = 0; i < 3; i++) {
        if (i > 0) {
            put_byte(out, ',');
        }
        sy_put_number(out, tile[i]);
    }
}

static void put_schedule_value(struct sy_line_out *out, const struct sy_key *key, const struct sy_layer *layer)
{
    const struct sy_schedule *schedule = &layer->schedule;
    if (!layer->has_schedule) {
        return;
    }
    if (key->kind == SY_VALUE_TILE) {
        put_tile(out, key, schedule);
    } else if (key->kind == SY_VALUE_ORDER && key->index < schedule->levels && schedule->order[key->index][0] != '\0') {
        put_key(out, key);
        sy_put_text(out, schedule->order[key->index]);
    } else if (key->kind == SY_VALUE_DATAFLOW && schedule->dataflow[0] != '\0') {
        put_key(out, key);
        sy_put_text(out, schedule->dataflow);
    } else if (key->kind == SY_VALUE_RESIDENT && schedule->resident != 0) {
        put_key(out, key);
        put_byte(out, schedule->resident);
    }
}

static void put_dimension(struct sy_line_out *out, const struct sy_key *key, bool required,
                          const struct sy_layer *layer)
{
    uint64_t value;
    memcpy(&value, (const char *)layer + key->offset, sizeof value);
    if (value == key->fallback && !required) {
        return;
    }
    put_key(out, key);
    if (key->kind == SY_VALUE_WORD) {
        sy_put_text(out, key->names[value]);
    } else {
        sy_put_number(out, value);
    }
}

static void put_sparsity(struct sy_line_out *out, const struct sy_key *key, const struct sy_sparsity *sparsity)
{
    if (sparsity->group == 0) {
        return;
    }
    put_key(out, key);
    sy_put_number(out, sparsity->keep);
    put_byte(out, ':');
    sy_put_number(out, sparsity->group);
}

static void put_fuse(struct sy_line_out *out, const struct sy_key *key, const struct sy_fuse *fuse)
{
    if (fuse->layers == 0) {
        return;
    }
    put_key(out, key);
    sy_put_number(out, fuse->layers);
    put_byte(out, ':');
    sy_put_number(out, fuse->strip);
    sy_put_text(out, fuse->halo == SY_HALO_KEEP ? ":keep" : ":recompute");
}

static void put_layer_value(struct sy_line_out *out, const struct sy_key *key, bool required,
                            const struct sy_layer *layer, const struct sy_layer *defaults)
{
    const struct sy_op_info *info = &sy_ops[layer->op];
    switch ((enum sy_value_kind)key->kind) {
    case SY_VALUE_U64:
    case SY_VALUE_WORD:
        put_dimension(out, key, required, layer);
        break;
    case SY_VALUE_INPUT:
        if (key->index < layer->inputs &&
            (key->index >= info->min_inputs || !same_tensor(&layer->in[key->index], &defaults->in[key->index]))) {
            put_tensor(out, key, &layer->in[key->index]);
        }
        break;
    case SY_VALUE_EXTRA: {
        uint32_t named = 0;
        while (named < SY_MAX_INPUTS && info->input_names[named] != NULL) {
            named++;
        }
        for (uint32_t i = named; i < layer->inputs; i++) {
            put_tensor(out, key, &layer->in[i]);
        }
        break;
    }
    case SY_VALUE_OUTPUT:
        if (!same_tensor(&layer->out, &defaults->out)) {
            put_tensor(out, key, &layer->out);
        }
        break;
    case SY_VALUE_ACCUMULATOR:
        if (layer->accumulator != defaults->accumulator) {
            put_key(out, key);
            sy_put_text(out, sy_dtypes[layer->accumulator].name);
        }
        break;
    case SY_VALUE_POST:
        put_post(out, key, layer);
        break;
    case SY_VALUE_SPARSITY:
        put_sparsity(out, key, &layer->sparsity);
        break;
    case SY_VALUE_FUSE:
        put_fuse(out, key, &layer->fuse);
        break;
    case SY_VALUE_ZEROS:
        if (layer->values.has_zeros) {
            put_key(out, key);
            sy_put_number(out, layer->values.zeros_a);
            put_byte(out, ':');
            sy_put_number(out, layer->values.zeros_b);
        }
        break;
    case SY_VALUE_TOGGLES:
        if (layer->values.toggles != 0) {
            put_key(out, key);
            sy_put_number(out, layer->values.toggles);
        }
        break;
    case SY_VALUE_SEQUENCES:
        if (layer->dim.attention.sequences != NULL) {
            put_key(out, key);
            sy_put_text(out, layer->dim.attention.sequences);
        }
        break;
    case SY_VALUE_TILE:
    case SY_VALUE_ORDER:
    case SY_VALUE_DATAFLOW:
    case SY_VALUE_RESIDENT:
        put_schedule_value(out, key, layer);
        break;
    case SY_VALUE_U8:
    case SY_VALUE_DTYPE8:
        break; /* of commands only */
    }
}

static bool tensor_is_writable(const struct sy_tensor *tensor)
{
    uint32_t known = SY_TENSOR_WEIGHT | SY_TENSOR_SHARED | SY_TENSOR_PINNED | SY_TENSOR_STATE;
    return tensor->dtype < SY_DTYPE_COUNT && (tensor->flags & ~known) == 0 && name_fits(tensor->name);
}

static const char *schedule_fault(const struct sy_schedule *schedule)
{
    if (schedule->levels > SY_MAX_SCHEDULE_LEVELS) {
        return "its schedule has too many levels";
    }
    for (uint32_t i = 0; i < schedule->levels; i++) {
        const char *order = schedule->order[i];
        bool all = strnlen(order, 4) == 3 && strchr(order, 'm') && strchr(order, 'n') && strchr(order, 'k');
        if (!all && order[0] != '\0') {
            return "a loop order does not hold m, n and k once each";
        }
    }
    size_t length = strnlen(schedule->dataflow, sizeof schedule->dataflow);
    if (length == sizeof schedule->dataflow ||
        strspn(schedule->dataflow, "abcdefghijklmnopqrstuvwxyz0123456789_") != length) {
        return "the dataflow of its schedule is not a lower-case word";
    }
    bool resident = schedule->resident == 0 || (schedule->resident >= 'A' && schedule->resident <= 'C');
    return resident ? NULL : "the resident operand of its schedule is not A, B or C";
}

static bool sequences_are_writable(const struct sy_layer *layer)
{
    const char *text = layer->op == SY_OP_ATTENTION ? layer->dim.attention.sequences : NULL, *stop;
    struct sy_sequence total;
    return text == NULL || sy_sequences_total(text, &total, &stop);
}

static bool tensors_are_writable(const struct sy_layer *layer)
{
    bool all = tensor_is_writable(&layer->out) && name_fits(layer->name) && layer->accumulator < SY_DTYPE_COUNT;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        all = all && tensor_is_writable(&layer->in[i]);
    }
    return all;
}

static bool epilogue_is_writable(const struct sy_layer *layer)
{
    bool all = layer->epilogues <= SY_MAX_EPILOGUE;
    for (uint32_t i = 0; all && i < layer->epilogues; i++) {
        all = layer->epilogue[i] < SY_FUNCTION_COUNT;
    }
    return all;
}

static bool dimensions_are_writable(const struct sy_record_syntax *syntax, const struct sy_layer *layer)
{
    for (uint32_t i = 0; i < sy_ops[layer->op].dims; i++) {
        uint64_t value;
        memcpy(&value, (const char *)layer + syntax->key[i].offset, sizeof value);
        if (value < syntax->key[i].minimum || value > syntax->key[i].maximum) {
            return false;
        }
    }
    return true;
}

static bool fuse_is_writable(const struct sy_fuse *fuse)
{
    return fuse->layers >= 2 && fuse->layers <= SY_FUSE_LAYERS && fuse->strip != 0 && fuse->halo <= SY_HALO_RECOMPUTE;
}

static bool sparsity_is_writable(const struct sy_sparsity *sparsity)
{
    bool dense = sparsity->keep == 0 && sparsity->group == 0;
    return dense || (sparsity->keep != 0 && sparsity->keep <= sparsity->group);
}

/* What the reader would not take, so the writer must not write; NULL when all is well. */
static const char *layer_fault(const struct sy_record_syntax *syntax, const struct sy_layer *layer)
{
    if (layer->inputs > SY_MAX_INPUTS || layer->inputs < sy_ops[layer->op].min_inputs) {
        return "it has too many or too few inputs";
    }
    if (!tensors_are_writable(layer)) {
        return "a name is too long, or a data type or flag unknown";
    }
    if (!epilogue_is_writable(layer)) {
        return "it has too many or unknown epilogue functions";
    }
    if (!sparsity_is_writable(&layer->sparsity)) {
        return "its sparsity does not keep 1 to group elements";
    }
    if (layer->values.zeros_a > 100 || layer->values.zeros_b > 100 || layer->values.toggles > 100) {
        return "more than 100 percent of its values are zero or toggle";
    }
    if (!sequences_are_writable(layer)) {
        return "its list of sequences is none";
    }
    if (layer->fuse.layers != 0 && !fuse_is_writable(&layer->fuse)) {
        return "its fusion is no group of layers in strips";
    }
    if (!dimensions_are_writable(syntax, layer)) {
        return "a dimension is out of range";
    }
    return layer->has_schedule ? schedule_fault(&layer->schedule) : NULL;
}

bool sy_format_layer(struct sy_line_out *out, const struct sy_syntax *syntax, const struct sy_layer *layer,
                     const char **why)
{
    if (layer->op >= SY_OP_COUNT) {
        *why = "its operator is unknown";
        return false;
    }
    const struct sy_record_syntax *record = &syntax->record[layer->op];
    *why = layer_fault(record, layer);
    if (*why != NULL) {
        return false;
    }
    sy_put_text(out, syntax->words.name[layer->op]);
    put_byte(out, ' ');
    sy_put_name(out, layer->name);
    for (uint32_t i = 0; i < record->names.count; i++) {
        put_layer_value(out, &record->key[i], (record->required >> i & 1) != 0, layer, &syntax->layer[layer->op]);
    }
    put_byte(out, '\n');
    *why = out->full ? "it is too long" : NULL;
    return !out->full;
}

/* ---- commands ---- */

static uint64_t command_value(const struct sy_command *command, const struct sy_key *key)
{
    uint64_t value;
    if (key->kind != SY_VALUE_U64) {
        return ((const uint8_t *)command)[key->offset];
    }
    memcpy(&value, (const char *)command + key->offset, sizeof value);
    return value;
}

/* The value an omitted key has: for parent and pitch it follows another key. */
static uint64_t command_fallback(const struct sy_command *command, const struct sy_key *key)
{
    if (key->offset == offsetof(struct sy_command, u.move.parent)) {
        return command->level + UINT64_C(1); /* of level 255 it is no parent, which is always written then */
    }
    return key->offset == offsetof(struct sy_command, u.move.pitch_bytes) ? command->u.move.row_bytes : key->fallback;
}

/* As finish_move() of the parser asks. */
static bool move_fits(const struct sy_command *command)
{
    uint64_t bytes, span;
    return sy_mul(command->u.move.rows, command->u.move.row_bytes, &bytes) &&
           sy_mul(command->u.move.rows - 1, command->u.move.pitch_bytes, &span) &&
           sy_add(span, command->u.move.row_bytes, &span) && sy_add(span, command->u.move.address, &span) &&
           sy_move_scatters(command);
}

static const char *command_fault(const struct sy_record_syntax *syntax, const struct sy_command *command,
                                 uint64_t command_id)
{
    if (command->dependencies > SY_MAX_DEPS || command->operand > 2) {
        return "it has too many dependencies or an unknown operand";
    }
    for (uint32_t i = 0; i < command->dependencies; i++) {
        const struct sy_dependency *dependency = &command->dependency[i];
        if (dependency->command >= command_id || dependency->point > SY_POINT_FIRST ||
            dependency->stall >= SY_STALL_COUNT) {
            return "a dependency does not point backwards or its point or stall is unknown";
        }
    }
    for (uint32_t i = 0; i < syntax->names.count; i++) {
        const struct sy_key *key = &syntax->key[i];
        uint64_t value = command_value(command, key);
        bool ok =
            key->kind == SY_VALUE_DTYPE8 ? value < SY_DTYPE_COUNT : value >= key->minimum && value <= key->maximum;
        if (!ok) {
            return "a value is out of range";
        }
    }
    bool moves = command->kind == SY_CMD_LOAD || command->kind == SY_CMD_STORE;
    return moves && !move_fits(command) ? "the bytes moved do not fit 64-bit addresses" : NULL;
}

static void put_dependency(struct sy_line_out *out, const struct sy_dependency *dependency, uint64_t command_id)
{
    static const char *const points[] = {[SY_POINT_DONE] = "", [SY_POINT_STREAMED] = "s", [SY_POINT_FIRST] = "f"};
    sy_put_text(out, " <");
    sy_put_number(out, command_id - dependency->command);
    sy_put_text(out, points[dependency->point]);
    if (dependency->stall != SY_STALL_DEPENDENCY) {
        put_byte(out, '.');
        sy_put_text(out, sy_stall_names[dependency->stall]);
    }
}

bool sy_format_command(struct sy_line_out *out, const struct sy_syntax *syntax, const struct sy_command *command,
                       uint64_t command_id, const char **why)
{
    if (command->kind >= SY_CMD_COUNT) {
        *why = "its kind is unknown";
        return false;
    }
    const struct sy_record_syntax *record = &syntax->record[SY_OP_COUNT + command->kind];
    *why = command_fault(record, command, command_id);
    if (*why != NULL) {
        return false;
    }
    bool moves = command->kind == SY_CMD_LOAD || command->kind == SY_CMD_STORE;
    sy_put_text(out, syntax->words.name[SY_OP_COUNT + command->kind]);
    if (moves) {
        put_byte(out, ' ');
        put_byte(out, (char)('A' + command->operand));
    }
    for (uint32_t i = 0; i < record->names.count; i++) {
        const struct sy_key *key = &record->key[i];
        uint64_t value = command_value(command, key);
        bool required = (record->required >> i & 1) != 0;
        uint64_t fallback = moves ? command_fallback(command, key) : key->fallback;
        if (value == fallback && !required) {
            continue;
        }
        put_key(out, key);
        if (key->kind == SY_VALUE_DTYPE8) {
            sy_put_text(out, sy_dtypes[value].name);
        } else {
            sy_put_number(out, value);
        }
    }
    for (uint32_t i = 0; i < command->dependencies; i++) {
        put_dependency(out, &command->dependency[i], command_id);
    }
    put_byte(out, '\n');
    *why = out->full ? "it is too long" : NULL;
    return !out->full;
}
