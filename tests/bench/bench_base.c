/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing text: JSON, CSV, numbers. */
#include <stdlib.h>

#include "sim/base/csv.h"
#include "sim/base/json.h"
#include "sim/base/units.h"
#include "tests/bench/bench.h"

static struct sy_buf json, csv;
enum { NUMBERS = 100000 };

static void make_inputs(void)
{
    struct sy_json_writer w;
    sy_json_begin(&w, &json);
    sy_json_open_array(&w, NULL);
    for (uint64_t i = 0; i < 20000; i++) {
        sy_json_open_object(&w, NULL);
        sy_json_put_string(&w, "name", "layer3.conv2");
        sy_json_put_u64(&w, "cycles", i * 7919);
        sy_json_put_double(&w, "utilization", (double)i / 20001.0);
        sy_json_close_object(&w);
        sy_buf_puts(&csv, "layer3.conv2,224,224,3,3,64,128,\"1,1\"\n");
    }
    sy_json_close_array(&w);
    sy_json_end(&w);
}

static void read_json(void *ctx)
{
    (void)ctx;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_json *root;
    if (sy_json_parse(arena, json.data, json.length, "bench", &root, NULL) != SY_OK) {
        abort();
    }
    sy_arena_destroy(arena);
}

static void read_csv(void *ctx)
{
    (void)ctx;
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    struct sy_csv table;
    if (sy_csv_parse(arena, csv.data, csv.length, "bench", &table, NULL) != SY_OK) {
        abort();
    }
    sy_arena_destroy(arena);
}

static void read_units(void *ctx)
{
    (void)ctx;
    uint64_t value;
    for (int i = 0; i < NUMBERS; i++) {
        if (!sy_parse_u64(i % 2 == 0 ? "28 MiB" : "1.5 GB", SY_UNIT_BYTES, &value, NULL)) {
            abort();
        }
    }
}

static void write_doubles(void *ctx)
{
    (void)ctx;
    char out[32];
    for (int i = 1; i <= NUMBERS; i++) {
        sy_format_double(out, 1.0 / i);
    }
}

int main(void)
{
    make_inputs();
    bench_print("base: JSON read", (double)json.length / bench_best(read_json, NULL) / 1e6, "MB/s");
    bench_print("base: CSV read", (double)csv.length / bench_best(read_csv, NULL) / 1e6, "MB/s");
    bench_print("base: numbers with units read", NUMBERS / bench_best(read_units, NULL), "a second");
    bench_print("base: doubles written", NUMBERS / bench_best(write_doubles, NULL), "a second");
    sy_buf_free(&json);
    sy_buf_free(&csv);
    return 0;
}
