/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One buffer served by age (Ramulator 2.1 style): reads or writes are served
 * at a time; the earliest ready command wins, the oldest request among equals.
 * An activate takes its request out of the buffer into a place of its own,
 * whose column command then goes before everything else and whose bank may not
 * be precharged meanwhile. Static code of one vector width.
 *
 * States of a bank: closed -> (activate) open -> (precharge, auto-precharge,
 * refresh) closed; with a split activate, closed -> activating -> open.
 */

/* Recompute what one buffer offers in a bank. */
INLINE void ba_offer(struct sy_dram_channel *ch, uint32_t write, uint32_t bank)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    const struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t hit = ba->hit_head[write][bank], miss = ba->miss_head[write][bank];
    int32_t column = SY_NEVER, activate = SY_NEVER, precharge = SY_NEVER, hit_age = 0, row_age = 0;
    const bool free = !(ch->blocked >> bank & 1) && ba->activating_bank != (int32_t)bank;
    if (hit != SY_NIL) {
        hit_age = SY_SENIOR - (queue->age[hit] << 6 | (int32_t)bank);
        if (free)
            column = (write ? ch->bank_write[bank] : ch->bank_read[bank]) | ch->plan->edge;
    }
    if (miss != SY_NIL) {
        row_age = SY_SENIOR - (queue->age[miss] << 6 | (int32_t)bank);
        if (free && !(ch->open >> bank & 1)) {
            activate = ch->bank_act[bank] | ch->plan->edge;
        } else if (free && !(ba->active_banks >> bank & 1)) {
            /* a request that arrived no later keeps the row it hits */
            const bool kept = ch->plan->scheduler == SY_DRAM_FRFCFS_ROWHIT && hit != SY_NIL &&
                              queue->accepted[hit] <= queue->accepted[miss];
            if (!kept)
                precharge = ch->bank_pre[bank];
        }
    }
    ba->column_bound[write] = min32(ba->column_bound[write], column);
    ba->row_bound[write] = min32(ba->row_bound[write], min32(activate, precharge));
    const uint32_t lane = ch->plan->lane_of[bank];
    lane_set(&ch->column[write], lane, column);
    lane_set(&ch->activate[write], lane, activate);
    lane_set(&ch->precharge[write], lane, precharge);
    lane_set(&ba->hit_age[write], lane, hit_age);
    lane_set(&ba->row_age[write], lane, row_age);
}
/* A buffer without requests for the bank offers nothing, and its lanes say so already. */
INLINE void ba_offer_both(struct sy_dram_channel *ch, uint32_t bank)
{
    for (uint32_t w = 0; w < 2; w++)
        if (ch->by_age.hit_head[w][bank] != SY_NIL || ch->by_age.miss_head[w][bank] != SY_NIL)
            ba_offer(ch, w, bank);
}

struct ba_list {
    uint8_t head, tail;
};

INLINE void ba_append(struct sy_dram_queue *queue, struct ba_list *list, uint8_t entry)
{
    queue->next[entry] = SY_NIL;
    if (list->head == SY_NIL)
        list->head = entry;
    else
        queue->next[list->tail] = entry;
    list->tail = entry;
}

/* A row opened: the requests for it are hits from now on. */
static void ba_bank_opened(struct sy_dram_channel *ch, uint32_t bank)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    for (uint32_t w = 0; w < 2; w++) {
        struct sy_dram_queue *queue = &ch->queue[w];
        struct ba_list hits = {SY_NIL, SY_NIL}, misses = {SY_NIL, SY_NIL};
        uint8_t entry = ba->miss_head[w][bank];
        if (entry == SY_NIL)
            continue;
        while (entry != SY_NIL) {
            const uint8_t next = queue->next[entry];
            ba_append(queue, queue->row[entry] == ch->open_row[bank] ? &hits : &misses, entry);
            entry = next;
        }
        ba->hit_head[w][bank] = hits.head, ba->hit_tail[w][bank] = hits.tail;
        ba->miss_head[w][bank] = misses.head, ba->miss_tail[w][bank] = misses.tail;
        ba_offer(ch, w, bank);
    }
}

