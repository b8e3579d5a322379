/* SPDX-License-Identifier: Apache-2.0 */
/* Fused groups: rows against sets of rows counted window by window, closed forms of halos, memory traffic and MACs of
 * runs. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/engine_support.h"
#include "workloads/fuse_choice.h"

/* ---- random groups ---- */

struct random_group {
    uint32_t layers;
    struct {
        char kind; /* c, p, e */
        uint64_t fh, fw, sh, sw, dh, pt, pb, pl, pr, n, groups;
        int in[2];                    /* tensors: 0 = x, i + 1 = output of layer i; second: added, -1 = none */
        uint64_t h, w, c, oh, ow, on; /* input and output */
    } layer[8];
    uint64_t images;
};

static bool same_shape(const struct random_group *g, int a, int b)
{
    uint64_t x[3] = {g->layer[0].h, g->layer[0].w, g->layer[0].c}, y[3] = {x[0], x[1], x[2]};
    if (a)
        memcpy(x, (uint64_t[3]){g->layer[a - 1].oh, g->layer[a - 1].ow, g->layer[a - 1].on}, sizeof x);
    if (b)
        memcpy(y, (uint64_t[3]){g->layer[b - 1].oh, g->layer[b - 1].ow, g->layer[b - 1].on}, sizeof y);
    return !memcmp(x, y, sizeof x);
}

/* A tensor before `at` of the shape of `like` that is another one; -1 = none. */
static int partner(const struct random_group *g, int like, int at, uint64_t *seed)
{
    for (int t = (int)draw(seed, 0, (uint64_t)at), n = 0; n <= at; n++, t = (t + 1) % (at + 1))
        if (t != like && same_shape(g, t, like))
            return t;
    return -1;
}

static void random_layer(struct random_group *g, uint32_t i, uint64_t *seed)
{
    uint64_t h = g->layer[0].h, w = g->layer[0].w, c = g->layer[0].c;
    if (i) {
        h = g->layer[i - 1].oh;
        w = g->layer[i - 1].ow;
        c = g->layer[i - 1].on;
    }
    g->layer[i].h = h;
    g->layer[i].w = w;
    g->layer[i].c = c;
    g->layer[i].in[0] = (int)i;
    g->layer[i].in[1] = -1;
    uint64_t kind = i ? draw(seed, 0, 5) : draw(seed, 0, 3);
    g->layer[i].kind = kind < 3 ? 'c' : kind == 3 ? 'p' : 'e';
    g->layer[i].oh = h;
    g->layer[i].ow = w;
    g->layer[i].on = c;
    if (g->layer[i].kind == 'e') {
        g->layer[i].in[1] = partner(g, (int)i, (int)i, seed);
        return;
    }
    uint64_t f = draw(seed, 1, 4), d = g->layer[i].kind == 'c' ? draw(seed, 1, 2) : 1, reach = d * (f - 1) + 1;
    if (reach > h)
        f = d = reach = 1;
    g->layer[i].fh = f;
    g->layer[i].dh = d;
    g->layer[i].fw = draw(seed, 1, sy_min(3, w));
    g->layer[i].sh = draw(seed, 0, 3) ? 1 : draw(seed, 2, 3);
    g->layer[i].sw = draw(seed, 1, 2);
    g->layer[i].pt = draw(seed, 0, reach - 1);
    g->layer[i].pb = draw(seed, 0, reach - 1);
    g->layer[i].pl = draw(seed, 0, 1);
    g->layer[i].pr = draw(seed, 0, 1);
    g->layer[i].groups = g->layer[i].kind == 'c' && !draw(seed, 0, 2) ? c : 1;
    g->layer[i].n = g->layer[i].kind == 'c' ? g->layer[i].groups * draw(seed, 1, 3) : c;
    g->layer[i].oh = (h + g->layer[i].pt + g->layer[i].pb - reach) / g->layer[i].sh + 1;
    g->layer[i].ow = (w + g->layer[i].pl + g->layer[i].pr - g->layer[i].fw) / g->layer[i].sw + 1;
    g->layer[i].on = g->layer[i].n;
    if (g->layer[i].kind == 'c' && !draw(seed, 0, 2)) { /* a residual behind the convolution */
        struct random_group with = *g;
        with.layers = i + 1;
        for (int t = 0; t <= (int)i; t++)
            if (same_shape(&with, t, (int)i + 1))
                g->layer[i].in[1] = t;
    }
}

