/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conservation over 5 200 random chip x layer cases, under every memory model: each unit's time is its busy time plus
 * named stalls, each layer's likewise, each link delivers what it takes, and no run is faster than its work and its
 * bytes allow (engine notes, section 6). The run's own check (sy_result_check) compares filled bytes with released and
 * resident ones and fails the run; here the sums are made again from what a user sees.
 */
#include "tests/unit/engine_support.h"

enum { LOOPS = 13, CASES = 400 };

static uint64_t sum_of(const uint64_t *part, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_le(part[i], UINT64_MAX / 2); /* a negative one would wrap */
        sum += part[i];
    }
    return sum;
}

static void check_time(const struct sy_result *result, const char *text)
{
    for (uint32_t u = 0; u < result->units; u++) {
        const struct sy_unit_stats *unit = &result->unit[u];
        ck_assert_msg(unit->busy + sum_of(unit->stall, result->stalls) == result->cycles, "unit %s\n%s", unit->name,
                      text);
    }
    uint64_t layers = 0;
    for (uint64_t i = 0; i < result->layers; i++) {
        const struct sy_layer_result *layer = &result->layer[i];
        ck_assert_msg(layer->busy + sum_of(layer->stall, result->stalls) == layer->cycles, "layer %llu\n%s",
                      (unsigned long long)i, text);
        layers += layer->cycles;
    }
    ck_assert_uint_eq(layers, result->cycles);
}

static void check_bytes(const struct sy_result *result, const char *text)
{
    uint64_t read = 0, write = 0;
    for (uint32_t i = 0; i < result->links; i++) {
        const struct sy_link_stats *link = &result->link[i];
        ck_assert_msg(link->fill_bytes + link->copied_bytes == link->filled_bytes, "link %s\n%s", link->name, text);
        ck_assert_msg(link->drain_bytes == link->drained_bytes, "link %s\n%s", link->name, text);
        if (link->parent + 1u == result->levels) {
            read += link->fill_bytes;
            write += link->drain_bytes;
        }
    }
    ck_assert_uint_ge(result->dram_read_bytes, read); /* whole bursts */
    ck_assert_uint_ge(result->dram_write_bytes, write);
}

static struct sy_result *run_random_case(uint64_t *seed, int round, struct machine *m, struct sy_buf *text)
{
    static const char *const devices[] = {"ddr4-2400-dramsim3", "lpddr5-6400-ramulator2", "hbm2-dramsim3"};
    struct sy_replay_options options = {.fidelity = SY_FIDELITY_EVENT,
                                        .memory = (enum sy_memory_mode)(round & 3),
                                        .kernel = SCK_HEAP,
                                        .data_dir = data_dir()};
    *m = random_machine(seed);
    m->serialize = draw(seed, 0, 7) == 0;
    m->device = devices[draw(seed, 0, 2)];
    m->channels = UINT64_C(1) << draw(seed, 0, 2);
    m->burst = options.memory == SY_MEMORY_SHARED ? m->burst : 64;
    /* A sampled set costs its window: one in eight of its cases has a device, the others what is left without. */
    if (options.memory == SY_MEMORY_SAMPLED && round & 28)
        m->device = NULL;
    struct sy_chip *chip = machine_chip(m);
    struct log_sink said;
    struct sy_result *result = run_trace(chip, "t", random_workload(seed, text, 1), &options, &said);
    log_end(&said);
    sy_chip_destroy(chip);
    return result;
}

START_TEST(time_and_bytes_are_conserved)
{
    uint64_t seed = 918273 + (uint64_t)_i * 7919, ran = 0;
    struct sy_buf text = {0};
    for (int round = 0; ran < CASES; round++) {
        struct machine m;
        struct sy_result *result = run_random_case(&seed, round, &m, &text);
        ck_assert_int_lt(round, 3 * CASES);
        if (!result)
            continue;
        check_time(result, text.data);
        check_bytes(result, text.data);
        const double peak = (double)(m.rows * m.cols * m.arrays * m.cores);
        const double bytes = (double)(result->dram_read_bytes + result->dram_write_bytes);
        ck_assert_msg((double)result->cycles * peak >= (double)result->macs, "%s", text.data);
        if ((round & 3) != SY_MEMORY_IDEAL)
            ck_assert_msg((double)result->cycles * m.dram_gbs >= bytes * 0.999, "mode %d: %g bytes in %llu cycles\n%s",
                          round & 3, bytes, (unsigned long long)result->cycles, text.data);
        ck_assert_uint_eq(result->macs, result->expected_macs);
        ran++;
        sy_result_destroy(result);
    }
    sy_buf_free(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conservation");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, time_and_bytes_are_conserved, 0, LOOPS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
