/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever parses must give the same table after being written and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_arena *arena = sy_arena_create(NULL, (size_t)64 << 20);
    struct sy_csv csv, again;
    if (sy_csv_parse(arena, (const char *)data, size, "fuzz", &csv, NULL) == SY_OK) {
        struct sy_buf text = {0};
        for (size_t r = 0; r < csv.rows; r++) {
            for (uint32_t f = 0; f < csv.row[r].fields; f++) {
                sy_buf_puts(&text, f == 0 ? "" : ",");
                sy_csv_put(&text, csv.row[r].field[f]);
            }
            sy_buf_puts(&text, "\n");
        }
        /* A first field that begins with a byte order mark would be read as one. */
        int marked = text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
        if (sy_csv_parse(arena, text.data, text.length, "again", &again, NULL) != SY_OK || again.rows != csv.rows) {
            abort();
        }
        for (size_t r = 0; r < csv.rows && !marked; r++) {
            if (again.row[r].fields != csv.row[r].fields) {
                abort();
            }
            for (uint32_t f = 0; f < csv.row[r].fields; f++) {
                if (strcmp(again.row[r].field[f], csv.row[r].field[f]) != 0) {
                    abort();
                }
            }
        }
        sy_buf_free(&text);
    }
    sy_arena_destroy(arena);
    return 0;
}
