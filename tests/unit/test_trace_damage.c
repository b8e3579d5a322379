/* SPDX-License-Identifier: Apache-2.0 */
/* Cut, damaged and hostile files: never a success, never a crash, and what is intact is told and saved. */
#include <fcntl.h>
#include <sys/resource.h>

#include "tests/unit/trace_support.h"
#include "traces/block.h"

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

/* Layers g0, g1, ... in small blocks. */
static void write_sample(const char *path, uint32_t layers, uint64_t block_bytes)
{
    struct sy_trace_writer *writer;
    struct sy_trace_writer_options options = {.block_bytes = block_bytes};
    struct sy_layer layer;
    char name[32];
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.name = name;
    EXPECT(sy_trace_create(path, "sample", &options, &writer, &sink.diag) == SY_OK);
    for (uint32_t i = 0; i < layers; i++) {
        (void)snprintf(name, sizeof name, "g%u", i);
        layer.dim.gemm.m = 1 + i % 7;
        layer.dim.gemm.k = 64;
        layer.dim.gemm.n = 1000 + i;
        EXPECT(sy_trace_put_layer(writer, &layer) == SY_OK);
    }
    EXPECT(sy_trace_finish(writer) == SY_OK);
}

/* Read all; SY_OK only when END came. The digest of the text goes to out when it is not NULL. */
static enum sy_status read_all(const void *data, size_t length, char *digest)
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    enum sy_status status = sy_trace_open("damaged", data, length, &reader, &sink.diag);
    if (status != SY_OK) {
        return status;
    }
    do {
        status = sy_trace_next(reader, &record);
    } while (status == SY_OK && record.kind != SY_TRACE_END);
    if (status == SY_OK && digest != NULL) {
        sy_trace_digest(reader, digest);
    }
    if (status != SY_OK) { /* sticky */
        EXPECT(sy_trace_next(reader, &record) == status);
    }
    sy_trace_close(reader);
    return status;
}

/* An exact copy, so that a sanitizer sees a read past the end. */
static enum sy_status read_part(const struct bytes *bytes, size_t length)
{
    unsigned char *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, bytes->data, length);
    int errors = (int)sink.diag.errors;
    enum sy_status status = read_all(exact, length, NULL);
    EXPECT(status == SY_OK || (int)sink.diag.errors == errors + 1); /* one message, not none, not many */
    free(exact);
    return status;
}

START_TEST(every_truncation_is_an_error)
{
    const char *path = scratch_path(&scratch, "t.slt.gz");
    write_sample(path, 40, 150);
    struct bytes blocks = read_bytes(path), text = gunzip(&blocks);
    for (size_t length = 0; length < blocks.length; length++) {
        EXPECT(read_part(&blocks, length) == SY_INPUT);
    }
    for (size_t length = 0; length < text.length; length++) {
        EXPECT(read_part(&text, length) == SY_INPUT);
    }
    EXPECT(read_part(&blocks, blocks.length) == SY_OK && read_part(&text, text.length) == SY_OK);
    gzip_text(path, (const char *)text.data, text.length, 500);
    struct bytes members = read_bytes(path);
    for (size_t length = 0; length < members.length; length++) {
        EXPECT(read_part(&members, length) == SY_INPUT);
    }
    free(members.data);
    free(blocks.data);
    free(text.data);
}
END_TEST

/* Bytes of RFC 1952 that say nothing about the text: flags (of which "is text" has no meaning), time, level, system;
 * and the last byte of the deflate data, whose spare bits nobody reads. */
static bool means_nothing(const struct bytes *bytes, size_t at)
{
    static const char head[] = "\x1f\x8b\x08\x04\0\0\0\0\0\xff";
    for (size_t start = at < 9 ? 0 : at - 9; start + 3 <= at && start + 10 <= bytes->length; start++) {
        if (memcmp(bytes->data + start, head, 10) == 0) {
            return true;
        }
    }
    return at + 9 == bytes->length || (at + 19 <= bytes->length && memcmp(bytes->data + at + 9, head, 10) == 0);
}

START_TEST(every_changed_byte_is_detected_or_harmless)
{
    const char *path = scratch_path(&scratch, "c.slt.gz");
    char good[65], digest[65];
    write_sample(path, 25, 200);
    struct bytes bytes = read_bytes(path);
    ck_assert_int_eq(read_all(bytes.data, bytes.length, good), SY_OK);
    size_t harmless = 0;
    for (size_t at = 0; at < bytes.length; at++) {
        bool may_pass = means_nothing(&bytes, at);
        static const unsigned char flips[] = {0x01, 0x80, 0xff, 0x14};
        for (size_t i = 0; i < sizeof flips; i++) {
            bytes.data[at] ^= flips[i];
            if (read_all(bytes.data, bytes.length, digest) == SY_OK) {
                EXPECT(may_pass && strcmp(digest, good) == 0);
                harmless++;
            }
            bytes.data[at] ^= flips[i];
        }
    }
    ck_assert(harmless > 0);
    free(bytes.data);
}
END_TEST

