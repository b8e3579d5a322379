/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of whole runs: the total is its parts, to the last digit also for somebody else who adds them up. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/include/systole.h"
#include "sim/stats/energy.h"
#include "sim/systole_internal.h"

static struct systole_context context;
static struct systole_workload *workload;
static char messages[4096];

static void note(void *unused, const struct systole_diagnostic *diagnostic)
{
    (void)unused;
    size_t used = strlen(messages);
    (void)snprintf(messages + used, sizeof messages - used, "%s (%s)\n", diagnostic->message,
                   diagnostic->hint ? diagnostic->hint : "");
}

static void setup(void)
{
    context =
        (struct systole_context){.struct_size = sizeof context, .data_dir = getenv("SYSTOLE_DATA"), .diagnose = note};
    messages[0] = '\0';
    ck_assert_int_eq(systole_workload_load(&context, "alexnet", NULL, &workload), SYSTOLE_OK);
}

static void teardown(void)
{
    systole_workload_free(workload);
}

static enum systole_status run(const char *name, const char *const *set, const struct systole_run_options *options,
                               struct systole_result **result)
{
    struct systole_chip *chip = NULL;
    struct systole_run_options heap = options ? *options : SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    heap.kernel = "heap";
    ck_assert_int_eq(systole_chip_load(&context, name, set, &chip), SYSTOLE_OK);
    enum systole_status status = systole_run(&context, chip, workload, &heap, result);
    systole_chip_free(chip);
    return status;
}

static struct systole_result *run_set(const char *name, const char *const *set, const char *const *set_energy)
{
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    struct systole_result *result = NULL;
    options.set_energy = set_energy;
    ck_assert_int_eq(run(name, set, &options, &result), SYSTOLE_OK);
    return result;
}

static const struct sy_energy_item *item_of(const struct systole_result *result, const char *component,
                                            const char *action)
{
    for (uint32_t i = 0; i < result->result->energies; i++) {
        const struct sy_energy_item *item = &result->result->energy[i];
        if (!strcmp(item->component, component) && !strcmp(item->action, action))
            return item;
    }
    return NULL;
}

START_TEST(the_total_is_exactly_the_sum_of_its_parts)
{
    static const char *const chips[] = {"tpu-v1", "gemmini", "tpu-v4i", "eyeriss"};
    for (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++) {
        struct systole_result *result = run_set(chips[c], NULL, NULL);
        sy_u128 sum = 0;
        double low = 0, high = 0;
        ck_assert_uint_gt(result->result->energies, 5);
        for (uint32_t i = 0; i < result->result->energies; i++) {
            const struct sy_energy_item *item = &result->result->energy[i];
            ck_assert(item->total_zj == (sy_u128)item->count * item->price_zj);
            ck_assert_double_le(item->low_pj, item->pj * (1 + 1e-6) + 1e-9);
            ck_assert_double_ge(item->high_pj, item->pj * (1 - 1e-6) - 1e-9);
            ck_assert(item->source && *item->source && item->confidence && *item->confidence && item->rule);
            sum += item->total_zj;
            low += item->low_j;
            high += item->high_j;
        }
        ck_assert(sum == result->result->energy_zj);
        ck_assert_double_eq_tol(result->result->energy_low_j / low, 1, 1e-12);
        ck_assert_double_eq_tol(result->result->energy_high_j / high, 1, 1e-12);
        systole_result_free(result);
    }
}
END_TEST

/* The layers' energies are the same joules, split. */
START_TEST(the_layers_energies_sum_to_the_total)
{
    struct systole_result *result = run_set("tpu-v1", NULL, NULL);
    double sum = 0;
    for (uint64_t i = 0; i < result->result->layers; i++)
        sum += result->result->layer[i].energy_j;
    ck_assert_double_eq_tol(sum / result->result->energy_j, 1, 1e-5);
    systole_result_free(result);
}
END_TEST

START_TEST(doubling_one_energy_moves_the_total_by_exactly_its_share)
{
    struct systole_result *before = run_set("tpu-v1", NULL, NULL);
    for (uint32_t i = 0; i < before->result->energies; i++) {
        const struct sy_energy_item *item = &before->result->energy[i];
        char set[128];
        uint64_t twice = 2 * item->price_zj;
        (void)snprintf(set, sizeof set, "%s.%s=%llu.%09llu", item->component, item->action,
                       (unsigned long long)(twice / 1000000000), (unsigned long long)(twice % 1000000000));
        const char *const sets[] = {set, NULL};
        struct systole_result *after = run_set("tpu-v1", NULL, sets);
        ck_assert(after->result->energy_zj == before->result->energy_zj + item->total_zj);
        ck_assert_str_eq(item_of(after, item->component, item->action)->source, "--set-energy");
        systole_result_free(after);
    }
    systole_result_free(before);
}
END_TEST

/* ---- Accelergy ---- */

