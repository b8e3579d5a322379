/* SPDX-License-Identifier: Apache-2.0 */
/* One plain value of a schema: parsing, range, formatting, and what it expects. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arch/schema.h"
#include "sim/base/checked.h"

/* A parsed number in the type it is stored in, for the range check. */
struct number {
    bool is_real;
    uint64_t whole;
    double real;
};

__attribute__((format(printf, 2, 3))) static bool refuse(char message[SY_REASON_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, SY_REASON_MAX, format, args);
    va_end(args);
    return false;
}

static const struct sy_field_traits traits[] = {
    [SY_FIELD_TEXT] = {"text", sizeof(char *), false, true, false},
    [SY_FIELD_NAME] = {"name", sizeof(char *), false, true, false},
    [SY_FIELD_BOOL] = {"yes or no", sizeof(bool), false, false, false},
    [SY_FIELD_U64] = {"whole number", sizeof(uint64_t), true, false, false},
    [SY_FIELD_U32] = {"whole number", sizeof(uint32_t), true, false, false},
    [SY_FIELD_DOUBLE] = {"number", sizeof(double), true, false, false},
    [SY_FIELD_CYCLES] = {"cycles or time", sizeof(uint64_t), true, false, false},
    [SY_FIELD_RATE] = {"B/s or B/cycle", sizeof(double), true, false, false},
    [SY_FIELD_HZ] = {"frequency", 2 * sizeof(uint64_t), true, false, false},
    [SY_FIELD_RATIO] = {"ratio", 2 * sizeof(uint64_t), true, false, false},
    [SY_FIELD_ENUM] = {"choice", sizeof(unsigned), false, false, false},
    [SY_FIELD_SOURCE] = {"source", sizeof(char *), false, true, false},
    [SY_FIELD_CONFIDENCE] = {"confidence", sizeof(char *), false, true, false},
    [SY_FIELD_SET] = {"choices", sizeof(uint32_t), false, false, false},
    [SY_FIELD_GROUP] = {"group", 0, false, false, false},
    [SY_FIELD_LIST] = {"list", 0, false, false, true},
    [SY_FIELD_TABLE] = {"named values", 0, false, false, true},
};

const struct sy_field_traits *sy_field_traits(enum sy_field_type type)
{
    return &traits[type];
}

size_t sy_field_bytes(const struct sy_field *field)
{
    return field->flags & SY_FIELD_WIDE ? sizeof(uint64_t) : traits[field->type].bytes;
}

/* Units by which values are written, the usual one first. */
struct scale {
    enum sy_unit unit;
    const char *name;
    double factor; /* of the base unit */
};
static const struct scale scales[] = {
    {SY_UNIT_NONE, "", 1},
    {SY_UNIT_BYTES, " B", 1},
    {SY_UNIT_BYTES, " KiB", 1024.0},
    {SY_UNIT_BYTES, " MiB", 1048576.0},
    {SY_UNIT_BYTES, " GiB", 1073741824.0},
    {SY_UNIT_BYTES, " TiB", 1099511627776.0},
    {SY_UNIT_BYTES, " kB", 1e3},
    {SY_UNIT_BYTES, " MB", 1e6},
    {SY_UNIT_BYTES, " GB", 1e9},
    {SY_UNIT_HZ, " GHz", 1e9},
    {SY_UNIT_HZ, " MHz", 1e6},
    {SY_UNIT_HZ, " kHz", 1e3},
    {SY_UNIT_HZ, " Hz", 1},
    {SY_UNIT_BYTES_PER_S, " GB/s", 1e9},
    {SY_UNIT_BYTES_PER_S, " TB/s", 1e12},
    {SY_UNIT_BYTES_PER_S, " MB/s", 1e6},
    {SY_UNIT_BYTES_PER_S, " kB/s", 1e3},
    {SY_UNIT_BYTES_PER_S, " B/s", 1},
    {SY_UNIT_SECONDS, " ns", 1e-9},
    {SY_UNIT_SECONDS, " ps", 1e-12},
    {SY_UNIT_SECONDS, " us", 1e-6},
    {SY_UNIT_SECONDS, " ms", 1e-3},
    {SY_UNIT_SECONDS, " s", 1},
    {SY_UNIT_CYCLES, " cycles", 1},
    {SY_UNIT_BYTES_PER_CYCLE, " B/cycle", 1},
    {SY_UNIT_JOULES, " pJ", 1e-12},
    {SY_UNIT_JOULES, " nJ", 1e-9},
    {SY_UNIT_JOULES, " fJ", 1e-15},
    {SY_UNIT_JOULES, " J", 1},
    {SY_UNIT_WATTS, " W", 1},
    {SY_UNIT_WATTS, " mW", 1e-3},
    {SY_UNIT_WATTS, " uW", 1e-6},
    {SY_UNIT_VOLTS, " V", 1},
    {SY_UNIT_METRES, " nm", 1e-9},
    {SY_UNIT_METRES, " um", 1e-6},
    {SY_UNIT_METRES, " mm", 1e-3},
    {SY_UNIT_METRES, " m", 1},
    {SY_UNIT_SQUARE_METRES, " mm2", 1e-6},
    {SY_UNIT_SQUARE_METRES, " um2", 1e-12},
    {SY_UNIT_CELSIUS, " C", 1},
    {SY_UNIT_USD, " USD", 1},
    {SY_UNIT_PERCENT, " %", 1e-2},
    {SY_UNIT_TRANSFERS_PER_S, " MT/s", 1e6},
};

