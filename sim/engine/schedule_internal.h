/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the schedule generator (schedule.c, schedule_matrix.c, schedule_stream.c, schedule_tensors.c). */
#ifndef SY_ENGINE_SCHEDULE_INTERNAL_H
#define SY_ENGINE_SCHEDULE_INTERNAL_H

#include "sim/base/checked.h"
#include "sim/engine/schedule.h"
#include "sim/engine/state.h"
#include "sim/map/cores.h"
#include "workloads/sequences.h"

/* Classes of buffer users (sim/map/space.h); a stamp is the command's id + 1. */
enum { SY_USE_MATMUL, SY_USE_VECTOR, SY_USE_LOAD, SY_USE_STORE };

enum { SY_FIFO = 512, SY_MAX_LOOPS = SY_MAX_LEVELS * SY_DIMS };

struct sy_buffer {
    bool full;
    uint64_t tile[SY_DIMS];    /* start of the block it holds, dimensions the operand does not use zeroed */
    uint64_t bytes;            /* of all cores */
    struct sy_users producers; /* who wrote it */
    struct sy_users users;     /* who read it */
};
/* The buffers of one operand at one level during a layer. */
struct sy_ring {
    uint32_t level;
    enum sy_operand operand;
    uint32_t buffers, current;
    uint64_t base, slot_bytes;
    struct sy_buffer buffer[SY_MAX_BUFFERS];
};

/* Where an input tensor of the layer comes from. */
struct sy_source {
    uint64_t key;
    uint64_t address; /* in the backing store */
    bool on_chip;
    uint32_t level; /* when on chip */
    bool weight;
    uint64_t producer; /* stamp after which the data is there; 0 = from the start */
    int producer_class;
};

struct sy_walk_loop {
    uint32_t level;
    enum sy_dim dim;
};

struct sy_matrix_walk {
    struct sy_problem problem;
    struct sy_mapping mapping;
    struct sy_core_shares shares; /* of the split dimension */
    uint32_t loops;
    struct sy_walk_loop loop[SY_MAX_LOOPS]; /* outer to inner */
    uint64_t start[SY_MAX_LEVELS][SY_DIMS], extent[SY_MAX_LEVELS][SY_DIMS];
    uint64_t warm[SY_MAX_LOOPS], period[SY_MAX_LOOPS], last[SY_MAX_LOOPS]; /* iterations walked of a long loop */
    uint64_t iteration[SY_MAX_LOOPS]; /* of each loop; what was left out does not count */
    struct {
        uint64_t filled[SY_MAX_LEVELS][SY_OPERANDS], macs_walked;
    } measured[SY_MAX_LOOPS];                        /* as the measured iterations began */
    struct sy_ring ring[SY_OPERANDS][SY_MAX_LEVELS]; /* by position in the operand's chain */
    struct sy_source source[SY_OPERANDS];            /* A, B; C: where it goes */
    struct sy_users sink_before;                     /* who used the place where C stays */
    struct sy_vector_item epilogue;
    bool has_epilogue, needs_vector;
    bool sums_travel;                     /* partial sums leave their innermost level */
    uint32_t vector_to;                   /* position in C's chain that the vector unit writes */
    struct sy_source side[SY_MAX_INPUTS]; /* tensors the epilogue reads */
    enum sy_dtype side_dtype[SY_MAX_INPUTS];
    uint32_t sides;
    struct sy_ring side_ring;
    uint64_t page;        /* of attention: tokens a page of the cache that B is read from; 0 = not paged */
    uint64_t page_first;  /* the token at the beginning of B */
    enum sy_dim page_dim; /* along which tokens follow one another in B */
    uint64_t macs_total, macs_share, macs_walked, macs_given; /* of all cores; of this core's share; so far */
    struct sy_users last_out;                                 /* latest command that wrote C at its home */
    bool done;
};

/* A mapping found before (schedule_memo.c). */
struct sy_map_memo {
    bool valid;
    uint64_t hash; /* of the problem */
    struct sy_problem problem;
    struct sy_mapping mapping;
    struct sy_estimate estimate;
};

