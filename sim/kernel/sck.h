/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sck: a small discrete-event kernel interface with two backends.
 *
 *   SCK_SYSTEMC  an IEEE 1666 SystemC context; what the command line runs
 *   SCK_HEAP     the same semantics in plain C: reentrant, faster, the oracle
 *
 * A program of events gives the same calls at the same ticks in the same order
 * on both. Model code therefore never asks which backend it runs on.
 *
 * Time. A tick is config.tick_fs femtoseconds (default 1 fs), time is an
 * unsigned 64-bit count of ticks: 5.12 h at 1 fs, 213 days at 1 ps. Results
 * that would leave that range are SY_OVERFLOW; nothing wraps. SCK_NEVER is not
 * a time. Cycles of a clock are the truth, ticks only schedule: keep cycle
 * counts, convert with sck_edge, never add up a rounded period.
 *
 * Semantics (IEEE 1666 where it speaks, fixed here where it does not):
 *  - Time is worked off in rounds. One round calls the methods that are ready,
 *    in ascending (priority, spawn order); then the delta notifications made so
 *    far come true and make their methods ready for the next round at the same
 *    tick. When none is ready, time moves to the earliest timed notification
 *    and all notifications of that tick come true together.
 *  - A method is called once a round, however many of its events came true.
 *  - An event holds one pending notification: the earliest one asked for. A
 *    later notify is dropped, an earlier one replaces it; a delta notification
 *    is earlier than any timed one. Notifying at the present tick is a delta
 *    notification. There is no immediate notification.
 *  - Cancel removes what is pending. What has come true already (its method is
 *    ready in this round) is no longer pending and is not undone.
 *  - sck_start begins with one round of the methods of delta notifications made
 *    since the last start; in the first start the methods spawned with
 *    SCK_RUN_AT_START join it, after a pause those that were ready by then.
 *  - sck_pause, and a method that fails, take effect between two rounds: a
 *    pause lets the round finish, a failure skips the rest of it.
 * Use it so: a method raises flags of its unit and notifies a delta or its own
 * event; what is due at one tick is settled by the model in (time, priority,
 * sequence) order.
 *
 * States: building -> (sck_start) running -> stopped -> running ... ; a failed
 * simulation can only be read and destroyed. Events and methods are created
 * while building. Notifying and cancelling are allowed in every state but
 * failed.
 *
 * Threads. One simulation belongs to one thread at a time. Heap simulations
 * are independent of each other. SystemC keeps global state: one live SystemC
 * simulation a process (a second create is SY_STATE, and so is one from inside
 * a SystemC simulation of the host program), and nothing else in the process may
 * use SystemC meanwhile.
 *
 * Nothing is printed, no exception or signal leaves the kernel, and every error
 * is a status whose text sck_last_error gives.
 *
 * Memory targets. A shared object can bring a TLM-2.0 target (systole_tlm.hpp is
 * the header it is written with). Methods are called from an SC_METHOD, so its
 * b_transport may annotate a delay and may not wait. SystemC backend only.
 */
#ifndef SCK_H
#define SCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "sim/base/arena.h"
#include "sim/base/diag.h"
#include "sim/base/status.h"

#define SCK_NEVER UINT64_MAX

struct sck_sim;
struct sck_event;
struct sck_method;
struct sck_trace_var;

enum sck_backend { SCK_SYSTEMC, SCK_HEAP };

/* Zero-initialise; every zero means its default. Copied. */
struct sck_config {
    enum sck_backend backend;
    uint64_t tick_fs;             /* femtoseconds a tick: a power of ten, 1 .. 10^15; 0 = 1 */
    uint64_t max_rounds_per_tick; /* more rounds at one tick are taken for an endless loop: SY_INTERNAL; 0 = 10^6 */
    const struct sy_allocator *allocator; /* for the C side; NULL = malloc */
};

/* SY_USAGE: a bad configuration. SY_STATE: another SystemC simulation lives.
 * SY_NOMEM. On success the caller owns *sim. */
enum sy_status sck_sim_create(const struct sck_config *config, struct sck_sim **sim);
/* Frees the simulation with all its events, methods and clocks, pending or not,
 * and drops an open trace (its file does not appear). NULL is fine. Must not be
 * called from a method of that simulation (it does nothing there). */
