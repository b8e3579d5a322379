/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz_import.h"

extern const struct sy_importer sy_importer_scalesim;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const char *const dims[] = {"B=3", NULL};
    fuzz_import(&sy_importer_scalesim, "t.csv", data, length, (struct sy_import_options){.dims = dims});
    return 0;
}
