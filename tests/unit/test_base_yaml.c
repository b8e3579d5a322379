/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/yaml.h"

#include "tests/unit/arch_support.h"

static struct sy_arena *arena;
static struct log_sink sink;

static void setup(void)
{
    arena = sy_arena_create(NULL, 0);
    log_start(&sink);
}

static void teardown(void)
{
    sy_arena_destroy(arena);
    log_end(&sink);
}

static struct sy_yaml_node *parse_bytes(const char *text, size_t length, enum sy_status expected)
{
    struct sy_yaml_node *root;
    ck_assert_int_eq(sy_yaml_parse(arena, text, length, "t.yaml", &root, &sink.diag), expected);
    return root;
}

static struct sy_yaml_node *parse(const char *text, enum sy_status expected)
{
    return parse_bytes(text, strlen(text), expected);
}

START_TEST(keys_values_and_their_places_are_kept)
{
    const struct sy_yaml_node *root = parse("# head\n"
                                            "name: tpu\n"
                                            "clock:  700 MHz  # fast\n"
                                            "list:\n"
                                            "  - a\n"
                                            "  - {b: 'x y', c: [1, 2]}\n",
                                            SY_OK);
    ck_assert_uint_eq(root->count, 3);
    const struct sy_yaml_node *clock = sy_yaml_get(root, "clock");
    ck_assert_str_eq(clock->text, "700 MHz");
    ck_assert_uint_eq(clock->line, 3);
    ck_assert_uint_eq(clock->column, 9);
    ck_assert_uint_eq(clock->key_line, 3);
    ck_assert_uint_eq(clock->key_column, 1);
    ck_assert(!clock->quoted);
    const struct sy_yaml_node *item = sy_yaml_at(sy_yaml_get(root, "list"), 1);
    ck_assert_int_eq(item->kind, SY_YAML_MAPPING);
    const struct sy_yaml_node *b = sy_yaml_get(item, "b");
    ck_assert_str_eq(b->text, "x y");
    ck_assert(b->quoted);
    ck_assert_uint_eq(b->line, 6);
    ck_assert_uint_eq(b->key_column, 6);
    ck_assert_uint_eq(sy_yaml_get(item, "c")->count, 2);
    ck_assert_ptr_null(sy_yaml_get(root, "nothing"));
    ck_assert_ptr_null(sy_yaml_at(root, 3));
    ck_assert_ptr_null(sy_yaml_get(clock, "x"));
}
END_TEST

START_TEST(a_byte_order_mark_does_not_shift_columns)
{
    const struct sy_yaml_node *root = parse("\xef\xbb\xbfname: x\n", SY_OK);
    ck_assert_uint_eq(root->first->key_column, 1);
    ck_assert_uint_eq(root->first->column, 7);
}
END_TEST

struct refusal {
    const char *text, *message;
};

START_TEST(what_is_outside_the_subset_is_refused_where_it_stands)
{
    static const struct refusal cases[] = {
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key 'a' is already given on line 1 [keep one of the two]\n"},
        {"a: &x 1\n", "t.yaml:1:4: anchors (&name) are not accepted [write the value out where it is needed]\n"},
        {"a: *x\n", "t.yaml:1:4: aliases (*name) are not accepted [write the value out where it is needed]\n"},
        {"a: !!int 1\n", "t.yaml:1:4: tags (!name) are not accepted [remove the tag]\n"},
        {"a: !x {b: 1}\n", "t.yaml:1:4: tags (!name) are not accepted [remove the tag]\n"},
        {"a: &x [b]\n", "t.yaml:1:4: anchors (&name) are not accepted [write the value out where it is needed]\n"},
        {"<<: {a: 1}\n", "t.yaml:1:1: a merge key '<<' is not accepted here; use 'inherits: NAME'\n"},
        {"? [a, b]\n: 1\n",
         "t.yaml:1:3: a key must be text, not a list or a group of keys [quote the key if it is text]\n"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document starts here [keep one document a file]\n"},
        {"%YAML 1.1\n---\na: 1\n", "t.yaml:1:1: directives are not accepted [remove the line that starts with %]\n"},
        {"\"\": 1\n", "t.yaml:1:1: a key must be text without NUL bytes\n"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: a value must not contain NUL bytes\n"},
        {"- a\n", "t.yaml:1:1: the file starts with a list; expected 'key: value' lines\n"},
        {"text\n", "t.yaml:1:1: the file starts with 'text'; expected 'key: value' lines\n"},
        {"", "t.yaml:0:0: the file is empty [write at least one key]\n"},
        {"# only a comment\n", "t.yaml:0:0: the file is empty [write at least one key]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sy_buf_clear(&sink.text);
        parse(cases[i].text, SY_INPUT);
        ck_assert_str_eq(log_text(&sink), cases[i].message);
    }
}
END_TEST

START_TEST(every_refusal_of_one_file_is_reported)
{
    parse("a: &x 1\na: 2\nb: {c: 1, c: 2}\nd: !t x\n", SY_INPUT);
    ck_assert_uint_eq(sink.diag.errors, 4);
    ck_assert_str_eq(log_text(&sink),
                     "t.yaml:1:4: anchors (&name) are not accepted [write the value out where it is needed]\n"
                     "t.yaml:2:1: key 'a' is already given on line 1 [keep one of the two]\n"
                     "t.yaml:3:11: key 'c' is already given on line 3 [keep one of the two]\n"
                     "t.yaml:4:4: tags (!name) are not accepted [remove the tag]\n");
}
END_TEST

START_TEST(broken_syntax_names_the_line)
{
    ck_assert_ptr_null(parse("a: [1, 2\nb: 3\n", SY_INPUT));
    ck_assert_uint_eq(sink.diag.errors, 1);
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "t.yaml:2:2: not valid YAML: "));
    sy_buf_clear(&sink.text);
    ck_assert_ptr_null(parse("a: 1\n\tb: 2\n", SY_INPUT));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "t.yaml:2:1: not valid YAML: "));
}
END_TEST

