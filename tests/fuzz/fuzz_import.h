/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets of importers share: any bytes give a status; a workload
 * comes back exactly when it is SY_OK, and then its layers hold together.
 */
#ifndef TESTS_FUZZ_FUZZ_IMPORT_H
#define TESTS_FUZZ_FUZZ_IMPORT_H

#include <stdlib.h>

#include "workloads/import/importer.h"
#include "workloads/lower.h"

static inline void fuzz_require(int holds)
{
    if (!holds) {
        abort();
    }
}

/* Import once strictly and once with unmodelled operators let through. */
static inline void fuzz_import(const struct sy_importer *importer, const char *path, const void *data, size_t length,
                               struct sy_import_options options)
{
    for (int pass = 0; pass < 2; pass++) {
        struct sy_workload *workload = NULL;
        struct sy_diag diag = {0};
        options.allow_unmodelled = pass == 1;
        enum sy_status status = importer->import(path, data, length, &options, &workload, &diag);
        fuzz_require((status == SY_OK) == (workload != NULL));
        fuzz_require(status == SY_OK || status == SY_NOMEM || status == SY_OVERFLOW || diag.errors > 0);
        for (const struct sy_workload_record *r = workload != NULL ? workload->first : NULL; r != NULL; r = r->next) {
            struct sy_work work;
            if (r->kind == SY_RECORD_LAYER) {
                fuzz_require(sy_layer_check(&r->layer, NULL, NULL) == SY_OK);
                (void)sy_lower(&r->layer, &work);
            }
        }
        sy_workload_destroy(workload);
    }
    (void)importer->sniff(path, data, length < 4096 ? length : 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif
