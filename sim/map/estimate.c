/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic estimate of a mapped matrix item: bytes over every link, array
 * cycles of its (at most eight) tile shapes, vector cycles; the slowest
 * pipeline decides, plus what cannot overlap with it: the first operands in and
 * the last results out. Also what the mapper minimises.
 */
#include <string.h>

#include "sim/base/checked.h"
#include "sim/map/shape.h"

static bool is_common(const struct sy_level *level)
{
    return level->shared || level->kind != SY_LEVEL_SRAM;
}

void sy_rates_init(struct sy_rates *rates, const struct sy_problem *problem)
{
    const struct sy_chip *chip = problem->chip;
    const struct sy_interconnect *crossbar = &chip->interconnect;
    rates->hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    rates->cores = (double)sy_max(problem->cores, 1);
    rates->port = crossbar->port_bytes_per_s;
    rates->pool = crossbar->bytes_per_s;
    rates->crossing_ps = (double)crossbar->latency_ps;
    rates->crossing_cycles = rates->crossing_ps * 1e-12 * rates->hz;
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        bool common = is_common(level); /* those at work share it evenly */
        bool refreshed = level->refresh_interval_ps > level->refresh_time_ps;
        double interval = (double)level->refresh_interval_ps, busy = (double)level->refresh_time_ps;
        double kept = refreshed ? 1 - busy / interval : 1;
        rates->level[l] = (struct sy_level_rate){
            .share = common ? (double)sy_max(problem->cores, 1) : 1.0,
            .read = level->read_bytes_per_s,
            .write = level->write_bytes_per_s,
            .kept_read = level->read_bytes_per_s * kept,
            .kept_write = level->write_bytes_per_s * kept,
            .refresh = refreshed ? interval / (double)(level->refresh_interval_ps - level->refresh_time_ps) : 1,
            .latency_ps = (double)level->latency_ps,
            .latency_cycles = (double)level->latency_ps * 1e-12 * rates->hz};
    }
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Cycles of the core clock that `bytes` take at a rate of the level; 0 when the rate is unlimited. */
static double cycles_for(const struct sy_rates *rates, uint32_t level, double bytes, double bytes_per_s)
{
    return bytes_per_s > 0 ? bytes * rates->level[level].share * rates->hz / bytes_per_s : 0;
}

/* The same over the crossbar: one core's bytes through its port, those that enter through all of it. */
static double crossing_cycles(const struct sy_rates *rates, double bytes, double entering)
{
    double port = rates->port > 0 ? bytes * rates->hz / rates->port : 0;
    double pool = rates->pool > 0 ? entering * rates->cores * rates->hz / rates->pool : 0;
    return port > pool ? port : pool;
}

/* Innermost tiles come in two sizes a dimension: full ones and one ragged rest. */
struct cut {
    uint64_t full, full_size, rest_size;
};

static struct cut cut_of(uint64_t size, uint64_t tile)
{
    struct cut cut = {size / tile, tile, size % tile};
    return cut;
}

/* The tiles of one shape, over all groups: those of a tile run together. */
static bool shape_cycles(const struct sy_problem *problem, const struct sy_mapping *mapping,
                         const struct sy_map_costs *costs, const uint64_t dim[3], uint64_t count, uint64_t *total,
                         uint64_t *ends)
{
    const struct cut groups = cut_of(problem->size[SY_DIM_G], mapping->tile[0][SY_DIM_G]);
    for (int rest = 0; rest < 2; rest++) {
        uint64_t together = rest ? groups.rest_size : groups.full_size, times = rest ? 1 : groups.full;
        uint64_t steady, alone, part;
        if (!together || !times)
            continue;
        if (!costs->array(costs->context, mapping->dataflow, dim[SY_DIM_M], dim[SY_DIM_K], dim[SY_DIM_N], together,
                          &steady, &alone) ||
            !sy_mul3(steady, count, times, &part) || !sy_add(*total, part, total))
            return false;
        uint64_t side = sy_array_side(&problem->chip->array, dim[SY_DIM_N], together);
        uint64_t each = steady / sy_ceil_div(together, side);
        *ends = sy_max(*ends, alone > each ? alone - each : 0);
    }
    return true;
}

