/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waveforms of the stepped array (VCD): the registers of every PE, tile behind
 * tile. Time counts array periods that were stepped, one a nanosecond; the
 * variables `command` and `core_cycle` say which tile it is and when in the run
 * its first beat was. Numbers are the registers' bits (two's complement, or
 * fp32 as IEEE bits).
 *
 * Invariant: at most SY_WAVE_PES PEs from the upper left corner, SY_WAVE_PERIODS
 * periods are written; what lies beyond is left out. The file appears only
 * when it is committed.
 */
#ifndef SY_ENGINE_ARRAY_WAVE_H
#define SY_ENGINE_ARRAY_WAVE_H

#include "sim/base/diag.h"
#include "sim/engine/array_cycle.h"

enum { SY_WAVE_PES = 256, SY_WAVE_PERIODS = 20000 };

struct sy_array_wave;
/* The corner that is shown: rows first, then columns, of a rows x cols array. */
enum sy_status sy_array_wave_open(const char *path, uint64_t rows, uint64_t cols, struct sy_array_wave **wave,
                                  struct sy_diag *diag);
/* Whether there is room for further periods. */
bool sy_array_wave_wants(const struct sy_array_wave *wave);
/* A tile begins: what the following periods belong to. */
void sy_array_wave_tile(struct sy_array_wave *wave, uint64_t command, uint64_t core_cycle, enum sy_dtype format);
/* An observer of a cycle job (array_cycle.h). */
void sy_array_wave_observe(void *wave, uint64_t period, const struct sy_cycle_view *view);
/* Both free the wave; NULL is allowed. */
enum sy_status sy_array_wave_commit(struct sy_array_wave *wave, struct sy_diag *diag);
void sy_array_wave_abandon(struct sy_array_wave *wave);

#endif
