/* SPDX-License-Identifier: Apache-2.0 */
/* The three readings of one text must agree with each other. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    size_t length = size < sizeof text ? size : sizeof text - 1;
    if (length > 0) {
        memcpy(text, data, length);
    }
    text[length] = '\0';
    for (int unit = 0; unit < SY_UNIT_COUNT; unit++) {
        struct sy_unit_error error;
        uint64_t whole;
        double real;
        if (sy_parse_u64(text, (enum sy_unit)unit, &whole, &error)) {
            if (!sy_parse_double(text, (enum sy_unit)unit, &real, &error) ||
                fabs(real - (double)whole) > 1e-15 * (double)whole) {
                abort();
            }
        } else if (error.column > strlen(text) || error.message[0] == '\0') {
            abort();
        }
    }
    uint64_t num, den;
    double hz;
    if (sy_parse_hz(text, &num, &den, NULL) &&
        (!sy_parse_double(text, SY_UNIT_HZ, &hz, NULL) || fabs(hz - (double)num / (double)den) > 1e-15 * hz)) {
        abort();
    }
    return 0;
}
