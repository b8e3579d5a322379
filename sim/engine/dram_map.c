/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_map.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/text.h"

enum field { CHANNEL, PSEUDOCHANNEL, RANK, BANKGROUP, BANK, ROW, COLUMN, FIELDS };
static const char *const field_names[FIELDS] = {"channel", "pseudochannel", "rank",  "bankgroup",
                                                "bank",    "row",           "column"};
static const char *const letter_pairs[FIELDS] = {"ch", "pc", "ra", "bg", "ba", "ro", "co"};

enum { MAX_PARTS = 24, MAX_BITS = 8 * SY_DRAM_MAP_BYTES };

struct part {
    enum field field;
    uint32_t bits; /* UINT32_MAX: the rest of the field */
};
struct builder {
    uint32_t width[FIELDS];
    struct part part[MAX_PARTS];
    uint32_t parts;
    uint64_t source[FIELDS][32]; /* for each bit of a field, the burst index bits whose XOR it is */
    bool is_target[FIELDS], is_source[FIELDS];
    const char *text;
    struct sy_diag *diag;
};

static uint32_t log2_of(uint64_t value)
{
    return value > 1 ? 63u - (uint32_t)__builtin_clzll(value) : 0;
}

static enum sy_status complain(const struct builder *b, const char *what, const char *at, size_t length)
{
    return sy_error(b->diag, SY_NOWHERE,
                    "write fields from the most significant, such as "
                    "\"row rank bank column bankgroup channel\"",
                    "address map \"%s\": %s%s%.*s%s", b->text, what, length ? " '" : "", (int)length, at,
                    length ? "'" : "");
}

static int find_field(const char *word, size_t length, const char *const *names)
{
    for (int f = 0; f < FIELDS; f++)
        if (strlen(names[f]) == length && !strncmp(names[f], word, length))
            return f;
    return -1;
}

/* The standard names of the two tools in our grammar; the given text itself when it is not one of them. */
static const char *expand_name(const char *text, const uint32_t width[FIELDS], char out[512])
{
    const bool mop = !strcmp(text, "MOP4CLXOR");
    if (!strcmp(text, "RoBaRaCoCh"))
        return "row bank bankgroup rank pseudochannel column channel";
    if (mop) {
        static const enum field order[] = {PSEUDOCHANNEL, RANK, BANKGROUP, BANK, ROW};
        struct sy_buf buf = {0};
        sy_buf_puts(&buf, "row column bank bankgroup rank pseudochannel column:2 channel;");
        uint32_t shift = 0;
        for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
            if (width[order[i]] && shift < width[COLUMN])
                sy_buf_printf(&buf, " %s^column>>%u", field_names[order[i]], shift);
            shift += width[order[i]];
        }
        snprintf(out, 512, "%s", buf.data ? buf.data : text);
        sy_buf_free(&buf);
        return out;
    }
    if (strlen(text) != 12 || strpbrk(text, " :;"))
        return text;
    out[0] = '\0';
    for (int i = 0; i < 12; i += 2) {
        const int f = find_field(text + i, 2, letter_pairs);
        if (f < 0)
            return text;
        snprintf(out + strlen(out), 512 - strlen(out), "%s ", field_names[f]);
    }
    return out;
}

static bool read_number(const char **p, uint32_t *value)
{
    if (!isdigit((unsigned char)**p))
        return false;
    *value = 0;
    while (isdigit((unsigned char)**p) && *value < 1000)
        *value = *value * 10 + (uint32_t)(*(*p)++ - '0');
    return *value < 1000;
}

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (islower((unsigned char)p[n]))
        n++;
    return n;
}

