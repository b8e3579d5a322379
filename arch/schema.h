/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas: one table of fields says how a group of YAML keys is written, what
 * it may hold, what it becomes in memory and what it means. The same table
 * drives reading, range checks, defaults, the resolved text and the reference
 * documentation, so these cannot disagree.
 *
 * Reading reports every mistake of the tree before it returns: unknown keys
 * (with the nearest known one), missing keys, a bare number where a unit
 * belongs, wrong units, values out of range, lists where a value belongs.
 *
 * Not thread safe: one context per thread. Tables are constant and shared.
 */
#ifndef SY_ARCH_SCHEMA_H
#define SY_ARCH_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"
#include "sim/base/units.h"
#include "sim/base/yaml.h"

enum sy_field_type {
    /*                 stored as       written as */
    SY_FIELD_TEXT,       /* const char *    any text */
    SY_FIELD_NAME,       /* const char *    letters, digits and - _ . ; with `folder`, a file there */
    SY_FIELD_BOOL,       /* bool            true or false */
    SY_FIELD_U64,        /* uint64_t        a whole number in `unit`, times `per_unit` when that is set */
    SY_FIELD_U32,        /* uint32_t        the same, small */
    SY_FIELD_DOUBLE,     /* double          a number in `unit`, times `per_unit` when that is set */
    SY_FIELD_CYCLES,     /* uint64_t        cycles, or a time that is rounded up to core-clock cycles */
    SY_FIELD_RATE,       /* double, B/s     B/s; or B/cycle, stored negative until the owner of the clock converts it */
    SY_FIELD_HZ,         /* uint64_t[2]     a frequency as the exact fraction num, den */
    SY_FIELD_RATIO,      /* uint64_t[2]     "2" or "1/2" */
    SY_FIELD_ENUM,       /* an enum         one of `names` (index = value) */
    SY_FIELD_SOURCE,     /* const char *    not a key: the source that vouches for the whole group */
    SY_FIELD_CONFIDENCE, /* const char *  the same for the confidence */
    SY_FIELD_SET,        /* uint32_t        a list of `names` (bit i = names[i]); one name may stand alone */
    SY_FIELD_GROUP,      /* in place        a mapping read by `group`; with `folder`, or the name of a file there */
    SY_FIELD_LIST,       /* array           a list of mappings read by `group`; items as for GROUP */
    SY_FIELD_TABLE /* array           a mapping of free names; an entry's name goes to the first field of `group` and
                                      a plain value to the second */
};

enum {
    SY_FIELD_OPTIONAL = 1,  /* may be left out without a default: zero, NULL, empty */
    SY_FIELD_UNLIMITED = 2, /* the word `unlimited` is accepted and stored as 0 */
    SY_FIELD_POINTER = 4,   /* LIST, TABLE: stored behind a pointer of the arena, else in place */
    SY_FIELD_WIDE = 8       /* BOOL, ENUM: stored as a uint64_t */
};

struct sy_schema;

struct sy_field {
    const char *key; /* NULL ends a table */
    enum sy_field_type type;
    enum sy_unit unit;
    size_t offset;
    const char *fallback; /* the default as one would write it; NULL and not OPTIONAL: required */
    uint32_t flags;
    const char *min, *max;         /* as one would write them; NULL = no limit */
    double per_unit;               /* stored value of one base unit (1e12 keeps seconds as picoseconds); 0 = 1 */
    const char *const *names;      /* ENUM, SET; NULL-terminated */
    const struct sy_schema *group; /* GROUP, LIST, TABLE */
    const char *folder;            /* "arch/arrays": the value may name a file NAME.yaml of that folder */
    size_t count_offset;           /* LIST, TABLE: uint32_t, entries stored */
    uint32_t most;                 /* LIST, TABLE: most entries */
    uint32_t least;                /* LIST, TABLE: fewest entries */
    /* The key exists only while the ENUM field `only_key`, earlier in the same table, has one of the values in the bit
     * set `only_for`; else it is refused and its default does not apply. NULL = always. */
    const char *only_key;
    uint32_t only_for;
    const char *doc; /* one sentence or phrase */
};

