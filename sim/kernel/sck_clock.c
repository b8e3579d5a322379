/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock domains: exact conversion between cycles and ticks.
 *
 * The period is P/Q ticks with P = 10^15 / tick_fs * den and Q = num_hz, kept as
 * whole_ticks + part / parts. Cycle n begins at edge(n) = ceil(n * P / Q):
 *     edge(n)            = n * whole_ticks + ceil(n * part / parts)
 *     cycle(t)           = the last n with edge(n) <= t = floor(t * Q / P), as t is whole
 *     first edge from t  : n = cycle(t - 1) + 1
 * Products of two 64-bit factors are taken in 128 bits, so nothing is rounded.
 */
#include "sim/base/checked.h"
#include "sim/kernel/sck_backend.h"

#define FS_PER_S UINT64_C(1000000000000000)

static bool is_tick(uint64_t tick_fs)
{
    while (tick_fs != 0 && tick_fs % 10 == 0)
        tick_fs /= 10;
    return tick_fs == 1;
}

bool sck_tick_ok(uint64_t tick_fs)
{
    return tick_fs <= FS_PER_S && is_tick(tick_fs);
}

enum sy_status sck_clock_init(struct sck_clock *clock, uint64_t num_hz, uint64_t den, uint64_t tick_fs)
{
    if (!clock || num_hz == 0 || den == 0 || !sck_tick_ok(tick_fs))
        return SY_USAGE;
    uint64_t common = sy_gcd(num_hz, den);
    num_hz /= common;
    den /= common;
    sy_u128 ticks = (sy_u128)(FS_PER_S / tick_fs) * den; /* of num_hz periods */
    sy_u128 whole = ticks / num_hz;
    if (whole == 0)
        return SY_INPUT;
    if (whole >= SCK_NEVER)
        return SY_OVERFLOW;
    uint64_t part = (uint64_t)(ticks % num_hz);
    common = sy_gcd(num_hz, part);
    *clock = (struct sck_clock){
        .num_hz = num_hz,
        .den = den,
        .tick_fs = tick_fs,
        .whole_ticks = (uint64_t)whole,
        .part = part / common,
        .parts = num_hz / common,
    };
    return SY_OK;
}

enum sy_status sck_clock_domain(struct sck_sim *sim, const char *name, uint64_t num_hz, uint64_t den,
                                const struct sck_clock **clock)
{
    if (!sim)
        return SY_USAGE;
    if (!name || !clock)
        return sck_error(sim, SY_USAGE, "a clock domain needs a name and a place for its address");
    struct sck_clock *made = sy_arena_alloc(sim->arena, sizeof *made);
    if (!made)
        return sck_error(sim, SY_NOMEM, "no memory for clock %s", name);
    enum sy_status status = sck_clock_init(made, num_hz, den, sim->config.tick_fs);
    if (status == SY_USAGE)
        return sck_error(sim, status, "clock %s: the frequency must be above 0 Hz", name);
    if (status == SY_INPUT)
        return sck_error(sim, status, "clock %s: a cycle is shorter than the tick of %llu fs; choose a finer tick",
                         name, (unsigned long long)sim->config.tick_fs);
    if (status != SY_OK)
        return sck_error(sim, status, "clock %s: one cycle is longer than the range of time; choose a coarser tick",
                         name);
    *clock = made;
    return SY_OK;
}

enum sy_status sck_edge(const struct sck_clock *clock, uint64_t cycle, uint64_t *tick)
{
    uint64_t whole, extra = 0, product;
    if (!sy_mul(cycle, clock->whole_ticks, &whole))
        return SY_OVERFLOW;
    if (clock->part != 0) {
        if (sy_mul(cycle, clock->part, &product)) /* the common case, without a 128-bit division */
            extra = sy_ceil_div(product, clock->parts);
        else if (!sy_mul_div_up(cycle, clock->part, clock->parts, &extra))
            return SY_OVERFLOW;
    }
    uint64_t sum;
    if (!sy_add(whole, extra, &sum) || sum >= SCK_NEVER)
        return SY_OVERFLOW;
    *tick = sum;
    return SY_OK;
}

uint64_t sck_cycle(const struct sck_clock *clock, uint64_t tick)
{
    if (clock->part == 0) /* the period is whole ticks */
        return tick / clock->whole_ticks;
    sy_u128 period = (sy_u128)clock->whole_ticks * clock->parts + clock->part;
    sy_u128 scaled = (sy_u128)tick * clock->parts;
    if ((uint64_t)(period >> 64) == 0 && (uint64_t)(scaled >> 64) == 0)
        return (uint64_t)scaled / (uint64_t)period;
    return (uint64_t)(scaled / period);
}

enum sy_status sck_next_edge(const struct sck_clock *clock, uint64_t tick, uint64_t *cycle, uint64_t *edge_tick)
{
    uint64_t next = tick == 0 ? 0 : sck_cycle(clock, tick - 1) + 1;
    uint64_t edge;
    if (cycle)
        *cycle = next;
    enum sy_status status = sck_edge(clock, next, &edge);
    if (status == SY_OK && edge_tick)
        *edge_tick = edge;
    return status;
}
