/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as this project accepts it: libyaml events turned into a tree that
 * remembers where every key and every value stands. Everything written in
 * YAML (chips, array timings, dataflows, DRAM devices, energy and cost tables,
 * sweep spaces) is read through this file; values stay text until a schema
 * (arch/schema.h) says what they are, so no number is ever guessed.
 *
 * The subset: one document of mappings, sequences and scalars in UTF-8.
 * Refused with line and column: anchors, aliases, merge keys, tags, directives,
 * keys that are not plain text, duplicate keys, more than one document, and
 * anything beyond the limits below. Every refusal that does not stop the
 * parser is reported before the call returns.
 *
 * Invariants of a tree: entries keep their order in the file; keys of one
 * mapping are unique; text is NUL-terminated and holds no NUL; a root exists
 * and is a mapping. All memory belongs to the caller's arena.
 */
#ifndef SY_BASE_YAML_H
#define SY_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"

enum {
    SY_YAML_MAX_BYTES = 4 << 20,
    SY_YAML_MAX_DEPTH = 24,
    SY_YAML_MAX_NODES = 200000,
    SY_YAML_MAX_KEYS = 1024 /* of one mapping */
};

enum sy_yaml_kind { SY_YAML_SCALAR, SY_YAML_MAPPING, SY_YAML_SEQUENCE };

struct sy_yaml_node {
    enum sy_yaml_kind kind;
    const char *file;      /* where it was written; borrowed from the arena */
    uint32_t line, column; /* of the value, 1-based; 0 = not from a file (an override) */
    const char *text;      /* SCALAR */
    bool quoted;           /* SCALAR written in quotes or as a block */
    const char *key;       /* name in the parent mapping, NULL in a sequence */
    uint32_t key_line, key_column;
    uint32_t count;                           /* entries */
    struct sy_yaml_node *first, *last, *next; /* entries of this node; the next entry of the parent */
    /* Where the figure comes from; filled in by arch/tree.h. */
    const char *source, *confidence;
    const char *reference;               /* the name this mapping was loaded by, else NULL */
    const struct sy_yaml_node *named_by; /* the value that gave that name */
    bool faulty;                         /* a mistake in it is reported already: readers pass over it */
};

/* Parse one document. file names it in messages (copied). SY_INPUT when anything was refused; every refusal went to
 * diag. Then *root is what could be read, so that a caller can look for mistakes of other kinds too, or NULL. */
enum sy_status sy_yaml_parse(struct sy_arena *arena, const char *text, size_t length, const char *file,
                             struct sy_yaml_node **root, struct sy_diag *diag);
/* The same for a value of an override (`--set key=VALUE`): any one node, mappings and sequences in flow style. */
enum sy_status sy_yaml_parse_value(struct sy_arena *arena, const char *text, size_t length, const char *file,
                                   struct sy_yaml_node **value, struct sy_diag *diag);
/* Read and parse a file of at most SY_YAML_MAX_BYTES. */
enum sy_status sy_yaml_load(struct sy_arena *arena, const char *path, struct sy_yaml_node **root, struct sy_diag *diag);

/* Entry of a mapping, or NULL (also when node is NULL or no mapping). */
struct sy_yaml_node *sy_yaml_get(const struct sy_yaml_node *node, const char *key);
/* Entry by position, or NULL. */
struct sy_yaml_node *sy_yaml_at(const struct sy_yaml_node *node, uint32_t index);
/* Append an entry; key is NULL in a sequence and is borrowed. */
void sy_yaml_append(struct sy_yaml_node *parent, const char *key, struct sy_yaml_node *entry);
void sy_yaml_remove(struct sy_yaml_node *parent, struct sy_yaml_node *entry);
/* Put `fresh` where `old` stands in parent; the key and its place are kept. */
void sy_yaml_replace(struct sy_yaml_node *parent, struct sy_yaml_node *old, struct sy_yaml_node *fresh);
/* A deep copy; NULL when out of memory. */
struct sy_yaml_node *sy_yaml_clone(struct sy_arena *arena, const struct sy_yaml_node *node);

/* For messages. "a list", "a group of keys" or "'text'" (in out, cut when long). */
const char *sy_yaml_what(const struct sy_yaml_node *node, char out[80]);
struct sy_where sy_yaml_where(const struct sy_yaml_node *node);
struct sy_where sy_yaml_where_key(const struct sy_yaml_node *node);
/* Where a part is used: the name it was loaded by, else the node itself. */
const struct sy_yaml_node *sy_yaml_use(const struct sy_yaml_node *node);

/* A scalar as YAML, quoted when it has to be. */
void sy_yaml_put_scalar(struct sy_buf *out, const char *text);

#endif
