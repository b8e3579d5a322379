/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader says about text that is not a trace, and that every form the grammar allows is read as it is meant.
 */
#include "tests/unit/trace_support.h"

static struct memory_sink sink;

static void setup(void)
{
    sink_start(&sink);
}

/* Read text to the end or to the first error; the last layer stays in *last when it is not NULL. */
static enum sy_status read_text(const char *text, size_t length, struct sy_trace_record *last)
{
    struct sy_trace_reader *reader;
    struct sy_trace_record record;
    static char names[3][5000];
    enum sy_status status = sy_trace_open("t.slt", text, length, &reader, &sink.diag);
    if (status != SY_OK) {
        return status;
    }
    do {
        status = sy_trace_next(reader, &record);
        if (status == SY_OK && record.kind != SY_TRACE_END && last != NULL) {
            *last = record;
            if (record.kind == SY_TRACE_LAYER) { /* names live only until the next call */
                const char **name[3] = {&last->layer.name, &last->layer.in[0].name, &last->layer.out.name};
                for (int i = 0; i < 3; i++) {
                    if (*name[i] != NULL) {
                        (void)snprintf(names[i], sizeof names[i], "%s", *name[i]);
                        *name[i] = names[i];
                    }
                }
            }
        }
    } while (status == SY_OK && record.kind != SY_TRACE_END);
    sy_trace_close(reader);
    return status;
}

/* One record line in an otherwise good trace. */
static enum sy_status read_line(const char *line, struct sy_trace_record *last)
{
    char text[9000];
    (void)snprintf(text, sizeof text, "systole-trace 1\n%s\nend 1\n", line);
    return read_text(text, strlen(text), last);
}

/* ---- what is refused, and how ---- */

#define GEMM "gemm g m=1 k=2 n=3 "
#define ATTENTION "attention g "

