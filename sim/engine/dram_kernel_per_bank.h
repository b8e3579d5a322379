/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-bank queues (DRAMsim3 style): requests wait in a read and a write front
 * queue, one a clock moves to the queue of its bank; banks take turns, all
 * kinds of command alike. Static code of one vector width.
 *
 * What a bank offers: closed, the activate for its first entry. Open, in the
 * order of its entries: the precharge, when the first entry misses and no
 * entry hits or the row has served row_hit_cap columns; else the first read or
 * write that hits and may issue.
 */

/* Entry k of the queue of a bank. */
INLINE struct sy_dram_waiting *pb_entry(struct sy_dram_per_bank *pb, uint32_t bank, uint32_t k)
{
    return &pb->entry[bank][(pb->first[bank] + k) & (SY_DRAM_MAX_BANK_QUEUE - 1)];
}

/* Recompute what the bank offers. */
INLINE void pb_offer(struct sy_dram_channel *ch, uint32_t bank)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    const struct sy_dram_plan *plan = ch->plan;
    const uint32_t lane = plan->lane_of[bank];
    int32_t read = SY_NEVER, write = SY_NEVER, activate = SY_NEVER, precharge = SY_NEVER;
    if (pb->length[bank] && !(ch->blocked >> bank & 1)) {
        if (!(ch->open >> bank & 1)) {
            activate = ch->bank_act[bank] | plan->edge;
        } else {
            uint32_t hit = pb->hit[bank];
            if (plan->scheduler == SY_DRAM_FCFS)
                hit &= 1;
            if (hit & ~pb->write[bank])
                read = ch->bank_read[bank] | plan->edge;
            if (hit & pb->write[bank])
                write = ch->bank_write[bank] | plan->edge;
            const bool capped = plan->row_hit_cap && ch->hits[bank] >= plan->row_hit_cap;
            if (!(hit & 1) && (!hit || capped))
                precharge = ch->bank_pre[bank];
        }
    }
    pb->bound = min32(pb->bound, min32(min32(read, write), min32(activate, precharge)));
    lane_set(&ch->column[0], lane, read);
    lane_set(&ch->column[1], lane, write);
    lane_set(&ch->activate[0], lane, activate);
    lane_set(&ch->precharge[0], lane, precharge);
}

/* (clock of the earliest command) << 6 | turns from the round robin pointer to its bank. The edge is in the candidates
 * already. */
INLINE int32_t pb_scan(const struct sy_dram_channel *ch, int32_t now, int n, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const vec column_from = splat(max32(now, ch->column_bus_free)), row_from = splat(max32(now, ch->row_bus_free));
    const vec edge = splat(plan->edge);
    const vec turn_mask = splat((int32_t)plan->banks - 1), first = splat(ch->per_bank.last_bank + 1);
    vec best = splat(SY_NEVER << 6);
    UNROLL
    for (int j = 0; j < m; j++) {
        const vec read_from = V_MAX(lanes_at(&ch->s_read, j), column_from) | edge;
        const vec write_from = V_MAX(lanes_at(&ch->s_write, j), column_from) | edge;
        const vec activate_from = V_MAX(lanes_at(&ch->s_act, j), row_from) | edge;
        const vec precharge_from = V_MAX(lanes_at(&ch->s_pre, j), row_from);
        UNROLL
        for (int i = j; i < n; i += m) {
            const vec read = V_MAX(lanes_at(&ch->column[0], i), read_from);
            const vec write = V_MAX(lanes_at(&ch->column[1], i), write_from);
            const vec activate = V_MAX(lanes_at(&ch->activate[0], i), activate_from);
            const vec precharge = V_MAX(lanes_at(&ch->precharge[0], i), precharge_from);
            const vec clock = V_MIN(V_MIN(read, write), V_MIN(activate, precharge));
            best = V_MIN(best, (clock << 6) | ((lanes_at(&plan->bank_of, i) - first) & turn_mask));
        }
    }
    return v_lowest(best);
}

INLINE uint32_t pb_bank(const struct sy_dram_channel *ch, int32_t key)
{
    return (uint32_t)(ch->per_bank.last_bank + 1 + (key & 63)) & (ch->plan->banks - 1);
}

/* A row command at clock t? Else the bank's offer is a column. */
INLINE bool pb_is_row(const struct sy_dram_channel *ch, uint32_t bank, int32_t t)
{
    if (!(ch->open >> bank & 1))
        return true;
    return max32(ch->precharge[0].v[ch->plan->lane_of[bank]], ch->s_pre.v[ch->plan->group_of[bank]]) <= t &&
           ch->row_bus_free <= t;
}