bool sy_map_array_cycles(const struct sy_problem *problem, const struct sy_mapping *mapping,
                         const struct sy_map_costs *costs, uint64_t *cycles, uint64_t *ends)
{
    struct cut cut[3];
    *cycles = *ends = 0;
    for (int d = 0; d < 3; d++)
        cut[d] = cut_of(problem->size[d], mapping->tile[0][d]);
    for (int shape = 0; shape < 8; shape++) {
        uint64_t count = 1, dim[3];
        for (int d = 0; d < 3; d++) {
            bool rest = shape >> d & 1;
            dim[d] = rest ? cut[d].rest_size : cut[d].full_size;
            count *= rest ? (cut[d].rest_size != 0) : cut[d].full;
        }
        if (count && !shape_cycles(problem, mapping, costs, dim, count, cycles, ends))
            return false;
    }
    return true;
}

static bool count_steps(const struct sy_problem *problem, const struct sy_mapping *mapping, uint64_t *steps)
{
    *steps = 1;
    for (int d = 0; d < SY_DIMS; d++)
        if (!sy_mul(*steps, sy_ceil_div(problem->size[d], mapping->tile[0][d]), steps))
            return false;
    return true;
}

/* Through the link to an operand's home, as full tiles. */
struct home_bytes {
    double read, write;
};

/* Results that reach `level` or lie further in, each once. */
static double distinct_tiles(const struct sy_shape *shape, const struct sy_mapping *mapping, uint32_t level)
{
    double distinct = (double)shape->trips[mapping->on_chip - 1][SY_DIM_G];
    for (uint32_t l = level; l < mapping->on_chip; l++)
        distinct *= (double)shape->trips[l][SY_DIM_M] * (double)shape->trips[l][SY_DIM_N] *
                    (l + 1 < mapping->on_chip ? (double)shape->trips[l][SY_DIM_G] : 1.0);
    return distinct;
}

/* What goes through the i-th link of an operand, in all. */
static const struct sy_moved *add_move(const struct sy_problem *problem, enum sy_operand operand, uint32_t i,
                                       double fill, double drain, double fetches, struct sy_moves *moves)
{
    const uint32_t child = problem->chain[operand][i], parent = problem->chain[operand][i + 1];
    const bool crosses = sy_chip_crosses(problem->chip, parent, child);
    const bool once = sy_map_read_once(problem, operand) && is_common(&problem->chip->level[parent]);
    struct sy_moved *move = &moves->move[moves->count++];
    *move = (struct sy_moved){
        operand, child, parent, fill / fetches, drain / fetches, crosses, once ? 1 / (double)problem->cores : 1};
    if (crosses) {
        moves->crossed[0] += fill;
        moves->crossed[1] += drain;
        moves->entered[0] += fill * move->once;
        moves->entered[1] += drain;
    }
    return move;
}

/* Bytes from the outer side of each link of an operand; level_bytes gathers what each level's ports move. */
static bool link_bytes(const struct sy_shape *shape, const struct sy_mapping *mapping, enum sy_operand operand,
                       double level_bytes[SY_MAX_LEVELS][2], struct sy_moves *moves, struct home_bytes *home)
{
    const struct sy_problem *problem = shape->problem;
    uint64_t elements = 0, result = 0;
    if (operand == SY_C && problem->home[operand] > 0 &&
        (!sy_mul3(problem->size[SY_DIM_M], problem->size[SY_DIM_N], problem->size[SY_DIM_G], &elements) ||
         !sy_dtype_bytes(problem->item.c, elements, &result)))
        return false;
    for (uint32_t i = 0; i < problem->home[operand]; i++) {
        uint32_t child = problem->chain[operand][i], parent = problem->chain[operand][i + 1];
        double tile = (double)shape->bytes[operand][child], fetches = (double)shape->fetches[operand][child];
        double fill = tile * fetches, drain = 0;
        if (operand == SY_C) {
            double distinct = distinct_tiles(shape, mapping, child);
            double revisits = fetches > distinct && !(i == 0 && mapping->c_resident_partials) ? fetches - distinct : 0;
            fill = revisits * tile;
            drain = revisits * tile + (double)result;
        }
        const struct sy_moved *move = add_move(problem, operand, i, fill, drain, fetches, moves);
        level_bytes[parent][0] += fill * move->once;
        level_bytes[child][1] += is_common(&problem->chip->level[child]) ? fill * move->once : fill;
        level_bytes[child][0] += drain;
        level_bytes[parent][1] += drain;
        if (i + 1 == problem->home[operand])
            *home = (struct home_bytes){fill * move->once, drain};
    }
    return true;
}

