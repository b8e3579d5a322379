/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of layers to fuse, chosen by name. See fuse_choice.h. */
#include "workloads/fuse_choice.h"

#include <stdio.h>
#include <string.h>

#include "sim/base/text.h"

static enum sy_status refuse(const char *text, const char *what, struct sy_diag *diag)
{
    sy_error(diag, SY_NOWHERE, "write FIRST..LAST:strip=ROWS, for example conv1..pool1:strip=8:halo=keep",
             "'%s' fuses nothing: %s", text, what);
    return SY_USAGE;
}

/* Cut " :KEY=VALUE" off the end; NULL when it does not stand there. */
static const char *cut_off(char *text, const char *key)
{
    char *at = strrchr(text, ':');
    size_t length = strlen(key);
    if (!at || strncmp(at + 1, key, length) != 0 || at[1 + length] != '=')
        return NULL;
    *at = 0;
    return at + length + 2;
}

static bool parse_rows(const char *text, uint64_t *rows)
{
    *rows = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || *rows > (UINT64_MAX - 9) / 10)
            return false;
        *rows = *rows * 10 + (uint64_t)(*p - '0');
    }
    return *rows > 0;
}

enum sy_status sy_fuse_parse(const char *text, struct sy_fuse_choice *choice, struct sy_diag *diag)
{
    char copy[600];
    memset(choice, 0, sizeof *choice);
    if (strlen(text) >= sizeof copy)
        return refuse("...", "it is longer than two names and a strip", diag);
    memcpy(copy, text, strlen(text) + 1);
    const char *halo = cut_off(copy, "halo"), *strip = cut_off(copy, "strip");
    halo = halo ? halo : cut_off(copy, "halo");
    if (!strip || !parse_rows(strip, &choice->how.strip))
        return refuse(text, "the strip's rows are missing, or no number from 1 on", diag);
    if (halo && strcmp(halo, "keep") != 0 && strcmp(halo, "recompute") != 0)
        return refuse(text, "the halo is kept (keep) or computed again (recompute)", diag);
    choice->how.halo = halo && !strcmp(halo, "recompute") ? SY_HALO_RECOMPUTE : SY_HALO_KEEP;
    char *dots = strstr(copy, "..");
    if (!dots || dots == copy || !dots[2])
        return refuse(text, "two names with '..' between them are missing", diag);
    *dots = 0;
    if (strlen(copy) >= sizeof choice->first || strlen(dots + 2) >= sizeof choice->last)
        return refuse(text, "a name has more than 255 bytes", diag);
    memcpy(choice->first, copy, strlen(copy) + 1);
    memcpy(choice->last, dots + 2, strlen(dots + 2) + 1);
    return SY_OK;
}

static bool is_called(const struct sy_workload_record *record, const char *name)
{
    return record->kind == SY_RECORD_LAYER && record->layer.name && !strcmp(record->layer.name, name);
}

/* Layers from the record to the next one called so; 0 when something else lies between, or too many. */
static uint32_t layers_to(const struct sy_workload_record *record, const char *name)
{
    uint32_t layers = 0;
    for (; record && record->kind == SY_RECORD_LAYER && layers < SY_FUSE_LAYERS; record = record->next) {
        layers++;
        if (is_called(record, name))
            return layers;
    }
    return 0;
}

static enum sy_status mark(struct sy_workload *workload, const struct sy_fuse_choice *choice, struct sy_diag *diag)
{
    bool found = false;
    for (struct sy_workload_record *record = workload->first; record; record = record->next) {
        if (!is_called(record, choice->first))
            continue;
        uint32_t layers = layers_to(record, choice->last);
        if (layers < 2) {
            sy_error(diag, SY_NOWHERE, "a group is 2 to 32 layers of one list: no repeat block begins or ends in it",
                     "layer '%s' is not among those that stand behind '%s', from which on layers were to be fused",
                     choice->last, choice->first);
            return SY_USAGE;
        }
        record->layer.fuse = choice->how;
        record->layer.fuse.layers = layers;
        found = true;
    }
    if (found)
        return SY_OK;
    sy_error(diag, SY_NOWHERE, "name the layers as the report names them: FIRST..LAST",
             "no layer is called '%s', from which on layers were to be fused", choice->first);
    return SY_USAGE;
}

enum sy_status sy_fuse_mark(struct sy_workload *workload, const struct sy_fuse_choice *choices, uint32_t count,
                            struct sy_diag *diag)
{
    enum sy_status status = SY_OK;
    for (uint32_t i = 0; i < count && status == SY_OK; i++)
        status = mark(workload, &choices[i], diag);
    return status;
}
