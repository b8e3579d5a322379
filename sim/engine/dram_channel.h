/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One DRAM channel, command by command, with time that jumps from event to
 * event. Internal to the memory model: users see dram_system.h and
 * dram_phase.h.
 *
 * Time is a clock of the command bus, kept as int32 relative to `base` and
 * moved back to small numbers now and then (rebase), so that a time and a bank
 * number fit one int32 key and one minimum over all banks finds the next
 * command.
 *
 * A tick does, in this order: refresh, one command (two where rows and columns
 * have a bus each), and in the per-bank style one transfer from the front
 * queues to a bank queue. Requests are offered before the tick they arrive in.
 *
 * Invariants between ticks:
 *  - open bit b <=> open_row[b] is the row in the sense amplifiers of bank b;
 *  - candidate lanes hold the earliest clock at which the bank itself allows
 *    the command some queued request needs, or SY_NEVER; shared lanes
 *    (s_read ...) hold what other banks impose. A command may issue when both
 *    are reached;
 *  - what other banks impose is the same for all banks of a group. Candidate
 *    lanes therefore run over the groups first (plan->lane_of), the shared ones
 *    have a place a group, and max(bank, shared) is taken once a group, after
 *    the minimum over its banks;
 *  - reads accepted = reads returned or scheduled + waiting_reads.
 */
#ifndef SY_ENGINE_DRAM_CHANNEL_H
#define SY_ENGINE_DRAM_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/dram_device.h"
#include "sim/engine/dram_latency.h"

enum {
    SY_LANES_MAX = SY_DRAM_MAX_BANKS,
    SY_NEVER = 1 << 24, /* later than any clock; SY_NEVER << 6 still fits int32 */
    SY_REBASE_AT = 1 << 23,
    SY_NIL = 255,                          /* end of a list of queue entries */
    SY_AGE_NONE = INT32_MAX,               /* no entry behind a lane of ages */
    SY_SENIOR = (1 << 30) - 1,             /* seniority = this - (age << 6 | bank): the oldest has most; 0 = no entry */
    SY_DRAM_MAX_GROUPS = SY_DRAM_MAX_BANKS /* bank groups of a channel */
};

/* What a run may stop for. */
enum { SY_STOP_READ = 1, SY_STOP_WRITE = 2, SY_STOP_DRAINED = 4 };

struct sy_lanes {
    int32_t v[SY_LANES_MAX];
} __attribute__((aligned(64)));

/* Candidate lanes in use, and the lanes after which the groups repeat: code is made for these pairs. */
enum sy_dram_shape { SY_LANES_16_8, SY_LANES_32_8, SY_LANES_32_16, SY_LANES_64_16, SY_LANES_64_64, SY_DRAM_SHAPES };

/* Everything that does not change while a channel runs: command distances in clocks, derived from device and
 * controller. Shared by all channels of a memory. */
struct sy_dram_plan {
    /* added to the clock of a command: earliest next one of a kind in each group; 0 = no constraint */
    struct sy_lanes read_read[SY_DRAM_MAX_GROUPS], read_write[SY_DRAM_MAX_GROUPS];
    struct sy_lanes write_read[SY_DRAM_MAX_GROUPS], write_write[SY_DRAM_MAX_GROUPS];
    struct sy_lanes act_act[SY_DRAM_MAX_GROUPS];
    struct sy_lanes domain_mask[SY_DRAM_MAX_DOMAINS]; /* -1 in the groups of the domain */
    uint8_t group_of[SY_LANES_MAX], domain_of[SY_LANES_MAX];
    uint8_t lane_of[SY_LANES_MAX];    /* bank to candidate lane */
    struct sy_lanes bank_of;          /* and back */
    uint64_t node_mask[SY_LANES_MAX]; /* banks one refresh command covers */
    enum sy_dram_shape shape;
    uint32_t banks, domains, nodes;
    int32_t act_read, act_write, act_pre, act_act_same; /* tRCD, tRAS, tRC, corrected for multi-clock commands */
    int32_t pre_act, read_pre, write_pre, read_auto_act, write_auto_act, pre_pre;
    int32_t faw, aw32, refresh_act, refresh_interval, refresh_other;
    int32_t pre_refresh, act_refresh;              /* all-bank refresh after the last precharge, activate */
    int32_t read_return;                           /* column command to data at the requester */
    int32_t act_clocks, pre_clocks, column_clocks; /* command bus occupancy */
    bool two_buses;
    int32_t edge;           /* 1: column and activate on odd clocks only */
    int32_t split_activate; /* 0, or clocks within which the second half must follow */
    bool data_clock_sync;
    int32_t data_clock_read, data_clock_write; /* data clock runs this long after a column command */
    /* controller */
    enum sy_dram_arbitration arbitration;
    enum sy_dram_scheduler scheduler;
    uint32_t queue_size[2]; /* [0] read, [1] write */
    uint32_t bank_queue, row_hit_cap;
    uint32_t drain_start, drain_stop, drain_idle;
    enum sy_dram_page_policy page;
    uint32_t page_cap;
    int32_t page_timeout;
    bool refresh_per_bank, refresh_staggered, refresh_blocks_channel, refresh_on;
    bool node_order_group_first;
    int32_t first_clock;
};

