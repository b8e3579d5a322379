/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a trace into a record. The grammar stands at the head of
 * trace.h; the words come from the table of syntax.h.
 *
 * This is a hot path: no allocation, no copy but of names, and the key that
 * follows the last one in table order is tried first.
 *
 * Every function here that returns bool returns false after it reported what
 * was wrong. scan->p is where parsing stands; *scan->end is the newline, which
 * no loop steps over because it is neither blank, digit nor name.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/utf8.h"
#include "traces/syntax.h"

/* ---- errors ---- */

static struct sy_where where_at(const struct sy_scan *scan, const char *at)
{
    size_t column = (size_t)(at - scan->start) + 1;
    return (struct sy_where){.file = scan->file,
                             .line = scan->line > UINT32_MAX ? UINT32_MAX : (uint32_t)scan->line,
                             .column = (uint32_t)column,
                             .byte_offset = scan->byte_offset + column - 1};
}

enum sy_status sy_scan_error(const struct sy_scan *scan, const char *at, const char *hint, const char *format, ...)
{
    char message[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct sy_where where = where_at(scan, at);
    return sy_error(scan->diag, where, hint, "%s (byte %llu of the text)", message,
                    (unsigned long long)where.byte_offset);
}

#define FAIL(scan, at, hint, ...) (sy_scan_error((scan), (at), (hint), __VA_ARGS__), false)

/* The word at `at` for a message: up to the next blank, printable bytes only. */
struct excerpt {
    char text[44];
};
static struct excerpt excerpt(const struct sy_scan *scan, const char *at)
{
    struct excerpt out;
    size_t n = 0;
    const char *p = at;
    for (; p < scan->end && *p > ' ' && *p < 0x7f && n < 40; p++) {
        out.text[n++] = *p;
    }
    if (p < scan->end && n == 40) {
        memcpy(out.text + n, "...", 3);
        n += 3;
    }
    out.text[n] = '\0';
    return out;
}

/* ---- words ---- */

static inline bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static inline bool at_end(const struct sy_scan *scan)
{
    const char *p = scan->p;
    return p == scan->end || *p == '#' || (*p == '\r' && p + 1 == scan->end);
}

static inline void skip_blanks(struct sy_scan *scan)
{
    while (*scan->p == ' ' || *scan->p == '\t') {
        scan->p++;
    }
}

/* What ends a value: a blank or the end of the record. */
static inline bool value_ends(struct sy_scan *scan)
{
    if (*scan->p == ' ' || *scan->p == '\t' || at_end(scan)) {
        skip_blanks(scan);
        return true;
    }
    return FAIL(scan, scan->p, NULL, "'%s' follows a value; expected a blank", excerpt(scan, scan->p).text);
}

bool sy_scan_begin(struct sy_scan *scan)
{
    scan->p = scan->start;
    skip_blanks(scan);
    return !at_end(scan);
}

/* ---- numbers ---- */

static bool bad_number(struct sy_scan *scan, const char *at)
{
    return FAIL(scan, at, "numbers are decimal digits without sign, leading zero, fraction or unit",
                "'%s' is not a number below 2^64", excerpt(scan, at).text);
}

static inline bool parse_u64(struct sy_scan *scan, uint64_t *number)
{
    const char *p = scan->p;
    uint64_t value = (uint64_t)(unsigned char)*p - '0';
    if (value > 9) {
        return bad_number(scan, p);
    }
    const char *safe = p + 19; /* 19 digits always fit 64 bits */
    for (p++;; p++) {
        uint64_t digit = (uint64_t)(unsigned char)*p - '0';
        if (digit > 9) {
            break;
        }
        if (p >= safe && (!sy_mul(value, 10, &value) || !sy_add(value, digit, &value))) {
            return bad_number(scan, scan->p);
        }
        value = p >= safe ? value : value * 10 + digit;
    }
    if (*scan->p == '0' && p != scan->p + 1) {
        return bad_number(scan, scan->p);
    }
    scan->p = p;
    *number = value;
    return true;
}

static bool out_of_range(struct sy_scan *scan, const char *at, const char *name, uint64_t value, uint64_t minimum,
                         uint64_t maximum)
{
    return FAIL(scan, at, NULL, "%s is %llu; expected %llu to %llu", name, (unsigned long long)value,
                (unsigned long long)minimum, (unsigned long long)maximum);
}

static inline bool parse_ranged(struct sy_scan *scan, const struct sy_key *key, uint64_t *number)
{
    const char *at = scan->p;
    if (!parse_u64(scan, number)) {
        return false;
    }
    if ((unsigned char)*scan->p > ' ' && *scan->p != '#') {
        return bad_number(scan, at);
    }
    return (*number >= key->minimum && *number <= key->maximum) ||
           out_of_range(scan, at, key->name, *number, key->minimum, key->maximum);
}

/* ---- names ---- */

static bool name_too_long(struct sy_scan *scan, const char *at)
{
    return FAIL(scan, at, NULL, "this name is longer than %d bytes", SY_TRACE_MAX_NAME);
}

static inline char *names_room(struct sy_scan *scan)
{
    return scan->names + scan->names_used;
}

static const char *keep_name(struct sy_scan *scan, size_t length)
{
    char *name = names_room(scan);
    name[length] = '\0';
    scan->names_used += length + 1;
    return name;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte an escape stands for, and how many bytes it is written in (0 = not an escape). `at` is behind the \. */
static size_t unescape(const char *at, char *byte)
{
    static const char letters[] = "\"\\ntr", bytes[] = "\"\\\n\t\r";
    const char *letter = *at == '\0' ? NULL : strchr(letters, *at);
    if (letter != NULL) {
        *byte = bytes[letter - letters];
        return 1;
    }
    int high = *at == 'x' ? hex_digit(at[1]) : -1;
    int low = high < 0 ? -1 : hex_digit(at[2]);
    if (low < 0 || high + low == 0) {
        return 0;
    }
    *byte = (char)(16 * high + low);
    return 3;
}

static bool parse_quoted(struct sy_scan *scan, const char **name)
{
    const char *open = scan->p;
    char *to = names_room(scan);
    size_t length = 0;
    const char *p = open + 1;
    while (*p != '"') {
        size_t taken = 1;
        if (p == scan->end || (unsigned char)*p < ' ' || *p == 0x7f) {
            return p == scan->end ? FAIL(scan, open, NULL, "this quoted name has no closing quote")
                                  : FAIL(scan, p, "write it as \\xHH", "a control character stands in a name");
        }
        if (length + 4 > SY_TRACE_MAX_NAME + 3) {
            return name_too_long(scan, open);
        }
        if (*p == '\\') {
            taken = unescape(p + 1, &to[length]);
            if (taken == 0) {
                return FAIL(scan, p, "escapes are \\\" \\\\ \\n \\t \\r \\xHH (not \\x00)", "'%s' is not an escape",
                            excerpt(scan, p).text);
            }
            taken++;
            length++;
        } else {
            taken = sy_utf8_length(p, (size_t)(scan->end - p));
            if (taken == 0) {
                return FAIL(scan, p, "write it as \\xHH", "this byte is not UTF-8");
            }
            if (length + taken > SY_TRACE_MAX_NAME) {
                return name_too_long(scan, open);
            }
            memcpy(to + length, p, taken);
            length += taken;
        }
        p += taken;
    }
    scan->p = p + 1;
    *name = keep_name(scan, length);
    return true;
}

static bool check_utf8(struct sy_scan *scan, const char *from, const char *to)
{
    while (from < to) {
        size_t taken = sy_utf8_length(from, (size_t)(to - from));
        if (taken == 0) {
            return FAIL(scan, from, "quote the name and write the byte as \\xHH", "this byte is not UTF-8");
        }
        from += taken;
    }
    return true;
}

static inline bool parse_name(struct sy_scan *scan, const char **name)
{
    const char *p = scan->p;
    unsigned char all = 0;
    while (sy_is_bare((unsigned char)*p)) {
        all |= (unsigned char)*p++;
    }
    size_t length = (size_t)(p - scan->p);
    if (length == 0) {
        return *p == '"' ? parse_quoted(scan, name)
                         : FAIL(scan, p, "names with other characters are written in quotes", "'%s' is not a name",
                                excerpt(scan, p).text);
    }
    if (length > SY_TRACE_MAX_NAME) {
        return name_too_long(scan, scan->p);
    }
    if (all >= 0x80 && !check_utf8(scan, scan->p, p)) {
        return false;
    }
    if (length == 1 && *scan->p == '-') {
        *name = NULL;
    } else {
        memcpy(names_room(scan), scan->p, length);
        *name = keep_name(scan, length);
    }
    scan->p = p;
    return true;
}

/* ---- words of a list ---- */

/* Report a word that is in no list; nearest is a likely meant one or NULL. */
static bool unknown_word(struct sy_scan *scan, const char *at, size_t length, const char *what,
                         const char *const *list, uint64_t count)
{
    char word[64], hint[120];
    size_t n = length < sizeof word - 1 ? length : sizeof word - 1;
    memcpy(word, at, n);
    word[n] = '\0';
    const char *near = sy_nearest(word, list, count);
    (void)snprintf(hint, sizeof hint, "did you mean %s?", near == NULL ? "" : near);
    return FAIL(scan, at, near == NULL ? NULL : hint, "'%s' is not %s", excerpt(scan, at).text, what);
}

static inline size_t word_length(const char *p)
{
    const char *from = p;
    while (is_lower(*p)) {
        p++;
    }
    return (size_t)(p - from);
}

static bool unknown_dtype(struct sy_scan *scan, size_t length)
{
    const char *list[SY_DTYPE_COUNT];
    for (uint32_t i = 0; i < SY_DTYPE_COUNT; i++) {
        list[i] = sy_dtypes[i].name;
    }
    return unknown_word(scan, scan->p, length, "a data type", list, SY_DTYPE_COUNT);
}

static inline bool parse_dtype(struct sy_scan *scan, enum sy_dtype *dtype)
{
    size_t length = word_length(scan->p);
    uint64_t head = sy_word_head(scan->p, length);
    for (uint32_t i = 0; i < SY_DTYPE_COUNT; i++) {
        if (scan->syntax->dtype_head[i] == head && length <= sizeof head) {
            scan->p += length;
            *dtype = (enum sy_dtype)i;
            return true;
        }
    }
    return unknown_dtype(scan, length);
}

static bool parse_word(struct sy_scan *scan, const struct sy_key *key, uint64_t *index)
{
    size_t length = word_length(scan->p);
    uint64_t i = 0;
    for (; key->names[i] != NULL; i++) {
        if (strlen(key->names[i]) == length && memcmp(key->names[i], scan->p, length) == 0) {
            scan->p += length;
            *index = i;
            return true;
        }
    }
    char what[64];
    (void)snprintf(what, sizeof what, "a value of %s", key->name);
    return unknown_word(scan, scan->p, length, what, key->names, i);
}

/* ---- values of layers ---- */

static const struct {
    const char *name;
    size_t length;
    uint32_t flag;
} flags[] = {{"weight", 6, SY_TENSOR_WEIGHT},
             {"shared", 6, SY_TENSOR_SHARED},
             {"pinned", 6, SY_TENSOR_PINNED},
             {"state", 5, SY_TENSOR_STATE}};
enum { FLAGS = sizeof flags / sizeof flags[0] };

static bool parse_flag(struct sy_scan *scan, struct sy_tensor *tensor)
{
    size_t length = word_length(scan->p);
    const char *list[FLAGS];
    for (uint32_t i = 0; i < FLAGS; i++) {
        list[i] = flags[i].name;
        if (length != flags[i].length || memcmp(scan->p, flags[i].name, length) != 0) {
            continue;
        }
        if (tensor->flags & flags[i].flag) {
            return FAIL(scan, scan->p, NULL, "flag %s is given twice", flags[i].name);
        }
        tensor->flags |= flags[i].flag;
        scan->p += length;
        return true;
    }
    return unknown_word(scan, scan->p, length, "a tensor flag", list, FLAGS);
}

static inline bool parse_tensor(struct sy_scan *scan, struct sy_tensor *tensor)
{
    tensor->flags = 0;
    if (!parse_name(scan, &tensor->name)) {
        return false;
    }
    if (*scan->p != ':') {
        return FAIL(scan, scan->p, "a tensor is written NAME:DTYPE, for example x:int8",
                    "the tensor has no data type; expected ':'");
    }
    scan->p++;
    if (!parse_dtype(scan, &tensor->dtype)) {
        return false;
    }
    while (*scan->p == ':') {
        scan->p++;
        if (!parse_flag(scan, tensor)) {
            return false;
        }
    }
    return true;
}

static bool parse_function(struct sy_scan *scan, enum sy_function *function)
{
    size_t length = word_length(scan->p);
    const char *list[SY_FUNCTION_COUNT];
    for (uint32_t i = 0; i < SY_FUNCTION_COUNT; i++) {
        list[i] = sy_functions[i].name;
        if (strlen(list[i]) == length && memcmp(list[i], scan->p, length) == 0) {
            scan->p += length;
            *function = (enum sy_function)i;
            return true;
        }
    }
    return unknown_word(scan, scan->p, length, "a function", list, SY_FUNCTION_COUNT);
}

static bool parse_post(struct sy_scan *scan, struct sy_layer *layer)
{
    for (layer->epilogues = 0;; scan->p++) {
        if (layer->epilogues == SY_MAX_EPILOGUE) {
            return FAIL(scan, scan->p, NULL, "more than %d functions in post", SY_MAX_EPILOGUE);
        }
        if (!parse_function(scan, &layer->epilogue[layer->epilogues++])) {
            return false;
        }
        if (*scan->p != '+') {
            return true;
        }
    }
}

/* Numbers with one byte between them: 128,64,32 or 2:4. */
static bool parse_list(struct sy_scan *scan, char between, uint32_t count, uint64_t *numbers, const char *form)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            if (*scan->p != between) {
                return FAIL(scan, scan->p, NULL, "expected %s", form);
            }
            scan->p++;
        }
        if (!parse_u64(scan, &numbers[i])) {
            return false;
        }
    }
    return true;
}

