/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRAM figures by kriging of a table. See sram.h.
 *
 * ln Y = level(node, cell) + power law(bank capacity, width, banks, ports) + r.
 * The level is the mean of the table's rows; r is kriged (ordinary kriging, the
 * mean unknown) from the nearest rows with the covariance
 *   C(a, b) = sum over j of s_j exp(-sum over axes of rate_j,axis |a - b|),
 * a sum of exponentials because the figures are steps. The first term is the
 * common shape, the second one what a bank shares across the number of banks,
 * nodes, cells and ports (one subarray organization), the third one what is left
 * to each case, the last one what belongs to a single row. Its constants minimise median, mean and 90th percentile of
 * the leave-one-out error over half of the CACTI table, for all five figures together, rounded to two digits; the other
 * half gave the same errors.
 */
#include "sim/stats/sram.h"

#include <math.h>
#include <string.h>

enum { BANK_CAPACITY, WIDTH, BANKS, NODE, CELL, PORTS, AXES };
enum { NEIGHBOURS = 32, TERMS = 4, MOST_NODES = 16 };

/* Exponents of capacity a bank, width and banks, and the factor of a further port. Source: least squares over a first
 * sweep of 829 CACTI runs (docs/model.md); they carry figures outside the table and level the rows inside it. */
static const struct {
    double exponent[3], port_factor;
} power_law[SY_SRAM_FIGURES] = {
    [SY_SRAM_READ] = {{0.53, 0.66, 0.56}, 2.09},   [SY_SRAM_WRITE] = {{0.49, 0.80, 0.53}, 2.08},
    [SY_SRAM_LEAKAGE] = {{0.96, 0, 1.03}, 1.13},   [SY_SRAM_AREA] = {{0.96, 0.07, 1.02}, 2.03},
    [SY_SRAM_ACCESS] = {{0.35, 0.00, 0.30}, 1.30},
};
static const struct {
    double share, rate[AXES];
} covariance[TERMS] = {
    {0.080, {0.04, 0.02, 0.06, 0.03, 0.25, 0.3}},
    {0.100, {0.30, 0.45, 0.06, 0.0002, 0.005, 0.002}},
    {0.015, {0.40, 0.40, 4.00, 0.02, 0.10, 0.15}},
    {0.0005, {20, 20, 20, 20, 20, 20}}, /* each row's own: gone between rows, so that leaving a row is no jump */
};
/* How far apart rows are, for choosing the nearest. */
static const double closeness[AXES] = {1, 1, 1, 1.2, 0.7, 1.5};

struct point {
    double at[AXES];
    double residual[SY_SRAM_FIGURES]; /* ln Y less the power law */
    uint8_t group;                    /* of one node and cell */
};
/* Rows of one node and cell. */
struct group {
    double node_nm;
    uint8_t cell;
    uint32_t rows;
    double sum[SY_SRAM_FIGURES];
};
struct sy_sram_model {
    const struct sy_sram_table *table;
    struct point *point;
    uint32_t groups;
    struct group group[MOST_NODES * SY_SRAM_CELLS];
    double least[AXES], most[AXES]; /* BANK_CAPACITY: of all banks together */
    double least_words;             /* a bank */
};

static bool equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

static double law(enum sy_sram_figure figure, const double at[AXES])
{
    double sum = at[PORTS] * log(power_law[figure].port_factor);
    for (int i = BANK_CAPACITY; i <= BANKS; i++)
        sum += power_law[figure].exponent[i] * log(2) * at[i];
    return sum;
}

static void locate(double capacity, double width, double banks, double node_nm, int cell, double ports, double at[AXES])
{
    at[BANK_CAPACITY] = log2(capacity / banks);
    at[WIDTH] = log2(width);
    at[BANKS] = log2(banks);
    at[NODE] = 2 * log2(node_nm); /* a full node halves the area */
    at[CELL] = cell;
    at[PORTS] = ports - 1;
}

/* The group of a node and cell, added when it is new; NULL when there are too many. */
static struct group *group_of(struct sy_sram_model *model, double node_nm, uint8_t cell)
{
    for (uint32_t i = 0; i < model->groups; i++)
        if (equal(model->group[i].node_nm, node_nm) && model->group[i].cell == cell)
            return &model->group[i];
    if (model->groups == MOST_NODES * SY_SRAM_CELLS)
        return NULL;
    struct group *group = &model->group[model->groups++];
    *group = (struct group){.node_nm = node_nm, .cell = cell};
    return group;
}