START_TEST(joined_shuffled_and_lengthened_files_are_errors)
{
    const char *path = scratch_path(&scratch, "j.slt.gz");
    write_sample(path, 20, 200);
    struct bytes one = read_bytes(path);
    unsigned char *two = malloc(2 * one.length + 100);
    memcpy(two, one.data, one.length);
    memcpy(two + one.length, one.data, one.length);
    ck_assert_int_eq(read_all(two, 2 * one.length, NULL), SY_INPUT); /* cat a a */
    ck_assert_str_eq(sink.message, "bytes follow the end of the trace");
    memset(two + one.length, 0, 100);
    ck_assert_int_eq(read_all(two, one.length + 100, NULL), SY_INPUT); /* padding */
    ck_assert_int_eq(read_all(two, one.length + 1, NULL), SY_INPUT);

    struct sy_block_field first, second;
    ck_assert(sy_block_decode(one.data + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &first));
    unsigned char *at = one.data + first.member_bytes;
    ck_assert(sy_block_decode(at + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &second));
    size_t rest = one.length - first.member_bytes - second.member_bytes;
    memcpy(two, one.data, first.member_bytes); /* without the second block */
    memcpy(two + first.member_bytes, at + second.member_bytes, rest);
    ck_assert_int_eq(read_all(two, first.member_bytes + rest, NULL), SY_INPUT);
    ck_assert(strstr(sink.message, "a block is missing before this one") != NULL);
    memcpy(two, at, second.member_bytes); /* the second block alone */
    ck_assert_int_eq(read_all(two, second.member_bytes, NULL), SY_INPUT);
    free(two);
    free(one.data);
}
END_TEST

START_TEST(a_wrong_count_in_a_block_header_is_an_error)
{
    const char *path = scratch_path(&scratch, "h.slt.gz");
    write_sample(path, 20, 200);
    struct bytes bytes = read_bytes(path);
    struct sy_block_field first, second;
    ck_assert(sy_block_decode(bytes.data + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &first));
    unsigned char *field = bytes.data + first.member_bytes + SY_MEMBER_HEAD;
    ck_assert(sy_block_decode(field, SY_BLOCK_FIELD, &second));
    second.state.record++; /* with a fitting CRC, as a hostile writer would */
    (void)sy_block_encode(field, &second);
    ck_assert_int_eq(read_all(bytes.data, bytes.length, NULL), SY_INPUT);
    ck_assert(strstr(sink.message, "the block that begins here says that") != NULL);
    second.state.record--;
    second.state.text_offset++;
    (void)sy_block_encode(field, &second);
    ck_assert_int_eq(read_all(bytes.data, bytes.length, NULL), SY_INPUT);
    free(bytes.data);
}
END_TEST

START_TEST(damage_is_told_with_the_offset_in_the_file)
{
    const char *path = scratch_path(&scratch, "o.slt.gz");
    write_sample(path, 40, 200);
    struct bytes bytes = read_bytes(path);
    struct sy_block_field first, second;
    ck_assert(sy_block_decode(bytes.data + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &first));
    ck_assert(sy_block_decode(bytes.data + first.member_bytes + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &second));
    size_t end_of_second = first.member_bytes + second.member_bytes;
    bytes.data[end_of_second - 8] ^= 1; /* its CRC */
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    ck_assert_int_eq(sy_trace_open("f", bytes.data, bytes.length, &reader, &sink.diag), SY_OK);
    uint64_t records = 0;
    while (sy_trace_next(reader, &record) == SY_OK) {
        records++;
    }
    sy_trace_close(reader);
    ck_assert_uint_eq(records, second.state.record); /* nothing of the damaged block was handed out */
    ck_assert(strstr(sink.message, "incorrect data check") != NULL);
    ck_assert(strstr(sink.hint, "trace recover") != NULL);
    ck_assert(sink.offset > first.member_bytes && sink.offset <= end_of_second);
    free(bytes.data);
}
END_TEST

/* ---- verify and recover ---- */

