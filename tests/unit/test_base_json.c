/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/json.h"

#include <math.h>

#include "tests/unit/base_support.h"

static struct sy_arena *arena;
static struct memory_sink sink;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
    sink_start(&sink);
}

static void teardown(void)
{
    sy_arena_destroy(arena);
}

static enum sy_status parse(const char *text, struct sy_json **root)
{
    return sy_json_parse(arena, text, strlen(text), "t.json", root, &sink.diag);
}

START_TEST(a_document_is_read_whole)
{
    struct sy_json *root;
    ck_assert_int_eq(parse("{\"a\": [1, -2.5e3, true, false, null],\n \"caf\\u00e9\": \"x\\n\\\"\\\\\\/\\b\\f\\r\\t\","
                           "\"g\": \"\\ud834\\udd1e\", \"o\": {}}",
                           &root),
                     SY_OK);
    ck_assert_int_eq(root->kind, SY_JSON_OBJECT);
    const struct sy_json *a = sy_json_get(root, "a");
    ck_assert_int_eq(a->kind, SY_JSON_ARRAY);
    uint64_t one;
    ck_assert(sy_json_u64(a->child, &one) && one == 1);
    ck_assert(a->child->next->number == -2500.0);
    ck_assert_str_eq(a->child->next->string, "-2.5e3");
    ck_assert(!sy_json_u64(a->child->next, &one));
    ck_assert(a->child->next->next->boolean);
    ck_assert(!a->child->next->next->next->boolean);
    ck_assert_int_eq(a->child->next->next->next->next->kind, SY_JSON_NULL);
    const struct sy_json *cafe = sy_json_get(root, "caf\xc3\xa9");
    ck_assert_str_eq(cafe->string, "x\n\"\\/\b\f\r\t");
    ck_assert_uint_eq(cafe->line, 2);
    ck_assert_uint_eq(cafe->column, 15);
    ck_assert_str_eq(sy_json_get(root, "g")->string, "\xf0\x9d\x84\x9e");
    ck_assert_ptr_null(sy_json_get(root, "o")->child);
    ck_assert_ptr_null(sy_json_get(root, "absent"));
    ck_assert_ptr_null(sy_json_get(a, "a"));
    ck_assert_ptr_null(sy_json_get(NULL, "a"));
}
END_TEST

START_TEST(integers_are_exact_to_64_bits)
{
    struct sy_json *root;
    uint64_t value;
    ck_assert_int_eq(parse("18446744073709551615", &root), SY_OK);
    ck_assert(sy_json_u64(root, &value) && value == UINT64_MAX);
    ck_assert_int_eq(parse("18446744073709551616", &root), SY_OK);
    ck_assert(!sy_json_u64(root, &value));
    ck_assert_int_eq(parse("-1", &root), SY_OK);
    ck_assert(!sy_json_u64(root, &value));
    ck_assert_int_eq(parse("\"5\"", &root), SY_OK);
    ck_assert(!sy_json_u64(root, &value));
    ck_assert_int_eq(parse("1.0", &root), SY_OK); /* whole, in another spelling */
    ck_assert(sy_json_u64(root, &value) && value == 1);
    ck_assert_int_eq(parse("1e3", &root), SY_OK);
    ck_assert(sy_json_u64(root, &value) && value == 1000);
    ck_assert_int_eq(parse("1.5", &root), SY_OK);
    ck_assert(!sy_json_u64(root, &value));
}
END_TEST

struct bad {
    const char *text;
    const char *says;
    uint32_t line, column;
};

