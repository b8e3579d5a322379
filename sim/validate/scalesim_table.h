/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of SCALE-Sim figures, as in tests/golden/scalesim_*.csv, against the
 * parity model. Four tables are told apart by their columns: CALC and USER
 * runs (one table kind, by bw_mode), sparse runs, v1 runs. Columns may stand
 * in any order. The layer is given by its convolution columns (ifmap_h ...) or
 * by M, N, K, the SRAMs by sram_kb or one column each. Figure columns may be
 * missing, and a blank cell is not a figure.
 */
#ifndef SY_VALIDATE_SCALESIM_TABLE_H
#define SY_VALIDATE_SCALESIM_TABLE_H

#include <stdbool.h>

#include "sim/base/csv.h"

enum sy_scalesim_table_kind { SY_SCALESIM_TABLE_RUNS, SY_SCALESIM_TABLE_SPARSE, SY_SCALESIM_TABLE_V1 };

/* Which table this is; SY_INPUT with the missing columns when it is none. */
enum sy_status sy_scalesim_table_recognize(const struct sy_csv *csv, enum sy_scalesim_table_kind *kind,
                                           struct sy_diag *diag);

struct sy_scalesim_check {
    char group[32]; /* "v3 USER os" */
    bool exact;     /* every figure met: integers equal, reals within 1e-9 relative */
    bool refused;   /* the model refused the row; exact when the row has an error too */
    bool has_cycles;
    double cycles_expected, cycles_found;
    const char *figure;     /* first column missed, NULL when exact */
    double expected, found; /* of that column */
};
/* Run one row (1 .. csv->rows - 1). SY_INPUT for a cell that cannot be read, with its line and column. Messages of a
 * refusal are not delivered. Thread safe. */
enum sy_status sy_scalesim_table_check(const struct sy_csv *csv, enum sy_scalesim_table_kind kind, size_t row,
                                       struct sy_scalesim_check *check, struct sy_diag *diag);

#endif