INLINE void pb_find_hits(struct sy_dram_channel *ch, uint32_t bank)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    uint32_t hit = 0;
    for (uint32_t k = 0; k < pb->length[bank]; k++)
        hit |= (uint32_t)(pb_entry(pb, bank, k)->row == ch->open_row[bank]) << k;
    pb->hit[bank] = hit;
}

/* The bank's place in the choice of the next transfer: its oldest front entry, while its queue has room. */
INLINE void pb_offer_front(struct sy_dram_channel *ch, uint32_t write, uint32_t bank)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    const uint8_t entry = pb->bank_head[write][bank];
    const bool room = entry != SY_NIL && !(pb->full >> bank & 1);
    lane_set(&pb->front_age[write], bank, room ? ch->queue[write].age[entry] << 6 | (int32_t)bank : SY_AGE_NONE);
}

INLINE void pb_remove(struct sy_dram_channel *ch, uint32_t bank, uint32_t k)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    pb->length[bank]--;
    for (uint32_t x = k; x > 0; x--) /* those before it move up: mostly none */
        *pb_entry(pb, bank, x) = *pb_entry(pb, bank, x - 1);
    pb->first[bank]++;
    const uint32_t below = (1u << k) - 1;
    pb->hit[bank] = (pb->hit[bank] & below) | (pb->hit[bank] >> 1 & ~below);
    pb->write[bank] = (pb->write[bank] & below) | (pb->write[bank] >> 1 & ~below);
    pb->waiting--;
    if (pb->full >> bank & 1) {
        pb->full &= ~(UINT64_C(1) << bank);
        pb_offer_front(ch, 0, bank);
        pb_offer_front(ch, 1, bank);
    }
}

static void pb_issue_column(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    uint32_t hit = pb->hit[bank];
    if (ch->plan->scheduler == SY_DRAM_FCFS)
        hit &= 1;
    const uint32_t reads = hit & ~pb->write[bank], writes = hit & pb->write[bank];
    const uint32_t lane = ch->plan->lane_of[bank], group = ch->plan->group_of[bank];
    uint32_t ready = 0;
    if (reads && max32(ch->column[0].v[lane], ch->s_read.v[group]) <= t)
        ready |= reads & -reads;
    if (writes && max32(ch->column[1].v[lane], ch->s_write.v[group]) <= t)
        ready |= writes & -writes;
    const uint32_t k = (uint32_t)__builtin_ctz(ready);
    const bool write = pb->write[bank] >> k & 1;
    if (ch->hits[bank])
        ch->counts.row_hits++;
    if (!write)
        note_read(ch, pb_entry(pb, bank, k)->accepted, pb_entry(pb, bank, k)->source, t);
    pb_remove(ch, bank, k);
    if (command_column(ch, bank, write, false, t, m))
        pb->hit[bank] = 0;
    pb_offer(ch, bank);
}

static void pb_issue_row(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    if (ch->open >> bank & 1) {
        command_precharge(ch, bank, t, m);
        ch->counts.row_conflicts++;
        pb->hit[bank] = 0;
    } else {
        const uint32_t row = pb_entry(pb, bank, 0)->row;
        command_activate(ch, bank, row, t, m);
        open_bank(ch, bank, row, t);
        pb_find_hits(ch, bank);
    }
    pb_offer(ch, bank);
}

/* The command of this tick, and a second of the other kind where rows and columns have their own bus. The pointer moves
 * on to the second choice even when that is of the same kind and therefore dropped. */
INLINE void pb_issue(struct sy_dram_channel *ch, int32_t key, int32_t t, int n, int m)
{
    const uint32_t bank = pb_bank(ch, key);
    const bool row = pb_is_row(ch, bank, t);
    const int32_t row_free = ch->row_bus_free, column_free = ch->column_bus_free;
    ch->per_bank.last_bank = (int32_t)bank;
    if (row)
        pb_issue_row(ch, bank, t, m);
    else
        pb_issue_column(ch, bank, t, m);
    if (!ch->plan->two_buses)
        return;
    /* the choice does not know yet which bus is taken */
    const int32_t row_taken = ch->row_bus_free, column_taken = ch->column_bus_free;
    ch->row_bus_free = row_free;
    ch->column_bus_free = column_free;
    const int32_t second = pb_scan(ch, t, n, m);
    uint32_t other = 0;
    bool other_row = row;
    if (second >> 6 <= t) {
        other = pb_bank(ch, second);
        other_row = pb_is_row(ch, other, t);
        ch->per_bank.last_bank = (int32_t)other;
    }
    ch->row_bus_free = row_taken;
    ch->column_bus_free = column_taken;
    if (other_row && !row)
        pb_issue_row(ch, other, t, m);
    else if (!other_row && row)
        pb_issue_column(ch, other, t, m);
}