static void random_group(struct random_group *g, uint64_t *seed)
{
    memset(g, 0, sizeof *g);
    g->layers = (uint32_t)draw(seed, 2, 6);
    g->images = draw(seed, 0, 3) ? 1 : 2;
    g->layer[0].h = draw(seed, 3, 24);
    g->layer[0].w = draw(seed, 3, 12);
    g->layer[0].c = draw(seed, 1, 6);
    for (uint32_t i = 0; i < g->layers; i++)
        random_layer(g, i, seed);
}

static void put_name(struct sy_buf *out, const char *key, int tensor)
{
    sy_buf_printf(out, " %s=t%d:int8", key, tensor);
}

/* One layer a line; fuse: what stands behind the first, or "". */
static const char *group_text(const struct random_group *g, const char *fuse, struct sy_buf *out)
{
    sy_buf_clear(out);
    sy_buf_puts(out, "systole-trace 1\nnet t\n");
    for (uint32_t i = 0; i < g->layers; i++) {
        unsigned long long b = g->images, h = g->layer[i].h, w = g->layer[i].w, c = g->layer[i].c;
        if (g->layer[i].kind == 'e')
            sy_buf_printf(out, "elementwise l%u elements=%llu function=%s", i, b * h * w * c,
                          g->layer[i].in[1] < 0 ? "relu" : "add");
        else
            sy_buf_printf(out,
                          "%s l%u batch=%llu h=%llu w=%llu c=%llu fh=%llu fw=%llu sh=%llu sw=%llu pt=%llu pb=%llu "
                          "pl=%llu pr=%llu",
                          g->layer[i].kind == 'c' ? "conv" : "pool", i, b, h, w, c, (unsigned long long)g->layer[i].fh,
                          (unsigned long long)g->layer[i].fw, (unsigned long long)g->layer[i].sh,
                          (unsigned long long)g->layer[i].sw, (unsigned long long)g->layer[i].pt,
                          (unsigned long long)g->layer[i].pb, (unsigned long long)g->layer[i].pl,
                          (unsigned long long)g->layer[i].pr);
        put_name(out, "a", g->layer[i].in[0]);
        if (g->layer[i].kind == 'c')
            sy_buf_printf(out, " n=%llu dh=%llu groups=%llu b=w%u:int8:weight%s", (unsigned long long)g->layer[i].n,
                          (unsigned long long)g->layer[i].dh, (unsigned long long)g->layer[i].groups, i,
                          g->layer[i].in[1] < 0 ? " post=bias" : " post=bias+add+relu");
        if (g->layer[i].in[1] >= 0)
            put_name(out, g->layer[i].kind == 'c' ? "e" : "b", g->layer[i].in[1]);
        put_name(out, "y", (int)i + 1);
        sy_buf_printf(out, "%s\n", i ? "" : fuse);
    }
    sy_buf_printf(out, "end %u\n", g->layers);
    return out->data;
}

static uint64_t rows_of(const struct random_group *g, int t)
{
    return t ? g->layer[t - 1].oh : g->layer[0].h;
}

static uint64_t row_bytes(const struct random_group *g, int t)
{
    return t ? g->layer[t - 1].ow * g->layer[t - 1].on : g->layer[0].w * g->layer[0].c;
}

static uint64_t weight_bytes(const struct random_group *g)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < g->layers; i++)
        if (g->layer[i].kind == 'c')
            bytes += g->layer[i].fh * g->layer[i].fw * g->layer[i].c / g->layer[i].groups * g->layer[i].n;
    return bytes;
}

/* Outputs that the rest does not read are no group; whether x is read again in the middle does not matter. */
static bool all_are_read(const struct random_group *g)
{
    for (uint32_t i = 0; i + 1 < g->layers; i++) {
        bool read = false;
        for (uint32_t k = i + 1; k < g->layers; k++)
            read |= g->layer[k].in[0] == (int)i + 1 || g->layer[k].in[1] == (int)i + 1;
        if (!read)
            return false;
    }
    return true;
}

/* ---- rows, window by window ---- */

enum { MOST_ROWS = 64 };

/* Which rows of which tensor a strip needs and computes. */
struct counted {
    bool needed[9][MOST_ROWS], computed[9][MOST_ROWS]; /* in this strip */
    bool done[9][MOST_ROWS];                           /* in an earlier one */
};

static void need_window(const struct random_group *g, uint32_t i, uint64_t row, struct counted *s)
{
    int in = g->layer[i].in[0];
    if (g->layer[i].in[1] >= 0)
        s->needed[g->layer[i].in[1]][row] = true;
    if (g->layer[i].kind == 'e') {
        s->needed[in][row] = true;
        return;
    }
    uint64_t d = g->layer[i].kind == 'c' ? g->layer[i].dh : 1;
    for (uint64_t k = 0; k < d * (g->layer[i].fh - 1) + 1; k++) { /* what dilation skips lies there too */
        int64_t at = (int64_t)(row * g->layer[i].sh + k) - (int64_t)g->layer[i].pt;
        if (at >= 0 && at < (int64_t)rows_of(g, in))
            s->needed[in][at] = true;
    }
}

