/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read back, field by field, through every container; other gzip programs agree. */
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

/* A random trace is a function of its seed: the writer and the checker walk the same sequence. */
enum step { STEP_LAYER, STEP_COMMAND, STEP_OPEN, STEP_CLOSE, STEP_UNMODELLED, STEP_UNREAD };

struct walk {
    uint64_t seed;
    uint32_t depth;
    bool empty; /* the innermost block has no record yet */
    uint64_t commands;
    struct sy_layer layer;
    struct sy_command command;
    uint64_t times;
    struct sy_unmodelled unmodelled;
    struct sy_unread unread;
};

static enum step next_step(struct walk *walk)
{
    uint64_t pick = below(&walk->seed, 20);
    if (pick == 0 && walk->depth < 4) {
        walk->depth++;
        walk->empty = true;
        walk->times = 1 + below(&walk->seed, 1000);
        return STEP_OPEN;
    }
    if (pick == 1 && walk->depth > 0 && !walk->empty) {
        walk->depth--;
        return STEP_CLOSE;
    }
    walk->empty = false;
    if (pick == 2) {
        walk->unmodelled = (struct sy_unmodelled){random_name(&walk->seed), next_random(&walk->seed) >> 3,
                                                  next_random(&walk->seed), NULL};
        return STEP_UNMODELLED;
    }
    if (pick == 3) {
        walk->unread = (struct sy_unread){next_random(&walk->seed), next_random(&walk->seed)};
        return STEP_UNREAD;
    }
    if (pick < 10) {
        random_layer(&walk->seed, &walk->layer);
        return STEP_LAYER;
    }
    random_command(&walk->seed, &walk->command, walk->commands++);
    return STEP_COMMAND;
}

static void write_steps(const char *path, uint64_t seed, uint64_t steps, const struct sy_trace_writer_options *options)
{
    struct sy_trace_writer *writer;
    struct walk walk = {.seed = seed};
    EXPECT(sy_trace_create(path, "random net", options, &writer, &sink.diag) == SY_OK);
    for (uint64_t i = 0; i < steps || walk.depth > 0; i++) {
        enum sy_status status = SY_OK;
        switch (next_step(&walk)) {
        case STEP_LAYER:
            status = sy_trace_put_layer(writer, &walk.layer);
            break;
        case STEP_COMMAND:
            status = sy_trace_put_command(writer, &walk.command);
            break;
        case STEP_OPEN:
            status = sy_trace_put_repeat(writer, walk.times);
            break;
        case STEP_CLOSE:
            status = sy_trace_put_end_repeat(writer);
            break;
        case STEP_UNMODELLED:
            status = sy_trace_put_unmodelled(writer, &walk.unmodelled);
            break;
        case STEP_UNREAD:
            status = sy_trace_put_unread(writer, &walk.unread);
            break;
        }
        if (status != SY_OK) {
            ck_abort_msg("step %lu: %s", (unsigned long)i, sink.message);
        }
    }
    EXPECT(sy_trace_finish(writer) == SY_OK);
}

static void expect_record(const struct sy_trace_record *record, struct walk *walk)
{
    switch (next_step(walk)) {
    case STEP_LAYER:
        EXPECT(record->kind == SY_TRACE_LAYER);
        expect_same_layer(&record->layer, &walk->layer);
        break;
    case STEP_COMMAND:
        EXPECT(record->kind == SY_TRACE_COMMAND && record->command_id == walk->commands - 1);
        expect_same_command(&record->command, &walk->command);
        break;
    case STEP_OPEN:
        EXPECT(record->kind == SY_TRACE_REPEAT && record->repeat == walk->times);
        break;
    case STEP_CLOSE:
        EXPECT(record->kind == SY_TRACE_END_REPEAT);
        break;
    case STEP_UNMODELLED:
        EXPECT(record->kind == SY_TRACE_UNMODELLED && same_name(record->unmodelled.op, walk->unmodelled.op));
        EXPECT(record->unmodelled.count == walk->unmodelled.count &&
               record->unmodelled.bytes == walk->unmodelled.bytes);
        break;
    case STEP_UNREAD:
        EXPECT(record->kind == SY_TRACE_UNREAD && record->unread.elements == walk->unread.elements);
        EXPECT(record->unread.bytes == walk->unread.bytes);
        break;
    }
}

