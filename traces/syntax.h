/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a trace: one table, built from sy_ops[] and the command
 * descriptions, that both the parser (parse.c) and the formatter (format.c)
 * walk, so that what one writes the other reads. Keys are written in table
 * order and read in any order.
 *
 * The table holds no input and never changes after it was built: readers and
 * writers in several threads may each build their own.
 */
#ifndef SY_TRACES_SYNTAX_H
#define SY_TRACES_SYNTAX_H

#include "sim/base/checked.h"
#include "traces/command.h"
#include "traces/trace.h"
#include "workloads/sequences.h"

enum {
    SY_TRACE_MAX_NAME = 4096,      /* bytes of a name, decoded */
    SY_TRACE_MAX_LINE = 128 << 10, /* bytes of a line, newline included: the longest record that can be written fits */
    SY_TRACE_MAX_NESTING = SY_MAX_REPEAT_DEPTH, /* open repeat blocks */
    SY_TRACE_MAX_KEYS = 64,                     /* of one record; a bit each in a 64-bit mask */
    /* a record of a layer: its name, named inputs, epilogue operands, output; and what a name may grow before it is
       refused; and a list of sequences */
    SY_TRACE_NAMES_ROOM = (SY_TRACE_MAX_NAME + 1) * (2 * SY_MAX_INPUTS + 3) + SY_MAX_SEQUENCES_TEXT + 1
};

/* How the value of a key is written, and where it goes. */
enum sy_value_kind {
    SY_VALUE_U64,         /* decimal, at `offset` */
    SY_VALUE_U8,          /* decimal, at `offset` */
    SY_VALUE_WORD,        /* one of `names`; its index as uint64_t at `offset` */
    SY_VALUE_DTYPE8,      /* data type as uint8_t at `offset` */
    SY_VALUE_INPUT,       /* tensor in[index] */
    SY_VALUE_EXTRA,       /* tensor behind the named inputs; may be repeated */
    SY_VALUE_OUTPUT,      /* tensor out */
    SY_VALUE_ACCUMULATOR, /* data type */
    SY_VALUE_POST,        /* functions joined by + */
    SY_VALUE_SPARSITY,    /* keep:group */
    SY_VALUE_FUSE,        /* layers:rows:halo */
    SY_VALUE_ZEROS,       /* percent of A:percent of B */
    SY_VALUE_TOGGLES,     /* percent */
    SY_VALUE_SEQUENCES,   /* of a ragged batch: COUNTxQUERIES:KEYS,... */
    SY_VALUE_TILE,        /* m,k,n of level `index` */
    SY_VALUE_ORDER,       /* letters of m, n, k of level `index` */
    SY_VALUE_DATAFLOW,
    SY_VALUE_RESIDENT
};

struct sy_key {
    const char *name;
    size_t length;
    size_t offset;             /* in struct sy_layer or struct sy_command */
    uint64_t minimum, maximum; /* of a number */
    uint64_t fallback;         /* value of an omitted key */
    const char *const *names;
    uint8_t kind; /* enum sy_value_kind */
    uint8_t index;
};

/* What a line is. The first two take keys. */
enum sy_form {
    SY_FORM_LAYER,
    SY_FORM_COMMAND,
    SY_FORM_REPEAT,
    SY_FORM_CLOSE,
    SY_FORM_UNMODELLED,
    SY_FORM_UNREAD,
    SY_FORM_PASS,
    SY_FORM_NET,
    SY_FORM_END
};

/* A set of up to 64 words that is looked up by hash: first eight bytes and length, open addressing. */
enum { SY_WORDS_MAX = 64, SY_WORDS_SLOTS = 256, SY_NO_WORD = 0xff };
struct sy_words {
    uint32_t count;
    uint64_t head[SY_WORDS_MAX]; /* sy_word_head of each */
    uint8_t length[SY_WORDS_MAX];
    const char *name[SY_WORDS_MAX];
    uint8_t slot[SY_WORDS_SLOTS]; /* index of a word or SY_NO_WORD */
};

struct sy_record_syntax {
    enum sy_form form;
    uint32_t index;    /* enum sy_op or enum sy_command_kind */
    uint64_t required; /* a bit a key */
    struct sy_words names;
    struct sy_key key[SY_TRACE_MAX_KEYS]; /* at the index of its name */
};

/* Every operator and command, and one word each of the forms behind these two. */
enum { SY_RECORD_WORDS = SY_OP_COUNT + SY_CMD_COUNT + SY_FORM_END + 1 - SY_FORM_REPEAT };

struct sy_syntax {
    struct sy_words words;                           /* first words of lines, at the index of their record */
    struct sy_record_syntax record[SY_RECORD_WORDS]; /* operators first, then commands, both at their index */
    struct sy_layer layer[SY_OP_COUNT];              /* every operator at its defaults */
    struct sy_command command[SY_CMD_COUNT];         /* every command at its defaults */
    struct sy_words dtypes, functions, stalls;
};