START_TEST(what_is_not_json_is_refused_with_its_place)
{
    static const struct bad rows[] = {
        {"", "ends; expected a value", 1, 1},
        {"  \n ", "ends; expected a value", 2, 2},
        {"{", "a key", 1, 2},
        {"{\"a\":1,}", "a key", 1, 8},
        {"[1,]", "a value", 1, 4},
        {"[1 2]", "',' or ']'", 1, 4},
        {"{\"a\" 1}", "':'", 1, 6},
        {"{a:1}", "a key in double quotes", 1, 2},
        {"{'a':1}", "a key in double quotes", 1, 2},
        {"[1] x", "the end of the text", 1, 5},
        {"01", "leading 0", 1, 2},
        {"+1", "a value", 1, 1},
        {".5", "a value", 1, 1},
        {"5.", "digit after the point", 1, 3},
        {"5.e1", "digit after the point", 1, 3},
        {"1e", "exponent", 1, 3},
        {"-", "a digit", 1, 2},
        {"1e400", "out of range", 1, 1},
        {"NaN", "a value", 1, 1},
        {"Infinity", "a value", 1, 1},
        {"nul", "a value", 1, 1},
        {"tru\n", "a value", 1, 1},
        {"\"abc", "not closed", 1, 1},
        {"\"a\tb\"", "to be escaped", 1, 3},
        {"\"a\nb\"", "to be escaped", 1, 3},
        {"\"\\x\"", "escape", 1, 3},
        {"\"\\u12g4\"", "hexadecimal", 1, 6},
        {"\"\\ud834\"", "surrogate", 1, 4},
        {"\"\\udd1e\"", "surrogate", 1, 4},
        {"\"\\ud834\\u0041\"", "surrogate", 1, 4},
        {"\"\\u0000\"", "\\u0000", 1, 4},
        {"\"\xff\"", "UTF-8", 1, 2},
        {"\"\xc0\xaf\"", "UTF-8", 1, 2},
        {"\"\xed\xa0\x80\"", "UTF-8", 1, 2},
        {"\"\xe2\x82\"", "UTF-8", 1, 2},
        {"\xef\xbb\xbf{}", "a value", 1, 1},
        {"[1, // c\n2]", "a value", 1, 5},
        {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "duplicate key \"a\"; first on line 1", 3, 7},
        {"{\"\\u0061\": 1, \"a\": 3}", "duplicate key", 1, 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_json *root = (struct sy_json *)(uintptr_t)1;
        sink_start(&sink);
        ck_assert_msg(parse(rows[i].text, &root) == SY_INPUT, "'%s' was taken", rows[i].text);
        ck_assert_ptr_null(root);
        ck_assert_msg(strstr(sink.message, rows[i].says) != NULL, "'%s' says: %s", rows[i].text, sink.message);
        ck_assert_msg(sink.line == rows[i].line && sink.column == rows[i].column, "'%s' points at %u:%u", rows[i].text,
                      sink.line, sink.column);
        ck_assert_uint_eq(sink.diag.errors, 1);
    }
}
END_TEST

START_TEST(every_duplicate_is_reported)
{
    struct sy_json *root;
    ck_assert_int_eq(parse("{\"a\":1,\"a\":2,\"b\":{\"c\":1,\"c\":2},\"a\":3}", &root), SY_INPUT);
    ck_assert_uint_eq(sink.diag.errors, 3);
}
END_TEST

START_TEST(depth_is_bounded)
{
    char text[4001];
    struct sy_json *root;
    for (int depth = 1; depth < 2000; depth += depth < 70 ? 1 : 500) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        ck_assert_int_eq(parse(text, &root), depth <= 64 ? SY_OK : SY_INPUT);
    }
    ck_assert(strstr(sink.message, "deeper than 64") != NULL);
}
END_TEST

/* A quadratic duplicate check would take minutes here. */
START_TEST(a_very_wide_object_is_read_in_reasonable_time)
{
    struct sy_buf text = {0};
    sy_buf_puts(&text, "{");
    for (int i = 0; i < 200000; i++) {
        sy_buf_printf(&text, "%s\"k%d\":%d", i == 0 ? "" : ",", (i * 7919) % 200000, i);
    }
    sy_buf_puts(&text, "}");
    struct sy_json *root;
    ck_assert_int_eq(parse(text.data, &root), SY_OK);
    sy_buf_free(&text);
}
END_TEST