void sck_sim_destroy(struct sck_sim *sim);

/* ---- clocks ---- */

/* A clock domain of num/den Hz. Cycle n begins at tick ceil(n * period), exact
 * at every n (128-bit integers), so two domains never drift apart. A plain
 * value: copy it freely, no ownership. Read-only after init: thread safe. */
struct sck_clock {
    uint64_t num_hz, den; /* in lowest terms */
    uint64_t tick_fs;
    uint64_t whole_ticks; /* period = whole_ticks + part / parts ticks, at least one tick */
    uint64_t part, parts; /* part < parts, in lowest terms */
};

/* A clock without a simulation. SY_USAGE: num_hz or den is 0, or tick_fs is not
 * a power of ten up to 10^15. SY_INPUT: faster than one cycle a tick.
 * SY_OVERFLOW: one period is longer than the range of time. */
enum sy_status sck_clock_init(struct sck_clock *clock, uint64_t num_hz, uint64_t den, uint64_t tick_fs);
/* The same with the simulation's tick; *clock lives as long as the simulation.
 * name is only for the error text; SY_USAGE also for a NULL argument. */
enum sy_status sck_clock_domain(struct sck_sim *sim, const char *name, uint64_t num_hz, uint64_t den,
                                const struct sck_clock **clock);

/* The tick at which cycle begins. SY_OVERFLOW when it is not below SCK_NEVER. */
enum sy_status sck_edge(const struct sck_clock *clock, uint64_t cycle, uint64_t *tick);
/* The cycle that is running at tick: the last one whose edge is not after it. */
uint64_t sck_cycle(const struct sck_clock *clock, uint64_t tick);
/* The first edge at or after tick. cycle and edge_tick may each be NULL.
 * SY_OVERFLOW as sck_edge (*cycle is set all the same). */
enum sy_status sck_next_edge(const struct sck_clock *clock, uint64_t tick, uint64_t *cycle, uint64_t *edge_tick);

/* ---- events ---- */

/* Building only (else SY_STATE). name is copied; NULL is fine. Owned by sim. */
enum sy_status sck_event_create(struct sck_sim *sim, const char *name, struct sck_event **event);
/* SY_USAGE: tick is before sck_time. SY_OVERFLOW: tick is SCK_NEVER. SY_STATE:
 * the simulation has failed. SY_NOMEM (SystemC only). */
enum sy_status sck_event_notify_at(struct sck_event *event, uint64_t tick);
/* At the edge of a cycle: sck_edge and sck_event_notify_at. */
enum sy_status sck_event_notify_cycle(struct sck_event *event, const struct sck_clock *clock, uint64_t cycle);
enum sy_status sck_event_notify_delta(struct sck_event *event);
/* SY_OK also when nothing was pending. */
enum sy_status sck_event_cancel(struct sck_event *event);

/* ---- methods ---- */

/* Called by the kernel. Any status but SY_OK fails the simulation: sck_start
 * returns it, with the text given to sck_fail, or that of the kernel call in
 * this method that failed last, with this status, or else one that names the
 * method. */
typedef enum sy_status (*sck_method_fn)(void *arg);

#define SCK_RUN_AT_START 1u /* also called in the first round of the first start */

struct sck_method_spec {
    const char *name; /* copied; NULL is fine */
    sck_method_fn fn;
    void *arg;                       /* borrowed */
    uint32_t priority;               /* of the methods ready at once, lower ones are called first */
    unsigned flags;                  /* SCK_RUN_AT_START */
    struct sck_event *const *events; /* called when one of them comes true; borrowed for the call */
    size_t event_count;
};

/* Building only (else SY_STATE). method may be NULL. Owned by sim. SY_USAGE: no
 * fn, unknown flags, an event of another simulation, or no event and no
 * SCK_RUN_AT_START, so that it would never be called. */
enum sy_status sck_method_spawn(struct sck_sim *sim, const struct sck_method_spec *spec, struct sck_method **method);

/* ---- running ---- */

enum sck_reason {
    SCK_IDLE,   /* nothing is pending any more */
    SCK_LIMIT,  /* what is pending lies after the limit */
    SCK_PAUSED, /* sck_pause was called; the next start goes on */
    SCK_FAILED  /* a method or the kernel failed */
};

