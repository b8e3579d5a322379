/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLCommons Chakra execution traces (.et): length-prefixed protobuf messages,
 * GlobalMetadata first, then one Node each. Schema: et_def.proto of the Chakra
 * project.
 *
 * Compute nodes are PyTorch operators with the shapes of their tensors. Traces
 * that were linked with a profile hold each operator in pieces, "name(0)",
 * "name(1)" ..., around the kernels that it launched: the first piece stands
 * for the operator, kernels (is_cpu_op = 0) are skipped, because they are how
 * another machine ran it. Operators inside an imported one are skipped too.
 * Tensors carry the trace's tensor numbers as names, which are the
 * dependencies between layers.
 *
 * Communication nodes with a comm_type become collectives; the file does not
 * say how many ranks take part: --dim ranks=N, else 2, with a warning. Memory
 * nodes move their tensor_size bytes. A compute node without shapes cannot be
 * modelled.
 */
#include "workloads/import/chakra.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"

enum node_type { NODE_METADATA = 1, NODE_LOAD, NODE_STORE, NODE_COMPUTE, NODE_SEND, NODE_RECEIVE, NODE_COLLECTIVE };
#define MOST_ELEMENTS (UINT64_C(1) << 44)

/* ---- errors ---- */

bool cx_fail(struct cx *cx, const char *hint, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)sy_error(cx->diag, cx->where, hint, "node %" PRIu64 " '%s': %s", cx->id, cx->name, text);
    cx->status = cx->status == SY_OK ? SY_INPUT : cx->status;
    return false;
}

static bool malformed(struct cx *cx, const uint8_t *at, const char *what)
{
    struct sy_where where = {.file = cx->path, .has_offset = 1, .byte_offset = (uint64_t)(at - cx->file)};
    (void)sy_error(cx->diag, where, NULL, "%s", what);
    cx->status = cx->status == SY_OK ? SY_INPUT : cx->status;
    return false;
}

/* ---- sets of ids ---- */