static bool parse_sparsity(struct sy_scan *scan, struct sy_sparsity *sparsity)
{
    const char *at = scan->p;
    uint64_t number[2];
    if (!parse_list(scan, ':', 2, number, "keep:group, for example 2:4")) {
        return false;
    }
    if (number[0] == 0 || number[0] > number[1] || number[1] > UINT32_MAX) {
        return FAIL(scan, at, NULL, "sparsity keeps %llu of %llu; expected 1 <= keep <= group",
                    (unsigned long long)number[0], (unsigned long long)number[1]);
    }
    *sparsity = (struct sy_sparsity){(uint32_t)number[0], (uint32_t)number[1]};
    return true;
}

static struct sy_schedule *schedule_level(struct sy_layer *layer, uint32_t level)
{
    layer->has_schedule = true;
    if (layer->schedule.levels <= level) {
        layer->schedule.levels = level + 1;
    }
    return &layer->schedule;
}

static bool parse_order(struct sy_scan *scan, char order[4])
{
    unsigned loops = 0;
    const char *p = scan->p;
    for (unsigned n = 0; n < 3; n++, p++) {
        loops |= *p == 'm' ? 1 : *p == 'n' ? 2 : *p == 'k' ? 4 : 0;
        order[n] = *p;
        if (*p == '\n') {
            break;
        }
    }
    if (loops != 7) {
        return FAIL(scan, scan->p, NULL, "'%s' is not a loop order; expected m, n and k in some order",
                    excerpt(scan, scan->p).text);
    }
    order[3] = '\0';
    scan->p = p;
    return true;
}