/* Names of the gemm layers of a trace, "g0 g1 ...". */
static void expect_layers(const char *path, const bool *kept, uint32_t layers, uint64_t records)
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    uint32_t next = 0;
    EXPECT(sy_trace_open(path, NULL, 0, &reader, &sink.diag) == SY_OK);
    for (uint64_t i = 0; i < records; i++) {
        char name[32];
        while (next < layers && !kept[next]) {
            next++;
        }
        (void)snprintf(name, sizeof name, "g%u", next);
        EXPECT(sy_trace_next(reader, &record) == SY_OK && record.kind == SY_TRACE_LAYER);
        EXPECT(strcmp(record.layer.name, name) == 0 && record.layer.dim.gemm.n == 1000 + next);
        next++;
    }
    EXPECT(sy_trace_next(reader, &record) == SY_OK && record.kind == SY_TRACE_END);
    sy_trace_close(reader);
}

START_TEST(recover_saves_every_block_but_the_damaged_one)
{
    enum { LAYERS = 60 };
    const char *path = scratch_path(&scratch, "d.slt.gz"), *out = scratch_path(&scratch, "r.slt.gz");
    write_sample(path, LAYERS, 300);
    struct bytes bytes = read_bytes(path);
    size_t offset = 0, blocks = 0;
    struct sy_block_field block, next;
    while (sy_block_decode(bytes.data + offset + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &block)) {
        size_t behind = offset + block.member_bytes;
        bool last = !sy_block_decode(bytes.data + behind + SY_MEMBER_HEAD, SY_BLOCK_FIELD, &next);
        uint64_t until = last ? LAYERS : next.state.record;
        bool kept[LAYERS];
        for (uint32_t i = 0; i < LAYERS; i++) {
            kept[i] = i < block.state.record || i >= until;
        }
        for (int how = 0; how < 2; how++) { /* its data, its header */
            size_t at = how == 0 ? behind - 20 : offset + 30;
            bytes.data[at] ^= 0x55;
            write_file(path, bytes.data, bytes.length);
            bytes.data[at] ^= 0x55;
            uint64_t told = 0, text = 0, saved = 0, again = 0;
            ck_assert_int_eq(sy_trace_verify(path, &told, &text, &sink.diag), SY_INPUT);
            ck_assert_int_eq(sy_trace_recover(path, out, &saved, &sink.diag), SY_OK);
            ck_assert_uint_eq(saved, LAYERS - (until - block.state.record));
            ck_assert_uint_eq(told, saved);
            ck_assert_int_eq(sy_trace_verify(out, &again, NULL, &sink.diag), SY_OK);
            ck_assert_uint_eq(again, saved);
            expect_layers(out, kept, LAYERS, saved);
        }
        offset = behind;
        blocks++;
    }
    ck_assert_uint_gt(blocks, 5);
    free(bytes.data);
}
END_TEST

START_TEST(recover_of_a_cut_file_keeps_what_came_before_in_every_container)
{
    enum { LAYERS = 50 };
    bool kept[LAYERS];
    memset(kept, 1, sizeof kept);
    const char *path = scratch_path(&scratch, "k.slt.gz"), *out = scratch_path(&scratch, "r.slt.gz");
    write_sample(path, LAYERS, 250);
    struct bytes blocks = read_bytes(path), text = gunzip(&blocks);
    gzip_text(path, (const char *)text.data, text.length, 400);
    struct bytes members = read_bytes(path);
    const struct bytes *const all[] = {&blocks, &text, &members};
    for (int i = 0; i < 3; i++) {
        uint64_t before = 0;
        for (size_t length = 1; length < all[i]->length; length += 13) {
            write_file(path, all[i]->data, length);
            uint64_t saved = 0;
            (void)unlink(out);
            enum sy_status status = sy_trace_recover(path, out, &saved, &sink.diag);
            EXPECT(status == (saved > 0 ? SY_OK : SY_INPUT));
            EXPECT(saved >= before && saved <= LAYERS); /* a longer part never saves less */
            EXPECT((access(out, F_OK) == 0) == (saved > 0));
            if (saved > 0) {
                expect_layers(out, kept, LAYERS, saved);
            }
            before = saved;
        }
        ck_assert_uint_gt(before, LAYERS - 10);
    }
    free(members.data);
    free(text.data);
    free(blocks.data);
}
END_TEST

