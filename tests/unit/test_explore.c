/* SPDX-License-Identifier: Apache-2.0 */
/* Exploring: spaces enumerate in order, workers change nothing, a crash costs one item, checks see what moved. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/explore/executor.h"
#include "sim/explore/space.h"
#include "sim/include/systole.h"
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

/* ---- spaces ---- */

static enum sy_status load(const char *text, struct sy_space *space)
{
    struct scratch scratch;
    scratch_start(&scratch);
    enum sy_status status =
        sy_space_load(arena, scratch_file(&scratch, "space.yaml", text), NULL, NULL, NULL, space, &sink.diag);
    scratch_end(&scratch);
    return status;
}

static const char *values(const struct sy_space *space, uint64_t index)
{
    struct sy_buf out = {0};
    struct sy_place place = sy_space_place(space, index);
    sy_buf_printf(&out, "%s %s", space->workload[place.workload], space->chip[place.chip]);
    for (uint32_t c = 0; c < sy_space_columns(space); c++)
        sy_buf_printf(&out, " %s", sy_space_value(space, &place, c));
    const char *copy = sy_arena_strdup(arena, out.data);
    sy_buf_free(&out);
    return copy;
}

START_TEST(candidates_come_in_the_stated_order)
{
    struct sy_space space;
    ck_assert_int_eq(load("chips: [c1, c2]\nworkloads: [w1, w2]\nvary:\n  a: [1, 2]\n  b, c: [[3, 4], 5]\n", &space),
                     SY_OK);
    ck_assert_uint_eq(space.total, 16);
    ck_assert_str_eq(values(&space, 0), "w1 c1 1 3 4");
    ck_assert_str_eq(values(&space, 1), "w1 c1 1 5 5");
    ck_assert_str_eq(values(&space, 2), "w1 c1 2 3 4");
    ck_assert_str_eq(values(&space, 4), "w1 c2 1 3 4");
    ck_assert_str_eq(values(&space, 8), "w2 c1 1 3 4");
    ck_assert_str_eq(values(&space, 15), "w2 c2 2 5 5");
    struct sy_job job;
    ck_assert_int_eq(sy_space_job(&space, 2, arena, &job), SY_OK);
    ck_assert_str_eq(job.set[0], "a=2");
    ck_assert_str_eq(job.set[1], "b=3");
    ck_assert_str_eq(job.set[2], "c=4");
    ck_assert_ptr_null(job.set[3]);
}
END_TEST

