/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of traces/ share: random layers and commands, comparison field by field, files in a scratch folder. */
#ifndef TESTS_UNIT_TRACE_SUPPORT_H
#define TESTS_UNIT_TRACE_SUPPORT_H

#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/base/text.h"
#include "tests/unit/base_support.h"
#include "traces/trace.h"

/* ---- scratch files ---- */

struct scratch {
    char folder[256];
};

static inline void scratch_open(struct scratch *scratch)
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(scratch->folder, sizeof scratch->folder, "%s/systole-trace-XXXXXX",
                   parent != NULL ? parent : P_tmpdir);
    if (mkdtemp(scratch->folder) == NULL) {
        ck_abort_msg("no scratch folder");
    }
}

static inline void scratch_close(const struct scratch *scratch)
{
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", scratch->folder);
    EXPECT(system(command) == 0);
}

/* Valid until the fourth call after this one. */
static inline const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char paths[4][400];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch->folder, name);
    return path;
}

static inline void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL && fwrite(data, 1, length, file) == length && fclose(file) == 0);
}

struct bytes {
    unsigned char *data;
    size_t length;
};

static inline struct bytes read_bytes(const char *path)
{
    char *data = NULL;
    struct bytes bytes = {0};
    EXPECT(sy_read_file(path, UINT64_C(1) << 30, &data, &bytes.length, NULL) == SY_OK);
    bytes.data = (unsigned char *)data;
    return bytes;
}

/* Inflate every member of a gzip file with zlib alone. */
static inline struct bytes gunzip(const struct bytes *packed)
{
    struct bytes text = {.data = malloc((size_t)64 << 20)};
    z_stream z = {.next_in = packed->data, .avail_in = (uInt)packed->length};
    EXPECT(text.data != NULL && inflateInit2(&z, 15 + 16) == Z_OK);
    while (z.avail_in > 0) {
        z.next_out = text.data + text.length;
        z.avail_out = (uInt)(((size_t)64 << 20) - text.length);
        EXPECT(inflate(&z, Z_FINISH) == Z_STREAM_END);
        text.length = (size_t)(z.next_out - text.data);
        EXPECT(inflateReset(&z) == Z_OK);
    }
    (void)inflateEnd(&z);
    return text;
}

static inline void gzip_text(const char *path, const char *text, size_t length, size_t member)
{
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL);
    static unsigned char packed[1 << 20];
    for (size_t at = 0; at < length; at += member) {
        size_t take = length - at < member ? length - at : member;
        z_stream z = {.next_in = (Bytef *)(uintptr_t)(text + at), .avail_in = (uInt)take};
        z.next_out = packed;
        z.avail_out = sizeof packed;
        EXPECT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        EXPECT(deflate(&z, Z_FINISH) == Z_STREAM_END);
        EXPECT(fwrite(packed, 1, sizeof packed - z.avail_out, file) == sizeof packed - z.avail_out);
        (void)deflateEnd(&z);
    }
    EXPECT(fclose(file) == 0);
}

/* ---- random records ---- */

static inline uint64_t below(uint64_t *seed, uint64_t limit)
{
    return next_random(seed) % limit;
}

/* A name of any bytes but NUL, often plain, sometimes hostile; NULL now and then. Lives in one of 16 turns. */
static inline const char *random_name(uint64_t *seed)
{
    static char names[16][80];
    static unsigned turn;
    static const char *const odd[] = {"",
                                      "-",
                                      "a b",
                                      "\"",
                                      "\\",
                                      "a:b",
                                      "x=1",
                                      "#c",
                                      "{",
                                      "}",
                                      "net",
                                      "end",
                                      "caf\xc3\xa9",
                                      "\xe5\xb1\x82/1",
                                      "tab\there",
                                      "line\nbreak",
                                      "cr\r",
                                      "bad\xff\x80utf",
                                      "\x01\x7f",
                                      "onnx::Conv_497",
                                      "a+b,c",
                                      "1",
                                      "\xf0\x9f\x98\x80"};
    char *name = names[turn++ % 16];
    uint64_t kind = below(seed, 8);
    if (kind == 0) {
        return NULL;
    }
    if (kind == 1) {
        return odd[below(seed, sizeof odd / sizeof odd[0])];
    }
    if (kind == 2) {
        size_t length = below(seed, 70);
        for (size_t i = 0; i < length; i++) {
            name[i] = (char)(1 + below(seed, 255));
        }
        name[length] = '\0';
        return name;
    }
    (void)snprintf(name, sizeof names[0], "blocks.%u.attn/w_%u", (unsigned)below(seed, 40), (unsigned)below(seed, 9));
    return name;
}