static enum sy_status read_part(struct builder *b, const char **p)
{
    const size_t n = word_length(*p);
    const int f = find_field(*p, n, field_names);
    if (f < 0)
        return complain(b, "unknown field", *p, n ? n : 1);
    if (b->parts == MAX_PARTS)
        return complain(b, "too many fields", "", 0);
    struct part *part = &b->part[b->parts++];
    *part = (struct part){.field = (enum field)f, .bits = UINT32_MAX};
    *p += n;
    if (**p == ':') {
        ++*p;
        if (!read_number(p, &part->bits))
            return complain(b, "a bit count must follow ':' at", *p, strlen(*p));
    }
    return SY_OK;
}

/* target^source>>k */
static enum sy_status read_hash(struct builder *b, const char **p)
{
    const char *start = *p;
    const size_t nt = word_length(*p);
    const int target = find_field(*p, nt, field_names);
    *p += nt;
    const bool caret = **p == '^';
    *p += caret;
    const size_t ns = word_length(*p);
    const int source = find_field(*p, ns, field_names);
    *p += ns;
    uint32_t shift = 0;
    const bool arrow = !strncmp(*p, ">>", 2);
    if (arrow)
        *p += 2;
    if (!caret || target < 0 || source < 0 || (arrow && !read_number(p, &shift)))
        return complain(b, "a hash term must be target^source>>bits, found", start, strcspn(start, " "));
    b->is_target[target] = b->is_source[source] = true;
    if (b->is_target[source] || b->is_source[target])
        return complain(b, "a field is both target and source of a hash:", start, strcspn(start, " "));
    for (uint32_t bit = 0; bit < b->width[target] && shift + bit < b->width[source]; bit++)
        b->source[target][bit] ^= b->source[source][shift + bit];
    return SY_OK;
}

/* Give address bits to the parts, least significant first. The channel field may be pulled out to a fixed place. */
static enum sy_status assign_bits(struct builder *b, uint32_t channel_at, bool pull_channel, uint32_t *total)
{
    uint32_t used[FIELDS] = {0};
    uint32_t next = 0;
    for (uint32_t i = b->parts; i-- > 0;) {
        const struct part *part = &b->part[i];
        const uint32_t left = b->width[part->field] - used[part->field];
        const uint32_t bits = part->bits == UINT32_MAX ? left : part->bits;
        if (bits > left && b->width[part->field])
            return complain(b, "more bits than the device has for", field_names[part->field],
                            strlen(field_names[part->field]));
        for (uint32_t k = 0; k < bits && k < left; k++) {
            if (part->field == CHANNEL && pull_channel) {
                b->source[CHANNEL][used[CHANNEL]++] = UINT64_C(1) << (channel_at + k);
                continue;
            }
            const uint32_t at = next + (pull_channel && next >= channel_at ? b->width[CHANNEL] : 0);
            if (at >= MAX_BITS)
                return complain(b, "more address bits than are modelled", "", 0);
            b->source[part->field][used[part->field]++] = UINT64_C(1) << at;
            next++;
        }
    }
    for (int f = 0; f < FIELDS; f++)
        if (used[f] != b->width[f])
            return complain(b, "not all bits are placed of", field_names[f], strlen(field_names[f]));
    *total = next + (pull_channel ? b->width[CHANNEL] : 0);
    return SY_OK;
}

/* Output bits from `out` up take the bits of a field: note which address bit flips which. */
static uint32_t add_field(const struct builder *b, enum field field, uint32_t out, uint64_t flips[MAX_BITS])
{
    for (uint32_t k = 0; k < b->width[field]; k++)
        for (uint32_t a = 0; a < MAX_BITS; a++)
            flips[a] |= (b->source[field][k] >> a & 1) << (out + k);
    return out + b->width[field];
}