static uint64_t place(const struct cx_set *set, uint64_t id)
{
    uint64_t at = (id * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & (set->slots - 1);
    while (set->slot[at] != 0 && set->slot[at] != id + 1) {
        at = (at + 1) & (set->slots - 1);
    }
    return at;
}

bool cx_contains(const struct cx_set *set, uint64_t id)
{
    return set->slots != 0 && id != UINT64_MAX && set->slot[place(set, id)] != 0;
}

bool cx_insert(struct cx *cx, struct cx_set *set, uint64_t id, bool *fresh)
{
    if (2 * (set->used + 1) > set->slots) {
        struct cx_set larger = {.slots = set->slots == 0 ? 256 : 2 * set->slots};
        larger.slot = sy_arena_array(cx->workload->arena, larger.slots, sizeof *larger.slot);
        if (larger.slot == NULL) {
            cx->status = SY_NOMEM;
            return false;
        }
        for (uint64_t i = 0; i < set->slots; i++) {
            if (set->slot[i] != 0) {
                larger.slot[place(&larger, set->slot[i] - 1)] = set->slot[i];
                larger.used++;
            }
        }
        *set = larger;
    }
    *fresh = false;
    if (id == UINT64_MAX) {
        return true; /* id + 1 marks a slot */
    }
    uint64_t at = place(set, id);
    if (set->slot[at] == 0) {
        set->slot[at] = id + 1;
        set->used++;
        *fresh = true;
    }
    return true;
}

/* ---- tensors ---- */

static enum sy_dtype dtype_of(const struct cx_item *type, double width)
{
    static const struct {
        const char *word;
        enum sy_dtype dtype;
    } words[] = {{"BFloat16", SY_BF16},    {"Half", SY_FP16}, {"Float8", SY_FP8},
                 {"long", SY_INT32},       {"int", SY_INT32}, {"unsigned char", SY_INT8},
                 {"signed char", SY_INT8}, {"bool", SY_INT8}, {"short", SY_INT16}};
    for (size_t i = 0; type != NULL && type->kind == CX_TEXT && i < sizeof words / sizeof words[0]; i++) {
        if (memmem(type->text.data, type->text.length, words[i].word, strlen(words[i].word)) != NULL) {
            return words[i].dtype;
        }
    }
    return width == 2 ? SY_FP16 : width == 1 ? SY_INT8 : SY_FP32;
}

/* A tensor is written [id, storage, offset, elements, bytes an element, device]. */
static bool is_tensor(const struct cx_item *value)
{
    const struct cx_item *last = cx_at(value, 5), *first = cx_at(value, 0);
    return value != NULL && value->count == 6 && first->kind == CX_NUMBER && last->kind == CX_TEXT;
}

struct cx_tensor cx_tensor(const struct cx *cx, const struct cx_io *io, uint32_t index)
{
    struct cx_tensor tensor = {.there = false};
    const struct cx_item *value = cx_at(io->values, index), *shape = cx_at(io->shapes, index);
    if (!is_tensor(value) || shape == NULL || shape->kind != CX_LIST || shape->count > CX_MOST_RANK) {
        return tensor;
    }
    double id = cx_at(value, 0)->number, bytes = cx_at(value, 4)->kind == CX_NUMBER ? cx_at(value, 4)->number : 0;
    tensor.there = bytes > 0;
    tensor.id = id >= 0 && id < 1e15 ? (uint64_t)id : 0;
    for (const struct cx_item *size = shape->child; size != NULL; size = size->next) {
        bool good = size->kind == CX_NUMBER && size->number >= 0 && size->number <= (double)MOST_ELEMENTS;
        tensor.dim[tensor.rank++] = good ? (uint64_t)size->number : 0;
        tensor.there = tensor.there && good;
    }
    tensor.dtype = dtype_of(cx_at(io->types, index), bytes);
    if (sy_dtypes[tensor.dtype].is_float) {
        tensor.dtype = sy_import_activation(cx->options, tensor.dtype);
    }
    return tensor;
}

uint64_t cx_elements(const struct cx_tensor *tensor)
{
    uint64_t elements = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (!sy_mul(elements, tensor->dim[i], &elements) || elements > MOST_ELEMENTS) {
            return UINT64_MAX;
        }
    }
    return elements;
}

struct sy_tensor cx_name(struct cx *cx, const struct cx_tensor *tensor)
{
    const char *name = sy_arena_printf(cx->scratch, "t%" PRIu64, tensor->id);
    if (name == NULL) {
        cx->status = SY_NOMEM;
    }
    return (struct sy_tensor){.name = name, .dtype = tensor->dtype};
}

bool cx_emit(struct cx *cx, struct sy_layer *layer)
{
    layer->name = cx->name;
    if (cx->status != SY_OK) {
        return false;
    }
    enum sy_status status = sy_layer_check(layer, cx->path, cx->diag);
    if (status != SY_OK) {
        return cx_fail(cx, NULL, "it cannot be made into a layer");
    }
    cx->status = sy_workload_add_layer(cx->workload, layer);
    return cx->status == SY_OK;
}

/* ---- nodes ---- */

struct node {
    uint64_t type;
    struct sy_bytes name;
    bool cpu, has_comm; /* is_cpu_op; comm_type is there */
    uint64_t comm_type, comm_size, tensor_size, num_ops;
    bool inside; /* a control dependency is an imported operator */
};

/* An attribute: name (1) and one value in a field of its type; numbers are read whatever their type. */
static void read_attribute(struct node *node, struct sy_bytes message)
{
    struct sy_pb_field field;
    struct sy_bytes name = {NULL, 0};
    uint64_t value = 0;
    while (sy_pb_next(&message, &field) == 1) {
        if (field.number == 1 && field.wire == SY_WIRE_BYTES) {
            name = field.bytes;
        } else if (field.wire != SY_WIRE_BYTES) {
            value = field.value;
        }
    }
    static const struct {
        const char *name;
        size_t offset;
    } known[] = {{"comm_type", offsetof(struct node, comm_type)},
                 {"comm_size", offsetof(struct node, comm_size)},
                 {"tensor_size", offsetof(struct node, tensor_size)},
                 {"num_ops", offsetof(struct node, num_ops)}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (name.length == strlen(known[i].name) && memcmp(name.data, known[i].name, name.length) == 0) {
            memcpy((char *)node + known[i].offset, &value, sizeof value);
            node->has_comm = node->has_comm || i == 0;
        }
    }
    if (name.length == 9 && memcmp(name.data, "is_cpu_op", 9) == 0) {
        node->cpu = value != 0;
    }
}