static uint64_t first_true(const bool *row, uint64_t rows)
{
    uint64_t i = 0;
    while (i < rows && !row[i])
        i++;
    return i;
}

static uint64_t end_true(const bool *row, uint64_t rows)
{
    while (rows && !row[rows - 1])
        rows--;
    return rows;
}

/* Rows are computed without gaps: from where those of the strip before end, up to the last one needed; when the halo is
 * computed again, from the first one needed if that is earlier. */
static void count_strip(const struct random_group *g, uint64_t from, uint64_t to, bool last, bool again,
                        struct counted *s)
{
    memset(s->needed, 0, sizeof s->needed);
    memset(s->computed, 0, sizeof s->computed);
    for (uint64_t row = from; row < to; row++)
        s->needed[g->layers][row] = true;
    for (int t = (int)g->layers; t >= 1; t--) {
        uint64_t rows = rows_of(g, t), begin = end_true(s->done[t], rows), end = end_true(s->needed[t], rows);
        if (again && t != (int)g->layers)
            begin = sy_min(begin, first_true(s->needed[t], rows));
        end = last ? rows : sy_max(end, end_true(s->done[t], rows));
        for (uint64_t row = begin; row < end; row++) {
            s->computed[t][row] = true;
            need_window(g, (uint32_t)t - 1, row, s);
        }
    }
}

static void end_strip(struct counted *s)
{
    for (int t = 0; t < 9; t++)
        for (int row = 0; row < MOST_ROWS; row++)
            s->done[t][row] |= s->computed[t][row];
}

static void plan_of(const struct random_group *g, uint64_t strip, uint32_t halo, struct sy_fuse_plan *plan)
{
    struct sy_buf text = {0};
    struct sy_trace_reader *reader = NULL;
    struct sy_trace_record record;
    char why[240] = "";
    memset(plan, 0, sizeof *plan);
    (void)group_text(g, "", &text);
    ck_assert_int_eq(sy_trace_open("t", text.data, text.length, &reader, NULL), SY_OK);
    for (uint32_t i = 0; i < g->layers; i++) {
        ck_assert_msg(sy_trace_next(reader, &record) == SY_OK, "%s", text.data);
        plan->layer[i].layer = record.layer;
        for (uint32_t k = 0; k < record.layer.inputs; k++)
            plan->layer[i].input_key[k] = 1000 + i;
        plan->layer[i].input_key[0] = 1 + (uint64_t)g->layer[i].in[0];
        if (g->layer[i].in[1] >= 0)
            plan->layer[i].input_key[record.layer.inputs - 1] = 1 + (uint64_t)g->layer[i].in[1];
        plan->layer[i].output_key = i + 2;
    }
    plan->layers = g->layers;
    plan->layer[0].layer.fuse = (struct sy_fuse){g->layers, halo, strip};
    ck_assert_msg(sy_fuse_prepare(plan, why) == SY_OK, "%s\n%s", why, text.data);
    sy_trace_close(reader);
    sy_buf_free(&text);
}

static void check_strip(const struct random_group *g, const struct sy_fuse_plan *plan, const struct sy_fuse_rows *rows,
                        const struct counted *s)
{
    for (int t = 1; t <= (int)g->layers; t++) {
        int at = sy_fuse_find(plan, (uint64_t)t + 1);
        uint64_t all = rows_of(g, t), begin = first_true(s->computed[t], all), end = end_true(s->computed[t], all);
        struct sy_layer strip;
        bool some = sy_fuse_take(plan, rows, (uint32_t)t - 1, &strip);
        ck_assert_int_eq(some, begin < end);
        if (!some)
            continue;
        ck_assert_uint_eq(rows->begin[at], begin);
        ck_assert_uint_eq(rows->end[at], end);
        ck_assert_int_eq(sy_layer_check(&strip, NULL, NULL), SY_OK);
        if (sy_fuse_is_single(plan))
            continue;
        ck_assert_uint_eq(sy_layer_output_elements(&strip), (end - begin) * row_bytes(g, t));
        uint64_t whole = sy_layer_macs(&plan->layer[t - 1].layer) / g->images;
        ck_assert_uint_eq(sy_layer_macs(&strip), whole / all * (end - begin));
    }
    for (int t = 0; t <= (int)g->layers; t++) {
        int at = sy_fuse_find(plan, (uint64_t)t + 1);
        uint64_t all = rows_of(g, t), need = first_true(s->needed[t], all);
        if (at >= 0 && t != (int)g->layers && need < all)
            ck_assert_uint_eq(rows->need[at], need);
    }
}

