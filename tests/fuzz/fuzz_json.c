/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever parses must survive being written and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_tree(struct sy_json_writer *w, const struct sy_json *value)
{
    uint64_t whole;
    switch (value->kind) {
    case SY_JSON_NULL:
        sy_json_put_null(w, value->key);
        break;
    case SY_JSON_BOOL:
        sy_json_put_bool(w, value->key, value->boolean);
        break;
    case SY_JSON_NUMBER:
        /* Twelve digits of a number just past 2^64 may be just below it: the spelling decides. */
        if (strpbrk(value->string, ".eE") == NULL && sy_json_u64(value, &whole)) {
            sy_json_put_u64(w, value->key, whole);
        } else {
            sy_json_put_double(w, value->key, value->number);
        }
        break;
    case SY_JSON_STRING:
        sy_json_put_string(w, value->key, value->string);
        break;
    case SY_JSON_ARRAY:
    case SY_JSON_OBJECT:
        (value->kind == SY_JSON_ARRAY ? sy_json_open_array : sy_json_open_object)(w, value->key);
        for (const struct sy_json *c = value->child; c != NULL; c = c->next) {
            write_tree(w, c);
        }
        (value->kind == SY_JSON_ARRAY ? sy_json_close_array : sy_json_close_object)(w);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_arena *arena = sy_arena_create(NULL, (size_t)64 << 20);
    struct sy_json *root = NULL;
    enum sy_status status = sy_json_parse(arena, (const char *)data, size, "fuzz", &root, NULL);
    if ((status == SY_OK) != (root != NULL)) {
        abort();
    }
    if (status == SY_OK) {
        struct sy_buf first = {0}, second = {0};
        struct sy_json_writer w;
        sy_json_begin(&w, &first);
        write_tree(&w, root);
        sy_json_end(&w);
        if (sy_json_parse(arena, first.data, first.length, "again", &root, NULL) != SY_OK) {
            abort();
        }
        sy_json_begin(&w, &second);
        write_tree(&w, root);
        sy_json_end(&w);
        if (strcmp(first.data, second.data) != 0) {
            abort();
        }
        sy_buf_free(&first);
        sy_buf_free(&second);
    }
    sy_arena_destroy(arena);
    return 0;
}