static const struct {
    const char *line;
    uint32_t column;
    const char *message; /* begins with */
    const char *hint;    /* begins with, or NULL = whatever */
} bad_lines[] = {
    {"gem g m=1 k=2 n=3", 1, "'gem' is not an operator, a command or another record", "did you mean gemm?"},
    {"  Gemm g m=1 k=2 n=3", 3, "'Gemm' is not an operator", NULL},
    {"gemm", 5, "'' is not a name", NULL},
    {"gemm\"g\" m=1 k=2 n=3", 5, "'\"g\"' follows a value; expected a blank", NULL},
    {"gemm g:h m=1", 7, "':h' follows a value; expected a blank", NULL},
    {"gemm g m=1 k=2", 15, "gemm has no n=", NULL},
    {"gemm g m=1 k=2 nn=3", 16, "'nn=3' is not a key of gemm", "did you mean n?"},
    {"gemm g m=1 k=2 n=3 m=1", 20, "m is given twice", NULL},
    {"gemm g m=1 k=2 n", 17, "expected '=' after n", NULL},
    {"gemm g m= k=2 n=3", 10, "'' is not a number below 2^64", "numbers are decimal digits"},
    {"gemm g m=01 k=2 n=3", 10, "'01' is not a number below 2^64", NULL},
    {"gemm g m=-1 k=2 n=3", 10, "'-1' is not a number below 2^64", NULL},
    {"gemm g m=+1 k=2 n=3", 10, "'+1' is not a number below 2^64", NULL},
    {"gemm g m=1e3 k=2 n=3", 10, "'1e3' is not a number below 2^64", "numbers are decimal digits without sign"},
    {"gemm g m=0x10 k=2 n=3", 10, "'0x10' is not a number below 2^64", NULL},
    {"gemm g m=1.5 k=2 n=3", 10, "'1.5' is not a number below 2^64", NULL},
    {"gemm g m=18446744073709551616 k=2 n=3", 10, "'18446744073709551616' is not a number below 2^64", NULL},
    {"gemm g m=99999999999999999999999 k=2 n=3", 10, "'99999999999999999999999' is not a number below 2^64", NULL},
    {"gemm g m=0 k=2 n=3", 10, "m is 0; expected 1 to 17592186044416", NULL},
    {"gemm g m=17592186044417 k=2 n=3", 10, "m is 17592186044417; expected 1 to 17592186044416", NULL},
    {GEMM "a=x", 23, "the tensor has no data type; expected ':'", "a tensor is written NAME:DTYPE"},
    {GEMM "a=:int8", 22, "':int8' is not a name", NULL},
    {GEMM "a=x:int9", 24, "'int9' is not a data type", "did you mean int"},
    {GEMM "a=x:int8:wieght", 29, "'wieght' is not a tensor flag", "did you mean weight?"},
    {GEMM "a=x:int8:weight:weight", 36, "flag weight is given twice", NULL},
    {GEMM "a=\"x:int8", 22, "this quoted name has no closing quote", NULL},
    {GEMM "a=\"\\q\":int8", 23, "'\\q\":int8' is not an escape", "escapes are"},
    {GEMM "a=\"\\x00\":int8", 23, "'\\x00\":int8' is not an escape", NULL},
    {GEMM "a=\"\\x4\":int8", 23, "'\\x4\":int8' is not an escape", NULL},
    {GEMM "a=\"\t\":int8", 23, "a control character stands in a name", "write it as \\xHH"},
    {GEMM "a=\"\xff\":int8", 23, "this byte is not UTF-8", "write it as \\xHH"},
    {GEMM "a=\xc3:int8", 22, "this byte is not UTF-8", NULL},
    {GEMM "e=x:int8 e=x:int8 e=x:int8 e=x:int8 e=x:int8", 58, "more than 4 inputs", NULL},
    {GEMM "e=x:int8 e=x:int8 e=x:int8", 46, "the layer reads 5 tensors; the most is 4", NULL},
    {GEMM "acc=int31", 24, "'int31' is not a data type", "did you mean int"},
    {GEMM "post=", 25, "'' is not a function", NULL},
    {GEMM "post=relu+", 30, "'' is not a function", NULL},
    {GEMM "post=relu,bn", 29, "',bn' follows a value", NULL},
    {GEMM "post=rleu", 25, "'rleu' is not a function", "did you mean relu?"},
    {GEMM "post=relu+relu+relu+relu+relu+relu+relu", 55, "more than 6 functions in post", NULL},
    {GEMM "sparsity=4:2", 29, "sparsity keeps 4 of 2; expected 1 <= keep <= group", NULL},
    {GEMM "sparsity=0:2", 29, "sparsity keeps 0 of 2", NULL},
    {GEMM "zeros=101:0", 26, "zeros are 101:0 percent of A and B; expected 0 to 100", NULL},
    {GEMM "zeros=40", 28, "expected percent of A:percent of B", NULL},
    {GEMM "toggles=0", 28, "0 percent of the bits toggle; expected 1 to 100", NULL},
    {GEMM "sequences=1x1:2", 20, "'sequences=1x1:2' is not a key of gemm", NULL},
    {ATTENTION "sequences=", 23, "expected COUNTxQUERIES:KEYS", NULL},
    {ATTENTION "sequences=1x1:2,1x:3", 29, "'1x:3' is no kind of sequence", "for example"},
    {ATTENTION "sequences=1x1:2,", 29, "'' is no kind of sequence", NULL},
    {ATTENTION "sequences=1x1:2:3", 23, "'1x1:2:3' is no kind of sequence", NULL},
    {GEMM "sparsity=2", 30, "expected keep:group", NULL},
    {"pass decode 8 8 4096 0", 22, "0 chips run the pass; expected 1 or more", NULL},
    {GEMM "fuse=1:8:keep", 25, "fuse takes 1 layers in strips of 8 rows; expected 2 to 32 layers, 1 row or more", NULL},
    {GEMM "fuse=33:8:keep", 25, "fuse takes 33 layers", NULL},
    {GEMM "fuse=3:0:keep", 25, "fuse takes 3 layers in strips of 0 rows", NULL},
    {GEMM "fuse=3:8", 28, "expected layers:rows:keep or layers:rows:recompute", NULL},
    {GEMM "fuse=3:8:kept", 28, "expected layers:rows:keep or layers:rows:recompute", NULL},
    {GEMM "fuse=3", 26, "expected layers:rows:keep", NULL},
    {GEMM "tile0=1,2", 29, "expected m,k,n", NULL},
    {GEMM "tile8=1,2,3", 20, "'tile8=1,2,3' is not a key of gemm", NULL},
    {GEMM "order0=mmk", 27, "'mmk' is not a loop order", NULL},
    {GEMM "order0=mnkm", 30, "'m' follows a value", NULL},
    {GEMM "order0=mn", 27, "'mn' is not a loop order", NULL},
    {GEMM "dataflow=", 29, "'' is not a dataflow name of 1 to 7 letters", NULL},
    {GEMM "dataflow=weights8", 29, "'weights8' is not a dataflow name", NULL},
    {GEMM "resident=D", 29, "'D' cannot stay resident; expected A, B or C", NULL},
    {"elementwise e elements=4 function=gleu a=x:int8", 35, "'gleu' is not a value of function", "did you mean gelu?"},
    {"load D bytes=4", 6, "'D' is not an operand; expected A, B or C", NULL},
    {"load A", 7, "load has no bytes=", NULL},
    {"load A bytes=0", 14, "bytes is 0; expected 1 to", NULL},
    {"load A bytes=4 level=256", 22, "level is 256; expected 0 to 255", NULL},
    {"load A bytes=4 level=255", 25, "level 255 has no level outside it", NULL},
    {"load A bytes=4 rows=4611686018427387904", 1, "the bytes moved do not fit 64-bit addresses", NULL},
    {"load A bytes=4 scatter=3", 1, "rows are scattered over fewer bytes than one pitch", NULL},
    {"load A bytes=4 pitch=0 scatter=3", 1, "rows are scattered over fewer bytes than one pitch", NULL},
    {"load A bytes=4 at=9 scatter=18446744073709551610", 1, "rows are scattered over", NULL},
    {"load A bytes=4 at=18446744073709551615", 1, "the bytes moved do not fit 64-bit addresses", NULL},
    {"matmul m=1 k=1 n=1 acc=2", 24, "acc is 2; expected 0 to 1", NULL},
    {"matmul m=1 k=1 n=1 a=int7", 22, "'int7' is not a data type", NULL},
    {"wait <1", 7, "the dependency reaches back 1 commands; 0 come before this one", NULL},
    {"wait <0", 7, "the dependency reaches back 0 commands", NULL},
    {"wait <x", 7, "'x' is not a number", NULL},
    {"wait on", 6, "'on' is not a key of wait", NULL},
    {"repeat {", 8, "'{' is not a number", NULL},
    {"repeat 0 {", 8, "repeat 0; expected at least 1", NULL},
    {"repeat 2", 9, "expected '{' after repeat 2", NULL},
    {"repeat 2 { gemm", 12, "'gemm' follows the end of the record", NULL},
    {"}", 0, "this } closes no repeat block", NULL},
    {"} }", 3, "'}' follows the end of the record", NULL},
    {"unmodelled x 1", 15, "'' is not a number", NULL},
    {"unmodelled x 1 2 3", 18, "'3' follows the end of the record", NULL},
    {"end 0 0", 7, "'0' follows the end of the record", NULL},
    {"net", 4, "'' is not a name", NULL},
};