static inline struct sy_tensor random_tensor(uint64_t *seed)
{
    return (struct sy_tensor){.name = random_name(seed),
                              .dtype = (enum sy_dtype)below(seed, SY_DTYPE_COUNT),
                              .flags = (uint32_t)below(seed, 16)};
}

static inline void random_schedule(uint64_t *seed, struct sy_schedule *schedule)
{
    static const char *const orders[] = {"", "mnk", "mkn", "nmk", "nkm", "kmn", "knm"};
    static const char *const dataflows[] = {"", "os", "ws", "is", "rs", "conv_ws"};
    schedule->levels = (uint32_t)below(seed, SY_MAX_SCHEDULE_LEVELS + 1);
    for (uint32_t i = 0; i < schedule->levels; i++) {
        for (uint32_t j = 0; j < 3; j++) {
            schedule->tile[i][j] = below(seed, 2) * below(seed, 1 << 20);
        }
        strcpy(schedule->order[i], orders[below(seed, 7)]);
    }
    strcpy(schedule->dataflow, dataflows[below(seed, 6)]);
    schedule->resident = "\0ABC"[below(seed, 4)];
}

static inline void random_dimensions(uint64_t *seed, struct sy_layer *layer)
{
    const struct sy_op_info *info = &sy_ops[layer->op];
    for (uint32_t i = 0; i < info->dims; i++) {
        const struct sy_dim_info *dim = &info->dim[i];
        uint64_t range = dim->maximum - dim->minimum;
        uint64_t value = dim->minimum + below(seed, (range < 300 ? range : 300) + 1);
        if (!dim->required && below(seed, 2) == 0) {
            value = dim->default_value;
        }
        memcpy((char *)layer + dim->offset, &value, sizeof value);
    }
}

/* A ragged batch now and then; the text is good until the next few. */
static inline void random_sequences(uint64_t *seed, struct sy_attention_dims *dims)
{
    static char texts[8][128];
    static unsigned next;
    char *text = texts[next++ % 8];
    size_t length = 0;
    dims->b = dims->q_len = dims->kv_len = 0;
    for (uint64_t i = 0, kinds = 1 + below(seed, 4); i < kinds; i++) {
        unsigned long count = 1 + below(seed, 9), q = 1 + below(seed, 300), kv = q + below(seed, 300);
        length +=
            (size_t)snprintf(text + length, sizeof texts[0] - length, "%s%lux%lu:%lu", i > 0 ? "," : "", count, q, kv);
        dims->b += count;
        dims->q_len = q > dims->q_len ? q : dims->q_len;
        dims->kv_len = kv > dims->kv_len ? kv : dims->kv_len;
    }
    dims->sequences = text;
}

/* A layer that sy_layer_check accepts; tries until one is found. */
static inline void random_layer(uint64_t *seed, struct sy_layer *layer)
{
    do {
        enum sy_op op = (enum sy_op)below(seed, SY_OP_COUNT);
        bool matrix = op == SY_OP_GEMM || op == SY_OP_CONV;
        sy_layer_init(layer, op);
        layer->name = random_name(seed);
        random_dimensions(seed, layer);
        if (op == SY_OP_ATTENTION && below(seed, 2) == 0) {
            random_sequences(seed, &layer->dim.attention);
        }
        uint32_t operands = 0;
        if (matrix) {
            layer->epilogues = (uint32_t)below(seed, SY_MAX_EPILOGUE + 1);
            layer->sparsity = below(seed, 3) == 0 ? (struct sy_sparsity){2, 4} : (struct sy_sparsity){0, 0};
            layer->accumulator = (enum sy_dtype)below(seed, SY_DTYPE_COUNT);
        }
        if (below(seed, 4) == 0) {
            layer->fuse = (struct sy_fuse){2 + (uint32_t)below(seed, SY_FUSE_LAYERS - 1), (uint32_t)below(seed, 2),
                                           1 + below(seed, 1000)};
        }
        if ((matrix || op == SY_OP_ATTENTION) && below(seed, 3) == 0) {
            layer->values.has_zeros = true;
            layer->values.zeros_a = (uint8_t)below(seed, 101);
            layer->values.zeros_b = (uint8_t)below(seed, 101);
            layer->values.toggles = (uint8_t)below(seed, 101);
        }
        for (uint32_t i = 0; i < layer->epilogues; i++) {
            layer->epilogue[i] = (enum sy_function)below(seed, SY_FUNCTION_COUNT);
            operands += sy_functions[layer->epilogue[i]].inputs - 1;
        }
        uint32_t own = sy_ops[op].min_inputs;
        own += (uint32_t)below(seed, sy_ops[op].max_inputs - own + 1);
        if (op == SY_OP_ELEMENTWISE) {
            own = sy_functions[layer->dim.elementwise.function].inputs;
        }
        layer->inputs = own + operands < SY_MAX_INPUTS ? own + operands : SY_MAX_INPUTS;
        for (uint32_t i = 0; i < layer->inputs; i++) {
            layer->in[i] = below(seed, 4) == 0 ? layer->in[i] : random_tensor(seed);
        }
        layer->out = below(seed, 4) == 0 ? layer->out : random_tensor(seed);
        if (matrix && below(seed, 3) == 0) {
            random_schedule(seed, &layer->schedule);
            const struct sy_schedule *s = &layer->schedule;
            layer->has_schedule = s->levels > 0 || s->dataflow[0] != '\0' || s->resident != 0;
        }
    } while (sy_layer_check(layer, "random", NULL) != SY_OK);
}

