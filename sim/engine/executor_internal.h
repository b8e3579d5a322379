/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sim/engine: the executor's state, shared by its files (executor.c, exec_array.c, exec_dma.c,
 * exec_memory.c, exec_account.c). See executor.h for the invariants. */
#ifndef SY_ENGINE_EXECUTOR_INTERNAL_H
#define SY_ENGINE_EXECUTOR_INTERNAL_H

#include "sim/base/checked.h"
#include "sim/engine/array_tile.h"
#include "sim/engine/executor.h"
#include "sim/engine/state.h"
#include "sim/engine/tlb.h"

enum {
    SY_EXEC_RING = 4096,     /* commands whose times are kept; older ones lie in the past */
    SY_EXEC_QUEUE = 64,      /* upper bound of a unit's queue; the chip's queue_depth may be smaller */
    SY_EXEC_LAYERS = 1024,   /* layers in flight */
    SY_EXEC_SEGMENTS = 1024, /* array timeline not yet attributed to a layer */
    SY_EXEC_PHASES = 64,     /* phases known to one memory server */
    SY_RUN_CACHE = 256,
    SY_EXEC_FINE = 16,   /* memory acts at sixteenths of a core cycle: see exec_memory.c */
    SY_EXEC_HELD = 65536 /* parts of a fine step in which time lost on the crossbar is kept */
};
#define SY_UNKNOWN UINT64_MAX

enum sy_unit_kind { SY_UNIT_ARRAY, SY_UNIT_VECTOR, SY_UNIT_LOAD, SY_UNIT_STORE };

/* Times of a command, in core cycles; SY_UNKNOWN until the start is decided. */
struct sy_exec_slot {
    uint64_t time[3];    /* by enum sy_point */
    uint64_t waiters[3]; /* bit u: unit u waits for this point to become known */
    uint64_t held;       /* of a move: cycles it lost on the crossbar */
    uint64_t layer;
    bool sequencer_waits;
};

struct sy_exec_entry {
    struct sy_issue issue;
    uint64_t id;
    uint64_t issue_cycle;
    uint8_t issue_cause; /* what kept the sequencer from issuing it earlier */
};

struct sy_executor;

struct sy_exec_unit {
    struct sy_executor *exec;
    uint32_t index;
    enum sy_unit_kind kind;
    char name[64];
    uint8_t parent, child, engine; /* DMA units */
    struct sck_event *event;
    struct sck_trace_var *wave;
    struct sy_exec_entry queue[SY_EXEC_QUEUE];
    uint32_t head, count;
    bool decided; /* the head's start is known and lies in decided_start */
    uint64_t decided_start;
    uint64_t free_cycle;               /* array: earliest next first beat; vector: idle from here */
    uint64_t accounted;                /* the timeline is tiled up to here */
    uint64_t owed;                     /* waited before that, to be charged with the next wait */
    uint8_t owed_cause;                /* of the first wait since sy_exec_settle; SY_STALL_COUNT: none yet */
    uint64_t last_done;                /* latest completion of a command of this unit */
    uint32_t in_flight;                /* DMA: commands started and not complete */
    uint64_t next_take;                /* DMA: earliest cycle to take up the next descriptor */
    uint64_t pushed;                   /* commands ever queued ... */
    uint64_t pop_cycle[SY_EXEC_QUEUE]; /* ... and when they left the queue, by their number */
    struct sy_tlb *tlb;                /* DMA; NULL = addresses are not translated */
    struct sy_unit_stats stats;
    /* array only: the run before, for the overlap policy */
    uint64_t hidden_lead;
    struct sy_array_run previous;
};

/* What a phase would get without the crossbar, and gets; bytes/s. */
struct sy_exec_pace {
    uint64_t demand, rate;
};