/* Tensors written to a backing store lately, and the command after which they are there. Older ones lie in the past. */
enum { SY_STORED = 512 };
struct sy_stored {
    uint64_t key, stamp;
};

struct sy_stream_walk {
    uint64_t chunks, next;
    uint64_t elements; /* of the output, in total */
    struct sy_vector_item item;
    uint64_t in_bytes[SY_MAX_INPUTS];
    struct sy_source source[SY_MAX_INPUTS];
    uint32_t inputs;
    uint64_t out_bytes;
    struct sy_source sink;
    uint64_t link_cycles; /* of a collective, on the links to other chips */
    struct {
        uint64_t elements, out_bytes, in_bytes[SY_MAX_INPUTS];
        struct sy_vector_item item;
    } all;                            /* of all cores; the others: of the largest share */
    uint64_t gather_rows;             /* rows a load is broken into; 0 = contiguous */
    struct sy_ring in_ring, out_ring; /* buffers = depth; each input takes its part of a slot */
};

/* Keys of a layer's surroundings by number, so that states can be compared whatever tensors are called. [0] = none. */
enum { SY_NAMES = 2048 };
struct sy_names {
    uint32_t count;
    uint64_t key[SY_NAMES];
};
/* A resident that is being overwritten goes by its key with this, until the layer ends. */
#define SY_OLD_VERSION UINT64_C(0x5A5A00000000A5A4)

/* How attention over one kind of sequence is cut into chunks: groups of heads by blocks of queries. */
struct sy_attention_cut {
    struct sy_attention_dims dims;
    struct sy_work whole;
    uint64_t first; /* chunk of the layer that is its first one */
    uint64_t chunks;
    uint64_t chunk_groups, chunk_rows; /* at a time */
    uint64_t blocks;                   /* of queries a head */
    uint64_t key_block;                /* keys at a time; 0 = all that a block of queries sees */
    uint64_t pairs;                    /* query-key pairs of a head that are computed */
    uint64_t table;                    /* stamp of the move that brings its page table; 0 = not paged */
    const char *next;                  /* in the layer's list, behind this kind */
    bool last;                         /* no kind follows */
};

/* The order of attention's items: the softmax of a chunk beside the products of the chunks before and behind it. */
enum sy_turn { SY_TURN_FIRST, SY_TURN_SOFTMAX, SY_TURN_VALUES, SY_TURN_SCORES, SY_TURN_REST, SY_TURN_LAST };
struct sy_weave {
    enum sy_turn turn;        /* the item at hand */
    uint64_t softmax;         /* chunk whose softmax it is beside */
    bool more;                /* a chunk follows that one */
    bool open;                /* that softmax is put between the tiles of the products beside it */
    uint64_t macs, macs_done; /* of those products, walked of them */
};

struct sy_forward;

/* Groups of heads at the analytic fidelity: what had been counted when those measured began. */
struct sy_group_sample {
    uint64_t groups; /* begun so far */
    uint64_t filled[SY_MAX_LEVELS][SY_OPERANDS], macs, saved_bytes, exchanged_bytes;
};
enum { SY_GROUP_LOOP = SY_MAX_LOOPS }; /* their number among the loops of sampled schedules */

struct sy_scheduler {
    struct sy_forward *forward; /* NULL: everything is walked */
    uint32_t turned;            /* 1 + loop that turned with the last step; 0 = none */
    const struct sy_chip *chip;
    struct sy_scheduler_options options;
    struct sy_diag *diag;
    uint32_t on_chip;
    uint32_t chain[SY_OPERANDS][SY_MAX_LEVELS], chain_length[SY_OPERANDS];
    struct sy_space space[SY_MAX_LEVELS];
    uint64_t next_id;
    uint64_t layer_index;
    uint8_t measure, jump; /* marks of the next command, see sy_issue */
    uint64_t skipped, skipped_macs;
    bool barrier;         /* the layer's first command waits for everything before it */
    struct sy_users last; /* latest command of each class */
    struct sy_issue fifo[SY_FIFO];
    uint32_t fifo_head, fifo_count;