/* The slowest level, in core cycles, and the energy of all accesses. */
static double memory_cycles(const struct sy_problem *problem, double level_bytes[SY_MAX_LEVELS][2],
                            const struct sy_map_costs *costs, const struct sy_rates *rates, double *energy_pj)
{
    double slowest = 0;
    for (uint32_t l = 0; l < problem->chip->levels; l++) {
        const struct sy_level_rate *rate = &rates->level[l];
        double read = cycles_for(rates, l, level_bytes[l][0], rate->read);
        double write = cycles_for(rates, l, level_bytes[l][1], rate->write);
        double cycles = read > write ? read : write;
        if (problem->chip->level[l].kind == SY_LEVEL_DRAM)
            cycles = (read + write) * rate->refresh; /* one bus */
        if (cycles > slowest)
            slowest = cycles;
        *energy_pj += (level_bytes[l][0] + level_bytes[l][1]) * costs->pj_per_byte[l];
    }
    return slowest;
}

static uint64_t whole(double value)
{
    return value >= 1.8e19 ? UINT64_MAX : (uint64_t)value;
}

/* ---- steps ----
 * The loops that turn more than once, outer to inner. A step is reached when one loop advances and those inside it
 * start again; that "carry" decides which tiles change. All steps with the same carry cost the same. */

/* What a command of an engine takes before its first byte moves, in core cycles. */
static double before_first_byte(const struct sy_chip *chip, const struct sy_rates *rates, uint32_t parent, bool load,
                                bool crosses)
{
    return (double)chip->dma.overhead_cycles + (load ? rates->level[parent].latency_cycles : 0) +
           (crosses ? rates->crossing_cycles : 0);
}

/* What the rates and requests in flight of one engine leave of the parent's rate. */
static double move_cycles(const struct sy_chip *chip, const struct sy_rates *rates, const struct sy_moved *move,
                          double bytes, bool load)
{
    const struct sy_level_rate *outer = &rates->level[move->parent], *inner = &rates->level[move->child];
    const struct sy_dma *dma = &chip->dma;
    const double entering = load ? bytes * move->once : bytes;
    double inside = is_common(&chip->level[move->child]) ? entering : bytes;
    double slowest = cycles_for(rates, move->parent, entering, load ? outer->kept_read : outer->kept_write);
    double latency_ps = outer->latency_ps + (move->crosses ? rates->crossing_ps : 0);
    slowest = larger(slowest, cycles_for(rates, move->child, inside, load ? inner->write : inner->read));
    slowest = larger(slowest, move->crosses ? crossing_cycles(rates, bytes, entering) : 0);
    slowest = larger(slowest, dma->bandwidth_bytes_per_s > 0 ? bytes * rates->hz / dma->bandwidth_bytes_per_s : 0);
    if (load && dma->outstanding_requests && dma->request_bytes && latency_ps > 0)
        slowest = larger(slowest, bytes * latency_ps * 1e-12 * rates->hz /
                                      ((double)dma->outstanding_requests * (double)dma->request_bytes));
    return slowest;
}

/* One move of a step: how long it keeps its engine each way, and what its buffer's round takes. A command holds its
 * engine while it moves; with two in flight, what comes before the first byte hides behind the other's transfer as far
 * as that is longer. A buffer goes round through its load, the array and, for C, its store: with d of them, d steps
 * share that time. Partial sums that return wait for the store of the step before, so there nothing is shared. */