/* The unit a value is written in when the field does not say: its type does. */
static enum sy_unit unit_of(const struct sy_field *field)
{
    return field->type == SY_FIELD_CYCLES ? SY_UNIT_CYCLES
           : field->type == SY_FIELD_HZ   ? SY_UNIT_HZ
           : field->type == SY_FIELD_RATE ? SY_UNIT_BYTES_PER_S
                                          : field->unit;
}

/* " ps" for seconds kept as picoseconds. */
static const char *step_name(const struct sy_field *field)
{
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        if (scales[i].unit == field->unit && fabs(scales[i].factor * field->per_unit - 1) < 1e-9)
            return scales[i].name;
    return "";
}

/* A whole number of 1 / per_unit of the base unit. Values such as 1.25 ns have no exact double, so a relative error of
 * 1e-9 is taken for rounding, anything more for a fraction. */
static bool parse_scaled(const struct sy_field *field, const char *text, uint64_t *whole, char message[SY_REASON_MAX])
{
    struct sy_unit_error error;
    double value;
    if (!sy_parse_double(text, field->unit, &value, &error))
        return refuse(message, "%s", error.message);
    double scaled = value * field->per_unit, rounded = nearbyint(scaled);
    if (scaled < 0 || scaled > 9e18)
        return refuse(message, "the value is out of range");
    if (fabs(scaled - rounded) > 1e-9 * fmax(1, rounded))
        return refuse(message, "finer than the smallest step, 1%s", step_name(field));
    *whole = (uint64_t)rounded;
    return true;
}

static bool parse_ratio(const char *text, uint64_t ratio[2], char message[SY_REASON_MAX])
{
    const char *slash = strchr(text, '/');
    size_t left = slash ? (size_t)(slash - text) : strlen(text);
    ratio[1] = 1;
    if (!sy_text_to_u64(text, left, &ratio[0]) || (slash && !sy_text_to_u64(slash + 1, strlen(slash + 1), &ratio[1])))
        return refuse(message, "not a whole number or a fraction such as 1/2");
    if (ratio[0] == 0 || ratio[1] == 0)
        return refuse(message, "neither part of a fraction may be 0");
    return true;
}

