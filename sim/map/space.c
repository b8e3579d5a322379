/* SPDX-License-Identifier: Apache-2.0 */
/* On-chip space: first-fit placement from above, hazards. See space.h. */
#include "sim/map/space.h"

#include <string.h>

#include "sim/base/checked.h"

void sy_space_init(struct sy_space *space, uint64_t capacity, uint64_t alignment)
{
    memset(space, 0, sizeof *space);
    space->capacity = capacity;
    space->alignment = sy_max(alignment, 1);
}

uint64_t sy_space_bottom(const struct sy_space *space)
{
    return space->residents ? space->resident[0].low : space->capacity;
}

struct sy_resident *sy_space_find(struct sy_space *space, uint64_t key)
{
    for (uint32_t i = 0; i < space->residents; i++)
        if (space->resident[i].key == key)
            return &space->resident[i];
    return NULL;
}

static void note_peak(struct sy_space *space)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < space->residents; i++)
        used += space->resident[i].high - space->resident[i].low;
    space->peak_bytes = sy_max(space->peak_bytes, used);
}

struct sy_resident *sy_space_keep(struct sy_space *space, uint64_t key, uint64_t bytes, uint64_t floor,
                                  struct sy_users *before)
{
    if (space->residents == SY_MAX_RESIDENT || bytes > space->capacity)
        return NULL;
    uint64_t size = sy_ceil_div(bytes, space->alignment) * space->alignment, high = space->capacity;
    if (size > space->capacity)
        return NULL;
    for (uint32_t i = space->residents + 1; i-- > 0;) {
        uint64_t low = i > 0 ? space->resident[i - 1].high : 0;
        low = sy_max(low, floor);
        if (high >= low && high - low >= size) {
            memmove(&space->resident[i + 1], &space->resident[i], (space->residents - i) * sizeof space->resident[0]);
            space->residents++;
            space->resident[i] = (struct sy_resident){
                .key = key, .low = high - size, .high = high, .bytes = bytes, .next_use = UINT64_MAX};
            sy_space_take(space, high - size, high, before);
            note_peak(space);
            return &space->resident[i];
        }
        if (i > 0)
            high = space->resident[i - 1].low;
    }
    return NULL;
}

void sy_space_drop(struct sy_space *space, struct sy_resident *resident)
{
    uint32_t index = (uint32_t)(resident - space->resident);
    struct sy_resident gone = *resident;
    memmove(resident, resident + 1, (space->residents - index - 1) * sizeof *resident);
    space->residents--;
    if (gone.producer)
        sy_users_note(&gone.users, gone.producer_class, gone.producer);
    sy_space_leave(space, gone.low, gone.high, &gone.users);
}

void sy_space_take(struct sy_space *space, uint64_t low, uint64_t high, struct sy_users *users)
{
    memset(users, 0, sizeof *users);
    for (uint32_t i = 0; i < space->hazards;) {
        struct sy_hazard *hazard = &space->hazard[i];
        if (hazard->high <= low || hazard->low >= high) {
            i++;
            continue;
        }
        sy_users_merge(users, &hazard->users);
        if (hazard->low >= low && hazard->high <= high) { /* wholly taken over */
            space->hazards--;
            memmove(hazard, hazard + 1, (space->hazards - i) * sizeof *hazard);
        } else {
            i++; /* the rest keeps its users; waiting twice is harmless */
        }
    }
}

static bool comes_before(uint64_t low, uint64_t high, const struct sy_hazard *hazard)
{
    return low != hazard->low ? low < hazard->low : high < hazard->high;
}

void sy_space_leave(struct sy_space *space, uint64_t low, uint64_t high, const struct sy_users *users)
{
    bool any = false;
    for (int i = 0; i < SY_USER_CLASSES; i++)
        any |= users->stamp[i] != 0;
    if (!any || low >= high)
        return;
    if (space->hazards == SY_MAX_HAZARDS) {
        /* Full: fold the two lowest into their hull. Later users may wait longer than needed, never too short. */
        space->hazard[0].low = sy_min(space->hazard[0].low, space->hazard[1].low);
        space->hazard[0].high = sy_max(space->hazard[0].high, space->hazard[1].high);
        sy_users_merge(&space->hazard[0].users, &space->hazard[1].users);
        memmove(&space->hazard[1], &space->hazard[2], (space->hazards - 2) * sizeof space->hazard[0]);
        space->hazards--;
    }
    uint32_t place = space->hazards++;
    for (; place > 0 && comes_before(low, high, &space->hazard[place - 1]); place--)
        space->hazard[place] = space->hazard[place - 1];
    space->hazard[place] = (struct sy_hazard){low, high, *users};
}