struct sy_dram_counts {
    uint64_t reads, writes, activates, precharges, refreshes;
    uint64_t row_hits, row_misses, row_conflicts;
    uint64_t refresh_precharges; /* of the precharges: rows a refresh closed */
    uint64_t reopened;           /* of the activates: the row that a refresh had closed */
    uint64_t active_clocks;      /* with at least one row open */
};

/* Entries of a read or write queue. Lists are chains through next[]. */
struct sy_dram_queue {
    uint32_t row[SY_DRAM_MAX_QUEUE];
    int32_t accepted[SY_DRAM_MAX_QUEUE]; /* clock, for latency and (by age) for ties */
    int32_t age[SY_DRAM_MAX_QUEUE];      /* order of acceptance */
    uint8_t next[SY_DRAM_MAX_QUEUE], bank[SY_DRAM_MAX_QUEUE];
    uint16_t source[SY_DRAM_MAX_QUEUE];
    bool counted[SY_DRAM_MAX_QUEUE]; /* already counted as hit, miss or conflict */
    uint32_t used;
    uint8_t free;
};

struct sy_dram_waiting {
    uint32_t row;
    int32_t accepted;
    uint16_t source;
};

/* Per-bank style: two front queues in order of age, then a short queue a bank. An entry of a front queue is on the list
 * of all (next, before) and on the list of its bank (bank_next). */
struct sy_dram_per_bank {
    struct sy_lanes front_age[2]; /* age << 6 | bank of the bank's oldest front entry; none when its queue is full */
    uint8_t head[2], tail[2];
    uint8_t before[2][SY_DRAM_MAX_QUEUE], bank_next[2][SY_DRAM_MAX_QUEUE];
    uint8_t bank_head[2][SY_LANES_MAX], bank_tail[2][SY_LANES_MAX];
    uint64_t present[2];                                                /* banks with an entry in the front queue */
    struct sy_dram_waiting entry[SY_LANES_MAX][SY_DRAM_MAX_BANK_QUEUE]; /* a ring: entry 0 is at `first` */
    uint8_t first[SY_LANES_MAX];
    uint32_t hit[SY_LANES_MAX], write[SY_LANES_MAX]; /* bit k: entry k hits the open row, is a write */
    uint8_t length[SY_LANES_MAX];
    uint64_t full;     /* banks whose queue has no room */
    uint32_t waiting;  /* entries in all bank queues */
    uint32_t drain;    /* writes still to be moved in this drain */
    int32_t last_bank; /* round robin pointer */
    int32_t bound;     /* no command can issue before; what lowers a candidate lowers it */
};

struct sy_dram_active {
    int32_t ready, accepted;
    int32_t soonest; /* no request activated after it is ready before, whatever its kind */
    uint16_t source;
    uint8_t bank;
    bool write;
};

/* By-age style: per buffer and bank the requests that hit the open row and those that miss, oldest first. */
struct sy_dram_by_age {
    uint8_t hit_head[2][SY_LANES_MAX], hit_tail[2][SY_LANES_MAX];
    uint8_t miss_head[2][SY_LANES_MAX], miss_tail[2][SY_LANES_MAX];
    struct sy_lanes hit_age[2], row_age[2];     /* seniority of the candidate behind each lane */
    struct sy_dram_active active[SY_LANES_MAX]; /* activated on behalf of one request each, in that order */
    uint32_t actives, active_writes;
    uint64_t active_banks;
    bool write_mode;
    /* no column, no row command of a buffer, no column command of an activated request can issue before; what lowers a
     * candidate lowers these, so most ticks need not look */
    int32_t column_bound[2], row_bound[2], active_bound;
    int32_t activating_bank, activate_deadline; /* split activate: first half issued; -1 = none */
    int32_t data_clock_until;
};