/* ---- refresh ---- */
static void pb_block(struct sy_dram_channel *ch, uint64_t banks, bool blocked)
{
    ch->blocked = blocked ? ch->blocked | banks : ch->blocked & ~banks;
    for (uint64_t m = banks; m; m &= m - 1)
        pb_offer(ch, (uint32_t)__builtin_ctzll(m));
}

/* Clock at which the waiting refresh can take its next step: one precharge of its banks, then the refresh itself. */
static int32_t pb_refresh_clock(const struct sy_dram_channel *ch, uint32_t *bank)
{
    const uint64_t banks = ch->plan->node_mask[ch->refresh_node];
    const uint64_t open = banks & ch->open;
    int32_t best = SY_NEVER;
    for (uint64_t m = open; m; m &= m - 1) {
        const uint32_t b = (uint32_t)__builtin_ctzll(m);
        const int32_t clock =
            max32(max32(ch->bank_pre[b], ch->s_pre.v[ch->plan->group_of[b]]), max32(ch->now, ch->row_bus_free));
        if (clock < best) {
            best = clock;
            *bank = b;
        }
    }
    if (open)
        return best;
    *bank = SY_NIL;
    return refresh_ready(ch, banks);
}

static void pb_refresh_step(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    if (bank != SY_NIL) {
        command_precharge(ch, bank, t, m);
        ch->counts.refresh_precharges++;
        ch->refresh_closed |= UINT64_C(1) << bank;
        ch->per_bank.hit[bank] = 0;
        return;
    }
    const uint64_t banks = sy_dram_channel_refreshed(ch, t);
    if (ch->plan->refresh_other > 0)
        lanes_raise_masked(&ch->s_act, &ch->plan->domain_mask[ch->plan->domain_of[__builtin_ctzll(banks)]],
                           t + ch->plan->refresh_other, m);
    pb_block(ch, banks, false);
}

/* ---- front queues ---- */
INLINE bool pb_wants_drain(const struct sy_dram_channel *ch)
{
    const uint32_t writes = ch->queue[1].used;
    return writes >= ch->plan->drain_start || (writes > ch->plan->drain_idle && !ch->per_bank.waiting);
}
INLINE bool pb_can_transfer(const struct sy_dram_channel *ch)
{
    const struct sy_dram_per_bank *pb = &ch->per_bank;
    const bool write = pb->drain || pb_wants_drain(ch);
    return (pb->present[write] & ~pb->full) != 0;
}

/* The oldest front entry whose bank has room; the caller knows that there is one. */
INLINE uint8_t pb_oldest_front(const struct sy_dram_channel *ch, uint32_t write, int n)
{
    const struct sy_dram_per_bank *pb = &ch->per_bank;
    if (!(pb->present[write] & pb->full))
        return pb->head[write];
    vec oldest = lanes_at(&pb->front_age[write], 0);
    UNROLL
    for (int i = 1; i < n; i++)
        oldest = V_MIN(oldest, lanes_at(&pb->front_age[write], i));
    return pb->bank_head[write][v_lowest(oldest) & 63];
}

INLINE void pb_unlink_front(struct sy_dram_channel *ch, uint32_t write, uint8_t entry)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    struct sy_dram_queue *queue = &ch->queue[write];
    const uint32_t bank = queue->bank[entry];
    const uint8_t before = pb->before[write][entry], after = queue->next[entry];
    *(before == SY_NIL ? &pb->head[write] : &queue->next[before]) = after;
    *(after == SY_NIL ? &pb->tail[write] : &pb->before[write][after]) = before;
    pb->bank_head[write][bank] = pb->bank_next[write][entry]; /* the oldest of its bank */
    if (pb->bank_head[write][bank] == SY_NIL)
        pb->present[write] &= ~(UINT64_C(1) << bank);
    queue->next[entry] = queue->free;
    queue->free = entry;
    queue->used--;
}

