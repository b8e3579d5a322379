/* SPDX-License-Identifier: Apache-2.0 */
/* docs/formats-chip.md carries the references of the schema tables; they must be the ones the program has.
 * `test_arch_docs --print chip|energy` prints one for pasting. */
#include "arch/chip_schema.h"
#include "arch/energy.h"
#include "tests/unit/arch_support.h"

static char *page;

static void setup(void)
{
    char path[400];
    size_t length;
    snprintf(path, sizeof path, "%s/docs/formats-chip.md", data_dir());
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &page, &length, NULL), SY_OK);
}

static void teardown(void)
{
    free(page);
}

static void check_page(const struct sy_buf *reference)
{
    char line[1200];
    for (const char *at = reference->data; *at;) {
        size_t length = strcspn(at, "\n") + 1;
        ck_assert_uint_lt(length, sizeof line);
        memcpy(line, at, length);
        line[length] = '\0';
        ck_assert_msg(strstr(page, line) != NULL,
                      "docs/formats-chip.md lacks the line below; take it from test_arch_docs --print\n%s", line);
        at += length;
    }
    ck_assert_ptr_nonnull(strstr(page, reference->data)); /* nothing else in between */
}

START_TEST(the_documented_keys_are_those_of_the_tables)
{
    struct sy_buf chip = {0}, energy = {0};
    ck_assert_int_eq(sy_chip_reference(&chip), SY_OK);
    check_page(&chip);
    ck_assert_int_eq(sy_energy_reference(&energy), SY_OK);
    check_page(&energy);
    sy_buf_free(&chip);
    sy_buf_free(&energy);
}
END_TEST

/* Every row of a table is complete: a default and both limits that the row itself accepts, and a meaning. */
static uint32_t walk(struct sy_schema_context *context, const struct sy_schema *schema, int depth)
{
    uint32_t fields = 0;
    ck_assert_int_lt(depth, 8);
    schema = sy_schema_built(context, schema);
    for (const struct sy_field *field = schema->field; field->key; field++, fields++) {
        char reason[SY_REASON_MAX];
        uint64_t slot[2] = {0, 0};
        const char *given[] = {field->fallback, field->min, field->max};
        ck_assert_msg(field->doc && *field->doc, "%s", field->key);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(!given[i] || sy_field_parse(context, field, given[i], slot, reason), "%s: %s: %s", field->key,
                          given[i], reason);
        ck_assert_msg(field->offset + (sy_field_bytes(field) ? sy_field_bytes(field) : 1) <= schema->size, "%s",
                      field->key);
        if (field->only_key) {
            ck_assert_ptr_nonnull(sy_schema_field(schema, field->only_key));
            ck_assert(sy_schema_field(schema, field->only_key) < field);
        }
        for (const struct sy_field *other = schema->field; other < field; other++)
            ck_assert_str_ne(other->key, field->key);
        if (field->group)
            fields += walk(context, field->group, depth + 1);
    }
    return fields;
}

START_TEST(every_row_of_the_schema_tables_is_sound)
{
    struct sy_schema_context context = {.arena = sy_arena_create(NULL, 0)};
    ck_assert_uint_gt(walk(&context, &sy_chip_schema, 0), 100);
    ck_assert_uint_gt(walk(&context, &sy_energy_schema, 0), 10);
    sy_arena_destroy(context.arena);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        struct sy_buf out = {0};
        (void)(strcmp(argv[2], "chip") == 0 ? sy_chip_reference(&out) : sy_energy_reference(&out));
        fputs(out.data, stdout);
        sy_buf_free(&out);
        return 0;
    }
    TCase *tcase = tcase_create("docs");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_documented_keys_are_those_of_the_tables);
    tcase_add_test(tcase, every_row_of_the_schema_tables_is_sound);
    return run_case("arch/docs", tcase);
}
