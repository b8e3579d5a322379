/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files to one tree: sources, `inherits`, named parts, overrides.
 *
 * Sources. A figure is written plainly or as `{value: 28 MiB, source: S,
 * confidence: C}`. Any group may carry `source` and `confidence`, which hold
 * for the figures below that state none of their own. A top-level `sources:`
 * mapping gives names to long references: `source: isca17`. Loading moves all
 * of this into the nodes and leaves plain keys and values behind. At the top
 * level of a chip `source` and `confidence` describe the document and vouch
 * for no figure.
 *
 * Inheritance. `inherits: NAME` takes everything from another file of the same
 * folder; keys of this file replace its values, groups are merged key by key.
 * A list replaces a list; a group of names over a list of named entries
 * changes those entries (`memory: {scratchpad: {capacity: 1 MiB}}`). name,
 * description, source and confidence of the top level are never inherited.
 * Where a schema says that a group may be the name of a file (`timing:
 * gemmini-ws`), the group may also inherit from such a file.
 *
 * Overrides. `path=value`, the value in YAML flow style; list entries by name
 * or position (`memory.scratchpad.capacity`, `core.array.precisions.0.rate`).
 */
#ifndef SY_ARCH_TREE_H
#define SY_ARCH_TREE_H

#include "arch/schema.h"

enum { SY_MAX_INHERITANCE = 8 };

/* Words allowed for `confidence`, NULL-terminated:
 * read (in the named source), measured, published (by the maker), derived (computed from other figures here),
 * assumed, memory (recalled, not checked). */
extern const char *const sy_confidence_names[];

/* Load NAME from data_dir/folder/NAME.yaml, or a path (it has a '/' or ends in .yaml), and everything it refers to.
 * Every mistake found is reported; SY_IO when a file cannot be read. */
enum sy_status sy_tree_load(struct sy_schema_context *context, const char *name_or_path, const char *folder,
                            const struct sy_schema *schema, struct sy_yaml_node **root);
/* A file by itself as an object of schema->size bytes in an arena of limit_bytes of its own, which its first member
 * names: whoever frees the object destroys that arena. check (NULL: none) reports what the schema cannot say of an
 * object that was read, with the mapping it came from. *object is NULL after a failure. Thread safe. */
typedef void (*sy_tree_check_fn)(struct sy_schema_context *context, const struct sy_yaml_node *root,
                                 const void *object);
enum sy_status sy_tree_load_object(const char *name_or_path, const char *folder, const char *data_dir,
                                   const struct sy_schema *schema, size_t limit_bytes, sy_tree_check_fn check,
                                   void **object, struct sy_diag *diag);
/* The same as sy_tree_load for a text already parsed; path is where it stands, for relative names. */
enum sy_status sy_tree_resolve(struct sy_schema_context *context, struct sy_yaml_node *root, const char *path,
                               const char *folder, const struct sy_schema *schema);
/* Apply one override and resolve what it names. */
enum sy_status sy_tree_set(struct sy_schema_context *context, struct sy_yaml_node *root, const struct sy_schema *schema,
                           const char *assignment);

/* Whether a value that names a file of data_dir/folder (or is a path) can be found; reported at `node` when not. */
bool sy_tree_has(struct sy_schema_context *context, const struct sy_yaml_node *node, const char *folder);

/* Names of the files NAME.yaml in data_dir/folder, sorted; the array is in the arena. SY_IO when there is no folder. */
enum sy_status sy_tree_list(struct sy_arena *arena, const char *data_dir, const char *folder, const char *const **names,
                            uint32_t *count);

#endif