/* A DMA command in a memory server: waits out its latency, then moves bytes at the rate the server gives. */
struct sy_exec_phase {
    struct sy_exec_unit *unit;
    uint64_t id, layer;
    uint64_t start_cycle; /* when the engine took it up */
    uint8_t cause;
    uint64_t ready_tick; /* of the kernel: first byte may move */
    uint64_t bytes, bus_bytes;
    uint64_t all_bytes, all_bus_bytes;                       /* of all cores */
    uint64_t cores;                                          /* that do the same now and share what is common */
    uint64_t walk_cycles, walk_bytes;                        /* of its misses in the translation buffer */
    uint64_t address, rows, row_bytes, pitch_bytes, scatter; /* where they lie */
    uint8_t operand;
    uint8_t place; /* --memory burst, tlm: of its source in the memory */
    bool write;    /* direction as the server sees it */
    bool active;
    bool crosses;                     /* the crossbar; what follows is 0 when it does not: */
    bool cast;                        /* what enters it once is delivered to all cores of the phase */
    uint64_t copied_bytes;            /* of a cast: delivered beyond what is read */
    uint64_t crossed_in, crossed_out; /* bytes that enter and leave it, of all cores */
    uint64_t demand, fill, limit;     /* bytes/s: without it; by fair shares; what it lets through */
    uint64_t held;                    /* fine steps lost on it / SY_EXEC_HELD */
    uint64_t engine_free;             /* fine step from which the engine had nothing else to move */
    uint64_t since;                   /* fine step from which it has moved at this demand and rate */
    struct sy_exec_pace was;          /* while rates are set: those before */
    uint64_t pass_tick;               /* without rates: its last byte is through; 0 = not known yet */
    uint64_t cap;                     /* most bytes/s this phase can take */
    uint64_t rate;                    /* bytes/s granted now */
    sy_u128 remaining;                /* in bytes x fine steps a second */
};

struct sy_memory_device;
struct sy_memory_bursts;
struct sy_memory_target;
struct sy_dram_device;
struct sy_dram_part;

struct sy_exec_memory {
    struct sy_executor *exec;
    uint8_t level;
    struct sck_event *event;
    uint32_t phases;
    struct sy_exec_phase phase[SY_EXEC_PHASES]; /* in order of arrival */
    bool rated;                                 /* the rates are those of the set that moves */
    uint64_t updated_tick;
    uint64_t busy_fine;             /* fine steps with a phase moving */
    uint64_t read_rate, write_rate; /* bytes/s after refresh; equal pool when shared_bus */
    bool shared_bus;
    bool common; /* one for all cores: the rates are those of all together */
    uint64_t burst_bytes;
    uint64_t own_latency;                         /* ticks of an idle read in the device; 0 = no device */
    uint64_t read_bytes, write_bytes, busy_ticks; /* bytes: of all cores */
    uint64_t walk_bytes;                          /* of the read ones: page tables */
    uint64_t own_bytes;                           /* those of the one that is simulated */
    struct sy_arena *arena;                       /* of the device file */
    const struct sy_dram_device *dram;            /* NULL = none */
    struct sy_memory_device *device;              /* rates by the DRAM model; NULL = equal shares */
    struct sy_memory_bursts *bursts;              /* every burst in the DRAM model; NULL = rates */
    struct sy_memory_target *target;              /* every request in a target of the user's */
};

/* exec_crossbar.c */
struct sy_exec_crossbar {
    bool on;
    uint64_t port, pool;    /* bytes/s of one core's port and of all; UINT64_MAX = unlimited */
    uint64_t latency;       /* ticks */
    uint64_t in[2], out[2]; /* bytes that entered and left, [1]: from the cores */
    uint64_t copied;        /* to the cores */
    uint64_t port_free[2];  /* ticks; burst and target memories */
};

struct sy_exec_segment {
    uint64_t start, end;
    int8_t cause; /* -1 = busy */
};

struct sy_exec_layer {
    uint64_t pending; /* issued and not done */
    uint64_t finish;
    bool sealed; /* no more commands will come */
    struct sy_layer_counters counters;
};

struct sy_run_cache_entry {
    uint64_t m, k, n;
    struct sy_row_window window;
    uint8_t dataflow, a, b, accumulate;
    bool valid;
    struct sy_array_tile tile;
};

/* Layers delivered while a stretch of the run is recorded, as counted for one core. */
enum { SY_EXEC_RECORD = 64 };
struct sy_exec_record {
    uint32_t delivered; /* SY_EXEC_RECORD: perhaps more */
    struct sy_layer_counters counters[SY_EXEC_RECORD];
};

