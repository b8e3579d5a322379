/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel model for one vector width. Included by dram_kernel_4.c and
 * _8.c with SY_LANES set (int32 lanes of a register); every width gives
 * the same commands at the same clocks. All functions are static.
 *
 * Lanes are written with a whole-register select, never as single elements: a
 * narrow store before a wide load would stall the load.
 */
#include "sim/engine/dram_channel.h"

typedef int32_t vec __attribute__((vector_size(SY_LANES * 4), may_alias));
#define INLINE static inline __attribute__((always_inline))
/* Before a loop over registers, of which there is a constant number. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#if SY_LANES == 4
#define IOTA ((vec){0, 1, 2, 3})
#else
#define IOTA ((vec){0, 1, 2, 3, 4, 5, 6, 7})
#endif

/* ---- lanes ---- */
/* GCC 12 does not see a minimum in compare-and-select, so it is told where the target has one. */
#if defined(__clang__)
#define V_MIN(a, b) __builtin_elementwise_min(a, b)
#define V_MAX(a, b) __builtin_elementwise_max(a, b)
#elif SY_LANES == 8 && defined(__AVX2__)
typedef int v8si __attribute__((vector_size(32)));
#define V_MIN(a, b) ((vec)__builtin_ia32_pminsd256((v8si)(a), (v8si)(b)))
#define V_MAX(a, b) ((vec)__builtin_ia32_pmaxsd256((v8si)(a), (v8si)(b)))
#else
INLINE vec v_select(vec mask, vec a, vec b)
{
    return (a & mask) | (b & ~mask);
}
#define V_MIN(a, b) v_select((a) < (b), (a), (b))
#define V_MAX(a, b) v_select((a) > (b), (a), (b))
#endif

INLINE vec splat(int32_t value)
{
    return (vec){0} + value;
}

INLINE int32_t v_lowest(vec a)
{
    vec t;
#if SY_LANES == 8
    t = __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3);
    a = V_MIN(a, t);
    t = __builtin_shufflevector(a, a, 2, 3, 0, 1, 6, 7, 4, 5);
    a = V_MIN(a, t);
    t = __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    t = __builtin_shufflevector(a, a, 2, 3, 0, 1);
    a = V_MIN(a, t);
    t = __builtin_shufflevector(a, a, 1, 0, 3, 2);
#endif
    a = V_MIN(a, t);
    return a[0];
}

INLINE int32_t v_highest(vec a)
{
    vec t;
#if SY_LANES == 8
    t = __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3);
    a = V_MAX(a, t);
    t = __builtin_shufflevector(a, a, 2, 3, 0, 1, 6, 7, 4, 5);
    a = V_MAX(a, t);
    t = __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    t = __builtin_shufflevector(a, a, 2, 3, 0, 1);
    a = V_MAX(a, t);
    t = __builtin_shufflevector(a, a, 1, 0, 3, 2);
#endif
    a = V_MAX(a, t);
    return a[0];
}

INLINE vec lanes_at(const struct sy_lanes *lanes, int i)
{
    return ((const vec *)(const void *)lanes->v)[i];
}
INLINE vec *lanes_ref(struct sy_lanes *lanes, int i)
{
    return &((vec *)(void *)lanes->v)[i];
}

INLINE void lane_set(struct sy_lanes *lanes, uint32_t lane, int32_t value)
{
    if (lanes->v[lane] == value)
        return;
    vec *part = lanes_ref(lanes, (int)(lane / SY_LANES));
    const vec mask = IOTA == splat((int32_t)(lane % SY_LANES));
    *part = (splat(value) & mask) | (*part & ~mask);
}

/* shared[i] = max(shared[i], clock + distance[i]) over the m registers of the groups */
INLINE void lanes_raise(struct sy_lanes *shared, const struct sy_lanes *distance, int32_t clock, int m)
{
    UNROLL
    for (int i = 0; i < m; i++) {
        const vec later = lanes_at(distance, i) + splat(clock);
        *lanes_ref(shared, i) = V_MAX(lanes_at(shared, i), later);
    }
}
INLINE void lanes_raise_masked(struct sy_lanes *shared, const struct sy_lanes *mask, int32_t clock, int m)
{
    UNROLL
    for (int i = 0; i < m; i++) {
        const vec later = lanes_at(mask, i) & splat(clock);
        *lanes_ref(shared, i) = V_MAX(lanes_at(shared, i), later);
    }
}

INLINE int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}
INLINE int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

INLINE void log_command(struct sy_dram_channel *ch, int32_t t, enum sy_dram_command command, uint32_t bank,
                        uint32_t row)
{
    if (__builtin_expect(ch->log != NULL, 0))
        ch->log->command(ch->log->context, ch->base + t, command, bank, row);
}

/* ---- commands: timing state of the banks, the same for both styles ---- */
INLINE void take_bus(struct sy_dram_channel *ch, int32_t t, int32_t clocks, bool column)
{
    const bool both = !ch->plan->two_buses;
    if (column || both)
        ch->column_bus_free = t + clocks;
    if (!column || both)
        ch->row_bus_free = t + clocks;
}

/* Activation windows: the fourth and the 32nd last activate of the domain bound the next one. */
INLINE void note_activation(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint32_t domain = plan->domain_of[bank];
    const uint32_t at = ch->faw_at[domain];
    ch->faw[domain][at] = t;
    ch->faw_at[domain] = (uint8_t)((at + 1) & 3);
    int32_t bound = ch->faw[domain][(at + 1) & 3] + plan->faw;
    if (plan->aw32) {
        const uint32_t at32 = ch->aw32_at[domain];
        ch->aw32[domain][at32] = t;
        ch->aw32_at[domain] = (uint8_t)((at32 + 1) & 31);
        bound = max32(bound, ch->aw32[domain][(at32 + 1) & 31] + plan->aw32);
    }
    if (bound > t)
        lanes_raise_masked(&ch->s_act, &plan->domain_mask[domain], bound, m);
}

