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
    const struct sy_dram_by_age *ba = &ch->by_age;
    const struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t hit = ba->hit_head[write][bank], miss = ba->miss_head[write][bank];
    int32_t column = SY_NEVER, activate = SY_NEVER, precharge = SY_NEVER, hit_age = SY_AGE_NONE, row_age = SY_AGE_NONE;
    const bool free = !(ch->blocked >> bank & 1) && ba->activating_bank != (int32_t)bank;
    if (hit != SY_NIL) {
        hit_age = queue->age[hit] << 6 | (int32_t)bank;
        if (free)
            column = write ? ch->bank_write[bank] : ch->bank_read[bank];
    }
    if (miss != SY_NIL) {
        row_age = queue->age[miss] << 6 | (int32_t)bank;
        if (free && !(ch->open >> bank & 1)) {
            activate = ch->bank_act[bank];
        } else if (free && !(ba->active_banks >> bank & 1)) {
            /* a request that arrived no later keeps the row it hits */
            const bool kept = ch->plan->scheduler == SY_DRAM_FRFCFS_ROWHIT && hit != SY_NIL &&
                              queue->accepted[hit] <= queue->accepted[miss];
            if (!kept)
                precharge = ch->bank_pre[bank];
        }
    }
    lane_set(&ch->column[write], bank, column);
    lane_set(&ch->activate[write], bank, activate);
    lane_set(&ch->precharge[write], bank, precharge);
    lane_set(&ch->by_age.hit_age[write], bank, hit_age);
    lane_set(&ch->by_age.row_age[write], bank, row_age);
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
INLINE int32_t ba_active_clock(const struct sy_dram_channel *ch, int32_t now, uint32_t *index)
{
    const struct sy_dram_by_age *ba = &ch->by_age;
    const int32_t from = max32(now, ch->column_bus_free) | ch->plan->edge;
    int32_t best = SY_NEVER, best_accepted = INT32_MAX;
    for (uint32_t i = 0; i < ba->actives; i++) {
        const struct sy_dram_active *active = &ba->active[i];
        const int32_t shared = active->write ? ch->s_write.v[active->bank] : ch->s_read.v[active->bank];
        const int32_t clock = max32(max32(active->ready, shared) | ch->plan->edge, from);
        if (clock < best || (clock == best && active->accepted < best_accepted)) {
            best = clock;
            best_accepted = active->accepted;
            *index = i;
        }
    }
    return best;
}

/* What one buffer offers next: the earliest clock, and the oldest request whose command may issue then. */
struct ba_next {
    int32_t clock, key;
};

/* Columns, rows or both of a buffer from `now` on. A pending split activate forbids another: its mask pushes all
 * activates beyond SY_NEVER. */
INLINE struct ba_next ba_scan(const struct sy_dram_channel *ch, uint32_t write, int32_t now, bool columns, bool rows,
                              int n)
{
    const vec column_from = splat(max32(now, ch->column_bus_free)), row_from = splat(max32(now, ch->row_bus_free));
    const vec edge = splat(ch->plan->edge), activates = splat(ch->by_age.activating_bank >= 0 ? SY_NEVER : 0);
    const struct sy_lanes *shared = write ? &ch->s_write : &ch->s_read;
    vec column[SY_LANES_MAX / SY_LANES], row[SY_LANES_MAX / SY_LANES];
    vec best = splat(SY_NEVER);
    for (int i = 0; i < n; i++) {
        if (columns) {
            column[i] = V_MAX(V_MAX(lanes_at(&ch->column[write], i), lanes_at(shared, i)), column_from) | edge;
            best = V_MIN(best, column[i]);
        }
        if (rows) {
            const vec activate = V_MAX(V_MAX(lanes_at(&ch->activate[write], i), lanes_at(&ch->s_act, i)), row_from);
            const vec precharge = V_MAX(V_MAX(lanes_at(&ch->precharge[write], i), lanes_at(&ch->s_pre, i)), row_from);
            row[i] = V_MIN(activate | edge | activates, precharge);
            best = V_MIN(best, row[i]);
        }
    }
    struct ba_next next = {.clock = v_lowest(best), .key = SY_AGE_NONE};
    if (next.clock >= SY_NEVER)
        return next;
    const vec at = splat(next.clock), none = splat(SY_AGE_NONE);
    vec oldest = none;
    for (int i = 0; i < n; i++) {
        if (columns) {
            const vec ready = column[i] <= at;
            oldest = V_MIN(oldest, (lanes_at(&ch->by_age.hit_age[write], i) & ready) | (none & ~ready));
        }
        if (rows) {
            const vec ready = row[i] <= at;
            oldest = V_MIN(oldest, (lanes_at(&ch->by_age.row_age[write], i) & ready) | (none & ~ready));
        }
    }
    next.key = v_lowest(oldest);
    return next;
}