static bool parse_dataflow(struct sy_scan *scan, struct sy_layer *layer)
{
    size_t length = word_length(scan->p);
    if (length == 0 || length >= sizeof layer->schedule.dataflow) {
        return FAIL(scan, scan->p, NULL, "'%s' is not a dataflow name of 1 to %d letters", excerpt(scan, scan->p).text,
                    (int)sizeof layer->schedule.dataflow - 1);
    }
    layer->has_schedule = true;
    memcpy(layer->schedule.dataflow, scan->p, length);
    layer->schedule.dataflow[length] = '\0';
    scan->p += length;
    return true;
}

static bool parse_resident(struct sy_scan *scan, struct sy_layer *layer)
{
    if (*scan->p < 'A' || *scan->p > 'C') {
        return FAIL(scan, scan->p, NULL, "'%s' cannot stay resident; expected A, B or C",
                    excerpt(scan, scan->p).text);
    }
    layer->has_schedule = true;
    layer->schedule.resident = *scan->p++;
    return true;
}

/* ---- keys ---- */

/* What a record gathers while its keys are read. */
struct gathered {
    uint64_t seen;                         /* a bit a key */
    uint32_t named;                        /* named inputs: highest index + 1 */
    uint32_t extras;
    struct sy_tensor extra[SY_MAX_INPUTS]; /* epilogue operands, placed behind the named inputs at the end */
};