START_TEST(bad_lines_are_refused_with_line_column_and_message)
{
    for (size_t i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
        sink_start(&sink);
        enum sy_status status = read_line(bad_lines[i].line, NULL);
        bool fits =
            status == SY_INPUT && sink.line == 2 && sink.column == bad_lines[i].column &&
            strncmp(sink.message, bad_lines[i].message, strlen(bad_lines[i].message)) == 0 &&
            (bad_lines[i].hint == NULL || strncmp(sink.hint, bad_lines[i].hint, strlen(bad_lines[i].hint)) == 0);
        if (!fits) {
            ck_abort_msg("%s: status %d, %u:%u %s (%s)", bad_lines[i].line, status, sink.line, sink.column,
                         sink.message, sink.hint);
        }
    }
}
END_TEST

static const struct {
    const char *text;
    uint32_t line;
    const char *message;
    enum sy_status status;
} bad_texts[] = {
    {"\n", 1, "this is not a layer trace; expected 'systole-trace 1'", SY_INPUT},
    {"Layer name, IFMAP\n", 1, "this is not a layer trace", SY_INPUT},
    {"systole-trace 2\nend 0\n", 1, "this trace is not of version 1", SY_INPUT},
    {"systole-trace 10\nend 0\n", 1, "this trace is not of version 1", SY_INPUT},
    {"systole-trace 1", 1, "the last line has no newline: the trace was cut", SY_INPUT},
    {"systole-trace 1\n", 2, "the trace ends without its end line: it was cut after 0 records", SY_INPUT},
    {"systole-trace 1\nend 0", 2, "the last line has no newline", SY_INPUT},
    {"systole-trace 1\nend 1\n", 2, "the end line counts 1 records; 0 stand before it", SY_INPUT},
    {"systole-trace 1\n" GEMM "\nend 0\n", 3, "the end line counts 0 records; 1 stand before it", SY_INPUT},
    {"systole-trace 1\nend 0\n# more\n", 3, "text follows the end line", SY_INPUT},
    {"systole-trace 1\nend 0\n" GEMM "\n", 3, "text follows the end line", SY_INPUT},
    {"systole-trace 1\nrepeat 2 {\n" GEMM "\nend 2\n", 4, "the repeat block of line 2 is not closed", SY_INPUT},
    {"systole-trace 1\nrepeat 2 {\n}\nend 2\n", 3, "the repeat block of line 2 is empty", SY_INPUT},
    {"systole-trace 1\nnet a\nnet b\nend 0\n", 3, "a second net line", SY_INPUT},
    {"systole-trace 1\n" GEMM "\nnet b\nend 1\n", 3, "the net line stands behind a record", SY_INPUT},
    {"systole-trace 1\nrepeat 4294967296 {\nrepeat 4294967296 {\n" GEMM "\n}\n}\nend 5\n", 3,
     "repeat blocks inside each other repeat more than 2^64 times", SY_OVERFLOW},
    {"systole-trace 1\n" GEMM "\nload A bytes=4\nwait <2\nend 3\n", 4, "the dependency reaches back 2 commands; 1 come",
     SY_INPUT},
    {"systole-trace 1\n" GEMM "\nload A bytes=4\n" GEMM "\nwait <2\nend 4\n", 5,
     "the dependency reaches back 2 commands; 1 come", SY_INPUT},
    /* refused by sy_layer_check */
    {"systole-trace 1\nconv c h=4 w=4 c=4 n=4 fh=1 fw=1 groups=3\nend 1\n", 2, "layer 'c': groups is 3", SY_INPUT},
    {"systole-trace 1\nconv c h=4 w=4 c=4 n=4 fh=5 fw=1\nend 1\n", 2, "layer 'c': a filter of 5 x 1", SY_INPUT},
    {"systole-trace 1\ngemm c m=1099511627776 n=1099511627776 k=1\nend 1\n", 2, "layer 'c': the number of multiply",
     SY_INPUT},
};