static inline void random_command(uint64_t *seed, struct sy_command *command, uint64_t id)
{
    memset(command, 0, sizeof *command);
    command->kind = (uint8_t)below(seed, SY_CMD_COUNT);
    uint64_t most = id < SY_MAX_DEPS ? id : SY_MAX_DEPS;
    command->dependencies = (uint8_t)below(seed, most + 1);
    for (uint32_t i = 0; i < command->dependencies; i++) {
        command->dependency[i] = (struct sy_dependency){.command = below(seed, id),
                                                        .point = (uint8_t)below(seed, 3),
                                                        .stall = (uint8_t)below(seed, SY_STALL_COUNT)};
    }
    uint64_t shift = below(seed, 64);
#define ANY (below(seed, 2) == 0 ? 0 : next_random(seed) >> shift)
#define SOME (1 + (next_random(seed) >> (shift < 40 ? 40 : shift)))
    if (command->kind == SY_CMD_LOAD || command->kind == SY_CMD_STORE) {
        command->operand = (uint8_t)below(seed, 3);
        command->level = (uint8_t)below(seed, below(seed, 8) == 0 ? 256 : 4);
        command->u.move.rows = SOME;
        command->u.move.row_bytes = SOME;
        command->u.move.pitch_bytes = below(seed, 2) ? command->u.move.row_bytes : SOME;
        command->u.move.address = next_random(seed) >> 1 >> (shift == 0 ? 0 : shift - 1);
        if (below(seed, 4) == 0) {
            command->u.move.pitch_bytes = 1 + below(seed, 5000);
            command->u.move.address >>= 1;
            command->u.move.scatter = command->u.move.pitch_bytes + SOME;
        }
        command->u.move.parent = (uint8_t)(below(seed, 2) ? command->level + 1 : (int)below(seed, 256));
    } else if (command->kind == SY_CMD_MATMUL) {
        command->u.matmul.m = SOME;
        command->u.matmul.k = SOME;
        command->u.matmul.n = SOME;
        command->u.matmul.repeat = below(seed, 2) ? 1 : SOME;
        command->u.matmul.dataflow = (uint8_t)below(seed, 256);
        command->u.matmul.a = (uint8_t)below(seed, SY_DTYPE_COUNT);
        command->u.matmul.b = (uint8_t)below(seed, SY_DTYPE_COUNT);
        command->u.matmul.accumulate = (uint8_t)below(seed, 2);
    } else if (command->kind == SY_CMD_VECTOR) {
        command->u.vector.elements = ANY;
        command->u.vector.simple_ops = ANY;
        command->u.vector.transcendental_ops = ANY;
        command->u.vector.reduce_ops = ANY;
        command->u.vector.bytes_in = ANY;
        command->u.vector.bytes_out = ANY;
        command->u.vector.follows = (uint8_t)below(seed, 2);
        command->u.vector.fused = (uint8_t)below(seed, 2);
    }
#undef ANY
#undef SOME
}

/* ---- comparison ---- */

