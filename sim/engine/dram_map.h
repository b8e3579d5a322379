/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address map: byte address -> channel, bank, row.
 *
 * Text form, most significant field first:
 *     row rank bank column bankgroup channel
 *     row column bank bankgroup column:2 channel; bankgroup^column>>0 row^column>>4
 * `field:n` takes the next n bits of a field that is given in parts (lowest
 * part last). After `;`, `target^source>>k` XORs the target with the source's
 * bits from k up; a source is never a target, so the map stays one to one.
 * The names the tools use are accepted too: DRAMsim3's six letter pairs
 * ("rorabacobgch"), Ramulator's RoBaRaCoCh and MOP4CLXOR.
 *
 * Every output bit is an XOR of address bits, so decoding is one table look-up
 * for each byte of the burst index; a channel count that is not a power of two
 * is taken by remainder first.
 */
#ifndef SY_ENGINE_DRAM_MAP_H
#define SY_ENGINE_DRAM_MAP_H

#include <stdint.h>

#include "arch/dram_device.h"

enum { SY_DRAM_MAP_BYTES = 5 }; /* burst index bits / 8 that are looked up; higher address bits wrap */

struct sy_dram_map {
    uint32_t burst_shift; /* log2 of burst_bytes */
    uint32_t channels;
    uint32_t interleave_shift; /* bursts, log2; used when channels is not a power of two */
    bool by_remainder;
    uint32_t rotation_bits; /* of the burst index: everything that selects channel, bank or column */
    uint64_t table[SY_DRAM_MAP_BYTES][256];
};

/* A decoded burst: row in bits 0..31, bank (of the channel) in 32..39, channel in 40..55. */
typedef uint64_t sy_dram_place;
static inline uint32_t sy_dram_place_row(sy_dram_place place)
{
    return (uint32_t)place;
}
static inline uint32_t sy_dram_place_bank(sy_dram_place place)
{
    return (uint32_t)(place >> 32) & 0xff;
}
static inline uint32_t sy_dram_place_channel(sy_dram_place place)
{
    return (uint32_t)(place >> 40) & 0xffff;
}

static inline sy_dram_place sy_dram_map_decode(const struct sy_dram_map *map, uint64_t burst)
{
    uint64_t channel = 0;
    if (__builtin_expect(map->by_remainder, 0)) {
        const uint64_t block = burst >> map->interleave_shift;
        const uint64_t offset = burst & ((UINT64_C(1) << map->interleave_shift) - 1);
        channel = block % map->channels;
        burst = (block / map->channels) << map->interleave_shift | offset;
    }
    return (channel << 40) ^ map->table[0][burst & 0xff] ^ map->table[1][burst >> 8 & 0xff] ^
           map->table[2][burst >> 16 & 0xff] ^ map->table[3][burst >> 24 & 0xff] ^ map->table[4][burst >> 32 & 0xff];
}

/* Build the map of `channels` channels of a device. interleave_bytes 0 keeps the channel field where the text has it;
 * otherwise consecutive blocks of that many bytes (a power of two, at least a burst) go to consecutive channels.
 * Errors name what is wrong in the text. Thread safe. */
enum sy_status sy_dram_map_build(struct sy_dram_map *map, const char *text, const struct sy_dram_device *device,
                                 uint32_t channels, uint64_t interleave_bytes, struct sy_diag *diag);

/* Whether consecutive bursts, or interleave blocks, go to consecutive channels: the channel bits are the lowest ones
 * above the block, unhashed. interleave_shift is then the block. */
bool sy_dram_map_channel_low(const struct sy_dram_map *map, uint32_t channels);

#endif