START_TEST(bad_texts_are_refused_with_their_line)
{
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        sink_start(&sink);
        enum sy_status status = read_text(bad_texts[i].text, strlen(bad_texts[i].text), NULL);
        if (status != bad_texts[i].status || sink.line != bad_texts[i].line ||
            strncmp(sink.message, bad_texts[i].message, strlen(bad_texts[i].message)) != 0) {
            ck_abort_msg("%s: status %d, line %u: %s", bad_texts[i].text, status, sink.line, sink.message);
        }
    }
}
END_TEST

START_TEST(an_empty_file_and_a_folder_are_refused)
{
    struct sy_trace_reader *reader;
    ck_assert_int_eq(sy_trace_open("none", "", 0, &reader, &sink.diag), SY_INPUT);
    ck_assert_str_eq(sink.message, "the file is empty; expected a layer trace");
    ck_assert_int_eq(sy_trace_open("/", NULL, 0, &reader, &sink.diag), SY_IO);
    ck_assert_str_eq(sink.message, "this is a directory; expected a layer trace");
    ck_assert_int_eq(sy_trace_open("/nonexistent/x.slt", NULL, 0, &reader, &sink.diag), SY_IO);
    ck_assert_ptr_null(reader);
    ck_assert_int_eq(sy_trace_open("/dev/null", NULL, 0, &reader, &sink.diag), SY_INPUT);
}
END_TEST