START_TEST(recover_mends_repeat_blocks_and_drops_what_lost_its_reference)
{
    static const char text[] =
        "systole-trace 1\nnet n\ngemm a m=1 k=1 n=1\nload A bytes=4\nrepeat 3 {\ngemm b m=1 k=1 n=1\n"
        "load A bytes=4\nbroken line\nmatmul m=1 k=1 n=1 <1\ngemm c m=1 k=1 n=1\nload B bytes=4\nwait <1 <3\n}\n"
        "repeat 2 {\n"
        "broken too\n}\ngemm d m=1 k=1 n=1\nrepeat 5 {\ngemm e m=1 k=1 n=1\nend 15\n";
    const char *path = scratch_path(&scratch, "m.slt.gz"), *out = scratch_path(&scratch, "r.slt");
    /* As blocks, so that lines behind a bad one are searched too: the bad lines are put in by hand. */
    struct sy_block_field field = {.text_bytes = sizeof text - 1};
    unsigned char file[2048];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = sizeof text - 1};
    const size_t head = SY_MEMBER_HEAD + SY_BLOCK_FIELD;
    z.next_out = file + head;
    z.avail_out = (uInt)(sizeof file - head - 8);
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)text, sizeof text - 1), size = sizeof text - 1;
    memcpy(z.next_out, &crc, 4); /* the tests run on little-endian machines */
    memcpy(z.next_out + 4, &size, 4);
    field.member_bytes = (uint32_t)(z.next_out + 8 - file);
    sy_member_head(file, SY_BLOCK_FIELD);
    (void)sy_block_encode(file + SY_MEMBER_HEAD, &field);
    write_file(path, file, field.member_bytes);
    uint64_t records = 0;
    ck_assert_int_eq(sy_trace_recover(path, out, &records, &sink.diag), SY_OK);
    struct sy_trace_writer_options to_text = {.plain = true};
    const char *plain = scratch_path(&scratch, "p.slt");
    ck_assert_int_eq(sy_trace_pack(out, plain, &to_text, &sink.diag), SY_OK);
    struct bytes got = read_bytes(plain);
    ck_assert_str_eq((const char *)got.data,
                     "systole-trace 1\nnet n\ngemm a m=1 k=1 n=1\nload A bytes=4\nrepeat 3 {\ngemm b m=1 k=1 n=1\n"
                     "load A bytes=4\ngemm c m=1 k=1 n=1\nload B bytes=4\nwait <1\n}\ngemm d m=1 k=1 n=1\nrepeat 5 {\n"
                     "gemm e m=1 k=1 n=1\n}\nend 13\n");
    ck_assert_uint_eq(records, 13);
    ck_assert(sink.diag.warnings > 0 && sink.diag.errors == 0);
    free(got.data);
}
END_TEST

START_TEST(what_recover_writes_is_whole_whatever_the_damage)
{
    const char *path = scratch_path(&scratch, "w.slt.gz"), *out = scratch_path(&scratch, "r.slt.gz");
    uint64_t seed = 99;
    write_sample(path, 40, 250);
    struct bytes blocks = read_bytes(path), text = gunzip(&blocks);
    gzip_text(path, (const char *)text.data, text.length, 700);
    struct bytes members = read_bytes(path);
    const struct bytes *const all[] = {&blocks, &text, &members};
    for (int i = 0; i < 450; i++) {
        const struct bytes *from = all[i % 3];
        unsigned char *copy = malloc(from->length);
        memcpy(copy, from->data, from->length);
        for (uint64_t edits = 1 + below(&seed, 5); edits > 0; edits--) {
            size_t length = 1 + (size_t)below(&seed, 100);
            size_t take = (size_t)below(&seed, from->length - length),
                   put = (size_t)below(&seed, from->length - length);
            memmove(copy + put, copy + take, length);
        }
        write_file(path, copy, from->length - (size_t)below(&seed, 3) * 20);
        free(copy);
        uint64_t told = 0, saved = 0, again = 0;
        enum sy_status status = sy_trace_verify(path, &told, NULL, &sink.diag);
        if (sy_trace_recover(path, out, &saved, &sink.diag) == SY_OK) {
            EXPECT(status == SY_OK || told == saved);
            sink_start(&sink);
            if (sy_trace_verify(out, &again, NULL, &sink.diag) != SY_OK || again != saved) {
                ck_abort_msg("round %d: %s", i, sink.message);
            }
        } else {
            EXPECT(saved == 0);
        }
    }
    free(members.data);
    free(text.data);
    free(blocks.data);
}
END_TEST