static char *export_of(const struct systole_result *result)
{
    struct systole_text text;
    ck_assert_int_eq(systole_result_format(&context, result, "accelergy", 1, &text), SYSTOLE_OK);
    return text.data;
}

/* Sum counts x energy of the exported text in whole zeptojoules, by a reader that knows nothing of the writer. */
static sy_u128 add_up(const char *yaml)
{
    struct {
        char component[64], action[64];
        uint64_t zj;
    } price[128];
    size_t prices = 0;
    sy_u128 sum = 0;
    char component[64] = "";
    char *copy = strdup(yaml), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char action[64];
        unsigned long long whole, part, counts;
        if (sscanf(line, " - name: %63s", component) == 1)
            continue;
        if (sscanf(line, " - {name: %63[^,], arguments: {}, energy: %llu.%9llu}", action, &whole, &part) == 3) {
            ck_assert_uint_lt(prices, 128);
            (void)strcpy(price[prices].component, component);
            (void)strcpy(price[prices].action, action);
            price[prices++].zj = whole * 1000000000ull + part;
        }
        if (sscanf(line, " - {name: %63[^,], arguments: {}, counts: %llu}", action, &counts) == 2) {
            size_t i = 0;
            while (i < prices && (strcmp(price[i].component, component) != 0 || strcmp(price[i].action, action) != 0))
                i++;
            ck_assert_uint_lt(i, prices);
            sum += (sy_u128)counts * price[i].zj;
        }
    }
    free(copy);
    return sum;
}

START_TEST(somebody_else_adds_the_export_up_to_the_same_last_digit)
{
    static const char *const chips[] = {"tpu-v1", "gemmini", "tpu-v6e"};
    for (size_t c = 0; c < 3; c++) {
        struct systole_result *result = run_set(chips[c], NULL, NULL);
        char *yaml = export_of(result);
        ck_assert(add_up(yaml) == result->result->energy_zj);
        ck_assert_ptr_nonnull(strstr(yaml, "\nART:"));
        free(yaml);
        systole_result_free(result);
    }
}
END_TEST

