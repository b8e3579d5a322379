/* SPDX-License-Identifier: Apache-2.0 */
/* What the timing programs share. A figure is the best of several runs: noise only ever adds. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* CPU seconds of this process. */
static inline double bench_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Run work(ctx) repeatedly for about a third of a second; the best CPU seconds of one call. */
static inline double bench_best(void (*work)(void *ctx), void *ctx)
{
    double best = 1e9, spent = 0;
    for (int i = 0; i < 3 || spent < 0.3; i++) {
        double start = bench_cpu_seconds();
        work(ctx);
        double took = bench_cpu_seconds() - start;
        spent += took;
        best = took < best ? took : best;
    }
    return best;
}

static inline void bench_print(const char *what, double value, const char *unit)
{
    printf("%-52s %14.4g %s\n", what, value, unit);
}

#endif
