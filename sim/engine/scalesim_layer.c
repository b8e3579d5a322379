/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: one layer. Compute figures in closed form; the memory
 * model row by row, every operand at the same cycle, and the largest of the
 * three stalls delays all rows after it.
 */
#include "sim/engine/scalesim_internal.h"

#include <inttypes.h>
#include <math.h>

#include "sim/base/checked.h"

/* ---- compute figures ---- */

/* Python's sum(): plain, or with Neumaier's compensation (3.12 and later). The first term starts the sum. */
struct sum {
    double value, lost;
    bool compensated;
};
static void sum_add(struct sum *sum, double term)
{
    double total = sum->value + term;
    if (sum->compensated)
        sum->lost += fabs(sum->value) >= fabs(term) ? (sum->value - total) + term : (term - total) + sum->value;
    sum->value = total;
}
static double sum_total(const struct sum *sum)
{
    return sum->value + sum->lost;
}

/* Places of a fold of the filter matrix that hold a value. Only row-wise compression leaves some empty. */
static uint64_t filter_values(const struct sy_ss_plan *plan, const struct sy_ss_fold *fold)
{
    uint64_t values = 0;
    for (uint64_t k = fold->row_start; k < fold->row_start + fold->row_count; k++)
        for (uint64_t n = fold->col_start; n < fold->col_start + fold->col_count; n++)
            values += sy_ss_filter_address(plan, k, n) != SY_SS_NONE;
    return values;
}

/* Mean over folds of used PEs, and of used PE cycles over the cycles of a fold. The ws and is figures divide by
 * C - 1 more cycles than the fold has. */
static void efficiencies(const struct sy_ss_plan *plan, struct sy_scalesim_result *result)
{
    const struct sy_scalesim_config *config = plan->config;
    struct sum mapping = {.compensated = config->compensated_sums}, compute = mapping;
    bool count_values = config->sparse && config->row_wise && config->dataflow == SY_SCALESIM_WS;
    uint64_t folds = plan->row_folds * plan->col_folds;
    double pes = (double)(plan->rows * plan->cols);
    double cycles = (double)(plan->fold_rows + (config->dataflow == SY_SCALESIM_OS ? 0 : plan->cols - 1));
    for (uint64_t i = 0; i < folds; i++) {
        struct sy_ss_fold fold = sy_ss_fold_at(plan, i);
        double used = (double)(fold.row_count * fold.col_count);
        sum_add(&mapping, (count_values ? (double)filter_values(plan, &fold) : used) / pes);
        sum_add(&compute, used * (double)plan->stream / (pes * cycles));
    }
    result->mapping_efficiency = sum_total(&mapping) / (double)folds * 100;
    result->compute_utilization = sum_total(&compute) / (double)folds * 100;
}

/* ifmap SRAM reads of ws. Layer-wise sparsity: each input is read M/N times, summed as reals fold by fold. */
static enum sy_status ws_ifmap_reads(const struct sy_ss_plan *plan, struct sy_scalesim_result *result,
                                     struct sy_diag *diag)
{
    const struct sy_scalesim_config *config = plan->config;
    uint64_t folds = plan->row_folds * plan->col_folds, words;
    if (config->sparse && config->row_wise) {
        /* Empty places of the skewed block rows count too. */
        uint64_t places = 2 * plan->rows / config->block * (config->block / 2) * config->block;
        if (!sy_mul3(folds, plan->stream + plan->rows - 1, places, &words) || words > INT64_MAX)
            return sy_ss_refuse(diag, NULL, "the ifmap SRAM reads of this layer do not fit 64 bits");
    } else {
        words = plan->col_folds * plan->stream * sy_min(plan->ifmap_k, plan->row_folds * plan->rows);
    }
    result->traffic[SY_SCALESIM_IFMAP].sram_words = words;
    if (!config->sparse || config->row_wise)
        return SY_OK;
    double reads = 0, ratio = (double)plan->group / (double)plan->keep;
    for (uint64_t i = 0; i < folds; i++) {
        struct sy_ss_fold fold = sy_ss_fold_at(plan, i);
        uint64_t width = sy_min(plan->rows, plan->ifmap_k - fold.row_start);
        reads += (double)(plan->stream * width) * ratio;
    }
    result->ifmap_sram_reads = reads;
    result->ifmap_sram_reads_real = true;
    return SY_OK;
}

