/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status codes: the one list of ways a Systole call can end.
 *
 * Every fallible function returns an enum sy_status; detail for a person goes
 * to a struct sy_diag (diag.h). The exit code column is what the command line
 * returns when a command ends with that status. The public header repeats the
 * values (SYSTOLE_OK ...); a static assertion keeps the two equal.
 */
#ifndef SY_BASE_STATUS_H
#define SY_BASE_STATUS_H

/* clang-format off */
/*      name          exit  sentence */
#define SY_STATUS_MAP(X)                                                  \
    X(OK,             0,    "success")                                    \
    X(CHECK_FAILED,   1,    "a checked figure is outside its tolerance")  \
    X(USAGE,          2,    "the call or command line is not valid")      \
    X(INPUT,          3,    "the input is not valid")                     \
    X(UNSUPPORTED,    3,    "the input asks for something not modelled")  \
    X(OVERFLOW,       3,    "a figure does not fit 64 bits")              \
    X(IO,             4,    "reading or writing failed")                  \
    X(NOMEM,          5,    "out of memory")                              \
    X(INTERNAL,       5,    "an internal invariant does not hold")        \
    X(STATE,          5,    "the call is not allowed in this state")      \
    X(INTERRUPTED,    130,  "interrupted")
/* clang-format on */

enum sy_status {
#define SY_STATUS_ENUM(name, exit_code, text) SY_##name,
    SY_STATUS_MAP(SY_STATUS_ENUM)
#undef SY_STATUS_ENUM
        SY_STATUS_COUNT
};

/* Short lower-case name ("input") of a status; "unknown" outside the list. Static storage. Thread safe. */
const char *sy_status_name(enum sy_status status);
/* The sentence of the list. Static storage. Thread safe. */
const char *sy_status_text(enum sy_status status);
/* Process exit code for a command that ends with this status. */
int sy_status_exit_code(enum sy_status status);

#endif