static bool parse_rare_value(struct sy_scan *scan, const struct sy_key *key, struct sy_layer *layer)
{
    switch ((enum sy_value_kind)key->kind) {
    case SY_VALUE_WORD: {
        uint64_t index = 0;
        bool ok = parse_word(scan, key, &index);
        memcpy((char *)layer + key->offset, &index, sizeof index);
        return ok;
    }
    case SY_VALUE_SPARSITY:
        return parse_sparsity(scan, &layer->sparsity);
    case SY_VALUE_TILE:
        return parse_list(scan, ',', 3, schedule_level(layer, key->index)->tile[key->index], "m,k,n");
    case SY_VALUE_ORDER:
        return parse_order(scan, schedule_level(layer, key->index)->order[key->index]);
    case SY_VALUE_DATAFLOW:
        return parse_dataflow(scan, layer);
    case SY_VALUE_RESIDENT:
        return parse_resident(scan, layer);
    case SY_VALUE_U64:
    case SY_VALUE_U8:
    case SY_VALUE_DTYPE8:
    case SY_VALUE_INPUT:
    case SY_VALUE_EXTRA:
    case SY_VALUE_OUTPUT:
    case SY_VALUE_ACCUMULATOR:
    case SY_VALUE_POST:
        break;
    }
    return FAIL(scan, scan->p, NULL, "internal error: a key of another record");
}