/* A random tree written with the writer; the same calls check what was read back. */
static void write_random(struct sy_json_writer *w, const char *key, uint64_t *seed, int depth)
{
    uint64_t kind = next_random(seed) % (depth >= 5 ? 5 : 7);
    char text[40];
    uint64_t bits = next_random(seed);
    if (kind == 0) {
        sy_json_put_u64(w, key, bits);
    } else if (kind == 1) {
        sy_json_put_double(w, key, (double)(int64_t)bits / 4096.0);
    } else if (kind == 2) {
        for (size_t i = 0; i < 8; i++) {
            text[i] = (char)(1 + (bits >> (8 * i)) % 127);
        }
        strcpy(text + 8, "\xc3\xa9\xf0\x9d\x84\x9e");
        sy_json_put_string(w, key, text);
    } else if (kind == 3) {
        sy_json_put_bool(w, key, bits % 2);
    } else if (kind == 4) {
        sy_json_put_null(w, key);
    } else {
        (kind == 5 ? sy_json_open_array : sy_json_open_object)(w, key);
        for (uint64_t i = 0; i < bits % 6; i++) {
            snprintf(text, sizeof text, "key \"%llu\"\n", (unsigned long long)i);
            write_random(w, kind == 5 ? NULL : text, seed, depth + 1);
        }
        (kind == 5 ? sy_json_close_array : sy_json_close_object)(w);
    }
}

static void write_tree(struct sy_json_writer *w, const struct sy_json *value)
{
    uint64_t whole;
    if (value->kind == SY_JSON_NUMBER && sy_json_u64(value, &whole) && strpbrk(value->string, ".eE") == NULL) {
        sy_json_put_u64(w, value->key, whole);
    } else if (value->kind == SY_JSON_NUMBER) {
        sy_json_put_double(w, value->key, value->number);
    } else if (value->kind == SY_JSON_STRING) {
        sy_json_put_string(w, value->key, value->string);
    } else if (value->kind == SY_JSON_BOOL) {
        sy_json_put_bool(w, value->key, value->boolean);
    } else if (value->kind == SY_JSON_NULL) {
        sy_json_put_null(w, value->key);
    } else {
        (value->kind == SY_JSON_ARRAY ? sy_json_open_array : sy_json_open_object)(w, value->key);
        for (const struct sy_json *c = value->child; c != NULL; c = c->next) {
            write_tree(w, c);
        }
        (value->kind == SY_JSON_ARRAY ? sy_json_close_array : sy_json_close_object)(w);
    }
}

START_TEST(written_documents_are_read_back_the_same)
{
    uint64_t seed = 11;
    for (int i = 0; i < 3000; i++) {
        struct sy_buf first = {0}, second = {0};
        struct sy_json_writer w;
        struct sy_json *root;
        sy_json_begin(&w, &first);
        sy_json_open_object(&w, NULL);
        write_random(&w, "value", &seed, 0);
        sy_json_close_object(&w);
        sy_json_end(&w);
        ck_assert_msg(parse(first.data, &root) == SY_OK, "%s\n%s", sink.message, first.data);
        sy_json_begin(&w, &second);
        write_tree(&w, root);
        sy_json_end(&w);
        ck_assert_str_eq(first.data, second.data);
        sy_buf_free(&first);
        sy_buf_free(&second);
    }
}
END_TEST

