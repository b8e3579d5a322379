/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/import/lengths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/sequences.h"

enum { LARGEST_FILE = 16 << 20, MOST_TOKENS = 1 << 30, MOST_ENTRIES = 1 << 20 };

static const char blanks[] = " \t\r\n,";

struct list {
    const char *path; /* NULL: given on the command line */
    const char *text, *at;
    struct sy_diag *diag;
};

/* Past blanks, commas and comments; false at the end. */
static bool next_word(struct list *list)
{
    for (;;) {
        list->at += strspn(list->at, blanks);
        if (*list->at != '#') {
            return *list->at != '\0';
        }
        list->at += strcspn(list->at, "\n");
    }
}

static struct sy_where place(const struct list *list)
{
    struct sy_where where = {.file = list->path != NULL ? list->path : "--context", .line = 1, .column = 1};
    for (const char *p = list->text; p < list->at; p++) {
        where.line += *p == '\n';
        where.column = *p == '\n' ? 1 : where.column + 1;
    }
    return where;
}

static enum sy_status read_entry(struct list *list, struct sy_length *entry)
{
    size_t length = strcspn(list->at, " \t\r\n,#"), first = strspn(list->at, "0123456789");
    bool counted = first > 0 && first < length && list->at[first] == 'x';
    const char *tokens = counted ? list->at + first + 1 : list->at;
    entry->count = 1;
    bool good = !counted || sy_text_to_u64(list->at, first, &entry->count);
    good = good && sy_text_to_u64(tokens, (size_t)(list->at + length - tokens), &entry->tokens);
    if (!good || entry->count == 0 || entry->tokens == 0 || entry->count > MOST_TOKENS || entry->tokens > MOST_TOKENS) {
        return sy_error(list->diag, place(list), "for example 128,4096 or 32x128,4096, each 1 to 2^30",
                        "expected a context in tokens, or COUNTxTOKENS; found '%.*s'", (int)sy_min(length, 24),
                        list->at);
    }
    list->at += length;
    return SY_OK;
}

static int by_tokens(const void *a, const void *b)
{
    const struct sy_length *x = a, *y = b;
    return (x->tokens > y->tokens) - (x->tokens < y->tokens);
}

/* Sorted, equal ones together, summed. */
static enum sy_status sum(struct list *list, struct sy_lengths *lengths)
{
    uint64_t kinds = 0;
    qsort(lengths->kind, lengths->kinds, sizeof *lengths->kind, by_tokens);
    for (uint64_t i = 0; i < lengths->kinds; i++) {
        struct sy_length entry = lengths->kind[i];
        lengths->sequences += entry.count; /* at most 2^20 entries of 2^30 */
        lengths->tokens += entry.count * entry.tokens;
        lengths->longest = entry.tokens;
        if (lengths->sequences > MOST_TOKENS || lengths->tokens > MOST_TOKENS) {
            return sy_error(list->diag, (struct sy_where){.file = list->path}, "at most 2^30 tokens a step",
                            "the contexts of the sequences sum to too many tokens");
        }
        if (kinds > 0 && lengths->kind[kinds - 1].tokens == entry.tokens) {
            lengths->kind[kinds - 1].count += entry.count;
        } else {
            lengths->kind[kinds++] = entry;
        }
    }
    lengths->kinds = kinds;
    if (kinds > SY_MAX_SEQUENCE_KINDS) {
        return sy_error(list->diag, (struct sy_where){.file = list->path},
                        "round them, for example up to multiples of 16",
                        "%" PRIu64 " different contexts; at most %d are possible", kinds, SY_MAX_SEQUENCE_KINDS);
    }
    return SY_OK;
}

static enum sy_status read_list(struct list *list, struct sy_arena *arena, struct sy_lengths *lengths)
{
    uint64_t entries = 0;
    for (list->at = list->text; entries <= MOST_ENTRIES && next_word(list); entries++) {
        list->at += strcspn(list->at, " \t\r\n,#");
    }
    if (entries == 0 || entries > MOST_ENTRIES) {
        return sy_error(list->diag, (struct sy_where){.file = list->path}, "for example 128,4096 or 32x128,4096",
                        "expected 1 to %d contexts", MOST_ENTRIES);
    }
    lengths->kind = sy_arena_array(arena, entries, sizeof *lengths->kind);
    if (lengths->kind == NULL) {
        return SY_NOMEM;
    }
    for (list->at = list->text; next_word(list); lengths->kinds++) {
        enum sy_status status = read_entry(list, &lengths->kind[lengths->kinds]);
        if (status != SY_OK) {
            return status;
        }
    }
    return sum(list, lengths);
}

enum sy_status sy_lengths_read(const char *list_or_path, struct sy_arena *arena, struct sy_lengths *lengths,
                               struct sy_diag *diag)
{
    struct list list = {.text = list_or_path, .diag = diag};
    char *text = NULL;
    size_t length = 0;
    memset(lengths, 0, sizeof *lengths);
    if (*list_or_path < '0' || *list_or_path > '9') {
        list.path = list_or_path;
        enum sy_status status = sy_read_file(list_or_path, LARGEST_FILE, &text, &length, diag);
        if (status != SY_OK) {
            return status;
        }
        list.text = text;
        if (strlen(text) != length) {
            free(text);
            return sy_error(diag, (struct sy_where){.file = list_or_path}, NULL, "a zero byte stands in the list");
        }
    }
    enum sy_status status = read_list(&list, arena, lengths);
    free(text);
    return status;
}

void sy_lengths_write(const struct sy_lengths *lengths, uint64_t more, struct sy_buf *out)
{
    for (uint64_t i = 0; i < lengths->kinds; i++) {
        sy_buf_printf(out, "%s%" PRIu64 "x%" PRIu64, i > 0 ? "," : "", lengths->kind[i].count,
                      lengths->kind[i].tokens + more);
    }
}