struct sy_schema {
    const char *name; /* of one such group, for messages: "memory level" */
    size_t size;      /* of the struct it fills */
    const struct sy_field *field;
    /* A table made from another module's own table, in the arena; then field is NULL. NULL when out of memory. */
    const struct sy_schema *(*build)(struct sy_arena *arena);
};

/* One value of a resolved file, in schema order: for show, docs and tests. */
struct sy_figure {
    const char *path;                /* core.array.rows, memory.dram.bandwidth */
    const char *text;                /* the value, with its unit */
    const char *source, *confidence; /* NULL when the file states none */
    const char *file;                /* where it was written; NULL = default */
    uint32_t line;
    bool descriptive; /* text or a name, not a figure */
    bool is_default;
    struct sy_figure *next;
};

enum { SY_PATH_MAX = 240, SY_REASON_MAX = 240 };

struct sy_schema_context {
    struct sy_arena *arena;
    struct sy_diag *diag;
    const char *data_dir;         /* the folder that holds arch/; NULL = names of files cannot be resolved */
    const struct sy_schema *root; /* for hints about keys that belong elsewhere */
    const uint64_t *core_hz;      /* num, den for times written where cycles are kept; NULL = such times are errors */
    bool no_figures;              /* the list below is not asked for, as with tables: it takes longer than reading */
    struct sy_figure *first_figure, *last_figure;
    const struct sy_schema *built_from, *built; /* the last table made by a `build` */
    char path[SY_PATH_MAX];
    uint32_t errors;
};

/* Fill object (zeroed, schema->size bytes) from a mapping. SY_INPUT when anything was wrong, all of it reported. */
enum sy_status sy_schema_read(struct sy_schema_context *context, const struct sy_schema *schema,
                              const struct sy_yaml_node *node, void *object);

/* Add a value that follows from others, after the last one whose path begins with `group` and a point; source says how
 * it follows. SY_NOMEM when out of memory. */
enum sy_status sy_schema_derived(struct sy_schema_context *context, const char *group, const char *key,
                                 const struct sy_field *field, const void *slot, const char *source);

/* Append the object as YAML that reads back to the same object. With figures (of the read), each line that has a source
 * ends in a comment that says so. */
void sy_schema_write(struct sy_schema_context *context, struct sy_buf *out, const struct sy_schema *schema,
                     const void *object, const struct sy_figure *figures);
/* Append the reference documentation of the whole table in Markdown: path, type, range, default, meaning. */
enum sy_status sy_schema_document(struct sy_buf *out, const struct sy_schema *schema);

/* The table itself (made when it is made on demand); NULL when out of memory. */
const struct sy_schema *sy_schema_built(struct sy_schema_context *context, const struct sy_schema *schema);
/* The field of a key, or NULL. */
const struct sy_field *sy_schema_field(const struct sy_schema *schema, const char *key);

/* What all fields of a type have in common. */
struct sy_field_traits {
    const char *word; /* for the reference documentation */
    size_t bytes;     /* of the slot; 0 for GROUP, LIST, TABLE */
    bool number, text, entries;
};
const struct sy_field_traits *sy_field_traits(enum sy_field_type type);
/* Bytes of the slot of a field. */
size_t sy_field_bytes(const struct sy_field *field);

/* One plain value (no SET, GROUP, LIST, TABLE): text to slot and back. message receives why a text was refused. */
bool sy_field_parse(struct sy_schema_context *context, const struct sy_field *field, const char *text, void *slot,
                    char message[SY_REASON_MAX]);
void sy_field_format(const struct sy_field *field, const void *slot, struct sy_buf *out);
/* "1 to 65536", "one of os, ws, is", "a size such as 28 MiB": what the field accepts. */
void sy_field_expected(const struct sy_field *field, char out[SY_REASON_MAX]);

/* Report a mistake at a node (NULL: nowhere), counted in the context; returns SY_INPUT. */
enum sy_status sy_schema_fail(struct sy_schema_context *context, const struct sy_yaml_node *node, const char *hint,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
