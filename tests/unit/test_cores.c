/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal cores share a layer exactly: what P cores count together is what P runs of one core, each with its own share
 * of the layer and the same tiles, count one by one; and the largest share takes the time.
 */
#include "tests/unit/engine_support.h"

#include "sim/map/cores.h"

enum { M, K, N, G, DIMS };

static const struct sy_replay_options event_shared = {
    .fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED, .kernel = SCK_HEAP};

START_TEST(shares_sum_to_the_size_and_differ_by_one_at_most)
{
    uint64_t seed = 4242;
    for (int i = 0; i < 100000; i++) {
        uint64_t size = draw(&seed, 0, 1000), cores = draw(&seed, 1, 64);
        struct sy_core_shares s = sy_core_shares(size, cores);
        ck_assert_uint_eq(s.cores + s.less_cores, cores);
        ck_assert_uint_ge(s.cores, 1);
        ck_assert_uint_eq(s.share, (size + cores - 1) / cores);
        ck_assert(s.share > 0 || s.less_cores == 0);
        ck_assert_uint_eq(s.share * s.cores + (s.less_cores ? (s.share - 1) * s.less_cores : 0), size);
    }
}
END_TEST

/* The schedule of a case: the same tiles whatever the share. */
struct tiles {
    uint64_t tile[3];
    const char *order[3];
    uint64_t levels, outer; /* outermost tile = innermost one times this */
};

static struct tiles random_tiles(uint64_t *seed, const struct machine *m)
{
    static const char *const orders[] = {"mnk", "nmk", "mkn", "kmn", "nkm", "knm"};
    struct tiles t = {.levels = m->middle_kib ? 3 : 2, .outer = draw(seed, 1, 3)};
    for (int d = 0; d < 3; d++)
        t.tile[d] = draw(seed, 1, 40);
    t.order[0] = orders[draw(seed, 0, 1)];
    for (int l = 1; l < 3; l++)
        t.order[l] = orders[draw(seed, 0, 5)];
    return t;
}

static const char *gemm_text(struct sy_buf *out, const uint64_t size[DIMS], const struct tiles *t, const char *post)
{
    sy_buf_clear(out);
    sy_buf_printf(out, "systole-trace 1\nnet t\ngemm l m=%llu k=%llu n=%llu g=%llu a=a:int8 b=b:int8:weight y=y:int8%s",
                  (unsigned long long)size[M], (unsigned long long)size[K], (unsigned long long)size[N],
                  (unsigned long long)size[G], post);
    for (uint64_t l = 0; l < t->levels; l++) {
        uint64_t times = l == 2 ? t->outer : 1;
        sy_buf_printf(out, " tile%llu=%llu,%llu,%llu order%llu=%s", (unsigned long long)l,
                      (unsigned long long)(t->tile[0] * times), (unsigned long long)(t->tile[1] * times),
                      (unsigned long long)(t->tile[2] * times), (unsigned long long)l, t->order[l]);
    }
    sy_buf_puts(out, "\nend 1\n");
    return out->data;
}

/* What is compared: everything that is counted over all cores. */
struct counts {
    uint64_t macs, read[SY_MAX_LEVELS], write[SY_MAX_LEVELS], fill[64], drain[64], dram[2], vector[4];
};

static void add_counts(struct counts *sum, const struct sy_result *r)
{
    sum->macs += r->macs;
    for (uint32_t l = 0; l < r->levels; l++) {
        sum->read[l] += r->level[l].read_bytes;
        sum->write[l] += r->level[l].write_bytes;
    }
    for (uint32_t l = 0; l < r->links; l++) {
        sum->fill[l] += r->link[l].fill_bytes;
        sum->drain[l] += r->link[l].drain_bytes;
    }
    sum->dram[0] += r->dram_read_bytes;
    sum->dram[1] += r->dram_write_bytes;
    const uint64_t vector[4] = {r->vector.elements, r->vector.simple_ops, r->vector.transcendental_ops,
                                r->vector.reduce_ops};
    for (int i = 0; i < 4; i++)
        sum->vector[i] += vector[i];
}

/* Groups, else N, else M: docs/model-engine.md. */
static int split_of(const struct machine *m, const uint64_t size[DIMS])
{
    uint64_t folds = (size[N] + m->cols * m->arrays - 1) / (m->cols * m->arrays);
    if (size[G] >= m->cores)
        return G;
    return folds >= m->cores || size[M] < m->cores ? N : M;
}

