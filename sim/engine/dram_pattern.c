/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_pattern.h"

#include <stdbool.h>
#include <string.h>

#include "sim/base/text.h"

enum { REGION = 64 << 20, SKEW = 8192, STRIDE_LINES = 64, RANDOM_RANGE = 256 << 20 };
#define RANDOM_SEED UINT64_C(0x9E3779B97F4A7C15)

enum shape { SEQUENTIAL, TILE, MIX, STREAMS, STRIDE, RANDOM };
static const struct named {
    const char *name;
    enum shape shape;
    uint32_t arguments;
    bool write, skew;
} patterns[] = {
    {"seq_rd", SEQUENTIAL, 0, false, false}, {"seq_wr", SEQUENTIAL, 0, true, false},
    {"tile", TILE, 1, false, false},         {"tileskew", TILE, 1, false, true},
    {"mix3", MIX, 0, false, false},          {"mix3skew", MIX, 0, false, true},
    {"streams", STREAMS, 1, false, false},   {"streamsskew", STREAMS, 1, false, true},
    {"stride", STRIDE, 2, false, false},     {"stride_wr", STRIDE, 2, true, false},
    {"rand_rd", RANDOM, 0, false, false},    {"rand_mix", RANDOM, 0, true, false},
};

static enum sy_status refuse(struct sy_diag *diag, const char *text, const char *why)
{
    return sy_error(diag, SY_NOWHERE,
                    "patterns are seq_rd seq_wr tile:S tileskew:S mix3 mix3skew streams:K "
                    "streamsskew:K stride:PITCH:WIDTH stride_wr:PITCH:WIDTH rand_rd rand_mix",
                    "memory pattern '%s': %s", text, why);
}

static const struct named *find(const char *text, uint64_t argument[2], uint32_t *arguments)
{
    const size_t length = strcspn(text, ":");
    const char *p = text + length;
    *arguments = 0;
    while (*p == ':') {
        const size_t digits = strcspn(p + 1, ":");
        if (*arguments == 2 || !sy_text_to_u64(p + 1, digits, &argument[*arguments]) || !argument[*arguments])
            return NULL;
        ++*arguments;
        p += 1 + digits;
    }
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (strlen(patterns[i].name) == length && !strncmp(text, patterns[i].name, length))
            return &patterns[i];
    return NULL;
}

static void regions(struct sy_dram_source *source, uint32_t count, uint64_t apart, uint64_t turn, bool last_writes)
{
    source->streams = count;
    source->turn_bursts = turn;
    for (uint32_t s = 0; s < count; s++)
        source->stream[s] = (struct sy_dram_stream){
            .base = s * apart, .run_bytes = UINT64_MAX, .is_write = last_writes && s + 1 == count};
}

enum sy_status sy_dram_pattern(const char *text, uint64_t burst_bytes, uint64_t bursts, struct sy_dram_source *source,
                               struct sy_diag *diag)
{
    uint64_t argument[2] = {0};
    uint32_t arguments = 0;
    const struct named *named = find(text, argument, &arguments);
    if (!named || arguments != named->arguments)
        return refuse(diag, text, named ? "wrong number of arguments" : "unknown name or bad number");
    *source = (struct sy_dram_source){.streams = 1, .bursts = bursts, .clocks_den = 1};
    struct sy_dram_stream *stream = &source->stream[0];
    const uint64_t skew = named->skew ? SKEW : 0;
    switch (named->shape) {
    case SEQUENTIAL:
        *stream = (struct sy_dram_stream){.run_bytes = UINT64_MAX, .is_write = named->write};
        return SY_OK;
    case TILE:
        if (argument[0] % burst_bytes || argument[0] > REGION)
            return refuse(diag, text, "the tile must be whole bursts and at most 64 MiB");
        regions(source, 3, REGION + skew, argument[0] / burst_bytes, true);
        return SY_OK;
    case MIX:
        regions(source, 3, REGION + skew, 1, true);
        return SY_OK;
    case STREAMS:
        if (argument[0] > SY_DRAM_STREAMS)
            return refuse(diag, text, "at most 16 streams");
        regions(source, (uint32_t)argument[0], REGION / 2 + skew, 1, false);
        return SY_OK;
    case STRIDE:
        if (argument[1] % burst_bytes || argument[0] % argument[1] || argument[0] > UINT32_MAX)
            return refuse(diag, text, "the width must be whole bursts and divide the pitch");
        *stream = (struct sy_dram_stream){.run_bytes = argument[1], .is_write = named->write};
        stream->loop[0] = (struct sy_dram_loop){STRIDE_LINES, argument[0]};
        stream->loop[1] = (struct sy_dram_loop){argument[0] / argument[1], argument[1]};
        stream->loop[2] = (struct sy_dram_loop){UINT64_MAX, STRIDE_LINES * argument[0]};
        return SY_OK;
    case RANDOM:
    default:
        *stream = (struct sy_dram_stream){.run_bytes = burst_bytes,
                                          .random_range = RANDOM_RANGE,
                                          .random_align = burst_bytes,
                                          .random_seed = RANDOM_SEED,
                                          .write_every = named->write ? 3 : 0};
        stream->loop[0] = (struct sy_dram_loop){UINT64_MAX, 0};
        return SY_OK;
    }
}