/* A row closed: what still hit it misses now. Both lists are in order of age; merge them. */
static void ba_bank_closed(struct sy_dram_channel *ch, uint32_t bank)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    for (uint32_t w = 0; w < 2; w++) {
        struct sy_dram_queue *queue = &ch->queue[w];
        uint8_t a = ba->hit_head[w][bank], b = ba->miss_head[w][bank];
        if (a == SY_NIL && b == SY_NIL)
            continue;
        if (a != SY_NIL) {
            struct ba_list merged = {SY_NIL, SY_NIL};
            while (a != SY_NIL || b != SY_NIL) {
                const bool from_hits = b == SY_NIL || (a != SY_NIL && queue->age[a] < queue->age[b]);
                const uint8_t entry = from_hits ? a : b;
                *(from_hits ? &a : &b) = queue->next[entry];
                ba_append(queue, &merged, entry);
            }
            ba->miss_head[w][bank] = merged.head, ba->miss_tail[w][bank] = merged.tail;
            ba->hit_head[w][bank] = ba->hit_tail[w][bank] = SY_NIL;
        }
        ba_offer(ch, w, bank);
    }
}

INLINE void ba_free(struct sy_dram_queue *queue, uint8_t entry)
{
    queue->next[entry] = queue->free;
    queue->free = entry;
    queue->used--;
}

/* Reads or writes: above the start mark, or nothing to read, writes; below the stop mark with reads waiting, reads. */
INLINE uint32_t ba_mode(struct sy_dram_channel *ch)
{
    const uint32_t reads = ch->queue[0].used, writes = ch->queue[1].used;
    bool write = ch->by_age.write_mode;
    if (!write)
        write = writes >= ch->plan->drain_start || reads == 0;
    else if (writes < ch->plan->drain_stop && reads)
        write = false;
    ch->by_age.write_mode = write;
    return write;
}

/* Clock of the next column command of an activated request; the oldest of those ready then, the first activated among
 * equals. */
INLINE int32_t ba_active_clock(struct sy_dram_channel *ch, uint32_t *index)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    const int32_t from = max32(ch->now, ch->column_bus_free) | ch->plan->edge;
    const bool mixed = ba->active_writes && ba->active_writes != ba->actives;
    int32_t best = SY_NEVER, best_accepted = INT32_MAX;
    for (uint32_t i = 0; i < ba->actives; i++) {
        const struct sy_dram_active *active = &ba->active[i];
        if ((mixed ? active->soonest : active->ready) > best)
            break; /* those behind are not ready before either */
        const struct sy_lanes *shared = active->write ? &ch->s_write : &ch->s_read;
        const int32_t free = shared->v[ch->plan->group_of[active->bank]];
        const int32_t clock = max32(max32(active->ready, free) | ch->plan->edge, from);
        if (clock < best || (clock == best && active->accepted < best_accepted)) {
            best = clock;
            best_accepted = active->accepted;
            *index = i;
        }
    }
    ba->active_bound = best;
    return best;
}

/* What one buffer offers next: the earliest clock, and the oldest request whose command may issue then (seniority). */
struct ba_next {
    int32_t clock, key;
};

/* The earliest of the kinds of candidate in one group register: over its banks first, then what the group imposes. */
INLINE vec ba_group_clock(const struct sy_lanes *candidates, vec from, int j, int n, int m)
{
    vec earliest = lanes_at(candidates, j);
    UNROLL
    for (int i = j + m; i < n; i += m)
        earliest = V_MIN(earliest, lanes_at(candidates, i));
    return V_MAX(earliest, from);
}

/* The most senior of those that may issue before `after`, splat. */
INLINE vec ba_group_oldest(const struct sy_lanes *candidates, const struct sy_lanes *seniority, vec from, vec after,
                           int j, int n, int m)
{
    vec oldest = lanes_at(seniority, j) & (after > lanes_at(candidates, j));
    UNROLL
    for (int i = j + m; i < n; i += m)
        oldest = V_MAX(oldest, lanes_at(seniority, i) & (after > lanes_at(candidates, i)));
    return oldest & (after > from);
}

/* Columns, rows or both of a buffer from now on. A pending split activate forbids another: its mask pushes all
 * activates beyond SY_NEVER. The edge is in the candidates already. */
