#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# At most 15 branches and 80 lines a function, 800 lines a file. Branches are
# pmccabe's modified McCabe figure, which counts a switch once. Tests are held
# to the lines, not to the branches.
. "${BASH_SOURCE%/*}/common.sh"

functions=$(c_files | grep -E '\.(c|cpp)$' | xargs -r pmccabe 2>/dev/null | awk -F '\t' '
    {
        split($6, where, "("); file = where[1]; line = $4; name = $6; sub(/^.*: /, "", name)
        test = file ~ /^tests\//
        if ($1 > 15 && !test) printf "%s:%d: %s has %d branches; at most 15\n", file, line, name, $1
        if ($5 > 80) printf "%s:%d: %s has %d lines; at most 80\n", file, line, name, $5
    }')
files=$(c_files | xargs -r wc -l | awk '$2 != "total" && $1 > 800 { printf "%s:1: %d lines; at most 800\n", $2, $1 }')
[ -z "$functions$files" ] && exit 0
printf '%s\n' "$functions" "$files" | sed '/^$/d'
exit 1
