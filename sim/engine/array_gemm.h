/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of the stepped array's numbers: a plain GEMM over a job's folds in
 * the dataflow's documented order of summation (array_cycle.h), and the same
 * in fp64 with a bound on what rounding can have cost. It shares nothing with
 * the PEs but the operands: it has its own arithmetic.
 */
#ifndef SY_ENGINE_ARRAY_GEMM_H
#define SY_ENGINE_ARRAY_GEMM_H

#include "sim/base/status.h"
#include "sim/engine/array_cycle.h"

/* Where a stepped product is wrong. */
struct sy_gemm_verdict {
    bool right;
    uint64_t m, n;            /* element of C, when it is not */
    double stepped, expected; /* its values */
    double bound;             /* 0: the bits had to be equal; else the distance from fp64 that was allowed */
    uint64_t compared;        /* elements, when all are right */
};

/*
 * Compare job->c, as sy_array_cycle_run() left it, with the plain GEMM of the
 * job's folds (job->fold must not be NULL). Integers: bit for bit. Floats: bit
 * for bit in the documented order, and no further from the fp64 sum than
 * terms x 2^-24 x sum of |a b| (not where accumulators keep running over folds:
 * their rounding depends on the sums before). SY_NOMEM; pure otherwise, thread safe.
 */
enum sy_status sy_gemm_judge(const struct sy_cycle_job *job, struct sy_gemm_verdict *verdict);

#endif