INLINE struct ba_next ba_scan(const struct sy_dram_channel *ch, uint32_t write, bool columns, bool rows, int n, int m)
{
    const struct sy_lanes *shared = write ? &ch->s_write : &ch->s_read;
    const vec column_now = splat(max32(ch->now, ch->column_bus_free)),
              row_now = splat(max32(ch->now, ch->row_bus_free));
    const vec edge = splat(ch->plan->edge), activates = splat(ch->by_age.activating_bank >= 0 ? SY_NEVER : 0);
    vec column[SY_LANES_MAX / SY_LANES], activate[SY_LANES_MAX / SY_LANES], precharge[SY_LANES_MAX / SY_LANES];
    vec best = splat(SY_NEVER);
    UNROLL
    for (int j = 0; j < m; j++) {
        if (columns) {
            column[j] = V_MAX(lanes_at(shared, j), column_now) | edge;
            best = V_MIN(best, ba_group_clock(&ch->column[write], column[j], j, n, m));
        }
        if (rows) {
            activate[j] = V_MAX(lanes_at(&ch->s_act, j), row_now) | edge | activates;
            precharge[j] = V_MAX(lanes_at(&ch->s_pre, j), row_now);
            best = V_MIN(best, ba_group_clock(&ch->activate[write], activate[j], j, n, m));
            best = V_MIN(best, ba_group_clock(&ch->precharge[write], precharge[j], j, n, m));
        }
    }
    struct ba_next next = {.clock = v_lowest(best), .key = 0};
    if (next.clock >= SY_NEVER)
        return next;
    const vec after = splat(next.clock + 1);
    const struct sy_dram_by_age *ba = &ch->by_age;
    vec oldest = splat(0);
    UNROLL
    for (int j = 0; j < m; j++) {
        if (columns)
            oldest = V_MAX(oldest, ba_group_oldest(&ch->column[write], &ba->hit_age[write], column[j], after, j, n, m));
        if (rows) {
            const struct sy_lanes *row_age = &ba->row_age[write];
            oldest = V_MAX(oldest, ba_group_oldest(&ch->activate[write], row_age, activate[j], after, j, n, m));
            oldest = V_MAX(oldest, ba_group_oldest(&ch->precharge[write], row_age, precharge[j], after, j, n, m));
        }
    }
    next.key = v_highest(oldest);
    return next;
}

INLINE uint32_t ba_bank(int32_t key)
{
    return ~(uint32_t)key & 63; /* the low bits of SY_SENIOR are ones */
}

INLINE bool ba_is_hit(const struct sy_dram_channel *ch, uint32_t write, int32_t key)
{
    return ch->by_age.hit_age[write].v[ch->plan->lane_of[ba_bank(key)]] == key;
}

/* First come first served: the oldest request of the buffer alone may go. */
static struct ba_next ba_scan_fcfs(const struct sy_dram_channel *ch, uint32_t write, bool columns, bool rows, int n)
{
    struct ba_next next = {.clock = SY_NEVER, .key = 0};
    vec oldest = splat(0);
    UNROLL
    for (int i = 0; i < n; i++)
        oldest = V_MAX(oldest, V_MAX(lanes_at(&ch->by_age.hit_age[write], i), lanes_at(&ch->by_age.row_age[write], i)));
    next.key = v_highest(oldest);
    if (next.key == 0)
        return next;
    const uint32_t b = ba_bank(next.key), lane = ch->plan->lane_of[b], group = ch->plan->group_of[b];
    if (ba_is_hit(ch, write, next.key)) {
        const int32_t shared = write ? ch->s_write.v[group] : ch->s_read.v[group];
        const int32_t from = max32(ch->now, ch->column_bus_free);
        next.clock = columns ? max32(max32(ch->column[write].v[lane], shared), from) | ch->plan->edge : SY_NEVER;
        return next;
    }
    if (!rows)
        return next;
    const int32_t from = max32(ch->now, ch->row_bus_free);
    if (ch->open >> b & 1)
        next.clock = max32(max32(ch->precharge[write].v[lane], ch->s_pre.v[group]), from);
    else if (ch->by_age.activating_bank < 0)
        next.clock = max32(max32(ch->activate[write].v[lane], ch->s_act.v[group]), from) | ch->plan->edge;
    return next;
}

