/* SPDX-License-Identifier: Apache-2.0 */
/* Values by name, tensors, attributes, errors. Field numbers are those of onnx.proto (ONNX specification). */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "workloads/import/onnx.h"

#define MOST_ELEMENTS (UINT64_C(1) << 44)
enum { LONGEST_NAME = 4096 };

/* ---- errors ---- */

bool ox_fail(struct ox *ox, const char *hint, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)sy_error(ox->diag, ox->node.where, hint, "node '%s' (%s): %s", ox->node.name, ox->node.op, text);
    ox->status = ox->status == SY_OK ? SY_INPUT : ox->status;
    return false;
}

bool ox_fail_at(struct ox *ox, const uint8_t *at, const char *what)
{
    struct sy_where where = {.file = ox->path, .has_offset = 1, .byte_offset = (uint64_t)(at - ox->file)};
    (void)sy_error(ox->diag, where, NULL, "%s", what);
    ox->status = ox->status == SY_OK ? SY_INPUT : ox->status;
    return false;
}

static void *take(struct ox *ox, uint64_t count, size_t size)
{
    void *memory = sy_arena_array(ox->workload->arena, count, size);
    if (memory == NULL) {
        ox->status = SY_NOMEM;
    }
    return memory;
}

/* ---- values by name ---- */

static uint32_t hash_of(struct sy_bytes name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < name.length; i++) {
        hash = (hash ^ name.data[i]) * 16777619U;
    }
    return hash;
}

static bool grow(struct ox *ox)
{
    uint64_t slots = ox->slots == 0 ? 256 : 2 * ox->slots;
    struct ox_value **slot = take(ox, slots, sizeof(struct ox_value *));
    if (slot == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < ox->slots; i++) {
        if (ox->slot[i] != NULL) {
            uint64_t at = ox->slot[i]->hash & (slots - 1);
            while (slot[at] != NULL) {
                at = (at + 1) & (slots - 1);
            }
            slot[at] = ox->slot[i];
        }
    }
    ox->slot = slot;
    ox->slots = slots;
    return true;
}

struct ox_value *ox_value(struct ox *ox, struct sy_bytes name)
{
    if (2 * (ox->values + 1) > ox->slots && !grow(ox)) {
        return NULL;
    }
    uint32_t hash = hash_of(name);
    uint64_t at = hash & (ox->slots - 1);
    for (; ox->slot[at] != NULL; at = (at + 1) & (ox->slots - 1)) {
        const struct ox_value *have = ox->slot[at];
        if (have->hash == hash && have->length == name.length &&
            (name.length == 0 || memcmp(have->name, name.data, name.length) == 0)) {
            return ox->slot[at];
        }
    }
    if (name.length == 0) {
        name.data = (const uint8_t *)"";
    }
    if (name.length > LONGEST_NAME || memchr(name.data, '\0', name.length) != NULL) {
        (void)ox_fail_at(ox, name.data, "the name of a value is longer than 4096 bytes or holds a zero byte");
        return NULL;
    }
    struct ox_value *value = take(ox, 1, sizeof *value);
    char *copy = value != NULL ? sy_arena_strndup(ox->workload->arena, (const char *)name.data, name.length) : NULL;
    if (copy == NULL) {
        ox->status = SY_NOMEM;
        return NULL;
    }
    *value = (struct ox_value){.name = copy, .length = name.length, .hash = hash, .tensor = copy};
    ox->slot[at] = value;
    ox->values++;
    return value;
}

/* ---- shapes ---- */

uint64_t ox_product(const struct ox_shape *shape, uint32_t first, uint32_t end)
{
    uint64_t product = 1;
    for (uint32_t i = first; i < end; i++) {
        product *= shape->dim[i];
    }
    return product;
}

uint64_t ox_count(const struct ox_shape *shape)
{
    return ox_product(shape, 0, shape->rank);
}

bool ox_elements(struct ox *ox, const struct ox_shape *shape, uint64_t *elements)
{
    *elements = 1;
    for (uint32_t i = 0; i < shape->rank; i++) {
        if (!sy_mul(*elements, shape->dim[i], elements) || *elements > MOST_ELEMENTS || shape->dim[i] > MOST_ELEMENTS) {
            return ox_fail(ox, NULL, "a tensor of more than 2^44 elements");
        }
    }
    return true;
}

/* ---- tensors ---- */

struct tensor {
    struct ox_shape shape;
    int type;
    struct sy_bytes name, raw;
    struct sy_bytes message; /* for data in typed fields */
    bool external;
};

