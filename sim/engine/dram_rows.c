/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/dram_rows.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/engine/dram_memory.h"

enum {
    MOST_PIECES = 512,     /* of lines that are looked up */
    MOST_PLACES = 1 << 17, /* of a rotation that are looked at one by one */
    CUTS = 64,
    CUT_STEP = 37 /* moves whose starts are averaged over, and a number prime to all rotations */
};

struct sy_dram_rows {
    const struct sy_dram_map *map;
    uint32_t banks, per_channel;
    uint32_t piece_shift; /* log2 of bursts that surely lie in one row */
    uint64_t places;      /* pieces of a rotation, at most MOST_PLACES */
    uint64_t opened;      /* rows a sequential walk over the places opens */
    uint32_t *live;       /* rows used before and behind each place by such a walk */
    struct row {
        uint32_t row, first, last; /* first and last piece, for live */
        bool open;
    } bank[];
};

/* Decoding is linear in the bits of the burst: those below the first that changes anything do not matter. */
static uint32_t piece_shift_of(const struct sy_dram_map *map)
{
    const sy_dram_place origin = sy_dram_map_decode(map, 0);
    uint32_t shift = 0;
    while (shift < map->rotation_bits && sy_dram_map_decode(map, UINT64_C(1) << shift) == origin)
        shift++;
    return map->by_remainder && map->interleave_shift < shift ? map->interleave_shift : shift;
}

static struct row *bank_of(struct sy_dram_rows *rows, sy_dram_place place)
{
    return &rows->bank[sy_dram_place_channel(place) * rows->per_channel + sy_dram_place_bank(place)];
}

void sy_dram_rows_close(struct sy_dram_rows *rows)
{
    for (uint32_t i = 0; i < rows->banks; i++)
        rows->bank[i].open = false;
}

/* The row of a bank lives from its first to its last piece. */
static void end_row(struct sy_dram_rows *rows, const struct row *bank)
{
    if (!bank->open)
        return;
    rows->live[bank->first + 1]++;
    rows->live[bank->last + 1]--;
    rows->opened++;
}

static void find_live(struct sy_dram_rows *rows)
{
    sy_dram_rows_close(rows);
    for (uint32_t i = 0; i < rows->places; i++) {
        const sy_dram_place place = sy_dram_map_decode(rows->map, (uint64_t)i << rows->piece_shift);
        struct row *bank = bank_of(rows, place);
        if (!bank->open || bank->row != sy_dram_place_row(place)) {
            end_row(rows, bank);
            *bank = (struct row){.row = sy_dram_place_row(place), .first = i, .open = true};
        }
        bank->last = i;
    }
    for (uint32_t i = 0; i < rows->banks; i++)
        end_row(rows, &rows->bank[i]);
    for (uint64_t i = 1; i < rows->places; i++)
        rows->live[i] += rows->live[i - 1];
}

enum sy_status sy_dram_rows_create(const struct sy_dram_memory *memory, struct sy_dram_rows **out)
{
    const uint32_t per_channel = memory->plan.banks, banks = per_channel * memory->channels;
    struct sy_dram_rows *rows = calloc(1, sizeof *rows + banks * sizeof rows->bank[0]);
    *out = rows;
    if (!rows)
        return SY_NOMEM;
    rows->map = &memory->map;
    rows->banks = banks;
    rows->per_channel = per_channel;
    rows->piece_shift = piece_shift_of(&memory->map);
    const uint32_t bits = memory->map.rotation_bits - rows->piece_shift;
    rows->places = sy_min(UINT64_C(1) << sy_min(bits, 32), MOST_PLACES);
    rows->live = calloc(rows->places + 2, sizeof *rows->live);
    if (!rows->live)
        return SY_NOMEM;
    find_live(rows);
    sy_dram_rows_close(rows);
    return SY_OK;
}

void sy_dram_rows_destroy(struct sy_dram_rows *rows)
{
    if (rows)
        free(rows->live);
    free(rows);
}

uint32_t sy_dram_rows_banks(const struct sy_dram_rows *rows)
{
    return rows->banks;
}

uint64_t sy_dram_rows_walk(struct sy_dram_rows *rows, uint64_t burst, uint64_t count)
{
    uint64_t opened = 0;
    const uint64_t end = burst + count, piece = UINT64_C(1) << rows->piece_shift;
    for (uint64_t at = burst; at < end; at = (at | (piece - 1)) + 1) {
        const sy_dram_place place = sy_dram_map_decode(rows->map, at);
        struct row *bank = bank_of(rows, place);
        if (bank->open && bank->row == sy_dram_place_row(place))
            continue;
        bank->open = true;
        bank->row = sy_dram_place_row(place);
        opened++;
    }
    return opened;
}

uint64_t sy_dram_rows_lines(struct sy_dram_rows *rows, uint64_t address, uint64_t lines, uint64_t line_bytes,
                            uint64_t pitch_bytes)
{
    const uint32_t shift = rows->map->burst_shift;
    uint64_t opened = 0, scaled = 0;
    const uint64_t pieces = (line_bytes >> shift >> rows->piece_shift) + 1;
    const uint64_t walked = sy_min(lines, MOST_PIECES / sy_min(pieces, MOST_PIECES));
    for (uint64_t i = 0; i < walked; i++) {
        const uint64_t at = address + i * pitch_bytes, first = at >> shift;
        opened += sy_dram_rows_walk(rows, first, ((at + line_bytes - 1) >> shift) - first + 1);
    }
    return sy_mul_div(opened, lines, walked, &scaled) ? scaled : UINT64_MAX;
}

uint64_t sy_dram_rows_stream(struct sy_dram_rows *rows, uint64_t bytes)
{
    uint64_t scaled = 0;
    const uint64_t rotation = rows->places << rows->piece_shift << rows->map->burst_shift;
    return sy_mul_div(bytes, rows->opened * 1000000, rotation, &scaled) ? scaled : UINT64_MAX;
}

uint64_t sy_dram_rows_cut(struct sy_dram_rows *rows, uint64_t address, uint64_t bytes, bool only)
{
    const uint32_t shift = rows->map->burst_shift + rows->piece_shift;
    const uint64_t rotation = rows->places << shift, most = ((bytes - 1) >> shift) + 1;
    uint64_t sum = 0, at = address % rotation;
    const uint32_t cuts = only ? 1 : CUTS;
    for (uint32_t i = 0; i < cuts; i++) {
        sum += sy_min(rows->live[at >> shift], most);
        at = (at + bytes % rotation * CUT_STEP) % rotation;
    }
    return sum * 1000000 / cuts;
}
