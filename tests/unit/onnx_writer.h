/* SPDX-License-Identifier: Apache-2.0 */
/* Writes small ONNX models for tests, field by field as onnx.proto has them. */
#ifndef TESTS_UNIT_ONNX_WRITER_H
#define TESTS_UNIT_ONNX_WRITER_H

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "sim/base/text.h"

static inline void pb_varint(struct sy_buf *out, uint64_t value)
{
    do {
        char byte = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        sy_buf_append(out, &byte, 1);
        value >>= 7;
    } while (value != 0);
}

static inline void pb_number(struct sy_buf *out, unsigned field, uint64_t value)
{
    pb_varint(out, field << 3);
    pb_varint(out, value);
}

static inline void pb_bytes(struct sy_buf *out, unsigned field, const void *data, size_t length)
{
    pb_varint(out, field << 3 | 2);
    pb_varint(out, length);
    sy_buf_append(out, data, length);
}

static inline void pb_text(struct sy_buf *out, unsigned field, const char *text)
{
    pb_bytes(out, field, text, strlen(text));
}

/* Append a finished message as a field and free it. */
static inline void pb_message(struct sy_buf *out, unsigned field, struct sy_buf *message)
{
    pb_bytes(out, field, message->data != NULL ? message->data : "", message->length);
    sy_buf_free(message);
}

/* A model under construction: the fields of its graph. */
struct onnx_writer {
    struct sy_buf graph, model;
};

/* dims: "2,3,5"; a word is a symbolic size. Declares an input (field 11), output (12) or value (13). */
static inline void onnx_value(struct onnx_writer *w, unsigned field, const char *name, int type, const char *dims)
{
    struct sy_buf info = {0}, kind = {0}, tensor = {0}, shape = {0};
    for (const char *at = dims; *at != '\0';) {
        struct sy_buf dim = {0};
        size_t length = strcspn(at, ",");
        uint64_t size;
        if (sy_text_to_u64(at, length, &size)) {
            pb_number(&dim, 1, size);
        } else {
            pb_bytes(&dim, 2, at, length);
        }
        pb_message(&shape, 1, &dim);
        at += length + (at[length] == ',');
    }
    pb_number(&tensor, 1, (uint64_t)type);
    pb_message(&tensor, 2, &shape);
    pb_message(&kind, 1, &tensor);
    pb_text(&info, 1, name);
    pb_message(&info, 2, &kind);
    pb_message(&w->graph, field, &info);
}

/* An initializer without data. */
static inline void onnx_weight(struct onnx_writer *w, const char *name, int type, const char *dims)
{
    struct sy_buf tensor = {0};
    for (const char *at = dims; *at != '\0';) {
        size_t length = strcspn(at, ",");
        uint64_t size = 0;
        (void)sy_text_to_u64(at, length, &size);
        pb_number(&tensor, 1, size);
        at += length + (at[length] == ',');
    }
    pb_number(&tensor, 2, (uint64_t)type);
    pb_text(&tensor, 8, name);
    pb_message(&w->graph, 5, &tensor);
}

/* An int64 initializer of one dimension (rank 0 when count is -1) with its data, raw or typed. */
static inline void onnx_ints(struct onnx_writer *w, const char *name, int count, const int64_t *values, int raw)
{
    struct sy_buf tensor = {0};
    int held = count < 0 ? 1 : count;
    if (count >= 0) {
        pb_number(&tensor, 1, (uint64_t)count);
    }
    pb_number(&tensor, 2, 7);
    if (raw) {
        pb_bytes(&tensor, 9, values, (size_t)held * sizeof *values); /* little-endian hosts, as the format */
    }
    for (int i = 0; !raw && i < held; i++) {
        pb_number(&tensor, 7, (uint64_t)values[i]);
    }
    pb_text(&tensor, 8, name);
    pb_message(&w->graph, 5, &tensor);
}

/* A node. words: "Op", inputs joined by ' ', outputs joined by ' ', then attributes "name=int", "name=i,j,k,"
 * (a list ends with a comma) or "name=\"text", NULL last. An input "-" is left out. */
static inline void onnx_names(struct sy_buf *node, unsigned field, const char *names)
{
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        pb_bytes(node, field, names, length == 1 && *names == '-' ? 0 : length);
        names += length + (names[length] == ' ');
    }
}

static inline void onnx_attribute(struct sy_buf *node, const char *text)
{
    struct sy_buf attribute = {0};
    const char *equals = strchr(text, '=');
    pb_bytes(&attribute, 1, text, (size_t)(equals - text));
    const char *value = equals + 1;
    if (*value == '"') {
        pb_text(&attribute, 4, value + 1);
        pb_number(&attribute, 20, 3);
    } else if (strchr(value, ',') != NULL) {
        while (*value != '\0') {
            pb_number(&attribute, 8, (uint64_t)strtoll(value, NULL, 10));
            value = strchr(value, ',') + 1;
        }
        pb_number(&attribute, 20, 7);
    } else {
        pb_number(&attribute, 3, (uint64_t)strtoll(value, NULL, 10));
        pb_number(&attribute, 20, 2);
    }
    pb_message(node, 5, &attribute);
}

static inline void onnx_node_in(struct onnx_writer *w, const char *domain, const char *op, const char *inputs,
                                const char *outputs, va_list attributes)
{
    struct sy_buf node = {0};
    onnx_names(&node, 1, inputs);
    onnx_names(&node, 2, outputs);
    pb_text(&node, 4, op);
    for (const char *text = va_arg(attributes, const char *); text != NULL; text = va_arg(attributes, const char *)) {
        onnx_attribute(&node, text);
    }
    if (*domain != '\0') {
        pb_text(&node, 7, domain);
    }
    pb_message(&w->graph, 1, &node);
}

static inline void onnx_node(struct onnx_writer *w, const char *op, const char *inputs, const char *outputs, ...)
{
    va_list attributes;
    va_start(attributes, outputs);
    onnx_node_in(w, "", op, inputs, outputs, attributes);
    va_end(attributes);
}

static inline void onnx_node_ms(struct onnx_writer *w, const char *op, const char *inputs, const char *outputs, ...)
{
    va_list attributes;
    va_start(attributes, outputs);
    onnx_node_in(w, "com.microsoft", op, inputs, outputs, attributes);
    va_end(attributes);
}

/* The bytes of the model; free with sy_buf_free. */
static inline struct sy_buf onnx_finish(struct onnx_writer *w, uint64_t opset)
{
    struct sy_buf model = {0}, version = {0};
    pb_number(&model, 1, 8);
    pb_message(&model, 7, &w->graph);
    pb_text(&version, 1, "");
    pb_number(&version, 2, opset);
    pb_message(&model, 8, &version);
    return model;
}

#endif