/* Look at a buffer, columns, rows or both, and note from when on it must be looked at again. */
INLINE struct ba_next ba_look(struct sy_dram_channel *ch, uint32_t write, bool columns, bool rows, int n, int m)
{
    struct ba_next next;
    if (__builtin_expect(ch->plan->scheduler == SY_DRAM_FCFS, 0)) {
        next = ba_scan_fcfs(ch, write, columns, rows, n);
        ch->by_age.column_bound[write] = ch->by_age.row_bound[write] = 0; /* others may come sooner than the oldest */
        return next;
    }
    next = ba_scan(ch, write, columns, rows, n, m);
    if (columns)
        ch->by_age.column_bound[write] = next.clock;
    if (rows)
        ch->by_age.row_bound[write] = next.clock;
    return next;
}

/* ---- issue ---- */
INLINE void ba_count(struct sy_dram_queue *queue, uint8_t entry, uint64_t *kind)
{
    *kind += !queue->counted[entry];
    queue->counted[entry] = true;
}

INLINE void ba_column_done(struct sy_dram_channel *ch, uint32_t bank, bool write, int32_t t, int m)
{
    if (ch->plan->data_clock_sync)
        ch->by_age.data_clock_until =
            max32(ch->by_age.data_clock_until, t + (write ? ch->plan->data_clock_write : ch->plan->data_clock_read));
    if (command_column(ch, bank, write, ch->by_age.active_banks >> bank & 1, t, m)) {
        ba_bank_closed(ch, bank);
        return;
    }
    ba_offer_both(ch, bank);
}

static void ba_issue_active(struct sy_dram_channel *ch, uint32_t index, int32_t t, int m)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    const struct sy_dram_active active = ba->active[index];
    ba->actives--;
    ba->active_writes -= active.write;
    for (uint32_t i = index; i < ba->actives; i++)
        ba->active[i] = ba->active[i + 1];
    ba->active_banks &= ~(UINT64_C(1) << active.bank);
    if (!active.write)
        note_read(ch, active.accepted, active.source, t);
    ba_column_done(ch, active.bank, active.write, t, m);
}

static unsigned ba_issue_hit(struct sy_dram_channel *ch, uint32_t write, uint32_t bank, int32_t t, int m)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t entry = ba->hit_head[write][bank];
    ba->hit_head[write][bank] = queue->next[entry];
    ba_count(queue, entry, &ch->counts.row_hits);
    if (!write)
        note_read(ch, queue->accepted[entry], queue->source[entry], t);
    ba_free(queue, entry);
    if (ba->hit_head[write][bank] == SY_NIL && ba->miss_head[write][bank] == SY_NIL)
        ba_offer(ch, write, bank); /* its last request: the lanes fall silent */
    ba_column_done(ch, bank, write, t, m);
    return write ? SY_STOP_WRITE : SY_STOP_READ;
}

/* The row is open for the scheduler: the request waits for its column command in a place of its own. */
static void ba_row_open(struct sy_dram_channel *ch, uint32_t bank, uint32_t row, int32_t t)
{
    open_bank(ch, bank, row, t);
    ch->by_age.active_banks |= UINT64_C(1) << bank;
    ba_bank_opened(ch, bank);
}

static unsigned ba_issue_row(struct sy_dram_channel *ch, uint32_t write, uint32_t bank, int32_t t, int m)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t entry = ba->miss_head[write][bank];
    if (ch->open >> bank & 1) {
        ba_count(queue, entry, &ch->counts.row_conflicts);
        command_precharge(ch, bank, t, m);
        ba_bank_closed(ch, bank);
        return 0;
    }
    ba_count(queue, entry, &ch->counts.row_misses);
    ba->miss_head[write][bank] = queue->next[entry];
    command_activate(ch, bank, queue->row[entry], t, m);
    ba->active[ba->actives++] = (struct sy_dram_active){
        .ready = write ? ch->bank_write[bank] : ch->bank_read[bank],
        .accepted = queue->accepted[entry],
        .soonest = t + min32(ch->plan->act_read, ch->plan->act_write),
        .bank = (uint8_t)bank,
        .source = queue->source[entry],
        .write = write,
    };
    ba->active_writes += write;
    ba->active_bound = min32(ba->active_bound, ba->active[ba->actives - 1].ready);
    const uint32_t row = queue->row[entry];
    ba_free(queue, entry);
    if (ba->miss_head[write][bank] == SY_NIL)
        ba_offer(ch, write, bank); /* its last request: the lanes fall silent */
    if (ch->plan->split_activate) {
        /* not ready before its second half: kept apart by activating_bank */
        ba->activating_bank = (int32_t)bank;
        ba->activate_deadline = t + ch->plan->split_activate;
        ch->open_row[bank] = row;
        ba->active[ba->actives - 1].ready = SY_NEVER;
        ba_offer_both(ch, bank);
    } else {
        ba_row_open(ch, bank, row, t);
    }
    return write ? SY_STOP_WRITE : SY_STOP_READ;
}