START_TEST(strips_need_and_compute_the_rows_that_windows_reach)
{
    uint64_t seed = 31;
    for (int i = 0, n = cases(3000); i < n; i++) {
        struct random_group g;
        struct sy_fuse_plan plan;
        struct sy_fuse_rows rows;
        struct counted counted;
        uint64_t again_rows[9] = {0}, macs = 0, halo_macs = 0;
        random_group(&g, &seed);
        bool again = draw(&seed, 0, 1);
        uint64_t output = rows_of(&g, (int)g.layers), strip = draw(&seed, 1, output + 1);
        if (!all_are_read(&g) || output > MOST_ROWS)
            continue;
        plan_of(&g, strip, again ? SY_HALO_RECOMPUTE : SY_HALO_KEEP, &plan);
        memset(&counted, 0, sizeof counted);
        for (uint64_t k = 0; k < plan.strips; k++) {
            uint64_t end = sy_min((k + 1) * strip, output);
            count_strip(&g, k * strip, end, end == output, again, &counted);
            sy_fuse_strip(&plan, k, &rows);
            check_strip(&g, &plan, &rows, &counted);
            for (int t = 1; t <= (int)g.layers; t++)
                for (uint64_t row = 0; row < rows_of(&g, t); row++)
                    again_rows[t] += counted.computed[t][row] && counted.done[t][row];
            end_strip(&counted);
        }
        for (int t = 1; t <= (int)g.layers; t++) {
            ck_assert_uint_eq(first_true(counted.done[t], MOST_ROWS), 0);
            ck_assert_uint_eq(end_true(counted.done[t], MOST_ROWS), rows_of(&g, t)); /* all of it, once at least */
            ck_assert_uint_eq(again_rows[t], plan.tensor[sy_fuse_find(&plan, (uint64_t)t + 1)].again_rows);
            macs += again_rows[t] * (sy_layer_macs(&plan.layer[t - 1].layer) / rows_of(&g, t));
        }
        ck_assert(sy_fuse_halo_macs(&plan, &halo_macs));
        ck_assert_uint_eq(macs, halo_macs);
        ck_assert(again || macs == 0);
    }
}
END_TEST

/* ---- runs ---- */

static struct sy_chip *fusing_chip(uint64_t middle_kib)
{
    struct machine m = plain_machine();
    m.middle_kib = middle_kib;
    m.keeps = true;
    m.burst = 1;
    return machine_chip(&m);
}

/* A stack of convolutions of one shape with `same` padding, stride 1. */
static void stack_text(struct sy_buf *out, uint64_t layers, uint64_t size, uint64_t c, uint64_t f, uint64_t d,
                       const char *fuse)
{
    unsigned long long p = d * (f - 1) / 2;
    sy_buf_clear(out);
    sy_buf_puts(out, "systole-trace 1\nnet t\n");
    for (uint64_t i = 0; i < layers; i++)
        sy_buf_printf(out,
                      "conv l%llu h=%llu w=%llu c=%llu n=%llu fh=%llu fw=%llu dh=%llu dw=%llu pt=%llu pb=%llu pl=%llu "
                      "pr=%llu a=t%llu:int8 b=w%llu:int8:weight y=t%llu:int8%s\n",
                      (unsigned long long)i, (unsigned long long)size, (unsigned long long)size, (unsigned long long)c,
                      (unsigned long long)c, (unsigned long long)f, (unsigned long long)f, (unsigned long long)d,
                      (unsigned long long)d, p, p, p, p, (unsigned long long)i, (unsigned long long)i,
                      (unsigned long long)i + 1, i ? "" : fuse);
    sy_buf_printf(out, "end %llu\n", (unsigned long long)layers);
}

/* At each of the S - 1 cuts a layer computes again the d (f - 1) rows that each layer behind it adds: none in the last,
 * twice as many in the one before the last but one. The input is read again as far as one layer further. */