/* One core at its part of the bandwidth, with its share. */
static struct sy_result *run_share(struct machine m, uint64_t parts, const uint64_t size[DIMS], const struct tiles *t,
                                   const char *post)
{
    struct sy_buf text = {0};
    m.dram_gbs /= (double)parts;
    m.cores = 1;
    struct sy_chip *chip = machine_chip(&m);
    struct sy_result *result = must_run(chip, "t", gemm_text(&text, size, t, post), &event_shared);
    sy_chip_destroy(chip);
    sy_buf_free(&text);
    return result;
}

static void check_against_shares(const struct machine *m, const uint64_t size[DIMS], const struct tiles *t,
                                 const char *post, const struct sy_result *all, const char *text)
{
    const int dim = split_of(m, size);
    struct counts want = {0}, have = {0};
    uint64_t largest = 0, from = 0; /* the time of the largest share, which is the first */
    const uint64_t at_work = sy_min(m->cores, size[dim]);
    for (uint64_t core = 0; core < m->cores; core++) {
        uint64_t share[DIMS], to = from + (size[dim] + m->cores - 1 - core) / m->cores;
        memcpy(share, size, sizeof share);
        share[dim] = to - from;
        from = to;
        if (!share[dim])
            continue;
        struct sy_result *one = run_share(*m, at_work, share, t, post);
        add_counts(&want, one);
        largest = core ? largest : one->cycles;
        sy_result_destroy(one);
    }
    ck_assert_uint_eq(from, size[dim]);
    add_counts(&have, all);
    ck_assert_msg(!memcmp(&want, &have, sizeof want), "%llu cores, split %d: dram %llu %llu, want %llu %llu\n%s",
                  (unsigned long long)m->cores, dim, (unsigned long long)have.dram[0], (unsigned long long)have.dram[1],
                  (unsigned long long)want.dram[0], (unsigned long long)want.dram[1], text);
    if (m->middle_kib) /* its own bandwidth is not divided above */
        return;
    if (dim != G || size[dim] % at_work == 0) {
        ck_assert_msg(all->cycles == largest, "%llu cycles, want %llu\n%s", (unsigned long long)all->cycles,
                      (unsigned long long)largest, text);
        return;
    }
    /* Some cores have a group more than the others, who are idle then and leave them their part of the bandwidth. */
    uint64_t share[DIMS];
    memcpy(share, size, sizeof share);
    share[G] = size[G] / at_work + 1;
    struct sy_result *fast = run_share(*m, size[G] % at_work, share, t, post);
    ck_assert_msg(all->cycles <= largest && all->cycles + 1 >= fast->cycles, "%llu cycles, want %llu to %llu\n%s",
                  (unsigned long long)all->cycles, (unsigned long long)fast->cycles, (unsigned long long)largest, text);
    sy_result_destroy(fast);
}

START_TEST(cores_count_what_their_shares_count_one_by_one)
{
    static const char *const posts[] = {"", " post=relu",
                                        " post=gelu"}; /* no bias: its bytes do not follow the elements */
    uint64_t seed = 99 + (uint64_t)_i, ran = 0, ragged = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(120); round++) {
        struct machine m = random_machine(&seed);
        m.cores = draw(&seed, 2, 9);
        m.split = NULL;
        m.crossbar = false;
        m.burst = 1; /* rows of a share lie as they do in a tensor of its own */
        m.dataflows = draw(&seed, 0, 1) ? "[ws]" : "[os]";
        uint64_t size[DIMS] = {draw(&seed, 1, 90), draw(&seed, 1, 90), draw(&seed, 1, 90),
                               draw(&seed, 0, 2) ? 1 : draw(&seed, 2, 12)};
        m.dram_gbs = (double)sy_min(m.cores, size[split_of(&m, size)]) * (double)draw(&seed, 1, 8);
        struct tiles t = random_tiles(&seed, &m);
        /* Cores with the smaller share do the same steps but those whose tile is nothing for them. A run of their own
         * has fewer tiles then, and may keep what the others bring again: so every tile leaves them something. */
        int dim = split_of(&m, size);
        if (dim != G && (size[dim] / m.cores) % t.tile[dim] == 0)
            t.tile[dim] += 1 + size[dim];
        const char *post = posts[draw(&seed, 0, 2)];
        struct sy_chip *chip = machine_chip(&m);
        struct log_sink said;
        struct sy_result *all = run_trace(chip, "t", gemm_text(&text, size, &t, post), &event_shared, &said);
        log_end(&said);
        if (all) {
            check_against_shares(&m, size, &t, post, all, text.data);
            ragged += size[split_of(&m, size)] % m.cores != 0;
            ran++;
        }
        sy_result_destroy(all);
        sy_chip_destroy(chip);
    }
    ck_assert_msg(ran > 60 && ragged > 40, "only %llu ran, %llu of them ragged", (unsigned long long)ran,
                  (unsigned long long)ragged);
    sy_buf_free(&text);
}
END_TEST