/* Cycles, or a time that becomes core-clock cycles, rounded up. */
static bool parse_cycles(const struct sy_schema_context *context, const char *text, uint64_t *cycles,
                         char message[SY_REASON_MAX])
{
    struct sy_unit_error error;
    double seconds;
    if (sy_parse_u64(text, SY_UNIT_CYCLES, cycles, &error))
        return true;
    (void)snprintf(message, SY_REASON_MAX, "%s", error.message);
    if (!sy_parse_double(text, SY_UNIT_SECONDS, &seconds, &error))
        return false;
    if (!context->core_hz || !context->core_hz[0])
        return refuse(message, "a time needs a valid core clock");
    double exact = seconds * (double)context->core_hz[0] / (double)context->core_hz[1];
    if (exact < 0 || exact > 9e18)
        return refuse(message, "the value is out of range");
    double up = ceil(exact - 1e-9 * fmax(1, exact));
    *cycles = (uint64_t)up;
    return true;
}

static bool parse_rate(const char *text, double *rate, char message[SY_REASON_MAX])
{
    struct sy_unit_error error, other;
    uint64_t bytes;
    if (sy_parse_double(text, SY_UNIT_BYTES_PER_S, rate, &error))
        return *rate > 0 || refuse(message, "a rate must be greater than 0");
    if (sy_parse_u64(text, SY_UNIT_BYTES_PER_CYCLE, &bytes, &other)) {
        *rate = -(double)bytes;
        return bytes > 0 || refuse(message, "a rate must be greater than 0");
    }
    return refuse(message, "%s", error.message);
}

static bool parse_whole(const struct sy_schema_context *context, const struct sy_field *field, const char *text,
                        uint64_t *whole, char message[SY_REASON_MAX])
{
    struct sy_unit_error error = {.message = ""};
    if (field->type == SY_FIELD_CYCLES)
        return parse_cycles(context, text, whole, message);
    if (field->per_unit > 0)
        return parse_scaled(field, text, whole, message);
    if (!sy_parse_u64(text, field->unit, whole, &error))
        return refuse(message, "%s", error.message);
    if (field->type == SY_FIELD_U32 && *whole > UINT32_MAX)
        return refuse(message, "the value is out of range");
    return true;
}

/* Slot layout: whole numbers in whole (U32 in its first bytes through `small`), pairs in pair, reals in real. */
union slot {
    uint64_t pair[2];
    uint32_t small;
    double real;
};

static bool parse_number(const struct sy_schema_context *context, const struct sy_field *field, const char *text,
                         union slot *slot, struct number *number, char message[SY_REASON_MAX])
{
    struct sy_unit_error error = {.message = ""};
    *number = (struct number){.is_real = true};
    if (field->type == SY_FIELD_U64 || field->type == SY_FIELD_U32 || field->type == SY_FIELD_CYCLES) {
        number->is_real = false;
        if (!parse_whole(context, field, text, &number->whole, message))
            return false;
        if (field->type == SY_FIELD_U32)
            slot->small = (uint32_t)number->whole;
        else
            slot->pair[0] = number->whole;
        return true;
    }
    if (field->type == SY_FIELD_HZ || field->type == SY_FIELD_RATIO) {
        bool ok = field->type == SY_FIELD_RATIO ? parse_ratio(text, slot->pair, message)
                                                : sy_parse_hz(text, &slot->pair[0], &slot->pair[1], &error);
        if (!ok)
            return field->type == SY_FIELD_RATIO ? false : refuse(message, "%s", error.message);
        number->real = (double)slot->pair[0] / (double)slot->pair[1];
        return true;
    }
    if (field->type == SY_FIELD_RATE) {
        if (!parse_rate(text, &number->real, message))
            return false;
    } else {
        if (!sy_parse_double(text, field->unit, &number->real, &error))
            return refuse(message, "%s", error.message);
        number->real *= field->per_unit > 0 ? field->per_unit : 1;
    }
    slot->real = number->real;
    return true;
}

/* -1 below, 0 inside, 1 above. Limits are texts of the same table and always parse (a test walks them). */
static int beyond(const struct sy_schema_context *context, const struct sy_field *field, const struct number *number)
{
    char ignored[SY_REASON_MAX];
    union slot slot;
    struct number limit;
    if (field->type == SY_FIELD_RATE && number->real < 0)
        return 0; /* a rate a cycle has no range of its own */
    if (field->min && parse_number(context, field, field->min, &slot, &limit, ignored) &&
        (limit.is_real ? number->real < limit.real : number->whole < limit.whole))
        return -1;
    if (field->max && parse_number(context, field, field->max, &slot, &limit, ignored) &&
        (limit.is_real ? number->real > limit.real : number->whole > limit.whole))
        return 1;
    return 0;
}

