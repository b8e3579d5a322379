/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events a CPU second of both kernel backends: N actors, each of which asks for
 * its next call 1 .. 1024 ticks ahead (few ties), or 1 .. 8 (many ties); and the
 * price of one simulation from create to destroy.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/kernel/sck.h"

#define EVENTS 2000000u
#define LIVES 500u
#define MOST 64u

struct run {
    struct sck_sim *sim;
    uint64_t left;
    uint64_t spread_mask;
};

struct actor {
    struct run *run;
    struct sck_event *event;
    uint64_t random;
};

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static enum sy_status called(void *arg)
{
    struct actor *actor = arg;
    struct run *run = actor->run;
    if (run->left == 0)
        return SY_OK;
    run->left--;
    actor->random = actor->random * 6364136223846793005u + 1442695040888963407u;
    return sck_event_notify_at(actor->event, sck_time(run->sim) + 1 + ((actor->random >> 33) & run->spread_mask));
}

static void must(enum sy_status status)
{
    if (status != SY_OK) {
        fprintf(stderr, "kernel: %s\n", sy_status_text(status));
        exit(5);
    }
}

static void simulate(enum sck_backend backend, unsigned count, uint64_t events, uint64_t spread_mask, double *start_s)
{
    struct run run = {.left = events, .spread_mask = spread_mask};
    struct sck_config config = {.backend = backend};
    struct actor actors[MOST];
    must(sck_sim_create(&config, &run.sim));
    for (unsigned i = 0; i < count; i++) {
        actors[i] = (struct actor){.run = &run, .random = i};
        must(sck_event_create(run.sim, "actor", &actors[i].event));
        struct sck_method_spec spec = {
            .fn = called, .arg = &actors[i], .events = &actors[i].event, .event_count = 1, .priority = i};
        must(sck_method_spawn(run.sim, &spec, NULL));
        must(sck_event_notify_at(actors[i].event, 1 + i));
    }
    double begin = cpu_s();
    must(sck_start(run.sim, SCK_NEVER, NULL));
    *start_s = cpu_s() - begin;
    sck_sim_destroy(run.sim);
}

static double best_of_3(enum sck_backend backend, unsigned count, uint64_t spread_mask)
{
    double best = 0, seconds;
    for (int i = 0; i < 3; i++) {
        simulate(backend, count, EVENTS, spread_mask, &seconds);
        if (best == 0 || seconds < best)
            best = seconds;
    }
    return EVENTS / best;
}

int main(void)
{
    static const char *const names[] = {"systemc", "heap"};
    static const unsigned counts[] = {1, 8, MOST};
    for (int backend = SCK_SYSTEMC; backend <= SCK_HEAP; backend++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            printf("kernel_%s_%u_actors %.0f events/s\n", names[backend], counts[i],
                   best_of_3((enum sck_backend)backend, counts[i], 1023));
            printf("kernel_%s_%u_actors_ties %.0f events/s\n", names[backend], counts[i],
                   best_of_3((enum sck_backend)backend, counts[i], 7));
        }
        double begin = cpu_s(), unused;
        for (unsigned i = 0; i < LIVES; i++)
            simulate((enum sck_backend)backend, 10, 100, 1023, &unused);
        printf("kernel_%s_life_of_10_actors_100_events %.2f us\n", names[backend], (cpu_s() - begin) / LIVES * 1e6);
    }
    return 0;
}