static enum sy_status sram_words(const struct sy_ss_plan *plan, struct sy_scalesim_result *result, struct sy_diag *diag)
{
    struct sy_scalesim_traffic *traffic = result->traffic;
    uint64_t folds = plan->row_folds * plan->col_folds;
    enum sy_status status = SY_OK;
    switch (plan->config->dataflow) {
    case SY_SCALESIM_OS:
        traffic[SY_SCALESIM_IFMAP].sram_words = plan->col_folds * plan->m * plan->ifmap_k;
        traffic[SY_SCALESIM_FILTER].sram_words = plan->row_folds * plan->n * plan->filter_k;
        /* The tool adds R + C a fold to what is written. */
        traffic[SY_SCALESIM_OFMAP].sram_words = plan->m * plan->n + folds * (plan->rows + plan->cols);
        break;
    case SY_SCALESIM_WS:
        status = ws_ifmap_reads(plan, result, diag);
        traffic[SY_SCALESIM_FILTER].sram_words = plan->filter_k * plan->n;
        traffic[SY_SCALESIM_OFMAP].sram_words = plan->row_folds * plan->m * plan->n;
        break;
    case SY_SCALESIM_IS:
    default:
        traffic[SY_SCALESIM_IFMAP].sram_words = plan->ifmap_k * plan->m;
        traffic[SY_SCALESIM_FILTER].sram_words = plan->col_folds * plan->n * plan->filter_k;
        traffic[SY_SCALESIM_OFMAP].sram_words = plan->row_folds * plan->m * plan->n;
        break;
    }
    if (!result->ifmap_sram_reads_real)
        result->ifmap_sram_reads = (double)traffic[SY_SCALESIM_IFMAP].sram_words;
    return status;
}

/* ---- memory model ---- */

typedef uint32_t (*row_addresses)(const struct sy_ss_plan *, const struct sy_ss_fold *, uint64_t, uint32_t *);

/* One operand on its way through the rows. */
struct operand_run {
    struct sy_ss_reader reader;
    row_addresses addresses;
    uint64_t first_row, last_row; /* demand rows with an address, first and last */
    bool simulated;
};

struct memory_run {
    struct sy_ss_plan *plan;
    struct operand_run operand[2];
    struct sy_ss_writer writer;
    uint32_t *row;      /* addresses of one demand row */
    int64_t stall;      /* cycles so far */
    int64_t last_cycle; /* in which the last row was served */
    uint64_t first_write, last_write;
    bool wrote;
    struct sy_scalesim_result *result;
};

/* First (step 1) or last (step -1) demand row in which an operand has an address. There is one: the first window of
 * the ifmap is inside it, and no filter column is empty. */
static uint64_t find_row(struct memory_run *run, row_addresses addresses, bool last)
{
    const struct sy_ss_plan *plan = run->plan;
    uint64_t folds = plan->row_folds * plan->col_folds;
    for (uint64_t i = 0; i < folds; i++) {
        uint64_t index = last ? folds - 1 - i : i;
        struct sy_ss_fold fold = sy_ss_fold_at(plan, index);
        for (uint64_t j = 0; j < plan->fold_rows; j++) {
            uint64_t t = last ? plan->fold_rows - 1 - j : j;
            if (addresses(plan, &fold, t, run->row))
                return index * plan->fold_rows + t;
        }
    }
    return 0;
}

static enum sy_status operand_start(struct memory_run *run, enum sy_scalesim_operand operand, struct sy_diag *diag)
{
    struct operand_run *self = &run->operand[operand];
    self->addresses = operand == SY_SCALESIM_IFMAP ? sy_ss_ifmap_row : sy_ss_filter_row;
    enum sy_status status =
        sy_ss_reader_make(run->plan, operand, run->result->traffic[operand].sram_words, &self->reader, diag);
    if (status)
        return status;
    self->simulated =
        self->reader.kind == SY_SS_CALC || self->reader.kind == SY_SS_USER || self->reader.kind == SY_SS_LAYOUT;
    self->first_row = find_row(run, self->addresses, false);
    self->last_row = find_row(run, self->addresses, true);
    return SY_OK;
}