/* A product with fewer rows than there are cores: those without one are not in the way of the others. */
START_TEST(idle_cores_hold_no_bandwidth)
{
    uint64_t seed = 4711, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(60); round++) {
        struct machine m = random_machine(&seed), few;
        uint64_t size[DIMS] = {draw(&seed, 1, 4), draw(&seed, 8, 120), draw(&seed, 8, 120), 1};
        m.cores = draw(&seed, size[M] + 1, 9);
        m.split = "m";
        m.dram_gbs = (double)draw(&seed, 1, 16);
        few = m;
        few.cores = size[M];
        sy_buf_clear(&text);
        sy_buf_printf(&text,
                      "systole-trace 1\nnet t\ngemm l m=%llu k=%llu n=%llu a=a:int8 b=b:int8:weight y=y:int8\nend 1\n",
                      (unsigned long long)size[M], (unsigned long long)size[K], (unsigned long long)size[N]);
        struct sy_chip *chip = machine_chip(&m), *other = machine_chip(&few);
        for (int mode = 0; mode < 2; mode++) {
            struct sy_replay_options options = event_shared;
            options.memory = mode ? SY_MEMORY_IDEAL : SY_MEMORY_SHARED;
            options.fidelity = draw(&seed, 0, 1) ? SY_FIDELITY_EVENT : SY_FIDELITY_ANALYTIC;
            struct log_sink said;
            struct sy_result *r = run_trace(chip, "t", text.data, &options, &said);
            log_end(&said);
            if (!r)
                continue;
            struct sy_result *want = must_run(other, "t", text.data, &options);
            ck_assert_msg(r->cycles == want->cycles, "%llu cycles of %llu cores, %llu without the idle ones\n%s%s",
                          (unsigned long long)r->cycles, (unsigned long long)m.cores, (unsigned long long)want->cycles,
                          chip->text, text.data);
            ck_assert_uint_eq(r->dram_read_bytes, want->dram_read_bytes);
            ck_assert_uint_eq(r->dram_write_bytes, want->dram_write_bytes);
            ran++;
            sy_result_destroy(r);
            sy_result_destroy(want);
        }
        sy_chip_destroy(chip);
        sy_chip_destroy(other);
    }
    ck_assert_uint_gt(ran, 60);
    sy_buf_free(&text);
}
END_TEST

/* In a level that they share, every core has tiles of its own: 26 KiB of A and C, and 40 KiB of B unless that is read
 * once for all. The tiles are given, so a layer fits or is refused. */
START_TEST(tiles_of_all_cores_have_room_in_a_level_they_share)
{
    struct sy_buf text = {0};
    struct machine m = plain_machine();
    m.split = "m";
    m.middle_kib = 200;
    m.scratch_kib = 64;
    m.crossbar = true;
    for (m.cores = 2; m.cores <= 9; m.cores++)
        for (int multicast = 0; multicast < 2; multicast++) {
            struct log_sink said;
            m.multicast = multicast;
            sy_buf_clear(&text);
            sy_buf_printf(&text,
                          "systole-trace 1\nnet t\ngemm l m=%llu k=256 n=160 a=a:int8 b=b:int8:weight y=y:int8 "
                          "tile0=64,256,16 order0=mnk tile1=64,256,16 order1=mnk tile2=64,256,160 order2=mnk\nend 1\n",
                          (unsigned long long)(64 * m.cores));
            struct sy_chip *chip = machine_chip(&m);
            struct sy_result *r = run_trace(chip, "t", text.data, &event_shared, &said);
            bool fits = (multicast ? 26 * m.cores + 40 : 66 * m.cores) <= m.middle_kib;
            ck_assert_msg((r != NULL) == fits, "%llu cores, multicast %d: %s", (unsigned long long)m.cores, multicast,
                          log_text(&said));
            log_end(&said);
            sy_result_destroy(r);
            sy_chip_destroy(chip);
        }
    sy_buf_free(&text);
}
END_TEST

/* ---- a split of K ---- */

static const char *const splits[] = {"folds", "estimate", "m", "n", "k", "groups"};
enum { SPLITS = sizeof splits / sizeof splits[0] };

