/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory whose requests come one at a time, from outside: a simulation that
 * is not ours. One first-in-first-out entrance: while a request waits for a
 * place in its channel nothing behind it goes in, so the time at which a
 * request is accepted is known as soon as it is submitted, and what comes later
 * can only change when reads accepted already are back.
 *
 * Times are picoseconds from the memory's reset. A time given means the first
 * clock of the device not before it; a time returned is a clock rounded down, so
 * that it means the same clock when it is given back. They end at 1000 s.
 */
#ifndef SY_ENGINE_DRAM_LIVE_H
#define SY_ENGINE_DRAM_LIVE_H

#include "sim/engine/dram_level.h"

enum { SY_DRAM_LIVE_MOST_BYTES = 1 << 20 };

struct sy_dram_live;

struct sy_dram_live_request {
    uint64_t time_ps, address, bytes, tag;
    bool write;
    bool forget; /* its completion is not wanted */
};
struct sy_dram_live_done {
    uint64_t tag, accepted_ps, done_ps;
    bool write;
};

/* most: requests submitted whose completions were not taken. part may go; SY_NOMEM, SY_INPUT as
 * sy_dram_memory_create. */
enum sy_status sy_dram_live_open(const struct sy_dram_part *part, uint32_t most, struct sy_dram_live **live,
                                 struct sy_diag *diag);
void sy_dram_live_close(struct sy_dram_live *live);
const struct sy_dram_memory *sy_dram_live_memory(const struct sy_dram_live *live);

/* SY_STATE: time_ps lies before the present, or `most` are out. SY_USAGE: no bytes, or more than
 * SY_DRAM_LIVE_MOST_BYTES. SY_OVERFLOW: beyond the range of addresses or of time. */
enum sy_status sy_dram_live_submit(struct sy_dram_live *live, const struct sy_dram_live_request *request,
                                   uint64_t *accepted_ps);
/* The present moves on to until_ps (never back): no request comes before it. */
enum sy_status sy_dram_live_advance(struct sy_dram_live *live, uint64_t until_ps);
/* To the end of everything submitted. */
enum sy_status sy_dram_live_drain(struct sy_dram_live *live);
/* The next completion up to the present, in order of time and then of submission. */
bool sy_dram_live_take(struct sy_dram_live *live, struct sy_dram_live_done *done);
/* A time before which no further completion is; UINT64_MAX when nothing is on its way. */
uint64_t sy_dram_live_wake(const struct sy_dram_live *live);
/* When the request submitted last is done if nothing else comes. */
enum sy_status sy_dram_live_last_done(struct sy_dram_live *live, uint64_t *done_ps);

#endif
