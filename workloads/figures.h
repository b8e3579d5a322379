/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived figures of a layer with overflow told, for the code that checks
 * layers. Dimensions must already be in their ranges; once sy_layer_check has
 * accepted a layer none of these can fail. Internal to workloads/.
 */
#ifndef SY_WORKLOADS_FIGURES_H
#define SY_WORKLOADS_FIGURES_H

#include "workloads/layer.h"

/* floor((size + before + after - dilation * (filter - 1) - 1) / stride) + 1, ceil in ceil mode (a last window that
 * starts in the trailing padding is dropped, as frameworks do); 0 when the filter does not fit. */
uint64_t sy_window_count(uint64_t size, uint64_t before, uint64_t after, uint64_t filter, uint64_t stride,
                         uint64_t dilation, bool ceil_mode);

bool sy_figure_macs(const struct sy_layer *layer, uint64_t *macs);
bool sy_figure_parameters(const struct sy_layer *layer, uint64_t *parameters);
bool sy_figure_input(const struct sy_layer *layer, uint32_t input, uint64_t *elements);
bool sy_figure_output(const struct sy_layer *layer, uint64_t *elements);
/* Elements of the weight operand as stored (table, experts, sparsity ignored); 0 when there is none. */
bool sy_figure_weights(const struct sy_layer *layer, uint64_t *elements);

#endif
