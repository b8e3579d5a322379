/* SPDX-License-Identifier: Apache-2.0 */
#include "workloads/import/protobuf.h"

enum { MOST_VARINT_BYTES = 10 };

bool sy_pb_varint(struct sy_bytes *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < MOST_VARINT_BYTES && i < bytes->length; i++) {
        uint8_t byte = bytes->data[i];
        if (i == MOST_VARINT_BYTES - 1 && byte > 1) {
            return false; /* beyond 64 bits */
        }
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bytes->data += i + 1;
            bytes->length -= i + 1;
            return true;
        }
    }
    return false;
}

static bool fixed(struct sy_bytes *bytes, unsigned size, uint64_t *value)
{
    if (bytes->length < size) {
        return false;
    }
    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        *value |= (uint64_t)bytes->data[i] << (8 * i);
    }
    bytes->data += size;
    bytes->length -= size;
    return true;
}

int sy_pb_next(struct sy_bytes *message, struct sy_pb_field *field)
{
    uint64_t key, length;
    if (message->length == 0) {
        return 0;
    }
    *field = (struct sy_pb_field){.at = message->data};
    if (!sy_pb_varint(message, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3) {
        return -1;
    }
    field->number = (uint32_t)(key >> 3);
    switch (key & 7) {
    case SY_WIRE_VARINT:
        field->wire = SY_WIRE_VARINT;
        return sy_pb_varint(message, &field->value) ? 1 : -1;
    case SY_WIRE_64:
        field->wire = SY_WIRE_64;
        return fixed(message, 8, &field->value) ? 1 : -1;
    case SY_WIRE_32:
        field->wire = SY_WIRE_32;
        return fixed(message, 4, &field->value) ? 1 : -1;
    case SY_WIRE_BYTES:
        field->wire = SY_WIRE_BYTES;
        if (!sy_pb_varint(message, &length) || length > message->length) {
            return -1;
        }
        field->bytes = (struct sy_bytes){message->data, (size_t)length};
        message->data += length;
        message->length -= (size_t)length;
        return 1;
    default:
        return -1;
    }
}

int sy_pb_packed(const struct sy_pb_field *field, struct sy_bytes *rest, uint64_t *value)
{
    if (field->wire != SY_WIRE_BYTES) {
        /* one number in the field itself: hand it out once */
        if (rest->data == field->at) {
            return 0;
        }
        rest->data = field->at;
        *value = field->value;
        return 1;
    }
    if (rest->length == 0) {
        return 0;
    }
    return sy_pb_varint(rest, value) ? 1 : -1;
}
