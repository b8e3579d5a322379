/* SPDX-License-Identifier: Apache-2.0 */
/* Whole processes as a user runs them: start to exit, best of several, with the largest resident set. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { RUNS = 10, MOST_ARGS = 16 };

struct cost {
    double wall_s, cpu_s;
    long rss_kib;
    int ok;
};

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct cost run_once(char *const *argv)
{
    double start = wall_seconds();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    struct rusage usage = {0};
    struct cost cost = {0};
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        return cost;
    }
    cost.wall_s = wall_seconds() - start;
    cost.cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    cost.rss_kib = usage.ru_maxrss;
    cost.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return cost;
}

/* words: the arguments, separated by blanks. */
static int bench_command(const char *program, const char *words)
{
    char copy[512];
    char *argv[MOST_ARGS + 2] = {NULL};
    char *state = NULL;
    int n = 0;
    snprintf(copy, sizeof copy, "%s", words);
    argv[n++] = strdup(program);
    for (char *word = strtok_r(copy, " ", &state); word != NULL && n <= MOST_ARGS; word = strtok_r(NULL, " ", &state)) {
        argv[n++] = word;
    }
    struct cost best = {.wall_s = 1e9, .cpu_s = 1e9, .ok = 1};
    for (int i = 0; i < RUNS && best.ok; i++) {
        struct cost cost = run_once(argv);
        best.ok = cost.ok;
        best.wall_s = cost.wall_s < best.wall_s ? cost.wall_s : best.wall_s;
        best.cpu_s = cost.cpu_s < best.cpu_s ? cost.cpu_s : best.cpu_s;
        best.rss_kib = cost.rss_kib > best.rss_kib ? cost.rss_kib : best.rss_kib;
    }
    free(argv[0]);
    if (!best.ok) {
        printf("systole %-60s failed\n", words);
        return 1;
    }
    printf("systole %-60s %8.1f ms wall %8.1f ms CPU %6.1f MiB\n", words, 1e3 * best.wall_s, 1e3 * best.cpu_s,
           (double)best.rss_kib / 1024);
    return 0;
}

int main(void)
{
    static const char *const commands[] = {
        "--version",
        "run -a tpu-v1 -w resnet50",
        "run -a tpu-v1 -w resnet50 --format json",
        "run -a tpu-v1 -w resnet50 --fidelity analytic",
    };
    const char *program = getenv("SYSTOLE");
    if (program == NULL || access(program, X_OK) != 0) {
        printf("systole is not built: no whole-process timings (set SYSTOLE to the program)\n");
        return 0;
    }
    int failed = 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        failed += bench_command(program, commands[i]);
    }
    return failed != 0;
}