static bool add_dim(struct ox *ox, struct tensor *tensor, const struct sy_pb_field *field)
{
    struct sy_bytes rest = field->bytes;
    uint64_t dim;
    int more;
    while ((more = sy_pb_packed(field, &rest, &dim)) == 1) {
        if (tensor->shape.rank == OX_MOST_RANK || dim > MOST_ELEMENTS) {
            return ox_fail_at(ox, field->at,
                              "a tensor with more than 8 dimensions, or one that is negative or above 2^44");
        }
        tensor->shape.dim[tensor->shape.rank++] = dim;
    }
    return more == 0 || ox_fail_at(ox, field->at, "malformed numbers in a tensor");
}

static bool walk_tensor(struct ox *ox, struct sy_bytes message, struct tensor *tensor)
{
    struct sy_pb_field field;
    int more;
    *tensor = (struct tensor){.message = message};
    while ((more = sy_pb_next(&message, &field)) == 1) {
        if (field.number == 1 && !add_dim(ox, tensor, &field)) {
            return false;
        }
        if (field.number == 2 && field.wire == SY_WIRE_VARINT) {
            tensor->type = field.value <= 64 ? (int)field.value : 0;
        } else if (field.number == 8 && field.wire == SY_WIRE_BYTES) {
            tensor->name = field.bytes;
        } else if (field.number == 9 && field.wire == SY_WIRE_BYTES) {
            tensor->raw = field.bytes;
        } else if (field.number == 14 && field.wire == SY_WIRE_VARINT) {
            tensor->external = field.value == 1;
        }
    }
    return more == 0 || ox_fail_at(ox, field.at, "malformed tensor");
}

static double from_bits(uint64_t bits, int type)
{
    if (type == OX_FLOAT) {
        uint32_t narrow = (uint32_t)bits;
        float number;
        memcpy(&number, &narrow, sizeof number);
        return (double)number;
    }
    if (type == OX_DOUBLE) {
        double number;
        memcpy(&number, &bits, sizeof number);
        return number;
    }
    if (type == OX_INT64) {
        return (double)(int64_t)bits;
    }
    return (double)(int32_t)(uint32_t)bits; /* INT32 and the narrow types that share its field */
}

/* Bytes of one element in raw data; 0 = not read. */
static size_t raw_width(int type)
{
    switch (type) {
    case OX_FLOAT:
    case OX_INT32:
        return 4;
    case OX_INT64:
    case OX_DOUBLE:
        return 8;
    case OX_BOOL:
    case OX_INT8:
    case OX_UINT8:
        return 1;
    default:
        return 0;
    }
}

static bool raw_numbers(const struct tensor *tensor, uint64_t count, double *out)
{
    size_t width = raw_width(tensor->type);
    if (width == 0 || tensor->raw.length != count * width) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        for (size_t j = 0; j < width; j++) {
            bits |= (uint64_t)tensor->raw.data[i * width + j] << (8 * j);
        }
        if (tensor->type == OX_INT8) {
            bits = (uint64_t)(int64_t)(int8_t)bits;
        }
        out[i] = from_bits(bits, tensor->type);
    }
    return true;
}

/* Floats and doubles packed in typed fields are fixed-width, integers varints. */
static bool next_typed(const struct sy_pb_field *field, struct sy_bytes *rest, int type, uint64_t *bits)
{
    size_t width = type == OX_FLOAT ? 4 : type == OX_DOUBLE ? 8 : 0;
    if (width == 0 || field->wire != SY_WIRE_BYTES) {
        return sy_pb_packed(field, rest, bits) == 1;
    }
    if (rest->length < width) {
        return false;
    }
    *bits = 0;
    for (size_t i = 0; i < width; i++) {
        *bits |= (uint64_t)rest->data[i] << (8 * i);
    }
    rest->data += width;
    rest->length -= width;
    return true;
}

static bool typed_numbers(const struct tensor *tensor, uint64_t count, double *out)
{
    uint32_t number = tensor->type == OX_FLOAT ? 4 : tensor->type == OX_INT64 ? 7 : tensor->type == OX_DOUBLE ? 10 : 5;
    struct sy_bytes message = tensor->message;
    struct sy_pb_field field;
    uint64_t have = 0, bits;
    while (sy_pb_next(&message, &field) == 1) {
        struct sy_bytes rest = field.bytes;
        while (field.number == number && next_typed(&field, &rest, tensor->type, &bits)) {
            if (have == count) {
                return false;
            }
            out[have++] = from_bits(bits, tensor->type);
        }
    }
    return have == count;
}

