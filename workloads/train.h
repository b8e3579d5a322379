/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a forward pass to a training step: the layers of the backward pass in
 * reverse order, then the optimizer.
 *
 * Conventions (modelling assumptions, all of them those of plain mixed-precision
 * data-parallel training without recomputation): a matrix product with weights
 * costs one product for the gradient of its input and one for that of its
 * weights (so 3x the forward MACs); one without weights costs one for each
 * operand; attention recomputes its scores and has four more products; other
 * operators cost one pass over their elements with two inputs, the gradient
 * and what was saved. The optimizer is Adam: per parameter it reads weight,
 * gradient and two moments (fp32) and writes weight and moments.
 */
#ifndef SY_WORKLOADS_TRAIN_H
#define SY_WORKLOADS_TRAIN_H

#include "workloads/workload.h"

/* Append the backward pass and the optimizer to a workload that holds a forward pass. Repeat blocks are mirrored.
 * SY_UNSUPPORTED with the layer's name when a layer has no modelled gradient; SY_NOMEM; SY_OVERFLOW. */
enum sy_status sy_workload_add_backward(struct sy_workload *workload, const char *file, struct sy_diag *diag);

#endif