static void write_file(char *path, const char *text)
{
    FILE *file = fdopen(mkstemp(path), "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static enum systole_status run_ert(const char *ert, struct systole_result **result)
{
    char path[] = "energy-ert-XXXXXX";
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    write_file(path, ert);
    options.ert = path;
    enum systole_status status = run("tpu-v1", NULL, &options, result);
    (void)remove(path);
    return status;
}

START_TEST(an_export_reads_back_to_the_same_total)
{
    struct systole_result *first = run_set("tpu-v1", NULL, NULL), *second = NULL;
    char *yaml = export_of(first);
    ck_assert_int_eq(run_ert(yaml, &second), SYSTOLE_OK);
    ck_assert(first->result->energy_zj == second->result->energy_zj);
    free(yaml);
    systole_result_free(first);
    systole_result_free(second);
}
END_TEST

START_TEST(an_energy_of_an_ert_takes_effect_and_unknown_names_are_errors)
{
    struct systole_result *before = run_set("tpu-v1", NULL, NULL), *after = NULL;
    const struct sy_energy_item *mac = item_of(before, "mac", "int8");
    ck_assert_int_eq(run_ert("ERT:\n  version: 0.4\n  tables:\n  - name: a.chip.mac[0..65535]\n    actions:\n"
                             "    - {name: int8, arguments: {}, energy: 1.5}\n",
                             &after),
                     SYSTOLE_OK);
    ck_assert(after->result->energy_zj ==
              before->result->energy_zj - mac->total_zj + (sy_u128)mac->count * 1500000000u);
    systole_result_free(before);
    systole_result_free(after);
    after = NULL;
    ck_assert_int_eq(run_ert("ERT:\n  tables:\n  - name: chip.mack\n    actions: [{name: int8, energy: 1}]\n"
                             "  - name: chip.mac\n    actions: [{name: int7, energy: 1}, {name: int8, energy: x},\n"
                             "      {name: int8, arguments: {address_delta: 1}, energy: 2}]\n",
                             &after),
                     SYSTOLE_INPUT);
    ck_assert_ptr_nonnull(strstr(messages, "no component 'mack'"));
    ck_assert_ptr_nonnull(strstr(messages, "no action 'int7'"));
    ck_assert_ptr_nonnull(strstr(messages, "must be a number"));
    ck_assert_ptr_nonnull(strstr(messages, "depends on arguments"));
    ck_assert_int_eq(run_ert("ART: {tables: []}\n", &after), SYSTOLE_INPUT);
}
END_TEST

/* ---- nodes ---- */

START_TEST(srams_come_from_cacti_where_it_covers_the_node_and_from_published_rows_below)
{
    static const char *const nodes[] = {"technology.node=45 nm", "technology.node=22 nm", "technology.node=16 nm",
                                        "technology.node=7 nm"};
    for (int i = 0; i < 4; i++) {
        const char *const set[] = {nodes[i], NULL};
        struct systole_result *result = run_set("tpu-v1", set, NULL);
        bool cacti = strstr(item_of(result, "unified-buffer", "read_byte")->source, "CACTI 7.0") != NULL;
        ck_assert_int_eq(cacti, i < 2);
        systole_result_free(result);
    }
}
END_TEST

START_TEST(energies_fall_from_28_to_7_nm_or_say_that_their_source_does_not)
{
    static const char *const nodes[] = {"technology.node=28 nm", "technology.node=22 nm", "technology.node=16 nm",
                                        "technology.node=14 nm", "technology.node=10 nm", "technology.node=7 nm"};
    static const char *const no_power[] = {NULL, "power.idle=0 W", "power.busy=0 W", NULL};
    struct systole_result *larger = NULL;
    uint32_t flagged = 0, compared = 0;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        const char *set[4];
        memcpy(set, no_power, sizeof set);
        set[0] = nodes[i];
        struct systole_result *smaller = run_set("tpu-v1", set, NULL);
        for (uint32_t k = 0; larger && k < smaller->result->energies; k++) {
            const struct sy_energy_item *item = &smaller->result->energy[k];
            const struct sy_energy_item *other = item_of(larger, item->component, item->action);
            bool says_so = strstr(item->rule, "not monotonic") != NULL;
            ck_assert_ptr_nonnull(other);
            ck_assert_msg(item->pj <= other->pj * (1 + 1e-9) || says_so, "%s %s at %s: %g after %g (%s)",
                          item->component, item->action, nodes[i], item->pj, other->pj, item->rule);
            flagged += says_so;
            compared++;
        }
        systole_result_free(larger);
        larger = smaller;
    }
    systole_result_free(larger);
    ck_assert_uint_gt(flagged, 0); /* the published figures at 7 nm are above CACTI's at 22 nm */
    ck_assert_uint_lt(flagged, compared / 2);
}
END_TEST

/* ---- power without work ---- */

START_TEST(the_idle_power_of_tpu_v1_comes_out_of_its_busy_power)
{
    const char *const set[] = {"power.idle=0 W", NULL};
    struct systole_result *published = run_set("tpu-v1", NULL, NULL), *derived = run_set("tpu-v1", set, NULL);
    double idle_w;
    ck_assert_int_eq(systole_result_figure(published, "idle_w", &idle_w), SYSTOLE_OK);
    ck_assert_double_eq_tol(idle_w, 28, 1e-9);
    ck_assert_int_eq(systole_result_figure(derived, "idle_w", &idle_w), SYSTOLE_OK);
    ck_assert_double_eq_tol(idle_w, 28, 1e-9); /* 0.7 x 40 W */
    ck_assert_double_gt(published->result->power_w, 28);
    systole_result_free(published);
    systole_result_free(derived);
}
END_TEST

START_TEST(macros_replace_the_sram_model_and_a_missing_one_is_an_error)
{
    char path[] = "energy-macros-XXXXXX";
    struct systole_run_options options = SYSTOLE_OPTIONS_INIT(struct systole_run_options);
    struct systole_result *result = NULL;
    write_file(path, "tech_nm,cell,capacity_bytes,width_bits,rw_ports,banks,access_ns,read_nJ,write_nJ,leak_mW_total,"
                     "area_mm2\n28,itrs-lstp,32768,64,2,1,0.6,0.008,0.016,0.1,0.05\n");
    options.sram_macros = path;
    ck_assert_int_eq(run("tpu-v1", NULL, &options, &result), SYSTOLE_OK);
    ck_assert_double_eq_tol(item_of(result, "unified-buffer", "read_byte")->pj, 1, 1e-5);
    ck_assert_double_eq_tol(item_of(result, "accumulators", "write_byte")->pj, 2, 1e-5);
    systole_result_free(result);
    const char *const set[] = {"technology.node=7 nm", NULL};
    ck_assert_int_eq(run("tpu-v1", set, &options, &result), SYSTOLE_INPUT);
    (void)remove(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("energy");
    TCase *tests = tcase_create("energy");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_total_is_exactly_the_sum_of_its_parts);
    tcase_add_test(tests, the_layers_energies_sum_to_the_total);
    tcase_add_test(tests, doubling_one_energy_moves_the_total_by_exactly_its_share);
    tcase_add_test(tests, somebody_else_adds_the_export_up_to_the_same_last_digit);
    tcase_add_test(tests, an_export_reads_back_to_the_same_total);
    tcase_add_test(tests, an_energy_of_an_ert_takes_effect_and_unknown_names_are_errors);
    tcase_add_test(tests, srams_come_from_cacti_where_it_covers_the_node_and_from_published_rows_below);
    tcase_add_test(tests, energies_fall_from_28_to_7_nm_or_say_that_their_source_does_not);
    tcase_add_test(tests, the_idle_power_of_tpu_v1_comes_out_of_its_busy_power);
    tcase_add_test(tests, macros_replace_the_sram_model_and_a_missing_one_is_an_error);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