bool ox_read_tensor(struct ox *ox, struct sy_bytes message, struct ox_value *into)
{
    struct tensor tensor;
    uint64_t count;
    if (!walk_tensor(ox, message, &tensor)) {
        return false;
    }
    if (into == NULL) { /* an initializer names itself */
        into = ox_value(ox, tensor.name);
        if (into == NULL) {
            return false;
        }
        into->weight = true;
        ox->node.op = "initializer";
        ox->node.name = into->name;
        ox->node.where =
            (struct sy_where){.file = ox->path, .has_offset = 1, .byte_offset = (uint64_t)(message.data - ox->file)};
    }
    if (!ox_elements(ox, &tensor.shape, &count)) {
        return false;
    }
    into->shape = tensor.shape;
    into->type = tensor.type;
    into->known = into->constant = true;
    if (count <= OX_MOST_DATA && !tensor.external) {
        double *data = take(ox, count + 1, sizeof *data);
        if (data == NULL) {
            return false;
        }
        bool held = tensor.raw.length > 0 ? raw_numbers(&tensor, count, data) : typed_numbers(&tensor, count, data);
        into->data = held ? data : NULL;
    }
    return true;
}

/* ---- value_info: declared shapes ---- */

/* A symbolic size: --dim NAME=8, or the batch option for the usual names of a batch. */
static bool resolve_symbol(struct ox *ox, struct sy_bytes symbol, const char *value, uint32_t axis, uint64_t *size)
{
    static const char *const batches[] = {"batch", "batch_size", "N", "n", "bs", "Batch"};
    char name[128], place[320];
    (void)snprintf(name, sizeof name, "%.*s", (int)(symbol.length < 120 ? symbol.length : 120),
                   symbol.length > 0 ? (const char *)symbol.data : "");
    (void)snprintf(place, sizeof place, "%.256s.%u", value, axis);
    int given = symbol.length > 0 ? sy_import_dim(ox->options, name, size) : 0;
    given = given != 0 ? given : sy_import_dim(ox->options, place, size);
    struct sy_where where = {.file = ox->path};
    if (given == 1) {
        return true;
    }
    for (size_t i = 0; given == 0 && i < sizeof batches / sizeof batches[0]; i++) {
        if (strcmp(name, batches[i]) == 0) {
            *size = ox->options->batch != 0 ? ox->options->batch : 1;
            return true;
        }
    }
    (void)sy_error(ox->diag, where, "for example --dim batch=8; a size without a name is --dim INPUT.AXIS=8",
                   given < 0 ? "the value given for size '%s' (axis %u of '%s') is not a whole number of at least 1"
                             : "size '%s' (axis %u of '%s') is not fixed in the file",
                   name, axis, value);
    ox->status = ox->status == SY_OK ? SY_INPUT : ox->status;
    return false;
}

struct declared {
    struct ox_shape shape;
    bool whole;
};

/* One Dimension message. Only inputs must be whole: other declarations are hints. */
static bool read_dim(struct ox *ox, struct sy_bytes message, const char *value, bool is_input, struct declared *out)
{
    struct sy_pb_field field;
    struct sy_bytes symbol = {NULL, 0};
    uint64_t size = 0;
    bool fixed = false;
    int more;
    while ((more = sy_pb_next(&message, &field)) == 1) {
        if (field.number == 1 && field.wire == SY_WIRE_VARINT) {
            size = field.value;
            fixed = size >= 1 && size <= MOST_ELEMENTS; /* 0 and -1 stand for "any" in some exporters */
        } else if (field.number == 2 && field.wire == SY_WIRE_BYTES) {
            symbol = field.bytes;
        }
    }
    if (more != 0) {
        return ox_fail_at(ox, field.at, "malformed shape");
    }
    if (out->shape.rank == OX_MOST_RANK) {
        out->whole = false;
        return !is_input || ox_fail_at(ox, field.at, "an input with more than 8 dimensions");
    }
    if (!fixed && is_input && !resolve_symbol(ox, symbol, value, out->shape.rank, &size)) {
        return false;
    }
    out->whole = out->whole && (fixed || is_input);
    out->shape.dim[out->shape.rank++] = size;
    return true;
}

