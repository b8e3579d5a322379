/* SPDX-License-Identifier: Apache-2.0 */
/* Going back and forth: repeat blocks unrolled through marks, records found through the index. */
#include <fcntl.h>

#include "tests/unit/trace_support.h"

static struct scratch scratch;
static struct memory_sink sink;

static void setup(void)
{
    scratch_open(&scratch);
    sink_start(&sink);
}

static void teardown(void)
{
    scratch_close(&scratch);
}

/* ---- a trace as a tree, its text and its unrolled layer numbers ---- */

struct tree {
    struct sy_buf text;
    uint32_t layers; /* numbered in file order */
    uint64_t records;
    uint32_t padding; /* bytes of comment behind each record */
};

static void pad(struct tree *tree)
{
    sy_buf_puts(&tree->text, " #");
    for (uint32_t i = 0; i < tree->padding; i++) {
        sy_buf_append(&tree->text, &"abcdefghijklmnopqrstuvwxyz"[(i * 7 + tree->layers) % 26], 1);
    }
    sy_buf_puts(&tree->text, "\n");
}

/* Random nested blocks; expected gets the numbers of the layers in the order they run. */
static void grow(struct tree *tree, uint64_t *seed, uint32_t depth, uint32_t *expected, size_t *count, size_t limit)
{
    uint64_t items = 1 + below(seed, 4);
    for (uint64_t i = 0; i < items; i++) {
        if (depth < 4 && below(seed, 3) == 0) {
            uint64_t times = 1 + below(seed, 4);
            sy_buf_printf(&tree->text, "repeat %d {", (int)times);
            pad(tree);
            size_t start = *count;
            grow(tree, seed, depth + 1, expected, count, limit);
            size_t length = *count - start;
            EXPECT(start + times * length < limit);
            for (uint64_t t = 1; t < times; t++) {
                memcpy(expected + *count, expected + start, length * sizeof *expected);
                *count += length;
            }
            sy_buf_puts(&tree->text, "}\n");
            tree->records += 2;
        } else {
            sy_buf_printf(&tree->text, "gemm g m=1 k=1 n=%u", ++tree->layers);
            pad(tree);
            expected[(*count)++] = tree->layers;
            tree->records++;
        }
        EXPECT(*count < limit);
    }
}

/* Replay as the engine does: a mark at each block, a seek at each `}`. */
static void expect_unrolled(struct sy_trace_reader *reader, const uint32_t *expected, size_t count)
{
    struct {
        struct sy_trace_mark mark;
        uint64_t left;
    } open[16];
    uint32_t depth = 0;
    size_t at = 0;
    struct sy_trace_record record;
    for (;;) {
        if (sy_trace_next(reader, &record) != SY_OK) {
            ck_abort_msg("%s", sink.message);
        }
        if (record.kind == SY_TRACE_END) {
            break;
        }
        if (record.kind == SY_TRACE_LAYER) {
            EXPECT(at < count && record.layer.dim.gemm.n == expected[at]);
            at++;
        } else if (record.kind == SY_TRACE_REPEAT) {
            open[depth].left = record.repeat;
            EXPECT(sy_trace_tell(reader, &open[depth++].mark) == SY_OK);
        } else if (--open[depth - 1].left > 0) {
            EXPECT(sy_trace_seek(reader, &open[depth - 1].mark) == SY_OK);
        } else {
            depth--;
        }
    }
    EXPECT(at == count && depth == 0);
}

static void expect_unrolled_file(const char *path, const void *data, size_t length, const uint32_t *expected,
                                 size_t count, const char *digest)
{
    struct sy_trace_reader *reader;
    char got[65];
    if (sy_trace_open(path, data, length, &reader, &sink.diag) != SY_OK) {
        ck_abort_msg("%s", sink.message);
    }
    expect_unrolled(reader, expected, count);
    sy_trace_digest(reader, got); /* every byte once, though some were read often */
    EXPECT(strcmp(got, digest) == 0);
    sy_trace_close(reader);
}

