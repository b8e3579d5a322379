/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number formats of tensors. Block-scaled formats carry one scale per block;
 * their bytes include the scales.
 * Source: OCP Microscaling (MX) v1.0 for mxfp*, NVIDIA's public NVFP4 description (block 16, e4m3 scale).
 */
#ifndef SY_WORKLOADS_DTYPE_H
#define SY_WORKLOADS_DTYPE_H

#include <stdbool.h>
#include <stdint.h>

/*      id      name     bits  float  block  scale_bits */
#define SY_DTYPE_NATIVE_MAP(X)                                                                                         \
    X(INT4, "int4", 4, false, 0, 0)                                                                                    \
    X(INT8, "int8", 8, false, 0, 0)                                                                                    \
    X(INT16, "int16", 16, false, 0, 0)                                                                                 \
    X(INT32, "int32", 32, false, 0, 0)                                                                                 \
    X(FP8, "fp8", 8, true, 0, 0)                                                                                       \
    X(BF16, "bf16", 16, true, 0, 0)                                                                                    \
    X(FP16, "fp16", 16, true, 0, 0)                                                                                    \
    X(FP32, "fp32", 32, true, 0, 0)                                                                                    \
    X(MXFP8, "mxfp8", 8, true, 32, 8)                                                                                  \
    X(MXFP6, "mxfp6", 6, true, 32, 8)                                                                                  \
    X(MXFP4, "mxfp4", 4, true, 32, 8)                                                                                  \
    X(NVFP4, "nvfp4", 4, true, 16, 8)
/* Integers with a 16-bit scale a group along k, z: and a 4-bit zero point (GPTQ, AWQ, MatMulNBits of ONNX Runtime).
 * Formats of storage: arrays multiply the integers themselves (sy_dtype_plain). */
#define SY_DTYPE_GROUP_MAP(X)                                                                                          \
    X(INT4G32, "int4g32", 4, false, 32, 16)                                                                            \
    X(INT4G64, "int4g64", 4, false, 64, 16)                                                                            \
    X(INT4G128, "int4g128", 4, false, 128, 16)                                                                         \
    X(INT4G32Z, "int4g32z", 4, false, 32, 20)                                                                          \
    X(INT4G64Z, "int4g64z", 4, false, 64, 20)                                                                          \
    X(INT4G128Z, "int4g128z", 4, false, 128, 20)
#define SY_DTYPE_MAP(X) SY_DTYPE_NATIVE_MAP(X) SY_DTYPE_GROUP_MAP(X)

enum sy_dtype {
#define SY_DTYPE_ENUM(id, name, bits, is_float, block, scale_bits) SY_##id,
    SY_DTYPE_MAP(SY_DTYPE_ENUM)
#undef SY_DTYPE_ENUM
        SY_DTYPE_COUNT,
    SY_DTYPE_NATIVE_COUNT = SY_INT4G32 /* formats that arrays and energy tables know */
};

struct sy_dtype_info {
    const char *name;
    uint32_t bits; /* of one element */
    bool is_float;
    uint32_t block;      /* elements that share a scale; 0 = none */
    uint32_t scale_bits; /* of one scale */
};

extern const struct sy_dtype_info sy_dtypes[SY_DTYPE_COUNT];

/* Whether groups of integers share a scale. */
bool sy_dtype_grouped(enum sy_dtype dtype);
/* What an array is given: the integers of a grouped format, else the format itself. */
enum sy_dtype sy_dtype_plain(enum sy_dtype dtype);
/* Returns false when the name is unknown. */
bool sy_dtype_parse(const char *name, enum sy_dtype *dtype);
/* Bytes of `elements` packed elements, scales included, rounded up to a byte; false on overflow. */
bool sy_dtype_bytes(enum sy_dtype dtype, uint64_t elements, uint64_t *bytes);

#endif
