/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "traces/syntax.h"

#define B (SY_BYTE_BARE)
#define W (SY_BYTE_BARE | SY_BYTE_WORD)
#define H (SY_BYTE_BARE | SY_BYTE_HIGH)
#define H16 H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H
const uint8_t sy_byte_class[256] = {
    /* 00 */ 0, 0,   0,   0,   0,   0,   0,   0,  0, 0, 0, 0, 0, 0, 0, 0,
    /* 10 */ 0, 0,   0,   0,   0,   0,   0,   0,  0, 0, 0, 0, 0, 0, 0, 0,
    /*    */ 0, B,   0,   0,   B,   B,   B,   B,  B, B, B, B, B, B, B, B, /* not \" # */
    /* 0  */ W, W,   W,   W,   W,   W,   W,   W,  W, W, 0, B, B, 0, B, B, /* not : = */
    /* @  */ B, B,   B,   B,   B,   B,   B,   B,  B, B, B, B, B, B, B, B,
    /* P  */ B, B,   B,   B,   B,   B,   B,   B,  B, B, B, B, 0, B, B, W, /* not \; _ is a word */
    /* `  */ B, W,   W,   W,   W,   W,   W,   W,  W, W, W, W, W, W, W, W,
    /* p  */ W, W,   W,   W,   W,   W,   W,   W,  W, W, W, 0, B, 0, B, 0, /* not { } DEL */
    H16,        H16, H16, H16, H16, H16, H16, H16};
#undef B
#undef W
#undef H
#undef H16

static const char *const tile_keys[SY_MAX_SCHEDULE_LEVELS] = {"tile0", "tile1", "tile2", "tile3",
                                                              "tile4", "tile5", "tile6", "tile7"};
static const char *const order_keys[SY_MAX_SCHEDULE_LEVELS] = {"order0", "order1", "order2", "order3",
                                                               "order4", "order5", "order6", "order7"};

/* ---- command keys ---- */

#define IN_COMMAND(member) offsetof(struct sy_command, u.member)
#define OF_ALL(member) offsetof(struct sy_command, all.u.member)
enum { MAX_COMMAND_KEYS = 16 };
#define MOST_OF_ALL (UINT64_C(1) << 56) /* sums of many fit */
struct command_key {
    const char *name;
    uint8_t kind;
    bool required;
    size_t offset;
    uint64_t minimum, maximum, fallback;
};
/* What all cores do: the other keys of struct sy_all_cores count when this is 1. */
#define ALL_KEY                                                                                                        \
    {                                                                                                                  \
        "all", SY_VALUE_U8, false, offsetof(struct sy_command, all.given), 0, 1, 0                                     \
    }
/* Levels and dataflow are indices into lists of the chip, which the reader does not know: only their width is checked.
 */
#define MOVE_KEYS                                                                                                      \
    {"level", SY_VALUE_U8, false, offsetof(struct sy_command, level), 0, UINT8_MAX, 0},                                \
        {"parent", SY_VALUE_U8, false, IN_COMMAND(move.parent), 0, UINT8_MAX, 1},                                      \
        {"rows", SY_VALUE_U64, false, IN_COMMAND(move.rows), 1, UINT64_MAX, 1},                                        \
        {"bytes", SY_VALUE_U64, true, IN_COMMAND(move.row_bytes), 1, UINT64_MAX, 0},                                   \
        {"pitch", SY_VALUE_U64, false, IN_COMMAND(move.pitch_bytes), 0, UINT64_MAX, 0},                                \
        {"at", SY_VALUE_U64, false, IN_COMMAND(move.address), 0, UINT64_MAX, 0},                                       \
        {"scatter", SY_VALUE_U64, false, IN_COMMAND(move.scatter), 0, UINT64_MAX, 0}, ALL_KEY,                         \
        {"allbytes", SY_VALUE_U64, false, OF_ALL(move.bytes), 0, MOST_OF_ALL, 0},                                      \
        {"allbus", SY_VALUE_U64, false, OF_ALL(move.bus_bytes), 0, MOST_OF_ALL, 0},                                    \
        {"allcores", SY_VALUE_U64, false, OF_ALL(move.cores), 0, 65536, 0},                                            \
    {                                                                                                                  \
        "allcast", SY_VALUE_U64, false, OF_ALL(move.cast), 0, 1, 0                                                     \
    }