static const char *plain_gemm(struct sy_buf *out, const uint64_t size[DIMS], const char *post)
{
    sy_buf_clear(out);
    sy_buf_printf(
        out, "systole-trace 1\nnet t\ngemm l m=%llu k=%llu n=%llu g=%llu a=a:int8 b=b:int8:weight y=y:int8%s\nend 1\n",
        (unsigned long long)size[M], (unsigned long long)size[K], (unsigned long long)size[N],
        (unsigned long long)size[G], post);
    return out->data;
}

static struct machine random_cores(uint64_t *seed)
{
    struct machine m = random_machine(seed);
    m.cores = draw(seed, 2, 9);
    m.dram_gbs = (double)m.cores * (double)draw(seed, 1, 8);
    return m;
}

static void random_size(uint64_t *seed, uint64_t size[DIMS])
{
    for (int d = 0; d < G; d++)
        size[d] = draw(seed, 1, 120);
    size[G] = draw(seed, 0, 3) ? 1 : draw(seed, 2, 5);
}

static struct sy_result *run_split(struct machine m, const char *split, const char *text,
                                   const struct sy_replay_options *options)
{
    struct log_sink said;
    m.split = split;
    struct sy_chip *chip = machine_chip(&m);
    struct sy_result *result = run_trace(chip, "t", text, options, &said);
    log_end(&said);
    sy_chip_destroy(chip);
    return result;
}

/* Both directions of C's links into the innermost level. */
static void bytes_of_c(const struct sy_result *r, uint64_t *fill, uint64_t *drain)
{
    *fill = *drain = 0;
    for (uint32_t l = 0; l < r->links; l++)
        if (r->link[l].operand == SY_C && r->link[l].child == 0) {
            *fill += r->link[l].fill_bytes;
            *drain += r->link[l].drain_bytes;
        }
}

START_TEST(every_split_does_the_layers_macs_within_the_roofline)
{
    uint64_t seed = 31 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(80); round++) {
        struct machine m = random_cores(&seed);
        uint64_t size[DIMS];
        random_size(&seed, size);
        plain_gemm(&text, size, draw(&seed, 0, 1) ? " post=gelu" : "");
        for (int i = 0; i < SPLITS; i++) {
            struct sy_result *r = run_split(m, splits[i], text.data, &event_shared);
            if (!r)
                continue;
            const double peak = (double)(m.rows * m.cols * m.arrays * m.cores);
            const double bytes = (double)(r->dram_read_bytes + r->dram_write_bytes);
            ck_assert_uint_eq(r->macs, size[M] * size[K] * size[N] * size[G]);
            ck_assert((double)r->cycles * peak >= (double)r->macs);
            ck_assert_msg((double)r->cycles * m.dram_gbs >= bytes * 0.999, "%s: %g bytes in %llu cycles\n%s", splits[i],
                          bytes, (unsigned long long)r->cycles, text.data);
            ran++;
            sy_result_destroy(r);
        }
    }
    ck_assert_uint_gt(ran, 240);
    sy_buf_free(&text);
}
END_TEST

START_TEST(a_split_of_k_exchanges_what_the_closed_form_says)
{
    uint64_t seed = 57 + (uint64_t)_i, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(80); round++) {
        struct machine m = random_cores(&seed);
        uint64_t size[DIMS], fill = 0, drain = 0;
        struct sy_replay_options analytic = event_shared;
        analytic.fidelity = SY_FIDELITY_ANALYTIC;
        random_size(&seed, size);
        /* K in one tile: no sums are spilled besides */
        struct tiles t = {.levels = m.middle_kib ? 3 : 2, .outer = 1, .order = {"mnk", "mnk", "mnk"}};
        t.tile[M] = draw(&seed, 1, 40);
        t.tile[K] = size[K];
        t.tile[N] = draw(&seed, 1, 40);
        gemm_text(&text, size, &t, "");
        struct sy_result *r = run_split(m, "k", text.data, &event_shared);
        if (!r)
            continue;
        struct sy_result *a = run_split(m, "k", text.data, &analytic);
        uint64_t cores = sy_min(m.cores, size[K]), outputs = size[M] * size[N] * size[G];
        bytes_of_c(r, &fill, &drain);
        ck_assert_msg(r->exchanged_bytes == (cores - 1) * outputs * 4, "%llu\n%s",
                      (unsigned long long)r->exchanged_bytes, text.data);
        /* acc > next level: out go the sums of others (the vector unit writes the results); back come one's own. */
        ck_assert_uint_eq(fill, r->exchanged_bytes);
        ck_assert_msg(drain == r->exchanged_bytes + (m.middle_kib ? 0 : outputs), "%llu, %llu exchanged\n%s",
                      (unsigned long long)drain, (unsigned long long)r->exchanged_bytes, text.data);
        ck_assert_uint_ge(r->vector.simple_ops, (cores - 1) * outputs);
        ck_assert_uint_eq(a->exchanged_bytes, r->exchanged_bytes);
        ck_assert_uint_eq(a->dram_read_bytes, r->dram_read_bytes);
        ck_assert_uint_eq(a->dram_write_bytes, r->dram_write_bytes);
        ran++;
        sy_result_destroy(a);
        sy_result_destroy(r);
    }
    ck_assert_uint_gt(ran, 40);
    sy_buf_free(&text);
}
END_TEST

