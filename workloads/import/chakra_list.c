/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/text.h"
#include "workloads/import/chakra.h"

enum { DEEPEST = 16 };

struct parser {
    struct sy_arena *arena;
    const char *at, *end;
    unsigned depth;
};

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n')) {
        p->at++;
    }
}

static struct cx_item *parse_item(struct parser *p);

static struct cx_item *parse_list(struct parser *p, struct cx_item *list)
{
    char close = *p->at == '(' ? ')' : ']';
    struct cx_item **tail = &list->child;
    list->kind = CX_LIST;
    p->at++;
    if (++p->depth > DEEPEST) {
        return NULL;
    }
    for (;;) {
        skip_blanks(p);
        if (p->at < p->end && *p->at == close) {
            p->at++;
            p->depth--;
            return list;
        }
        *tail = parse_item(p);
        if (*tail == NULL) {
            return NULL;
        }
        tail = &(*tail)->next;
        list->count++;
        skip_blanks(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
        }
    }
}

static struct cx_item *parse_quoted(struct parser *p, struct cx_item *item)
{
    char quote = *p->at++;
    const char *start = p->at;
    while (p->at < p->end && *p->at != quote) {
        p->at += *p->at == '\\' && p->at + 1 < p->end ? 2 : 1;
    }
    if (p->at >= p->end) {
        return NULL;
    }
    item->kind = CX_TEXT;
    item->text = (struct sy_bytes){(const uint8_t *)start, (size_t)(p->at - start)};
    p->at++;
    return item;
}

/* A number, True, False, None, inf, or any other word. */
static struct cx_item *parse_word(struct parser *p, struct cx_item *item)
{
    const char *start = p->at;
    while (p->at < p->end && strchr(",[]() \t\n'\"", *p->at) == NULL) {
        p->at++;
    }
    size_t length = (size_t)(p->at - start);
    item->text = (struct sy_bytes){(const uint8_t *)start, length};
    item->kind = CX_TEXT;
    if (length == 0) {
        return NULL;
    }
    if ((length == 4 && memcmp(start, "True", 4) == 0) || (length == 5 && memcmp(start, "False", 5) == 0)) {
        item->kind = CX_NUMBER;
        item->number = length == 4;
    } else if (sy_text_to_double(start, length, &item->number)) {
        item->kind = CX_NUMBER;
    }
    return item;
}

static struct cx_item *parse_item(struct parser *p)
{
    struct cx_item *item = sy_arena_alloc(p->arena, sizeof *item);
    skip_blanks(p);
    if (item == NULL || p->at >= p->end) {
        return NULL;
    }
    if (*p->at == '[' || *p->at == '(') {
        return parse_list(p, item);
    }
    return *p->at == '\'' || *p->at == '"' ? parse_quoted(p, item) : parse_word(p, item);
}

struct cx_item *cx_parse(struct sy_arena *arena, struct sy_bytes text)
{
    if (text.length == 0) {
        return NULL;
    }
    struct parser p = {.arena = arena, .at = (const char *)text.data, .end = (const char *)text.data + text.length};
    return parse_item(&p);
}

const struct cx_item *cx_at(const struct cx_item *list, uint32_t index)
{
    const struct cx_item *item = list != NULL && list->kind == CX_LIST ? list->child : NULL;
    while (item != NULL && index-- > 0) {
        item = item->next;
    }
    return item;
}