    const struct sy_upcoming *current;
    struct sy_work work;
    const struct sy_work *whole; /* before attention was cut into chunks: `work` or a part's */
    struct sy_attention_cut
        part[3];                  /* of attention: the kind of sequence whose chunk is at hand, and those beside it */
    struct sy_attention_cut *cut; /* the one at hand; NULL: no chunks */
    uint64_t chunk;               /* of the layer's chunks, all kinds in turn */
    uint64_t first_key;           /* of attention: the chunk's */
    uint64_t key_block;           /* of attention: place of the chunk's among those of its queries */
    bool output_started;          /* of attention: a chunk before has written output */
    struct sy_weave weave;
    struct sy_group_sample sample;
    uint64_t macs_given; /* useful MACs of the matrix items walked so far */
    uint32_t item;
    bool item_started;
    struct sy_matrix_walk matrix;
    struct sy_stream_walk stream;
    struct sy_layer_plan plan;
    struct sy_map_memos *memos; /* those of the options, or own ones */
    struct sy_stored stored[SY_STORED];
    uint32_t stored_next;
    uint64_t temporary_key; /* names intermediates of a lowering */
    uint64_t filled[SY_MAX_LEVELS][SY_OPERANDS], released[SY_MAX_LEVELS][SY_OPERANDS],
        resident[SY_MAX_LEVELS][SY_OPERANDS];
};

/* schedule.c */
struct sy_issue *sy_schedule_emit(struct sy_scheduler *s, enum sy_command_kind kind, uint64_t *stamp);
void sy_schedule_depend(struct sy_command *command, int user_class, uint64_t stamp, enum sy_point matmul_point,
                        enum sy_stall stall);
/* Depend on readers (operands streamed) or on producers (results done). */
void sy_schedule_after_users(struct sy_command *command, const struct sy_users *users, enum sy_stall stall);
void sy_schedule_after_producers(struct sy_command *command, const struct sy_users *producers, enum sy_stall stall);
void sy_ring_open(struct sy_scheduler *s, struct sy_ring *ring, uint32_t level, enum sy_operand operand,
                  uint32_t buffers, uint64_t slot_bytes, uint64_t *cursor);
void sy_ring_close(struct sy_scheduler *s, struct sy_ring *ring);
/* Take the next buffer for `tile`, `bytes` in all cores together; *before receives who used it. */
struct sy_buffer *sy_ring_advance(struct sy_scheduler *s, struct sy_ring *ring, const uint64_t tile[SY_DIMS],
                                  uint64_t bytes, struct sy_users *before);

/* schedule_tensors.c */
/* The key of an item's tensor: an input or output of the layer, or an intermediate of its lowering. */
uint64_t sy_tensor_key(const struct sy_scheduler *s, int tensor, bool output);
void sy_tensor_stored(struct sy_scheduler *s, uint64_t key, uint64_t stamp);
/* The command after which a tensor is in the backing store; 0 = it lies in the past. */
uint64_t sy_tensor_stamp(const struct sy_scheduler *s, uint64_t key);
void sy_tensor_drop(struct sy_scheduler *s, uint32_t level, struct sy_resident *resident);
/* Place a tensor above `floor`, evicting what is used later than `than`. */
struct sy_resident *sy_tensor_place(struct sy_scheduler *s, uint64_t key, uint64_t bytes, uint32_t level,
                                    uint64_t floor, uint64_t than, struct sy_users *before);
/* Address of a move that a tensor's row layout does not describe better. */
void sy_move_fill(struct sy_issue *issue, enum sy_operand operand, uint32_t level, uint32_t parent, uint64_t bytes,
                  uint64_t address);
struct sy_source sy_tensor_source(struct sy_scheduler *s, uint64_t key, const struct sy_tensor *tensor,
                                  enum sy_operand role);