struct sy_executor {
    const struct sy_chip *chip;
    struct sy_executor_options options;
    struct sy_command_source source;
    struct sy_diag *diag;
    struct sck_sim *sim;
    const struct sck_clock *clock, *fine_clock; /* of core cycles, and of fine steps */
    uint64_t offset;              /* fine steps the run is ahead of the kernel: what was fast-forwarded over */
    uint64_t seen_tick, seen_now; /* sy_exec_now as it was computed last */
    uint64_t core_hz_num, core_hz_den;
    enum sy_status failure;

    uint32_t units;
    struct sy_exec_unit unit[SY_MAX_UNITS];
    uint8_t dma_unit[2][SY_MAX_LEVELS][SY_MAX_LEVELS]
                    [SY_OPERANDS]; /* [store][parent][child][operand] -> unit, 0xff none */
    uint32_t memories;
    struct sy_exec_memory memory[SY_MAX_LEVELS];
    uint8_t memory_of[SY_MAX_LEVELS];
    struct sy_exec_crossbar crossbar;

    struct sy_exec_slot slot[SY_EXEC_RING];
    bool traced;                   /* a memory writes options.requests */
    bool targeted;                 /* a memory is options.target */
    uint64_t issued;               /* commands issued so far = id of the next */
    uint64_t floor, oldest;        /* ids below are past; all below were done when last looked at */
    uint64_t end_seen;             /* latest end among what is no longer kept */
    struct sy_exec_record *record; /* NULL: not recording */

    /* sequencer */
    struct sck_event *seq_event;
    struct sy_issue next;
    bool has_next, ended;
    uint32_t blocked_unit; /* unit whose queue is full, or UINT32_MAX */
    uint64_t hold_until;   /* launch or layer overhead */
    uint8_t hold_cause;
    uint64_t seen_layer;

    /* accounting */
    struct sy_exec_segment segment[SY_EXEC_SEGMENTS];
    uint32_t segment_head, segments;
    uint64_t window_start; /* finish of the last delivered layer */
    uint64_t first_layer, last_layer;
    struct sy_exec_layer layer[SY_EXEC_LAYERS];
    struct sy_array_work work;
    struct sy_vector_work vector_work;
    uint64_t level_read[SY_MAX_LEVELS], level_write[SY_MAX_LEVELS];
    uint64_t link_fill[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS]
                      [2]; /* [parent][child][operand][read parent, fill child] */
    uint64_t link_drain[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS][2];
    uint64_t link_copied[SY_MAX_LEVELS][SY_MAX_LEVELS][SY_OPERANDS]; /* of fills: delivered to more than one core */
    uint64_t level_rate[SY_MAX_LEVELS][2];                           /* bytes/s read, write; 0 = unlimited */
    struct sy_run_cache_entry cache[SY_RUN_CACHE];
};

/* executor.c */
/* Time of the run in core cycles: the edge at or after the kernel's present tick. */
uint64_t sy_exec_now(struct sy_executor *exec);
/* The same in fine steps, of any tick of the kernel. */
uint64_t sy_exec_fine(const struct sy_executor *exec, uint64_t tick);
/* The kernel's tick at which a fine step begins. */
enum sy_status sy_exec_tick(const struct sy_executor *exec, uint64_t fine, uint64_t *tick);
struct sy_exec_slot *sy_exec_slot_of(struct sy_executor *exec, uint64_t id);
/* Set a command's times and wake what waits for them. */
enum sy_status sy_exec_set_times(struct sy_executor *exec, uint64_t id, uint64_t first, uint64_t streamed,
                                 uint64_t done);
