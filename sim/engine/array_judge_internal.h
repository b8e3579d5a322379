/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of cycle fidelity (array_judge.h). Private to array_judge*.c. */
#ifndef SY_ENGINE_ARRAY_JUDGE_INTERNAL_H
#define SY_ENGINE_ARRAY_JUDGE_INTERNAL_H

#include "sim/engine/array_judge.h"
#include "sim/engine/array_repeat.h"
#include "sim/engine/array_wave.h"

/* ---- what is known ---- */

/* A key says exactly what was stepped or judged; unused words are 0. */
enum { SY_JUDGE_KEY = 20, SY_JUDGE_BUCKETS = 4096, SY_JUDGE_MOST_KNOWN = 1 << 18 };
enum sy_judge_kind { SY_JUDGE_TILE = 1, SY_JUDGE_FOLLOW, SY_JUDGE_ALONE, SY_JUDGE_JOINT, SY_JUDGE_ROW };
struct sy_judge_key {
    uint64_t word[SY_JUDGE_KEY];
    uint32_t words;
};

/* What one go of the array showed. */
struct sy_stepped {
    struct sy_cycle_result result;
    uint64_t looks;
    struct sy_cycle_mark look[];
};
struct sy_known {
    struct sy_known *next;
    struct sy_judge_key key;
    struct sy_stepped *stepped; /* owned; NULL: judged, or counted only */
};

/* ---- what is judged ---- */

struct sy_judge_formats {
    enum sy_dtype a, b, pe; /* pe: PEs compute in it */
};
/* A share of a tile as the array sees it, and its cycles by the closed form at the native rate. */
struct sy_judged {
    struct sy_repeat_tile tile;
    uint8_t dataflow;
    struct sy_array_run run;
};

struct sy_judge {
    const struct sy_chip *chip;
    struct sy_diag *diag;
    struct sy_judge_options options;
    struct sy_judge_totals totals;
    struct sy_array_timing timing;
    struct sy_array_wave *wave;
    struct sy_repeat_keep keep[SY_DATAFLOW_KINDS];
    bool has_before;
    struct sy_judged before;
    struct sy_known *known[SY_JUDGE_BUCKETS];
    uint64_t knowns;
};

/* A part of a go: a tile, of whose folds some are stepped. */
struct sy_judge_part {
    struct sy_repeat_tile tile;
    uint64_t skip, folds;
    uint64_t looks, beats; /* at each fold; beats of the fold */
};
/* One go: parts side by side along N, each with its own B, all with the first rows and columns of one A. */
struct sy_judge_go {
    const struct sy_judge_part *part;
    uint64_t parts;
    uint8_t dataflow;
    struct sy_judge_formats formats;
    uint64_t most_cycles;              /* it may take, from its first word to its last result */
    const struct sy_tile_start *shown; /* write its waveform */
    const char *name;
};

void sy_judge_key_start(struct sy_judge_key *key, enum sy_judge_kind kind, uint8_t dataflow,
                        const struct sy_judge_formats *formats);
void sy_judge_key_word(struct sy_judge_key *key, uint64_t word);
void sy_judge_key_tile(struct sy_judge_key *key, const struct sy_repeat_tile *tile);
/* NULL: not known. */
struct sy_known *sy_judge_find(const struct sy_judge *judge, const struct sy_judge_key *key);
/* Takes `stepped` over, which may be NULL. NULL when there is no memory. */
struct sy_known *sy_judge_learn(struct sy_judge *judge, const struct sy_judge_key *key, struct sy_stepped *stepped);
void sy_judge_forget(struct sy_judge *judge);

/* Step, compare the product, and say what was seen (with count_only: only count; *stepped is NULL then). */
enum sy_status sy_judge_step(struct sy_judge *judge, const struct sy_judge_go *go, struct sy_stepped **stepped);
/* Reports a figure that differs. */
enum sy_status sy_judge_differ(struct sy_judge *judge, const char *name, const char *figure, uint64_t stepped,
                               uint64_t closed);

/* One tile with its figures; groups behind each other; a tile behind another. */
enum sy_status sy_judge_alone(struct sy_judge *judge, const struct sy_judged *tile,
                              const struct sy_judge_formats *formats, const char *name);
enum sy_status sy_judge_repeats(struct sy_judge *judge, const struct sy_judged *tile, uint64_t repeat,
                                const struct sy_judge_formats *formats, const char *name);
enum sy_status sy_judge_follow(struct sy_judge *judge, const struct sy_judged *before, const struct sy_judged *tile,
                               const struct sy_judge_formats *formats, const char *name);
/* The tile's waveform. */
enum sy_status sy_judge_show(struct sy_judge *judge, const struct sy_judged *tile,
                             const struct sy_judge_formats *formats, const struct sy_tile_start *start,
                             const char *name);

#endif
