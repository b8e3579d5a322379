/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapper: enumerates tile shapes, loop orders and dataflows and keeps the
 * best by the objective.
 *
 * Innermost tiles: the whole dimension, array multiples times powers of two,
 * and for convolutions whole output rows. Each outer on-chip level takes the
 * tile of the level below or stretches some dimensions to the whole, whichever
 * moves fewer bytes. Loop orders: all six a level, those that differ.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/map/mapping.h"

enum { MAX_CANDIDATES = 16 };

struct search {
    const struct sy_problem *problem;
    const struct sy_map_costs *costs;
    enum sy_objective objective;
    bool found;
    struct sy_mapping best;
    struct sy_estimate best_estimate;
    uint64_t tried, fitted;
};

struct candidates {
    uint32_t count;
    uint64_t value[MAX_CANDIDATES];
};

static void add(struct candidates *list, uint64_t value, uint64_t size)
{
    if (value == 0 || value > size || list->count == MAX_CANDIDATES)
        return;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->value[i] == value)
            return;
    list->value[list->count++] = value;
}

/* The whole dimension first, then quantum x 4^i (the factor keeps the list short for huge dimensions). */
static void add_multiples(struct candidates *list, uint64_t quantum, uint64_t size)
{
    add(list, size, size);
    for (uint64_t value = quantum; value<size; value *= size / value> 4096 ? 4 : 2) {
        add(list, value, size);
        if (value > UINT64_MAX / 4)
            break;
    }
}

static uint64_t quantum_of(const struct sy_array *array, const struct sy_dataflow *dataflow, enum sy_dim dim)
{
    static const uint32_t loop[3] = {SY_LOOP_M, SY_LOOP_K, SY_LOOP_N};
    uint32_t k_parts = SY_LOOP_K | SY_LOOP_CIN | SY_LOOP_FH | SY_LOOP_FW;
    uint32_t wanted = dim == SY_DIM_K ? k_parts : loop[dim];
    uint64_t quantum = dataflow->rows & wanted ? array->rows : dataflow->cols & wanted ? array->cols : 0;
    if (dim == SY_DIM_N && quantum)
        return quantum * array->count;                  /* the arrays of a core share the columns */
    return quantum ? quantum : sy_max(array->rows, 16); /* the streamed dimension has no natural step */
}

static void list_candidates(const struct sy_problem *problem, const struct sy_dataflow *dataflow,
                            struct candidates list[SY_DIMS])
{
    memset(list, 0, sizeof *list * SY_DIMS);
    for (int d = 0; d < 3; d++)
        add_multiples(&list[d], quantum_of(&problem->chip->array, dataflow, (enum sy_dim)d), problem->size[d]);
    if (problem->item.window.is_conv)
        add_multiples(&list[SY_DIM_M], problem->item.window.ow, problem->size[SY_DIM_M]);
    add_multiples(&list[SY_DIM_G], 1, problem->size[SY_DIM_G]);
    const struct sy_schedule *schedule = problem->schedule;
    if (!schedule || !schedule->levels)
        return;
    for (int d = 0; d < 3; d++)
        if (schedule->tile[0][d])
            list[d] = (struct candidates){1, {sy_min(schedule->tile[0][d], problem->size[d])}};
}

static double metric(enum sy_objective objective, const struct sy_estimate *estimate)
{
    switch (objective) {
    case SY_OBJECTIVE_ENERGY:
        return estimate->energy_pj;
    case SY_OBJECTIVE_EDP:
        return estimate->energy_pj * (double)estimate->cycles;
    case SY_OBJECTIVE_TRAFFIC:
        return (double)estimate->traffic_bytes;
    case SY_OBJECTIVE_CYCLES:
        break;
    }
    return (double)estimate->cycles;
}

/* Estimates closer than this are taken as equal: the estimate is not exact to that degree, and the mapping that moves
 * less is then the safer one. A modelling choice. */
static const double indifference = 1.0 / 512;

static bool better(enum sy_objective objective, const struct sy_estimate *a, const struct sy_estimate *b)
{
    double x = metric(objective, a), y = metric(objective, b), least = x < y ? x : y;
    if (x - y > indifference * least || y - x > indifference * least)
        return x < y;
    if (a->traffic_bytes != b->traffic_bytes)
        return a->traffic_bytes < b->traffic_bytes;
    if (a->energy_pj < b->energy_pj || a->energy_pj > b->energy_pj)
        return a->energy_pj < b->energy_pj;
    return a->steps < b->steps;
}