START_TEST(halos_of_a_stack_have_their_closed_form)
{
    static const struct {
        uint64_t layers, size, c, f, d, strip;
    } stack[] = {
        {2, 32, 8, 3, 1, 8}, {3, 32, 4, 3, 1, 8}, {3, 48, 4, 5, 1, 16}, {4, 48, 4, 3, 2, 24}, {3, 32, 4, 3, 1, 12}};
    struct sy_chip *chip = fusing_chip(512);
    const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    struct sy_buf text = {0};
    for (size_t i = 0; i < sizeof stack / sizeof stack[0]; i++) {
        uint64_t layers = stack[i].layers, size = stack[i].size, c = stack[i].c, lap = stack[i].d * (stack[i].f - 1);
        uint64_t strips = (size + stack[i].strip - 1) / stack[i].strip, row = size * c;
        uint64_t weights = layers * stack[i].f * stack[i].f * c * c, row_macs = row * stack[i].f * stack[i].f * c;
        char fuse[64];
        (void)snprintf(fuse, sizeof fuse, " fuse=%llu:%llu:keep", (unsigned long long)layers,
                       (unsigned long long)stack[i].strip);
        stack_text(&text, layers, size, c, stack[i].f, stack[i].d, fuse);
        struct sy_result *keep = must_run(chip, "t", text.data, &options);
        ck_assert_uint_eq(keep->macs, layers * size * row_macs);
        ck_assert_uint_eq(keep->halo_macs, 0);
        ck_assert_uint_eq(keep->fused[0].strips, strips);
        ck_assert_uint_eq(keep->fused[0].halo_bytes, layers * lap * row); /* of the input and what lies between */
        ck_assert(keep->fused[0].keeps_weights);
        ck_assert_uint_eq(keep->dram_read_bytes, size * row + weights);
        ck_assert_uint_eq(keep->dram_write_bytes, size * row);
        sy_result_destroy(keep);
        (void)snprintf(fuse, sizeof fuse, " fuse=%llu:%llu:recompute", (unsigned long long)layers,
                       (unsigned long long)stack[i].strip);
        stack_text(&text, layers, size, c, stack[i].f, stack[i].d, fuse);
        struct sy_result *again = must_run(chip, "t", text.data, &options);
        uint64_t rows = 0;
        for (uint64_t k = 0; k < layers; k++)
            rows += (strips - 1) * k * lap;
        ck_assert_uint_eq(again->macs, layers * size * row_macs);
        ck_assert_uint_eq(again->halo_macs, rows * row_macs);
        ck_assert_uint_eq(again->fused[0].halo_bytes, 0);
        ck_assert_uint_eq(again->dram_read_bytes, (size + (strips - 1) * layers * lap) * row + weights);
        ck_assert_uint_eq(again->dram_write_bytes, size * row);
        ck_assert(again->padding < 1);
        sy_result_destroy(again);
    }
    sy_buf_free(&text);
    sy_chip_destroy(chip);
}
END_TEST

/* Overlaps grow by the stride from layer to layer: o' = s o + reach - s. */
START_TEST(overlaps_through_strides_follow_their_recursion)
{
    struct sy_chip *chip = fusing_chip(512);
    const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    static const char text[] =
        "systole-trace 1\nnet t\n"
        "conv a h=96 w=16 c=4 n=4 fh=5 fw=1 sh=2 pt=2 pb=2 a=x:int8 b=wa:int8:weight y=t1:int8 fuse=3:4:recompute\n"
        "pool p h=48 w=16 c=4 fh=3 fw=1 sh=2 pt=1 pb=1 a=t1:int8 y=t2:int8\n"
        "conv b h=24 w=16 c=4 n=4 fh=3 fw=1 pt=1 pb=1 a=t2:int8 b=wb:int8:weight y=t3:int8\nend 3\n";
    struct sy_result *result = must_run(chip, "t", text, &options);
    uint64_t cuts = 24 / 4 - 1, t2 = 1 * 0 + 3 - 1, t1 = 2 * t2 + 3 - 2, x = 2 * t1 + 5 - 2;
    ck_assert_uint_eq(result->halo_macs, cuts * t1 * 16 * 4 * 5 * 4); /* the pool has none */
    ck_assert_uint_eq(result->dram_read_bytes, (96 + cuts * x) * 16 * 4 + 5 * 4 * 4 + 3 * 4 * 4);
    ck_assert_uint_eq(result->dram_write_bytes, 24 * 16 * 4);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
}
END_TEST

