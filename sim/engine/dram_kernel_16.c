/* SPDX-License-Identifier: Apache-2.0 */
/* The channel model for x86 with AVX-512, 16 lanes. Chosen at run time; elsewhere the file is empty. */
#include "sim/engine/dram_channel.h"

#if defined(__x86_64__) && !defined(SY_DRAM_PORTABLE)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,bmi,bmi2,lzcnt,popcnt"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,bmi,bmi2,lzcnt,popcnt")
#endif
#define SY_LANES 16
#include "sim/engine/dram_kernel.h"
#include "sim/engine/dram_kernel_per_bank.h"

#include "sim/engine/dram_kernel_by_age.h"

#include "sim/engine/dram_kernel_run.h"

const struct sy_dram_kernel sy_dram_kernel_16 = KERNEL("AVX-512, 16 lanes");
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