static void read_io(struct cx *cx, struct sy_bytes message, struct cx_io *io)
{
    struct sy_pb_field field;
    while (sy_pb_next(&message, &field) == 1) {
        if (field.number == 1) {
            io->values = cx_parse(cx->scratch, field.bytes);
        } else if (field.number == 2) {
            io->shapes = cx_parse(cx->scratch, field.bytes);
        } else if (field.number == 3) {
            io->types = cx_parse(cx->scratch, field.bytes);
        }
    }
}

static bool read_node(struct cx *cx, struct sy_bytes message, struct node *node)
{
    struct sy_pb_field field;
    int more;
    *node = (struct node){.cpu = true};
    cx->id = 0;
    cx->in = cx->out = (struct cx_io){NULL, NULL, NULL};
    cx->where =
        (struct sy_where){.file = cx->path, .has_offset = 1, .byte_offset = (uint64_t)(message.data - cx->file)};
    while ((more = sy_pb_next(&message, &field)) == 1) {
        struct sy_bytes rest = field.bytes;
        uint64_t parent;
        switch (field.number) {
        case 1:
            cx->id = field.wire == SY_WIRE_VARINT ? field.value : 0;
            break;
        case 2:
            node->name = field.bytes;
            break;
        case 3:
            node->type = field.value;
            break;
        case 4:
            while (sy_pb_packed(&field, &rest, &parent) == 1) {
                node->inside = node->inside || cx_contains(&cx->imported, parent);
            }
            break;
        case 8:
        case 9:
            read_io(cx, field.bytes, field.number == 8 ? &cx->in : &cx->out);
            break;
        case 10:
            read_attribute(node, field.bytes);
            break;
        default:
            break;
        }
    }
    size_t length = node->name.length < 1024 ? node->name.length : 1024;
    const char *nul = length > 0 ? memchr(node->name.data, '\0', length) : NULL;
    length = nul != NULL ? (size_t)(nul - (const char *)node->name.data) : length;
    cx->name = sy_arena_strndup(cx->scratch, length > 0 ? (const char *)node->name.data : "", length);
    if (cx->name == NULL) {
        cx->status = SY_NOMEM;
        return false;
    }
    return more == 0 || malformed(cx, field.at, "malformed node");
}

/* ---- what a node becomes ---- */

static enum sy_collective_kind collective_kind(uint64_t comm_type)
{
    /* ALL_REDUCE REDUCE ALL_GATHER GATHER SCATTER BROADCAST ALL_TO_ALL REDUCE_SCATTER REDUCE_SCATTER_BLOCK BARRIER */
    static const enum sy_collective_kind kinds[] = {
        SY_ALL_REDUCE, SY_REDUCE_SCATTER, SY_ALL_GATHER,     SY_ALL_GATHER,     SY_BROADCAST,
        SY_BROADCAST,  SY_ALL_TO_ALL,     SY_REDUCE_SCATTER, SY_REDUCE_SCATTER, SY_ALL_REDUCE};
    return comm_type < sizeof kinds / sizeof kinds[0] ? kinds[comm_type] : SY_ALL_REDUCE;
}