static void ba_second_activate(struct sy_dram_channel *ch, int32_t t)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    const uint32_t bank = (uint32_t)ba->activating_bank;
    ba->activating_bank = -1;
    struct sy_dram_active *active = &ba->active[ba->actives - 1];
    active->ready = active->write ? ch->bank_write[bank] : ch->bank_read[bank];
    ba->active_bound = min32(ba->active_bound, active->ready);
    ba->row_bound[0] = ba->row_bound[1] = 0; /* other banks may activate again */
    take_bus(ch, t, 1, false);
    ba_row_open(ch, bank, ch->open_row[bank], t);
}

/* ---- refresh ---- */
static int32_t ba_refresh_clock(const struct sy_dram_channel *ch)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint64_t banks = plan->node_mask[ch->refresh_node];
    const uint32_t first = (uint32_t)__builtin_ctzll(banks);
    if (ch->by_age.active_banks & banks || ch->by_age.activating_bank >= 0)
        return SY_NEVER;
    int32_t clock = max32(ch->now, ch->row_bus_free);
    const uint64_t open = banks & ch->open;
    if (open) {
        clock = max32(clock, ch->s_pre.v[plan->group_of[first]]);
        for (uint64_t m = open; m; m &= m - 1)
            clock = max32(clock, ch->bank_pre[__builtin_ctzll(m)]);
        return clock;
    }
    return refresh_ready(ch, banks);
}

static void ba_refresh_step(struct sy_dram_channel *ch, int32_t t, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint64_t node = plan->node_mask[ch->refresh_node], open = node & ch->open;
    if (open) { /* one command precharges all of them */
        for (uint64_t left = open; left; left &= left - 1) {
            const uint32_t bank = (uint32_t)__builtin_ctzll(left);
            command_precharge(ch, bank, t, m);
            ch->counts.refresh_precharges++;
            ch->refresh_closed |= UINT64_C(1) << bank;
            ba_bank_closed(ch, bank);
        }
        return;
    }
    const uint64_t banks = sy_dram_channel_refreshed(ch, t);
    take_bus(ch, t, 1, false);
    if (plan->refresh_other > 0)
        lanes_raise_masked(&ch->s_act, &plan->domain_mask[plan->domain_of[__builtin_ctzll(banks)]],
                           t + plan->refresh_other, m);
    ch->blocked &= ~banks;
    for (uint64_t left = banks; left; left &= left - 1)
        ba_offer_both(ch, (uint32_t)__builtin_ctzll(left));
}

static void ba_refresh_due(struct sy_dram_channel *ch)
{
    const uint64_t banks = sy_dram_channel_refresh_due(ch);
    if (ch->plan->refresh_blocks_channel)
        return;
    ch->blocked |= banks;
    for (uint64_t m = banks; m; m &= m - 1)
        ba_offer_both(ch, (uint32_t)__builtin_ctzll(m));
}