static bool parse_extra(struct sy_scan *scan, struct gathered *got)
{
    if (got->extras == SY_MAX_INPUTS) {
        return FAIL(scan, scan->p, NULL, "more than %d inputs", SY_MAX_INPUTS);
    }
    return parse_tensor(scan, &got->extra[got->extras++]);
}

static inline bool parse_layer_value(struct sy_scan *scan, const struct sy_key *key, struct sy_layer *layer,
                                     struct gathered *got)
{
    switch (key->kind) {
    case SY_VALUE_U64: {
        uint64_t number = 0;
        bool ok = parse_ranged(scan, key, &number);
        memcpy((char *)layer + key->offset, &number, sizeof number);
        return ok;
    }
    case SY_VALUE_INPUT:
        got->named = got->named > key->index ? got->named : key->index + 1u;
        return parse_tensor(scan, &layer->in[key->index]);
    case SY_VALUE_OUTPUT:
        return parse_tensor(scan, &layer->out);
    case SY_VALUE_EXTRA:
        return parse_extra(scan, got);
    case SY_VALUE_ACCUMULATOR:
        return parse_dtype(scan, &layer->accumulator);
    case SY_VALUE_POST:
        return parse_post(scan, layer);
    default:
        return parse_rare_value(scan, key, layer);
    }
}

static bool parse_command_value(struct sy_scan *scan, const struct sy_key *key, struct sy_command *command)
{
    char *to = (char *)command + key->offset;
    uint64_t number = 0;
    if (key->kind == SY_VALUE_DTYPE8) {
        enum sy_dtype dtype = SY_INT8;
        bool ok = parse_dtype(scan, &dtype);
        *(uint8_t *)to = (uint8_t)dtype;
        return ok;
    }
    bool ok = parse_ranged(scan, key, &number);
    if (key->kind == SY_VALUE_U8) {
        *(uint8_t *)to = (uint8_t)number;
    } else {
        memcpy(to, &number, sizeof number);
    }
    return ok;
}

