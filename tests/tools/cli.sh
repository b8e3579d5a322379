# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the command line. Each promise is one "ok" or "not ok" line, which run_tests.sh counts; end
# with `finish`. The program is $SYSTOLE, the tree $SYSTOLE_DATA; tests run in a scratch folder of their own.
# shellcheck shell=bash
set -u
root=${SYSTOLE_DATA:-$PWD}
systole=${SYSTOLE:-$root/build/release/systole}
export SYSTOLE_DATA=$root
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
passed=0
failed=0

expect() { # expect PROMISE COMMAND...
    local promise=$1
    shift
    if "$@"; then
        echo "ok - $promise"
        passed=$((passed + 1))
    else
        echo "not ok - $promise"
        failed=$((failed + 1))
    fi
}

# call ARGUMENT...: standard output to `out`, diagnostics to `err`; the exit status is the program's.
call() { timeout 60 "$systole" "$@" >out 2>err </dev/null; }

# exits STATUS ARGUMENT...
exits() {
    local want=$1 got=0
    shift
    call "$@" || got=$?
    [ "$got" -eq "$want" ] || { echo "# exit status $got, expected $want: systole $*"; head -3 err | sed 's/^/# /'; return 1; }
}

# refuses STATUS TEXT ARGUMENT...: this exit status, TEXT among the diagnostics, and nothing on standard output.
refuses() {
    local want=$1 text=$2
    shift 2
    exits "$want" "$@" || return 1
    grep -qF -- "$text" err || { echo "# no '$text' in:"; sed 's/^/# /' err; return 1; }
    [ ! -s out ] || { echo "# results were printed all the same"; return 1; }
}

# prints TEXT ARGUMENT...: success, with TEXT on standard output.
prints() {
    local text=$1
    shift
    exits 0 "$@" && { grep -qF -- "$text" out || { echo "# no '$text' in the output of: systole $*"; return 1; }; }
}

finish() {
    echo "# $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}