static void consider(struct search *search, const struct sy_mapping *mapping)
{
    struct sy_estimate estimate;
    search->tried++;
    if (!sy_map_fits(search->problem, mapping))
        return;
    search->fitted++;
    if (!sy_map_estimate(search->problem, mapping, search->costs, &estimate))
        return;
    if (!search->found || better(search->objective, &estimate, &search->best_estimate)) {
        search->found = true;
        search->best = *mapping;
        search->best_estimate = estimate;
    }
}

static const uint8_t orders[6][3] = {
    {SY_DIM_N, SY_DIM_M, SY_DIM_K}, {SY_DIM_M, SY_DIM_N, SY_DIM_K}, {SY_DIM_N, SY_DIM_K, SY_DIM_M},
    {SY_DIM_K, SY_DIM_N, SY_DIM_M}, {SY_DIM_M, SY_DIM_K, SY_DIM_N}, {SY_DIM_K, SY_DIM_M, SY_DIM_N},
};

/* Orders that differ only by loops of one trip are the same: true for the first of each kind. */
static bool order_is_new(const struct sy_problem *problem, const struct sy_mapping *mapping, uint32_t level, int index)
{
    uint8_t mine[3] = {0}, other[3] = {0};
    int n = 0;
    for (int i = 0; i < 3; i++)
        if (sy_map_trips(problem, mapping, level, (enum sy_dim)orders[index][i]) > 1)
            mine[n++] = orders[index][i];
    for (int earlier = 0; earlier < index; earlier++) {
        int m = 0;
        for (int i = 0; i < 3; i++)
            if (sy_map_trips(problem, mapping, level, (enum sy_dim)orders[earlier][i]) > 1)
                other[m++] = orders[earlier][i];
        if (!memcmp(mine, other, (size_t)n))
            return false;
    }
    return true;
}

static bool schedule_order(const struct sy_schedule *schedule, uint32_t level, uint8_t order[3])
{
    if (!schedule || level >= schedule->levels || strlen(schedule->order[level]) != 3)
        return false;
    for (int i = 0; i < 3; i++)
        order[i] = schedule->order[level][i] == 'm' ? SY_DIM_M : schedule->order[level][i] == 'k' ? SY_DIM_K : SY_DIM_N;
    return true;
}

/* Try every order of the innermost level; outer levels are complete. */
static void try_orders(struct search *search, struct sy_mapping *mapping)
{
    const struct sy_problem *problem = search->problem;
    bool fixed = schedule_order(problem->schedule, 0, mapping->order[0]);
    for (int i = 0; i < 6; i++) {
        if (!fixed)
            memcpy(mapping->order[0], orders[i], 3);
        if (fixed ? i > 0 : !order_is_new(problem, mapping, 0, i))
            continue;
        mapping->c_resident_partials = false;
        consider(search, mapping);
        if (mapping->order[0][2] != SY_DIM_K && sy_map_trips(problem, mapping, 0, SY_DIM_K) > 1) {
            mapping->c_resident_partials = true;
            consider(search, mapping);
            mapping->c_resident_partials = false;
        }
    }
}

/* Stretch the level's tile: bit d of `whole` takes the whole dimension, else the tile of the level below. */
static void stretch(const struct sy_problem *problem, struct sy_mapping *mapping, uint32_t level, unsigned whole)
{
    for (int d = 0; d < SY_DIMS; d++)
        mapping->tile[level][d] = whole >> d & 1 ? problem->size[d] : mapping->tile[level - 1][d];
    if (problem->schedule && level < problem->schedule->levels)
        for (int d = 0; d < 3; d++)
            if (problem->schedule->tile[level][d])
                mapping->tile[level][d] = sy_min(problem->schedule->tile[level][d], problem->size[d]);
}

/* Bytes brought over all links, each fetch a full tile. */
static double all_traffic(const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    double bytes = 0;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < problem->home[operand]; i++) {
            uint32_t level = problem->chain[operand][i];
            bytes += (double)sy_map_tile_bytes(problem, mapping, (enum sy_operand)operand, level) *
                     (double)sy_map_fetches(problem, mapping, (enum sy_operand)operand, level);
        }
    return bytes;
}