static const struct {
    const char *word;
    struct command_key key[MAX_COMMAND_KEYS];
} commands[SY_CMD_COUNT] = {
    [SY_CMD_LOAD] = {"load", {MOVE_KEYS}},
    [SY_CMD_STORE] = {"store", {MOVE_KEYS}},
    [SY_CMD_MATMUL] = {"matmul",
                       {{"m", SY_VALUE_U64, true, IN_COMMAND(matmul.m), 1, UINT64_MAX, 0},
                        {"k", SY_VALUE_U64, true, IN_COMMAND(matmul.k), 1, UINT64_MAX, 0},
                        {"n", SY_VALUE_U64, true, IN_COMMAND(matmul.n), 1, UINT64_MAX, 0},
                        {"rep", SY_VALUE_U64, false, IN_COMMAND(matmul.repeat), 1, UINT64_MAX, 1},
                        {"df", SY_VALUE_U8, false, IN_COMMAND(matmul.dataflow), 0, UINT8_MAX, 0},
                        {"a", SY_VALUE_DTYPE8, false, IN_COMMAND(matmul.a), 0, 0, SY_INT8},
                        {"b", SY_VALUE_DTYPE8, false, IN_COMMAND(matmul.b), 0, 0, SY_INT8},
                        {"acc", SY_VALUE_U8, false, IN_COMMAND(matmul.accumulate), 0, 1, 0},
                        {"into", SY_VALUE_U64, false, IN_COMMAND(matmul.into), 0, UINT64_MAX, 0},
                        ALL_KEY,
                        {"cores", SY_VALUE_U64, false, OF_ALL(matmul.cores), 0, 65536, 0},
                        {"lesscores", SY_VALUE_U64, false, OF_ALL(matmul.less_cores), 0, 65536, 0},
                        {"lessm", SY_VALUE_U64, false, OF_ALL(matmul.m), 0, UINT64_MAX, 0},
                        {"lessk", SY_VALUE_U64, false, OF_ALL(matmul.k), 0, UINT64_MAX, 0},
                        {"lessn", SY_VALUE_U64, false, OF_ALL(matmul.n), 0, UINT64_MAX, 0},
                        {"lessrep", SY_VALUE_U64, false, OF_ALL(matmul.repeat), 0, MOST_OF_ALL, 0}}},
    [SY_CMD_VECTOR] = {"vector",
                       {{"n", SY_VALUE_U64, true, IN_COMMAND(vector.elements), 0, UINT64_MAX, 0},
                        {"simple", SY_VALUE_U64, false, IN_COMMAND(vector.simple_ops), 0, UINT64_MAX, 0},
                        {"trans", SY_VALUE_U64, false, IN_COMMAND(vector.transcendental_ops), 0, UINT64_MAX, 0},
                        {"reduce", SY_VALUE_U64, false, IN_COMMAND(vector.reduce_ops), 0, UINT64_MAX, 0},
                        {"in", SY_VALUE_U64, false, IN_COMMAND(vector.bytes_in), 0, UINT64_MAX, 0},
                        {"out", SY_VALUE_U64, false, IN_COMMAND(vector.bytes_out), 0, UINT64_MAX, 0},
                        {"link", SY_VALUE_U64, false, IN_COMMAND(vector.link_cycles), 0, UINT64_MAX, 0},
                        {"fused", SY_VALUE_U8, false, IN_COMMAND(vector.fused), 0, 1, 0},
                        {"follows", SY_VALUE_U8, false, IN_COMMAND(vector.follows), 0, 1, 0},
                        ALL_KEY,
                        {"alln", SY_VALUE_U64, false, OF_ALL(vector.elements), 0, MOST_OF_ALL, 0},
                        {"allsimple", SY_VALUE_U64, false, OF_ALL(vector.simple_ops), 0, MOST_OF_ALL, 0},
                        {"alltrans", SY_VALUE_U64, false, OF_ALL(vector.transcendental_ops), 0, MOST_OF_ALL, 0},
                        {"allreduce", SY_VALUE_U64, false, OF_ALL(vector.reduce_ops), 0, MOST_OF_ALL, 0},
                        {"allin", SY_VALUE_U64, false, OF_ALL(vector.bytes_in), 0, MOST_OF_ALL, 0},
                        {"allout", SY_VALUE_U64, false, OF_ALL(vector.bytes_out), 0, MOST_OF_ALL, 0}}},
    [SY_CMD_WAIT] = {"wait", {{0}}},
};