static void check_tree(uint64_t seed, uint32_t padding)
{
    enum { LIMIT = 100000 };
    static uint32_t expected[LIMIT];
    struct tree tree = {.padding = padding};
    size_t count = 0;
    char digest[65];
    sy_buf_puts(&tree.text, "systole-trace 1\n");
    grow(&tree, &seed, 0, expected, &count, LIMIT);
    sy_buf_printf(&tree.text, "end %d\n", (int)tree.records);
    sy_sha256_hex(tree.text.data, tree.text.length, digest);
    const char *plain = scratch_path(&scratch, "t.slt"), *packed = scratch_path(&scratch, "t.slt.gz");
    write_file(plain, tree.text.data, tree.text.length);
    expect_unrolled_file("memory", tree.text.data, tree.text.length, expected, count, digest);
    expect_unrolled_file(plain, NULL, 0, expected, count, digest);
    struct sy_trace_writer_options small = {.block_bytes = 100}, usual = {0};
    EXPECT(sy_trace_pack(plain, packed, &small, &sink.diag) == SY_OK);
    expect_unrolled_file(packed, NULL, 0, expected, count, digest);
    EXPECT(sy_trace_pack(plain, packed, &usual, &sink.diag) == SY_OK);
    expect_unrolled_file(packed, NULL, 0, expected, count, digest);
    gzip_text(packed, tree.text.data, tree.text.length, tree.text.length); /* one member */
    expect_unrolled_file(packed, NULL, 0, expected, count, digest);
    gzip_text(packed, tree.text.data, tree.text.length, 1000); /* members that end inside lines */
    expect_unrolled_file(packed, NULL, 0, expected, count, digest);
    sy_buf_free(&tree.text);
}

START_TEST(unrolling_through_marks_gives_the_unrolled_trace)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        check_tree(seed, 20);
    }
}
END_TEST

START_TEST(blocks_longer_than_every_buffer_are_unrolled_too)
{
    check_tree(11, 60000); /* a text of some MB: seeks leave the buffer and use members or saved inflate states */
    check_tree(23, 100000);
}
END_TEST

START_TEST(many_marks_in_one_large_gzip_member_stay_right)
{
    /* More marks than inflate states can be kept, visited at random. */
    enum { LAYERS = 300, VISITS = 400 };
    struct tree tree = {.padding = 60000};
    sy_buf_puts(&tree.text, "systole-trace 1\n");
    for (uint32_t i = 0; i < LAYERS; i++) {
        sy_buf_printf(&tree.text, "gemm g m=1 k=1 n=%u", ++tree.layers);
        pad(&tree);
    }
    sy_buf_printf(&tree.text, "end %d\n", LAYERS);
    const char *path = scratch_path(&scratch, "big.slt.gz");
    gzFile gz = gzopen(path, "wb1");
    ck_assert(gz != NULL && gzwrite(gz, tree.text.data, (unsigned)tree.text.length) == (int)tree.text.length);
    ck_assert_int_eq(gzclose(gz), Z_OK);
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    static struct sy_trace_mark marks[LAYERS];
    ck_assert_int_eq(sy_trace_open(path, NULL, 0, &reader, &sink.diag), SY_OK);
    for (uint32_t i = 0; i < LAYERS; i++) {
        EXPECT(sy_trace_tell(reader, &marks[i]) == SY_OK && marks[i].record == i);
        EXPECT(sy_trace_next(reader, &record) == SY_OK && record.layer.dim.gemm.n == i + 1);
    }
    uint64_t seed = 3;
    for (uint32_t i = 0; i < VISITS; i++) {
        uint64_t at = i < 40 ? LAYERS - 1 - i : below(&seed, LAYERS); /* near places first, then anywhere */
        if (i >= 40 && i % 8 != 0) {
            continue; /* far places are slow: a few are enough */
        }
        EXPECT(sy_trace_seek(reader, &marks[at]) == SY_OK);
        EXPECT(sy_trace_next(reader, &record) == SY_OK && record.layer.dim.gemm.n == at + 1);
        EXPECT(record.line == at + 2 && record.byte_offset == marks[at].byte_offset);
    }
    sy_trace_close(reader);
    sy_buf_free(&tree.text);
}
END_TEST