static void widen(struct sy_sram_model *model, const struct sy_sram_row *row)
{
    double value[AXES] = {[BANK_CAPACITY] = row->capacity_bytes,
                          [WIDTH] = row->width_bits,
                          [BANKS] = row->banks,
                          [NODE] = row->node_nm,
                          [CELL] = row->cell,
                          [PORTS] = row->ports};
    double words = 8.0 * row->capacity_bytes / row->banks / row->width_bits;
    bool first = row == model->table->row;
    for (int i = 0; i < AXES; i++) {
        model->least[i] = first || value[i] < model->least[i] ? value[i] : model->least[i];
        model->most[i] = first || value[i] > model->most[i] ? value[i] : model->most[i];
    }
    model->least_words = first || words < model->least_words ? words : model->least_words;
}

struct sy_sram_model *sy_sram_model_create(struct sy_arena *arena, const struct sy_sram_table *table)
{
    struct sy_sram_model *model = sy_arena_alloc(arena, sizeof *model);
    if (!model || !(model->point = sy_arena_array(arena, table->rows, sizeof *model->point)))
        return NULL;
    model->table = table;
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_sram_row *row = &table->row[i];
        struct point *point = &model->point[i];
        struct group *group = group_of(model, row->node_nm, row->cell);
        if (!group)
            return NULL;
        widen(model, row);
        locate(row->capacity_bytes, row->width_bits, row->banks, row->node_nm, row->cell, row->ports, point->at);
        point->group = (uint8_t)(group - model->group);
        group->rows++;
        for (int f = 0; f < SY_SRAM_FIGURES; f++) {
            point->residual[f] = (double)row->log_figure[f] - law(f, point->at);
            group->sum[f] += point->residual[f];
        }
    }
    return model;
}

/* ---- kriging ---- */

struct neighbours {
    uint32_t count, index[NEIGHBOURS];
    double distance[NEIGHBOURS]; /* rising */
};

static void find_neighbours(const struct sy_sram_model *model, const double at[AXES], uint32_t except,
                            struct neighbours *near)
{
    near->count = 0;
    for (uint32_t i = 0; i < model->table->rows; i++) {
        double distance = 0;
        for (int axis = 0; axis < AXES; axis++)
            distance += closeness[axis] * fabs(model->point[i].at[axis] - at[axis]);
        if (i == except || (near->count == NEIGHBOURS && distance >= near->distance[NEIGHBOURS - 1]))
            continue;
        uint32_t place = near->count < NEIGHBOURS ? near->count++ : NEIGHBOURS - 1;
        for (; place > 0 && near->distance[place - 1] > distance; place--) {
            near->distance[place] = near->distance[place - 1];
            near->index[place] = near->index[place - 1];
        }
        near->distance[place] = distance;
        near->index[place] = i;
    }
}

static double covary(const double a[AXES], const double b[AXES])
{
    double sum = 0;
    for (int term = 0; term < TERMS; term++) {
        double decay = 0;
        for (int axis = 0; axis < AXES; axis++)
            decay += covariance[term].rate[axis] * fabs(a[axis] - b[axis]);
        sum += covariance[term].share * exp(-decay);
    }
    return sum;
}

/* Cholesky factor in place, lower half. Positive definite: exponentials of a metric. */
static void factor(double a[NEIGHBOURS][NEIGHBOURS], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (uint32_t k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
}

/* Weights of the neighbours, summing to 1, for a point. */
static void weigh(const struct sy_sram_model *model, const double at[AXES], const struct neighbours *near,
                  double weight[NEIGHBOURS])
{
    double a[NEIGHBOURS][NEIGHBOURS], to_point[NEIGHBOURS] = {0}, to_one[NEIGHBOURS] = {0};
    double one_one = 0, one_point = 0;
    uint32_t n = near->count;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < i; j++)
            a[i][j] = covary(model->point[near->index[i]].at, model->point[near->index[j]].at);
        a[i][i] = covary(at, at);
        to_point[i] = covary(model->point[near->index[i]].at, at);
        to_one[i] = 1;
    }
    factor(a, n);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            to_point[i] -= a[i][k] * to_point[k];
            to_one[i] -= a[i][k] * to_one[k];
        }
        to_point[i] /= a[i][i];
        to_one[i] /= a[i][i];
        one_one += to_one[i] * to_one[i];
        one_point += to_one[i] * to_point[i];
    }
    double mean = (1 - one_point) / one_one;
    for (uint32_t i = n; i-- > 0;) {
        weight[i] = to_point[i] + mean * to_one[i];
        for (uint32_t k = i + 1; k < n; k++)
            weight[i] -= a[k][i] * weight[k];
        weight[i] /= a[i][i];
    }
}

