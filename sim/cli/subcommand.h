/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subcommands: one file each, registered by the build from the line
 * `const struct sy_subcommand sy_subcommand_NAME = {`. The option table drives
 * parsing, --help and the man page. Subcommands use the public header only.
 */
#ifndef SY_CLI_SUBCOMMAND_H
#define SY_CLI_SUBCOMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/include/systole.h"

enum sy_option_kind {
    SY_OPTION_FLAG, /* bool */
    SY_OPTION_TEXT, /* const char * */
    SY_OPTION_U64,  /* uint64_t */
    SY_OPTION_REAL, /* double */
    SY_OPTION_LIST  /* struct sy_cli_list: may be given several times */
};
enum { SY_CLI_LIST_MAX = 256 };
struct sy_cli_list {
    uint32_t count;
    const char *item[SY_CLI_LIST_MAX + 1]; /* NULL-terminated */
};

struct sy_option {
    const char *name;     /* long, without dashes */
    char letter;          /* short, 0 = none */
    const char *argument; /* what stands for its value in --help, NULL = flag */
    enum sy_option_kind kind;
    size_t offset;   /* in the subcommand's own options struct */
    const char *doc; /* one sentence, lower case, no period */
};

/* What main hands to every subcommand. */
struct sy_cli {
    struct systole_context context;
    bool quiet, verbose;
    bool stderr_is_terminal, stdout_is_terminal, color;
    bool unicode;    /* the terminal shows UTF-8 */
    uint32_t errors; /* diagnostics of severity error printed so far */
};

enum { SY_MAX_OPTIONS = 40, SY_MAX_OPERANDS = 64 };
struct sy_subcommand {
    const char *name;
    const char *summary;  /* one line */
    const char *operands; /* "FILE...", or "" */
    uint32_t min_operands, max_operands;
    const struct sy_option *options; /* ends with a row whose name is NULL */
    size_t options_size;             /* of the options struct, zeroed before parsing */
    void (*defaults)(void *options); /* NULL, or sets what does not begin as zero */
    const char *examples;            /* lines of `systole ...`, shown by --help */
    /* Returns the exit status as a systole_status. */
    enum systole_status (*run)(struct sy_cli *cli, void *options, const char *const *operands, uint32_t count);
};
extern const struct sy_subcommand *const sy_subcommands[]; /* NULL-terminated, sorted by file name */

/* Options that most subcommands share; put SY_COMMON_OPTIONS(struct, member) rows into the table. */
struct sy_cli_workload {
    const char *name, *format, *phase, *kind, *activation, *weight, *accumulator, *kv, *routing, *context;
    uint64_t batch, new_tokens, kv_page, tensor_parallel;
    bool allow_unmodelled;
    struct sy_cli_list dims, fuse;
};
struct sy_cli_model {
    const char *fidelity, *memory, *objective, *kernel, *energy;
    const char *ert, *sram, *area;
    bool power_limited;
    struct sy_cli_list set, set_energy;
    uint64_t seed;
};
struct sy_cli_output {
    const char *format, *path;
};

/* One row: kind, member, long name, letter, what stands for the value, doc. */
#define SY_OPT(kind, type, member, name, letter, argument, doc)                                                        \
    {                                                                                                                  \
        name, letter, argument, SY_OPTION_##kind, offsetof(type, member), doc                                          \
    }
/* clang-format off */
#define SY_WORKLOAD_OPTIONS(type, member) \
    SY_OPT(TEXT, type, member.name, "workload", 'w', "NAME|FILE", "workload: a shipped one, a trace, or a model file"), \
    SY_IMPORT_OPTIONS(type, member)
#define SY_IMPORT_OPTIONS(type, member) \
    SY_OPT(TEXT, type, member.format, "import-format", 0, "NAME", "importer to use instead of recognising the file"), \
    SY_OPT(TEXT, type, member.phase, "phase", 0, "PHASE", "LLM phase: prefill, decode or train-step"), \
    SY_OPT(U64, type, member.batch, "batch", 0, "N", "batch size"), \
    SY_OPT(TEXT, type, member.context, "context", 0, "N|LIST|FILE", "LLM context in tokens; LIST: one a sequence, 4x128,4096"), \
    SY_OPT(U64, type, member.kv_page, "kv-page", 0, "N", "tokens a page of the KV cache; pages lie anywhere in memory"), \
    SY_OPT(U64, type, member.new_tokens, "new-tokens", 0, "N", "LLM tokens to generate"), \
    SY_OPT(TEXT, type, member.kind, "input-type", 'i', "conv|gemm", "kind of a SCALE-Sim topology file"), \
    SY_OPT(TEXT, type, member.activation, "activation", 0, "DTYPE", "number format of activations, in place of the file's"), \
    SY_OPT(TEXT, type, member.weight, "weight", 0, "DTYPE", "number format of weights, in place of the file's"), \
    SY_OPT(TEXT, type, member.accumulator, "accumulator", 0, "DTYPE", "number format of partial sums"), \
    SY_OPT(TEXT, type, member.kv, "kv", 0, "DTYPE", "number format of the KV cache"), \
    SY_OPT(TEXT, type, member.routing, "routing", 0, "uniform|worst|FILE", "which experts tokens pick; FILE: a weight an expert"), \
    SY_OPT(U64, type, member.tensor_parallel, "tensor-parallel", 0, "N", "chips that share each layer of an LLM; the run is one chip's"), \
    SY_OPT(LIST, type, member.dims, "dim", 0, "NAME=N", "value of a symbolic dimension (repeatable)"), \
    SY_OPT(LIST, type, member.fuse, "fuse", 0, "GROUP", "run layers depth-first: FIRST..LAST:strip=ROWS[:halo=keep|recompute] (repeatable)"), \
    SY_OPT(FLAG, type, member.allow_unmodelled, "allow-unmodelled", 0, NULL, "count operators that cannot be modelled instead of failing")
