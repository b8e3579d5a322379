/* SPDX-License-Identifier: Apache-2.0 */
/* A chip is refused with at least one message, or its resolved text is the same chip again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/chip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = getenv("SYSTOLE_DATA");
    struct sy_chip_options options = {.data_dir = folder ? folder : "."};
    struct sy_diag diag = {0}, second = {0};
    struct sy_chip *chip = NULL, *again = NULL;
    enum sy_status status = sy_chip_parse((const char *)data, size, "fuzz.yaml", &options, &chip, &diag);
    if ((status == SY_OK) != (chip != NULL) || (status == SY_OK) != (diag.errors == 0))
        abort();
    if (chip) {
        if (sy_chip_parse(chip->text, strlen(chip->text), "again.yaml", &options, &again, &second) != SY_OK ||
            strcmp(chip->text, again->text) != 0)
            abort();
        struct sy_buf shown = {0};
        if (sy_chip_show(chip, SY_CHIP_JSON, &shown) != SY_OK)
            abort();
        sy_buf_free(&shown);
    }
    sy_chip_destroy(chip);
    sy_chip_destroy(again);
    return 0;
}