/* Mean residual of a group, without the row left out. */
static double level(const struct sy_sram_model *model, uint32_t group, enum sy_sram_figure figure, uint32_t except)
{
    const struct group *of = &model->group[group];
    bool without = except < model->table->rows && model->point[except].group == group && of->rows > 1;
    return without ? (of->sum[figure] - model->point[except].residual[figure]) / (of->rows - 1)
                   : of->sum[figure] / of->rows;
}

/* ln of the figures at a point of one of the table's groups. */
static void krige(const struct sy_sram_model *model, const double at[AXES], uint32_t group, uint32_t except,
                  double log_figure[SY_SRAM_FIGURES])
{
    struct neighbours near;
    double weight[NEIGHBOURS];
    find_neighbours(model, at, except, &near);
    weigh(model, at, &near, weight);
    for (int f = 0; f < SY_SRAM_FIGURES; f++) {
        log_figure[f] = law(f, at) + level(model, group, f, except);
        for (uint32_t i = 0; i < near.count; i++) {
            const struct point *point = &model->point[near.index[i]];
            log_figure[f] += weight[i] * (point->residual[f] - level(model, point->group, f, except));
        }
    }
}

/* ---- a memory ---- */

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* The nearest memory inside the table. True when it is another one. */
static bool pull_inside(const struct sy_sram_model *model, const struct sy_sram_config *config, double *capacity,
                        double *width, double *banks, double *ports)
{
    double bank = (double)config->capacity_bytes / (double)config->banks;
    *width = clamp((double)config->width_bits, model->least[WIDTH], model->most[WIDTH]);
    *banks = clamp((double)config->banks, model->least[BANKS], model->most[BANKS]);
    *ports = clamp((double)config->ports, model->least[PORTS], model->most[PORTS]);
    *capacity = clamp(bank * *banks, model->least[BANK_CAPACITY], model->most[BANK_CAPACITY]);
    double floor_capacity = model->least_words * *width / 8 * *banks;
    *capacity = *capacity < floor_capacity ? floor_capacity : *capacity;
    return !equal(*width, (double)config->width_bits) || !equal(*banks, (double)config->banks) ||
           !equal(*ports, (double)config->ports) || !equal(*capacity, (double)config->capacity_bytes);
}

/* Row of exactly this memory, or the number of rows. */
static uint32_t find_row(const struct sy_sram_table *table, const struct sy_sram_config *config, double node_nm)
{
    uint32_t i = 0;
    for (; i < table->rows; i++) {
        const struct sy_sram_row *row = &table->row[i];
        if (row->capacity_bytes == config->capacity_bytes && row->width_bits == config->width_bits &&
            row->ports == config->ports && row->banks == config->banks && row->cell == config->cell &&
            equal(row->node_nm, node_nm))
            break;
    }
    return i;
}

/* The groups of the cell whose nodes are nearest from below and above; false when there is none at or below. */
static bool bracket(const struct sy_sram_model *model, const struct sy_sram_config *config, uint32_t found[2])
{
    bool has[2] = {false, false};
    for (uint32_t i = 0; i < model->groups; i++) {
        double node_nm = model->group[i].node_nm;
        if (model->group[i].cell != config->cell)
            continue;
        if (node_nm <= config->node_nm && (!has[0] || node_nm > model->group[found[0]].node_nm)) {
            found[0] = i;
            has[0] = true;
        }
        if (node_nm >= config->node_nm && (!has[1] || node_nm < model->group[found[1]].node_nm)) {
            found[1] = i;
            has[1] = true;
        }
    }
    if (has[0] && !has[1])
        found[1] = found[0];
    return has[0];
}

/* Figures at a node of the table. */
static void at_group(const struct sy_sram_model *model, const struct sy_sram_config *config, uint32_t group,
                     bool leave_out, struct sy_sram_cost *cost, double log_figure[SY_SRAM_FIGURES])
{
    double capacity, width, banks, ports, at[AXES], wanted[AXES];
    double node_nm = model->group[group].node_nm;
    uint32_t row = find_row(model->table, config, node_nm);
    bool known = row < model->table->rows;
    if (known && !leave_out) {
        cost->flags |= SY_SRAM_TABULATED;
        for (int f = 0; f < SY_SRAM_FIGURES; f++)
            log_figure[f] = (double)model->table->row[row].log_figure[f];
        return;
    }
    if (pull_inside(model, config, &capacity, &width, &banks, &ports))
        cost->flags |= SY_SRAM_BEYOND;
    locate(capacity, width, banks, node_nm, config->cell, ports, at);
    locate((double)config->capacity_bytes, (double)config->width_bits, (double)config->banks, node_nm, config->cell,
           (double)config->ports, wanted);
    krige(model, at, group, row, log_figure);
    for (int f = 0; f < SY_SRAM_FIGURES; f++)
        log_figure[f] += law(f, wanted) - law(f, at);
}