static bool parse_name(const char *text, const char **slot, struct sy_arena *arena, char message[SY_REASON_MAX])
{
    size_t length = strlen(text);
    if (length == 0 || length > 64)
        return refuse(message, "a name has 1 to 64 characters");
    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != length || *text == '.')
        return refuse(message, "a name has only letters, digits and '-', '_', '.'");
    *slot = sy_arena_strdup(arena, text);
    return *slot || refuse(message, "out of memory");
}

static bool parse_enum(const struct sy_field *field, const char *text, void *slot, char message[SY_REASON_MAX])
{
    uint32_t count = 0;
    for (; field->names[count]; count++)
        if (strcmp(field->names[count], text) == 0) {
            if (field->flags & SY_FIELD_WIDE)
                *(uint64_t *)slot = count;
            else
                *(unsigned *)slot = count;
            return true;
        }
    /* of two letters any other two are near */
    const char *near = strlen(text) > 2 ? sy_nearest(text, field->names, count) : NULL;
    if (near)
        return refuse(message, "not a known name; did you mean '%s'?", near);
    return refuse(message, "not a known name");
}

static bool parse_bool(const struct sy_field *field, const char *text, void *slot, char message[SY_REASON_MAX])
{
    bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0)
        return refuse(message, "not true or false");
    if (field->flags & SY_FIELD_WIDE)
        *(uint64_t *)slot = value;
    else
        *(bool *)slot = value;
    return true;
}

bool sy_field_parse(struct sy_schema_context *context, const struct sy_field *field, const char *text, void *slot,
                    char message[SY_REASON_MAX])
{
    *message = '\0';
    if ((field->flags & SY_FIELD_UNLIMITED) && strcmp(text, "unlimited") == 0) {
        memset(slot, 0, sy_field_bytes(field));
        return true;
    }
    if (traits[field->type].number) {
        struct number number;
        union slot fresh = {.pair = {0, 0}};
        if (!parse_number(context, field, text, &fresh, &number, message))
            return false;
        int side = beyond(context, field, &number);
        if (side)
            return refuse(message, "too %s", side < 0 ? "small" : "large");
        memcpy(slot, &fresh, sy_field_bytes(field));
        return true;
    }
    if (field->type == SY_FIELD_BOOL)
        return parse_bool(field, text, slot, message);
    if (field->type == SY_FIELD_ENUM)
        return parse_enum(field, text, slot, message);
    if (field->type == SY_FIELD_NAME)
        return parse_name(text, (const char **)slot, context->arena, message);
    if (field->type != SY_FIELD_TEXT)
        return refuse(message, "not a plain value");
    *(const char **)slot = sy_arena_strdup(context->arena, text);
    return *(const char **)slot || refuse(message, "out of memory");
}

/* ---- formatting: the shortest text that reads back to the same value ---- */

/* The value in base units, as well as a double can say it; candidates are checked by reading them back. */
static double base_value(const struct sy_field *field, const union slot *slot)
{
    double per_unit = field->per_unit > 0 ? field->per_unit : 1;
    if (field->type == SY_FIELD_U32)
        return slot->small / per_unit;
    if (field->type == SY_FIELD_HZ)
        return (double)slot->pair[0] / (double)slot->pair[1];
    if (field->type == SY_FIELD_RATE)
        return fabs(slot->real);
    return (field->type == SY_FIELD_DOUBLE ? slot->real : (double)slot->pair[0]) / per_unit;
}

static bool is_whole(const struct sy_field *field)
{
    return !(field->per_unit > 0) &&
           (field->type == SY_FIELD_U32 || field->type == SY_FIELD_U64 || field->type == SY_FIELD_CYCLES);
}

