/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking protobuf messages on the wire: fields in file order, nothing copied,
 * nothing allocated. Lengths are checked against the message, so a walk never
 * leaves its bytes and always ends. Groups (long deprecated) are malformed.
 * Pure, thread safe. Internal to workloads/import.
 *
 * Source: the public description of the encoding (protobuf.dev).
 */
#ifndef SY_WORKLOADS_IMPORT_PROTOBUF_H
#define SY_WORKLOADS_IMPORT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sy_bytes {
    const uint8_t *data;
    size_t length;
};

enum sy_wire { SY_WIRE_VARINT = 0, SY_WIRE_64 = 1, SY_WIRE_BYTES = 2, SY_WIRE_32 = 5 };

struct sy_pb_field {
    uint32_t number;
    enum sy_wire wire;
    uint64_t value;        /* VARINT, 64, 32: the bits */
    struct sy_bytes bytes; /* BYTES */
    const uint8_t *at;     /* where the field starts */
};

/* Take the next field off the front. 1 = a field, 0 = the message is done, -1 = malformed. */
int sy_pb_next(struct sy_bytes *message, struct sy_pb_field *field);
/* A varint off the front, at most 10 bytes; false when malformed. */
bool sy_pb_varint(struct sy_bytes *bytes, uint64_t *value);
/* Numbers of a repeated field may come one by one or packed: the next of the field's, 1, 0 at the end, -1 malformed.
 * Start with *rest = field->bytes. */
int sy_pb_packed(const struct sy_pb_field *field, struct sy_bytes *rest, uint64_t *value);

#endif