/* The stretch and order of each outer level that moves the fewest bytes and fits. */
static bool complete_levels(const struct sy_problem *problem, struct sy_mapping *mapping)
{
    for (uint32_t level = 1; level < mapping->on_chip; level++) {
        struct sy_mapping best = *mapping;
        double fewest = -1;
        /* From the smallest up: of equal traffic the smaller tile starts and pipelines sooner. */
        for (unsigned whole = 0; whole < 16; whole++) {
            for (uint32_t above = level; above < mapping->on_chip; above++)
                stretch(problem, mapping, above, above == level ? whole : 0);
            for (int i = 0; i < 6; i++) {
                bool fixed = schedule_order(problem->schedule, level, mapping->order[level]);
                if (!fixed)
                    memcpy(mapping->order[level], orders[i], 3);
                if ((fixed ? i > 0 : !order_is_new(problem, mapping, level, i)) || !sy_map_fits(problem, mapping))
                    continue;
                double bytes = all_traffic(problem, mapping);
                if (fewest < 0 || bytes < fewest) {
                    fewest = bytes;
                    best = *mapping;
                }
            }
        }
        if (fewest < 0)
            return false;
        *mapping = best;
    }
    return true;
}

static void search_dataflow(struct search *search, uint8_t index)
{
    const struct sy_problem *problem = search->problem;
    struct candidates list[SY_DIMS];
    list_candidates(problem, &problem->chip->array.dataflow[index], list);
    for (uint32_t g = 0; g < list[SY_DIM_G].count; g++) {
        for (uint32_t point = 0; point < list[0].count * list[1].count * list[2].count; point++) {
            struct sy_mapping mapping = {.dataflow = index, .on_chip = problem->on_chip};
            mapping.tile[0][SY_DIM_M] = list[0].value[point % list[0].count];
            mapping.tile[0][SY_DIM_K] = list[1].value[point / list[0].count % list[1].count];
            mapping.tile[0][SY_DIM_N] = list[2].value[point / list[0].count / list[1].count];
            mapping.tile[0][SY_DIM_G] = list[SY_DIM_G].value[g];
            /* Several groups at once only when a group is one tile. */
            if (mapping.tile[0][SY_DIM_G] > 1 && memcmp(mapping.tile[0], problem->size, 3 * sizeof(uint64_t)))
                continue;
            for (uint32_t l = 0; l < mapping.on_chip; l++) {
                memcpy(mapping.order[l], orders[0], 3);
                memcpy(mapping.tile[l], mapping.tile[0], sizeof mapping.tile[0]);
            }
            if (complete_levels(problem, &mapping))
                try_orders(search, &mapping);
        }
    }
}

/* Name the level that cannot hold even the smallest tile. */
static void explain(const struct sy_problem *problem, char why[160])
{
    struct sy_mapping mapping = {.on_chip = problem->on_chip};
    const struct sy_array *array = &problem->chip->array;
    for (uint32_t l = 0; l < mapping.on_chip; l++) {
        for (int d = 0; d < SY_DIMS; d++)
            mapping.tile[l][d] =
                d == SY_DIM_G ? 1 : sy_min(problem->size[d], quantum_of(array, &array->dataflow[0], (enum sy_dim)d));
        memcpy(mapping.order[l], orders[0], 3);
    }
    for (uint32_t l = 0; l < mapping.on_chip; l++) {
        uint64_t need = 0;
        for (int operand = 0; operand < SY_OPERANDS; operand++)
            if (problem->chip->level[l].holds >> operand & 1)
                need += sy_map_tile_bytes(problem, &mapping, (enum sy_operand)operand, l) *
                        sy_map_buffers(problem, &mapping, (enum sy_operand)operand, l);
        if (need > problem->free_bytes[l]) {
            snprintf(why, 160, "level %s has %llu bytes free; the smallest tile needs %llu",
                     problem->chip->level[l].name, (unsigned long long)problem->free_bytes[l],
                     (unsigned long long)need);
            return;
        }
    }
    snprintf(why, 160, "no tile of %llu x %llu x %llu fits the chip's levels", (unsigned long long)problem->size[0],
             (unsigned long long)problem->size[1], (unsigned long long)problem->size[2]);
}

enum sy_status sy_map_search(const struct sy_problem *problem, const struct sy_map_costs *costs,
                             enum sy_objective objective, struct sy_mapping *mapping, struct sy_estimate *estimate,
                             char why[160])
{
    struct search search = {.problem = problem, .costs = costs, .objective = objective};
    for (uint32_t i = 0; i < problem->chip->array.dataflows; i++) {
        const char *wanted = problem->schedule ? problem->schedule->dataflow : "";
        if (!*wanted || !strcmp(wanted, problem->chip->array.dataflow[i].name))
            search_dataflow(&search, (uint8_t)i);
    }
    if (!search.found) {
        explain(problem, why);
        return SY_UNSUPPORTED;
    }
    *mapping = search.best;
    *estimate = search.best_estimate;
    return SY_OK;
}