static bool unknown_key(struct sy_scan *scan, const struct sy_record_syntax *record, size_t length)
{
    const char *list[SY_TRACE_MAX_KEYS];
    for (uint32_t i = 0; i < record->keys; i++) {
        list[i] = record->key[i].name;
    }
    char what[64];
    (void)snprintf(what, sizeof what, "a key of %s", record->word);
    return unknown_word(scan, scan->p, length, what, list, record->keys);
}

/* Read `key=` and find the key; *expected is the index to try first, and becomes the found one. */
static inline const struct sy_key *parse_key(struct sy_scan *scan, const struct sy_record_syntax *record,
                                             uint32_t *expected)
{
    const char *p = scan->p;
    size_t length = word_length(p);
    uint64_t head = sy_word_head(p, length);
    uint32_t i = *expected;
    for (uint32_t tried = 0; tried < record->keys; tried++) {
        i = i < record->keys ? i : 0;
        if (record->head[i] == head && record->key[i].length == length &&
            (length <= sizeof head || memcmp(record->key[i].name, p, length) == 0)) {
            if (p[length] != '=') {
                (void)FAIL(scan, p + length, NULL, "expected '=' after %s", record->key[i].name);
                return NULL;
            }
            scan->p = p + length + 1;
            *expected = i;
            return &record->key[i];
        }
        i++;
    }
    (void)unknown_key(scan, record, length);
    return NULL;
}

static bool mark_seen(struct sy_scan *scan, const char *at, const struct sy_key *key, uint32_t index, uint64_t *seen)
{
    uint64_t bit = UINT64_C(1) << index;
    if ((*seen & bit) != 0 && key->kind != SY_VALUE_EXTRA) {
        return FAIL(scan, at, NULL, "%s is given twice", key->name);
    }
    *seen |= bit;
    return true;
}

static bool has_required(struct sy_scan *scan, const struct sy_record_syntax *record, uint64_t seen)
{
    uint64_t missing = record->required & ~seen;
    for (uint32_t i = 0; missing >> i != 0 && i < record->keys; i++) {
        if ((missing >> i & 1) != 0) {
            (void)FAIL(scan, scan->end, NULL, "%s has no %s=", record->word, record->key[i].name);
        }
    }
    return missing == 0;
}

/* ---- layers ---- */

static bool place_inputs(struct sy_scan *scan, struct sy_layer *layer, const struct gathered *got)
{
    uint32_t least = sy_ops[layer->op].min_inputs;
    layer->inputs = got->named > least ? got->named : least;
    if (layer->inputs + got->extras > SY_MAX_INPUTS) {
        return FAIL(scan, scan->end, NULL, "the layer reads %u tensors; the most is %d", layer->inputs + got->extras,
                    SY_MAX_INPUTS);
    }
    for (uint32_t i = 0; i < got->extras; i++) {
        layer->in[layer->inputs++] = got->extra[i];
    }
    return true;
}

static enum sy_status parse_layer(struct sy_scan *scan, const struct sy_record_syntax *record, struct sy_layer *layer)
{
    *layer = scan->syntax->layer[record->index];
    layer->line = scan->line > UINT32_MAX ? UINT32_MAX : (uint32_t)scan->line;
    if (!parse_name(scan, &layer->name) || !value_ends(scan)) {
        return SY_INPUT;
    }
    struct gathered got;
    got.seen = 0;
    got.named = got.extras = 0;
    for (uint32_t expected = 0; !at_end(scan); expected++) {
        const char *at = scan->p;
        const struct sy_key *key = parse_key(scan, record, &expected);
        if (key == NULL || !mark_seen(scan, at, key, expected, &got.seen) ||
            !parse_layer_value(scan, key, layer, &got) || !value_ends(scan)) {
            return SY_INPUT;
        }
        expected -= key->kind == SY_VALUE_EXTRA; /* it may come again */
    }
    if (!has_required(scan, record, got.seen) || !place_inputs(scan, layer, &got)) {
        return SY_INPUT;
    }
    return scan->check ? sy_layer_check(layer, scan->file, scan->diag) : SY_OK;
}

/* ---- commands ---- */