struct sck_outcome {
    enum sck_reason reason;
    uint64_t end_tick; /* SCK_LIMIT: the limit; otherwise that of the last event that came true */
    uint64_t rounds;   /* rounds and calls of methods in this start */
    uint64_t calls;
};

/* Runs everything up to and including tick limit (SCK_NEVER = no limit; then it
 * returns only when nothing is pending, paused or failed). outcome may be NULL.
 * SY_USAGE: the limit lies before sck_time. SY_STATE: called from a method, or
 * after a failure. Otherwise SY_OK, or the status of the failure. */
enum sy_status sck_start(struct sck_sim *sim, uint64_t limit, struct sck_outcome *outcome);
/* From a method: end sck_start after this round. SY_STATE when not running. */
enum sy_status sck_pause(struct sck_sim *sim);
/* From a method: fail with a text. Returns status, so that a method can
 * `return sck_fail(...)`; SY_OK is taken for SY_INTERNAL. The method's later
 * return value does not matter. */
enum sy_status sck_fail(struct sck_sim *sim, enum sy_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

uint64_t sck_time(const struct sck_sim *sim);
uint64_t sck_tick_fs(const struct sck_sim *sim);
/* Text of the last call on sim that did not return SY_OK, "" when there was
 * none. Lives until the next failing call or the end of sim. */
const char *sck_last_error(const struct sck_sim *sim);

/* ---- memory targets (TLM-2.0) ---- */

struct sck_target;

struct sck_target_spec { /* texts are borrowed for the call */
    const char *path;    /* of the shared object; one without a slash lies in the working directory */
    const char *argument;
    const char *name; /* what it stands for, for the target's own use, with its figures; 0 = not known */
    uint64_t read_bytes_per_s, write_bytes_per_s, latency_fs, burst_bytes;
    uint32_t longest_bytes; /* of a request, 1 .. 2^20 */
};

/* Building only. Loads the shared object (which then stays in the process), has it make its target, and binds an
 * initiator socket to it. SY_USAGE: the heap backend, or a bad spec. SY_IO: the file cannot be read. SY_INPUT: not a
 * shared object, no factory in it, of another ABI version, or the factory failed. Owned by sim. */
enum sy_status sck_target_open(struct sck_sim *sim, const struct sck_target_spec *spec, struct sck_target **target);

struct sck_request {
    uint64_t address;
    uint32_t bytes; /* 1 .. longest_bytes */
    uint32_t initiator;
    bool write;
};
/* From a method: one b_transport at the present tick. *done is the tick at which the target says it is complete.
 * SY_INPUT: the target threw, waited, or answered with an error; SY_OVERFLOW: complete beyond the range of time. */
enum sy_status sck_target_access(struct sck_target *target, const struct sck_request *request, uint64_t *done);

/* ---- trace (VCD) ---- */

/* One trace a simulation. Values are given by the model when they change, so an
 * untraced run costs nothing; of several values at one tick the last is kept.
 * Both backends write the same bytes. The file appears at path when
 * sck_trace_close succeeds. Building only; SY_STATE when one is open already,
 * SY_IO. path "-" is standard output. */
enum sy_status sck_trace_open(struct sck_sim *sim, const char *path, struct sy_diag *diag);
/* An unsigned variable of width 1 .. 64 bits; dots in the name are scopes.
 * Building only, after sck_trace_open. SY_USAGE: width, or a name that is empty,
 * has an empty part, or has white space. Owned by sim. Initially unknown (x). */
enum sy_status sck_trace_var(struct sck_sim *sim, const char *name, unsigned width, struct sck_trace_var **var);
/* The variable's value from now on. SY_USAGE when it does not fit its width. A
 * NULL var does nothing, so that model code need not ask whether it is traced. */
enum sy_status sck_trace_u64(struct sck_trace_var *var, uint64_t value);
/* Writes what is left, with the present time as the end. SY_IO covers every
 * write since open. SY_OK when no trace is open. */
enum sy_status sck_trace_close(struct sck_sim *sim, struct sy_diag *diag);

#ifdef __cplusplus
}
#endif
#endif
