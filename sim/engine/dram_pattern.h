/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named address patterns, to drive a memory alone (`systole run -w
 * pattern:stride:16384:256`) and to replay the golden runs. T = burst bytes,
 * M = 64 MiB, request i, `/` is floor division:
 *
 *   seq_rd, seq_wr    i*T
 *   tile:S            n=S/T, k=i/n, s=k%3: s*M + (k/3)*S + (i%n)*T; writes when s=2
 *   mix3              s=i%3: s*M + (i/3)*T; writes when s=2
 *   streams:K         s=i%K: s*(M/2) + (i/K)*T
 *   tileskew, mix3skew, streamsskew: region s starts 8192*s bytes later
 *   stride:P:W, stride_wr:P:W  tiles of 64 lines, W bytes of each, lines P bytes apart; x tiles along a line, then down
 *   rand_rd, rand_mix xorshift64* over 256 MiB; rand_mix writes every third request
 */
#ifndef SY_ENGINE_DRAM_PATTERN_H
#define SY_ENGINE_DRAM_PATTERN_H

#include "sim/base/diag.h"
#include "sim/engine/dram_source.h"

/* Fill a source with `bursts` requests of the pattern. SY_INPUT with a message for an unknown name or arguments that do
 * not fit (sizes must be multiples of burst_bytes). Thread safe. */
enum sy_status sy_dram_pattern(const char *text, uint64_t burst_bytes, uint64_t bursts, struct sy_dram_source *source,
                               struct sy_diag *diag);

#endif