static bool parse_stall(struct sy_scan *scan, uint8_t *stall)
{
    size_t length = word_length(scan->p);
    for (uint8_t i = 0; i < SY_STALL_COUNT; i++) {
        if (strlen(sy_stall_names[i]) == length && memcmp(sy_stall_names[i], scan->p, length) == 0) {
            scan->p += length;
            *stall = i;
            return true;
        }
    }
    return unknown_word(scan, scan->p, length, "a stall cause", sy_stall_names, SY_STALL_COUNT);
}

static bool parse_dependency(struct sy_scan *scan, struct sy_command *command)
{
    if (command->dependencies == SY_MAX_DEPS) {
        return FAIL(scan, scan->p, "put a wait between them", "more than %d dependencies", SY_MAX_DEPS);
    }
    struct sy_dependency *dependency = &command->dependency[command->dependencies++];
    const char *at = ++scan->p;
    uint64_t back;
    if (!parse_u64(scan, &back)) {
        return false;
    }
    if (back == 0 || back > scan->command_id) {
        return FAIL(scan, at, NULL, "the dependency reaches back %llu commands; %llu come before this one",
                    (unsigned long long)back, (unsigned long long)scan->command_id);
    }
    dependency->command = scan->command_id - back;
    dependency->point = SY_POINT_DONE;
    dependency->stall = SY_STALL_DEPENDENCY;
    if (*scan->p == 's' || *scan->p == 'f') {
        dependency->point = *scan->p++ == 's' ? SY_POINT_STREAMED : SY_POINT_FIRST;
    }
    if (*scan->p == '.') {
        scan->p++;
        return parse_stall(scan, &dependency->stall);
    }
    return true;
}

static bool parse_operand(struct sy_scan *scan, struct sy_command *command)
{
    if (*scan->p < 'A' || *scan->p > 'C') {
        return FAIL(scan, scan->p, NULL, "'%s' is not an operand; expected A, B or C", excerpt(scan, scan->p).text);
    }
    command->operand = (uint8_t)(*scan->p++ - 'A');
    return value_ends(scan);
}

/* Defaults that follow other keys, and sizes that must fit. */
static bool finish_move(struct sy_scan *scan, struct sy_command *command, bool has_parent, bool has_pitch)
{
    if (!has_parent && command->level == UINT8_MAX) {
        return FAIL(scan, scan->end, NULL, "level %d has no level outside it", UINT8_MAX);
    }
    if (!has_parent) {
        command->u.move.parent = (uint8_t)(command->level + 1);
    }
    if (!has_pitch) {
        command->u.move.pitch_bytes = command->u.move.row_bytes;
    }
    uint64_t bytes, span;
    if (!sy_mul(command->u.move.rows, command->u.move.row_bytes, &bytes) ||
        !sy_mul(command->u.move.rows - 1, command->u.move.pitch_bytes, &span) ||
        !sy_add(span, command->u.move.row_bytes, &span) || !sy_add(span, command->u.move.address, &span)) {
        return FAIL(scan, scan->start, NULL, "the bytes moved do not fit 64-bit addresses");
    }
    return true;
}

static enum sy_status parse_command(struct sy_scan *scan, const struct sy_record_syntax *record,
                                    struct sy_command *command)
{
    *command = scan->syntax->command[record->index];
    bool moves = command->kind == SY_CMD_LOAD || command->kind == SY_CMD_STORE;
    if (moves && !parse_operand(scan, command)) {
        return SY_INPUT;
    }
    uint64_t seen = 0;
    for (uint32_t expected = 0; !at_end(scan);) {
        const char *at = scan->p;
        bool ok;
        if (*at == '<') {
            ok = parse_dependency(scan, command);
        } else {
            const struct sy_key *key = parse_key(scan, record, &expected);
            ok = key != NULL && mark_seen(scan, at, key, expected, &seen) && parse_command_value(scan, key, command);
            expected++;
        }
        if (!ok || !value_ends(scan)) {
            return SY_INPUT;
        }
    }
    if (!has_required(scan, record, seen)) {
        return SY_INPUT;
    }
    /* Bits 1 and 4: parent and pitch in the key table. */
    return !moves || finish_move(scan, command, (seen & 2) != 0, (seen & 16) != 0) ? SY_OK : SY_INPUT;
}

/* ---- the other lines ---- */

