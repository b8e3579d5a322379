/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the library's face (sim/systole*.c): handles, and the bridge from public to internal diagnostics. */
#ifndef SYSTOLE_INTERNAL_H
#define SYSTOLE_INTERNAL_H

#include "arch/chip.h"
#include "sim/base/diag.h"
#include "sim/base/text.h"
#include "sim/include/systole.h"
#include "sim/stats/result.h"
#include "workloads/fuse_choice.h"
#include "workloads/import/importer.h"

struct systole_chip {
    struct sy_chip *chip;
    struct sy_arena *arena;
    struct sy_result_request request; /* chip and set */
};
/* A trace is opened again at each run; an imported model is kept as the text of its trace. */
struct systole_workload {
    struct sy_arena *arena;
    struct sy_result_request request; /* workload, as the user named it, and import options */
    char *path;                       /* file it came from */
    char *name;
    struct sy_workload *workload; /* of an imported model, or NULL */
    char *text;                   /* its trace text, or NULL */
    size_t length;
    char sha256[65];             /* of the file */
    struct sy_fuse_choice *fuse; /* of a trace: groups of its layers to fuse */
    uint32_t fuses;
};
struct systole_result {
    struct sy_result *result;
};

enum sy_status systole_refuse_fusion(const struct systole_workload *workload, struct sy_diag *diag);
/* A sink that forwards to the context's callback. context may be NULL. */
struct sy_diag systole_sink(const struct systole_context *context);
/* Copies a caller's struct of any version into the present one; false when its size is wrong. */
int systole_take_options(void *mine, size_t mine_size, const void *theirs);
/* Hands a buffer over as text; the buffer is emptied. */
enum systole_status systole_hand_over(struct sy_buf *buf, struct systole_text *text);
/* Deep copies, into an arena or into a new one that the caller destroys (also after SY_NOMEM). */
enum sy_status systole_copy_request(const struct sy_result_request *from, struct sy_arena *arena,
                                    struct sy_result_request *to);
enum sy_status systole_keep_request(const struct sy_result_request *from, struct sy_arena **arena,
                                    struct sy_result_request *to);
/* "DIR/FOLDER/NAMESUFFIX" if that file exists; malloc'ed, else NULL. */
char *systole_data_file(const struct systole_context *context, const char *folder, const char *name,
                        const char *suffix);

#endif
