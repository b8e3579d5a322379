/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** and splitmix64. See random.h. */
#include "sim/base/random.h"

uint64_t sy_splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void sy_random_seed(struct sy_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = sy_splitmix64(&seed);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

uint64_t sy_random_next(struct sy_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

double sy_random_unit(struct sy_random *random)
{
    return (double)(sy_random_next(random) >> 11) * 0x1p-53;
}
