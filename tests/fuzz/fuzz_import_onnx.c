/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz_import.h"

extern const struct sy_importer sy_importer_onnx;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const char *const dims[] = {"s=7", NULL};
    fuzz_import(&sy_importer_onnx, "model.onnx", data, length,
                (struct sy_import_options){.dims = dims,
                                           .has_dtype = length % 2 == 1,
                                           .activation = SY_BF16,
                                           .weight = SY_INT8,
                                           .accumulator = SY_FP32});
    return 0;
}