struct sy_dram_channel {
    /* candidate clocks; by age uses [buffer], per bank uses [0] reads, [1] writes for columns and [0] for rows */
    struct sy_lanes column[2], activate[2], precharge[2];
    struct sy_lanes s_read, s_write, s_act, s_pre;
    int32_t bank_read[SY_LANES_MAX], bank_write[SY_LANES_MAX], bank_pre[SY_LANES_MAX], bank_act[SY_LANES_MAX];
    uint32_t open_row[SY_LANES_MAX];
    uint32_t hits[SY_LANES_MAX]; /* column commands since activation */
    uint64_t open;
    int32_t next_age; /* order of acceptance of the next request */
    const struct sy_dram_plan *plan;
    const struct sy_dram_kernel *kernel;
    int64_t base;
    int32_t now;
    int32_t next_event; /* hint: nothing happens before; valid after a run that reached its limit */
    int32_t row_bus_free, column_bus_free;
    int32_t faw[SY_DRAM_MAX_DOMAINS][4], aw32[SY_DRAM_MAX_DOMAINS][32];
    uint8_t faw_at[SY_DRAM_MAX_DOMAINS], aw32_at[SY_DRAM_MAX_DOMAINS];
    /* refresh */
    int32_t next_refresh;
    uint32_t pending_refreshes, refresh_node, due_node; /* nodes [refresh_node, +pending) wait */
    uint64_t blocked;                                   /* banks that take no new command because a refresh waits */
    int32_t closed_at[SY_DRAM_MAX_DOMAINS];             /* earliest refresh after the last precharge */
    int32_t refreshed_at;                               /* clock of the last refresh command */
    uint64_t refresh_closed; /* banks whose row a refresh closed and that were not opened since */
    int32_t opened_at;       /* clock at which the first row opened */
    int32_t idle_since[SY_LANES_MAX];
    uint32_t waiting_reads; /* accepted, column command not yet issued */
    int32_t last_return;    /* clock at which the latest read data arrive */
    struct sy_dram_counts counts;
    struct sy_latency *latency;      /* reads; may be NULL */
    struct sy_dram_returns *returns; /* who wants to know of returned reads; may be NULL */
    struct sy_dram_log *log;         /* may be NULL */
    struct sy_dram_queue queue[2];   /* [0] reads, [1] writes */
    union {
        struct sy_dram_per_bank per_bank;
        struct sy_dram_by_age by_age;
    };
};

/* Told of every read when its column command issues, with the clock at which its data are back. */
struct sy_dram_returns {
    void (*on_read)(void *context, uint16_t source, int64_t clock);
    void *context;
};

/* Everything that goes over the command bus, for checkers and traces. A read or write with auto-precharge is followed
 * by its AUTO_PRECHARGE at the same clock; a refresh names its first bank; a split activate is logged at its first
 * half. */
enum sy_dram_command {
    SY_DRAM_ACTIVATE,
    SY_DRAM_PRECHARGE,
    SY_DRAM_READ,
    SY_DRAM_WRITE,
    SY_DRAM_AUTO_PRECHARGE,
    SY_DRAM_REFRESH
};
struct sy_dram_log {
    void (*command)(void *context, int64_t clock, enum sy_dram_command command, uint32_t bank, uint32_t row);
    void *context;
};

struct sy_dram_request {
    uint32_t row;
    uint16_t source; /* comes back with on_read */
    uint8_t bank;
    bool write;
};

/* Code for one vector width. run: advance until `limit` (relative clock), or until the tick in which something of
 * `stop` happened; returns that tick, or -1 at the limit. push: accept a request at clock `at` (>= now). */
struct sy_dram_kernel {
    const char *name;
    int32_t (*run[2][SY_DRAM_SHAPES])(struct sy_dram_channel *channel, int32_t limit, unsigned stop); /* [style] */
    void (*offer)(struct sy_dram_channel *channel, bool write, uint32_t bank); /* by age: a request joined the bank */
};
extern const struct sy_dram_kernel sy_dram_kernel_4, sy_dram_kernel_8;
/* The widest this machine runs; force 4 asks for the portable one. (16 lanes of AVX-512 were tried: not faster.) */
const struct sy_dram_kernel *sy_dram_kernel_select(unsigned force);

/* Derive the plan. device and controller must have been validated by the loader. */
void sy_dram_plan_make(struct sy_dram_plan *plan, const struct sy_dram_device *device,
                       const struct sy_dram_controller *controller);

/* Keep column commands of the whole channel at least `clocks` apart. */
void sy_dram_plan_space_columns(struct sy_dram_plan *plan, uint64_t clocks);

void sy_dram_channel_reset(struct sy_dram_channel *channel, const struct sy_dram_plan *plan,
                           const struct sy_dram_kernel *kernel);
static inline bool sy_dram_channel_has_room(const struct sy_dram_channel *channel, bool write)
{
    return channel->queue[write].used < channel->plan->queue_size[write];
}
/* Accept a request; the caller checked for room and has run the channel up to `at`. */
void sy_dram_channel_push(struct sy_dram_channel *channel, const struct sy_dram_request *request, int64_t at);
/* Advance to an absolute clock (INT64_MAX: no limit), or to the tick in which one of `stop` happened: a place in the
 * read or write queue fell free, all reads are scheduled. Returns that absolute tick, or -1 at the limit. */
int64_t sy_dram_channel_run(struct sy_dram_channel *channel, int64_t limit, unsigned stop);
static inline int64_t sy_dram_channel_now(const struct sy_dram_channel *channel)
{
    return channel->base + channel->now;
}
/* Refresh control for the estimator: no refresh until switched on; a refresh right now. */
/* For the kernels: a refresh interval has passed, returns the banks that must now be refreshed; the refresh command of
 * the first waiting node issued at t, returns its banks. */
uint64_t sy_dram_channel_refresh_due(struct sy_dram_channel *channel);
uint64_t sy_dram_channel_refreshed(struct sy_dram_channel *channel, int32_t t);
void sy_dram_channel_refresh_off(struct sy_dram_channel *channel);
void sy_dram_channel_refresh_at(struct sy_dram_channel *channel, int64_t clock);

#endif
