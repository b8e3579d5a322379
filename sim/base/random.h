/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that are the same everywhere for a seed: xoshiro256** by
 * Blackman and Vigna (2018), its state filled by splitmix64. Not for secrets.
 * Not thread safe: one generator a thread.
 */
#ifndef SY_BASE_RANDOM_H
#define SY_BASE_RANDOM_H

#include <stdint.h>

struct sy_random {
    uint64_t state[4];
};

/* The next number of splitmix64; *state may begin as anything. */
uint64_t sy_splitmix64(uint64_t *state);
/* Any seed is good, 0 too. */
void sy_random_seed(struct sy_random *random, uint64_t seed);
uint64_t sy_random_next(struct sy_random *random);
/* Uniform in [0, 1): 53 bits. */
double sy_random_unit(struct sy_random *random);

#endif
