/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fast-forwarding: cost follows distinct work (engine.md section 5).
 *
 *  - A tile loop: when the state of executor and generator at a turn of the
 *    loop is that of an earlier turn but for a shift in time, command numbers
 *    and place, all further periods are alike until the loop's last iteration
 *    (or until a convolution leaves the inside of its image): counters grow by
 *    whole multiples and the run goes on from there.
 *  - Groups of heads of attention, in the same way.
 *  - A layer: what a layer did to the state in which it began is kept; the same
 *    layer in the same state does it again.
 *
 * Both compare full states (exec_state.c, schedule_state.c), never hashes
 * alone: every figure is what the full run gives. What is compared that way
 * must decide the future: so nothing is fast-forwarded with --memory burst,
 * whose banks are not part of the state, nor where somebody watches (timeline,
 * waveform, emitted schedules).
 */
#ifndef SY_ENGINE_FORWARD_H
#define SY_ENGINE_FORWARD_H

#include "sim/engine/schedule.h"

struct sy_executor;
struct sy_forward;

/* exec, scheduler: borrowed. NULL when out of memory: then nothing is fast-forwarded. */
struct sy_forward *sy_forward_create(struct sy_executor *exec, struct sy_scheduler *scheduler);
void sy_forward_destroy(struct sy_forward *forward); /* NULL is fine */

/* A layer is about to begin (before sy_scheduler_begin; arguments as there). *done: it was run from memory, and the
 * scheduler has its plan. */
enum sy_status sy_forward_layer(struct sy_forward *forward, const struct sy_upcoming *upcoming, uint64_t index,
                                bool *done);
/* A command is handed over, or the stream ends: units that were moved wake. */
enum sy_status sy_forward_go(struct sy_forward *forward);
/* Loop `loop` of the matrix walk turned, before anything of its next iteration was emitted. */
void sy_forward_turn(struct sy_forward *forward, uint32_t loop);
/* Attention is about to take up the softmax of a group of heads like the one before; `left` groups follow, all like it
 * but the last. Returns how many groups were left out, whose chunks the caller steps over. */
uint64_t sy_forward_group(struct sy_forward *forward, uint64_t left);
/* Attention over another kind of sequence begins. */
void sy_forward_groups(struct sy_forward *forward);
/* A new walk begins. */
void sy_forward_walk(struct sy_forward *forward);

#endif