uint64_t sy_tensor_next_use(const struct sy_scheduler *s, uint64_t key);
struct sy_resident *sy_tensor_resident(struct sy_scheduler *s, const struct sy_source *source);
void sy_tensors_begin_layer(struct sy_scheduler *s);
void sy_tensors_retire(struct sy_scheduler *s, uint64_t key, struct sy_source *const *sources, uint32_t count);
enum sy_status sy_tensors_evict(struct sy_scheduler *s, uint32_t level, struct sy_resident *victim);
/* Try to reserve room for the layer's output; NULL when it does not stay. */
struct sy_resident *sy_tensors_keep(struct sy_scheduler *s, uint64_t key, uint64_t bytes, uint32_t level,
                                    struct sy_users *before);

/* Name of a layer's intermediates; the next ones follow. */
uint64_t sy_schedule_temporary_key(uint64_t layer_index);
/* Where a tensor lies in its role's backing store. */
uint64_t sy_schedule_address(const struct sy_scheduler *s, uint64_t key, enum sy_operand role);

/* schedule_fuse.c: strips of fused groups. What a group holds on chip: */
enum sy_fused {
    SY_FUSED_NOT,
    SY_FUSED_STRIP,  /* rows of a tensor of the group */
    SY_FUSED_HELD,   /* a whole tensor that was there before */
    SY_FUSED_WEIGHTS /* filters, for all strips */
};
/* Let go of what no group, or another one, holds. */
void sy_fuse_enter(struct sy_scheduler *s);
/* Rows of tensors made before the group, and weights, that the layer's strip needs and that are not there. */
enum sy_status sy_fuse_bring(struct sy_scheduler *s);
/* Whether the layer's output is one of those that stay on chip; whether it is the group's own, which goes to memory. */
bool sy_fuse_stays(const struct sy_upcoming *upcoming);
bool sy_fuse_leaves(const struct sy_upcoming *upcoming);
/* The output's place, counted in the books; *before: who used it. NULL: there is no room, which was reported. */
struct sy_resident *sy_fuse_output(struct sy_scheduler *s, uint32_t level, struct sy_users *before);
/* Where the rows that a strip brings lie in memory, behind the tensor's own place. */
uint64_t sy_fuse_bring_offset(const struct sy_fuse_part *part, uint32_t bring);
/* Where the strip's rows lie in the group's output. */
uint64_t sy_fuse_offset(const struct sy_upcoming *upcoming);
/* Everything of the part that decides what the layer does. */
void sy_fuse_write(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, struct sy_state *state);

/* schedule_state.c: see there */
/* Commands with ids below `oldest` are past: nothing waits for them. Between layers. */
void sy_schedule_forget(struct sy_scheduler *s, uint64_t oldest);
/* The state at a turn of a loop, relative to the loop's place; to compare only. */
void sy_schedule_save_loop(struct sy_scheduler *s, uint32_t loop, uint64_t oldest, struct sy_state *state);
/* The same between two groups of heads of attention. */
void sy_schedule_save_group(struct sy_scheduler *s, uint64_t oldest, struct sy_state *state);
/* All commands so far get numbers that much higher. */
void sy_schedule_shift(struct sy_scheduler *s, uint64_t commands);
void sy_schedule_name(const struct sy_scheduler *s, const struct sy_upcoming *upcoming, uint64_t index,
                      struct sy_names *names);
/* The state between layers; next_id must be set before loading. */
void sy_schedule_visit(struct sy_scheduler *s, const struct sy_names *names, struct sy_state *state);
void sy_schedule_write_layer(const struct sy_scheduler *s, const struct sy_upcoming *upcoming,
                             const struct sy_names *names, struct sy_state *state);
void sy_schedule_tally(struct sy_scheduler *s, struct sy_tally *tally);

/* schedule_attention.c: attention runs in blocks of queries, whose scores stay on chip */
enum sy_status sy_attention_cut(struct sy_scheduler *s);
/* The softmax has begun: is it put between the tiles of the products beside it? Then pieces of it before their steps.
 */