static void fill_tables(struct sy_dram_map *map, const struct builder *b)
{
    static const enum field bank_order[] = {BANK, BANKGROUP, RANK, PSEUDOCHANNEL};
    uint64_t flips[MAX_BITS] = {0}; /* output bits that one address bit flips */
    (void)add_field(b, ROW, 0, flips);
    uint32_t out = 32;
    for (size_t i = 0; i < sizeof bank_order / sizeof bank_order[0]; i++)
        out = add_field(b, bank_order[i], out, flips);
    (void)add_field(b, CHANNEL, 40, flips);
    uint64_t selects = 0;
    for (int f = 0; f < FIELDS; f++)
        for (uint32_t k = 0; k < b->width[f] && f != ROW; k++)
            selects |= b->source[f][k];
    map->rotation_bits = selects ? log2_of(selects) + 1 : 0;
    for (uint32_t byte = 0; byte < SY_DRAM_MAP_BYTES; byte++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint64_t place = 0;
            for (uint32_t bit = 0; bit < 8; bit++)
                place ^= value >> bit & 1 ? flips[8 * byte + bit] : 0;
            map->table[byte][value] = place;
        }
    }
}

static enum sy_status parse(struct builder *b, const char *text, uint32_t channel_at, bool pull, uint32_t *total)
{
    const char *p = text;
    enum sy_status status = SY_OK;
    bool hashes = false;
    while (status == SY_OK && *p) {
        if (*p == ' ') {
            p++;
        } else if (*p == ';' && !hashes) {
            hashes = true;
            p++;
            status = assign_bits(b, channel_at, pull, total);
        } else {
            status = hashes ? read_hash(b, &p) : read_part(b, &p);
        }
    }
    if (status == SY_OK && !hashes)
        status = assign_bits(b, channel_at, pull, total);
    return status;
}

static bool power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

enum sy_status sy_dram_map_build(struct sy_dram_map *map, const char *text, const struct sy_dram_device *device,
                                 uint32_t channels, uint64_t interleave_bytes, struct sy_diag *diag)
{
    const struct sy_dram_organization *org = &device->org;
    struct builder b = {.text = text, .diag = diag};
    if (channels < 1 || channels > SY_DRAM_MAX_CHANNELS)
        return sy_error(diag, SY_NOWHERE, NULL, "%u DRAM channels; expected 1 to %d", channels, SY_DRAM_MAX_CHANNELS);
    const bool whole = power_of_two(channels);
    if (!whole && !interleave_bytes)
        interleave_bytes = org->burst_bytes;
    if (interleave_bytes && (!power_of_two(interleave_bytes) || interleave_bytes < org->burst_bytes))
        return sy_error(diag, SY_NOWHERE, NULL,
                        "channels interleave by %llu bytes; expected a power of two of at "
                        "least one burst (%llu)",
                        (unsigned long long)interleave_bytes, (unsigned long long)org->burst_bytes);
    *map = (struct sy_dram_map){.channels = channels, .burst_shift = log2_of(org->burst_bytes), .by_remainder = !whole};
    b.width[CHANNEL] = whole ? log2_of(channels) : 0;
    b.width[PSEUDOCHANNEL] = log2_of(org->pseudochannels);
    b.width[RANK] = log2_of(org->ranks);
    b.width[BANKGROUP] = log2_of(org->bankgroups);
    b.width[BANK] = log2_of(org->banks_per_group);
    b.width[ROW] = log2_of(org->rows);
    b.width[COLUMN] = log2_of(org->row_bytes / org->burst_bytes);
    const uint32_t channel_at = interleave_bytes ? log2_of(interleave_bytes / org->burst_bytes) : 0;
    map->interleave_shift = channel_at;
    char expanded[512];
    uint32_t total = 0;
    enum sy_status status =
        parse(&b, expand_name(text, b.width, expanded), channel_at, interleave_bytes && whole, &total);
    if (status != SY_OK)
        return status;
    fill_tables(map, &b);
    if (!whole)
        map->rotation_bits += 1; /* the remainder makes it only nearly periodic */
    return SY_OK;
}

bool sy_dram_map_channel_low(const struct sy_dram_map *map, uint32_t channels)
{
    if (map->by_remainder)
        return false;
    for (uint32_t c = 0; c < channels; c++)
        if (sy_dram_place_channel(sy_dram_map_decode(map, (uint64_t)c << map->interleave_shift)) != c)
            return false;
    return true;
}
