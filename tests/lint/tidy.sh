#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: tidy.sh JOBS GENERATED_DIR [FILE...]
# clang-tidy over the C sources outside tests (or over the files named).
. "${BASH_SOURCE%/*}/common.sh"
jobs=$1
generated=$2
shift 2
{
    if [ $# -gt 0 ]; then printf '%s\n' "$@"; else c_files | grep '\.c$' | grep -v '^tests/'; fi
} | GENERATED=$generated xargs -r -P "$jobs" -n 4 bash -c 'clang-tidy --quiet --warnings-as-errors="*" "$@" -- \
    -std=c11 -I. -I"$GENERATED" -D_GNU_SOURCE -DSYSTOLE_VERSION_STRING="\"\"" -DSYSTOLE_PREFIX="\"\"" 2>&1 |
    { grep -vE "^[0-9]+ warnings? (generated|treated)" || true; } ; exit "${PIPESTATUS[0]}"' _