/* Timeout policy: a row nobody waits for closes after page_timeout idle clocks. */
static int32_t ba_timeout_clock(const struct sy_dram_channel *ch, uint32_t *bank)
{
    const struct sy_dram_by_age *ba = &ch->by_age;
    int32_t best = SY_NEVER;
    for (uint64_t m = ch->open & ~ch->blocked & ~ba->active_banks; m; m &= m - 1) {
        const uint32_t b = (uint32_t)__builtin_ctzll(m);
        if (ba->hit_head[0][b] != SY_NIL || ba->hit_head[1][b] != SY_NIL)
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

/* ---- the tick ---- */
struct ba_choice { /* what may issue next, and when; one bus: `row` stands for rows and columns */
    int32_t active, refresh, timeout;
    struct ba_next column, row;
    uint32_t active_index, timeout_bank, write;
};

/* May requests still in the buffers be served? */
INLINE bool ba_serving(const struct sy_dram_channel *ch)
{
    return !ch->pending_refreshes || !ch->plan->refresh_blocks_channel;
}

INLINE unsigned ba_issue_key(struct sy_dram_channel *ch, uint32_t write, int32_t key, int32_t t, int m)
{
    const uint32_t bank = ba_bank(key);
    if (ba_is_hit(ch, write, key))
        return ba_issue_hit(ch, write, bank, t, m);
    return ba_issue_row(ch, write, bank, t, m);
}

/* The data clock of LPDDR5: when it has stopped, a column command needs a CAS in the clock before it and may therefore
 * issue one later. Returns false when the second half of a split activate cannot wait for both and goes first. */
INLINE bool ba_data_clock(struct sy_dram_channel *ch, int32_t *t)
{
    if (!ch->plan->data_clock_sync || *t < ch->by_age.data_clock_until)
        return true;
    if (ch->by_age.activating_bank >= 0 && ch->by_age.activate_deadline <= *t + 1) {
        ba_second_activate(ch, *t);
        return false;
    }
    ++*t;
    return true;
}

static void ba_close_idle(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int m)
{
    command_precharge(ch, bank, t, m);
    ba_bank_closed(ch, bank);
}

/* One command bus: the activated requests first, then refresh, then the buffer. Returns what fell free; *t becomes the
 * clock of the last command. */
INLINE unsigned ba_tick_one_bus(struct sy_dram_channel *ch, const struct ba_choice *choice, int32_t *t, int m)
{
    if (choice->active <= *t) {
        if (ba_data_clock(ch, t))
            ba_issue_active(ch, choice->active_index, *t, m);
    } else if (choice->refresh <= *t) {
        ba_refresh_step(ch, *t, m);
    } else if (choice->row.clock <= *t) {
        if (!ba_is_hit(ch, choice->write, choice->row.key) || ba_data_clock(ch, t))
            return ba_issue_key(ch, choice->write, choice->row.key, *t, m);
    } else if (choice->timeout <= *t) {
        ba_close_idle(ch, choice->timeout_bank, *t, m);
    }
    return 0;
}

/* Whether a column command in a bank at t changed the row command that may issue with it: it delays the row commands of
 * its own bank and of no other. In order, it makes way for the next request. */
INLINE bool ba_row_moved(const struct sy_dram_channel *ch, uint32_t write, const struct ba_next *row, uint32_t bank,
                         int32_t t)
{
    const uint32_t lane = ch->plan->lane_of[bank];
    const bool was_its_own = row->clock <= t && ba_bank(row->key) == bank;
    return was_its_own || ch->plan->scheduler == SY_DRAM_FCFS || ch->activate[write].v[lane] <= t ||
           ch->precharge[write].v[lane] <= t;
}

/* A bus each for columns and rows: one of either in a tick, the column first. */
INLINE unsigned ba_tick_two_buses(struct sy_dram_channel *ch, struct ba_choice *choice, int32_t t, int n, int m)
{
    unsigned freed = 0;
    bool changed = true;
    uint32_t bank = ba_bank(choice->column.key);
    if (choice->active <= t) {
        bank = ch->by_age.active[choice->active_index].bank;
        ba_issue_active(ch, choice->active_index, t, m);
    } else if (choice->column.clock <= t) {
        freed = ba_issue_key(ch, choice->write, choice->column.key, t, m);
    } else {
        changed = false;
    }
    if (ch->pending_refreshes) {
        if ((changed ? ba_refresh_clock(ch) : choice->refresh) <= t) {
            ba_refresh_step(ch, t, m);
            return freed;
        }
        if (ch->plan->refresh_blocks_channel)
            return freed;
    }
    if (changed) { /* the column may have changed the mode and the rows wanted */
        const uint32_t write = ba_mode(ch);
        if (write != choice->write || ba_row_moved(ch, write, &choice->row, bank, t)) {
            choice->row.clock = ch->by_age.row_bound[write];
            if (choice->row.clock <= t)
                choice->row = ba_look(ch, write, false, true, n, m);
        }
        choice->write = write;
        choice->timeout =
            ch->plan->page == SY_DRAM_PAGE_TIMEOUT ? ba_timeout_clock(ch, &choice->timeout_bank) : SY_NEVER;
    }
    if (choice->row.clock <= t)
        freed |= ba_issue_key(ch, choice->write, choice->row.key, t, m);
    else if (choice->timeout <= t)
        ba_close_idle(ch, choice->timeout_bank, t, m);
    return freed;
}

/* Make sure that what is due first is known and not only bounded from below: look closer at whatever its bound lets
 * come first, until nothing does. Returns that clock. */
INLINE int32_t ba_first(struct sy_dram_channel *ch, struct ba_choice *choice, bool known, int n, int m)
{
    const bool two_buses = ch->plan->two_buses;
    bool active = known, column = choice->column.clock >= SY_NEVER, row = choice->row.clock >= SY_NEVER;
    for (;;) {
        const int32_t buffered = min32(choice->column.clock, choice->row.clock);
        const int32_t event = min32(min32(choice->active, buffered), min32(choice->refresh, choice->timeout));
        if (!active && choice->active <= event) {
            choice->active = ba_active_clock(ch, &choice->active_index);
            active = true;
        } else if (!column && choice->column.clock <= event) {
            choice->column = ba_look(ch, choice->write, true, false, n, m);
            column = true;
        } else if (!row && choice->row.clock <= event) {
            choice->row = two_buses ? ba_look(ch, choice->write, false, true, n, m)
                                    : ba_look(ch, choice->write, true, true, n, m);
            row = true;
        } else {
            return event;
        }
    }
}

/* Everything that could issue from now on; requests in the buffers are not looked at when an activated one goes now. */
INLINE int32_t ba_choose(struct sy_dram_channel *ch, struct ba_choice *choice, int n, int m)
{
    const struct sy_dram_plan *plan = ch->plan;
    const struct sy_dram_by_age *ba = &ch->by_age;
    *choice =
        (struct ba_choice){.refresh = SY_NEVER, .timeout = SY_NEVER, .column.clock = SY_NEVER, .row.clock = SY_NEVER};
    choice->active = max32(ba->active_bound, max32(ch->now, ch->column_bus_free));
    const bool known = choice->active <= ch->now;
    if (known)
        choice->active = ba_active_clock(ch, &choice->active_index);
    if (choice->active > ch->now || plan->two_buses) {
        if (ch->pending_refreshes)
            choice->refresh = ba_refresh_clock(ch);
        if (ba_serving(ch) && (choice->refresh > ch->now || plan->two_buses)) {
            choice->write = ba_mode(ch);
            const int32_t column = max32(ba->column_bound[choice->write], max32(ch->now, ch->column_bus_free));
            const int32_t row = max32(ba->row_bound[choice->write], max32(ch->now, ch->row_bus_free));
            choice->row.clock = plan->two_buses ? row : min32(column, row);
            if (plan->two_buses)
                choice->column.clock = column;
            if (plan->page == SY_DRAM_PAGE_TIMEOUT)
                choice->timeout = ba_timeout_clock(ch, &choice->timeout_bank);
        }
    }
    return ba_first(ch, choice, known, n, m);
}

INLINE int32_t ba_run(struct sy_dram_channel *ch, int32_t limit, unsigned stop, int n, int m)
{
    for (;;) {
        if (ch->now >= limit)
            return stop_at_limit(ch, limit, ch->now);
        if (ch->now >= ch->next_refresh)
            ba_refresh_due(ch);
        struct ba_choice choice;
        const int32_t event = ba_choose(ch, &choice, n, m);
        if (ch->by_age.activating_bank >= 0 && (event > ch->now || ch->by_age.activate_deadline <= ch->now)) {
            ba_second_activate(ch, ch->now); /* the first idle clock, or the last one allowed */
            ch->now++;
            continue;
        }
        if (event >= ch->next_refresh) {
            if (ch->next_refresh >= limit)
                return stop_at_limit(ch, limit, ch->next_refresh);
            ch->now = max32(ch->now, ch->next_refresh);
            continue;
        }
        if (event >= limit)
            return stop_at_limit(ch, limit, event);
        int32_t t = ch->now = event;
        const unsigned freed =
            ch->plan->two_buses ? ba_tick_two_buses(ch, &choice, t, n, m) : ba_tick_one_bus(ch, &choice, &t, m);
        ch->now = t + 1;
        if (freed & stop || (stop & SY_STOP_DRAINED && !ch->waiting_reads))
            return t;
    }
}