#define SY_MODEL_OPTIONS(type, member) \
    SY_OPT(TEXT, type, member.fidelity, "fidelity", 0, "NAME", "analytic, event (default) or cycle"), \
    SY_OPT(TEXT, type, member.memory, "memory", 0, "NAME", "ideal, shared, sampled (default), burst, or tlm:FILE.so[,ARGUMENT]: your own target"), \
    SY_OPT(TEXT, type, member.objective, "objective", 0, "NAME", "what the mapper minimises: cycles (default), energy, edp or traffic"), \
    SY_OPT(TEXT, type, member.kernel, "kernel", 0, "NAME", "event kernel: systemc (default) or heap"), \
    SY_OPT(TEXT, type, member.energy, "energy", 0, "NAME|FILE", "energy table to use instead of the chip's"), \
    SY_OPT(LIST, type, member.set_energy, "set-energy", 0, "ITEM=PJ", "replace one energy, for example mac.int8=0.2 (repeatable)"), \
    SY_OPT(TEXT, type, member.ert, "ert", 0, "FILE", "replace energies and areas by those of Accelergy's reference tables"), \
    SY_OPT(TEXT, type, member.sram, "sram", 0, "FILE", "memory-compiler macros (CSV) to build the SRAMs of"), \
    SY_OPT(FLAG, type, member.power_limited, "power-limited", 0, NULL, "lower the core clock until peak power fits the chip's TDP"), \
    SY_OPT(TEXT, type, member.area, "area", 0, "NAME|FILE", "area table to use instead of the default one"), \
    SY_OPT(LIST, type, member.set, "set", 0, "KEY=VALUE", "override a key of the chip (repeatable)"), \
    SY_OPT(U64, type, member.seed, "seed", 0, "N", "seed of anything random")
#define SY_OUTPUT_OPTIONS(type, member) \
    SY_OPT(TEXT, type, member.format, "format", 'f', "NAME", "output format (`systole list formats`)"), \
    SY_OPT(TEXT, type, member.path, "output", 'o', "FILE", "write to FILE instead of standard output")
/* clang-format on */
#define SY_OPTIONS_END                                                                                                 \
    {                                                                                                                  \
        NULL, 0, NULL, SY_OPTION_FLAG, 0, NULL                                                                         \
    }

/* ---- helpers (cli_*.c) ---- */
/* Parse argv[0..argc) by the subcommand's table; false after a message (exit 2). *help: --help was asked for. */
bool sy_cli_parse(struct sy_cli *cli, const struct sy_subcommand *subcommand, int argc, char **argv, void *options,
                  const char **operands, uint32_t *count, bool *help);
void sy_cli_help(const struct sy_subcommand *subcommand);
/* A usage message on stderr with a pointer to --help; returns SYSTOLE_USAGE. */
enum systole_status sy_cli_usage(struct sy_cli *cli, const char *subcommand, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether `candidate` is near enough to `word` to be meant by it, and nearer than *distance, which is then lowered.
 * Begin with *distance = SY_CLI_FAR. */
enum { SY_CLI_FAR = 3 };
bool sy_cli_nearer(const char *word, const char *candidate, uint32_t *distance);
enum systole_status sy_cli_error(struct sy_cli *cli, enum systole_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Load by the shared options; messages are printed by the context's sink. */
enum systole_status sy_cli_load_workload(struct sy_cli *cli, const struct sy_cli_workload *options,
                                         struct systole_workload **workload);
void sy_cli_run_options(const struct sy_cli_model *model, struct systole_run_options *run);
/* How a report looks where it goes: terminals have a width, colour and UTF-8, files and pipes have not. */
void sy_cli_format_options(const struct sy_cli *cli, const struct sy_cli_output *output, int details,
                           struct systole_format_options *format);
/* What compare, sweep and check hand to the library, with the structs it points to. */
struct sy_cli_explore {
    struct systole_explore_options options;
    struct systole_run_options run;
    struct systole_import_options import;
    struct systole_format_options format;
};
void sy_cli_explore_options(struct sy_cli *cli, const struct sy_cli_model *model,
                            const struct sy_cli_workload *workload, const struct sy_cli_output *output,
                            uint64_t workers, struct sy_cli_explore *explore);
/* Calls sy_cli_progress; context is the struct sy_cli. */
void sy_cli_explore_progress(void *context, uint64_t done, uint64_t total);
uint32_t sy_cli_processors(void);
/* Write text to FILE (whole or not at all) or standard output, then free it. Checks every write. */
enum systole_status sy_cli_write(struct sy_cli *cli, const char *path, struct systole_text *text);
/* True after SIGINT; its address serves as a run's cancel flag. */
volatile const int *sy_cli_cancel(void);
/* Progress on a terminal: one line, rate and ETA; silent otherwise. done = total ends the line. */
void sy_cli_progress(struct sy_cli *cli, const char *what, uint64_t done, uint64_t total);

#endif