/* TypeProto -> tensor_type (1) -> elem_type (1), shape (2) -> dim (1) */
static bool read_type(struct ox *ox, struct sy_bytes message, const char *value, bool is_input, int *type,
                      struct declared *out)
{
    struct sy_pb_field field, inner, dim;
    while (sy_pb_next(&message, &field) == 1) {
        struct sy_bytes tensor = field.bytes;
        if (field.number != 1) {
            continue; /* sequences, maps, optionals: no shape */
        }
        while (sy_pb_next(&tensor, &inner) == 1) {
            struct sy_bytes shape = inner.bytes;
            if (inner.number == 1 && inner.wire == SY_WIRE_VARINT) {
                *type = inner.value <= 64 ? (int)inner.value : 0;
            } else if (inner.number == 2) {
                out->whole = true;
                while (sy_pb_next(&shape, &dim) == 1) {
                    if (dim.number == 1 && !read_dim(ox, dim.bytes, value, is_input, out)) {
                        return false;
                    }
                }
            }
        }
    }
    return true;
}

bool ox_read_value_info(struct ox *ox, struct sy_bytes message, bool is_input, bool is_output)
{
    struct sy_bytes walk = message, type_message = {NULL, 0}, name = {NULL, 0};
    struct sy_pb_field field;
    int more;
    while ((more = sy_pb_next(&walk, &field)) == 1) {
        if (field.number == 1) {
            name = field.bytes;
        } else if (field.number == 2) {
            type_message = field.bytes;
        }
    }
    if (more != 0 || name.length == 0) {
        return ox_fail_at(ox, more != 0 ? field.at : message.data, "malformed description of a value");
    }
    struct ox_value *value = ox_value(ox, name);
    struct declared declared = {.whole = false};
    int type = 0;
    if (value == NULL) {
        return false;
    }
    bool fresh = is_input && !value->constant; /* old files list initializers as inputs too */
    if (!read_type(ox, type_message, value->name, fresh, &type, &declared)) {
        return false;
    }
    uint64_t elements;
    value->uses += is_output;
    value->type = value->type == 0 ? type : value->type;
    value->declared = declared.whole && (fresh || ox_elements(ox, &declared.shape, &elements));
    value->declared_shape = declared.shape;
    if (fresh && declared.whole) {
        value->shape = declared.shape;
        value->known = true;
        return ox_elements(ox, &declared.shape, &elements);
    }
    return ox->status == SY_OK;
}

/* ---- nodes ---- */

/* Room for one more entry of a list that keeps its memory from node to node. */
static bool room(struct ox *ox, void **list, uint32_t used, uint32_t *have, size_t size)
{
    if (used < *have) {
        return true;
    }
    uint32_t wanted = *have == 0 ? 16 : 2 * *have;
    void *larger = take(ox, wanted, size);
    if (larger == NULL) {
        return false;
    }
    if (used > 0) {
        memcpy(larger, *list, used * size);
    }
    *list = larger;
    *have = wanted;
    return true;
}

static bool read_attribute(struct ox *ox, struct sy_bytes message)
{
    struct ox_node *node = &ox->node;
    struct sy_pb_field field;
    struct ox_attribute attribute = {.message = message};
    int more;
    void *list = node->attribute;
    if (!room(ox, &list, node->attributes, &node->attribute_room, sizeof attribute)) {
        return false;
    }
    node->attribute = list;
    while ((more = sy_pb_next(&message, &field)) == 1) {
        if (field.number == 1) {
            attribute.name = field.bytes;
        } else if (field.number == 2) {
            uint32_t bits = (uint32_t)field.value;
            memcpy(&attribute.number, &bits, sizeof bits);
        } else if (field.number == 3) {
            attribute.integer = (int64_t)field.value;
        } else if (field.number == 4 || field.number == 5) {
            attribute.bytes = field.bytes;
        } else if (field.number == 20) {
            attribute.type = field.value;
        } else if (field.number == 6) {
            attribute.type = 5;
        }
    }
    node->attribute[node->attributes++] = attribute;
    return more == 0 || ox_fail_at(ox, field.at, "malformed attribute");
}

static bool add_value(struct ox *ox, struct sy_bytes name, struct ox_value ***list, uint32_t *used, uint32_t *have)
{
    void *grown = *list;
    if (!room(ox, &grown, *used, have, sizeof(struct ox_value *))) {
        return false;
    }
    *list = grown;
    struct ox_value *value = name.length == 0 ? NULL : ox_value(ox, name);
    if (name.length > 0 && value == NULL) {
        return false;
    }
    (*list)[(*used)++] = value;
    return true;
}