START_TEST(one_core_has_nothing_to_split)
{
    uint64_t seed = 77;
    struct sy_buf text = {0};
    for (int round = 0; round < cases(20); round++) {
        struct machine m = random_cores(&seed);
        m.cores = 1;
        random_workload(&seed, &text, 2);
        struct sy_result *first = run_split(m, splits[0], text.data, &event_shared);
        for (int i = 1; i < SPLITS && first; i++) {
            struct sy_result *r = run_split(m, splits[i], text.data, &event_shared);
            ck_assert_ptr_nonnull(r);
            struct counts a = {0}, b = {0};
            add_counts(&a, first);
            add_counts(&b, r);
            ck_assert_uint_eq(r->cycles, first->cycles);
            ck_assert(!memcmp(&a, &b, sizeof a));
            ck_assert_uint_eq(r->exchanged_bytes, 0);
            sy_result_destroy(r);
        }
        sy_result_destroy(first);
    }
    sy_buf_free(&text);
}
END_TEST

START_TEST(a_long_k_is_worth_its_exchange_and_the_wait_is_named)
{
    struct machine m = plain_machine();
    struct sy_buf text = {0};
    const uint64_t size[DIMS] = {8, 20000, 8, 1};
    m.cores = 4;
    m.dram_gbs = 400;
    plain_gemm(&text, size, "");
    struct sy_result *n = run_split(m, "n", text.data, &event_shared), *k = run_split(m, "k", text.data, &event_shared);
    struct sy_result *best = run_split(m, "estimate", text.data, &event_shared);
    ck_assert_str_eq(n->layer[0].split, "n");
    ck_assert_str_eq(k->layer[0].split, "k");
    ck_assert_str_eq(best->layer[0].split, "k");
    ck_assert_uint_eq(best->cycles, k->cycles);
    ck_assert_msg(k->cycles * 2 < n->cycles, "%llu, %llu", (unsigned long long)k->cycles,
                  (unsigned long long)n->cycles);
    sy_result_destroy(n);
    sy_result_destroy(k);
    sy_result_destroy(best);
    /* Little k, many results: the exchange decides, and the vector unit waits for it. */
    const uint64_t flat[DIMS] = {256, 8, 256, 1};
    m.dram_gbs = 4;
    plain_gemm(&text, flat, "");
    k = run_split(m, "k", text.data, &event_shared);
    best = run_split(m, "estimate", text.data, &event_shared);
    ck_assert_str_ne(best->layer[0].split, "k");
    ck_assert_uint_lt(best->cycles, k->cycles);
    uint64_t waits = 0;
    for (uint32_t u = 0; u < k->units; u++)
        if (!strcmp(k->unit[u].name, "vector"))
            waits = k->unit[u].stall[SY_STALL_NOC];
    ck_assert_msg(waits * 2 > k->cycles, "%llu of %llu cycles", (unsigned long long)waits,
                  (unsigned long long)k->cycles);
    sy_result_destroy(k);
    sy_result_destroy(best);
    sy_buf_free(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cores");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, shares_sum_to_the_size_and_differ_by_one_at_most);
    tcase_add_loop_test(tcase, cores_count_what_their_shares_count_one_by_one, 0, 3);
    tcase_add_test(tcase, idle_cores_hold_no_bandwidth);
    tcase_add_test(tcase, tiles_of_all_cores_have_room_in_a_level_they_share);
    tcase_add_loop_test(tcase, every_split_does_the_layers_macs_within_the_roofline, 0, 2);
    tcase_add_loop_test(tcase, a_split_of_k_exchanges_what_the_closed_form_says, 0, 2);
    tcase_add_test(tcase, one_core_has_nothing_to_split);
    tcase_add_test(tcase, a_long_k_is_worth_its_exchange_and_the_wait_is_named);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
