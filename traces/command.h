/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: a tile schedule as the units execute it. The mapper generates
 * them, the engine executes them, traces store them (`run --emit-schedule`),
 * and a compiler may write its own. The engine does the same with a command
 * wherever it came from, so replaying an emitted schedule gives equal cycles.
 *
 * Each command has an implicit id: its position among the commands of the
 * workload, from 0. A command runs on one unit; a unit runs its commands
 * in order. A command starts when its unit is free and every dependency has
 * reached its point. Dependencies point backwards only, so a schedule cannot
 * deadlock.
 */
#ifndef SY_TRACES_COMMAND_H
#define SY_TRACES_COMMAND_H

#include <stdint.h>

#include "workloads/dtype.h"

enum { SY_MAX_DEPS = 8 };

enum sy_command_kind {
    SY_CMD_LOAD,   /* bytes from memory level `level + 1` of the operand's chain into `level` */
    SY_CMD_MATMUL, /* one tile m x k x n on the array */
    SY_CMD_VECTOR, /* work on the vector unit */
    SY_CMD_STORE,  /* bytes from `level` to the next level of the chain */
    SY_CMD_WAIT,   /* nothing but dependencies: a barrier in the sequencer */
    SY_CMD_COUNT
};

/* When a dependency is met. LOAD, STORE, VECTOR, WAIT know only DONE. */
enum sy_point {
    SY_POINT_DONE,     /* all results are there */
    SY_POINT_STREAMED, /* MATMUL: the operands have been read, their buffers may be reused */
    SY_POINT_FIRST     /* MATMUL: the first result has left the array */
};

/* What a command waits for, named as the stall it causes (engine.md section 3).
 *    id           name */
#define SY_STALL_MAP(X)                                                                                                \
    X(LOAD_A, "load_a")                                                                                                \
    X(LOAD_B, "load_b")                                                                                                \
    X(LOAD_C, "load_c")                                                                                                \
    X(BUFFER_FULL, "buffer_full")                                                                                      \
    X(ACCUMULATOR, "accumulator")                                                                                      \
    X(VECTOR, "vector")                                                                                                \
    X(DEPENDENCY, "dependency")                                                                                        \
    X(LAUNCH, "launch")                                                                                                \
    X(PRELOAD, "preload")                                                                                              \
    X(FILL_DRAIN, "fill_drain")                                                                                        \
    X(BANK_CONFLICT, "bank_conflict")                                                                                  \
    X(NOC, "noc")                                                                                                      \
    X(COLLECTIVE, "collective")                                                                                        \
    X(TLB, "tlb")                                                                                                      \
    X(NO_WORK, "no_work")                                                                                              \
    X(CROSSBAR, "crossbar")

enum sy_stall {
#define SY_STALL_ENUM(id, name) SY_STALL_##id,
    SY_STALL_MAP(SY_STALL_ENUM)
#undef SY_STALL_ENUM
        SY_STALL_COUNT
};
extern const char *const sy_stall_names[SY_STALL_COUNT];

struct sy_dependency {
    uint64_t command; /* id of an earlier command */
    uint8_t point;    /* enum sy_point */
    uint8_t stall;    /* enum sy_stall: the cause a wait for it is charged to */
};

/* What all equal cores together do, where the command is that of the one with the largest share; for counting, and for
 * what they share of a memory level.
 * Not given: every core does the command as it is. MATMUL: `cores` do it as it is, `less_cores` a tile of these
 * dimensions instead, the others nothing. The others: sums over all cores. */
struct sy_all_cores {
    uint8_t given;
    union {
        struct {
            uint64_t cores, less_cores, m, k, n, repeat;
        } matmul;
        struct {
            uint64_t bytes, bus_bytes;
            uint64_t cores; /* that take part; 0 = all */
            uint64_t cast;  /* 1: they get the same bytes, which are read from the outer level once */
        } move;
        struct {
            uint64_t elements, simple_ops, transcendental_ops, reduce_ops, bytes_in, bytes_out;
        } vector;
        uint64_t word[6];
    } u;
};

struct sy_command {
    uint8_t kind;    /* enum sy_command_kind */
    uint8_t operand; /* LOAD, STORE: 0 = A, 1 = B, 2 = C */
    uint8_t level;   /* LOAD, STORE: chip memory level on the inner side */
    uint8_t dependencies;
    struct sy_dependency dependency[SY_MAX_DEPS];
    union {
        struct { /* LOAD, STORE: rows x row_bytes at pitch, from address */
            uint64_t rows, row_bytes, pitch_bytes, address;
            uint64_t scatter; /* not 0: rows lie at random multiples of the pitch in [address, address + scatter) */
            uint8_t parent;   /* chip memory level on the outer side */
        } move;
        struct { /* MATMUL */
            uint64_t m, k, n;
            uint64_t repeat;    /* this many equal tiles back to back (groups) */
            uint64_t into;      /* k steps of the first segment of a window (sy_chip_segment) that earlier tiles took */
            uint8_t dataflow;   /* index into the chip's dataflows */
            uint8_t a, b;       /* enum sy_dtype */
            uint8_t accumulate; /* 1: adds to what the accumulator holds */
        } matmul;
        struct { /* VECTOR */
            uint64_t elements, simple_ops, transcendental_ops, reduce_ops, bytes_in, bytes_out;
            uint64_t link_cycles; /* core cycles on the links to other chips: it ends no earlier than these */
            uint8_t
                fused; /* 1: a hardwired pipeline applies all its functions in one pass, an element a lane a cycle */
            uint8_t
                follows; /* 1: starts with the first results of the MATMUL it depends on and ends no earlier than it */
        } vector;
    } u;
    struct sy_all_cores all;
};

#endif