static void expect_steps(const char *path, uint64_t seed, uint64_t steps, char digest[65])
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    struct walk walk = {.seed = seed};
    if (sy_trace_open(path, NULL, 0, &reader, &sink.diag) != SY_OK) {
        ck_abort_msg("%s", sink.message);
    }
    EXPECT(strcmp(sy_trace_workload_name(reader), "random net") == 0);
    uint64_t line = 2;
    for (uint64_t i = 0; i < steps || walk.depth > 0; i++) {
        if (sy_trace_next(reader, &record) != SY_OK) {
            ck_abort_msg("step %lu: %s", (unsigned long)i, sink.message);
        }
        EXPECT(record.line == ++line);
        expect_record(&record, &walk);
    }
    EXPECT(sy_trace_next(reader, &record) == SY_OK && record.kind == SY_TRACE_END);
    EXPECT(sy_trace_next(reader, &record) == SY_OK && record.kind == SY_TRACE_END);
    sy_trace_digest(reader, digest);
    sy_trace_close(reader);
}

START_TEST(random_traces_come_back_field_by_field)
{
    const char *path = scratch_path(&scratch, "t.slt.gz");
    char digest[65];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct sy_trace_writer_options options = {.block_bytes = seed % 4 == 0 ? 0 : 100 + seed * 37,
                                                  .level = (int)(seed % 10)};
        write_steps(path, seed, 200, &options);
        expect_steps(path, seed, 200, digest);
    }
}
END_TEST

START_TEST(the_text_and_its_digest_do_not_depend_on_the_container)
{
    char packed_digest[65], other[65], expected[65];
    const char *packed = scratch_path(&scratch, "p.slt.gz");
    const char *plain = scratch_path(&scratch, "p.slt");
    struct sy_trace_writer_options small = {.block_bytes = 300}, text = {.plain = true};
    write_steps(packed, 77, 500, &small);
    write_steps(plain, 77, 500, &text);
    expect_steps(packed, 77, 500, packed_digest);
    expect_steps(plain, 77, 500, other);
    ck_assert_str_eq(packed_digest, other);
    struct bytes from_gzip = read_bytes(packed), from_text = read_bytes(plain);
    struct bytes inflated = gunzip(&from_gzip);
    ck_assert_uint_eq(inflated.length, from_text.length);
    ck_assert(memcmp(inflated.data, from_text.data, inflated.length) == 0);
    sy_sha256_hex(from_text.data, from_text.length, expected);
    ck_assert_str_eq(packed_digest, expected);
    free(from_gzip.data);
    free(from_text.data);
    free(inflated.data);
}
END_TEST

START_TEST(gzip_members_cut_anywhere_and_memory_read_the_same)
{
    char digest[65], other[65];
    const char *plain = scratch_path(&scratch, "m.slt");
    const char *members = scratch_path(&scratch, "m.slt.gz");
    struct sy_trace_writer_options text = {.plain = true};
    write_steps(plain, 5, 300, &text);
    expect_steps(plain, 5, 300, digest);
    struct bytes bytes = read_bytes(plain);
    static const size_t sizes[] = {7, 100, 4096, 1 << 19};
    for (size_t i = 0; i < 4; i++) { /* members end inside lines */
        gzip_text(members, (const char *)bytes.data, bytes.length, sizes[i]);
        expect_steps(members, 5, 300, other);
        ck_assert_str_eq(digest, other);
    }
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    ck_assert_int_eq(sy_trace_open("memory", bytes.data, bytes.length, &reader, &sink.diag), SY_OK);
    do {
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
    } while (record.kind != SY_TRACE_END);
    sy_trace_digest(reader, other);
    ck_assert_str_eq(digest, other);
    sy_trace_close(reader);
    free(bytes.data);
}
END_TEST

