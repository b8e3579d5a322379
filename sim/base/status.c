/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/status.h"

struct status_row {
    const char *text;
    int exit_code;
};

#define ROW(name, exit_code, text) {text, exit_code},
static const struct status_row rows[SY_STATUS_COUNT] = {SY_STATUS_MAP(ROW)};
#undef ROW

/* The list spells names in capitals because they are also enum constants. */
static const char *const lower_names[SY_STATUS_COUNT] = {
    [SY_OK] = "ok",
    [SY_CHECK_FAILED] = "check_failed",
    [SY_USAGE] = "usage",
    [SY_INPUT] = "input",
    [SY_UNSUPPORTED] = "unsupported",
    [SY_OVERFLOW] = "overflow",
    [SY_IO] = "io",
    [SY_NOMEM] = "nomem",
    [SY_INTERNAL] = "internal",
    [SY_STATE] = "state",
    [SY_INTERRUPTED] = "interrupted",
};

static int known(enum sy_status status)
{
    return (unsigned)status < SY_STATUS_COUNT;
}

const char *sy_status_name(enum sy_status status)
{
    return known(status) ? lower_names[status] : "unknown";
}

const char *sy_status_text(enum sy_status status)
{
    return known(status) ? rows[status].text : "an unknown status";
}

int sy_status_exit_code(enum sy_status status)
{
    return known(status) ? rows[status].exit_code : rows[SY_INTERNAL].exit_code;
}