/* NULL when out of memory. Free with free(). */
struct sy_syntax *sy_syntax_create(void);

/* The first eight bytes of a word, zero padded, as one integer. Eight bytes at `text` must be readable. */
static inline uint64_t sy_word_head(const char *text, size_t length)
{
    uint64_t head;
    __builtin_memcpy(&head, text, sizeof head);
    if (length >= sizeof head) {
        return head;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return length == 0 ? 0 : head & (UINT64_MAX >> (64 - 8 * length));
#else
    return length == 0 ? 0 : head & (UINT64_MAX << (64 - 8 * length));
#endif
}

/* Any odd multiplier does; this one is 2^64 / golden ratio, which spreads short words well. */
static inline uint32_t sy_words_hash(uint64_t head, size_t length)
{
    return (uint32_t)(((head ^ length) * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

/* Index of a word in the set, SY_NO_WORD when it is not there. head: its sy_word_head. */
static inline uint32_t sy_words_find(const struct sy_words *words, const char *text, size_t length, uint64_t head)
{
    uint32_t at = sy_words_hash(head, length);
    for (;; at = (at + 1) % SY_WORDS_SLOTS) {
        uint32_t index = words->slot[at];
        if (index == SY_NO_WORD) {
            return index;
        }
        if (words->head[index] == head && words->length[index] == length &&
            (length <= sizeof head || __builtin_memcmp(words->name[index], text, length) == 0)) {
            return index;
        }
    }
}

/* What a byte may be part of. Bytes from 0x80 up stand in bare names, as part of well-formed UTF-8. */
enum { SY_BYTE_BARE = 1, SY_BYTE_WORD = 2, SY_BYTE_HIGH = 4 };
extern const uint8_t sy_byte_class[256];

static inline bool sy_is_bare(char byte)
{
    return (sy_byte_class[(unsigned char)byte] & SY_BYTE_BARE) != 0;
}

/* Rows that lie anywhere have a pitch to lie at multiples of, and room for one. */
static inline bool sy_move_scatters(const struct sy_command *command)
{
    uint64_t end, scatter = command->u.move.scatter;
    return scatter == 0 ||
           (command->u.move.pitch_bytes > 0 && command->u.move.pitch_bytes <= scatter &&
            sy_add(command->u.move.address, scatter, &end) && sy_add(end, command->u.move.row_bytes, &end));
}

/* ---- parsing (parse.c) ---- */

/* One line being parsed. The caller sets everything above the rule; *end is the newline, and eight bytes behind it are
 * readable. Names go to `names` (SY_TRACE_NAMES_ROOM bytes) and live until the next line is parsed. */
struct sy_scan {
    const struct sy_syntax *syntax;
    const char *start, *end;
    char *names;
    const char *file;
    struct sy_diag *diag;
    uint64_t line;        /* 1-based */
    uint64_t byte_offset; /* of the line in the text */
    uint64_t command_id;  /* of the next command */
    bool check;           /* call sy_layer_check on layers */
    /* ---- */
    const char *p;
    size_t names_used;
};

/* A line as parsed. For NET `name` is set; for END `count`. */
struct sy_parsed {
    enum sy_form form;
    struct sy_trace_record *record; /* filled for layers, commands, repeat, unmodelled, unread, pass */
    const char *name;
    uint64_t count;
};

/* Parse one line that is neither blank nor a comment. SY_OK, SY_INPUT (reported), or SY_OVERFLOW (reported). */
enum sy_status sy_parse_line(struct sy_scan *scan, struct sy_parsed *parsed);
/* True when the line holds a record: it is not blank and not only a comment. Moves scan->p to its first word. */
bool sy_scan_begin(struct sy_scan *scan);
/* Report a syntax error at a place in the line; always SY_INPUT. */
enum sy_status sy_scan_error(const struct sy_scan *scan, const char *at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- formatting (format.c) ---- */

/* Text being built. Appending past `room` sets `full` and writes nothing. */
struct sy_line_out {
    char *data;
    size_t length, room;
    bool full;
};
void sy_put_text(struct sy_line_out *out, const char *text);
void sy_put_number(struct sy_line_out *out, uint64_t number);
/* A name as a bare word where it can be one, quoted otherwise; NULL as `-`. */
void sy_put_name(struct sy_line_out *out, const char *name);

/* Append one record with its newline. False when the record cannot be written; *why then says what is wrong with it. */
bool sy_format_layer(struct sy_line_out *out, const struct sy_syntax *syntax, const struct sy_layer *layer,
                     const char **why);
bool sy_format_command(struct sy_line_out *out, const struct sy_syntax *syntax, const struct sy_command *command,
                       uint64_t command_id, const char **why);

#endif