struct step_move {
    uint32_t slot; /* of its engine: the first move that uses the same */
    uint32_t changes;
    double engine[2];
    double round;
};
struct step_moves {
    struct step_move move[SY_OPERANDS * SY_MAX_LEVELS];
};

static void plan_move(const struct sy_shape *shape, const struct sy_mapping *mapping, const struct sy_rates *rates,
                      const struct sy_moves *moves, uint32_t index, double array, struct step_moves *steps)
{
    const struct sy_chip *chip = shape->problem->chip;
    const struct sy_moved *move = &moves->move[index];
    uint32_t engines = (uint32_t)sy_max(chip->dma.engines, 1), inner = shape->problem->chain[move->operand][0];
    struct step_move *step = &steps->move[index];
    double round = array;
    *step = (struct step_move){.changes = shape->changes[move->operand][move->child]};
    while (moves->move[step->slot].parent != move->parent || moves->move[step->slot].child != move->child ||
           moves->move[step->slot].operand % engines != move->operand % engines)
        step->slot++;
    for (int out = 0; out < 2; out++) {
        double bytes = out ? move->out : move->in;
        if (bytes <= 0)
            continue;
        double moving = move_cycles(chip, rates, move, bytes, !out);
        double first = before_first_byte(chip, rates, move->parent, !out, move->crosses), own = (first + moving) / 2;
        step->engine[out] = own > moving ? own : moving;
        round += first + moving;
    }
    if (move->child != inner)
        return;
    bool returns = move->operand == SY_C && move->in > 0;
    double buffers = returns ? 1 : (double)sy_shape_buffers(shape, mapping, move->operand, move->child);
    step->round = round / buffers;
}

/* What a step moves: through each level, and over the crossbar. */
struct step_bytes {
    double level[SY_MAX_LEVELS][2], crossed[2], entered[2];
};

static void add_step_bytes(struct step_bytes *bytes, const struct sy_moved *move)
{
    bytes->level[move->parent][0] += move->in * move->once;
    bytes->level[move->parent][1] += move->out;
    if (!move->crosses)
        return;
    bytes->crossed[0] += move->in;
    bytes->crossed[1] += move->out;
    bytes->entered[0] += move->in * move->once;
    bytes->entered[1] += move->out;
}

/* Cycles of the slowest level, or of the crossbar, for a step. */
static double bytes_cycles(const struct sy_chip *chip, const struct sy_rates *rates, const struct step_bytes *bytes)
{
    double slowest = larger(crossing_cycles(rates, bytes->crossed[0], bytes->entered[0]),
                            crossing_cycles(rates, bytes->crossed[1], bytes->entered[1]));
    for (uint32_t l = 0; l < chip->levels; l++) {
        double in = cycles_for(rates, l, bytes->level[l][0], rates->level[l].kept_read);
        double out = cycles_for(rates, l, bytes->level[l][1], rates->level[l].kept_write);
        slowest = larger(slowest, chip->level[l].kind == SY_LEVEL_DRAM ? in + out : larger(in, out));
    }
    return slowest;
}

/* Cycles of the slowest memory, engine, buffer or vector unit for a step with this carry. */
static double step_cycles(const struct sy_shape *shape, const struct sy_rates *rates, const struct sy_moves *moves,
                          const struct step_moves *steps, uint32_t carry, double vector)
{
    const struct sy_problem *problem = shape->problem;
    const struct sy_chip *chip = problem->chip;
    double slowest = 0, engine[SY_OPERANDS * SY_MAX_LEVELS][2];
    struct step_bytes bytes = {0};
    for (uint32_t i = 0; i < moves->count; i++)
        engine[i][0] = engine[i][1] = 0;
    for (uint32_t i = 0; i < moves->count; i++) {
        const struct step_move *step = &steps->move[i];
        if (step->changes <= carry)
            continue;
        add_step_bytes(&bytes, &moves->move[i]);
        engine[step->slot][0] += step->engine[0];
        engine[step->slot][chip->dma.shared_load_store ? 0 : 1] += step->engine[1];
        slowest = larger(slowest, step->round);
    }
    for (uint32_t i = 0; i < moves->count; i++)
        slowest = larger(slowest, larger(engine[i][0], engine[i][1]));
    slowest = larger(slowest, bytes_cycles(chip, rates, &bytes));
    if (vector > slowest && shape->changes[SY_C][problem->chain[SY_C][0]] > carry)
        slowest = vector;
    return slowest;
}