START_TEST(pack_keeps_the_text_byte_for_byte)
{
    static const char text[] = "systole-trace 1\n# a comment\n\n  net  x \n gemm g m=1 k=2 n=3 # why\r\n"
                               "repeat 2 {\n\tgemm h n=3 k=2 m=1\n}\nend 4\n\n";
    const char *plain = scratch_path(&scratch, "c.slt"), *packed = scratch_path(&scratch, "c.slt.gz");
    struct sy_trace_writer_options small = {.block_bytes = 40}, to_text = {.plain = true};
    write_file(plain, text, sizeof text - 1);
    ck_assert_int_eq(sy_trace_pack(plain, packed, &small, &sink.diag), SY_OK);
    struct bytes bytes = read_bytes(packed), inflated = gunzip(&bytes);
    ck_assert_uint_eq(inflated.length, sizeof text - 1);
    ck_assert(memcmp(inflated.data, text, inflated.length) == 0);
    uint64_t records = 0, length = 0;
    if (sy_trace_verify(packed, &records, &length, &sink.diag) != SY_OK) {
        ck_abort_msg("%s", sink.message);
    }
    ck_assert_uint_eq(records, 4);
    ck_assert_uint_eq(length, sizeof text - 1);
    free(bytes.data);
    free(inflated.data);
    ck_assert_int_eq(sy_trace_pack(packed, plain, &to_text, &sink.diag), SY_OK);
    bytes = read_bytes(plain);
    ck_assert_uint_eq(bytes.length, sizeof text - 1);
    ck_assert(memcmp(bytes.data, text, bytes.length) == 0);
    free(bytes.data);
}
END_TEST

static void run_python(const char *program, const char *from, const char *to)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("python3", "python3", "-c", program, from, to, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "python3 exit status %d", WEXITSTATUS(status));
}

START_TEST(python_gzip_reads_ours_and_we_read_pythons)
{
    if (system("python3 -c 'import gzip' 2>/dev/null") != 0) {
        return; /* make check installs it; without it zlib's view above remains */
    }
    char digest[65], other[65];
    const char *ours = scratch_path(&scratch, "o.slt.gz"), *theirs = scratch_path(&scratch, "y.slt.gz");
    struct sy_trace_writer_options small = {.block_bytes = 500};
    write_steps(ours, 9, 400, &small);
    expect_steps(ours, 9, 400, digest);
    run_python("import gzip,sys\n"
               "t=gzip.open(sys.argv[1],'rt',encoding='utf-8',newline='').read()\n"
               "assert t.startswith('systole-trace 1\\n') and t.splitlines()[-1].startswith('end ')\n"
               "gzip.open(sys.argv[2],'wt',encoding='utf-8',newline='').write(t)\n",
               ours, theirs);
    expect_steps(theirs, 9, 400, other);
    ck_assert_str_eq(digest, other);
}
END_TEST

START_TEST(an_independent_reader_of_the_format_page_finds_every_block)
{
    if (system("python3 -c 'import zlib' 2>/dev/null") != 0) {
        return;
    }
    /* Written from docs/formats.md alone: walks the members, checks every field, finds blocks through the index. */
    static const char program[] =
        "import struct,sys,zlib\n"
        "f=open(sys.argv[1],'rb').read()\n"
        "def member(at):\n"
        "  assert f[at:at+10]==bytes.fromhex('1f8b08040000000000ff')\n"
        "  xlen,si,n=struct.unpack_from('<H2sH',f,at+10)\n"
        "  assert si==b'SY' and xlen==n+4\n"
        "  x=f[at+16:at+16+n]\n"
        "  assert struct.unpack('<I',x[-4:])[0]==zlib.crc32(x[:-4])\n"
        "  d=zlib.decompressobj(-15)\n"
        "  t=d.decompress(f[at+16+n:])+d.flush()\n"
        "  end=len(f)-len(d.unused_data)\n"
        "  assert struct.unpack_from('<II',f,end)==(zlib.crc32(t),len(t))\n"
        "  return x,t,end+8\n"
        "at=0;text=b'';lines=records=commands=depth=0;entries=b'';blocks=[];listed=0;first_index=None\n"
        "words=b'load store matmul vector wait'.split()\n"
        "while at<len(f):\n"
        "  x,t,end=member(at)\n"
        "  assert x[1]==1\n"
        "  if x[:1]==b'B':\n"
        "    d,size,length,zero,off,rec,lin,cmd,num=struct.unpack_from('<HIIIQQQQQ',x,2)\n"
        "    assert "
        "(d,size,length,zero,off,rec,lin,cmd,num)==(depth,end-at,len(t),0,len(text),records,lines,commands,len(blocks))"
        "\n"
        "    assert t.endswith(b'\\n') and 0<len(t)<=1<<20\n"
        "    blocks.append(struct.pack('<QQQQQII',at,off,rec,lin,cmd,d,0))\n"
        "    for l in t.splitlines():\n"
        "      w=l.split()[0]\n"
        "      lines+=1;records+=w not in(b'systole-trace',b'net',b'end');commands+=w in words\n"
        "      depth+=(w==b'repeat')-(w==b'}')\n"
        "    text+=t\n"
        "  elif x[:1]==b'I':\n"
        "    first_index=at if first_index is None else first_index\n"
        "    count,zero,first=struct.unpack_from('<HIQ',x,2)\n"
        "    assert t==b'' and zero==0 and first==listed and len(x)==20+48*count\n"
        "    assert first_index+first//1024*(16+20+48*1024+10)==at\n"
        "    entries+=x[16:-4];listed+=count\n"
        "  else:\n"
        "    assert x[:1]==b'T' and t==b'' and end==len(f) and end-at==86\n"
        "    assert "
        "struct.unpack_from('<HIQQQQQQ',x,2)==(0,zlib.crc32(entries),len(blocks),records,lines,len(text),first_index,0)"
        "\n"
        "  at=end\n"
        "assert x[:1]==b'T' and b''.join(blocks)==entries and listed==len(blocks)>1024\n"
        "assert text.splitlines()[-1]==b'end %d'%records\n";
    const char *path = scratch_path(&scratch, "i.slt.gz");
    struct sy_trace_writer_options small = {.block_bytes = 50};
    write_steps(path, 31, 1500, &small);
    run_python(program, path, path);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
    if (access("/dev/full", W_OK) != 0) {
        return;
    }
    struct sy_trace_writer *writer;
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = layer.dim.gemm.k = layer.dim.gemm.n = 4;
    for (int many = 0; many < 2; many++) { /* noticed at the end, and on the way */
        sink_start(&sink);
        struct sy_trace_writer_options text = {.plain = true};
        ck_assert_int_eq(sy_trace_create("/dev/full", NULL, &text, &writer, &sink.diag), SY_OK);
        enum sy_status status = SY_OK;
        for (int i = 0; i < (many ? 100000 : 1) && status == SY_OK; i++) {
            status = sy_trace_put_layer(writer, &layer);
        }
        ck_assert_int_eq(status, many ? SY_IO : SY_OK);
        ck_assert_int_eq(sy_trace_finish(writer), SY_IO);
        ck_assert(strstr(sink.message, "No space left") != NULL);
        ck_assert_uint_eq(sink.diag.errors, 1);
    }
}
END_TEST