/* One operand's part of a demand row; returns its stall. */
static int64_t operand_step(struct memory_run *run, enum sy_scalesim_operand operand, const struct sy_ss_fold *fold,
                            uint64_t t, uint64_t row, int64_t cycle)
{
    struct operand_run *self = &run->operand[operand];
    int64_t stall = 0;
    if (row < self->first_row || row > self->last_row)
        return 0;
    if (row == self->first_row)
        self->reader.first_request = cycle;
    if (self->simulated) {
        uint32_t count = self->addresses(run->plan, fold, t, run->row);
        stall = sy_ss_reader_touch(&self->reader, run->row, count, cycle);
    }
    if (self->reader.kind == SY_SS_STREAM_CALC && row == self->reader.last_fill_row)
        self->reader.span_stop = cycle;
    /* A read is served one cycle after its row. */
    if (row == self->first_row)
        run->result->traffic[operand].sram_start = cycle + 1 + stall;
    if (row == self->last_row)
        run->result->traffic[operand].sram_stop = cycle + 1 + stall;
    return stall;
}

static enum sy_status run_fold(struct memory_run *run, uint64_t index, struct sy_diag *diag)
{
    const struct sy_ss_plan *plan = run->plan;
    struct sy_ss_fold fold = sy_ss_fold_at(plan, index);
    struct sy_scalesim_traffic *ofmap = &run->result->traffic[SY_SCALESIM_OFMAP];
    for (uint64_t t = 0; t < plan->fold_rows; t++) {
        uint64_t row = index * plan->fold_rows + t;
        int64_t cycle = (int64_t)row + run->stall;
        int64_t ifmap = operand_step(run, SY_SCALESIM_IFMAP, &fold, t, row, cycle);
        int64_t filter = operand_step(run, SY_SCALESIM_FILTER, &fold, t, row, cycle);
        uint64_t writes = sy_ss_ofmap_count(plan, &fold, t);
        int64_t stall = writes ? sy_ss_writer_put(&run->writer, writes, cycle) : 0;
        run->last_cycle = cycle + stall;
        if (writes) {
            if (!run->wrote)
                ofmap->sram_start = run->last_cycle;
            run->wrote = true;
            ofmap->sram_stop = run->last_cycle;
        }
        stall = ifmap > stall ? ifmap : stall;
        stall = filter > stall ? filter : stall;
        run->stall += stall;
        if (run->stall > INT64_MAX / 8 || run->writer.out_of_memory)
            return sy_ss_refuse(diag, NULL, "the stalls of this layer do not fit the SCALE-Sim model");
    }
    return SY_OK;
}

static void operand_report(const struct sy_scalesim_result *result, const struct sy_ss_reader *reader,
                           struct sy_scalesim_traffic *traffic)
{
    traffic->dram_words = reader->dram_words;
    traffic->dram_start = reader->dram_start;
    traffic->dram_stop = reader->dram_stop;
    traffic->sram_bandwidth = (double)traffic->sram_words / (double)result->total_cycles;
    traffic->dram_bandwidth = (double)traffic->dram_words / (double)(traffic->dram_stop - traffic->dram_start + 1);
}