/* Move the oldest request whose bank has room; returns SY_STOP_READ or SY_STOP_WRITE for the place that fell free. */
INLINE unsigned pb_transfer(struct sy_dram_channel *ch, int n)
{
    struct sy_dram_per_bank *pb = &ch->per_bank;
    if (!pb->drain && pb_wants_drain(ch))
        pb->drain = ch->queue[1].used;
    const uint32_t write = pb->drain > 0;
    if (!(pb->present[write] & ~pb->full))
        return 0;
    struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t entry = pb_oldest_front(ch, write, n);
    const uint32_t bank = queue->bank[entry];
    pb_unlink_front(ch, write, entry);
    const uint32_t k = pb->length[bank]++;
    *pb_entry(pb, bank, k) = (struct sy_dram_waiting){
        .row = queue->row[entry], .accepted = queue->accepted[entry], .source = queue->source[entry]};
    const bool hit = (ch->open >> bank & 1) && ch->open_row[bank] == queue->row[entry];
    const bool first_hit = hit && !(pb->hit[bank] & (write ? pb->write[bank] : ~pb->write[bank]));
    pb->write[bank] |= write << k;
    pb->hit[bank] |= (uint32_t)hit << k;
    if (k + 1 == ch->plan->bank_queue) {
        pb->full |= UINT64_C(1) << bank;
        pb_offer_front(ch, !write, bank);
    }
    pb_offer_front(ch, write, bank);
    pb->waiting++;
    pb->drain -= write;
    if (k == 0 || first_hit) /* others change nothing of what the bank offers */
        pb_offer(ch, bank);
    return write ? SY_STOP_WRITE : SY_STOP_READ;
}

/* Timeout policy: a row nobody waits for closes after page_timeout idle clocks, when the tick has no other command. */
static int32_t pb_timeout_clock(const struct sy_dram_channel *ch, uint32_t *bank)
{
    int32_t best = SY_NEVER;
    for (uint64_t m = ch->open & ~ch->blocked; m; m &= m - 1) {
        const uint32_t b = (uint32_t)__builtin_ctzll(m);
        if (ch->per_bank.length[b])
            continue;
        int32_t clock = max32(ch->idle_since[b] + ch->plan->page_timeout, ch->bank_pre[b]);
        clock = max32(max32(clock, ch->s_pre.v[ch->plan->group_of[b]]), max32(ch->now, ch->row_bus_free));
        if (clock < best) {
            best = clock;
            *bank = b;
        }
    }
    return best;
}

struct pb_choice { /* what may happen next, and when */
    int32_t command, key, refresh, timeout;
    uint32_t refresh_bank, timeout_bank;
};

/* The clock of the next tick with something in it. */
INLINE int32_t pb_choose(struct sy_dram_channel *ch, struct pb_choice *choice, int n, int m)
{
    const bool transfer = pb_can_transfer(ch);
    *choice = (struct pb_choice){.command = ch->per_bank.bound,
                                 .refresh = SY_NEVER,
                                 .timeout = SY_NEVER,
                                 .refresh_bank = SY_NIL,
                                 .timeout_bank = SY_NIL};
    if (!transfer || choice->command <= ch->now) { /* else the transfer has the tick to itself */
        choice->key = pb_scan(ch, ch->now, n, m);
        choice->command = ch->per_bank.bound = choice->key >> 6;
    }
    int32_t event = transfer ? ch->now : choice->command;
    if (ch->pending_refreshes) {
        choice->refresh = pb_refresh_clock(ch, &choice->refresh_bank);
        event = min32(event, choice->refresh);
    }
    if (ch->plan->page == SY_DRAM_PAGE_TIMEOUT) {
        choice->timeout = pb_timeout_clock(ch, &choice->timeout_bank);
        event = min32(event, choice->timeout);
    }
    return event;
}

INLINE int32_t pb_run(struct sy_dram_channel *ch, int32_t limit, unsigned stop, int n, int m)
{
    for (;;) {
        if (ch->now >= limit)
            return stop_at_limit(ch, limit, ch->now);
        struct pb_choice choice;
        const int32_t event = pb_choose(ch, &choice, n, m);
        if (event >= ch->next_refresh) {
            if (ch->next_refresh >= limit)
                return stop_at_limit(ch, limit, ch->next_refresh);
            ch->now = max32(ch->now, ch->next_refresh);
            pb_block(ch, sy_dram_channel_refresh_due(ch), true);
            continue;
        }
        if (event >= limit)
            return stop_at_limit(ch, limit, event);
        ch->now = event;
        if (choice.refresh <= event)
            pb_refresh_step(ch, choice.refresh_bank, event, m);
        else if (choice.command <= event)
            pb_issue(ch, choice.key, event, n, m);
        else if (choice.timeout <= event)
            command_precharge(ch, choice.timeout_bank, event, m);
        const unsigned freed = pb_transfer(ch, n);
        ch->now = event + 1;
        if (freed & stop || (stop & SY_STOP_DRAINED && !ch->waiting_reads))
            return event;
    }
}