static enum sy_status put_one(const struct sy_layer *layer)
{
    struct sy_trace_writer *writer;
    EXPECT(sy_trace_create(scratch_path(&scratch, "w.slt.gz"), NULL, NULL, &writer, &sink.diag) == SY_OK);
    enum sy_status status = sy_trace_put_layer(writer, layer);
    sy_trace_abandon(writer);
    return status;
}

START_TEST(the_writer_refuses_what_the_reader_would_not_take)
{
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.dim.gemm.m = layer.dim.gemm.k = layer.dim.gemm.n = 4;
    ck_assert_int_eq(put_one(&layer), SY_OK);
    struct sy_layer bad = layer;
    bad.dim.gemm.m = 0;
    ck_assert_int_eq(put_one(&bad), SY_INPUT);
    bad = layer;
    bad.inputs = 1;
    ck_assert_int_eq(put_one(&bad), SY_INPUT);
    bad = layer;
    bad.in[0].dtype = SY_DTYPE_COUNT;
    ck_assert_int_eq(put_one(&bad), SY_INPUT);
    char *long_name = calloc(1, 5000);
    memset(long_name, 'x', 4097);
    bad = layer;
    bad.out.name = long_name;
    ck_assert_int_eq(put_one(&bad), SY_INPUT);
    ck_assert(strstr(sink.message, "name is too long") != NULL);
    long_name[4096] = '\0';
    ck_assert_int_eq(put_one(&bad), SY_OK);
    free(long_name);

    struct sy_trace_writer *writer;
    ck_assert_int_eq(sy_trace_create(scratch_path(&scratch, "r.slt.gz"), NULL, NULL, &writer, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_trace_put_repeat(writer, 3), SY_OK);
    ck_assert_int_eq(sy_trace_put_end_repeat(writer), SY_INPUT);    /* empty */
    ck_assert_int_eq(sy_trace_put_layer(writer, &layer), SY_INPUT); /* sticky */
    ck_assert_int_eq(sy_trace_finish(writer), SY_INPUT);
    ck_assert_int_eq(access(scratch_path(&scratch, "r.slt.gz"), F_OK), -1);

    struct sy_command wait = {.kind = SY_CMD_WAIT, .dependencies = 1}; /* depends on itself */
    ck_assert_int_eq(sy_trace_create(scratch_path(&scratch, "r.slt.gz"), NULL, NULL, &writer, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_trace_put_command(writer, &wait), SY_INPUT);
    sy_trace_abandon(writer);
    ck_assert_int_eq(sy_trace_create(scratch_path(&scratch, "none/r.slt.gz"), NULL, NULL, &writer, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_trace_create(scratch.folder, NULL, NULL, &writer, &sink.diag), SY_IO);
}
END_TEST

START_TEST(nothing_appears_until_the_trace_is_finished)
{
    struct sy_trace_writer *writer;
    const char *path = scratch_path(&scratch, "late.slt.gz");
    write_file(path, "old", 3);
    ck_assert_int_eq(sy_trace_create(path, "n", NULL, &writer, &sink.diag), SY_OK);
    sy_trace_abandon(writer);
    struct bytes bytes = read_bytes(path);
    ck_assert_uint_eq(bytes.length, 3);
    free(bytes.data);
    ck_assert_int_eq(sy_trace_create(path, "n", NULL, &writer, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_trace_finish(writer), SY_OK);
    ck_assert_int_eq(sy_trace_verify(path, NULL, NULL, &sink.diag), SY_OK);
}
END_TEST

START_TEST(workloads_are_written_with_their_repeat_blocks)
{
    struct sy_workload *workload;
    struct sy_layer layer;
    sy_layer_init(&layer, SY_OP_GEMM);
    layer.name = "g";
    layer.in[1].name = "w";
    layer.dim.gemm.m = 2;
    layer.dim.gemm.k = 3;
    layer.dim.gemm.n = 5;
    ck_assert_int_eq(sy_workload_create("net", &workload), SY_OK);
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_add_repeat(workload, 7), SY_OK);
    ck_assert_int_eq(sy_workload_add_layer(workload, &layer), SY_OK);
    ck_assert_int_eq(sy_workload_end_repeat(workload), SY_OK);
    ck_assert_int_eq(sy_workload_add_unmodelled(workload, "NMS", 12), SY_OK);
    workload->unread = (struct sy_unread){.elements = 11, .bytes = 44};
    const char *path = scratch_path(&scratch, "w.slt.gz");
    ck_assert_int_eq(sy_trace_write_workload(path, workload, NULL, &sink.diag), SY_OK);
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_trace_info info;
    struct sy_workload_totals totals;
    ck_assert_int_eq(sy_trace_collect_info(path, NULL, 0, arena, &info, &sink.diag), SY_OK);
    ck_assert(sy_workload_totals(workload, &totals));
    ck_assert_str_eq(info.name, "net");
    ck_assert_uint_eq(info.records, 6);
    ck_assert_uint_eq(info.layers_unrolled, 8);
    ck_assert_uint_eq(info.macs, 8 * 2 * 3 * 5);
    ck_assert_uint_eq(info.op_count[SY_OP_GEMM], 8);
    ck_assert_uint_eq(info.op_macs[SY_OP_GEMM], info.macs);
    ck_assert_uint_eq(info.parameters, totals.parameters);
    ck_assert_uint_eq(info.weight_bytes, totals.weight_bytes);
    ck_assert_uint_eq(info.activation_bytes, totals.activation_bytes);
    ck_assert(info.has_index && info.blocks == 1);
    struct bytes bytes = read_bytes(path);
    ck_assert_uint_eq(info.compressed_bytes, bytes.length);
    free(bytes.data);
    sy_arena_destroy(arena);
    sy_workload_destroy(workload);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("trace round trip");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, random_traces_come_back_field_by_field);
    tcase_add_test(tcase, the_text_and_its_digest_do_not_depend_on_the_container);
    tcase_add_test(tcase, gzip_members_cut_anywhere_and_memory_read_the_same);
    tcase_add_test(tcase, pack_keeps_the_text_byte_for_byte);
    tcase_add_test(tcase, python_gzip_reads_ours_and_we_read_pythons);
    tcase_add_test(tcase, an_independent_reader_of_the_format_page_finds_every_block);
    tcase_add_test(tcase, a_full_disk_is_reported);
    tcase_add_test(tcase, the_writer_refuses_what_the_reader_would_not_take);
    tcase_add_test(tcase, nothing_appears_until_the_trace_is_finished);
    tcase_add_test(tcase, workloads_are_written_with_their_repeat_blocks);
    return run_case("trace round trip", tcase);
}