/* Sum over the steps of max(array, what the step brings and takes away): double buffering overlaps neighbours only. */
static double pipelined(const struct sy_shape *shape, const struct sy_mapping *mapping, const struct sy_rates *rates,
                        const struct sy_moves *moves, double array_cycles, double vector_cycles)
{
    struct step_moves steps;
    double count = 1, total_steps = 1, total = 0, c_changes = 1, other = 0, first = 0;
    uint32_t c_loops = shape->changes[SY_C][shape->problem->chain[SY_C][0]];
    for (uint32_t i = 0; i < shape->loops; i++)
        total_steps *= (double)shape->loop[i].trips;
    double array = array_cycles / total_steps;
    for (uint32_t i = 0; i < moves->count; i++)
        plan_move(shape, mapping, rates, moves, i, array, &steps);
    for (uint32_t i = 0; i < c_loops; i++) {
        c_changes += count * ((double)shape->loop[i].trips - 1);
        count *= (double)shape->loop[i].trips;
    }
    count = 1;
    for (uint32_t i = 0; i < shape->loops; i++) {
        double trips = (double)shape->loop[i].trips;
        other = step_cycles(shape, rates, moves, &steps, i, vector_cycles / c_changes);
        first = i == 0 ? other : first;
        total += count * (trips - 1) * (other > array ? other : array);
        count *= trips;
    }
    if (shape->loops == 0)
        first = step_cycles(shape, rates, moves, &steps, 0, vector_cycles / c_changes);
    return total + (first > array ? first : array); /* the first step's own tiles */
}

/* The first tile of each level on the way in, before anything overlaps. */
static double first_way_in(const struct sy_shape *shape, const struct sy_rates *rates)
{
    const struct sy_problem *problem = shape->problem;
    double cycles = 0;
    for (int operand = 0; operand < SY_C; operand++)
        for (uint32_t i = 0; i < problem->home[operand]; i++) {
            uint32_t child = problem->chain[operand][i], parent = problem->chain[operand][i + 1];
            bool crosses = sy_chip_crosses(problem->chip, parent, child);
            bool once = sy_map_read_once(problem, (enum sy_operand)operand) && is_common(&problem->chip->level[parent]);
            double bytes = (double)shape->bytes[operand][child], entering = once ? bytes / rates->cores : bytes;
            double reads = cycles_for(rates, parent, entering, rates->level[parent].read);
            double passes = crosses ? crossing_cycles(rates, bytes, entering) : 0;
            cycles += reads > passes ? reads : passes;
            cycles += operand == SY_A ? before_first_byte(problem->chip, rates, parent, true, crosses) : 0;
        }
    return cycles;
}

/* From the slowest pipeline to the whole: `cycles` and `energy_pj`. The memories' energy is already in the latter. */
static bool add_ends(const struct sy_shape *shape, const struct sy_map_costs *costs, const struct sy_rates *rates,
                     const struct sy_array_sum *array, uint64_t slowest, double memory_pj, struct sy_estimate *estimate)
{
    const uint64_t *size = shape->problem->size;
    if (!sy_add(slowest, whole(first_way_in(shape, rates)), &estimate->cycles) ||
        !sy_add(estimate->cycles, array->ends, &estimate->cycles))
        return false;
    double macs = (double)(size[SY_DIM_M] * size[SY_DIM_N] * size[SY_DIM_G]) * (double)size[SY_DIM_K];
    estimate->energy_pj =
        memory_pj + macs * costs->pj_per_mac + costs->static_w * (double)estimate->cycles / rates->hz * 1e12;
    return true;
}