static bool communication(struct cx *cx, const struct node *node)
{
    struct sy_layer layer;
    bool pair = node->type == NODE_SEND || node->type == NODE_RECEIVE;
    uint64_t ranks = 2;
    if (node->type == NODE_COLLECTIVE && !node->has_comm) {
        if (node->cpu) {
            return true; /* the call; the transfer it starts is a node of its own */
        }
        return cx_fail(cx, NULL, "a communication node without comm_type");
    }
    if (node->has_comm && node->comm_type > 9) {
        return cx_fail(cx, NULL, "comm_type %" PRIu64 " does not exist", node->comm_type);
    }
    int given = pair ? 1 : sy_import_dim(cx->options, "ranks", &ranks);
    if (given < 0) {
        return cx_fail(cx, "for example --dim ranks=8", "the number of ranks is not a whole number of at least 1");
    }
    if (given == 0 && !cx->assumed_ranks) {
        cx->assumed_ranks = true;
        sy_warn(cx->diag, cx->where, "--dim ranks=8",
                "node %" PRIu64
                " '%s': the file does not say how many ranks take part in its collectives; 2 are assumed",
                cx->id, cx->name);
    }
    sy_layer_init(&layer, SY_OP_COLLECTIVE);
    /* bytes; a barrier or an empty message still costs one */
    layer.dim.collective = (struct sy_collective_dims){.elements = node->comm_size != 0 ? node->comm_size : 1,
                                                       .ranks = ranks,
                                                       .kind = pair ? SY_BROADCAST : collective_kind(node->comm_type)};
    struct cx_tensor message = cx_first_tensor(cx, &cx->in);
    if (message.there) {
        layer.in[0].name = cx_name(cx, &message).name;
        layer.out.name = layer.in[0].name;
    }
    return cx_emit(cx, &layer);
}

static bool memory(struct cx *cx, const struct node *node)
{
    struct sy_layer layer;
    if (node->tensor_size == 0) {
        return cx_fail(cx, NULL, "a memory node without tensor_size");
    }
    sy_layer_init(&layer, SY_OP_MOVE);
    layer.dim.move.elements = node->tensor_size;
    return cx_emit(cx, &layer);
}

/* "aten::conv2d(0)" -> "aten::conv2d", and which piece. */
static void split_piece(char *name, unsigned *piece)
{
    size_t length = strlen(name);
    char *open = strrchr(name, '(');
    *piece = 0;
    if (open == NULL || length < 3 || name[length - 1] != ')' || open[1] == ')' ||
        strspn(open + 1, "0123456789") != (size_t)(name + length - 1 - (open + 1))) {
        return;
    }
    for (const char *digit = open + 1; *digit != ')' && *piece < 1000000; digit++) {
        *piece = *piece * 10 + (unsigned)(*digit - '0');
    }
    *open = '\0';
}

static bool compute(struct cx *cx, const struct node *node)
{
    unsigned piece;
    bool known, fresh;
    char *op = sy_arena_strdup(cx->scratch, cx->name);
    if (op == NULL) {
        cx->status = SY_NOMEM;
        return false;
    }
    if (!node->cpu && cx->has_operators) {
        cx->skipped_kernels++;
        return true;
    }
    split_piece(op, &piece);
    if (piece > 0 || node->inside) {
        return !node->inside || cx_insert(cx, &cx->imported, cx->id, &fresh);
    }
    cx->name = op;
    if (!cx_aten(cx, op, &known)) {
        return false;
    }
    if (known) {
        return cx_insert(cx, &cx->imported, cx->id, &fresh);
    }
    cx->status = sy_import_unmodelled(cx->workload, cx->options, cx->where, op, cx->name, node->tensor_size, cx->diag);
    return cx->status == SY_OK;
}

static bool handle_node(struct cx *cx, struct sy_bytes message)
{
    struct node node;
    cx->scratch = sy_arena_create(NULL, (size_t)64 << 20);
    cx->name = "";
    if (cx->scratch == NULL) {
        cx->status = SY_NOMEM;
        return false;
    }
    bool good = read_node(cx, message, &node);
    if (good && node.type == NODE_COMPUTE) {
        good = compute(cx, &node);
    } else if (good && (node.type == NODE_LOAD || node.type == NODE_STORE)) {
        good = memory(cx, &node);
    } else if (good && node.type >= NODE_SEND && node.type <= NODE_COLLECTIVE) {
        good = communication(cx, &node);
    } else if (good && node.type != NODE_METADATA) {
        good = cx_fail(cx, NULL, "node type %" PRIu64 " does not exist", node.type);
    }
    sy_arena_destroy(cx->scratch);
    cx->scratch = NULL;
    return good && cx->status == SY_OK;
}