static enum sy_status parse_repeat(struct sy_scan *scan, uint64_t *times)
{
    const char *at = scan->p;
    if (!parse_u64(scan, times)) {
        return SY_INPUT;
    }
    if (*times == 0) {
        return sy_scan_error(scan, at, NULL, "repeat 0; expected at least 1");
    }
    skip_blanks(scan);
    if (*scan->p != '{') {
        return sy_scan_error(scan, scan->p, NULL, "expected '{' after repeat %llu", (unsigned long long)*times);
    }
    scan->p++;
    return value_ends(scan) ? SY_OK : SY_INPUT;
}

static enum sy_status parse_unmodelled(struct sy_scan *scan, struct sy_unmodelled *item)
{
    item->next = NULL;
    bool ok = parse_name(scan, &item->op) && value_ends(scan) && parse_u64(scan, &item->count) && value_ends(scan) &&
              parse_u64(scan, &item->bytes) && value_ends(scan);
    return ok ? SY_OK : SY_INPUT;
}

static const struct sy_record_syntax *unknown_record(struct sy_scan *scan, size_t length)
{
    const struct sy_syntax *syntax = scan->syntax;
    const char *list[SY_RECORD_WORDS];
    for (uint32_t i = 0; i < syntax->records; i++) {
        list[i] = syntax->record[i].word;
    }
    (void)unknown_word(scan, scan->p, length, "an operator, a command or another record", list, syntax->records);
    return NULL;
}

static inline const struct sy_record_syntax *parse_first_word(struct sy_scan *scan)
{
    const struct sy_syntax *syntax = scan->syntax;
    const char *p = scan->p;
    size_t length = *p == '}' ? 1 : word_length(p);
    uint64_t head = sy_word_head(p, length);
    uint32_t i = scan->last_word;
    for (uint32_t tried = 0; tried < syntax->records; tried++) {
        i = i < syntax->records ? i : 0;
        const struct sy_record_syntax *record = &syntax->record[i];
        if (syntax->head[i] == head && record->length == length &&
            (length <= sizeof head || memcmp(record->word, p, length) == 0)) {
            scan->p = p + length;
            scan->last_word = i;
            return value_ends(scan) ? record : NULL;
        }
        i++;
    }
    return unknown_record(scan, length);
}

static enum sy_status parse_body(struct sy_scan *scan, struct sy_parsed *parsed, const struct sy_record_syntax *syntax)
{
    struct sy_trace_record *record = parsed->record;
    switch (syntax->form) {
    case SY_FORM_LAYER:
        record->kind = SY_TRACE_LAYER;
        return parse_layer(scan, syntax, &record->layer);
    case SY_FORM_COMMAND:
        record->kind = SY_TRACE_COMMAND;
        return parse_command(scan, syntax, &record->command);
    case SY_FORM_REPEAT:
        record->kind = SY_TRACE_REPEAT;
        return parse_repeat(scan, &record->repeat);
    case SY_FORM_CLOSE:
        record->kind = SY_TRACE_END_REPEAT;
        return SY_OK;
    case SY_FORM_UNMODELLED:
        record->kind = SY_TRACE_UNMODELLED;
        return parse_unmodelled(scan, &record->unmodelled);
    case SY_FORM_NET:
        return parse_name(scan, &parsed->name) && value_ends(scan) ? SY_OK : SY_INPUT;
    case SY_FORM_END:
        return parse_u64(scan, &parsed->count) && value_ends(scan) ? SY_OK : SY_INPUT;
    }
    return SY_INTERNAL;
}

enum sy_status sy_parse_line(struct sy_scan *scan, struct sy_parsed *parsed)
{
    scan->names_used = 0;
    const struct sy_record_syntax *syntax = parse_first_word(scan);
    if (syntax == NULL) {
        return SY_INPUT;
    }
    parsed->form = syntax->form;
    parsed->record->line = scan->line;
    parsed->record->byte_offset = scan->byte_offset;
    enum sy_status status = parse_body(scan, parsed, syntax);
    if (status == SY_OK && !at_end(scan)) {
        return sy_scan_error(scan, scan->p, NULL, "'%s' follows the end of the record", excerpt(scan, scan->p).text);
    }
    return status;
}
