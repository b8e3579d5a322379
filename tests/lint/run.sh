#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD_DIR
# Every lint step, each to its end, so that one run shows all there is to fix.
. "${BASH_SOURCE%/*}/common.sh"
here=${BASH_SOURCE%/*}
cache=$1/lint
mkdir -p "$cache/cppcheck"
failed=0

step() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "ok      $name"
    else
        printf '%s\n' "$output" | sed 's/^/    /'
        echo "FAILED  $name"
        failed=$((failed + 1))
    fi
}

format() {
    local wrong
    wrong=$(c_files | xargs -r clang-format --dry-run -Werror 2>&1 | sed -n 's/^\([^ :]*\):\([0-9]*\):.*: error:.*/\1:\2/p' |
        awk -F: '!seen[$1]++ { print $1 ":" $2 ": not formatted (run make format)" }')
    [ -z "$wrong" ] || { printf '%s\n' "$wrong"; return 1; }
}

# Tests are left out: cppcheck does not know Check's START_TEST.
static_analysis() {
    c_files | grep -v '^tests/' | grep -E '\.(c|cpp)$' |
        xargs -r cppcheck --quiet --error-exitcode=1 --std=c11 --std=c++17 -j2 -I. -D_GNU_SOURCE --inline-suppr \
            --enable=warning,performance,portability --suppress=missingInclude --suppress=missingIncludeSystem \
            --suppress=normalCheckLevelMaxBranches --cppcheck-build-dir="$cache/cppcheck"
}

step "style: top level, licence lines, marks" "$here/style.sh"
step "includes: along the arrows of docs/design.md" python3 "$here/includes.py"
step "complexity: branches and lines" "$here/complexity.sh"
step "format: clang-format" format
step "cppcheck" static_analysis
[ "$failed" -eq 0 ] || echo "$failed lint steps failed"
exit $((failed > 0))