START_TEST(ranges_include_their_end_and_keep_their_unit)
{
    static const struct {
        const char *range, *all;
    } cases[] = {{"{from: 8, to: 64, factor: 2}", "8 16 32 64"},
                 {"{from: 0.1, to: 0.5, step: 0.1}", "0.1 0.2 0.3 0.4 0.5"},
                 {"{from: 10 GB/s, to: 35 GB/s, step: 10 GB/s}", "10 GB/s 20 GB/s 30 GB/s"},
                 {"{from: 1, to: 1, step: 5}", "1"},
                 {"{from: -2, to: 2, step: 2}", "-2 0 2"},
                 {"{from: 1e3, to: 1e4, factor: 10}", "1000 10000"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_space space;
        struct sy_buf text = {0}, all = {0};
        sy_buf_printf(&text, "chip: c\nworkload: w\nvary: {k: %s}\n", cases[i].range);
        ck_assert_int_eq(load(text.data, &space), SY_OK);
        for (uint64_t n = 0; n < space.total; n++) {
            struct sy_place place = sy_space_place(&space, n);
            sy_buf_printf(&all, "%s%s", n ? " " : "", sy_space_value(&space, &place, 0));
        }
        ck_assert_str_eq(all.data, cases[i].all);
        sy_buf_free(&text);
        sy_buf_free(&all);
    }
}
END_TEST

START_TEST(wrong_spaces_are_refused_with_their_line)
{
    static const struct {
        const char *text, *message;
        uint32_t line;
    } cases[] = {
        {"chips: [a]\nworkload: w\nvray: {k: [1]}\n", "unknown key 'vray'", 3},
        {"chips: []\nworkload: w\n", "expected 1 to", 1},
        {"chip: c\nvary: {k: [1]}\n", "names no workload", 1},
        {"workload: w\n", "names no chip", 1},
        {"chip: c\nworkload: w\nvary:\n  k: 7\n", "a list of", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 1, to: 2}\n", "either step or factor", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 1, to: 2, step: 1, factor: 2}\n", "either step or factor", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 4, to: 2, step: 1}\n", "goes up", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 1, to: 2, step: 0}\n", "goes up", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 1, to: 2, factor: 1}\n", "goes up", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 1 GB/s, to: 2 MB/s, step: 1 GB/s}\n", "differs", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: 0, to: 1000000, step: 1}\n", "more than 4096", 4},
        {"chip: c\nworkload: w\nvary:\n  k: {from: x, to: 2, step: 1}\n", "does not begin with a number", 4},
        {"chip: c\nworkload: w\nvary:\n  a: [1]\n  b, a: [2]\n", "varies twice", 4},
        {"chip: c\nworkload: w\nvary:\n  a, b: [[1, 2, 3]]\n", "3 values for 2 keys", 4},
        {"chip: c\nworkload: w\nvary:\n  \"a,,b\": [1]\n", "chip keys", 4},
        {"chip: c\nworkload: w\nrun: {memry: ideal}\n", "unknown key 'memry'", 3},
        {"chip: c\nworkload: w\nimport: {batch: many}\n", "not a whole number", 3},
        {"chip: c\nworkload: w\nset: [1]\n", "expected chip keys", 3},
        {"chip: c\nworkload: w\nvary:\n  a: {from: 1, to: 4000, step: 1}\n  b: {from: 1, to: 4000, step: 1}\n",
         "candidates", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_space space;
        log_end(&sink);
        log_start(&sink);
        ck_assert_int_eq(load(cases[i].text, &space), SY_INPUT);
        char place[32];
        snprintf(place, sizeof place, "space.yaml:%u:", cases[i].line);
        ck_assert_msg(strstr(log_text(&sink), cases[i].message) && strstr(log_text(&sink), place), "%s: %s",
                      cases[i].text, log_text(&sink));
    }
}
END_TEST

/* ---- the executor ---- */

struct collected {
    uint64_t sum, items, lost;
    uint8_t seen[1000];
    volatile int cancel;
    uint64_t cancel_after;
};

static void square(void *context, uint64_t item, struct sy_buf *reply)
{
    (void)context;
    uint64_t value = item * item;
    sy_buf_append(reply, (const char *)&value, sizeof value);
    /* replies of many sizes, beyond what a socket holds at once */
    static const char piece[4000];
    for (uint64_t i = 0; i < (item % 7) * 10; i++)
        sy_buf_append(reply, piece, sizeof piece);
}

static void square_or_die(void *context, uint64_t item, struct sy_buf *reply)
{
    if (item % 10 == 3)
        (void)raise(SIGKILL);
    if (item % 10 == 7)
        _exit(9);
    square(context, item, reply);
}

static enum sy_status collect(void *context, uint64_t item, const char *reply, size_t length, const char *why)
{
    struct collected *own = context;
    uint64_t value;
    EXPECT(item < sizeof own->seen && !own->seen[item]);
    own->seen[item] = 1;
    own->items++;
    if (own->cancel_after && own->items == own->cancel_after)
        own->cancel = 1;
    if (!reply) {
        EXPECT(why != NULL && strstr(why, "the worker") == why);
        own->lost++;
        return SY_OK;
    }
    EXPECT(length == sizeof value + (item % 7) * 40000);
    memcpy(&value, reply, sizeof value);
    own->sum += value;
    return SY_OK;
}

START_TEST(every_item_is_collected_once_for_any_number_of_workers)
{
    static const uint32_t workers[] = {0, 1, 2, 3, 300};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
        struct collected own = {0};
        struct sy_executor_work work = {
            .count = 40, .workers = workers[i], .work = square, .collect = collect, .context = &own};
        ck_assert_int_eq(sy_executor_run(&work, NULL), SY_OK);
        ck_assert_uint_eq(own.items, 40);
        ck_assert_uint_eq(own.lost, 0);
        ck_assert_uint_eq(own.sum, 20540);
    }
}
END_TEST