bool sy_attention_weaves(struct sy_scheduler *s);
enum sy_status sy_attention_weave(struct sy_scheduler *s);
/* An item is done: on to the next one, of this block or another. */
enum sy_status sy_attention_next(struct sy_scheduler *s);
/* Level where whole tensors that A reads may stay, or UINT32_MAX. */
uint32_t sy_keeping_level(const struct sy_scheduler *s);

/* schedule_pages.c: attention's keys and values in pages */
/* Does a sequence take more than one page? */
bool sy_pages_split(const struct sy_attention_dims *dims);
/* Bring the page table of a kind of sequence, when it has one. */
enum sy_status sy_pages_table(struct sy_scheduler *s, struct sy_attention_cut *cut);
/* A tile of B by what lies in pages: tokens [from, from + tokens), elements of each, of `groups` heads. */
struct sy_tile_of_b {
    uint64_t from, tokens, elements, groups;
};
/* The walk's block of B at a level; and of its extent those rows or columns that are no padding. */
struct sy_tile_of_b sy_tile_of_b(const struct sy_matrix_walk *w, uint32_t level);
/* schedule_place.c: does a tile lie in one piece, wherever it is? */
bool sy_place_packed(const struct sy_matrix_walk *w, enum sy_operand operand);
/* Bytes of the operand's tensor before the walk's block of it, which moves between two levels, in rows or packed. */
uint64_t sy_place_ahead(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                        uint32_t level, uint32_t outer, bool in_rows, enum sy_dtype dtype);
/* Whether all moves of the operand (of C also what the epilogue reads) lie at the same place, as the executor takes
 * addresses, when a loop at a level has gone `step` further. */
struct sy_executor;
bool sy_place_recurs(const struct sy_scheduler *s, const struct sy_executor *exec, enum sy_operand operand,
                     uint32_t loop_level, enum sy_dim dim, uint64_t step);
/* Of the walk's block of B those rows or columns that are no padding. */
uint64_t sy_extent_of_b(const struct sy_matrix_walk *w, const uint64_t start[SY_DIMS], const uint64_t extent[SY_DIMS],
                        enum sy_dim dim);
uint64_t sy_pages_bytes(const struct sy_matrix_walk *w, const struct sy_tile_of_b *tile, uint64_t groups);
/* Emit the moves that bring it into a buffer, once `before` are done with that. */
enum sy_status sy_pages_load(struct sy_scheduler *s, struct sy_matrix_walk *w, const struct sy_tile_of_b *tile,
                             struct sy_ring *ring, struct sy_buffer *buffer, const struct sy_users *before);

/* schedule_matrix.c, schedule_stream.c */
enum sy_status sy_matrix_begin(struct sy_scheduler *s, const struct sy_matrix_item *item,
                               const struct sy_vector_item *epilogue);
enum sy_status sy_matrix_step(struct sy_scheduler *s);
/* schedule_block.c: bytes of an operand's block that begins at start. */
uint64_t sy_matrix_block_bytes(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS],
                               const uint64_t extent[SY_DIMS], enum sy_dtype dtype);
/* Rows, their bytes and pitch of a move of such a block; false when it lies packed in one piece. */
bool sy_matrix_shape_rows(const struct sy_matrix_walk *w, enum sy_operand operand, const uint64_t start[SY_DIMS],
                          const uint64_t extent[SY_DIMS], enum sy_dtype dtype, struct sy_command *command);
/* The vector unit's work on so many outputs. */
void sy_matrix_fill_vector(const struct sy_matrix_walk *w, struct sy_command *command, uint64_t elements);

/* schedule_cores.c: several cores share an item. The split is chosen, and the walk's problem, so far that of all of it
 * and complete but for room and mapping, becomes that of the largest share. */
enum sy_status sy_cores_share(struct sy_scheduler *s, struct sy_matrix_walk *w);
/* schedule_exchange.c: partial sums of a split of K. The innermost block's are there with `matmul`; *ready receives
 * what to wait for before this core's part can be added up. */
