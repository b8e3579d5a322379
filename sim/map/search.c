/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapper: enumerates tile shapes, loop orders and dataflows and keeps the
 * best by the objective.
 *
 * Innermost tiles: the whole dimension, array multiples times powers of two,
 * for convolutions whole output rows and parts that a row divides into; where folds end with segments of k
 * (sy_chip_segment), multiples and equal parts of those. Each outer on-chip level takes the
 * tile of the level below or stretches some dimensions to the whole, whichever
 * moves fewer bytes. Loop orders: all six a level, those that differ.
 *
 * The best of these is then changed step by step (refine): equal parts of a
 * dimension in place of multiples that leave a rest, a tile that grows while
 * another shrinks, other stretches and orders of one outer level; kept when
 * that gains more than `worth` and moves no byte more on the buses of the
 * backing stores, bursts counted (traffic.c). Not where other work runs beside
 * the item, as softmax does beside attention's products: that is not estimated.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/map/shape.h"

enum { MAX_CANDIDATES = 48 };

struct search {
    const struct sy_problem *problem;
    const struct sy_map_costs *costs;
    enum sy_objective objective;
    bool found;
    struct sy_mapping best;
    struct sy_estimate best_estimate;
    uint64_t compulsory_bytes; /* of the backing stores, whatever the mapping */
    bool within_rows;          /* tiles of a convolution lie within an output row: when nothing larger fits */
    bool refining;             /* only what is better by more than the indifference counts */
    uint64_t most_bytes;       /* while refining: on the buses of the backing stores */
    double goal;               /* while refining: cycles that are worth leaving the plain mapping */
    struct sy_shape shape;
    struct sy_rates rates;
    struct sy_array_sum array; /* of the innermost tile in hand */
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

static void largest_first(struct candidates *list)
{
    for (uint32_t i = 1; i < list->count; i++)
        for (uint32_t j = i; j > 0 && list->value[j] > list->value[j - 1]; j--) {
            uint64_t value = list->value[j];
            list->value[j] = list->value[j - 1];
            list->value[j - 1] = value;
        }
}

static uint64_t quantum_of(const struct sy_array *array, const struct sy_dataflow *dataflow, enum sy_dim dim)
{
    static const uint32_t loop[3] = {SY_LOOP_M | SY_LOOP_OH, SY_LOOP_K, SY_LOOP_N};
    uint32_t k_parts = SY_LOOP_K | SY_LOOP_CIN | SY_LOOP_FH | SY_LOOP_FW;
    uint32_t wanted = dim == SY_DIM_K ? k_parts : loop[dim];
    uint64_t quantum = dataflow->rows & wanted ? array->rows : dataflow->cols & wanted ? array->cols : 0;
    if (dim == SY_DIM_N && quantum)
        return quantum * array->count;                  /* the arrays of a core share the columns */
    return quantum ? quantum : sy_max(array->rows, 16); /* the streamed dimension has no natural step */
}

/* Length of the segments of k whose last fold is ragged; 0 = there are none, and tiles of k may end anywhere. */
static uint64_t ragged_segment(const struct sy_problem *problem, const struct sy_dataflow *dataflow)
{
    const struct sy_window *window = &problem->item.window;
    const struct sy_array *array = &problem->chip->array;
    const struct sy_precision *precision = sy_chip_precision(problem->chip, problem->dtype[SY_A], problem->dtype[SY_B]);
    uint64_t steps = array->rows; /* of k in a fold */
    if (!window->is_conv)
        return 0;
    if (precision && precision->macs_num > precision->macs_den &&
        !sy_mul_div(array->rows, precision->macs_num, precision->macs_den, &steps))
        return 0;
    uint64_t segment = sy_chip_segment(array, dataflow, sy_window_channels(&problem->item), window->fh, window->fw);
    return segment % steps ? segment : 0;
}

/* Parts that a segment of k or a row of outputs divides into, from `least` up: a tile of those never reaches into the
 * next one, so all begin alike and a window is as narrow as they are. One is added below each power of two. */
static void add_parts(struct candidates *list, uint64_t whole, uint64_t least)
{
    enum { TRIES = 1024 };
    for (uint64_t most = least; most < whole; most *= 2) {
        uint64_t part = most, tries = 0;
        while (whole % part && tries++ < TRIES)
            part--;
        if (whole % part == 0)
            add(list, part, whole);
        if (most > UINT64_MAX / 2)
            break;
    }
}

static void list_candidates(const struct sy_problem *problem, const struct sy_dataflow *dataflow,
                            struct candidates list[SY_DIMS])
{
    memset(list, 0, sizeof *list * SY_DIMS);
    uint64_t segment = ragged_segment(problem, dataflow), rows = problem->chip->array.rows;
    for (int d = 0; d < 3; d++) {
        bool cut = segment > 0 && d == SY_DIM_K;
        uint64_t quantum = cut ? segment : quantum_of(&problem->chip->array, dataflow, (enum sy_dim)d);
        add_multiples(&list[d], quantum, problem->size[d]);
        if (cut)
            add_parts(&list[d], segment, rows);
    }
    if (problem->item.window.is_conv) {
        add_multiples(&list[SY_DIM_M], problem->item.window.ow, problem->size[SY_DIM_M]);
        add_parts(&list[SY_DIM_M], problem->item.window.ow, quantum_of(&problem->chip->array, dataflow, SY_DIM_M));
    }
    if (problem->item.window.is_conv && dataflow->kind == SY_RS) /* whole rows of the filter */
        add_multiples(&list[SY_DIM_K], problem->item.window.fw * problem->item.window.c, problem->size[SY_DIM_K]);
    add_multiples(&list[SY_DIM_G], 1, problem->size[SY_DIM_G]);
    for (int d = 0; d < SY_DIMS; d++)
        largest_first(&list[d]); /* so that a good mapping is found early and ends the rest early */
    const struct sy_schedule *schedule = problem->schedule;
    if (!schedule || !schedule->levels)
        return;
    for (int d = 0; d < 3; d++)
        if (schedule->tile[0][d])
            list[d] = (struct candidates){1, {sy_min(schedule->tile[0][d], problem->size[d])}};
}

/* Parts of an output row that it divides into: such tiles never straddle rows, so their window is as narrow as they
 * are. */
static void parts_of_rows(const struct sy_problem *problem, struct candidates *list)
{
    uint64_t ow = problem->item.window.ow;
    list->count = 0;
    for (uint64_t most = 1; most < ow && list->count < MAX_CANDIDATES; most *= 2) {
        uint64_t part = most;
        while (ow % part)
            part--;
        add(list, part, problem->size[SY_DIM_M]);
    }
    largest_first(list);
}

static double metric(enum sy_objective objective, const struct sy_estimate *estimate)
{
    switch (objective) {
    case SY_OBJECTIVE_ENERGY:
        return estimate->energy_pj;
    case SY_OBJECTIVE_EDP:
        return estimate->energy_pj * (double)estimate->cycles;
    case SY_OBJECTIVE_TRAFFIC:
        return (double)estimate->bus_bytes;
    case SY_OBJECTIVE_CYCLES:
        break;
    }
    return (double)estimate->cycles;
}

/* Estimates closer than this are taken as equal: the estimate is not exact to that degree, and the mapping that moves
 * less is then the safer one. A modelling choice. */
static const double indifference = 1.0 / 512;

/* Bytes are counted, not estimated: of those every one counts. */
static double indifference_of(enum sy_objective objective)
{
    return objective == SY_OBJECTIVE_TRAFFIC ? 0 : indifference;
}

static bool better(enum sy_objective objective, const struct sy_estimate *a, const struct sy_estimate *b)
{
    double x = metric(objective, a), y = metric(objective, b), least = x < y ? x : y, band = indifference_of(objective);
    if (x - y > band * least || y - x > band * least)
        return x < y;
    if (a->traffic_bytes != b->traffic_bytes)
        return a->traffic_bytes < b->traffic_bytes;
    double least_pj = a->energy_pj < b->energy_pj ? a->energy_pj : b->energy_pj;
    double gap = a->energy_pj - b->energy_pj;
    if (gap > indifference * least_pj || -gap > indifference * least_pj)
        return gap < 0;
    return a->steps < b->steps;
}

/* Whether an estimate that can still grow in cycles and energy might win. */
static bool may_be_better(const struct search *search, const struct sy_estimate *least)
{
    double x = metric(search->objective, least), y = metric(search->objective, &search->best_estimate);
    double band = indifference_of(search->objective);
    if (!search->found)
        return true;
    if (x - y > band * y || (search->refining && x > search->goal))
        return false;
    return y - x > band * x || (!search->refining && least->traffic_bytes <= search->best_estimate.traffic_bytes);
}

static void consider(struct search *search, const struct sy_mapping *mapping)
{
    struct sy_estimate estimate;
    struct sy_moves moves;
    sy_shape_sums(&search->shape, mapping);
    if (!sy_shape_fits(&search->shape, mapping) ||
        !sy_estimate_least(&search->shape, mapping, search->costs, &search->rates, &search->array, &moves, &estimate))
        return;
    if (search->objective == SY_OBJECTIVE_TRAFFIC)
        estimate.bus_bytes = sy_shape_bus_bytes(&search->shape, mapping);
    if (!may_be_better(search, &estimate))
        return;
    if (!sy_estimate_finish(&search->shape, mapping, search->costs, &search->rates, &search->array, &moves, &estimate))
        return;
    if (search->refining) {
        double x = metric(search->objective, &estimate), y = metric(search->objective, &search->best_estimate);
        if (x > search->goal || x * (1 + indifference) >= y ||
            sy_shape_bus_bytes(&search->shape, mapping) > search->most_bytes)
            return;
    } else if (search->found && !better(search->objective, &estimate, &search->best_estimate)) {
        return;
    }
    search->found = true;
    search->best = *mapping;
    search->best_estimate = estimate;
}

static const uint8_t orders[6][3] = {
    {SY_DIM_N, SY_DIM_M, SY_DIM_K}, {SY_DIM_M, SY_DIM_N, SY_DIM_K}, {SY_DIM_N, SY_DIM_K, SY_DIM_M},
    {SY_DIM_K, SY_DIM_N, SY_DIM_M}, {SY_DIM_M, SY_DIM_K, SY_DIM_N}, {SY_DIM_K, SY_DIM_M, SY_DIM_N},
};

/* Orders that differ only by loops of one trip are the same. By the set of loops that turn (bit d: dimension d), the
 * orders to try, as bits of the list above. */
static const uint8_t orders_of[8] = {
    [0] = 1, /* none turns */
    [1 << SY_DIM_M] = 1,
    [1 << SY_DIM_K] = 1,
    [1 << SY_DIM_N] = 1,
    [1 << SY_DIM_M | 1 << SY_DIM_K] = 1 << 0 | 1 << 3,
    [1 << SY_DIM_M | 1 << SY_DIM_N] = 1 << 0 | 1 << 1,
    [1 << SY_DIM_K | 1 << SY_DIM_N] = 1 << 0 | 1 << 3,
    [1 << SY_DIM_M | 1 << SY_DIM_K | 1 << SY_DIM_N] = 63,
};

static unsigned orders_to_try(const struct sy_shape *shape, uint32_t level)
{
    unsigned turning = 0;
    for (unsigned d = 0; d < 3; d++)
        turning |= (unsigned)(shape->trips[level][d] > 1) << d;
    return orders_of[turning];
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
    unsigned wanted = fixed ? 1 : orders_to_try(&search->shape, 0);
    for (unsigned i = 0; i < 6; i++) {
        if (!(wanted >> i & 1))
            continue;
        if (!fixed)
            memcpy(mapping->order[0], orders[i], 3);
        mapping->c_resident_partials = false;
        sy_shape_orders(&search->shape, mapping);
        consider(search, mapping);
        if (mapping->order[0][2] != SY_DIM_K && search->shape.trips[0][SY_DIM_K] > 1) {
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
static double all_traffic(const struct sy_shape *shape)
{
    const struct sy_problem *problem = shape->problem;
    double bytes = 0;
    for (int operand = 0; operand < SY_OPERANDS; operand++)
        for (uint32_t i = 0; i < problem->home[operand]; i++) {
            uint32_t level = problem->chain[operand][i];
            bytes += (double)shape->bytes[operand][level] * (double)shape->fetches[operand][level];
        }
    return bytes;
}

/* The best order of a level for a stretch, by bytes moved; kept in *best when it moves fewer than *fewest. */
static void try_level(struct search *search, struct sy_mapping *mapping, uint32_t level, struct sy_mapping *best,
                      double *fewest)
{
    struct sy_shape *shape = &search->shape;
    bool fixed = schedule_order(search->problem->schedule, level, mapping->order[level]);
    unsigned wanted = fixed ? 1 : orders_to_try(shape, level);
    for (unsigned i = 0; i < 6; i++) {
        if (!(wanted >> i & 1))
            continue;
        if (!fixed)
            memcpy(mapping->order[level], orders[i], 3);
        sy_shape_orders(shape, mapping);
        double bytes = all_traffic(shape);
        if ((*fewest < 0 || bytes < *fewest) && sy_shape_fits(shape, mapping)) {
            *fewest = bytes;
            *best = *mapping;
        }
    }
}

/* The stretch and order of each outer level that moves the fewest bytes and fits. The shape's tiles are of the mapping
 * afterwards. */
static bool complete_levels(struct search *search, struct sy_mapping *mapping)
{
    const struct sy_problem *problem = search->problem;
    sy_shape_tiles(&search->shape, mapping, 0);
    for (uint32_t level = 1; level < mapping->on_chip; level++) {
        struct sy_mapping best = *mapping;
        double fewest = -1;
        unsigned same = 0; /* dimensions that are whole already: stretching them changes nothing */
        for (unsigned d = 0; d < SY_DIMS; d++)
            same |= (unsigned)(mapping->tile[level - 1][d] >= problem->size[d]) << d;
        /* From the smallest up: of equal traffic the smaller tile starts and pipelines sooner. */
        for (unsigned whole = 0; whole < 16; whole++) {
            if (whole & same)
                continue;
            for (uint32_t above = level; above < mapping->on_chip; above++)
                stretch(problem, mapping, above, above == level ? whole : 0);
            sy_shape_tiles(&search->shape, mapping, level);
            try_level(search, mapping, level, &best, &fewest);
        }
        if (fewest < 0)
            return false;
        *mapping = best;
        sy_shape_tiles(&search->shape, mapping, level);
    }
    return true;
}

/* Even one buffer of each operand's tile is too much for some level. */
static bool too_large(const struct sy_problem *problem, const struct sy_mapping *mapping)
{
    uint64_t need[SY_MAX_LEVELS] = {0};
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t level = problem->chain[operand][0];
        bool counted = problem->home[operand] > 0 || operand == SY_C;
        if (!counted || (operand == SY_A && problem->item.window.is_conv))
            continue; /* resident, or a window: its bytes are not monotonic in the tile */
        if (!sy_add(need[level], sy_map_tile_bytes(problem, mapping, (enum sy_operand)operand, level), &need[level]) ||
            need[level] > problem->free_bytes[level])
            return true;
    }
    return false;
}

/* No mapping with this innermost tile can be preferred to the best so far: its array cycles alone are more, or as many
 * while the best moves no byte more than it must. */
static bool hopeless(struct search *search, const struct sy_mapping *mapping)
{
    if (!sy_map_array_cycles(search->problem, mapping, search->costs, &search->array.cycles, &search->array.ends))
        return true;
    if (!search->found || search->objective != SY_OBJECTIVE_CYCLES)
        return false;
    double least = (double)search->array.cycles + (double)search->array.ends,
           best = (double)search->best_estimate.cycles;
    if (least > best * (1 + indifference) || (search->refining && least > search->goal))
        return true;
    return least * (1 + indifference) >= best &&
           (search->refining || search->best_estimate.traffic_bytes <= search->compulsory_bytes);
}

/* All mappings with this innermost tile. */
static void try_tile(struct search *search, struct sy_mapping *mapping)
{
    for (uint32_t l = 0; l < mapping->on_chip; l++) {
        memcpy(mapping->order[l], orders[0], 3);
        memcpy(mapping->tile[l], mapping->tile[0], sizeof mapping->tile[0]);
    }
    if (!too_large(search->problem, mapping) && !hopeless(search, mapping) && complete_levels(search, mapping))
        try_orders(search, mapping);
}

/* Several groups at once only when a group is one tile, or when as many as there are arrays run side by side. */
static bool groups_together(const struct sy_problem *problem, const uint64_t tile[SY_DIMS])
{
    const struct sy_array *array = &problem->chip->array;
    const uint64_t groups = tile[SY_DIM_G];
    if (groups <= 1 || !memcmp(tile, problem->size, 3 * sizeof(uint64_t)))
        return true;
    return groups == array->count && sy_array_side(array, tile[SY_DIM_N], groups) > 1;
}

static void search_dataflow(struct search *search, uint8_t index)
{
    const struct sy_problem *problem = search->problem;
    struct candidates list[SY_DIMS];
    list_candidates(problem, &problem->chip->array.dataflow[index], list);
    if (search->within_rows)
        parts_of_rows(problem, &list[SY_DIM_M]);
    for (uint32_t g = 0; g < list[SY_DIM_G].count; g++) {
        for (uint32_t point = 0; point < list[0].count * list[1].count * list[2].count; point++) {
            struct sy_mapping mapping = {.dataflow = index, .on_chip = problem->on_chip};
            mapping.tile[0][SY_DIM_M] = list[0].value[point % list[0].count];
            mapping.tile[0][SY_DIM_K] = list[1].value[point / list[0].count % list[1].count];
            mapping.tile[0][SY_DIM_N] = list[2].value[point / list[0].count / list[1].count];
            mapping.tile[0][SY_DIM_G] = list[SY_DIM_G].value[g];
            if (!groups_together(problem, mapping.tile[0]))
                continue;
            try_tile(search, &mapping);
        }
    }
}

/* Equal parts of a dimension about as large as the tile in hand, as they are and in whole steps of the array. */
static void list_near(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_dim dim,
                      struct candidates *list)
{
    const struct sy_dataflow *dataflow = &problem->chip->array.dataflow[mapping->dataflow];
    uint64_t size = problem->size[dim], parts = sy_ceil_div(size, mapping->tile[0][dim]);
    uint64_t segment = dim == SY_DIM_K ? ragged_segment(problem, dataflow) : 0;
    uint64_t quantum = segment ? segment : quantum_of(&problem->chip->array, dataflow, dim);
    const uint64_t wanted[] = {parts, parts + 1, parts - 1, 2 * parts, parts / 2, 3 * parts, parts + 2};
    list->count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        uint64_t part = wanted[i] ? sy_ceil_div(size, wanted[i]) : 0;
        if (!segment)
            add(list, part, size);
        add(list, sy_ceil_div(part, quantum) * quantum, size);
    }
}

/* The mapping with the outer levels' stretches and orders as they are. */
static void try_as_is(struct search *search, struct sy_mapping *mapping)
{
    if (too_large(search->problem, mapping) || hopeless(search, mapping))
        return;
    sy_shape_tiles(&search->shape, mapping, 0);
    try_orders(search, mapping);
}

/* Another innermost tile around which the levels stretch as around that of `from`, or anew. */
static void try_instead(struct search *search, const struct sy_mapping *from, const uint64_t tile[SY_DIMS])
{
    const struct sy_problem *problem = search->problem;
    struct sy_mapping mapping = *from, anew = {.dataflow = from->dataflow, .on_chip = from->on_chip};
    if (!memcmp(tile, from->tile[0], sizeof from->tile[0]))
        return;
    memcpy(mapping.tile[0], tile, sizeof mapping.tile[0]);
    memcpy(anew.tile[0], tile, sizeof anew.tile[0]);
    for (uint32_t level = 1; level < from->on_chip; level++) {
        unsigned whole = 0;
        for (unsigned d = 0; d < SY_DIMS; d++)
            whole |= (unsigned)(from->tile[level][d] > from->tile[level - 1][d]) << d;
        stretch(problem, &mapping, level, whole);
    }
    try_as_is(search, &mapping);
    if (from->on_chip > 1)
        try_tile(search, &anew);
}

/* Every order of an outer level; the shape has the mapping's tiles. */
static void reorder(struct search *search, struct sy_mapping *mapping, uint32_t level)
{
    bool fixed = schedule_order(search->problem->schedule, level, mapping->order[level]);
    unsigned wanted = fixed ? 1 : orders_to_try(&search->shape, level);
    for (unsigned i = 0; i < 6; i++) {
        if (!(wanted >> i & 1))
            continue;
        if (!fixed)
            memcpy(mapping->order[level], orders[i], 3);
        try_orders(search, mapping);
    }
}

/* Every stretch and order of one outer level, the others as they are. */
static void restretch(struct search *search, uint32_t level)
{
    const struct sy_mapping from = search->best;
    const uint64_t *outer = level + 1 < from.on_chip ? from.tile[level + 1] : search->problem->size;
    if (hopeless(search, &from)) /* whatever surrounds this innermost tile */
        return;
    for (unsigned whole = 0; whole < 16; whole++) {
        struct sy_mapping mapping = from;
        bool inside = true;
        stretch(search->problem, &mapping, level, whole);
        for (unsigned d = 0; d < SY_DIMS; d++) {
            bool same = from.tile[level - 1][d] >= search->problem->size[d];
            inside &= !(same && whole >> d & 1) && mapping.tile[level][d] <= outer[d];
        }
        if (!inside)
            continue;
        sy_shape_tiles(&search->shape, &mapping, 0);
        reorder(search, &mapping, level);
    }
}

/* One dimension's tile doubles while another's halves. */
static void exchange(struct search *search, int grows, int shrinks)
{
    const struct sy_mapping from = search->best;
    const uint64_t *size = search->problem->size;
    uint64_t tile[SY_DIMS], parts = sy_ceil_div(size[grows], from.tile[0][grows]);
    memcpy(tile, from.tile[0], sizeof tile);
    tile[grows] = sy_ceil_div(size[grows], sy_max(parts / 2, 1));
    parts = sy_ceil_div(size[shrinks], tile[shrinks]);
    tile[shrinks] = sy_ceil_div(size[shrinks], sy_min(parts * 2, size[shrinks]));
    try_instead(search, &from, tile);
}

/* The multiples and powers of two of list_candidates leave rests; change the best mapping step by step while that gains
 * more than estimates are good for. */
static void refine_pass(struct search *search, const bool fixed[3])
{
    for (int d = 0; d < 3; d++) {
        struct candidates list;
        struct sy_mapping from = search->best;
        if (fixed[d])
            continue;
        list_near(search->problem, &from, (enum sy_dim)d, &list);
        for (uint32_t i = 0; i < list.count; i++) {
            uint64_t tile[SY_DIMS];
            memcpy(tile, from.tile[0], sizeof tile);
            tile[d] = list.value[i];
            try_instead(search, &from, tile);
        }
    }
    for (int d = 0; d < 9; d++)
        if (d / 3 != d % 3 && !fixed[d / 3] && !fixed[d % 3])
            exchange(search, d / 3, d % 3);
    for (uint32_t level = 1; level < search->best.on_chip; level++)
        restretch(search, level);
}

/* Bytes of operands and results that every mapping moves over the backing stores' links; 0 when not known. */
static uint64_t compulsory(const struct sy_problem *problem)
{
    uint64_t bytes = 0;
    struct sy_mapping all = {.on_chip = problem->on_chip};
    for (uint32_t l = 0; l < SY_MAX_LEVELS; l++)
        memcpy(all.tile[l], problem->size, sizeof all.tile[l]);
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        uint32_t home = problem->chain[operand][problem->home[operand]];
        if (problem->home[operand] == 0 || problem->chip->level[home].kind == SY_LEVEL_SRAM)
            continue;
        if (!sy_add(bytes, sy_map_tile_bytes(problem, &all, (enum sy_operand)operand, home), &bytes))
            return 0;
    }
    return bytes;
}

/* To gain less is no reason to leave the plain tiles, which move whole folds and rows: the estimate is off from the
 * event engine by about as much. A modelling choice. */
static const double worth = 1.0 / 32;

/* Cycles that no mapping goes below: the array's at its peak, or each operand's bytes moved once. */
static double least_cycles(const struct search *search)
{
    const struct sy_problem *problem = search->problem;
    const struct sy_estimate *best = &search->best_estimate;
    uint64_t num = 0, den = 1;
    double array = 0, memory = 0;
    if (sy_chip_peak_macs(problem->chip, problem->dtype[SY_A], problem->dtype[SY_B], &num, &den) && num > 0) {
        array = (double)sy_max(problem->chip->cores, 1) * (double)den / (double)num;
        for (int d = 0; d < SY_DIMS; d++)
            array *= (double)problem->size[d];
    }
    if (best->traffic_bytes <= search->compulsory_bytes) /* so the memory's time is the least there is */
        memory = (double)best->memory_cycles;
    double least = array > memory ? array : memory, vector = (double)best->vector_cycles;
    return least > vector ? least : vector;
}

static uint64_t bus_bytes_of(struct search *search, const struct sy_mapping *mapping)
{
    sy_shape_tiles(&search->shape, mapping, 0);
    sy_shape_orders(&search->shape, mapping);
    return sy_shape_bus_bytes(&search->shape, mapping);
}

static void refine(struct search *search)
{
    enum { PASSES = 2 };
    const struct sy_problem *problem = search->problem;
    bool fixed[3], one_group = search->best.tile[0][SY_DIM_G] == 1;
    double least = least_cycles(search);
    if (!one_group || (double)search->best_estimate.cycles <= least * (1 + worth))
        return;
    for (int d = 0; d < 3; d++)
        fixed[d] = search->within_rows && d == SY_DIM_M;
    if (ragged_segment(problem, &problem->chip->array.dataflow[search->best.dataflow]))
        fixed[SY_DIM_K] = true;
    search->most_bytes = bus_bytes_of(search, &search->best);
    search->goal = (double)search->best_estimate.cycles / (1 + worth);
    search->refining = true;
    for (int pass = 0; pass < PASSES; pass++) {
        struct sy_mapping before = search->best;
        refine_pass(search, fixed);
        if (!memcmp(&before, &search->best, sizeof before))
            break;
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
                        sy_map_buffers(problem, &mapping, (enum sy_operand)operand, l) *
                        sy_map_copies(problem, (enum sy_operand)operand, l);
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

static void search_dataflows(struct search *search)
{
    const struct sy_problem *problem = search->problem;
    const char *wanted = problem->schedule ? problem->schedule->dataflow : "";
    for (uint32_t i = 0; i < problem->chip->array.dataflows; i++)
        if (!*wanted || !strcmp(wanted, problem->chip->array.dataflow[i].name))
            search_dataflow(search, (uint8_t)i);
}

enum sy_status sy_map_search(const struct sy_problem *problem, const struct sy_map_costs *costs,
                             enum sy_objective objective, struct sy_mapping *mapping, struct sy_estimate *estimate,
                             char why[160])
{
    struct search search = {.problem = problem, .costs = costs, .objective = objective};
    search.compulsory_bytes = compulsory(problem);
    sy_shape_init(&search.shape, problem);
    sy_rates_init(&search.rates, problem);
    search_dataflows(&search);
    if (!search.found && problem->item.window.is_conv && !problem->schedule) {
        search.within_rows = true;
        search_dataflows(&search);
    }
    if (!search.found) {
        explain(problem, why);
        return SY_UNSUPPORTED;
    }
    if (objective == SY_OBJECTIVE_CYCLES && !problem->schedule && !problem->beside)
        refine(&search);
    search.best_estimate.bus_bytes = bus_bytes_of(&search, &search.best);
    *mapping = search.best;
    *estimate = search.best_estimate;
    return SY_OK;
}