START_TEST(a_dying_worker_costs_its_item_only)
{
    struct collected own = {0};
    struct sy_executor_work work = {
        .count = 60, .workers = 2, .work = square_or_die, .collect = collect, .context = &own};
    ck_assert_int_eq(sy_executor_run(&work, NULL), SY_OK);
    ck_assert_uint_eq(own.items, 60);
    ck_assert_uint_eq(own.lost, 12);
}
END_TEST

START_TEST(a_cancel_ends_the_work_and_no_process_is_left)
{
    static const uint32_t workers[] = {0, 3};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
        struct collected own = {.cancel_after = 5};
        struct sy_executor_work work = {.count = 900,
                                        .workers = workers[i],
                                        .work = square,
                                        .collect = collect,
                                        .context = &own,
                                        .cancel = &own.cancel};
        ck_assert_int_eq(sy_executor_run(&work, NULL), SY_INTERRUPTED);
        ck_assert_uint_lt(own.items, 100);
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* ---- comparing ---- */

static void energies(const struct systole_context *context, const char *name, double joules[3])
{
    static const char *const figures[] = {"energy_low_j", "energy_j", "energy_high_j"};
    struct systole_chip *chip = NULL;
    struct systole_workload *workload = NULL;
    struct systole_result *result = NULL;
    ck_assert_int_eq(systole_workload_load(context, "alexnet", NULL, &workload), SYSTOLE_OK);
    ck_assert_int_eq(systole_chip_load(context, name, NULL, &chip), SYSTOLE_OK);
    ck_assert_int_eq(systole_run(context, chip, workload, NULL, &result), SYSTOLE_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(systole_result_figure(result, figures[i], &joules[i]), SYSTOLE_OK);
    systole_result_free(result);
    systole_chip_free(chip);
    systole_workload_free(workload);
}

START_TEST(a_comparison_says_when_the_sources_ranges_turn_its_order)
{
    static const char *const pairs[][3] = {{"tpu-v4i", "gemmini", NULL},
                                           {"tpu-v1", "tpu-v1", NULL},
                                           {"eyeriss", "tpu-v4i", NULL},
                                           {"tpu-v1", "tpu-v4i", NULL}};
    static const char *const workloads[] = {"alexnet", NULL};
    struct systole_context context = {.struct_size = sizeof context, .data_dir = data_dir()};
    uint32_t said = 0, unsaid = 0;
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        struct systole_text text;
        double a[3], b[3];
        ck_assert_int_eq(systole_compare(&context, pairs[p], workloads, NULL, &text), SYSTOLE_OK);
        energies(&context, pairs[p][0], a);
        energies(&context, pairs[p][1], b);
        bool same = a[1] == b[1], first = a[1] < b[1];
        const double *better = first ? a : b, *worse = first ? b : a;
        bool doubtful = !same && better[2] > worse[0];
        bool flips = !same && (better[0] > worse[0] || better[2] > worse[2]);
        const char *line = strstr(text.data, "energy_j: ");
        ck_assert_int_eq(line != NULL, doubtful);
        ck_assert_int_eq(line && strncmp(strstr(line, "certain: "), "certain: the order flips", 24) == 0, flips);
        said += doubtful;
        unsaid += !doubtful;
        systole_text_free(&text);
    }
    ck_assert_uint_gt(said, 0);
    ck_assert_uint_gt(unsaid, 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("explore");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, candidates_come_in_the_stated_order);
    tcase_add_test(tcase, ranges_include_their_end_and_keep_their_unit);
    tcase_add_test(tcase, wrong_spaces_are_refused_with_their_line);
    tcase_add_test(tcase, every_item_is_collected_once_for_any_number_of_workers);
    tcase_add_test(tcase, a_dying_worker_costs_its_item_only);
    tcase_add_test(tcase, a_cancel_ends_the_work_and_no_process_is_left);
    tcase_add_test(tcase, a_comparison_says_when_the_sources_ranges_turn_its_order);
    return run_case("explore", tcase);
}