/* Whole numbers of the base unit: the shortest of the units they are whole in, the first listed among equals. */
static void format_whole(const struct sy_field *field, uint64_t value, struct sy_buf *out)
{
    char best[64] = "", text[64], digits[32];
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        uint64_t factor = (uint64_t)scales[i].factor;
        if (scales[i].unit != unit_of(field) || factor == 0 || value % factor != 0)
            continue;
        (void)snprintf(text, sizeof text, "%s%s", sy_format_u64(digits, value / factor), scales[i].name);
        if (!*best || strlen(text) < strlen(best))
            memcpy(best, text, sizeof best);
        if (value == 0)
            break;
    }
    sy_buf_puts(out, best);
}

/* num / den Hz as an exact decimal. Frequencies come from decimals, so den divides a power of ten. */
static void format_exact_hz(const uint64_t pair[2], struct sy_buf *out)
{
    char digits[32];
    sy_u128 scaled = pair[0];
    size_t places = 0;
    if (pair[1] == 0) {
        sy_buf_puts(out, "0 Hz");
        return;
    }
    while (scaled % pair[1] != 0 && scaled < (sy_u128)1 << 120) {
        scaled *= 10;
        places++;
    }
    size_t length = strlen(sy_format_u64(digits, (uint64_t)(scaled / pair[1])));
    sy_buf_puts(out, length <= places ? "0." : "");
    for (size_t i = length; i < places; i++)
        sy_buf_puts(out, "0");
    size_t whole = length > places ? length - places : 0;
    sy_buf_append(out, digits, whole);
    sy_buf_puts(out, whole && places ? "." : "");
    sy_buf_puts(out, digits + whole);
    sy_buf_puts(out, " Hz");
}

/* Keep the text in best when it reads back to the same value and is shorter. */
static void try_text(const struct sy_field *field, const union slot *slot, const char *text, char best[64])
{
    struct sy_schema_context bare = {0};
    struct sy_field open = *field;
    char ignored[SY_REASON_MAX];
    union slot back = {.pair = {0, 0}};
    open.min = open.max = NULL;
    if ((!*best || strlen(text) < strlen(best)) && sy_field_parse(&bare, &open, text, &back, ignored) &&
        memcmp(&back, slot, sy_field_bytes(field)) == 0)
        memcpy(best, text, strlen(text) + 1);
}

/* Doubles, fractions and scaled integers: the shortest text of at most twelve digits that reads back, else all digits.
 */
static void format_real(const struct sy_field *field, const union slot *slot, struct sy_buf *out)
{
    char best[64] = "", text[64], digits[32];
    enum sy_unit unit = field->type == SY_FIELD_RATE && slot->real < 0 ? SY_UNIT_BYTES_PER_CYCLE : unit_of(field);
    double value = base_value(field, slot);
    const char *base = "";
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (scales[i].unit != unit)
            continue;
        if (!(scales[i].factor < 1) && !(scales[i].factor > 1))
            base = scales[i].name;
        (void)snprintf(text, sizeof text, "%s%s", sy_format_double(digits, value / scales[i].factor), scales[i].name);
        try_text(field, slot, text, best);
        if (*best && !(value > 0) && !(value < 0))
            break; /* zero is the same in every unit: the first one listed is the usual one */
    }
    if (!*best && field->type == SY_FIELD_HZ) {
        format_exact_hz(slot->pair, out);
        return;
    }
    if (!*best) {
        (void)snprintf(text, sizeof text, "%.16e%s", value, base);
        text[1 + (text[0] == '-')] = '.'; /* whatever the locale put there */
        memcpy(best, text, sizeof text);
    }
    sy_buf_puts(out, best);
}

static void format_set(const struct sy_field *field, uint32_t set, struct sy_buf *out)
{
    sy_buf_puts(out, "[");
    for (uint32_t i = 0, shown = 0; field->names[i]; i++)
        if (set & (UINT32_C(1) << i))
            sy_buf_printf(out, "%s%s", shown++ ? ", " : "", field->names[i]);
    sy_buf_puts(out, "]");
}