START_TEST(nesting_and_lengths_are_bounded)
{
    struct sy_buf text = {0};
    for (int depth = 16; depth <= 17; depth++) {
        sy_buf_clear(&text);
        sy_buf_puts(&text, "systole-trace 1\n");
        for (int i = 0; i < depth; i++) {
            sy_buf_puts(&text, "repeat 2 {\n");
        }
        sy_buf_puts(&text, GEMM "\n");
        for (int i = 0; i < depth; i++) {
            sy_buf_puts(&text, "}\n");
        }
        sy_buf_printf(&text, "end %d\n", 2 * depth + 1);
        ck_assert_int_eq(read_text(text.data, text.length, NULL), depth == 16 ? SY_OK : SY_INPUT);
    }
    ck_assert(strstr(sink.message, "more than 16 repeat blocks") != NULL);
    for (int over = 0; over <= 1; over++) { /* names of 4096 bytes pass, one more does not; quoted or bare */
        for (int quoted = 0; quoted <= 1; quoted++) {
            sy_buf_clear(&text);
            sy_buf_puts(&text, "systole-trace 1\ngemm ");
            sy_buf_puts(&text, quoted ? "\"" : "");
            for (int i = 0; i < 4096 + over; i++) {
                sy_buf_puts(&text, quoted && i % 2 == 0 ? "\\x41" : "a");
            }
            sy_buf_puts(&text, quoted ? "\"" : "");
            sy_buf_puts(&text, " m=1 k=1 n=1\nend 1\n");
            sink_start(&sink);
            ck_assert_int_eq(read_text(text.data, text.length, NULL), over ? SY_INPUT : SY_OK);
            ck_assert(!over || strstr(sink.message, "longer than 4096 bytes") != NULL);
        }
    }
    static const size_t spaces[] = {131072 - 2, 131072 - 1, 131072, 3000000}; /* a comment line: blanks, '#', newline */
    for (int i = 0; i < 4; i++) {
        sy_buf_clear(&text);
        sy_buf_puts(&text, "systole-trace 1\n");
        char *blanks = malloc(spaces[i] + 1);
        memset(blanks, ' ', spaces[i]);
        sy_buf_append(&text, blanks, spaces[i]);
        free(blanks);
        sy_buf_puts(&text, "#\nend 0\n");
        sink_start(&sink);
        ck_assert_int_eq(read_text(text.data, text.length, NULL), i == 0 ? SY_OK : SY_INPUT);
        ck_assert(i == 0 || strstr(sink.message, "longer than 131072 bytes") != NULL);
    }
    sy_buf_free(&text);
}
END_TEST

START_TEST(every_name_of_a_record_may_have_the_longest_length)
{
    struct sy_buf text = {0};
    char *name = calloc(1, 4097);
    memset(name, 'n', 4096);
    for (int extras = 0; extras <= 5; extras++) { /* refused from one on, and only then; the names fill their room */
        sy_buf_clear(&text);
        sy_buf_printf(&text, "systole-trace 1\nmove %s elements=4 a=%s:int8 b=%s:int8 c=%s:int8 d=%s:int8 y=%s:int8",
                      name, name, name, name, name, name);
        for (int i = 0; i < extras; i++) {
            sy_buf_printf(&text, " e=%s:int8", name);
        }
        sy_buf_puts(&text, "\nend 1\n");
        ck_assert_int_eq(read_text(text.data, text.length, NULL), extras == 0 ? SY_OK : SY_INPUT);
    }
    ck_assert(strstr(sink.message, "more than 4 inputs") != NULL);
    sy_buf_clear(&text);
    sy_buf_printf(&text, "systole-trace 1\nnet %s\nunmodelled %s 1 2\nend 1\n", name, name);
    ck_assert_int_eq(read_text(text.data, text.length, NULL), SY_OK);
    free(name);
    sy_buf_free(&text);
}
END_TEST

/* ---- what is taken ---- */

START_TEST(keys_come_in_any_order_and_defaults_fill_in)
{
    struct sy_trace_record got;
    if (read_line(" \tconv  c1\ty=out:bf16  a=in:int8:state:pinned fw=3 fh=5 n=64 c=3\tw=20 h=10 post=bn+relu+add "
                  "e=res:int8:shared sw=2 \t# comment",
                  &got) != SY_OK) {
        ck_abort_msg("%s", sink.message);
    }
    struct sy_layer want;
    sy_layer_init(&want, SY_OP_CONV);
    want.name = "c1";
    want.dim.conv.h = 10;
    want.dim.conv.w = 20;
    want.dim.conv.c = 3;
    want.dim.conv.n = 64;
    want.dim.conv.fh = 5;
    want.dim.conv.fw = 3;
    want.dim.conv.sw = 2;
    want.in[0] = (struct sy_tensor){"in", SY_INT8, SY_TENSOR_STATE | SY_TENSOR_PINNED};
    want.in[2] = (struct sy_tensor){"res", SY_INT8, SY_TENSOR_SHARED};
    want.inputs = 3;
    want.out = (struct sy_tensor){"out", SY_BF16, 0};
    want.epilogue[0] = SY_FN_BN;
    want.epilogue[1] = SY_FN_RELU;
    want.epilogue[2] = SY_FN_ADD;
    want.epilogues = 3;
    got.layer.in[2].name = "res"; /* not copied by read_text */
    expect_same_layer(&got.layer, &want);
    ck_assert_uint_eq(got.layer.line, 2);
    ck_assert_uint_eq(got.line, 2);
    ck_assert_uint_eq(got.byte_offset, 16);
}
END_TEST