static const char *rule_of(uint32_t flags)
{
    bool nodes = flags & SY_SRAM_BETWEEN_NODES;
    if (flags & SY_SRAM_BEYOND)
        return nodes ? "power laws beyond the table, log-node interpolation" : "power laws beyond the table";
    if (flags & SY_SRAM_TABULATED)
        return nodes ? "log-node interpolation of tabulated memories" : "as tabulated";
    return nodes ? "kriging of the table, log-node interpolation" : "kriging of the table";
}

static bool usable(const struct sy_sram_config *config)
{
    return config->capacity_bytes && config->width_bits && config->ports && config->banks && config->node_nm > 0;
}

enum sy_status sy_sram_estimate(const struct sy_sram_model *model, const struct sy_sram_config *config, bool leave_out,
                                struct sy_sram_cost *cost)
{
    uint32_t group[2] = {0, 0};
    double below[SY_SRAM_FIGURES], above[SY_SRAM_FIGURES];
    *cost = (struct sy_sram_cost){.flags = 0};
    if (!usable(config))
        return SY_USAGE;
    if (!bracket(model, config, group))
        return SY_UNSUPPORTED;
    double first = model->group[group[0]].node_nm, second = model->group[group[1]].node_nm;
    at_group(model, config, group[0], leave_out, cost, below);
    double part = 0;
    if (second > first) {
        at_group(model, config, group[1], leave_out, cost, above);
        part = log(config->node_nm / first) / log(second / first);
        cost->flags |= SY_SRAM_BETWEEN_NODES;
    } else if (config->node_nm > first) {
        cost->flags |= SY_SRAM_BEYOND;
    }
    for (int f = 0; f < SY_SRAM_FIGURES; f++)
        cost->figure[f] = exp(part > 0 ? below[f] + part * (above[f] - below[f]) : below[f]);
    if ((double)config->capacity_bytes * 8 <
        (double)SY_SRAM_FEW_WORDS_LIMIT * (double)config->banks * (double)config->width_bits)
        cost->flags |= SY_SRAM_FEW_WORDS;
    cost->rule = rule_of(cost->flags);
    return SY_OK;
}

double sy_sram_smallest_node_nm(const struct sy_sram_model *model, enum sy_sram_cell cell)
{
    double smallest = 0;
    for (uint32_t i = 0; i < model->groups; i++)
        if (model->group[i].cell == cell && (smallest <= 0 || model->group[i].node_nm < smallest))
            smallest = model->group[i].node_nm;
    return smallest;
}

/* ---- macros ---- */

static uint64_t pieces(double whole, double piece)
{
    double count = ceil(whole / piece);
    return count < 1 ? 1 : count > 1e15 ? (uint64_t)1e15 : (uint64_t)count;
}

enum sy_status sy_sram_compose(const struct sy_sram_table *table, const struct sy_sram_config *config,
                               struct sy_sram_cost *cost)
{
    *cost = (struct sy_sram_cost){.flags = SY_SRAM_COMPOSED, .rule = "composed of macros"};
    if (!usable(config))
        return SY_USAGE;
    double words = (double)config->capacity_bytes * 8 / (double)config->width_bits;
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct sy_sram_row *row = &table->row[i];
        if (!equal(row->node_nm, config->node_nm) || row->cell != config->cell || row->ports < config->ports)
            continue;
        double wide = (double)pieces((double)config->width_bits, row->width_bits);
        double count = wide * (double)pieces(words, 8.0 * row->capacity_bytes / row->width_bits);
        double area = count * exp((double)row->log_figure[SY_SRAM_AREA]);
        if (cost->macros && area >= cost->figure[SY_SRAM_AREA])
            continue;
        const double factors[SY_SRAM_FIGURES] = {wide, wide, count, count, 1};
        for (int f = 0; f < SY_SRAM_FIGURES; f++)
            cost->figure[f] = factors[f] * exp((double)row->log_figure[f]);
        cost->macros = (uint64_t)count;
    }
    return cost->macros ? SY_OK : SY_UNSUPPORTED;
}