START_TEST(other_encodings_and_bytes_are_refused_by_name)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *part;
    } cases[] = {
        {"\xff\xfe"
         "a\0:\0",
         6, "UTF-16"},
        {"\xfe\xff\0a", 4, "UTF-16"},
        {"\x1f\x8b\x08", 3, "gzip data"},
        {"a: \xff\n", 5, "not text: "},
        {"a: b\0c\n", 7, "not text: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sy_buf_clear(&sink.text);
        ck_assert_ptr_null(parse_bytes(cases[i].bytes, cases[i].length, SY_INPUT));
        ck_assert_msg(strstr(log_text(&sink), cases[i].part) != NULL, "case %zu: %s", i, log_text(&sink));
    }
}
END_TEST

START_TEST(depth_values_and_keys_are_bounded)
{
    struct sy_buf text = {0};
    sy_buf_puts(&text, "a: ");
    for (int i = 0; i < 200000; i++)
        sy_buf_puts(&text, "[");
    ck_assert_ptr_null(parse(text.data, SY_INPUT));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "nested more than 24 levels deep"));
    sy_buf_clear(&text);
    sy_buf_clear(&sink.text);
    for (int i = 0; i < 2000; i++)
        sy_buf_printf(&text, "k%d: 1\n", i);
    ck_assert_ptr_null(parse(text.data, SY_INPUT));
    ck_assert_str_eq(log_text(&sink), "t.yaml:1025:1: too many keys in one group\n");
    sy_buf_clear(&text);
    sy_buf_clear(&sink.text);
    sy_buf_puts(&text, "a:\n");
    for (int i = 0; i < SY_YAML_MAX_NODES; i++)
        sy_buf_puts(&text, "- 1\n");
    ck_assert_ptr_null(parse(text.data, SY_INPUT));
    ck_assert_ptr_nonnull(strstr(log_text(&sink), "more than 200000 values in one file"));
    sy_buf_free(&text);
}
END_TEST

START_TEST(a_missing_file_and_a_folder_are_reported)
{
    struct sy_yaml_node *root;
    ck_assert_int_eq(sy_yaml_load(arena, "no/such/file.yaml", &root, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_yaml_load(arena, "/", &root, &sink.diag), SY_IO);
    ck_assert_uint_eq(sink.diag.errors, 2);
    ck_assert_ptr_null(root);
}
END_TEST

/* A text that reads back to itself whatever it holds. */
START_TEST(any_scalar_written_is_read_back)
{
    uint64_t state = 1;
    for (int i = 0; i < 3000; i++) {
        static const char bytes[] = "ab1 -:,#[]{}'\"\\&*!|>%@`?~\t\n.=/\xc3\xa9";
        char text[16];
        size_t length = next_random(&state) % 12;
        for (size_t j = 0; j < length; j++) {
            text[j] = bytes[next_random(&state) % (sizeof bytes - 3)];
            if (j + 1 < length && next_random(&state) % 20 == 0) {
                memcpy(text + j, "\xc3\xa9", 2);
                j++;
            }
        }
        text[length] = '\0';
        struct sy_buf out = {0};
        sy_buf_puts(&out, "k: ");
        sy_yaml_put_scalar(&out, text);
        sy_buf_puts(&out, "\nl: [");
        sy_yaml_put_scalar(&out, text);
        sy_buf_puts(&out, "]\n");
        struct sy_yaml_node *root;
        EXPECT(sy_yaml_parse(arena, out.data, out.length, "t", &root, &sink.diag) == SY_OK);
        EXPECT(strcmp(sy_yaml_get(root, "k")->text, text) == 0);
        EXPECT(strcmp(sy_yaml_get(root, "l")->first->text, text) == 0);
        sy_buf_free(&out);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_a_status)
{
    static const char text[] = "a: 1\nb: [1, 2, {c: d}]\n";
    for (long left = 0; left < 20; left++) {
        struct failing state = {.left = left};
        struct sy_allocator hooks = {failing_alloc, failing_release, &state};
        struct sy_arena *small = sy_arena_create(&hooks, 0);
        struct sy_yaml_node *root;
        enum sy_status status = small ? sy_yaml_parse(small, text, strlen(text), "t", &root, NULL) : SY_NOMEM;
        ck_assert(status == SY_OK || status == SY_NOMEM);
        sy_arena_destroy(small);
        ck_assert_int_eq(state.live, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("yaml");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, keys_values_and_their_places_are_kept);
    tcase_add_test(tcase, a_byte_order_mark_does_not_shift_columns);
    tcase_add_test(tcase, what_is_outside_the_subset_is_refused_where_it_stands);
    tcase_add_test(tcase, every_refusal_of_one_file_is_reported);
    tcase_add_test(tcase, broken_syntax_names_the_line);
    tcase_add_test(tcase, other_encodings_and_bytes_are_refused_by_name);
    tcase_add_test(tcase, depth_values_and_keys_are_bounded);
    tcase_add_test(tcase, a_missing_file_and_a_folder_are_reported);
    tcase_add_test(tcase, any_scalar_written_is_read_back);
    tcase_add_test(tcase, running_out_of_memory_is_a_status);
    return run_case("arch/yaml", tcase);
}
