/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the library's face (sim/systole*.c): handles, and the bridge from public to internal diagnostics. */
#ifndef SYSTOLE_INTERNAL_H
#define SYSTOLE_INTERNAL_H

#include "arch/chip.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"
#include "sim/include/systole.h"
#include "sim/stats/result.h"
#include "workloads/import/importer.h"

struct systole_chip {
    struct sy_chip *chip;
    char *path;
};
/* A trace is opened again at each run; an imported model is kept as the text of its trace. */
struct systole_workload {
    char *given; /* as the user named it: what reports show, the same on every machine */
    char *path;  /* file it came from */
    char *name;
    struct sy_workload *workload; /* of an imported model, or NULL */
    char *text;                   /* its trace text, or NULL */
    size_t length;
    char sha256[65]; /* of the file */
};
struct systole_result {
    struct sy_result *result;
};

/* A sink that forwards to the context's callback. context may be NULL. */
struct sy_diag systole_sink(const struct systole_context *context);
/* Copies a caller's struct of any version into the present one; false when its size is wrong. */
int systole_take_options(void *mine, size_t mine_size, const void *theirs);
/* Hands a buffer over as text; the buffer is emptied. */
enum systole_status systole_hand_over(struct sy_buf *buf, struct systole_text *text);
/* "DIR/FOLDER/NAMESUFFIX" if that file exists; malloc'ed, else NULL. */
char *systole_data_file(const struct systole_context *context, const char *folder, const char *name,
                        const char *suffix);

#endif