INLINE bool ba_is_hit(const struct sy_dram_channel *ch, uint32_t write, int32_t key)
{
    return ch->by_age.hit_age[write].v[key & 63] == key;
}

/* First come first served: the oldest request of the buffer alone may go. */
static struct ba_next ba_scan_fcfs(const struct sy_dram_channel *ch, uint32_t write, int32_t now, bool columns,
                                   bool rows, int n)
{
    struct ba_next next = {.clock = SY_NEVER, .key = SY_AGE_NONE};
    vec oldest = splat(SY_AGE_NONE);
    for (int i = 0; i < n; i++)
        oldest = V_MIN(oldest, V_MIN(lanes_at(&ch->by_age.hit_age[write], i), lanes_at(&ch->by_age.row_age[write], i)));
    next.key = v_lowest(oldest);
    if (next.key == SY_AGE_NONE)
        return next;
    const uint32_t b = (uint32_t)next.key & 63;
    if (ba_is_hit(ch, write, next.key)) {
        const int32_t shared = write ? ch->s_write.v[b] : ch->s_read.v[b];
        const int32_t from = max32(now, ch->column_bus_free);
        next.clock = columns ? max32(max32(ch->column[write].v[b], shared), from) | ch->plan->edge : SY_NEVER;
        return next;
    }
    if (!rows)
        return next;
    const int32_t from = max32(now, ch->row_bus_free);
    if (ch->open >> b & 1)
        next.clock = max32(max32(ch->precharge[write].v[b], ch->s_pre.v[b]), from);
    else if (ch->by_age.activating_bank < 0)
        next.clock = max32(max32(ch->activate[write].v[b], ch->s_act.v[b]), from) | ch->plan->edge;
    return next;
}

INLINE struct ba_next ba_look(const struct sy_dram_channel *ch, uint32_t write, int32_t now, bool columns, bool rows,
                              int n)
{
    if (__builtin_expect(ch->plan->scheduler == SY_DRAM_FCFS, 0))
        return ba_scan_fcfs(ch, write, now, columns, rows, n);
    return ba_scan(ch, write, now, columns, rows, n);
}

/* ---- issue ---- */
INLINE void ba_count(struct sy_dram_queue *queue, uint8_t entry, uint64_t *kind)
{
    *kind += !queue->counted[entry];
    queue->counted[entry] = true;
}

INLINE void ba_column_done(struct sy_dram_channel *ch, uint32_t bank, bool write, int32_t t, int n)
{
    if (ch->plan->data_clock_sync)
        ch->by_age.data_clock_until =
            max32(ch->by_age.data_clock_until, t + (write ? ch->plan->data_clock_write : ch->plan->data_clock_read));
    if (command_column(ch, bank, write, ch->by_age.active_banks >> bank & 1, t, n)) {
        ba_bank_closed(ch, bank);
        return;
    }
    ba_offer_both(ch, bank);
}

static void ba_issue_active(struct sy_dram_channel *ch, uint32_t index, int32_t t, int n)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    const struct sy_dram_active active = ba->active[index];
    ba->actives--;
    for (uint32_t i = index; i < ba->actives; i++)
        ba->active[i] = ba->active[i + 1];
    ba->active_banks &= ~(UINT64_C(1) << active.bank);
    if (!active.write)
        note_read(ch, active.accepted, active.source, t);
    ba_column_done(ch, active.bank, active.write, t, n);
}

static unsigned ba_issue_hit(struct sy_dram_channel *ch, uint32_t write, uint32_t bank, int32_t t, int n)
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
    ba_column_done(ch, bank, write, t, n);
    return write ? SY_STOP_WRITE : SY_STOP_READ;
}