enum sy_status sy_exchange(struct sy_scheduler *s, struct sy_matrix_walk *w, uint64_t matmul, struct sy_users *ready);
/* The additions, on top of a vector command for the core's own part. */
void sy_exchange_add(const struct sy_matrix_walk *w, struct sy_issue *vector);
/* A store of a whole block becomes that of the core's part of it. */
void sy_exchange_store(const struct sy_scheduler *s, const struct sy_matrix_walk *w, uint64_t block_bytes,
                       struct sy_issue *store);
/* What all cores send, and receive, of a whole item; what passes is counted where it does. False on overflow. */
bool sy_exchange_bytes(const struct sy_matrix_walk *w, uint64_t *bytes);
/* Cycles that the exchange of all of C takes the level it goes through. */
double sy_exchange_cycles(const struct sy_scheduler *s, const struct sy_problem *problem, uint64_t cores);
/* schedule_memo.c: the problem's memo; when there is none, room for it, not valid yet. */
struct sy_map_memo *sy_map_memo_of(struct sy_map_memos *memos, const struct sy_problem *problem);
/* schedule_plan.c */
enum sy_status sy_plan_map(struct sy_scheduler *s, struct sy_matrix_walk *w, struct sy_mapping *mapping,
                           struct sy_estimate *estimate, char why[160]);
void sy_plan_free_bytes(struct sy_scheduler *s, struct sy_problem *problem);
uint64_t sy_cores_at_work(const struct sy_matrix_walk *w);
/* Bytes of the block in all cores. */
uint64_t sy_cores_block_bytes(const struct sy_matrix_walk *w, enum sy_operand operand, uint32_t level,
                              enum sy_dtype dtype);
/* What all cores do beside a command that is complete for one: nothing is said when there is one. */
void sy_cores_move(const struct sy_scheduler *s, const struct sy_matrix_walk *w, enum sy_operand operand,
                   uint32_t level, enum sy_dtype dtype, struct sy_issue *issue);
void sy_cores_matmul(const struct sy_scheduler *s, const struct sy_matrix_walk *w, struct sy_issue *issue);
/* Groups of the block in all cores; every core at work reads them anew unless they are what is shared out. */
uint64_t sy_cores_groups(const struct sy_matrix_walk *w, uint32_t level);
/* A move of as many equal pieces a group. */
void sy_cores_pieces(const struct sy_scheduler *s, const struct sy_matrix_walk *w, uint32_t level,
                     struct sy_issue *issue);
/* Elements of C's block at a level that a core finishes; *less: those of the cores with fewer. */
struct sy_core_shares sy_cores_outputs(const struct sy_matrix_walk *w, uint32_t level, uint64_t *less);
void sy_cores_contiguous(const struct sy_scheduler *s, const struct sy_core_shares *cores, uint64_t less_bytes,
                         struct sy_issue *issue);
void sy_cores_vector(const struct sy_scheduler *s, const struct sy_matrix_walk *w, const struct sy_core_shares *cores,
                     uint64_t less, struct sy_issue *issue);
/* Iterations of a loop from its place to its end. */
uint64_t sy_matrix_iterations(const struct sy_scheduler *s, uint32_t loop);
/* How many iterations from here, in multiples of the period, make the same commands as the period before: never the
 * last one. Addresses count as the executor takes them. */
struct sy_executor;
uint64_t sy_matrix_alike(const struct sy_scheduler *s, const struct sy_executor *exec, uint32_t loop, uint64_t period);
/* Go on behind so many periods in which macs_walked grew by macs each; returns the useful MACs left out. */
uint64_t sy_matrix_skip(struct sy_scheduler *s, uint32_t loop, uint64_t period, uint64_t times, uint64_t macs);
void sy_matrix_start_walk(struct sy_scheduler *s, struct sy_matrix_walk *w);
enum sy_status sy_stream_begin(struct sy_scheduler *s, const struct sy_item *item);
enum sy_status sy_stream_step(struct sy_scheduler *s);

#endif
