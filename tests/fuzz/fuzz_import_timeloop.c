/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz_import.h"

extern const struct sy_importer sy_importer_timeloop;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    fuzz_import(&sy_importer_timeloop, "problem.yaml", data, length, (struct sy_import_options){.batch = 0});
    return 0;
}