INLINE void open_bank(struct sy_dram_channel *ch, uint32_t bank, uint32_t row, int32_t t)
{
    if (!ch->open)
        ch->opened_at = t;
    ch->open |= UINT64_C(1) << bank;
    if (ch->refresh_closed >> bank & 1) {
        ch->counts.reopened += ch->open_row[bank] == row;
        ch->refresh_closed &= ~(UINT64_C(1) << bank);
    }
    ch->open_row[bank] = row;
    ch->hits[bank] = 0;
}

INLINE void command_activate(struct sy_dram_channel *ch, uint32_t bank, uint32_t row, int32_t t, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    log_command(ch, t, SY_DRAM_ACTIVATE, bank, row);
    ch->bank_read[bank] = t + plan->act_read;
    ch->bank_write[bank] = t + plan->act_write;
    ch->bank_pre[bank] = t + plan->act_pre;
    ch->bank_act[bank] = t + plan->act_act_same;
    ch->idle_since[bank] = t;
    const uint32_t domain = plan->domain_of[bank];
    ch->closed_at[domain] = max32(ch->closed_at[domain], t + plan->act_refresh);
    lanes_raise(&ch->s_act, &plan->act_act[plan->group_of[bank]], t, m);
    note_activation(ch, bank, t, m);
    take_bus(ch, t, plan->act_clocks, false);
    ch->counts.activates++;
}

INLINE void close_bank(struct sy_dram_channel *ch, uint32_t bank, int32_t t)
{
    ch->open &= ~(UINT64_C(1) << bank);
    ch->hits[bank] = 0;
    if (!ch->open)
        ch->counts.active_clocks += (uint64_t)(t - ch->opened_at);
}

INLINE void command_precharge(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint32_t domain = plan->domain_of[bank];
    log_command(ch, t, SY_DRAM_PRECHARGE, bank, ch->open_row[bank]);
    close_bank(ch, bank, t);
    ch->bank_act[bank] = max32(ch->bank_act[bank], t + plan->pre_act);
    ch->closed_at[domain] = max32(ch->closed_at[domain], t + plan->pre_refresh);
    if (plan->pre_pre > 1)
        lanes_raise_masked(&ch->s_pre, &plan->domain_mask[domain], t + plan->pre_pre, m);
    take_bus(ch, t, plan->pre_clocks, false);
    ch->counts.precharges++;
}

/* A read or write; true when the row closes with it, which it may not while someone holds the row. */
INLINE bool command_column(struct sy_dram_channel *ch, uint32_t bank, bool write, bool held, int32_t t, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint32_t group = plan->group_of[bank];
    log_command(ch, t, write ? SY_DRAM_WRITE : SY_DRAM_READ, bank, ch->open_row[bank]);
    if (write) {
        lanes_raise(&ch->s_read, &plan->write_read[group], t, m);
        lanes_raise(&ch->s_write, &plan->write_write[group], t, m);
        ch->bank_pre[bank] = max32(ch->bank_pre[bank], t + plan->write_pre);
        ch->counts.writes++;
    } else {
        lanes_raise(&ch->s_read, &plan->read_read[group], t, m);
        lanes_raise(&ch->s_write, &plan->read_write[group], t, m);
        ch->bank_pre[bank] = max32(ch->bank_pre[bank], t + plan->read_pre);
        ch->counts.reads++;
    }
    take_bus(ch, t, plan->column_clocks, true);
    ch->hits[bank]++;
    ch->idle_since[bank] = t;
    if (plan->page != SY_DRAM_PAGE_CLOSED || ch->hits[bank] < plan->page_cap || held)
        return false;
    const uint32_t domain = plan->domain_of[bank];
    const int32_t ready = t + (write ? plan->write_auto_act : plan->read_auto_act);
    log_command(ch, t, SY_DRAM_AUTO_PRECHARGE, bank, ch->open_row[bank]);
    close_bank(ch, bank, t);
    ch->bank_act[bank] = max32(ch->bank_act[bank], ready);
    ch->closed_at[domain] = max32(ch->closed_at[domain], ready);
    ch->counts.precharges++;
    return true;
}

INLINE void note_read(struct sy_dram_channel *ch, int32_t accepted, uint16_t source, int32_t t)
{
    const int32_t back = t + ch->plan->read_return;
    ch->waiting_reads--;
    ch->last_return = max32(ch->last_return, back);
    if (ch->latency)
        sy_latency_add(ch->latency, (uint32_t)(back - accepted));
    if (ch->returns)
        ch->returns->on_read(ch->returns->context, source, ch->base + back);
}

/* Clock from which a refresh command may issue to closed banks: after the last precharge and activate. */
INLINE int32_t refresh_ready(const struct sy_dram_channel *ch, uint64_t banks)
{
    const uint32_t first = (uint32_t)__builtin_ctzll(banks);
    const int32_t from = max32(ch->now, ch->row_bus_free);
    if (!ch->plan->refresh_per_bank)
        return max32(from, ch->closed_at[ch->plan->domain_of[first]]) | ch->plan->edge;
    const int32_t closed = ch->bank_act[first] + ch->plan->act_clocks - 1; /* that is for the start of an activate */
    return max32(max32(from, closed), ch->refreshed_at + ch->plan->refresh_other) | ch->plan->edge;
}

/* Leave a run at its limit; nothing can happen before `event`. */
INLINE int32_t stop_at_limit(struct sy_dram_channel *ch, int32_t limit, int32_t event)
{
    ch->now = max32(ch->now, limit);
    ch->next_event = event;
    return -1;
}