/* The head's latest dependency. known = false: registered as a waiter. skip_mask: stall causes left out. */
struct sy_exec_ready {
    bool known;
    uint64_t cycle;
    uint8_t cause;
    uint64_t held; /* of the move that came last: cycles lost on the crossbar */
};
struct sy_exec_ready sy_exec_head_ready(struct sy_exec_unit *unit, uint32_t only_causes);
struct sy_exec_entry *sy_exec_head(struct sy_exec_unit *unit);
void sy_exec_pop(struct sy_exec_unit *unit);
enum sy_status sy_exec_notify(struct sy_executor *exec, struct sck_event *event, uint64_t cycle);
/* Tile the unit's timeline: a wait [accounted, start) for cause, then busy [start, end). */
void sy_exec_wait(struct sy_exec_unit *unit, uint64_t until, uint8_t cause);
void sy_exec_busy(struct sy_exec_unit *unit, uint64_t until);
/* The array's wait for a move that lost so many cycles on the crossbar: as much of its end is charged to that. */
void sy_exec_wait_held(struct sy_exec_unit *array, uint64_t until, uint8_t cause, uint64_t held);

/* exec_array.c, exec_dma.c */
enum sy_status sy_exec_array_method(void *unit);
enum sy_status sy_exec_vector_method(void *unit);
enum sy_status sy_exec_dma_method(void *unit);
/* exec_tlb.c: of a phase whose addresses, bus bytes and cap are set; *lead_cycles pass before its first request */
enum sy_status sy_exec_tlb_open(struct sy_executor *exec);
void sy_exec_tlb_close(struct sy_executor *exec);
enum sy_status sy_exec_tlb_translate(struct sy_exec_phase *phase, uint64_t *lead_cycles);
/* exec_crossbar.c */
void sy_exec_crossbar_init(struct sy_executor *exec);
/* A phase's bytes enter, and have left. */
void sy_exec_crossbar_enter(struct sy_executor *exec, const struct sy_exec_phase *phase);
void sy_exec_crossbar_leave(struct sy_executor *exec, const struct sy_exec_phase *phase);
/* The demands of the memory's phases are known: set their limits. *limited: some get less than their demand. */
enum sy_status sy_exec_crossbar_limit(struct sy_exec_memory *memory, bool *limited);
/* It begins to move; the memory's phases have their rates; what the crossbar cost it until it was done, in cycles. */
void sy_exec_crossbar_begun(const struct sy_executor *exec, struct sy_exec_phase *phase);
void sy_exec_crossbar_rated(struct sy_exec_memory *memory);
uint64_t sy_exec_crossbar_held(struct sy_exec_phase *phase, uint64_t now_fine);
/* Without rates: the memory was done with it at the tick; returns when its last byte has passed. Once a phase. */
uint64_t sy_exec_crossbar_pass(struct sy_exec_memory *memory, struct sy_exec_phase *phase, uint64_t tick);
/* exec_memory.c */
enum sy_status sy_exec_memory_init(struct sy_executor *exec);
enum sy_status sy_exec_memory_method(void *memory);
/* As many of this phase draw on the memory at once: one a core that takes part, where the cores share it. */
uint64_t sy_exec_memory_copies(const struct sy_exec_memory *memory, const struct sy_exec_phase *phase);
/* A count of what the simulated core did, for all cores: in proportion to their bytes. */
uint64_t sy_exec_memory_for_all(const struct sy_exec_memory *memory, uint64_t count);
enum sy_status sy_exec_memory_add(struct sy_exec_memory *memory, const struct sy_exec_phase *phase);
/* The phase has moved its bytes: it leaves the server, its engine and whoever depends on it learn of it. */
enum sy_status sy_exec_memory_complete(struct sy_exec_memory *memory, uint32_t index, uint64_t now_tick);
/* Ticks from a read's first request to its first byte when nothing else goes on. */
uint64_t sy_exec_read_latency(const struct sy_exec_memory *memory);
/* Most bytes/s the phase can take: its engine, and what the crossbar lets through. */
static inline uint64_t sy_exec_phase_cap(const struct sy_exec_phase *phase)
{
    return phase->limit < phase->cap ? phase->limit : phase->cap;
}
/* exec_device.c: rates of a set of phases by the DRAM model */
enum sy_status sy_exec_device_open(struct sy_executor *exec, struct sy_exec_memory *memory);
void sy_exec_device_close(struct sy_exec_memory *memory);
enum sy_status sy_exec_device_rate(struct sy_exec_memory *memory);
/* A phase begins to move: counts the rows it opens. */
void sy_exec_device_begin(struct sy_exec_memory *memory, const struct sy_exec_phase *phase);
/* The set moved bytes on the bus since it was rated (x fine steps a second), in so many fine steps. */
void sy_exec_device_moved(struct sy_exec_memory *memory, sy_u128 bytes, uint64_t elapsed);
/* A span without traffic, in fine steps. */
void sy_exec_device_waited(struct sy_exec_memory *memory, uint64_t elapsed);
/* end: of the run, in core cycles. */
void sy_exec_device_copy(struct sy_exec_memory *memory, uint64_t end, struct sy_dram_stats *stats,
                         struct sy_arena *arena);