static void same_run(const struct sy_result *a, const struct sy_result *b, const char *text)
{
    ck_assert_msg(a->cycles == b->cycles, "%llu cycles, not %llu\n%s", (unsigned long long)a->cycles,
                  (unsigned long long)b->cycles, text);
    ck_assert_uint_eq(a->macs, b->macs);
    ck_assert_uint_eq(a->halo_macs, b->halo_macs);
    ck_assert_uint_eq(a->dram_read_bytes, b->dram_read_bytes);
    ck_assert_uint_eq(a->dram_write_bytes, b->dram_write_bytes);
    ck_assert_uint_eq(a->units, b->units);
    for (uint32_t i = 0; i < a->units; i++)
        ck_assert_msg(a->unit[i].busy == b->unit[i].busy &&
                          !memcmp(a->unit[i].stall, b->unit[i].stall, sizeof a->unit[i].stall),
                      "unit %s\n%s", a->unit[i].name, text);
    for (uint32_t i = 0; i < a->levels; i++)
        ck_assert_msg(!memcmp(a->level[i].filled_bytes, b->level[i].filled_bytes, sizeof a->level[i].filled_bytes) &&
                          a->level[i].peak_bytes == b->level[i].peak_bytes,
                      "level %s\n%s", a->level[i].name, text);
}

START_TEST(one_strip_is_the_layers_one_by_one_with_resident_tensors)
{
    uint64_t seed = 5, compared = 0;
    struct sy_buf plain = {0}, fused = {0};
    struct sy_chip *chip = fusing_chip(2048); /* everything stays anyway */
    for (int i = 0, n = cases(120); i < n; i++) {
        struct sy_replay_options options = {.fidelity = i % 4 ? SY_FIDELITY_EVENT : SY_FIDELITY_ANALYTIC,
                                            .memory = SY_MEMORY_SHARED};
        struct random_group g;
        char fuse[64];
        random_group(&g, &seed);
        g.images = 1;
        if (!all_are_read(&g))
            continue;
        (void)snprintf(fuse, sizeof fuse, " fuse=%u:%llu:%s", g.layers, (unsigned long long)rows_of(&g, (int)g.layers),
                       i % 2 ? "keep" : "recompute");
        struct sy_result *a = must_run(chip, "t", group_text(&g, "", &plain), &options);
        struct sy_result *b = must_run(chip, "t", group_text(&g, fuse, &fused), &options);
        same_run(b, a, fused.data);
        sy_result_destroy(a);
        sy_result_destroy(b);
        compared++;
    }
    ck_assert_uint_gt(compared, 40);
    sy_buf_free(&plain);
    sy_buf_free(&fused);
    sy_chip_destroy(chip);
}
END_TEST

/* Conservation of bytes and time is checked inside every run. Memory traffic: what the group cannot do without, and
 * what the halo costs; the same with and without fast-forwarding. */
START_TEST(random_groups_move_their_input_weights_and_output_and_nothing_else)
{
    uint64_t seed = 77, kept = 0, streamed = 0;
    struct sy_buf text = {0};
    for (int i = 0, n = cases(250); i < n; i++) {
        struct random_group g;
        struct sy_fuse_plan plan;
        struct log_sink said;
        char fuse[64];
        struct machine m = random_machine(&seed);
        m.cores = draw(&seed, 0, 2) ? 1 : draw(&seed, 2, 4);
        m.middle_kib = draw(&seed, 24, 400);
        m.keeps = true;
        m.burst = 1;
        random_group(&g, &seed);
        bool again = draw(&seed, 0, 1);
        uint64_t output = rows_of(&g, (int)g.layers), strip = draw(&seed, 1, sy_max(output / 2, 1));
        if (!all_are_read(&g) || (strip >= output && g.images == 1))
            continue;
        plan_of(&g, strip, again ? SY_HALO_RECOMPUTE : SY_HALO_KEEP, &plan);
        (void)snprintf(fuse, sizeof fuse, " fuse=%u:%llu:%s", g.layers, (unsigned long long)strip,
                       again ? "recompute" : "keep");
        struct sy_replay_options options = {.fidelity = draw(&seed, 0, 3) ? SY_FIDELITY_EVENT : SY_FIDELITY_ANALYTIC,
                                            .memory = draw(&seed, 0, 1) ? SY_MEMORY_SHARED : SY_MEMORY_IDEAL};
        struct sy_chip *chip = machine_chip(&m);
        struct sy_result *result = run_trace(chip, "t", group_text(&g, fuse, &text), &options, &said);
        if (result) {
            uint64_t input = plan.tensor[0].read_rows * g.images * row_bytes(&g, 0), weights = weight_bytes(&g),
                     halo = 0;
            ck_assert(sy_fuse_halo_macs(&plan, &halo));
            ck_assert_uint_eq(result->halo_macs, halo);
            ck_assert_uint_eq(result->dram_write_bytes, g.images * output * row_bytes(&g, (int)g.layers));
            ck_assert_msg(result->fused[0].keeps_weights ? result->dram_read_bytes == input + weights
                                                         : result->dram_read_bytes >= input + weights,
                          "%llu bytes read, not %llu + %llu\n%s", (unsigned long long)result->dram_read_bytes,
                          (unsigned long long)input, (unsigned long long)weights, text.data);
            *(result->fused[0].keeps_weights ? &kept : &streamed) += 1;
            options.no_fast_forward = true;
            struct sy_result *full = must_run(chip, "t", text.data, &options);
            same_run(result, full, text.data);
            sy_result_destroy(full);
            sy_result_destroy(result);
        }
        log_end(&said);
        sy_chip_destroy(chip);
    }
    ck_assert_uint_gt(kept, 60);
    (void)streamed;
    sy_buf_free(&text);
}
END_TEST