/* ---- building ---- */

static uint64_t head_of(const char *word)
{
    char padded[8] = {0};
    size_t length = strlen(word);
    memcpy(padded, word, length < sizeof padded ? length : sizeof padded);
    return sy_word_head(padded, length);
}

static void start_words(struct sy_words *words)
{
    memset(words->slot, SY_NO_WORD, sizeof words->slot);
}

static uint32_t add_word(struct sy_words *words, const char *word)
{
    uint32_t index = words->count++;
    words->head[index] = head_of(word);
    words->length[index] = (uint8_t)strlen(word);
    words->name[index] = word;
    uint32_t at = sy_words_hash(words->head[index], words->length[index]);
    while (words->slot[at] != SY_NO_WORD) {
        at = (at + 1) % SY_WORDS_SLOTS;
    }
    words->slot[at] = (uint8_t)index;
    return index;
}

static struct sy_key *add_key(struct sy_record_syntax *record, const char *name, enum sy_value_kind kind)
{
    struct sy_key *key = &record->key[add_word(&record->names, name)];
    key->name = name;
    key->length = strlen(name);
    key->kind = (uint8_t)kind;
    return key;
}

static struct sy_record_syntax *add_record(struct sy_syntax *syntax, const char *word, enum sy_form form,
                                           uint32_t index)
{
    struct sy_record_syntax *record = &syntax->record[add_word(&syntax->words, word)];
    start_words(&record->names);
    record->form = form;
    record->index = index;
    return record;
}

static void add_schedule_keys(struct sy_record_syntax *record)
{
    for (uint8_t level = 0; level < SY_MAX_SCHEDULE_LEVELS; level++) {
        add_key(record, tile_keys[level], SY_VALUE_TILE)->index = level;
        add_key(record, order_keys[level], SY_VALUE_ORDER)->index = level;
    }
    add_key(record, "dataflow", SY_VALUE_DATAFLOW);
    add_key(record, "resident", SY_VALUE_RESIDENT);
}

