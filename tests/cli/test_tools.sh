#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts behind `make check` and `make lint` find what they are there to find.
set -u
root=${SYSTOLE_DATA:-$PWD}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

expect() { # expect NAME COMMAND...
    local name=$1
    shift
    if "$@"; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        status=1
    fi
}

program() { # program NAME, its body on stdin
    { echo '#!/bin/bash'; cat; } >"$scratch/$1"
    chmod +x "$scratch/$1"
}

program check_good <<<'echo "100%: Checks: 7, Failures: 0, Errors: 0"'
program check_bad <<<'echo "50%: Checks: 6, Failures: 2, Errors: 1"; exit 1'
program lines <<<'echo "ok - a"; echo "ok - b"; echo "not ok - c"; exit 1'
program plain_good <<<'exit 0'
program plain_bad <<<'exit 3'
program crash <<<'echo "100%: Checks: 2, Failures: 0, Errors: 0"; kill -SEGV $$'
program empty_suite <<<'echo "100%: Checks: 0, Failures: 0, Errors: 0"'
program slow <<<'sleep 30'
program hungry <<<'read -r line && exit 1; exit 0'

run() { # run PROGRAM...: last line of the runner, and its exit status
    local out
    out=$(cd "$scratch" && "$root/tests/tools/run_tests.sh" "$scratch/logs" 3 "${@/#/$scratch/}")
    local rc=$?
    printf '%s %s\n' "$(tail -1 <<<"$out")" "$rc"
}

says() { # says "LINE RC" PROGRAM...
    local want=$1 got
    shift
    got=$(run "$@")
    [ "$got" = "$want" ] || { echo "# got: $got"; return 1; }
}

expect "checks of all programs are summed" says "8 passed, 0 failed 0" check_good plain_good
expect "failures and errors of a Check program count" says "10 passed, 3 failed 1" check_good check_bad
expect "lines of a script count" says "2 passed, 1 failed 1" lines
expect "a bad exit counts" says "0 passed, 1 failed 1" plain_bad
expect "a crash after good checks counts" says "2 passed, 1 failed 1" crash
expect "a suite without checks is a failure" says "0 passed, 1 failed 1" empty_suite
expect "no program at all is not a success" says "0 passed, 0 failed 1"
expect "standard input is empty, not the terminal" says "1 passed, 0 failed 0" hungry
TEST_TIMEOUT=1 expect "a program that hangs is ended" says "0 passed, 1 failed 1" slow

order() {
    program late <<<'sleep 0.3'
    local out
    out=$("$root/tests/tools/run_tests.sh" "$scratch/logs" 3 "$scratch/late" "$scratch/plain_good" "$scratch/check_good")
    [ "$(sed -n 's/^ok *\([^ ]*\).*/\1/p' <<<"$out" | xargs -n1 basename | tr '\n' ' ')" = "late plain_good check_good " ]
}
expect "programs are reported in the order given" order

# ---- lint: a small tree with one fault of each kind ----
tree=$scratch/tree
mkdir -p "$tree"/{tests,sim/base,sim/engine,arch,traces}
cp -r "$root/tests/lint" "$tree/tests/lint"
cp "$root/Makefile" "$tree/Makefile"
licence='/* SPDX-License-Identifier: Apache-2.0 */'
touch "$tree/sim/engine/e.h"
for header in sim/base/b.h traces/t.h arch/a.h; do echo "$licence" >"$tree/$header"; done
printf '%s\n#include "sim/base/b.h"\n#include "traces/t.h"\n' "$licence" >"$tree/arch/meets.c"
printf '%s\n#include "b.h"\n' "$licence" >"$tree/sim/base/near.c"
printf '%s\n#include <systemc.h>\n' "$licence" >"$tree/arch/sc.c"
printf '%s\n/* TO''DO later */\n' "$licence" >"$tree/arch/mark.c"
echo "x" >"$tree/stray.txt"

lint_says() { # lint_says TOOL TEXT
    (cd "$tree" && "tests/lint/$1" 2>&1) | grep -qF -- "$2"
}
expect "lint sees a forbidden arrow" lint_says includes.py "arch/meets.c:3: no arrow from arch to traces"
expect "lint allows the base everywhere" bash -c "! (cd '$tree' && tests/lint/includes.py | grep -q meets.c:2)"
expect "lint sees a relative include" lint_says includes.py 'sim/base/near.c:2: "b.h" is not a path'
expect "lint keeps SystemC in its folder" lint_says includes.py "<systemc.h> belongs to sim/kernel"
expect "lint sees a missing licence line" lint_says style.sh "sim/engine/e.h:1: no SPDX"
expect "lint sees a leftover mark" lint_says style.sh "arch/mark.c:2:"
expect "lint keeps the top level closed" lint_says style.sh "stray.txt: the top level is closed"

exit $status