static const char *text(struct ox *ox, struct sy_bytes bytes)
{
    size_t length = bytes.length < LONGEST_NAME ? bytes.length : LONGEST_NAME;
    const char *copy = sy_arena_strndup(ox->workload->arena, bytes.length > 0 ? (const char *)bytes.data : "", length);
    if (copy == NULL) {
        ox->status = SY_NOMEM;
        return "";
    }
    return copy;
}

bool ox_read_node(struct ox *ox, struct sy_bytes message)
{
    struct ox_node *node = &ox->node;
    struct sy_bytes op = {NULL, 0}, domain = {NULL, 0}, name = {NULL, 0};
    struct sy_pb_field field;
    int more;
    bool good = true;
    node->inputs = node->outputs = node->attributes = 0;
    node->where =
        (struct sy_where){.file = ox->path, .has_offset = 1, .byte_offset = (uint64_t)(message.data - ox->file)};
    while (good && (more = sy_pb_next(&message, &field)) != 0) {
        if (more < 0) {
            return ox_fail_at(ox, field.at, "malformed node");
        }
        switch (field.number) {
        case 1:
            good = add_value(ox, field.bytes, &node->in, &node->inputs, &node->input_room);
            break;
        case 2:
            good = add_value(ox, field.bytes, &node->out, &node->outputs, &node->output_room);
            break;
        case 3:
            name = field.bytes;
            break;
        case 4:
            op = field.bytes;
            break;
        case 5:
            good = read_attribute(ox, field.bytes);
            break;
        case 7:
            domain = field.bytes;
            break;
        default:
            break;
        }
    }
    node->op = text(ox, op);
    node->domain = text(ox, domain);
    node->name = name.length > 0 || node->outputs == 0 || node->out[0] == NULL ? text(ox, name) : node->out[0]->name;
    return good && ox->status == SY_OK;
}

/* ---- attributes ---- */

const struct ox_attribute *ox_attribute(const struct ox *ox, const char *name)
{
    size_t length = strlen(name);
    for (uint32_t i = 0; i < ox->node.attributes; i++) {
        const struct ox_attribute *have = &ox->node.attribute[i];
        if (have->name.length == length && memcmp(have->name.data, name, length) == 0) {
            return have;
        }
    }
    return NULL;
}

int64_t ox_int(const struct ox *ox, const char *name, int64_t fallback)
{
    const struct ox_attribute *have = ox_attribute(ox, name);
    return have != NULL ? have->integer : fallback;
}

double ox_float(const struct ox *ox, const char *name, double fallback)
{
    const struct ox_attribute *have = ox_attribute(ox, name);
    return have != NULL ? (double)have->number : fallback;
}

bool ox_string_is(const struct ox *ox, const char *name, const char *text_)
{
    const struct ox_attribute *have = ox_attribute(ox, name);
    size_t length = strlen(text_);
    return have != NULL && have->bytes.length == length && memcmp(have->bytes.data, text_, length) == 0;
}

int ox_ints(struct ox *ox, const char *name, int64_t *out, int most)
{
    const struct ox_attribute *have = ox_attribute(ox, name);
    struct sy_bytes message = have != NULL ? have->message : (struct sy_bytes){NULL, 0};
    struct sy_pb_field field;
    int count = 0;
    while (sy_pb_next(&message, &field) == 1) {
        struct sy_bytes rest = field.bytes;
        uint64_t value;
        while (field.number == 8 && sy_pb_packed(&field, &rest, &value) == 1) {
            if (count == most) {
                (void)ox_fail(ox, NULL, "attribute %s has more than %d numbers", name, most);
                return -1;
            }
            out[count++] = (int64_t)value;
        }
    }
    return count;
}

int ox_floats(const struct ox *ox, const char *name, double *out, int most)
{
    const struct ox_attribute *have = ox_attribute(ox, name);
    struct sy_bytes message = have != NULL ? have->message : (struct sy_bytes){NULL, 0};
    struct sy_pb_field field;
    int count = 0;
    while (sy_pb_next(&message, &field) == 1) {
        struct sy_bytes rest = field.bytes;
        uint64_t bits = field.value;
        if (field.number == 7 && field.wire == SY_WIRE_32 && count < most) {
            out[count++] = from_bits(bits, OX_FLOAT);
        }
        while (field.number == 7 && field.wire == SY_WIRE_BYTES && count < most &&
               next_typed(&field, &rest, OX_FLOAT, &bits)) {
            out[count++] = from_bits(bits, OX_FLOAT);
        }
    }
    return count;
}
