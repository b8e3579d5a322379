/* SPDX-License-Identifier: Apache-2.0 */
/* The generated registries of output formats and suites, and the folders of data: what is there is documented, has a
 * name of its own, and can be run. Importers have test_importers.c, subcommands tests/cli/test_usage.sh. */
#include <unistd.h>

#include "arch/chip.h"
#include "arch/dram_device.h"
#include "arch/energy.h"
#include "arch/tree.h"
#include "sim/base/text.h"
#include "sim/report/report_format.h"
#include "sim/validate/suite.h"
#include "tests/unit/base_support.h"
#include "traces/export/request_format.h"

static const char *root(void)
{
    const char *given = getenv("SYSTOLE_DATA");
    return given != NULL ? given : ".";
}

/* Whether a page of docs/ has the words. */
static bool page_names(const char *page, const char *before, const char *word)
{
    char path[1024], wanted[128];
    char *text;
    size_t length;
    snprintf(path, sizeof path, "%s/docs/%s", root(), page);
    snprintf(wanted, sizeof wanted, "`%s%s", before, word);
    ck_assert_msg(sy_read_file(path, 1 << 24, &text, &length, NULL) == SY_OK, "%s", path);
    bool found = memmem(text, length, wanted, strlen(wanted)) != NULL;
    free(text);
    return found;
}

START_TEST(every_output_format_is_documented_and_unique)
{
    int count = 0;
    for (; sy_report_formats[count] != NULL; count++) {
        const struct sy_report_format *format = sy_report_formats[count];
        ck_assert_ptr_nonnull(format->doc);
        ck_assert_ptr_nonnull(format->write);
        ck_assert_int_eq(format->suffix[0], '.');
        ck_assert_ptr_eq(sy_report_format_find(format->name), format);
        ck_assert_msg(page_names("formats-result.md", "", format->name), "docs/formats-result.md: %s", format->name);
    }
    ck_assert_int_ge(count, 3);
}
END_TEST

/* A name of its own, on the page, and one line a request that says where it goes and what it is. */
START_TEST(every_request_format_is_documented_and_unique)
{
    int count = 0;
    for (; sy_request_formats[count] != NULL; count++) {
        const struct sy_request_format *format = sy_request_formats[count];
        const struct sy_request request[2] = {{.address = 0xabc0, .clock = 7},
                                              {.address = 0xabc0, .clock = 7, .is_write = true}};
        struct sy_buf text[2] = {{0}, {0}};
        ck_assert_ptr_nonnull(format->doc);
        for (int other = 0; other < count; other++)
            ck_assert_str_ne(sy_request_formats[other]->name, format->name);
        ck_assert_msg(page_names("formats.md", "", format->name), "docs/formats.md: %s", format->name);
        for (int i = 0; i < 2; i++) {
            format->put(&request[i], &text[i]);
            ck_assert_ptr_eq(strchr(text[i].data, '\n'), text[i].data + text[i].length - 1);
            ck_assert_ptr_nonnull(strstr(text[i].data, "abc0"));
        }
        ck_assert_str_ne(text[0].data, text[1].data);
        sy_buf_free(&text[0]);
        sy_buf_free(&text[1]);
    }
    ck_assert_int_ge(count, 2);
}
END_TEST

/* By the page that the suites write, and by a table of known figures that is there. */
START_TEST(every_suite_is_documented_unique_and_has_its_table)
{
    int count = 0;
    for (; sy_suites[count] != NULL; count++) {
        const struct sy_suite *suite = sy_suites[count];
        ck_assert_ptr_nonnull(suite->doc);
        ck_assert_ptr_nonnull(suite->figure);
        ck_assert_ptr_eq(sy_suite_find(suite->name), suite);
        ck_assert_msg(page_names("validation.md", "systole validate ", suite->name), "docs/validation.md: %s",
                      suite->name);
        int tables = 0;
        for (; suite->tables[tables] != NULL; tables++) {
            char path[1024];
            snprintf(path, sizeof path, "%s/tests/golden/%s", root(), suite->tables[tables]);
            ck_assert_msg(suite->optional_tables || access(path, R_OK) == 0, "%s", path);
        }
        ck_assert_int_ge(tables, 1);
    }
    ck_assert_int_ge(count, 5);
}
END_TEST

typedef enum sy_status (*load_fn)(const char *name, struct sy_arena *arena, struct sy_diag *diag);

static enum sy_status load_chip(const char *name, struct sy_arena *arena, struct sy_diag *diag)
{
    struct sy_chip_options options = {.data_dir = root()};
    struct sy_chip *chip;
    (void)arena;
    enum sy_status status = sy_chip_load(name, &options, &chip, diag);
    if (status == SY_OK) {
        ck_assert_str_eq(chip->name, name);
        sy_chip_destroy(chip);
    }
    return status;
}

static enum sy_status load_dram(const char *name, struct sy_arena *arena, struct sy_diag *diag)
{
    struct sy_dram_device *device;
    enum sy_status status = sy_dram_device_load(name, root(), arena, &device, diag);
    if (status == SY_OK)
        ck_assert_str_eq(device->name, name);
    return status;
}

static enum sy_status load_energy(const char *name, struct sy_arena *arena, struct sy_diag *diag)
{
    struct sy_energy_table *table;
    (void)arena;
    enum sy_status status = sy_energy_load(name, root(), &table, diag);
    if (status == SY_OK) {
        ck_assert_str_eq(table->name, name);
        sy_energy_destroy(table);
    }
    return status;
}

/* A file's name is the name it gives itself, and it loads without a message. */
START_TEST(every_data_file_loads_under_its_name)
{
    static const struct {
        const char *folder;
        load_fn load;
    } kinds[] = {{"arch/chips", load_chip}, {"arch/dram", load_dram}, {"arch/energy", load_energy}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct sy_arena *arena = sy_arena_create(NULL, 1 << 24);
        const char *const *names;
        uint32_t count;
        ck_assert_int_eq(sy_tree_list(arena, root(), kinds[k].folder, &names, &count), SY_OK);
        ck_assert_uint_ge(count, 1);
        for (uint32_t i = 0; i < count; i++) {
            struct memory_sink sink;
            enum sy_status status = kinds[k].load(names[i], arena, sink_start(&sink));
            ck_assert_msg(status == SY_OK, "%s/%s: %s", kinds[k].folder, names[i], sink.message);
        }
        sy_arena_destroy(arena);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("registries");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_output_format_is_documented_and_unique);
    tcase_add_test(tcase, every_request_format_is_documented_and_unique);
    tcase_add_test(tcase, every_suite_is_documented_unique_and_has_its_table);
    tcase_add_test(tcase, every_data_file_loads_under_its_name);
    return run_case("registries", tcase);
}
