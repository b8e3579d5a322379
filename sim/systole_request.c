/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: what was asked for, kept so that a result says how to repeat its run. */
#include "sim/systole_internal.h"

static bool copy_text(struct sy_arena *arena, const char **text)
{
    return !*text || (*text = sy_arena_strdup(arena, *text));
}

static bool copy_list(struct sy_arena *arena, const char *const **list)
{
    const char *const *from = *list;
    size_t count = 0;
    while (from && from[count])
        count++;
    *list = NULL;
    if (!count)
        return true;
    const char **to = sy_arena_array(arena, count + 1, sizeof *to);
    for (size_t i = 0; to && i < count; i++)
        if (!(to[i] = sy_arena_strdup(arena, from[i])))
            return false;
    *list = to;
    return to != NULL;
}

enum sy_status systole_copy_request(const struct sy_result_request *from, struct sy_arena *arena,
                                    struct sy_result_request *to)
{
    *to = *from;
    const char **const texts[] = {&to->chip,       &to->workload, &to->energy_table, &to->format,
                                  &to->activation, &to->weight,   &to->accumulator,  &to->phase,
                                  &to->kind,       &to->kv,       &to->routing,      &to->contexts};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!copy_text(arena, texts[i]))
            return SY_NOMEM;
    return copy_list(arena, &to->set) && copy_list(arena, &to->dims) && copy_list(arena, &to->fuse) ? SY_OK : SY_NOMEM;
}

enum sy_status systole_keep_request(const struct sy_result_request *from, struct sy_arena **arena,
                                    struct sy_result_request *to)
{
    *arena = sy_arena_create(NULL, 0);
    return *arena ? systole_copy_request(from, *arena, to) : SY_NOMEM;
}