/* A name of a compute node of the CPU that holds "::" is an operator of PyTorch. */
static bool note_operators(struct cx *cx, struct sy_bytes message)
{
    struct sy_pb_field field;
    struct node node = {.cpu = true};
    while (sy_pb_next(&message, &field) == 1) {
        if (field.number == 2) {
            node.name = field.bytes;
        } else if (field.number == 3) {
            node.type = field.value;
        } else if (field.number == 10) {
            read_attribute(&node, field.bytes);
        }
    }
    cx->has_operators = cx->has_operators || (node.type == NODE_COMPUTE && node.cpu && node.name.length > 6 &&
                                              memcmp(node.name.data, "aten::", 6) == 0);
    return true;
}

/* Walk the length-prefixed messages; the first is metadata. */
static bool each_message(struct cx *cx, struct sy_bytes file, bool (*visit)(struct cx *cx, struct sy_bytes message))
{
    for (uint64_t index = 0; file.length > 0; index++) {
        const uint8_t *at = file.data;
        uint64_t length;
        if (!sy_pb_varint(&file, &length) || length > file.length) {
            return malformed(cx, at, "the file is cut or no Chakra trace: a message is longer than what is left");
        }
        struct sy_bytes message = {file.data, (size_t)length};
        file.data += length;
        file.length -= (size_t)length;
        if (index > 0 && !visit(cx, message)) {
            return false;
        }
    }
    return true;
}

static bool read_trace(struct cx *cx, struct sy_bytes file)
{
    if (!each_message(cx, file, note_operators) || !each_message(cx, file, handle_node)) {
        return false;
    }
    if (cx->workload->records == 0 && cx->workload->unmodelled == NULL) {
        return malformed(cx, cx->file, "the trace has no nodes that do work");
    }
    if (cx->skipped_kernels > 0) {
        struct sy_where where = {.file = cx->path};
        (void)sy_diag_report(
            cx->diag, SY_SEV_NOTE, where, NULL,
            "%" PRIu64 " kernels of the traced machine are left out; the operators that launched them are modelled",
            cx->skipped_kernels);
    }
    return true;
}

static enum sy_status import_chakra(const char *path, const char *data, size_t length,
                                    const struct sy_import_options *options, struct sy_workload **workload,
                                    struct sy_diag *diag)
{
    struct cx cx = {.path = path, .file = (const uint8_t *)data, .options = options, .diag = diag, .name = ""};
    *workload = NULL;
    enum sy_status status = sy_workload_create(NULL, &cx.workload);
    if (status != SY_OK) {
        return status;
    }
    cx.workload->name = sy_import_name(cx.workload->arena, path);
    if (cx.workload->name == NULL) {
        cx.status = SY_NOMEM;
    } else if (!read_trace(&cx, (struct sy_bytes){cx.file, length}) && cx.status == SY_OK) {
        cx.status = SY_INPUT;
    }
    if (cx.status != SY_OK) {
        sy_workload_destroy(cx.workload);
        return cx.status;
    }
    *workload = cx.workload;
    return SY_OK;
}

/* A length, then metadata that starts with its version (field 1) or an attribute (field 2). */
static int sniff_chakra(const char *path, const char *head, size_t length)
{
    size_t name = strlen(path);
    bool suffix = name > 3 && strcmp(path + name - 3, ".et") == 0;
    struct sy_bytes start = {(const uint8_t *)head, length};
    uint64_t size;
    bool looks =
        sy_pb_varint(&start, &size) && size > 0 && start.length > 0 && (start.data[0] == 0x0a || start.data[0] == 0x12);
    return suffix ? 85 : looks && size < 100000 ? 15 : 0;
}

static const char *const suffixes[] = {".et", NULL};

const struct sy_importer sy_importer_chakra = {
    .name = "chakra",
    .doc = "MLCommons Chakra execution trace: operators, memory and communication of one rank",
    .suffixes = suffixes,
    .example = "tests/golden/chakra/all_reduce_8npus_1MB.0.et",
    .sniff = sniff_chakra,
    .import = import_chakra,
};