START_TEST(a_schedule_is_read_level_by_level)
{
    struct sy_trace_record got;
    ck_assert_int_eq(read_line(GEMM "order2=nkm tile0=128,64,32 dataflow=ws resident=B sparsity=2:4", &got), SY_OK);
    const struct sy_schedule *schedule = &got.layer.schedule;
    ck_assert(got.layer.has_schedule);
    ck_assert_uint_eq(schedule->levels, 3);
    ck_assert(schedule->tile[0][0] == 128 && schedule->tile[0][1] == 64 && schedule->tile[0][2] == 32);
    ck_assert_uint_eq(schedule->tile[1][0], 0);
    ck_assert_str_eq(schedule->order[2], "nkm");
    ck_assert_str_eq(schedule->order[0], "");
    ck_assert_str_eq(schedule->dataflow, "ws");
    ck_assert_int_eq(schedule->resident, 'B');
    ck_assert(got.layer.sparsity.keep == 2 && got.layer.sparsity.group == 4);
}
END_TEST

START_TEST(names_are_unquoted_and_a_bare_dash_is_no_name)
{
    struct sy_trace_record got;
    ck_assert_int_eq(
        read_line("gemm \"\\\"a\\\\ \\n\\t\\r\\x41\\xfF\xc3\xa9#:={}\" m=1 k=1 n=1 a=-:int8 y=\"-\":int8", &got),
        SY_OK);
    ck_assert_str_eq(got.layer.name, "\"a\\ \n\t\rA\xff\xc3\xa9#:={}");
    ck_assert_ptr_null(got.layer.in[0].name);
    ck_assert_str_eq(got.layer.out.name, "-");
    ck_assert_int_eq(read_line("gemm - m=1 k=1 n=1 y=\"\":int8", &got), SY_OK);
    ck_assert_ptr_null(got.layer.name);
    ck_assert_str_eq(got.layer.out.name, "");
}
END_TEST

START_TEST(commands_have_their_defaults)
{
    struct sy_trace_record got;
    ck_assert_int_eq(read_line("load B level=2 bytes=64 rows=3", &got), SY_OK);
    ck_assert(got.kind == SY_TRACE_COMMAND && got.command.kind == SY_CMD_LOAD && got.command.operand == 1);
    ck_assert(got.command.level == 2 && got.command.u.move.parent == 3);
    ck_assert(got.command.u.move.rows == 3 && got.command.u.move.pitch_bytes == 64);
    ck_assert(got.command.u.move.address == 0 && got.command.dependencies == 0);
    static const char text[] = "systole-trace 1\nload A bytes=1\nmatmul m=1 k=2 n=3 <1.load_a\n"
                               "vector n=6 follows=1 <1f.vector <2\nstore C bytes=6 <1 <2s.buffer_full\nend 4\n";
    ck_assert_int_eq(read_text(text, sizeof text - 1, &got), SY_OK);
    ck_assert(got.command.kind == SY_CMD_STORE && got.command_id == 3 && got.command.dependencies == 2);
    ck_assert(got.command.dependency[0].command == 2 && got.command.dependency[0].point == SY_POINT_DONE);
    ck_assert(got.command.dependency[0].stall == SY_STALL_DEPENDENCY);
    ck_assert(got.command.dependency[1].command == 1 && got.command.dependency[1].point == SY_POINT_STREAMED);
    ck_assert(got.command.dependency[1].stall == SY_STALL_BUFFER_FULL);
}
END_TEST