/* The row is open for the scheduler: the request waits for its column command in a place of its own. */
static void ba_row_open(struct sy_dram_channel *ch, uint32_t bank, uint32_t row, int32_t t)
{
    open_bank(ch, bank, row, t);
    ch->by_age.active_banks |= UINT64_C(1) << bank;
    ba_bank_opened(ch, bank);
}

static unsigned ba_issue_row(struct sy_dram_channel *ch, uint32_t write, uint32_t bank, int32_t t, int n)
{
    struct sy_dram_by_age *ba = &ch->by_age;
    struct sy_dram_queue *queue = &ch->queue[write];
    const uint8_t entry = ba->miss_head[write][bank];
    if (ch->open >> bank & 1) {
        ba_count(queue, entry, &ch->counts.row_conflicts);
        command_precharge(ch, bank, t, n);
        ba_bank_closed(ch, bank);
        return 0;
    }
    ba_count(queue, entry, &ch->counts.row_misses);
    ba->miss_head[write][bank] = queue->next[entry];
    command_activate(ch, bank, queue->row[entry], t, n);
    ba->active[ba->actives++] = (struct sy_dram_active){
        .ready = write ? ch->bank_write[bank] : ch->bank_read[bank],
        .accepted = queue->accepted[entry],
        .bank = (uint8_t)bank,
        .source = queue->source[entry],
        .write = write,
    };
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
        clock = max32(clock, ch->s_pre.v[first]);
        for (uint64_t m = open; m; m &= m - 1)
            clock = max32(clock, ch->bank_pre[__builtin_ctzll(m)]);
        return clock;
    }
    return refresh_ready(ch, banks);
}