void sy_field_format(const struct sy_field *field, const void *slot, struct sy_buf *out)
{
    static const uint64_t zero[2] = {0, 0};
    union slot value = {.pair = {0, 0}};
    memcpy(&value, slot, sy_field_bytes(field));
    if ((field->flags & SY_FIELD_UNLIMITED) && memcmp(slot, zero, sy_field_bytes(field)) == 0) {
        sy_buf_puts(out, "unlimited");
    } else if (traits[field->type].text) {
        const char *text = *(const char *const *)slot;
        sy_yaml_put_scalar(out, text ? text : "");
    } else if (field->type == SY_FIELD_BOOL) {
        sy_buf_puts(out, (field->flags & SY_FIELD_WIDE ? value.pair[0] != 0 : *(const bool *)slot) ? "true" : "false");
    } else if (field->type == SY_FIELD_ENUM) {
        sy_buf_puts(out, field->names[field->flags & SY_FIELD_WIDE ? value.pair[0] : *(const unsigned *)slot]);
    } else if (field->type == SY_FIELD_SET) {
        format_set(field, value.small, out);
    } else if (field->type == SY_FIELD_RATIO) {
        char num[32], den[32];
        sy_buf_puts(out, sy_format_u64(num, value.pair[0]));
        if (value.pair[1] != 1)
            sy_buf_printf(out, "/%s", sy_format_u64(den, value.pair[1]));
    } else if (is_whole(field)) {
        format_whole(field, field->type == SY_FIELD_U32 ? value.small : value.pair[0], out);
    } else {
        format_real(field, &value, out);
    }
}

static void list_names(const struct sy_field *field, const char *lead, char out[SY_REASON_MAX])
{
    size_t used = (size_t)snprintf(out, SY_REASON_MAX, "%s", lead);
    for (uint32_t i = 0; field->names[i] && used < SY_REASON_MAX - 1; i++)
        used += (size_t)snprintf(out + used, SY_REASON_MAX - used, "%s%s", i ? ", " : "", field->names[i]);
}

static void expected_number(const struct sy_field *field, char out[SY_REASON_MAX])
{
    const char *also = field->flags & SY_FIELD_UNLIMITED ? " or 'unlimited'" : "";
    if (field->type == SY_FIELD_RATIO)
        (void)snprintf(out, SY_REASON_MAX, "a number or a fraction such as 1/2");
    else if (field->min && field->max)
        (void)snprintf(out, SY_REASON_MAX, "%s to %s%s", field->min, field->max, also);
    else if (field->min)
        (void)snprintf(out, SY_REASON_MAX, "%s or more%s", field->min, also);
    else if (field->max)
        (void)snprintf(out, SY_REASON_MAX, "at most %s%s", field->max, also);
    else
        (void)snprintf(out, SY_REASON_MAX, "a value such as %s%s", sy_unit_example(unit_of(field)), also);
}

void sy_field_expected(const struct sy_field *field, char out[SY_REASON_MAX])
{
    const char *folder = field->folder ? field->folder : "";
    if (traits[field->type].number)
        expected_number(field, out);
    else if (traits[field->type].text)
        (void)snprintf(out, SY_REASON_MAX, *folder ? "the name of a file of %s" : "%s",
                       *folder                        ? folder
                       : field->type == SY_FIELD_NAME ? "a name"
                                                      : "text");
    else if (field->type == SY_FIELD_BOOL)
        (void)snprintf(out, SY_REASON_MAX, "true or false");
    else if (field->type == SY_FIELD_ENUM)
        list_names(field, "one of ", out);
    else if (field->type == SY_FIELD_SET)
        list_names(field, "a list of ", out);
    else if (field->type == SY_FIELD_LIST)
        (void)snprintf(out, SY_REASON_MAX, "a list of %u to %u%s%s", field->least, field->most,
                       *folder ? ", each a group of keys or the name of a file of " : "", folder);
    else
        (void)snprintf(out, SY_REASON_MAX, "a group of keys%s%s", *folder ? " or the name of a file of " : "", folder);
}