static void add_operator(struct sy_syntax *syntax, enum sy_op op)
{
    _Static_assert((int)SY_TRACE_MAX_KEYS <= (int)SY_WORDS_MAX && (int)SY_FUNCTION_COUNT <= (int)SY_WORDS_MAX,
                   "sets hold them");
    _Static_assert(SY_MAX_OP_DIMS + SY_MAX_INPUTS + 8 + 2 * SY_MAX_SCHEDULE_LEVELS + 2 <= SY_TRACE_MAX_KEYS,
                   "the keys of an operator fit the mask");
    const struct sy_op_info *info = &sy_ops[op];
    struct sy_record_syntax *record = add_record(syntax, info->name, SY_FORM_LAYER, op);
    for (uint32_t i = 0; i < info->dims; i++) {
        const struct sy_dim_info *dim = &info->dim[i];
        struct sy_key *key = add_key(record, dim->name, dim->names != NULL ? SY_VALUE_WORD : SY_VALUE_U64);
        key->offset = dim->offset;
        key->minimum = dim->minimum;
        key->maximum = dim->maximum;
        key->fallback = dim->default_value;
        key->names = dim->names;
        record->required |= dim->required ? UINT64_C(1) << i : 0;
    }
    for (uint8_t i = 0; i < SY_MAX_INPUTS && info->input_names[i] != NULL; i++) {
        add_key(record, info->input_names[i], SY_VALUE_INPUT)->index = i;
    }
    add_key(record, "e", SY_VALUE_EXTRA);
    add_key(record, "y", SY_VALUE_OUTPUT);
    add_key(record, "acc", SY_VALUE_ACCUMULATOR);
    add_key(record, "post", SY_VALUE_POST);
    add_key(record, "sparsity", SY_VALUE_SPARSITY);
    add_key(record, "zeros", SY_VALUE_ZEROS);
    add_key(record, "toggles", SY_VALUE_TOGGLES);
    add_key(record, "fuse", SY_VALUE_FUSE);
    add_schedule_keys(record);
    if (op == SY_OP_ATTENTION) {
        add_key(record, "sequences", SY_VALUE_SEQUENCES);
    }
    sy_layer_init(&syntax->layer[op], op);
}

static void add_command(struct sy_syntax *syntax, enum sy_command_kind kind)
{
    struct sy_record_syntax *record = add_record(syntax, commands[kind].word, SY_FORM_COMMAND, kind);
    struct sy_command *defaults = &syntax->command[kind];
    defaults->kind = (uint8_t)kind;
    for (uint32_t i = 0; i < MAX_COMMAND_KEYS && commands[kind].key[i].name != NULL; i++) {
        const struct command_key *from = &commands[kind].key[i];
        struct sy_key *key = add_key(record, from->name, from->kind);
        key->offset = from->offset;
        key->minimum = from->minimum;
        key->maximum = from->maximum;
        key->fallback = from->fallback;
        record->required |= from->required ? UINT64_C(1) << i : 0;
        if (from->kind == SY_VALUE_U64) {
            memcpy((char *)defaults + key->offset, &key->fallback, sizeof key->fallback);
        } else {
            ((uint8_t *)defaults)[key->offset] = (uint8_t)key->fallback;
        }
    }
}

struct sy_syntax *sy_syntax_create(void)
{
    struct sy_syntax *syntax = calloc(1, sizeof *syntax);
    if (syntax == NULL) {
        return NULL;
    }
    start_words(&syntax->words);
    start_words(&syntax->dtypes);
    start_words(&syntax->functions);
    start_words(&syntax->stalls);
    for (uint32_t op = 0; op < SY_OP_COUNT; op++) {
        add_operator(syntax, (enum sy_op)op);
    }
    for (uint32_t kind = 0; kind < SY_CMD_COUNT; kind++) {
        add_command(syntax, (enum sy_command_kind)kind);
    }
    add_record(syntax, "repeat", SY_FORM_REPEAT, 0);
    add_record(syntax, "}", SY_FORM_CLOSE, 0);
    add_record(syntax, "unmodelled", SY_FORM_UNMODELLED, 0);
    add_record(syntax, "unread", SY_FORM_UNREAD, 0);
    add_record(syntax, "pass", SY_FORM_PASS, 0);
    add_record(syntax, "net", SY_FORM_NET, 0);
    add_record(syntax, "end", SY_FORM_END, 0);
    for (uint32_t i = 0; i < SY_DTYPE_COUNT; i++) {
        (void)add_word(&syntax->dtypes, sy_dtypes[i].name);
    }
    for (uint32_t i = 0; i < SY_FUNCTION_COUNT; i++) {
        (void)add_word(&syntax->functions, sy_functions[i].name);
    }
    for (uint32_t i = 0; i < SY_STALL_COUNT; i++) {
        (void)add_word(&syntax->stalls, sy_stall_names[i]);
    }
    return syntax;
}