/* A tensor that is on chip already is read there; a group in a repeat block runs in each iteration. */
START_TEST(groups_take_what_is_on_chip_and_repeat_with_their_block)
{
    struct sy_chip *chip = fusing_chip(512);
    const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    static const char text[] =
        "systole-trace 1\nnet t\n"
        "conv in h=16 w=16 c=4 n=8 fh=1 fw=1 a=x:int8 b=wi:int8:weight y=t0:int8\nrepeat 3 {\n"
        "conv up h=16 w=16 c=8 n=8 fh=3 fw=3 pt=1 pb=1 pl=1 pr=1 a=t0:int8:shared b=wu:int8:weight y=h:int8 "
        "fuse=2:4:keep\n"
        "conv down h=16 w=16 c=8 n=8 fh=3 fw=3 pt=1 pb=1 pl=1 pr=1 a=h:int8 b=wd:int8:weight y=t1:int8\n"
        "elementwise sum elements=2048 function=relu a=t1:int8 y=t0:int8:shared\n}\nend 6\n";
    struct sy_result *result = must_run(chip, "t", text, &options);
    uint64_t weights = 4 * 8 + 3 * 2 * 9 * 64, between = 2048;
    ck_assert_uint_eq(result->fused_groups, 1);
    ck_assert_uint_eq(result->fused[0].repeat, 3);
    /* x and the weights; what each group writes is read by the layer behind it. t0 never leaves but at the end. */
    ck_assert_uint_eq(result->dram_read_bytes, 16 * 16 * 4 + weights + 3 * between);
    ck_assert_uint_eq(result->dram_write_bytes, 3 * between + 2048);
    sy_result_destroy(result);
    sy_chip_destroy(chip);
}
END_TEST

#define C3(name, in, out, more)                                                                                        \
    "conv " name " h=16 w=16 c=8 n=8 fh=3 fw=3 pt=1 pb=1 pl=1 pr=1 a=" in ":int8 b=w" name ":int8:weight y=" out       \
    ":int8" more "\n"

START_TEST(what_cannot_be_fused_is_refused_with_the_reason)
{
    static const struct {
        const char *text, *says;
        uint64_t kib;
    } refused[] = {
        {C3("a", "x", "y", " fuse=2:4:keep") "gemm g m=256 k=8 n=8 a=y:int8 b=w:int8:weight y=z:int8\nend 2\n",
         "layer g is gemm", 512},
        {C3("a", "x", "y", " fuse=2:4:keep") C3("b", "y", "z", "") "elementwise r elements=2048 function=relu a=y:int8 "
                                                                   "y=u:int8\nend 3\n",
         "y is read behind the group", 512},
        {C3("a", "x", "y", " fuse=2:4:keep") C3("b", "x", "z", "") "end 2\n",
         "y of layer a is read by no layer of the group", 512},
        {C3("a", "x", "y", " fuse=2:4:keep") "elementwise r elements=2048 function=mul a=y:int8 b=s:int8 b_elements=8 "
                                             "y=u:int8\nend 2\n",
         "layer r broadcasts an operand", 512},
        {C3("a", "x", "y", " fuse=2:4:keep") C3("b", "y", "x", "") "end 2\n", "writes over x", 512},
        {C3("a", "x", "y", " fuse=3:4:keep") C3("b", "y", "z", "") "end 2\n", "the workload ends behind 2 of 3 layers",
         512},
        {C3("a", "x", "y", " fuse=2:4:keep") "repeat 2 {\n" C3("b", "y", "z", "") "}\nend 4\n",
         "a repeat block begins behind 1 of 2 layers", 512},
        {C3("a", "x", "y", " fuse=2:4:keep") C3("b", "y", "z", " fuse=2:4:keep") C3("c", "z", "u", "") "end 3\n",
         "layer b begins a group of its own", 512},
        {C3("a", "x", "y", " fuse=2:8:keep") C3("b", "y", "z", "") "end 2\n",
         "keep 2432 bytes at once in level shared of chip t, which has 1792 for them: x 10 rows x 128, y 9 rows x 128",
         2},
        {C3("a", "x", "y",
            " fuse=2:4:keep") "conv b h=16 w=8 c=16 n=8 fh=1 fw=1 a=y:int8 b=w:int8:weight y=z:int8\nend 2\n",
         "", 512},
        {C3("a", "x", "y",
            " fuse=2:4:keep") "conv b h=8 w=16 c=16 n=8 fh=1 fw=1 a=y:int8 b=w:int8:weight y=z:int8\nend 2\n",
         "layer b reads y as 8 rows of 256 elements, it has 16 of 128", 512},
    };
    const struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct sy_chip *chip = fusing_chip(refused[i].kib);
        struct sy_buf text = {0};
        struct log_sink said;
        sy_buf_printf(&text, "systole-trace 1\nnet t\n%s", refused[i].text);
        struct sy_result *result = run_trace(chip, "t", text.data, &options, &said);
        if (*refused[i].says)
            ck_assert_msg(!result && strstr(log_text(&said), refused[i].says), "'%s' is not in '%s'", refused[i].says,
                          log_text(&said));
        else
            ck_assert_msg(result != NULL, "%s", log_text(&said));
        sy_result_destroy(result);
        log_end(&said);
        sy_buf_free(&text);
        sy_chip_destroy(chip);
    }
}
END_TEST

