/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic estimate of a mapped matrix item: bytes over every link, array
 * cycles of its (at most eight) tile shapes, vector cycles; the slowest
 * pipeline decides, plus what cannot overlap with it: the first operands in and
 * the last results out. Also what the mapper minimises.
 */
#include <string.h>

#include "sim/base/checked.h"
#include "sim/map/mapping.h"

/* Cycles of the core clock that `bytes` take at a rate; 0 when the rate is unlimited. */
static double cycles_for(const struct sy_chip *chip, const struct sy_level *level, double bytes, double bytes_per_s)
{
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    bool common = level->shared || level->kind != SY_LEVEL_SRAM; /* all cores share it evenly */
    return bytes_per_s > 0 ? bytes * (common ? (double)sy_max(chip->cores, 1) : 1.0) * hz / bytes_per_s : 0;
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

bool sy_map_array_cycles(const struct sy_problem *problem, const struct sy_mapping *mapping,
                         const struct sy_map_costs *costs, uint64_t *cycles, uint64_t *ends)
{
    struct cut cut[3];
    uint64_t total = 0;
    for (int d = 0; d < 3; d++)
        cut[d] = cut_of(problem->size[d], mapping->tile[0][d]);
    *ends = 0;
    for (int shape = 0; shape < 8; shape++) {
        uint64_t count = 1, dim[3], steady, alone;
        for (int d = 0; d < 3; d++) {
            bool rest = shape >> d & 1;
            dim[d] = rest ? cut[d].rest_size : cut[d].full_size;
            count *= rest ? (cut[d].rest_size != 0) : cut[d].full;
        }
        if (!count)
            continue;
        if (!costs->array(costs->context, mapping->dataflow, dim[SY_DIM_M], dim[SY_DIM_K], dim[SY_DIM_N], &steady,
                          &alone))
            return false;
        uint64_t part;
        if (!sy_mul3(steady, count, problem->size[SY_DIM_G], &part) || !sy_add(total, part, &total))
            return false;
        *ends = sy_max(*ends, alone > steady ? alone - steady : 0);
    }
    *cycles = total;
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

/* A link of an operand: what one change of its tile moves, in bytes, and where. */
struct moved {
    enum sy_operand operand;
    uint32_t child, parent;
    double in, out;
};
struct moves {
    uint32_t count;
    struct moved move[SY_OPERANDS * SY_MAX_LEVELS];
};

/* Through the link to an operand's home: as full tiles, and without what ragged tiles lack. */
struct home_bytes {
    double read, write, exact;
};

/* Full tiles stand for ragged ones above; of the bytes of all of them so much is there. Of a convolution's input, whose
 * tiles overlap, all of it. */
static double ragged_share(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                           uint32_t level)
{
    double share = 1;
    if (operand == SY_A && problem->item.window.is_conv)
        return 1;
    for (int d = 0; d < SY_DIMS; d++) {
        double covered = (double)mapping->tile[level][d];
        for (uint32_t l = level; l < mapping->on_chip; l++)
            covered *= (double)sy_map_trips(problem, mapping, l, (enum sy_dim)d);
        if (sy_map_indexes(problem, operand, (enum sy_dim)d) && covered > 0)
            share *= (double)problem->size[d] / covered;
    }
    return share;
}

/* Bytes from the outer side of each link of an operand; level_bytes gathers what each level's ports move. */
static bool link_bytes(const struct sy_problem *problem, const struct sy_mapping *mapping, enum sy_operand operand,
                       double level_bytes[SY_MAX_LEVELS][2], struct moves *moves, struct home_bytes *home)
{
    for (uint32_t i = 0; i < problem->home[operand]; i++) {
        uint32_t child = problem->chain[operand][i], parent = problem->chain[operand][i + 1];
        double tile = (double)sy_map_tile_bytes(problem, mapping, operand, child);
        double fetches = (double)sy_map_fetches(problem, mapping, operand, child);
        double fill = tile * fetches, drain = 0, exact = fill * ragged_share(problem, mapping, operand, child);
        if (operand == SY_C) {
            uint64_t g = problem->size[SY_DIM_G], elements, bytes;
            if (!sy_mul3(problem->size[SY_DIM_M], problem->size[SY_DIM_N], g, &elements) ||
                !sy_dtype_bytes(problem->item.c, elements, &bytes))
                return false;
            double distinct = (double)sy_map_trips(problem, mapping, mapping->on_chip - 1, SY_DIM_G);
            for (uint32_t l = child; l < mapping->on_chip; l++)
                distinct *= (double)sy_map_trips(problem, mapping, l, SY_DIM_M) *
                            (double)sy_map_trips(problem, mapping, l, SY_DIM_N) *
                            (l + 1 < mapping->on_chip ? (double)sy_map_trips(problem, mapping, l, SY_DIM_G) : 1.0);
            double revisits = fetches > distinct && !(i == 0 && mapping->c_resident_partials) ? fetches - distinct : 0;
            fill = revisits * tile;
            drain = revisits * tile + (double)bytes;
            exact = 2 * fill * ragged_share(problem, mapping, operand, child) + (double)bytes;
        }
        moves->move[moves->count++] = (struct moved){operand, child, parent, fill / fetches, drain / fetches};
        level_bytes[parent][0] += fill;
        level_bytes[child][1] += fill;
        level_bytes[child][0] += drain;
        level_bytes[parent][1] += drain;
        if (i + 1 == problem->home[operand]) {
            *home = (struct home_bytes){fill, drain, exact};
        }
    }
    return true;
}

/* The slowest level, in core cycles, and the energy of all accesses. */
static double memory_cycles(const struct sy_problem *problem, double level_bytes[SY_MAX_LEVELS][2],
                            const struct sy_map_costs *costs, double *energy_pj)
{
    double slowest = 0;
    for (uint32_t l = 0; l < problem->chip->levels; l++) {
        const struct sy_level *level = &problem->chip->level[l];
        double read = cycles_for(problem->chip, level, level_bytes[l][0], level->read_bytes_per_s);
        double write = cycles_for(problem->chip, level, level_bytes[l][1], level->write_bytes_per_s);
        double cycles = read > write ? read : write;
        if (level->kind == SY_LEVEL_DRAM)
            cycles = read + write; /* one bus */
        if (level->kind == SY_LEVEL_DRAM && level->refresh_interval_ps > level->refresh_time_ps)
            cycles *=
                (double)level->refresh_interval_ps / (double)(level->refresh_interval_ps - level->refresh_time_ps);
        if (level->kind != SY_LEVEL_SRAM && cycles > slowest)
            slowest = cycles;
        else if (level->kind == SY_LEVEL_SRAM && cycles > slowest)
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

struct turning {
    uint32_t level;
    enum sy_dim dim;
    double trips;
};
struct steps {
    uint32_t loops;
    struct turning loop[SY_MAX_LEVELS * SY_DIMS];
};

static void list_steps(const struct sy_problem *problem, const struct sy_mapping *mapping, struct steps *steps)
{
    steps->loops = 0;
    for (uint32_t level = mapping->on_chip; level-- > 0;) {
        for (int i = -1; i < 3; i++) {
            enum sy_dim dim = i < 0 ? SY_DIM_G : (enum sy_dim)mapping->order[level][i];
            uint64_t trips = sy_map_trips(problem, mapping, level, dim);
            if (trips > 1)
                steps->loop[steps->loops++] = (struct turning){level, dim, (double)trips};
        }
    }
}

/* Whether the operand's tile at `level` changes when loop `carry` advances. */
static bool tile_changes(const struct sy_problem *problem, const struct steps *steps, uint32_t carry,
                         enum sy_operand operand, uint32_t level)
{
    for (uint32_t i = carry; i < steps->loops; i++)
        if (steps->loop[i].level >= level && sy_map_indexes(problem, operand, steps->loop[i].dim))
            return true;
    return false;
}

/* What a command of an engine takes before its first byte moves, in core cycles. */
static double before_first_byte(const struct sy_chip *chip, uint32_t parent, bool load)
{
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den;
    double latency = load ? (double)chip->level[parent].latency_ps * 1e-12 * hz : 0;
    return (double)chip->dma.overhead_cycles + latency;
}

/* What the rates and requests in flight of one engine leave of the parent's rate. */
static double move_cycles(const struct sy_chip *chip, uint32_t parent, uint32_t child, double bytes, bool load)
{
    const struct sy_level *outer = &chip->level[parent], *inner = &chip->level[child];
    const struct sy_dma *dma = &chip->dma;
    double hz = (double)chip->clock[0].frequency.num / (double)chip->clock[0].frequency.den, slowest = 0, cycles;
    double kept = outer->refresh_interval_ps > outer->refresh_time_ps
                      ? 1 - (double)outer->refresh_time_ps / (double)outer->refresh_interval_ps
                      : 1;
    slowest = cycles_for(chip, outer, bytes, (load ? outer->read_bytes_per_s : outer->write_bytes_per_s) * kept);
    cycles = cycles_for(chip, inner, bytes, load ? inner->write_bytes_per_s : inner->read_bytes_per_s);
    slowest = cycles > slowest ? cycles : slowest;
    cycles = dma->bandwidth_bytes_per_s > 0 ? bytes * hz / dma->bandwidth_bytes_per_s : 0;
    slowest = cycles > slowest ? cycles : slowest;
    if (load && dma->outstanding_requests && dma->request_bytes && outer->latency_ps) {
        cycles = bytes * (double)outer->latency_ps * 1e-12 * hz /
                 ((double)dma->outstanding_requests * (double)dma->request_bytes);
        slowest = cycles > slowest ? cycles : slowest;
    }
    return slowest;
}

/* Work of a step on one engine and one level, gathered move by move. */
struct step_load {
    double bytes[SY_MAX_LEVELS][2];                              /* by parent level; in, out */
    double engine[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS][2]; /* by parent, child, engine; in, out */
    double cycle;                                                /* of the slowest buffer: filled, used, given back */
};

/* A command holds its engine while it moves; with two in flight, what comes before the first byte hides behind the
 * other's transfer as far as that is longer. A buffer goes round through its load, the array and, for C, its store:
 * with d of them, d steps share that time. Partial sums that return wait for the store of the step before, so there
 * nothing is shared. */
static void add_move(const struct sy_problem *problem, const struct sy_mapping *mapping, const struct moved *move,
                     double array, struct step_load *load)
{
    const struct sy_chip *chip = problem->chip;
    uint32_t engine = move->operand % (uint32_t)sy_max(chip->dma.engines, 1), inner = problem->chain[move->operand][0];
    double whole_way = array;
    for (int out = 0; out < 2; out++) {
        double bytes = out ? move->out : move->in;
        if (bytes <= 0)
            continue;
        double moving = move_cycles(chip, move->parent, move->child, bytes, !out);
        double first = before_first_byte(chip, move->parent, !out), own = (first + moving) / 2;
        load->bytes[move->parent][out] += bytes;
        load->engine[move->parent][move->child][engine][chip->dma.shared_load_store ? 0 : out] +=
            own > moving ? own : moving;
        whole_way += first + moving;
    }
    if (move->child != inner)
        return;
    bool returns = move->operand == SY_C && move->in > 0;
    double buffers = returns ? 1 : (double)sy_map_buffers(problem, mapping, move->operand, move->child);
    load->cycle = whole_way / buffers > load->cycle ? whole_way / buffers : load->cycle;
}

/* Cycles of the slowest memory, engine, buffer or vector unit for a step with this carry. */
static double step_cycles(const struct sy_problem *problem, const struct sy_mapping *mapping, const struct steps *steps,
                          uint32_t carry, const struct moves *moves, double array, double vector)
{
    const struct sy_chip *chip = problem->chip;
    struct step_load load = {.cycle = 0};
    double slowest;
    for (uint32_t i = 0; i < moves->count; i++)
        if (tile_changes(problem, steps, carry, moves->move[i].operand, moves->move[i].child))
            add_move(problem, mapping, &moves->move[i], array, &load);
    slowest = load.cycle;
    for (uint32_t i = 0; i < moves->count; i++) {
        const struct moved *move = &moves->move[i];
        uint32_t engine = move->operand % (uint32_t)sy_max(chip->dma.engines, 1);
        for (int out = 0; out < 2; out++) {
            double cycles = load.engine[move->parent][move->child][engine][out];
            slowest = cycles > slowest ? cycles : slowest;
        }
    }
    for (uint32_t l = 0; l < chip->levels; l++) {
        const struct sy_level *level = &chip->level[l];
        double kept = level->refresh_interval_ps > level->refresh_time_ps
                          ? 1 - (double)level->refresh_time_ps / (double)level->refresh_interval_ps
                          : 1;
        double in = cycles_for(chip, level, load.bytes[l][0], level->read_bytes_per_s * kept);
        double out = cycles_for(chip, level, load.bytes[l][1], level->write_bytes_per_s * kept);
        double cycles = level->kind == SY_LEVEL_DRAM ? in + out : in > out ? in : out;
        slowest = cycles > slowest ? cycles : slowest;
    }
    if (vector > slowest && tile_changes(problem, steps, carry, SY_C, problem->chain[SY_C][0]))
        slowest = vector;
    return slowest;
}

/* Sum over the steps of max(array, what the step brings and takes away): double buffering overlaps neighbours only. */
static double pipelined(const struct sy_problem *problem, const struct sy_mapping *mapping, const struct moves *moves,
                        double array_cycles, double vector_cycles)
{
    struct steps steps;
    double count = 1, total_steps = 1, total = 0, c_changes = 1;
    list_steps(problem, mapping, &steps);
    for (uint32_t i = 0; i < steps.loops; i++)
        total_steps *= steps.loop[i].trips;
    double array = array_cycles / total_steps;
    for (uint32_t i = 0; i < steps.loops; i++) {
        if (tile_changes(problem, &steps, i, SY_C, problem->chain[SY_C][0]))
            c_changes += count * (steps.loop[i].trips - 1);
        count *= steps.loop[i].trips;
    }
    count = 1;
    for (uint32_t i = 0; i < steps.loops; i++) {
        double other = step_cycles(problem, mapping, &steps, i, moves, array, vector_cycles / c_changes);
        total += count * (steps.loop[i].trips - 1) * (other > array ? other : array);
        count *= steps.loop[i].trips;
    }
    double last = step_cycles(problem, mapping, &steps, 0, moves, array,
                              vector_cycles / c_changes); /* the first step's own tiles */
    return total + (last > array ? last : array);
}

bool sy_map_estimate(const struct sy_problem *problem, const struct sy_mapping *mapping,
                     const struct sy_map_costs *costs, struct sy_estimate *estimate)
{
    double level_bytes[SY_MAX_LEVELS][2] = {{0}}, traffic = 0, exact = 0, first_in = 0, energy = 0;
    uint64_t tail = 0, outputs = 0;
    struct moves moves = {0};
    memset(estimate, 0, sizeof *estimate);
    if (!sy_map_array_cycles(problem, mapping, costs, &estimate->array_cycles, &tail) ||
        !count_steps(problem, mapping, &estimate->steps))
        return false;
    for (int operand = 0; operand < SY_OPERANDS; operand++) {
        struct home_bytes home_bytes = {0};
        if (!link_bytes(problem, mapping, (enum sy_operand)operand, level_bytes, &moves, &home_bytes))
            return false;
        estimate->read_bytes[operand] = whole(home_bytes.read);
        estimate->write_bytes += whole(home_bytes.write);
        uint32_t home = problem->chain[operand][problem->home[operand]];
        if (problem->chip->level[home].kind != SY_LEVEL_SRAM)
            traffic += home_bytes.read + home_bytes.write, exact += home_bytes.exact;
        /* The first tile of each level on the way in, before anything overlaps. */
        for (uint32_t i = 0; operand != SY_C && i < problem->home[operand]; i++) {
            uint32_t child = problem->chain[operand][i], parent = problem->chain[operand][i + 1];
            double tile = (double)sy_map_tile_bytes(problem, mapping, (enum sy_operand)operand, child);
            const struct sy_level *outer = &problem->chip->level[parent];
            first_in += cycles_for(problem->chip, outer, tile, outer->read_bytes_per_s);
            first_in += operand == SY_A ? before_first_byte(problem->chip, parent, true) : 0;
        }
    }
    estimate->traffic_bytes = whole(traffic);
    estimate->exact_traffic_bytes = whole(exact + 0.5);
    estimate->memory_cycles = whole(memory_cycles(problem, level_bytes, costs, &energy));
    if (!sy_mul3(problem->size[SY_DIM_M], problem->size[SY_DIM_N], problem->size[SY_DIM_G], &outputs))
        return false;
    const struct sy_vector_unit *vector = &problem->chip->vector;
    estimate->vector_cycles =
        whole((double)outputs * (double)problem->vector_ops_per_output / (double)sy_max(vector->lanes, 1));
    uint64_t slowest = estimate->array_cycles;
    if (estimate->memory_cycles > slowest) {
        slowest = estimate->memory_cycles;
        estimate->bound = 1;
    }
    if (estimate->vector_cycles > slowest) {
        slowest = estimate->vector_cycles;
        estimate->bound = 2;
    }
    double steps = pipelined(problem, mapping, &moves, (double)estimate->array_cycles, (double)estimate->vector_cycles);
    slowest = sy_max(slowest, whole(steps));
    if (!sy_add(slowest, whole(first_in), &estimate->cycles) || !sy_add(estimate->cycles, tail, &estimate->cycles))
        return false;
    double macs = (double)outputs * (double)problem->size[SY_DIM_K];
    double hz = (double)problem->chip->clock[0].frequency.num / (double)problem->chip->clock[0].frequency.den;
    estimate->energy_pj = energy + macs * costs->pj_per_mac + costs->static_w * (double)estimate->cycles / hz * 1e12;
    return true;
}