static inline bool same_name(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static inline bool same_tensor(const struct sy_tensor *a, const struct sy_tensor *b)
{
    return same_name(a->name, b->name) && a->dtype == b->dtype && a->flags == b->flags;
}

static inline bool same_schedule(const struct sy_schedule *a, const struct sy_schedule *b)
{
    bool same = a->levels == b->levels && strcmp(a->dataflow, b->dataflow) == 0 && a->resident == b->resident;
    for (uint32_t i = 0; same && i < a->levels; i++) {
        same = memcmp(a->tile[i], b->tile[i], sizeof a->tile[i]) == 0 && strcmp(a->order[i], b->order[i]) == 0;
    }
    return same;
}

static inline void expect_same_layer(const struct sy_layer *a, const struct sy_layer *b)
{
    EXPECT(a->op == b->op);
    EXPECT(same_name(a->name, b->name));
    struct sy_layer x = *a, y = *b;
    if (a->op == SY_OP_ATTENTION) { /* a text: what it says, not where it stands */
        EXPECT(same_name(x.dim.attention.sequences, y.dim.attention.sequences));
        x.dim.attention.sequences = y.dim.attention.sequences = NULL;
    }
    EXPECT(memcmp(&x.dim, &y.dim, sizeof x.dim) == 0);
    EXPECT(a->inputs == b->inputs);
    for (uint32_t i = 0; i < a->inputs; i++) {
        EXPECT(same_tensor(&a->in[i], &b->in[i]));
    }
    EXPECT(same_tensor(&a->out, &b->out));
    EXPECT(a->accumulator == b->accumulator);
    EXPECT(a->epilogues == b->epilogues);
    EXPECT(memcmp(a->epilogue, b->epilogue, a->epilogues * sizeof a->epilogue[0]) == 0);
    EXPECT(a->sparsity.keep == b->sparsity.keep && a->sparsity.group == b->sparsity.group);
    EXPECT(a->values.has_zeros == b->values.has_zeros && a->values.toggles == b->values.toggles);
    EXPECT(a->values.zeros_a == b->values.zeros_a && a->values.zeros_b == b->values.zeros_b);
    EXPECT(a->fuse.layers == b->fuse.layers && a->fuse.halo == b->fuse.halo && a->fuse.strip == b->fuse.strip);
    EXPECT(a->has_schedule == b->has_schedule);
    EXPECT(same_schedule(&a->schedule, &b->schedule));
}

static inline void expect_same_command(const struct sy_command *a, const struct sy_command *b)
{
    EXPECT(a->kind == b->kind && a->operand == b->operand && a->level == b->level);
    EXPECT(a->dependencies == b->dependencies);
    for (uint32_t i = 0; i < a->dependencies; i++) {
        EXPECT(a->dependency[i].command == b->dependency[i].command);
        EXPECT(a->dependency[i].point == b->dependency[i].point && a->dependency[i].stall == b->dependency[i].stall);
    }
    if (a->kind == SY_CMD_LOAD || a->kind == SY_CMD_STORE) {
        EXPECT(a->u.move.rows == b->u.move.rows && a->u.move.row_bytes == b->u.move.row_bytes);
        EXPECT(a->u.move.pitch_bytes == b->u.move.pitch_bytes && a->u.move.address == b->u.move.address);
        EXPECT(a->u.move.parent == b->u.move.parent && a->u.move.scatter == b->u.move.scatter);
    } else if (a->kind == SY_CMD_MATMUL) {
        EXPECT(a->u.matmul.m == b->u.matmul.m && a->u.matmul.k == b->u.matmul.k && a->u.matmul.n == b->u.matmul.n);
        EXPECT(a->u.matmul.repeat == b->u.matmul.repeat && a->u.matmul.dataflow == b->u.matmul.dataflow);
        EXPECT(a->u.matmul.a == b->u.matmul.a && a->u.matmul.b == b->u.matmul.b);
        EXPECT(a->u.matmul.accumulate == b->u.matmul.accumulate);
    } else if (a->kind == SY_CMD_VECTOR) {
        EXPECT(a->u.vector.elements == b->u.vector.elements && a->u.vector.simple_ops == b->u.vector.simple_ops);
        EXPECT(a->u.vector.transcendental_ops == b->u.vector.transcendental_ops);
        EXPECT(a->u.vector.reduce_ops == b->u.vector.reduce_ops && a->u.vector.bytes_in == b->u.vector.bytes_in);
        EXPECT(a->u.vector.bytes_out == b->u.vector.bytes_out && a->u.vector.follows == b->u.vector.follows);
        EXPECT(a->u.vector.fused == b->u.vector.fused);
    }
}

#endif