/* What the device is, for reports. */
void sy_exec_device_describe(const struct sy_exec_memory *memory, struct sy_dram_stats *stats, struct sy_arena *arena);
/* exec_burst.c: every burst of every phase in the DRAM model */
enum sy_status sy_exec_bursts_open(struct sy_exec_memory *memory, const struct sy_dram_part *part);
void sy_exec_bursts_close(struct sy_exec_memory *memory);
enum sy_status sy_exec_bursts_add(struct sy_exec_memory *memory, struct sy_exec_phase *phase);
enum sy_status sy_exec_bursts_method(void *memory);
void sy_exec_bursts_copy(const struct sy_exec_memory *memory, uint64_t end_tick, struct sy_dram_stats *stats,
                         struct sy_arena *arena);
/* exec_target.c: every request of every phase in a TLM-2.0 target; does nothing for other modes and levels */
enum sy_status sy_exec_target_open(struct sy_executor *exec, struct sy_exec_memory *memory);
void sy_exec_target_close(struct sy_exec_memory *memory);
enum sy_status sy_exec_target_add(struct sy_exec_memory *memory, struct sy_exec_phase *phase);
enum sy_status sy_exec_target_method(void *memory);
uint64_t sy_exec_device_rotation(const struct sy_exec_memory *memory);
void sy_exec_device_visit(struct sy_exec_memory *memory, struct sy_state *state, uint64_t layer);
void sy_exec_device_tally(struct sy_exec_memory *memory, struct sy_tally *tally);
/* exec_state.c: see there. Everything below is for the moment a source is asked for a command. */
bool sy_exec_can_forward(const struct sy_executor *exec);
uint64_t sy_exec_issued(const struct sy_executor *exec);
uint64_t sy_exec_fine_now(const struct sy_executor *exec);
/* Before any of the following: bring all units and servers up to now. */
void sy_exec_settle(struct sy_executor *exec);
uint64_t sy_exec_oldest(const struct sy_executor *exec);
/* layer: the index that layers are counted from. */
void sy_exec_save(struct sy_executor *exec, uint64_t layer, struct sy_state *state);
/* Go to a saved state at fine step `fine`, with `issued` commands so far. Counters first (their ring positions count).
 * False when the words do not fit. */
bool sy_exec_load(struct sy_executor *exec, uint64_t fine, uint64_t issued, uint64_t layer, struct sy_state *state);
/* After a load of another state: every unit looks around anew. */
enum sy_status sy_exec_wake_all(struct sy_executor *exec);
void sy_exec_tally(struct sy_executor *exec, struct sy_tally *tally);
void sy_exec_tally_layer(const struct sy_executor *exec, struct sy_layer_counters *counters, struct sy_tally *tally);
/* exec_memory.c */
void sy_exec_memory_settle(struct sy_exec_memory *memory);
/* Addresses matter modulo this. */
uint64_t sy_exec_address_modulus(const struct sy_executor *exec, uint32_t level);
/* exec_account.c */
void sy_exec_segments_settle(struct sy_executor *exec);
enum sy_status sy_exec_layer_deliver(struct sy_executor *exec, uint64_t finish);
struct sy_exec_layer *sy_exec_layer_of(struct sy_executor *exec, uint64_t layer);
enum sy_status sy_exec_segment_add(struct sy_executor *exec, uint64_t until, int cause);
enum sy_status sy_exec_layers_deliver(struct sy_executor *exec);
enum sy_status sy_exec_finish(struct sy_executor *exec, struct sy_result *result, uint64_t *end_cycle);

#endif
