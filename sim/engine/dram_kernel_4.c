/* SPDX-License-Identifier: Apache-2.0 */
/* The channel model for any machine: 16-byte vectors, which every compiler lowers to what the target has. */
#define SY_LANES 4
#include "sim/engine/dram_kernel.h"
#include "sim/engine/dram_kernel_per_bank.h"

#include "sim/engine/dram_kernel_by_age.h"

#include "sim/engine/dram_kernel_run.h"

const struct sy_dram_kernel sy_dram_kernel_4 = KERNEL("portable, 4 lanes");