static void ba_refresh_step(struct sy_dram_channel *ch, int32_t t, int n)
{
    const struct sy_dram_plan *plan = ch->plan;
    const uint64_t node = plan->node_mask[ch->refresh_node], open = node & ch->open;
    if (open) { /* one command precharges all of them */
        for (uint64_t m = open; m; m &= m - 1) {
            const uint32_t bank = (uint32_t)__builtin_ctzll(m);
            command_precharge(ch, bank, t, n);
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
                           t + plan->refresh_other, n);
    ch->blocked &= ~banks;
    for (uint64_t m = banks; m; m &= m - 1)
        ba_offer_both(ch, (uint32_t)__builtin_ctzll(m));
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
        clock = max32(max32(clock, ch->s_pre.v[b]), max32(ch->now, ch->row_bus_free));
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

INLINE void ba_choose_buffered(struct sy_dram_channel *ch, struct ba_choice *choice, int n)
{
    choice->write = ba_mode(ch);
    if (ch->plan->two_buses) {
        choice->column = ba_look(ch, choice->write, ch->now, true, false, n);
        choice->row = ba_look(ch, choice->write, ch->now, false, true, n);
    } else {
        choice->row = ba_look(ch, choice->write, ch->now, true, true, n);
    }
    if (ch->plan->page == SY_DRAM_PAGE_TIMEOUT)
        choice->timeout = ba_timeout_clock(ch, &choice->timeout_bank);
}

INLINE unsigned ba_issue_key(struct sy_dram_channel *ch, uint32_t write, int32_t key, int32_t t, int n)
{
    const uint32_t bank = (uint32_t)key & 63;
    if (ba_is_hit(ch, write, key))
        return ba_issue_hit(ch, write, bank, t, n);
    return ba_issue_row(ch, write, bank, t, n);
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

static void ba_close_idle(struct sy_dram_channel *ch, uint32_t bank, int32_t t, int n)
{
    command_precharge(ch, bank, t, n);
    ba_bank_closed(ch, bank);
}

/* One command bus: the activated requests first, then refresh, then the buffer. Returns what fell free; *t becomes the
 * clock of the last command. */
INLINE unsigned ba_tick_one_bus(struct sy_dram_channel *ch, const struct ba_choice *choice, int32_t *t, int n)
{
    if (choice->active <= *t) {
        if (ba_data_clock(ch, t))
            ba_issue_active(ch, choice->active_index, *t, n);
    } else if (choice->refresh <= *t) {
        ba_refresh_step(ch, *t, n);
    } else if (choice->row.clock <= *t) {
        if (!ba_is_hit(ch, choice->write, choice->row.key) || ba_data_clock(ch, t))
            return ba_issue_key(ch, choice->write, choice->row.key, *t, n);
    } else if (choice->timeout <= *t) {
        ba_close_idle(ch, choice->timeout_bank, *t, n);
    }
    return 0;
}

/* Whether a column command in a bank at t changed the row command that may issue with it: it delays the row commands of
 * its own bank and of no other. In order, it makes way for the next request. */
INLINE bool ba_row_moved(const struct sy_dram_channel *ch, uint32_t write, const struct ba_next *row, uint32_t bank,
                         int32_t t)
{
    const bool was_its_own = row->clock <= t && ((uint32_t)row->key & 63) == bank;
    return was_its_own || ch->plan->scheduler == SY_DRAM_FCFS || ch->activate[write].v[bank] <= t ||
           ch->precharge[write].v[bank] <= t;
}

/* A bus each for columns and rows: one of either in a tick, the column first. */
INLINE unsigned ba_tick_two_buses(struct sy_dram_channel *ch, struct ba_choice *choice, int32_t t, int n)
{
    unsigned freed = 0;
    bool changed = true;
    uint32_t bank = (uint32_t)choice->column.key & 63;
    if (choice->active <= t) {
        bank = ch->by_age.active[choice->active_index].bank;
        ba_issue_active(ch, choice->active_index, t, n);
    } else if (choice->column.clock <= t) {
        freed = ba_issue_key(ch, choice->write, choice->column.key, t, n);
    } else {
        changed = false;
    }
    if (ch->pending_refreshes) {
        if ((changed ? ba_refresh_clock(ch) : choice->refresh) <= t) {
            ba_refresh_step(ch, t, n);
            return freed;
        }
        if (ch->plan->refresh_blocks_channel)
            return freed;
    }
    if (changed) { /* the column may have changed the mode and the rows wanted */
        const uint32_t write = ba_mode(ch);
        if (write != choice->write || ba_row_moved(ch, write, &choice->row, bank, t))
            choice->row = ba_look(ch, write, t, false, true, n);
        choice->write = write;
        choice->timeout =
            ch->plan->page == SY_DRAM_PAGE_TIMEOUT ? ba_timeout_clock(ch, &choice->timeout_bank) : SY_NEVER;
    }
    if (choice->row.clock <= t)
        freed |= ba_issue_key(ch, choice->write, choice->row.key, t, n);
    else if (choice->timeout <= t)
        ba_close_idle(ch, choice->timeout_bank, t, n);
    return freed;
}

/* Everything that could issue from `now` on; requests in the buffers are not looked at when an activated one goes now.
 */
INLINE int32_t ba_choose(struct sy_dram_channel *ch, struct ba_choice *choice, int n)
{
    const bool two_buses = ch->plan->two_buses;
    choice->refresh = choice->timeout = choice->column.clock = choice->row.clock = SY_NEVER;
    choice->active_index = 0;
    choice->active = ba_active_clock(ch, ch->now, &choice->active_index);
    if (choice->active > ch->now || two_buses) {
        if (ch->pending_refreshes)
            choice->refresh = ba_refresh_clock(ch);
        if (ba_serving(ch) && (choice->refresh > ch->now || two_buses))
            ba_choose_buffered(ch, choice, n);
    }
    const int32_t buffered = min32(choice->column.clock, choice->row.clock);
    const int32_t command = min32(min32(choice->active, choice->refresh), buffered);
    return min32(command, choice->timeout);
}

INLINE int32_t ba_run(struct sy_dram_channel *ch, int32_t limit, unsigned stop, int n)
{
    for (;;) {
        if (ch->now >= limit)
            return stop_at_limit(ch, limit, ch->now);
        if (ch->now >= ch->next_refresh)
            ba_refresh_due(ch);
        struct ba_choice choice;
        const int32_t event = ba_choose(ch, &choice, n);
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
        int32_t t = event;
        const unsigned freed =
            ch->plan->two_buses ? ba_tick_two_buses(ch, &choice, t, n) : ba_tick_one_bus(ch, &choice, &t, n);
        ch->now = t + 1;
        if (freed & stop || (stop & SY_STOP_DRAINED && !ch->waiting_reads))
            return t;
    }
}
