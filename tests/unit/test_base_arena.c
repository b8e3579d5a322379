/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "tests/unit/base_support.h"

static int all_equal(const unsigned char *bytes, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value) {
            return 0;
        }
    }
    return 1;
}

START_TEST(memory_is_zeroed_aligned_and_disjoint)
{
    enum { COUNT = 4000 };
    static unsigned char *block[COUNT];
    static size_t size[COUNT];
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    uint64_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        size[i] = next_random(&seed) % (i % 100 == 0 ? 40000 : 300);
        block[i] = sy_arena_alloc(arena, size[i]);
        ck_assert_ptr_nonnull(block[i]);
        ck_assert_uint_eq((uintptr_t)block[i] % alignof(max_align_t), 0);
        ck_assert(all_equal(block[i], size[i], 0));
        memset(block[i], (int)(i & 0xff), size[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert(all_equal(block[i], size[i], (unsigned char)(i & 0xff)));
    }
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(limit_is_never_exceeded)
{
    struct sy_arena *arena = sy_arena_create(NULL, 1000);
    ck_assert_ptr_null(sy_arena_alloc(arena, 1001));
    ck_assert_ptr_null(sy_arena_alloc(arena, SIZE_MAX));
    ck_assert_ptr_null(sy_arena_alloc(arena, SIZE_MAX - 8));
    ck_assert_ptr_null(sy_arena_array(arena, SIZE_MAX / 4, 8));
    ck_assert_ptr_null(sy_arena_strndup(arena, "", SIZE_MAX));
    int granted = 0;
    while (sy_arena_alloc(arena, 10) != NULL) {
        granted++;
        ck_assert_uint_le(sy_arena_used(arena), 1000);
    }
    ck_assert_int_ge(granted, 1000 / (10 + (int)alignof(max_align_t)));
    ck_assert_int_le(granted, 100);
    sy_arena_destroy(arena);
}
END_TEST

START_TEST(every_allocation_failure_is_returned_and_nothing_leaks)
{
    for (long left = 0; left < 12; left++) {
        struct failing state = {.left = left};
        struct sy_allocator hooks = {.alloc = failing_alloc, .release = failing_release, .ctx = &state};
        struct sy_arena *arena = sy_arena_create(&hooks, 0);
        if (left == 0) {
            ck_assert_ptr_null(arena);
            continue;
        }
        long chunks = 0;
        while (sy_arena_alloc(arena, 100000) != NULL) {
            chunks++;
        }
        ck_assert_int_eq(chunks, left - 1); /* one went to the arena itself, each large block takes one */
        ck_assert_int_eq(state.live, left);
        sy_arena_destroy(arena);
        ck_assert_int_eq(state.live, 0);
    }
    sy_arena_destroy(NULL);
}
END_TEST

START_TEST(strings_are_copied_whole)
{
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    char source[] = "weights";
    char *whole = sy_arena_strdup(arena, source);
    char *part = sy_arena_strndup(arena, source, 3);
    char *made = sy_arena_printf(arena, "%s-%d", source, 42);
    memset(source, 'x', sizeof source - 1);
    ck_assert_str_eq(whole, "weights");
    ck_assert_str_eq(part, "wei");
    ck_assert_str_eq(made, "weights-42");
    char *longer = sy_arena_printf(arena, "%*d", 9000, 7);
    ck_assert_uint_eq(strlen(longer), 9000);
    sy_arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("arena");
    tcase_add_test(tcase, memory_is_zeroed_aligned_and_disjoint);
    tcase_add_test(tcase, limit_is_never_exceeded);
    tcase_add_test(tcase, every_allocation_failure_is_returned_and_nothing_leaks);
    tcase_add_test(tcase, strings_are_copied_whole);
    return run_case("base/arena", tcase);
}