START_TEST(the_written_form_is_fixed)
{
    struct sy_buf out = {0};
    struct sy_json_writer w;
    sy_json_begin(&w, &out);
    sy_json_open_object(&w, NULL);
    sy_json_put_string(&w, "s", "a\"\\\n\x01\x7f\xff");
    sy_json_put_string(&w, "none", NULL);
    sy_json_put_double(&w, "nan", (double)NAN);
    sy_json_open_array(&w, "list");
    sy_json_put_u64(&w, NULL, 1);
    sy_json_open_object(&w, NULL);
    sy_json_close_object(&w);
    sy_json_open_array(&w, NULL);
    sy_json_close_array(&w);
    sy_json_put_bool(&w, NULL, true);
    sy_json_close_array(&w);
    sy_json_close_object(&w);
    sy_json_end(&w);
    ck_assert_str_eq(out.data,
                     "{\n  \"s\": \"a\\\"\\\\\\n\\u0001\x7f\xef\xbf\xbd\",\n  \"none\": null,\n  \"nan\": null,\n"
                     "  \"list\": [\n    1,\n    {},\n    [],\n    true\n  ]\n}\n");
    sy_buf_free(&out);
}
END_TEST

/* Property: no damaged document crashes or leaks, whatever byte is changed or lost. */
START_TEST(damaged_documents_never_crash)
{
    const char *good = "{\"a\": [1, -2.5e3, true, null], \"b\\u00e9\": {\"c\": \"\\ud834\\udd1e\", \"d\": [[], {}]}}";
    size_t length = strlen(good);
    uint64_t seed = 12;
    int taken = 0;
    for (int i = 0; i < 50000; i++) {
        char *copy = malloc(length); /* exactly as long, so that reading past the end is seen */
        memcpy(copy, good, length);
        size_t kept = i % 3 == 0 ? next_random(&seed) % (length + 1) : length;
        for (uint64_t k = 0; k <= next_random(&seed) % 3; k++) {
            copy[next_random(&seed) % length] = (char)next_random(&seed);
        }
        char *exact = malloc(kept == 0 ? 1 : kept);
        memcpy(exact, copy, kept);
        struct sy_arena *own = sy_arena_create(NULL, 100000);
        struct sy_json *root;
        enum sy_status status = sy_json_parse(own, exact, kept, NULL, &root, NULL);
        ck_assert(status == SY_OK || status == SY_INPUT);
        ck_assert_int_eq(status == SY_OK, root != NULL);
        taken += status == SY_OK;
        sy_arena_destroy(own);
        free(exact);
        free(copy);
    }
    ck_assert_int_gt(taken, 10);
}
END_TEST

START_TEST(running_out_of_memory_is_a_status)
{
    struct sy_buf text = {0};
    sy_buf_puts(&text, "[0");
    for (int i = 0; i < 3000; i++) {
        sy_buf_printf(&text, ",{\"k%d\":\"v\"}", i);
    }
    sy_buf_puts(&text, "]");
    int failures = 0;
    for (long left = 1; left < 40; left++) {
        struct failing state = {.left = left};
        struct sy_allocator hooks = {.alloc = failing_alloc, .release = failing_release, .ctx = &state};
        struct sy_arena *small = sy_arena_create(&hooks, 0);
        struct sy_json *root;
        enum sy_status status = sy_json_parse(small, text.data, text.length, "t", &root, NULL);
        ck_assert(status == SY_OK || status == SY_NOMEM);
        failures += status == SY_NOMEM;
        sy_arena_destroy(small);
        ck_assert_int_eq(state.live, 0);
    }
    ck_assert_int_gt(failures, 3);
    ck_assert_int_lt(failures, 39);
    sy_buf_free(&text);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("json");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_document_is_read_whole);
    tcase_add_test(tcase, integers_are_exact_to_64_bits);
    tcase_add_test(tcase, what_is_not_json_is_refused_with_its_place);
    tcase_add_test(tcase, every_duplicate_is_reported);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, a_very_wide_object_is_read_in_reasonable_time);
    tcase_add_test(tcase, written_documents_are_read_back_the_same);
    tcase_add_test(tcase, the_written_form_is_fixed);
    tcase_add_test(tcase, damaged_documents_never_crash);
    tcase_add_test(tcase, running_out_of_memory_is_a_status);
    return run_case("base/json", tcase);
}
