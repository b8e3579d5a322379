/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of scan.h that no good line comes to often: messages, quoted names. */
#include <stdarg.h>
#include <stdio.h>

#include "sim/base/utf8.h"
#include "traces/scan.h"

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

struct sy_excerpt sy_excerpt(const struct sy_scan *scan, const char *at)
{
    struct sy_excerpt out;
    size_t n = 0;
    const char *p = at;
    for (; p<scan->end && * p> ' ' && *p < 0x7f && n < 40; p++) {
        out.text[n++] = *p;
    }
    if (p < scan->end && n == 40) {
        memcpy(out.text + n, "...", 3);
        n += 3;
    }
    out.text[n] = '\0';
    return out;
}

bool sy_scan_begin(struct sy_scan *scan)
{
    scan->p = scan->start;
    sy_scan_skip_blanks(scan);
    return !sy_scan_at_end(scan);
}

bool sy_scan_bad_number(struct sy_scan *scan, const char *at)
{
    return SY_SCAN_FAIL(scan, at, "numbers are decimal digits without sign, leading zero, fraction or unit",
                        "'%s' is not a number below 2^64", sy_excerpt(scan, at).text);
}

bool sy_scan_out_of_range(struct sy_scan *scan, const char *at, const char *name, uint64_t value, uint64_t minimum,
                          uint64_t maximum)
{
    return SY_SCAN_FAIL(scan, at, NULL, "%s is %llu; expected %llu to %llu", name, (unsigned long long)value,
                        (unsigned long long)minimum, (unsigned long long)maximum);
}

bool sy_scan_long_name(struct sy_scan *scan, const char *at)
{
    return SY_SCAN_FAIL(scan, at, NULL, "this name is longer than %d bytes", SY_TRACE_MAX_NAME);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
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

bool sy_scan_quoted(struct sy_scan *scan, const char **name)
{
    const char *open = scan->p;
    char *to = sy_scan_names_room(scan);
    size_t length = 0;
    const char *p = open + 1;
    while (*p != '"') {
        size_t taken = 1;
        if (p == scan->end || (unsigned char)*p < ' ' || *p == 0x7f) {
            return p == scan->end ? SY_SCAN_FAIL(scan, open, NULL, "this quoted name has no closing quote")
                                  : SY_SCAN_FAIL(scan, p, "write it as \\xHH", "a control character stands in a name");
        }
        if (length + 4 > SY_TRACE_MAX_NAME + 3) {
            return sy_scan_long_name(scan, open);
        }
        if (*p == '\\') {
            taken = unescape(p + 1, &to[length]);
            if (taken == 0) {
                return SY_SCAN_FAIL(scan, p, "escapes are \\\" \\\\ \\n \\t \\r \\xHH (not \\x00)",
                                    "'%s' is not an escape", sy_excerpt(scan, p).text);
            }
            taken++;
            length++;
        } else {
            taken = sy_utf8_length(p, (size_t)(scan->end - p));
            if (taken == 0) {
                return SY_SCAN_FAIL(scan, p, "write it as \\xHH", "this byte is not UTF-8");
            }
            if (length + taken > SY_TRACE_MAX_NAME) {
                return sy_scan_long_name(scan, open);
            }
            memcpy(to + length, p, taken);
            length += taken;
        }
        p += taken;
    }
    scan->p = p + 1;
    *name = sy_scan_keep_name(scan, length);
    return true;
}

bool sy_scan_utf8(struct sy_scan *scan, const char *from, const char *to)
{
    while (from < to) {
        size_t taken = sy_utf8_length(from, (size_t)(to - from));
        if (taken == 0) {
            return SY_SCAN_FAIL(scan, from, "quote the name and write the byte as \\xHH", "this byte is not UTF-8");
        }
        from += taken;
    }
    return true;
}

bool sy_scan_unlisted(struct sy_scan *scan, const char *what, const char *const *list, uint64_t count)
{
    char word[64], hint[120];
    size_t length = sy_word_length(scan->p);
    size_t n = length < sizeof word - 1 ? length : sizeof word - 1;
    memcpy(word, scan->p, n);
    word[n] = '\0';
    const char *near = sy_nearest(word, list, count);
    (void)snprintf(hint, sizeof hint, "did you mean %s?", near == NULL ? "" : near);
    return SY_SCAN_FAIL(scan, scan->p, near == NULL ? NULL : hint, "'%s' is not %s", sy_excerpt(scan, scan->p).text,
                        what);
}

bool sy_scan_unknown_word(struct sy_scan *scan, const char *what, const struct sy_words *words)
{
    return sy_scan_unlisted(scan, what, words->name, words->count);
}

bool sy_scan_bad_key(struct sy_scan *scan, const struct sy_record_syntax *record)
{
    const char *word = scan->syntax->words.name[record - scan->syntax->record];
    size_t length = sy_word_length(scan->p);
    uint32_t index = sy_words_find(&record->names, scan->p, length, sy_word_head(scan->p, length));
    if (index != SY_NO_WORD) {
        return SY_SCAN_FAIL(scan, scan->p + length, NULL, "expected '=' after %s", record->names.name[index]);
    }
    char what[64];
    (void)snprintf(what, sizeof what, "a key of %s", word);
    return sy_scan_unknown_word(scan, what, &record->names);
}

bool sy_scan_has_required(struct sy_scan *scan, const struct sy_record_syntax *record, uint64_t seen)
{
    uint64_t missing = record->required & ~seen;
    for (uint32_t i = 0; i < record->names.count; i++) {
        if ((missing >> i & 1) != 0) {
            (void)SY_SCAN_FAIL(scan, scan->end, NULL,
                               "%s has no %s=", scan->syntax->words.name[record - scan->syntax->record],
                               record->key[i].name);
        }
    }
    return missing == 0;
}
