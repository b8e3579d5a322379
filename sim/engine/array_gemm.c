/* SPDX-License-Identifier: Apache-2.0 */
/* See array_gemm.h. */
#include "sim/engine/array_gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One element of C in three ways. */
struct element {
    union sy_number sum; /* in the order of the dataflow */
    double exact, magnitude;
    uint64_t terms;
};

struct gemm {
    const struct sy_cycle_job *job;
    bool is_float, wide, running, reenters;
    struct element *c;
    union sy_number *held; /* running sums: what each PE holds */
};

static union sy_number plus(const struct gemm *gemm, union sy_number sum, union sy_number term)
{
    union sy_number out = {0};
    if (gemm->is_float) {
        volatile float total = sum.real + term.real;
        out.real = total;
    } else if (gemm->wide) {
        out.integer = (int64_t)((uint64_t)sum.integer + (uint64_t)term.integer);
    } else {
        out.integer = (int32_t)((uint32_t)sum.integer + (uint32_t)term.integer);
    }
    return out;
}

static union sy_number minus(const struct gemm *gemm, union sy_number sum, union sy_number term)
{
    if (gemm->is_float)
        term.real = -term.real;
    else
        term.integer = (int64_t)(0 - (uint64_t)term.integer);
    return plus(gemm, sum, term);
}

static union sy_number times(const struct gemm *gemm, union sy_number a, union sy_number b)
{
    union sy_number out = {0};
    if (gemm->is_float) {
        volatile float product = a.real * b.real;
        out.real = product;
    } else if (gemm->wide) {
        out.integer = (int64_t)((uint64_t)a.integer * (uint64_t)b.integer);
    } else {
        out.integer = (int32_t)((uint32_t)a.integer * (uint32_t)b.integer);
    }
    return out;
}

static bool continues(const struct sy_cycle_fold *before, const struct sy_cycle_fold *fold)
{
    return before->m0 == fold->m0 && before->n0 == fold->n0 && before->m == fold->m && before->n == fold->n &&
           before->k0 + before->k == fold->k0;
}

static void add_terms(struct gemm *gemm, const struct sy_cycle_fold *fold, uint64_t m, uint64_t n, union sy_number *sum,
                      struct element *c)
{
    const struct sy_cycle_job *job = gemm->job;
    for (uint64_t k = fold->k0; k < fold->k0 + fold->k; k++) {
        union sy_number a = job->a[m * job->k + k], b = job->b[k * job->n + n];
        *sum = plus(gemm, *sum, times(gemm, a, b));
        if (gemm->is_float) {
            c->exact += (double)a.real * (double)b.real;
            c->magnitude += fabs((double)a.real * (double)b.real);
        }
    }
    c->terms += fold->k + 1;
}

static void add_fold(struct gemm *gemm, uint64_t index)
{
    const struct sy_cycle_job *job = gemm->job;
    const struct sy_array_timing *t = job->timing;
    const struct sy_cycle_fold *fold = &job->fold[index];
    bool goes_on = gemm->reenters && index > 0 && continues(fold - 1, fold);
    uint64_t base = t->row_placement == SY_ROWS_BOTTOM && t->ragged == SY_RAGGED_USED ? job->rows - fold->m : 0;
    for (uint64_t m = 0; m < fold->m; m++) {
        for (uint64_t n = 0; n < fold->n; n++) {
            struct element *c = &gemm->c[(fold->m0 + m) * job->n + fold->n0 + n];
            union sy_number *pe = gemm->running ? &gemm->held[(base + m) * job->cols + n] : NULL;
            union sy_number zero = {0}, sum = goes_on ? c->sum : pe ? *pe : zero;
            add_terms(gemm, fold, fold->m0 + m, fold->n0 + n, &sum, c);
            union sy_number result = pe ? minus(gemm, sum, *pe) : sum;
            if (pe)
                *pe = sum;
            c->sum = goes_on ? result : plus(gemm, c->sum, result);
        }
    }
}

static bool same(const struct gemm *gemm, union sy_number a, union sy_number b)
{
    return gemm->is_float ? memcmp(&a.real, &b.real, sizeof a.real) == 0 : a.integer == b.integer;
}

static double value_of(const struct gemm *gemm, union sy_number number)
{
    return gemm->is_float ? (double)number.real : (double)number.integer;
}

static void compare(const struct gemm *gemm, struct sy_gemm_verdict *verdict)
{
    const struct sy_cycle_job *job = gemm->job;
    uint64_t compared = 0;
    for (uint64_t i = 0; verdict->right && i < job->m * job->n; i++) {
        const struct element *c = &gemm->c[i];
        if (c->terms == 0)
            continue; /* no fold covers it */
        double got = value_of(gemm, job->c[i]), expected = value_of(gemm, c->sum), bound = 0;
        bool good = same(gemm, job->c[i], c->sum);
        if (good && gemm->is_float && !gemm->running) {
            bound = 1.01 * (double)c->terms * 0x1p-24 * c->magnitude;
            expected = c->exact;
            good = fabs(got - expected) <= bound;
        }
        *verdict = (struct sy_gemm_verdict){good, i / job->n, i % job->n, got, expected, bound, ++compared};
    }
}

enum sy_status sy_gemm_judge(const struct sy_cycle_job *job, struct sy_gemm_verdict *verdict)
{
    const struct sy_array_timing *t = job->timing;
    bool os = job->dataflow == SY_OS;
    struct gemm gemm = {.job = job, .is_float = sy_dtypes[job->format].is_float};
    gemm.wide = sy_dtypes[job->format].bits > 8;
    gemm.running = os && t->os_drain == SY_DRAIN_OPERAND_WIRES && t->os_restart == SY_RESTART_RUNNING_SUM;
    gemm.reenters = !os && t->partial_sums == SY_SUMS_TOP_PORT;
    gemm.c = calloc(job->m * job->n, sizeof *gemm.c);
    gemm.held = calloc(job->rows * job->cols, sizeof *gemm.held);
    *verdict = (struct sy_gemm_verdict){.right = true};
    enum sy_status status = gemm.c != NULL && gemm.held != NULL ? SY_OK : SY_NOMEM;
    for (uint64_t i = 0; status == SY_OK && i < job->folds; i++)
        add_fold(&gemm, i);
    if (status == SY_OK)
        compare(&gemm, verdict);
    free(gemm.c);
    free(gemm.held);
    return status;
}
