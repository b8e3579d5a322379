/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front (sck.c) and the backends share. Private to sim/kernel.
 *
 * The front checks arguments and states, keeps the set of ready methods and
 * calls them in order; a backend keeps pending notifications and time. A
 * backend's run goes: what comes true -> sck_ready(method) for each method it
 * wakes -> one sck_dispatch a round. Invariants:
 *  - no method becomes ready while sck_dispatch runs;
 *  - sim->now is the present tick whenever a method is called and whenever run
 *    has returned;
 *  - ready methods outlive run only after a pause or a failure.
 */
#ifndef SCK_BACKEND_H
#define SCK_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "sim/base/arena.h"
#include "sim/base/status.h"
#include "sim/kernel/sck.h"

enum sck_state { SCK_BUILDING, SCK_STOPPED, SCK_RUNNING, SCK_BROKEN };

enum sck_pending { SCK_PENDING_NONE, SCK_PENDING_TIMED, SCK_PENDING_DELTA };

/* One method that an event wakes. */
struct sck_link {
    struct sck_method *method;
    struct sck_link *next;
};

struct sck_event {
    struct sck_sim *sim;
    struct sck_link *wakes;
    struct sck_event *next; /* of the simulation's events */
    void *native;           /* SystemC: its sc_event */
    /* heap backend */
    enum sck_pending pending;
    uint32_t position; /* in the heap or in the delta list, as pending says */
};

struct sck_method {
    struct sck_sim *sim;
    sck_method_fn fn;
    void *arg;
    uint32_t rank; /* place in the order of calls; set at the first start */
    uint32_t priority;
    uint32_t sequence; /* of spawning */
    unsigned flags;
    const char *name; /* or NULL */
    struct sck_method *next;
};

struct sck_ops {
    enum sy_status (*create)(struct sck_sim *sim);
    void (*destroy)(struct sck_sim *sim);
    enum sy_status (*event_create)(struct sck_event *event, const char *name);
    enum sy_status (*method_spawn)(struct sck_method *method, const struct sck_method_spec *spec);
    enum sy_status (*notify_at)(struct sck_event *event, uint64_t tick); /* tick is after sim->now */
    enum sy_status (*notify_delta)(struct sck_event *event);
    enum sy_status (*cancel)(struct sck_event *event);
    /* Until nothing is pending, the limit, or sim->stop. */
    enum sy_status (*run)(struct sck_sim *sim, uint64_t limit, enum sck_reason *reason);
    /* sim->stop has been set by the method that runs */
    void (*stopping)(struct sck_sim *sim);
    /* NULL: no targets */
    enum sy_status (*target_open)(struct sck_sim *sim, const struct sck_target_spec *spec, struct sck_target **target);
};

extern const struct sck_ops sck_systemc_ops;
extern const struct sck_ops sck_heap_ops;

#define SCK_ERROR_BYTES 256

struct sck_vcd;

struct sck_sim {
    const struct sck_ops *ops;
    void *backend;
    uint64_t now;
    bool stop; /* end the run after this round: paused or failed */
    enum sck_state state;

    uint64_t *ready;      /* one bit a method, by rank */
    uint32_t ready_count; /* bits set */
    uint32_t ready_first; /* no bit is set in words before it */
    struct sck_method **by_rank;

    uint64_t rounds, calls; /* of this start */
    uint64_t rounds_here;   /* at tick last_tick */
    uint64_t last_tick;
    enum sy_status failure; /* SY_OK until the simulation failed */
    enum sy_status noted;   /* status of the last failing call in the running method */
    char error[SCK_ERROR_BYTES];

    struct sck_config config;
    struct sy_arena *arena;
    struct sck_event *events;
    struct sck_method *methods;
    uint32_t event_count, method_count;
    struct sck_vcd *vcd;
    struct sck_target *targets; /* SystemC: foreign modules live beside the methods */
};

/* Note a method as ready for the coming round; twice is once. */
static inline void sck_ready(struct sck_method *method)
{
    struct sck_sim *sim = method->sim;
    uint32_t word = method->rank / 64;
    uint64_t bit = UINT64_C(1) << (method->rank % 64);
    if (sim->ready[word] & bit)
        return;
    sim->ready[word] |= bit;
    if (sim->ready_count++ == 0 || word < sim->ready_first)
        sim->ready_first = word;
}

/* Call what is ready, in order. Returns with nothing ready, or with the simulation failed and sim->stop set. */
void sck_dispatch(struct sck_sim *sim);
/* Keep the text for sck_last_error and return status. */
enum sy_status sck_error(struct sck_sim *sim, enum sy_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A power of ten up to 10^15. */
bool sck_tick_ok(uint64_t tick_fs);
/* sck_tlm.cpp: load, make and bind a target in the present context; delete all of them, before their context. */
enum sy_status sck_tlm_open(struct sck_sim *sim, const struct sck_target_spec *spec, struct sck_target **target);
void sck_tlm_close(struct sck_sim *sim);
/* Drop an open trace. */
void sck_vcd_abort(struct sck_sim *sim);

#ifdef __cplusplus
}
#endif
#endif