START_TEST(groups_chosen_by_name_are_those_the_trace_states)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {{"a..b", "the strip's rows are missing"},
                 {"a..b:strip=0", "no number from 1 on"},
                 {"a..b:strip=8x", "no number from 1 on"},
                 {"a..b:strip=8:halo=drop", "kept (keep) or computed again"},
                 {"ab:strip=8", "two names"},
                 {"a..:strip=8", "two names"}};
    struct sy_fuse_choice choice;
    struct log_sink said;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sy_diag *diag = log_start(&said);
        ck_assert_int_eq(sy_fuse_parse(wrong[i].text, &choice, diag), SY_USAGE);
        ck_assert_msg(strstr(log_text(&said), wrong[i].says) != NULL, "%s: %s", wrong[i].text, log_text(&said));
        log_end(&said);
    }
    ck_assert_int_eq(sy_fuse_parse("layer1.0:x..b:halo=recompute:strip=12", &choice, NULL), SY_OK);
    ck_assert_str_eq(choice.first, "layer1.0:x");
    ck_assert_str_eq(choice.last, "b");
    ck_assert(choice.how.strip == 12 && choice.how.halo == SY_HALO_RECOMPUTE);
    static const char stated[] =
        "systole-trace 1\nnet t\n" C3("a", "x", "y", " fuse=2:4:keep") C3("b", "y", "z", "") "end 2\n";
    static const char plain[] = "systole-trace 1\nnet t\n" C3("a", "x", "y", "") C3("b", "y", "z", "") "end 2\n";
    struct sy_chip *chip = fusing_chip(512);
    ck_assert_int_eq(sy_fuse_parse("a..b:strip=4", &choice, NULL), SY_OK);
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT, .memory = SY_MEMORY_SHARED};
    struct sy_result *one = must_run(chip, "t", stated, &options);
    options.fuse = &choice;
    options.fuses = 1;
    struct sy_result *other = must_run(chip, "t", plain, &options);
    ck_assert_uint_eq(other->fused_groups, 1);
    same_run(one, other, stated);
    sy_result_destroy(one);
    sy_result_destroy(other);
    memcpy(choice.first, "q", 2);
    ck_assert_ptr_null(run_trace(chip, "t", plain, &options, &said));
    ck_assert_msg(strstr(log_text(&said), "no layer is called 'q'") != NULL, "%s", log_text(&said));
    log_end(&said);
    sy_chip_destroy(chip);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("fuse");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, strips_need_and_compute_the_rows_that_windows_reach);
    tcase_add_test(tcase, halos_of_a_stack_have_their_closed_form);
    tcase_add_test(tcase, overlaps_through_strides_follow_their_recursion);
    tcase_add_test(tcase, one_strip_is_the_layers_one_by_one_with_resident_tensors);
    tcase_add_test(tcase, random_groups_move_their_input_weights_and_output_and_nothing_else);
    tcase_add_test(tcase, groups_take_what_is_on_chip_and_repeat_with_their_block);
    tcase_add_test(tcase, what_cannot_be_fused_is_refused_with_the_reason);
    tcase_add_test(tcase, groups_chosen_by_name_are_those_the_trace_states);
    return run_case("fuse", tcase);
}