START_TEST(nothing_intact_writes_nothing)
{
    const char *path = scratch_path(&scratch, "n.slt.gz"), *out = scratch_path(&scratch, "none.slt.gz");
    static const char *const files[] = {"", "hello\n", "\x1f\x8b\x08", "systole-trace 1\n", "systole-trace 1\nend 0\n"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file(path, files[i], strlen(files[i]));
        ck_assert_int_eq(sy_trace_recover(path, out, NULL, &sink.diag), SY_INPUT);
        ck_assert_int_eq(access(out, F_OK), -1);
    }
    ck_assert_int_eq(sy_trace_recover(scratch.folder, out, NULL, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_trace_verify(scratch_path(&scratch, "absent"), NULL, NULL, &sink.diag), SY_IO);
}
END_TEST

/* ---- hostile ---- */

START_TEST(a_long_stream_needs_no_more_memory_than_a_short_one)
{
    /* 64 MB of comments in 64 KB; then 32 MB without a newline. */
    const char *path = scratch_path(&scratch, "bomb.slt.gz");
    for (int endless = 0; endless < 2; endless++) {
        gzFile gz = gzopen(path, "wb6");
        ck_assert(gz != NULL && gzputs(gz, "systole-trace 1\n") > 0);
        static char piece[1 << 16];
        memset(piece, '#', sizeof piece);
        for (size_t i = 100; !endless && i < sizeof piece; i += 101) {
            piece[i] = '\n';
        }
        for (int i = 0; i < (endless ? 512 : 1024); i++) {
            ck_assert_int_eq(gzwrite(gz, piece, sizeof piece), sizeof piece);
        }
        ck_assert(gzputs(gz, "\nend 0\n") > 0 && gzclose(gz) == Z_OK);
        struct bytes bytes = read_bytes(path);
        ck_assert_uint_lt(bytes.length, 400000);
        struct rusage before, after;
        (void)getrusage(RUSAGE_SELF, &before);
        ck_assert_int_eq(read_all(bytes.data, bytes.length, NULL), endless ? SY_INPUT : SY_OK);
        (void)getrusage(RUSAGE_SELF, &after);
        ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 4096); /* KiB */
        free(bytes.data);
    }
    ck_assert(strstr(sink.message, "longer than 131072 bytes") != NULL);
}
END_TEST

START_TEST(random_bytes_and_random_edits_never_pass_silently)
{
    uint64_t seed = 2024;
    const char *path = scratch_path(&scratch, "e.slt.gz");
    write_sample(path, 30, 300);
    struct bytes bytes = read_bytes(path), copy = {malloc(bytes.length), bytes.length};
    char good[65], digest[65];
    ck_assert_int_eq(read_all(bytes.data, bytes.length, good), SY_OK);
    for (int i = 0; i < 3000; i++) {
        memcpy(copy.data, bytes.data, bytes.length);
        uint64_t edits = 1 + below(&seed, 4);
        for (uint64_t j = 0; j < edits; j++) { /* move a run of bytes over another place */
            size_t length = 1 + (size_t)below(&seed, 200);
            size_t from = (size_t)below(&seed, bytes.length - length), to = (size_t)below(&seed, bytes.length - length);
            memmove(copy.data + to, copy.data + from, length);
        }
        if (read_all(copy.data, copy.length, digest) == SY_OK) {
            EXPECT(strcmp(digest, good) == 0);
        }
    }
    for (int i = 0; i < 1000; i++) {
        for (size_t j = 0; j < copy.length; j++) {
            copy.data[j] = (unsigned char)next_random(&seed);
        }
        copy.data[0] = 0x1f;
        copy.data[1] = 0x8b;
        EXPECT(read_all(copy.data, 2 + (size_t)below(&seed, copy.length - 2), NULL) == SY_INPUT);
    }
    free(copy.data);
    free(bytes.data);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("trace damage");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_truncation_is_an_error);
    tcase_add_test(tcase, every_changed_byte_is_detected_or_harmless);
    tcase_add_test(tcase, joined_shuffled_and_lengthened_files_are_errors);
    tcase_add_test(tcase, a_wrong_count_in_a_block_header_is_an_error);
    tcase_add_test(tcase, damage_is_told_with_the_offset_in_the_file);
    tcase_add_test(tcase, recover_saves_every_block_but_the_damaged_one);
    tcase_add_test(tcase, recover_of_a_cut_file_keeps_what_came_before_in_every_container);
    tcase_add_test(tcase, recover_mends_repeat_blocks_and_drops_what_lost_its_reference);
    tcase_add_test(tcase, what_recover_writes_is_whole_whatever_the_damage);
    tcase_add_test(tcase, nothing_intact_writes_nothing);
    tcase_add_test(tcase, a_long_stream_needs_no_more_memory_than_a_short_one);
    tcase_add_test(tcase, random_bytes_and_random_edits_never_pass_silently);
    return run_case("trace damage", tcase);
}