START_TEST(command_ids_run_on_through_the_rounds_of_a_block)
{
    static const char text[] = "systole-trace 1\ngemm g m=1 k=1 n=1\nload A bytes=1\nload B bytes=1\nrepeat 3 {\n"
                               "matmul m=1 k=1 n=1 <1 <2\nrepeat 2 {\nwait <1\n}\n}\nwait <1\ngemm h m=1 k=1 n=1\n"
                               "wait\nend 12\n";
    static const uint64_t ids[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; /* unrolled, over all layers */
    const char *plain = scratch_path(&scratch, "c.slt"), *packed = scratch_path(&scratch, "c.slt.gz");
    struct sy_trace_writer_options small = {.block_bytes = 30};
    write_file(plain, text, sizeof text - 1);
    ck_assert_int_eq(sy_trace_pack(plain, packed, &small, &sink.diag), SY_OK);
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    struct sy_trace_mark marks[2];
    uint64_t left[2];
    uint32_t depth = 0;
    size_t at = 0;
    ck_assert_int_eq(sy_trace_open(packed, NULL, 0, &reader, &sink.diag), SY_OK);
    for (;;) {
        if (sy_trace_next(reader, &record) != SY_OK) {
            ck_abort_msg("%s", sink.message);
        }
        if (record.kind == SY_TRACE_END) {
            break;
        }
        if (record.kind == SY_TRACE_REPEAT) {
            left[depth] = record.repeat;
            ck_assert_int_eq(sy_trace_tell(reader, &marks[depth++]), SY_OK);
        } else if (record.kind == SY_TRACE_END_REPEAT) {
            if (--left[depth - 1] > 0) {
                ck_assert_int_eq(sy_trace_seek(reader, &marks[depth - 1]), SY_OK);
            } else {
                depth--;
            }
        } else if (record.kind == SY_TRACE_COMMAND) {
            ck_assert_uint_eq(record.command_id, ids[at]);
            for (uint32_t i = 0; i < record.command.dependencies; i++) { /* <1, and <2 behind it */
                ck_assert_uint_eq(record.command.dependency[i].command, ids[at] - 1 - i);
            }
            at++;
        }
    }
    ck_assert_uint_eq(at, sizeof ids / sizeof ids[0]);
    sy_trace_close(reader);
}
END_TEST

START_TEST(records_are_found_through_the_index_and_without_it)
{
    enum { RECORDS = 2000 };
    struct sy_trace_writer *writer;
    struct sy_trace_writer_options small = {.block_bytes = 120};
    struct sy_layer layer;
    const char *packed = scratch_path(&scratch, "i.slt.gz"), *plain = scratch_path(&scratch, "i.slt");
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = layer.dim.gemm.k = 1;
    ck_assert_int_eq(sy_trace_create(packed, "index", &small, &writer, &sink.diag), SY_OK);
    for (uint32_t i = 0; i < RECORDS; i++) {
        bool opens = i % 10 == 3, closes = i % 10 == 7;
        layer.dim.gemm.n = i + 1;
        EXPECT((opens    ? sy_trace_put_repeat(writer, 2)
                : closes ? sy_trace_put_end_repeat(writer)
                         : sy_trace_put_layer(writer, &layer)) == SY_OK);
    }
    ck_assert_int_eq(sy_trace_finish(writer), SY_OK);
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_trace_info info;
    ck_assert_int_eq(sy_trace_collect_info(packed, NULL, 0, arena, &info, &sink.diag), SY_OK);
    ck_assert_uint_gt(info.blocks, 200);
    sy_arena_destroy(arena);
    struct sy_trace_writer_options to_text = {.plain = true};
    ck_assert_int_eq(sy_trace_pack(packed, plain, &to_text, &sink.diag), SY_OK);
    struct bytes text = read_bytes(plain);
    const char *member = scratch_path(&scratch, "m.slt.gz");
    gzip_text(member, (const char *)text.data, text.length, text.length);
    const char *const paths[] = {packed, plain, member};
    uint64_t seed = 8;
    for (int p = 0; p < 3; p++) {
        struct sy_trace_reader *reader;
        struct sy_trace_record record;
        ck_assert_int_eq(sy_trace_open(paths[p], NULL, 0, &reader, &sink.diag), SY_OK);
        for (int i = 0; i < (p == 0 ? 2000 : 100); i++) {
            uint64_t at = below(&seed, RECORDS);
            if (sy_trace_seek_record(reader, at) != SY_OK || sy_trace_next(reader, &record) != SY_OK) {
                ck_abort_msg("%s: %lu: %s", paths[p], (unsigned long)at, sink.message);
            }
            enum sy_trace_kind kind = at % 10 == 3   ? SY_TRACE_REPEAT
                                      : at % 10 == 7 ? SY_TRACE_END_REPEAT
                                                     : SY_TRACE_LAYER;
            EXPECT(record.kind == kind && record.line == at + 3);
            EXPECT(kind != SY_TRACE_LAYER || record.layer.dim.gemm.n == at + 1);
        }
        ck_assert_int_eq(sy_trace_seek_record(reader, 5), SY_OK); /* on to the end from inside a block */
        do {
            if (sy_trace_next(reader, &record) != SY_OK) {
                ck_abort_msg("%s", sink.message);
            }
        } while (record.kind != SY_TRACE_END);
        ck_assert_int_eq(sy_trace_seek_record(reader, RECORDS + 1), SY_USAGE);
        ck_assert_int_eq(sy_trace_seek_record(reader, RECORDS), SY_OK);
        ck_assert(sy_trace_next(reader, &record) == SY_OK && record.kind == SY_TRACE_END);
        ck_assert_int_eq(sy_trace_seek_record(reader, 0), SY_OK);
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        ck_assert_uint_eq(record.layer.dim.gemm.n, 1);
        ck_assert_str_eq(sy_trace_workload_name(reader), "index");
        sy_trace_close(reader);
    }
    free(text.data);
}
END_TEST

START_TEST(a_digest_is_not_given_for_text_that_was_skipped)
{
    struct sy_trace_writer *writer;
    struct sy_trace_writer_options small = {.block_bytes = 60};
    struct sy_layer layer;
    const char *path = scratch_path(&scratch, "s.slt.gz");
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = layer.dim.gemm.k = layer.dim.gemm.n = 1;
    ck_assert_int_eq(sy_trace_create(path, "skip", &small, &writer, &sink.diag), SY_OK);
    for (int i = 0; i < 20000; i++) {
        EXPECT(sy_trace_put_layer(writer, &layer) == SY_OK);
    }
    ck_assert_int_eq(sy_trace_finish(writer), SY_OK);
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    char digest[65];
    ck_assert_int_eq(sy_trace_open(path, NULL, 0, &reader, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_trace_seek_record(reader, 19990), SY_OK);
    do {
        if (sy_trace_next(reader, &record) != SY_OK) {
            ck_abort_msg("%s", sink.message);
        }
    } while (record.kind != SY_TRACE_END);
    sy_trace_digest(reader, digest);
    ck_assert_str_eq(digest, "");
    sy_trace_close(reader);
}
END_TEST

START_TEST(a_pipe_is_read_and_goes_back_only_as_far_as_its_buffer)
{
    for (int big = 0; big < 2; big++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)close(ends[0]);
            FILE *out = fdopen(ends[1], "w");
            fputs("systole-trace 1\nrepeat 2 {\ngemm g m=1 k=1 n=1\n", out);
            for (int i = 0; big && i < 10000; i++) {
                fputs("# a line of comment, and another, and so on until the buffer is long gone\n", out);
            }
            fputs("}\nend 3\n", out);
            _exit(fclose(out) == 0 ? 0 : 1);
        }
        (void)close(ends[1]);
        char path[40];
        (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
        struct sy_trace_reader *reader;
        struct sy_trace_record record;
        struct sy_trace_mark mark;
        ck_assert_int_eq(sy_trace_open(path, NULL, 0, &reader, &sink.diag), SY_OK);
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        ck_assert_int_eq(sy_trace_tell(reader, &mark), SY_OK);
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        ck_assert_int_eq(record.kind, SY_TRACE_END_REPEAT);
        ck_assert_int_eq(sy_trace_seek(reader, &mark), big ? SY_IO : SY_OK);
        if (big) {
            ck_assert(strstr(sink.message, "this input cannot go back") != NULL);
        } else {
            do {
                ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
            } while (record.kind != SY_TRACE_END);
        }
        sy_trace_close(reader);
        (void)close(ends[0]);
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
    }
}
END_TEST

START_TEST(a_fifo_nobody_writes_to_does_not_hang)
{
    const char *path = scratch_path(&scratch, "fifo");
    char command[500];
    (void)snprintf(command, sizeof command, "mkfifo '%s'", path);
    ck_assert_int_eq(system(command), 0);
    struct sy_trace_reader *reader;
    ck_assert_int_eq(sy_trace_open(path, NULL, 0, &reader, &sink.diag), SY_INPUT);
    ck_assert(strstr(sink.message, "the file is empty") != NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("trace seek");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, unrolling_through_marks_gives_the_unrolled_trace);
    tcase_add_test(tcase, blocks_longer_than_every_buffer_are_unrolled_too);
    tcase_add_test(tcase, many_marks_in_one_large_gzip_member_stay_right);
    tcase_add_test(tcase, command_ids_run_on_through_the_rounds_of_a_block);
    tcase_add_test(tcase, records_are_found_through_the_index_and_without_it);
    tcase_add_test(tcase, a_digest_is_not_given_for_text_that_was_skipped);
    tcase_add_test(tcase, a_pipe_is_read_and_goes_back_only_as_far_as_its_buffer);
    tcase_add_test(tcase, a_fifo_nobody_writes_to_does_not_hang);
    return run_case("trace seek", tcase);
}
