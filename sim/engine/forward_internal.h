/* SPDX-License-Identifier: Apache-2.0 */
/* Private to forward.c and forward_layer.c. */
#ifndef SY_ENGINE_FORWARD_INTERNAL_H
#define SY_ENGINE_FORWARD_INTERNAL_H

#include "sim/engine/executor_internal.h"
#include "sim/engine/forward.h"
#include "sim/engine/schedule_internal.h"

/* An earlier turn of a loop. */
struct sy_forward_loop {
    uint64_t iteration, turned; /* of the loop so far; commands issued at its last turn */
    bool known, over;           /* there is a turn to compare with; nothing more to gain */
    uint64_t at, digest, fine, issued, macs_walked, owed[SY_MAX_UNITS];
    struct sy_state state;
    struct sy_tally counters;
};

/* What a layer did. */
struct sy_forward_layer {
    struct sy_forward_layer *next;
    uint64_t hash;
    struct sy_words key;              /* state in which it began, and the layer */
    struct sy_state after;            /* executor, then generator */
    uint64_t fine, issued, macs;      /* by how much */
    struct sy_words before, counters; /* of executor and generator, when it began and when it ended */
    uint32_t layers, delivered;       /* in flight during it, itself included; of them delivered */
    struct sy_words layer_counters;   /* a stretch each, then its MACs and, when delivered, its finish */
    uint64_t peak[SY_MAX_LEVELS];     /* bytes resident meanwhile */
    uint64_t owed[SY_MAX_UNITS];      /* left at its end; of units that did not work: how much more */
    uint8_t owed_cause[SY_MAX_UNITS]; /* of the wait charged first; SY_STALL_COUNT: none */
    struct sy_layer_plan plan;
};

enum { SY_FORWARD_SLOTS = 256, SY_FORWARD_WORDS = 1 << 22 };

struct sy_forward {
    struct sy_executor *exec;
    struct sy_scheduler *s;
    enum sy_status failure;
    int64_t credit; /* commands walked and left out, less what looking has cost */
    uint64_t seen;  /* commands issued when it was counted last */
    struct sy_forward_loop loop[SY_MAX_LOOPS];
    struct sy_forward_loop group; /* of attention: groups of heads */
    uint64_t group_saved, group_exchanged, group_layer_macs;
    struct sy_state now; /* room to compare in */
    struct sy_tally counters;

    /* layers */
    struct sy_forward_layer *slot[SY_FORWARD_SLOTS];
    uint64_t words; /* kept in all */
    bool moved;     /* the state was set: units have not been woken */
    struct sy_forward_layer *recording;
    struct sy_exec_record record;
    struct sy_names names; /* of the layer recorded */
    struct sy_tally began;
    uint64_t began_fine, began_issued, began_macs, began_first, began_index, began_owed[SY_MAX_UNITS];
    uint64_t began_layer_macs[SY_EXEC_RECORD];
};

void sy_forward_tally(struct sy_forward *f, struct sy_tally *tally);
void sy_forward_forget_layers(struct sy_forward *f);

#endif
