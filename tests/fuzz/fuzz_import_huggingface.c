/* SPDX-License-Identifier: Apache-2.0 */
/* The length of the file chooses phase, batch and routing. */
#include "tests/fuzz/fuzz_import.h"

extern const struct sy_importer sy_importer_huggingface;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const char *const phases[] = {NULL, "prefill", "decode", "train-step"};
    struct sy_import_options options = {
        .phase = phases[length % 4], .batch = length % 3, .routing = length % 5 == 0 ? "worst" : NULL};
    fuzz_import(&sy_importer_huggingface, "config.json", data, length, options);
    return 0;
}