static enum sy_status memory_report(struct memory_run *run, struct sy_diag *diag)
{
    struct sy_scalesim_result *result = run->result;
    struct sy_scalesim_traffic *traffic = result->traffic, *ofmap = &traffic[SY_SCALESIM_OFMAP];
    const struct sy_ss_writer *writer = &run->writer;
    for (int i = 0; i < 2; i++) {
        enum sy_status status = sy_ss_reader_finish(&run->operand[i].reader, diag);
        if (status)
            return status;
    }
    result->total_cycles = (uint64_t)run->last_cycle;
    result->stall_cycles = (uint64_t)run->stall;
    if (result->total_cycles == 0)
        return sy_ss_raises(diag, "ZeroDivisionError", "the layer takes 0 cycles");
    for (int i = 0; i < 2; i++)
        operand_report(result, &run->operand[i].reader, &traffic[i]);
    traffic[SY_SCALESIM_IFMAP].sram_bandwidth = result->ifmap_sram_reads / (double)result->total_cycles;
    ofmap->dram_words = writer->dram_words;
    ofmap->dram_start = writer->dram_start;
    /* v2 takes the cycle of the last line, v3 the largest; they differ when a drain is cut short by the end. */
    ofmap->dram_stop = run->plan->config->version == SY_SCALESIM_V3 ? writer->max_stop : writer->last_stop;
    ofmap->sram_bandwidth = (double)ofmap->sram_words / (double)result->total_cycles;
    ofmap->dram_bandwidth = (double)ofmap->dram_words / (double)(ofmap->dram_stop - ofmap->dram_start + 1);
    int64_t start = traffic[SY_SCALESIM_IFMAP].dram_start;
    if (traffic[SY_SCALESIM_FILTER].dram_start < start)
        start = traffic[SY_SCALESIM_FILTER].dram_start;
    result->cycles_with_prefetch = (uint64_t)(ofmap->dram_stop - start);
    result->has_memory = true;
    return SY_OK;
}

static enum sy_status memory_model(struct sy_ss_plan *plan, struct sy_scalesim_result *result, struct sy_diag *diag)
{
    struct memory_run run = {.plan = plan, .result = result};
    run.row = sy_ss_table(plan, plan->widest_row);
    if (!run.row)
        return sy_ss_refuse(diag, NULL, "a demand row of %" PRIu64 " addresses is too long", plan->widest_row);
    enum sy_status status = operand_start(&run, SY_SCALESIM_IFMAP, diag);
    if (!status)
        status = operand_start(&run, SY_SCALESIM_FILTER, diag);
    if (status)
        return status;
    sy_ss_writer_make(plan, &run.writer);
    for (uint64_t i = 0; !status && i < plan->row_folds * plan->col_folds; i++)
        status = run_fold(&run, i, diag);
    if (!status) {
        sy_ss_writer_finish(&run.writer, run.last_cycle);
        status = memory_report(&run, diag);
    }
    sy_ss_writer_free(&run.writer);
    return status;
}

/* ---- the call ---- */

static enum sy_status run_layer(struct sy_ss_plan *plan, struct sy_scalesim_result *result, struct sy_diag *diag)
{
    enum sy_status status = sram_words(plan, result, diag);
    if (status)
        return status;
    efficiencies(plan, result);
    if (plan->config->sparse)
        sy_ss_storage(plan, result);
    result->total_cycles = plan->demand_rows - 1;
    if (!plan->config->compute_only)
        status = memory_model(plan, result, diag);
    else if (result->total_cycles == 0)
        status = sy_ss_raises(diag, "ZeroDivisionError", "the layer takes 0 cycles");
    if (status)
        return status;
    result->metadata_bandwidth = result->metadata_words / (double)result->total_cycles;
    result->overall_utilization = (double)(plan->m * plan->n * plan->k) * 100 /
                                  ((double)result->total_cycles * (double)(plan->rows * plan->cols));
    return SY_OK;
}

enum sy_status sy_scalesim_layer(const struct sy_scalesim_config *config, const struct sy_scalesim_layer *layer,
                                 struct sy_scalesim_result *result, struct sy_diag *diag)
{
    struct sy_scalesim_result filled = {0};
    enum sy_status status;
    if (config->version == SY_SCALESIM_V1) {
        status = sy_ss_v1(config, layer, &filled, diag);
    } else {
        struct sy_arena *arena = sy_arena_create(NULL, SY_SCALESIM_MAX_BYTES);
        struct sy_ss_plan plan;
        if (!arena)
            return SY_NOMEM;
        status = sy_ss_plan_make(config, layer, arena, &plan, diag);
        if (!status)
            status = run_layer(&plan, &filled, diag);
        sy_arena_destroy(arena);
    }
    if (!status)
        *result = filled;
    return status;
}