START_TEST(the_workload_is_named_by_the_net_line_or_the_file)
{
    static const struct {
        const char *path, *text, *name;
    } cases[] = {
        {"a/b/resnet50.slt.gz", "systole-trace 1\nend 0\n", "resnet50"},
        {"resnet50.slt", "systole-trace 1\n# no name\nend 0\n", "resnet50"},
        {"x.gz", "systole-trace 1\n# c\n\n net  \"my net\" # it\nend 0\n", "my net"},
        {".slt", "systole-trace 1\nend 0\n", ".slt"},
        {"y.slt", "systole-trace 1\r\nnet -\r\nend 0\r\n", "y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_trace_reader *reader;
        struct sy_trace_record record;
        ck_assert_int_eq(sy_trace_open(cases[i].path, cases[i].text, strlen(cases[i].text), &reader, &sink.diag),
                         SY_OK);
        ck_assert_str_eq(sy_trace_workload_name(reader), cases[i].name);
        ck_assert_int_eq(sy_trace_next(reader, &record), SY_OK);
        ck_assert_int_eq(record.kind, SY_TRACE_END);
        ck_assert_str_eq(sy_trace_workload_name(reader), cases[i].name);
        sy_trace_close(reader);
    }
}
END_TEST

/* ---- the documentation ---- */

START_TEST(every_example_of_the_format_page_is_a_trace)
{
    const char *root = getenv("SYSTOLE_DATA");
    char path[400];
    (void)snprintf(path, sizeof path, "%s/docs/formats.md", root != NULL ? root : ".");
    char *page = NULL;
    size_t length = 0;
    int examples = 0;
    ck_assert_int_eq(sy_read_file(path, 1 << 20, &page, &length, NULL), SY_OK);
    for (const char *at = page; (at = strstr(at, "```\nsystole-trace")) != NULL; at++) {
        const char *text = at + 4, *end = strstr(text, "\n```");
        ck_assert_ptr_nonnull(end);
        if (read_text(text, (size_t)(end + 1 - text), NULL) != SY_OK) {
            ck_abort_msg("%s: line %u of an example: %s", path, sink.line, sink.message);
        }
        examples++;
    }
    ck_assert_int_eq(examples, 3);
    free(page);
}
END_TEST

/* ---- the table ---- */

START_TEST(no_operator_has_a_key_of_the_grammar_or_a_key_twice)
{
    static const char *const common[] = {"e",     "y",       "acc",      "post",     "sparsity", "fuse",
                                         "zeros", "toggles", "dataflow", "resident", "sequences"};
    for (int op = 0; op < SY_OP_COUNT; op++) {
        const char *names[64];
        size_t count = 0;
        for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
            names[count++] = common[i];
        }
        for (uint32_t i = 0; i < sy_ops[op].dims; i++) {
            names[count++] = sy_ops[op].dim[i].name;
        }
        for (uint32_t i = 0; sy_ops[op].input_names[i] != NULL; i++) {
            names[count++] = sy_ops[op].input_names[i];
        }
        for (size_t i = 0; i < count; i++) {
            ck_assert(strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(names[i]));
            ck_assert(strncmp(names[i], "tile", 4) != 0 && strncmp(names[i], "order", 5) != 0);
            for (size_t j = 0; j < i; j++) {
                ck_assert_msg(strcmp(names[i], names[j]) != 0, "%s of %s", names[i], sy_ops[op].name);
            }
        }
    }
}
END_TEST

START_TEST(every_stall_cause_has_a_name_of_its_own)
{
    for (int i = 0; i < SY_STALL_COUNT; i++) {
        ck_assert_ptr_nonnull(sy_stall_names[i]);
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(sy_stall_names[i], sy_stall_names[j]);
        }
    }
    ck_assert_str_eq(sy_stall_names[SY_STALL_LOAD_A], "load_a");
    ck_assert_str_eq(sy_stall_names[SY_STALL_NO_WORK], "no_work");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("trace syntax");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, bad_lines_are_refused_with_line_column_and_message);
    tcase_add_test(tcase, bad_texts_are_refused_with_their_line);
    tcase_add_test(tcase, an_empty_file_and_a_folder_are_refused);
    tcase_add_test(tcase, nesting_and_lengths_are_bounded);
    tcase_add_test(tcase, every_name_of_a_record_may_have_the_longest_length);
    tcase_add_test(tcase, keys_come_in_any_order_and_defaults_fill_in);
    tcase_add_test(tcase, a_schedule_is_read_level_by_level);
    tcase_add_test(tcase, names_are_unquoted_and_a_bare_dash_is_no_name);
    tcase_add_test(tcase, commands_have_their_defaults);
    tcase_add_test(tcase, the_workload_is_named_by_the_net_line_or_the_file);
    tcase_add_test(tcase, every_example_of_the_format_page_is_a_trace);
    tcase_add_test(tcase, no_operator_has_a_key_of_the_grammar_or_a_key_twice);
    tcase_add_test(tcase, every_stall_cause_has_a_name_of_its_own);
    return run_case("trace syntax", tcase);
}