bool sy_estimate_least(const struct sy_shape *shape, const struct sy_mapping *mapping, const struct sy_map_costs *costs,
                       const struct sy_rates *rates, const struct sy_array_sum *array, struct sy_moves *moves,
                       struct sy_estimate *estimate)
{
    const struct sy_problem *problem = shape->problem;
    double level_bytes[SY_MAX_LEVELS][2] = {{0}}, traffic = 0, energy = 0;
    uint64_t outputs = 0;
    memset(estimate, 0, sizeof *estimate);
    moves->count = 0; /* which covers the rest */
    for (int out = 0; out < 2; out++)
        moves->crossed[out] = moves->entered[out] = 0;
    estimate->array_cycles = array->cycles;
    if (!count_steps(shape->problem, mapping, &estimate->steps))
        return false;
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        struct home_bytes home_bytes = {0};
        if (!link_bytes(shape, mapping, (enum sy_operand)operand, level_bytes, moves, &home_bytes))
            return false;
        estimate->read_bytes[operand] = whole(home_bytes.read);
        estimate->write_bytes += whole(home_bytes.write);
        uint32_t home = problem->chain[operand][problem->home[operand]];
        if (problem->chip->level[home].kind != SY_LEVEL_SRAM)
            traffic += home_bytes.read + home_bytes.write;
    }
    estimate->traffic_bytes = whole(traffic);
    double memory = memory_cycles(problem, level_bytes, costs, rates, &energy);
    for (int out = 0; out < 2; out++) {
        double cycles = crossing_cycles(rates, moves->crossed[out], moves->entered[out]);
        memory = cycles > memory ? cycles : memory;
    }
    estimate->memory_cycles = whole(memory);
    if (!sy_mul3(problem->size[SY_DIM_M], problem->size[SY_DIM_N], problem->size[SY_DIM_G], &outputs))
        return false;
    estimate->vector_cycles = whole((double)outputs * (double)problem->vector_ops_per_output /
                                    (double)sy_max(problem->chip->vector.lanes, 1));
    uint64_t slowest = estimate->array_cycles;
    if (estimate->memory_cycles > slowest) {
        slowest = estimate->memory_cycles;
        estimate->bound = 1;
    }
    if (estimate->vector_cycles > slowest) {
        slowest = estimate->vector_cycles;
        estimate->bound = 2;
    }
    estimate->memory_pj = energy;
    return add_ends(shape, costs, rates, array, slowest, energy, estimate);
}

bool sy_estimate_finish(const struct sy_shape *shape, const struct sy_mapping *mapping,
                        const struct sy_map_costs *costs, const struct sy_rates *rates,
                        const struct sy_array_sum *array, const struct sy_moves *moves, struct sy_estimate *estimate)
{
    double steps =
        pipelined(shape, mapping, rates, moves, (double)estimate->array_cycles, (double)estimate->vector_cycles);
    uint64_t slowest = sy_max(estimate->array_cycles, sy_max(estimate->memory_cycles, estimate->vector_cycles));
    return add_ends(shape, costs, rates, array, sy_max(slowest, whole(steps)), estimate->memory_pj, estimate);
}

bool sy_map_estimate(const struct sy_problem *problem, const struct sy_mapping *mapping,
                     const struct sy_map_costs *costs, struct sy_estimate *estimate)
{
    struct sy_shape shape;
    struct sy_rates rates;
    struct sy_moves moves;
    struct sy_array_sum array;
    if (!sy_map_array_cycles(problem, mapping, costs, &array.cycles, &array.ends))
        return false;
    sy_rates_init(&rates, problem);
    sy_shape_init(&shape, problem);
    sy_shape_tiles(&shape, mapping, 0);
    sy_shape_orders(&shape, mapping);
    if (!sy_estimate_least(&shape, mapping, costs, &rates, &array, &moves, estimate) ||
        !sy_estimate_finish(&shape, mapping, costs, &rates, &array, &moves, estimate))
        return false;
    estimate->bus_bytes = sy_shape_bus_bytes(&shape, mapping);
    return true;
}
